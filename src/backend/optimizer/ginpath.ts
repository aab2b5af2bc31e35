// Paths through inverted indexes: conditions whose operator is of the index's operator class, with a value that does not
// come from the table.
import { ginQuery, type GinQuery } from '../access/gin.ts';
import { opFamilyEntry } from '../catalog/lsyscache.ts';
import type { IndexInfo } from '../catalog/relation.ts';
import { operator } from '../executor/fmgr_info.ts';
import type { GinCondition, GinScan } from '../nodes/plannodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { containsVolatile, equal, pullVarnos, stripRelabel } from './clauses.ts';
import { clampRows, costs } from './costsize.ts';
import { indexColumnExpr } from './pathkeys.ts';
import type { Path, PlannerInfo, RelOptInfo, RestrictInfo } from './pathnodes.ts';
import type { ElementStatistics } from './element_selectivity.ts';
import { columnStatistics, indexSize } from './plancat.ts';
import { orderedClauses, planBase } from './planbuild.ts';
import { EMPTY } from './relids.ts';
import { isSecurelyPromotable } from './restrictinfo.ts';
import { clauselistSelectivity } from './selfuncs.ts';
import { replaceNestloopParams, targetOfRel } from './nestparams.ts';
import { paramPathInfo } from './parampath.ts';

/** `expr`: the condition with the column on the left. */
interface Match { rinfo: RestrictInfo; expr: Expr; condition: GinCondition }

function match(rel: RelOptInfo, info: IndexInfo, column: number, rinfo: RestrictInfo): Match | null {
  const { clause } = rinfo;
  if (rinfo.pseudoconstant || clause.kind !== 'OpExpr' || clause.args.length !== 2 || !isSecurelyPromotable(rinfo, rel)) return null;
  const key = stripRelabel(indexColumnExpr(rel, info, column)), [left, right] = clause.args as [Expr, Expr], swapped = !equal(stripRelabel(left), key);
  const [a, b] = swapped ? [right, left] : [left, right];
  if ((swapped && !equal(stripRelabel(a), key)) || pullVarnos(b) !== EMPTY || containsVolatile(b)) return null;
  const opno = swapped ? operator(clause.opno).oprcom : clause.opno, member = opno === 0 ? undefined : opFamilyEntry(opno, info.columns[column]!.opfamily);
  if (member === undefined) return null;
  const expr: Expr = swapped ? { ...clause, opno, opfuncid: operator(opno).oprcode, args: [a, b] } : clause;
  return { rinfo, expr, condition: { column: column + 1, strategy: member.amopstrategy, value: b } };
}

/** Finds row ids that meet some of a list of conditions; the conditions must be tested again. */
export interface GinIndexInfo {
  info: IndexInfo; clauses: RestrictInfo[]; selectivity: number; rows: number; total: number;
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
    info, clauses, selectivity, rows: clampRows(selectivity * rel.tuples), total: indexCost(rel, info, found, selectivity),
    executable: (fix) => ({ conditions: found.map((m) => ({ ...m.condition, value: fix(m.condition.value) })), indexqual: found.map((m) => fix(m.expr)) }),
  };
}

/** Bytes of a row's number among many others with the same key; of a key itself; of a page for either. */
const POSTING_BYTES = 1.5, ENTRY_BYTES = 20, PAGE_BYTES = 7300;
/** Numbers of rows that take more go to pages of their own. */
const MAX_ENTRY_BYTES = 2000;
/** Keys on a page when nothing is known of them. */
const ENTRIES_PER_PAGE = 100, MIN_PAGES = 10;

/** What PostgreSQL's index would have: distinct keys, pages with them, and pages with numbers of rows. */
interface GinSize { entries: number; entryPages: number; dataPages: number }

function sizeOf(rel: RelOptInfo, info: IndexInfo): GinSize {
  const { oid } = rel.relation!, elements = info.keyAttributes.slice(0, info.keyCount).map((attnum) => (attnum > 0 ? columnStatistics(oid, attnum)?.elements ?? null : null));
  if (elements.includes(null)) {
    const pages = Math.max(MIN_PAGES, indexSize(rel.relation!, info, rel.tuples, rel.storedTuples).pages), entryPages = Math.floor(pages * 0.9);
    return { entries: entryPages * ENTRIES_PER_PAGE, entryPages, dataPages: pages - entryPages };
  }
  let entries = 0, entryBytes = 0, dataPages = 0;
  for (const { values, frequencies } of elements as ElementStatistics[]) {
    entries += values.length;
    for (let i = 0; i < values.length; i++) {
      const bytes = frequencies[i]! * rel.tuples * POSTING_BYTES;
      if (bytes > MAX_ENTRY_BYTES) dataPages += Math.ceil(bytes / PAGE_BYTES);
      entryBytes += ENTRY_BYTES + (bytes > MAX_ENTRY_BYTES ? 0 : bytes);
    }
  }
  return { entries: Math.max(1, entries), entryPages: Math.max(1, Math.ceil(entryBytes / PAGE_BYTES)), dataPages };
}

/** Keys that are looked for, and prefixes. */
interface Searches { exact: number; partial: number; everything: boolean; nothing: boolean }

/** gincost_pattern: a prefix is taken to be so many keys. */
const PARTIAL_ENTRIES = 100;

function addSearches(query: GinQuery, counts: Searches): void {
  if (query === 'all') counts.everything = true;
  else if (query === 'none') counts.nothing = true;
  else if ('key' in query) counts.exact++;
  else if ('prefix' in query) counts.partial++;
  else for (const part of 'and' in query ? query.and : query.or) addSearches(part, counts);
}

/** gincostestimate, for one search. */
function indexCost(rel: RelOptInfo, info: IndexInfo, found: readonly Match[], selectivity: number): number {
  const counts: Searches = { exact: 0, partial: 0, everything: false, nothing: false };
  const limited = new Set<number>(), whole = new Set<number>();
  for (const { condition: { column, strategy, value } } of found) {
    const constant = stripRelabel(value);
    const one: Searches = { exact: 0, partial: 0, everything: false, nothing: false };
    if (constant.kind === 'Const') addSearches(ginQuery(column - 1, info.columns[column - 1]!, strategy, constant.constvalue), one);
    else one.exact = 1;
    if (one.nothing) return 0;
    (one.everything ? whole : limited).add(column);
    counts.exact += one.exact;
    counts.partial += one.partial;
  }
  const { entries, entryPages, dataPages } = sizeOf(rel, info);
  let { exact, partial } = counts, searches = exact + partial;
  if ([...whole].some((column) => !limited.has(column))) [exact, partial, searches] = [entries, 0, entries];
  const share = Math.min(1, (partial * PARTIAL_ENTRIES) / entries);
  const descents = Math.ceil(searches * Math.round(entryPages ** 0.15)) + Math.ceil(entryPages * share) + Math.ceil(dataPages * share);
  const tuples = Math.max(rel.tuples, 1), ofRows = Math.ceil(selectivity * (tuples / (BLOCK_BYTES / 3)));
  const pages = descents + Math.max(Math.ceil((dataPages * exact) / entries), ofRows);
  return pages * costs.randomPage + tuples * selectivity * (costs.cpuIndexTuple + costs.cpuOperator * found.length);
}
const BLOCK_BYTES = 8192;

/** A scan of the rows that one index finds. */
export function ginScanPath(root: PlannerInfo, rel: RelOptInfo, index: GinIndexInfo, cost: { startup: number; total: number }): Path {
  const { info, clauses: used } = index;
  const param = rel.lateralRelids === EMPTY ? null : paramPathInfo(root, rel, rel.lateralRelids), paramClauses = param?.clauses ?? [];
  const rest = [...rel.restrictions, ...paramClauses].filter((r) => !used.includes(r) && !r.pseudoconstant);
  const path: Path = {
    kind: 'GinScan', rel, rows: param?.rows ?? rel.rows, ...cost, pathkeys: [], requiredOuter: rel.lateralRelids, paramClauses, parallelSafe: rel.considerParallel,
    make: () => {
      const fix = (e: Expr): Expr => replaceNestloopParams(root, e);
      return {
        kind: 'GinScan', ...planBase(path, targetOfRel(root, rel), orderedClauses(rest).map(fix)), scanrelid: rel.rti, indexid: info.indexrelid,
        ...index.executable(fix),
      };
    },
  };
  return path;
}
