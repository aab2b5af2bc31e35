// Text of network addresses: what PostgreSQL takes from BIND as inet_net_pton.c and inet_net_ntop.c.

/** An address with a network mask; inet and cidr share it. */
export class Inet {
  readonly family: 4 | 6;
  /** Length of the network part. */
  readonly bits: number;
  /** 4 or 16 bytes. */
  readonly bytes: Uint8Array;
  constructor(family: 4 | 6, bits: number, bytes: Uint8Array) {
    this.family = family;
    this.bits = bits;
    this.bytes = bytes;
  }
}

export const maxBits = (family: 4 | 6): number => (family === 4 ? 32 : 128);

const V4 = /^(\d+(?:\.\d+){0,3})(?:\/(\d+))?$/, V4_HEX = /^0x([0-9a-f]*)(?:\/(\d+))?$/i;

function width(text: string | undefined, limit: number): number | null | undefined {
  if (text === undefined) return undefined;
  const bits = Number(text);
  return bits > limit ? null : bits;
}

/** Numbers between dots. (Each connection is shown an address: an array that the C++ part of V8 had made was of another shape in a
 * child than in the rehearsal, and each child threw this function's code away.) */
function readOctets(text: string): number[] {
  const octets = [0];
  for (let i = 0, last = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x2e) last = octets.push(0) - 1;
    else octets[last] = octets[last]! * 10 + c - 0x30;
  }
  return octets;
}

/** inet wants all four octets unless a mask says how many there are; cidr guesses the class of the network. */
function parseV4(text: string, cidr: boolean): Inet | null {
  const decimal = V4.exec(text);
  const hex = decimal === null && cidr ? V4_HEX.exec(text) : null;
  let octets: number[], bits: number | null | undefined;
  if (decimal !== null) {
    octets = readOctets(decimal[1]!);
    for (const octet of octets) if (octet > 255) return null;
    bits = width(decimal[2], 32);
  } else if (hex !== null) {
    const digits = hex[1]!;
    if (digits === '' || digits.length > 8) return null;
    octets = (digits.match(/..?/g) ?? []).map((pair) => parseInt(pair.padEnd(2, '0'), 16));
    bits = width(hex[2], 32);
  } else return null;
  if (bits === null) return null;
  if (bits === undefined) {
    if (!cidr) {
      if (octets.length !== 4) return null;
      bits = 32;
    } else {
      const first = octets[0]!;
      bits = first >= 240 ? 32 : first >= 224 ? 8 : first >= 192 ? 24 : first >= 128 ? 16 : 8;
      if (bits < octets.length * 8) bits = octets.length * 8;
      if (bits === 8 && first === 224) bits = 4;
    }
  } else if (!cidr && Math.ceil(bits / 8) > octets.length) return null;
  const bytes = new Uint8Array(4);
  bytes.set(octets);
  return new Inet(4, bits, bytes);
}

function parseV6(text: string): Inet | null {
  const match = /^([0-9a-f:.]+)(?:\/(\d+))?$/i.exec(text);
  if (match === null) return null;
  const bits = match[2] !== undefined && /^0\d/.test(match[2]) ? null : width(match[2], 128);
  if (bits === null) return null;
  let address = match[1]!;
  const tail = /(^|:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  if (tail !== null) {
    const octets = tail[2]!.split('.');
    if (octets.some((octet) => Number(octet) > 255 || /^0\d/.test(octet))) return null;
    const [a, b, c, d] = octets.map(Number) as [number, number, number, number];
    address = address.slice(0, -tail[2]!.length) + `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  }
  const halves = address.split('::');
  if (halves.length > 2) return null;
  const words = (part: string | undefined): string[] => (part === undefined || part === '' ? [] : part.split(':'));
  const head = words(halves[0]), rest = words(halves[1]);
  if ([...head, ...rest].some((word) => !/^[0-9a-f]{1,4}$/i.test(word))) return null;
  const missing = 8 - head.length - rest.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const bytes = new Uint8Array(16);
  [...head, ...new Array<string>(missing).fill('0'), ...rest].forEach((word, i) => {
    const value = parseInt(word, 16);
    bytes[2 * i] = value >> 8;
    bytes[2 * i + 1] = value & 255;
  });
  return new Inet(6, bits ?? 128, bytes);
}

/** Null when the text is no address. */
export function parseInet(text: string, cidr: boolean): Inet | null {
  return text.includes(':') ? parseV6(text) : parseV4(text, cidr);
}

const word = (bytes: Uint8Array, i: number): number => bytes[2 * i]! * 256 + bytes[2 * i + 1]!;

/** The address without a mask. */
export function hostText({ family, bytes }: Inet): string {
  if (family === 4) return bytes.join('.');
  const words = Array.from({ length: 8 }, (_, i) => word(bytes, i));
  let base = -1, length = 0;
  for (let i = 0; i < 8; i++) {
    if (words[i] !== 0) continue;
    let end = i;
    while (end < 8 && words[end] === 0) end++;
    if (end - i > length) { base = i; length = end - i; }
    i = end;
  }
  if (length < 2) base = -1;
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (base >= 0 && i >= base && i < base + length) {
      if (i === base) text += ':';
      continue;
    }
    if (i !== 0) text += ':';
    if (i === 6 && base === 0 && (length === 6 || (length === 7 && words[7] !== 1) || (length === 5 && words[5] === 0xffff))) {
      return text + bytes.subarray(12).join('.');
    }
    text += words[i]!.toString(16);
  }
  return base >= 0 && base + length === 8 ? `${text}:` : text;
}

export function inetText(value: Inet): string {
  return value.bits === maxBits(value.family) ? hostText(value) : `${hostText(value)}/${value.bits}`;
}

/** abbrev(cidr): only as much of the address as the mask covers. */
export function cidrAbbreviation({ family, bits, bytes }: Inet): string {
  if (family === 4) {
    const octets = Array.from(bytes.subarray(0, bits >> 3));
    const partial = bits % 8;
    if (partial > 0) octets.push(bytes[bits >> 3]! & (255 << (8 - partial)));
    return `${bits === 0 ? '0' : octets.join('.')}/${bits}`;
  }
  if (bits === 0) return '::/0';
  const s = new Uint8Array(16);
  s.set(bytes.subarray(0, Math.ceil(bits / 8)));
  if (bits % 8 !== 0) s[bits >> 3]! &= 255 << (8 - (bits % 8));
  const words = Math.max(2, Math.ceil(bits / 16));
  let start = 0, length = 0, current = 0, run = 0;
  for (let i = 0; i < words; i++) {
    if (word(s, i) === 0) {
      if (run === 0) current = i;
      run++;
    } else if (run > 0 && length < run) {
      start = current;
      length = run;
      run = 0;
    }
  }
  if (run > 0 && length < run) { start = current; length = run; }
  const v4 = length !== words && start === 0 &&
    (length === 6 || (length === 5 && s[10] === 0xff && s[11] === 0xff) || (length === 7 && s[14] !== 0 && s[15] !== 1));
  let text = '';
  for (let i = 0; i < words; i++) {
    if (length !== 0 && i >= start && i < start + length) {
      if (i === start) text += ':';
      if (i === words - 1) text += ':';
    } else if (v4 && i > 5) {
      text += `${i === 6 ? ':' : '.'}${s[2 * i]}`;
      if (i !== 7 || bits > 120) text += `.${s[2 * i + 1]}`;
    } else {
      text += `${text === '' ? '' : ':'}${word(s, i).toString(16)}`;
    }
  }
  return `${text}/${bits}`;
}
