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

/** The same into bytes at `at`; where it ends. -1: it must be made as a string. */
export function putIntegerKey(bytes: Uint8Array, at: number, v: number): number {
  if (v < 0 || v >= 0x100000000) return -1;
  if (v < 0x10000) {
    if (v === 0) { bytes[at] = 0x80; return at + 1; }
    if (v < 256) { bytes[at] = 0x81; bytes[at + 1] = v; return at + 2; }
    bytes[at] = 0x82;
    bytes[at + 1] = v >> 8;
    bytes[at + 2] = v;
    return at + 3;
  }
  if (v < 0x1000000) {
    bytes[at] = 0x83;
    bytes[at + 1] = v >> 16;
    bytes[at + 2] = v >> 8;
    bytes[at + 3] = v;
    return at + 4;
  }
  bytes[at] = 0x84;
  bytes[at + 1] = v >>> 24;
  bytes[at + 2] = v >>> 16;
  bytes[at + 3] = v >>> 8;
  bytes[at + 4] = v;
  return at + 5;
}
