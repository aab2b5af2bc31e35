// macaddr and macaddr8. A value is its text: pairs of lower-case hexadecimal digits with colons, so that the order of
// strings is that of the bytes.
import { PgError } from '../../common/errors.ts';
import { registerComparison } from './compare.ts';
import { invalidInput } from './errors.ts';
import { registerBuiltins, type PureFunction } from './fmgr.ts';
import { hashFunctions, registerHash, type TypeHash } from './hash.ts';
import { hashBytes, hashBytesExtended } from './hash_bytes.ts';
import { MACADDR8OID, MACADDROID } from './oids.ts';
import { receiveAll } from './wire.ts';

const toBytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(':', ''), 'hex');
const toText = (bytes: Iterable<number>): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');

/** The ways to write it, in PostgreSQL's order. A pair takes two digits where there are two, and does not give one back. */
const FORMS = ['#:#:#:#:#:#', '#-#-#-#-#-#', 'ppp:ppp', 'ppp-ppp', 'pp\\.pp\\.pp', 'pp-pp-pp', 'pppppp'].map((form) => {
  let group = 0;
  return new RegExp(`^\\s*${form.replace(/[#p]/g, (c) => (c === '#' ? '\\s*([-+]?(?:0x)?[0-9a-f]+)' : `(?=([-+][0-9a-f]|[0-9a-f]{1,2}))\\${++group}`))}\\s*$`, 'i');
});

function macIn(text: string): string {
  for (const form of FORMS) {
    const match = form.exec(text);
    if (match === null) continue;
    const octets = match.slice(1).map((part) => parseInt(part, 16));
    if (octets.some((octet) => octet < 0 || octet > 255)) {
      throw new PgError('numeric_value_out_of_range', `invalid octet value in "macaddr" value: "${text}"`);
    }
    return toText(octets);
  }
  throw invalidInput('macaddr', text);
}

/** Six bytes of a MAC address as eight: FF FE comes into the middle. */
const widened = (bytes: Uint8Array): number[] => [...bytes.subarray(0, 3), 0xff, 0xfe, ...bytes.subarray(3)];

function mac8In(text: string): string {
  const bytes: number[] = [];
  let at = 0, spacer = '';
  const space = (): void => { while (/\s/.test(text[at] ?? '')) at++; };
  space();
  // A single character at the end is not looked at.
  while (at + 1 < text.length) {
    const pair = text.slice(at, at + 2);
    if (!/^[0-9a-f]{2}$/i.test(pair) || bytes.length === 8) throw invalidInput('macaddr8', text);
    bytes.push(parseInt(pair, 16));
    at += 2;
    const char = text[at] ?? '';
    if (char === ':' || char === '-' || char === '.') {
      if (spacer === '') spacer = char;
      else if (spacer !== char) throw invalidInput('macaddr8', text);
      at++;
    }
    if (bytes.length === 6 || bytes.length === 8) {
      if (/\s/.test(text[at] ?? '')) {
        space();
        if (at < text.length) throw invalidInput('macaddr8', text);
      }
    }
  }
  if (bytes.length === 6) return toText(widened(Uint8Array.from(bytes)));
  if (bytes.length !== 8) throw invalidInput('macaddr8', text);
  return toText(bytes);
}

function narrowed(text: string): string {
  const bytes = toBytes(text);
  if (bytes[3] !== 0xff || bytes[4] !== 0xfe) {
    throw new PgError('numeric_value_out_of_range', 'macaddr8 data out of range to convert to macaddr', {
      hint: 'Only addresses that have FF and FE as values in the 4th and 5th bytes from the left, for example xx:xx:xx:ff:fe:xx:xx:xx, are eligible to be converted from macaddr8 to macaddr.',
    });
  }
  return toText([...bytes.subarray(0, 3), ...bytes.subarray(5)]);
}

const HASH: TypeHash = { hash: (text: string) => hashBytes(toBytes(text)), extended: (text: string, seed) => hashBytesExtended(toBytes(text), seed) };
/** PostgreSQL hashes the two halves of a macaddr8 as they lie in memory, which is byte by byte. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

for (const type of [MACADDROID, MACADDR8OID]) {
  registerHash(type, HASH);
  registerComparison(type, { compare, equals: (a, b) => a === b, hashKey: (text: string) => text });
}

const pure: Record<string, PureFunction> = {
  macaddrtomacaddr8: (text: string) => toText(widened(toBytes(text))),
  macaddr8tomacaddr: narrowed,
  macaddr8_set7bit: (text: string) => {
    const bytes = toBytes(text);
    bytes[0]! |= 2;
    return toText(bytes);
  },
  ...hashFunctions('hashmacaddr', 'hashmacaddrextended', HASH),
  ...hashFunctions('hashmacaddr8', 'hashmacaddr8extended', HASH),
};

for (const type of ['macaddr', 'macaddr8']) {
  const bitwise = (op: (a: number, b: number) => number) => (a: string, b: string): string => {
    const other = toBytes(b);
    return toText(toBytes(a).map((byte, i) => op(byte, other[i]!)));
  };
  Object.assign(pure, {
    [`${type}_in`]: type === 'macaddr' ? macIn : mac8In,
    [`${type}_out`]: (text: string) => text,
    [`${type}_send`]: toBytes,
    [`${type}_recv`]: (bytes: Uint8Array) => receiveAll(bytes, (reader) => {
      const given = reader.takeBytes(type === 'macaddr' || reader.remaining === 6 ? 6 : 8);
      return toText(type === 'macaddr8' && given.length === 6 ? widened(given) : given);
    }),
    [`${type}_cmp`]: compare,
    [`${type}_eq`]: (a: string, b: string) => a === b, [`${type}_ne`]: (a: string, b: string) => a !== b,
    [`${type}_lt`]: (a: string, b: string) => a < b, [`${type}_le`]: (a: string, b: string) => a <= b,
    [`${type}_gt`]: (a: string, b: string) => a > b, [`${type}_ge`]: (a: string, b: string) => a >= b,
    [`${type}_not`]: (text: string) => toText(toBytes(text).map((byte) => byte ^ 255)),
    [`${type}_and`]: bitwise((a, b) => a & b), [`${type}_or`]: bitwise((a, b) => a | b),
    [`${type}_trunc`]: (text: string) => toText(toBytes(text).map((byte, i) => (i < 3 ? byte : 0))),
  });
}

registerBuiltins({ pure });
