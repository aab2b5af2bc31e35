// Partitioned tables and partitions as CREATE TABLE makes them: the partition key, the bound of a partition, and what the
// default partition must not have when another takes rows from it (parts of PostgreSQL's tablecmds.c, heap.c and
// parse_utilcmd.c). ATTACH and DETACH are in attach_partition.ts.
import { PgError } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import { recordDependencyOnSingleRelExpr } from '../catalog/expr_references.ts';
import { formatType } from '../catalog/format_type.ts';
import { catalogInsert, catalogUpdateByKey } from '../catalog/indexing.ts';
import { getDefaultOpClass, getNamespaceName, getType } from '../catalog/lsyscache.ts';
import { getCollationOid } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { systemColumnByName } from '../catalog/pg_class.ts';
import { objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { compileExpr } from '../executor/expression.ts';
import { forEachRow } from '../executor/index_keys.ts';
import { equal } from '../nodes/equalfuncs.ts';
import { exprCollation, exprLocation, exprType } from '../nodes/nodeFuncs.ts';
import { nodeToString } from '../nodes/outfuncs.ts';
import type { Const, Expr } from '../nodes/primnodes.ts';
import { evalConstExpressions } from '../optimizer/clauses.ts';
import { coerceToTargetType } from '../parser/parse_coerce.ts';
import { assignExprCollations } from '../parser/parse_collate.ts';
import { transformExpr } from '../parser/parse_expr.ts';
import { makeParseState, parserError, withErrorPosition, type ParseState } from '../parser/parse_node.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { checkNewBound, emptyBound, type PartitionBound, type RangeDatum } from '../partitioning/partbounds.ts';
import { defaultPartitionOf, partitionDescOf, partitionTree } from '../partitioning/partdesc.ts';
import { partitionKeyOf, type PartitionKey, type PartitionKeyColumn, type PartitionStrategy } from '../partitioning/partkey.ts';
import { mapToChild, qualFromBound } from '../partitioning/partqual.ts';
import { provenBy } from '../partitioning/implied.ts';
import { rangeBoundText } from '../rewrite/ruleutils/boundtext.ts';
import { partitionColumnText } from '../rewrite/ruleutils/partitiondef.ts';
import type { Oid } from '../types/datum.ts';
import { collectVars, containsVolatile, relationParseState } from './constraints.ts';
import { resolveOpclass } from './indexcmds.ts';
import { makeAndsExplicit } from '../nodes/makefuncs.ts';

const ACCESS_EXCLUSIVE_LOCK = 8;
const MAX_KEYS = 32;

// ---- the key

const STRATEGIES: Readonly<Record<string, PartitionStrategy>> = { PARTITION_STRATEGY_LIST: 'l', PARTITION_STRATEGY_RANGE: 'r', PARTITION_STRATEGY_HASH: 'h' };

interface KeyColumn { attnum: number; expr: Expr | null; opclass: Oid; collation: Oid }

/** Analyzes PARTITION BY and puts it into the catalogs (transformPartitionSpec, ComputePartitionAttrs, StorePartitionKey). */
export function makePartitionKey(oid: Oid, spec: RawNode, text: string): void {
  const relation = openRelation(oid);
  const strategy = STRATEGIES[spec['strategy'] as string]!;
  const elements = (spec['partParams'] ?? []) as RawNode[];
  if (strategy === 'l' && elements.length !== 1) throw new PgError('invalid_object_definition', 'cannot use "list" partition strategy with more than one column');
  if (elements.length > MAX_KEYS) throw new PgError('too_many_columns', `cannot partition using more than ${MAX_KEYS} columns`);
  const state = makeParseState(text);
  // Errors of the expressions have no place, as in PostgreSQL.
  const columnsOnly = relationParseState(relation, '');
  const expressions = elements.map((e) => {
    if (e['expr'] === undefined) return null;
    const expr = transformExpr(columnsOnly, e['expr'] as RawNode, 'partition_expression');
    assignExprCollations(columnsOnly, expr);
    return expr;
  });
  const columns = elements.map((e, i) => keyColumn(relation, state, e, expressions[i]!, strategy, i));
  storePartitionKey(relation, strategy, columns);
}

function keyColumn(relation: Relation, state: ParseState, element: RawNode, given: Expr | null, strategy: PartitionStrategy, n: number): KeyColumn {
  const fail = (message: string, detail?: string): PgError => parserError(state, 'invalid_object_definition', message, element.location, detail === undefined ? {} : { detail });
  const generated = (name: string): PgError => fail('cannot use generated column in partition key', `Column "${name}" is a generated column.`);
  let attnum = 0;
  let typeOid: Oid;
  let collation: Oid;
  let expr = given;
  while (expr?.kind === 'CollateExpr') expr = expr.arg;
  if (expr === null) {
    const name = element['name'] as string;
    const a = relation.attributes.find((x) => x.attname === name && !x.attisdropped);
    if (a === undefined) {
      if (systemColumnByName(name)) throw fail(`cannot use system column "${name}" in partition key`);
      throw parserError(state, 'undefined_column', `column "${name}" named in partition key does not exist`, element.location);
    }
    if (a.attgenerated !== '') throw generated(a.attname);
    ({ attnum, atttypid: typeOid, attcollation: collation } = a);
  } else {
    typeOid = exprType(expr);
    collation = exprCollation(given!);
    if (getType(typeOid).typtype === 'p') throw new PgError('invalid_table_definition', `partition key column ${n + 1} has pseudo-type ${formatType(typeOid)}`);
    const vars = collectVars(expr);
    if (vars.some((v) => v.varattno < 0)) throw new PgError('invalid_object_definition', 'partition key expressions cannot contain system column references');
    for (const v of vars) {
      const a = v.varattno > 0 ? relation.attributes[v.varattno - 1] : relation.attributes.find((x) => x.attgenerated !== '' && v.varattno === 0);
      if (a !== undefined && a.attgenerated !== '') throw generated(a.attname);
    }
    if (expr.kind === 'Var' && expr.varattno > 0) {
      attnum = expr.varattno;
      expr = null;
    } else {
      const simple = evalConstExpressions(expr);
      if (containsVolatile(simple, 's')) throw new PgError('invalid_object_definition', 'functions in partition key expression must be marked IMMUTABLE');
      if (simple.kind === 'Const') throw new PgError('invalid_object_definition', 'cannot use constant expression as partition key');
    }
  }
  if (element['collation'] !== undefined) collation = getCollationOid(element['collation'] as string[]);
  if (getType(typeOid).typcollation !== 0) {
    if (collation === 0) {
      throw new PgError('indeterminate_collation', 'could not determine which collation to use for partition expression', { hint: 'Use the COLLATE clause to set the collation explicitly.' });
    }
  } else if (collation !== 0) throw new PgError('datatype_mismatch', `collations are not supported by type ${formatType(typeOid)}`);
  return { attnum, expr, collation, opclass: keyOpclass((element['opclass'] as string[] | undefined) ?? null, typeOid, strategy) };
}

function keyOpclass(names: string[] | null, typeOid: Oid, strategy: PartitionStrategy): Oid {
  const [name, method] = strategy === 'h' ? ['hash', ids.HASH_AM_OID] as const : ['btree', ids.BTREE_AM_OID] as const;
  if (names !== null) return resolveOpclass(names, typeOid, name, method, false);
  const found = getDefaultOpClass(typeOid, method);
  if (found !== 0) return found;
  throw new PgError('undefined_object', `data type ${formatType(typeOid)} has no default operator class for access method "${name}"`, {
    hint: `You must specify a ${name} operator class or define a default ${name} operator class for the data type.`,
  });
}

function storePartitionKey(relation: Relation, strategy: PartitionStrategy, columns: readonly KeyColumn[]): void {
  const exprs = columns.map((c) => c.expr).filter((e) => e !== null);
  catalogInsert(ids.PartitionedRelationId, {
    partrelid: relation.oid, partstrat: strategy, partnatts: columns.length, partdefid: 0, partattrs: columns.map((c) => c.attnum),
    partclass: columns.map((c) => c.opclass), partcollation: columns.map((c) => c.collation), partexprs: exprs.length === 0 ? null : nodeToString(exprs),
  });
  const self = objectAddress(ids.RelationRelationId, relation.oid);
  for (const c of columns) {
    recordDependencyOn(self, objectAddress(ids.OperatorClassRelationId, c.opclass), 'n');
    if (c.collation !== 0 && c.collation !== ids.DEFAULT_COLLATION_OID) recordDependencyOn(self, objectAddress(ids.CollationRelationId, c.collation), 'n');
    // A column of the key goes with the table only.
    if (c.attnum !== 0) recordDependencyOn(objectAddress(ids.RelationRelationId, relation.oid, c.attnum), self, 'i');
  }
  if (exprs.length > 0) recordDependencyOnSingleRelExpr(self, exprs, relation.oid, 'n', 'i', true);
}

/** Columns of the partition key stay as they are (has_partition_attrs). */
export function refusePartitionColumn(relation: Relation, attnum: number, verb: 'drop' | 'alter'): void {
  if (relation.kind !== 'p') return;
  const key = partitionKeyOf(relation);
  const fail = (how: string): PgError => new PgError('invalid_table_definition', `cannot ${verb} column "${relation.attributes[attnum - 1]!.attname}" because it is ${how} of relation "${relation.name}"`);
  for (const c of key.columns) {
    if (c.attnum === attnum) throw fail('part of the partition key');
    if (c.attnum === 0 && collectVars(c.expr).some((v) => v.varattno === attnum || v.varattno === 0)) throw fail('part of the partition key');
  }
}

// ---- a bound

/** What an analyzed bound needs beside it for error positions. */
export interface BoundLocations { location: number | undefined; lower: (number | undefined)[]; upper: (number | undefined)[] }

/** Analyzes FOR VALUES or DEFAULT (transformPartitionBound). */
export function transformPartitionBound(state: ParseState, parent: Relation, raw: RawNode): { bound: PartitionBound; locations: BoundLocations } {
  const key = partitionKeyOf(parent);
  const fail = (message: string, location = raw.location): PgError => parserError(state, 'invalid_table_definition', message, location);
  const locations: BoundLocations = { location: raw.location, lower: [], upper: [] };
  const empty = emptyBound(key.strategy);
  if (raw['is_default']) {
    if (key.strategy === 'h') throw new PgError('invalid_table_definition', 'a hash-partitioned table may not have a default partition');
    return { bound: { ...empty, isDefault: true }, locations };
  }
  const kinds = { h: 'hash', l: 'list', r: 'range' } as const;
  if (raw['strategy'] !== key.strategy) throw fail(`invalid bound specification for a ${kinds[key.strategy]} partition`);
  switch (key.strategy) {
    case 'h': {
      const modulus = (raw['modulus'] as number | undefined) ?? 0;
      const remainder = (raw['remainder'] as number | undefined) ?? 0;
      if (modulus <= 0) throw new PgError('invalid_table_definition', 'modulus for hash partition must be an integer value greater than zero');
      if (remainder < 0) throw new PgError('invalid_table_definition', 'remainder for hash partition must be an integer value greater than or equal to zero');
      if (remainder >= modulus) throw new PgError('invalid_table_definition', 'remainder for hash partition must be less than modulus');
      return { bound: { ...empty, modulus, remainder }, locations };
    }
    case 'l': {
      const values: Const[] = [];
      for (const node of (raw['listdatums'] ?? []) as RawNode[]) {
        const value = boundValue(state, node, key.columns[0]!, columnName(parent, key, 0));
        // 1 and 1.0 are both kept, as they were written.
        if (!values.some((c) => equal({ ...c, location: -1 }, { ...value, location: -1 }))) values.push(value);
      }
      return { bound: { ...empty, listdatums: values }, locations };
    }
    case 'r': {
      const lower = (raw['lowerdatums'] ?? []) as RawNode[];
      const upper = (raw['upperdatums'] ?? []) as RawNode[];
      if (lower.length !== key.columns.length) throw new PgError('invalid_table_definition', 'FROM must specify exactly one value per partitioning column');
      if (upper.length !== key.columns.length) throw new PgError('invalid_table_definition', 'TO must specify exactly one value per partitioning column');
      locations.lower = lower.map((n) => nodeLocation(n));
      locations.upper = upper.map((n) => nodeLocation(n));
      const datums = (list: readonly RawNode[]): RangeDatum[] => {
        const result = list.map((n, i) => rangeDatum(state, parent, key, n, i));
        checkInfinite(state, result, list);
        return result;
      };
      return { bound: { ...empty, lowerdatums: datums(lower), upperdatums: datums(upper) }, locations };
    }
  }
}

/** The leftmost place of a raw expression. */
function nodeLocation(n: RawNode): number | undefined {
  const left = (n['lexpr'] ?? (n.tag === 'TypeCast' ? n['arg'] : undefined)) as RawNode | undefined;
  const inner = left === undefined ? undefined : nodeLocation(left);
  return inner === undefined || inner < 0 ? n.location : n.location === undefined || n.location < 0 ? inner : Math.min(inner, n.location);
}

const columnName = (parent: Relation, key: PartitionKey, n: number): string => {
  const c = key.columns[n]!;
  return c.attnum > 0 ? parent.attributes[c.attnum - 1]!.attname : partitionColumnText(parent, c);
};

function rangeDatum(state: ParseState, parent: Relation, key: PartitionKey, node: RawNode, n: number): RangeDatum {
  const fields = node.tag === 'ColumnRef' ? node['fields'] as unknown[] : [];
  if (fields.length === 1 && fields[0] === 'minvalue') return 'minvalue';
  if (fields.length === 1 && fields[0] === 'maxvalue') return 'maxvalue';
  const value = boundValue(state, node, key.columns[n]!, columnName(parent, key, n));
  if (value.constvalue === null) throw new PgError('invalid_object_definition', 'cannot specify NULL in range bound');
  return value;
}

function checkInfinite(state: ParseState, datums: readonly RangeDatum[], raw: readonly RawNode[]): void {
  let kind: RangeDatum | null = null;
  datums.forEach((d, i) => {
    if (kind !== null && d !== kind) {
      const word = kind === 'minvalue' ? 'MINVALUE' : 'MAXVALUE';
      throw parserError(state, 'datatype_mismatch', `every bound following ${word} must also be ${word}`, nodeLocation(raw[i]!));
    }
    if (typeof d === 'string') kind = d;
  });
}

/** One value, of the key column's type and collation (transformPartitionBoundValue). */
function boundValue(state: ParseState, raw: RawNode, column: PartitionKeyColumn, name: string): Const {
  let value: Expr | null = transformExpr(state, raw, 'partition_bound');
  const location = exprLocation(value);
  const given = exprType(value);
  value = coerceToTargetType(state, value, given, column.typeOid, column.typmod, 'assignment', 'implicit_cast', -1);
  if (value === null) {
    throw parserError(state, 'datatype_mismatch', `specified value cannot be cast to type ${formatType(column.typeOid)} for column "${name}"`, location);
  }
  if (value.kind !== 'Const') {
    assignExprCollations(state, value);
    const whole = value;
    value = withErrorPosition(state, undefined, () => ({
      kind: 'Const', consttype: column.typeOid, consttypmod: column.typmod, constcollid: column.collation, constvalue: compileExpr(whole)(), location,
    }));
  }
  return { ...value, constcollid: column.collation, location: location < 0 ? -1 : location };
}

/** Throws when a new partition would get in the way of others. */
export function checkNewPartitionBound(state: ParseState, parent: Relation, name: string, bound: PartitionBound, locations: BoundLocations): void {
  const desc = partitionDescOf(parent);
  const key = partitionKeyOf(parent);
  checkNewBound(key, desc.oids.length === 0 ? null : desc.bounds, name, bound, {
    nameOf: (n) => openRelation(desc.oids[n]!).name, location: locations.location, lowerLocations: locations.lower, upperLocations: locations.upper,
    rangeText: rangeBoundText,
    fail: (condition, message, location, detail) => parserError(state, condition, message, location, detail === undefined ? {} : { detail }),
  });
}

/** Makes a table the partition of another: bound, mark, default partition's OID (StorePartitionBound). */
export function storePartitionBound(oid: Oid, parent: Oid, bound: PartitionBound): void {
  const stored = {
    ...bound, listdatums: bound.listdatums.map(withoutPlace), lowerdatums: bound.lowerdatums.map(withoutPlace), upperdatums: bound.upperdatums.map(withoutPlace),
  };
  catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [oid], { relispartition: true, relpartbound: nodeToString(stored as never) });
  if (bound.isDefault) updateDefaultPartition(parent, oid);
}
const withoutPlace = <T extends RangeDatum>(d: T): T => (typeof d === 'string' ? d : { ...(d as Const), location: -1 } as T);

export function updateDefaultPartition(parent: Oid, oid: Oid): void {
  catalogUpdateByKey(ids.PartitionedRelationId, ids.PgPartitionedTablePartrelidIndexId, [parent], { partdefid: oid });
}

// ---- the default partition

/** The partition's condition turned round for the default one: what is left to it when the new bound is there. */
function defaultQualWith(parent: Relation, bound: PartitionBound): Expr {
  const quals = qualFromBound(parent, bound);
  const all = makeAndsExplicit(quals)!;
  return { kind: 'BoolExpr', boolop: 'not', args: [all], location: -1 };
}

/** No row of the default partition may belong to a new one (check_default_partition_contents). */
export function checkDefaultPartitionContents(parent: Relation, bound: PartitionBound): void {
  if (bound.isDefault) return;
  const oid = defaultPartitionOf(parent);
  if (oid === 0) return;
  const partition = openRelation(oid);
  lockTable(oid, partition.name, false, ACCESS_EXCLUSIVE_LOCK);
  // NULL: a row with a NULL in a column that the bound speaks of is not the new partition's.
  const qual = defaultQualWith(parent, bound);
  const [own] = mapToChild([qual], parent, partition);
  if (provenBy(partition, [own!], true)) return;
  for (const leaf of partitionTree(partition)) {
    if (leaf.kind !== 'r') continue;
    const [mine] = mapToChild([own!], partition, leaf);
    if (leaf.oid !== partition.oid && provenBy(leaf, [mine!], true)) continue;
    scanForViolation(leaf, mine!, `updated partition constraint for default partition "${partition.name}" would be violated by some row`);
  }
}

/** A row for which the condition is false: the error. */
export function scanForViolation(table: Relation, qual: Expr, message: string): void {
  const test = compileExpr(qual);
  forEachRow(table, (row) => {
    if (test(null, row) === false) throw new PgError('check_violation', message, { schema: getNamespaceName(table.namespace) ?? '', table: table.name });
  });
}
