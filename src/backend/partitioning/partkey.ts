// What a partitioned table is partitioned by (PostgreSQL's partcache.c): pg_partitioned_table with operator classes
// looked up, and the comparison or hash function of each key column.
import { internalError } from '../../common/errors.ts';
import type { Relation } from '../catalog/relation.ts';
import { BTORDER_PROC, getOpfamilyProc } from '../catalog/lsyscache.ts';
import { PartitionedRelationId, PgPartitionedTablePartrelidIndexId } from '../catalog/oids.ts';
import { lookup, opclassByOid } from '../catalog/syscache.ts';
import { compileExpr, type CompiledExpr } from '../executor/expression.ts';
import { callable, functionInfo } from '../executor/fmgr_info.ts';
import { defaultOpfamily, typeComparator, type Comparator } from '../executor/sort_support.ts';
import { makeVar } from '../nodes/makefuncs.ts';
import { exprCollation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import { evalConstExpressions } from '../optimizer/clauses.ts';
import type { Datum, Int8, Oid } from '../types/datum.ts';

export type PartitionStrategy = 'h' | 'l' | 'r';

export interface PartitionKeyColumn {
  /** 0: an expression. */
  readonly attnum: number;
  /** The Var (varno 1) or expression over the table, simplified; `written`: as it was given. */
  readonly expr: Expr;
  readonly written: Expr;
  readonly opclass: Oid;
  readonly opfamily: Oid;
  readonly opcintype: Oid;
  /** The collation rows are compared by; `typeCollation` is the expression's own. */
  readonly collation: Oid;
  readonly typeOid: Oid;
  readonly typmod: number;
  readonly typeCollation: Oid;
}

export interface PartitionKey {
  readonly strategy: PartitionStrategy;
  readonly columns: readonly PartitionKeyColumn[];
  /** Range and list: three-way comparison, column by column. */
  readonly compare: readonly Comparator[];
  /** Hash: the extended hash functions. */
  readonly hash: readonly ((value: Datum, seed: bigint) => bigint)[];
}

const keys = new WeakMap<Relation, PartitionKey>();

/** The key of a partitioned table. */
export function partitionKeyOf(relation: Relation): PartitionKey {
  let key = keys.get(relation);
  if (key === undefined) keys.set(relation, (key = readKey(relation)));
  return key;
}

function readKey(relation: Relation): PartitionKey {
  const row = lookup(PartitionedRelationId, PgPartitionedTablePartrelidIndexId, relation.oid);
  if (row === undefined) throw internalError(`cache lookup failed for partition key of relation ${relation.oid}`);
  const exprs = row.partexprs === null ? [] : stringToNode<Expr[]>(row.partexprs);
  let next = 0;
  const columns = row.partattrs.map((attnum, i): PartitionKeyColumn => {
    const a = attnum === 0 ? null : relation.attributes[attnum - 1]!;
    const written = a === null ? exprs[next++]! : makeVar(1, attnum, a.atttypid, a.atttypmod, a.attcollation, 0);
    const expr = a === null ? evalConstExpressions(written) : written;
    const opclass = opclassByOid(row.partclass[i]!);
    if (opclass === undefined) throw internalError(`cache lookup failed for opclass ${row.partclass[i]}`);
    return {
      attnum, expr, written, opclass: opclass.oid, opfamily: opclass.opcfamily, opcintype: opclass.opcintype, collation: row.partcollation[i] ?? 0,
      typeOid: exprType(expr), typmod: exprTypmod(expr), typeCollation: exprCollation(expr),
    };
  });
  const strategy = row.partstrat as PartitionStrategy;
  return {
    strategy, columns, compare: strategy === 'h' ? [] : columns.map(comparatorOf), hash: strategy === 'h' ? columns.map(hashOf) : [],
  };
}

const HASHEXTENDED_PROC = 2;

function comparatorOf(c: PartitionKeyColumn): Comparator {
  if (c.opfamily === defaultOpfamily(c.typeOid)) return typeComparator(c.typeOid, c.collation);
  const proc = getOpfamilyProc(c.opfamily, c.opcintype, c.opcintype, BTORDER_PROC);
  return callable(functionInfo(proc), [c.opcintype, c.opcintype], 23, c.collation);
}

function hashOf(c: PartitionKeyColumn): (value: Datum, seed: bigint) => bigint {
  const proc = getOpfamilyProc(c.opfamily, c.opcintype, c.opcintype, HASHEXTENDED_PROC);
  const fn = callable(functionInfo(proc), [c.typeOid, 20], 20, c.collation);
  return (value, seed) => BigInt.asUintN(64, BigInt(fn(value, BigInt.asIntN(64, seed)) as Int8));
}

const HASH_PARTITION_SEED = 0x7a5b22367996dcfdn;
const MASK = 0xffffffffffffffffn;

/** compute_partition_hash_value: the same on every machine and in PostgreSQL. */
export function partitionHash(key: PartitionKey, values: readonly Datum[]): bigint {
  let hash = 0n;
  for (let i = 0; i < key.hash.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) continue;
    // hash_combine64
    hash ^= (key.hash[i]!(value, HASH_PARTITION_SEED) + 0x49a0f4dd15e5a8e3n + (hash << 54n) + (hash >> 7n)) & MASK;
  }
  return hash & MASK;
}

const extractors = new WeakMap<PartitionKey, readonly (number | CompiledExpr)[]>();

/** FormPartitionKeyDatum: the key columns' values of a row. */
export function partitionKeyValues(key: PartitionKey, row: readonly Datum[]): Datum[] {
  let list = extractors.get(key);
  if (list === undefined) extractors.set(key, (list = key.columns.map((c) => (c.attnum > 0 ? c.attnum - 1 : compileExpr(c.expr)))));
  return list.map((x) => (typeof x === 'number' ? row[x] ?? null : x(null, row)));
}
