// Frontends that use the simple protocol send the same statement with other numbers over and over. Here the integer
// literals of a statement are lifted out of its text: what remains, its shape, finds the plan made for an earlier
// one, and the literals become the values of that plan's slots (see Const.slot). Only plain integers of up to nine
// digits are lifted, so their type is int4 whatever they are; whoever decides anything by such a value when the plan
// is made (ORDER BY 1, LIMIT, statistics) clears `session.literalsLifted`, and then the plan is not kept by shape.

/** What remains of a text without its literals is its shape. It is not made: two texts are compared where they stand. */
export interface LiftedText {
  readonly text: string;
  /** Of the shape. */
  readonly hash: number;
  readonly values: number[];
  /** Where each literal stood, in UTF-16 units, and ended; the text is ASCII where it matters, or nothing is lifted. */
  readonly offsets: number[];
  readonly ends: number[];
}

import type { RawNode, RawStmt } from '../parser/raw_parser.ts';
import type { Datum } from '../types/datum.ts';

const MAX_LENGTH = 2000;
const MAX_DIGITS = 9;
const MAX_NAME = 63;

const isDigit = (c: number): boolean => c >= 48 && c <= 57;
const isWordStart = (c: number): boolean => (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95;
const isWord = (c: number): boolean => isWordStart(c) || isDigit(c) || c === 36;

/** Null when the text is not of the kind this is meant for, or has nothing to lift. */
export function liftLiterals(text: string): LiftedText | null {
  const n = text.length;
  if (n > MAX_LENGTH) return null;
  const first = text.charCodeAt(0) | 32;
  if (first !== 115 && first !== 117 && first !== 105 && first !== 100) return null; // select update insert delete
  const values: number[] = [], offsets: number[] = [], ends: number[] = [];
  let i = 0, hash = 0;
  while (i < n) {
    const c = text.charCodeAt(i);
    if (isWordStart(c)) {
      const start = i;
      for (let w = c; ;) {
        hash = (Math.imul(hash, 31) + w) | 0;
        if (++i >= n || !isWord(w = text.charCodeAt(i))) break;
      }
      if (text.charCodeAt(i) === 39) return null; // E'', B'', N'', ...
      if (i - start > MAX_NAME) return null; // each parse tells that it is cut
      continue;
    }
    if (isDigit(c)) {
      const start = i;
      let v = 0;
      while (i < n && isDigit(text.charCodeAt(i))) v = v * 10 + text.charCodeAt(i++) - 48;
      const next = text.charCodeAt(i);
      if (next === 46 || isWord(next)) return null; // 1.5, 1e5, 0x1f, 1_000
      if (i - start > MAX_DIGITS || text.charCodeAt(start - 1) === 46) {
        hash = (Math.imul(hash, 31) + i - start) | 0;
        continue;
      }
      values.push(v);
      offsets.push(start);
      ends.push(i);
      continue;
    }
    hash = (Math.imul(hash, 31) + c) | 0;
    switch (c) {
      case 39: // 'text'
      case 34: { // "name"
        const end = text.indexOf(c === 39 ? '\'' : '"', i + 1);
        if (end < 0 || (c === 34 && end - i > MAX_NAME)) return null;
        i = end + 1;
        break;
      }
      case 45: case 47: // comments
        if (text.charCodeAt(i + 1) === (c === 45 ? 45 : 42)) return null;
        i++;
        break;
      case 59: // one statement only
        do if (++i === n) break; while (text.charCodeAt(i) <= 32);
        if (i < n) return null;
        break;
      case 36: case 1: return null; // $1, $$text$$
      default:
        if (c > 127) return null;
        i++;
    }
  }
  if (values.length === 0) return null;
  return { text, hash: hash & 0x3fffffff, values, offsets, ends };
}

/** Whether two texts differ in their literals only. */
export function sameShape(a: LiftedText, b: LiftedText): boolean {
  const n = a.offsets.length;
  if (n !== b.offsets.length || a.hash !== b.hash) return false;
  for (let part = 0, i = 0, j = 0; part <= n; part++) {
    const end = part < n ? a.offsets[part]! : a.text.length, length = end - i;
    if ((part < n ? b.offsets[part]! : b.text.length) - j !== length) return false;
    for (; i < end; i++, j++) if (a.text.charCodeAt(i) !== b.text.charCodeAt(j)) return false;
    if (part < n) {
      i = a.ends[part]!;
      j = b.ends[part]!;
    }
  }
  return true;
}

/** A copy of a raw tree with every A_Const as `change` makes it. */
function mapConstants(raw: RawStmt, change: (node: RawNode) => RawNode): RawStmt {
  const visit = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(visit);
    if (typeof node !== 'object' || node === null) return node;
    const from = node as RawNode;
    if (from.tag === 'A_Const') return change(from);
    const copy: Record<string, unknown> = {};
    for (const key in from) copy[key] = visit(from[key]);
    return copy;
  };
  return { ...raw, stmt: visit(raw.stmt) as RawNode };
}

/**
 * A copy of a statement's raw tree in which every lifted literal's A_Const carries its slot, and for each slot whether
 * the grammar has folded a minus sign into it (the constant then stands where the sign does). Null when a literal is
 * not found among the constants: it was part of a type name, say, and the statement is not to be kept by shape.
 */
export function assignSlots(raw: RawStmt, text: string, lifted: LiftedText): { raw: RawStmt; negated: boolean[] } | null {
  const slots = new Map<number, number>();
  const negated = lifted.offsets.map(() => false);
  lifted.offsets.forEach((offset, slot) => {
    slots.set(offset, slot);
    let before = offset - 1;
    while (before > 0 && text.charCodeAt(before) <= 32) before--;
    if (text.charCodeAt(before) === 45) slots.set(before, slot);
  });
  const found = new Set<number>();
  const tagged = mapConstants(raw, (node) => {
    const slot = node['ctype'] === 'integer' ? slots.get(node.location ?? -1) : undefined;
    if (slot === undefined) return node;
    const negative = node.location !== lifted.offsets[slot];
    if (node['value'] !== (negative ? -lifted.values[slot]! : lifted.values[slot])) return node;
    negated[slot] = negative;
    found.add(slot);
    return { ...node, slot };
  });
  return found.size === lifted.values.length ? { raw: tagged, negated } : null;
}

/** The same tree with the slots' present values, to analyze it again. */
export function withSlotValues(raw: RawStmt, slots: readonly Datum[]): RawStmt {
  return mapConstants(raw, (node) => (node['slot'] === undefined ? node : { ...node, value: slots[node['slot']] }));
}
