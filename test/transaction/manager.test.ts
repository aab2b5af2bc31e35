import test from 'ava';
import { runInSite } from './processes.ts';

test('backends commit through a manager that is forked when asked for', (t) => {
  const out = runInSite(`
    for (let n = 0; n < 3; n++) {
      backend(() => {
        for (let i = 0; i < 20; i++) {
          const answer = client.commit(help.request({ relations: [help.inserting(20000, [help.row(n * 100 + i)])], optimistic: true }));
          if (answer.kind !== 'committed') throw new Error(answer.kind);
        }
      });
    }
    serve(() => children.size === 0);
    const store = openStore('base/5');
    store.renew();
    print([...help.allRows(store, 20000).values()].length, store.meta('commit-seq'), managersForked);
    finish();
  `);
  t.is(out, '60 60 1\n');
});

test('locks are waited for across processes; cancel, lock_timeout and deadlock end the wait', (t) => {
  const out = runInSite(`
    const row = (id) => ({ kind: 'row', relation: 20000, row: id, mode: 'update' });
    const turn = (n) => { while (shared[0] < n) sleep(1); };
    /** Until somebody waits: asked on a connection of its own. */
    const somebodyWaits = () => {
      const asking = new ManagerClient(() => DATABASE);
      while (!asking.lockStatus().some((lock) => !lock.granted)) sleep(2);
      asking.close();
    };
    const attempt = (name, work) => { try { print(name, work()); } catch (error) { print(name, error.code, error.message, error.fields.detail ? 'detail' : ''); } };
    backend(() => {
      client.acquireLock(row(1));
      shared[0] = 1;
      turn(3);
      attempt('A', () => client.acquireLock(row(2)).waited); // closes the circle: it is the victim, or the other is
      client.endTransaction();
    });
    backend(() => {
      turn(1);
      settings.lock_timeout = 30;
      attempt('B', () => client.acquireLock(row(1)).waited);
      attempt('B', () => client.tryLock(row(1)));
      settings.lock_timeout = 0;
      const me = port.getpid();
      backend(() => { somebodyWaits(); port.kill(me, 2); });
      attempt('B', () => client.acquireLock(row(1)).waited);
      client.acquireLock(row(2));
      backend(() => { somebodyWaits(); shared[0] = 3; });
      attempt('B', () => client.acquireLock(row(1)).waited);
      client.endTransaction();
    });
    serve(() => children.size === 0);
    finish();
  `);
  t.deepEqual(out.trim().split('\n').sort(), [
    'A 40P01 deadlock detected detail',
    'B 55P03 canceling statement due to lock timeout ',
    'B 57014 canceling statement due to user request ',
    'B false',
    'B true',
  ]);
});

test('notifications come with the commit, to listeners only', (t) => {
  const out = runInSite(`
    backend(() => {
      client.listen('news');
      shared[0] = 1;
      const fds = new Int32Array([client.notifyFd]);
      port.poll(fds, new Int16Array([1]), new Int16Array(1), 1, 5000);
      print(JSON.stringify(client.drainNotifications().map(({ channel, payload }) => [channel, payload])));
    });
    backend(() => {
      while (shared[0] < 1) sleep(1);
      client.commit(help.request({ notifications: [{ channel: 'other', payload: 'x', pid: 1 }, { channel: 'news', payload: 'hällo', pid: 1 }] }));
      print(client.notifyFd);
    });
    serve(() => children.size === 0);
    finish();
  `);
  t.deepEqual(out.trim().split('\n').sort(), ['-1', '[["news","hällo"]]']);
});

test('a manager without connections retires, whoever knocks without a word, and the next backend gets a new one', (t) => {
  const out = runInSite(`
    setConfigOption('manager_idle_exit', '20', 'postmaster', 'command line');
    const knock = () => {
      const fd = port.connectUnix('tmp/manager.5.sock');
      if (fd >= 0) port.close(fd);
    };
    for (let i = 0; i < 3; i++) {
      backend(() => { client.commit(help.request({ relations: [help.inserting(20000, [help.row(i)])] })); });
      serve(() => {
        knock();
        return children.size === 0 && managerPid === 0;
      });
    }
    print(managersForked, openStore('base/5').meta('commit-seq'));
    finish();
  `);
  t.is(out, '3 3\n');
});

test('kill -9 of the manager: nothing acknowledged is lost, nothing is applied twice, sessions go on', (t) => {
  const out = runInSite(`
    const CLIENTS = 4, ROUNDS = 120, sequence = { filenode: 20002, increment: 1, min: 1, max: 1e12, cache: 1, cycle: false, name: 's' };
    const setUp = openWritableStore('base/5');
    setUp.close();
    const first = backend(() => {
      client.commit(help.request({ relations: [help.inserting(20002, [help.sequenceRow(1n)])] }));
      client.commit(help.request({ relations: [help.inserting(20001, [1, 2, 3, 4, 5].map(() => help.row(100)))] }));
    });
    serve(() => children.size === 0);
    for (let n = 0; n < CLIENTS; n++) {
      backend(() => {
        const store = openStore('base/5');
        let lost = 0;
        for (let i = 0; i < ROUNDS; i++) {
          try {
            const [from, to] = [(i + n) % 5, (i * 3 + n + 1) % 5];
            const id = n * 1000 + i;
            if (from === to || i % 3 === 0) {
              const value = client.nextval(sequence);
              for (;;) {
                store.renew();
                // After a restart the manager does not know when the catalogs changed, and refuses older snapshots.
                const answer = client.commit(help.request({ relations: [help.inserting(20000, [help.row(id)]), help.inserting(20003, [help.row(Number(value))])],
                  optimistic: true, snapshotSeq: store.meta('commit-seq') }));
                if (answer.kind === 'committed') break;
              }
            } else {
              // In one order, so that no deadlock comes of it.
              const rows = [Math.min(from, to), Math.max(from, to)];
              client.acquireLocks(rows.map((row) => ({ kind: 'row', relation: 20001, row, mode: 'nokeyupdate' })));
              store.renew();
              const [a, b] = [help.stored(store, 20001, from), help.stored(store, 20001, to)];
              const answer = client.commit(help.request({ relations: [
                help.changing(20001, { row: from, version: a.version, bytes: help.row(a.value - 1) }, { row: to, version: b.version, bytes: help.row(b.value + 1) }),
                help.inserting(20000, [help.row(id)])] }));
              if (answer.kind !== 'committed') throw new Error('with locks: ' + answer.kind);
            }
            Atomics.add(shared, 1, 1);
          } catch (error) {
            if (error.code !== '40001') throw error;
            client.endTransaction();
            lost++;
            i--;
          }
        }
        store.close();
        client.close();
      });
    }
    let kills = 0, next = 20;
    serve(() => children.size === 0, () => {
      if (managerPid !== 0 && shared[1] >= next && shared[1] < CLIENTS * ROUNDS - 20) { port.kill(managerPid, 9); kills++; next = shared[1] + 17; }
    });
    const store = openStore('base/5');
    store.renew();
    const ids = [...help.allRows(store, 20000).values()].map((one) => one.value), drawn = [...help.allRows(store, 20003).values()].map((one) => one.value);
    print(ids.length, new Set(ids).size, new Set(drawn).size === drawn.length, [...help.allRows(store, 20001).values()].reduce((sum, one) => sum + one.value, 0), kills > 5, managersForked === kills + 1);
    finish();
  `, 60_000);
  t.is(out, '480 480 true 500 true true\n');
});

test('a commit of many megabytes goes through a file, which is gone afterwards', (t) => {
  const out = runInSite(`
    backend(() => {
      const blocks = Array.from({ length: 1000 }, (_, n) => Array.from({ length: 60 }, (_, i) => help.row(n * 60 + i, 50)));
      const added = Array.from({ length: 60000 }, (_, i) => ({ key: String.fromCharCode(i >> 16, (i >> 8) & 255, i & 255), row: help.provisional(Math.floor(i / 60), i % 60), withRow: false }));
      const answer = client.commit(help.request({ relations: [help.inserting(20000, ...blocks)], indexes: [{ filenode: 20001, relation: 20000, unique: true, removed: [], added }] }));
      const store = openStore('base/5');
      store.renew();
      print(answer.kind, help.allRows(store, 20000).size);
      print(process.getBuiltinModule('fs').readdirSync('tmp').filter((name) => name.startsWith('commit')).length);
    });
    serve(() => children.size === 0);
    finish();
  `);
  t.is(out, 'committed 60000\n0\n');
});
