// Which of the server's index methods an access method is: those that users make have a handler of the server's own.
import type { Oid } from '../types/datum.ts';
import * as ids from './oids.ts';
import type { IndexInfo } from './relation.ts';
import type { PgAm } from './rows.ts';
import { FirstNormalObjectId } from './schema.ts';
import { amByOid, amopsByFamily, amprocsByFamily, opclassByOid, opclassesOf } from './syscache.ts';

const METHODS: Readonly<Record<Oid, { name: IndexInfo['accessMethod']; oid: Oid }>> = {
  330: { name: 'btree', oid: ids.BTREE_AM_OID }, 331: { name: 'hash', oid: ids.HASH_AM_OID }, 332: { name: 'gist', oid: ids.GIST_AM_OID }, 333: { name: 'gin', oid: ids.GIN_AM_OID },
  334: { name: 'spgist', oid: ids.SPGIST_AM_OID }, 335: { name: 'brin', oid: ids.BRIN_AM_OID },
};

/** By its handler's OID; undefined: it is for tables. */
export const indexMethodOf = (am: PgAm): { name: IndexInfo['accessMethod']; oid: Oid } | undefined => METHODS[am.amhandler];

/** The built-in operator class that one of a user's repeats, as far as it goes: the same type, functions and operators; 0: none. */
export function builtinOpclassLike(opclass: Oid): Oid {
  if (opclass < FirstNormalObjectId) return opclass;
  const { opcfamily, opcintype, opcmethod } = opclassByOid(opclass)!;
  const method = indexMethodOf(amByOid(opcmethod)!)!.oid;
  const functions = amprocsByFamily(opcfamily).filter((p) => p.amproclefttype === opcintype), operators = amopsByFamily(opcfamily).filter((o) => o.amoplefttype === opcintype);
  return opclassesOf(method).find((c) => c.oid < FirstNormalObjectId && c.opcintype === opcintype
    && functions.every((p) => amprocsByFamily(c.opcfamily).some((b) => b.amprocnum === p.amprocnum && b.amproc === p.amproc && b.amproclefttype === p.amproclefttype))
    && operators.every((o) => amopsByFamily(c.opcfamily).some((b) => b.amopstrategy === o.amopstrategy && b.amopopr === o.amopopr)))?.oid ?? 0;
}
