// All kinds of sessions, all kinds of deaths: mixed.ts. A short run each time, a long one as `make torture`; SEED=n repeats a run.
import test from 'ava';
import { startSite, type Site } from '../support/site.ts';
import { MixedTorture } from './mixed.ts';

const long = process.env['TORTURE'] === '1';
const seed = Number(process.env['SEED'] ?? (long ? Date.now() % 1_000_000 : 11));

let site: Site;
test.before(async () => { site = await startSite({ ini: 'dress_rehearsal = off\nidle_restart = 1s\nmanager_idle_exit = 2s\nmax_prepared_transactions = 20' }); }); // it is started again and again
test.after.always(async () => site?.remove());

test('whatever dies, and whenever: what was acknowledged is there, and nothing is half-done', async (t) => {
  t.timeout(3_600_000);
  t.log(`SEED=${seed}`);
  const torture = new MixedTorture(site, seed, 6);
  await torture.prepare();
  await t.notThrowsAsync(torture.run(long ? Number(process.env['MINUTES'] ?? 10) * 60_000 : 15_000, ['backend', 'backend', 'backend', 'manager', 'manager', 'manager', 'postmaster', 'everything', 'everything', 'start', 'stop', 'idle']));
  t.log(torture.counts);
  t.deepEqual(torture.faults, [], site.log().slice(-4000));
  t.true(torture.counts['acknowledged']! > 20);
});
