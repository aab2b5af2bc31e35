// Sessions that meet: the same steps in the same order for Posthouse and for PostgreSQL 15. See interleavings.ts for the format
// of interleavings/*.txt; who waits, who goes on, and all answers must be the same.
import test from 'ava';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NOT_INSTALLED, oracleInstalled, startOracle } from '../support/oracle.ts';
import { startSite, type Site } from '../support/site.ts';
import { inOrder, interleave, parseScenarios, Stage } from './interleavings.ts';

const folder = join(import.meta.dirname, 'interleavings');
let sites: Site[] = [], ours: Stage, theirs: Stage;

if (!oracleInstalled) test('interleavings', (t) => { t.log(NOT_INSTALLED); t.pass(); });
const serial = oracleInstalled ? test.serial : test.skip;

test.before(async () => {
  if (!oracleInstalled) return;
  sites = await Promise.all([startSite(), startOracle('fsync = off')]);
  [ours, theirs] = await Promise.all([Stage.open(sites[0]!.port), Stage.open(sites[1]!.port)]);
});
test.after.always(async () => {
  ours?.end();
  theirs?.end();
  await Promise.all(sites.map(async (site) => site.remove()));
});

for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt')).sort()) {
  serial(file, async (t) => {
    const differences: string[] = [];
    for (const { title, steps } of parseScenarios(readFileSync(join(folder, file), 'utf8'))) {
      const difference = await interleave(ours, theirs, inOrder(steps)).catch((error: unknown) => ({ text: String(error) }));
      if (difference !== null) differences.push(`-- ${title}\n${difference.text}`);
    }
    t.is(differences.length, 0, `\n${differences.join('\n\n')}`);
  });
}
