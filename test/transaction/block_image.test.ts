// Blocks being changed, against a plain list of rows.
import test from 'ava';
import { BLOCK_MOVED } from '../../src/backend/access/row.ts';
import { BlockImage, checkBlock } from '../../src/backend/transaction/block_image.ts';
import { below, seeded } from '../access/helpers.ts';

test('random changes of a block leave the rows that they should', (t) => {
  const random = seeded(7);
  for (let round = 0; round < 60; round++) {
    const image = new BlockImage();
    image.reset();
    const rows: (Buffer | null)[] = [];
    /** The live slots as their rows stand: one replaced by replaceLast stands last. */
    let standing: number[] = [];
    const big = round % 10 === 9;
    const make = (): Buffer => { const row = Buffer.alloc(6 + below(random, big ? 3000 : 60), below(random, 256)); row.writeUInt32LE(5, 0); return row; };
    const check = (): void => {
      const { length } = image;
      checkBlock(image.bytes.subarray(0, length));
      t.is(image.liveRows(), rows.filter((r) => r !== null).length);
      let bytes = 8 + rows.length * (image.wide ? 4 : 2);
      for (let slot = 0; slot < rows.length; slot++) {
        const row = rows[slot]!, start = image.start(slot);
        t.is(start === 0, row === null);
        if (row !== null) { t.deepEqual(image.bytes.subarray(start, image.end(start)), row); bytes += row.length; }
      }
      t.is(length, bytes);
      standing = standing.filter((slot) => rows[slot] !== null);
      t.deepEqual([...image.inOrder()], standing);
      t.is((image.bytes[1]! & BLOCK_MOVED) !== 0 || standing.every((slot, i) => i === 0 || standing[i - 1]! < slot), true);
    };
    for (let step = 0; step < 150; step++) {
      const what = random(), slot = below(random, rows.length || 1);
      if (what < 0.5 || rows.length === 0) { const row = make(); t.is(image.append(row, 5), rows.length); standing.push(rows.length); rows.push(row); }
      else if (what < 0.6 && rows[slot]) { const row = make(); image.replace(slot, row, 5); rows[slot] = row; }
      else if (what < 0.7 && rows[slot]) {
        for (const s of [slot, slot + 1, slot >> 1].filter((s) => rows[s])) {
          const row = make();
          image.replaceLast(s, row, 5);
          rows[s] = row;
          standing = [...standing.filter((other) => other !== s), s];
        }
      }
      else if (what < 0.95) for (let k = 0; k < 1 + below(random, 6); k++) { const s = below(random, rows.length); if (rows[s]) { image.remove(s); rows[s] = null; } }
      else { const copy = Buffer.from(image.bytes.subarray(0, image.length)); image.load(copy, copy.length); }
      if (random() < 0.2) check();
    }
    check();
  }
});
