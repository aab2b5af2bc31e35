// A backend without postmaster and without frontend: it is its own transaction manager. initdb fills template1 with
// it, and `postgres --single` is one on the terminal.
import { readFileSync } from 'node:fs';
import { GLOBAL, TMP, databaseFolder } from '../../common/site.ts';
import { authIdByOid, databaseByName, databaseByOid } from '../catalog/syscache.ts';
import * as ids from '../catalog/oids.ts';
import type { DestReceiver } from '../executor/dest.ts';
import { rawParse } from '../parser/raw_parser.ts';
import { openWritableStore } from '../storage/lmdb.ts';
import type { WritableStore } from '../storage/store.ts';
import { client, sharedClient } from '../transaction/client.ts';
import { LocalManager } from '../transaction/local.ts';
import {
  abortCurrentTransaction, beginImplicitTransactionBlock, commandCounterIncrement, commitTransactionCommand, endImplicitTransactionBlock, renewSnapshot,
  setStorePaths, setStores, startTransactionCommand,
} from '../transaction/xact.ts';
import { temporaryFiles } from '../access/temporary_file.ts';
import { setInternal } from '../utils/guc.ts';
import { session } from '../utils/session.ts';
import { setDatabaseCollation } from '../types/collation.ts';
import type { Oid } from '../types/datum.ts';
import { DISCARD } from '../executor/dest.ts';
import { CachedStatement } from './plancache.ts';
import { FETCH_ALL, Portal } from './portal.ts';
import { statementStarts } from './statement.ts';

export interface Standalone { database: WritableStore; global: WritableStore; close(): void }

/** Opens a database of the site in the current folder, for this process alone, as the bootstrap superuser. */
export function openStandalone(oid: Oid, name: string): Standalone {
  const global = openWritableStore(GLOBAL);
  const database = openWritableStore(databaseFolder(oid));
  setStores(global, database);
  new LocalManager(global, 0).serve(sharedClient);
  new LocalManager(database, oid).serve(client);
  temporaryFiles.directory = TMP;
  session.databaseOid = oid;
  session.databaseName = name;
  session.isSuperuser = true;
  session.authenticatedUser = session.sessionUser = session.currentUser = ids.BOOTSTRAP_SUPERUSERID;
  statementStarts();
  startTransactionCommand();
  renewSnapshot();
  const row = databaseByOid(oid);
  setDatabaseCollation(row?.datctype ?? 'C.UTF-8', row?.daticulocale ?? null);
  setInternal('is_superuser', 'on');
  setInternal('session_authorization', authIdByOid(ids.BOOTSTRAP_SUPERUSERID)?.rolname ?? '');
  commitTransactionCommand();
  return {
    database, global,
    close() {
      database.close();
      global.close();
    },
  };
}

/** The OID of a database of the site in the current folder, 0: there is none. For a process that is alone with it. */
export function findDatabase(name: string): Oid {
  setStorePaths(GLOBAL, null);
  startTransactionCommand();
  renewSnapshot();
  const oid = databaseByName(name)?.oid ?? 0;
  commitTransactionCommand();
  setStorePaths(null, null);
  return oid;
}

/** Runs the statements of one string, each in the transaction the simple protocol would give it. */
export function executeString(text: string, dest: DestReceiver = DISCARD, onTag: (tag: string) => void = () => {}): void {
  try {
    statementStarts();
    startTransactionCommand();
    const list = rawParse(text);
    if (list.length === 0) commitTransactionCommand();
    list.forEach((raw, i) => {
      startTransactionCommand();
      if (list.length > 1) beginImplicitTransactionBlock();
      const statement = new CachedStatement(text, raw, [], false, false);
      if (statement.takesSnapshot) renewSnapshot(statement.fixesSnapshot);
      statement.revalidate();
      const { tag } = new Portal('', statement, []).run(FETCH_ALL, dest);
      if (i === list.length - 1) {
        if (list.length > 1) endImplicitTransactionBlock();
        commitTransactionCommand();
      } else if (statement.isTransactionControl) commitTransactionCommand();
      else commandCounterIncrement();
      onTag(tag);
    });
  } catch (error) {
    abortCurrentTransaction();
    throw error;
  }
}

/** Does something in a transaction of its own. */
export function inTransaction(work: () => void): void {
  statementStarts();
  startTransactionCommand();
  try {
    renewSnapshot();
    work();
    commitTransactionCommand();
  } catch (error) {
    abortCurrentTransaction();
    throw error;
  }
}

/** Runs a file of SQL as one transaction. */
export function executeFile(path: string | URL): void {
  executeString(readFileSync(path, 'utf8'));
}
