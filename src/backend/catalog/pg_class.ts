// Rows of pg_class, pg_attribute and pg_constraint with their usual values: what heap.ts, index.ts, pg_constraint.ts
// and bootstrap fill in. Imports nothing that reads.
import type { Oid } from '../types/datum.ts';
import { internalError } from '../../common/errors.ts';
import * as ids from './oids.ts';
import type { PgAttribute, PgClass, PgConstraint } from './rows.ts';

export function classRow(fields: Pick<PgClass, 'oid' | 'relname' | 'relkind'> & Partial<PgClass>): PgClass {
  const isIndex = fields.relkind === 'i' || fields.relkind === 'I';
  return {
    relnamespace: ids.PG_CATALOG_NAMESPACE, reltype: 0, reloftype: 0, relowner: ids.BOOTSTRAP_SUPERUSERID, relam: 0,
    relfilenode: 0, reltablespace: 0, relpages: 0, reltuples: -1, relallvisible: 0, reltoastrelid: 0, relhasindex: false,
    relisshared: false, relpersistence: 'p', relnatts: 0, relchecks: 0, relhasrules: false, relhastriggers: false,
    relhassubclass: false, relrowsecurity: false, relforcerowsecurity: false, relispopulated: true,
    relreplident: isIndex || fields.relkind === 'S' || fields.relkind === 'v' || fields.relkind === 'c' ? 'n' : 'd',
    relispartition: false, relrewrite: 0, relfrozenxid: 0, relminmxid: 0, relacl: null, reloptions: null, relpartbound: null,
    ...fields,
  };
}

/** What pg_attribute takes from the column's type. */
export type TypeFacts = { oid: Oid; typlen: number; typbyval: boolean; typalign: string; typstorage: string };

export function attributeRow(type: TypeFacts, fields: Pick<PgAttribute, 'attrelid' | 'attname' | 'attnum'> & Partial<PgAttribute>): PgAttribute {
  return {
    atttypid: type.oid, attstattarget: fields.attnum < 0 ? 0 : -1, attlen: type.typlen, attndims: 0, attcacheoff: -1, atttypmod: -1,
    attbyval: type.typbyval, attalign: type.typalign, attstorage: type.typstorage, attcompression: '', attnotnull: false,
    atthasdef: false, atthasmissing: false, attidentity: '', attgenerated: '', attisdropped: false, attislocal: true,
    attinhcount: 0, attcollation: 0, attacl: null, attoptions: null, attfdwoptions: null, attmissingval: null,
    ...fields,
  };
}

export function constraintRow(fields: Pick<PgConstraint, 'oid' | 'conname' | 'connamespace' | 'contype'> & Partial<PgConstraint>): PgConstraint {
  return {
    condeferrable: false, condeferred: false, convalidated: true, conrelid: 0, contypid: 0, conindid: 0, conparentid: 0,
    confrelid: 0, confupdtype: ' ', confdeltype: ' ', confmatchtype: ' ', conislocal: true, coninhcount: 0, connoinherit: false,
    conkey: null, confkey: null, conpfeqop: null, conppeqop: null, conffeqop: null, confdelsetcols: null, conexclop: null,
    conbin: null, ...fields,
  };
}

export interface SystemColumn { readonly attname: string; readonly attnum: number; readonly atttypid: Oid }
/** The columns every table has. */
export const SYSTEM_COLUMNS: readonly SystemColumn[] = [
  { attname: 'ctid', attnum: -1, atttypid: ids.TIDOID },
  { attname: 'xmin', attnum: -2, atttypid: ids.XIDOID },
  { attname: 'cmin', attnum: -3, atttypid: ids.CIDOID },
  { attname: 'xmax', attnum: -4, atttypid: ids.XIDOID },
  { attname: 'cmax', attnum: -5, atttypid: ids.CIDOID },
  { attname: 'tableoid', attnum: -6, atttypid: ids.OIDOID },
];
export const TableOidAttributeNumber = -6, SelfItemPointerAttributeNumber = -1, MinTransactionIdAttributeNumber = -2,
  MinCommandIdAttributeNumber = -3, MaxTransactionIdAttributeNumber = -4, MaxCommandIdAttributeNumber = -5;
const systemColumns = new Map(SYSTEM_COLUMNS.map((c) => [c.attname, c]));
export const systemColumnByName = (name: string): SystemColumn | undefined => systemColumns.get(name);

const RELKIND_PLURALS: Readonly<Record<string, string>> = {
  r: 'tables', i: 'indexes', I: 'partitioned indexes', S: 'sequences', t: 'TOAST tables', v: 'views', m: 'materialized views', c: 'composite types', f: 'foreign tables', p: 'partitioned tables',
};
/** The detail of an error that refuses a kind of relation. */
export function errdetailRelkindNotSupported(relkind: string): string {
  const plural = RELKIND_PLURALS[relkind];
  if (plural === undefined) throw internalError(`unrecognized relkind: '${relkind}'`);
  return `This operation is not supported for ${plural}.`;
}
