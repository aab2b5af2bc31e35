// PostgreSQL's hash of bytes: Bob Jenkins' lookup3, in 32 bits (as partitioning and hash functions show it) and in 64 bits
// with a seed. The results are those of a little-endian machine.

let a = 0, b = 0, c = 0;

function mix(): void {
  a = (a - c) | 0; a ^= (c << 4) | (c >>> 28); c = (c + b) | 0;
  b = (b - a) | 0; b ^= (a << 6) | (a >>> 26); a = (a + c) | 0;
  c = (c - b) | 0; c ^= (b << 8) | (b >>> 24); b = (b + a) | 0;
  a = (a - c) | 0; a ^= (c << 16) | (c >>> 16); c = (c + b) | 0;
  b = (b - a) | 0; b ^= (a << 19) | (a >>> 13); a = (a + c) | 0;
  c = (c - b) | 0; c ^= (b << 4) | (b >>> 28); b = (b + a) | 0;
}

function final(): void {
  c ^= b; c = (c - ((b << 14) | (b >>> 18))) | 0;
  a ^= c; a = (a - ((c << 11) | (c >>> 21))) | 0;
  b ^= a; b = (b - ((a << 25) | (a >>> 7))) | 0;
  c ^= b; c = (c - ((b << 16) | (b >>> 16))) | 0;
  a ^= c; a = (a - ((c << 4) | (c >>> 28))) | 0;
  b ^= a; b = (b - ((a << 14) | (a >>> 18))) | 0;
  c ^= b; c = (c - ((b << 24) | (b >>> 8))) | 0;
}

function start(lengthBytes: number): void {
  a = b = c = (0x9e3779b9 + lengthBytes + 3923095) | 0;
}

function seedWith(seed: bigint): void {
  if (seed === 0n) return;
  a = (a + Number((seed >> 32n) & 0xffffffffn)) | 0;
  b = (b + Number(seed & 0xffffffffn)) | 0;
  mix();
}

function take(bytes: Uint8Array): void {
  let at = 0;
  let left = bytes.length;
  const word = (i: number): number => bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
  for (; left >= 12; left -= 12, at += 12) {
    a = (a + word(at)) | 0;
    b = (b + word(at + 4)) | 0;
    c = (c + word(at + 8)) | 0;
    mix();
  }
  // The lowest byte of c is taken by the length.
  for (let i = 0; i < left; i++) {
    const byte = bytes[at + i]!;
    if (i < 4) a = (a + (byte << (8 * i))) | 0;
    else if (i < 8) b = (b + (byte << (8 * (i - 4)))) | 0;
    else c = (c + (byte << (8 * (i - 7)))) | 0;
  }
  final();
}

const wide = (): bigint => (BigInt(b >>> 0) << 32n) | BigInt(c >>> 0);

/** hash_bytes: an unsigned 32-bit number. */
export function hashBytes(bytes: Uint8Array): number {
  start(bytes.length);
  take(bytes);
  return c >>> 0;
}

/** hash_bytes_extended: an unsigned 64-bit number. */
export function hashBytesExtended(bytes: Uint8Array, seed: bigint): bigint {
  start(bytes.length);
  seedWith(seed);
  take(bytes);
  return wide();
}

/** hash_bytes_uint32: the same as hashBytes of the number's four bytes. */
export function hashUint32(value: number): number {
  start(4);
  a = (a + value) | 0;
  final();
  return c >>> 0;
}

export function hashUint32Extended(value: number, seed: bigint): bigint {
  start(4);
  seedWith(seed);
  a = (a + value) | 0;
  final();
  return wide();
}
