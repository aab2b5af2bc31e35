// posthouse user and posthouse database: accounts and databases without SQL. They are what createuser, dropuser, createdb
// and dropdb do, by the site's Unix socket, as the account whose site it is.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildScramSecret } from '../../common/scram.ts';
import { connect, type Connection } from '../../interfaces/libpq/connection.ts';
import { ServerError } from '../../interfaces/libpq/errors.ts';
import { quoteIdentifier, quoteLiteral } from '../client_program.ts';
import { readPassword } from '../prompt.ts';
import { programPath } from './create.ts';
import { isRoot, ownerOf, portOf, type Site } from './sites.ts';
import { Failure, confirm, humanSize, say, table, USAGE } from './terminal.ts';
import { stateOf } from './units.ts';

/** Runs one of the classic programs against the site; its exit code. */
function run(site: Site, program: string, args: readonly string[]): number {
  const owner = ownerOf(site), as = isRoot() ? { uid: owner.uid, gid: owner.gid } : {};
  const { status, error } = spawnSync(programPath(program), ['-h', site.socket, '-p', String(portOf(site)), '-U', owner.name, ...args], { stdio: 'inherit', cwd: '/', ...as });
  if (error) throw new Failure(`${program}: ${error.message}`);
  return status ?? 1;
}

/** Says that it was done, if it was. */
function told(code: number, done: string): number {
  if (code === 0) say(done);
  return code;
}

/** Rows of one statement, as text. */
async function ask(site: Site, database: string, sql: string): Promise<(string | null)[][]> {
  const owner = ownerOf(site);
  let connection: Connection;
  try {
    connection = await connect({ host: site.socket, port: portOf(site), user: owner.name, dbname: database, application_name: 'posthouse' });
  } catch (error) {
    throw new Failure(`site "${site.name}": ${(error as Error).message}`, stateOf(site).state === 'stopped' ? `Start it: posthouse site start ${site.name}` : `See: posthouse site status ${site.name}`);
  }
  try {
    return (await connection.exec(sql, { rowMode: 'text' }))[0]?.rows ?? [];
  } catch (error) {
    throw error instanceof ServerError ? new Failure(error.message, error.hint) : error;
  } finally {
    await connection.finish();
  }
}

// ---- users

export interface PasswordSource {
  /** A file, its first line. */
  file: string | undefined;
  /** A systemd credential of this name. */
  credential: string | undefined;
}

/** Never from the command line: others can read that. Null: nothing was typed. */
async function password(source: PasswordSource, whose: string): Promise<string | null> {
  const { file, credential } = source;
  if (file !== undefined || credential !== undefined) {
    const folder = process.env['CREDENTIALS_DIRECTORY'];
    if (file === undefined && folder === undefined) throw new Failure('there is no CREDENTIALS_DIRECTORY', 'Run it by systemd with LoadCredential=, or give --password-file.', USAGE);
    let text: string;
    try {
      text = readFileSync(file ?? join(folder!, credential!), 'utf8').split(/\r?\n/)[0]!;
    } catch (error) {
      throw new Failure(`the password cannot be read: ${(error as Error).message}`);
    }
    if (text === '') throw new Failure('the password is empty');
    return text;
  }
  if (!process.stdin.isTTY) throw new Failure('nobody to ask for the password', 'Give --password-file FILE or --password-credential NAME.', USAGE);
  const typed = await readPassword(`Password for ${whose}: `);
  if (typed === '') return null;
  if (typed !== await readPassword('Once more: ')) throw new Failure('the two are not the same');
  return typed;
}

export interface UserOptions extends PasswordSource {
  superuser: boolean;
  createdb: boolean;
  noPassword: boolean;
}

export async function createUser(site: Site, name: string, options: UserOptions): Promise<number> {
  const secret = options.noPassword ? null : await password(options, name);
  const code = run(site, 'createuser', [...(options.superuser ? ['--superuser'] : []), ...(options.createdb ? ['--createdb'] : []), '--', name]);
  if (code !== 0) return code;
  if (secret !== null) await storePassword(site, name, secret);
  say(`user ${name} of site ${site.name}${secret === null ? ', without a password: by the Unix socket only, as the account of that name' : ''}`);
  return 0;
}

async function storePassword(site: Site, name: string, secret: string): Promise<void> {
  await ask(site, 'postgres', `ALTER ROLE ${quoteIdentifier(name)} PASSWORD ${quoteLiteral(buildScramSecret(secret))}`);
}

export async function changePassword(site: Site, name: string, source: PasswordSource): Promise<number> {
  const secret = await password(source, name);
  if (secret === null) throw new Failure('no password was given: nothing was changed');
  await storePassword(site, name, secret);
  say(`password of ${name} changed`);
  return 0;
}

export async function listUsers(site: Site, json: boolean): Promise<void> {
  const rows = await ask(site, 'postgres', `SELECT rolname, CASE WHEN rolsuper THEN 'superuser' WHEN rolcreaterole THEN 'may create users' ELSE '' END,
    rolcreatedb OR rolsuper, rolpassword IS NOT NULL FROM pg_authid WHERE rolcanlogin ORDER BY 1`);
  const users = rows.map(([name, rights, createdb, password]) => ({ name: name!, rights: rights!, may_create_databases: createdb === 't', password: password === 't' }));
  if (json) return say(JSON.stringify(users, null, 2));
  const word = (yes: boolean): string => (yes ? 'yes' : 'no');
  table(['name', 'rights', 'may create databases', 'password'], users.map((u) => [u.name, u.rights, word(u.may_create_databases), word(u.password)]));
}

export async function dropUser(site: Site, name: string, yes: boolean): Promise<number> {
  if (!yes && !await confirm(`Drop user ${name} of site ${site.name}?`)) throw new Failure('nothing was dropped');
  return told(run(site, 'dropuser', ['--', name]), `user ${name} is gone`);
}

// ---- databases

export function createDatabase(site: Site, name: string, owner: string | undefined): number {
  const code = run(site, 'createdb', [...(owner === undefined ? [] : ['--owner', owner]), '--', name]);
  if (code === 0) say(`database ${name} of site ${site.name}${owner === undefined ? '' : `, owner ${owner}`}`);
  return code;
}

export async function listDatabases(site: Site, json: boolean): Promise<void> {
  const rows = await ask(site, 'postgres', `SELECT d.datname, r.rolname, pg_database_size(d.oid)::text, (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid AND a.pid <> pg_backend_pid())::text
    FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE NOT d.datistemplate ORDER BY 1`);
  const databases = rows.map(([name, owner, bytes, connections]) => ({ name: name!, owner: owner!, bytes: Number(bytes), connections: Number(connections) }));
  if (json) return say(JSON.stringify(databases, null, 2));
  table(['name', 'owner', 'size', 'connections'], databases.map((d) => [d.name, d.owner, humanSize(d.bytes), String(d.connections)]), [2, 3]);
}

export async function dropDatabase(site: Site, name: string, yes: boolean): Promise<number> {
  if (!yes && !await confirm(`Drop database ${name} of site ${site.name}, with all that is in it?`)) throw new Failure('nothing was dropped');
  return told(run(site, 'dropdb', ['--', name]), `database ${name} is gone`);
}

