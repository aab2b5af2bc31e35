import test from 'ava';
import { XidLog } from '../../src/backend/transaction/xid_log.ts';

test('what an older snapshot does not see has not ended for it', (t) => {
  const log = new XidLog(10, 100);
  log.committed(10, 101);
  log.committed(12, 102);
  log.rolledBack(13);
  t.deepEqual(log.unfinished(new Set([11]), 102), [11]);
  t.deepEqual(log.unfinished(new Set([11]), 101), [11, 12]);
  t.deepEqual(log.unfinished(new Set([11]), 100), [10, 11, 12]);
  t.is(log.unfinished(new Set(), 99), null);
  t.deepEqual([1, 9, 10, 11, 13, 14].map((xid) => log.status(xid, new Set([11]), 14)),
    ['committed', 'unknown', 'committed', 'in progress', 'aborted', 'future']);
});

test('what there is no room for is not known any more', (t) => {
  const log = new XidLog(3, 0);
  for (let i = 1; i <= 20_000; i++) log.committed(i + 2, i);
  t.is(log.unfinished(new Set(), 3_000), null);
  t.is(log.unfinished(new Set(), 19_998)!.length, 2);
  for (let xid = 30_000; xid < 100_000; xid++) log.rolledBack(xid);
  t.is(log.status(30_000, new Set(), 100_000), 'unknown');
  t.is(log.status(99_999, new Set(), 100_000), 'aborted');
});
