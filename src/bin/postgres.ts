#!/usr/bin/env node
// postgres --single: one backend on the terminal, for a site whose postmaster is not running. Without --single it is the
// postmaster.
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';
import { PgError } from '../common/errors.ts';
import type { DestReceiver, ResultColumn } from '../backend/executor/dest.ts';
import { lockSite, removeLockFile, writeLockFile, type LockFile } from '../backend/postmaster/lock_file.ts';
import { openSite } from '../backend/postmaster/postmaster.ts';
import { emptyTemporaryFolder } from '../backend/postmaster/site_check.ts';
import { executeString, findDatabase, openStandalone } from '../backend/tcop/standalone.ts';
import { loadBackend } from '../backend/tcop/warm.ts';
import { typeHooks } from '../backend/types/hooks.ts';
import { session } from '../backend/utils/session.ts';
import { complain, fail, getopt, option, standardOptions } from './getopt.ts';

const PROGRAM = 'postgres';
const HELP = `postgres is the Posthouse server.

Usage:
  postgres [OPTION]...                 as postmaster (see postmaster --help)
  postgres --single [OPTION]... [DBNAME]

Options of single-user mode:
  -D DATADIR         site (database directory)
  -E                 echo statement before execution
  -j                 do not use newline as interactive query delimiter: a
                     statement ends with a semicolon and two newlines
  -V, --version      output version information, then exit
  -?, --help         show this help, then exit

Example:
  echo "SELECT datname FROM pg_database" | postgres --single -D /var/lib/mysite postgres
`;

async function single(): Promise<void> {
  const { options, rest } = getopt(PROGRAM, process.argv.slice(3), [':D=', ':E', ':j'].map(option));
  const given = new Map(options);
  const site = given.get('D') ?? process.env['PGDATA'];
  if (process.geteuid!() === 0) {
    complain(PROGRAM, '"root" execution of the PostgreSQL server is not permitted.');
    fail(PROGRAM, 'the server must be started under an unprivileged user ID to prevent possible system security compromise');
  }
  if (!site) fail(PROGRAM, 'does not know where to find the site', 'Give it with -D or the PGDATA environment variable.');
  openSite(resolve(site));
  const lock = lockOrFail(site);
  await loadBackend();
  const name = rest[0] ?? 'postgres';
  const oid = findDatabase(name);
  if (oid === 0) fail(PROGRAM, `database "${name}" does not exist`);
  const alone = openStandalone(oid, name);
  session.notice = (notice) => { process.stderr.write(`${notice.severity}:  ${notice.message}\n`); };
  console.log('\nPosthouse stand-alone backend (PostgreSQL 15.18)');
  await readStatements(given);
  alone.close();
  removeLockFile(lock);
  process.exit(0);
}

/** A site has one writer: with a postmaster running, that is not us, and while we run no postmaster starts. */
function lockOrFail(site: string): LockFile {
  try {
    const lock = lockSite(site);
    writeLockFile(lock, [`-${process.pid}`, resolve(site), String(Math.trunc(Date.now() / 1000))]);
    emptyTemporaryFolder();
    return lock;
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    return fail(PROGRAM, error.message, error.fields.hint);
  }
}

async function readStatements(given: ReadonlyMap<string, string>): Promise<void> {
  const lines = createInterface({ input: process.stdin });
  const prompt = (): void => { process.stdout.write('backend> '); };
  let text = '';
  prompt();
  for await (const line of lines) {
    text += `${line}\n`;
    const complete = given.has('j') ? /;\s*\n\s*\n$/.test(text) : !line.endsWith('\\');
    if (!complete) {
      if (!given.has('j')) text = `${text.slice(0, -2)}\n`;
      continue;
    }
    if (text.trim() !== '') run(text, given.has('E'));
    text = '';
    prompt();
  }
  if (text.trim() !== '') run(text, given.has('E'));
}

function run(text: string, echo: boolean): void {
  if (echo) console.log(`statement: ${text}`);
  try {
    executeString(text, new TerminalDest());
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    process.stderr.write(`${error.severity}:  ${error.message}\n${error.fields.detail ? `DETAIL:  ${error.fields.detail}\n` : ''}`);
  }
}

/** The rows as PostgreSQL's own single-user mode prints them (debugtup). */
class TerminalDest implements DestReceiver {
  private columns: readonly ResultColumn[] = [];
  start(columns: readonly ResultColumn[]): void {
    this.columns = columns;
    columns.forEach((c, i) => console.log(`\t${i + 1 < 10 ? ` ${i + 1}` : i + 1}: ${c.name}\t(typeid = ${c.typeOid}, typmod = ${c.typmod})`));
    console.log('\t----');
  }
  receive(row: unknown[]): boolean {
    this.columns.forEach((c, i) => {
      const value = row[i];
      if (value === null || value === undefined) return;
      console.log(`\t${i + 1 < 10 ? ` ${i + 1}` : i + 1}: ${c.name} = "${typeHooks.typeIo(c.typeOid).output(value)}"\t(typeid = ${c.typeOid}, typmod = ${c.typmod})`);
    });
    console.log('\t----');
    return true;
  }
  end(): void {}
}

standardOptions(PROGRAM, HELP);
if (process.argv[2] !== '--single') {
  await import('./postmaster.ts');
} else {
  await single();
}
