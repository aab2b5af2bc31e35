#!/usr/bin/env node
// createdb: CREATE DATABASE from the shell.
import { charToEncoding } from '../common/encoding.ts';
import { CONNECTION_HELP, MAINTENANCE_HELP, connectMaintenance, defaultDatabase, quoteIdentifier, quoteLiteral, readClientArguments, runStatement } from './client_program.ts';
import { fail, refuseRest, standardOptions } from './getopt.ts';

const PROGRAM = 'createdb';
standardOptions(PROGRAM, `createdb creates a PostgreSQL database.

Usage:
  createdb [OPTION]... [DBNAME] [DESCRIPTION]

Options:
  -D, --tablespace=TABLESPACE  default tablespace for the database
  -e, --echo                   show the commands being sent to the server
  -E, --encoding=ENCODING      encoding for the database
  -l, --locale=LOCALE          locale settings for the database
      --lc-collate=LOCALE      LC_COLLATE setting for the database
      --lc-ctype=LOCALE        LC_CTYPE setting for the database
      --icu-locale=LOCALE      ICU locale setting for the database
      --locale-provider={libc|icu}
                               locale provider for the database's default collation
  -O, --owner=OWNER            database user to own the new database
  -S, --strategy=STRATEGY      database creation strategy wal_log or file_copy
  -T, --template=TEMPLATE      template database to copy
  -V, --version                output version information, then exit
  -?, --help                   show this help, then exit

${CONNECTION_HELP}${MAINTENANCE_HELP}
By default, a database with the same name as the current user is created.

Example:
  createdb -O alice shop "orders and stock"
`);

const program = readClientArguments(PROGRAM, ['owner:O=', 'tablespace:D=', 'template:T=', 'encoding:E=', 'strategy:S=', 'lc-collate=', 'lc-ctype=', 'locale:l=', 'maintenance-db=', 'locale-provider=', 'icu-locale=']);
const { given, rest } = program;
refuseRest(PROGRAM, rest, 2);
const encoding = given.get('encoding');
if (encoding !== undefined && charToEncoding(encoding) < 0) fail(PROGRAM, `"${encoding}" is not a valid encoding name`);
const name = rest[0] ?? defaultDatabase();

let sql = `CREATE DATABASE ${quoteIdentifier(name)}`;
const add = (words: string, value: string | undefined, quote: (text: string) => string): void => { if (value !== undefined) sql += ` ${words} ${quote(value)}`; };
add('OWNER', given.get('owner'), quoteIdentifier);
add('TABLESPACE', given.get('tablespace'), quoteIdentifier);
add('ENCODING', encoding, quoteLiteral);
add('STRATEGY', given.get('strategy'), quoteIdentifier);
add('TEMPLATE', given.get('template'), quoteIdentifier);
add('LC_COLLATE', given.get('lc-collate') ?? given.get('locale'), quoteLiteral);
add('LC_CTYPE', given.get('lc-ctype') ?? given.get('locale'), quoteLiteral);
add('LOCALE_PROVIDER', given.get('locale-provider'), (text) => text);
add('ICU_LOCALE', given.get('icu-locale'), quoteLiteral);

const connection = await connectMaintenance(program, given.get('maintenance-db') ?? (name === 'postgres' ? 'template1' : undefined));
await runStatement(program, connection, `${sql};`, 'database creation failed');
if (rest[1] !== undefined) await runStatement(program, connection, `COMMENT ON DATABASE ${quoteIdentifier(name)} IS ${quoteLiteral(rest[1])};`, 'comment creation failed (database was created)');
await connection.finish();
