#!/usr/bin/env node
// dropuser: DROP ROLE from the shell.
import { CONNECTION_HELP, connect, quoteIdentifier, readClientArguments, runStatement } from './client_program.ts';
import { fail, option, refuseRest, standardOptions, tryHelp } from './getopt.ts';
import { readLine } from './prompt.ts';

const PROGRAM = 'dropuser';
standardOptions(PROGRAM, `dropuser removes a PostgreSQL role.

Usage:
  dropuser [OPTION]... [ROLENAME]

Options:
  -e, --echo                show the commands being sent to the server
  -i, --interactive         prompt before deleting anything, and prompt for
                            role name if not specified
  -V, --version             output version information, then exit
  --if-exists               don't report error if user doesn't exist
  -?, --help                show this help, then exit

${CONNECTION_HELP}
Example:
  dropuser --if-exists alice
`);

const program = readClientArguments(PROGRAM, ['interactive:i', 'if-exists'].map(option));
const { given, rest } = program;
refuseRest(PROGRAM, rest, 1);
const interactive = given.has('interactive');
const name = rest[0] ?? (interactive ? await readLine('Enter name of role to drop: ') : fail(PROGRAM, 'missing required argument role name', tryHelp(PROGRAM)));
if (interactive) {
  process.stdout.write(`Role "${name}" will be permanently removed.\n`);
  if (!/^y/i.test(await readLine('Are you sure? (y/n) '))) process.exit(0);
}
const connection = await connect(program, ['postgres', 'template1']);
await runStatement(program, connection, `DROP ROLE ${given.has('if-exists') ? 'IF EXISTS ' : ''}${quoteIdentifier(name)};`, `removal of role "${name}" failed`);
await connection.finish();
