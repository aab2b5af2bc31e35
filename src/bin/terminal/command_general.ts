// Commands of everyday: \g and its kin, \i, \o, \echo, \set, \if, \timing, \q, \w, \e, \!, \watch, …
import { writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { findEncoding } from '../../common/charsets.ts';
import { strerror } from '../../common/strerror.ts';
import { defineCommands, restriction, type Command, type CommandContext, type CommandStatus } from './command.ts';
import { watchQuery } from './common.ts';
import { doCopy } from './copy.ts';
import { editText } from './editor.ts';
import { reportText } from './error_report.ts';
import { current, INTERRUPTED } from './input.ts';
import { copyright, slashUsage } from './help.ts';
import { interrupt, processFile } from './mainloop.ts';
import { logError, logInfo, openSink, stdout } from './output.ts';
import { pageOut, watchPager } from './pager.ts';
import { readLine } from '../prompt.ts';
import { applyPset, showPset } from './pset.ts';
import { EXIT_SUCCESS, pset } from './settings.ts';
import { runShell } from './shell.ts';
import { booleanOf, listVariables, parseBoolean, setVariable } from './variables.ts';

const home = (path: string): string => path.replace(/^~(?=\/|$)/, process.env['HOME'] ?? homedir());

// ---- \g, \gx, \gset, \gexec, \gdesc, \bind, \crosstabview

/** "(name=value ...)" of \g. */
function gOptions(context: CommandContext, first: string): boolean {
  let word: string | null = first.slice(1), done = false, right = true;
  pset.gOptions ??= { ...pset.popt };
  while (word !== null) {
    if (word.endsWith(')')) {
      word = word.slice(0, -1);
      done = true;
    }
    if (word !== '') {
      const equals = word.indexOf('='), name = equals < 0 ? word : word.slice(0, equals), value = equals < 0 ? null : word.slice(equals + 1);
      if (!applyPset(name, value, pset.gOptions, true)) right = false;
    }
    if (done) return right;
    word = context.arg('normal', false);
  }
  logError('\\g: missing right parenthesis');
  return false;
}

const g: Command = (context) => {
  const { name, query, previous } = context;
  let fileName = context.arg('filepipe');
  if (fileName?.startsWith('(') === true) {
    if (!gOptions(context, fileName)) {
      pset.gOptions = null;
      return 'error';
    }
    fileName = context.arg('filepipe');
  }
  pset.gTarget = fileName === null ? null : home(fileName);
  if (name === 'gx') {
    pset.gOptions ??= { ...pset.popt };
    pset.gOptions.expanded = 'on';
  }
  if (query.text === '') query.text = previous.text;
  return 'send';
};

const again = (set: (context: CommandContext) => void): Command => (context) => {
  set(context);
  if (context.query.text === '') context.query.text = context.previous.text;
  return 'send';
};

// ---- \if

/** An expression is all the arguments of the command. */
function condition(context: CommandContext, expected: boolean): boolean | undefined {
  const words: string[] = [];
  for (let word = context.arg(); word !== null; word = context.arg()) words.push(word);
  const text = words.join(' '), value = parseBoolean(text);
  if (value === undefined && expected) logError(`unrecognized value "${text}" for "\\${context.name} expression": Boolean expected`);
  return value;
}

const skipExpression = (context: CommandContext): void => { while (context.arg() !== null) { /* not evaluated */ } };
/** What was read before a branch is kept for its end, and a branch not taken leaves no text behind. */
const saveState = ({ conditions, query, scanner }: CommandContext): void => conditions.save(query.text, scanner.parenDepth);
function discardText({ conditions, query, scanner }: CommandContext): void {
  const { saved } = conditions;
  if (saved === null) return;
  query.text = saved.query;
  scanner.parenDepth = saved.parenDepth;
}

const conditionals: Record<string, Command> = {
  if: (context) => {
    const { conditions } = context;
    if (conditions.active) {
      // Variables count while the condition is read.
      conditions.push('true');
      saveState(context);
      if (condition(context, true) !== true) conditions.poke('false');
    } else {
      conditions.push('ignored');
      saveState(context);
      skipExpression(context);
    }
    return 'skip';
  },
  elif: (context) => {
    const { conditions } = context;
    switch (conditions.branch) {
      case 'true':
        saveState(context);
        conditions.poke('ignored');
        skipExpression(context);
        return 'skip';
      case 'false':
        discardText(context);
        conditions.poke('ignored');
        saveState(context);
        // Variables count while it is read.
        conditions.poke('true');
        if (condition(context, true) !== true) conditions.poke('false');
        return 'skip';
      case 'ignored':
        discardText(context);
        skipExpression(context);
        return 'skip';
      case 'else true': case 'else false': logError('\\elif: cannot occur after \\else'); return 'error';
      default: logError('\\elif: no matching \\if'); return 'error';
    }
  },
  else: (context) => {
    const { conditions } = context;
    switch (conditions.branch) {
      case 'true': saveState(context); conditions.poke('else false'); return 'skip';
      case 'false': discardText(context); conditions.poke('else true'); saveState(context); return 'skip';
      case 'ignored': discardText(context); conditions.poke('else false'); return 'skip';
      case 'else true': case 'else false': logError('\\else: cannot occur after \\else'); return 'error';
      default: logError('\\else: no matching \\if'); return 'error';
    }
  },
  endif: (context) => {
    const { conditions } = context;
    switch (conditions.branch) {
      case 'true': case 'else true': conditions.pop(); return 'skip';
      case 'false': case 'ignored': case 'else false': discardText(context); conditions.pop(); return 'skip';
      default: logError('\\endif: no matching \\if'); return 'error';
    }
  },
};

// ---- files, editors, shells

async function include(context: CommandContext, relative: boolean): Promise<CommandStatus> {
  const file = context.arg('normal', true);
  if (file === null) {
    logError(`\\${context.name}: missing required argument`);
    return 'error';
  }
  return await processFile(home(file), relative) === EXIT_SUCCESS ? 'skip' : 'error';
}

const output: Command = async (context) => {
  const name = context.arg('filepipe', true);
  const sink = openSink(name === null ? null : home(name));
  if (sink === undefined) return 'error';
  if (pset.out !== stdout) await pset.out.close();
  pset.out = sink;
  return 'skip';
};

const echo: Command = (context) => {
  const words: string[] = [];
  let newline = true;
  for (let word = context.arg(); word !== null; word = context.arg()) {
    if (words.length === 0 && newline && word === '-n' && !context.scanner.quoted) newline = false;
    else words.push(word);
  }
  const text = words.join(' ') + (newline ? '\n' : '');
  if (context.name === 'warn') {
    pset.out.flush();
    stdout.flush();
    process.stderr.write(text);
  } else if (context.name === 'qecho') pset.out.write(text);
  else stdout.write(text);
  stdout.flush();
  return 'skip';
};

const editQuery: Command = (context) => {
  let file = context.arg('normal', true), lineText = file === null ? null : context.arg('normal', true);
  if (file !== null && lineText === null && /^\d+$/.test(file)) {
    lineText = file;
    file = null;
  }
  const line = lineText === null ? null : Number.parseInt(lineText, 10);
  if (line !== null && !(line >= 1)) {
    logError(`invalid line number: ${lineText}`);
    return 'error';
  }
  const { query, previous } = context, recalled = query.text === '' && file === null;
  const edited = editText(recalled ? previous.text : query.text, line, file === null ? null : home(file));
  if (edited === null) return 'error';
  // Who leaves the editor without writing does not want a file, or the last statement, to be run.
  if (edited !== 'unchanged') query.text = edited.text;
  else if (recalled || file !== null) query.text = '';
  return 'newedit';
};

const shell: Command = (context) => {
  const command = context.arg('whole line');
  pset.out.flush();
  stdout.flush();
  runShell(command ?? `exec ${process.env['SHELL'] ?? '/bin/sh'}`);
  return 'skip';
};

// ---- \watch

/** Date and time as the C locale writes them (%c of strftime). */
export function dateText(date: Date): string {
  const pad = (n: number): string => String(n).padStart(2, '0');
  const day = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][date.getDay()]!, month = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'][date.getMonth()]!;
  return `${day} ${month} ${String(date.getDate()).padStart(2)} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())} ${date.getFullYear()}`;
}

const watch: Command = async (context) => {
  const { query, previous } = context, arg = context.arg('normal', true);
  let seconds = 2;
  if (arg !== null) {
    seconds = Number.parseFloat(arg);
    if (!(seconds > 0)) seconds = 1;
  }
  if (query.text === '') query.text = previous.text;
  if (query.text.trim() === '') {
    logError('\\watch cannot be used with an empty query');
    return 'error';
  }
  const title = pset.popt.title, text = query.text, pager = watchPager(), before = pset.out, { bind } = pset;
  const over = (): boolean => interrupt.pressed || pager?.ended === true;
  if (pager !== null) pset.out = pager;
  let failed = false;
  while (!over()) {
    const head = `${dateText(new Date())} (every ${seconds}s)\n`;
    pset.popt.title = title === null ? head : `${title}\t${head}`;
    let ok: boolean;
    pset.bind = bind;
    try {
      ok = await watchQuery(text);
    } finally {
      pset.popt.title = title;
    }
    pset.out.flush();
    if (!ok) {
      failed = true;
      break;
    }
    for (let waited = 0; waited < seconds * 1000 && !over(); waited += 50) await new Promise((wake) => { setTimeout(wake, Math.min(50, seconds * 1000 - waited)); });
  }
  pset.out = before;
  if (pager !== null) await pager.close();
  // Behind the ^C of the terminal; a pager leaves the screen as it was.
  else stdout.write('\n');
  interrupt.pressed = false;
  query.text = '';
  return failed ? 'error' : 'skip';
};

// ---- the table

const needs = (context: CommandContext, count: number): string[] | null => {
  const words: string[] = [];
  for (let i = 0; i < count; i++) {
    const word = context.arg('normal', false);
    if (word === null) {
      logError(`\\${context.name}: missing required argument`);
      return null;
    }
    words.push(word);
  }
  return words;
};

const pset1 = (option: string, kind: 'normal' = 'normal'): Command => (context) => (applyPset(option, context.arg(kind, true), pset.popt, pset.quiet) ? 'skip' : 'error');

defineCommands({
  ...conditionals,
  'g gx': g,
  'gset': again((c) => { pset.gset = c.arg() ?? ''; }),
  'gexec': again(() => { pset.gexec = true; }),
  'bind': (c) => {
    const values: string[] = [];
    for (let value = c.arg(); value !== null; value = c.arg()) values.push(value);
    pset.bind = values;
    return 'skip';
  },
  'gdesc': again(() => { pset.gdesc = true; }),
  'crosstabview': again((c) => {
    pset.crosstab = [];
    for (let i = 0; i < 4; i++) {
      const arg = c.arg();
      if (arg === null) break;
      pset.crosstab.push(arg);
    }
  }),
  'watch': watch,
  'i include': (c) => include(c, false),
  'ir include_relative': (c) => include(c, true),
  'o out': output,
  'echo qecho warn': echo,
  'e edit': editQuery,
  '!': shell,
  'q quit': () => 'terminate',
  'p print': ({ query, previous }) => {
    const text = query.text !== '' ? query.text : previous.text;
    if (text !== '') stdout.write(`${text}\n`);
    else if (!pset.quiet) stdout.write('Query buffer is empty.\n');
    stdout.flush();
    return 'skip';
  },
  'r reset': ({ query, scanner }) => {
    query.text = '';
    scanner.reset();
    if (!pset.quiet) stdout.write('Query buffer reset (cleared).\n');
    return 'skip';
  },
  's': (c) => {
    const file = c.arg('normal', true), entries = current.terminal?.history?.entries, text = (entries ?? []).map((l) => `${l}\n`).join('');
    if (file === null) {
      // However short, it is paged.
      if (entries !== undefined) pageOut(text, { ...pset.popt, pager: pset.popt.pager === 0 ? 0 : 2 }, stdout);
      stdout.write('\n');
    }
    if (entries === undefined) return 'error';
    if (file !== null) {
      try {
        writeFileSync(home(file), text);
      } catch (error) {
        logError(`could not save history to file "${file}": ${strerror(error)}`);
        return 'error';
      }
      if (!pset.quiet) stdout.write(`Wrote history to file "${file}".\n`);
    }
    return 'skip';
  },
  'w write': async (c) => {
    const file = c.arg('filepipe', true);
    if (file === null) {
      logError(`\\${c.name}: missing required argument`);
      return 'error';
    }
    const sink = openSink(home(file)), text = c.query.text !== '' ? c.query.text : c.previous.text;
    if (sink === undefined) return 'error';
    if (text !== '') sink.write(`${text}\n`);
    const failure = sink.failure();
    await sink.close();
    if (failure !== null) logError(`${file}: ${failure}`);
    return failure === null ? 'skip' : 'error';
  },
  'set': (c) => {
    const name = c.arg();
    if (name === null) {
      stdout.write(listVariables());
      return 'skip';
    }
    let value = c.arg() ?? '';
    for (let more = c.arg(); more !== null; more = c.arg()) value += more;
    return setVariable(name, value) ? 'skip' : 'error';
  },
  'unset': (c) => {
    const name = needs(c, 1);
    return name !== null && setVariable(name[0]!, null) ? 'skip' : 'error';
  },
  'getenv': (c) => {
    const words = needs(c, 2);
    if (words === null) return 'error';
    const value = process.env[words[1]!];
    return value === undefined || setVariable(words[0]!, value) ? 'skip' : 'error';
  },
  'setenv': (c) => {
    const name = c.arg(), value = c.arg();
    if (name === null) {
      logError(`\\${c.name}: missing required argument`);
      return 'error';
    }
    if (name.includes('=')) {
      logError(`\\${c.name}: environment variable name must not contain "="`);
      return 'error';
    }
    if (value === null) delete process.env[name];
    else process.env[name] = value;
    return 'skip';
  },
  'prompt': async (c) => {
    const first = c.arg(), second = first === null ? null : c.arg();
    if (first === null) {
      logError(`\\${c.name}: missing required argument`);
      return 'error';
    }
    const name = second ?? first, text = second === null ? '' : first;
    pset.out.flush();
    let value: string | null;
    if (pset.inputFile !== null) {
      stdout.write(text);
      stdout.flush();
      value = await current.source?.next('') ?? null;
      if (value === null) {
        logError(`\\${c.name}: could not read value for variable`);
        return 'error';
      }
    } else value = current.terminal === null ? await readLine(text).catch(() => INTERRUPTED) : await current.terminal.next(text) ?? '';
    if (value === INTERRUPTED) return 'error';
    return setVariable(name, value) ? 'skip' : 'error';
  },
  'cd': (c) => {
    const folder = home(c.arg('normal', true) ?? process.env['HOME'] ?? homedir());
    try {
      process.chdir(folder);
      return 'skip';
    } catch (error) {
      logError(`\\${c.name}: could not change directory to "${folder}": ${strerror(error)}`);
      return 'error';
    }
  },
  'copyright': () => {
    stdout.write(copyright());
    return 'skip';
  },
  'errverbose': () => {
    const last = pset.lastError;
    if (last === null) stdout.write('There is no previous error.\n');
    else logInfo(reportText(last.error.fields, last.query, 'verbose', 'always', true));
    stdout.flush();
    return 'skip';
  },
  'timing': (c) => {
    const arg = c.arg();
    let failed = false;
    if (arg === null) pset.timing = !pset.timing;
    else {
      const on = booleanOf(arg, '\\timing');
      if (on === undefined) failed = true;
      else pset.timing = on;
    }
    if (!pset.quiet) stdout.write(pset.timing ? 'Timing is on.\n' : 'Timing is off.\n');
    return failed ? 'error' : 'skip';
  },
  'copy': async (c) => {
    const text = c.arg('whole line');
    return await doCopy(text ?? '') ? 'skip' : 'error';
  },
  'a': () => (applyPset('format', pset.popt.format !== 'aligned' ? 'aligned' : 'unaligned', pset.popt, pset.quiet) ? 'skip' : 'error'),
  'C': (c) => (applyPset('title', c.arg('normal', true), pset.popt, pset.quiet) ? 'skip' : 'error'),
  'f': (c) => (applyPset('fieldsep', c.arg(), pset.popt, pset.quiet) ? 'skip' : 'error'),
  'H html': () => (applyPset('format', pset.popt.format !== 'html' ? 'html' : 'aligned', pset.popt, pset.quiet) ? 'skip' : 'error'),
  't': pset1('tuples_only'),
  'T': (c) => (applyPset('tableattr', c.arg(), pset.popt, pset.quiet) ? 'skip' : 'error'),
  'x': pset1('expanded'),
  'pset': (c) => {
    const name = c.arg(), value = c.arg();
    if (name === null) {
      showPset(pset.popt);
      return 'skip';
    }
    return applyPset(name, value, pset.popt, pset.quiet) ? 'skip' : 'error';
  },
  'h help': async (c): Promise<CommandStatus> => {
    const topic = c.arg('whole line'), { sqlHelp } = await import('./sql_help.ts');
    sqlHelp(topic?.replace(/[;\s]+$/, '') ?? '');
    return 'skip';
  },
  '?': (c) => {
    slashUsage(c.arg('normal', false));
    return 'skip';
  },
  'restrict': (c) => {
    const key = c.arg('normal', true);
    if (key === null || key === '') {
      logError(`\\${c.name}: missing required argument`);
      return 'error';
    }
    restriction.key = key;
    return 'skip';
  },
  'unrestrict': (c) => {
    const key = c.arg('normal', true);
    if (key === null || key === '') logError(`\\${c.name}: missing required argument`);
    else if (restriction.key === null) logError(`\\${c.name}: not currently in restricted mode`);
    else if (key !== restriction.key) logError(`\\${c.name}: wrong key`);
    else {
      restriction.key = null;
      return 'skip';
    }
    return 'error';
  },
  'encoding': async (c): Promise<CommandStatus> => {
    const name = c.arg('normal', false);
    if (name === null) {
      stdout.write(`${pset.encoding.name}\n`);
      return 'skip';
    }
    const known = findEncoding(name);
    try {
      if (known === null || known === undefined) throw new Error(`no encoding ${name}`);
      await pset.db?.exec(`SET client_encoding TO '${known.name}'`);
    } catch {
      logError(`${name}: invalid encoding name or conversion procedure not found`);
      // PostgreSQL's psql does not call that a failure.
      return 'skip';
    }
    return 'skip';
  },
});
