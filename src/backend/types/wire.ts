// The binary formats of the protocol: what PostgreSQL's pqformat.c does. A receive function gets the bytes of exactly
// one value (Uint8Array), a send function returns such bytes. All numbers are big-endian.
import { PgError } from '../../common/errors.ts';
import { client } from './client_encoding.ts';
import { int8, type Int8 } from './datum.ts';

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function insufficient(): PgError {
  return new PgError('protocol_violation', 'insufficient data left in message');
}

function invalidFormat(): PgError {
  return new PgError('invalid_binary_representation', 'incorrect binary data format');
}

/** Reads one value's bytes from front to back. */
export class WireReader {
  private readonly view: DataView;
  private readonly bytes: Uint8Array;
  private offset = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  private take(count: number): number {
    const at = this.offset;
    if (count < 0 || at + count > this.bytes.length) throw insufficient();
    this.offset = at + count;
    return at;
  }

  uint8(): number { return this.view.getUint8(this.take(1)); }
  int16(): number { return this.view.getInt16(this.take(2)); }
  uint16(): number { return this.view.getUint16(this.take(2)); }
  int32(): number { return this.view.getInt32(this.take(4)); }
  uint32(): number { return this.view.getUint32(this.take(4)); }
  int64(): Int8 { return int8(this.view.getBigInt64(this.take(8))); }
  uint64(): bigint { return this.view.getBigUint64(this.take(8)); }
  float32(): number { return this.view.getFloat32(this.take(4)); }
  float64(): number { return this.view.getFloat64(this.take(8)); }

  /** A copy. */
  takeBytes(count: number): Uint8Array {
    const at = this.take(count);
    return copyBytes(this.bytes, at, at + count);
  }

  /** Text of so many bytes, as the client writes it; 22021 when it is not valid. */
  text(count: number): string {
    const at = this.take(count);
    return receiveText(this.bytes.subarray(at, at + count));
  }

  /** Must be called last: nothing may be left. */
  end(): void {
    if (this.offset !== this.bytes.length) throw invalidFormat();
  }
}

/** Reads a value with `read` and insists that all bytes were used. */
export function receiveAll<T>(bytes: Uint8Array, read: (reader: WireReader) => T): T {
  const reader = new WireReader(bytes);
  const value = read(reader);
  reader.end();
  return value;
}

/** A client's text (PostgreSQL's pg_client_to_server). */
export const receiveText = (bytes: Uint8Array): string => (client.encoding === null ? decodeUtf8(bytes) : client.encoding.decode(bytes));

/** UTF-8 from the outside. PostgreSQL names the first offending byte sequence, and so do we. */
export function decodeUtf8(bytes: Uint8Array): string {
  let text: string;
  try {
    text = strictUtf8.decode(bytes);
  } catch {
    throw invalidUtf8(bytes);
  }
  if (text.includes('\0')) throw invalidEncoding([0]);
  return text;
}

function invalidUtf8(bytes: Uint8Array): PgError {
  for (let i = 0; i < bytes.length;) {
    const first = bytes[i]!;
    const length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 1;
    const sequence = bytes.subarray(i, i + length);
    try {
      if (first === 0 || sequence.length < length) throw new Error();
      strictUtf8.decode(sequence);
    } catch {
      return invalidEncoding(sequence);
    }
    i += length;
  }
  return invalidEncoding([]);
}

function invalidEncoding(sequence: ArrayLike<number>): PgError {
  const shown = Array.from(sequence, (byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(' ');
  return new PgError('character_not_in_repertoire', `invalid byte sequence for encoding "UTF8": ${shown}`);
}

export function sendInt16(value: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(2);
  bytes[0] = value >> 8;
  bytes[1] = value;
  return bytes;
}

export function sendInt32(value: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
}

export function sendInt64(value: Int8): Uint8Array {
  const bytes = Buffer.allocUnsafe(8);
  if (typeof value === 'number') {
    bytes.writeInt32BE(Math.floor(value / 4294967296));
    bytes.writeInt32BE(value | 0, 4);
  } else {
    bytes.writeBigInt64BE(BigInt.asIntN(64, value));
  }
  return bytes;
}

export function sendFloat32(value: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeFloatBE(value);
  return bytes;
}

export function sendFloat64(value: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

/** Text for the client (pg_server_to_client). */
export function sendText(value: string): Uint8Array {
  return client.encoding === null ? Buffer.from(value, 'utf8') : client.encoding.encode(value);
}

/** A true copy: Buffer's own slice() would share the memory of what it was cut from. */
export function copyBytes(bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes, start, end);
}
