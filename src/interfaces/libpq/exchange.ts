// An exchange: one thing that was asked for and the messages that answer it. The connection hands it every message from
// its turn on; it says whether that was the last one for it. Each kind collects differently; what is common is here.
import type { MessageWriter } from './message_writer.ts';
import type { ServerError } from './errors.ts';
import { makeRowReader, readFields, Result, type Field, type RowMode, type RowReader } from './result.ts';
import type { Types } from './types.ts';

/** What an exchange may do to its connection. */
export interface Wire {
  readonly writer: MessageWriter;
  /** Sends what was written. */
  send(): void;
  /** No more is read from the server until `resume`. */
  pause(): void;
  resume(): void;
  readonly writableNeedDrain: boolean;
  onDrain(callback: () => void): void;
}

export interface QueryOptions {
  /** Rows as objects (by column name) or arrays of converted values, or arrays of texts as they came. */
  rowMode?: RowMode | undefined;
  /** Ask for results in the binary format. */
  binary?: boolean | undefined;
  types?: Types | undefined;
  signal?: AbortSignal | undefined;
}

export abstract class Exchange {
  wire!: Wire;
  /** The last message for it is ReadyForQuery; otherwise it is part of a pipeline and ends with its command. */
  endsWithSync = true;
  /** Nothing else may be sent before it has ended: it may become a COPY, which would swallow what follows. */
  exclusive = false;
  /** It can be part of a pipeline. */
  readonly pipelines: boolean = false;
  signal: AbortSignal | undefined;
  /** Stops listening to the signal. */
  unlisten: (() => void) | null = null;
  whenSettled: (() => void) | null = null;
  /** It ends with the description of columns, not with a command. */
  readonly describesOnly: boolean = false;
  /** Lasts as long as somebody takes or brings data. */
  readonly lasting: boolean = false;
  /** Written to the server, at least in part. */
  sent = false;
  /** Given up by AbortSignal. */
  aborted = false;
  /** The server is being asked to stop. */
  cancelling = false;
  error: Error | null = null;
  text: string | undefined;

  abstract write(writer: MessageWriter): void;
  /** It is over, well (error is null) or not. */
  abstract settle(): void;

  rowDescription(_buffer: Buffer, _at: number): void {}
  dataRow(_buffer: Buffer, _at: number, _end: number): void {}
  commandComplete(_tag: string): void {}
  emptyQuery(): void {}
  portalSuspended(): void {}
  parseComplete(): void {}
  parameterDescription(_buffer: Buffer, _at: number): void {}
  noData(): void {}
  copyOut(_columns: number): void { /* rows follow and are dropped */ }
  copyData(_buffer: Buffer, _at: number, _end: number): void {}
  copyDone(): void {}
  functionResult(_buffer: Buffer, _at: number): void {}
  /** Given up while it runs, and the server is asked to stop: whoever takes or brings data hears of it now. */
  abandon(_reason: Error): void {}
  /** All messages of one piece from the socket were handled. */
  pieceEnd(): void {}

  /** The server waits for data that nobody has. */
  copyIn(_columns: number): void {
    this.wire.writer.copyFail('COPY FROM STDIN must go through copyFrom()');
    this.endCopyIn();
  }

  protected endCopyIn(): void {
    if (this.extended && this.endsWithSync) this.wire.writer.sync();
    this.wire.send();
  }

  /** Sent by the extended protocol: the server skipped the Sync while it waited for copy data. */
  extended = false;

  serverError(error: ServerError): void {
    error.query ??= this.text;
    this.error ??= error;
  }
}

/** Collects results: `exec`, `query`, statements. */
export abstract class ResultExchange extends Exchange {
  readonly results: Result[] = [];
  protected current: Result | null = null;
  protected reader: RowReader | null = null;
  protected readonly rowMode: RowMode;
  protected readonly types: Types;

  constructor(rowMode: RowMode, types: Types) {
    super();
    this.rowMode = rowMode;
    this.types = types;
  }

  override rowDescription(buffer: Buffer, at: number): void {
    this.describe(readFields(buffer, at));
  }

  protected describe(fields: readonly Field[], reader?: RowReader): void {
    const result = new Result();
    result.status = 'tuples';
    result.fields = fields;
    this.current = result;
    this.reader = reader ?? makeRowReader(fields, this.rowMode, this.types);
  }

  override dataRow(buffer: Buffer, at: number, end: number): void {
    if (this.reader === null) throw new Error('server sent data ("D" message) without prior row description ("T" message)');
    // A value that a converter refuses fails its query, not the connection.
    if (this.error === null) {
      try {
        this.row(this.reader(buffer, at, end));
      } catch (error) {
        this.error = error as Error;
      }
    }
  }

  protected row(row: unknown): void {
    this.current!.rows.push(row);
  }

  override commandComplete(tag: string): void {
    const result = this.current ?? new Result();
    result.tag = tag;
    this.finish(result);
  }

  override emptyQuery(): void {
    const result = new Result();
    result.status = 'empty';
    this.finish(result);
  }

  protected finish(result: Result): void {
    this.current = null;
    this.reader = null;
    this.results.push(result);
  }
}

/** Whether a text may become a COPY; a word in a comment or a literal is enough to be careful. */
export const mayCopy = (sql: string): boolean => /copy/i.test(sql);
