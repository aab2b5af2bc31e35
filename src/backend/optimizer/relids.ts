// Sets of range table indexes as bigints.
import type { Relids } from './pathnodes.ts';

const BITS: bigint[] = [];
export function bit(rti: number): Relids {
  return (BITS[rti] ??= 1n << BigInt(rti));
}
export const EMPTY: Relids = 0n;
export const overlaps = (a: Relids, b: Relids): boolean => (a & b) !== 0n;
export const isSubset = (a: Relids, b: Relids): boolean => (a & b) === a;

export function members(set: Relids): number[] {
  const list: number[] = [];
  for (let i = 0, rest = set; rest !== 0n; i++, rest >>= 1n) if ((rest & 1n) !== 0n) list.push(i);
  return list;
}

/** The only member, or 0. */
export function singleton(set: Relids): number {
  if (set === 0n || (set & (set - 1n)) !== 0n) return 0;
  let i = 0;
  for (let rest = set; (rest & 1n) === 0n; rest >>= 1n) i++;
  return i;
}
