// PostgreSQL's binary form of a jsonb. Nothing here is stored that way; but the ids that jsonpath's keyvalue() shows are offsets
// in it, and sizes are told by it.
import { utf8Length } from './characters.ts';
import { numericDigits } from './hash.ts';
import { isArray, type JsonbItem, JsonbObject } from './jsonb.ts';
import { FINITE, Numeric } from './numeric.ts';

const aligned = (at: number): number => (at + 3) & ~3;

/** With a header of four bytes. */
export function numericSize(value: Numeric): number {
  if (value.special !== FINITE || value.coefficient === 0n) return 6;
  const { bytes, weight } = numericDigits(value);
  const short = value.scale <= 63 && weight >= -64 && weight <= 63;
  return 4 + (short ? 2 : 4) + bytes.length;
}

/** The offset of `target` in bytes from the start of `base`, which holds it; 0 when it does not. */
export function containerOffset(base: JsonbItem, target: JsonbItem): number {
  let found = 0;
  layOut(base, (item, at) => { if (item === target) found = at; });
  return found;
}

/** In bytes, with a header of four. A scalar is an array of one. */
export const jsonbSize = (root: JsonbItem): number => 4 + layOut(root instanceof JsonbObject || isArray(root) ? root : [root], () => {});

/** Tells where the containers lie; gives the end. */
function layOut(base: JsonbItem, tell: (item: JsonbItem, at: number) => void): number {
  /** Lays an item at an offset; gives its end. */
  const lay = (item: JsonbItem, start: number): number => {
    if (item instanceof Numeric) return aligned(start) + numericSize(item);
    if (typeof item === 'string') return start + utf8Length(item);
    if (item === null || typeof item === 'boolean') return start;
    let at = aligned(start);
    tell(item, at);
    if (isArray(item)) {
      at += 4 + 4 * item.length;
      for (const element of item) at = lay(element, at);
      return at;
    }
    const { keys, values } = item as JsonbObject;
    at += 4 + 8 * keys.length;
    for (const key of keys) at += utf8Length(key);
    for (const value of values) at = lay(value, at);
    return at;
  };
  return lay(base, 0);
}
