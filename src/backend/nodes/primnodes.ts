// Expression nodes, after parse analysis. Names and meanings are those of PostgreSQL's primnodes.h; the tag is
// in `kind`. Trees are plain JSON-like data (Const values apart), never changed once made: a pass that changes
// something makes new nodes. `location` is the UTF-8 byte offset (from 0) in the source text as libpg-query
// gives it, -1 unknown; tcop turns it into a character position when it reports an error.
//
// Conventions kept from PostgreSQL: varno and varattno count from 1; varattno 0 is the whole row; system columns
// have negative numbers (see SYSTEM_COLUMNS in catalog/heap.ts); varlevelsup counts enclosing queries.
import type { Datum, Oid, RecordAttribute } from '../types/datum.ts';
import type { Query } from './parsenodes.ts';

export type Expr =
  | Var | Const | Param | Aggref | GroupingFunc | WindowFunc | SubscriptingRef | FuncExpr | NamedArgExpr
  | OpExpr | DistinctExpr | NullIfExpr | ScalarArrayOpExpr | BoolExpr | SubLink | SubPlan | FieldSelect | FieldStore
  | RelabelType | CoerceViaIO | ArrayCoerceExpr | ConvertRowtypeExpr | CollateExpr | CaseExpr | CaseTestExpr
  | ArrayExpr | RowExpr | RowCompareExpr | CoalesceExpr | MinMaxExpr | SQLValueFunction | NullTest | BooleanTest
  | CoerceToDomain | CoerceToDomainValue | SetToDefault | CurrentOfExpr | NextValueExpr | XmlExpr | TableFunc | PlaceHolderVar;

export type CoercionForm = 'explicit_call' | 'explicit_cast' | 'implicit_cast' | 'sql_syntax';

export interface Var {
  kind: 'Var'; varno: number; varattno: number; vartype: Oid; vartypmod: number; varcollid: Oid;
  varlevelsup: number; location: number;
}
export interface Const {
  kind: 'Const'; consttype: Oid; consttypmod: number; constcollid: Oid;
  /** null is SQL NULL. */
  constvalue: Datum;
  location: number;
  /** Set when this literal was lifted out of the statement text: its value may differ at the next run of the
   * same plan, so whoever builds anything on the VALUE (not the type) must call `pinLiteral`. */
  slot?: number;
}
/** `extern`: $n of the statement, from 1. `exec`: set by another plan node (planner only). `sublink`: the
 * subquery's output column n in a SubLink's testexpr. `multiexpr`: column (paramid & 0xffff) of the multiexpr SubLink
 * whose subLinkId is paramid >> 16. */
export interface Param {
  kind: 'Param'; paramkind: 'extern' | 'exec' | 'sublink' | 'multiexpr'; paramid: number; paramtype: Oid; paramtypmod: number;
  paramcollid: Oid; location: number;
  /** Of type record: the columns it has now (a variable of PL/pgSQL). */
  paramcolumns?: readonly RecordAttribute[];
}
export interface Aggref {
  kind: 'Aggref'; aggfnoid: Oid; aggtype: Oid; aggcollid: Oid; inputcollid: Oid;
  aggtranstype: Oid; aggargtypes: Oid[]; aggdirectargs: Expr[]; args: TargetEntry[];
  aggorder: SortGroupClause[]; aggdistinct: SortGroupClause[]; aggfilter: Expr | null; aggstar: boolean;
  aggvariadic: boolean; aggkind: 'n' | 'o' | 'h'; agglevelsup: number; location: number;
  /** One of two steps: the state is given, or states are put together. */
  aggsplit?: 'partial' | 'final';
}
export interface GroupingFunc {
  kind: 'GroupingFunc'; args: Expr[]; refs: number[]; agglevelsup: number; location: number;
}
export interface WindowFunc {
  kind: 'WindowFunc'; winfnoid: Oid; wintype: Oid; wincollid: Oid; inputcollid: Oid; args: Expr[];
  aggfilter: Expr | null; winref: number; winstar: boolean; winagg: boolean; location: number;
}
export interface SubscriptingRef {
  kind: 'SubscriptingRef'; refcontainertype: Oid; refelemtype: Oid; refrestype: Oid; reftypmod: number;
  refcollid: Oid; refupperindexpr: (Expr | null)[];
  /** Empty for an element fetch, as long as refupperindexpr for a slice. */
  reflowerindexpr: (Expr | null)[];
  refexpr: Expr;
  /** Set when it is an assignment: `refexpr` with this put in. */
  refassgnexpr: Expr | null;
  location: number;
}
export interface FuncExpr {
  kind: 'FuncExpr'; funcid: Oid; funcresulttype: Oid; funcretset: boolean; funcvariadic: boolean;
  funcformat: CoercionForm; funccollid: Oid; inputcollid: Oid; args: Expr[]; location: number;
  /** How many of the last arguments were not written but are the function's defaults; the planner takes those of its day. */
  defaulted?: number;
  /** Of a call with names: for each argument that was written, in that order, which it is; the last of them were written with these names. */
  written?: { numbers: readonly number[]; names: readonly string[] };
}
export interface NamedArgExpr { kind: 'NamedArgExpr'; arg: Expr; name: string; argnumber: number; location: number }
interface OpFields {
  opno: Oid; opfuncid: Oid; opresulttype: Oid; opretset: boolean; opcollid: Oid; inputcollid: Oid;
  args: Expr[]; location: number;
}
export interface OpExpr extends OpFields { kind: 'OpExpr' }
/** `IS DISTINCT FROM`, holding the `=` operator. */
export interface DistinctExpr extends OpFields { kind: 'DistinctExpr' }
export interface NullIfExpr extends OpFields { kind: 'NullIfExpr' }
export interface ScalarArrayOpExpr {
  kind: 'ScalarArrayOpExpr'; opno: Oid; opfuncid: Oid;
  /** true: ANY, false: ALL. */
  useOr: boolean;
  inputcollid: Oid; args: [Expr, Expr]; location: number;
}
export interface BoolExpr { kind: 'BoolExpr'; boolop: 'and' | 'or' | 'not'; args: Expr[]; location: number }
export type SubLinkType = 'exists' | 'all' | 'any' | 'rowcompare' | 'expr' | 'multiexpr' | 'array' | 'cte';
export interface SubLink {
  kind: 'SubLink'; subLinkType: SubLinkType; subLinkId: number; testexpr: Expr | null; operName: string[];
  subselect: Query; location: number;
}
/** Planner only: what a SubLink becomes. `plan` indexes PlannedStmt.subplans. */
export interface SubPlan {
  kind: 'SubPlan'; subLinkType: SubLinkType; testexpr: Expr | null; paramIds: number[]; planId: number;
  planName: string; firstColType: Oid; firstColTypmod: number; firstColCollation: Oid; useHashTable: boolean;
  unknownEqFalse: boolean; setParam: number[]; parParam: number[]; args: Expr[]; startup_cost: number; per_call_cost: number; parallel_safe: boolean;
  /** Another way to the same, until setrefs.ts has chosen (AlternativeSubPlan). */
  alternative: SubPlan | null;
}
export interface FieldSelect {
  kind: 'FieldSelect'; arg: Expr; fieldnum: number; resulttype: Oid; resulttypmod: number; resultcollid: Oid;
}
export interface FieldStore { kind: 'FieldStore'; arg: Expr; newvals: Expr[]; fieldnums: number[]; resulttype: Oid }
export interface RelabelType {
  kind: 'RelabelType'; arg: Expr; resulttype: Oid; resulttypmod: number; resultcollid: Oid;
  relabelformat: CoercionForm; location: number;
}
export interface CoerceViaIO {
  kind: 'CoerceViaIO'; arg: Expr; resulttype: Oid; resultcollid: Oid; coerceformat: CoercionForm; location: number;
}
export interface ArrayCoerceExpr {
  kind: 'ArrayCoerceExpr'; arg: Expr;
  /** Applied to each element, which it sees as a CaseTestExpr. */
  elemexpr: Expr;
  resulttype: Oid; resulttypmod: number; resultcollid: Oid; coerceformat: CoercionForm; location: number;
}
export interface ConvertRowtypeExpr {
  kind: 'ConvertRowtypeExpr'; arg: Expr; resulttype: Oid; convertformat: CoercionForm; location: number;
}
export interface CollateExpr { kind: 'CollateExpr'; arg: Expr; collOid: Oid; location: number }
/** In the planner only: an expression of a subquery that was merged into its parent below an outer join. It is computed where the
 * subquery's rows are made, and from then on is like a column: NULL in rows that the join fills up. */
export interface PlaceHolderVar {
  kind: 'PlaceHolderVar'; arg: Expr;
  /** Which one: all uses of a column of the subquery are the same. */
  phid: number;
  /** Range table indexes, bit n for number n: what the subquery's rows were made of, and what must be joined to compute it. */
  phrels: bigint; evalAt: bigint;
  /** Which enclosing query's these are. */
  phlevelsup: number;
}
export interface CaseWhen { expr: Expr; result: Expr; location: number }
export interface CaseExpr {
  kind: 'CaseExpr'; casetype: Oid; casecollid: Oid; arg: Expr | null; args: CaseWhen[]; defresult: Expr | null;
  location: number;
}
/** The value under test of the nearest enclosing CaseExpr with `arg`, ArrayCoerceExpr or the like. */
export interface CaseTestExpr { kind: 'CaseTestExpr'; typeId: Oid; typeMod: number; collation: Oid }
export interface ArrayExpr {
  kind: 'ArrayExpr'; array_typeid: Oid; array_collid: Oid; element_typeid: Oid; elements: Expr[];
  multidims: boolean; location: number;
}
export interface RowExpr {
  kind: 'RowExpr'; args: Expr[]; row_typeid: Oid; row_format: CoercionForm; colnames: string[]; location: number;
}
export interface RowCompareExpr {
  kind: 'RowCompareExpr'; rctype: '<' | '<=' | '>=' | '>'; opnos: Oid[]; opfamilies: Oid[]; inputcollids: Oid[];
  largs: Expr[]; rargs: Expr[];
}
export interface CoalesceExpr { kind: 'CoalesceExpr'; coalescetype: Oid; coalescecollid: Oid; args: Expr[]; location: number }
export interface MinMaxExpr {
  kind: 'MinMaxExpr'; minmaxtype: Oid; minmaxcollid: Oid; inputcollid: Oid; op: 'greatest' | 'least'; args: Expr[];
  location: number;
}
export type XmlExprOp = 'concat' | 'element' | 'forest' | 'parse' | 'pi' | 'root' | 'serialize' | 'document';
/** XMLELEMENT and the like. `named_args` with `arg_names`: attributes of an element, elements of a forest. `args` of a parse: text, whether
 * whitespace is kept; of a root: value, version, standalone (yes, no, no value, not said). */
export interface XmlExpr {
  kind: 'XmlExpr'; op: XmlExprOp; name: string | null; named_args: Expr[]; arg_names: string[]; args: Expr[]; xmloption: 'document' | 'content';
  type: Oid; typmod: number; location: number;
}
/** XMLTABLE in FROM: rows of a document, columns of rows. Its columns are also a column definition list of the range table entry. */
export interface TableFunc {
  kind: 'TableFunc'; ns_uris: Expr[]; ns_names: (string | null)[]; docexpr: Expr; rowexpr: Expr; colnames: string[]; coltypes: Oid[]; coltypmods: number[];
  colcollations: Oid[]; colexprs: (Expr | null)[]; coldefexprs: (Expr | null)[]; notnulls: boolean[];
  /** Which column is FOR ORDINALITY, from 0; -1 for none. */
  ordinalitycol: number; location: number;
}
export type SQLValueFunctionOp =
  | 'current_date' | 'current_time' | 'current_time_n' | 'current_timestamp' | 'current_timestamp_n'
  | 'localtime' | 'localtime_n' | 'localtimestamp' | 'localtimestamp_n' | 'current_role' | 'current_user' | 'user'
  | 'session_user' | 'current_catalog' | 'current_schema';
export interface SQLValueFunction { kind: 'SQLValueFunction'; op: SQLValueFunctionOp; type: Oid; typmod: number; location: number }
export interface NullTest { kind: 'NullTest'; arg: Expr; isNull: boolean; argisrow: boolean; location: number }
export interface BooleanTest {
  kind: 'BooleanTest'; arg: Expr;
  booltesttype: 'is_true' | 'is_not_true' | 'is_false' | 'is_not_false' | 'is_unknown' | 'is_not_unknown';
  location: number;
}
export interface CoerceToDomain {
  kind: 'CoerceToDomain'; arg: Expr; resulttype: Oid; resulttypmod: number; resultcollid: Oid;
  coercionformat: CoercionForm; location: number;
}
export interface CoerceToDomainValue { kind: 'CoerceToDomainValue'; typeId: Oid; typeMod: number; collation: Oid; location: number }
export interface SetToDefault { kind: 'SetToDefault'; typeId: Oid; typeMod: number; collation: Oid; location: number }
export interface CurrentOfExpr { kind: 'CurrentOfExpr'; cvarno: number; cursor_name: string | null; cursor_param: number }
export interface NextValueExpr { kind: 'NextValueExpr'; seqid: Oid; typeId: Oid }

export interface TargetEntry {
  expr: Expr; resno: number; resname: string | null;
  /** Nonzero when a SortGroupClause refers to it. */
  ressortgroupref: number;
  resorigtbl: Oid; resorigcol: number; resjunk: boolean;
}

export interface SortGroupClause {
  tleSortGroupRef: number; eqop: Oid; sortop: Oid; nulls_first: boolean; hashable: boolean;
}

export interface RangeTblRef { kind: 'RangeTblRef'; rtindex: number }
export type JoinType = 'inner' | 'left' | 'full' | 'right' | 'semi' | 'anti';
export interface JoinExpr {
  kind: 'JoinExpr'; jointype: JoinType; isNatural: boolean; larg: FromItem; rarg: FromItem;
  usingClause: string[]; join_using_alias: Alias | null; quals: Expr | null; alias: Alias | null; rtindex: number;
}
export interface FromExpr { kind: 'FromExpr'; fromlist: FromItem[]; quals: Expr | null }
export type FromItem = RangeTblRef | JoinExpr | FromExpr;
export interface Alias { aliasname: string; colnames: string[] }

export interface OnConflictExpr {
  action: 'nothing' | 'update';
  arbiterElems: Expr[]; arbiterWhere: Expr | null;
  /** COLLATE and operator class of each of arbiterElems, 0: none given. */
  arbiterInference?: { collation: Oid; opclass: Oid }[];
  /** Resolved index oids of the constraint or of the inferred columns. */
  arbiterIndexes: Oid[]; constraint: Oid;
  onConflictSet: TargetEntry[]; onConflictWhere: Expr | null;
  /** Range table index of EXCLUDED. */
  exclRelIndex: number; exclRelTlist: TargetEntry[];
}
