// One script of sql/ against what PostgreSQL 15 answered (expected/, written by expect.ts). Each has a process, and so a
// test file, of its own: a process has one site.
import '../../src/backend/types/index.ts';
import '../../src/backend/catalog/functions.ts';
import '../../src/backend/executor/domains.ts';
import '../../src/backend/executor/spi.ts';
import '../../src/backend/rewrite/ruleutils/functions.ts';
import '../../src/backend/commands/index.ts';
import '../../src/backend/pl/plpgsql/index.ts';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { executeString } from '../../src/backend/tcop/standalone.ts';
import { loadParser } from '../../src/backend/parser/raw_parser.ts';
import { rememberSessionRole } from '../../src/backend/commands/role_settings.ts';
import { openSite, transaction } from '../catalog/site.ts';
import { runHere } from './run_script.ts';

export async function scriptTest(name: string): Promise<void> {
  await loadParser();
  const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
  test(name, (t) => {
    const site = openSite('postgres');
    try {
      transaction(() => rememberSessionRole('postgres'));
      executeString('create extension plpgsql', { start() {}, receive: () => true, end() {} });
      t.is(runHere(read(`sql/${name}.sql`)), read(`expected/${name}.out`));
    } finally {
      site.remove();
    }
  });
}
