// Random queries over a few small tables: subqueries that can be merged and such that cannot, joins of all kinds, grouping sets,
// windows, set operations, CTEs, correlated sublinks. Every answer is certain but for the order of its rows, so it is compared as a
// set. They found what no written test had: groups by the wrong column of a subquery.

/** The tables, for both: with NULLs, duplicates, an index, children, partitions. */
export const TABLES = [
  'create table fruit (a int, b int, t text, f bool, g bigint)',
  "insert into fruit select nullif(i % 9, 7), nullif(i % 4, 3), nullif(chr(97 + i % 5), 'e'), nullif(i % 3, 2) = 1, nullif(i % 7, 6) from generate_series(1, 40) i",
  'create table stall (a int primary key, b int, t text, f bool, g bigint)',
  "insert into stall select i, nullif(i % 6, 5), chr(97 + i % 7), i % 2 = 0, nullif(i % 5, 4) from generate_series(1, 12) i",
  'create index on stall (b, t)',
  'create index on fruit (a, t)',
  'create index on stall (g)',
  'create table crate (a int, b int, t text, f bool, g bigint) partition by range (a)',
  'create table crate_low partition of crate for values from (minvalue) to (5)',
  'create table crate_high partition of crate default',
  "insert into crate select nullif(i % 11, 10), i % 3, chr(99 + i % 4), null, i % 8 from generate_series(1, 30) i",
  'create table bowl (a int, b int, t text, f bool, g bigint)',
  'create table glass_bowl (extra int) inherits (bowl)',
  "insert into bowl select i % 4, i, 'b', true, i / 3 from generate_series(1, 8) i",
  "insert into glass_bowl select i, null, chr(96 + i), i = 2, null, i from generate_series(1, 5) i",
  'create view mixed as select a, count(*) as b, max(t) as t, bool_or(f) as f, max(g) as g from fruit group by a',
  'create view plain_view as select a + 1 as a, b, upper(t) as t, f, g - 1 as g from stall where b is not null',
  'create table nothing (a int, b int, t text, f bool, g bigint)',
  'analyze fruit, stall, crate, bowl, nothing',
];
const NAMES = ['fruit', 'fruit', 'stall', 'stall', 'crate', 'bowl', 'mixed', 'plain_view', 'nothing'];

type Type = 'int' | 'big' | 'text' | 'bool';
interface Column { readonly ref: string; readonly type: Type }
interface Source { readonly sql: string; readonly columns: readonly Column[] }

const COLUMNS: readonly [string, Type][] = [['a', 'int'], ['b', 'int'], ['t', 'text'], ['f', 'bool'], ['g', 'big']];
const TYPES: readonly Type[] = ['int', 'int', 'big', 'text', 'bool'];
/** Their numbers are compared with one another: operators of one family, of different types. */
const NUMBERS: readonly Type[] = ['int', 'int', 'big'];

class Queries {
  private readonly random: (limit: number) => number;
  private aliases = 0;
  /** CTEs that may be named here. */
  private ctes: { name: string; columns: readonly [string, Type][] }[] = [];

  constructor(random: (limit: number) => number) {
    this.random = random;
  }

  private pick<T>(list: readonly T[]): T { return list[this.random(list.length)]!; }
  private chance(one: number, of: number): boolean { return this.random(of) < one; }
  private some<T>(count: number, make: (i: number) => T): T[] { return Array.from({ length: count }, (_, i) => make(i)); }

  /** A statement of its own. */
  statement(): string {
    this.aliases = 0;
    this.ctes = [];
    const names = this.some(this.random(3) === 0 ? 1 + this.random(2) : 0, (i) => `w${i}`);
    const list = names.map((name) => {
      const types = this.types();
      const body = this.query(2, types, []);
      this.ctes.push({ name, columns: types.map((type, i) => [`c${i + 1}`, type]) });
      return `${name} as ${this.pick(['', '', 'materialized ', 'not materialized '])}(${body})`;
    });
    const main = this.query(3, this.types(), []);
    return `${list.length > 0 ? `with ${list.join(', ')} ` : ''}${main}`;
  }

  private types(): Type[] { return this.some(1 + this.random(3), () => this.pick(TYPES)); }

  /** A query whose columns c1, c2, ... have these types. */
  private query(depth: number, types: readonly Type[], outer: readonly Column[]): string {
    if (depth > 1 && this.chance(1, 8)) {
      const sides = [this.select(depth - 1, types, outer), this.select(depth - 1, types, outer)];
      return `(${sides.join(`) ${this.pick(['union', 'union all', 'union all', 'intersect', 'except', 'intersect all', 'except all'])} (`)})`;
    }
    if (this.chance(1, 25)) return `values ${this.some(1 + this.random(3), () => `(${types.map((type) => this.cast(this.literal(type), type)).join(', ')})`).join(', ')}`;
    // A row of no table.
    if (this.chance(1, 15)) return `select ${types.map((type, i) => `${this.expr(type, outer, 1, 0)} as c${i + 1}`).join(', ')}${this.chance(1, 4) ? ` where ${this.bool(outer, 1, 0)}` : ''}`;
    return this.select(depth, types, outer);
  }

  private cast(e: string, type: Type): string { return `${e}::${type === 'big' ? 'bigint' : type}`; }

  private select(depth: number, types: readonly Type[], outer: readonly Column[]): string {
    const from = this.from(depth, outer);
    const scope = [...from.columns, ...(outer.length > 0 ? [this.pick(outer)] : [])];
    const where = this.chance(1, 2) ? ` where ${this.bool(scope, 2, depth)}` : '';
    const named = (list: readonly string[]): string => list.map((e, i) => `${e} as c${i + 1}`).join(', ');
    const form = this.random(10);
    if (form < 3) return this.grouped(depth, types, from, where, named);
    if (form === 3) {
      const items = types.map((type) => (type === 'int' && this.chance(2, 3) ? this.window(scope) : this.expr(type, scope, 1, 0)));
      return `select ${named(items)} from ${from.sql}${where}`;
    }
    const items = types.map((type) => this.expr(type, scope, 2, depth));
    const distinct = this.chance(1, 7) ? 'distinct ' : '';
    return `select ${distinct}${named(items)} from ${from.sql}${where}${this.tail(types.length)}`;
  }

  /** Rows that are certain, though cut off. */
  private tail(columns: number): string {
    const all = this.some(columns, (i) => `${i + 1}${this.pick(['', ' desc', ' nulls first'])}`).join(', ');
    switch (this.random(12)) {
      case 0: return ` order by ${all} limit ${1 + this.random(6)}`;
      case 1: return ` order by ${all} offset ${this.random(3)}`;
      case 2: return ' offset 0';
      case 3: return ` order by ${all}`;
      default: return '';
    }
  }

  private grouped(depth: number, types: readonly Type[], from: Source, where: string, named: (list: readonly string[]) => string): string {
    const keys: Column[] = this.some(this.random(4), () => {
      const type = this.pick(TYPES);
      return { ref: this.chance(3, 4) ? this.column(type, from.columns) ?? this.expr(type, from.columns, 1, 0) : this.expr(type, from.columns, 1, 0), type };
    }).filter(({ ref }) => /[a-z]\d*\./.test(ref));
    const by = keys.map(({ ref }) => ref);
    const clause = keys.length === 0 ? '' : ` group by ${keys.length > 1 && this.chance(1, 3)
      ? this.pick([`rollup (${by.join(', ')})`, `cube (${by.join(', ')})`, `grouping sets (${by.map((k) => `(${k})`).join(', ')})`, `grouping sets (${by.join(', ')}, ())`])
      : by.join(', ')}`;
    const plain = keys.filter(({ ref }) => /^\w+\.\w+$/.test(ref));
    const items = types.map((type) => {
      const key = keys.filter((k) => k.type === type);
      if (key.length > 0 && this.chance(1, 2)) return this.pick(key).ref;
      if (plain.length > 0 && this.chance(1, 6)) return this.expr(type, plain, 1, 0);
      return this.aggregate(type, from.columns);
    });
    const having = this.chance(1, 4) ? ` having ${this.aggregate('int', from.columns)} ${this.pick(['>', '<', '<>', '>='])} ${this.random(6)}` : '';
    return `select ${named(items)} from ${from.sql}${where}${clause}${having}${depth > 0 ? this.tail(types.length) : ''}`;
  }

  private aggregate(type: Type, scope: readonly Column[]): string {
    const filter = this.chance(1, 5) ? ` filter (where ${this.bool(scope, 1, 0)})` : '';
    const int = (): string => this.expr('int', scope, 1, 0), text = (): string => this.expr('text', scope, 1, 0), bool = (): string => this.bool(scope, 1, 0);
    switch (type) {
      case 'int': return this.pick([() => 'count(*)', () => `count(${int()})`, () => `count(distinct ${int()})`, () => `sum(${int()})`, () => `max(${int()})`, () => `min(${int()})`,
        () => `count(distinct ${text()})`, () => `sum(distinct ${int()})`])() + filter;
      case 'big': { const big = this.expr('big', scope, 1, 0); return this.pick([`max(${big})`, `min(${big})`, `sum(${int()})`, 'count(*)', `count(distinct ${big})`]) + filter; }
      case 'text': return this.pick([() => `min(${text()})`, () => `max(${text()})`,
        () => { const e = text(); return `string_agg(${e}, '-' order by ${e}${this.pick(['', ' desc'])})`; },
        () => { const e = text(); return `string_agg(distinct ${e}, ',' order by ${e})`; }])() + filter;
      case 'bool': return this.pick([() => `bool_and(${bool()})`, () => `bool_or(${bool()})`, () => `every(${bool()})`])() + filter;
    }
  }

  private window(scope: readonly Column[]): string {
    const keys = this.some(1 + this.random(2), () => this.column(this.pick(TYPES), scope)).filter((k) => k !== null);
    const part = keys.length > 0 && this.chance(1, 2) ? `partition by ${this.pick(keys)} ` : '';
    const order = keys.length > 0 && this.chance(3, 4) ? `order by ${keys.map((k) => k + this.pick(['', ' desc', ' nulls first'])).join(', ')}` : '';
    const over = `over (${part}${order})`;
    const int = this.expr('int', scope, 1, 0);
    return this.pick([`count(*) ${over}`, `sum(${int}) ${over}`, `max(${int}) ${over}`, `count(${int}) ${over}`, `rank() ${over}`, `dense_rank() ${over}`,
      ...(order === '' ? [] : [`sum(${int}) over (${part}${order} groups between 1 preceding and current row)`, `count(*) over (${part}${order} groups between unbounded preceding and 1 following exclude group)`])]);
  }

  // ---- FROM

  private from(depth: number, outer: readonly Column[]): Source {
    let source: Source = this.item(depth, outer, []);
    for (let n = this.random(depth > 1 ? 3 : 2); n > 0; n--) {
      const right = this.item(depth - 1, outer, source.columns);
      const columns = [...source.columns, ...right.columns];
      const kind = right.lateral ? this.pick(['join', 'left join', 'cross join']) : this.pick(['join', 'join', 'left join', 'left join', 'right join', 'full join', 'cross join', ',']);
      if (kind === ',') source = { sql: `${source.sql}, ${right.sql}`, columns };
      else if (kind === 'cross join') source = { sql: `${source.sql} cross join ${right.sql}`, columns };
      else source = { sql: `${source.sql} ${kind} ${right.sql} on ${this.condition(source.columns, right.columns, kind === 'full join')}`, columns };
    }
    return source;
  }

  private condition(left: readonly Column[], right: readonly Column[], onlyEqual: boolean): string {
    for (const type of [this.pick(TYPES), 'int', 'text', 'bool'] as const) {
      const isNumber = NUMBERS.includes(type);
      const a = this.column(type, left), b = this.column(isNumber && this.chance(1, 3) ? this.pick(NUMBERS) : type, right);
      if (a === null || b === null) continue;
      const equal = `${a} = ${b}`;
      if (onlyEqual) return equal;
      switch (this.random(6)) {
        case 0: return `${equal} and ${this.bool(right, 1, 0)}`;
        case 1: return `${equal} and ${this.bool([...left, ...right], 1, 0)}`;
        case 2: return isNumber ? `${a} < ${b}` : equal;
        default: return equal;
      }
    }
    return onlyEqual ? 'true' : this.bool([...left, ...right], 1, 0);
  }

  /** A member of FROM; `lateral`: it looks at what stands before it. */
  private item(depth: number, outer: readonly Column[], before: readonly Column[]): Source & { lateral: boolean } {
    const alias = `r${++this.aliases}`;
    const over = (columns: readonly [string, Type][]): Column[] => columns.map(([name, type]) => ({ ref: `${alias}.${name}`, type }));
    const form = this.random(10);
    if (form < 4 || depth <= 0) return { sql: `${this.pick(NAMES)} ${alias}`, columns: over(COLUMNS), lateral: false };
    if (form === 4 && this.ctes.length > 0) {
      const cte = this.pick(this.ctes);
      return { sql: `${cte.name} ${alias}`, columns: over(cte.columns), lateral: false };
    }
    if (form === 5 && this.chance(1, 4)) return { sql: `abs(${-this.random(4)}) ${alias}(n)`, columns: over([['n', 'int']]), lateral: false };
    if (form === 5) return { sql: `generate_series(${this.random(3)}, ${2 + this.random(4)}) ${alias}(n)`, columns: over([['n', 'int']]), lateral: false };
    const lateral = before.length > 0 && this.chance(1, 4);
    const types = this.types();
    const body = this.query(depth - 1, types, lateral ? before : outer);
    const names = types.map((type, i): [string, Type] => [`x${i}`, type]);
    return { sql: `${lateral ? 'lateral ' : ''}(${body}) ${alias}(${names.map(([name]) => name).join(', ')})`, columns: over(names), lateral };
  }

  // ---- expressions

  private column(type: Type, scope: readonly Column[]): string | null {
    const fit = scope.filter((c) => c.type === type);
    return fit.length === 0 ? null : this.pick(fit).ref;
  }

  private literal(type: Type): string {
    switch (type) {
      case 'int': return this.pick(['0', '1', '2', '3', '5', '8', 'null::int', '-1']);
      case 'big': return this.pick(['0::bigint', '2::bigint', '3::bigint', 'null::bigint', '5000000000']);
      case 'text': return this.pick(["'a'", "'b'", "'c'", "'B'", "''", 'null::text']);
      case 'bool': return this.pick(['true', 'false', 'null::bool']);
    }
  }

  private expr(type: Type, scope: readonly Column[], size: number, depth: number): string {
    if (type === 'bool') return this.chance(1, 3) ? this.column('bool', scope) ?? this.bool(scope, size, depth) : this.bool(scope, size, depth);
    const column = this.column(type, scope);
    if (size === 0 || this.chance(2, 5)) return column !== null && this.chance(9, 10) ? column : this.literal(type);
    const e = (t: Type): string => this.expr(t, scope, size - 1, 0);
    if (depth > 0 && this.chance(1, 8)) return this.scalar(type, scope, depth - 1);
    if (type === 'int') {
      return this.pick([() => `(${e('int')} + ${e('int')})`, () => `(${e('int')} - ${e('int')})`, () => `(${e('int')} * 2)`, () => `coalesce(${e('int')}, ${e('int')})`,
        () => `case when ${this.bool(scope, size - 1, 0)} then ${e('int')} else ${e('int')} end`, () => `length(${e('text')})`, () => `greatest(${e('int')}, ${e('int')})`,
        () => `nullif(${e('int')}, ${e('int')})`, () => `abs(${e('int')})`])();
    }
    if (type === 'big') {
      return this.pick([() => `(${e('big')} + ${e('int')})`, () => `(${e('int')} - ${e('big')})`, () => `coalesce(${e('big')}, ${e('int')})`, () => `${e('int')}::bigint`,
        () => `case when ${this.bool(scope, size - 1, 0)} then ${e('big')} else ${e('int')} end`, () => `least(${e('int')}, ${e('big')})`])();
    }
    return this.pick([() => `(${e('text')} || ${e('text')})`, () => `upper(${e('text')})`, () => `substr(${e('text')}, 1, 2)`, () => `${e('int')}::text`, () => `coalesce(${e('text')}, ${e('text')})`,
      () => `case when ${this.bool(scope, size - 1, 0)} then ${e('text')} else ${e('text')} end`, () => `left(${e('text')}, 1)`])();
  }

  private scalar(type: Type, scope: readonly Column[], depth: number): string {
    const from = this.from(depth, scope);
    return `(select ${this.aggregate(type, from.columns)} from ${from.sql} where ${this.bool([...from.columns, ...(scope.length > 0 ? [this.pick(scope)] : [])], 1, 0)})`;
  }

  private bool(scope: readonly Column[], size: number, depth: number): string {
    const e = (t: Type): string => this.expr(t, scope, size - 1, 0), b = (): string => this.bool(scope, size - 1, 0);
    const leaf = (): string => {
      switch (this.random(7)) {
        case 0: return `${this.expr(this.pick(TYPES), scope, 0, 0)} is ${this.pick(['', 'not '])}null`;
        case 1: return this.column('bool', scope) ?? 'true';
        case 2: return `${this.expr('text', scope, 0, 0)} ${this.pick(['=', '<', '<>', '>='])} ${this.expr('text', scope, 0, 0)}`;
        default: return `${this.expr(this.pick(NUMBERS), scope, 0, 0)} ${this.pick(['=', '=', '<', '<>', '>=', '>'])} ${this.expr(this.pick(NUMBERS), scope, 0, 0)}`;
      }
    };
    if (size <= 0) return leaf();
    if (depth > 0 && scope.length > 0 && this.chance(1, 3)) {
      const types = [this.pick(TYPES)] as const;
      const sub = (): string => this.query(depth - 1, types, this.chance(1, 2) ? scope : []);
      const operand = this.expr(NUMBERS.includes(types[0]) ? this.pick(NUMBERS) : types[0], scope, 0, 0);
      switch (this.random(5)) {
        case 0: return `exists (${sub()})`;
        case 1: return `not exists (${sub()})`;
        case 2: return `${operand} in (${sub()})`;
        case 3: return `${operand} not in (${sub()})`;
        default: return `${operand} ${this.pick(['=', '<', '>='])} ${this.pick(['any', 'all'])} (${sub()})`;
      }
    }
    switch (this.random(10)) {
      case 9: return `(${e('int')}, ${e('text')}) ${this.pick(['=', '<', '<>', '>=', '>', '<='])} (${e('int')}, ${e('text')})`;
      case 0: return `(${b()} and ${b()})`;
      case 1: return `(${b()} or ${b()})`;
      case 2: return `not (${b()})`;
      case 3: return `${e(this.pick(NUMBERS))} in (${this.literal('int')}, ${e(this.pick(NUMBERS))})`;
      case 4: return `${e('int')} between ${e('int')} and ${e(this.pick(NUMBERS))}`;
      case 5: return `${e('text')} like ${this.pick(["'a%'", "'%b'", "'_'"])}`;
      case 6: return `${e('int')} is distinct from ${e('int')}`;
      default: return leaf();
    }
  }
}

/** `random(n)`: below n. */
export function queries(random: (limit: number) => number, count: number): string[] {
  const made = new Queries(random);
  return Array.from({ length: count }, () => made.statement());
}

const STRINGS = ['a', 'b', 'abc', '', '2020-01-01', '2021-06-15', '1', 't', 'zz%', 'v'];
/** The same query with other literals, most of them of the same kind: a plan kept for the one must not be used for the other where it does not hold. */
export function withOtherLiterals(query: string, random: (limit: number) => number): string {
  return query.replace(/'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b/g, (literal) => {
    if (random(3) === 0) return literal;
    if (!literal.startsWith('\'')) return literal.includes('.') ? `${random(50)}.${random(99)}` : String(Math.max(0, Number(literal) + random(7) - 3));
    if (random(4) === 0) return `'${STRINGS[random(STRINGS.length)]!}'`;
    return literal.replace(/[0-9a-z](?=')/, (last) => (/\d/.test(last) ? String(random(10)) : String.fromCharCode(97 + random(26))));
  });
}
