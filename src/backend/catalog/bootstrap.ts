// Fills new environments with the system catalogs: global/ with the shared ones, a database with the others (what
// PostgreSQL's bootstrap mode and initdb do with postgres.bki). Rows and index entries are written straight into the
// store, in key order; nobody else has it open. Views and functions in SQL follow as files of catalog/sql, run by a
// backend (SQL_FILES) between catalog.ts `useSystemOids(true)` and `useSystemOids(false)`.
import { BLOCK_HEADER_BYTES, BLOCK_TARGET_BYTES, formRow, rowIdOf, type RowId } from '../access/row.ts';
import { makeLeaves } from '../access/index_run.ts';
import { encodeKey } from '../access/key.ts';
import { MAX_SLOTS } from '../access/row.ts';
import { assert } from '../../common/errors.ts';
import { META, META_FILENODE, type Batch, type WritableStore } from '../storage/store.ts';
import { icuCollationVersion } from '../types/collation.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { computedRows } from './bootstrap_rows.ts';
import type { PgTsConfigMap, PgTsDict, PgTsTemplate } from './rows.ts';
import type { BuiltinData } from './builtin.ts';
import { BuiltinTable } from './builtin.ts';
import { catalogRelation } from './catalog_relations.ts';
import { toValues } from './catalog_rows.ts';
import type { IndexInfo, Relation } from './relation.ts';
import * as ids from './oids.ts';
import { CATALOGS, FirstNormalObjectId, type CatalogDefinition, FirstUnpinnedObjectId } from './schema.ts';
import pgAggregate from './data/pg_aggregate.json' with { type: 'json' };
import pgAm from './data/pg_am.json' with { type: 'json' };
import pgAmop from './data/pg_amop.json' with { type: 'json' };
import pgAmproc from './data/pg_amproc.json' with { type: 'json' };
import pgAuthMembers from './data/pg_auth_members.json' with { type: 'json' };
import pgAuthid from './data/pg_authid.json' with { type: 'json' };
import pgCast from './data/pg_cast.json' with { type: 'json' };
import pgCollation from './data/pg_collation.json' with { type: 'json' };
import pgConversion from './data/pg_conversion.json' with { type: 'json' };
import pgDescription from './data/pg_description.json' with { type: 'json' };
import pgInitPrivs from './data/pg_init_privs.json' with { type: 'json' };
import pgLanguage from './data/pg_language.json' with { type: 'json' };
import pgNamespace from './data/pg_namespace.json' with { type: 'json' };
import pgOpclass from './data/pg_opclass.json' with { type: 'json' };
import pgOperator from './data/pg_operator.json' with { type: 'json' };
import pgOpfamily from './data/pg_opfamily.json' with { type: 'json' };
import pgProc from './data/pg_proc.json' with { type: 'json' };
import pgRange from './data/pg_range.json' with { type: 'json' };
import pgShdescription from './data/pg_shdescription.json' with { type: 'json' };
import pgTablespace from './data/pg_tablespace.json' with { type: 'json' };
import pgTsConfig from './data/pg_ts_config.json' with { type: 'json' };
import pgTsConfigMap from './data/pg_ts_config_map.json' with { type: 'json' };
import pgTsDict from './data/pg_ts_dict.json' with { type: 'json' };
import pgTsParser from './data/pg_ts_parser.json' with { type: 'json' };
import pgTsTemplate from './data/pg_ts_template.json' with { type: 'json' };
import pgType from './data/pg_type.json' with { type: 'json' };

const DATA: Readonly<Record<string, BuiltinData>> = {
  pg_aggregate: pgAggregate, pg_am: pgAm, pg_amop: pgAmop, pg_amproc: pgAmproc, pg_auth_members: pgAuthMembers,
  pg_authid: pgAuthid, pg_cast: pgCast, pg_collation: pgCollation, pg_conversion: pgConversion,
  pg_description: pgDescription, pg_init_privs: pgInitPrivs, pg_language: pgLanguage, pg_namespace: pgNamespace,
  pg_opclass: pgOpclass, pg_operator: pgOperator, pg_opfamily: pgOpfamily, pg_proc: pgProc, pg_range: pgRange,
  pg_shdescription: pgShdescription, pg_tablespace: pgTablespace, pg_ts_config: pgTsConfig,
  pg_ts_config_map: pgTsConfigMap, pg_ts_dict: pgTsDict, pg_ts_parser: pgTsParser, pg_ts_template: pgTsTemplate, pg_type: pgType,
};

/** SQL files of catalog/sql that a backend runs in template1 after bootstrapDatabase, in this order. */
export const SQL_FILES = ['system_views.sql', 'information_schema.sql'] as const;
/** Where they are. `sql_features.txt` beside them is COPY input for information_schema.sql_features. */
export const sqlFileUrl = (name: string): URL => new URL(`./sql/${name}`, import.meta.url);

/** FirstNormalTransactionId. */
const FIRST_XID = 3;

export interface SiteOptions {
  /** Name of the superuser, and its password as pg_authid keeps it (SCRAM secret), or none. */
  readonly superuser: string;
  readonly password?: string | null;
  /** LC_COLLATE and LC_CTYPE of the databases, as shown. */
  readonly collate?: string;
  readonly ctype?: string;
  /** The locale of ICU that texts are sorted by; none: by their bytes. */
  readonly icuLocale?: string | null;
}

/** Fills global/: roles, databases (template1, template0, postgres), tablespaces. */
export function bootstrapSite(store: WritableStore, options: SiteOptions): void {
  const collate = options.collate ?? 'C.UTF-8';
  fill(store, true, (c) => {
    if (c.oid === ids.DatabaseRelationId) return databaseRows(collate, options.ctype ?? collate, options.icuLocale ?? null);
    const rows = generatedRows(c);
    if (c.oid === ids.AuthIdRelationId) {
      return rows.map((r) => ((r as { oid: Oid }).oid === ids.BOOTSTRAP_SUPERUSERID
        ? { ...r, rolname: options.superuser, rolpassword: options.password ?? null } : r));
    }
    return rows;
  });
}

/** Fills the environment of template1; the other databases are copies of it. */
export function bootstrapDatabase(store: WritableStore): void {
  fill(store, false, (c) => (c.oid === ids.DependRelationId ? textSearchDependencies() : computedRows(c.oid) ?? generatedRows(c)));
}

/** What initdb's snowball_create.sql makes is not pinned: its templates need their functions, dictionaries their templates,
 * configurations their dictionaries. */
function textSearchDependencies(): object[] {
  const rows: object[] = [];
  const add = (classid: Oid, objid: Oid, refclassid: Oid, refobjid: Oid): void => {
    if (objid < FirstUnpinnedObjectId || refobjid < FirstUnpinnedObjectId) return;
    rows.push({ classid, objid, objsubid: 0, refclassid, refobjid, refobjsubid: 0, deptype: 'n' });
  };
  for (const t of new BuiltinTable<PgTsTemplate>(ids.TSTemplateRelationId, pgTsTemplate)) {
    for (const func of [t.tmplinit, t.tmpllexize]) add(ids.TSTemplateRelationId, t.oid, ids.ProcedureRelationId, func);
  }
  for (const d of new BuiltinTable<PgTsDict>(ids.TSDictionaryRelationId, pgTsDict)) add(ids.TSDictionaryRelationId, d.oid, ids.TSTemplateRelationId, d.dicttemplate);
  const dictionaries = new Map<Oid, Set<Oid>>();
  for (const { mapcfg, mapdict } of new BuiltinTable<PgTsConfigMap>(ids.TSConfigMapRelationId, pgTsConfigMap)) {
    const known = dictionaries.get(mapcfg);
    if (known === undefined) dictionaries.set(mapcfg, new Set([mapdict]));
    else known.add(mapdict);
  }
  for (const [config, dicts] of dictionaries) for (const dict of dicts) add(ids.TSConfigRelationId, config, ids.TSDictionaryRelationId, dict);
  return rows;
}

function generatedRows(c: CatalogDefinition): object[] {
  const data = DATA[c.name];
  return data ? [...new BuiltinTable<object>(c.oid, data)] : [];
}

function databaseRows(collate: string, ctype: string, daticulocale: string | null): object[] {
  const datcollversion = daticulocale === null ? null : icuCollationVersion(daticulocale);
  const row = { datdba: ids.BOOTSTRAP_SUPERUSERID, encoding: 6, datlocprovider: daticulocale === null ? 'c' : 'i', datistemplate: true, datallowconn: true,
    datconnlimit: -1, datfrozenxid: FIRST_XID, datminmxid: 1, dattablespace: ids.DEFAULTTABLESPACE_OID, datcollate: collate,
    datctype: ctype, daticulocale, datcollversion, datacl: null };
  const acl = ['0=c/10', '10=CTc/10'];
  return [
    { ...row, oid: ids.Template1DbOid, datname: 'template1', datacl: acl },
    { ...row, oid: ids.Template0DbOid, datname: 'template0', datallowconn: false, datcollversion: null, datacl: acl },
    { ...row, oid: ids.PostgresDbOid, datname: 'postgres', datistemplate: false },
  ];
}

function fill(store: WritableStore, shared: boolean, rowsOf: (c: CatalogDefinition) => readonly object[]): void {
  store.write((batch) => {
    putMeta(batch, META.commitSeq, 1);
    putMeta(batch, META.catalogVersion, 1);
    putMeta(batch, META.nextXid, FIRST_XID);
    putMeta(batch, META.nextOid, FirstNormalObjectId);
    const entries: Entry[] = [];
    for (const c of CATALOGS) {
      if (c.shared !== shared) continue;
      const relation = catalogRelation(c.oid)!;
      const rows = rowsOf(c).map((row) => toValues(c, row));
      const rowIds = writeBlocks(relation, rows, entries);
      for (const info of relation.indexes) writeIndex(info, rows, rowIds, entries);
    }
    entries.sort((a, b) => Buffer.compare(a.key, b.key));
    for (const e of entries) batch.put(e.key, e.value);
  });
}

interface Entry { key: Buffer; value: Uint8Array }

function putMeta(batch: Batch, name: string, value: number): void {
  const key = Buffer.alloc(4 + name.length);
  key.writeUInt32BE(META_FILENODE, 0);
  key.write(name, 4, 'latin1');
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value), 0);
  batch.put(key, bytes);
}

/** Packs rows into blocks; the row ids they get. */
function writeBlocks(relation: Relation, rows: readonly Datum[][], entries: Entry[]): RowId[] {
  const rowIds: RowId[] = [];
  let pending: Uint8Array[] = [];
  let length = BLOCK_HEADER_BYTES;
  let block = 0;
  const flush = (): void => {
    if (pending.length === 0) return;
    const bytes = Buffer.alloc(length);
    bytes[0] = 1;
    bytes.writeUInt16LE(pending.length, 2);
    let at = BLOCK_HEADER_BYTES + 2 * pending.length;
    pending.forEach((row, slot) => {
      bytes.writeUInt16LE(at, BLOCK_HEADER_BYTES + 2 * slot);
      bytes.set(row, at);
      at += row.length;
    });
    const key = Buffer.alloc(8);
    key.writeUInt32BE(relation.filenode, 0);
    key.writeUInt32BE(block, 4);
    entries.push({ key, value: bytes });
    block++;
    pending = [];
    length = BLOCK_HEADER_BYTES;
  };
  for (const values of rows) {
    const row = formRow(relation.layout, values);
    assert(row.length < BLOCK_TARGET_BYTES * 4, `row of ${relation.name} fits into a block`);
    if (length + row.length + 2 > BLOCK_TARGET_BYTES || pending.length === MAX_SLOTS) flush();
    rowIds.push(rowIdOf(block, pending.length));
    pending.push(row);
    length += row.length + 2;
  }
  flush();
  return rowIds;
}

function writeIndex(info: IndexInfo, rows: readonly Datum[][], rowIds: readonly RowId[], entries: Entry[]): void {
  const keys = rows.map((values) => encodeKey(info.columns, info.keyAttributes.map((attnum) => values[attnum - 1]!)));
  for (const { bound, bytes } of makeLeaves(keys, rowIds)) {
    const key = Buffer.alloc(4 + bound.length);
    key.writeUInt32BE(info.index.filenode, 0);
    key.write(bound, 4, 'latin1');
    entries.push({ key, value: bytes });
  }
}

