// The objects an expression or query refers to, to be recorded in pg_depend (find_expr_references_walker in
// PostgreSQL's dependency.c). Trees are plain data, so one walk over all fields reaches everything; the table below
// says what each kind of node refers to by itself.
import { PgError } from '../../common/errors.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { Query, RangeTblEntry } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import { isPinnedObject } from './catalog.ts';
import { getBaseType } from './lsyscache.ts';
import * as ids from './oids.ts';
import { addressKey, objectAddress, recordMultipleDependencies, type DependencyType, type ObjectAddress } from './pg_depend.ts';
import * as sys from './syscache.ts';

type Node = { kind?: string } & Record<string, any>;

/** Range tables of the enclosing queries, outermost first. */
type Ranges = readonly (readonly RangeTblEntry[])[];

class References {
  readonly found = new Map<string, ObjectAddress>();

  add(classId: Oid, objectId: Oid, subId = 0): void {
    if (objectId === 0 || isPinnedObject(classId, objectId)) return;
    const address = objectAddress(classId, objectId, subId);
    this.found.set(addressKey(address), address);
  }
  type(oid: Oid): void { this.add(ids.TypeRelationId, oid); }
  proc(oid: Oid): void { this.add(ids.ProcedureRelationId, oid); }
  operator(oid: Oid): void { this.add(ids.OperatorRelationId, oid); }
  collation(oid: Oid): void { if (oid !== ids.DEFAULT_COLLATION_OID) this.add(ids.CollationRelationId, oid); }
  relation(oid: Oid, column = 0): void { this.add(ids.RelationRelationId, oid, column); }
}

/** reg* constants: the object they name. */
const REG_CLASSES: Readonly<Record<Oid, Oid>> = {
  [ids.REGPROCOID]: ids.ProcedureRelationId, [ids.REGPROCEDUREOID]: ids.ProcedureRelationId, [ids.REGOPEROID]: ids.OperatorRelationId,
  [ids.REGOPERATOROID]: ids.OperatorRelationId, [ids.REGCLASSOID]: ids.RelationRelationId, [ids.REGTYPEOID]: ids.TypeRelationId,
  [ids.REGCOLLATIONOID]: ids.CollationRelationId, [ids.REGCONFIGOID]: ids.TSConfigRelationId,
  [ids.REGDICTIONARYOID]: ids.TSDictionaryRelationId, [ids.REGNAMESPACEOID]: ids.NamespaceRelationId,
};

const VISITORS: Readonly<Record<string, (r: References, n: Node, ranges: Ranges) => void>> = {
  Var: (r, n, ranges) => visitVar(r, n, ranges),
  Const: (r, n) => {
    r.type(n.consttype);
    r.collation(n.constcollid);
    const classId = REG_CLASSES[n.consttype as Oid];
    if (classId !== undefined && typeof n.constvalue === 'number') r.add(classId, n.constvalue);
    if (n.consttype === ids.REGROLEOID && n.constvalue !== null) {
      throw new PgError('feature_not_supported', 'constant of the type regrole cannot be used here');
    }
  },
  Param: (r, n) => { r.type(n.paramtype); r.collation(n.paramcollid); },
  FuncExpr: (r, n) => r.proc(n.funcid),
  OpExpr: (r, n) => r.operator(n.opno),
  DistinctExpr: (r, n) => r.operator(n.opno),
  NullIfExpr: (r, n) => r.operator(n.opno),
  ScalarArrayOpExpr: (r, n) => r.operator(n.opno),
  Aggref: (r, n) => r.proc(n.aggfnoid),
  WindowFunc: (r, n) => r.proc(n.winfnoid),
  SubscriptingRef: (r, n) => { if (n.refrestype !== n.refcontainertype && n.refrestype !== n.refelemtype) r.type(n.refrestype); },
  FieldSelect: (r, n) => {
    const base = sys.typeByOid(rowTypeOf(n.arg as Node));
    if (base && base.typrelid !== 0) r.relation(base.typrelid, n.fieldnum); else r.type(n.resulttype);
    r.collation(n.resultcollid);
  },
  FieldStore: (r, n) => {
    const relation = sys.typeByOid(n.resulttype)?.typrelid ?? 0;
    if (relation !== 0) for (const column of n.fieldnums) r.relation(relation, column); else r.type(n.resulttype);
  },
  RelabelType: (r, n) => { r.type(n.resulttype); r.collation(n.resultcollid); },
  CoerceViaIO: (r, n) => { r.type(n.resulttype); r.collation(n.resultcollid); },
  ArrayCoerceExpr: (r, n) => { r.type(n.resulttype); r.collation(n.resultcollid); },
  ConvertRowtypeExpr: (r, n) => r.type(n.resulttype),
  CollateExpr: (r, n) => r.collation(n.collOid),
  RowExpr: (r, n) => r.type(n.row_typeid),
  RowCompareExpr: (r, n) => {
    for (const oid of n.opnos) r.operator(oid);
    for (const oid of n.opfamilies) r.add(ids.OperatorFamilyRelationId, oid);
  },
  CoerceToDomain: (r, n) => r.type(n.resulttype),
  NextValueExpr: (r, n) => r.relation(n.seqid),
};

/** The composite type of an expression, or that its domain is over. */
const rowTypeOf = (n: Node): Oid => getBaseType(exprType(n as Expr));

function visitVar(r: References, n: Node, ranges: Ranges): void {
  const table = ranges[ranges.length - 1 - n.varlevelsup];
  const entry = table?.[n.varno - 1];
  if (!entry) return;
  if (entry.rtekind === 'relation') {
    if (n.varattno !== 0) r.relation(entry.relid, n.varattno);
    else r.relation(entry.relid);
  } else if (entry.rtekind === 'function') {
    visitFunctionColumn(r, entry, n.varattno);
  } else if (entry.rtekind === 'join' && n.varattno > 0) {
    // A column of a join with a name of its own is the column of one of its tables.
    walk(r, entry.joinaliasvars[n.varattno - 1] as Node, ranges.slice(0, ranges.length - n.varlevelsup));
  }
  // A Var of a subquery, CTE: what is behind it is visited where it stands.
}

/** A column of a function's result is a column of its composite type. */
function visitFunctionColumn(r: References, entry: RangeTblEntry, attnum: number): void {
  let before = 0;
  for (const f of entry.functions) {
    if (attnum > before && attnum <= before + f.funccolcount) {
      const relation = sys.typeByOid(rowTypeOf(f.funcexpr as Node))?.typrelid ?? 0;
      if (relation !== 0) r.relation(relation, attnum - before);
      return;
    }
    before += f.funccolcount;
  }
}

function walk(r: References, node: unknown, ranges: Ranges): void {
  if (Array.isArray(node)) {
    for (const element of node) walk(r, element, ranges);
    return;
  }
  if (node === null || typeof node !== 'object') return;
  const n = node as Node;
  if (n.kind === 'Query') return walkQuery(r, n as unknown as Query, ranges);
  if (n.kind !== undefined) VISITORS[n.kind]?.(r, n, ranges);
  else visitPlain(r, n);
  for (const key in n) {
    // A constant's value and a utility statement's raw tree hold no references of their own.
    if (key === 'constvalue' || key === 'utilityStmt') continue;
    const value = n[key];
    if (value !== null && typeof value === 'object') walk(r, value, ranges);
  }
}

/** Structures that have no tag, known by their fields. */
function visitPlain(r: References, n: Node): void {
  if ('sortop' in n && 'eqop' in n) { r.operator(n.eqop); r.operator(n.sortop); }
  if ('startInRangeFunc' in n) { r.proc(n.startInRangeFunc); r.proc(n.endInRangeFunc); r.collation(n.inRangeColl); }
  if ('arbiterElems' in n && n.constraint) r.add(ids.ConstraintRelationId, n.constraint);
  if ('funccoltypes' in n) { for (const t of n.funccoltypes) r.type(t); for (const c of n.funccolcollations) r.collation(c); }
}

function walkQuery(r: References, query: Query, outer: Ranges): void {
  const ranges = [...outer, query.rtable];
  for (const entry of query.rtable) {
    if (entry.rtekind === 'relation') r.relation(entry.relid);
    // Columns that JOIN USING merges are used by nobody else, but the query needs them.
    if (entry.rtekind === 'join') walk(r, entry.joinaliasvars.slice(0, entry.joinmergedcols), ranges);
  }
  if (query.resultRelation > 0 && (query.commandType === 'insert' || query.commandType === 'update')) {
    const relation = query.rtable[query.resultRelation - 1]!;
    for (const target of query.targetList) if (!target.resjunk) r.relation(relation.relid, target.resno);
  }
  for (const oid of query.constraintDeps) r.add(ids.ConstraintRelationId, oid);
  for (const key in query) {
    if (key === 'utilityStmt') continue;
    const value = (query as unknown as Node)[key];
    if (key === 'rtable') for (const entry of query.rtable) walkEntry(r, entry, ranges);
    else if (value !== null && typeof value === 'object') walk(r, value, ranges);
  }
}

function walkEntry(r: References, entry: RangeTblEntry, ranges: Ranges): void {
  walk(r, entry.subquery, ranges);
  walk(r, entry.functions, ranges);
  walk(r, entry.values_lists, ranges);
  walk(r, entry.securityQuals, ranges);
  if (entry.tablesample) {
    r.add(ids.ProcedureRelationId, entry.tablesample.tsmhandler);
    walk(r, entry.tablesample, ranges);
  }
}

/** The objects an expression refers to; `rtable` is what its Vars count from. */
function expressionReferences(node: unknown, rtable: readonly RangeTblEntry[] = []): ObjectAddress[] {
  const references = new References();
  walk(references, node, rtable.length > 0 ? [rtable] : []);
  // A reference to a whole object is nothing new when one of its columns is referred to (object_address_comparator).
  const all = [...references.found.values()];
  return all.filter((a) => a.objectSubId !== 0 || !all.some((b) => b.objectSubId !== 0 && b.classId === a.classId && b.objectId === a.objectId))
    .sort((a, b) => b.objectId - a.objectId || a.classId - b.classId || a.objectSubId - b.objectSubId);
}

/** Records that `depender` depends on all that an expression refers to (recordDependencyOnExpr). */
export function recordDependencyOnExpr(depender: ObjectAddress, node: unknown, rtable: readonly RangeTblEntry[], type: DependencyType): void {
  recordMultipleDependencies(depender, expressionReferences(node, rtable), type);
}

/** The same for an expression over one relation (Vars have varno 1); references to its own columns may be of another
 * type, or the other way round. */
export function recordDependencyOnSingleRelExpr(depender: ObjectAddress, node: unknown, relation: Oid, type: DependencyType,
  selfType: DependencyType, reverseSelf = false): void {
  const entry = { rtekind: 'relation', relid: relation } as RangeTblEntry;
  const all = expressionReferences(node, [entry]);
  const isSelf = (a: ObjectAddress): boolean => a.classId === ids.RelationRelationId && a.objectId === relation;
  recordMultipleDependencies(depender, all.filter((a) => !isSelf(a)), type);
  // A partition key's columns depend on the table, not the table on them.
  if (reverseSelf) for (const column of all.filter(isSelf)) recordMultipleDependencies(column, [depender], selfType);
  else recordMultipleDependencies(depender, all.filter(isSelf), selfType);
}
