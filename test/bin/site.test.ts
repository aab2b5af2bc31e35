// The client commands against a site of ours: they say what they say of a PostgreSQL 15, and do the same.
import test from 'ava';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { programFolder } from '../support/account.ts';
import { NOT_INSTALLED, oracleInstalled, startOracle } from '../support/oracle.ts';
import { startSite, type Site } from '../support/site.ts';

const SETUP = `create table t1 (a int primary key, b int, c text); create table t2 (a int primary key); cluster t2 using t2_pkey; create table "T 3" (a int unique);
create schema s; create table s.t1 (a int unique, "b(" int); create schema empty; insert into t1 select g, g, repeat('x', 10) from generate_series(1, 500) g; create role known;`;

const LINES = `createdb -e new 'a comment''s'
createdb -e new
createdb -e -T template0 -E UTF8 -l C other
createdb -e -O known -D pg_default third
createdb -E nix fourth
createdb -O nix fourth
createdb -S file_copy -e fourth
dropdb -e new
dropdb -e new
dropdb -e --if-exists new
dropdb -e -f other
dropdb --maintenance-db=template1 -e third
dropdb fourth
createuser -e clerk
createuser -e clerk
createuser -e -d -r -i -L -c 5 -g known boss
createuser -e -s -P --no-replication master
createuser -e --replication copyist
createuser -e --role=nix lost
dropuser -e clerk
dropuser -e clerk
dropuser -e --if-exists clerk
dropuser -e boss
dropuser -e copyist
vacuumdb -e
vacuumdb -e -z -t t1 -t 's.t1("b(")'
vacuumdb -e -Z -j 2
vacuumdb -e -f -t t1
vacuumdb -e -F -z -t t1
vacuumdb -e --disable-page-skipping --no-index-cleanup --no-truncate --no-process-toast --skip-locked -P 0 -t t1
vacuumdb -e --force-index-cleanup -t t1
vacuumdb --analyze-in-stages -t t1
vacuumdb -e --min-xid-age=2000000000
vacuumdb -a -q
vacuumdb -t nix
vacuumdb -t 't1(nix)' -z
vacuumdb -d nix
reindexdb -e
reindexdb -e -t t1 -t '"T 3"' -t s.t1
reindexdb -e -i t1_pkey
reindexdb -e -S s
reindexdb -e -s
reindexdb -e --concurrently -t t1
reindexdb -e --tablespace pg_default -t t1
reindexdb -e -j 2 -S s
reindexdb -e -j 2 -t t1 -t t2
reindexdb -a -q
reindexdb -t nix
reindexdb -i nix
clusterdb -e
clusterdb -e -t t2
clusterdb -t t1
clusterdb -t nix
clusterdb -a -q
pg_isready -q
pg_isready -d shop
`.trim().split('\n');

let servers: [theirs: Site, ours: Site] | undefined;
test.before(async () => {
  if (!oracleInstalled) return;
  servers = await Promise.all([startOracle('fsync = off'), startSite()]);
  for (const server of servers) {
    await server.psql('create database shop');
    const done = await server.psql(SETUP, { database: 'shop', args: ['-q', '-v', 'ON_ERROR_STOP=1'] });
    if (done.err !== '') throw new Error(done.err);
  }
});
test.after.always(async () => { for (const server of servers ?? []) await server.remove(); });

function run(server: Site, words: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((done) => {
    const child = execFile(join(programFolder(), 'dist/bin', words[0]!), words.slice(1), { cwd: '/', env: { PATH: process.env['PATH']!, HOME: '/nowhere', LC_ALL: 'C.UTF-8', ...server.env('shop') } }, (_error, out, err) => {
      const plain = (text: string): string => text.replaceAll(String(server.port), 'PORT').replaceAll(server.folder, 'FOLDER').replace(/'(SCRAM-SHA-256\$|md5).*?'/g, '\'SECRET\'');
      done({ code: child.exitCode, out: plain(out), err: plain(err) });
    });
    child.stdin!.end('secret\nsecret\n');
  });
}

for (const [i, line] of LINES.entries()) {
  test.serial(`${i + 1}: ${line}`, async (t) => {
    if (servers === undefined) {
      t.log(NOT_INSTALLED);
      t.pass();
      return;
    }
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map((m) => m[1] ?? m[2]!);
    const [theirs, ours] = await Promise.all(servers.map((server) => run(server, words)));
    // All tables, by their size, which is no one's business.
    if (words[0] === 'vacuumdb' && !words.includes('-t')) for (const ran of [theirs, ours]) ran!.out = ran!.out.split('\n').toSorted().join('\n');
    t.deepEqual(ours, theirs);
  });
}
