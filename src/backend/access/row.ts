// Row bytes and block bytes. This file owns the format; generated scan code (executor) reads columns straight
// from a block by these rules, everyone else calls the functions here. All numbers are little-endian.
//
// Block, one LMDB value under (relation filenode, block number):
//   offset  size          field
//   0       u8            format, 1
//   1       u8            flags: BLOCK_WIDE 1: slot offsets are u32 (block beyond 64 kB)
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
// So a column's place is a function of the attribute types before it and of the row's number of attributes alone:
// fixed columns at a constant offset, variable ones at an offset found in constant time. A row with fewer
// attributes than the relation has (written before ALTER TABLE ADD COLUMN) gives `Attribute.missing` for the rest.
// Dropped columns keep their place and are NULL in new rows.
//
// How a type is stored (`StorageClass`):
//   bool u8 | int2 i16 | int4, date i32 | oid-like u32 | int8, timestamp(tz), time, money i64 | float4 f32 |
//   float8 f64 | timetz i64 time + i32 zone | interval i64 time + i32 days + i32 months | uuid 16 bytes |
//   "char" u8 | everything else variable: text-like UTF-8; bytea as is; numeric and containers by access/value.ts.
//
// A row id is one number: block * 65536 + slot. Blocks of rows that are not committed yet (they live in the write
// set only) are numbered from PROVISIONAL_BLOCK up; the transaction manager gives the rows their real place.
import type { Datum, Oid } from '../types/datum.ts';

export const BLOCK_HEADER_BYTES = 8;
export const BLOCK_WIDE = 1;
export const ROW_WIDE = 0x8000;
export const ROW_HEADER_BYTES = 6;
/** A block is filled up to this many bytes, so that with LMDB's 16-byte overflow header it takes one page. */
export const BLOCK_TARGET_BYTES = 4080;
export const PROVISIONAL_BLOCK = 0x80000000;
export const MAX_SLOTS = 65535;

export type RowId = number;
export const rowIdOf = (block: number, slot: number): RowId => block * 65536 + slot;
export const blockOf = (rowId: RowId): number => Math.floor(rowId / 65536);
export const slotOf = (rowId: RowId): number => rowId % 65536;

export type StorageClass =
  | 'bool' | 'int2' | 'int4' | 'oid' | 'int8' | 'float4' | 'float8' | 'timetz' | 'interval' | 'uuid' | 'char'
  | 'text' | 'bytea' | 'numeric' | 'container';

export const STORAGE_BYTES: Record<StorageClass, number> = {
  bool: 1, int2: 2, int4: 4, oid: 4, int8: 8, float4: 4, float8: 8, timetz: 12, interval: 16, uuid: 16, char: 1,
  text: -1, bytea: -1, numeric: -1, container: -1,
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
