// Applies commits to the store: many requests in one storage transaction with one flush (group commit).
//
// A request is validated completely before anything of it is applied, against what the requests before it in the same
// batch have left; so one that fails leaves nothing behind. Should the storage transaction itself fail (a full disk),
// nothing of the batch has happened, and its requests are tried one by one, so that only those fail that must.
//
// Row ids are never used again: dead slots stay dead, the last block of a table stays even when it is empty, because
// its number says where to go on.
import { assert, internalError, PgError } from '../../common/errors.ts';
import type { ConditionName } from '../../common/sqlstate.ts';
import { BLOCK_TARGET_BYTES, HEAP_ORDER_BLOCKS, PROVISIONAL_BLOCK, type RowId } from '../access/row.ts';
import { META, META_FILENODE, type Batch, type WritableStore } from '../storage/store.ts';
import { BlockImage, checkBlock, liveRowsInBlock, stampVersions, versionInBlock } from './block_image.ts';
import { ChangeCursor, type CommitView, type RelationView } from './commit_codec.ts';
import { IndexWriter } from './index_writer.ts';
import type { CommitAnswer, CommitToken } from './messages.ts';
import { readPreparedCommit, readPreparedStates, removePrepared, writePrepared, type PreparedState } from './prepared.ts';
import { readSequenceRow, writeSequenceRow, SEQUENCE_ROW_BYTES, type LiveSequence } from './sequences.ts';

/** Provisional blocks at least this full are taken over whole. */
const ADOPT_BYTES = BLOCK_TARGET_BYTES * 3 / 4;
/** Blocks held in memory while a batch is applied. */
const MAX_IMAGES = 2048;
const MAX_SPARE_IMAGES = 64;
/** Entries removed in the commit itself when tables go, with each batch of commits after it, and in each step when there are
 * none: who comes then waits for a step and its flush. */
const DROP_AT_ONCE = 1024, DROP_BESIDE = 256, DROP_STEP = 2048;
/** ... and no longer than so: a page that is not in memory must be read to be freed. Of each table that goes a few entries at once,
 * which are all that most have. */
const DROP_MS = 2, DROP_PIECE = 32;
/** Blocks of a table: no block has this number. */
const NO_BLOCK = -1;
/** Notes of earlier incarnations of the manager are kept for so many of them. */
const KEPT_INCARNATIONS = 64;

/** Sessions whose last commit is remembered. */
const MAX_RECENT = 8192;

const BATCH_NOTE = 'last-batch.', DROP_NOTE = 'dropped.';
const TOKEN_BYTES = 22;

export interface AppliedCommit { token: CommitToken; xid: number; commitSeq: number }
export interface FailedAnswer { kind: 'failed'; condition: ConditionName; message: string }
export type Outcome = CommitAnswer | FailedAnswer;

export interface BatchCommit {
  readonly view: CommitView;
  readonly xid: number;
  /** Of a transaction that is to be prepared, or whose prepared half ends: what is kept of it. */
  readonly prepared: PreparedState | null;
}

/** One batch: commits in order, and numbers and sequences to be made durable along with them. */
export interface BatchWork {
  readonly commits: readonly BatchCommit[];
  readonly sequences: readonly { readonly filenode: number; readonly state: LiveSequence }[];
  /** What META says afterwards: all xids and oids handed out so far are below. */
  readonly nextXid: number;
  readonly nextOid: number;
  /** Numbers alone must be written, too. */
  readonly mustWrite: boolean;
}
export interface BatchResult {
  readonly outcomes: readonly Outcome[];
  /** Why sequences and numbers could not be written. */
  readonly failure: FailedAnswer | null;
  /** META says nextXid and nextOid of the work: not so after a failure, or when there was nothing else to write. */
  readonly numbersWritten: boolean;
}

class RelationState {
  /** The highest block number; NO_BLOCK: none yet; undefined: not looked up. */
  tail: number | undefined = undefined;
  /** The tail block may hold no row, and goes away once there is a later one. */
  tailMayBeDead = true;
  /** commitSeq of the last commit that changed it. */
  changedSeq: number;
  readonly images = new Map<number, BlockImage>();
  constructor(changedSeq: number) {
    this.changedSeq = changedSeq;
  }
}

export class Applier {
  readonly store: WritableStore;
  commitSeq: number;
  catalogVersion: number;
  /** commitSeq of the last commit that changed a catalog. */
  catalogChangedSeq: number;
  /** Which run of the manager this is, counted among those that applied anything. */
  readonly incarnation: number;
  /** Commits applied whose answers may not have left the process yet: told to a successor with every batch. */
  undelivered: AppliedCommit[] = [];
  /** By session, its last commit applied by us. */
  private readonly recent = new Map<number, AppliedCommit>();
  private readonly startSeq: number;
  private readonly relations = new Map<number, RelationState>();
  private readonly pendingDrops = new Set<number>();
  /** By incarnation, what those before left. */
  private readonly earlier = new Map<number, AppliedCommit[]>();
  private batch!: Batch;
  private imageCount = 0;
  private readonly spareImages: BlockImage[] = [];
  private appliedNow: AppliedCommit[] = [];
  /** Where new rows of this batch went: their index entries say so in the request itself, and must not when it is tried again. */
  private placedNow: { view: CommitView; places: Map<number, Places> }[] = [];
  private droppedNow: number[] = [];
  private removableEntries = 0;
  private removeUntilMs = 0;
  private inside = false;
  private noted = false;
  private readonly changes = new ChangeCursor();
  private readonly indexWriter = new IndexWriter();
  private readonly blockKey = Buffer.alloc(8);
  private readonly number8 = Buffer.alloc(8);

  constructor(store: WritableStore) {
    this.store = store;
    store.renew();
    this.commitSeq = this.startSeq = this.catalogChangedSeq = store.meta(META.commitSeq);
    this.catalogVersion = store.meta(META.catalogVersion);
    let last = 0;
    this.eachNote(BATCH_NOTE, (suffix, value) => {
      const incarnation = Number(suffix);
      last = Math.max(last, incarnation);
      this.earlier.set(incarnation, decodeApplied(value));
    });
    this.incarnation = last + 1;
    this.eachNote(DROP_NOTE, (suffix) => this.pendingDrops.add(Number(suffix)));
    store.release();
  }

  private eachNote(prefix: string, visit: (suffix: string, value: Buffer) => void): void {
    const cursor = this.store.range(metaKey(prefix), metaKey(`${prefix}\xff`));
    while (cursor.next()) {
      visit(cursor.key.latin1Slice(4 + prefix.length, cursor.keyLength), cursor.value.subarray(0, cursor.valueLength));
    }
    cursor.close();
  }

  /** commitSeq of the newest commit that changed this table (or, as far as we know, may have). */
  changedSeq(filenode: number): number {
    return this.relations.get(filenode)?.changedSeq ?? this.startSeq;
  }

  /** What became of a commit sent to an earlier incarnation (or this one) whose answer was lost. Certain: a manager
   * applies a batch only after all answers of the one before have left, or notes them along. */
  outcome(incarnation: number, token: CommitToken): AppliedCommit | undefined {
    if (incarnation === this.incarnation) {
      const last = this.recent.get(token.session);
      return last?.token.number === token.number ? last : undefined;
    }
    return this.earlier.get(incarnation)?.find((one) => one.token.session === token.session && one.token.number === token.number);
  }

  /** The stored row of a sequence; undefined: there is no such sequence. */
  readSequence(filenode: number): LiveSequence | undefined {
    const { store, blockKey } = this;
    store.renew();
    blockKey.writeUInt32BE(filenode, 0);
    blockKey.writeUInt32BE(0, 4);
    const bytes = store.get(blockKey, 8);
    const image = bytes === undefined ? undefined : this.takeImage(bytes, store.lastLength);
    store.release();
    if (image === undefined) return undefined;
    const start = image.start(0);
    const state = start === 0 || start + SEQUENCE_ROW_BYTES > image.length ? undefined : readSequenceRow(image.bytes, start);
    this.giveImage(image);
    return state;
  }

  /** Applies a batch; returns after the flush. Throws when it cannot be known whether the batch became durable: the
   * process must end then, and its successor look. */
  apply(work: BatchWork): BatchResult {
    const outcomes: Outcome[] = [];
    try {
      return { outcomes, failure: null, numbersWritten: this.attempt(work, outcomes) };
    } catch (error) {
      const failure = this.undo(error);
      if (work.commits.length === 0) return { outcomes: [], failure, numbersWritten: false };
      if (work.commits.length === 1 && work.sequences.length === 0 && !work.mustWrite) return { outcomes: [failure], failure, numbersWritten: false };
    }
    // One by one: first the numbers, then every commit for itself.
    const rest = this.apply({ ...work, commits: [] });
    const single = work.commits.map((commit) =>
      this.apply({ ...work, commits: [commit], sequences: [], mustWrite: false }).outcomes[0]!);
    return { outcomes: single, failure: rest.failure, numbersWritten: rest.numbersWritten };
  }

  private attempt(work: BatchWork, outcomes: Outcome[]): boolean {
    const { commitSeq, catalogVersion, catalogChangedSeq } = this;
    this.appliedNow = [];
    this.placedNow = [];
    this.droppedNow = [];
    const idle = work.sequences.length === 0 && !work.mustWrite && work.commits.every(({ view }) => isEmpty(view) && view.asserted.length === 0);
    if (idle) {
      for (const { view, xid } of work.commits) {
        outcomes.push(this.checkReadSet(view) ?? { kind: 'committed', xid, commitSeq: this.commitSeq });
      }
      return false;
    }
    let numbersWritten = false, gone: number[] = [];
    try {
      this.store.write((batch) => {
        this.batch = batch;
        this.inside = true;
        this.mayRemove(DROP_AT_ONCE);
        for (const commit of work.commits) outcomes.push(this.applyOne(commit));
        for (const { filenode, state } of work.sequences) this.writeSequence(filenode, state);
        this.writeBack();
        // Commits that only look (rows locked by an autocommit SELECT) need no flush: an unchanged store has none.
        if (this.commitSeq !== commitSeq || work.mustWrite) {
          numbersWritten = true;
          this.writeNumber(META.nextXid, work.nextXid);
          this.writeNumber(META.nextOid, work.nextOid);
        }
        if (this.commitSeq !== commitSeq) this.writeNumber(META.commitSeq, this.commitSeq);
        if (this.catalogVersion !== catalogVersion) this.writeNumber(META.catalogVersion, this.catalogVersion);
        if (this.appliedNow.length > 0) {
          this.writeNote();
          this.mayRemove(DROP_BESIDE);
          gone = this.removeDropped();
        }
        this.inside = false;
      });
    } catch (error) {
      this.commitSeq = commitSeq;
      this.catalogVersion = catalogVersion;
      this.catalogChangedSeq = catalogChangedSeq;
      throw error;
    }
    this.noted ||= this.appliedNow.length > 0;
    this.undelivered = this.undelivered.concat(this.appliedNow);
    for (const applied of this.appliedNow) {
      this.recent.delete(applied.token.session);
      this.recent.set(applied.token.session, applied);
    }
    for (const session of this.recent.keys()) {
      if (this.recent.size <= MAX_RECENT) break;
      this.recent.delete(session);
    }
    for (const filenode of gone) this.pendingDrops.delete(filenode);
    for (const filenode of this.droppedNow) this.pendingDrops.add(filenode);
    return numbersWritten;
  }

  /** After a failed batch: nothing of it is there, forget what we thought we knew. */
  private undo(error: unknown): FailedAnswer {
    const certain = this.inside || (error instanceof PgError && error.condition === 'disk_full');
    this.inside = false;
    if (!certain) throw error;
    this.dropImages();
    for (const { view, places } of this.placedNow) {
      for (const index of view.indexes) this.indexWriter.takeBack(view.bytes, index, provisionalOf(places.get(index.relation) ?? NO_PLACES));
    }
    for (const relation of this.relations.values()) {
      relation.tail = undefined;
      relation.tailMayBeDead = true;
      relation.changedSeq = Math.min(relation.changedSeq, this.commitSeq);
    }
    if (error instanceof PgError) return { kind: 'failed', condition: error.condition, message: error.message };
    return { kind: 'failed', condition: 'internal_error', message: error instanceof Error ? error.message : String(error) };
  }

  /** Those that wait for their second phase. */
  preparedStates(): PreparedState[] {
    return readPreparedStates(this.store);
  }

  private applyOne({ view, xid, prepared }: BatchCommit): Outcome {
    let refusal: Outcome | null;
    try {
      if (view.finish !== null) return this.finishPrepared(view, view.finish.commit, prepared!);
      refusal = this.validate(view);
    } catch (error) {
      // A request that is not well formed harms only itself: nothing of it has been applied yet.
      if (!(error instanceof PgError) || error.condition !== 'internal_error') throw error;
      refusal = { kind: 'failed', condition: error.condition, message: error.message };
    }
    if (refusal !== null) return refusal;
    if (isEmpty(view)) return { kind: 'committed', xid, commitSeq: this.commitSeq };
    const commitSeq = ++this.commitSeq;
    if (view.prepare !== null) writePrepared(this.batch, prepared!, view);
    else this.applyChanges(view, xid, commitSeq);
    this.appliedNow.push({ token: view.token, xid, commitSeq });
    return { kind: 'committed', xid, commitSeq };
  }

  /** The second phase. What the first one has looked at is still so: its locks see to it, and `meetsPrepared` (state_machine.ts). */
  private finishPrepared({ token }: CommitView, commit: boolean, { id }: PreparedState): Outcome {
    const view = commit ? readPreparedCommit(this.batch, id) : null;
    const refusal = view === null ? null : this.validate(view, true);
    if (refusal !== null) throw internalError(`a prepared transaction cannot be committed: ${refusal.kind}`);
    const commitSeq = ++this.commitSeq;
    removePrepared(this.batch, id);
    if (view !== null) this.applyChanges(view, id, commitSeq);
    this.appliedNow.push({ token, xid: id, commitSeq });
    return { kind: 'committed', xid: id, commitSeq };
  }

  private applyChanges(view: CommitView, xid: number, commitSeq: number): void {
    const places = new Map<number, Places>();
    let catalog = view.catalogChanged;
    for (const relation of view.relations) {
      catalog ||= relation.catalog;
      const ofRelation: Places = new Map();
      places.set(relation.filenode, ofRelation);
      this.applyRelation(view.bytes, relation, xid % 2 ** 32, ofRelation, commitSeq);
    }
    if (view.indexes.length > 0) this.placedNow.push({ view, places });
    for (const index of view.indexes) {
      const ofRelation = places.get(index.relation) ?? NO_PLACES;
      this.indexWriter.apply(this.batch, view.bytes, index, (row) => resolve(row, ofRelation));
    }
    for (const filenode of view.dropped) this.dropRelation(filenode);
    if (catalog) {
      this.catalogVersion++;
      this.catalogChangedSeq = commitSeq;
    }
  }

  // Validation: looks, and changes nothing.

  /** `again`: of a prepared transaction, which has been through it. */
  private validate(view: CommitView, again = false): Outcome | null {
    if (view.optimistic && this.catalogChangedSeq > view.snapshotSeq) return { kind: 'changed', relation: 0, row: 0 };
    const { changes } = this;
    for (const relation of view.relations) {
      const seen = new Set<number>();
      for (const { block, at, length } of relation.inserted) {
        if (seen.has(block)) throw internalError('a provisional block number was used twice');
        seen.add(block);
        checkBlock(view.bytes.subarray(at, at + length));
      }
      changes.reset(view.bytes, relation.changed);
      let stored: Buffer | undefined;
      while (changes.next()) {
        // Rows to be deleted need only be looked at.
        if (changes.startsGroup) stored = changes.isDeletion ? this.unchangedBlock(relation.filenode, changes.block) : undefined;
        const version = stored === undefined
          ? this.image(relation.filenode, changes.block)?.version(changes.slot) : versionInBlock(stored, changes.slot);
        if (version !== changes.version) {
          return { kind: 'changed', relation: relation.filenode, row: changes.row };
        }
      }
    }
    for (const { relation, row, version } of view.asserted) {
      if (this.rowVersion(relation, row) !== version) return { kind: 'changed', relation, row };
    }
    const conflict = again ? null : this.checkReadSet(view);
    if (conflict !== null) return conflict;
    for (const index of view.indexes) {
      const duplicate = this.indexWriter.check(this.batch, view.bytes, index);
      if (duplicate !== null) return { kind: 'duplicate', index: index.filenode, key: duplicate };
    }
    return null;
  }

  private checkReadSet(view: CommitView): Outcome | null {
    for (const filenode of view.readSet) {
      if (this.changedSeq(filenode) > view.snapshotSeq) {
        return view.optimistic ? { kind: 'changed', relation: filenode, row: 0 } : { kind: 'serialization', relation: filenode };
      }
    }
    return null;
  }

  private rowVersion(filenode: number, row: RowId): number {
    const image = this.image(filenode, Math.floor(row / 65536));
    return image === undefined ? -1 : image.version(row % 65536);
  }

  private lastKey(filenode: number): Buffer | undefined {
    return this.batch.last(spaceStart(filenode), spaceStart(filenode + 1));
  }

  // Application.

  private applyRelation(bytes: Buffer, relation: RelationView, version: number, places: Places, commitSeq: number): void {
    const { filenode } = relation, { changes } = this;
    const state = this.relation(filenode);
    state.changedSeq = commitSeq;
    changes.reset(bytes, relation.changed);
    while (changes.next()) {
      const { block, slot } = changes;
      if (changes.startsGroup && changes.isDeletion && this.removeBlock(filenode, state, block, changes.groupSize)) {
        changes.skipDeletions();
        continue;
      }
      const image = this.image(filenode, block);
      assert(image !== undefined && image.start(slot) !== 0, 'a validated row is there');
      if (changes.at >= 0) {
        const row = bytes.subarray(changes.at, changes.at + changes.length);
        if (block < HEAP_ORDER_BLOCKS) image.replaceLast(slot, row, version);
        else image.replace(slot, row, version);
      } else {
        image.remove(slot);
        if (block === state.tail) state.tailMayBeDead = true;
      }
    }
    for (const { block, at, length } of relation.inserted) {
      places.set(block, this.place(filenode, state, bytes.subarray(at, at + length), version));
    }
  }

  /** A block as the store has it, when this batch has not touched it. Good until the next look into the store. */
  private unchangedBlock(filenode: number, block: number): Buffer | undefined {
    return this.relation(filenode).images.has(block) ? undefined : this.batch.get(this.keyOfBlock(filenode, block), 8);
  }

  /** Removes a block whose live rows, so many, are all deleted; false: there are others, or it must stay. */
  private removeBlock(filenode: number, state: RelationState, block: number, rows: number): boolean {
    if (block === this.tailOf(filenode, state)) return false;
    const stored = this.unchangedBlock(filenode, block);
    if (stored === undefined || liveRowsInBlock(stored) !== rows) return false;
    this.batch.remove(this.keyOfBlock(filenode, block));
    return true;
  }

  /** Gives the rows of a provisional block their place. */
  private place(filenode: number, state: RelationState, bytes: Buffer, version: number): BlockPlace {
    if (bytes.length >= ADOPT_BYTES) {
      stampVersions(bytes, version);
      const block = this.nextBlock(filenode, state);
      this.batch.put(this.keyOfBlock(filenode, block), bytes);
      return { block, rows: null };
    }
    const source = this.takeImage(bytes, bytes.length);
    const rows = new Float64Array(source.slots).fill(-1);
    // Row ids go up as the provisional ones do: index entries rely on it.
    for (let slot = 0; slot < source.slots; slot++) {
      const start = source.start(slot);
      if (start === 0) continue;
      const row = source.bytes.subarray(start, source.end(start));
      const tail = this.tailFor(filenode, state, row.length);
      rows[slot] = state.tail! * 65536 + tail.append(row, version);
    }
    this.moveUpdated(filenode, source, rows, version);
    this.giveImage(source);
    return { block: 0, rows };
  }

  /** Rows that were updated after they were inserted stand behind the others. */
  private moveUpdated(filenode: number, source: BlockImage, rows: Float64Array, version: number): void {
    const order = source.inOrder();
    const first = order.findIndex((slot, i) => i + 1 < order.length && order[i + 1]! < slot);
    if (first < 0) return;
    for (const slot of order.subarray(first)) {
      const start = source.start(slot), block = Math.floor(rows[slot]! / 65536);
      if (block < HEAP_ORDER_BLOCKS) this.image(filenode, block)!.replaceLast(rows[slot]! % 65536, source.bytes.subarray(start, source.end(start)), version);
    }
  }

  /** The block that takes a row of this length: the last one, or a new one. */
  private tailFor(filenode: number, state: RelationState, length: number): BlockImage {
    const tail = this.tailOf(filenode, state);
    if (tail !== NO_BLOCK) {
      const image = this.image(filenode, tail);
      if (image !== undefined && image.length + length + 4 <= BLOCK_TARGET_BYTES) return image;
    }
    const block = this.nextBlock(filenode, state);
    const image = this.spareImages.pop() ?? new BlockImage();
    image.reset();
    image.dirty = true;
    this.keepImage(state, block, image);
    return image;
  }

  private tailOf(filenode: number, state: RelationState): number {
    if (state.tail === undefined) {
      // Blocks of this very batch may not have been written yet.
      this.writeBack();
      const key = this.lastKey(filenode);
      state.tail = key === undefined ? NO_BLOCK : key.readUInt32BE(4);
      state.tailMayBeDead = true;
    }
    return state.tail;
  }

  /** The number of a new block. The last one so far may go now if no row is left in it. */
  private nextBlock(filenode: number, state: RelationState): number {
    const tail = this.tailOf(filenode, state);
    if (tail !== NO_BLOCK && state.tailMayBeDead) {
      const image = this.image(filenode, tail);
      if (image !== undefined && image.liveRows() === 0) image.dirty = true; // writeBack sees that it is empty
    }
    if (tail + 1 >= PROVISIONAL_BLOCK) throw new PgError('program_limit_exceeded', 'a table has no block number left');
    state.tail = tail + 1;
    state.tailMayBeDead = false;
    return state.tail;
  }

  private dropRelation(filenode: number): void {
    assert(filenode !== META_FILENODE, 'the meta entries are no relation');
    this.writeBack();
    this.relations.delete(filenode);
    if (this.removePiece(filenode) || this.removeAll(filenode)) return;
    this.batch.put(metaKey(DROP_NOTE + filenode), this.number8);
    this.droppedNow.push(filenode);
  }

  /** How much is removed from now on at most. */
  private mayRemove(entries: number): void {
    this.removableEntries = entries;
    this.removeUntilMs = performance.now() + DROP_MS;
  }

  /** Removes a filenode's entries as long as it may; true when none is left. */
  private removeAll(filenode: number): boolean {
    while (this.removableEntries > 0 && performance.now() < this.removeUntilMs) if (this.removePiece(filenode)) return true;
    return false;
  }

  private removePiece(filenode: number): boolean {
    const count = this.batch.removeRange(spaceStart(filenode), spaceStart(filenode + 1), DROP_PIECE);
    this.removableEntries -= Math.max(count, 1);
    return count < DROP_PIECE;
  }

  /** Removes entries of what was dropped before; what is through with it. */
  private removeDropped(): number[] {
    const done: number[] = [];
    for (const filenode of this.pendingDrops) {
      if (!this.removeAll(filenode)) break;
      this.batch.remove(metaKey(DROP_NOTE + filenode));
      done.push(filenode);
    }
    return done;
  }

  /** Whether tables that were dropped still have content: call `maintain` when there is time. */
  get hasMaintenance(): boolean {
    return this.pendingDrops.size > 0 || (this.noted && this.earlier.size > KEPT_INCARNATIONS);
  }

  /** One step of removing what was dropped. */
  maintain(): void {
    let done: number[] = [];
    const stale = [...this.earlier.keys()].sort((a, b) => a - b).slice(0, Math.max(0, this.earlier.size - KEPT_INCARNATIONS));
    this.store.write((batch) => {
      this.batch = batch;
      this.mayRemove(DROP_STEP);
      done = this.removeDropped();
      for (const incarnation of stale) batch.remove(metaKey(BATCH_NOTE + incarnation));
    });
    for (const filenode of done) this.pendingDrops.delete(filenode);
    for (const incarnation of stale) this.earlier.delete(incarnation);
  }

  private writeSequence(filenode: number, state: LiveSequence): void {
    const image = this.image(filenode, 0);
    const start = image?.start(0) ?? 0;
    if (image === undefined || start === 0 || start + SEQUENCE_ROW_BYTES > image.length) return; // dropped meanwhile
    writeSequenceRow(image.bytes, start, state);
    image.dirty = true;
  }

  private writeNumber(name: string, value: number): void {
    this.number8.writeUInt32LE(value % 2 ** 32, 0);
    this.number8.writeUInt32LE(Math.floor(value / 2 ** 32), 4);
    this.batch.put(metaKey(name), this.number8);
  }

  private writeNote(): void {
    const applied = this.undelivered.concat(this.appliedNow);
    const value = Buffer.allocUnsafe(applied.length * TOKEN_BYTES);
    let at = 0;
    for (const { token, xid, commitSeq } of applied) {
      at = value.writeUIntLE(token.session, at, 6);
      at = value.writeUInt32LE(token.number, at);
      at = value.writeUIntLE(xid, at, 6);
      at = value.writeUIntLE(commitSeq, at, 6);
    }
    this.batch.put(metaKey(BATCH_NOTE + this.incarnation), value);
  }

  // Blocks in memory, for the time of a batch.

  private relation(filenode: number): RelationState {
    let state = this.relations.get(filenode);
    if (state === undefined) this.relations.set(filenode, state = new RelationState(this.startSeq));
    return state;
  }

  private keyOfBlock(filenode: number, block: number): Buffer {
    this.blockKey.writeUInt32BE(filenode, 0);
    this.blockKey.writeUInt32BE(block, 4);
    return this.blockKey;
  }

  /** The block, to look at or to change. Valid until the next call: when there are too many, they are written. */
  private image(filenode: number, block: number): BlockImage | undefined {
    const state = this.relation(filenode);
    let image = state.images.get(block);
    if (image !== undefined) return image;
    const bytes = this.batch.get(this.keyOfBlock(filenode, block), 8);
    if (bytes === undefined) return undefined;
    image = this.takeImage(bytes, this.batch.lastLength);
    this.keepImage(state, block, image);
    return image;
  }

  private keepImage(state: RelationState, block: number, image: BlockImage): void {
    if (this.imageCount >= MAX_IMAGES) this.writeBack();
    state.images.set(block, image);
    this.imageCount++;
  }

  private takeImage(bytes: Uint8Array, length: number): BlockImage {
    const image = this.spareImages.pop() ?? new BlockImage();
    image.load(bytes, length);
    return image;
  }

  private giveImage(image: BlockImage): void {
    if (this.spareImages.length < MAX_SPARE_IMAGES && image.bytes.length <= 1 << 16) this.spareImages.push(image);
  }

  /** Puts changed blocks into the storage transaction and forgets all. */
  private writeBack(): void {
    if (this.imageCount === 0) return;
    for (const [filenode, state] of this.relations) {
      if (state.images.size === 0) continue;
      for (const [block, image] of state.images) {
        if (image.dirty) {
          const key = this.keyOfBlock(filenode, block);
          if (block !== this.tailOfWritten(filenode, state) && image.liveRows() === 0) this.batch.remove(key);
          else this.batch.put(key, image.bytes.subarray(0, image.length));
        }
        this.giveImage(image);
      }
      state.images.clear();
    }
    this.imageCount = 0;
  }

  /** The tail's number while blocks are written back: looked up without writing back again. */
  private tailOfWritten(filenode: number, state: RelationState): number {
    if (state.tail === undefined) {
      const key = this.lastKey(filenode);
      state.tail = key === undefined ? NO_BLOCK : key.readUInt32BE(4);
    }
    return state.tail;
  }

  private dropImages(): void {
    for (const state of this.relations.values()) state.images.clear();
    this.imageCount = 0;
  }
}

/** Where a provisional block went: a whole block, or its rows one by one (-1: dead slot). */
interface BlockPlace { readonly block: number; readonly rows: Float64Array | null }
/** By provisional block number. */
type Places = Map<number, BlockPlace>;
const NO_PLACES: Places = new Map();

/** The real row id; -1: a row that is no more. */
function resolve(row: RowId, places: Places): RowId {
  const block = Math.floor(row / 65536);
  if (block < PROVISIONAL_BLOCK) return row;
  const place = places.get(block);
  if (place === undefined) return -1;
  const slot = row % 65536;
  return place.rows === null ? place.block * 65536 + slot : place.rows[slot] ?? -1;
}

/** The way back: the provisional row id of a row that was given a place. */
function provisionalOf(places: Places): (row: RowId) => RowId {
  const blocks = new Map<number, number>(), rows = new Map<RowId, RowId>();
  for (const [block, place] of places) {
    if (place.rows === null) blocks.set(place.block, block);
    else place.rows.forEach((row, slot) => row >= 0 && rows.set(row, block * 65536 + slot));
  }
  return (row) => {
    // Rows of another block may have been packed behind those of one that was taken over whole.
    const block = blocks.get(Math.floor(row / 65536));
    return rows.get(row) ?? (block === undefined ? row : block * 65536 + row % 65536);
  };
}

function isEmpty(view: CommitView): boolean {
  return view.relations.length === 0 && view.indexes.length === 0 && view.dropped.length === 0
    && view.notifications.length === 0 && !view.catalogChanged && view.prepare === null && view.finish === null;
}

function spaceStart(filenode: number): Buffer {
  const key = Buffer.allocUnsafe(4);
  key.writeUInt32BE(filenode, 0);
  return key;
}

const metaKeys = new Map<string, Buffer>();
function metaKey(name: string): Buffer {
  let key = metaKeys.get(name);
  if (key === undefined) {
    key = Buffer.alloc(4 + name.length);
    key.latin1Write(name, 4);
    if (metaKeys.size < 64) metaKeys.set(name, key);
  }
  return key;
}

function decodeApplied(value: Buffer): AppliedCommit[] {
  const applied: AppliedCommit[] = [];
  for (let at = 0; at + TOKEN_BYTES <= value.length; at += TOKEN_BYTES) {
    applied.push({
      token: { session: value.readUIntLE(at, 6), number: value.readUInt32LE(at + 6) },
      xid: value.readUIntLE(at + 10, 6), commitSeq: value.readUIntLE(at + 16, 6),
    });
  }
  return applied;
}
