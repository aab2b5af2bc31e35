// Index rows of btree that are long. PostgreSQL takes what comes to a third of its page, long values compressed; so do we, although
// nothing is compressed here. The store takes less for a key: the longer ones are cut (access/key.ts), and those that agree in
// as much as was left of them are put in order here, by what their rows say.
import { PgError } from '../../common/errors.ts';
import { beginIndexScan, type IndexScan } from '../access/index.ts';
import { CUT_BYTES, encodePrefix, type KeyRange, mayBeCut, plainRange, successor } from '../access/key.ts';
import { PROVISIONAL_BLOCK, blockOf, readRow, type RowId } from '../access/row.ts';
import { fetchRow } from '../access/table.ts';
import type { SharedSequence } from '../access/parallel_scan.ts';
import type { IndexInfo } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { attributeByNumber, typeByOid } from '../catalog/syscache.ts';
import { ArrayValue, type Datum, type Oid } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import { TIDOID } from '../types/oids.ts';
import { pglzSize } from '../types/pglz.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { ALIGNMENTS, align, datumSize } from './datum_size.ts';
import { IndexKeys, schemaName } from './index_keys.ts';

// ---- what is refused

/** Rows with shorter keys are not looked at. */
const LONG_KEY_BYTES = 1300;
/** BTMaxItemSize, INDEX_SIZE_MASK, TOAST_INDEX_TARGET of PostgreSQL with pages of 8 kB. */
const MAX_ITEM_BYTES = 2704, MAX_ROW_BYTES = 8191, COMPRESSED_FROM_BYTES = 510;
const MAX_SHORT_BYTES = 130;

/** Refuses a row that PostgreSQL's index has no room for (index_form_tuple, _bt_check_third_page). `keyLength`: of its key, as it is stored. */
export function checkIndexRow(keys: IndexKeys, row: readonly Datum[], keyLength: number, rowId: RowId): void {
  const { info } = keys;
  if (info.accessMethod !== 'btree' || (keyLength < LONG_KEY_BYTES && info.keyAttributes.length === info.keyCount)) return;
  if (indexRowSize(keys, row, false) <= MAX_ITEM_BYTES) return;
  const size = indexRowSize(keys, row, true);
  if (size > MAX_ROW_BYTES) throw new PgError('program_limit_exceeded', `index row requires ${size} bytes, maximum size is ${MAX_ROW_BYTES}`);
  if (size <= MAX_ITEM_BYTES) return;
  const table = openRelation(info.indrelid);
  throw new PgError('program_limit_exceeded', `index row size ${size} exceeds btree version 4 maximum ${MAX_ITEM_BYTES} for index "${info.index.name}"`, {
    detail: blockOf(rowId) >= PROVISIONAL_BLOCK ? undefined : `Index row references tuple ${typeHooks.typeIo(TIDOID).output(rowId)} in relation "${table.name}".`,
    hint: 'Values larger than 1/3 of a buffer page cannot be indexed.\nConsider a function index of an MD5 hash of the value, or use full text indexing.',
    schema: schemaName(table), table: table.name, constraint: info.index.name,
  });
}

/** The bytes of an index tuple of PostgreSQL, included columns among them. */
function indexRowSize(keys: IndexKeys, row: readonly Datum[], compressed: boolean): number {
  const { info } = keys;
  const ofKey = keys.valuesOf(row)!;
  let at = 0, hasNull = false;
  info.keyAttributes.forEach((attnum, i) => {
    const value = i < info.keyCount ? ofKey[i] ?? null : row[attnum - 1] ?? null;
    if (value === null) {
      hasNull = true;
      return;
    }
    const column = attnum === 0 ? undefined : attributeByNumber(info.indrelid, attnum), typeOid = column?.atttypid ?? info.columns[i]!.typeOid;
    const type = typeByOid(typeOid)!, storage = column?.attstorage ?? type.typstorage, size = datumSize(value, typeOid);
    if (type.typlen === -1 && type.typstorage !== 'p' && size <= MAX_SHORT_BYTES) at += size - 3;
    else at = align(at, ALIGNMENTS[type.typalign]!) + (compressed && size > COMPRESSED_FROM_BYTES && 'xm'.includes(storage) ? compressedSize(value, typeOid, size) : size);
  });
  return align((hasNull ? 16 : 8) + at, 8);
}

/** With PostgreSQL's compression, if that saves a quarter. Of types other than texts and bytea the binary form gives an estimate. */
function compressedSize(value: Datum, typeOid: Oid, size: number): number {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value instanceof Uint8Array ? value
    : value instanceof ArrayValue ? elementBytes(value) : typeHooks.typeIo(typeOid).send(value);
  const left = pglzSize(bytes);
  return left === null ? size : 8 + Math.round((left * (size - 4)) / bytes.length);
}

function elementBytes({ elementType, values }: ArrayValue): Uint8Array {
  const { send } = typeHooks.typeIo(elementType);
  return Buffer.concat(values.map((v) => (v === null ? Buffer.alloc(0) : send(v))));
}

// ---- scans

const longKeys = new WeakMap<IndexInfo, IndexKeys>();

/** Whether keys of an index may be cut: it has values of any length. */
export const mayHaveLongKeys = (info: IndexInfo): boolean => info.accessMethod === 'btree' && info.columns.some((c) => typeByOid(c.typeOid)?.typlen === -1);

/** As beginIndexScan, but bounds may be longer than what is stored of a key, and `key` is the whole of it. */
export function beginKeyScan(info: IndexInfo, range: KeyRange, reverse: boolean, cid: number, share: SharedSequence | null = null): IndexScan {
  const { from, to } = plainRange(range);
  if (from === null || (to !== null && from >= to)) return beginIndexScan(info, range, reverse, cid, share);
  const stored: KeyRange = {
    from: from.slice(0, CUT_BYTES), fromInclusive: true,
    to: to !== null && to.length > CUT_BYTES ? successor(to.slice(0, CUT_BYTES)) : to, toInclusive: false,
  };
  return new WholeKeys(info, beginIndexScan(info, stored, reverse, cid, share), from, to, reverse, cid);
}

/** Entries in the order of their whole keys. Those that agree in CUT_BYTES come together. */
class WholeKeys implements IndexScan {
  rowId = 0;
  private readonly info: IndexInfo;
  private readonly scan: IndexScan;
  private readonly from: string;
  private readonly to: string | null;
  private readonly reverse: boolean;
  private readonly cid: number;
  /** Of keys that agree, those still to be shown, the next one last. */
  private rest: { key: string; row: RowId }[] = [];
  private own: string | null = null;
  /** The scan stands on an entry that is not shown yet. */
  private isAhead = false;

  constructor(info: IndexInfo, scan: IndexScan, from: string, to: string | null, reverse: boolean, cid: number) {
    this.info = info;
    this.scan = scan;
    this.from = from;
    this.to = to;
    this.reverse = reverse;
    this.cid = cid;
  }

  get key(): string { return this.own ?? this.scan.key; }
  get keyLength(): number { return this.own?.length ?? this.scan.keyLength; }

  next(): boolean {
    const { scan } = this;
    for (;;) {
      const entry = this.rest.pop();
      if (entry !== undefined) {
        this.own = entry.key;
        this.rowId = entry.row;
        return true;
      }
      this.own = null;
      if (this.isAhead) this.isAhead = false;
      else if (!scan.next()) return false;
      if (scan.keyLength <= CUT_BYTES) {
        this.rowId = scan.rowId;
        return true;
      }
      this.gather();
    }
  }

  private gather(): void {
    const { scan, from, to, reverse } = this, beginning = scan.key.slice(0, CUT_BYTES);
    const rows = new Map<string, RowId[]>();
    let n = 0;
    do {
      if ((++n & 255) === 0) checkForInterrupts();
      const { key } = scan, same = rows.get(key);
      if (!key.startsWith(beginning)) {
        this.isAhead = true;
        break;
      }
      if (same === undefined) rows.set(key, [scan.rowId]); else same.push(scan.rowId);
    } while (scan.next());
    const found = [...rows].map(([stored, list]) => ({ key: mayBeCut(stored) ? this.wholeKey(stored, list[0]!) : stored, list }))
      .filter(({ key }) => key >= from && (to === null || key < to));
    found.sort((a, b) => (a.key < b.key ? -1 : 1));
    if (reverse) found.reverse(); // rows come as the scan goes
    this.rest = found.flatMap(({ key, list }) => list.map((row) => ({ key, row }))).reverse();
  }

  /** What was cut of a key is in its row. */
  private wholeKey(stored: string, rowId: RowId): string {
    const { info } = this, table = openRelation(info.indrelid);
    let keys = longKeys.get(info);
    if (keys === undefined) longKeys.set(info, keys = new IndexKeys(info));
    const ref = fetchRow(table, rowId, this.cid);
    const values = ref === undefined ? null : keys.valuesOf(readRow(ref.bytes, ref.view, ref.offset, table.layout));
    return values === null ? stored : encodePrefix(info.columns, values);
  }

  skipTo(): boolean { return false; }
  close(): void { this.scan.close(); }
}
