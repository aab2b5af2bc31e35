// Expressions of plans as text: Vars that stand for columns of a node below are followed to what they are, parameters to
// where they are set (resolve_special_varno and find_param_referent of PostgreSQL's ruleutils.c).
import { SYSTEM_COLUMNS } from '../catalog/pg_class.ts';
import { quoteIdentifier } from '../catalog/quote.ts';
import { childPlans, planExprs, walkExpr } from '../executor/plan_walker.ts';
import type { RangeTblEntry } from '../nodes/parsenodes.ts';
import { makeQuery } from '../nodes/makefuncs.ts';
import { INNER_VAR, OUTER_VAR, type Plan, type PlannedStmt } from '../nodes/plannodes.ts';
import type { Expr, SubPlan, TargetEntry } from '../nodes/primnodes.ts';
import type { DeparseContext } from '../rewrite/ruleutils/context.ts';
import { ruleExpr } from '../rewrite/ruleutils/expression.ts';
import { expressionText } from '../rewrite/ruleutils/exprdef.ts';
import { type DeparseNamespace, queryNamespace } from '../rewrite/ruleutils/names.ts';
import { RECORDOID } from '../types/oids.ts';

/** A plan node with what is above it, nearest first: a node and, when it hangs there as a subplan, that. */
export interface Place { plan: Plan; above: { plan: Plan; subplan: SubPlan | null; place: Place } | null }

export const placeBelow = (place: Place, plan: Plan, subplan: SubPlan | null = null): Place => ({ plan, above: { plan: place.plan, subplan, place } });

const outerList = (plan: Plan): readonly TargetEntry[] => {
  switch (plan.kind) {
    case 'Append': return plan.appendplans[0]?.targetlist ?? [];
    case 'MergeAppend': return plan.mergeplans[0]?.targetlist ?? [];
    case 'SubqueryScan': return plan.subplan.targetlist;
    default: return plan.lefttree?.targetlist ?? [];
  }
};
const outerPlan = (plan: Plan): Plan | null => (plan.kind === 'Append' ? plan.appendplans[0] ?? null : plan.kind === 'MergeAppend' ? plan.mergeplans[0] ?? null : plan.lefttree);

export class PlanNames {
  private readonly namespace: DeparseNamespace;
  private readonly useprefix: boolean;
  private readonly stmt: PlannedStmt;
  private readonly used: ReadonlySet<number>;

  constructor(stmt: PlannedStmt, verbose: boolean, removed: ReadonlySet<Plan> = new Set()) {
    this.stmt = stmt;
    const used = new Set<number>();
    this.used = used;
    const visit = (plan: Plan): void => {
      if (removed.has(plan)) return;
      if ('scanrelid' in plan) used.add(plan.scanrelid);
      if (plan.kind === 'ModifyTable') {
        used.add(plan.resultRelation);
        if (plan.onConflict !== null) used.add(plan.onConflict.exclRelIndex);
      }
      if ((plan.kind === 'Append' && plan.apprelids.length === 0) || plan.kind === 'SetOp') for (const e of planExprs(plan)) walkExpr(e, (n) => { if (n.kind === 'Var' && n.varno > 0) used.add(n.varno); });
      if (plan.kind === 'Append' || plan.kind === 'MergeAppend') for (const rti of plan.apprelids) used.add(rti);
      childPlans(plan).forEach(visit);
    };
    [stmt.planTree, ...stmt.subplans].forEach(visit);
    if (used.size === 0) stmt.rtable.forEach((_rte, i) => used.add(i + 1));
    // Only what the plan shows gets a name, the others must not take one away; unless it shows nothing.
    const rtable = stmt.rtable.map((rte, i): RangeTblEntry => (used.has(i + 1) ? rte : { ...rte, rtekind: 'join', alias: null, joinaliasvars: [], joinleftcols: [], joinrightcols: [] }));
    this.namespace = queryNamespace({ ...makeQuery('select'), rtable, jointree: { kind: 'FromExpr', fromlist: [], quals: null } }, []);
    this.useprefix = verbose || used.size > 1 || stmt.rtable.length > 1;
  }

  /** The name a relation goes by. */
  alias(rti: number): string | null {
    return this.namespace.rtableNames[rti - 1] ?? null;
  }

  /** A field of a record is called as where the record is made (get_name_for_var_field). */
  private fieldName(e: Expr, field: number, place: Place): string {
    let made = e, at = place;
    while (made.kind === 'Var') {
      const v = made;
      let next: Plan | null = null;
      if (v.varno === OUTER_VAR || v.varno === INNER_VAR) next = v.varno === OUTER_VAR ? outerPlan(at.plan) : at.plan.righttree;
      else if (at.plan.kind === 'CteScan') next = this.stmt.subplans[at.plan.ctePlanId - 1] ?? null;
      else if (at.plan.kind === 'WorkTableScan') {
        const union = recursiveUnion(at);
        if (union !== null) [at, next] = [union, union.plan.lefttree];
      } else if (at.plan.kind === 'SubqueryScan') next = at.plan.subplan;
      const tle = next?.targetlist[v.varattno - 1];
      if (next === null || tle === undefined) break;
      at = placeBelow(at, next);
      made = tle.expr;
    }
    return (made.kind === 'RowExpr' ? made.colnames[field - 1] : undefined) ?? `f${field}`;
  }

  /** `showImplicit`: with casts that nobody wrote, as columns of the node below have them. */
  text(e: Expr, place: Place, forceprefix = this.useprefix, showImplicit = false): string {
    let at = place;
    const special = (node: Expr, c: DeparseContext): boolean => {
      if (node.kind === 'Var' && node.varno < 0) {
        const [list, child] = node.varno === OUTER_VAR ? [outerList(at.plan), outerPlan(at.plan)] : node.varno === INNER_VAR ? [at.plan.righttree?.targetlist ?? [], at.plan.righttree] : [[], null];
        const tle = list[node.varattno - 1];
        if (tle === undefined || child === null) {
          c.put(`?column${node.varattno}?`);
          return true;
        }
        const saved = at;
        at = placeBelow(saved, child);
        // Columns of a table with children are called after it, not after its first child.
        const { expr } = (child.kind === 'Append' || child.kind === 'MergeAppend') && child.apprelids.length > 0 && child.byMember !== true ? child.apptlist[node.varattno - 1]! : tle;
        // What is not a column by itself gets parentheses, as the reader takes it for one.
        if (expr.kind === 'Var') ruleExpr(expr, c, true);
        else {
          c.put('(');
          ruleExpr(expr, c, true);
          c.put(')');
        }
        at = saved;
        return true;
      }
      // An aggregate is shown as what its first step does.
      if (node.kind === 'Aggref' && node.aggsplit === 'final') {
        const saved = at;
        let { expr } = node.args[0]!;
        for (let child = outerPlan(at.plan); expr.kind === 'Var' && child !== null; child = outerPlan(child)) {
          expr = outerList(at.plan)[expr.varattno - 1]?.expr ?? expr;
          at = placeBelow(at, child);
        }
        if (expr.kind === 'Aggref') {
          const { aggsplit: _step, ...whole } = expr;
          ruleExpr(whole, c, false);
        }
        at = saved;
        return true;
      }
      // A relation that was left out has no name any more, but its columns have.
      if (node.kind === 'Var' && node.varno > 0 && node.varattno !== 0 && !this.used.has(node.varno)) {
        const name = node.varattno < 0 ? SYSTEM_COLUMNS[-node.varattno - 1]?.attname : this.stmt.rtable[node.varno - 1]!.eref.colnames[node.varattno - 1];
        c.put(quoteIdentifier(name ?? '?column?'));
        return true;
      }
      if (node.kind === 'Param' && node.paramkind === 'exec') {
        const found = findReferent(node.paramid, at);
        if (found === null) {
          c.put(`$${node.paramid}`);
          return true;
        }
        const saved = at;
        at = found.place;
        const prefix = c.varprefix;
        c.varprefix = true;
        if (found.expr.kind === 'Var' || found.expr.kind === 'Param' || found.expr.kind === 'Aggref') ruleExpr(found.expr, c, false);
        else {
          c.put('(');
          ruleExpr(found.expr, c, false);
          c.put(')');
        }
        c.varprefix = prefix;
        at = saved;
        return true;
      }
      if (node.kind === 'FieldSelect' && node.arg.kind === 'Var' && node.arg.vartype === RECORDOID) {
        c.put('(');
        ruleExpr(node.arg, c, false);
        c.put(`).${quoteIdentifier(this.fieldName(node.arg, node.fieldnum, at))}`);
        return true;
      }
      if (node.kind === 'SubPlan') {
        c.put(node.useHashTable ? `(hashed ${node.planName.replace(/^hashed /, '')})` : `(${node.planName})`);
        return true;
      }
      if (node.kind === 'Var' && node.varattno === -1 && node.varno > 0) return false;
      return false;
    };
    return expressionText(e, { namespaces: [this.namespace], forceprefix, special, showImplicit });
  }
}

/** Where the rows of a work table come from. */
function recursiveUnion(from: Place): Place | null {
  for (let up = from.above; up !== null; up = up.place.above) if (up.plan.kind === 'RecursiveUnion') return up.place;
  return null;
}

/** Where a parameter gets its value: a nested loop's outer side, or an argument of a subplan. */
function findReferent(paramid: number, from: Place): { expr: Expr; place: Place } | null {
  let below = from.plan;
  for (let up = from.above; up !== null; up = up.place.above) {
    const { plan, subplan, place } = up;
    if (subplan !== null) {
      const i = subplan.parParam.indexOf(paramid);
      if (i >= 0) return { expr: subplan.args[i]!, place };
    } else if (plan.kind === 'NestLoop' && below === plan.righttree) {
      const p = plan.nestParams.find((x) => x.paramno === paramid);
      if (p !== undefined) return { expr: p.paramval, place };
    }
    below = plan;
  }
  return null;
}
