// The large corpus: hundreds of scripts, most of them sharing sessions (batch.ts), by our psql and Debian's against the same
// PostgreSQL 15: output and messages are equal.
import test from 'ava';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NOT_INSTALLED, oracleInstalled, startOracle } from '../support/oracle.ts';
import type { Site } from '../support/site.ts';
import { runBatch } from './batch.ts';
import { OURS, readScripts, runPsql, same, type Ran, type Script } from './compare.ts';
import { describeScripts, formatScripts } from './matrix.ts';

const here = import.meta.dirname;
let server: Site | undefined;
test.before(async () => {
  if (!oracleInstalled) return;
  server = await startOracle("fsync = off\nmax_worker_processes = 0\nmax_logical_replication_workers = 0\nwal_level = logical");
  await server.psql('create database corpus');
  for (const file of ['setup.sql', 'corpus/setup.sql']) {
    const done = await server.psql('', { database: 'corpus', input: readFileSync(join(here, file), 'utf8'), args: ['-q', '-v', 'ON_ERROR_STOP=1'] });
    if (done.code !== 0) throw new Error(done.err);
  }
});
test.after.always(async () => server?.remove());

/** The scripts of one session; those with options have one for themselves. */
function corpus(title: string, scripts: readonly Script[]): void {
  const shared = scripts.filter((s) => s.args.length === 0);
  let batch: Promise<[Ran[], Ran[]]> | undefined;
  const both = async (env: Record<string, string>): Promise<[Ran[], Ran[]]> => [await runBatch(['/usr/bin/psql'], shared, env), await runBatch(OURS, shared, env)];
  for (const script of scripts) {
    test.serial(`${title}: ${script.name}`, async (t) => {
      if (server === undefined) {
        t.log(NOT_INSTALLED);
        t.pass();
        return;
      }
      const env = server.env('corpus');
      const [theirs, ours] = script.args.length > 0 ? [await runPsql(['/usr/bin/psql'], script, env), await runPsql(OURS, script, env)]
        : (await (batch ??= both(env))).map((ran) => ran[shared.indexOf(script)]!) as [Ran, Ran];
      t.is(same(ours.out), same(theirs.out));
      t.is(same(ours.err), same(theirs.err));
      t.is(ours.code, theirs.code);
    });
  }
}

corpus('describe', describeScripts());
corpus('format', formatScripts());
for (const file of readdirSync(join(here, 'corpus')).filter((f) => f.endsWith('.sql') && f !== 'setup.sql').toSorted()) corpus(file, readScripts(join(here, 'corpus', file)));
