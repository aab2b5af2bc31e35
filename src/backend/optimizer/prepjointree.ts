// Rewriting the join tree before planning (PostgreSQL's prepjointree.c): sublinks in WHERE become semi and anti joins,
// simple subqueries in FROM are merged into their parent, outer joins that a strict condition above makes inner are
// made inner.
import { PgError } from '../../common/errors.ts';
import { typeIsRowtype } from '../catalog/lsyscache.ts';
import { someExpr } from '../executor/plan_walker.ts';
import { makeAlias, makeBoolExpr, makeRangeTblEntry } from '../nodes/makefuncs.ts';
import { exprCollation, exprType, exprTypmod, makeAndsImplicit } from '../nodes/nodeFuncs.ts';
import type { Query, RangeTblEntry } from '../nodes/parsenodes.ts';
import type { Expr, FromExpr, FromItem, JoinExpr, PlaceHolderVar, RowExpr, SubLink, TargetEntry, Var } from '../nodes/primnodes.ts';
import {
  containsLevel, containsNonstrict, containsSrf, containsVolatile, equal, evalConstExpressions, findForcedNullVars, findNonnullableRels, findNonnullableVars,
  incrementLevels, incrementQueryLevels, mutateDeep, mutateQueryDeep, pullVarnos,
} from './clauses.ts';
import { inlineHooks } from './inline_hook.ts';
import type { Relids } from './pathnodes.ts';
import { bit, EMPTY, isSubset, overlaps } from './relids.ts';

// ------------------------------------------------------------------ sublinks to joins

/** Turns IN and EXISTS conditions of WHERE (and inner join conditions) into joins where that is possible. */
export function pullUpSublinks(q: Query): Query {
  const rtable = [...q.rtable];
  const work = { q, rtable };
  const jointree = sublinksInFrom(work, q.jointree) as FromExpr;
  return { ...q, jointree, rtable };
}

interface Work { q: Query; rtable: RangeTblEntry[] }

function sublinksInFrom(work: Work, item: FromItem): FromItem {
  switch (item.kind) {
    case 'RangeTblRef': return item;
    case 'JoinExpr': {
      const larg = sublinksInFrom(work, item.larg);
      const rarg = sublinksInFrom(work, item.rarg);
      const join = { ...item, larg, rarg };
      if (item.jointype !== 'inner' || item.quals === null) return join;
      const { quals, from } = sublinksInQuals(work, item.quals, join, relidsOf(join));
      if (from === join) return { ...join, quals };
      return { kind: 'FromExpr', fromlist: [replaceJoin(from, join, { ...join, quals: null })], quals };
    }
    case 'FromExpr': {
      const fromlist = item.fromlist.map((f) => sublinksInFrom(work, f));
      if (item.quals === null) return { ...item, fromlist };
      const base: FromExpr = { kind: 'FromExpr', fromlist, quals: null };
      const { quals, from } = sublinksInQuals(work, item.quals, base, relidsOf(base));
      if (from === base) return { ...base, quals };
      return { kind: 'FromExpr', fromlist: [from], quals };
    }
  }
}

function replaceJoin(tree: FromItem, old: FromItem, by: FromItem): FromItem {
  if (tree === old) return by;
  if (tree.kind === 'JoinExpr') return { ...tree, larg: replaceJoin(tree.larg, old, by) };
  return tree;
}

function sublinksInQuals(work: Work, quals: Expr, base: FromItem, available: Relids): { quals: Expr | null; from: FromItem } {
  let from = base;
  let reachable = available;
  const kept: Expr[] = [];
  for (const qual of makeAndsImplicit(quals)) {
    let sublink: SubLink | null = null;
    let negated = false;
    if (qual.kind === 'SubLink') sublink = qual;
    else if (qual.kind === 'BoolExpr' && qual.boolop === 'not' && qual.args[0]!.kind === 'SubLink') {
      sublink = qual.args[0] as SubLink;
      negated = true;
    }
    let join: JoinExpr | null = null;
    if (sublink !== null && from !== null && !isEmptyFrom(base)) {
      if (sublink.subLinkType === 'any' && !negated) join = convertAny(work, sublink, reachable, from);
      else if (sublink.subLinkType === 'exists') join = convertExists(work, sublink, negated, reachable, from);
    }
    if (join === null) kept.push(qual);
    else {
      from = join;
      void reachable;
    }
    reachable = available;
  }
  return { quals: kept.length === 0 ? null : kept.length === 1 ? kept[0]! : makeBoolExpr('and', kept), from };
}

const isEmptyFrom = (item: FromItem): boolean => item.kind === 'FromExpr' && item.fromlist.length === 0;

function relidsOf(item: FromItem): Relids {
  switch (item.kind) {
    case 'RangeTblRef': return bit(item.rtindex);
    case 'JoinExpr': return relidsOf(item.larg) | relidsOf(item.rarg) | (item.rtindex > 0 ? bit(item.rtindex) : EMPTY);
    case 'FromExpr': return item.fromlist.reduce((set, f) => set | relidsOf(f), EMPTY);
  }
}

function subqueryRte(subquery: Query, name: string, columns: readonly TargetEntry[]): RangeTblEntry {
  const eref = { aliasname: name, colnames: columns.filter((t) => !t.resjunk).map((t) => t.resname ?? '') };
  return {
    rtekind: 'subquery', alias: null, eref, lateral: false, inh: false, inFromCl: true, relid: 0, relkind: '', rellockmode: 0,
    requiredPerms: 0, checkAsUser: 0, selectedCols: [], insertedCols: [], updatedCols: [], securityQuals: [], tablesample: null, subquery,
    security_barrier: false, jointype: 'inner', joinmergedcols: 0, joinaliasvars: [], joinleftcols: [], joinrightcols: [],
    join_using_alias: null, functions: [], funcordinality: false, values_lists: [], ctename: '', ctelevelsup: 0,
    self_reference: false, coltypes: [], coltypmods: [], colcollations: [],
  };
}

const joinOf = (jointype: 'semi' | 'anti', larg: FromItem, rarg: FromItem, quals: Expr | null): JoinExpr => ({
  kind: 'JoinExpr', jointype, isNatural: false, larg, rarg, usingClause: [], join_using_alias: null, quals, alias: null, rtindex: 0,
});

/** x IN (SELECT ...) to a semi join with the subquery as a relation. */
function convertAny(work: Work, sublink: SubLink, available: Relids, larg: FromItem): JoinExpr | null {
  const { subselect, testexpr } = sublink;
  if (testexpr === null || containsLevel(subselect, 1) || subselect.commandType !== 'select') return null;
  const upper = pullVarnos(testexpr);
  if (upper === EMPTY || !isSubset(upper, available) || containsVolatile(testexpr)) return null;
  work.rtable.push(subqueryRte(subselect, 'ANY_subquery', subselect.targetList));
  const rtindex = work.rtable.length;
  const columns = subselect.targetList.filter((t) => !t.resjunk);
  const quals = mutateDeep(testexpr, (n, depth) => {
    // The parameters of a sublink inside are its own.
    if (n.kind === 'SubLink') return n;
    if (n.kind !== 'Param' || n.paramkind !== 'sublink' || depth !== 0) return undefined;
    const column = columns[n.paramid - 1]!;
    return { kind: 'Var', varno: rtindex, varattno: column.resno, vartype: exprType(column.expr), vartypmod: exprTypmod(column.expr), varcollid: exprCollation(column.expr), varlevelsup: 0, location: -1 };
  });
  return joinOf('semi', larg, { kind: 'RangeTblRef', rtindex }, quals);
}

/** [NOT] EXISTS (SELECT ...) to a semi or anti join with the subquery's FROM. */
function convertExists(work: Work, sublink: SubLink, negated: boolean, available: Relids, larg: FromItem): JoinExpr | null {
  let sub = sublink.subselect;
  if (sub.cteList.length > 0) return null;
  const simple = simplifyExists(sub);
  if (simple === null) return null;
  sub = simple;
  const { quals } = sub.jointree;
  if (sub.jointree.fromlist.length === 0 || quals === null) return null;
  // Nothing but WHERE may refer to the outer query, and WHERE must do so.
  const rest: Query = { ...sub, jointree: { ...sub.jointree, quals: null }, targetList: [] };
  if (containsLevel(rest, 1) || !containsLevel(quals, 1) || containsVolatile(quals)) return null;
  const offset = work.rtable.length;
  const moved = shiftQuery({ ...sub, targetList: [] }, offset);
  const where = incrementOuter(moved.jointree.quals!);
  const upper = pullVarnos(where);
  if (!isSubset(upper & ((1n << BigInt(offset + 1)) - 1n), available)) return null;
  for (const r of moved.rtable) {
    if (r.rtekind === 'subquery' && r.subquery !== null) work.rtable.push({ ...r, subquery: incrementQueryLevels(r.subquery, -1, 2) });
    else work.rtable.push(r.rtekind === 'cte' ? { ...r, ctelevelsup: r.ctelevelsup - 1 } : r);
  }
  const rarg: FromItem = moved.jointree.fromlist.length === 1 ? moved.jointree.fromlist[0]! : { ...moved.jointree, quals: null };
  // Sublinks in the moved WHERE may become joins in turn, but only of the right side: left as they are.
  return joinOf(negated ? 'anti' : 'semi', larg, rarg, where);
}

/** References that left the subquery by one level belong to this one now. */
const incrementOuter = (e: Expr): Expr => incrementLevels(e, -1, 1);

/** Drops what EXISTS does not care about; null when the subquery does not allow that. */
export function simplifyExists(q: Query): Query | null {
  if (q.commandType !== 'select' || q.setOperations !== null || q.hasAggs || q.groupingSets.length > 0 || q.hasWindowFuncs
    || q.hasTargetSRFs || q.hasModifyingCTE || q.havingQual !== null || q.limitOffset !== null || q.rowMarks.length > 0) return null;
  if (q.limitCount !== null) {
    const limit = evalConstExpressions(q.limitCount);
    if (limit.kind !== 'Const' || limit.slot !== undefined || (limit.constvalue !== null && Number(limit.constvalue) <= 0)) return null;
  }
  return { ...q, targetList: [], groupClause: [], windowClause: [], distinctClause: [], sortClause: [], hasDistinctOn: false, limitCount: null };
}

/** OffsetVarNodes: range table indexes of this query level grow by `offset`. */
function shiftQuery(q: Query, offset: number): Query {
  const shift = (n: Expr, depth: number): Expr | undefined => {
    if (n.kind === 'Var' && n.varlevelsup === depth) return { ...n, varno: n.varno + offset };
    if (n.kind === 'PlaceHolderVar' && n.phlevelsup === depth) return { ...n, arg: mutateDeep(n.arg, shift, depth), phrels: n.phrels << BigInt(offset), evalAt: n.evalAt << BigInt(offset) };
    if (n.kind === 'CurrentOfExpr' && depth === 0) return { ...n, cvarno: n.cvarno + offset };
    return undefined;
  };
  const changed = mutateQueryDeep(q, shift, 0);
  return {
    ...changed, jointree: shiftFrom(changed.jointree, offset) as FromExpr,
    rowMarks: changed.rowMarks.map((m) => ({ ...m, rti: m.rti + offset })),
  };
}
function shiftFrom(item: FromItem, offset: number): FromItem {
  switch (item.kind) {
    case 'RangeTblRef': return { kind: 'RangeTblRef', rtindex: item.rtindex + offset };
    case 'JoinExpr': return { ...item, larg: shiftFrom(item.larg, offset), rarg: shiftFrom(item.rarg, offset), rtindex: item.rtindex === 0 ? 0 : item.rtindex + offset };
    case 'FromExpr': return { ...item, fromlist: item.fromlist.map((f) => shiftFrom(f, offset)) };
  }
}

// ------------------------------------------------------------------ subqueries into their parent

/** Merges simple subqueries of FROM into the query, inner ones first. One without FROM leaves a relation of one row and no columns. */
export function pullUpSubqueries(query: Query): Query {
  let q = query;
  let from: FromItem = q.jointree;
  /** What came in place of a subquery. */
  const pulledUp = new Map<number, Relids>();
  const withPulledUp = (relids: Relids): Relids => {
    let all = relids;
    // One that came out of another comes after it.
    for (const [rti, relids] of pulledUp) if (overlaps(bit(rti), all)) all |= relids;
    return all;
  };
  const substitute = (rti: number, rte: RangeTblEntry, columns: ReadonlyMap<number, Expr>, nulling: JoinExpr | null, bare: ReadonlyMap<number, Expr>): void => {
    const below = nulling === null ? EMPTY : withPulledUp(relidsOf(nulling));
    const { rtable } = q;
    q = substituteRelation({ ...q, jointree: { kind: 'FromExpr', fromlist: [], quals: null } }, rti, columns, rte);
    // Lateral members of that join see it as its conditions do.
    if (below !== EMPTY && columns !== bare && rtable.some((r, i) => r.lateral && overlaps(bit(i + 1), below))) {
      const inside = substituteRelation({ ...q, rtable, jointree: { kind: 'FromExpr', fromlist: [], quals: null } }, rti, bare, rte).rtable;
      q = { ...q, rtable: q.rtable.map((r, i) => (r.lateral && overlaps(bit(i + 1), below) ? inside[i]! : r)) };
    }
    substitutions.push((tree) => substituteInFrom(tree, rti, columns, rte, nulling?.rtindex ?? 0, bare));
  };
  /** `nulling`: the lowest outer join that fills up its rows; `outer`: the lowest one that it is in. */
  const visit = (item: FromItem, nulling: JoinExpr | null, outer: JoinExpr | null): FromItem => {
    const nullable = nulling !== null || grouped;
    switch (item.kind) {
      case 'FromExpr': return { ...item, fromlist: item.fromlist.map((f) => visit(f, nulling, outer)) };
      case 'JoinExpr': {
        const { jointype } = item;
        const lowest = jointype === 'inner' ? outer : item;
        const larg = visit(item.larg, jointype === 'right' || jointype === 'full' ? item : nulling, lowest);
        return { ...item, larg, rarg: visit(item.rarg, jointype === 'left' || jointype === 'full' ? item : nulling, lowest) };
      }
      case 'RangeTblRef': {
        let rte = q.rtable[item.rtindex - 1]!;
        const inlined = rte.rtekind === 'function' ? inlineHooks.set(rte) : null;
        if (inlined !== null) {
          q = { ...q, rtable: q.rtable.map((r, i) => (i === item.rtindex - 1 ? inlined : r)) };
          rte = inlined;
        }
        if (rte.rtekind === 'function' && !grouped) {
          const constant = constantFunction(rte);
          if (constant === null || mentionsWholeRow(q, from, item.rtindex)) return item;
          const bare = new Map([[1, constant]]);
          substitute(item.rtindex, rte, nulling === null ? bare : new Map([[1, nullableColumn(constant, item)]]), nulling, bare);
          q = { ...q, rtable: q.rtable.map((r, i) => (i === item.rtindex - 1 ? { ...r, functions: [], rtekind: 'result' } : r)) };
          return item;
        }
        // VALUES of one row that is all there is are columns of no relation.
        if (rte.rtekind === 'values' && !nullable && q.rtable.length === 1 && rte.values_lists.length === 1) {
          const [row] = rte.values_lists;
          if (row!.some((e) => containsVolatile(e) || containsSrf(e)) || mentionsWholeRow(q, from, item.rtindex)) return item;
          const columns = new Map(row!.map((e, i) => [i + 1, e]));
          substitute(item.rtindex, rte, columns, null, columns);
          q = { ...q, rtable: [{ ...rte, values_lists: [], rtekind: 'result' }] };
          return item;
        }
        if (rte.rtekind !== 'subquery' || rte.subquery === null || rte.security_barrier || !isSimpleSubquery(rte.subquery)) return item;
        let sub = pullUpSublinksIfAny(rte.subquery);
        sub = pullUpSubqueries(sub);
        if (!isSimpleSubquery(sub)) return item;
        sub = withResult(flattenJoinAliases(sub, sub.rtable));
        const columns = sub.targetList.filter((t) => !t.resjunk);
        if (grouped && !columns.every((t) => isOwnColumn(t.expr))) return item;
        if (repeatsSublinks(q, from, item.rtindex, columns)) return item;
        if (grouped && (rte.lateral || mentionsWholeRow(q, from, item.rtindex))) return item;
        if (rte.lateral && reachesOut(sub, outer === null ? null : withPulledUp(relidsOf(outer)))) return item;
        const offset = q.rtable.length;
        // Outer references of the subquery are one level nearer now.
        sub = shiftQuery(sub, offset);
        sub = incrementQueryLevels(sub, -1, 1);
        const bare = new Map<number, Expr>(), replacement = new Map<number, Expr>();
        for (const t of sub.targetList) {
          if (t.resjunk) continue;
          bare.set(t.resno, t.expr);
          replacement.set(t.resno, nulling === null ? t.expr : nullableColumn(t.expr, sub.jointree));
        }
        // The row as a whole is NULL there, and not a row of NULLs.
        const row = nulling === null ? null : wholeRowVar(q, from, item.rtindex);
        if (row !== null) replacement.set(0, placeholder(wholeRow(rte, bare, row), sub.jointree));
        pulledUp.set(item.rtindex, relidsOf(sub.jointree));
        substitute(item.rtindex, rte, replacement, nulling, bare);
        const lateral = rte.lateral ? sub.rtable.map((r) => (r.rtekind === 'subquery' || r.rtekind === 'function' || r.rtekind === 'values' || r.tablesample ? { ...r, lateral: true } : r)) : sub.rtable;
        const rtable = [...q.rtable, ...lateral];
        // The entry stays for permission checks, empty of its query.
        rtable[item.rtindex - 1] = { ...q.rtable[item.rtindex - 1]!, subquery: null, rtekind: 'result' };
        q = { ...q, rtable, hasSubLinks: q.hasSubLinks || sub.hasSubLinks, rowMarks: [...q.rowMarks, ...sub.rowMarks] };
        return sub.jointree;
      }
    }
  };
  const substitutions: ((tree: FromItem) => FromItem)[] = [];
  // What is grouped by sets must be able to become NULL, which only a column can.
  const grouped = query.groupingSets.length > 0;
  from = visit(from, null, null);
  for (const change of substitutions) from = change(from);
  return { ...q, jointree: from as FromExpr };
}

const isOwnColumn = (e: Expr): boolean => (e.kind === 'Var' && e.varlevelsup === 0) || (e.kind === 'PlaceHolderVar' && e.phlevelsup === 0);

/** Whether conditions of a lateral subquery, or its columns, take something from outside that they could not be given where they would
 * be asked then: above an outer join of its own, or outside of the outer join that it is in, which is over `safe` (null: it is in none)
 * (jointree_contains_lateral_outer_refs). */
function reachesOut(sub: Query, safe: Relids | null): boolean {
  const isUnsafe = (node: Expr | null, within: Relids | null): boolean => within !== null && !isSubset(pullVarnos(node, 1), within);
  const visit = (item: FromItem, within: Relids | null): boolean => {
    switch (item.kind) {
      case 'RangeTblRef': return false;
      case 'FromExpr': return item.fromlist.some((f) => visit(f, within)) || isUnsafe(item.quals, within);
      case 'JoinExpr': {
        const inside = item.jointype === 'inner' ? within : EMPTY;
        return visit(item.larg, inside) || visit(item.rarg, inside) || isUnsafe(item.quals, inside);
      }
    }
  };
  return visit(sub.jointree, safe) || sub.targetList.some((t) => isUnsafe(t.expr, safe));
}

let lastPlaceholder = 0;
/** The number that was given last: a statement that is planned without one has no placeholders. */
export const newestPlaceholder = (): number => lastPlaceholder;
/** A column of a subquery below an outer join, as that column's expression: one that is not NULL by itself where the subquery has no row
 * gets a placeholder (pullup_replace_vars_callback). */
function nullableColumn(e: Expr, rows: FromItem): Expr {
  const own = pullVarnos(e) & baseRelidsOf(rows);
  return own !== EMPTY && (isOwnColumn(e) || !containsNonstrict(e)) ? e : placeholder(e, rows);
}
function placeholder(arg: Expr, rows: FromItem): PlaceHolderVar {
  const phrels = baseRelidsOf(rows), own = pullVarnos(arg) & phrels;
  return { kind: 'PlaceHolderVar', arg, phid: ++lastPlaceholder, phrels, evalAt: own === EMPTY ? phrels : overOuterJoins(own, rows), phlevelsup: 0 };
}
/** What must be joined that these relations' columns are NULL where outer joins of the subquery make them so. */
function overOuterJoins(relids: Relids, item: FromItem): Relids {
  if (item.kind === 'RangeTblRef') return relids;
  if (item.kind === 'FromExpr') return item.fromlist.reduce(overOuterJoins, relids);
  const below = overOuterJoins(overOuterJoins(relids, item.larg), item.rarg), left = baseRelidsOf(item.larg), right = baseRelidsOf(item.rarg);
  const nulled = item.jointype === 'left' ? right : item.jointype === 'right' ? left : item.jointype === 'full' ? left | right : EMPTY;
  return overlaps(below, nulled) ? below | left | right : below;
}
export function baseRelidsOf(item: FromItem): Relids {
  switch (item.kind) {
    case 'RangeTblRef': return bit(item.rtindex);
    case 'JoinExpr': return baseRelidsOf(item.larg) | baseRelidsOf(item.rarg);
    case 'FromExpr': return item.fromlist.reduce((set, f) => set | baseRelidsOf(f), EMPTY);
  }
}

const pullUpSublinksIfAny = (q: Query): Query => (q.hasSubLinks ? pullUpSublinks(q) : q);

/** replace_empty_jointree: what has no FROM reads one row without columns. */
function withResult(q: Query): Query {
  if (!isEmptyFrom(q.jointree)) return q;
  const rtable = [...q.rtable, makeRangeTblEntry('result', null, makeAlias('*RESULT*', []))];
  return { ...q, rtable, jointree: { ...q.jointree, fromlist: [{ kind: 'RangeTblRef', rtindex: rtable.length }] } };
}

/** pull_up_constant_function: the value of a function in FROM that is known already. */
function constantFunction(rte: RangeTblEntry): Expr | null {
  const [f] = rte.functions;
  if (rte.functions.length !== 1 || rte.funcordinality || f!.funccolnames.length > 0 || typeIsRowtype(exprType(f!.funcexpr))) return null;
  if (containsVolatile(f!.funcexpr) || containsSrf(f!.funcexpr) || containsLevel(f!.funcexpr, 1) || pullVarnos(f!.funcexpr) !== EMPTY) return null;
  const value = evalConstExpressions(f!.funcexpr);
  return value.kind === 'Const' ? value : null;
}

function isSimpleSubquery(q: Query): boolean {
  return q.commandType === 'select' && q.setOperations === null && !q.hasAggs && !q.hasWindowFuncs && !q.hasTargetSRFs
    && q.groupClause.length === 0 && q.groupingSets.length === 0 && q.havingQual === null && q.sortClause.length === 0
    && q.distinctClause.length === 0 && q.limitOffset === null && q.limitCount === null && q.rowMarks.length === 0
    && q.cteList.length === 0
    && !q.targetList.some((t) => containsSrf(t.expr) || (t.expr.kind !== 'Var' && hasVolatile(t.expr)));
}
const hasSublink = (e: Expr): boolean => e.kind !== 'Var' && someExpr(e, (n) => n.kind === 'SubLink');

/** A subquery in a column would be run for each place that names it. PostgreSQL does that; more than twice it is made once and kept. */
function repeatsSublinks(q: Query, from: FromItem, rti: number, columns: readonly TargetEntry[]): boolean {
  const uses = new Map(columns.filter((t) => hasSublink(t.expr)).map((t) => [t.resno, 0]));
  if (uses.size === 0) return false;
  mutateQueryDeep({ ...q, jointree: { kind: 'FromExpr', fromlist: [from], quals: null } }, (n, depth) => {
    const before = n.kind === 'Var' && n.varno === rti && n.varlevelsup === depth ? uses.get(n.varattno) : undefined;
    if (before !== undefined) uses.set((n as Var).varattno, before + 1);
    return undefined;
  }, 0);
  return [...uses.values()].some((count) => count > 2);
}

/** Also inside of sublinks. */
export function hasVolatile(e: Expr): boolean {
  if (containsVolatile(e)) return true;
  if (!hasSublink(e)) return false;
  let found = false;
  mutateDeep(e, (n, depth) => {
    if (depth > 0 && (n.kind === 'FuncExpr' || n.kind === 'OpExpr' || n.kind === 'NextValueExpr')) found ||= containsVolatile(n);
    return undefined;
  });
  return found;
}

/** The relation's row as a whole, where it is used. */
function wholeRowVar(q: Query, from: FromItem, rti: number): Var | null {
  let found: Var | null = null;
  mutateQueryDeep({ ...q, jointree: { kind: 'FromExpr', fromlist: [from], quals: null } }, (n, depth) => {
    if (n.kind === 'Var' && n.varno === rti && n.varattno === 0 && n.varlevelsup === depth) found = n;
    return undefined;
  }, 0);
  return found;
}
const mentionsWholeRow = (q: Query, from: FromItem, rti: number): boolean => wholeRowVar(q, from, rti) !== null;

/** Replaces Vars of a relation by the expressions of a subquery's target list, everywhere in the query. */
function substituteRelation(q: Query, rti: number, columns: ReadonlyMap<number, Expr>, rte: RangeTblEntry): Query {
  return mutateQueryDeep(q, (n, depth) => substituteVar(n, depth, rti, columns, rte), 0);
}
/** `bare` in conditions of the join `nulling` and below it: nothing is NULL there that was none. A full join must see by its condition
 * which side something comes from. */
function substituteInFrom(item: FromItem, rti: number, columns: ReadonlyMap<number, Expr>, rte: RangeTblEntry, nulling = 0, bare = columns): FromItem {
  const below = (f: FromItem, values: ReadonlyMap<number, Expr>): FromItem => substituteInFrom(f, rti, values, rte, nulling, bare);
  const quals = (e: Expr | null, values: ReadonlyMap<number, Expr>): Expr | null => (e === null ? null : mutateDeep(e, (n, depth) => substituteVar(n, depth, rti, values, rte)));
  switch (item.kind) {
    case 'RangeTblRef': return item;
    case 'FromExpr': return { ...item, fromlist: item.fromlist.map((f) => below(f, columns)), quals: quals(item.quals, columns) };
    case 'JoinExpr': {
      const values = nulling !== 0 && item.rtindex === nulling ? bare : columns;
      return { ...item, larg: below(item.larg, values), rarg: below(item.rarg, values), quals: quals(item.quals, item.jointype === 'full' ? columns : values) };
    }
  }
}
function substituteVar(n: Expr, depth: number, rti: number, columns: ReadonlyMap<number, Expr>, rte: RangeTblEntry): Expr | undefined {
  if (n.kind === 'CurrentOfExpr' && n.cvarno === rti && depth === 0) throw new PgError('feature_not_supported', 'WHERE CURRENT OF on a view is not implemented');
  if (n.kind !== 'Var' || n.varno !== rti || n.varlevelsup !== depth) return undefined;
  const expr = columns.get(n.varattno) ?? (n.varattno === 0 ? wholeRow(rte, columns, n) : undefined);
  return expr === undefined ? undefined : incrementLevels(expr, depth);
}
function wholeRow(rte: RangeTblEntry, columns: ReadonlyMap<number, Expr>, v: Var): RowExpr {
  const colnames = [...rte.eref.colnames];
  return { kind: 'RowExpr', args: colnames.map((_n, i) => columns.get(i + 1)!), row_typeid: v.vartype, row_format: 'implicit_cast', colnames, location: -1 };
}

// ------------------------------------------------------------------ join aliases

/** flatten_join_alias_vars: Vars of JOIN entries become what they stand for. */
export function flattenJoinAliases(q: Query, rtable: readonly RangeTblEntry[]): Query {
  if (!rtable.some((r) => r.rtekind === 'join')) return q;
  const joins: boolean[] = rtable.map((r) => r.rtekind === 'join');
  const flatten = (n: Expr, depth: number): Expr | undefined => {
    if (n.kind !== 'Var' || n.varlevelsup !== depth || joins[n.varno - 1] !== true) return undefined;
    const rte = rtable[n.varno - 1]!;
    const inner = (e: Expr): Expr => incrementLevels(mutateDeep(e, flatten), depth);
    if (n.varattno === 0) {
      const kept = rte.joinaliasvars.map((e, i) => ({ e, i })).filter(({ e }) => e !== null);
      return { kind: 'RowExpr', args: kept.map(({ e }) => inner(e!)), row_typeid: n.vartype, row_format: 'implicit_cast', colnames: kept.map(({ i }) => rte.eref.colnames[i]!), location: -1 };
    }
    return inner(rte.joinaliasvars[n.varattno - 1]!);
  };
  return mutateQueryDeep({ ...q, rtable: q.rtable.map((r) => (r.rtekind === 'join' ? { ...r, joinaliasvars: [] } : r)) }, flatten, 0);
}

// ------------------------------------------------------------------ outer joins to inner joins

/** reduce_outer_joins: conditions above that no all-NULL row can pass. Also turns right joins into left joins. */
export function reduceOuterJoins(q: Query): Query {
  if (!hasOuterJoin(q.jointree)) return q;
  const jointree = reduce(q.jointree, EMPTY, [], []) as FromExpr;
  return { ...q, jointree };
}
const hasOuterJoin = (item: FromItem): boolean =>
  item.kind === 'JoinExpr' ? item.jointype === 'left' || item.jointype === 'right' || item.jointype === 'full' || hasOuterJoin(item.larg) || hasOuterJoin(item.rarg)
    : item.kind === 'FromExpr' && item.fromlist.some(hasOuterJoin);

function reduce(item: FromItem, nonnullable: Relids, nonnullableVars: Var[], forcedNull: Var[]): FromItem {
  switch (item.kind) {
    case 'RangeTblRef': return item;
    case 'FromExpr': {
      const rels = nonnullable | findNonnullableRels(item.quals);
      const vars = [...nonnullableVars, ...findNonnullableVars(item.quals)];
      const nulls = [...forcedNull, ...findForcedNullVars(item.quals)];
      return { ...item, fromlist: item.fromlist.map((f) => reduce(f, rels, vars, nulls)) };
    }
    case 'JoinExpr': {
      const left = relidsOf(item.larg);
      const right = relidsOf(item.rarg);
      let { jointype, larg, rarg } = item;
      if (jointype === 'left' && overlaps(nonnullable, right)) jointype = 'inner';
      else if (jointype === 'right' && overlaps(nonnullable, left)) jointype = 'inner';
      else if (jointype === 'full') {
        const l = overlaps(nonnullable, left);
        const r = overlaps(nonnullable, right);
        if (l && r) jointype = 'inner';
        else if (l) jointype = 'left';
        else if (r) jointype = 'right';
      }
      if (jointype === 'right') {
        jointype = 'left';
        [larg, rarg] = [rarg, larg];
      }
      const rightNow = relidsOf(rarg);
      if (jointype === 'left' && forcedNull.length > 0) {
        // LEFT JOIN ... WHERE inner.x IS NULL, with a join condition strict in x: nothing that matched remains.
        const strict = findNonnullableVars(item.quals);
        if (forcedNull.some((v) => overlaps(bit(v.varno), rightNow) && strict.some((s) => equal(s, v)))) jointype = 'anti';
      }
      const own = findNonnullableRels(item.quals);
      const ownVars = findNonnullableVars(item.quals);
      const ownNulls = findForcedNullVars(item.quals);
      switch (jointype) {
        case 'inner': case 'semi': {
          const rels = nonnullable | own;
          const vars = [...nonnullableVars, ...ownVars];
          const nulls = [...forcedNull, ...ownNulls];
          return { ...item, jointype, larg: reduce(larg, rels, vars, nulls), rarg: reduce(rarg, rels, vars, nulls) };
        }
        case 'left': case 'anti':
          // What is above says nothing of the nullable side, but the join's own condition does.
          return { ...item, jointype, larg: reduce(larg, nonnullable, nonnullableVars, forcedNull), rarg: reduce(rarg, own, ownVars, ownNulls) };
        default:
          return { ...item, jointype, larg: reduce(larg, EMPTY, [], []), rarg: reduce(rarg, EMPTY, [], []) };
      }
    }
  }
}
