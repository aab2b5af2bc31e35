// The commands of posthouse as data: words, arguments, options, an example, and what they do.
import { changePassword, createDatabase, createUser, dropDatabase, dropUser, listDatabases, listUsers } from './people.ts';
import { dropSite, renameSite } from './change.ts';
import { checkSiteFiles } from './check.ts';
import { createSite, DEFAULT_OWNER } from './create.ts';
import { listSites, showSite, siteLog, siteStatus } from './list.ts';
import { findSite, isRoot, mustBeRoot, mustOwn, portOf, siteNames, siteOf, type Site } from './sites.ts';
import { Failure, paint, say, USAGE } from './terminal.ts';
import { reload, restart, start, stateOf, stop, syncUnits, writeUnits } from './units.ts';

/** What was given: options without an argument are ''. */
export interface Given {
  args: string[];
  options: ReadonlyMap<string, string>;
}

export interface Command {
  words: string;
  /** Names of its arguments. */
  args: readonly string[];
  /** Name (with "=WHAT" when it has an argument) and meaning. */
  options: readonly (readonly [name: string, meaning: string])[];
  summary: string;
  example: string;
  /** Not shown in the help of all. */
  internal?: boolean;
  run: (given: Given) => number | void | Promise<number | void>;
}

const has = (given: Given, name: string): boolean => given.options.has(name);
const siteArg = (given: Given): Site => findSite(given.args[0]!);

/** --site; one may be left out where there is only one. */
function siteOption(given: Given): Site {
  const name = given.options.get('site'), names = siteNames(), only = names.length === 1 ? names[0] : undefined;
  if (name !== undefined || only !== undefined) {
    const site = findSite((name ?? only)!);
    mustOwn(site);
    return site;
  }
  throw new Failure(names.length === 0 ? 'there is no site' : 'which site?', names.length === 0 ? 'Make one: posthouse site create main' : `Give --site: ${names.join(', ')}.`, USAGE);
}

function number(given: Given, name: string, least: number, most: number): number | null {
  const text = given.options.get(name);
  if (text === undefined) return null;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) throw new Failure(`--${name} wants a number from ${least} to ${most}, not "${text}"`, undefined, USAGE);
  return value;
}

const JSON_OPTION = ['json', 'as JSON'] as const, YES = ['yes', 'do not ask'] as const;
const SITE = ['site=SITE', 'the site (may be left out where there is only one)'] as const;
const PASSWORD = [['password-file=FILE', 'read the password from a file'], ['password-credential=NAME', 'read it from a credential of systemd']] as const;

const siteCommands: readonly Command[] = [
  {
    words: 'site create', args: ['NAME'], summary: 'make a site and open its sockets', example: 'posthouse site create shop --port 5433',
    options: [['port=N', 'TCP port (default: 5432, or the next one that is free)'], ['owner=USER', 'account whose site it is (default: posthouse)'], ['no-start', 'do not open its sockets yet']],
    run: async (given) => createSite({ name: given.args[0]!, port: number(given, 'port', 1, 65535), owner: given.options.get('owner') ?? DEFAULT_OWNER, start: !has(given, 'no-start') }),
  },
  { words: 'site list', args: [], summary: 'all sites: port, owner, state, databases, size, connections', example: 'posthouse site list --json', options: [JSON_OPTION], run: (given) => listSites(has(given, 'json')) },
  { words: 'site show', args: ['NAME'], summary: 'everything about one site', example: 'posthouse site show main', options: [JSON_OPTION], run: (given) => showSite(siteArg(given), has(given, 'json')) },
  {
    words: 'site start', args: ['NAME'], summary: 'open its sockets; the first connection starts the postmaster', example: 'posthouse site start shop',
    options: [['now', 'start the postmaster too']],
    run: (given) => {
      const site = siteArg(given);
      if (isRoot()) writeUnits(site);
      start(site, has(given, 'now'));
      say(`site ${site.name} is ${stateOf(site).state}, port ${portOf(site)}`);
    },
  },
  {
    words: 'site stop', args: ['NAME'], summary: 'end its sessions and close its sockets', example: 'posthouse site stop shop', options: [],
    run: (given) => {
      const site = siteArg(given);
      stop(site);
      say(`site ${site.name} is ${stateOf(site).state}`);
    },
  },
  {
    words: 'site restart', args: ['NAME'], summary: 'stop and start it; settings marked [restart] take effect', example: 'posthouse site restart shop', options: [],
    run: (given) => {
      const site = siteArg(given);
      restart(site, isRoot() && writeUnits(site));
      say(`site ${site.name} is ${stateOf(site).state}, port ${portOf(site)}`);
    },
  },
  {
    words: 'site reload', args: ['NAME'], summary: 'have it read its configuration again', example: 'posthouse site reload shop', options: [],
    run: (given) => {
      const site = siteArg(given);
      reload(site);
      say(`site ${site.name} has read its configuration`);
    },
  },
  { words: 'site status', args: ['NAME'], summary: 'what systemd says of it; exit code 3 when it is stopped', example: 'posthouse site status main', options: [], run: (given) => siteStatus(siteArg(given)) },
  { words: 'site rename', args: ['NAME', 'NEWNAME'], summary: 'give it another name', example: 'posthouse site rename shop store', options: [], run: (given) => renameSite(siteArg(given), given.args[1]!) },
  { words: 'site drop', args: ['NAME'], summary: 'remove a site and everything in it', example: 'posthouse site drop shop', options: [YES], run: async (given) => dropSite(siteArg(given), has(given, 'yes')) },
  {
    words: 'site check', args: ['NAME'], summary: 'look at owner, mode, type and links of every file', example: 'posthouse site check main --fix',
    options: [['fix', 'mend what is wrong']], run: (given) => checkSiteFiles(siteArg(given), has(given, 'fix')),
  },
  {
    words: 'site log', args: ['NAME'], summary: 'its lines in the journal', example: 'posthouse site log main -f',
    options: [['follow', '(-f) go on showing new ones'], ['lines=N', 'only the last N']], run: (given) => siteLog(siteArg(given), has(given, 'follow'), number(given, 'lines', 0, 1e9)),
  },
  {
    // For the package: after an installation or upgrade, the units of sites that are there.
    words: 'site sync', args: [], summary: 'write the units of all sites anew', example: 'posthouse site sync', options: [], internal: true,
    run: () => {
      mustBeRoot('writing units');
      syncUnits(siteNames().map(siteOf));
    },
  },
];

const userCommands: readonly Command[] = [
  {
    words: 'user create', args: ['NAME'], summary: 'make a user of a site; the password is asked for', example: 'posthouse user create alice --site shop',
    options: [SITE, ...PASSWORD, ['no-password', 'without a password: by the Unix socket only'], ['createdb', 'who may create databases'], ['superuser', 'who may do anything']],
    run: async (given) => createUser(siteOption(given), given.args[0]!, {
      superuser: has(given, 'superuser'), createdb: has(given, 'createdb'), noPassword: has(given, 'no-password'), ...source(given),
    }),
  },
  { words: 'user list', args: [], summary: 'the users of a site', example: 'posthouse user list --site shop', options: [SITE, JSON_OPTION], run: async (given) => listUsers(siteOption(given), has(given, 'json')) },
  { words: 'user drop', args: ['NAME'], summary: 'remove a user', example: 'posthouse user drop alice --site shop', options: [SITE, YES], run: async (given) => dropUser(siteOption(given), given.args[0]!, has(given, 'yes')) },
  {
    words: 'user password', args: ['NAME'], summary: 'give a user another password', example: 'posthouse user password alice --site shop', options: [SITE, ...PASSWORD],
    run: async (given) => changePassword(siteOption(given), given.args[0]!, source(given)),
  },
];

const databaseCommands: readonly Command[] = [
  {
    words: 'database create', args: ['NAME'], summary: 'make a database', example: 'posthouse database create orders --owner alice --site shop', options: [SITE, ['owner=USER', 'the user whose database it is']],
    run: (given) => createDatabase(siteOption(given), given.args[0]!, given.options.get('owner')),
  },
  { words: 'database list', args: [], summary: 'the databases of a site', example: 'posthouse database list --site shop', options: [SITE, JSON_OPTION], run: async (given) => listDatabases(siteOption(given), has(given, 'json')) },
  {
    words: 'database drop', args: ['NAME'], summary: 'remove a database and all that is in it', example: 'posthouse database drop orders --site shop', options: [SITE, YES],
    run: async (given) => dropDatabase(siteOption(given), given.args[0]!, has(given, 'yes')),
  },
];

function source(given: Given): { file: string | undefined; credential: string | undefined } {
  return { file: given.options.get('password-file'), credential: given.options.get('password-credential') };
}

export const COMMANDS: readonly Command[] = [...siteCommands, ...userCommands, ...databaseCommands];

// ---- help

export function helpOfAll(topic = ''): string {
  const shown = COMMANDS.filter((c) => !c.internal && c.words.startsWith(topic));
  const left = (c: Command): string => [c.words, ...c.args].join(' ');
  const wide = Math.max(...shown.map((c) => left(c).length));
  const lines = shown.map((c) => `  ${left(c).padEnd(wide)}  ${c.summary}`);
  return `posthouse looks after the Posthouse sites of this machine.

Usage:
  posthouse COMMAND [ARGUMENT]... [OPTION]...

Commands:
${lines.join('\n')}

  --help after a command tells its options; --version tells the version.

Exit codes: 0 done, 1 it failed, 2 the command line is wrong, 3 the site is not running, 4 there is no such site.

Example:
  posthouse site create shop && posthouse database create orders --site shop`;
}

export function helpOf(command: Command): string {
  const options = command.options.map(([name, meaning]) => [`--${name}`, meaning] as const);
  const wide = Math.max(6, ...options.map(([name]) => name.length));
  const lines = [...options, ['--help', 'show this'] as const].map(([name, meaning]) => `  ${name.padEnd(wide)}  ${meaning}`);
  return `posthouse ${command.words}: ${command.summary}

Usage:
  posthouse ${[command.words, ...command.args].join(' ')} [OPTION]...

Options:
${lines.join('\n')}

Example:
  ${paint('bold', command.example)}`;
}
