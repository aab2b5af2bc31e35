// COPY FROM's reading side: bytes to lines, lines to fields (PostgreSQL's copyfromparse.c). Works on the bytes as they
// come; a field becomes a string only when its type's input function wants one.
import { PgError } from '../../common/errors.ts';
import { verifyText } from '../libpq/pqcomm.ts';
import type { CopyOptions } from './copy_options.ts';

const LF = 10, CR = 13, BACKSLASH = 92, DOT = 46;

/** Where the data comes from. */
export interface ByteSource {
  /** More bytes, or null at the end. What it returns is valid until the next call. */
  next(): Buffer | null;
  /** Puts what is there without waiting into `into` from `at`, as long as it fits; the new end. */
  take(into: Buffer, at: number): number;
}
const BUFFER_BYTES = 256 * 1024;

/** One line's fields: field i is bytes[from[i] .. to[i]); `isNull[i]` says that it was the NULL marker. */
class FieldList {
  bytes: Buffer = Buffer.alloc(0);
  count = 0;
  readonly from: number[] = [];
  readonly to: number[] = [];
  readonly isNull: boolean[] = [];
  /** CSV: the field was quoted somewhere. */
  readonly quoted: boolean[] = [];
}

export class CopyLineReader {
  readonly fields = new FieldList();
  /** Number of the line in hand, from 1. */
  lineNumber = 0;
  private readonly source: ByteSource;

  private readonly csv: boolean;
  private readonly delimiter: number;
  private readonly quote: number;
  private readonly escape: number;
  private readonly nullBytes: Buffer;
  private buffer: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  /** Where the bytes in it end. */
  private filled = 0;
  private at = 0;
  private ended = false;
  private eol: 'unknown' | 'lf' | 'cr' | 'crlf' = 'unknown';
  private lineStart = 0;
  private lineEnd = 0;
  /** The line in hand has been read to its end. */
  lineIsValid = false;
  /** There are backslashes in it. */
  private escaped = false;
  /** Bytes that need thought while looking for the line's end. */
  private readonly special = new Uint8Array(256);
  private scratch: Buffer = Buffer.allocUnsafe(256);

  constructor(source: ByteSource, options: CopyOptions) {
    this.source = source;

    this.csv = options.format === 'csv';
    this.delimiter = options.delimiter.charCodeAt(0);
    this.quote = options.quote.charCodeAt(0);
    this.escape = options.escape.charCodeAt(0);
    this.nullBytes = Buffer.from(options.nullText);
    for (const c of [0, LF, CR, BACKSLASH, ...(this.csv ? [this.quote, this.escape] : [])]) this.special[c] = 1;
  }

  /** The line in hand, for error messages. */
  get lineText(): string {
    return this.buffer.toString('utf8', this.lineStart, this.lineEnd);
  }

  /** Reads the next line into `fields`. False at the end of the data. */
  next(): boolean {
    if (!this.readLine()) return false;
    if (this.csv) this.splitCsv();
    else this.splitText();
    return true;
  }

  private refill(keepFrom: number): boolean {
    if (this.ended) return false;
    const more = this.source.next();
    if (more === null) { this.ended = true; return false; }
    const rest = this.filled - keepFrom;
    if (rest + more.length > this.buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(rest + more.length, this.buffer.length * 2));
      this.buffer.copy(larger, 0, keepFrom, this.filled);
      this.buffer = larger;
    } else {
      this.buffer.copyWithin(0, keepFrom, this.filled);
    }
    more.copy(this.buffer, rest);
    this.filled = this.source.take(this.buffer, rest + more.length);
    this.at -= keepFrom;
    return true;
  }

  // ---- for copy_fast.ts, which reads plain lines by itself

  /** Shows the bytes from the next line on; where the last whole line ends, or 0 when there is none for it. */
  wholeLines(from: { bytes: Buffer; at: number }): number {
    if (this.eol !== 'lf') return 0;
    from.bytes = this.buffer;
    from.at = this.at;
    if (this.at === this.filled) return 0;
    const last = this.buffer.lastIndexOf(LF, this.filled - 1);
    return last < this.at ? 0 : last + 1;
  }

  /** The line in hand ends before `next`. */
  showLine(next: number): void {
    this.lineStart = this.at;
    this.lineEnd = next - 1;
    this.lineIsValid = true;
  }

  skipTo(next: number): void {
    this.at = next;
  }

  /** The byte so far from the start of the line, -1 behind the end of the data. */
  private byteAt(offset: number): number {
    while (this.lineStart + offset >= this.filled) {
      if (!this.refill(this.lineStart)) return -1;
      this.lineStart = 0;
    }
    return this.buffer[this.lineStart + offset]!;
  }

  /** CopyReadLineText. False at the end of the data, when nothing stands before it. */
  private readLine(): boolean {
    const { csv, special, quote } = this;
    const escape = this.escape === quote ? -1 : this.escape;
    this.lineNumber++;
    this.lineIsValid = this.escaped = false;
    this.lineStart = this.at;
    let inQuote = false, lastWasEscape = false, bits = 0;
    let offset = 0; // how far the line has been looked at
    let length = 0;
    for (;;) {
      const { buffer, filled } = this;
      let i = this.lineStart + offset;
      for (let c; i < filled && special[(c = buffer[i]!)] === 0; i++) bits |= c;
      if (i > this.lineStart + offset) lastWasEscape = false;
      offset = i - this.lineStart;
      const c = this.byteAt(offset);
      if (c < 0) { length = offset; break; }
      offset++;
      if (csv) {
        if (inQuote && c === escape) lastWasEscape = !lastWasEscape;
        if (c === quote && !lastWasEscape) inQuote = !inQuote;
        if (c !== escape) lastWasEscape = false;
        if (inQuote) {
          if (c === (this.eol === 'lf' ? LF : CR)) this.lineNumber++;
          continue;
        }
      }
      if (c === 0) bits |= 128;
      else if (c === CR) {
        length = offset - 1;
        if (this.eol === 'lf') throw this.misplaced('carriage return', '\\r');
        if (this.eol === 'cr') break;
        if (this.byteAt(offset) === LF) {
          offset++;
          this.eol = 'crlf';
        } else if (this.eol === 'crlf') throw this.misplaced('carriage return', '\\r');
        else this.eol = 'cr';
        break;
      } else if (c === LF) {
        length = offset - 1;
        if (this.eol === 'cr' || this.eol === 'crlf') throw this.misplaced('newline', '\\n');
        this.eol = 'lf';
        break;
      } else if (c === BACKSLASH && (!csv || offset === 1)) {
        this.escaped = true;
        const next = this.byteAt(offset);
        if (next === DOT && this.endMarker(offset + 1)) {
          // Whatever follows is not ours.
          this.ended = true;
          this.setLine(offset - 1, this.filled - this.lineStart, bits);
          return offset > 1;
        }
        // An escaped newline ends nothing, nor does the second of two backslashes escape what follows.
        if (!csv && next >= 0) {
          bits |= next;
          offset++;
        }
      }
    }
    this.setLine(length, offset, bits);
    return offset > 0;
  }

  private setLine(length: number, next: number, bits: number): void {
    this.lineEnd = this.lineStart + length;
    this.at = this.lineStart + next;
    if (bits >= 128) verifyText(this.buffer, this.lineStart, this.lineEnd, this.at);
    this.lineIsValid = true;
  }

  private misplaced(what: string, escape: string): PgError {
    return new PgError('bad_copy_file_format', this.csv ? `unquoted ${what} found in data` : `literal ${what} found in data`, {
      hint: this.csv ? `Use quoted CSV field to represent ${what}.` : `Use "${escape}" to represent ${what}.`,
    });
  }

  /** Whether what follows "\." makes it the end-of-data marker. In text nothing else may follow, in CSV it is data then. */
  private endMarker(offset: number): boolean {
    const fail = (message: string): boolean => {
      if (this.csv) return false;
      throw new PgError('bad_copy_file_format', message);
    };
    let c = this.byteAt(offset++);
    if (this.eol === 'crlf') {
      if (c === LF) return fail('end-of-copy marker does not match previous newline style');
      if (c !== CR) return fail('end-of-copy marker corrupt');
      c = this.byteAt(offset);
    }
    if (c !== CR && c !== LF) return fail('end-of-copy marker corrupt');
    if ((this.eol === 'lf' || this.eol === 'crlf') && c !== LF || this.eol === 'cr' && c !== CR) {
      throw new PgError('bad_copy_file_format', 'end-of-copy marker does not match previous newline style');
    }
    return true;
  }

  // ---- text

  private splitText(): void {
    const { fields, delimiter } = this;
    let { buffer, lineStart: start, lineEnd } = this;
    if (this.escaped) {
      // Escapes are resolved in place, and an error shows the line as it came.
      lineEnd -= start;
      if (this.scratch.length < lineEnd) this.scratch = Buffer.allocUnsafe(lineEnd * 2);
      buffer.copy(this.scratch, 0, start, start + lineEnd);
      buffer = this.scratch;
      start = 0;
    }
    fields.bytes = buffer;
    fields.count = 0;
    let escaped = false;
    for (let i = start; ; i++) {
      if (i >= lineEnd || buffer[i] === delimiter) {
        this.addTextField(start, Math.min(i, lineEnd), escaped);
        if (i >= lineEnd) return;
        start = i + 1;
        escaped = false;
      } else if (buffer[i] === BACKSLASH) {
        escaped = true;
        i++;
      }
    }
  }

  private addTextField(from: number, to: number, escaped: boolean): void {
    const { fields } = this;
    const i = fields.count++;
    fields.isNull[i] = this.isNullMarker(fields.bytes, from, to);
    fields.quoted[i] = false;
    fields.from[i] = from;
    fields.to[i] = to;
    if (escaped && !fields.isNull[i]) this.unescape(i, from, to);
  }

  private isNullMarker(bytes: Buffer, from: number, to: number): boolean {
    const { nullBytes } = this;
    if (to - from !== nullBytes.length) return false;
    for (let k = 0; k < nullBytes.length; k++) if (bytes[from + k] !== nullBytes[k]) return false;
    return true;
  }

  /** Resolves backslash sequences in place: what comes out is never longer than what went in. */
  private unescape(index: number, from: number, to: number): void {
    const buffer = this.fields.bytes;
    let out = from;
    let verify = false;
    for (let i = from; i < to; i++) {
      let c = buffer[i]!;
      if (c === BACKSLASH) {
        if (++i >= to) break;
        c = buffer[i]!;
        if (c >= 48 && c <= 55) {
          let v = c - 48;
          for (let k = 0; k < 2 && i + 1 < to && buffer[i + 1]! >= 48 && buffer[i + 1]! <= 55; k++) v = v * 8 + buffer[++i]! - 48;
          c = v & 255;
          verify ||= c === 0 || c > 127;
        } else if (c === 120 && i + 1 < to && hexValue(buffer[i + 1]!) >= 0) {
          let v = hexValue(buffer[++i]!);
          if (i + 1 < to && hexValue(buffer[i + 1]!) >= 0) v = v * 16 + hexValue(buffer[++i]!);
          c = v;
          verify ||= c === 0 || c > 127;
        } else {
          c = c === 98 ? 8 : c === 102 ? 12 : c === 110 ? 10 : c === 114 ? 13 : c === 116 ? 9 : c === 118 ? 11 : c;
        }
      }
      buffer[out++] = c;
    }
    this.fields.to[index] = out;
    if (verify) verifyText(buffer, from, out);
  }

  // ---- CSV

  private splitCsv(): void {
    const { fields, buffer, delimiter, quote, escape, lineEnd } = this;
    // Fields are written into a scratch buffer without their quotes.
    if (this.scratch.length < lineEnd - this.lineStart) this.scratch = Buffer.allocUnsafe((lineEnd - this.lineStart) * 2);
    const { scratch } = this;
    fields.bytes = scratch;
    fields.count = 0;
    let out = 0;
    let i = this.lineStart;
    for (;;) {
      const index = fields.count++;
      const rawStart = i;
      const start = out;
      let sawQuote = false;
      let end = false;
      for (;;) {
        if (i >= lineEnd) { end = true; break; }
        const c = buffer[i++]!;
        if (c === delimiter) break;
        if (c !== quote) { scratch[out++] = c; continue; }
        sawQuote = true;
        for (;;) {
          if (i >= lineEnd) throw new PgError('bad_copy_file_format', 'unterminated CSV quoted field');
          const q = buffer[i++]!;
          if (q === escape && i < lineEnd && (buffer[i] === escape || buffer[i] === quote)) { scratch[out++] = buffer[i++]!; continue; }
          if (q === quote) break;
          scratch[out++] = q;
        }
      }
      const rawEnd = end ? i : i - 1;
      fields.from[index] = start;
      fields.to[index] = out;
      fields.quoted[index] = sawQuote;
      fields.isNull[index] = !sawQuote && this.isNullMarker(buffer, rawStart, rawEnd);
      if (end) return;
    }
  }

  /** For FORCE_NULL and the like: whether the field's text equals the NULL string. */
  equalsNullText(index: number): boolean {
    const { fields, nullBytes } = this;
    return fields.bytes.compare(nullBytes, 0, nullBytes.length, fields.from[index]!, fields.to[index]!) === 0;
  }
}

const hexValue = (c: number): number => (c >= 48 && c <= 57 ? c - 48 : c >= 65 && c <= 70 ? c - 55 : c >= 97 && c <= 102 ? c - 87 : -1);
