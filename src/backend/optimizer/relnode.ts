// Relations as the planner sees them: base relations with their statistics, joins with the columns they must carry.
import { foreignTableUnreachable } from '../catalog/foreign.ts';
import { openRelation } from '../catalog/relcache.ts';
import { isSearchable } from '../catalog/storage.ts';
import { internalError } from '../../common/errors.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import { columnWidth, estimateSize, typeWidth } from './plancat.ts';
import type { Path, PlannerInfo, Relids, RelOptInfo } from './pathnodes.ts';
import { FALSE } from './clauses.ts';
import { targetOfRel } from './nestparams.ts';
import { planBase } from './planbuild.ts';
import { bit, EMPTY, isSubset, overlaps } from './relids.ts';

export const NO_PATHS: readonly Path[] = [];

export function emptyRel(kind: RelOptInfo['kind'], relids: Relids): RelOptInfo {
  return {
    kind, relids, topRelids: relids, translators: [], parts: null, rows: 1, width: 0, columnWidths: new Map(), statistics: new Map(), target: [], paths: [], cheapestTotal: null, considerParallel: false, partialPaths: NO_PATHS, restrictions: [], joinClauses: [],
    hasEcJoins: false, rti: 0, rte: null, relation: null, indexes: [], pages: 0, tuples: 0, storedTuples: 0, allVisible: 1, considerStartup: false, considerParamStartup: false, paramInfos: new Map(), lateralRelids: EMPTY, directLateral: EMPTY, lateralVars: [], children: null, appendInfo: null, subroot: null,
    subplan: null, subplanParams: [], attrNeeded: new Map(),
  };
}

export function buildBaseRel(root: PlannerInfo, rti: number): RelOptInfo {
  const rte = root.rtable[rti - 1]!;
  const rel = emptyRel('base', bit(rti));
  rel.rti = rti;
  rel.rte = rte;
  rel.considerStartup = root.tupleFraction > 0;
  if (rte.rtekind === 'relation') {
    const relation = openRelation(rte.relid);
    if (relation.kind === 'f') throw foreignTableUnreachable(relation.oid);
    rel.relation = relation;
    // The newest first: it wins where two are as good as each other.
    rel.indexes = relation.indexes.filter((i) => i.valid && isSearchable(i.indexrelid, i.index.filenode)).reverse();
    const { tuples, pages, allVisible, storedTuples } = estimateSize(relation);
    rel.storedTuples = storedTuples;
    rel.tuples = tuples;
    rel.pages = pages;
    rel.allVisible = allVisible;
    root.totalTablePages += pages;
  }
  root.rels[rti] = rel;
  return rel;
}

/** mark_dummy_rel: there is nothing but the way to have no rows. */
export function markDummy(root: PlannerInfo, rel: RelOptInfo): void {
  const path: Path = {
    kind: 'Result', rel, rows: 0, startup: 0, total: 0, pathkeys: [], requiredOuter: rel.lateralRelids, paramClauses: [], parallelSafe: rel.considerParallel,
    make: () => ({ kind: 'Result', ...planBase(path, targetOfRel(root, rel)), resconstantqual: [FALSE] }),
  };
  rel.rows = 1;
  rel.paths = [path];
  rel.partialPaths = NO_PATHS;
  rel.cheapestTotal = path;
}
export const isDummy = ({ paths }: RelOptInfo): boolean => paths.length === 1 && paths[0]!.kind === 'Result' && paths[0]!.rows === 0;

export function baseRel(root: PlannerInfo, rti: number): RelOptInfo {
  const rel = root.rels[rti];
  if (rel === undefined) throw internalError(`no relation entry for relid ${rti}`);
  return rel;
}

/** The columns of two joined relations that something above the join needs, and what can be computed of them. */
export function joinTarget(root: PlannerInfo, relids: Relids, a: RelOptInfo, b: RelOptInfo): Expr[] {
  const target: Expr[] = [];
  for (const e of [...a.target, ...b.target]) {
    if (e.kind === 'PlaceHolderVar') continue;
    if (e.kind === 'Var') {
      const needed = root.rels[e.varno]?.attrNeeded.get(e.varattno)?.needed ?? 1n;
      if (isSubset(needed, relids)) continue;
    }
    target.push(e);
  }
  for (const { node, needed } of root.placeholders) if (isSubset(node.evalAt, relids) && !isSubset(needed, relids)) target.push(node);
  return target;
}

/** have_dangerous_phv: of what a placeholder is made of this outer side has a part, and what is around another: nobody can hand it in. */
export const wantsHalf = (root: PlannerInfo, outer: Relids, required: Relids): boolean =>
  root.placeholders.some(({ node: { evalAt } }) => isSubset(evalAt, required) && overlaps(evalAt, outer) && !isSubset(evalAt, outer));

export function targetWidth(root: PlannerInfo, target: readonly Expr[]): number {
  let width = 0;
  for (const e of target) {
    if (e.kind === 'Var' && e.varattno > 0) {
      const rel = root.rels[e.varno];
      const known = rel?.columnWidths.get(e.varattno);
      if (known !== undefined) {
        width += known;
        continue;
      }
      if (rel !== undefined && rel.relation !== null) {
        const own = columnWidth(rel.relation, e.varattno);
        rel.columnWidths.set(e.varattno, own);
        width += own;
        continue;
      }
    }
    width += typeWidth(exprType(e), e.kind === 'Var' ? e.vartypmod : -1);
  }
  return width;
}
