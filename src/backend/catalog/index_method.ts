// Which of the server's index methods an access method is: those that users make have a handler of the server's own.
import type { Oid } from '../types/datum.ts';
import * as ids from './oids.ts';
import type { IndexInfo } from './relation.ts';
import type { PgAm } from './rows.ts';

const METHODS: Readonly<Record<Oid, { name: IndexInfo['accessMethod']; oid: Oid }>> = {
  330: { name: 'btree', oid: ids.BTREE_AM_OID }, 331: { name: 'hash', oid: ids.HASH_AM_OID }, 332: { name: 'gist', oid: ids.GIST_AM_OID }, 333: { name: 'gin', oid: ids.GIN_AM_OID },
  334: { name: 'spgist', oid: ids.SPGIST_AM_OID }, 335: { name: 'brin', oid: ids.BRIN_AM_OID },
};

/** By its handler's OID; undefined: it is for tables. */
export const indexMethodOf = (am: PgAm): { name: IndexInfo['accessMethod']; oid: Oid } | undefined => METHODS[am.amhandler];
