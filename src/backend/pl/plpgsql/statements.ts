// The statements of PL/pgSQL, each by the word it begins with (proc_stmt of pl_gram.y).
import { PgError } from '../../../common/errors.ts';
import { quoteIdentifier } from '../../types/quote.ts';
import { REFCURSOROID } from '../../types/oids.ts';
import { getBaseType } from '../../catalog/lsyscache.ts';
import { lookupLabel, nearestLoop, pushLabel } from './namespace.ts';
import type {
  FetchDirection, GetDiagStmt, IfStmt, CaseStmt, PlDatum, PlExpr, PlRow, PlVar, PlVariable, RaiseLevel, RaiseOption, RaiseStmt, Stmt,
} from './nodes.ts';
import { CURSOR_FAST_PLAN, CURSOR_NO_SCROLL, CURSOR_SCROLL, intType, type Parser, recordType, statementParser } from './parser.ts';

type StatementParser = (p: Parser) => Stmt | null;

statementParser.parse = (p) => {
  const t = p.token;
  if (p.isOp('<<')) return labelled(p);
  if (t.kind === 'ident') {
    const reserved = RESERVED_STATEMENTS[t.text];
    if (reserved !== undefined) return reserved(p);
    if (!p.startsAssignment() && !p.isOp('.', 1)) {
      const own = UNRESERVED_STATEMENTS[t.text];
      if (own !== undefined) return own(p);
    }
  }
  if (t.kind === 'param' || p.isPlainWord(t)) {
    if (p.startsAssignment() || p.isOp('.', 1) || t.kind === 'param') {
      const found = p.variableHere();
      if (found !== null) return assignment(p);
      if (p.startsAssignment() || p.isOp('.', 1)) {
        let n = 1;
        while (p.isOp('.', n)) n += 2;
        if (n === 1 || p.isOp('=', n) || p.isOp(':=', n) || p.isOp('[', n)) throw p.notVariable();
      }
      if (t.kind === 'param') throw p.syntaxError();
    }
    return execSql(p);
  }
  throw p.syntaxError();
};

function labelled(p: Parser): Stmt | null {
  const label = p.parseLabel();
  for (const [word, parse] of [['loop', loop], ['while', whileLoop], ['for', forLoop], ['foreach', foreach]] as const) if (p.isWord(word)) return parse(p, label);
  if (p.isWord('declare') || p.isWord('begin')) return block(p, label);
  throw p.syntaxError();
}

function block(p: Parser, label: string | null): Stmt {
  const stmt = p.parseBlock(label);
  p.expectOp(';');
  return stmt;
}

const RESERVED_STATEMENTS: Readonly<Record<string, StatementParser>> = {
  declare: (p) => block(p, null), begin: (p) => block(p, null), if: ifStatement, case: caseStatement, loop: (p) => loop(p, null), while: (p) => whileLoop(p, null),
  for: (p) => forLoop(p, null), foreach: (p) => foreach(p, null), execute: dynExecute,
  null: (p) => { p.take(); p.expectOp(';'); return null; },
};

const UNRESERVED_STATEMENTS: Readonly<Record<string, StatementParser>> = {
  exit: exit, continue: exit, return: returnStatement, raise: raise, assert: assertion, perform: perform, call: callStatement, do: callStatement,
  get: getDiagnostics, open: open, fetch: fetch, move: fetch, close: close, commit: endTransaction, rollback: endTransaction,
};

// ---- assignment, SQL

function assignment(p: Parser): Stmt {
  const { start } = p.token;
  const line = p.line(start);
  const { datum, names, tokens } = p.variableHere()!;
  p.checkAssignable(datum, start);
  // The target ends where the assignment sign stands.
  let depth = 0, at = p.at + tokens;
  for (; ; at++) {
    const t = p.tokens[at]!;
    if (t.kind === 'eof' || (t.kind === 'op' && t.text === ';')) break;
    if (t.kind !== 'op') continue;
    if (t.text === '[' || t.text === '(') depth++;
    else if (t.text === ']' || t.text === ')') depth--;
    else if (depth === 0 && (t.text === '=' || t.text === ':=')) break;
  }
  const sign = p.tokens[at]!;
  const { text } = p.readSql([';'], ';', false);
  if (sign.text !== '=' && sign.text !== ':=') throw p.yyerror('syntax error', p.tokens[p.at - 1]!);
  const expr = p.expression(text, 'assign', start, { datum, names, targetText: p.source.slice(start, sign.start), valueStart: sign.end - start });
  return { kind: 'assign', line, target: datum, expr };
}

function execSql(p: Parser): Stmt {
  const first = p.token;
  const { start } = first;
  const line = p.line(start);
  const word = first.kind === 'ident' ? first.text : '';
  let into: PlVariable | null = null, strict = false;
  let intoStart = -1, intoEnd = -1;
  let depth = 0, begins = 0;
  let isCreateFunction = false;
  let previous = '';
  for (;;) {
    const t = p.token;
    if (into !== null && intoEnd < 0) intoEnd = t.start;
    if (t.kind === 'op') {
      if (t.text === '(') depth++;
      else if (t.text === ')') depth--;
      else if (t.text === ';' && depth <= 0 && begins === 0) break;
    }
    if (t.kind === 'eof') throw p.yyerror('unexpected end of function definition');
    const text = t.kind === 'ident' ? t.text : '';
    // CREATE FUNCTION ... BEGIN ATOMIC ... END has semicolons inside.
    if (word === 'create' && (text === 'function' || text === 'procedure') && (previous === 'create' || previous === 'replace')) isCreateFunction = true;
    if (isCreateFunction && depth === 0) {
      if (text === 'begin' || (text === 'case' && begins > 0)) begins++;
      else if (text === 'end' && begins > 0) begins--;
    }
    if (text === 'into' && previous !== 'insert' && previous !== 'merge' && word !== 'import') {
      if (into !== null) throw p.yyerror('INTO specified more than once');
      intoStart = t.start;
      p.take();
      strict = p.takeWord('strict');
      into = p.readIntoTarget();
      previous = '';
      continue;
    }
    previous = text;
    p.noteName();
    p.take();
  }
  const end = p.take().start;
  const text = (into === null ? p.source.slice(start, end) : p.source.slice(start, intoStart) + ' '.repeat(intoEnd - intoStart) + p.source.slice(intoEnd, end)).trimEnd();
  return { kind: 'execsql', line, query: p.expression(text, 'statement', start), into, strict };
}

function perform(p: Parser): Stmt {
  const { start } = p.token;
  const line = p.line(start);
  const { text } = p.readSql([';'], ';', false);
  const query = `SELECT${text.slice('PERFORM'.length)}`;
  const expr = p.expression(query, 'statement', -1);
  if (p.checkSyntax) p.checkSql(query, 'statement', start + 1);
  return { kind: 'perform', line, expr };
}

function callStatement(p: Parser): Stmt {
  const line = p.here;
  const isCall = p.isWord('call');
  p.mayCommit = true;
  return { kind: 'call', line, expr: p.readStatement().expr, isCall };
}

function dynExecute(p: Parser): Stmt {
  const line = p.here;
  p.take();
  const { expr, end } = p.readExpression(['into', 'using', ';'], 'INTO or USING or ;');
  let into: PlVariable | null = null, strict = false;
  const params: PlExpr[] = [];
  let sign = end;
  for (;;) {
    if (sign.text === 'into') {
      if (into !== null) throw p.yyerror('syntax error', sign);
      strict = p.takeWord('strict');
      into = p.readIntoTarget();
      sign = p.take();
    } else if (sign.text === 'using') {
      if (params.length > 0) throw p.yyerror('syntax error', sign);
      do {
        const param = p.readExpression([',', ';', 'into'], ', or ; or INTO');
        params.push(param.expr);
        sign = param.end;
      } while (sign.text === ',');
    } else if (sign.text === ';') break;
    else throw p.yyerror('syntax error', sign);
  }
  return { kind: 'dynexecute', line, query: expr, into, strict, params };
}

// ---- control

function ifStatement(p: Parser): Stmt {
  const line = p.here;
  const stmt: IfStmt = { kind: 'if', line, arms: [], otherwise: null };
  const arm = (): void => {
    const armLine = p.here;
    p.take();
    const cond = p.readExpression(['then'], 'THEN').expr;
    stmt.arms.push({ line: armLine, cond, body: p.parseStatements() });
  };
  arm();
  while (p.isWord('elsif') || p.isWord('elseif')) arm();
  if (p.takeWord('else')) stmt.otherwise = p.parseStatements();
  p.expectWord('end', 'if');
  p.expectOp(';');
  return stmt;
}

function caseStatement(p: Parser): Stmt {
  const line = p.here;
  p.take();
  const stmt: CaseStmt = { kind: 'case', line, test: null, testVar: null, arms: [], otherwise: null };
  const outer = p.ns;
  if (!p.isWord('when')) {
    stmt.test = p.readExpression(['when'], 'WHEN').expr;
    p.at--;
    // The tests compare with a hidden variable, whose type is found when the value is there.
    stmt.testVar = p.addVariable(`__Case__Variable_${p.datums.length}__`, line, intType(), true) as PlVar;
  }
  const caseNs = p.ns;
  while (p.isWord('when')) {
    const armLine = p.here;
    p.take();
    p.ns = caseNs;
    const { text, start } = p.readSql(['then'], 'THEN', true);
    if (p.checkSyntax) p.checkSql(text, 'expr', start);
    const cond = p.expression(stmt.testVar === null ? text : `"${stmt.testVar.name}" IN (${text})`, 'expr', -1);
    p.ns = outer;
    stmt.arms.push({ line: armLine, cond, body: p.parseStatements() });
  }
  if (stmt.arms.length === 0) throw p.syntaxError();
  if (p.takeWord('else')) stmt.otherwise = p.parseStatements();
  p.expectWord('end', 'case');
  p.expectOp(';');
  return stmt;
}

function loopBody(p: Parser, label: string | null): Stmt[] {
  const body = p.parseStatements();
  p.expectWord('end', 'loop');
  p.checkEndLabel(label);
  p.expectOp(';');
  return body;
}

function inLoop<S extends Stmt>(p: Parser, label: string | null, parse: () => S): S {
  const outer = p.ns;
  p.ns = pushLabel(p.ns, label, 'loop');
  const stmt = parse();
  p.ns = outer;
  return stmt;
}

function loop(p: Parser, label: string | null): Stmt {
  const line = p.here;
  p.take();
  return inLoop(p, label, () => ({ kind: 'loop', line, label, body: loopBody(p, label) }));
}

function whileLoop(p: Parser, label: string | null): Stmt {
  const line = p.here;
  p.take();
  return inLoop(p, label, () => ({ kind: 'while', line, label, cond: p.readExpression(['loop'], 'LOOP').expr, body: loopBody(p, label) }));
}

interface LoopVariable { name: string; line: number; start: number; scalar: PlDatum | null; row: PlVariable | null }

function loopVariable(p: Parser): LoopVariable {
  const t = p.token;
  const line = p.here;
  const found = p.variableHere();
  if (found === null) {
    if (!p.isPlainWord(t) || p.isOp('.', 1)) throw p.notVariable();
    p.take();
    if (p.isOp(',')) {
      p.at--;
      throw p.notVariable();
    }
    return { name: t.text, line, start: t.start, scalar: null, row: null };
  }
  p.at += found.tokens;
  const { datum } = found;
  if (datum.kind === 'row' || datum.kind === 'rec') return { name: found.text, line, start: t.start, scalar: null, row: datum };
  return { name: found.text, line, start: t.start, scalar: datum, row: p.isOp(',') ? p.readScalarList(datum, found.text, t.start) : null };
}

/** The target of a loop over rows. */
function rowTarget(p: Parser, v: LoopVariable): PlVariable {
  if (v.row !== null) {
    p.checkAssignable(v.row, v.start);
    return v.row;
  }
  if (v.scalar === null) throw p.error('syntax_error', 'loop variable of loop over rows must be a record variable or list of scalar variables', v.start);
  p.checkAssignable(v.scalar, v.start);
  return p.addRow('(unnamed row)', v.line, [v.scalar], [v.name]);
}

function forLoop(p: Parser, label: string | null): Stmt {
  const line = p.here;
  p.take();
  return inLoop<Stmt>(p, label, () => {
    const v = loopVariable(p);
    p.expectWord('in');
    if (p.takeWord('execute')) {
      const query = p.readExpression(['loop', 'using'], 'LOOP or USING');
      const target = rowTarget(p, v);
      const params: PlExpr[] = [];
      if (query.end.text === 'using') {
        let end;
        do {
          const param = p.readExpression([',', 'loop'], ', or LOOP');
          params.push(param.expr);
          ({ end } = param);
        } while (end.text === ',');
      }
      return { kind: 'dynfors', line, label, target, query: query.expr, params, body: loopBody(p, label) };
    }
    const maybeCursor = p.variableHere();
    if (maybeCursor !== null && maybeCursor.datum.kind === 'var' && maybeCursor.datum.type.oid === REFCURSOROID) {
      const cursor = maybeCursor.datum;
      const { start } = p.token;
      p.at += maybeCursor.tokens;
      if (cursor.cursorQuery === null) throw p.error('syntax_error', 'cursor FOR loop must use a bound cursor variable', start);
      const args = readCursorArgs(p, cursor, 'loop');
      const target = p.addVariable(v.name, v.line, recordType(), true) as never;
      return { kind: 'forc', line, label, target, cursor, args, body: loopBody(p, label) };
    }
    const reverse = p.takeWord('reverse');
    const first = p.readSql(['..', 'loop'], 'LOOP', true);
    if (first.end.text === '..') {
      const lower = p.expression(first.text, 'expr', first.start);
      const second = p.readExpression(['loop', 'by'], 'LOOP');
      const step = second.end.text === 'by' ? p.readExpression(['loop'], 'LOOP').expr : null;
      if (v.scalar !== null && v.row !== null) throw p.error('syntax_error', 'integer FOR loop must have only one target variable', v.start);
      const variable = p.addVariable(v.name, v.line, intType(), true) as PlVar;
      return { kind: 'fori', line, label, variable, lower, upper: second.expr, step, reverse, body: loopBody(p, label) };
    }
    if (reverse) throw p.error('syntax_error', 'cannot specify REVERSE in query FOR loop', first.start);
    const query = p.expression(first.text, 'statement', first.start);
    return { kind: 'fors', line, label, target: rowTarget(p, v), query, body: loopBody(p, label) };
  });
}

function foreach(p: Parser, label: string | null): Stmt {
  const line = p.here;
  p.take();
  return inLoop<Stmt>(p, label, () => {
    const v = loopVariable(p);
    let slice = 0;
    if (p.takeWord('slice')) {
      const n = p.take();
      if (n.kind !== 'integer') throw p.syntaxError(n);
      slice = Number(n.text);
    }
    p.expectWord('in');
    p.expectWord('array');
    const array = p.readExpression(['loop'], 'LOOP').expr;
    const target = v.row ?? v.scalar;
    if (target === null) throw p.error('syntax_error', 'loop variable of FOREACH must be a known variable or list of variables', v.start);
    p.checkAssignable(target, v.start);
    return { kind: 'foreach', line, label, target, slice, array, body: loopBody(p, label) };
  });
}

function exit(p: Parser): Stmt {
  const t = p.take();
  const isExit = t.text === 'exit';
  const line = p.line(t.start);
  let label: string | null = null;
  if (!p.isOp(';') && !p.isWord('when')) {
    const { start } = p.token;
    label = p.takeIdentifier();
    const found = lookupLabel(p.ns, label);
    if (found === null) throw p.error('syntax_error', `there is no label "${label}" attached to any block or loop enclosing this statement`, start);
    if (found.labelKind !== 'loop' && !isExit) throw p.error('syntax_error', `block label "${label}" cannot be used in CONTINUE`, start);
  } else if (nearestLoop(p.ns) === null) {
    throw p.error('syntax_error', isExit ? 'EXIT cannot be used outside a loop, unless it has a label' : 'CONTINUE cannot be used outside a loop', t.start);
  }
  let cond: PlExpr | null = null;
  if (p.takeWord('when')) cond = p.readExpression([';'], ';').expr;
  else p.expectOp(';');
  return { kind: 'exit', line, isExit, label, cond };
}

// ---- results

/** A variable followed by a semicolon, both taken; else null. */
function lonelyVariable(p: Parser): PlDatum | null {
  const found = p.variableHere();
  if (found === null || !p.isOp(';', found.tokens) || found.datum.kind === 'recfield') return null;
  p.at += found.tokens + 1;
  return found.datum;
}

function returnStatement(p: Parser): Stmt {
  const line = p.here;
  p.take();
  const { facts } = p;
  if (p.atEnd) throw p.yyerror('unexpected end of function definition');
  if (p.takeWord('next')) return returnNext(p, line);
  if (p.takeWord('query')) return returnQuery(p, line);
  const none = (message: string, condition: 'datatype_mismatch' | 'syntax_error', hint?: string): void => {
    if (!p.isOp(';')) throw p.error(condition, message, p.token.start, hint === undefined ? {} : { hint });
    p.take();
  };
  if (facts.retset) {
    none('RETURN cannot have a parameter in function returning set', 'datatype_mismatch', 'Use RETURN NEXT or RETURN QUERY.');
    return { kind: 'return', line, expr: null, variable: null };
  }
  if (facts.isVoid) {
    if (facts.isProcedure) none('RETURN cannot have a parameter in a procedure', 'syntax_error');
    else none('RETURN cannot have a parameter in function returning void', 'datatype_mismatch');
    return { kind: 'return', line, expr: null, variable: null };
  }
  if (facts.outParam !== null) {
    none('RETURN cannot have a parameter in function with OUT parameters', 'datatype_mismatch');
    return { kind: 'return', line, expr: null, variable: facts.outParam };
  }
  const variable = lonelyVariable(p);
  if (variable !== null) return { kind: 'return', line, expr: null, variable };
  return { kind: 'return', line, expr: p.readExpression([';'], ';').expr, variable: null };
}

function returnNext(p: Parser, line: number): Stmt {
  if (!p.facts.retset) throw p.error('datatype_mismatch', 'cannot use RETURN NEXT in a non-SETOF function', p.tokens[p.at - 2]!.start);
  if (p.facts.outParam !== null) {
    if (!p.isOp(';')) throw p.error('datatype_mismatch', 'RETURN NEXT cannot have a parameter in function with OUT parameters', p.token.start);
    p.take();
    return { kind: 'return_next', line, expr: null, variable: p.facts.outParam };
  }
  const variable = lonelyVariable(p);
  if (variable !== null) return { kind: 'return_next', line, expr: null, variable };
  return { kind: 'return_next', line, expr: p.readExpression([';'], ';').expr, variable: null };
}

function returnQuery(p: Parser, line: number): Stmt {
  if (!p.facts.retset) throw p.error('datatype_mismatch', 'cannot use RETURN QUERY in a non-SETOF function', p.tokens[p.at - 2]!.start);
  if (!p.takeWord('execute')) return { kind: 'return_query', line, query: p.readStatement().expr, dynamic: null, params: [] };
  const { expr, end } = p.readExpression([';', 'using'], '; or USING');
  return { kind: 'return_query', line, query: null, dynamic: expr, params: end.text === 'using' ? usingList(p) : [] };
}

/** USING a, b, ...; */
function usingList(p: Parser): PlExpr[] {
  const params: PlExpr[] = [];
  for (;;) {
    const { expr, end } = p.readExpression([',', ';'], ', or ;');
    params.push(expr);
    if (end.text === ';') return params;
  }
}

// ---- messages

const LEVELS: Readonly<Record<string, RaiseLevel>> = { exception: 'ERROR', warning: 'WARNING', notice: 'NOTICE', info: 'INFO', log: 'LOG', debug: 'DEBUG1' };
const RAISE_OPTIONS = new Set(['errcode', 'message', 'detail', 'hint', 'column', 'constraint', 'datatype', 'table', 'schema']);

function raise(p: Parser): Stmt {
  const line = p.here;
  p.take();
  const stmt: RaiseStmt = { kind: 'raise', line, level: 'ERROR', condition: null, message: null, params: [], options: [] };
  if (p.atEnd) throw p.yyerror('unexpected end of function definition');
  if (p.takeOp(';')) return stmt;
  const level = p.token.kind === 'ident' ? LEVELS[p.token.text] : undefined;
  if (level !== undefined) {
    stmt.level = level;
    p.take();
    if (p.atEnd) throw p.yyerror('unexpected end of function definition');
  }
  if (p.token.kind === 'string') {
    stmt.message = p.take().text;
    let t = p.take();
    while (t.kind === 'op' && t.text === ',') {
      const { expr, end } = p.readExpression([',', ';', 'using'], ', or ; or USING');
      stmt.params.push(expr);
      t = end;
    }
    if (t.text === 'using' && t.kind === 'ident') raiseOptions(p, stmt);
    else if (!(t.kind === 'op' && t.text === ';')) throw p.yyerror('syntax error', t);
  } else {
    if (!p.isWord('using')) {
      if (p.takeWord('sqlstate')) stmt.condition = p.takeSqlstate();
      else {
        const name = p.takeIdentifier();
        stmt.condition = name;
        p.recognizeCondition(name);
      }
      if (!p.isOp(';') && !p.isWord('using')) throw p.syntaxError();
    }
    if (p.take().text === 'using') raiseOptions(p, stmt);
  }
  checkRaiseParameters(stmt);
  return stmt;
}

function raiseOptions(p: Parser, stmt: RaiseStmt): void {
  for (;;) {
    const t = p.token;
    if (t.kind !== 'ident' || !RAISE_OPTIONS.has(t.text)) throw p.yyerror('unrecognized RAISE statement option');
    p.take();
    if (!p.takeOp('=') && !p.takeOp(':=')) throw p.yyerror('syntax error, expected "="');
    const { expr, end } = p.readExpression([',', ';'], ', or ;');
    stmt.options.push({ option: t.text as RaiseOption, expr });
    if (end.text === ';') return;
  }
}

function checkRaiseParameters(stmt: RaiseStmt): void {
  if (stmt.message === null) return;
  const expected = stmt.message.replaceAll('%%', '').split('%').length - 1;
  if (expected < stmt.params.length) throw new PgError('syntax_error', 'too many parameters specified for RAISE');
  if (expected > stmt.params.length) throw new PgError('syntax_error', 'too few parameters specified for RAISE');
}

function assertion(p: Parser): Stmt {
  const line = p.here;
  p.take();
  const { expr, end } = p.readExpression([',', ';'], ', or ;');
  return { kind: 'assert', line, cond: expr, message: end.text === ',' ? p.readExpression([';'], ';').expr : null };
}

const STACKED_ITEMS = new Set(['pg_exception_detail', 'pg_exception_hint', 'pg_exception_context', 'column_name', 'constraint_name', 'pg_datatype_name', 'message_text', 'table_name', 'schema_name', 'returned_sqlstate']);

function getDiagnostics(p: Parser): Stmt {
  const line = p.here;
  const { start } = p.take();
  const stacked = p.takeWord('stacked');
  if (!stacked) p.takeWord('current');
  p.expectWord('diagnostics');
  const stmt: GetDiagStmt = { kind: 'getdiag', line, stacked, items: [] };
  do {
    const at = p.token.start;
    const { datum, text } = p.expectVariable();
    if (datum.kind === 'row' || datum.kind === 'rec') throw p.error('syntax_error', `"${text}" is not a scalar variable`, at);
    if (p.isOp('[')) throw p.syntaxError();
    p.checkAssignable(datum, at);
    if (!p.takeOp('=') && !p.takeOp(':=')) throw p.syntaxError();
    const t = p.token;
    const known = t.kind === 'ident' && (STACKED_ITEMS.has(t.text) || t.text === 'row_count' || t.text === 'pg_context');
    if (!known) throw p.yyerror('unrecognized GET DIAGNOSTICS item');
    p.take();
    stmt.items.push({ item: t.text, target: datum });
  } while (p.takeOp(','));
  p.expectOp(';');
  for (const { item } of stmt.items) {
    if (STACKED_ITEMS.has(item) !== stacked) throw p.error('syntax_error', `diagnostics item ${item.toUpperCase()} is not allowed in GET ${stacked ? 'STACKED' : 'CURRENT'} DIAGNOSTICS`, start);
  }
  return stmt;
}

// ---- cursors

function cursorVariable(p: Parser): PlVar {
  const { start } = p.token;
  const { datum } = p.expectVariable();
  if (datum.kind !== 'var') throw p.error('datatype_mismatch', 'cursor variable must be a simple variable', start);
  if (getBaseType(datum.type.oid) !== REFCURSOROID) throw p.error('datatype_mismatch', `variable "${datum.name}" must be of type cursor or refcursor`, start);
  return datum;
}

/** (a, name := b) of a bound cursor, as the list of an expression in the cursor's order (read_cursor_args). */
function readCursorArgs(p: Parser, cursor: PlVar, until: string): PlExpr | null {
  const isUntil = (): boolean => (until === ';' ? p.isOp(';') : p.isWord(until));
  const { start } = p.token;
  const row: PlRow | null = cursor.cursorArgs;
  if (row === null) {
    if (p.isOp('(')) throw p.error('syntax_error', `cursor "${cursor.name}" has no arguments`, start);
    if (!isUntil()) throw p.syntaxError();
    p.take();
    return null;
  }
  if (!p.isOp('(')) throw p.error('syntax_error', `cursor "${cursor.name}" has arguments`, start);
  p.take();
  const values: (string | undefined)[] = row.fields.map(() => undefined);
  let anyNamed = false;
  for (let i = 0; i < values.length; i++) {
    const t = p.token;
    let place = i;
    if (p.isPlainWord(t) && p.isOp(':=', 1)) {
      place = row.fieldNames.indexOf(t.text);
      if (place < 0) throw p.error('syntax_error', `cursor "${cursor.name}" has no argument named "${t.text}"`, t.start);
      p.at += 2;
      anyNamed = true;
    }
    if (values[place] !== undefined) throw p.error('syntax_error', `value for parameter "${row.fieldNames[place]}" of cursor "${cursor.name}" specified more than once`, t.start);
    const { text, start: from, end } = p.readSql([',', ')'], '," or ")', true);
    if (p.checkSyntax) p.checkSql(text, 'expr', from);
    values[place] = text;
    if (end.text === ')' && i < values.length - 1) throw p.error('syntax_error', `not enough arguments for cursor "${cursor.name}"`, end.start);
    if (end.text === ',' && i === values.length - 1) throw p.error('syntax_error', `too many arguments for cursor "${cursor.name}"`, end.start);
  }
  const expr = p.expression(values.map((v, i) => (anyNamed ? `${v} AS ${quoteIdentifier(row.fieldNames[i]!)}` : v)).join(', '), 'expr', -1);
  if (!isUntil()) throw p.syntaxError();
  p.take();
  return expr;
}

function open(p: Parser): Stmt {
  const line = p.here;
  p.take();
  const cursor = cursorVariable(p);
  const stmt = { kind: 'open' as const, line, cursor, options: CURSOR_FAST_PLAN, args: null as PlExpr | null, query: null as PlExpr | null, dynamic: null as PlExpr | null, params: [] as PlExpr[] };
  if (cursor.cursorQuery !== null) {
    stmt.options = cursor.cursorOptions;
    stmt.args = readCursorArgs(p, cursor, ';');
    return stmt;
  }
  if (p.takeWord('no')) {
    if (!p.takeWord('scroll')) throw p.syntaxError();
    stmt.options |= CURSOR_NO_SCROLL;
  } else if (p.takeWord('scroll')) stmt.options |= CURSOR_SCROLL;
  if (!p.takeWord('for')) throw p.yyerror('syntax error, expected "FOR"');
  if (p.takeWord('execute')) {
    const { expr, end } = p.readExpression(['using', ';'], 'USING or ;');
    stmt.dynamic = expr;
    if (end.text === 'using') stmt.params = usingList(p);
  } else stmt.query = p.readStatement().expr;
  return stmt;
}

const FETCH_ALL = Number.MAX_SAFE_INTEGER;

interface Direction { direction: FetchDirection; howMany: number; expr: PlExpr | null; several: boolean }

function fetchDirection(p: Parser): Direction {
  const d: Direction = { direction: 'forward', howMany: 1, expr: null, several: false };
  const count = (several: boolean): void => {
    d.expr = p.readExpression(['from', 'in'], 'FROM or IN').expr;
    d.several = several;
  };
  const from = (): void => {
    if (!p.takeWord('from') && !p.takeWord('in')) throw p.yyerror('expected FROM or IN');
  };
  const complete = (direction: FetchDirection): void => {
    d.direction = direction;
    if (p.takeWord('from') || p.takeWord('in')) return;
    if (p.takeWord('all')) {
      d.howMany = FETCH_ALL;
      d.several = true;
      from();
    } else count(true);
  };
  if (p.atEnd) throw p.yyerror('unexpected end of function definition');
  if (p.takeWord('next')) from();
  else if (p.takeWord('prior')) { d.direction = 'backward'; from(); } else if (p.takeWord('first')) { d.direction = 'absolute'; from(); } else if (p.takeWord('last')) { d.direction = 'absolute'; d.howMany = -1; from(); } else if (p.takeWord('absolute')) { d.direction = 'absolute'; count(false); } else if (p.takeWord('relative')) { d.direction = 'relative'; count(false); } else if (p.takeWord('all')) { d.howMany = FETCH_ALL; d.several = true; from(); } else if (p.takeWord('forward')) complete('forward');
  else if (p.takeWord('backward')) complete('backward');
  else if (p.takeWord('from') || p.takeWord('in')) return d;
  else if (p.variableHere() === null) count(true);
  return d;
}

function fetch(p: Parser): Stmt {
  const { start, text } = p.take();
  const line = p.line(start);
  const isMove = text === 'move';
  const d = fetchDirection(p);
  const cursor = cursorVariable(p);
  let target: PlVariable | null = null;
  if (!isMove) {
    p.expectWord('into');
    target = p.readIntoTarget();
  }
  if (!p.takeOp(';')) throw p.syntaxError();
  if (!isMove && d.several) throw p.error('feature_not_supported', 'FETCH statement cannot return multiple rows', start);
  return { kind: 'fetch', line, target, cursor, direction: d.direction, howMany: d.howMany, expr: d.expr, isMove, severalRows: d.several };
}

function close(p: Parser): Stmt {
  const line = p.here;
  p.take();
  const cursor = cursorVariable(p);
  p.expectOp(';');
  return { kind: 'close', line, cursor };
}

function endTransaction(p: Parser): Stmt {
  const line = p.here;
  const kind = p.take().text as 'commit' | 'rollback';
  let chain = false;
  if (p.takeWord('and')) {
    chain = !p.takeWord('no');
    p.expectWord('chain');
  }
  p.expectOp(';');
  p.mayCommit = true;
  return { kind, line, chain };
}
