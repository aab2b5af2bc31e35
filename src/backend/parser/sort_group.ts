// ORDER BY, GROUP BY, DISTINCT and windows: from raw clauses to SortGroupClauses over the target list (the second half
// of parse_clause.c).
import { internalError } from '../../common/errors.ts';
import { getEqualityOpForOrderingOp, getOrderingOpProperties, opHashjoinable } from '../catalog/lsyscache.ts';
import * as sys from '../catalog/syscache.ts';
import { equal } from '../nodes/equalfuncs.ts';
import { containsNode, exprCollation, exprLocation, exprType, stripImplicitCoercions, varOfLevel } from '../nodes/nodeFuncs.ts';
import type { GroupingSet, WindowClause } from '../nodes/parsenodes.ts';
import type { Expr, SortGroupClause, TargetEntry } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import * as T from '../types/oids.ts';
import { pinLiteral } from '../utils/session.ts';
import { canCoerceType, coerceToSpecificType, coerceType } from './parse_coerce.ts';
import { parserError, withErrorPosition, type ParseExprKind, type ParseState } from './parse_node.ts';
import { compatibleOper, getSortGroupOperators } from './parse_oper.ts';
import { colNameToVar } from './parse_relation.ts';
import { transformTargetEntry } from './parse_target.ts';
import { formatType } from './parse_type.ts';
import type { RawNode } from './raw_nodes.ts';
import { recursion } from './recursion.ts';

/** Gives a target entry a sort group reference unless it has one. */
function assignSortGroupRef(te: TargetEntry, tlist: readonly TargetEntry[]): number {
  if (te.ressortgroupref !== 0) return te.ressortgroupref;
  let max = 0;
  for (const t of tlist) if (t.ressortgroupref > max) max = t.ressortgroupref;
  te.ressortgroupref = max + 1;
  return te.ressortgroupref;
}

function targetIsInSortList(te: TargetEntry, sortop: Oid, list: readonly SortGroupClause[]): boolean {
  const ref = te.ressortgroupref;
  if (ref === 0) return false;
  return list.some((c) => c.tleSortGroupRef === ref && (sortop === 0 || sortop === c.sortop || sortop === (sys.operatorByOid(c.sortop)?.oprcom ?? -1)));
}

/** The entry that ORDER BY/GROUP BY means, SQL92 style: an output name, a position, or else an expression. */
function findTargetlistEntrySQL92(state: ParseState, node: RawNode, tlist: TargetEntry[], kind: ParseExprKind): TargetEntry {
  if (node.tag === 'ColumnRef' && (node.fields as unknown[]).length === 1 && typeof node.fields[0] === 'string') {
    let name: string | null = node.fields[0] as string;
    const location = node.location ?? -1;
    // In GROUP BY a column of the input goes before an output name.
    if (kind === 'group_by' && colNameToVar(state, name, true, location) !== null) name = null;
    if (name !== null) {
      let target: TargetEntry | null = null;
      for (const te of tlist) {
        if (te.resjunk || te.resname !== name) continue;
        if (target !== null) {
          if (!equal(target.expr, te.expr)) throw parserError(state, 'ambiguous_column', `${recursion.exprKindName(kind)} "${name}" is ambiguous`, location);
        } else target = te;
      }
      if (target !== null) {
        checkTargetlistEntrySQL92(state, target, kind);
        return target;
      }
    }
  }
  if (node.tag === 'A_Const') {
    pinLiteral(node.slot);
    if (node.ctype !== 'integer') throw parserError(state, 'syntax_error', `non-integer constant in ${recursion.exprKindName(kind)}`, node.location);
    let position = 0;
    for (const te of tlist) {
      if (te.resjunk) continue;
      if (++position === node.value) {
        checkTargetlistEntrySQL92(state, te, kind);
        return te;
      }
    }
    throw parserError(state, 'invalid_column_reference', `${recursion.exprKindName(kind)} position ${node.value} is not in select list`, node.location);
  }
  return findTargetlistEntrySQL99(state, node, tlist, kind);
}

function checkTargetlistEntrySQL92(state: ParseState, te: TargetEntry, kind: ParseExprKind): void {
  if (kind !== 'group_by') return;
  if (state.hasAggs && containsNode(te.expr, (n) => n.kind === 'Aggref' && n.agglevelsup === 0)) {
    throw parserError(state, 'grouping_error', `aggregate functions are not allowed in ${recursion.exprKindName(kind)}`, locate(te.expr, (n) => n.kind === 'Aggref'));
  }
  if (state.hasWindowFuncs && containsNode(te.expr, (n) => n.kind === 'WindowFunc')) {
    throw parserError(state, 'windowing_error', `window functions are not allowed in ${recursion.exprKindName(kind)}`, locate(te.expr, (n) => n.kind === 'WindowFunc'));
  }
}

function locate(e: Expr, test: (n: Expr) => boolean): number {
  let location = -1;
  containsNode(e, (n) => {
    if (test(n)) location = exprLocation(n);
    return location >= 0;
  });
  return location;
}

/** SQL99 style: an expression over the input; a junk entry is added when the list does not have it. */
function findTargetlistEntrySQL99(state: ParseState, node: RawNode, tlist: TargetEntry[], kind: ParseExprKind): TargetEntry {
  const expr = recursion.transformExpr(state, node, kind);
  for (const te of tlist) if (equal(stripImplicitCoercions(te.expr), expr)) return te;
  const te = transformTargetEntry(state, node, expr, kind, null, true);
  tlist.push(te);
  return te;
}

// ---- ORDER BY ------------------------------------------------------------------------------------------------

export function transformSortClause(state: ParseState, orderlist: readonly RawNode[], tlist: TargetEntry[], kind: ParseExprKind, useSQL99: boolean): SortGroupClause[] {
  const result: SortGroupClause[] = [];
  for (const sortby of orderlist) {
    const te = useSQL99 ? findTargetlistEntrySQL99(state, sortby.node, tlist, kind) : findTargetlistEntrySQL92(state, sortby.node, tlist, kind);
    addTargetToSortList(state, te, result, tlist, sortby);
  }
  return result;
}

export function addTargetToSortList(state: ParseState, te: TargetEntry, sortlist: SortGroupClause[], tlist: readonly TargetEntry[], sortby: RawNode): void {
  let type = exprType(te.expr);
  if (type === T.UNKNOWNOID) {
    te.expr = coerceType(state, te.expr, type, T.TEXTOID, -1, 'implicit', 'implicit_cast', exprLocation(te.expr));
    type = T.TEXTOID;
  }
  let location = sortby.location ?? -1;
  const node = sortby.node as RawNode | undefined;
  if (location < 0) location = (node?.tag === 'ColumnRef' || node?.tag === 'A_Const' ? node.location : undefined) ?? exprLocation(te.expr);
  let sortop: Oid;
  let eqop: Oid;
  let hashable: boolean;
  let reverse = false;
  const at = <R>(work: () => R): R => withErrorPosition(state, location, work);
  switch (sortby.sortby_dir) {
    case 'SORTBY_DESC': {
      const o = at(() => getSortGroupOperators(type, false, true, true));
      sortop = o.gt;
      eqop = o.eq;
      hashable = o.hashable;
      reverse = true;
      break;
    }
    case 'SORTBY_USING': {
      const op = compatibleOper(state, sortby.useOp as string[], type, type, false, location)!;
      sortop = op.oid;
      const found = getEqualityOpForOrderingOp(sortop);
      if (found === undefined) {
        throw parserError(state, 'wrong_object_type', `operator ${(sortby.useOp as string[]).at(-1)} is not a valid ordering operator`, location,
          { hint: 'Ordering operators must be "<" or ">" members of btree operator families.' });
      }
      eqop = found.eqop;
      reverse = found.reverse;
      hashable = opHashjoinable(eqop, type);
      break;
    }
    default: {
      const o = at(() => getSortGroupOperators(type, true, true, false));
      sortop = o.lt;
      eqop = o.eq;
      hashable = o.hashable;
    }
  }
  if (targetIsInSortList(te, sortop, sortlist)) return;
  const nulls = sortby.sortby_nulls === 'SORTBY_NULLS_DEFAULT' ? reverse : sortby.sortby_nulls === 'SORTBY_NULLS_FIRST';
  sortlist.push({ tleSortGroupRef: assignSortGroupRef(te, tlist), eqop, sortop, nulls_first: nulls, hashable });
}

// ---- GROUP BY ------------------------------------------------------------------------------------------------

export interface GroupResult { groupClause: SortGroupClause[]; groupingSets: GroupingSet[] }

export function transformGroupClause(state: ParseState, grouplist: readonly (RawNode | null)[], tlist: TargetEntry[], sortClause: readonly SortGroupClause[], kind: ParseExprKind, useSQL99: boolean): GroupResult {
  const result: SortGroupClause[] = [];
  const sets: GroupingSet[] = [];
  const seen = new Set<number>();
  const flat = flattenGroupingSets(grouplist as RawNode[], true);
  // GROUP BY () alone.
  const haveSets = flat.some((n) => n.tag === 'GroupingSet');
  for (const gexpr of flat) {
    if (gexpr.tag === 'GroupingSet') {
      const location = gexpr.location ?? -1;
      switch (gexpr.kind) {
        case 'GROUPING_SET_EMPTY': sets.push({ kind: 'empty', content: [], location }); break;
        case 'GROUPING_SET_SETS': case 'GROUPING_SET_CUBE': case 'GROUPING_SET_ROLLUP':
          sets.push(transformGroupingSet(state, gexpr, result, tlist, sortClause, kind, useSQL99));
          break;
        default: throw internalError(`unexpected grouping set ${String(gexpr.kind)}`);
      }
    } else {
      const ref = transformGroupClauseExpr(state, gexpr, result, seen, tlist, sortClause, kind, useSQL99, true);
      if (ref > 0 && haveSets) sets.push({ kind: 'simple', content: [ref], location: gexpr.location ?? -1 });
      else if (ref > 0) seen.add(ref);
    }
  }
  return { groupClause: result, groupingSets: sets };
}

/** Unpacks implicit rows and nested sets. */
function flattenGroupingSets(list: readonly RawNode[], toplevel: boolean): RawNode[] {
  const result: RawNode[] = [];
  for (const n of list) {
    if (n.tag === 'RowExpr' && n.row_format === 'COERCE_IMPLICIT_CAST') {
      result.push(...flattenGroupingSets((n.args as RawNode[] | undefined) ?? [], false));
    } else if (n.tag === 'GroupingSet') {
      const content = n.content as RawNode[] | undefined;
      if (n.kind === 'GROUPING_SET_SETS' && toplevel) {
        result.push({ ...n, content: flattenSetsContent(content ?? []) });
      } else if (n.kind === 'GROUPING_SET_SETS') result.push(...flattenSetsContent(content ?? []));
      else result.push(n);
    } else result.push(n);
  }
  return result;
}
function flattenSetsContent(list: readonly RawNode[]): RawNode[] {
  return list.flatMap((n) => n.tag === 'GroupingSet' && n.kind === 'GROUPING_SET_SETS' ? flattenSetsContent((n.content as RawNode[] | undefined) ?? []) : [n]);
}

function transformGroupClauseExpr(
  state: ParseState, gexpr: RawNode, flatresult: SortGroupClause[], seenLocal: Set<number>, tlist: TargetEntry[], sortClause: readonly SortGroupClause[], kind: ParseExprKind, useSQL99: boolean, toplevel: boolean,
): number {
  const te = useSQL99 ? findTargetlistEntrySQL99(state, gexpr, tlist, kind) : findTargetlistEntrySQL92(state, gexpr, tlist, kind);
  if (te.ressortgroupref > 0) {
    if (seenLocal.has(te.ressortgroupref)) return 0;
    if (flatresult.some((c) => c.tleSortGroupRef === te.ressortgroupref)) return te.ressortgroupref;
    // Group in the order that ORDER BY will want.
    const sorted = sortClause.find((c) => c.tleSortGroupRef === te.ressortgroupref);
    if (sorted !== undefined) {
      // What grouping sets leave out is NULL, after the rest.
      flatresult.push({ ...sorted, nulls_first: toplevel && sorted.nulls_first });
      return te.ressortgroupref;
    }
  }
  addTargetToGroupList(state, te, flatresult, tlist, gexpr.location ?? exprLocation(te.expr));
  return te.ressortgroupref;
}

function transformGroupClauseList(
  state: ParseState, list: readonly RawNode[], flatresult: SortGroupClause[], tlist: TargetEntry[], sortClause: readonly SortGroupClause[], kind: ParseExprKind, useSQL99: boolean, toplevel: boolean,
): number[] {
  const seen = new Set<number>();
  const result: number[] = [];
  for (const gexpr of list) {
    const ref = transformGroupClauseExpr(state, gexpr, flatresult, seen, tlist, sortClause, kind, useSQL99, toplevel);
    if (ref > 0) {
      seen.add(ref);
      result.push(ref);
    }
  }
  return result;
}

function transformGroupingSet(
  state: ParseState, gset: RawNode, flatresult: SortGroupClause[], tlist: TargetEntry[], sortClause: readonly SortGroupClause[], kind: ParseExprKind, useSQL99: boolean,
): GroupingSet {
  const content: GroupingSet[] = [];
  for (const n of (gset.content as RawNode[] | undefined) ?? []) {
    const location = n.location ?? -1;
    if (n.tag === 'RowExpr' && n.row_format === 'COERCE_IMPLICIT_CAST') {
      content.push({ kind: 'simple', content: transformGroupClauseList(state, flattenGroupingSets([n], false), flatresult, tlist, sortClause, kind, useSQL99, false), location });
    } else if (n.tag === 'GroupingSet') {
      if (n.kind === 'GROUPING_SET_EMPTY') content.push({ kind: 'empty', content: [], location });
      else content.push(transformGroupingSet(state, n, flatresult, tlist, sortClause, kind, useSQL99));
    } else {
      content.push({ kind: 'simple', content: transformGroupClauseList(state, [n], flatresult, tlist, sortClause, kind, useSQL99, false), location });
    }
  }
  const kinds: Record<string, GroupingSet['kind']> = { GROUPING_SET_SETS: 'sets', GROUPING_SET_CUBE: 'cube', GROUPING_SET_ROLLUP: 'rollup' };
  if (gset.kind === 'GROUPING_SET_CUBE' && content.length > 12) throw parserError(state, 'too_many_columns', 'CUBE is limited to 12 elements', gset.location);
  return { kind: kinds[gset.kind as string]!, content, location: gset.location ?? -1 };
}

function addTargetToGroupList(state: ParseState, te: TargetEntry, grouplist: SortGroupClause[], tlist: readonly TargetEntry[], location: number): void {
  let type = exprType(te.expr);
  if (type === T.UNKNOWNOID) {
    te.expr = coerceType(state, te.expr, type, T.TEXTOID, -1, 'implicit', 'implicit_cast', -1);
    type = T.TEXTOID;
  }
  if (targetIsInSortList(te, 0, grouplist)) return;
  const o = withErrorPosition(state, location, () => getSortGroupOperators(type, false, true, false));
  grouplist.push({ tleSortGroupRef: assignSortGroupRef(te, tlist), eqop: o.eq, sortop: o.lt, nulls_first: false, hashable: o.hashable });
}

// ---- DISTINCT ------------------------------------------------------------------------------------------------

export function transformDistinctClause(state: ParseState, tlist: TargetEntry[], sortClause: readonly SortGroupClause[], isAgg: boolean): SortGroupClause[] {
  const result: SortGroupClause[] = [];
  for (const clause of sortClause) {
    const te = tlist.find((t) => t.ressortgroupref === clause.tleSortGroupRef)!;
    if (te.resjunk) {
      throw parserError(state, 'invalid_column_reference', isAgg
        ? 'in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list'
        : 'for SELECT DISTINCT, ORDER BY expressions must appear in select list', exprLocation(te.expr));
    }
    result.push({ ...clause });
  }
  for (const te of tlist) if (!te.resjunk) addTargetToGroupList(state, te, result, tlist, exprLocation(te.expr));
  if (result.length === 0) {
    throw parserError(state, 'syntax_error', isAgg ? 'an aggregate with DISTINCT must have at least one argument' : 'SELECT DISTINCT must have at least one column');
  }
  return result;
}

export function transformDistinctOnClause(state: ParseState, distinctlist: readonly RawNode[], tlist: TargetEntry[], sortClause: readonly SortGroupClause[]): SortGroupClause[] {
  const refs = distinctlist.map((n) => assignSortGroupRef(findTargetlistEntrySQL92(state, n, tlist, 'distinct_on'), tlist));
  const result: SortGroupClause[] = [];
  let skipped: TargetEntry | null = null;
  for (const clause of sortClause) {
    if (refs.includes(clause.tleSortGroupRef)) {
      if (skipped !== null) {
        throw parserError(state, 'invalid_column_reference', 'SELECT DISTINCT ON expressions must match initial ORDER BY expressions',
          locationOfRef(refs, clause.tleSortGroupRef, distinctlist));
      }
      result.push({ ...clause });
    } else skipped ??= tlist.find((t) => t.ressortgroupref === clause.tleSortGroupRef) ?? null;
  }
  refs.forEach((ref, i) => {
    const te = tlist.find((t) => t.ressortgroupref === ref)!;
    if (targetIsInSortList(te, 0, result)) return;
    if (skipped !== null) {
      throw parserError(state, 'invalid_column_reference', 'SELECT DISTINCT ON expressions must match initial ORDER BY expressions', distinctlist[i]!.location);
    }
    addTargetToGroupList(state, te, result, tlist, distinctlist[i]!.location ?? exprLocation(te.expr));
  });
  return result;
}

function locationOfRef(refs: readonly number[], ref: number, list: readonly RawNode[]): number | undefined {
  return list[refs.indexOf(ref)]?.location;
}

// ---- windows -------------------------------------------------------------------------------------------------

const FRAMEOPTION = {
  NONDEFAULT: 0x1, RANGE: 0x2, ROWS: 0x4, GROUPS: 0x8, BETWEEN: 0x10, START_UNBOUNDED_PRECEDING: 0x20, END_UNBOUNDED_PRECEDING: 0x40, START_UNBOUNDED_FOLLOWING: 0x80,
  END_UNBOUNDED_FOLLOWING: 0x100, START_CURRENT_ROW: 0x200, END_CURRENT_ROW: 0x400, START_OFFSET_PRECEDING: 0x800, END_OFFSET_PRECEDING: 0x1000,
  START_OFFSET_FOLLOWING: 0x2000, END_OFFSET_FOLLOWING: 0x4000,
} as const;
const FRAMEOPTION_DEFAULTS = FRAMEOPTION.RANGE | FRAMEOPTION.START_UNBOUNDED_PRECEDING | FRAMEOPTION.END_CURRENT_ROW;
export { FRAMEOPTION };

export function transformWindowDefinitions(state: ParseState, windowdefs: readonly RawNode[], tlist: TargetEntry[]): WindowClause[] {
  const result: WindowClause[] = [];
  for (const windef of windowdefs) {
    const winref = result.length + 1;
    const name = (windef.name as string | undefined) ?? null;
    const refname = (windef.refname as string | undefined) ?? null;
    if (name !== null && result.some((w) => w.name === name)) throw parserError(state, 'windowing_error', `window "${name}" is already defined`, windef.location);
    let refwc: WindowClause | null = null;
    if (refname !== null) {
      refwc = result.find((w) => w.name === refname) ?? null;
      if (refwc === null) throw parserError(state, 'undefined_object', `window "${refname}" does not exist`, windef.location);
    }
    const orderClause = transformSortClause(state, (windef.orderClause as RawNode[] | undefined) ?? [], tlist, 'window_order', true);
    const partition = transformGroupClause(state, (windef.partitionClause as RawNode[] | undefined) ?? [], tlist, orderClause, 'window_partition', true).groupClause;
    const frameOptions = (windef.frameOptions as number | undefined) ?? 0;
    const wc: WindowClause = {
      name, refname, partitionClause: partition, orderClause, frameOptions, startOffset: null, endOffset: null, startInRangeFunc: 0, endInRangeFunc: 0, inRangeColl: 0,
      inRangeAsc: false, inRangeNullsFirst: false, winref, copiedOrder: false, runCondition: [],
    };
    if (refwc !== null) {
      if (partition.length > 0) throw parserError(state, 'windowing_error', `cannot override PARTITION BY clause of window "${refname}"`, windef.location);
      wc.partitionClause = refwc.partitionClause.map((c) => ({ ...c }));
      if (refwc.orderClause.length > 0) {
        if (orderClause.length > 0) throw parserError(state, 'windowing_error', `cannot override ORDER BY clause of window "${refname}"`, windef.location);
        wc.orderClause = refwc.orderClause.map((c) => ({ ...c }));
        wc.copiedOrder = true;
      }
      if (refwc.frameOptions !== FRAMEOPTION_DEFAULTS) {
        // OVER (w) copies; OVER w refers, and never comes here.
        const noOwn = name !== null || wc.copiedOrder === false && orderClause.length > 0 || frameOptions !== FRAMEOPTION_DEFAULTS;
        throw parserError(state, 'windowing_error', `cannot copy window "${refname}" because it has a frame clause`, windef.location,
          noOwn ? {} : { hint: 'Omit the parentheses in this OVER clause.' });
      }
    }
    if ((frameOptions & FRAMEOPTION.GROUPS) !== 0 && wc.orderClause.length === 0) {
      throw parserError(state, 'windowing_error', 'GROUPS mode requires an ORDER BY clause', windef.location);
    }
    let rangeOpfamily = 0;
    let rangeOpcintype = 0;
    if ((frameOptions & FRAMEOPTION.RANGE) !== 0 && (windef.startOffset !== undefined || windef.endOffset !== undefined)) {
      if (wc.orderClause.length !== 1) {
        throw parserError(state, 'windowing_error', 'RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column', windef.location);
      }
      const clause = wc.orderClause[0]!;
      const te = tlist.find((t) => t.ressortgroupref === clause.tleSortGroupRef)!;
      const props = getOrderingOpProperties(clause.sortop);
      if (props === undefined) throw internalError(`operator ${clause.sortop} is not a valid ordering operator`);
      rangeOpfamily = props.opfamily;
      rangeOpcintype = props.opcintype;
      wc.inRangeColl = exprCollation(te.expr);
      wc.inRangeAsc = props.strategy === 1;
      wc.inRangeNullsFirst = clause.nulls_first;
    }
    const start = transformFrameOffset(state, frameOptions, rangeOpfamily, rangeOpcintype, windef.startOffset);
    const end = transformFrameOffset(state, frameOptions, rangeOpfamily, rangeOpcintype, windef.endOffset);
    wc.startOffset = start.expr;
    wc.startInRangeFunc = start.inRangeFunc;
    wc.endOffset = end.expr;
    wc.endInRangeFunc = end.inRangeFunc;
    result.push(wc);
  }
  return result;
}

const BTINRANGE_PROC = 3;

function transformFrameOffset(state: ParseState, frameOptions: number, opfamily: Oid, opcintype: Oid, clause: RawNode | undefined): { expr: Expr | null; inRangeFunc: Oid } {
  if (clause === undefined) return { expr: null, inRangeFunc: 0 };
  let expr: Expr;
  let inRangeFunc = 0;
  let construct: string;
  if ((frameOptions & FRAMEOPTION.ROWS) !== 0) {
    construct = 'ROWS';
    expr = coerceToSpecificType(state, recursion.transformExpr(state, clause, 'window_frame_rows'), T.INT8OID, construct);
  } else if ((frameOptions & FRAMEOPTION.RANGE) !== 0) {
    construct = 'RANGE';
    expr = recursion.transformExpr(state, clause, 'window_frame_range');
    const nodeType = exprType(expr);
    // Which in_range function: one for the sort type whose offset type fits best.
    const preferredType = nodeType !== T.UNKNOWNOID ? nodeType : opcintype;
    let selected: { func: Oid; type: Oid } | null = null;
    let count = 0;
    let nmatches = 0;
    for (const proc of sys.amprocsByFamily(opfamily)) {
      if (proc.amprocnum !== BTINRANGE_PROC || proc.amproclefttype !== opcintype) continue;
      count++;
      if (proc.amprocrighttype === nodeType) {
        selected = { func: proc.amproc, type: proc.amprocrighttype };
        nmatches = 1;
        break;
      }
      if (canCoerceType([nodeType], [proc.amprocrighttype], 'implicit')) {
        nmatches++;
        if (selected === null || preferredType === proc.amprocrighttype || isPreferred(proc.amprocrighttype)) selected = { func: proc.amproc, type: proc.amprocrighttype };
      }
    }
    if (count === 0) {
      throw parserError(state, 'feature_not_supported', `RANGE with offset PRECEDING/FOLLOWING is not supported for column type ${formatType(opcintype)}`, exprLocation(expr));
    }
    if (nmatches === 0 || selected === null) {
      throw parserError(state, 'feature_not_supported', `RANGE with offset PRECEDING/FOLLOWING is not supported for column type ${formatType(opcintype)} and offset type ${formatType(nodeType)}`, exprLocation(expr),
        { hint: 'Cast the offset value to an appropriate type.' });
    }
    if (nmatches !== 1 && nodeType !== T.UNKNOWNOID) {
      throw parserError(state, 'feature_not_supported', `RANGE with offset PRECEDING/FOLLOWING has multiple interpretations for column type ${formatType(opcintype)} and offset type ${formatType(nodeType)}`, exprLocation(expr),
        { hint: 'Cast the offset value to the exact intended type.' });
    }
    expr = coerceToSpecificType(state, expr, selected.type, construct);
    inRangeFunc = selected.func;
  } else {
    construct = 'GROUPS';
    expr = coerceToSpecificType(state, recursion.transformExpr(state, clause, 'window_frame_groups'), T.INT8OID, construct);
  }
  const v = varOfLevel(expr, 0);
  if (v !== null) throw parserError(state, 'invalid_column_reference', `argument of ${construct} must not contain variables`, v.location);
  return { expr, inRangeFunc };
}
const isPreferred = (type: Oid): boolean => sys.typeByOid(type)?.typispreferred ?? false;
