// A whole life of a transaction manager in one process and one thread, decided by a seed: clients that move money
// between accounts, take locks, insert unique keys, draw numbers, die; a network that delivers in any order; a disk
// that is full now and then; a manager that dies between any two steps, also in the middle of a write, with answers
// lost. What must hold is checked on the way and at the end.
import { PgError } from '../../src/common/errors.ts';
import { ManagerCore } from '../../src/backend/transaction/core.ts';
import { ByteWriter } from '../../src/backend/transaction/bytes.ts';
import type { ClientMessage, CommitRequest, CommitToken, LockTarget, RowLockMode, ServerMessage } from '../../src/backend/transaction/messages.ts';
import { FastPath } from '../../src/backend/transaction/fast_path.ts';
import { readPreparedStates } from '../../src/backend/transaction/prepared.ts';
import { frameOf, readServerMessage, writeServerMessage } from '../../src/backend/transaction/wire.ts';
import { Crash, MemoryStore } from './memory_store.ts';
import { allEntries, allRows, changing, inserting, provisional, request, row, sequenceRow, stored } from './helpers.ts';

const ACCOUNTS = 16400, LEDGER = 16401, KEYED = 16402, KEY_INDEX = 16403, SEQUENCE = 16404;
const ACCOUNT_COUNT = 12, START_BALANCE = 1000, CLIENTS = 7, KEY_SPACE = 'abcdef';

/** mulberry32. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface Summary { commits: number; crashes: number; deadlocks: number; timeouts: number; changed: number; lost: number; values: number; failures: number; taken: number; prepared: number; finished: number }

class SimulatedClient {
  readonly number: number;
  session = 0;
  connected = false;
  /** What the manager has not received yet, and what it has said. */
  readonly outbox: Buffer[] = [];
  readonly inbox: ServerMessage[] = [];
  awaiting = false;
  incarnation = 0;
  /** Takes locks without a message. */
  fast: FastPath | null = null;
  tokenSession: number;
  tokenNumber = 0;
  /** What to do with the answer. */
  next: (answer: ServerMessage) => void = () => {};
  inDoubt: { incarnation: number; token: CommitToken; isThere: () => boolean | null; done: (applied: boolean) => void } | null = null;
  constructor(number: number, tokenSession: number) {
    this.number = number;
    this.tokenSession = tokenSession;
  }
}

export class Simulation {
  readonly summary: Summary = { commits: 0, crashes: 0, deadlocks: 0, timeouts: 0, changed: 0, lost: 0, values: 0, failures: 0, taken: 0, prepared: 0, finished: 0 };
  private readonly random: () => number;
  private readonly store = new MemoryStore();
  private core: ManagerCore;
  private readonly clients: SimulatedClient[];
  private nextSession = 1;
  private nextEntry = 1;
  private nowMs = 1_000_000;
  private stopping = false;
  /** Ledger entries that must be there, and those that must not. */
  private readonly acknowledged = new Set<number>();
  private readonly denied = new Set<number>();
  /** Ledger entries of transactions that are prepared, by gid; how many finish it, or nobody knows whether they have. */
  private readonly prepared = new Map<string, number>();
  private readonly finishing = new Map<string, number>();
  private readonly drawn = new Set<string>();
  private readonly oids = new Set<number>();
  /** What a row id has meant, for ever. */
  private readonly meaning = new Map<string, number>();

  constructor(seed: number) {
    this.random = random(seed);
    this.core = new ManagerCore(this.store, 5);
    this.clients = Array.from({ length: CLIENTS }, (_, i) => new SimulatedClient(i, 1 + Math.floor(this.random() * 2 ** 47)));
    this.prepare();
  }

  private below(limit: number): number { return Math.floor(this.random() * limit); }
  private chance(part: number): boolean { return this.random() < part; }
  private pick<T>(list: readonly T[]): T { return list[this.below(list.length)]!; }
  private check(condition: unknown, what: string): void { if (!condition) throw new Error(`broken: ${what}`); }

  private prepare(): void {
    const { machine } = this.core;
    machine.connect(0);
    const relations = [
      inserting(ACCOUNTS, Array.from({ length: ACCOUNT_COUNT }, () => row(START_BALANCE))),
      { ...inserting(SEQUENCE, [sequenceRow(1n)]) },
    ];
    const frame = frameOf({ kind: 'commit', token: { session: 1, number: 1 }, timeoutMs: 0, request: request({ relations }) });
    this.core.receive(0, Buffer.from(frame), 4, frame.length, () => Buffer.alloc(0));
    this.core.work();
    machine.disconnect(0);
    this.core.takeOutputs();
    this.core.delivered();
  }

  run(steps: number): Summary {
    for (let step = 0; step < steps; step++) this.step();
    this.stopping = true;
    for (let step = 0; this.busy(); step++) {
      this.check(step < 20_000, 'every waiter comes to an end');
      this.step();
    }
    for (const client of this.clients) this.hangUp(client);
    this.finishAll();
    this.check(this.core.machine.lockCount === 0, 'no lock stays behind');
    this.check(this.core.machine.takenSlots === 0, 'nor one that the manager was not asked for');
    this.checkStore();
    return this.summary;
  }

  private busy(): boolean {
    return this.core.machine.hasWork || this.core.machine.outputs.length > 0
      || this.clients.some((one) => one.awaiting || one.inDoubt !== null || one.outbox.length > 0);
  }

  private step(): void {
    try {
      const what = this.random();
      if (what < 0.001 && !this.stopping) throw new Crash();
      if (what < 0.25) {
        this.work();
      } else if (what < 0.30) {
        this.nowMs += this.below(60);
        this.core.machine.tick(this.nowMs);
      } else {
        this.clientStep(this.pick(this.clients));
      }
      this.collect(1);
      this.core.machine.checkInvariants();
      if (this.chance(0.004)) this.checkStore();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.crash();
    }
  }

  /** One batch; its answers leave before the next one, unless the manager dies. */
  private work(): void {
    // After a full disk the requests are tried one by one: the manager may die between them.
    const full = this.chance(0.02);
    if (full) this.store.failNextWrite = new PgError('disk_full', 'no space left');
    const dies = this.chance(full ? 0.4 : 0.01) && !this.stopping, durable = this.chance(0.6);
    let writes = full ? this.below(4) : 0;
    this.store.onWrite = (written) => { if (dies && written === durable && writes-- <= 0) throw new Crash(); };
    try {
      this.core.work();
    } finally {
      this.store.onWrite = () => {};
      this.store.failNextWrite = null;
    }
    if (this.chance(0.006) && !this.stopping) {
      this.collect(this.random());
      throw new Crash();
    }
    this.collect(1);
    this.core.delivered();
    if (this.core.applier.hasMaintenance) this.core.applier.maintain();
  }

  /** Answers on their way to the clients; a dying manager sends only some of them. */
  private collect(part: number): void {
    for (const { session, message } of this.core.takeOutputs()) {
      const client = this.clients.find((one) => one.session === session && one.connected);
      if (client === undefined || !this.chance(part)) continue;
      const out = new ByteWriter(64);
      writeServerMessage(out, message);
      if (message.kind !== 'waiting') client.inbox.push(readServerMessage(out.bytes, 4, out.length));
    }
  }

  private crash(): void {
    this.summary.crashes++;
    for (const client of this.clients) {
      client.connected = false;
      client.fast = null;
      client.outbox.length = 0;
    }
    this.core = new ManagerCore(this.store, 5);
    this.core.machine.tick(this.nowMs);
    this.checkStore();
  }

  private hangUp(client: SimulatedClient): void {
    if (client.connected) this.core.machine.disconnect(client.session);
    client.connected = false;
    client.fast = null;
    client.outbox.length = client.inbox.length = 0;
    client.awaiting = false;
  }

  private send(client: SimulatedClient, message: ClientMessage, next: (answer: ServerMessage) => void): void {
    // To a manager that is no more it gets lost.
    if (client.connected) client.outbox.push(Buffer.from(frameOf(message)));
    client.awaiting = true;
    client.next = next;
  }

  private clientStep(client: SimulatedClient): void {
    if (client.outbox.length > 0 && this.chance(0.7)) {
      const frame = client.outbox.shift()!;
      const fault = this.core.receive(client.session, frame, 4, frame.length, () => Buffer.alloc(0));
      this.check(fault === null, `a message was refused: ${fault}`);
      return;
    }
    const answer = client.inbox.shift();
    if (answer !== undefined) {
      client.awaiting = false;
      client.next(answer);
      return;
    }
    if (!client.connected) {
      this.reconnect(client);
      return;
    }
    if (client.awaiting) {
      if (this.chance(0.01)) {
        client.outbox.push(Buffer.from(frameOf({ kind: 'cancel' })));
      } else if (this.chance(0.004)) {
        this.die(client);
      }
      return;
    }
    if (!this.stopping) this.begin(client);
  }

  /** A client that dies: nobody ever asks what became of its commit. */
  private die(client: SimulatedClient): void {
    this.hangUp(client);
    client.inDoubt = null;
    client.tokenSession = 1 + this.below(2 ** 47);
    client.tokenNumber = 0;
  }

  private reconnect(client: SimulatedClient): void {
    // Whatever it was doing is over: an answer that was lost stays lost.
    if (client.awaiting && client.inDoubt === null) this.summary.lost++;
    client.awaiting = false;
    client.session = this.nextSession++;
    client.connected = true;
    this.core.machine.connect(client.session);
    this.send(client, { kind: 'hello', pid: 500 + client.number, session: client.tokenSession }, (welcome) => {
      if (welcome.kind !== 'welcome') throw new Error(`no welcome: ${welcome.kind}`);
      client.incarnation = welcome.incarnation;
      client.fast = new FastPath(this.core.lockWords, welcome.lockSession, true);
      const doubt = client.inDoubt;
      if (doubt === null) return;
      this.summary.lost++;
      this.send(client, { kind: 'outcome', incarnation: doubt.incarnation, token: doubt.token }, (answer) => {
        if (answer.kind !== 'outcome') throw new Error(`no outcome: ${answer.kind}`);
        const there = doubt.isThere();
        this.check(there === null || there === answer.applied, `the outcome of a lost commit is told rightly (${there}, ${answer.applied})`);
        client.inDoubt = null;
        doubt.done(answer.applied);
      });
    });
  }

  // What clients do.

  private begin(client: SimulatedClient): void {
    const what = this.random();
    if (what < 0.30) this.optimisticTransfer(client);
    else if (what < 0.60) this.lockedTransfer(client);
    else if (what < 0.72) this.insertKey(client, this.chance(0.5));
    else if (what < 0.80) this.removeKey(client);
    else if (what < 0.90) this.draw(client);
    else if (what < 0.93) this.allocate(client);
    else if (what < 0.95) this.advisory(client);
    else if (what < 0.985) this.finish(client);
    else this.end(client);
  }

  private end(client: SimulatedClient): void {
    const { fast } = client;
    if (fast !== null && this.chance(0.5)) fast.end();
    this.send(client, { kind: 'end', committed: false }, () => fast?.ended());
  }

  private account(number: number): { row: number; version: number; value: number } {
    const { version, value } = stored(this.store, ACCOUNTS, number)!;
    return { row: number, version, value };
  }

  /** Sends a commit that also writes a ledger entry. */
  private commit(client: SimulatedClient, entry: number, parts: Partial<CommitRequest>, done: (answer: ServerMessage, committed: boolean) => void): void {
    const relations = [...(parts.relations ?? []), inserting(LEDGER, [row(entry)])];
    const token = { session: client.tokenSession, number: ++client.tokenNumber };
    const sent = request({ ...parts, relations });
    const finish = (answer: ServerMessage, committed: boolean): void => {
      if (committed) {
        client.fast?.ended();
        this.acknowledged.add(entry);
        this.summary.commits++;
      } else {
        this.denied.add(entry);
      }
      done(answer, committed);
    };
    client.inDoubt = { incarnation: client.incarnation, token, isThere: () => this.ledger().has(entry), done: (applied) => finish({ kind: 'number', value: 0 }, applied) };
    this.send(client, { kind: 'commit', token, timeoutMs: this.chance(0.5) ? 40 : 0, request: sent }, (answer) => {
      client.inDoubt = null;
      finish(answer, answer.kind === 'commit' && answer.answer.kind === 'committed');
      if (answer.kind === 'failed') this.summary.failures++;
      if (answer.kind === 'commit' && answer.answer.kind === 'changed') this.summary.changed++;
    });
  }

  private entry(from: number, to: number, amount: number): number {
    return this.nextEntry++ * 1e6 + from * 1e4 + to * 1e2 + amount;
  }

  private transfer(from: number, to: number, amount: number): CommitRequest['relations'] {
    const [source, target] = [this.account(from), this.account(to)];
    const filling = this.below(40);
    return [changing(ACCOUNTS,
      { row: from, version: source.version, bytes: row(source.value - amount, filling) },
      { row: to, version: target.version, bytes: row(target.value + amount, filling) })];
  }

  private two(): [number, number] {
    const from = this.below(ACCOUNT_COUNT);
    return [from, (from + 1 + this.below(ACCOUNT_COUNT - 1)) % ACCOUNT_COUNT];
  }

  private optimisticTransfer(client: SimulatedClient): void {
    const [from, to] = this.two(), amount = this.below(100);
    this.commit(client, this.entry(from, to, amount),
      { relations: this.transfer(from, to, amount), optimistic: true, snapshotSeq: this.store.meta('commit-seq') }, () => {});
  }

  private lockedTransfer(client: SimulatedClient): void {
    const [from, to] = this.two(), amount = this.below(100);
    const mode: RowLockMode = this.chance(0.8) ? 'nokeyupdate' : 'update';
    const targets = [from, to].map((account): LockTarget => ({ kind: 'row', relation: ACCOUNTS, row: account, mode }));
    const atOnce = this.chance(0.4);
    const locked = (): void => {
      if (this.chance(0.15)) { this.end(client); return; }
      if (this.chance(0.15)) { this.prepareTransfer(client, from, to, amount); return; }
      // With the locks held nobody else may change these rows: what is read now is what the commit finds.
      this.commit(client, this.entry(from, to, amount), { relations: this.transfer(from, to, amount) }, (answer, committed) => {
        if (answer.kind === 'commit') this.check(committed, `a commit with locks went through: ${answer.answer.kind}`);
        else if (answer.kind === 'failed' && client.connected) this.end(client);
      });
    };
    this.lock(client, atOnce ? targets : targets.slice(0, 1), () => {
      if (atOnce) locked();
      else this.lock(client, targets.slice(1), locked);
    });
  }

  /** The first phase of a transfer whose rows are locked. */
  private prepareTransfer(client: SimulatedClient, from: number, to: number, amount: number): void {
    const entry = this.entry(from, to, amount), gid = `g${entry}`, token = { session: client.tokenSession, number: ++client.tokenNumber };
    const sent = request({
      relations: [...this.transfer(from, to, amount), inserting(LEDGER, [row(entry)])],
      prepare: { gid, xid: entry, owner: 10, database: 5, preparedAt: 0, pid: 1, limit: 4, locks: client.fast?.heldTargets() ?? [] },
    });
    const done = (prepared: boolean): void => {
      if (prepared) {
        client.fast?.ended();
        this.prepared.set(gid, entry);
        this.summary.prepared++;
      } else {
        this.denied.add(entry);
      }
    };
    client.inDoubt = { incarnation: client.incarnation, token, isThere: () => this.hasPrepared(gid) || this.ledger().has(entry) || this.denied.has(entry), done };
    this.send(client, { kind: 'commit', token, timeoutMs: 0, request: sent }, (answer) => {
      client.inDoubt = null;
      done(answer.kind === 'commit' && answer.answer.kind === 'committed');
      if (answer.kind === 'commit') this.check(answer.answer.kind === 'committed', `a transaction with locks was prepared: ${answer.answer.kind}`);
      else if (client.connected) this.end(client); // too many, or a full disk
    });
  }

  /** Whoever it is ends a prepared transaction. */
  private finish(client: SimulatedClient): void {
    this.send(client, { kind: 'preparedXacts' }, (answer) => {
      if (answer.kind !== 'preparedXacts') throw new Error(`no list: ${answer.kind}`);
      if (answer.list.length === 0) return;
      const { gid, xid: entry } = this.pick(answer.list), commit = this.chance(0.6);
      const finish = { gid, xid: entry, commit }, token = { session: client.tokenSession, number: ++client.tokenNumber };
      this.finishing.set(gid, (this.finishing.get(gid) ?? 0) + 1);
      const done = (finished: boolean): void => {
        if (finished) {
          this.prepared.delete(gid);
          (commit ? this.acknowledged : this.denied).add(entry);
          this.summary.finished++;
        } else {
          const others = this.finishing.get(gid)! - 1;
          if (others > 0) this.finishing.set(gid, others);
          else this.finishing.delete(gid);
        }
      };
      client.inDoubt = { incarnation: client.incarnation, token, isThere: () => (this.finishing.get(gid)! > 1 ? null : !this.hasPrepared(gid)), done };
      this.send(client, { kind: 'commit', token, timeoutMs: 0, request: request({ finish }) }, (outcome) => {
        client.inDoubt = null;
        done(outcome.kind === 'commit');
      });
    });
  }

  private hasPrepared(gid: string): boolean {
    return readPreparedStates(this.store).some(({ xact }) => xact.gid === gid);
  }

  /** The end: what is still prepared is committed. */
  private finishAll(): void {
    const { machine } = this.core;
    machine.connect(0);
    for (const { xact: { gid, xid } } of readPreparedStates(this.store)) {
      const frame = frameOf({ kind: 'commit', token: { session: 1, number: 2 }, timeoutMs: 0, request: request({ finish: { gid, xid, commit: true } }) });
      this.core.receive(0, Buffer.from(frame), 4, frame.length, () => Buffer.alloc(0));
      this.core.work();
      if (this.prepared.delete(gid)) this.acknowledged.add(xid);
      this.core.takeOutputs();
      this.core.delivered();
    }
    machine.disconnect(0);
  }

  private lock(client: SimulatedClient, all: LockTarget[], done: () => void): void {
    let targets = all;
    if (client.fast !== null && this.chance(0.7)) {
      while (targets.length > 0 && client.fast.take(targets[0]!, 1)) targets = targets.slice(1);
      if (targets.length === 0) { this.summary.taken++; done(); return; }
    }
    const policy = this.chance(0.9) ? 'block' : 'error';
    this.send(client, { kind: 'locks', targets, policy, timeoutMs: this.chance(0.3) ? 30 : 0, mark: 1 }, (answer) => {
      if (answer.kind !== 'locks') throw new Error(`no answer to a lock request: ${answer.kind}`);
      const last = answer.answers[answer.answers.length - 1]!;
      if (last.kind === 'deadlock') this.summary.deadlocks++;
      if (last.kind === 'timeout') this.summary.timeouts++;
      if (last.kind === 'granted' && answer.answers.length === targets.length) done();
      else this.end(client);
    });
  }

  private insertKey(client: SimulatedClient, optimistic: boolean): void {
    const key = this.pick([...KEY_SPACE]), entry = this.entry(0, 0, 0);
    const insert = (): void => this.commit(client, entry, {
      optimistic, snapshotSeq: this.store.meta('commit-seq'), relations: [inserting(KEYED, [row(entry)])],
      indexes: [{ filenode: KEY_INDEX, relation: KEYED, unique: true, removed: [], added: [{ key, row: provisional(0, 0), withRow: false }] }],
    }, (_, committed) => { if (!committed && !optimistic && client.connected) this.end(client); });
    if (optimistic) insert();
    else this.lock(client, [{ kind: 'key', index: KEY_INDEX, key }], insert);
  }

  private removeKey(client: SimulatedClient): void {
    const key = this.pick([...KEY_SPACE]), place = this.keyed().get(key);
    if (place === undefined) return;
    const { version } = stored(this.store, KEYED, place)!;
    this.commit(client, this.entry(0, 0, 0), {
      optimistic: true, snapshotSeq: this.store.meta('commit-seq'), relations: [changing(KEYED, { row: place, version, bytes: null })],
      indexes: [{ filenode: KEY_INDEX, relation: KEYED, unique: true, added: [], removed: [{ key, row: place, withRow: false }] }],
    }, () => {});
  }

  private draw(client: SimulatedClient): void {
    const sequence = { filenode: SEQUENCE, increment: 1, min: 1, max: 2 ** 40, cache: 1, cycle: false };
    this.send(client, { kind: 'nextval', sequence, count: this.pick([1, 1, 1, 5, 50]) }, (answer) => {
      if (answer.kind === 'failed') { this.summary.failures++; return; }
      if (answer.kind !== 'values') throw new Error(`no values: ${answer.kind}`);
      this.summary.values += answer.count;
      for (let i = 0; i < answer.count; i++) {
        const value = String(Number(answer.first) + i);
        this.check(!this.drawn.has(value), `sequence value ${value} was handed out once`);
        this.drawn.add(value);
      }
      if (answer.count === 50) {
        const handed = Number(answer.first) + 49, used = handed - 20;
        for (let value = used + 1; value <= handed; value++) this.drawn.delete(String(value));
        if (client.connected) client.outbox.push(Buffer.from(frameOf({ kind: 'giveBack', filenode: SEQUENCE, handed, used, count: 20 })));
      }
    });
  }

  private allocate(client: SimulatedClient): void {
    this.send(client, { kind: 'allocateOids', count: 3 }, (answer) => {
      if (answer.kind !== 'number') return;
      for (let oid = answer.value; oid < answer.value + 3; oid++) {
        this.check(!this.oids.has(oid), `oid ${oid} was handed out once`);
        this.oids.add(oid);
      }
    });
  }

  private advisory(client: SimulatedClient): void {
    const key = { key1: 0, key2: this.below(3), key3: 1, shared: this.chance(0.5) };
    if (this.chance(0.4)) this.send(client, { kind: 'unlockAllAdvisory' }, () => {});
    else this.lock(client, [{ kind: 'advisory', ...key, session: this.chance(0.5) }], () => this.end(client));
  }

  // What must hold.

  private ledger(): Set<number> {
    return new Set([...allRows(this.store, LEDGER).values()].map((one) => one.value));
  }

  private keyed(): Map<string, number> {
    return new Map(allEntries(this.store, KEY_INDEX).map(({ key, row: place }) => [key, place]));
  }

  private checkStore(): void {
    const entries = allRows(this.store, LEDGER), ledger = new Set<number>();
    for (const { value } of entries.values()) {
      this.check(!ledger.has(value), 'a commit is applied once');
      ledger.add(value);
    }
    for (const entry of this.acknowledged) this.check(ledger.has(entry), 'an acknowledged commit is there');
    for (const entry of this.denied) this.check(!ledger.has(entry), 'a refused commit left nothing');
    for (const [gid] of this.prepared) this.check(this.finishing.has(gid) || this.hasPrepared(gid), 'what is prepared stays so');
    const balances = new Array<number>(ACCOUNT_COUNT).fill(START_BALANCE);
    for (const entry of ledger) {
      const amount = entry % 100, to = Math.floor(entry / 100) % 100, from = Math.floor(entry / 10000) % 100;
      balances[from]! -= amount;
      balances[to]! += amount;
    }
    balances.forEach((balance, number) => this.check(this.account(number).value === balance, 'a balance is what the ledger says'));
    const keyed = allRows(this.store, KEYED), keys = this.keyed();
    this.check(keyed.size === keys.size, 'as many keys as rows');
    for (const place of keys.values()) this.check(keyed.has(place), 'an index entry leads to a row');
    for (const [table, rows] of [[LEDGER, entries], [KEYED, keyed]] as const) {
      for (const [place, { value }] of rows) {
        const name = `${table} ${place}`, before = this.meaning.get(name);
        this.check(before === undefined || before === value, 'a row id never comes to mean another row');
        this.meaning.set(name, value);
      }
    }
  }
}
