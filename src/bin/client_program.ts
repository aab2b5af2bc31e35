// What createdb, dropdb, createuser and dropuser share: connection options, their environment, quoting, the one connection.
import { writeSync } from 'node:fs';
import { userInfo } from 'node:os';
import { connect as connectTo, type Connection } from '../interfaces/libpq/connection.ts';
import type { ConnectSettings } from '../interfaces/libpq/conninfo_keywords.ts';
import { ConnectionError, ServerError, type Report } from '../interfaces/libpq/errors.ts';
import { escapeLiteral } from '../interfaces/libpq/escape.ts';
import { complain, getopt, option, type Option } from './getopt.ts';
import { readPassword } from './prompt.ts';

export const CONNECTION_OPTIONS: readonly Option[] = ['host:h=', 'port:p=', 'username:U=', 'no-password:w', 'password:W', 'echo:e'].map(option);

export const CONNECTION_HELP = `Connection options:
  -h, --host=HOSTNAME          database server host or socket directory
  -p, --port=PORT              database server port
  -U, --username=USERNAME      user name to connect as
  -w, --no-password            never prompt for password
  -W, --password               force password prompt
`;

export interface ClientProgram {
  name: string;
  given: ReadonlyMap<string, string>;
  /** Every value of options that may be given more than once. */
  all: (name: string) => string[];
  rest: string[];
  settings: ConnectSettings;
  /** Who connects, for names that default to it. */
  user: string;
}

/** Reads the command line; connection options are taken out of it. */
export function readClientArguments(name: string, options: readonly Option[]): ClientProgram {
  const { options: list, rest } = getopt(name, process.argv.slice(2), [...options, ...CONNECTION_OPTIONS]);
  const given = new Map(list);
  const settings: ConnectSettings = { fallback_application_name: name };
  for (const [keyword, given_] of [['host', 'host'], ['port', 'port'], ['user', 'username']] as const) if (given.has(given_)) settings[keyword] = given.get(given_);
  const user = given.get('username') || process.env['PGUSER'] || accountName();
  return { name, given, all: (n) => list.filter(([k]) => k === n).map(([, v]) => v), rest, settings, user };
}

/** Connects to the first of the databases that exists; asks for a password when the server wants one. */
export async function connect(program: ClientProgram, databases: readonly string[]): Promise<Connection> {
  const { given, settings } = program;
  if (given.has('password')) settings.password = await readPassword('Password: ');
  let last: unknown;
  for (const dbname of databases) {
    for (;;) {
      try {
        return await connectTo({ ...settings, dbname }, { onNotice: (notice) => { writeSync(2, reportText(notice)); } });
      } catch (error) {
        last = error;
        if (error instanceof ConnectionError && error.needsPassword && !given.has('no-password') && settings.password === undefined) {
          settings.password = await readPassword('Password: ');
          continue;
        }
        break;
      }
    }
    if (!(last instanceof ConnectionError && last.code === '3D000')) break;
  }
  complain(program.name, (last as Error).message);
  process.exit(1);
}

/** Runs one statement; -e echoes it. An error ends the program with `what` before the server's message. */
export async function runStatement(program: ClientProgram, connection: Connection, sql: string, what: string): Promise<void> {
  if (program.given.has('echo')) writeSync(1, `${sql}\n`);
  try {
    await connection.exec(sql);
  } catch (error) {
    complain(program.name, `${what}: ${error instanceof ServerError ? reportText(error.fields).trimEnd() : (error as Error).message}`);
    await connection.finish();
    process.exit(1);
  }
}

/** A report as libpq words it (the default verbosity, without the position). */
function reportText(report: Report): string {
  const lines = [`${report.severity ?? 'ERROR'}:  ${report.message ?? ''}`];
  if (report.detail !== undefined) lines.push(`DETAIL:  ${report.detail}`);
  if (report.hint !== undefined) lines.push(`HINT:  ${report.hint}`);
  return `${lines.join('\n')}\n`;
}

const KEYWORDS = /^(all|analyse|analyze|and|any|array|as|asc|authorization|both|case|cast|check|collate|column|constraint|create|cross|current_\w+|default|deferrable|desc|distinct|do|else|end|except|false|fetch|for|foreign|freeze|from|full|grant|group|having|in|inner|intersect|into|is|join|lateral|leading|left|like|limit|natural|not|null|offset|on|only|or|order|outer|primary|references|returning|right|select|session_user|some|table|then|to|trailing|true|union|unique|user|using|variadic|when|where|window|with)$/;

export const quoteIdentifier = (name: string): string => (/^[a-z_][a-z0-9_]*$/.test(name) && !KEYWORDS.test(name) ? name : `"${name.replaceAll('"', '""')}"`);
export const quoteLiteral = escapeLiteral;

export const accountName = (): string => userInfo().username;
