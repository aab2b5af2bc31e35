// Snapshots that sessions lend to one another (pg_export_snapshot, SET TRANSACTION SNAPSHOT; PostgreSQL's snapmgr.c): pg_dump -j
// reads one state of a database with several sessions. A file in tmp/ says which it is; it is there as long as the
// transaction that exports it, which holds the snapshot meanwhile.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { PgError } from '../../common/errors.ts';
import { session } from '../utils/session.ts';
import { managerClient } from './client.ts';
import { describeSnapshot, dropSnapshot, holdSnapshot, takeSnapshot, type SavedSnapshot } from './snapshot.ts';
import type { IsolationLevel } from './xact_state.ts';
import { importTransactionSnapshot, inSubTransaction, isReadOnlyTransaction, isolationLevel, registerCallback, requireLocks } from './xact.ts';

interface ExportedSnapshot { pid: number; database: number; isolation: IsolationLevel; readOnly: boolean; databaseAt: string; globalAt: string }

const fileOf = (id: string): string => `tmp/snapshot.${id}`;
const hex8 = (number: number): string => number.toString(16).toUpperCase().padStart(8, '0');

/** Of this transaction. */
const exported: { id: string; snapshot: SavedSnapshot }[] = [];
let transactions = 0;

/** pg_export_snapshot: the name by which other sessions can import the present snapshot until this transaction ends. */
export function exportSnapshot(): string {
  if (inSubTransaction()) throw new PgError('active_sql_transaction', 'cannot export a snapshot from a subtransaction');
  requireLocks();
  if (exported.length === 0) transactions++;
  const snapshot = holdSnapshot(), { database, global } = describeSnapshot(snapshot), id = `${hex8(session.pid)}-${hex8(transactions)}-${exported.length + 1}`;
  exported.push({ id, snapshot });
  const content: ExportedSnapshot = {
    pid: session.pid, database: session.databaseOid, isolation: isolationLevel(), readOnly: isReadOnlyTransaction(), databaseAt: database.toString('hex'), globalAt: global.toString('hex'),
  };
  writeFileSync(fileOf(id), JSON.stringify(content), { mode: 0o600 });
  return id;
}

function letGo(): void {
  for (const { id, snapshot } of exported.splice(0)) {
    rmSync(fileOf(id), { force: true });
    dropSnapshot(snapshot);
  }
}

registerCallback({
  onCommit() { if (exported.length > 0) letGo(); },
  onAbort() { if (exported.length > 0) letGo(); },
  refusePrepare() {
    if (exported.length > 0) throw new PgError('feature_not_supported', 'cannot PREPARE a transaction that has exported snapshots');
  },
});

/** SET TRANSACTION SNAPSHOT. */
export function importSnapshot(id: string): void {
  importTransactionSnapshot(() => {
    if (!/^[0-9A-F-]+$/.test(id) || !existsSync(fileOf(id))) throw new PgError('invalid_parameter_value', `invalid snapshot identifier: "${id}"`);
    const source = JSON.parse(readFileSync(fileOf(id), 'utf8')) as ExportedSnapshot;
    if (isolationLevel() === 'serializable') {
      if (source.isolation !== 'serializable') throw new PgError('feature_not_supported', 'a serializable transaction cannot import a snapshot from a non-serializable transaction');
      if (source.readOnly && !isReadOnlyTransaction()) throw new PgError('feature_not_supported', 'a non-read-only serializable transaction cannot import a snapshot from a read-only transaction');
    }
    if (source.database !== session.databaseOid) throw new PgError('feature_not_supported', 'cannot import a snapshot from a different database');
    const described = { database: Buffer.from(source.databaseAt, 'hex'), global: Buffer.from(source.globalAt, 'hex') };
    // Any question will do whose answer the managers give.
    const hear = (): void => { for (const shared of [false, true]) managerClient(shared).wasMoved(0, 0); };
    if (!takeSnapshot(described, hear)) throw gone(source.pid);
  });
}

const gone = (pid: number): PgError => new PgError('object_not_in_prerequisite_state', 'could not import the requested snapshot', { detail: `The source process with PID ${pid} is not running anymore.` });
