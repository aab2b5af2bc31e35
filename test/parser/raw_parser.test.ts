import test from 'ava';
import { loadParser, rawParse, statementText } from '../../src/backend/parser/raw_parser.ts';
import type { PgError } from '../../src/common/errors.ts';

test.before(loadParser);

function fails(text: string): { code: string; message: string; position: number | undefined } {
  try {
    rawParse(text);
  } catch (e) {
    const error = e as PgError;
    return { code: error.code, message: error.message, position: error.fields.position };
  }
  throw new Error(`no error: ${text}`);
}

test('nodes carry their tag, names are strings, fixed types are tagged too', (t) => {
  const stmt = rawParse('SELECT a.b AS c FROM s.t AS a WHERE NOT x IN (1, $1)')[0]!.stmt;
  t.is(stmt.tag, 'SelectStmt');
  t.deepEqual(stmt['targetList'][0].val.fields, ['a', 'b']);
  t.is(stmt['fromClause'][0].tag, 'RangeVar');
  t.is(stmt['fromClause'][0].alias.tag, 'Alias');
  t.is(stmt['whereClause'].args[0].rexpr[1].tag, 'ParamRef');
  const cast = rawParse("SELECT '1'::int[]")[0]!.stmt['targetList'][0].val;
  t.is(cast.typeName.tag, 'TypeName');
  t.deepEqual(cast.typeName.arrayBounds, [-1]);
});

test('constants', (t) => {
  const values = rawParse("SELECT 0, 1.50, 'x', '', true, NULL, 3000000000, B'1', -5")[0]!.stmt['targetList'].map((r: any) => [r.val.ctype, r.val.value]);
  t.deepEqual(values, [['integer', 0], ['float', '1.50'], ['string', 'x'], ['string', ''], ['boolean', true], ['null', null], ['float', '3000000000'], ['bit', 'b1'], ['integer', -5]]);
});

test('several statements know their text', (t) => {
  const text = "select 'é'; ; update t set a = 1 ;select 2";
  t.deepEqual(rawParse(text).map((s) => statementText(text, s).trim()), ["select 'é'", 'update t set a = 1', 'select 2']);
  t.deepEqual(rawParse(''), []);
  t.deepEqual(rawParse(' -- nothing'), []);
});

// The whole text was made bytes for each of its statements: 30,000 SAVEPOINTs and INSERTs in one message took a minute.
test('each of many statements knows its text, at no cost of the others', (t) => {
  for (const sign of ['x', 'é']) {
    const list = Array.from({ length: 3000 }, (_, i) => `select '${sign.repeat(i % 30)}', ${i}`), text = `${list.join(';')};`;
    const known = rawParse(text), from = Buffer.from;
    let copies = 0;
    Buffer.from = ((...args: Parameters<typeof Buffer.from>) => { copies++; return from(...args); }) as typeof Buffer.from;
    t.deepEqual(known.map((s) => statementText(text, s)), list);
    Buffer.from = from;
    t.true(copies <= 1, `${copies} copies`);
  }
});

test('positions count characters from 1', (t) => {
  t.deepEqual(fails("select 'é' frm t t"), { code: '42601', message: 'syntax error at or near "t"', position: 16 });
  t.deepEqual(fails("select '😀', foo bar baz"), { code: '42601', message: 'syntax error at or near "baz"', position: 21 });
  t.deepEqual(fails('select 1 +'), { code: '42601', message: 'syntax error at end of input', position: 11 });
  t.is(fails("select U&'\\xx'").code, '42601');
  t.is(fails("select E'\\uxx'").code, '22025');
  t.is(fails('select 1 limit 1, 2').message, 'LIMIT #,# syntax is not supported');
  t.deepEqual(fails("select 'a\0b'"), { code: '22021', message: 'invalid byte sequence for encoding "UTF8": 0x00', position: undefined });
});

test('syntax newer than 15 is refused', (t) => {
  t.deepEqual(fails('select 0x1F'), { code: '42601', message: 'trailing junk after numeric literal at or near "0x1F"', position: 8 });
  t.deepEqual(fails("select '1_000', 1_000"), { code: '42601', message: 'trailing junk after numeric literal at or near "1_000"', position: 17 });
  t.deepEqual(fails('select * from t, (select 1)'), { code: '42601', message: 'subquery in FROM must have an alias', position: 18 });
  for (const text of [
    'merge into t using s on true when matched then delete returning *', 'merge into t using s on true when not matched by source then delete',
    "select json_object('a': 1)", "select * from json_table('[]', '$' columns (a int)) j", 'update t set a = 1 returning with (old as o) o.a',
    'create table t (a int, b int generated always as (a) virtual)', 'create table t (a int check (a > 0) not enforced)', 'create table t (a int not null no inherit)',
  ]) t.is(fails(text).code, '42601', text);
});

// The grammar's JSON output overflowed the stack inside WebAssembly; the next parse then looped for ever, because
// PostgreSQL's memory contexts had been left in the middle of things.
test('statements too deep fail, and the parser works afterwards', (t) => {
  for (const text of ['select 1' + '+1'.repeat(20000), 'select 1' + '::int'.repeat(20000), 'select 1' + ' union select 1'.repeat(20000)]) {
    t.is(fails(text).code, '54001');
    t.is(rawParse('select 1 + 1').length, 1);
  }
  t.is(fails('select ' + '('.repeat(20000)).code, '42601');
  t.is(rawParse('select true' + ' and true'.repeat(10000)).length, 1);
});
