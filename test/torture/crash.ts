// Many clients move money about while backends, the transaction manager or everything is killed -9. What must hold:
// the sums agree, nothing that was acknowledged is lost, nothing is half-done, no lock stays, the others go on without
// an error when a backend is killed, and new transactions work within a second of a manager's death.
import type { Client } from 'pg';
import { isRunning, processInfo, until } from '../support/run.ts';
import type { Site } from '../support/site.ts';
import { randomFrom } from '../support/random.ts';

const ACCOUNTS = 20, START = 1000;

export interface Summary {
  acknowledged: number; unknown: number; refused: number; backendsKilled: number; managersKilled: number; restarts: number;
  /** Milliseconds from a manager's death to the next commit of somebody. */
  longestPauseMs: number;
}

/** What a client was told, or not. */
interface Transfer { id: number; outcome: 'acknowledged' | 'refused' | 'unknown' }

export class Torture {
  readonly summary: Summary = { acknowledged: 0, unknown: 0, refused: 0, backendsKilled: 0, managersKilled: 0, restarts: 0, longestPauseMs: 0 };
  private readonly site: Site;
  private readonly random: (limit: number) => number;
  private readonly transfers: Transfer[] = [];
  private readonly victims = new Set<number>();
  private readonly clients: (Client | null)[];
  private stopping = false;
  private nextId = 1;
  /** Everything was killed, and is not up yet. */
  private down: Promise<void> | null = null;
  /** The manager was killed: transactions that held locks may fail until then. */
  private managerTrouble = 0;
  private managerDies = false;
  private readonly faults: string[] = [];
  private readonly commits = new Set<() => void>();

  constructor(site: Site, seed: number, clients: number) {
    this.site = site;
    this.random = randomFrom(seed);
    this.clients = new Array<Client | null>(clients).fill(null);
  }

  static async prepare(site: Site): Promise<void> {
    const client = await site.connect();
    await client.query(`drop table if exists account, transfer;
      create table account (id int primary key, balance int not null, moves int not null);
      create table transfer (id int primary key, source int not null references account, target int not null, amount int not null);
      create index on transfer (source);
      insert into account select i, ${START}, 0 from generate_series(1, ${ACCOUNTS}) i`);
    await client.end();
  }

  /** Runs for about so long; then checks everything. Throws what is wrong. */
  async run(milliseconds: number, kinds: readonly ('backend' | 'manager' | 'everything')[]): Promise<Summary> {
    const workers = this.clients.map(async (_, slot) => this.work(slot));
    const end = Date.now() + milliseconds;
    while (Date.now() < end && this.faults.length === 0) {
      await this.afterCommits(5 + this.random(60));
      const kind = kinds[this.random(kinds.length)]!;
      if (kind === 'backend') this.killBackend();
      else if (kind === 'manager') await this.killManager();
      else await this.killEverything();
    }
    this.stopping = true;
    await Promise.all(workers);
    await this.check();
    if (this.faults.length > 0) throw new Error(this.faults.join('\n'));
    return this.summary;
  }

  /** Waits until so many more transfers have been acknowledged. */
  private async afterCommits(count: number): Promise<void> {
    let left = count;
    await new Promise<void>((done, failed) => {
      const limit = setTimeout(() => { this.commits.delete(note); failed(new Error(`no commits for 20 s; the log ends:\n${this.site.log().slice(-3000)}`)); }, 20_000);
      const note = (): void => {
        if (--left > 0 && this.faults.length === 0) return;
        clearTimeout(limit);
        this.commits.delete(note);
        done();
      };
      this.commits.add(note);
    });
  }

  private async work(slot: number): Promise<void> {
    while (!this.stopping) {
      await this.down;
      let client: Client;
      try {
        client = await this.site.connect();
        // By the index two accounts are locked in the order of their numbers. Where rows stand in the table is another order
        // once they have moved, and two transfers met a deadlock.
        await client.query('set enable_seqscan = off; set enable_bitmapscan = off');
      } catch (error) {
        if (this.down === null && !this.stopping) this.faults.push(`a connection was refused: ${(error as Error).message}`);
        continue;
      }
      this.clients[slot] = client;
      while (!this.stopping && await this.transfer(slot, client));
      this.clients[slot] = null;
      await client.end().catch(() => {});
    }
  }

  /** False: the connection is gone. */
  private async transfer(slot: number, client: Client): Promise<boolean> {
    const id = this.nextId++;
    const source = 1 + this.random(ACCOUNTS), target = 1 + this.random(ACCOUNTS), amount = 1 + this.random(50);
    const record: Transfer = { id, outcome: 'unknown' };
    this.transfers.push(record);
    const troubles = this.managerTrouble, wasDown = this.down !== null;
    let committing = false;
    try {
      // Locked in the order of their numbers, so that nobody meets a deadlock.
      const [low, high] = source < target ? [source, target] : [target, source];
      const style = this.random(4);
      if (style === 0) {
        committing = true;
        await client.query(`with moved as (insert into transfer values (${id}, ${source}, ${target}, ${amount}) returning 1)
          update account set balance = balance + case when ${source} = ${target} then 0 when id = ${source} then -${amount} else ${amount} end, moves = moves + 1 where id in (${low}, ${high})`);
      } else {
        await client.query('begin');
        if (style === 1) await client.query(`select 1 from account where id in (${low}, ${high}) order by id for no key update`); // FOR UPDATE would wait for foreign keys, in their order
        await client.query('insert into transfer values ($1, $2, $3, $4)', [id, source, target, amount]);
        for (const account of new Set([low, high])) {
          const change = source === target ? 0 : account === source ? -amount : amount;
          if (style === 2) await client.query('savepoint s');
          await client.query({ name: 'move', text: 'update account set balance = balance + $2, moves = moves + 1 where id = $1', values: [account, change] });
          if (style === 2) {
            await client.query(`update account set balance = balance + 1000000 where id = ${account}`);
            await client.query('rollback to s');
            await client.query({ name: 'move', text: 'update account set balance = balance + $2, moves = moves + 1 where id = $1', values: [account, change] });
          }
        }
        committing = true;
        await client.query('commit');
      }
      record.outcome = 'acknowledged';
      this.summary.acknowledged++;
      for (const note of this.commits) note();
      return true;
    } catch (error) {
      const { code, message } = error as Error & { code?: string };
      const disconnected = code === undefined || code.startsWith('57P') || code.startsWith('08') || code.startsWith('E');
      if (disconnected) {
        // Killed before COMMIT was sent: certainly not done.
        record.outcome = committing ? 'unknown' : 'refused';
        if (!this.victims.has(client.processID) && !wasDown && this.down === null && !this.stopping) {
          await until('it is known why a connection broke', () => this.victims.has(client.processID) || this.down !== null, 2000)
            .catch(() => { this.faults.push(`the connection of a backend that nobody killed broke (client ${slot}): ${message}`); });
        }
      } else {
        record.outcome = 'refused';
        if (this.managerTrouble === troubles && !this.managerDies && this.down === null) this.faults.push(`an error for which there is no reason: ${code} ${message}`);
        await client.query('rollback').catch(() => {});
      }
      this.summary[record.outcome === 'unknown' ? 'unknown' : 'refused']++;
      return !disconnected;
    }
  }

  private killBackend(): void {
    const alive = this.clients.filter((client) => client !== null && isRunning(client.processID));
    const victim = alive[this.random(alive.length)];
    if (!victim) return;
    this.victims.add(victim.processID);
    this.summary.backendsKilled++;
    process.kill(victim.processID, 'SIGKILL');
  }

  private async killManager(): Promise<void> {
    const managers = this.site.processes().filter(({ title }) => /manager/.test(title));
    const manager = managers[this.random(managers.length)];
    if (!manager) return;
    this.managerTrouble++;
    this.summary.managersKilled++;
    const from = performance.now();
    process.kill(manager.pid, 'SIGKILL');
    // What begins until it is really gone may still have taken its first locks there.
    this.managerDies = true;
    await until('the manager is gone', () => !isRunning(manager.pid));
    this.managerDies = false;
    this.managerTrouble++;
    await this.afterCommits(this.clients.length + 1);
    this.summary.longestPauseMs = Math.max(this.summary.longestPauseMs, performance.now() - from);
    this.managerTrouble++;
  }

  private async killEverything(): Promise<void> {
    let up = (): void => {};
    this.down = new Promise((done) => { up = done; });
    this.summary.restarts++;
    for (const client of this.clients) if (client !== null) this.victims.add(client.processID);
    await this.site.killEverything();
    await this.site.start();
    const client = await this.site.connect();
    await this.checkState(client, 'right after the start');
    await client.end();
    this.down = null;
    up();
  }

  /** What may be asked at any time, in one snapshot. */
  private async checkState(client: Client, when: string): Promise<Map<number, unknown>> {
    const { rows } = await client.query(`select (select sum(balance) from account)::int as total, (select sum(moves) from account)::int as moves,
      (select sum(case when source = target then 1 else 2 end) from transfer)::int as expected`);
    const [state] = rows;
    if (state.total !== ACCOUNTS * START) this.faults.push(`${when}: the sum is ${state.total}, not ${ACCOUNTS * START}`);
    if (state.moves !== (state.expected ?? 0)) this.faults.push(`${when}: ${state.moves} moves, but transfers ask for ${state.expected}`);
    const wrong = await client.query(`select a.id, balance, ${START} + coalesce((select sum(amount) from transfer t where t.target = a.id), 0) - coalesce((select sum(amount) from transfer t where t.source = a.id), 0) as wanted
      from account a`);
    for (const row of wrong.rows) if (row.balance !== Number(row.wanted)) this.faults.push(`${when}: account ${row.id} has ${row.balance}, its transfers say ${row.wanted}`);
    const there = new Map((await client.query('select id from transfer')).rows.map((row) => [row.id as number, row]));
    for (const { id, outcome } of this.transfers) {
      if (outcome === 'acknowledged' && !there.has(id)) this.faults.push(`${when}: transfer ${id} was acknowledged and is lost`);
      if (outcome === 'refused' && there.has(id)) this.faults.push(`${when}: transfer ${id} was refused and is there`);
    }
    return there;
  }

  private async check(): Promise<void> {
    const client = await this.site.connect();
    await this.checkState(client, 'in the end');
    // No lock stays.
    await client.query("set lock_timeout = '1s'");
    await client.query('begin; lock table account, transfer in access exclusive mode; update account set moves = moves; commit');
    // The index says what the table says.
    await client.query('set enable_seqscan = off');
    const byIndex = (await client.query('select count(*)::int as n from transfer where source between 1 and 1000')).rows[0].n;
    await client.query('set enable_seqscan = on; set enable_indexscan = off; set enable_bitmapscan = off; set enable_indexonlyscan = off');
    const byTable = (await client.query('select count(*)::int as n from transfer where source between 1 and 1000')).rows[0].n;
    if (byIndex !== byTable) this.faults.push(`the index has ${byIndex} transfers, the table ${byTable}`);
    await client.end();
    for (const pid of this.victims) {
      const left = processInfo(pid);
      if (left && /posthouse/.test(left.title)) await until(`process ${pid} is reaped`, () => processInfo(pid) === undefined, 3000);
    }
  }
}
