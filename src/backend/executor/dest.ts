// Where result rows go: to the frontend, a portal's tuplestore, a table (CREATE TABLE AS), COPY TO, a function.
import type { Datum, Oid } from '../types/datum.ts';

export interface ResultColumn {
  name: string; typeOid: Oid; typmod: number; collation: Oid;
  /** Table and column it comes from unchanged, else 0. */
  tableOid: Oid; tableColumn: number;
}
export interface DestReceiver {
  /** Called once before the first row. */
  start(columns: readonly ResultColumn[]): void;
  /** One row. The array is the receiver's to keep. Returning false asks the executor to stop. */
  receive(row: Datum[]): boolean;
  /** Called once after the last row (not after an error). */
  end(): void;
}

/** For rows that nobody wants. */
export const DISCARD: DestReceiver = { start() {}, receive: () => true, end() {} };
