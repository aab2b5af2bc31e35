#!/usr/bin/env node
// createuser: CREATE ROLE ... LOGIN from the shell. A password is sent as its SCRAM secret, never in clear text.
import { buildScramSecret } from '../common/scram.ts';
import { CONNECTION_HELP, accountName, connect, quoteIdentifier, quoteLiteral, readClientArguments, runStatement } from './client_program.ts';
import { fail, option, refuseRest, standardOptions } from './getopt.ts';
import { readLine, readPassword } from './prompt.ts';

const PROGRAM = 'createuser';
standardOptions(PROGRAM, `createuser creates a new PostgreSQL role.

Usage:
  createuser [OPTION]... [ROLENAME]

Options:
  -c, --connection-limit=N  connection limit for role (default: no limit)
  -d, --createdb            role can create new databases
  -D, --no-createdb         role cannot create databases (default)
  -e, --echo                show the commands being sent to the server
  -g, --role=ROLE           new role will be a member of this role
  -i, --inherit             role inherits privileges of roles it is a
                            member of (default)
  -I, --no-inherit          role does not inherit privileges
  -l, --login               role can login (default)
  -L, --no-login            role cannot login
  -P, --pwprompt            assign a password to new role
  -r, --createrole          role can create new roles
  -R, --no-createrole       role cannot create roles (default)
  -s, --superuser           role will be superuser
  -S, --no-superuser        role will not be superuser (default)
  -V, --version             output version information, then exit
  --interactive             prompt for missing role name and attributes rather
                            than using defaults
  --replication             role can initiate replication
  --no-replication          role cannot initiate replication
  -?, --help                show this help, then exit

${CONNECTION_HELP}
Example:
  createuser -P --createdb alice
`);

const program = readClientArguments(PROGRAM, [
  'connection-limit:c=', 'createdb:d', 'no-createdb:D', 'role:g=', 'inherit:i', 'no-inherit:I', 'login:l', 'no-login:L', 'pwprompt:P', 'createrole:r', 'no-createrole:R',
  'superuser:s', 'no-superuser:S', 'interactive', 'replication', 'no-replication',
].map(option));
const { given, rest } = program;
refuseRest(PROGRAM, rest, 1);
const limit = given.get('connection-limit');
if (limit !== undefined && !/^-?\d+$/.test(limit)) fail(PROGRAM, `invalid value "${limit}" for option -c/--connection-limit`);
const interactive = given.has('interactive');
const yes = async (question: string): Promise<boolean> => /^y/i.test(await readLine(`${question} (y/n) `));
/** Given either way, or asked for; null: the server's default. */
const flag = async (on: string, off: string, question: string | null): Promise<boolean | null> =>
  given.has(on) ? true : given.has(off) ? false : interactive && question !== null ? yes(question) : null;

const name = rest[0] ?? (interactive ? await readLine('Enter name of role to add: ') : process.env['PGUSER'] ?? accountName());
let password: string | null = null;
if (given.has('pwprompt')) {
  password = await readPassword('Enter password for new role: ');
  if (password !== await readPassword('Enter it again: ')) fail(PROGRAM, 'Passwords didn\'t match.');
}
const superuser = (await flag('superuser', 'no-superuser', 'Shall the new role be a superuser?')) ?? false;
const createdb = superuser || ((await flag('createdb', 'no-createdb', 'Shall the new role be allowed to create databases?')) ?? false);
const createrole = superuser || ((await flag('createrole', 'no-createrole', 'Shall the new role be allowed to create more new roles?')) ?? false);
const inherit = (await flag('inherit', 'no-inherit', null)) ?? true;
const login = (await flag('login', 'no-login', null)) ?? true;
const replication = await flag('replication', 'no-replication', null);

let sql = `CREATE ROLE ${quoteIdentifier(name)}`;
if (password !== null) sql += ` PASSWORD ${quoteLiteral(buildScramSecret(password))}`;
sql += superuser ? ' SUPERUSER' : ' NOSUPERUSER';
sql += createdb ? ' CREATEDB' : ' NOCREATEDB';
sql += createrole ? ' CREATEROLE' : ' NOCREATEROLE';
sql += inherit ? ' INHERIT' : ' NOINHERIT';
sql += login ? ' LOGIN' : ' NOLOGIN';
if (replication !== null) sql += replication ? ' REPLICATION' : ' NOREPLICATION';
if (limit !== undefined && Number(limit) >= -1) sql += ` CONNECTION LIMIT ${limit}`;
const roles = program.all('role');
if (roles.length > 0) sql += ` IN ROLE ${roles.map(quoteIdentifier).join(',')}`;
const connection = await connect(program, ['postgres', 'template1']);
await runStatement(program, connection, `${sql};`, 'creation of new role failed');
await connection.finish();
