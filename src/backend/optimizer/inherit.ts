// Tables with children (PostgreSQL's inherit.c and appendinfo.c): such a relation of a query gets one more range table
// entry and RelOptInfo for each table whose rows it stands for, with its conditions and columns turned into theirs.
// Partitions whose bounds, and children whose constraints, say that they have no wanted row are left out.
import { internalError } from '../../common/errors.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { childrenOf } from '../catalog/syscache.ts';
import { isOtherTemp } from '../catalog/namespace.ts';
import { makeAlias, makeRangeTblEntry, makeVar } from '../nodes/makefuncs.ts';
import { exprCollation, exprType, exprTypmod, makeAndsImplicit } from '../nodes/nodeFuncs.ts';
import type { RangeTblEntry } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { partitionDescOf } from '../partitioning/partdesc.ts';
import { partitionKeyOf } from '../partitioning/partkey.ts';
import { partitionQual } from '../partitioning/partqual.ts';
import type { Oid } from '../types/datum.ts';
import { getBool, getString } from '../utils/guc.ts';
import { canonicalizeQual, containsMutable, equal, evalConstExpressions, incrementLevels, isFalseOrNull, isTrue, movePlaceholder, mutateDeep } from './clauses.ts';
import { prunePartitions } from './partprune.ts';
import type { AppendRelInfo, PartitionedRel, PartitionStep, PlannerInfo, RelOptInfo, RestrictInfo } from './pathnodes.ts';
import { forRelation, pathkeyHooks } from './pathkeys.ts';
import { predicateRefutedBy } from './predtest.ts';
import { buildBaseRel } from './relnode.ts';
import { makeRestrictInfo } from './restrictinfo.ts';
import { bit, overlaps } from './relids.ts';

/** Whether the entry stands for more than its own rows. */
export function standsForChildren(rte: RangeTblEntry): boolean {
  if (rte.rtekind !== 'relation' || rte.relid === 0 || (!rte.inh && rte.relkind !== 'p')) return false;
  if (rte.relkind === 'p') return true;
  const relation = openRelation(rte.relid);
  return relation.hasSubclass && childrenOf(relation.oid).length > 0;
}

/** The table and all that inherit from it, parents before children. */
function inheritors(oid: Oid): Oid[] {
  const found = [oid];
  for (let i = 0; i < found.length; i++) {
    for (const child of childrenOf(found[i]!).map((row) => row.inhrelid).sort((a, b) => a - b)) if (!found.includes(child)) found.push(child);
  }
  return found;
}

/** Gives the relation its children (expand_inherited_rtentry). Its own conditions and columns are known by now. */
export function expandInheritedRel(root: PlannerInfo, rel: RelOptInfo): void {
  const rte = rel.rte!;
  const relation = rel.relation!;
  const children: AppendRelInfo[] = [];
  rel.children = children;
  if (relation.kind === 'p') {
    if (rte.inh) rel.parts = addPartitions(root, rel, relation, isUsedByPartition(rel) ? rel : null, [], children);
    return;
  }
  for (const oid of inheritors(relation.oid)) {
    const child = openRelation(oid);
    if (child.kind === 'p' || (oid !== relation.oid && isOtherTemp(child))) continue;
    addChild(root, rel, child, [], children);
  }
}

/** Whole rows are not joined by partition: those of each have a type of their own. */
const joinsByPartition = (rel: RelOptInfo): boolean => getBool('enable_partitionwise_join') && !rel.attrNeeded.has(0);
const isUsedByPartition = (rel: RelOptInfo): boolean => rel.appendInfo === null && (joinsByPartition(rel) || getBool('enable_partitionwise_aggregate'));

/** `table`: the relation itself, or its partition that has partitions, when it may be joined or grouped by partition. */
function addPartitions(root: PlannerInfo, top: RelOptInfo, relation: Relation, table: RelOptInfo | null, path: readonly PartitionStep[], into: AppendRelInfo[]): PartitionedRel | null {
  const desc = partitionDescOf(relation);
  const clauses = top.restrictions.filter((r) => !r.pseudoconstant).map((r) => overRelation(r.clause, top, relation));
  const live = getBool('enable_partition_pruning') ? prunePartitions(relation, clauses) : null;
  const rels = desc.oids.map((oid, n): RelOptInfo | null => {
    if (live !== null && !live.has(n)) return null;
    const child = openRelation(oid);
    const step = [...path, { relation: relation.oid, number: n }];
    if (child.kind !== 'p') return addChild(root, top, child, step, into);
    if (table === null) {
      addPartitions(root, top, child, null, step, into);
      return null;
    }
    const info = appendInfo(root, top, child, step);
    const restrictions = childRestrictions(info);
    if (restrictions === null) return null;
    const between = addRelation(root, info, restrictions);
    const first = into.length;
    between.parts = addPartitions(root, top, child, between, step, into);
    between.children = into.slice(first).map((c) => ({ ...c, parent: between, columns: columnMap(child, c.relation!), path: c.path.slice(step.length) }));
    return between;
  });
  if (table === null) return null;
  const key = partitionKeyOf(relation);
  const exprs = key.columns.map((c) => {
    const own = forRelation(c.expr, table.rti);
    return [table.appendInfo === null ? own : toParent(table.appendInfo, own)];
  });
  return { key, joins: joinsByPartition(top), bounds: desc.bounds, isMerged: false, exprs, nullable: exprs.map(() => []), rels };
}

/** A clause over a relation of the query as one over a table below it, with varno 1. */
export function overRelation(clause: Expr, rel: RelOptInfo, relation: Relation): Expr {
  const columns = columnMap(rel.relation!, relation);
  return mutateDeep(clause, (n, depth) => {
    if (n.kind === 'PlaceHolderVar') return overRelation(n.arg, rel, relation);
    if (n.kind !== 'Var' || n.varlevelsup !== depth || depth !== 0 || n.varno !== rel.rti) return undefined;
    return { ...n, varno: 1, varattno: n.varattno > 0 ? columns[n.varattno - 1]! : n.varattno };
  });
}

/** An expression that is stored with a table below a relation of the query as one over that. */
export const ofTable = (rel: RelOptInfo, relation: Relation, stored: Expr): Expr =>
  toParent({ parent: rel, relation, translated: null, columns: columnMap(rel.relation!, relation), path: [], rti: rel.rti, child: rel }, forRelation(stored, rel.rti));

const appendInfo = (root: PlannerInfo, parent: RelOptInfo, relation: Relation, path: readonly PartitionStep[]): AppendRelInfo => ({
  parent, relation, translated: null, columns: columnMap(parent.relation!, relation), path, rti: root.rtable.length + 1, child: null as unknown as RelOptInfo,
});

function addChild(root: PlannerInfo, parent: RelOptInfo, relation: Relation, path: readonly PartitionStep[], into: AppendRelInfo[]): RelOptInfo | null {
  const info = appendInfo(root, parent, relation, path);
  const restrictions = childRestrictions(info);
  if (restrictions === null) return null;
  if (excludedByConstraints(relation, info.rti, restrictions, parent.relation!.oid === relation.oid && !parent.rte!.inh)) return null;
  into.push(info);
  return addRelation(root, info, restrictions);
}

function addRelation(root: PlannerInfo, info: AppendRelInfo, restrictions: RestrictInfo[]): RelOptInfo {
  const { parent } = info;
  const relation = info.relation!;
  const rte = parent.rte!;
  const alias = makeAlias(rte.eref.aliasname, childColumnNames(parent, relation));
  const entry: RangeTblEntry = {
    ...makeRangeTblEntry('relation', alias, alias),
    relid: relation.oid, relkind: relation.kind, rellockmode: rte.rellockmode, inFromCl: rte.inFromCl, tablesample: rte.tablesample,
  };
  root.rtable = [...root.rtable, entry];
  const child = buildBaseRel(root, info.rti);
  adopt(info, child, restrictions);
  return child;
}

/** The conditions of a parent as a child's; null when they leave nothing of it. */
export function childRestrictions(info: AppendRelInfo): RestrictInfo[] | null {
  const restrictions: RestrictInfo[] = [];
  for (const r of info.parent.restrictions) {
    const clause = evalConstExpressions(toChild(info, r.clause));
    if (isTrue(clause)) continue;
    // The children's own constants may show that there is nothing to be found.
    if (isFalseOrNull(clause) && !r.pseudoconstant) return null;
    for (const c of makeAndsImplicit(clause)) restrictions.push({ ...childRestriction(info, r, c), pseudoconstant: r.pseudoconstant });
  }
  return restrictions;
}

/** The relation that is a child, with its form of what is known of the parent. */
export function adopt(info: AppendRelInfo, child: RelOptInfo, restrictions: RestrictInfo[]): void {
  const { parent } = info;
  info.child = child;
  child.appendInfo = info;
  child.topRelids = parent.topRelids;
  child.translators = [info];
  child.restrictions = restrictions;
  child.joinClauses = parent.joinClauses.map((r) => adjustRestriction(info, r));
  child.hasEcJoins = parent.hasEcJoins;
  child.lateralRelids = parent.lateralRelids;
  child.directLateral = parent.directLateral;
  child.target = parent.target.map((e) => toChild(info, e));
}

/** Columns are called as the statement calls them. */
function childColumnNames(parent: RelOptInfo, relation: Relation): string[] {
  const columns = columnMap(parent.relation!, relation);
  return relation.attributes.map((a) => {
    const n = columns.indexOf(a.attnum);
    return a.attisdropped ? '' : n < 0 ? a.attname : parent.rte!.eref.colnames[n] ?? a.attname;
  });
}

/** A child's form of a parent's condition, which it remembers. */
function childRestriction(info: AppendRelInfo, r: RestrictInfo, clause: Expr): RestrictInfo {
  const swap = (relids: bigint): bigint => (overlaps(relids, info.parent.relids) ? (relids & ~info.parent.relids) | bit(info.rti) : relids);
  return {
    ...makeRestrictInfo(clause, r.isPushedDown, swap(r.requiredRelids), r.securityLevel), nullableRelids: swap(r.nullableRelids), outerRelids: swap(r.outerRelids), pseudoconstant: r.pseudoconstant, leftEc: r.leftEc, rightEc: r.rightEc,
    parentEc: r.parentEc, ofParent: r.ofParent ?? r,
  };
}
/** An expression over relations of the query as one over a part of them. */
export const overPart = (rel: RelOptInfo, e: Expr): Expr => rel.translators.reduce((result, info) => toChild(info, result), e);

/** adjust_appendrel_attrs of one condition. */
export const adjustRestriction = (info: AppendRelInfo, r: RestrictInfo): RestrictInfo => childRestriction(info, r, toChild(info, r.clause));

/** columns[n - 1]: the child's number of the parent's column n, 0 for a dropped one. */
function columnMap(parent: Relation, child: Relation): number[] {
  if (parent === child) return parent.attributes.map((a) => a.attnum);
  const byName = new Map(child.attributes.filter((a) => !a.attisdropped).map((a) => [a.attname, a.attnum]));
  return parent.attributes.map((a) => {
    if (a.attisdropped) return 0;
    const n = byName.get(a.attname);
    if (n === undefined) throw internalError(`could not find inherited attribute "${a.attname}" of relation "${child.name}"`);
    return n;
  });
}

/** adjust_appendrel_attrs. */
export function toChild(info: AppendRelInfo, e: Expr): Expr {
  const { parent, relation, translated } = info;
  return mutateDeep(e, (n, depth) => {
    if (n.kind === 'CurrentOfExpr' && n.cvarno === parent.rti && depth === 0) return { ...n, cvarno: info.rti };
    if (n.kind === 'PlaceHolderVar') return movePlaceholder(n, toChild(info, n.arg), parent.rti, info.rti);
    if (n.kind !== 'Var' || n.varno !== parent.rti || n.varlevelsup !== depth) return undefined;
    if (translated !== null) return incrementLevels(n.varattno > 0 ? translated[n.varattno - 1]! : wholeRow(info, n.vartype), depth);
    if (n.varattno > 0) return { ...n, varno: info.rti, varattno: info.columns[n.varattno - 1]! };
    if (n.varattno < 0 || relation!.rowType === parent.relation!.rowType) return { ...n, varno: info.rti };
    const whole = makeVar(info.rti, 0, relation!.rowType, -1, 0, n.varlevelsup);
    return { kind: 'ConvertRowtypeExpr', arg: whole, resulttype: n.vartype, convertformat: 'implicit_cast', location: -1 };
  });
}

const wholeRow = ({ translated, parent }: AppendRelInfo, type: number): Expr =>
  ({ kind: 'RowExpr', args: [...translated!], row_typeid: type, row_format: 'implicit_cast', colnames: [...parent.rte!.eref.colnames], location: -1 });

/** The parent's form of an expression over a child. */
export function toParent(info: AppendRelInfo, e: Expr): Expr {
  const { translated, rti, parent } = info;
  if (translated !== null) {
    return mutateDeep(e, (n, depth) => {
      if (n.kind === 'PlaceHolderVar') return movePlaceholder(n, toParent(info, n.arg), rti, parent.rti);
      const i = depth === 0 ? translated.findIndex((t) => equal(t, n)) : -1;
      return i < 0 ? undefined : makeVar(parent.rti, i + 1, exprType(n), exprTypmod(n), exprCollation(n), 0);
    });
  }
  return mutateDeep(e, (n, depth) => {
    if (n.kind === 'PlaceHolderVar') return movePlaceholder(n, toParent(info, n.arg), rti, parent.rti);
    if (n.kind !== 'Var' || n.varno !== rti || n.varlevelsup !== depth) return undefined;
    return { ...n, varno: parent.rti, varattno: n.varattno > 0 ? info.columns.indexOf(n.varattno) + 1 : n.varattno };
  });
}

/** relation_excluded_by_constraints. */
export function excludedByConstraints(relation: Relation, rti: number, restrictions: readonly RestrictInfo[], isPlain: boolean): boolean {
  const setting = getString('constraint_exclusion');
  if (setting === 'off' || restrictions.length === 0 || (isPlain && setting !== 'on')) return false;
  const clauses = restrictions.map((r) => r.clause).filter((c) => !containsMutable(c));
  if (clauses.length === 0) return false;
  if (clauses.length > 1 && predicateRefutedBy(clauses, clauses, true)) return true;
  const known: Expr[] = [];
  for (const check of relation.checks) {
    if (!check.validated) continue;
    known.push(...makeAndsImplicit(canonicalizeQual(evalConstExpressions(forRelation(check.expr, rti)), true)));
  }
  for (const a of relation.attributes) {
    if (a.attnotnull && !a.attisdropped) known.push({ kind: 'NullTest', arg: makeVar(rti, a.attnum, a.atttypid, a.atttypmod, a.attcollation, 0), isNull: false, argisrow: false, location: -1 });
  }
  // A partition that was named itself: nobody has looked at its bound.
  if (isPlain && relation.isPartition) known.push(...partitionQual(relation).flatMap((q) => makeAndsImplicit(canonicalizeQual(evalConstExpressions(forRelation(q, rti)), true))));
  const safe = known.filter((c) => !containsMutable(c));
  return safe.length > 0 && predicateRefutedBy(safe, clauses, false);
}

pathkeyHooks.toParent = toParent;
pathkeyHooks.toChild = toChild;
