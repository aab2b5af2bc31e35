// Long lists of constants: what pg_dump --inserts and every bulk insert send, and IN (...) of thousands of keys. The grammar takes
// ten microseconds for each (its tree comes as JSON), a loop over characters a quarter of one. So the grammar gets the text with the
// first and the last item of each such list only, and the items left out are made here, exactly as it would have made them.
//
// Why the result is the same: where an item ends with a comma the grammar is in the state in which the list's next one begins, and
// gets back into it behind each further item. That the text is such a list there is not believed but seen in the tree: the two
// items kept must stand side by side in VALUES, IN or ARRAY, where they are expected and as they would have been made here. Whatever
// is not simple stays in the text; where anything is not as expected, the grammar gets all of it.
import { checkWhileWorking } from '../utils/interrupts.ts';
import type { RawNode, RawStmt } from './raw_nodes.ts';

/** A shorter text has no list worth it. */
export const MIN_TEXT = 1000;
const MIN_ITEMS = 24;
const MAX_TEMPLATES = 32;

type Item = RawNode | RawNode[];

interface Run {
  /** What is kept; locations are those in the shortened text. */
  first: Item;
  last: Item;
  /** What is left out; locations are those in the whole text. */
  items: Item[];
  /** Byte offset in the shortened text behind which locations are `removed` bytes too small: where `last` begins. */
  cut: number;
  removed: number;
}

export interface ShortenedText { readonly text: string; readonly runs: readonly Run[] }

const LIST = /\b(?:values|in)\s*\(|\barray\s*\[/gi;
const SPACE = /[ \t\r\n]*/y;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const PARAM = /\$([1-9]\d{0,4})/y;
/** A word, or a call without arguments. */
const WORD = /[A-Za-z_]\w*(?:\(\))?/y;
const TYPE = /::[ ]*[A-Za-z_][\w.]*(?: [A-Za-z_]\w*)*(?: ?\( ?\d+ ?(?:, ?\d+ ?)?\))?(?: with(?:out)? time zone)?(?:\[\d*\])*/iy;
/** In E'...'; one with others is not simple. */
const ESCAPES: Record<string, string> = { '\\': '\\', n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

/** The text without the items of its long lists; null: it has none. `parse` is the grammar, for types and words. */
export function leaveOutRuns(text: string, parse: (text: string) => readonly RawStmt[]): ShortenedText | null {
  const scanner = new Scanner(text, parse), runs: Run[] = [];
  let shortened = '', kept = 0, removed = 0;
  LIST.lastIndex = 0;
  for (let m = LIST.exec(text); m !== null; m = LIST.exec(text)) {
    const begin = LIST.lastIndex, isValues = (m[0].charCodeAt(0) | 32) === 118; // v
    scanner.at = isValues ? begin - 1 : begin;
    let isList = isValues;
    for (let more = true; more;) {
      const items: Item[] = [], starts: number[] = [];
      let { at: end } = scanner;
      for (;;) {
        scanner.skipSpace();
        const start = scanner.at, item = isValues ? scanner.tuple() : scanner.listItem();
        if (item === null) {
          more = isList && scanner.skipItem(end);
          break;
        }
        isList = true;
        scanner.skipSpace();
        items.push(item);
        starts.push(start);
        more = scanner.accept(COMMA);
        end = scanner.at;
        if (!more) break;
      }
      if (items.length < MIN_ITEMS) continue;
      const second = starts[1]!, last = starts.at(-1)!;
      shortened += text.slice(kept, second);
      kept = last;
      const gone = scanner.bytesAt(last) - scanner.bytesAt(second);
      runs.push({ first: moved(items[0]!, -removed), last: moved(items.at(-1)!, -removed - gone), items: items.slice(1, -1), cut: scanner.bytesAt(last) - removed - gone, removed: gone });
      removed += gone;
    }
    LIST.lastIndex = isList ? scanner.at : begin; // IN (SELECT ... IN (...
  }
  return runs.length === 0 ? null : { text: shortened + text.slice(kept), runs };
}

const COMMA = 44, OPEN = 40, CLOSE = 41, BRACKET = 93, QUOTE = 39, MINUS = 45, COLON = 58;

class Scanner {
  at = 0;
  private readonly templates = new Map<string, RawNode | null>();
  private readonly isAscii: boolean;
  /** How many bytes there are before a place, as far as known. */
  private known = 0;
  private knownBytes = 0;
  private readonly text: string;
  private readonly parse: (text: string) => readonly RawStmt[];

  constructor(text: string, parse: (text: string) => readonly RawStmt[]) {
    this.text = text;
    this.parse = parse;
    this.isAscii = Buffer.byteLength(text) === text.length;
  }

  /** The location of a place in the text; quick when they are asked for in order. */
  bytesAt(at: number): number {
    if (this.isAscii) return at;
    if (at < this.known) return Buffer.byteLength(this.text.slice(0, at));
    for (let i = this.known; i < at; i++) {
      const c = this.text.charCodeAt(i);
      this.knownBytes += c < 0x80 ? 1 : c < 0x800 || (c >= 0xd800 && c < 0xe000) ? 2 : 3;
    }
    this.known = at;
    return this.knownBytes;
  }

  skipSpace(): void {
    const c = this.text.charCodeAt(this.at);
    if (c > 32) return;
    SPACE.lastIndex = this.at;
    SPACE.test(this.text);
    this.at = SPACE.lastIndex;
  }

  accept(code: number): boolean {
    if (this.text.charCodeAt(this.at) !== code) return false;
    this.at++;
    return true;
  }

  /** A row of VALUES. */
  tuple(): RawNode[] | null {
    if (!this.accept(OPEN)) return null;
    const items: RawNode[] = [];
    for (;;) {
      this.skipSpace();
      const item = this.constant();
      if (item === null) return null;
      items.push(item);
      this.skipSpace();
      if (this.accept(CLOSE)) {
        checkWhileWorking(items.length);
        return items;
      }
      if (!this.accept(COMMA)) return null;
    }
  }

  /** One of IN (...) or ARRAY[...]: it may be a row. */
  listItem(): RawNode | null {
    checkWhileWorking(1);
    const start = this.at;
    if (this.text.charCodeAt(start) !== OPEN) return this.constant();
    const args = this.tuple();
    return args === null || args.length < 2 ? null : { args, row_format: 'COERCE_IMPLICIT_CAST', location: this.bytesAt(start), tag: 'RowExpr' };
  }

  /** Goes behind the comma after an item that is not simple, which begins at `from`; false: the list ends, or it cannot be told. */
  skipItem(from: number): boolean {
    const { text } = this;
    this.at = from;
    for (let depth = 0; this.at < text.length; this.at++) {
      switch (text.charCodeAt(this.at)) {
        case OPEN: case 91: depth++; break;
        case CLOSE: case BRACKET:
          if (--depth < 0) return false;
          break;
        case COMMA:
          if (depth > 0) break;
          this.at++;
          return true;
        case QUOTE: case 34: {
          const quote = text[this.at]!;
          if (quote === '\'' && /[eE]/.test(text[this.at - 1]!)) return false;
          this.at = text.indexOf(quote, this.at + 1);
          if (this.at >= 0) break;
          this.at = text.length;
          return false;
        }
        case 36: case 59: return false; // $ ;
        case MINUS: case 47: // comments
          if (text.charCodeAt(this.at + 1) === (text.charCodeAt(this.at) === MINUS ? MINUS : 42)) return false;
          break;
        default:
      }
    }
    return false;
  }

  /** A constant, a parameter or a word, with a sign or casts; what follows it is the comma or the end of the list. */
  private constant(): RawNode | null {
    const start = this.at, isNegative = this.accept(MINUS);
    if (isNegative) this.skipSpace();
    const c = this.text.charCodeAt(this.at);
    let node = isNegative || (c >= 48 && c <= 57) || c === 46 ? this.number() : c === QUOTE ? this.string() : c === 36 ? this.param() : this.word();
    if (node === null) return null;
    const end = this.at;
    this.skipSpace();
    const next = this.text.charCodeAt(this.at);
    if (next === COLON) node = this.casts(node);
    else if (next !== COMMA && next !== CLOSE && next !== BRACKET) return null;
    else this.at = end;
    if (!isNegative || node === null) return node;
    const location = this.bytesAt(start);
    if (node.tag !== 'A_Const') return { kind: 'AEXPR_OP', name: ['-'], rexpr: node, location, tag: 'A_Expr' };
    node.location = location;
    node['value'] = typeof node['value'] === 'number' ? 0 - node['value'] : `-${node['value']}`;
    return node;
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const m = pattern.exec(this.text);
    if (m === null) return null;
    this.at = pattern.lastIndex;
    return m[0];
  }

  private number(): RawNode | null {
    const location = this.bytesAt(this.at), token = this.match(NUMBER);
    if (token === null || token.length > 1000) return null;
    const value = Number(token);
    const isInteger = value <= 2147483647 && !/\D/.test(token);
    return isInteger ? { tag: 'A_Const', ctype: 'integer', value, location } : { tag: 'A_Const', ctype: 'float', value: token, location };
  }

  private string(): RawNode | null {
    const { text } = this, start = this.at;
    let doubled = false;
    for (let at = start + 1; ; at++) {
      at = text.indexOf('\'', at);
      if (at < 0) return null;
      if (text.charCodeAt(at + 1) !== QUOTE) {
        this.at = at + 1;
        break;
      }
      doubled = true;
      at++;
    }
    const body = text.slice(start + 1, this.at - 1);
    return { tag: 'A_Const', ctype: 'string', value: doubled ? body.replaceAll('\'\'', '\'') : body, location: this.bytesAt(start) };
  }

  /** E'...' */
  private escapedString(location: number): RawNode | null {
    const { text } = this;
    if ((text.charCodeAt(this.at) | 32) !== 101) return null; // e
    let value = '', from = this.at + 2;
    for (let at = from; at < text.length; at++) {
      const c = text.charCodeAt(at);
      if (c !== QUOTE && c !== 92) continue;
      value += text.slice(from, at);
      const next = text[at + 1] ?? '';
      if (c === QUOTE && next !== '\'') {
        this.at = at + 1;
        return { tag: 'A_Const', ctype: 'string', value, location };
      }
      const meant = c === QUOTE ? next : ESCAPES[next];
      if (meant === undefined) return null;
      value += meant;
      from = ++at + 1;
    }
    return null;
  }

  private param(): RawNode | null {
    const location = this.bytesAt(this.at), token = this.match(PARAM);
    return token === null ? null : { number: Number(token.slice(1)), location, tag: 'ParamRef' };
  }

  private word(): RawNode | null {
    const location = this.bytesAt(this.at);
    if (this.text.charCodeAt(this.at + 1) === QUOTE) return this.escapedString(location);
    const word = this.match(WORD);
    if (word === null) return null;
    if (/^null$/i.test(word)) return { tag: 'A_Const', ctype: 'null', value: null, location };
    const template = this.template(word);
    return template === null ? null : movedNode(template, location - TEMPLATE_LOCATION);
  }

  private casts(operand: RawNode): RawNode | null {
    let node = operand;
    for (;;) {
      const location = this.bytesAt(this.at), cast = this.match(TYPE);
      if (cast === null) return null;
      const template = this.template(`NULL${cast}`);
      if (template?.tag !== 'TypeCast' || (template['arg'] as RawNode).tag !== 'A_Const') return null;
      node = { arg: node, typeName: movedNode(template['typeName'] as RawNode, location - template.location!), location, tag: 'TypeCast' };
      const end = this.at;
      this.skipSpace();
      const next = this.text.charCodeAt(this.at);
      if (next === COLON) continue;
      this.at = end;
      return next === COMMA || next === CLOSE || next === BRACKET ? node : null;
    }
  }

  /** What the grammar makes of an item, at TEMPLATE_LOCATION; null: it is none. */
  private template(item: string): RawNode | null {
    let node = this.templates.get(item);
    if (node === undefined) {
      if (this.templates.size === MAX_TEMPLATES) return null;
      node = this.parseItem(item);
      this.templates.set(item, node);
    }
    return node;
  }
  private parseItem(item: string): RawNode | null {
    let list: readonly RawStmt[];
    try {
      list = this.parse(`${TEMPLATE_BEFORE}${item})`);
    } catch {
      return null; // the whole text will tell
    }
    const rows = list.length === 1 ? list[0]!.stmt['valuesLists'] as RawNode[][] | undefined : undefined;
    return rows?.length === 1 && rows[0]!.length === 1 ? rows[0]![0]! : null;
  }
}
const TEMPLATE_BEFORE = 'VALUES (', TEMPLATE_LOCATION = TEMPLATE_BEFORE.length;

/** Fields that hold a byte offset; -1 is none. */
const LOCATIONS = new Set(['location', 'rexpr_list_start', 'rexpr_list_end', 'list_start', 'list_end']);
const isLocation = (key: string): boolean => LOCATIONS.has(key) || key.endsWith('_location');

const moved = (item: Item, by: number): Item => (by === 0 ? item : Array.isArray(item) ? item.map((node) => movedNode(node, by)) : movedNode(item, by));

function movedNode(node: RawNode, by: number): RawNode {
  const copy: Record<string, unknown> = {};
  for (const key in node) copy[key] = isLocation(key) && node[key] as number >= 0 ? node[key] as number + by : movedValue(node[key], by);
  return copy as RawNode;
}
const movedValue = (value: unknown, by: number): unknown =>
  Array.isArray(value) ? value.map((item) => movedValue(item, by)) : typeof value === 'object' && value !== null ? movedNode(value as RawNode, by) : value;

/** Puts what was left out into the trees of the shortened text, whose locations become those of the whole. False: not every list is
 * where it was expected, and the trees are good for nothing. */
export function putBackRuns(stmts: readonly RawStmt[], { runs }: ShortenedText): boolean {
  let placed = 0;
  const place = (location: number): number => {
    let by = 0;
    for (const run of runs) {
      if (location < run.cut) break;
      by += run.removed;
    }
    return location + by;
  };
  const byStart = new Map(runs.map((run) => [startOf(run.last), run]));
  const withRuns = (list: Item[]): Item[] => {
    let whole: Item[] = [], taken = 0;
    for (let i = 1; i < list.length; i++) {
      const run = byStart.get(startOf(list[i]!));
      if (run === undefined || !sameTree(list[i], run.last) || !sameTree(list[i - 1], run.first)) continue;
      visit(list.slice(taken, i));
      whole = whole.concat(list.slice(taken, i), run.items);
      taken = i;
      placed++;
    }
    const rest = list.slice(taken);
    visit(rest);
    return taken === 0 ? list : whole.concat(rest);
  };
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const item of value) if (typeof item === 'object' && item !== null) visit(item);
      return;
    }
    const node = value as RawNode;
    for (const key in node) {
      const field = node[key] as unknown;
      if (typeof field === 'number') {
        if (field >= 0 && isLocation(key)) node[key] = place(field);
      } else if (typeof field === 'object' && field !== null) {
        if (LISTS[node.tag] === key && Array.isArray(field) && (node.tag !== 'A_Expr' || node['kind'] === 'AEXPR_IN')) node[key] = withRuns(field as Item[]);
        else if (key !== 'returningList') visit(field); // that is also in returningClause
      }
    }
  };
  for (const raw of stmts) {
    const { stmt_location: from, stmt_len: length } = raw, start = place(from);
    visit(raw.stmt);
    Object.assign(raw, { stmt_location: start, stmt_len: length === 0 ? 0 : place(from + length) - start });
  }
  return placed === runs.length;
}
const LISTS: Record<string, string> = { SelectStmt: 'valuesLists', A_Expr: 'rexpr', A_ArrayExpr: 'elements' };

/** Where an item begins; a row of VALUES, where its first item does. */
function startOf(item: Item): number {
  if (Array.isArray(item)) return item.length === 0 ? -1 : startOf(item[0]!);
  return item.tag === 'TypeCast' ? startOf(item['arg'] as RawNode) : item.location ?? -1;
}

function sameTree(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const left = a as Record<string, unknown>, right = b as Record<string, unknown>, keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => sameTree(left[key], right[key]));
}
