// Integers in index keys: of any width, and equal for equal values of int2, int4 and int8. See key.ts for the form.
const { fromCharCode } = String;

export function integerKey(v: number | bigint): string {
  if (typeof v === 'bigint') return bigKey(v);
  if (v >= 0) {
    if (v < 0x10000) return v === 0 ? '\x80' : v < 256 ? fromCharCode(0x81, v) : fromCharCode(0x82, v >> 8, v & 255);
    if (v < 0x1000000) return fromCharCode(0x83, v >> 16, (v >> 8) & 255, v & 255);
    if (v < 0x100000000) return fromCharCode(0x84, v >>> 24, (v >>> 16) & 255, (v >>> 8) & 255, v & 255);
    return wideKey(v, 0x80, 1, 0);
  }
  return wideKey(-v - 1, 0x7f, -1, 255);
}

/** `m` as few bytes, each xor `flip`, behind `base + direction * count`. */
function wideKey(m: number, base: number, direction: number, flip: number): string {
  let bytes = '';
  let count = 0;
  for (; m > 0; count++) {
    const low = m % 256;
    bytes = fromCharCode(low ^ flip) + bytes;
    m = (m - low) / 256;
  }
  return fromCharCode(base + direction * count) + bytes;
}

export function bigKey(v: bigint): string {
  const negative = v < 0n;
  let m = negative ? -v - 1n : v;
  const flip = negative ? 255 : 0;
  let bytes = '';
  let count = 0;
  for (; m > 0n; count++, m >>= 8n) bytes = fromCharCode(Number(m & 255n) ^ flip) + bytes;
  return fromCharCode(negative ? 0x7f - count : 0x80 + count) + bytes;
}
