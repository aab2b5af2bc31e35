// SIMULATION_SEED=n runs one seed; SIMULATION_SECONDS=n runs so long with seeds from the clock on.
import test from 'ava';
import { Simulation, type Summary } from './simulation.ts';

const STEPS = 5000, SEEDS = 50;

function runSeed(seed: number, steps = STEPS): Summary {
  try {
    return new Simulation(seed).run(steps);
  } catch (error) {
    throw new Error(`SIMULATION_SEED=${seed}: ${error instanceof Error ? error.stack : String(error)}`);
  }
}

test('nothing is lost, doubled or half done, whoever dies whenever', (t) => {
  const one = process.env['SIMULATION_SEED'], seconds = Number(process.env['SIMULATION_SECONDS'] ?? 0);
  if (one !== undefined) {
    t.log(runSeed(Number(one)));
    return t.pass();
  }
  const total: Record<string, number> = {};
  const add = (summary: Summary): void => { for (const [name, count] of Object.entries(summary)) total[name] = (total[name] ?? 0) + count; };
  const until = Date.now() + seconds * 1000;
  for (let seed = 1; seed <= SEEDS; seed++) add(runSeed(seed));
  for (let seed = Date.now(); Date.now() < until; seed++) add(runSeed(seed));
  t.log(total);
  for (const [name, count] of Object.entries(total)) t.true(count > 0, `the simulation saw ${name}`);
});
