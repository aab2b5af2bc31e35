// Rows kept to be read again, in the order they came; beyond work_mem they go to a temporary file.
import type { Datum, Oid } from '../types/datum.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { workMemBytes } from './memory.ts';
import { RunFile } from './run_file.ts';
import { rowBytes, type RowReader } from './tuplesort.ts';

export class Tuplestore {
  private rows: Datum[][] = [];
  private bytes = 0;
  private readonly limit = workMemBytes();
  private readonly types: readonly Oid[];
  private file: RunFile | null = null;

  constructor(types: readonly Oid[]) {
    this.types = types;
  }

  add(row: Datum[]): void {
    checkForInterrupts();
    if (this.file !== null) {
      this.file.write(row);
      return;
    }
    this.rows.push(row);
    this.bytes += rowBytes(row);
    if (this.bytes > this.limit && this.rows.length > 64) this.spill();
  }

  private spill(): void {
    this.file = new RunFile(this.types);
    for (const row of this.rows) {
      checkForInterrupts();
      this.file.write(row);
    }
    this.rows = [];
  }

  /** Rows added while reading are read too. */
  reader(): RowReader {
    const { rows } = this;
    let fromFile = this.file?.reader();
    let i = 0;
    return {
      next: () => {
        if (fromFile !== undefined) return fromFile.next();
        if (i < rows.length) return rows[i++];
        if (this.file === null) return undefined;
        // It went to a file meanwhile, with the rows read before.
        fromFile = this.file.reader();
        for (let skip = rows.length; skip > 0; skip--) fromFile.next();
        return fromFile.next();
      },
    };
  }

  close(): void {
    this.file?.close();
  }
}
