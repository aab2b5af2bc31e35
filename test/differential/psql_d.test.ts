// psql's backslash commands over the same objects here and on a PostgreSQL 15: what psql prints must be the same. Sizes are
// of another storage, owners of another name: both are made alike, and the widths of columns with them.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { NOT_INSTALLED, oracle } from '../support/oracle.ts';
import { startSite, SUPERUSER } from '../support/site.ts';

const OBJECTS = readFileSync(new URL('./psql_d.sql', import.meta.url), 'utf8');
const DATABASE = 'psql_d';
const CLEANUP = `DROP DATABASE IF EXISTS ${DATABASE};\nDROP ROLE IF EXISTS rw_alice;\n`;

const COMMANDS = String.raw`
\d s1.*
\d+ s1.*
\d
\dt s1.*
\dt+ s1.*
\di s1.*
\di+ s1.*
\dv s1.*
\dv+ s1.*
\dm s1.*
\ds s1.*
\ds+ s1.*
\dn
\dn+
\dn+ s1
\df s1.*
\df+ s1.*
\dfa s1.*
\dfp s1.*
\dT s1.*
\dT+ s1.*
\dD s1.*
\dD+ s1.*
\do s1.*
\do+ s1.*
\da s1.*
\dp s1.*
\z s1.*
\ddp
\drds
\dc
\dC
\dC+ 
\dx
\des
\dew
\det
\dO s1.*
\dO+ s1.*
\dF
\dFd
\dFp
\dFt
\sf s1.add
\sf+ s1.tab
\sf s1.proc
\sv s1.v1
\sv+ s1.v2
\du rw_*
\du+ rw_*
\dg rw_*
\dt
\dT int*
\df lower
\do+ =
\da sum
\dE
\dL
\dL+
\dA
\dA+
\dAc btree int*
\dAo btree int*
\dAp btree int*
\db
\dd s1.*
\dP
\dRp
\dRs
\dX
\dy
\dconfig work_mem
\dl
\dS pg_cl*
\d pg_class
\d+ pg_tables
\d pg_class_oid_index
\df+ now
\d information_schema.tables
\dtS pg_t*
\dti s1.*
\dp pg_catalog.pg_class
\dT+ pg_catalog.int4
\dO "C"
\d s1.triggered
\d+ s1.triggered_v
\dy
\d nosuch
\df nosuch*
\dconfig+ search_path
`.trim().split('\n');

type Psql = (database: string, input: string) => Promise<string>;

const psqlOf = (host: string, port: number): Psql => (database, input) => new Promise((done) => {
  const child = execFile('psql', ['-X', '-q', '-h', host, '-p', String(port), '-U', SUPERUSER, '-d', database], (_error, out, err) => done(out + err));
  child.stdin!.end(input);
});

/** Sizes, and what follows from their width. */
const alike = (text: string): string => text.replace(/\d+ (bytes|kB|MB)/g, 'SIZE').replace(/^ +/gm, ' ').replace(/ +/g, ' ').replace(/-+/g, '-');

test('psql shows the same of the same objects', async (t) => {
  if (oracle === undefined) { t.log(NOT_INSTALLED); t.pass(); return; }
  const site = await startSite();
  const ours = psqlOf('127.0.0.1', site.port);
  const theirs = psqlOf(oracle.host, oracle.port);
  for (const psql of [ours, theirs]) {
    await psql('postgres', `${CLEANUP}CREATE DATABASE ${DATABASE};\n`);
    t.is(await psql(DATABASE, OBJECTS), '');
  }
  for (const command of COMMANDS) {
    const [here, there] = await Promise.all([ours(DATABASE, `${command}\n`), theirs(DATABASE, `${command}\n`)]);
    t.is(alike(here), alike(there), command);
  }
  for (const name of ['updatable_views', 'definitions']) {
    const script = readFileSync(new URL(`./${name}.sql`, import.meta.url), 'utf8');
    const statements = script.split(/;\n(?!  )/).filter((text) => text.trim() !== '');
    const results = await Promise.all([ours, theirs].map((psql) => psql(DATABASE, statements.map((text, i) => `\\echo ${i}\n${text};\n`).join(''))));
    t.is(alike(results[0]!), alike(results[1]!), name);
  }
  await theirs('postgres', CLEANUP);
  await site.stop();
});
