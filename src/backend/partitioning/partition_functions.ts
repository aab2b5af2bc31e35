// satisfies_hash_partition, which the conditions of hash partitions are made of.
import { PgError } from '../../common/errors.ts';
import { formatType } from '../catalog/format_type.ts';
import { isBinaryCoercible } from '../catalog/lsyscache.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { ArrayValue, Datum, Oid } from '../types/datum.ts';
import { registerBuiltins, type FunctionContext } from '../types/fmgr.ts';
import { partitionHash, partitionKeyOf } from './partkey.ts';

const invalid = (message: string): PgError => new PgError('invalid_parameter_value', message);

function satisfiesHashPartition(context: FunctionContext, parent: Oid | null, modulus: number | null, remainder: number | null, ...given: Datum[]): boolean | null {
  if (parent === null || modulus === null || remainder === null) return false;
  if (modulus <= 0) throw invalid('modulus for hash partition must be an integer value greater than zero');
  if (remainder < 0) throw invalid('remainder for hash partition must be an integer value greater than or equal to zero');
  if (remainder >= modulus) throw invalid('remainder for hash partition must be less than modulus');
  const relation = openRelation(parent);
  const key = relation.kind === 'p' ? partitionKeyOf(relation) : null;
  if (key?.strategy !== 'h') throw invalid(`"${relation.name}" is not a hash partitioned table`);
  const array = context.variadic ? given[0] as ArrayValue | null : null;
  const values = context.variadic ? (array?.values ?? []) as Datum[] : given;
  const typeAt = (i: number): Oid => (context.variadic ? array?.elementType ?? 0 : context.argTypes[i + 3] ?? 0);
  const checkType = (wanted: Oid, i: number): void => {
    const type = typeAt(i);
    if (type === wanted || (!context.variadic && isBinaryCoercible(type, wanted))) return;
    const quote = context.variadic ? '"' : '';
    throw invalid(`column ${i + 1} of the partition key has type ${quote}${formatType(wanted)}${quote}, but supplied value is of type ${quote}${formatType(type)}${quote}`);
  };
  // Elements of an array are all of one type, which is looked at first.
  if (context.variadic) key.columns.forEach((c, i) => checkType(c.typeOid, i));
  if (values.length !== key.columns.length) {
    throw invalid(`number of partitioning columns (${key.columns.length}) does not match number of partition keys provided (${values.length})`);
  }
  if (!context.variadic) key.columns.forEach((c, i) => checkType(c.typeOid, i));
  return partitionHash(key, values) % BigInt(modulus) === BigInt(remainder);
}

registerBuiltins({ context: { satisfies_hash_partition: satisfiesHashPartition as never } });
