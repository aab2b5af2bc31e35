// Sessions that meet: the same steps in the same order for Posthouse and for PostgreSQL 15. See interleavings.ts for the format
// of interleavings/*.txt; who waits, who goes on, and all answers must be the same.
import test from 'ava';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NOT_INSTALLED, oracleInstalled, startOracle } from '../support/oracle.ts';
import { startSite, type Site } from '../support/site.ts';
import { randomFrom } from '../support/random.ts';
import { inOrder, interleave, parseScenarios, reduce, Stage } from './interleavings.ts';
import { playRandomly, world } from './random_sessions.ts';

const seed = Number(process.env['SEED'] ?? 1);
const count = Number(process.env['COUNT'] ?? 400);
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

// A difference counts when both answer the same way again: which of two waiters goes first is not PostgreSQL's to promise.
serial(`random sessions, SEED=${seed}`, async (t) => {
  const differences: string[] = [];
  for (let i = 0; i < Math.ceil(count / 40); i++) {
    const random = randomFrom(seed * 100_000 + i);
    const found = await interleave(ours, theirs, playRandomly(random, world(random)), true);
    if (found === null) continue;
    const again = [await interleave(ours, theirs, inOrder(found.steps, true), true), await interleave(ours, theirs, inOrder(found.steps, true), true)];
    if (again.includes(null)) continue;
    differences.push(`-- world ${i}\n${(await reduce(ours, theirs, found, true)).text}`);
  }
  t.is(differences.length, 0, `\n${differences.join('\n\n')}`);
});
