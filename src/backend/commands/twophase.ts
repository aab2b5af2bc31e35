// The second phase of two-phase commit: COMMIT PREPARED, ROLLBACK PREPARED, pg_prepared_xacts (PostgreSQL's twophase.c). The first one
// is in transaction/xact.ts.
//
// A prepared transaction has two halves, one in global/, by which its name is known everywhere, and one in its database, which decides.
// Both phases may be cut off between the two. What is left then is a half in global/ without the other one, which was either committed, and has
// left a row that says so (access/cross_commit.ts), or rolled back, or was never there.
import { PgError } from '../../common/errors.ts';
import { forgetPreparedCommit, isPreparedCommitPending } from '../access/cross_commit.ts';
import { superuserArg } from '../catalog/acl.ts';
import { client, sharedClient } from '../transaction/client.ts';
import type { PreparedXact } from '../transaction/messages.ts';
import { setCrossCommit } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { backendByPid } from '../utils/backend_status.ts';
import { session } from '../utils/session.ts';
import { rowMaker } from './set_results.ts';

const same = (a: PreparedXact, b: PreparedXact): boolean => a.gid === b.gid && a.xid === b.xid;

/** All prepared transactions, of all databases. Halves that have lost the other one are finished; only sessions of the same database can tell. */
function preparedTransactions(): PreparedXact[] {
  const all = sharedClient.preparedXacts();
  const mine = all.filter((p) => p.database === session.databaseOid);
  if (mine.length === 0) return all;
  const here = client.preparedXacts();
  // As long as whoever prepares it is at it, it may come.
  const lost = mine.filter((p) => !here.some((h) => same(p, h)) && (p.pid === 0 || p.pid === session.pid || backendByPid(p.pid) === undefined));
  for (const p of lost) sharedClient.finishPrepared(p.gid, p.xid, isPreparedCommitPending(p));
  return lost.length === 0 ? all : all.filter((p) => !lost.includes(p));
}

/** How many there are in a database. */
export const preparedInDatabase = (database: Oid): number => sharedClient.preparedXacts().filter((p) => p.database === database).length;

const doesNotExist = (gid: string): PgError => new PgError('undefined_object', `prepared transaction with identifier "${gid}" does not exist`);

/** COMMIT PREPARED (`commit`), ROLLBACK PREPARED. */
export function finishPreparedTransaction(gid: string, commit: boolean): void {
  const xact = preparedTransactions().find((p) => p.gid === gid);
  if (xact === undefined) throw doesNotExist(gid);
  if (xact.owner !== session.currentUser && !superuserArg(session.currentUser)) {
    throw new PgError('insufficient_privilege', 'permission denied to finish prepared transaction', { hint: 'Must be superuser or the user that prepared the transaction.' });
  }
  if (xact.database !== session.databaseOid) {
    throw new PgError('feature_not_supported', 'prepared transaction belongs to another database', { hint: 'Connect to the database where the transaction was prepared to finish it.' });
  }
  // Not there: somebody else was faster, or it is only just being prepared.
  if (!client.finishPrepared(gid, xact.xid, commit)) throw doesNotExist(gid);
  sharedClient.finishPrepared(gid, xact.xid, commit);
  if (commit) forgetPreparedCommit(xact);
}

setCrossCommit({
  finishLost(condition) {
    if (condition !== 'duplicate_object' && condition !== 'out_of_memory') return false;
    const before = sharedClient.preparedXacts().length;
    return preparedTransactions().length < before;
  },
});

registerBuiltins({
  set: {
    * pg_prepared_xact(context) {
      const { named } = rowMaker(context);
      for (const { gid, xid, owner, database, preparedAt } of preparedTransactions()) {
        yield named({ transaction: xid, gid, prepared: preparedAt, ownerid: owner, dbid: database });
      }
    },
  },
});
