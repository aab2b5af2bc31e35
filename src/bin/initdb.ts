#!/usr/bin/env node
// Creates a site: its folders, its configuration, the shared catalogs and the databases template1, template0, postgres.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bootstrapDatabase, bootstrapSite, SQL_FILES, sqlFileUrl } from '../backend/catalog/bootstrap.ts';
import { setupPrivileges } from '../backend/catalog/bootstrap_privileges.ts';
import { copyDatabase } from '../backend/catalog/copy_database.ts';
import * as ids from '../backend/catalog/oids.ts';
import { useSystemOids } from '../backend/catalog/catalog.ts';
import { icuCollationVersion } from '../backend/types/collation.ts';
import { openStore, openWritableStore } from '../backend/storage/lmdb.ts';
import { flushToDisk, packEnvironment } from '../backend/storage/packed.ts';
import { executeFile, executeString, inTransaction, openStandalone } from '../backend/tcop/standalone.ts';
import { loadBackend } from '../backend/tcop/warm.ts';
import {
  BASE, databaseFolder, FILE_MODE, FOLDER_MODE, GLOBAL, HBA_CONF, IDENT_CONF, SITE_INI, SITE_VERSION, SITE_VERSION_FILE, TMP,
} from '../common/site.ts';
import { buildScramSecret } from '../common/scram.ts';
import { PgError } from '../common/errors.ts';
import { complain, fail, getopt, option, refuseRest, standardOptions } from './getopt.ts';
import { readPassword } from './prompt.ts';

const PROGRAM = 'initdb';
const HELP = `initdb creates a site: the collection of databases that one postmaster looks after.

Usage:
  initdb [OPTION]... [DATADIR]

Options:
  -A, --auth=METHOD         authentication method for local and TCP connections (default: trust for local
                            connections, scram-sha-256 for TCP if a password is set, else trust)
      --auth-host=METHOD    authentication method for local TCP/IP connections
      --auth-local=METHOD   authentication method for local-socket connections
 [-D, --pgdata=]DATADIR     where the site shall be
  -E, --encoding=ENCODING   UTF8 is the only one
      --locale=LOCALE       C, POSIX or C.UTF-8 (the default): text sorts by its bytes
      --no-locale           equivalent to --locale=C
      --locale-provider={libc|icu}
                            what sorts texts in databases (default: libc)
      --icu-locale=LOCALE   the locale of ICU, such as de, en-US or und
      --pwfile=FILE         read password for the new superuser from file
  -U, --username=NAME       database superuser name (default: the name of the account)
  -W, --pwprompt            prompt for a password for the new superuser
  -N, --no-sync             do not wait for changes to be written safely to disk
  -S, --sync-only           only write what there is safely to disk, then exit
  -V, --version             output version information, then exit
  -?, --help                show this help, then exit

If the data directory is not specified, the environment variable PGDATA is used.

Example:
  initdb -D /var/lib/mysite && postmaster -D /var/lib/mysite
`;

const OPTIONS = ['auth:A=', 'auth-host=', 'auth-local=', 'pgdata:D=', 'encoding:E=', 'locale=', 'lc-collate=', 'lc-ctype=', 'no-locale', 'locale-provider=', 'icu-locale=', 'pwfile=', 'username:U=', 'pwprompt:W', 'no-sync:N', 'sync-only:S'].map(option);
const METHODS = ['trust', 'reject', 'scram-sha-256', 'peer'];
const LOCALES = ['C', 'POSIX', 'C.UTF-8', 'C.utf8'];

interface Wanted {
  site: string; superuser: string; password: string | null; local: string; host: string; locale: string; icuLocale: string | null; sync: boolean;
}

async function readArguments(): Promise<Wanted> {
  const { options, rest } = getopt(PROGRAM, process.argv.slice(2), OPTIONS);
  const given = new Map(options);
  refuseRest(PROGRAM, rest, given.has('pgdata') ? 0 : 1);
  const site = given.get('pgdata') ?? rest[0] ?? process.env['PGDATA'];
  if (!site) {
    fail(PROGRAM, 'no data directory specified', 'You must identify the directory where the data for this database system will reside. Do this with either the invocation option -D or the environment variable PGDATA.');
  }
  if (given.has('sync-only')) {
    if (!existsSync(site)) fail(PROGRAM, `could not access directory "${site}": No such file or directory`);
    process.chdir(site);
    step('syncing data to disk', syncSite);
    process.exit(0);
  }
  const encoding = given.get('encoding');
  if (encoding !== undefined && !/^utf-?8$/i.test(encoding)) fail(PROGRAM, `encoding "${encoding}" is not supported`, 'UTF8 is the only one.');
  const locale = given.has('no-locale') ? 'C' : given.get('locale') ?? given.get('lc-collate') ?? 'C.UTF-8';
  if (!LOCALES.includes(locale)) fail(PROGRAM, `locale "${locale}" is not supported`, 'C, POSIX and C.UTF-8 are: text sorts by its bytes.');
  const icuLocale = icuLocaleOf(given.get('locale-provider') ?? 'libc', given.get('icu-locale'));
  for (const name of ['auth', 'auth-host', 'auth-local']) {
    const method = given.get(name);
    if (method !== undefined && !METHODS.includes(method)) fail(PROGRAM, `invalid authentication method "${method}"`, `One of ${METHODS.join(', ')}.`);
  }
  if (given.get('auth-host') === 'peer') fail(PROGRAM, 'invalid authentication method "peer" for "host" connections');
  const superuser = given.get('username') ?? userInfo().username;
  if (superuser.startsWith('pg_')) fail(PROGRAM, `superuser name "${superuser}" is disallowed; role names cannot begin with "pg_"`);
  const password = await superuserPassword(given);
  const auth = given.get('auth');
  const host = given.get('auth-host') ?? (auth === 'peer' ? undefined : auth) ?? (password === null ? 'trust' : 'scram-sha-256');
  const local = given.get('auth-local') ?? auth ?? 'trust';
  if ((local === 'scram-sha-256' || host === 'scram-sha-256') && password === null) {
    fail(PROGRAM, 'must specify a password for the superuser to enable password authentication', 'Use -W or --pwfile.');
  }
  return { site: resolve(site), superuser, password, local, host, locale: locale === 'C.utf8' ? 'C.UTF-8' : locale, icuLocale, sync: !given.has('no-sync') };
}

/** Null: the C library's locale is the databases'. */
function icuLocaleOf(provider: string, locale: string | undefined): string | null {
  if (provider === 'libc') {
    if (locale !== undefined) fail(PROGRAM, '--icu-locale cannot be specified unless locale provider "icu" is chosen');
    return null;
  }
  if (provider !== 'icu') fail(PROGRAM, `unrecognized locale provider: ${provider}`);
  if (locale === undefined) fail(PROGRAM, 'ICU locale must be specified');
  try {
    icuCollationVersion(locale);
  } catch (error) {
    fail(PROGRAM, (error as Error).message);
  }
  return locale;
}

async function superuserPassword(given: ReadonlyMap<string, string>): Promise<string | null> {
  if (given.has('pwprompt') && given.has('pwfile')) fail(PROGRAM, 'password prompt and password file cannot be specified together');
  const file = given.get('pwfile');
  if (file !== undefined) {
    let text = '';
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      fail(PROGRAM, `could not open file "${file}" for reading: ${(error as Error).message}`);
    }
    const password = text.split(/\r?\n/)[0]!;
    if (password === '') fail(PROGRAM, `password file "${file}" is empty`);
    return password;
  }
  if (!given.has('pwprompt')) return null;
  const first = await readPassword('Enter new superuser password: ');
  if (first !== await readPassword('Enter it again: ')) fail(PROGRAM, 'Passwords didn\'t match.');
  return first;
}

// ---- making it

/** Says what is being done, and "ok" when it is. */
function step(what: string, work: () => void): void {
  process.stdout.write(`${what} ... `);
  work();
  process.stdout.write('ok\n');
}

function makeFolders(site: string): { madeSite: boolean } {
  const existed = existsSync(site);
  if (existed) {
    if (!statSync(site).isDirectory()) fail(PROGRAM, `"${site}" exists but is not a directory`);
    if (readdirSync(site).length > 0) {
      complain(PROGRAM, `directory "${site}" exists but is not empty`);
      fail(PROGRAM, 'nothing was changed', `If you want to create a new database system, either remove or empty the directory "${site}" or run ${PROGRAM} with an argument other than "${site}".`);
    }
  }
  try {
    mkdirSync(site, { recursive: true, mode: FOLDER_MODE });
  } catch (error) {
    fail(PROGRAM, `could not create directory "${site}": ${(error as Error).message}`);
  }
  return { madeSite: !existed };
}

const SAMPLES = fileURLToPath(new URL('../etc/', import.meta.url));
const sample = (name: string): string => readFileSync(existsSync(join(SAMPLES, name)) ? join(SAMPLES, name) : join(SAMPLES, '../../etc', name), 'utf8');

function writeFiles(wanted: Wanted): void {
  const put = (name: string, text: string): void => writeFileSync(name, text, { mode: FILE_MODE });
  put(SITE_VERSION_FILE, `${SITE_VERSION}\n`);
  put(SITE_INI, sample('site.ini'));
  put(IDENT_CONF, sample('ident.conf'));
  const host = (address: string): string => `host    all             all             ${address.padEnd(23)} ${wanted.host}`;
  put(HBA_CONF, sample('hba.conf').replace('@local@', `local   all             all                                     ${wanted.local}`)
    .replace('@host@', `${host('127.0.0.1/32')}\n${host('::1/128')}`));
}

function makeCatalogs(wanted: Wanted): void {
  const global = openWritableStore(GLOBAL);
  bootstrapSite(global, {
    superuser: wanted.superuser, password: wanted.password === null ? null : buildScramSecret(wanted.password), collate: wanted.locale, ctype: wanted.locale,
    icuLocale: wanted.icuLocale,
  });
  global.close();
  const template = openWritableStore(databaseFolder(ids.Template1DbOid));
  bootstrapDatabase(template);
  template.close();
}

function runSqlFiles(): void {
  const alone = openStandalone(ids.Template1DbOid, 'template1');
  useSystemOids(true);
  executeString('SET search_path = pg_catalog');
  executeString('SET search_path TO pg_catalog');
  for (const file of SQL_FILES) executeFile(sqlFileUrl(file));
  executeString(`COPY information_schema.sql_features (feature_id, feature_name, sub_feature_id, sub_feature_name, is_supported, comments) FROM '${fileURLToPath(sqlFileUrl('sql_features.txt')).replaceAll("'", "''")}'`);
  executeString('CREATE EXTENSION plpgsql');
  executeString("SELECT pg_import_system_collations('pg_catalog')");
  inTransaction(setupPrivileges);
  useSystemOids(false);
  alone.close();
}

function copyTemplate(): void {
  const template = openStore(databaseFolder(ids.Template1DbOid));
  template.renew();
  for (const oid of [ids.Template0DbOid, ids.PostgresDbOid]) {
    copyDatabase(template, databaseFolder(oid));
    packEnvironment(databaseFolder(oid));
  }
  template.close();
  packEnvironment(databaseFolder(ids.Template1DbOid));
}

/** All files and their names. */
function syncSite(): void {
  for (const name of ['.', ...readdirSync('.', { recursive: true, encoding: 'utf8' })]) flushToDisk(name);
}

standardOptions(PROGRAM, HELP);
if (process.geteuid!() === 0) {
  complain(PROGRAM, 'cannot be run as root');
  complain(PROGRAM, 'Please log in (using, e.g., "su") as the (unprivileged) user that will own the server process.', 'hint');
  process.exit(1);
}
const wanted = await readArguments();
process.umask(0o077);
console.log(`The files belonging to this database system will be owned by user "${userInfo().username}".\nThis user must also own the server process.\n`);
const { madeSite } = makeFolders(wanted.site);
process.chdir(wanted.site);
try {
  step('creating subdirectories', () => { for (const folder of [GLOBAL, BASE, TMP, databaseFolder(ids.Template1DbOid)]) mkdirSync(folder, { mode: FOLDER_MODE }); });
  step('creating configuration files', () => writeFiles(wanted));
  step('writing the catalogs', () => makeCatalogs(wanted));
  await loadBackend();
  step('making views and functions', runSqlFiles);
  step('copying template1 to template0 and postgres', copyTemplate);
  if (wanted.sync) step('syncing data to disk', syncSite);
  else console.log('\nSync to disk skipped.\nThe data directory might become corrupt if the operating system crashes.');
} catch (error) {
  process.stdout.write('failed\n');
  complain(PROGRAM, error instanceof PgError ? `${error.message}${error.fields.where ? ` (${error.fields.where})` : ''}` : String((error as Error).stack));
  process.chdir('/');
  for (const name of readdirSync(wanted.site)) rmSync(join(wanted.site, name), { recursive: true });
  if (madeSite) rmSync(wanted.site, { recursive: true });
  complain(PROGRAM, `removed the contents of "${wanted.site}"`, 'detail');
  process.exit(1);
}
if (wanted.local === 'trust' || wanted.host === 'trust') {
  console.log();
  complain(PROGRAM, 'enabling "trust" authentication for local connections', 'warning');
  complain(PROGRAM, `You can change this by editing ${HBA_CONF} or using the option -A, or --auth-local and --auth-host, the next time you run ${PROGRAM}.`, 'hint');
}
console.log(`\nSuccess. You can now start the site:\n\n    postmaster -D ${wanted.site}\n`);
process.exit(0);
