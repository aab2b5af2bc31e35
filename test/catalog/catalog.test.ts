import test from 'ava';
import { catalogFind, catalogScanAll, catalogUpdate, catalogInsert } from '../../src/backend/catalog/indexing.ts';
import { catalogRelation } from '../../src/backend/catalog/catalog_relations.ts';
import { performDeletion } from '../../src/backend/catalog/dependency.ts';
import { functionCandidates, operatorCandidates, operatorNameGetOprid } from '../../src/backend/catalog/func_candidates.ts';
import { heapCreateWithCatalog, type ColumnSpec } from '../../src/backend/catalog/heap.ts';
import { indexCreate } from '../../src/backend/catalog/index.ts';
import { grantOnObject, objectAclcheck } from '../../src/backend/catalog/aclchk.ts';
import * as ids from '../../src/backend/catalog/oids.ts';
import { fetchSearchPath, rangeVarGetRelid, relationIsVisible, splitIdentifierString } from '../../src/backend/catalog/namespace.ts';
import { objectAddress } from '../../src/backend/catalog/pg_depend.ts';
import { createComments, getComment } from '../../src/backend/catalog/pg_description.ts';
import { getObjectDescription } from '../../src/backend/catalog/objectaddress.ts';
import { chooseConstraintName, createConstraintEntry, makeObjectName } from '../../src/backend/catalog/pg_constraint.ts';
import { namespaceCreate } from '../../src/backend/catalog/pg_namespace.ts';
import { storeAttrDefault } from '../../src/backend/catalog/pg_attrdef.ts';
import { openRelation, tryOpenRelation } from '../../src/backend/catalog/relcache.ts';
import { CATALOGS } from '../../src/backend/catalog/schema.ts';
import * as sys from '../../src/backend/catalog/syscache.ts';
import { typeOperators } from '../../src/backend/catalog/lsyscache.ts';
import '../../src/backend/catalog/functions.ts';
import '../../src/backend/types/index.ts';
import { builtinNames, findBuiltin } from '../../src/backend/types/fmgr.ts';
import { builtinProcs } from '../../src/backend/catalog/builtin.ts';
import { commandCounterIncrement } from '../../src/backend/transaction/xact.ts';
import { makeConst } from '../../src/backend/nodes/makefuncs.ts';
import type { PgError } from '../../src/common/errors.ts';
import { notices, openSite, transaction } from './site.ts';

const site = openSite();
test.after.always(() => site.remove());

const column = (name: string, typeOid: number, more: Partial<ColumnSpec> = {}): ColumnSpec =>
  ({ name, typeOid, typmod: -1, collation: typeOid === ids.TEXTOID ? ids.DEFAULT_COLLATION_OID : 0, ...more });
const createTable = (name: string, columns: ColumnSpec[], namespace = ids.PG_PUBLIC_NAMESPACE): number =>
  heapCreateWithCatalog({ name, namespace, owner: 10, relkind: 'r', persistence: 'p', columns }).relation;
const table = (oid: number): { oid: number; namespace: number; owner: number; persistence: 'p'; kind: string } =>
  ({ oid, namespace: ids.PG_PUBLIC_NAMESPACE, owner: 10, persistence: 'p', kind: 'r' });

test.serial('the catalogs describe themselves', (t) => {
  transaction(() => {
    for (const c of CATALOGS) {
      const row = sys.classByOid(c.oid)!;
      t.is(row.relname, c.name);
      t.deepEqual(sys.attributesOf(c.oid).filter((a) => a.attnum > 0).map((a) => a.attname), c.columns.map((k) => k.name));
      t.deepEqual(sys.indexesOf(c.oid).map((i) => i.indexrelid).sort((a, b) => a - b), c.indexes.map((i) => i.oid).sort((a, b) => a - b));
    }
  });
});

test.serial('every row of every catalog is found by every index', (t) => {
  transaction(() => {
    for (const c of CATALOGS) {
      const rel = catalogRelation(c.oid)!;
      const rows = catalogScanAll(c.oid) as unknown as Record<string, unknown>[];
      for (const info of rel.indexes) {
        t.is(catalogFind(c.oid, info.indexrelid, []).length, rows.length, info.index.name);
        const row = rows[Math.floor(rows.length / 2)];
        if (!row) continue;
        const keys = info.keyAttributes.map((n) => row[rel.attributes[n - 1]!.attname]);
        if (keys.some((k) => typeof k === 'object')) continue;
        t.true(catalogFind(c.oid, info.indexrelid, keys as string[]).length > 0, info.index.name);
      }
    }
  });
});

test.serial('memory and table agree on built-in functions', (t) => {
  transaction(() => {
    const rows = catalogScanAll(ids.ProcedureRelationId);
    t.is(rows.length, builtinProcs.length);
    for (const row of rows) t.deepEqual(builtinProcs.byOid(row.oid), row);
  });
});

test.serial('look-ups by name', (t) => {
  transaction(() => {
    t.is(sys.typeByName('int4', 11)?.oid, ids.INT4OID);
    t.is(sys.castBySourceTarget(ids.INT4OID, ids.INT8OID)?.castfunc, 481);
    t.is(operatorNameGetOprid(['='], ids.INT4OID, ids.INT4OID), ids.INT4_EQ_OP);
    t.true(operatorCandidates(['-'], 'l').length > 5);
    t.is(functionCandidates(['pg_catalog', 'lower'], 1).length, 3);
    t.deepEqual(fetchSearchPath(true), [ids.PG_CATALOG_NAMESPACE, ids.PG_PUBLIC_NAMESPACE]);
    t.is(rangeVarGetRelid({ relname: 'pg_class' }), ids.RelationRelationId);
    t.is(typeOperators(ids.INT4ARRAYOID).ltOpr, ids.ARRAY_LT_OP);
    t.is(typeOperators(ids.POINTOID).eqOpr, 0);
  });
  t.throws(() => transaction(() => rangeVarGetRelid({ relname: 'nowhere' })), { message: 'relation "nowhere" does not exist' });
  t.throws(() => transaction(() => rangeVarGetRelid({ schemaname: 'no', relname: 'where' })), { message: 'schema "no" does not exist' });
  t.throws(() => transaction(() => rangeVarGetRelid({ catalogname: 'other', schemaname: 'no', relname: 'where' })),
    { message: 'cross-database references are not implemented: "other.no.where"' });
});

test.serial('functions by named arguments and defaults', (t) => {
  transaction(() => {
    const [named] = functionCandidates(['make_interval'], 2, { argnames: ['days', 'hours'], expandDefaults: true });
    t.deepEqual(named!.argnumbers, [3, 4, 0, 1, 2, 5, 6]);
    t.is(named!.ndargs, 5);
    t.is(functionCandidates(['make_interval'], 2, { argnames: ['days', 'eggs'], expandDefaults: true }).length, 0);
    const variadic = functionCandidates(['concat'], 3, { expandVariadic: true });
    t.deepEqual(variadic[0]!.args, [ids.ANYOID, ids.ANYOID, ids.ANYOID]);
  });
});

test.serial('a table, its row type, and dropping it', (t) => {
  transaction(() => {
    const oid = createTable('t', [column('a', ids.INT4OID, { notNull: true }), column('b', ids.TEXTOID)]);
    t.is(rangeVarGetRelid({ relname: 't' }, true), 0); // not before the next command
    commandCounterIncrement();
    t.is(rangeVarGetRelid({ relname: 't' }), oid);
    const relation = openRelation(oid);
    t.deepEqual(relation.attributes.map((a) => [a.attname, a.atttypid, a.attnotnull]), [['a', 23, true], ['b', 25, false]]);
    t.is(sys.typeByName('_t', ids.PG_PUBLIC_NAMESPACE)?.typelem, relation.rowType);
    t.throws(() => createTable('t', []), { message: 'relation "t" already exists' });
    const other = createTable('u', [column('x', relation.rowType)]);
    commandCounterIncrement();
    t.true(relationIsVisible(other));
    const error = t.throws(() => performDeletion(objectAddress(ids.RelationRelationId, oid), 'restrict')) as unknown as PgError;
    t.is(error.message, 'cannot drop table t because other objects depend on it');
    t.is(error.fields.detail, 'column x of table u depends on type t');
    notices.length = 0;
    performDeletion(objectAddress(ids.RelationRelationId, oid), 'cascade');
    t.is(notices[0]?.message, 'drop cascades to column x of table u');
    t.true(openRelation(other).attributes[0]!.attisdropped);
    t.is(tryOpenRelation(oid), undefined);
    t.is(sys.typeByName('t', ids.PG_PUBLIC_NAMESPACE), undefined);
    performDeletion(objectAddress(ids.RelationRelationId, other), 'restrict');
  });
  transaction(() => t.is(rangeVarGetRelid({ relname: 'u' }, true), 0));
});

test.serial('a rolled back table is forgotten', (t) => {
  t.throws(() => transaction(() => {
    createTable('gone', [column('a', ids.INT4OID)]);
    commandCounterIncrement();
    t.not(rangeVarGetRelid({ relname: 'gone' }), 0);
    throw new Error('no');
  }), { message: 'no' });
  transaction(() => t.is(rangeVarGetRelid({ relname: 'gone' }, true), 0));
});

test.serial('columns that cannot be', (t) => {
  const create = (...columns: ColumnSpec[]) => () => transaction(() => createTable('bad', columns));
  t.throws(create(column('ctid', ids.INT4OID)), { message: 'column name "ctid" conflicts with a system column name' });
  t.throws(create(column('a', ids.ANYELEMENTOID)), { message: 'column "a" has pseudo-type anyelement' });
  t.throws(create(column('a', ids.INT4OID), column('a', ids.INT4OID)), { message: 'column "a" specified more than once' });
  t.throws(create(...Array.from({ length: 1601 }, (_, i) => column(`c${i}`, ids.INT4OID))), { message: 'tables can have at most 1600 columns' });
});

test.serial('primary key, foreign key, default', (t) => {
  transaction(() => {
    const pk = createTable('pk', [column('id', ids.INT4OID)]);
    const fk = createTable('fk', [column('id', ids.INT4OID)]);
    commandCounterIncrement();
    const key = [{ attnum: 1, name: 'id', typeOid: ids.INT4OID, collation: 0, opclass: ids.INT4_BTREE_OPS_OID, option: 0 }];
    const { index, constraint } = indexCreate({ table: table(pk), name: 'pk_pkey', accessMethod: ids.BTREE_AM_OID, columns: key, keyCount: 1,
      unique: true, primary: true, constraint: { type: 'p' } });
    commandCounterIncrement();
    createConstraintEntry({ conname: chooseConstraintName('fk', 'id', 'fkey', ids.PG_PUBLIC_NAMESPACE), connamespace: ids.PG_PUBLIC_NAMESPACE, contype: 'f',
      conrelid: fk, conkey: [1], confrelid: pk, confkey: [1], conindid: index, conpfeqop: [ids.INT4_EQ_OP], conppeqop: [ids.INT4_EQ_OP],
      conffeqop: [ids.INT4_EQ_OP], confupdtype: 'a', confdeltype: 'c', confmatchtype: 's' });
    storeAttrDefault(fk, 1, makeConst(ids.INT4OID, -1, 0, 7));
    commandCounterIncrement();
    const relation = openRelation(pk);
    t.is(relation.indexes[0]?.index.name, 'pk_pkey');
    t.true(relation.indexes[0]?.primary);
    t.is(relation.referencedBy[0]?.name, 'fk_id_fkey');
    t.is(openRelation(fk).foreignKeys[0]?.onDelete, 'c');
    t.like(openRelation(fk).defaults.get(1), { kind: 'Const', constvalue: 7 });
    t.is(getObjectDescription(objectAddress(ids.ConstraintRelationId, constraint)), 'constraint pk_pkey on table pk');
    const index_ = t.throws(() => performDeletion(objectAddress(ids.RelationRelationId, index), 'restrict')) as unknown as PgError;
    t.is(index_.message, 'cannot drop index pk_pkey because constraint pk_pkey on table pk requires it');
    t.is(index_.fields.hint, 'You can drop constraint pk_pkey on table pk instead.');
    notices.length = 0;
    performDeletion(objectAddress(ids.RelationRelationId, pk), 'cascade');
    t.is(notices[0]?.message, 'drop cascades to constraint fk_id_fkey on table fk');
    performDeletion(objectAddress(ids.RelationRelationId, fk), 'restrict');
  });
});

test.serial('schemas: cascade, and what the system needs', (t) => {
  transaction(() => {
    const schema = namespaceCreate('s', 10);
    commandCounterIncrement();
    createTable('a', [column('x', ids.INT4OID)], schema);
    createTable('b', [column('x', ids.INT4OID)], schema);
    commandCounterIncrement();
    t.is(rangeVarGetRelid({ schemaname: 's', relname: 'a' }) > 0, true);
    t.throws(() => namespaceCreate('s', 10), { message: 'schema "s" already exists' });
    const error = t.throws(() => performDeletion(objectAddress(ids.NamespaceRelationId, schema), 'restrict')) as unknown as PgError;
    t.is(error.fields.detail, 'table s.a depends on schema s\ntable s.b depends on schema s');
    notices.length = 0;
    performDeletion(objectAddress(ids.NamespaceRelationId, schema), 'cascade');
    t.is(notices[0]?.message, 'drop cascades to 2 other objects');
    t.is(notices[0]?.fields.detail, 'drop cascades to table s.a\ndrop cascades to table s.b');
    t.throws(() => performDeletion(objectAddress(ids.TypeRelationId, ids.INT4OID), 'restrict'),
      { message: 'cannot drop type integer because it is required by the database system' });
  });
});

test.serial('privileges, also on built-in functions', (t) => {
  transaction(() => {
    catalogInsert(ids.AuthIdRelationId, { oid: 20000, rolname: 'joe', rolsuper: false, rolinherit: true, rolcreaterole: false, rolcreatedb: false,
      rolcanlogin: true, rolreplication: false, rolbypassrls: false, rolconnlimit: -1, rolpassword: null, rolvaliduntil: null });
    const oid = createTable('p', [column('a', ids.INT4OID)]);
    commandCounterIncrement();
    t.false(objectAclcheck(ids.RelationRelationId, oid, 20000, 2));
    grantOnObject(ids.RelationRelationId, oid, { isGrant: true, grantees: [20000], privileges: 2, grantOption: false, cascade: false });
    commandCounterIncrement();
    t.true(objectAclcheck(ids.RelationRelationId, oid, 20000, 2));
    t.deepEqual(sys.classByOid(oid)!.relacl, ['10=arwdDxt/10', '20000=r/10']);
    const call = (name: string, ...args: unknown[]): unknown => (findBuiltin(name)!.fn as (...a: unknown[]) => unknown)(...args);
    t.true(call('has_table_privilege_name_name', 'joe', 'p', 'select'));
    t.false(call('has_table_privilege_name_name', 'joe', 'p', 'insert, update'));
    t.is(call('aclitemout', '20000=r*/10'), 'joe=r*/root');
    t.is(call('aclitemin', 'joe=r*/root'), '20000=r*/10');
    const lower = 870;
    t.true(objectAclcheck(ids.ProcedureRelationId, lower, 20000, 128));
    grantOnObject(ids.ProcedureRelationId, lower, { isGrant: false, grantees: [0], privileges: 0, grantOption: false, cascade: false });
    commandCounterIncrement();
    t.false(objectAclcheck(ids.ProcedureRelationId, lower, 20000, 128));
    t.deepEqual(sys.procsByName('lower').filter((p) => p.oid === lower).map((p) => p.proacl), [['10=X/10']]);
  });
  transaction(() => {
    t.false(objectAclcheck(ids.ProcedureRelationId, 870, 20000, 128));
    t.is(sys.procsByName('lower').length, 3);
  });
});

test.serial('comments', (t) => {
  transaction(() => {
    createComments(ids.RelationRelationId, ids.RelationRelationId, 0, 'tables');
    commandCounterIncrement();
    t.is(getComment(ids.RelationRelationId, ids.RelationRelationId, 0), 'tables');
    t.is((findBuiltin('sql_obj_description_oid_name')!.fn as (...a: unknown[]) => unknown)({ functionOid: 1215 }, 177, 'pg_proc'), 'implementation of + operator');
  });
});

test.serial('one command does not change a row twice', (t) => {
  t.throws(() => transaction(() => {
    const [tuple] = catalogFind(ids.RelationRelationId, ids.PgClassOidIndexId, [ids.RelationRelationId]);
    catalogUpdate(ids.RelationRelationId, tuple!, { reltuples: 5 });
    const [again] = catalogFind(ids.RelationRelationId, ids.PgClassOidIndexId, [ids.RelationRelationId]);
    catalogUpdate(ids.RelationRelationId, again!, { relpages: 5 });
  }), { message: /already updated by self/ });
});

test('names', (t) => {
  t.deepEqual(splitIdentifierString('"$user", Public , "a""b"'), ['$user', 'public', 'a"b']);
  t.is(splitIdentifierString('a b'), undefined);
  t.is(splitIdentifierString('"'), undefined);
  t.is(makeObjectName('a'.repeat(60), 'b'.repeat(60), 'fkey'), `${'a'.repeat(29)}_${'b'.repeat(28)}_fkey`);
});

test('registered functions are those of pg_proc', (t) => {
  const known = new Set([...builtinProcs].map((p) => p.prosrc));
  const mine = builtinNames().filter((n) => /^(sql_|has_|pg_.*visible|aclitem)/.test(n));
  t.true(mine.length > 100);
  t.deepEqual(mine.filter((n) => !known.has(n)), []);
});
