// Messages of the frontend, one function each, named as the protocol's documentation names them (manual, 55.7). They
// gather in one piece of memory and go out together; a piece that went out is never written again.
import { isWellFormed, UTF8, type Encoding } from '../../common/charsets.ts';

const SLAB_BYTES = 1 << 16;
const PROTOCOL_VERSION = 196608;
export const SSL_REQUEST_CODE = 80877103;
const CANCEL_REQUEST_CODE = 80877102;
/** What a message may have at most. */
const MAX_MESSAGE_BYTES = 0x3fffffff;

/** A parameter's value as it is sent: text, bytes (binary format), or null. */
export type WireValue = string | Uint8Array | null;

export class MessageWriter {
  private buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  /** What has gone out already ends here. */
  private sent = 0;
  private at = 0;
  private start = 0;
  /** Texts are in this encoding; null: UTF-8. */
  encoding: Encoding | null = null;

  get pendingBytes(): number {
    return this.at - this.sent;
  }

  /** All that was written since the last call. */
  take(): Buffer {
    const out = this.buffer.subarray(this.sent, this.at);
    this.sent = this.at;
    if (this.buffer.length - this.at < 1024) {
      this.buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.sent = this.at = 0;
    }
    return out;
  }

  /** Where the next message will begin; what was written behind it can be taken back. */
  mark(): number { return this.at - this.sent; }
  rewind(mark: number): void { this.at = this.sent + mark; }

  private reserve(bytes: number): void {
    if (this.buffer.length - this.at >= bytes) return;
    const pending = this.at - this.sent, begun = this.start - this.sent;
    const buffer = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, (pending + bytes) * 2));
    this.buffer.copy(buffer, 0, this.sent, this.at);
    this.buffer = buffer;
    this.sent = 0;
    this.at = pending;
    this.start = begun;
  }

  private begin(type: number): void {
    this.reserve(64);
    this.start = this.at;
    if (type !== 0) this.buffer[this.at++] = type;
    this.at += 4;
  }

  private end(type: number): void {
    const from = type === 0 ? this.start : this.start + 1, length = this.at - from;
    if (length > MAX_MESSAGE_BYTES) {
      this.at = this.start;
      throw new RangeError(`message of ${length} bytes is too long`);
    }
    this.buffer.writeInt32BE(length, from);
  }

  private byte(value: number): void {
    this.reserve(1);
    this.buffer[this.at++] = value;
  }

  private int16(value: number): void {
    this.reserve(2);
    this.buffer[this.at++] = value >>> 8;
    this.buffer[this.at++] = value;
  }

  private int32(value: number): void {
    this.reserve(4);
    this.at = this.buffer.writeInt32BE(value, this.at);
  }

  /** Its bytes in the client's encoding. Short ASCII, the usual case, is written without leaving JavaScript. */
  private text(text: string): void {
    const { length } = text;
    this.reserve(length * 3);
    const { buffer } = this;
    let { at } = this;
    if (length < 48) {
      let i = 0;
      for (; i < length; i++) {
        const c = text.charCodeAt(i);
        if (c > 0x7f) break;
        buffer[at + i] = c;
      }
      if (i === length) {
        this.at = at + length;
        return;
      }
    }
    if (this.encoding !== null || !isWellFormed(text)) {
      this.bytes((this.encoding ?? UTF8).encode(text));
      return;
    }
    at += buffer.utf8Write(text, at);
    this.at = at;
  }

  private string(text: string): void {
    if (text.includes('\0')) {
      this.at = this.start;
      throw new TypeError('a zero byte cannot be part of a text');
    }
    this.text(text);
    this.byte(0);
  }

  private bytes(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  startupMessage(parameters: Readonly<Record<string, string>>): void {
    this.begin(0);
    this.int32(PROTOCOL_VERSION);
    for (const [name, value] of Object.entries(parameters)) {
      this.string(name);
      this.string(value);
    }
    this.byte(0);
    this.end(0);
  }

  sslRequest(): void {
    this.begin(0);
    this.int32(SSL_REQUEST_CODE);
    this.end(0);
  }

  cancelRequest(processId: number, secretKey: number): void {
    this.begin(0);
    this.int32(CANCEL_REQUEST_CODE);
    this.int32(processId);
    this.int32(secretKey);
    this.end(0);
  }

  passwordMessage(password: string): void {
    this.begin(0x70);
    this.string(password);
    this.end(0x70);
  }

  saslInitialResponse(mechanism: string, data: string): void {
    this.begin(0x70);
    this.string(mechanism);
    this.int32(Buffer.byteLength(data));
    this.text(data);
    this.end(0x70);
  }

  saslResponse(data: string): void {
    this.begin(0x70);
    this.text(data);
    this.end(0x70);
  }

  query(text: string): void {
    this.begin(0x51);
    this.string(text);
    this.end(0x51);
  }

  parse(name: string, text: string, types: readonly number[]): void {
    this.begin(0x50);
    this.string(name);
    this.string(text);
    this.int16(types.length);
    for (const type of types) this.int32(type | 0);
    this.end(0x50);
  }

  bind(portal: string, statement: string, values: readonly WireValue[], binaryResult: boolean): void {
    this.begin(0x42);
    this.string(portal);
    this.string(statement);
    let binary = false;
    for (let i = 0; i < values.length; i++) if (typeof values[i] === 'object' && values[i] !== null) binary = true;
    if (values.length > 65535) {
      this.at = this.start;
      throw new RangeError('number of parameters must be between 0 and 65535');
    }
    if (binary) {
      this.int16(values.length);
      for (const value of values) this.int16(typeof value === 'object' && value !== null ? 1 : 0);
    } else this.int16(0);
    this.int16(values.length);
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value === null) this.int32(-1);
      else if (typeof value === 'string') {
        this.int32(0);
        const from = this.at - this.sent;
        this.text(value);
        const at = from + this.sent;
        this.buffer.writeInt32BE(this.at - at, at - 4);
      } else {
        this.int32(value.length);
        this.bytes(value);
      }
    }
    if (binaryResult) {
      this.int16(1);
      this.int16(1);
    } else this.int16(0);
    this.end(0x42);
  }

  describe(kind: 'S' | 'P', name: string): void {
    this.begin(0x44);
    this.byte(kind === 'S' ? 0x53 : 0x50);
    this.string(name);
    this.end(0x44);
  }

  execute(portal: string, maxRows: number): void {
    this.begin(0x45);
    this.string(portal);
    this.int32(maxRows);
    this.end(0x45);
  }

  close(kind: 'S' | 'P', name: string): void {
    this.begin(0x43);
    this.byte(kind === 'S' ? 0x53 : 0x50);
    this.string(name);
    this.end(0x43);
  }

  functionCall(oid: number, values: readonly WireValue[]): void {
    this.begin(0x46);
    this.int32(oid | 0);
    this.int16(values.length);
    for (const value of values) this.int16(typeof value === 'string' ? 0 : 1);
    this.int16(values.length);
    for (const value of values) {
      const bytes = typeof value === 'string' ? Buffer.from(value) : value;
      this.int32(bytes === null ? -1 : bytes.length);
      if (bytes !== null) this.bytes(bytes);
    }
    this.int16(1);
    this.end(0x46);
  }

  copyData(bytes: Uint8Array): void {
    this.begin(0x64);
    this.bytes(bytes);
    this.end(0x64);
  }

  copyFail(reason: string): void {
    this.begin(0x66);
    this.string(reason);
    this.end(0x66);
  }

  private empty(type: number): void {
    this.begin(type);
    this.end(type);
  }

  copyDone(): void { this.empty(0x63); }
  sync(): void { this.empty(0x53); }
  flush(): void { this.empty(0x48); }
  terminate(): void { this.empty(0x58); }
}
