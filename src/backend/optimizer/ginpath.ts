// Paths through inverted indexes: conditions whose operator is of the index's operator class, with a value that does not
// come from the table.
import { opFamilyEntry } from '../catalog/lsyscache.ts';
import type { IndexInfo } from '../catalog/relation.ts';
import type { GinCondition, GinScan } from '../nodes/plannodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { containsVolatile, equal, pullVarnos, stripRelabel } from './clauses.ts';
import { clampRows, costs, DISABLE_COST, exprCost, indexPagesFetched } from './costsize.ts';
import { addPath } from './pathnode.ts';
import { indexColumnExpr } from './pathkeys.ts';
import type { Path, PlannerInfo, RelOptInfo, RestrictInfo } from './pathnodes.ts';
import { orderedClauses, planBase } from './planbuild.ts';
import { EMPTY } from './relids.ts';
import { isSecurelyPromotable } from './restrictinfo.ts';
import { clauselistSelectivity } from './selfuncs.ts';
import { replaceNestloopParams, targetOfRel } from './nestparams.ts';
import { paramPathInfo } from './parampath.ts';
import { getBool } from '../utils/guc.ts';

interface Match { rinfo: RestrictInfo; condition: GinCondition }

function match(rel: RelOptInfo, info: IndexInfo, column: number, rinfo: RestrictInfo): Match | null {
  const { clause } = rinfo;
  if (rinfo.pseudoconstant || clause.kind !== 'OpExpr' || clause.args.length !== 2 || !isSecurelyPromotable(rinfo, rel)) return null;
  const [a, b] = clause.args as [Expr, Expr];
  if (!equal(stripRelabel(a), stripRelabel(indexColumnExpr(rel, info, column))) || pullVarnos(b) !== EMPTY || containsVolatile(b)) return null;
  const member = opFamilyEntry(clause.opno, info.columns[column]!.opfamily);
  return member === undefined ? null : { rinfo, condition: { column: column + 1, strategy: member.amopstrategy, value: b } };
}

/** Finds row ids that meet some of a list of conditions; the conditions must be tested again. */
export interface GinIndexInfo {
  info: IndexInfo; clauses: RestrictInfo[]; selectivity: number; total: number;
  executable: (fix: (e: Expr) => Expr) => Pick<GinScan, 'conditions' | 'indexqual'>;
}

export function ginIndex(root: PlannerInfo, rel: RelOptInfo, info: IndexInfo, list: readonly RestrictInfo[]): GinIndexInfo | null {
  const found: Match[] = [];
  for (let c = 0; c < info.keyCount; c++) for (const r of list) {
    const one = match(rel, info, c, r);
    if (one !== null) found.push(one);
  }
  if (found.length === 0) return null;
  const clauses = found.map((m) => m.rinfo), selectivity = clauselistSelectivity(root, clauses);
  return {
    info, clauses, selectivity, total: found.length * (costs.randomPage + 100 * costs.cpuOperator) + clampRows(selectivity * Math.max(rel.tuples, 1)) * costs.cpuIndexTuple,
    executable: (fix) => ({ conditions: found.map((m) => ({ ...m.condition, value: fix(m.condition.value) })), indexqual: clauses.map((r) => fix(r.clause)) }),
  };
}

export function createGinPath(root: PlannerInfo, rel: RelOptInfo, info: IndexInfo): void {
  const index = ginIndex(root, rel, info, rel.restrictions);
  if (index === null) return;
  const used = index.clauses;
  const fetched = clampRows(index.selectivity * Math.max(rel.tuples, 1));
  const param = rel.lateralRelids === EMPTY ? null : paramPathInfo(root, rel, rel.lateralRelids), paramClauses = param?.clauses ?? [];
  const rest = [...rel.restrictions, ...paramClauses].filter((r) => !used.includes(r) && !r.pseudoconstant);
  const qual = rest.reduce((c, r) => c + exprCost(r.clause), 0) + used.reduce((c, r) => c + exprCost(r.clause), 0);
  const pages = indexPagesFetched(fetched, rel.pages, root.totalTablePages);
  const startup = index.total + (getBool('enable_bitmapscan') ? 0 : DISABLE_COST);
  const total = startup + pages * costs.randomPage * 0.75 + fetched * (costs.cpuTuple + qual);
  const path: Path = {
    kind: 'GinScan', rel, rows: param?.rows ?? rel.rows, startup, total, pathkeys: [], requiredOuter: rel.lateralRelids, paramClauses, parallelSafe: rel.considerParallel,
    make: () => {
      const fix = (e: Expr): Expr => replaceNestloopParams(root, e);
      return {
        kind: 'GinScan', ...planBase(path, targetOfRel(root, rel), orderedClauses(rest).map(fix)), scanrelid: rel.rti, indexid: info.indexrelid,
        ...index.executable(fix),
      };
    },
  };
  addPath(rel, path);
}
