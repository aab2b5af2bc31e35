// Keys of indexes back to the values they were made from: what an index-only scan shows.
import test from 'ava';
import { encodeKey } from '../../src/backend/access/key.ts';
import { isDecodable, keyDecoder } from '../../src/backend/access/key_decode.ts';
import type { IndexColumn } from '../../src/backend/catalog/relation.ts';
import type { Datum } from '../../src/backend/types/datum.ts';
import { pick, seeded } from './helpers.ts';

const integers: Datum[] = [0, 1, -1, 255, 256, -256, -257, 65535, 65536, -65537, 2 ** 31 - 1, -(2 ** 31), 2 ** 32, 2 ** 48, -(2 ** 48) - 1, 2 ** 53 - 1, -(2 ** 53) + 1,
  2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)];
const texts: Datum[] = ['', 'a', 'ab', 'ü', '\u{1d11e}', 'x'.repeat(300), '\x01', '\xff'];
const KINDS: [type: number, opclass: number, values: Datum[]][] = [[20, 3124, integers], [23, 1978, integers.slice(0, 12)], [25, 3126, texts], [1043, 3126, texts], [16, 10003, [true, false]]];

test('random keys', (t) => {
  const random = seeded(3);
  for (let round = 0; round < 300; round++) {
    const kinds = Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(random, KINDS));
    const columns = kinds.map(([typeOid, opclass]): IndexColumn => ({ typeOid, opclass, opfamily: 0, collation: 100, descending: random() < 0.5, nullsFirst: random() < 0.5, keyLimit: null }));
    t.true(columns.every((c) => isDecodable(c, c.typeOid)));
    const decode = keyDecoder(columns, columns.length);
    for (let i = 0; i < 20; i++) {
      const values = kinds.map(([, , pool]) => (random() < 0.1 ? null : pick(random, pool)));
      t.deepEqual(decode(encodeKey(columns, values)), values);
    }
  }
});
