// DELETE of many rows: they are gone through block by block, without a version of its own for each, and their index entries
// are sorted and go together.
import { ginKeys } from '../access/gin.ts';
import { IndexBuilder } from '../access/index_build.ts';
import { readColumn, type RowId } from '../access/row.ts';
import { BlockDeletes, deleteRow } from '../access/table.ts';
import type { Relation } from '../catalog/relation.ts';
import type { Datum } from '../types/datum.ts';
import type { IndexKeys } from './index_keys.ts';

/** Deletes many rows of a table whose indexes are all there is to it: their entries go at `finish`. */
export class BulkDelete {
  /** The columns that `delete` looks at. */
  readonly columns: readonly number[];
  private readonly table: Relation;
  private readonly indexes: readonly { keys: IndexKeys; builder: IndexBuilder }[];
  private readonly row: Datum[];
  private blocks: BlockDeletes | null = null;

  constructor(table: Relation, indexes: readonly IndexKeys[], columns: readonly number[]) {
    this.table = table;
    this.columns = columns;
    this.indexes = indexes.map((keys) => ({ keys, builder: new IndexBuilder(keys.info, 'removals') }));
    this.row = new Array<Datum>(table.attributes.length).fill(null);
  }

  delete(rowId: RowId, old: readonly Datum[]): void {
    this.removeEntries(rowId, old);
    deleteRow(this.table, rowId);
  }

  /** Deletes a row that is as the store has it: 'done', 'gone', or 'changed' when this transaction has changed it. */
  deleteStored(rowId: RowId): 'done' | 'gone' | 'changed' {
    const { columns, row, table: { layout } } = this, blocks = (this.blocks ??= new BlockDeletes(this.table));
    if (!blocks.find(rowId)) return 'changed';
    const stored = blocks.row;
    if (stored === null) return 'gone';
    for (let i = 0; i < columns.length; i++) row[columns[i]! - 1] = readColumn(stored.bytes, stored.view, stored.offset, layout, columns[i]!);
    this.removeEntries(rowId, row);
    blocks.delete(rowId);
    return 'done';
  }

  private removeEntries(rowId: RowId, old: readonly Datum[]): void {
    const { indexes } = this;
    for (let i = 0; i < indexes.length; i++) {
      const { keys, builder } = indexes[i]!;
      const values = keys.valuesOf(old);
      if (values === null) continue;
      if (keys.inverted) for (const key of ginKeys(keys.info, values)) builder.addKey(key, rowId);
      else builder.add(values, rowId);
    }
  }

  finish(): void {
    for (const { builder } of this.indexes) builder.finish();
  }
}
