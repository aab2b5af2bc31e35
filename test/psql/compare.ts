// Many small scripts in one file: a line "-- ==== name [psql options]" begins each. Both psqls run each of them.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { programFolder } from '../support/account.ts';

/** As `make build` made it. */
export const OURS = [join(programFolder(), 'dist/bin/psql')];

export interface Script { name: string; args: string[]; text: string }
export interface Ran { code: number | string | null | undefined; out: string; err: string }

export function readScripts(file: string): Script[] {
  const scripts: Script[] = [];
  for (const line of readFileSync(file, 'utf8').split(/(?<=\n)/)) {
    const m = /^-- ==== ([^[\n]+?)(?: \[(.*)\])?\n$/.exec(line);
    if (m !== null) scripts.push({ name: m[1]!, args: m[2] === undefined ? [] : m[2].split(' '), text: '' });
    else if (scripts.length > 0) scripts.at(-1)!.text += line;
  }
  return scripts;
}

export function runPsql(command: readonly string[], script: Script, env: Record<string, string>): Promise<Ran> {
  return new Promise((done) => {
    const child = execFile(command[0]!, [...command.slice(1), '-X', ...script.args], { env: { PATH: process.env['PATH']!, HOME: '/nowhere', LC_ALL: 'C.UTF-8', ...env }, maxBuffer: 1 << 26, cwd: '/' }, (_error, out, err) => {
      done({ code: child.exitCode ?? child.signalCode, out, err });
    });
    child.stdin!.on('error', () => {});
    child.stdin!.end(script.text);
  });
}

/** \bind and --no-color are ours. */
export const withoutOurs = (help: string): string => help.replace(/^(?: {2}\\bind| {6}--no-color) .*\n/gm, '');

/** What differs on purpose: the version of psql itself, and what only ours has in its help; and by itself: numbers of processes, sessions and objects. */
export const same = (text: string): string => withoutOurs(text).replaceAll('/usr/lib/postgresql/15/bin/psql:', 'psql:').replaceAll('15.18 (Posthouse)', 'VERSION').replace(/15\.18 \(Debian [^)]*\)/g, 'VERSION').replace(/PID \d+/g, 'PID').replace(/pg_temp_\d+/g, 'pg_temp')
  .replace(/(lo_import|lo_unlink) \d{5}$/gm, '$1 OID').replace(/psql\.edit\.\S+/g, 'FILE');
