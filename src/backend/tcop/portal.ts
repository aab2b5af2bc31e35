// Portals: a statement that is being executed, with its position. The unnamed one belongs to the extended protocol,
// named ones to the protocol (Bind) and to DECLARE CURSOR. Rows that are not fetched at once are kept materialized, so
// a cursor shows what its snapshot showed, whatever happens later (PostgreSQL's portalmem.c and pquery.c).
import { PgError } from '../../common/errors.ts';
import { type CompiledPlan, type LockedRows, locksLater, runAndLockLater, runPlan } from '../executor/execute.ts';
import { PagedRows } from '../executor/paged_rows.ts';
import { isVolatile } from '../executor/plan_walker.ts';
import { expressionTreeWalker, queryTreeWalker, type Walker } from '../nodes/nodeFuncs.ts';
import type { Query } from '../nodes/parsenodes.ts';
import { isOfValues } from '../utils/unknown_errors.ts';
import type { RowSource } from './current_of.ts';
import { DISCARD, type DestReceiver, type ResultColumn } from '../executor/dest.ts';
import { statementText } from '../parser/raw_parser.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { commandCounterIncrement, currentCommandId, currentSubTransactionId, isPreparing } from '../transaction/xact.ts';
import { dropSnapshot, holdSnapshot, useSnapshot, type SavedSnapshot } from '../transaction/snapshot.ts';
import { session } from '../utils/session.ts';
import { completionTag } from './cmdtag.ts';
import type { CachedStatement, PlannedUnit } from './plancache.ts';
import { processUtility } from './utility.ts';

export interface CursorOptions {
  scroll: boolean; noScroll: boolean; hold: boolean; binary: boolean; insensitive: boolean;
}
export const NO_CURSOR_OPTIONS: CursorOptions = { scroll: false, noScroll: false, hold: false, binary: false, insensitive: false };

/** All rows, as FETCH ALL asks for. */
export const FETCH_ALL = Number.MAX_SAFE_INTEGER;

export type PortalStrategy = 'one_select' | 'one_returning' | 'util_select' | 'multi';

/** Keeps rows, for portals and whoever needs them twice. */
export class RowStore implements DestReceiver {
  columns: readonly ResultColumn[] = [];
  readonly rows = new PagedRows(() => this.types, true);
  /** Types of the rows' columns; those out of sight count, too. */
  types: readonly Oid[] = [];
  start(columns: readonly ResultColumn[]): void {
    this.columns = columns;
    this.types = columns.map((c) => c.typeOid);
  }
  receive(row: Datum[]): boolean { this.rows.push(row); return true; }
  end(): void {}
  close(): void { this.rows.close(); }
}

export class Portal {
  readonly name: string;
  readonly statement: CachedStatement;
  readonly sourceText: string;
  units: readonly PlannedUnit[];
  columns: ResultColumn[] | null;
  readonly params: Datum[];
  /** 0 text, 1 binary, a column each (or one for all, or none for text). */
  formats: readonly number[] = [];
  /** Parameters as errors show them; null: they don't. */
  parameterTexts: readonly (string | null)[] | null = null;
  strategy: PortalStrategy;
  options: CursorOptions = NO_CURSOR_OPTIONS;
  /** Shown in pg_cursors: made by DECLARE or by Bind with a name. */
  readonly creationTime = session.statementStart;
  /** Survives its transaction (WITH HOLD after commit). */
  held = false;
  pinned = false;
  createSubid: number;
  status: 'ready' | 'active' | 'done' | 'failed' = 'ready';
  /** Keep where rows come from, for WHERE CURRENT OF (current_of.ts): cursors do. */
  wantsRowIds = false;
  rowSources: readonly RowSource[] | null = null;
  private store: RowStore | null = null;
  /** Rows before the current position; the current row is number `position`, 0: before the first. */
  position = 0;
  atEnd = false;
  private tag = '';
  private opened: { snapshot: SavedSnapshot; cid: number } | null = null;
  /** FOR UPDATE locks what is fetched: the rows that still are to be; null: none. */
  private locking: LockedRows | null = null;
  /** What went wrong behind the rows of the store. */
  private failure: PgError | null = null;

  /** `units`: of a plan for these values; else the statement's own. */
  constructor(name: string, statement: CachedStatement, params: Datum[], units = statement.units as readonly PlannedUnit[]) {
    this.name = name;
    this.statement = statement;
    this.sourceText = statement.text;
    this.units = units;
    this.columns = statement.columns;
    this.params = params;
    this.strategy = chooseStrategy(this.units, this.columns);
    this.createSubid = currentSubTransactionId();
  }

  /** Runs up to `count` rows forward for the protocol's Execute. `complete`: nothing is left. `others` gets the rows of
   * SELECTs that rules have added. `straight`: rows of RETURNING go out as they come, before AFTER triggers (COPY). */
  run(count: number, dest: DestReceiver, others: DestReceiver = DISCARD, straight = false): { complete: boolean; tag: string } {
    if (this.status === 'ready' && this.store === null && this.units === this.statement.units) this.lockTargets();
    this.activate();
    try {
      if (this.strategy === 'multi' || straight) {
        this.tag = runUnits(this, dest, others);
        this.status = 'done';
        return { complete: true, tag: this.tag };
      }
      // The whole of a SELECT at once needs no store: rows go straight through.
      if (this.strategy === 'one_select' && this.store === null && count === FETCH_ALL) {
        const { processed } = runPlan(this.units[0]!.plan!, this.params, dest, { slots: this.statement.slots });
        this.status = 'done';
        this.atEnd = true;
        return { complete: true, tag: completionTag('SELECT', processed) };
      }
      this.materialize(this.position + count);
      const sent = this.send(this.position, Math.min(count, this.store!.rows.length - this.position), 1, dest);
      this.position += sent;
      if (sent < count) this.fail();
      const complete = sent < count || count === FETCH_ALL;
      if (complete) { this.atEnd = true; this.position = this.store!.rows.length + 1; }
      this.status = 'ready';
      // The rows of this run, not of all the statement has done.
      const tag = this.strategy === 'one_select' ? completionTag('SELECT', sent) : this.tag.replace(/ \d+$/, ` ${sent}`);
      return { complete, tag };
    } catch (error) {
      this.status = 'failed';
      throw error;
    }
  }

  private lockTargets(): void {
    const { statement } = this;
    statement.lockTargets();
    if (statement.units === this.units) return;
    this.units = statement.units;
    this.columns = statement.columns;
    this.strategy = chooseStrategy(this.units, this.columns);
  }

  /** FETCH and MOVE: sends rows to dest (null: MOVE) and says how many. Semantics of DoPortalRunFetch. */
  fetch(direction: 'forward' | 'backward' | 'absolute' | 'relative', count: number, dest: DestReceiver | null): number {
    // Nothing is run for standing still before the first row.
    if (dest === null && count === 0 && this.store === null) return 0;
    this.activate();
    try {
      this.materialize(direction === 'absolute' ? (count < 0 ? FETCH_ALL : count) : direction === 'backward' ? 0 : this.position + Math.max(count, 0));
      if (direction === 'absolute' ? count < 0 || count > this.store!.rows.length : direction === 'relative' && this.position + count > this.store!.rows.length) this.fail();
      const processed = this.doFetch(direction, count, dest);
      this.status = 'ready';
      return processed;
    } catch (error) {
      this.status = 'failed';
      throw error;
    }
  }

  private doFetch(direction: 'forward' | 'backward' | 'absolute' | 'relative', count: number, dest: DestReceiver | null): number {
    const total = this.store!.rows.length;
    switch (direction) {
      case 'absolute': {
        if (count > 0) {
          if (count - 1 < this.position) this.needBackward(count <= this.position);
          return this.step(count, dest);
        }
        if (count < 0) { this.needBackward(true); return this.step(Math.max(total + 1 + count, 0), dest); }
        this.needBackward(this.position > 0);
        return this.step(0, dest);
      }
      case 'relative': {
        if (count < 0) this.needBackward(true);
        if (count === 0) this.needBackward(this.refetches(dest));
        return this.step(Math.max(0, this.position + count), dest);
      }
      case 'forward': {
        if (count < 0) return this.doFetch('backward', -count, dest);
        if (count === 0) {
          this.needBackward(this.refetches(dest));
          return this.step(this.position, dest);
        }
        const from = this.position;
        const sent = this.send(from, Math.min(count, Math.max(total - from, 0)), 1, dest);
        if (sent < count) this.fail();
        this.position = sent < count ? total + 1 : from + sent;
        return sent;
      }
      case 'backward': {
        if (count < 0) return this.doFetch('forward', -count, dest);
        if (count === 0) return this.step(this.position, dest);
        // MOVE BACKWARD ALL goes before the first row at once, and is there already at the start.
        this.needBackward(dest !== null || count !== FETCH_ALL || this.position > 0);
        const from = this.position; // rows before this one are from-1, ..., 1
        const sent = this.send(from - 2, Math.min(count, Math.max(from - 1, 0)), -1, dest);
        this.position = sent < count ? 0 : from - sent;
        return sent;
      }
    }
  }

  /** Goes to row n (0: before the first) and sends it when there is one. */
  private step(n: number, dest: DestReceiver | null): number {
    const total = this.store!.rows.length;
    this.position = Math.min(n, total + 1);
    return this.position >= 1 && this.position <= total ? this.send(this.position - 1, 1, 1, dest) : this.send(0, 0, 1, dest);
  }

  /** FETCH 0 on a row goes one back to fetch it again. */
  private refetches(dest: DestReceiver | null): boolean {
    return dest !== null && this.position >= 1 && this.position <= this.store!.rows.length;
  }

  private needBackward(backward: boolean): void {
    if (backward && this.options.noScroll) {
      throw new PgError('object_not_in_prerequisite_state', 'cursor can only scan forward', {
        hint: 'Declare it with SCROLL option to enable backward scan.',
      });
    }
  }

  private send(from: number, count: number, step: 1 | -1, dest: DestReceiver | null): number {
    if (dest === null) return count;
    const { rows, columns } = this.store!;
    dest.start(columns);
    let sent = 0;
    const width = this.rowSources === null ? undefined : columns.length;
    for (let i = from; sent < count; i += step, sent++) if (!dest.receive(rows.at(i)!.slice(0, width))) { sent++; break; }
    dest.end();
    return sent;
  }

  /** The end of the rows, or what has kept them from going on. */
  fail(): void {
    if (this.failure !== null) throw this.failure;
  }

  /** A cursor shows what was there when it was opened: its snapshot and command id are kept until it is filled. */
  keepSnapshot(): void {
    this.opened = { snapshot: holdSnapshot(), cid: currentCommandId() };
  }

  private dropSnapshot(): void {
    if (this.opened === null) return;
    dropSnapshot(this.opened.snapshot);
    this.opened = null;
  }

  /** The portal is no longer needed. */
  close(): void {
    this.locking?.close();
    this.dropSnapshot();
    this.store?.close();
  }

  /** Runs the statement to its end into the store, unless that was done; `upTo`: so many rows are needed, if rows are locked. */
  materialize(upTo = FETCH_ALL): void {
    if (this.store !== null && (this.locking === null || this.store.rows.length >= upTo)) return;
    const first = this.units[0]?.plan;
    if (this.opened === null && this.strategy === 'one_select' && locksLater(first!)) this.keepSnapshot();
    if (this.opened === null) {
      this.fill(undefined);
      return;
    }
    const present = holdSnapshot();
    useSnapshot(this.opened.snapshot);
    try {
      if (this.store === null) this.fill(this.opened.cid);
      const { rows } = this.store!;
      while (this.locking !== null && rows.length < upTo) {
        const row = this.locking.next();
        if (row === null) this.locking = null;
        else rows.push(row);
      }
    } finally {
      useSnapshot(present);
      dropSnapshot(present);
      if (this.locking === null) this.dropSnapshot();
    }
  }

  private fill(cid: number | undefined): void {
    const store = new RowStore();
    store.columns = this.columns ?? [];
    const located = this.strategy === 'one_select' && this.wantsRowIds ? rowIdPlans.make(this.units[0]!) : null;
    try {
      if (this.strategy === 'one_select') {
        const plan = located?.plan ?? this.units[0]!.plan!, options = { slots: this.statement.slots, ...(cid === undefined ? {} : { cid }) };
        if (cid !== undefined && locksLater(plan)) this.locking = runAndLockLater(plan, this.params, store, options);
        else runPlan(plan, this.params, store, options);
      } else {
        this.tag = runUnits(this, store);
      }
    } catch (error) {
      // The rows before are good, and may be all that is wanted; what functions may have half done is not to stay.
      if (this.strategy !== 'one_select' || !isOfValues(error) || mayChangeThings(this.units[0]!.query)) {
        store.close();
        throw error;
      }
      this.failure = error;
    }
    if (located !== null) {
      this.rowSources = located.sources;
      store.columns = this.columns ?? [];
    }
    this.store = store;
  }

  get isFilled(): boolean {
    return this.store !== null;
  }

  /** The row it stands on, with where it comes from behind its columns; null: before the first or after the last. */
  currentRow(): readonly Datum[] | null {
    return this.store?.rows.at(this.position - 1) ?? null;
  }

  private activate(): void {
    if (this.status === 'done' || this.status === 'active' || this.status === 'failed') {
      throw new PgError('object_not_in_prerequisite_state', `portal "${this.name}" cannot be run`);
    }
    this.status = 'active';
  }
}

/** Whether running the query, or a part of it, may change something. */
function mayChangeThings(query: Query): boolean {
  const walker: Walker = (node) => (node.kind === 'Query' ? queryTreeWalker(node, walker) : isVolatile(node) || expressionTreeWalker(node, walker));
  return walker(query);
}

/** current_of.ts fills it in. */
export const rowIdPlans: { make: (unit: PlannedUnit) => { plan: CompiledPlan; sources: RowSource[] } | null } = { make: () => null };

function chooseStrategy(units: readonly PlannedUnit[], columns: ResultColumn[] | null): PortalStrategy {
  if (columns === null) return 'multi';
  const only = units.length === 1 ? units[0]! : null;
  if (only?.query.commandType === 'select') return only.query.hasModifyingCTE ? 'one_returning' : 'one_select';
  if (only?.query.commandType === 'utility') return 'util_select';
  return 'one_returning';
}

/** Runs every unit to its end; rows of the one that sets the tag go to dest. The completion tag. */
function runUnits(portal: Portal, dest: DestReceiver, others: DestReceiver = DISCARD): string {
  let tag = portal.statement.commandTag;
  let counted = false;
  let rows = 0;
  const out = portal.units.filter((u) => u.canSetTag).length > 1 ? oneResult(dest) : dest;
  const { slots } = portal.statement; // what it calls may run the statement with others
  for (let i = 0; i < portal.units.length; i++) {
    const unit = portal.units[i]!;
    if (i > 0) commandCounterIncrement();
    if (unit.plan === null) {
      if (unit.query.commandType === 'nothing') continue;
      const result = runUtility(portal, unit, dest);
      if (unit.canSetTag) { tag = result; counted = true; }
      continue;
    }
    const { processed } = runPlan(unit.plan, portal.params, unit.canSetTag ? out : others, { slots });
    // A statement on a table with child tables is one unit a table: their rows add up.
    if (unit.canSetTag) { tag = completionTag(portal.statement.commandTag, rows += processed); counted = true; }
  }
  if (out !== dest) dest.end();
  return counted || portal.units.some((u) => u.plan === null && u.query.commandType === 'utility') ? tag : completionTag(tag, 0);
}

/** The rows of several units as one result. */
function oneResult(dest: DestReceiver): DestReceiver {
  let started = false;
  return {
    start(columns) { if (!started) dest.start(columns); started = true; },
    receive: (row) => dest.receive(row),
    end() {},
  };
}

function runUtility(portal: Portal, unit: PlannedUnit, dest: DestReceiver): string {
  const stmt = unit.query.utilityStmt as Parameters<typeof processUtility>[0];
  const raw = portal.statement.raw!;
  const result = processUtility(stmt, {
    text: portal.sourceText, statementText: statementText(portal.sourceText, raw), topLevel: true, params: portal.params,
    paramTypes: portal.statement.paramTypes, dest,
  });
  return completionTag(result.tag ?? portal.statement.commandTag, result.processed ?? null);
}


const named = new Map<string, Portal>();
/** The protocol's, most statements' only one: outside the map, whose table would be made anew for each. */
let unnamed: Portal | null = null;

let unnamedCount = 0;

/** The name of a portal that a program opens without one (CreateNewPortal). */
export function newPortalName(): string {
  for (;;) {
    const name = `<unnamed portal ${++unnamedCount}>`;
    if (!named.has(name)) return name;
  }
}

/** At the end of a session in the rehearsal. */
export function forgetPortalNames(): void {
  unnamedCount = 0;
}

export function findPortal(name: string): Portal | undefined {
  return name === '' ? unnamed ?? undefined : named.get(name);
}

export function allPortals(): Portal[] {
  const all = [...named.values()];
  if (unnamed !== null) all.push(unnamed);
  return all;
}

/** Enters a new portal. The unnamed one replaces its forerunner; another name must be free. */
export function addPortal(portal: Portal): void {
  if (portal.name === '') {
    if (unnamed !== null) dropPortal(unnamed);
    unnamed = portal;
    return;
  }
  if (named.has(portal.name)) throw new PgError('duplicate_cursor', `cursor "${portal.name}" already exists`);
  named.set(portal.name, portal);
}

export function dropPortal(portal: Portal): void {
  if (portal.pinned) throw new PgError('invalid_cursor_state', `cannot drop pinned portal "${portal.name}"`);
  if (portal.status === 'active') throw new PgError('invalid_cursor_state', `cannot drop active portal "${portal.name}"`);
  remove(portal);
}

function remove(portal: Portal): void {
  portal.close();
  if (portal === unnamed) unnamed = null;
  else named.delete(portal.name);
}

/** At commit: held cursors become independent of the transaction, all others end. */
export function preCommitPortals(): void {
  if (named.size === 0) return; // the unnamed one is never WITH HOLD
  for (const portal of named.values()) {
    if (portal.options.hold !== true && !portal.held && portal.status !== 'active') remove(portal);
    if (portal.options.hold && !portal.held && portal.status !== 'failed') {
      if (isPreparing()) throw new PgError('feature_not_supported', 'cannot PREPARE a transaction that has created a cursor WITH HOLD');
      portal.materialize();
      portal.fail();
      portal.held = true;
    }
  }
}

export function atTransactionEnd(): void {
  if (unnamed !== null && unnamed.status !== 'active') remove(unnamed);
  if (named.size > 0) for (const portal of named.values()) if (!portal.held && portal.status !== 'active') remove(portal);
}

/** At rollback: whatever this transaction made is gone; cursors held since an earlier one stay. */
export function atAbort(): void {
  for (const portal of allPortals()) {
    if (portal.status === 'active') portal.status = 'failed';
    portal.pinned = false;
    if (!portal.held) remove(portal);
  }
}

export function atSubAbort(subid: number): void {
  for (const portal of allPortals()) if (!portal.held && portal.createSubid >= subid) remove(portal);
}

export function dropAllHeldPortals(): void {
  for (const portal of allPortals()) if (portal.status !== 'active') remove(portal);
}
