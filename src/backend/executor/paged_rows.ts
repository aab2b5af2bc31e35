// Rows by their number: what a cursor has run, the rows of a window's partition. Beyond work_mem they go to a temporary
// file, in pages of some rows; those pages looked at last are in memory.
import type { Datum, Oid } from '../types/datum.ts';
import { workMemBytes } from './memory.ts';
import { RunFile } from './run_file.ts';
import { rowBytes } from './tuplesort.ts';

const PAGE_BITS = 6;
const PAGE_ROWS = 1 << PAGE_BITS;
/** Readers move along at several places at once: the row, both ends of its frame, rows before and after it. */
const MAX_PAGES = 16;

export class PagedRows implements Iterable<Datum[]> {
  length = 0;
  /** The rows of pages that are not in the file: all of them, or those of the last one. */
  private rows: Datum[][] = [];
  private firstInMemory = 0;
  private bytes = 0;
  private limit = workMemBytes();
  private file: RunFile | null = null;
  /** Where each page starts in the file, and where the last one ends. */
  private readonly starts: number[] = [0];
  private readonly pages = new Map<number, Datum[][]>();
  private lastPage = -1;
  private lastRows: Datum[][] = [];
  private readonly types: () => readonly Oid[];
  private readonly lasting: boolean;

  /** `lasting`: until it is closed, not to the end of the plan that runs. */
  constructor(types: () => readonly Oid[], lasting: boolean) {
    this.types = types;
    this.lasting = lasting;
  }

  push(row: Datum[]): void {
    this.rows.push(row);
    this.length++;
    if (this.file !== null) {
      if (this.rows.length === PAGE_ROWS) this.writePages();
      return;
    }
    this.bytes += rowBytes(row);
    if (this.bytes > this.limit && this.rows.length > PAGE_ROWS) this.writePages();
  }

  private writePages(): void {
    const file = this.file ??= new RunFile(this.types(), this.lasting);
    const full = this.rows.length & ~(PAGE_ROWS - 1);
    for (let i = 0; i < full; i++) {
      file.write(this.rows[i]!);
      if ((i & (PAGE_ROWS - 1)) === PAGE_ROWS - 1) this.starts.push(file.bytes);
    }
    this.rows = this.rows.slice(full);
    this.firstInMemory += full;
  }

  at(i: number): Datum[] | undefined {
    if (i >= this.firstInMemory) return this.rows[i - this.firstInMemory];
    if (i < 0) return undefined;
    const page = i >> PAGE_BITS;
    if (page !== this.lastPage) {
      this.lastRows = this.load(page);
      this.lastPage = page;
    }
    return this.lastRows[i & (PAGE_ROWS - 1)];
  }

  private load(page: number): Datum[][] {
    const { pages } = this;
    let rows = pages.get(page);
    if (rows !== undefined) pages.delete(page);
    else {
      rows = this.file!.readRows(this.starts[page]!, this.starts[page + 1]!);
      if (pages.size >= MAX_PAGES) pages.delete(pages.keys().next().value!);
    }
    pages.set(page, rows);
    return rows;
  }

  * [Symbol.iterator](): Iterator<Datum[]> {
    for (let i = 0; i < this.length; i++) yield this.at(i)!;
  }

  clear(): void {
    this.close();
    this.length = this.firstInMemory = this.bytes = 0;
    this.rows = [];
    this.starts.length = 1;
  }

  close(): void {
    this.file?.close();
    this.file = null;
    this.pages.clear();
    this.lastPage = -1;
  }
}
