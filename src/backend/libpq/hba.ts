// hba.conf and ident.conf: who may connect from where, and how they prove who they are (PostgreSQL's hba.c; formats of
// pg_hba.conf and pg_ident.conf). Parsed by the postmaster; children inherit the result. The first line that matches the
// connection decides.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { os } from '../../common/builtin.ts';
import { Inet, maxBits, parseInet } from '../types/inet_text.ts';

export type AuthMethod = 'trust' | 'reject' | 'scram-sha-256' | 'md5' | 'password' | 'peer';

/** One name in a list; quoted names lose their special meaning. */
interface Token {
  text: string;
  quoted: boolean;
}
type Address = { kind: 'all' } | { kind: 'samehost' } | { kind: 'samenet' } | { kind: 'net'; network: Inet };

export interface HbaLine {
  line: number;
  raw: string;
  type: 'local' | 'host' | 'hostssl' | 'hostnossl' | 'hostgssenc' | 'hostnogssenc';
  databases: Token[];
  users: Token[];
  address: Address;
  method: AuthMethod;
  map: string | null;
}
export interface IdentLine {
  map: string;
  systemUser: string;
  databaseUser: string;
}

export interface Peer {
  family: 'unix' | 'inet' | 'inet6';
  address: string;
}

const TYPES = new Set(['local', 'host', 'hostssl', 'hostnossl', 'hostgssenc', 'hostnogssenc']);
const METHODS = new Set<string>(['trust', 'reject', 'scram-sha-256', 'md5', 'password', 'peer']);
const OTHER_METHODS = new Set(['gss', 'sspi', 'ident', 'pam', 'bsd', 'ldap', 'cert', 'radius']);

/** A line as a list of fields, each a list of tokens ("a,b" is one field of two). */
function tokenize(text: string): Token[][] {
  const fields: Token[][] = [];
  let field: Token[] | null = null, at = 0;
  while (at < text.length) {
    const c = text[at]!;
    if (/\s/.test(c)) { field = null; at++; continue; }
    if (c === '#') break;
    if (c === ',') { at++; while (/\s/.test(text[at] ?? '')) at++; continue; }
    let value = '', quoted = false, first = true;
    for (; at < text.length && !/[\s,#]/.test(text[at]!); first = false) {
      if (text[at] !== '"') { value += text[at++]; continue; }
      if (first) quoted = true;
      const end = text.indexOf('"', at + 1);
      value += text.slice(at + 1, end < 0 ? text.length : end);
      at = end < 0 ? text.length : end + 1;
    }
    if (!field) fields.push(field = []);
    field.push({ text: value, quoted });
    // White space after a comma does not end the field.
    if (/^,\s*/.test(text.slice(at))) at += /^,\s*/.exec(text.slice(at))![0].length;
    else field = null;
  }
  return fields;
}

/** Logical lines, a backslash at the end continuing them. */
function logicalLines(text: string): { raw: string; line: number }[] {
  const out: { raw: string; line: number }[] = [];
  let raw = '', start = 0;
  text.split(/\r?\n/).forEach((row, i) => {
    if (raw === '') start = i + 1;
    if (row.endsWith('\\')) { raw += row.slice(0, -1); return; }
    out.push({ raw: raw + row, line: start });
    raw = '';
  });
  if (raw !== '') out.push({ raw, line: start });
  return out.filter((l) => tokenize(l.raw).length > 0);
}

/** Replaces @file by the names in that file, beside the file that speaks of it. */
function expand(tokens: Token[], file: string, depth = 0): Token[] {
  return tokens.flatMap((token) => {
    if (token.quoted || !token.text.startsWith('@') || token.text.length < 2) return [token];
    if (depth > 10) throw new Fault(`could not open secondary authentication file "${token.text}": too many levels`);
    const other = join(dirname(file), token.text.slice(1));
    let text: string;
    try {
      text = readFileSync(token.text[1] === '/' ? token.text.slice(1) : other, 'utf8');
    } catch (error) {
      throw new Fault(`could not open secondary authentication file "${token.text}" as "${other}": ${(error as Error).message}`);
    }
    return expand(logicalLines(text).flatMap((l) => tokenize(l.raw).flat()), other, depth + 1);
  });
}

class Fault extends Error {}

function parseAddress(fields: Token[][]): { address: Address; used: number } {
  const field = fields[0];
  if (!field) throw new Fault('end-of-line before IP address specification');
  if (field.length > 1) throw new Fault('multiple values specified for host address');
  const { text, quoted } = field[0]!;
  if (!quoted && (text === 'all' || text === 'samehost' || text === 'samenet')) return { address: { kind: text }, used: 1 };
  const slash = text.indexOf('/');
  const ip = slash < 0 ? text : text.slice(0, slash);
  const address = parseIp(ip);
  if (address === null) {
    if (slash >= 0) throw new Fault(`invalid IP address "${text}"`);
    throw new Fault(`host name "${text}" is not supported: give an address`);
  }
  const { family, bytes } = address, most = maxBits(family);
  let bits: number, used = 1;
  if (slash >= 0) {
    bits = /^\d+$/.test(text.slice(slash + 1)) ? Number(text.slice(slash + 1)) : -1;
    if (bits < 0 || bits > most) throw new Fault(`invalid CIDR mask in address "${text}"`);
  } else {
    const mask = fields[1]?.[0]?.text;
    if (mask === undefined) throw new Fault('end-of-line before netmask specification');
    const parsed = parseIp(mask);
    if (parsed === null) throw new Fault(`invalid IP mask "${mask}"`);
    if (parsed.family !== family) throw new Fault('IP address and mask do not match');
    bits = maskBits(parsed.bytes);
    if (bits < 0) throw new Fault(`invalid IP mask "${mask}"`);
    used = 2;
  }
  return { address: { kind: 'net', network: new Inet(family, bits, bytes) }, used };
}

/** An address without a mask; null when it is none. */
const parseIp = (text: string): Inet | null => (text.includes('/') ? null : parseInet(text, false));

function isWithin(address: Inet, network: Inet): boolean {
  if (address.family !== network.family) return false;
  for (let i = 0, left = network.bits; left > 0; i++, left -= 8) {
    if (((address.bytes[i]! ^ network.bytes[i]!) & (left >= 8 ? 0xff : (0xff00 >> left) & 0xff)) !== 0) return false;
  }
  return true;
}

/** How many leading ones a net mask has; -1 when it is none. */
function maskBits(bytes: Uint8Array): number {
  const binary = Array.from(bytes, (b) => b.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(binary) ? binary.lastIndexOf('1') + 1 : -1;
}

function parseHbaLine(raw: string, line: number, file: string): HbaLine {
  const fields = tokenize(raw);
  const single = (i: number, what: string): string => {
    const field = fields[i]!;
    if (field.length > 1) throw new Fault(`multiple values specified for ${what}`);
    return field[0]!.text;
  };
  const type = single(0, 'connection type');
  if (!TYPES.has(type)) throw new Fault(`invalid connection type "${type}"`);
  if (!fields[1]) throw new Fault('end-of-line before database specification');
  if (!fields[2]) throw new Fault('end-of-line before role specification');
  const databases = expand(fields[1], file), users = expand(fields[2], file);
  let at = 3, address: Address = { kind: 'all' };
  if (type !== 'local') {
    const parsed = parseAddress(fields.slice(3));
    address = parsed.address;
    at += parsed.used;
  }
  if (!fields[at]) throw new Fault('end-of-line before authentication method');
  const method = single(at, 'authentication type');
  if (OTHER_METHODS.has(method)) throw new Fault(`authentication method "${method}" is not supported`);
  if (!METHODS.has(method)) throw new Fault(`invalid authentication method "${method}"`);
  if (method === 'peer' && type !== 'local') throw new Fault('peer authentication is only supported on local sockets');
  let map: string | null = null;
  for (const field of fields.slice(at + 1)) {
    for (const { text } of field) {
      const equals = text.indexOf('=');
      if (equals < 0) throw new Fault(`authentication option not in name=value format: ${text}`);
      const name = text.slice(0, equals);
      if (name !== 'map') throw new Fault(`unrecognized authentication option name: "${name}"`);
      if (method !== 'peer') throw new Fault('authentication option "map" is only valid for authentication methods ident, peer, gssapi, sspi, and cert');
      map = text.slice(equals + 1);
    }
  }
  return { line, raw: raw.trim(), type: type as HbaLine['type'], databases, users, address, method: method as AuthMethod, map };
}

function parseFile<T>(file: string, parse: (raw: string, line: number) => T): { lines: T[]; faults: string[] } {
  const lines: T[] = [], faults: string[] = [];
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return { lines, faults: [`could not open configuration file "${file}": ${(error as Error).message}`] };
  }
  for (const { raw, line } of logicalLines(text)) {
    try {
      lines.push(parse(raw, line));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      faults.push(`${error.message} in file "${file}" line ${line}`);
    }
  }
  return { lines, faults };
}

let hbaLines: readonly HbaLine[] = [];
let identLines: readonly IdentLine[] = [];

/** Reads hba.conf; keeps what was there when something is wrong with the new one. Returns what was wrong. */
export function loadHba(file: string): string[] {
  const { lines, faults } = parseFile(file, (raw, line) => parseHbaLine(raw, line, file));
  if (faults.length === 0 && lines.length === 0) faults.push(`configuration file "${file}" contains no entries`);
  if (faults.length === 0) hbaLines = lines;
  return faults;
}

export function loadIdent(file: string): string[] {
  const { lines, faults } = parseFile(file, (raw): IdentLine => {
    const words = tokenize(raw).map((field) => field[0]!.text);
    if (words.length < 3) throw new Fault('missing entry at end of line');
    if (words[1]!.startsWith('/')) {
      try {
        new RegExp(words[1]!.slice(1), 'u');
      } catch (error) {
        throw new Fault(`invalid regular expression "${words[1]!.slice(1)}": ${(error as Error).message}`);
      }
    }
    return { map: words[0]!, systemUser: words[1]!, databaseUser: words[2]! };
  });
  if (faults.length === 0) identLines = lines;
  return faults;
}

/** The lines in force, for pg_ident_file_mappings and pg_hba_file_rules. */
export const currentIdentLines = (): readonly IdentLine[] => identLines;
export const currentHbaLines = (): readonly HbaLine[] => hbaLines;

function addressMatches(address: Address, peer: Peer): boolean {
  if (address.kind === 'all') return true;
  const theirs = parseIp(peer.address);
  if (theirs === null) return false;
  if (address.kind === 'net') return isWithin(theirs, address.network);
  for (const entries of Object.values(os().networkInterfaces())) {
    for (const { cidr } of entries ?? []) {
      const own = cidr === null ? null : parseInet(cidr, false);
      if (own !== null && isWithin(theirs, address.kind === 'samehost' ? new Inet(own.family, maxBits(own.family), own.bytes) : own)) return true;
    }
  }
  return false;
}

export type IsMember = (user: string, group: string) => boolean;

function databaseMatches(tokens: readonly Token[], database: string, user: string, isMember: IsMember): boolean {
  return tokens.some(({ text, quoted }) => {
    if (!quoted) {
      if (text === 'all') return true;
      if (text === 'sameuser') return database === user;
      if (text === 'samerole' || text === 'samegroup') return isMember(user, database);
      if (text === 'replication') return false;
    }
    return text === database;
  });
}

function userMatches(tokens: readonly Token[], user: string, isMember: IsMember): boolean {
  return tokens.some(({ text, quoted }) => {
    if (!quoted && text === 'all') return true;
    if (!quoted && text.startsWith('+')) return isMember(user, text.slice(1));
    return text === user;
  });
}

/** The first line for this connection; undefined: there is none, and the connection is refused. No connection is
 * encrypted (yet), so lines for encrypted ones never match. */
export function matchHba(peer: Peer, database: string, user: string, isMember: IsMember): HbaLine | undefined {
  return hbaLines.find((line) => {
    if ((line.type === 'local') !== (peer.family === 'unix')) return false;
    if (line.type === 'hostssl' || line.type === 'hostgssenc') return false;
    return (line.type === 'local' || addressMatches(line.address, peer))
      && databaseMatches(line.databases, database, user, isMember) && userMatches(line.users, user, isMember);
  });
}

/** Whether ident.conf lets this account of the system be that user. Without a map the names must be the same. */
export function checkUsermap(map: string | null, systemUser: string, databaseUser: string): boolean {
  if (map === null || map === '') return systemUser === databaseUser;
  return identLines.some((line) => {
    if (line.map !== map) return false;
    if (!line.systemUser.startsWith('/')) return line.systemUser === systemUser && line.databaseUser === databaseUser;
    const m = new RegExp(line.systemUser.slice(1), 'u').exec(systemUser);
    return m !== null && line.databaseUser.replace('\\1', m[1] ?? '') === databaseUser;
  });
}
