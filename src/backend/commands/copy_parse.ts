// COPY FROM's reading side: bytes to lines, lines to fields (PostgreSQL's copyfromparse.c). Works on the bytes as they
// come; a field becomes a string only when its type's input function wants one.
import { PgError } from '../../common/errors.ts';
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
export class FieldList {
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
  private scratch: Buffer = Buffer.allocUnsafe(256);

  constructor(source: ByteSource, options: CopyOptions) {
    this.source = source;

    this.csv = options.format === 'csv';
    this.delimiter = options.delimiter.charCodeAt(0);
    this.quote = options.quote.charCodeAt(0);
    this.escape = options.escape.charCodeAt(0);
    this.nullBytes = Buffer.from(options.nullText);
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
  }

  skipTo(next: number): void {
    this.at = next;
  }

  private readLine(): boolean {
    let start = this.at;
    let inQuote = false;
    let lastWasEscape = false;
    let i = start;
    for (;;) {
      const { buffer } = this;
      const n = this.filled;
      if (this.csv) {
        for (; i < n; i++) {
          const c = buffer[i]!;
          if (inQuote && c === this.escape && this.escape !== this.quote) lastWasEscape = !lastWasEscape;
          else if (c === this.quote && !lastWasEscape) inQuote = !inQuote;
          if (c !== this.escape || this.escape === this.quote) lastWasEscape = false;
          if (!inQuote && (c === LF || c === CR)) break;
        }
      } else if (this.eol === 'lf') {
        const found = buffer.indexOf(LF, i);
        i = found < 0 || found > n ? n : found;
      } else {
        for (; i < n; i++) {
          const c = buffer[i]!;
          if (c === BACKSLASH) { if (i + 1 < n) { i++; continue; } break; }
          if (c === LF || c === CR) break;
        }
        if (i < n && buffer[i] === BACKSLASH) { // an escape cut in two by the buffer's end
          const had = start;
          if (this.refill(start)) { i -= had; start = 0; continue; }
          i = n;
        }
      }
      if (i >= n || (buffer[i] === CR && i + 1 >= n && !this.ended)) {
        const had = start;
        if (this.refill(start)) { i -= had; start -= had; continue; }
        if (i >= n) {
          if (inQuote) { this.setLine(start, n, n); this.lineNumber++; throw new PgError('bad_copy_file_format', 'unterminated CSV quoted field'); }
          if (start === n) return false;
          this.setLine(start, n, n);
          break;
        }
      }
      const c = this.buffer[i]!;
      if (c === CR && i + 1 < this.filled && this.buffer[i + 1] === LF) {
        this.checkEol('crlf');
        this.setLine(start, i, i + 2);
      } else {
        if (c === CR && this.eol === 'lf') { i++; continue; }
        this.checkEol(c === LF ? 'lf' : 'cr');
        this.setLine(start, i, i + 1);
      }
      // In text mode with the fast newline search an escaped newline was taken for an end: join the next line on.
      if (!this.csv && this.eol === 'lf' && this.endsInBackslash()) { i = this.at; continue; }
      break;
    }
    this.lineNumber++;
    if (this.lineEnd - this.lineStart === 2 && this.buffer[this.lineStart] === BACKSLASH && this.buffer[this.lineStart + 1] === DOT) {
      // The end-of-data marker: whatever follows is not ours.
      while (this.source.next() !== null) { /* drained */ }
      this.ended = true;
      this.at = this.filled;
      return false;
    }
    return true;
  }

  private endsInBackslash(): boolean {
    let k = this.lineEnd - 1;
    let n = 0;
    while (k >= this.lineStart && this.buffer[k] === BACKSLASH) { n++; k--; }
    return n % 2 === 1;
  }

  private setLine(start: number, end: number, next: number): void {
    this.lineStart = start;
    this.lineEnd = end;
    this.at = next;
  }

  private checkEol(kind: 'lf' | 'cr' | 'crlf'): void {
    if (this.eol === 'unknown') this.eol = kind;
    else if (this.eol !== kind) {
      const [what, hint] = kind === 'cr' ? ['carriage return', '\\r'] : ['newline', '\\n'];
      this.lineNumber++;
      throw new PgError('bad_copy_file_format', this.csv ? `unquoted ${what} found in data` : `literal ${what} found in data`, {
        hint: this.csv ? `Use quoted CSV field to represent ${what}.` : `Use "${hint}" to represent ${what}.`,
      });
    }
  }

  // ---- text

  private splitText(): void {
    const { fields, buffer, delimiter, lineEnd } = this;
    fields.bytes = buffer;
    fields.count = 0;
    let start = this.lineStart;
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
    fields.isNull[i] = this.isNullMarker(from, to);
    fields.quoted[i] = false;
    fields.from[i] = from;
    fields.to[i] = to;
    if (escaped && !fields.isNull[i]) this.unescape(i, from, to);
  }

  private isNullMarker(from: number, to: number): boolean {
    const { nullBytes } = this;
    if (to - from !== nullBytes.length) return false;
    for (let k = 0; k < nullBytes.length; k++) if (this.buffer[from + k] !== nullBytes[k]) return false;
    return true;
  }

  /** Resolves backslash sequences in place: what comes out is never longer than what went in. */
  private unescape(index: number, from: number, to: number): void {
    const { buffer } = this;
    let out = from;
    for (let i = from; i < to; i++) {
      let c = buffer[i]!;
      if (c === BACKSLASH && i + 1 < to) {
        c = buffer[++i]!;
        if (c >= 48 && c <= 55) {
          let v = c - 48;
          for (let k = 0; k < 2 && i + 1 < to && buffer[i + 1]! >= 48 && buffer[i + 1]! <= 55; k++) v = v * 8 + buffer[++i]! - 48;
          c = v & 255;
        } else if (c === 120 && i + 1 < to && hexValue(buffer[i + 1]!) >= 0) {
          let v = hexValue(buffer[++i]!);
          if (i + 1 < to && hexValue(buffer[i + 1]!) >= 0) v = v * 16 + hexValue(buffer[++i]!);
          c = v;
        } else {
          c = c === 98 ? 8 : c === 102 ? 12 : c === 110 ? 10 : c === 114 ? 13 : c === 116 ? 9 : c === 118 ? 11 : c;
        }
      }
      buffer[out++] = c;
    }
    this.fields.to[index] = out;
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
      fields.isNull[index] = !sawQuote && this.isNullMarker(rawStart, rawEnd);
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
