// The parser's hold on its tokens: looking ahead, expecting, errors, and the reading of SQL as text up to where it ends
// (the read_sql_* functions of pl_gram.y). SQL is only checked for syntax here, and only when a function is made.
import { PgError } from '../../../common/errors.ts';
import { rawParse } from '../../parser/raw_parser.ts';
import { movingPositions, session } from '../../utils/session.ts';
import type { ExprMode, PlExpr } from './nodes.ts';
import type { Namespace } from './namespace.ts';
import { errorAt, positionOf, RESERVED, scan, type Token, UNRESERVED } from './scanner.ts';

/** What stands before an expression to make a statement of it. */
export const SELECT = 'SELECT ';

export class TokenStream {
  readonly source: string;
  readonly tokens: readonly Token[];
  at = 0;
  ns: Namespace = null;
  /** Check the syntax of SQL, too: plpgsql_check_syntax. */
  readonly checkSyntax: boolean;
  /** Of literals, not told yet; each has its position in the source. */
  private readonly literalWarnings: PgError[] = [];
  private readonly lineStarts: number[] = [0];

  constructor(source: string, checkSyntax: boolean) {
    this.source = source;
    this.checkSyntax = checkSyntax;
    for (let i = source.indexOf('\n'); i >= 0; i = source.indexOf('\n', i + 1)) this.lineStarts.push(i + 1);
    this.tokens = scan(source, (warning) => this.literalWarnings.push(warning));
  }

  get token(): Token { return this.tokens[this.at]!; }
  peek(ahead = 1): Token { return this.tokens[Math.min(this.at + ahead, this.tokens.length - 1)]!; }

  take(): Token {
    const { token } = this;
    if (token.kind !== 'eof') this.at++;
    return token;
  }

  isWord(text: string, ahead = 0): boolean {
    const t = this.peek(ahead);
    return t.kind === 'ident' && t.text === text;
  }

  isOp(text: string, ahead = 0): boolean {
    const t = this.peek(ahead);
    return t.kind === 'op' && t.text === text;
  }

  get atEnd(): boolean { return this.token.kind === 'eof'; }

  takeWord(...words: string[]): boolean {
    if (!words.some((w, i) => !this.isWord(w, i))) {
      this.at += words.length;
      return true;
    }
    return false;
  }

  takeOp(text: string): boolean {
    if (!this.isOp(text)) return false;
    this.at++;
    return true;
  }

  expectWord(...words: string[]): void {
    for (const word of words) if (!this.takeWord(word)) throw this.syntaxError();
  }

  expectOp(text: string): void {
    if (!this.takeOp(text)) throw this.syntaxError();
  }

  /** Any name: quoted, or a word that is not reserved. */
  takeIdentifier(): string {
    const t = this.token;
    if (t.kind !== 'quoted' && (t.kind !== 'ident' || RESERVED.has(t.text))) throw this.syntaxError();
    this.at++;
    return t.text;
  }

  isPlainWord(t: Token): boolean {
    return t.kind === 'quoted' || (t.kind === 'ident' && !RESERVED.has(t.text));
  }

  isUnreserved(t: Token): boolean {
    return t.kind === 'ident' && UNRESERVED.has(t.text);
  }

  line(offset: number): number {
    let low = 0, high = this.lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.lineStarts[middle]! <= offset) low = middle; else high = middle - 1;
    }
    return low + 1;
  }

  get here(): number { return this.line(this.token.start); }

  // ---- errors

  /** plpgsql_yyerror: the message, and the token where it happened. */
  yyerror(message: string, token: Token = this.token): PgError {
    if (token.kind === 'eof') return errorAt(this.source, 'syntax_error', `${message} at end of input`, token.start);
    return errorAt(this.source, 'syntax_error', `${message} at or near "${this.source.slice(token.start, token.end)}"`, token.start);
  }

  syntaxError(token: Token = this.token): PgError {
    return this.yyerror('syntax error', token);
  }

  error(condition: ConstructorParameters<typeof PgError>[0], message: string, offset: number, fields: { hint?: string; detail?: string } = {}): PgError {
    return errorAt(this.source, condition, message, offset, fields);
  }

  // ---- SQL in between

  /**
   * Reads up to one of `until` outside of parentheses (which is taken, too): the text, where it began, and what ended it.
   * `what` names the ends in messages.
   */
  readSql(until: readonly string[], what: string, isExpression: boolean): { text: string; start: number; end: Token } {
    const start = this.token.start;
    let depth = 0, stop = start;
    for (;;) {
      const t = this.token;
      if (depth === 0 && (t.kind === 'op' || t.kind === 'ident') && until.includes(t.text)) break;
      if (t.kind === 'op') {
        if (t.text === '(' || t.text === '[') depth++;
        else if (t.text === ')' || t.text === ']') {
          if (--depth < 0) throw this.yyerror('mismatched parentheses');
        }
      }
      if (t.kind === 'eof' || (t.kind === 'op' && t.text === ';')) {
        if (depth !== 0) throw this.yyerror('mismatched parentheses');
        // Where fewer than three ends are possible PostgreSQL takes the end of the text for one, and stumbles over it afterwards.
        if (t.kind === 'eof' && until.length < 3) throw stop > start ? this.syntaxError() : this.yyerror(isExpression ? 'missing expression' : 'missing SQL statement');
        throw this.error('syntax_error', `missing "${what}" at end of SQL ${isExpression ? 'expression' : 'statement'}`, t.start);
      }
      this.noteName();
      stop = t.end;
      this.at++;
    }
    if (stop <= start) throw this.yyerror(isExpression ? 'missing expression' : 'missing SQL statement');
    return { text: this.source.slice(start, stop), start, end: this.take() };
  }

  /** Sees the tokens of SQL as they pass. */
  noteName(): void {}

  /** An expression up to one of `until`. */
  readExpression(until: readonly string[], what: string): { expr: PlExpr; end: Token; start: number } {
    const { text, start, end } = this.readSql(until, what, true);
    return { expr: this.expression(text, 'expr', start), end, start };
  }

  readStatement(): { expr: PlExpr; start: number } {
    const { text, start } = this.readSql([';'], ';', false);
    return { expr: this.expression(text, 'statement', start), start };
  }

  /** `start`: where the text stands in the source, for the errors of its syntax; -1: not to be checked. */
  expression(text: string, mode: ExprMode, start: number, target: PlExpr['target'] = null): PlExpr {
    if (this.checkSyntax && start >= 0) this.checkSql(text, mode, start, target);
    return { text, mode, namespace: this.ns, target, prepared: null };
  }

  /** Tells what there is to say of the literals before here; PostgreSQL does so as it reads them. */
  tellWarnings(): void {
    const here = positionOf(this.source, this.token.start);
    while (this.literalWarnings.length > 0 && this.literalWarnings[0]!.fields.position! < here) {
      const warning = this.literalWarnings.shift()!;
      if (this.checkSyntax) movingPositions((position) => ({ internalPosition: position, internalQuery: this.source }), () => session.notice(warning));
    }
  }

  /** The text is parsed; its errors point into the function's source (check_sql_expr). */
  checkSql(text: string, mode: ExprMode, start: number, target: PlExpr['target'] = null): void {
    if (this.literalWarnings.length > 0) this.tellWarnings();
    const check = (sql: string, prefix: number, offset: number): void => {
      movingPositions((position) => ({ internalPosition: positionOf(this.source, start + offset) + position - 1 - prefix, internalQuery: this.source }), () => rawParse(sql));
    };
    if (mode === 'statement') check(text, 0, 0);
    else if (target === null) check(SELECT + text, SELECT.length, 0);
    else {
      check(SELECT + target.targetText, SELECT.length, 0);
      check(SELECT + text.slice(target.valueStart), SELECT.length, target.valueStart);
    }
  }
}
