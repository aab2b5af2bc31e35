// tsquery: its text form, operators, and whether a tsvector matches (PostgreSQL's tsquery.c and TS_execute).
import { PgError } from '../../common/errors.ts';
import { registerBuiltins } from './fmgr.ts';
import { MAX_LEXEME_BYTES, quoteLexeme, readWord, TsVector } from './tsvector.ts';
import { registerComparison } from './compare.ts';
import { compareText, utf8Length } from './characters.ts';
import { invalidParameter } from './errors.ts';
import { TSQUERYOID } from './oids.ts';
import { decodeUtf8, receiveText, sendInt16, sendInt32, WireReader } from './wire.ts';
import { sendNotice } from '../utils/session.ts';

export type QueryNode =
  | { readonly op: 'value'; readonly text: string; /** Bits of weights D, C, B, A; 0 is any. */ readonly weights: number; readonly prefix: boolean }
  | { readonly op: '!'; readonly arg: QueryNode }
  | { readonly op: '&' | '|'; readonly left: QueryNode; readonly right: QueryNode }
  | { readonly op: '<>'; readonly distance: number; readonly left: QueryNode; readonly right: QueryNode };

/** An empty query has no root. */
export class TsQuery {
  readonly root: QueryNode | null;
  constructor(root: QueryNode | null) {
    this.root = root;
  }
}

const MAX_DISTANCE = 16384;

/** What becomes of a word: itself, for the type's input; other nodes, or nothing (a stop word), for to_tsquery. */
export type WordMaker = (text: string, weights: number, prefix: boolean) => QueryNode | null;

/** Combines, leaving out what has become nothing. */
function join(op: '&' | '|' | '<>', distance: number, left: QueryNode | null, right: QueryNode | null): QueryNode | null {
  if (left === null) return right;
  if (right === null) return left;
  return op === '<>' ? { op, distance, left, right } : { op, left, right };
}

export function parseTsQuery(text: string, convert?: WordMaker): TsQuery {
  let at = 0;
  const makeWord: WordMaker = convert ?? ((word, weights, prefix) => {
    if (utf8Length(word) > MAX_LEXEME_BYTES) throw new PgError('program_limit_exceeded', `word is too long in tsquery: "${text}"`);
    return { op: 'value', text: word, weights, prefix };
  });
  const fail = (): PgError => new PgError('syntax_error', `syntax error in tsquery: "${text}"`);
  const space = (): void => { while (/\s/.test(text[at] ?? '')) at++; };
  const or = (): QueryNode | null => {
    let left = and();
    for (space(); text[at] === '|'; space()) { at++; left = join('|', 0, left, and()); }
    return left;
  };
  const and = (): QueryNode | null => {
    let left = phrase();
    for (space(); text[at] === '&'; space()) { at++; left = join('&', 0, left, phrase()); }
    return left;
  };
  const phrase = (): QueryNode | null => {
    let left = not();
    for (space(); text[at] === '<'; space()) {
      const match = /^<(-|\d+)>/.exec(text.slice(at, at + 20));
      if (match === null) throw fail();
      at += match[0].length;
      const distance = match[1] === '-' ? 1 : Number(match[1]);
      if (distance > MAX_DISTANCE) {
        throw invalidParameter(`distance in phrase operator must be an integer value between zero and ${MAX_DISTANCE} inclusive`);
      }
      left = join('<>', distance, left, not());
    }
    return left;
  };
  const not = (): QueryNode | null => {
    space();
    const char = text[at];
    if (char === '!') {
      at++;
      const arg = not();
      return arg === null ? null : { op: '!', arg };
    }
    if (char === '(') {
      at++;
      const inner = or();
      space();
      if (text[at] !== ')') throw fail();
      at++;
      return inner;
    }
    if (char === undefined) throw at === 0 || text.trim() === '' ? fail() : new PgError('syntax_error', `no operand in tsquery: "${text}"`);
    const found = /[&|<):]/.test(char) ? null : readWord(text, at, /[:!&|()<]/, fail);
    if (found === null) throw fail();
    at = found.at;
    let weights = 0, prefix = false;
    if (text[at] === ':') {
      const match = /^:[a-dA-D*]*/.exec(text.slice(at))!;
      at += match[0].length;
      for (const letter of match[0].slice(1).toUpperCase()) {
        if (letter === '*') prefix = true;
        else weights |= 1 << 'DCBA'.indexOf(letter);
      }
    }
    return makeWord(found.word, weights, prefix);
  };
  if (text.trim() === '') return new TsQuery(null);
  const root = or();
  space();
  if (at < text.length) throw fail();
  return new TsQuery(root);
}

// --- text form

const PRIORITY = { '|': 1, '&': 2, '<>': 3, '!': 4 } as const;

function infix(node: QueryNode, parent: number, rightOfPhrase: boolean): string {
  if (node.op === 'value') {
    const { text, prefix, weights } = node;
    const letters = (prefix ? '*' : '') + [...'ABCD'].filter((_, i) => (weights & (8 >> i)) !== 0).join('');
    return quoteLexeme(text) + (letters === '' ? '' : `:${letters}`);
  }
  const priority = PRIORITY[node.op];
  const wrap = priority < parent || (node.op === '<>' && rightOfPhrase);
  let text: string;
  if (node.op === '!') text = `!${infix(node.arg, priority, false)}`;
  else {
    const sign = node.op !== '<>' ? node.op : node.distance === 1 ? '<->' : `<${node.distance}>`;
    text = `${infix(node.left, priority, false)} ${sign} ${infix(node.right, priority, node.op === '<>')}`;
  }
  return wrap ? `( ${text} )` : text;
}

export const tsQueryOut = ({ root }: TsQuery): string => (root === null ? '' : infix(root, -1, false));

// --- binary form: the tree from its root, right operands before left ones

const OPERATOR_CODES = ['!', '&', '|', '<>'] as const;

function sendNode(node: QueryNode): Uint8Array[] {
  if (node.op === 'value') return [Buffer.of(1, node.weights, node.prefix ? 1 : 0), Buffer.from(`${node.text}\0`)];
  const head = Buffer.of(2, OPERATOR_CODES.indexOf(node.op) + 1);
  if (node.op === '!') return [head, ...sendNode(node.arg)];
  return [head, ...(node.op === '<>' ? [sendInt16(node.distance)] : []), ...sendNode(node.right), ...sendNode(node.left)];
}

function receiveNode(reader: WireReader): QueryNode {
  const kind = reader.uint8();
  if (kind === 1) {
    const weights = reader.uint8(), prefix = reader.uint8() !== 0;
    const text: number[] = [];
    for (let byte = reader.uint8(); byte !== 0; byte = reader.uint8()) text.push(byte);
    return { op: 'value', text: receiveText(Uint8Array.from(text)), weights, prefix };
  }
  const op = kind === 2 ? OPERATOR_CODES[reader.uint8() - 1] : undefined;
  if (op === undefined) throw new PgError('internal_error', 'invalid tsquery: unrecognized operator type');
  if (op === '!') return { op, arg: receiveNode(reader) };
  const distance = op === '<>' ? reader.int16() : 0;
  const right = receiveNode(reader), left = receiveNode(reader);
  return op === '<>' ? { op, distance, left, right } : { op, left, right };
}

function tsQueryReceive(bytes: Uint8Array): TsQuery {
  const reader = new WireReader(bytes);
  const query = new TsQuery(reader.int32() === 0 ? null : receiveNode(reader));
  reader.end();
  return query;
}

/** Stored as its text. */
export const tsQueryCodec = {
  number: 25, type: TsQuery,
  encode: (query: TsQuery): Uint8Array => Buffer.from(tsQueryOut(query)),
  decode: (bytes: Uint8Array): TsQuery => parseTsQuery(decodeUtf8(bytes)),
};

export const nodeCount = (node: QueryNode | null): number =>
  (node === null ? 0 : node.op === 'value' ? 1 : node.op === '!' ? 1 + nodeCount(node.arg) : 1 + nodeCount(node.left) + nodeCount(node.right));

export function valueBytes(node: QueryNode): number {
  if (node.op === 'value') return Buffer.byteLength(node.text) + 1;
  return node.op === '!' ? valueBytes(node.arg) : valueBytes(node.left) + valueBytes(node.right);
}

/** The checksum PostgreSQL keeps with each operand, a signed CRC-32 of an old variant: operands are in its order. */
export function legacyCrc(text: string): number {
  let crc = -1;
  for (const byte of Buffer.from(text)) crc = CRC_TABLE[((crc >>> 24) ^ byte) & 0xff]! ^ (crc << 8);
  return ~crc;
}
const CRC_TABLE = Int32Array.from({ length: 256 }, (_, i) => {
  let crc = i;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

export const OPERATORS = { '!': 1, '&': 2, '|': 3, '<>': 4, value: 0 } as const;

/** QTNodeCompare: what is greater in any way comes first. */
function compareNodes(a: QueryNode, b: QueryNode): number {
  if (a.op !== b.op) return a.op === 'value' ? 1 : b.op === 'value' ? -1 : OPERATORS[b.op] - OPERATORS[a.op];
  if (a.op === 'value') {
    const other = b as typeof a;
    return Math.sign(legacyCrc(other.text) - legacyCrc(a.text)) || compareText(a.text, other.text);
  }
  if (a.op === '!') return compareNodes(a.arg, (b as typeof a).arg);
  const other = b as typeof a;
  const children = compareNodes(a.right, other.right) || compareNodes(a.left, other.left);
  return children || (a.op === '<>' ? (other as typeof a).distance - a.distance : 0);
}

/** CompareTSQ: number of nodes, size, then the trees. */
function compareQueries(a: TsQuery, b: TsQuery): number {
  const count = nodeCount(a.root) - nodeCount(b.root);
  if (count !== 0 || a.root === null || b.root === null) return count;
  return valueBytes(a.root) - valueBytes(b.root) || compareNodes(a.root, b.root);
}

registerComparison(TSQUERYOID, { compare: compareQueries, hashKey: tsQueryOut });

// --- matching

/** Where something matches. `negate`: it matches everywhere but there. */
interface Places { negate: boolean; at: readonly number[]; width: number }

function* lexemesFor(vector: TsVector, node: QueryNode & { op: 'value' }): Generator<TsVector['lexemes'][number]> {
  if (!node.prefix) {
    const lexeme = vector.find(node.text);
    if (lexeme !== undefined) yield lexeme;
    return;
  }
  for (const lexeme of vector.lexemes) if (lexeme.text.startsWith(node.text)) yield lexeme;
}

function valuePlaces(vector: TsVector, node: QueryNode & { op: 'value' }): Places | null {
  const at = new Set<number>();
  for (const { positions } of lexemesFor(vector, node)) {
    for (const { at: place, weight } of positions) if (node.weights === 0 || (node.weights & (1 << weight)) !== 0) at.add(place);
  }
  return at.size === 0 ? null : { negate: false, at: [...at].sort((a, b) => a - b), width: 0 };
}

function merged(left: Places, right: Places, both: boolean, leftOnly: boolean, rightOnly: boolean, leftShift: number, rightShift: number): number[] {
  const l = new Set(left.at.map((p) => p + leftShift)), r = new Set(right.at.map((p) => p + rightShift));
  return [...new Set([...l, ...r])].filter((p) => (l.has(p) ? (r.has(p) ? both : leftOnly) : rightOnly)).sort((a, b) => a - b);
}

/** TS_phrase_execute; null: no match. */
function places(vector: TsVector, node: QueryNode): Places | null {
  if (node.op === 'value') return valuePlaces(vector, node);
  if (node.op === '!') {
    const arg = places(vector, node.arg);
    if (arg === null) return { negate: true, at: [], width: 0 };
    if (arg.at.length > 0) return { ...arg, negate: !arg.negate };
    return arg.negate ? null : { negate: true, at: [], width: 0 };
  }
  const none: Places = { negate: false, at: [], width: 0 };
  let left = places(vector, node.left), right = places(vector, node.right);
  if (node.op === '|' ? left === null && right === null : left === null || right === null) return null;
  left ??= none;
  right ??= none;
  const isPhrase = node.op === '<>';
  const width = isPhrase ? node.distance + left.width + right.width : Math.max(left.width, right.width);
  const leftShift = isPhrase ? node.distance + right.width : width - left.width, rightShift = isPhrase ? 0 : width - right.width;
  const out = (negate: boolean, both: boolean, leftOnly: boolean, rightOnly: boolean): Places | null => {
    const at = merged(left, right, both, leftOnly, rightOnly, leftShift, rightShift);
    return at.length === 0 && !negate ? null : { negate, at, width };
  };
  if (node.op === '|') {
    if (left.negate && right.negate) return out(true, true, false, false);
    if (left.negate) return out(true, false, true, false);
    if (right.negate) return out(true, false, false, true);
    return out(false, true, true, true);
  }
  if (left.negate && right.negate) return out(true, true, true, true);
  if (left.negate) return out(false, false, false, true);
  if (right.negate) return out(false, false, true, false);
  return out(false, true, false, false);
}

function matches(vector: TsVector, node: QueryNode): boolean {
  switch (node.op) {
    case 'value':
      for (const { positions } of lexemesFor(vector, node)) {
        if (node.weights === 0 || positions.some(({ weight }) => (node.weights & (1 << weight)) !== 0)) return true;
      }
      return false;
    case '!': return !matches(vector, node.arg);
    case '&': return matches(vector, node.left) && matches(vector, node.right);
    case '|': return matches(vector, node.left) || matches(vector, node.right);
    case '<>': return places(vector, node) !== null;
  }
}

export const tsMatch = (vector: TsVector, { root }: TsQuery): boolean => root !== null && matches(vector, root);

// --- functions

const combine = (op: '&' | '|' | '<>') => (a: TsQuery, b: TsQuery, distance = 1): TsQuery => {
  if (distance < 0 || distance > MAX_DISTANCE) {
    throw invalidParameter(`distance in phrase operator must be an integer value between zero and ${MAX_DISTANCE} inclusive`);
  }
  return new TsQuery(join(op, distance, a.root, b.root));
};

/** The words of a query, those under NOT too. */
function wordsOf(node: QueryNode | null): string[] {
  if (node === null) return [];
  return node.op === 'value' ? [node.text] : node.op === '!' ? wordsOf(node.arg) : [...wordsOf(node.left), ...wordsOf(node.right)];
}
const containsWords = (a: TsQuery, b: TsQuery): boolean => {
  const words = new Set(wordsOf(a.root));
  return wordsOf(b.root).every((word) => words.has(word));
};

registerBuiltins({
  pure: {
    tsqueryin: (text: string) => {
      const query = parseTsQuery(text);
      if (query.root === null) sendNotice(`text-search query doesn't contain lexemes: "${text}"`);
      return query;
    },
    tsqueryout: tsQueryOut,
    tsquerysend: ({ root }: TsQuery) => Buffer.concat([sendInt32(nodeCount(root)), ...(root === null ? [] : sendNode(root))]), tsqueryrecv: tsQueryReceive,
    tsquery_numnode: ({ root }: TsQuery) => nodeCount(root),
    tsquery_and: combine('&'), tsquery_or: combine('|'), tsquery_phrase: combine('<>'), tsquery_phrase_distance: combine('<>'),
    tsquery_not: ({ root }: TsQuery) => new TsQuery(root === null ? null : { op: '!', arg: root }),
    tsquery_cmp: (a: TsQuery, b: TsQuery) => Math.sign(compareQueries(a, b)),
    tsquery_eq: (a: TsQuery, b: TsQuery) => compareQueries(a, b) === 0, tsquery_ne: (a: TsQuery, b: TsQuery) => compareQueries(a, b) !== 0,
    tsquery_lt: (a: TsQuery, b: TsQuery) => compareQueries(a, b) < 0, tsquery_le: (a: TsQuery, b: TsQuery) => compareQueries(a, b) <= 0,
    tsquery_gt: (a: TsQuery, b: TsQuery) => compareQueries(a, b) > 0, tsquery_ge: (a: TsQuery, b: TsQuery) => compareQueries(a, b) >= 0,
    tsq_mcontains: containsWords, tsq_mcontained: (a: TsQuery, b: TsQuery) => containsWords(b, a),
    ts_match_vq: tsMatch, ts_match_qv: (query: TsQuery, vector: TsVector) => tsMatch(vector, query),
  },
});
