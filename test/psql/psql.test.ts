// Our psql and Debian's, the same scripts against the same PostgreSQL 15: exit code, output and messages are equal.
import test from 'ava';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NOT_INSTALLED, oracleInstalled, startOracle } from '../support/oracle.ts';
import type { Site } from '../support/site.ts';
import { OURS, readScripts, runPsql, same } from './compare.ts';

const FILES = ['describe.sql', 'formats.sql', 'commands.sql'];

let server: Site | undefined;
test.before(async () => {
  if (!oracleInstalled) return;
  server = await startOracle('fsync = off');
  await server.psql('create database corpus');
  const done = await server.psql('', { database: 'corpus', input: readFileSync(join(import.meta.dirname, 'setup.sql'), 'utf8'), args: ['-q', '-v', 'ON_ERROR_STOP=1'] });
  if (done.code !== 0) throw new Error(done.err);
});
test.after.always(async () => server?.remove());

for (const file of FILES) {
  const scripts = readScripts(join(import.meta.dirname, file));
  for (const script of scripts) {
    // One after the other: what one makes, another would list.
    test.serial(`${file}: ${script.name}`, async (t) => {
      if (server === undefined) {
        t.log(NOT_INSTALLED);
        t.pass();
        return;
      }
      const env = server.env('corpus');
      const theirs = await runPsql(['/usr/bin/psql'], script, env), ours = await runPsql(OURS, script, env);
      t.is(same(ours.out), same(theirs.out));
      t.is(same(ours.err), same(theirs.err));
      t.is(ours.code, theirs.code);
    });
  }
}
