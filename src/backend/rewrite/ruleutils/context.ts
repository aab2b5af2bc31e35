// The text being written and how it shall look: buffer, indentation, which names Vars get (deparse_context of
// PostgreSQL's ruleutils.c).
import type { WindowClause } from '../../nodes/parsenodes.ts';
import type { Expr, TargetEntry } from '../../nodes/primnodes.ts';
import type { DeparseNamespace } from './names.ts';

/** Leave out parentheses that precedence makes superfluous; break lines; leave out schemas of visible names. */
export const PRETTY_PAREN = 1, PRETTY_INDENT = 2, PRETTY_SCHEMA = 4;
/** What the `pretty` argument of SQL functions stands for. */
export const prettyFlags = (pretty: boolean): number => (pretty ? PRETTY_PAREN | PRETTY_INDENT | PRETTY_SCHEMA : PRETTY_INDENT);

export const INDENT_STD = 8, INDENT_JOIN = 4, INDENT_VAR = 4, INDENT_LIMIT = 40;
/** A field or FROM item that would make its line longer than this begins a new one: at 0 all but the first do. */
export const WRAP_COLUMN_DEFAULT = 0;

export interface DeparseOptions {
  flags: number;
  wrapColumn: number;
  /** Write alias.column even where the column alone would do. */
  varprefix: boolean;
  indentLevel: number;
}

/** Tries to write a node its own way; false: write it as usual. EXPLAIN shows Vars and Params of plans with it. */
export type SpecialNode = (node: Expr, context: DeparseContext) => boolean;

export class DeparseContext {
  /** Shared by the contexts of all queries of one text. */
  private readonly out: { text: string };
  /** Innermost query level first. */
  namespaces: readonly DeparseNamespace[];
  windowClause: readonly WindowClause[] = [];
  windowTargetList: readonly TargetEntry[] = [];
  readonly flags: number;
  readonly wrapColumn: number;
  varprefix: boolean;
  indentLevel: number;
  /** Inside GROUP BY: cube() and rollup() must be qualified to be functions. */
  inGroupBy = false;
  special: SpecialNode | null = null;

  constructor(namespaces: readonly DeparseNamespace[], options: DeparseOptions, out: { text: string } = { text: '' }) {
    this.out = out;
    this.namespaces = namespaces;
    this.flags = options.flags;
    this.wrapColumn = options.wrapColumn;
    this.varprefix = options.varprefix;
    this.indentLevel = options.indentLevel;
  }

  /** For a query inside this one; it writes on in the same text. */
  inner(namespace: DeparseNamespace, varprefix: boolean): DeparseContext {
    const inner = new DeparseContext([namespace, ...this.namespaces], { flags: this.flags, wrapColumn: this.wrapColumn, varprefix, indentLevel: this.indentLevel }, this.out);
    inner.special = this.special;
    return inner;
  }

  get text(): string { return this.out.text; }
  get prettyParen(): boolean { return (this.flags & PRETTY_PAREN) !== 0; }
  get prettyIndent(): boolean { return (this.flags & PRETTY_INDENT) !== 0; }

  put(text: string): void { this.out.text += text; }

  /** A keyword at the start of a line, when lines are broken (appendContextKeyword). */
  keyword(text: string, before: number, after: number, plus: number): void {
    if (!this.prettyIndent) { this.out.text += text; return; }
    this.indentLevel += before;
    this.trimSpaces();
    let amount: number;
    if (this.indentLevel < INDENT_LIMIT) amount = Math.max(this.indentLevel, 0) + plus;
    // Deeply nested: indent less per level, and begin again at the left margin now and then.
    else amount = (INDENT_LIMIT + Math.trunc((this.indentLevel - INDENT_LIMIT) / (INDENT_STD / 2))) % INDENT_LIMIT + plus;
    this.out.text += `\n${' '.repeat(amount)}${text}`;
    this.indentLevel = Math.max(0, this.indentLevel + after);
  }

  trimSpaces(): void {
    const { text } = this.out;
    let end = text.length;
    while (end > 0 && text.charCodeAt(end - 1) === 32) end--;
    if (end < text.length) this.out.text = text.slice(0, end);
  }

  /** What `write` writes, apart from the text so far. */
  capture(write: () => void): string {
    const saved = this.out.text;
    this.out.text = '';
    write();
    const { text } = this.out;
    this.out.text = saved;
    return text;
  }

  /** Whether the current line and `text` together are longer than a line shall be. */
  overflows(text: string): boolean {
    const line = this.out.text.slice(this.out.text.lastIndexOf('\n') + 1);
    return Buffer.byteLength(line) + Buffer.byteLength(text) > this.wrapColumn;
  }
}
