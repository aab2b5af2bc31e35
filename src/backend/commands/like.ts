// CREATE TABLE ... (LIKE other INCLUDING ...) (transformTableLikeClause of PostgreSQL's parse_utilcmd.c).
import { PgError } from '../../common/errors.ts';
import { aclcheckRelation, notOwnerOrDenied, relkindNoun } from '../catalog/aclchk.ts';
import { rangeVarGetRelid } from '../catalog/namespace.ts';
import { getNamespaceName } from '../catalog/lsyscache.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { Relation } from '../catalog/relation.ts';
import { constraintsOf, opclassByOid, operatorByOid } from '../catalog/syscache.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { identitySequenceOf } from '../catalog/pg_depend.ts';
import type { ColumnSpec, IndexSpec, TransformedTable } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { session } from '../utils/session.ts';
import { sequenceAsOptions } from './sequence.ts';
import { mapVars } from './varmap.ts';

/** Bits of TableLikeOption. */
const LIKE = { COMMENTS: 1, COMPRESSION: 2, CONSTRAINTS: 4, DEFAULTS: 8, GENERATED: 16, IDENTITY: 32, INDEXES: 64, STATISTICS: 128, STORAGE: 256 } as const;

/** Puts what LIKE clauses say into the table's definition, each where it stands. */
export function expandLike(table: TransformedTable, _name: string): TransformedTable {
  if (table.likes.length === 0) return table;
  const columns: ColumnSpec[] = [];
  const indexes: IndexSpec[] = [];
  let next = 0;
  const later: (() => void)[] = [];
  for (const like of table.likes) {
    while (next < like.before) columns.push(table.columns[next++]!);
    const source = openSource(like.clause);
    const options = (like.clause['options'] as number | undefined) ?? 0;
    const map = new Map<number, number>();
    for (const a of source.attributes) {
      if (a.attisdropped) continue;
      columns.push(likeColumn(source, a, options));
      map.set(a.attnum, columns.length);
    }
    // Generation expressions, checks and indexes refer to columns by number: known when all columns are.
    if (options & LIKE.CONSTRAINTS) {
      for (const check of source.checks) {
        table.checks.push({ name: check.name, raw: null, expr: mapVars(check.expr, map), noInherit: check.noInherit, skipValidation: false, location: -1, inhcount: 0, islocal: true });
      }
    }
    for (const a of source.attributes) {
      const column = a.attisdropped ? undefined : columns[map.get(a.attnum)! - 1];
      if (column !== undefined && column.cookedDefault !== null && column.generated !== '') column.cookedDefault = mapVars(column.cookedDefault, map);
    }
    if (options & LIKE.INDEXES) later.push(() => { for (const index of source.indexes) indexes.push(likeIndex(source, index.indexrelid)); });
  }
  while (next < table.columns.length) columns.push(table.columns[next++]!);
  for (const run of later) run();
  if (indexes.filter((i) => i.primary).length + table.indexes.filter((i) => i.primary).length > 1) {
    throw new PgError('invalid_table_definition', `multiple primary keys for table "${_name}" are not allowed`);
  }
  return { ...table, columns, indexes: [...table.indexes, ...indexes], likes: [] };
}

function openSource(clause: RawNode): Relation {
  const source = openRelation(rangeVarGetRelid(clause['relation']));
  if (!'rvmcfp'.includes(source.kind)) throw new PgError('wrong_object_type', `relation "${source.name}" is invalid in LIKE clause`, { detail: `This operation is not supported for ${relkindNoun(source.kind)}${relkindNoun(source.kind).endsWith('x') ? 'es' : 's'}.` });
  if (!aclcheckRelation(source.oid, session.currentUser, ACL.SELECT)) throw notOwnerOrDenied(relkindNoun(source.kind), source.name);
  return source;
}

function likeColumn(source: Relation, a: Relation['attributes'][number], options: number): ColumnSpec {
  const generated = a.attgenerated !== '' && (options & LIKE.GENERATED) !== 0;
  const takesDefault = a.attgenerated === '' ? (options & LIKE.DEFAULTS) !== 0 : generated;
  const identity = a.attidentity !== '' && (options & LIKE.IDENTITY) !== 0;
  return {
    name: a.attname, typeOid: a.atttypid, typmod: a.atttypmod, collation: a.attcollation, ndims: a.attndims, notNull: a.attnotnull, rawDefault: null,
    cookedDefault: takesDefault ? source.defaults.get(a.attnum) ?? null : null, identity: identity ? a.attidentity : '', generated: generated ? 's' : '',
    inhcount: 0, islocal: true, storage: null, compression: null,
    sequence: identity ? { name: null, namespace: null, column: a.attname, typeOid: a.atttypid, forIdentity: true, options: sequenceAsOptions(identitySequenceOf(source.oid, a.attnum)) } : null,
    location: -1,
  };
}

/** The same index for another table: names are chosen anew. */
function likeIndex(source: Relation, oid: number): IndexSpec {
  const info = source.indexes.find((i) => i.indexrelid === oid)!;
  const constraint = constraintsOf(source.oid).find((c) => c.conindid === oid && (c.contype === 'p' || c.contype === 'u' || c.contype === 'x'));
  const ordered = info.accessMethod === 'btree';
  if (info.expressions.length > 0 || info.predicate !== null) throw new PgError('feature_not_supported', 'LIKE INCLUDING INDEXES with an expression or partial index is not supported');
  return {
    name: null, primary: info.primary, unique: info.unique, nullsNotDistinct: info.nullsNotDistinct, isConstraint: constraint !== undefined, accessMethod: info.accessMethod,
    keys: info.keyAttributes.slice(0, info.keyCount).map((attnum, i) => ({
      name: source.attributes[attnum - 1]!.attname, expr: null, opclass: ['pg_catalog', opclassByOid(info.columns[i]!.opclass)!.opcname], collation: null,
      ordering: info.columns[i]!.descending ? 'SORTBY_DESC' : 'SORTBY_DEFAULT', nullsOrdering: !ordered ? 'SORTBY_NULLS_DEFAULT' : info.columns[i]!.nullsFirst ? 'SORTBY_NULLS_FIRST' : 'SORTBY_NULLS_LAST',
    })),
    including: info.keyAttributes.slice(info.keyCount).map((n) => source.attributes[n - 1]!.attname), where: null, deferrable: constraint?.condeferrable ?? false,
    initDeferred: constraint?.condeferred ?? false, options: [], tablespace: null, exclusion: info.exclusion?.map((o) => operatorByOid(o)!).map((o) => [getNamespaceName(o.oprnamespace)!, o.oprname]) ?? null, existingIndex: null, comment: null, location: -1,
  };
}
