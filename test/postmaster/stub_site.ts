// A site with nothing in it, and a stub postmaster on it (stub_server.ts).
import type { ExecutionContext } from 'ava';
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { FORKING_FLAGS } from '../port/forking.ts';
import { account, accountFolder, giveToAccount, programFolder } from '../support/account.ts';
import { freePort } from '../support/run.ts';

export interface StubSite {
  folder: string;
  port: number;
  process: ChildProcess;
  log: () => string;
  /** Resolves when the log holds this text (so many times). */
  logged: (text: string, times?: number) => Promise<void>;
  /** Resolves to the exit code. */
  ended: Promise<number | null>;
  stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}

export function makeSiteFolder(ini = '', hba = 'local all all trust\nhost all all 127.0.0.1/32 trust\n'): string {
  const folder = accountFolder();
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text, { mode: 0o600 });
  write('SITE_VERSION', '1\n');
  write('site.ini', ini);
  write('hba.conf', hba);
  write('ident.conf', '');
  for (const name of ['global', 'base', 'tmp']) mkdirSync(join(folder, name), { mode: 0o700 });
  giveToAccount(folder);
  chmodSync(folder, 0o700);
  return folder;
}

export interface StartOptions {
  ini?: string;
  hba?: string;
  folder?: string;
  args?: string[];
  env?: Record<string, string>;
  waitFor?: string;
  /** A listening descriptor to pass as systemd does. */
  passed?: number;
  /** What the shell does before it becomes the postmaster. */
  before?: string;
}

const running = new Map<ChildProcess, string>();
process.once('exit', () => {
  for (const [child, folder] of running) {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});

export async function startStub(options: StartOptions = {}): Promise<StubSite> {
  const folder = options.folder ?? makeSiteFolder(options.ini, options.hba), port = await freePort();
  const program = programFolder();
  // LISTEN_PID must be the pid of the postmaster itself, so a shell that becomes it sets it.
  const child = spawn('sh', ['-c', `${options.passed === undefined ? '' : 'export LISTEN_PID=$$; '}${options.before ?? ''} exec "$@"`, 'sh',
    process.execPath, ...FORKING_FLAGS, join(program, 'test/postmaster/stub_server.ts'), '-D', folder, '-p', String(port),
    '-k', folder, '-h', '127.0.0.1', ...(options.args ?? [])], { ...account, cwd: '/', stdio: ['ignore', 'pipe', 'pipe', ...(options.passed === undefined ? [] : [options.passed])], env: { PATH: process.env['PATH'] ?? '', ...options.env } });
  // A test that fails must leave nothing behind either.
  running.set(child, folder);
  child.on('close', () => running.delete(child));
  let text = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (data: Buffer) => {
      text += data.toString('utf8');
      for (const look of waiting) look();
    });
  }
  const ended = new Promise<number | null>((done) => child.on('close', (code) => {
    done(code);
    for (const look of waiting) look();
  }));
  const logged = async (wanted: string, times = 1): Promise<void> => new Promise((done, failed) => {
    const look = (): void => {
      if (text.split(wanted).length > times) done();
      else if (child.exitCode !== null || child.signalCode !== null) failed(new Error(`the postmaster ended before it said "${wanted}":\n${text}`));
      else return;
      waiting.delete(look);
    };
    waiting.add(look);
    look();
  });
  if (options.waitFor !== '') await logged(options.waitFor ?? 'ready to accept connections');
  return {
    folder, port, process: child, log: () => text, logged, ended,
    stop: async (signal = 'SIGINT') => {
      child.kill(signal);
      const code = await ended;
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}

/** A frontend in bytes: sends what it is told and collects what comes. */
export class RawFrontend {
  readonly socket: net.Socket;
  private data = Buffer.alloc(0);
  private closed = false;
  private readonly waiting = new Set<() => void>();

  constructor(port: number) {
    this.socket = net.connect(port, '127.0.0.1');
    this.socket.on('data', (data: Buffer) => { this.data = Buffer.concat([this.data, data]); this.wake(); });
    this.socket.on('error', () => {});
    this.socket.on('close', () => { this.closed = true; this.wake(); });
  }

  private wake(): void {
    for (const look of this.waiting) look();
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  startup(parameters: Record<string, string>, version = 196608): void {
    const body = Buffer.from(`${Object.entries(parameters).map(([k, v]) => `${k}\0${v}\0`).join('')}\0`, 'utf8');
    const head = Buffer.alloc(8);
    head.writeInt32BE(body.length + 8, 0);
    head.writeInt32BE(version, 4);
    this.send(Buffer.concat([head, body]));
  }

  message(type: string, body: string | Buffer = ''): void {
    const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body, head = Buffer.alloc(5);
    head[0] = type.charCodeAt(0);
    head.writeInt32BE(bytes.length + 4, 1);
    this.send(Buffer.concat([head, bytes]));
  }

  private async until<T>(look: () => T | undefined): Promise<T> {
    return new Promise((done, failed) => {
      const attempt = (): void => {
        const found = look();
        if (found !== undefined) done(found);
        else if (this.closed) failed(new Error('closed'));
        else return;
        this.waiting.delete(attempt);
      };
      this.waiting.add(attempt);
      attempt();
    });
  }

  async bytes(n: number): Promise<Buffer> {
    return this.until(() => {
      if (this.data.length < n) return undefined;
      const taken = this.data.subarray(0, n);
      this.data = this.data.subarray(n);
      return taken;
    });
  }

  async next(): Promise<{ type: string; body: Buffer }> {
    const head = await this.bytes(5);
    const body = await this.bytes(head.readInt32BE(1) - 4);
    return { type: String.fromCharCode(head[0]!), body };
  }

  /** Reads up to and including a message of this type. */
  async upTo(type: string): Promise<Buffer> {
    for (;;) {
      const message = await this.next();
      if (message.type === type) return message.body;
    }
  }

  /** The fields of the next ErrorResponse. */
  async error(): Promise<Record<string, string>> {
    const body = await this.upTo('E');
    return Object.fromEntries(body.toString('utf8').split('\0').filter((f) => f !== '').map((f) => [f[0]!, f.slice(1)]));
  }

  async closes(): Promise<void> {
    return new Promise((done) => {
      if (this.closed) done();
      else this.socket.once('close', () => done());
    });
  }

  end(): void {
    this.socket.destroy();
  }
}

/** A session: its process and the key to cancel it. */
export const login = async (port: number, user = 'ann'): Promise<{ frontend: RawFrontend; pid: number; key: Buffer }> => {
  const frontend = new RawFrontend(port);
  frontend.startup({ user, database: 'shop' });
  const key = await frontend.upTo('K');
  await frontend.upTo('Z');
  return { frontend, pid: key.readInt32BE(0), key };
};
/** The answer of a stub, which is the question. */
export const ask = async (frontend: RawFrontend, text: string): Promise<string> => {
  frontend.message('Q', `${text}\0`);
  const row = await frontend.upTo('D');
  await frontend.upTo('Z');
  return row.toString('utf8', 6);
};

/** A service manager to which sites tell their state. */
export async function serviceManager(t: ExecutionContext, path: string): Promise<{ wait: (text: string) => Promise<void>; said: () => string; forget: () => void }> {
  const listen = 'import socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\ns.bind(sys.argv[1])\nprint("bound",flush=True)\n'
    + 'while True: print(s.recv(4096).decode().replace("\\n"," "),flush=True)';
  const manager = spawn('python3', ['-c', listen, path], { ...account, stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => {
    manager.kill();
    rmSync(path);
  });
  let said = '';
  manager.stdout.on('data', (data: Buffer) => { said += data.toString(); });
  const wait = async (text: string): Promise<void> => new Promise((done) => {
    const look = (): void => { if (said.includes(text)) { manager.stdout.off('data', look); done(); } };
    manager.stdout.on('data', look);
    look();
  });
  await wait('bound');
  return { wait, said: () => said, forget: () => { said = ''; } };
}
