#!/usr/bin/env node
// reindexdb: REINDEX from the shell, of several tables at once if one likes.
import type { Connection } from '../interfaces/libpq/connection.ts';
import { CONNECTION_HELP, MAINTENANCE_HELP, allDatabases, connect, defaultDatabase, executeQuery, qualifiedRelation, quoteIdentifier, quoteLiteral, readClientArguments,
  readDatabaseName, runMaintenance, say } from './client_program.ts';
import { INT_MAX, complain, fail, integerOption, standardOptions } from './getopt.ts';
import { ParallelSlots } from './parallel_slots.ts';

const PROGRAM = 'reindexdb';
standardOptions(PROGRAM, `reindexdb reindexes a PostgreSQL database.

Usage:
  reindexdb [OPTION]... [DBNAME]

Options:
  -a, --all                    reindex all databases
      --concurrently           reindex concurrently
  -d, --dbname=DBNAME          database to reindex
  -e, --echo                   show the commands being sent to the server
  -i, --index=INDEX            recreate specific index(es) only
  -j, --jobs=NUM               use this many concurrent connections to reindex
  -q, --quiet                  don't write any messages
  -s, --system                 reindex system catalogs only
  -S, --schema=SCHEMA          reindex specific schema(s) only
  -t, --table=TABLE            reindex specific table(s) only
      --tablespace=TABLESPACE  tablespace where indexes are rebuilt
  -v, --verbose                write a lot of output
  -V, --version                output version information, then exit
  -?, --help                   show this help, then exit

${CONNECTION_HELP}${MAINTENANCE_HELP}
Example:
  reindexdb -j 4 --schema sales shop
`);

type Kind = 'DATABASE' | 'SYSTEM' | 'SCHEMA' | 'INDEX' | 'TABLE';

const program = readClientArguments(PROGRAM, ['quiet:q', 'schema:S=', 'dbname:d=', 'all:a', 'system:s', 'table:t=', 'index:i=', integerOption(PROGRAM, 'jobs:j=', '-j/--jobs', 1, INT_MAX),
  'verbose:v', 'concurrently', 'maintenance-db=', 'tablespace=']);
const { given } = program;
const schemas = program.all('schema'), tables = program.all('table'), indexes = program.all('index'), jobs = Number(given.get('jobs') ?? 1);
const dbname = readDatabaseName(program);

/** The words before and after the kind of thing: options, CONCURRENTLY. */
async function command(connection: Connection, kind: Kind, name: string): Promise<string> {
  const options = [...(given.has('verbose') ? ['VERBOSE'] : []), ...(given.has('tablespace') ? [`TABLESPACE ${quoteIdentifier(given.get('tablespace')!)}`] : [])];
  const object = kind === 'DATABASE' || kind === 'SYSTEM' ? quoteIdentifier(name) : kind === 'SCHEMA' ? name : await qualifiedRelation(program, connection, name);
  return `REINDEX ${options.length > 0 ? `(${options.join(', ')}) ` : ''}${kind} ${given.has('concurrently') ? 'CONCURRENTLY ' : ''}${object};`;
}

/** Tables of the database (but the catalogs), or of the schemas, the largest first. */
async function tablesOf(connection: Connection, kind: 'DATABASE' | 'SCHEMA'): Promise<string[]> {
  const where = kind === 'DATABASE' ? "ns.nspname != 'pg_catalog'\n   AND c.relkind IN ('r', 'm')\n   AND c.relpersistence != 't'\n"
    : `c.relkind IN ('r', 'm')\n   AND c.relpersistence != 't'\n AND ns.nspname IN (${schemas.map(quoteLiteral).join(', ')})\n`;
  const rows = await executeQuery(program, connection,
    `SELECT c.relname, ns.nspname\n FROM pg_catalog.pg_class c\n JOIN pg_catalog.pg_namespace ns ON c.relnamespace = ns.oid\n WHERE ${where} ORDER BY c.relpages DESC;`);
  return rows.map(([name, schema]) => `${quoteIdentifier(schema!)}.${quoteIdentifier(name!)}`);
}

async function reindexOne(kind: Kind, names: readonly string[] | null, workers: number, database: string, override?: string): Promise<void> {
  const connection = await connect(program, database, override);
  for (const [name, since] of [['concurrently', 12], ['tablespace', 14]] as const) {
    if (given.has(name) && connection.serverVersion < since * 10_000) fail(PROGRAM, `cannot use the "${name}" option on server versions older than PostgreSQL ${since}`);
  }
  let items = names ?? [connection.database], each = kind;
  if (workers > 1 && (kind === 'DATABASE' || kind === 'SCHEMA')) {
    // Catalogs cannot be done side by side: first they, then the rest table by table.
    if (kind === 'DATABASE') {
      if (given.has('concurrently')) complain(PROGRAM, 'cannot reindex system catalogs concurrently, skipping all', 'warning');
      else await runMaintenance(program, connection, await command(connection, 'SYSTEM', connection.database), `reindexing of system catalogs in database "${connection.database}" failed`);
    }
    items = await tablesOf(connection, kind);
    each = 'TABLE';
    if (items.length === 0) return connection.finish();
  }
  const slots = await ParallelSlots.open(program, connection, Math.min(workers, items.length), () => connect(program, database, override));
  await slots.forEach(items, (c, name) => command(c, each, name));
}

if (given.has('all')) {
  if (dbname !== undefined) fail(PROGRAM, 'cannot reindex all databases and a specific one at the same time');
  if (given.has('system')) fail(PROGRAM, 'cannot reindex all databases and system catalogs at the same time');
  if (schemas.length > 0) fail(PROGRAM, 'cannot reindex specific schema(s) in all databases');
  if (tables.length > 0) fail(PROGRAM, 'cannot reindex specific table(s) in all databases');
  if (indexes.length > 0) fail(PROGRAM, 'cannot reindex specific index(es) in all databases');
  for (const { dbname: maintenance, override } of await allDatabases(program)) {
    if (!given.has('quiet')) say(`${PROGRAM}: reindexing database "${override}"\n`);
    await reindexOne('DATABASE', null, jobs, maintenance, override);
  }
} else if (given.has('system')) {
  if (schemas.length > 0) fail(PROGRAM, 'cannot reindex specific schema(s) and system catalogs at the same time');
  if (tables.length > 0) fail(PROGRAM, 'cannot reindex specific table(s) and system catalogs at the same time');
  if (indexes.length > 0) fail(PROGRAM, 'cannot reindex specific index(es) and system catalogs at the same time');
  if (jobs > 1) fail(PROGRAM, 'cannot use multiple jobs to reindex system catalogs');
  await reindexOne('SYSTEM', null, 1, dbname ?? defaultDatabase());
} else {
  // Two indexes of one table would wait for each other.
  if (jobs > 1 && indexes.length > 0) fail(PROGRAM, 'cannot use multiple jobs to reindex indexes');
  const database = dbname ?? defaultDatabase();
  if (schemas.length > 0) await reindexOne('SCHEMA', schemas, jobs, database);
  if (indexes.length > 0) await reindexOne('INDEX', indexes, 1, database);
  if (tables.length > 0) await reindexOne('TABLE', tables, jobs, database);
  if (schemas.length + indexes.length + tables.length === 0) await reindexOne('DATABASE', null, jobs, database);
}
