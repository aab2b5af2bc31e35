// Texts in other encodings than UTF-8: PostgreSQL's encodings by name, to and from JavaScript's strings. The tables come
// out of TextDecoder; the way back is made from them when it is first needed.

export interface Encoding {
  /** As PostgreSQL writes it. */
  readonly name: string;
  decode(bytes: Buffer): string;
  /** Throws a TypeError when there is no such character. */
  encode(text: string): Buffer;
}

const RAW = 0xdc00;

/** Bytes that are no UTF-8 become half surrogates, and those become the bytes again: nothing is lost on the way. */
export function decodeUtf8(bytes: Buffer): string {
  const plain = bytes.utf8Slice(0, bytes.length);
  if (!plain.includes('\ufffd')) return plain;
  let text = '', at = 0, from = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      text += bytes.utf8Slice(from, at) + String.fromCharCode(RAW + bytes[at]!);
      from = ++at;
    } else at += length;
  }
  return text + bytes.utf8Slice(from, at);
}

/** Bytes of the well-formed character at `at`; 0: there is none. */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const length = first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  const second = bytes[at + 1]!, low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80, high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < length; i++) if ((bytes[at + i]! & 0xc0) !== 0x80) return 0;
  return length;
}

/** Whether it has no half of a pair alone (String.isWellFormed, which Node 18 does not have). */
export const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);

export function encodeUtf8(text: string): Buffer {
  if (isWellFormed(text)) return Buffer.from(text);
  return Buffer.concat(text.split(/([\udc80-\udcff])/u).map((piece, i) => (i % 2 === 1 ? Buffer.of(piece.charCodeAt(0) - RAW) : Buffer.from(piece))));
}

export const UTF8: Encoding = { name: 'UTF8', decode: decodeUtf8, encode: encodeUtf8 };

/** PostgreSQL's name, TextDecoder's, what else the server knows it by; bytes 0x80 to 0x9f are control characters where "C1" stands. */
const TABLE = `LATIN1 latin1 C1 iso88591|LATIN2 iso-8859-2 C1 iso88592|LATIN3 iso-8859-3 C1 iso88593|LATIN4 iso-8859-4 C1 iso88594|LATIN5 iso-8859-9 C1 iso88599|LATIN6 iso-8859-10 C1 iso885910
LATIN7 iso-8859-13 C1 iso885913|LATIN8 iso-8859-14 C1 iso885914|LATIN9 iso-8859-15 C1 iso885915|LATIN10 iso-8859-16 C1 iso885916|ISO_8859_5 iso-8859-5 C1|ISO_8859_6 iso-8859-6 C1|ISO_8859_7 iso-8859-7 C1
ISO_8859_8 iso-8859-8 C1|WIN1250 windows-1250 - windows1250|WIN1251 windows-1251 - windows1251 win|WIN1252 windows-1252 - windows1252|WIN1253 windows-1253 - windows1253|WIN1254 windows-1254 - windows1254
WIN1255 windows-1255 - windows1255|WIN1256 windows-1256 - windows1256|WIN1257 windows-1257 - windows1257|WIN1258 windows-1258 - windows1258 abc tcvn tcvn5712 vscii|WIN866 ibm866 - windows866 alt
WIN874 windows-874 - windows874|KOI8R koi8-r - koi8|KOI8U koi8-u|EUC_JP euc-jp|EUC_CN gbk|EUC_KR euc-kr|SJIS shift_jis - mskanji shiftjis win932 windows932|BIG5 big5 - win950 windows950
GBK gbk - win936 windows936|UHC euc-kr - win949 windows949|GB18030 gb18030`;
/** Those there are. */
export const ENCODING_NAMES: readonly string[] = ['SQL_ASCII', 'UTF8', ...TABLE.split(/[|\n]/).map((line) => line.split(' ')[0]!)].sort();
/** Encodings of PostgreSQL that we have no tables for. */
const REFUSED = ['MULE_INTERNAL', 'EUC_TW', 'JOHAB', 'EUC_JIS_2004', 'SHIFT_JIS_2004'];

const clean = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');
const made = new Map<string, Encoding>();

/** By a name as the server understands it; null: PostgreSQL has it, we do not; undefined: nobody has it. */
export function findEncoding(name: string): Encoding | null | undefined {
  const wanted = clean(name);
  if (wanted === 'utf8' || wanted === 'unicode') return UTF8;
  if (wanted === 'sqlascii') return { ...UTF8, name: 'SQL_ASCII' };
  if (REFUSED.some((r) => clean(r) === wanted || clean(r).replace('shiftjis', 'sjis') === wanted)) return null;
  for (const line of TABLE.split(/[|\n]/)) {
    const [own, label, controls, ...others] = line.split(' ') as [string, string, string?, ...string[]];
    if (clean(own) !== wanted && !others.includes(wanted)) continue;
    let encoding = made.get(own);
    if (encoding === undefined) made.set(own, encoding = make(own, label, controls === 'C1'));
    return encoding;
  }
  return undefined;
}

function make(name: string, label: string, controls: boolean): Encoding {
  if (name === 'LATIN1') return { name, decode: (bytes) => bytes.latin1Slice(0, bytes.length), encode: (text) => Buffer.from(text.replace(/[\u0100-\uffff]/, (c) => refuse(c, name)), 'latin1') };
  const decoder = new TextDecoder(label);
  return /^(EUC|SJIS|BIG5|GB|UHC)/.test(name) ? multibyte(name, decoder) : singleByte(name, decoder, controls);
}

function singleByte(name: string, decoder: TextDecoder, controls: boolean): Encoding {
  const one = Array.from({ length: 256 }, (_, i) => decoder.decode(Uint8Array.of(i)));
  // A byte that means nothing is kept as in UTF-8. Where Windows has nothing, the table has a control character.
  for (let i = 128; i < 256; i++) if (one[i] === '\ufffd' || one[i]! < '\xa0' || (controls && i < 0xa0)) one[i] = String.fromCharCode((controls && i < 0xa0 ? 0 : RAW) + i);
  let back: Map<string, Buffer> | null = null;
  return {
    name,
    decode: (bytes) => {
      let text = '';
      for (const byte of bytes) text += one[byte]!;
      return text;
    },
    encode: (text) => {
      back ??= new Map(one.map((c, i) => [c, Buffer.of(i)]));
      const parts: Buffer[] = [];
      for (const char of text) parts.push(char <= '\x7f' ? Buffer.of(char.charCodeAt(0)) : back.get(char) ?? rawByte(char) ?? refuse(char, name));
      return Buffer.concat(parts);
    },
  };
}

/** ASCII is itself; other characters are what TextDecoder makes of sequences, as far as PostgreSQL has them. */
function multibyte(name: string, decoder: TextDecoder): Encoding {
  let tables: Tables | null = null;
  return {
    name,
    decode: (bytes) => {
      const { forth } = tables ??= makeTables(decoder, name);
      let text = '';
      for (let at = 0; at < bytes.length;) {
        const first = bytes[at]!;
        if (first < 0x80) {
          text += String.fromCharCode(first);
          at++;
          continue;
        }
        const length = Math.min(sequenceBytes(name, first, bytes[at + 1] ?? 0), bytes.length - at);
        const char = forth.get(bytes.readUIntBE(at, length)) ?? (name === 'GB18030' && length === 4 ? fromBeyondBmp(bytes, at) : undefined);
        text += char ?? String.fromCharCode(RAW + first);
        at += char === undefined ? 1 : length;
      }
      return text;
    },
    encode: (text) => {
      const { back } = tables ??= makeTables(decoder, name);
      const parts: Buffer[] = [];
      for (const char of text) parts.push(char <= '\x7f' ? Buffer.of(char.charCodeAt(0)) : back.get(char) ?? (name === 'GB18030' ? beyondBmp(char) : undefined) ?? rawByte(char) ?? refuse(char, name));
      return Buffer.concat(parts);
    },
  };
}

/** How many bytes a character has that begins so. */
function sequenceBytes(name: string, first: number, second: number): number {
  if (name === 'EUC_JP' && first === 0x8f) return 3;
  if (name === 'SJIS' && first >= 0xa1 && first <= 0xdf) return 1;
  return name === 'GB18030' && second >= 0x30 && second <= 0x39 ? 4 : 2;
}

/** GB18030 counts the characters beyond U+FFFF through, in four bytes from 0x90308130. */
function beyondBmp(char: string): Buffer | undefined {
  const n = char.codePointAt(0)! - 0x10000;
  return n < 0 ? undefined : Buffer.of(0x90 + Math.floor(n / 12600), 0x30 + Math.floor(n / 1260) % 10, 0x81 + Math.floor(n / 10) % 126, 0x30 + n % 10);
}

function fromBeyondBmp(bytes: Buffer, at: number): string | undefined {
  const n = (((bytes[at]! - 0x90) * 10 + bytes[at + 1]! - 0x30) * 126 + bytes[at + 2]! - 0x81) * 10 + bytes[at + 3]! - 0x30;
  return n >= 0 && n <= 0xfffff ? String.fromCodePoint(n + 0x10000) : undefined;
}

function rawByte(char: string): Buffer | undefined {
  const code = char.codePointAt(0)! - RAW;
  return code >= 0x80 && code <= 0xff ? Buffer.of(code) : undefined;
}

function refuse(char: string, name: string): never {
  throw new TypeError(`character "${char}" has no equivalent in encoding "${name}"`);
}

/** Characters that the table knows by another code point of the same look. */
const SYMBOLS_OF_KOREA = '\u00aea2e7\u20aca2e6\u327ea2e8';
const ALSO: Readonly<Record<string, string>> = {
  SJIS: '\u00a28191\u00a38192\u00a55c\u00ac81ca\u20168161\u203e7e\u2212817c\u301c8160', BIG5: '\u00a2a246\u00a3a247\u00a5a244', EUC_KR: SYMBOLS_OF_KOREA, UHC: SYMBOLS_OF_KOREA,
};

/** In the order in which the codes of a character are preferred: the duplicates that NEC and IBM have added come last. */
function leadBytes(name: string, from: number): number[] {
  const all = Array.from({ length: 0xff - from }, (_, i) => from + i);
  if (name === 'EUC_JP') return [...all.filter((a) => a < 0xf5), 0x8f, ...all.filter((a) => a >= 0xf5)];
  if (name !== 'SJIS') return all;
  const late = (a: number): boolean => a === 0x87 || a === 0xed || a === 0xee;
  return [...all.filter((a) => (a < 0xa1 || a > 0xdf) && !late(a)), ...all.filter(late)];
}

interface Tables {
  /** By the bytes as one number. */
  readonly forth: Map<number, string>;
  readonly back: Map<string, Buffer>;
}

/** What every sequence of two bytes stands for, and of three or four where there are such; the first that means a character is the one. */
function makeTables(decoder: TextDecoder, name: string): Tables {
  const tables: Tables = { forth: new Map(), back: new Map() };
  const keep = (text: string, sequence: Buffer): void => {
    tables.forth.set(sequence.readUIntBE(0, sequence.length), text);
    if (!tables.back.has(text)) tables.back.set(text, sequence);
  };
  const add = (...bytes: number[]): void => {
    const sequence = Buffer.from(bytes), text = decoder.decode(sequence);
    const isCharacter = text.length === 1 ? text > '\x7f' && text !== '\ufffd' && (ownPlanes || text < '\ue000' || text > '\uf8ff') : text.length === 2 && text.codePointAt(0)! > 0xffff;
    if (isCharacter) keep(text, sequence);
  };
  const ownPlanes = name === 'GB18030' || name === 'UHC';
  const from = /^EUC/.test(name) ? 0xa1 : 0x81, trail = /^EUC/.test(name) ? 0xa1 : 0x40;
  if (name === 'SJIS') for (let a = 0xa1; a <= 0xdf; a++) add(a);
  if (name === 'EUC_JP') for (let b = 0xa1; b <= 0xdf; b++) add(0x8e, b);
  for (const a of leadBytes(name, from)) {
    for (let b = trail; b <= 0xfe; b++) {
      if (a !== 0x8f || name !== 'EUC_JP') add(a, b);
      else for (let c = 0xa1; c <= 0xfe; c++) add(a, b, c);
    }
  }
  if (name === 'GB18030') for (let a = 0x81; a <= 0x84; a++) for (let b = 0x30; b <= 0x39; b++) for (let c = 0x81; c <= 0xfe; c++) for (let d = 0x30; d <= 0x39; d++) add(a, b, c, d);
  if (name === 'UHC') addSyllables(tables.back, keep);
  for (const [, char, code] of (ALSO[name] ?? '').matchAll(/(.)([0-9a-f]+)/gu)) {
    tables.back.set(char!, Buffer.from(code!, 'hex'));
    if (!tables.forth.has(Number.parseInt(code!, 16))) tables.forth.set(Number.parseInt(code!, 16), char!);
  }
  return tables;
}

/** The syllables that EUC_KR has not, in their order, where EUC_KR has nothing. */
function addSyllables(known: ReadonlyMap<string, Buffer>, keep: (text: string, sequence: Buffer) => void): void {
  let a = 0x81, b = 0x41;
  for (let code = 0xac00; code <= 0xd7a3; code++) {
    const text = String.fromCharCode(code);
    if (known.has(text)) continue;
    keep(text, Buffer.of(a, b));
    b = b === 0x5a ? 0x61 : b === 0x7a ? 0x81 : b + 1;
    if (b <= (a <= 0xa0 ? 0xfe : 0xa0)) continue;
    a++;
    b = 0x41;
  }
}
