// Gather, GatherMerge: rows of a plan that several processes run.
import type { Gather, GatherMerge } from '../nodes/plannodes.ts';
import type { Producer } from './plan_compiler.ts';

/** No worker can be had: the leader does it all. */
const gather: Producer<Gather> = (pc, plan, consume) => {
  pc.produce(plan.lefttree!, (outer) => consume(pc.project(plan.targetlist, pc.context({ outer }))));
};

const gatherMerge: Producer<GatherMerge> = (pc, plan, consume) => pc.produce(plan.lefttree!, consume);

export const gatherProducers = { Gather: gather, GatherMerge: gatherMerge };
