// The write set against a plain model: random changes, savepoints and reads at every command id, then the commit, and
// the same again on what it has left in the store.
import test from 'ava';
import { arenaSettings } from '../../src/backend/access/arena.ts';
import { runSettings } from '../../src/backend/access/index_run.ts';
import { beginIndexScan, findDuplicate, insertEntry, lookupUnique, removeEntry } from '../../src/backend/access/index.ts';
import { encodeKey, keyRange, type KeyRange } from '../../src/backend/access/key.ts';
import { formRow, readRow, type RowId } from '../../src/backend/access/row.ts';
import { beginScan, deleteRow, fetchLatest, fetchRow, insertRow, insertValues, updateRow } from '../../src/backend/access/table.ts';
import { existingWriteSet } from '../../src/backend/access/writeset.ts';
import type { IndexInfo, Relation } from '../../src/backend/catalog/relation.ts';
import {
  abortCurrentTransaction, beginInternalSubTransaction, commandCounterIncrement, commitTransactionCommand, currentCommandId, releaseCurrentSubTransaction,
  renewSnapshot, rollbackAndReleaseCurrentSubTransaction, startTransactionCommand,
} from '../../src/backend/transaction/xact.ts';
import type { Datum } from '../../src/backend/types/datum.ts';
import { ascending, below, fakeIndex, fakeRelation, openTestSite, pick, seeded, type Random } from './helpers.ts';

interface ModelRow { cid: number; values: Datum[] | null }
/** Every row's versions, oldest first; a savepoint is a copy. */
type Model = Map<number, { rowId: RowId; versions: ModelRow[] }>;

const copyOf = (model: Model): Model => new Map([...model].map(([id, row]) => [id, { rowId: row.rowId, versions: [...row.versions] }]));
const seenBy = (versions: readonly ModelRow[], cid: number): Datum[] | null => versions.findLast((v) => v.cid < cid)?.values ?? null;

class Table {
  readonly rel: Relation;
  readonly byText: IndexInfo;
  readonly byId: IndexInfo;
  model: Model = new Map();
  private nextId = 1;
  private readonly random: Random;
  constructor(oid: number, random: Random) {
    this.random = random;
    this.rel = fakeRelation(oid, [23, 25, 20]);
    this.byText = fakeIndex(oid + 1, this.rel, [ascending(25, 3126)], false);
    this.byId = fakeIndex(oid + 2, this.rel, [ascending(23, 1978)], true);
  }

  private text(): string {
    const kind = this.random();
    return kind < 0.02 ? 'w'.repeat(70000) : kind < 0.06 ? 'l'.repeat(below(this.random, 6000)) : `t${below(this.random, 20)}`;
  }
  private indexable(text: string): string { return text.slice(0, 50); }
  private textKey(values: Datum[]): string { return encodeKey(this.byText.columns, [this.indexable(values[1] as string)]); }
  private idKey(values: Datum[]): string { return encodeKey(this.byId.columns, [values[0]!]); }

  insert(): void {
    const id = this.nextId++;
    const values = [id, this.text(), below(this.random, 1e6)];
    const rowId = this.random() < 0.5 ? insertValues(this.rel, values) : insertRow(this.rel, formRow(this.rel.layout, values));
    insertEntry(this.byText, this.textKey(values), rowId, false);
    insertEntry(this.byId, this.idKey(values), rowId, false);
    this.model.set(id, { rowId, versions: [{ cid: currentCommandId(), values }] });
  }

  change(): void {
    const live = [...this.model.values()].filter((r) => r.versions.at(-1)!.values !== null);
    if (live.length === 0) return this.insert();
    const row = pick(this.random, live);
    const before = row.versions.at(-1)!.values!;
    removeEntry(this.byText, this.textKey(before), row.rowId, false);
    removeEntry(this.byId, this.idKey(before), row.rowId, false);
    if (this.random() < 0.3) {
      deleteRow(this.rel, row.rowId);
      row.versions.push({ cid: currentCommandId(), values: null });
      return;
    }
    const values = [before[0]!, this.text(), below(this.random, 1e6)];
    updateRow(this.rel, row.rowId, formRow(this.rel.layout, values));
    insertEntry(this.byText, this.textKey(values), row.rowId, false);
    insertEntry(this.byId, this.idKey(values), row.rowId, false);
    row.versions.push({ cid: currentCommandId(), values });
  }

  /** What the store and the write set show at a command id, compared with the model. */
  check(cid: number): string | null {
    const expected = new Map<number, Datum[]>();
    for (const [id, row] of this.model) { const values = seenBy(row.versions, cid); if (values !== null) expected.set(id, values); }
    const scanned = new Map<number, Datum[]>();
    const scan = beginScan(this.rel, cid);
    while (scan.next()) {
      for (let slot = 0; slot < scan.slotCount; slot++) {
        const offset = scan.wide ? scan.view.getUint32(8 + 4 * slot, true) : scan.view.getUint16(8 + 2 * slot, true);
        if (offset === 0) continue;
        const values = readRow(scan.bytes, scan.view, offset, this.rel.layout);
        if (scanned.has(values[0] as number)) return `row ${values[0]} twice in a scan`;
        scanned.set(values[0] as number, values);
        if (scan.rowId(slot) !== this.model.get(values[0] as number)?.rowId) return `row ${values[0]} has another row id`;
      }
    }
    if (scanned.size !== expected.size) return `scan at ${cid}: ${scanned.size} rows, not ${expected.size}`;
    for (const [id, values] of expected) {
      if (!same(scanned.get(id), values)) return `scan at ${cid}: row ${id}`;
      const { rowId } = this.model.get(id)!;
      const ref = fetchRow(this.rel, rowId, cid);
      if (ref === undefined || !same(readRow(ref.bytes, ref.view, ref.offset, this.rel.layout), values)) return `fetch at ${cid}: row ${id}`;
      if (lookupUnique(this.byId, this.idKey(values), cid) !== rowId) return `lookup at ${cid}: row ${id}`;
    }
    for (const [id, row] of this.model) {
      if (expected.has(id)) continue;
      if (fetchRow(this.rel, row.rowId, cid) !== undefined) return `fetch at ${cid}: row ${id} should not be there`;
      if (lookupUnique(this.byId, this.idKey([id]), cid) !== undefined) return `lookup at ${cid}: row ${id} should not be there`;
    }
    return this.checkRange({ from: '', fromInclusive: true, to: null, toInclusive: true }, () => true, expected, cid)
      ?? this.checkRange(keyRange(this.byText.columns, ['t7']), (v) => v[1] === 't7', expected, cid)
      ?? this.checkRange(keyRange(this.byText.columns, [], { value: 't1', inclusive: false }, { value: 't5', inclusive: true }),
        (v) => (v[1] as string) > 't1' && (v[1] as string) <= 't5', expected, cid);
  }

  private checkRange(range: KeyRange, fits: (values: Datum[]) => boolean, expected: Map<number, Datum[]>, cid: number): string | null {
    const wanted = [...expected.values()].filter((v) => fits([v[0]!, this.indexable(v[1] as string)]))
      .map((v): [string, RowId] => [this.textKey(v), this.model.get(v[0] as number)!.rowId])
      .sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] - b[1])).map((p) => p[1]);
    for (const reverse of [false, true]) {
      const scan = beginIndexScan(this.byText, range, reverse, cid);
      const found: RowId[] = [];
      while (scan.next()) found.push(scan.rowId);
      if (reverse) found.reverse();
      if (found.length !== wanted.length || found.some((r, i) => r !== wanted[i])) return `range ${JSON.stringify(range)} at ${cid}${reverse ? ' backwards' : ''}: ${found} not ${wanted}`;
    }
    return null;
  }

  /** The newest state: what unique checks look at. */
  checkLatest(): string | null {
    for (const [id, row] of this.model) {
      const live = row.versions.at(-1)!.values !== null;
      if ((findDuplicate(this.byId, this.idKey([id])) === row.rowId) !== live) return `findDuplicate ${id}`;
      if ((fetchLatest(this.rel, row.rowId) !== undefined) !== live) return `fetchLatest ${id}`;
    }
    return null;
  }

  /** After a commit rows have their real ids. */
  settle(): void {
    for (const [id, row] of this.model) {
      const values = row.versions.at(-1)!.values;
      if (values === null) { this.model.delete(id); continue; }
      row.rowId = lookupUnique(this.byId, this.idKey(values))!;
      row.versions = [{ cid: 0, values }];
    }
  }
}

const same = (a: Datum[] | undefined, b: Datum[]): boolean => a !== undefined && a.length === b.length && a.every((v, i) => v === b[i]);

const KINDS = [
  ['in memory', 64 << 20, 3, {}], ['spilling', 300000, 2, {}], ['index entries packed', 64 << 20, 3, { entries: 4 }],
  ['index entries in a file, merged in pieces', 64 << 20, 3, { entries: 4, rangeEntries: 2, mergedEntries: 8, sampleStep: 2, largeEntries: 5, memoryBytes: 300 }],
] as const;
const usual = { ...runSettings };

for (const [name, limitBytes, rounds, changed] of KINDS) {
  test.serial(`random transactions, ${name}`, (t) => {
    arenaSettings.limitBytes = limitBytes;
    Object.assign(runSettings, changed);
    const site = openTestSite();
    try {
      for (let seed = 1; seed <= rounds; seed++) {
        const random = seeded(seed);
        const table = new Table(20000 + seed * 10, random);
        for (let transaction = 0; transaction < 4; transaction++) {
          startTransactionCommand();
          renewSnapshot();
          t.is(table.check(currentCommandId()), null, `seed ${seed}, start of ${transaction}`);
          const before = copyOf(table.model);
          const savepoints: Model[] = [];
          for (let step = 0; step < 40; step++) {
            const what = random();
            if (what < 0.1) { beginInternalSubTransaction(); savepoints.push(copyOf(table.model)); }
            else if (what < 0.15 && savepoints.length > 0) { rollbackAndReleaseCurrentSubTransaction(); table.model = savepoints.pop()!; }
            else if (what < 0.2 && savepoints.length > 0) { releaseCurrentSubTransaction(); savepoints.pop(); }
            else if (what < 0.35) for (let i = 0; i < 25; i++) table.insert();
            else for (let i = 0; i < 5; i++) table.change();
            if (random() < 0.7) commandCounterIncrement();
            const cid = 1 + below(random, currentCommandId() + 1);
            t.is(table.check(cid), null, `seed ${seed}, transaction ${transaction}, step ${step}`);
            t.is(table.checkLatest(), null);
          }
          while (savepoints.length > 0) { releaseCurrentSubTransaction(); savepoints.pop(); }
          if (limitBytes < 1 << 20 && transaction === 0) t.true(existingWriteSet(false)!.arena.spills > 0, 'it has spilled');
          if (random() < 0.25) {
            abortCurrentTransaction();
            table.model = before;
          } else {
            commitTransactionCommand();
            startTransactionCommand();
            renewSnapshot();
            table.settle();
            commitTransactionCommand();
          }
        }
      }
    } finally {
      site.close();
      arenaSettings.limitBytes = 64 << 20;
      Object.assign(runSettings, usual);
    }
  });
}
