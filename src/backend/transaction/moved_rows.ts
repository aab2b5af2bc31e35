// Rows that a commit has moved to another partition: who waited for one is to be told so (ItemPointerIndicatesMovedPartitions). A row
// that is gone does not say why, so the newest of them are kept in memory, of so many relations.
import type { RowId } from '../access/row.ts';
import type { CommitView } from './commit_codec.ts';

const MAX_ROWS = 4096, MAX_RELATIONS = 64;

export class MovedRows {
  private readonly relations = new Map<number, Set<RowId>>();

  note({ moved }: CommitView): void {
    for (const { relation, row } of moved) {
      let rows = this.relations.get(relation);
      if (rows === undefined) {
        if (this.relations.size === MAX_RELATIONS) this.relations.delete(this.relations.keys().next().value!);
        this.relations.set(relation, rows = new Set());
      }
      if (rows.size === MAX_ROWS) rows.delete(rows.keys().next().value!);
      rows.add(row);
    }
  }

  has(relation: number, row: RowId): boolean {
    return this.relations.get(relation)?.has(row) ?? false;
  }
}
