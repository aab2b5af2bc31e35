// Simple functions written in SQL become part of the query that calls them (inline_function and
// inline_set_returning_function of PostgreSQL's clauses.c): nothing is called, and the planner sees what they do.
import { aclcheckProc } from '../catalog/aclchk.ts';
import { registerCatalogCache } from '../catalog/inval.ts';
import { SQL_BODIES } from '../catalog/sql_functions.ts';
import type { PgProc } from '../catalog/rows.ts';
import { exprCollation, exprType, expressionTreeWalker } from '../nodes/nodeFuncs.ts';
import type { Query, RangeTblEntry } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { containsSrf, containsSubplans, incrementLevels, mutateDeep, mutateQueryDeep } from '../optimizer/clauses.ts';
import { costs, exprCost } from '../optimizer/costsize.ts';
import { inlineHooks } from '../optimizer/inline_hook.ts';
import { queryRewrite } from '../rewrite/rewrite_handler.ts';
import { catalogVersion } from '../transaction/xact.ts';
import type { Oid, RecordAttribute } from '../types/datum.ts';
import { RECORDOID, VOIDOID } from '../types/oids.ts';
import { withErrorContext } from '../utils/error_context.ts';
import { session } from '../utils/session.ts';
import { settings } from '../utils/settings.ts';
import { functionInfo } from './fmgr_info.ts';
import { inlinedBody, SQL_LANGUAGE, SqlContext } from './functions.ts';
import { containsMutable, containsVolatile, someExpr } from './plan_walker.ts';

interface Body { query: Query | null; version: number }
const bodies = new Map<string, Body>();
const MAX_BODIES = 500;
registerCatalogCache(() => bodies.clear());

/** The functions that are being put in: one that calls itself is called. */
const active: Oid[] = [];

const INTERNAL_LANGUAGE = 12;
/** A function as PostgreSQL has it: some that are written in SQL there are internal ones here. */
const asSql = (proc: PgProc): PgProc => {
  const body = proc.prolang === INTERNAL_LANGUAGE ? SQL_BODIES.get(proc.prosrc ?? '') : undefined;
  return body === undefined ? proc : { ...proc, prolang: SQL_LANGUAGE, prosrc: body };
};

const mayBeInlined = (proc: PgProc, argCount: number): boolean => proc.prolang === SQL_LANGUAGE && proc.prokind === 'f' && !proc.prosecdef && proc.proconfig === null
  && proc.pronargs === argCount && !active.includes(proc.oid) && aclcheckProc(proc.oid, session.currentUser);

/** The one query of a body, its result as declared; null: there are more, or it is something else. `wanted`: of a
 * column definition list. */
function bodyOf(proc: PgProc, argTypes: readonly Oid[], resultType: Oid, collation: Oid, wanted: readonly RecordAttribute[] | null): Query | null {
  const key = `${proc.oid}/${argTypes.join()}/${resultType}/${collation}/${wanted?.map((w) => `${w.typeOid} ${w.typmod}`).join() ?? ''}/${settings.search_path}`;
  const known = bodies.get(key);
  if (known !== undefined && known.version === catalogVersion()) return known.query;
  // What is found out about the literals of the calling statement is not about the body's.
  const { literalsLifted, literalsVolatile } = session;
  session.literalsLifted = false;
  const query = inlinedBody(proc, argTypes, resultType, collation, wanted);
  session.literalsLifted = literalsLifted;
  session.literalsVolatile = literalsVolatile;
  if (bodies.size >= MAX_BODIES) bodies.clear();
  bodies.set(key, { query, version: catalogVersion() });
  return query;
}

const isPlainExpression = (q: Query): boolean => q.commandType === 'select' && !q.hasAggs && !q.hasWindowFuncs && !q.hasTargetSRFs && !q.hasSubLinks && q.cteList.length === 0
  && q.rtable.length === 0 && q.jointree.fromlist.length === 0 && q.jointree.quals === null && q.groupClause.length === 0 && q.groupingSets.length === 0 && q.havingQual === null
  && q.windowClause.length === 0 && q.distinctClause.length === 0 && q.sortClause.length === 0 && q.limitOffset === null && q.limitCount === null && q.setOperations === null && q.targetList.length === 1;

function inlineCall(node: Expr, funcid: Oid, args: readonly Expr[], inputcollid: Oid): Expr | null {
  const proc = asSql(functionInfo(funcid).proc);
  if (proc.proretset || proc.prorettype === RECORDOID || !mayBeInlined(proc, args.length)) return null;
  if (args.some((a) => someExpr(a, (n) => n.kind === 'CaseTestExpr'))) return null;
  return withErrorContext(new SqlContext(proc, false), () => {
    const resultType = exprType(node), query = bodyOf(proc, args.map(exprType), resultType, inputcollid, null);
    if (query === null || !isPlainExpression(query)) return null;
    const body = query.targetList[0]!.expr;
    if (exprType(body) !== resultType || (proc.provolatile === 'i' && containsMutable(body)) || (proc.provolatile === 's' && containsVolatile(body))) return null;
    if (proc.proisstrict && containsNonstrict(body)) return null;
    const uses = new Array<number>(args.length).fill(0);
    someExpr(body, (n) => { if (n.kind === 'Param' && n.paramkind === 'extern') uses[n.paramid - 1]!++; return false; });
    if (!args.every((arg, i) => (uses[i] === 0 ? !proc.proisstrict : uses[i] === 1 || mayBeRepeated(arg)))) return null;
    const inlined = mutateDeep(body, (n) => (n.kind === 'Param' && n.paramkind === 'extern' ? args[n.paramid - 1] : undefined));
    active.push(proc.oid);
    try {
      const result = inlineHooks.simplify(inlined);
      const collation = exprCollation(node);
      return collation === 0 || exprCollation(result) === collation ? result : { kind: 'CollateExpr', arg: result, collOid: collation, location: -1 };
    } finally {
      active.pop();
    }
  });
}

/** Cheap, and the same each time. */
const mayBeRepeated = (arg: Expr): boolean => !containsSubplans(arg) && !someExpr(arg, (n) => n.kind === 'SubLink') && exprCost(arg) <= 10 * costs.cpuOperator && !containsVolatile(arg);

const NEVER_STRICT = new Set<Expr['kind']>([
  'Aggref', 'GroupingFunc', 'WindowFunc', 'SubscriptingRef', 'DistinctExpr', 'NullIfExpr', 'BoolExpr', 'SubLink', 'SubPlan', 'FieldStore', 'CaseExpr', 'ArrayExpr', 'RowExpr',
  'RowCompareExpr', 'CoalesceExpr', 'MinMaxExpr', 'XmlExpr', 'NullTest', 'BooleanTest', 'CoerceToDomain', 'ScalarArrayOpExpr',
]);
/** Whether it may be something for NULLs (contain_nonstrict_functions). */
function containsNonstrict(e: Expr): boolean {
  const walker = (n: Expr | Query): boolean => {
    if (n.kind === 'Query' || NEVER_STRICT.has(n.kind)) return true;
    if (n.kind === 'FuncExpr' && !functionInfo(n.funcid).strict) return true;
    if (n.kind === 'OpExpr' && !functionInfo(n.opfuncid).strict) return true;
    return expressionTreeWalker(n, walker);
  };
  return walker(e);
}

function inlineSet(rte: RangeTblEntry): RangeTblEntry | null {
  const [f] = rte.functions, call = f?.funcexpr;
  if (rte.functions.length !== 1 || rte.funcordinality || call?.kind !== 'FuncExpr' || !call.funcretset) return null;
  const { proc } = functionInfo(call.funcid);
  if (proc.proisstrict || proc.provolatile === 'v' || proc.prorettype === VOIDOID || !proc.proretset || !mayBeInlined(proc, call.args.length)) return null;
  if (call.args.some((a) => containsVolatile(a) || containsSrf(a) || containsSubplans(a) || someExpr(a, (n) => n.kind === 'SubLink'))) return null;
  return withErrorContext(new SqlContext(proc, false), () => {
    const wanted = f!.funccolnames.length === 0 ? null : f!.funccolnames.map((name, i) => ({ name, typeOid: f!.funccoltypes[i]!, typmod: f!.funccoltypmods[i]!, collation: f!.funccolcollations[i]!, dropped: false }));
    const query = bodyOf(proc, call.args.map(exprType), exprType(call), call.inputcollid, wanted);
    if (query === null || query.commandType !== 'select') return null;
    const rewritten = queryRewrite(query), [only] = rewritten;
    if (rewritten.length !== 1 || only!.commandType !== 'select' || only!.targetList.filter((t) => !t.resjunk).length !== f!.funccolcount) return null;
    const subquery = mutateQueryDeep(only!, (n, depth) => (n.kind === 'Param' && n.paramkind === 'extern' ? incrementLevels(call.args[n.paramid - 1]!, depth + 1) : undefined), 0);
    return { ...rte, rtekind: 'subquery', subquery, functions: [], security_barrier: false };
  });
}

Object.assign(inlineHooks, { call: inlineCall, set: inlineSet });
