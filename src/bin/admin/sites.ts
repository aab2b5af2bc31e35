// Sites by name: /etc/posthouse/<name> has the configuration, /var/lib/posthouse/<name> the data, /run/posthouse/<name> the
// socket. A site is there when its site.ini is.
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AUTO_INI, SITE_INI } from '../../common/site.ts';
import { port as native } from '../../port/port.ts';
import { Failure, NO_SUCH_SITE, USAGE } from './terminal.ts';

export const CONFIG = '/etc/posthouse', DATA = '/var/lib/posthouse', RUN = '/run/posthouse';
export const DEFAULT_PORT = 5432;
const MAX_NAME = 32;

export interface Site {
  name: string;
  config: string;
  data: string;
  /** Folder of the Unix socket. */
  socket: string;
}

export const siteOf = (name: string): Site => ({ name, config: join(CONFIG, name), data: join(DATA, name), socket: join(RUN, name) });

export function checkName(name: string): void {
  if (/^[a-z][a-z0-9_-]*$/.test(name) && name.length <= MAX_NAME) return;
  throw new Failure(`"${name}" cannot be the name of a site`, `A name is of a to z, 0 to 9, _ and -, begins with a letter and has at most ${MAX_NAME} characters.`, USAGE);
}

/** Also one whose folder we may not look into. */
export function siteExists(site: Site): boolean {
  try {
    return lstatSync(join(site.config, SITE_INI)).isFile();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

export function findSite(name: string): Site {
  checkName(name);
  const site = siteOf(name);
  if (siteExists(site)) return site;
  const others = siteNames();
  throw new Failure(`there is no site "${name}"`, others.length > 0 ? `There are: ${others.join(', ')}.` : 'Make one: posthouse site create main', NO_SUCH_SITE);
}

export function siteNames(): string[] {
  try {
    return readdirSync(CONFIG).filter((name) => siteExists(siteOf(name))).sort();
  } catch {
    return [];
  }
}

export interface Account {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

/** An account of the system, by name or number (/etc/passwd; the C library is asked through id for others). */
export function accountOf(name: string): Account | undefined {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [login, , uid, gid, , home] = line.split(':');
    if (login === name || uid === name) return { name: login!, uid: Number(uid), gid: Number(gid), home: home! };
  }
  return undefined;
}

/** Whose site it is: whose the data is. */
export function ownerOf(site: Site): Account {
  const { uid, gid } = statSync(existsSync(site.data) ? site.data : site.config);
  return { name: native.userName(uid) ?? String(uid), uid, gid, home: DATA };
}

export const isRoot = (): boolean => process.getuid!() === 0;

/** Root, or the account whose site it is. */
export function mustOwn(site: Site): void {
  if (isRoot() || ownerOf(site).uid === process.getuid!()) return;
  throw new Failure(`site "${site.name}" belongs to ${ownerOf(site).name}`, `Run this as ${ownerOf(site).name} or as root: sudo posthouse ...`);
}

export function mustBeRoot(what: string): void {
  if (!isRoot()) throw new Failure(`${what} needs root`, 'Put sudo before it.');
}

// ---- site.ini

const LINE = (name: string): RegExp => new RegExp(`^[ \\t]*${name}[ \\t]*=[ \\t]*(.*?)[ \\t]*(?:;.*)?$`, 'im');

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** A setting as site.ini says it, or ALTER SYSTEM has said since; undefined: neither does. */
export function readSetting(site: Site, name: string): string | undefined {
  const text = `${textOf(join(site.config, SITE_INI))}\n${textOf(join(site.data, AUTO_INI))}`;
  const last = [...text.matchAll(new RegExp(LINE(name), 'gim'))].at(-1)?.[1];
  return last?.replace(/^(['"])(.*)\1$/, '$2');
}

/** Writes a setting into the text of a site.ini: where the sample has it commented out, or at the end. */
export function withSetting(text: string, name: string, value: string): string {
  const sample = new RegExp(`^;?[ \\t]*${name}[ \\t]*=.*$`, 'm'), line = `${name} = ${value}`;
  return sample.test(text) ? text.replace(sample, () => line) : `${text.replace(/\n*$/, '\n')}${line}\n`;
}

/** Where the units of a site say what it listens on (units.ts). */
export const listenFile = (site: Site): string => `/etc/systemd/system/posthouse@${site.name}.socket.d/listen.conf`;

export function portOf(site: Site): number {
  const said = readSetting(site, 'port');
  if (said !== undefined || !existsSync(listenFile(site))) return Number(said ?? DEFAULT_PORT);
  // Who may not read site.ini may read the unit.
  return Number(/\.s\.PGSQL\.(\d+)$/m.exec(readFileSync(listenFile(site), 'utf8'))?.[1] ?? DEFAULT_PORT);
}

/** Bytes on disk and files, below a folder. */
export function sizeOf(folder: string, tell: (files: number) => void = () => {}): { bytes: number; files: number } {
  let bytes = 0, files = 0;
  const walk = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const stat = lstatSync(join(path, entry.name), { throwIfNoEntry: false });
      if (!stat) continue;
      bytes += stat.blocks * 512;
      files++;
      tell(files);
      if (stat.isDirectory()) walk(join(path, entry.name));
    }
  };
  try {
    walk(folder);
  } catch {
    return { bytes: -1, files: -1 };
  }
  return { bytes, files };
}

const TEMPLATE_OIDS = ['1', '4'];

/** Databases of a site, template0 and template1 apart: their folders; -1: not ours to look at. */
export function countDatabases(site: Site): number {
  try {
    return readdirSync(join(site.data, 'base')).filter((name) => !TEMPLATE_OIDS.includes(name)).length;
  } catch {
    return -1;
  }
}
