// Random calls of every function, operator and cast of the catalogs that is sure of its answer, on values at the edges of their types.

/** Values of a type as their literals say them; the first are the ordinary ones. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  bool: ['t', 'f'],
  int2: ['1', '-7', '0', '32767', '-32768'],
  int4: ['1', '2', '3', '0', '-1', '7', '-20', '100', '2147483647', '-2147483648'],
  int8: ['1', '0', '-5', '1000', '9007199254740993', '9223372036854775807', '-9223372036854775808', '4294967296'],
  oid: ['0', '1', '25', '4294967295'],
  numeric: ['0', '1.50', '-3.14159', '1e20', '0.000001', 'NaN', 'Infinity', '-Infinity', '123456789012345678901234567890.123', '-0.5', '2.5', '9999.99', '1e-16383', '1e131071', '10'],
  float4: ['0', '1.5', '-0', '3.4028235e38', '1e-45', 'NaN', 'Infinity', '-2.5', '0.1'],
  float8: ['0', '1.5', '-2.5', '0.1', '1e15', '123456.789', '-0', 'NaN', 'Infinity', '-Infinity', '1.7976931348623157e308', '5e-324', '1e-7'],
  money: ['$1.00', '-$12,345.67', '$92233720368547758.07', '0'],
  text: ['', 'abc', 'Zoë ❄ 𝄞', ' x y ', 'a,b,,c', '%_\\', 'ABCdef', '12', '-1.5', 'The quick fox', '2024-02-29', "it's", 'aaa', '{1,2}', 'ß'],
  varchar: ['abc', '', 'q '], bpchar: ['a ', 'abc', ''], name: ['pg_class', 'x', ''],
  char: ['a', '1'],
  bytea: ['', '\\x00', '\\xdeadbeef', '\\x616263ff', '\\x80'],
  bit: ['1', '0', '1011', '11110000', ''], varbit: ['1', '', '10110', '0000', '111111111'],
  date: ['2024-02-29', '2000-01-01', '1999-12-31', '0001-01-01', '4713-01-01 BC', '5874897-12-31', 'infinity', '-infinity', '2024-07-15'],
  time: ['00:00', '12:34:56.789', '23:59:59.999999', '24:00'],
  timetz: ['00:00+00', '12:34:56.789-07', '24:00+15:59:59', '23:59:59.999999+05:30'],
  timestamp: ['2024-02-29 12:00', '2000-01-01', '1999-12-31 23:59:59.999999', '4713-01-01 00:00 BC', '260000-12-31 23:59:59.999999', 'infinity', '-infinity', '2024-03-10 02:30', '0044-03-15 10:11:12.5 BC'],
  timestamptz: ['2024-02-29 12:00+00', '2000-01-01 00:00+00', '1883-11-18 12:00+00', '4713-01-02 00:00+00 BC', '260000-12-31 00:00+00', 'infinity', '-infinity', '2024-03-10 10:30+00', '2024-11-03 06:30+00'],
  interval: ['1 day', '1 mon', '-1 year 2 mons -3 days 04:05:06.7', '0', '100000000 years', '-00:00:00.000001', '36 hours', '31 days', '2147483647 days', '1 mon -1 day', '178000000 years', '1000:00:00.5'],
  point: ['(0,0)', '(1,2)', '(-3.5,1e10)', '(NaN,1)', '(Infinity,0)', '(3,4)'],
  lseg: ['[(0,0),(1,1)]', '[(1,2),(1,2)]', '[(-1,5),(3,-2)]', '[(0,1),(1,0)]'], line: ['{1,-1,0}', '{0,1,2}', '{1,0,-3}', '{2,3,4}'],
  box: ['(1,1),(0,0)', '(2,3),(-1,-1)', '(0,0),(0,0)', '(5,6),(3,3)'], path: ['[(0,0),(1,1),(2,0)]', '((0,0),(4,0),(4,3))', '[(1,1)]'],
  polygon: ['((0,0),(1,1),(1,0))', '((0,0),(4,0),(4,4),(0,4))', '((1,1))'], circle: ['<(0,0),1>', '<(3,4),0>', '<(1,1),2.5>'],
  inet: ['192.168.1.5', '10.0.0.0/8', '::1', 'fe80::1/64', '0.0.0.0/0', '255.255.255.255', '::ffff:1.2.3.4/96'], cidr: ['10.0.0.0/8', '::/0', '192.168.1.0/24', '2001:db8::/32'],
  macaddr: ['08:00:2b:01:02:03', '00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff'], macaddr8: ['08:00:2b:01:02:03:04:05', 'ff:ff:ff:ff:ff:ff:ff:ff', '02:03:04:ff:fe:05:06:07'],
  uuid: ['00000000-0000-0000-0000-000000000000', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  json: ['{}', '[]', 'null', '{"a": 1, "b": [1, 2, {"c": null}], "a": 2}', '"x"', '1.50', '[1, "a", true, null, {"k": "v"}]', ' [ 1 , 2 ] '],
  jsonb: ['{}', '[]', 'null', '{"a": 1, "b": [1, 2, {"c": null}]}', '"x"', '1.50', '[1, "a", true, null, {"k": "v"}]', '{"a": {"b": {"c": [3, 4]}}}', 'true', '"a"', '[[1, 2], [3]]', '-1e5'],
  jsonpath: ['$', '$.a', 'strict $.b[*]', '$[*] ? (@ > 1)', '$.**', '$.a.b.c[last]', '$.b.size()', '$ ? (@.a == 1)', '$[*].k', '$.type()', '$[0 to 1]', '$.keyvalue()', '$.a > 0'],
  tsvector: ["'a':1A 'fat':2B,4C 'cat':5D", '', "'fox' 'dog':3", "'x':1,2,3"], tsquery: ['fat & cat', 'fat <-> cat', '!dog | fox:*', '', 'a:A & (b | c)', "'x' <2> 'y'"],
  int4range: ['[1,5)', 'empty', '(,)', '[3,3]', '(,0)', '[10,)'], int8range: ['[1,5)', 'empty', '(,)', '[-9223372036854775808,0)'], numrange: ['[1.5,2.5]', 'empty', '(,)', '(0,1)', '[1.5,1.5]'],
  daterange: ['[2024-01-01,2024-02-01)', 'empty', '(,2000-01-01]', '[2024-01-15,infinity)'], tsrange: ['[2024-01-01,2024-01-02)', 'empty', '(,)'], tstzrange: ['[2024-01-01 00:00+00,2024-01-02 00:00+00)', 'empty', '(,)'],
  int4multirange: ['{}', '{[1,3),[5,9)}', '{(,)}', '{[2,6)}'], int8multirange: ['{}', '{[1,3),[5,9)}'], nummultirange: ['{}', '{[1.5,2.5],(3,4)}', '{(,0),(1,)}'],
  datemultirange: ['{}', '{[2024-01-01,2024-02-01),[2024-03-01,)}'], tsmultirange: ['{}', '{[2024-01-01,2024-01-02)}'], tstzmultirange: ['{}', '{[2024-01-01 00:00+00,2024-01-02 00:00+00)}'],
  int4_array: ['{}', '{1,2,3}', '{{1,2},{3,4}}', '{NULL,1}', '[0:2]={7,8,9}', '{5}'], text_array: ['{}', '{a,b,NULL}', '{"x y","",q}', '{{a,b},{c,d}}', '{b,abc}'], int8_array: ['{1,2}', '{}'], float8_array: ['{1.5,NaN}', '{}'],
  numeric_array: ['{1.5,2}', '{}'], bool_array: ['{t,f}'], int2_array: ['{1,2}'], date_array: ['{2024-01-01}'], jsonb_array: ['{"1","{}"}'], json_array: ['{"1","{}"}'], oid_array: ['{1,2}'], name_array: ['{a,b}'], char_array: ['{a,b}'],
  xid: ['5', '0'], xid8: ['5', '0'], cid: ['1'], tid: ['(0,1)', '(4294967295,65535)'], pg_lsn: ['0/0', '16/B374D848', 'FFFFFFFF/FFFFFFFF'],
  xml: ['<a/>', '<a b="1">x<c/>y</a>', 'text'], bit_array: ['{1}'], inet_array: ['{1.2.3.4}'], uuid_array: ['{}'], interval_array: ['{1 day}'], timestamp_array: ['{2024-01-01}'], timestamptz_array: ['{2024-01-01 00:00+00}'], regconfig: ['simple', 'english'],
};
/** What texts mean to some functions: formats, patterns, names of units. */
const HINTS: Readonly<Record<string, readonly string[]>> = {
  unit: ['year', 'month', 'day', 'hour', 'minute', 'second', 'microseconds', 'milliseconds', 'week', 'quarter', 'decade', 'century', 'millennium', 'epoch', 'dow', 'isodow', 'doy', 'isoyear', 'julian', 'timezone', 'timezone_hour', 'xyz'],
  dateFormat: ['YYYY-MM-DD HH24:MI:SS.US', 'Day DDth Mon YYYY', 'fmMonth fmDD, YYYY BC', 'IYYY-IW-ID', 'J', 'Q WW W CC', 'HH12:MI AM', 'a.d. YYYYth', 'SSSSS MS FF3', 'TZ OF', 'DDD IDDD', 'RM rm', '"lit"YY Y,YYY', 'FX DY TMDay', 'TZH:TZM'],
  numberFormat: ['999.99', '0009', 'S9,999.9', '9.99EEEE', 'FM999999.999', 'RN', 'L99D9', '99PR', 'MI999', 'SG9G999', '99V99', '999th', 'B99', '.99', 'PL9', '9999999999999999999999999999.9'],
  pattern: ['a', 'a+', '^.*$', '(b)(c)?', '[[:alpha:]]+', '\\d+', '(?i)ABC', '\\y', 'x*', '[^a]', '(a|b)*', '\\m\\w', '(.)\\1', '', '(?:', 'a{2,3}', '\\s', '[a-c]+?'],
  flags: ['', 'g', 'i', 'gi', 'n', 'x', 'c', 'q'],
  zone: ['UTC', 'America/New_York', '+05:30', 'EST', 'Europe/London', 'nowhere', 'PST8PDT', '-3'],
  path: ['{a}', '{b,0}', '{}', '{a,b,c}', '{b,-1}', '{x}', '{0}', '{1,k}'],
  code: ['base64', 'hex', 'escape'], hash: ['md5', 'sha256'], form: ['NFC', 'NFD', 'NFKC', 'nfkd'],
};

interface Callable { readonly name: string; readonly args: readonly string[]; readonly kind: 'f' | 'o' | 'p' | 'c'; readonly result: string }

/** Asks the catalogs for them; `typeName` turns int4[] into int4_array. */
export const CALLABLES = `
  with t as (select t.oid, case when e.oid is not null then case e.typname when 'bpchar' then 'bpchar' else e.typname end || '_array' else t.typname end as n from pg_type t left join pg_type e on e.oid = t.typelem and t.typcategory = 'A' and t.typname like '\\_%')
  select 'f', p.proname::text, (select coalesce(string_agg(t.n, ',' order by i), '') from unnest(p.proargtypes) with ordinality a(o, i) join t on t.oid = a.o), (select n from t where oid = p.prorettype)
    from pg_proc p where p.oid < 16384 and p.prokind = 'f' and p.pronamespace = 11 and (p.provolatile = 'i' or p.provolatile = 's' and p.proname ~ '^(to_|date_|extract|timezone|age|overlaps|concat|format|quote|jsonb?_|array_|timestamp|interval|generate_series|encode|convert|ts_|get_|make_|isfinite|string_to|regexp|row_to|num|inet|network|textanycat|anytextcat)')
      and p.provariadic = 0 and not p.proname ~ '(^pg_|send$|recv$|typmod|_in$|in$|out$|sel$|^bt|hash|^gin|^gist|^spg|^brin|support|^ts_(stat|rewrite|typanalyze|match)|_accum|_combine|_deserialize|_serialize|_inv$|transfn|finalfn|_sortsupport|^in_range|^range_|conv|_to_utf8|utf8_to|^to_reg|^gts|typanalyze|^json_(agg|object_agg)|^jsonb_(agg|object_agg)|_final|_sum$|_avg|query_to|table_to|schema_to|database_to|cursor_to|txid|^xmlvalidate|^current_|^get_|^aclitem|^dist_|ordered_set|^window_|^float[48]_(regr|corr|covar|var|std)|^multirange_(gist)|^prsd|^inet_(client|server)|_?cmp$|^make_interval$|fdw_validator|subdiff|^age$|^txid|^dsimple|^dispell|^dsynonym|^thesaurus|^plainto|fmgr|acl|unknown|to_ascii|_stinv)'
      and not p.proname ~ '^(setseed|repeat|[lr]pad|generate_series|factorial)$'
      and not (p.pronargs > 1 and p.proname in ('bit', 'varbit', 'bpchar', 'varchar'))
  union all
  select 'o', o.oprname::text, (select string_agg(t.n, ',' order by i) from unnest(array[o.oprleft, o.oprright]) with ordinality a(o, i) join t on t.oid = a.o), (select n from t where oid = o.oprresult)
    from pg_operator o join pg_proc p on p.oid = o.oprcode where o.oprleft <> 0 and o.oid < 16384 and p.provolatile <> 'v'
  union all
  select 'p', o.oprname::text, (select n from t where oid = o.oprright), (select n from t where oid = o.oprresult)
    from pg_operator o where o.oprleft = 0 and o.oid < 16384
  union all
  select 'c', (select format_type(c.casttarget, null)), (select n from t where oid = c.castsource), (select n from t where oid = c.casttarget) from pg_cast c where c.oid < 16384
  order by 1, 2, 3, 4`;

const POLYMORPHIC: Readonly<Record<string, readonly string[]>> = {
  anyelement: ['int4', 'text', 'numeric', 'jsonb', 'date'], anyarray: ['int4_array', 'text_array'], anynonarray: ['int4', 'text'], any: ['int4', 'text', 'numeric', 'jsonb', 'int4_array', 'timestamp'],
  anyrange: ['int4range', 'numrange', 'daterange'], anymultirange: ['int4multirange', 'nummultirange'], anycompatible: ['int4', 'text', 'numeric'], anycompatiblearray: ['int4_array', 'text_array'],
  anycompatiblerange: ['int4range', 'numrange'], anycompatiblemultirange: ['int4multirange'], anycompatiblenonarray: ['int4', 'text'], anyenum: [], record: [], cstring: [], internal: [],
};
/** What goes together where several arguments are polymorphic. */
const FAMILIES: readonly Readonly<Record<string, string>>[] = [
  { anyelement: 'int4', anyarray: 'int4_array', anynonarray: 'int4', anyrange: 'int4range', anymultirange: 'int4multirange' },
  { anyelement: 'text', anyarray: 'text_array', anynonarray: 'text', anyrange: 'numrange', anymultirange: 'nummultirange' },
  { anyelement: 'numeric', anyarray: 'numeric_array', anynonarray: 'numeric', anyrange: 'numrange', anymultirange: 'nummultirange' },
  { anyelement: 'date', anyarray: 'date_array', anynonarray: 'date', anyrange: 'daterange', anymultirange: 'datemultirange' },
];

export class Calls {
  private readonly random: (limit: number) => number;
  private readonly callables: readonly Callable[];
  private readonly byResult = new Map<string, Callable[]>();

  /** `rows`: what CALLABLES gave, each with its columns between bars. */
  constructor(random: (limit: number) => number, rows: readonly string[]) {
    this.random = random;
    const callables = rows.map((row): Callable => {
      const [kind, name, args, result] = row.split('|') as [Callable['kind'], string, string, string];
      return { kind, name, args: args === '' ? [] : args.split(','), result };
    });
    this.callables = callables.filter((c) => c.args.every((a) => VALUES[a] !== undefined || (POLYMORPHIC[a]?.length ?? 0) > 0));
    for (const c of this.callables) {
      const list = this.byResult.get(c.result);
      if (list === undefined) this.byResult.set(c.result, [c]);
      else list.push(c);
    }
  }

  private pick<T>(list: readonly T[]): T { return list[this.random(list.length)]!; }

  private typed(text: string, type: string): string {
    const name = type.endsWith('_array') ? `${type.slice(0, -6)}[]` : type === 'char' ? '"char"' : type === 'bit' ? 'varbit' : type;
    return `'${text.replaceAll("'", "''")}'::${name}`;
  }

  private value(type: string, depth: number, hint: string | null): string {
    if (hint !== null && this.random(4) > 0) return this.typed(this.pick(HINTS[hint]!), type === 'text_array' ? 'text_array' : type);
    if (this.random(25) === 0) return `null::${type.endsWith('_array') ? `${type.slice(0, -6)}[]` : type === 'char' ? '"char"' : type === 'bit' ? 'varbit' : type}`;
    const made = this.byResult.get(type);
    if (depth > 0 && made !== undefined && this.random(3) === 0) return this.call(this.pick(made), depth - 1);
    // Casts to bit have a length of one: these are of any.
    return type === 'bit' ? `B'${this.pick(VALUES['bit']!)}'` : this.typed(this.pick(VALUES[type]!), type);
  }

  private hintOf({ name, args }: Callable, i: number): string | null {
    if (args[i] === 'text_array' && /path|#|^jsonb_(set|insert)|delete/.test(name)) return 'path';
    if (args[i] !== 'text') return null;
    if (/^(date_part|date_trunc|extract)$/.test(name) && i === 0) return 'unit';
    if (name === 'to_char' || name === 'to_number') return i === 1 ? (name === 'to_number' || !/timestamp|interval/.test(args[0]!) ? 'numberFormat' : 'dateFormat') : null;
    if (/^to_(date|timestamp)$/.test(name) && i === 1) return 'dateFormat';
    if (/^(regexp_|~|!~)/.test(name)) return i === 1 ? 'pattern' : i > 1 && i === args.length - 1 ? 'flags' : null;
    if (name === 'timezone' && i === 0) return 'zone';
    if (/^(encode|decode)$/.test(name) && i === 1) return 'code';
    if (/normalize/.test(name) && i === 1) return 'form';
    return null;
  }

  private call(c: Callable, depth: number): string {
    const family = this.pick(FAMILIES);
    const list = c.args.map((type, i) => this.value(VALUES[type] !== undefined ? type : family[type] ?? this.pick(POLYMORPHIC[type]!), depth, this.hintOf(c, i)));
    switch (c.kind) {
      case 'f': return `${/^[a-z_0-9]+$/.test(c.name) ? `pg_catalog."${c.name}"` : c.name}(${list.join(', ')})`;
      case 'o': return `(${list[0]} ${c.name} ${list[1]})`;
      case 'p': return `(${c.name} ${list[0]})`;
      case 'c': return `(${list[0]})::${c.name}`;
    }
  }

  statement(): string { return `select ${this.call(this.pick(this.callables), 1)} as x`; }
}
