// Expected values are PostgreSQL 15's for the same statements.
import test from 'ava';
import { PgError } from '../../src/common/errors.ts';
import { LocalManager } from '../../src/backend/transaction/local.ts';
import type { SequenceRequest } from '../../src/backend/transaction/client.ts';
import { MemoryStore } from './memory_store.ts';
import { inserting, localClient, request, sequenceRow } from './helpers.ts';

const SEQUENCE = 20000;

function site(start = 1n) {
  const store = new MemoryStore();
  const manager = new LocalManager(store, 5);
  const client = localClient(manager);
  client.commit(request({ relations: [inserting(SEQUENCE, [sequenceRow(start)])] }));
  const show = (from = client) => {
    const { lastValue, logCount, isCalled } = from.sequenceState(SEQUENCE);
    return `${lastValue}|${logCount}|${isCalled ? 't' : 'f'}`;
  };
  return { store, manager, client, show };
}
const sequence = (parts: Partial<SequenceRequest> = {}): SequenceRequest =>
  ({ filenode: SEQUENCE, name: 's', increment: 1, min: 1, max: 9223372036854775807n, cache: 1, cycle: false, ...parts });

test('nextval and log_cnt', (t) => {
  const { client, show } = site();
  t.is(client.nextval(sequence()), 1);
  t.is(show(), '1|32|t');
  t.is(client.nextval(sequence()), 2);
  t.is(show(), '2|31|t');
  for (let i = 0; i < 31; i++) client.nextval(sequence());
  t.is(show(), '33|0|t');
  t.is(client.nextval(sequence()), 34);
  t.is(show(), '34|32|t');
});

test('cache and cycle', (t) => {
  const { client, show } = site();
  const cycling = sequence({ max: 5, cycle: true, cache: 3 });
  t.is(client.nextval(cycling), 1);
  t.is(show(), '3|2|t');
  t.deepEqual([1, 2, 3].map(() => client.nextval(cycling)), [2, 3, 4]);
  t.is(show(), '5|0|t');
  t.is(client.nextval(cycling), 5);
  t.is(client.nextval(cycling), 1);
  t.is(show(), '3|2|t');
});

test('descending, setval, and the end', (t) => {
  const { client, show } = site(-1n);
  const down = sequence({ increment: -2, min: -9, max: -1 });
  t.is(client.nextval(down), -1);
  t.is(show(), '-1|4|t');
  t.is(client.nextval(down), -3);
  t.is(show(), '-3|3|t');
  client.setval(SEQUENCE, -7, true);
  t.is(show(), '-7|0|t');
  t.is(client.nextval(down), -9);
  const error = t.throws(() => client.nextval(down), { instanceOf: PgError });
  t.is(error.code, '2200H');
  t.is(error.message, 'nextval: reached minimum value of sequence "s" (-9)');
  client.setval(SEQUENCE, -5, false);
  t.is(show(), '-5|0|f');
  t.is(client.nextval(down), -5);
});

test('the ends of int8', (t) => {
  const { client, show } = site();
  client.setval(SEQUENCE, 9223372036854775806n, true);
  t.is(client.nextval(sequence()), 9223372036854775807n);
  t.is(show(), '9223372036854775807|0|t');
  t.throws(() => client.nextval(sequence()), { message: /maximum value of sequence "s" \(9223372036854775807\)/ });
});

test('after a crash numbers are skipped, after an orderly end not', (t) => {
  const { client, store, manager } = site();
  for (let i = 0; i < 3; i++) client.nextval(sequence());
  const crashed = localClient(new LocalManager(store, 5));
  t.is(crashed.nextval(sequence()), 34);
  const other = site();
  other.client.nextval(sequence());
  other.client.nextval(sequence());
  other.manager.close();
  t.is(localClient(new LocalManager(other.store, 5)).nextval(sequence()), 3);
  void manager;
});

test('a burst fetches ahead and gives back what it did not use', (t) => {
  const { client, store, manager, show } = site();
  const writes = store.writes;
  for (let i = 1; i <= 2000; i++) if (client.nextval(sequence()) !== i) return t.fail();
  t.true(store.writes - writes < 20, `${store.writes - writes} flushes`);
  client.endStatement();
  t.is(show().split('|')[0], '2000');
  t.is(client.nextval(sequence()), 2001);
  // Another session went on meanwhile: what was fetched is lost then, but never given twice.
  const other = localClient(manager);
  for (let i = 0; i < 40; i++) client.nextval(sequence());
  const theirs = other.nextval(sequence()) as number;
  client.endStatement();
  t.true((client.nextval(sequence()) as number) > theirs);
});

test('a sequence that is dropped, or was never there', (t) => {
  const { client } = site();
  client.nextval(sequence());
  client.commit(request({ droppedFilenodes: [SEQUENCE] }));
  t.throws(() => client.nextval(sequence()), { instanceOf: PgError });
  t.throws(() => client.setval(1, 1, true), { instanceOf: PgError });
});

test('a full disk gives no number away', (t) => {
  const { client, store } = site();
  store.failNextWrite = new PgError('disk_full', 'No space left on device');
  t.is(t.throws(() => client.nextval(sequence()), { instanceOf: PgError }).code, '53100');
  t.is(client.nextval(sequence()), 1);
});

test('oids and transaction ids are fresh after a crash', (t) => {
  const { client, store } = site();
  t.is(client.allocateOids(), 16384);
  t.is(client.allocateOids(10), 16385);
  const xid = client.allocateXid();
  t.is(client.allocateXid(), xid);
  const answer = client.commit(request({ xid, relations: [inserting(5, [sequenceRow(1n)])] }));
  t.like(answer, { kind: 'committed', xid });
  const again = localClient(new LocalManager(store, 5));
  t.true(again.allocateOids() > 16395);
  t.true(again.allocateXid() > xid);
});
