// Deadlock detection over the waits-for graph, whenever somebody begins to wait. An edge is hard when the other
// session holds what is waited for, soft when it merely stands before us in the queue. A cycle of hard edges is a
// deadlock; one with a soft edge may be undone by letting a waiter pass the one before it (PostgreSQL's
// storage/lmgr/README, "Deadlock Detection Algorithm"; ours tries one exchange at a time).
import {
  KIND_ADVISORY, KIND_KEY, KIND_OBJECT, KIND_ROW, KIND_TABLE, MODE_SHARED, TABLE_MODE_NAMES, conflictSet, eachHolder,
  type Lock, type LockOwner, type LockTable, type Waiter,
} from './locks.ts';

export interface Edge {
  readonly waiter: Waiter;
  readonly blocker: LockOwner;
  /** The waiter in front, when the edge is soft. */
  readonly before: Waiter | null;
}

/** The cycle that leads from `start` back to it, or null. Others' cycles were found when they began to wait. */
function findCycle(start: Waiter, withSoft: boolean): Edge[] | null {
  const visited = new Set<LockOwner>();
  const path: Edge[] = [];
  const visit = (waiter: Waiter): boolean => {
    if (visited.has(waiter.owner)) return false;
    visited.add(waiter.owner);
    for (const edge of edgesOf(waiter, withSoft)) {
      path.push(edge);
      if (edge.blocker === start.owner) return true;
      if (edge.blocker.waiter !== null && visit(edge.blocker.waiter)) return true;
      path.pop();
    }
    return false;
  };
  return visit(start) ? path : null;
}

/** Whom a waiter waits for. */
export function edgesOf(waiter: Waiter, withSoft: boolean): Edge[] {
  const edges: Edge[] = [];
  const { lock } = waiter;
  const conflicts = conflictSet(lock.kind, waiter.mode);
  eachHolder(lock, (owner, mask) => {
    if (owner !== waiter.owner && (mask | (mask >>> 16)) & conflicts) edges.push({ waiter, blocker: owner, before: null });
  });
  if (withSoft && lock.queue !== null) {
    for (const before of lock.queue) {
      if (before === waiter) break;
      if (conflicts & (1 << before.mode)) edges.push({ waiter, blocker: before.owner, before });
    }
  }
  return edges;
}

/** Looks for a deadlock that `start` is part of; undoes soft ones by changing the order of waiting. Returns the cycle
 * when nothing helps. After a null answer, `reordered` locks may have waiters that can go on: wake them. */
export function checkDeadlock(start: Waiter, reordered: Set<Lock>): Edge[] | null {
  const hard = findCycle(start, false);
  if (hard !== null) return hard;
  for (;;) {
    const cycle = findCycle(start, true);
    if (cycle === null) return null;
    if (!cycle.some((edge) => edge.before !== null && exchange(edge.waiter, edge.before, start))) return cycle;
    for (const edge of cycle) if (edge.before !== null) reordered.add(edge.waiter.lock);
  }
}

/** Moves `waiter` in front of `before` when that leaves neither of them in a cycle. */
function exchange(waiter: Waiter, before: Waiter, start: Waiter): boolean {
  const queue = waiter.lock.queue!;
  const order = [...queue];
  queue.splice(queue.indexOf(waiter), 1);
  queue.splice(queue.indexOf(before), 0, waiter);
  if (findCycle(start, true) === null && findCycle(before, true) === null) return true;
  queue.splice(0, queue.length, ...order);
  return false;
}

/** The lines of PostgreSQL's DETAIL. */
export function deadlockDetail(cycle: Edge[], database: number): string {
  return cycle.map((edge) => {
    const [mode, what] = describeWait(edge.waiter, edge, database);
    return `Process ${edge.waiter.owner.pid} waits for ${mode} on ${what}; blocked by process ${edge.blocker.pid}.`;
  }).join('\n');
}

const TUPLE_LOCK_MODES = ['', 'AccessShareLock', 'RowShareLock', 'ExclusiveLock', 'AccessExclusiveLock'];

/** The name of a mode in the words of pg_locks. */
export function modeName(kind: number, mode: number): string {
  switch (kind) {
    case KIND_TABLE: return TABLE_MODE_NAMES[mode]!;
    case KIND_ROW: return TUPLE_LOCK_MODES[mode]!;
    case KIND_OBJECT: return mode === MODE_SHARED ? 'AccessShareLock' : 'AccessExclusiveLock';
    default: return mode === MODE_SHARED ? 'ShareLock' : 'ExclusiveLock';
  }
}

function describeWait(waiter: Waiter, edge: Edge, database: number): [mode: string, what: string] {
  const { lock } = waiter;
  switch (lock.kind) {
    case KIND_ROW: {
      if (edge.before === null) return ['ShareLock', `transaction ${edge.blocker.xid}`];
      const row = lock.id as number;
      const tuple = `(${Math.floor(row / 65536)},${row % 65536 + 1})`;
      return [modeName(KIND_ROW, waiter.mode), `tuple ${tuple} of relation ${lock.space} of database ${database}`];
    }
    case KIND_KEY: return ['ShareLock', `transaction ${edge.blocker.xid}`];
    case KIND_TABLE: return [modeName(KIND_TABLE, waiter.mode), `relation ${lock.id} of database ${database}`];
    case KIND_ADVISORY: return [modeName(KIND_ADVISORY, waiter.mode), `advisory lock [${database},${lock.id}]`];
    default: return [modeName(KIND_OBJECT, waiter.mode), `object ${lock.id} of class ${lock.space} of database ${database}`];
  }
}

/** Lets the waiters of changed queues go on. */
export function wakeAll(table: LockTable, locks: Set<Lock>, granted: (waiter: Waiter) => void): void {
  for (const lock of locks) table.wake(lock, granted);
}
