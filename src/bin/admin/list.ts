// posthouse site list, show, status, log.
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { SITE_VERSION_FILE } from '../../common/site.ts';
import { countDatabases, ownerOf, portOf, readSetting, siteNames, siteOf, sizeOf, type Site } from './sites.ts';
import { Failure, humanSize, note, paint, say, table, NOT_RUNNING, type Colour } from './terminal.ts';
import { lookAtAll, serviceUnit, showStatus, socketUnit, stateOf, type State } from './units.ts';

const COLOUR: Readonly<Partial<Record<State, Colour>>> = { running: 'green', sleeping: 'grey', starting: 'yellow', stopping: 'yellow', failed: 'red' };

interface Facts {
  name: string;
  port: number;
  owner: string;
  state: State;
  databases: number | null;
  bytes: number | null;
  connections: number | null;
}

function factsOf(site: Site): Facts {
  const unit = stateOf(site), databases = countDatabases(site), { bytes } = sizeOf(site.data);
  const sessions = /^(\d+) session/.exec(unit.text)?.[1];
  return {
    name: site.name, port: portOf(site), owner: ownerOf(site).name, state: unit.state, databases: databases < 0 ? null : databases,
    bytes: bytes < 0 ? null : bytes, connections: unit.state === 'running' ? (sessions === undefined ? null : Number(sessions)) : 0,
  };
}

export function listSites(json: boolean): void {
  const sites = siteNames().map(siteOf);
  lookAtAll(sites);
  const all = sites.map(factsOf);
  if (json) return say(JSON.stringify(all, null, 2));
  if (all.length === 0 && process.stdout.isTTY) return say('There is no site. Make one: posthouse site create main');
  const unknown = (n: number | null): string => (n === null ? '?' : String(n));
  table(['name', 'port', 'owner', 'state', 'databases', 'size', 'connections'], all.map((f) => [
    f.name, String(f.port), f.owner, COLOUR[f.state] ? paint(COLOUR[f.state]!, f.state) : f.state, unknown(f.databases), f.bytes === null ? '?' : humanSize(f.bytes), unknown(f.connections),
  ]), [1, 4, 5, 6]);
}

export function showSite(site: Site, json: boolean): void {
  const facts = factsOf(site), unit = stateOf(site), { files } = sizeOf(site.data);
  const version = existsSync(join(site.data, SITE_VERSION_FILE)) ? readFileSync(join(site.data, SITE_VERSION_FILE), 'utf8').trim() : '?';
  const all: [string, string | number | null][] = [
    ['name', facts.name], ['state', facts.state], ['status', unit.text || null], ['pid', unit.pid || null], ['since', unit.since || null],
    ['owner', facts.owner], ['port', facts.port], ['listens on', readSetting(site, 'listen_addresses') ?? 'localhost'], ['socket', `${site.socket}/.s.PGSQL.${facts.port}`],
    ['configuration', site.config], ['data', site.data], ['format', version], ['databases', facts.databases], ['connections', facts.connections],
    ['size', json ? facts.bytes : facts.bytes === null ? null : humanSize(facts.bytes)], ['files', files < 0 ? null : files],
    ['units', `${socketUnit(site)} ${serviceUnit(site)}`],
  ];
  if (json) return say(JSON.stringify(Object.fromEntries(all.map(([key, value]) => [key.replace(' ', '_'), value])), null, 2));
  for (const [key, value] of all) if (value !== null) say(`${paint('bold', key.padEnd(14))}${value}`);
}

/** 0: it runs or waits for a connection; 3: it does not. */
export function siteStatus(site: Site): number {
  if (process.stdout.isTTY) showStatus(site);
  const { state, text } = stateOf(site);
  if (!process.stdout.isTTY) say(`${state}\t${text}`);
  return state === 'running' || state === 'sleeping' || state === 'starting' ? 0 : NOT_RUNNING;
}

const JOURNALS = ['/var/log/journal', '/run/log/journal'];

/** Whether this account may read the journal. It is root's and the group systemd-journal's; but what processes of a person say
 * is in a file that the person may read, where journals are kept on disk: the owner of a site reads what the site says. */
function readableJournal(): 'all' | 'own' | 'nothing' {
  const machine = existsSync('/etc/machine-id') ? readFileSync('/etc/machine-id', 'utf8').trim() : '';
  const folders = JOURNALS.map((folder) => join(folder, machine)).filter((folder) => existsSync(folder));
  const readable = (name: string): boolean => folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.R_OK);
      return true;
    } catch {
      return false; // or it is not there
    }
  });
  if (folders.length === 0 || readable('system.journal')) return 'all';
  return readable(`user-${process.getuid!()}.journal`) ? 'own' : 'nothing';
}

/** journalctl takes our place: a signal that ends us (-f) is for it. */
export function siteLog(site: Site, follow: boolean, lines: number | null): never {
  const may = readableJournal(), joining = `sudo usermod -aG systemd-journal ${userInfo().username}`;
  if (may === 'nothing' || (may === 'own' && ownerOf(site).uid !== process.getuid!())) {
    throw new Failure(`the journal, with the log of site "${site.name}", is not open to ${userInfo().username}`,
      `Run this as root: sudo posthouse site log ${site.name}\n  Or, for all logs of this machine and from the next log-in on: ${joining}`);
  }
  if (may === 'own') note(`what systemd says of the site (starts, ends) is not shown: only root and the group systemd-journal read it (${joining})`);
  // By fields: for a backend that has ended before the journal looked, the journal does not know the unit (-u), but we say SITE.
  const units = [serviceUnit(site), socketUnit(site)];
  const matches = [[`SITE=${site.name}`, `_UID=${ownerOf(site).uid}`], ...units.flatMap((unit) => [[`_SYSTEMD_UNIT=${unit}`], [`UNIT=${unit}`, '_PID=1'], [`USER_UNIT=${unit}`, `_UID=${ownerOf(site).uid}`]])];
  const args = [...(may === 'own' ? ['-q'] : []), ...(follow ? ['-f'] : []), ...(lines === null ? [] : ['-n', String(lines)]), ...matches.flatMap((match) => ['+', ...match]).slice(1)];
  const file = (process.env['PATH'] ?? '').split(':').map((folder) => join(folder, 'journalctl')).find((path) => path.startsWith('/') && existsSync(path));
  if (file === undefined) throw new Failure('there is no journalctl in PATH', 'systemd keeps the log: log in as somebody who has it, or see log_destination in site.ini.');
  return process.execve!(file, ['journalctl', ...args], process.env);
}
