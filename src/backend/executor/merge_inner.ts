// The inner side of a merge join while the outer side runs: rows of one key in a list, and how far the rest is read.
import type { Datum } from '../types/datum.ts';
import type { RowReader } from './tuplesort.ts';

const NONE: Datum[][] = [];

export class MergeInner {
  /** Rows of one key, and whether each has found a partner. */
  private group: Datum[][] = NONE;
  private found: boolean[] = [];
  private key: Datum[] | null = null;
  private next: Datum[] | undefined;
  private nextKey: Datum[] | null;
  /** Rows left behind without a partner. */
  private readonly lonely: Datum[][] = [];
  private at = 0;
  /** The key of the outer row. */
  private outer: Datum[] | null = null;
  private readonly reader: RowReader;
  private readonly keysOf: (row: Datum[]) => Datum[];
  private readonly compare: (inner: Datum[], outer: Datum[]) => number;
  private readonly keepsUnmatched: boolean;

  constructor(reader: RowReader, keysOf: (row: Datum[]) => Datum[], compare: (inner: Datum[], outer: Datum[]) => number, keepsUnmatched: boolean) {
    this.reader = reader;
    this.keysOf = keysOf;
    this.compare = compare;
    this.keepsUnmatched = keepsUnmatched;
    this.next = reader.next();
    this.nextKey = this.next === undefined ? null : keysOf(this.next);
  }

  /** An outer row comes, whose key is not smaller than the one before. */
  begin(outer: Datum[]): void {
    this.outer = outer;
    if (this.key !== null && this.compare(this.key, outer) < 0) this.leave();
  }

  /** The next row that stays without a partner. */
  unmatched(): Datum[] | undefined {
    const { lonely, outer } = this;
    if (this.at < lonely.length) return lonely[this.at++];
    lonely.length = this.at = 0;
    const row = this.next;
    if (row === undefined || (outer !== null && (this.key !== null || this.compare(this.nextKey!, outer) >= 0))) return undefined;
    this.advance();
    return row;
  }

  /** The rows of the outer row's key. */
  rows(): Datum[][] {
    const outer = this.outer!;
    if (this.key !== null) return this.compare(this.key, outer) === 0 ? this.group : NONE;
    let order = -1;
    while (this.next !== undefined && (order = this.compare(this.nextKey!, outer)) < 0) this.advance();
    if (this.next === undefined || order !== 0 || outer.includes(null)) return NONE;
    this.key = this.nextKey;
    this.group = [];
    do {
      this.group.push(this.next!);
      if (this.keepsUnmatched) this.found.push(false);
      this.advance();
    } while (this.next !== undefined && this.compare(this.nextKey!, outer) === 0);
    return this.group;
  }

  private advance(): void {
    this.next = this.reader.next();
    this.nextKey = this.next === undefined ? null : this.keysOf(this.next);
  }

  private leave(): void {
    if (this.keepsUnmatched) {
      for (let i = 0; i < this.group.length; i++) if (!this.found[i]) this.lonely.push(this.group[i]!);
      this.found = [];
    }
    this.group = NONE;
    this.key = null;
  }

  matched(i: number): void {
    this.found[i] = true;
  }

  /** The outer side is through: all others have no partner. */
  end(): void {
    this.leave();
    this.outer = null;
  }
}
