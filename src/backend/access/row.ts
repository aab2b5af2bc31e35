// Row bytes and block bytes. This file owns the format; generated scan code (executor) reads columns straight
// from a block by these rules, everyone else calls the functions here. All numbers are little-endian.
//
// Block, one LMDB value under (relation filenode, block number):
//   offset  size          field
//   0       u8            format, 1
//   1       u8            flags: BLOCK_WIDE 1: slot offsets are u32 (block beyond 64 kB);
//                         BLOCK_MOVED 2: the rows do not stand in the order of their slots
//   2       u16           number of slots
//   4       u32           0
//   8       u16/u32 [n]   slot directory: where the row starts, from the block's start; 0: dead slot
//   ...                   rows
//
// Row:
//   0       u32           version: low 32 bits of the transaction id that wrote it (xmin)
//   4       u16           number of attributes; ROW_WIDE 0x8000: var ends are u32
//   6       ceil(n/8)     null bitmap, bit (attnum-1)&7 of byte (attnum-1)>>3 set: NULL
//   ...                   fixed section: every fixed-size column in attnum order, unaligned, zero when NULL
//   ...     u16/u32 [v]   var ends: end of each variable-size column, from the start of the var data
//   ...                   var data
//
// A scan shows the rows of a block in the order they stand in, and an updated row goes behind the others: so small tables
// give their rows in the order of PostgreSQL's heap. In the blocks from HEAP_ORDER_BLOCKS on an updated row stays where it
// is, which costs less (and PostgreSQL itself starts a scan of a large table anywhere).
//
// So a column's place is a function of the attribute types before it and of the row's number of attributes alone:
// fixed columns at a constant offset, variable ones at an offset found in constant time. A row with fewer
// attributes than the relation has (written before ALTER TABLE ADD COLUMN) gives `Attribute.missing` for the rest.
// Dropped columns keep their place and are NULL in new rows.
//
// How a type is stored (`StorageClass`):
//   bool u8 | int2 i16 | int4, date i32 | oid-like u32 | int8, timestamp(tz), time, money i64 | float4 f32 |
//   float8 f64 | timetz i64 time + i32 zone | interval i64 time + i32 days + i32 months | uuid 16 bytes |
//   "char" u8 | everything else variable: text-like UTF-8; bytea as is; numeric and containers by access/value.ts;
//   char(n) UTF-8 without its trailing blanks, then how many those were: u8, or u32 and 255. (A row of
//   pgbench_accounts takes 24 bytes instead of 107, so that table has a quarter of the blocks.)
//
// A row id is one number: block * 65536 + slot. Blocks of rows that are not committed yet (they live in the write
// set only) are numbered from PROVISIONAL_BLOCK up; the transaction manager gives the rows their real place.
import { internalError } from '../../common/errors.ts';
import { expectBytes } from '../utils/memory_limit.ts';
import { Interval, TimeTz, int8, type Datum, type Oid } from '../types/datum.ts';
import type { Numeric } from '../types/numeric.ts';
import { decodeNumeric, encodeNumeric, numericBytesBound } from './numeric_bytes.ts';
import { decodeContainer, encodeContainer } from './value.ts';

export const BLOCK_HEADER_BYTES = 8;
export const BLOCK_WIDE = 1;
export const BLOCK_MOVED = 2;
export const HEAP_ORDER_BLOCKS = 256;
export const ROW_WIDE = 0x8000;
const ROW_HEADER_BYTES = 6;
/** A block is filled up to this many bytes, so that with the page header (24 bytes in lmdb-js's LMDB) it takes one page. */
export const BLOCK_TARGET_BYTES = 4072;
export const PROVISIONAL_BLOCK = 0x80000000;
export const MAX_SLOTS = 65535;

export type RowId = number;
export const rowIdOf = (block: number, slot: number): RowId => block * 65536 + slot;
export const blockOf = (rowId: RowId): number => Math.floor(rowId / 65536);
/** Not by `%`: that of numbers beyond 31 bits is a call. */
export const slotOf = (rowId: RowId): number => rowId - Math.floor(rowId / 65536) * 65536;

/** Where the row of a slot starts, from the start of the block at `at`. */
export function slotStart(view: DataView, at: number, slot: number, wide: boolean): number {
  return wide ? view.getUint32(at + BLOCK_HEADER_BYTES + 4 * slot, true) : view.getUint16(at + BLOCK_HEADER_BYTES + 2 * slot, true);
}

export function setSlotStart(view: DataView, slot: number, wide: boolean, start: number): void {
  if (wide) view.setUint32(BLOCK_HEADER_BYTES + 4 * slot, start, true);
  else view.setUint16(BLOCK_HEADER_BYTES + 2 * slot, start, true);
}

/** For sorting slots by where their rows start: start * 65536 + slot, of narrow blocks and of wide ones. */
const narrowPlaces = new Uint32Array(MAX_SLOTS), widePlaces = new Float64Array(MAX_SLOTS);

/** The live ones of the first `count` slots of a block by where their rows start, into `order`; how many. A dead slot's row
 * starts at 0. */
export function slotsInRowOrder(view: DataView, wide: boolean, count: number, order: Uint16Array): number {
  let live = 0, before = 0, ordered = true;
  for (let slot = 0; slot < count; slot++) {
    const start = slotStart(view, 0, slot, wide);
    if (start === 0) continue;
    order[live++] = slot;
    if (start < before) ordered = false;
    before = start;
  }
  if (!ordered) sortSlots(view, wide, order, live);
  return live;
}

/** Sorts the first `count` of some slots by where their rows start. */
export function sortSlots(view: DataView, wide: boolean, order: Uint16Array, count: number): void {
  if (wide) {
    for (let i = 0; i < count; i++) widePlaces[i] = slotStart(view, 0, order[i]!, true) * 65536 + order[i]!;
    widePlaces.subarray(0, count).sort();
    for (let i = 0; i < count; i++) order[i] = widePlaces[i]! % 65536;
    return;
  }
  for (let i = 0; i < count; i++) narrowPlaces[i] = ((slotStart(view, 0, order[i]!, false) << 16) | order[i]!) >>> 0;
  sortPlaces(narrowPlaces, count);
  for (let i = 0; i < count; i++) order[i] = narrowPlaces[i]! & 0xffff;
}

/** Shell's sort: a block has some dozen rows, and no memory is to be had for each time. */
const GAPS = [1750, 701, 301, 132, 57, 23, 10, 4, 1];

function sortPlaces(places: Uint32Array, count: number): void {
  for (let g = 0; g < GAPS.length; g++) {
    const gap = GAPS[g]!;
    for (let i = gap; i < count; i++) {
      const place = places[i]!;
      let at = i;
      for (; at >= gap && places[at - gap]! > place; at -= gap) places[at] = places[at - gap]!;
      places[at] = place;
    }
  }
}

export type StorageClass =
  | 'bool' | 'int2' | 'int4' | 'oid' | 'int8' | 'float4' | 'float8' | 'timetz' | 'interval' | 'uuid' | 'char'
  | 'text' | 'bpchar' | 'bytea' | 'numeric' | 'container';

export const STORAGE_BYTES: Record<StorageClass, number> = {
  bool: 1, int2: 2, int4: 4, oid: 4, int8: 8, float4: 4, float8: 8, timetz: 12, interval: 16, uuid: 16, char: 1,
  text: -1, bpchar: -1, bytea: -1, numeric: -1, container: -1,
};

/** Where the columns of one relation's rows are, for rows that have all `attributeCount` attributes. */
export interface RowLayout {
  readonly attributeCount: number;
  readonly columns: readonly ColumnLayout[];
  /** Offset of the fixed section from the row's start: 6 + ceil(n/8). */
  readonly fixedStart: number;
  /** Offset of the var ends from the row's start. */
  readonly varEndsStart: number;
  readonly varCount: number;
  /** Offset of the var data when ends are u16 (u32: add 2 * varCount). */
  readonly varDataStart: number;
}
export interface ColumnLayout {
  readonly attnum: number;
  readonly typeOid: Oid;
  readonly storage: StorageClass;
  /** Fixed: offset from the row's start. Variable: -1. */
  readonly offset: number;
  /** Variable: its index among the variable columns. Fixed: -1. */
  readonly varIndex: number;
  readonly missing: Datum | undefined;
}

/** What makeLayout must know of a column. A dropped one has type 0 and is stored by its size (pg_attribute). */
export interface LayoutAttribute {
  readonly attnum: number;
  readonly atttypid: Oid;
  readonly attlen?: number;
  readonly attalign?: string;
  readonly missing?: Datum | undefined;
}

/** Writes the row at `at`; where it ends, or -1 when it does not fit into the buffer (or not into u16 var ends). */
type RowFormer = (values: readonly Datum[], bytes: Buffer, view: DataView, at: number) => number;
/** Reads all columns of a row that has them all and whose var ends are u16. */
type RowReader = (bytes: Buffer, view: DataView, row: number) => Datum[];

class Layout implements RowLayout {
  readonly attributeCount: number;
  readonly columns: readonly ColumnLayout[];
  readonly fixedStart: number;
  readonly varEndsStart: number;
  readonly varCount: number;
  readonly varDataStart: number;
  /** Layouts of rows that have fewer attributes, by their number. */
  private readonly prefixes: Layout[] = [];
  private former: RowFormer | null = null;
  private reader: RowReader | null = null;

  constructor(columns: readonly Omit<ColumnLayout, 'offset' | 'varIndex'>[]) {
    this.attributeCount = columns.length;
    this.fixedStart = ROW_HEADER_BYTES + Math.ceil(columns.length / 8);
    let offset = this.fixedStart;
    let varCount = 0;
    this.columns = columns.map(({ attnum, typeOid, storage, missing }) => {
      const size = STORAGE_BYTES[storage];
      const column = { attnum, typeOid, storage, offset: size < 0 ? -1 : offset, varIndex: size < 0 ? varCount : -1, missing };
      if (size < 0) varCount++; else offset += size;
      return column;
    });
    this.varEndsStart = offset;
    this.varCount = varCount;
    this.varDataStart = offset + 2 * varCount;
  }

  prefix(attributeCount: number): Layout {
    return (this.prefixes[attributeCount] ??= new Layout(this.columns.slice(0, attributeCount)));
  }

  get read(): RowReader {
    return (this.reader ??= compileReader(this));
  }

  get form(): RowFormer {
    return (this.former ??= compileFormer(this));
  }
}

/** The layout of a relation's rows. `attributes` in attnum order, dropped ones included. */
export function makeLayout(attributes: readonly LayoutAttribute[], storageOf: (typeOid: Oid) => StorageClass): RowLayout {
  return new Layout(attributes.map((a) => ({
    attnum: a.attnum, typeOid: a.atttypid, missing: a.missing,
    storage: a.atttypid === 0 ? droppedStorage(a.attlen ?? -1, a.attalign ?? 'i') : storageOf(a.atttypid),
  })));
}

/** The layout for a row that has `attributeCount` attributes, maybe fewer than the relation. */
function layoutFor(layout: RowLayout, attributeCount: number): RowLayout {
  return attributeCount === layout.attributeCount ? layout : (layout as Layout).prefix(attributeCount);
}

const STORAGE_BY_TYPE: Record<Oid, StorageClass> = {
  16: 'bool', 17: 'bytea', 18: 'char', 19: 'text', 20: 'int8', 21: 'int2', 23: 'int4', 24: 'oid', 25: 'text', 26: 'oid',
  27: 'int8', 28: 'oid', 29: 'oid', 114: 'text', 142: 'text', 194: 'text', 700: 'float4', 701: 'float8', 705: 'text', 774: 'text',
  790: 'int8', 829: 'text', 1042: 'bpchar', 1043: 'text', 1082: 'int4', 1083: 'int8', 1114: 'int8', 1184: 'int8', 1186: 'interval',
  1266: 'timetz', 1700: 'numeric', 1790: 'text', 2202: 'oid', 2203: 'oid', 2204: 'oid', 2205: 'oid', 2206: 'oid', 2275: 'text',
  2950: 'uuid', 3220: 'int8', 3734: 'oid', 3769: 'oid', 4089: 'oid', 4096: 'oid', 4191: 'oid', 5069: 'int8',
};

/** How a type is stored, by pg_type's facts; for a domain, those of its base type. */
export function storageClassOf(typeOid: Oid, _typlen: number, typtype: string): StorageClass {
  return STORAGE_BY_TYPE[typeOid] ?? (typtype === 'e' ? 'oid' : 'container');
}

/** A dropped column has lost its type; its size and alignment tell what it takes in old rows. */
function droppedStorage(attlen: number, attalign: string): StorageClass {
  switch (attlen) {
    case 1: return 'bool';
    case 2: return 'int2';
    case 4: return 'int4';
    case 8: return 'int8';
    // What varies in size is read as bytes, whatever they were.
    case 12: return attalign === 'd' ? 'timetz' : 'bytea';
    case 16: return attalign === 'd' ? 'interval' : 'uuid';
    default: return attlen === 6 ? 'int8' : 'bytea'; // 6: tid
  }
}

// --- Forming rows ------------------------------------------------------------------------------------------------

const scratch = { bytes: Buffer.allocUnsafeSlow(65536), view: undefined as unknown as DataView };
scratch.view = new DataView(scratch.bytes.buffer);

/** A row of its own memory; `values[attnum - 1]`, version 0. */
export function formRow(layout: RowLayout, values: readonly Datum[]): Uint8Array {
  const end = formRowInto(layout, values, scratch.bytes, scratch.view, 0);
  if (end < 0) return formWideRow(layout as Layout, values);
  return new Uint8Array(scratch.bytes.buffer.slice(0, end));
}

/** As formRow, in memory that the next call may use again. */
export function formRowBriefly(layout: RowLayout, values: readonly Datum[]): Uint8Array {
  const end = formRowInto(layout, values, scratch.bytes, scratch.view, 0);
  return end < 0 ? formWideRow(layout as Layout, values) : scratch.bytes.subarray(0, end);
}

/** The row at `at` of a buffer; where it ends, or -1 when it does not fit there: then formRow makes it. */
export function formRowInto(layout: RowLayout, values: readonly Datum[], bytes: Buffer, view: DataView, at: number): number {
  return (layout as Layout).form(values, bytes, view, at);
}

/** One function per layout: the offsets are constants in it, and V8 sees one kind of value at each place. */
function compileFormer(layout: Layout): RowFormer {
  const n = layout.attributeCount;
  const bitmap = Math.ceil(n / 8);
  const lines: string[] = [
    `if (at + ${layout.varDataStart} > bytes.length) return -1;`,
    'view.setUint32(at, 0, true);',
    `view.setUint16(at + 4, ${n}, true);`,
  ];
  for (let i = 0; i < bitmap; i++) lines.push(`let n${i} = 0;`);
  if (layout.varCount > 0) lines.push(`const data = at + ${layout.varDataStart};`, 'let p = data;');
  lines.push('let v;');
  for (const c of layout.columns) {
    const i = c.attnum - 1;
    const isNull = `n${i >> 3} |= ${1 << (i & 7)};`;
    lines.push(`v = values[${i}];`);
    if (c.varIndex < 0) {
      const at = `at + ${c.offset}`;
      lines.push(`if (v === null || v === undefined) { ${isNull} ${zeros(c.offset, STORAGE_BYTES[c.storage])} } else { ${FIXED_WRITERS[c.storage]!(at)} }`);
    } else {
      lines.push(`if (v === null || v === undefined) { ${isNull} } else { p = ${VAR_WRITERS[c.storage]}(bytes, v, p); if (p < 0 || p - data > ${MAX_NARROW_BYTES}) return -1; }`);
      lines.push(`view.setUint16(at + ${layout.varEndsStart + 2 * c.varIndex}, p - data, true);`);
    }
  }
  for (let i = 0; i < bitmap; i++) lines.push(`bytes[at + ${ROW_HEADER_BYTES + i}] = n${i};`);
  lines.push(layout.varCount > 0 ? 'return p;' : `return at + ${layout.varDataStart};`);
  const make = new Function('w', `const { ${Object.keys(rowWriters).join(', ')} } = w;\nreturn function formRow(values, bytes, view, at) {\n${lines.join('\n')}\n};`);
  return make(rowWriters) as RowFormer;
}

export function zeros(offset: number, size: number): string {
  const writes: string[] = [];
  let i = 0;
  for (; i + 4 <= size; i += 4) writes.push(`view.setUint32(at + ${offset + i}, 0, true);`);
  for (; i < size; i++) writes.push(`bytes[at + ${offset + i}] = 0;`);
  return writes.join(' ');
}

/** The text of a statement that writes `v` at a place of `bytes` and `view`, by storage class. */
export const FIXED_WRITERS: Partial<Record<StorageClass, (at: string) => string>> = {
  bool: (at) => `bytes[${at}] = v ? 1 : 0;`,
  int2: (at) => `view.setInt16(${at}, v, true);`,
  int4: (at) => `view.setInt32(${at}, v, true);`,
  oid: (at) => `view.setUint32(${at}, v, true);`,
  int8: (at) => `putInt8(view, ${at}, v);`,
  float4: (at) => `view.setFloat32(${at}, v, true);`,
  float8: (at) => `view.setFloat64(${at}, v, true);`,
  timetz: (at) => `putTimeTz(view, ${at}, v);`,
  interval: (at) => `putInterval(view, ${at}, v);`,
  uuid: (at) => `putUuid(bytes, ${at}, v);`,
  char: (at) => `bytes[${at}] = v.length === 0 ? 0 : v.charCodeAt(0);`,
};
/** The function (of `rowWriters`) that writes `v` at `p`. */
export const VAR_WRITERS: Partial<Record<StorageClass, string>> = {
  text: 'putText', bpchar: 'putBpchar', bytea: 'putBytea', numeric: 'putNumeric', container: 'putContainer',
};

/** Text as UTF-8 at `p`; the end, or -1 when there might be no room. Short ASCII needs no call. */
function putText(bytes: Buffer, text: string, p: number): number {
  const { length } = text;
  if (length <= 24 && p + length <= bytes.length) {
    let i = 0;
    for (; i < length; i++) {
      const c = text.charCodeAt(i);
      if (c > 127) break;
      bytes[p + i] = c;
    }
    if (i === length) return p + length;
  }
  if (p + length * 3 > bytes.length) {
    if (p + Buffer.byteLength(text) > bytes.length) return -1;
  }
  return p + bytes.utf8Write(text, p);
}

const MANY_BLANKS = 255;

/** char(n): its trailing blanks are counted, not stored. */
function putBpchar(bytes: Buffer, text: string, p: number): number {
  let { length } = text;
  while (length > 0 && text.charCodeAt(length - 1) === 32) length--;
  const blanks = text.length - length;
  if (length > 0 && (p = putText(bytes, blanks === 0 ? text : text.slice(0, length), p)) < 0) return -1;
  return putBlanks(bytes, blanks, p);
}

/** The count of blanks behind a char(n); the end, or -1 when there is no room. */
export function putBlanks(bytes: Buffer, blanks: number, p: number): number {
  if (p + 5 > bytes.length) return -1;
  if (blanks >= MANY_BLANKS) p = bytes.writeUInt32LE(blanks, p);
  bytes[p] = blanks < MANY_BLANKS ? blanks : MANY_BLANKS;
  return p + 1;
}

/** The bytes of char(n) from `start` to `end`. */
function readBpchar(bytes: Buffer, start: number, end: number): string {
  const last = bytes[end - 1]!;
  if (last === MANY_BLANKS) return bytes.utf8Slice(start, end - 5) + ' '.repeat(bytes.readUInt32LE(end - 5));
  const blanks = (BLANKS[last] ??= ' '.repeat(last));
  return end - 1 === start ? blanks : last === 0 ? bytes.utf8Slice(start, end - 1) : bytes.utf8Slice(start, end - 1) + blanks;
}
const BLANKS: string[] = [''];

function putBytea(bytes: Buffer, value: Uint8Array, p: number): number {
  if (p + value.length > bytes.length) return -1;
  bytes.set(value, p);
  return p + value.length;
}

function putNumeric(bytes: Buffer, value: Numeric, p: number): number {
  return p + numericBytesBound(value) > bytes.length ? -1 : encodeNumeric(value, bytes, p);
}

function putContainer(bytes: Buffer, value: Datum, p: number): number {
  return putBytea(bytes, encodeContainer(value), p);
}

function putInt8(view: DataView, at: number, value: number | bigint): void {
  if (typeof value === 'number') {
    view.setUint32(at, value >>> 0, true);
    view.setInt32(at + 4, Math.floor(value / 4294967296), true);
  } else {
    view.setBigInt64(at, value, true);
  }
}

function putTimeTz(view: DataView, at: number, value: TimeTz): void {
  putInt8(view, at, value.time);
  view.setInt32(at + 8, value.zone, true);
}

function putInterval(view: DataView, at: number, value: Interval): void {
  putInt8(view, at, value.time);
  view.setInt32(at + 8, value.days, true);
  view.setInt32(at + 12, value.months, true);
}

const hexDigit = (code: number): number => (code >= 97 ? code - 87 : code >= 65 ? code - 55 : code - 48);
function putUuid(bytes: Buffer, at: number, value: string): void {
  for (let i = 0, p = at; i < 36; i += 2) {
    if (i === 8 || i === 13 || i === 18 || i === 23) i++;
    bytes[p++] = (hexDigit(value.charCodeAt(i)) << 4) | hexDigit(value.charCodeAt(i + 1));
  }
}

/** What the generated texts above call. */
export const rowWriters = { putText, putBpchar, putBytea, putNumeric, putContainer, putInt8, putUuid, putTimeTz, putInterval };
/** Variable data of a row whose var ends are u16. */
export const MAX_NARROW_BYTES = 65535;

/** A row that is large: u32 var ends where they are needed, in a buffer as big as it takes. */
function formWideRow(layout: Layout, values: readonly Datum[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let varBytes = 0;
  for (const c of layout.columns) {
    const value = values[c.attnum - 1] ?? null;
    if (c.varIndex < 0) continue;
    const part = value === null ? EMPTY : variableBytes(c.storage, value);
    parts.push(part);
    varBytes += part.length;
  }
  // The fixed part as the narrow former writes it, with the variable columns empty.
  const fixedOnly = values.map((v, i) => (layout.columns[i]!.varIndex < 0 || v === null ? v : layout.columns[i]!.storage === 'text' ? '' : EMPTY));
  const narrowLayout = new Layout(layout.columns.map((c) => (c.varIndex < 0 ? c : { ...c, storage: c.storage === 'text' ? 'text' as const : 'bytea' as const })));
  const head = Buffer.allocUnsafeSlow(layout.varDataStart);
  narrowLayout.form(fixedOnly, head, new DataView(head.buffer), 0);
  const wide = varBytes > 65535;
  const endBytes = wide ? 4 : 2;
  const dataStart = layout.varEndsStart + endBytes * layout.varCount;
  const row = Buffer.allocUnsafeSlow(dataStart + varBytes);
  head.copy(row, 0, 0, layout.varEndsStart);
  if (wide) row.writeUInt16LE(layout.attributeCount | ROW_WIDE, 4);
  let end = 0;
  for (let i = 0; i < parts.length; i++) {
    row.set(parts[i]!, dataStart + end);
    end += parts[i]!.length;
    if (wide) row.writeUInt32LE(end, layout.varEndsStart + 4 * i);
    else row.writeUInt16LE(end, layout.varEndsStart + 2 * i);
  }
  return new Uint8Array(row.buffer);
}

const EMPTY = new Uint8Array(0);

function variableBytes(storage: StorageClass, value: Datum): Uint8Array {
  switch (storage) {
    case 'text': return Buffer.from(value as string, 'utf8');
    case 'bpchar': {
      expectBytes((value as string).length * 3);
      const bytes = Buffer.allocUnsafeSlow((value as string).length * 3 + 5);
      return bytes.subarray(0, putBpchar(bytes, value as string, 0));
    }
    case 'bytea': return value as Uint8Array;
    case 'numeric': {
      const bytes = Buffer.allocUnsafeSlow(numericBytesBound(value as Numeric));
      return bytes.subarray(0, encodeNumeric(value as Numeric, bytes, 0));
    }
    default: return Uint8Array.from(encodeContainer(value));
  }
}

// --- Reading rows ------------------------------------------------------------------------------------------------

/** Column `attnum` of the row at `rowOffset`. `view` looks at the same memory as `bytes`, from the same byte on. */
export function readColumn(bytes: Buffer, view: DataView, rowOffset: number, layout: RowLayout, attnum: number): Datum {
  const header = view.getUint16(rowOffset + 4, true);
  const count = header & ~ROW_WIDE;
  if (count !== layout.attributeCount) {
    if (attnum > count) return layout.columns[attnum - 1]!.missing ?? null;
    layout = (layout as Layout).prefix(count);
  }
  return readPresent(bytes, view, rowOffset, layout, layout.columns[attnum - 1]!, header >= ROW_WIDE);
}

/** All columns, [attnum - 1]. */
export function readRow(bytes: Buffer, view: DataView, rowOffset: number, layout: RowLayout): Datum[] {
  const header = view.getUint16(rowOffset + 4, true);
  if (header === layout.attributeCount) return (layout as Layout).read(bytes, view, rowOffset);
  const count = header & ~ROW_WIDE;
  const present = layoutFor(layout, count);
  const wide = header >= ROW_WIDE;
  const values: Datum[] = [];
  const { columns } = present;
  for (let i = 0; i < columns.length; i++) values.push(readPresent(bytes, view, rowOffset, present, columns[i]!, wide));
  for (let i = count; i < layout.attributeCount; i++) values.push(layout.columns[i]!.missing ?? null);
  return values;
}

const READERS: Partial<Record<StorageClass, (at: string) => string>> = {
  bool: (at) => `bytes[${at}] !== 0`,
  int2: (at) => `view.getInt16(${at}, true)`,
  int4: (at) => `view.getInt32(${at}, true)`,
  oid: (at) => `view.getUint32(${at}, true)`,
  int8: (at) => `readInt8(view, ${at})`,
  float4: (at) => `view.getFloat32(${at}, true)`,
  float8: (at) => `view.getFloat64(${at}, true)`,
};

/** One function per layout, as compileFormer. */
function compileReader(layout: Layout): RowReader {
  const lines: string[] = [];
  for (let i = 0; i < layout.fixedStart - ROW_HEADER_BYTES; i++) lines.push(`const n${i} = bytes[row + ${ROW_HEADER_BYTES + i}];`);
  const columns = layout.columns.map((c) => {
    const bit = c.attnum - 1;
    const fixed = READERS[c.storage];
    const text = c.storage === 'text' ? 'readVarText' : c.storage === 'bpchar' ? 'readVarBpchar' : '';
    const read = fixed !== undefined ? fixed(`row + ${c.offset}`)
      : text !== '' ? `${text}(bytes, view, row + ${layout.varEndsStart}, ${c.varIndex}, row + ${layout.varDataStart})`
      : `readPresent(bytes, view, row, layout, layout.columns[${bit}], false)`;
    return `(n${bit >> 3} & ${1 << (bit & 7)}) !== 0 ? null : ${read}`;
  });
  const body = `return function readRow(bytes, view, row) {\n${lines.join('\n')}\nreturn [\n${columns.join(',\n')}];\n};`;
  const make = new Function('layout', 'readPresent', 'readInt8', 'readVarText', 'readVarBpchar', body);
  return make(layout, readPresent, readInt8, readVarText, readVarBpchar) as RowReader;
}

function readPresent(bytes: Buffer, view: DataView, row: number, layout: RowLayout, column: ColumnLayout, wide: boolean): Datum {
  const bit = column.attnum - 1;
  if ((bytes[row + ROW_HEADER_BYTES + (bit >> 3)]! & (1 << (bit & 7))) !== 0) return null;
  const at = row + column.offset;
  switch (column.storage) {
    case 'bool': return bytes[at] !== 0;
    case 'int2': return view.getInt16(at, true);
    case 'int4': return view.getInt32(at, true);
    case 'oid': return view.getUint32(at, true);
    case 'int8': return readInt8(view, at);
    case 'float4': return view.getFloat32(at, true);
    case 'float8': return view.getFloat64(at, true);
    case 'timetz': return new TimeTz(Number(view.getBigInt64(at, true)), view.getInt32(at + 8, true));
    case 'interval': return new Interval(view.getInt32(at + 12, true), view.getInt32(at + 8, true), readInt8(view, at));
    case 'uuid': return readUuid(bytes, at);
    case 'char': return bytes[at] === 0 ? '' : String.fromCharCode(bytes[at]!);
    default:
  }
  const index = column.varIndex;
  const ends = row + layout.varEndsStart;
  let start: number, end: number, data: number;
  if (wide) {
    data = ends + 4 * layout.varCount;
    start = index === 0 ? data : data + view.getUint32(ends + 4 * index - 4, true);
    end = data + view.getUint32(ends + 4 * index, true);
  } else {
    data = row + layout.varDataStart;
    start = index === 0 ? data : data + view.getUint16(ends + 2 * index - 2, true);
    end = data + view.getUint16(ends + 2 * index, true);
  }
  switch (column.storage) {
    case 'text': return bytes.utf8Slice(start, end);
    case 'bpchar': return readBpchar(bytes, start, end);
    case 'bytea': return new Uint8Array(bytes.subarray(start, end));
    case 'numeric': return decodeNumeric(bytes, start, end);
    case 'container': return decodeContainer(bytes, view, start);
    default: throw internalError(`unknown storage class ${column.storage as string}`);
  }
}

/** Variable column number `index` of a row whose var ends (u16) start at `ends` and its data at `data`. */
export function readVarText(bytes: Buffer, view: DataView, ends: number, index: number, data: number): string {
  return bytes.utf8Slice(index === 0 ? data : data + view.getUint16(ends + 2 * index - 2, true), data + view.getUint16(ends + 2 * index, true));
}
export function readVarBpchar(bytes: Buffer, view: DataView, ends: number, index: number, data: number): string {
  return readBpchar(bytes, index === 0 ? data : data + view.getUint16(ends + 2 * index - 2, true), data + view.getUint16(ends + 2 * index, true));
}

/** An i64 as an Int8: a number while it is safe. */
function readInt8(view: DataView, at: number): number | bigint {
  const high = view.getInt32(at + 4, true);
  if (high >= -0x200000 && high < 0x200000) {
    const value = high * 4294967296 + view.getUint32(at, true);
    if (value !== -9007199254740992) return value;
  }
  return int8(view.getBigInt64(at, true));
}

function readUuid(bytes: Buffer, at: number): string {
  const hex = bytes.toString('hex', at, at + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** How many bytes the row at `offset` has. */
export function rowLength(view: DataView, offset: number, layout: RowLayout): number {
  const header = view.getUint16(offset + 4, true);
  const present = layoutFor(layout, header & ~ROW_WIDE);
  const ends = offset + present.varEndsStart;
  if (present.varCount === 0) return present.varDataStart;
  return header >= ROW_WIDE
    ? present.varEndsStart + 4 * present.varCount + view.getUint32(ends + 4 * present.varCount - 4, true)
    : present.varDataStart + view.getUint16(ends + 2 * present.varCount - 2, true);
}
