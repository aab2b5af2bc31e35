// The answers to a list of statements are PostgreSQL's. Where there is none, that the statements run is all that is seen.
import test from 'ava';
import { askOracle, oracleIsThere } from './oracle.ts';
import { QUERIES, SETUP } from './queries.ts';
import { openSession, run } from './session.ts';

const session = await openSession();
test.after.always(() => session.remove());

const there = oracleIsThere();
const all = [...SETUP, ...QUERIES];
const answers = there ? askOracle(all, 'executor_differential') : null;

/** Rows in an order that the statement does not fix are compared sorted. */
const isOrdered = (sql: string): boolean => /order by/i.test(sql) && !/order by[^)]*\)[^)]*$/i.test(sql);

test.serial('statements answer as PostgreSQL does', (t) => {
  if (answers === null) t.log('no PostgreSQL to compare with');
  all.forEach((sql, i) => {
    const mine = run(sql);
    if (answers === null || i < SETUP.length || (/^(insert|update|delete)/.test(sql) && !/returning/.test(sql))) return;
    const sorted = (lines: readonly string[]): string => (isOrdered(sql) ? [...lines] : [...lines].sort()).join('\n');
    t.is(sorted(mine), sorted(answers[i]!), sql);
  });
  t.pass();
});
