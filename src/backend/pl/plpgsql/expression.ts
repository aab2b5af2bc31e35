// Expressions and statements of SQL inside a function: analyzed when first run, with the function's variables as parameters,
// and kept. A simple expression (no table, no aggregate, ...) becomes a JavaScript function of the variables; all else is a
// planned statement. What was made is good for the catalogs, search path and role of then, and for records that still have
// the columns they had.
import { PgError } from '../../../common/errors.ts';
import { Generator, instantiate, type Value } from '../../executor/codegen.ts';
import { activeCommand } from '../../executor/execute.ts';
import { genExpr } from '../../executor/expr_codegen.ts';
import { functionInfo } from '../../executor/fmgr_info.ts';
import { someExpr } from '../../executor/plan_walker.ts';
import { exprLocation, exprType, exprTypmod } from '../../nodes/nodeFuncs.ts';
import type { Query } from '../../nodes/parsenodes.ts';
import type { Expr, Param } from '../../nodes/primnodes.ts';
import { evalConstExpressions } from '../../optimizer/clauses.ts';
import { parseAnalyzeWithState } from '../../parser/analyze.ts';
import { coerceToTargetType } from '../../parser/parse_coerce.ts';
import { assignExprCollations } from '../../parser/parse_collate.ts';
import { makeParseState, parserError, type ParseState } from '../../parser/parse_node.ts';
import { formatType } from '../../catalog/format_type.ts';
import { getBaseType, getType } from '../../catalog/lsyscache.ts';
import { transformAssignmentIndirection } from '../../parser/parse_target.ts';
import { rawParse, type RawNode, type RawStmt } from '../../parser/raw_parser.ts';
import { CachedStatement } from '../../tcop/plancache.ts';
import { catalogVersion, commandCounterIncrement, currentCommandId, popSnapshot, pushSnapshot } from '../../transaction/xact.ts';
import type { Datum, Oid, RecordAttribute, RecordValue } from '../../types/datum.ts';
import { RECORDOID } from '../../types/oids.ts';
import { session } from '../../utils/session.ts';
import { settings } from '../../utils/settings.ts';
import { castFunction, castNode, needsCast, type Cast } from './casts.ts';
import type { PlFunction } from './function.ts';
import { lookup, type Namespace } from './namespace.ts';
import type { PlDatum, PlExpr, PlRec, PlVar } from './nodes.ts';
import { findField, sameAttributes } from './records.ts';
import { SELECT } from './token_stream.ts';

type Holder = PlVar | PlRec;

/** A text of SQL that is being run, for CONTEXT: `shift` is from places in what was parsed to places in it. */
export interface RunningText { readonly text: string; readonly mode: PlExpr['mode']; readonly shift: number }

/** What an expression's value is to be: any type as it comes, or this. */
export interface Wanted { readonly type: Oid; readonly typmod: number }

/** A place in a function where an expression or statement is run. */
export class Site {
  readonly expr: PlExpr;
  readonly fn: PlFunction;
  /** The variables it may mention; their values come in this order. */
  readonly refs: readonly Holder[];
  readonly wanted: Wanted | null;
  /** For the CONTEXT of errors. */
  readonly running: RunningText;
  prepared: Prepared | null = null;
  /** The statement when it is none of these (queries with rows); made with the same variables. */
  statement: PlStatement | null = null;

  constructor(fn: PlFunction, expr: PlExpr, wanted: Wanted | null) {
    this.fn = fn;
    this.expr = expr;
    this.wanted = wanted;
    this.refs = referencedVariables(expr, fn);
    this.running = { text: expr.text, mode: expr.mode, shift: expr.mode === 'statement' ? 0 : (expr.target?.valueStart ?? 0) - SELECT.length };
  }

}

const NAMES = /"(?:[^"]|"")*"|\$\d+|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/g;

/** All variables whose names occur, in whatever sense: more than are meant does no harm. */
function referencedVariables(expr: PlExpr, fn: PlFunction): Holder[] {
  const found = new Set<Holder>();
  if (/[uU]&"/.test(expr.text)) return fn.datums.filter((d): d is Holder => d.kind === 'var' || d.kind === 'rec');
  const names = [...expr.text.matchAll(NAMES)].map(([text]) => (text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text.toLowerCase()));
  names.forEach((name, i) => {
    for (const hit of [lookup(expr.namespace, false, name), i + 1 < names.length ? lookup(expr.namespace, false, name, names[i + 1]!) : null]) {
      if (hit !== null) found.add(hit.datum);
    }
  });
  if (expr.target !== null) found.add(holderOf(expr.target.datum));
  return [...found];
}

function holderOf(datum: PlDatum): Holder {
  return datum.kind === 'recfield' ? datum.rec : (datum as Holder);
}

// ---- names in expressions

/** A parameter's source: which of the site's variables, and which field of it (-1: the whole). */
interface Slot { ref: number; field: number; name: string; type: Oid }

/** Makes parameters of variables, and remembers what it assumed of records. */
export class Binding {
  readonly slots: Slot[] = [];
  /** For each variable: columns of the record it was then (null: it had none); undefined: nothing assumed. */
  readonly shapes: (readonly RecordAttribute[] | null | undefined)[];
  readonly refs: readonly Holder[];
  private readonly values: readonly Datum[] | null;

  /** `values` null: nothing is known yet of what records hold. */
  constructor(refs: readonly Holder[], values: readonly Datum[] | null) {
    this.refs = refs;
    this.values = values;
    this.shapes = refs.map(() => undefined);
  }

  param(datum: PlDatum, location: number): Param {
    const holder = holderOf(datum);
    const ref = this.refs.indexOf(holder);
    if (ref < 0) throw new PgError('internal_error', `variable ${holder.name} was not expected`);
    if (holder.kind === 'var') return this.make({ ref, field: -1, name: '', type: 0 }, holder.type.oid, holder.type.typmod, holder.type.collation, location);
    const value = this.recordOf(holder, ref);
    if (datum.kind === 'recfield') {
      const { index, attribute } = findField(holder, value, datum.field);
      return this.make({ ref, field: index, name: datum.field, type: attribute.typeOid }, attribute.typeOid, attribute.typmod, attribute.collation, location);
    }
    const type = holder.type.oid === RECORDOID ? value?.typeOid ?? RECORDOID : holder.type.oid;
    const param = this.make({ ref, field: -1, name: '', type: 0 }, type, -1, 0, location);
    return type === RECORDOID && value !== null ? { ...param, paramcolumns: value.attributes } : param;
  }

  private recordOf(rec: PlRec, ref: number): RecordValue | null {
    if (rec.type.oid !== RECORDOID) return null;
    if (this.values === null) throw new Unknown();
    const value = this.values[ref] as RecordValue | null;
    this.shapes[ref] = value?.attributes ?? null;
    return value;
  }

  private make(slot: Slot, type: Oid, typmod: number, collation: Oid, location: number): Param {
    let n = this.slots.findIndex((s) => s.ref === slot.ref && s.field === slot.field);
    if (n < 0) n = this.slots.push(slot) - 1;
    return { kind: 'Param', paramkind: 'extern', paramid: n + 1, paramtype: type, paramtypmod: typmod, paramcollid: collation, location };
  }

  /** Whether records still look as they did. */
  fits(values: readonly Datum[]): boolean {
    for (let i = 0; i < this.shapes.length; i++) {
      const shape = this.shapes[i];
      if (shape === undefined) continue;
      const now = values[i] === null ? null : (values[i] as RecordValue).attributes;
      if (now !== shape && (now === null || shape === null || !sameAttributes(now, shape))) return false;
    }
    return true;
  }

  /** A field has another type than when this was made: PostgreSQL's plans do not take that. */
  mismatch(values: readonly Datum[], fn: PlFunction): PgError | null {
    for (const { ref, name, type } of this.slots) {
      if (name === '' || this.shapes[ref] === undefined || values[ref] === null) continue;
      const now = (values[ref] as RecordValue).attributes.find((a) => a.name === name && !a.dropped);
      if (now === undefined || now.typeOid === type) continue;
      const dno = fn.datums.findIndex((d) => d.kind === 'recfield' && d.rec === this.refs[ref] && d.field === name);
      return new PgError('datatype_mismatch', `type of parameter ${dno + 1} (${formatType(now.typeOid)}) does not match that when preparing the plan (${formatType(type)})`);
    }
    return null;
  }

  /** The parameters' values. */
  bind(values: readonly Datum[]): Datum[] {
    return this.slots.map(({ ref, field }) => {
      const value = values[ref]!;
      return field < 0 || value === null ? value : (value as RecordValue).values[field] ?? null;
    });
  }
}

/** Nothing can be said before the function runs. */
class Unknown extends Error {}

/** Makes the function's names known to an analysis (plpgsql_parser_setup). */
export function setupHooks(state: ParseState, ns: Namespace, conflict: PlFunction['variableConflict'], binding: Binding): void {
  const resolve = (ref: RawNode): Expr | null => {
    const fields = ref['fields'] as (string | RawNode)[];
    if (fields.length > 3) return null;
    const star = typeof fields[fields.length - 1] !== 'string';
    const names = fields.map((f) => (typeof f === 'string' ? f : '*'));
    const found = lookup(ns, false, names[0]!, names[1] ?? null, names[2] ?? null);
    if (found === null) return null;
    const location = (ref.location as number | undefined) ?? -1;
    const n = names.length;
    const { datum } = found;
    if (datum.kind === 'var') return found.names === n && !star ? binding.param(datum, location) : null;
    if (found.names === (star ? n - 1 : n)) return binding.param(datum, location);
    if (!star && found.names === n - 1) {
      const field = names[n - 1]!;
      return binding.param({ kind: 'recfield', dno: -1, name: field, line: 0, rec: datum, field }, location);
    }
    return null;
  };
  if (conflict === 'use_variable') state.preColumnRefHook = (_s, ref) => resolve(ref);
  else {
    state.postColumnRefHook = (s, ref, found) => {
      if (conflict === 'use_column' && found !== null) return null;
      const variable = resolve(ref);
      if (variable !== null && found !== null) {
        const fields = ref['fields'] as (string | RawNode)[];
        throw parserError(s, 'ambiguous_column', `column reference "${fields.map((f) => (typeof f === 'string' ? f : '*')).join('.')}" is ambiguous`, ref.location, {
          detail: 'It could refer to either a PL/pgSQL variable or a table column.',
        });
      }
      return variable;
    };
  }
  state.paramRefHook = (_s, ref) => {
    const found = lookup(ns, false, `$${ref['number'] as number}`);
    return found === null ? null : binding.param(found.datum, (ref.location as number | undefined) ?? -1);
  };
}

// ---- statements

/** A statement of a function, analyzed with its variables. */
export class PlStatement extends CachedStatement {
  private readonly site: Site;
  binding: Binding;
  private values: readonly Datum[] = [];
  private readonly given: ((binding: Binding) => Query) | null;

  constructor(site: Site, text: string, raw: RawStmt, given: ((binding: Binding) => Query) | null = null) {
    super(text, raw, [], false, false);
    this.site = site;
    this.given = given;
    this.binding = new Binding(site.refs, []);
  }

  protected override analyze(): Query {
    this.binding = new Binding(this.site.refs, this.values);
    if (this.given !== null) return this.given(this.binding);
    const state = makeParseState(this.text);
    setupHooks(state, this.site.expr.namespace, this.site.fn.variableConflict, this.binding);
    return parseAnalyzeWithState(this.raw!, state);
  }

  /** Made ready for these values; gives the parameters. */
  ready(values: readonly Datum[]): Datum[] {
    this.values = values;
    if (this.catalogVersion !== -1 && !this.binding.fits(values)) {
      const mismatch = this.isCurrent() ? this.binding.mismatch(values, this.site.fn) : null;
      if (mismatch !== null) throw mismatch;
      this.catalogVersion = -1;
    }
    this.revalidate();
    return this.binding.bind(values);
  }
}

/** The statement of a site in mode 'statement'. */
export function statementOf(site: Site): PlStatement {
  return (site.statement ??= makeStatement(site));
}

function makeStatement(site: Site): PlStatement {
  const text = site.expr.mode === 'statement' ? site.expr.text : SELECT + site.expr.text;
  const list = rawParse(text);
  if (list.length !== 1) throw new PgError('syntax_error', list.length === 0 ? 'missing SQL statement' : 'cannot insert multiple commands into a prepared statement');
  return new PlStatement(site, text, list[0]!);
}

// ---- expressions

type Run = (rt: { params: readonly Datum[]; slots: readonly Datum[]; exec: Datum[] }) => Datum;

export interface Prepared {
  readonly version: number;
  readonly searchPath: string;
  readonly role: Oid;
  readonly rowSecurity: boolean;
  readonly binding: Binding;
  readonly type: Oid;
  readonly typmod: number;
  /** A simple expression, cast and all; null: run the statement. */
  readonly run: Run | null;
  readonly statement: PlStatement | null;
  readonly cast: Cast | null;
}

/** Analyzes an expression for these values (null: statically) and makes it a value of the wanted type. */
export function analyzeExpression(site: Site, binding: Binding): { query: Query; expr: Expr | null; type: Oid; typmod: number } {
  const { expr, fn } = site;
  const text = expr.mode === 'statement' ? expr.text : SELECT + expr.text.slice(expr.target?.valueStart ?? 0);
  const list = rawParse(text);
  if (list.length !== 1) throw new PgError('syntax_error', 'an expression is expected');
  const state = makeParseState(text);
  setupHooks(state, expr.namespace, fn.variableConflict, binding);
  if (expr.target !== null) state.resolveUnknowns = false;
  const query = parseAnalyzeWithState(list[0]!, state);
  if (query.commandType === 'select' && expr.target !== null) assignTarget(site, state, query, binding);
  const node = simpleExpression(query);
  const visible = query.targetList.filter((t) => !t.resjunk);
  const last = visible[0]?.expr;
  return { query, expr: node, type: last === undefined ? 0 : exprType(last), typmod: last === undefined ? -1 : exprTypmod(last) };
}

/** The value put into its place of the variable, and made of its type (transformPLAssignStmt). */
function assignTarget(site: Site, state: ParseState, query: Query, binding: Binding): void {
  const visible = query.targetList.filter((t) => !t.resjunk);
  if (visible.length !== 1) {
    throw new PgError('syntax_error', `assignment source returned ${visible.length} column${visible.length === 1 ? '' : 's'}`);
  }
  const { target } = site.expr;
  const entry = visible[0]!;
  const value = state.sourceText;
  // The target stands behind the value in the text that places are counted in; errors tell them in the assignment's.
  state.sourceText = value + SELECT + target!.targetText;
  const at = Buffer.byteLength(value) + SELECT.length;
  const variable = binding.param(target!.datum, at);
  const type = exprType(entry.expr);
  const row = (t: Oid): boolean => t === RECORDOID || getType(getBaseType(t)).typtype === 'c';
  const atTarget = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      const before = [...value].length + SELECT.length;
      if (error instanceof PgError && (error.fields.position ?? 0) > before) {
        error.fields = { ...error.fields, position: error.fields.position! - before - site.running.shift };
      }
      throw error;
    }
  };
  const path = targetPath(' '.repeat(Buffer.byteLength(value)) + SELECT + target!.targetText, target!.names);
  if (path.length > 0) {
    const name = target!.targetText.replace(/[.[].*$/s, '').trim();
    state.exprKind = 'update_target';
    entry.expr = atTarget(() => transformAssignmentIndirection(state, variable, name, false, variable.paramtype, variable.paramtypmod, variable.paramcollid, path, 0, entry.expr, 'plpgsql', at));
    query.hasSubLinks ||= state.hasSubLinks;
  } else if (variable.paramtype !== type && row(variable.paramtype) && row(type)) {
    // Rows are converted by the assignment.
  } else {
    const coerced = coerceToTargetType(state, entry.expr, type, variable.paramtype, variable.paramtypmod, 'plpgsql', 'implicit_cast', -1);
    if (coerced === null) {
      throw parserError(state, 'datatype_mismatch', `variable "${target!.targetText.trim()}" is of type ${formatType(variable.paramtype)} but expression is of type ${formatType(type)}`, exprLocation(entry.expr),
        { hint: 'You will need to rewrite or cast the expression.' });
    }
    entry.expr = coerced;
  }
  atTarget(() => assignExprCollations(state, entry.expr));
}

/** Subscripts and fields of a query's only column behind the names of the variable. */
function targetPath(text: string, names: number): (string | RawNode)[] {
  const list = rawParse(text);
  const value = (list[0]!.stmt['targetList'] as RawNode[])[0]!['val'] as RawNode;
  const ref = value.tag === 'A_Indirection' ? (value['arg'] as RawNode) : value;
  const fields = ref.tag === 'ColumnRef' ? (ref['fields'] as (string | RawNode)[]).slice(names) : [];
  return value.tag === 'A_Indirection' ? [...fields, ...(value['indirection'] as (string | RawNode)[])] : fields;
}

/** The one expression of a query that is nothing but that (exec_simple_check_plan). */
function simpleExpression(query: Query): Expr | null {
  if (query.commandType !== 'select' || query.rtable.length > 0 || query.hasAggs || query.hasWindowFuncs || query.hasTargetSRFs || query.hasSubLinks
    || query.cteList.length > 0 || query.jointree.fromlist.length > 0 || query.jointree.quals !== null || query.groupClause.length > 0 || query.groupingSets.length > 0
    || query.havingQual !== null || query.windowClause.length > 0 || query.distinctClause.length > 0 || query.sortClause.length > 0
    || query.limitOffset !== null || query.limitCount !== null || query.setOperations !== null || query.rowMarks.length > 0) return null;
  return query.targetList.length === 1 ? query.targetList[0]!.expr : null;
}

/** The expression, constants folded, with the cast that the site wants. */
export function finishExpression(node: Expr, wanted: Wanted | null): Expr {
  const folded = evalConstExpressions(node);
  if (wanted === null) return folded;
  const cast = castNode(folded, wanted.type, wanted.typmod);
  try {
    return evalConstExpressions(cast);
  } catch {
    return cast; // the conversion of a constant fails: that is told when it is done
  }
}

/** Whether what was made is still good. */
export function isCurrent(p: Prepared, values: readonly Datum[]): boolean {
  return p.version === catalogVersion() && p.searchPath === settings.search_path && p.role === session.currentUser && p.rowSecurity === settings.row_security && p.binding.fits(values);
}

export function prepareExpression(site: Site, values: readonly Datum[]): Prepared {
  const binding = new Binding(site.refs, values);
  const { query, expr, type, typmod } = analyzeExpression(site, binding);
  const base = { version: catalogVersion(), searchPath: settings.search_path, role: session.currentUser, rowSecurity: settings.row_security, binding };
  const wanted = wantedNow(site, binding);
  if (expr !== null) {
    const node = finishExpression(expr, wanted);
    return (site.prepared = { ...base, type: exprType(node), typmod: exprTypmod(node), run: looksAtTables(node) && !site.fn.readOnly ? seeingTheNewest(compileSimple(node, binding)) : compileSimple(node, binding), statement: null, cast: null });
  }
  const text = site.expr.mode === 'statement' ? site.expr.text : SELECT + site.expr.text.slice(site.expr.target?.valueStart ?? 0);
  const statement = new PlStatement(site, text, rawParse(text)[0]!, (again) => analyzeExpression(site, again).query);
  void query;
  const cast = wanted === null || !needsCast(type, typmod, wanted.type, wanted.typmod) ? null : castFunction(type, typmod, wanted.type, wanted.typmod);
  return (site.prepared = { ...base, type: wanted?.type ?? type, typmod: wanted?.typmod ?? typmod, run: null, statement, cast });
}

/** A field of a RECORD has whatever type it has now. */
function wantedNow(site: Site, binding: Binding): Wanted | null {
  const { target } = site.expr;
  if (target === null) return site.wanted;
  if (target.datum.kind === 'rec') return null;
  const param = binding.param(target.datum, -1);
  return { type: param.paramtype, typmod: param.paramtypmod };
}

/** Whether it calls a function with statements of its own, which looks at what its caller looks at. */
const looksAtTables = (node: Expr): boolean => someExpr(node, (n) => {
  switch (n.kind) {
    case 'FuncExpr': return hasStatements(n.funcid);
    case 'OpExpr': case 'DistinctExpr': case 'NullIfExpr': case 'ScalarArrayOpExpr': return hasStatements(n.opfuncid);
    default: return false;
  }
});

function hasStatements(oid: Oid): boolean {
  const { internal, volatility } = functionInfo(oid);
  return !internal && volatility !== 'v';
}

/** In a volatile function an expression sees, like a statement, what was done before it (exec_eval_simple_expr). */
const seeingTheNewest = (run: Run): Run => (rt) => {
  commandCounterIncrement();
  const saved = pushSnapshot(), outer = activeCommand.cid;
  activeCommand.cid = currentCommandId();
  try {
    return run(rt);
  } finally {
    activeCommand.cid = outer;
    popSnapshot(saved);
  }
};

/** A function of rt.params, which are the values of the site's variables. */
function compileSimple(node: Expr, binding: Binding): Run {
  const g = new Generator();
  const externParam = (p: Param): Value => {
    const { ref, field } = binding.slots[p.paramid - 1]!;
    const whole = g.hoisted(`P[${ref}]`);
    return { code: field < 0 ? whole : g.local(`${whole} === null ? null : ${whole}.values[${field}] ?? null`), nullable: true };
  };
  const { code } = genExpr(g, node, { var: () => { throw new PgError('internal_error', 'a column in an expression'); }, externParam });
  g.emit(`return ${code};`);
  return instantiate(g.text(), g.constants);
}
