// The condition that a partition's bound is for its rows, as an expression (PostgreSQL's get_qual_from_partbound): what is
// checked when rows are put into a partition directly, when a table is attached, and what \d+ shows.
import { internalError } from '../../common/errors.ts';
import { getArrayType, getOpcode, getOpfamilyMember, typeIsArray } from '../catalog/lsyscache.ts';
import { INT4OID, OIDOID } from '../catalog/oids.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { operatorByOid, procsByName } from '../catalog/syscache.ts';
import { makeBoolConst, makeBoolExpr, makeConst, makeFuncExpr, makeOpExpr, makeRelabelType } from '../nodes/makefuncs.ts';
import { expressionTreeMutator } from '../nodes/nodeFuncs.ts';
import type { Const, Expr } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import type { PartitionBound, RangeDatum } from './partbounds.ts';
import { partitionBoundOf, partitionDescOf, partitionParent } from './partdesc.ts';
import { partitionKeyOf, type PartitionKey } from './partkey.ts';

const LESS = 1, LESS_EQUAL = 2, EQUAL = 3, GREATER_EQUAL = 4, GREATER = 5;
const RECORDOID = 2249;
const POLYMORPHIC = new Set([2277, 2283, 2776, 3500, 3831, 4537, 5077, 5078, 5079, 5080, 4538]);

const nullTest = (arg: Expr, isNull: boolean): Expr => ({ kind: 'NullTest', arg, isNull, argisrow: false, location: -1 });
/** Copies of the constants without their places in a statement. */
const constant = (c: Const): Const => ({ ...c, location: -1 });

/** The key column as an operator of its class takes it (make_partition_op_expr). */
function keyOperand(key: PartitionKey, n: number): Expr {
  const c = key.columns[n]!;
  const relabel = c.typeOid !== c.opcintype && c.opcintype !== RECORDOID && !POLYMORPHIC.has(c.opcintype);
  return relabel || c.collation !== c.typeCollation ? makeRelabelType(c.expr, c.opcintype, -1, c.collation, 'explicit_cast') : c.expr;
}

function keyOperator(key: PartitionKey, n: number, strategy: number): Oid {
  const c = key.columns[n]!;
  const opno = getOpfamilyMember(c.opfamily, c.opcintype, c.opcintype, strategy);
  if (opno === 0) throw internalError(`missing operator ${strategy}(${c.opcintype},${c.opcintype}) in partition opfamily ${c.opfamily}`);
  return opno;
}

function compareKey(key: PartitionKey, n: number, strategy: number, value: Const): Expr {
  const opno = keyOperator(key, n, strategy);
  return makeOpExpr(opno, getOpcode(opno), operatorByOid(opno)!.oprresult, [keyOperand(key, n), constant(value)], 0, key.columns[n]!.collation);
}

/** The condition for one bound below `parent`, over the parent's columns; implicitly ANDed. */
export function qualFromBound(parent: Relation, spec: PartitionBound): Expr[] {
  const key = partitionKeyOf(parent);
  switch (key.strategy) {
    case 'h': return [hashQual(parent, key, spec)];
    case 'l': return listQual(parent, key, spec);
    case 'r': return rangeQual(parent, key, spec, false);
  }
}

/** Those of all partitions but the default one, in order. */
function otherBounds(parent: Relation): PartitionBound[] {
  return partitionDescOf(parent).oids.map((oid) => partitionBoundOf(oid)!).filter((b) => !b.isDefault);
}

function hashQual(parent: Relation, key: PartitionKey, spec: PartitionBound): Expr {
  const fn = procsByName('satisfies_hash_partition')[0]!.oid;
  const integer = (n: number): Expr => makeConst(INT4OID, -1, 0, n);
  return makeFuncExpr(fn, 16, [makeConst(OIDOID, -1, 0, parent.oid), integer(spec.modulus), integer(spec.remainder), ...key.columns.map((c) => c.expr)], 0, 0, 'explicit_call');
}

function listQual(parent: Relation, key: PartitionKey, spec: PartitionBound): Expr[] {
  const column = key.columns[0]!;
  const datums = spec.isDefault ? otherBounds(parent).flatMap((b) => b.listdatums) : [...spec.listdatums];
  // The default partition's are told in order, others as they were written.
  if (spec.isDefault) datums.sort((a, b) => (a.constvalue === null || b.constvalue === null ? Number(a.constvalue === null) - Number(b.constvalue === null) : key.compare[0]!(a.constvalue, b.constvalue)));
  const values = datums.filter((c) => c.constvalue !== null).map((c) => (spec.isDefault ? { ...c, constcollid: column.typeCollation } : c));
  const hasNull = values.length < datums.length;
  // A default partition alone takes everything.
  if (spec.isDefault && values.length === 0 && !hasNull) return [];
  let test: Expr | null = null;
  if (values.length > 0) {
    if (typeIsArray(column.typeOid)) {
      const tests = values.map((v) => compareKey(key, 0, EQUAL, v));
      test = tests.length > 1 ? makeBoolExpr('or', tests) : tests[0]!;
    } else if (values.length === 1) test = compareKey(key, 0, EQUAL, values[0]!);
    else {
      const opno = keyOperator(key, 0, EQUAL);
      const array: Expr = {
        kind: 'ArrayExpr', array_typeid: getArrayType(column.typeOid), array_collid: column.typeCollation, element_typeid: column.typeOid,
        elements: values.map(constant), multidims: false, location: -1,
      };
      test = { kind: 'ScalarArrayOpExpr', opno, opfuncid: getOpcode(opno), useOr: true, inputcollid: column.collation, args: [keyOperand(key, 0), array], location: -1 };
    }
  }
  let result: Expr[];
  if (!hasNull) result = [nullTest(column.expr, false), ...(test === null ? [] : [test])];
  else {
    const isNull = nullTest(column.expr, true);
    result = [test === null ? isNull : makeBoolExpr('or', [isNull, test])];
  }
  if (!spec.isDefault) return result;
  return [makeBoolExpr('not', [result.length > 1 ? makeBoolExpr('and', result) : result[0]!])];
}

const notNulls = (key: PartitionKey): Expr[] => key.columns.map((c) => nullTest(c.expr, false));
const andOf = (list: Expr[]): Expr => (list.length > 1 ? makeBoolExpr('and', list) : list[0]!);
const orOf = (list: Expr[]): Expr => (list.length > 1 ? makeBoolExpr('or', list) : list[0]!);

/** `forDefault`: a part of the default partition's condition, where NULLs are dealt with once (get_qual_for_range). */
function rangeQual(parent: Relation, key: PartitionKey, spec: PartitionBound, forDefault: boolean): Expr[] {
  if (spec.isDefault) {
    const others = otherBounds(parent).map((b) => andOf(rangeQual(parent, key, b, true)));
    if (others.length === 0) return [];
    return [makeBoolExpr('not', [makeBoolExpr('and', [...notNulls(key), orOf(others)])])];
  }
  const { lowerdatums, upperdatums } = spec;
  const n = key.columns.length;
  const result = forDefault ? [] : notNulls(key);
  const valueOf = (d: RangeDatum | undefined): Const | null => (d === undefined || typeof d === 'string' ? null : d);
  // Leading columns whose bounds are the same must have just that value.
  let start = 0;
  for (; start < n; start++) {
    const lower = valueOf(lowerdatums[start]);
    const upper = valueOf(upperdatums[start]);
    if (lower === null || upper === null || key.compare[start]!(lower.constvalue, upper.constvalue) !== 0) break;
    if (start === n - 1) throw internalError('invalid range bound specification');
    result.push(compareKey(key, start, EQUAL, lower));
  }
  // Then (a > 1) OR (a = 1 AND b > 2) OR (a = 1 AND b = 2 AND c >= 3), and the like for the upper bound.
  const arms = (datums: readonly RangeDatum[], last: number, strict: number, inclusive: number, infinite: RangeDatum): Expr[] => {
    const list: Expr[] = [];
    for (let arm = 0; arm < n; arm++) {
      const tests: Expr[] = [];
      let more = true;
      for (let j = start; j < n; j++) {
        const value = valueOf(datums[j]);
        const next = datums[j + 1];
        const current = j - start < arm;
        if (value !== null) tests.push(compareKey(key, j, current ? EQUAL : (last !== 0 && j === n - 1) || next === infinite ? inclusive : strict, value));
        if (!current) {
          // Nothing can be said of columns behind an infinite one.
          if (value === null || valueOf(next) === null) more = false;
          break;
        }
      }
      if (tests.length > 0) list.push(andOf(tests));
      if (!more) break;
    }
    return list;
  };
  const lowerArms = arms(lowerdatums, 1, GREATER, GREATER_EQUAL, 'minvalue');
  const upperArms = arms(upperdatums, 0, LESS, LESS_EQUAL, 'maxvalue');
  if (lowerArms.length > 0) result.push(orOf(lowerArms));
  if (upperArms.length > 0) result.push(orOf(upperArms));
  if (result.length === 0) return forDefault ? notNulls(key) : [makeBoolConst(true)];
  return result;
}

/** Column numbers of one table to those of another with the same column names (map_partition_varattnos). */
export function mapToChild(quals: readonly Expr[], parent: Relation, child: Relation): Expr[] {
  const map = new Map<number, number>();
  let same = true;
  for (const a of parent.attributes) {
    if (a.attisdropped) continue;
    const own = child.attributes.find((c) => c.attname === a.attname && !c.attisdropped);
    if (own === undefined) throw internalError(`could not find column "${a.attname}" in relation "${child.name}"`);
    map.set(a.attnum, own.attnum);
    if (own.attnum !== a.attnum) same = false;
  }
  const m = (e: Expr): Expr => {
    if (e.kind !== 'Var') return expressionTreeMutator(e, m);
    if (e.varattno > 0) return { ...e, varattno: map.get(e.varattno)! };
    if (e.varattno < 0 || child.rowType === parent.rowType) return e;
    return { kind: 'ConvertRowtypeExpr', arg: { ...e, vartype: child.rowType }, resulttype: e.vartype, convertformat: 'implicit_cast', location: -1 };
  };
  return same && !quals.some(hasWholeRow) ? [...quals] : quals.map(m);
}
function hasWholeRow(e: Expr): boolean {
  let found = false;
  const walk = (node: Expr): Expr => {
    if (node.kind === 'Var' && node.varattno === 0) found = true;
    return expressionTreeMutator(node, walk);
  };
  walk(e);
  return found;
}

/** All a row of a partition must meet, those of its parents' bounds first; over its own columns (RelationGetPartitionQual). */
export function partitionQual(relation: Relation): Expr[] {
  let quals = partitionQuals.get(relation);
  if (quals === undefined) partitionQuals.set(relation, (quals = makeQual(relation)));
  return quals;
}
const partitionQuals = new WeakMap<Relation, Expr[]>();

function makeQual(relation: Relation): Expr[] {
  const bound = relation.isPartition ? partitionBoundOf(relation.oid) : undefined;
  if (bound === undefined) return [];
  const parent = openRelation(partitionParent(relation.oid));
  return mapToChild([...partitionQual(parent), ...qualFromBound(parent, bound)], parent, relation);
}
