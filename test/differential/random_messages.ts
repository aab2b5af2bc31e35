// Random messages of the extended protocol, in any order, with Query and FunctionCall between them: what is wrong must be told in the same
// way, and the session must go on as PostgreSQL's does. Read by messages.test.ts.
import { int16, int32, type RawClient } from '../support/raw_client.ts';

type Random = (below: number) => number;
/** `ends`: ReadyForQuery follows. */
export interface Sent { readonly text: string; readonly send: (client: RawClient) => void; readonly ends: boolean }

const pick = <T>(random: Random, of: readonly T[]): T => of[random(of.length)]!;

export const SETUP = ['drop schema if exists messages cascade', 'create schema messages', 'set search_path = messages', "set client_min_messages = 'notice'",
  'create table item (i int primary key, t text check (t <> \'no\'), b int8 default 7)', "insert into item select i, chr(96 + i), i from generate_series(1, 7) i",
  'create procedure ends(n int) language plpgsql as $$ begin insert into item values (n, \'p\'); commit; insert into item values (n + 1, \'q\'); rollback; end $$',
  'create function loud(n int) returns int language plpgsql as $$ begin raise notice \'loud %\', n; return n; end $$'];

const TEXTS = ['select $1::int + 1 as a', 'select i, t from item where i > $1 order by i', 'select i, t, b from item order by i', 'insert into item values ($1, $2) returning i, t',
  'insert into item (i, t) values ($1, $2)', 'update item set t = $2 where i = $1 returning *', 'delete from item where i = $1', 'begin', 'begin', 'commit', 'rollback', 'commit and chain',
  'savepoint a', 'rollback to a', 'release a', '', ' ; ', 'select 1; select 2', 'selec 1', 'select $2::int', 'select $1', 'select $1 + $2', 'values ($1, 2), (3, $2)',
  'declare c cursor for select i, t from item order by i', 'declare c cursor with hold for select i from item order by i', 'declare c scroll cursor for select i from item order by i',
  'declare p1 cursor for select 1', 'fetch 2 from c', 'fetch backward 1 from c', 'move 3 in c', 'fetch all from c', 'close c', 'close all', 'update item set t = \'cur\' where current of c', 'fetch 1 from p1',
  'copy item to stdout', 'copy item (i, t) from stdin', 'copy (select i from item order by i) to stdout', 'select generate_series(1, $1::int)', 'select 10 / $1::int', 'select i, 10 / (i - 3) from item order by i',
  'select i, loud(i) from item order by i', 'prepare s1 as select $1::int', 'prepare q(int) as select i from item where i < $1 order by i', 'execute s1(3)', 'execute q(4)', 'deallocate s1', 'deallocate q', 'deallocate all',
  'discard all', 'discard plans', 'show search_path', 'set local work_mem = \'1MB\'', 'set transaction isolation level serializable', 'set transaction read only', 'lock table item', 'vacuum item',
  'call ends(50)', 'do $$ begin raise notice \'hello\'; end $$', 'do $$ begin commit; end $$', 'listen ch', 'notify ch, \'x\'', 'unlisten *', 'select 1 as x, 2 as y', 'select from item', 'table item limit 1',
  'create table other (a int)', 'drop table other', 'drop table if exists other', 'alter table item add column extra int', 'alter table item drop column extra', 'select * from item where i = 1', 'explain (costs off) select * from item',
  'insert into item (i) select g from generate_series(100, 103) g returning i', 'with x as (delete from item where i > 5 returning i) select i from x order by i', 'select $1::text, $2::bool, $3::int[]',
  'merge into item using (values (1)) v (k) on k = i when matched then update set b = b + 1', 'select set_config(\'messages.x\', $1, true)', 'select current_setting(\'messages.x\', true)', 'select name, statement from pg_prepared_statements order by 1',
  'select name from pg_cursors order by 1', 'select t from item where t = $1', 'select null::int', 'create temp table tt on commit drop as select 1 as one', 'select * from tt', 'start transaction read only', 'prepare transaction \'x\'', 'select 1 from no_such'];
const VALUES: readonly (string | Buffer | null)[] = ['1', '2', '3', '6', '77', 'x', 'no', null, '', '{1,2}', 't', '99999999999', int32(4), int16(2), Buffer.alloc(8), Buffer.from([0xff, 0xfe]), Buffer.from([0])];
const STATEMENTS = ['', '', 's1', 's2', 'none'], PORTALS = ['', '', 'p1', 'p2', 'c', 'none'];
const TYPES = [[], [], [], [23], [25], [23, 25], [0, 25], [20], [16], [23, 23, 23, 23], [705], [2278], [99999]];
const FORMATS = [[], [], [], [0], [1], [1, 0], [0, 1], [1, 1], [0, 0, 0]];

/** Messages up to and with one that ReadyForQuery follows. */
export function batch(random: Random): Sent[] {
  const list: Sent[] = [];
  const add = (text: string, send: (client: RawClient) => void, ends = false): void => { list.push({ text, send, ends }); };
  const shown = (value: unknown): string => JSON.stringify(value, (_k, v: unknown) => ((v as { type?: string } | null)?.type === 'Buffer' ? `0x${Buffer.from((v as { data: number[] }).data).toString('hex')}` : v));
  const parse = (text: string, name: string): void => {
    const types = pick(random, TYPES);
    add(`Parse ${shown([text, name, types])}`, (c) => c.Parse(text, name, types));
  };
  const bind = (statement: string, portal: string, count: number): void => {
    const values = Array.from({ length: random(8) === 0 ? random(4) : count }, () => pick(random, VALUES)), formats = pick(random, FORMATS), results = pick(random, FORMATS);
    add(`Bind ${shown([values, { portal, statement, formats, results }])}`, (c) => c.Bind(values, { portal, statement, formats, results }));
  };
  const execute = (portal: string): void => {
    const limit = pick(random, [0, 0, 0, 1, 2, 3, 100]);
    add(`Execute ${shown([portal, limit])}`, (c) => c.Execute(portal, limit));
  };
  const copies = (): void => {
    const data = pick(random, ['60\tx\n61\ty\n', '1\tx\n', 'bad\n', '', '62\tx\n\\.\n', '63\tno\n', '64']);
    add(`CopyData ${shown(data)}`, (c) => c.CopyData(data));
    if (random(4) === 0) add('CopyFail', (c) => c.CopyFail('enough'));
    else add('CopyDone', (c) => c.CopyDone());
  };
  if (random(6) === 0) {
    const text = Array.from({ length: 1 + random(3) }, () => pick(random, TEXTS)).join('; ');
    // One message may ask for data once.
    const asks = text.split('from stdin').length - 1;
    add(`Query ${shown(text)}`, (c) => c.Query(text), asks === 0);
    for (let i = 0; i < asks; i++) copies();
    if (asks > 0) list.push({ ...list.pop()!, ends: true });
    return list;
  }
  if (random(25) === 0) {
    const [oid, args] = pick(random, [[2108, [int32(3)]], [181, [int32(-5)]], [1397, [int32(-5)]], [154, [int32(1), int32(0)]], [65, [int32(1)]], [99999, []], [1397, [null]]] as [number, (Buffer | null)[]][]);
    add(`FunctionCall ${shown([oid, args])}`, (c) => c.FunctionCall(oid, args, 0), true);
    return list;
  }
  for (let n = 1 + random(4); n > 0; n--) {
    const text = pick(random, TEXTS), statement = pick(random, STATEMENTS), portal = pick(random, PORTALS);
    const count = Math.max(0, ...[...text.matchAll(/\$(\d)/g)].map((m) => Number(m[1])));
    if (random(4) > 0) parse(text, statement);
    if (random(4) === 0) add(`Describe S ${shown(statement)}`, (c) => c.Describe('S', statement));
    if (random(5) > 0) bind(statement, portal, count);
    if (random(4) === 0) add(`Describe P ${shown(portal)}`, (c) => c.Describe('P', portal));
    for (let m = random(3); m > 0; m--) {
      execute(portal);
      // Who may be asked for data answers, whether or not: a Sync would not be heard.
      copies();
    }
    if (random(5) === 0) {
      const kind = pick(random, ['S', 'P'] as const), name = pick(random, kind === 'S' ? STATEMENTS : PORTALS);
      add(`Close ${kind} ${shown(name)}`, (c) => c.Close(kind, name));
    }
    if (random(6) === 0) add('Flush', (c) => c.Flush());
  }
  add('Sync', (c) => c.Sync(), true);
  return list;
}
