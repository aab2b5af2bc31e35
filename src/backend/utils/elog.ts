// The server's log (PostgreSQL's elog.c, the part after the error is made). Lines are formatted by winston's formats (the
// only file that imports it) and written synchronously: a backend is a straight line, and what it said last matters most.
//   log_destination: stderr (text) and jsonlog (one JSON object a line); logging_collector sends both to a file.
import type winston from 'winston';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { PgError, type ErrorFields, type Severity } from '../../common/errors.ts';
import { port } from '../../port/port.ts';
import { CheckFailure, defineHooks, getBool, getInt, getString } from './guc.ts';
import { getPsStatus } from './ps_status.ts';
import { splitIdentifierList } from './guc_parse.ts';
import { journalListens, sendToJournal } from './journal.ts';
import { session } from './session.ts';
import { settings } from './settings.ts';

/** Who writes: filled in as it becomes known. */
export const logContext = {
  backendType: 'postmaster', user: '', database: '', remoteHost: '', remotePort: 0, sessionStart: new Date(), lineNumber: 0,
  pid: process.pid,
  /** The text of the running statement, for STATEMENT lines. */
  statement: '',
};

/** After a fork, in the child. */
export function startLogContext(backendType: string): void {
  logContext.backendType = backendType;
  logContext.pid = port.getpid();
  logContext.sessionStart = new Date();
  logContext.lineNumber = 0;
  logContext.statement = '';
}

// ---- levels

const ORDER: readonly Severity[] = ['DEBUG5', 'DEBUG4', 'DEBUG3', 'DEBUG2', 'DEBUG1', 'INFO', 'NOTICE', 'WARNING', 'ERROR', 'LOG', 'FATAL', 'PANIC'];
const CLIENT_ORDER: readonly Severity[] = ['DEBUG5', 'DEBUG4', 'DEBUG3', 'DEBUG2', 'DEBUG1', 'LOG', 'NOTICE', 'WARNING', 'ERROR', 'FATAL', 'PANIC'];

/** Whether log_min_messages lets it into the log. */
export function shouldLog(severity: Severity): boolean {
  return atLeast(severity, settings.log_min_messages);
}

function atLeast(severity: Severity, level: string): boolean {
  return ORDER.indexOf(severity) >= ORDER.indexOf(level.toUpperCase() as Severity);
}

/** Whether client_min_messages lets it through to the frontend. INFO always goes. */
export function shouldSendToClient(severity: Severity): boolean {
  return severity === 'INFO'
    || CLIENT_ORDER.indexOf(severity) >= CLIENT_ORDER.indexOf(settings.client_min_messages.toUpperCase() as Severity);
}

// ---- writing

/** A message that is no error. */
export function log(severity: Severity, message: string, fields: ErrorFields = {}): void {
  if (shouldLog(severity)) emit({ severity, message, fields, code: '00000' });
}

/** An error, warning or notice, when its level is wanted. */
export function logError(error: PgError): void {
  if (shouldLog(error.severity)) emit({ severity: error.severity, message: error.message, fields: error.fields, code: error.code });
}

/** What ended a statement or a session; `original` is what was thrown, and shows where when it is our own mistake. */
export function logBackendError(told: PgError, original: unknown): void {
  if (!shouldLog(told.severity)) return;
  const stack = told.condition === 'internal_error' && original instanceof Error ? original.stack : undefined;
  emit({ severity: told.severity, message: told.message, fields: told.fields, code: told.code, stack });
}

interface Entry {
  severity: Severity;
  message: string;
  fields: ErrorFields;
  code: string;
  stack?: string | undefined;
}

const MESSAGE = Symbol.for('message');
const LEVEL = Symbol.for('level');

const require = createRequire(import.meta.url);
type Format = ReturnType<typeof winston.format.json>;
let formats: { text: Format; json: Format } | undefined;

/** Loaded when there is something to format: what goes to the journal is not. */
export function loadFormats(): { text: Format; json: Format } {
  if (formats !== undefined) return formats;
  const { format } = require('winston') as typeof winston;
  return formats = {
    text: format.printf((info) => textOf(info as unknown as Entry)),
    json: format.combine(format((info) => jsonOf(info as unknown as Entry) as never)(), format.json({ deterministic: false })),
  };
}

let muted = false;

/** Nothing is written until the function that comes back is called. */
export function muteLog(): () => void {
  muted = true;
  return () => { muted = false; };
}

function emit(entry: Entry): void {
  logContext.lineNumber++;
  for (const destination of destinations) {
    if (destination === 'stderr' && logFd === 2 && journalListens() && toJournal(entry)) continue;
    const format = loadFormats()[destination === 'jsonlog' ? 'json' : 'text'];
    const info = format.transform({ ...entry, level: entry.severity, [LEVEL]: entry.severity } as never, format.options ?? {});
    if (info && typeof info === 'object') write(`${(info as Record<symbol, string>)[MESSAGE]}\n`);
  }
}

/** syslog's levels. */
const PRIORITY: Readonly<Partial<Record<Severity, number>>> = { PANIC: 2, FATAL: 3, ERROR: 3, WARNING: 4, NOTICE: 5, LOG: 6, INFO: 6 };

function toJournal(entry: Entry): boolean {
  if (muted) return true;
  const c = logContext, { fields } = entry;
  return sendToJournal({
    MESSAGE: textOf(entry, ''), PRIORITY: String(PRIORITY[entry.severity] ?? 7), SYSLOG_IDENTIFIER: 'posthouse',
    SITE: process.env['POSTHOUSE_SITE'] ?? basename(getString('data_directory')), DATABASE: c.database, USER: c.user, BACKEND_PID: String(c.pid), BACKEND_TYPE: c.backendType,
    SQLSTATE: entry.code === '00000' ? '' : entry.code, DETAIL: fields.detail ?? '', HINT: fields.hint ?? '', REMOTE_HOST: c.remoteHost,
    STATEMENT: entry.severity !== 'LOG' && hasStatement(entry) ? c.statement : '',
  });
}

/** A whole line at once, so that lines of several processes do not mix. The log being gone stops nobody: what a file does not
 * take, because the disk is full, goes to stderr. */
function write(line: string): void {
  if (muted || writeTo(logFd, isCutOff ? `\n${line}` : line)) return;
  if (logFd !== 2) writeTo(2, line);
}

/** The last line in the log file is not whole. */
let isCutOff = false;

function writeTo(fd: number, line: string): boolean {
  const bytes = Buffer.from(line, 'utf8');
  let sent = 0;
  for (let tries = 0; sent < bytes.length && tries < 100; tries++) {
    try {
      sent += writeSync(fd, bytes, sent);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') break;
      port.poll(Int32Array.of(fd), Int16Array.of(4), new Int16Array(1), 1, 50);
    }
  }
  if (fd === logFd && sent > 0) isCutOff = sent < bytes.length;
  return sent === bytes.length;
}

function hasStatement(entry: Entry): boolean {
  return logContext.statement !== '' && atLeast(entry.severity, settings.log_min_error_statement) && settings.log_min_error_statement !== 'panic';
}

function textOf(entry: Entry, prefix = linePrefix(entry)): string {
  const { fields } = entry, terse = settings.log_error_verbosity === 'terse';
  const verbose = settings.log_error_verbosity === 'verbose';
  const lines: string[] = [];
  const line = (word: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') lines.push(`${prefix}${word}:  ${value.replaceAll('\n', '\n\t')}`);
  };
  const at = fields.position !== undefined ? ` at character ${fields.position}` : '';
  line(entry.severity.startsWith('DEBUG') ? 'DEBUG' : entry.severity, `${verbose ? `${entry.code}: ` : ''}${entry.message || 'missing error text'}${at}`);
  if (!terse) {
    line('DETAIL', fields.detail);
    line('HINT', fields.hint);
    line('QUERY', fields.internalQuery);
    line('CONTEXT', fields.where);
    line('LOCATION', entry.stack);
  }
  if (entry.severity !== 'LOG' && hasStatement(entry)) line('STATEMENT', logContext.statement);
  return lines.join('\n');
}

/** The keys of PostgreSQL's jsonlog. */
function jsonOf(entry: Entry): Record<string, unknown> {
  const { fields } = entry, c = logContext;
  const all: Record<string, unknown> = {
    timestamp: timestamp(new Date(), true), user: c.user, dbname: c.database, pid: c.pid, remote_host: c.remoteHost,
    remote_port: c.remotePort || undefined, session_id: sessionId(), line_num: c.lineNumber, ps: getPsStatus(),
    session_start: timestamp(c.sessionStart, false), error_severity: entry.severity, state_code: entry.code === '00000' ? undefined : entry.code,
    message: entry.message, detail: fields.detail, hint: fields.hint, internal_query: fields.internalQuery,
    internal_position: fields.internalPosition, context: fields.where, statement: hasStatement(entry) ? c.statement : undefined,
    cursor_position: fields.position, application_name: settings.application_name, backend_type: c.backendType, stack: entry.stack,
  };
  for (const key of Object.keys(all)) if (all[key] === undefined || all[key] === '') delete all[key];
  return all;
}

/** log_line_prefix, filled in. */
function linePrefix(entry: Entry): string {
  const c = logContext, now = new Date();
  let out = '';
  const pattern = getString('log_line_prefix');
  for (const m of pattern.matchAll(/%(-?\d*)(.)|[^%]+|%$/g)) {
    if (m[2] === undefined) {
      out += m[0] === '%' ? '' : m[0];
      continue;
    }
    if (m[2] === 'q') {
      if (c.backendType !== 'client backend') break;
      continue;
    }
    const value = prefixField(m[2], entry, now), width = Number(m[1] || 0);
    out += width > 0 ? value.padStart(width) : value.padEnd(-width);
  }
  return out;
}

function prefixField(letter: string, entry: Entry, now: Date): string {
  const c = logContext;
  switch (letter) {
    case 'a': return c.backendType === 'client backend' ? settings.application_name || '[unknown]' : '';
    case 'b': return c.backendType;
    case 'u': return c.user || '[unknown]';
    case 'd': return c.database || '[unknown]';
    case 'r': return c.remotePort ? `${c.remoteHost}(${c.remotePort})` : c.remoteHost;
    case 'h': return c.remoteHost;
    case 'p': return String(c.pid);
    case 't': return timestamp(now, false);
    case 'm': return timestamp(now, true);
    case 'n': return (now.getTime() / 1000).toFixed(3);
    case 'i': return getPsStatus();
    case 'e': return entry.code;
    case 'c': return sessionId();
    case 'l': return String(c.lineNumber);
    case 's': return timestamp(c.sessionStart, false);
    case 'v': return c.backendType === 'client backend' ? `${session.pid}/0` : '';
    case 'x': return '0';
    case '%': return '%';
    default: return '';
  }
}

function sessionId(): string {
  return `${Math.floor(logContext.sessionStart.getTime() / 1000).toString(16)}.${logContext.pid.toString(16)}`;
}

/** "2026-03-01 12:00:00[.123] CET" in log_timezone. */
function timestamp(when: Date, milliseconds: boolean): string {
  const zone = getString('log_timezone');
  if (zone === 'GMT' || zone === 'UTC' || zone === 'Etc/UTC') {
    const iso = when.toISOString();
    return `${iso.slice(0, 10)} ${iso.slice(11, milliseconds ? 23 : 19)} ${zone === 'GMT' ? 'GMT' : 'UTC'}`;
  }
  const parts: Record<string, string> = {};
  for (const part of zoneFormat(zone).formatToParts(when)) parts[part.type] = part.value;
  const ms = milliseconds ? `.${String(when.getMilliseconds()).padStart(3, '0')}` : '';
  return `${parts['year']}-${parts['month']}-${parts['day']} ${parts['hour']}:${parts['minute']}:${parts['second']}${ms} ${parts['timeZoneName']}`;
}

let zoneFormatter: Intl.DateTimeFormat | null = null;
let zoneOfFormatter = '';

function zoneFormat(zone: string): Intl.DateTimeFormat {
  if (zoneFormatter === null || zoneOfFormatter !== zone) {
    zoneFormatter = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit',
      hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short' });
    zoneOfFormatter = zone;
  }
  return zoneFormatter;
}

// ---- statements

/** The text a statement came as: logged if log_statement wants it, and again beside errors. */
export function logStatement(text: string): void {
  logContext.statement = text;
  statementLogged = false;
  const level = settings.log_statement;
  if (level === 'none' || (level !== 'all' && !LOGGED_KINDS[level]!.test(text))) return;
  emit({ severity: 'LOG', message: `statement: ${text}`, fields: {}, code: '00000' });
  statementLogged = true;
}

let statementLogged = false;

/** log_statement = ddl, mod: by the first word, comments passed over. */
const COMMENTS = String.raw`^(?:\s|;|--[^\n]*|/\*[^]*?\*/)*`;
const DDL = 'create|alter|drop|comment|grant|revoke|import|reassign|security|cluster|reindex|refresh|do|load';
const LOGGED_KINDS: Readonly<Record<string, RegExp>> = {
  ddl: new RegExp(`${COMMENTS}(?:${DDL})\\b`, 'i'),
  mod: new RegExp(`${COMMENTS}(?:${DDL}|insert|update|delete|merge|truncate|copy|with|prepare|execute)\\b`, 'i'),
};

/** log_duration and log_min_duration_statement. */
export function logDuration(ms: number): void {
  const slow = settings.log_min_duration_statement >= 0 && ms >= settings.log_min_duration_statement;
  if (!slow && !settings.log_duration) return;
  const statement = slow && !statementLogged ? `  statement: ${logContext.statement}` : '';
  emit({ severity: 'LOG', message: `duration: ${ms.toFixed(3)} ms${statement}`, fields: {}, code: '00000' });
}

// ---- where to

let destinations: readonly string[] = ['stderr'];
let logFd = 2;

defineHooks('log_destination', {
  check: (value) => {
    const names = splitIdentifierList(value as string);
    if (!names) return new CheckFailure({ detail: 'List syntax is invalid.' });
    const unknown = names.find((name) => name !== 'stderr' && name !== 'jsonlog');
    return unknown === undefined ? value : new CheckFailure({ detail: `Unrecognized key word: "${unknown}".` });
  },
  assign: (value) => { destinations = splitIdentifierList(value as string) ?? ['stderr']; },
});

defineHooks('log_timezone', {
  check: (value) => {
    try {
      new Intl.DateTimeFormat('en-US', { timeZone: value as string }).format();
      return value;
    } catch {
      return new CheckFailure();
    }
  },
});

/** Opens the log file when logging_collector asks for one; again after SIGHUP, for whoever rotates it. */
export function openLogFile(): void {
  if (!getBool('logging_collector')) return;
  const folder = getString('log_directory'), now = new Date().toISOString();
  const pieces: Record<string, string> = { Y: now.slice(0, 4), m: now.slice(5, 7), d: now.slice(8, 10), H: now.slice(11, 13), M: now.slice(14, 16),
    S: now.slice(17, 19), '%': '%' };
  const name = getString('log_filename').replace(/%(.)/g, (all, letter: string) => pieces[letter] ?? all);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const fd = openSync(join(folder, name), 'a', getInt('log_file_mode'));
  if (logFd !== 2) closeSync(logFd);
  logFd = fd;
}
