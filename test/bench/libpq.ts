// LIBPQ beside pg (node-postgres) and postgres (postgres.js), in one run against one PostgreSQL 15: small queries one after the
// other, the same asked for at once, and a million rows. Rounds alternate; medians of what each took, and of the ratios within a round.
//   node test/bench/libpq.ts [--rounds N] [--port N] [--rows N]
import pg from 'pg';
import postgres from 'postgres';
import { parseArgs } from 'node:util';
import { connect } from '../../src/interfaces/libpq/libpq.ts';
import { startOracle } from '../support/oracle.ts';

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, port: { type: 'string' }, rows: { type: 'string', default: '1000000' } } });
const site = options.port === undefined ? await startOracle('fsync = off') : null;
const port = site?.port ?? Number(options.port), where = { host: '127.0.0.1', port, user: 'postgres' };
process.removeAllListeners('warning'); // pg warns of queries asked for at once

const ours = await connect({ ...where, dbname: 'postgres', sslmode: 'disable' });
const theirs = new pg.Client({ ...where, database: 'postgres' });
await theirs.connect();
const sql = postgres({ ...where, database: 'postgres', max: 1, onnotice: () => {} });

const SMALL = 'select $1::int as a, $2::text as b';
const rows = (n: number): string => `select i as aid, i % 10 as bid, 'some text ' || i as t, 'abc' as f from generate_series(1, ${n}) i`;
const all = async (n: number, ask: (i: number) => PromiseLike<unknown>): Promise<unknown> => Promise.all(Array.from({ length: n }, (_, i) => ask(i)));
const each = async (n: number, ask: (i: number) => PromiseLike<unknown>): Promise<void> => { for (let i = 0; i < n; i++) await ask(i); };
const asks: Record<string, (i: number) => PromiseLike<unknown>> = {
  libpq: (i) => ours.query(SMALL, [i, 'hello']),
  pg: (i) => theirs.query({ text: SMALL, values: [i, 'hello'], name: 'small' }),
  postgres: (i) => sql.unsafe(SMALL, [i, 'hello'], { prepare: true }),
};
const fetches: Record<string, (n: number) => PromiseLike<unknown>> = {
  libpq: (n) => ours.query(rows(n)),
  pg: (n) => theirs.query(rows(n)),
  postgres: (n) => sql.unsafe(rows(n)),
};
const kinds: [name: string, count: number, run: (who: string, n: number) => PromiseLike<unknown>][] = [
  ['small queries', 2000, (who, n) => each(n, asks[who]!)],
  ['pipelined', 20000, (who, n) => all(n, asks[who]!)],
  ['rows', Number(options.rows), (who, n) => fetches[who]!(n)],
];

interface Cost { ms: number; cpuMs: number }
const median = (list: number[]): number => list.toSorted((a, b) => a - b)[list.length >> 1]!;

for (const [name, n, run] of kinds) {
  const rounds: Record<string, Cost>[] = [];
  for (let round = 0; round < Number(options.rounds) * (name === 'small queries' ? 5 : 1); round++) {
    const costs: Record<string, Cost> = {};
    const order = Object.keys(asks);
    // Who comes first changes.
    for (const who of [...order.slice(round % 3), ...order.slice(0, round % 3)]) {
      const from = performance.now(), before = process.cpuUsage();
      await run(who, n);
      const { user, system } = process.cpuUsage(before);
      costs[who] = { ms: performance.now() - from, cpuMs: (user + system) / 1000 };
    }
    // The first lets V8 see what there is to compile.
    if (round > 0) rounds.push(costs);
  }
  const rate = (who: string): string => `${who} ${Math.round(n / median(rounds.map((r) => r[who]!.ms)) * 1000).toLocaleString('en')}/s (${(median(rounds.map((r) => r[who]!.cpuMs)) * 1000 / n).toFixed(2)} µs)`;
  const ratios = (who: string): string => `${median(rounds.map((r) => r[who]!.ms / r['libpq']!.ms)).toFixed(2)} (processor time ${median(rounds.map((r) => r[who]!.cpuMs / r['libpq']!.cpuMs)).toFixed(2)})`;
  console.log(`${name}: ${Object.keys(asks).map(rate).join(', ')}\n  libpq is as fast as pg times ${ratios('pg')}, as postgres times ${ratios('postgres')}`);
}
await Promise.all([ours.finish(), theirs.end(), sql.end()]);
await site?.remove();
