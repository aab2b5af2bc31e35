// Advisory locks, and who holds or waits for what: pg_advisory_lock and its like, pg_locks, pg_blocking_pids (PostgreSQL's
// lockfuncs.c). Locks of the database are known to its transaction manager, those of shared catalogs to global's.
import { catalogFindByFilenode } from '../catalog/relation_map.ts';
import { client, sharedClient } from '../transaction/client.ts';
import type { LockStatus, LockTarget } from '../transaction/messages.ts';
import { requireLocks } from '../transaction/xact.ts';
import { ArrayValue, makeArray, type Datum, type Int8 } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { INT4OID } from '../types/oids.ts';
import { sendWarning, session } from '../utils/session.ts';
import { rowMaker } from './set_results.ts';

type Key = { key1: number; key2: number; key3: number };

const big = (key: Int8): Key => {
  const value = BigInt.asUintN(64, BigInt(key));
  return { key1: Number(value >> 32n), key2: Number(value & 0xffffffffn), key3: 1 };
};
const pair = (a: number, b: number): Key => ({ key1: a >>> 0, key2: b >>> 0, key3: 2 });
/** What functions of type void give. */
const VOID = '';

function lock(key: Key, shared: boolean, perSession: boolean): Datum {
  requireLocks();
  client.acquireLock(target(key, shared, perSession), 'block');
  return VOID;
}
function tryLock(key: Key, shared: boolean, perSession: boolean): boolean {
  requireLocks();
  return client.tryLock(target(key, shared, perSession));
}
const target = (key: Key, shared: boolean, perSession: boolean): LockTarget => ({ kind: 'advisory', ...key, shared, session: perSession });

function unlock(key: Key, shared: boolean): boolean {
  requireLocks();
  const held = client.unlockAdvisory(key.key1, key.key2, key.key3, shared);
  if (!held) warnNotHeld(shared ? 'ShareLock' : 'ExclusiveLock');
  return held;
}

function warnNotHeld(mode: string): void {
  sendWarning('warning', `you don't own a lock of type ${mode}`);
}

const forms: Record<string, (...args: any[]) => Datum> = {};
for (const [suffix, key] of [['int8', big], ['int4', pair]] as const) {
  const of = key as (...args: any[]) => Key;
  for (const [shared, word] of [[false, ''], [true, '_shared']] as const) {
    forms[`pg_advisory_lock${word}_${suffix}`] = (...a) => lock(of(...a), shared, true);
    forms[`pg_try_advisory_lock${word}_${suffix}`] = (...a) => tryLock(of(...a), shared, true);
    forms[`pg_advisory_xact_lock${word}_${suffix}`] = (...a) => lock(of(...a), shared, false);
    forms[`pg_try_advisory_xact_lock${word}_${suffix}`] = (...a) => tryLock(of(...a), shared, false);
    forms[`pg_advisory_unlock${word}_${suffix}`] = (...a) => unlock(of(...a), shared);
  }
}

function* lockRows(status: readonly LockStatus[], database: number, named: (values: Record<string, Datum | undefined>) => Datum): Generator<Datum> {
  for (const l of status) {
    const relation = l.locktype === 'tuple' ? catalogFindByFilenode(l.relation)?.oid ?? l.relation : l.relation;
    yield named({
      locktype: l.locktype, database: l.locktype === 'transactionid' ? null : database,
      relation: l.locktype === 'relation' || l.locktype === 'tuple' ? relation : null,
      page: l.locktype === 'tuple' ? Math.floor(l.row / 65536) : null, tuple: l.locktype === 'tuple' ? l.row % 65536 : null,
      transactionid: l.locktype === 'transactionid' ? l.xid : null,
      ...(l.locktype === 'advisory' || l.locktype === 'object' ? { classid: l.classid, objid: l.objid, objsubid: l.objsubid } : {}),
      virtualtransaction: l.preparedXid !== 0 ? `-1/${l.preparedXid}` : `${l.pid}/0`, pid: l.preparedXid !== 0 ? null : l.pid, mode: l.mode, granted: l.granted, fastpath: false,
      waitstart: l.granted ? null : Math.round((l.waitStartMs - 946684800000) * 1000),
    });
  }
}

const blockers = (pid: number): number[] => [...new Set([...client.blockingPids(pid), ...sharedClient.blockingPids(pid)])];

registerBuiltins({
  pure: {
    ...forms,
    pg_advisory_unlock_all: () => {
      client.unlockAllAdvisory();
      return VOID;
    },
    pg_blocking_pids: (pid: number) => makeArray(INT4OID, blockers(pid)),
    pg_safe_snapshot_blocking_pids: () => makeArray(INT4OID, []),
    pg_isolation_test_session_is_blocked: (pid: number, interesting: ArrayValue) => blockers(pid).some((b) => interesting.values.includes(b)),
  },
  set: {
    * pg_lock_status(context) {
      const { named } = rowMaker(context);
      // Every transaction holds itself.
      const self = `${session.pid}/0`;
      yield named({ locktype: 'virtualxid', virtualxid: self, virtualtransaction: self, pid: session.pid, mode: 'ExclusiveLock', granted: true, fastpath: true });
      yield* lockRows(client.lockStatus(), session.databaseOid, named);
      // A prepared transaction has an id of its own in global/, which is nobody's business.
      yield* lockRows(sharedClient.lockStatus().filter((l) => l.locktype !== 'transactionid' || l.preparedXid === 0), 0, named);
    },
  },
});
