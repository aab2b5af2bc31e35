// Arrays that are changed again and again: `a := a || x` and `a[i] := x` in a loop. PostgreSQL keeps the array of a variable
// expanded and changes it in place. Here a changed array takes over the values of the one it was made from, changed in place,
// and the old one keeps only what it takes to get its own values back, should anybody still ask for them (Baker's trick).
// So each change costs the same, however long the array, and every array still is what it always was.
//
// Whoever goes through the values of an array while others may change it (a set that is given out row by row) must ask for
// `lastingValues`.
import { ArrayValue, type Datum } from './datum.ts';

/** Shorter arrays are copied: that is quicker. */
const GROWN_ELEMENTS = 64;

class GrownArray extends ArrayValue {
  /** So many changes may still be made in place before a copy is due: going back takes as long as there were changes. */
  changesLeft: number;
  /** The array that has our values now, and what has to be undone there: the value that was at an offset; without one, it has got longer. */
  next: GrownArray | null = null;
  offset = -1;
  old: Datum = null;
  constructor(from: ArrayValue, dims: readonly number[], values: Datum[], changesLeft: number) {
    super(from.elementType, dims, from.lbounds, values);
    this.changesLeft = changesLeft;
  }
}

/** What the `values` of an array become that has given them away. */
const GIVEN_AWAY: PropertyDescriptor = {
  configurable: true, enumerable: true,
  get(this: GrownArray): readonly Datum[] {
    const values = takeBack(this);
    Object.defineProperty(this, 'values', { configurable: true, enumerable: true, writable: true, value: values });
    this.next = null;
    this.old = null;
    return values;
  },
};

function takeBack(array: GrownArray): Datum[] {
  const chain: GrownArray[] = [];
  let newest = array;
  for (; newest.next !== null; newest = newest.next) chain.push(newest);
  const values = newest.values.slice();
  for (let i = chain.length - 1; i >= 0; i--) {
    const { offset, old } = chain[i]!;
    if (offset >= 0) values[offset] = old;
    else values.length = chain[i]!.dims[0]!;
  }
  return values;
}

/** `array` with one value more at its end (`offset` -1), or another value at an offset; `dims` are those of the result. */
export function changedArray(array: ArrayValue, dims: readonly number[], offset: number, value: Datum): ArrayValue {
  const count = array.values.length;
  if (count < GROWN_ELEMENTS) {
    const values = array.values.slice();
    values[offset < 0 ? count : offset] = value;
    return new ArrayValue(array.elementType, dims, array.lbounds, values);
  }
  if (!(array instanceof GrownArray) || array.changesLeft === 0) {
    const values = array.values.slice();
    values[offset < 0 ? count : offset] = value;
    return new GrownArray(array, dims, values, count);
  }
  const values = array.values as Datum[];
  const next = new GrownArray(array, dims, values, array.changesLeft - 1);
  if (offset >= 0) array.old = values[offset]!;
  array.offset = offset;
  array.next = next;
  Object.defineProperty(array, 'values', GIVEN_AWAY);
  values[offset < 0 ? count : offset] = value;
  return next;
}

/** The values of an array for one who looks at them later, too. */
export const lastingValues = (array: ArrayValue): readonly Datum[] => (array instanceof GrownArray ? array.values.slice() : array.values);
