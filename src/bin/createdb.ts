#!/usr/bin/env node
// createdb: CREATE DATABASE from the shell.
import { CONNECTION_HELP, connect, quoteIdentifier, quoteLiteral, readClientArguments, runStatement } from './client_program.ts';
import { fail, option, refuseRest, standardOptions } from './getopt.ts';

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
  -O, --owner=OWNER            database user to own the new database
  -S, --strategy=STRATEGY      database creation strategy wal_log or file_copy
  -T, --template=TEMPLATE      template database to copy
  -V, --version                output version information, then exit
  -?, --help                   show this help, then exit

${CONNECTION_HELP}  --maintenance-db=DBNAME      alternate maintenance database

By default, a database with the same name as the current user is created.

Example:
  createdb -O alice shop "orders and stock"
`);

const program = readClientArguments(PROGRAM, ['tablespace:D=', 'encoding:E=', 'locale:l=', 'lc-collate=', 'lc-ctype=', 'owner:O=', 'strategy:S=', 'template:T=', 'maintenance-db='].map(option));
const { given, rest, user } = program;
refuseRest(PROGRAM, rest, 2);
const name = rest[0] ?? process.env['PGDATABASE'] ?? user;
for (const lc of ['lc-collate', 'lc-ctype']) if (given.has('locale') && given.has(lc)) fail(PROGRAM, `only one of --locale and --${lc} can be specified`);
let sql = `CREATE DATABASE ${quoteIdentifier(name)}`;
if (given.has('owner')) sql += ` OWNER ${quoteIdentifier(given.get('owner')!)}`;
if (given.has('tablespace')) sql += ` TABLESPACE ${quoteIdentifier(given.get('tablespace')!)}`;
if (given.has('encoding')) sql += ` ENCODING ${quoteLiteral(given.get('encoding')!)}`;
if (given.has('strategy')) sql += ` STRATEGY ${quoteIdentifier(given.get('strategy')!)}`;
if (given.has('template')) sql += ` TEMPLATE ${quoteIdentifier(given.get('template')!)}`;
const collate = given.get('lc-collate') ?? given.get('locale');
const ctype = given.get('lc-ctype') ?? given.get('locale');
if (collate !== undefined) sql += ` LC_COLLATE ${quoteLiteral(collate)}`;
if (ctype !== undefined) sql += ` LC_CTYPE ${quoteLiteral(ctype)}`;
const connection = await connect(program, given.has('maintenance-db') ? [given.get('maintenance-db')!] : name === 'postgres' ? ['template1'] : ['postgres', 'template1']);
await runStatement(program, connection, `${sql};`, 'database creation failed');
if (rest[1] !== undefined) await runStatement(program, connection, `COMMENT ON DATABASE ${quoteIdentifier(name)} IS ${quoteLiteral(rest[1])};`, 'comment creation failed (database was created)');
await connection.finish();
