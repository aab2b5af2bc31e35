import test from 'ava';
import { PgError } from '../../src/common/errors.ts';
import { ManagerClient } from '../../src/backend/transaction/client.ts';
import { ManagerLost } from '../../src/backend/transaction/link.ts';
import { LocalManager } from '../../src/backend/transaction/local.ts';
import type { LockTarget } from '../../src/backend/transaction/messages.ts';
import { MemoryStore } from './memory_store.ts';
import { allRows, inserting, request, row } from './helpers.ts';

const TABLE = 20000;
const lock = (id: number): LockTarget => ({ kind: 'row', relation: TABLE, row: id, mode: 'update' });
const advisory: LockTarget = { kind: 'advisory', key1: 1, key2: 2, key3: 1, shared: false, session: true };

/** A site whose manager can be replaced by another over the same store. */
function site() {
  const store = new MemoryStore();
  let manager = new LocalManager(store, 5);
  const clients: ManagerClient[] = [];
  const connect = () => {
    const client = new ManagerClient(() => 5);
    client.useLinks(() => manager.connect());
    clients.push(client);
    return client;
  };
  return { store, connect, kill: () => { manager.die(); manager = new LocalManager(store, 5); }, core: () => manager.core };
}
const thrown = (work: () => unknown): string => {
  try {
    work();
    return 'nothing';
  } catch (error) {
    return error instanceof PgError ? error.code : String(error);
  }
};

test('a manager that dies takes the locks of a transaction along: it fails, the next one works', (t) => {
  const { connect, kill, store } = site();
  const client = connect();
  client.acquireLock(lock(1));
  kill();
  t.is(thrown(() => client.allocateXid()), '40001');
  t.is(thrown(() => client.commit(request({ relations: [inserting(TABLE, [row(1)])] }))), '40001', 'also when the error was caught');
  client.endTransaction();
  t.is(client.acquireLock(lock(2)).kind, 'granted');
  client.endTransaction();
  t.is(allRows(store, TABLE).size, 0);
});

test('a rollback to a savepoint does not fail for it, but what comes next', (t) => {
  const { connect, kill } = site();
  const client = connect();
  client.acquireLock(lock(1));
  const mark = client.lockMark();
  client.acquireLock(lock(2));
  kill();
  client.releaseAfter(mark);
  t.is(thrown(() => client.commit(request({ relations: [inserting(TABLE, [row(1)])] }))), '40001');
});

test('a transaction without locks does not notice', (t) => {
  const { connect, kill, store } = site();
  const client = connect();
  client.listen('c');
  kill();
  t.is(client.commit(request({ relations: [inserting(TABLE, [row(1)])], optimistic: true })).kind, 'committed');
  t.is(allRows(store, TABLE).size, 1);
  kill();
  connect().commit(request({ notifications: [{ channel: 'c', payload: 'nobody listens yet', pid: 1 }] }));
  t.deepEqual(client.drainNotifications(), []);
  connect().commit(request({ notifications: [{ channel: 'c', payload: 'after the restart', pid: 1 }] }));
  t.deepEqual(client.drainNotifications().map((one) => one.payload), ['after the restart']);
});

test('a commit whose answer is lost is neither lost nor done twice', (t) => {
  const { connect, kill, store } = site();
  for (const durable of [false, true]) {
    for (const locked of [false, true]) {
      const client = connect();
      if (locked) client.acquireLock(lock(1));
      const before = allRows(store, TABLE).size;
      store.onWrite = (written) => {
        if (written !== durable) return;
        store.onWrite = () => {};
        kill();
        throw new ManagerLost();
      };
      const commit = () => client.commit(request({ relations: [inserting(TABLE, [row(1)])], optimistic: !locked, snapshotSeq: 1000 }));
      if (locked && !durable) t.is(thrown(commit), '40001');
      else t.is(commit().kind, 'committed');
      t.is(allRows(store, TABLE).size - before, locked && !durable ? 0 : 1, `durable: ${durable}, with locks: ${locked}`);
      client.close();
    }
  }
});

test('advisory locks of the session are taken again; when somebody else was faster, the session ends', (t) => {
  const { connect, kill, core } = site();
  const [a, b] = [connect(), connect()];
  a.acquireLock(advisory);
  a.acquireLock(advisory);
  kill();
  t.deepEqual(a.drainNotifications(), []);
  t.false(b.tryLock(advisory));
  t.true(a.unlockAdvisory(1, 2, 1, false));
  t.false(b.tryLock(advisory));
  t.true(a.unlockAdvisory(1, 2, 1, false));
  t.false(a.unlockAdvisory(1, 2, 1, false));
  t.true(b.tryLock(advisory));
  kill();
  t.true(a.tryLock(advisory), 'before b has noticed');
  t.is(thrown(() => b.allocateOids()), '57P02');
  a.close();
  b.close();
  t.is(core().machine.lockCount, 0);
});

test('notifications arrive between answers, one of each', (t) => {
  const { connect } = site();
  const [a, b] = [connect(), connect()];
  a.listen('x');
  b.commit(request({ notifications: [{ channel: 'x', payload: '1', pid: 7 }] }));
  a.allocateOids();
  b.commit(request({ notifications: [{ channel: 'x', payload: '2', pid: 7 }] }));
  t.deepEqual(a.drainNotifications(), [{ channel: 'x', payload: '1', pid: 7 }, { channel: 'x', payload: '2', pid: 7 }]);
  a.unlisten('x');
  b.commit(request({ notifications: [{ channel: 'x', payload: '3', pid: 7 }] }));
  t.deepEqual(a.drainNotifications(), []);
});
