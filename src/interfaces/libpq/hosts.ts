// From settings to the list of servers to try: several hosts, their ports and addresses, the password of each
// (connectOptions2 and passwordFromFile of fe-connect.c).
import { existsSync, readFileSync, statSync } from 'node:fs';
import type { Conninfo } from './conninfo_keywords.ts';
import { cannotConnect } from './errors.ts';

const SOCKET_FOLDERS = ['/var/run/postgresql', '/tmp'] as const;

export interface Host {
  /** A name, an address, or a folder of Unix sockets ('/…'; '@…' in the abstract namespace). */
  host: string;
  /** An address that saves the look-up of the name; the name stays what a certificate is checked against. */
  hostaddr: string;
  port: number;
  password: string | undefined;
  /** The password file that the password came from, for the error message. */
  passfile: string | undefined;
}

export const isSocketFolder = (host: string): boolean => host.startsWith('/') || host.startsWith('@');
export const socketPath = ({ host, port }: { host: string; port: number }): string => `${host}/.s.PGSQL.${port}`;

/** Where a server on this machine most likely listens: the folder that has a socket for the port, or else that is there. */
export function defaultSocketFolder(port: number | string): string {
  return SOCKET_FOLDERS.find((folder) => existsSync(`${folder}/.s.PGSQL.${port}`)) ?? SOCKET_FOLDERS.find((folder) => existsSync(folder)) ?? '/tmp';
}

export function hostsOf(info: Conninfo, warn: (message: string) => void): Host[] {
  const addresses = info.hostaddr?.split(',') ?? [], names = info.host?.split(',') ?? [];
  const count = Math.max(1, addresses.length || names.length);
  if (names.length > 0 && addresses.length > 0 && names.length !== addresses.length) {
    throw cannotConnect(`could not match ${names.length} host names to ${addresses.length} hostaddr values`);
  }
  const ports = info.port!.split(',');
  if (ports.length > 1 && ports.length !== count) throw cannotConnect(`could not match ${ports.length} port numbers to ${count} hosts`);
  const hosts: Host[] = [];
  for (let i = 0; i < count; i++) {
    const port = portNumber(ports.length === 1 ? ports[0]! : ports[i]!);
    const hostaddr = addresses[i] ?? '';
    const host = names[i] || hostaddr || defaultSocketFolder(port);
    const found = info.password === undefined ? passwordFromFile(info.passfile!, host, port, info.dbname!, info.user!, warn) : undefined;
    hosts.push({ host, hostaddr, port, password: info.password ?? found, passfile: found === undefined ? undefined : info.passfile });
  }
  return info.load_balance_hosts === 'random' ? shuffled(hosts) : hosts;
}

function portNumber(text: string): number {
  if (text === '') return 5432;
  if (!/^\s*[-+]?\d+\s*$/.test(text)) throw cannotConnect(`invalid integer value "${text}" for connection option "port"`);
  const port = Number(text);
  if (port < 1 || port > 65535) throw cannotConnect(`invalid port number: "${text}"`);
  return port;
}

/** Fisher and Yates. */
export function shuffled<T>(list: readonly T[]): T[] {
  const mixed = [...list];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [mixed[i], mixed[j]] = [mixed[j]!, mixed[i]!];
  }
  return mixed;
}

/** The password that the file has for this server. A file that others can read is not used. */
export function passwordFromFile(file: string, host: string, port: number, database: string, user: string, warn: (message: string) => void): string | undefined {
  let text: string;
  try {
    const stat = statSync(file);
    if (!stat.isFile()) {
      warn(`WARNING: password file "${file}" is not a plain file`);
      return undefined;
    }
    if ((stat.mode & 0o077) !== 0) {
      warn(`WARNING: password file "${file}" has group or world access; permissions should be u=rw (0600) or less`);
      return undefined;
    }
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  const wanted = [(SOCKET_FOLDERS as readonly string[]).includes(host) ? 'localhost' : host, String(port), database, user];
  for (const line of text.split(/\r?\n/)) {
    if (line === '' || line.startsWith('#')) continue;
    const [fields, password] = splitLine(line);
    if (fields.length === 4 && fields.every((f, i) => f === '*' || unescaped(f) === wanted[i])) return unescaped(password);
  }
  return undefined;
}

const unescaped = (text: string): string => text.replace(/\\(.)/g, '$1');

/** Four fields, and the rest, at colons that no backslash stands before. */
function splitLine(line: string): [fields: string[], password: string] {
  const fields: string[] = [];
  let from = 0, at = 0;
  for (; at < line.length && fields.length < 4; at++) {
    if (line[at] === '\\') at++;
    else if (line[at] === ':') {
      fields.push(line.slice(from, at));
      from = at + 1;
    }
  }
  return [fields, line.slice(from)];
}
