// Locks taken without the manager (lock_memory.ts), and what becomes of them when it is asked for the same thing.
import test from 'ava';
import { LocalManager } from '../../src/backend/transaction/local.ts';
import { ManagerClient } from '../../src/backend/transaction/client.ts';
import { privateLockMemory, hashAdvisory, hashRow, hashed } from '../../src/backend/transaction/lock_memory.ts';
import { areTablesLocked } from '../../src/backend/transaction/locked_tables.ts';
import { FastPath } from '../../src/backend/transaction/fast_path.ts';
import type { LockTarget, RowLockMode, TableLockMode } from '../../src/backend/transaction/messages.ts';
import { MemoryStore } from './memory_store.ts';

const row = (id: number, mode: RowLockMode = 'update'): LockTarget => ({ kind: 'row', relation: 16400, row: id, mode });
const advisory = (key2: number, shared = false, session = false): LockTarget => ({ kind: 'advisory', key1: 0xffffffff, key2, key3: 1, shared, session });
const table = (mode: TableLockMode): LockTarget => ({ kind: 'table', oid: 16500, mode });

function site() {
  const manager = new LocalManager(new MemoryStore(), 5), { machine } = manager.core;
  const connect = (): ManagerClient => {
    const client = new ManagerClient(() => 5);
    manager.serve(client);
    return client;
  };
  const free = (): boolean => machine.lockCount === 0 && machine.takenSlots === 0;
  return { connect, machine, free };
}

test('a lock that nobody else wants is taken without the manager, and found by the next one', (t) => {
  const { connect, machine, free } = site(), a = connect(), b = connect();
  t.is(a.acquireLock(row(1)).kind, 'granted');
  t.is(machine.lockCount, 0);
  t.is(machine.takenSlots, 1);
  t.false(b.tryLock(row(1)));
  t.is(machine.lockCount, 1, 'now the manager knows it');
  t.true(b.tryLock(row(2)));
  a.endTransaction();
  t.true(b.tryLock(row(1)));
  b.endTransaction();
  t.true(free());
});

test('modes: weaker ones are covered, stronger ones asked for, shared ones shared', (t) => {
  const { connect, free } = site(), a = connect(), b = connect();
  a.acquireLock(row(1, 'keyshare'));
  t.true(b.tryLock(row(1, 'nokeyupdate')));
  t.false(a.tryLock(row(1, 'share')), 'upgrade against another holder');
  b.endTransaction();
  t.true(a.tryLock(row(1, 'update')));
  t.true(a.tryLock(row(1, 'share')));
  t.false(b.tryLock(row(1, 'keyshare')));
  a.endTransaction();
  t.true(free());
});

test('a rollback to a savepoint gives back what was taken after it, known to the manager or not', (t) => {
  const { connect, free } = site(), a = connect(), b = connect();
  a.acquireLock(row(1));
  const mark = a.lockMark();
  a.acquireLock(row(2));
  a.acquireLock(row(3));
  t.false(b.tryLock(row(3)));
  a.releaseAfter(mark);
  t.true(b.tryLock(row(2)));
  t.true(b.tryLock(row(3)));
  t.false(b.tryLock(row(1)));
  a.acquireLock(row(4));
  a.endTransaction();
  t.true(b.tryLock(row(1)));
  t.true(b.tryLock(row(4)));
  b.endTransaction();
  t.true(free());
});

test.serial('a word tells whether tables are locked against readers, who need not ask then', (t) => {
  const { connect, free } = site(), a = connect(), b = connect();
  a.acquireLock(table(7));
  t.false(areTablesLocked(5), 'readers pass it');
  const mark = a.lockMark();
  a.acquireLock(table(8));
  t.true(areTablesLocked(5));
  t.false(areTablesLocked(6), 'another database');
  t.false(b.takeTable(16500, 1));
  t.true(b.takeTable(16501, 1));
  a.releaseAfter(mark);
  t.false(areTablesLocked(5));
  t.false(b.takeTable(16500, 1), 'as long as there is any strong lock');
  a.endTransaction();
  t.true(b.takeTable(16500, 1));
  t.false(a.tryLock(table(8)));
  t.false(areTablesLocked(5), 'it was not obtained, and is not waited for');
  b.endTransaction();
  a.acquireLock(table(8));
  a.close();
  t.false(areTablesLocked(5), 'its session has gone');
  t.true(free());
});

test('weak table locks do not ask; a strong one finds them all, and then they do', (t) => {
  const { connect, machine, free } = site(), a = connect(), b = connect(), c = connect();
  a.acquireLock(table(3));
  b.acquireLock(table(1));
  t.is(machine.lockCount, 0);
  t.deepEqual(a.lockStatus().map((l) => l.mode).sort(), ['AccessShareLock', 'RowExclusiveLock']);
  t.false(c.tryLock(table(8)));
  t.false(c.tryLock(table(5)), 'Share against RowExclusive');
  a.endTransaction();
  t.true(c.tryLock(table(5)));
  t.true(b.tryLock(table(2)));
  t.false(b.tryLock(table(3)), 'RowExclusive against Share');
  c.endTransaction();
  t.true(a.tryLock(table(3)));
  for (const client of [a, b]) client.endTransaction();
  t.true(free());
  t.true(a.tryLock(table(3)));
  t.is(machine.lockCount, 0, 'without asking again');
});

test('advisory locks of a transaction and of a session: counted, shown, and found by the next one', (t) => {
  const { connect, machine, free } = site(), a = connect(), b = connect();
  const modes = (): string[] => a.lockStatus().map((l) => `${l.classid} ${l.objid} ${l.objsubid} ${l.mode}`).sort();
  a.acquireLock(advisory(1));
  a.acquireLock(advisory(1, true, true));
  a.acquireLock(advisory(2, false, true));
  a.acquireLock(advisory(2, false, true));
  t.is(machine.lockCount, 0);
  t.is(machine.takenSlots, 2);
  t.deepEqual(modes(), ['4294967295 1 1 ExclusiveLock', '4294967295 1 1 ShareLock', '4294967295 2 1 ExclusiveLock']);
  t.false(b.tryLock(advisory(1)));
  t.is(machine.lockCount, 1, 'now the manager knows it');
  t.is(modes().length, 3);
  a.endTransaction();
  t.true(b.tryLock(advisory(1, true)), 'the session still shares it');
  t.false(b.tryLock(advisory(1)));
  t.true(a.unlockAdvisory(0xffffffff, 1, 1, true));
  t.true(b.tryLock(advisory(1)));
  t.false(a.unlockAdvisory(0xffffffff, 1, 1, false));
  b.endTransaction();
  t.true(a.unlockAdvisory(0xffffffff, 2, 1, false));
  t.is(machine.lockCount, 0);
  t.false(b.tryLock(advisory(2)));
  t.true(a.unlockAdvisory(0xffffffff, 2, 1, false));
  t.true(b.tryLock(advisory(2)));
  b.endTransaction();
  t.true(free());
  for (let key = 0; key < 100; key++) a.acquireLock(advisory(key, false, true));
  t.false(b.tryLock(advisory(50)));
  a.unlockAllAdvisory();
  t.true(free());
});

test('advisory locks: a rollback to a savepoint, a large transaction and the end of the session leave the right ones', (t) => {
  const { connect, free } = site(), a = connect(), b = connect();
  a.acquireLock(advisory(1, true));
  const mark = a.lockMark();
  a.acquireLock(advisory(1));
  a.acquireLock(advisory(2));
  a.acquireLock(advisory(3, false, true));
  t.false(b.tryLock(advisory(1, true)), 'known to the manager');
  a.releaseAfter(mark);
  t.true(b.tryLock(advisory(1, true)));
  t.false(b.tryLock(advisory(1)));
  t.true(b.tryLock(advisory(2)));
  t.false(b.tryLock(advisory(3)), 'that one is of the session');
  b.endTransaction();
  for (let key = 10; key < 500; key++) a.acquireLock(advisory(key));
  t.false(b.tryLock(advisory(499)));
  a.endTransaction();
  t.true(b.tryLock(advisory(499)));
  t.false(b.tryLock(advisory(3)));
  b.endTransaction();
  a.acquireLock(advisory(4));
  a.close();
  t.true(b.tryLock(advisory(3)));
  t.true(b.tryLock(advisory(4)));
  b.endTransaction();
  t.true(free());
});

test('advisory locks in one slot are not taken for each other', (t) => {
  const { connect, machine, free } = site(), a = connect(), b = connect();
  const slot = hashAdvisory(0xffffffff, 1, 1);
  let other = 2;
  while (hashAdvisory(0xffffffff, other, 1) !== slot) other++;
  a.acquireLock(advisory(1, false, true));
  t.true(b.tryLock(advisory(other, false, true)), 'by the manager');
  t.is(machine.lockCount, 1);
  t.deepEqual(a.lockStatus().map((l) => l.objid).sort((x, y) => x - y), [1, other]);
  t.false(a.tryLock(advisory(other)));
  t.false(b.tryLock(advisory(1)));
  t.true(a.unlockAdvisory(0xffffffff, 1, 1, false), 'the slot is managed because of the other one');
  t.true(b.tryLock(advisory(1)));
  b.endTransaction();
  t.true(b.unlockAdvisory(0xffffffff, other, 1, false));
  t.true(free());
});

test('a session that ends frees what it has taken, however much', (t) => {
  const { connect, free } = site(), a = connect(), b = connect();
  for (let id = 0; id < 500; id++) a.acquireLock(row(id));
  a.acquireLock(table(3));
  t.false(b.tryLock(row(499)));
  t.false(b.tryLock(table(8)));
  a.close();
  for (let id = 0; id < 500; id += 7) t.true(b.tryLock(row(id)));
  t.true(b.tryLock(table(8)));
  b.endTransaction();
  t.true(free());
});

test('two rows in one slot are two locks', (t) => {
  const { words } = privateLockMemory(), a = new FastPath(words, 1), b = new FastPath(words, 2);
  hashRow(16400, 1);
  const { slot, tag } = hashed;
  let other = 2;
  for (;; other++) {
    hashRow(16400, other);
    if (hashed.slot === slot && hashed.tag !== tag) break;
  }
  t.true(a.take(row(1), 1));
  t.false(a.take(row(other), 1), 'one of them is for the manager');
  t.false(b.take(row(other), 1));
  t.true(a.end());
  t.true(b.take(row(other), 1));
});

test('what is held can be told, also after a rollback to a savepoint; only where it may be asked for', (t) => {
  const words = privateLockMemory().words, known = new FastPath(words, 1, true), unknown = new FastPath(words, 2);
  known.take(row(1, 'keyshare'), 1);
  known.take(row(1), 2);
  known.take(row(1, 'share'), 3);
  known.take({ kind: 'key', index: 16410, key: 'k' }, 4);
  known.take(table(3), 4);
  t.deepEqual(known.heldTargets(), [row(1, 'keyshare'), row(1), { kind: 'key', index: 16410, key: 'k' }, table(3)]);
  known.releaseAfter(1);
  t.deepEqual(known.heldTargets(), [row(1, 'keyshare')], 'back at the weaker lock');
  t.true(known.end());
  t.deepEqual(known.heldTargets(), []);
  unknown.take(row(2), 1);
  unknown.take(table(2), 1);
  t.deepEqual(unknown.heldTargets(), [table(2)]);
});
