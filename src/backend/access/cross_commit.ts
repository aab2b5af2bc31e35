// A transaction that changes the database and global/ has two commits, and may be killed between them. So the first one,
// the database's, carries the second with it: a row in a hidden table of the database with the whole commit request for
// global/. The second commit leaves the same token in a hidden table of global/. Whoever finds a request whose token is
// not there, and whose backend is gone, sends it again; when the token is there, both rows have done their duty.
// (Hidden: they have a storage number, and no row in pg_class.)
import { PgError } from '../../common/errors.ts';
import { randomHex } from '../../port/random.ts';
import type { Relation } from '../catalog/relation.ts';
import { sharedClient } from '../transaction/client.ts';
import type { CommitRequest } from '../transaction/messages.ts';
import { abortCurrentTransaction, commitTransactionCommand, renewSnapshot, setCrossCommit, startTransactionCommand } from '../transaction/xact.ts';
import type { Datum } from '../types/datum.ts';
import { log } from '../utils/elog.ts';
import { session } from '../utils/session.ts';
import { formRow, makeLayout, readRow, type RowId, type StorageClass } from './row.ts';
import { beginScan, deleteRow, insertRow } from './table.ts';
import { uncounted } from '../utils/pgstat.ts';

const TEXTOID = 25, INT4OID = 23;
const storageOf = (type: number): StorageClass => (type === INT4OID ? 'int4' : 'text');
/** Below the numbers of all catalogs; the oids are beyond all others, so that nothing takes them for catalogs. */
const PENDING_FILENODE = 90, APPLIED_FILENODE = 91;

function hidden(filenode: number, shared: boolean, name: string, types: readonly number[]): Relation {
  const layout = makeLayout(types.map((atttypid, i) => ({ attnum: i + 1, atttypid })), storageOf);
  return { oid: 4294967200 + filenode, name, kind: 'r', persistence: 'p', filenode, shared, layout, attributes: [], indexes: [], counts: uncounted } as unknown as Relation;
}

/** token, pid of the backend, request as JSON. */
const pending = hidden(PENDING_FILENODE, false, 'pending_shared_commit', [TEXTOID, INT4OID, TEXTOID]);
/** token */
const applied = hidden(APPLIED_FILENODE, true, 'applied_shared_commit', [TEXTOID]);

function toText(request: CommitRequest): string {
  return JSON.stringify(request, (_key, value: unknown) => (value instanceof Uint8Array ? { base64: Buffer.from(value).toString('base64') } : value));
}

/** Buffers have a toJSON of their own, which comes before the replacer: bytes are made plain first. */
function plainBytes(request: CommitRequest): CommitRequest {
  const bytes = (b: Uint8Array | null): Uint8Array | null => (b === null ? null : new Uint8Array(b));
  return {
    ...request, relations: request.relations.map((r) => ({
      ...r, inserted: r.inserted.map((i) => ({ ...i, bytes: bytes(i.bytes)! })), changed: (r.changed instanceof Array ? r.changed : r.changed.toList()).map((c) => ({ ...c, bytes: bytes(c.bytes) })),
    })),
  };
}

function fromText(text: string): CommitRequest {
  return JSON.parse(text, (_key, value: any) => (typeof value === 'object' && value !== null && typeof value.base64 === 'string' ? Buffer.from(value.base64, 'base64') : value)) as CommitRequest;
}

let token = '';
setCrossCommit({
  mark() {
    token = `${session.pid}.${randomHex(9)}`;
    insertRow(applied, formRow(applied.layout, [token]));
  },
  note(request) {
    insertRow(pending, formRow(pending.layout, [token, session.pid, toText(plainBytes(request))]));
  },
});

function rowsOf(relation: Relation): { rowId: RowId; values: Datum[] }[] {
  const rows: { rowId: RowId; values: Datum[] }[] = [];
  const scan = beginScan(relation);
  while (scan.next()) {
    for (let slot = 0; slot < scan.slotCount; slot++) {
      const start = scan.wide ? scan.view.getUint32(8 + 4 * slot, true) : scan.view.getUint16(8 + 2 * slot, true);
      if (start !== 0) rows.push({ rowId: scan.rowId(slot), values: readRow(scan.bytes, scan.view, start, relation.layout) });
    }
  }
  return rows;
}

/** At the start of a session, inside a transaction: whether there is anything to bring to its end. */
export function crossCommitsPending(): boolean {
  return rowsOf(pending).length > 0;
}

/** Brings every commit that was cut in two to its end. Outside any transaction. */
export function finishCrossCommits(isAlive: (pid: number) => boolean): void {
  startTransactionCommand();
  renewSnapshot();
  const known = new Set(rowsOf(applied).map((r) => r.values[0]));
  const list = rowsOf(pending).filter((r) => known.has(r.values[0]!) || !isAlive(r.values[1] as number));
  commitTransactionCommand();
  if (list.length === 0) return;
  for (const { values } of list) {
    if (known.has(values[0]!)) continue;
    const answer = sharedClient.commit(fromText(values[2] as string));
    if (answer.kind !== 'committed') log('WARNING', `the shared part of a commit that was cut off could not be applied (${answer.kind})`);
  }
  const tokens = new Set(list.map((r) => r.values[0]));
  // As long as a request is there, so is the word that it was applied: else it would be again.
  if (forget(pending, tokens)) forget(applied, tokens);
}

/** False: not now. Somebody else is doing the same, or the manager has just died, and the next session will do it. */
function forget(relation: Relation, tokens: ReadonlySet<Datum | undefined>): boolean {
  startTransactionCommand();
  try {
    renewSnapshot();
    for (const { rowId, values } of rowsOf(relation)) if (tokens.has(values[0])) deleteRow(relation, rowId);
    commitTransactionCommand();
    return true;
  } catch (error) {
    if (!(error instanceof PgError) || error.condition !== 'serialization_failure') throw error;
    abortCurrentTransaction();
    return false;
  }
}
