// Random sessions over two small tables: what each of them does, and in which order, comes from a seed. Read by interleavings.test.ts.
import type { Step } from './interleavings.ts';

type Random = (below: number) => number;

export interface World {
  readonly setup: readonly Step[];
  /** What each session does. */
  readonly scripts: readonly (readonly Step[])[];
  readonly looks: readonly Step[];
}

const nobody = (sql: string): Step => ({ session: '', sql, ends: false });
const pick = <T>(random: Random, of: readonly T[]): T => of[random(of.length)]!;

const KEYS = ['', ' deferrable', ' deferrable initially deferred'];
const ACTIONS = ['', ' on delete cascade', ' on delete set null', ' on update cascade on delete cascade', ' deferrable initially deferred'];

export function world(random: Random): World {
  const setup = [
    'create table p (id int primary key, v int, w int)',
    `create table c (id int primary key, p int references p${pick(random, ACTIONS)}, u int unique${random(4) === 0 ? pick(random, KEYS) : ''}, v int)`,
    'insert into p values (1, 10, 1), (2, 20, 2), (3, 30, 3)',
    'insert into c values (1, 1, 1, 10), (2, 2, 2, 20)',
  ];
  if (random(3) === 0) {
    setup.push('create function bump() returns trigger language plpgsql as $$ begin new.w := coalesce(new.w, 0) + 1; return new; end $$',
      'create trigger bump before update on p for each row execute function bump()');
  }
  // Who enters a key waits for those who are changing its row; in PostgreSQL not for those who have only locked it.
  const locks = random(2) === 0 ? ['for update', 'for no key update', 'for share', 'for key share'] : ['for share', 'for key share'];
  const scripts = Array.from({ length: 2 + random(2) }, (_, i) => script(random, 'abc'[i]!, locks));
  return {
    setup: setup.map(nobody), scripts,
    looks: ['select * from p order by id', 'select * from c order by id', 'select count(*) from c left join p on p.id = c.p where c.p is not null and p.id is null'].map(nobody),
  };
}

/** Some transactions, and statements of their own. */
function script(random: Random, session: string, locks: readonly string[]): Step[] {
  const steps: string[] = [];
  for (let n = 1 + random(2); n > 0; n--) {
    if (random(4) === 0) {
      steps.push(statement(random, locks));
      continue;
    }
    steps.push(pick(random, ['begin', 'begin', 'begin', 'begin isolation level repeatable read']));
    let open = 0;
    for (let m = 1 + random(4); m > 0; m--) {
      if (random(6) === 0) {
        steps.push(`savepoint s${++open}`);
      } else if (open > 0 && random(3) === 0) {
        steps.push(`${pick(random, ['rollback to', 'rollback to', 'release'])} s${open}`);
        if (steps.at(-1)!.startsWith('release')) open--;
      }
      steps.push(statement(random, locks));
    }
    steps.push(pick(random, ['commit', 'commit', 'commit', 'rollback']));
  }
  return steps.map((sql) => ({ session, sql, ends: false }));
}

function statement(random: Random, locks: readonly string[]): string {
  const id = 1 + random(4), other = 1 + random(4), n = random(50);
  const lock = pick(random, locks), enters = locks.length === 2;
  switch (random(26)) {
    case 0: return `select * from p where id = ${id} ${lock}`;
    case 1: return `select * from p where id = ${id} ${lock} ${pick(random, ['nowait', 'skip locked'])}`;
    case 2: return `select * from c where id = ${id} ${lock}`;
    case 3: return `select p.id, p.v, c.id, c.v from p join c on c.p = p.id where p.id = ${id} order by c.id ${lock} of ${pick(random, ['p', 'c', 'p, c'])}`;
    case 4: return `select id from p order by id limit 1 ${lock} skip locked`;
    case 5: case 6: return `update p set v = v + ${n} where id = ${id} returning id, v`;
    case 7: return `update p set v = v + 1 where id = ${id} and v ${pick(random, ['<', '>'])} ${n} returning id, v`;
    case 8: return `update p set id = ${other} where id = ${id}`;
    case 9: return `update p set id = ${id}, v = ${n} where id = ${id}`;
    case 10: return `update p set v = p.v + c.v from c where c.p = p.id and p.id = ${id} returning p.id, p.v, c.id`;
    case 11: return `update p set v = (select sum(v) from c) where id = ${id} returning id, v`;
    case 12: return `delete from p where id = ${id} returning id, v`;
    case 13: if (!enters) return `select v from p where id = ${id} ${lock}`; return `insert into p values (${id}, ${n}) returning id, v`;
    case 14: if (!enters) return `update p set v = ${n}`; return `insert into p values (${id}, ${n}) on conflict do nothing returning id, v`;
    case 15: if (!enters) return `delete from p where v < ${n}`; return `insert into p values (${id}, ${n}) on conflict (id) do update set v = p.v + excluded.v returning id, v`;
    case 16: if (!enters) return `update c set v = ${n}`; return `insert into c values (${other}, ${id}, ${1 + random(4)}, ${n})`;
    case 17: return `update c set p = ${other} where id = ${id}`;
    case 18: return `update c set u = ${other} where id = ${id}`;
    case 19: return `update c set v = v + 1 where id = ${id} returning *`;
    case 20: return `delete from c where id = ${id} returning *`;
    case 21: return `select ${pick(random, ['id, v', 'count(*), sum(v)'])} from ${pick(random, ['p', 'c'])}${random(2) === 0 ? ` where id = ${id}` : ''}`.replace(/^select id, v from (.)$/, 'select id, v from $1 order by id');
    case 24: return pick(random, ['select count(*) from p, c', 'select id, v from p order by id', `select exists (select from c where p = ${id})`]);
    case 23: return `lock table ${pick(random, ['p', 'c'])} in ${pick(random, ['access share', 'row exclusive', 'exclusive', 'access exclusive'])} mode`;
    case 22: return `merge into p using (values (${id}, ${n})) s (id, n) on s.id = p.id when matched and p.v < ${random(50)} then update set v = p.v + s.n ${pick(random, ['', 'when matched then delete '])}when not matched then insert values (s.id, s.n)`;
    default: return pick(random, [`select pg_advisory_xact_lock(${random(2)})`,
      `with x as (update c set v = v + 1 where id = ${id} returning p, v) update p set v = p.v + x.v from x where x.p = p.id returning p.id, p.v`]);
  }
}

/** The next step: of any session that does not wait, in random order; then the looks. */
export function playRandomly(random: Random, { setup, scripts, looks }: World): (waits: (session: string) => boolean) => Step | null {
  const at = scripts.map(() => 0);
  let before = 0, after = 0;
  return (waits) => {
    if (before < setup.length) return setup[before++]!;
    const able = scripts.map((_s, i) => i).filter((i) => at[i]! < scripts[i]!.length && !waits('abc'[i]!));
    if (able.length > 0) {
      const i = pick(random, able);
      return scripts[i]![at[i]!++]!;
    }
    return looks[after++] ?? null;
  };
}
