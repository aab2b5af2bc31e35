// What the rehearsal plays: a scene is a session, and each does something of what frontends do.

/** The messages of a frontend, one after the other. */
export class Script {
  private readonly parts: Buffer[] = [];
  /** Errors the scene provokes. */
  private expected = 0;

  /** With Terminate at the end. */
  get bytes(): Buffer {
    return Buffer.concat([...this.parts, Buffer.from('X\0\0\0\x04', 'latin1')]);
  }

  /** What is sent before each ReadyForQuery; Terminate at last. */
  get exchanges(): Buffer[] {
    const all: Buffer[] = [];
    let from = 0;
    this.parts.forEach((part, i) => {
      if (!'QSc'.includes(String.fromCharCode(part[0]!))) return;
      all.push(Buffer.concat(this.parts.slice(from, i + 1)));
      from = i + 1;
    });
    return [...all, Buffer.from('X\0\0\0\x04', 'latin1')];
  }

  private message(type: string, ...fields: (string | Buffer)[]): this {
    const body = Buffer.concat(fields.map((f) => (typeof f === 'string' ? Buffer.from(`${f}\0`, 'utf8') : f)));
    const head = Buffer.alloc(5, type, 'latin1');
    head.writeInt32BE(body.length + 4, 1);
    this.parts.push(Buffer.concat([head, body]));
    return this;
  }

  query(...texts: string[]): this {
    for (const text of texts) this.message('Q', text);
    return this;
  }

  /** Statements that fail, as some will. */
  wrong(...texts: string[]): this {
    this.expected += texts.length;
    return this.query(...texts);
  }

  copyIn(text: string, data: string): this {
    return this.query(text).message('d', Buffer.from(data, 'utf8')).message('c');
  }

  prepare(name: string, text: string): this {
    return this.message('P', name, text, int16(0));
  }

  /** Bind, Describe, Execute, as LIBPQ sends them: parameters and result as text. */
  execute(name: string, ...params: string[]): this {
    const values = params.flatMap((p) => [int32(Buffer.byteLength(p)), Buffer.from(p, 'utf8')]);
    return this.message('B', '', name, int16(0), int16(params.length), ...values, int16(1), int16(0)).message('D', Buffer.from('P'), '').message('E', '', int32(0));
  }

  sync(): this {
    return this.message('S');
  }

  /** Errors in what the backend has sent, beyond those provoked. */
  errorsIn(answers: Buffer): string[] {
    const errors: string[] = [];
    for (let at = 0; at + 5 <= answers.length; at += 1 + answers.readInt32BE(at + 1)) {
      if (answers[at] !== 0x45) continue;
      const fields = answers.toString('utf8', at + 5, at + 1 + answers.readInt32BE(at + 1)).split('\0');
      errors.push(fields.filter((f) => f[0] === 'M').join());
    }
    return errors.slice(this.expected);
  }
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}
function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** Sessions of short statements in the first act. */
const SHORT_SESSIONS = 12;

export function scenes(act: 'first' | 'second' | 'last'): Script[] {
  if (act === 'last') return Array.from({ length: LAST_WRITING_SESSIONS }, (_, i) => hotWrites(i));
  if (act === 'second') return Array.from({ length: HOT_SESSIONS }, (_, i) => hotWrites(i));
  const all = [tables(), queries(), procedures(), psql(), copy()];
  for (let i = 0; i < SHORT_SESSIONS; i++) all.push(simple(i), extended(i));
  return all;
}

/** Scenes that change nothing. */
export function readingScenes(act: 'hot' | 'last' | 'curtain' | 'encore'): Script[] {
  if (act === 'hot') return Array.from({ length: HOT_SESSIONS }, hot);
  return [...(act === 'last' ? [hot()] : []), ...Array.from({ length: SHORT_READING_SESSIONS[act] }, (_, i) => (i % 2 === 0
    ? new Script().query('select 1', `SELECT balance FROM account WHERE aid = ${(i + 1) * 487};`)
    : new Script().prepare('', 'select balance from account where aid = $1').execute('', String(i * 487)).sync()))];
}

/** So many that whatever a session runs once is compiled; that what has few calls left to go is; that what was to be with its next call is. */
const SHORT_READING_SESSIONS = { last: 44, curtain: 24, encore: 4 };

/** Sessions of so many look-ups that the optimizing compiler takes notice: what it makes of them the children inherit,
 * instead of spending a second each on it. */
const HOT_SESSIONS = 6, HOT_STATEMENTS = 250;

function hot(): Script {
  const script = new Script().prepare('s', 'select balance from account where aid = $1').sync();
  for (let i = 1; i <= HOT_STATEMENTS; i++) script.execute('s', String(i * 487)).sync();
  for (let i = 1; i <= HOT_STATEMENTS; i++) script.query(`SELECT balance FROM account WHERE aid = ${i * 487};`);
  // Costs of large tables are no small integers.
  return script.query("set effective_cache_size = '8TB'", 'select bid from account where aid = 487', 'reset effective_cache_size');
}

/** The same for short transactions, and so for the transaction manager. */
const HOT_TRANSACTIONS = 40;
/** Once more with the optimizing compiler off: functions it was about to take then wait as long as any other does. */
const LAST_WRITING_SESSIONS = 3;

function hotWrites(n: number): Script {
  return n % 2 === 0 ? hotSimple(n) : hotPrepared(n);
}

function hotSimple(n: number): Script {
  const script = new Script();
  for (let i = 1; i <= HOT_TRANSACTIONS; i++) {
    const k = n * HOT_TRANSACTIONS + i, delta = i % 2 === 0 ? k : -k;
    script.query(
      'BEGIN;',
      `UPDATE account SET balance = balance + ${delta} WHERE aid = ${k * 487};`,
      `SELECT balance FROM account WHERE aid = ${k * 487};`,
      `UPDATE branch SET balance = balance + ${delta} WHERE bid = ${1 + k % 100};`,
      `UPDATE office SET balance = balance + ${delta} WHERE oid = ${1 + k % 10};`,
      `INSERT INTO history (tid, bid, aid, delta, mtime) VALUES (1, 2, ${k}, ${delta}, CURRENT_TIMESTAMP);`,
      'END;',
    );
  }
  return script;
}

/** What a session does beside the last writing ones: it has their rows most of the time, and sometimes so long that the manager says
 * so (`waiting`). */
export function rival(): Script {
  const script = new Script();
  for (let i = 0; i < 300; i++) script.query(`begin; update office set balance = balance + 1; select pg_sleep(${i % 8 === 0 ? 0.015 : 0.002}); commit`);
  return script;
}

/** As pgbench does it: every statement of the transaction prepared, parameters as text. */
function hotPrepared(n: number): Script {
  const texts = [
    'BEGIN;', 'UPDATE account SET balance = balance + $1 WHERE aid = $2;', 'SELECT balance FROM account WHERE aid = $1;',
    'UPDATE branch SET balance = balance + $1 WHERE bid = $2;', 'UPDATE office SET balance = balance + $1 WHERE oid = $2;',
    'INSERT INTO history (tid, bid, aid, delta, mtime) VALUES ($1, $2, $3, $4, CURRENT_TIMESTAMP);', 'END;',
  ];
  const script = new Script();
  texts.forEach((text, i) => script.prepare(`P_${i}`, text).sync());
  for (let i = 1; i <= HOT_TRANSACTIONS; i++) {
    const k = n * HOT_TRANSACTIONS + i, aid = String(k * 487), bid = String(1 + k % 100), oid = String(1 + k % 10), delta = String(i % 2 === 0 ? k : -k);
    const parameters = [[], [delta, aid], [aid], [delta, bid], [delta, oid], [bid, oid, aid, delta], []];
    parameters.forEach((values, statement) => script.execute(`P_${statement}`, ...values).sync());
  }
  return script;
}

function tables(): Script {
  return new Script().query(
    'create table account (aid int not null, bid int, balance int, filler char(84)) with (fillfactor = 100)',
    'create table branch (bid int not null primary key, balance int, filler char(88))',
    'create table history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22))',
    "insert into account select g * 487, 1, (10 ^ (g % 10))::int * (1 - g % 3), case when g % 4 > 0 then '' end from generate_series(1, 2000) g",
    'create table office (oid int not null primary key, balance int, filler char(88))',
    "insert into branch select g, 0, case when g % 2 = 0 then '' end from generate_series(1, 100) g",
    "insert into office select g, 0, case when g % 2 = 0 then '' end from generate_series(1, 10) g",
    'create unique index account_pkey on account (aid)',
    'analyze account',
    'analyze branch',
    'analyze office',
    'create table item (id int primary key, name text not null unique, price numeric(10,2) default 0, made date, at timestamptz default now(), tags text[], doc jsonb)',
    `insert into item select g, 'item ' || g, g * 1.5, date '2020-01-01' + g, '2020-01-01 10:00+00', array['a','b'], '{"a": 1}' from generate_series(1, 50) g`,
    'analyze item',
  );
}

function simple(n: number): Script {
  const script = new Script().query('select 1');
  for (let i = 1; i <= 3; i++) {
    const k = n * 12 + i;
    script.query(
      `SELECT balance FROM account WHERE aid = ${k * 487};`,
      'BEGIN;',
      `UPDATE account SET balance = balance + ${k} WHERE aid = ${k * 487};`,
      `SELECT balance FROM account WHERE aid = ${k * 487};`,
      `UPDATE branch SET balance = balance + ${k} WHERE bid = ${k};`,
      `INSERT INTO history (tid, bid, aid, delta, mtime) VALUES (1, 2, ${k}, ${k}, CURRENT_TIMESTAMP);`,
      i === 3 ? 'ROLLBACK' : 'END;',
      `insert into item (id, name, price) values (${1000 + k}, 'thing ${k}', ${k}.50)`,
      `update item set name = 'thing number ${k}', made = '2024-02-0${i}' where id = ${1000 + k}`,
      `select * from item where id = ${1000 + k}`,
      `select id, price from item where name = 'item ${k}' and made > '2020-01-${10 + i}'`,
      `delete from item where id = ${1000 + k}`,
    );
  }
  return script.wrong('select nonsense from nowhere', 'select 1/0');
}

function extended(n: number): Script {
  const script = new Script();
  script.prepare('', 'select balance, filler from account where aid = $1').execute('', String(n + 1)).sync();
  script.prepare('s', 'select balance from account where aid = $1').sync();
  script.prepare('u', 'update account set balance = balance + $1 where aid = $2').sync();
  script.prepare('i', 'insert into history (tid, bid, aid, delta, mtime) values ($1, $2, $3, $4, current_timestamp)').sync();
  for (let i = 1; i <= 6; i++) {
    const k = String(500 + n * 12 + i);
    script.execute('s', k).sync().execute('u', '7', k).sync();
    script.prepare('', 'begin').execute('').sync().execute('u', '8', k).sync().execute('s', k).sync().execute('i', '1', '2', k, '3').sync();
    script.prepare('', 'commit').execute('').sync();
    script.prepare('', 'select id, name, price, made, at from item where id > $1 and name like $2 order by id limit 3').execute('', k, 'item%').sync();
  }
  return script;
}

function queries(): Script {
  const texts = [
    "select count(*), sum(balance), min(aid), max(filler), avg(balance) from account where aid < 500 and filler <> 'x'",
    'select bid, count(*) from account group by bid having count(*) > 1 order by 2 desc, 1 limit 5',
    'select a.aid, b.bid from account a join branch b on a.bid = b.bid left join history h on h.aid = a.aid where a.aid in (1, 2, 3) order by 1',
    'select distinct bid from account union all select bid from branch order by 1 limit 3',
    'select * from account where aid between 10 and 20 and exists (select 1 from branch where branch.bid = account.bid)',
    'with t as (select aid, balance from account where aid < 10) select t.*, row_number() over (order by aid) from t',
    "select upper(name) || '!', length(name), substr(name, 2, 3), coalesce(made::text, 'none'), price::int, now() - at from item where price > 3.5 order by made desc limit 4",
    "select id, tags[1], doc->>'a', case when id > 5 then 'big' else 'small' end from item where id < 9",
    "select to_char(at, 'YYYY-MM-DD'), extract(year from made), date_trunc('month', at) from item where id = 3",
    "insert into item (id, name) values (2000, 'x'), (2001, 'y') on conflict (id) do nothing returning id, name",
    "update item set price = price * 2 from branch where branch.bid = item.id and item.id < 5 returning item.id",
    'delete from item where id in (select id from item where id > 1999)',
    'explain select * from account where aid = 5',
    'begin; savepoint s; update branch set balance = 1 where bid = 150; rollback to s; release s; commit',
    'begin; declare c cursor for select * from account order by aid; fetch 5 from c; close c; commit',
    'show search_path', "set work_mem = '8MB'", 'reset work_mem', 'select current_database(), current_user, version()',
  ];
  return new Script().query(...texts, ...texts);
}

/** PL/pgSQL: functions with all kinds of statements, a trigger, DO. */
function procedures(): Script {
  const script = new Script().query(
    `create function total(n int, out s bigint, out t text) language plpgsql as $$
     declare r record; x item%rowtype; c cursor for select bid from branch order by bid limit 3; b int;
     begin
       s := 0;
       for i in 1..n loop s := s + i; if i % 2 = 0 then continue; end if; end loop;
       for r in select aid, balance from account where aid <= n loop s := s + r.aid; end loop;
       select * into x from item where id = n;
       t := coalesce(x.name, 'none');
       update branch set balance = balance + n where bid = n;
       if not found then raise exception 'no branch %', n; end if;
       for k in c loop s := s + k.bid; end loop;
       begin
         perform 1 / (n - n);
       exception when division_by_zero then t := t || sqlerrm;
       end;
       execute 'select balance from branch where bid = $1' into b using n;
       return;
     end $$`,
    "create function stamp() returns trigger language plpgsql as $$ begin new.made := coalesce(new.made, date '2020-01-01'); return new; end $$",
    'create function evens(n int) returns setof int language plpgsql as $$ begin for i in 1..n loop return next 2 * i; end loop; return query select n; end $$',
    'create trigger stamp before insert or update on item for each row execute function stamp()',
    'do $$ declare x int := 0; begin while x < 5 loop x := x + 1; end loop; end $$',
  );
  for (let i = 1; i <= 4; i++) script.query(`select * from total(${i})`, `select sum(e) from evens(${i}) e`, `insert into item (id, name) values (${3000 + i}, 'stamped ${i}')`);
  return script.query('drop trigger stamp on item');
}

/** What psql asks for \d, \dt and \l, in short. */
function psql(): Script {
  return new Script().query(
    "select n.nspname, c.relname, c.relkind, pg_catalog.pg_get_userbyid(c.relowner) from pg_catalog.pg_class c left join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r','p','') and n.nspname <> 'pg_catalog' and pg_catalog.pg_table_is_visible(c.oid) order by 1,2",
    "select c.oid, n.nspname, c.relname from pg_catalog.pg_class c left join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relname operator(pg_catalog.~) '^(account)$' collate pg_catalog.default and pg_catalog.pg_table_is_visible(c.oid) order by 2, 3",
    "select a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull from pg_catalog.pg_attribute a where a.attrelid = 'account'::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum",
    'select d.datname, pg_catalog.pg_get_userbyid(d.datdba) from pg_catalog.pg_database d order by 1',
  );
}

function copy(): Script {
  return new Script()
    .copyIn('copy history from stdin', '1\t2\t3\t4\t2024-01-01 00:00:00\t\\N\n'.repeat(50))
    .query('copy (select * from branch where bid < 20) to stdout');
}
