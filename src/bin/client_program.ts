// What createdb, dropdb, createuser and dropuser share: connection options, their environment, quoting, the one connection.
import { writeSync } from 'node:fs';
import { userInfo } from 'node:os';
import { Client, ConnectError, ServerError, environmentOptions, type ConnectOptions } from '../interfaces/libpq/client.ts';
import { complain, getopt, option, type Option } from './getopt.ts';
import { readPassword } from './prompt.ts';

export const DEFAULT_SOCKET_FOLDER = '/tmp';

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
  connectOptions: ConnectOptions;
}

/** Reads the command line; connection options are taken out of it. */
export function readClientArguments(name: string, options: readonly Option[]): ClientProgram {
  const { options: list, rest } = getopt(name, process.argv.slice(2), [...options, ...CONNECTION_OPTIONS]);
  const given = new Map(list);
  const connectOptions = environmentOptions(DEFAULT_SOCKET_FOLDER);
  connectOptions.applicationName = name;
  connectOptions.host = given.get('host') || connectOptions.host;
  if (given.has('port')) connectOptions.port = Number(given.get('port'));
  if (!Number.isInteger(connectOptions.port) || connectOptions.port < 1 || connectOptions.port > 65535) {
    complain(name, `invalid port number: "${given.get('port') ?? process.env['PGPORT']}"`);
    process.exit(1);
  }
  connectOptions.user = given.get('username') || connectOptions.user;
  return { name, given, all: (n) => list.filter(([k]) => k === n).map(([, v]) => v), rest, connectOptions };
}

/** Connects to the first of the databases that exists; asks for a password when the server wants one. */
export async function connect(program: ClientProgram, databases: readonly string[]): Promise<Client> {
  const { given, connectOptions } = program;
  if (given.has('password')) connectOptions.password = await readPassword('Password: ');
  let last: unknown;
  for (const database of databases) {
    for (;;) {
      try {
        const client = await Client.connect({ ...connectOptions, database });
        client.onNotice = (fields) => { writeSync(2, `${fields['S']}:  ${fields['M']}\n`); };
        return client;
      } catch (error) {
        last = error;
        const needsPassword = error instanceof ConnectError && /no password supplied/.test(error.message);
        if (needsPassword && !given.has('no-password') && connectOptions.password === undefined) {
          connectOptions.password = await readPassword('Password: ');
          continue;
        }
        break;
      }
    }
    const cause = last instanceof ConnectError ? last.cause : undefined;
    if (!(cause instanceof ServerError && cause.code === '3D000')) break;
  }
  complain(program.name, (last as Error).message);
  process.exit(1);
}

/** Runs one statement; -e echoes it. An error ends the program with `what` before the server's message. */
export async function runStatement(program: ClientProgram, client: Client, sql: string, what: string): Promise<void> {
  if (program.given.has('echo')) writeSync(1, `${sql}\n`);
  try {
    await client.query(sql);
  } catch (error) {
    const fields = error instanceof ServerError ? error.fields : {};
    complain(program.name, `${what}: ${fields['S'] ?? 'ERROR'}:  ${(error as Error).message}${fields['D'] ? `\nDETAIL:  ${fields['D']}` : ''}${fields['H'] ? `\nHINT:  ${fields['H']}` : ''}`);
    await client.end();
    process.exit(1);
  }
}

const KEYWORDS = /^(all|analyse|analyze|and|any|array|as|asc|authorization|both|case|cast|check|collate|column|constraint|create|cross|current_\w+|default|deferrable|desc|distinct|do|else|end|except|false|fetch|for|foreign|freeze|from|full|grant|group|having|in|inner|intersect|into|is|join|lateral|leading|left|like|limit|natural|not|null|offset|on|only|or|order|outer|primary|references|returning|right|select|session_user|some|table|then|to|trailing|true|union|unique|user|using|variadic|when|where|window|with)$/;

export const quoteIdentifier = (name: string): string => (/^[a-z_][a-z0-9_]*$/.test(name) && !KEYWORDS.test(name) ? name : `"${name.replaceAll('"', '""')}"`);
export const quoteLiteral = (text: string): string => (text.includes('\\') ? ` E'${text.replaceAll('\\', '\\\\').replaceAll('\'', '\'\'')}'` : `'${text.replaceAll('\'', '\'\'')}'`);

export const accountName = (): string => userInfo().username;
