// The building of a whole index, and the removal of many of its entries: keys are written as bytes, one behind the other,
// sorted in large pieces, and become sorted runs of the index's log. Nobody looks for a key meanwhile.
import type { IndexInfo } from '../catalog/relation.ts';
import { useCommandId } from '../transaction/xact.ts';
import type { Datum } from '../types/datum.ts';
import { isInverted } from './gin.ts';
import { EntryList, ROW_ID_BYTES } from './index_leaf.ts';
import { ADDED, WITH_ROW, sortList, type SortedRun } from './index_run.ts';
import { encodeKey, keyHasNull, keyWriter, MAX_INDEX_KEY_BYTES } from './key.ts';
import { PROVISIONAL_BLOCK, type RowId } from './row.ts';
import { writeSet } from './writeset.ts';

/** So many bytes of keys are sorted at a time. */
const PIECE_BYTES = 16 << 20;

export class IndexBuilder {
  private readonly info: IndexInfo;
  private readonly list = new EntryList();
  private readonly runs: SortedRun[] = [];
  private readonly write: ReturnType<typeof keyWriter>;
  private kinds = new Uint8Array(4096);
  private done = 0;
  private provisional = false;
  private readonly kind: number;

  /** `kind`: whether entries come or go. */
  constructor(info: IndexInfo, kind: 'additions' | 'removals' = 'additions') {
    this.info = info;
    this.kind = kind === 'additions' ? ADDED : 0;
    this.write = isInverted(info) ? null : keyWriter(info.columns);
    this.list.clear();
  }

  /** Values of the key columns, and the row that has them. How long the key is that is stored. */
  add(values: readonly Datum[], row: RowId): number {
    const { info, list } = this;
    if (list.used > PIECE_BYTES) this.sort();
    this.noteKind(!info.unique || !info.immediate || (keyHasNull(info.columns, values) && !info.nullsNotDistinct), row);
    // Long keys, and those of rarer types, are made as strings.
    const { used } = list;
    if (this.write === null || !list.addWritten(this.write, values, MAX_INDEX_KEY_BYTES, row)) list.addKey(encodeKey(info.columns, values), row);
    return list.used - used - ROW_ID_BYTES;
  }

  /** A key that is made already, of an inverted index. */
  addKey(key: string, row: RowId): void {
    const { list } = this;
    if (list.used > PIECE_BYTES) this.sort();
    this.noteKind(true, row);
    list.addKey(key, row);
  }

  private noteKind(withRow: boolean, row: RowId): void {
    const { list } = this;
    if (list.count >= this.kinds.length) {
      const larger = new Uint8Array(2 * this.kinds.length);
      larger.set(this.kinds);
      this.kinds = larger;
    }
    this.kinds[list.count] = withRow ? this.kind | WITH_ROW : this.kind;
    if (row >= PROVISIONAL_BLOCK * 65536) this.provisional = true;
  }

  private sort(): void {
    if (this.list.count === 0) return;
    this.runs.push(writeSet(this.info.index.shared).runs.keep(sortList(this.list, this.kinds, this.done)));
    this.done += this.list.count;
    this.list.clear();
  }

  /** Hands all to the write set. */
  finish(): void {
    this.sort();
    const { info } = this, { filenode, shared } = info.index;
    const set = writeSet(shared), log = set.index(filenode, info.unique && info.immediate);
    set.noteIndex(log);
    if (this.provisional) log.setRelation(set.filenodes.get(info.indrelid)!);
    const cid = useCommandId();
    log.logRuns(this.runs, this.done, this.kind === ADDED ? 0 : this.done, cid);
  }
}
