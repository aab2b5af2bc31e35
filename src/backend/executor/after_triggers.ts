// The queue of AFTER triggers (afterTriggers of PostgreSQL's trigger.c). Every query that changes tables has a level with
// its events; when the query has done its work they fire, in the order they came, and what they queue in turn (foreign
// keys do) fires after them. Events of deferred constraints move to the transaction's list and fire at COMMIT or at SET
// CONSTRAINTS ... IMMEDIATE. An event is a trigger, a row id and a command id: the row before and after that command is
// fetched when it fires, so a million events are a few numbers each.
import { internalError } from '../../common/errors.ts';
import { refuseRestricted } from '../catalog/acl.ts';
import type { RowId } from '../access/row.ts';
import type { Relation } from '../catalog/relation.ts';
import { tryOpenRelation } from '../catalog/relcache.ts';
import type { TransitionTable } from '../commands/trigger_data.ts';
import { commandCounterIncrement, currentCommandId, registerCallback } from '../transaction/xact.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { FiringTrigger, rowAt, timed, type TriggerOp, type TriggerSet, triggersOf } from './trigger.ts';
import { Capture } from './transition_table.ts';

/** What is queued for one trigger and one kind of event. */
class AfterTrigger {
  firing: FiringTrigger;
  readonly op: TriggerOp;
  readonly capture: Capture | null;
  /** The epoch in which `firing` was found to be what the catalogs say. */
  checkedIn = 0;
  constructor(firing: FiringTrigger, op: TriggerOp, capture: Capture | null) {
    this.firing = firing;
    this.op = op;
    this.capture = capture;
  }
}

/** An event of a row, as the triggers of constraints get it. */
export interface RowEvent { readonly firing: FiringTrigger; readonly op: TriggerOp; readonly rowId: RowId; readonly cid: number }

/** A trigger function that belongs to a constraint and needs no row arrays. */
export interface InternalTrigger {
  /** Whether the event needs to be queued at all. `own`: the old row was this transaction's work. */
  wanted?(firing: FiringTrigger, old: readonly Datum[] | null, now: readonly Datum[] | null, own: boolean, recheck: readonly Oid[] | null): boolean;
  /** The trigger whose event this is rather, with `op` as it is. */
  insteadOf?(firing: FiringTrigger, set: TriggerSet, op: TriggerOp, rowId: RowId): FiringTrigger | undefined;
  fire(event: RowEvent): void;
  /** Whether events of this trigger may fire together, and before others of the same stretch of which that is true, too: in an order
   * that nobody sees. Asked once for a stretch. */
  mayBatch?(event: RowEvent): boolean;
  fireBatch?(events: readonly RowEvent[]): void;
}
const MAX_BATCH = 10_000;
const internals = new Map<Oid, InternalTrigger>();
export function registerInternalTrigger(foid: Oid, trigger: InternalTrigger): void {
  internals.set(foid, trigger);
}
function internalOf(f: FiringTrigger): InternalTrigger | null {
  if (f.internal === undefined) f.internal = (f.trigger.isInternal ? internals.get(f.trigger.foid) : undefined) ?? null;
  return f.internal;
}

/** Told when anything may have changed between two events: a user's function ran, or a round is over. */
const forgetters: (() => void)[] = [];
export function onForget(forget: () => void): void {
  forgetters.push(forget);
}
let epoch = 1;
function forget(): void {
  epoch++;
  for (const f of forgetters) f();
}

// ---- lists of events

const STATEMENT = -1; // instead of a row id
const CANCELLED = 0xffffffff;

class EventList {
  readonly kinds: AfterTrigger[] = [];
  private readonly numbers = new Map<AfterTrigger, number>();
  private kindOf = new Uint16Array(64);
  private rows = new Float64Array(64);
  private cids = new Uint32Array(64);
  /** In which firing cycle an event was fired; 0: it is waiting. */
  private firedIn = new Uint32Array(64);
  length = 0;

  add(kind: AfterTrigger, rowId: number, cid: number): void {
    let number = this.numbers.get(kind);
    if (number === undefined) {
      number = this.kinds.length;
      if (number > 65535) throw internalError('too many kinds of trigger events');
      this.numbers.set(kind, number);
      this.kinds.push(kind);
    }
    const at = this.length++;
    if (at >= this.rows.length) this.grow();
    this.kindOf[at] = number;
    this.rows[at] = rowId;
    this.cids[at] = cid;
    this.firedIn[at] = 0;
  }

  private grow(): void {
    const size = this.rows.length * 2;
    const copy = <T extends Uint16Array | Float64Array | Uint32Array>(from: T, to: T): T => { to.set(from as never); return to; };
    this.kindOf = copy(this.kindOf, new Uint16Array(size));
    this.rows = copy(this.rows, new Float64Array(size));
    this.cids = copy(this.cids, new Uint32Array(size));
    this.firedIn = copy(this.firedIn, new Uint32Array(size));
  }

  kind(i: number): AfterTrigger { return this.kinds[this.kindOf[i]!]!; }
  rowId(i: number): number { return this.rows[i]!; }
  cid(i: number): number { return this.cids[i]!; }
  isWaiting(i: number): boolean { return this.firedIn[i] === 0; }
  mark(i: number, cycle: number): void { this.firedIn[i] = cycle; }

  /** Back to what there was: later events are gone, those fired since `cycle` wait again. */
  restore(length: number, cycle: number): void {
    if (this.length > length) this.length = length;
    for (let i = 0; i < this.length; i++) if (this.firedIn[i]! >= cycle && this.firedIn[i] !== CANCELLED) this.firedIn[i] = 0;
  }
}

// ---- levels

/** What a query has done to one table in one way. */
interface TableState { beforeFired: boolean; capture: Capture | null; statementEvents: number[] }

class Level {
  readonly events = new EventList();
  /** Events before this one have been dealt with. */
  fired = 0;
  readonly tables = new Map<string, TableState>();
  /** AFTER STATEMENT events of parts of WITH, which come after the rows of all parts that the main query reads. */
  readonly delayed: (() => void)[] = [];
  /** The main query is done: parts of WITH that it did not read run, one after the other. */
  mainDone = false;

  table(relation: Oid, op: TriggerOp): TableState {
    const key = `${relation} ${op}`;
    let state = this.tables.get(key);
    if (state === undefined) this.tables.set(key, (state = { beforeFired: false, capture: null, statementEvents: [] }));
    return state;
  }

  close(capture: Capture): void {
    for (const [key, state] of this.tables) if (state.capture === capture) this.tables.delete(key);
  }
}

let queryDepth = -1;
const levels: (Level | undefined)[] = [];

function currentLevel(): Level {
  if (queryDepth < 0) throw internalError('a trigger event outside of a query');
  return (levels[queryDepth] ??= new Level());
}

/** A query that may change tables begins; the mark is for leaveQuery. */
export const enterQuery = (): number => queryDepth++;

/** Its work is done: fires what it has queued. */
export function fireQueryEvents(): void {
  const level = levels[queryDepth];
  if (level === undefined) return;
  queueDelayed(level);
  const { events } = level;
  while (level.fired < events.length) {
    const from = level.fired, to = events.length;
    level.fired = to;
    let waiting = false;
    for (let i = from; i < to; i++) {
      if (!events.isWaiting(i)) continue;
      const kind = events.kind(i);
      if (isDeferred(kind.firing)) {
        refuseRestricted('fire deferred trigger');
        deferred.add(kind, events.rowId(i), events.cid(i));
        events.mark(i, CANCELLED);
      } else waiting = true;
    }
    if (waiting) fire(events, from, to, () => true, CANCELLED);
    if (level.fired === events.length) {
      events.length = 0;
      level.fired = 0;
      for (const t of level.tables.values()) t.statementEvents = [];
    }
  }
}

/** The query is over, whether it went well or not. */
export function leaveQuery(mark: number): void {
  queryDepth = mark;
  if (levels.length > mark + 1) levels.length = mark + 1;
}

/** Fires the waiting events of a stretch that `which` picks. */
function fire(list: EventList, from: number, to: number, which: (kind: AfterTrigger) => boolean, cycle: number): void {
  commandCounterIncrement();
  let n = 0;
  const batching = new Map<AfterTrigger, boolean>();
  const batches = (kind: AfterTrigger, i: number): boolean => {
    let may = batching.get(kind);
    if (may === undefined) batching.set(kind, (may = mayBatch(kind, list.rowId(i), list.cid(i))));
    return may;
  };
  try {
    for (let i = from; i < to; i++) {
      if (!list.isWaiting(i)) continue;
      const kind = list.kind(i);
      if (!which(kind)) continue;
      if ((++n & 255) === 0) checkForInterrupts();
      if (to - i > 1 && batches(kind, i)) {
        const events: RowEvent[] = [];
        for (let j = i; j < to && events.length < MAX_BATCH; j++) {
          const other = list.kind(j);
          if (!list.isWaiting(j) || !which(other)) continue;
          if (!batches(other, j)) break;
          if (other !== kind) continue;
          list.mark(j, cycle);
          events.push({ firing: kind.firing, op: kind.op, rowId: list.rowId(j), cid: list.cid(j) });
        }
        timed(kind.firing, () => internalOf(kind.firing)!.fireBatch!(events), events.length);
        continue;
      }
      list.mark(i, cycle);
      fireEvent(kind, list.rowId(i), list.cid(i));
    }
  } finally {
    forget();
  }
}

function mayBatch(kind: AfterTrigger, rowId: number, cid: number): boolean {
  const firing = upToDate(kind), internal = firing === null ? null : internalOf(firing);
  return internal?.mayBatch?.({ firing: firing!, op: kind.op, rowId, cid }) === true;
}

function fireEvent(kind: AfterTrigger, rowId: number, cid: number): void {
  const { op, capture } = kind;
  const firing = upToDate(kind);
  if (firing === null) return;
  const internal = internalOf(firing);
  if (internal !== null) {
    timed(firing, () => internal.fire({ firing, op, rowId, cid }));
    return;
  }
  const { relation, trigger } = firing;
  const row = rowId !== STATEMENT;
  const old = row && op !== 'INSERT' ? rowAt(relation, rowId, cid) : null;
  const now = row && op !== 'DELETE' ? rowAt(relation, rowId, cid + 1) : null;
  const table = (name: string | null, which: 'old' | 'new'): TransitionTable | null => (name === null || capture === null ? null : capture.table(name, which));
  // What comes after somebody has looked at the tables goes into new ones.
  if (capture !== null) levels[queryDepth]?.close(capture);
  forget();
  firing.call(op, old, now, table(trigger.oldTable, 'old'), table(trigger.newTable, 'new'));
}

/** The trigger as the catalogs have it now: events may wait long. Null: it was dropped. */
function upToDate(kind: AfterTrigger): FiringTrigger | null {
  if (kind.checkedIn === epoch) return kind.firing;
  const { relation, trigger } = kind.firing;
  const now = tryOpenRelation(relation.oid);
  kind.checkedIn = epoch;
  if (now === relation) return kind.firing;
  const found = now?.triggers.find((t) => t.oid === trigger.oid);
  if (now === undefined || found === undefined) {
    kind.checkedIn = 0;
    return null;
  }
  return (kind.firing = new FiringTrigger(found, now));
}

// ---- queueing

/** Whether BEFORE STATEMENT triggers for this are yet to fire in this query (two parts of WITH may change one table). */
export function beforeStatementDue(relation: Relation, op: TriggerOp): boolean {
  const state = currentLevel().table(relation.oid, op);
  if (state.beforeFired) return false;
  state.beforeFired = true;
  return true;
}

/** Where the rows of an event go that triggers want to see as tables; null: none does. */
export function captureFor(set: TriggerSet, relation: Relation, op: TriggerOp): Capture | null {
  const wanted = set.transitions[op];
  if (wanted === null) return null;
  const state = currentLevel().table(relation.oid, op);
  return (state.capture ??= new Capture(relation, wanted));
}

/** A row was changed by the running command. `assigned`: the columns an UPDATE assigned to; `own`: see InternalTrigger. */
export function queueRowEvent(set: TriggerSet, op: TriggerOp, rowId: RowId, old: readonly Datum[] | null, now: readonly Datum[] | null,
  assigned: ReadonlySet<number> | null, own: boolean, recheck: readonly Oid[] | null): void {
  const list = set.afterRow[op];
  let level: Level | null = null;
  for (let i = 0; i < list.length; i++) {
    const f = list[i]!;
    if (!f.concerns(assigned)) continue;
    const internal = internalOf(f);
    if (internal !== null && internal.wanted !== undefined && !internal.wanted(f, old, now, own, recheck)) continue;
    if (f.when !== null && !f.when(old, now)) continue;
    level ??= currentLevel();
    level.events.add(kindFor(level, internal?.insteadOf?.(f, set, op, rowId) ?? f, op), rowId, currentCommandId());
  }
}

/** The main query of a WITH has read what it reads. */
export function mainQueryDone(): void {
  const level = currentLevel();
  queueDelayed(level);
  level.mainDone = true;
}

function queueDelayed(level: Level): void {
  for (const queue of level.delayed.splice(0)) queue();
}

/** The AFTER STATEMENT triggers; what an earlier part of the same query has queued for the table gives way. `isTop`: this
 * is no part of WITH. */
export function queueStatementEvent(set: TriggerSet, relation: Relation, op: TriggerOp, assigned: ReadonlySet<number> | null, isTop = true): void {
  const list = set.afterStatement[op];
  if (list.length === 0) return;
  const level = currentLevel();
  if (!isTop && !level.mainDone) {
    level.delayed.push(() => queueStatementEvent(set, relation, op, assigned));
    return;
  }
  if (level.delayed.length > 0) queueDelayed(level);
  const state = level.table(relation.oid, op);
  for (const i of state.statementEvents) level.events.mark(i, CANCELLED);
  state.statementEvents = [];
  for (const f of list) {
    if (!f.concerns(assigned) || (f.when !== null && !f.when(null, null))) continue;
    state.statementEvents.push(level.events.length);
    level.events.add(kindFor(level, f, op), STATEMENT, currentCommandId());
  }
}

function kindFor(level: Level, f: FiringTrigger, op: TriggerOp): AfterTrigger {
  const { kinds } = level.events;
  const asks = f.trigger.oldTable !== null || f.trigger.newTable !== null;
  const capture = asks ? captureFor(triggersOf(f.relation)!, f.relation, op) : null;
  for (let i = kinds.length - 1; i >= 0; i--) if (kinds[i]!.firing === f && kinds[i]!.op === op && kinds[i]!.capture === capture) return kinds[i]!;
  return new AfterTrigger(f, op, capture);
}

// ---- deferral

interface ConstraintState { readonly all: boolean | null; readonly byOid: ReadonlyMap<Oid, boolean> }
const UNSET: ConstraintState = { all: null, byOid: new Map() };

let state = UNSET;
let deferred = new EventList();
/** A number for each time that waiting events are fired. */
let cycle = 1;
/** Where savepoints were set. */
let marks: { subid: number; depth: number; length: number; cycle: number; state: ConstraintState }[] = [];

function isDeferred({ trigger }: FiringTrigger): boolean {
  return trigger.deferrable && (state.byOid.get(trigger.constraint) ?? state.all ?? trigger.initiallyDeferred);
}

/** SET CONSTRAINTS: for all (oids null) or some deferrable constraints. IMMEDIATE fires what is waiting. */
export function setConstraints(oids: readonly Oid[] | null, toDeferred: boolean): void {
  if (oids === null) state = { all: toDeferred, byOid: new Map() };
  else state = { all: state.all, byOid: new Map([...state.byOid, ...oids.map((oid) => [oid, toDeferred] as const)]) };
  if (!toDeferred) fireWaiting((kind) => !isDeferred(kind.firing));
}

/** Fires what is waiting, until nothing is. */
function fireWaiting(which: (kind: AfterTrigger) => boolean): void {
  let from = 0;
  while (from < deferred.length) {
    const list = deferred, to = list.length;
    // What triggers do is like a query of its own: foreign keys' actions queue their events there.
    const mark = enterQuery();
    try {
      fire(list, from, to, which, cycle++);
      fireQueryEvents();
    } finally {
      leaveQuery(mark);
    }
    from = to;
  }
}

function reset(): void {
  queryDepth = -1;
  if (levels.length > 0) levels.length = 0;
  state = UNSET;
  if (deferred.length > 0) deferred = new EventList();
  if (marks.length > 0) marks = [];
  cycle = 1;
}

registerCallback({
  preCommit() {
    while (hasWaiting()) fireWaiting(() => true);
  },
  onCommit: reset,
  onAbort: reset,
  onSubStart(subid) { marks.push({ subid, depth: queryDepth, length: deferred.length, cycle, state }); },
  onSubCommit(subid) { marks = marks.filter((m) => m.subid !== subid); },
  onSubAbort(subid) {
    const mark = marks.find((m) => m.subid === subid);
    if (mark === undefined) return;
    marks = marks.filter((m) => m.subid < subid);
    ({ state } = mark);
    deferred.restore(mark.length, mark.cycle);
    if (queryDepth > mark.depth) leaveQuery(mark.depth);
  },
});

function hasWaiting(): boolean {
  for (let i = 0; i < deferred.length; i++) if (deferred.isWaiting(i)) return true;
  return false;
}

/** Whether a table has events that are yet to fire (AfterTriggerPendingOnRel): it must not be altered then. */
export function hasPendingEvents(relation: Oid): boolean {
  for (let i = 0; i < deferred.length; i++) if (deferred.isWaiting(i) && deferred.kind(i).firing.relation.oid === relation) return true;
  return levels.some((level) => {
    if (level === undefined) return false;
    for (let i = level.fired; i < level.events.length; i++) if (level.events.isWaiting(i) && level.events.kind(i).firing.relation.oid === relation) return true;
    return false;
  });
}
