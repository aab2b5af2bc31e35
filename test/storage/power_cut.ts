// What the process of power_cut.test.ts writes, and the test expects: by seed.
import { randomFrom } from '../support/random.ts';

export function* commits(seed: number, count: number, keys: number): Generator<[number, [Buffer, Buffer | null][]]> {
  const random = randomFrom(seed);
  for (let number = 1; number <= count; number++) {
    const changes: [Buffer, Buffer | null][] = [];
    // Mostly a few entries; sometimes values of many pages; now and then more pages than the journal takes: it begins anew then,
    // and is to become full as well.
    const kind = number % 500 < 150 ? random(20) : 1 + random(19), size = kind === 0 ? 400 : 1 + random(6);
    for (let i = 0; i < size; i++) {
      const key = Buffer.alloc(8);
      key.writeUInt32BE(5, 0);
      key.writeUInt32BE(kind === 0 ? 1000 + random(600) : random(keys), 4);
      const length = kind === 1 ? 1 + random(30_000) : kind === 0 ? 3000 : 1 + random(1500);
      changes.push([key, random(6) === 0 ? null : Buffer.alloc(length, 1 + random(250))]);
    }
    const mark = Buffer.alloc(4);
    mark.writeUInt32LE(number);
    changes.push([Buffer.from('0000000400000000', 'hex'), mark]);
    yield [number, changes];
  }
}
