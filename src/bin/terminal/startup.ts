// How psql begins (startup.c): the command line, the connection, ~/.psqlrc, then what -c and -f ask for, or the main loop.
import { existsSync, openSync } from 'node:fs';
import { homedir } from 'node:os';
import { strerror } from '../../common/strerror.ts';
import type { ConnectSettings } from '../../interfaces/libpq/conninfo_keywords.ts';
import { complain, getopt, option, tryHelp, VERSION } from '../getopt.ts';
import { handleSlash } from './command.ts';
import { connectionWarnings, openConnection, useConnection, wantedEncoding } from './command_connect.ts';
import './command_general.ts';
import './command_large_object.ts';
import './describe_commands.ts';
import { cancelQuery, psqlExec, sendQuery } from './common.ts';
import { ConditionalStack } from './conditional.ts';
import { listDatabases } from './describe_cluster.ts';
import { usage } from './help.ts';
import { current, FileSource, type Keyboard } from './input.ts';
import { interrupt, mainLoop, processFile } from './mainloop.ts';
import { logError, openSink, stdout } from './output.ts';
import { applyPset } from './pset.ts';
import { Scanner } from './scan.ts';
import { EXIT_BADCONN, EXIT_FAILURE, EXIT_SUCCESS, EXIT_USER, pset } from './settings.ts';
import { establishVariables, setVariable } from './variables.ts';

const PROGRAM = 'psql';
const OPTIONS = [
  'echo-all:a', 'no-align:A', 'command:c=', 'dbname:d=', 'echo-queries:e', 'echo-errors:b', 'echo-hidden:E', 'file:f=', 'field-separator:F=', 'field-separator-zero:z', 'host:h=', 'html:H', 'list:l',
  'log-file:L=', 'no-readline:n', 'single-transaction:1', 'output:o=', 'port:p=', 'pset:P=', 'quiet:q', 'record-separator:R=', 'record-separator-zero:0', 'single-step:s', 'single-line:S', 'tuples-only:t',
  'table-attr:T=', 'username:U=', 'set:v=', 'variable=', 'version:V', 'no-password:w', 'password:W', 'expanded:x', 'no-psqlrc:X', 'help:?=?', 'csv', 'no-color',
].map(option);

interface Action { kind: 'query' | 'slash' | 'file' | 'input'; value: string }
interface Given { settings: ConnectSettings; actions: Action[]; list: boolean; noRc: boolean; noReadline: boolean; rest: string[] }

function help(topic: string): never {
  if (!/^(options|commands|variables|)$/.test(topic)) {
    complain(PROGRAM, tryHelp(PROGRAM), 'hint');
    process.exit(EXIT_FAILURE);
  }
  usage(topic || 'options');
  process.exit(EXIT_SUCCESS);
}

function readOptions(): Given {
  const first = process.argv[2];
  if (first !== undefined && /^(--help(=.*)?|-\?)$/.test(first)) {
    help(first.includes('=') ? first.slice(first.indexOf('=') + 1) : '');
  }
  if (first === '--version' || first === '-V') {
    stdout.write(`${PROGRAM} ${VERSION}\n`);
    stdout.flush();
    process.exit(EXIT_SUCCESS);
  }
  const { options, rest } = getopt(PROGRAM, process.argv.slice(2), OPTIONS);
  const given: Given = { settings: {}, actions: [], list: false, noRc: false, noReadline: false, rest };
  const { settings } = given, { popt } = pset;
  const set = (name: string, value: string | null): void => { if (!applyPset(name, value, popt, true)) process.exit(EXIT_FAILURE); };
  const actions: Record<string, (value: string) => void> = {
    'echo-all': () => setVariable('ECHO', 'all'),
    'no-align': () => { popt.format = 'unaligned'; },
    'command': (v) => given.actions.push(v.startsWith('\\') ? { kind: 'slash', value: v.slice(1) } : { kind: 'query', value: v }),
    'dbname': (v) => { settings.dbname = v; },
    'echo-queries': () => setVariable('ECHO', 'queries'),
    'echo-errors': () => setVariable('ECHO', 'errors'),
    'echo-hidden': () => setVariable('ECHO_HIDDEN', 'on'),
    'file': (v) => given.actions.push({ kind: 'file', value: v }),
    'field-separator': (v) => set('fieldsep', v),
    'field-separator-zero': () => set('fieldsep_zero', null),
    'host': (v) => { settings.host = v; },
    'html': () => { popt.format = 'html'; },
    'list': () => { given.list = true; },
    'log-file': (v) => {
      try {
        pset.logFile = openSync(v, 'a', 0o666);
      } catch (error) {
        logError(`could not open log file "${v}": ${strerror(error)}`);
        process.exit(EXIT_FAILURE);
      }
    },
    'no-readline': () => { given.noReadline = true; },
    'no-color': () => { pset.noColour = true; },
    'single-transaction': () => { pset.singleTransaction = true; },
    'output': (v) => {
      const sink = openSink(v);
      if (sink === undefined) process.exit(EXIT_FAILURE);
      pset.out = sink;
    },
    'port': (v) => { settings.port = v; },
    'pset': (v) => {
      const equals = v.indexOf('=');
      if (!applyPset(equals < 0 ? v : v.slice(0, equals), equals < 0 ? null : v.slice(equals + 1), popt, true)) {
        logError(`could not set printing parameter "${equals < 0 ? v : v.slice(0, equals)}"`);
        process.exit(EXIT_FAILURE);
      }
    },
    'quiet': () => setVariable('QUIET', 'on'),
    'record-separator': (v) => set('recordsep', v),
    'record-separator-zero': () => set('recordsep_zero', null),
    'single-step': () => setVariable('SINGLESTEP', 'on'),
    'single-line': () => setVariable('SINGLELINE', 'on'),
    'tuples-only': () => { popt.tuplesOnly = true; },
    'table-attr': (v) => set('tableattr', v),
    'username': (v) => { settings.user = v; },
    'set': (v) => {
      const equals = v.indexOf('=');
      if (!setVariable(equals < 0 ? v : v.slice(0, equals), equals < 0 ? null : v.slice(equals + 1))) process.exit(EXIT_FAILURE);
    },
    'version': () => { stdout.write(`${PROGRAM} ${VERSION}\n`); stdout.flush(); process.exit(EXIT_SUCCESS); },
    'no-password': () => { pset.getPassword = 'no'; },
    'password': () => { pset.getPassword = 'yes'; },
    'expanded': () => { popt.expanded = 'on'; },
    'no-psqlrc': () => { given.noRc = true; },
    'help': help,
    'csv': () => { popt.format = 'csv'; },
  };
  actions['variable'] = actions['set']!;
  for (const [name, value] of options) actions[name]!(value);
  for (const word of rest) {
    if (settings.dbname === undefined) settings.dbname = word;
    else if (settings.user === undefined) settings.user = word;
    else if (!pset.quiet) complain(PROGRAM, `extra command-line argument "${word}" ignored`, 'warning');
  }
  return given;
}

/** The system's psqlrc, then the user's: the one for this version if there is one. */
async function readRc(): Promise<void> {
  const folder = process.env['HOME'] || homedir(), own = process.env['PSQLRC']?.replace(/^~(?=\/|$)/, folder) || `${folder}/.psqlrc`;
  for (const base of [`${process.env['PGSYSCONFDIR'] ?? '/etc/postgresql-common'}/psqlrc`, own]) {
    const file = [`${base}-15.18`, `${base}-15`, base].find((f) => existsSync(f));
    if (file !== undefined) await processFile(file);
  }
}

async function runAction({ kind, value: argument }: Action): Promise<number> {
  if (kind === 'file') return processFile(argument);
  if (kind === 'input') {
    pset.terse = true;
    return mainLoop(FileSource.standardInput());
  }
  const value = pset.encoding.decode(Buffer.from(argument));
  pset.terse = true;
  if (pset.echo === 'all') stdout.write(`${kind === 'slash' ? '\\' : ''}${value}\n`);
  if (kind === 'query') return await sendQuery(value) ? EXIT_SUCCESS : EXIT_FAILURE;
  const scanner = new Scanner(), query = { text: '' };
  scanner.setup(value);
  return await handleSlash(scanner, new ConditionalStack(), query, { text: '' }) !== 'error' ? EXIT_SUCCESS : EXIT_FAILURE;
}

async function runActions(actions: readonly Action[]): Promise<number> {
  let result = EXIT_SUCCESS;
  if (pset.singleTransaction && await psqlExec('BEGIN') === null && pset.onErrorStop) return EXIT_USER;
  for (const action of actions) {
    result = await runAction(action);
    if (result !== EXIT_SUCCESS && pset.onErrorStop) break;
  }
  if (pset.singleTransaction) {
    const end = result !== EXIT_SUCCESS && pset.onErrorStop ? 'ROLLBACK' : 'COMMIT';
    if (pset.db !== null && await psqlExec(end) === null && result === EXIT_SUCCESS && pset.onErrorStop) result = EXIT_USER;
  }
  return result;
}

async function interactive(noReadline: boolean): Promise<number> {
  pset.terse = true;
  connectionWarnings(`psql (${VERSION.replace('(PostgreSQL) ', '')})\n`);
  if (!pset.quiet) stdout.write('Type "help" for help.\n\n');
  stdout.flush();
  const terminal = await keyboard(noReadline);
  current.terminal = terminal;
  const result = await mainLoop(terminal);
  terminal.history?.save();
  terminal.close();
  return result;
}

/** The editor and what belongs to it are loaded when somebody sits there. */
async function keyboard(noReadline: boolean): Promise<Keyboard> {
  const { PlainTerminal, Terminal } = await import('./keyboard.ts');
  if (noReadline || process.env['TERM'] === 'dumb') return new PlainTerminal(true);
  const { complete } = await import('./completion.ts');
  return new Terminal(complete);
}

async function finish(code: number): Promise<never> {
  if (pset.out !== stdout) await pset.out.close();
  stdout.flush();
  if (pset.db !== null) await pset.db.finish().catch(() => {});
  process.exit(code);
}

export async function main(): Promise<void> {
  pset.out = stdout;
  pset.notTty = !process.stdin.isTTY || !process.stdout.isTTY;
  establishVariables();
  setVariable('VERSION', 'PostgreSQL 15.18 (Posthouse)');
  setVariable('VERSION_NAME', '15.18 (Posthouse)');
  setVariable('VERSION_NUM', '150018');
  setVariable('LAST_ERROR_MESSAGE', '');
  setVariable('LAST_ERROR_SQLSTATE', '00000');
  const given = readOptions(), { settings, actions } = given;
  settings.fallback_application_name = PROGRAM;
  settings.client_encoding = wantedEncoding(settings.dbname as string | undefined);
  // At the end: a connection string counts more than -h, -p and -U.
  const { dbname } = settings;
  delete settings.dbname;
  settings.dbname = dbname;
  if (given.list && settings.dbname === undefined && actions.length === 0) settings.dbname = 'postgres';
  // What is piped in is a script like any other: -1 makes one transaction of it.
  if (actions.length === 0 && pset.notTty) actions.push({ kind: 'input', value: '' });
  if (actions.length === 0 && pset.singleTransaction) {
    logError('-1 can only be used in non-interactive mode');
    return finish(EXIT_FAILURE);
  }
  try {
    useConnection(await openConnection(settings));
  } catch (error) {
    logError((error as Error).message);
    return finish(EXIT_BADCONN);
  }
  process.on('SIGINT', () => {
    interrupt.pressed = true;
    if (current.terminal?.interrupt() === true) return;
    if (pset.db !== null && pset.db.transactionStatus === 'active') cancelQuery(pset.db);
    else if (current.terminal === null) void finish(EXIT_USER);
  });
  if (given.list) return finish(await listDatabases(null, false) ? EXIT_SUCCESS : EXIT_FAILURE);
  if (!given.noRc) await readRc();
  let result: number;
  if (actions.length > 0) result = await runActions(actions);
  else result = await interactive(given.noReadline);
  return finish(result);
}

