// One attempt at one address: socket, TLS when asked for, start-up packet, authentication, until the server is ready
// (PQconnectPoll of fe-connect.c, without the choice between servers, which is connect.ts's).
import type { X509Certificate } from 'node:crypto';
import net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { strerror } from '../../common/strerror.ts';
import { isTls } from './builtin.ts';
import { Authentication } from './auth.ts';
import type { Conninfo } from './conninfo_keywords.ts';
import { ConnectionError, readReport, ServerError, type Report } from './errors.ts';
import { isSocketFolder, socketPath, type Host } from './hosts.ts';
import { MessageReader, SHORT_BYTES } from './message_reader.ts';
import { MessageWriter } from './message_writer.ts';
import { planTls, startTls, type SslMode } from './secure.ts';
import type { Tracer } from './trace.ts';

/** A session that is ready for queries. */
export interface Started {
  socket: net.Socket | TLSSocket;
  /** What came behind the last message of the start. */
  rest: Buffer;
  parameters: Map<string, string>;
  processId: number;
  secretKey: number;
  host: Host;
  /** The address that answered; '' for a Unix socket. */
  address: string;
  notices: Report[];
  passwordUsed: boolean;
  certificate: X509Certificate | null;
}

/** Why an attempt failed decides what is tried next. */
export type Stage = 'connect' | 'tls' | 'authentication' | 'server';
export class AttemptFailed extends Error {
  readonly stage: Stage;
  readonly needsPassword: boolean;
  readonly passwordUsed: boolean;
  /** TLS was in use by then. */
  encrypted = false;

  constructor(stage: Stage, message: string, cause?: unknown, passwordUsed = false) {
    super(message, { cause });
    this.stage = stage;
    this.needsPassword = cause instanceof ConnectionError && cause.needsPassword;
    this.passwordUsed = passwordUsed;
  }
}

export interface AttemptSettings {
  info: Conninfo;
  sslMode: SslMode;
  /** TLS is to be tried; 'prefer' and 'allow' go on without when the server says no. */
  tls: boolean;
  startupParameters: Readonly<Record<string, string>>;
  tracer: Tracer | null;
  timeoutMs: number;
  signal: AbortSignal | undefined;
}

function socketReason(error: NodeJS.ErrnoException, unix: boolean): string {
  const reason = strerror(error);
  if (unix && (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')) return `${reason}\n\tIs the server running locally and accepting connections on that socket?`;
  if (!unix && error.code === 'ECONNREFUSED') return `${reason}\n\tIs the server running on that host and accepting TCP/IP connections?`;
  return reason;
}

/** Opens the socket of a host; used for cancel requests, too. */
export function openSocket(host: Host, address: string, info: Conninfo): net.Socket {
  if (isSocketFolder(host.host) && host.hostaddr === '') return net.connect({ path: socketPath(host).replace(/^@/, '\0') });
  const socket = net.connect({ host: address, port: host.port, noDelay: true });
  if (info.keepalives !== '0') {
    // Linux's own figures where nobody says otherwise: Node's would give up an idle connection after ten seconds of a broken network.
    const number = (text: string | undefined, otherwise: number): number => (text === undefined || Number(text) <= 0 ? otherwise : Number(text));
    const set = socket.setKeepAlive.bind(socket) as (enable: boolean, initialDelayMs: number, intervalMs: number, count: number) => void;
    set(true, number(info.keepalives_idle, 7200) * 1000, number(info.keepalives_interval, 75) * 1000, number(info.keepalives_count, 9));
  }
  return socket;
}

export async function attempt(host: Host, address: string, settings: AttemptSettings): Promise<Started> {
  settings.signal?.throwIfAborted();
  const socket = openSocket(host, address, settings.info);
  const dialogue = new Dialogue(socket, host, address, settings);
  const abort = (): void => dialogue.fail(new AttemptFailed('server', 'aborted', settings.signal!.reason));
  settings.signal?.addEventListener('abort', abort, { once: true });
  try {
    return await dialogue.run();
  } catch (error) {
    if (error instanceof AttemptFailed) error.encrypted = dialogue.encrypted;
    dialogue.destroy();
    throw error;
  } finally {
    settings.signal?.removeEventListener('abort', abort);
  }
}

class Dialogue {
  private socket: net.Socket | TLSSocket;
  private readonly host: Host;
  private readonly address: string;
  private readonly settings: AttemptSettings;
  private readonly writer = new MessageWriter();
  private readonly reader = new MessageReader(SHORT_BYTES);
  private readonly messages: { type: number; body: Buffer }[] = [];
  private wake: (() => void) | null = null;
  private failure: AttemptFailed | null = null;
  private stage: Stage = 'connect';
  private certificate: X509Certificate | null = null;
  private timer: NodeJS.Timeout | null = null;
  private ready = false;

  get encrypted(): boolean { return isTls(this.socket); }

  constructor(socket: net.Socket, host: Host, address: string, settings: AttemptSettings) {
    this.socket = socket;
    this.host = host;
    this.address = address;
    this.settings = settings;
    socket.on('error', this.onError);
    socket.on('close', this.onClose);
    if (settings.timeoutMs > 0) this.timer = setTimeout(() => this.fail(new AttemptFailed('connect', 'timeout expired')), settings.timeoutMs);
  }

  private readonly onError = (error: NodeJS.ErrnoException): void => {
    const unix = isSocketFolder(this.host.host) && this.host.hostaddr === '';
    const reason = this.stage === 'connect' ? socketReason(error, unix) : `could not receive data from server: ${socketReason(error, true)}`;
    this.fail(new AttemptFailed(this.stage, reason, error));
  };

  private readonly onClose = (): void => {
    this.fail(new AttemptFailed(this.stage, 'server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally\n\tbefore or while processing the request.'));
  };

  private readonly onData = (chunk: Buffer): void => {
    try {
      this.reader.feed(chunk, (type, buffer, at, end) => {
        this.settings.tracer?.received(type, buffer, at, end);
        this.messages.push({ type, body: Buffer.from(buffer.subarray(at, end)) });
        if (type !== 0x5a) return;
        this.reader.stop();
        this.socket.pause();
        this.socket.removeListener('data', this.onData);
      });
    } catch {
      this.fail(new AttemptFailed('server', `received invalid response to startup message: ${chunk.length} bytes`));
    }
    this.signal();
  };

  fail(error: AttemptFailed): void {
    if (this.ready) return;
    this.failure ??= error;
    this.signal();
  }

  private signal(): void {
    const { wake } = this;
    this.wake = null;
    wake?.();
  }

  destroy(): void {
    this.stopTimer();
    this.ready = true;
    this.socket.on('error', () => {});
    this.socket.destroy();
  }

  private stopTimer(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private async until(event: () => boolean): Promise<void> {
    while (!event()) {
      if (this.failure !== null) throw this.failure;
      await new Promise<void>((resolve) => { this.wake = resolve; });
    }
  }

  private send(): void {
    const bytes = this.writer.take();
    this.settings.tracer?.sent(bytes);
    this.socket.write(bytes);
  }

  async run(): Promise<Started> {
    let connected = false;
    this.socket.once('connect', () => {
      connected = true;
      this.signal();
    });
    await this.until(() => connected);
    this.stage = 'tls';
    let sentCertificate = false;
    if (this.settings.tls) sentCertificate = await this.negotiateTls();
    this.stage = 'authentication';
    this.socket.on('data', this.onData);
    this.socket.resume();
    this.writer.startupMessage(this.settings.startupParameters);
    this.send();
    return this.converse(sentCertificate);
  }

  private async negotiateTls(): Promise<boolean> {
    const socket = this.socket as net.Socket;
    this.writer.sslRequest();
    this.send();
    let answer: Buffer | null = null;
    socket.once('data', (chunk: Buffer) => {
      answer = chunk;
      socket.pause();
      this.signal();
    });
    await this.until(() => answer !== null);
    const bytes = answer!, letter = String.fromCharCode(bytes[0]!);
    // Whatever stands behind the letter was not protected, and would be taken for the server's later.
    if (bytes.length > 1) throw new AttemptFailed('tls', `received unencrypted data after SSL response`);
    if (letter === 'N') {
      if (this.settings.sslMode !== 'prefer' && this.settings.sslMode !== 'allow') throw new AttemptFailed('server', 'server does not support SSL, but SSL was required');
      return false;
    }
    if (letter !== 'S') throw new AttemptFailed('tls', letter === 'E' ? 'server sent an error response during SSL exchange' : `received invalid response to SSL negotiation: ${letter}`);
    const plan = failsAs('server', () => planTls(this.settings.info, this.settings.sslMode, this.host.host));
    socket.removeListener('error', this.onError);
    socket.removeListener('close', this.onClose);
    let secure: TLSSocket | null = null, failed: Error | null = null;
    const done = (): void => this.signal();
    startTls(socket, plan).then((s) => { secure = s; done(); }, (error: Error) => { failed = error; done(); });
    await this.until(() => secure !== null || failed !== null);
    if (failed !== null) throw new AttemptFailed('tls', (failed as Error).message, failed);
    this.socket = secure!;
    this.socket.on('error', this.onError);
    this.socket.on('close', this.onClose);
    this.certificate = (this.socket as TLSSocket).getPeerX509Certificate() ?? null;
    return plan.sentCertificate;
  }

  private async converse(sentCertificate: boolean): Promise<Started> {
    const { info } = this.settings;
    const auth = failsAs('server', () => new Authentication({
      user: info.user!, password: this.host.password, channelBinding: info.channel_binding as 'disable' | 'prefer' | 'require', requireAuth: info.require_auth,
      certificate: this.certificate, sentCertificate,
    }));
    const parameters = new Map<string, string>(), notices: Report[] = [];
    let authenticated = false, processId = 0, secretKey = 0;
    for (;;) {
      await this.until(() => this.messages.length > 0);
      const { type, body } = this.messages.shift()!;
      switch (String.fromCharCode(type)) {
        case 'R':
          if (authenticated) throw new AttemptFailed('server', 'unexpected authentication message');
          authenticated = failsAs('server', () => auth.request(body, this.writer), auth);
          if (authenticated) this.stage = 'server';
          else if (this.writer.pendingBytes > 0) this.send();
          break;
        case 'E': {
          const error = new ServerError(readReport(body, 0, body.length));
          throw new AttemptFailed(this.stage, `${error.severity}:  ${error.message}${error.detail === undefined ? '' : `\nDETAIL:  ${error.detail}`}${error.hint === undefined ? '' : `\nHINT:  ${error.hint}`}`,
            error, auth.passwordUsed);
        }
        case 'N': notices.push(readReport(body, 0, body.length)); break;
        case 'S': if (authenticated) {
          const end = body.indexOf(0);
          parameters.set(body.toString('utf8', 0, end), body.toString('utf8', end + 1, body.length - 1));
          break;
        } // falls through
        case 'K': if (authenticated && body.length >= 8) {
          processId = body.readInt32BE(0);
          secretKey = body.readInt32BE(4);
          break;
        } // falls through
        case 'v': if (type === 0x76 && body.length >= 8) {
          throw new AttemptFailed('server', 'protocol version not supported by server');
        } // falls through
        case 'Z': if (authenticated && type === 0x5a) {
          this.stopTimer();
          this.ready = true;
          this.socket.removeListener('error', this.onError);
          this.socket.removeListener('close', this.onClose);
          return { socket: this.socket, rest: this.reader.rest(), parameters, processId, secretKey, host: this.host, address: this.address, notices, passwordUsed: auth.passwordUsed, certificate: this.certificate };
        } // falls through
        default: throw new AttemptFailed('server', `expected authentication request from server, but received ${String.fromCharCode(type)}`);
      }
    }
  }
}

function failsAs<T>(stage: Stage, make: () => T, auth?: Authentication): T {
  try {
    return make();
  } catch (error) {
    throw error instanceof AttemptFailed ? error : new AttemptFailed(stage, (error as Error).message, error, auth?.passwordUsed);
  }
}
