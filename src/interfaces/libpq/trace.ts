// PQtrace: every message, one line each, in libpq's format: F from the frontend, B from the backend, the length, the name,
// the contents.
import type { Writable } from 'node:stream';
import { SSL_REQUEST_CODE } from './message_writer.ts';

type Part = 'int16' | 'int32' | 'string' | 'byte';

const BACKEND: Record<string, string> = {
  R: 'Authentication', K: 'BackendKeyData', S: 'ParameterStatus', Z: 'ReadyForQuery', T: 'RowDescription', D: 'DataRow', C: 'CommandComplete', I: 'EmptyQueryResponse', E: 'ErrorResponse',
  N: 'NoticeResponse', A: 'NotificationResponse', 1: 'ParseComplete', 2: 'BindComplete', 3: 'CloseComplete', n: 'NoData', t: 'ParameterDescription', s: 'PortalSuspended', G: 'CopyInResponse',
  H: 'CopyOutResponse', W: 'CopyBothResponse', d: 'CopyData', c: 'CopyDone', V: 'FunctionCallResponse', v: 'NegotiateProtocolVersion',
};
const FRONTEND: Record<string, string> = {
  Q: 'Query', P: 'Parse', B: 'Bind', D: 'Describe', E: 'Execute', C: 'Close', S: 'Sync', H: 'Flush', p: 'AuthenticationResponse', d: 'CopyData', c: 'CopyDone', f: 'CopyFail', F: 'FunctionCall', X: 'Terminate',
};

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, (c) => [...Buffer.from(c)].map((b) => `\\x${b.toString(16).padStart(2, '0')}`).join(''));

/** Reads the contents of one message. */
class Contents {
  private readonly body: Buffer;
  private at = 0;
  words = '';

  constructor(body: Buffer) {
    this.body = body;
  }

  get left(): number { return this.body.length - this.at; }

  byte(): number {
    const value = this.body[this.at++] ?? 0;
    this.words += ` ${printable(String.fromCharCode(value))}`;
    return value;
  }

  int16(): number {
    const value = this.left >= 2 ? this.body.readInt16BE(this.at) : 0;
    this.at += 2;
    this.words += ` ${value}`;
    return value;
  }

  int32(): number {
    const value = this.left >= 4 ? this.body.readInt32BE(this.at) : 0;
    this.at += 4;
    this.words += ` ${value}`;
    return value;
  }

  string(): void {
    let end = this.body.indexOf(0, this.at);
    if (end < 0) end = this.body.length;
    this.words += ` "${printable(this.body.toString('utf8', this.at, end))}"`;
    this.at = end + 1;
  }

  bytes(length: number): void {
    this.words += ` '${printable(this.body.toString('latin1', this.at, this.at + length))}'`;
    this.at += length;
  }

  parts(...parts: readonly Part[]): void { for (const part of parts) this[part](); }

  /** A length and so many bytes, or -1. */
  value(): void {
    const length = this.int32();
    if (length >= 0) this.bytes(length);
  }
}

type Show = (c: Contents) => void;
const times = (n: number, show: () => void): void => { for (let i = 0; i < n; i++) show(); };
const report: Show = (c) => {
  while (c.left > 1) {
    c.byte();
    c.string();
  }
  c.words += ' \\x00';
};
const copyResponse: Show = (c) => {
  c.byte();
  times(c.int16(), () => c.int16());
};

const SHOW_BACKEND: Record<string, Show> = {
  K: (c) => c.parts('int32', 'int32'),
  R: (c) => { c.int32(); if (c.left > 0) c.bytes(c.left); },
  S: (c) => c.parts('string', 'string'),
  Z: (c) => { c.byte(); },
  T: (c) => times(c.int16(), () => c.parts('string', 'int32', 'int16', 'int32', 'int16', 'int32', 'int16')),
  D: (c) => times(c.int16(), () => c.value()),
  C: (c) => c.string(),
  E: report,
  N: report,
  A: (c) => c.parts('int32', 'string', 'string'),
  t: (c) => times(c.int16(), () => c.int32()),
  G: copyResponse,
  H: copyResponse,
  W: copyResponse,
  d: (c) => c.bytes(c.left),
  V: (c) => c.value(),
  v: (c) => { c.int32(); times(c.int32(), () => c.string()); },
};
const SHOW_FRONTEND: Record<string, Show> = {
  Q: (c) => c.string(),
  P: (c) => { c.parts('string', 'string'); times(c.int16(), () => c.int32()); },
  B: (c) => {
    c.parts('string', 'string');
    times(c.int16(), () => c.int16());
    times(c.int16(), () => c.value());
    times(c.int16(), () => c.int16());
  },
  D: (c) => c.parts('byte', 'string'),
  E: (c) => c.parts('string', 'int32'),
  C: (c) => c.parts('byte', 'string'),
  d: (c) => c.bytes(c.left),
  f: (c) => c.string(),
  F: (c) => {
    c.int32();
    times(c.int16(), () => c.int16());
    times(c.int16(), () => c.value());
    c.int16();
  },
};

export interface TraceOptions {
  /** Each line begins with the time (PQTRACE_SUPPRESS_TIMESTAMPS is the opposite). */
  timestamps?: boolean | undefined;
}

export class Tracer {
  private readonly stream: Writable;
  private readonly timestamps: boolean;

  constructor(stream: Writable, options: TraceOptions = {}) {
    this.stream = stream;
    this.timestamps = options.timestamps ?? true;
  }

  private line(from: 'F' | 'B', length: number, name: string, words: string): void {
    const time = this.timestamps ? `${new Date().toISOString().replace('T', ' ').replace('Z', '')}\t` : '';
    this.stream.write(`${time}${from}\t${length}\t${name}${words === '' ? '' : `\t${words}`}\n`);
  }

  received(type: number, buffer: Buffer, at: number, end: number): void {
    const letter = String.fromCharCode(type), contents = new Contents(buffer.subarray(at, end));
    SHOW_BACKEND[letter]?.(contents);
    this.line('B', end - at + 4, BACKEND[letter] ?? 'Unknown message', contents.words);
  }

  /** Whole messages, one after the other. Passwords are not shown. */
  sent(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      const type = bytes[at]!;
      if (type === 0) {
        const length = bytes.readInt32BE(at), code = bytes.readInt32BE(at + 4);
        const contents = new Contents(bytes.subarray(at + 4, at + length));
        if (code !== SSL_REQUEST_CODE) {
          contents.parts('int16', 'int16');
          while (contents.left > 1) contents.string();
        }
        this.line('F', length, code === SSL_REQUEST_CODE ? 'SSLRequest' : 'StartupMessage', contents.words);
        at += length;
        continue;
      }
      const letter = String.fromCharCode(type), length = bytes.readInt32BE(at + 1);
      const contents = new Contents(bytes.subarray(at + 5, at + 1 + length));
      SHOW_FRONTEND[letter]?.(contents);
      this.line('F', length, FRONTEND[letter] ?? 'Unknown message', contents.words);
      at += 1 + length;
    }
  }
}
