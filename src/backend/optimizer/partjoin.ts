// Joins by partition (the parts of PostgreSQL's relnode.c and joinrels.c that are about them): where two tables are partitioned
// alike and joined by what they are partitioned by, only rows of partitions that go together can meet.
import { functionInfo, operator } from '../executor/fmgr_info.ts';
import { amopsByFamily } from '../catalog/syscache.ts';
import { exprCollation, exprType } from '../nodes/nodeFuncs.ts';
import type { Expr, JoinType } from '../nodes/primnodes.ts';
import { mergeBounds } from '../partitioning/merge_bounds.ts';
import { sameBounds } from '../partitioning/partbounds.ts';
import type { PartitionKey } from '../partitioning/partkey.ts';
import { equal } from './clauses.ts';
import { toChild } from './inherit.ts';
import type { AppendRelInfo, PartitionedRel, Relids, RelOptInfo, RestrictInfo, SpecialJoinInfo } from './pathnodes.ts';
import { bit, isSubset, overlaps } from './relids.ts';

const isOuterJoin = (jointype: JoinType): boolean => jointype !== 'inner' && jointype !== 'semi';

/** find_partition_scheme: partitioned in the same way, whatever the bounds. */
const sameScheme = (a: PartitionKey, b: PartitionKey): boolean => a === b || (a.strategy === b.strategy && a.columns.length === b.columns.length
  && a.columns.every((c, i) => c.opfamily === b.columns[i]!.opfamily && c.opcintype === b.columns[i]!.opcintype && c.collation === b.columns[i]!.collation));

const unwrapped = (e: Expr): Expr => (e.kind === 'RelabelType' ? unwrapped(e.arg) : e);

/** match_expr_to_partition_keys: the key column that an expression is; -1: none. */
function keyColumn(part: PartitionedRel, e: Expr, strict: boolean): number {
  const bare = unwrapped(e);
  const has = (list: readonly Expr[]): boolean => list.some((k) => equal(k, bare));
  return part.exprs.findIndex((list, i) => has(list) || (strict && has(part.nullable[i]!)));
}

/** have_partkey_equi_join; conditions are over the tables that the query names. */
function joinsKeys(a: PartitionedRel, b: PartitionedRel, sides: readonly [Relids, Relids], jointype: JoinType, clauses: readonly RestrictInfo[]): boolean {
  const known = new Set<number>();
  for (const r of clauses) {
    if ((isOuterJoin(jointype) && r.isPushedDown) || !r.canJoin || r.clause.kind !== 'OpExpr' || (r.mergeFamilies.length === 0 && !r.hashable)) continue;
    const [x, y] = r.clause.args as [Expr, Expr];
    const straight = isSubset(r.leftRelids, sides[0]) && isSubset(r.rightRelids, sides[1]);
    if (!straight && !(isSubset(r.leftRelids, sides[1]) && isSubset(r.rightRelids, sides[0]))) continue;
    const strict = functionInfo(operator(r.clause.opno).oprcode).proc.proisstrict;
    const column = keyColumn(a, straight ? x : y, strict);
    if (column < 0 || column !== keyColumn(b, straight ? y : x, strict) || known.has(column)) continue;
    const { opfamily, collation } = a.key.columns[column]!;
    // Equal by another collation is not equal to the bounds.
    if (collation !== r.clause.inputcollid) return false;
    const { opno } = r.clause;
    if (a.key.strategy === 'h' ? !r.hashable || !amopsByFamily(opfamily).some((m) => m.amopopr === opno) : !r.mergeFamilies.includes(opfamily)) continue;
    known.add(column);
  }
  return known.size === a.key.columns.length;
}

/** build_joinrel_partition_info: how a join is partitioned; null: it is not. Bounds and pairs come when its sides are looked at. */
export function joinPartitions(a: RelOptInfo, b: RelOptInfo, jointype: JoinType, clauses: readonly RestrictInfo[]): PartitionedRel | null {
  const [x, y] = [a.parts, b.parts];
  if (x === null || y === null || !x.joins || !y.joins || !sameScheme(x.key, y.key) || !joinsKeys(x, y, [a.topRelids, b.topRelids], jointype, clauses)) return null;
  const together = (i: number): { exprs: readonly Expr[]; nullable: readonly Expr[] } => {
    const [left, right] = [x.exprs[i]!, y.exprs[i]!];
    const nullable = [...x.nullable[i]!, ...y.nullable[i]!];
    switch (jointype) {
      case 'inner': return { exprs: [...left, ...right], nullable };
      case 'semi': case 'anti': return { exprs: left, nullable: x.nullable[i]! };
      case 'left': case 'right': return { exprs: left, nullable: [...right, ...nullable] };
      // What FULL JOIN USING merges, too.
      case 'full': return {
        exprs: [], nullable: [...left, ...right, ...nullable, ...[...left, ...x.nullable[i]!].flatMap((l) => [...right, ...y.nullable[i]!].map((r): Expr => ({
          kind: 'CoalesceExpr', coalescetype: exprType(l), coalescecollid: exprCollation(l), args: [l, r], location: -1,
        })))],
      };
    }
  };
  const columns = x.key.columns.map((_c, i) => together(i));
  const parts = { key: x.key, joins: true, exprs: columns.map((c) => c.exprs), nullable: columns.map((c) => c.nullable) };
  if (!x.isMerged && !y.isMerged && x.rels.length === y.rels.length && sameBounds(x.key, x.bounds, y.bounds)) return { ...parts, bounds: x.bounds, isMerged: false, rels: x.rels.map(() => null) };
  const merged = mergeBounds(x.key, side(x), side(y), jointype);
  if (merged === null) return null;
  const result: PartitionedRel = { ...parts, bounds: merged.bounds, isMerged: true, rels: merged.pairs.map(() => null) };
  mergedPairs.set(result, { a: x, pairs: merged.pairs });
  return result;
}

const side = (p: PartitionedRel): { bounds: PartitionedRel['bounds']; has: (n: number) => boolean } => ({ bounds: p.bounds, has: (n) => p.rels[n] !== null });

/** Of a join whose bounds are merged: the pairs, as found for the sides it was made of first. */
const mergedPairs = new WeakMap<PartitionedRel, { a: PartitionedRel; pairs: readonly { outer: number; inner: number }[] }>();

interface Pair { n: number; left: RelOptInfo; right: RelOptInfo }

/** The partitions to be joined; null: one that is needed was left out. */
export function partitionPairs(parts: PartitionedRel, a: RelOptInfo, b: RelOptInfo, jointype: JoinType): Pair[] | null {
  if (a.parts === null || b.parts === null) return null;
  const list: Pair[] = [];
  for (let n = 0; n < parts.rels.length; n++) {
    const [left, right] = partsOf(parts, a, b, n);
    if (isOuterJoin(jointype) ? left === null && (jointype !== 'full' || right === null) : left === null || right === null) continue;
    if (left === null || right === null) return null;
    list.push({ n, left, right });
  }
  return list;
}

function partsOf(parts: PartitionedRel, a: RelOptInfo, b: RelOptInfo, n: number): [RelOptInfo | null, RelOptInfo | null] {
  if (!parts.isMerged) return [a.parts!.rels[n] ?? null, b.parts!.rels[n] ?? null];
  const known = mergedPairs.get(parts)!;
  const made = parts.rels[n];
  if (made === null || made === undefined) {
    if (known.a !== a.parts) return [null, null];
    const { outer, inner } = known.pairs[n]!;
    return [outer < 0 ? null : a.parts!.rels[outer] ?? null, inner < 0 ? null : b.parts!.rels[inner] ?? null];
  }
  // The same tables in other pairs: each side is what has its tables of what was joined.
  const find = (p: PartitionedRel): RelOptInfo | null => p.rels.find((r) => r !== null && overlaps(r.relids, made.relids) && isSubset(r.relids, made.relids)) ?? null;
  return [find(a.parts!), find(b.parts!)];
}

/** group_by_has_partkey: rows of one group are all in one partition. */
export function groupsByKey(part: PartitionedRel, groups: readonly Expr[]): boolean {
  return part.exprs.every((list, i) => {
    const found = groups.map(unwrapped).find((e) => list.some((k) => equal(k, e)));
    const { collation } = part.key.columns[i]!;
    return found !== undefined && (collation === 0 || exprCollation(found) === 0 || exprCollation(found) === collation);
  });
}

/** build_child_join_sjinfo. */
export function sjinfoOfPart(sj: SpecialJoinInfo, infos: readonly AppendRelInfo[]): SpecialJoinInfo {
  const swap = (relids: Relids): Relids => infos.reduce((set, info) => (overlaps(set, info.parent.relids) ? (set & ~info.parent.relids) | bit(info.rti) : set), relids);
  return {
    ...sj, minLefthand: swap(sj.minLefthand), minRighthand: swap(sj.minRighthand), synLefthand: swap(sj.synLefthand), synRighthand: swap(sj.synRighthand),
    quals: sj.quals.map((q) => infos.reduce((e, info) => toChild(info, e), q)),
  };
}
