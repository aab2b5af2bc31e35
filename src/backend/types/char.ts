// "char", the one-byte type of the catalogs. The zero byte is the empty string.
import { registerBuiltins } from './fmgr.ts';
import { outOfRange } from './errors.ts';
import { receiveAll } from './wire.ts';

const fromByte = (byte: number): string => (byte === 0 ? '' : String.fromCharCode(byte));
const toByte = (value: string): number => (value === '' ? 0 : value.charCodeAt(0));
const isOctal = (text: string, at: number): boolean => text[at]! >= '0' && text[at]! <= '7';

/** The first byte of the text, or \ooo. */
function charIn(text: string): string {
  if (text.length === 4 && text[0] === '\\' && isOctal(text, 1) && isOctal(text, 2) && isOctal(text, 3)) {
    return fromByte(parseInt(text.slice(1), 8) & 0xff);
  }
  return text === '' ? '' : fromByte(Buffer.from(String.fromCodePoint(text.codePointAt(0)!), 'utf8')[0]!);
}

export function charOut(value: string): string {
  const byte = toByte(value);
  return byte >= 0x80 ? `\\${byte.toString(8).padStart(3, '0')}` : value;
}

registerBuiltins({
  pure: {
    charin: charIn,
    charout: charOut,
    charrecv: (bytes: Uint8Array) => fromByte(receiveAll(bytes, (reader) => reader.uint8())),
    charsend: (value: string) => Uint8Array.of(toByte(value)),
    chareq: (a: string, b: string) => a === b,
    charne: (a: string, b: string) => a !== b,
    charlt: (a: string, b: string) => toByte(a) < toByte(b),
    charle: (a: string, b: string) => toByte(a) <= toByte(b),
    chargt: (a: string, b: string) => toByte(a) > toByte(b),
    charge: (a: string, b: string) => toByte(a) >= toByte(b),
    btcharcmp: (a: string, b: string) => toByte(a) - toByte(b),
    // As an integer the byte is signed, though it compares unsigned.
    chartoi4: (value: string) => (toByte(value) << 24) >> 24,
    i4tochar: (value: number) => {
      if (value < -128 || value > 127) throw outOfRange('"char"');
      return fromByte(value & 0xff);
    },
    text_char: charIn,
    char_text: charOut,
  },
});
