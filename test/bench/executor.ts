// How fast generated plans run in one process: node test/bench/executor.ts [rows]
import { compilePlan, runPlan } from '../../src/backend/executor/execute.ts';
import { planner } from '../../src/backend/optimizer/planner.ts';
import { parseAnalyze } from '../../src/backend/parser/analyze.ts';
import { rawParse } from '../../src/backend/parser/raw_parser.ts';
import { queryRewrite } from '../../src/backend/rewrite/rewrite_handler.ts';
import { openSession, run, transaction } from '../executor/session.ts';

const rows = Number(process.argv[2] ?? 200_000);
const site = await openSession();
run('create table pgbench_accounts (aid int not null primary key, bid int, abalance int, filler char(84))');
const load = performance.now();
for (let from = 1; from <= rows; from += 100_000) {
  run(`insert into pgbench_accounts select i, (i - 1) / 100000 + 1, i % 1000 - 500, '' from generate_series(${from}, ${Math.min(rows, from + 99_999)}) i`);
}
console.log(`insert: ${((performance.now() - load) * 1000 / rows).toFixed(2)} us a row`);
const discard = { start: () => {}, receive: () => true, end: () => {} };

function measure(sql: string, repeat = 5): void {
  const raw = rawParse(sql)[0]!;
  transaction(() => {
    const t0 = performance.now();
    const query = queryRewrite(parseAnalyze(raw, sql, [23]))[0]!;
    const t1 = performance.now();
    const stmt = planner(query);
    const t2 = performance.now();
    const plan = compilePlan(stmt);
    const t3 = performance.now();
    let best = Infinity;
    let n = 0;
    for (let i = 0; i < repeat; i++) {
      const s = performance.now();
      n = runPlan(plan, [Math.floor(rows / 2)], discard).processed;
      best = Math.min(best, performance.now() - s);
    }
    console.log(`${best.toFixed(3).padStart(10)} ms  analyze ${(1000 * (t1 - t0)).toFixed(0)} plan ${(1000 * (t2 - t1)).toFixed(0)} compile ${(1000 * (t3 - t2)).toFixed(0)} us  ${n} rows  ${sql}`);
  });
}

measure('select count(*) from pgbench_accounts');
measure('select sum(abalance) from pgbench_accounts');
measure('select bid, count(*), sum(abalance), avg(abalance) from pgbench_accounts group by bid');
measure('select abalance, count(*) from pgbench_accounts group by abalance');
measure('select count(*) from pgbench_accounts where abalance > 100 and aid % 7 = 3');
measure('select count(*) from pgbench_accounts a join pgbench_accounts b on a.aid = b.aid');
measure('select aid, abalance from pgbench_accounts order by abalance');
measure('select * from pgbench_accounts order by abalance');
measure('select aid from pgbench_accounts order by abalance, aid limit 10');
measure('select count(distinct abalance) from pgbench_accounts');
for (let i = 0; i < 3; i++) measure('select abalance from pgbench_accounts where aid = $1', 2000);
for (let i = 0; i < 3; i++) measure('update pgbench_accounts set abalance = abalance + 1 where aid = $1', 1);

const sql = 'select abalance from pgbench_accounts where aid = $1';
const raw = rawParse(sql)[0]!;
transaction(() => {
  const query = queryRewrite(parseAnalyze(raw, sql, [23]))[0]!;
  for (const [name, f] of Object.entries({
    plan: () => planner(query),
    'plan and compile': () => compilePlan(planner(query)),
  })) {
    for (let i = 0; i < 3000; i++) f();
    const t = performance.now();
    for (let i = 0; i < 3000; i++) f();
    console.log(`${name}: ${((performance.now() - t) / 3).toFixed(1)} us`);
  }
  const plan = compilePlan(planner(query));
  for (const n of [20000, 100000]) {
    const t = performance.now();
    for (let i = 0; i < n; i++) runPlan(plan, [1 + (i * 7919) % rows], discard);
    console.log(`run point select: ${((performance.now() - t) * 1000 / n).toFixed(2)} us`);
  }
});
site.remove();
process.exit(0);
