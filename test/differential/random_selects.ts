// Random queries over a table with columns of many types: expressions of all of them, aggregates (ordered, distinct, filtered, of ordered sets),
// window frames, grouping sets, functions that return rows, LATERAL, recursion, DISTINCT ON, cursors. Where the order of rows could show, it is given.

export const TABLE = [
  "create type mood as enum ('sad', 'ok', 'glad')",
  'create type pair as (x int, y text)',
  'create domain small as int check (value < 100)',
  `create table m (id int primary key, i int, b bigint, n numeric, f float8, t text, o bool, d date, s timestamp, z timestamptz, v interval, a int[], ta text[], j jsonb, r int4range, mr int4multirange,
    c pair, e mood, u uuid, y bytea, w varbit, h char(3), k small, q numeric(6,2), nr numrange, dr daterange, p point, ip inet, l time)`,
  `insert into m select g, nullif(g % 7, 3), nullif(g % 5, 2) * 3000000000, nullif(g % 4, 1) * 1.25, nullif(g % 6, 5) * 0.5, nullif(chr(97 + g % 5), 'd'), nullif(g % 3, 2) = 1,
    date '2024-02-27' + nullif(g % 8, 6), timestamp '2023-12-30 22:00' + nullif(g % 9, 4) * interval '7 hours', timestamptz '2024-03-10 05:00+00' + nullif(g % 6, 1) * interval '90 minutes',
    nullif(g % 5, 3) * interval '1 mon -3 days 5 hours', case g % 5 when 0 then null when 1 then '{}' when 2 then array[g % 3, null, 2] when 3 then array[[1, g % 4], [3, 4]] else '[0:1]={5,6}' end,
    case g % 4 when 0 then null when 1 then array['x', chr(97 + g % 3)] when 2 then '{}' else array[null, 'Z', 'b'] end,
    case g % 6 when 0 then null when 1 then '{"a": 1, "b": [1, 2]}' when 2 then '[1, "x", null]' when 3 then '"s"' when 4 then jsonb_build_object('a', g % 3, 'c', jsonb_build_object('d', g % 2 = 0)) else '[]' end,
    case g % 5 when 0 then null when 1 then 'empty' when 2 then '(,5)' else int4range(g % 4, g % 4 + g % 6) end,
    case g % 4 when 0 then null when 1 then '{}' else int4multirange(int4range(g % 3, 4), int4range(6, 6 + g % 5)) end,
    case g % 4 when 0 then null when 1 then row(null, null)::pair else row(g % 3, chr(98 + g % 3))::pair end, (array['sad', 'ok', 'glad', null])[1 + g % 4]::mood,
    case when g % 3 > 0 then md5((g % 5)::text)::uuid end, case when g % 4 > 0 then decode(repeat('0a', g % 3), 'hex') || '\\xff' end, case when g % 5 > 0 then (g % 6)::bit(4)::varbit end, (array['a', 'bc', null, 'b  '])[1 + g % 4],
    nullif(g % 9, 4), nullif(g % 5, 1) * 12.345, case when g % 3 > 0 then numrange(g % 4, g % 4 + 1.5, '[]') end, case when g % 4 > 0 then daterange(date '2024-01-01' + g % 5, date '2024-01-09') end,
    point(g % 3, g % 2), case when g % 3 > 0 then ('10.0.' || g % 4 || '.1/' || 16 + 8 * (g % 3))::inet end, time '23:00' + g % 5 * interval '47 minutes' from generate_series(1, 24) g`,
  'create table tree (id int primary key, up int, w int)',
  'insert into tree values (1, null, 3), (2, 1, 5), (3, 1, null), (4, 2, 1), (5, 2, 2), (6, 5, 4), (7, 8, 1), (8, 7, 1), (9, 6, 9)',
  'create index on m (i, t)', 'create index on m (d)', 'create index on m using gin (j)', 'create index on m using gin (a)', 'create index on m using gist (r)', 'analyze m, tree',
];

const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  int: ['id', 'i', 'k'], big: ['b'], num: ['n', 'q'], flt: ['f'], text: ['t', 'h::text'], bool: ['o'], date: ['d'], ts: ['s'], tz: ['z'], iv: ['v'], ia: ['a'], ta: ['ta'], js: ['j'], rng: ['r'], mrng: ['mr'],
  pair: ['c'], mood: ['e'], uuid: ['u'], bytea: ['y'], bit: ['w'], nrng: ['nr'], drng: ['dr'], ip: ['ip'], time: ['l'],
};
const LITERALS: Readonly<Record<string, readonly string[]>> = {
  int: ['1', '2', '0', '-1', 'null::int', '5'], big: ['6000000000', '0::bigint', 'null::bigint'], num: ['1.5', '2.50', '0.0', "'NaN'::numeric", 'null::numeric'], flt: ['0.5::float8', "'Infinity'::float8", '1e10::float8'],
  text: ["'a'", "'bc'", "''", "'Z'", 'null::text'], bool: ['true', 'false', 'null::bool'], date: ["date '2024-02-29'", "date 'infinity'", 'null::date'], ts: ["timestamp '2024-01-01 05:00'", "timestamp '-infinity'"],
  tz: ["timestamptz '2024-03-10 07:30+00'", "timestamptz '2024-11-03 05:30+00'"], iv: ["interval '1 day'", "interval '1 mon'", "interval '-2:30'", "interval '0'"], ia: ["'{1,2}'::int[]", "'{}'::int[]", 'array[3,null,1]', 'null::int[]'],
  ta: ["'{a,b}'::text[]", "'{}'::text[]"], js: ["'{\"a\": 2}'::jsonb", "'[1,2,3]'::jsonb", "'null'::jsonb", 'null::jsonb', "'\"s\"'::jsonb"], rng: ["'[1,4)'::int4range", "'empty'::int4range", "'(,)'::int4range"], mrng: ["'{[1,3),[5,8)}'::int4multirange"],
  pair: ["row(1,'c')::pair", 'null::pair', 'row(null,null)::pair'], mood: ["'ok'::mood", 'null::mood'], uuid: ["'a87ff679-a2f3-e71d-9181-a67b7542122c'::uuid"], bytea: ["'\\x0aff'::bytea", "''::bytea"], bit: ["B'0101'::varbit", "B'1'::varbit"],
  nrng: ["'[1,2.5)'::numrange"], drng: ["'[2024-01-02,2024-01-05)'::daterange"], ip: ["'10.0.1.1'::inet", "'10.0.0.0/8'::inet"], time: ["time '12:00'"],
};
const FORMS: Readonly<Record<string, readonly string[]>> = {
  int: ['($int + $int)', '($int - $int)', '($int * 2)', 'coalesce($int, $int)', 'length($text)', 'extract(day from $date)::int', 'array_length($ia, 1)', 'cardinality($ta)', '($ia)[$int]', 'nullif($int, $int)', 'case when $bool then $int else $int end',
    'jsonb_array_length(jsonb_build_array($js, $int))', 'upper($rng)', 'lower($mrng)', '($pair).x', 'array_position($ia, $int)', 'least($int, $int, $int)', '($date - $date)', 'width_bucket($num, 0, 5, 4)', 'ascii($text)', 'bit_count($bytea)::int', 'octet_length($bytea)',
    'length($bit)', '(select max(x.i) from m x where x.i < m.i)', 'num_nulls($int, $text, $date)', "position($text in 'abcabc')", 'masklen($ip)', 'sign($int)::int', 'mod($int, 4)', 'array_upper($ia, 1)', 'regexp_count($text, \'[ab]\')',
    'case $int when 1 then $int when $int then 7 end', "(case when jsonb_typeof($js -> 'a') = 'number' then $js -> 'a' end)::int"],
  big: ['($big + $int)', '$int::bigint', 'abs($big)', 'gcd($big, 12)', "extract(epoch from $tz)::bigint", 'bit_length($text)::bigint', 'coalesce($big, $int)', 'greatest($big, $int)'],
  num: ['($num + $num)', '($num * $int)', 'round($num, 1)', '$int::numeric', 'trunc($num)', 'coalesce($num, $int)', '($num / 3)', 'ceil($num)', 'upper($nrng)', "extract(second from $ts)", 'scale($num)::numeric', 'nullif($num, 2.5)', 'trim_scale($num)', '$flt::numeric(10,3)', 'power($int, 2)::numeric', 'sqrt(abs($num))', 'mod($num, 2)'],
  flt: ['($flt + 1)', '$num::float8', 'sqrt(abs($flt))', '($flt * $int)', 'coalesce($flt, 0)', 'round($flt)', 'floor($flt)', 'extract(epoch from $iv)::float8', "(p <-> point(1,1))"],
  text: ['($text || $text)', 'upper($text)', '$int::text', '$num::text', '$date::text', '$ts::text', '$tz::text', '$iv::text', '$ia::text', '$ta::text', '$js::text', '$rng::text', '$mrng::text', '$pair::text', '$mood::text', '$uuid::text', '$bytea::text', '$bit::text', '$bool::text', '$nrng::text', '$drng::text', '$ip::text', '$time::text',
    'coalesce($text, $text)', "to_char($date, 'Day DD Mon YYYY')", "to_char($num, 'FM990.00')", "to_char($ts, 'HH12:MI:SS am IYYY-IW')", "to_char($iv, 'HH24 MI DD')", 'substr($text, 1, 1)', "array_to_string($ia, ',', '*')", "array_to_string($ta, '|')", "$js ->> 'a'", '($pair).y', 'quote_literal($text)', "format('%s-%I', $int, $text)", "concat_ws(',', $text, $int, $bool)",
    "split_part($text || 'x,y', 'x', 2)", "replace($text, 'a', $text)", "lpad($text, 4, '*')", 'md5($text)', "translate($text, 'ab', 'x')", 'reverse($text)', 'initcap($text)', "regexp_replace($text, '(.)', '<\\1>')", 'encode($bytea, \'base64\')', 'jsonb_typeof($js)', 'pg_typeof($num)::text', 'm::text', "overlay($text placing 'Q' from 1)", 'to_json($ts)::text', 'to_jsonb($pair)::text', 'row($int, $text)::text', 'host($ip)', 'abbrev($ip)', "trim(both 'a' from $text)"],
  bool: ['($int < $int)', '($text = $text)', '($date >= $date)', '($ts < $ts)', '($tz > $tz)', '($iv = $iv)', '($num <> $num)', '($ia @> $ia)', '($ta && $ta)', '($js @> $js)', "($js ? 'a')", '($rng && $rng)', '($rng @> $int)', '($mrng @> $rng)', '($pair = $pair)', '($pair is null)', '($pair is not null)', '($mood > $mood)', '($int = any ($ia))', '($int <> all ($ia))', '($text in ($text, $text))', '($bool and $bool)', '($bool or $bool)', '(not $bool)', '($bool is not true)',
    '($int is distinct from $int)', '($int between $int and $int)', "($text like '%b%')", "($text ~ '^[a-c]')", '(row($int, $text) < row($int, $text))', '($date <@ $drng)', '($rng -|- $rng)', '($rng << $rng)', 'isempty($rng)', '($big = $int)', '($num = $int)', '($flt < $num)', '($ia = $ia)', '($ia < $ia)', "(($date, $iv) overlaps ($date, $date))", '($uuid < $uuid)', '($bytea > $bytea)', '($ip << $ip)', 'exists (select from tree where tree.id = $int)', '($int in (select up from tree))', '($int not in (select w from tree where w is not null))', '($js = $js)', "($js @? '$.a')", '($bit = $bit)', 'starts_with($text, $text)', '($date = $ts)', '($tz >= $date)', '(m = m)', '($mood = any (array[$mood, $mood]))', '($nrng @> $num)', '(($pair).x > $int)', '($time < $time)'],
  date: ['($date + $int)', '$ts::date', '$tz::date', '($date - 1)', 'coalesce($date, $date)', 'lower($drng)', 'make_date(2024, 1 + abs($int) % 12, 15)', 'greatest($date, $date)'],
  ts: ['($ts + $iv)', '($ts - $iv)', '($date + $iv)', "date_trunc('month', $ts)", '$date::timestamp', '$tz::timestamp', "($tz at time zone 'Asia/Kolkata')", "date_bin('6 hours', $ts, timestamp '2024-01-01')", '($date + $time)'],
  tz: ['($tz + $iv)', '($tz - $iv)', "date_trunc('day', $tz)", '$ts::timestamptz', '$date::timestamptz', "($ts at time zone 'Europe/Paris')"],
  iv: ['($iv + $iv)', '($iv * 2)', '(-$iv)', '($ts - $ts)', '($tz - $tz)', 'justify_interval($iv)', '($iv / 3)', 'make_interval(days => $int)', '($time - $time)'],
  ia: ['array[$int, $int]', '($ia || $int)', '($int || $ia)', 'array_remove($ia, $int)', 'array_append($ia, $int)', '($ia)[2:3]', 'array(select x.id from m x where x.i = m.i order by 1)', 'coalesce($ia, $ia)', "string_to_array('1,2', ',')::int[]", 'array_replace($ia, 2, $int)', 'trim_array(array[1,2,$int], 1)', 'array_fill($int, array[2])'],
  ta: ['array[$text, $text]', '($ta || $text)', 'array_cat($ta, $ta)', "string_to_array($text, 'a')", 'array(select unnest($ia)::text)', "regexp_split_to_array($text, 'b')", '$ia::text[]'],
  js: ['to_jsonb($int)', 'to_jsonb($text)', 'to_jsonb($date)', 'to_jsonb($pair)', 'to_jsonb($ia)', 'to_jsonb($num)', "jsonb_build_object('k', $int, 'l', $text)", 'jsonb_build_array($int, $text, $bool, $js)', "($js -> 'a')", '($js -> 0)', "jsonb_set(jsonb_build_object('a', $js), '{a}', to_jsonb($int))", "(jsonb_build_object('z', $bool) || jsonb_build_object('y', $js))", "($js #> '{b,0}')", 'jsonb_strip_nulls(jsonb_build_object(\'q\', $int))', "jsonb_path_query_array($js, '$.*')", "jsonb_path_query_first($js, '$[*] ? (@ > 1)')", 'to_jsonb(row($int, $ts))', '(jsonb_build_array($js, 1) - 0)'],
  rng: ['int4range(least($int, $int), null)', '($rng * $rng)', "coalesce($rng, '[1,2)')", 'range_merge($rng, $rng)', 'int4range(0, abs($int))'],
  mrng: ['($mrng + $mrng)', '($mrng - $mrng)', '($mrng * $mrng)', 'int4multirange($rng)', 'multirange($rng)'],
  pair: ['row($int, $text)::pair', 'case when $bool then $pair else $pair end', 'coalesce($pair, $pair)'], mood: ['coalesce($mood, $mood)', 'greatest($mood, $mood)'], uuid: ['coalesce($uuid, $uuid)'], bytea: ['($bytea || $bytea)', 'substring($bytea from 1 for 1)', "convert_to($text, 'UTF8')", 'set_byte($bytea || \'\\x00\', 0, 7)'],
  bit: ['($bit || $bit)', '(~ $bit)', '$int::bit(5)::varbit'], nrng: ["numrange(nullif($num, 'NaN'), null)", '($nrng * $nrng)'], drng: ['($drng * $drng)'], ip: ['network($ip)::inet', '($ip + 1)', 'coalesce($ip, $ip)'], time: ['($time + $iv)', '$ts::time'],
};

const TYPES = Object.keys(COLUMNS);
/** Aggregates whose value does not depend on the order of rows: $type is an argument, $order an expression to order by. */
const AGGREGATES: Readonly<Record<string, readonly string[]>> = {
  int: ['count(*)::int', 'count($text)::int', 'count(distinct $int)::int', 'max($int)', 'min($int)', 'sum($int)::int', 'bit_and($int)', 'bit_xor($int)', 'mode() within group (order by $int)', 'percentile_disc(0.5) within group (order by $int)', 'rank(2) within group (order by $int)::int', 'dense_rank(1, $text0) within group (order by $int, $text)::int', 'count(distinct ($int, $text))::int'],
  big: ['sum($int)', 'count(*)', 'max($big)', 'count(distinct $text)', 'regr_count($flt, $int)'], num: ['sum($num)', 'avg($int)', 'avg($num)', 'max($num)', 'sum(distinct $num)', 'sum($big)', 'var_pop($int)', 'stddev($int)', 'variance($num)'],
  flt: ['max($flt)', 'min($flt)', 'percentile_cont(0.25) within group (order by $int)', 'cume_dist(2) within group (order by $int)', 'percent_rank(2) within group (order by $int)'],
  text: ['max($text)', 'min($text)', "string_agg($text, ',' order by $text, id)", "string_agg(distinct $text, '-')", "string_agg($int::text, '' order by $date desc nulls last, id)", 'max($mood)::text'], bool: ['bool_and($bool)', 'bool_or($bool)', 'every($bool)'],
  date: ['max($date)', 'min($date)'], ts: ['max($ts)', 'min($ts)'], tz: ['max($tz)'], iv: ['sum($iv)', 'max($iv)', 'avg($iv)'], ia: ['array_agg($int order by $int, id)', 'array_agg(distinct $int)', 'max($ia)', 'percentile_disc(array[0.1, 0.9]) within group (order by $int)'], ta: ['array_agg($text order by id desc)', 'array_agg(distinct t order by t)'],
  js: ['jsonb_agg($js order by id)', 'jsonb_object_agg(id, $text)', 'jsonb_agg($pair order by id)', "jsonb_agg(distinct $int)"], rng: ['range_intersect_agg($rng)'], mrng: ['range_agg($rng)', 'range_intersect_agg($mrng)'], mood: ['max($mood)', 'min($mood)'], pair: ['(array_agg($pair order by id))[1]'],
};
/** Functions of windows; those that look at places need an order that is certain. */
const WINDOWED: Readonly<Record<string, readonly string[]>> = {
  int: ['row_number()', 'rank()', 'dense_rank()', 'ntile(3)', 'lag($int)', 'lead($int, 2, -1)', 'first_value($int)', 'last_value($int)', 'nth_value($int, 2)', 'sum($int)', 'count(*)', 'max($int)', 'min($int)', 'count($text) filter (where $bool)', 'count(*) filter (where $bool)'],
  num: ['sum($num)', 'avg($int)', 'sum($int) filter (where $bool)', 'max($num)'], flt: ['percent_rank()', 'cume_dist()', 'sum($flt)'], text: ['lag($text, 1, $text)', 'first_value($text)', "string_agg($text, '')", 'max($text)', 'last_value($text)'], ia: ['array_agg($int)', 'last_value($ia)'], js: ['jsonb_agg($int)', 'lead($js)'],
  bool: ['bool_or($bool)', 'lag($bool)'], date: ['max($date)', 'first_value($date)'], iv: ['sum($iv)', 'nth_value($iv, 3)'], ts: ['lead($ts)', 'min($ts)'],
};

/** Equal values of them may look different. */
const LOOKS: readonly string[] = ['num', 'flt', 'iv', 'js', 'nrng', 'pair', 'ip'];

export class Selects {
  private readonly random: (limit: number) => number;
  constructor(random: (limit: number) => number) { this.random = random; }

  private pick<T>(list: readonly T[]): T { return list[this.random(list.length)]!; }
  private chance(one: number, of: number): boolean { return this.random(of) < one; }
  private some<T>(count: number, make: (i: number) => T): T[] { return Array.from({ length: count }, (_, i) => make(i)); }

  private expr(type: string, depth: number): string {
    if (depth <= 0 || this.chance(1, 3)) return this.chance(3, 4) ? this.pick(COLUMNS[type]!) : this.pick(LITERALS[type]!);
    return this.fill(this.pick(FORMS[type]!), depth - 1);
  }
  private fill(form: string, depth: number): string {
    return form.replace('$text0', "'b'").replace(/\$([a-z]+)/g, (all, type: string) => (COLUMNS[type] === undefined ? all : this.expr(type, depth)));
  }
  private any(depth: number): string { return this.expr(this.pick(TYPES), depth); }
  private where(): string { return this.chance(1, 2) ? ` where ${this.expr('bool', 2)}` : ''; }
  private list(items: readonly string[]): string { return items.map((item, i) => `${item} as c${i + 1}`).join(', '); }

  private key(): string { return this.expr(this.pick(TYPES.filter((type) => type !== 'point')), this.random(2)); }
  private direction(): string { return this.pick(['', '', ' desc', ' nulls first', ' desc nulls last']); }

  statement(): string {
    return this.pick([() => this.plain(), () => this.plain(), () => this.grouped(), () => this.grouped(), () => this.windowed(), () => this.windowed(), () => this.lateral(), () => this.joined(), () => this.recursive(), () => this.distinctOn(), () => this.setOperation(), () => this.subquery()])();
  }

  private plain(): string {
    const items = this.some(1 + this.random(3), () => this.any(3));
    return `select ${this.chance(1, 8) ? 'distinct ' : ''}${this.list(items)} from m${this.where()}${this.chance(1, 5) ? ` order by ${items.map((_, i) => i + 1).join(', ')} limit ${this.random(9)}` : ''}`;
  }

  private aggregate(): string {
    const type = this.pick(Object.keys(AGGREGATES)), filled = this.fill(this.pick(AGGREGATES[type]!), 1);
    return /within group|::/.test(filled) || this.chance(4, 5) ? filled : `${filled} filter (where ${this.expr('bool', 1)})`;
  }

  private grouped(): string {
    const keys = this.some(this.random(4), () => this.pick(COLUMNS[this.pick(TYPES.filter((type) => type !== 'pair'))]!)).filter((key, i, all) => all.indexOf(key) === i && key !== 'id');
    const items = this.some(1 + this.random(3), () => this.aggregate());
    const by = keys.length === 0 ? '' : ` group by ${this.pick([keys.join(', '), keys.join(', '), `rollup (${keys.join(', ')})`, `cube (${keys.join(', ')})`, `grouping sets (${keys.map((key) => `(${key})`).join(', ')}, ())`, `distinct rollup (${keys.join(', ')}), rollup (${keys[0]!})`])}`;
    const having = this.chance(1, 4) ? ` having ${this.pick(['count(*) > 2', 'max(i) is not null', 'bool_or(o)', 'sum(i) < 30'])}` : '';
    if (by !== '' && this.chance(1, 3)) items.push(`grouping(${keys.join(', ')})`);
    if (this.chance(1, 6)) items.push(`sum(count(*)) over (${by === '' ? '' : `order by ${keys.join(', ')}`})`);
    return `select ${this.list([...keys, ...items])} from m${this.where()}${by}${having}`;
  }

  private frame(ordered: readonly string[]): string {
    const offset = /^(i|k|id|n|q|b|f)$/.test(ordered[0] ?? '') && ordered.length === 1 ? ['1', '2', '0'] : /^[dsz]$/.test(ordered[0] ?? '') && ordered.length === 1 ? ["interval '1 day'", "interval '10 hours'"] : ordered[0] === 'l' && ordered.length === 1 ? ["interval '1 hour'"] : null;
    const mode = this.pick(['rows', 'range', 'groups']);
    const near = (where: string): string => `${mode === 'range' ? this.pick(offset!) : this.pick(['1', '2', '3'])} ${where}`;
    // From the first to the last edge of a frame.
    const edges = ['unbounded preceding', ...(mode === 'range' && offset === null ? [] : [near('preceding')]), 'current row', ...(mode === 'range' && offset === null ? [] : [near('following')]), 'unbounded following'];
    const from = this.random(edges.length - 1), to = Math.max(from, 1 + this.random(edges.length - 1));
    const exclude = this.pick(['', '', ' exclude current row', ' exclude group', ' exclude ties', ' exclude no others']);
    return ` ${mode} ${this.chance(3, 4) || from > edges.indexOf('current row') ? `between ${edges[from]!} and ${edges[to]!}` : edges[from]!}${exclude}`;
  }

  private windowed(): string {
    const types = Object.keys(WINDOWED);
    const items = this.some(1 + this.random(3), () => {
      const part = this.chance(1, 2) ? `partition by ${this.some(1 + this.random(2), () => this.key()).join(', ')} ` : '';
      const single = this.chance(1, 2);
      const keys = single ? [this.pick(['i', 'k', 'n', 'd', 's', 'z', 'b', 'f', 'l', 'q', 'id'])] : this.some(1 + this.random(2), () => this.key());
      const desc = this.direction();
      let frame = this.chance(2, 3) ? this.frame(keys) : '';
      const fn = this.fill(this.pick(WINDOWED[this.pick(types)]!), 1);
      // What looks at single rows needs an order without peers; the values of a frame by RANGE with offsets are sums.
      const certain = /^(row_number|ntile|lag|lead|first|last|nth|string_agg|array_agg|jsonb_agg)/.test(fn) || frame.startsWith(' rows');
      if (certain && keys[0] !== 'id') {
        if (/\d' (preceding|following)|range.*\d (preceding|following)|hour/.test(frame)) frame = '';
        keys.push('id');
      }
      return `${fn} over (${part}order by ${keys.map((key, i) => key + (i === 0 ? desc : '')).join(', ')}${frame})`;
    });
    return `select id, ${this.list(items)} from m${this.where()}`;
  }

  private lateral(): string {
    const source = this.pick([() => `unnest(${this.expr('ia', 1)}) with ordinality as x(xv, xn)`, () => `unnest(${this.expr('ta', 1)}, ${this.expr('ia', 0)}) as x(xv, xn)`, () => `generate_series(1, least(${this.expr('int', 1)}, 4)) as x(xv), generate_series(x.xv, 3) as y(xn)`,
      () => `jsonb_array_elements(jsonb_build_array(${this.expr('js', 1)}, ${this.expr('int', 0)})) with ordinality as x(xv, xn)`, () => `jsonb_each(jsonb_build_object('k', ${this.expr('js', 1)})) as x(xv, xn)`, () => `lateral (select t2.${this.pick(['i', 't', 'a'])} as xv, t2.id as xn from m t2 where t2.i = m.i and t2.id > m.id order by t2.id limit 2) x`,
      () => `regexp_matches(coalesce(${this.expr('text', 1)}, ''), '[a-c]', 'g') with ordinality as x(xv, xn)`, () => `rows from (unnest(${this.expr('ia', 0)}), generate_series(1, 2), string_to_table(${this.expr('text', 0)}, 'a')) as x(xv, xn, o2)`, () => `lateral (values (${this.expr('int', 1)}, 1), (${this.expr('int', 1)}, 2)) x(xv, xn)`,
      () => `unnest(${this.expr('mrng', 1)}) with ordinality as x(xv, xn)`, () => `lateral (select ${this.aggregate().replaceAll(/\bid\b/g, 'm2.id').replaceAll(/(?<![\w.'$])([a-z]{1,2})(?![\w('])/g, (all, name: string) => (Object.values(COLUMNS).flat().includes(name) ? `m2.${name}` : all))} as xv, count(*) as xn from m m2 where m2.i = m.i) x`])();
    const join = this.pick([', ', ' cross join ', ' left join ']);
    const columns = source.includes(' y(xn)') ? ['x.xv', 'y.xn'] : ['x.xv', 'x.xn'];
    const on = join === ' left join ' && !source.includes(', generate_series(x.xv') ? ' on true' : '';
    return `select m.id, ${this.list([...columns, this.any(1)])} from m${join === ' left join ' && on === '' ? ', ' : join}${source}${on}${this.where()}`;
  }

  private joined(): string {
    const type = this.pick(TYPES);
    const side = (alias: string): string => `(select id as ${alias}_id, ${this.expr(type, 1)} as ${alias} from m${this.where()}) ${alias}_`;
    const operator = type === 'rng' || type === 'mrng' ? this.pick(['=', '&&', '@>']) : ['int', 'date', 'num', 'text'].includes(type) ? this.pick(['=', '=', '<', 'is not distinct from']) : '=';
    const kind = operator === '=' ? this.pick(['join', 'left join', 'full join']) : this.pick(['join', 'left join']);
    return `select ${this.pick(['count(*), sum(l_id), sum(r_id)', 'l_id, r_id, l, r'])} from ${side('l')} ${kind} ${side('r')} on l ${operator} r`;
  }

  private recursive(): string {
    const extra = this.pick(['', '', ' search depth first by id set ord', ' search breadth first by id set ord', ' cycle id set looped using path', " cycle id set looped to 'y' default 'n' using path"]);
    const union = extra.includes('cycle') || this.chance(1, 2) ? 'union all' : 'union';
    const stop = extra.includes('cycle') ? '' : ' and depth < 6';
    const start = this.pick(['up is null', 'id = 7', 'id in (2, 3, 8)', 'w > 3']);
    const columns = extra.includes('search') ? this.pick(['id, depth, ord', 'id, depth']) : extra.includes('cycle') ? 'id, depth, looped, path' : 'id, depth, total';
    return `with recursive walk(id, depth, total) as (select id, 0, w from tree where ${start} ${union} select c.id, depth + 1, total + c.w from walk join tree c on c.up = walk.id${stop})${extra} select ${columns} from walk${extra.includes('search') ? ' order by ord, depth, id' : ''}`;
  }

  private distinctOn(): string {
    const keys = this.some(1 + this.random(2), () => this.key());
    return `select distinct on (${keys.join(', ')}) id, ${this.list([...keys, this.any(2)])} from m${this.where()} order by ${keys.map((key) => key + this.direction()).join(', ')}, id`;
  }

  private setOperation(): string {
    // Values that are equal but look different may come from either side.
    const types = this.some(1 + this.random(2), () => this.pick(TYPES.filter((type) => !LOOKS.includes(type))));
    const side = (): string => `select ${this.list(types.map((type) => this.expr(type, 1)))} from m${this.where()}`;
    return `(${side()}) ${this.pick(['union', 'intersect', 'except', 'union all', 'intersect all', 'except all'])} (${side()})`;
  }

  private subquery(): string {
    const type = this.pick(TYPES.filter((t) => !LOOKS.includes(t)));
    return `select c1, count(*), ${this.pick(['max(id)', 'sum(id)', 'array_agg(id order by id)'])} from (select id, ${this.expr(type, 2)} as c1 from m${this.where()}) s group by c1${this.chance(1, 3) ? ' having count(*) > 1' : ''}`;
  }
}
