// Posthouse beside Debian's PostgreSQL 15, in one run: the rows of the table in the README of this folder. Both are durable and
// have their defaults; measurements alternate (A B A B ...), and a row's figure is the median of the ratios of pairs.
//   node test/bench/bench.ts [--rounds N] [--seconds N] [--scale N] [--only WORD]... [--list] [--profile-dir DIR]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { POSTGRESQL, startSite, type Site } from '../support/site.ts';
import { oracleInstalled } from '../support/oracle.ts';
import { RawClient } from '../support/raw_client.ts';

const { values: options } = parseArgs({ options: {
  rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '4' }, scale: { type: 'string', default: '10' },
  only: { type: 'string', multiple: true, default: [] }, list: { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
} });
const rounds = Number(options.rounds), seconds = Number(options.seconds), scale = Number(options.scale);

interface Row {
  name: string;
  /** "more": of something a second; "less": milliseconds; "limit": our megabytes, beside a limit. */
  unit: 'more' | 'less' | 'limit';
  target: number;
  measure: (site: Site) => Promise<number>;
}

/** Runs pgbench; the transactions per second. */
async function pgbench(site: Site, args: readonly string[]): Promise<number> {
  const { code, out, err } = await site.client('pgbench', ['-n', '-T', String(seconds), ...args]);
  const rate = /^tps = ([\d.]+)/m.exec(out);
  const failed = /number of failed transactions: (\d+)/.exec(out);
  if (code !== 0 || rate === null || (failed !== null && failed[1] !== '0')) throw new Error(`pgbench ${args.join(' ')} on ${site.folder}:\n${out}\n${err}`);
  return Number(rate[1]);
}

/** Milliseconds of one statement, the best of a few on one connection: what other work takes from the machine is left out. */
async function statement(site: Site, text: string, times = 3): Promise<number> {
  const client = await RawClient.open(site.port, { options: '-c max_parallel_workers_per_gather=0' });
  try {
    await client.query(text);
    let best = Infinity;
    for (let i = 0; i < times; i++) {
      const from = performance.now();
      await client.query(text);
      best = Math.min(best, performance.now() - from);
    }
    return best;
  } finally {
    client.Terminate();
    await client.closes();
  }
}

/** Made before anything is timed: that takes as long as copying it. */
const makeCopyText = (): Buffer => Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => `${i + 1}\t${1 + i % 10}\t0\t${' '.repeat(84)}\n`).join(''), 'latin1');
let copyText: Buffer | null = null;

async function copyRows(client: RawClient, table: string): Promise<void> {
  const text = (copyText ??= makeCopyText()), piece = 65536;
  client.Query(`COPY ${table} FROM STDIN`);
  await client.upTo('G');
  for (let at = 0; at < text.length; at += piece) {
    client.CopyData(text.subarray(at, at + piece));
    if (client.socket.writableNeedDrain) await new Promise((done) => { client.socket.once('drain', done); });
  }
  client.CopyDone();
  const answer = await client.answer();
  if (!answer.includes('CommandComplete COPY 1000000')) throw new Error(answer.join('\n'));
}

/** A million rows as a table with these constraints, then `measured`; milliseconds of `measured` alone. What went before
 * is on the disk when the time starts, also of the other one: or the next flush writes it, whoever asks for one. */
function million(constraints: string, measured: (client: RawClient) => Promise<void>, before?: (client: RawClient) => Promise<void>) {
  return async (site: Site): Promise<number> => {
    copyText ??= makeCopyText();
    const client = await RawClient.open(site.port);
    client.patienceMs = 120_000;
    try {
      await client.query('DROP TABLE IF EXISTS copied');
      await client.query(`CREATE TABLE copied (aid int NOT NULL${constraints}, bid int, abalance int, filler char(84))`);
      await before?.(client);
      await client.query('CHECKPOINT');
      execFileSync('sync');
      const from = performance.now();
      await measured(client);
      const took = performance.now() - from;
      await client.query('DROP TABLE copied');
      return took;
    } finally {
      client.Terminate();
      await client.closes();
    }
  };
}
const copied = async (client: RawClient): Promise<void> => copyRows(client, 'copied');
const doing = (text: string) => async (client: RawClient): Promise<void> => { await client.query(text); };

/** How long a commit of one row takes at most while the content of a dropped table is removed. */
async function commitsBesideDrop(site: Site): Promise<number> {
  const client = await RawClient.open(site.port);
  client.patienceMs = 120_000;
  try {
    await client.query('DROP TABLE IF EXISTS copied, beside');
    await client.query('CREATE TABLE copied (aid int PRIMARY KEY, bid int, abalance int, filler char(84)); CREATE TABLE beside (a int)');
    await copyRows(client, 'copied');
    await client.query('CHECKPOINT');
    execFileSync('sync');
    await client.query('DROP TABLE copied');
    const until = performance.now() + 3000;
    let worst = 0;
    while (performance.now() < until) {
      const from = performance.now();
      await client.query('INSERT INTO beside VALUES (1)');
      worst = Math.max(worst, performance.now() - from);
    }
    return worst;
  } finally {
    client.Terminate();
    await client.closes();
  }
}

/** `pgbench -i`, as people do it. */
async function initialise(site: Site): Promise<number> {
  await site.psql('DROP DATABASE IF EXISTS initialised', { args: ['-q'] });
  await site.psql('CREATE DATABASE initialised', { args: ['-q'] });
  execFileSync('sync');
  const from = performance.now();
  const { code, err } = await site.client('pgbench', ['-i', '-q', '-s', '10', 'initialised']);
  if (code !== 0) throw new Error(err);
  return performance.now() - from;
}

/** Private memory of a backend that has answered one query and is idle, in MB. */
async function idleMemory(site: Site): Promise<number> {
  const client = await RawClient.open(site.port);
  await client.query('SELECT abalance FROM pgbench_accounts WHERE aid = 1');
  const text = readFileSync(`/proc/${client.processId}/smaps_rollup`, 'utf8');
  client.Terminate();
  await client.closes();
  const kilobytes = [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB/gm)].reduce((sum, m) => sum + Number(m[1]), 0);
  return kilobytes / 1024;
}

const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const connectScript = join(folder, 'connect.sql');
writeFileSync(connectScript, 'SELECT 1;\n');

const sql = (name: string, target: number, text: string): Row => ({ name, unit: 'less', target, measure: async (site) => statement(site, text) });
const rows: Row[] = [
  { name: 'select-only, prepared, 2 clients', unit: 'more', target: 1, measure: async (s) => pgbench(s, ['-S', '-M', 'prepared', '-c', '2', '-j', '2']) },
  { name: 'select-only, simple, 2 clients', unit: 'more', target: 1, measure: async (s) => pgbench(s, ['-S', '-M', 'simple', '-c', '2', '-j', '2']) },
  { name: 'TPC-B-like, 1 client', unit: 'more', target: 1, measure: async (s) => pgbench(s, ['-c', '1']) },
  { name: 'TPC-B-like, 8 clients', unit: 'more', target: 1, measure: async (s) => pgbench(s, ['-c', '8', '-j', '2']) },
  { name: 'connect, query, disconnect, 4 clients', unit: 'more', target: 1, measure: async (s) => pgbench(s, ['-C', '-c', '4', '-j', '2', '-f', connectScript]) },
  sql('count(*)', 3, 'SELECT count(*) FROM pgbench_accounts'),
  sql('sum', 3, 'SELECT sum(abalance) FROM pgbench_accounts'),
  sql('group by', 3, 'SELECT bid, count(*), sum(abalance), avg(abalance) FROM pgbench_accounts GROUP BY bid'),
  sql('hash join with itself', 1, 'SELECT count(*), sum(a.abalance + b.bid) FROM pgbench_accounts a JOIN pgbench_accounts b ON a.aid = b.aid'),
  sql('ORDER BY', 1, 'SELECT aid FROM pgbench_accounts ORDER BY abalance, bid, aid DESC OFFSET 999999'),
  { name: 'COPY in of 1M rows', unit: 'less', target: 1, measure: million('', copied) },
  { name: 'the same into a table with a key', unit: 'less', target: 1, measure: million(' PRIMARY KEY', copied) },
  { name: 'CREATE INDEX, 1M rows', unit: 'less', target: 1, measure: million('', doing('CREATE INDEX ON copied (bid, aid)'), copied) },
  { name: 'DELETE of 1M rows with a key', unit: 'less', target: 1, measure: million(' PRIMARY KEY', doing('DELETE FROM copied'), copied) },
  { name: 'UPDATE of an indexed column, 1M rows', unit: 'less', target: 1,
    measure: million(' PRIMARY KEY', doing('UPDATE copied SET bid = bid + 1'), async (client) => { await copied(client); await client.query('CREATE INDEX ON copied (bid)'); }) },
  { name: 'pgbench -i -s 10', unit: 'less', target: 1, measure: initialise },
  { name: 'slowest commit beside a dropped table', unit: 'less', target: 1, measure: commitsBesideDrop },
  { name: 'private memory of an idle backend', unit: 'limit', target: 6, measure: idleMemory },
];

const median = (list: readonly number[]): number => {
  const sorted = [...list].sort((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
};
const figure = (value: number, unit: Row['unit']): string =>
  unit === 'more' ? `${value.toFixed(0)}/s` : unit === 'less' ? `${value.toFixed(1)} ms` : `${value.toFixed(1)} MB`;

async function prepare(site: Site): Promise<void> {
  const { code, err } = await site.client('pgbench', ['-i', '-q', '-s', String(scale)]);
  if (code !== 0) throw new Error(err);
  await site.psql('CHECKPOINT', { args: ['-q'] }); // where there is such a thing, it is not to fall into a measurement
}

async function measureRow(row: Row, ours: Site, theirs: Site | null): Promise<{ line: string; passed: boolean }> {
  const mine: number[] = [], other: number[] = [], ratios: number[] = [];
  for (let round = 0; round < (row.unit === 'limit' ? Math.min(rounds, 3) : rounds); round++) {
    const a = await row.measure(ours);
    mine.push(a);
    if (theirs === null) continue;
    const b = await row.measure(theirs);
    other.push(b);
    ratios.push(row.unit === 'more' ? a / b : b / a);
  }
  const ratio = ratios.length > 0 ? median(ratios) : NaN;
  const passed = row.unit === 'limit' ? median(mine) <= row.target : !(ratio < row.target);
  const wanted = row.unit === 'limit' ? `<= ${row.target} MB` : `>= ${row.target} x`;
  const line = `${row.name.padEnd(40)}${figure(median(mine), row.unit).padStart(12)}${(other.length > 0 ? figure(median(other), row.unit) : '-').padStart(12)}`
    + `${(row.unit === 'limit' || ratios.length === 0 ? '' : `${ratio.toFixed(2)} x`).padStart(10)}${wanted.padStart(11)}  ${passed ? 'ok' : 'MISSED'}`
    + (ratios.length > 1 && row.unit !== 'limit' ? `   (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})` : '');
  return { line, passed };
}

async function main(): Promise<void> {
  const chosen = rows.filter((row) => options.only.length === 0 || options.only.some((word) => row.name.toLowerCase().includes(word.toLowerCase())));
  if (options.list || options.help || chosen.length === 0) {
    console.log('bench.ts [--rounds 5] [--seconds 4] [--scale 10] [--only WORD]... [--list]');
    for (const row of rows) console.log(`  ${row.name}`);
    return;
  }
  if (!oracleInstalled) console.log('PostgreSQL 15 is not installed here: Posthouse alone');
  const started: Site[] = [];
  try {
    const ours = await startSite();
    started.push(ours);
    const theirs = oracleInstalled ? await startSite({ product: POSTGRESQL }) : null;
    if (theirs) started.push(theirs);
    console.log(`loading scale ${scale} into both`);
    await Promise.all(started.map(async (site) => prepare(site)));
    console.log(`\n${'work'.padEnd(40)}${'Posthouse'.padStart(12)}${'PostgreSQL'.padStart(12)}${'ratio'.padStart(10)}${'wanted'.padStart(11)}\n${'-'.repeat(96)}`);
    let missed = 0;
    for (const row of chosen) {
      let line: string, passed = false;
      try {
        ({ line, passed } = await measureRow(row, ours, theirs));
      } catch (error) {
        line = `${row.name.padEnd(40)} failed: ${(error as Error).message.split('\n').slice(0, 6).join(' ')}`;
      }
      console.log(line);
      if (!passed) missed++;
    }
    console.log(`\n${chosen.length - missed} of ${chosen.length} as wanted; ${rounds} rounds`);
    process.exitCode = missed === 0 ? 0 : 1;
  } finally {
    for (const site of started) await site.remove().catch((error: unknown) => console.error(error));
    rmSync(folder, { recursive: true });
  }
}

await main();
