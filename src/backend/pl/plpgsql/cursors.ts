// OPEN, FETCH, MOVE, CLOSE and loops over cursors: portals, as DECLARE makes them.
import { PgError } from '../../../common/errors.ts';
import { addPortal, dropPortal, FETCH_ALL, findPortal, newPortalName, NO_CURSOR_OPTIONS, Portal, RowStore } from '../../tcop/portal.ts';
import type { CachedStatement } from '../../tcop/plancache.ts';
import type { Datum, Oid, RecordValue } from '../../types/datum.ts';
import { commandCounterIncrement, popSnapshot, pushSnapshot } from '../../transaction/xact.ts';
import { refuseChanges } from '../../executor/read_only.ts';
import type { Estate } from './estate.ts';
import { type Site, statementOf } from './expression.ts';
import { type Body, dynamicQuery, type LoopResult, mover, type Moved, refuseNoRows, type RowTarget, running } from './exec_sql.ts';
import type { FetchDirection } from './nodes.ts';
import { CURSOR_NO_SCROLL, CURSOR_SCROLL } from './parser.ts';

/** Opens a portal over a statement; its name. */
function open(rt: Estate, name: Datum, statement: CachedStatement, ready: () => readonly Datum[], options: number): string {
  const { readOnly } = rt.fn;
  if (!readOnly) commandCounterIncrement();
  const saved = readOnly ? null : pushSnapshot();
  try {
    const params = ready();
    statement.lockTargets(true);
    refuseNoRows(rt, statement);
    const portal = new Portal((name as string | null) ?? newPortalName(), statement, [...params]);
    const only = statement.units[0]!;
    portal.options = { ...NO_CURSOR_OPTIONS, scroll: (options & CURSOR_SCROLL) !== 0, noScroll: (options & CURSOR_NO_SCROLL) !== 0 || only.query.rowMarks.length > 0 };
    if (portal.options.scroll && only.query.rowMarks.length > 0) {
      throw new PgError('feature_not_supported', 'DECLARE SCROLL CURSOR ... FOR UPDATE/SHARE is not supported', { detail: 'Scrollable cursors must be READ ONLY.' });
    }
    if (readOnly) refuseChanges(only.query);
    if (portal.strategy !== 'one_select' && (options & CURSOR_SCROLL) !== 0) portal.options = NO_CURSOR_OPTIONS;
    portal.wantsRowIds = /\bcurrent\s+of\b/i.test(rt.fn.source);
    addPortal(portal);
    if (portal.strategy === 'one_select') portal.keepSnapshot();
    return portal.name;
  } finally {
    if (saved !== null) popSnapshot(saved);
  }
}

/** OPEN of a bound cursor, or FOR a query. */
export function openQuery(rt: Estate, site: Site, name: Datum, values: readonly Datum[], options: number): string {
  const shared = site.statement ?? rt.doing(site, () => statementOf(site));
  return rt.doing(site, () => {
    const params = shared.ready(values);
    return open(rt, name, shared, () => params, options);
  });
}

/** Before anything else is looked at, or computed: a cursor is opened once. */
export function requireClosed(name: Datum): void {
  if (name !== null && findPortal(name as string) !== undefined) throw new PgError('duplicate_cursor', `cursor "${name as string}" already in use`);
}

/** OPEN ... FOR EXECUTE. */
export function openDynamic(rt: Estate, text: string, name: Datum, values: readonly Datum[], types: readonly Oid[], options: number): string {
  rt.running = running(text);
  const statement = dynamicQuery(rt, text, types);
  const opened = open(rt, name, statement, () => {
    statement.revalidate();
    return values;
  }, options);
  rt.running = null;
  return opened;
}

function portalOf(name: Datum, variable: string): Portal {
  if (name === null) throw new PgError('null_value_not_allowed', `cursor variable "${variable}" is null`);
  const portal = findPortal(name as string);
  if (portal === undefined) throw new PgError('invalid_cursor_name', `cursor "${name as string}" does not exist`);
  return portal;
}

/** FETCH into a target; the last row's values, or NULLs. rt.processed: whether there was one. */
export function fetchInto(rt: Estate, name: Datum, variable: string, direction: FetchDirection, count: Datum, target: RowTarget, records: readonly (RecordValue | null)[]): Moved {
  const portal = portalOf(name, variable);
  const store = new RowStore();
  store.columns = portal.columns ?? [];
  rt.processed = portal.fetch(direction, howMany(count), store);
  return mover(target, store.columns, records)(store.rows.at(0) ?? null);
}

export function move(rt: Estate, name: Datum, variable: string, direction: FetchDirection, count: Datum): void {
  rt.processed = portalOf(name, variable).fetch(direction, howMany(count), null);
}

function howMany(count: Datum): number {
  if (count === null) throw new PgError('null_value_not_allowed', 'relative or absolute cursor position is null');
  return Math.abs(count as number) >= 2 ** 31 ? Math.sign(count as number) * FETCH_ALL : (count as number);
}

export function close(name: Datum, variable: string): void {
  dropPortal(portalOf(name, variable));
}

/** The rows of a bound cursor, which is open under its name meanwhile. */
export function loopCursor(_rt: Estate, name: string, target: RowTarget, body: Body): LoopResult {
  const portal = findPortal(name)!;
  portal.pinned = true;
  let move: ((row: readonly Datum[] | null) => Moved) | null = null;
  let count = 0, finished = true;
  try {
    for (;;) {
      const store = new RowStore();
      portal.fetch('forward', 1, store);
      move ??= mover(target, store.columns.length > 0 ? store.columns : portal.columns ?? [], []);
      const row = store.rows.at(0);
      if (row === undefined) break;
      count++;
      if (body(move(row)) === false) {
        finished = false;
        break;
      }
    }
  } finally {
    portal.pinned = false;
  }
  if (findPortal(name) === portal) dropPortal(portal);
  return { empty: count === 0 && move !== null ? move(null) : null, finished };
}
