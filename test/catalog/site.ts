// A site in a temporary folder with this process as its only backend: no postmaster, no sockets.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrapDatabase, bootstrapSite } from '../../src/backend/catalog/bootstrap.ts';
import { openWritableStore } from '../../src/backend/storage/lmdb.ts';
import { client, sharedClient } from '../../src/backend/transaction/client.ts';
import { LocalManager } from '../../src/backend/transaction/local.ts';
import { abortCurrentTransaction, commitTransactionCommand, renewSnapshot, setStores, startTransactionCommand } from '../../src/backend/transaction/xact.ts';
import { session } from '../../src/backend/utils/session.ts';
import type { PgError } from '../../src/common/errors.ts';

export const notices: PgError[] = [];

export function openSite(superuser = 'root'): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'catalog-'));
  const stores = ['global', 'base'].map((name) => {
    mkdirSync(join(path, name));
    return openWritableStore(join(path, name));
  });
  bootstrapSite(stores[0]!, { superuser });
  bootstrapDatabase(stores[1]!);
  new LocalManager(stores[0]!, 0).serve(sharedClient);
  new LocalManager(stores[1]!, 5).serve(client);
  setStores(stores[0]!, stores[1]!);
  Object.assign(session, { databaseOid: 5, databaseName: 'postgres', sessionUser: 10, currentUser: 10, authenticatedUser: 10,
    pid: process.pid, isSuperuser: true, notice: (n: PgError) => notices.push(n) });
  return { path, remove: () => rmSync(path, { recursive: true }) };
}

/** Runs something in a transaction of its own. */
export function transaction<T>(run: () => T): T {
  startTransactionCommand();
  renewSnapshot();
  try {
    const result = run();
    commitTransactionCommand();
    return result;
  } catch (error) {
    abortCurrentTransaction();
    throw error;
  }
}
