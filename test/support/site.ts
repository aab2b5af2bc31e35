// Real sites with real postmasters, as dist/bin has them (`make build`). initdb runs once for all test files; each site
// is a copy, started on a free port, and gone when its test file ends, however that ends. The same class runs Debian's
// PostgreSQL 15: as the oracle of differential tests, and, with AGAINST=postgresql, to see whether a test is right.
import { execFile, execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { appendFileSync, chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readlinkSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg, { type Client } from 'pg';
import { account, giveToAccount, isRoot, programFolder } from './account.ts';
import { descendants, freePort, isRunning, once, runFolder, until } from './run.ts';

export const SUPERUSER = 'postgres';

/** What differs between a site of ours and a cluster of PostgreSQL. */
export interface Product {
  name: string; bin: string; server: string; ini: string; hba: string; initdb: readonly string[]; ready: string; deathSignal: string;
}

const POSTHOUSE: Product = {
  name: 'site', bin: 'dist/bin', server: 'postmaster', ini: 'site.ini', hba: 'hba.conf', initdb: ['--no-sync'], ready: 'ready to accept connections', deathSignal: 'QUIT',
};
export const POSTGRESQL: Product = {
  name: 'oracle', bin: '/usr/lib/postgresql/15/bin', server: 'postgres', ini: 'postgresql.auto.conf', hba: 'pg_hba.conf',
  initdb: ['--no-sync', '-E', 'UTF8', '--locale=C.UTF-8', '-A', 'trust'], ready: 'database system is ready to accept connections', deathSignal: 'INT',
};
export const product = process.env['AGAINST'] === 'postgresql' ? POSTGRESQL : POSTHOUSE;
/** A postmaster takes seconds to start, and on a very busy machine more than a minute. */
const PATIENCE_MS = 180_000;
const HBA = 'local all all trust\nhost all all 127.0.0.1/32 trust\n';
/** Nothing from outside may change what the programs do. */
const CLEAN = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C.UTF-8', LC_MESSAGES: 'C',
  POSTHOUSE_TEST_RUN: runFolder(), // by which tools/test.ts finds what is left behind
};

export interface Finished { code: number | null; out: string; err: string }

export const program = (name: string, of = product): string => resolve(programFolder(), of.bin, name);

/** Runs one of our programs, as the account that sites belong to. */
export async function run(name: string, args: readonly string[], options: { env?: Record<string, string>; input?: string; cwd?: string } = {}): Promise<Finished> {
  return finished(program(name), args, { ...options, ...account });
}

async function finished(file: string, args: readonly string[],
  options: { env?: Record<string, string> | undefined; input?: string | undefined; cwd?: string | undefined; uid?: number; gid?: number }): Promise<Finished> {
  const { uid, gid } = options;
  return new Promise((done) => {
    const child = execFile(file, args, { env: { ...CLEAN, ...options.env }, cwd: options.cwd ?? '/', maxBuffer: 1 << 28, ...(uid === undefined ? {} : { uid, gid }) }, (_error, out, err) =>
      done({ code: child.exitCode, out, err }));
    child.stdin!.on('error', () => {});
    child.stdin!.end(options.input ?? '');
  });
}

/** A site as initdb makes it; not started, never changed. */
export async function templateSite(of = product): Promise<string> {
  return once(`${of.name}-template`, (path) => {
    ownFolder(path);
    const { status, stderr, error } = spawnSync(program('initdb', of), ['-D', path, '-U', SUPERUSER, ...of.initdb], { ...account, cwd: '/', env: CLEAN, encoding: 'utf8' });
    if (status !== 0) throw new Error(`initdb failed: ${stderr ?? error}`);
  });
}

function ownFolder(path: string): void {
  mkdirSync(path, { mode: 0o700 });
  if (isRoot) chownSync(path, account.uid!, account.gid!);
}

export interface SiteOptions {
  /** Lines of site.ini after the defaults. */
  ini?: string;
  hba?: string;
  args?: readonly string[];
  env?: Record<string, string>;
  /** An existing site, e.g. one whose postmaster was killed. */
  folder?: string;
  port?: number;
  /** Do not wait until it accepts connections. */
  dontWait?: boolean;
  product?: Product;
}

/** The folder of a new site, for one that is started later or by other means. */
export async function makeSite(options: SiteOptions = {}): Promise<string> {
  const of = options.product ?? product, template = await templateSite(of);
  const folder = mkdtempSync(join(runFolder(), `${of.name}-`));
  execFileSync('cp', ['-a', '--reflink=auto', `${template}/.`, folder]);
  writeFileSync(join(folder, of.hba), options.hba ?? HBA);
  if (options.ini !== undefined) appendFileSync(join(folder, of.ini), `\n${options.ini}\n`);
  giveToAccount(folder);
  chmodSync(folder, 0o700);
  return folder;
}

export class Site {
  readonly folder: string;
  readonly port: number;
  process!: ChildProcess;
  /** The exit code of the postmaster (null: a signal). */
  ended!: Promise<number | null>;
  private readonly options: SiteOptions;
  private text = '';
  private stuck = '';
  private readonly waiting = new Set<() => void>();
  private readonly clients = new Set<Client>();

  constructor(folder: string, port: number, options: SiteOptions) {
    this.folder = folder;
    this.port = port;
    this.options = options;
    live.add(this);
  }

  /** Starts the postmaster (again); resolves when it accepts connections. */
  async start(args: readonly string[] = this.options.args ?? []): Promise<void> {
    const started = this.text.length, of = this.options.product ?? product;
    // It dies with this process, should that be killed.
    const child = spawn('setpriv', [...(isRoot ? [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'] : []), '--pdeathsig', of.deathSignal, '--',
      program(of.server, of), '-D', this.folder, '-p', String(this.port), '-k', this.folder, '-h', '127.0.0.1', ...args],
    { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], env: { ...CLEAN, ...this.options.env } });
    this.process = child;
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (data: Buffer) => {
        this.text += data.toString('utf8');
        for (const look of this.waiting) look();
      });
    }
    this.ended = new Promise((done) => child.on('close', (code) => {
      done(code);
      for (const look of this.waiting) look();
    }));
    if (!this.options.dontWait) await this.logged(of.ready, started);
  }

  log(): string {
    return this.text;
  }

  get pid(): number {
    return this.process.pid!;
  }

  /** Resolves when the log has this text (behind `from`). */
  async logged(wanted: string, from = 0): Promise<void> {
    return new Promise((done, failed) => {
      const limit = setTimeout(() => failed(new Error(`the postmaster does not say "${wanted}":\n${this.text.slice(from)}`)), PATIENCE_MS);
      const look = (): void => {
        if (this.text.indexOf(wanted, from) >= 0) done();
        else if (this.process.exitCode !== null || this.process.signalCode !== null) failed(new Error(`the postmaster ended before it said "${wanted}":\n${this.text.slice(from)}`));
        else return;
        clearTimeout(limit);
        this.waiting.delete(look);
      };
      this.waiting.add(look);
      look();
    });
  }

  /** Environment for PostgreSQL's programs. */
  env(database = 'postgres'): Record<string, string> {
    return { PGHOST: '127.0.0.1', PGPORT: String(this.port), PGUSER: SUPERUSER, PGDATABASE: database };
  }

  /** Runs Debian's psql: each of `commands` is one -c; or `input` comes by standard input. */
  async psql(commands: string | readonly string[], options: { args?: readonly string[]; database?: string; input?: string; env?: Record<string, string> } = {}): Promise<Finished> {
    const list = typeof commands === 'string' ? (commands === '' ? [] : [commands]) : commands;
    return finished('psql', ['-X', ...(options.args ?? ['-A', '-t', '-q']), ...list.flatMap((c) => ['-c', c])],
      { env: { ...this.env(options.database), ...options.env }, input: options.input });
  }

  /** Runs another client program against this site. */
  async client(file: string, args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
    return finished(file, args, { env: { ...this.env(), ...env } });
  }

  /** A connection of node-postgres; it is closed with the site. */
  async connect(options: Record<string, unknown> = {}): Promise<Client> {
    const client = new pg.Client({ host: '127.0.0.1', port: this.port, user: SUPERUSER, database: 'postgres', ...options });
    client.on('error', () => {}); // the site may be killed
    await client.connect();
    this.clients.add(client);
    client.once('end', () => this.clients.delete(client));
    return client;
  }

  /** All processes of this site but the postmaster. */
  processes(): ReturnType<typeof descendants> {
    return descendants(this.pid);
  }

  /** Ends it; the exit code. Then no process of it is left, or this throws. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    for (const client of this.clients) void client.end().catch(() => {});
    const children = this.processes();
    this.process.kill(signal);
    const limit = setTimeout(() => this.endStuck(signal), PATIENCE_MS);
    const code = await this.ended;
    clearTimeout(limit);
    if (this.stuck) throw new Error(this.stuck);
    for (const { pid, title } of children) await until(`process ${pid} (${title}) is gone`, () => !isRunning(pid), 5000);
    return code;
  }

  /** A postmaster that does not end would keep its test file waiting for ever. */
  private endStuck(signal: string): void {
    const left = [this.pid, ...this.processes().map(({ pid }) => pid)].map((pid) => {
      const { status, stdout } = spawnSync('ps', ['-o', 'pid=,ppid=,stat=,etime=,wchan=,args=', '-p', String(pid)], { encoding: 'utf8' });
      return status === 0 ? stdout.trimEnd() : `${pid}: gone`;
    });
    this.stuck = `the postmaster has not ended ${PATIENCE_MS} ms after SIG${signal.replace('SIG', '')}; there were\n${left.join('\n')}\nand it said\n${this.text.slice(-4000)}`;
    for (const { pid } of this.processes()) kill(pid);
    kill(this.pid);
    this.process.stdout!.destroy(); // whoever else holds it open
    this.process.stderr!.destroy();
  }

  /** Kills the postmaster and everything below it at once, as a power cut does to processes. */
  async killEverything(): Promise<void> {
    const pids = [this.pid, ...this.processes().map((p) => p.pid)];
    for (const pid of pids) kill(pid);
    await this.ended;
    for (const pid of pids) await until(`process ${pid} is gone`, () => !isRunning(pid), 5000);
  }

  async remove(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) await this.stop();
    live.delete(this);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Without waiting for anything: this process is ending. */
  destroy(): void {
    const running = this.process?.exitCode === null && this.process.signalCode === null;
    const children = running ? this.processes() : [];
    if (running) kill(this.pid);
    for (const { pid } of children) kill(pid);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch { /* gone already */ }
}

const live = new Set<Site>();
process.once('exit', () => { for (const site of live) site.destroy(); });

export async function startSite(options: SiteOptions = {}): Promise<Site> {
  const site = new Site(options.folder ?? await makeSite(options), options.port ?? await freePort(), options);
  await site.start();
  return site;
}

/** Processes whose working folder is this one: what a site must not leave behind. */
export function processesIn(folder: string): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === folder;
    } catch {
      return false;
    }
  });
}

/** A file of the site. */
export const hasFile = (site: Site, name: string): boolean => existsSync(join(site.folder, name));
