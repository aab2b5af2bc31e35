// Random DDL over a few names, so that objects depend on each other, take each other's names and stand in each other's way: tables by themselves, with
// parents and with partitions, views, types, domains, functions, indexes, triggers, policies, rules; rows in the tables. Read by differential.test.ts.

type Random = (below: number) => number;

/** What is there before the first definition is none of ours. */
export const BEFORE = `select set_config('looks.newest', (select max(objid) from pg_depend)::text, false)`;

export const LOOKS = [
  `select c.relname, c.relkind, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attinhcount, a.attislocal, a.attidentity, a.attgenerated, a.atthasmissing, pg_get_expr(d.adbin, d.adrelid)
    from pg_class c left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = 'random'::regnamespace and c.relkind <> 'i' order by c.relname, a.attnum`,
  `select conname, contype, conrelid::regclass::text, contypid::regtype::text, conislocal, coninhcount, connoinherit, convalidated, pg_get_constraintdef(oid) from pg_constraint where connamespace = 'random'::regnamespace order by 1, 3`,
  `select c.relname, pg_get_viewdef(c.oid) from pg_class c where relnamespace = 'random'::regnamespace and relkind in ('v', 'm') order by 1`,
  `select pg_get_indexdef(c.oid), i.indisprimary, i.indisvalid, i.indisclustered, i.indisreplident from pg_class c join pg_index i on i.indexrelid = c.oid where c.relnamespace = 'random'::regnamespace order by c.relname`,
  `select pg_get_triggerdef(t.oid), tgenabled from pg_trigger t join pg_class c on c.oid = tgrelid where relnamespace = 'random'::regnamespace and not tgisinternal order by 1`,
  `select pg_get_ruledef(r.oid) from pg_rewrite r join pg_class c on c.oid = ev_class where relnamespace = 'random'::regnamespace and rulename <> '_RETURN' order by 1`,
  `select p.oid::regprocedure::text, prorettype::regtype::text, pronargdefaults from pg_proc p where pronamespace = 'random'::regnamespace order by 1`,
  `select typname, typtype, typnotnull, typdefault, typbasetype::regtype::text, array(select enumlabel::text from pg_enum e where enumtypid = t.oid order by enumsortorder) from pg_type t where typnamespace = 'random'::regnamespace and typtype in ('e', 'd') order by 1`,
  `select inhrelid::regclass::text, inhparent::regclass::text, inhseqno, pg_get_expr(c.relpartbound, c.oid) from pg_inherits join pg_class c on c.oid = inhrelid where relnamespace = 'random'::regnamespace order by 1, 3`,
  `select classid::regclass::text, deptype, refclassid::regclass::text, regexp_replace(pg_describe_object(classid, objid, objsubid), 'r_(.)_\\d+', 'r_\\1'), pg_describe_object(refclassid, refobjid, refobjsubid) from pg_depend
    where objid > current_setting('looks.newest')::oid and refobjid >= 16384 and pg_describe_object(classid, objid, objsubid) !~ 'toast' order by 4, 5, 2`,
];

const TABLES = ['t0', 't1', 't2', 't3'], COLUMNS = ['a', 'b', 'c', 'd'], VIEWS = ['v0', 'v1', 'v2'];
const TYPES = ['int', 'int', 'int', 'bigint', 'text', 'text', 'numeric(6,2)', 'mood', 'small', 'pair', 'int[]', 'varchar(4)', 'date', 'bool'];
const VALUE: Record<string, string[]> = {
  int: ['1', '7', 'null'], bigint: ['2', '8'], text: ["'x'", "'yy'"], 'numeric(6,2)': ['1.5'], mood: ["'sad'"], small: ['3'], pair: ["'(1,x)'"], 'int[]': ["'{1,2}'"], 'varchar(4)': ["'v'"], date: ["'2024-01-01'"], bool: ['true'],
};

export function definitions(random: Random, length: number): string[] {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const chance = (one: number, of: number): boolean => random(of) < one;
  const table = (): string => pick(TABLES), view = (): string => pick(VIEWS), column = (): string => pick(COLUMNS), relation = (): string => (chance(1, 4) ? view() : table());
  const behavior = (): string => pick(['', '', ' restrict', ' cascade', ' cascade']);
  const ifExists = (): string => (chance(1, 5) ? 'if exists ' : '');
  const value = (type: string): string => pick(VALUE[type]!);
  const constraint = (): string => pick(['primary key (a)', 'unique (b)', 'unique (a, c)', 'check (a > 0)', 'check (a > 0) no inherit', 'check (b is not null) not valid', `foreign key (a) references ${table()} (a)`, `foreign key (b) references ${table()}`,
    `foreign key (a) references ${table()} (a) on delete cascade not valid`, `unique (${column()})`, 'exclude using btree (a with =)']);
  const columnDef = (name: string): string => {
    const type = pick(TYPES);
    return `${name} ${type}${pick(['', '', '', ' not null', ` default ${value(type)}`, ' unique', ' primary key', ` check (${name} is not null)`, ' generated always as identity', ' generated always as (a) stored', ` references ${table()}`, ` constraint named check (${name} is not null)`])}`;
  };
  const columns = (): string => COLUMNS.slice(0, 2 + random(3)).map((name) => (name === 'a' ? `a int${pick(['', ' primary key', ' not null', ' default 5', ''])}` : columnDef(name))).join(', ');
  const query = (): string => pick([`select * from ${relation()}`, `select ${column()}, ${column()} as z from ${relation()}`, `select x.a, y.b from ${relation()} x join ${relation()} y using (a)`, `select a, count(*) as n from ${relation()} group by a`,
    `select a, b from ${table()} group by a`, `select a from ${relation()} union all select a from ${relation()}`, `select x from ${table()} x`, `select f(a) as a, (select max(b) from ${table()}) as b from ${table()}`, `select a::text as a, mood 'ok' as m from ${table()} where a > 1`, `select (p).x as a from (select pair '(1,b)' as p) s`]);
  const create = (): string => {
    switch (random(22)) {
      case 0: case 1: case 2: case 3: return `create table ${table()} (${columns()}${chance(1, 3) ? `, constraint ${pick(['k', 'named'])} ${constraint()}` : ''})`;
      case 4: return `create table ${table()} (${chance(1, 2) ? '' : columns()}) inherits (${table()})`;
      case 5: return `create table ${table()} (like ${relation()}${pick(['', ' including all', ' including defaults including constraints', ' including indexes'])})`;
      case 6: return `create table ${table()} (${columns()}) partition by ${pick(['range (a)', 'list (a)', 'range (b)', 'hash (a)', 'range ((a + 1))'])}`;
      case 7: case 8: return `create table ${table()} partition of ${table()} ${pick(['for values from (1) to (5)', 'for values from (5) to (9)', 'for values in (1, 2)', 'default', 'for values with (modulus 2, remainder 0)', 'for values from (3) to (7)'])}`;
      case 9: case 10: case 11: return `create ${pick(['', '', 'or replace '])}view ${view()} as ${query()}`;
      case 12: return `create materialized view ${view()} as ${query()}`;
      case 13: return `create table ${table()} as ${query()}`;
      case 14: return `create ${pick(['', 'unique '])}index ${pick(['', 'i0 ', 'i1 '])}on ${relation()} (${pick(['a', 'b', 'a, b', '(a + 1)', 'f(a)', 'c desc'])})${chance(1, 4) ? ' where a > 0' : ''}`;
      case 15: return `create ${pick(['', 'or replace '])}function f(${pick(['x int', 'x int', 'x int default 1', 'y int', 'x text', `x ${table()}`])}) returns ${pick(['int', 'int', 'text', 'mood'])} immutable language sql as ${pick(["'select 1'", "'select $1'", "'select null::int'"])}`;
      case 16: return `create trigger ${pick(['g0', 'g1'])} ${pick(['before', 'after'])} ${pick(['insert', 'update of b', 'insert or update', 'delete'])} on ${relation()} ${pick(['for each row ', ''])}execute function tell()`;
      case 17: return `create rule ${pick(['r0', 'r1'])} as on ${pick(['insert', 'update', 'delete'])} to ${relation()} do ${pick(['instead nothing', `also insert into ${table()} (a) values (1)`, `also delete from ${table()} where b is null`])}`;
      case 18: return `create policy ${pick(['p0', 'p1'])} on ${table()} using (${pick(['a > 0', `exists (select from ${table()} q where q.b is not null)`, 'f(a) = 1'])})`;
      case 19: return `comment on ${pick([`table ${relation()}`, `column ${table()}.${column()}`, `view ${view()}`, `constraint named on ${table()}`])} is 'x'`;
      case 20: return `create statistics ${pick(['s0', 's1'])} on a, ${column()} from ${table()}`;
      default: return `create ${pick(['domain small as int check (value < 100)', "type mood as enum ('sad', 'ok')", 'type pair as (x int, y text)', 'sequence q0', `sequence q0 owned by ${table()}.a`])}`;
    }
  };
  const alter = (): string => {
    const type = pick(TYPES);
    const action = pick([`add column ${columnDef(column())}`, `add column if not exists ${columnDef(column())}`, `drop column ${ifExists()}${column()}${behavior()}`, `drop column ${column()}${behavior()}`, `alter ${column()} type ${type}`,
      `alter ${column()} type ${pick(['bigint', 'text', 'numeric'])}`, `alter ${column()} type ${type} using null`, `alter ${column()} set default ${value(type)}`, `alter ${column()} drop default`, `alter ${column()} set not null`, `alter ${column()} drop not null`,
      `rename ${column()} to ${column()}`, `rename to ${relation()}`, `add constraint ${pick(['k', 'named', 'k2'])} ${constraint()}`, `add ${constraint()}`, `drop constraint ${ifExists()}${pick(['k', 'named', 'k2'])}${behavior()}`, `inherit ${table()}`, `no inherit ${table()}`,
      `attach partition ${table()} ${pick(['for values from (1) to (5)', 'for values in (1, 2)', 'default', 'for values from (5) to (9)'])}`, `detach partition ${table()}`, `validate constraint ${pick(['k', 'named', 'k2'])}`, `rename constraint ${pick(['k', 'named'])} to ${pick(['k2', 'named'])}`,
      `alter ${column()} add generated by default as identity`, `alter ${column()} drop identity if exists`, `alter ${column()} drop expression`, `disable trigger ${pick(['g0', 'all'])}`, 'enable row level security', `replica identity using index i0`, `cluster on i0`, `alter ${column()} set statistics 5`,
      `alter ${column()} type ${type}, add check (${column()} is not null)`, `drop column ${column()}, add column ${columnDef(column())}`, `of pair`, 'not of', `alter constraint k deferrable`, 'set unlogged', `alter ${column()} set storage external`, `add primary key using index i0`]);
    return `alter table ${chance(1, 6) ? 'only ' : ''}${chance(1, 8) ? view() : table()} ${action}`;
  };
  const other = (): string => pick([
    `drop table ${ifExists()}${pick([table(), `${table()}, ${table()}`])}${behavior()}`, `drop view ${ifExists()}${view()}${behavior()}`, `drop materialized view ${view()}${behavior()}`, `drop function f${pick(['', '(int)', '(text)'])}${behavior()}`, `drop type ${pick(['mood', 'pair'])}${behavior()}`,
    `drop domain small${behavior()}`, `drop index ${pick(['i0', 'i1'])}${behavior()}`, `drop trigger ${pick(['g0', 'g1'])} on ${table()}`, `drop rule r0 on ${relation()}`, `drop policy p0 on ${table()}`, `drop sequence q0${behavior()}`, `drop statistics s0`,
    `alter type mood ${pick(["add value 'new'", "add value if not exists 'ok'", "rename value 'ok' to 'fine'", "add value 'mid' before 'ok'"])}`, `alter type pair ${pick(['add attribute z int', 'drop attribute y', 'alter attribute x type bigint', 'add attribute z int cascade', 'rename attribute x to xx', 'drop attribute if exists z cascade'])}`,
    `alter domain small ${pick(['add check (value > 0)', 'set not null', 'drop not null', 'drop constraint small_check', 'set default 4', 'add constraint nv check (value <> 3) not valid', 'validate constraint nv'])}`, `alter view ${view()} ${pick([`rename to ${relation()}`, `rename column a to ${column()}`, 'alter a set default 3', 'set (security_barrier)'])}`,
    `alter index i0 rename to i1`, `alter sequence q0 owned by ${table()}.${column()}`, `truncate ${table()}${pick(['', ' cascade'])}`, `refresh materialized view ${view()}`, `alter function f(int) rename to f`, `create or replace view ${view()} as ${query()}`,
  ]);
  const rows = (): string => pick([
    `insert into ${relation()} (a) values (${random(9)})`, `insert into ${table()} values (${1 + random(8)})`, `insert into ${table()} (a, b) values (${random(9)}, default)`, `insert into ${table()} default values`, `update ${relation()} set a = a + 1`, `update ${table()} set b = default where a > 3`, `delete from ${table()} where a = ${random(6)}`,
    `select * from ${relation()} order by 1`, `select a, tableoid::regclass from ${table()} order by a, 2`, `select count(*) from ${relation()}`,
  ]);
  const list: string[] = ["create type mood as enum ('sad', 'ok')", 'create type pair as (x int, y text)', 'create domain small as int check (value < 100)',
    "create function tell() returns trigger language plpgsql as $$ begin return coalesce(new, old); end $$", `create table t0 (a int primary key, b ${pick(TYPES)}, c text)`, `create table t1 (${columns()})`];
  while (list.length < length) list.push(chance(1, 3) ? create() : chance(1, 2) ? alter() : chance(1, 2) ? other() : rows());
  return list;
}
