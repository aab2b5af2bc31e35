// Locks taken without the manager (lock_memory.ts), and what becomes of them when it is asked for the same thing.
import test from 'ava';
import { LocalManager } from '../../src/backend/transaction/local.ts';
import { ManagerClient } from '../../src/backend/transaction/client.ts';
import { privateLockMemory, hashRow, hashed } from '../../src/backend/transaction/lock_memory.ts';
import { FastPath } from '../../src/backend/transaction/fast_path.ts';
import type { LockTarget, RowLockMode, TableLockMode } from '../../src/backend/transaction/messages.ts';
import { MemoryStore } from './memory_store.ts';

const row = (id: number, mode: RowLockMode = 'update'): LockTarget => ({ kind: 'row', relation: 16400, row: id, mode });
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
