// psql at a real terminal: prompts, several lines, Ctrl-C, completion, history, the pager, the end.
import test from 'ava';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn, type IPty } from 'node-pty';
import { startSite, type Site } from '../support/site.ts';
import { OURS } from './compare.ts';

const home = mkdtempSync(join(tmpdir(), 'posthouse-psql-'));
let site: Site;
test.before(async () => { site = await startSite(); });
test.after.always(async () => {
  await site?.remove();
  rmSync(home, { recursive: true });
});

/** A session at a terminal; `until` waits for a text behind the last one found. */
class Screen {
  private readonly pty: IPty;
  private text = '';
  private found = 0;
  private look: (() => void) | null = null;
  readonly exit: Promise<number>;

  constructor(args: readonly string[] = [], env: Record<string, string> = {}) {
    this.pty = spawn(OURS[0]!, [...args], {
      cols: 80, rows: 24, env: { PATH: process.env['PATH']!, HOME: home, TERM: 'xterm', LC_ALL: 'C.UTF-8', ...site.env(), ...env },
    });
    this.pty.onData((data) => {
      // oxlint-disable-next-line no-control-regex -- what moves the cursor is no text
      this.text += data.replace(/\x1b\[[0-9;?]*[a-zA-Z]/g, '').replaceAll('\r', '');
      this.look?.();
    });
    this.exit = new Promise((done) => { this.pty.onExit(({ exitCode }) => done(exitCode)); });
  }

  type(text: string): void { this.pty.write(text); }

  until(wanted: string): Promise<void> {
    return new Promise((done, failed) => {
      const limit = setTimeout(() => failed(new Error(`"${wanted}" does not come:\n${this.text.slice(this.found)}`)), 40_000);
      this.look = () => {
        const at = this.text.indexOf(wanted, this.found);
        if (at < 0) return;
        this.found = at + wanted.length;
        this.look = null;
        clearTimeout(limit);
        done();
      };
      this.look();
    });
  }

  async line(text: string, answer: string): Promise<void> {
    this.type(`${text}\r`);
    await this.until(answer);
  }
}

test.serial('prompts follow the statement and the transaction; Ctrl-C gives up a line, and a query', async (t) => {
  const screen = new Screen(['-X']);
  await screen.until('psql (15.18 (Posthouse))');
  await screen.until('postgres=# ');
  await screen.line('select \'a', 'postgres\'# ');
  await screen.line('b\' as t;', ' b\n(1 row)');
  await screen.line('select (1', 'postgres(# ');
  screen.type('\x03');
  await screen.until('^C\n');
  await screen.line('begin;', 'postgres=*# ');
  await screen.line('select 1/0;', 'postgres=!# ');
  await screen.line('rollback;', 'postgres=# ');
  screen.type('select pg_sleep(60);\r');
  await screen.until('pg_sleep(60);\n');
  // The query is on its way when the prompt's line has ended; the server must have it before it can give it up.
  const other = await site.connect();
  for (;;) if ((await other.query('select 1 from pg_stat_activity where query like \'select pg_sleep%\' and state = \'active\'')).rows.length > 0) break;
  screen.type('\x03');
  await screen.until('canceling statement due to user request');
  await screen.line('\\foo', 'invalid command \\foo\nTry \\? for help.');
  screen.type('\x04');
  await screen.until('\\q');
  t.is(await screen.exit, 0);
});

test.serial('Tab knows commands, tables and columns; the history is kept', async (t) => {
  await site.psql('create table coachman (whip int, horn text)');
  const screen = new Screen(['-X']);
  await screen.until('postgres=# ');
  screen.type('select horn fr');
  screen.type('\t');
  await screen.until('from ');
  screen.type('coa');
  screen.type('\t');
  await screen.until('coachman ');
  screen.type('where whi');
  await screen.until('where whi');
  screen.type('\t');
  await screen.until('p ');
  await screen.line('= 1;', '(0 rows)');
  screen.type('\\conni');
  await screen.until('\\conni');
  screen.type('\t');
  await screen.until('nfo');
  await screen.line('', 'You are connected to database "postgres"');
  await screen.line('\\q', '\\q');
  t.is(await screen.exit, 0);
  t.regex(readFileSync(join(home, '.psql_history'), 'utf8'), /^select horn from coachman where whip = 1;$/m);
  const again = new Screen(['-X']);
  await again.until('postgres=# ');
  again.type('\x1b[A');
  again.type('\x1b[A');
  again.type('\x1b[A');
  await again.until('select horn from coachman');
  again.type('\r');
  await again.until('(0 rows)');
  again.type('\x04');
  t.is(await again.exit, 0);
});

test.serial('~/.psqlrc is read, long output goes through the pager, \\e calls the editor', async (t) => {
  writeFileSync(join(home, '.psqlrc'), '\\set PROMPT1 \'%n@%/> \'\n\\pset null (none)\n');
  const editor = join(home, 'editor');
  writeFileSync(editor, '#!/bin/sh\neval file=\\${$#}\necho "select 40 + 2 as edited;" > "$file"\n');
  chmodSync(editor, 0o755);
  const screen = new Screen(['-q'], { PAGER: 'sed "s/^/paged /"', EDITOR: editor });
  await screen.until('postgres@postgres> ');
  await screen.line('select null as n;', '(none)');
  await screen.line('select * from generate_series(1, 60);', 'paged (60 rows)');
  await screen.line('\\e', 'edited');
  await screen.until('42');
  await screen.line('\\q', '\\q');
  t.is(await screen.exit, 0);
});
