// How many bytes a value takes in PostgreSQL's own form: what pg_column_size tells, and ANALYZE takes for a column's width. Nothing
// here is stored that way.
import type { PgType } from '../catalog/rows.ts';
import { typeByOid } from '../catalog/syscache.ts';
import { utf8Length } from '../types/characters.ts';
import type { ArrayValue, Datum, MultirangeValue, Oid, RangeValue, RecordValue } from '../types/datum.ts';
import { type FunctionContext, registerBuiltins } from '../types/fmgr.ts';
import type { Path, Polygon } from '../types/geo_types.ts';
import { typeHooks } from '../types/hooks.ts';
import type { Inet } from '../types/inet_text.ts';
import type { JsonbValue } from '../types/jsonb.ts';
import { jsonbSize, numericSize } from '../types/jsonb_layout.ts';
import type { Numeric } from '../types/numeric.ts';
import * as T from '../types/oids.ts';
import type { PgSnapshot } from '../types/pg_lsn.ts';
import type { QueryNode, TsQuery } from '../types/tsquery.ts';
import type { TsVector } from '../types/tsvector.ts';

const HEADER = 4, MAX_SHORT = 127;
export const ALIGNMENTS: Readonly<Record<string, number>> = { c: 1, s: 2, i: 4, d: 8 };
export const align = (at: number, bytes: number): number => Math.ceil(at / bytes) * bytes;

/** In bytes, a header of four among them. */
export function datumSize(value: Datum, typeOid: Oid): number {
  const type = typeByOid(typeOid)!;
  if (type.typlen > 0) return type.typlen;
  if (type.typtype === 'd') return datumSize(value, type.typbasetype);
  if (type.typlen === -2) return utf8Length(value as string) + 1;
  const own = SIZES[type.typtype === 'r' || type.typtype === 'm' ? type.typtype : typeOid];
  if (own !== undefined) return own(value as never);
  if (type.typtype === 'c') return recordSize(value as RecordValue);
  // What pg_statistic has of a column is an anyarray.
  if (type.typelem !== 0 || typeOid === T.ANYARRAYOID) return arraySize(value as ArrayValue);
  if (typeof value === 'string') return HEADER + utf8Length(value);
  if (value instanceof Uint8Array) return HEADER + value.length;
  const io = typeHooks.typeIo(typeOid);
  // Not every type has a binary form.
  return HEADER + (type.typsend === 0 ? utf8Length(io.output(value)) : io.send(value).length);
}

const hasShortHeader = (size: number, { typlen, typstorage }: PgType): boolean => typlen === -1 && typstorage !== 'p' && size - 3 <= MAX_SHORT;

/** In a row: short values have a header of one byte. */
export function storedSize(value: Datum, typeOid: Oid): number {
  const size = datumSize(value, typeOid);
  return hasShortHeader(size, typeByOid(typeOid)!) ? size - 3 : size;
}

/** Where a value ends that is put behind `at` bytes of a row or a range. */
function placed(at: number, value: Datum, typeOid: Oid): number {
  const type = typeByOid(typeOid)!, size = datumSize(value, typeOid);
  return hasShortHeader(size, type) ? at + size - 3 : align(at, ALIGNMENTS[type.typalign]!) + size;
}

function arraySize({ elementType, dims, values }: ArrayValue): number {
  if (dims.length === 0) return 16;
  const { typalign } = typeByOid(elementType)!;
  const bitmap = values.includes(null) ? Math.ceil(values.length / 8) : 0;
  return values.reduce<number>((at, v) => (v === null ? at : align(at + datumSize(v, elementType), ALIGNMENTS[typalign]!)), align(16 + 8 * dims.length + bitmap, 8));
}

function recordSize({ attributes, values }: RecordValue): number {
  const header = align(23 + (values.includes(null) ? Math.ceil(values.length / 8) : 0), 8);
  return header + values.reduce<number>((at, v, i) => (v === null ? at : placed(at, v, attributes[i]!.typeOid)), 0);
}

function rangeSize({ typeOid, lower, upper }: RangeValue): number {
  const { subtype } = typeHooks.rangeInfo(typeOid);
  return [lower, upper].reduce<number>((at, bound) => (bound === null ? at : placed(at, bound, subtype)), 8) + 1;
}

function multirangeSize({ ranges }: MultirangeValue): number {
  if (ranges.length === 0) return 12;
  const { typalign } = typeByOid(typeHooks.rangeInfo(ranges[0]!.typeOid).subtype)!;
  const bytes = typalign === 'd' ? 8 : 4;
  return ranges.reduce((at, r) => at + align(rangeSize(r) - 9, bytes), align(12 + 5 * ranges.length - 4, bytes));
}

const lexemesSize = ({ lexemes }: TsVector): number =>
  lexemes.reduce((at, { text, positions }) => (positions.length === 0 ? at + utf8Length(text) : align(at + utf8Length(text), 2) + 2 + 2 * positions.length), 8 + 4 * lexemes.length);

function querySize(node: QueryNode | null): number {
  if (node === null) return 0;
  if (node.op === 'value') return 12 + utf8Length(node.text) + 1;
  return 12 + (node.op === '!' ? querySize(node.arg) : querySize(node.left) + querySize(node.right));
}

const SIZES: Readonly<Record<string | number, (value: never) => number>> = {
  [T.NUMERICOID]: (value: Numeric) => numericSize(value),
  [T.JSONBOID]: (value: JsonbValue) => jsonbSize(value.root),
  [T.BITOID]: (value: string) => 8 + Math.ceil(value.length / 8),
  [T.VARBITOID]: (value: string) => 8 + Math.ceil(value.length / 8),
  [T.INETOID]: (value: Inet) => HEADER + 2 + value.bytes.length,
  [T.CIDROID]: (value: Inet) => HEADER + 2 + value.bytes.length,
  [T.PATHOID]: ({ points }: Path) => 16 + 16 * points.length,
  [T.POLYGONOID]: ({ points }: Polygon) => 40 + 16 * points.length,
  [T.TSVECTOROID]: lexemesSize,
  [T.TSQUERYOID]: ({ root }: TsQuery) => 8 + querySize(root),
  [T.PG_SNAPSHOTOID]: ({ xip }: PgSnapshot) => 24 + 8 * xip.length,
  [T.TXID_SNAPSHOTOID]: ({ xip }: PgSnapshot) => 24 + 8 * xip.length,
  [T.INT2VECTOROID]: ({ values }: ArrayValue) => 24 + 2 * values.length,
  [T.OIDVECTOROID]: ({ values }: ArrayValue) => 24 + 4 * values.length,
  [T.RECORDOID]: recordSize,
  r: rangeSize,
  m: multirangeSize,
};

registerBuiltins({
  context: { pg_column_size: (context: FunctionContext, value: Datum) => (context.ofColumn === true ? storedSize : datumSize)(value, context.argTypes[0]!) },
});
