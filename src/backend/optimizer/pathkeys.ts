// Orders of rows as lists of path keys (PostgreSQL's pathkeys.c).
import { getMergejoinOpfamilies } from '../catalog/lsyscache.ts';
import { amopsByFamily } from '../catalog/syscache.ts';
import type { IndexInfo } from '../catalog/relation.ts';
import { sortOperator } from '../executor/sort_support.ts';
import { makeVar } from '../nodes/makefuncs.ts';
import { exprCollation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import type { Expr, SortGroupClause, TargetEntry } from '../nodes/primnodes.ts';
import { icuCollator } from '../types/collation.ts';
import type { Oid } from '../types/datum.ts';
import { BOOLOID } from '../types/oids.ts';
import { catalogVersion } from '../transaction/xact.ts';
import { booleanValue, equal, evalConstExpressions, mutateDeep } from './clauses.ts';
import { classForSorting } from './equivclass.ts';
import { PATTERN_FAMILIES } from './like_support.ts';
import { samePathkey } from './pathnode.ts';
import type { PathKey, PlannerInfo, RelOptInfo } from './pathnodes.ts';
import { EMPTY } from './relids.ts';

const familiesCache = new Map<string, Oid[]>();

/** The btree families of the = operator that goes with a family's < over a type. */
export function mergeFamilies(family: Oid, left: Oid, right: Oid): Oid[] {
  const key = `${family},${left},${right}`;
  let list = familiesCache.get(key);
  if (list === undefined) {
    const eq = amopsByFamily(family).find((a) => a.amopstrategy === 3 && a.amoplefttype === left && a.amoprighttype === right);
    list = eq === undefined ? [family] : getMergejoinOpfamilies(eq.amopopr);
    familiesCache.set(key, list);
  }
  return list;
}

function makePathkey(root: PlannerInfo, expr: Expr, family: Oid, type: Oid, collation: Oid, reverse: boolean, nullsFirst: boolean, sortref: number, create: boolean): PathKey | null {
  // Patterns' families share = with the others; their order is another one where a collation of ICU makes it.
  const families = PATTERN_FAMILIES.has(family) && icuCollator(collation) !== null ? [family] : mergeFamilies(family, type, type);
  const ec = classForSorting(root, expr, families, collation, sortref, create);
  return ec === null ? null : { ec, reverse, nullsFirst };
}

/** A key that adds nothing: its value is constant, or it is there already. */
const redundant = (key: PathKey, list: readonly PathKey[]): boolean => (key.ec.hasConst && !key.ec.belowOuterJoin) || list.some((k) => k.ec === key.ec);

export function pathkeysForSort(root: PlannerInfo, clauses: readonly SortGroupClause[], targetList: readonly TargetEntry[]): PathKey[] {
  const keys: PathKey[] = [];
  for (const c of clauses) {
    const tle = targetList.find((t) => t.ressortgroupref === c.tleSortGroupRef)!;
    const op = sortOperator(c.sortop);
    const key = makePathkey(root, tle.expr, op.family, op.type, exprCollation(tle.expr), op.reverse, c.nulls_first, c.tleSortGroupRef, true)!;
    if (!redundant(key, keys)) keys.push(key);
  }
  return keys;
}

/** Expression of an index column over the relation. */
export function indexColumnExpr(rel: RelOptInfo, info: IndexInfo, column: number): Expr {
  const attnum = info.keyAttributes[column]!;
  if (attnum > 0) {
    const a = rel.relation!.attributes[attnum - 1]!;
    return makeVar(rel.rti, attnum, a.atttypid, a.atttypmod, a.attcollation, 0);
  }
  let nth = 0;
  for (let i = 0; i < column; i++) if (info.keyAttributes[i] === 0) nth++;
  return forRelation(info.expressions[nth]!, rel.rti);
}

/** Index expressions and predicates have varno 1. */
export function forRelation(stored: Expr, rti: number): Expr {
  const e = simplified(stored);
  return rti === 1 ? e : mutateDeep(e, (n, depth) => (n.kind === 'Var' && n.varlevelsup === depth && n.varno === 1 ? { ...n, varno: rti } : undefined));
}

const simplifiedExprs = new WeakMap<Expr, { version: number; expr: Expr }>();
/** As conditions are: else an index on what a function does would not be known for it. */
function simplified(e: Expr): Expr {
  let known = simplifiedExprs.get(e);
  if (known === undefined || known.version !== catalogVersion()) simplifiedExprs.set(e, (known = { version: catalogVersion(), expr: evalConstExpressions(e) }));
  return known.expr;
}

/** Orders of child tables are told in their parents' columns; inherit.ts, which imports this file, fills it in. */
type Translation = (info: NonNullable<RelOptInfo['appendInfo']>, e: Expr) => Expr;
export const pathkeyHooks: { toParent: Translation; toChild: Translation } = { toParent: (_info, e) => e, toChild: (_info, e) => e };

/** The parent's form of what a child is in order by. Two columns of a UNION ALL may be one of a member: that which somebody asks for. */
function overParent(root: PlannerInfo, { appendInfo }: RelOptInfo, own: Expr): Expr {
  if (appendInfo === null) return own;
  if (appendInfo.translated !== null) {
    for (const ec of root.ecs) for (const m of ec.members) if (m.relids === appendInfo.parent.relids && equal(pathkeyHooks.toChild(appendInfo, m.expr), own)) return m.expr;
  }
  return pathkeyHooks.toParent(appendInfo, own);
}

/** The order a scan of an index gives, as far as anybody could want it; `fixed`: columns bound by =. */
export function indexPathkeys(root: PlannerInfo, rel: RelOptInfo, info: IndexInfo, backward: boolean): PathKey[] {
  const keys: PathKey[] = [];
  if (info.accessMethod !== 'btree') return keys;
  for (let i = 0; i < info.keyCount; i++) {
    const column = info.columns[i]!;
    const own = indexColumnExpr(rel, info, i);
    const expr = overParent(root, rel, own);
    const family = amopsByFamily(column.opfamily).find((a) => a.amopstrategy === 1 && a.amoplefttype === a.amoprighttype && (a.amoplefttype === column.typeOid || true));
    const type = typeOfFamily(column.opfamily, column.typeOid) ?? family?.amoplefttype ?? column.typeOid;
    const key = makePathkey(root, expr, column.opfamily, type, column.collation, column.descending !== backward, column.nullsFirst !== backward, 0, false);
    if (key === null) {
      // A boolean that a condition says is the same in all rows (indexcol_is_bool_constant_for_query).
      if (column.typeOid === BOOLOID && rel.restrictions.some((r) => !r.pseudoconstant && booleanValue(r.clause, (e) => equal(e, own)) !== null)) continue;
      break;
    }
    if (!redundant(key, keys)) keys.push(key);
  }
  return keys;
}

function typeOfFamily(family: Oid, type: Oid): Oid | undefined {
  return amopsByFamily(family).find((a) => a.amopstrategy === 1 && a.amoplefttype === type && a.amoprighttype === type)?.amoplefttype;
}

/** truncate_useless_pathkeys: the leading part of an order that ORDER BY, GROUP BY or a merge join could use. */
export function usefulPathkeys(root: PlannerInfo, rel: RelOptInfo, keys: PathKey[]): PathKey[] {
  let n = 0;
  const want = root.queryPathkeys;
  while (n < keys.length && n < want.length && samePathkey(keys[n]!, want[n]!)) n++;
  let merge = 0;
  const joins = (k: PathKey): boolean => (k.ec.members.length > 1 && (k.ec.relids & ~rel.topRelids) !== EMPTY && !k.ec.hasConst)
    || rel.joinClauses.some((r) => r.mergeFamilies.length > 0 && (r.leftEc === k.ec || r.rightEc === k.ec));
  while (merge < keys.length && isMergeDirection(root, keys[merge]!) && joins(keys[merge]!)) merge++;
  return keys.slice(0, Math.max(n, merge));
}

/** right_merge_direction: merge joins go up, or the way that ORDER BY wants. */
function isMergeDirection(root: PlannerInfo, key: PathKey): boolean {
  const wanted = root.queryPathkeys.find((w) => w.ec === key.ec);
  return wanted === undefined ? !key.reverse : key.reverse === wanted.reverse;
}

/** convert_subquery_pathkeys: the order of a subquery's rows as one of its columns, as far as anybody outside knows them. */
export function subqueryPathkeys(root: PlannerInfo, rel: RelOptInfo, subroot: PlannerInfo, order: readonly PathKey[]): PathKey[] {
  const keys: PathKey[] = [];
  const targets = subroot.parse.targetList.filter((t) => !t.resjunk);
  for (const k of order) {
    let found: PathKey | null = null;
    for (const t of targets) {
      const known = k.ec.volatile ? t.ressortgroupref !== 0 && t.ressortgroupref === k.ec.sortref : k.ec.members.some((m) => equal(m.expr, t.expr));
      if (!known) continue;
      const column = overParent(root, rel, makeVar(rel.rti, t.resno, exprType(t.expr), exprTypmod(t.expr), exprCollation(t.expr), 0));
      const ec = classForSorting(root, column, k.ec.families, k.ec.collation, 0, false);
      if (ec === null) continue;
      found = { ec, reverse: k.reverse, nullsFirst: k.nullsFirst };
      break;
    }
    if (found === null) break;
    if (!redundant(found, keys)) keys.push(found);
  }
  return keys;
}
