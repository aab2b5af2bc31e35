// An index's part of the write set: a log of entries added and removed, each with its command. An entry (key, row) is
// there for a command when the last thing logged about it by an older command added it; when nothing is logged, when
// the store has it. Rolling back to a savepoint cuts the log.
//
// Lookups by key go through a hash table, ranges through an order, both made when first needed. A log of keys in ascending
// order (a load into an empty table) needs no table: a search by halves does.
//
// When the log has grown long, it goes into packed, sorted runs (index_run.ts); the lists here are what came after them.
// `base` entries are in runs.
import { checkForInterrupts } from '../utils/interrupts.ts';
import { ADDED, PackedEntries, RunList, WITH_ROW, eachEqualKey, netOf, packRun, runSettings, type SortedRun } from './index_run.ts';
import type { RowId } from './row.ts';
import { RunStore } from './run_store.ts';

export interface IndexEntry { key: string; row: RowId; withRow: boolean }
interface Ordered { key: string; row: RowId }

export class IndexLog {
  readonly filenode: number;
  readonly unique: boolean;
  /** Filenode of the table whose rows lose their unique keys, or whose provisional row ids stand in it; 0: there are none of either. */
  relation = 0;
  private hasProvisional = false;
  private readonly keys: string[] = [];
  private readonly rows: RowId[] = [];
  private readonly cids: number[] = [];
  private readonly kinds: number[] = [];
  /** Entries of the log that are in runs, and with them, from which place on which command wrote them. */
  private base = 0;
  private readonly packed: RunList;
  private readonly store: RunStore;
  private readonly cidMarks: { from: number; cid: number }[] = [];
  private readonly byKey = new PlacesOfKeys();
  /** The keys of the lists are in ascending order. */
  private ascending = true;
  removals = 0;
  /** Distinct (key, row) of additions in order, the few latest apart: who adds and looks by turns would merge all of them each
   * time. How much of the log is in the two. */
  private order: Ordered[] = [];
  private recent: Ordered[] = [];
  private ordered = 0;
  /** See WriteSet.level. */
  level = -1;

  constructor(filenode: number, unique: boolean, store = new RunStore()) {
    this.filenode = filenode;
    this.unique = unique;
    this.store = store;
    this.packed = new RunList(unique, store);
  }

  get length(): number { return this.base + this.keys.length; }

  /** The first provisional row id comes: they are those of this table. */
  setRelation(filenode: number): void {
    if (this.hasProvisional) return;
    this.hasProvisional = true;
    this.relation = filenode;
  }

  log(key: string, row: RowId, added: boolean, withRow: boolean, cid: number): void {
    const position = this.keys.length;
    if (!added) this.removals++;
    if (this.ascending && position > 0 && key < this.keys[position - 1]!) this.ascending = false;
    this.keys.push(key);
    this.rows.push(row);
    this.cids.push(cid);
    this.kinds.push((added ? ADDED : 0) | (withRow ? WITH_ROW : 0));
    if (position >= runSettings.entries) this.pack();
  }

  private pack(): void {
    const { keys, rows, cids, kinds, base } = this;
    for (let i = 0; i < cids.length; i++) {
      if (this.cidMarks.length === 0 || this.cidMarks[this.cidMarks.length - 1]!.cid !== cids[i]) this.cidMarks.push({ from: base + i, cid: cids[i]! });
    }
    this.packed.add(this.store.keep(packRun(keys, rows, kinds, base)));
    this.base += keys.length;
    keys.length = rows.length = cids.length = kinds.length = 0;
    this.byKey.clear();
    this.ascending = true;
  }

  /** What one command has done that is in runs already, at places 0 and on; the write set's store has them. */
  logRuns(runs: readonly SortedRun[], entries: number, removals: number, cid: number): void {
    if (entries === 0) return;
    if (this.keys.length > 0) this.pack();
    this.removals += removals;
    const { base } = this;
    this.cidMarks.push({ from: base, cid });
    for (const run of runs) {
      run.base = base;
      this.packed.add(run);
    }
    this.base += entries;
  }

  /** The command that wrote an entry of a run. */
  private cidOf(run: SortedRun, i: number): number {
    const { cidMarks } = this;
    const position = run.position(i);
    let mark = cidMarks.length - 1;
    while (cidMarks[mark]!.from > position) mark--;
    return cidMarks[mark]!.cid;
  }

  truncate(length: number): void {
    if (length < this.base) {
      this.packed.truncate(length);
      this.removals = this.packed.runs.reduce((n, run) => n + run.removals, 0);
      this.base = length;
      while (this.cidMarks.length > 0 && this.cidMarks[this.cidMarks.length - 1]!.from >= length) this.cidMarks.pop();
      length = 0;
    } else {
      length -= this.base;
      for (let i = length; i < this.keys.length; i++) if ((this.kinds[i]! & ADDED) === 0) this.removals--;
    }
    this.keys.length = this.rows.length = this.cids.length = this.kinds.length = length;
    this.byKey.clear();
    this.order = this.recent = [];
    this.ordered = 0;
    if (length === 0) this.ascending = true;
  }

  /** The newest place in the lists that is about this key, and the one before a place; -1: none. */
  private newest(key: string): number {
    const { keys } = this;
    if (!this.ascending) return this.byKey.first(keys, key);
    let low = 0, high = keys.length;
    if (high === 0 || key > keys[high - 1]!) return -1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (keys[middle]! <= key) low = middle + 1; else high = middle;
    }
    return low > 0 && keys[low - 1] === key ? low - 1 : -1;
  }
  private older(key: string, position: number): number {
    const { keys } = this;
    if (!this.ascending) return this.byKey.following(keys, key, position);
    return position > 0 && keys[position - 1] === key ? position - 1 : -1;
  }

  /** What a command finds logged about an entry: true added, false removed, undefined nothing. */
  state(key: string, row: RowId, cid: number): boolean | undefined {
    for (let p = this.newest(key); p >= 0; p = this.older(key, p)) {
      if (this.rows[p] === row && this.cids[p]! < cid) return (this.kinds[p]! & ADDED) !== 0;
    }
    if (this.base === 0) return undefined;
    let last = -1, added = false;
    this.packed.find(key, (run, i) => {
      if (run.position(i) > last && run.row(i) === row && this.cidOf(run, i) < cid) {
        last = run.position(i);
        added = run.isAddition(i);
      }
      return undefined;
    });
    return last < 0 ? undefined : added;
  }

  /** The row that has this key for a command, as far as the log knows. */
  addedRow(key: string, cid: number): RowId | undefined {
    for (let p = this.newest(key); p >= 0; p = this.older(key, p)) {
      if ((this.kinds[p]! & ADDED) !== 0 && this.cids[p]! < cid && this.state(key, this.rows[p]!, cid) === true) return this.rows[p];
    }
    if (this.base === 0) return undefined;
    return this.packed.find(key, (run, i) => (run.isAddition(i) && this.cidOf(run, i) < cid && this.state(key, run.row(i), cid) === true ? run.row(i) : undefined));
  }

  /** Some additions with from <= key < to, the first ones or (`reverse`) the last ones, in that order; with `after`, those that come
   * after it. At most `limit` of each run and list; `more`: there are others behind them. */
  additions(from: string, to: string | null, reverse: boolean, after: Ordered | null, limit: number): { entries: Ordered[]; more: boolean } {
    this.bringInOrder();
    const order = reverse ? compareReverse : compare;
    let found: Ordered[] = [], sources = 0;
    /** Behind this one some source has others that were left out. */
    let bound: Ordered | undefined;
    const add = (some: Ordered[], all: boolean): void => {
      const last = some[some.length - 1];
      if (last === undefined) return;
      sources++;
      found = found.length === 0 ? some : found.concat(some);
      if (!all && (bound === undefined || order(last, bound) < 0)) bound = last;
    };
    for (const list of [this.order, this.recent]) {
      if (list.length === 0) continue;
      const start = after === null || reverse ? lowerBound(list, from) : placeOf(list, after.key, after.row + 1);
      const end = after === null || !reverse ? (to === null ? list.length : lowerBound(list, to)) : placeOf(list, after.key, after.row);
      add(reverse ? list.slice(Math.max(start, end - limit), end).reverse() : list.slice(start, Math.min(end, start + limit)), end - start <= limit);
    }
    for (const run of this.packed.runs) {
      if (run.lastKey < from || (to !== null && run.firstKey >= to)) continue;
      const start = after === null || reverse ? run.lowerBound(from) : run.placeOf(after.key, after.row + 1);
      const end = after === null || !reverse ? (to === null ? run.count : run.lowerBound(to)) : run.placeOf(after.key, after.row);
      const some: Ordered[] = [];
      let left = end - start;
      for (let i = reverse ? end - 1 : start; left > 0 && some.length < limit; left--, i += reverse ? -1 : 1) {
        if (run.isAddition(i)) some.push({ key: run.key(i), row: run.row(i) });
      }
      add(some, left === 0);
    }
    if (sources > 1) found.sort(order);
    let n = 0;
    for (const entry of found) {
      if (bound !== undefined && order(entry, bound) > 0) break;
      if (n === 0 || order(found[n - 1]!, entry) !== 0) found[n++] = entry;
    }
    found.length = n;
    return { entries: found, more: bound !== undefined };
  }

  /** Of the lists only: the runs are in order. */
  private bringInOrder(): void {
    const { length } = this;
    if (this.ordered === length) return;
    if (this.ordered < this.base) {
      this.order = this.recent = [];
      this.ordered = this.base;
    }
    const fresh: Ordered[] = [];
    let sorted = true;
    let last: Ordered | undefined;
    for (let i = this.ordered - this.base; i < this.keys.length; i++) {
      if ((this.kinds[i]! & ADDED) === 0) continue;
      const entry = { key: this.keys[i]!, row: this.rows[i]! };
      if (last !== undefined && compare(last, entry) > 0) sorted = false;
      fresh.push(entry);
      last = entry;
    }
    this.ordered = length;
    if (fresh.length === 0) return;
    if (!sorted) fresh.sort(compare);
    this.recent = merge(this.recent, fresh);
    if (this.recent.length ** 2 < this.order.length) return;
    this.order = merge(this.order, this.recent);
    this.recent = [];
  }

  /** What the commit has to do, in key order: the difference between the log's beginning and its end. */
  net(): { removed: IndexEntry[] | PackedEntries; added: IndexEntry[] | PackedEntries } {
    const { keys, rows, kinds } = this;
    if (this.length === 1 && this.base === 0) {
      const entry = { key: keys[0]!, row: rows[0]!, withRow: (kinds[0]! & WITH_ROW) !== 0 };
      return this.removals === 1 ? { removed: [entry], added: [] } : { removed: [], added: [entry] };
    }
    if (this.keys.length > 0) this.pack();
    const { removed, added } = netOf(this.packed.merged(), this.store);
    return { removed: new PackedEntries(removed), added: new PackedEntries(added) };
  }

  /** When there are only additions: those with the key of the one before, and whether one of the two has its row in its name. What the
   * building of an index checks. */
  eachDuplicate(visit: (row: RowId, withRow: boolean) => void): void {
    const { added } = this.net();
    if (added instanceof PackedEntries) eachEqualKey(added.runs, (run, i, before, j) => visit(run.row(i), run.withRow(i) || before.withRow(j)));
  }
}

/** The places of a list by key: a table of the newest place for each hash, and for each place an older one. It is made, and
 * brought up to date, when it is asked. */
class PlacesOfKeys {
  private heads = new Int32Array(0);
  private next = new Int32Array(0);
  private entered = 0;

  clear(): void {
    if (this.entered > 0) this.heads.fill(-1);
    this.entered = 0;
  }

  first(keys: readonly string[], key: string): number {
    if (keys.length === 0) return -1;
    if (this.entered < keys.length) this.enter(keys);
    return this.match(keys, key, this.heads[hash(key) & (this.heads.length - 1)]!);
  }
  following(keys: readonly string[], key: string, place: number): number {
    return this.match(keys, key, this.next[place]!);
  }
  private match(keys: readonly string[], key: string, place: number): number {
    while (place >= 0 && keys[place] !== key) place = this.next[place]!;
    return place;
  }

  private enter(keys: readonly string[]): void {
    if (keys.length > this.heads.length) {
      const size = 2 ** (Math.ceil(Math.log2(keys.length)) + 1);
      this.heads = new Int32Array(size).fill(-1);
      this.next = new Int32Array(size);
      this.entered = 0;
    }
    const { heads, next } = this, mask = heads.length - 1;
    for (let i = this.entered; i < keys.length; i++) {
      const at = hash(keys[i]!) & mask;
      next[i] = heads[at]!;
      heads[at] = i;
    }
    this.entered = keys.length;
  }
}

function hash(key: string): number {
  let h = 0;
  for (let i = 0; i < key.length; i++) h = Math.imul(h, 31) + key.charCodeAt(i) | 0;
  return Math.imul(h ^ (h >>> 15), 0x2c1b3c6d) >>> 8;
}

function compare(a: { key: string; row: RowId }, b: { key: string; row: RowId }): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : a.row - b.row;
}

function lowerBound(order: readonly { key: string }[], key: string): number {
  let low = 0, high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (order[middle]!.key < key) low = middle + 1; else high = middle;
  }
  return low;
}

/** The first entry that is not less than this key with this row. */
function placeOf(order: readonly Ordered[], key: string, row: RowId): number {
  let low = lowerBound(order, key), high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (order[middle]!.key === key && order[middle]!.row < row) low = middle + 1; else high = middle;
  }
  return low;
}

const compareReverse = (a: Ordered, b: Ordered): number => compare(b, a);

const MOST_ENTRIES = 4096;

/** The additions of a range one after the other. The log may change meanwhile: what it has then is looked up by key, a few entries at a
 * time, and whether an entry counts is `state`'s to say. */
export class AdditionCursor {
  /** The one it stands at. */
  entry: Ordered | undefined;
  private readonly log: IndexLog;
  private readonly from: string;
  private readonly to: string | null;
  private readonly reverse: boolean;
  private entries: Ordered[] = [];
  private more = false;
  private at = -1;
  private limit = runSettings.rangeEntries;

  constructor(log: IndexLog, from: string, to: string | null, reverse: boolean) {
    this.log = log;
    this.from = from;
    this.to = to;
    this.reverse = reverse;
    this.fill(null);
  }

  advance(): void {
    if (++this.at < this.entries.length) this.entry = this.entries[this.at];
    else if (!this.more) this.entry = undefined;
    else {
      this.limit = Math.min(this.limit * 4, MOST_ENTRIES);
      this.fill(this.entry!);
    }
  }

  private fill(after: Ordered | null): void {
    checkForInterrupts();
    const { entries, more } = this.log.additions(this.from, this.to, this.reverse, after, this.limit);
    this.entries = entries;
    this.more = more;
    this.at = 0;
    this.entry = this.entries[0];
  }
}

function merge(a: readonly Ordered[], b: readonly Ordered[]): Ordered[] {
  if (a.length === 0) return distinct(b);
  const out: Ordered[] = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    out.push(j >= b.length || (i < a.length && compare(a[i]!, b[j]!) <= 0) ? a[i++]! : b[j++]!);
  }
  return distinct(out);
}

function distinct(list: readonly Ordered[]): Ordered[] {
  let same = false;
  for (let i = 1; i < list.length && !same; i++) same = compare(list[i - 1]!, list[i]!) === 0;
  return same ? list.filter((e, i) => i === 0 || compare(list[i - 1]!, e) !== 0) : [...list];
}
