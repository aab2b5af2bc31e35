// CREATE TABLE ... (LIKE other INCLUDING ...) (transformTableLikeClause of PostgreSQL's parse_utilcmd.c).
import { PgError } from '../../common/errors.ts';
import { aclcheckRelation, notOwnerOrDenied, relkindNoun } from '../catalog/aclchk.ts';
import { rangeVarGetRelid } from '../catalog/namespace.ts';
import { getNamespaceName } from '../catalog/lsyscache.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { Relation } from '../catalog/relation.ts';
import { createComments, getComment } from '../catalog/pg_description.ts';
import { makeObjectName } from '../catalog/pg_constraint.ts';
import { catalogScan } from '../catalog/indexing.ts';
import * as ids from '../catalog/oids.ts';
import { attributeByNumber, classByOid, constraintsOf, lookup, operatorByOid, tablespaceByOid } from '../catalog/syscache.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { identitySequenceOf } from '../catalog/pg_depend.ts';
import { transformIndexStmt, type ColumnSpec, type IndexSpec, type TransformedTable } from '../parser/parse_utilcmd.ts';
import { makeParseState, parserError, withErrorPosition } from '../parser/parse_node.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { rawParse } from '../parser/raw_parser.ts';
import { indexdef } from '../rewrite/ruleutils/indexdef.ts';
import { statisticsdef } from '../rewrite/ruleutils/miscdef.ts';
import type { Oid } from '../types/datum.ts';
import { errdetailRelkindNotSupported } from '../catalog/pg_class.ts';
import { joinColumnNames } from './names.ts';
import { createStatistics } from './statscmds.ts';
import { session } from '../utils/session.ts';
import { sequenceAsOptions } from './sequence.ts';
import { mapVars } from './varmap.ts';

/** Bits of TableLikeOption. */
const LIKE = { COMMENTS: 1, COMPRESSION: 2, CONSTRAINTS: 4, DEFAULTS: 8, GENERATED: 16, IDENTITY: 32, INDEXES: 64, STATISTICS: 128, STORAGE: 256 } as const;

const STORAGE_WORDS: Readonly<Record<string, string>> = { p: 'plain', e: 'external', x: 'extended', m: 'main' };

/** Puts what LIKE clauses say into the table's definition, each where it stands. */
export function expandLike(table: TransformedTable, tableName: string, foreign: boolean, text: string): TransformedTable {
  if (table.likes.length === 0) return table;
  const columns: ColumnSpec[] = [];
  const indexes: IndexSpec[] = [];
  let next = 0;
  const later: (() => void)[] = [];
  const after: ((table: Oid) => void)[] = [...table.after];
  for (const like of table.likes) {
    while (next < like.before) columns.push(table.columns[next++]!);
    if (foreign) throw parserError(makeParseState(text), 'feature_not_supported', 'LIKE is not supported for creating foreign tables', like.clause['relation'].location);
    const source = openSource(like.clause, text);
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
    const comments = (options & LIKE.COMMENTS) !== 0;
    if (options & LIKE.INDEXES) later.push(() => { for (const index of source.indexes) indexes.push(likeIndex(source, index.indexrelid, comments)); });
    if (comments) after.push((oid) => copyComments(source, oid, (options & LIKE.CONSTRAINTS) !== 0));
    if (options & LIKE.STATISTICS) after.push((oid) => copyStatistics(source, oid, comments));
  }
  while (next < table.columns.length) columns.push(table.columns[next++]!);
  for (const run of later) run();
  if (indexes.filter((i) => i.primary).length + table.indexes.filter((i) => i.primary).length > 1) {
    throw new PgError('invalid_table_definition', `multiple primary keys for table "${tableName}" are not allowed`);
  }
  columns.forEach(({ name }, i) => {
    if (columns.findIndex((c) => c.name === name) !== i) throw new PgError('duplicate_column', `column "${name}" specified more than once`);
  });
  return { ...table, columns, indexes: [...table.indexes, ...indexes], after, likes: [] };
}

/** Expressions that LIKE has brought count columns as the clause saw them; those of parents come before them. */
export function renumberForParents(table: TransformedTable, parents: readonly Relation[]): void {
  const inherited = [...new Set(parents.flatMap((p) => p.attributes.filter((a) => !a.attisdropped).map((a) => a.attname)))];
  const names = [...inherited, ...table.columns.map((c) => c.name).filter((name) => !inherited.includes(name))];
  const map = new Map(table.columns.map((c, i) => [i + 1, names.indexOf(c.name) + 1]));
  for (const c of table.columns) if (c.cookedDefault !== null) c.cookedDefault = mapVars(c.cookedDefault, map);
  for (const check of table.checks) if (check.expr !== null) check.expr = mapVars(check.expr, map);
}

function copyComments(source: Relation, oid: Oid, ofConstraints: boolean): void {
  const target = openRelation(oid);
  for (const a of source.attributes) {
    const own = target.attributes.find((t) => t.attname === a.attname && !t.attisdropped), comment = a.attisdropped ? null : getComment(source.oid, ids.RelationRelationId, a.attnum);
    if (own !== undefined && comment !== null) createComments(oid, ids.RelationRelationId, own.attnum, comment);
  }
  if (!ofConstraints) return;
  for (const check of source.checks) {
    const comment = getComment(check.oid, ids.ConstraintRelationId, 0), own = target.checks.find((c) => c.name === check.name);
    if (comment !== null && own !== undefined) createComments(own.oid, ids.ConstraintRelationId, 0, comment);
  }
}

/** Extended statistics, under names of their own (ChooseExtendedStatisticName). */
function copyStatistics(source: Relation, oid: Oid, comments: boolean): void {
  const { name, namespace } = openRelation(oid);
  const schema = getNamespaceName(namespace)!;
  for (const s of catalogScan(ids.StatisticExtRelationId, ids.PgStatisticExtRelidIndexId, [source.oid])) {
    const text = statisticsdef(s.oid, false)!;
    const columns = [...s.stxkeys.map((n) => source.attributes[n - 1]!.attname), ...(s.stxexprs === null ? [] : ['expr'])];
    const comment = comments ? getComment(s.oid, ids.StatisticExtRelationId, 0) : null;
    let chosen = makeObjectName(name, joinColumnNames(columns), 'stat');
    for (let n = 1; lookup(ids.StatisticExtRelationId, ids.PgStatisticExtNameIndexId, chosen, namespace) !== undefined; n++) chosen = makeObjectName(name, joinColumnNames(columns), `stat${n}`);
    createStatistics({
      ...rawParse(text)[0]!.stmt, defnames: [schema, chosen], relations: [{ tag: 'RangeVar', schemaname: schema, relname: name, inh: true, relpersistence: 'p' }],
      ...(comment === null ? {} : { stxcomment: comment }),
    }, text);
  }
}

function openSource(clause: RawNode, text: string): Relation {
  const source = openRelation(withErrorPosition(makeParseState(text), clause['relation'].location, () => rangeVarGetRelid(clause['relation'])));
  if (!'rvmcfp'.includes(source.kind)) throw parserError(makeParseState(text), 'wrong_object_type', `relation "${source.name}" is invalid in LIKE clause`, clause['relation'].location, { detail: errdetailRelkindNotSupported(source.kind) });
  if (!aclcheckRelation(source.oid, session.currentUser, ACL.SELECT)) throw notOwnerOrDenied(relkindNoun(source.kind), source.name);
  return source;
}

function likeColumn(source: Relation, a: Relation['attributes'][number], options: number): ColumnSpec {
  const row = attributeByNumber(source.oid, a.attnum)!;
  const generated = a.attgenerated !== '' && (options & LIKE.GENERATED) !== 0;
  const takesDefault = a.attgenerated === '' ? (options & LIKE.DEFAULTS) !== 0 : generated;
  const identity = a.attidentity !== '' && (options & LIKE.IDENTITY) !== 0;
  return {
    name: a.attname, typeOid: a.atttypid, typmod: a.atttypmod, collation: a.attcollation, ndims: a.attndims, notNull: a.attnotnull, rawDefault: null,
    cookedDefault: takesDefault ? source.defaults.get(a.attnum) ?? null : null, identity: identity ? a.attidentity : '', generated: generated ? 's' : '',
    inhcount: 0, islocal: true, storage: options & LIKE.STORAGE ? STORAGE_WORDS[row.attstorage] ?? null : null,
    compression: options & LIKE.COMPRESSION ? { p: 'pglz', l: 'lz4' }[row.attcompression] ?? null : null,
    sequence: identity ? { name: null, namespace: null, column: a.attname, typeOid: a.atttypid, forIdentity: true, options: sequenceAsOptions(identitySequenceOf(source.oid, a.attnum)) } : null,
    location: -1,
  };
}

/** The same index for another table: names are chosen anew. What it is over goes by names, which both tables share. */
function likeIndex(source: Relation, oid: number, comments: boolean): IndexSpec {
  const info = source.indexes.find((i) => i.indexrelid === oid)!;
  const constraint = constraintsOf(source.oid).find((c) => c.conindid === oid && (c.contype === 'p' || c.contype === 'u' || c.contype === 'x'));
  return {
    ...transformIndexStmt(rawParse(indexdef(oid, 0)!)[0]!.stmt), name: null, tablespace: tablespaceByOid(classByOid(oid)!.reltablespace)?.spcname ?? null,
    comment: comments ? getComment(oid, ids.RelationRelationId, 0) : null, commentOnIndex: true, primary: info.primary, isConstraint: constraint !== undefined,
    deferrable: constraint?.condeferrable ?? false, initDeferred: constraint?.condeferred ?? false,
    exclusion: info.exclusion?.map((o) => operatorByOid(o)!).map((o) => [getNamespaceName(o.oprnamespace)!, o.oprname]) ?? null,
  };
}
