// How much memory a statement's own state may take before it goes to temporary files: sorts and stores work_mem, hash
// tables a multiple of it. What has no such way out may grow, and then the statement fails alone (utils/memory_limit.ts).
import type { Datum } from '../types/datum.ts';
import { getInt, getReal } from '../utils/guc.ts';

/**
 * Hash tables may take so many times what PostgreSQL's may (work_mem * hash_mem_multiplier): writing rows away costs more
 * beside ours than beside its, and numbers take more room here.
 */
const HASH_SHARE = 8;

/** work_mem in bytes. */
export function workMemBytes(): number {
  return getInt('work_mem') * 1024;
}

/** What a hash table may take, in bytes. */
export function hashMemBytes(): number {
  return workMemBytes() * getReal('hash_mem_multiplier') * HASH_SHARE;
}

/** What a cache may take, in bytes: nothing is written away, so as much as the planner thinks. */
export function cacheMemBytes(): number {
  return hashMemBytes() / HASH_SHARE;
}

/** Bytes that a datum takes outside of its array, roughly. */
export function datumBytes(v: Datum): number {
  if (typeof v === 'string') return 16 + v.length;
  if (typeof v !== 'object' || v === null) return 0;
  if (v instanceof Uint8Array) return 96 + v.length;
  const { values } = v as { values?: readonly Datum[] };
  if (!Array.isArray(values)) return 48;
  let bytes = 96 + 8 * values.length;
  for (const each of values as Datum[]) bytes += datumBytes(each);
  return bytes;
}

/** Types whose datums are numbers or booleans, which stand in the array itself. */
const FIXED = new Set([16, 18, 20, 21, 23, 24, 26, 28, 700, 701, 1082, 1083, 1114, 1184]);
export const isFixedSize = (type: number): boolean => FIXED.has(type);
