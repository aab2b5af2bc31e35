// Before it listens, the postmaster looks at every file and folder of its site: owner, type, mode, links. It lists all
// faults, each with the command that mends it; a site with faults does not start. (Each process also checks what it
// opens, by descriptor: common/site.ts.)
import { lstatSync, readFileSync, readdirSync, rmSync, type Stats } from 'node:fs';
import { join, resolve } from 'node:path';
import { BASE, FILE_MODE, FOLDER_MODE, GLOBAL, HBA_CONF, IDENT_CONF, SITE_INI, SITE_VERSION, SITE_VERSION_FILE, TMP } from '../../common/site.ts';
import { port } from '../../port/port.ts';

export interface SiteFault {
  path: string;
  what: string;
  /** A shell command. */
  mend: string;
}

const MAX_FAULTS = 1000;
const REQUIRED_FOLDERS = [GLOBAL, BASE, TMP];

const quote = (path: string): string => (/^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);
const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

/** Where the configuration is: in the site, or in a folder of its own (/etc/posthouse/<site>). */
export interface ConfigFiles {
  ini: string;
  hba: string;
  ident: string;
}
export const configFilesIn = (folder: string): ConfigFiles => ({ ini: join(folder, SITE_INI), hba: join(folder, HBA_CONF), ident: join(folder, IDENT_CONF) });

/** Everything that is wrong with the site at this absolute path. `account`: whose it must be, if not this process's. */
export function checkSite(site: string, config: ConfigFiles = configFilesIn(site), account: number = process.geteuid!()): SiteFault[] {
  const faults: SiteFault[] = [];
  const uid = account, owner = port.userName(uid) ?? String(uid);
  const add = (path: string, what: string, mend: string): void => { faults.push({ path, what, mend }); };

  /** Whether the entry is a folder to look into. */
  const check = (path: string, stat: Stats, folder: boolean): boolean => {
    const shown = quote(path);
    if (stat.isSymbolicLink()) { add(path, 'is a symbolic link', `rm ${shown}`); return false; }
    if (!(folder ? stat.isDirectory() : stat.isFile())) {
      add(path, `is ${kindOf(stat)}, not a ${folder ? 'folder' : 'regular file'}`, stat.isDirectory() ? `rm -r ${shown}` : `rm ${shown}`);
      return false;
    }
    if (stat.uid !== uid) add(path, `is owned by ${port.userName(stat.uid) ?? stat.uid}, not by ${owner}`, `chown ${quote(owner)} ${shown}`);
    const mode = stat.mode & 0o7777, wanted = folder ? FOLDER_MODE : FILE_MODE;
    if (mode !== wanted) add(path, `has mode ${octal(mode)}, not ${octal(wanted)}`, `chmod ${octal(wanted)} ${shown}`);
    if (!folder && stat.nlink !== 1) {
      add(path, `has ${stat.nlink} hard links`, `cp -p ${shown} ${quote(`${path}.new`)} && mv ${quote(`${path}.new`)} ${shown}`);
    }
    return folder;
  };

  const walk = (folder: string): void => {
    let entries;
    try {
      entries = readdirSync(folder, { withFileTypes: true });
    } catch (error) {
      add(folder, `cannot be read: ${(error as Error).message}`, `chown ${quote(owner)} ${quote(folder)} && chmod 0700 ${quote(folder)}`);
      return;
    }
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (faults.length >= MAX_FAULTS) return;
      const path = join(folder, entry.name), stat = lstatSync(path, { throwIfNoEntry: false });
      if (!stat) continue;
      // Sockets of ours, of a postmaster that was killed.
      if (stat.isSocket() && (`${folder}/`.startsWith(`${join(site, TMP)}/`) || (folder === site && entry.name.startsWith('.s.PGSQL.')))) continue;
      if (check(path, stat, stat.isDirectory())) walk(path);
    }
  };

  const top = lstatSync(site, { throwIfNoEntry: false });
  if (!top) return [{ path: site, what: 'does not exist', mend: `initdb -D ${quote(site)}` }];
  if (check(site, top, true)) walk(site);
  for (const file of [SITE_VERSION_FILE, config.ini, config.hba, config.ident]) {
    const path = resolve(site, file), stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat) {
      add(path, 'is missing', path === config.ident ? `install -m 0600 -o ${quote(owner)} /dev/null ${quote(path)}` : 'restore it from a copy, or make a new site with initdb');
    } else if (!path.startsWith(`${site}/`)) check(path, stat, false);
  }
  for (const name of REQUIRED_FOLDERS) {
    const path = join(site, name), stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat) add(path, 'is missing', name === TMP ? `mkdir -m 0700 ${quote(path)}` : 'restore it from a copy, or make a new site with initdb');
    else if (!stat.isDirectory() && !stat.isSymbolicLink()) add(path, 'is not a folder', `rm ${quote(path)}`);
  }
  return faults;
}

function kindOf(stat: Stats): string {
  return stat.isDirectory() ? 'a folder' : stat.isSocket() ? 'a socket' : stat.isFIFO() ? 'a pipe' : stat.isFile() ? 'a regular file' : 'a device';
}

/** The list as a person reads it. */
export function faultReport(site: string, faults: readonly SiteFault[]): string {
  const lines = faults.map((f) => `  ${f.path} ${f.what}\n      mend: ${f.mend}`);
  const count = faults.length === 1 ? '1 fault' : `${faults.length}${faults.length >= MAX_FAULTS ? ' or more' : ''} faults`;
  return `site "${site}" has ${count} and does not start:\n${lines.join('\n')}`;
}

/** Whether the site is of this program's format; undefined: yes. */
export function versionFault(site: string): string | undefined {
  const found = readFileSync(join(site, SITE_VERSION_FILE), 'utf8').trim();
  if (found === SITE_VERSION) return undefined;
  return `the site was made by format version "${found}", which is not compatible with this version, "${SITE_VERSION}"`;
}

/** tmp/ starts empty. */
export function emptyTemporaryFolder(): void {
  for (const name of readdirSync(TMP)) rmSync(join(TMP, name), { recursive: true, force: true });
}
