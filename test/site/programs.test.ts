// The programs and the life of a site: createdb and its like, psql, authentication, reload, shutdown, faults, limits.
import test from 'ava';
import { chmodSync, existsSync, readFileSync, readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RawClient } from '../support/raw_client.ts';
import { isRunning, until } from '../support/run.ts';
import { hasFile, makeSite, processesIn, run, startSite, type Site } from '../support/site.ts';

let site: Site;
test.before(async () => { site = await startSite({ ini: 'max_connections = 12' }); });
test.afterEach.always((t) => { if (!t.passed && site) t.log(site.log().slice(-3000)); });
test.after.always(async () => site?.remove());

const at = (s: Site): string[] => ['-h', '127.0.0.1', '-p', String(s.port), '-U', 'postgres'];

test.serial('a start tells of nothing that died: sessions of the rehearsal are waited for', (t) => {
  t.regex(site.log(), /ready to accept connections/);
  t.notRegex(site.log(), /terminated/);
});

test.serial('createdb, dropdb: several databases, exit codes', async (t) => {
  t.like(await run('createdb', [...at(site), 'shop']), { code: 0, err: '' });
  const again = await run('createdb', [...at(site), 'shop']);
  t.is(again.code, 1);
  t.regex(again.err, /^createdb: error: database creation failed: ERROR: {2}database "shop" already exists\n$/);
  t.is((await site.psql('create table here (a int); insert into here values (1)', { database: 'shop' })).code, 0);
  t.is((await site.psql('select * from here')).code, 1, 'another database');
  t.is((await site.psql('select * from here', { database: 'shop' })).out, '1\n');
  t.is((await run('createdb', [...at(site), '-T', 'shop', 'copy'])).code, 0);
  t.is((await site.psql('select * from here', { database: 'copy' })).out, '1\n');
  const open = await site.connect({ database: 'copy' });
  const busy = await run('dropdb', [...at(site), 'copy']);
  t.regex(busy.err, /database "copy" is being accessed by other users/);
  await open.end();
  await until('the backend has gone', async () => (await site.psql("select count(*) from pg_stat_activity where datname = 'copy'")).out === '0\n');
  // Its row in pg_subscription, which is shared, stayed behind.
  const subscription = "create subscription s connection '' publication p with (connect = false, slot_name = none)";
  t.is((await site.psql(subscription, { database: 'copy' })).code, 0);
  t.regex((await run('dropdb', [...at(site), 'copy'])).err, /database "copy" is being used by logical replication subscription\nDETAIL: {2}There is 1 subscription\.\n$/);
  t.is((await site.psql('drop subscription s', { database: 'copy' })).code, 0);
  await until('psql has gone', async () => (await site.psql("select count(*) from pg_stat_activity where datname = 'copy'")).out === '0\n');
  t.like(await run('dropdb', [...at(site), 'copy']), { code: 0 });
  t.is((await run('dropdb', [...at(site), 'copy'])).code, 1);
  t.is((await run('dropdb', [...at(site), '--if-exists', 'copy'])).code, 0);
  const missing = await site.psql('select 1', { database: 'copy' });
  t.is(missing.code, 2);
  t.regex(missing.err, /FATAL: {2}database "copy" does not exist/);
});

test.serial('createuser, dropuser; rights of a user who is no superuser', async (t) => {
  t.is((await run('createuser', [...at(site), 'ann'])).code, 0);
  t.is((await run('createuser', [...at(site), 'ann'])).code, 1);
  const ann = { env: { PGUSER: 'ann' } };
  t.is((await site.psql('select current_user, usesuper from pg_user where usename = current_user', ann)).out, 'ann|f\n');
  t.regex((await site.psql('create database mine', ann)).err, /permission denied to create database/);
  t.regex((await site.psql('create table public.t (a int)', ann)).err, /permission denied for schema public/);
  t.is((await run('dropuser', [...at(site), 'ann'])).code, 0);
  t.regex((await site.psql('select 1', ann)).err, /FATAL: {2}role "ann" does not exist/);
});

// ANALYZE of pg_statistic compared arrays that cannot be compared; age(xid) was missing.
test.serial('vacuumdb, reindexdb, clusterdb', async (t) => {
  await site.psql(['create table many (a int primary key, b text)', "insert into many select g, 'x' from generate_series(1, 300) g", 'cluster many using many_pkey', 'create materialized view seen as select 1 as a']);
  for (const line of ['vacuumdb -a -z -j 2', 'vacuumdb --analyze-in-stages -q', 'vacuumdb -f -F -v -t many', 'vacuumdb --min-xid-age 1000000000 --min-mxid-age 1000000000', 'vacuumdb -Z -t many(a,b)',
    'reindexdb -a', 'reindexdb -j 2 -v', 'reindexdb -S public --concurrently', 'reindexdb -t many -i many_pkey --tablespace pg_default', 'clusterdb -a -q', 'clusterdb -v -t many']) {
    const [name, ...args] = line.split(' ') as [string, ...string[]];
    const done = await run(name, [...at(site), ...args], { env: { PGDATABASE: 'postgres' } });
    t.is(done.code, 0, `${line}: ${done.err}`);
    t.notRegex(done.err, /ERROR|WARNING/, line);
  }
  t.is((await site.psql("select reltuples from pg_class where relname = 'many'")).out, '300\n');
  const refused = await run('reindexdb', [...at(site), '-s', '--concurrently', 'postgres']);
  t.deepEqual([refused.code, refused.err], [1, 'reindexdb: error: processing of database "postgres" failed: ERROR:  cannot reindex system catalogs concurrently\n']);
  await site.psql(['drop table many', 'drop materialized view seen']);
});

test.serial('psql: scripts from files and standard input, \\d, errors with positions', async (t) => {
  const script = `\\set ON_ERROR_STOP on
create table p (id serial primary key, name text not null default 'x', at timestamptz);
create index on p (name desc);
create view v as select id, upper(name) as name from p;
insert into p (name) values ('a'), ('b') returning id;
copy p (name) from stdin;
c
d
\\.
select id, name from v order by id;
`;
  const done = await site.psql('', { input: script, args: ['-A', '-t', '-q'] });
  t.deepEqual({ code: done.code, out: done.out, err: done.err }, { code: 0, out: '1\n2\n1|A\n2|B\n3|C\n4|D\n', err: '' });
  const described = await site.psql('\\d p', { args: [] });
  t.is(described.err, '');
  t.regex(described.out, /Table "public.p"[^]*id +\| integer +\| +\| not null \| nextval\('p_id_seq'::regclass\)[^]*Indexes:\n +"p_pkey" PRIMARY KEY, btree \(id\)\n +"p_name_idx" btree \(name DESC\)/);
  for (const command of ['\\l', '\\d', '\\d+ p', '\\dt', '\\di', '\\dv', '\\ds', '\\dn', '\\du', '\\df', '\\dT', '\\d+ v', '\\dp']) {
    t.is((await site.psql(command, { args: [] })).err, '', command);
  }
  const failed = await site.psql('select * from p where nam = 1');
  t.is(failed.code, 1);
  t.is(failed.err, 'ERROR:  column "nam" does not exist\nLINE 1: select * from p where nam = 1\n                              ^\nHINT:  Perhaps you meant to reference the column "p.name".\n');
});

test.serial('max_connections: the rest gets 53300, a place that is left is free at once', async (t) => {
  const held: RawClient[] = [];
  let refused = '';
  for (let i = 0; i < 20 && refused === ''; i++) {
    try {
      held.push(await RawClient.open(site.port));
    } catch (error) {
      refused = (error as Error).message;
    }
  }
  t.is(refused, '53300 sorry, too many clients already');
  t.is(held.length, 12);
  for (const client of held) client.Terminate();
  for (const client of held) await client.closes();
  await until('there is room', async () => RawClient.open(site.port).then((c) => { c.Terminate(); return true; }, () => false));
  t.pass();
});

test.serial('SCRAM: by the rules of hba.conf, read again on SIGHUP', async (t) => {
  await site.psql("create role bob login password 'se cret'; create role eve login password 'x'");
  writeFileSync(join(site.folder, 'hba.conf'), 'host all bob 127.0.0.1/32 scram-sha-256\nhost all eve 127.0.0.1/32 reject\nhost all postgres 127.0.0.1/32 trust\n');
  site.process.kill('SIGHUP');
  await site.logged('received SIGHUP, reloading configuration files');
  const as = async (user: string, password: string): Promise<string> => {
    const { out, err } = await site.psql('select current_user', { env: { PGUSER: user, PGPASSWORD: password } });
    return out + err;
  };
  await until('the new rules count', async () => (await as('eve', 'x')).includes('rejects'));
  t.is(await as('bob', 'se cret'), 'bob\n');
  t.regex(await as('bob', 'secret'), /FATAL: {2}password authentication failed for user "bob"/);
  t.regex(await as('eve', 'x'), /FATAL: {2}pg_hba.conf rejects connection|FATAL: {2}hba.conf rejects connection/);
  t.regex(await as('nobody', 'x'), /FATAL: {2}no (pg_)?hba.conf entry for host "127.0.0.1", user "nobody", database "postgres"/);
  const client = await site.connect({ user: 'bob', password: 'se cret' });
  t.is((await client.query('select 1 as one')).rows[0].one, 1);
  await client.end();
});

test.serial('MD5 and plain passwords, for clients that have nothing better', async (t) => {
  await site.psql("set password_encryption = md5; create role max login password 'fünf'; set password_encryption = 'scram-sha-256'; create role sam login password 'sechs'; create role late login password 'x' valid until '2001-01-01'");
  writeFileSync(join(site.folder, 'hba.conf'), 'host template1 all 127.0.0.1/32 password\nhost all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 md5\n');
  site.process.kill('SIGHUP');
  const as = async (user: string, password: string, database = 'postgres'): Promise<string> => {
    const { out, err } = await site.psql('select current_user', { env: { PGUSER: user, PGPASSWORD: password, PGDATABASE: database } });
    return out + err;
  };
  await until('the new rules count', async () => (await as('max', 'fünf')) === 'max\n');
  t.is(await as('sam', 'sechs'), 'sam\n'); // by SCRAM
  for (const database of ['postgres', 'template1']) {
    t.is(await as('max', 'fünf', database), 'max\n');
    t.is(await as('sam', 'sechs', database), 'sam\n');
    for (const [user, password] of [['max', 'five'], ['sam', 'fünf'], ['late', 'x'], ['nobody', 'x']] as const) {
      t.regex(await as(user, password, database), new RegExp(`FATAL: {2}password authentication failed for user "${user}"`));
    }
  }
  t.regex((await site.psql('alter role max rename to min')).err, /NOTICE: {2}MD5 password cleared because of role rename/);
  t.regex(await as('min', 'fünf'), /password authentication failed/);
});

test.serial('sequences give no number twice, however everything ends', async (t) => {
  await site.psql('create sequence numbers');
  const client = await site.connect();
  let last = 0;
  for (let i = 0; i < 50; i++) last = Number((await client.query("select nextval('numbers') as n")).rows[0].n);
  await client.query('create table kept (a int); insert into kept values (1)');
  await site.killEverything();
  t.true(hasFile(site, 'postmaster.pid'));
  await site.start();
  const after = Number((await site.psql("select nextval('numbers')")).out);
  t.true(after > last && after <= last + 64, `${last}, then ${after}`);
  t.is((await site.psql('select a from kept')).out, '1\n');
});

test.serial('fast shutdown: backends are told, nothing stays, the next start is clean', async (t) => {
  const client = await RawClient.open(site.port);
  const pid = client.processId;
  client.Query('select pg_sleep(100)');
  const stopped = site.stop('SIGINT');
  t.like(await client.error(), { C: '57P01', M: 'terminating connection due to administrator command' });
  t.is(await stopped, 0);
  t.false(isRunning(pid));
  t.deepEqual(processesIn(site.folder), []);
  t.deepEqual(readdirSync(site.folder).filter((name) => name.startsWith('.s.') || name === 'postmaster.pid'), []);
  await site.start();
  t.is((await site.psql('select a from kept')).out, '1\n');
  t.regex(readFileSync(join(site.folder, 'postmaster.pid'), 'utf8'), new RegExp(`^${site.pid}\n`));
});

test.serial('postgres --single, with the postmaster away', async (t) => {
  await site.stop();
  const alone = await run('postgres', ['--single', '-D', site.folder, 'postgres'], { input: 'create table single (a int);\ninsert into single values (7);\nselect a from single;\n' });
  t.is(alone.code, 0, alone.err);
  t.regex(alone.out, /a = "7"/);
  await site.start();
  t.is((await site.psql('select a from single')).out, '7\n');
});

test.serial('a site with faults does not start, and is told what to mend', async (t) => {
  const folder = await makeSite();
  chmodSync(join(folder, 'hba.conf'), 0o644);
  chmodSync(join(folder, 'base'), 0o755);
  const { code, err, out } = await run('postmaster', ['-D', folder, '-p', '1']);
  t.is(code, 1);
  t.regex(err + out, /hba\.conf has mode 0644, not 0600[^]*chmod 0600/);
  t.regex(err + out, /base has mode 0755, not 0700[^]*chmod 0700/);
});

// Backends inherited the environment of global/ that the postmaster had opened to rehearse passwords, and with it its place
// among the readers: MDB_BAD_RSLOT at some later connection.
test.serial('the postmaster keeps no environment open', async (t) => {
  const own = await startSite({ hba: 'local all all peer map=x\nhost all all 127.0.0.1/32 scram-sha-256' });
  try {
    const target = (fd: string): string => {
      try {
        return readlinkSync(`/proc/${own.pid}/fd/${fd}`);
      } catch {
        return ''; // closed meanwhile
      }
    };
    t.deepEqual(readdirSync(`/proc/${own.pid}/fd`).map(target).filter((path) => path.endsWith('data.mdb')), []);
  } finally {
    await own.remove();
  }
});

test.serial('ALTER SYSTEM: counts from the next reload, in sessions too, and after a restart', async (t) => {
  const own = await startSite({ ini: 'dress_rehearsal = off\nwork_mem = 5MB' });
  const shown = async (client: { query(text: string): Promise<{ rows: any[] }> }, name: string): Promise<string> => (await client.query(`show ${name}`)).rows[0][name];
  try {
    let client = await own.connect();
    await client.query("alter system set work_mem = '7MB'");
    await client.query("alter system set search_path = 'it''s', public");
    await client.query('alter system set superuser_reserved_connections = 4');
    t.is(await shown(client, 'work_mem'), '5MB');
    await client.query('select pg_reload_conf()');
    await until('the session has read it', async () => await shown(client, 'work_mem') === '7MB');
    t.is(await shown(client, 'search_path'), '"it\'s", public');
    t.deepEqual((await client.query("select setting, pending_restart from pg_settings where name = 'superuser_reserved_connections'")).rows, [{ setting: '3', pending_restart: true }]);
    t.regex((await client.query("select sourcefile from pg_settings where name = 'work_mem'")).rows[0].sourcefile, /\/site\.auto\.ini$/);
    await client.end();
    await own.stop();
    await own.start();
    client = await own.connect();
    t.is(await shown(client, 'superuser_reserved_connections'), '4');
    await client.query('alter system reset work_mem');
    await client.query('select pg_reload_conf()');
    await until('it is as site.ini says', async () => await shown(client, 'work_mem') === '5MB');
    t.is(await shown(client, 'search_path'), '"it\'s", public');
    await client.query('alter system reset all');
    await client.query('select pg_reload_conf()');
    await until('nothing is left', async () => await shown(client, 'search_path') === '"$user", public');
    await client.end();
  } finally {
    await own.remove();
  }
});

// Backends went on writing to the file that had been moved away.
test.serial('SIGHUP opens the log file anew, in sessions too', async (t) => {
  const own = await startSite({ ini: "dress_rehearsal = off\nlogging_collector = on\nlog_filename = 'posthouse.log'\nlog_line_prefix = ''", dontWait: true });
  const file = join(own.folder, 'log/posthouse.log');
  const says = (path: string, text: string): boolean => existsSync(path) && readFileSync(path, 'utf8').includes(text);
  try {
    await until('it is ready', () => says(file, 'ready to accept connections'), 60_000);
    const client = await own.connect();
    await t.throwsAsync(client.query('select 1/0'));
    t.true(says(file, 'division by zero'));
    renameSync(file, `${file}.1`);
    own.process.kill('SIGHUP');
    await until('the new file is there', () => says(file, 'reloading') || existsSync(file));
    await until('the session writes to it', async () => {
      await client.query('select nonsense').catch(() => {});
      return says(file, 'nonsense');
    });
    await client.query('select afterwards').catch(() => {});
    t.true(says(file, 'afterwards'));
    t.false(says(`${file}.1`, 'afterwards'));
  } finally {
    await own.remove();
  }
});

// It was taken for a site to be made.
test('initdb --sync-only flushes a site that is there', async (t) => {
  const folder = await makeSite();
  const done = await run('initdb', ['-S', '-D', folder]);
  t.deepEqual([done.code, done.out], [0, 'syncing data to disk ... ok\n']);
  t.is((await run('initdb', ['-S', '-D', `${folder}.not`])).code, 1);
});

// Nobody found the transaction manager any more, and who killed the postmaster then could have had two of them.
test('tmp/ is emptied, or gone, while the site runs: sessions go on, and new ones come', async (t) => {
  const own = await startSite({ ini: 'dress_rehearsal = off' }), tmp = join(own.folder, 'tmp');
  const client = await own.connect();
  await client.query('create table kept (a int); insert into kept values (1)');
  for (const gone of [() => { for (const name of readdirSync(tmp)) rmSync(join(tmp, name)); }, () => { rmSync(tmp, { recursive: true }); }]) {
    gone();
    await client.query('insert into kept values (2)');
    const other = await own.connect();
    await other.query('insert into kept values (3)');
    await other.query('create role somebody; drop role somebody');
    await other.end();
  }
  t.is((await client.query('select count(*)::int as n from kept')).rows[0].n, 5);
  t.is(own.log().match(/"tmp\/postmaster\.sock" was removed; listening again/g)?.length, 2);
  await client.end();
  await own.remove();
});
