// Conditions to pruning steps (PostgreSQL's partprune.c): which conditions say something about the partition key, and in
// what combinations. Conditions have varno 1 for the partitioned table.
import { getOpfamilyProc, opFamilyEntry } from '../catalog/lsyscache.ts';
import type { Relation } from '../catalog/relation.ts';
import { callable, functionInfo, operator } from '../executor/fmgr_info.ts';
import { typeComparator, type Comparator } from '../executor/sort_support.ts';
import { someExpr } from '../executor/plan_walker.ts';
import { makeConst, makeOpExpr } from '../nodes/makefuncs.ts';
import { makeAndsImplicit } from '../nodes/nodeFuncs.ts';
import type { Const, Expr } from '../nodes/primnodes.ts';
import { partitionDescOf } from '../partitioning/partdesc.ts';
import { partitionKeyOf, type PartitionKey, type PartitionKeyColumn } from '../partitioning/partkey.ts';
import { partitionQual } from '../partitioning/partqual.ts';
import { runPruneStep, type PruneOperand, type PruneStep, type PruneStrategy } from '../partitioning/prune.ts';
import type { ArrayValue, Int8 } from '../types/datum.ts';
import { pinLiteral } from '../utils/session.ts';
import { canonicalizeQual, containsMutable, containsSubplans, containsVolatile, equal, evalConstExpressions, isFalseOrNull, negate, pullVars, stripRelabel } from './clauses.ts';
import { predicateRefutedBy } from './predtest.ts';

/** Steps for one partitioned table, with the expressions whose values they want. */
export interface PruneInfo { readonly relation: number; readonly step: PruneStep; readonly exprs: readonly Expr[] }

interface Context {
  readonly key: PartitionKey;
  /** When the steps are to be taken: while planning only constants may be looked at, at the start no parameters that other
   * parts of the plan give. */
  readonly when: 'planning' | 'start' | 'running';
  readonly exprs: Expr[];
  /** A comparison is not immutable: planning could not use it. */
  mutable: boolean;
  readonly hasDefault: boolean;
  /** The bound of the table itself, when it is a partition. */
  readonly own: readonly Expr[];
}

/** A condition on one key column. */
interface KeyClause { readonly column: number; readonly strategy: PruneStrategy; readonly operand: PruneOperand }

/** The numbers of the partitions that may have rows meeting the conditions; null: all of them. */
export function prunePartitions(relation: Relation, clauses: readonly Expr[]): ReadonlySet<number> | null {
  if (clauses.length === 0) return null;
  const { key, bounds, step, exprs } = stepsFor(relation, clauses, 'planning');
  if (step === null) return null;
  return runPruneStep(key, bounds, step, (n) => {
    const c = exprs[n] as Const;
    pinLiteral(c.slot);
    return c.constvalue;
  });
}

/** Steps to be taken while running; null: they could not leave anything out that planning has not. */
export function runtimePruning(relation: Relation, clauses: readonly Expr[], when: 'start' | 'running'): PruneInfo | null {
  if (clauses.length === 0) return null;
  const { step, exprs, mutable } = stepsFor(relation, clauses, when);
  // What cannot be at all is left to the conditions.
  if (step === null || step.kind === 'none' || (!mutable && exprs.every((e) => e.kind === 'Const' && e.slot === undefined))) return null;
  return { relation: relation.oid, step, exprs };
}

function stepsFor(relation: Relation, clauses: readonly Expr[], when: Context['when']): { key: PartitionKey; bounds: ReturnType<typeof partitionDescOf>['bounds']; step: PruneStep | null; exprs: Expr[]; mutable: boolean } {
  const key = partitionKeyOf(relation);
  const { bounds } = partitionDescOf(relation);
  const context: Context = {
    key, when, exprs: [], mutable: false, hasDefault: bounds.defaultIndex >= 0,
    own: relation.isPartition ? partitionQual(relation).flatMap((q) => makeAndsImplicit(canonicalizeQual(evalConstExpressions(q), true))) : [],
  };
  // What the table's own bound leaves out, its default partition need not be searched for.
  const all = context.hasDefault && context.own.length > 0 ? [...clauses, ...context.own] : clauses;
  const step = stepsOf(context, all);
  return { key, bounds, step, exprs: context.exprs, mutable: context.mutable };
}

const intersect = (steps: readonly PruneStep[]): PruneStep | null => (steps.length === 0 ? null : steps.length === 1 ? steps[0]! : { kind: 'intersect', steps });

/** gen_partprune_steps_internal: conditions ANDed; null: they say nothing. */
function stepsOf(cx: Context, clauses: readonly Expr[]): PruneStep | null {
  const { key } = cx;
  // The default partition cannot be left out by steps made from conditions that contradict the table's own bound.
  if (cx.hasDefault && cx.own.length > 0 && predicateRefutedBy(cx.own, clauses, false)) return { kind: 'none' };
  const steps: PruneStep[] = [];
  const byColumn: KeyClause[][] = key.columns.map(() => []);
  const nulls = new Set<number>();
  const notNulls = new Set<number>();
  for (const clause of clauses) {
    if (clause.kind === 'Const' && isFalseOrNull(clause) && clause.slot === undefined) return { kind: 'none' };
    if (clause.kind === 'BoolExpr' && clause.boolop === 'or') {
      const arms = clause.args.map((arg): PruneStep => stepsOf(cx, [arg]) ?? (cx.own.length > 0 && predicateRefutedBy(cx.own, [arg], false) ? { kind: 'none' } : { kind: 'all' }));
      if (arms.some((s) => s.kind === 'all')) continue;
      const possible = arms.filter((s) => s.kind !== 'none');
      if (possible.length === 0) return { kind: 'none' };
      steps.push(possible.length === 1 ? possible[0]! : { kind: 'union', steps: possible });
      continue;
    }
    if (clause.kind === 'BoolExpr' && clause.boolop === 'and') {
      const step = stepsOf(cx, clause.args);
      if (step?.kind === 'none') return step;
      if (step !== null) steps.push(step);
      continue;
    }
    for (let n = 0; n < key.columns.length; n++) {
      const m = matchClause(cx, clause, n);
      if (m === null) continue;
      if (m === 'contradiction') return { kind: 'none' };
      if ('nullness' in m) {
        // NULL and anything else cannot both be.
        if (m.nullness) {
          if (notNulls.has(n) || byColumn[n]!.length > 0) return { kind: 'none' };
          nulls.add(n);
        } else {
          if (nulls.has(n)) return { kind: 'none' };
          notNulls.add(n);
        }
      } else if ('column' in m) {
        if (nulls.has(n)) return { kind: 'none' };
        byColumn[n]!.push(m);
      } else steps.push(m);
      break;
    }
  }
  const columns = key.columns.length;
  if (nulls.size > 0 && (key.strategy !== 'h' || nulls.size === columns)) steps.push({ kind: 'op', strategy: 3, operands: [], nulls });
  else {
    const own = stepsFromOperators(key, byColumn, nulls);
    if (own.length > 0) steps.push(...own);
    else if (notNulls.size === columns && key.strategy !== 'h') steps.push({ kind: 'op', strategy: 3, operands: [], nulls: new Set() });
  }
  if (steps.some((s) => s.kind === 'none')) return { kind: 'none' };
  return intersect(steps);
}

/** gen_prune_steps_from_opexps: every condition with what is known of the columns before its own. */
function stepsFromOperators(key: PartitionKey, byColumn: readonly KeyClause[][], nulls: ReadonlySet<number>): PruneStep[] {
  if (key.strategy === 'h') {
    // All columns must be known.
    if (!key.columns.every((_c, i) => nulls.has(i) || byColumn[i]!.length > 0)) return [];
    return products(key.columns.map((_c, i) => (nulls.has(i) ? [null] : byColumn[i]!.map((c) => c.operand)))).map((operands) => ({ kind: 'op', strategy: 3, operands, nulls }));
  }
  const steps: PruneStep[] = [];
  for (let i = 0; i < byColumn.length; i++) {
    const list = byColumn[i]!;
    if (list.length === 0) break;
    let more = false;
    for (const c of list) {
      const upper = c.strategy === 1 || c.strategy === 2;
      const before = byColumn.slice(0, i).map((p) => p.filter((x) => x.strategy === 3 || (upper && x.strategy === 2) || (!upper && c.strategy !== 3 && c.strategy !== 0 && x.strategy === 4)).map((x) => x.operand));
      if (c.strategy === 3 || c.strategy === 2 || c.strategy === 4) more = true;
      if (before.some((p) => p.length === 0)) continue;
      // A whole prefix of equalities is said once, with the next column's.
      for (const operands of products([...before, [c.operand]])) steps.push({ kind: 'op', strategy: c.strategy, operands, nulls: new Set() });
    }
    if (!more) break;
  }
  return steps;
}

const MAX_PRODUCTS = 64;
function products<T>(lists: readonly (readonly T[])[]): T[][] {
  let result: T[][] = [[]];
  for (const list of lists) result = result.flatMap((prefix) => list.map((x) => [...prefix, x])).slice(0, MAX_PRODUCTS);
  return result;
}

type Match = KeyClause | PruneStep | { nullness: boolean } | 'contradiction' | null;

const stripCollate = (e: Expr): Expr => {
  const x = stripRelabel(e);
  return x.kind === 'CollateExpr' ? stripRelabel(x.arg) : x;
};

/** match_clause_to_partition_key. */
function matchClause(cx: Context, clause: Expr, n: number): Match {
  const column = cx.key.columns[n]!;
  const isKey = (e: Expr): boolean => equal(stripCollate(e), stripCollate(column.expr));
  const asBoolean = booleanClause(clause, column, isKey);
  if (asBoolean !== null) return Array.isArray(asBoolean) ? union(cx, asBoolean) : matchClause(cx, asBoolean, n);
  switch (clause.kind) {
    case 'OpExpr': {
      if (clause.args.length !== 2) return null;
      const [a, b] = clause.args as [Expr, Expr];
      if (isKey(a)) return operatorMatch(cx, n, clause.opno, b, clause.inputcollid);
      if (isKey(b)) {
        const commuted = operator(clause.opno).oprcom;
        return commuted === 0 ? null : operatorMatch(cx, n, commuted, a, clause.inputcollid);
      }
      return null;
    }
    case 'ScalarArrayOpExpr': return isKey(clause.args[0]) ? arrayMatch(cx, n, clause) : null;
    case 'NullTest': return !clause.argisrow && isKey(clause.arg) ? { nullness: clause.isNull } : null;
    default: return null;
  }
}

const union = (cx: Context, clauses: Expr[]): PruneStep => {
  const steps = clauses.map((c) => stepsOf(cx, [c]) ?? { kind: 'all' } as const);
  return { kind: 'union', steps };
};

/** A boolean key column by itself, negated, or tested (match_boolean_partition_clause). */
function booleanClause(clause: Expr, column: PartitionKeyColumn, isKey: (e: Expr) => boolean): Expr | Expr[] | null {
  if (column.typeOid !== 16) return null;
  const equals = (value: boolean): Expr => makeOpExpr(91, 60, 16, [column.expr, makeConst(16, -1, 0, value)], 0, 0);
  const isNull: Expr = { kind: 'NullTest', arg: column.expr, isNull: true, argisrow: false, location: -1 };
  if (clause.kind === 'BooleanTest' && isKey(clause.arg)) {
    switch (clause.booltesttype) {
      case 'is_true': return equals(true);
      case 'is_false': return equals(false);
      case 'is_not_true': return [equals(false), isNull];
      case 'is_not_false': return [equals(true), isNull];
      case 'is_unknown': case 'is_not_unknown': return null;
    }
  }
  if (clause.kind !== 'OpExpr' && clause.kind !== 'NullTest' && clause.kind !== 'ScalarArrayOpExpr') {
    if (isKey(clause)) return equals(true);
    if (isKey(negate(clause))) return equals(false);
  }
  return null;
}

/** Whether the value can be known when the steps are run. */
function usable(cx: Context, e: Expr): boolean {
  if (e.kind === 'Const') return true;
  if (cx.when === 'planning' || (cx.when === 'start' && someExpr(e, (x) => x.kind === 'Param' && x.paramkind === 'exec'))) return false;
  return pullVars(e).length === 0 && !containsVolatile(e) && !containsSubplans(e) && !someExpr(e, (x) => x.kind === 'SubPlan' || x.kind === 'Aggref');
}

const isNullConst = (e: Expr): boolean => e.kind === 'Const' && e.constvalue === null && e.slot === undefined;

/** While planning only what is immutable counts. */
function allows(cx: Context, volatility: string): boolean {
  if (volatility === 'i') return true;
  cx.mutable = true;
  return cx.when !== 'planning';
}

function operatorMatch(cx: Context, n: number, opno: number, value: Expr, collation: number): Match {
  const column = cx.key.columns[n]!;
  if (column.collation !== 0 && column.collation !== collation) return null;
  const op = operator(opno);
  const info = functionInfo(op.oprcode);
  if (!info.strict || info.volatility === 'v' || !usable(cx, value)) return null;
  let entry = opFamilyEntry(opno, column.opfamily);
  let strategy: PruneStrategy;
  if (entry === undefined) {
    // a <> 1 says something of lists only.
    entry = cx.key.strategy === 'l' && op.oprnegate !== 0 ? opFamilyEntry(op.oprnegate, column.opfamily) : undefined;
    if (entry?.amopstrategy !== 3) return null;
    strategy = 0;
  } else strategy = cx.key.strategy === 'h' ? 3 : entry.amopstrategy as PruneStrategy;
  if (!allows(cx, info.volatility)) return null;
  if (isNullConst(value)) return 'contradiction';
  const operand = operandFor(cx, n, value, entry.amoprighttype);
  return operand === null ? null : { column: n, strategy, operand };
}

function operandFor(cx: Context, n: number, value: Expr, righttype: number): PruneOperand | null {
  const column = cx.key.columns[n]!;
  let compare: Comparator = cx.key.compare[n] ?? (() => 0);
  let hash: PruneOperand['hash'] = null;
  if (righttype !== column.opcintype) {
    if (cx.key.strategy === 'h') {
      const proc = getOpfamilyProc(column.opfamily, righttype, righttype, 2);
      if (proc === 0) return null;
      const fn = callable(functionInfo(proc), [righttype, 20], 20, column.collation);
      hash = (v, seed) => BigInt.asUintN(64, BigInt(fn(v, BigInt.asIntN(64, seed)) as Int8));
    } else {
      const proc = getOpfamilyProc(column.opfamily, column.opcintype, righttype, 1);
      if (proc === 0 || !allows(cx, functionInfo(proc).volatility)) return null;
      compare = typeComparator(column.typeOid, column.collation, righttype);
    }
  }
  cx.exprs.push(value);
  return { value: cx.exprs.length - 1, compare, hash };
}

function arrayMatch(cx: Context, n: number, clause: Extract<Expr, { kind: 'ScalarArrayOpExpr' }>): Match {
  const column = cx.key.columns[n]!;
  const [left, array] = clause.args;
  if (!allows(cx, functionInfo(clause.opfuncid).volatility)) return null;
  if (isNullConst(array)) return 'contradiction';
  const elements = array.kind === 'Const' ? constantElements(array) : array.kind === 'ArrayExpr' && !array.multidims ? array.elements : null;
  if (elements === null) {
    // PostgreSQL gives up on any but a list of elements; a parameter is worth it.
    if (array.kind !== 'Param' || cx.when === 'planning' || cx.key.columns.length > 1 || !usable(cx, array) || (column.collation !== 0 && column.collation !== clause.inputcollid)) return null;
    let entry = opFamilyEntry(clause.opno, column.opfamily);
    let strategy = (entry?.amopstrategy ?? 0) as PruneStrategy;
    if (entry === undefined) {
      entry = cx.key.strategy === 'l' ? opFamilyEntry(operator(clause.opno).oprnegate, column.opfamily) : undefined;
      if (entry?.amopstrategy !== 3) return null;
      strategy = 0;
    }
    const operand = operandFor(cx, n, array, entry.amoprighttype);
    return operand === null ? null : { kind: 'array', strategy: cx.key.strategy === 'h' ? 3 : strategy, operand, useOr: clause.useOr };
  }
  const wanted = clause.useOr ? elements.filter((e) => !isNullConst(e)) : elements;
  const tests = wanted.map((e) => makeOpExpr(clause.opno, clause.opfuncid, 16, [left, e], 0, clause.inputcollid));
  if (tests.length === 0) return clause.useOr ? 'contradiction' : null;
  const steps = clause.useOr ? tests.map((t) => stepsOf(cx, [t])) : [stepsOf(cx, tests)];
  if (steps.some((s) => s === null)) return null;
  const list = steps as PruneStep[];
  return list.length === 1 ? list[0]! : { kind: 'union', steps: list };
}

function constantElements(array: Const): Expr[] {
  const value = array.constvalue as ArrayValue;
  pinLiteral(array.slot);
  return (value.values as Const['constvalue'][]).map((v) => makeConst(value.elementType, -1, array.constcollid, v));
}

export { containsMutable };
