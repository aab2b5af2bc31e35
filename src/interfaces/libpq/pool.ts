// A pool: up to so many connections, lent one at a time; who finds none free waits his turn.
import { deferred } from './async_queue.ts';
import { connect, type Connection, type ConnectOptions } from './connection.ts';
import type { ConnectSettings } from './conninfo_keywords.ts';
import { ConnectionError } from './errors.ts';
import type { QueryOptions } from './exchange.ts';
import type { Result } from './result.ts';
import type { Transaction, TransactionOptions } from './transaction.ts';

export interface PoolOptions extends ConnectOptions {
  /** Connections at most; 10. */
  max?: number | undefined;
  /** How long to wait for a free connection before giving up; 0: for ever. */
  waitTimeoutMs?: number | undefined;
  /** A connection that nobody used for so long is closed; 0: never. */
  idleTimeoutMs?: number | undefined;
  /** A connection is not lent again when it is older; 0: whatever its age. */
  maxLifetimeMs?: number | undefined;
  /** A connection unused for longer is asked whether it lives before it is lent. */
  healthCheckAfterMs?: number | undefined;
  /** Who does not answer within this time is dead. */
  healthCheckTimeoutMs?: number | undefined;
  /** Runs on every new connection before it is lent. */
  onConnect?: ((connection: Connection) => void | Promise<void>) | undefined;
  /** Settings, temporary tables and the like of one borrower are cleared away (DISCARD ALL). */
  discard?: boolean | undefined;
}

const DEFAULTS = { max: 10, waitTimeoutMs: 30_000, idleTimeoutMs: 30_000, maxLifetimeMs: 0, healthCheckAfterMs: 5000, healthCheckTimeoutMs: 5000, discard: false };

interface Member {
  connection: Connection;
  bornMs: number;
  idleSinceMs: number;
  timer: NodeJS.Timeout | null;
}

/** A borrowed connection. Give it back with `release()` or `await using`. */
export interface Lease extends AsyncDisposable {
  readonly connection: Connection;
  /** With true, the connection is closed rather than kept. */
  release(broken?: boolean): Promise<void>;
}

interface Waiter { resolve: (member: Member) => void; reject: (error: Error) => void; timer: NodeJS.Timeout | null }

export class Pool {
  private readonly conninfo: string | ConnectSettings;
  private readonly options: PoolOptions & typeof DEFAULTS;
  /** The one used last is lent first: the others may grow old and go. */
  private readonly idle: Member[] = [];
  private readonly members = new Set<Member>();
  private opening = 0;
  private readonly waiters: Waiter[] = [];
  private ending = false;
  private readonly ended = deferred<void>();

  constructor(conninfo: string | ConnectSettings = '', options: PoolOptions = {}) {
    this.conninfo = conninfo;
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    this.options = { ...DEFAULTS, ...given };
    if (!(this.options.max >= 1)) throw new RangeError('a pool needs at least one connection');
  }

  /** Connections that are open or opening. */
  get size(): number { return this.members.size + this.opening; }
  get idleCount(): number { return this.idle.length; }
  get waitingCount(): number { return this.waiters.length; }

  /** One statement on any connection. */
  async query<Row = any>(sql: string, values?: readonly unknown[], options?: QueryOptions): Promise<Result<Row>> {
    return this.lend((connection) => connection.query<Row>(sql, values, options));
  }

  async exec(sql: string, options?: QueryOptions): Promise<Result<any>[]> {
    return this.lend((connection) => connection.exec(sql, options));
  }

  begin<T>(fn: (tx: Transaction) => T | Promise<T>): Promise<T>;
  begin<T>(options: TransactionOptions, fn: (tx: Transaction) => T | Promise<T>): Promise<T>;
  async begin<T>(first: TransactionOptions | ((tx: Transaction) => T | Promise<T>), second?: (tx: Transaction) => T | Promise<T>): Promise<T> {
    return this.lend((connection) => (typeof first === 'function' ? connection.begin(first) : connection.begin(first, second!)));
  }

  private async lend<T>(use: (connection: Connection) => Promise<T>): Promise<T> {
    const lease = await this.connect();
    try {
      return await use(lease.connection);
    } finally {
      await lease.release();
    }
  }

  /** Borrows a connection. */
  async connect(): Promise<Lease> {
    const member = await this.acquire();
    let returned = false;
    const release = async (broken = false): Promise<void> => {
      if (returned) return;
      returned = true;
      await this.giveBack(member, broken);
    };
    return { connection: member.connection, release, [Symbol.asyncDispose]: () => release() };
  }

  private async acquire(): Promise<Member> {
    for (;;) {
      if (this.ending) throw new ConnectionError('the pool is closed', '08003');
      const member = this.idle.pop();
      if (member !== undefined) {
        if (member.timer !== null) clearTimeout(member.timer);
        member.timer = null;
        if (await this.healthy(member)) return member;
        this.drop(member);
        continue;
      }
      if (this.size < this.options.max) return this.open();
      return this.wait();
    }
  }

  private wait(): Promise<Member> {
    return new Promise((resolve, reject) => {
      const { waitTimeoutMs } = this.options;
      const waiter: Waiter = { resolve, reject, timer: null };
      if (waitTimeoutMs > 0) {
        waiter.timer = setTimeout(() => {
          this.waiters.splice(this.waiters.indexOf(waiter), 1);
          reject(new ConnectionError(`no connection became free within ${waitTimeoutMs} ms`, '08001'));
        }, waitTimeoutMs);
      }
      this.waiters.push(waiter);
    });
  }

  private async open(): Promise<Member> {
    this.opening++;
    let member: Member | null = null;
    try {
      const connection = await connect(this.conninfo, this.options);
      const now = performance.now(), opened: Member = { connection, bornMs: now, idleSinceMs: now, timer: null };
      try {
        await this.options.onConnect?.(connection);
      } catch (error) {
        connection.destroy();
        throw error;
      }
      this.members.add(member = opened);
      connection.on('close', () => this.drop(opened));
      return member;
    } finally {
      this.opening--;
      // Somebody may wait for the place that this one did not take.
      if (member === null) this.serveWaiter();
      this.checkEnd();
    }
  }

  private async healthy(member: Member): Promise<boolean> {
    const now = performance.now(), { maxLifetimeMs, healthCheckAfterMs } = this.options;
    if (!member.connection.isOpen || (maxLifetimeMs > 0 && now - member.bornMs > maxLifetimeMs)) return false;
    if (now - member.idleSinceMs < healthCheckAfterMs) return true;
    const timer = setTimeout(() => member.connection.destroy(), this.options.healthCheckTimeoutMs);
    try {
      await member.connection.exec('');
      return true;
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  private async giveBack(member: Member, broken: boolean): Promise<void> {
    const { connection } = member;
    if (!broken && connection.isOpen) {
      try {
        // What the borrower began and did not end is undone; what he still waits for goes first.
        if (connection.transactionStatus !== 'idle') await connection.exec('ROLLBACK');
        if (this.options.discard) await connection.exec('DISCARD ALL');
      } catch { /* it is closed, then */ }
    }
    const { maxLifetimeMs } = this.options, old = maxLifetimeMs > 0 && performance.now() - member.bornMs > maxLifetimeMs;
    if (broken || old || !connection.isOpen || this.ending) {
      this.drop(member);
      await connection.finish().catch(() => {});
      this.serveWaiter();
      return;
    }
    const waiter = this.waiters.shift();
    if (waiter !== undefined) {
      if (waiter.timer !== null) clearTimeout(waiter.timer);
      waiter.resolve(member);
      return;
    }
    member.idleSinceMs = performance.now();
    const { idleTimeoutMs } = this.options;
    if (idleTimeoutMs > 0) {
      member.timer = setTimeout(() => {
        this.drop(member);
        void connection.finish();
      }, idleTimeoutMs);
      member.timer.unref();
    }
    this.idle.push(member);
  }

  /** A place has become free that no connection came back for. */
  private serveWaiter(): void {
    if (this.waiters.length === 0 || this.size >= this.options.max || this.ending) return;
    const waiter = this.waiters.shift()!;
    if (waiter.timer !== null) clearTimeout(waiter.timer);
    this.open().then(waiter.resolve, waiter.reject);
  }

  private drop(member: Member): void {
    if (member.timer !== null) clearTimeout(member.timer);
    const at = this.idle.indexOf(member);
    if (at >= 0) this.idle.splice(at, 1);
    if (!this.members.delete(member)) return;
    if (member.connection.isOpen) void member.connection.finish().catch(() => {});
    this.checkEnd();
    this.serveWaiter();
  }

  private checkEnd(): void {
    if (this.ending && this.size === 0) this.ended.resolve();
  }

  /** Lends no more, waits for what is lent, closes all. */
  async end(): Promise<void> {
    if (!this.ending) {
      this.ending = true;
      for (const waiter of this.waiters.splice(0)) {
        if (waiter.timer !== null) clearTimeout(waiter.timer);
        waiter.reject(new ConnectionError('the pool is closed', '08003'));
      }
      const idle = this.idle.splice(0);
      await Promise.all(idle.map(async (member) => {
        if (member.timer !== null) clearTimeout(member.timer);
        await member.connection.finish().catch(() => {});
        this.drop(member);
      }));
      this.checkEnd();
    }
    await this.ended.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
