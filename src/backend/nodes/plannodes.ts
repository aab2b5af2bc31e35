// Plan trees: what the planner makes of a Query and the executor turns into code. Names and meanings are those of
// PostgreSQL's plannodes.h. Read-only once made.
//
// Vars in a finished plan: in a scan node they name the scanned relation (varno is the range table index); above,
// OUTER_VAR and INNER_VAR with varattno n stand for the n-th target list entry of lefttree and righttree.
// INDEX_VAR (index-only scans) stands for the n-th column of the index.
import type { Datum, Oid } from '../types/datum.ts';
import type { Aggref, Expr, JoinType, OnConflictExpr, Param, SubPlan, TargetEntry } from './primnodes.ts';
import type { PruneInfo } from '../optimizer/partprune.ts';
import type { PartitionStep } from '../optimizer/pathnodes.ts';
import type { CmdType, MergeAction, Query, RangeTblEntry, RangeTblFunction, RowMarkClause, TableSampleClause, WithCheckOption } from './parsenodes.ts';

export const INNER_VAR = -1;
export const OUTER_VAR = -2;

export interface PlannedStmt {
  kind: 'PlannedStmt';
  commandType: CmdType;
  hasReturning: boolean;
  hasModifyingCTE: boolean;
  canSetTag: boolean;
  planTree: Plan;
  rtable: RangeTblEntry[];
  /** Relations of subqueries that the plan does without: the rights to them are wanted all the same (flatten_unplanned_rtes). */
  unplanned: RangeTblEntry[];
  /** Range table indexes of the targets of INSERT, UPDATE, DELETE. */
  resultRelations: number[];
  /** SubPlan.planId is an index into this, from 1. */
  subplans: Plan[];
  rowMarks: PlanRowMark[];
  /** How many exec parameters there are. */
  paramExecCount: number;
  /** The statement's text position, as in Query. */
  stmt_location: number;
  stmt_len: number;
}

interface PlanFields {
  startup_cost: number;
  total_cost: number;
  plan_rows: number;
  plan_width: number;
  targetlist: TargetEntry[];
  /** Implicitly ANDed. */
  qual: Expr[];
  lefttree: Plan | null;
  righttree: Plan | null;
  /** Uncorrelated subqueries to be evaluated once, when first asked for. */
  initPlan: SubPlan[];
  /** Below a Gather: the processes that run it share the work (scans, Append, Hash and HashJoin). Absent: each does all of it. */
  parallelAware?: true;
}

export type Plan =
  | Result | ProjectSet | ModifyTable | Append | MergeAppend | RecursiveUnion | SeqScan | SampleScan | GinScan | IndexScan | IndexOnlyScan
  | TidScan | BitmapIndexScan | BitmapAnd | BitmapOr | BitmapHeapScan | SubqueryScan | FunctionScan | ValuesScan | NamedTuplestoreScan | CteScan | WorkTableScan | NestLoop | MergeJoin | HashJoin
  | Hash | Material | Memoize | Sort | IncrementalSort | Agg | WindowAgg | Unique | SetOp | LockRows | Limit | Gather | GatherMerge;

/** `resconstantqual`: a qual without Vars, tested once before the first row. */
export interface Result extends PlanFields { kind: 'Result'; resconstantqual: Expr[] }
export interface ProjectSet extends PlanFields { kind: 'ProjectSet' }

export interface ModifyTable extends PlanFields {
  kind: 'ModifyTable';
  operation: 'insert' | 'update' | 'delete' | 'merge';
  canSetTag: boolean;
  resultRelation: number;
  /** UPDATE: attribute numbers of the leading columns of the subplan's target list. INSERT: all attributes. */
  updateColnos: number[];
  /** Number of the subplan's column that holds the row id (UPDATE, DELETE); 0 none. */
  rowIdColumn: number;
  /** Number of the subplan's column that says which child table a row is of; 0: there are none. */
  tableOidColumn: number;
  /** Range table indexes of the tables whose rows the subplan shows: the target, or it and its children. */
  resultRelations: number[];
  /** RETURNING: Vars of the result relation have its varno, others are OUTER_VAR of the subplan's columns. */
  returningList: TargetEntry[];
  onConflict: OnConflictExpr | null;
  /** MERGE: Vars of the target have its varno, others are OUTER_VAR of the subplan's columns, as in returningList. */
  mergeActions: ModifyMergeAction[];
  /** What changed rows must meet, in order; Vars are those of the target. */
  withCheckOptions: WithCheckOption[];
  /** Of the relations joined in (UPDATE ... FROM, DELETE USING). */
  rowMarks: PlanRowMark[];
}

/** `columns`: the attribute numbers that the target list is for (UPDATE); INSERT has all attributes in order. */
export interface ModifyMergeAction { matched: boolean; command: MergeAction['command']; qual: Expr | null; columns: number[]; targetList: TargetEntry[] }

/** `apprelids`: the relations that the members are tables of, or joins of tables; none for UNION ALL; `apptlist`: the columns over it. */
export interface Append extends PlanFields {
  kind: 'Append'; appendplans: Plan[]; apprelids: readonly number[]; apptlist: TargetEntry[];
  /** Columns are called as the first member's. */
  byMember?: boolean;
  pruning: readonly Pruning[];
  /** Where it is parallel-aware: members from this one on may be run by several processes at once (first_partial_plan), those before by one each. */
  firstPartialPlan?: number;
}
/** Members that need not be looked at when parameters are known, of one partitioned table: `paths[i]`: where member i is among its partitions,
 * empty for others. `atStart`: what can be said before anything is run, for EXPLAIN. */
export interface Pruning { levels: readonly PruneInfo[]; atStart: readonly PruneInfo[]; paths: readonly (readonly PartitionStep[])[] }
/** `bound`: more rows than so many are not wanted, of any member either. */
export interface MergeAppend extends PlanFields {
  kind: 'MergeAppend'; mergeplans: Plan[]; sortKeys: SortKey[]; bound: Expr | null; apprelids: readonly number[]; apptlist: TargetEntry[]; byMember?: boolean; pruning: readonly Pruning[];
}
/** lefttree: the non-recursive term; righttree: the recursive one, which reads `wtParam`'s work table. */
export interface RecursiveUnion extends PlanFields {
  kind: 'RecursiveUnion'; wtParam: number;
  /** UNION (not ALL): the equality operators of all columns; empty for ALL. */
  dupColumns: GroupKey[];
}

interface ScanFields extends PlanFields { scanrelid: number }
/** `tidrangequals`: bounds of ctid, for a Tid Range Scan. */
export interface SeqScan extends ScanFields { kind: 'SeqScan'; tidrangequals: Expr[] }
export interface SampleScan extends ScanFields { kind: 'SampleScan'; tablesample: TableSampleClause }

/** One bound of an index scan: `column <strategy> value`. `value` has no Vars of the scanned relation. */
export interface IndexCondition {
  /** Number of the index column, from 1. */
  column: number;
  /** `in`: an = ANY (array); isnull/notnull: value is null; like/prefix: the value is a pattern or a beginning. */
  strategy: '<' | '<=' | '=' | '>=' | '>' | 'in' | 'isnull' | 'notnull' | 'like' | 'prefix' | 'lossy';
  /** `lossy`: the operator's number in its family; rows found are to be looked at again. */
  number?: number;
  /** The value is a row, for this column and those after it: they are compared as one. */
  asRow?: true;
  /** The value is a date or timestamp of another type than the column: the range is searched that it allows, and the rows are asked again. */
  unlike?: { column: Oid; value: Oid };
  value: Expr | null;
}
export interface IndexScanFields extends ScanFields {
  indexid: Oid;
  /** For reading, in index column order, as few as possible. */
  conditions: IndexCondition[];
  /** Those of indexqual that do not say where to read; they are tested of each row. */
  extraquals: Expr[];
  /** For EXPLAIN and for re-checks: the same as expressions over the relation. */
  indexqual: Expr[];
  indexorderdir: 'forward' | 'backward';
  /** Rows come in the order of this distance. */
  indexorderby: Expr[];
}
export interface IndexScan extends IndexScanFields { kind: 'IndexScan' }
/** Target list and qual use INDEX_VAR. */
export interface IndexOnlyScan extends IndexScanFields { kind: 'IndexOnlyScan' }
export interface GinCondition { column: number; /** The operator's number in its family. */ strategy: number; value: Expr }
/** Through an inverted index; `indexqual` is asked again of the rows. In a bitmap plan: only the row ids. */
export interface GinScan extends ScanFields { kind: 'GinScan'; indexid: Oid; conditions: GinCondition[]; indexqual: Expr[] }
/** Row ids of an index, for a bitmap heap scan. It has no columns. */
export interface BitmapIndexScan extends IndexScanFields { kind: 'BitmapIndexScan' }
export interface BitmapAnd extends PlanFields { kind: 'BitmapAnd'; bitmapplans: BitmapPlan[] }
export interface BitmapOr extends PlanFields { kind: 'BitmapOr'; bitmapplans: BitmapPlan[] }
export type BitmapPlan = BitmapIndexScan | GinScan | BitmapAnd | BitmapOr;
/** lefttree: what finds the row ids: exactly those that meet bitmapqualorig, which is tested again if an inverted index is among it. */
export interface BitmapHeapScan extends ScanFields { kind: 'BitmapHeapScan'; bitmapqualorig: Expr[] }
export interface TidScan extends ScanFields { kind: 'TidScan'; tidquals: Expr[] }
/** Vars of `scanrelid` are the subplan's columns. */
export interface SubqueryScan extends ScanFields { kind: 'SubqueryScan'; subplan: Plan }
export interface FunctionScan extends ScanFields {
  kind: 'FunctionScan'; functions: RangeTblFunction[]; funcordinality: boolean;
}
export interface ValuesScan extends ScanFields { kind: 'ValuesScan'; values_lists: Expr[][] }
/** `ctePlanId`: index into PlannedStmt.subplans, from 1. `direct`: only reader, so rows come straight through. */
/** A transition table, found by its name when it runs. */
export interface NamedTuplestoreScan extends ScanFields { kind: 'NamedTuplestoreScan'; enrname: string; coltypes: Oid[] }
export interface CteScan extends ScanFields { kind: 'CteScan'; ctePlanId: number; cteParam: number; direct: boolean }
export interface WorkTableScan extends ScanFields { kind: 'WorkTableScan'; wtParam: number }

interface JoinFields extends PlanFields {
  jointype: JoinType;
  /** ON conditions that decide what matches; `qual` is applied afterwards. Semi and anti joins put out lefttree only. */
  joinqual: Expr[];
  /** No more than one inner row can match. */
  inner_unique: boolean;
}
export interface NestLoop extends JoinFields {
  kind: 'NestLoop';
  /** Exec parameters set from the outer row before the inner side is run. */
  nestParams: { paramno: number; paramval: Expr }[];
}
export interface MergeJoin extends JoinFields {
  kind: 'MergeJoin';
  /** Both sides sorted by these, ascending or descending as said. left = right. */
  mergeclauses: Expr[]; mergeKeys: { left: Expr; right: Expr; reverse: boolean; nullsFirst: boolean; eqop: Oid; sortop: Oid; collation: Oid }[];
}
export interface HashJoin extends JoinFields {
  kind: 'HashJoin';
  /** OpExprs, left argument from the outer side, right one from the inner. */
  hashclauses: Expr[]; hashkeys: { outer: Expr; inner: Expr; eqop: Oid }[];
}
export interface Hash extends PlanFields { kind: 'Hash' }
export interface Material extends PlanFields { kind: 'Material' }
/** Keeps the results of its subplan by the value of these expressions (exec parameters). */
export interface Memoize extends PlanFields { kind: 'Memoize'; param_exprs: Expr[]; /** Values are the same when their bytes are. */ binaryMode: boolean }

/** `column` counts the subplan's target list from 1; `sortop` is a < or > operator. */
export interface SortKey { column: number; sortop: Oid; collation: Oid; nullsFirst: boolean; type: Oid; reverse: boolean }
export interface Sort extends PlanFields {
  kind: 'Sort'; sortKeys: SortKey[];
  /** No more than this many rows are wanted (LIMIT above), as an expression; null: all. */
  bound: Expr | null;
}
export interface IncrementalSort extends PlanFields { kind: 'IncrementalSort'; sortKeys: SortKey[]; presortedCount: number }

export interface GroupKey { column: number; eqop: Oid; collation: Oid; type: Oid }
export interface Agg extends PlanFields {
  kind: 'Agg';
  aggstrategy: 'plain' | 'sorted' | 'hashed' | 'mixed';
  aggsplit?: 'partial' | 'final';
  /** Groups of a query without aggregates (Group). */
  withoutAggs?: true;
  groupKeys: GroupKey[];
  numGroups: number;
  /** Null when there is just the one set of all groupKeys. */
  groupingSets: GroupingPhase[] | null;
  /** ressortgroupref of each group key, for GROUPING(). */
  groupRefs: number[];
  aggrefs: Aggref[];
}
/** Grouping sets made in one go, as indexes into groupKeys: a hashed one; or all that rows in one order give, the largest first, each the
 * beginning of the one before. The input comes in the order of the first that is not hashed, for others it is sorted (none: nothing to sort by). */
export interface GroupingPhase { hashed: boolean; sets: number[][]; sortKeys: SortKey[] }
export interface WindowAgg extends PlanFields {
  kind: 'WindowAgg'; winref: number; partKeys: GroupKey[]; ordKeys: SortKey[]; frameOptions: number;
  startOffset: Expr | null; endOffset: Expr | null; startInRangeFunc: Oid; endInRangeFunc: Oid; inRangeColl: Oid;
  inRangeAsc: boolean; inRangeNullsFirst: boolean;
  /** A row that fails ends its partition. */
  runCondition: Expr[];
  /** No window is above, which would want all rows. */
  topWindow: boolean;
}
/** Runs lefttree in so many workers as well, and gives what all of them find, in whatever order. `singleCopy`: one process does everything,
 * a worker if there is one. The target list has OUTER_VARs; there is no qual. */
export interface Gather extends PlanFields { kind: 'Gather'; numWorkers: number; singleCopy: boolean }
/** The same for rows that come sorted from each process, and stay so. */
export interface GatherMerge extends PlanFields { kind: 'GatherMerge'; numWorkers: number; sortKeys: SortKey[] }
export interface Unique extends PlanFields { kind: 'Unique'; uniqueKeys: GroupKey[] }
/** lefttree: Append of both inputs, hashed by all columns; `flagColumn` says which side a row is from (0, 1). */
export interface SetOp extends PlanFields {
  kind: 'SetOp'; cmd: 'intersect' | 'intersect_all' | 'except' | 'except_all'; dupColumns: GroupKey[]; flagColumn: number;
}
export interface LockRows extends PlanFields { kind: 'LockRows'; rowMarks: PlanRowMark[] }
/** `withTies`: the sort keys that make rows peers. */
export interface Limit extends PlanFields {
  kind: 'Limit'; limitOffset: Expr | null; limitCount: Expr | null; withTies: boolean; uniqueKeys: GroupKey[];
}

/** `rowIdColumn`: the target list column (from 1) of the node below that holds the row id. `reference`: the row is not locked, but
 * stays the same one when EvalPlanQual looks again (ROW_MARK_REFERENCE). */
export interface PlanRowMark {
  rti: number; strength: RowMarkClause['strength']; waitPolicy: RowMarkClause['waitPolicy']; reference: boolean; rowIdColumn: number;
  /** The column that says which of several tables a row is of (0: there is one), and their range table indexes. */
  tableOidColumn: number; members: number[];
}

export type { Datum, Expr, Param, Query };
