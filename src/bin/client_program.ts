// What the client commands (createdb, vacuumdb and their like) share: connection options, their environment, connections, SQL with its
// echo and its errors (PostgreSQL's src/bin/scripts/common.c and src/fe_utils).
import { writeSync } from 'node:fs';
import { userInfo } from 'node:os';
import { KEYWORDS } from '../common/keywords.ts';
import { connect as connectTo, type Connection } from '../interfaces/libpq/connection.ts';
import { isConnectionString, parseConninfo } from '../interfaces/libpq/conninfo.ts';
import type { ConnectSettings } from '../interfaces/libpq/conninfo_keywords.ts';
import { ConnectionError, ServerError } from '../interfaces/libpq/errors.ts';
import { escapeLiteral } from '../interfaces/libpq/escape.ts';
import { complain, fail, getopt, option, tryHelp, type Option } from './getopt.ts';
import { readPassword } from './prompt.ts';
import { reportText } from './terminal/error_report.ts';

const CONNECTION_OPTIONS: readonly Option[] = ['host:h=', 'port:p=', 'username:U=', 'no-password:w', 'password:W', 'echo:e'].map(option);

export const CONNECTION_HELP = `Connection options:
  -h, --host=HOSTNAME          database server host or socket directory
  -p, --port=PORT              database server port
  -U, --username=USERNAME      user name to connect as
  -w, --no-password            never prompt for password
  -W, --password               force password prompt
`;
export const MAINTENANCE_HELP = '  --maintenance-db=DBNAME      alternate maintenance database\n';

export interface ClientProgram {
  name: string;
  given: ReadonlyMap<string, string>;
  /** Every value of options that may be given more than once. */
  all: (name: string) => string[];
  /** Which of these options came last. */
  last: (...names: string[]) => string | undefined;
  rest: string[];
  settings: ConnectSettings;
}

/** Reads the command line; connection options are taken out of it. */
export function readClientArguments(name: string, options: readonly (string | Option)[]): ClientProgram {
  const { options: list, rest } = getopt(name, process.argv.slice(2), [...CONNECTION_OPTIONS, ...options.map((o) => (typeof o === 'string' ? option(o) : o))]);
  const given = new Map(list);
  const settings: ConnectSettings = { fallback_application_name: name };
  for (const [keyword, long] of [['host', 'host'], ['port', 'port'], ['user', 'username']] as const) if (given.has(long)) settings[keyword] = given.get(long);
  // Of -w and -W the later one counts.
  const last = (...names: string[]): string | undefined => list.findLast(([k]) => names.includes(k))?.[0];
  const asked = last('password', 'no-password');
  if (asked !== undefined) given.delete(asked === 'password' ? 'no-password' : 'password');
  return { name, given, all: (n) => list.filter(([k]) => k === n).map(([, v]) => v), last, rest, settings };
}

/** The database of programs that take one by -d or as their only argument. */
export function readDatabaseName(program: ClientProgram): string | undefined {
  const { given, rest, name } = program, database = given.get('dbname') ?? rest.shift();
  if (rest.length > 0) fail(name, `too many command-line arguments (first is "${rest[0]}")`, tryHelp(name));
  return database;
}

export const accountName = (): string => userInfo().username;
/** What a database is called when nobody says. */
export const defaultDatabase = (): string => process.env['PGDATABASE'] ?? process.env['PGUSER'] ?? accountName();

async function open(program: ClientProgram, settings: ConnectSettings): Promise<Connection> {
  const { given } = program;
  if (given.has('password')) program.settings.password ??= await readPassword('Password: ');
  for (;;) {
    try {
      return await connectTo({ ...settings, ...(program.settings.password === undefined ? {} : { password: program.settings.password }) },
        { onNotice: (notice) => { writeSync(2, reportText(notice, undefined, 'default', 'errors', false)); } });
    } catch (error) {
      if (!(error instanceof ConnectionError && error.needsPassword) || given.has('no-password') || program.settings.password !== undefined) throw error;
      program.settings.password = await readPassword('Password: ');
    }
  }
}

/** A connection that finds nothing by search_path; asks for a password when the server wants one. `override` is the database that is meant although `dbname`, perhaps a connection string, names another. */
export async function connect(program: ClientProgram, dbname: string, override?: string): Promise<Connection> {
  const inside = override !== undefined && isConnectionString(dbname) ? parseConninfo(dbname) : {};
  const settings = { ...program.settings, ...inside, dbname: override ?? dbname };
  let connection: Connection;
  try {
    connection = await open(program, settings);
  } catch (error) {
    if (error instanceof ConnectionError || error instanceof ServerError) fail(program.name, error.message);
    throw error;
  }
  await secureSearchPath(program, connection);
  return connection;
}

/** To the database that is good for work on others: --maintenance-db, or postgres, or template1. */
export async function connectMaintenance(program: ClientProgram, dbname: string | undefined = program.given.get('maintenance-db')): Promise<Connection> {
  if (dbname !== undefined) return connect(program, dbname);
  let connection: Connection;
  try {
    connection = await open(program, { ...program.settings, dbname: 'postgres' });
  } catch (error) {
    if (!(error instanceof ConnectionError || error instanceof ServerError)) throw error;
    delete program.settings.password; // it may have been the wrong one
    return connect(program, 'template1');
  }
  await secureSearchPath(program, connection);
  return connection;
}

/** For every database that takes connections, in order of names: `visit` with what `connect` needs. */
export async function allDatabases(program: ClientProgram): Promise<{ dbname: string; override: string }[]> {
  const connection = await connectMaintenance(program);
  const rows = await executeQuery(program, connection, 'SELECT datname FROM pg_database WHERE datallowconn AND datconnlimit <> -2 ORDER BY 1;');
  const dbname = program.given.get('maintenance-db') ?? connection.database;
  await connection.finish();
  return rows.map(([name]) => ({ dbname, override: name! }));
}

export async function secureSearchPath(program: ClientProgram, connection: Connection): Promise<void> {
  await executeQuery(program, connection, "SELECT pg_catalog.set_config('search_path', '', false);");
}

export function echo(program: ClientProgram, sql: string): void {
  if (program.given.has('echo')) say(`${sql}\n`);
}

export const say = (text: string): void => { writeSync(1, text); };

/** What the server said of a statement that failed, as libpq words it. */
export const errorText = (error: unknown, sql: string): string => (error instanceof ServerError ? reportText(error.fields, sql, 'default', 'errors', true) : (error as Error).message).trimEnd();

/** One statement that must not fail; its rows as texts. */
export async function executeQuery(program: ClientProgram, connection: Connection, sql: string): Promise<(string | null)[][]> {
  echo(program, sql);
  try {
    const results = await connection.exec(sql, { rowMode: 'text' });
    return results.at(-1)!.rows;
  } catch (error) {
    complain(program.name, `query failed: ${errorText(error, sql)}`);
    complain(program.name, `Query was: ${sql}`, 'detail');
    await connection.finish();
    process.exit(1);
  }
}

/** The statement that the program is for. An error ends it with `what` before the server's message. */
export async function runStatement(program: ClientProgram, connection: Connection, sql: string, what: string): Promise<void> {
  echo(program, sql);
  try {
    await connection.exec(sql);
  } catch (error) {
    complain(program.name, `${what}: ${errorText(error, sql)}`);
    await connection.finish();
    process.exit(1);
  }
}

/** The same for work that takes its time: Ctrl-C asks the server to stop it. */
export async function runMaintenance(program: ClientProgram, connection: Connection, sql: string, what: string): Promise<void> {
  const onInterrupt = (): void => requestCancel(connection);
  process.on('SIGINT', onInterrupt);
  await runStatement(program, connection, sql, what);
  process.off('SIGINT', onInterrupt);
}

export function requestCancel(connection: Connection): void {
  connection.cancel().then(() => { writeSync(2, 'Cancel request sent\n'); }, (error: Error) => { writeSync(2, `Could not send cancel request: ${error.message}\n`); });
}

/** As it must be written in SQL: quoted unless plain and no keyword that needs it. */
export function quoteIdentifier(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && (KEYWORDS.get(name) ?? 'U') === 'U' ? name : `"${name.replaceAll('"', '""')}"`;
}
export const quoteLiteral = escapeLiteral;

/** "table(columns)" in two; quotes are heeded. */
export function splitTableColumns(text: string): { table: string; columns: string } {
  let quoted = false, at = 0;
  for (; at < text.length && (text[at] !== '(' || quoted); at++) if (text[at] === '"') quoted = !quoted;
  return { table: text.slice(0, at), columns: text.slice(at) };
}

/** A table or index as the user means it by the search_path, with its schema and whatever columns were named. */
export async function qualifiedRelation(program: ClientProgram, connection: Connection, text: string): Promise<string> {
  const { table, columns } = splitTableColumns(text);
  const sql = `SELECT c.relname, ns.nspname
 FROM pg_catalog.pg_class c, pg_catalog.pg_namespace ns
 WHERE c.relnamespace OPERATOR(pg_catalog.=) ns.oid
  AND c.oid OPERATOR(pg_catalog.=) ${quoteLiteral(table)}::pg_catalog.regclass;`;
  await executeQuery(program, connection, 'RESET search_path;');
  const rows = await executeQuery(program, connection, sql);
  if (rows.length !== 1) {
    complain(program.name, `query returned ${rows.length} ${rows.length === 1 ? 'row' : 'rows'} instead of one: ${sql}`);
    await connection.finish();
    process.exit(1);
  }
  await secureSearchPath(program, connection);
  return `${quoteIdentifier(rows[0]![1]!)}.${quoteIdentifier(rows[0]![0]!)}${columns}`;
}
