// Random PL/pgSQL: functions, procedures and triggers of random statements that call each other, and DO blocks. Results, notices, errors with
// their context must be the same. Loops are bounded, and queries over several rows say their order.

type Type = 'int' | 'text' | 'bool' | 'numeric' | 'small' | 'int[]' | 'pair';
/** A `counter` is not assigned to: its loop would not end. */
interface Variable { readonly name: string; readonly type: Type; readonly constant?: boolean; readonly counter?: boolean }
interface Label { readonly name: string; readonly loop: boolean }
interface Routine { readonly name: string; readonly args: readonly Type[]; readonly returns: Type | 'setof int' | 'void' | 'table' }

const TYPES: readonly Type[] = ['int', 'int', 'int', 'text', 'text', 'bool', 'numeric', 'small', 'int[]', 'pair'];
const CONDITIONS = ['division_by_zero', 'raise_exception', 'check_violation', 'unique_violation', 'others', 'others', 'data_exception', "sqlstate '22012'", 'no_data_found', 'too_many_rows', 'null_value_not_allowed',
  'invalid_text_representation', 'integrity_constraint_violation', 'assert_failure', "sqlstate 'U0001'", 'plpgsql_error', 'case_not_found', 'division_by_zero or not_null_violation', 'array_subscript_error'];

class Program {
  private readonly random: (limit: number) => number;
  private readonly list: { sql: string }[] = [];
  private readonly routines: Routine[] = [];
  private names = 0;
  private scope: Variable[] = [];
  private labels: Label[] = [];
  private returns: Routine['returns'] | 'do' | 'trigger' | 'procedure' = 'do';
  /** Inside a handler: RAISE alone and GET STACKED DIAGNOSTICS may be used. */
  private handling = 0;
  /** No transaction may end here. */
  private guarded = 0;
  private records: string[] = [];
  private rows: string[] = [];

  constructor(random: (limit: number) => number) {
    this.random = random;
  }

  private pick<T>(list: readonly T[]): T { return list[this.random(list.length)]!; }
  private chance(one: number, of: number): boolean { return this.random(of) < one; }
  private some<T>(count: number, make: (i: number) => T): T[] { return Array.from({ length: count }, (_, i) => make(i)); }
  private add(sql: string): void { this.list.push({ sql }); }
  private name(prefix: string): string { return `${prefix}${++this.names}`; }

  make(routines: number): { sql: string }[] {
    for (const sql of ['create domain small as int check (value between -9 and 30)', 'create type pair as (x int, y text)',
      'create table item (id int primary key, a int check (a < 50), t text not null)',
      "insert into item select i, nullif(i % 5, 4), chr(96 + i) from generate_series(1, 6) i",
      'create table log (n serial, what text)',
      'create function loud(x int) returns int language plpgsql as $$ begin raise notice \'loud %\', x; return x; end $$',
    ]) this.add(sql);
    for (let i = 0; i < routines; i++) {
      if (this.chance(1, 6)) this.trigger();
      else if (this.chance(1, 5)) this.procedure();
      else if (this.chance(1, 4)) this.block();
      else this.fn();
    }
    this.block();
    this.add('select * from item order by id');
    this.add('select what from log order by n');
    return this.list;
  }

  private begin(returns: Program['returns']): void {
    this.scope = [];
    this.labels = [];
    this.returns = returns;
    this.handling = 0;
    this.guarded = 0;
    this.records = [];
    this.rows = [];
  }

  private fn(): void {
    const name = this.name('f');
    const returns = this.pick<Routine['returns']>(['int', 'int', 'text', 'void', 'setof int', 'table', 'pair', 'int[]', 'small']);
    const args = this.some(this.random(3), () => this.pick(TYPES));
    this.begin(returns);
    this.scope = args.map((type, i) => ({ name: `p${i + 1}`, type }));
    if (returns === 'table') this.scope.push({ name: 'o1', type: 'int' }, { name: 'o2', type: 'text' });
    const clause = returns === 'table' ? 'table (o1 int, o2 text)' : returns;
    const list = args.map((type, i) => `p${i + 1} ${type}${this.chance(1, 6) ? ` default ${this.literal(type)}` : ''}`);
    // Defaults only at the end.
    let plain = false;
    for (let i = list.length - 1; i >= 0; i--) {
      if (plain) list[i] = list[i]!.replace(/ default .*/, '');
      else if (!list[i]!.includes(' default ')) plain = true;
    }
    const body = this.body(3, returns === 'void' || returns === 'setof int' || returns === 'table' ? '' : `return ${this.expr(returns, 1)};`);
    this.add(`create function ${name}(${list.join(', ')}) returns ${clause} language plpgsql${this.pick(['', '', ' strict', ' stable', " set work_mem = '1MB'"])} as $$\n${body}\n$$`);
    this.routines.push({ name, args, returns });
    for (let i = 1 + this.random(2); i > 0; i--) this.add(this.call({ name, args, returns }));
  }

  private call({ name, args, returns }: Routine): string {
    const list = args.map((type) => `${this.literal(type)}::${type}`).join(', ');
    return returns === 'setof int' || returns === 'table' || this.chance(1, 4) ? `select * from ${name}(${list})` : `select ${name}(${list})`;
  }

  private procedure(): void {
    const name = this.name('p');
    this.begin('procedure');
    this.scope = [{ name: 'a', type: 'int' }, { name: 'b', type: 'text' }];
    this.add(`create procedure ${name}(a int, inout b text) language plpgsql as $$\n${this.body(2, '')}\n$$`);
    this.add(`call ${name}(${this.literal('int')}, ${this.literal('text')})`);
    if (this.chance(1, 3)) {
      this.add('begin');
      this.add(`call ${name}(3, 'in a block')`);
      this.add('commit');
    }
  }

  private block(): void {
    this.begin('do');
    this.add(`do $$\n${this.body(3, '')}\n$$`);
  }

  private trigger(): void {
    const name = this.name('t');
    this.begin('trigger');
    this.scope = [{ name: 'new.a', type: 'int' }, { name: 'new.t', type: 'text' }, { name: 'old.a', type: 'int' }, { name: 'tg_op', type: 'text', constant: true }];
    const ops = this.pick(['insert', 'update', 'insert or update', 'insert or update or delete']);
    this.add(`create function ${name}() returns trigger language plpgsql as $$\n${this.body(1, this.pick(['return new;', 'return new;', 'return coalesce(new, old);', 'return null;']))}\n$$`);
    this.add(`create trigger ${name} ${this.pick(['before', 'after'])} ${ops} on item for each row execute function ${name}()`);
    this.add("insert into item values (20, 3, 'trig')");
    this.add("update item set a = 2, t = t || '!' where id = 20");
    this.add('delete from item where id = 20');
    this.add(`drop trigger ${name} on item`);
  }

  // ---- blocks and statements

  private body(depth: number, last: string): string {
    const saved = { scope: this.scope, records: this.records, rows: this.rows, labels: this.labels };
    const label = this.chance(1, 4) ? this.name('b') : null;
    if (label !== null) this.labels = [...this.labels, { name: label, loop: false }];
    const declared: string[] = [];
    const add = (variable: Variable): void => { this.scope = [...this.scope, variable]; };
    for (let i = 1 + this.random(3); i > 0; i--) {
      const type = this.pick(TYPES), name = this.name('v');
      const initial = this.chance(2, 3) ? ` := ${this.expr(type, 1)}` : '';
      const constant = initial !== '' && this.chance(1, 10);
      declared.push(`${name} ${constant ? 'constant ' : ''}${type}${initial !== '' && this.chance(1, 10) ? ' not null' : ''}${initial};`);
      add({ name, type, constant });
    }
    if (this.chance(1, 2)) {
      const name = this.name('r');
      declared.push(`${name} record;`);
      this.records = [...this.records, name];
    }
    if (this.chance(1, 3)) {
      const name = this.name('w');
      declared.push(`${name} item${this.pick(['', '%rowtype'])};`);
      this.rows = [...this.rows, name];
      add({ name: `${name}.id`, type: 'int' });
      add({ name: `${name}.t`, type: 'text' });
    }
    const protectedBlock = this.chance(1, 2);
    if (protectedBlock) this.guarded++;
    const inner = this.statements(depth, 1 + this.random(4));
    if (protectedBlock) this.guarded--;
    let text = `${label === null ? '' : `<<${label}>> `}declare\n${declared.join('\n')}\nbegin\n${inner}\n${last}`;
    if (protectedBlock) {
      this.handling++;
      const handlers = this.some(1 + this.random(2), () => `when ${this.pick(CONDITIONS)} then\n${this.statements(depth - 1, 1 + this.random(2))}${last === '' ? '' : `\n${last}`}`);
      this.handling--;
      text += `\nexception\n${handlers.join('\n')}`;
    }
    Object.assign(this, saved);
    return `${text}\nend${label !== null && this.chance(1, 2) ? ` ${label}` : ''};`;
  }

  private statements(depth: number, count: number): string {
    return this.some(count, () => this.statement(depth)).join('\n');
  }

  private target(type?: Type): Variable | null {
    const fit = this.scope.filter((v) => v.counter !== true && (v.constant !== true || this.chance(1, 30)) && (type === undefined || v.type === type));
    return fit.length === 0 ? null : this.pick(fit);
  }

  private statement(depth: number): string {
    const form = this.random(depth > 0 ? 30 : 16);
    switch (form) {
      case 0: case 1: case 2: {
        const to = this.target();
        if (to === null) return 'null;';
        if (to.type === 'int[]' && this.chance(1, 2)) return `${to.name}[coalesce(${this.expr('int', 0)}, 2)] := ${this.expr('int', 1)};`;
        if (to.type === 'pair' && this.chance(1, 2)) return this.chance(1, 2) ? `${to.name}.x := ${this.expr('int', 1)};` : `${to.name}.y = ${this.expr('text', 1)};`;
        // Of another type now and then: it is cast by way of text.
        return `${to.name} ${this.pick([':=', '='])} ${this.expr(this.chance(1, 8) ? this.pick(TYPES) : to.type, 2)};`;
      }
      case 3: case 4: {
        const parts = this.some(1 + this.random(2), () => this.expr(this.pick(TYPES), 1));
        return `raise ${this.pick(['notice', 'notice', 'notice', 'warning', 'info', 'debug', 'log'])} '${parts.map(() => '%').join(' ')} ${this.pick(['', '%%', 'x'])}', ${parts.join(', ')}${this.chance(1, 8) ? ` using ${this.options()}` : ''};`;
      }
      case 5: return this.pick([
        () => `raise exception 'bad %', ${this.expr('int', 1)};`, () => `raise exception using ${this.options()};`, () => `raise division_by_zero;`, () => "raise sqlstate 'U0001';",
        () => `raise unique_violation using message = ${this.expr('text', 1)};`, () => `raise 'plain' using errcode = ${this.pick(["'22012'", "'check_violation'", "'P0002'"])}, hint = 'try', detail = ${this.expr('text', 0)};`,
        () => 'raise;', () => `assert ${this.bool(1)}, ${this.expr('text', 1)};`, () => `assert ${this.bool(0)};`])();
      case 6: {
        const to = this.target('int');
        return to === null ? 'perform 1;' : `select ${this.pick(['a', 'id', 'count(*)', 'max(a)'])} into ${this.pick(['', '', 'strict '])}${to.name} from item where ${this.pick([`id = ${this.expr('int', 0)}`, `a > ${this.expr('int', 0)}`, 'false'])};`
          .replace(/select (a|id) into (strict )?(\S+) from item where (a >[^;]*);/, 'select $1 into $2$3 from item where $4 order by id;');
      }
      case 7: return this.pick([() => `perform ${this.expr('int', 1)};`, () => `perform id from item where a = ${this.expr('int', 0)};`, () => 'null;']) ();
      // A trigger that changes its table fires itself, for ever.
      case 8: return this.returns === 'trigger' ? 'null;' : this.pick([
        () => `update item set a = ${this.expr('int', 1)} where id = ${1 + this.random(8)};`, () => `insert into item values (${1 + this.random(12)}, ${this.expr('int', 1)}, ${this.expr('text', 1)});`,
        () => `delete from item where id = ${this.expr('int', 0)};`, () => `insert into log (what) values (${this.expr('text', 1)});`])();
      case 9: {
        const to = this.target('int'), text = this.target('text');
        if (to === null || text === null) return 'null;';
        return this.pick([() => `get diagnostics ${to.name} = row_count;`, () => `insert into log (what) values (${this.expr('text', 1)}) returning ${this.pick(['length(what)', '7'])} into ${to.name};`,
          () => (this.returns === 'trigger' ? 'null;' : `update item set a = a + 1 where id = ${1 + this.random(7)} returning a, t into ${to.name}, ${text.name};`),
          () => (this.handling > 0 ? `get stacked diagnostics ${text.name} = ${this.pick(['message_text', 'returned_sqlstate', 'pg_exception_detail', 'pg_exception_hint', 'pg_exception_context', 'constraint_name', 'column_name', 'table_name', 'pg_datatype_name'])};` : `get diagnostics ${text.name} = pg_context;`)])();
      }
      case 10: {
        const to = this.target('int');
        return this.pick([
          () => `execute 'select $1 + 1' ${to === null ? '' : `into ${to.name} `}using ${this.expr('int', 1)};`,
          () => `execute format('select %L || %s', ${this.expr('text', 0)}, ${this.expr('int', 0)});`,
          () => (to === null ? 'null;' : `execute 'select a from item where id ' || ${this.pick(["'= 1'", "'= 99'", "'< 3 order by id'", "'= $1'"])} into ${this.pick(['', 'strict '])}${to.name}${this.chance(1, 2) ? ` using ${this.expr('int', 0)}` : ''};`),
          () => `execute ${this.expr('text', 1)};`, () => (this.returns === 'trigger' ? 'null;' : `execute 'update item set t = $2 where id = $1' using ${this.expr('int', 0)}, ${this.expr('text', 0)};`)])();
      }
      case 11: {
        if (this.records.length === 0) return 'null;';
        const r = this.pick(this.records);
        return this.pick([() => `select * into ${r} from item where id = ${this.expr('int', 0)};`, () => `${r} := row(${this.expr('int', 0)}, ${this.expr('text', 0)});`, () => `raise notice '%', ${r};`,
          () => `raise notice '% %', ${r}.id, ${r}.t;`, () => `${r}.a := ${this.expr('int', 0)};`, () => `select ${this.expr('int', 1)} as id, ${this.expr('text', 1)} as t into ${r};`])();
      }
      case 12: {
        if (this.rows.length === 0) return 'null;';
        const w = this.pick(this.rows);
        return this.pick([() => `select * into ${w} from item where id = ${this.expr('int', 0)};`, () => `${w} := row(${this.expr('int', 0)}, 5, ${this.expr('text', 0)});`, () => `raise notice '%', ${w};`, () => `${w} := null;`, () => `raise notice '%', ${w} is null;`,
          () => `select id, t into ${w} from item where id = 2;`])();
      }
      case 13: return this.leave();
      case 14: return this.output();
      case 15: {
        if (this.returns === 'procedure' && this.chance(1, 2)) return this.pick(['commit;', 'rollback;', 'commit and chain;']);
        const int = this.target('int');
        return int === null ? 'raise notice \'%\', found;' : `${int.name} := case when found then ${this.expr('int', 0)} else ${this.expr('int', 0)} end;`;
      }
      case 16: case 17: case 18:
        return `if ${this.bool(1)} then\n${this.statements(depth - 1, 1 + this.random(2))}${this.chance(1, 3) ? `\nelsif ${this.bool(1)} then\n${this.statements(depth - 1, 1)}` : ''}${this.chance(1, 2) ? `\nelse\n${this.statements(depth - 1, 1)}` : ''}\nend if;`;
      case 19: {
        const type = this.pick<Type>(['int', 'text']);
        const searched = this.chance(1, 2);
        return `case${searched ? '' : ` ${this.expr(type, 1)}`}\n${this.some(1 + this.random(2), () => `when ${searched ? this.bool(1) : this.some(1 + this.random(2), () => this.literal(type)).join(', ')} then\n${this.statements(depth - 1, 1)}`).join('\n')}${this.chance(2, 3) ? `\nelse ${this.statements(depth - 1, 1)}` : ''}\nend case;`;
      }
      case 20: case 21: case 22: case 23: case 24: return this.loop(depth);
      case 25: case 26: case 27: return this.body(depth - 1, '');
      case 28: return this.cursor(depth);
      default: return this.callOther();
    }
  }

  private options(): string {
    return this.pick([`message = ${this.expr('text', 1)}`, `message = 'm', detail = ${this.expr('text', 1)}, hint = 'h'`, "errcode = 'U0001', message = 'own'", "errcode = 'unique_violation', constraint = 'c', table = 't', message = 'named'", `hint = ${this.expr('text', 0)}`,
      "column = 'col', datatype = 'dt', schema = 's', message = 'all'"]);
  }

  private leave(): string {
    if (this.labels.length === 0) return 'null;';
    const label = this.pick(this.labels);
    const when = this.chance(2, 3) ? ` when ${this.bool(1)}` : '';
    const loops = this.labels.some((l) => l.loop);
    return this.pick([() => `exit ${label.name}${when};`, () => (label.loop ? `continue ${label.name}${when};` : `exit ${label.name}${when};`), () => (loops ? `exit${when};` : 'null;'), () => (loops ? `continue${when};` : 'null;')])();
  }

  private output(): string {
    switch (this.returns) {
      case 'setof int': return this.pick([() => `return next ${this.expr('int', 1)};`, () => `return query select a from item where id < ${1 + this.random(5)} order by id;`, () => `return query execute 'select $1 union all select 2' using ${this.expr('int', 0)};`, () => 'return;'])();
      case 'table': return this.pick([() => 'return next;', () => `return query select id, t from item where id < ${1 + this.random(5)} order by id;`, () => `return query values (${this.expr('int', 0)}, ${this.expr('text', 0)});`, () => `return query select id, a from item;`])();
      case 'do': case 'void': case 'procedure': return this.chance(1, 2) ? 'return;' : 'null;';
      case 'trigger': return this.pick(['return new;', 'return null;', 'null;']);
      default: return `return ${this.expr(this.chance(1, 8) ? this.pick(TYPES) : this.returns, 1)};`;
    }
  }

  private loop(depth: number): string {
    const name = this.name('l');
    const saved = { scope: this.scope, labels: this.labels, records: this.records };
    this.labels = [...this.labels, { name, loop: true }];
    let head: string, first = '';
    switch (this.random(6)) {
      case 0: {
        const i = this.name('i');
        head = `for ${i} in ${this.chance(1, 4) ? 'reverse 3..1' : `${this.pick(['1', this.expr('int', 0)])}..${this.pick(['3', '4', '2'])}`}${this.chance(1, 5) ? ` by ${this.pick(['2', '1', '0'])}` : ''}`;
        this.scope = [...this.scope, { name: i, type: 'int' }];
        first = `exit when ${i} < -3;`;
        break;
      }
      case 1: {
        if (this.records.length === 0) return 'null;';
        head = `for ${this.pick(this.records)} in select * from item where id <= ${1 + this.random(5)} order by id`;
        break;
      }
      case 2: {
        const a = this.target('int'), b = this.target('text');
        if (a === null || b === null || a.constant === true || b.constant === true) return 'null;';
        head = `for ${a.name}, ${b.name} in ${this.chance(1, 2) ? 'select id, t from item where id < 4 order by id' : `execute 'select id, t from item where id < $1 order by id' using ${1 + this.random(5)}`}`;
        break;
      }
      case 3: {
        const slice = this.chance(1, 3);
        const into = this.target(slice ? 'int[]' : 'int');
        if (into === null || into.constant === true) return 'null;';
        head = `foreach ${into.name}${slice ? ' slice 1' : ''} in array ${slice ? this.pick(["'{{1,2},{3,4}}'::int[]", "'{1,2}'::int[]"]) : this.expr('int[]', 1)}`;
        break;
      }
      case 4: {
        const k = this.name('k');
        this.scope = [...this.scope, { name: k, type: 'int', counter: true }];
        const inner = this.statements(depth - 1, 1 + this.random(2));
        Object.assign(this, saved);
        return `declare ${k} int := 0; ${this.name('u')} int; begin\n<<${name}>> while ${k} < ${2 + this.random(3)}${this.chance(1, 3) ? ` and ${this.bool(0)}` : ''} loop\n${k} := coalesce(${k}, 9) + 1; exit when clock_timestamp() > statement_timestamp() + interval '3 s';\n${inner}\nend loop${this.chance(1, 2) ? ` ${name}` : ''};\nend;`;
      }
      default: {
        const inner = this.statements(depth - 1, 1 + this.random(2));
        Object.assign(this, saved);
        const n = this.name('n');
        return `declare ${n} int := 0; begin\n<<${name}>> loop\n${n} := ${n} + 1; exit when ${n} > 3;\n${inner}\nend loop;\nend;`;
      }
    }
    const inner = this.statements(depth - 1, 1 + this.random(3));
    Object.assign(this, saved);
    return `<<${name}>> ${head} loop\n${first}${inner}\nend loop${this.chance(1, 2) ? ` ${name}` : ''};`;
  }

  private cursor(depth: number): string {
    const c = this.name('c'), r = this.name('r');
    const inner = this.statements(depth - 1, 1);
    const locks = this.returns !== 'trigger' && this.chance(1, 2);
    const moves = this.some(2 + this.random(3), () => this.pick([`fetch ${c} into ${r}; raise notice '% %', ${r}, found;`, `fetch ${this.pick(['last', 'prior', 'first', 'relative 2', 'absolute 3', 'backward', 'next', 'forward 1'])} from ${c} into ${r}; raise notice '% %', ${r}, found;`,
      `move ${this.pick(['', 'next from ', 'forward 2 from ', 'last from ', 'backward all from ', 'relative -1 from '])}${c}; raise notice 'moved %', found;`, locks ? `update item set a = 1 where current of ${c};` : 'null;', `close ${c};`, inner]));
    const arg = this.chance(1, 2);
    const declared = `${c} ${this.pick(['', 'scroll ', 'no scroll '])}cursor${arg ? ' (k int)' : ''} for select * from item where id > ${arg ? 'k' : '2'} order by id${locks ? ' for update' : ''};`;
    if (this.chance(1, 3)) return `declare ${declared} begin\nfor ${r} in ${c}${arg ? `(${this.pick(['3', 'k := 4', '3, 4'])})` : ''} loop\nraise notice '%', ${r}.id;\n${inner}\nend loop;\nend;`;
    if (this.chance(1, 3)) return `declare ${c} refcursor := '${c}'; ${r} record; begin\nopen ${c} for ${locks ? 'select * from item order by id for update' : this.pick(['select * from item order by id', `execute 'select id, t from item order by id'`])};\n${moves.join('\n')}\nend;`;
    return `declare ${declared} ${r} record; begin\nopen ${c}${arg ? `(${this.expr('int', 0)})` : ''};\n${moves.join('\n')}\nend;`;
  }

  private callOther(): string {
    if (this.routines.length === 0 || this.returns === 'trigger') return 'null;';
    const { name, args, returns } = this.pick(this.routines);
    const call = `${name}(${args.map((type) => `${this.expr(type, 0)}`).join(', ')})`;
    const to = this.target('int');
    return returns === 'setof int' && to !== null ? `select sum(x) into ${to.name} from ${call} x;` : `perform ${returns === 'table' ? `o1 from ${call}` : call};`;
  }

  // ---- expressions

  private literal(type: Type): string {
    switch (type) {
      case 'int': return this.pick(['0', '1', '2', '3', '4', '7', '100', 'null', '-1']);
      case 'text': return this.pick(["'a'", "'b'", "'12'", "''", 'null', "'select 1'"]);
      case 'bool': return this.pick(['true', 'false', 'null']);
      case 'numeric': return this.pick(['1.5', '2', '-0.25', '10.00', 'null']);
      case 'small': return this.pick(['1', '5', '30', 'null', '-3', '31']);
      case 'int[]': return this.pick(["'{1,2,3}'", "'{}'", "'{4,null}'", 'array[5]', 'null', "'{{1,2},{3,4}}'"]);
      case 'pair': return this.pick(["row(1, 'p')", "row(null, 'q')", "'(3,)'", 'null']);
    }
  }

  private expr(type: Type, size: number): string {
    const fit = this.scope.filter((v) => v.type === type || (type === 'int' && v.type === 'small'));
    if (size === 0 || this.chance(1, 3)) return fit.length > 0 && this.chance(3, 4) ? this.pick(fit).name : `${this.literal(type)}::${type}`;
    const e = (t: Type): string => this.expr(t, size - 1);
    switch (type) {
      case 'int': return this.pick([() => `${e('int')} + ${e('int')}`, () => `${e('int')} * 2`, () => `${e('int')} / ${e('int')}`, () => `coalesce(${e('int')}, 5)`, () => `length(${e('text')})`, () => `(${e('int[]')})[1]`, () => `(${e('pair')}).x`,
        () => `loud(${e('int')})`, () => `(select max(a) from item where id < ${e('int')})`, () => `array_length(${e('int[]')}, 1)`, () => `(${e('text')})::int`, () => `case when ${this.bool(0)} then ${e('int')} else ${e('int')} end`,
        () => `(${e('numeric')})::int`])();
      case 'text': return this.pick([() => `${e('text')} || 'x'`, () => `upper(${e('text')})`, () => `(${e('int')})::text`, () => `coalesce(${e('text')}, 'n')`, () => `(${e('pair')})::text`, () => `array_to_string(${e('int[]')}, ',')`, () => `left(${e('text')}, 2)`,
        () => `(select t from item where id = ${e('int')})`, () => (this.handling > 0 ? this.pick(['sqlerrm', 'sqlstate']) : e('text')), () => `format('%s-%s', ${e('int')}, ${e('text')})`])();
      case 'bool': return this.bool(size - 1);
      case 'numeric': return this.pick([() => `${e('numeric')} + 1`, () => `${e('numeric')} / 3`, () => `round(${e('numeric')})`, () => `(${e('int')})::numeric`])();
      case 'small': return this.pick([() => `(${e('int')})::small`, () => `${e('small')} + 1`, () => e('int')])();
      case 'int[]': return this.pick([() => `${e('int[]')} || ${e('int')}`, () => `array[${e('int')}, ${e('int')}]`, () => `(${e('int[]')})[1:2]`, () => `array_remove(${e('int[]')}, ${e('int')})`])();
      case 'pair': return this.pick([() => `row(${e('int')}, ${e('text')})::pair`, () => `row(${e('int')}, ${e('text')})`])();
    }
  }

  private bool(size: number): string {
    const e = (t: Type): string => this.expr(t, Math.max(0, size - 1));
    return this.pick([() => `${e('int')} ${this.pick(['=', '<', '>', '<>', '>='])} ${e('int')}`, () => `${e('int')} > 2`, () => `${e('text')} = ${e('text')}`, () => `${e('int')} is null`, () => 'found', () => `exists (select from item where id = ${e('int')})`,
      () => `${e('text')} is distinct from ${e('text')}`, () => `not (${e('bool')})`, () => `${e('int')} = any (${e('int[]')})`])();
  }
}

/** Programs of about `routines` routines each. `random(n)`: below n. */
export function programs(random: (limit: number) => number, count: number, routines: number): { sql: string }[][] {
  return Array.from({ length: count }, () => new Program(random).make(routines));
}
