// The transaction state machine: PostgreSQL's states, warnings and errors, and what is left in the store.
import test from 'ava';
import { PROVISIONAL_BLOCK, formRow, readRow, type RowId } from '../../src/backend/access/row.ts';
import { beginScan, fetchRow, insertValues, lockRows, updateRow } from '../../src/backend/access/table.ts';
import { PgError } from '../../src/common/errors.ts';
import {
  RetryStatement, abortCurrentTransaction, abortOutOfAnyTransaction, beginImplicitTransactionBlock, beginTransactionBlock, catalogVersion, commandCounterIncrement,
  commitTransactionCommand, defineSavepoint, endImplicitTransactionBlock, endTransactionBlock, isReadOnlyTransaction, isolationLevel, releaseSavepoint, renewSnapshot,
  registerCallback, rollbackToSavepoint, setOptimistic, setTransactionIsolation, setTransactionReadOnly, setTransactionDeferrable, startTransactionCommand,
  transactionBlockStatus, userAbortTransactionBlock,
} from '../../src/backend/transaction/xact.ts';
import { ManagerClient } from '../../src/backend/transaction/client.ts';
import { openWritableStore } from '../../src/backend/storage/lmdb.ts';
import { session } from '../../src/backend/utils/session.ts';
import { fakeRelation, openTestSite, type TestSite } from '../access/helpers.ts';

let site: TestSite;
let warnings: string[] = [];
const rel = fakeRelation(30000, [23, 25]);
const catalog = fakeRelation(1259, [23, 25]);

test.beforeEach(() => {
  site = openTestSite();
  warnings = [];
  session.notice = (notice) => { warnings.push(`${notice.severity} ${notice.code} ${notice.message}`); };
});
test.afterEach.always(() => {
  abortOutOfAnyTransaction();
  site.close();
});

/** One statement, as tcop runs it. */
function statement(body: () => void, takesSnapshot = true): void {
  startTransactionCommand();
  if (takesSnapshot) renewSnapshot();
  try {
    body();
    commitTransactionCommand();
  } catch (error) {
    abortCurrentTransaction();
    throw error;
  }
}
const control = (body: () => void): void => statement(body, false);
const begin = (): void => control(() => beginTransactionBlock());
const commit = (): void => control(() => { endTransactionBlock(); });
const rollback = (): void => control(() => userAbortTransactionBlock());
const insert = (n: number): void => statement(() => { insertValues(rel, [n, `row ${n}`]); });
const fail = (): void => { try { statement(() => { throw new Error('x'); }); } catch { /* as meant */ } };

function seen(): number[] {
  const found: number[] = [];
  const scan = beginScan(rel);
  while (scan.next()) {
    for (let slot = 0; slot < scan.slotCount; slot++) {
      const offset = scan.view.getUint16(8 + 2 * slot, true);
      if (offset !== 0) found.push(readRow(scan.bytes, scan.view, offset, rel.layout)[0] as number);
    }
  }
  return found.sort((a, b) => a - b);
}
/** What a statement of now would see. */
function now(): number[] {
  let result: number[] = [];
  statement(() => { result = seen(); });
  return result;
}
const code = (body: () => void): string => {
  try { body(); } catch (error) { if (error instanceof PgError) return `${error.code} ${error.message}`; throw error; }
  return 'no error';
};

// It was -1, which is what plans say that are yet to be made: after the first DDL of a session each run in that transaction made its plan anew.
test.serial('the first version of catalogs in a session is that of no plan', (t) => {
  begin();
  statement(() => {
    insertValues(catalog, [1, 'one']);
    commandCounterIncrement();
    t.true(catalogVersion() < -1);
  });
  rollback();
});

// The pages of large objects are no catalog in this respect: each write made all plans anew.
test.serial('a write to a large object makes no plan stale', (t) => {
  begin();
  statement(() => {
    const before = catalogVersion();
    insertValues(fakeRelation(2613, [23, 25]), [1, 'one']);
    commandCounterIncrement();
    t.is(catalogVersion(), before);
  });
  rollback();
});

test.serial('a statement commits by itself', (t) => {
  insert(1);
  t.deepEqual(now(), [1]);
  t.is(transactionBlockStatus(), 'I');
  t.throws(() => statement(() => { insertValues(rel, [2, 'x']); throw new Error('stop'); }));
  t.deepEqual(now(), [1]);
});

test.serial('blocks commit and roll back', (t) => {
  begin();
  t.is(transactionBlockStatus(), 'T');
  insert(1);
  t.deepEqual(now(), [1]);
  commit();
  t.is(transactionBlockStatus(), 'I');
  begin();
  insert(2);
  rollback();
  t.deepEqual(now(), [1]);
});

test.serial('a failed block waits for its end, and COMMIT is a ROLLBACK', (t) => {
  begin();
  insert(1);
  fail();
  t.is(transactionBlockStatus(), 'E');
  let result = true;
  control(() => { result = endTransactionBlock(); });
  t.false(result);
  t.is(transactionBlockStatus(), 'I');
  t.deepEqual(now(), []);
});

test.serial('warnings', (t) => {
  begin();
  begin();
  rollback();
  commit();
  rollback();
  t.deepEqual(warnings, [
    'WARNING 25001 there is already a transaction in progress',
    'WARNING 25P01 there is no transaction in progress', 'WARNING 25P01 there is no transaction in progress',
  ]);
});

test.serial('savepoints', (t) => {
  begin();
  insert(1);
  control(() => defineSavepoint('a'));
  insert(2);
  control(() => defineSavepoint('b'));
  insert(3);
  t.deepEqual(now(), [1, 2, 3]);
  control(() => rollbackToSavepoint('b'));
  t.deepEqual(now(), [1, 2]);
  insert(4);
  fail();
  t.is(transactionBlockStatus(), 'E');
  control(() => rollbackToSavepoint('b'));
  t.is(transactionBlockStatus(), 'T');
  t.deepEqual(now(), [1, 2]);
  insert(5);
  control(() => releaseSavepoint('a'));
  t.is(code(() => control(() => rollbackToSavepoint('b'))), '3B001 savepoint "b" does not exist');
  t.is(transactionBlockStatus(), 'E');
  rollback();
  t.deepEqual(now(), []);
  begin();
  insert(1);
  control(() => defineSavepoint('a'));
  insert(2);
  control(() => defineSavepoint('a'));
  insert(3);
  control(() => rollbackToSavepoint('a'));
  control(() => releaseSavepoint('a'));
  control(() => rollbackToSavepoint('a'));
  insert(6);
  commit();
  t.deepEqual(now(), [1, 6]);
});

test.serial('a block with open savepoints commits all, or rolls back all', (t) => {
  begin();
  insert(1);
  control(() => defineSavepoint('a'));
  insert(2);
  control(() => defineSavepoint('b'));
  insert(3);
  commit();
  t.deepEqual(now(), [1, 2, 3]);
  begin();
  control(() => defineSavepoint('a'));
  insert(4);
  fail();
  rollback();
  t.is(transactionBlockStatus(), 'I');
  t.deepEqual(now(), [1, 2, 3]);
});

test.serial('several statements in one string are one transaction', (t) => {
  startTransactionCommand();
  beginImplicitTransactionBlock();
  renewSnapshot();
  insertValues(rel, [1, 'a']);
  commandCounterIncrement();
  t.is(code(() => defineSavepoint('a')), '25P01 SAVEPOINT can only be used in transaction blocks');
  t.is(code(() => { endTransactionBlock(true); }), '25P01 COMMIT AND CHAIN can only be used in transaction blocks');
  t.deepEqual(seen(), [1]);
  abortCurrentTransaction();
  t.is(transactionBlockStatus(), 'I');
  t.deepEqual(now(), []);
  startTransactionCommand();
  beginImplicitTransactionBlock();
  insertValues(rel, [2, 'a']);
  endImplicitTransactionBlock();
  commitTransactionCommand();
  t.deepEqual(now(), [2]);
});

test.serial('BEGIN in a string makes what came before it part of the block', (t) => {
  startTransactionCommand();
  beginImplicitTransactionBlock();
  insertValues(rel, [1, 'a']);
  commandCounterIncrement();
  beginTransactionBlock();
  commitTransactionCommand();
  t.is(transactionBlockStatus(), 'T');
  rollback();
  t.deepEqual(now(), []);
});

test.serial('options of a transaction', (t) => {
  control(() => { beginTransactionBlock(); setTransactionIsolation('repeatable read'); setTransactionReadOnly(true); });
  t.is(isolationLevel(), 'repeatable read');
  t.true(isReadOnlyTransaction());
  now();
  t.is(code(() => setTransactionIsolation('serializable')), '25001 SET TRANSACTION ISOLATION LEVEL must be called before any query');
  t.is(code(() => setTransactionReadOnly(false)), '25001 transaction read-write mode must be set before any query');
  t.is(code(() => setTransactionDeferrable(true)), '25001 SET TRANSACTION [NOT] DEFERRABLE must be called before any query');
  control(() => { endTransactionBlock(true); });
  t.is(transactionBlockStatus(), 'T');
  t.is(isolationLevel(), 'repeatable read');
  t.true(isReadOnlyTransaction());
  control(() => defineSavepoint('a'));
  t.is(code(() => setTransactionIsolation('serializable')), '25001 SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction');
  t.is(code(() => setTransactionReadOnly(false)), '25001 cannot set transaction read-write mode inside a read-only transaction');
  rollback();
  begin();
  t.is(isolationLevel(), 'read committed');
  control(() => defineSavepoint('a'));
  setTransactionReadOnly(true);
  control(() => rollbackToSavepoint('a'));
  t.false(isReadOnlyTransaction());
  rollback();
});

/** Another session's commit, behind the back of the manager: what a snapshot shows must not depend on who wrote. */
function elsewhere(): void {
  const other = openWritableStore(`${site.path}/db`);
  const key = Buffer.alloc(8);
  key.writeUInt32BE(rel.filenode, 0);
  key.writeUInt32BE(77, 4);
  const row = formRow(rel.layout, [77, 'x']);
  const block = Buffer.alloc(10 + row.length);
  block[0] = 1;
  block.writeUInt16LE(1, 2);
  block.writeUInt16LE(10, 8);
  block.set(row, 10);
  other.write((b) => b.put(key, block));
  other.close();
}

test.serial('READ COMMITTED looks anew at every statement, REPEATABLE READ does not', (t) => {
  insert(1);
  control(() => { beginTransactionBlock(); setTransactionIsolation('repeatable read'); });
  t.deepEqual(now(), [1]);
  elsewhere();
  t.deepEqual(now(), [1]);
  rollback();
  t.deepEqual(now(), [1, 77]);
});

test.serial('an optimistic statement that was overtaken must be run again', (t) => {
  insert(1);
  let rowId: RowId = 0;
  statement(() => { const scan = beginScan(rel); scan.next(); rowId = scan.block * 65536; scan.close(); });
  const overtaken = (mayRetry: boolean): void => {
    startTransactionCommand();
    setOptimistic(mayRetry);
    renewSnapshot();
    t.deepEqual(lockRows(rel, [rowId], 'nokeyupdate', 'block'), ['ok']);
    updateRow(rel, rowId, formRow(rel.layout, [1, 'mine']));
    commitTransactionCommand();
  };
  overtaken(true);
  statement(() => { const row = fetchRow(rel, rowId)!; t.is(readRow(row.bytes, row.view, row.offset, rel.layout)[1], 'mine'); });
  startTransactionCommand();
  setOptimistic(true);
  t.throws(() => lockRows(rel, [rowId], 'update', 'skip'), { instanceOf: RetryStatement });
  abortCurrentTransaction();
});

test.serial('the catalog version is its own while a transaction has changed catalogs', (t) => {
  const before = catalogVersion();
  begin();
  statement(() => { insertValues(catalog, [1, 'x']); t.is(catalogVersion(), before); });
  const inside = catalogVersion();
  t.not(inside, before);
  control(() => defineSavepoint('a'));
  statement(() => { insertValues(catalog, [2, 'x']); });
  const second = catalogVersion();
  control(() => rollbackToSavepoint('a'));
  t.is(new Set([before, inside, second, catalogVersion()]).size, 4);
  commit();
  statement(() => { t.true(catalogVersion() > before); });
});

test.serial('callbacks come in order', (t) => {
  const calls: string[] = [];
  let on = true;
  const note = (name: string) => (): void => { if (on) calls.push(name); };
  registerCallback({
    preCommit: note('preCommit'), onCommit: note('commit'), onAbort: note('abort'), onSubStart: note('subStart'), onSubCommit: note('subCommit'), onSubAbort: note('subAbort'),
  });
  begin();
  control(() => defineSavepoint('a'));
  control(() => rollbackToSavepoint('a'));
  control(() => releaseSavepoint('a'));
  commit();
  fail();
  on = false;
  t.deepEqual(calls, ['subStart', 'subAbort', 'subStart', 'subCommit', 'preCommit', 'commit', 'abort']);
});

test.serial('SERIALIZABLE: a commit that read what was changed since is refused', (t) => {
  insert(1);
  const readThenWrite = (between: () => void): string => code(() => {
    control(() => { beginTransactionBlock(); setTransactionIsolation('serializable'); });
    now();
    between();
    insert(2);
    commit();
  });
  t.is(readThenWrite(() => {}), 'no error');
  // Another session's commit through the same manager.
  t.regex(readThenWrite(() => otherSessionInserts(5)), /^40001 could not serialize access due to read\/write dependencies/);
  t.deepEqual(now(), [1, 2, 5]);
});

function otherSessionInserts(n: number): void {
  const other = new ManagerClient(() => 5);
  site.database.serve(other);
  const row = formRow(rel.layout, [n, 'other']);
  const bytes = Buffer.alloc(10 + row.length);
  bytes[0] = 1;
  bytes.writeUInt16LE(1, 2);
  bytes.writeUInt16LE(10, 8);
  bytes.set(row, 10);
  other.commit({
    kind: 'commit', snapshotSeq: 0, xid: 0, catalogChanged: false, indexes: [], droppedFilenodes: [], asserted: [], readSet: [], notifications: [],
    optimistic: false, relations: [{ filenode: rel.filenode, catalog: false, inserted: [{ block: PROVISIONAL_BLOCK, bytes }], changed: [] }],
  });
  other.close();
}

test.serial('an optimistic commit that was overtaken says so', (t) => {
  insert(1);
  let rowId: RowId = 0;
  statement(() => { const scan = beginScan(rel); scan.next(); rowId = scan.block * 65536; scan.close(); });
  startTransactionCommand();
  setOptimistic(true);
  renewSnapshot();
  updateRow(rel, rowId, formRow(rel.layout, [1, 'mine']));
  const other = new ManagerClient(() => 5);
  site.database.serve(other);
  const version = fetchLatestVersion(rowId);
  other.commit({
    kind: 'commit', snapshotSeq: 0, xid: 0, catalogChanged: false, indexes: [], droppedFilenodes: [], asserted: [], readSet: [], notifications: [],
    optimistic: false, relations: [{ filenode: rel.filenode, catalog: false, inserted: [], changed: [{ row: rowId, version, bytes: formRow(rel.layout, [1, 'theirs']) }] }],
  });
  t.throws(() => commitTransactionCommand(), { instanceOf: RetryStatement });
  abortCurrentTransaction();
  // Run again, with locks: the row is found changed since the snapshot only if the snapshot is older.
  statement(() => {
    const row = fetchRow(rel, rowId)!;
    t.is(readRow(row.bytes, row.view, row.offset, rel.layout)[1], 'theirs');
    t.deepEqual(lockRows(rel, [rowId], 'nokeyupdate', 'block'), ['ok']);
    updateRow(rel, rowId, formRow(rel.layout, [1, 'mine at last']));
  });
  // READ COMMITTED: changed between the snapshot and the lock.
  startTransactionCommand();
  renewSnapshot();
  const before = fetchLatestVersion(rowId);
  other.commit({
    kind: 'commit', snapshotSeq: 0, xid: 0, catalogChanged: false, indexes: [], droppedFilenodes: [], asserted: [], readSet: [], notifications: [],
    optimistic: false, relations: [{ filenode: rel.filenode, catalog: false, inserted: [], changed: [{ row: rowId, version: before, bytes: formRow(rel.layout, [1, 'again']) }] }],
  });
  t.deepEqual(lockRows(rel, [rowId], 'nokeyupdate', 'block'), ['changed']);
  const row = fetchRow(rel, rowId)!;
  t.is(readRow(row.bytes, row.view, row.offset, rel.layout)[1], 'again');
  abortCurrentTransaction();
  // REPEATABLE READ fails.
  control(() => { beginTransactionBlock(); setTransactionIsolation('repeatable read'); });
  const seenVersion = (() => { let v = 0; statement(() => { v = fetchLatestVersion(rowId); }); return v; })();
  other.commit({
    kind: 'commit', snapshotSeq: 0, xid: 0, catalogChanged: false, indexes: [], droppedFilenodes: [], asserted: [], readSet: [], notifications: [],
    optimistic: false, relations: [{ filenode: rel.filenode, catalog: false, inserted: [], changed: [{ row: rowId, version: seenVersion, bytes: null }] }],
  });
  t.is(code(() => statement(() => { lockRows(rel, [rowId], 'update', 'block'); })), '40001 could not serialize access due to concurrent delete');
  other.close();
});

function fetchLatestVersion(rowId: RowId): number {
  const scan = beginScan(rel);
  scan.next();
  const version = scan.view.getUint32(scan.view.getUint16(8 + 2 * (rowId % 65536), true), true);
  scan.close();
  return version;
}
