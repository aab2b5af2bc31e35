// Questions every stage asks of an expression (type, typmod, collation, place in the text), and the generic walks
// over expression and query trees (PostgreSQL's nodeFuncs.c).
//
// Each table below has one entry per expression kind, so that a new kind does not compile until it is handled.
import { BOOLOID, INT4OID, NAMEOID, RECORDOID, TEXTOID, XMLOID } from '../types/oids.ts';
import type { Oid } from '../types/datum.ts';
import { arrayTypeOf, typeHooks } from '../types/hooks.ts';
import { checkWhileWorking } from '../utils/interrupts.ts';
import type { CommonTableExpr, Query, RangeTblEntry } from './parsenodes.ts';
import type { Expr, FromItem, OnConflictExpr, TargetEntry, Var } from './primnodes.ts';

type Kind = Expr['kind'];
type Of<K extends Kind> = Extract<Expr, { kind: K }>;
type Table<R> = { [K in Kind]: (e: Of<K>) => R };

const call = <R>(table: Table<R>, e: Expr): R => (table[e.kind] as (e: Expr) => R)(e);

// ---- type ----------------------------------------------------------------------------------------------------

function firstColumn(query: Query): TargetEntry {
  const te = query.targetList[0];
  if (te === undefined || te.resjunk) throw new Error('subquery has no output column');
  return te;
}

/** The type of ARRAY(SELECT x): an array of x, or of its elements with one more dimension when x is an array. */
export function promotedArrayType(type: Oid): Oid {
  const io = typeHooks.typeIo(type);
  return io.typarray === 0 && io.typelem !== 0 ? type : arrayTypeOf(type);
}

const TYPE: Table<Oid> = {
  Var: (e) => e.vartype, Const: (e) => e.consttype, Param: (e) => e.paramtype, Aggref: (e) => e.aggtype,
  GroupingFunc: () => INT4OID, WindowFunc: (e) => e.wintype, SubscriptingRef: (e) => e.refrestype,
  FuncExpr: (e) => e.funcresulttype, NamedArgExpr: (e) => exprType(e.arg), OpExpr: (e) => e.opresulttype,
  DistinctExpr: (e) => e.opresulttype, NullIfExpr: (e) => e.opresulttype, ScalarArrayOpExpr: () => BOOLOID, BoolExpr: () => BOOLOID,
  SubLink: (e) => e.subLinkType === 'expr' ? exprType(firstColumn(e.subselect).expr)
    : e.subLinkType === 'array' ? promotedArrayType(exprType(firstColumn(e.subselect).expr))
      : e.subLinkType === 'multiexpr' ? RECORDOID : BOOLOID,
  SubPlan: (e) => e.subLinkType === 'expr' ? e.firstColType : e.subLinkType === 'array' ? promotedArrayType(e.firstColType)
    : e.subLinkType === 'multiexpr' ? RECORDOID : BOOLOID,
  FieldSelect: (e) => e.resulttype, FieldStore: (e) => e.resulttype, RelabelType: (e) => e.resulttype, CoerceViaIO: (e) => e.resulttype,
  ArrayCoerceExpr: (e) => e.resulttype, ConvertRowtypeExpr: (e) => e.resulttype, CollateExpr: (e) => exprType(e.arg), PlaceHolderVar: (e) => exprType(e.arg),
  CaseExpr: (e) => e.casetype, CaseTestExpr: (e) => e.typeId, ArrayExpr: (e) => e.array_typeid, RowExpr: (e) => e.row_typeid,
  RowCompareExpr: () => BOOLOID, CoalesceExpr: (e) => e.coalescetype, MinMaxExpr: (e) => e.minmaxtype, SQLValueFunction: (e) => e.type,
  NullTest: () => BOOLOID, BooleanTest: () => BOOLOID, CoerceToDomain: (e) => e.resulttype, CoerceToDomainValue: (e) => e.typeId,
  SetToDefault: (e) => e.typeId, CurrentOfExpr: () => BOOLOID, NextValueExpr: (e) => e.typeId,
  XmlExpr: (e) => (e.op === 'document' ? BOOLOID : e.op === 'serialize' ? TEXTOID : XMLOID), TableFunc: () => RECORDOID,
};

/** The type of an expression's result. */
export function exprType(e: Expr): Oid {
  return call(TYPE, e);
}

// ---- type modifier -------------------------------------------------------------------------------------------

const none = (): number => -1;

/** The common typmod of several expressions of type `type`; -1 when they differ. */
function commonTypmod(type: Oid, list: readonly Expr[]): number {
  let typmod: number | undefined;
  for (const e of list) {
    if (exprType(e) !== type) return -1;
    const own = exprTypmod(e);
    if (own < 0 || (typmod !== undefined && own !== typmod)) return -1;
    typmod = own;
  }
  return typmod ?? -1;
}

const TYPMOD: Table<number> = {
  Var: (e) => e.vartypmod, Const: (e) => e.consttypmod, Param: (e) => e.paramtypmod, Aggref: none, GroupingFunc: none, WindowFunc: none,
  SubscriptingRef: (e) => e.reftypmod, FuncExpr: (e) => exprIsLengthCoercion(e) ?? -1, NamedArgExpr: (e) => exprTypmod(e.arg),
  OpExpr: none, DistinctExpr: none, NullIfExpr: (e) => exprTypmod(e.args[0]!), ScalarArrayOpExpr: none, BoolExpr: none,
  SubLink: (e) => e.subLinkType === 'expr' || e.subLinkType === 'array' ? exprTypmod(firstColumn(e.subselect).expr) : -1,
  SubPlan: (e) => e.subLinkType === 'expr' || e.subLinkType === 'array' ? e.firstColTypmod : -1,
  FieldSelect: (e) => e.resulttypmod, FieldStore: none, RelabelType: (e) => e.resulttypmod, CoerceViaIO: none,
  ArrayCoerceExpr: (e) => e.resulttypmod, ConvertRowtypeExpr: none, CollateExpr: (e) => exprTypmod(e.arg), PlaceHolderVar: (e) => exprTypmod(e.arg),
  CaseExpr: (e) => e.defresult === null ? -1 : commonTypmod(e.casetype, [e.defresult, ...e.args.map((w) => w.result)]),
  CaseTestExpr: (e) => e.typeMod,
  ArrayExpr: (e) => commonTypmod(e.multidims ? e.array_typeid : e.element_typeid, e.elements),
  RowExpr: none, RowCompareExpr: none, CoalesceExpr: (e) => commonTypmod(e.coalescetype, e.args),
  MinMaxExpr: (e) => commonTypmod(e.minmaxtype, e.args), SQLValueFunction: (e) => e.typmod, NullTest: none, BooleanTest: none,
  CoerceToDomain: (e) => e.resulttypmod, CoerceToDomainValue: (e) => e.typeMod, SetToDefault: (e) => e.typeMod, CurrentOfExpr: none,
  NextValueExpr: none, XmlExpr: none, TableFunc: none,
};

/** The type modifier of an expression's result, -1 when there is none. */
export function exprTypmod(e: Expr): number {
  return call(TYPMOD, e);
}

/** The typmod that a call of a length coercion function enforces; null when it is none. */
export function exprIsLengthCoercion(e: Expr): number | null {
  if (e.kind === 'FuncExpr') {
    if (e.funcformat !== 'explicit_cast' && e.funcformat !== 'implicit_cast') return null;
    const second = e.args[1];
    if (e.args.length < 2 || e.args.length > 3 || second?.kind !== 'Const' || second.consttype !== INT4OID || second.constvalue === null) return null;
    return second.constvalue as number;
  }
  if (e.kind === 'ArrayCoerceExpr') return e.resulttypmod >= 0 ? e.resulttypmod : null;
  return null;
}

// ---- collation -----------------------------------------------------------------------------------------------

const noCollation = (): Oid => 0;
const SQL_VALUE_NAME_COLLATION = 950; // "C", of type name
const DEFAULT_COLLATION = 100;

const COLLATION: Table<Oid> = {
  Var: (e) => e.varcollid, Const: (e) => e.constcollid, Param: (e) => e.paramcollid, Aggref: (e) => e.aggcollid, GroupingFunc: noCollation,
  WindowFunc: (e) => e.wincollid, SubscriptingRef: (e) => e.refcollid, FuncExpr: (e) => e.funccollid, NamedArgExpr: (e) => exprCollation(e.arg),
  OpExpr: (e) => e.opcollid, DistinctExpr: (e) => e.opcollid, NullIfExpr: (e) => e.opcollid, ScalarArrayOpExpr: noCollation, BoolExpr: noCollation,
  SubLink: (e) => e.subLinkType === 'expr' || e.subLinkType === 'array' ? exprCollation(firstColumn(e.subselect).expr) : 0,
  SubPlan: (e) => e.subLinkType === 'expr' || e.subLinkType === 'array' ? e.firstColCollation : 0,
  FieldSelect: (e) => e.resultcollid, FieldStore: noCollation, RelabelType: (e) => e.resultcollid, CoerceViaIO: (e) => e.resultcollid,
  ArrayCoerceExpr: (e) => e.resultcollid, ConvertRowtypeExpr: noCollation, CollateExpr: (e) => e.collOid, PlaceHolderVar: (e) => exprCollation(e.arg), CaseExpr: (e) => e.casecollid,
  CaseTestExpr: (e) => e.collation, ArrayExpr: (e) => e.array_collid, RowExpr: noCollation, RowCompareExpr: noCollation,
  CoalesceExpr: (e) => e.coalescecollid, MinMaxExpr: (e) => e.minmaxcollid,
  SQLValueFunction: (e) => e.type === NAMEOID ? SQL_VALUE_NAME_COLLATION : 0, NullTest: noCollation, BooleanTest: noCollation,
  CoerceToDomain: (e) => e.resultcollid, CoerceToDomainValue: (e) => e.collation, SetToDefault: (e) => e.collation,
  CurrentOfExpr: noCollation, NextValueExpr: noCollation, TableFunc: noCollation,
  // A serialized value is of a text type; the others are not collatable.
  XmlExpr: (e) => (e.op === 'serialize' ? DEFAULT_COLLATION : 0),
};

/** The collation of an expression's result, 0 when its type has none. */
export function exprCollation(e: Expr): Oid {
  return call(COLLATION, e);
}

// ---- location ------------------------------------------------------------------------------------------------

function leftmost(a: number, b: number): number {
  return a < 0 ? b : b < 0 ? a : Math.min(a, b);
}
const leftmostOf = (list: readonly Expr[]): number => list.reduce((best, e) => leftmost(best, exprLocation(e)), -1);
const own = (e: { location: number }): number => e.location;
const ownOr = (e: { location: number }, args: readonly Expr[]): number => leftmost(e.location, leftmostOf(args));

const LOCATION: Table<number> = {
  Var: own, Const: own, Param: own, Aggref: own, GroupingFunc: own, WindowFunc: own,
  SubscriptingRef: (e) => exprLocation(e.refexpr), FuncExpr: (e) => ownOr(e, e.args), NamedArgExpr: (e) => ownOr(e, [e.arg]),
  OpExpr: (e) => ownOr(e, e.args), DistinctExpr: (e) => ownOr(e, e.args), NullIfExpr: (e) => ownOr(e, e.args),
  ScalarArrayOpExpr: (e) => ownOr(e, e.args), BoolExpr: (e) => ownOr(e, e.args),
  SubLink: (e) => e.testexpr === null ? e.location : leftmost(exprLocation(e.testexpr), e.location), SubPlan: none,
  FieldSelect: (e) => exprLocation(e.arg), FieldStore: (e) => exprLocation(e.arg), RelabelType: (e) => ownOr(e, [e.arg]),
  CoerceViaIO: (e) => ownOr(e, [e.arg]), ArrayCoerceExpr: (e) => ownOr(e, [e.arg]), ConvertRowtypeExpr: (e) => ownOr(e, [e.arg]),
  CollateExpr: (e) => exprLocation(e.arg), PlaceHolderVar: (e) => exprLocation(e.arg), CaseExpr: own, CaseTestExpr: none, ArrayExpr: own, RowExpr: own,
  RowCompareExpr: (e) => leftmostOf(e.largs), CoalesceExpr: own, MinMaxExpr: own, SQLValueFunction: own, NullTest: (e) => ownOr(e, [e.arg]),
  BooleanTest: (e) => ownOr(e, [e.arg]), CoerceToDomain: (e) => ownOr(e, [e.arg]), CoerceToDomainValue: own, SetToDefault: own,
  CurrentOfExpr: none, NextValueExpr: none, XmlExpr: (e) => ownOr(e, e.args), TableFunc: own,
};

/** Where the leftmost part of an expression stands in the source text, -1 unknown. */
export function exprLocation(e: Expr): number {
  return call(LOCATION, e);
}

// ---- walking -------------------------------------------------------------------------------------------------

/** The expression without the coercions nobody wrote (strip_implicit_coercions). */
export function stripImplicitCoercions(e: Expr): Expr {
  switch (e.kind) {
    case 'FuncExpr': return e.funcformat === 'implicit_cast' ? stripImplicitCoercions(e.args[0]!) : e;
    case 'RelabelType': return e.relabelformat === 'implicit_cast' ? stripImplicitCoercions(e.arg) : e;
    case 'CoerceViaIO': case 'ArrayCoerceExpr': return e.coerceformat === 'implicit_cast' ? stripImplicitCoercions(e.arg) : e;
    case 'ConvertRowtypeExpr': return e.convertformat === 'implicit_cast' ? stripImplicitCoercions(e.arg) : e;
    case 'CoerceToDomain': return e.coercionformat === 'implicit_cast' ? stripImplicitCoercions(e.arg) : e;
    default: return e;
  }
}

/** Called for every child; returns true to stop the walk. A Query (in a SubLink) is shown, and not entered. */
export type Walker = (node: Expr | Query) => boolean;
type WalkTable = { [K in Kind]: (e: Of<K>, w: Walker) => boolean };

const leaf = (): boolean => false;
function each(list: readonly (Expr | null)[], w: Walker): boolean {
  for (const e of list) if (e !== null && w(e)) return true;
  return false;
}
const args = (e: { args: readonly Expr[] }, w: Walker): boolean => each(e.args, w);
const arg = (e: { arg: Expr }, w: Walker): boolean => w(e.arg);
const opt = (e: Expr | null, w: Walker): boolean => e !== null && w(e);
const targets = (list: readonly TargetEntry[], w: Walker): boolean => {
  for (const te of list) if (w(te.expr)) return true;
  return false;
};

const WALK: WalkTable = {
  Var: leaf, Const: leaf, Param: leaf, CaseTestExpr: leaf, SQLValueFunction: leaf, CoerceToDomainValue: leaf, SetToDefault: leaf,
  CurrentOfExpr: leaf, NextValueExpr: leaf,
  Aggref: (e, w) => each(e.aggdirectargs, w) || targets(e.args, w) || opt(e.aggfilter, w),
  GroupingFunc: args, WindowFunc: (e, w) => each(e.args, w) || opt(e.aggfilter, w),
  SubscriptingRef: (e, w) => each(e.refupperindexpr, w) || each(e.reflowerindexpr, w) || w(e.refexpr) || opt(e.refassgnexpr, w),
  FuncExpr: args, NamedArgExpr: arg, OpExpr: args, DistinctExpr: args, NullIfExpr: args, ScalarArrayOpExpr: args, BoolExpr: args,
  SubLink: (e, w) => opt(e.testexpr, w) || w(e.subselect), SubPlan: (e, w) => opt(e.testexpr, w) || each(e.args, w),
  FieldSelect: arg, FieldStore: (e, w) => w(e.arg) || each(e.newvals, w), RelabelType: arg, CoerceViaIO: arg,
  ArrayCoerceExpr: (e, w) => w(e.arg) || w(e.elemexpr), ConvertRowtypeExpr: arg, CollateExpr: arg, PlaceHolderVar: arg,
  CaseExpr: (e, w) => {
    if (opt(e.arg, w)) return true;
    for (const when of e.args) if (w(when.expr) || w(when.result)) return true;
    return opt(e.defresult, w);
  },
  ArrayExpr: (e, w) => each(e.elements, w), RowExpr: args, RowCompareExpr: (e, w) => each(e.largs, w) || each(e.rargs, w),
  CoalesceExpr: args, MinMaxExpr: args, NullTest: arg, BooleanTest: arg, CoerceToDomain: arg, XmlExpr: (e, w) => each(e.named_args, w) || each(e.args, w),
  TableFunc: (e, w) => each(e.ns_uris, w) || w(e.docexpr) || w(e.rowexpr) || each(e.colexprs, w) || each(e.coldefexprs, w),
};

/** Shows each child of `node` to `walker`, until it returns true. A Query has no children here: see queryTreeWalker. */
export function expressionTreeWalker(node: Expr | Query, walker: Walker): boolean {
  if (node.kind === 'Query') return false;
  return (WALK[node.kind] as (e: Expr, w: Walker) => boolean)(node, walker);
}

export interface QueryWalkOptions {
  /** Leave out subqueries of the range table. */
  ignoreRtSubqueries?: boolean;
  /** Leave out subqueries of WITH. */
  ignoreCteSubqueries?: boolean;
  /** Leave out the alias expressions of joins, which mostly repeat what is elsewhere. */
  ignoreJoinAliases?: boolean;
  /** Leave out the range table altogether. */
  ignoreRangeTable?: boolean;
}

/** Shows every expression of a query to `walker`: target lists, quals, range table, subqueries (as Query). */
export function queryTreeWalker(query: Query, walker: Walker, options: QueryWalkOptions = {}): boolean {
  return targets(query.targetList, walker) || walkOnConflict(query.onConflict, walker) || query.mergeActionList.some((a) => opt(a.qual, walker) || targets(a.targetList, walker)) || targets(query.returningList, walker)
    || query.withCheckOptions.some((wco) => opt(wco.qual, walker)) || fromItemWalker(query.jointree, walker) || opt(query.havingQual, walker) || opt(query.limitOffset, walker) || opt(query.limitCount, walker)
    || query.windowClause.some((wc) => opt(wc.startOffset, walker) || opt(wc.endOffset, walker))
    || (options.ignoreCteSubqueries !== true && query.cteList.some((cte) => walker(cte.ctequery) || cteExprs(cte).some(walker)))
    || (options.ignoreRangeTable !== true && query.rtable.some((rte) => rangeTableEntryWalker(rte, walker, options)));
}

function cteExprs(cte: CommonTableExpr): Expr[] {
  return cte.cycle_clause === null ? [] : [cte.cycle_clause.cycle_mark_value, cte.cycle_clause.cycle_mark_default];
}

function walkOnConflict(oc: OnConflictExpr | null, w: Walker): boolean {
  return oc !== null && (each(oc.arbiterElems, w) || opt(oc.arbiterWhere, w) || targets(oc.onConflictSet, w) || opt(oc.onConflictWhere, w)
    || targets(oc.exclRelTlist, w));
}

export function fromItemWalker(item: FromItem, walker: Walker): boolean {
  switch (item.kind) {
    case 'RangeTblRef': return false;
    case 'JoinExpr': return fromItemWalker(item.larg, walker) || fromItemWalker(item.rarg, walker) || opt(item.quals, walker);
    case 'FromExpr': return item.fromlist.some((child) => fromItemWalker(child, walker)) || opt(item.quals, walker);
  }
}

function rangeTableEntryWalker(rte: RangeTblEntry, walker: Walker, options: QueryWalkOptions = {}): boolean {
  if (each(rte.securityQuals, walker)) return true;
  switch (rte.rtekind) {
    case 'relation': return rte.tablesample ? each(rte.tablesample.args, walker) || opt(rte.tablesample.repeatable, walker) : false;
    case 'cte': case 'namedtuplestore': case 'result': return false;
    case 'subquery': return options.ignoreRtSubqueries !== true && rte.subquery !== null && walker(rte.subquery);
    case 'join': return options.ignoreJoinAliases !== true && each(rte.joinaliasvars, walker);
    case 'function': return rte.functions.some((f) => walker(f.funcexpr));
    case 'values': return rte.values_lists.some((row) => each(row, walker));
  }
}

// ---- mutating ------------------------------------------------------------------------------------------------

/** Gives the new node for a child: itself when unchanged. */
export type Mutator = (node: Expr) => Expr;
export interface MutateOptions extends QueryWalkOptions {
  /** What becomes of a subquery (of a SubLink, the range table or WITH); unchanged when not given. */
  query?: (query: Query) => Query;
}
type MutateTable = { [K in Kind]: (e: Of<K>, m: Mutator, q: ((query: Query) => Query) | undefined) => Expr };

const same = (e: Expr): Expr => e;

/** The list itself when nothing in it changed. */
function mutateList<T extends Expr | null>(list: readonly T[], m: Mutator): T[] {
  let copy: T[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const old = list[i] as T;
    if (old === null) continue;
    const changed = m(old) as T;
    if (changed !== old) (copy ??= list.slice())[i] = changed;
  }
  return copy ?? (list as T[]);
}

function mutateTargetList(list: readonly TargetEntry[], m: Mutator): TargetEntry[] {
  let copy: TargetEntry[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const te = list[i]!;
    const expr = m(te.expr);
    if (expr !== te.expr) (copy ??= list.slice())[i] = { ...te, expr };
  }
  return copy ?? (list as TargetEntry[]);
}

const mutOpt = (e: Expr | null, m: Mutator): Expr | null => e === null ? null : m(e);
function mutArgs<E extends Expr & { args: Expr[] }>(e: E, m: Mutator): Expr {
  const list = mutateList(e.args, m);
  return list === e.args ? e : ({ ...e, args: list } as Expr);
}
function mutArg<E extends Expr & { arg: Expr }>(e: E, m: Mutator): Expr {
  const child: Expr = m(e.arg);
  return child === e.arg ? e : ({ ...e, arg: child } as Expr);
}
/** `e` with `changes`, or `e` itself when none of them is one. */
function patch<E extends Expr>(e: E, changes: Partial<E>): Expr {
  for (const key in changes) if (changes[key] !== e[key]) return { ...e, ...changes };
  return e;
}

const MUTATE: MutateTable = {
  Var: same, Const: same, Param: same, CaseTestExpr: same, SQLValueFunction: same, CoerceToDomainValue: same, SetToDefault: same,
  CurrentOfExpr: same, NextValueExpr: same,
  Aggref: (e, m) => patch(e, { aggdirectargs: mutateList(e.aggdirectargs, m), args: mutateTargetList(e.args, m), aggfilter: mutOpt(e.aggfilter, m) }),
  GroupingFunc: mutArgs,
  WindowFunc: (e, m) => patch(e, { args: mutateList(e.args, m), aggfilter: mutOpt(e.aggfilter, m) }),
  SubscriptingRef: (e, m) => patch(e, {
    refupperindexpr: mutateList(e.refupperindexpr, m), reflowerindexpr: mutateList(e.reflowerindexpr, m), refexpr: m(e.refexpr),
    refassgnexpr: mutOpt(e.refassgnexpr, m),
  }),
  FuncExpr: mutArgs, NamedArgExpr: mutArg, OpExpr: mutArgs, DistinctExpr: mutArgs, NullIfExpr: mutArgs,
  ScalarArrayOpExpr: (e, m) => patch(e, { args: mutateList(e.args, m) as [Expr, Expr] }), BoolExpr: mutArgs,
  SubLink: (e, m, q) => patch(e, { testexpr: mutOpt(e.testexpr, m), subselect: q === undefined ? e.subselect : q(e.subselect) }),
  SubPlan: (e, m) => patch(e, { testexpr: mutOpt(e.testexpr, m), args: mutateList(e.args, m), alternative: mutOpt(e.alternative, m) as typeof e.alternative }),
  FieldSelect: mutArg, FieldStore: (e, m) => patch(e, { arg: m(e.arg), newvals: mutateList(e.newvals, m) }), RelabelType: mutArg,
  CoerceViaIO: mutArg, ArrayCoerceExpr: (e, m) => patch(e, { arg: m(e.arg), elemexpr: m(e.elemexpr) }), ConvertRowtypeExpr: mutArg,
  CollateExpr: mutArg, PlaceHolderVar: mutArg,
  CaseExpr: (e, m) => {
    let whens: typeof e.args | undefined;
    e.args.forEach((when, i) => {
      const expr = m(when.expr);
      const result = m(when.result);
      if (expr !== when.expr || result !== when.result) (whens ??= e.args.slice())[i] = { expr, result, location: when.location };
    });
    return patch(e, { arg: mutOpt(e.arg, m), args: whens ?? e.args, defresult: mutOpt(e.defresult, m) });
  },
  ArrayExpr: (e, m) => patch(e, { elements: mutateList(e.elements, m) }), RowExpr: mutArgs,
  RowCompareExpr: (e, m) => patch(e, { largs: mutateList(e.largs, m), rargs: mutateList(e.rargs, m) }),
  CoalesceExpr: mutArgs, MinMaxExpr: mutArgs, NullTest: mutArg, BooleanTest: mutArg, CoerceToDomain: mutArg,
  XmlExpr: (e, m) => {
    const named = mutateList(e.named_args, m);
    const list = mutateList(e.args, m);
    return named === e.named_args && list === e.args ? e : { ...e, named_args: named, args: list };
  },
  TableFunc: (e, m) => ({
    ...e, ns_uris: mutateList(e.ns_uris, m), docexpr: m(e.docexpr), rowexpr: m(e.rowexpr), colexprs: mutateList(e.colexprs, m), coldefexprs: mutateList(e.coldefexprs, m),
  }),
};

/** A copy of `node` with every child replaced by what `mutator` gives for it; `node` itself when none changed. */
export function expressionTreeMutator(node: Expr, mutator: Mutator, query?: (query: Query) => Query): Expr {
  return (MUTATE[node.kind] as (e: Expr, m: Mutator, q: typeof query) => Expr)(node, mutator, query);
}

/** A copy of a query with every expression replaced; see QueryWalkOptions for what to leave out. */
export function queryTreeMutator(query: Query, m: Mutator, options: MutateOptions = {}): Query {
  const oc = query.onConflict;
  checkWhileWorking(10);
  return {
    ...query,
    targetList: mutateTargetList(query.targetList, m),
    onConflict: oc === null ? null : {
      ...oc, arbiterElems: mutateList(oc.arbiterElems, m), arbiterWhere: mutOpt(oc.arbiterWhere, m),
      onConflictSet: mutateTargetList(oc.onConflictSet, m), onConflictWhere: mutOpt(oc.onConflictWhere, m),
      exclRelTlist: mutateTargetList(oc.exclRelTlist, m),
    },
    mergeActionList: query.mergeActionList.length === 0 ? query.mergeActionList
      : query.mergeActionList.map((a) => ({ ...a, qual: mutOpt(a.qual, m), targetList: mutateTargetList(a.targetList, m) })),
    returningList: mutateTargetList(query.returningList, m),
    withCheckOptions: query.withCheckOptions.length === 0 ? query.withCheckOptions : query.withCheckOptions.map((wco) => ({ ...wco, qual: mutOpt(wco.qual, m) })),
    jointree: fromItemMutator(query.jointree, m) as Query['jointree'],
    havingQual: mutOpt(query.havingQual, m), limitOffset: mutOpt(query.limitOffset, m), limitCount: mutOpt(query.limitCount, m),
    windowClause: query.windowClause.map((wc) => wc.startOffset === null && wc.endOffset === null ? wc
      : { ...wc, startOffset: mutOpt(wc.startOffset, m), endOffset: mutOpt(wc.endOffset, m) }),
    cteList: options.ignoreCteSubqueries === true || options.query === undefined ? query.cteList
      : query.cteList.map((cte) => ({ ...cte, ctequery: options.query!(cte.ctequery) })),
    rtable: options.ignoreRangeTable === true ? query.rtable : query.rtable.map((rte) => rangeTableEntryMutator(rte, m, options)),
  };
}

function fromItemMutator(item: FromItem, m: Mutator): FromItem {
  switch (item.kind) {
    case 'RangeTblRef': return item;
    case 'JoinExpr': return { ...item, larg: fromItemMutator(item.larg, m), rarg: fromItemMutator(item.rarg, m), quals: mutOpt(item.quals, m) };
    case 'FromExpr': return { kind: 'FromExpr', fromlist: item.fromlist.map((child) => fromItemMutator(child, m)), quals: mutOpt(item.quals, m) };
  }
}

function rangeTableEntryMutator(rte: RangeTblEntry, m: Mutator, options: MutateOptions = {}): RangeTblEntry {
  const securityQuals = mutateList(rte.securityQuals, m);
  switch (rte.rtekind) {
    case 'relation':
      if (rte.tablesample) {
        const { tsmhandler, args, repeatable } = rte.tablesample;
        return { ...rte, securityQuals, tablesample: { tsmhandler, args: mutateList(args, m), repeatable: mutOpt(repeatable, m) } };
      }
      return securityQuals === rte.securityQuals ? rte : { ...rte, securityQuals };
    case 'cte': case 'namedtuplestore': case 'result': return securityQuals === rte.securityQuals ? rte : { ...rte, securityQuals };
    case 'subquery':
      return options.ignoreRtSubqueries === true || options.query === undefined || rte.subquery === null ? rte
        : { ...rte, securityQuals, subquery: options.query(rte.subquery) };
    case 'join': return options.ignoreJoinAliases === true ? rte : { ...rte, securityQuals, joinaliasvars: mutateList(rte.joinaliasvars, m) };
    case 'function': return { ...rte, securityQuals, functions: rte.functions.map((f) => ({ ...f, funcexpr: m(f.funcexpr) })) };
    case 'values': return { ...rte, securityQuals, values_lists: rte.values_lists.map((row) => mutateList(row, m)) };
  }
}

// ---- questions -----------------------------------------------------------------------------------------------

/** Whether `test` holds for the expression or any part of it; subqueries are entered when `deep`. */
export function containsNode(e: Expr | Query, test: (node: Expr) => boolean, deep = false): boolean {
  const walker: Walker = (node) => node.kind === 'Query' ? deep && queryTreeWalker(node, walker) : test(node) || expressionTreeWalker(node, walker);
  return walker(e);
}

/** The first column it mentions of the query that is so many levels out, also in its subqueries; null: none (locate_var_of_level). */
export function varOfLevel(node: Expr | Query, level: number): Var | null {
  let levels = level, found: Var | null = null;
  const walker: Walker = (n) => {
    if (n.kind === 'Var') {
      if (n.varlevelsup === levels) found = n;
      return found !== null;
    }
    if (n.kind !== 'Query') return expressionTreeWalker(n, walker);
    levels++;
    const inside = queryTreeWalker(n, walker);
    levels--;
    return inside;
  };
  if (node.kind === 'Query') queryTreeWalker(node, walker);
  else walker(node);
  return found;
}
export const containsVarsOfLevel = (node: Expr | Query, level: number): boolean => varOfLevel(node, level) !== null;

/** Makes implicit ANDs of a qual: the list of its conjuncts. */
export function makeAndsImplicit(qual: Expr | null): Expr[] {
  if (qual === null) return [];
  if (qual.kind === 'BoolExpr' && qual.boolop === 'and') return qual.args;
  if (qual.kind === 'Const' && qual.constvalue === true) return [];
  return [qual];
}
