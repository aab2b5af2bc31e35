// psql at a real terminal: prompts, several lines, Ctrl-C, completion, history, the pager, the end.
import test from 'ava';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Screen } from '../support/screen.ts';
import { startSite, type Site } from '../support/site.ts';
import { OURS } from './compare.ts';

const home = mkdtempSync(join(tmpdir(), 'posthouse-psql-'));
let site: Site;
test.before(async () => { site = await startSite(); });
test.after.always(async () => {
  await site?.remove();
  rmSync(home, { recursive: true });
});

const PROMPT = 'postgres=# ';

/** psql at a terminal. */
const start = (args: readonly string[] = [], env: Readonly<Record<string, string>> = {}, prompt = PROMPT): Screen =>
  new Screen(OURS[0]!, args, { env: { HOME: home, ...site.env(), ...env }, prompt });

/** The same, when it has said that it waits. */
async function open(args: readonly string[] = ['-X'], env: Readonly<Record<string, string>> = {}, prompt = PROMPT): Promise<Screen> {
  const screen = start(args, env, prompt);
  await screen.until(prompt);
  return screen;
}

test.serial('prompts follow the statement and the transaction; Ctrl-C gives up a line, and a query', async (t) => {
  const screen = start(['-X']);
  await screen.until('psql (15.18 (Posthouse))');
  await screen.until(PROMPT);
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
  await screen.ask('\\foo', 'invalid command \\foo\nTry \\? for help.');
  screen.type('\x04');
  await screen.until('\\q');
  t.is(await screen.exit, 0);
});

test.serial('Tab knows commands, tables and columns; the history is kept', async (t) => {
  await site.psql('create table coachman (whip int, horn text)');
  const screen = await open();
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
  const again = await open();
  again.type('\x1b[A');
  again.type('\x1b[A');
  again.type('\x1b[A');
  await again.until('select horn from coachman');
  again.type('\r');
  await again.until('(0 rows)');
  await again.until('postgres=# ');
  t.is(await again.end(), 0);
});

test.serial('Tab knows columns behind an alias and before FROM, settings and their values, functions, files, commands and what they take', async (t) => {
  await site.psql('create table if not exists ostler (stable_number int, oats text)');
  writeFileSync(join(home, 'timetable.sql'), 'select \'the mail\' as included;\n');
  const screen = start(['-X']);
  const complete = async (text: string, wanted: string, keys = ''): Promise<void> => {
    await screen.until(PROMPT);
    screen.type(`${text}${keys}`);
    await screen.until(text);
    screen.type('\t');
    await screen.until(wanted);
    screen.type('\x03');
    await screen.until('^C\n');
  };
  await complete('select oa from ostler', 'select oats  from ostler', '\x1b[D'.repeat(12));
  await complete('select 1 from ostler o where o.st', 'able_number ');
  // A comma was the end of FROM, and WHERE was offered what tables are made of ("primary key").
  await complete('select 1 from pg_am a, ostler o where stable_n', 'umber ');
  await complete('create index on ostler (stable_n', 'umber ');
  await complete('alter table ostler add prim', 'ary key ');
  await complete('set default_transaction_iso', 'lation ');
  await complete('set bytea_output to h', 'ex ');
  await complete('select pg_backend_p', 'id ');
  await complete(`\\i ${home}/time`, 'table.sql ');
  await complete(`\\copy ostler from ${home}/time`, 'table.sql ');
  await complete('\\pset linestyle un', 'icode ');
  await complete('\\set VERBOSITY sq', 'lstate ');
  await complete('\\h alter tablesp', 'ace ');
  await complete('\\encoding win125', 'WIN125');
  await complete('\\set HISTC', 'ONTROL ');
  await complete('select :VERSION_NU', 'M ');
  await screen.until(PROMPT);
  // A second Tab lists them.
  screen.type('\\pset border \t');
  screen.type('\t');
  await screen.until('0  1  2  3\n');
  await screen.until('postgres=# \\pset border ');
  screen.type('\x15\x04');
  t.is(await screen.exit, 0);
});

test.serial('the end is counted with IGNOREEOF; HISTCONTROL, HISTSIZE and HISTFILE; what is typed follows the window', async (t) => {
  const file = join(home, 'own history');
  writeFileSync(file, 'select 1 as old;\nselect 2 as old;\n');
  const screen = await open(['-X', '-v', 'IGNOREEOF=2', '-v', 'HISTCONTROL=ignoreboth', '-v', 'HISTSIZE=3', '-v', `HISTFILE=${file}`], { PAGER: 'cat' });
  await screen.ask(' select 1 as spaced;', ' spaced ');
  await screen.ask('select 1 as twice;', ' twice ');
  await screen.ask('select 1 as twice;', ' twice ');
  // Half a line more than the narrow window has.
  screen.resize(40, 24);
  screen.type('select \'123456789 123456789 123456789\' as wide');
  await screen.until('wide');
  screen.resize(100, 24);
  await screen.until('postgres=# select \'123456789 123456789 123456789\' as wide');
  screen.type(';\r');
  await screen.until('(1 row)');
  await screen.until(PROMPT);
  await screen.ask('\\s', 'select 1 as twice;\nselect \'123456789');
  screen.type('\x04');
  await screen.until('Use "\\q" to leave psql.\n');
  await screen.until(PROMPT);
  screen.type('\x04');
  await screen.until('\\q');
  t.is(await screen.exit, 0);
  t.deepEqual(readFileSync(file, 'utf8').split('\n'), ['select 1 as twice;', 'select \'123456789 123456789 123456789\' as wide;', '\\s', '']);
});

test.serial('Ctrl-C in a pager is the pager\'s; \\watch has its own', async (t) => {
  // Without the trap dash loses a Ctrl-C that comes between two of its commands.
  const screen = await open(['-X'], { PAGER: 'trap "exit" INT; cat; echo paged; while :; do sleep 1; done', PSQL_WATCH_PAGER: 'sed -u "s/^/watched /"' });
  await screen.line('select * from generate_series(1, 60);', 'paged');
  screen.type('\x03');
  await screen.until(PROMPT);
  await screen.line('select 6 * 7 as answer \\watch 0.05', 'watched  answer');
  screen.type('\x03');
  await screen.until(PROMPT);
  await screen.ask('select 1 as one;', ' one ');
  t.is(await screen.end(), 0);
});

test.serial('a statement of several lines is edited and recalled as one', async (t) => {
  const screen = await open();
  await screen.line('select 1 as one,', 'postgres-# ');
  await screen.line('2 as two', 'postgres-# ');
  // Up twice, to the first line's end: another column.
  screen.type('\x1b[A\x1b[A\x1b[F 7 as seven,\x1b[B\x1b[B');
  await screen.ask(';', ' one | seven | two \n');
  // The whole of it comes back; its first line's last column goes.
  screen.type('\x10\x1b[A\x1b[A\x05\x17\x17\x17');
  await screen.until('postgres-# ;');
  screen.type('\x1b[B\x1b[B\r');
  await screen.until(' one | two \n');
  await screen.until(PROMPT);
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
  await screen.until(PROMPT);
  // Alt-Return makes a line also where none is needed; Ctrl-_ takes back.
  screen.type('select 3 as three;\x1b\r-- ready\x1f\x1f');
  screen.type('\r');
  await screen.until(' three ');
  await screen.until(PROMPT);
  await screen.line('select \'', 'postgres\'# ');
  await screen.line('\\q', 'Use control-D to quit.');
  await screen.until('postgres\'# ');
  await screen.line('help', 'press control-C to clear the input buffer.');
  await screen.until('postgres\'# ');
  screen.type('\x03');
  await screen.until(PROMPT);
  // Ctrl-C leaves one \if.
  await screen.line('\\if false', 'postgres@# ');
  screen.type('\x03');
  await screen.until('\\if: escaped\n');
  await screen.until(PROMPT);
  t.is(await screen.end(), 0);
  t.regex(readFileSync(join(home, '.psql_history'), 'utf8'), /^select 1 as one, 7 as seven,\x012 as two\x01;$/m);
});

test.serial('colours on a terminal that wants them, and only there', async (t) => {
  const plain = start(['-X', '--no-color']), none = start(['-X'], { NO_COLOR: '1' }), dumb = start(['-X'], { TERM: 'dumb' }), colour = start(['-X']), cooked = start(['-Xn']);
  for (const screen of [plain, none, dumb, colour, cooked]) {
    await screen.until(PROMPT);
    await screen.line('select 1', 'postgres-# ');
    await screen.ask('as "from";', ' from \n');
    t.is(await screen.end(), 0);
  }
  /* oxlint-disable no-control-regex -- that is what is asked for */
  t.regex(colour.raw, /\x1b\[1;32mpostgres=#\x1b\[0m /);
  t.regex(colour.raw, /\x1b\[1;34mselect\x1b\[0m \x1b\[36m1/);
  for (const screen of [plain, none, dumb, cooked]) t.notRegex(screen.raw, /\x1b\[[0-9;]*m/);
  for (const screen of [dumb, cooked]) t.notRegex(screen.raw, /\x1b/);
  /* oxlint-enable no-control-regex */
});

test.serial('Ctrl-C ends a line, a password, COPY\'s data and \\watch without an editor too', async (t) => {
  const screen = await open(['-Xn']);
  screen.type('select (');
  await screen.until('select (');
  screen.type('\x03');
  await screen.until('^C');
  await screen.until(PROMPT);
  await screen.line('\\password', 'Enter new password for user "postgres": ');
  screen.type('\x03');
  await screen.until(PROMPT);
  await screen.line('create temp table mail (letter text);', 'CREATE TABLE');
  // The Ctrl-C that ended the password was heard once more at the prompt, or met the query typed there.
  t.notRegex(screen.raw, /postgres=# \s*postgres=# create temp/);
  await screen.line('copy mail from stdin;', '>> ');
  await screen.line('one', '>> ');
  screen.type('\x03');
  await screen.until('ERROR:  COPY from stdin failed: canceled by user');
  await screen.until(PROMPT);
  await screen.line('select 1 as w \\watch 0.1', ' w \n');
  screen.type('\x03');
  await screen.until(PROMPT);
  await screen.ask('select count(*) from mail;', ' 0\n');
  t.is(await screen.end(), 0);
});

test.serial('~/.psqlrc is read, long output goes through the pager, \\e calls the editor', async (t) => {
  writeFileSync(join(home, '.psqlrc'), '\\set PROMPT1 \'%n@%/> \'\n\\pset null (none)\n');
  const editor = join(home, 'editor');
  writeFileSync(editor, '#!/bin/sh\neval file=\\${$#}\necho "select 40 + 2 as edited;" > "$file"\n');
  chmodSync(editor, 0o755);
  const screen = start(['-q'], { PAGER: 'sed "s/^/paged /"', EDITOR: editor });
  await screen.until('postgres@postgres> ');
  await screen.line('select null as n;', '(none)');
  await screen.line('select * from generate_series(1, 60);', 'paged (60 rows)');
  await screen.line('\\e', 'edited');
  await screen.until('42');
  await screen.line('\\q', '\\q');
  t.is(await screen.exit, 0);
});

test.serial('\\copy tells how far it has come, on one line that goes away', async (t) => {
  const screen = await open();
  await screen.line('create temp table carried (a int);', 'CREATE TABLE');
  const slowly = '\\copy carried from program \'echo 1; sleep 0.6; echo 2; echo 3\'';
  await screen.line(slowly, '\\copy: ');
  await screen.until('bytes');
  await screen.until('COPY 3\n');
  t.regex(screen.raw, /\r\\copy: \d+ bytes, \d+ bytes\/s\x1b\[K[^]*\r\x1b\[KCOPY 3/);
  await screen.until(PROMPT);
  t.is(await screen.end(), 0);
  const quiet = start(['-Xq', '-c', 'create temp table carried (a int)', '-c', slowly, '-c', 'select count(*) from carried']);
  await quiet.until('3\n');
  t.is(await quiet.exit, 0);
  t.notRegex(quiet.raw, /bytes/);
});

test.serial('-1 is for scripts', async (t) => {
  const screen = start(['-X', '-1']);
  await screen.until('psql: error: -1 can only be used in non-interactive mode\n');
  t.is(await screen.exit, 1);
});

test.serial('the files of the beginning: PSQLRC, the one of this version, nothing with -X; \\ev takes a line', async (t) => {
  writeFileSync(join(home, '.psqlrc-15'), '\\echo version\n');
  writeFileSync(join(home, 'mine'), '\\echo mine\n');
  writeFileSync(join(home, 'shows'), '#!/bin/sh\necho "arguments: ${1#$HOME}"\nfor file; do :; done\ncat "$file"\n');
  chmodSync(join(home, 'shows'), 0o755);
  const first = start(['-q']);
  await first.until('version\n');
  await first.until('=# ');
  t.is(await first.end(), 0);
  const second = start(['-q'], { PSQLRC: '~/mine', EDITOR: join(home, 'shows') });
  await second.until('mine\n');
  await second.line('create or replace view seen as select 1 as one, 2 as two;', '=# ');
  await second.line('\\ev seen 2', 'arguments: +2\n');
  await second.until('CREATE OR REPLACE VIEW public.seen AS\n SELECT 1 AS one,\n    2 AS two\n');
  await second.until('No changes\n');
  await second.until('=# ');
  await second.line('\\ef pg_catalog.abs(int4) 3', 'CREATE OR REPLACE FUNCTION pg_catalog.abs(integer)');
  await second.until('No changes\n');
  await second.until('=# ');
  t.is(await second.end(), 0);
  rmSync(join(home, '.psqlrc-15'));
});

test.serial('behind a table Tab has what may follow it; a connection that ends is told at once, and made again', async (t) => {
  const screen = await open();
  // All columns of the table were offered.
  screen.type('select 1 from pg_class ');
  await screen.until('from pg_class ');
  screen.type('\t\t');
  await screen.until('WHERE');
  await screen.until('select 1 from pg_class ');
  screen.type('c wh\t');
  await screen.until('ere ');
  screen.type('\x15update pg_class as c \t');
  await screen.until('SET ');
  screen.type('\x15');
  await screen.ask('select pg_backend_pid() as process \\gset');
  await screen.ask('\\echo number :process', 'process\nnumber ');
  const number = /number (\d+)/.exec(screen.text)![1]!;
  await (await site.connect()).query(`select pg_terminate_backend(${number})`);
  await screen.until('FATAL:  terminating connection due to administrator command');
  // The same words came a second time.
  await screen.ask('select 1 as one;', 'server closed the connection unexpectedly', 'The connection to the server was lost. Attempting reset: Succeeded.');
  await screen.ask('select 2 as two;', ' two ');
  t.is(await screen.end(), 0);
  t.is(screen.text.split('FATAL').length, 2);
});
