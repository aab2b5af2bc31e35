// Queries: those of people and scripts (SendQuery), and psql's own (PSQLexec); what is printed of their results (common.c).
import type { Connection } from '../../interfaces/libpq/connection.ts';
import { ConnectionError, ServerError } from '../../interfaces/libpq/errors.ts';
import type { Result } from '../../interfaces/libpq/result.ts';
import type { Step } from '../../interfaces/libpq/streams.ts';
import { copyDataIn, copyDataOut } from './copy_data.ts';
import { printCrosstab } from './crosstabview.ts';
import { reportText } from './error_report.ts';
import { current, INTERRUPTED } from './input.ts';
import { logError, logInfo, openSink, stdout, writeErr, type Sink } from './output.ts';
import { mayBePaged, pageOut } from './pager.ts';
import { printTable, tableOfResult, type QueryTable } from './print.ts';
import { htmlEscape } from './print_markup.ts';
import type { PrintContext, Table, TableOptions } from './print_options.ts';
import { Scanner } from './scan.ts';
import { EXIT_BADCONN, pset } from './settings.ts';
import { setVariable } from './variables.ts';

export type TextRow = (string | null)[];
const CLOSED = 'server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally\n\tbefore or while processing the request.';
/** Characters of a table that are written together. */
const PIECE_LENGTH = 1 << 16;
const FRAME = '**************************\n';

// ---- errors

export function showError(error: Error, query: string | undefined): void {
  if (error instanceof ServerError) {
    pset.lastError = { error, query };
    logInfo(reportText(error.fields, query, pset.verbosity, pset.showContext, true));
  } else logInfo(error.message);
}

function setErrorVariables(error: Error): void {
  const code = error instanceof ServerError || error instanceof ConnectionError ? error.code : '';
  setVariable('ERROR', 'true');
  setVariable('SQLSTATE', code);
  setVariable('ROW_COUNT', '0');
  setVariable('LAST_ERROR_SQLSTATE', code);
  setVariable('LAST_ERROR_MESSAGE', error.message);
}

function setSuccessVariables(result: Result | null): void {
  setVariable('ERROR', 'false');
  setVariable('SQLSTATE', '00000');
  setVariable('ROW_COUNT', String(result?.rowCount ?? 0));
}

/** Whether there is still a connection; otherwise it is told, mended when somebody sits there, or psql ends. */
async function checkConnection(): Promise<boolean> {
  const { db } = pset;
  if (db === null || db.isOpen) return db !== null;
  if (!pset.interactive) {
    logError('connection to server was lost');
    pset.out.flush();
    process.exit(EXIT_BADCONN);
  }
  writeErr('The connection to the server was lost. Attempting reset: ');
  try {
    await db.reset();
    lastWords.delete(db);
    writeErr('Succeeded.\n');
    return true;
  } catch {
    writeErr('Failed.\n');
    pset.db = null;
    return false;
  }
}

/** A cancel request on its way. What the query says of it is told behind "Cancel request sent". */
let cancelling: Promise<void> | null = null;

export function cancelQuery(db: Connection): void {
  cancelling = db.cancel().then(() => writeErr('Cancel request sent\n'), (error: Error) => writeErr(`Could not send cancel request: ${error.message}\n`)).finally(() => { cancelling = null; });
}

// ---- psql's own queries

export function echoHidden(sql: string): void {
  if (pset.echoHidden === 'off') return;
  const text = `********* QUERY **********\n${sql}\n${FRAME}\n`;
  stdout.write(text);
  stdout.flush();
  current.log(text);
}

/** Rows as texts; null when it failed, which has been told. With ECHO_HIDDEN the query is shown. */
export async function psqlExec(sql: string): Promise<Result<TextRow> | null> {
  if (pset.db === null) {
    logError('You are currently not connected to a database.');
    return null;
  }
  echoHidden(sql);
  if (pset.echoHidden === 'noexec') return null;
  try {
    return (await pset.db.exec(sql, { rowMode: 'text' })).at(-1) as Result<TextRow>;
  } catch (error) {
    showError(error as Error, sql);
    await checkConnection();
    return null;
  }
}

/** The rows of a query; null: it failed. */
export const rowsOf = async (sql: string): Promise<TextRow[] | null> => (await psqlExec(sql))?.rows ?? null;

/** A statement that nobody asked for, like BEGIN; false, after saying why, when it failed. */
async function quietly(sql: string): Promise<boolean> {
  try {
    await pset.db!.exec(sql);
    return true;
  } catch (error) {
    showError(error as Error, sql);
    return false;
  }
}

// ---- printing

const terminalColumns = (out: Sink): number => (out.isStdout && process.stdout.isTTY ? Number(process.env['COLUMNS']) || process.stdout.columns : 0);

const contextFor = (options: TableOptions, out: Sink, part: Partial<PrintContext> = {}): PrintContext =>
  ({ options, terminalColumns: terminalColumns(out), startTable: true, stopTable: true, priorRecords: 0, ...part });

/** Prints a table to where results go; false, after saying why, when it did not get there. */
export function showTable(table: Table, options: TableOptions, out: Sink = pset.out): boolean {
  const context = contextFor(options, out);
  if (mayBePaged(options, out)) {
    const pieces: string[] = [];
    printTable(table, context, pieces);
    const text = pieces.join('');
    current.log(text);
    pageOut(text, options, out);
  } else printTo(out, table, context);
  return allWritten(out, 'print result table');
}

/** As it is made, for there may be much of it. */
function printTo(out: Sink, table: Table, context: PrintContext): void {
  let pieces: string[] = [], length = 0;
  const send = (): void => {
    const text = pieces.join('');
    current.log(text);
    out.write(text);
    pieces = [];
    length = 0;
  };
  printTable(table, context, {
    push(...more) {
      for (const piece of more) {
        pieces.push(piece);
        length += piece.length;
      }
      if (length > PIECE_LENGTH) send();
    },
  });
  send();
}

function allWritten(out: Sink, what: string): boolean {
  const failure = out.failure();
  if (failure !== null) logError(`could not ${what}: ${failure}`);
  return failure === null;
}

export function showResult(result: QueryTable, options: TableOptions, out: Sink = pset.out, title = options.title, footers: readonly string[] | null = null): boolean {
  return showTable(tableOfResult(result, options, title, footers), options, out);
}

/** To where results go anyway, whatever \g says. */
function showStatus(result: Result): void {
  if (!pset.quiet) pset.out.write(pset.popt.format === 'html' ? `<p>${htmlEscape(result.tag)}</p>\n` : `${result.tag}\n`);
  if (pset.logFile !== null) current.log(`${result.tag}\n`);
  const oid = /^INSERT (\d+) /.exec(result.tag);
  setVariable('LASTOID', oid?.[1] ?? '0');
}

function timingText(milliseconds: number): string {
  let text = `Time: ${milliseconds.toFixed(3)} ms`;
  if (milliseconds >= 1000) {
    let seconds = milliseconds / 1000;
    const pad = (n: number): string => String(n).padStart(2, '0'), rest = (n: number): string => n.toFixed(3).padStart(6, '0');
    const minutes = Math.floor(seconds / 60);
    seconds -= 60 * minutes;
    const hours = Math.floor(minutes / 60), days = Math.floor(hours / 24);
    text += days > 0 ? ` (${days} d ${pad(hours % 24)}:${pad(minutes % 60)}:${rest(seconds)})` : hours > 0 ? ` (${pad(hours)}:${pad(minutes % 60)}:${rest(seconds)})` : ` (${pad(minutes)}:${rest(seconds)})`;
  }
  return `${text}\n`;
}

/** \gset: one row becomes variables. */
function storeRow(result: QueryTable): boolean {
  if (result.rows.length === 0) logError('no rows returned for \\gset');
  else if (result.rows.length > 1) logError('more than one row returned for \\gset');
  else {
    for (const [i, field] of result.fields.entries()) {
      const name = pset.gset! + field.name, value = result.rows[0]![i]!;
      if (/^(AUTOCOMMIT|ON_ERROR_STOP|QUIET|SINGLELINE|SINGLESTEP|FETCH_COUNT|HISTFILE|HISTSIZE|IGNOREEOF|ECHO|ECHO_HIDDEN|ON_ERROR_ROLLBACK|COMP_KEYWORD_CASE|HISTCONTROL|PROMPT[123]|VERBOSITY|SHOW_ALL_RESULTS|SHOW_CONTEXT|HIDE_TABLEAM|HIDE_TOAST_COMPRESSION)$/.test(name)) {
        logError(`attempt to \\gset into specially treated variable "${name}" ignored`);
        continue;
      }
      if (!setVariable(name, value)) return false;
    }
    return true;
  }
  return false;
}

/** \gexec: every value is a statement. */
async function executeValues(result: QueryTable): Promise<boolean> {
  pset.gexec = false;
  pset.bind = null;
  let success = true;
  for (const row of result.rows) {
    for (const value of row) {
      if (value === null) continue;
      if (pset.echo === 'all' && !pset.singleStep) {
        stdout.write(`${value}\n`);
        stdout.flush();
      }
      if (!await sendQuery(value)) {
        success = false;
        if (pset.onErrorStop) return false;
      }
    }
  }
  return success;
}

async function showQueryResult(result: Result, last: boolean, out: Sink, options: TableOptions): Promise<boolean> {
  if (result.status === 'empty') return true;
  const shown = last || pset.showAllResults;
  if (result.status !== 'tuples') {
    if (shown) showStatus(result);
    return true;
  }
  const table = result as unknown as QueryTable;
  let success = true;
  if (last && pset.gset !== null) success = storeRow(table);
  else if (last && pset.gexec) success = await executeValues(table);
  else if (last && pset.crosstab !== null) success = printCrosstab(table, pset.crosstab, (t) => showTable(t, options, out));
  else if (shown) success = showResult(table, options, out);
  if (shown && /^(INSERT|UPDATE|DELETE)/.test(result.tag)) showStatus(result);
  return success;
}

// ---- the query

/** The words a statement begins with, four at most, in lower case, without the white space and comments around them. */
function leadingWords(query: string): string[] {
  const words: string[] = [], next = /(?:\s+|--[^\n]*|\/\*[^]*?\*\/)*([A-Za-z]+)/y;
  for (let m = next.exec(query); m !== null && words.length < 4; m = next.exec(query)) words.push(m[1]!.toLowerCase());
  return words;
}

/** A query that a cursor can stand for (is_select_command). */
const isSelect = (query: string): boolean => /^(?:\s+|--[^\n]*|\/\*[^]*?\*\/|\()*(?:select|values)(?![A-Za-z])/i.test(query);

/** Statements that must not be, or need not be, behind a BEGIN (command_no_begin). */
function needsNoBegin(query: string): boolean {
  const [first, second, third, fourth] = leadingWords(query);
  switch (first) {
    case 'abort': case 'begin': case 'start': case 'commit': case 'end': case 'rollback': return true;
    case 'prepare': return second === 'transaction';
    case 'vacuum': return true;
    case 'cluster': return second === undefined;
    case 'create': return second === 'database' || second === 'tablespace' || (second === 'index' && third === 'concurrently') || (second === 'unique' && third === 'index' && fourth === 'concurrently');
    case 'alter': return second === 'system';
    case 'drop': return second === 'database' || second === 'system' || second === 'tablespace' || (second === 'index' && third === 'concurrently');
    case 'reindex': return second === 'database' || second === 'system' || ((second === 'index' || second === 'table') && third === 'concurrently');
    case 'discard': return second === 'all';
    default: return false;
  }
}

const SAVEPOINT = 'pg_psql_temporary_savepoint';

/** Runs a statement, or several, and prints what comes; false when something failed. */
export async function sendQuery(query: string): Promise<boolean> {
  let success = false;
  const options = pset.gOptions;
  try {
    success = await runQuery(query);
  } finally {
    pset.gTarget = null;
    if (options !== null) pset.gOptions = null;
    pset.gset = null;
    pset.gdesc = false;
    pset.gexec = false;
    pset.bind = null;
    pset.crosstab = null;
  }
  return success;
}

async function confirmed(query: string): Promise<boolean> {
  stdout.write(`***(Single step mode: verify command)*******************************************\n${query}\n***(press return to proceed or enter x and return to cancel)********************\n`);
  stdout.flush();
  const answer = await current.source?.next('') ?? '';
  return !answer.startsWith('x') && answer !== INTERRUPTED;
}

async function runQuery(query: string): Promise<boolean> {
  const { db } = pset;
  if (db === null) {
    logError('You are currently not connected to a database.');
    return false;
  }
  if (pset.singleStep) {
    if (!await confirmed(query)) return true;
  } else if (pset.echo === 'queries') {
    stdout.write(`${query}\n`);
    stdout.flush();
  }
  current.log(`********* QUERY **********\n${query}\n${FRAME}\n`);
  if (db.transactionStatus === 'idle' && !pset.autocommit && !needsNoBegin(query) && !await quietly('BEGIN')) return false;
  const rollback = db.transactionStatus === 'in transaction' && (pset.onErrorRollback === 'on' || (pset.onErrorRollback === 'interactive' && pset.interactive));
  const savepoint = rollback && await quietly(`SAVEPOINT ${SAVEPOINT}`);
  const from = performance.now();
  const outcome = pset.gdesc ? await describeQuery(db, query) : pset.fetchCount > 0 && !pset.gexec && pset.bind === null && pset.crosstab === null && isSelect(query) && !isSeveral(query)
    ? await runByCursor(db, query) : await runSteps(db, query);
  const elapsedMs = performance.now() - from;
  if (!outcome.success && pset.echo === 'errors') logInfo(`STATEMENT:  ${query}`);
  if (savepoint) {
    // What ended the transaction, or made savepoints of its own, took ours along.
    const status = db.transactionStatus as string;
    if (status === 'in error') await quietly(`ROLLBACK TO ${SAVEPOINT}`);
    else if (status === 'in transaction' && !outcome.savepointGone) await quietly(`RELEASE ${SAVEPOINT}`);
  }
  showTiming(elapsedMs);
  notifications();
  pset.out.flush();
  return outcome.success;
}

/** \watch: the statement alone, with nothing before, behind or said about it (PSQLexecWatch). */
export async function watchQuery(query: string): Promise<boolean> {
  const { db } = pset;
  if (db === null) {
    logError('You are currently not connected to a database.');
    return false;
  }
  const from = performance.now(), { success } = await runSteps(db, query);
  showTiming(performance.now() - from);
  notifications();
  pset.out.flush();
  return success;
}

function showTiming(elapsedMs: number): void {
  if (!pset.timing) return;
  pset.out.flush();
  stdout.write(timingText(elapsedMs));
}

interface Outcome { success: boolean; savepointGone: boolean }

/** The sink of \g, or where results go anyway. */
function target(): { sink: Sink | undefined; own: boolean } {
  return pset.gTarget === null ? { sink: pset.out, own: false } : { sink: openSink(pset.gTarget), own: pset.gTarget !== '' };
}

async function runSteps(db: Connection, query: string): Promise<Outcome> {
  const options = pset.gOptions ?? pset.popt;
  let success = true, savepointGone = false, sink: Sink | undefined, own = false;
  const open = (): Sink | null => {
    if (sink === undefined) ({ sink, own } = target());
    return sink ?? null;
  };
  const steps = db.results(query, pset.bind)[Symbol.asyncIterator]();
  let copied = false, ended = false;
  for (let step = await steps.next(); step.done !== true;) {
    const value: Step = step.value;
    switch (value.kind) {
      case 'error':
        if (cancelling !== null) await cancelling;
        // Behind the server's last word the connection's own: it has ended.
        if (ended || lastWords.has(db)) logInfo(CLOSED);
        else showError(value.error, query);
        ended ||= value.error instanceof ServerError && isLast(value.error.fields);
        setErrorVariables(value.error);
        success = false;
        step = await steps.next();
        break;
      case 'copy in':
        await copyDataIn(value.stream);
        copied = false;
        step = await steps.next();
        break;
      case 'copy out': {
        const out = pset.copyTarget ?? open();
        await copyDataOut(value.stream, out);
        if (out === null || !allWritten(out, 'write COPY data')) success = false;
        copied = out === pset.out;
        step = await steps.next();
        break;
      }
      case 'result': {
        step = await steps.next();
        const { result } = value;
        if (/^(SAVEPOINT|RELEASE|COMMIT|ROLLBACK)$/.test(result.tag)) savepointGone = true;
        setSuccessVariables(result);
        // What was copied to where the tag would go says enough.
        if (copied) {
          copied = false;
          break;
        }
        const out = result.status === 'tuples' && pset.gset === null && !pset.gexec ? open() : pset.out;
        if (out === null) success = false;
        else if (!await showQueryResult(result, step.done === true, out, options)) success = false;
        break;
      }
    }
  }
  if (own && sink !== undefined) await sink.close();
  if (!db.isOpen) await checkConnection();
  return { success, savepointGone };
}

/** Whether a text has statements behind the first (\;). A cursor would swallow what they give, as PostgreSQL's does. */
function isSeveral(query: string): boolean {
  const scanner = new Scanner(), rest = { text: '' };
  scanner.setup(query.trimEnd());
  return scanner.scan(rest) === 'semicolon' && rest.text.length < query.trim().length;
}

/** FETCH_COUNT: so many rows at a time, one table. */
async function runByCursor(db: Connection, query: string): Promise<Outcome> {
  const options = pset.gOptions ?? pset.popt, began = db.transactionStatus === 'idle';
  const fail = (error: unknown, sql: string): void => {
    showError(error as Error, sql);
    setErrorVariables(error as Error);
  };
  let success = true, total = 0;
  const text = query.replace(/;\s*$/, '');
  try {
    if (began) await db.exec('BEGIN');
    await db.exec(`DECLARE _psql_cursor NO SCROLL CURSOR FOR\n${text}`);
  } catch (error) {
    fail(error, `DECLARE _psql_cursor NO SCROLL CURSOR FOR\n${text}`);
    if (began) await quietly('ROLLBACK');
    return { success: false, savepointGone: false };
  }
  const { sink, own } = target();
  try {
    let start = true;
    for (;;) {
      const part = (await db.exec(`FETCH FORWARD ${pset.fetchCount} FROM _psql_cursor`, { rowMode: 'text' }))[0]!;
      const table = part as unknown as QueryTable;
      if (pset.gset !== null) {
        success = storeRow(table);
        break;
      }
      const stop = table.rows.length < pset.fetchCount;
      if (sink !== undefined) printTo(sink, tableOfResult(table, options, options.title, null), contextFor(options, sink, { startTable: start, stopTable: stop, priorRecords: total }));
      total += table.rows.length;
      start = false;
      if (stop) break;
    }
    if (sink !== undefined && !allWritten(sink, 'print result table')) success = false;
    setVariable('ERROR', 'false');
    setVariable('SQLSTATE', '00000');
    setVariable('ROW_COUNT', String(total));
  } catch (error) {
    fail(error, query);
    success = false;
  }
  if (own && sink !== undefined) await sink.close();
  if (db.transactionStatus === 'in transaction') await quietly('CLOSE _psql_cursor');
  if (began) await quietly(success ? 'COMMIT' : 'ROLLBACK');
  return { success, savepointGone: false };
}

/** \gdesc. */
async function describeQuery(db: Connection, query: string): Promise<Outcome> {
  try {
    const { fields } = await db.describe(query.replace(/;\s*$/, ''));
    if (fields.length === 0) {
      stdout.write('The command has no result, or the result has no columns.\n');
      setSuccessVariables(null);
      return { success: true, savepointGone: false };
    }
    const values = fields.map((f) => `('${f.name.replaceAll('\'', '\'\'')}','${f.typeOid}'::pg_catalog.oid,${f.typeModifier})`).join(',');
    const shown = await db.exec(`SELECT name AS "Column", pg_catalog.format_type(tp, tpm) AS "Type"\nFROM (VALUES ${values}) s(name, tp, tpm)`, { rowMode: 'text' });
    const { sink, own } = target();
    if (sink !== undefined) {
      showResult(shown[0]! as unknown as QueryTable, pset.gOptions ?? pset.popt, sink);
      if (own) await sink.close();
    }
    setSuccessVariables(shown[0]!);
    return { success: true, savepointGone: false };
  } catch (error) {
    showError(error as Error, query);
    setErrorVariables(error as Error);
    return { success: false, savepointGone: false };
  }
}

/** Notifications that came along. */
const pending: string[] = [];
function notifications(): void {
  for (const text of pending.splice(0)) pset.out.write(text);
}

/** Connections whose end the server has told while nothing was asked of it. */
const lastWords = new WeakSet<Connection>();
const isLast = (fields: { readonly severityNonlocalized?: string }): boolean => /^(FATAL|PANIC)$/.test(fields.severityNonlocalized ?? '');

/** Makes the connection tell notices and notifications psql's way. */
export function attach(db: Connection): void {
  db.on('notice', (notice) => {
    const tell = (): void => logInfo(reportText(notice, undefined, pset.verbosity, pset.showContext, false));
    if (isLast(notice)) lastWords.add(db);
    if (current.terminal === null) tell();
    else current.terminal.interject(tell);
  });
  db.on('notification', ({ channel, payload, processId }) => {
    pending.push(`Asynchronous notification "${channel}" ${payload === '' ? '' : `with payload "${payload}" `}received from server process with PID ${processId}.\n`);
  });
}
