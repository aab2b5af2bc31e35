import test from 'ava';
import '../../src/backend/types/index.ts';
import '../../src/backend/catalog/type_hooks.ts';
import { exprType } from '../../src/backend/nodes/nodeFuncs.ts';
import { nodeToString } from '../../src/backend/nodes/outfuncs.ts';
import { stringToNode } from '../../src/backend/nodes/readfuncs.ts';
import { equal } from '../../src/backend/nodes/equalfuncs.ts';
import type { Query } from '../../src/backend/nodes/parsenodes.ts';
import { parseAnalyze, parseAnalyzeVarParams } from '../../src/backend/parser/analyze.ts';
import { loadParser, rawParse } from '../../src/backend/parser/raw_parser.ts';
import { formatType } from '../../src/backend/parser/parse_type.ts';
import { session } from '../../src/backend/utils/session.ts';
import type { PgError } from '../../src/common/errors.ts';
import { openSite, transaction } from '../catalog/site.ts';

let site: { remove: () => void };
test.before(async () => {
  await loadParser();
  site = openSite();
});
test.after.always(() => site.remove());

const analyze = (text: string): Query => transaction(() => parseAnalyze(rawParse(text)[0]!, text));
const types = (text: string): string[] => transaction(() => {
  const q = parseAnalyze(rawParse(text)[0]!, text);
  return (q.commandType === 'select' ? q.targetList : q.returningList).filter((te) => !te.resjunk).map((te) => `${te.resname} ${formatType(exprType(te.expr))}`);
});
function fails(text: string): string {
  try {
    analyze(text);
  } catch (e) {
    const error = e as PgError;
    return `${error.code} ${error.message} @${error.fields.position}`;
  }
  throw new Error(`no error: ${text}`);
}

test('types and names of columns', (t) => {
  t.deepEqual(types("select 1, 2147483648, 1.5, 'x', null, true, current_date, a.n from (select 1 n) a"),
    ['?column? integer', '?column? bigint', '?column? numeric', '?column? text', '?column? text', '?column? boolean', 'current_date date', 'n integer']);
  t.deepEqual(types("select case when true then 1 else 2.5 end, coalesce(null, 'x'), array[1, 2.5], row(1, 2), '1'::int2, max(oid) from pg_class"),
    ['case numeric', 'coalesce text', 'array numeric[]', 'row record', 'int2 smallint', 'max oid']);
  t.deepEqual(types('select c.*, 1 from (values (1, \'a\'), (2.5, null)) c(x, y)'), ['x numeric', 'y text', '?column? integer']);
  t.deepEqual(types('with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) select n, sum(n) over (order by n) from r'), ['n integer', 'sum bigint']);
  t.deepEqual(types('select * from generate_series(1, 2) with ordinality g(a, b) natural join (select 1 a) x'), ['a integer', 'b bigint']);
  t.deepEqual(types("update pg_class set relname = 'x' where false returning oid, relname"), ['oid oid', 'relname name']);
});

test('errors point at the place', (t) => {
  t.is(fails('select x from pg_class'), '42703 column "x" does not exist @8');
  t.is(fails('select * from nowhere'), '42P01 relation "nowhere" does not exist @15');
  t.is(fails("select 1 + 'x'::text"), '42883 operator does not exist: integer + text @10');
  t.is(fails('select relname, count(*) from pg_class'), '42803 column "pg_class.relname" must appear in the GROUP BY clause or be used in an aggregate function @8');
  t.is(fails("select 'é', 'abc'::int"), '22P02 invalid input syntax for type integer: "abc" @13');
  t.is(fails('select 1 union select true'), '42804 UNION types integer and boolean cannot be matched @23');
  t.is(fails('select sum(count(*)) from pg_class'), '42803 aggregate function calls cannot be nested @12');
  t.is(fails('insert into pg_am(oid, oid) values (1, 2)'), '42701 column "oid" specified more than once @24');
  t.is(fails('select $1'), '42P02 there is no parameter $1 @8');
  t.is(fails('select ' + Array(1665).fill('1').join(',')), '54011 target lists can have at most 1664 entries @undefined');
  t.regex(fails('select ' + 'not '.repeat(3000) + 'true'), /^54001/);
});

test('parameters take the types their use asks for', (t) => {
  const text = 'select relname from pg_class where oid = $1 and relname = $2 and $3 limit $4';
  const { paramTypes } = transaction(() => parseAnalyzeVarParams(rawParse(text)[0]!, text, []));
  t.deepEqual(paramTypes, [26, 19, 16, 20]);
  const clash = 'select $1 is null, $1::int';
  t.is(transaction(() => t.throws(() => parseAnalyzeVarParams(rawParse(clash)[0]!, clash, [])) as PgError).code, '42P08');
});

test('a tree survives being stored', (t) => {
  const query = analyze("select c.relname, '2020-01-01'::date, 1.50, (select max(oid) from pg_type) from pg_class c where c.oid in (1, 2) order by 1");
  t.true(equal(stringToNode(nodeToString(query)), query));
});

test('a decision by the value of a lifted literal is noted', (t) => {
  const lifted = (text: string): boolean => {
    const raw = structuredClone(rawParse(text)[0]!);
    let slot = 0;
    const mark = (v: any): void => {
      if (typeof v !== 'object' || v === null) return;
      if (v.tag === 'A_Const') v.slot = slot++;
      for (const key in v) mark(v[key]);
    };
    mark(raw.stmt);
    session.literalsLifted = true;
    session.literalTypes = [];
    session.literalsPinned = new Set();
    transaction(() => parseAnalyze(raw, text));
    return session.literalsLifted && session.literalsPinned.size === 0;
  };
  t.true(lifted("select relname from pg_class where oid = 5 and 'x'::text = 'y' limit 3"));
  t.false(lifted('select relname from pg_class order by 1'));
  t.true(lifted("select date '2020-01-01', 1.5"), 'those are read anew');
  t.deepEqual(session.literalTypes.map((as) => as?.type), [1082, 1700]);
  t.false(lifted("select regtype 'int4'"));
  t.false(lifted("select d from (select '2020-01-01' between date '2019-01-01' and text 'x') s (d)"), 'one literal, two types');
  t.false(lifted('select 1::numeric(10, 2)'));
  t.false(lifted('select oid::int + 1 from pg_class group by oid::int + 1'));
});
