// Subqueries inside expressions. An uncorrelated one is an initplan: its function runs once, when its parameter is
// first read. Others are functions called where the expression stands, after their parameters are set; `x IN (...)`
// without outer references looks its value up in a hash table made at the first call.
import { PgError, internalError, notSupported } from '../../common/errors.ts';
import { exprType, promotedArrayType } from '../nodes/nodeFuncs.ts';
import type { Plan } from '../nodes/plannodes.ts';
import type { Expr, OpExpr, SubPlan } from '../nodes/primnodes.ts';
import { arrayOfArrays } from '../types/array_ops.ts';
import { type Datum, makeArray } from '../types/datum.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import type { Value } from './codegen.ts';
import { type ExprContext, genExpr } from './expr_codegen.ts';
import { operatorFunction } from './fmgr_info.ts';
import type { PlanCompiler } from './plan_compiler.ts';
import { hashKeyFunction, keyOf } from './sort_support.ts';
import { hashWithoutCollation } from './collated.ts';
import { Tuplestore } from './tuplestore.ts';

const tooManyRows = (): never => {
  throw new PgError('cardinality_violation', 'more than one row returned by a subquery used as an expression');
};

export function subplanGenerator(pc: PlanCompiler, node: SubPlan, cx: ExprContext): Value {
  const { g } = pc;
  const values = node.args.map((a) => genExpr(g, a, cx).code);
  node.parParam.forEach((p, i) => g.emit(`${pc.param(p)} = ${values[i]};`));
  if ((node.subLinkType === 'any' || node.subLinkType === 'all') && node.useHashTable) return hashed(pc, node, cx);
  const result = g.state('null');
  switch (node.subLinkType) {
    case 'exists': {
      call(pc, () => {
        const plan = pc.subplan(node.planId);
        g.emit(`${result} = false;`);
        g.labelled((label) => pc.produce(plan, () => {
          g.emit(`${result} = true;`);
          g.jump(label);
        }));
      });
      return { code: g.local(result), nullable: false };
    }
    case 'expr':
    case 'rowcompare': {
      const count = g.state('0');
      const first = g.state('null');
      call(pc, () => {
        const plan = pc.subplan(node.planId);
        g.emit(`${count} = 0; ${result} = null; ${first} = null;`);
        pc.produce(plan, (columns) => {
          g.emit(`if (${count}++ > 0) ${g.konst(tooManyRows)}();`);
          if (node.subLinkType === 'expr') g.emit(`${result} = ${g.column(columns[0]!).code};`);
          else g.emit(`${first} = ${pc.row(visible(plan).map((i) => columns[i]!))};`);
        });
      });
      if (node.subLinkType === 'expr') return { code: g.local(result), nullable: true };
      node.paramIds.forEach((p, i) => g.emit(`${pc.param(p)} = ${first} === null ? null : ${first}[${i}];`));
      return genExpr(g, node.testexpr!, cx);
    }
    case 'array': {
      const list = g.state('null');
      call(pc, () => {
        g.emit(`${list} = [];`);
        pc.produce(pc.subplan(node.planId), (columns) => g.emit(`${list}.push(${g.column(columns[0]!).code});`));
      });
      return { code: g.local(`${g.konst(arrayOfRows)}(${g.konst(node.firstColType)}, ${list})`), nullable: false };
    }
    case 'any':
    case 'all':
      return quantified(pc, node, cx, result);
    case 'multiexpr': {
      const count = g.state('0');
      call(pc, () => {
        g.emit(`${count} = 0;`);
        for (const p of node.setParam) g.emit(`${pc.param(p)} = null;`);
        pc.produce(pc.subplan(node.planId), (columns) => {
          g.emit(`if (${count}++ > 0) ${g.konst(tooManyRows)}();`);
          node.setParam.forEach((p, i) => g.emit(`${pc.param(p)} = ${g.column(columns[i]!).code};`));
        });
      });
      return { code: 'null', nullable: true };
    }
    case 'cte':
      throw internalError('CTE in an expression');
  }
}

/** What ARRAY(SELECT x) gives: arrays become one of one more dimension. */
const arrayOfRows = (type: number, rows: Datum[]): Datum => (promotedArrayType(type) === type ? arrayOfArrays(type, rows) : makeArray(type, rows));
const visible = (plan: Plan): number[] => plan.targetlist.map((t, i) => (t.resjunk ? -1 : i)).filter((i) => i >= 0);

/** Emits a call of the function that runs the subplan. */
function call(pc: PlanCompiler, body: () => void): void {
  const { g } = pc;
  const fn = g.fn([], body);
  if (fn.escapes.size > 0) throw internalError('a subplan jumps out of itself');
  g.emit(`${fn.name}();`);
}

/** x OP ANY/ALL (subquery) by running through the rows; the answer with NULLs as SQL wants it. */
function quantified(pc: PlanCompiler, node: SubPlan, cx: ExprContext, result: string): Value {
  const { g } = pc;
  const any = node.subLinkType === 'any';
  const plan = pc.subplan(node.planId);
  // The rows are kept when they cannot change from call to call.
  const rows = g.state('null');
  const types = visible(plan).map((i) => exprType(plan.targetlist[i]!.expr));
  // A node that keeps them for this is this very store.
  const source = plan.kind === 'Material' && plan.initPlan.length === 0 && !pc.options.instrument ? plan.lefttree! : plan;
  const fill = (): void => {
    g.emit(`${rows} = new ${g.konst(Tuplestore)}(${g.konst(types)});`);
    const fn = g.fn([], () => pc.produce(source, (columns) => g.emit(`${rows}.add(${pc.row(visible(plan).map((i) => columns[i]!))});`)));
    g.call(fn, []);
  };
  if (node.parParam.length > 0 || pc.dependsOnParams(plan)) fill();
  else g.block(`if (${rows} === null)`, fill);
  g.emit(`${result} = ${!any};`);
  const row = g.next('r');
  const reader = g.local(`${rows}.reader()`);
  const looks = g.local('0', true);
  g.block(`for (let ${row}; (${row} = ${reader}.next()) !== undefined;)`, () => {
    g.emit(`if ((++${looks} & 1023) === 0) ${g.konst(checkForInterrupts)}();`);
    node.paramIds.forEach((p, i) => g.emit(`${pc.param(p)} = ${row}[${i}];`));
    const value = g.atomic(genExpr(g, node.testexpr!, cx));
    g.emit(`if (${value.code} === ${any}) { ${result} = ${any}; break; }`);
    if (value.nullable) g.emit(`if (${value.code} === null) ${result} = null;`);
  });
  return { code: g.local(result), nullable: true };
}

/** The keys of the rows of a hashed subplan. */
class HashedRows {
  readonly keys = new Set<Datum>();
  /** Rows with a NULL in them: they match nothing for sure. */
  readonly partial: Datum[][] = [];
  count = 0;
  private readonly hashes: ((v: any) => Datum)[];
  private readonly equals: ((a: any, b: any) => unknown)[];
  constructor(spec: { types: number[]; operators: { opno: number; collation: number }[] }) {
    this.hashes = spec.types.map((type, i) => hashWithoutCollation(type, spec.operators[i]!.collation) ?? hashKeyFunction(type, spec.operators[i]!.collation));
    this.equals = spec.operators.map((o) => operatorFunction(o.opno, o.collation));
  }
  key(row: Datum[]): Datum {
    const { hashes } = this;
    return row.length === 1 ? hashes[0]!(row[0]) : keyOf(row.map((v, i) => hashes[i]!(v)));
  }
  add(row: Datum[]): void {
    this.count++;
    if (row.includes(null)) this.partial.push(row);
    else this.keys.add(this.key(row));
  }
  /** true, false, or null: unknown. */
  has(row: Datum[]): boolean | null {
    if (this.count === 0) return false;
    if (!row.includes(null)) {
      if (this.keys.has(this.key(row))) return true;
      return this.partial.some((p) => this.mayEqual(row, p)) ? null : false;
    }
    if (row.every((v) => v === null)) return null;
    // A row that agrees in all that is known makes it unknown. The set alone cannot say: look at all rows.
    return this.rows.some((r) => this.mayEqual(row, r)) ? null : false;
  }
  /** Whether there is a row that is equal for sure. */
  hasEqual(row: Datum[]): boolean {
    return !row.includes(null) && this.keys.has(this.key(row));
  }
  readonly rows: Datum[][] = [];
  private mayEqual(a: Datum[], b: Datum[]): boolean {
    return a.every((v, i) => v === null || b[i] === null || this.equals[i]!(v, b[i]) === true);
  }
}

function hashed(pc: PlanCompiler, node: SubPlan, cx: ExprContext): Value {
  const { g } = pc;
  const plan = pc.subplan(node.planId);
  const tests: OpExpr[] = [];
  const collect = (e: Expr): void => {
    if (e.kind === 'BoolExpr' && e.boolop === 'and') e.args.forEach(collect);
    else if (e.kind === 'OpExpr') tests.push(e);
    else throw notSupported('a hashed subquery of this kind');
  };
  collect(node.testexpr!);
  const types = tests.map((t) => exprType(t.args[1]!));
  const spec = g.konst({ types, operators: tests.map((t) => ({ opno: t.opno, collation: t.inputcollid })) });
  const table = g.state('null', 't');
  // Where nobody tells unknown from false, rows with a NULL need not be known.
  const wide = tests.length > 1 && !node.unknownEqFalse;
  // What comes from further out is the same for many rows; when it changes, the table is another.
  for (const param of pc.changingParams(plan)) {
    const before = g.state('undefined'), { code } = pc.readParam(param);
    g.emit(`if (${before} !== ${code}) { ${before} = ${code}; ${table} = null; }`);
  }
  g.block(`if (${table} === null)`, () => {
    g.emit(`${table} = new ${g.konst(HashedRows)}(${spec});`);
    const fn = g.fn([], () => pc.produce(plan, (columns) => {
      const row = g.local(pc.row(visible(plan).map((i) => columns[i]!)));
      g.emit(`${table}.add(${row});${wide ? ` ${table}.rows.push(${row});` : ''}`);
    }));
    g.call(fn, []);
  });
  const left = tests.map((t) => g.atomic(genExpr(g, t.args[0]!, cx)).code);
  const value = g.local(`${table}.${node.unknownEqFalse ? 'hasEqual' : 'has'}([${left.join(', ')}])`);
  return { code: value, nullable: !node.unknownEqFalse };
}

// ------------------------------------------------------------------ initplans and WITH

/** Emits the functions of initplans that were asked for (theirs may ask for more). */
export function finishSubplans(pc: PlanCompiler): void {
  const { g } = pc;
  for (let i = 0; i < pc.pendingInitPlans.length; i++) {
    const { node, name, done } = pc.pendingInitPlans[i]!;
    const plan = pc.subplan(node.planId);
    g.namedFn(name, [], () => {
      g.emit(`if (${done}) return; ${done} = true;`);
      const [first] = node.setParam;
      // What it has given is the same when EvalPlanQual runs the plan again.
      if (pc.options.epq !== null) g.emit(`if (X[${first}] !== undefined) { ${node.setParam.map((p) => `${pc.param(p)} = X[${p}];`).join(' ')} return; }`);
      switch (node.subLinkType) {
        case 'exists':
          g.emit(`${pc.param(first!)} = false;`);
          g.labelled((label) => pc.produce(plan, () => {
            g.emit(`${pc.param(first!)} = true;`);
            g.jump(label);
          }));
          break;
        case 'array': {
          const list = g.state('null');
          g.emit(`${list} = [];`);
          pc.produce(plan, (columns) => g.emit(`${list}.push(${g.column(columns[0]!).code});`));
          g.emit(`${pc.param(first!)} = ${g.konst(arrayOfRows)}(${g.konst(node.firstColType)}, ${list});`);
          break;
        }
        default: {
          const count = g.state('0');
          g.emit(`${count} = 0; ${node.setParam.map((p) => `${pc.param(p)} = null;`).join(' ')}`);
          pc.produce(plan, (columns) => {
            g.emit(`if (${count}++ > 0) ${g.konst(tooManyRows)}();`);
            const shown = visible(plan);
            node.setParam.forEach((p, k) => g.emit(`${pc.param(p)} = ${g.column(columns[shown[k]!]!).code};`));
          });
        }
      }
      if (pc.mayLookAgain) for (const p of node.setParam) g.emit(`X[${p}] = ${pc.param(p)};`);
    });
  }
}
