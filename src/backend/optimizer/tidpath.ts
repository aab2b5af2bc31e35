// Scans by ctid (PostgreSQL's tidpath.c): rows named one by one, WHERE CURRENT OF, and ranges of the table.
import { functionInfo } from '../executor/fmgr_info.ts';
import { makeAndsImplicit } from '../nodes/nodeFuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { makeVar } from '../nodes/makefuncs.ts';
import { containsVolatile, equal, pullVarnos } from './clauses.ts';
import { clampRows, costs, DISABLE_COST, qualEvalCost } from './costsize.ts';
import { impliedFor } from './indxpath.ts';
import { replaceNestloopParams, targetOfRel } from './nestparams.ts';
import { joinClauseMovable, paramPathInfo } from './parampath.ts';
import { addPath } from './pathnode.ts';
import type { Path, PlannerInfo, RelOptInfo, RestrictInfo } from './pathnodes.ts';
import { orderedClauses, planBase } from './planbuild.ts';
import { EMPTY, overlaps } from './relids.ts';
import { isSecurelyPromotable, withoutRepeated } from './restrictinfo.ts';
import { arrayLength, clauselistSelectivity } from './selfuncs.ts';
import { getBool } from '../utils/guc.ts';

const isCtid = (e: Expr, rel: RelOptInfo): boolean => e.kind === 'Var' && e.varattno === -1 && e.varno === rel.rti && e.varlevelsup === 0;
/** A value that is there before the scan begins. */
const isValue = (e: Expr): boolean => pullVarnos(e) === EMPTY && !containsVolatile(e);
const TIDOID = 27;

const prosrcOf = (clause: { opfuncid: number }): string => functionInfo(clause.opfuncid).prosrc;

/** The function that compares ctid with a value, on either side; '' for any other condition. */
function comparison(clause: Expr, rel: RelOptInfo): string {
  if (clause.kind !== 'OpExpr' || clause.args.length !== 2) return '';
  const [a, b] = clause.args as [Expr, Expr];
  return (isCtid(a, rel) && isValue(b)) || (isCtid(b, rel) && isValue(a)) ? prosrcOf(clause) : '';
}

/** A condition that names rows; null for any other. */
function namesRows(clause: Expr, rel: RelOptInfo): Expr | null {
  if (clause.kind === 'CurrentOfExpr') return clause;
  if (clause.kind === 'ScalarArrayOpExpr') {
    return clause.useOr && prosrcOf(clause) === 'tideq' && isCtid(clause.args[0], rel) && isValue(clause.args[1]) ? clause : null;
  }
  return comparison(clause, rel) === 'tideq' ? clause : null;
}

/** What names the rows of an OR, each arm some of them; whether that is all the OR says. */
function namedByOr(clause: Expr, rel: RelOptInfo): { quals: Expr[]; exact: boolean } | null {
  if (clause.kind !== 'BoolExpr' || clause.boolop !== 'or') return null;
  const quals: Expr[] = [];
  let exact = true;
  for (const arm of clause.args) {
    const parts = makeAndsImplicit(arm);
    const found = parts.map((part) => namesRows(part, rel)).find((q) => q !== null) ?? null;
    if (found === null) return null;
    if (parts.length > 1) exact = false;
    quals.push(found);
  }
  return { quals, exact };
}

interface Named { rinfo: RestrictInfo; quals: Expr[]; exact: boolean }

/** The first condition that names rows; CURRENT OF before all others. */
function findNamed(rel: RelOptInfo): Named | null {
  let best: Named | null = null;
  for (const rinfo of rel.restrictions) {
    if (rinfo.pseudoconstant || !isSecurelyPromotable(rinfo, rel)) continue;
    const single = namesRows(rinfo.clause, rel);
    const found = single === null ? namedByOr(rinfo.clause, rel) : { quals: [single], exact: true };
    if (found === null) continue;
    if (single?.kind === 'CurrentOfExpr') return { rinfo, ...found };
    best ??= { rinfo, ...found };
  }
  return best;
}

export function createTidPaths(root: PlannerInfo, rel: RelOptInfo): void {
  const param = rel.lateralRelids === EMPTY ? null : paramPathInfo(root, rel, rel.lateralRelids), paramClauses = param?.clauses ?? [];
  const others = (used: readonly RestrictInfo[]): RestrictInfo[] => [...rel.restrictions, ...paramClauses].filter((r) => !r.pseudoconstant && !used.includes(r));
  const fix = (e: Expr): Expr => replaceNestloopParams(root, e);
  const disabled = getBool('enable_tidscan') ? 0 : DISABLE_COST;
  const add = (path: Omit<Path, 'rel' | 'rows' | 'pathkeys' | 'requiredOuter' | 'paramClauses' | 'make'>, make: (path: Path) => ReturnType<Path['make']>): void => {
    const whole: Path = { ...path, rel, rows: param?.rows ?? rel.rows, pathkeys: [], requiredOuter: rel.lateralRelids, paramClauses, parallelSafe: rel.considerParallel, make: () => make(whole) };
    addPath(rel, whole);
  };
  const ranges = rel.restrictions.filter((r) => !r.pseudoconstant && isSecurelyPromotable(r, rel) && /^tid(lt|le|gt|ge)$/.test(comparison(r.clause, rel)));
  const named = findNamed(rel);
  if (named !== null) {
    const { quals } = named;
    const rest = others(named.exact ? [named.rinfo] : []);
    const isCurrent = quals[0]!.kind === 'CurrentOfExpr';
    // There is no other way to find a cursor's row.
    if (isCurrent) rel.paths.length = 0;
    const count = quals.reduce((n, q) => n + (q.kind === 'ScalarArrayOpExpr' ? Math.max(1, arrayLength(q.args[1])) : 1), 0);
    const cost = qualEvalCost(rest);
    const startup = cost.startup + (isCurrent ? 0 : disabled);
    const total = isCurrent ? 0 : startup + count * (costs.randomPage + costs.cpuTuple + cost.perTuple);
    add({ kind: 'TidScan', startup: isCurrent ? 0 : startup, total }, (path) => (
      { kind: 'TidScan', ...planBase(path, targetOfRel(root, rel), orderedClauses(rest).map(fix)), scanrelid: rel.rti, tidquals: quals }));
    if (isCurrent) return;
  }
  if (ranges.length === 0) return;
  // cost_tidrangescan: the first page is found, the others follow it.
  const selectivity = clauselistSelectivity(root, ranges);
  const pages = Math.max(1, Math.ceil(selectivity * rel.pages));
  const rest = others(ranges);
  const cost = qualEvalCost(rest);
  const startup = cost.startup + disabled;
  const total = startup + costs.randomPage + costs.seqPage * (pages - 1) + clampRows(selectivity * rel.tuples) * (costs.cpuTuple + cost.perTuple);
  add({ kind: 'SeqScan', startup, total }, (path) => (
    { kind: 'SeqScan', ...planBase(path, targetOfRel(root, rel), orderedClauses(rest).map(fix)), scanrelid: rel.rti, tidrangequals: ranges.map((r) => r.clause) }));
}

/** Rows that another relation's row names (BuildParameterizedTidPaths). */
export function createJoinTidPaths(root: PlannerInfo, rel: RelOptInfo): void {
  const joins = [...rel.joinClauses, ...(rel.hasEcJoins ? impliedFor(root, rel, makeVar(rel.rti, -1, TIDOID, -1, 0, 0)) : [])];
  for (const rinfo of joins) {
    const { clause } = rinfo;
    if (clause.kind !== 'OpExpr' || clause.args.length !== 2 || prosrcOf(clause) !== 'tideq' || rinfo.pseudoconstant || !joinClauseMovable(rel, rinfo) || !isSecurelyPromotable(rinfo, rel)) continue;
    const [a, b] = clause.args as [Expr, Expr];
    const value = isCtid(a, rel) ? b : isCtid(b, rel) ? a : null;
    if (value === null || overlaps(pullVarnos(value), rel.relids) || containsVolatile(value)) continue;
    const outer = (rinfo.clauseRelids & ~rel.relids) | rel.lateralRelids;
    const param = paramPathInfo(root, rel, outer);
    const rest = [...rel.restrictions, ...withoutRepeated(param.clauses, [rinfo])].filter((r) => !r.pseudoconstant && r !== rinfo && !equal(r.clause, clause));
    const cost = qualEvalCost(rest);
    const startup = cost.startup + (getBool('enable_tidscan') ? 0 : DISABLE_COST);
    const path: Path = {
      kind: 'TidScan', rel, rows: param.rows, startup, total: startup + costs.randomPage + costs.cpuTuple + cost.perTuple, pathkeys: [],
      requiredOuter: outer, paramClauses: param.clauses, parallelSafe: rel.considerParallel,
      make: () => {
        const fix = (e: Expr): Expr => replaceNestloopParams(root, e);
        return { kind: 'TidScan', ...planBase(path, targetOfRel(root, rel), orderedClauses(rest).map(fix)), scanrelid: rel.rti, tidquals: [fix(clause)] };
      },
    };
    addPath(rel, path);
  }
}
