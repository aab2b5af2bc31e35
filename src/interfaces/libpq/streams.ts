// Exchanges that do not wait for the end: rows as they come, results one after the other (PQsendQuery and PQgetResult),
// COPY as Node streams. What comes faster than it is taken stops the socket.
import { Readable, Writable } from 'node:stream';
import { AsyncQueue, deferred } from './async_queue.ts';
import type { ServerError } from './errors.ts';
import { Exchange, ResultExchange } from './exchange.ts';
import type { MessageWriter, WireValue } from './message_writer.ts';
import { Result, type Field, type RowMode } from './result.ts';
import type { Types } from './types.ts';

/** Pieces that may wait for their consumer before the socket stops. */
const HIGH_WATER_PIECES = 4;

/** The rows of one statement as they come. Iterate over rows, or over `batches()`, which costs less by row. */
export class RowStream<Row = unknown> implements AsyncIterable<Row> {
  /** What is known when all rows were taken: tag, fields. */
  readonly result: Promise<Result>;
  /** The columns, as soon as they are known. */
  readonly fields: Promise<readonly Field[]>;
  private readonly queue: AsyncQueue<Row[]>;

  constructor(queue: AsyncQueue<Row[]>, result: Promise<Result>, fields: Promise<readonly Field[]>) {
    this.queue = queue;
    this.result = result;
    this.fields = fields;
    result.catch(() => {});
    fields.catch(() => {});
  }

  batches(): AsyncIterableIterator<Row[]> {
    return this.queue;
  }

  [Symbol.asyncIterator](): AsyncIterator<Row> {
    const { queue } = this;
    let batch: Row[] = [], at = 0;
    const next = async (): Promise<IteratorResult<Row>> => {
      const more = await queue.next();
      if (more.done === true) return { value: undefined, done: true };
      batch = more.value;
      at = 1;
      return { value: batch[0]!, done: false };
    };
    return {
      next: () => (at < batch.length && !queue.failed ? Promise.resolve({ value: batch[at++]!, done: false }) : next()),
      return: async () => {
        batch = [];
        await queue.return();
        return { value: undefined, done: true };
      },
    };
  }
}

/** Behind a RowStream. With a row limit, the server is asked for so many rows at a time. */
export class StreamQuery extends ResultExchange {
  override readonly lasting = true;
  readonly stream: RowStream;
  private readonly values: readonly WireValue[];
  private readonly parameterTypes: readonly number[];
  private readonly statementName: string | null;
  private readonly binary: boolean;
  private readonly rowLimit: number;
  private readonly queue: AsyncQueue<unknown[]>;
  private batch: unknown[] = [];
  private done = false;
  /** The server has stopped at the row limit. */
  private suspended = false;
  private paused = false;
  private dropped = false;
  private readonly last = new Result();
  private readonly finished = deferred<Result>();
  private readonly described = deferred<readonly Field[]>();
  private readonly onDrop: () => void;

  constructor(text: string, values: readonly WireValue[], parameterTypes: readonly number[], statementName: string | null, options: { binary: boolean; rowLimit: number; rowMode: RowMode; types: Types },
    onDrop: () => void) {
    super(options.rowMode, options.types);
    this.text = text;
    this.extended = true;
    this.exclusive = true;
    this.values = values;
    this.parameterTypes = parameterTypes;
    this.statementName = statementName;
    this.binary = options.binary;
    this.rowLimit = options.rowLimit;
    this.onDrop = onDrop;
    this.queue = new AsyncQueue(() => this.drop(), () => this.taken());
    this.stream = new RowStream(this.queue, this.finished.promise, this.described.promise);
  }

  write(writer: MessageWriter): void {
    if (this.statementName === null) writer.parse('', this.text!, this.parameterTypes);
    writer.bind('', this.statementName ?? '', this.values, this.binary);
    writer.describe('P', '');
    writer.execute('', this.rowLimit);
    if (this.rowLimit > 0) writer.flush();
    else writer.sync();
  }

  protected override describe(fields: readonly Field[]): void {
    super.describe(fields);
    this.last.status = 'tuples';
    this.last.fields = fields;
    this.described.resolve(fields);
  }

  override noData(): void { this.described.resolve([]); }

  protected override row(row: unknown): void {
    if (!this.dropped) this.batch.push(row);
  }

  override pieceEnd(): void {
    this.handOver();
    if (this.queue.length < HIGH_WATER_PIECES || this.done || this.rowLimit > 0 || this.paused) return;
    this.paused = true;
    this.wire.pause();
  }

  private handOver(): void {
    if (this.batch.length === 0) return;
    const rows = this.batch;
    this.batch = [];
    this.queue.push(rows);
  }

  private taken(): void {
    if (this.paused && this.queue.length < HIGH_WATER_PIECES) this.resume();
    if (this.suspended && this.queue.length === 0) this.fetchMore();
  }

  private resume(): void {
    this.paused = false;
    this.wire.resume();
  }

  override portalSuspended(): void {
    this.handOver();
    this.suspended = true;
    if (this.dropped) this.endPortal();
    else if (this.queue.length === 0) this.fetchMore();
  }

  private fetchMore(): void {
    this.suspended = false;
    this.wire.writer.execute('', this.rowLimit);
    this.wire.writer.flush();
    this.wire.send();
  }

  private endPortal(): void {
    this.suspended = false;
    this.wire.writer.close('P', '');
    this.wire.writer.sync();
    this.wire.send();
  }

  protected override finish(result: Result): void {
    this.last.tag = result.tag;
    if (result.status === 'empty') this.last.status = 'empty';
    this.reader = null;
    if (this.rowLimit > 0) {
      this.wire.writer.sync();
      this.wire.send();
    }
  }

  override serverError(error: ServerError): void {
    super.serverError(error);
    if (this.rowLimit === 0) return;
    this.wire.writer.sync();
    this.wire.send();
  }

  /** The consumer left early: what still comes is thrown away. */
  private drop(): void {
    this.dropped = true;
    this.batch = [];
    if (this.done) return;
    if (this.paused) this.resume();
    if (this.suspended) this.endPortal();
    else if (this.rowLimit === 0) this.onDrop();
  }

  override abandon(reason: Error): void {
    if (this.done || this.dropped) return;
    this.queue.fail(reason);
    this.finished.reject(reason);
    this.described.reject(reason);
    this.drop();
  }

  settle(): void {
    this.done = true;
    this.handOver();
    if (this.error !== null && !this.dropped) {
      this.queue.end(this.error);
      this.finished.reject(this.error);
      this.described.reject(this.error);
      return;
    }
    this.queue.end();
    this.described.resolve([]);
    this.finished.resolve(this.last);
  }
}

/** A step of `results()`: a result, an error, or the beginning of a COPY whose data goes through a stream. */
export type Step =
  | { kind: 'result'; result: Result }
  | { kind: 'error'; error: Error }
  | { kind: 'copy in'; stream: CopyInStream; columns: number }
  | { kind: 'copy out'; stream: Readable; columns: number };

/** Everything that a text gives, in order, errors among the rest (PQsendQuery, PQgetResult). Values are texts as they came. */
export class StepQuery extends ResultExchange {
  override readonly lasting = true;
  readonly steps: AsyncQueue<Step>;
  private readonly values: readonly WireValue[] | null;
  private readonly describeOnly: boolean;
  private copyOutStream: CopyOutPieces | null = null;
  private copyInStream: CopyInStream | null = null;

  constructor(text: string, values: readonly WireValue[] | null, rowMode: RowMode, types: Types, describeOnly = false) {
    super(rowMode, types);
    this.text = text;
    this.values = values;
    this.describeOnly = describeOnly;
    this.exclusive = true;
    this.extended = values !== null;
    this.steps = new AsyncQueue();
  }

  write(writer: MessageWriter): void {
    if (this.values === null) {
      writer.query(this.text!);
      return;
    }
    writer.parse('', this.text!, []);
    if (this.describeOnly) writer.describe('S', '');
    else {
      writer.bind('', '', this.values, false);
      writer.describe('P', '');
      writer.execute('', 0);
    }
    writer.sync();
  }

  protected override finish(result: Result): void {
    this.current = null;
    this.reader = null;
    this.copyOutStream = null;
    this.copyInStream = null;
    this.steps.push({ kind: 'result', result });
  }

  override copyIn(columns: number): void {
    const stream = new CopyInStream(this.wire, this.extended, (callback) => callback(null));
    this.copyInStream = stream;
    this.steps.push({ kind: 'copy in', stream, columns });
  }

  override copyOut(columns: number): void {
    this.copyOutStream = new CopyOutPieces(this.wire, () => {});
    this.steps.push({ kind: 'copy out', stream: this.copyOutStream.stream, columns });
  }

  override copyData(buffer: Buffer, at: number, end: number): void { this.copyOutStream?.add(buffer, at, end); }
  override copyDone(): void { this.copyOutStream?.end(null); }
  override pieceEnd(): void { this.copyOutStream?.flush(); }

  override serverError(error: ServerError): void {
    error.query ??= this.text;
    this.copyOutStream?.end(null);
    this.copyInStream?.serverEnded();
    this.copyOutStream = null;
    this.current = null;
    this.steps.push({ kind: 'error', error });
  }

  override abandon(reason: Error): void {
    this.copyOutStream?.end(reason);
    this.copyInStream?.destroy(reason);
  }

  settle(): void {
    if (this.describeOnly && this.current !== null) this.steps.push({ kind: 'result', result: this.current });
    if (this.error !== null) {
      this.copyOutStream?.end(this.error);
      this.copyInStream?.destroy(this.error);
      this.steps.push({ kind: 'error', error: this.error });
    }
    this.steps.end();
  }
}

/** Data on its way to COPY FROM STDIN. Ends the COPY when it is ended, fails it when it is destroyed. */
export class CopyInStream extends Writable {
  private readonly wire: Wire;
  private readonly extended: boolean;
  private readonly whenFinished: (callback: (error: Error | null) => void) => void;
  private over = false;

  /** `whenFinished` calls back when the server has answered. */
  constructor(wire: Wire, extended: boolean, whenFinished: (callback: (error: Error | null) => void) => void) {
    super({ highWaterMark: 1 << 18 });
    this.wire = wire;
    this.extended = extended;
    this.whenFinished = whenFinished;
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (!this.over) {
      this.wire.writer.copyData(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
      this.wire.send();
    }
    if (this.wire.writableNeedDrain) this.wire.onDrain(callback);
    else callback();
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (!this.over) {
      this.over = true;
      this.wire.writer.copyDone();
      this.sync();
    }
    this.whenFinished(callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.over) {
      this.over = true;
      this.wire.writer.copyFail(error?.message ?? 'aborted');
      this.sync();
    }
    callback(error);
  }

  /** PQputCopyEnd with an error message: the server makes an error of it. */
  fail(reason: string): void {
    if (this.over) return;
    this.over = true;
    this.wire.writer.copyFail(reason);
    this.sync();
    this.destroy();
  }

  /** The server gave up first; what is still written goes nowhere. */
  serverEnded(): void {
    if (this.over) return;
    this.over = true;
    // An error while copying ends the extended protocol's command, and the server now waits for Sync.
    if (this.extended) this.sync();
  }

  private sync(): void {
    if (this.extended) this.wire.writer.sync();
    this.wire.send();
  }
}

type Wire = Exchange['wire'];

/** CopyData messages of one piece become one chunk; rows may share a chunk, and none is cut. */
class CopyOutPieces {
  readonly stream: Readable;
  private pieces: Buffer[] = [];
  private readonly wire: Wire;
  private paused = false;
  private ended = false;

  constructor(wire: Wire, onDestroy: () => void) {
    this.wire = wire;
    this.stream = new Readable({
      highWaterMark: 1 << 18,
      read: () => { this.resume(); },
      destroy: (error, callback) => {
        const early = !this.ended;
        this.ended = true;
        this.resume();
        if (early) onDestroy();
        callback(error);
      },
    });
  }

  add(buffer: Buffer, at: number, end: number): void {
    if (!this.ended) this.pieces.push(buffer.subarray(at, end));
  }

  flush(): void {
    if (this.pieces.length === 0) return;
    const chunk = Buffer.concat(this.pieces);
    this.pieces = [];
    if (this.ended || this.stream.push(chunk) || this.paused) return;
    this.paused = true;
    this.wire.pause();
  }

  end(error: Error | null): void {
    if (this.ended) return;
    this.flush();
    this.ended = true;
    if (error === null) this.stream.push(null);
    else this.stream.destroy(error);
    this.resume();
  }

  private resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.wire.resume();
  }
}

/** COPY ... FROM STDIN: resolves to the stream when the server is ready for data. */
export class CopyInQuery extends ResultExchange {
  override readonly lasting = true;
  readonly started = deferred<CopyInStream>();
  readonly finished = deferred<Result>();
  private stream: CopyInStream | null = null;
  private waiting: ((error: Error | null) => void) | null = null;
  private settled = false;

  constructor(text: string, types: Types) {
    super('text', types);
    this.text = text;
    this.exclusive = true;
    this.finished.promise.catch(() => {});
  }

  write(writer: MessageWriter): void { writer.query(this.text!); }

  override copyIn(): void {
    if (this.stream !== null) {
      super.copyIn(0);
      return;
    }
    this.stream = new CopyInStream(this.wire, false, (callback) => {
      if (this.settled) callback(this.error);
      else this.waiting = callback;
    });
    this.started.resolve(this.stream);
  }

  override serverError(error: ServerError): void {
    super.serverError(error);
    this.stream?.serverEnded();
  }

  /** The server hears of no cancel request while it waits for data: COPY must fail. */
  override abandon(reason: Error): void { this.stream?.destroy(reason); }

  settle(): void {
    this.settled = true;
    if (this.error === null && this.stream === null) this.error = new Error('the statement is not COPY FROM STDIN');
    if (this.error === null) this.finished.resolve(this.results.at(-1) ?? new Result());
    else {
      this.finished.reject(this.error);
      this.started.reject(this.error);
    }
    if (this.waiting !== null) this.waiting(this.error);
    else if (this.error !== null) this.stream?.destroy(this.error);
  }
}

/** COPY ... TO STDOUT as a Readable. */
export class CopyOutQuery extends ResultExchange {
  override readonly lasting = true;
  readonly started = deferred<Readable>();
  readonly finished = deferred<Result>();
  private pieces: CopyOutPieces | null = null;
  private readonly onDestroy: () => void;
  private done = false;

  constructor(text: string, types: Types, onDestroy: () => void) {
    super('text', types);
    this.text = text;
    this.exclusive = true;
    this.onDestroy = onDestroy;
    this.finished.promise.catch(() => {});
  }

  write(writer: MessageWriter): void { writer.query(this.text!); }

  override copyOut(): void {
    if (this.pieces !== null) return;
    this.pieces = new CopyOutPieces(this.wire, () => { if (!this.done) this.onDestroy(); });
    this.started.resolve(this.pieces.stream);
  }

  override copyData(buffer: Buffer, at: number, end: number): void { this.pieces?.add(buffer, at, end); }
  override pieceEnd(): void { this.pieces?.flush(); }
  override abandon(reason: Error): void { this.pieces?.stream.destroy(reason); }

  settle(): void {
    this.done = true;
    if (this.error === null && this.pieces === null) this.error = new Error('the statement is not COPY TO STDOUT');
    if (this.error === null) this.finished.resolve(this.results.at(-1) ?? new Result());
    else {
      this.finished.reject(this.error);
      this.started.reject(this.error);
    }
    this.pieces?.end(this.error);
  }
}
