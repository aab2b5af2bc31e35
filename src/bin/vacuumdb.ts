#!/usr/bin/env node
// vacuumdb: VACUUM and ANALYZE from the shell, of several tables at once if one likes.
import type { Connection } from '../interfaces/libpq/connection.ts';
import { CONNECTION_HELP, MAINTENANCE_HELP, allDatabases, connect, defaultDatabase, executeQuery, quoteIdentifier, quoteLiteral, readClientArguments, readDatabaseName, say,
  secureSearchPath, splitTableColumns } from './client_program.ts';
import { INT_MAX, fail, integerOption, standardOptions } from './getopt.ts';
import { ParallelSlots } from './parallel_slots.ts';

const PROGRAM = 'vacuumdb';
standardOptions(PROGRAM, `vacuumdb cleans and analyzes a PostgreSQL database.

Usage:
  vacuumdb [OPTION]... [DBNAME]

Options:
  -a, --all                       vacuum all databases
  -d, --dbname=DBNAME             database to vacuum
      --disable-page-skipping     disable all page-skipping behavior
  -e, --echo                      show the commands being sent to the server
  -f, --full                      do full vacuuming
  -F, --freeze                    freeze row transaction information
      --force-index-cleanup       always remove index entries that point to dead tuples
  -j, --jobs=NUM                  use this many concurrent connections to vacuum
      --min-mxid-age=MXID_AGE     minimum multixact ID age of tables to vacuum
      --min-xid-age=XID_AGE       minimum transaction ID age of tables to vacuum
      --no-index-cleanup          don't remove index entries that point to dead tuples
      --no-process-toast          skip the TOAST table associated with the table to vacuum
      --no-truncate               don't truncate empty pages at the end of the table
  -P, --parallel=PARALLEL_WORKERS use this many background workers for vacuum, if available
  -q, --quiet                     don't write any messages
      --skip-locked               skip relations that cannot be immediately locked
  -t, --table='TABLE[(COLUMNS)]'  vacuum specific table(s) only
  -v, --verbose                   write a lot of output
  -V, --version                   output version information, then exit
  -z, --analyze                   update optimizer statistics
  -Z, --analyze-only              only update optimizer statistics; no vacuum
      --analyze-in-stages         only update optimizer statistics, in multiple
                                  stages for faster results; no vacuum
  -?, --help                      show this help, then exit

${CONNECTION_HELP}${MAINTENANCE_HELP}
Example:
  vacuumdb --analyze --table 'orders(customer, day)' shop
`);

const STAGES = [
  { command: 'SET default_statistics_target=1; SET vacuum_cost_delay=0;', message: 'Generating minimal optimizer statistics (1 target)' },
  { command: 'SET default_statistics_target=10; RESET vacuum_cost_delay;', message: 'Generating medium optimizer statistics (10 targets)' },
  { command: 'RESET default_statistics_target;', message: 'Generating default (full) optimizer statistics' },
] as const;
type Stage = (typeof STAGES)[number];

/** What only VACUUM does, in the order of complaints; since when servers know it. */
const VACUUM_ONLY = ['full', 'freeze', 'disable-page-skipping', 'no-index-cleanup', 'force-index-cleanup', 'no-truncate', 'no-process-toast'];
const SINCE: readonly (readonly [name: string, version: number, shown: string])[] = [['disable-page-skipping', 90600, '9.6'], ['no-index-cleanup', 120000, '12'], ['force-index-cleanup', 120000, '12'],
  ['no-truncate', 120000, '12'], ['no-process-toast', 140000, '14'], ['skip-locked', 120000, '12'], ['min-xid-age', 90600, '9.6'], ['min-mxid-age', 90600, '9.6'], ['parallel', 130000, '13']];

const age = (text: string): ReturnType<typeof integerOption> => integerOption(PROGRAM, `${text}=`, `--${text}`, 1, INT_MAX);
const program = readClientArguments(PROGRAM, ['quiet:q', 'dbname:d=', 'analyze:z', 'analyze-only:Z', 'freeze:F', 'all:a', 'table:t=', 'full:f', 'verbose:v', integerOption(PROGRAM, 'jobs:j=', '-j/--jobs', 1, INT_MAX),
  integerOption(PROGRAM, 'parallel:P=', '-P/--parallel', 0, INT_MAX), 'maintenance-db=', 'analyze-in-stages', 'disable-page-skipping', 'skip-locked', age('min-xid-age'), age('min-mxid-age'),
  'no-index-cleanup', 'force-index-cleanup', 'no-truncate', 'no-process-toast']);
const { given } = program, tables = program.all('table');
const inStages = given.has('analyze-in-stages'), analyzeOnly = inStages || given.has('analyze-only');
const jobs = Number(given.get('jobs') ?? 1);
const dbname = readDatabaseName(program);

if (analyzeOnly) {
  for (const name of [...VACUUM_ONLY, 'parallel']) if (given.has(name)) fail(PROGRAM, `cannot use the "${name}" option when performing only analyze`);
}
if (given.has('parallel') && given.has('full')) fail(PROGRAM, 'cannot use the "parallel" option when performing full vacuum');
if (given.has('no-index-cleanup') && given.has('force-index-cleanup')) fail(PROGRAM, 'cannot use the "no-index-cleanup" option with the "force-index-cleanup" option');

/** The command for a table of a server of this version. */
function command(connection: Connection, table: string): string {
  const { serverVersion } = connection, words: string[] = [];
  const add = (name: string, word: string): void => { if (given.has(name)) words.push(word); };
  if (!analyzeOnly) {
    add('disable-page-skipping', 'DISABLE_PAGE_SKIPPING');
    add('no-index-cleanup', 'INDEX_CLEANUP FALSE');
    add('force-index-cleanup', 'INDEX_CLEANUP TRUE');
    add('no-truncate', 'TRUNCATE FALSE');
    add('no-process-toast', 'PROCESS_TOAST FALSE');
  }
  add('skip-locked', 'SKIP_LOCKED');
  if (!analyzeOnly) {
    add('full', 'FULL');
    add('freeze', 'FREEZE');
  }
  add('verbose', 'VERBOSE');
  if (!analyzeOnly) {
    add('analyze', 'ANALYZE');
    if (given.has('parallel')) words.push(`PARALLEL ${Number(given.get('parallel'))}`);
  }
  const plain = serverVersion < (analyzeOnly ? 110_000 : 90_000);
  const options = words.length === 0 ? '' : plain ? ` ${words.join(' ')}` : ` (${words.join(', ')})`;
  return `${analyzeOnly ? 'ANALYZE' : 'VACUUM'}${options} ${table};`;
}

/** The tables meant, largest first: those named, or all; only those that are old enough. */
async function tablesToDo(connection: Connection): Promise<string[]> {
  const listed = tables.map((text) => {
    const { table, columns } = splitTableColumns(text);
    return `(${quoteLiteral(table)}::pg_catalog.regclass, ${columns === '' ? 'NULL' : quoteLiteral(columns)}::pg_catalog.text)`;
  });
  let sql = listed.length === 0 ? '' : `WITH listed_tables (table_oid, column_list) AS (\n  VALUES ${listed.join(',\n  ')}\n)\n`;
  sql += `SELECT c.relname, ns.nspname${listed.length > 0 ? ', listed_tables.column_list' : ''} FROM pg_catalog.pg_class c
 JOIN pg_catalog.pg_namespace ns ON c.relnamespace OPERATOR(pg_catalog.=) ns.oid
 LEFT JOIN pg_catalog.pg_class t ON c.reltoastrelid OPERATOR(pg_catalog.=) t.oid\n`;
  if (listed.length > 0) sql += ' JOIN listed_tables ON listed_tables.table_oid OPERATOR(pg_catalog.=) c.oid\n';
  sql += " WHERE c.relpersistence OPERATOR(pg_catalog.!=) 't'\n";
  if (listed.length === 0) sql += " AND c.relkind OPERATOR(pg_catalog.=) ANY (array['r', 'm'])\n";
  const older = (name: string, f: string, column: string, gap: string): void => {
    if (!given.has(name)) return;
    sql += ` AND GREATEST(pg_catalog.${f}(c.${column}), pg_catalog.${f}(t.${column}))${gap} OPERATOR(pg_catalog.>=) '${Number(given.get(name))}'::pg_catalog.int4\n`
      + ` AND c.${column} OPERATOR(pg_catalog.!=) '0'::pg_catalog.xid\n`;
  };
  older('min-xid-age', 'age', 'relfrozenxid', ' ');
  older('min-mxid-age', 'mxid_age', 'relminmxid', '');
  // Names are meant as the user's search_path has them.
  await executeQuery(program, connection, 'RESET search_path;');
  const rows = await executeQuery(program, connection, `${sql} ORDER BY c.relpages DESC;`);
  await secureSearchPath(program, connection);
  return rows.map(([name, schema, columns]) => `${quoteIdentifier(schema!)}.${quoteIdentifier(name!)}${columns ?? ''}`);
}

async function vacuumOne(stage: Stage | undefined, database: string, override?: string): Promise<void> {
  const connection = await connect(program, database, override);
  for (const [name, version, shown] of SINCE) {
    if (given.has(name) && connection.serverVersion < version) fail(PROGRAM, `cannot use the "${name}" option on server versions older than PostgreSQL ${shown}`);
  }
  if (!given.has('quiet')) say(stage === undefined ? `${PROGRAM}: vacuuming database "${connection.database}"\n` : `${PROGRAM}: processing database "${connection.database}": ${stage.message}\n`);
  const items = await tablesToDo(connection);
  if (items.length === 0) return connection.finish();
  const workers = Math.min(jobs, items.length, tables.length || Infinity);
  const slots = await ParallelSlots.open(program, connection, workers, () => connect(program, database, override), stage?.command);
  await slots.forEach(items, command);
}

const stages: readonly (Stage | undefined)[] = inStages ? STAGES : [undefined];
if (given.has('all')) {
  if (dbname !== undefined) fail(PROGRAM, 'cannot vacuum all databases and a specific one at the same time');
  if (tables.length > 0) fail(PROGRAM, 'cannot vacuum specific table(s) in all databases');
  const databases = await allDatabases(program);
  for (const stage of stages) for (const { dbname: maintenance, override } of databases) await vacuumOne(stage, maintenance, override);
} else for (const stage of stages) await vacuumOne(stage, dbname ?? defaultDatabase());
