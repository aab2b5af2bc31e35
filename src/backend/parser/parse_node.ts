// The state of one parse analysis (one query level), and errors that point at a place in the text.
import { PgError, type ErrorFields } from '../../common/errors.ts';
import type { ConditionName } from '../../common/sqlstate.ts';
import type { Relation } from '../catalog/relation.ts';
import type { CommonTableExpr, RangeTblEntry } from '../nodes/parsenodes.ts';
import type { Alias, Expr, FromItem, JoinExpr, Param, RowExpr, SubLink } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import { changingNotices } from '../utils/session.ts';
import { charOffset, charPosition } from './newer_syntax.ts';
import type { RawNode } from './raw_nodes.ts';

/** What kind of expression is being analyzed: decides what may stand in it. */
export type ParseExprKind =
  | 'none' | 'other' | 'join_on' | 'join_using' | 'from_subselect' | 'from_function' | 'where' | 'having' | 'filter'
  | 'window_partition' | 'window_order' | 'window_frame_range' | 'window_frame_rows' | 'window_frame_groups'
  | 'select_target' | 'insert_target' | 'update_source' | 'update_target' | 'merge_when' | 'group_by' | 'order_by' | 'distinct_on'
  | 'limit' | 'offset' | 'returning' | 'values' | 'values_single' | 'check_constraint' | 'domain_check' | 'column_default'
  | 'function_default' | 'index_expression' | 'index_predicate' | 'stats_expression' | 'alter_col_transform' | 'execute_parameter'
  | 'trigger_when' | 'partition_bound' | 'partition_expression' | 'policy' | 'call_argument' | 'copy_where' | 'generated_column'
  | 'cycle_mark';

/** Where one column of a namespace item comes from. `varattno` 0: a dropped column. */
export interface NamespaceColumn {
  varno: number; varattno: number; vartype: Oid; vartypmod: number; varcollid: Oid; dontexpand: boolean;
}

/** A table name (and its columns) that may be referred to. */
export interface NamespaceItem {
  names: Alias; rte: RangeTblEntry; rtindex: number; columns: NamespaceColumn[];
  relVisible: boolean; colsVisible: boolean; lateralOnly: boolean; lateralOk: boolean;
}

export interface LockingClause { lockedRels: RawNode[]; strength: string; waitPolicy: string }

export interface ParseState {
  parent: ParseState | null;
  sourceText: string;
  rtable: RangeTblEntry[];
  /** JoinExpr of each join entry of rtable, at the same index. */
  joinExprs: (JoinExpr | undefined)[];
  joinlist: FromItem[];
  namespace: NamespaceItem[];
  lateralActive: boolean;
  cteNamespace: CommonTableExpr[];
  futureCtes: RawNode[];
  parentCte: CommonTableExpr | null;
  targetRelation: Relation | null;
  targetItem: NamespaceItem | null;
  isInsert: boolean;
  windowDefs: RawNode[];
  exprKind: ParseExprKind;
  nextResno: number;
  multiassignExprs: { resjunkSublink: SubLink; targetno: number }[];
  /** The row of the UPDATE SET (...) = ROW(...) being worked through. */
  multiassignRow: RowExpr | null;
  lockingClause: LockingClause[];
  lockedFromParent: boolean;
  resolveUnknowns: boolean;
  hasAggs: boolean; hasWindowFuncs: boolean; hasTargetSRFs: boolean; hasSubLinks: boolean; hasModifyingCTE: boolean;
  /** The last set-returning function analyzed at this level. */
  lastSrf: Expr | null;
  preColumnRefHook: ((state: ParseState, ref: RawNode) => Expr | null) | null;
  /** Gets what the standard rules found; returns something to take instead (an error when both are set). */
  postColumnRefHook: ((state: ParseState, ref: RawNode, found: Expr | null) => Expr | null) | null;
  paramRefHook: ((state: ParseState, ref: RawNode) => Expr | null) | null;
  coerceParamHook: ((state: ParseState, param: Param, targetType: Oid, targetTypmod: number, location: number) => Expr | null) | null;
  /** For whoever set the hooks. */
  refHookState: unknown;
}

export function makeParseState(sourceText = '', parent: ParseState | null = null): ParseState {
  return {
    parent, sourceText: parent?.sourceText ?? sourceText, rtable: [], joinExprs: [], joinlist: [], namespace: [], lateralActive: false,
    cteNamespace: [], futureCtes: [], parentCte: null, targetRelation: null, targetItem: null, isInsert: false, windowDefs: [],
    exprKind: 'none', nextResno: 1, multiassignExprs: [], multiassignRow: null, lockingClause: [], lockedFromParent: false, resolveUnknowns: true,
    hasAggs: false, hasWindowFuncs: false, hasTargetSRFs: false, hasSubLinks: false, hasModifyingCTE: false, lastSrf: null,
    preColumnRefHook: parent?.preColumnRefHook ?? null, postColumnRefHook: parent?.postColumnRefHook ?? null,
    paramRefHook: parent?.paramRefHook ?? null, coerceParamHook: parent?.coerceParamHook ?? null, refHookState: parent?.refHookState ?? null,
  };
}

/** The character position (from 1) of a byte location in the statement's text; undefined when unknown. */
export function errorPosition(state: ParseState | null, location: number | undefined): number | undefined {
  if (state === null || location === undefined || location < 0 || state.sourceText === '') return undefined;
  return charPosition(state.sourceText, charOffset(state.sourceText, location));
}

export function parserError(
  state: ParseState | null, condition: ConditionName, message: string, location?: number, fields: ErrorFields = {},
): PgError {
  const position = errorPosition(state, location);
  return new PgError(condition, message, position === undefined ? fields : { ...fields, position });
}

/** `0A000` at a place in the text, naming the feature. */
export function notSupportedAt(state: ParseState | null, feature: string, location?: number): PgError {
  return parserError(state, 'feature_not_supported', `${feature} is not supported`, location);
}

/** Where a raw node stands. */
export function rawLocation(n: RawNode): number {
  if (n.tag === 'SortBy') return rawLocation(n.node);
  return n.location ?? 0;
}

/** The same for what `work` tells the frontend. */
export function withNoticePosition<T>(state: ParseState | null, location: number | undefined, work: () => T): T {
  return changingNotices((notice) => {
    const position = errorPosition(state, location);
    if (position !== undefined) notice.fields = { ...notice.fields, position };
  }, () => withErrorPosition(state, location, work));
}

/** Runs `work`; an error it throws is at `location`, whatever place in a text of its own it tells (setup_parser_errposition_callback). */
export function withErrorPosition<T>(state: ParseState | null, location: number | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof PgError && error.condition !== 'query_canceled') {
      const position = errorPosition(state, location);
      if (position !== undefined) error.fields = { ...error.fields, position };
    }
    throw error;
  }
}
