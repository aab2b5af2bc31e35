import { privateLockMemory } from '../../src/backend/transaction/lock_memory.ts';
import test from 'ava';
import { StateMachine } from '../../src/backend/transaction/state_machine.ts';
import type { LockAnswer, LockTarget, RowLockMode, TableLockMode, WaitPolicy } from '../../src/backend/transaction/messages.ts';

const TABLE = 16385;
const row = (mode: RowLockMode, id = 1): LockTarget => ({ kind: 'row', relation: TABLE, row: id, mode });
const table = (mode: TableLockMode, oid = TABLE): LockTarget => ({ kind: 'table', oid, mode });
const key = (name: string): LockTarget => ({ kind: 'key', index: 7, key: name });
const advisory = (shared: boolean, session: boolean, key3 = 1): LockTarget => ({ kind: 'advisory', key1: 1, key2: 2, key3, shared, session });

function machine(sessions: number) {
  const m = new StateMachine({
    database: 5, nextXid: 100, nextOid: 0, prepared: [], lockWords: privateLockMemory().words, lockNonce: 1, lockPath: '',
    view: { commitSeq: 9, incarnation: 1, changedSeq: () => 4, readSequence: () => undefined, outcome: () => undefined },
  });
  for (let id = 1; id <= sessions; id++) {
    m.connect(id);
    m.receive(id, { kind: 'hello', pid: 1000 + id, session: id });
  }
  m.outputs = [];
  /** What came out, for sessions: locks answers only. */
  const out = (): Record<number, LockAnswer[]> => {
    const answers: Record<number, LockAnswer[]> = {};
    for (const { session, message } of m.outputs) if (message.kind === 'locks') answers[session] = message.answers;
    m.outputs = [];
    m.checkInvariants();
    return answers;
  };
  const lock = (id: number, target: LockTarget | LockTarget[], policy: WaitPolicy = 'block', timeoutMs = 0, mark = 1) => {
    m.receive(id, { kind: 'locks', targets: Array.isArray(target) ? target : [target], policy, timeoutMs, mark });
    const answers = out();
    return answers[id] === undefined ? 'waits' : answers[id].map((one) => one.kind).join(' ');
  };
  return { m, out, lock, end: (id: number) => { m.receive(id, { kind: 'end', committed: false }); return out(); } };
}
const granted = (waited: boolean, changedSeq = 4): LockAnswer => ({ kind: 'granted', waited, changedSeq });

test('row lock strengths conflict as in section 13.3.2', (t) => {
  const modes: RowLockMode[] = ['keyshare', 'share', 'nokeyupdate', 'update'];
  const conflicts = ['...X', '..XX', '.XXX', 'XXXX'];
  modes.forEach((held, i) => modes.forEach((wanted, j) => {
    const { lock } = machine(2);
    lock(1, row(held));
    t.is(lock(2, row(wanted), 'error'), conflicts[i]![j] === 'X' ? 'unavailable' : 'granted', `${held} / ${wanted}`);
  }));
});

test('table lock modes conflict as in section 13.3.1', (t) => {
  const conflicts = ['.......X', '......XX', '....XXXX', '...XXXXX', '..XX.XXX', '..XXXXXX', '.XXXXXXX', 'XXXXXXXX'];
  for (let held = 1; held <= 8; held++) {
    for (let wanted = 1; wanted <= 8; wanted++) {
      const { lock } = machine(2);
      lock(1, table(held as TableLockMode));
      t.is(lock(2, table(wanted as TableLockMode), 'error'), conflicts[held - 1]![wanted - 1] === 'X' ? 'unavailable' : 'granted', `${held} / ${wanted}`);
    }
  }
});

test('waiters are served in order, and told that they waited', (t) => {
  const { lock, end, m } = machine(4);
  t.is(lock(1, row('update')), 'granted');
  t.is(lock(2, row('update')), 'waits');
  t.is(lock(3, row('keyshare')), 'waits');
  t.is(lock(4, row('keyshare')), 'waits');
  t.deepEqual(end(1), { 2: [granted(true)] });
  t.deepEqual(end(2), { 3: [granted(true)], 4: [granted(true)] });
  end(3);
  end(4);
  t.is(m.lockCount, 0);
});

test('a request that conflicts with a waiter waits behind it', (t) => {
  const { lock, end } = machine(3);
  lock(1, table(1));
  t.is(lock(2, table(8)), 'waits');
  t.is(lock(3, table(1)), 'waits');
  t.deepEqual(end(1), { 2: [granted(true, 9)] });
  t.deepEqual(end(2), { 3: [granted(true, 9)] });
});

test("a holder's stronger request passes those who wait for it", (t) => {
  const { lock, end } = machine(2);
  lock(1, table(1));
  t.is(lock(2, table(8)), 'waits');
  t.is(lock(1, table(5)), 'granted');
  t.is(lock(1, table(8)), 'granted');
  t.deepEqual(end(1), { 2: [granted(true, 9)] });
});

test('an upgrade waits for the other holders, before those who came earlier', (t) => {
  const { lock, end, out, m } = machine(3);
  lock(1, row('share'));
  lock(2, row('share'));
  t.is(lock(3, row('update')), 'waits');
  t.is(lock(1, row('update')), 'waits');
  t.deepEqual(end(2), { 1: [granted(true)] });
  m.disconnect(1);
  t.deepEqual(out(), { 3: [granted(true)] });
});

test('many targets in one request; skip and error', (t) => {
  const { lock } = machine(2);
  lock(1, [row('update', 2), row('update', 4)]);
  t.is(lock(2, [row('update', 1), row('update', 2), row('update', 3), row('update', 4)], 'skip'), 'granted unavailable granted unavailable');
  t.is(lock(2, [row('update', 5), row('update', 2), row('update', 6)], 'error'), 'granted unavailable');
});

test('a request goes on after each wait', (t) => {
  const { lock, end } = machine(3);
  lock(1, row('update', 1));
  lock(2, row('update', 2));
  t.is(lock(3, [row('update', 0), row('update', 1), row('update', 2), row('update', 3)]), 'waits');
  t.deepEqual(end(1), {});
  t.deepEqual(end(2), { 3: [granted(false), granted(true), granted(true), granted(false)] });
});

// Each short wait told the waiter so at once, and the message woke it for nothing.
test('who waits is told after some time, and once', (t) => {
  const { lock, end, m } = machine(3);
  const told = (): number[] => m.outputs.splice(0).filter(({ message }) => message.kind === 'waiting').map(({ session }) => session);
  m.tick(1000);
  lock(1, row('update'));
  t.is(lock(2, row('update')), 'waits');
  m.tick(1009);
  t.deepEqual(told(), []);
  t.is(lock(3, row('update')), 'waits');
  m.tick(1010);
  t.deepEqual(told(), [2]);
  t.is(m.nextDeadlineMs(), 1019);
  end(1);
  m.tick(1030);
  t.deepEqual(told(), [3]);
  end(2);
  t.is(m.nextDeadlineMs(), -1);
});

test('lock_timeout and cancel end a wait', (t) => {
  const { lock, m, out } = machine(2);
  lock(1, row('update'));
  m.tick(1000);
  t.is(lock(2, row('update'), 'block', 50), 'waits');
  t.is(m.nextDeadlineMs(), 1010);
  m.tick(1010);
  t.is(m.nextDeadlineMs(), 1050);
  m.tick(1049);
  t.deepEqual(out(), {});
  m.tick(1050);
  t.deepEqual(out(), { 2: [{ kind: 'timeout' }] });
  t.is(m.nextDeadlineMs(), -1);
  t.is(lock(2, row('update')), 'waits');
  m.receive(2, { kind: 'cancel' });
  t.deepEqual(out(), { 2: [{ kind: 'cancelled' }] });
  m.receive(2, { kind: 'cancel' });
  t.deepEqual(out(), {});
});

test('locks of a subtransaction are released with it, strengthened ones go back', (t) => {
  const { lock, m } = machine(2);
  lock(1, row('keyshare', 1), 'block', 0, 1);
  lock(1, [row('update', 1), row('update', 2)], 'block', 0, 2);
  t.is(lock(2, [row('nokeyupdate', 1), row('keyshare', 2)], 'skip'), 'unavailable unavailable');
  m.receive(1, { kind: 'releaseAfter', mark: 1 });
  t.is(lock(2, [row('nokeyupdate', 1), row('keyshare', 2), row('update', 1)], 'skip'), 'granted granted unavailable');
});

test('advisory locks: of session and transaction (the session counts its own)', (t) => {
  const { lock, m, out, end } = machine(2);
  const unlock = (id: number, shared = false): number => {
    m.receive(id, { kind: 'unlockAdvisory', key1: 1, key2: 2, key3: 1, shared });
    const answer = m.outputs.find((one) => one.session === id)!.message;
    return answer.kind === 'number' ? answer.value : -1;
  };
  lock(1, advisory(false, true));
  lock(1, advisory(false, false));
  t.is(lock(2, advisory(true, true)), 'waits');
  t.is(unlock(1), 1);
  t.deepEqual(out(), {}, 'the transaction still holds it');
  t.is(unlock(1), 0);
  t.deepEqual(end(1), { 2: [granted(true, 9)] });
  t.is(unlock(2, false), 0);
  m.outputs = [];
  t.is(unlock(2, true), 1);
  out();
  t.is(m.lockCount, 0);
  lock(2, advisory(false, true));
  end(2);
  t.is(lock(1, advisory(true, false), 'error'), 'unavailable', 'the end of the transaction leaves it');
  m.receive(2, { kind: 'unlockAllAdvisory' });
  out();
  t.is(m.lockCount, 0);
});

test('deadlock: the one that closes the circle fails, in the words of PostgreSQL', (t) => {
  const { lock, m, out, end } = machine(3);
  lock(1, row('update', 1));
  lock(2, row('update', 2));
  t.is(lock(1, row('update', 2)), 'waits');
  m.receive(2, { kind: 'locks', targets: [row('update', 1)], policy: 'block', timeoutMs: 0, mark: 1 });
  t.deepEqual(out(), { 2: [{ kind: 'deadlock', detail:
    'Process 1002 waits for ShareLock on transaction 100; blocked by process 1001.\n'
    + 'Process 1001 waits for ShareLock on transaction 101; blocked by process 1002.' }] });
  t.deepEqual(end(2), { 1: [granted(true)] });
  // Tables, advisory locks and keys in a circle of three.
  end(1);
  lock(1, table(8));
  lock(2, advisory(false, false));
  lock(3, key('x'));
  t.is(lock(1, advisory(false, false)), 'waits');
  t.is(lock(2, key('x')), 'waits');
  m.receive(3, { kind: 'locks', targets: [table(1)], policy: 'block', timeoutMs: 0, mark: 1 });
  t.deepEqual(out(), { 3: [{ kind: 'deadlock', detail:
    'Process 1003 waits for AccessShareLock on relation 16385 of database 5; blocked by process 1001.\n'
    + 'Process 1001 waits for ExclusiveLock on advisory lock [5,1,2,1]; blocked by process 1002.\n'
    + 'Process 1002 waits for ShareLock on transaction 102; blocked by process 1003.' }] });
});

test('two who hold a shared lock and both want more', (t) => {
  const { lock, end } = machine(2);
  lock(1, row('share'));
  lock(2, row('share'));
  t.is(lock(1, row('update')), 'waits');
  t.is(lock(2, row('update')), 'deadlock');
  t.deepEqual(end(2), { 1: [granted(true)] });
});

test('a circle through the order of waiting is undone by changing the order', (t) => {
  // PostgreSQL's README: 2 waits for 1; 3, who would not conflict with 1, waits only behind 2; 1 wants what 3 has.
  const { lock, end, out, m } = machine(3);
  lock(1, table(1, 1));
  lock(3, table(8, 2));
  t.is(lock(2, table(8, 1)), 'waits');
  t.is(lock(3, table(1, 1)), 'waits', 'behind session 2');
  m.receive(1, { kind: 'locks', targets: [table(1, 2)], policy: 'block', timeoutMs: 0, mark: 1 });
  t.deepEqual(out(), { 3: [granted(true, 9)] }, 'it passes session 2');
  t.deepEqual(end(3), { 1: [granted(true, 9)] });
  t.deepEqual(end(1), { 2: [granted(true, 9)] });
});

test("a connection's end frees everything", (t) => {
  const { lock, m, out } = machine(3);
  lock(1, [row('update', 1), table(3), key('k'), advisory(false, true)]);
  t.is(lock(2, row('update', 1)), 'waits');
  t.is(lock(3, key('k')), 'waits');
  m.disconnect(2);
  m.disconnect(1);
  t.deepEqual(out(), { 3: [granted(true, 9)] });
  m.disconnect(3);
  t.is(m.lockCount, 0);
});

test('pg_locks and pg_blocking_pids', (t) => {
  const { lock, m } = machine(2);
  lock(1, [table(3), row('update', 5), advisory(true, true)]);
  lock(2, row('update', 5));
  m.receive(1, { kind: 'lockStatus' });
  const answer = m.outputs[0]!.message;
  if (answer.kind !== 'lockStatus') return t.fail();
  t.deepEqual(answer.locks.map((one) => `${one.locktype} ${one.relation} ${one.xid} ${one.objid} ${one.pid} ${one.mode} ${one.granted}`), [
    'transactionid 0 100 0 1001 ExclusiveLock true', 'transactionid 0 101 0 1002 ExclusiveLock true',
    'transactionid 0 100 0 1002 ShareLock false', 'relation 16385 0 0 1001 RowExclusiveLock true',
    'advisory 0 0 2 1001 ShareLock true',
  ]);
  m.outputs = [];
  m.receive(1, { kind: 'blockingPids', pid: 1002 });
  t.deepEqual(m.outputs[0]!.message, { kind: 'pids', pids: [1001] });
});
