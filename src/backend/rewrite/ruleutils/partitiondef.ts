// Partition keys and bounds as SQL text: pg_get_partkeydef, pg_get_expr of a bound, pg_get_partition_constraintdef.
import { quoteIdentifier } from '../../catalog/quote.ts';
import { tryOpenRelation } from '../../catalog/relcache.ts';
import type { Relation } from '../../catalog/relation.ts';
import { makeAndsExplicit } from '../../nodes/makefuncs.ts';
import { partitionKeyOf, type PartitionKey, type PartitionKeyColumn } from '../../partitioning/partkey.ts';
import { partitionQual } from '../../partitioning/partqual.ts';
import type { Oid } from '../../types/datum.ts';
import { PRETTY_INDENT, prettyFlags } from './context.ts';
import { expressionText } from './exprdef.ts';
import { relationNamespace } from './names.ts';
import { collationName, opclassSuffix } from './object_names.ts';
import { looksLikeFunction } from './simple_node.ts';

/** One column of a key, an expression in parentheses unless it is a function call. */
export function partitionColumnText(relation: Relation, c: PartitionKeyColumn, flags = PRETTY_INDENT): string {
  if (c.attnum > 0) return quoteIdentifier(relation.attributes[c.attnum - 1]!.attname);
  const text = expressionText(c.written, { namespaces: [relationNamespace(relation.oid)], flags });
  return looksLikeFunction(c.written) ? text : `(${text})`;
}

/** The columns alone, as messages show them: (a, (b + 1)). */
export const partitionColumnsText = (relation: Relation, key: PartitionKey): string => key.columns.map((c) => partitionColumnText(relation, c, prettyFlags(true))).join(', ');

const WORDS = { h: 'HASH', l: 'LIST', r: 'RANGE' } as const;

/** pg_get_partkeydef; null: not a partitioned table. */
export function partkeydef(oid: Oid): string | null {
  const relation = tryOpenRelation(oid);
  if (relation === undefined || relation.kind !== 'p') return null;
  const key = partitionKeyOf(relation);
  const columns = key.columns.map((c) => {
    const collate = c.collation !== 0 && c.collation !== c.typeCollation ? ` COLLATE ${collationName(c.collation)}` : '';
    return partitionColumnText(relation, c) + collate + opclassSuffix(c.opclass, c.typeOid);
  });
  return `${WORDS[key.strategy]} (${columns.join(', ')})`;
}

/** pg_get_partition_constraintdef; null: there is none. */
export function partitionConstraintdef(oid: Oid): string | null {
  const relation = tryOpenRelation(oid);
  const qual = relation === undefined || !relation.isPartition || (relation.kind !== 'r' && relation.kind !== 'p') ? null : makeAndsExplicit(partitionQual(relation));
  return qual === null ? null : expressionText(qual, { namespaces: [relationNamespace(oid)], flags: PRETTY_INDENT });
}
