// pg_lsn (a place in a log this system does not have; the type is there for its values) and pg_snapshot.
import { PgError } from '../../common/errors.ts';
import { registerComparison } from './compare.ts';
import { int8, type Datum, type Int8 } from './datum.ts';
import { invalidInput } from './errors.ts';
import { registerBuiltins, type PureFunction } from './fmgr.ts';
import { addNumeric, FINITE, makeNumeric, NAN, type Numeric, roundTo, subtractNumeric } from './numeric.ts';
import { compareUint64 } from './oid.ts';
import { decodeUtf8, sendInt32, sendInt64, WireReader } from './wire.ts';

const MAX = (1n << 64n) - 1n;
/** Kept in eight bytes, the upper half of the places as negative numbers. */
const stored = (lsn: bigint): Int8 => int8(BigInt.asIntN(64, lsn));
const placeOf = (lsn: Int8): bigint => BigInt.asUintN(64, BigInt(lsn));
const LSN = /^([0-9a-f]{1,8})\/([0-9a-f]{1,8})$/i;

export function lsnIn(text: string): Int8 {
  const match = LSN.exec(text);
  if (match === null) throw invalidInput('pg_lsn', text);
  return stored((BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`));
}

const lsnOut = (lsn: Int8): string => {
  const bits = placeOf(lsn);
  return `${(bits >> 32n).toString(16).toUpperCase()}/${(bits & 0xffffffffn).toString(16).toUpperCase()}`;
};

const integerOf = (value: Numeric): bigint => roundTo(value, 0).coefficient;
const moved = (lsn: bigint): Int8 => {
  if (lsn < 0n || lsn > MAX) throw new PgError('invalid_parameter_value', 'pg_lsn out of range');
  return stored(lsn);
};

function checkFinite(value: Numeric, phrase: string): void {
  if (value.special === FINITE) return;
  throw new PgError('feature_not_supported', value.special === NAN ? phrase : 'cannot convert infinity to pg_lsn');
}

function plus(lsn: Int8, bytes: Numeric): Int8 {
  checkFinite(bytes, 'cannot add NaN to pg_lsn');
  return moved(integerOf(addNumeric(makeNumeric(placeOf(lsn), 0), bytes)));
}

// --- pg_snapshot

/** The transactions before xmin are done, those from xmax on have not begun; of those between, `xip` are running. */
export class PgSnapshot {
  readonly xmin: bigint;
  readonly xmax: bigint;
  readonly xip: readonly bigint[];
  constructor(xmin: bigint, xmax: bigint, xip: readonly bigint[]) {
    this.xmin = xmin;
    this.xmax = xmax;
    this.xip = xip;
  }
}

const UINT64_MAX = 18446744073709551615n;
/** The lower half of none is 0 (FullTransactionIdIsValid). */
const isValidXid = (xid: bigint): boolean => (xid & 0xffffffffn) !== 0n;
const SNAPSHOT = /^(\d+):(\d+):((?:\d+(?:,\d+)*)?)$/;

function snapshotIn(text: string): PgSnapshot {
  const invalid = (): PgError => invalidInput('pg_snapshot', text);
  const match = SNAPSHOT.exec(text);
  if (match === null) throw invalid();
  const xmin = BigInt(match[1]!), xmax = BigInt(match[2]!);
  if (!isValidXid(xmin) || !isValidXid(xmax) || xmin > xmax || xmax > UINT64_MAX) throw invalid();
  const xip: bigint[] = [];
  let last = 0n;
  for (const part of match[3] === '' ? [] : match[3]!.split(',')) {
    const xid = BigInt(part);
    if (xid < xmin || xid >= xmax || xid < last) throw invalid();
    if (xid !== last) xip.push(xid);
    last = xid;
  }
  return new PgSnapshot(xmin, xmax, xip);
}

const snapshotOut = ({ xmin, xmax, xip }: PgSnapshot): string => `${xmin}:${xmax}:${xip.join(',')}`;

function snapshotReceive(bytes: Uint8Array): PgSnapshot {
  const reader = new WireReader(bytes);
  const count = reader.int32();
  const xmin = reader.uint64(), xmax = reader.uint64();
  const xip: bigint[] = [];
  for (let i = 0; i < count; i++) xip.push(reader.uint64());
  reader.end();
  if (!isValidXid(xmin) || !isValidXid(xmax) || xmax < xmin || xip.some((xid, i) => xid < xmin || xid >= xmax || (i > 0 && xid < xip[i - 1]!))) {
    throw new PgError('invalid_binary_representation', 'invalid external pg_snapshot data');
  }
  return new PgSnapshot(xmin, xmax, [...new Set(xip)]);
}

function visible(xid: Int8, snapshot: PgSnapshot): boolean {
  const value = BigInt.asUintN(64, BigInt(xid));
  return value < snapshot.xmin || (value < snapshot.xmax && !snapshot.xip.includes(value));
}

/** Stored as its text. */
export const snapshotCodec = {
  number: 4,
  type: PgSnapshot,
  encode: (value: PgSnapshot): Uint8Array => Buffer.from(snapshotOut(value)),
  decode: (bytes: Uint8Array): PgSnapshot => snapshotIn(decodeUtf8(bytes)),
};

registerComparison(3220, { compare: compareUint64, equals: (a: Datum, b: Datum) => a === b, hashKey: (lsn: Int8) => lsn });

const pure: Record<string, PureFunction> = {
  pg_lsn_in: lsnIn, pg_lsn_out: lsnOut, pg_lsn_send: sendInt64,
  pg_lsn_recv: (bytes: Uint8Array) => {
    const reader = new WireReader(bytes);
    const lsn = stored(reader.uint64());
    reader.end();
    return lsn;
  },
  pg_lsn_cmp: compareUint64,
  pg_lsn_eq: (a: Int8, b: Int8) => a === b, pg_lsn_ne: (a: Int8, b: Int8) => a !== b, pg_lsn_lt: (a: Int8, b: Int8) => compareUint64(a, b) < 0,
  pg_lsn_le: (a: Int8, b: Int8) => compareUint64(a, b) <= 0, pg_lsn_gt: (a: Int8, b: Int8) => compareUint64(a, b) > 0, pg_lsn_ge: (a: Int8, b: Int8) => compareUint64(a, b) >= 0,
  pg_lsn_larger: (a: Int8, b: Int8) => (compareUint64(a, b) > 0 ? a : b), pg_lsn_smaller: (a: Int8, b: Int8) => (compareUint64(a, b) < 0 ? a : b),
  pg_lsn_mi: (a: Int8, b: Int8) => makeNumeric(placeOf(a) - placeOf(b), 0),
  pg_wal_lsn_diff: (a: Int8, b: Int8) => makeNumeric(placeOf(a) - placeOf(b), 0),
  pg_lsn_pli: plus,
  pg_lsn_mii: (lsn: Int8, bytes: Numeric) => {
    checkFinite(bytes, 'cannot subtract NaN from pg_lsn');
    // The difference is rounded, not what is taken away.
    return moved(-integerOf(subtractNumeric(bytes, makeNumeric(placeOf(lsn), 0))));
  },
  numeric_pg_lsn: (value: Numeric) => {
    checkFinite(value, 'cannot convert NaN to pg_lsn');
    return moved(integerOf(value));
  },
  pg_snapshot_in: snapshotIn, pg_snapshot_out: snapshotOut, pg_snapshot_recv: snapshotReceive,
  pg_snapshot_send: ({ xmin, xmax, xip }: PgSnapshot) => Buffer.concat([sendInt32(xip.length), ...[xmin, xmax, ...xip].map((xid) => sendInt64(xid))]),
  pg_snapshot_xmin: (snapshot: PgSnapshot) => int8(snapshot.xmin),
  pg_snapshot_xmax: (snapshot: PgSnapshot) => int8(snapshot.xmax),
  pg_visible_in_snapshot: visible,
};

registerBuiltins({ pure, set: { pg_snapshot_xip: (_context, snapshot: PgSnapshot) => snapshot.xip.map((xid) => int8(xid)) } });
