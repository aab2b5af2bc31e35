// Who holds what, and who waits for it. Plain data structures: nothing here knows of messages, sockets or storage.
//
// One table for five kinds of locks. A mode is a bit (1 << mode); CONFLICTS[kind][mode] is the set of modes that
// cannot be held by another session at the same time (PostgreSQL 15 manual, tables 13.2 and 13.3). The bits of
// transaction-level holds are the low sixteen, those of session-level ones (advisory locks) the high sixteen.
//
// Most locks have one holder and no waiter, and there may be a million of them: the first holder is kept in the lock
// itself, others in an array made when needed.
import { assert } from '../../common/errors.ts';
import type { LockTarget, RowLockMode, TableLockMode } from './messages.ts';

export const KIND_ROW = 0, KIND_KEY = 1, KIND_TABLE = 2, KIND_ADVISORY = 3, KIND_OBJECT = 4;
const KIND_COUNT = 5;

export const ROW_MODES: Record<RowLockMode, number> = { keyshare: 1, share: 2, nokeyupdate: 3, update: 4 };
export const ROW_MODE_NAMES: readonly RowLockMode[] = ['keyshare', 'share', 'nokeyupdate', 'update'];
/** Advisory and object locks: shared or exclusive. Keys in flight are always exclusive. */
export const MODE_SHARED = 1, MODE_EXCLUSIVE = 2;
export const ROW_EXCLUSIVE = 3, ACCESS_EXCLUSIVE = 8; // RowExclusiveLock, AccessExclusiveLock, in lockdefs.h numbering

const bits = (...modes: number[]): number => modes.reduce((set, mode) => set | (1 << mode), 0);
const SHARED_OR_EXCLUSIVE = [0, bits(2), bits(1, 2)];

const CONFLICTS: readonly (readonly number[])[] = [
  /* row */ [0, bits(4), bits(3, 4), bits(2, 3, 4), bits(1, 2, 3, 4)],
  /* key */ SHARED_OR_EXCLUSIVE,
  /* table */ [
    0, bits(8), bits(7, 8), bits(5, 6, 7, 8), bits(4, 5, 6, 7, 8), bits(3, 4, 6, 7, 8), bits(3, 4, 5, 6, 7, 8),
    bits(2, 3, 4, 5, 6, 7, 8), bits(1, 2, 3, 4, 5, 6, 7, 8),
  ],
  /* advisory */ SHARED_OR_EXCLUSIVE,
  /* object */ SHARED_OR_EXCLUSIVE,
];
/** The modes another session must not hold while this one is held. */
export function conflictSet(kind: number, mode: number): number {
  return CONFLICTS[kind]![mode]!;
}

export const TABLE_MODE_NAMES = [
  '', 'AccessShareLock', 'RowShareLock', 'RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock',
  'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock',
] as const;

/** A session, as far as locks are concerned. The machine's sessions extend it. */
export interface LockOwner {
  readonly pid: number;
  /** Transaction id of the running transaction; 0 while it has none. */
  xid: number;
  /** Transaction-level holds in the order of their taking; three arrays in step. */
  readonly heldLocks: Lock[];
  readonly heldModes: number[];
  readonly heldMarks: number[];
  waiter: Waiter | null;
}

interface Hold {
  owner: LockOwner;
  mask: number;
}

export class Lock {
  readonly kind: number;
  readonly space: number;
  readonly id: number | string;
  owner: LockOwner | null = null;
  mask = 0;
  others: Hold[] | null = null;
  queue: Waiter[] | null = null;
  /** A table whose weak locks backends do not take by themselves now (shared_locks.ts). */
  strong = false;
  /** ACCESS EXCLUSIVE is held or waited for (locked_tables.ts). */
  exclusive = false;

  constructor(kind: number, space: number, id: number | string) {
    this.kind = kind;
    this.space = space;
    this.id = id;
  }
}

/** A session waits for one lock at a time. */
export interface Waiter {
  readonly owner: LockOwner;
  readonly lock: Lock;
  readonly mode: number;
  readonly sinceMs: number;
  /** A commit waits only until the lock is free, and does not take it. */
  readonly takes: boolean;
}

const effective = (mask: number): number => (mask | (mask >>> 16)) & 0xffff;

/** The modes that sessions other than `owner` hold. */
export function othersMask(lock: Lock, owner: LockOwner | null): number {
  let mask = lock.owner !== null && lock.owner !== owner ? effective(lock.mask) : 0;
  if (lock.others !== null) for (const hold of lock.others) if (hold.owner !== owner) mask |= effective(hold.mask);
  return mask;
}

/** The modes that `owner` itself holds, session-level ones in the high bits. */
export function ownMask(lock: Lock, owner: LockOwner): number {
  if (lock.owner === owner) return lock.mask;
  if (lock.others !== null) for (const hold of lock.others) if (hold.owner === owner) return hold.mask;
  return 0;
}

/** Calls back for every holder. */
export function eachHolder(lock: Lock, visit: (owner: LockOwner, mask: number) => void): void {
  if (lock.owner !== null) visit(lock.owner, lock.mask);
  if (lock.others !== null) for (const hold of lock.others) visit(hold.owner, hold.mask);
}

/** Whether a mode from `min` up is held or waited for. */
export function hasStrong(lock: Lock, min: number): boolean {
  let mask = 0;
  eachHolder(lock, (_owner, held) => { mask |= effective(held); });
  return mask >>> min !== 0 || (lock.queue?.some((waiter) => waiter.mode >= min) ?? false);
}

const nothing = (): void => {};

export class LockTable {
  /** A lock has come into the table, or left it; one less holder or waiter. See shared_locks.ts. */
  onObtain: (lock: Lock) => void = nothing;
  onDispose: (lock: Lock) => void = nothing;
  onWeaker: (lock: Lock) => void = nothing;

  /** By kind, then relation, index or class, then row, key or object. */
  private readonly spaces: Map<number, Map<number | string, Lock>>[] =
    Array.from({ length: KIND_COUNT }, () => new Map<number, Map<number | string, Lock>>());
  /** How many locks there are of each kind: commits skip looking for kinds without any. */
  readonly counts = new Int32Array(KIND_COUNT);
  total = 0;

  find(kind: number, space: number, id: number | string): Lock | undefined {
    return this.spaces[kind]!.get(space)?.get(id);
  }

  obtain(kind: number, space: number, id: number | string): Lock {
    const ofKind = this.spaces[kind]!;
    let inSpace = ofKind.get(space);
    if (inSpace === undefined) ofKind.set(space, inSpace = new Map());
    let lock = inSpace.get(id);
    if (lock === undefined) {
      inSpace.set(id, lock = new Lock(kind, space, id));
      this.counts[kind]!++;
      this.total++;
      this.onObtain(lock);
    }
    return lock;
  }

  /** Forgets a lock that nobody holds or waits for. */
  private dispose(lock: Lock): void {
    if (lock.owner !== null || lock.queue !== null) return;
    const ofKind = this.spaces[lock.kind]!, inSpace = ofKind.get(lock.space);
    if (inSpace?.delete(lock.id) !== true) return;
    this.counts[lock.kind]!--;
    this.total--;
    if (inSpace.size === 0) ofKind.delete(lock.space);
    this.onDispose(lock);
  }

  /** Takes the lock when nothing is in the way. The rule of LockAcquire: a request that conflicts with one that
   * already waits gets in line behind it, unless the session's own hold is what that one waits for. */
  tryAcquire(owner: LockOwner, lock: Lock, mode: number): boolean {
    const own = effective(ownMask(lock, owner));
    if (own & (1 << mode)) return true;
    if (lock.kind === KIND_ROW && own >>> mode !== 0) return true; // a stronger row lock covers weaker ones
    const conflicts = conflictSet(lock.kind, mode);
    if (othersMask(lock, owner) & conflicts) return false;
    if (lock.queue !== null) {
      for (const waiter of lock.queue) {
        if (conflictSet(lock.kind, waiter.mode) & own) return true; // it waits for us: going ahead of it is right
        if (conflicts & (1 << waiter.mode)) return false;
      }
    }
    return true;
  }

  /** Whether a commit by `owner` that only needs the lock to be free in this mode has to wait. */
  blocks(lock: Lock, owner: LockOwner, mode: number): boolean {
    return (othersMask(lock, owner) & conflictSet(lock.kind, mode)) !== 0;
  }

  /** Notes a transaction-level hold. */
  hold(owner: LockOwner, lock: Lock, mode: number, mark: number): void {
    const own = ownMask(lock, owner);
    if (own & (1 << mode)) return;
    if (lock.kind === KIND_ROW && (own & 0xffff) >>> mode !== 0) return;
    this.addMask(owner, lock, 1 << mode);
    owner.heldLocks.push(lock);
    owner.heldModes.push(mode);
    owner.heldMarks.push(mark);
  }

  addMask(owner: LockOwner, lock: Lock, mask: number): void {
    if (lock.owner === null || lock.owner === owner) {
      lock.owner = owner;
      lock.mask |= mask;
      return;
    }
    lock.others ??= [];
    for (const hold of lock.others) {
      if (hold.owner === owner) {
        hold.mask |= mask;
        return;
      }
    }
    lock.others.push({ owner, mask });
  }

  /** Takes bits away from a hold; whoever can go on now is passed to `granted`. */
  removeMask(owner: LockOwner, lock: Lock, mask: number, granted: (waiter: Waiter) => void): void {
    if (lock.owner === owner) {
      lock.mask &= ~mask;
      if (lock.mask === 0) {
        const next = lock.others?.pop();
        lock.owner = next?.owner ?? null;
        lock.mask = next?.mask ?? 0;
        if (lock.others?.length === 0) lock.others = null;
      }
    } else if (lock.others !== null) {
      const at = lock.others.findIndex((hold) => hold.owner === owner);
      assert(at >= 0, 'the released lock is held');
      const hold = lock.others[at]!;
      hold.mask &= ~mask;
      if (hold.mask === 0) lock.others.splice(at, 1);
      if (lock.others.length === 0) lock.others = null;
    }
    if (lock.queue !== null) this.wake(lock, granted);
    if (lock.strong) this.onWeaker(lock);
    this.dispose(lock);
  }

  /** Lets go of transaction-level holds taken with a greater mark; -1 for all of them. */
  releaseAfter(owner: LockOwner, mark: number, granted: (waiter: Waiter) => void): void {
    const { heldLocks, heldModes, heldMarks } = owner;
    // What was adopted from a backend's own locks may have an older mark than what stands before it.
    const kept: [Lock, number, number][] = [];
    while (heldLocks.length > 0) {
      const lock = heldLocks.pop()!, mode = heldModes.pop()!, itsMark = heldMarks.pop()!;
      if (itsMark > mark) this.removeMask(owner, lock, 1 << mode, granted);
      else kept.push([lock, mode, itsMark]);
    }
    for (let i = kept.length - 1; i >= 0; i--) {
      heldLocks.push(kept[i]![0]);
      heldModes.push(kept[i]![1]);
      heldMarks.push(kept[i]![2]);
    }
  }

  /** Puts a waiter in line: at the end, or before the first one that waits for what its session already holds. */
  enqueue(waiter: Waiter): void {
    const { lock, owner } = waiter;
    assert(owner.waiter === null, 'a session waits for one lock at a time');
    owner.waiter = waiter;
    lock.queue ??= [];
    const own = effective(ownMask(lock, owner));
    let at = lock.queue.length;
    if (own !== 0) {
      const first = lock.queue.findIndex((other) => (conflictSet(lock.kind, other.mode) & own) !== 0);
      if (first >= 0) at = first;
    }
    lock.queue.splice(at, 0, waiter);
  }

  /** Takes a waiter out of line (cancel, timeout, deadlock, death). */
  dequeue(waiter: Waiter, granted: (waiter: Waiter) => void): void {
    const { lock } = waiter;
    const at = lock.queue?.indexOf(waiter) ?? -1;
    assert(at >= 0, 'a waiter stands in its queue');
    lock.queue!.splice(at, 1);
    waiter.owner.waiter = null;
    if (lock.queue!.length === 0) lock.queue = null;
    else this.wake(lock, granted);
    if (lock.strong) this.onWeaker(lock);
    this.dispose(lock);
  }

  /** Lets those go on who neither conflict with a holder nor with somebody before them (ProcLockWakeup). The
   * callback takes the hold; it must do so before it returns. */
  wake(lock: Lock, granted: (waiter: Waiter) => void): void {
    const queue = lock.queue;
    if (queue === null) return;
    let ahead = 0, kept = 0;
    const ready: Waiter[] = [];
    for (let i = 0; i < queue.length; i++) {
      const waiter = queue[i]!;
      const conflicts = conflictSet(lock.kind, waiter.mode);
      if ((conflicts & ahead) === 0 && (conflicts & othersMask(lock, waiter.owner)) === 0) {
        ready.push(waiter);
        if (waiter.takes) ahead |= 1 << waiter.mode;
      } else {
        ahead |= 1 << waiter.mode;
        queue[kept++] = waiter;
      }
    }
    if (ready.length === 0) return;
    queue.length = kept;
    if (kept === 0) lock.queue = null;
    for (const waiter of ready) {
      waiter.owner.waiter = null;
      granted(waiter);
    }
  }

  *ofKind(kind: number): Iterable<Lock> {
    for (const inSpace of this.spaces[kind]!.values()) yield* inSpace.values();
  }

  /** Every lock there is, for pg_locks. */
  *all(): Iterable<Lock> {
    for (let kind = 0; kind < KIND_COUNT; kind++) yield* this.ofKind(kind);
  }
}

/** What a transaction holds, as it would be asked for. */
export function targetOf({ kind, space, id }: Lock, mode: number): LockTarget {
  switch (kind) {
    case KIND_ROW: return { kind: 'row', relation: space, row: id as number, mode: ROW_MODE_NAMES[mode - 1]! };
    case KIND_KEY: return { kind: 'key', index: space, key: id as string };
    case KIND_TABLE: return { kind: 'table', oid: id as number, mode: mode as TableLockMode };
    case KIND_ADVISORY: {
      const [key1, key2, key3] = (id as string).split(',').map(Number);
      return { kind: 'advisory', key1: key1!, key2: key2!, key3: key3!, shared: mode === MODE_SHARED, session: false };
    }
    default: return { kind: 'object', classid: space, objid: id as number, exclusive: mode === MODE_EXCLUSIVE };
  }
}

/** kind, space, id and mode of a target, without allocating: read the four fields right after `locate`. */
export const located = { kind: 0, space: 0, id: 0 as number | string, mode: 0 };
export function locate(target: LockTarget): void {
  switch (target.kind) {
    case 'row':
      located.kind = KIND_ROW; located.space = target.relation; located.id = target.row;
      located.mode = ROW_MODES[target.mode];
      return;
    case 'key':
      located.kind = KIND_KEY; located.space = target.index; located.id = target.key; located.mode = MODE_EXCLUSIVE;
      return;
    case 'table':
      located.kind = KIND_TABLE; located.space = 0; located.id = target.oid; located.mode = target.mode;
      return;
    case 'advisory':
      located.kind = KIND_ADVISORY; located.space = 0; located.id = `${target.key1},${target.key2},${target.key3}`;
      located.mode = target.shared ? MODE_SHARED : MODE_EXCLUSIVE;
      return;
    case 'object':
      located.kind = KIND_OBJECT; located.space = target.classid; located.id = target.objid;
      located.mode = target.exclusive ? MODE_EXCLUSIVE : MODE_SHARED;
  }
}
