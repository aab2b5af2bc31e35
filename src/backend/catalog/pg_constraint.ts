// Rows of pg_constraint.
import type { PgConstraint } from './rows.ts';

export function constraintRow(fields: Pick<PgConstraint, 'oid' | 'conname' | 'connamespace' | 'contype'> & Partial<PgConstraint>): PgConstraint {
  return {
    condeferrable: false, condeferred: false, convalidated: true, conrelid: 0, contypid: 0, conindid: 0, conparentid: 0,
    confrelid: 0, confupdtype: ' ', confdeltype: ' ', confmatchtype: ' ', conislocal: true, coninhcount: 0, connoinherit: false,
    conkey: null, confkey: null, conpfeqop: null, conppeqop: null, conffeqop: null, confdelsetcols: null, conexclop: null,
    conbin: null, ...fields,
  };
}
