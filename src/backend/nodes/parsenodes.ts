// Query trees: what parse analysis makes of a statement, and what rules, planner and the deparser (ruleutils)
// work on. Names and meanings are those of PostgreSQL's parsenodes.h. Raw parse trees are not described here:
// they are libpg-query's JSON, straightened out by parser/raw_parser.ts (see RawNode there).
import type { Oid } from '../types/datum.ts';
import type { Alias, Expr, FromExpr, OnConflictExpr, SortGroupClause, TargetEntry } from './primnodes.ts';

export type CmdType = 'select' | 'insert' | 'update' | 'delete' | 'merge' | 'utility' | 'nothing';

export interface Query {
  kind: 'Query';
  commandType: CmdType;
  /** The raw statement, for commandType 'utility' (its parse analysis, if any, is done by commands/). */
  utilityStmt: unknown;
  /** Index into rtable (from 1) of the target of INSERT, UPDATE, DELETE; else 0. */
  resultRelation: number;
  canSetTag: boolean;
  /** It was written as RETURN, in a function's body. */
  isReturn?: boolean;
  /** What made it, when it is not the query as it was written: kinds of rules. */
  querySource?: 'instead' | 'qual_instead' | 'non_instead';
  hasAggs: boolean; hasWindowFuncs: boolean; hasTargetSRFs: boolean; hasSubLinks: boolean; hasDistinctOn: boolean;
  hasRecursive: boolean; hasModifyingCTE: boolean; hasForUpdate: boolean;
  cteList: CommonTableExpr[];
  rtable: RangeTblEntry[];
  jointree: FromExpr;
  targetList: TargetEntry[];
  override: 'none' | 'user' | 'system';
  onConflict: OnConflictExpr | null;
  /** MERGE: what to do, in the order written. */
  mergeActionList: MergeAction[];
  returningList: TargetEntry[];
  groupClause: SortGroupClause[];
  groupDistinct: boolean;
  groupingSets: GroupingSet[];
  havingQual: Expr | null;
  windowClause: WindowClause[];
  distinctClause: SortGroupClause[];
  sortClause: SortGroupClause[];
  limitOffset: Expr | null;
  limitCount: Expr | null;
  limitWithTies: boolean;
  rowMarks: RowMarkClause[];
  setOperations: SetOperationStmt | null;
  /** Conditions of updatable views that changed rows must meet, inner views first. */
  withCheckOptions: WithCheckOption[];
  /** Names of constraints the grouping depends on (functional dependency): oids of pg_constraint. */
  constraintDeps: Oid[];
  stmt_location: number;
  stmt_len: number;
}

/** WHEN [NOT] MATCHED [AND qual] THEN command. */
export interface MergeAction {
  matched: boolean; command: 'insert' | 'update' | 'delete' | 'nothing'; override: Query['override']; qual: Expr | null;
  /** As INSERT and UPDATE have it. */
  targetList: TargetEntry[];
}

/** What rows that are written must meet, over the target relation: WITH CHECK OPTION of a view (`qual` null: only views below
 * it have one), or policies: for new rows of INSERT or UPDATE, and for the existing row that MERGE or ON CONFLICT is about to change. */
export interface WithCheckOption {
  kind: 'view' | 'insert' | 'update' | 'merge_update' | 'merge_delete' | 'conflict';
  relname: string; polname: string | null; qual: Expr | null; cascaded: boolean;
}

export type RTEKind = 'relation' | 'subquery' | 'join' | 'function' | 'values' | 'cte' | 'namedtuplestore' | 'result';

export interface RangeTblEntry {
  rtekind: RTEKind;
  alias: Alias | null;
  /** The names to be used: aliasname and all column names ('' for a dropped column). */
  eref: Alias;
  lateral: boolean;
  inh: boolean;
  inFromCl: boolean;
  // relation (and, for views being expanded, kept beside the subquery)
  relid: Oid; relkind: string; rellockmode: number;
  requiredPerms: number; checkAsUser: Oid; selectedCols: number[]; insertedCols: number[]; updatedCols: number[];
  securityQuals: Expr[]; tablesample: TableSampleClause | null;
  // subquery
  subquery: Query | null; security_barrier: boolean;
  // join
  jointype: import('./primnodes.ts').JoinType; joinmergedcols: number; joinaliasvars: (Expr | null)[];
  joinleftcols: number[]; joinrightcols: number[]; join_using_alias: Alias | null;
  // function
  functions: RangeTblFunction[]; funcordinality: boolean;
  // values: one list per row; also the column types of values, cte and function lists
  values_lists: Expr[][];
  // cte; a transition table has its name here as well
  ctename: string; ctelevelsup: number; self_reference: boolean;
  coltypes: Oid[]; coltypmods: number[]; colcollations: Oid[];
}

export interface TableSampleClause { tsmhandler: Oid; args: Expr[]; repeatable: Expr | null }

export interface RangeTblFunction {
  funcexpr: Expr; funccolcount: number;
  /** The column definition list, when one was given. */
  funccolnames: string[]; funccoltypes: Oid[]; funccoltypmods: number[]; funccolcollations: Oid[];
}

export interface GroupingSet {
  kind: 'empty' | 'simple' | 'rollup' | 'cube' | 'sets';
  /** tleSortGroupRefs for 'simple', nested sets otherwise. */
  content: number[] | GroupingSet[];
  location: number;
}

export interface WindowClause {
  name: string | null; refname: string | null; partitionClause: SortGroupClause[]; orderClause: SortGroupClause[];
  /** Bits as PostgreSQL's FRAMEOPTION_*. */
  frameOptions: number; startOffset: Expr | null; endOffset: Expr | null; startInRangeFunc: Oid; endInRangeFunc: Oid;
  inRangeColl: Oid; inRangeAsc: boolean; inRangeNullsFirst: boolean; winref: number; copiedOrder: boolean;
  /** The planner's: rows past one of these are not wanted, nor are those after them in the partition. */
  runCondition: Expr[];
}

export interface RowMarkClause {
  rti: number; strength: 'keyshare' | 'share' | 'nokeyupdate' | 'update'; waitPolicy: 'block' | 'skip' | 'error';
  pushedDown: boolean;
}

export interface CommonTableExpr {
  ctename: string; aliascolnames: string[]; materialized: 'default' | 'always' | 'never';
  ctequery: Query; location: number; cterecursive: boolean; cterefcount: number;
  ctecolnames: string[]; ctecoltypes: Oid[]; ctecoltypmods: number[]; ctecolcollations: Oid[];
  search_clause: CTESearchClause | null; cycle_clause: CTECycleClause | null;
}
export interface CTESearchClause { search_col_list: string[]; search_breadth_first: boolean; search_seq_column: string; location: number }
export interface CTECycleClause {
  cycle_col_list: string[]; cycle_mark_column: string; cycle_mark_value: Expr; cycle_mark_default: Expr;
  cycle_path_column: string; cycle_mark_type: Oid; cycle_mark_typmod: number; cycle_mark_collation: Oid;
  cycle_mark_neop: Oid; location: number;
}

export interface SetOperationStmt {
  op: 'union' | 'intersect' | 'except'; all: boolean;
  larg: SetOperationNode; rarg: SetOperationNode;
  colTypes: Oid[]; colTypmods: number[]; colCollations: Oid[]; groupClauses: SortGroupClause[];
}
export type SetOperationNode =
  | ({ kind: 'SetOperationStmt' } & SetOperationStmt)
  | { kind: 'RangeTblRef'; rtindex: number };

// AclMode bits, as in acl.h.
export const ACL = {
  INSERT: 1, SELECT: 2, UPDATE: 4, DELETE: 8, TRUNCATE: 16, REFERENCES: 32, TRIGGER: 64, EXECUTE: 128, USAGE: 256,
  CREATE: 512, CREATE_TEMP: 1024, CONNECT: 2048, SET: 4096, ALTER_SYSTEM: 8192,
} as const;
