// Which strings and decimal numbers of a statement may be others the next time it is run (literals.ts): those that are compared with
// something, and those that are stored or put out as they are. Others are worth more to the planner and to the code as they are: a pattern is a range of an
// index, a unit of time is looked up once.
import { functionInfo, operator } from '../executor/fmgr_info.ts';
import { expressionTreeWalker, queryTreeWalker, type Walker } from '../nodes/nodeFuncs.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { Const, Expr } from '../nodes/primnodes.ts';
import { mutateQueryDeep } from '../rewrite/rewrite_manip.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';

const COMPARISON = /^(?:eqsel|neqsel|scalar[lg][te]sel)$/;
const isComparison = (opno: Oid): boolean => {
  const { oprrest } = operator(opno);
  return oprrest !== 0 && COMPARISON.test(functionInfo(oprrest).name);
};

/** The query with constants for good in the place of the others, and of what the analysis has pinned. */
export function withPinned(query: Query): Query {
  const { literalTypes, literalsPinned } = session;
  const free = new Set<Expr>(), slots = new Set<number>();
  const compared = (e: Expr | undefined): void => {
    if (e?.kind === 'Const') free.add(e);
    else if (e?.kind === 'RelabelType') compared(e.arg);
    else if (e?.kind === 'ArrayExpr') e.elements.forEach(compared);
  };
  const stored = (e: Expr): void => {
    if (e.kind === 'Const') free.add(e);
    else if (e.kind === 'OpExpr') e.args.forEach(stored);
    else if (e.kind === 'FuncExpr' && e.funcformat !== 'explicit_call') stored(e.args[0]!);
    else if (e.kind === 'RelabelType' || e.kind === 'CoerceToDomain' || e.kind === 'CoerceViaIO') stored(e.arg);
  };
  // What VALUES of an INSERT makes of its literals is made once.
  const all: Walker = (e) => {
    if (e.kind === 'Const') free.add(e);
    return e.kind === 'Query' ? queryTreeWalker(e, all) : expressionTreeWalker(e, all);
  };
  const walker: Walker = (node) => {
    switch (node.kind) {
      case 'Const': {
        const { slot } = node as Const;
        if (slot === undefined) return false;
        // What the analysis has looked at is the same each time: two of them are equal to the planner, and folded.
        if (literalsPinned.has(slot) || ((literalTypes[slot] !== undefined || typeof node.constvalue === 'string') && !free.has(node))) slots.add(slot);
        return false;
      }
      case 'Query':
        // What nothing is sorted or grouped by.
        if (node.commandType === 'select' && node.setOperations === null) for (const t of node.targetList) if (t.ressortgroupref === 0) compared(t.expr);
        if (node.commandType === 'update') for (const t of node.targetList) stored(t.expr);
        if (node.commandType === 'insert') {
          for (const t of node.targetList) all(t.expr);
          for (const rte of node.rtable) if (rte.rtekind === 'values') for (const row of rte.values_lists) row.forEach(all);
        }
        return queryTreeWalker(node, walker);
      case 'OpExpr': case 'ScalarArrayOpExpr': case 'DistinctExpr':
        if (isComparison(node.opno)) node.args.forEach(compared);
        break;
      default:
    }
    return expressionTreeWalker(node, walker);
  };
  walker(query);
  if (slots.size === 0) return query;
  for (const slot of slots) {
    literalTypes[slot] = undefined;
    literalsPinned.add(slot);
  }
  return mutateQueryDeep(query, 0, (e) => {
    if (e.kind !== 'Const' || e.slot === undefined || !slots.has(e.slot)) return undefined;
    const { slot: _, ...plain } = e;
    return plain;
  });
}
