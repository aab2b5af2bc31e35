// Rows to the frontend: DataRow messages in text or binary form (PostgreSQL's printtup.c). One writer a column, chosen
// once by type and format; integers and texts are written without an intermediate string or buffer.
import { typeHooks } from '../types/hooks.ts';
import type { DestReceiver, ResultColumn } from '../executor/dest.ts';
import type { Datum } from '../types/datum.ts';
import { formatOf, frontend, newShape, sendRowDescription, type ColumnWriter, type SentShape } from './protocol.ts';

// Types whose datum is a number and whose text is its decimal form.
const INTEGER_TYPES = new Set([20, 21, 23, 26, 28, 29]);
// Types whose datum is the text itself.
const TEXT_TYPES = new Set([19, 25, 114, 705, 1042, 1043, 2275, 2950]);

const writeInteger: ColumnWriter = (value: number | bigint) => {
  if (typeof value === 'number') frontend.intField(value);
  else frontend.textField(value.toString());
};
const writeText: ColumnWriter = (value: string) => frontend.textField(value);
const writeBoolean: ColumnWriter = (value: boolean) => frontend.textField(value ? 't' : 'f');

function columnWriter(column: ResultColumn, format: number): ColumnWriter {
  if (format === 1) {
    const { send } = typeHooks.typeIo(column.typeOid);
    return (value: Datum) => frontend.bytesField(send(value));
  }
  if (INTEGER_TYPES.has(column.typeOid)) return writeInteger;
  if (TEXT_TYPES.has(column.typeOid)) return writeText;
  if (column.typeOid === 16) return writeBoolean;
  const { output } = typeHooks.typeIo(column.typeOid);
  return (value: Datum) => frontend.textField(output(value));
}

/** Sends rows. `describe`: the simple protocol sends RowDescription first, the extended one was asked by Describe. */
export class RemoteDest implements DestReceiver {
  private readonly describe: boolean;
  private readonly formats: readonly number[];
  private readonly sent: SentShape;
  private writers: readonly ColumnWriter[] = [];

  /** `sent`: of the statement, where it may run again. */
  constructor(describe: boolean, formats: readonly number[], sent: SentShape = newShape()) {
    this.describe = describe;
    this.formats = formats;
    this.sent = sent;
  }

  start(columns: readonly ResultColumn[]): void {
    const { formats, sent } = this;
    if (this.describe) sendRowDescription(columns, formats, sent);
    if (sent.writers === null || sent.writers.columns !== columns || sent.writers.formats !== formats) {
      sent.writers = { columns, formats, list: columns.map((column, i) => columnWriter(column, formatOf(formats, i))) };
    }
    this.writers = sent.writers.list;
  }

  receive(row: Datum[]): boolean {
    const { writers } = this;
    const n = writers.length;
    frontend.begin(0x44);
    frontend.int16(n);
    for (let i = 0; i < n; i++) {
      const value = row[i];
      if (value === null || value === undefined) frontend.int32(-1);
      else writers[i]!(value);
    }
    frontend.end();
    return true;
  }

  end(): void {}
}
