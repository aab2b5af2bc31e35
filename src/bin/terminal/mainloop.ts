// Reads lines, finds statements and commands in them, and runs these (mainloop.c); \i comes back here for its file.
import { handleSlash, type CommandStatus } from './command.ts';
import { sendQuery } from './common.ts';
import { ConditionalStack } from './conditional.ts';
import { current, FileSource, type LineSource } from './input.ts';
import { logError, stdout, systemMessage } from './output.ts';
import { promptText } from './prompt.ts';
import { Scanner } from './scan.ts';
import { EXIT_BADCONN, EXIT_FAILURE, EXIT_SUCCESS, EXIT_USER, pset } from './settings.ts';

/** Ctrl-C was pressed and has not been answered. */
export const interrupt = { pressed: false };
const INTERRUPTED_LINE = '\x03';

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
    current.terminal?.remember(history.replace(/\n$/, ''));
    history = '';
  };

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
    let line = await source.next(pset.interactive ? promptText(scanner.prompt, conditions) : '');
    if (line === INTERRUPTED_LINE) {
      scanner.reset();
      query.text = history = '';
      while (!conditions.empty) conditions.pop();
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
    if (pset.interactive && query.text === '' && /^\s*(help|quit|exit)\s*;?\s*$/i.test(line)) {
      if (/help/i.test(line)) {
        stdout.write('You are using psql, the command-line interface to PostgreSQL.\nType:  \\copyright for distribution terms\n       \\h for help with SQL commands\n       \\? for help with psql commands\n       \\g or terminate with semicolon to execute query\n       \\q to quit\n');
        continue;
      }
      status = 'terminate';
      break;
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
      const found = scanner.scan(query);
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
    source = new FileSource(0);
    name = '<stdin>';
  } else {
    name = path.replace(/^~(?=\/|$)/, process.env['HOME'] ?? '~');
    if (relative && pset.inputFile !== null && !name.startsWith('/') && pset.inputFile.includes('/')) name = `${pset.inputFile.slice(0, pset.inputFile.lastIndexOf('/') + 1)}${name}`;
    try {
      source = FileSource.open(name);
    } catch (error) {
      logError(`${name}: ${systemMessage(error)}`);
      return EXIT_FAILURE;
    }
  }
  const before = pset.inputFile;
  pset.inputFile = name;
  try {
    return await mainLoop(source);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error;
    logError(`could not read from input file: ${systemMessage(error)}`);
    return EXIT_FAILURE;
  } finally {
    pset.inputFile = before;
    source.close();
  }
}

/** For commands, which mainloop.ts itself imports. */
export const runFile: (path: string, relative: boolean) => Promise<number> = processFile;
