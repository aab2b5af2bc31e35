// posthouse site create: an account's site, its configuration in /etc, its units.
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { FILE_MODE, FOLDER_MODE, HBA_CONF, IDENT_CONF, SITE_INI } from '../../common/site.ts';
import {
  CONFIG, DATA, DEFAULT_PORT, accountOf, checkName, mustBeRoot, portOf, siteExists, siteNames, siteOf, withSetting, type Account, type Site,
} from './sites.ts';
import { Failure, paint, progress, say, USAGE } from './terminal.ts';
import { enable, writeUnits } from './units.ts';

const PROGRAMS = '/usr/lib/posthouse/bin';
export const DEFAULT_OWNER = 'posthouse';
const MAX_PORT = 65535;

/** Where it is installed, or beside this program. */
export const programPath = (name: string): string => join(existsSync(join(PROGRAMS, name)) ? PROGRAMS : dirname(process.argv[1]!), name);

export interface CreateOptions {
  name: string;
  port: number | null;
  owner: string;
  start: boolean;
}

export async function createSite(options: CreateOptions): Promise<void> {
  mustBeRoot('making a site');
  checkName(options.name);
  const site = siteOf(options.name), owner = ownerAccount(options.owner);
  if (siteExists(site)) throw new Failure(`site "${site.name}" is there already`, `See it: posthouse site show ${site.name}`);
  if (existsSync(site.data) && readdirSync(site.data).length > 0) {
    throw new Failure(`"${site.data}" is not empty`, 'It may be the data of an earlier site: move it away, or choose another name.');
  }
  const number = await choosePort(options.port);
  await build(site, owner, number);
  writeUnits(site);
  enable(site, options.start);
  say(`site ${paint('bold', site.name)} of ${owner.name}, port ${number}${number !== DEFAULT_PORT && options.port === null ? ` (port ${DEFAULT_PORT} is taken)` : ''}`);
  say(options.start ? `connect with:  psql -h ${site.socket} -p ${number} -U ${owner.name} postgres` : `start it with:  posthouse site start ${site.name}`);
}

function ownerAccount(name: string): Account {
  const owner = accountOf(name);
  if (!owner) throw new Failure(`there is no account "${name}"`, `Make it (adduser ${name}), or choose another with --owner.`, USAGE);
  if (owner.uid === 0) throw new Failure('a site cannot belong to root', 'Choose another account with --owner.', USAGE);
  return owner;
}

// ---- the port

async function choosePort(wanted: number | null): Promise<number> {
  const taken = new Map(siteNames().map((name) => [portOf(siteOf(name)), name]));
  if (wanted !== null) {
    const holder = taken.get(wanted);
    if (holder !== undefined) throw new Failure(`port ${wanted} belongs to site "${holder}"`, 'Choose another with --port, or none: the next free one is taken.');
    if (!await portIsFree(wanted)) throw new Failure(`port ${wanted} is in use`, 'Choose another with --port, or none: the next free one is taken.');
    return wanted;
  }
  for (let number = DEFAULT_PORT; number <= MAX_PORT; number++) {
    if (!taken.has(number) && await portIsFree(number)) return number;
  }
  throw new Failure('no port is free');
}

async function portIsFree(number: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen({ port: number, host: '127.0.0.1', exclusive: true }, () => server.close(() => done(true)));
  });
}

// ---- the files

async function build(site: Site, owner: Account, number: number): Promise<void> {
  mkdirSync(DATA, { recursive: true, mode: 0o755 });
  mkdirSync(CONFIG, { recursive: true, mode: 0o755 });
  const told = progress(`making site ${site.name}`);
  try {
    ownFolder(site.data, owner);
    await runInitdb(site, owner, (step) => told.at(step));
    ownFolder(site.config, owner);
    configure(site, owner, number);
    told.end('');
  } catch (error) {
    told.end('failed');
    rmSync(site.data, { recursive: true, force: true });
    rmSync(site.config, { recursive: true, force: true });
    throw error;
  }
}

function ownFolder(path: string, owner: Account): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, FOLDER_MODE);
  chownSync(path, owner.uid, owner.gid);
}

async function runInitdb(site: Site, owner: Account, step: (what: string) => void): Promise<void> {
  const child = spawn(programPath('initdb'), ['-D', site.data, '-U', owner.name, '--auth-local=peer', '--auth-host=reject'],
    { uid: owner.uid, gid: owner.gid, cwd: '/', env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LANG: 'C.UTF-8', USER: owner.name, LOGNAME: owner.name }, stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stdout.on('data', (data: Buffer) => {
    const begun = [...data.toString('utf8').matchAll(/^(.+?) \.\.\./gm)].at(-1)?.[1];
    if (begun !== undefined) step(begun);
  });
  child.stderr.on('data', (data: Buffer) => { errors += data.toString('utf8'); });
  const code = await new Promise<number | null>((done, failed) => {
    child.once('error', failed);
    child.once('close', done);
  });
  if (code !== 0) throw new Failure(`initdb failed: ${errors.trim()}`);
}

/** Configuration moves to /etc, with rules fit for a machine of several accounts: by Unix socket everybody is who they are
 * (root and the owner may be the superuser), by TCP a password is needed. */
function configure(site: Site, owner: Account, number: number): void {
  for (const name of [SITE_INI, HBA_CONF, IDENT_CONF]) {
    const text = readFileSync(join(site.data, name), 'utf8');
    const put = join(site.config, `${name}.new`);
    writeFileSync(put, name === SITE_INI ? settingsText(text, site, number) : name === HBA_CONF ? hbaText(text) : identText(text, owner), { mode: FILE_MODE });
    chownSync(put, owner.uid, owner.gid);
    renameSync(put, join(site.config, name));
    rmSync(join(site.data, name));
  }
}

function settingsText(text: string, site: Site, number: number): string {
  let all = withSetting(text, 'port', String(number));
  all = withSetting(all, 'unix_socket_directories', site.socket);
  return withSetting(all, 'idle_exit', '10min');
}

function hbaText(text: string): string {
  const head = text.slice(0, text.search(/^(local|host)\b/m));
  const line = (...fields: string[]): string => fields.map((f, i) => f.padEnd([8, 16, 16, 24][i] ?? 0)).join('').trimEnd();
  return `${head}${[
    line('local', 'all', 'all', '', 'peer map=site'),
    line('host', 'all', 'all', '127.0.0.1/32', 'scram-sha-256'),
    line('host', 'all', 'all', '::1/128', 'scram-sha-256'),
  ].join('\n')}\n`;
}

function identText(text: string, owner: Account): string {
  const line = (system: string, database: string): string => `${'site'.padEnd(16)}${system.padEnd(24)}${database}`;
  return `${text.trimEnd()}\n${line('root', owner.name)}\n${line('/^(.*)$', '\\1')}\n`;
}
