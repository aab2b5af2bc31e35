// Reads lines, finds statements and commands in them, and runs these (mainloop.c); \i comes back here for its file.
import { strerror } from '../../common/strerror.ts';
import { handleSlash, type CommandStatus } from './command.ts';
import { sendQuery } from './common.ts';
import { ConditionalStack } from './conditional.ts';
import { current, FileSource, INTERRUPTED, type LineSource } from './input.ts';
import type { Judgement } from './line_editor.ts';
import { logError, stdout } from './output.ts';
import { promptText } from './prompt.ts';
import { Scanner } from './scan.ts';
import { EXIT_BADCONN, EXIT_FAILURE, EXIT_SUCCESS, EXIT_USER, pset } from './settings.ts';

/** Ctrl-C was pressed and has not been answered. */
export const interrupt = { pressed: false };

/**
 * A Ctrl-C that came while a child of ours was waited for (a password, a pager) is told when the loop next polls, and must
 * not meet the next query. The first turn may have no poll: what runs now may be called from one.
 */
const signalsHeard = (): Promise<void> => new Promise((heard) => { setImmediate(setImmediate, heard); });

const HELP = `You are using psql, the command-line interface to PostgreSQL.
Type:  \\copyright for distribution terms
       \\h for help with SQL commands
       \\? for help with psql commands
       \\g or terminate with semicolon to execute query
       \\q to quit
`;

/** Words that beginners type: help, quit, exit; \\q where it is part of a quoted text. */
function plainWord(line: string, quoted: boolean): string | null {
  const m = /^(help|quit|exit)\s*;?\s*$/i.exec(line);
  if (m !== null) return m[1]!.toLowerCase();
  return quoted && /^\\q\s*$/.test(line) ? '\\q' : null;
}

/** What a text that is being typed would do: the prompts of the lines behind its first one, and whether it asks to be run. */
function judgeText(text: string, scanner: Scanner, before: string, conditions: ConditionalStack): Judgement {
  const query = { text: before }, lines = text.split('\n'), prompts: string[] = [];
  let complete = pset.singleLine || (before === '' && text.trim() === '' && !scanner.inQuote), at = pset.statementLine;
  for (const line of lines) {
    if (plainWord(line, scanner.inQuote) !== null && line === lines.at(-1)) complete = true;
    if (line !== '' || scanner.inQuote) {
      if (query.text !== '') query.text += '\n';
      scanner.setup(line);
      let found = scanner.scan(query);
      for (; found === 'semicolon'; found = scanner.scan(query)) {
        complete = true;
        query.text = '';
        at = 1;
      }
      if (found === 'backslash') complete = true;
      if (found === 'end of line') at++;
    }
    prompts.push(promptText(query.text === '' ? 'ready' : scanner.prompt, conditions, at));
  }
  return { prompts, complete };
}

export async function mainLoop(source: LineSource): Promise<number> {
  const conditions = new ConditionalStack(), scanner = new Scanner();
  scanner.active = () => conditions.active;
  const query = { text: '' }, previous = { text: '' };
  const before = { source: current.source, interactive: pset.interactive, line: pset.lineNumber, statement: pset.statementLine };
  current.source = source;
  pset.interactive = source.interactive;
  pset.lineNumber = 0;
  pset.statementLine = 1;
  let result = EXIT_SUCCESS, success = true, dieOnError = false, status: CommandStatus = 'unknown', ends = 0, history = '';

  const run = async (): Promise<void> => {
    if (conditions.active) {
      success = await sendQuery(query.text);
      status = success ? 'send' : 'error';
      previous.text = query.text;
      query.text = '';
    } else {
      if (pset.interactive) logError('query ignored; use \\endif or Ctrl-C to exit current \\if block');
      success = true;
      status = 'send';
    }
    pset.statementLine = 1;
  };
  const remember = (): void => {
    current.terminal?.history?.add(history.replace(/\n$/, ''));
    history = '';
  };
  const judge = (text: string): Judgement => judgeText(text, scanner.fork(), query.text, conditions);

  while (result === EXIT_SUCCESS) {
    if (interrupt.pressed) {
      interrupt.pressed = false;
      if (!pset.interactive) {
        result = EXIT_USER;
        break;
      }
    }
    pset.out.flush();
    stdout.flush();
    if (query.text === '') scanner.prompt = 'ready';
    if (pset.interactive) await signalsHeard();
    let line = await source.next(pset.interactive ? promptText(scanner.prompt, conditions) : '', judge);
    // A Ctrl-C that was meant for a pager or an editor is no wish to end what comes now.
    if (pset.interactive) interrupt.pressed = false;
    if (line === INTERRUPTED) {
      if (!pset.interactive) {
        result = EXIT_USER;
        break;
      }
      scanner.reset();
      query.text = history = '';
      ends = 0;
      status = 'unknown';
      pset.statementLine = 1;
      if (!conditions.empty) {
        logError('\\if: escaped');
        conditions.pop();
      }
      continue;
    }
    if (line === null) {
      if (pset.interactive) {
        if (++ends < pset.ignoreEof) {
          if (!pset.quiet) stdout.write('Use "\\q" to leave psql.\n');
          continue;
        }
        stdout.write(pset.quiet ? '\n' : '\\q\n');
      }
      break;
    }
    ends = 0;
    pset.lineNumber++;
    if (pset.lineNumber === 1 && !pset.interactive && line.startsWith('PGDMP')) {
      stdout.write('The input is a PostgreSQL custom-format dump.\nUse the pg_restore command-line client to restore this dump to a database.\n\n');
      result = EXIT_FAILURE;
      break;
    }
    if (line === '' && !scanner.inQuote) continue;
    const word = pset.interactive ? plainWord(line, scanner.inQuote) : null;
    if (word !== null) {
      const empty = query.text === '', { prompt } = scanner, quoted = scanner.inQuote;
      if (word === 'help') stdout.write(empty ? HELP : 'Use \\? for help or press control-C to clear the input buffer.\n');
      else if (!empty && (word !== '\\q' || quoted)) stdout.write(prompt === 'continue' || prompt === 'paren' ? 'Use \\q to quit.\n' : 'Use control-D to quit.\n');
      if (empty && word === 'help') continue;
      if (empty && word !== '\\q') {
        status = 'terminate';
        break;
      }
    }
    if (pset.echo === 'all' && !pset.interactive) {
      stdout.write(`${line}\n`);
      stdout.flush();
    }
    if (source.interactive) history += `${line}\n`;
    let newlineAt = -1;
    if (query.text !== '') {
      query.text += '\n';
      newlineAt = query.text.length;
    }
    dieOnError = pset.onErrorStop;
    scanner.setup(line);
    success = true;
    while (success || !dieOnError) {
      const from = query.text.length, found = scanner.scan(query);
      pset.statementLine += query.text.slice(from).split('\n').length - (found === 'end of line' ? 0 : 1);
      if (found === 'semicolon' || (found === 'end of line' && pset.singleLine)) {
        if (found === 'semicolon') remember();
        await run();
        newlineAt = -1;
      } else if (found === 'backslash') {
        // A newline that nothing stands behind goes again: a line with just a command leaves the statement as it was.
        if (query.text.length === newlineAt) query.text = query.text.slice(0, -1);
        newlineAt = -1;
        remember();
        status = await handleSlash(scanner, conditions, query, previous);
        success = status !== 'error';
        pset.statementLine = 1;
        if (status === 'send') {
          success = await sendQuery(query.text);
          previous.text = query.text;
          query.text = '';
          scanner.reset();
        } else if (status === 'newedit') {
          line = query.text.endsWith('\n') ? query.text : `${query.text}\n`;
          query.text = '';
          scanner.reset();
          scanner.setup(line);
        } else if (status === 'terminate') break;
      }
      if (found === 'incomplete' || found === 'end of line') break;
    }
    if (status === 'terminate') break;
    if (!pset.interactive) {
      if (!success && dieOnError) result = EXIT_USER;
      else if (pset.db === null) result = EXIT_BADCONN;
    }
  }
  if (query.text !== '' && !pset.interactive && result === EXIT_SUCCESS && status !== 'terminate') {
    if (conditions.active) success = await sendQuery(query.text);
    else success = true;
    if (!success && dieOnError) result = EXIT_USER;
    else if (pset.db === null) result = EXIT_BADCONN;
  }
  if (status !== 'terminate' && result !== EXIT_USER && !conditions.empty) {
    logError('reached EOF without finding closing \\endif(s)');
    if (dieOnError && !pset.interactive) result = EXIT_USER;
  }
  current.source = before.source;
  pset.interactive = before.interactive;
  pset.lineNumber = before.line;
  pset.statementLine = before.statement;
  return result;
}

/** Runs a script; "-" is standard input. */
export async function processFile(path: string, relative = false): Promise<number> {
  let source: FileSource, name = path;
  if (path === '-') {
    source = FileSource.standardInput();
    name = '<stdin>';
  } else {
    name = path.replace(/^~(?=\/|$)/, process.env['HOME'] ?? '~');
    if (relative && pset.inputFile !== null && !name.startsWith('/') && pset.inputFile.includes('/')) name = `${pset.inputFile.slice(0, pset.inputFile.lastIndexOf('/') + 1)}${name}`;
    try {
      source = FileSource.open(name);
    } catch (error) {
      logError(`${name}: ${strerror(error)}`);
      return EXIT_FAILURE;
    }
  }
  const before = pset.inputFile;
  pset.inputFile = name;
  try {
    return await mainLoop(source);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error;
    logError(`could not read from input file: ${strerror(error)}`);
    return EXIT_FAILURE;
  } finally {
    pset.inputFile = before;
    source.close();
  }
}
