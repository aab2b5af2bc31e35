// Random changes of random tables: each world is a few small tables with constraints, foreign keys, partitions, children, views,
// rules and triggers, and statements that change them. Every answer is certain but for the order of rows: statements that change many
// rows set what is unique to constants or far away, joins for UPDATE and MERGE are to the key of an unchanging table, and what may fail
// in two ways, depending on the row that comes first, is `loose`. What triggers tell is kept in a table and compared as a set.

export interface Change {
  readonly sql: string;
  /** Which error comes first depends on the order of rows: any of its class will do. */
  readonly loose?: boolean;
  /** What COPY FROM STDIN is sent. */
  readonly data?: string;
}

type Type = 'int' | 'text' | 'bool' | 'numeric' | 'timestamptz' | 'int[]' | 'pair' | 'jsonb' | 'mood' | 'small';
interface Column {
  readonly name: string;
  readonly type: Type;
  /** Part of something unique: many rows may not be moved about in it. */
  unique?: boolean;
  /** GENERATED ... AS (expression). */
  readonly generated?: boolean;
  readonly identity?: 'always' | 'by default';
}
interface Target {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly view: boolean;
  /** What ON CONFLICT may name. */
  readonly arbiters: string[];
  readonly partitioned?: boolean;
  /** Foreign keys may name its id. */
  readonly referable?: boolean;
  /** It has foreign keys, whose actions rules would change. */
  readonly refers?: boolean;
}
interface Ref { readonly ref: string; readonly type: Type }

const EXTRA: readonly Type[] = ['bool', 'numeric', 'timestamptz', 'int[]', 'pair', 'jsonb', 'mood', 'small'];
const ACTIONS = ['', ' on delete cascade', ' on delete set null', ' on delete set default', ' on delete restrict', ' on update cascade', ' on update set null',
  ' on delete cascade on update cascade', ' on delete set null on update cascade', ' on delete cascade on update set default', ' on update restrict', ' on delete set null on update set null'];
const DEFERRING = ['', '', ' deferrable', ' deferrable initially deferred'];

class World {
  private readonly random: (limit: number) => number;
  private readonly targets: Target[] = [];
  private readonly list: Change[] = [];
  private readonly deferrable: string[] = [];
  private moves = 0;

  constructor(random: (limit: number) => number) {
    this.random = random;
  }

  private pick<T>(list: readonly T[]): T { return list[this.random(list.length)]!; }
  private chance(one: number, of: number): boolean { return this.random(of) < one; }
  private some<T>(count: number, make: (i: number) => T): T[] { return Array.from({ length: count }, (_, i) => make(i)); }
  private subset<T>(list: readonly T[], one: number, of: number): T[] { return list.filter(() => this.chance(one, of)); }
  private add(sql: string, more: { loose?: boolean; data?: string } = {}): void { this.list.push({ sql, ...more }); }

  make(statements: number): Change[] {
    for (const sql of ["create type mood as enum ('sad', 'so', 'happy')", 'create type pair as (x int, y text)',
      `create domain small as int ${this.pick(['', 'default 7 '])}check (value between -20 and 20)${this.pick(['', ' check (value <> 13)'])}`,
      'create table log (n int generated always as identity, who text, what text)',
      'create table src (id int primary key, a int, b int, t text)',
      "insert into src select i, nullif(i % 5, 4), nullif(i * 3 % 7, 6), chr(96 + i) from generate_series(1, 10) i",
      `create function tell() returns trigger language plpgsql as $$ begin
        insert into log (who, what) values (tg_name, concat_ws(' ', tg_table_name, tg_when, tg_level, tg_op, case when tg_op <> 'INSERT' and tg_level = 'ROW' then old::text end, case when tg_op <> 'DELETE' and tg_level = 'ROW' then new::text end));
        return case when tg_op = 'DELETE' then old else new end; end $$`,
      `create function mend() returns trigger language plpgsql as $$ begin
        if tg_op = 'DELETE' then return case when old.b = 2 then null else old end; end if;
        if new.b = 5 then return null; end if;
        new.t := coalesce(new.t, '') || tg_argv[0];
        if new.b = 4 then new.a := new.a + 1; end if;
        return new; end $$`,
      `create function tell_old() returns trigger language plpgsql as $$ begin
        insert into log (who, what) select tg_name, concat_ws(' ', tg_table_name, tg_op, 'old', o::text) from o; return null; end $$`,
      `create function tell_new() returns trigger language plpgsql as $$ begin
        insert into log (who, what) select tg_name, concat_ws(' ', tg_table_name, tg_op, 'new', o::text) from o; return null; end $$`,
      `create function tell_both() returns trigger language plpgsql as $$ begin
        insert into log (who, what) select tg_name, concat_ws(' ', count(*), sum(x), max(s)) from (select 1 as x, o::text as s from o union all select 10, n::text from n) both_of_them; return null; end $$`,
    ]) this.add(sql);
    const tables = 2 + this.random(2);
    for (let i = 0; i < tables; i++) this.table(`t${i}`, i);
    for (let i = this.random(3); i > 0; i--) this.view(`v${i}`);
    for (const target of this.targets.slice(0, tables)) {
      for (let n = this.random(3); n > 0; n--) this.trigger(target, n);
    }
    const free = this.targets.filter(({ refers }) => refers !== true);
    if (free.length > 0 && this.chance(1, 5)) this.rule(this.pick(free));
    for (const target of this.targets.slice(0, tables)) {
      for (let i = 0; i < 3; i++) this.add(this.insert(target, false));
    }
    this.check();
    for (let i = 0; i < statements; i++) {
      if (this.chance(1, 6)) this.block();
      else this.one();
      if (this.chance(1, 4)) this.check();
    }
    this.check();
    return this.list;
  }

  private check(): void {
    for (const { name, view } of this.targets) this.add(`select ${view ? '' : 'tableoid::regclass, '}* from ${name}`);
    this.add('select who, what from log');
    this.add('delete from log');
  }

  // ---- definitions

  private table(name: string, number: number): void {
    const kind = this.random(4);
    const partitioned = kind === 0, children = kind === 1 && this.chance(1, 2);
    const key = partitioned ? this.pick(['a', 'a', 'id', 't']) : '';
    const extras = this.some(1 + this.random(3), () => this.pick(EXTRA)).filter((type, i, all) => all.indexOf(type) === i);
    const identity = this.chance(1, 4) && !partitioned ? this.pick(['always', 'by default'] as const) : undefined;
    const columns: Column[] = [
      { name: 'id', type: 'int', unique: true, ...(identity && { identity }) },
      { name: 'a', type: 'int' }, { name: 'b', type: 'int' }, { name: 't', type: 'text' },
      ...extras.map((type, i): Column => ({ name: `x${i}`, type })),
      ...(this.chance(1, 3) ? [{ name: 'g', type: 'int', generated: true } as Column] : []),
    ];
    if (this.chance(1, 4)) columns.splice(1, 3, ...[...columns.slice(1, 4)].reverse());
    const parts = columns.map((c) => {
      let text = `${c.name} ${c.type}`;
      if (c.identity) text += ` generated ${c.identity} as identity${this.pick(['', ' (start with 5)', ' (increment by 2)'])}`;
      else if (c.generated) text += ` generated always as (${this.pick(['a + 1', 'coalesce(a, 0) * 2 + coalesce(b, 0)', 'length(t)'])}) stored`;
      else if (c.name === 'id') text += this.pick(['', ' default 99', ' not null']);
      else if (this.chance(1, 4)) text += ` default ${this.literal(c.type, true)}`;
      if (this.chance(1, 10) && c.name !== 'id' && !c.generated) text += ' not null';
      if (this.chance(1, 8) && c.type === 'int' && c.name !== 'id') text += ` check (${c.name} ${this.pick(['< 8', '<> 3', '> -5', 'is not null'])})`;
      return text;
    });
    const arbiters: string[] = [], defer: string[] = [];
    const unique = (names: readonly string[]): void => { for (const c of columns) if (names.includes(c.name)) c.unique = true; };
    const withKey = (list: string[]): string[] => (partitioned && !list.includes(key) ? [...list, key] : list);
    const primary = withKey(['id']);
    const pk = this.chance(partitioned ? 3 : 7, partitioned ? 5 : 8);
    let referable = false;
    if (pk) {
      const how = this.chance(1, 6) ? this.pick(DEFERRING) : '';
      referable = how === '';
      parts.push(`constraint ${name}_pk primary key (${primary.join(', ')})${how}`);
      unique(how === '' ? primary : []);
      if (how !== '') defer.push(`${name}_pk`);
      arbiters.push(`(${primary.join(', ')})`, `on constraint ${name}_pk`);
    }
    if (this.chance(1, 4)) {
      const list = withKey(this.pick([['a', 'b'], ['b'], ['t'], ['b', 't']]));
      const how = this.pick(DEFERRING);
      parts.push(`constraint ${name}_u unique ${this.chance(1, 5) ? 'nulls not distinct ' : ''}(${list.join(', ')})${how}`);
      unique(how === '' ? list : []);
      if (how !== '') defer.push(`${name}_u`);
      arbiters.push(`(${list.join(', ')})`, `on constraint ${name}_u`);
    }
    if (this.chance(1, 5)) parts.push(`constraint ${name}_c check (${this.pick(['a is null or b is null or a + b < 15', "t <> 'zz'", 'a <= 10 or b > 2', 'id > -5000 and a <> 6'])})`);
    if (this.chance(1, 8) && !partitioned) {
      parts.push(`constraint ${name}_x exclude using gist (int4range(a, a + 2) with &&)${this.pick(['', ' where (b > 3)', ' deferrable initially deferred'])}`);
      unique(['a', 'b']);
      arbiters.push(`on constraint ${name}_x`);
    }
    // Foreign keys, to a table before or to itself.
    let refers = false;
    const keyed = this.targets.filter((target) => target.referable);
    if (keyed.length > 0 && this.chance(3, 4)) {
      const how = this.pick(DEFERRING);
      refers = true;
      parts.push(`constraint ${name}_f foreign key (${this.pick(['a', 'b'])}) references ${this.pick(keyed).name} (id)${this.pick(ACTIONS)}${how}`);
      if (how !== '') defer.push(`${name}_f`);
    }
    if (referable && !partitioned && this.chance(1, 6)) {
      const how = this.pick(DEFERRING);
      refers = true;
      parts.push(`constraint ${name}_s foreign key (b) references ${name} (id)${this.pick(ACTIONS)}${how}`);
      if (how !== '') defer.push(`${name}_s`);
    }
    const strategy = this.pick(['list', 'range', 'hash']);
    this.add(`create table ${name} (${parts.join(', ')})${partitioned ? ` partition by ${strategy} (${key})` : ''}`);
    this.deferrable.push(...defer);
    if (partitioned) this.partitions(name, strategy, key, arbiters.length > 0);
    if (children) {
      this.add(`create table ${name}_child (extra int default 3) inherits (${name})`);
      if (this.chance(1, 2)) this.add(`create unique index on ${name}_child (id)`);
      this.add(`insert into ${name}_child (id, a, b, t) ${this.pick(['', 'overriding system value '])}values (20, 1, 2, 'ch'), (21, null, 3, 'c2')`);
    }
    if (this.chance(1, 4) && !partitioned) {
      const where = this.pick(['b > 2', 'a is not null', "t < 'd'"]);
      this.add(`create unique index ${name}_p on ${name} (${this.pick(['a', 'a, t'])}) where ${where}`);
      unique(['a', 'b', 't']);
      arbiters.push(`(a) where ${where}`, `(a, t) where ${where}`);
    }
    if (this.chance(1, 5) && !partitioned) {
      this.add(`create unique index ${name}_e on ${name} (${this.pick(['lower(t)', '(a + b)', 'lower(t), a'])})`);
      unique(['a', 'b', 't']);
      arbiters.push('(lower(t))', '((a + b))', '(lower(t), a)');
    }
    if (this.chance(1, 3)) this.add(`create index on ${name} (${this.pick(['a', 'b, t', 't desc', 'abs(b)'])})`);
    this.targets.push({ name, columns, view: false, arbiters, partitioned, referable: referable && primary.length === 1, refers });
    if (number === 0 && this.chance(1, 6)) this.add(`alter table ${name} add column late int default 5${this.pick(['', ' not null'])}`);
  }

  private partitions(name: string, strategy: string, key: string, keyed: boolean): void {
    const text = key === 't', v = (n: number): string => (text ? `'${String.fromCharCode(97 + n)}'` : String(n));
    const own = !keyed && this.chance(1, 2) ? ` partition by ${this.pick(['list (b)', 'range (b)', 'hash (b)'])}` : '';
    const tree = (part: string, bound: string, sub: boolean): void => {
      this.add(`create table ${part} partition of ${name} ${bound}${sub ? own : ''}`);
      if (!sub || own === '') return;
      if (own.includes('list')) this.add(`create table ${part}_s1 partition of ${part} for values in (1, 2, 3, null)`);
      else if (own.includes('range')) this.add(`create table ${part}_s1 partition of ${part} for values from (0) to (4)`);
      else this.add(`create table ${part}_s1 partition of ${part} for values with (modulus 2, remainder 0)`);
      if (!own.includes('hash') && this.chance(2, 3)) this.add(`create table ${part}_s2 partition of ${part} default`);
      else if (own.includes('hash')) this.add(`create table ${part}_s2 partition of ${part} for values with (modulus 2, remainder 1)`);
    };
    if (strategy === 'list') {
      tree(`${name}_1`, `for values in (${v(1)}, ${v(2)}, ${v(3)})`, this.chance(1, 2));
      tree(`${name}_2`, `for values in (${v(0)}, ${v(4)}${this.chance(1, 2) ? ', null' : ''})`, false);
    } else if (strategy === 'range') {
      tree(`${name}_1`, `for values from (${this.chance(1, 2) ? 'minvalue' : v(0)}) to (${v(3)})`, this.chance(1, 2));
      tree(`${name}_2`, `for values from (${v(3)}) to (${v(7)})`, false);
    } else {
      for (let i = 0; i < 3; i++) tree(`${name}_${i + 1}`, `for values with (modulus 3, remainder ${i})`, i === 0);
    }
    if (strategy !== 'hash' && this.chance(2, 3)) {
      this.add(`create table ${name}_d partition of ${name} default`);
    }
  }

  private view(name: string): void {
    const base = this.pick(this.targets);
    const form = this.random(6);
    const where = this.pick(['', ` where ${this.bool(this.refs(base, ''), 1)}`, ' where b > 1', ' where a is not null']);
    const options = this.chance(1, 4) ? ' with (security_barrier)' : '';
    const check = where !== '' && form !== 0 ? this.pick(['', ' with check option', ' with local check option', ' with cascaded check option']) : '';
    if (form === 0) {
      this.add(`create view ${name} as select id, a, b, t from ${base.name} where b > 0 union all select id, a, b, t from src where id > 8`);
      this.add(`create function ${name}_does() returns trigger language plpgsql as $$ begin
        insert into log (who, what) values (tg_name, concat_ws(' ', tg_op, case when tg_op <> 'INSERT' then old::text end, case when tg_op <> 'DELETE' then new::text end));
        if tg_op = 'INSERT' then insert into ${base.name} (id, a, b, t) values (new.id, new.a, new.b, new.t); ${this.pick(['', 'new.t := upper(new.t); '])}return new;
        elsif tg_op = 'UPDATE' then update ${base.name} set a = new.a, b = new.b where id = old.id; return case when new.a = 1 then null else new end;
        else delete from ${base.name} where id = old.id; if not found then return null; end if; return old; end if; end $$`);
      this.add(`create trigger ${name}_does instead of insert or update or delete on ${name} for each row execute function ${name}_does()`);
      this.targets.push({ name, view: true, arbiters: [], columns: [{ name: 'id', type: 'int', unique: true }, { name: 'a', type: 'int', unique: true }, { name: 'b', type: 'int', unique: true }, { name: 't', type: 'text', unique: true }] });
      return;
    }
    const columns = base.columns.filter((c) => ['id', 'a', 'b', 't'].includes(c.name) || this.chance(2, 3));
    if (this.chance(1, 4)) columns.reverse();
    const more = this.chance(1, 4) ? `, ${this.pick(['a + b', 'upper(t)', '17'])} as made` : '';
    this.add(`create view ${name}${options} as select ${columns.map((c) => c.name).join(', ')}${more} from ${base.name}${where}${check}`);
    if (this.chance(1, 4)) this.add(`alter view ${name} alter b set default ${this.literal('int', true)}`);
    this.targets.push({ name, columns, view: true, arbiters: base.arbiters });
  }

  private trigger({ name, partitioned }: Target, number: number): void {
    const ops = this.pick(['insert', 'update', 'delete', 'insert or update', 'insert or update or delete', 'update of a', 'insert or update of b, t', 'update or delete']);
    const t = `${name}_${this.pick(['a', 'm', 'z'])}${number}`;
    switch (this.random(6)) {
      case 0:
        this.add(`create trigger ${t} before ${ops} on ${name} for each row ${this.when(ops)}execute function mend('${this.pick(['!', '', '?'])}')`);
        break;
      case 1:
        this.add(`create trigger ${t} before ${ops} on ${name} for each row ${this.when(ops)}execute function tell()`);
        break;
      case 2:
        this.add(`create trigger ${t} after ${ops} on ${name} for each row ${this.when(ops)}execute function tell()`);
        break;
      case 3:
        this.add(`create trigger ${t} ${this.pick(['before', 'after'])} ${ops}${this.chance(1, 4) ? ' or truncate' : ''} on ${name} execute function tell()`);
        break;
      case 4: {
        const [op, way] = this.pick([['insert', 'new'], ['update', 'new'], ['update', 'old'], ['delete', 'old'], ['update', 'both']] as const);
        const tables = way === 'both' ? 'old table as o new table as n' : `${way} table as o`;
        this.add(`create trigger ${t} after ${op} on ${name} referencing ${tables} for each ${!partitioned && this.chance(1, 4) ? 'row' : 'statement'} execute function tell_${way}()`);
        break;
      }
      default:
        this.add(`create constraint trigger ${t} after ${ops} on ${name} ${this.pick(['', 'deferrable ', 'deferrable initially deferred '])}for each row ${this.when(ops)}execute function tell()`);
    }
  }

  private when(ops: string): string {
    if (!this.chance(1, 3)) return '';
    if (ops.startsWith('update') && !ops.includes('delete')) return this.pick(['when (old.* is distinct from new.*) ', 'when (old.a <> new.a) ', 'when (new.b > 2) ']);
    if (ops.startsWith('insert') && !ops.includes('delete')) return 'when (new.a < 4) ';
    return ops === 'delete' ? 'when (old.a < 4) ' : '';
  }

  private rule({ name, view }: Target): void {
    const op = this.pick(['insert', 'update', 'delete']);
    const row = op === 'delete' ? 'old' : 'new';
    const log = `insert into log (who, what) values ('rule', concat_ws(' ', ${row}.a, ${row}.t))`;
    switch (this.random(4)) {
      case 0: this.add(`create rule r as on ${op} to ${name} where ${row}.b = 3 do instead nothing`); break;
      case 1: this.add(`create rule r as on ${op} to ${name} where ${row}.b > 2 do instead ${log}`); break;
      case 2: this.add(`create rule r as on ${op} to ${name} do instead ${view ? log : `(${log}; delete from ${name} where b = ${row}.b)`}`); break;
      default: this.add(`create rule r as on ${op} to ${name} do also ${log}`);
    }
  }

  // ---- statements

  private one(): void {
    const target = this.pick(this.targets);
    const form = this.random(24);
    if (form < 7) this.add(this.insert(target, true));
    else if (form < 12) this.update(target);
    else if (form < 14) this.delete(target);
    else if (form < 18) this.merge(target);
    else if (form < 20) this.cte();
    else if (form === 20) this.add(`select ${this.pick(['id', 'a, b'])} from ${target.name} where ${this.where(target, target.name)} for ${this.pick(['update', 'no key update', 'share', 'key share'])}`);
    else if (form === 21) this.copy(target);
    else if (form === 22 && !target.view && this.chance(1, 3)) this.add(`truncate ${target.name}${this.pick(['', ' cascade', ' restart identity cascade'])}`);
    else this.add(this.insert(target, true));
  }

  private block(): void {
    this.add('begin');
    for (let n = 1 + this.random(5); n > 0; n--) {
      const form = this.random(8);
      if (form === 0) this.add(`set constraints ${this.chance(1, 2) || this.deferrable.length === 0 ? 'all' : this.pick(this.deferrable)} ${this.pick(['immediate', 'deferred'])}`);
      else if (form === 1) this.cursor();
      else if (form < 6) {
        this.add('savepoint s');
        this.one();
        this.add(this.pick(['rollback to s', 'release s', 'release s', 'savepoint s']));
      } else this.one();
    }
    if (this.chance(1, 4)) this.check();
    this.add(this.pick(['commit', 'commit', 'commit', 'rollback']));
  }

  private cursor(): void {
    const target = this.pick(this.targets.filter(({ view }) => !view));
    this.add(`declare k cursor for select * from ${target.name} where id is not null order by id, a, b, t${this.pick([' for update', ' for no key update'])}`);
    this.add('fetch 2 from k');
    if (this.chance(1, 2)) this.add(`update ${target.name} set ${this.assignments(target, this.refs(target, ''), true)} where current of k`);
    else this.add(`delete from ${target.name} where current of k returning *`);
    this.add('fetch 1 from k');
    this.add('close k');
  }

  private refs(target: Target, alias: string): Ref[] {
    return target.columns.map(({ name, type }) => ({ ref: alias === '' ? name : `${alias}.${name}`, type }));
  }
  private SRC(alias: string): Ref[] {
    return [{ ref: `${alias}.id`, type: 'int' }, { ref: `${alias}.a`, type: 'int' }, { ref: `${alias}.b`, type: 'int' }, { ref: `${alias}.t`, type: 'text' }];
  }

  private returning(target: Target, alias: string, more: readonly Ref[] = []): string {
    if (this.chance(1, 2)) return '';
    const refs = [...this.refs(target, alias), ...more];
    if (this.chance(1, 3)) return ` returning ${alias === '' ? '*' : `${alias}.*`}${target.view || !this.chance(1, 3) ? '' : `, ${alias === '' ? '' : `${alias}.`}tableoid::regclass`}`;
    return ` returning ${this.some(1 + this.random(3), (i) => `${this.expr(this.pick(refs).type, refs, 1)} as r${i}`).join(', ')}`;
  }

  private columnsToSet(target: Target): Column[] {
    const must = target.columns.filter((c) => c.name === 'id' && (c.identity === undefined || this.chance(1, 5)) && this.chance(14, 15));
    return [...must, ...target.columns.filter((c) => c.name !== 'id' && (!c.generated || this.chance(1, 15)) && this.chance(4, 5))];
  }

  private insert(target: Target, conflicts: boolean, deep = true): string {
    const columns = this.columnsToSet(target);
    if (columns.length === 0 || this.chance(1, 25)) return `insert into ${target.name} default values${this.returning(target, '')}`;
    const alias = this.chance(1, 3) ? 'me' : '';
    const override = target.columns.some((c) => c.identity) && this.chance(1, 3) ? this.pick(['overriding system value ', 'overriding user value ']) : '';
    const into = `insert into ${target.name}${alias === '' ? '' : ` as ${alias}`} (${columns.map((c) => c.name).join(', ')}) ${override}`;
    let source: string;
    if (deep && this.chance(1, 4)) {
      const refs = this.SRC('s');
      const items = columns.map((c) => (c.name === 'id' && this.chance(3, 4) ? this.pick(['s.id', 's.id + 10', 's.id']) : this.expr(c.type, refs, 1)));
      // Of rows that come after one that fails, numbers may have been taken or not.
      const numbered = target.columns.some((c) => c.identity);
      source = `select ${items.join(', ')} from src s where ${numbered ? `s.id = ${1 + this.random(10)}` : this.pick(['s.id < 4', 's.id > 7', 's.a = 2', 's.id between 3 and 6', this.bool(refs, 1)])} order by s.id`;
    } else {
      const rows = this.pick([1, 1, 2, 3]);
      source = `values ${this.some(rows, () => `(${columns.map((c) => (this.chance(1, 12) ? 'default' : this.literal(c.type))).join(', ')})`).join(', ')}`;
    }
    return into + source + (conflicts && this.chance(1, 2) ? this.conflict(target, alias) : '') + this.returning(target, alias);
  }

  private conflict(target: Target, alias: string): string {
    const arbiter = target.arbiters.length > 0 && this.chance(9, 10) ? ` ${this.pick(target.arbiters)}` : '';
    if (this.chance(1, 3)) return ` on conflict${arbiter} do nothing`;
    const refs = [...this.refs(target, alias === '' ? target.name : alias), ...this.refs(target, 'excluded')];
    return ` on conflict${arbiter === '' && this.chance(9, 10) ? ' (id)' : arbiter} do update set ${this.assignments(target, refs, true)}${this.chance(1, 3) ? ` where ${this.bool(refs, 1)}` : ''}`;
  }

  /** What SET says; `single`: one row is changed, anything may be set. */
  private assignments(target: Target, refs: readonly Ref[], single: boolean, merge = false): string {
    const columns = this.subset(target.columns.filter((c) => !c.generated || this.chance(1, 20)), 1, 3);
    if (columns.length === 0) columns.push(target.columns.find((c) => c.name === 'b')!);
    const value = (c: Column): string => {
      if (this.chance(1, 15) && (single || c.identity === undefined)) return 'default';
      if (single || !c.unique) return this.expr(c.type, refs, 1);
      if (c.name === 'id') return `${refs.find(({ ref }) => /(^|\.)id$/.test(ref))!.ref} + ${1000 * ++this.moves}`;
      return this.literal(c.type);
    };
    const parts: string[] = [];
    const rest = [...columns];
    if (rest.length > 1 && this.chance(1, 5)) {
      const two = rest.splice(0, 2);
      const sub = single && !merge && this.chance(1, 2);
      parts.push(`(${two.map((c) => c.name).join(', ')}) = ${sub ? `(select ${two.map((c) => this.expr(c.type, [...this.SRC('z')], 1)).join(', ')} from src z where z.id = ${1 + this.random(11)})`
        : `${this.pick(['', 'row '])}(${two.map(value).join(', ')})`}`);
    }
    for (const c of rest) {
      if (c.type === 'int[]' && !c.unique && this.chance(1, 2)) {
        parts.push(this.chance(1, 2) ? `${c.name}[${1 + this.random(3)}] = ${this.expr('int', refs, 1)}` : `${c.name}[1:2] = ${this.pick(["'{7,8}'", "array[a, b]"])}`);
      } else if (c.type === 'pair' && !c.unique && this.chance(1, 2)) parts.push(this.chance(1, 2) ? `${c.name}.x = ${this.expr('int', refs, 1)}, ${c.name}.y = ${this.expr('text', refs, 1)}` : `${c.name}.y = ${this.expr('text', refs, 1)}`);
      else if (c.type === 'jsonb' && this.chance(1, 2)) parts.push(`${c.name}['k'] = ${this.pick(["'5'", "'\"v\"'", 'null', "'{}'"])}`);
      else parts.push(`${c.name} = ${value(c)}`);
    }
    return parts.join(', ');
  }

  private where(target: Target, alias: string): string {
    const refs = this.refs(target, alias);
    return this.chance(1, 3) ? `${alias}.id = ${1 + this.random(9)}` : this.bool(refs, 2);
  }

  private update(target: Target): void {
    const only = !target.view && this.chance(1, 12) ? 'only ' : '';
    const single = this.chance(1, 3);
    if (this.chance(1, 3)) {
      const refs = this.refs(target, 'me'), all = [...refs, ...this.SRC('s')];
      const set = this.assignments(target, all, false);
      this.add(`update ${only}${target.name} me set ${set} from src s where s.id = me.${this.pick(['id', 'a', 'b'])}${this.chance(1, 2) ? ` and ${this.bool(all, 1)}` : ''}${this.returning(target, 'me', this.SRC('s'))}`, { loose: true });
      return;
    }
    const refs = this.refs(target, target.name);
    const set = this.assignments(target, refs, single);
    this.add(`update ${only}${target.name} set ${set} where ${single ? `${target.name}.id = ${1 + this.random(9)}` : this.where(target, target.name)}${this.returning(target, '')}`, { loose: true });
  }

  private delete(target: Target): void {
    if (this.chance(1, 3)) {
      const all = [...this.refs(target, 'me'), ...this.SRC('s')];
      this.add(`delete from ${target.name} me using src s where s.id = me.${this.pick(['id', 'a', 'b'])} and ${this.bool(all, 1)}${this.returning(target, 'me', this.SRC('s'))}`, { loose: true });
    } else this.add(`delete from ${target.name} where ${this.where(target, target.name)}${this.returning(target, '')}`, { loose: true });
  }

  private merge(target: Target): void {
    const refs = this.refs(target, 'me'), src = this.SRC('s');
    const source = this.pick(['src s', 'src s', '(select * from src where id < 6) s', "(values (1, 2, 3, 'm'), (2, null, 1, 'n'), (30, 4, 4, 'o')) s (id, a, b, t)"]);
    let matched = true, missing = true;
    const when = this.some(1 + this.random(4), () => {
      if (matched && (!missing || this.chance(1, 2))) {
        matched = this.chance(3, 4);
        const condition = matched ? ` and ${this.bool([...refs, ...src], 1)}` : '';
        return `when matched${condition} then ${this.pick([() => 'delete', () => 'do nothing', () => `update set ${this.assignments(target, [...refs, ...src], false, true)}`, () => `update set ${this.assignments(target, [...refs, ...src], false, true)}`])()}`;
      }
      if (!missing) return '';
      missing = this.chance(3, 4);
      const condition = missing ? ` and ${this.bool(src, 1)}` : '';
      const columns = this.columnsToSet(target);
      if (columns[0]?.name !== 'id' || this.chance(1, 6)) return `when not matched${condition} then ${target.columns.some((c) => c.identity) ? 'do nothing' : this.pick(['do nothing', 'insert default values'])}`;
      return `when not matched${condition} then insert (${columns.map((c) => c.name).join(', ')}) ${target.columns.some((c) => c.identity) ? 'overriding system value ' : ''}values (${columns.map((c) => (c.name === 'id' ? 's.id + 40' : this.chance(1, 12) ? 'default' : c.unique ? this.literal(c.type) : this.expr(c.type, src, 1))).join(', ')})`;
    });
    this.add(`merge into ${target.name} me using ${source} on s.id = me.${this.pick(['id', 'id', 'a'])}${this.chance(1, 4) ? ` and ${this.bool([...refs, ...src], 1)}` : ''} ${when.join(' ')}`, { loose: true });
  }

  private cte(): void {
    const first = this.pick(this.targets), second = this.pick(this.targets.filter((other) => other !== first));
    const body = this.pick([
      () => `${this.insert(first, true).replace(/ returning .*$/, '')} returning id, a, b, t`,
      () => `update ${first.name} set b = ${this.literal('int')} where ${this.where(first, first.name)} returning id, a, b, t`,
      () => `delete from ${first.name} where ${this.where(first, first.name)} returning id, a, b, t`,
    ])();
    const main = this.pick([
      () => 'select * from w',
      () => `select count(*), sum(w.a), (select count(*) from ${first.name}) from w`,
      () => `insert into ${second.name} (id, a, b, t) select id + ${50 * ++this.moves}, a, b, t from w order by id returning *`,
      () => `insert into log (who, what) select 'cte', w::text from w`,
      () => `delete from ${second.name} where id in (select id from w) returning id`,
      () => `update ${second.name} set b = 1 where id in (select a from w) returning id, b`,
      () => `select id, a from src where id not in (select a from w where a is not null)`,
    ])();
    this.add(`with w as (${body}) ${main}`, { loose: true });
  }

  private copy(target: Target): void {
    const columns = target.columns.filter((c) => ['id', 'a', 'b', 't'].includes(c.name));
    const value = (c: Column): string => (c.type === 'text' ? this.pick(['c', 'd', 'e', '\\N', 'zz', 'C']) : c.name === 'id' ? String(1 + this.random(30)) : this.pick(['1', '2', '3', '4', '5', '6', '\\N', '9']));
    this.add(`copy ${target.name} (${columns.map((c) => c.name).join(', ')}) from stdin${this.chance(1, 4) ? ' where b > 2' : ''}`,
      { loose: true, data: this.some(1 + this.random(3), () => `${columns.map(value).join('\t')}\n`).join('') });
  }

  // ---- expressions

  private literal(type: Type, constant = false): string {
    switch (type) {
      case 'int': return this.pick(['1', '2', '3', '4', '5', '6', '8', constant ? '2' : 'null', '0']);
      case 'text': return this.pick(["'a'", "'b'", "'c'", "'d'", "'B'", "'zz'", constant ? "'q'" : 'null', "''"]);
      case 'bool': return this.pick(['true', 'false', 'null']);
      case 'numeric': return this.pick(['1.5', '2', '-0.25', '10.00', 'null']);
      case 'timestamptz': return this.pick(["'2024-01-31 12:00+00'", "'2023-06-01 00:00+02'", "'infinity'", 'null']);
      case 'int[]': return this.pick(["'{1,2,3}'", "'{}'", "'{4,null}'", 'array[5]', 'null', "'[0:1]={1,2}'"]);
      case 'pair': return this.pick(["row(1, 'p')", "row(null, 'q')", "'(3,)'", 'null', 'row(null, null)']);
      case 'jsonb': return this.pick(["'{\"k\": 1}'", "'[1, 2]'", "'\"s\"'", "'{}'", 'null']);
      case 'mood': return this.pick(["'sad'", "'so'", "'happy'", 'null', "'sad'", constant ? "'so'" : "'angry'"]);
      case 'small': return this.pick(['1', '5', '20', 'null', '-3', constant ? '4' : '13', constant ? '4' : '21']);
    }
  }

  private expr(type: Type, refs: readonly Ref[], size: number): string {
    const fit = refs.filter((r) => r.type === type);
    const column = fit.length > 0 ? this.pick(fit).ref : null;
    const typed = (): string => `${this.literal(type, type === 'small' || type === 'mood')}::${type}`;
    if (column === null) return typed();
    if (size === 0 || this.chance(1, 2)) return this.chance(3, 4) ? column : typed();
    const e = (t: Type): string => this.expr(t, refs, size - 1);
    switch (type) {
      case 'int': return this.pick([() => `${e('int')} + 1`, () => `coalesce(${e('int')}, 2)`, () => `case when ${this.bool(refs, 0)} then ${e('int')} else ${e('int')} end`, () => `length(${e('text')})`,
        () => `(select max(q.a) from src q where q.b = ${column})`, () => `abs(${e('int')} - 5)`])();
      case 'text': return this.pick([() => `${e('text')} || 'x'`, () => `upper(${e('text')})`, () => `left(${e('text')}, 1)`, () => `coalesce(${e('text')}, 'n')`, () => `(${e('int')})::text`])();
      case 'bool': return this.bool(refs, 0);
      case 'numeric': return `${column} ${this.pick(['* 1.5', '+ 1', '- 0.1'])}`;
      case 'timestamptz': return `${column} ${this.pick(["+ interval '1 day'", "- interval '1 month'"])}`;
      case 'int[]': return this.pick([`${column} || 9`, `array_remove(${column}, 1)`, `${column}[2:3]`]);
      case 'pair': return this.pick([`row((${column}).x, 'new')::pair`, column]);
      case 'jsonb': return this.pick([`${column} || '{"z": 0}'`, `jsonb_build_object('a', ${column})`]);
      default: return column;
    }
  }

  private bool(refs: readonly Ref[], size: number): string {
    const e = (t: Type): string => this.expr(t, refs, 0);
    if (size > 0 && this.chance(1, 3)) {
      return this.pick([() => `(${this.bool(refs, size - 1)} and ${this.bool(refs, size - 1)})`, () => `(${this.bool(refs, size - 1)} or ${this.bool(refs, size - 1)})`, () => `not (${this.bool(refs, size - 1)})`,
        () => `exists (select from src q where q.id = ${e('int')} and q.b > ${1 + this.random(3)})`, () => `${e('int')} in (select q.a from src q)`])();
    }
    return this.pick([() => `${e('int')} ${this.pick(['=', '<', '>', '<>', '>='])} ${e('int')}`, () => `${e('int')} ${this.pick(['=', '<', '>', '>='])} ${1 + this.random(6)}`, () => `${e('int')} ${this.pick(['=', '<', '>', '>='])} ${1 + this.random(6)}`,
      () => `${e('text')} ${this.pick(['=', '<', '>'])} ${this.pick(["'a'", "'b'", "'c'"])}`, () => `${this.pick(refs).ref} is ${this.pick(['', 'not '])}null`, () => `${e('int')} in (1, 3, 5)`])();
  }
}

/** Worlds of about `statements` statements each. `random(n)`: below n. */
export function changes(random: (limit: number) => number, worlds: number, statements: number): Change[][] {
  return Array.from({ length: worlds }, () => new World(random).make(statements));
}
