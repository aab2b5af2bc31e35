// Relations of one row without columns, which subqueries without FROM leave when they are merged into their parent, are left out
// where they change nothing (remove_useless_result_rtes of PostgreSQL's prepjointree.c).
import type { Query } from '../nodes/parsenodes.ts';
import type { Expr, FromExpr, FromItem, PlaceHolderVar } from '../nodes/primnodes.ts';
import { mutateDeep, mutateQueryDeep, pullPlaceholders, walkDeep } from './clauses.ts';
import type { PlannerInfo, Relids } from './pathnodes.ts';
import { baseRelidsOf, newestPlaceholder } from './prepjointree.ts';
import { overlaps } from './relids.ts';

/** What is computed at such a relation is computed at what stands in its place then. */
interface Move { from: Relids; to: Relids }

export function removeUselessResults(root: PlannerInfo): void {
  const q = root.parse;
  if (!hasResult(q.jointree, q)) return;
  const placeholders = newestPlaceholder() === root.glob.placeholdersBefore ? [] : pullPlaceholders(q);
  const moves: Move[] = [];
  const jointree = pruned(q, q.jointree, moves, placeholders) as FromExpr;
  const [only] = jointree.fromlist;
  // A query without FROM.
  const isAlone = jointree.fromlist.length === 1 && isResult(only!, q);
  root.parse = { ...q, jointree: isAlone ? { ...jointree, fromlist: [] } : jointree };
  if (placeholders.length === 0 || moves.length === 0) return;
  const visit = (n: Expr, depth: number): Expr | undefined => (n.kind === 'PlaceHolderVar' && n.phlevelsup === depth ? { ...moved(n, moves), arg: mutateDeep(n.arg, visit, depth) } : undefined);
  root.parse = mutateQueryDeep(root.parse, visit, 0);
  root.rtable = root.parse.rtable;
  root.resultTargetList = root.resultTargetList.map((t) => ({ ...t, expr: mutateDeep(t.expr, visit) }));
}

const isResult = (item: FromItem, q: Query): boolean => item.kind === 'RangeTblRef' && q.rtable[item.rtindex - 1]!.rtekind === 'result';
const hasResult = (item: FromItem, q: Query): boolean =>
  item.kind === 'FromExpr' ? item.fromlist.some((f) => hasResult(f, q)) : item.kind === 'JoinExpr' ? hasResult(item.larg, q) || hasResult(item.rarg, q) : isResult(item, q);

function moved<T extends Pick<PlaceHolderVar, 'phrels' | 'evalAt'>>(n: T, moves: readonly Move[]): T {
  const move = (relids: Relids): Relids => moves.reduce((set, { from, to }) => (overlaps(set, from) ? (set & ~from) | to : set), relids);
  return { ...n, phrels: move(n.phrels), evalAt: move(n.evalAt) };
}

function pruned(q: Query, item: FromItem, moves: Move[], placeholders: readonly PlaceHolderVar[]): FromItem {
  /** find_dependent_phvs: something can be computed nowhere else. */
  const isComputedAt = (rel: FromItem): boolean => placeholders.some((p) => moved(p, moves).phrels === baseRelidsOf(rel));
  /** The same, and it is asked for by what stands beside, as a value from outside. */
  const isAskedFor = (rel: FromItem, beside: FromItem): boolean => isComputedAt(rel) && asks(q, beside, baseRelidsOf(rel), moves);
  const drop = (rel: FromItem, rest: FromItem): void => { moves.push({ from: baseRelidsOf(rel), to: baseRelidsOf(rest) }); };
  switch (item.kind) {
    case 'RangeTblRef': return item;
    case 'FromExpr': {
      let fromlist = item.fromlist.map((f) => pruned(q, f, moves, placeholders));
      for (const f of fromlist) {
        if (fromlist.length === 1) break;
        if (!isResult(f, q) || fromlist.some((other) => other !== f && isAskedFor(f, other))) continue;
        fromlist = fromlist.filter((other) => other !== f);
        drop(f, { ...item, fromlist });
      }
      return item !== q.jointree && fromlist.length === 1 && item.quals === null ? fromlist[0]! : { ...item, fromlist };
    }
    case 'JoinExpr': {
      const larg = pruned(q, item.larg, moves, placeholders), rarg = pruned(q, item.rarg, moves, placeholders);
      const where = (rest: FromItem, dropped: FromItem): FromItem => {
        drop(dropped, rest);
        return item.quals === null ? rest : { kind: 'FromExpr', fromlist: [rest], quals: item.quals };
      };
      switch (item.jointype) {
        case 'inner':
          if (isResult(larg, q) && !isAskedFor(larg, rarg)) return where(rarg, larg);
          if (isResult(rarg, q)) return where(larg, rarg);
          break;
        case 'left':
          // Each row of the left side comes out once, whatever the condition says.
          if (isResult(rarg, q) && (item.quals === null || !isComputedAt(rarg))) {
            drop(rarg, larg);
            return larg;
          }
          break;
        case 'semi':
          // What is computed of the right side is wanted by the condition only.
          if (isResult(rarg, q)) return where(larg, rarg);
          break;
        default:
      }
      return { ...item, larg, rarg };
    }
  }
}

/** Whether conditions or lateral members of `item` mention what is computed at `relids`. */
function asks(q: Query, item: FromItem, relids: Relids, moves: readonly Move[]): boolean {
  const isAsked = (e: Expr | Query): boolean => walkDeep(e, (n, depth) => n.kind === 'PlaceHolderVar' && n.phlevelsup === depth && moved(n, moves).phrels === relids);
  const inQuals = (quals: Expr | null): boolean => quals !== null && isAsked(quals);
  switch (item.kind) {
    case 'FromExpr': return inQuals(item.quals) || item.fromlist.some((f) => asks(q, f, relids, moves));
    case 'JoinExpr': return inQuals(item.quals) || asks(q, item.larg, relids, moves) || asks(q, item.rarg, relids, moves);
    case 'RangeTblRef': {
      const { lateral, subquery, functions, values_lists } = q.rtable[item.rtindex - 1]!;
      return lateral && [...(subquery === null ? [] : [subquery]), ...functions.map((f) => f.funcexpr), ...values_lists.flat()].some(isAsked);
    }
  }
}
