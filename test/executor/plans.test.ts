// How plans look, that texts are shared, that a plan runs again with other values, and EvalPlanQual.
import test from 'ava';
import { openRelation } from '../../src/backend/catalog/relcache.ts';
import { codegenCounters } from '../../src/backend/executor/codegen.ts';
import { pinRow } from '../../src/backend/executor/eval_plan_qual.ts';
import { compilePlan, runPlan } from '../../src/backend/executor/execute.ts';
import { planner } from '../../src/backend/optimizer/planner.ts';
import { parseAnalyze } from '../../src/backend/parser/analyze.ts';
import { rawParse } from '../../src/backend/parser/raw_parser.ts';
import { queryRewrite } from '../../src/backend/rewrite/rewrite_handler.ts';
import type { Datum } from '../../src/backend/types/datum.ts';
import { openSession, plansOf, run, TextRows, transaction } from './session.ts';

const session = await openSession();
test.after.always(() => session.remove());
run('create table t (a int primary key, b int, c text); insert into t select i, i % 10, \'row \' || i from generate_series(1, 1000) i; create index on t (b, a)');
run('create table u (x int, y int)');

const explain = (sql: string): string => run(`explain (costs off) ${sql}`).join('\n');
const execute = (sql: string, params: Datum[], types: number[]): string[] => transaction(() => {
  const dest = new TextRows();
  runPlan(plansOf(sql, types)[0]!, params, dest);
  return dest.rows.map((r) => r.join('|'));
});

test.serial('a unique key is looked up, a range is scanned', (t) => {
  t.is(explain('select c from t where a = 5'), 'Index Scan using t_pkey on t\n  Index Cond: (a = 5)');
  // As PostgreSQL: few rows are sorted rather than fetched one by one all over the table.
  t.regex(explain('select c from t where b = 5 and a > 990 order by a'), /^Sort\n  Sort Key: a\n  ->  Bitmap Heap Scan on t\n {8}Recheck Cond: \(\(b = 5\) AND \(a > 990\)\)\n {8}->  Bitmap Index Scan on t_b_a_idx\n {14}Index Cond: \(\(b = 5\) AND \(a > 990\)\)$/);
  t.regex(explain('select c from t order by a desc limit 3'), /Limit\n  ->  Index Scan Backward using t_pkey on t/);
  t.regex(explain('select max(a) from t'), /InitPlan 1 \(returns \$0\)\n {4}->  Limit\n {10}->  Index Only Scan Backward/);
  // Its columns come out of the keys.
  t.regex(explain('select a, b from t where b = 5 and a > 990 order by b, a limit 1'), /^Limit\n  ->  Index Only Scan using t_b_a_idx on t\n/);
  t.is(explain('select a, b from t where b = 5 or a = 7').replace(/\s+/g, ' '), 'Bitmap Heap Scan on t Recheck Cond: ((b = 5) OR (a = 7)) -> BitmapOr -> Bitmap Index Scan on t_b_a_idx Index Cond: (b = 5) -> Bitmap Index Scan on t_pkey Index Cond: (a = 7)');
  t.deepEqual(run('select a from t where b = 5 and a < 30 or a = 7 or a = 15'), ['5', '7', '15', '25']);
  t.deepEqual(run('select a, b from t where b = (select b from t where a = 995) and a = 995'), run('select a, b from t where c is not null and a = 995'));
});

test.serial('joins: merged in order, kept by Memoize, left out; sorts in part; windows that end early', (t) => {
  run('create table big as select i as a, i % 7 as b from generate_series(1, 20000) i; create unique index on big (a); analyze big');
  run('create table few as select i % 3 + 1 as x, i as n from generate_series(1, 600) i; create table one (a int primary key, v text); insert into one values (1, \'v\'); analyze few');
  t.regex(explain('select * from big p join big q on p.a = q.a order by p.a'), /^Merge Join\n  Merge Cond: \(p\.a = q\.a\)\n/);
  t.regex(explain('select n, b from few join big on big.a = few.x'), /Memoize\n +Cache Key: few\.x\n/);
  t.deepEqual(run('select sum(b), count(*) from few join big on big.a = few.x'), ['1200|600']);
  // Kept rows are those of one outer row's values: another run of the subquery must not see them.
  t.deepEqual(run('select (select sum(b + o.x) from few f join big on big.a = f.x where b < o.x + 1) from (values (1), (3)) o(x)'), ['400', '3000']);
  t.is(explain('select big.b from big left join one on one.a = big.a'), 'Seq Scan on big');
  t.regex(explain('select * from big order by a, b limit 5'), /Incremental Sort\n +Sort Key: a, b\n +Presorted Key: a\n/);
  t.deepEqual(run('select * from big order by a desc, b limit 2'), ['20000|1', '19999|0']);
  t.regex(explain('select * from (select a, row_number() over (order by a) r from big) s where r < 3'), /^WindowAgg\n  Run Condition: \(row_number\(\) OVER \(\?\) < 3\)\n/);
  t.deepEqual(run('select a, r from (select a, row_number() over (order by a) r from big) s where r < 3'), ['1|1', '2|2']);
});

test.serial('EXPLAIN as XML and YAML, with blocks and settings', (t) => {
  run('set work_mem = \'8MB\'');
  t.is(run('explain (costs off, format yaml, buffers, settings) select * from u order by x')[0]!.split('\n').slice(0, 9).join('|'), '- Plan: |    Node Type: "Sort"|    Parallel Aware: false|    Async Capable: false|    Sort Key: |      - "x"|    Shared Hit Blocks: 0|    Shared Read Blocks: 0|    Shared Dirtied Blocks: 0');
  t.regex(run('explain (costs off, format xml, settings) select * from u order by x')[0]!, /^<explain xmlns="http:\/\/www\.postgresql\.org\/2009\/explain">\n  <Query>\n    <Plan>\n      <Node-Type>Sort<\/Node-Type>\n[^]*<Sort-Key>\n        <Item>x<\/Item>\n      <\/Sort-Key>[^]*<Settings>\n      <work_mem>8MB<\/work_mem>\n    <\/Settings>/);
  run('reset work_mem');
});

test.serial('IN becomes a join, NOT IN a hashed subplan, EXISTS a semi or anti join', (t) => {
  t.regex(explain('select * from t where a in (select x from u)'), /Semi Join|HashAggregate/);
  t.regex(explain('select * from t where a not in (select x from u)'), /Filter: \(NOT \(hashed SubPlan 1\)\)/);
  t.regex(explain('select * from t where not exists (select 1 from u where x = a)'), /Anti Join/);
  t.regex(explain('select * from t left join u on a = x where y = 1'), /^Nested Loop\n|^Hash Join\n/);
});

test.serial('a condition that cannot be true reads nothing', (t) => {
  t.is(explain('select * from t where 1 = 2'), 'Result\n  One-Time Filter: false');
  t.deepEqual(run('select count(*) from t where a = 1 and a = 2'), ['0']);
});

test.serial('plans of the same shape share their text', (t) => {
  transaction(() => {
    plansOf('select c from t where a = 17');
    const before = codegenCounters.texts;
    plansOf('select c from t where a = 18');
    t.is(codegenCounters.texts, before);
  });
});

test.serial('parameters', (t) => {
  t.deepEqual(execute('select c from t where a = $1', [7], [23]), ['row 7']);
  t.deepEqual(execute('select c from t where a = $1', [null], [23]), []);
  t.deepEqual(execute('select a from t where b = $1 order by a limit $2', [3, 2], [23, 20]), ['3', '13']);
  t.deepEqual(execute('select $1 + 1', [null], [23]), ['']);
});

test.serial('a plan stops when the receiver has had enough', (t) => {
  transaction(() => {
    let rows = 0;
    runPlan(plansOf('select a from t union all select b from t')[0]!, [], { start: () => {}, receive: () => ++rows < 3, end: () => {} });
    t.is(rows, 3);
  });
});

test.serial('EvalPlanQual: the plan below looks at one row again', (t) => {
  transaction(() => {
    const sql = 'select a, ctid from t where b = 3';
    const stmt = planner(queryRewrite(parseAnalyze(rawParse(sql)[0]!, sql, []))[0]!);
    const rows: Datum[][] = [];
    runPlan(compilePlan(stmt), [], { start: () => {}, receive: (r) => rows.push(r) > 0, end: () => {} });
    const [, ctid] = rows[5]!;
    const again: Datum[][] = [];
    const epq = compilePlan(stmt, { epq: new Set([1]) });
    runPlan(epq, [], { start: () => {}, receive: (r) => again.push(r) > 0, end: () => {} }, { epq: new Map([[1, pinRow(openRelation(stmt.rtable[0]!.relid), ctid as number, Infinity)]]) });
    t.deepEqual(again, [rows[5]!]);
  });
});

test.serial('sorts and stores larger than work_mem go to files', (t) => {
  transaction(() => {
    const dest = new TextRows();
    runPlan(plansOf('select count(*), sum(case when a < b then 1 else 0 end) from (select g as a, lag(g) over () as b from (select ((i::int8 * 7919) % 150000)::int as g from generate_series(1, 150000) i order by g) q) w')[0]!, [], dest);
    t.deepEqual(dest.rows, [['150000', '0']]);
    const text = new TextRows();
    runPlan(plansOf('select s from (select repeat(chr(97 + i % 26), 300) || i as s from generate_series(1, 30000) i) q order by s limit 1 offset 29999')[0]!, [], text);
    t.is(text.rows[0]![0]!.slice(298), 'zz9983');
  });
});

test.serial('errors have their codes', (t) => {
  const code = (sql: string): string => {
    const error = t.throws(() => run(sql)) as unknown as { code: string };
    return error.code;
  };
  t.is(code('select 1 / (a - a) from t'), '22012');
  t.is(code('select 2147483647 + a from t'), '22003');
  t.is(code('select (select a from t)'), '21000');
  t.is(code('select a from t limit -1'), '2201W');
  t.is(code('insert into t values (1, 1, null)'), '23505');
});
