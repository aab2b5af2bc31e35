// Index scans of a base relation (PostgreSQL's indxpath.c): which conditions an index serves, what that costs, what
// order it gives; also with values from relations joined before (parameterized paths).
import { isInverted } from '../access/gin.ts';
import { getOpfamilyMember, opFamilyEntry } from '../catalog/lsyscache.ts';
import type { IndexInfo } from '../catalog/relation.ts';
import { orderedByDistance, returnable } from '../catalog/functions.ts';
import { GIST_AM_OID, SPGIST_AM_OID } from '../catalog/oids.ts';
import type { PgAmop } from '../catalog/rows.ts';
import { classByOid, opfamilyByOid } from '../catalog/syscache.ts';
import { operator, typeInfo } from '../executor/fmgr_info.ts';
import { exprType, makeAndsImplicit } from '../nodes/nodeFuncs.ts';
import { walkExpr } from '../executor/plan_walker.ts';
import type { IndexCondition, IndexScanFields } from '../nodes/plannodes.ts';
import type { Expr, RowCompareExpr } from '../nodes/primnodes.ts';
import { makeConst, makeOpExpr } from '../nodes/makefuncs.ts';
import { DATETIME_TYPES } from '../types/datetime_bounds.ts';
import { BOOLOID, RECORDOID } from '../types/oids.ts';
import { bitmapGin, bitmapHeapPath, bitmapIndex, bitmapOr, chooseBitmapAnd, partialBitmapPath, type BitmapNode } from './bitmap.ts';
import { booleanValue, containsVolatile, equal, pullVarnos, stripRelabel } from './clauses.ts';
import { clampRows, costs, DISABLE_COST, enabled, evalCost, indexPagesFetched, parallelDivisor, qualEvalCost, rowsOfOne } from './costsize.ts';
import { impliedEqualitiesFor } from './equivclass.ts';
import { adjustRestriction, toParent } from './inherit.ts';
import { derivedConditions } from './like_support.ts';
import { joinClauseMovable, loopCount, paramPathInfo } from './parampath.ts';
import { parallelWorkers } from './parallel.ts';
import { addPartialPath, addPath } from './pathnode.ts';
import { ginIndex } from './ginpath.ts';
import { indexSize } from './plancat.ts';
import { predicateImpliedBy } from './predtest.ts';
import { forRelation, indexColumnExpr, indexPathkeys, usefulPathkeys } from './pathkeys.ts';
import type { Path, PathKey, PlannerInfo, Relids, RelOptInfo, RestrictInfo } from './pathnodes.ts';
import { icuCollator } from '../types/collation.ts';
import { SPGIST_TEXT_FAMILY } from './like_support.ts';
import { orderedClauses, planBase } from './planbuild.ts';
import { EMPTY, isSubset, overlaps } from './relids.ts';
import { isSecurelyPromotable, makeRestrictInfo, withoutRepeated } from './restrictinfo.ts';
import { replaceNestloopParams, targetOfRel } from './nestparams.ts';
import { arrayLength, clauselistSelectivity, correlationOf, indexHooks } from './selfuncs.ts';

/** `lossy`: the rows are asked the condition itself again; `rinfo` is of a condition that follows from it. */
interface Match { rinfo: RestrictInfo; condition: IndexCondition; expr: Expr; lossy?: true }

const STRATEGIES = ['', '<', '<=', '=', '>=', '>'] as const;

/** Indexes of the other methods keep their columns in order, too: the operators of theirs that ask for a place in it. */
function byOrder(method: IndexInfo['accessMethod'], family: number, strategy: number): (typeof STRATEGIES)[number] | undefined {
  const name = opfamilyByOid(family)?.opfname ?? '';
  if (method === 'brin') return /_minmax(_multi)?_ops$/.test(name) ? STRATEGIES[strategy] : name.endsWith('_bloom_ops') && strategy === 1 ? '=' : undefined;
  if (name === 'text_ops') return STRATEGIES[strategy > 10 ? strategy - 10 : strategy];
  if (name === 'network_ops') return ({ 18: '=', 20: '<', 21: '<=', 22: '>', 23: '>=' } as const)[strategy];
  return name === 'range_ops' && strategy === 18 ? '=' : undefined;
}

const BOOLEAN_EQUAL = 91, BOOLEQ = 60;

/** Dates and timestamps are kept in different units: those of another type have to be found among the column's. */
const unlikeTypes = ({ amoplefttype: column, amoprighttype: value }: PgAmop): Pick<IndexCondition, 'unlike'> =>
  (column !== value && DATETIME_TYPES.has(column) && DATETIME_TYPES.has(value) ? { unlike: { column, value } } : {});

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
      // An spgist index over texts has them by their bytes.
      if (opfamily === SPGIST_TEXT_FAMILY && member.amopstrategy > 10 && icuCollator(collation) !== null) return null;
      const strategy = info.accessMethod === 'btree' ? STRATEGIES[member.amopstrategy] : byOrder(info.accessMethod, opfamily, member.amopstrategy) ?? (tree(info) ? 'lossy' : undefined);
      if (strategy === undefined || strategy === '') return null;
      const expr: Expr = value === b ? clause : { ...clause, opno, opfuncid: operator(opno).oprcode, args: [b, a] };
      return { rinfo, condition: { column: column + 1, strategy, value, ...(strategy === 'lossy' ? { number: member.amopstrategy } : {}), ...unlikeTypes(member) }, expr };
    }
    case 'ScalarArrayOpExpr': {
      if (!clause.useOr || !matches(clause.args[0]) || overlaps(pullVarnos(clause.args[1]), rel.relids) || containsVolatile(clause.args[1])) return null;
      const member = opFamilyEntry(clause.opno, opfamily);
      const byMinmax = info.accessMethod === 'brin' && byOrder('brin', opfamily, 3) === '=';
      const wanted = info.accessMethod === 'hash' ? 1 : info.accessMethod === 'btree' || byMinmax ? 3 : -1;
      if (member === undefined || member.amopstrategy !== wanted || (collation !== 0 && collation !== clause.inputcollid)) return null;
      return { rinfo, condition: { column: column + 1, strategy: 'in', value: clause.args[1], ...unlikeTypes(member) }, expr: clause };
    }
    case 'RowCompareExpr': return info.accessMethod === 'btree' ? matchRowCompare(rel, info, column, rinfo, clause) : null;
    case 'NullTest':
      if (clause.argisrow || !matches(clause.arg) || info.accessMethod === 'hash' || isInverted(info)) return null;
      return { rinfo, condition: { column: column + 1, strategy: clause.isNull ? 'isnull' : 'notnull', value: null }, expr: clause };
    case 'Var': case 'BoolExpr': case 'BooleanTest': {
      // A boolean column by itself is a condition.
      if (info.columns[column]!.typeOid !== 16) return null;
      const known = booleanValue(clause, matches);
      if (known === null) return null;
      const value = makeConst(BOOLOID, -1, 0, known);
      return { rinfo, condition: { column: column + 1, strategy: '=', value }, expr: makeOpExpr(BOOLEAN_EQUAL, BOOLEQ, BOOLOID, [key, value], 0, 0) };
    }
    default: return null;
  }
}

/** match_rowcompare_to_indexcol: the columns of a row that follow one another in the index, in one direction, say where to read. The
 * whole is asked of the rows: for the sake of NULLs, and of columns that the index has elsewhere. */
function matchRowCompare(rel: RelOptInfo, info: IndexInfo, column: number, rinfo: RestrictInfo, clause: RowCompareExpr): Match | null {
  const holds = (e: Expr, c: number): boolean => equal(stripRelabel(e), stripRelabel(indexColumnExpr(rel, info, c)));
  const commuted = !holds(clause.largs[0]!, column);
  const [own, others] = commuted ? [clause.rargs, clause.largs] : [clause.largs, clause.rargs];
  const opnos = commuted ? clause.opnos.map((opno) => operator(opno).oprcom) : clause.opnos;
  const serves = (i: number, c: number): boolean => {
    const { opfamily, collation } = info.columns[c]!;
    return holds(own[i]!, c) && (collation === 0 || collation === clause.inputcollids[i]) && opFamilyEntry(opnos[i]!, opfamily)?.amoppurpose === 's';
  };
  const given = (i: number): boolean => opnos[i] !== 0 && !overlaps(pullVarnos(others[i]!), rel.relids) && !containsVolatile(others[i]!);
  let found = 0;
  while (found < own.length && given(found) && (found === 0 ? serves(0, column) : info.columns.slice(0, info.keyCount).some((_, c) => serves(found, c)))) found++;
  if (found === 0) return null;
  let bounding = 0;
  while (bounding < found && column + bounding < info.keyCount && serves(bounding, column + bounding) && exprType(others[bounding]!) === exprType(own[bounding]!)
    && info.columns[column + bounding]!.descending === info.columns[column]!.descending) bounding++;
  const rctype = commuted ? COMMUTED[clause.rctype] : clause.rctype;
  // What is equal as far as is known may be on either side.
  const inclusive = rctype === '<' || rctype === '<=' ? '<=' : '>=';
  const condition: IndexCondition = bounding === 0 ? { column: column + 1, strategy: inclusive, value: others[0]!, ...unlikeTypes(opFamilyEntry(opnos[0]!, info.columns[column]!.opfamily)!) } : {
    column: column + 1, strategy: bounding === own.length ? rctype : inclusive, asRow: true,
    value: { kind: 'RowExpr', args: others.slice(0, bounding), row_typeid: RECORDOID, row_format: 'implicit_cast', colnames: [], location: -1 },
  };
  if (found === own.length) return { rinfo, condition, expr: { ...clause, rctype, opnos, largs: own, rargs: others } };
  const members = opnos.slice(0, found).map((opno, i) => getOpfamilyMember(clause.opfamilies[i]!, operator(opno).oprleft, operator(opno).oprright, STRATEGIES.indexOf(inclusive)));
  const expr: Expr = found === 1 ? makeOpExpr(members[0]!, operator(members[0]!).oprcode, BOOLOID, [own[0]!, others[0]!], 0, clause.inputcollids[0]!)
    : { ...clause, rctype: inclusive, opnos: members, opfamilies: clause.opfamilies.slice(0, found), inputcollids: clause.inputcollids.slice(0, found), largs: own.slice(0, found), rargs: others.slice(0, found) };
  return { rinfo: makeRestrictInfo(expr, rinfo.isPushedDown, undefined, rinfo.securityLevel), condition, expr, lossy: true };
}
const COMMUTED = { '<': '>', '<=': '>=', '>=': '<=', '>': '<' } as const;

/** A partial index holds all rows that are wanted (check_index_predicates). */
function predicateHolds(rel: RelOptInfo, info: IndexInfo, more: readonly Expr[] = []): boolean {
  if (info.predicate === null) return true;
  return predicateImpliedBy(makeAndsImplicit(forRelation(info.predicate, rel.rti)), [...rel.restrictions.map((r) => r.clause), ...more], false);
}
indexHooks.predicateHolds = predicateHolds;

/** What a scan of an index costs without the table (IndexPath and btcostestimate's results). */
export interface IndexPathInfo {
  info: IndexInfo;
  matches: readonly Match[];
  clauses: readonly RestrictInfo[];
  outer: Relids;
  startup: number;
  total: number;
  selectivity: number;
  pages: number;
  /** Pages of the index that are read. */
  scanned: number;
  /** Rows of the scan. */
  rows: number;
  /** What the executor looks for in the index, and what it tests of the rows found. */
  executable: (fix: (e: Expr) => Expr) => Pick<IndexScanFields, 'conditions' | 'extraquals'>;
}

export function createIndexPaths(root: PlannerInfo, rel: RelOptInfo): void {
  if (rel.indexes.length === 0) return;
  const plain: BitmapNode[] = [];
  const joined: BitmapNode[] = [];
  for (const info of rel.indexes) {
    if (!predicateHolds(rel, info)) continue;
    if (info.accessMethod === 'gin') {
      const index = ginIndex(root, rel, info, rel.restrictions);
      if (index !== null) plain.push(bitmapGin(index));
      continue;
    }
    const own: Match[][] = [];
    for (let c = 0; c < info.keyCount; c++) own.push(matchesOf(rel, info, c, rel.restrictions));
    addIndexPaths(root, rel, info, own, EMPTY, plain);
    addParameterizedPaths(root, rel, info, own, joined);
  }
  plain.push(...bitmapOrPaths(root, rel, rel.restrictions, []));
  joined.push(...bitmapOrPaths(root, rel, rel.joinClauses.filter((r) => joinClauseMovable(rel, r)), rel.restrictions));
  if (plain.length > 0) {
    const node = chooseBitmapAnd(root, rel, plain);
    addPath(rel, bitmapHeapPath(root, rel, node));
    const partial = mayShare(rel, node.outer) ? partialBitmapPath(root, rel, node) : null;
    if (partial !== null) addPartialPath(rel, partial);
  }
  const outers: Relids[] = [];
  for (const p of joined) if (p.outer !== EMPTY && !outers.includes(p.outer)) outers.push(p.outer);
  for (const outer of outers) {
    const set = [...joined.filter((p) => isSubset(p.outer, outer)), ...plain];
    addPath(rel, bitmapHeapPath(root, rel, chooseBitmapAnd(root, rel, set)));
  }
}

const matchesOf = (rel: RelOptInfo, info: IndexInfo, column: number, list: readonly RestrictInfo[]): Match[] =>
  list.flatMap((r) => {
    if (r.pseudoconstant) return [];
    const match = matchClause(rel, info, column, r);
    return match !== null ? [match] : lossyMatches(rel, info, column, r);
  });

/** get_index_clause_from_support. */
function lossyMatches(rel: RelOptInfo, info: IndexInfo, column: number, rinfo: RestrictInfo): Match[] {
  if (rinfo.clause.kind !== 'OpExpr' && rinfo.clause.kind !== 'FuncExpr') return [];
  if ((info.accessMethod !== 'btree' && info.accessMethod !== 'spgist') || !isSecurelyPromotable(rinfo, rel)) return [];
  const key = stripRelabel(indexColumnExpr(rel, info, column));
  return derivedConditions(info, column, rinfo.clause, (e) => equal(stripRelabel(e), key))
    .map(({ condition, expr }) => ({ rinfo: makeRestrictInfo(expr, rinfo.isPushedDown, undefined, rinfo.securityLevel), condition, expr, lossy: true }));
}

/** generate_bitmap_or_paths: an OR each of whose arms some index serves. */
function bitmapOrPaths(root: PlannerInfo, rel: RelOptInfo, list: readonly RestrictInfo[], others: readonly RestrictInfo[]): BitmapNode[] {
  const result: BitmapNode[] = [];
  const all = [...list, ...others];
  for (const rinfo of list) {
    const { clause } = rinfo;
    if (clause.kind !== 'BoolExpr' || clause.boolop !== 'or' || rinfo.pseudoconstant || !isSecurelyPromotable(rinfo, rel)) continue;
    const arms: BitmapNode[] = [];
    for (const arm of clause.args) {
      const parts = makeAndsImplicit(arm).map((e) => makeRestrictInfo(e, true, undefined, rinfo.securityLevel));
      const nodes = armPaths(root, rel, parts, all);
      if (parts.length > 1) nodes.push(...bitmapOrPaths(root, rel, parts, all));
      if (nodes.length === 0) break;
      arms.push(chooseBitmapAnd(root, rel, nodes));
    }
    if (arms.length === clause.args.length) result.push(bitmapOr(arms));
  }
  return result;
}

/** build_paths_for_OR. */
function armPaths(root: PlannerInfo, rel: RelOptInfo, parts: readonly RestrictInfo[], others: readonly RestrictInfo[]): BitmapNode[] {
  const nodes: BitmapNode[] = [];
  for (const info of rel.indexes) {
    if (info.accessMethod === 'gin') {
      const gin = predicateHolds(rel, info, parts.map((r) => r.clause)) ? ginIndex(root, rel, info, parts) : null;
      if (gin !== null) nodes.push(bitmapGin(gin));
      continue;
    }
    let useful = false;
    if (info.predicate !== null && !predicateHolds(rel, info)) {
      if (!predicateHolds(rel, info, parts.map((r) => r.clause))) continue;
      useful = true;
    }
    const matches: Match[][] = [];
    for (let c = 0; c < info.keyCount; c++) matches.push(matchesOf(rel, info, c, parts));
    if (!useful && matches.every((m) => m.length === 0)) continue;
    for (let c = 0; c < info.keyCount; c++) matches[c]!.push(...matchesOf(rel, info, c, others.filter((r) => isSubset(r.clauseRelids, rel.relids))));
    const used = usedMatches(info, matches, false).used;
    if (used === null || (used.length === 0 && !useful)) continue;
    const outer = used.reduce((o, m) => o | (m.rinfo.clauseRelids & ~rel.relids), EMPTY);
    nodes.push(bitmapIndex(indexCost(root, rel, info, used, outer)));
  }
  return nodes;
}

/** Join conditions whose other side is there already give values for the index. */
function addParameterizedPaths(root: PlannerInfo, rel: RelOptInfo, info: IndexInfo, own: Match[][], bitmaps: BitmapNode[]): void {
  const joins: Match[][] = own.map(() => []);
  const classes: Match[][] = own.map(() => []);
  const outerSets = new Set<Relids>();
  const movable = rel.joinClauses.filter((r) => joinClauseMovable(rel, r));
  for (let c = 0; c < info.keyCount; c++) {
    joins[c] = matchesOf(rel, info, c, movable);
    if (rel.hasEcJoins) classes[c] = matchesOf(rel, info, c, impliedFor(root, rel, indexColumnExpr(rel, info, c)));
    for (const m of [...joins[c]!, ...classes[c]!]) outerSets.add(m.rinfo.clauseRelids & ~rel.relids);
  }
  if (outerSets.size === 0) return;
  const sets = [...outerSets];
  const all = sets.reduce((a, b) => a | b, EMPTY);
  // All pairs of single ones as well, for indexes of several columns.
  for (const a of [...outerSets]) for (const b of outerSets) if (a !== b && !sets.includes(a | b) && sets.length < 20) sets.push(a | b);
  if (sets.length > 1 && !sets.includes(all)) sets.push(all);
  for (const outer of sets) {
    const fits = (m: Match): boolean => isSubset(m.rinfo.clauseRelids & ~rel.relids, outer);
    // One equality of a class is as good as another.
    const matches = own.map((list, c) => [...joins[c]!.filter(fits), ...classes[c]!.filter(fits).slice(0, 1), ...list]);
    addIndexPaths(root, rel, info, matches, outer, bitmaps);
  }
}
/** Equalities for a column of a child table are those for its parent's. */
export function impliedFor(root: PlannerInfo, rel: RelOptInfo, column: Expr): RestrictInfo[] {
  const { appendInfo } = rel;
  if (appendInfo === null) return impliedEqualitiesFor(root, rel, column);
  return impliedEqualitiesFor(root, appendInfo.parent, toParent(appendInfo, column)).map((r) => adjustRestriction(appendInfo, r));
}

/** The conditions an index scan tests, null when the index cannot be scanned with them (a hash index wants its first column). Lists
 * on later columns leave the result without order; of other methods than btree they are for bitmaps only. */
function usedMatches(info: IndexInfo, matches: readonly Match[][], skipLowerLists: boolean): { used: Match[] | null; skipped: boolean; lowerLists: boolean } {
  const used: Match[] = [];
  let skipped = false;
  let lowerLists = false;
  for (let c = 0; c < info.keyCount; c++) {
    for (const m of matches[c]!) {
      if (m.condition.strategy === 'in' && (c > 0 || info.accessMethod !== 'btree')) {
        if (skipLowerLists) {
          skipped = true;
          continue;
        }
        lowerLists = true;
      }
      used.push(m);
    }
    if (used.length === 0 && info.accessMethod === 'hash') return { used: null, skipped, lowerLists };
  }
  return { used, skipped, lowerLists };
}

/** build_index_paths: forward, backward and for bitmaps. */
function addIndexPaths(root: PlannerInfo, rel: RelOptInfo, info: IndexInfo, matches: Match[][], outer: Relids, bitmaps: BitmapNode[]): void {
  for (const skip of [true, false]) {
    const { used, skipped, lowerLists } = usedMatches(info, matches, skip);
    if (!skip && !lowerLists) return;
    if (used === null || (outer !== EMPTY && !used.some((m) => overlaps(m.rinfo.clauseRelids, outer)))) {
      if (skipped) continue;
      return;
    }
    const ordered = !lowerLists && info.accessMethod === 'btree';
    const forward = ordered ? usefulPathkeys(root, rel, indexPathkeys(root, rel, info, false)) : [];
    const covered = isCovered(rel, info);
    const order = tree(info) ? distanceOrder(root, rel, info) : [];
    const backward = ordered ? usefulPathkeys(root, rel, indexPathkeys(root, rel, info, true)) : [];
    const found = used.reduce((o, m) => o | (m.rinfo.clauseRelids & ~rel.relids), EMPTY);
    const restricts = used.length > 0 || info.predicate !== null;
    if (restricts || forward.length > 0 || backward.length > 0 || covered || order.length > 0) {
      const cost = indexCost(root, rel, info, used, found, order);
      if (order.length > 0) {
        // Rows by distance come through the tree, whatever else is asked of them.
        addPath(rel, makeIndexPath(root, rel, cost, root.queryPathkeys, false, covered, order));
        if (restricts) bitmaps.push(bitmapIndex(indexCost(root, rel, info, used, found)));
        if (!skipped) return;
        continue;
      }
      if (info.accessMethod !== 'brin' && (info.accessMethod === 'btree' || !lowerLists) && (restricts || forward.length > 0 || covered)) addBoth(root, rel, cost, forward, false, covered);
      if (restricts && (forward.length === 0 || cost.selectivity < 1)) bitmaps.push(bitmapIndex(cost));
      if (backward.length > 0) addBoth(root, rel, cost, backward, true, covered);
    }
    if (!skipped) return;
  }
}

/** Without values from outside, which are not the same for all processes. */
const mayShare = (rel: RelOptInfo, outer: Relids): boolean => rel.considerParallel && outer === EMPTY && rel.lateralRelids === EMPTY;

/** The path, and one for processes that share the pages of a btree. */
function addBoth(root: PlannerInfo, rel: RelOptInfo, cost: IndexPathInfo, pathkeys: PathKey[], backward: boolean, onlyIndex: boolean): void {
  addPath(rel, makeIndexPath(root, rel, cost, pathkeys, backward, onlyIndex));
  if (!mayShare(rel, cost.outer) || cost.info.accessMethod !== 'btree') return;
  const workers = parallelWorkers(rel, onlyIndex ? -1 : uncorrelatedPages(root, rel, cost), cost.scanned);
  if (workers > 0) addPartialPath(rel, makeIndexPath(root, rel, cost, pathkeys, backward, onlyIndex, [], workers));
}

/** Pages of the table that are read where rows stand in another order than the index. */
const uncorrelatedPages = (root: PlannerInfo, rel: RelOptInfo, index: IndexPathInfo): number =>
  indexPagesFetched(clampRows(index.selectivity * rel.tuples), rel.pages, root.totalTablePages + index.pages);

const tree = (info: IndexInfo): boolean => info.accessMethod === 'gist' || info.accessMethod === 'spgist';

/** match_pathkeys_to_index: the distance that the rows are wanted in the order of. */
function distanceOrder(root: PlannerInfo, rel: RelOptInfo, info: IndexInfo): Expr[] {
  const [key, ...more] = root.queryPathkeys;
  const { opclass, opfamily } = info.columns[0]!;
  if (key === undefined || more.length > 0 || key.reverse || key.nullsFirst || key.ec.volatile || !orderedByDistance(methodOid(info), opclass)) return [];
  const column = stripRelabel(indexColumnExpr(rel, info, 0));
  for (const { expr, relids } of key.ec.members) {
    if (relids !== rel.relids || expr.kind !== 'OpExpr' || expr.args.length !== 2) continue;
    const [a, b] = expr.args as [Expr, Expr];
    const turned = equal(stripRelabel(b), column);
    if (!turned && !equal(stripRelabel(a), column)) continue;
    const opno = turned ? operator(expr.opno).oprcom : expr.opno, value = turned ? a : b;
    if (opno === 0 || overlaps(pullVarnos(value), rel.relids) || containsVolatile(value) || opFamilyEntry(opno, opfamily, 'o') === undefined) continue;
    return [turned ? { ...expr, opno, opfuncid: operator(opno).oprcode, args: [b, a] } : expr];
  }
  return [];
}
const methodOid = (info: IndexInfo): number => (info.accessMethod === 'gist' ? GIST_AM_OID : SPGIST_AM_OID);

/** check_index_only: all columns that are wanted come out of the index's keys. */
function isCovered(rel: RelOptInfo, info: IndexInfo): boolean {
  if (!enabled.indexonlyscan || (info.accessMethod !== 'btree' && !tree(info))) return false;
  // Included columns, and keys that lose something of a value, are read from the table (node_scan.ts).
  const shows = (at: number): boolean => at >= info.keyCount || !tree(info) || returnable(methodOid(info), info.columns[at]!.opclass);
  let covered = true;
  const check = (e: Expr): void => walkExpr(e, (node) => {
    if (node.kind !== 'Var' || node.varno !== rel.rti) return;
    const at = info.keyAttributes.indexOf(node.varattno);
    if (node.varattno <= 0 || at < 0 || !shows(at)) covered = false;
  });
  rel.target.forEach(check);
  const implied = info.predicate === null ? [] : makeAndsImplicit(forRelation(info.predicate, rel.rti));
  for (const r of rel.restrictions) if (implied.length === 0 || !predicateImpliedBy([r.clause], implied, false)) check(r.clause);
  return covered;
}

/** The conditions that bound the part of the index that is read: leading columns by =, IN or IS NULL, then one more with
 * inequalities. The others are tested of each entry. */
function boundaries(info: IndexInfo, used: readonly Match[]): Match[] {
  const bounds: Match[] = [];
  for (let c = 1; c <= info.keyCount; c++) {
    const column = used.filter((m) => m.condition.column === c);
    const equality = column.find((m) => m.condition.strategy === '=' || m.condition.strategy === 'isnull') ?? column.find((m) => m.condition.strategy === 'in');
    if (equality !== undefined) {
      bounds.push(equality);
      continue;
    }
    bounds.push(...column);
    break;
  }
  return bounds;
}

/** btcostestimate, gistcostestimate, spgcostestimate. `order`: the distance rows come in the order of. */
function indexCost(root: PlannerInfo, rel: RelOptInfo, info: IndexInfo, used: readonly Match[], outer: Relids, order: readonly Expr[] = []): IndexPathInfo {
  const clauses = [...new Set(used.map((m) => m.rinfo))];
  const lossy = order.length > 0 || used.some((m) => m.condition.strategy === 'lossy');
  const bounds = tree(info) ? [...used] : boundaries(info, used);
  const loops = loopCount(root, rel, outer);
  let { tuples } = rel;
  const preds = info.predicate === null ? [] : makeAndsImplicit(forRelation(info.predicate, rel.rti)).map((e) => makeRestrictInfo(e, true));
  if (preds.length > 0) tuples = clampRows(tuples * clauselistSelectivity(root, preds));
  const size = indexSize(rel.relation!, info, tuples, rel.tuples > 0 ? rel.storedTuples * (tuples / rel.tuples) : 0);
  const withPreds = (list: readonly RestrictInfo[]): RestrictInfo[] => [...preds.filter((p) => !predicateImpliedBy([p.clause], list.map((r) => r.clause), false)), ...list];
  const selectivity = clauselistSelectivity(root, withPreds(clauses));
  const lists = (matches: readonly Match[]): number => matches.reduce((n, m) => (m.condition.strategy === 'in' && m.expr.kind === 'ScalarArrayOpExpr' ? n * Math.max(1, arrayLength(m.expr.args[1])) : n), 1);
  const unique = info.unique && bounds.some((m) => m.condition.column === info.keyCount) && bounds.every((m) => m.condition.strategy === '=');
  const boundScans = lists(bounds);
  let entries = unique ? 1 : Math.round((clauselistSelectivity(root, withPreds([...new Set(bounds.map((m) => m.rinfo))])) * rel.tuples) / boundScans);
  const scans = lists(used);
  entries = Math.max(1, Math.min(entries, size.tuples));
  const pages = size.pages > 1 && size.tuples > 1 ? Math.ceil((entries * size.pages) / size.tuples) : 1;
  let total: number;
  if (scans * loops > 1) total = (indexPagesFetched(pages * scans * loops, size.pages, root.totalTablePages + size.pages) * costs.randomPage) / loops;
  else total = pages * costs.randomPage;
  const operands = evalCost(used.map((m) => m.condition.value).filter((e) => e !== null));
  let startup = operands.startup + operands.perTuple;
  total += startup + entries * scans * (costs.cpuIndexTuple + costs.cpuOperator * (used.length + order.length));
  if (info.accessMethod === 'btree' || tree(info)) {
    const height = tree(info) ? (size.pages > 1 ? Math.floor(Math.log(size.pages) / Math.log(100)) : 0) : size.height;
    const descent = (size.tuples > 1 ? Math.ceil(Math.log2(size.tuples)) * costs.cpuOperator : 0) + (height + 1) * 50 * costs.cpuOperator;
    startup += descent;
    total += boundScans * descent;
  }
  const reads = lossy ? used.filter((m) => m.condition.strategy === 'lossy' || m.condition.strategy === '=') : boundaries(info, used);
  const conditions = reads.map((m) => m.condition);
  const extra = lossy || reads.some((m) => m.condition.unlike !== undefined) ? used : used.filter((m) => m.expr.kind === 'RowCompareExpr' || !reads.includes(m) || isCut(info, m.condition));
  const byRanges = info.accessMethod === 'brin' ? brinCost(root, rel, info, used, clauses, operands.startup + operands.perTuple, loops) : {};
  return {
    info, matches: used, clauses, outer, startup, total, selectivity, pages: size.pages, scanned: pages, ...byRanges,
    rows: outer === EMPTY ? rel.rows : paramPathInfo(root, rel, outer).rows,
    executable: (fix) => ({ conditions: conditions.map((c) => ({ ...c, value: c.value === null ? null : fix(c.value) })), extraquals: extra.map((m) => fix(m.expr)) }),
  };
}

const REVMAP_ITEMS = 1360, RANGE_PAGES = 128, TUPLES_PER_PAGE = 291, BLOOM_BITS = 9.585;

/** brincostestimate: whole ranges of the table are read, the fewer of them the better its rows stand in the order of a column. */
function brinCost(
  root: PlannerInfo, rel: RelOptInfo, info: IndexInfo, used: readonly Match[], clauses: readonly RestrictInfo[], operands: number, loops: number,
): Pick<IndexPathInfo, 'startup' | 'total' | 'selectivity' | 'pages'> {
  const given = classByOid(info.indexrelid)?.reloptions?.find((o) => o.startsWith('pages_per_range='));
  const perRange = given === undefined ? RANGE_PAGES : Number(given.slice(given.indexOf('=') + 1));
  const ranges = Math.max(Math.ceil(rel.pages / perRange), 1);
  let width = 8;
  for (const { typeOid, opfamily } of info.columns) {
    const { typlen } = typeInfo(typeOid), length = typlen > 0 ? typlen : 32, name = opfamilyByOid(opfamily)?.opfname ?? '';
    width += name.endsWith('_bloom_ops') ? 16 + Math.ceil((Math.max(16, 0.1 * TUPLES_PER_PAGE * perRange) * BLOOM_BITS) / 8) : length * (name.endsWith('_multi_ops') ? 32 : 2);
  }
  const maps = Math.ceil(ranges / REVMAP_ITEMS) - 1;
  const pages = maps + 2 + Math.ceil(ranges / Math.max(1, Math.floor(8168 / (Math.ceil(width / 8) * 8 + 4))));
  const correlation = used.reduce((most, m) => {
    const attnum = info.keyAttributes[m.condition.column - 1]!;
    return attnum > 0 ? Math.max(most, Math.abs(correlationOf(rel, attnum))) : most;
  }, 0);
  const least = Math.ceil(ranges * clauselistSelectivity(root, clauses));
  const read = correlation < 1e-10 ? ranges : Math.min(least / correlation, ranges);
  const startup = costs.seqPage * maps * loops + operands;
  return { startup, total: startup + costs.randomPage * (pages - maps) * loops + 0.1 * costs.cpuOperator * read * perRange, selectivity: Math.min(1, read / ranges), pages };
}

/** Keys of long values are in order only as far as their beginning tells. */
const isCut = (info: IndexInfo, { column, strategy }: IndexCondition): boolean => info.columns[column - 1]!.keyLimit !== null && /[<>]/.test(strategy);

/** A condition over the column as the index has it (fix_indexqual_operand). */
function overIndex(e: Expr): Expr {
  switch (e.kind) {
    case 'OpExpr': return { ...e, args: [stripRelabel(e.args[0]!), ...e.args.slice(1)] };
    case 'ScalarArrayOpExpr': return { ...e, args: [stripRelabel(e.args[0]), e.args[1]] };
    case 'NullTest': return { ...e, arg: stripRelabel(e.arg) };
    default: return e;
  }
}

/** create_index_path and cost_index. */
function makeIndexPath(root: PlannerInfo, rel: RelOptInfo, index: IndexPathInfo, pathkeys: PathKey[], backward: boolean, onlyIndex: boolean, order: readonly Expr[] = [], workers?: number): Path {
  const { info, clauses, matches } = index;
  const outer = index.outer | rel.lateralRelids;
  const param = outer === EMPTY ? null : paramPathInfo(root, rel, outer);
  // What the index's predicate says need not be asked of its rows, unless they may have to be looked at again (EvalPlanQual).
  const implied = info.predicate === null || root.parse.commandType !== 'select' || root.parse.rowMarks.length > 0 ? [] : makeAndsImplicit(forRelation(info.predicate, rel.rti));
  const rest = [...rel.restrictions, ...(param === null ? [] : withoutRepeated(param.clauses, clauses))].filter((r) => !clauses.includes(r) && !r.pseudoconstant
    && !(implied.length > 0 && predicateImpliedBy([r.clause], implied, false)));
  const rows = param === null ? rowsOfOne(rel.rows, workers) : param.rows;
  const fetched = clampRows(index.selectivity * rel.tuples);
  const loops = loopCount(root, rel, outer);
  const cached = root.totalTablePages + index.pages;
  const seen = onlyIndex ? 1 - rel.allVisible : 1;
  let least: number;
  let most: number;
  if (loops > 1) {
    most = (Math.ceil(indexPagesFetched(fetched * loops, rel.pages, cached) * seen) * costs.randomPage) / loops;
    least = (Math.ceil(indexPagesFetched(Math.ceil(index.selectivity * rel.pages) * loops, rel.pages, cached) * seen) * costs.randomPage) / loops;
  } else {
    most = Math.ceil(indexPagesFetched(fetched, rel.pages, cached) * seen) * costs.randomPage;
    const pages = Math.ceil(Math.ceil(index.selectivity * rel.pages) * seen);
    least = pages > 0 ? costs.randomPage + (pages - 1) * costs.seqPage : 0;
  }
  const attnum = info.keyAttributes[0]!;
  const correlation = (attnum > 0 && info.accessMethod === 'btree' ? correlationOf(rel, attnum) : 0) * (info.keyCount > 1 ? 0.75 : 1);
  const quals = qualEvalCost(rest);
  const startup = index.startup + quals.startup + (enabled.indexscan ? 0 : DISABLE_COST);
  const total = startup - index.startup + index.total + most + correlation * correlation * (least - most) + ((costs.cpuTuple + quals.perTuple) * fetched) / (workers === undefined ? 1 : parallelDivisor(workers));
  const kind = onlyIndex ? 'IndexOnlyScan' : 'IndexScan';
  const path: Path = {
    kind, rel, rows, startup, total, pathkeys, requiredOuter: outer, paramClauses: param === null ? [] : param.clauses, indexClauses: clauses,
    parallelSafe: rel.considerParallel, ...(workers === undefined ? {} : { parallelWorkers: workers }),
    make: () => {
      const fix = (e: Expr): Expr => (outer === EMPTY ? e : replaceNestloopParams(root, e));
      return {
        kind, ...planBase(path, targetOfRel(root, rel), orderedClauses(rest).map(fix)), scanrelid: rel.rti, indexid: info.indexrelid, ...index.executable(fix),
        indexqual: matches.map((m) => fix(onlyIndex ? overIndex(m.expr) : m.expr)), indexorderdir: backward ? 'backward' : 'forward', indexorderby: order.map(fix), ...(workers === undefined ? {} : { parallelAware: true }),
      };
    },
  };
  return path;
}
