#!/usr/bin/env node
// createuser: CREATE ROLE ... LOGIN from the shell. A password is sent as its secret, never in clear text.
import { Connection } from '../interfaces/libpq/connection.ts';
import { CONNECTION_HELP, accountName, connectMaintenance, quoteIdentifier, quoteLiteral, readClientArguments, runStatement } from './client_program.ts';
import { INT_MAX, integerOption, refuseRest, standardOptions } from './getopt.ts';
import { askYesNo, readLine, readPassword } from './prompt.ts';

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
  'role:g=', 'createdb:d', 'no-createdb:D', 'superuser:s', 'no-superuser:S', 'createrole:r', 'no-createrole:R', 'inherit:i', 'no-inherit:I', 'login:l', 'no-login:L', 'replication', 'no-replication',
  'interactive', integerOption(PROGRAM, 'connection-limit:c=', '-c/--connection-limit', -1, INT_MAX), 'pwprompt:P',
  // Of the days when there was a choice: passwords are never kept in clear.
  'encrypted:E',
]);
const { given, rest } = program;
refuseRest(PROGRAM, rest, 1);
const interactive = given.has('interactive');
/** The last of --name and --no-name; null: neither was given. */
const flag = (name: string): boolean | null => {
  const last = program.last(name, `no-${name}`);
  return last === undefined ? null : last === name;
};
const ask = async (question: string): Promise<boolean> => interactive && await askYesNo(question);

const name = rest[0] ?? (interactive ? await readLine('Enter name of role to add: ') : process.env['PGUSER'] ?? accountName());
let password: string | null = null;
if (given.has('pwprompt')) {
  password = await readPassword('Enter password for new role: ');
  if (password !== await readPassword('Enter it again: ')) {
    process.stderr.write("Passwords didn't match.\n");
    process.exit(1);
  }
}
const superuser = flag('superuser') ?? await ask('Shall the new role be a superuser?');
const createdb = superuser || (flag('createdb') ?? await ask('Shall the new role be allowed to create databases?'));
const createrole = superuser || (flag('createrole') ?? await ask('Shall the new role be allowed to create more new roles?'));
const replication = flag('replication');

const connection = await connectMaintenance(program);
let sql = `CREATE ROLE ${quoteIdentifier(name)}`;
if (password !== null) {
  const [method] = (await connection.exec('show password_encryption', { rowMode: 'text' }))[0]!.rows[0]!;
  sql += ` PASSWORD ${quoteLiteral(Connection.encryptPassword(password, name, method === 'md5' ? 'md5' : 'scram-sha-256'))}`;
}
sql += superuser ? ' SUPERUSER' : ' NOSUPERUSER';
sql += createdb ? ' CREATEDB' : ' NOCREATEDB';
sql += createrole ? ' CREATEROLE' : ' NOCREATEROLE';
sql += flag('inherit') ?? true ? ' INHERIT' : ' NOINHERIT';
sql += flag('login') ?? true ? ' LOGIN' : ' NOLOGIN';
if (replication !== null) sql += replication ? ' REPLICATION' : ' NOREPLICATION';
if (given.has('connection-limit')) sql += ` CONNECTION LIMIT ${Number(given.get('connection-limit'))}`;
const roles = program.all('role');
if (roles.length > 0) sql += ` IN ROLE ${roles.map(quoteIdentifier).join(',')}`;
await runStatement(program, connection, `${sql};`, 'creation of new role failed');
await connection.finish();
