// The watchdog's query, in a child of the postmaster that nobody has connected to.
import { existsSync, readdirSync } from 'node:fs';
import { BASE, GLOBAL, databaseFolder } from '../../common/site.ts';
import * as ids from '../catalog/oids.ts';
import { authIdByOid } from '../catalog/syscache.ts';
import type { DestReceiver } from '../executor/dest.ts';
import { setStorePaths } from '../transaction/xact.ts';
import { session } from '../utils/session.ts';
import { openDatabase } from './init.ts';
import { executeString, inTransaction } from './standalone.ts';

/** Reads the shared catalogs, and runs a query as the bootstrap superuser in the oldest database that has been opened
 * before (others are packed, storage/packed.ts, and shall stay so). It takes no lock, so that none can hold it up. */
export function answersQuery(): boolean {
  session.isSuperuser = true;
  session.authenticatedUser = session.sessionUser = session.currentUser = ids.BOOTSTRAP_SUPERUSERID;
  const opened = readdirSync(BASE).map(Number).sort((a, b) => a - b).find((oid) => existsSync(`${databaseFolder(oid)}/data.mdb`));
  if (opened === undefined) setStorePaths(GLOBAL, null);
  else openDatabase(opened, '');
  let role: string | undefined, answer: unknown;
  inTransaction(() => { role = authIdByOid(ids.BOOTSTRAP_SUPERUSERID)?.rolname; });
  if (role === undefined) return false;
  if (opened === undefined) return true;
  const dest: DestReceiver = {
    start() {},
    receive: ([value]) => { answer = value; return true; },
    end() {},
  };
  executeString('SELECT 6 * 7', dest);
  return Number(answer) === 42;
}
