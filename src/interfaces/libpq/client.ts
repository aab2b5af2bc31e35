// A small frontend for the client commands (createdb, createuser, ...): one connection, the simple protocol, text
// results. Trust and SCRAM-SHA-256 (RFC 5802, 7677).
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import net from 'node:net';
import { userInfo } from 'node:os';

export interface ConnectOptions {
  /** A name or address, or the folder of a Unix socket when it starts with "/". */
  host: string;
  port: number;
  user: string;
  database: string;
  password?: string | undefined;
  applicationName?: string | undefined;
  timeoutMs?: number | undefined;
}

/** Options from the environment, as libpq takes them: PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD. */
export function environmentOptions(socketFolder: string): ConnectOptions {
  const { PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD, PGCONNECT_TIMEOUT } = process.env;
  const user = PGUSER || userInfo().username;
  return {
    host: PGHOST || socketFolder, port: Number(PGPORT || 5432), user, database: PGDATABASE || user, password: PGPASSWORD,
    timeoutMs: PGCONNECT_TIMEOUT ? Number(PGCONNECT_TIMEOUT) * 1000 : undefined,
  };
}

export interface Result {
  tag: string;
  columns: string[];
  rows: (string | null)[][];
}

/** What the server said went wrong; `fields` by the letters of ErrorResponse (S, C, M, D, H, ...). */
export class ServerError extends Error {
  readonly fields: Readonly<Record<string, string>>;
  constructor(fields: Record<string, string>) {
    super(fields['M'] ?? 'unknown error');
    this.name = 'ServerError';
    this.fields = fields;
  }
  get code(): string {
    return this.fields['C'] ?? '';
  }
}

/** The connection could not be made, in libpq's words. */
export class ConnectError extends Error {}

const MAX_MESSAGE_BYTES = 0x3fffffff;

export class Client {
  readonly parameters = new Map<string, string>();
  processId = 0;
  onNotice: (fields: Record<string, string>) => void = () => {};
  private readonly socket: net.Socket;
  private readonly options: ConnectOptions;
  private buffer: Buffer = Buffer.alloc(0);
  private readonly messages: { type: string; body: Buffer }[] = [];
  private wake: (() => void) | null = null;
  private failure: Error | null = null;

  private constructor(socket: net.Socket, options: ConnectOptions) {
    this.socket = socket;
    this.options = options;
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(new Error('server closed the connection unexpectedly')));
  }

  static async connect(options: ConnectOptions): Promise<Client> {
    const socket = await dial(options);
    const client = new Client(socket, options);
    try {
      await client.startup();
    } catch (error) {
      socket.destroy();
      throw error instanceof ServerError ? new ConnectError(`${where(options)}${error.fields['S']}:  ${error.message}`, { cause: error }) : error;
    }
    return client;
  }

  /** Runs the statements of one string; the results in order. */
  async query(text: string): Promise<Result[]> {
    this.send('Q', cstring(text));
    const results: Result[] = [];
    let current: Result = { tag: '', columns: [], rows: [] };
    let error: ServerError | null = null;
    for (;;) {
      const { type, body } = await this.next();
      switch (type) {
        case 'T': current.columns = rowDescription(body); break;
        case 'D': current.rows.push(dataRow(body)); break;
        case 'C':
          current.tag = body.toString('utf8', 0, body.length - 1);
          results.push(current);
          current = { tag: '', columns: [], rows: [] };
          break;
        case 'E': error = new ServerError(reportFields(body)); break;
        case 'G': this.send('f', cstring('COPY is not expected here')); break;
        case 'Z':
          if (error !== null) throw error;
          return results;
        default:
      }
    }
  }

  async end(): Promise<void> {
    this.failure = new Error('connection is closed');
    if (this.socket.destroyed) return;
    this.socket.removeAllListeners('close');
    await new Promise<void>((resolve) => {
      this.socket.once('close', () => resolve());
      this.send('X', Buffer.alloc(0));
      this.socket.end();
    });
  }

  private send(type: string, body: Buffer): void {
    const head = Buffer.alloc(type.length + 4);
    head.latin1Write(type, 0);
    head.writeInt32BE(body.length + 4, type.length);
    this.socket.write(Buffer.concat([head, body]));
  }

  private async startup(): Promise<void> {
    const { user, database, applicationName } = this.options;
    const version = Buffer.alloc(4);
    version.writeInt32BE(196608);
    const pairs = ['user', user, 'database', database, 'client_encoding', 'UTF8', ...(applicationName ? ['application_name', applicationName] : [])];
    this.send('', Buffer.concat([version, ...pairs.map(cstring), Buffer.alloc(1)]));
    for (;;) {
      const { type, body } = await this.next();
      if (type === 'R') await this.authenticate(body.readInt32BE(0), body);
      else if (type === 'K') this.processId = body.readInt32BE(0);
      else if (type === 'E') throw new ServerError(reportFields(body));
      else if (type === 'Z') return;
    }
  }

  private async authenticate(method: number, body: Buffer): Promise<void> {
    if (method === 0) return;
    if (method !== 10) throw new ConnectError(`${where(this.options)}authentication method ${method} not supported`);
    if (!body.toString('latin1', 4).split('\0').includes('SCRAM-SHA-256')) throw new ConnectError('none of the server\'s SASL authentication mechanisms are supported');
    if (this.options.password === undefined) throw new ConnectError(`${where(this.options)}fe_sendauth: no password supplied`);
    const password = this.options.password.normalize('NFKC');
    const nonce = randomBytes(18).toString('base64');
    const firstBare = `n=,r=${nonce}`;
    const first = Buffer.from(`n,,${firstBare}`);
    const length = Buffer.alloc(4);
    length.writeInt32BE(first.length);
    this.send('p', Buffer.concat([cstring('SCRAM-SHA-256'), length, first]));
    const serverFirst = (await this.sasl(11)).toString();
    const fields = new Map(serverFirst.split(',').map((f) => [f[0], f.slice(2)]));
    const serverNonce = fields.get('r') ?? '';
    const iterations = Number(fields.get('i'));
    if (!serverNonce.startsWith(nonce) || serverNonce.length === nonce.length || !(iterations >= 1)) throw new ConnectError('malformed SCRAM message');
    const salted = pbkdf2Sync(password, Buffer.from(fields.get('s') ?? '', 'base64'), iterations, 32, 'sha256');
    const clientKey = hmac(salted, 'Client Key');
    const storedKey = createHash('sha256').update(clientKey).digest();
    const finalBare = `c=biws,r=${serverNonce}`;
    const authMessage = `${firstBare},${serverFirst},${finalBare}`;
    const signature = hmac(storedKey, authMessage);
    const proof = Buffer.from(clientKey.map((b, i) => b ^ signature[i]!)).toString('base64');
    this.send('p', Buffer.from(`${finalBare},p=${proof}`));
    const verifier = (await this.sasl(12)).toString();
    const expected = hmac(hmac(salted, 'Server Key'), authMessage);
    const given = Buffer.from(verifier.slice(2), 'base64');
    if (!verifier.startsWith('v=') || given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new ConnectError('incorrect server signature');
    }
  }

  private async sasl(expected: number): Promise<Buffer> {
    const { type, body } = await this.next();
    if (type === 'E') throw new ServerError(reportFields(body));
    if (type !== 'R' || body.readInt32BE(0) !== expected) throw new ConnectError('unexpected message during SASL authentication');
    return body.subarray(4);
  }

  /** The next message that is not one of those that come unasked. */
  private async next(): Promise<{ type: string; body: Buffer }> {
    for (;;) {
      const message = this.messages.shift();
      if (message === undefined) {
        if (this.failure !== null) throw this.failure;
        await new Promise<void>((resolve) => { this.wake = resolve; });
        continue;
      }
      if (message.type === 'N') this.onNotice(reportFields(message.body));
      else if (message.type === 'S') {
        const [name, value] = message.body.toString().split('\0');
        this.parameters.set(name!, value!);
      } else if (message.type !== 'A') return message;
    }
  }

  private receive(chunk: Buffer): void {
    this.buffer = this.buffer.length === 0 ? chunk : Buffer.concat([this.buffer, chunk]);
    let at = 0;
    while (this.buffer.length - at >= 5) {
      const length = this.buffer.readInt32BE(at + 1);
      if (length < 4 || length > MAX_MESSAGE_BYTES) { this.fail(new Error('invalid message length from the server')); return; }
      if (this.buffer.length - at < length + 1) break;
      this.messages.push({ type: String.fromCharCode(this.buffer[at]!), body: this.buffer.subarray(at + 5, at + 1 + length) });
      at += length + 1;
    }
    this.buffer = this.buffer.subarray(at);
    this.signal();
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.signal();
  }

  private signal(): void {
    const { wake } = this;
    this.wake = null;
    wake?.();
  }
}

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const cstring = (text: string): Buffer => Buffer.from(`${text}\0`);

const socketPath = (options: ConnectOptions): string => `${options.host}/.s.PGSQL.${options.port}`;

function where(options: ConnectOptions): string {
  return options.host.startsWith('/')
    ? `connection to server on socket "${socketPath(options)}" failed: `
    : `connection to server at "${options.host}", port ${options.port} failed: `;
}

function dial(options: ConnectOptions): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const unix = options.host.startsWith('/');
    const socket = unix ? net.connect({ path: socketPath(options) }) : net.connect({ host: options.host, port: options.port, noDelay: true });
    const timer = options.timeoutMs === undefined ? null : setTimeout(() => socket.destroy(new Error('timeout expired')), options.timeoutMs);
    socket.once('connect', () => {
      if (timer !== null) clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (timer !== null) clearTimeout(timer);
      const reasons: Record<string, string> = {
        ENOENT: `No such file or directory\n\tIs the server running locally and accepting connections on that socket?`,
        ECONNREFUSED: unix ? 'Connection refused\n\tIs the server running locally and accepting connections on that socket?'
          : 'Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?',
        EACCES: 'Permission denied',
      };
      reject(new ConnectError(where(options) + (reasons[error.code ?? ''] ?? error.message)));
    });
  });
}

export function reportFields(body: Buffer): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const part of body.toString().split('\0')) if (part.length > 0) fields[part[0]!] = part.slice(1);
  return fields;
}

function rowDescription(body: Buffer): string[] {
  const names: string[] = [];
  let at = 2;
  for (let n = body.readInt16BE(0); n > 0; n--) {
    const end = body.indexOf(0, at);
    names.push(body.toString('utf8', at, end));
    at = end + 19;
  }
  return names;
}

function dataRow(body: Buffer): (string | null)[] {
  const row: (string | null)[] = [];
  let at = 2;
  for (let n = body.readInt16BE(0); n > 0; n--) {
    const length = body.readInt32BE(at);
    at += 4;
    if (length < 0) row.push(null);
    else row.push(body.toString('utf8', at, (at += length)));
  }
  return row;
}
