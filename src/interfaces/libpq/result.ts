// Results: what a statement gave (PGresult).
import { isUtf8 } from 'node:buffer';
import { decodeUtf8 } from '../../common/charsets.ts';
import type { Decoder, Types } from './types.ts';

/** A column of a result. */
export interface Field {
  readonly name: string;
  /** The table it comes from and the column's number there; 0: none. */
  readonly tableOid: number;
  readonly columnNumber: number;
  readonly typeOid: number;
  /** Bytes; negative: variable. */
  readonly typeSize: number;
  readonly typeModifier: number;
  /** 0 text, 1 binary. */
  readonly format: number;
}

/** What a result is (ExecStatusType): rows, a command without rows, an empty text, a part of the rows (row limit). */
export type ResultStatus = 'tuples' | 'command' | 'empty' | 'suspended';

export class Result<Row = unknown> {
  status: ResultStatus = 'command';
  /** The command tag, e.g. "INSERT 0 1" (PQcmdStatus). */
  tag = '';
  fields: readonly Field[] = [];
  rows: Row[] = [];

  /** "INSERT", "CREATE TABLE", … */
  get command(): string {
    return this.tag.replace(/[ \d]+$/, '');
  }

  /** Rows affected or returned (PQcmdTuples); null where the tag has none. */
  get rowCount(): number | null {
    const m = /(\d+)$/.exec(this.tag);
    return m === null ? null : Number(m[1]);
  }
}

export function readFields(buffer: Buffer, at: number): Field[] {
  const count = buffer.readUInt16BE(at);
  const fields: Field[] = new Array<Field>(count);
  at += 2;
  for (let i = 0; i < count; i++) {
    const end = buffer.indexOf(0, at);
    fields[i] = {
      name: buffer.utf8Slice(at, end), tableOid: buffer.readUInt32BE(end + 1), columnNumber: buffer.readInt16BE(end + 5), typeOid: buffer.readUInt32BE(end + 7),
      typeSize: buffer.readInt16BE(end + 11), typeModifier: buffer.readInt32BE(end + 13), format: buffer.readInt16BE(end + 17),
    };
    at = end + 19;
  }
  return fields;
}

export type RowMode = 'object' | 'array' | 'text';
/** Reads a DataRow message's body. */
export type RowReader = (buffer: Buffer, at: number, end: number) => unknown;

const malformed = (what: string): Error => new Error(`message contents do not agree with length in message type "D": ${what}`);

/** Of columns whose names repeat, the last counts in an object. */
export function makeRowReader(fields: readonly Field[], mode: RowMode, types: Types): RowReader {
  const count = fields.length;
  if (mode === 'text') return textReader(count);
  const decoders = fields.map((f) => types.decoder(f.typeOid, f.format));
  return mode === 'array' ? arrayReader(decoders) : objectReader(fields.map((f) => f.name), decoders);
}

function checkCount(buffer: Buffer, at: number, count: number): void {
  const sent = (buffer[at]! << 8) | buffer[at + 1]!;
  if (sent !== count) throw malformed(`${sent} columns instead of ${count}`);
}

/** Bytes that are no UTF-8, which a database without an encoding may hold. */
const wholly = (bytes: Buffer, text: string): string => (isUtf8(bytes) ? text : decodeUtf8(bytes));

/** Every value as the text that came, bytes of a binary one as hexadecimal. */
function textReader(count: number): RowReader {
  return (buffer, at, end) => {
    checkCount(buffer, at, count);
    const row: (string | null)[] = new Array<string | null>(count);
    at += 2;
    for (let i = 0; i < count; i++) {
      const length = (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!;
      at += 4;
      if (length < 0) row[i] = null;
      else {
        if (at + length > end) throw malformed('a column is too long');
        const text = buffer.utf8Slice(at, at + length);
        row[i] = text.includes('\ufffd') ? wholly(buffer.subarray(at, at + length), text) : text;
        at += length;
      }
    }
    return row;
  };
}

function arrayReader(decoders: readonly Decoder[]): RowReader {
  const count = decoders.length;
  return (buffer, at, end) => {
    checkCount(buffer, at, count);
    const row: unknown[] = new Array(count);
    at += 2;
    for (let i = 0; i < count; i++) {
      const length = (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!;
      at += 4;
      if (length < 0) row[i] = null;
      else {
        if (at + length > end) throw malformed('a column is too long');
        row[i] = decoders[i]!(buffer, at, at + length);
        at += length;
      }
    }
    return row;
  };
}

/** Rows copy an empty row, so that all have one shape. */
function objectReader(names: readonly string[], decoders: readonly Decoder[]): RowReader {
  const count = names.length;
  const empty: Record<string, unknown> = {};
  for (const name of names) Object.defineProperty(empty, name, { value: null, writable: true, enumerable: true, configurable: true });
  return (buffer, at, end) => {
    checkCount(buffer, at, count);
    const row = { ...empty };
    at += 2;
    for (let i = 0; i < count; i++) {
      const length = (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!;
      at += 4;
      if (length < 0) row[names[i]!] = null;
      else {
        if (at + length > end) throw malformed('a column is too long');
        row[names[i]!] = decoders[i]!(buffer, at, at + length);
        at += length;
      }
    }
    return row;
  };
}
