// The frontend's end of the wire, buffered and blocking (PostgreSQL's pqcomm.c and pqformat.c). Messages are read into
// and written from two buffers that live as long as the connection; nothing is allocated per message.
//
// Reading: `readMessage()` blocks for one whole message and leaves the cursor at its body; `readInt16`, `readCString`,
// ... step through it and refuse to go past its end. Writing: `begin(type)`, fields, `end()`; `flush()` sends.
// `mark()` and `rewind()` take back what was written since, as long as none of it was sent (`hold` sees to that).
import { isUtf8 } from 'node:buffer';
import { FatalError, PgError } from '../../common/errors.ts';
import { EAGAIN, EINTR, port } from '../../port/port.ts';
import { checkForSignals } from '../utils/interrupts.ts';
import { client } from '../types/client_encoding.ts';
import { expectBytes } from '../utils/memory_limit.ts';

const INPUT_BYTES = 8192;
const OUTPUT_BYTES = 65536;
const COPY_BYTES = 65536;
/** PostgreSQL's PQ_LARGE_MESSAGE_LIMIT and PQ_SMALL_MESSAGE_LIMIT. */
const LARGE_MESSAGE_LIMIT = 0x3fffffff;
const SMALL_MESSAGE_LIMIT = 10000;

const LARGE = new Set([...'QPBdFfX'].map((c) => c.charCodeAt(0)));
const KNOWN = new Set([...'QPBDECSHXFdcfp'].map((c) => c.charCodeAt(0)));

/** The frontend went away; there is nobody left to talk to. */
export class ConnectionLost extends FatalError {
  constructor(message: string) {
    super('connection_failure', message);
  }
}

/** Names that are kept for readName, less one: a power of two. */
const NAMES_MASK = 31;

export class Frontend {
  readonly fd: number;
  /** The message in hand: its body is body[at .. bodyEnd). */
  body: Buffer = Buffer.allocUnsafeSlow(INPUT_BYTES);
  at = 0;
  bodyEnd = 0;
  /** While true nothing is sent unless `flush` is asked for; the output buffer grows. */
  hold = false;
  /** Nobody waits for the single answer: what is sent is all there from the start, as in a rehearsal. */
  patient = false;
  /** Of a Unix socket. */
  local = false;
  private filled = 0;
  private output = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  private out = 0;
  /** Where the message being written starts in `output`; -1 between messages. */
  private messageStart = -1;
  private readonly names: string[] = new Array<string>(NAMES_MASK + 1).fill('');

  constructor(fd: number) {
    this.fd = fd;
  }

  // ---- reading

  /** Bytes of the next message that are here already, without waiting. */
  get buffered(): number {
    return this.filled - this.bodyEnd;
  }

  /** The type of the next message when its first byte is here already, else -1. */
  peekType(): number {
    return this.filled > this.bodyEnd ? this.body[this.bodyEnd]! : -1;
  }

  /** Waits for one message: its type, or -1 when the frontend has closed the connection between messages. */
  readMessage(): number {
    this.at = this.bodyEnd;
    if (this.at === this.filled && this.body.length > 1 << 20) this.shrink();
    if (!this.need(1, true)) return -1;
    const type = this.body[this.at]!;
    if (!KNOWN.has(type)) throw new FatalError('protocol_violation', `invalid frontend message type ${type}`);
    this.need(5, false);
    const length = this.body.readInt32BE(this.at + 1);
    const limit = LARGE.has(type) ? LARGE_MESSAGE_LIMIT : SMALL_MESSAGE_LIMIT;
    if (length < 4 || length > limit) throw new FatalError('protocol_violation', 'invalid message length');
    this.need(length + 1, false);
    this.bodyEnd = this.at + length + 1;
    this.at += 5;
    return type;
  }

  /** Receives in larger pieces from now on, for COPY. */
  expectMuch(): void {
    if (this.body.length >= COPY_BYTES) return;
    const bigger = Buffer.allocUnsafeSlow(COPY_BYTES);
    this.body.copy(bigger, 0, 0, this.filled);
    this.body = bigger;
  }

  /** Bodies of CopyData messages that are here whole, one behind the other into `into` from `at`; the new end. */
  takeCopyData(into: Buffer, at: number): number {
    const { body, filled } = this;
    for (;;) {
      const start = this.bodyEnd;
      if (filled - start < 5 || body[start] !== 0x64) return at;
      const length = body.readInt32BE(start + 1);
      const end = start + 1 + length;
      if (length < 4 || end > filled || at + length - 4 > into.length) return at;
      body.copy(into, at, start + 5, end);
      at += length - 4;
      this.at = this.bodyEnd = end;
    }
  }

  /** A start-up packet: int32 length, then the body; no type byte. False: closed before anything came. */
  readStartupPacket(maxBytes: number): boolean {
    this.at = this.bodyEnd;
    if (!this.need(4, true)) return false;
    const length = this.body.readInt32BE(this.at);
    if (length < 8 || length > maxBytes) throw new FatalError('protocol_violation', 'invalid length of startup packet');
    this.need(length, false);
    this.bodyEnd = this.at + length;
    this.at += 4;
    return true;
  }

  /** Receives until `n` bytes from `at` on are here. */
  private need(n: number, mayEnd: boolean): boolean {
    while (this.filled - this.at < n) {
      if (this.at > 0) {
        this.body.copyWithin(0, this.at, this.filled);
        this.filled -= this.at;
        this.bodyEnd -= this.at;
        this.at = 0;
      }
      if (this.filled === this.body.length) this.grow(n);
      const got = port.recv(this.fd, this.body, this.filled, this.body.length - this.filled, this.local);
      if (got > 0) this.filled += got;
      else if (got === -EINTR) checkForSignals();
      else if (got === 0) {
        if (mayEnd && this.filled - this.at === 0) return false;
        throw new ConnectionLost('unexpected EOF on client connection');
      } else throw new ConnectionLost(`could not receive data from client: error ${-got}`);
    }
    return true;
  }

  /** Doubles as data really comes, so that a length in a header costs no memory by itself. */
  private grow(n: number): void {
    const bigger = Buffer.allocUnsafeSlow(Math.min(Math.max(n, INPUT_BYTES), this.body.length * 2));
    this.body.copy(bigger, 0, 0, this.filled);
    this.body = bigger;
  }

  private shrink(): void {
    this.body = Buffer.allocUnsafeSlow(INPUT_BYTES);
    this.at = this.bodyEnd = this.filled = 0;
  }

  private short(): never {
    throw new PgError('protocol_violation', 'insufficient data left in message');
  }

  readByte(): number {
    if (this.at + 1 > this.bodyEnd) this.short();
    return this.body[this.at++]!;
  }
  readInt16(): number {
    if (this.at + 2 > this.bodyEnd) this.short();
    const v = this.body.readInt16BE(this.at);
    this.at += 2;
    return v;
  }
  readInt32(): number {
    if (this.at + 4 > this.bodyEnd) this.short();
    const v = this.body.readInt32BE(this.at);
    this.at += 4;
    return v;
  }
  /** A view of the next n bytes: copy what must outlive the message. */
  readBytes(n: number): Buffer {
    if (n < 0 || this.at + n > this.bodyEnd) this.short();
    return this.body.subarray(this.at, (this.at += n));
  }
  readCString(): string {
    const end = this.body.indexOf(0, this.at);
    if (end < 0 || end >= this.bodyEnd) throw new PgError('protocol_violation', 'invalid string in message');
    const text = clientText(this.body, this.at, end);
    this.at = end + 1;
    return text;
  }
  /** A string that is the name of something: one seen lately comes as the same string again, whose hash is known. */
  readName(): string {
    const { body } = this, start = this.at;
    let end = start, hash = 0;
    while (end < this.bodyEnd && body[end] !== 0) hash = (hash * 31 + body[end++]!) | 0;
    if (end === start && end < this.bodyEnd) {
      this.at++;
      return '';
    }
    const known = this.names[hash & NAMES_MASK]!;
    let i = known.length === end - start ? 0 : -1;
    // Only ASCII: one byte of what is no UTF-8 may be the number of a character.
    while (i >= 0 && i < known.length) i = body[start + i]! < 0x80 && known.charCodeAt(i) === body[start + i] ? i + 1 : -1;
    if (i > 0 && end < this.bodyEnd) {
      this.at = end + 1;
      return known;
    }
    return (this.names[hash & NAMES_MASK] = this.readCString());
  }
  /** The next `length` bytes when they are at most nine decimal digits, else -1 and they are still to be read. */
  readDigits(length: number): number {
    if (length < 1 || length > 9 || this.at + length > this.bodyEnd) return -1;
    const { body, at } = this;
    let value = 0;
    for (let i = at; i < at + length; i++) {
      const digit = body[i]! - 48;
      if (digit < 0 || digit > 9) return -1;
      value = value * 10 + digit;
    }
    this.at += length;
    return value;
  }
  /** The next `length` bytes as text (clientText), without a zero in it. */
  readText(length: number): string {
    if (length < 0 || this.at + length > this.bodyEnd) this.short();
    const { body, at } = this, end = at + length;
    for (let i = at; i < end; i++) {
      if (body[i] === 0) throw new PgError('character_not_in_repertoire', `invalid byte sequence for encoding "${client.encoding?.name ?? 'UTF8'}": 0x00`);
    }
    this.at = end;
    return clientText(body, at, end);
  }
  endOfMessage(): void {
    if (this.at !== this.bodyEnd) throw new PgError('protocol_violation', 'invalid message format');
  }

  // ---- writing

  private room(n: number): void {
    if (this.out + n <= this.output.length) return;
    const bytes = Math.max(this.output.length * 2, this.out + n);
    expectBytes(bytes);
    const bigger = Buffer.allocUnsafeSlow(bytes);
    this.output.copy(bigger, 0, 0, this.out);
    this.output = bigger;
  }

  /** Starts a message. One that an error left unfinished is taken back: the other side never sees half a message. */
  begin(type: number): void {
    if (this.messageStart >= 0) this.out = this.messageStart;
    this.room(5);
    this.messageStart = this.out;
    this.output[this.out] = type;
    this.out += 5;
  }
  /** A copy of what the message at hand holds so far. */
  messageBody(): Buffer {
    return Buffer.from(this.output.subarray(this.messageStart + 5, this.out));
  }
  end(): void {
    this.output.writeInt32BE(this.out - this.messageStart - 1, this.messageStart + 1);
    this.messageStart = -1;
    if (this.out >= OUTPUT_BYTES && !this.hold) this.flush();
  }
  byte(v: number): void {
    this.room(1);
    this.output[this.out++] = v;
  }
  int16(v: number): void {
    this.room(2);
    const { output, out } = this;
    output[out] = v >> 8;
    output[out + 1] = v;
    this.out = out + 2;
  }
  int32(v: number): void {
    this.room(4);
    const { output, out } = this;
    output[out] = v >> 24;
    output[out + 1] = v >> 16;
    output[out + 2] = v >> 8;
    output[out + 3] = v;
    this.out = out + 4;
  }
  bytes(v: Uint8Array): void {
    this.room(v.length);
    this.output.set(v, this.out);
    this.out += v.length;
  }
  /** UTF-8 whatever the client's encoding, no terminator. */
  text(v: string): void {
    this.room(v.length * 3);
    this.out += writeText(this.output, v, this.out);
  }
  /** Text as the client writes it, and a zero. */
  cstring(v: string): void {
    if (client.encoding !== null) {
      this.bytes(client.encoding.encode(v));
      return this.byte(0);
    }
    this.room(v.length * 3 + 1);
    this.out += writeText(this.output, v, this.out);
    this.output[this.out++] = 0;
  }
  /** int32 length, then the text as the client writes it: one column of a DataRow. */
  textField(v: string): void {
    if (client.encoding !== null) return this.bytesField(client.encoding.encode(v));
    this.room(v.length * 3 + 4);
    const { output } = this;
    const start = this.out;
    const length = writeText(output, v, start + 4);
    output[start] = length >> 24;
    output[start + 1] = length >> 16;
    output[start + 2] = length >> 8;
    output[start + 3] = length;
    this.out = start + 4 + length;
  }
  /** An integer of at most 53 bits in decimal, as one column of a DataRow. */
  intField(v: number): void {
    this.room(24);
    const { output } = this;
    const start = this.out + 4;
    let n = v < 0 ? -v : v;
    if (n >= 2147483648) { this.textField(String(v)); return; }
    let digits = n < 10 ? 1 : n < 100 ? 2 : n < 1000 ? 3 : n < 10000 ? 4 : n < 100000 ? 5 : n < 1000000 ? 6 : n < 10000000 ? 7 : n < 100000000 ? 8 : n < 1000000000 ? 9 : 10;
    if (v < 0) { output[start] = 0x2d; digits++; }
    let at = start + digits;
    n |= 0;
    do {
      const q = (n / 10) | 0;
      output[--at] = 48 + n - q * 10;
      n = q;
    } while (n > 0);
    output[start - 4] = 0;
    output[start - 3] = 0;
    output[start - 2] = 0;
    output[start - 1] = digits;
    this.out = start + digits;
  }
  bytesField(v: Uint8Array): void {
    this.int32(v.length);
    this.bytes(v);
  }

  /** Sends everything that is written. */
  flush(): void {
    const n = this.out;
    let sent = 0;
    while (sent < n) {
      const r = port.send(this.fd, this.output, sent, n - sent);
      if (r >= 0) sent += r;
      else if (r === -EINTR || r === -EAGAIN) checkForSignals();
      else {
        this.out = 0;
        throw new ConnectionLost(`could not send data to client: error ${-r}`);
      }
    }
    this.out = 0;
    if (this.output.length > 1 << 20) this.output = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  }

  mark(): number {
    return this.out;
  }
  rewind(mark: number): void {
    this.out = mark;
  }
}

/** Bytes of the client's to text. ASCII is the same in all encodings. */
function clientText(bytes: Buffer, from: number, to: number): string {
  if (client.encoding === null) return decodeText(bytes, from, to);
  return client.encoding.decode(bytes.subarray(from, to));
}

/** UTF-8 bytes to text; invalid bytes are an error that shows them (22021). ASCII takes the short way. */
export function decodeText(bytes: Buffer, from: number, to: number): string {
  for (let i = from; i < to; i++) {
    if (bytes[i]! >= 0x80) return decodeUtf8(bytes, from, to);
  }
  return bytes.latin1Slice(from, to);
}

/** 22021 unless these are UTF-8 without a zero byte; bytes up to `end` are shown when a character is cut short. */
export function verifyText(bytes: Buffer, from: number, to: number, end = to): void {
  const text = bytes.subarray(from, to);
  if (!isUtf8(text) || text.includes(0)) throw invalidUtf8(bytes, from, end);
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Buffer, from: number, to: number): string {
  try {
    return decoder.decode(bytes.subarray(from, to));
  } catch {
    throw invalidUtf8(bytes, from, to);
  }
}

/** PostgreSQL's report_invalid_encoding: the bytes of the first bad character. */
function invalidUtf8(bytes: Buffer, from: number, to: number): PgError {
  let i = from;
  for (;;) {
    const n = bytes[i] === 0 ? 0 : validLength(bytes, i, to);
    if (n === 0) break;
    i += n;
  }
  const lead = bytes[i]!;
  const length = Math.min(lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 1, to - i);
  const shown = [...bytes.subarray(i, i + length)].map((b) => `0x${b.toString(16).padStart(2, '0')}`).join(' ');
  return new PgError('character_not_in_repertoire', `invalid byte sequence for encoding "UTF8": ${shown}`);
}

function validLength(bytes: Buffer, i: number, to: number): number {
  const b = bytes[i]!;
  const tail = (k: number, low = 0x80, high = 0xbf): boolean => i + k < to && bytes[i + k]! >= low && bytes[i + k]! <= high;
  if (b < 0x80) return 1;
  if (b >= 0xc2 && b <= 0xdf) return tail(1) ? 2 : 0;
  if (b >= 0xe0 && b <= 0xef) return tail(1, b === 0xe0 ? 0xa0 : 0x80, b === 0xed ? 0x9f : 0xbf) && tail(2) ? 3 : 0;
  if (b >= 0xf0 && b <= 0xf4) return tail(1, b === 0xf0 ? 0x90 : 0x80, b === 0xf4 ? 0x8f : 0xbf) && tail(2) && tail(3) ? 4 : 0;
  return 0;
}

/** Writes text as UTF-8 and says how many bytes it took. The caller has made room for three bytes a character. */
function writeText(buffer: Buffer, text: string, at: number): number {
  const n = text.length;
  if (n > 40) return buffer.utf8Write(text, at);
  for (let i = 0; i < n; i++) {
    const c = text.charCodeAt(i);
    if (c >= 0x80) return buffer.utf8Write(text, at);
    buffer[at + i] = c;
  }
  return n;
}
