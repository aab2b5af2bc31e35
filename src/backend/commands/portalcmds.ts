// DECLARE CURSOR, FETCH, MOVE, CLOSE (PostgreSQL's portalcmds.c).
import { PgError } from '../../common/errors.ts';
import { refuseRestricted } from '../catalog/acl.ts';
import type { Plan } from '../nodes/plannodes.ts';
import type { RawNode } from '../parser/raw_parser.ts';
import { requireTransactionBlock, type UtilityContext, type UtilityResult, type UtilityTable } from '../tcop/utility.ts';
import { CachedStatement, asRawStmt } from '../tcop/plancache.ts';
import { FETCH_ALL, Portal, addPortal, allPortals, dropPortal, findPortal } from '../tcop/portal.ts';

export const CURSOR_OPT = { BINARY: 1, SCROLL: 2, NO_SCROLL: 4, INSENSITIVE: 8, ASENSITIVE: 16, HOLD: 32 } as const;

interface DeclareCursorStmt { tag: 'DeclareCursorStmt'; portalname: string; options?: number; query: RawNode }

function declareCursor(stmt: DeclareCursorStmt, context: UtilityContext): UtilityResult {
  const flags = stmt.options ?? 0;
  if (!stmt.portalname) throw new PgError('invalid_cursor_name', 'invalid cursor name: must not be empty');
  if (flags & CURSOR_OPT.SCROLL && flags & CURSOR_OPT.NO_SCROLL) {
    throw new PgError('invalid_cursor_definition', 'cannot specify both SCROLL and NO SCROLL');
  }
  if (flags & CURSOR_OPT.ASENSITIVE && flags & CURSOR_OPT.INSENSITIVE) {
    throw new PgError('invalid_cursor_definition', 'cannot specify both ASENSITIVE and INSENSITIVE');
  }
  if (!(flags & CURSOR_OPT.HOLD)) requireTransactionBlock(context, 'DECLARE CURSOR');
  else refuseRestricted('create a cursor WITH HOLD');
  const statement = new CachedStatement(context.text, asRawStmt(stmt.query), [...context.paramTypes], false, false);
  // Between two FETCHes there would be nobody to listen to workers.
  statement.parallelOk = false;
  statement.revalidate();
  statement.lockTargets();
  const only = statement.units.length === 1 ? statement.units[0]! : null;
  if (only?.query.commandType !== 'select') throw new PgError('invalid_cursor_definition', 'DECLARE CURSOR must specify SELECT');
  if (only.query.hasModifyingCTE) {
    throw new PgError('feature_not_supported', 'DECLARE CURSOR must not contain data-modifying statements in WITH');
  }
  if (only.query.rowMarks.length > 0) {
    const strength = `FOR ${{ update: 'UPDATE', nokeyupdate: 'NO KEY UPDATE', share: 'SHARE', keyshare: 'KEY SHARE' }[only.query.rowMarks[0]!.strength]}`;
    if (flags & CURSOR_OPT.HOLD) {
      throw new PgError('feature_not_supported', `DECLARE CURSOR WITH HOLD ... ${strength} is not supported`, { detail: 'Holdable cursors must be READ ONLY.' });
    }
    if (flags & CURSOR_OPT.SCROLL) {
      throw new PgError('feature_not_supported', `DECLARE SCROLL CURSOR ... ${strength} is not supported`, { detail: 'Scrollable cursors must be READ ONLY.' });
    }
    if (flags & CURSOR_OPT.INSENSITIVE) {
      throw new PgError('invalid_cursor_definition', `DECLARE INSENSITIVE CURSOR ... ${strength} is not valid`, { detail: 'Insensitive cursors must be READ ONLY.' });
    }
  }
  const portal = new Portal(stmt.portalname, statement, [...context.params]);
  portal.options = {
    scroll: (flags & CURSOR_OPT.SCROLL) !== 0,
    noScroll: (flags & CURSOR_OPT.NO_SCROLL) !== 0 || only.query.rowMarks.length > 0
      || ((flags & CURSOR_OPT.SCROLL) === 0 && !supportsBackwardScan(only.plan!.stmt.planTree)),
    hold: (flags & CURSOR_OPT.HOLD) !== 0, binary: (flags & CURSOR_OPT.BINARY) !== 0, insensitive: (flags & CURSOR_OPT.INSENSITIVE) !== 0,
  };
  portal.wantsRowIds = true;
  addPortal(portal);
  portal.keepSnapshot();
  return {};
}

/** Whether a cursor that says nothing of SCROLL may go back: as far as PostgreSQL's plans can at no cost (ExecSupportsBackwardScan). */
export function supportsBackwardScan(plan: Plan | null): boolean {
  switch (plan?.kind) {
    case 'SeqScan': case 'IndexScan': case 'IndexOnlyScan': case 'TidScan': case 'FunctionScan': case 'ValuesScan': case 'CteScan': case 'Material': case 'Sort': return true;
    case 'Result': case 'LockRows': case 'Limit': return supportsBackwardScan(plan.lefttree);
    case 'SubqueryScan': return supportsBackwardScan(plan.subplan);
    case 'Append': return plan.appendplans.every(supportsBackwardScan);
    default: return false;
  }
}

interface FetchStmt { tag: 'FetchStmt'; direction?: string; howMany?: number | bigint; portalname: string; ismove?: boolean }

const DIRECTIONS: Record<string, 'forward' | 'backward' | 'absolute' | 'relative'> = {
  FETCH_FORWARD: 'forward', FETCH_BACKWARD: 'backward', FETCH_ABSOLUTE: 'absolute', FETCH_RELATIVE: 'relative',
};

function openCursor(name: string): Portal {
  const portal = findPortal(name);
  if (portal === undefined) throw new PgError('invalid_cursor_name', `cursor "${name}" does not exist`);
  return portal;
}

function fetchRows(stmt: FetchStmt, context: UtilityContext): UtilityResult {
  const portal = openCursor(stmt.portalname);
  const direction = DIRECTIONS[stmt.direction ?? 'FETCH_FORWARD'] ?? 'forward';
  // The grammar says "ALL" with the greatest or least long.
  const howMany = Number(stmt.howMany ?? 0);
  const count = Math.abs(howMany) >= 2 ** 31 ? Math.sign(howMany) * FETCH_ALL : howMany;
  const processed = portal.fetch(direction, count, stmt.ismove ? null : context.dest);
  return { processed };
}

function closePortal(stmt: { portalname?: string }): void {
  if (!stmt.portalname) {
    for (const portal of allPortals()) if (portal.name !== '' && portal.status !== 'active') dropPortal(portal);
    return;
  }
  dropPortal(openCursor(stmt.portalname));
}

export const PORTAL_COMMANDS: UtilityTable = {
  DeclareCursorStmt: { run: declareCursor, readOnly: true },
  FetchStmt: {
    run: fetchRows, readOnly: true,
    columns: (stmt: FetchStmt) => (stmt.ismove ? null : findPortal(stmt.portalname)?.columns ?? null),
  },
  ClosePortalStmt: { run: closePortal, readOnly: true },
};
