import test from 'ava';
import { PgError } from '../../src/common/errors.ts';
import { ManagerClient } from '../../src/backend/transaction/client.ts';
import { ManagerLost } from '../../src/backend/transaction/link.ts';
import { LocalManager } from '../../src/backend/transaction/local.ts';
import type { LockTarget } from '../../src/backend/transaction/messages.ts';
import { settings } from '../../src/backend/utils/settings.ts';
import { MemoryStore } from './memory_store.ts';
import { allRows, changing, inserting, request, row, stored } from './helpers.ts';

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

// Without it a backend does not remember what it has locked by itself.
test.before(() => { settings.max_prepared_transactions = 2; });

const section = (gid: string, parts = {}) => ({ gid, xid: 77, owner: 10, database: 5, preparedAt: 0, pid: 1, limit: 2, locks: [], ...parts });
const insertion = () => request({ relations: [inserting(TABLE, [row(1)])] });

test('a prepared transaction keeps its locks when its session and the manager die; who finishes it frees them', (t) => {
  for (const commit of [true, false]) {
    const { connect, kill, store, core } = site();
    const [a, b] = [connect(), connect()];
    a.acquireLock(lock(1));
    a.acquireLock({ ...advisory, session: false });
    t.is(a.prepare({ ...insertion(), prepare: section('g') }).kind, 'committed');
    t.false(b.tryLock(lock(1)));
    t.is(a.acquireLock(lock(2)).kind, 'granted', 'its session goes on');
    a.endTransaction();
    t.true(b.tryLock(lock(2)));
    b.endTransaction();
    t.deepEqual(b.preparedXacts().map(({ gid, xid, pid }) => [gid, xid, pid]), [['g', 77, 1]]);
    a.endPrepare();
    t.is(b.preparedXacts()[0]?.pid, 0);
    a.close();
    for (let again = 0; again < 2; again++) {
      kill();
      t.false(b.tryLock(lock(1)));
      t.false(b.tryLock(advisory));
      b.endTransaction();
      t.is(allRows(store, TABLE).size, 0);
      t.is(b.preparedXacts()[0]?.pid, 1, 'nobody can say whether its other half is there');
    }
    t.false(b.finishPrepared('g', 78, commit), 'that was another one');
    t.true(b.finishPrepared('g', 77, commit));
    t.false(b.finishPrepared('g', 77, commit));
    t.is(allRows(store, TABLE).size, commit ? 1 : 0);
    t.true(b.tryLock(lock(1)));
    b.endTransaction();
    kill();
    t.deepEqual(b.preparedXacts(), []);
    b.close();
    t.is(core().machine.lockCount, 0);
  }
});

test('PREPARE and the end of it, with answers lost: neither is lost nor done twice', (t) => {
  for (const durable of [false, true]) {
    const { connect, kill, store } = site();
    const client = connect();
    const dying = <T>(work: () => T): T => {
      store.onWrite = (written) => {
        if (written !== durable) return;
        store.onWrite = () => {};
        kill();
        throw new ManagerLost();
      };
      return work();
    };
    t.is(dying(() => client.prepare({ ...insertion(), prepare: section('g') })).kind, 'committed', 'no locks were lost: it was sent again');
    t.is(client.preparedXacts().length, 1);
    t.true(dying(() => client.finishPrepared('g', 77, true)));
    t.is(client.preparedXacts().length, 0);
    t.is(allRows(store, TABLE).size, 1, `durable: ${durable}`);
    client.close();
  }
});

test('what refuses PREPARE, and leaves nothing', (t) => {
  const { connect, store } = site();
  const client = connect();
  const prepare = (gid: string) => thrown(() => client.prepare({ ...insertion(), prepare: section(gid) }));
  t.is(prepare('a'), 'nothing');
  t.is(prepare('a'), '42710');
  t.is(prepare('b'), 'nothing');
  t.is(prepare('c'), '53200');
  t.true(client.finishPrepared('b', 77, false));
  client.acquireLock(advisory);
  client.acquireLock({ ...advisory, session: false });
  t.is(prepare('c'), '0A000');
  client.endTransaction();
  t.is(prepare('c'), 'nothing');
  t.is(allRows(store, TABLE).size, 0);
});

test('commits that hold no lock wait for what is prepared, and find it changed', (t) => {
  const { connect, core, store } = site();
  const [a, b] = [connect(), connect()];
  t.is(a.commit(request({ relations: [inserting(TABLE, [row(1), row(2)])] })).kind, 'committed');
  const change = (version: number, value: number) => request({ relations: [changing(TABLE, { row: 0, version, bytes: row(value) })] });
  const { version } = stored(store, TABLE, 0)!;
  a.prepare({ ...change(version, 5), prepare: section('g') });
  // There is nobody to wake a client of this process: that it would wait for ever shows that it waits.
  t.regex(thrown(() => b.commit(change(version, 6))), /XX000/);
  const { machine } = core();
  t.deepEqual(machine.outputs, []);
  b.close();
  const c = connect();
  t.is(c.commit(request({ relations: [changing(TABLE, { row: 1, version, bytes: row(7) })] })).kind, 'committed', 'of other rows they do not');
  t.true(c.finishPrepared('g', 77, true));
  t.is(c.commit(change(version, 6)).kind, 'changed');
  t.is(stored(store, TABLE, 0)!.value, 5);
});
