// COPY FROM's short way: a generated function that reads one line of text format and writes the row's bytes (access/row.ts)
// straight from the line's. It takes the lines that need no thought: no escapes, no surprises. Whatever else a line may
// hold, an error above all, it leaves to copy_from.ts by answering -1, so every check and message is made there once.
//
// Texts are copied byte by byte while they are ASCII, and looked at by `isUtf8` when they are not. Integers are read in
// place. Values of other types go through their input function. Columns of an index are also put into `row`.
import { isUtf8 } from 'node:buffer';
import { FIXED_WRITERS, MAX_NARROW_BYTES, STORAGE_BYTES, VAR_WRITERS, putBlanks, rowWriters, zeros } from '../access/row.ts';
import { bulkInserts } from '../access/table.ts';
import type { Attribute, Relation } from '../catalog/relation.ts';
import { addIndexEntry } from '../executor/indexing.ts';
import type { ResultRelation } from '../executor/result_relation.ts';
import { buildColumnDefault } from '../rewrite/defaults.ts';
import type { Datum } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import type { CopyOptions } from './copy_options.ts';
import type { CopyLineReader } from './copy_parse.ts';

/** Where the line begins, and after it was read, the next one. */
interface Position { bytes: Buffer; at: number }
/** Reads the line at `from.at` and writes its row at `at`; the row's end, or -1: not a line for us. */
type LineParser = (from: Position, bytes: Buffer, view: DataView, at: number) => number;

/** Reads as many plain lines as are at hand; how many rows that were. */
export type FastReader = (reader: CopyLineReader) => number;

const LF = 10, CR = 13, BACKSLASH = 92;
const INT_DIGITS: Record<number, [digits: number, maximum: number]> = { 21: [5, 32767], 23: [10, 2147483647], 20: [15, 1e15] };

/** The reader of a table's lines, or null when they need more than this can do. */
export function fastReader(relation: Relation, columns: readonly Attribute[], options: CopyOptions, target: ResultRelation): FastReader | null {
  if (options.format !== 'text' || options.nullText !== '\\N' || options.forceNull.length + options.forceNotNull.length > 0) return null;
  const indexes = target.plainIndexes;
  if (indexes === null || columns.length === 0) return null;
  for (let i = 1; i < columns.length; i++) if (columns[i]!.attnum <= columns[i - 1]!.attnum) return null;
  const given = new Set(columns.map((c) => c.attnum));
  if (relation.attributes.some((a) => !given.has(a.attnum) && !a.attisdropped && (a.attnotnull || buildColumnDefault(relation, a) !== null))) return null;
  const kept = new Set<number>();
  for (const keys of indexes) {
    if (keys.attributes === null) return null;
    for (const attnum of keys.attributes) kept.add(attnum);
  }
  const row: Datum[] = new Array(relation.attributes.length).fill(null);
  const parse = compileParser(relation, columns, options.delimiter.charCodeAt(0), kept, row);
  const from: Position = { bytes: Buffer.alloc(0), at: 0 };
  const form = (bytes: Buffer, view: DataView, at: number): number => {
    try {
      return parse(from, bytes, view, at);
    } catch {
      return -1; // the long way will say it properly
    }
  };
  let looks = 0; // not only in this piece: most have fewer lines than we would wait for
  return (reader) => {
    const end = reader.wholeLines(from);
    if (end === 0) return 0;
    const insert = bulkInserts(relation);
    let rows = 0;
    let next = from.at;
    try {
      while (next < end) {
        const rowId = insert(form);
        if (rowId < 0) break;
        next = from.at;
        rows++;
        // A failing entry is reported with its line in hand.
        reader.lineNumber++;
        if (indexes.length > 0) {
          reader.showLine(next);
          for (let i = 0; i < indexes.length; i++) addIndexEntry(indexes[i]!, row, rowId);
        }
        reader.skipTo(next);
        if ((++looks & 63) === 0) checkForInterrupts();
      }
    } finally {
      reader.skipTo(next);
    }
    return rows;
  };
}

function compileParser(relation: Relation, columns: readonly Attribute[], delimiter: number, kept: ReadonlySet<number>, row: Datum[]): LineParser {
  const { layout } = relation;
  const n = layout.attributeCount;
  const constants: unknown[] = [];
  const konst = (value: unknown): string => `k[${constants.push(value) - 1}]`;
  const given = new Map(columns.map((c, i) => [c.attnum, i]));
  const lines = [
    'const src = from.bytes; let i = from.at, c = 0, v = 0, s = 0, negative = false, u = false;',
    `if (at + ${layout.varDataStart} + 64 > bytes.length) return -1;`,
    'view.setUint32(at, 0, true);', `view.setUint16(at + 4, ${n}, true);`, `const data = at + ${layout.varDataStart}; let p = data;`,
  ];
  // The last field may not go on behind a delimiter.
  const ends = (end: number): string => (end === LF ? `if (c === ${delimiter}) return -1;` : '');
  const bitmap = Math.ceil(n / 8);
  for (let b = 0; b < bitmap; b++) lines.push(`let n${b} = 0;`);
  for (const column of layout.columns) {
    const { attnum, storage } = column;
    const isNull = `n${(attnum - 1) >> 3} |= ${1 << ((attnum - 1) & 7)};`;
    const clear = column.varIndex < 0 ? zeros(column.offset, STORAGE_BYTES[storage]) : '';
    const position = given.get(attnum);
    if (position === undefined) {
      lines.push(isNull, clear);
    } else {
      const attribute = columns[position]!;
      const end = position === columns.length - 1 ? LF : delimiter;
      const keep = kept.has(attnum);
      lines.push(`if (src[i] === ${BACKSLASH}) {`);
      if (attribute.attnotnull || typeHooks.typeIo(attribute.atttypid).checkDomain !== undefined) lines.push('return -1;');
      else lines.push(`if (src[i + 1] !== 78 || src[i + 2] !== ${end}) return -1;`, 'i += 3;', isNull, clear, keep ? `row[${attnum - 1}] = null;` : '');
      lines.push('} else {');
      const [at, place] = [`at + ${column.offset}`, konst(row)];
      const store = keep ? (code: string): string => `${place}[${attnum - 1}] = ${code};` : (): string => '';
      if (INT_DIGITS[attribute.atttypid] !== undefined) {
        const [digits, maximum] = INT_DIGITS[attribute.atttypid]!;
        lines.push(
          'c = src[i];', `negative = c === 45; if (negative) c = src[++i];`, 's = i; v = 0;',
          'for (; c >= 48 && c <= 57; c = src[++i]) v = v * 10 + (c - 48);',
          `if (c !== ${end} || i === s || i - s > ${digits} || v > ${maximum}) return -1;`, 'i++;',
          'if (negative && v !== 0) v = -v;', FIXED_WRITERS[storage]!(at), store('v'),
        );
      } else if (storage === 'text' && (attribute.atttypid === 25 || attribute.atttypid === 1043) || storage === 'bpchar' && attribute.atttypmod >= 4) {
        lines.push(
          's = p; u = false; const f = i;',
          `for (c = src[i]; c !== ${end}; c = src[++i]) {`, ends(end),
          `if (c < 32) { if (c === ${LF} || c === ${CR} || c === 0) return -1; } else if (c > 126) { if (c > 127) u = true; } else if (c === ${BACKSLASH}) return -1;`,
          'bytes[p++] = c;', '}',
          'i++;', 'if (p >= bytes.length - 8) return -1;',
        );
        const limit = attribute.atttypmod >= 4 && attribute.atttypid !== 25 ? attribute.atttypmod - 4 : -1;
        if (limit >= 0) lines.push(`if (u || p - s > ${limit}) return -1;`);
        else lines.push(`if (u && !${konst(isUtf8)}(src.subarray(f, i - 1))) return -1;`);
        if (storage === 'bpchar') {
          if (keep) lines.push(store(`src.latin1Slice(f, i - 1).padEnd(${limit})`));
          lines.push('while (p > s && bytes[p - 1] === 32) p--;');
          lines.push(limit < 255 ? `c = p - s; bytes[p++] = ${limit} - c;` : `p = ${konst(putBlanks)}(bytes, ${limit} - (p - s), p);`);
        } else if (keep) lines.push(store('u ? src.utf8Slice(f, i - 1) : src.latin1Slice(f, i - 1)'));
      } else {
        const { input } = typeHooks.typeIo(attribute.atttypid);
        lines.push(
          's = i;', `for (c = src[i]; c !== ${end}; c = src[++i]) { ${ends(end)} if (c < 32 || c > 126 || c === ${BACKSLASH}) return -1; }`,
          '{', `const v = ${konst(input)}(src.latin1Slice(s, i), ${attribute.atttypmod});`, 'if (v === null) return -1;', 'i++;',
          column.varIndex < 0 ? FIXED_WRITERS[storage]!(at) : `p = w.${VAR_WRITERS[storage]}(bytes, v, p); if (p < 0) return -1;`,
          store('v'), '}',
        );
      }
      lines.push('}');
    }
    if (column.varIndex >= 0) lines.push(`view.setUint16(at + ${layout.varEndsStart + 2 * column.varIndex}, p - data, true);`);
  }
  for (let b = 0; b < bitmap; b++) lines.push(`bytes[at + ${6 + b}] = n${b};`);
  lines.push(`if (p - data > ${MAX_NARROW_BYTES}) return -1;`, 'from.at = i;', layout.varCount > 0 ? 'return p;' : `return at + ${layout.varDataStart};`);
  const writers = Object.keys(rowWriters);
  const make = new Function('k', 'w', `const { ${writers.join(', ')} } = w;\nreturn function copyLine(from, bytes, view, at) {\n${lines.join('\n')}\n};`);
  return make(constants, rowWriters) as LineParser;
}
