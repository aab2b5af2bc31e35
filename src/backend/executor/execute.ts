// Plans made runnable and run. `compilePlan` turns a PlannedStmt into a function once; `runPlan` calls it, as often as
// one likes and from inside itself (functions that call SQL): all that changes while running lives in the call.
import type { ReadLock } from '../access/table.ts';
import type { Relation } from '../catalog/relation.ts';
import { FirstNormalObjectId } from '../catalog/schema.ts';
import { exprCollation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import type { Plan, PlannedStmt } from '../nodes/plannodes.ts';
import type { SubPlan } from '../nodes/primnodes.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { checkWhileWorking } from '../utils/interrupts.ts';
import { stackDepthExceeded } from '../utils/stack_depth.ts';
import { advanceStores, plans } from '../transaction/snapshot.ts';
import { currentCommandId } from '../transaction/xact.ts';
import { activePlans } from './active_plans.ts';
import { enterQuery, fireQueryEvents, leaveQuery } from './after_triggers.ts';
import { instantiate } from './codegen.ts';
import type { DestReceiver, ResultColumn } from './dest.ts';
import { epqHooks, type PinnedRows } from './eval_plan_qual.ts';
import { checkExecute, collectRestricted } from './fmgr_info.ts';
import { checkPermissions, type Allowed } from './permissions.ts';
import { Instrumentation } from './instrument.ts';
import { PlanCompiler } from './plan_compiler.ts';
import { producers } from './producers.ts';
import { finishModifyingCtes } from './node_cte.ts';
import { openRunFiles } from './run_file.ts';
import { childPlans, paramsUsed } from './plan_walker.ts';
import { finishSubplans, subplanGenerator } from './subplan.ts';
import type { Tuplestore } from './tuplestore.ts';

export interface CompiledPlan {
  readonly stmt: PlannedStmt;
  /** What a SELECT or RETURNING puts out; empty otherwise. */
  readonly columns: readonly ResultColumn[];
  readonly run: (rt: Runtime) => void;
  /** Numbers of the plan's nodes in the order of Runtime.instrument (EXPLAIN ANALYZE). */
  readonly nodes: readonly Plan[];
  readonly text: string;
  /** The same plan for EvalPlanQual, made when first needed. */
  readonly epq: Map<Plan, CompiledPlan>;
  readonly allowed: Allowed;
  /** Functions that not everybody may execute. */
  readonly restricted: readonly Oid[];
  /** Tables it reads. */
  readonly reads: readonly ReadLock[];
}

/** What one execution has for itself; generated code knows it as `rt`. */
export interface Runtime {
  readonly params: readonly Datum[];
  /** Values of lifted literals, by Const.slot. */
  readonly slots: readonly Datum[];
  readonly exec: Datum[];
  readonly dest: DestReceiver;
  readonly plan: CompiledPlan;
  /** Command id the scans look at. */
  cid: number;
  /** Rows sent to dest, or changed. */
  processed: number;
  /** EvalPlanQual: the row each relation shows. */
  epq: PinnedRows | null;
  /** What WITH queries have given, by number; null: nothing yet, or nobody will ask. */
  ctes: Map<number, Tuplestore> | null;
  instrument: Instrumentation[];
  /** EXPLAIN ANALYZE: what nodes leave behind to be shown, e.g. a sort. */
  notes: Map<Plan, unknown>;
  /** Rows the query has changed, where BEFORE triggers may have done so as well. */
  touched: Map<Relation, Set<number>> | null;
  /** Waits have moved the snapshot on, and it was taken back: triggers look at the newest. */
  moved: boolean;
  /** Takes the rows of a LockRows at the top, which are then locked one by one when they are asked for. */
  later: LockedLater | null;
}

export interface LockedLater { rows: Iterator<Datum[]> | null }

export interface RunOptions {
  slots?: readonly Datum[];
  cid?: number;
  /** For a plan compiled with that `epq` set. */
  epq?: PinnedRows;
  instrument?: Instrumentation[];
  notes?: Map<Plan, unknown>;
  /** Trigger events are those of the query around it (foreign keys' actions). */
  sameQuery?: boolean;
  later?: LockedLater;
}

interface CompileRequest {
  /** EXPLAIN ANALYZE. */
  instrument?: boolean;
  /** For EvalPlanQual: these relations show one row, and all columns come out. */
  epq?: ReadonlySet<number>;
  /** All there are in the whole statement. */
  initPlans?: readonly SubPlan[];
}

export function compilePlan(stmt: PlannedStmt, options: CompileRequest = {}): CompiledPlan {
  const restricted = new Set<Oid>();
  return collectRestricted(restricted, () => compile(stmt, options, restricted));
}

function compile(stmt: PlannedStmt, options: CompileRequest, restricted: ReadonlySet<Oid>): CompiledPlan {
  const pc = new PlanCompiler(stmt, producers, { instrument: options.instrument ?? false, epq: options.epq ?? null });
  pc.subplanGenerator = subplanGenerator;
  const { g } = pc;
  const { planTree } = stmt;
  const rowsOut = stmt.commandType === 'select' || stmt.hasReturning;
  const visible = planTree.targetlist.map((t, i) => ({ t, i })).filter(({ t }) => !t.resjunk || options.epq !== undefined);
  if (options.epq !== undefined) takeParams(pc, options.initPlans ?? []);
  g.labelled((label) => {
    pc.produce(planTree, (columns) => {
      if (!rowsOut) return;
      if (stmt.commandType === 'select') g.emit('rt.processed++;');
      g.emit(`if (!rt.dest.receive(${pc.row(visible.map(({ i }) => columns[i]!))})) ${g.jumpCode(label)}`);
    });
  });
  if (stmt.hasModifyingCTE) finishModifyingCtes(pc);
  finishSubplans(pc);
  const text = g.text();
  return {
    stmt, columns: rowsOut ? resultColumns(planTree) : [], run: instantiate(text, g.constants), nodes: pc.nodes, text, epq: new Map(), allowed: { user: 0, version: 0 },
    restricted: [...restricted], reads: readLocks(stmt),
  };
}

/** The tables of a plan that are to be locked: of the catalogs' nobody keeps a lock. */
export function readLocks({ rtable, unplanned }: PlannedStmt): ReadLock[] {
  const found = [...rtable, ...unplanned].filter((rte) => rte.rtekind === 'relation' && rte.relid >= FirstNormalObjectId && rte.rellockmode > 0);
  return found.map((rte) => ({ oid: rte.relid, mode: rte.rellockmode as ReadLock['mode'] }));
}

/** A part of a plan on its own: parameters that come from outside of it. */
function takeParams(pc: PlanCompiler, initPlans: readonly SubPlan[]): void {
  const { g, stmt } = pc;
  for (const init of initPlans) pc.declareInitPlan(init);
  const own = new Set(initPlans.flatMap((i) => i.setParam));
  for (const p of paramsUsed(stmt.planTree, stmt)) if (!own.has(p)) g.emit(`${pc.param(p)} = X[${p}] ?? null;`);
}

function resultColumns(plan: Plan): ResultColumn[] {
  return plan.targetlist.filter((t) => !t.resjunk).map((t) => ({
    name: t.resname ?? '?column?', typeOid: exprType(t.expr), typmod: exprTypmod(t.expr), collation: exprCollation(t.expr),
    tableOid: t.resorigtbl, tableColumn: t.resorigcol,
  }));
}

function initPlansOf({ planTree, subplans }: PlannedStmt): SubPlan[] {
  const found: SubPlan[] = [];
  const visit = (plan: Plan): void => {
    found.push(...plan.initPlan);
    childPlans(plan).forEach(visit);
  };
  [planTree, ...subplans].forEach(visit);
  return found;
}

epqHooks.compile = (rt, plan, relations) => {
  let compiled = rt.plan.epq.get(plan);
  if (compiled === undefined) {
    compiled = compilePlan({ ...rt.plan.stmt, commandType: 'select', hasReturning: false, hasModifyingCTE: false, planTree: plan }, { epq: relations, initPlans: initPlansOf(rt.plan.stmt) });
    rt.plan.epq.set(plan, compiled);
  }
  return compiled;
};

const NO_INSTRUMENT: Instrumentation[] = [];
const NO_NOTES = new Map<Plan, unknown>();

/** The command id of the plan that runs: what functions that are not volatile look at. -1: none does. */
export const activeCommand = { cid: -1 };

const MAX_DEPTH = 1000;

export function runPlan(compiled: CompiledPlan, params: readonly Datum[], dest: DestReceiver, options: RunOptions = {}): { processed: number } {
  checkPermissions(compiled.stmt, compiled.allowed);
  if (compiled.restricted.length > 0) checkExecute(compiled.restricted);
  const rt: Runtime = {
    params, slots: options.slots ?? params, exec: [], dest, plan: compiled, cid: options.cid ?? currentCommandId(), processed: 0,
    epq: options.epq ?? null, ctes: null, instrument: options.instrument ?? (compiled.nodes.length > 0 ? compiled.nodes.map(() => new Instrumentation()) : NO_INSTRUMENT),
    notes: options.notes ?? NO_NOTES, touched: null, moved: false, later: options.later ?? null,
  };
  if (plans.running >= MAX_DEPTH) throw stackDepthExceeded();
  // Functions that call each other may do so for ever, each time with few rows.
  checkWhileWorking(10);
  plans.running++;
  const outer = activeCommand.cid;
  activeCommand.cid = rt.cid;
  activePlans.push(compiled.stmt);
  const files = openRunFiles.length;
  const fires = (compiled.stmt.commandType !== 'select' || compiled.stmt.hasModifyingCTE) && options.sameQuery !== true;
  const level = fires ? enterQuery() : 0;
  try {
    if (compiled.columns.length > 0 || compiled.stmt.commandType === 'select') dest.start(compiled.columns);
    compiled.run(rt);
    dest.end();
    if (fires) {
      if (rt.moved) advanceStores();
      fireQueryEvents();
    }
  } finally {
    plans.running--;
    activeCommand.cid = outer;
    activePlans.pop();
    if (fires) leaveQuery(level);
    // Whatever way it ends, its temporary files go.
    while (openRunFiles.length > files) openRunFiles[openRunFiles.length - 1]!.close();
  }
  return { processed: rt.processed };
}

/** Whether a plan can lock its rows when they are asked for. */
export const locksLater = ({ stmt: { planTree } }: CompiledPlan): boolean => planTree.kind === 'LockRows';

export interface LockedRows {
  /** Locks the next row that is still there, and gives it; null at the end. */
  next(): Datum[] | null;
  close(): void;
}

/** Runs such a plan. The caller sees to it that the snapshot is the plan's whenever it asks for a row. */
export function runAndLockLater(compiled: CompiledPlan, params: readonly Datum[], dest: DestReceiver, options: RunOptions): LockedRows {
  const later: LockedLater = { rows: null }, cid = options.cid ?? currentCommandId();
  runPlan(compiled, params, dest, { ...options, later });
  const visible = compiled.stmt.planTree.targetlist.flatMap((t, i) => (t.resjunk ? [] : [i]));
  const next = (): Datum[] | null => {
    const outer = activeCommand.cid;
    plans.running++;
    activeCommand.cid = cid;
    activePlans.push(compiled.stmt);
    try {
      const { done, value } = later.rows!.next();
      return done === true ? null : visible.map((i) => (value as Datum[])[i]!);
    } finally {
      plans.running--;
      activeCommand.cid = outer;
      activePlans.pop();
    }
  };
  return { next, close: () => { later.rows?.return?.(); } };
}
