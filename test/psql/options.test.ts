// Options and exit codes: our psql and Debian's, started in the same way, against the same PostgreSQL 15.
import test from 'ava';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dateText } from '../../src/bin/terminal/command_general.ts';
import { NOT_INSTALLED, oracleInstalled, startOracle } from '../support/oracle.ts';
import type { Site } from '../support/site.ts';
import { OURS, withoutOurs } from './compare.ts';

const folder = mkdtempSync(join(tmpdir(), 'posthouse-psql-'));
writeFileSync(join(folder, 'pgpass'), '*:*:*:*:secret\n');
let server: Site | undefined;
test.before(async () => { if (oracleInstalled) server = await startOracle('fsync = off'); });
test.after.always(async () => {
  await server?.remove();
  rmSync(folder, { recursive: true });
});

/** What is said of psql's place and version differs. */
const same = (text: string): string => withoutOurs(text).replace(/15\.18 \((Posthouse|Debian [^)]*)\)/g, 'VERSION').replace(/^\/\S*\/psql: /gm, 'psql: ');

function run(program: string, args: readonly string[], input: string): Promise<[string, string, number | null]> {
  return new Promise((done) => {
    const child = execFile(program, [...args], { env: { PATH: process.env['PATH']!, HOME: '/nowhere', LC_ALL: 'C.UTF-8', EDITOR: 'true', ...server!.env() }, cwd: folder }, (_error, out, err) => done([same(out), same(err), child.exitCode]));
    child.stdin!.on('error', () => {});
    child.stdin!.end(input);
  });
}

const ONE = ['-c', 'select 1, 2'], END = 'select pg_terminate_backend(pg_backend_pid());\nselect 1;\n';
const STARTS: [args: string[], input?: string][] = [
  [['--help=commands']], [['--help=variables']], [['-?']], [['--help=foo']], [['-V']], [['-X', '-Z']], [['--nosuch']], [['-c']], [['-X', '-d', 'nosuch', ...ONE]], [['-X', '-p', 'x', ...ONE]],
  [['-X', '-f', '/nonexistent']], [['-X', '-f', '/']], [['-X', '-f', '-'], 'select 1;'], [['-X', '-c', 'select 1/0', '-c', 'select 2']], [['-X', '-v', 'ON_ERROR_STOP=1', '-c', 'select 1/0', '-c', 'select 2']],
  [['-X1', '-c', 'create table once (a int)', '-c', 'select 1/0']], [['-X', '-1', '-v', 'ON_ERROR_STOP=1', '-c', 'create table never (a int)', '-c', 'select 1/0']], [['-X', '-c', '\\d never']],
  [['-X', '-l']], [['-XlqtA']], [['-X', '-A', '-F,', ...ONE]], [['-XAz', ...ONE]], [['-XA0', '-c', 'values (1), (2)']], [['-XA', '-R', ';', '-c', 'values (1), (2)']], [['-XH', '-T', 'border=1', ...ONE]],
  [['-X', '--csv', ...ONE]], [['-Xx', ...ONE]], [['-X', '-P', 'null=N', '-c', 'select null']], [['-X', '-P', 'nosuch', ...ONE]], [['-X', '-P', 'format=nosuch', ...ONE]], [['-X', '--pset=expanded=auto', ...ONE]],
  [['-Xa', ...ONE]], [['-Xa'], 'select 1; -- x\n\\echo hi\n'], [['-Xe'], 'select 1; select 2/0;'], [['-Xb'], 'select 1; select 2/0;'], [['-XE'], '\\d pg_am'], [['-Xs', ...ONE]], [['-XS'], 'select 1\nselect 2\n'],
  [['-X', '-L', '/nonexistent/x', ...ONE]], [['-X', '-L', 'log', ...ONE]], [['-X', '-o', 'out', ...ONE, '-c', '\\! cat out']], [['-X', '-o', '|cat -n', ...ONE]], [['-X', '-o', '/nonexistent/x', ...ONE]],
  [['-X', '-v', 'x=5', '-c', '\\echo :x']], [['-X', '-v', 'x', '-c', '\\echo :x']], [['-X', '-v', 'b-d=1', ...ONE]], [['-X', '--set=A=B', '--variable=C=D', '-c', '\\echo :A :C']], [['-X', '-v', 'AUTOCOMMIT=xx', ...ONE]],
  [['-X', 'postgres', 'postgres', 'extra', ...ONE]], [['-X', 'dbname=postgres application_name=foo', '-c', 'show application_name']], [['-X', 'postgresql:///postgres?nosuch=1', ...ONE]], [['-Xn', ...ONE]],
  [['-X'], '\\q\nselect 3;'], [['-X'], '\\set ON_ERROR_STOP 1\nselect 1/0;\nselect 2;'], [['-X'], '\\set ON_ERROR_STOP 1\n\\i /nonexistent\n\\echo after'], [['-X'], '\\connect nosuch\nselect 1;'], [['-X'], '\\if true\nselect 1;'],
  // The server's last word, and the connection's: psql said the first twice.
  [['-X'], END], [['-X', '-v', 'VERBOSITY=terse'], END], [['-X'], 'PGDMP'],
  [['-X'], '\\unrestrict a\n\\restrict\n\\restrict abc\n\\! echo no\n\\unrestrict\n\\unrestrict x\n\\set a 1\nselect 1;\n\\if false\n\\unrestrict abc\n\\! echo yes\n'],
  // The library's warning had psql's name in front.
  [['-X', `passfile=${folder}/pgpass dbname=postgres`, ...ONE]],
  // A full disk was an exception with its stack; a command that fails was not told; a result's tag went where \\g says.
  [['-X'], 'select 1 \\g /dev/full\n\\o /dev/full\nselect 1;\n\\o\n\\w /dev/full\n\\copy (select 1) to /dev/full\n\\echo end'],
  [['-X'], '\\copy (select 1) to program \'cat > /dev/null; exit 3\'\n\\copy (select 1) to program \'cat > /dev/null; kill -9 $$\'\ncreate temp table a (a int);\n\\copy a from program \'nosuch command\'\n\\copy a from program \'kill -9 $$\'\n\\copy a from program \'/etc/passwd\'\n\\echo end'],
  [['-X'], 'create temp table a (a int) \\g tag\ninsert into a values (1) returning a \\g rows\ncopy a to stdout \\g copied\n\\! cat tag rows copied\n\\! nosuch command\n\\echo `nosuch command`\n'],
  // With "(" in front it is a query for a cursor, too: the width of the columns tells.
  [['-X', '-v', 'FETCH_COUNT=1'], '/* c */ (select 9 union all select 10);'],
  [['-X'], '\\connect "nosuch=1"\nselect 1;'], [['-X'], '\\connect -reuse-previous=foo x\n\\conninfo\nselect 1;'],
  // \\watch runs its statement alone: no BEGIN, no savepoint, no echo.
  [['-Xt', '-v', 'AUTOCOMMIT=off', '-v', 'ECHO=errors'], 'create sequence watched;\ncommit;\nselect 1 / (3 - nextval(\'watched\')) \\watch 0.01\ncommit;\ndrop sequence watched;\ncommit;\nvacuum pg_am;\ncreate table late (a int); commit;\ncreate /* c */ unique index concurrently ix on late (a);\ndrop table late;\ncommit;'],
  // Who leaves the editor without writing does not run the last statement once more.
  [['-X'], 'select 1;\n\\e\n\\p\n;\nselect 2\n\\e\n;\n\\e /nonexistent/x\n\\setenv EDITOR false\n\\e\n\\setenv EDITOR \'echo "select 5;" >\'\n\\e\n\\ef abs(int4)\n\\p\n'],
  [['-X'], '\\copy\n\\nosuch\n\\g (x\n\\pset nosuch\n\\setenv\n\\getenv a\n\\sf\n\\sv\n\\lo_unlink\n\\watch\n\\w\n\\ir\n\\cd /nonexistent\n\\encoding x y\n\\gdesc\n\\gset\n\\crosstabview\n\\x foo\n\\timing foo\n\\a b\n\\s\n\\s /nonexistent/x\n'],
];

for (const [args, input = ''] of STARTS) {
  test.serial(`psql ${args.join(' ')}${input === '' ? '' : ` < ${JSON.stringify(input.slice(0, 60))}`}`, async (t) => {
    if (server === undefined) {
      t.log(NOT_INSTALLED);
      t.pass();
      return;
    }
    const theirs = await run('/usr/bin/psql', args, input);
    t.deepEqual(await run(OURS[0]!, args, input), theirs);
  });
}

test('nobody reads any more: the end is that of any program, a signal', async (t) => {
  if (server === undefined) return t.log(NOT_INSTALLED);
  // It ended as if all were well.
  for (const psql of ['/usr/bin/psql', OURS[0]!]) {
    const [out] = await run('/bin/bash', ['-c', `'${psql}' -XAtc 'select generate_series(1, 100000)' | head -1; echo "\${PIPESTATUS[0]}"`], '');
    t.is(out, '1\n141\n');
  }
});

test('the date of \\watch is that of the C locale', (t) => {
  // Days below ten had a zero, and the hour after midnight was the 24th.
  t.is(dateText(new Date(2026, 10, 2, 0, 5, 9)), 'Mon Nov  2 00:05:09 2026');
});
