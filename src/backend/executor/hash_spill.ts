// Hash tables that outgrow their memory (memory.ts). Rows are dealt out to temporary files by the hash of their key, and
// one file after the other is worked on as if it were all there is. A file that is still too large is dealt out again,
// by further bits of the hash. Where nearly all rows stay together, as those of one very frequent key do, dealing does
// not help: such a file is taken as it is.
import { checkForInterrupts } from '../utils/interrupts.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { hashPrimitive } from './group_table.ts';
import { hashMemBytes } from './memory.ts';
import { RunFile } from './run_file.ts';
import type { RowReader } from './tuplesort.ts';

const BITS = 4;
const FILES = 1 << BITS;
const MAX_LEVEL = 32 / BITS - 1;

/** Another hash than those inside the tables: rows of one file must not fall together there. */
export function spillHash(...keys: Datum[]): number {
  let h = 0x3c6ef372;
  for (const key of keys) {
    h = Math.imul(h ^ hashPrimitive(key), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
  }
  return h;
}

/** The last column of every row is its hash. */
const withHash = (types: readonly Oid[]): Oid[] => [...types, 23];

/** Rows dealt out once. */
class Deal {
  readonly files: (RunFile | null)[] = new Array<RunFile | null>(FILES).fill(null);
  rows = 0;
  private readonly types: readonly Oid[];
  private readonly shift: number;

  constructor(types: readonly Oid[], level: number) {
    this.types = types;
    this.shift = level * BITS;
  }

  add(row: readonly Datum[]): void {
    if ((++this.rows & 255) === 0) checkForInterrupts();
    const n = ((row[row.length - 1] as number) >>> this.shift) & (FILES - 1);
    (this.files[n] ??= new RunFile(this.types)).write(row);
  }

  addAll(from: RunFile | null): this {
    const reader = from?.reader();
    for (let row; (row = reader?.next()) !== undefined;) this.add(row);
    return this;
  }

  finish(): this {
    for (const file of this.files) file?.finish();
    return this;
  }

  close(): void {
    for (const file of this.files) file?.close();
  }
}

const NO_ROWS: RowReader = { next: () => undefined };
const readerOf = (file: RunFile | null): RowReader => file?.reader() ?? NO_ROWS;

/** What a batch takes in a hash table: `rowBytes` for each row, and what is in the file for its larger values. */
const tooLarge = (file: RunFile | null, rowBytes: number, limit: number): boolean => file !== null && file.rows * rowBytes + file.bytes > limit;

export interface JoinSpillSpec {
  readonly inner: readonly Oid[];
  readonly outer: readonly Oid[];
  /** What a row takes in the table, but for strings and objects. */
  readonly rowBytes: number;
  /** Whether rows without a partner are wanted. */
  readonly keepsInner: boolean;
  readonly keepsOuter: boolean;
}

interface Batch { inner: RunFile | null; outer: RunFile | null; level: number; kept: boolean; whole: boolean }

/** The files of a hash join. While the table is in memory only `maxRows` and `bytes` are used. */
export class JoinSpill {
  on = false;
  /** The table takes no more rows than this. */
  maxRows: number;
  /** Bytes of strings and objects in the table. */
  bytes = 0;
  readonly limit = hashMemBytes();
  /** For EXPLAIN ANALYZE. */
  batches = 1;
  spaceBytes = 0;
  rows = 0;
  private readonly spec: JoinSpillSpec;
  private readonly innerTypes: Oid[];
  private readonly outerTypes: Oid[];
  private inner: Deal | null = null;
  private outer: Deal | null = null;
  private todo: Batch[] = [];
  private current: Batch | null = null;

  constructor(spec: JoinSpillSpec) {
    this.spec = spec;
    this.innerTypes = withHash(spec.inner);
    this.outerTypes = withHash(spec.outer);
    this.maxRows = Math.max(64, Math.floor(this.limit / spec.rowBytes));
  }

  /** For EXPLAIN ANALYZE: this many rows are in the table. */
  tableIs(rows: number): void {
    this.rows = Math.max(this.rows, rows);
    this.spaceBytes = Math.max(this.spaceBytes, rows * this.spec.rowBytes + this.bytes);
  }

  /** Larger values count as well: from now on there is no room. */
  full(): void {
    this.maxRows = 0;
  }

  /** The rows of the table come next, then all others. */
  start(): void {
    this.on = true;
    this.maxRows = 0;
    this.inner = new Deal(this.innerTypes, 0);
  }

  addInner(row: Datum[], hash: number): void {
    row.push(hash);
    this.inner!.add(row);
  }

  addOuter(row: Datum[], hash: number): void {
    row.push(hash);
    this.outer!.add(row);
  }

  /** The outer side begins, perhaps not for the first time. */
  startOuter(): void {
    if (!this.on) return;
    this.abandon();
    this.inner!.finish();
    this.outer = new Deal(this.outerTypes, 0);
  }

  finishOuter(): void {
    const outer = this.outer!.finish();
    this.todo = this.inner!.files.map((inner, i) => ({ inner, outer: outer.files[i]!, level: 1, kept: true, whole: false }));
    this.batches = this.todo.length;
  }

  /** Goes on to the next batch in which there is something to do. */
  nextBatch(): boolean {
    this.endBatch();
    for (let batch; (batch = this.todo.shift()) !== undefined;) {
      const { inner, outer, level } = batch;
      const idle = inner === null && !this.spec.keepsOuter || outer === null && !this.spec.keepsInner;
      if (!idle && !batch.whole && level <= MAX_LEVEL && tooLarge(inner, this.spec.rowBytes, this.limit)) {
        this.divide(batch);
        continue;
      }
      this.current = batch;
      if (idle) {
        this.endBatch();
        continue;
      }
      this.bytes = inner?.bytes ?? 0;
      this.tableIs(inner?.rows ?? 0);
      return true;
    }
    return false;
  }

  private divide(batch: Batch): void {
    const inner = new Deal(this.innerTypes, batch.level).addAll(batch.inner).finish();
    const outer = new Deal(this.outerTypes, batch.level).addAll(batch.outer).finish();
    this.todo.unshift(...inner.files.map((file, i) => ({
      inner: file, outer: outer.files[i]!, level: batch.level + 1, kept: false, whole: file !== null && file.rows > 0.9 * batch.inner!.rows,
    })));
    this.batches += FILES - 1;
    this.current = batch;
    this.endBatch();
  }

  /** Inner rows dealt out first stay: the join may be entered again. */
  private endBatch(): void {
    const { current } = this;
    if (current === null) return;
    if (!current.kept) current.inner?.close();
    current.outer?.close();
    this.current = null;
  }

  private abandon(): void {
    this.endBatch();
    for (const { inner, outer, kept } of this.todo) {
      if (!kept) inner?.close();
      outer?.close();
    }
    this.todo = [];
    this.outer?.close();
  }

  innerRows(): RowReader {
    return readerOf(this.current!.inner);
  }

  outerRows(): RowReader {
    return readerOf(this.current!.outer);
  }

  /** Another inner side takes its place. */
  close(): void {
    this.abandon();
    this.inner?.close();
  }
}

/** The files of grouping by a hash table: the rows of groups that found no room. */
export class GroupSpill {
  /** Bytes of strings and objects in the table. */
  bytes = 0;
  readonly limit = hashMemBytes();
  /** The table takes no more groups than this. */
  readonly maxGroups: number;
  /** For EXPLAIN ANALYZE. */
  batches = 1;
  spaceBytes = 0;
  diskBytes = 0;
  private readonly types: Oid[];
  private readonly groupBytes: number;
  private level = 0;
  private deal: Deal | null = null;
  private todo: { file: RunFile; level: number }[] = [];
  private current: RunFile | null = null;

  /** `groupBytes`: what a group takes, but for strings and objects. */
  constructor(types: readonly Oid[], groupBytes: number) {
    this.types = withHash(types);
    this.groupBytes = groupBytes;
    this.maxGroups = Math.max(64, Math.floor(this.limit / groupBytes));
  }

  add(row: Datum[], hash: number): void {
    row.push(hash);
    (this.deal ??= new Deal(this.types, Math.min(this.level, MAX_LEVEL))).add(row);
  }

  /** For EXPLAIN ANALYZE: this many groups are in the table. */
  tableIs(groups: number): void {
    this.spaceBytes = Math.max(this.spaceBytes, groups * this.groupBytes + this.bytes);
  }

  /** The groups of the table are through; whether there are rows for another table. */
  next(): boolean {
    this.current?.close();
    this.current = null;
    if (this.deal !== null) {
      for (const file of this.deal.finish().files) {
        if (file === null) continue;
        this.todo.push({ file, level: this.level + 1 });
        this.diskBytes += file.bytes;
        this.batches++;
      }
      this.deal = null;
    }
    const batch = this.todo.pop();
    if (batch === undefined) return false;
    this.current = batch.file;
    this.level = batch.level;
    this.bytes = 0;
    return true;
  }

  rows(): RowReader {
    return readerOf(this.current);
  }
}
