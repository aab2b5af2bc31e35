// Exchanges that collect results: the simple protocol, the extended one (unnamed or by a kept statement), preparing,
// function calls, and the end of a pipeline.
import { ServerError } from './errors.ts';
import { Exchange, mayCopy, ResultExchange } from './exchange.ts';
import type { MessageWriter, WireValue } from './message_writer.ts';
import { makeRowReader, readFields, Result, type Field, type RowMode, type RowReader } from './result.ts';
import type { Types } from './types.ts';

/** Several statements in one text (PQexec). */
export class SimpleQuery extends ResultExchange {
  private readonly resolve: (results: Result[]) => void;
  private readonly reject: (error: Error) => void;

  constructor(text: string, rowMode: RowMode, types: Types, resolve: (results: Result[]) => void, reject: (error: Error) => void) {
    super(rowMode, types);
    this.text = text;
    this.exclusive = mayCopy(text);
    this.resolve = resolve;
    this.reject = reject;
  }

  write(writer: MessageWriter): void { writer.query(this.text!); }

  settle(): void {
    if (this.error !== null) this.reject(this.error);
    else this.resolve(this.results);
  }
}

/** A statement that the server keeps under a name. */
export class KeptStatement {
  readonly name: string;
  state: 'new' | 'pending' | 'ready' | 'failed' = 'new';
  error: Error | null = null;
  fields: readonly Field[] | null = null;
  parameterTypes: readonly number[] = [];
  uses = 0;
  private readonly readers = new Map<RowMode, RowReader>();
  private readonly types: Types;

  constructor(name: string, types: Types) {
    this.name = name;
    this.types = types;
  }

  reader(mode: RowMode): RowReader {
    let reader = this.readers.get(mode);
    if (reader === undefined) this.readers.set(mode, reader = makeRowReader(this.fields!, mode, this.types));
    return reader;
  }
}

const NO_TYPES: readonly number[] = [];

/** One statement with parameters (PQexecParams, PQexecPrepared). */
export class ParameterQuery extends ResultExchange {
  override readonly pipelines = true;
  protected readonly values: readonly WireValue[];
  protected readonly parameterTypes: readonly number[];
  protected readonly binary: boolean;
  protected readonly statement: KeptStatement | null;
  /** This one brings the kept statement to the server. */
  private parses = false;
  private readonly resolve: (result: Result) => void;
  private readonly reject: (error: Error) => void;

  constructor(text: string, values: readonly WireValue[], parameterTypes: readonly number[] | null, statement: KeptStatement | null, binary: boolean, rowMode: RowMode, types: Types,
    resolve: (result: Result) => void, reject: (error: Error) => void) {
    super(rowMode, types);
    this.text = text;
    this.extended = true;
    this.values = values;
    this.parameterTypes = parameterTypes ?? NO_TYPES;
    this.statement = statement;
    this.binary = binary;
    this.exclusive = mayCopy(text);
    this.resolve = resolve;
    this.reject = reject;
  }

  write(writer: MessageWriter): void {
    const { statement } = this, name = statement?.name ?? '';
    const known = statement !== null && statement.state !== 'new' && statement.state !== 'failed';
    if (!known) {
      writer.parse(name, this.text!, this.parameterTypes);
      if (statement !== null) {
        this.parses = true;
        statement.state = 'pending';
        statement.error = null;
      }
    }
    writer.bind('', name, this.values, this.binary);
    if (!known) writer.describe('P', '');
    writer.execute('', 0);
    if (this.endsWithSync) writer.sync();
    else if (this.exclusive) writer.flush();
  }

  override parseComplete(): void {
    if (this.parses) this.statement!.state = 'ready';
  }

  override rowDescription(buffer: Buffer, at: number): void {
    const fields = readFields(buffer, at);
    if (this.statement !== null) this.statement.fields = fields;
    this.describe(fields);
  }

  override dataRow(buffer: Buffer, at: number, end: number): void {
    if (this.reader === null) this.useKeptDescription();
    super.dataRow(buffer, at, end);
  }

  override commandComplete(tag: string): void {
    if (this.current === null) this.useKeptDescription();
    super.commandComplete(tag);
  }

  private useKeptDescription(): void {
    if (this.statement !== null && this.statement.fields !== null) this.describe(this.statement.fields, this.statement.reader(this.rowMode));
  }

  override serverError(error: ServerError): void {
    super.serverError(error);
    const { statement } = this;
    if (statement === null) return;
    if (this.parses && statement.state === 'pending') {
      statement.state = 'failed';
      statement.error = error;
    } else if (error.code === '26000' && statement.error !== null) this.error = statement.error;
  }

  settle(): void {
    if (this.error !== null) this.reject(this.error);
    else this.resolve(this.results[0] ?? new Result());
  }
}

/** PQprepare and PQdescribePrepared in one. */
export class PrepareQuery extends Exchange {
  override readonly describesOnly = true;
  override readonly pipelines = true;
  private readonly statement: KeptStatement;
  private readonly types: readonly number[];
  /** The text to parse; undefined: the server has it already. */
  private readonly parse: string | undefined;
  private readonly resolve: () => void;
  private readonly reject: (error: Error) => void;

  constructor(statement: KeptStatement, text: string | undefined, types: readonly number[], resolve: () => void, reject: (error: Error) => void) {
    super();
    this.statement = statement;
    this.parse = this.text = text;
    this.types = types;
    this.extended = true;
    this.resolve = resolve;
    this.reject = reject;
  }

  write(writer: MessageWriter): void {
    if (this.parse !== undefined) writer.parse(this.statement.name, this.parse, this.types);
    writer.describe('S', this.statement.name);
    if (this.endsWithSync) writer.sync();
  }

  override parameterDescription(buffer: Buffer, at: number): void {
    this.statement.parameterTypes = Array.from({ length: buffer.readUInt16BE(at) }, (_, i) => buffer.readUInt32BE(at + 2 + 4 * i));
  }

  override rowDescription(buffer: Buffer, at: number): void {
    this.statement.fields = readFields(buffer, at);
  }

  settle(): void {
    if (this.error !== null) this.reject(this.error);
    else {
      this.statement.state = 'ready';
      this.resolve();
    }
  }
}

/** DEALLOCATE by the protocol; also of portals. */
export class CloseQuery extends Exchange {
  override readonly pipelines = true;
  private readonly kind: 'S' | 'P';
  private readonly name: string;
  private readonly resolve: () => void;
  private readonly reject: (error: Error) => void;

  constructor(kind: 'S' | 'P', name: string, resolve: () => void, reject: (error: Error) => void) {
    super();
    this.kind = kind;
    this.name = name;
    this.resolve = resolve;
    this.reject = reject;
  }

  write(writer: MessageWriter): void {
    writer.close(this.kind, this.name);
    if (this.endsWithSync) writer.sync();
  }

  settle(): void {
    if (this.error !== null) this.reject(this.error);
    else this.resolve();
  }
}

/** The fast path (PQfn). */
export class FunctionQuery extends Exchange {
  private readonly oid: number;
  private readonly values: readonly WireValue[];
  private value: Buffer | null = null;
  private readonly resolve: (value: Buffer | null) => void;
  private readonly reject: (error: Error) => void;

  constructor(oid: number, values: readonly WireValue[], resolve: (value: Buffer | null) => void, reject: (error: Error) => void) {
    super();
    this.oid = oid;
    this.values = values;
    this.resolve = resolve;
    this.reject = reject;
  }

  write(writer: MessageWriter): void { writer.functionCall(this.oid, this.values); }

  override functionResult(buffer: Buffer, at: number): void {
    const length = buffer.readInt32BE(at);
    this.value = length < 0 ? null : Buffer.from(buffer.subarray(at + 4, at + 4 + length));
  }

  settle(): void {
    if (this.error !== null) this.reject(this.error);
    else this.resolve(this.value);
  }
}

/** The Sync that ends a pipeline. */
export class SyncQuery extends Exchange {
  private readonly resolve: () => void;
  private readonly reject: (error: Error) => void;

  constructor(resolve: () => void, reject: (error: Error) => void) {
    super();
    this.resolve = resolve;
    this.reject = reject;
  }

  write(writer: MessageWriter): void { writer.sync(); }

  settle(): void {
    if (this.error !== null) this.reject(this.error);
    else this.resolve();
  }
}
