// The postmaster: it looks after one site (PostgreSQL's postmaster.c). Here: command line, the checks before it listens,
// and what it loads, in order; what it does then is server_loop.ts.
import { closeSync, constants, lstatSync, realpathSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { FatalError, PgError } from '../../common/errors.ts';
import { HBA_CONF, IDENT_CONF, SITE_INI, SITE_SECRET, openSiteFile, readSiteFile } from '../../common/site.ts';
import { port } from '../../port/port.ts';
import { randomHex } from '../../port/random.ts';
import type { Connection } from '../libpq/connection.ts';
import type { Stage } from '../tcop/rehearsal.ts';
import { loadHba, loadIdent } from '../libpq/hba.ts';
import { makeBackendTable } from '../utils/backend_status.ts';
import { loadStatistics, makeStatistics } from '../utils/pgstat_shmem.ts';
import { shareLockedTables } from '../transaction/locked_tables.ts';
import { log, logError, openLogFile } from '../utils/elog.ts';
import { findSetting, getInt, getString, setConfigOption, show } from '../utils/guc.ts';
import { processConfigFile } from '../utils/guc_file.ts';
import { initPsStatus } from '../utils/ps_status.ts';
import { loadTheRest, playAll, type Rehearsal } from './background_rehearsal.ts';
import { rehearseStartup } from './backend_startup.ts';
import { openListeners, type Listeners } from './listen.ts';
import { keptSiteLock, lockSite, removeLockFile, writeLockFile, type LockFile } from './lock_file.ts';
import { Managers } from './managers.ts';
import { collectGarbage, compileFor, settleMemory, useHugePages } from './memory.ts';
import { Server } from './server_loop.ts';
import { checkSite, emptyTemporaryFolder, faultReport, versionFault, type ConfigFiles } from './site_check.ts';
import { rememberStart, type Continued } from './start_anew.ts';
import { takeSettings } from './startup_options.ts';
import { notify, socketsArePassed } from './systemd.ts';
import { refusePassedConnections } from './turn_away.ts';

/** What the floors below are to the postmaster: loaded and warmed before it listens, run in children. */
export interface Services {
  /** tcop/postgres.ts postgresMain. */
  serve: (connection: Connection) => never;
  /** transaction/manager.ts managerMain. */
  manage: (databaseOid: number) => never;
  /** tcop/proof.ts answersQuery: whether a child runs a query. */
  answersQuery: () => boolean;
  /** tcop/warm.ts warmUp: loads what children will run. */
  warmUp: () => Promise<void> | void;
  /** tcop/warm.ts rehearsal: runs what children will run, so that they find it warm; what happens in between is the stage's. */
  rehearsal: (stage: Stage) => Rehearsal | null;
}

function stop(message: string): never {
  writeSync(2, `${message}\n`);
  refusePassedConnections(message.split('\n', 1)[0]!);
  process.exit(1);
}

function refuseRoot(): void {
  if (process.geteuid!() === 0) {
    stop('"root" execution of the PostgreSQL server is not permitted.\n'
      + 'The server must be started under an unprivileged user ID to prevent\n'
      + 'possible system security compromise.  See the documentation for\n'
      + 'more information on how to properly start the server.');
  }
  if (process.geteuid!() !== process.getuid!()) stop('postmaster: real and effective user IDs must match');
}

/** Command line into settings, the site, and a name to print (-C). */
function readCommandLine(args: readonly string[]): { site: string; print: string | null } {
  let site = process.env['PGDATA'] ?? '', print: string | null = null;
  let given: Map<string, string>;
  try {
    given = takeSettings(args, 'postmaster', (letter, next) => {
      if (letter === 'D') site = next();
      else if (letter === 'C') print = next();
      else return false;
      return true;
    });
    if (process.env['PGPORT'] !== undefined) setConfigOption('port', process.env['PGPORT'], 'postmaster', 'environment variable');
    for (const [name, value] of given) setConfigOption(name, value, 'postmaster', 'command line');
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    stop(`postmaster: ${error.message}${error.fields.hint ? `\n${error.fields.hint}` : ''}`);
  }
  if (site === '') {
    stop('postmaster does not know where to find the server configuration file.\n'
      + 'You must specify the -D invocation option or set the PGDATA environment variable.');
  }
  return { site: resolve(site), print };
}

/** hba.conf and ident.conf lie beside site.ini unless settings say where. */
function configFiles(site: string): ConfigFiles {
  const ini = resolve(site, getString('config_file')), folder = dirname(ini);
  const beside = (setting: 'hba_file' | 'ident_file', name: string): string => {
    if (ini === join(site, SITE_INI) || findSetting(setting)!.source !== 'default') return resolve(site, getString(setting));
    setConfigOption(setting, join(folder, name), 'postmaster', 'override');
    return join(folder, name);
  };
  return { ini, hba: beside('hba_file', HBA_CONF), ident: beside('ident_file', IDENT_CONF) };
}

/** Moves into the site and reads its configuration; ends the process when something is wrong. */
export function openSite(site: string): void {
  const faults = checkSite(site, configFiles(site));
  if (faults.length > 0) {
    notify(`STATUS=${faults[0]!.path} ${faults[0]!.what}${faults.length > 1 ? `, and ${faults.length - 1} more faults` : ''}; mend: ${faults[0]!.mend}`);
    stop(faultReport(site, faults));
  }
  const version = versionFault(site);
  if (version !== undefined) stop(`postmaster: ${version}`);
  process.chdir(site);
  port.umask(0o077);
  setConfigOption('data_directory', realpathSync('.'), 'postmaster', 'override');
  const wrong = processConfigFile('postmaster');
  if (wrong.length === 0) return;
  for (const line of wrong) log('LOG', line);
  log('FATAL', `configuration file "${getString('config_file')}" contains errors`);
  notify(`STATUS=${wrong[0]}`);
  refusePassedConnections(wrong[0]!);
  process.exit(1);
}

/** Random bytes only this site knows, made when they are missing. */
function siteSecret(): Uint8Array {
  if (!lstatSync(SITE_SECRET, { throwIfNoEntry: false })) {
    const fd = openSiteFile(SITE_SECRET, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
    writeSync(fd, `${randomHex(32)}\n`);
    closeSync(fd);
  }
  return Buffer.from(readSiteFile(SITE_SECRET).trim(), 'hex');
}

function loadAuthentication(): boolean {
  let good = true;
  for (const [file, load] of [['hba_file', loadHba], ['ident_file', loadIdent]] as const) {
    const faults = load(getString(file));
    for (const fault of faults) log('LOG', fault);
    if (faults.length > 0) good = false;
  }
  return good;
}

/** Settings that do not go together; undefined: they do. */
function limitsFault(): string | undefined {
  if (getInt('superuser_reserved_connections') < getInt('max_connections')) return undefined;
  return `superuser_reserved_connections (${getInt('superuser_reserved_connections')}) must be less than max_connections (${getInt('max_connections')})`;
}

/** Whether a postmaster that starts now would find nothing wrong. It reads all settings anew, and so is a child's business. */
function wouldStart(config: ConfigFiles): boolean {
  const faults = checkSite(realpathSync('.'), config);
  for (const { path, what } of faults) log('LOG', `${path} ${what}`);
  const wrong = processConfigFile('postmaster'), limits = limitsFault();
  if (limits !== undefined) wrong.push(limits);
  for (const line of wrong) log('LOG', line);
  const good = loadAuthentication() && faults.length === 0 && wrong.length === 0;
  if (!good) log('LOG', 'not starting anew: the site would not start');
  return good;
}

/** Lines of postmaster.pid, the first five of them also in the lock files of sockets. */
function lockLines(site: string, socketFolder: string): string[] {
  return [String(port.getpid()), site, String(Math.floor(Date.now() / 1000)), String(getInt('port')), socketFolder];
}

/** Runs a postmaster until it is shut down. */
export async function postmasterMain(args: readonly string[], loadServices: () => Promise<Services>): Promise<void> {
  refuseRoot();
  const continued = rememberStart();
  const { site, print } = readCommandLine(args);
  openSite(site);
  if (print !== null) {
    if (!findSetting(print)) stop(`postmaster: unrecognized configuration parameter "${print}"`);
    writeSync(1, `${show(print)}\n`);
    return;
  }
  const limits = limitsFault();
  if (limits !== undefined) stop(`postmaster: ${limits}`);
  let siteLock: LockFile | null = null;
  try {
    siteLock = (continued && keptSiteLock(continued.lockFd)) ?? lockSite(site);
    writeLockFile(siteLock, [...lockLines(site, ''), '', '', 'starting']);
    emptyTemporaryFolder();
    await serve(site, siteLock, continued, loadServices);
  } catch (error) {
    if (error instanceof PgError) logError(error);
    else log('FATAL', error instanceof Error ? error.stack ?? error.message : String(error));
    if (siteLock) removeLockFile(siteLock);
    refusePassedConnections(error instanceof Error ? error.message : String(error));
    process.exit(1);
  }
}

async function serve(site: string, siteLock: LockFile, continued: Continued | null, loadServices: () => Promise<Services>): Promise<void> {
  initPsStatus('postmaster', 'starting');
  openLogFile();
  log('LOG', `starting Posthouse (PostgreSQL ${getString('server_version')}) in "${site}"`);
  if (!loadAuthentication()) throw new FatalError('config_file_error', 'could not load hba.conf or ident.conf');
  const mockNonce = siteSecret();
  makeBackendTable(getInt('max_connections'), getInt('max_worker_processes'));
  makeStatistics();
  shareLockedTables();
  loadStatistics();
  notify('STATUS=warming up');
  // Somebody may be waiting at a socket that was passed: the rehearsal then waits until it is worth it.
  const later = socketsArePassed();
  if (!later) compileFor('rehearsal');
  const services = await loadServices();
  await services.warmUp();
  const rehearse = (): Rehearsal | null => services.rehearsal({ collectGarbage: () => collectGarbage('major'), startUp: () => rehearseStartup(mockNonce), compileFor });
  if (!later) {
    loadTheRest();
    playAll(rehearse());
  }
  rehearseStartup(mockNonce);
  if (later) compileFor('default');
  else {
    useHugePages();
    settleMemory();
  }

  initPsStatus('postmaster', 'starting');
  Server.installSignals();
  const listeners: Listeners = openListeners((folder) => lockLines(site, folder));
  const managers = new Managers(services.manage);
  const status = (word: string): void => {
    writeLockFile(siteLock, [...lockLines(site, listeners.socketFolder), listeners.firstAddress, '', word]);
  };
  const server = new Server({
    listeners, managers, siteLock, mockNonce, serve: services.serve, answersQuery: services.answersQuery, rehearse: later ? rehearse : null,
    reloadAuthentication: () => {
      if (!loadAuthentication()) log('LOG', 'hba.conf or ident.conf was not reloaded');
    },
    wouldStart: () => wouldStart(configFiles(site)),
    continued,
  });
  status('ready   ');
  initPsStatus('postmaster', '');
  server.run();
  server.cleanUp();
  process.exit(0);
}
