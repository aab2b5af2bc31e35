#!/usr/bin/env node
// dropdb: DROP DATABASE from the shell.
import { CONNECTION_HELP, connect, quoteIdentifier, readClientArguments, runStatement } from './client_program.ts';
import { fail, option, refuseRest, standardOptions, tryHelp } from './getopt.ts';
import { readLine } from './prompt.ts';

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

${CONNECTION_HELP}  --maintenance-db=DBNAME   alternate maintenance database

Example:
  dropdb --if-exists shop
`);

const program = readClientArguments(PROGRAM, ['force:f', 'interactive:i', 'if-exists', 'maintenance-db='].map(option));
const { given, rest } = program;
const name = rest[0] ?? fail(PROGRAM, 'missing required argument database name', tryHelp(PROGRAM));
refuseRest(PROGRAM, rest, 1);
if (given.has('interactive')) {
  process.stdout.write(`Database "${name}" will be permanently removed.\n`);
  if (!/^y/i.test(await readLine('Are you sure? (y/n) '))) process.exit(0);
}
const connection = await connect(program, given.has('maintenance-db') ? [given.get('maintenance-db')!] : name === 'postgres' ? ['template1'] : ['postgres', 'template1']);
await runStatement(program, connection, `DROP DATABASE ${given.has('if-exists') ? 'IF EXISTS ' : ''}${quoteIdentifier(name)}${given.has('force') ? ' WITH (FORCE)' : ''};`, 'database removal failed');
await connection.finish();
