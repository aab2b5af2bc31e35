// VALUES of many rows that are not constants: $1, $2, ... as drivers send them, now(), a cast. Rows that differ in their constants and
// parameters only are made by one function of these; a function for each row took 0.4 ms to compile.
import { expressionTreeMutator } from '../nodes/nodeFuncs.ts';
import type { Expr, Param } from '../nodes/primnodes.ts';
import type { Datum } from '../types/datum.ts';
import { type ExprContext, genExpr } from './expr_codegen.ts';
import type { PlanCompiler } from './plan_compiler.ts';

/** With fewer rows it is not worth it. */
const MIN_ROWS = 16;
/** A row is compared with the last few templates; with a template for every few rows nothing is gained. */
const COMPARED = 8;
const ROWS_FOR_A_TEMPLATE = 8;
/** Parameters that stand for the leaves of a row are numbered from here. */
const FIRST_LEAF = 1_000_000;

/** The leaves of a row: values of constants, and for $n its place. */
type Leaves = Datum[];

/** The code that gives row `i` (an expression); null: row by row, each with code of its own. */
export function rowsByTemplate(pc: PlanCompiler, lists: readonly (readonly Expr[])[]): ((i: string) => string) | null {
  if (lists.length < MIN_ROWS) return null;
  const templates: (readonly Expr[])[] = [], which: number[] = [], leaves: Leaves[] = [];
  for (const row of lists) {
    let known = -1, found: Leaves | null = null;
    for (let t = templates.length - 1; found === null && t >= Math.max(0, templates.length - COMPARED); t--) found = leavesOf(templates[known = t]!, row);
    if (found === null) {
      if (templates.length * ROWS_FOR_A_TEMPLATE > lists.length) return null;
      found = leavesOf(row, row);
      if (found === null) return null;
      known = templates.push(row) - 1;
    }
    which.push(known);
    leaves.push(found);
  }
  const { g } = pc, functions: string[] = [];
  for (const row of templates) {
    const leafOf = new Map<Expr, number>();
    leavesOf(row, row, leafOf);
    const replaced = new Set<number>();
    const mark = (e: Expr): Expr => {
      const leaf = leafOf.get(e);
      if (leaf === undefined) return expressionTreeMutator(e, mark);
      replaced.add(leaf);
      const isConst = e.kind === 'Const', p = e as Param;
      const type = isConst ? { paramtype: e.consttype, paramtypmod: e.consttypmod, paramcollid: e.constcollid } : { paramtype: p.paramtype, paramtypmod: p.paramtypmod, paramcollid: p.paramcollid };
      return { kind: 'Param', paramkind: 'extern', paramid: FIRST_LEAF + 2 * leaf + (isConst ? 0 : 1), ...type, location: -1 };
    };
    const marked = row.map(mark);
    if (replaced.size !== leaves[which.indexOf(functions.length)]!.length) return null; // one that stands where the walk does not see it
    const cx: ExprContext = pc.context({}, {
      externParam: ({ paramid }) => {
        const n = paramid - FIRST_LEAF, leaf = `c[${n >> 1}]`;
        return { code: g.local(n % 2 === 0 ? leaf : `P[${leaf}]`), nullable: true };
      },
    });
    functions.push(g.fn(['c'], () => g.emit(`return [${marked.map((e) => genExpr(g, e, cx).code).join(', ')}];`)).name);
  }
  const c = g.konst(leaves);
  if (functions.length === 1) return (i) => `${functions[0]}(${c}[${i}])`;
  const list = g.state(`[${functions.join(', ')}]`), w = g.konst(which);
  return (i) => `${list}[${w}[${i}]](${c}[${i}])`;
}

/** What a row has where the template has constants and parameters, if they are alike otherwise; null: they are not. */
function leavesOf(template: readonly Expr[], row: readonly Expr[], leafOf?: Map<Expr, number>): Leaves | null {
  const leaves: Leaves = [];
  const alike = (a: unknown, b: unknown): boolean => {
    if (typeof a !== 'object' || a === null) return a === b;
    if (typeof b !== 'object' || b === null) return false;
    if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((x, i) => alike(x, b[i]));
    const x = a as Expr, y = b as Expr;
    if (x.kind !== y.kind) return false;
    if (x.kind === 'Const' && y.kind === 'Const') {
      if (x.slot !== undefined || y.slot !== undefined || x.consttype !== y.consttype || x.constcollid !== y.constcollid || x.consttypmod !== y.consttypmod) return false;
      leafOf?.set(x, leaves.length);
      leaves.push(y.constvalue);
      return true;
    }
    if (x.kind === 'Param' && y.kind === 'Param' && x.paramkind === 'extern' && y.paramkind === 'extern') {
      if (x.paramtype !== y.paramtype || x.paramcolumns !== undefined || y.paramcolumns !== undefined) return false;
      leafOf?.set(x, leaves.length);
      leaves.push(y.paramid - 1);
      return true;
    }
    for (const key in x) if (key !== 'location' && !alike(x[key as never], y[key as never])) return false;
    return true;
  };
  return alike(template, row) ? leaves : null;
}
