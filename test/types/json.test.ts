// json and jsonb against a real PostgreSQL: what is refused and how, access, change, comparison.
import test from 'ava';
import '../../src/backend/types/index.ts';
import { findBuiltin, type FunctionContext } from '../../src/backend/types/fmgr.ts';
import { jsonbCodec, jsonbIn, jsonbOut, JsonbValue } from '../../src/backend/types/jsonb.ts';
import { makeArray, type Datum } from '../../src/backend/types/datum.ts';
import { datetimeSettings } from '../../src/backend/types/datetime_settings.ts';
import { findTimeZone } from '../../src/backend/types/timezone.ts';
import { PgError } from '../../src/common/errors.ts';
import { randomFrom } from '../support/random.ts';
import { askOracle, describeError, fn, oracleAvailable } from './harness.ts';

const check = oracleAvailable ? test.serial : test.skip;
const cases = Number(process.env['POSTHOUSE_CASES'] ?? 500);
const seed = Number(process.env['POSTHOUSE_SEED'] ?? 1);
const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const context: FunctionContext = { functionOid: 0, argTypes: [], resultType: 0, collation: 100, variadic: false, extra: undefined, aggregate: false };

/** Error with its context lines, as the oracle's helper gives them. */
function describe(error: unknown): string {
  return describeError(error) + (error instanceof PgError && error.fields.where ? ` @ ${error.fields.where}` : '');
}

function show(value: Datum | undefined): string {
  if (value === null || value === undefined) return '<NULL>';
  if (value instanceof JsonbValue) return fn('jsonb_out')(value);
  if (typeof value === 'boolean') return value ? 't' : 'f';
  if (typeof value === 'object') return fn('numeric_out')(value);
  return String(value);
}

function differences(list: { sql: string; ours: () => Datum | undefined }[]): string[] {
  const theirs = askOracle(list.map(({ sql }) => sql));
  return list.flatMap(({ sql, ours }, i) => {
    let mine: string;
    try {
      mine = show(ours());
    } catch (error) {
      mine = describeError(error);
    }
    return mine === theirs[i] ? [] : [`${sql}\n   ours:   ${mine}\n   theirs: ${theirs[i]}`];
  });
}

const GOOD = ['null', 'true', 'false', '0', '-1', '1.50', '1e5', '-0.0', '12345678901234567890.5', '""', '"abc"', '"a\\"b\\\\c\\/\\b\\f\\n\\r\\t"', '"\\u00e9\\ud83d\\ude00x"', '"日本"', '[]', '{}', '[1, 2, 3]', '{"a": 1}',
  '{"a":1,"a":2}', '{"b":1,"a":[1,{"c":null}]}', '[[],{},[[]]]', ' [ 1 , 2 ] ', '{"bb":1,"a":2,"ccc":3,"ab":4}', '["a","b","c",null,1]', '{"a":null,"b":{"c":null,"d":[null,{"e":null}]}}', '{"": 1}',
  '{"a":{"b":{"c":[1,2,{"d":"x"}]}}}', '[1,1.0,"1",true]', '{"a":[1,2],"b":"text","c":true}', '[{"a":1},{"b":2}]', '1.0', '"1"', '[1]', '[null]', '{"1":"x","0":"y"}', '-5', '32768', '1e400', '[3,2,1]', '"true"'];
const BAD = ['', ' ', 'tru', 'nul', 'True', '01', '1.', '.5', '1e', '1e+', '-', '+1', '1a', '[1', '[1,', '[1,]', '[,1]', '{', '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', '{a:1}', '{1:2}', '"abc', '"\\x"', '"\\u12"', '"\\u12g4"',
  '"\\ud83d"', '"\\ude00"', '"\\ud83d\\ud83d"', '"\\ud83dx"', '"\\u0000"', '"a\tb"', '"a\nb"', '[1] 2', '{}}', ']', '}', ',', ':', "'a'", '[1 2]', '{"a" 1}', '{"a":1 "b":2}', '{"a","b"}', 'a', '$', '"\\', '"\\u', '"\\é"', '{"a":\n\n[1,\n bad]}',
  '[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,x,y,z]', '["äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü", x]', '{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": oops, "b":1}', '\n\n  {"x": y}', '1 1', 'null null', '"\\uD800\\u0041"', '-a', '1.5e5.5', '0x10', 'NaN', 'Infinity'];

function mutate(random: (n: number) => number): string {
  let text = GOOD[random(GOOD.length)]!;
  for (let i = 0; i <= random(3); i++) {
    const at = random(text.length + 1);
    const what = ['', '"', ',', '{', '}', '[', ']', ':', '1', 'x', ' ', '\n', '\\', 'null', '-', '.', 'e'][random(17)]!;
    text = text.slice(0, at) + what + text.slice(at + random(2));
  }
  return text;
}

check('input', (t) => {
  const random = randomFrom(seed);
  const texts = [...GOOD, ...BAD, ...Array.from({ length: cases }, () => mutate(random))];
  // The context lines come with the error, so that a helper of our own asks for them.
  const ask = (type: string): string[] => askOracle(texts.map((text) => `pg_temp.input(${quote(text)}, '${type}')`), `
    create or replace function pg_temp.input(v text, type text) returns text language plpgsql as $f$
    declare result text; detail text; ctx text; begin
      if type = 'json' then result := v::json::text; else result := v::jsonb::text; end if;
      return result;
    exception when others then
      get stacked diagnostics detail = pg_exception_detail, ctx = pg_exception_context;
      return 'ERROR ' || sqlstate || ': ' || sqlerrm || case when detail <> '' then ' | ' || detail else '' end
        || case when ctx like 'JSON%' then ' @ ' || split_part(ctx, E'\\nPL/pgSQL', 1) else '' end;
    end $f$;`);
  const wrong: string[] = [];
  for (const type of ['json', 'jsonb']) {
    const theirs = ask(type);
    texts.forEach((text, i) => {
      let mine: string;
      try {
        mine = fn(`${type}_out`)(fn(`${type}_in`)(text));
      } catch (error) {
        mine = describe(error);
      }
      if (mine !== theirs[i]) wrong.push(`${type} ${JSON.stringify(text)}\n   ours:   ${mine}\n   theirs: ${theirs[i]}`);
    });
  }
  t.deepEqual(wrong, []);
});

const KEYS = ['a', 'b', 'c', '', '0', '1', '-1', '2', 'ab', 'x', '99'];
const PATHS = ['{}', '{a}', '{a,b}', '{a,b,c}', '{0}', '{-1}', '{1,c}', '{a,1}', '{a,b,c,2,d}', '{5}', '{-9}', '{a,x}', '{NULL}', '{a,NULL}', '{b,c}', '{new}', '{a,0}', '{b,d,1,e}'];

check('functions', (t) => {
  const random = randomFrom(seed);
  const pick = <T,>(list: readonly T[]): T => list[random(list.length)]!;
  const list: { sql: string; ours: () => Datum | undefined }[] = [];
  const path = (text: string): Datum => makeArray(25, text === '{}' ? [] : text.slice(1, -1).split(',').map((part) => (part === 'NULL' ? null : part)));
  for (let i = 0; i < cases * 4; i++) {
    const a = pick(GOOD), b = pick(GOOD), key = pick(KEYS), p = pick(PATHS), n = random(7) - 3, flag = random(2) === 0;
    const A = (): Datum => fn('jsonb_in')(a), B = (): Datum => fn('jsonb_in')(b);
    const qa = `${quote(a)}::jsonb`, qb = `${quote(b)}::jsonb`;
    const call = (sql: string, name: string, ...args: (() => Datum)[]): void => { list.push({ sql, ours: () => fn(name)(...args.map((arg) => arg())) }); };
    const k = (): Datum => key, num = (): Datum => n, P = (): Datum => path(p), F = (): Datum => flag, J = (): Datum => fn('json_in')(a);
    switch (i % 34) {
      case 0: call(`${qa} -> ${quote(key)}`, 'jsonb_object_field', A, k); break;
      case 1: call(`${qa} ->> ${quote(key)}`, 'jsonb_object_field_text', A, k); break;
      case 2: call(`${qa} -> ${n}`, 'jsonb_array_element', A, num); break;
      case 3: call(`${qa} ->> ${n}`, 'jsonb_array_element_text', A, num); break;
      case 4: call(`${qa} #> ${quote(p)}`, 'jsonb_extract_path', A, P); break;
      case 5: call(`${qa} #>> ${quote(p)}`, 'jsonb_extract_path_text', A, P); break;
      case 6: call(`${qa} @> ${qb}`, 'jsonb_contains', A, B); break;
      case 7: call(`${qa} <@ ${qb}`, 'jsonb_contained', A, B); break;
      case 8: call(`jsonb_exists(${qa}, ${quote(key)})`, 'jsonb_exists', A, k); break;
      case 9: call(`jsonb_exists_any(${qa}, ${quote(p)})`, 'jsonb_exists_any', A, P); break;
      case 10: call(`jsonb_exists_all(${qa}, ${quote(p)})`, 'jsonb_exists_all', A, P); break;
      case 11: call(`${qa} || ${qb}`, 'jsonb_concat', A, B); break;
      case 12: call(`${qa} - ${quote(key)}::text`, 'jsonb_delete', A, k); break;
      case 13: call(`${qa} - ${quote(p)}::text[]`, 'jsonb_delete_array', A, P); break;
      case 14: call(`${qa} - (${n})`, 'jsonb_delete_idx', A, num); break;
      case 15: call(`${qa} #- ${quote(p)}`, 'jsonb_delete_path', A, P); break;
      case 16: call(`jsonb_set(${qa}, ${quote(p)}, ${qb}, ${flag})`, 'jsonb_set', A, P, B, F); break;
      case 17: call(`jsonb_insert(${qa}, ${quote(p)}, ${qb}, ${flag})`, 'jsonb_insert', A, P, B, F); break;
      case 18: call(`jsonb_strip_nulls(${qa})`, 'jsonb_strip_nulls', A); break;
      case 19: call(`jsonb_pretty(${qa})`, 'jsonb_pretty', A); break;
      case 20: call(`sign(jsonb_cmp(${qa}, ${qb}))`, 'jsonb_cmp', A, B); break;
      case 21: call(`jsonb_array_length(${qa})`, 'jsonb_array_length', A); break;
      case 22: call(`jsonb_typeof(${qa})`, 'jsonb_typeof', A); break;
      case 23: call(`${qa}::int4`, 'jsonb_int4', A); break;
      case 24: call(`${qa}::numeric`, 'jsonb_numeric', A); break;
      case 25: call(`${qa}::bool`, 'jsonb_bool', A); break;
      case 26: call(`${quote(a)}::json -> ${quote(key)}`, 'json_object_field', J, k); break;
      case 27: call(`${quote(a)}::json ->> ${quote(key)}`, 'json_object_field_text', J, k); break;
      case 28: call(`${quote(a)}::json -> ${n}`, 'json_array_element', J, num); break;
      case 29: call(`${quote(a)}::json ->> ${n}`, 'json_array_element_text', J, num); break;
      case 30: call(`${quote(a)}::json #> ${quote(p)}`, 'json_extract_path', J, P); break;
      case 31: call(`${quote(a)}::json #>> ${quote(p)}`, 'json_extract_path_text', J, P); break;
      case 32: call(`json_strip_nulls(${quote(a)}::json)`, 'json_strip_nulls', J); break;
      case 33: call(`jsonb_set_lax(${qa}, ${quote(p)}, null, ${flag}, 'delete_key')`, 'jsonb_set_lax', A, P, () => null, F, () => 'delete_key'); break;
    }
  }
  t.deepEqual(differences(list), []);
});

check('sets', (t) => {
  const list: { sql: string; ours: () => Datum | undefined }[] = [];
  for (const a of GOOD) {
    for (const [name, type] of [['json_object_keys', 'json'], ['jsonb_object_keys', 'jsonb'], ['json_array_elements', 'json'], ['jsonb_array_elements', 'jsonb'], ['json_array_elements_text', 'json'],
      ['jsonb_array_elements_text', 'jsonb'], ['json_each', 'json'], ['jsonb_each', 'jsonb'], ['json_each_text', 'json'], ['jsonb_each_text', 'jsonb']] as const) {
      const rows = name.includes('each');
      list.push({
        sql: rows ? `(select string_agg(key || '=' || coalesce(value::text, '<NULL>'), ';') from ${name}(${quote(a)}::${type}))`
          : `(select string_agg(coalesce(v::text, '<NULL>'), ';') from ${name}(${quote(a)}::${type}) v)`,
        ours: () => {
          const items = [...(findBuiltin(name) as { fn: (...args: unknown[]) => Iterable<any> }).fn(context, fn(`${type}_in`)(a))];
          return items.length === 0 ? null : items.map((item) => (rows ? `${item.values[0]}=${show(item.values[1])}` : show(item))).join(';');
        },
      });
    }
  }
  t.deepEqual(differences(list), []);
});

check('building', (t) => {
  datetimeSettings.timeZone = findTimeZone('UTC')!;
  const list: { sql: string; ours: () => Datum | undefined }[] = [];
  const values: [sql: string, type: number, prosrc: string, text: string][] = [];
  const add = (type: string, oid: number, stem: string, ...texts: string[]): void => { for (const text of texts) values.push([`${quote(text)}::${type}`, oid, `${stem}in`, text]); };
  add('int4', 23, 'int4', '5', '-7');
  add('int8', 20, 'int8', '9223372036854775807');
  add('float8', 701, 'float8', '1.5', 'NaN', '-0', '1e300', 'Infinity', '1e-7');
  add('numeric', 1700, 'numeric_', '1.500', 'NaN', '-0.00');
  add('text', 25, 'text', '', 'a"b\\', 'é\n\u0001');
  add('bool', 16, 'bool', 't', 'f');
  add('date', 1082, 'date_', '2020-01-02', 'infinity', '0044-03-15 BC');
  add('timestamp', 1114, 'timestamp_', '2020-01-02 03:04:05.678', '-infinity');
  add('timestamptz', 1184, 'timestamptz_', '2020-01-02 03:04:05+00');
  add('interval', 1186, 'interval_', '1 day');
  add('json', 114, 'json_', '{"x" : [1,  2]}');
  add('jsonb', 3802, 'jsonb_', '{"x":[1,2]}');
  add('int4[]', 1007, 'array_', '{1,2,NULL}', '{{1,2},{3,4}}', '{}');
  for (const [sql, type, prosrc, text] of values) {
    const value = (): Datum => fn(prosrc)(text, type === 1007 ? 23 : 0, -1);
    const one = (name: string, argTypes: number[], ...args: (() => Datum)[]) => (): Datum => (findBuiltin(name) as any).fn({ ...context, argTypes }, ...args.map((arg) => arg()));
    for (const b of ['', 'b']) {
      list.push({ sql: `to_json${b}(${sql})`, ours: one(`to_json${b}`, [type], value) });
      list.push({ sql: `json${b}_build_array(${sql}, 1)`, ours: one(`json${b}_build_array`, [type, 23], value, () => 1) });
      list.push({ sql: `json${b}_build_object(${sql}, ${sql})`, ours: one(`json${b}_build_object`, [type, type], value, value) });
      list.push({ sql: `json${b}_build_object(1, 2, ${sql})`, ours: one(`json${b}_build_object`, [23, 23, type], () => 1, () => 2, value) });
      list.push({ sql: `json${b}_build_object(null::text, ${sql})`, ours: one(`json${b}_build_object`, [25, type], () => null, value) });
      list.push({
        sql: `(select json${b}_agg(v) from (values (${sql}), (null), (${sql})) t(v))`,
        ours: () => {
          const step = findBuiltin(`json${b}_agg_transfn`) as any;
          let state: unknown = null;
          for (const v of [value(), null, value()]) state = step.fn({ ...context, argTypes: [2281, type], aggregate: true }, state, v);
          return fn(`json${b}_agg_finalfn`)(state);
        },
      });
      list.push({
        sql: `(select json${b}_object_agg(k, v) from (values ('x', ${sql}), ('y', null), ('x', ${sql})) t(k, v))`,
        ours: () => {
          const step = findBuiltin(`json${b}_object_agg_transfn`) as any;
          let state: unknown = null;
          for (const [k, v] of [['x', value()], ['y', null], ['x', value()]]) state = step.fn({ ...context, argTypes: [2281, 25, type], aggregate: true }, state, k, v);
          return fn(`json${b}_object_agg_finalfn`)(state);
        },
      });
    }
  }
  for (const array of ['{}', '{a,1,b,NULL}', '{a,1,b}', '{{a,1},{b,2}}', '{{a,1,2},{b,2,3}}', '{NULL,1}', '{{{a}}}']) {
    const value = (): Datum => fn('array_in')(array, 25, -1);
    for (const b of ['', 'b']) list.push({ sql: `json${b}_object(${quote(array)}::text[])`, ours: () => fn(`json${b}_object`)(value()) });
  }
  t.deepEqual(differences(list), []);
});

check('records', (t) => {
  const columns: [name: string, type: string, oid: number][] = [['a', 'int4', 23], ['b', 'text', 25], ['c', 'int4[]', 1007], ['d', 'json', 114], ['e', 'jsonb', 3802], ['f', 'date', 1082], ['g', 'bool', 16], ['h', 'numeric', 1700]];
  const resultAttributes = columns.map(([name, , typeOid]) => ({ name, typeOid, typmod: -1, collation: 0, dropped: false }));
  const inputs = ['{}', '{"a":1,"b":"x","c":[1,2,null],"d":{"q" : 1},"e":{"q":1},"f":"2020-01-02","g":true,"h":1.50}', '{"a":"7","b":5,"c":"{1,2}","d":"s","e":"s","g":"off"}', '{"a":null,"b":null,"c":null,"d":null,"e":null}',
    '{"b":{"x":[1, 2]}}', '{"b":[1, "a\\u00e9"]}', '{"c":5}', '{"c":{"a":1}}', '{"c":[[1,2],[3,4]]}', '{"c":[[1,2],[3]]}', '{"c":[[1,2],3]}', '{"c":[1,[2]]}', '{"c":[]}', '{"c":[[]]}', '{"c":["x"]}', '{"a":"x"}', '{"a":1.5}', '{"a":{"z":1}}', '[]', '1', 'null', '"x"',
    '{"a":1,"a":2}', '{"f":"nope"}', '{"g":1}', '{"d":[1 , 2],"e":[1 , 2]}', '{"c":[[[1]],[[2]]]}', '{"c":[[1],[2,3]]}', '{"c":[1,{"a":2}]}'];
  const list: { sql: string; ours: () => Datum | undefined }[] = [];
  const output: Record<number, string> = { 23: 'int4out', 25: 'textout', 1007: 'array_out', 114: 'json_out', 3802: 'jsonb_out', 1082: 'date_out', 16: 'booltext', 1700: 'numeric_out' };
  for (const b of ['', 'b']) {
    for (const text of inputs) {
      for (const set of [false, true]) {
        const json = set ? `[${text}]` : text;
        const name = `json${b}_to_record${set ? 'set' : ''}`;
        list.push({
          sql: `(select concat_ws('|', ${columns.map(([column]) => `coalesce(${column}::text, '-')`).join(', ')}) from ${name}(${quote(json)}::json${b}) t(${columns.map(([column, type]) => `${column} ${type}`).join(', ')}))`,
          ours: () => {
            const found = (findBuiltin(name) as any).fn({ ...context, resultAttributes }, fn(`json${b}_in`)(json));
            const record = set ? [...found][0] : found;
            return record.values.map((value: Datum, i: number) => (value === null ? '-' : fn(output[columns[i]![2]]!)(value))).join('|');
          },
        });
      }
    }
  }
  t.deepEqual(differences(list), []);
});

test('fixed cases', (t) => {
  const jsonb = (text: string): string => fn('jsonb_out')(fn('jsonb_in')(text));
  t.is(jsonb('{"bb":1,"a":2, "a":3}'), '{"a": 3, "bb": 1}');
  const error = t.throws(() => fn('json_in')('{"a":1,}'), { instanceOf: PgError }) as PgError;
  t.is(error.fields.detail, 'Expected string, but found "}".');
  t.is(error.fields.where, 'JSON data, line 1: {"a":1,}');
  t.is((t.throws(() => fn('jsonb_in')('"\\u0000"')) as PgError).code, '22P05');
  t.throws(() => fn('json_in')('['.repeat(10000)), { message: 'stack depth limit exceeded' });
});

// Each row's jsonb was parsed when the row was read, and printed anew when it was written or sent: ten times PostgreSQL's work for
// CREATE TABLE AS.
test('a stored jsonb that is only handed on is not looked into', (t) => {
  const value = jsonbIn(' {"b": [1.50, "ä\\u0041", null], "a": {"c": true}, "b ": -0.0e2} ');
  const bytes = jsonbCodec.encode(value), again = jsonbCodec.decodeText(Buffer.from(bytes).toString());
  t.is(jsonbOut(again), jsonbOut(value));
  t.deepEqual(again.root, value.root);
  t.is(jsonbOut(again), jsonbOut(value));
  // What is no JSON is told only to who looks.
  const wrong = jsonbCodec.decodeText('{');
  t.deepEqual(Buffer.from(jsonbCodec.encode(wrong)), Buffer.from('{'));
  t.throws(() => wrong.root);
});

// A member is looked for in the text, by its key in quotes: what looks like a key but is a value, a part of a string or another object's
// key is none.
test('a member found in the text is the one that the tree has', (t) => {
  const texts = [
    '{"a": 1, "b": "a", "c": {"a": 2, "d": 3}, "e": [{"f": 4}], "g": "\\"h\\": 1", "i\\"j": 5, "k ": 6}', '{"x": "a\\\\", "a": "\\\\"}', '{"\\"a": 1, "b\\\\": {"a": 2}}',
    '{"a {": 1, ":": 2, "a": [1, "b"]}', '{"e": {"a": 1}, "aa": {"b": 2}, "b": "{", "a": "["}', '{}', '{"": 1}', '{"ä": 1, "a": "ü\\"}, "}', '[{"a": 1}]', '"a"', '{"b": [], "c": {}}',
  ];
  const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i"j', 'j', 'k ', 'k', 'x', ':', ': 1, ', '', 'ä', 'aa', '"a', 'b\\', 'a {'];
  for (const text of texts) {
    const stored = jsonbOut(jsonbIn(text));
    for (const key of keys) t.deepEqual(jsonbCodec.decodeText(stored).member(key)?.root, jsonbIn(text).member(key)?.root, `${key} of ${text}`);
  }
});
