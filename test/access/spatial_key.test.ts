import test from 'ava';
import { floatCode, mortonCoordinates, mortonKey, nextWithin } from '../../src/backend/access/spatial_key.ts';
import { below, seeded } from './helpers.ts';

const random = seeded(11);
const number = (): number => (below(random, 41) - 20) / (1 + below(random, 3));

for (const dimensions of [2, 4]) {
  test(`${dimensions} coordinates: keys give them back, and the next one in a window is found`, (t) => {
    const points = Array.from({ length: 400 }, () => Array.from({ length: dimensions }, number));
    const keys = points.map((p) => ({ p, key: mortonKey(p.map(floatCode)) })).sort((a, b) => (a.key < b.key ? -1 : 1));
    for (const { p, key } of keys) t.deepEqual(mortonCoordinates(key, dimensions), p.map((v) => v + 0));
    for (let i = 0; i < 60; i++) {
      const ends = Array.from({ length: dimensions }, () => [number(), number()].sort((a, b) => a - b) as [number, number]);
      const low = mortonKey(ends.map(([v]) => floatCode(v))), high = mortonKey(ends.map(([, v]) => floatCode(v)));
      const within = keys.filter(({ p }) => p.every((v, d) => v >= ends[d]![0] && v <= ends[d]![1]));
      for (const { key } of keys) {
        const next = nextWithin(key, low, high, dimensions), wanted = within.find((w) => w.key >= key);
        if (next === null) t.is(wanted, undefined);
        else {
          t.true(next >= key && nextWithin(next, low, high, dimensions) === next);
          // Nothing that lies in the window is passed over.
          t.is(within.find((w) => w.key >= next)?.key, wanted?.key);
        }
      }
    }
  });
}

test('what is no number, and infinity, have a place', (t) => {
  t.deepEqual(mortonCoordinates(mortonKey([NaN, -Infinity].map(floatCode)), 2), [Infinity, -Infinity]);
  t.true(floatCode(NaN) > floatCode(Infinity) && floatCode(-0) === floatCode(0));
});
