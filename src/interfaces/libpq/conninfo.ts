// Where to connect to and how: connection strings (keywords or URI), the service file, the environment, the defaults
// (PostgreSQL's conninfo_* functions of fe-connect.c). The result is plain text by keyword; `hosts.ts` makes hosts of it.
import { readFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { isKeyword, KEYWORDS, type ConnectSettings, type Conninfo, type Keyword, type KeywordName } from './conninfo_keywords.ts';
import { parseUri } from './conninfo_uri.ts';
import { cannotConnect } from './errors.ts';

/** Whether a database name is really a connection string (recognized_connection_string). */
export function isConnectionString(text: string): boolean {
  return text.includes('=') || /^postgres(ql)?:\/\//.test(text);
}

/** PQconninfoParse: only what the string says. */
export function parseConninfo(text: string): Conninfo {
  return /^postgres(ql)?:\/\//.test(text) ? parseUri(text) : parseKeywords(text);
}

function parseKeywords(text: string): Conninfo {
  const found: Conninfo = {};
  const word = /\s*([^\s=]+)\s*(=?)\s*/y;
  let at = 0;
  while (at < text.length && text.slice(at).trim() !== '') {
    word.lastIndex = at;
    const m = word.exec(text);
    if (m === null) throw cannotConnect(`missing "=" after "${text.slice(at).trim()}" in connection info string`);
    if (m[2] === '') throw cannotConnect(`missing "=" after "${m[1]}" in connection info string`);
    at = word.lastIndex;
    let value = '';
    if (text[at] === '\'') {
      for (at++; ; at++) {
        const c = text[at];
        if (c === undefined) throw cannotConnect('unterminated quoted string in connection info string');
        if (c === '\'') { at++; break; }
        value += c === '\\' ? text[++at] ?? '' : c;
      }
    } else {
      for (; at < text.length && !/\s/.test(text[at]!); at++) value += text[at] === '\\' ? text[++at] ?? '' : text[at];
    }
    if (!isKeyword(m[1]!)) throw cannotConnect(`invalid connection option "${m[1]}"`);
    found[m[1]] = value;
  }
  return found;
}

/** What a setting's JavaScript value is in a connection string. */
const settingText = (value: string | number | boolean): string => (typeof value === 'boolean' ? (value ? '1' : '0') : String(value));

export interface Surroundings { env: Readonly<Record<string, string | undefined>>; home: string }
const surroundings = (): Surroundings => ({ env: process.env, home: process.env['HOME'] || homedir() });

/**
 * All settings of a connection: what is given, then the service, then the environment, then the defaults
 * (conninfo_add_defaults). An empty text counts as not given.
 */
export function completeConninfo(given: string | ConnectSettings, around: Surroundings = surroundings()): Conninfo {
  const info: Conninfo = {};
  const take = (more: Conninfo): void => {
    for (const [name, value] of Object.entries(more) as [KeywordName, string][]) if (info[name] === undefined && value !== '') info[name] = value;
  };
  if (typeof given === 'string') take(isConnectionString(given) || given === '' ? parseConninfo(given) : { dbname: given });
  else {
    // A database name that is a connection string is taken apart where it stands: it counts more than what comes before it, and
    // less than what comes behind (PQconnectdbParams).
    let own: Conninfo = {};
    for (const [name, value] of Object.entries(given)) {
      if (!isKeyword(name)) throw cannotConnect(`invalid connection option "${name}"`);
      if (value === undefined) continue;
      const text = settingText(value);
      if (name === 'dbname' && isConnectionString(text)) own = { ...own, ...parseConninfo(text) };
      else own[name] = text;
    }
    take(own);
  }
  const service = info.service ?? around.env['PGSERVICE'];
  if (service) take(readService(service, around));
  for (const [name, { env }] of Object.entries(KEYWORDS) as [KeywordName, Keyword][]) {
    const value = env === undefined ? undefined : around.env[env];
    if (value) take({ [name]: value });
  }
  if (info.sslmode === undefined && around.env['PGREQUIRESSL']?.startsWith('1')) info.sslmode = 'require';
  for (const [name, { value }] of Object.entries(KEYWORDS) as [KeywordName, Keyword][]) if (value !== undefined) info[name] ??= value;
  info.user ??= accountName();
  info.dbname ??= info.user;
  info.passfile ??= `${around.home}/.pgpass`;
  return info;
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    throw cannotConnect(`could not look up local user ID ${process.getuid?.()}`);
  }
}

/** A section of the user's service file, or of the system's. */
function readService(service: string, { env, home }: Surroundings): Conninfo {
  const own = env['PGSERVICEFILE'] || `${home}/.pg_service.conf`;
  const files = [own, `${env['PGSYSCONFDIR'] || '/etc/postgresql-common'}/pg_service.conf`];
  for (const [i, file] of files.entries()) {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      if (i === 0 && env['PGSERVICEFILE']) throw cannotConnect(`service file "${file}" not found`);
      continue;
    }
    const found = serviceSection(text, service, file);
    if (found !== null) return found;
  }
  throw cannotConnect(`definition of service "${service}" not found`);
}

function serviceSection(text: string, service: string, file: string): Conninfo | null {
  let found: Conninfo | null = null;
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      if (found !== null) break;
      if (line === `[${service}]`) found = {};
      continue;
    }
    if (found === null) continue;
    const equals = line.indexOf('=');
    if (equals < 0) throw cannotConnect(`syntax error in service file "${file}", line ${i + 1}`);
    const name = line.slice(0, equals), value = line.slice(equals + 1);
    if (name === 'service') throw cannotConnect(`nested service specifications not supported in service file "${file}", line ${i + 1}`);
    if (!isKeyword(name)) throw cannotConnect(`syntax error in service file "${file}", line ${i + 1}`);
    found[name] ??= value;
  }
  return found;
}
