import test from 'ava';
import { TextCache } from '../../src/backend/utils/text_cache.ts';

const others = (cache: TextCache<string, number>, from: number, count = 100): void => {
  for (let i = from; i < from + count; i++) cache.set(`other ${i}`, i);
};

// 512 statements of a session that never sends a text twice were kept, each long enough to grow old: a third of its time was garbage.
test('what is not asked for again does not stay', (t) => {
  const cache = new TextCache<string, number>(512);
  cache.set('once', 1);
  cache.set('twice', 2);
  t.is(cache.get('twice'), 2);
  others(cache, 0);
  t.is(cache.get('once'), undefined);
  t.is(cache.get('twice'), 2);
  cache.set('once', 3);
  others(cache, 100);
  t.is(cache.get('once'), 3, 'made a second time, it stays');
  cache.set('once', 4);
  t.is(cache.get('once'), 4);
  cache.clear();
  t.is(cache.get('once'), undefined);
});

test('there is a limit, and the oldest goes; numbers are keys, too', (t) => {
  const cache = new TextCache<number, number>(10);
  for (let i = 0; i < 12; i++) {
    cache.set(i, i);
    t.is(cache.get(i), i);
  }
  t.deepEqual([0, 1, 2, 11].map((i) => cache.get(i)), [undefined, undefined, 2, 11]);
});

// Texts that differed in the last digit, by one, had the same hash: half of what came once was taken for known, and stayed.
test('texts with consecutive numbers are told apart', (t) => {
  for (const [what, key] of [['texts', (i: number) => `SELECT 1 AS c${i}`], ['numbers', (i: number) => i]] as const) {
    const cache = new TextCache<string | number, number>(512);
    for (let i = 0; i < 200; i++) cache.set(key(i), i);
    let left = 0;
    for (let i = 0; i < 200; i++) if (cache.get(key(i)) !== undefined) left++;
    t.is(left, 24, what);
  }
});
