// Transition tables: the rows a statement has changed, as its AFTER triggers may look at them (REFERENCING OLD TABLE, NEW
// TABLE). Kept as row ids and command ids, like events; rows of child tables show the columns of the trigger's table.
import type { RowId } from '../access/row.ts';
import type { Relation } from '../catalog/relation.ts';
import type { TransitionTable } from '../commands/trigger_data.ts';
import type { Datum } from '../types/datum.ts';
import { rowAt } from './trigger.ts';

class CapturedRows {
  private rows = new Float64Array(64);
  private cids = new Uint32Array(64);
  /** From which row on which table they are of. */
  private readonly sources: { from: number; relation: Relation; map: readonly number[] | null }[] = [];
  length = 0;

  add(relation: Relation, root: Relation, rowId: RowId, cid: number): void {
    if (this.sources.length === 0 || this.sources[this.sources.length - 1]!.relation !== relation) {
      this.sources.push({ from: this.length, relation, map: relation.oid === root.oid ? null : columnMap(relation, root) });
    }
    const at = this.length++;
    if (at >= this.rows.length) {
      const rows = new Float64Array(at * 2), cids = new Uint32Array(at * 2);
      rows.set(this.rows);
      cids.set(this.cids);
      this.rows = rows;
      this.cids = cids;
    }
    this.rows[at] = rowId;
    this.cids[at] = cid;
  }

  *[Symbol.iterator](): Generator<Datum[]> {
    let source = 0;
    for (let i = 0; i < this.length; i++) {
      while (source + 1 < this.sources.length && this.sources[source + 1]!.from <= i) source++;
      const { relation, map } = this.sources[source]!;
      const row = rowAt(relation, this.rows[i]!, this.cids[i]!);
      yield map === null ? row : map.map((n) => (n === 0 ? null : row[n - 1]!));
    }
  }
}

/** For each column of the root its number in the child, 0 for dropped ones. */
function columnMap(child: Relation, root: Relation): number[] {
  return root.attributes.map((a) => (a.attisdropped ? 0 : child.attributes.find((c) => c.attname === a.attname && !c.attisdropped)?.attnum ?? 0));
}

/** The rows of one kind of event on one table in one query. */
export class Capture {
  private readonly root: Relation;
  private readonly oldRows: CapturedRows | null;
  private readonly newRows: CapturedRows | null;

  constructor(root: Relation, wanted: { old: boolean; new: boolean }) {
    this.root = root;
    this.oldRows = wanted.old ? new CapturedRows() : null;
    this.newRows = wanted.new ? new CapturedRows() : null;
  }

  /** A row that command `cid` has changed. */
  add(relation: Relation, rowId: RowId, cid: number): void {
    this.addOld(relation, rowId, cid);
    this.addNew(relation, rowId, cid);
  }
  addOld(relation: Relation, rowId: RowId, cid: number): void {
    this.oldRows?.add(relation, this.root, rowId, cid);
  }
  addNew(relation: Relation, rowId: RowId, cid: number): void {
    this.newRows?.add(relation, this.root, rowId, cid + 1);
  }

  table(name: string, which: 'old' | 'new'): TransitionTable {
    const rows = which === 'old' ? this.oldRows! : this.newRows!;
    return { name, get rowCount() { return rows.length; }, rows: () => rows };
  }
}
