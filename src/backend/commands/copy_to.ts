// COPY TO: rows as lines of text or CSV, or as binary tuples (PostgreSQL's copyto.c).
import type { DestReceiver, ResultColumn } from '../executor/dest.ts';
import type { Datum } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import type { CopyOptions } from './copy_options.ts';

/** Takes one line (or binary chunk), without copying it. */
export type LineSink = (line: string | Buffer) => void;

const NEEDS_ESCAPE = /[\\\b\f\n\r\t\v]/;
const ESCAPES: Record<string, string> = { '\\': '\\\\', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v' };

function textEscaper(delimiter: string): (text: string) => string {
  const known = delimiter in ESCAPES;
  return (text) => {
    const escaped = NEEDS_ESCAPE.test(text) ? text.replace(/[\\\b\f\n\r\t\v]/g, (c) => ESCAPES[c]!) : text;
    return known ? escaped : escaped.replaceAll(delimiter, `\\${delimiter}`);
  };
}

function csvQuoter(options: CopyOptions, singleColumn: boolean): (text: string, force: boolean) => string {
  const { delimiter, quote, escape, nullText } = options;
  return (text, force) => {
    const need = force || text === nullText || (singleColumn && text === '\\.') || text.includes(delimiter) || text.includes(quote)
      || text.includes('\n') || text.includes('\r');
    if (!need) return text;
    let body = text;
    if (escape !== quote) body = body.replaceAll(escape, escape + escape);
    return quote + body.replaceAll(quote, escape + quote) + quote;
  };
}

const NOTHING = Buffer.alloc(0), TRAILER = Buffer.from([0xff, 0xff]);

export class CopyDest implements DestReceiver {
  rows = 0;
  private readonly options: CopyOptions;
  private readonly sink: LineSink;
  private columns: readonly ResultColumn[] = [];
  private outputs: ((value: any) => string)[] = [];
  private sends: ((value: any) => Uint8Array)[] = [];
  private line: (row: Datum[]) => string = () => '';

  /** The binary format's, until it goes out in one piece with what comes first: there drivers look for the first row. */
  private header: Buffer = NOTHING;
  private readonly done: (() => void) | undefined;

  constructor(options: CopyOptions, sink: LineSink, done?: () => void) {
    this.options = options;
    this.sink = sink;
    this.done = done;
  }

  start(columns: readonly ResultColumn[]): void {
    this.columns = columns;
    const { options } = this;
    if (options.format === 'binary') {
      this.sends = columns.map((c) => typeHooks.typeIo(c.typeOid).send);
      this.header = Buffer.alloc(19);
      this.header.latin1Write('PGCOPY\n\xff\r\n\0', 0);
      return;
    }
    this.outputs = columns.map((c) => typeHooks.typeIo(c.typeOid).output);
    const { outputs } = this;
    const { delimiter, nullText } = options;
    if (options.format === 'csv') {
      const quote = csvQuoter(options, columns.length === 1);
      const force = columns.map((c) => options.forceQuote === 'all' || options.forceQuote.includes(c.name));
      this.line = (row) => {
        let text = '';
        for (let i = 0; i < outputs.length; i++) {
          const value = row[i];
          if (i > 0) text += delimiter;
          text += value === null || value === undefined ? nullText : quote(outputs[i]!(value), force[i]!);
        }
        return `${text}\n`;
      };
      if (options.header !== false) this.sink(`${columns.map((c) => quote(c.name, false)).join(delimiter)}\n`);
    } else {
      const escape = textEscaper(delimiter);
      this.line = (row) => {
        let text = '';
        for (let i = 0; i < outputs.length; i++) {
          const value = row[i];
          if (i > 0) text += delimiter;
          text += value === null || value === undefined ? nullText : escape(outputs[i]!(value));
        }
        return `${text}\n`;
      };
      if (options.header !== false) this.sink(`${columns.map((c) => escape(c.name)).join(delimiter)}\n`);
    }
  }

  receive(row: Datum[]): boolean {
    this.rows++;
    this.sink(this.options.format === 'binary' ? this.binaryRow(row) : this.line(row));
    return true;
  }

  private binaryRow(row: Datum[]): Buffer {
    const parts: Uint8Array[] = [this.header];
    this.header = NOTHING;
    const head = Buffer.alloc(2);
    head.writeInt16BE(this.columns.length);
    parts.push(head);
    this.sends.forEach((send, i) => {
      const value = row[i];
      const bytes = value === null || value === undefined ? null : send(value);
      const length = Buffer.alloc(4);
      length.writeInt32BE(bytes === null ? -1 : bytes.length);
      parts.push(length);
      if (bytes !== null) parts.push(bytes);
    });
    return Buffer.concat(parts);
  }

  end(): void {
    if (this.options.format === 'binary') this.sink(Buffer.concat([this.header, TRAILER]));
    this.done?.();
  }
}
