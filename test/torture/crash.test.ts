// The crash test: a short one in the normal run, a long one as `make torture`. SEED=n repeats a run.
import test from 'ava';
import { startSite, type Site } from '../support/site.ts';
import { Torture } from './crash.ts';

const long = process.env['TORTURE'] === '1';
const seed = Number(process.env['SEED'] ?? (long ? Date.now() % 1_000_000 : 42));
const spans = long ? { backend: 60_000, manager: 60_000, everything: 120_000 } : { backend: 3000, manager: 3000, everything: 6000 };

let site: Site;
test.before(async () => { site = await startSite(); });
test.beforeEach(async (t) => {
  t.log(`SEED=${seed}`);
  await Torture.prepare(site);
});
test.afterEach.always((t) => { if (!t.passed && site) t.log(site.log().slice(-6000)); });
test.after.always(async () => site?.remove());

test.serial('backends are killed: the others go on', async (t) => {
  t.timeout(300_000);
  const summary = await new Torture(site, seed, 6).run(spans.backend, ['backend']);
  t.log(summary);
  t.true(summary.backendsKilled > 0 && summary.acknowledged > 20);
});

test.serial('the transaction manager is killed: new transactions work within a second', async (t) => {
  t.timeout(300_000);
  const summary = await new Torture(site, seed + 1, 6).run(spans.manager, ['manager', 'manager', 'backend']);
  t.log(summary);
  t.true(summary.managersKilled > 0 && summary.acknowledged > 20);
  // Within a second; a machine that is busy with other tests is given more.
  t.true(summary.longestPauseMs < (long ? 1000 : 5000), `${summary.longestPauseMs} ms`);
});

test.serial('everything is killed at once: what was acknowledged is there after the start', async (t) => {
  t.timeout(300_000);
  const summary = await new Torture(site, seed + 2, 8).run(spans.everything, ['everything', 'backend', 'manager']);
  t.log(summary);
  t.true(summary.restarts > 0 && summary.acknowledged > 20);
});
