// \c, \conninfo, \password, and what follows every new connection (do_connect, SyncVariables of command.c).
import { connect, Connection, type ConnectOptions } from '../../interfaces/libpq/connection.ts';
import { isConnectionString, parseConninfo } from '../../interfaces/libpq/conninfo.ts';
import type { ConnectSettings } from '../../interfaces/libpq/conninfo_keywords.ts';
import { ConnectionError } from '../../interfaces/libpq/errors.ts';
import { escapeIdentifier, escapeLiteral } from '../../interfaces/libpq/escape.ts';
import { Interrupted, readPassword } from '../prompt.ts';
import { isSocketFolder } from '../../interfaces/libpq/hosts.ts';
import { defineCommands, type Command } from './command.ts';
import { attach, psqlExec } from './common.ts';
import { controls } from './mbprint.ts';
import { logError, logInfo, stdout, writeErr } from './output.ts';
import { pset } from './settings.ts';
import { booleanOf, setVariable } from './variables.ts';

const OPTIONS: ConnectOptions = { statementCache: 0, onWarning: (message) => { writeErr(`${message}\n`); } };

/** Connects, asking for a password when one is wanted and somebody may be asked. */
export async function openConnection(settings: ConnectSettings): Promise<Connection> {
  let password = settings.password;
  const promptFor = (): Promise<string> => readPassword(settings.user === undefined ? 'Password: ' : `Password for user ${settings.user}: `);
  if (pset.getPassword === 'yes' && password === undefined) password = await promptFor();
  for (;;) {
    try {
      return await connect({ ...settings, password }, OPTIONS);
    } catch (error) {
      if (!(error instanceof ConnectionError && error.needsPassword) || pset.getPassword === 'no' || password !== undefined) throw error;
      stdout.flush();
      password = await promptFor();
    }
  }
}

/** What psql's variables say of the connection. */
function syncVariables(): void {
  const { db } = pset;
  const values: Record<string, string | null> = db === null ? { DBNAME: null, USER: null, HOST: null, PORT: null, ENCODING: null, SERVER_VERSION_NAME: null, SERVER_VERSION_NUM: null } : {
    DBNAME: db.database, USER: db.user, HOST: db.host, PORT: String(db.port), SERVER_VERSION_NAME: db.parameters.get('server_version') ?? '', SERVER_VERSION_NUM: String(db.serverVersion),
  };
  for (const [name, value] of Object.entries(values)) setVariable(name, value);
}

function useEncoding(db: Connection): void {
  pset.encoding = db.encoding;
  controls.high = db.encoding.name === 'UTF8';
  setVariable('ENCODING', db.encoding.name);
}

export function useConnection(db: Connection): void {
  attach(db);
  db.on('parameter', (name) => { if (name === 'client_encoding' && db === pset.db) useEncoding(db); });
  pset.db = db;
  syncVariables();
  useEncoding(db);
}

function sslText(): string {
  const ssl = pset.db?.ssl ?? null;
  return ssl === null ? '' : `SSL connection (protocol: ${ssl.protocol}, cipher: ${ssl.cipher}, compression: off)\n`;
}

/** When versions of psql and server differ, and how the connection is protected. */
export function connectionWarnings(banner: string | null): void {
  if (banner !== null && !pset.quiet) stdout.write(banner);
  if (!pset.quiet) stdout.write(sslText());
}

/** What PGCLIENTENCODING or the connection string says; on a terminal, what its locale says; a script speaks as the database does. */
export function wantedEncoding(dbname: string | undefined): string | undefined {
  if (process.env['PGCLIENTENCODING'] !== undefined) return undefined;
  if (!pset.notTty) return 'auto';
  try {
    return dbname !== undefined && isConnectionString(dbname) && parseConninfo(dbname).client_encoding !== undefined ? undefined : '';
  } catch {
    return undefined;
  }
}

function whereText(db: Connection, verb: string): string {
  const { host, hostaddr, port } = db, start = `${verb} database "${db.database}" as user "${db.user}"`;
  if (isSocketFolder(host)) return `${start} via socket in "${host}" at port "${port}".\n`;
  return hostaddr !== '' && hostaddr !== host ? `${start} on host "${host}" (address "${hostaddr}") at port "${port}".\n` : `${start} on host "${host}" at port "${port}".\n`;
}

const REUSE = '-reuse-previous=';

const reconnect: Command = async (context) => {
  let reuse: boolean | null = null;
  let first = context.arg('sqlidhack', true);
  if (first?.startsWith(REUSE) === true) {
    const value = booleanOf(first.slice(REUSE.length), REUSE.slice(0, -1));
    if (value === undefined) return 'error';
    reuse = value;
    first = context.arg('sqlidhack', true);
  }
  const words = [first, context.arg('sqlidhack', true), context.arg('normal', true), context.arg('normal', true)].map((w) => (w === '-' || w === '' ? null : w));
  const [dbname, user, host, port] = words, old = pset.db, given = dbname !== null && dbname !== undefined && isConnectionString(dbname);
  const keep = reuse ?? !given;
  const settings: ConnectSettings = { fallback_application_name: 'psql', client_encoding: wantedEncoding(undefined) };
  let understood = false;
  try {
    const named = given ? parseConninfo(dbname!) : {};
    understood = true;
    if (keep) {
      if (old === null) {
        logError(given ? 'No database connection exists to re-use parameters from' : 'You are currently not connected to a database.');
        return 'error';
      }
      const newHost = named.host ?? host ?? undefined, newUser = named.user ?? user ?? undefined, newPort = named.port ?? port ?? undefined;
      const samePlace = (newHost === undefined || newHost === old.host) && (newUser === undefined || newUser === old.user) && (newPort === undefined || newPort === String(old.port));
      Object.assign(settings, old.info);
      if ((host ?? null) !== null || named.host !== undefined) delete settings.hostaddr;
      // A password is for the place it was given for.
      if (samePlace && old.password !== '') settings.password = old.password;
      else delete settings.password;
      settings.host = old.host;
      settings.port = old.port;
      delete settings.service;
    }
    Object.assign(settings, named);
    if (!given && dbname !== null && dbname !== undefined) settings.dbname = dbname;
    for (const [name, value] of [['user', user], ['host', host], ['port', port]] as const) if (value !== null && value !== undefined) settings[name] = value;
    const db = await openConnection(settings);
    useConnection(db);
    if (old !== null) await old.finish().catch(() => {});
    if (!pset.quiet) {
      const moved = old === null || old.host !== db.host || old.port !== db.port;
      stdout.write(moved ? whereText(db, 'You are now connected to') : `You are now connected to database "${db.database}" as user "${db.user}".\n`);
    }
    return 'skip';
  } catch (error) {
    const message = (error as Error).message;
    if (pset.interactive) {
      logInfo(message);
      if (old !== null) logInfo('Previous connection kept');
    } else {
      logError(understood ? `\\connect: ${message}` : message);
      if (old !== null) await old.finish().catch(() => {});
      pset.db = null;
      syncVariables();
    }
    return 'error';
  }
};

defineCommands({
  'c connect': reconnect,
  'conninfo': () => {
    const { db } = pset;
    if (db === null) stdout.write('You are currently not connected to a database.\n');
    else stdout.write(whereText(db, 'You are connected to') + sslText());
    return 'skip';
  },
  'password': async (context) => {
    let user = context.arg('sqlid', true);
    if (user === null) {
      const result = await psqlExec('SELECT CURRENT_USER');
      if (result === null) return 'error';
      user = result.rows[0]![0]!;
    }
    stdout.flush();
    let password: string, again: string;
    try {
      password = await readPassword(`Enter new password for user "${user}": `);
      again = await readPassword('Enter it again: ');
    } catch (error) {
      if (error instanceof Interrupted) return 'error';
      throw error;
    }
    if (password !== again) {
      logError('Passwords didn\'t match.');
      return 'error';
    }
    const method = await psqlExec('SHOW password_encryption');
    const secret = Connection.encryptPassword(password, user, method?.rows[0]?.[0] === 'md5' ? 'md5' : 'scram-sha-256');
    return await psqlExec(`ALTER USER ${escapeIdentifier(user)} PASSWORD ${escapeLiteral(secret)}`) === null ? 'error' : 'skip';
  },
});
