#!/usr/bin/env node
// clusterdb: CLUSTER from the shell.
import { CONNECTION_HELP, MAINTENANCE_HELP, allDatabases, connect, defaultDatabase, qualifiedRelation, readClientArguments, readDatabaseName, runMaintenance, say } from './client_program.ts';
import { fail, standardOptions } from './getopt.ts';

const PROGRAM = 'clusterdb';
standardOptions(PROGRAM, `clusterdb clusters all previously clustered tables in a database.

Usage:
  clusterdb [OPTION]... [DBNAME]

Options:
  -a, --all                 cluster all databases
  -d, --dbname=DBNAME       database to cluster
  -e, --echo                show the commands being sent to the server
  -q, --quiet               don't write any messages
  -t, --table=TABLE         cluster specific table(s) only
  -v, --verbose             write a lot of output
  -V, --version             output version information, then exit
  -?, --help                show this help, then exit

${CONNECTION_HELP}${MAINTENANCE_HELP}
Example:
  clusterdb --table orders shop
`);

const program = readClientArguments(PROGRAM, ['quiet:q', 'dbname:d=', 'all:a', 'table:t=', 'verbose:v', 'maintenance-db=']);
const { given } = program, tables = program.all('table');
const dbname = readDatabaseName(program);

async function clusterOne(database: string, override?: string, table?: string): Promise<void> {
  const connection = await connect(program, database, override);
  const relation = table === undefined ? '' : ` ${await qualifiedRelation(program, connection, table)}`;
  await runMaintenance(program, connection, `CLUSTER${given.has('verbose') ? ' VERBOSE' : ''}${relation};`,
    `clustering of ${table === undefined ? '' : `table "${table}" in `}database "${connection.database}" failed`);
  await connection.finish();
}

if (given.has('all')) {
  if (dbname !== undefined) fail(PROGRAM, 'cannot cluster all databases and a specific one at the same time');
  if (tables.length > 0) fail(PROGRAM, 'cannot cluster specific table(s) in all databases');
  for (const { dbname: maintenance, override } of await allDatabases(program)) {
    if (!given.has('quiet')) say(`${PROGRAM}: clustering database "${override}"\n`);
    await clusterOne(maintenance, override);
  }
} else {
  const database = dbname ?? defaultDatabase();
  for (const table of tables.length > 0 ? tables : [undefined]) await clusterOne(database, undefined, table);
}
