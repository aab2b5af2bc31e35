#!/usr/bin/env node
// Whether a server accepts connections. Exit code 0: yes; 1: it rejects them (starting up, shutting down); 2: no answer;
// 3: nothing was tried (wrong arguments).
import { writeSync } from 'node:fs';
import { completeConninfo, isConnectionString, parseConninfo } from '../interfaces/libpq/conninfo.ts';
import type { ConnectSettings } from '../interfaces/libpq/conninfo_keywords.ts';
import { defaultSocketFolder } from '../interfaces/libpq/hosts.ts';
import { ping } from '../interfaces/libpq/ping.ts';
import { getopt, option, standardOptions, tryHelp } from './getopt.ts';

const PROGRAM = 'pg_isready';
const HELP = `${PROGRAM} issues a connection check to a PostgreSQL database.

Usage:
  ${PROGRAM} [OPTION]...

Options:
  -d, --dbname=DBNAME      database name
  -q, --quiet              run quietly
  -V, --version            output version information, then exit
  -?, --help               show this help, then exit

Connection options:
  -h, --host=HOSTNAME      database server host or socket directory
  -p, --port=PORT          database server port
  -t, --timeout=SECS       seconds to wait when attempting connection, 0 disables (default: 3)
  -U, --username=USERNAME  user name to connect as
`;

standardOptions(PROGRAM, HELP);
const { options, rest } = getopt(PROGRAM, process.argv.slice(2),
  ['dbname:d=', 'host:h=', 'port:p=', 'quiet:q', 'timeout:t=', 'username:U='].map(option), 3);
const given = new Map(options);

function refuse(message: string): never {
  writeSync(2, `${PROGRAM}: error: ${message}\n`);
  process.exit(3);
}

if (rest.length > 0) {
  writeSync(2, `${PROGRAM}: error: too many command-line arguments (first is "${rest[0]}")\n`);
  writeSync(2, `${PROGRAM}: hint: ${tryHelp(PROGRAM)}\n`);
  process.exit(3);
}

const settings: ConnectSettings = { fallback_application_name: PROGRAM, connect_timeout: given.get('timeout') ?? '3' };
for (const [name, keyword] of [['host', 'host'], ['port', 'port'], ['username', 'user'], ['dbname', 'dbname']] as const) if (given.has(name)) settings[keyword] = given.get(name);

let shown: string;
try {
  const info = completeConninfo(settings), dbname = given.get('dbname'), named = dbname !== undefined && isConnectionString(dbname) ? parseConninfo(dbname) : {};
  shown = `${info.hostaddr ?? named.host ?? given.get('host') ?? info.host ?? defaultSocketFolder(info.port!)}:${info.port}`;
} catch (error) {
  refuse((error as Error).message);
}
const status = await ping(settings);
const [code, words] = { 'ok': [0, 'accepting connections'], 'reject': [1, 'rejecting connections'], 'no response': [2, 'no response'], 'no attempt': [3, 'no attempt'] }[status] as [number, string];
if (!given.has('quiet')) writeSync(1, `${shown} - ${words}\n`);
process.exit(code);
