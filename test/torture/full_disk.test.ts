// A disk that fills up: every command that writes says 53100, reading goes on, nothing that was there is lost, no process
// ends, and as soon as there is room all works again. Backends and managers died of SIGBUS in files with holes, and a write
// cut short was taken for an I/O error. Needs root, to mount a small tmpfs.
import test from 'ava';
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { giveToAccount, isRoot } from '../support/account.ts';
import { runFolder, until } from '../support/run.ts';
import { startSite, templateSite, type Site } from '../support/site.ts';

const disk = isRoot ? mkdtempSync(join(runFolder(), 'disk-')) : '';
const mounted = isRoot && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m,mode=755', 'tmpfs', disk]).status === 0;
let site: Site | undefined;

test.after.always(async () => {
  if (site !== undefined) await site.stop();
  if (mounted) spawnSync('umount', [disk]);
});

(mounted ? test : test.skip)('a full disk', async (t) => {
  t.timeout(600_000);
  const folder = join(disk, 'site');
  mkdirSync(folder, { mode: 0o700 });
  cpSync(await templateSite(), folder, { recursive: true, preserveTimestamps: true });
  writeFileSync(join(folder, 'hba.conf'), 'host all all 127.0.0.1/32 trust\n');
  appendFileSync(join(folder, 'site.ini'), '\ndress_rehearsal = off\n');
  giveToAccount(folder);
  site = await startSite({ folder });
  const client = await site.connect();
  const code = async (text: string): Promise<string> => client.query(text).then(() => 'done', (error: { code?: string }) => error.code ?? String(error));
  const count = async (table: string): Promise<number> => (await client.query(`select count(*)::int as n from ${table}`)).rows[0].n as number;

  await client.query("create table keep (a int primary key, b text); insert into keep select i, repeat('x', 50) from generate_series(1, 2000) i");
  await client.query('create table fill (a int, b text)');
  const ballast = join(disk, 'ballast');
  writeFileSync(ballast, Buffer.alloc(16 << 20)); // what will be freed: even a TRUNCATE has something to write
  let rows = 0;
  for (const step of [50_000, 10_000, 1000, 100]) {
    for (let i = 0; i < 50; i++) {
      const answer = await code(`insert into fill select i, md5(i::text) || repeat('y', 100) from generate_series(1, ${step}) i`);
      if (answer !== 'done') {
        t.is(answer, '53100');
        break;
      }
      rows += step;
    }
  }
  const fillUp = (): void => { spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=4k', 'oflag=append', 'conv=notrunc'], { stdio: 'ignore' }); };
  fillUp();
  for (const text of ['create index on fill (b, a)', 'create database other', 'create table copied as select * from fill, generate_series(1, 3)', 'insert into fill select * from fill']) {
    t.is(await code(text), '53100', text);
  }
  fillUp(); // what the others gave back
  await client.query("set work_mem = '64kB'");
  t.is(await code('select count(*) from (select row_number() over (order by f.b, g.b, f.a) from fill f join fill g using (a)) s'), '53100');
  for (const text of [
    'select count(*) from (select b, count(*) from fill group by b) s', 'select count(*) from fill f join fill g using (a, b)',
    'select count(*) from (select b from fill except select b from keep) s', 'begin; declare c cursor for select * from fill; move all in c',
  ]) t.is(await code(text), '53100', text);
  await client.query('rollback; reset work_mem');
  t.is(await count('fill'), rows);
  t.is(await count('keep where length(b) = 50'), 2000);
  const other = await site.connect(); // somebody new
  t.is((await other.query('select max(a) from keep')).rows[0].max, 2000);

  rmSync(ballast, { force: true });
  await client.query('truncate fill');
  for (const text of ["insert into keep select i, 'later' from generate_series(2001, 3000) i", 'create index on keep (b)', 'create database other']) t.is(await code(text), 'done', text);
  t.is(await count('keep'), 3000);
  t.notRegex(site.log(), /terminated by signal/);
});

(mounted ? test : test.skip)('a full disk for files of COPY, large objects and the log', async (t) => {
  t.timeout(600_000);
  const small = mkdtempSync(join(runFolder(), 'small-'));
  t.is(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=777', 'tmpfs', small]).status, 0);
  const logs = join(small, 'log');
  const ours = await startSite({ ini: `dress_rehearsal = off\nlogging_collector = on\nlog_directory = ${logs}\nlog_filename = postmaster.log\nlog_statement = all`, dontWait: true });
  try {
    const file = (name: string): string => readFileSync(join(logs, name), 'utf8');
    await until('it listens', () => readdirSync(small).includes('log') && file('postmaster.log').includes('ready to accept connections'), 60_000);
    const client = await ours.connect();
    const code = async (text: string): Promise<string> => client.query(text).then(() => 'done', (error: { code?: string; message: string }) => `${error.code}: ${error.message}`);
    // Smaller than a buffer of the server: the kernel takes a part, and that alone is no error.
    for (const rows of [200_000, 5000]) {
      if (rows < 10_000) writeFileSync(join(small, 'ballast'), Buffer.alloc((1 << 20) - 100_000));
      t.is(await code(`copy (select md5(i::text) from generate_series(1, ${rows}) i) to '${small}/copy.txt'`), '53100: could not write to COPY file: No space left on device');
      rmSync(join(small, 'copy.txt'));
    }
    t.regex(await code(`select lo_export(lo_from_bytea(0, decode(repeat('ab', 3000000), 'hex')), '${small}/object')`), /^53100: could not create server file/);
    rmSync(join(small, 'object'));
    spawnSync('dd', ['if=/dev/zero', `of=${join(small, 'ballast')}`, 'bs=1', 'count=1M', 'oflag=append', 'conv=notrunc'], { stdio: 'ignore' });
    for (let i = 0; i < 200; i++) await client.query(`select 'a line of the log ${'x'.repeat(100)} ${i}'`);
    t.regex(ours.log(), /a line of the log x* 199/, 'what the file does not take goes to stderr');
    rmSync(join(small, 'ballast'));
    await client.query("select 'room again'");
    t.regex(file('postmaster.log'), /\n[^\n]*LOG: {2}statement: select 'room again'\n/);
    await client.end();
  } finally {
    await ours.stop();
    spawnSync('umount', [small]);
  }
});

(mounted ? test : test.skip)('large and small commits while the disk fills up, and everything is killed', async (t) => {
  t.timeout(600_000);
  const small = mkdtempSync(join(runFolder(), 'filling-'));
  t.is(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=72m,mode=755', 'tmpfs', small]).status, 0);
  const folder = join(small, 'site'), ballast = join(small, 'ballast');
  mkdirSync(folder, { mode: 0o700 });
  cpSync(await templateSite(), folder, { recursive: true, preserveTimestamps: true });
  writeFileSync(join(folder, 'hba.conf'), 'host all all 127.0.0.1/32 trust\n');
  appendFileSync(join(folder, 'site.ini'), '\ndress_rehearsal = off\n');
  giveToAccount(folder);
  const ours = await startSite({ folder });
  try {
    const prepare = await ours.connect();
    await prepare.query('create table small (a int primary key); create table large (a int, b int, c text); create index on large (b, a)');
    await prepare.end();
    const acknowledged = new Set<number>(), unknown = new Set<number>();
    let next = 0, batch = 0;
    for (let round = 0; round < 3; round++) {
      writeFileSync(ballast, Buffer.alloc(12 << 20));
      const clients = await Promise.all([ours.connect(), ours.connect(), ours.connect()]);
      let stopped = false;
      const code = async (at: number, text: string): Promise<string> => clients[at]!.query(text).then(() => 'done', (error: { code?: string }) => error.code ?? 'lost');
      const one = async (at: number): Promise<void> => {
        while (!stopped) {
          const a = next++, answer = await code(at, `insert into small values (${a})`);
          if (answer === 'done') acknowledged.add(a);
          else if (answer !== '53100') unknown.add(a);
          if (answer === 'lost' || answer.startsWith('57')) return;
        }
      };
      const many = async (): Promise<void> => {
        for (let i = 0, refused = 0; refused < 4; i++) {
          const answer = await code(2, `insert into large select ${++batch}, i, md5(i::text) from generate_series(1, ${i % 2 === 0 ? 30000 : 3000}) i`);
          if (answer !== 'done') {
            t.is(answer, '53100');
            refused++;
          }
        }
      };
      const all = [one(0), one(1)];
      await many();
      stopped = round === 0;
      if (round > 0) {
        // One more large commit is on its way when all of them die.
        const last = code(2, `insert into large select ${++batch}, i, md5(i::text) from generate_series(1, 30000) i`);
        await ours.killEverything();
        await last;
      }
      await Promise.all(all);
      rmSync(ballast);
      if (round > 0) await ours.start();
      else for (const client of clients) await client.end();
      const client = await ours.connect();
      const rows = (await client.query('select a from small')).rows as { a: number }[];
      const there = new Set(rows.map(({ a }) => a));
      t.deepEqual([...acknowledged].filter((a) => !there.has(a)), []);
      t.deepEqual([...there].filter((a) => !acknowledged.has(a) && !unknown.has(a)), []);
      t.deepEqual((await client.query('select a from large group by a having count(*) not in (30000, 3000) or count(*) <> count(distinct b)')).rows, []);
      t.is((await client.query('select (select count(*) from large) - (select count(*) from large where b > 0) as n')).rows[0].n, '0');
      await client.query('truncate large');
      await client.end();
    }
    // Each round ended after large ones were refused; whether a small one is among them is chance: it was demanded here
    // once, and failed on a machine where the small ones found room each time (test/transaction/apply.test.ts has that case).
    t.true(acknowledged.size > 0);
  } finally {
    await ours.stop();
    spawnSync('umount', [small]);
  }
});
