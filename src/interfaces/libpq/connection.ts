// A connection: one session with one backend. Whatever is asked for becomes an exchange; exchanges are sent in order, many
// without waiting, and the server's messages go to the oldest that has not ended.
import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import type net from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Writable } from 'node:stream';
import { md5Secret } from '../../common/md5.ts';
import { buildScramSecret } from '../../common/scram.ts';
import { isTls } from './builtin.ts';
import { AsyncQueue, deferred } from './async_queue.ts';
import { sendCancel } from './cancel.ts';
import { completeConninfo } from './conninfo.ts';
import type { ConnectSettings, Conninfo } from './conninfo_keywords.ts';
import { establish } from './connect.ts';
import { findEncoding, UTF8, type Encoding } from '../../common/charsets.ts';
import { ConnectionError, PipelineAborted, readReport, ServerError, type Report } from './errors.ts';
import { escapeIdentifier } from './escape.ts';
import type { Exchange, Wire } from './exchange.ts';
import { MessageReader } from './message_reader.ts';
import { MessageWriter } from './message_writer.ts';
import { Pipeline } from './pipeline.ts';
import { CloseQuery, KeptStatement } from './queries.ts';
import { Session, type Carrier } from './session.ts';
import type { Started } from './startup.ts';
import { Tracer, type TraceOptions } from './trace.ts';
import { runTransaction, Transaction, type TransactionOptions } from './transaction.ts';
import { Types, type TypeOptions } from './types.ts';

type Slice = (this: Buffer, at: number, end: number) => string;

export interface ConnectOptions extends TypeOptions {
  /** Converters; otherwise made from the options above. */
  types?: Types | undefined;
  /** How many statements are kept prepared for texts that come again; 0: none. */
  statementCache?: number | undefined;
  onNotice?: ((notice: Report) => void) | undefined;
  /** What the library has to say itself, e.g. of a password file that others can read. The default writes to stderr. */
  onWarning?: ((message: string) => void) | undefined;
  trace?: Writable | undefined;
  signal?: AbortSignal | undefined;
}

export interface Notification {
  channel: string;
  payload: string;
  /** Of the backend that sent it. */
  processId: number;
}

/** PQtransactionStatus. */
export type TransactionStatus = 'idle' | 'active' | 'in transaction' | 'in error' | 'unknown';
const STATUS: Record<string, TransactionStatus> = { I: 'idle', T: 'in transaction', E: 'in error' };
const DEFAULT_STATEMENT_CACHE = 256;
const GOODBYE_MS = 1000;
const CANCEL_AGAIN_MS = 50, MAX_CANCEL_AGAIN_MS = 2000;
const CLOSED_UNEXPECTEDLY = 'server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally\n\tbefore or while processing the request.';

/** Who is inside the function of a transaction or pipeline. */
const inside = new AsyncLocalStorage<object>();

interface Events { notice: [Report]; notification: [Notification]; parameter: [name: string, value: string]; close: [Error | null] }

export class Connection extends Session implements Carrier, Wire {
  readonly info: Conninfo;
  readonly types: Types;
  readonly writer = new MessageWriter();
  /** What the server reports by itself: server_version, TimeZone, … (PQparameterStatus). */
  parameters!: Map<string, string>;
  private started!: Started;
  private socket!: net.Socket | TLSSocket;
  private reader!: MessageReader;
  private readonly options: ConnectOptions;
  private readonly events = new EventEmitter<Events>();
  private tracer: Tracer | null = null;

  /** Sent and not ended, oldest at `first`. */
  private inFlight: Exchange[] = [];
  private first = 0;
  private waiting: Exchange[] = [];
  /** Nothing is sent until this one has ended. */
  private blocker: Exchange | null = null;
  private cancels = 0;
  private pipelineAborted = false;
  private flushScheduled = false;
  private unsynced = false;
  private statusByte = 'I';
  private closed = false;
  private closing = false;
  private fatal: Error | null = null;
  private readonly idleWaiters: (() => void)[] = [];

  private spoken: Encoding = UTF8;
  private slice: Slice | null = null;

  private readonly kept = new Map<string, KeptStatement>();
  private readonly keptLimit: number;
  private names = 0;

  /** A transaction or pipeline that has the session for itself; others wait, those called from inside belong to it. */
  private owner: { session: Transaction | null } | null = null;
  /** Those who have it or wait for it. */
  private owners = 0;
  private ownerTail: Promise<void> = Promise.resolve();
  private held: Exchange[] = [];

  private constructor(info: Conninfo, options: ConnectOptions) {
    super();
    this.info = info;
    this.options = options;
    this.types = options.types ?? new Types(options);
    this.keptLimit = options.statementCache ?? DEFAULT_STATEMENT_CACHE;
    if (options.trace !== undefined) this.trace(options.trace);
    if (options.onNotice !== undefined) this.events.on('notice', options.onNotice);
  }

  /** PQconnectdb: a connection string, URI, database name, or settings by keyword. */
  static async connect(conninfo: string | ConnectSettings = '', options: ConnectOptions = {}): Promise<Connection> {
    options.signal?.throwIfAborted();
    const connection = new Connection(completeConninfo(conninfo), options);
    await connection.open(options.signal);
    return connection;
  }

  private async open(signal?: AbortSignal): Promise<void> {
    const warn = this.options.onWarning ?? ((message: string): void => { process.stderr.write(`${message}\n`); });
    const started = await establish(this.info, { warn, tracer: this.tracer, signal });
    this.started = started;
    this.socket = started.socket;
    this.parameters = started.parameters;
    this.useEncoding(started.parameters.get('client_encoding') ?? 'UTF8');
    this.reader = new MessageReader();
    this.closed = this.closing = this.pipelineAborted = false;
    this.fatal = null;
    this.statusByte = 'I';
    this.kept.clear();
    const { socket } = this;
    socket.on('data', (chunk: Buffer) => { if (socket === this.socket) this.receive(chunk); });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (socket === this.socket) this.fatal ??= new ConnectionError(`could not receive data from server: ${error.message}`, '08006', { cause: error });
    });
    socket.on('close', () => { if (socket === this.socket) this.onClose(); });
    for (const notice of started.notices) this.events.emit('notice', notice);
    if (started.rest.length > 0) this.receive(started.rest);
    if (socket.destroyed) this.onClose();
    else socket.resume();
  }

  // What it is connected to.

  get host(): string { return this.started.host.host; }
  get hostaddr(): string { return this.started.address; }
  get port(): number { return this.started.host.port; }
  get user(): string { return this.info.user!; }
  get database(): string { return this.info.dbname!; }
  /** PQpass. */
  get password(): string { return this.started.host.password ?? ''; }
  get passwordUsed(): boolean { return this.started.passwordUsed; }
  get processId(): number { return this.started.processId; }
  get isOpen(): boolean { return !this.closed && !this.closing; }
  /** 150018 for 15.18 (PQserverVersion). */
  get serverVersion(): number {
    const m = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(this.parameters.get('server_version') ?? '');
    if (m === null) return 0;
    const major = Number(m[1]);
    return major >= 10 ? major * 10000 + Number(m[2] ?? 0) : major * 10000 + Number(m[2] ?? 0) * 100 + Number(m[3] ?? 0);
  }

  get transactionStatus(): TransactionStatus {
    return this.closed ? 'unknown' : this.first < this.inFlight.length ? 'active' : STATUS[this.statusByte] ?? 'unknown';
  }

  /** TLS as it is in use; null: none (PQsslAttribute). */
  get ssl(): { protocol: string; cipher: string; keyBits: number } | null {
    if (!isTls(this.socket)) return null;
    const cipher = this.socket.getCipher();
    return { protocol: this.socket.getProtocol() ?? '', cipher: cipher.name, keyBits: /256|CHACHA20/.test(cipher.name) ? 256 : 128 };
  }

  on<E extends keyof Events>(event: E, listener: (...args: Events[E]) => void): this {
    (this.events as EventEmitter).on(event, listener);
    return this;
  }

  off<E extends keyof Events>(event: E, listener: (...args: Events[E]) => void): this {
    (this.events as EventEmitter).off(event, listener);
    return this;
  }

  /** Writes every message to the stream, readable (PQtrace); `untrace()` ends that. */
  trace(stream: Writable, options: TraceOptions = {}): void {
    this.tracer = new Tracer(stream, options);
  }

  untrace(): void {
    this.tracer = null;
  }

  // The carrier's part.

  protected get carrier(): Carrier { return this; }
  nextName(): string { return `libpq_${++this.names}`; }

  /** A text that comes for the second time is prepared. */
  keptStatement(key: string): KeptStatement | null {
    if (this.keptLimit === 0) return null;
    let kept = this.kept.get(key);
    if (kept === undefined) {
      kept = new KeptStatement(this.nextName(), this.types);
      this.kept.set(key, kept);
      if (this.kept.size > this.keptLimit) this.forgetOldest();
    }
    return kept.uses++ === 0 ? null : kept;
  }

  private forgetOldest(): void {
    const [key, oldest] = this.kept.entries().next().value!;
    this.kept.delete(key);
    if (oldest.state === 'ready' || oldest.state === 'pending') this.submit(new CloseQuery('S', oldest.name, () => {}, () => {}));
  }

  submit(exchange: Exchange): void {
    // Only what comes from outside a running transaction waits for its end.
    if (this.owner !== null && inside.getStore() !== this.owner) this.held.push(exchange);
    else this.submitInside(exchange);
  }

  private submitInside(exchange: Exchange): void {
    if (this.closed || this.closing) {
      exchange.error = this.fatal ?? new ConnectionError('no connection to the server', '08003');
      exchange.settle();
      return;
    }
    exchange.wire = this;
    if (exchange.signal !== undefined) this.listenToSignal(exchange, exchange.signal);
    if (this.blocker === null && this.cancels === 0 && this.waiting.length === 0) this.start(exchange);
    else this.waiting.push(exchange);
  }

  private listenToSignal(exchange: Exchange, signal: AbortSignal): void {
    const abort = (): void => {
      exchange.aborted = true;
      if (!exchange.sent) {
        this.waiting = this.waiting.filter((e) => e !== exchange);
        exchange.error = signal.reason as Error;
        this.settle(exchange);
      } else {
        this.cancelExchange(exchange);
        exchange.abandon(signal.reason as Error);
      }
    };
    signal.addEventListener('abort', abort, { once: true });
    exchange.unlisten = () => signal.removeEventListener('abort', abort);
  }

  private start(exchange: Exchange): void {
    if (this.pipelineAborted && !exchange.endsWithSync) {
      exchange.error = new PipelineAborted();
      this.settle(exchange);
      return;
    }
    const mark = this.writer.mark();
    try {
      exchange.write(this.writer);
    } catch (error) {
      this.writer.rewind(mark);
      exchange.error = error as Error;
      this.settle(exchange);
      return;
    }
    exchange.sent = true;
    this.inFlight.push(exchange);
    if (exchange.exclusive) this.blocker = exchange;
    this.unsynced = !exchange.endsWithSync;
    this.scheduleFlush();
  }

  private pump(): void {
    if (this.waiting.length === 0) return;
    const list = this.waiting;
    this.waiting = [];
    let i = 0;
    for (; i < list.length && this.blocker === null && this.cancels === 0; i++) this.start(list[i]!);
    if (i < list.length) this.waiting = [...list.slice(i), ...this.waiting];
  }

  /** Everything that is asked for in one go leaves in one piece. */
  private scheduleFlush(): void {
    if (this.flushScheduled) return;
    this.flushScheduled = true;
    queueMicrotask(this.flushNow);
  }

  private readonly flushNow = (): void => {
    this.flushScheduled = false;
    // In a pipeline the server would keep its answers to itself until the Sync.
    if (this.unsynced) {
      this.unsynced = false;
      this.writer.flush();
    }
    if (this.writer.pendingBytes > 0) this.writeOut();
  };

  private writeOut(): void {
    const bytes = this.writer.take();
    this.tracer?.sent(bytes);
    if (!this.closed) this.socket.write(bytes);
  }

  // The wire's part, for exchanges that talk.

  send(): void {
    if (this.writer.pendingBytes > 1 << 15) this.writeOut();
    else this.scheduleFlush();
  }

  pause(): void { this.socket.pause(); }
  resume(): void { this.socket.resume(); }
  get writableNeedDrain(): boolean {
    if (this.writer.pendingBytes > 1 << 15) this.writeOut();
    return this.socket.writableNeedDrain;
  }

  onDrain(callback: () => void): void { this.socket.once('drain', callback); }

  // What the server sends.

  private receive(chunk: Buffer): void {
    if (this.closed) return;
    try {
      this.reader.feed(chunk, this.handle);
    } catch (error) {
      this.fatal ??= error as Error;
      this.socket.destroy();
      this.onClose();
      return;
    }
    const current = this.inFlight[this.first];
    if (current !== undefined) current.pieceEnd();
  }

  private readonly handle = (type: number, buffer: Buffer, at: number, end: number): void => {
    // A kluge that costs nobody else anything: in a piece that came in another encoding, reading UTF-8 reads that.
    if (this.slice !== null) (buffer as { utf8Slice: Slice }).utf8Slice = this.slice;
    if (this.tracer !== null) this.tracer.received(type, buffer, at, end);
    const current = this.inFlight[this.first];
    if (type === 0x44 && current !== undefined) { // DataRow
      current.dataRow(buffer, at, end);
      return;
    }
    switch (type) {
      case 0x4e: this.events.emit('notice', readReport(buffer, at, end)); return; // NoticeResponse
      case 0x53: this.parameterStatus(buffer, at, end); return;
      case 0x41: this.notificationResponse(buffer, at, end); return;
      case 0x45: this.errorResponse(current, new ServerError(readReport(buffer, at, end))); return;
      default:
    }
    if (current === undefined) throw new Error(`message type 0x${type.toString(16).padStart(2, '0')} arrived from server while idle`);
    switch (type) {
      case 0x43: { // CommandComplete
        const tag = buffer.latin1Slice(at, end - 1);
        if (tag === 'DISCARD ALL' || tag === 'DEALLOCATE ALL') this.kept.clear();
        current.commandComplete(tag);
        if (!current.endsWithSync) this.next();
        return;
      }
      case 0x5a: this.readyForQuery(String.fromCharCode(buffer[at]!)); return;
      case 0x31: current.parseComplete(); return;
      case 0x32: return; // BindComplete
      case 0x33: if (!current.endsWithSync) this.next(); return; // CloseComplete
      case 0x54: // RowDescription
        current.rowDescription(buffer, at);
        if (!current.endsWithSync && current.describesOnly) this.next();
        return;
      case 0x6e: // NoData
        current.noData();
        if (!current.endsWithSync && current.describesOnly) this.next();
        return;
      case 0x49: // EmptyQueryResponse
        current.emptyQuery();
        if (!current.endsWithSync) this.next();
        return;
      case 0x73: current.portalSuspended(); return;
      case 0x74: current.parameterDescription(buffer, at); return;
      case 0x47: current.copyIn(buffer.readInt16BE(at + 1)); return;
      case 0x48: current.copyOut(buffer.readInt16BE(at + 1)); return;
      case 0x64: current.copyData(buffer, at, end); return;
      case 0x63: current.copyDone(); return;
      case 0x56: current.functionResult(buffer, at); return;
      default: throw new Error(`unexpected response from server; first received character was "${String.fromCharCode(type)}"`);
    }
  };

  private parameterStatus(buffer: Buffer, at: number, end: number): void {
    const stop = buffer.indexOf(0, at), name = buffer.utf8Slice(at, stop), value = buffer.utf8Slice(stop + 1, end - 1);
    this.parameters.set(name, value);
    if (name === 'client_encoding') {
      this.useEncoding(value);
      delete (buffer as { utf8Slice?: Slice }).utf8Slice;
    }
    this.events.emit('parameter', name, value);
  }

  /** Of texts sent and received, as the server said last (PQclientEncoding). */
  get encoding(): Encoding { return this.spoken; }

  private useEncoding(name: string): void {
    const encoding = findEncoding(name);
    if (encoding === null || encoding === undefined) throw new ConnectionError(`client encoding "${name}" is not supported`, '0A000');
    this.spoken = encoding;
    const other = encoding.decode !== UTF8.decode;
    this.writer.encoding = other ? encoding : null;
    this.slice = other ? function slice(this: Buffer, at: number, end: number): string { return encoding.decode(this.subarray(at, end)); } : null;
  }

  private notificationResponse(buffer: Buffer, at: number, end: number): void {
    const stop = buffer.indexOf(0, at + 4);
    this.events.emit('notification', { processId: buffer.readInt32BE(at), channel: buffer.utf8Slice(at + 4, stop), payload: buffer.utf8Slice(stop + 1, end - 1) });
  }

  private errorResponse(current: Exchange | undefined, error: ServerError): void {
    // The session is over: what follows fails with the same words.
    if (error.fields.severityNonlocalized === 'FATAL' || error.fields.severityNonlocalized === 'PANIC') this.fatal ??= error;
    if (current === undefined) {
      this.events.emit('notice', error.fields);
      return;
    }
    // The server has lost its statements, or the table behind one has changed.
    if (error.code === '26000' || error.code === '0A000') this.kept.clear();
    current.serverError(error);
    if (!current.endsWithSync) {
      this.pipelineAborted = true;
      this.next();
    }
    if (this.pipelineAborted) {
      for (let next = this.inFlight[this.first]; next !== undefined && !next.endsWithSync; next = this.inFlight[this.first]) {
        next.error = new PipelineAborted();
        this.next();
      }
    }
  }

  private readyForQuery(status: string): void {
    this.statusByte = status;
    this.pipelineAborted = false;
    this.next();
  }

  /** The oldest exchange has ended. */
  private next(): void {
    const ended = this.inFlight[this.first]!;
    this.first++;
    if (this.first === this.inFlight.length) {
      this.inFlight = [];
      this.first = 0;
    } else if (this.first >= 1024) {
      this.inFlight = this.inFlight.slice(this.first);
      this.first = 0;
    }
    if (this.blocker === ended) this.blocker = null;
    this.settle(ended);
    this.pump();
    const following = this.inFlight[this.first];
    if (following === undefined) for (const wake of this.idleWaiters.splice(0)) wake();
    else if (following.aborted) this.cancelExchange(following);
  }

  private settle(exchange: Exchange): void {
    if (exchange.unlisten !== null) exchange.unlisten();
    if (exchange.aborted && exchange.error instanceof ServerError && exchange.error.code === '57014') exchange.error = exchange.signal!.reason as Error;
    exchange.settle();
    exchange.whenSettled?.();
  }

  private onClose(): void {
    if (this.closed) return;
    this.closed = true;
    this.blocker = null;
    const error = this.fatal ?? new ConnectionError(CLOSED_UNEXPECTEDLY);
    const lost = [...this.inFlight.slice(this.first), ...this.waiting, ...this.held];
    this.inFlight = [];
    this.first = 0;
    this.waiting = [];
    this.held = [];
    for (const exchange of lost) {
      exchange.error ??= error;
      this.settle(exchange);
    }
    for (const wake of this.idleWaiters.splice(0)) wake();
    this.events.emit('close', this.closing ? null : error);
  }

  // Cancelling.

  /** Asks the server to give up what it is doing (PQcancel). It may be too late, or just in time. */
  cancel(): Promise<void> {
    return sendCancel(this.started, this.info);
  }

  /**
   * Asks until it has ended, for a request that overtakes its query finds the server idle and is forgotten. Meanwhile
   * nothing new is sent, lest it be hit instead.
   */
  cancelExchange(exchange: Exchange): void {
    if (this.closed || exchange.cancelling || exchange !== this.inFlight[this.first]) return;
    exchange.cancelling = true;
    this.cancels++;
    void this.cancelUntilEnd(exchange).finally(() => {
      this.cancels--;
      if (!this.closed) this.pump();
    });
  }

  private async cancelUntilEnd(exchange: Exchange): Promise<void> {
    for (let pauseMs = CANCEL_AGAIN_MS; !this.closed && exchange === this.inFlight[this.first]; pauseMs = Math.min(pauseMs * 2, MAX_CANCEL_AGAIN_MS)) {
      await this.cancel().catch(() => {});
      if (exchange !== this.inFlight[this.first]) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs);
        exchange.whenSettled = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  // Sessions within the session.

  /** What one function does is one transaction. Others who use this connection wait; inside `fn` the connection itself means it. */
  begin<T>(fn: (tx: Transaction) => T | Promise<T>): Promise<T>;
  begin<T>(options: TransactionOptions, fn: (tx: Transaction) => T | Promise<T>): Promise<T>;
  begin<T>(first: TransactionOptions | ((tx: Transaction) => T | Promise<T>), second?: (tx: Transaction) => T | Promise<T>): Promise<T> {
    const [options, fn] = typeof first === 'function' ? [{}, first] : [first, second!];
    const { owner } = this;
    if (owner !== null && inside.getStore() === owner && owner.session !== null) return owner.session.savepoint(fn);
    return this.own((mine) => runTransaction(this, options, (tx) => {
      mine.session = tx;
      return fn(tx);
    }));
  }

  /** What `fn` asks for goes out without waiting for answers, and is one transaction unless it says BEGIN itself. */
  async pipeline<T>(fn: (pipeline: Pipeline) => T | Promise<T>): Promise<T> {
    const run = async (): Promise<T> => {
      const pipeline = new Pipeline(this);
      const value = fn(pipeline);
      const synced = pipeline.sync();
      const [settled] = await Promise.allSettled([value]);
      // A function that goes on after its first wait needs a Sync behind what it asked for since.
      if (value instanceof Promise) await pipeline.sync();
      await synced;
      if (settled.status === 'rejected') throw settled.reason;
      return settled.value;
    };
    return this.owner !== null && inside.getStore() === this.owner ? run() : this.own(run);
  }

  private async own<T>(fn: (mine: { session: Transaction | null }) => Promise<T>): Promise<T> {
    const before = this.ownerTail, { promise, resolve } = deferred<void>();
    this.ownerTail = promise;
    // Who comes first has it at once, before anything that is asked for after this call.
    if (this.owners++ > 0) await before;
    const mine = { session: null };
    this.owner = mine;
    try {
      return await inside.run(mine, () => fn(mine));
    } finally {
      this.owner = null;
      this.owners--;
      const held = this.held;
      this.held = [];
      for (const exchange of held) this.submitInside(exchange);
      resolve();
    }
  }

  // Notifications.

  /** NOTIFYs as they come; of the channels named, which are LISTENed to, or of all. No polling: the socket tells. */
  notifications(...channels: string[]): AsyncIterableIterator<Notification> & AsyncDisposable {
    const listener = (notification: Notification): void => { if (channels.length === 0 || channels.includes(notification.channel)) queue.push(notification); };
    const closed = (error: Error | null): void => queue.end(error);
    const queue = new AsyncQueue<Notification>(() => {
      this.off('notification', listener).off('close', closed);
      if (channels.length > 0 && this.isOpen) this.exec(channels.map((c) => `UNLISTEN ${escapeIdentifier(c)}`).join('; ')).catch(() => {});
    });
    this.on('notification', listener).on('close', closed);
    if (channels.length > 0) this.exec(channels.map((c) => `LISTEN ${escapeIdentifier(c)}`).join('; ')).catch((error: Error) => queue.end(error));
    return queue;
  }

  /** A password as CREATE ROLE should get it, so that it never travels or is logged in clear (PQencryptPasswordConn). */
  static encryptPassword(password: string, user: string, method: 'scram-sha-256' | 'md5' = 'scram-sha-256'): string {
    return method === 'md5' ? md5Secret(password, user) : buildScramSecret(password);
  }

  // The end.

  private async idle(): Promise<void> {
    while (this.first < this.inFlight.length || this.waiting.length > 0 || this.held.length > 0) {
      if (this.inFlight[this.first]?.lasting === true) return;
      await new Promise<void>((resolve) => { this.idleWaiters.push(resolve); });
    }
  }

  /** Waits for what was asked for, says goodbye and closes (PQfinish). Rows and COPY data that somebody still takes are cut off. */
  async finish(): Promise<void> {
    if (this.closed) return;
    await this.idle();
    if (this.closed) return;
    this.closing = true;
    this.writer.terminate();
    this.writeOut();
    const { socket } = this;
    await new Promise<void>((resolve) => {
      // Its backend has gone when it closes; one that does not is left to itself.
      const timer = setTimeout(() => socket.destroy(), GOODBYE_MS);
      socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      socket.resume();
      if (this.first < this.inFlight.length) socket.destroy();
      else socket.end();
    });
  }

  /** Closes at once; whatever is waiting fails. */
  destroy(error: Error = new ConnectionError('the connection was closed', '08003')): void {
    this.fatal ??= error;
    this.socket.destroy();
    this.onClose();
  }

  /** Closes and opens again with the same settings: a new session (PQreset). */
  async reset(): Promise<void> {
    this.destroy(new ConnectionError('the connection was reset', '08003'));
    await this.open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.finish();
  }
}

export const connect = Connection.connect;
