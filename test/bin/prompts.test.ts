// What the client commands ask at a terminal: the same dialogue with Debian's and with ours, byte for byte, and the same done.
import test from 'ava';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programFolder } from '../support/account.ts';
import { NOT_INSTALLED, oracleInstalled, startOracle } from '../support/oracle.ts';
import { Screen } from '../support/screen.ts';
import { POSTGRESQL, type Site } from '../support/site.ts';

let server: Site | undefined;
test.before(async () => {
  if (!oracleInstalled) return;
  server = await startOracle('fsync = off');
  // Peer and trust would ask for nothing.
  await server.psql(["create role asked login createdb createrole superuser password 'horse'", "alter system set password_encryption = 'scram-sha-256'"]);
});
test.after.always(async () => server?.remove());

/** Answers each question as soon as it stands there; all that was on the screen. */
async function talk(folder: string, command: readonly string[], answers: readonly (readonly [question: string, answer: string])[]): Promise<{ screen: string; code: number }> {
  const screen = new Screen(join(folder, command[0]!), command.slice(1), { env: { PATH: `${POSTGRESQL.bin}:${process.env['PATH']}`, HOME: '/nowhere', ...server!.env() }, columns: 200, limitMs: 40_000 });
  for (const [question, answer] of answers) {
    await screen.until(question);
    screen.type(`${answer}\r`);
  }
  const code = await screen.exit;
  return { screen: screen.raw, code };
}

const DIALOGUES: readonly { command: string[]; answers: (readonly [string, string])[]; before?: string[]; after?: string }[] = [
  { command: ['createuser', '--interactive', '-e'], answers: [['Enter name of role to add: ', 'new'], ['superuser? (y/n) ', 'n'], ['databases? (y/n) ', 'maybe'], ['databases? (y/n) ', 'y'], ['roles? (y/n) ', 'n']] },
  { command: ['createuser', '--interactive', '-e', 'new'], answers: [['superuser? (y/n) ', 'y']] },
  { command: ['createuser', '--interactive', '-S', '-R', 'new', '-e'], answers: [['databases? (y/n) ', 'Y'], ['databases? (y/n) ', ''], ['databases? (y/n) ', 'n']] },
  { command: ['createuser', '-P', 'new'], answers: [['Enter password for new role: ', 'secret'], ['Enter it again: ', 'secret']] },
  { command: ['createuser', '-P', 'new'], answers: [['Enter password for new role: ', 'secret'], ['Enter it again: ', 'other']] },
  { command: ['dropuser', '-i', '-e'], answers: [['Enter name of role to drop: ', 'new'], ['Are you sure? (y/n) ', 'y']], before: ['create role new'] },
  { command: ['dropuser', '-i', 'new'], answers: [['Are you sure? (y/n) ', 'n']], before: ['create role new'] },
  { command: ['dropdb', '-i', 'new', '-e'], answers: [['Are you sure? (y/n) ', 'perhaps'], ['Are you sure? (y/n) ', 'y']], before: ['create database new'] },
  { command: ['dropdb', '--interactive', 'new'], answers: [['Are you sure? (y/n) ', 'n']], before: ['create database new'] },
  { command: ['vacuumdb', '-W', '-q', '-Z', '-t', 'pg_am'], answers: [['Password: ', 'horse']] },
];

for (const { command, answers, before = [] } of DIALOGUES) {
  test.serial(`${command.join(' ')}: ${answers.map(([, a]) => a).join(', ')}`, async (t) => {
    if (server === undefined) {
      t.log(NOT_INSTALLED);
      t.pass();
      return;
    }
    const seen: unknown[] = [];
    for (const folder of [POSTGRESQL.bin, join(programFolder(), 'dist/bin')]) {
      await server.psql(['drop role if exists new', 'drop database if exists new', ...before]);
      const { screen, code } = await talk(folder, command, answers);
      const { out } = await server.psql("select rolsuper, rolcreatedb, rolcreaterole, rolcanlogin, left(rolpassword, 14) from pg_authid where rolname = 'new' union all select true, true, true, true, datname from pg_database where datname = 'new'");
      seen.push({ screen, code, out });
    }
    t.deepEqual(seen[1], seen[0]);
  });
}

test.serial('a server that wants a password is given one, for every connection', async (t) => {
  if (server === undefined) return t.pass();
  await server.psql('select 1');
  writeFileSync(join(server.folder, 'pg_hba.conf'), 'host all postgres 127.0.0.1/32 trust\nhost all asked 127.0.0.1/32 scram-sha-256\n');
  await server.psql(['select pg_reload_conf()', 'create table a1 (a int)', 'create table a2 (a int)']);
  const seen: unknown[] = [];
  for (const folder of [POSTGRESQL.bin, join(programFolder(), 'dist/bin')]) {
    seen.push(await talk(folder, ['vacuumdb', '-U', 'asked', '-j', '2', '-t', 'a1', '-t', 'a2', 'postgres'], [['Password: ', 'horse']]));
    seen.push(await talk(folder, ['dropuser', '-U', 'asked', 'nix'], [['Password: ', 'cow'], ['Password: ', 'goat']]));
    seen.push(await talk(folder, ['clusterdb', '-w', '-U', 'asked', 'postgres'], []));
  }
  t.deepEqual(seen.slice(3), seen.slice(0, 3));
});
