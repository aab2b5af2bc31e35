// Which members of an Append or MergeAppend can have wanted rows, said by values that are known when it is entered.
import { openRelation } from '../catalog/relcache.ts';
import type { Pruning } from '../nodes/plannodes.ts';
import { partitionDescOf } from '../partitioning/partdesc.ts';
import { partitionKeyOf } from '../partitioning/partkey.ts';
import { runPruneStep } from '../partitioning/prune.ts';
import type { Datum } from '../types/datum.ts';
import { genExpr } from './expr_codegen.ts';
import type { PlanCompiler } from './plan_compiler.ts';

/** The variable that holds, for each member, whether it is left; null: all of them always are. */
export function genLiveMembers(pc: PlanCompiler, pruning: readonly Pruning[]): string | null {
  if (pruning.length === 0) return null;
  const { g } = pc;
  const cx = pc.context({});
  const values = pruning.map(({ levels }) => `[${levels.map((l) => `[${l.exprs.map((e) => genExpr(g, e, cx).code).join(', ')}]`).join(', ')}]`);
  const keep = g.state('null');
  g.emit(`${keep} = ${g.konst(liveMembers)}(${g.konst(pruning)}, [${values.join(', ')}]);`);
  return keep;
}

const liveMembers = (pruning: readonly Pruning[], values: readonly (readonly (readonly Datum[])[])[]): boolean[] => {
  const lists = pruning.map(({ levels, paths }, i) => liveByLevels(levels, paths, values[i]!));
  return lists.length === 1 ? lists[0]! : lists[0]!.map((_live, n) => lists.every((list) => list[n]));
};

/** Which members one partitioned table's steps leave. */
export function liveByLevels(levels: Pruning['levels'], paths: Pruning['paths'], values: readonly (readonly Datum[])[]): boolean[] {
  const live = new Map(levels.map((l, i) => {
    const relation = openRelation(l.relation);
    return [l.relation, runPruneStep(partitionKeyOf(relation), partitionDescOf(relation).bounds, l.step, (n) => values[i]![n]!)];
  }));
  // There may be thousands of members, and few that are left.
  const members: boolean[] = [];
  for (const path of paths) {
    let isLive = true;
    for (const s of path) if (live.get(s.relation)?.has(s.number) === false) isLive = false;
    members.push(isLive);
  }
  return members;
}
