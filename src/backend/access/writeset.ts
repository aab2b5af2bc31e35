// The write set: what the transaction has changed and nobody else can see yet, laid over the snapshot. One for the
// database and one for global/. table_changes.ts and index_changes.ts hold the changes; here are their directory, the
// savepoints and the request that commits it all.
import type { ChangeSource, ChangedRow, CommitRequest, RowLockMode } from '../transaction/messages.ts';
import { PgError } from '../../common/errors.ts';
import { setTransactionResource, type TransactionResource } from '../transaction/resource.ts';
import { Arena } from './arena.ts';
import { IndexLog } from './index_changes.ts';
import { rowIdOf, type RowId } from './row.ts';
import { TableChanges, slotsInOrderOfChange, type UndoEntry, type Version } from './table_changes.ts';
import { PROVISIONAL_BLOCK } from './row.ts';
import { RunStore } from './run_store.ts';
import { countTransaction, counting, type Counts } from '../utils/pgstat.ts';
import { session } from '../utils/session.ts';

class WriteSet {
  readonly tables = new Map<number, TableChanges>();
  readonly indexes = new Map<number, IndexLog>();
  /** The table (by oid) that rows were inserted into last has this filenode: see IndexLog.relation. */
  readonly filenodes = new Map<number, number>();
  private insertedInto: TableChanges | null = null;
  private readonly dropped: number[] = [];
  private readonly asserted: CommitRequest['asserted'] = [];
  /** Tables that were emptied: where they had their rows, where they have them now, and in how many savepoints. */
  private readonly truncated: { from: number; to: number; depth: number }[] = [];
  private readonly moved: NonNullable<CommitRequest['moved']> = [];
  private catalogTouched = false;
  private readonly undo: UndoEntry[] = [];
  /** The beginnings of the open savepoints in `undo`. */
  private readonly savepoints: number[] = [];
  /** A number for the present stretch between savepoint commands: what grows notes its length once in each. */
  level = 0;
  readonly arena = new Arena();
  readonly runs = new RunStore();

  get isEmpty(): boolean {
    if (this.dropped.length > 0 || this.asserted.length > 0) return false;
    for (const table of this.tables.values()) if (!table.isEmpty) return false;
    for (const index of this.indexes.values()) if (index.length > 0) return false;
    return true;
  }

  /** The changes of a table; made when there are none. */
  table(filenode: number, catalog: boolean): TableChanges {
    let changes = this.tables.get(filenode);
    if (changes === undefined) this.tables.set(filenode, (changes = new TableChanges(filenode, catalog, this.arena)));
    if (catalog) this.catalogTouched = true;
    return changes;
  }

  index(filenode: number, unique: boolean): IndexLog {
    let log = this.indexes.get(filenode);
    if (log === undefined) this.indexes.set(filenode, (log = new IndexLog(filenode, unique, this.runs)));
    return log;
  }

  /** To be called before rows are inserted into a table: a savepoint may have to take them back. */
  noteInsert(table: TableChanges, oid: number): void {
    if (this.insertedInto !== table) {
      this.insertedInto = table;
      this.filenodes.set(oid, table.filenode);
    }
    if (table.insertLevel === this.level) return;
    table.insertLevel = this.level;
    if (this.savepoints.length === 0) return;
    const mark = table.insertMark();
    this.undo.push({ undo: () => table.truncateInserts(mark) });
  }

  noteIndex(log: IndexLog): void {
    if (log.level === this.level) return;
    log.level = this.level;
    if (this.savepoints.length === 0) return;
    const { length } = log;
    this.undo.push({ undo: () => log.truncate(length) });
  }

  change(table: TableChanges, rowId: RowId, row: Uint8Array | null, cid: number, readVersion: number): void {
    table.change(rowId, row, cid, readVersion);
    if (this.savepoints.length > 0) this.undo.push({ undo: () => table.unchange(rowId) });
  }

  /** The whole content of a table or index goes at commit (DROP, TRUNCATE, rewrite). */
  dropFilenode(filenode: number): void {
    this.dropped.push(filenode);
    if (this.savepoints.length > 0) this.undo.push({ undo: () => { this.dropped.pop(); } });
  }

  /** TRUNCATE: for the statistics. */
  noteTruncated(from: number, to: number): void {
    this.truncated.push({ from, to, depth: this.savepoints.length });
  }

  /** Truncations within as many savepoints, or more, are taken back. */
  private untruncate(depth: number): void {
    for (let last = this.truncated.at(-1); last !== undefined && last.depth >= depth; last = this.truncated.at(-1)) {
      this.tables.get(last.to)?.forgetStanding();
      this.truncated.pop();
    }
  }

  /** Optimistic commit: this row must still be as it was read. */
  assertRow(relation: number, row: RowId, version: number, mode: RowLockMode): void {
    this.asserted.push({ relation, row, version, mode });
    if (this.savepoints.length > 0) this.undo.push({ undo: () => { this.asserted.pop(); } });
  }

  /** This row is deleted because another partition has it now: who waits for it is told so. */
  noteMoved(relation: number, row: RowId): void {
    if (row >= PROVISIONAL_BLOCK * 65536) return;
    this.moved.push({ relation, row });
    if (this.savepoints.length > 0) this.undo.push({ undo: () => { this.moved.pop(); } });
  }

  get hasSavepoints(): boolean { return this.savepoints.length > 0; }

  // --- Savepoints ------------------------------------------------------------------------------------------------

  define(): void {
    this.savepoints.push(this.undo.length);
    this.level++;
  }

  /** Back to the innermost savepoint, which is gone then. */
  rollback(): void {
    this.untruncate(this.savepoints.length);
    const mark = this.savepoints.pop()!;
    while (this.undo.length > mark) this.undo.pop()!.undo();
    this.level++;
  }

  /** Keeps what was done since the innermost savepoint. */
  release(): void {
    this.savepoints.pop();
    for (const truncated of this.truncated) truncated.depth = Math.min(truncated.depth, this.savepoints.length);
    if (this.savepoints.length === 0) this.undo.length = 0;
    this.level++;
  }

  // --- Commit ----------------------------------------------------------------------------------------------------

  /** Everything in it, for the transaction manager; the rest of the request is the caller's. */
  fill(request: CommitRequest): void {
    const gone = new Set(this.dropped);
    request.catalogChanged = this.catalogTouched;
    request.droppedFilenodes = this.dropped.slice();
    request.asserted = this.asserted;
    if (this.moved.length > 0) request.moved = this.moved;
    for (const table of this.tables.values()) {
      if (gone.has(table.filenode) || table.isEmpty) continue;
      const relation = { filenode: table.filenode, catalog: table.catalog, inserted: [] as InsertedBlock[], changed: new ChangedRows(table) };
      for (let i = 0; i < table.insertedBlocks; i++) relation.inserted.push(new InsertedBlock(table, i));
      relation.inserted = relation.inserted.filter((b) => !b.isEmpty);
      if (relation.inserted.length > 0 || relation.changed.length > 0) request.relations.push(relation);
    }
    for (const log of this.indexes.values()) {
      if (gone.has(log.filenode) || log.length === 0) continue;
      const { removed, added } = log.net();
      if (removed.length > 0 || added.length > 0) request.indexes.push({ filenode: log.filenode, relation: log.relation, unique: log.unique, removed, added });
    }
  }

  /** For the statistics: what has been done to tables. */
  count(committed: boolean): void {
    if (!committed) this.untruncate(0);
    for (const changes of this.tables.values()) changes.count(committed, this.truncated.some(({ from }) => from === changes.filenode));
  }

  close(): void {
    for (const changes of this.tables.values()) changes.close();
    this.arena.close();
    this.runs.close();
  }
}

/** The changed rows of a table. */
class ChangedRows implements ChangeSource {
  readonly length: number;
  private readonly table: TableChanges;
  constructor(table: TableChanges) {
    this.table = table;
    let length = 0;
    for (const [block, slots] of table.changed) {
      if (block < PROVISIONAL_BLOCK) for (let slot = 0; slot < slots.length; slot++) if (slots[slot] !== undefined) length++;
    }
    this.length = length;
  }
  write(out: Parameters<ChangeSource['write']>[0]): void {
    const { table } = this;
    for (const [block, slots] of table.changed) {
      if (block >= PROVISIONAL_BLOCK) continue;
      const all = onlyChange(slots);
      if (all !== null && all.deleted) {
        for (let slot = 0; slot < slots.length; slot++) if (slots[slot] !== undefined) out.deleted(block, slot, all.readVersion);
        continue;
      }
      for (const slot of slotsInOrderOfChange(slots, Infinity)) {
        const version = slots[slot]!;
        if (version.deleted) out.deleted(block, slot, version.readVersion);
        else out.changed(block, slot, version.readVersion, table.versionRow(version).bytes, version.offset, version.offset + version.length);
      }
    }
  }
  toList(): ChangedRow[] {
    const list: ChangedRow[] = [];
    this.write({
      deleted: (block, slot, version) => { list.push({ row: rowIdOf(block, slot), version, bytes: null }); },
      changed: (block, slot, version, bytes, start, end) => { list.push({ row: rowIdOf(block, slot), version, bytes: bytes.slice(start, end) }); },
    });
    return list;
  }
}

/** The version that all changed rows of a block share: they were deleted together. */
function onlyChange(slots: readonly (Version | undefined)[]): Version | null {
  let only: Version | null = null;
  for (let slot = 0; slot < slots.length; slot++) {
    const version = slots[slot];
    if (version === undefined || version === only) continue;
    if (only !== null) return null;
    only = version;
  }
  return only;
}

/** A block of inserted rows in a commit request. Its bytes may have been spilled: they are read when they are asked for. */
class InsertedBlock {
  readonly block: number;
  private readonly table: TableChanges;
  private readonly index: number;
  constructor(table: TableChanges, index: number) {
    this.table = table;
    this.index = index;
    this.block = PROVISIONAL_BLOCK + index;
  }
  get isEmpty(): boolean {
    return this.table.changed.has(this.block) && this.table.finalBlock(this.index) === undefined;
  }
  get bytes(): Uint8Array {
    return this.table.finalBlock(this.index)!;
  }
}

/** What the transaction has done so far to the table with these counts (pg_stat_xact_*). */
export function countedSoFar(counts: Counts): { inserted: number; updated: number; deleted: number } {
  const sum = { inserted: 0, updated: 0, deleted: 0 };
  for (const changes of database?.tables.values() ?? []) {
    if (changes.counts !== counts) continue;
    sum.inserted += changes.inserted;
    sum.updated += changes.updated;
    sum.deleted += changes.rowsDeleted;
  }
  return sum;
}

// --- The write sets of the transaction ------------------------------------------------------------------------------

let database: WriteSet | null = null;
let global: WriteSet | null = null;
let depth = 0;

/** The write set of an environment as far as there is one. */
export function existingWriteSet(shared: boolean): WriteSet | null {
  return shared ? global : database;
}

/** The write set of an environment, for writing. */
export function writeSet(shared: boolean): WriteSet {
  if (session.parallelLeader !== 0) throw new PgError('invalid_transaction_state', 'cannot assign transaction IDs during a parallel operation');
  const existing = shared ? global : database;
  if (existing !== null) return existing;
  const made = new WriteSet();
  // Savepoints made before the first change have nothing to take back, but they are there.
  for (let i = 0; i < depth; i++) made.define();
  if (shared) global = made; else database = made;
  return made;
}

const resource: TransactionResource = {
  hasChanges: (shared) => !((shared ? global : database)?.isEmpty ?? true),
  fillCommit: (shared, request) => (shared ? global : database)!.fill(request),
  defineSavepoint() { depth++; database?.define(); global?.define(); },
  rollbackSavepoint() { depth--; database?.rollback(); global?.rollback(); },
  releaseSavepoint() { depth--; database?.release(); global?.release(); },
  reset(committed) {
    depth = 0;
    if (!counting.retry) database?.count(committed);
    countTransaction(committed);
    database?.close();
    global?.close();
    database = global = null;
  },
};
setTransactionResource(resource);
