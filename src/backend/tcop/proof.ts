// The watchdog's query, in a child of the postmaster that nobody has connected to.
import { readdirSync } from 'node:fs';
import { BASE } from '../../common/site.ts';
import * as ids from '../catalog/oids.ts';
import { authIdByOid } from '../catalog/syscache.ts';
import type { DestReceiver } from '../executor/dest.ts';
import { session } from '../utils/session.ts';
import { openDatabase } from './init.ts';
import { executeString, inTransaction } from './standalone.ts';

/** Runs a query as the bootstrap superuser in the oldest database. It takes no lock, so that none can hold it up; but it reads
 * the shared catalogs, and is parsed, planned and executed. */
export function answersQuery(): boolean {
  openDatabase(Math.min(...readdirSync(BASE).map(Number)), 'template1');
  session.isSuperuser = true;
  session.authenticatedUser = session.sessionUser = session.currentUser = ids.BOOTSTRAP_SUPERUSERID;
  let role: string | undefined, answer: unknown;
  inTransaction(() => { role = authIdByOid(ids.BOOTSTRAP_SUPERUSERID)?.rolname; });
  const dest: DestReceiver = {
    start() {},
    receive: ([value]) => { answer = value; return true; },
    end() {},
  };
  executeString('SELECT 6 * 7', dest);
  return role !== undefined && Number(answer) === 42;
}
