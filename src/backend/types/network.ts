// inet and cidr: input, output, order and arithmetic (PostgreSQL's network.c).
import { PgError } from '../../common/errors.ts';
import { registerComparison } from './compare.ts';
import { INT8_MAX, INT8_MIN, int8, type Int8 } from './datum.ts';
import { invalidInput, invalidParameter } from './errors.ts';
import { registerBuiltins } from './fmgr.ts';
import { hashFunctions, registerHash, type TypeHash } from './hash.ts';
import { hashBytes, hashBytesExtended } from './hash_bytes.ts';
import { cidrAbbreviation, hostText, Inet, inetText, maxBits, parseInet } from './inet_text.ts';
import { CIDROID, INETOID } from './oids.ts';
import { WireReader } from './wire.ts';

/** PostgreSQL's own numbers for the families. */
const familyByte = (value: Inet): number => (value.family === 4 ? 2 : 3);

/** The bits right of the mask cleared. */
function masked(bytes: Uint8Array, bits: number): Uint8Array {
  const result = new Uint8Array(bytes.length);
  result.set(bytes.subarray(0, bits >> 3));
  if (bits % 8 !== 0) result[bits >> 3] = bytes[bits >> 3]! & (255 << (8 - (bits % 8)));
  return result;
}

const network = (value: Inet, bits = value.bits): Inet => new Inet(value.family, bits, masked(value.bytes, bits));
const isNetwork = (value: Inet): boolean => Buffer.compare(masked(value.bytes, value.bits), value.bytes) === 0;

function inetIn(text: string): Inet {
  const value = parseInet(text, false);
  if (value === null) throw invalidInput('inet', text);
  return value;
}

function cidrIn(text: string): Inet {
  const value = parseInet(text, true);
  if (value === null) throw invalidInput('cidr', text);
  if (isNetwork(value)) return value;
  throw new PgError('invalid_text_representation', `invalid cidr value: "${text}"`, { detail: 'Value has bits set to right of mask.' });
}

const fullText = (value: Inet): string => `${hostText(value)}/${value.bits}`;

const receive = (cidr: boolean) => (bytes: Uint8Array): Inet => {
  const reader = new WireReader(bytes);
  const type = cidr ? 'cidr' : 'inet';
  const invalid = (what: string): PgError => new PgError('invalid_binary_representation', `invalid ${what} in external "${type}" value`);
  const tag = reader.uint8();
  if (tag !== 2 && tag !== 3) throw invalid('address family');
  const family = tag === 2 ? 4 : 6;
  const bits = reader.uint8();
  if (bits > maxBits(family)) throw invalid('bits');
  reader.uint8(); // whether it is a cidr: the caller knows
  const length = reader.uint8();
  if (length !== maxBits(family) / 8) throw invalid('length');
  const value = new Inet(family, bits, reader.takeBytes(length));
  reader.end();
  if (cidr && !isNetwork(value)) {
    throw new PgError('invalid_binary_representation', 'invalid external "cidr" value', { detail: 'Value has bits set to right of mask.' });
  }
  return value;
};

const send = (cidr: boolean) => (value: Inet): Uint8Array =>
  Buffer.concat([Buffer.of(familyByte(value), value.bits, cidr ? 1 : 0, value.bytes.length), value.bytes]);

// --- order

/** How many leading bits two addresses share, up to `limit`. */
function commonBits(a: Uint8Array, b: Uint8Array, limit: number): number {
  for (let i = 0; i * 8 < limit; i++) {
    const difference = a[i]! ^ b[i]!;
    if (difference !== 0) return Math.min(limit, i * 8 + Math.clz32(difference) - 24);
  }
  return limit;
}

function compareInet(a: Inet, b: Inet): number {
  if (a.family !== b.family) return a.family - b.family;
  const shared = Math.min(a.bits, b.bits);
  return Buffer.compare(masked(a.bytes, shared), masked(b.bytes, shared)) || a.bits - b.bits || Buffer.compare(a.bytes, b.bytes);
}

const within = (a: Inet, b: Inet, strict: boolean): boolean =>
  a.family === b.family && (strict ? a.bits > b.bits : a.bits >= b.bits) && commonBits(a.bytes, b.bytes, b.bits) === b.bits;

const HASHED = (value: Inet): Uint8Array => Buffer.concat([Buffer.of(familyByte(value), value.bits), value.bytes]);
const HASH: TypeHash = { hash: (value: Inet) => hashBytes(HASHED(value)), extended: (value: Inet, seed) => hashBytesExtended(HASHED(value), seed) };

for (const type of [INETOID, CIDROID]) {
  registerHash(type, HASH);
  registerComparison(type, { compare: compareInet, hashKey: (value: Inet) => Buffer.from(HASHED(value)).latin1Slice() });
}

// --- arithmetic

const outOfRange = (): PgError => new PgError('numeric_value_out_of_range', 'result is out of range');
const toInteger = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);

function add(value: Inet, addend: Int8): Inet {
  const sum = toInteger(value.bytes) + BigInt(addend);
  const size = value.bytes.length;
  if (sum < 0n || sum >= 1n << BigInt(8 * size)) throw outOfRange();
  return new Inet(value.family, value.bits, Buffer.from(sum.toString(16).padStart(2 * size, '0'), 'hex'));
}

function subtract(a: Inet, b: Inet): Int8 {
  if (a.family !== b.family) throw invalidParameter('cannot subtract inet values of different sizes');
  // Of IPv6 addresses as far as their own bits go: from the last one to the first it is one.
  const difference = BigInt.asIntN(128, toInteger(a.bytes) - toInteger(b.bytes));
  if (difference < INT8_MIN || difference > INT8_MAX) throw outOfRange();
  return int8(difference);
}

const bitwise = (name: string, op: (a: number, b: number) => number) => (a: Inet, b: Inet): Inet => {
  if (a.family !== b.family) throw invalidParameter(`cannot ${name} inet values of different sizes`);
  return new Inet(a.family, Math.max(a.bits, b.bits), a.bytes.map((byte, i) => op(byte, b.bytes[i]!)));
};

function withMask(value: Inet, bits: number): Inet {
  const wanted = bits === -1 ? maxBits(value.family) : bits;
  if (wanted < 0 || wanted > maxBits(value.family)) throw invalidParameter(`invalid mask length: ${bits}`);
  return new Inet(value.family, wanted, value.bytes);
}

const hostBits = (value: Inet): Uint8Array => {
  const ones = new Uint8Array(value.bytes.length).fill(255);
  return ones.map((byte, i) => byte ^ masked(ones, value.bits)[i]!);
};

function merge(a: Inet, b: Inet): Inet {
  if (a.family !== b.family) throw invalidParameter('cannot merge addresses from different families');
  return network(a, commonBits(a.bytes, b.bytes, Math.min(a.bits, b.bits)));
}

/** Bytes: family, length of the mask, address. */
export const inetCodec = {
  number: 3,
  type: Inet,
  encode: (value: Inet): Uint8Array => Buffer.concat([Buffer.of(value.family, value.bits), value.bytes]),
  decode: (bytes: Uint8Array): Inet => new Inet(bytes[0] as 4 | 6, bytes[1]!, bytes.slice(2)),
};

registerBuiltins({
  pure: {
    inet_in: inetIn, inet_out: inetText, inet_recv: receive(false), inet_send: send(false),
    cidr_in: cidrIn, cidr_out: fullText, cidr_recv: receive(true), cidr_send: send(true),
    inet_to_cidr: (value: Inet) => network(value),
    network_cmp: compareInet,
    network_lt: (a: Inet, b: Inet) => compareInet(a, b) < 0, network_le: (a: Inet, b: Inet) => compareInet(a, b) <= 0,
    network_eq: (a: Inet, b: Inet) => compareInet(a, b) === 0, network_ne: (a: Inet, b: Inet) => compareInet(a, b) !== 0,
    network_gt: (a: Inet, b: Inet) => compareInet(a, b) > 0, network_ge: (a: Inet, b: Inet) => compareInet(a, b) >= 0,
    network_smaller: (a: Inet, b: Inet) => (compareInet(a, b) < 0 ? a : b), network_larger: (a: Inet, b: Inet) => (compareInet(a, b) > 0 ? a : b),
    network_sub: (a: Inet, b: Inet) => within(a, b, true), network_subeq: (a: Inet, b: Inet) => within(a, b, false),
    network_sup: (a: Inet, b: Inet) => within(b, a, true), network_supeq: (a: Inet, b: Inet) => within(b, a, false),
    network_overlap: (a: Inet, b: Inet) => within(a, b, false) || within(b, a, false),
    inet_set_masklen: withMask,
    cidr_set_masklen: (value: Inet, bits: number) => network(withMask(value, bits)),
    network_broadcast: (value: Inet) => new Inet(value.family, value.bits, value.bytes.map((byte, i) => byte | hostBits(value)[i]!)),
    network_network: (value: Inet) => network(value),
    network_netmask: (value: Inet) => new Inet(value.family, maxBits(value.family), hostBits(value).map((byte) => byte ^ 255)),
    network_hostmask: (value: Inet) => new Inet(value.family, maxBits(value.family), hostBits(value)),
    network_masklen: (value: Inet) => value.bits, network_family: (value: Inet) => value.family,
    network_host: hostText, network_show: fullText, inet_abbrev: inetText, cidr_abbrev: cidrAbbreviation,
    inetnot: (value: Inet) => new Inet(value.family, value.bits, value.bytes.map((byte) => byte ^ 255)),
    inetand: bitwise('AND', (a, b) => a & b), inetor: bitwise('OR', (a, b) => a | b),
    inetpl: add, inetmi_int8: (value: Inet, subtrahend: Int8) => add(value, int8(BigInt.asIntN(64, -BigInt(subtrahend)))), inetmi: subtract,
    inet_same_family: (a: Inet, b: Inet) => a.family === b.family, inet_merge: merge,
    ...hashFunctions('hashinet', 'hashinetextended', HASH),
  },
});
