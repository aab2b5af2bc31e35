// A transaction that changes the database and global/ has two commits, and may be killed between them. So the first one,
// the database's, carries the second with it: a row in a hidden table of the database with the whole commit request for
// global/. The second commit leaves the same token in a hidden table of global/. Whoever finds a request whose token is
// not there, and whose backend is gone, sends it again; when the token is there, both rows have done their duty.
// (Hidden: they have a storage number, and no row in pg_class.)
//
// A prepared transaction is kept in two halves by the managers (transaction/xact.ts). Its commit in the database leaves a row in the same
// table, without a request: as long as that is there, the half in global/ is to be committed, by whoever comes.
import { PgError } from '../../common/errors.ts';
import { randomHex } from '../../port/random.ts';
import type { Relation } from '../catalog/relation.ts';
import { client, sharedClient } from '../transaction/client.ts';
import type { CommitRequest, PreparedXact } from '../transaction/messages.ts';
import { abortCurrentTransaction, advanceSnapshot, commitTransactionCommand, renewSnapshot, setCrossCommit, startTransactionCommand } from '../transaction/xact.ts';
import { dropSnapshot, holdSnapshot, useSnapshot } from '../transaction/snapshot.ts';
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
  notePrepared(gid, xid) {
    insertRow(pending, formRow(pending.layout, [preparedToken(gid, xid), 0, '']));
  },
});

const PREPARED = /^prepared (\d+) ([^]*)$/;
const preparedToken = (gid: string, xid: number): string => `prepared ${xid} ${gid}`;

interface HiddenRow { rowId: RowId; version: number; values: Datum[] }

function rowsOf(relation: Relation): HiddenRow[] {
  const rows: HiddenRow[] = [];
  const scan = beginScan(relation);
  while (scan.next()) {
    for (let slot = 0; slot < scan.slotCount; slot++) {
      const start = scan.wide ? scan.view.getUint32(8 + 4 * slot, true) : scan.view.getUint16(8 + 2 * slot, true);
      if (start !== 0) rows.push({ rowId: scan.rowId(slot), version: scan.view.getUint32(start, true), values: readRow(scan.bytes, scan.view, start, relation.layout) });
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
  const list = rowsOf(pending).filter((r) => known.has(r.values[0]!) || PREPARED.test(r.values[0] as string) || !isAlive(r.values[1] as number));
  commitTransactionCommand();
  if (list.length === 0) return;
  for (const { values } of list) {
    if (known.has(values[0]!)) continue;
    const prepared = PREPARED.exec(values[0] as string);
    if (prepared !== null) {
      sharedClient.finishPrepared(prepared[2]!, Number(prepared[1]), true);
      continue;
    }
    const answer = sharedClient.commit(fromText(values[2] as string));
    if (answer.kind !== 'committed') log('WARNING', `the shared part of a commit that was cut off could not be applied (${answer.kind})`);
  }
  const tokens = new Set(list.map((r) => r.values[0]));
  // As long as a request is there, so is the word that it was applied: else it would be again.
  if (forget(pending, tokens)) forget(applied, tokens);
}

/** Whether a prepared transaction of this database is committed here, and the half in global/ perhaps not yet. */
export function isPreparedCommitPending({ gid, xid }: PreparedXact): boolean {
  const saved = holdSnapshot();
  try {
    advanceSnapshot(false);
    return rowsOf(pending).some(({ values }) => values[0] === preparedToken(gid, xid));
  } finally {
    useSnapshot(saved);
    dropSnapshot(saved);
  }
}

/** Both halves are committed: the row goes. Somebody else may do so just now, and whoever comes next would; the running transaction has
 * neither changes nor locks. */
export function forgetPreparedCommit({ gid, xid }: PreparedXact): void {
  renewSnapshot();
  const changed = rowsOf(pending).filter(({ values }) => values[0] === preparedToken(gid, xid)).map(({ rowId, version }) => ({ row: rowId, version, bytes: null }));
  if (changed.length === 0) return;
  try {
    client.commit({
      kind: 'commit', snapshotSeq: 0, xid: 0, catalogChanged: false, relations: [{ filenode: PENDING_FILENODE, catalog: false, inserted: [], changed }],
      indexes: [], droppedFilenodes: [], asserted: [], readSet: [], notifications: [], optimistic: false,
    });
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
  }
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
