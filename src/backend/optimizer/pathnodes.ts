// The planner's own data (PostgreSQL's pathnodes.h): what is known of a query level, of each relation and join of it,
// and the paths, ways to produce a relation's rows. A path knows its costs and how to make its plan.
import type { IndexInfo, Relation } from '../catalog/relation.ts';
import type { Query, RangeTblEntry } from '../nodes/parsenodes.ts';
import type { Plan, PlanRowMark } from '../nodes/plannodes.ts';
import type { Expr, JoinType, PlaceHolderVar, SubPlan, TargetEntry, Var } from '../nodes/primnodes.ts';
import type { PartitionBounds } from '../partitioning/partbounds.ts';
import type { WorkerCosts } from './workercost.ts';
import type { PartitionKey } from '../partitioning/partkey.ts';
import type { Oid } from '../types/datum.ts';
import type { ColumnStatistics } from './plancat.ts';

/** A set of range table indexes: bit rti. */
export type Relids = bigint;

/** Of the whole statement, subqueries included. */
export interface PlannerGlobal {
  subplans: Plan[];
  subroots: PlannerInfo[];
  paramExecCount: number;
  finalRtable: RangeTblEntry[];
  /** newestPlaceholder() before. */
  placeholdersBefore: number;
  finalRowMarks: PlanRowMark[];
  hasModifyingCTE: boolean;
  /** Subplans, by planId, that are one of two ways to the same. */
  alternatives: Set<number>;
  /** Plans with workers are looked for (parallelModeOK). */
  parallelMode: boolean;
  /** What workers cost at the least. */
  workerCosts: WorkerCosts;
  /** Something in the statement must not be run in a worker (max_parallel_hazard). */
  hasRestricted: boolean;
}

/** An outer value a subquery wants: the parameter that carries it. */
export interface PlanParam { item: Expr; paramId: number }

export interface CteEntry { name: string; planId: number; paramId: number; rows: number; width: number; root: PlannerInfo | null; references: number }

/** One query level. */
export interface PlannerInfo {
  glob: PlannerGlobal;
  parse: Query;
  parent: PlannerInfo | null;
  rtable: RangeTblEntry[];
  rels: (RelOptInfo | undefined)[];
  joinRels: Map<Relids, RelOptInfo>;
  allBaserels: Relids;
  joinInfoList: SpecialJoinInfo[];
  /** Those that are asked for, and where: relations, bit 0 the final target list. */
  placeholders: { node: PlaceHolderVar; needed: Relids }[];
  ecs: EquivalenceClass[];
  /** Implied-equality work is over: classes found later hold one expression each. */
  ecMergingDone: boolean;
  initPlans: SubPlan[];
  planParams: PlanParam[];
  ctes: Map<string, CteEntry>;
  /** WITH RECURSIVE: the parameter of the work table while the recursive term is planned. */
  wtParamId: number;
  wtRows: number;
  queryPathkeys: PathKey[];
  tupleFraction: number;
  limitTuples: number;
  curOuterRels: Relids;
  curOuterParams: { paramno: number; paramval: Expr }[];
  rowMarks: PlanRowMark[];
  multiexprParams: Map<number, number[]>;
  hasLateral: boolean;
  /** There was a HAVING, whatever became of it. */
  hasHaving: boolean;
  /** How many levels of security quals (policies, security barrier views) there are: other conditions come after them. */
  qualSecurityLevel: number;
  resultTargetList: TargetEntry[];
  /** Of all its tables. */
  totalTablePages: number;
  /** What was found out about join clauses: each is looked at for every pair of paths. */
  clauseFacts: Map<Expr, ClauseFacts>;
}

export interface ClauseFacts {
  cost: QualCost | null;
  /** As the condition of an inner join; -1: not computed. */
  joinSelectivity: number;
  mergeScans: { left: Expr; reverse: boolean; nullsFirst: boolean; scan: MergeScan }[];
}

export interface QualCost { startup: number; perTuple: number }

/** The parts of both sides that a merge join reads. */
export interface MergeScan { leftStart: number; leftEnd: number; rightStart: number; rightEnd: number }

export interface RestrictInfo {
  clause: Expr;
  /** Relations it mentions. */
  clauseRelids: Relids;
  /** Relations that must be there before it can be evaluated. */
  requiredRelids: Relids;
  /** false: a condition of the outer join itself. */
  isPushedDown: boolean;
  /** Relations whose columns outer joins below it can make NULL: it must not be asked of those. */
  nullableRelids: Relids;
  /** Of an outer join's own condition: the side whose rows are all kept; it does not filter those. */
  outerRelids: Relids;
  pseudoconstant: boolean;
  /** Conditions of lower levels must have let a row pass before this may see it, unless it is leakproof (known above level 0). */
  securityLevel: number;
  leakproof: boolean;
  /** For `left op right` with no relation on both sides. */
  leftRelids: Relids;
  rightRelids: Relids;
  canJoin: boolean;
  /** btree families the = operator merges in; empty when it does not. */
  mergeFamilies: Oid[];
  hashable: boolean;
  leftEc: EquivalenceClass | null;
  rightEc: EquivalenceClass | null;
  /** -1: not computed. */
  selectivity: number;
  /** Made from this equivalence class. */
  parentEc: EquivalenceClass | null;
  /** Of a child table: the parent's condition that it is a form of. */
  ofParent: RestrictInfo | null;
}

/** Partition number `number` of a partitioned table. */
export interface PartitionStep { readonly relation: Oid; readonly number: number }

/** A table whose rows a relation of the query stands for among others. */
export interface AppendRelInfo {
  readonly parent: RelOptInfo;
  child: RelOptInfo;
  readonly rti: number;
  /** Null: a member of a UNION ALL, whose columns are `translated`. */
  readonly relation: Relation | null;
  readonly translated: readonly Expr[] | null;
  /** The child's number of the parent's column n at [n - 1]. */
  readonly columns: readonly number[];
  /** From the parent down, for partitions. */
  readonly path: readonly PartitionStep[];
  /** The members of UNION ALLs that it stands in for, the outermost first. */
  readonly members?: readonly AppendRelInfo[];
}

export interface EcMember { expr: Expr; relids: Relids; type: Oid; isConst: boolean }
export interface EquivalenceClass {
  families: Oid[];
  collation: Oid;
  members: EcMember[];
  sources: RestrictInfo[];
  relids: Relids;
  hasConst: boolean;
  volatile: boolean;
  /** Below an outer join: a constant member says nothing about the result. */
  belowOuterJoin: boolean;
  broken: boolean;
  merged: EquivalenceClass | null;
  sortref: number;
}

export interface PathKey { ec: EquivalenceClass; reverse: boolean; nullsFirst: boolean }

export interface SpecialJoinInfo {
  minLefthand: Relids; minRighthand: Relids; synLefthand: Relids; synRighthand: Relids;
  jointype: JoinType;
  lhsStrict: boolean;
  delayUpperJoins: boolean;
  quals: Expr[];
}

/** A partitioned table, or a join of such, as its partitions. Expressions are over the tables that the query names, at all levels. */
export interface PartitionedRel {
  readonly key: PartitionKey;
  /** Joins may be done by partition; else only grouping. */
  readonly joins: boolean;
  readonly bounds: PartitionBounds;
  /** The bounds are those of no table, but what came of those of two. */
  readonly isMerged: boolean;
  /** By key column: what the rows are partitioned by, and what may be NULL instead, being on the inner side of an outer join. */
  readonly exprs: readonly (readonly Expr[])[];
  readonly nullable: readonly (readonly Expr[])[];
  /** By partition; null: pruned, or not made yet. */
  readonly rels: (RelOptInfo | null)[];
}

export interface RelOptInfo {
  kind: 'base' | 'join' | 'upper';
  relids: Relids;
  /** The relations of the query that it is a part of; paths say so what they take values from. Else the same as `relids`. */
  topRelids: Relids;
  /** How expressions over those become its own. */
  translators: readonly AppendRelInfo[];
  parts: PartitionedRel | null;
  rows: number;
  width: number;
  /** Columns to put out. */
  target: Expr[];
  /** How wide the columns of a table are, where that is known; of one with children, theirs. */
  columnWidths: Map<number, number>;
  /** Of a table's columns, as far as somebody has asked (statisticsOf). */
  statistics: Map<number, ColumnStatistics | undefined>;
  paths: Path[];
  cheapestTotal: Path | null;
  /** What is computed for it may be computed in a worker. */
  considerParallel: boolean;
  /** Paths that give each process a part of the rows, the cheapest first; nobody changes the list, a new one takes its place. */
  partialPaths: readonly Path[];
  restrictions: RestrictInfo[];
  joinClauses: RestrictInfo[];
  hasEcJoins: boolean;
  /** Base relations only. */
  rti: number;
  rte: RangeTblEntry | null;
  relation: Relation | null;
  indexes: IndexInfo[];
  /** As many as PostgreSQL would need for these rows, so that its cost model holds. */
  pages: number;
  tuples: number;
  /** Rows that are there, where `tuples` says what is thought of a table nobody has looked at. */
  storedTuples: number;
  /** The share of pages that an index-only scan need not look at. */
  allVisible: number;
  /** Paths that give their first row early are worth keeping; the same for those that take values from outside. */
  considerStartup: boolean;
  considerParamStartup: boolean;
  /** What scans with values of these relations can do. */
  paramInfos: Map<Relids, ParamPathInfo>;
  /** Relations that it takes values from, and those of them that it could be given these by at once (direct_lateral_relids): what is computed
   * of a join of several is not asked for before that is made. */
  lateralRelids: Relids;
  directLateral: Relids;
  /** Columns of others that it takes, where it is a subquery, function, ... */
  lateralVars: Expr[];
  /** The tables it stands for, itself included; null: it is one table. */
  children: AppendRelInfo[] | null;
  /** It is one of those of another relation. */
  appendInfo: AppendRelInfo | null;
  subroot: PlannerInfo | null;
  subplan: Plan | null;
  subplanParams: PlanParam[];
  /** attribute number to the relations that need it; bit 0: the final target list. */
  attrNeeded: Map<number, { node: Var; needed: Relids }>;
}

/** Conditions that a scan tests which is given the values of other relations, and the rows that are left. */
export interface ParamPathInfo { clauses: RestrictInfo[]; rows: number }

export interface Path {
  kind: string;
  rel: RelOptInfo;
  rows: number;
  startup: number;
  total: number;
  pathkeys: PathKey[];
  /** Parameterized by columns of these. */
  requiredOuter: Relids;
  /** Conditions evaluated inside that mention requiredOuter. */
  paramClauses: RestrictInfo[];
  /** Of an index scan: those looked up in the index. */
  indexClauses?: readonly RestrictInfo[];
  /** Of an Append of joins of partitions: its members, which an Append above takes as its own. */
  subpaths?: readonly Path[];
  /** It can be run in a worker. */
  parallelSafe?: boolean;
  /** Of a partial path, for so many workers; its rows and costs are those of one process. */
  parallelWorkers?: number;
  /** Of a parallel-aware Append: its members from this one on are partial. */
  firstPartial?: number;
  /** What running it once more costs, where its kind does not say that. */
  rescan?: { startup: number; total: number };
  /** The same scan taking values of these (reparameterize_path), where it can. */
  reparameterize?: (outer: Relids) => Path;
  make: () => Plan;
}
