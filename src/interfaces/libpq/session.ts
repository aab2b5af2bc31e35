// What one can do with a session, whoever holds it: a connection, a transaction on it, a lease of a pool.
import type { Readable } from 'node:stream';
import { CloseQuery, FunctionQuery, KeptStatement, ParameterQuery, PrepareQuery, SimpleQuery } from './queries.ts';
import type { Exchange, QueryOptions } from './exchange.ts';
import { LargeObjects } from './large_object.ts';
import type { WireValue } from './message_writer.ts';
import type { Field, Result } from './result.ts';
import { CopyInQuery, CopyOutQuery, StepQuery, StreamQuery, type CopyInStream, type RowStream, type Step } from './streams.ts';
import { typeOf, type Types } from './types.ts';

export interface StreamOptions extends QueryOptions {
  /** Rows that the server may send before it is asked for more; 0: all, held back by the socket alone. */
  rowLimit?: number | undefined;
}

export interface PrepareOptions {
  /** A name of one's own; otherwise one is made up. */
  name?: string | undefined;
  /** Types of the parameters by OID; 0 or absent: the server finds out. */
  types?: readonly number[] | undefined;
  signal?: AbortSignal | undefined;
}

/** What a session needs from its connection. */
export interface Carrier {
  readonly types: Types;
  submit(exchange: Exchange): void;
  /** The statement that is kept for a text; null: none, the text goes along. */
  keptStatement(key: string): KeptStatement | null;
  nextName(): string;
  /** Asks the server to stop working on this exchange. */
  cancelExchange(exchange: Exchange): void;
}

const NO_VALUES: readonly WireValue[] = [];

export abstract class Session {
  protected abstract get carrier(): Carrier;
  private objects: LargeObjects | null = null;

  /** Large objects; their calls must be inside a transaction. */
  get largeObjects(): LargeObjects {
    return this.objects ??= new LargeObjects(this);
  }

  /** Runs the statements of one text; a result for each. Rejects with the first error (PQexec). */
  exec(sql: string, options: QueryOptions = {}): Promise<Result<any>[]> {
    return new Promise((resolve, reject) => {
      const { carrier } = this;
      this.ask(carrier, new SimpleQuery(sql, options.rowMode ?? 'object', options.types ?? carrier.types, resolve, reject), options.signal, reject);
    });
  }

  /** One statement with parameters $1, $2, … (PQexecParams). One that comes again is kept prepared. */
  query<Row = any>(sql: string, values?: readonly unknown[], options?: QueryOptions): Promise<Result<Row>> {
    return new Promise((resolve, reject) => {
      const { carrier } = this, types = options?.types ?? carrier.types;
      let encoded = NO_VALUES, oids: number[] | null = null, key = sql;
      if (values !== undefined && values.length > 0) {
        const list: WireValue[] = new Array<WireValue>(values.length);
        for (let i = 0; i < values.length; i++) {
          const value = values[i], oid = typeOf(value);
          if (oid !== 0) (oids ??= new Array<number>(values.length).fill(0))[i] = oid;
          list[i] = types.encode(value);
        }
        encoded = list;
        if (oids !== null) key = `${sql}\0${oids.join(',')}`;
      }
      const binary = options?.binary === true;
      if (binary) key += '\0binary';
      const statement = types === carrier.types ? carrier.keptStatement(key) : null;
      const exchange = new ParameterQuery(sql, encoded, oids, statement, binary, options?.rowMode ?? 'object', types, resolve as (result: Result) => void, reject);
      this.ask(carrier, exchange, options?.signal, reject);
    });
  }

  /** The rows of one statement as they come; the socket stops when they are not taken. */
  stream<Row = any>(sql: string, values: readonly unknown[] = [], options: StreamOptions = {}): RowStream<Row> {
    const { carrier } = this, types = options.types ?? carrier.types;
    return this.startStream(sql, values.map((v) => types.encode(v)), values.map(typeOf), null, options) as RowStream<Row>;
  }

  /** For statements. */
  startStream(sql: string, values: readonly WireValue[], oids: readonly number[], statementName: string | null, options: StreamOptions): RowStream {
    const { carrier } = this;
    const exchange = new StreamQuery(sql, values, oids, statementName,
      { binary: options.binary === true, rowLimit: options.rowLimit ?? 0, rowMode: options.rowMode ?? 'object', types: options.types ?? carrier.types }, () => carrier.cancelExchange(exchange));
    this.ask(carrier, exchange, options.signal, (error) => {
      exchange.error = error as Error;
      exchange.settle();
    });
    return exchange.stream;
  }

  /** Everything that a text gives, step by step, errors and COPY among the rest (PQsendQuery, PQgetResult). */
  results(sql: string, values: readonly unknown[] | null = null, options: QueryOptions = {}): AsyncIterableIterator<Step> {
    const { carrier } = this, types = options.types ?? carrier.types;
    const exchange = new StepQuery(sql, values === null ? null : values.map((v) => types.encode(v)), options.rowMode ?? 'text', types);
    this.ask(carrier, exchange, options.signal, (error) => {
      exchange.error = error;
      exchange.settle();
    });
    return exchange.steps;
  }

  /** The columns that a statement would give (PQprepare and PQdescribePrepared of the unnamed statement). */
  async describe(sql: string, options: { signal?: AbortSignal } = {}): Promise<{ fields: readonly Field[]; parameterTypes: readonly number[] }> {
    const statement = new KeptStatement('', this.carrier.types);
    await this.wait<void>((resolve, reject) => new PrepareQuery(statement, sql, [], resolve, reject), options.signal);
    return { fields: statement.fields ?? [], parameterTypes: statement.parameterTypes };
  }

  /** A statement that the server keeps (PQprepare); its parameters are converted by their types. */
  async prepare(sql: string, options: PrepareOptions = {}): Promise<Statement> {
    const kept = new KeptStatement(options.name ?? this.carrier.nextName(), this.carrier.types);
    await this.wait<void>((resolve, reject) => new PrepareQuery(kept, sql, options.types ?? [], resolve, reject), options.signal);
    return new Statement(this, sql, kept);
  }

  /** A statement that was prepared by SQL, or before (PQdescribePrepared). */
  async statement(name: string): Promise<Statement> {
    const kept = new KeptStatement(name, this.carrier.types);
    await this.wait<void>((resolve, reject) => new PrepareQuery(kept, undefined, [], resolve, reject));
    return new Statement(this, '', kept);
  }

  /** COPY … FROM STDIN: a stream for the data, in the format the statement names. `finished` has the result. */
  async copyFrom(sql: string, options: { signal?: AbortSignal } = {}): Promise<{ stream: CopyInStream; finished: Promise<Result> }> {
    const { carrier } = this, exchange = new CopyInQuery(sql, carrier.types);
    this.ask(carrier, exchange, options.signal, (error) => exchange.started.reject(error));
    return { stream: await exchange.started.promise, finished: exchange.finished.promise };
  }

  /** COPY … TO STDOUT: a stream of the data. Rows may share a chunk; none is cut. */
  async copyTo(sql: string, options: { signal?: AbortSignal } = {}): Promise<{ stream: Readable; finished: Promise<Result> }> {
    const { carrier } = this;
    const exchange = new CopyOutQuery(sql, carrier.types, () => carrier.cancelExchange(exchange));
    this.ask(carrier, exchange, options.signal, (error) => exchange.started.reject(error));
    return { stream: await exchange.started.promise, finished: exchange.finished.promise };
  }

  /** Calls a function by its OID (PQfn): texts go as text, bytes in the binary format, the result comes in the binary format. */
  functionCall(oid: number, values: readonly WireValue[]): Promise<Buffer | null> {
    return this.wait((resolve, reject) => new FunctionQuery(oid, values, resolve, reject));
  }

  private wait<T>(make: (resolve: (value: T) => void, reject: (error: Error) => void) => Exchange, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => { this.ask(this.carrier, make(resolve, reject), signal, reject); });
  }

  /** For statements. */
  run<Row>(make: (carrier: Carrier, resolve: (result: Result<Row>) => void, reject: (error: Error) => void) => Exchange, signal?: AbortSignal): Promise<Result<Row>> {
    return new Promise((resolve, reject) => {
      const { carrier } = this;
      this.ask(carrier, make(carrier, resolve, reject), signal, reject);
    });
  }

  /** For statements. */
  close(kind: 'S' | 'P', name: string): Promise<void> {
    return this.wait<void>((resolve, reject) => new CloseQuery(kind, name, resolve, reject));
  }

  private ask(carrier: Carrier, exchange: Exchange, signal: AbortSignal | undefined, reject: (error: Error) => void): void {
    if (signal !== undefined) {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      exchange.signal = signal;
    }
    carrier.submit(exchange);
  }
}

/** A prepared statement. Dispose of it (`await using`) to let the server forget it. */
export class Statement {
  readonly name: string;
  readonly text: string;
  private readonly session: Session;
  private readonly kept: KeptStatement;

  constructor(session: Session, text: string, kept: KeptStatement) {
    this.session = session;
    this.text = text;
    this.kept = kept;
    this.name = kept.name;
  }

  get fields(): readonly Field[] { return this.kept.fields ?? []; }
  get parameterTypes(): readonly number[] { return this.kept.parameterTypes; }

  private encode(types: Types, values: readonly unknown[]): WireValue[] {
    const { parameterTypes } = this.kept, encoded: WireValue[] = new Array<WireValue>(values.length);
    for (let i = 0; i < values.length; i++) encoded[i] = types.encode(values[i], parameterTypes[i] ?? 0);
    return encoded;
  }

  /** PQexecPrepared. */
  query<Row = any>(values: readonly unknown[] = [], options: QueryOptions = {}): Promise<Result<Row>> {
    return this.session.run<Row>((carrier, resolve, reject) => {
      const types = options.types ?? carrier.types, plain = types === carrier.types && options.binary !== true;
      // Its description says text; with another format or other types it is read for this once.
      const kept = plain ? this.kept : new KeptStatement(this.name, types);
      if (!plain) {
        kept.state = 'ready';
        kept.fields = this.kept.fields === null ? null : this.kept.fields.map((f) => ({ ...f, format: options.binary === true ? 1 : 0 }));
      }
      return new ParameterQuery(this.text, this.encode(types, values), null, kept, options.binary === true, options.rowMode ?? 'object', types, resolve as (result: Result) => void, reject);
    }, options.signal);
  }

  stream<Row = any>(values: readonly unknown[] = [], options: StreamOptions = {}): RowStream<Row> {
    return this.session.startStream(this.text, this.encode(options.types ?? this.session['carrier'].types, values), [], this.name, options) as RowStream<Row>;
  }

  async close(): Promise<void> {
    await this.session.close('S', this.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
