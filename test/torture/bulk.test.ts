// The transaction manager, the backend or everything is killed -9 during bulk commits and while indexes are made: a load is
// there as a whole or not at all, what was acknowledged is there, indexes and tables agree, and no file is left in tmp/.
// A short form in the normal run, a long one as `make torture`; SEED=n repeats a run.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { Client } from 'pg';
import { isRunning, until } from '../support/run.ts';
import { startSite, type Site } from '../support/site.ts';
import { randomFrom } from '../support/random.ts';

const long = process.env['TORTURE'] === '1';
const seed = Number(process.env['SEED'] ?? (long ? Date.now() % 1_000_000 : 7));
const ROUNDS = long ? 150 : 6, ROWS = 20_000;
/** The long form ends after so many minutes, however slow the machine: tools/test.ts stops a run that does not, and it has no result. */
const MINUTES = 20;

let site: Site;
test.before(async () => { site = await startSite({ ini: 'dress_rehearsal = off' }); }); // it is started again and again
test.after.always(async () => site?.remove());

/** Batches of rows that must be there, must not, or may. */
interface Model { batches: Map<number, 'there' | 'unknown'>; index: 'there' | 'gone' | 'unknown' }

async function connect(): Promise<Client> {
  for (;;) {
    try {
      return await site.connect();
    } catch (error) {
      if ((error as { code?: string }).code !== '57P03') throw error;
    }
  }
}

async function check(model: Model): Promise<string | null> {
  const client = await connect();
  const read = async (text: string): Promise<Record<string, unknown>[]> => (await client.query(text)).rows as Record<string, unknown>[];
  try {
    // A backend that was killed may have sent its commit: it is applied before a later one. (Without this, on a busy machine, rows
    // were seen that went a moment after.)
    await client.query('insert into later values (1)');
    await client.query('set enable_indexscan = off; set enable_indexonlyscan = off; set enable_bitmapscan = off');
    const batches = await read('select batch, count(*)::int n, sum(id)::float8 total, count(distinct code)::int codes from load group by batch order by batch');
    for (const { batch, n, codes } of batches) {
      if (n !== ROWS || codes !== ROWS) return `batch ${batch} has ${n} rows, ${codes} codes`;
      if (!model.batches.has(batch as number)) return `batch ${batch} was refused or deleted, and is there`;
    }
    for (const [batch, state] of model.batches) {
      const there = batches.some((b) => b['batch'] === batch);
      if (!there && state === 'there') return `batch ${batch} was acknowledged and is gone`;
      if (there) model.batches.set(batch, 'there'); else model.batches.delete(batch);
    }
    const [indexes] = await read("select count(*)::int n from pg_class where relname = 'load_code'");
    if (model.index !== 'unknown' && (indexes!['n'] === 1) !== (model.index === 'there')) return `the index is ${model.index}, says the client; pg_class has ${indexes!['n']}`;
    model.index = indexes!['n'] === 1 ? 'there' : 'gone';
    // Every index has each row once, under its key.
    const table = await read('select count(*)::int n, coalesce(sum(id), 0)::float8 total from load');
    await client.query('set enable_seqscan = off; set enable_indexscan = on; set enable_indexonlyscan = on');
    for (const condition of ['id >= 0', 'batch >= 0', ...(model.index === 'there' ? ["code >= ''"] : [])]) {
      const plan = await read(`explain select count(*), sum(id) from load where ${condition}`);
      if (!plan.some((line) => /Index/.test(String(Object.values(line)[0])))) return `no index for ${condition}: ${JSON.stringify(plan)}`;
      const found = await read(`select count(*)::int n, coalesce(sum(id), 0)::float8 total from load where ${condition}`);
      if (JSON.stringify(found) !== JSON.stringify(table)) return `by ${condition}: ${JSON.stringify(found)}, the table: ${JSON.stringify(table)}`;
    }
    return null;
  } finally {
    await client.end();
  }
}

test('a bulk commit or the making of an index that is killed leaves all or nothing', async (t) => {
  t.timeout(long ? 2 * MINUTES * 60_000 : 300_000);
  t.log(`SEED=${seed}`);
  const random = randomFrom(seed), model: Model = { batches: new Map(), index: 'gone' };
  let client = await connect();
  await client.query('create table load (id int primary key, batch int, code text); create index on load (batch); create table later (a int)');
  const history: string[] = [];
  let next = 1, died = 0, survived = 0, tookMs = 300;
  const end = performance.now() + MINUTES * 60_000;
  for (let round = 0; round < ROUNDS && performance.now() < end; round++) {
    const there = [...model.batches.keys()];
    const kind = there.length > 4 ? 'delete' : (['load', 'load', 'delete', 'move', 'index', 'index'] as const)[random(6)]!;
    const batch = kind === 'load' || there.length === 0 ? next++ : there[random(there.length)]!;
    let text: string, done = (): void => {}, maybe = (): void => {};
    if (kind === 'index') {
      text = model.index === 'there' ? 'drop index load_code' : 'create index load_code on load (code)';
      const after = model.index === 'there' ? 'gone' : 'there';
      done = () => { model.index = after; };
      maybe = () => { model.index = 'unknown'; };
    } else if (kind === 'load' || there.length === 0) {
      text = `insert into load select ${batch * ROWS} + i, ${batch}, md5((i * ${batch})::text) from generate_series(0, ${ROWS - 1}) i`;
      done = () => { model.batches.set(batch, 'there'); };
      maybe = () => { model.batches.set(batch, 'unknown'); };
    } else if (kind === 'delete') {
      text = `delete from load where batch = ${batch}`;
      done = () => { model.batches.delete(batch); };
      maybe = () => { model.batches.set(batch, 'unknown'); };
    } else {
      const to = next++;
      text = `update load set batch = ${to} where batch = ${batch}`;
      done = () => { model.batches.delete(batch); model.batches.set(to, 'there'); };
      maybe = () => { model.batches.set(batch, 'unknown'); model.batches.set(to, 'unknown'); };
    }
    const victim = (['manager', 'manager', 'manager', 'backend', 'everything'] as const)[random(5)]!;
    const from = performance.now(), statement = client.query(text).then(() => 'done' as const, (error: Error & { code?: string }) => error);
    // Somewhere in the middle, mostly near the end, where the commit is.
    await new Promise((wake) => { setTimeout(wake, tookMs * (0.2 + random(100) / 100)); });
    if (victim === 'backend') {
      process.kill(client.processID, 'SIGKILL');
    } else if (victim === 'manager') {
      const manager = site.processes().find(({ title }) => /manager base/.test(title));
      if (manager) {
        process.kill(manager.pid, 'SIGKILL');
        await until('the manager is gone', () => !isRunning(manager.pid));
      }
    } else {
      await site.killEverything();
      await site.start();
    }
    const result = await statement;
    history.push(`${round}: ${text.slice(0, 60)}, ${victim} killed: ${result === 'done' ? 'acknowledged' : result.message}`);
    if (result === 'done') { done(); survived++; tookMs = (tookMs + performance.now() - from) / 2; } else { maybe(); died++; }
    await client.end().catch(() => {});
    t.is(await check(model), null, history.slice(-4).join('\n'));
    client = await connect();
  }
  t.log({ died, survived });
  t.true(died > 0);
  await client.end();
  await until('no commit file is left', () => !readdirSync(join(site.folder, 'tmp')).some((name) => name.startsWith('commit.')), 30_000);
});
