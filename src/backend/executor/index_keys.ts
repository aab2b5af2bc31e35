// The keys of an index's rows: made from their values, and as messages have them; and the rows of a table one after the other.
import { internalError } from '../../common/errors.ts';
import { aclcheckAttribute, aclcheckRelation } from '../catalog/aclchk.ts';
import { ginKeys, isInverted } from '../access/gin.ts';
import { encodeKey, keyHasNull } from '../access/key.ts';
import { readRow, type RowId } from '../access/row.ts';
import { beginScan } from '../access/table.ts';
import type { IndexInfo, Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { rlsApplies } from '../catalog/rls.ts';
import { ACL } from '../nodes/parsenodes.ts';
import type { Datum } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { session } from '../utils/session.ts';
import { compileExpr, compilePredicate, type CompiledExpr } from './expression.ts';

/** How the keys of one index are made from a row's values. */
export class IndexKeys {
  readonly info: IndexInfo;
  /** Columns the key or predicate looks at: an UPDATE of none of them leaves the entry as it is; null: any. */
  readonly attributes: ReadonlySet<number> | null;
  private readonly expressions: readonly CompiledExpr[];
  private readonly predicate: ((params: null, row: readonly Datum[]) => boolean) | null;
  private readonly values: Datum[];
  hasNull = false;
  /** An inverted index has several entries for a row. */
  readonly inverted: boolean;

  constructor(info: IndexInfo) {
    this.info = info;
    this.inverted = isInverted(info);
    this.expressions = info.expressions.map((e) => compileExpr(e));
    this.predicate = info.predicate === null ? null : compilePredicate([info.predicate]);
    this.values = new Array(info.keyCount).fill(null);
    this.attributes = info.expressions.length > 0 || info.predicate !== null ? null : new Set(info.keyAttributes);
  }

  /** The key of a row (values[attnum - 1]); null when a partial index leaves it out. Sets `hasNull`. */
  key(row: readonly Datum[]): string | null {
    const { info } = this, values = this.valuesOf(row);
    if (values === null) return null;
    this.hasNull = keyHasNull(info.columns, values);
    return encodeKey(info.columns, values);
  }

  /** The values the key is made of, good until the next call; null when a partial index leaves the row out. */
  valuesOf(row: readonly Datum[]): readonly Datum[] | null {
    if (this.predicate !== null && !this.predicate(null, row)) return null;
    const { info, values } = this;
    let next = 0;
    for (let i = 0; i < info.keyCount; i++) {
      const attnum = info.keyAttributes[i]!;
      values[i] = attnum === 0 ? this.expressions[next++]!(null, row) : row[attnum - 1] ?? null;
    }
    return values;
  }

  /** The keys of an inverted index. */
  keys(row: readonly Datum[]): string[] {
    const values = this.valuesOf(row);
    return values === null ? [] : ginKeys(this.info, values);
  }

  /** The key's values of the row last shown to `key`, as messages have them: "(a, b)=(1, 2)". */
  describe(row: readonly Datum[]): string {
    this.key(row);
    return this.describeValues(this.values);
  }

  describeValues(values: readonly Datum[]): string {
    const table = openRelation(this.info.indrelid);
    let next = 0;
    const names = this.info.keyAttributes.slice(0, this.info.keyCount).map((attnum) => {
      if (attnum !== 0) return table.attributes[attnum - 1]!.attname;
      return deparseIndexExpression(this.info, next++);
    });
    const texts = values.map((v, i) => (v === null ? 'null' : typeHooks.typeIo(this.info.columns[i]!.typeOid).output(v)));
    return `(${names.join(', ')})=(${texts.join(', ')})`;
  }
}

/** ruleutils lies above; it fills this in. */
let deparseIndexExpression: (info: IndexInfo, expression: number) => string = () => 'expression';
export function setIndexExpressionDeparser(f: typeof deparseIndexExpression): void {
  deparseIndexExpression = f;
}

/** Values are shown to those who may read them (BuildIndexValueDescription). */
export const mayShowKey = (table: Relation, info: IndexInfo): boolean => !rlsApplies(table.oid, 0, true) && (aclcheckRelation(table.oid, session.currentUser, ACL.SELECT)
  || info.keyAttributes.slice(0, info.keyCount).every((n) => n !== 0 && aclcheckAttribute(table.oid, n, session.currentUser, ACL.SELECT)));

export const schemaName = (table: Relation): string => typeHooks.regName('regnamespace', table.namespace) ?? '';

/** Every row of a table, as the running command sees it: its place and its values. */
export function forEachRow(table: Relation, visit: (row: Datum[], rowId: RowId) => void): void {
  if (table.kind === 'p') throw internalError(`the partitioned table "${table.name}" has no rows of its own`);
  const scan = beginScan(table);
  while (scan.next()) {
    checkForInterrupts();
    const { bytes, view, slotCount, wide } = scan;
    for (let slot = 0; slot < slotCount; slot++) {
      const start = wide ? view.getUint32(8 + 4 * slot, true) : view.getUint16(8 + 2 * slot, true);
      if (start !== 0) visit(readRow(bytes, view, start, table.layout), scan.rowId(slot));
    }
  }
}
