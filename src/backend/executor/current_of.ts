// WHERE CURRENT OF: the row a cursor stands on. Cursors live above; the traffic cop fills this in.
import { internalError } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';

export const currentOf: {
  /** The id of that row in a table (for a table with children: of one of them, each asks for itself); null: it is in another one. */
  rowId: (cursor: string, tableOid: Oid) => number | null;
} = { rowId: () => { throw internalError('nobody knows of cursors'); } };
