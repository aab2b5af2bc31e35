// Functions written in SQL (PostgreSQL's functions.c): their bodies analyzed with the arguments as parameters, planned
// once for each set of argument types, and run inside the statement that calls them.
import { PgError, internalError } from '../../common/errors.ts';
import { lockReads, locksReads } from '../access/table.ts';
import { withUser } from '../catalog/acl.ts';
import { registerCatalogCache } from '../catalog/inval.ts';
import { formatType, formatTypeWithTypmod } from '../catalog/format_type.ts';
import { getBaseType, getTypCollation } from '../catalog/lsyscache.ts';
import type { PgProc } from '../catalog/rows.ts';
import { procByOid, typeByOid } from '../catalog/syscache.ts';
import { exprCollation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import { makeAlias, makeQuery, makeRangeTblEntry, makeTargetEntry, makeVar } from '../nodes/makefuncs.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { Expr, FuncExpr, TargetEntry } from '../nodes/primnodes.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import { planner } from '../optimizer/planner.ts';
import { parseAnalyzeWithState } from '../parser/analyze.ts';
import { coerceToTargetType } from '../parser/parse_coerce.ts';
import { parseComplexProjection } from '../parser/parse_func.ts';
import { enforceGenericTypeConsistency, isPolymorphic } from '../parser/parse_generic.ts';
import { makeParseState, type ParseState } from '../parser/parse_node.ts';
import { withoutTransitionTables } from '../parser/query_environment.ts';
import { rawParse, type RawNode, type RawStmt } from '../parser/raw_parser.ts';
import { columnsOfRowType } from '../parser/func_result.ts';
import { queryRewrite } from '../rewrite/rewrite_handler.ts';
import { catalogVersion, commandCounterIncrement, popSnapshot, pushSnapshot } from '../transaction/xact.ts';
import { RecordValue, type Datum, type Oid, type RecordAttribute } from '../types/datum.ts';
import type { BuiltinFunction, FunctionContext } from '../types/fmgr.ts';
import { RECORDOID, VOIDOID } from '../types/oids.ts';
import { atEOXact, newNestLevel, processGucArray } from '../utils/guc.ts';
import { withErrorContext, type ErrorContext } from '../utils/error_context.ts';
import { session } from '../utils/session.ts';
import { tracked } from '../utils/pgstat.ts';
import { settings } from '../utils/settings.ts';
import { refuseChanges } from './read_only.ts';
import { activeCommand, compilePlan, runPlan, type CompiledPlan } from './execute.ts';
import { registerLanguageHandler } from './fmgr_info.ts';
import { containsMutable, containsVolatile } from './plan_walker.ts';

export const SQL_LANGUAGE = 14;

/** What utility statements in a body are run by, and what refuses those that cannot be there; the traffic cop fills this in. */
export const utilityRunner: { check: (stmt: RawNode, readOnly: boolean) => void; run: (query: Query, text: string, params: readonly Datum[], parameters: FunctionParameters) => void } = {
  check: () => { throw internalError('no utility statements here'); },
  run: () => { throw internalError('no utility statements here'); },
};

// ---- analysis

/** The parameters of a function as its body sees them. */
export interface FunctionParameters {
  name: string;
  types: readonly Oid[];
  /** One for each of `types`, '' where it has none. */
  names: readonly string[];
  collation: Oid;
}

/** A parse state in which $n and the names of arguments mean the function's parameters (sql_fn_parser_setup). */
export function functionParseState(text: string, p: FunctionParameters): ParseState {
  const state = makeParseState(text);
  const param = (index: number, location: number): Expr => {
    const paramtype = p.types[index]!;
    const own = getTypCollation(paramtype);
    return { kind: 'Param', paramkind: 'extern', paramid: index + 1, paramtype, paramtypmod: -1, paramcollid: own !== 0 && p.collation !== 0 ? p.collation : own, location };
  };
  state.paramRefHook = (_s, ref) => {
    const number = (ref['number'] as number | undefined) ?? 0;
    return number < 1 || number > p.types.length ? null : param(number - 1, ref.location ?? -1);
  };
  state.postColumnRefHook = (s, ref, found) => (found !== null ? null : resolveName(s, ref, p, param));
  return state;
}

function resolveName(state: ParseState, ref: RawNode, p: FunctionParameters, param: (index: number, location: number) => Expr): Expr | null {
  const fields = (ref['fields'] as (string | RawNode)[]).filter((f): f is string => typeof f === 'string');
  const location = ref.location ?? -1;
  const byName = (name: string | undefined): Expr | null => {
    const index = name === undefined || name === '' ? -1 : p.names.indexOf(name);
    return index < 0 ? null : param(index, location);
  };
  const [a, b, c] = fields;
  const field = (whole: Expr | null, name: string): Expr | null => (whole === null ? null : parseComplexProjection(state, name, whole, location));
  switch (fields.length) {
    case 1: return byName(a);
    case 2: return (a === p.name ? byName(b) : null) ?? field(byName(a), b!);
    case 3: return a === p.name ? field(byName(b), c!) : null;
    default: return null;
  }
}

function parametersOf(proc: PgProc, types: readonly Oid[], collation: Oid): FunctionParameters {
  const names = proc.proargnames === null ? [] : proc.proargnames.filter((_n, i) => proc.proargmodes === null || 'ibv'.includes(proc.proargmodes[i]!));
  return { name: proc.proname, types, names: types.map((_t, i) => names[i] ?? ''), collation };
}

/** The statements of a body given as text. */
function analyzeBody(text: string, parameters: FunctionParameters): { queries: Query[]; list: readonly RawStmt[] } {
  const list = rawParse(text);
  return { queries: list.map((raw) => {
    const query = parseAnalyzeWithState(raw, functionParseState(text, parameters));
    refuseOutputs(query);
    return query;
  }), list };
}

/** What the procedure gives back would go nowhere (check_sql_fn_statement). */
function refuseOutputs({ utilityStmt }: Query): void {
  const stmt = utilityStmt as RawNode | null;
  if (stmt?.tag !== 'CallStmt' || !/[bo]/.test(procByOid((stmt['analyzed'] as FuncExpr).funcid)?.proargmodes?.join('') ?? '')) return;
  throw new PgError('feature_not_supported', 'calling procedures with output arguments is not supported in SQL functions');
}

// ---- the result

export interface ResultShape {
  type: Oid;
  /** Of a composite result; null: a scalar, or record without known columns. */
  columns: readonly RecordAttribute[] | null;
  /** One column of the query is the row itself. */
  wholeRow: boolean;
}

/** Columns of the result by the OUT parameters or the row type; null: it is none. */
function declaredColumns(proc: PgProc, type: Oid, resolve: (declared: Oid) => Oid): RecordAttribute[] | null {
  if (type === RECORDOID && proc.proallargtypes !== null && proc.proargmodes !== null) {
    const columns: RecordAttribute[] = [];
    proc.proargmodes.forEach((mode, i) => {
      if (!'obt'.includes(mode)) return;
      const typeOid = resolve(proc.proallargtypes![i]!);
      columns.push({ name: proc.proargnames?.[i] || `column${columns.length + 1}`, typeOid, typmod: -1, collation: getTypCollation(typeOid), dropped: false });
    });
    if (columns.length > 1 || (columns.length === 1 && proc.prokind === 'p')) return columns;
  }
  if (typeByOid(getBaseType(type))?.typtype !== 'c') return null;
  return columnsOfRowType(type).map((c) => ({ name: c.name, typeOid: c.type, typmod: c.typmod, collation: c.collation, dropped: c.dropped }));
}

const mismatch = (type: Oid, detail: string): PgError =>
  new PgError('invalid_function_definition', `return type mismatch in function declared to return ${formatType(type)}`, { detail });

/** Checks the last query against the declared result and gives it the casts it needs (check_sql_fn_retval). */
function coerceResult(proc: PgProc, queries: Query[], type: Oid, columns: readonly RecordAttribute[] | null): ResultShape {
  if (type === VOIDOID) return { type, columns: null, wholeRow: false };
  const index = queries.findLastIndex((q) => q.canSetTag);
  const last = queries[index];
  const list = last === undefined ? null : last.commandType === 'select' ? last.targetList
    : 'insert update delete'.includes(last.commandType) && last.returningList.length > 0 ? last.returningList : null;
  if (last === undefined || list === null) throw mismatch(type, 'Function\'s final statement must be SELECT or INSERT/UPDATE/DELETE RETURNING.');
  const visible = list.filter((t) => !t.resjunk);
  const put = (entries: TargetEntry[]): void => {
    if (entries.every((e, i) => e === visible[i]) && entries.length === visible.length) return;
    // Nothing sorts or groups by what changes: the casts go into the list itself.
    if (last.commandType === 'select' && last.setOperations === null && entries.length === visible.length && entries.every((e, i) => e === visible[i] || e.ressortgroupref === 0) && last.distinctClause.length === 0) {
      queries[index] = { ...last, targetList: list.map((t) => entries[visible.indexOf(t)] ?? t) };
      return;
    }
    queries[index] = last.commandType === 'select' ? overSubquery(last, visible, entries) : { ...last, returningList: entries };
  };
  if (columns === null) {
    if (type !== RECORDOID && typeByOid(type)?.typtype === 'p') throw new PgError('invalid_function_definition', `return type ${formatType(type)} is not supported for SQL functions`);
    if (type === RECORDOID) return { type, columns: null, wholeRow: visible.length === 1 && isRow(exprType(visible[0]!.expr)) };
    if (visible.length !== 1) throw mismatch(type, 'Final statement must return exactly one column.');
    const entry = coerceEntry(visible[0]!, type, -1, () => mismatch(type, `Actual return type is ${formatType(exprType(visible[0]!.expr))}.`));
    put([entry]);
    return { type, columns: null, wholeRow: false };
  }
  // A procedure's one output is a column of its result, a row or not.
  if (visible.length === 1 && proc.prokind !== 'p' && (type !== RECORDOID || isRow(exprType(visible[0]!.expr)))) {
    const given = exprType(visible[0]!.expr);
    if (given === type || (type === RECORDOID && columns.length > 1 && isRow(given))) return { type, columns, wholeRow: true };
    const whole = type === RECORDOID ? null : coerceToTargetType(null, visible[0]!.expr, given, type, -1, 'assignment', 'implicit_cast', -1);
    if (whole !== null) {
      put([{ ...visible[0]!, expr: whole }]);
      return { type, columns, wholeRow: true };
    }
  }
  const entries: TargetEntry[] = [];
  columns.forEach((column) => {
    if (column.dropped) return;
    const entry = visible[entries.length];
    if (entry === undefined) throw mismatch(type, 'Final statement returns too few columns.');
    entries.push(coerceEntry(entry, column.typeOid, column.typmod, () =>
      mismatch(type, `Final statement returns ${formatType(exprType(entry.expr))} instead of ${formatTypeWithTypmod(column.typeOid, column.typmod)} at column ${entries.length + 1}.`)));
  });
  if (entries.length < visible.length) throw mismatch(type, 'Final statement returns too many columns.');
  put(entries);
  return { type, columns, wholeRow: false };
}

const isRow = (type: Oid): boolean => type === RECORDOID || typeByOid(getBaseType(type))?.typtype === 'c';

function coerceEntry(entry: TargetEntry, type: Oid, typmod: number, fail: () => PgError): TargetEntry {
  const given = exprType(entry.expr);
  if (given === type && (typmod < 0 || exprTypmod(entry.expr) === typmod)) return entry;
  const expr = coerceToTargetType(null, entry.expr, given, type, typmod, 'assignment', 'implicit_cast', -1);
  if (expr === null) throw fail();
  return expr === entry.expr ? entry : { ...entry, expr };
}

/** SELECT casts FROM (query): so that the query's own sorting and grouping stay as they are. */
function overSubquery(query: Query, visible: readonly TargetEntry[], entries: readonly TargetEntry[]): Query {
  const names = query.targetList.filter((t) => !t.resjunk).map((t) => t.resname ?? '?column?');
  const rte = { ...makeRangeTblEntry('subquery', null, makeAlias('*SELECT*', names)), subquery: query, inFromCl: true };
  const outer = makeQuery('select');
  outer.rtable = [rte];
  outer.jointree.fromlist = [{ kind: 'RangeTblRef', rtindex: 1 }];
  outer.targetList = entries.map((entry, i) => {
    const source = visible[i]!;
    const column = makeVar(1, source.resno, exprType(source.expr), exprTypmod(source.expr), exprCollation(source.expr), 0);
    const cast = entry === source ? column : coerceToTargetType(null, column, column.vartype, exprType(entry.expr), exprTypmod(entry.expr), 'assignment', 'implicit_cast', -1)!;
    return makeTargetEntry(cast, i + 1, source.resname, false);
  });
  return outer;
}

// ---- preparing and running

interface Step { plan: CompiledPlan | null; query: Query; isLast: boolean; number: number }
interface Prepared { steps: Step[]; shape: ResultShape; version: number; role: Oid; text: string; parameters: FunctionParameters; inlined: boolean }

/** Kept by function, argument types and result type. */
const kept = new Map<string, Prepared>();
const MAX_KEPT = 1000;
registerCatalogCache(() => kept.clear());

/** `wanted`: of a column definition list, for a function that returns record. */
function prepare(proc: PgProc, argTypes: readonly Oid[], resultType: Oid, collation: Oid, wanted: readonly RecordAttribute[] | undefined): Prepared {
  const list = wanted === undefined ? '' : wanted.map((c) => `${c.typeOid}:${c.typmod}:${c.name}`).join();
  const key = `${proc.oid}/${argTypes.join()}/${resultType}/${collation}/${session.currentUser}/${settings.row_security}/${list}`; // policies are those of a role
  const known = kept.get(key);
  if (known !== undefined && known.version === catalogVersion()) return known;
  const { types, result, resolve } = actualTypes(proc, argTypes, resultType);
  const queries = bodyQueries(proc, types, collation);
  const shape = coerceResult(proc, queries, result, declaredColumns(proc, result, resolve) ?? (result === RECORDOID ? wanted ?? null : null));
  const steps: Step[] = [];
  const lastIndex = queries.findLastIndex((q) => q.canSetTag);
  queries.forEach((query, i) => {
    if (query.commandType === 'utility') {
      utilityRunner.check(query.utilityStmt as RawNode, proc.provolatile !== 'v');
      steps.push({ plan: null, query, isLast: false, number: i + 1 });
      return;
    }
    for (const rewritten of queryRewrite(query)) {
      if (proc.provolatile !== 'v') refuseChanges(rewritten);
      steps.push({ plan: compilePlan(planner(rewritten)), query: rewritten, isLast: i === lastIndex && rewritten.canSetTag, number: i + 1 });
    }
  });
  const prepared: Prepared = { steps, shape, version: catalogVersion(), role: session.currentUser, text: proc.prosrc, parameters: parametersOf(proc, types, collation), inlined: isInlined(proc, steps) };
  if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value!);
  kept.set(key, prepared);
  return prepared;
}

function actualTypes(proc: PgProc, argTypes: readonly Oid[], resultType: Oid): { types: Oid[]; result: Oid; resolve: (declared: Oid) => Oid } {
  const declared = [...proc.proargtypes];
  const anyPolymorphic = declared.some(isPolymorphic) || isPolymorphic(proc.prorettype) || (proc.proallargtypes ?? []).some(isPolymorphic);
  if (!anyPolymorphic) return { types: declared, result: proc.prorettype, resolve: (t) => t };
  const resolve = (t: Oid): Oid => (isPolymorphic(t) ? enforceGenericTypeConsistency(argTypes, declared.slice(), t, false) : t);
  return { types: declared.map(resolve), result: isPolymorphic(proc.prorettype) && resultType !== 0 ? resultType : resolve(proc.prorettype), resolve };
}

const bodyQueries = (proc: PgProc, types: readonly Oid[], collation: Oid): Query[] => withoutTransitionTables(() => queriesOf(proc, types, collation));

function queriesOf(proc: PgProc, types: readonly Oid[], collation: Oid): Query[] {
  if (proc.prosqlbody !== null) {
    const body = stringToNode<Query | Query[]>(proc.prosqlbody);
    return Array.isArray(body) ? body : [body];
  }
  return analyzeBody(proc.prosrc, parametersOf(proc, types, collation)).queries;
}

/** The query of a body that has only one, its columns cast to those declared; null: it cannot stand for a call. */
export function inlinedBody(proc: PgProc, argTypes: readonly Oid[], resultType: Oid, collation: Oid, wanted: readonly RecordAttribute[] | null): Query | null {
  if (proc.prosqlbody === null && rawParse(proc.prosrc, false).length !== 1) return null;
  const { types, result, resolve } = actualTypes(proc, argTypes, resultType);
  const queries = bodyQueries(proc, types, collation);
  if (queries.length !== 1 || queries[0]!.commandType !== 'select') return null;
  const columns = declaredColumns(proc, result, resolve) ?? (result === RECORDOID ? wanted : null);
  if (columns?.some((c) => c.dropped)) return null;
  const shape = coerceResult(proc, queries, result, columns);
  // A set's rows come as columns, a single row as one value.
  return columns !== null && shape.wholeRow === proc.proretset ? null : queries[0]!;
}

/** Runs a body; the rows of its last query. `limit`: more are not wanted. */
function runBody(proc: PgProc, prepared: Prepared, args: readonly Datum[], limit: number, frame: SqlContext): Datum[][] {
  const rows: Datum[][] = [];
  const receive = (row: Datum[]): boolean => {
    rows.push(row);
    return rows.length < limit;
  };
  if (locksReads(true)) for (const { plan } of prepared.steps) if (plan !== null) lockReads(plan.reads);
  for (const step of prepared.steps) {
    frame.statement = step.number;
    // A volatile function sees what it, and the statement so far, has done.
    if (proc.provolatile === 'v') commandCounterIncrement();
    if (step.plan === null) {
      utilityRunner.run(step.query, prepared.text, args, prepared.parameters);
      continue;
    }
    // A query that changes things is run to its end although one row is enough.
    const all = step.query.commandType !== 'select' || step.query.hasModifyingCTE;
    // What is not volatile looks at what the calling query looks at; what is, at the newest commit.
    const saved = proc.provolatile === 'v' && step.query.rtable.length > 0 ? pushSnapshot() : null;
    try {
      runPlan(step.plan, args, { start() {}, end() {}, receive: step.isLast ? (all ? (row) => { rows.push(row); return true; } : receive) : () => true }, proc.provolatile !== 'v' && activeCommand.cid >= 0 ? { cid: activeCommand.cid } : {});
    } finally {
      if (saved !== null) popSnapshot(saved);
    }
  }
  if (proc.provolatile === 'v') commandCounterIncrement();
  return rows;
}

/** SECURITY DEFINER and SET clauses hold while the body runs (fmgr_security_definer). */
export function withFunctionSettings<T>(proc: PgProc, run: () => T): T {
  if (!proc.prosecdef && proc.proconfig === null) return run();
  if (proc.prosecdef) return withUser(proc.proowner, () => withSettingsOf(proc, run));
  return withSettingsOf(proc, run);
}

/** The SET clauses alone. */
export function withSettingsOf<T>(proc: PgProc, run: () => T): T {
  const level = proc.proconfig === null ? 0 : newNestLevel();
  try {
    if (proc.proconfig !== null) processGucArray(proc.proconfig, session.isSuperuser ? 'superuser' : 'user', 'session', 'save');
    return run();
  } finally {
    if (level > 0) atEOXact(true, level);
  }
}

/** A running function, for CONTEXT (sql_exec_error_callback). PostgreSQL puts simple ones into the calling statement. */
export class SqlContext implements ErrorContext {
  outer: ErrorContext | null = null;
  /** The statement that runs, from 1; 0: none yet. */
  statement = 0;
  inlined = false;
  private readonly proc: PgProc;
  private readonly called: boolean;

  /** `called`: certainly not put into the calling statement. */
  constructor(proc: PgProc, called: boolean) {
    this.proc = proc;
    this.called = called;
  }

  describe(error: PgError | null): string | undefined {
    const { proc, statement } = this;
    if (error !== null && error.fields.position !== undefined) {
      const { position, ...rest } = error.fields;
      error.fields = { ...rest, internalPosition: position, internalQuery: proc.prosrc };
    }
    if (statement > 0) return this.inlined ? undefined : `SQL function "${proc.proname}" statement ${statement}`;
    return `SQL function "${proc.proname}" during ${this.called || neverInlined(proc) ? 'startup' : 'inlining'}`;
  }
}

/** Called as it is, whatever the call: constants are computed, several statements are no expression. */
function neverInlined(proc: PgProc): boolean {
  if (proc.prosecdef || proc.proconfig !== null || (proc.proretset && proc.provolatile === 'v')) return true;
  if (!proc.proretset && proc.provolatile === 'i' && proc.proargtypes.length === 0) return true;
  try {
    return proc.prosqlbody === null && rawParse(proc.prosrc, false).length !== 1;
  } catch {
    return false;
  }
}

/** One SELECT without tables and the like. */
function isInlined(proc: PgProc, steps: readonly Step[]): boolean {
  const q = steps.length === 1 ? steps[0]!.query : undefined;
  return q !== undefined && q.commandType === 'select' && !proc.proretset && !proc.prosecdef && proc.proconfig === null && proc.prorettype !== RECORDOID
    && q.rtable.length === 0 && !q.hasAggs && !q.hasWindowFuncs && !q.hasTargetSRFs && !q.hasSubLinks && q.cteList.length === 0
    && q.targetList.every((t) => (proc.provolatile === 'v' || !containsVolatile(t.expr)) && (proc.provolatile !== 'i' || !containsMutable(t.expr)));
}

function toDatum(row: readonly Datum[], shape: ResultShape): Datum {
  if (shape.wholeRow) return relabelRow(row[0]!, shape);
  if (shape.columns === null) return shape.type === RECORDOID ? new RecordValue(RECORDOID, [], row) : row[0] ?? null;
  return new RecordValue(getBaseType(shape.type), shape.columns, row.length === shape.columns.length ? row : spread(row, shape.columns));
}

const relabelRow = (value: Datum, shape: ResultShape): Datum =>
  (value instanceof RecordValue && shape.columns !== null && value.typeOid !== shape.type ? new RecordValue(shape.type, shape.columns, value.values) : value);

/** Dropped columns of the row type are NULL. */
function spread(row: readonly Datum[], columns: readonly RecordAttribute[]): Datum[] {
  let next = 0;
  return columns.map((c) => (c.dropped ? null : row[next++] ?? null));
}

function anonymousShape(prepared: Prepared): ResultShape {
  const { shape } = prepared;
  if (shape.columns !== null || shape.type !== RECORDOID || shape.wholeRow) return shape;
  const last = prepared.steps.find((s) => s.isLast)?.plan;
  return { ...shape, columns: (last?.columns ?? []).map((c) => ({ name: c.name, typeOid: c.typeOid, typmod: c.typmod, collation: c.collation, dropped: false })) };
}

type Result = { rows: Datum[][]; shape: ResultShape };

function callFunction(proc: PgProc, context: FunctionContext, args: readonly Datum[], limit: number): Result {
  if (settings.track_functions === 'all') return tracked(proc.oid, () => runFunction(proc, context, args, limit));
  return runFunction(proc, context, args, limit);
}

function runFunction(proc: PgProc, context: FunctionContext, args: readonly Datum[], limit: number): Result {
  return withFunctionSettings(proc, () => withErrorContext(new SqlContext(proc, context.resultAttributes !== undefined), (frame) => withoutTransitionTables(() => {
    const prepared = prepare(proc, context.argTypes, context.resultType, context.collation, context.resultAttributes);
    frame.inlined = prepared.inlined;
    return { rows: runBody(proc, prepared, args, limit, frame), shape: anonymousShape(prepared) };
  })));
}

function makeSqlFunction(proc: PgProc): BuiltinFunction {
  if (proc.proretset) {
    return {
      kind: 'set',
      fn: (context, ...args) => {
        const { rows, shape } = callFunction(proc, context, args, Infinity);
        if (shape.type === VOIDOID) return [];
        return rows.map((row) => toDatum(row, shape));
      },
    };
  }
  return {
    kind: 'context',
    fn: (context, ...args) => {
      const { rows, shape } = callFunction(proc, context, args, 1);
      return shape.type === VOIDOID || rows.length === 0 ? null : toDatum(rows[0]!, shape);
    },
  };
}

registerLanguageHandler(SQL_LANGUAGE, makeSqlFunction);

/** No pseudo-types but polymorphic ones, and as results record and void. */
export function checkSqlSignature(oid: Oid): void {
  const proc = procByOid(oid);
  if (proc === undefined) throw internalError(`cache lookup failed for function ${oid}`);
  if (typeByOid(proc.prorettype)?.typtype === 'p' && proc.prorettype !== RECORDOID && proc.prorettype !== VOIDOID && !isPolymorphic(proc.prorettype)) {
    throw new PgError('invalid_function_definition', `SQL functions cannot return type ${formatType(proc.prorettype)}`);
  }
  for (const type of proc.proargtypes) {
    if (typeByOid(type)?.typtype === 'p' && !isPolymorphic(type)) throw new PgError('invalid_function_definition', `SQL functions cannot have arguments of type ${formatType(type)}`);
  }
}

/** What CREATE FUNCTION checks of a body (fmgr_sql_validator). */
export function validateSqlFunction(oid: Oid): void {
  const proc = procByOid(oid)!;
  const anyPolymorphic = proc.proargtypes.some(isPolymorphic);
  if (anyPolymorphic && proc.prosqlbody === null) {
    rawParse(proc.prosrc);
    return;
  }
  const { types, result, resolve } = actualTypes(proc, proc.proargtypes, proc.prorettype);
  const queries = bodyQueries(proc, types, 0);
  coerceResult(proc, queries, result, declaredColumns(proc, result, resolve));
}
