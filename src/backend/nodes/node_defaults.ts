// What the fields of a node usually are: stored trees leave such fields out (outfuncs.ts), and reading puts them back
// (readfuncs.ts), always in this order, so that a node read has the shape of a node made.
import { makeQuery, makeRangeTblEntry } from './makefuncs.ts';
import type { CommonTableExpr, Query, RangeTblEntry, RangeTblFunction, WindowClause } from './parsenodes.ts';
import type { Alias, CaseWhen, Expr, FromItem, OnConflictExpr, SortGroupClause, TargetEntry } from './primnodes.ts';

/** Structures that do not say in memory what they are get a tag in the text. */
export interface TaggedStructures {
  RTE: RangeTblEntry; TE: TargetEntry; SGC: SortGroupClause; Alias: Alias; When: CaseWhen; CTE: CommonTableExpr; RTF: RangeTblFunction; Window: WindowClause;
  Conflict: OnConflictExpr;
}
type ExprDefaults = { [K in Expr['kind']]: Extract<Expr, { kind: K }> };
type FromDefaults = { [K in FromItem['kind']]: Extract<FromItem, { kind: K }> };

const location = -1;
const operator = { opno: 0, opfuncid: 0, opresulttype: 16, opretset: false, opcollid: 0, inputcollid: 0, args: [], location };
// A child that is always there: never left out, so what it is does not matter.
const child = null as unknown as Expr;
const query = null as unknown as Query;

const EXPRESSIONS: ExprDefaults = {
  Var: { kind: 'Var', varno: 1, varattno: 0, vartype: 0, vartypmod: -1, varcollid: 0, varlevelsup: 0, location },
  Const: { kind: 'Const', consttype: 25, consttypmod: -1, constcollid: 0, constvalue: null, location },
  Param: { kind: 'Param', paramkind: 'extern', paramid: 0, paramtype: 0, paramtypmod: -1, paramcollid: 0, location },
  Aggref: {
    kind: 'Aggref', aggfnoid: 0, aggtype: 0, aggcollid: 0, inputcollid: 0, aggtranstype: 0, aggargtypes: [], aggdirectargs: [], args: [], aggorder: [], aggdistinct: [],
    aggfilter: null, aggstar: false, aggvariadic: false, aggkind: 'n', agglevelsup: 0, location,
  },
  GroupingFunc: { kind: 'GroupingFunc', args: [], refs: [], agglevelsup: 0, location },
  WindowFunc: {
    kind: 'WindowFunc', winfnoid: 0, wintype: 0, wincollid: 0, inputcollid: 0, args: [], aggfilter: null, winref: 0, winstar: false, winagg: false, location,
  },
  SubscriptingRef: {
    kind: 'SubscriptingRef', refcontainertype: 0, refelemtype: 0, refrestype: 0, reftypmod: -1, refcollid: 0, refupperindexpr: [], reflowerindexpr: [], refexpr: child,
    refassgnexpr: null, location,
  },
  FuncExpr: {
    kind: 'FuncExpr', funcid: 0, funcresulttype: 0, funcretset: false, funcvariadic: false, funcformat: 'explicit_call', funccollid: 0, inputcollid: 0, args: [], location,
  },
  NamedArgExpr: { kind: 'NamedArgExpr', arg: child, name: '', argnumber: -1, location },
  OpExpr: { kind: 'OpExpr', ...operator },
  DistinctExpr: { kind: 'DistinctExpr', ...operator },
  NullIfExpr: { kind: 'NullIfExpr', ...operator },
  ScalarArrayOpExpr: { kind: 'ScalarArrayOpExpr', opno: 0, opfuncid: 0, useOr: true, inputcollid: 0, args: [child, child], location },
  BoolExpr: { kind: 'BoolExpr', boolop: 'and', args: [], location },
  SubLink: { kind: 'SubLink', subLinkType: 'expr', subLinkId: 0, testexpr: null, operName: [], subselect: query, location },
  SubPlan: {
    kind: 'SubPlan', subLinkType: 'expr', testexpr: null, paramIds: [], planId: 0, planName: '', firstColType: 0, firstColTypmod: -1, firstColCollation: 0, useHashTable: false,
    unknownEqFalse: false, setParam: [], parParam: [], args: [], startup_cost: 0, per_call_cost: 0, parallel_safe: false, alternative: null,
  },
  FieldSelect: { kind: 'FieldSelect', arg: child, fieldnum: 0, resulttype: 0, resulttypmod: -1, resultcollid: 0 },
  FieldStore: { kind: 'FieldStore', arg: child, newvals: [], fieldnums: [], resulttype: 0 },
  RelabelType: { kind: 'RelabelType', arg: child, resulttype: 25, resulttypmod: -1, resultcollid: 0, relabelformat: 'implicit_cast', location },
  CoerceViaIO: { kind: 'CoerceViaIO', arg: child, resulttype: 25, resultcollid: 0, coerceformat: 'explicit_cast', location },
  ArrayCoerceExpr: { kind: 'ArrayCoerceExpr', arg: child, elemexpr: child, resulttype: 0, resulttypmod: -1, resultcollid: 0, coerceformat: 'implicit_cast', location },
  ConvertRowtypeExpr: { kind: 'ConvertRowtypeExpr', arg: child, resulttype: 0, convertformat: 'implicit_cast', location },
  CollateExpr: { kind: 'CollateExpr', arg: child, collOid: 0, location },
  PlaceHolderVar: { kind: 'PlaceHolderVar', arg: child, phid: 0, phrels: 0n, evalAt: 0n, phlevelsup: 0 },
  CaseExpr: { kind: 'CaseExpr', casetype: 25, casecollid: 0, arg: null, args: [], defresult: null, location },
  CaseTestExpr: { kind: 'CaseTestExpr', typeId: 0, typeMod: -1, collation: 0 },
  ArrayExpr: { kind: 'ArrayExpr', array_typeid: 0, array_collid: 0, element_typeid: 0, elements: [], multidims: false, location },
  RowExpr: { kind: 'RowExpr', args: [], row_typeid: 2249, row_format: 'implicit_cast', colnames: [], location },
  RowCompareExpr: { kind: 'RowCompareExpr', rctype: '<', opnos: [], opfamilies: [], inputcollids: [], largs: [], rargs: [] },
  CoalesceExpr: { kind: 'CoalesceExpr', coalescetype: 0, coalescecollid: 0, args: [], location },
  MinMaxExpr: { kind: 'MinMaxExpr', minmaxtype: 0, minmaxcollid: 0, inputcollid: 0, op: 'greatest', args: [], location },
  SQLValueFunction: { kind: 'SQLValueFunction', op: 'current_user', type: 19, typmod: -1, location },
  NullTest: { kind: 'NullTest', arg: child, isNull: true, argisrow: false, location },
  BooleanTest: { kind: 'BooleanTest', arg: child, booltesttype: 'is_true', location },
  CoerceToDomain: { kind: 'CoerceToDomain', arg: child, resulttype: 0, resulttypmod: -1, resultcollid: 0, coercionformat: 'explicit_cast', location },
  CoerceToDomainValue: { kind: 'CoerceToDomainValue', typeId: 0, typeMod: -1, collation: 0, location },
  SetToDefault: { kind: 'SetToDefault', typeId: 0, typeMod: -1, collation: 0, location },
  CurrentOfExpr: { kind: 'CurrentOfExpr', cvarno: 0, cursor_name: null, cursor_param: 0 },
  NextValueExpr: { kind: 'NextValueExpr', seqid: 0, typeId: 20 },
  XmlExpr: { kind: 'XmlExpr', op: 'concat', name: null, named_args: [], arg_names: [], args: [], xmloption: 'document', type: 142, typmod: -1, location },
  TableFunc: {
    kind: 'TableFunc', ns_uris: [], ns_names: [], docexpr: child, rowexpr: child, colnames: [], coltypes: [], coltypmods: [], colcollations: [], colexprs: [], coldefexprs: [],
    notnulls: [], ordinalitycol: -1, location,
  },
};

const FROM_ITEMS: FromDefaults = {
  RangeTblRef: { kind: 'RangeTblRef', rtindex: 1 },
  JoinExpr: {
    kind: 'JoinExpr', jointype: 'inner', isNatural: false, larg: null as unknown as FromItem, rarg: null as unknown as FromItem, usingClause: [], join_using_alias: null, quals: null,
    alias: null, rtindex: 0,
  },
  FromExpr: { kind: 'FromExpr', fromlist: [], quals: null },
};

const STRUCTURES: TaggedStructures = {
  RTE: { ...makeRangeTblEntry('relation', null, null as unknown as Alias), inh: true, inFromCl: true, relkind: 'r', rellockmode: 1, requiredPerms: 2 },
  TE: { expr: child, resno: 1, resname: null, ressortgroupref: 0, resorigtbl: 0, resorigcol: 0, resjunk: false },
  SGC: { tleSortGroupRef: 1, eqop: 0, sortop: 0, nulls_first: false, hashable: true },
  Alias: { aliasname: '', colnames: [] },
  When: { expr: child, result: child, location },
  CTE: {
    ctename: '', aliascolnames: [], materialized: 'default', ctequery: query, location, cterecursive: false, cterefcount: 0, ctecolnames: [], ctecoltypes: [], ctecoltypmods: [],
    ctecolcollations: [], search_clause: null, cycle_clause: null,
  },
  RTF: { funcexpr: child, funccolcount: 1, funccolnames: [], funccoltypes: [], funccoltypmods: [], funccolcollations: [] },
  Window: {
    name: null, refname: null, partitionClause: [], orderClause: [], frameOptions: 0, startOffset: null, endOffset: null, startInRangeFunc: 0, endInRangeFunc: 0, inRangeColl: 0,
    inRangeAsc: false, inRangeNullsFirst: false, winref: 0, copiedOrder: false, runCondition: [],
  },
  Conflict: {
    action: 'nothing', arbiterElems: [], arbiterWhere: null, arbiterIndexes: [], constraint: 0, onConflictSet: [], onConflictWhere: null, exclRelIndex: 0, exclRelTlist: [],
  },
};

export type AnyNode = Record<string, unknown>;

/** Keyed by `kind`, or by the tag of a structure. */
export const NODE_DEFAULTS: ReadonlyMap<string, AnyNode> = new Map<string, AnyNode>([
  ...Object.entries(EXPRESSIONS), ...Object.entries(FROM_ITEMS), ...Object.entries(STRUCTURES), ['Query', makeQuery('select')],
] as unknown as [string, AnyNode][]);

/** A field that tells a structure without `kind` from all others. */
const MARKS: readonly [string, keyof TaggedStructures][] = [
  ['resname', 'TE'], ['rtekind', 'RTE'], ['aliasname', 'Alias'], ['tleSortGroupRef', 'SGC'], ['funccolcount', 'RTF'], ['ctequery', 'CTE'], ['frameOptions', 'Window'],
  ['exclRelIndex', 'Conflict'],
];

/** The tag an object is written with; undefined: it is written as it is. */
export function nodeTag(node: AnyNode): string | undefined {
  if (typeof node['kind'] === 'string') return NODE_DEFAULTS.has(node['kind']) ? node['kind'] : undefined;
  for (const [field, tag] of MARKS) if (field in node) return tag;
  return 'expr' in node && 'result' in node ? 'When' : undefined;
}
