#!/usr/bin/env node
// dropuser: DROP ROLE from the shell.
import { CONNECTION_HELP, connectMaintenance, quoteIdentifier, readClientArguments, runStatement, say } from './client_program.ts';
import { fail, refuseRest, standardOptions, tryHelp } from './getopt.ts';
import { askYesNo, readLine } from './prompt.ts';

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

const program = readClientArguments(PROGRAM, ['interactive:i', 'if-exists']);
const { given, rest } = program;
refuseRest(PROGRAM, rest, 1);
const interactive = given.has('interactive');
const name = rest[0] ?? (interactive ? await readLine('Enter name of role to drop: ') : fail(PROGRAM, 'missing required argument role name', tryHelp(PROGRAM)));
if (interactive) {
  say(`Role "${name}" will be permanently removed.\n`);
  if (!await askYesNo('Are you sure?')) process.exit(0);
}
const connection = await connectMaintenance(program);
await runStatement(program, connection, `DROP ROLE ${given.has('if-exists') ? 'IF EXISTS ' : ''}${quoteIdentifier(name)};`, `removal of role "${name}" failed`);
await connection.finish();
