// A frontend in bytes: sends exactly the messages it is told to and shows what comes back, one line a message.
// Functions are named as the protocol's documentation names the messages.
import net from 'node:net';

export interface Message { type: string; body: Buffer }
/** Fields of an ErrorResponse by their letters; C is the SQLSTATE, M the message, P the position. */
export type Fields = Record<string, string>;

/** A server that is silent for so long will not answer any more. */
const PATIENCE_MS = 15_000;

const NAMES: Record<string, string> = {
  R: 'Authentication', K: 'BackendKeyData', S: 'ParameterStatus', Z: 'ReadyForQuery', T: 'RowDescription', D: 'DataRow', C: 'CommandComplete',
  E: 'ErrorResponse', N: 'NoticeResponse', I: 'EmptyQueryResponse', 1: 'ParseComplete', 2: 'BindComplete', 3: 'CloseComplete', n: 'NoData',
  t: 'ParameterDescription', s: 'PortalSuspended', G: 'CopyInResponse', H: 'CopyOutResponse', d: 'CopyData', c: 'CopyDone', A: 'NotificationResponse',
  V: 'FunctionCallResponse', v: 'NegotiateProtocolVersion',
};

export const int16 = (n: number): Buffer => { const b = Buffer.alloc(2); b.writeUInt16BE(n & 0xffff); return b; };
export const int32 = (n: number): Buffer => { const b = Buffer.alloc(4); b.writeInt32BE(n | 0); return b; };
export const string = (text: string): Buffer => Buffer.from(`${text}\0`, 'utf8');

export class RawClient {
  readonly socket: net.Socket;
  processId = 0;
  secretKey = 0;
  patienceMs = PATIENCE_MS;
  readonly parameters: Record<string, string> = {};
  private chunks: Buffer[] = [];
  private data: Buffer = Buffer.alloc(0);
  private closed = false;
  private wake: (() => void) | null = null;

  constructor(port: number, host = '127.0.0.1') {
    this.socket = host.startsWith('/') ? net.connect(`${host}/.s.PGSQL.${port}`) : net.connect(port, host);
    this.socket.on('data', (data: Buffer) => { this.chunks.push(data); this.wake?.(); });
    this.socket.on('error', () => {});
    this.socket.on('close', () => { this.closed = true; this.wake?.(); });
  }

  /** Connects, is let in and waits for ReadyForQuery. */
  static async open(port: number, parameters: Record<string, string> = {}): Promise<RawClient> {
    const client = new RawClient(port);
    client.StartupMessage({ user: 'postgres', database: 'postgres', ...parameters });
    for (;;) {
      const { type, body } = await client.next();
      if (type === 'K') [client.processId, client.secretKey] = [body.readInt32BE(0), body.readInt32BE(4)];
      else if (type === 'S') {
        const [name, value] = body.toString('utf8').split('\0');
        client.parameters[name!] = value!;
      } else if (type === 'E') throw new Error(`${fields(body)['C']} ${fields(body)['M']}`);
      else if (type === 'Z') return client;
    }
  }

  // ---- what is sent

  raw(...bytes: Buffer[]): this {
    this.socket.write(Buffer.concat(bytes));
    return this;
  }
  message(type: string, ...body: Buffer[]): this {
    const all = Buffer.concat(body);
    return this.raw(Buffer.from(type, 'latin1'), int32(all.length + 4), all);
  }
  StartupMessage(parameters: Record<string, string>, version = 196608): this {
    const body = Buffer.concat([int32(version), ...Object.entries(parameters).flatMap(([k, v]) => [string(k), string(v)]), Buffer.alloc(1)]);
    return this.raw(int32(body.length + 4), body);
  }
  Query(text: string): this { return this.message('Q', string(text)); }
  Parse(text: string, name = '', types: number[] = []): this {
    return this.message('P', string(name), string(text), int16(types.length), ...types.map(int32));
  }
  Bind(values: (string | Buffer | null)[] = [], options: { portal?: string; statement?: string; formats?: number[]; results?: number[] } = {}): this {
    const { portal = '', statement = '', formats = [], results = [] } = options;
    return this.message('B', string(portal), string(statement), int16(formats.length), ...formats.map(int16), int16(values.length),
      ...values.flatMap((value) => {
        if (value === null) return [int32(-1)];
        const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
        return [int32(bytes.length), bytes];
      }), int16(results.length), ...results.map(int16));
  }
  Describe(kind: 'S' | 'P', name = ''): this { return this.message('D', Buffer.from(kind), string(name)); }
  Execute(portal = '', rowLimit = 0): this { return this.message('E', string(portal), int32(rowLimit)); }
  Close(kind: 'S' | 'P', name = ''): this { return this.message('C', Buffer.from(kind), string(name)); }
  Flush(): this { return this.message('H'); }
  Sync(): this { return this.message('S'); }
  CopyData(data: string | Buffer): this { return this.message('d', typeof data === 'string' ? Buffer.from(data, 'utf8') : data); }
  CopyDone(): this { return this.message('c'); }
  CopyFail(reason: string): this { return this.message('f', string(reason)); }
  FunctionCall(oid: number, args: (Buffer | null)[], resultFormat = 0, formats: number[] = [1]): this {
    return this.message('F', int32(oid), int16(formats.length), ...formats.map(int16), int16(args.length),
      ...args.flatMap((a) => (a === null ? [int32(-1)] : [int32(a.length), a])), int16(resultFormat));
  }
  Terminate(): this { return this.message('X'); }
  end(): void { this.socket.destroy(); }

  // ---- what comes

  private async wait(): Promise<void> {
    if (this.closed) throw new Error('the server closed the connection');
    await new Promise<void>((done, failed) => {
      const limit = setTimeout(() => failed(new Error(`the server says nothing for ${this.patienceMs} ms`)), this.patienceMs);
      this.wake = () => { this.wake = null; clearTimeout(limit); done(); };
    });
  }
  async bytes(n: number): Promise<Buffer> {
    for (;;) {
      if (this.chunks.length > 0) {
        this.data = Buffer.concat([this.data, ...this.chunks]);
        this.chunks = [];
      }
      if (this.data.length >= n) break;
      await this.wait();
    }
    const taken = this.data.subarray(0, n);
    this.data = this.data.subarray(n);
    return taken;
  }
  async next(): Promise<Message> {
    const head = await this.bytes(5);
    return { type: String.fromCharCode(head[0]!), body: await this.bytes(head.readInt32BE(1) - 4) };
  }
  /** Messages up to and with the first of this type. */
  async upTo(type: string): Promise<Message[]> {
    const all: Message[] = [];
    for (;;) {
      const message = await this.next();
      all.push(message);
      if (message.type === type) return all;
    }
  }
  /** What comes until ReadyForQuery (or another type), a line each. */
  async answer(type = 'Z'): Promise<string[]> {
    return (await this.upTo(type)).map(show);
  }
  /** Runs a string of the simple protocol; rows as arrays; an error is thrown as "SQLSTATE message". */
  async query(text: string): Promise<(string | null)[][]> {
    this.Query(text);
    const rows: (string | null)[][] = [];
    let failure: Fields | null = null;
    for (const { type, body } of await this.upTo('Z')) {
      if (type === 'D') rows.push(values(body).map((v) => v?.toString('utf8') ?? null));
      else if (type === 'E') failure = fields(body);
    }
    if (failure !== null) throw Object.assign(new Error(`${failure['C']} ${failure['M']}`), { fields: failure });
    return rows;
  }
  async error(): Promise<Fields> {
    return fields((await this.upTo('E')).at(-1)!.body);
  }
  /** Resolves when the server has closed the connection. */
  async closes(): Promise<void> {
    while (!this.closed) await this.wait().catch(() => {});
  }
}

export function fields(body: Buffer): Fields {
  return Object.fromEntries(body.toString('utf8').split('\0').filter((f) => f !== '').map((f) => [f[0]!, f.slice(1)]));
}

export function values(body: Buffer): (Buffer | null)[] {
  const list: (Buffer | null)[] = [];
  let at = 2;
  for (let n = body.readInt16BE(0); n > 0; n--) {
    const length = body.readInt32BE(at);
    at += 4;
    list.push(length < 0 ? null : body.subarray(at, at + length));
    if (length > 0) at += length;
  }
  return list;
}

/** A message as one line, e.g. `DataRow 1|x|NULL` or `ErrorResponse 22012 division by zero`. */
export function show({ type, body }: Message): string {
  const name = NAMES[type] ?? `'${type}'`;
  switch (type) {
    case 'Z': return `${name} ${body.toString('latin1')}`;
    case 'C': return `${name} ${body.toString('utf8', 0, body.length - 1)}`;
    case 'E': case 'N': {
      const f = fields(body);
      return `${name} ${f['C']} ${f['M']}${f['P'] ? ` at ${f['P']}` : ''}`;
    }
    case 'D': return `${name} ${values(body).map((v) => (v === null ? 'NULL' : printable(v) ? v.toString('utf8') : `0x${v.toString('hex')}`)).join('|')}`;
    case 'T': {
      const columns: string[] = [];
      let at = 2;
      for (let n = body.readInt16BE(0); n > 0; n--) {
        const end = body.indexOf(0, at);
        columns.push(`${body.toString('utf8', at, end)}:${body.readInt32BE(end + 7)}${body.readInt16BE(end + 17) === 1 ? ':binary' : ''}`);
        at = end + 19;
      }
      return `${name} ${columns.join(',')}`;
    }
    case 't': return `${name} ${Array.from({ length: body.readInt16BE(0) }, (_, i) => body.readInt32BE(2 + 4 * i)).join(',')}`;
    case 'd': return `${name} ${JSON.stringify(body.toString('utf8'))}`;
    case 'G': case 'H': return `${name} ${body[0]} ${body.readInt16BE(1)}`;
    case 'A': {
      const [channel, payload] = body.toString('utf8', 4).split('\0');
      return `${name} ${channel}${payload === '' ? '' : `:${payload}`}`;
    }
    default: return name;
  }
}

const printable = (bytes: Buffer): boolean => bytes.equals(Buffer.from(bytes.toString('utf8'))) && !bytes.some((b) => b < 32);
