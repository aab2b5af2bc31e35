// From the text of a function to its statements (pl_gram.y): blocks and declarations. Statements are in statements.ts.
import { PgError } from '../../../common/errors.ts';

import { formatType } from '../../catalog/format_type.ts';
import { lookupCollation } from '../../parser/parse_type.ts';
import type { Oid } from '../../types/datum.ts';
import { BOOLOID, INT4OID, RECORDOID, REFCURSOROID, TEXTOID } from '../../types/oids.ts';

import { getBool, getString } from '../../utils/guc.ts';
import { splitIdentifierList } from '../../utils/guc_parse.ts';
import { session } from '../../utils/session.ts';
import { lookup, pushDatum, pushLabel } from './namespace.ts';
import type { BlockStmt, ExceptionBlock, PlCondition, PlDatum, PlExpr, PlRec, PlRecField, PlRow, PlType, PlVar, Stmt, VariableConflict } from './nodes.ts';
import { sqlstateOf } from './conditions.ts';

import { TokenStream } from './token_stream.ts';
import { buildType, parseCompoundType, parseDatatype, parseRowType, parseWordType } from './types.ts';

/** Cursor options: PostgreSQL's bits. */
export const CURSOR_SCROLL = 2, CURSOR_NO_SCROLL = 4, CURSOR_FAST_PLAN = 256;

/** What the parser must know of the function. */
export interface FunctionFacts {
  name: string;
  retset: boolean;
  isVoid: boolean;
  isProcedure: boolean;
  /** The OUT parameters: one variable, or a row of several. */
  outParam: PlVar | PlRec | PlRow | null;
  collation: Oid;
  /** plpgsql.extra_warnings and extra_errors are heeded. */
  extraChecks: boolean;
}

/** Parses statements; statements.ts fills it in. */
export const statementParser: { parse: (p: Parser) => Stmt | null } = { parse: () => null };

export class Parser extends TokenStream {
  readonly facts: FunctionFacts;
  readonly datums: PlDatum[] = [];
  variableConflict: VariableConflict;
  printStrictParams: boolean;
  /** Of statements read, that they may end the transaction, or call what may. */
  mayCommit = false;
  readonly warnings: ReadonlySet<string>;
  readonly errors: ReadonlySet<string>;

  constructor(source: string, facts: FunctionFacts, checkSyntax: boolean) {
    super(source, checkSyntax);
    this.facts = facts;
    this.variableConflict = getString('plpgsql.variable_conflict') as VariableConflict;
    this.printStrictParams = getBool('plpgsql.print_strict_params');
    this.warnings = facts.extraChecks ? checks('plpgsql.extra_warnings') : new Set();
    this.errors = facts.extraChecks ? checks('plpgsql.extra_errors') : new Set();
  }

  // ---- variables

  private add<D extends PlDatum>(datum: D): D {
    datum.dno = this.datums.length;
    this.datums.push(datum);
    return datum;
  }

  addVariable(name: string, line: number, type: PlType, visible: boolean): PlVar | PlRec {
    if (type.kind === 'pseudo') throw new PgError('feature_not_supported', `variable "${name}" has pseudo-type ${formatType(type.oid)}`);
    const base = { dno: 0, name, line, type, isConst: false, notNull: false, defaultValue: null };
    const datum: PlVar | PlRec = type.kind === 'rec' ? { kind: 'rec', ...base } : { kind: 'var', ...base, cursorQuery: null, cursorOptions: 0, cursorArgs: null };
    this.add(datum);
    if (visible) this.ns = pushDatum(this.ns, name, datum);
    return datum;
  }

  addRow(name: string, line: number, fields: PlDatum[], fieldNames: string[]): PlRow {
    return this.add({ kind: 'row', dno: 0, name, line, fields, fieldNames });
  }

  private readonly recFields = new Map<PlRec, Map<string, PlRecField>>();

  recField(rec: PlRec, field: string): PlRecField {
    let fields = this.recFields.get(rec);
    if (fields === undefined) this.recFields.set(rec, (fields = new Map()));
    let datum = fields.get(field);
    if (datum === undefined) fields.set(field, (datum = this.add({ kind: 'recfield', dno: 0, name: field, line: 0, rec, field })));
    return datum;
  }

  /** The variable that the tokens from here mean, names taken as far as they can be (plpgsql_parse_word and its kind). */
  variableHere(ahead = 0): { datum: PlDatum; names: number; tokens: number; text: string } | null {
    const t = this.peek(ahead);
    if (t.kind !== 'param' && !this.isPlainWord(t)) return null;
    const names = [t.text];
    while (names.length < 3 && this.isOp('.', ahead + names.length * 2 - 1)) {
      const next = this.peek(ahead + names.length * 2);
      if (next.kind !== 'ident' && next.kind !== 'quoted') break;
      names.push(next.text);
    }
    const tokens = names.length * 2 - 1;
    const found = lookup(this.ns, false, names[0]!, names[1] ?? null, names[2] ?? null);
    if (found === null) return null;
    const text = names.join('.');
    const { datum } = found;
    if (datum.kind === 'var' || names.length === found.names) {
      return datum.kind === 'var' && names.length > 1 && found.names < 2 ? null : { datum, names: found.names, tokens, text };
    }
    return { datum: this.recField(datum, names[found.names]!), names: found.names + 1, tokens, text };
  }

  /** Fields of records get their numbers where they are first mentioned; messages tell them. */
  override noteName(): void {
    if (this.isOp('.', 1) && !(this.at > 0 && this.isOp('.', -1))) this.variableHere();
  }

  /** A variable that must be there (T_DATUM). */
  expectVariable(): { datum: PlDatum; text: string; start: number } {
    const found = this.variableHere();
    if (found === null) throw this.notVariable();
    const { start } = this.token;
    this.at += found.tokens;
    return { datum: found.datum, text: found.text, start };
  }

  /** current_token_is_not_variable: what is wrong with what stands here. */
  notVariable(): PgError {
    const t = this.token;
    if (!this.isPlainWord(t) && t.kind !== 'param') return this.syntaxError();
    let text = t.text;
    for (let i = 1; this.isOp('.', i) && i < 5; i += 2) text += `.${this.peek(i + 1).text}`;
    return this.error('syntax_error', `"${text}" is not a known variable`, t.start);
  }

  checkAssignable(datum: PlDatum, start: number): void {
    const holder = datum.kind === 'recfield' ? datum.rec : datum;
    if (holder.kind === 'row' || !holder.isConst) return;
    throw this.error('error_in_assignment', `variable "${holder.name}" is declared CONSTANT`, start);
  }

  /** INTO: a record, a row, or scalars with commas between (read_into_target). */
  readIntoTarget(): PlVar | PlRec | PlRow {
    const first = this.token.start;
    const { datum, text } = this.expectVariable();
    if (datum.kind === 'row' || datum.kind === 'rec') {
      this.checkAssignable(datum, first);
      if (this.isOp(',')) throw this.error('syntax_error', 'record variable cannot be part of multiple-item INTO list', this.token.start);
      return datum;
    }
    return this.readScalarList(datum, text, first);
  }

  /** The rest of a list of scalars whose first is taken. */
  readScalarList(first: PlDatum, name: string, start: number): PlRow {
    this.checkAssignable(first, start);
    const fields = [first], names = [name];
    const line = this.line(start);
    while (this.takeOp(',')) {
      if (fields.length >= 1024) throw this.error('program_limit_exceeded', 'too many INTO variables specified', this.token.start);
      const { start: at } = this.token;
      const { datum, text } = this.expectVariable();
      this.checkAssignable(datum, at);
      if (datum.kind === 'row' || datum.kind === 'rec') throw this.error('syntax_error', `"${text}" is not a scalar variable`, at);
      fields.push(datum);
      names.push(text);
    }
    return this.addRow('(unnamed row)', line, fields, names);
  }

  // ---- the whole

  parseFunction(): BlockStmt {
    while (this.isOp('#')) this.parseOption();
    const label = this.parseLabel();
    if (!this.isWord('declare') && !this.isWord('begin')) throw this.syntaxError();
    const block = this.parseBlock(label);
    this.takeOp(';');
    if (this.token.kind !== 'eof') throw this.syntaxError();
    this.tellWarnings();
    return block;
  }

  private parseOption(): void {
    this.expectOp('#');
    if (this.takeWord('option')) {
      this.expectWord('dump');
    } else if (this.takeWord('print_strict_params')) {
      const t = this.take();
      if (t.text !== 'on' && t.text !== 'off') throw this.error('syntax_error', `unrecognized print_strict_params option ${t.text}`, t.start);
      this.printStrictParams = t.text === 'on';
    } else if (this.takeWord('variable_conflict')) {
      const word = this.take();
      if (word.text !== 'error' && word.text !== 'use_variable' && word.text !== 'use_column') throw this.syntaxError(word);
      this.variableConflict = word.text;
    } else throw this.syntaxError();
  }

  /** `<<label>>`, if one is there. */
  parseLabel(): string | null {
    if (!this.takeOp('<<')) return null;
    const label = this.takeIdentifier();
    this.expectOp('>>');
    return label;
  }

  /** A label after END, which must be that of the beginning. */
  checkEndLabel(label: string | null): void {
    const t = this.token;
    if (!this.isPlainWord(t)) return;
    this.at++;
    if (label === null) throw this.error('syntax_error', `end label "${t.text}" specified for unlabeled block`, t.start);
    if (label !== t.text) throw this.error('syntax_error', `end label "${t.text}" differs from block's label "${label}"`, t.start);
  }

  parseBlock(label: string | null): BlockStmt {
    const outer = this.ns;
    this.ns = pushLabel(this.ns, label, 'block');
    const before = this.datums.length;
    if (this.takeWord('declare')) {
      while (this.takeWord('declare'));
      while (!this.isWord('begin')) {
        if (this.takeWord('declare')) continue;
        if (this.isOp('<<')) throw this.error('syntax_error', 'block label must be placed before DECLARE, not after', this.token.start);
        this.parseDeclaration();
      }
    }
    const variables = this.datums.slice(before).filter((d) => d.kind === 'var' || d.kind === 'rec');
    const line = this.here;
    this.expectWord('begin');
    const body = this.parseStatements();
    const exceptions = this.isWord('exception') ? this.parseExceptions() : null;
    this.expectWord('end');
    this.checkEndLabel(label);
    this.ns = outer;
    return { kind: 'block', line, label, body, variables, exceptions };
  }

  /** Statements up to a word that ends them. */
  parseStatements(): Stmt[] {
    const list: Stmt[] = [];
    for (;;) {
      const t = this.token;
      if (t.kind === 'eof') return list;
      if (t.kind === 'ident' && ENDS.has(t.text) && !(t.text !== 'end' && t.text !== 'else' && t.text !== 'when' && this.startsAssignment())) return list;
      const stmt = statementParser.parse(this);
      if (stmt !== null) list.push(stmt);
    }
  }

  /** Whether `word =`, `word :=` or `word [` stands here. */
  startsAssignment(): boolean {
    return this.isOp('=', 1) || this.isOp(':=', 1) || this.isOp('[', 1);
  }

  private parseExceptions(): ExceptionBlock {
    const line = this.here;
    this.expectWord('exception');
    const text = buildType(TEXTOID, -1, this.facts.collation);
    const sqlstateVar = this.addVariable('sqlstate', line, text, true) as PlVar;
    const sqlerrmVar = this.addVariable('sqlerrm', line, text, true) as PlVar;
    sqlstateVar.isConst = sqlerrmVar.isConst = true;
    const handlers: ExceptionBlock['handlers'] = [];
    while (this.isWord('when')) {
      const handlerLine = this.here;
      this.take();
      const conditions = [this.parseCondition()];
      while (this.takeWord('or')) conditions.push(this.parseCondition());
      this.expectWord('then');
      handlers.push({ conditions, body: this.parseStatements(), line: handlerLine });
    }
    if (handlers.length === 0) throw this.syntaxError();
    return { sqlstateVar, sqlerrmVar, handlers };
  }

  private parseCondition(): PlCondition {
    const name = this.takeIdentifier();
    if (name === 'sqlstate') return { name, sqlstate: this.takeSqlstate() };
    if (name === 'others') return { name, sqlstate: '' };
    return { name, sqlstate: this.recognizeCondition(name) };
  }

  takeSqlstate(): string {
    const t = this.token;
    if (t.kind !== 'string') throw this.syntaxError();
    if (!/^[0-9A-Z]{5}$/.test(t.text)) throw this.yyerror('invalid SQLSTATE code');
    this.at++;
    return t.text;
  }

  recognizeCondition(name: string): string {
    const code = sqlstateOf(name);
    if (code === undefined) throw new PgError('undefined_object', `unrecognized exception condition "${name}"`);
    return code;
  }

  // ---- declarations

  private parseDeclaration(): void {
    const nameToken = this.token;
    const { start } = nameToken;
    const line = this.here;
    const name = this.declareName();
    if (this.takeWord('alias')) {
      this.expectWord('for');
      return this.parseAlias(name);
    }
    if (this.isWord('cursor') || (this.isWord('scroll') && this.isWord('cursor', 1)) || (this.isWord('no') && this.isWord('scroll', 1))) return this.parseCursor(name, line);
    const isConst = this.takeWord('constant');
    const type = this.readDatatype();
    const collated = this.parseCollate(type);
    const notNullAt = this.token.start;
    const notNull = this.takeWord('not');
    if (notNull) this.expectWord('null');
    let defaultValue: PlExpr | null = null;
    if (!this.takeOp(';')) {
      if (!this.takeOp('=') && !this.takeOp(':=') && !this.takeWord('default')) throw this.syntaxError();
      defaultValue = this.readExpression([';'], ';').expr;
    }
    const datum = this.addVariable(name, line, collated, true);
    datum.isConst = isConst;
    datum.notNull = notNull;
    datum.defaultValue = defaultValue;
    if (notNull && defaultValue === null) {
      throw this.error('null_value_not_allowed', `variable "${name}" must have a default value, since it's declared NOT NULL`, notNullAt);
    }
    void start;
  }

  /** A name not yet used in this block. */
  private declareName(): string {
    const t = this.token;
    const name = this.takeIdentifier();
    if (lookup(this.ns, true, name) !== null) throw this.yyerror('duplicate declaration', t);
    if (this.warnings.has('shadowed_variables') || this.errors.has('shadowed_variables')) {
      if (lookup(this.ns, false, name) !== null) {
        const error = this.error('duplicate_alias', `variable "${name}" shadows a previously defined variable`, t.start);
        this.report('shadowed_variables', error);
      }
    }
    return name;
  }

  /** A finding of plpgsql.extra_errors or extra_warnings. */
  report(check: string, error: PgError): void {
    if (this.errors.has(check)) throw error;
    error.severity = 'WARNING';
    session.notice(error);
  }

  private parseAlias(name: string): void {
    const t = this.token;
    const names: string[] = [];
    if (t.kind === 'param') {
      names.push(t.text);
      this.at++;
    } else {
      names.push(this.takeIdentifier());
      while (this.isOp('.')) {
        this.at++;
        names.push(this.takeIdentifier());
      }
    }
    const found = names.length > 2 ? null : lookup(this.ns, false, names[0]!, names[1] ?? null);
    if (found === null || found.names !== names.length) throw this.error('undefined_object', `variable "${names.join('.')}" does not exist`, t.start);
    this.expectOp(';');
    this.ns = pushDatum(this.ns, name, found.datum);
  }

  private parseCursor(name: string, line: number): void {
    let options = 0;
    if (this.takeWord('no')) {
      this.expectWord('scroll');
      options = CURSOR_NO_SCROLL;
    } else if (this.takeWord('scroll')) options = CURSOR_SCROLL;
    this.expectWord('cursor');
    const outer = this.ns;
    this.ns = pushLabel(this.ns, null, 'other');
    let args: PlRow | null = null;
    if (this.takeOp('(')) {
      const fields: PlDatum[] = [];
      do {
        const argLine = this.here;
        const argName = this.declareName();
        fields.push(this.addVariable(argName, argLine, this.readDatatype(), true));
      } while (this.takeOp(','));
      this.expectOp(')');
      args = this.addRow('(unnamed row)', line, fields, fields.map((f) => f.name));
    }
    if (!this.takeWord('is') && !this.takeWord('for')) throw this.syntaxError();
    const { expr } = this.readStatement();
    this.ns = outer;
    const cursor = this.addVariable(name, line, buildType(REFCURSOROID), true) as PlVar;
    cursor.cursorQuery = expr;
    cursor.cursorArgs = args;
    cursor.cursorOptions = CURSOR_FAST_PLAN | options;
  }

  private parseCollate(type: PlType): PlType {
    const { start } = this.token;
    if (!this.takeWord('collate')) return type;
    const names = [this.takeIdentifier()];
    while (this.takeOp('.')) names.push(this.takeIdentifier());
    const collation = lookupCollation(null, names, undefined);
    if (type.collation === 0) throw this.error('datatype_mismatch', `collations are not supported by type ${formatType(type.oid)}`, start);
    return { ...type, collation };
  }

  /** A type as written, x%TYPE or x%ROWTYPE (read_datatype). */
  readDatatype(): PlType {
    const t = this.token;
    const first = t.start;
    if (this.isPlainWord(t) || t.kind === 'param') {
      const names = [t.text];
      let n = 1;
      while (this.isOp('.', n)) {
        names.push(this.peek(n + 1).text);
        n += 2;
      }
      if (this.isOp('%', n)) {
        const word = this.peek(n + 1);
        if (word.kind === 'ident' && word.text === 'type') {
          const type = names.length === 1 ? parseWordType(this.ns, names[0]!, this.facts.collation) : parseCompoundType(this.ns, names);
          if (type !== null) return this.afterDatatype(n + 2, type);
        } else if (word.kind === 'ident' && word.text === 'rowtype') return this.afterDatatype(n + 2, parseRowType(names));
      }
    }
    let depth = 0, end = first;
    for (;;) {
      const token = this.token;
      if (token.kind === 'eof') throw depth !== 0 ? this.yyerror('mismatched parentheses') : this.yyerror('incomplete data type declaration');
      if (token.kind === 'op') {
        if (token.text === ';' || token.text === '=' || token.text === ':=') break;
        if ((token.text === ',' || token.text === ')') && depth === 0) break;
        if (token.text === '(') depth++;
        else if (token.text === ')') depth--;
      } else if (token.kind === 'ident' && (token.text === 'collate' || token.text === 'not' || token.text === 'default')) break;
      end = token.end;
      this.at++;
    }
    const text = this.source.slice(first, end);
    if (text === '') throw this.yyerror('missing data type declaration');
    return parseDatatype(text, this.facts.collation, this.source, first);
  }

  private afterDatatype(tokens: number, type: PlType): PlType {
    this.at += tokens;
    return type;
  }
}

const ENDS = new Set(['end', 'else', 'elsif', 'elseif', 'when', 'exception']);

export function checks(setting: string): ReadonlySet<string> {
  const value = getString(setting).toLowerCase();
  if (value === '' || value === 'none') return new Set();
  return new Set(value === 'all' ? ['shadowed_variables', 'too_many_rows', 'strict_multi_assignment'] : splitIdentifierList(value) || []);
}

/** int4, bool and record as types of variables the language itself makes. */
export const intType = (): PlType => buildType(INT4OID);
export const boolType = (): PlType => buildType(BOOLOID);
export const recordType = (): PlType => buildType(RECORDOID);
