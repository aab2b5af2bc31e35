// Parallel workers: what they find, how they fail, and that nothing is left of them.
import test from 'ava';
import { readFileSync } from 'node:fs';
import { Session } from '../support/sessions.ts';
import { startSite, type Site } from '../support/site.ts';

let site: Site;
test.before(async () => {
  site = await startSite({ ini: 'dress_rehearsal = off\nmax_worker_processes = 3' });
  const s = await Session.open(site);
  await s.run(`create table p (id int primary key, g int, h int, t text);
    insert into p select i, i % 100, (i * 7919) % 20011, 'row ' || i from generate_series(1, 20000) i;
    create index p_h on p (h); create index p_t on p (t);
    create table q (id int, w int); insert into q select i, i * 2 from generate_series(1, 3000) i;
    create sequence seq;
    create function loud(int) returns int language plpgsql parallel safe as 'begin if $1 = 7 then raise notice ''seven''; end if; return 10 / ($1 - 20001); end';
    create function next_one() returns bigint language sql volatile parallel safe as 'select nextval(''seq'')';
    create function reads(int) returns bigint language sql stable parallel safe as 'select count(*) from q where q.id <= $1';
    analyze p; analyze q`);
  await s.end();
});
test.after.always(async () => site?.remove());

const FREE = 'set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0; set min_parallel_index_scan_size = 0; set max_parallel_workers_per_gather = 2';
async function open(settings = ''): Promise<Session> {
  const s = await Session.open(site);
  await s.run(`${FREE}; ${settings}`);
  return s;
}
const launched = async (s: Session, query = 'select count(*) from p'): Promise<string> =>
  /Workers Launched: (\d+)/.exec((await s.run(`explain (analyze, costs off, timing off) ${query}`) as string[]).join('\n'))?.[1] ?? 'no Gather';
const code = (answer: string[] | string): string => (typeof answer === 'string' ? answer.slice(0, 5) : 'none');
const pidOf = (s: Session): number => s.client.processID;
const WORKERS = "select pid from pg_stat_activity where backend_type = 'parallel worker' and leader_pid = ";
/** Each process sleeps at the first row it comes to. */
const SLEEPS = 'select count(*) from p where pg_sleep(600) is not null';

/** The workers of a session, when there are so many. */
async function workersOf(s: Session, watcher: Session, count: number): Promise<number[]> {
  for (;;) {
    const pids = await watcher.run(WORKERS + String(pidOf(s))) as string[];
    if (pids.length === count) return pids.map(Number);
  }
}
/** Neither running nor a zombie. */
function isGone(pid: number): boolean {
  try {
    readFileSync(`/proc/${pid}/stat`);
    return false;
  } catch {
    return true;
  }
}

test.serial('what is found is what one process finds', async (t) => {
  const s = await open();
  for (const [settings, query] of [
    ['', 'select count(*), sum(id), sum(h), min(t), max(t), avg(g), sum(h::float8), sum(h::numeric) from p'],
    ['', 'select g, count(*), sum(h), string_agg(null::text, t) from p group by g order by g'],
    ['', 'select id, t from p where h % 7 = 3 order by t limit 20'],
    ['', "select * from p where t like '%77%' order by id"],
    ['set enable_seqscan = off; set enable_bitmapscan = off', 'select count(*), sum(g) from p where h between 100 and 15000'],
    ['set enable_seqscan = off; set enable_bitmapscan = off', 'select h, t from p where h > 19000 or h < 50 order by h'],
    ['set enable_seqscan = off; set enable_bitmapscan = off', 'select count(*), sum(h) from p where h in (1, 5, 700, 19999, 13000)'],
    ['set enable_seqscan = off; set enable_bitmapscan = off; set enable_sort = off', 'select h, t from p where h < 17000 order by h desc, t'],
    ['set enable_seqscan = off; set enable_bitmapscan = off', "select count(*), sum(h) from p where t > 'row 2' and t < 'row 7'"],
    ['set enable_seqscan = off; set enable_indexscan = off; set enable_indexonlyscan = off', 'select count(*), sum(g) from p where h between 100 and 5000'],
    ['', 'select count(*), sum(p.h + q.w) from p join q on p.h = q.id'],
    ['set enable_hashjoin = off', 'select count(*), sum(p.h + q.w) from p join q on p.h = q.id'],
    ['set enable_hashjoin = off; set enable_mergejoin = off', 'select count(*), sum(p.h) from q join p on p.id = q.id'],
    ['set work_mem = 64', 'select count(*), sum(a.h + b.g) from p a join p b on a.h = b.id'],
    ['', 'select sum(x), count(*) from (select h from p union all select w from q union all select id from p) u (x)'],
    ['', 'select count(*) from p where h > (select avg(w) from q) and id in (select w from q)'],
    ['', 'select sum(reads(id)) from p where id < 50'],
    ['set parallel_leader_participation = off', 'select count(*), sum(h) from p'],
  ] as const) {
    await s.run(`begin; ${settings.replaceAll('set ', 'set local ')}`);
    t.not(await launched(s, query), '0', query);
    const parallel = await s.run(query);
    await s.run('set local max_parallel_workers_per_gather = 0');
    t.deepEqual(parallel, await s.run(query), query);
    await s.run('commit');
  }
  await s.end();
});

test.serial('a worker that is killed fails its statement alone; nothing is left', async (t) => {
  const [s, watcher] = [await open(), await open()];
  for (const [how, wanted] of [[(pid: number) => process.kill(pid, 'SIGKILL'), '55000'], [(pid: number) => watcher.run(`select pg_terminate_backend(${pid})`), '57P01'], [(pid: number) => watcher.run(`select pg_cancel_backend(${pid})`), '57014']] as const) {
    const answer = s.run(SLEEPS), pids = await workersOf(s, watcher, 2);
    await how(pids[0]!);
    t.is(code(await answer), wanted);
    t.true(pids.every(isGone));
    t.is(await launched(s), '2');
  }
  await Promise.all([s.end(), watcher.end()]);
});

test.serial('a leader that is cancelled, or killed, takes its workers along', async (t) => {
  const [s, watcher] = [await open(), await open()];
  const answer = s.run(SLEEPS), pids = await workersOf(s, watcher, 2);
  await watcher.run(`select pg_cancel_backend(${pidOf(s)})`);
  t.is(code(await answer), '57014');
  t.true(pids.every(isGone));
  const lost = s.run(SLEEPS), others = await workersOf(s, watcher, 2);
  process.kill(pidOf(s), 'SIGKILL');
  await lost;
  while (!others.every((pid) => isGone(pid) || / Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')))) await watcher.run('select 1');
  // The postmaster has given their places back.
  while (await launched(watcher) !== '2') t.pass();
  await watcher.end();
});

test.serial('errors and notices of workers, and what they may not do', async (t) => {
  const s = await open('set parallel_leader_participation = off');
  const failed = await s.run('select count(*) from p where 1 / (id - 15000) = 5') as string;
  t.is(code(failed), '22012');
  t.is(code(await s.run('select count(*) from p where id % 20001 = 700 and next_one() > 0')), '25000');
  t.deepEqual(await s.run('select count(*) from p where loud(id) < 5'), ['20000']);
  t.deepEqual(await s.run('select last_value, is_called from seq'), ['1|f']);
  await s.end();
});

test.serial('there are no more workers than may be', async (t) => {
  const [s, other, watcher] = [await open(), await open(), await open()];
  for (const [limit, wanted] of [[0, '0'], [1, '1'], [8, '2']] as const) {
    await other.run(`set max_parallel_workers = ${limit}`);
    t.is(await launched(other), wanted);
  }
  // Two of three places are taken.
  const answer = s.run(SLEEPS);
  await workersOf(s, watcher, 2);
  t.is(await launched(other), '1');
  t.deepEqual(await other.run('select count(*), sum(id) from p'), ['20000|200010000']);
  t.deepEqual(await watcher.run(`select count(*), count(distinct datname), max(state), count(client_port) from pg_stat_activity where leader_pid = ${pidOf(s)}`), ['2|1|active|0']);
  await watcher.run(`select pg_cancel_backend(${pidOf(s)})`);
  await answer;
  t.is(await launched(other), '2');
  await Promise.all([s, other, watcher].map(async (one) => one.end()));
});

test.serial('own changes are seen; who reads for a serializable transaction is alone', async (t) => {
  const s = await open();
  await s.run("begin; insert into p select i, 1, 1, 'new' from generate_series(20001, 20100) i; delete from p where id <= 50; update p set h = 0 where id between 51 and 60");
  t.is(await launched(s), '0');
  t.deepEqual(await s.run('select count(*), sum(id), sum(h) filter (where id between 51 and 60) from p'), ['20050|202013775|0']);
  // What the transaction has done to other tables is no matter.
  t.is(await launched(s, 'select count(*) from q'), '2');
  await s.run('rollback; begin isolation level serializable');
  t.is(await launched(s), '0');
  await s.run('commit; begin isolation level repeatable read');
  t.is(await launched(s), '2');
  await s.run('rollback; create table made as select count(*) n, sum(id) from p');
  t.deepEqual(await s.run('select * from made'), ['20000|200010000']);
  await s.end();
});

test.serial('EXPLAIN tells what each worker has done', async (t) => {
  const s = await open('set parallel_leader_participation = off');
  const lines = (await s.run('explain (analyze, verbose, costs off, timing off, summary off) select count(*) from p') as string[]).map((line) => line.trim());
  const of = (name: string): string[] => lines.slice(lines.findIndex((line) => line.includes(name))).filter((line) => line.startsWith('Worker ')).slice(0, 2);
  t.deepEqual(of('Partial Aggregate'), ['Worker 0:  actual rows=1 loops=1', 'Worker 1:  actual rows=1 loops=1']);
  const rows = of('Parallel ').map((line) => Number(/rows=(\d+)/.exec(line)![1]));
  t.is(rows[0]! + rows[1]!, 20000);
  const [plain] = await s.run('explain (analyze, verbose, costs off, format json) select count(*) from p') as string[];
  t.deepEqual(JSON.parse(plain!)[0].Plan.Plans[0].Plans[0].Workers.map((w: Record<string, number>) => [w['Worker Number'], w['Actual Rows'], w['Actual Loops']]), [[0, 1, 1], [1, 1, 1]]);
  await s.end();
});

test.serial('what workers have read counts', async (t) => {
  const s = await open();
  const LOOK = "select seq_tup_read from pg_stat_user_tables where relname = 'q'";
  await s.run('select pg_stat_force_next_flush()');
  const before = Number((await s.run(LOOK) as string[])[0]);
  t.is(await launched(s, 'select count(*) from q'), '2');
  await s.run('select pg_stat_force_next_flush()');
  t.is(Number((await s.run(LOOK) as string[])[0]), before + 3000);
  await s.end();
});

// A scan of 1,000,000 rows took 12 ms without workers and 60 with them, when they cost what they cost in PostgreSQL.
test.serial('where nobody has said what workers cost, they are for what takes long', async (t) => {
  const s = await Session.open(site);
  await s.run(`create table wide (a int, t text); insert into wide select i, 'w' || i from generate_series(1, 1000) i; analyze wide;
    update pg_class set reltuples = 2000000 where relname = 'wide'`);
  const gathers = async (query: string): Promise<boolean> => (await s.run(`explain (costs off) ${query}`) as string[]).some((line) => line.includes('Gather'));
  t.false(await gathers('select count(*) from wide where a % 3 = 1'));
  t.true(await gathers("select count(*) from wide where md5(t) like 'a%'"));
  t.false(await gathers('select * from wide order by a'));
  await s.run('set parallel_setup_cost = 1000');
  t.true(await gathers('select count(*) from wide where a % 3 = 1'));
  t.false(await gathers('select count(*) from q'));
  await s.end();
});
