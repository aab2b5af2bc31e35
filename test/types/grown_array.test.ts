// Arrays that are changed in place keep what they were for everybody who still holds them.
import test from 'ava';
import { ArrayValue, type Datum } from '../../src/backend/types/datum.ts';
import { changedArray, lastingValues } from '../../src/backend/types/grown_array.ts';
import { seeded } from '../access/helpers.ts';

test('random changes of random versions', (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seeded(seed), below = (n: number): number => Math.floor(random() * n);
    const first = Array.from({ length: 50 + below(40) }, (_, i) => i);
    const versions: { array: ArrayValue; values: Datum[] }[] = [{ array: new ArrayValue(23, [first.length], [1], first), values: [...first] }];
    for (let step = 0; step < 400; step++) {
      // Mostly the newest, as a loop does; now and then one that others were made from.
      const { array, values } = versions[random() < 0.8 ? versions.length - 1 : below(versions.length)]!;
      const offset = random() < 0.5 ? -1 : below(values.length), value = 1000 + step;
      const dims = [values.length + (offset < 0 ? 1 : 0)];
      const lasting = random() < 0.1 ? lastingValues(array) : null;
      const changed = [...values];
      changed[offset < 0 ? values.length : offset] = value;
      versions.push({ array: changedArray(array, dims, offset, value), values: changed });
      if (lasting !== null) t.deepEqual(lasting, values);
      if (random() < 0.05) {
        const some = versions[below(versions.length)]!;
        t.deepEqual([...some.array.values], some.values, `seed ${seed}, step ${step}`);
      }
    }
    for (const { array, values } of versions) t.deepEqual([...array.values], values);
  }
});
