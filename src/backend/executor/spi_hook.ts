// Constraint checks run SQL (spi.ts), and running SQL runs constraint checks: this is where the circle is cut.
import type { Datum, Oid } from '../types/datum.ts';

type SpiExecute = (text: string, types: readonly Oid[], params: readonly Datum[], visit?: (row: Datum[]) => boolean, sameQuery?: boolean) => number;

/** Filled in by spi.ts. */
export const spi: { execute: SpiExecute; /** The types of a query's columns. */ columns: (text: string) => Oid[] } = {
  execute: () => { throw new Error('spi.ts is not loaded'); },
  columns: () => { throw new Error('spi.ts is not loaded'); },
};
