// Index scans of a base relation (PostgreSQL's indxpath.c): which conditions an index serves, what that costs, what
// order it gives; also with values from relations joined before (parameterized paths).
import { opFamilyEntry } from '../catalog/lsyscache.ts';
import { isDecodable } from '../access/key_decode.ts';
import type { IndexInfo } from '../catalog/relation.ts';
import { opfamilyByOid } from '../catalog/syscache.ts';
import { operator } from '../executor/fmgr_info.ts';
import { makeAndsImplicit } from '../nodes/nodeFuncs.ts';
import { walkExpr } from '../executor/plan_walker.ts';
import type { IndexCondition, Plan } from '../nodes/plannodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { makeConst } from '../nodes/makefuncs.ts';
import { containsVolatile, equal, pullVarnos, stripRelabel } from './clauses.ts';
import { clampRows, costs, DISABLE_COST, enabled, exprCost, indexPagesFetched } from './costsize.ts';
import { impliedEqualitiesFor } from './equivclass.ts';
import { adjustRestriction, toParent } from './inherit.ts';
import { addPath } from './pathnode.ts';
import { createGinPath } from './ginpath.ts';
import { predicateImpliedBy } from './predtest.ts';
import { forRelation, indexColumnExpr, indexPathkeys } from './pathkeys.ts';
import type { Path, PathKey, PlannerInfo, Relids, RelOptInfo, RestrictInfo } from './pathnodes.ts';
import { orderedClauses, planBase, targetOf } from './planbuild.ts';
import { EMPTY, isSubset, overlaps } from './relids.ts';
import { isSecurelyPromotable } from './restrictinfo.ts';
import { replaceNestloopParams } from './nestparams.ts';
import { clauselistSelectivity, correlationOf } from './selfuncs.ts';

interface Match { rinfo: RestrictInfo; condition: IndexCondition; expr: Expr }

const STRATEGIES = ['', '<', '<=', '=', '>=', '>'] as const;

/** Indexes of the other methods keep their columns in order, too: the operators of theirs that ask for a place in it. */
function byOrder(method: IndexInfo['accessMethod'], family: number, strategy: number): (typeof STRATEGIES)[number] | undefined {
  const name = opfamilyByOid(family)?.opfname ?? '';
  if (method === 'brin') return /_minmax(_multi)?_ops$/.test(name) ? STRATEGIES[strategy] : name.endsWith('_bloom_ops') && strategy === 1 ? '=' : undefined;
  if (name === 'text_ops') return STRATEGIES[strategy > 10 ? strategy - 10 : strategy];
  if (name === 'network_ops') return ({ 18: '=', 20: '<', 21: '<=', 22: '>', 23: '>=' } as const)[strategy];
  return name === 'range_ops' && strategy === 18 ? '=' : undefined;
}

/** The condition an index column can serve, if any. */
function matchClause(rel: RelOptInfo, info: IndexInfo, column: number, rinfo: RestrictInfo): Match | null {
  const key = indexColumnExpr(rel, info, column);
  const { clause } = rinfo;
  if (!isSecurelyPromotable(rinfo, rel)) return null;
  const matches = (e: Expr): boolean => equal(stripRelabel(e), stripRelabel(key));
  const { opfamily, collation } = info.columns[column]!;
  switch (clause.kind) {
    case 'OpExpr': {
      if (clause.args.length !== 2) return null;
      const [a, b] = clause.args as [Expr, Expr];
      let opno = clause.opno;
      let value = b;
      if (matches(a) && !overlaps(pullVarnos(b), rel.relids)) value = b;
      else if (matches(b) && !overlaps(pullVarnos(a), rel.relids)) {
        opno = operator(opno).oprcom;
        value = a;
      } else return null;
      if (opno === 0 || containsVolatile(value) || (collation !== 0 && clause.inputcollid !== 0 && collation !== clause.inputcollid)) return null;
      const member = opFamilyEntry(opno, opfamily);
      if (member === undefined || member.amoppurpose !== 's') return null;
      if (info.accessMethod === 'hash') return member.amopstrategy === 1 ? { rinfo, condition: { column: column + 1, strategy: '=', value }, expr: clause } : null;
      const strategy = info.accessMethod === 'btree' ? STRATEGIES[member.amopstrategy] : byOrder(info.accessMethod, opfamily, member.amopstrategy);
      if (strategy === undefined || strategy === '') return null;
      const expr: Expr = value === b ? clause : { ...clause, opno, opfuncid: operator(opno).oprcode, args: [b, a] };
      return { rinfo, condition: { column: column + 1, strategy, value }, expr };
    }
    case 'ScalarArrayOpExpr': {
      if (!clause.useOr || !matches(clause.args[0]) || overlaps(pullVarnos(clause.args[1]), rel.relids) || containsVolatile(clause.args[1])) return null;
      const member = opFamilyEntry(clause.opno, opfamily);
      const wanted = info.accessMethod === 'hash' ? 1 : info.accessMethod === 'btree' ? 3 : -1;
      if (member === undefined || member.amopstrategy !== wanted || (collation !== 0 && collation !== clause.inputcollid)) return null;
      return { rinfo, condition: { column: column + 1, strategy: 'in', value: clause.args[1] }, expr: clause };
    }
    case 'NullTest':
      if (clause.argisrow || !matches(clause.arg) || info.accessMethod === 'hash') return null;
      return { rinfo, condition: { column: column + 1, strategy: clause.isNull ? 'isnull' : 'notnull', value: null }, expr: clause };
    case 'Var': case 'BoolExpr': case 'BooleanTest': {
      // A boolean column by itself is a condition.
      if (info.columns[column]!.typeOid !== 16 || info.accessMethod === 'hash') return null;
      const value = matches(clause) ? true
        : clause.kind === 'BoolExpr' && clause.boolop === 'not' && matches(clause.args[0]!) ? false
          : clause.kind === 'BooleanTest' && clause.booltesttype === 'is_true' && matches(clause.arg) ? true
            : clause.kind === 'BooleanTest' && clause.booltesttype === 'is_false' && matches(clause.arg) ? false : null;
      return value === null ? null : { rinfo, condition: { column: column + 1, strategy: '=', value: makeConst(16, -1, 0, value) }, expr: clause };
    }
    default: return null;
  }
}

/** predicate_implied_by, as far as index predicates need it: the same conditions are there. */
function predicateHolds(rel: RelOptInfo, info: IndexInfo): boolean {
  if (info.predicate === null) return true;
  const clauses = rel.restrictions.map((r) => r.clause);
  return makeAndsImplicit(forRelation(info.predicate, rel.rti)).every((p) => clauses.some((c) => implies(c, p)));
}
function implies(c: Expr, p: Expr): boolean {
  if (equal(c, p)) return true;
  if (p.kind === 'NullTest' && !p.isNull && c.kind === 'OpExpr') return c.args.some((a) => equal(stripRelabel(a), stripRelabel(p.arg)));
  if (c.kind === 'BoolExpr' && c.boolop === 'and') return c.args.some((a) => implies(a, p));
  if (p.kind === 'BoolExpr' && p.boolop === 'or') return p.args.some((a) => implies(c, a));
  return false;
}

export function createIndexPaths(root: PlannerInfo, rel: RelOptInfo): void {
  if (rel.indexes.length === 0) return;
  for (const info of rel.indexes) {
    if (!predicateHolds(rel, info)) continue;
    if (info.accessMethod === 'gin') {
      createGinPath(root, rel, info);
      continue;
    }
    const own: Match[][] = [];
    for (let c = 0; c < info.keyCount; c++) {
      own.push(rel.restrictions.map((r) => (r.pseudoconstant ? null : matchClause(rel, info, c, r))).filter((m) => m !== null));
    }
    addIndexPaths(root, rel, info, own, EMPTY);
    addParameterizedPaths(root, rel, info, own);
  }
}

/** Join conditions whose other side is there already give values for the index. */
function addParameterizedPaths(root: PlannerInfo, rel: RelOptInfo, info: IndexInfo, own: Match[][]): void {
  const byColumn: Match[][] = own.map(() => []);
  const outerSets = new Set<Relids>();
  for (let c = 0; c < info.keyCount; c++) {
    const candidates = [...rel.joinClauses.filter((r) => joinClauseMovable(rel, r)), ...(rel.hasEcJoins ? impliedFor(root, rel, indexColumnExpr(rel, info, c)) : [])];
    for (const rinfo of candidates) {
      const match = matchClause(rel, info, c, rinfo);
      if (match === null) continue;
      byColumn[c]!.push(match);
      outerSets.add(rinfo.clauseRelids & ~rel.relids);
    }
  }
  if (byColumn[0]!.length === 0 && own[0]!.length === 0) return;
  const sets = [...outerSets];
  const all = sets.reduce((a, b) => a | b, EMPTY);
  if (sets.length > 1 && !outerSets.has(all)) sets.push(all);
  // All pairs of single ones as well, for indexes of several columns.
  for (const a of [...outerSets]) for (const b of outerSets) if (a !== b && !sets.includes(a | b) && sets.length < 20) sets.push(a | b);
  for (const outer of sets) {
    const matches = own.map((list, c) => [...list, ...onePerExpr(byColumn[c]!.filter((m) => isSubset(m.rinfo.clauseRelids & ~rel.relids, outer)))]);
    addIndexPaths(root, rel, info, matches, outer);
  }
}
/** Equalities for a column of a child table are those for its parent's. */
function impliedFor(root: PlannerInfo, rel: RelOptInfo, column: Expr): RestrictInfo[] {
  const { appendInfo } = rel;
  if (appendInfo === null) return impliedEqualitiesFor(root, rel, column);
  return impliedEqualitiesFor(root, appendInfo.parent, toParent(appendInfo, column)).map((r) => adjustRestriction(appendInfo, r));
}

/** One class may offer several equalities for a column: one is enough. */
function onePerExpr(list: Match[]): Match[] {
  const equality = list.find((m) => m.condition.strategy === '=');
  return equality === undefined ? list : [equality, ...list.filter((m) => m.condition.strategy !== '=')];
}

/** Whether a join condition may be evaluated as early as in the scan (join_clause_is_movable_to). */
export function joinClauseMovable(rel: RelOptInfo, rinfo: RestrictInfo): boolean {
  return overlaps(rinfo.clauseRelids, rel.relids) && !rinfo.outerjoinDelayed && (rinfo.clauseRelids & ~rel.relids) !== EMPTY
    && rinfo.clause.kind === 'OpExpr';
}

function addIndexPaths(root: PlannerInfo, rel: RelOptInfo, info: IndexInfo, matches: Match[][], outer: Relids): void {
  // Leading columns by =, IN or IS NULL, then one more with inequalities.
  const used: Match[] = [];
  for (let c = 0; c < info.keyCount; c++) {
    const column = matches[c]!;
    const equality = column.find((m) => m.condition.strategy === '=' || m.condition.strategy === 'isnull') ?? column.find((m) => m.condition.strategy === 'in');
    if (equality !== undefined) {
      used.push(equality);
      continue;
    }
    used.push(...column.filter((m) => m.condition.strategy !== 'in'));
    break;
  }
  if (outer !== EMPTY && !used.some((m) => overlaps(m.rinfo.clauseRelids, outer))) return;
  if (info.accessMethod === 'hash' && used.filter((m) => m.condition.strategy === '=').length < info.keyCount) return;
  const forward = indexPathkeys(root, rel, info, false);
  const usefulForward = usefulPathkeys(root, rel, forward);
  if (used.length > 0 || usefulForward.length > 0 || coversNothing(rel, info)) {
    addPath(rel, makeIndexPath(root, rel, info, used, outer, usefulForward, false));
  }
  const backward = usefulPathkeys(root, rel, indexPathkeys(root, rel, info, true));
  if (backward.length > 0 && info.accessMethod === 'btree') addPath(rel, makeIndexPath(root, rel, info, used, outer, backward, true));
}

/** No column is wanted at all (count(*)): the index is the smaller thing to read. */
const coversNothing = (rel: RelOptInfo, info: IndexInfo): boolean =>
  info.accessMethod === 'btree' && rel.target.length === 0 && rel.restrictions.length === 0 && info.predicate !== null;

/** The leading part of an order that ORDER BY, GROUP BY or a merge join could use. */
function usefulPathkeys(root: PlannerInfo, rel: RelOptInfo, keys: PathKey[]): PathKey[] {
  let n = 0;
  const want = root.queryPathkeys;
  while (n < keys.length && n < want.length && keys[n]!.ec === want[n]!.ec && keys[n]!.reverse === want[n]!.reverse && keys[n]!.nullsFirst === want[n]!.nullsFirst) n++;
  let merge = 0;
  while (merge < keys.length && keys[merge]!.ec.members.length > 1 && (keys[merge]!.ec.relids & ~(rel.appendInfo?.parent ?? rel).relids) !== EMPTY) merge++;
  return keys.slice(0, Math.max(n, keys[0] !== undefined && !keys[0].reverse ? merge : 0));
}

/** All columns that are wanted come out of the index's keys. */
function isCovered(rel: RelOptInfo, info: IndexInfo, rest: readonly RestrictInfo[]): boolean {
  let decodable = 0;
  while (decodable < info.keyCount && isDecodable(info.columns[decodable]!, rel.relation!.attributes[info.keyAttributes[decodable]! - 1]?.atttypid ?? 0)) decodable++;
  let covered = info.accessMethod === 'btree' || info.accessMethod === 'hash';
  const check = (e: Expr): void => walkExpr(e, (node) => {
    if (node.kind !== 'Var' || node.varno !== rel.rti) return;
    const at = info.keyAttributes.indexOf(node.varattno);
    if (node.varattno <= 0 || at < 0 || at >= decodable) covered = false;
  });
  rel.target.forEach(check);
  rest.forEach((r) => check(r.clause));
  return covered;
}

function makeIndexPath(root: PlannerInfo, rel: RelOptInfo, info: IndexInfo, used: Match[], outer: Relids, pathkeys: PathKey[], backward: boolean): Path {
  const indexClauses = [...new Set(used.map((m) => m.rinfo))];
  const selectivity = clauselistSelectivity(root, indexClauses);
  const tuples = Math.max(rel.tuples, 1);
  const fetched = clampRows(selectivity * tuples);
  const unique = info.unique && used.length >= info.keyCount && used.every((m) => m.condition.strategy === '=');
  const rowsFetched = unique ? 1 : fetched;
  const paramClauses = indexClauses.filter((r) => overlaps(r.clauseRelids, outer) && outer !== EMPTY);
  // What the index's predicate says need not be asked of its rows, unless they may have to be looked at again (EvalPlanQual).
  const implied = info.predicate === null || root.parse.commandType !== 'select' || root.parse.rowMarks.length > 0 ? [] : makeAndsImplicit(forRelation(info.predicate, rel.rti));
  const rest = rel.restrictions.filter((r) => !indexClauses.includes(r) && !r.pseudoconstant && !(implied.length > 0 && predicateImpliedBy([r.clause], implied, false)));
  const rows = outer === EMPTY ? rel.rows : clampRows(rel.rows * clauselistSelectivity(root, paramClauses));
  const indexPages = Math.max(1, Math.ceil(tuples / 250));
  const indexPagesRead = Math.max(1, Math.ceil(indexPages * (unique ? rowsFetched / tuples : selectivity)));
  const descent = Math.ceil(Math.log2(Math.max(tuples, 2))) * costs.cpuOperator + 50 * costs.cpuOperator;
  const qual = used.reduce((c, m) => c + exprCost(m.expr), 0);
  let run = indexPagesRead * costs.randomPage + rowsFetched * (costs.cpuIndexTuple + qual);
  // Heap pages: between reading them all at random and in order, by the square of the correlation.
  const onlyIndex = isCovered(rel, info, rest);
  if (!onlyIndex) {
    const worst = indexPagesFetched(rowsFetched, rel.pages) * costs.randomPage;
    const bestPages = Math.ceil(selectivity * rel.pages);
    const best = bestPages <= 0 ? 0 : costs.randomPage + (bestPages - 1) * costs.seqPage;
    const attnum = info.keyAttributes[0]!;
    const correlation = attnum > 0 ? correlationOf(rel, attnum) : 0;
    const c2 = correlation * correlation * (info.keyCount > 1 ? 0.75 * 0.75 : 1);
    run += unique ? costs.randomPage : worst + c2 * (Math.min(best, worst) - worst);
  }
  run += rowsFetched * (costs.cpuTuple + rest.reduce((c, r) => c + exprCost(r.clause), 0));
  const startup = descent + (enabled.indexscan ? 0 : DISABLE_COST);
  const path: Path = {
    kind: onlyIndex && enabled.indexonlyscan ? 'IndexOnlyScan' : 'IndexScan', rel, rows, startup, total: startup + run, pathkeys, requiredOuter: outer, paramClauses,
    rescanCost: startup + run, make: () => makePlan(),
  };
  const makePlan = (): Plan => {
    const fix = (e: Expr): Expr => (outer === EMPTY && rel.lateralRelids === EMPTY ? e : replaceNestloopParams(root, e));
    const sameColumns = used.map((m) => m.condition);
    return {
      kind: path.kind as 'IndexScan', ...planBase(path, targetOf(rel.target), orderedClauses(rest).map(fix)), scanrelid: rel.rti,
      indexid: info.indexrelid, conditions: sameColumns.map((c) => ({ ...c, value: c.value === null ? null : fix(c.value) })),
      indexqual: used.map((m) => fix(m.expr)), indexorderdir: backward ? 'backward' : 'forward',
    };
  };
  return path;
}
