// What functions that are not volatile may run (PostgreSQL's CommandIsReadOnly).
import { PgError } from '../../common/errors.ts';
import type { Query } from '../nodes/parsenodes.ts';

export const notInReadOnly = (command: string): PgError => new PgError('feature_not_supported', `${command} is not allowed in a non-volatile function`);

/** 0A000 for a query that changes or locks rows. */
export function refuseChanges(query: Query): void {
  if (query.commandType !== 'select' || query.hasModifyingCTE) throw notInReadOnly(query.commandType.toUpperCase());
  const [mark] = query.rowMarks;
  if (mark !== undefined) throw notInReadOnly(`SELECT FOR ${{ update: 'UPDATE', nokeyupdate: 'NO KEY UPDATE', share: 'SHARE', keyshare: 'KEY SHARE' }[mark.strength]}`);
}
