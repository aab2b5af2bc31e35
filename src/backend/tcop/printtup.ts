// Rows to the frontend: DataRow messages in text or binary form (PostgreSQL's printtup.c). One writer a column, chosen
// once by type and format; integers and texts are written without an intermediate string or buffer.
import { typeHooks } from '../types/hooks.ts';
import type { DestReceiver, ResultColumn } from '../executor/dest.ts';
import type { Datum } from '../types/datum.ts';
import { formatOf, frontend, sendRowDescription } from './protocol.ts';

type ColumnWriter = (value: any) => void;

// Types whose datum is a number and whose text is its decimal form.
const INTEGER_TYPES = new Set([20, 21, 23, 26, 28, 29]);
// Types whose datum is the text itself.
const TEXT_TYPES = new Set([19, 25, 114, 142, 705, 1042, 1043, 2275, 2950]);

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
  private writers: ColumnWriter[] = [];

  constructor(describe: boolean, formats: readonly number[]) {
    this.describe = describe;
    this.formats = formats;
  }

  start(columns: readonly ResultColumn[]): void {
    if (this.describe) sendRowDescription(columns, this.formats);
    this.writers = columns.map((column, i) => columnWriter(column, formatOf(this.formats, i)));
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
