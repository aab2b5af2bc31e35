// A transaction over the database and global/ whose process ends between the two commits.
import test from 'ava';
import { crossCommitsPending, finishCrossCommits } from '../../src/backend/access/cross_commit.ts';
import { formRow, readRow } from '../../src/backend/access/row.ts';
import { beginScan, insertRow } from '../../src/backend/access/table.ts';
import '../../src/backend/access/writeset.ts';
import type { Relation } from '../../src/backend/catalog/relation.ts';
import { client, sharedClient } from '../../src/backend/transaction/client.ts';
import { abortOutOfAnyTransaction, commitTransactionCommand, renewSnapshot, startTransactionCommand } from '../../src/backend/transaction/xact.ts';
import { fakeRelation, openTestSite } from './helpers.ts';

const local = fakeRelation(20000, [23, 25]);
const shared = { ...fakeRelation(20001, [23, 25]), shared: true } as Relation;

function rows(relation: Relation): unknown[][] {
  const found: unknown[][] = [];
  startTransactionCommand();
  renewSnapshot();
  const scan = beginScan(relation);
  while (scan.next()) {
    for (let slot = 0; slot < scan.slotCount; slot++) {
      const start = scan.view.getUint16(8 + 2 * slot, true);
      if (start !== 0) found.push(readRow(scan.bytes, scan.view, start, relation.layout));
    }
  }
  commitTransactionCommand();
  return found;
}

function changeBoth(n: number): void {
  startTransactionCommand();
  renewSnapshot();
  insertRow(local, formRow(local.layout, [n, 'local']));
  insertRow(shared, formRow(shared.layout, [n, 'shared']));
  commitTransactionCommand();
}

function pendingNow(): boolean {
  startTransactionCommand();
  renewSnapshot();
  const result = crossCommitsPending();
  commitTransactionCommand();
  return result;
}

test.serial('both commits, then the notes go', (t) => {
  const site = openTestSite();
  t.teardown(() => site.close());
  changeBoth(1);
  t.deepEqual(rows(shared), [[1, 'shared']]);
  t.true(pendingNow());
  finishCrossCommits(() => false);
  t.false(pendingNow());
  t.deepEqual(rows(local), [[1, 'local']]);
  t.deepEqual(rows(shared), [[1, 'shared']]);
});

test.serial('cut off between them: the second is made up for, once, and not while the backend lives', (t) => {
  const site = openTestSite();
  t.teardown(() => site.close());
  const { commit } = sharedClient;
  sharedClient.commit = () => { throw new Error('killed'); };
  t.throws(() => changeBoth(2), { message: 'killed' });
  sharedClient.commit = commit;
  abortOutOfAnyTransaction();
  t.deepEqual(rows(local), [[2, 'local']]);
  t.deepEqual(rows(shared), []);
  finishCrossCommits(() => true);
  t.deepEqual(rows(shared), []);
  finishCrossCommits(() => false);
  finishCrossCommits(() => false);
  t.deepEqual(rows(shared), [[2, 'shared']]);
  t.false(pendingNow());
});

// The transaction that had met another session was left as it was, and the connection was refused: "cannot commit in state commit".
// And when the request could not be removed, but the word that it was applied, it was applied again.
test.serial('two sessions bring the same to its end: the slower one goes on', (t) => {
  const site = openTestSite();
  t.teardown(() => site.close());
  changeBoth(3);
  const { commit } = client;
  client.commit = () => ({ kind: 'changed', relation: 90, row: 0 });
  finishCrossCommits(() => false);
  client.commit = commit;
  t.true(pendingNow());
  finishCrossCommits(() => false);
  t.false(pendingNow());
  t.deepEqual(rows(shared), [[3, 'shared']]);
});

// The client was told that the locks were lost and the transaction might succeed if retried; its first half was committed, and the
// next session applied the second.
test.serial('locks that are lost between the halves do not matter, those lost before do', (t) => {
  const site = openTestSite();
  t.teardown(() => site.close());
  const lose = (): void => { (sharedClient as unknown as { locksLost: boolean }).locksLost = true; };
  const { commit } = client, { checkLocks } = sharedClient;
  client.commit = (request) => {
    const answer = commit.call(client, request);
    lose();
    return answer;
  };
  changeBoth(4);
  client.commit = commit;
  t.deepEqual(rows(local), [[4, 'local']]);
  t.deepEqual(rows(shared), [[4, 'shared']]);
  sharedClient.checkLocks = () => { lose(); sharedClient.commit({} as never); };
  t.throws(() => changeBoth(5), { message: /was restarted/ });
  sharedClient.checkLocks = checkLocks;
  abortOutOfAnyTransaction();
  t.deepEqual(rows(local), [[4, 'local']]);
  finishCrossCommits(() => false);
  t.deepEqual(rows(shared), [[4, 'shared']]);
});
