// The client commands beside Debian's, option by option, against the same PostgreSQL 15: output, messages, exit code.
import test from 'ava';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { programFolder } from '../support/account.ts';
import { NOT_INSTALLED, oracleInstalled, startOracle } from '../support/oracle.ts';
import { POSTGRESQL, type Site } from '../support/site.ts';

const SETUP = `create table t1 (a int primary key, b int, c text); create table t2 (a int primary key); cluster t2 using t2_pkey; create table "T 3" (a int unique);
create schema s; create table s.t1 (a int unique, "b(" int); create materialized view m as select 1 as a; create schema empty; create type s.mood as enum ('x');
create table p (a int primary key) partition by range (a); create table p1 partition of p for values from (0) to (10);
insert into t1 select g, g, repeat('x', 10) from generate_series(1, 500) g; analyze;
create role known; create role locked login password 'pass word';`;

let server: Site | undefined;
test.before(async () => {
  if (!oracleInstalled) return;
  server = await startOracle('fsync = off');
  await server.psql('create database shop');
  const done = await server.psql(SETUP, { database: 'shop', args: ['-q', '-v', 'ON_ERROR_STOP=1'] });
  if (done.err !== '') throw new Error(done.err);
});
test.after.always(async () => server?.remove());

interface Ran { code: number | null; out: string; err: string }
const FOLDERS = [POSTGRESQL.bin, join(programFolder(), 'dist/bin')] as const;

function run(folder: string, name: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  return new Promise((done) => {
    const child = execFile(join(folder, name), args, { cwd: '/', env: { PATH: `${POSTGRESQL.bin}:${process.env['PATH']}`, HOME: '/nowhere', LC_ALL: 'C.UTF-8', ...server!.env('shop'), ...env } },
      (_error, out, err) => done({ code: child.exitCode, out, err }));
    child.stdin!.end();
  });
}

/** Without what differs by itself: times, counts of pages, salts; and the folder that Debian's programs were called in. */
const plain = ({ code, out, err }: Ran): Ran => ({ code, out: out.replace(/'(SCRAM-SHA-256\$|md5).*?'/g, "'SECRET'"), err: err.replaceAll(`${POSTGRESQL.bin}/`, '').replace(/\d+\.\d+ (s|ms|MB\/s)/g, 'N $1').replace(/\d+ (hits|misses|dirtied|records|bytes)/g, 'N $1').replace(/oldest xmin: \d+|cutoff: \d+|\d+ XIDs/g, 'N')
  .replace(/^.*new relfrozenxid.*\n/gm, '').replace(/pg_toast_\d+/g, 'pg_toast_N') });

/** Lines of arguments; quotes keep words together. `before` is run before each of the two. */
function both(name: string, lines: string, before = ''): void {
  for (const line of lines.trim().split('\n')) {
    test.serial(`${name} ${line}`, async (t) => {
      if (server === undefined) {
        t.log(NOT_INSTALLED);
        t.pass();
        return;
      }
      const args = [...line.matchAll(/'([^']*)'|(\S+)/g)].map((m) => m[1] ?? m[2]!).filter((word) => word !== '-');
      const ran: Ran[] = [];
      for (const folder of FOLDERS) {
        if (before !== '') await server.psql(before.split(/;\s*/), { database: 'postgres' });
        ran.push(plain(await run(folder, name, args)));
      }
      const [theirs, ours] = ran as [Ran, Ran];
      // Of two that work at once either may be first.
      if (args.includes('-j')) for (const r of ran) r.out = r.out.split('\n').toSorted().join('\n');
      t.deepEqual(ours, theirs);
    });
  }
}

both('vacuumdb', `
-e -t t1
-e -t 't1(a, b)' -t '"T 3"' -t s.t1
-e -t 's.t1("b(")' -z
-e -v -t t2
-e -z shop
-e -Z -d shop -t t1
--echo --analyze-only --verbose --skip-locked --table=t1
-e --analyze-in-stages -t t1 -t t2
-e --analyze-in-stages -j 2 -t t1 -t t2
--analyze-in-stages
-f -e -t t1
-F -z -e -t t1
-e --disable-page-skipping --no-index-cleanup --no-truncate --no-process-toast --skip-locked -F -z -P 0 -t t1
-e --force-index-cleanup -P 2 -t t1
-e --min-xid-age 1 --min-mxid-age 1 -t t1
-e --min-xid-age=2000000000
-e -j 3
-e -j 2 -t nix
-t nix
-t 't1(nix)'
-t p
-t m
-t 't1('
-t t1 -t 't1(nix)' -t t2
-a -e --maintenance-db=template1 --min-xid-age=2000000000
-a --maintenance-db=nix
-a shop
-a -d shop
-a -t t1
-d shop shop
shop more
-f -Z
-Z --freeze
-Z --disable-page-skipping
-Z --no-index-cleanup
-Z --force-index-cleanup
-Z --no-truncate
-Z --no-process-toast
-Z -P 1
--analyze-in-stages -f
-f -P 1
--no-index-cleanup --force-index-cleanup
-j 0
-j x
-j 99999999999
-P -1
-P 1x
--min-xid-age 0
--min-mxid-age=-5
-d nix
-U nix
-p 1
-h /nowhere
--bogus
--min
--no
--analyze
--analyze-in
-x
-j
--jobs
--all=x
-d 'host=127.0.0.1 dbname=shop' -q -t t2
-d postgresql:///shop?application_name=x -q -t t1
-d 'dbname=nix'
-w -U locked -q -t t1
`);

both('reindexdb', `
-e
-e -v -t t1
-e -t t1 -t '"T 3"' -t s.t1
-e -i t1_pkey -i s.t1_a_key
-e -S s -S public
-e -S s -i t1_pkey -t t2
-e -S nix
-S '"x'
-e --concurrently -t t1
-e --concurrently -S s
--concurrently -s
-e --tablespace pg_default -t t1
-e --tablespace 'no such' -v -i t1_pkey
-e -j 2 --concurrently
-e -j 4 -S s
-e -j 4 -S empty
-e -j 2 -t t1 -t t2
-t nix
-t 12
-i nix
-t t1_pkey
-i t1
-t p
-a --maintenance-db=template1 -j 2
-a shop
-a -s
-a -S s
-a -t t1
-a -i t1_pkey
-s -S s
-s -t t1
-s -i t1_pkey
-s -j 2
-j 2 -i t1_pkey
-j 0
-j two
-d nix
shop shop
-d shop x
--tab
--nix
`);

both('clusterdb', `
-
-e
-e -v
-e -t t2
-v -t t2
-t t1
-t nix
-t t2 -t t2 -e
-a
-a -q -e
-a shop
-a -t t2
-d shop more
-d nix
-j 2
-U nix
-W
`);

both('createdb', `
-e new
-e
-e new 'a comment''s'
-e -T template0 -E UTF8 -l C new
-e -T template0 --lc-collate C --lc-ctype C.UTF-8 new
-e -T template0 -l C --lc-ctype C.UTF-8 new
-e -T template0 --locale-provider icu --icu-locale en new
-e -T template0 --locale-provider nix new
-e -O known -D pg_default -S file_copy new
-O nix new
-E nix new
-E latin1 -T template0 new
-e 'New db'
-e select
-e between
-e --maintenance-db=shop new
--maintenance-db=nix new
-T nix new
postgres
a b c
-S nix new
-U nix new
--lc
--encoding
`, 'drop database if exists new; drop database if exists "New db"; drop database if exists "select"; drop database if exists "between"');

both('dropdb', `
-e new
-e -f new
-e --if-exists nix
nix
-
a b
--maintenance-db=template1 new
--maintenance-db=new new
-e 'New db'
--force --if-exists new -e
`, 'create database new; create database "New db"');

both('createuser', `
-e new
-E --encrypted -e new
-e -d -r -i -L new
-e -D -R -I -l new
-e -s new
-e -S new
-s -S -e new
-S -d -s -D -e new
-e --replication new
-e --no-replication --createdb --createrole --no-inherit --no-login new
-e -c 5 new
-e -c -1 new
-c -2 new
-c x new
-c '5 ' new
-e -g known new
-e -g known -g pg_monitor new
-e --role=nix new
known
a b
-e 'New user'
-e user
--no
--create
-P new
`, 'drop role if exists new; drop role if exists "New user"; drop role if exists "user"');

both('dropuser', `
-e new
-e --if-exists nix
nix
-
a b
-e 'New user'
postgres
`, 'create role new; create role "New user"');

both('pg_isready', `
-
-q
-d shop
-d nix -U nix
-d 'host=127.0.0.1 dbname=x'
-d postgresql://127.0.0.1/x
-d postgresql://127.0.0.1/x?nix=1
-d 'nix=1'
-h /nowhere
-h 127.0.0.1,/nowhere
-p 1
-p abc
-p 70000
-t 1
-t 0
-t abc
-t -1
-d 'hostaddr=127.0.0.1'
-d 'host=a,b hostaddr=127.0.0.1'
-x
--timeout
extra
-h ''
`);
