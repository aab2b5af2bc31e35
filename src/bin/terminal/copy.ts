// \copy (parse_slash_copy and do_copy of copy.c): COPY with a file or program on this side.
import { once } from 'node:events';
import { closeSync, openSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import type { Readable } from 'node:stream';
import { strerror } from '../../common/strerror.ts';
import { sendQuery } from './common.ts';
import { copySource, type CopyFile } from './copy_data.ts';
import { FileSource } from './input.ts';
import { logError, openSink, stdout, type Sink } from './output.ts';
import { pset } from './settings.ts';
import { endText, startShell } from './shell.ts';

interface CopyRequest {
  /** What stands before and behind the file. */
  before: string;
  after: string;
  from: boolean;
  /** Null: the script's own input or output; "pstdin" and "pstdout" are psql's. */
  file: string | null;
  psqlInOut: boolean;
  program: boolean;
}

/** Words, quoted texts with their quotes, and single marks (strtokx). */
function tokens(text: string): { text: string; at: number; end: number }[] {
  const found: { text: string; at: number; end: number }[] = [];
  const pattern = /\s*("(?:[^"]|"")*"|[eE]?'(?:[^'\\]|\\[^]|'')*'|[.,()]|[^\s.,()"']+)/y;
  for (;;) {
    const m = pattern.exec(text);
    if (m === null) return found;
    found.push({ text: m[1]!, at: m.index + m[0].length - m[1]!.length, end: pattern.lastIndex });
  }
}

function parseCopy(args: string): CopyRequest | null {
  const list = tokens(args);
  let n = 0;
  const refuse = (): null => {
    logError(n < list.length ? `\\copy: parse error at "${list[n]!.text}"` : '\\copy: parse error at end of line');
    return null;
  };
  if (list[n]?.text.toLowerCase() === 'binary') n++;
  if (list[n]?.text === '(') {
    let depth = 0;
    do {
      const token = list[n]?.text;
      if (token === undefined) return refuse();
      depth += token === '(' ? 1 : token === ')' ? -1 : 0;
      n++;
    } while (depth > 0);
  } else {
    if (list[n] === undefined) return refuse();
    n++;
    while (list[n]?.text === '.') n += 2;
    if (list[n]?.text === '(') {
      while (list[n] !== undefined && list[n]!.text !== ')') n++;
      n++;
    }
  }
  const direction = list[n]?.text.toLowerCase();
  if (direction !== 'from' && direction !== 'to') return refuse();
  const beforeEnd = list[n]!.at;
  n++;
  const request: CopyRequest = { before: args.slice(0, beforeEnd).trimEnd(), after: '', from: direction === 'from', file: null, psqlInOut: false, program: false };
  // A file's name goes on to the next white space, whatever it is made of.
  const start = list[n]?.at;
  if (start === undefined) return refuse();
  let word = /^(?:'(?:[^']|'')*'|\S+)/.exec(args.slice(start))![0], end = start + word.length;
  const lower = word.toLowerCase();
  if (lower === 'program') {
    const rest = /^\s*('(?:[^']|'')*')/.exec(args.slice(end));
    if (rest === null) {
      n++;
      return refuse();
    }
    request.program = true;
    word = rest[1]!;
    end += rest[0].length;
    request.file = word.slice(1, -1).replaceAll('\'\'', '\'');
  } else if (lower === 'stdin' || lower === 'stdout') request.file = null;
  else if (lower === 'pstdin' || lower === 'pstdout') request.psqlInOut = true;
  else request.file = (word.startsWith('\'') ? word.slice(1, -1).replaceAll('\'\'', '\'') : word).replace(/^~(?=\/|$)/, process.env['HOME'] ?? homedir());
  request.after = args.slice(end).replace(/^\s/, '').trimEnd();
  return request;
}

export async function doCopy(args: string): Promise<boolean> {
  if (args.trim() === '') {
    logError('\\copy: arguments required');
    return false;
  }
  const request = parseCopy(args.replace(/;\s*$/, ''));
  if (request === null) return false;
  const sql = `COPY  ${request.before} ${request.from ? 'FROM STDIN ' : 'TO STDOUT '}${request.after}`;
  const binary = /\bbinary\b/i.test(args);
  return request.from ? copyFrom(request, sql, binary) : copyTo(request, sql);
}

async function copyFrom(request: CopyRequest, sql: string, binary: boolean): Promise<boolean> {
  if (request.file === null && !request.psqlInOut) return sendQuery(sql);
  if (request.program) {
    stdout.flush();
    const child = startShell(request.file!, 'out'), ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    const ok = await sendFrom(new ProgramSource(child.stdout!), sql, binary, null);
    // What it still has to say nobody will hear.
    child.stdout!.destroy();
    const [status, signal] = await ended;
    // One that could not write any more was not wrong.
    const wrong = signal === 'SIGPIPE' || (status === 141 && !ok) ? null : endText(status, signal);
    if (wrong !== null) logError(`${request.file}: ${wrong}`);
    return ok && wrong === null;
  }
  // Line by line: what follows \. may be the script.
  if (request.psqlInOut) return sendFrom({ nextLines: () => FileSource.standardInput().nextBytes() }, sql, binary, null);
  let fd: number, bytes: number | null;
  try {
    const found = statSync(request.file!);
    if (found.isDirectory()) {
      logError(`${request.file}: cannot copy from/to a directory`);
      return false;
    }
    bytes = found.isFile() ? found.size : null;
    fd = openSync(request.file!, 'r');
  } catch (error) {
    logError(`${request.file}: ${strerror(error)}`);
    return false;
  }
  try {
    return await sendFrom(new FileSource(fd), sql, binary, bytes);
  } finally {
    closeSync(fd);
  }
}

async function sendFrom(file: CopyFile, sql: string, binary: boolean, totalBytes: number | null): Promise<boolean> {
  Object.assign(copySource, { file, binary, totalBytes });
  try {
    return await sendQuery(sql);
  } finally {
    Object.assign(copySource, { file: null, binary: false, totalBytes: null });
  }
}

/** What a program prints, as it comes, cut behind a line's end. */
class ProgramSource implements CopyFile {
  private readonly pieces: AsyncIterator<Buffer>;
  private next: Promise<IteratorResult<Buffer>>;
  private rest: Buffer = Buffer.alloc(0);

  constructor(output: Readable) {
    this.pieces = output[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    // At once: what nobody waits for when the program ends, Node throws away.
    this.next = this.pieces.next();
  }

  async nextLines(): Promise<Buffer | null> {
    for (;;) {
      const piece = await this.next;
      if (piece.done !== true) this.next = this.pieces.next();
      const all = piece.done === true ? this.rest : Buffer.concat([this.rest, piece.value]);
      const end = piece.done === true ? all.length : all.lastIndexOf(10) + 1;
      this.rest = all.subarray(end);
      if (end > 0) return all.subarray(0, end);
      if (piece.done === true) return null;
    }
  }
}

async function copyTo(request: CopyRequest, sql: string): Promise<boolean> {
  if (request.file === null && !request.psqlInOut) return sendQuery(sql);
  let sink: Sink | undefined;
  if (request.psqlInOut) sink = stdout;
  else if (request.program) sink = openSink(`|${request.file}`);
  else {
    try {
      if (statSync(request.file!).isDirectory()) {
        logError(`${request.file}: cannot copy from/to a directory`);
        return false;
      }
    } catch { /* it will be made */ }
    sink = openSink(request.file);
  }
  if (sink === undefined) return false;
  const before = pset.copyTarget;
  pset.copyTarget = sink;
  let ok: boolean, wrong: string | null = null;
  try {
    ok = await sendQuery(sql);
  } finally {
    pset.copyTarget = before;
    if (sink !== stdout) wrong = await sink.close();
    else stdout.flush();
  }
  if (wrong !== null) logError(`${request.file}: ${wrong}`);
  return ok && wrong === null;
}
