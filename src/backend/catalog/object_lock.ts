// Locks on objects that are not relations (LockDatabaseObject, LockSharedObject of PostgreSQL's lmgr.c): who makes something
// that needs a schema or a role keeps it from being dropped before that is seen.
import { managerClient } from '../transaction/client.ts';
import { renewCatalogSnapshot } from '../transaction/snapshot.ts';
import { advanceSnapshot, isStale, requireLocks, usesTransactionSnapshot } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { refreshCatalogs } from './inval.ts';

/** Until the transaction ends. False: while we waited the object has gone. `isThere` asks the catalogs. */
export function keepObject(shared: boolean, classid: Oid, objid: Oid, isThere: () => boolean): boolean {
  const answer = managerClient(shared).acquireLock({ kind: 'object', classid, objid, exclusive: false });
  if (answer.kind !== 'granted' || !answer.waited) return true;
  requireLocks();
  const look = (): boolean => {
    refreshCatalogs();
    return isThere();
  };
  if (usesTransactionSnapshot()) renewCatalogSnapshot();
  else advanceSnapshot(shared);
  return look();
}

/** For those who drop or change the object: waits for those who keep or change it, so that what they have made is seen. */
export function lockObject(shared: boolean, classid: Oid, objid: Oid): void {
  requireLocks();
  const answer = managerClient(shared).acquireLock({ kind: 'object', classid, objid, exclusive: true });
  if (answer.kind !== 'granted' || !isStale(answer, shared)) return;
  if (usesTransactionSnapshot()) renewCatalogSnapshot();
  else advanceSnapshot(shared);
  refreshCatalogs();
}
