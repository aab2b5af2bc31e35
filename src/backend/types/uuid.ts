// uuid: kept as its 36 characters in lower case, whose order is that of the bytes.
import { randomHex } from '../../port/random.ts';
import { registerBuiltins } from './fmgr.ts';
import { invalidInput } from './errors.ts';
import { receiveAll } from './wire.ts';

const SYNTAX = /^(?:[0-9a-f]{4}-?){7}[0-9a-f]{4}$/i;

/** 32 hexadecimal digits, hyphens after any group of four, braces around it all. */
function uuidIn(text: string): string {
  const inner = text.startsWith('{') && text.endsWith('}') ? text.slice(1, -1) : text;
  if (!SYNTAX.test(inner)) throw invalidInput('uuid', text);
  return hyphenate(inner.replaceAll('-', '').toLowerCase());
}

function hyphenate(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

registerBuiltins({
  pure: {
    uuid_in: uuidIn,
    uuid_out: (value: string) => value,
    uuid_recv: (bytes: Uint8Array) => hyphenate(Buffer.from(receiveAll(bytes, (reader) => reader.takeBytes(16))).toString('hex')),
    uuid_send: (value: string) => Buffer.from(value.replaceAll('-', ''), 'hex'),
    uuid_eq: (a: string, b: string) => a === b,
    uuid_ne: (a: string, b: string) => a !== b,
    uuid_lt: (a: string, b: string) => a < b,
    uuid_le: (a: string, b: string) => a <= b,
    uuid_gt: (a: string, b: string) => a > b,
    uuid_ge: (a: string, b: string) => a >= b,
    uuid_cmp: (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0),
    gen_random_uuid: () => {
      const hex = randomHex(16);
      // Version 4, and the two bits that say which variant (RFC 4122).
      return hyphenate(`${hex.slice(0, 12)}4${hex.slice(13, 16)}${'89ab'[Number.parseInt(hex[16]!, 16) & 3]!}${hex.slice(17)}`);
    },
  },
});
