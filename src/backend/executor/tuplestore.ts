// Rows kept to be read again, in the order they came; beyond work_mem they go to a temporary file.
import type { Datum, Oid } from '../types/datum.ts';
import { workMemBytes } from './memory.ts';
import { RunFile } from './run_file.ts';
import { rowBytes, type RowReader } from './tuplesort.ts';

export class Tuplestore {
  private rows: Datum[][] = [];
  private bytes = 0;
  private readonly limit = workMemBytes();
  private readonly types: readonly Oid[];
  private readonly files: RunFile[] = [];

  constructor(types: readonly Oid[]) {
    this.types = types;
  }

  add(row: Datum[]): void {
    this.rows.push(row);
    this.bytes += rowBytes(row);
    if (this.bytes > this.limit && this.rows.length > 64) this.spill();
  }

  private spill(): void {
    const file = new RunFile(this.types);
    for (const row of this.rows) file.write(row);
    file.finish();
    this.files.push(file);
    this.rows = [];
    this.bytes = 0;
  }

  /** Rows added while reading are read too, as long as nothing has been spilled. */
  reader(): RowReader {
    const { rows, files } = this;
    if (files.length === 0) {
      let i = 0;
      return { next: () => rows[i++] };
    }
    const readers = files.map((f) => f.reader());
    let at = 0;
    let i = 0;
    return {
      next: () => {
        while (at < readers.length) {
          const row = readers[at]!.next();
          if (row !== undefined) return row;
          at++;
        }
        return rows[i++];
      },
    };
  }

  close(): void {
    for (const file of this.files) file.close();
  }
}
