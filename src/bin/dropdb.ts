#!/usr/bin/env node
// dropdb: DROP DATABASE from the shell.
import { CONNECTION_HELP, MAINTENANCE_HELP, connectMaintenance, quoteIdentifier, readClientArguments, runStatement, say } from './client_program.ts';
import { fail, refuseRest, standardOptions, tryHelp } from './getopt.ts';
import { askYesNo } from './prompt.ts';

const PROGRAM = 'dropdb';
standardOptions(PROGRAM, `dropdb removes a PostgreSQL database.

Usage:
  dropdb [OPTION]... DBNAME

Options:
  -e, --echo                show the commands being sent to the server
  -f, --force               try to terminate other connections before dropping
  -i, --interactive         prompt before deleting anything
  -V, --version             output version information, then exit
  --if-exists               don't report error if database doesn't exist
  -?, --help                show this help, then exit

${CONNECTION_HELP}${MAINTENANCE_HELP}
Example:
  dropdb --if-exists shop
`);

const program = readClientArguments(PROGRAM, ['interactive:i', 'if-exists', 'maintenance-db=', 'force:f']);
const { given, rest } = program;
const name = rest[0] ?? fail(PROGRAM, 'missing required argument database name', tryHelp(PROGRAM));
refuseRest(PROGRAM, rest, 1);
if (given.has('interactive')) {
  say(`Database "${name}" will be permanently removed.\n`);
  if (!await askYesNo('Are you sure?')) process.exit(0);
}
const sql = `DROP DATABASE ${given.has('if-exists') ? 'IF EXISTS ' : ''}${quoteIdentifier(name)}${given.has('force') ? ' WITH (FORCE)' : ''};`;
const connection = await connectMaintenance(program, given.get('maintenance-db') ?? (name === 'postgres' ? 'template1' : undefined));
await runStatement(program, connection, sql, 'database removal failed');
await connection.finish();
