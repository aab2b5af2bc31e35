// Frontends that use the simple protocol send the same statement with other values over and over. Here the
// literals of a statement are lifted out of its text: what remains, its shape, finds the plans made for earlier
// ones, and the literals become the values of such a plan's slots (see Const.slot). Plain integers of up to nine
// digits are lifted, so their type is int4 whatever they are; and strings and decimal numbers, which are read anew for each run as
// what the analysis took them for. Whoever decides anything by such a value when the plan is made (ORDER BY 1, LIMIT) pins it
// (`pinLiteral`): the plan is for this value. Statistics are asked about it, too, and the plan holds while they say much the same
// (`session.literalEstimates`).

export type Literal = number | string;

/** What remains of a text without its literals is its shape. It is not made: two texts are compared where they stand. */
export interface LiftedText {
  readonly text: string;
  /** Where the statement begins and ends in the text. */
  readonly from: number;
  readonly to: number;
  /** Of the shape. */
  readonly hash: number;
  readonly values: Literal[];
  /** Where each literal stood, in UTF-16 units, and ended. */
  readonly offsets: number[];
  readonly ends: number[];
}

import type { RawNode, RawStmt } from '../parser/raw_parser.ts';

const MAX_LENGTH = 4000;
const MAX_DIGITS = 9;
const MAX_NAME = 63;

const isDigit = (c: number): boolean => c >= 48 && c <= 57;
const isWordStart = (c: number): boolean => (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95;
const isWord = (c: number): boolean => isWordStart(c) || isDigit(c) || c === 36;

/** Null when the text is not of the kind this is meant for, or has nothing to lift. */
export function liftLiterals(text: string): LiftedText | null {
  if (text.length > MAX_LENGTH || !isLiftable(text, 0)) return null;
  const lifted = liftStatement(text, 0);
  return lifted === null || lifted.values.length === 0 || lifted.to < text.length ? null : lifted;
}

/** Whether the statement that begins there may be one of those: select update insert delete. */
export function isLiftable(text: string, from: number): boolean {
  const first = text.charCodeAt(from) | 32;
  return first === 115 || first === 117 || first === 105 || first === 100;
}

/** The same for the statement that begins at `from`, which may have nothing to lift, up to the next one. Null: it is not simple. */
export function liftStatement(text: string, from: number): LiftedText | null {
  const n = text.length, values: Literal[] = [], offsets: number[] = [], ends: number[] = [];
  let i = from, hash = 0;
  while (i < n) {
    if (i - from > MAX_LENGTH) return null;
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
      let next = text.charCodeAt(i);
      if (next === 46 && isDigit(text.charCodeAt(i + 1))) {
        do next = text.charCodeAt(++i); while (isDigit(next));
        if (next === 46 || isWord(next)) return null;
        values.push(text.slice(start, i));
        offsets.push(start);
        ends.push(i);
        hash = (Math.imul(hash, 31) + 46) | 0;
        continue;
      }
      if (next === 46 || isWord(next)) return null; // 1.5, 1e5, 0x1f, 1_000
      if (i - start > MAX_DIGITS || (start > from && text.charCodeAt(start - 1) === 46)) {
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
        if (c === 34) {
          i = end + 1;
          break;
        }
        const literal = readString(text, i, end);
        if (literal === null) return null;
        values.push(literal.value);
        offsets.push(i);
        ends.push(literal.end);
        i = literal.end;
        break;
      }
      case 45: case 47: // comments
        if (text.charCodeAt(i + 1) === (c === 45 ? 45 : 42)) return null;
        i++;
        break;
      case 59: // one statement only
        do if (++i === n) break; while (text.charCodeAt(i) <= 32);
        return { text, from, to: i, hash: hash & 0x3fffffff, values, offsets, ends };
      case 36: case 1: return null; // $1, $$text$$
      default:
        if (c > 127) return null;
        i++;
    }
  }
  return { text, from, to: n, hash: hash & 0x3fffffff, values, offsets, ends };
}

/** The string that begins at `start`; `quote` is the first one behind it. Null: it has a backslash, which may mean something, or goes on
 * in the next line. */
function readString(text: string, start: number, quote: number): { value: string; end: number } | null {
  let end = quote, isDoubled = false;
  while (text.charCodeAt(end + 1) === 39) {
    isDoubled = true;
    end = text.indexOf('\'', end + 2);
    if (end < 0) return null;
  }
  const body = text.slice(start + 1, end);
  if (body.includes('\\') || body.includes('\0')) return null;
  let next = end + 1;
  while (text.charCodeAt(next) <= 32) next++;
  return text.charCodeAt(next) === 39 ? null : { value: isDoubled ? body.replaceAll('\'\'', '\'') : body, end: end + 1 };
}

/** Whether two texts differ in their literals only. */
export function sameShape(a: LiftedText, b: LiftedText): boolean {
  const n = a.offsets.length;
  if (n !== b.offsets.length || a.hash !== b.hash) return false;
  for (let part = 0, i = a.from, j = b.from; part <= n; part++) {
    const end = part < n ? a.offsets[part]! : a.to, length = end - i;
    if ((part < n ? b.offsets[part]! : b.to) - j !== length) return false;
    if (part < n && kindOf(a, part) !== kindOf(b, part)) return false;
    for (; i < end; i++, j++) if (a.text.charCodeAt(i) !== b.text.charCodeAt(j)) return false;
    if (part < n) {
      i = a.ends[part]!;
      j = b.ends[part]!;
    }
  }
  return true;
}

/** Integers, decimal numbers and strings are different shapes. */
const kindOf = ({ text, values, offsets }: LiftedText, i: number): string => (text.charCodeAt(offsets[i]!) === 39 ? 'text' : typeof values[i]);

/** A literal as it is with the minus sign before it. */
export const withSign = (literal: Literal, negated: boolean | undefined): Literal => (negated !== true ? literal : typeof literal === 'number' ? -literal : `-${literal}`);

/** A copy of a raw tree with every A_Const as `change` makes it. */
function mapConstants(raw: RawStmt, change: (node: RawNode) => RawNode): RawStmt {
  const visit = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(visit);
    if (typeof node !== 'object' || node === null) return node;
    const from = node as RawNode;
    if (from.tag === 'A_Const') return change(from);
    const copy: Record<string, unknown> = {};
    for (const key in from) copy[key] = key === 'limitCount' ? from[key] : visit(from[key]);
    return copy;
  };
  return { ...raw, stmt: visit(raw.stmt) as RawNode };
}

export interface Assigned {
  readonly raw: RawStmt;
  readonly negated: readonly boolean[];
  /** Literals without a constant of their own: a part of a type's name, say. */
  readonly pinned: readonly number[];
}

/**
 * A copy of a statement's raw tree in which every lifted literal's A_Const carries its slot, and for each slot whether
 * the grammar has folded a minus sign into it (the constant then stands where the sign does). LIMIT keeps its own.
 */
export function assignSlots(raw: RawStmt, text: string, lifted: LiftedText): Assigned {
  const slots = new Map<number, number>(), places = new Map<number, number>();
  const negated = lifted.offsets.map(() => false);
  const byteOf = Buffer.byteLength(text) === text.length ? (i: number): number => i : (i: number): number => Buffer.byteLength(text.slice(0, i));
  lifted.offsets.forEach((offset, slot) => {
    const place = byteOf(offset);
    slots.set(place, slot);
    places.set(slot, place);
    let before = offset - 1;
    while (before > 0 && text.charCodeAt(before) <= 32) before--;
    if (text.charCodeAt(before) === 45) slots.set(byteOf(before), slot);
  });
  const found = new Set<number>();
  const tagged = mapConstants(raw, (node) => {
    const slot = CONSTANTS.has(node['ctype'] as string) ? slots.get(node.location ?? -1) : undefined;
    if (slot === undefined) return node;
    const negative = node.location !== places.get(slot);
    if (node['value'] !== withSign(lifted.values[slot]!, negative)) return node;
    negated[slot] = negative;
    found.add(slot);
    return { ...node, slot };
  });
  return { raw: tagged, negated, pinned: lifted.values.flatMap((_v, slot) => (found.has(slot) ? [] : [slot])) };
}

const CONSTANTS = new Set(['integer', 'float', 'string']);

/** The same tree with the slots' present values, to analyze it again. */
export function withSlotValues(raw: RawStmt, literals: readonly Literal[]): RawStmt {
  return mapConstants(raw, (node) => (node['slot'] === undefined ? node : { ...node, value: literals[node['slot']] }));
}
/** The same tree with these values for good. */
export function withLiterals(raw: RawStmt, literals: readonly Literal[]): RawStmt {
  return mapConstants(raw, ({ slot, ...node }) => (slot === undefined ? node : { ...node, value: literals[slot] }) as RawNode);
}
