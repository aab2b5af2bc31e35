// Sessions that do all kinds of things at once, while everything that can die does: backends, transaction managers, the postmaster
// alone, all together, also while it starts or begins anew because it was idle. Each session owns rows, tables and roles and knows
// what they must be like after each of its transactions; a ledger, written in the same transactions, says which of them count
// whose answer never came. What was acknowledged must be there, nothing half-done may be seen, each index must lead to each
// row and to nothing else, and no number of a sequence may come twice.
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Client } from 'pg';
import { runFolder, isRunning, until } from '../support/run.ts';
import type { Site } from '../support/site.ts';
import { randomFrom } from '../support/random.ts';

const SPAN = 1_000_000, COUNTERS = 4;
export type Victim = 'backend' | 'manager' | 'postmaster' | 'everything' | 'start' | 'stop' | 'idle';

interface Item { v: number; note: string }
interface Table { rows: number; from: number; index: boolean }
/** What a session's own things are like. */
class Model {
  readonly items = new Map<number, Item>();
  readonly tables = new Map<string, Table>();
  readonly roles = new Set<string>();
  copy(): Model {
    const other = new Model();
    for (const [id, item] of this.items) other.items.set(id, { ...item });
    for (const [name, table] of this.tables) other.tables.set(name, { ...table });
    for (const role of this.roles) other.roles.add(role);
    return other;
  }
}

/** A transaction that counts, or not: `from` and `to` are places of the clock. Whoever looks at a place between sees it or not. */
interface Past { tx: number; from: number; to: number; counts: boolean; model: Model }

export class MixedTorture {
  readonly counts: Record<string, number> = {};
  readonly faults: string[] = [];
  site: Site;
  readonly database: string;
  /** What power.test.ts goes back by. */
  readonly clock: (() => number) | null;
  /** The signal that processes die of. */
  private readonly deadly: number;
  private readonly random: (limit: number) => number;
  private readonly slots: Slot[];
  /** With when they came. */
  readonly numbers = new Map<string, number>();
  readonly notified = new Map<number, number>();
  /** Transactions whose PREPARE was acknowledged, and when. */
  readonly prepared = new Map<number, number>();
  readonly done = new Map<number, 'acknowledged' | 'refused' | 'unknown'>();
  nextTransaction = 1;
  stopping = false;
  /** Nobody is to be connected. */
  quiet: Promise<void> | null = null;

  constructor(site: Site, seed: number, sessions: number, { database = 'postgres', firstSlot = 0, clock = null as (() => number) | null, deadly = constants.signals.SIGKILL as number } = {}) {
    this.site = site;
    this.database = database;
    this.clock = clock;
    this.deadly = deadly;
    this.random = randomFrom(seed);
    this.slots = Array.from({ length: sessions }, (_, i) => new Slot(this, firstSlot + i, randomFrom(seed * 100 + i)));
  }

  count(what: string, n = 1): void { this.counts[what] = (this.counts[what] ?? 0) + n; }
  fault(text: string): void {
    this.faults.push(`${new Date().toISOString()} ${text}`);
  }

  async prepare(): Promise<void> {
    const client = await this.site.connect({ database: this.database });
    await client.query(`
      create table ledger (tx int primary key, slot int not null, counter int);
      create table item (id int primary key, slot int not null, v int not null, note text not null, unique (slot, id));
      create index item_v on item (slot, v);
      create index item_note on item (left(note, 60)) where v % 2 = 0;
      create index item_words on item using gin (to_tsvector('simple', note));
      create table counter (id int primary key, n int not null);
      create table later (slot int);
      create sequence numbers;
      insert into counter select i, 0 from generate_series(0, ${COUNTERS - 1}) i`);
    await client.end();
  }

  async run(milliseconds: number, kinds: readonly Victim[]): Promise<void> {
    const workers = this.slots.map(async (slot) => slot.work()), listener = this.listen();
    const end = Date.now() + milliseconds;
    while (Date.now() < end && this.faults.length === 0) {
      const from = this.counts['acknowledged'] ?? 0, wanted = this.random(80);
      await until('there are commits', () => (this.counts['acknowledged'] ?? 0) >= from + wanted || this.faults.length > 0, 60_000);
      await pause(this.random(300));
      const kind = kinds[this.random(kinds.length)]!;
      this.count(`killed: ${kind}`);
      await this.kill(kind);
    }
    this.stopping = true;
    await Promise.all([...workers, listener]);
    if (this.faults.length > 0) return;
    await this.checkAll('in the end');
    const client = await connect(this.site, this.database), { rows } = await client.query('select gid from pg_prepared_xacts');
    await client.end();
    if (rows.length > 0) this.fault(`in the end ${JSON.stringify(rows)} are still prepared`);
  }

  /** Until so many transactions have come through. */
  async work(transactions: number, kinds: readonly ('backend' | 'manager')[]): Promise<void> {
    const workers = this.slots.map(async (slot) => slot.work()), listener = this.listen(), acknowledged = (): number => this.counts['acknowledged'] ?? 0;
    while (acknowledged() < transactions && this.faults.length === 0) {
      const wanted = Math.min(acknowledged() + 10 + this.random(40), transactions);
      await until('there are commits', () => acknowledged() >= wanted || this.faults.length > 0, 60_000);
      await this.kill(kinds[this.random(kinds.length)]!);
    }
    this.stopping = true;
    await Promise.all([...workers, listener]);
  }

  /** Whether a site is as this one was at a place of the clock: with what had come through, without what had not begun. */
  async checkAt(place: number, site: Site, when: string): Promise<void> {
    const [own, done, notified] = [this.site, new Map(this.done), new Map(this.notified)];
    this.site = site;
    this.done.clear();
    for (const slot of this.slots) for (const { tx, to, counts } of slot.past) if (!counts) this.done.set(tx, 'refused'); else if (to <= place) this.done.set(tx, 'acknowledged');
    for (const slot of this.slots) for (const { tx, from } of slot.past) if (from > place) this.done.set(tx, 'refused');
    for (const [tx, at] of this.notified) if (at > place) this.notified.delete(tx);
    try {
      await this.checkAll(when);
      const client = await connect(site, this.database);
      await this.endPrepared(place, when, client);
      const there = await ledgerOf(client);
      for (const slot of this.slots) await slot.checkAt(place, there, when, client);
      const { rows } = await client.query("select nextval('numbers') from generate_series(1, 5)");
      for (const { nextval } of rows) if ((this.numbers.get(nextval as string) ?? Infinity) <= place) this.fault(`${when}: the sequence gives ${nextval} again`);
      await client.end();
    } finally {
      this.site = own;
      this.done.clear();
      for (const [tx, state] of done) this.done.set(tx, state);
      for (const [tx, at] of notified) this.notified.set(tx, at);
    }
  }

  gid(tx: number): string { return `${this.database} ${tx}`; }

  /**
   * What was prepared is, or has been committed meanwhile; and can be. Before anything is read that it may have altered: its
   * lock would be waited for, and nobody else would ever end it.
   */
  private async endPrepared(place: number, when: string, client: Client): Promise<void> {
    const before = await ledgerOf(client);
    const listed = new Set((await client.query('select gid from pg_prepared_xacts where database = current_database()')).rows.map((row) => row.gid as string));
    for (const gid of listed) await client.query(`commit prepared '${gid}'`);
    this.count('prepared in a picture', listed.size);
    const after = await ledgerOf(client);
    for (const [tx, at] of this.prepared) {
      if (at <= place && !before.has(tx) && !listed.has(this.gid(tx))) this.fault(`${when}: transaction ${tx} was prepared and is gone`);
      if (listed.has(this.gid(tx)) && !after.has(tx)) this.fault(`${when}: transaction ${tx} was prepared and committed and is not there`);
    }
  }

  private async kill(kind: Victim): Promise<void> {
    const { site } = this;
    const kill = (pid: number): void => { try { process.kill(pid, this.deadly); } catch { /* gone */ } };
    if (kind === 'backend') {
      const backends = site.processes().filter(({ title }) => /postgres postgres/.test(title));
      for (let n = 1 + this.random(2); n > 0 && backends.length > 0; n--) kill(backends.splice(this.random(backends.length), 1)[0]!.pid);
      return;
    }
    if (kind === 'manager') {
      const managers = site.processes().filter(({ title }) => /manager/.test(title));
      for (let n = 1 + this.random(2); n > 0 && managers.length > 0; n--) kill(managers.splice(this.random(managers.length), 1)[0]!.pid);
      return;
    }
    let open = (): void => {};
    this.quiet = new Promise((wake) => { open = wake; });
    if (kind === 'idle') {
      // Sessions leave; the postmaster begins anew after a second, and is killed about then.
      await Promise.all(this.slots.map(async (slot) => until('a session has left', () => slot.client === null, 30_000)));
      await pause(800 + this.random(1500));
      await this.killAll();
    } else if (kind === 'postmaster') {
      const children = site.processes();
      kill(site.pid);
      await site.ended;
      for (const { pid } of children) await until(`process ${pid} goes with its postmaster`, () => !isRunning(pid), 10_000);
    } else if (kind === 'stop') {
      await site.stop((['SIGINT', 'SIGQUIT'] as const)[this.random(2)]!);
    } else {
      await this.killAll();
    }
    for (let n = kind === 'start' ? 1 + this.random(3) : 0; n > 0; n--) {
      // It is killed again while it starts and has its first sessions.
      const started = site.start().catch(() => {});
      await pause(this.random(1200));
      const hurry = site.connect().then(async (client) => { await client.query('insert into later values (-1)'); }).catch(() => {});
      await pause(this.random(30));
      await this.killAll();
      await Promise.all([started, hurry]);
    }
    await site.start();
    await this.checkAll(`after ${kind}`);
    this.quiet = null;
    open();
  }

  private async killAll(): Promise<void> {
    await this.site.killEverything();
  }

  private async listen(): Promise<void> {
    while (!this.stopping) {
      await this.quiet;
      try {
        const client = await this.site.connect({ database: this.database });
        client.on('notification', ({ payload }) => { this.notified.set(Number(payload), this.clock?.() ?? 0); });
        await client.query('listen torture');
        while (!this.stopping && this.quiet === null) { await client.query('select 1'); await pause(100); }
        await client.end();
      } catch { await pause(50); }
    }
  }

  /** What can be asked at any time. */
  async checkAll(when: string): Promise<void> {
    const client = await connect(this.site, this.database);
    try {
      await client.query('insert into later values (-2)'); // what killed backends have sent is applied before it
      const ledger = new Map((await client.query('select tx, counter from ledger')).rows.map((row) => [row.tx as number, row.counter as number | null]));
      for (const [tx, state] of this.done) {
        if (state === 'acknowledged' && !ledger.has(tx)) this.fault(`${when}: transaction ${tx} was acknowledged and is gone`);
        if (state === 'refused' && ledger.has(tx)) this.fault(`${when}: transaction ${tx} was refused and is there`);
      }
      for (const tx of this.notified.keys()) if (!ledger.has(tx)) this.fault(`${when}: transaction ${tx} notified and is not there`);
      const { rows } = await client.query('select c.id, c.n, (select count(*)::int from ledger where counter = c.id) as m from counter c');
      for (const { id, n, m } of rows) if (n !== m) this.fault(`${when}: counter ${id} is ${n}, the ledger has ${m}`);
      await this.checkIndexes(client, when);
    } catch (error) {
      this.fault(`${when}: ${(error as Error).stack}`);
    } finally {
      await client.end().catch(() => {});
    }
  }

  /** Every row by every index, every entry of an index to its row: the same rows, read in different ways. */
  private async checkIndexes(client: Client, when: string): Promise<void> {
    const ways: [string, string, RegExp][] = [
      ['id >= 0', 'true', /item_pkey/], ['slot >= 0 and id >= 0', 'true', /item_slot_id_key/], ['slot >= 0 and v > -1000000', 'true', /item_v\b/],
      ["left(note, 60) >= '' and v % 2 = 0", 'v % 2 = 0', /item_note\b/], ["to_tsvector('simple', note) @@ 'word'::tsquery", 'true', /item_words/],
    ];
    const sum = "count(*)::int as n, coalesce(sum(hashtext(id || ' ' || slot || ' ' || v || ' ' || note)), 0)::text as h";
    await client.query('begin isolation level repeatable read');
    for (const [condition, same, index] of ways) {
      await client.query('set local enable_indexscan = off; set local enable_indexonlyscan = off; set local enable_bitmapscan = off; set local enable_seqscan = on');
      const table = (await client.query(`select ${sum} from item where ${same}`)).rows[0];
      await client.query('set local enable_seqscan = off; set local enable_indexscan = on; set local enable_indexonlyscan = on; set local enable_bitmapscan = on');
      const plan = (await client.query(`explain select ${sum} from item where ${condition}`)).rows.map((row) => row['QUERY PLAN'] as string).join('\n');
      if (!index.test(plan)) this.count(`no ${index.source}`);
      const found = (await client.query(`select ${sum} from item where ${condition}`)).rows[0];
      if (found.n !== table.n || found.h !== table.h) this.fault(`${when}: by ${condition} ${JSON.stringify(found)}, the table ${JSON.stringify(table)}\n${plan}`);
      // Entries counted without their rows.
      if (/^id|^slot >= 0 and v/.test(condition)) {
        const column = condition.startsWith('id') ? 'id' : 'v', entries = (await client.query(`select count(*)::int as n from (select ${column} from item where ${condition} order by slot, ${column}) s`)).rows[0].n;
        if (entries !== table.n) this.fault(`${when}: ${entries} entries for ${condition}, the table has ${table.n} rows`);
      }
    }
    await client.query('commit');
  }
}

/** One session and what is its own. */
class Slot {
  client: Client | null = null;
  private model = new Model();
  readonly past: Past[] = [];
  private readonly all: MixedTorture;
  private readonly number: number;
  private readonly random: (limit: number) => number;
  private nextId: number;
  private nextName = 1;

  constructor(all: MixedTorture, number: number, random: (limit: number) => number) {
    this.all = all;
    this.number = number;
    this.random = random;
    this.nextId = number * SPAN;
  }

  async work(): Promise<void> {
    const { all } = this;
    while (!all.stopping && all.faults.length === 0) {
      await all.quiet;
      try {
        this.client = await all.site.connect({ database: all.database });
        if (all.quiet === null) await this.check('after connecting', this.client);
        while (!all.stopping && all.quiet === null && all.faults.length === 0 && await this.transaction(this.client));
      } catch (error) {
        all.count(`session: ${(error as Error).message}`.slice(0, 150));
        // 40001: the manager was killed while the first look was under way.
        if (/^(?!40001)[0-4]|^XX/.test((error as { code?: string }).code ?? '')) all.fault(String((error as Error).stack));
        await pause(20);
      }
      await this.client?.end().catch(() => {});
      this.client = null;
    }
    if (all.faults.length > 0) return;
    // All is quiet: the last look.
    const client = await connect(all.site, all.database);
    await this.check('in the end', client);
    await client.end();
  }

  /** False: the connection is gone. */
  private async transaction(client: Client): Promise<boolean> {
    const { all, random } = this, tx = all.nextTransaction++, wanted = this.model.copy(), statements: string[] = [], from = all.clock?.() ?? 0;
    const counter = random(3) === 0 ? random(COUNTERS) : null;
    const parts = 1 + random(4);
    for (let i = 0; i < parts; i++) statements.push(...this.part(wanted));
    const ledger = `insert into ledger values (${tx}, ${this.number}, ${counter})`;
    statements.splice(random(statements.length + 1), 0, ledger);
    if (counter !== null) statements.push(`update counter set n = n + 1 where id = ${counter}`);
    const notifies = random(4) === 0;
    if (notifies) statements.push(`notify torture, '${tx}'`);
    if (random(3) === 0) statements.push("select nextval('numbers')");
    const style = random(4);
    let ending = false, isPrepared = false;
    try {
      if (style === 0) {
        // One message, an implicit block.
        ending = true;
        this.note(await client.query(statements.join(';\n')));
      } else {
        await client.query(style === 1 ? 'begin isolation level repeatable read' : 'begin');
        for (const text of statements) {
          if (style === 2 && random(3) === 0) {
            await client.query('savepoint s');
            this.note(await client.query(`select nextval('numbers'); insert into item select ${this.nextId + 500_000} + i, ${this.number}, i, 'word never' from generate_series(1, 50) i; update item set v = v + 77 where slot = ${this.number} and v % 3 = 0; delete from item where slot = ${this.number} and v % 7 = 0`));
            await client.query('rollback to s');
          }
          this.note(await client.query(text));
        }
        if (random(12) === 0) {
          await client.query('rollback');
          all.done.set(tx, 'refused');
          all.count('rolled back');
          return true;
        }
        ending = true;
        if (notifies || random(4) > 0) {
          await client.query('commit');
        } else {
          await client.query(`prepare transaction '${all.gid(tx)}'`);
          isPrepared = true;
          all.prepared.set(tx, all.clock?.() ?? 0);
          all.count('prepared');
          await client.query(`commit prepared '${all.gid(tx)}'`);
        }
      }
      all.done.set(tx, 'acknowledged');
      all.count('acknowledged');
      this.model = wanted;
      return true;
    } catch (error) {
      const { code } = error as { code?: string };
      const lost = code === undefined || /^(57P|08|E)/.test(code);
      all.count(`error ${code}`);
      if (!lost && !isPrepared) {
        all.done.set(tx, 'refused');
        if (!['40001', '40P01', '23505'].includes(code)) all.count(`unexpected ${code}: ${(error as Error).message}`.slice(0, 150));
        if (code === 'XX000') all.fault(`${(error as Error).message}: ${statements.join('; ').slice(0, 400)}`);
        await client.query('rollback').catch(() => {});
        return true;
      }
      if (!ending) all.done.set(tx, 'refused');
      else await this.ask(tx, wanted);
      return false;
    } finally {
      if (all.clock !== null) this.past.push({ tx, from, to: all.clock(), counts: all.done.get(tx) === 'acknowledged', model: this.model });
    }
  }

  async checkAt(place: number, there: ReadonlySet<number>, when: string, client: Client): Promise<void> {
    const now = this.model, last = this.past.findLast(({ tx, from, to, counts }) => counts && (to <= place || (from <= place && there.has(tx))));
    this.model = last?.model ?? new Model();
    await this.check(when, client);
    this.model = now;
  }

  /** The ledger knows whether a transaction counts whose answer never came. */
  private async ask(tx: number, wanted: Model): Promise<void> {
    this.client = null;
    for (;;) {
      await this.all.quiet;
      const client = await connect(this.all.site, this.all.database);
      try {
        await client.query(`insert into later values (${this.number})`);
        if ((await client.query(`select from pg_prepared_xacts where gid = '${this.all.gid(tx)}'`)).rows.length > 0) {
          await client.query(`commit prepared '${this.all.gid(tx)}'`);
          this.all.count('prepared, finished by another session');
        }
        const { rows } = await client.query(`select from ledger where tx = ${tx}`);
        if (rows.length === 0 && this.all.prepared.has(tx)) this.all.fault(`transaction ${tx} was prepared and is gone`);
        this.all.done.set(tx, rows.length > 0 ? 'acknowledged' : 'refused');
        this.all.count(rows.length > 0 ? 'unknown, there' : 'unknown, not there');
        if (rows.length > 0) this.model = wanted;
        return;
      } catch { await pause(20); } finally { await client.end().catch(() => {}); }
    }
  }

  private note(result: unknown): void {
    for (const one of Array.isArray(result) ? result : [result]) {
      const number = (one as { rows?: { nextval?: string }[] }).rows?.[0]?.nextval;
      if (number === undefined) continue;
      if (this.all.numbers.has(number)) this.all.fault(`the sequence gave ${number} twice`);
      this.all.numbers.set(number, this.all.clock?.() ?? 0);
    }
  }

  /** Something to do, and what it does to what is ours. */
  private part(wanted: Model): string[] {
    const { random, number } = this, ids = [...wanted.items.keys()], names = [...wanted.tables.keys()];
    const item = (id: number, v: number): string => {
      const note = `word ${'n'.repeat(1 + random(random(20) === 0 ? 6000 : 60))}${random(1000)}`;
      wanted.items.set(id, { v, note });
      return `(${id}, ${number}, ${v}, '${note}')`;
    };
    const some = (): number => ids[random(ids.length)]!;
    const kind = ids.length > 4000 ? 12 : random(13);
    if (kind <= 2 || ids.length === 0) return [`insert into item values ${item(this.nextId++, random(1000))}`];
    if (kind === 3) {
      const rows = Array.from({ length: 1 + random(300) }, () => item(this.nextId++, random(1000)).slice(1, -1).replace(/, /g, '\t').replace(/'/g, ''));
      const file = join(runFolder(), `mixed.${process.pid}.${number}.${this.nextName++ % 8}.txt`);
      writeFileSync(file, `${rows.join('\n')}\n`, { mode: 0o644 });
      return [`copy item from '${file}'`];
    }
    if (kind === 4) {
      const id = some(), old = wanted.items.get(id)!;
      wanted.items.set(id, { v: old.v + 1, note: old.note });
      return [`update item set v = v + 1 where id = ${id}`];
    }
    if (kind === 5) {
      const below = random(1000), add = random(50);
      for (const [id, old] of wanted.items) if (old.v < below) wanted.items.set(id, { v: old.v + add, note: `${old.note}w`.slice(-5000) });
      // A note keeps its first word.
      for (const [id, old] of wanted.items) if (!old.note.startsWith('word ')) wanted.items.set(id, { v: old.v, note: `word ${old.note}` });
      return [`update item set v = v + ${add}, note = case when right(note || 'w', 5000) like 'word %' then right(note || 'w', 5000) else 'word ' || right(note || 'w', 5000) end where slot = ${number} and v < ${below}`,
        `update item set note = 'word ' || note where slot = ${number} and note not like 'word %'`];
    }
    if (kind === 6) {
      const id = some();
      wanted.items.delete(id);
      return [`delete from item where id = ${id}`];
    }
    if (kind === 7) {
      const id = random(2) === 0 ? some() : this.nextId++, old = wanted.items.get(id);
      wanted.items.set(id, old === undefined ? { v: 5, note: 'word new' } : { v: old.v + 1, note: old.note });
      return [`insert into item values (${id}, ${number}, 5, 'word new') on conflict (id) do update set v = item.v + 1`];
    }
    if (kind === 8) {
      const name = `own_${number}_${this.nextName++}`, rows = 1 + random(random(5) === 0 ? 20_000 : 200);
      wanted.tables.set(name, { rows, from: 1, index: false });
      return [`create table ${name} (a int primary key, b text)`, `insert into ${name} select i, md5(i::text) from generate_series(1, ${rows}) i`];
    }
    if (kind === 9 && names.length > 0) {
      const name = names[random(names.length)]!, table = wanted.tables.get(name)!;
      switch (random(names.length > 5 ? 1 : 4)) {
        case 0: wanted.tables.delete(name); return [`drop table ${name}`];
        case 1: table.rows = 0; return [`truncate ${name}`];
        case 2: if (table.index) return []; table.index = true; return [`create index on ${name} (b, a)`];
        default: return [`alter table ${name} add column c${this.nextName++} int default 7`];
      }
    }
    if (kind === 10) {
      const [old] = wanted.roles;
      if (old !== undefined && random(2) === 0) { wanted.roles.delete(old); return [`drop role ${old}`]; }
      const name = `r_${number}_${this.nextName++}`;
      wanted.roles.add(name);
      return [`create role ${name}`];
    }
    if (kind === 12) {
      const below = random(700);
      for (const [id, { v }] of wanted.items) if (v < below) wanted.items.delete(id);
      return [`delete from item where slot = ${number} and v < ${below}`];
    }
    const id = some();
    const old = wanted.items.get(id)!;
    wanted.items.delete(id);
    wanted.items.set(this.nextId, old);
    return [`update item set id = ${this.nextId++} where id = ${id}`];
  }

  /** Whether everything that is ours is as it must be. */
  private async check(when: string, client: Client): Promise<void> {
    const { model, number, all } = this, wrong = (text: string): void => all.fault(`slot ${number} ${when}: ${text}`);
    await client.query(`insert into later values (${number})`);
    const rows = (await client.query(`select id, v, note from item where slot = ${number}`)).rows as (Item & { id: number })[];
    if (rows.length !== model.items.size) wrong(`${rows.length} rows, not ${model.items.size}`);
    for (const { id, v, note } of rows) {
      const item = model.items.get(id);
      if (item === undefined || item.v !== v || item.note !== note) { wrong(`row ${id} is ${v} ${note.slice(-40)}, not ${JSON.stringify(item)?.slice(-60)}`); break; }
    }
    const names = (await client.query(`select relname from pg_class where relname like 'own\\_${number}\\_%' and relkind = 'r'`)).rows.map((row) => row.relname as string).sort();
    if (names.join(' ') !== [...model.tables.keys()].sort().join(' ')) wrong(`tables ${names.join(' ')}, not ${[...model.tables.keys()].join(' ')}`);
    else for (const [name, table] of model.tables) {
      const [found] = (await client.query(`select count(*)::int as n, coalesce(sum(a), 0)::int as s, (select count(*)::int from pg_index where indrelid = '${name}'::regclass) as i from ${name}`)).rows;
      if (found.n !== table.rows || found.s !== table.rows * (table.rows + 1) / 2 || found.i !== (table.index ? 2 : 1)) wrong(`table ${name} has ${JSON.stringify(found)}, not ${JSON.stringify(table)}`);
    }
    // The shared half of a commit whose backend was killed is brought to its end by the sessions that begin later.
    const expected = [...model.roles].sort().join(' ');
    let roles = '';
    for (let attempt = 0; attempt < 50; attempt++) {
      const other = await all.site.connect({ database: all.database });
      roles = (await other.query(`select rolname from pg_roles where rolname like 'r\\_${number}\\_%'`)).rows.map((row) => row.rolname as string).sort().join(' ');
      await other.end();
      if (roles === expected) return;
      await pause(100);
    }
    wrong(`roles ${roles}, not ${expected}`);
  }
}

async function ledgerOf(client: Client): Promise<ReadonlySet<number>> {
  return new Set((await client.query('select tx from ledger')).rows.map((row) => row.tx as number));
}

/** Until it listens. Nobody waits for a lock for ever. */
async function connect(site: Site, database: string): Promise<Client> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await site.connect({ database, options: '-c lock_timeout=120s' });
    } catch (error) {
      if (attempt > 400) throw error;
      await pause(50);
    }
  }
}

async function pause(ms: number): Promise<void> {
  return new Promise((wake) => { setTimeout(wake, ms); });
}
