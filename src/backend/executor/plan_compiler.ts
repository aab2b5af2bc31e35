// From a plan tree to one text, push model: `produce(plan, consume)` emits the loops that make a node's rows and
// calls `consume` once, at the place in the text where a row is there as `columns`. What follows a node is thereby
// inside its loop, and a chain of scan, filter, join and projection is one loop.
//
// A node whose rows come from several places (Append, outer joins) emits its consumer as a function and calls it
// (`outline`). A node that must see all input first (Sort, Agg, ...) runs its input in a function of its own and
// keeps the state in an object.
//
// A node is entered again for every outer row of a nested loop or call of a subplan. What does not depend on
// parameters set there is kept from the first time: `perRun` and `dependsOnParams`.
import { internalError, notSupported } from '../../common/errors.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import { INNER_VAR, OUTER_VAR, type Plan, type PlannedStmt } from '../nodes/plannodes.ts';
import type { Expr, SubPlan, TargetEntry, Var } from '../nodes/primnodes.ts';
import { Generator, type Column, type OutlinedFunction, type Value } from './codegen.ts';
import type { GatherSpec } from './exec_parallel.ts';
import { type ExprContext, genExpr, genFilter, isNullable } from './expr_codegen.ts';
import { childPlans, containsMutable, containsVolatile, paramsOf, paramsUsed } from './plan_walker.ts';

export type Consumer = (columns: Column[]) => void;
export type Producer<P extends Plan = Plan> = (pc: PlanCompiler, plan: P, consume: Consumer) => void;
export type Producers = { [K in Plan['kind']]: Producer<Extract<Plan, { kind: K }>> };

/** Each hash join that repeats what follows doubles the text. */
const MAX_REPEATS = 2;

export interface CompileOptions {
  /** EXPLAIN ANALYZE: count rows and loops, and time. */
  readonly instrument: boolean;
  /** Range table indexes whose scan gives the one row of EvalPlanQual instead (rt.epq). */
  readonly epq: ReadonlySet<number> | null;
}

/** What is known of a Gather where code for the plan below is made. */
interface GatherContext {
  /** The variable of its state. */
  readonly state: string;
  readonly spec: GatherSpec;
  /** Hash joins whose table can be made before there are workers, which have it then; and the functions that make it. */
  readonly joins: ReadonlySet<Plan>;
  readonly tables: OutlinedFunction[];
}

export class PlanCompiler {
  readonly g = new Generator();
  readonly stmt: PlannedStmt;
  readonly options: CompileOptions;
  /** In the order the nodes were met; Instrumentation is by this number. */
  readonly nodes: Plan[] = [];
  private readonly producers: Producers;
  private readonly params = new Map<number, string>();
  private readonly initPlanFunctions = new Map<number, string>();
  /** State shared by nodes: work tables by parameter, CTE stores by plan id. */
  readonly shared = new Map<string, string>();
  /** The Gather that the plan now at hand is below. */
  gather: GatherContext | null = null;
  /** Of nodes right below a Limit: the text of how many rows it still wants. */
  readonly rowsWanted = new Map<Plan, string>();
  /** Rows are locked, and may have to be looked at again: EvalPlanQual is to find what subqueries have given. */
  readonly mayLookAgain: boolean;
  subplanGenerator: ((pc: PlanCompiler, node: SubPlan, cx: ExprContext) => Value) | null = null;

  constructor(stmt: PlannedStmt, producers: Producers, options: CompileOptions) {
    this.stmt = stmt;
    this.producers = producers;
    this.options = options;
    this.mayLookAgain = stmt.subplans.length > 0 && (stmt.rowMarks.length > 0 || stmt.hasModifyingCTE || stmt.commandType !== 'select');
  }

  produce(plan: Plan, consume: Consumer): void {
    for (const init of plan.initPlan) this.declareInitPlan(init);
    const producer = this.producers[plan.kind] as Producer;
    if (!this.options.instrument) {
      producer(this, plan, consume);
      return;
    }
    this.produceInstrumented(plan, producer, consume);
  }

  /** The same with counters: rows put out, times entered, and the time spent below this node. */
  private produceInstrumented(plan: Plan, producer: Producer, consume: Consumer): void {
    const { g } = this;
    let number = this.nodes.indexOf(plan);
    if (number < 0) number = this.nodes.push(plan) - 1;
    const counter = `rt.instrument[${number}]`;
    g.emit(`${counter}.enter();`);
    const out = this.outline(consume, plan.targetlist.length);
    g.emit('try {');
    producer(this, plan, (columns) => {
      g.emit(`${counter}.row();`);
      out(columns);
      g.emit(`${counter}.back();`);
    });
    g.emit(`} finally { ${counter}.leave(); }`);
  }

  /** Runs a node that gives no rows to a consumer; `body` tells how many there were. */
  produceQuietly(plan: Plan, body: () => string): void {
    if (!this.options.instrument) {
      body();
      return;
    }
    let number = this.nodes.indexOf(plan);
    if (number < 0) number = this.nodes.push(plan) - 1;
    const counter = `rt.instrument[${number}]`;
    this.g.emit(`${counter}.enter();`);
    const rows = body();
    this.g.emit(`${counter}.rows += ${rows}; ${counter}.leave();`);
  }

  /** What is done with the rows of this subtree may stand in the text twice. */
  allowRepeats(plan: Plan): void {
    if (this.options.instrument) return;
    let p: Plan | null = plan;
    for (let n = 0; n < MAX_REPEATS && p?.kind === 'HashJoin' && (p.jointype === 'inner' || p.jointype === 'semi' || p.jointype === 'anti'); n++) {
      this.repeats.add(p);
      p = p.lefttree;
    }
  }
  /** Hash joins that may. */
  readonly repeats = new Set<Plan>();

  /** Makes a consumer a function, to be called from several places; returns what emits the call. */
  outline(consume: Consumer, width: number, nullable: (i: number) => boolean = () => true, types?: (i: number) => number): Consumer {
    const { g } = this;
    const used = new Map<number, string>();
    const name = g.next('c');
    const columns: Column[] = [];
    for (let i = 0; i < width; i++) {
      columns.push({
        nullable: nullable(i), type: types?.(i) ?? 0,
        read: () => {
          used.set(i, `a${i}`);
          return `a${i}`;
        },
      });
    }
    const params: string[] = [];
    const fn = g.namedFn(name, params, () => {
      consume(columns);
      for (const i of [...used.keys()].sort((a, b) => a - b)) params.push(`a${i}`);
    });
    const order = [...used.keys()].sort((a, b) => a - b);
    return (actual) => g.call(fn, order.map((i) => g.column(actual[i]!).code));
  }

  /** Outlined consumer of a plan's own columns, keeping what is known of their nullability. */
  outlineFor(consume: Consumer, columns: readonly { nullable: boolean; type: number }[]): Consumer {
    return this.outline(consume, columns.length, (i) => columns[i]!.nullable, (i) => columns[i]!.type);
  }

  /** Whether a subtree may call its consumer from a function of its own. */
  mayOutline(plan: Plan): boolean {
    if (this.options.instrument) return true;
    switch (plan.kind) {
      case 'SeqScan': case 'SampleScan': case 'GinScan': case 'IndexScan': case 'IndexOnlyScan': case 'BitmapHeapScan': case 'TidScan': case 'ValuesScan': case 'NamedTuplestoreScan': case 'FunctionScan':
      case 'Sort': case 'Material': case 'CteScan': case 'WorkTableScan': case 'Memoize': case 'SetOp':
        return plan.kind === 'CteScan' && plan.direct;
      case 'Result': case 'Limit': case 'Unique': case 'ProjectSet': case 'Hash':
        return plan.lefttree !== null && this.mayOutline(plan.lefttree);
      case 'SubqueryScan': return this.mayOutline(plan.subplan);
      case 'Agg': return plan.aggstrategy === 'sorted' || plan.groupingSets !== null;
      case 'NestLoop': return plan.jointype === 'left' || this.mayOutline(plan.lefttree!) || this.mayOutline(plan.righttree!);
      case 'HashJoin': return !this.repeats.has(plan) || this.mayOutline(plan.lefttree!);
      default: return true;
    }
  }

  /** A variable declared here that the consumer of `child` uses: local if the consumer stays in this function. */
  variable(child: Plan, init: string): string {
    if (!this.mayOutline(child)) return this.g.local(init, true);
    const name = this.g.state('null');
    this.g.emit(`${name} = ${init};`);
    return name;
  }

  // ---------------------------------------------------------------- expressions

  context(vars: { outer?: readonly Column[]; inner?: readonly Column[]; scan?: (attno: number, node: Var) => Column; index?: readonly Column[] }, more: Partial<ExprContext> = {}): ExprContext {
    return {
      var: (node) => {
        const from = node.varno === OUTER_VAR ? vars.outer : node.varno === INNER_VAR ? vars.inner : node.varno === -3 ? vars.index : undefined;
        if (from !== undefined) {
          const column = from[node.varattno - 1];
          if (column === undefined) throw internalError(`no column ${node.varattno} for variable of ${node.varno}`);
          return column;
        }
        if (vars.scan === undefined || node.varno < 0) throw internalError(`variable ${node.varno}.${node.varattno} not found in subplan`);
        return vars.scan(node.varattno, node);
      },
      execParam: (paramid) => this.readParam(paramid),
      subplan: (node, cx) => {
        if (this.subplanGenerator === null) throw notSupported('a subquery in this place');
        return this.subplanGenerator(this, node, cx);
      },
      ...more,
    };
  }

  /** The columns of a target list over what `cx` gives. Volatile ones are computed here, and then in their order with them
   * whatever may depend on their effects. */
  project(targetlist: readonly TargetEntry[], cx: ExprContext): Column[] {
    const columns = targetlist.map((tle) => this.exprColumn(tle.expr, cx));
    // (a, b) = (SELECT …): what stands for a and b reads what this has left.
    targetlist.forEach(({ expr }, i) => {
      if (expr.kind === 'SubPlan' && expr.subLinkType === 'multiexpr') this.g.column(columns[i]!);
    });
    const computed = (e: Expr): boolean => e.kind !== 'Var' && e.kind !== 'Const';
    if (targetlist.some(({ expr }) => computed(expr) && containsVolatile(expr))) {
      targetlist.forEach(({ expr }, i) => {
        if (computed(expr) && containsMutable(expr)) this.g.column(columns[i]!);
      });
    }
    return columns;
  }

  exprColumn(expr: Expr, cx: ExprContext): Column {
    if (expr.kind === 'Var') return cx.var(expr);
    return { nullable: isNullable(expr, cx), type: exprType(expr), read: (g) => genExpr(g, expr, cx).code };
  }

  /** Filter, project, pass on. `otherwise`: the statement that skips the row. */
  filterAndProject(plan: Plan, cx: ExprContext, otherwise: string, consume: Consumer): void {
    genFilter(this.g, plan.qual, cx, this.counted(plan, otherwise));
    consume(this.project(plan.targetlist, cx));
  }

  /** Skipping a row (or a pair of a join), with its counter. */
  counted(plan: Plan, otherwise: string, counter: 'filtered' | 'joinFiltered' = 'filtered'): string {
    if (!this.options.instrument) return otherwise;
    return `{ rt.instrument[${this.nodes.indexOf(plan)}].${counter}++; ${otherwise} }`;
  }

  /** All columns read now, as an array literal. */
  row(columns: readonly Column[]): string {
    return `[${columns.map((c) => this.g.column(c).code).join(', ')}]`;
  }

  /** Columns of a row kept as an array in variable `name`. */
  columnsOfRow(name: string, columns: readonly { nullable: boolean; type: number }[]): Column[] {
    return columns.map(({ nullable, type }, i) => ({ nullable, type, read: () => `${name}[${i}]` }));
  }

  // ---------------------------------------------------------------- parallel plans

  /** Below a Gather, for a node whose work is shared out: the text of the counter for that (access/parallel_scan.ts), and its number.
   * `relations`: the tables and indexes of which each process reads a part. Null: the work is not shared. */
  sharedCounter(plan: Plan, relations: readonly { filenode: number; shared: boolean }[]): { code: string; number: number; state: string } | null {
    // Inside a table that all processes have whole nothing is shared out.
    if (this.gather === null || plan.parallelAware !== true) return null;
    const { state, spec } = this.gather, number = spec.counters++;
    spec.shared.push(...relations.map(({ filenode, shared }) => ({ filenode, shared })));
    return { code: `${state}.counter(${number})`, number, state };
  }

  // ---------------------------------------------------------------- parameters

  /** The variable of an exec parameter. */
  param(paramid: number): string {
    let name = this.params.get(paramid);
    if (name === undefined) this.params.set(paramid, (name = this.g.state('null', 'x')));
    return name;
  }

  readParam(paramid: number): Value {
    const init = this.initPlanFunctions.get(paramid);
    // Evaluated when first asked for.
    if (init !== undefined) this.g.emit(`${init}();`);
    return { code: this.param(paramid), nullable: true };
  }

  /** Its function is written when the rest is there (finishSubplans); entered again, it may have to run again. */
  declareInitPlan(node: SubPlan): void {
    if (node.subLinkType === 'cte') return;
    let pending = this.pendingInitPlans.find((p) => p.node === node);
    if (pending === undefined) {
      pending = { node, name: this.g.next('init'), done: this.g.state('false') };
      this.pendingInitPlans.push(pending);
      for (const p of node.setParam) this.initPlanFunctions.set(p, pending.name);
    }
    if (this.dependsOnParams(this.subplan(node.planId))) this.g.emit(`${pending.done} = false;`);
  }
  readonly pendingInitPlans: { node: SubPlan; name: string; done: string }[] = [];

  subplan(planId: number): Plan {
    const plan = this.stmt.subplans[planId - 1];
    if (plan === undefined) throw internalError(`no subplan ${planId}`);
    return plan;
  }

  /** Whether running this subtree again can give something else. */
  dependsOnParams(plan: Plan): boolean {
    return this.isChanging(paramsUsed(plan, this.stmt));
  }

  /** Whether computing these again, of the same rows, can give something else. */
  dependOnParams(exprs: readonly Expr[]): boolean {
    return this.isChanging(paramsOf(exprs, this.stmt));
  }

  /** The parameters that make running this subtree again give something else. */
  changingParams(plan: Plan): number[] {
    return [...paramsUsed(plan, this.stmt)].filter((p) => !this.constantParams().has(p));
  }

  private isChanging(params: ReadonlySet<number>): boolean {
    for (const p of params) if (!this.constantParams().has(p)) return true;
    return false;
  }

  private constants: Set<number> | null = null;
  /** What initplans give that depend on nothing themselves: the same in all of an execution. */
  private constantParams(): Set<number> {
    if (this.constants !== null) return this.constants;
    const found = this.constants = new Set<number>();
    const inits: SubPlan[] = [];
    const collect = (plan: Plan): void => {
      inits.push(...plan.initPlan);
      childPlans(plan).forEach(collect);
    };
    [this.stmt.planTree, ...this.stmt.subplans].forEach(collect);
    for (let before = -1; before !== found.size;) {
      before = found.size;
      for (const init of inits) if ([...paramsUsed(this.subplan(init.planId), this.stmt)].every((p) => found.has(p))) for (const p of init.setParam) found.add(p);
    }
    return found;
  }
}
