// The units of a site: posthouse@<site>.socket and .service of systemd, and the drop-ins that say what is this site's own
// (addresses, account). Where systemd does not run (a container that is being built), only files are written.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { POSTMASTER_PID } from '../../common/site.ts';
import { Failure, NOT_RUNNING } from './terminal.ts';
import { isRoot, listenFile, ownerOf, portOf, readSetting, type Site } from './sites.ts';

const SYSTEM = '/etc/systemd/system', TMPFILES = '/etc/tmpfiles.d';
const SERVICE_ACCOUNT = 'posthouse';

export const socketUnit = (site: Site): string => `posthouse@${site.name}.socket`;
export const serviceUnit = (site: Site): string => `posthouse@${site.name}.service`;
export const systemdRuns = (): boolean => existsSync('/run/systemd/system');

function systemctl(args: readonly string[], quiet = false): { status: number; stdout: string; stderr: string } {
  const { status, stdout, stderr, error } = spawnSync('systemctl', ['--no-pager', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (error) throw new Failure(`systemctl cannot be run: ${error.message}`);
  if (status !== 0 && !quiet) {
    throw new Failure(`systemctl ${args.join(' ')}: ${stderr.trim() || `exit code ${status}`}`);
  }
  return { status: status ?? 1, stdout, stderr };
}

// ---- drop-ins

const ownerFile = (site: Site): string => `${SYSTEM}/${serviceUnit(site)}.d/owner.conf`;
const tmpfilesFile = (site: Site): string => `${TMPFILES}/posthouse-${site.name}.conf`;

/** The addresses of listen_addresses as systemd has them. */
function tcpAddresses(site: Site): string[] {
  const number = portOf(site), ipv6 = existsSync('/proc/net/if_inet6');
  const names = (readSetting(site, 'listen_addresses') ?? 'localhost').split(',').map((name) => name.trim()).filter(Boolean);
  return [...new Set(names.flatMap((name) => {
    if (name === '*') return ipv6 ? [`0.0.0.0:${number}`, `[::]:${number}`] : [`0.0.0.0:${number}`];
    if (name === 'localhost') return ipv6 ? [`127.0.0.1:${number}`, `[::1]:${number}`] : [`127.0.0.1:${number}`];
    return name.includes(':') ? [`[${name}]:${number}`] : [`${name}:${number}`];
  }))];
}

function listenText(site: Site): string {
  const lines = [`${site.socket}/.s.PGSQL.${portOf(site)}`, ...tcpAddresses(site)].map((address) => `ListenStream=${address}\n`).join('');
  return `# Written by "posthouse site", from port and listen_addresses in ${site.config}/site.ini.\n[Socket]\n${lines}`;
}

function put(file: string, text: string | null): boolean {
  const old = existsSync(file) ? readFileSync(file, 'utf8') : null;
  if (old === text) return false;
  if (text === null) rmSync(file);
  else {
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    writeFileSync(file, text, { mode: 0o644 });
  }
  return true;
}

/** Makes the drop-ins say what site.ini says. True: something changed; systemd then has to read them (`reload`). */
export function writeUnits(site: Site, reload = true): boolean {
  const owner = ownerOf(site).name, own = owner !== SERVICE_ACCOUNT;
  const changes = [
    put(listenFile(site), listenText(site)),
    put(ownerFile(site), own ? `# Written by "posthouse site": whose site it is.\n[Service]\nUser=${owner}\nGroup=\n` : null),
    put(tmpfilesFile(site), own ? `d ${site.socket} 0755 ${owner} - -\n` : null),
  ];
  if (own && systemdRuns()) spawnSync('systemd-tmpfiles', ['--create', tmpfilesFile(site)], { stdio: 'ignore' });
  const changed = changes.includes(true);
  if (changed && reload && systemdRuns()) systemctl(['daemon-reload']);
  return changed;
}

export function removeUnits(site: Site): void {
  for (const file of [listenFile(site), ownerFile(site)]) rmSync(dirname(file), { recursive: true, force: true });
  rmSync(tmpfilesFile(site), { force: true });
  rmSync(site.socket, { recursive: true, force: true });
  if (systemdRuns()) systemctl(['daemon-reload']);
}

// ---- what is done with them

export function enable(site: Site, start: boolean): void {
  systemctl(['enable', '--quiet', socketUnit(site)]);
  if (start && systemdRuns()) systemctl(['start', socketUnit(site)]);
}

/** Writes and enables the units of all these sites. */
export function syncUnits(sites: readonly Site[]): void {
  for (const site of sites) writeUnits(site, false);
  if (sites.length > 0) systemctl(['enable', '--quiet', ...sites.map(socketUnit)]);
  if (systemdRuns()) systemctl(['daemon-reload']);
}

export function disable(site: Site): void {
  systemctl(['disable', '--quiet', socketUnit(site), serviceUnit(site)], true);
}

/** Whose units are meant: root starts and stops the system's; an account whose site it is, without root, its own. */
const ownUnits = (): boolean => !isRoot();

function mayRun(site: Site, what: string): void {
  needSystemd();
  if (isRoot()) return;
  const owner = ownerOf(site);
  if (owner.name === SERVICE_ACCOUNT || owner.uid !== process.getuid!()) throw new Failure(`${what} a site of ${owner.name} needs root`, 'Put sudo before it.');
  if (systemState(site).state !== 'stopped') throw new Failure(`the system runs site "${site.name}": ${what} it needs root`, `To run it as a unit of ${owner.name} instead: sudo posthouse site stop ${site.name}`);
}

const doesNotStart = (site: Site): Failure => new Failure(`site "${site.name}" does not start`, `See: posthouse site log ${site.name}; posthouse site check ${site.name}`);

/** Sockets open; the postmaster comes with the first connection, or now. An owner's own unit has no socket unit. */
export function start(site: Site, now: boolean): void {
  mayRun(site, 'starting');
  if (ownUnits()) {
    if (systemctl(['--user', 'start', serviceUnit(site)], true).status !== 0) throw doesNotStart(site);
    return;
  }
  mustNotBeOwners(site);
  systemctl(['reset-failed', socketUnit(site), serviceUnit(site)], true);
  systemctl(['start', socketUnit(site)]);
  if (!now) return;
  const { status } = systemctl(['start', serviceUnit(site)], true);
  if (status !== 0) throw doesNotStart(site);
}

export function stop(site: Site): void {
  mayRun(site, 'stopping');
  if (ownUnits()) {
    systemctl(['--user', 'stop', serviceUnit(site)]);
    return;
  }
  systemctl(['stop', socketUnit(site), serviceUnit(site)]);
  mustNotBeOwners(site);
}

function mustNotBeOwners(site: Site): void {
  if (systemState(site).pid === 0 && ownerState(site) !== undefined) throw new Failure(`site "${site.name}" runs as a unit of ${ownerOf(site).name}`, `As ${ownerOf(site).name}: posthouse site stop ${site.name}`);
}

/** A postmaster that runs begins anew; sockets that have changed are opened anew. */
export function restart(site: Site, changed: boolean): void {
  mayRun(site, 'restarting');
  if (ownUnits()) {
    if (systemctl(['--user', 'restart', serviceUnit(site)], true).status !== 0) throw doesNotStart(site);
    return;
  }
  mustNotBeOwners(site);
  if (changed) {
    systemctl(['stop', socketUnit(site), serviceUnit(site)]);
    start(site, false);
    return;
  }
  systemctl(['start', socketUnit(site)]);
  if (systemctl(['restart', serviceUnit(site)], true).status !== 0) throw doesNotStart(site);
}

export function reload(site: Site): void {
  mayRun(site, 'reloading');
  if (stateOf(site).state !== 'running') throw new Failure(`site "${site.name}" is not running: there is nothing to reload`, 'What site.ini says counts from the next start.', NOT_RUNNING);
  if (!ownUnits()) mustNotBeOwners(site);
  systemctl([...(ownUnits() ? ['--user'] : []), 'reload', serviceUnit(site)]);
}

function needSystemd(): void {
  if (!systemdRuns()) throw new Failure('systemd does not run here', 'Start the postmaster by hand: /usr/lib/posthouse/bin/postmaster -D ...');
}

export type State = 'running' | 'sleeping' | 'starting' | 'stopping' | 'failed' | 'stopped' | 'unknown';
export interface UnitState {
  state: State;
  pid: number;
  /** "2 sessions, 1 database", or why it does not start. */
  text: string;
  since: string;
}

export function stateOf(site: Site): UnitState {
  if (!systemdRuns()) return { state: 'unknown', pid: 0, text: '', since: '' };
  const found = systemState(site);
  return found.pid === 0 ? ownerState(site) ?? found : found;
}

/** A postmaster that systemd's system manager knows nothing of; undefined: there is none, or it is not ours to see. */
function ownerState(site: Site): UnitState | undefined {
  try {
    const pid = Number(readFileSync(join(site.data, POSTMASTER_PID), 'utf8').split('\n', 1)[0]);
    if (pid <= 0 || !readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('posthouse: postmaster')) return undefined;
    return { state: 'running', pid, text: `as a unit of ${ownerOf(site).name}`, since: '' };
  } catch {
    return undefined;
  }
}

type Properties = Record<string, string>;
/** What systemctl said of units, when many were asked for at once. */
let known: ReadonlyMap<string, Properties> = new Map();

function showUnits(units: readonly string[]): ReadonlyMap<string, Properties> {
  const { stdout } = systemctl(['show', '-p', 'Id,ActiveState,MainPID,StatusText,ActiveEnterTimestamp', ...units], true);
  return new Map(stdout.trim().split('\n\n').map((block) => {
    const properties = Object.fromEntries(block.split('\n').map((line) => {
      const equals = line.indexOf('=');
      return [line.slice(0, equals), line.slice(equals + 1)];
    })) as Properties;
    return [properties['Id'] ?? '', properties];
  }));
}

/** Asks for the states of all these sites at once; `stateOf` then tells them. */
export function lookAtAll(sites: readonly Site[]): void {
  if (systemdRuns() && sites.length > 0) known = showUnits(sites.flatMap((site) => [serviceUnit(site), socketUnit(site)]));
}

function systemState(site: Site): UnitState {
  const units = known.has(serviceUnit(site)) ? known : showUnits([serviceUnit(site), socketUnit(site)]);
  const service = units.get(serviceUnit(site)), socket = units.get(socketUnit(site));
  const active = service?.['ActiveState'], listening = socket?.['ActiveState'] === 'active';
  const state: State = active === 'active' || active === 'reloading' ? 'running' : active === 'activating' ? 'starting' : active === 'deactivating' ? 'stopping'
    : active === 'failed' ? 'failed' : listening ? 'sleeping' : socket?.['ActiveState'] === 'failed' ? 'failed' : 'stopped';
  return { state, pid: Number(service?.['MainPID'] ?? 0), text: service?.['StatusText'] ?? '', since: service?.['ActiveEnterTimestamp'] ?? '' };
}

/** systemctl's own words. */
export function showStatus(site: Site): number {
  return spawnSync('systemctl', ['status', serviceUnit(site), socketUnit(site)], { stdio: 'inherit' }).status ?? 1;
}
