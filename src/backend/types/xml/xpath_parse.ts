// XPath 1.0: text to a tree.
import { PgError } from '../../../common/errors.ts';
import type { ConditionName } from '../../../common/sqlstate.ts';

export type Axis = 'ancestor' | 'ancestor-or-self' | 'attribute' | 'child' | 'descendant' | 'descendant-or-self' | 'following' | 'following-sibling'
  | 'namespace' | 'parent' | 'preceding' | 'preceding-sibling' | 'self';

export type NodeTest =
  | { kind: 'name'; prefix: string; name: string }
  /** `*` and `p:*`. */
  | { kind: 'any'; prefix: string }
  | { kind: 'type'; type: 'node' | 'text' | 'comment' | 'processing-instruction'; target: string | null };

export interface Step { axis: Axis; test: NodeTest; predicates: XPathExpr[] }

export type BinaryOperator = 'or' | 'and' | '=' | '!=' | '<' | '<=' | '>' | '>=' | '+' | '-' | '*' | 'div' | 'mod' | '|';

export type XPathExpr =
  | { kind: 'binary'; op: BinaryOperator; left: XPathExpr; right: XPathExpr }
  | { kind: 'negate'; arg: XPathExpr }
  | { kind: 'literal'; value: string }
  | { kind: 'number'; value: number }
  | { kind: 'variable'; name: string }
  | { kind: 'call'; name: string; args: XPathExpr[] }
  /** Steps from the root (`absolute`), from a value, or from the context node. */
  | { kind: 'path'; start: XPathExpr | null; absolute: boolean; predicates: XPathExpr[]; steps: Step[] };

const AXES = new Set<string>(['ancestor', 'ancestor-or-self', 'attribute', 'child', 'descendant', 'descendant-or-self', 'following', 'following-sibling',
  'namespace', 'parent', 'preceding', 'preceding-sibling', 'self']);
const NODE_TYPES = new Set(['node', 'text', 'comment', 'processing-instruction']);
const LEVELS: readonly (readonly BinaryOperator[])[] = [['or'], ['and'], ['=', '!='], ['<', '<=', '>', '>='], ['+', '-'], ['*', 'div', 'mod']];

interface Token { kind: 'symbol' | 'name' | 'number' | 'literal' | 'end'; text: string }

const TOKEN = /\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|"([^"]*)"|'([^']*)'|(::|\/\/|\.\.|!=|<=|>=|[()[\]@,/|+\-=<>*$.:])|([\p{L}_][-\p{L}\p{N}\p{M}_.·]*))/uy;

/** What is no XPath expression; whoever asked for it makes it an error. */
class InvalidXPath extends Error {}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const found = TOKEN.exec(text);
    if (found === null) throw new InvalidXPath();
    if (found[1] !== undefined) tokens.push({ kind: 'number', text: found[1] });
    else if (found[4] !== undefined) tokens.push({ kind: 'symbol', text: found[4] });
    else if (found[5] !== undefined) tokens.push({ kind: 'name', text: found[5] });
    else tokens.push({ kind: 'literal', text: found[2] ?? found[3] ?? '' });
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}

class Parser {
  private readonly tokens: Token[];
  private at = 0;

  constructor(text: string) {
    this.tokens = tokenize(text);
  }

  whole(): XPathExpr {
    const e = this.expression();
    if (this.tokens[this.at]!.kind !== 'end') throw new InvalidXPath();
    return e;
  }

  private isSymbol(text: string, ahead = 0): boolean {
    const token = this.tokens[this.at + ahead];
    return token !== undefined && token.kind === 'symbol' && token.text === text;
  }

  private accept(text: string): boolean {
    if (!this.isSymbol(text)) return false;
    this.at++;
    return true;
  }

  private expect(text: string): void {
    if (!this.accept(text)) throw new InvalidXPath();
  }

  private name(): string {
    const token = this.tokens[this.at]!;
    if (token.kind !== 'name') throw new InvalidXPath();
    this.at++;
    return token.text;
  }

  expression(level = 0): XPathExpr {
    if (level === LEVELS.length) return this.unary();
    let left = this.expression(level + 1);
    for (;;) {
      const token = this.tokens[this.at]!;
      if ((token.kind !== 'symbol' && token.kind !== 'name') || !LEVELS[level]!.includes(token.text as BinaryOperator)) return left;
      this.at++;
      left = { kind: 'binary', op: token.text as BinaryOperator, left, right: this.expression(level + 1) };
    }
  }

  private unary(): XPathExpr {
    if (this.accept('-')) return { kind: 'negate', arg: this.unary() };
    let left = this.path();
    while (this.accept('|')) left = { kind: 'binary', op: '|', left, right: this.path() };
    return left;
  }

  private path(): XPathExpr {
    if (this.accept('//')) return { kind: 'path', start: null, absolute: true, predicates: [], steps: [DESCENDANTS, ...this.steps()] };
    if (this.accept('/')) return { kind: 'path', start: null, absolute: true, predicates: [], steps: this.startsStep() ? this.steps() : [] };
    const token = this.tokens[this.at]!;
    const isFilter = token.kind === 'number' || token.kind === 'literal' || this.isSymbol('(') || this.isSymbol('$') || (token.kind === 'name' && this.startsCall());
    if (!isFilter) return { kind: 'path', start: null, absolute: false, predicates: [], steps: this.steps() };
    const start = this.primary();
    const predicates = this.predicates();
    const steps = this.accept('//') ? [DESCENDANTS, ...this.steps()] : this.accept('/') ? this.steps() : [];
    return predicates.length === 0 && steps.length === 0 ? start : { kind: 'path', start, absolute: false, predicates, steps };
  }

  private startsCall(): boolean {
    const name = this.tokens[this.at]!.text;
    if (this.isSymbol('(', 1)) return !NODE_TYPES.has(name);
    return this.isSymbol(':', 1) && this.isSymbol('(', 3);
  }

  private startsStep(): boolean {
    const token = this.tokens[this.at]!;
    return token.kind === 'name' || (token.kind === 'symbol' && ['.', '..', '@', '*'].includes(token.text));
  }

  private primary(): XPathExpr {
    const token = this.tokens[this.at]!;
    if (this.accept('(')) {
      const e = this.expression();
      this.expect(')');
      return e;
    }
    if (this.accept('$')) return { kind: 'variable', name: this.name() };
    this.at++;
    if (token.kind === 'number') return { kind: 'number', value: Number(token.text) };
    if (token.kind === 'literal') return { kind: 'literal', value: token.text };
    let name = token.text;
    if (this.accept(':')) name += `:${this.name()}`;
    this.expect('(');
    const args: XPathExpr[] = [];
    if (!this.accept(')')) {
      do args.push(this.expression()); while (this.accept(','));
      this.expect(')');
    }
    return { kind: 'call', name, args };
  }

  private predicates(): XPathExpr[] {
    const result: XPathExpr[] = [];
    while (this.accept('[')) {
      result.push(this.expression());
      this.expect(']');
    }
    return result;
  }

  private steps(): Step[] {
    const result = [this.step()];
    for (;;) {
      if (this.accept('//')) result.push(DESCENDANTS, this.step());
      else if (this.accept('/')) result.push(this.step());
      else return result;
    }
  }

  private step(): Step {
    if (this.accept('.')) return { axis: 'self', test: ANY_NODE, predicates: this.predicates() };
    if (this.accept('..')) return { axis: 'parent', test: ANY_NODE, predicates: this.predicates() };
    let axis: Axis = 'child';
    if (this.accept('@')) axis = 'attribute';
    else if (this.tokens[this.at]!.kind === 'name' && this.isSymbol('::', 1)) {
      const name = this.name();
      if (!AXES.has(name)) throw new InvalidXPath();
      axis = name as Axis;
      this.at++;
    }
    return { axis, test: this.nodeTest(), predicates: this.predicates() };
  }

  private nodeTest(): NodeTest {
    if (this.accept('*')) return { kind: 'any', prefix: '' };
    const name = this.name();
    if (this.isSymbol('(') && NODE_TYPES.has(name)) {
      this.at++;
      const token = this.tokens[this.at]!;
      const target = name === 'processing-instruction' && token.kind === 'literal' ? token.text : null;
      if (target !== null) this.at++;
      this.expect(')');
      return { kind: 'type', type: name as 'node', target };
    }
    if (!this.accept(':')) return { kind: 'name', prefix: '', name };
    if (this.accept('*')) return { kind: 'any', prefix: name };
    return { kind: 'name', prefix: name, name: this.name() };
  }
}

const ANY_NODE: NodeTest = { kind: 'type', type: 'node', target: null };
/** What `//` stands for. */
const DESCENDANTS: Step = { axis: 'descendant-or-self', test: ANY_NODE, predicates: [] };

export function parseXPath(text: string, condition: ConditionName): XPathExpr {
  try {
    return new Parser(text).whole();
  } catch (error) {
    if (error instanceof InvalidXPath) throw new PgError(condition, 'invalid XPath expression', { detail: 'Invalid expression' });
    throw error;
  }
}
