// VACUUM, ANALYZE (PostgreSQL's vacuum.c). There are no dead row versions, so
// VACUUM has nothing to reclaim: it counts rows and blocks for the planner.
import { PgError } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import { asOwner } from '../catalog/acl.ts';
import { foreignTableUnreachable } from '../catalog/foreign.ts';
import { objectOwnercheck } from '../catalog/aclchk.ts';
import { catalogScanAll, catalogUpdateByKey } from '../catalog/indexing.ts';
import { getNamespaceName } from '../catalog/lsyscache.ts';
import { isOtherTemp, rangeVarGetRelid } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation, tryOpenRelation } from '../catalog/relcache.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { preventInTransactionBlock, type UtilityContext, type UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement, commitAndGoOn, inTransactionBlock } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { reportMaintenance } from '../utils/pgstat.ts';
import { session } from '../utils/session.ts';
import { undefinedColumn } from './alter_common.ts';
import { analyzeTable, analyzeTree, sampleRows, type Sample } from './analyze.ts';
import { storeCounts, updateCounts } from './relation_counts.ts';
import { readFlags, report, rusage, usageSince, type OptionReaders, type Usage } from './maintenance.ts';
import { allChildren } from './tablecmds.ts';

const SHARE_UPDATE_EXCLUSIVE_LOCK = 4;

// ---- VACUUM, ANALYZE

const VACUUM_OPTIONS = ['full', 'freeze', 'verbose', 'analyze', 'disable_page_skipping', 'index_cleanup', 'process_toast', 'truncate', 'parallel', 'skip_locked'];
const ANALYZE_OPTIONS = ['verbose', 'skip_locked'];

const MAX_PARALLEL_WORKERS = 1024;
/** Options whose values are no plain Booleans. */
const OPTION_VALUES: OptionReaders = {
  index_cleanup: ({ arg }) => (typeof arg === 'string' && arg.toLowerCase() === 'auto') || undefined,
  parallel: ({ arg }, refuse) => {
    if (arg === undefined) throw refuse(`parallel option requires a value between 0 and ${MAX_PARALLEL_WORKERS}`);
    if (typeof arg !== 'number') throw new PgError('syntax_error', 'parallel requires an integer value');
    if (arg < 0 || arg > MAX_PARALLEL_WORKERS) throw refuse(`parallel workers for vacuum must be between 0 and ${MAX_PARALLEL_WORKERS}`);
    return arg > 0;
  },
};

/** An expression that is evaluated may call a function that would begin again. */
let running = false;

function vacuum(stmt: RawNode, context: UtilityContext): void {
  const isVacuum = Boolean(stmt['is_vacuumcmd']);
  const options = readFlags((stmt['options'] ?? []) as RawNode[], isVacuum ? VACUUM_OPTIONS : ANALYZE_OPTIONS, isVacuum ? 'VACUUM' : 'ANALYZE', context.text, OPTION_VALUES);
  const analyze = !isVacuum || options.has('analyze');
  const verbose = options.has('verbose');
  const list = (stmt['rels'] ?? []) as RawNode[];
  if (isVacuum && !analyze && list.some((r) => r['va_cols'] !== undefined)) throw new PgError('feature_not_supported', 'ANALYZE option must be specified when a column list is provided');
  const full = options.has('full');
  if (full && options.has('parallel')) throw new PgError('feature_not_supported', 'VACUUM FULL cannot be performed in parallel');
  if (isVacuum) preventInTransactionBlock(context, 'VACUUM');
  if (full && options.has('disable_page_skipping')) throw new PgError('feature_not_supported', 'VACUUM option DISABLE_PAGE_SKIPPING cannot be used with FULL');
  if (full && options.get('process_toast') === null) throw new PgError('feature_not_supported', 'PROCESS_TOAST required with VACUUM FULL');
  const targets: Target[] = list.length > 0
    ? list.map((r) => ({ oid: rangeVarGetRelid(r['relation']), columns: (r['va_cols'] as string[] | undefined) ?? null, name: (r['relation'] as RawNode)['relname'] as string }))
    : catalogScanAll(ids.RelationRelationId).filter((r) => (r.relkind === 'r' || r.relkind === 'm') && r.oid >= 16384 && objectOwnercheck(ids.RelationRelationId, r.oid, session.currentUser))
      .map((r) => ({ oid: r.oid, columns: null, name: null }));
  // Partitions go with the partitioned table.
  const all = targets.flatMap((t) => (openRelation(t.oid).kind === 'p' ? [t, ...allChildren(t.oid).map((oid) => ({ oid, columns: t.columns, name: null }))] : [t]));
  if (running) throw new PgError('feature_not_supported', `${isVacuum ? 'VACUUM' : 'ANALYZE'} cannot be executed from VACUUM or ANALYZE`);
  running = true;
  try {
    const ownTransactions = isVacuum || (all.length > 1 && !inTransactionBlock(context.topLevel));
    for (const [i, target] of all.entries()) {
      if (i > 0 && ownTransactions) commitAndGoOn();
      processTable(target, { isVacuum, analyze, verbose, full, skipLocked: options.has('skip_locked') });
    }
  } finally {
    running = false;
  }
}

/** `name`: as the command has it. Those that nobody named are passed by in silence when they can't be locked, or are gone. */
interface Target { oid: Oid; columns: string[] | null; name: string | null }
interface How { isVacuum: boolean; analyze: boolean; verbose: boolean; full: boolean; skipLocked: boolean }

function processTable({ oid, columns, name }: Target, { isVacuum, analyze, verbose, full, skipLocked }: How): void {
  const verb = isVacuum ? 'vacuum' : 'analyze';
  const skip = (what: 'relation no longer exists' | 'lock not available'): void => {
    const condition = what === 'lock not available' ? 'lock_not_available' : 'undefined_table';
    if (name !== null) report('WARNING', `skipping ${verb} of "${name}" --- ${what}`, undefined, condition);
  };
  const relation = tryOpenRelation(oid);
  if (relation === undefined) return skip('relation no longer exists');
  if (!objectOwnercheck(ids.RelationRelationId, oid, session.currentUser)) {
    const who = relation.shared ? 'only superuser' : relation.namespace === ids.PG_CATALOG_NAMESPACE ? 'only superuser or database owner' : 'only table or database owner';
    return report('WARNING', `skipping "${relation.name}" --- ${who} can ${verb} it`);
  }
  if (relation.kind === 'p') {
    if (!analyze) return;
    if (!lockTable(oid, relation.name, relation.shared, SHARE_UPDATE_EXCLUSIVE_LOCK, skipLocked ? 'skip' : 'block').granted) return skip('lock not available');
    const table = tryOpenRelation(oid);
    if (table === undefined) return skip('relation no longer exists');
    if (verbose) report('INFO', `analyzing "${getNamespaceName(relation.namespace)}.${relation.name}" inheritance tree`);
    const numbers = columns === null ? null : columnNumbers(table, columns);
    updateCounts(oid, asOwner(table.owner, () => analyzeTree(table, numbers)), -1);
    reportMaintenance('analyze', oid, 0);
    commandCounterIncrement();
    if (table.hasSubclass && allChildren(oid).length === 0) catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [oid], { relhassubclass: false });
    commandCounterIncrement();
    return;
  }
  if (relation.kind === 'f' && !isVacuum) throw foreignTableUnreachable(oid);
  if (relation.kind !== 'r' && relation.kind !== 'm') {
    return report('WARNING', isVacuum ? `skipping "${relation.name}" --- cannot vacuum non-tables or special system tables` : `skipping "${relation.name}" --- cannot analyze non-tables or special system tables`);
  }
  if (isOtherTemp(relation)) return;
  const { granted } = lockTable(oid, relation.name, relation.shared, SHARE_UPDATE_EXCLUSIVE_LOCK, skipLocked ? 'skip' : 'block');
  if (!granted) return skip('lock not available');
  const table = tryOpenRelation(oid);
  if (table === undefined) return skip('relation no longer exists');
  const named = `${getNamespaceName(table.namespace)}.${table.name}`;
  const began = rusage();
  if (verbose && isVacuum) report('INFO', full ? `vacuuming "${named}"` : `vacuuming "${session.databaseName}.${named}"`);
  if (verbose && full) {
    const { totalRows, blocks } = sampleRows(table, 0);
    reportRewrite(named, totalRows, blocks, began);
  }
  let sample: Sample;
  if (analyze) {
    if (verbose) report('INFO', `analyzing "${named}"`);
    const numbers = columns === null ? null : columnNumbers(table, columns);
    // With the rights of its owner: expressions are evaluated.
    sample = asOwner(table.owner, () => analyzeTable(table, numbers));
    if (table.hasSubclass && allChildren(oid).length > 0) asOwner(table.owner, () => analyzeTree(table, numbers));
    else if (table.hasSubclass) catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [oid], { relhassubclass: false });
    if (verbose) {
      report('INFO', `"${table.name}": scanned ${sample.blocks} of ${sample.blocks} pages, containing ${sample.totalRows} live rows and 0 dead rows; ${sample.rows.length} rows in sample, ${sample.totalRows} estimated total rows`);
    }
  } else sample = sampleRows(table, 0);
  storeCounts(table, sample, isVacuum);
  if (isVacuum) reportMaintenance('vacuum', oid, sample.totalRows);
  if (analyze) reportMaintenance('analyze', oid, sample.totalRows);
}

/** "found ... row versions", as what writes a table anew says it. */
export function reportRewrite(name: string, rows: number, blocks: number, began: Usage): void {
  report('INFO', `"${name}": found 0 removable, ${rows} nonremovable row versions in ${blocks} pages`, `0 dead row versions cannot be removed yet.\n${usageSince(began)}.`);
}

function columnNumbers(table: Relation, names: readonly string[]): number[] {
  const numbers = names.map((name) => {
    const column = table.attributes.find((a) => a.attname === name && !a.attisdropped);
    if (column === undefined) throw undefinedColumn(table, name);
    return column.attnum;
  });
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new PgError('duplicate_column', `column "${twice}" of relation "${table.name}" appears more than once`);
  return numbers;
}

export const VACUUM_COMMANDS: UtilityTable = { VacuumStmt: { run: vacuum } };
