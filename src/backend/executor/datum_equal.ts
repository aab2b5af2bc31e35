// Whether two datums are the same, bit by bit as it were (PostgreSQL's datumIsEqual): no operator is asked.
import { isDeepStrictEqual } from 'node:util';
import type { Datum } from '../types/datum.ts';

export const equalDatums = (a: Datum | undefined, b: Datum | undefined): boolean =>
  a === b || (typeof a === 'object' && a !== null && typeof b === 'object' && b !== null && isDeepStrictEqual(a, b));
