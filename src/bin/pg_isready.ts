#!/usr/bin/env node
// Whether a server accepts connections. Exit code 0: yes; 1: it rejects them (starting up, shutting down); 2: no answer;
// 3: nothing was tried (wrong arguments).
import { existsSync, writeSync } from 'node:fs';
import net from 'node:net';
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
const env = process.env;
let host = env['PGHOST'] ?? '', port = env['PGPORT'] ?? '5432', user = env['PGUSER'] ?? '', database = env['PGDATABASE'] ?? '';
let quiet = false, timeoutSeconds = 3;
const { options, rest } = getopt(PROGRAM, process.argv.slice(2),
  ['dbname:d=', 'host:h=', 'port:p=', 'quiet:q', 'timeout:t=', 'username:U='].map(option), 3);
for (const [name, value] of options) {
  if (name === 'dbname') database = value;
  else if (name === 'host') host = value;
  else if (name === 'port') port = value;
  else if (name === 'quiet') quiet = true;
  else if (name === 'timeout') timeoutSeconds = Number(value);
  else if (name === 'username') user = value;
}
for (const [key, value] of [...database.matchAll(/(\w+)\s*=\s*(\S+)/g)].map((m) => [m[1], m[2]!] as const)) {
  if (key === 'host') host = value;
  else if (key === 'port') port = value;
  else if (key === 'user') user = value;
}
if (rest.length > 0 || !(timeoutSeconds >= 0)) {
  writeSync(2, `${PROGRAM}: error: ${rest.length > 0 ? `too many command-line arguments (first is "${rest[0]}")` : 'invalid timeout'}\n`);
  writeSync(2, `${PROGRAM}: hint: ${tryHelp(PROGRAM)}\n`);
  process.exit(3);
}

const socketFolder = ['/var/run/postgresql', '/tmp'].find((folder) => existsSync(`${folder}/.s.PGSQL.${port}`)) ?? '/tmp';
const target = host === '' ? socketFolder : host;
const shown = `${target}:${port}`;

function finish(code: number, words: string): never {
  if (!quiet) writeSync(1, `${shown} - ${words}\n`);
  process.exit(code);
}

/** A start-up packet: any answer from a server tells enough. */
function startupPacket(): Buffer {
  const body = Buffer.from(`user\0${user || 'posthouse'}\0database\0${database.includes('=') || database === '' ? 'postgres' : database}\0application_name\0${PROGRAM}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(body.length + 8, 0);
  head.writeInt32BE(196608, 4);
  return Buffer.concat([head, body]);
}

const socket = target.startsWith('/') ? net.connect(`${target}/.s.PGSQL.${port}`) : net.connect(Number(port), target);
if (timeoutSeconds > 0) setTimeout(() => finish(2, 'no response'), timeoutSeconds * 1000);
let answer = Buffer.alloc(0);
socket.on('connect', () => socket.write(startupPacket()));
socket.on('data', (data: Buffer) => {
  answer = Buffer.concat([answer, data]);
  if (answer.length < 5 || answer.length < 1 + answer.readInt32BE(1)) return;
  // 57P03, cannot_connect_now, is the only refusal that says "not now"; any other comes from a server that works.
  if (answer[0] === 0x45 && answer.includes('C57P03\0')) finish(1, 'rejecting connections');
  finish(0, 'accepting connections');
});
socket.on('error', () => finish(2, 'no response'));
socket.on('close', () => finish(2, 'no response'));
