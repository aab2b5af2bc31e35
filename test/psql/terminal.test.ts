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
  raw = '';
  private found = 0;
  private look: (() => void) | null = null;
  readonly exit: Promise<number>;

  constructor(args: readonly string[] = [], env: Record<string, string> = {}) {
    this.pty = spawn(OURS[0]!, [...args], {
      cols: 80, rows: 24, env: { PATH: process.env['PATH']!, HOME: home, TERM: 'xterm', LC_ALL: 'C.UTF-8', ...site.env(), ...env },
    });
    this.pty.onData((data) => {
      this.raw += data;
      // oxlint-disable-next-line no-control-regex -- what moves the cursor is no text
      this.text += data.replace(/\x1b\[[0-9;?]*[a-zA-Z]/g, '').replaceAll('\r', '');
      this.look?.();
    });
    this.exit = new Promise((done) => { this.pty.onExit(({ exitCode }) => done(exitCode)); });
  }

  type(text: string): void { this.pty.write(text); }

  until(wanted: string): Promise<void> {
    return new Promise((done, failed) => {
      const limit = setTimeout(() => failed(new Error(`"${wanted}" does not come:\n${this.text.slice(this.found)}`)), 15_000);
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
  await screen.until('Cancel request sent\nERROR:  canceling statement due to user request');
  await screen.line('\\foo', 'invalid command \\foo\nTry \\? for help.');
  await screen.until('postgres=# ');
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
  await again.until('postgres=# ');
  again.type('\x04');
  t.is(await again.exit, 0);
});

test.serial('a statement of several lines is edited and recalled as one', async (t) => {
  const screen = new Screen(['-X']);
  await screen.until('postgres=# ');
  await screen.line('select 1 as one,', 'postgres-# ');
  await screen.line('2 as two', 'postgres-# ');
  // Up twice, to the first line's end: another column.
  screen.type('\x1b[A\x1b[A\x1b[F 7 as seven,\x1b[B\x1b[B');
  await screen.line(';', ' one | seven | two \n');
  await screen.until('postgres=# ');
  // The whole of it comes back; its first line's last column goes.
  screen.type('\x10\x1b[A\x1b[A\x05\x17\x17\x17');
  await screen.until('postgres-# ;');
  screen.type('\x1b[B\x1b[B\r');
  await screen.until(' one | two \n');
  await screen.until('postgres=# ');
  // Found again by a piece of it, left with Ctrl-G.
  screen.type('\x12seven');
  await screen.until('(reverse-i-search)`seven\': select 1 as one, 7 as seven,\npostgres-# 2 as two');
  screen.type('\x07');
  // Pasted lines wait for Return; then each is run.
  screen.type('\x1b[200~select 10\n+ 1 as eleven;\nselect 5 as five;\n\x1b[201~');
  await screen.until('select 5 as five;');
  screen.type('\r');
  await screen.until(' eleven ');
  await screen.until(' five ');
  await screen.until('postgres=# ');
  // Alt-Return makes a line also where none is needed; Ctrl-_ takes back.
  screen.type('select 3 as three;\x1b\r-- ready\x1f\x1f');
  screen.type('\r');
  await screen.until(' three ');
  await screen.until('postgres=# ');
  await screen.line('select \'', 'postgres\'# ');
  await screen.line('\\q', 'Use control-D to quit.');
  await screen.until('postgres\'# ');
  await screen.line('help', 'press control-C to clear the input buffer.');
  await screen.until('postgres\'# ');
  screen.type('\x03');
  await screen.until('postgres=# ');
  // Ctrl-C leaves one \if.
  await screen.line('\\if false', 'postgres@# ');
  screen.type('\x03');
  await screen.until('\\if: escaped\n');
  await screen.until('postgres=# ');
  screen.type('\x04');
  t.is(await screen.exit, 0);
  t.regex(readFileSync(join(home, '.psql_history'), 'utf8'), /^select 1 as one, 7 as seven,\x012 as two\x01;$/m);
});

test.serial('colours on a terminal that wants them, and only there', async (t) => {
  const plain = new Screen(['-X', '--no-color']), none = new Screen(['-X'], { NO_COLOR: '1' }), dumb = new Screen(['-X'], { TERM: 'dumb' }), colour = new Screen(['-X']), cooked = new Screen(['-Xn']);
  for (const screen of [plain, none, dumb, colour, cooked]) {
    await screen.until('postgres=# ');
    await screen.line('select 1', 'postgres-# ');
    await screen.line('as "from";', ' from \n');
    await screen.until('postgres=# ');
    screen.type('\x04');
    t.is(await screen.exit, 0);
  }
  /* oxlint-disable no-control-regex -- that is what is asked for */
  t.regex(colour.raw, /\x1b\[1;32mpostgres=#\x1b\[0m /);
  t.regex(colour.raw, /\x1b\[1;34mselect\x1b\[0m \x1b\[36m1/);
  for (const screen of [plain, none, dumb, cooked]) t.notRegex(screen.raw, /\x1b\[[0-9;]*m/);
  for (const screen of [dumb, cooked]) t.notRegex(screen.raw, /\x1b/);
  /* oxlint-enable no-control-regex */
});

test.serial('Ctrl-C ends a line, a password, COPY\'s data and \\watch without an editor too', async (t) => {
  const screen = new Screen(['-Xn']);
  await screen.until('postgres=# ');
  screen.type('select (');
  await screen.until('select (');
  screen.type('\x03');
  await screen.until('^C');
  await screen.until('postgres=# ');
  await screen.line('\\password', 'Enter new password for user "postgres": ');
  screen.type('\x03');
  await screen.until('postgres=# ');
  await screen.line('create temp table mail (letter text);', 'CREATE TABLE');
  await screen.line('copy mail from stdin;', '>> ');
  await screen.line('one', '>> ');
  screen.type('\x03');
  await screen.until('ERROR:  COPY from stdin failed: canceled by user');
  await screen.until('postgres=# ');
  await screen.line('select 1 as w \\watch 0.1', ' w \n');
  screen.type('\x03');
  await screen.until('postgres=# ');
  await screen.line('select count(*) from mail;', ' 0\n');
  await screen.until('postgres=# ');
  screen.type('\x04');
  t.is(await screen.exit, 0);
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
