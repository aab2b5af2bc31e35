// EXPLAIN (PostgreSQL's explain.c): the plan of a statement as rows of text, or as JSON; ANALYZE runs it, too.
import { PgError } from '../../common/errors.ts';
import { lockReads, locksReads } from '../access/table.ts';
import type { DestReceiver, ResultColumn } from '../executor/dest.ts';
import { compilePlan, readLocks, runPlan } from '../executor/execute.ts';
import { byName } from '../catalog/pg_trigger.ts';
import { constraintByOid } from '../catalog/syscache.ts';
import { Instrumentation } from '../executor/instrument.ts';
import { checkRights } from '../executor/permissions.ts';
import { measureTriggers, type TriggerTime } from '../executor/trigger.ts';
import type { Query } from '../nodes/parsenodes.ts';
import { makeVar } from '../nodes/makefuncs.ts';
import { exprCollation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import { OUTER_VAR, type Plan, type PlannedStmt } from '../nodes/plannodes.ts';
import { materialCost } from '../optimizer/costsize.ts';
import { planner } from '../optimizer/planner.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { queryRewrite } from '../rewrite/rewrite_handler.ts';
import { createCommandTag } from '../tcop/cmdtag.ts';
import { withValues } from '../tcop/plancache.ts';
import type { UtilityContext, UtilityResult, UtilityTable } from '../tcop/utility.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { rint } from '../types/datetime_scan.ts';
import { allSettings, showSetting } from '../utils/guc.ts';
import { makeParseState, parserError } from '../parser/parse_node.ts';
import { DISCARD } from '../executor/dest.ts';
import { defGetBoolean, defGetString } from './def_elem.ts';
import { type ExplainedNode, type ExplainOptions, PlanExplainer, type Property } from './explain_node.ts';
import { PRINT_EXPLAIN } from './explain_format.ts';
import { intoTable } from './createas.ts';
import { CURSOR_OPT, supportsBackwardScan } from './portalcmds.ts';
import { evaluateParams, fetchPreparedStatement } from './prepare.ts';

const TEXTOID = 25;
const JSONOID = 114, XMLOID = 142;


interface Measured { instrument: Map<Plan, Instrumentation>; notes: Map<Plan, unknown>; triggers: Map<Oid, TriggerTime>; executionMs: number }

function explain(stmt: RawNode, context: UtilityContext): UtilityResult {
  const options = readOptions(stmt, context.text);
  const out: string[] = [];
  const raw = stmt['query'] as RawNode;
  if (raw.tag === 'ExecuteStmt') {
    const { statement } = fetchPreparedStatement(raw['name'] as string);
    const params = evaluateParams((raw['params'] ?? []) as RawNode[], statement.paramTypes, raw['name'] as string, context.text);
    for (const unit of statement.unitsFor(params)) if (unit.plan !== null) explainOne(unit.plan.stmt, params, options, 0, out);
  } else {
    const query = stmt['analyzed'] as Query;
    const queries = query.commandType === 'utility' ? [query] : queryRewrite(query);
    queries.forEach((q, i) => {
      if (i > 0 && options.format === 'text') out.push('');
      if (q.commandType === 'utility') {
        const tag = createCommandTag(q.utilityStmt as RawNode);
        const utility = q.utilityStmt as RawNode;
        if (utility.tag === 'CreateTableAsStmt') {
          const into = intoTable(utility, context);
          if (into === null) return;
          const start = performance.now();
          const { stmt: plan } = into.source.plan();
          const ms = performance.now() - start;
          explainOne(plan, into.source.params, options, ms, out, options.analyze ? into.makeDest() : DISCARD, into.withData);
          return;
        }
        if (utility.tag === 'DeclareCursorStmt') {
          const { plan, ms } = timedPlan(queryRewrite(utility['analyzed'] as Query)[0]!, context.params, false);
          explainOne(((utility['options'] as number | undefined) ?? 0) & CURSOR_OPT.SCROLL ? scrollable(plan) : plan, context.params, options, ms, out);
          return;
        }
        out.push(options.format === 'text' ? 'Utility statements have no plan structure' : `[\n  "Utility Statement: ${tag}"\n]`);
        return;
      }
      if (q.commandType === 'nothing') return;
      const { plan, ms } = timedPlan(q, context.params);
      explainOne(plan, context.params, options, ms, out);
    });
    if (queries.length === 0) out.push('Query rewrites to nothing');
  }
  const { dest } = context;
  dest.start(columnsOf(stmt));
  for (const line of out) if (!dest.receive([line])) break;
  dest.end();
  return {};
}

/** A cursor that may go back keeps the rows of a plan that cannot (materialize_finished_plan). */
function scrollable(stmt: PlannedStmt): PlannedStmt {
  const { planTree } = stmt;
  if (supportsBackwardScan(planTree)) return stmt;
  const { startup_cost, total_cost, plan_rows, plan_width, initPlan } = planTree;
  const { total } = materialCost({ startup: startup_cost, total: total_cost, rows: plan_rows, width: plan_width });
  const targetlist = planTree.targetlist.map((t, i) => ({ ...t, expr: makeVar(OUTER_VAR, i + 1, exprType(t.expr), exprTypmod(t.expr), exprCollation(t.expr), 0) }));
  return { ...stmt, planTree: { kind: 'Material', startup_cost, total_cost: total, plan_rows, plan_width, targetlist, qual: [], lefttree: { ...planTree, initPlan: [] }, righttree: null, initPlan } };
}

function timedPlan(q: Query, params: readonly Datum[], parallelOk = true): { plan: PlannedStmt; ms: number } {
  const start = performance.now();
  const plan = planner(params.length === 0 ? q : withValues(q, params), parallelOk);
  return { plan, ms: performance.now() - start };
}

const FORMAT_TYPES: Readonly<Record<string, Oid>> = { json: JSONOID, xml: XMLOID };

/** What is wrong with the options is told when the statement runs (ExplainResultDesc). */
function columnsOf(stmt: RawNode): ResultColumn[] {
  const format = ((stmt['options'] ?? []) as RawNode[]).findLast((o) => o['defname'] === 'format');
  const typeOid = (format && FORMAT_TYPES[defGetString(format)]) ?? TEXTOID;
  return [{ name: 'QUERY PLAN', typeOid, typmod: -1, collation: typeOid === TEXTOID ? 100 : 0, tableOid: 0, tableColumn: 0 }];
}

function readOptions(stmt: RawNode, text: string): ExplainOptions {
  const options: ExplainOptions = { analyze: false, verbose: false, costs: true, timing: true, buffers: false, settings: false, summary: false, format: 'text' };
  let timing: boolean | null = null;
  let summary: boolean | null = null;
  let wal = false;
  const state = makeParseState(text);
  for (const o of (stmt['options'] ?? []) as RawNode[]) {
    const name = o['defname'] as string;
    switch (name) {
      case 'analyze': options.analyze = defGetBoolean(o); break;
      case 'verbose': options.verbose = defGetBoolean(o); break;
      case 'costs': options.costs = defGetBoolean(o); break;
      case 'buffers': options.buffers = defGetBoolean(o); break;
      case 'wal': wal = defGetBoolean(o); break;
      case 'settings': options.settings = defGetBoolean(o); break;
      case 'timing': timing = defGetBoolean(o); break;
      case 'summary': summary = defGetBoolean(o); break;
      case 'format': {
        const format = defGetString(o);
        if (format === 'text' || format === 'json' || format === 'xml' || format === 'yaml') options.format = format;
        else throw parserError(state, 'invalid_parameter_value', `unrecognized value for EXPLAIN option "${name}": "${format}"`, o.location);
        break;
      }
      default: throw parserError(state, 'syntax_error', `unrecognized EXPLAIN option "${name}"`, o.location);
    }
  }
  if (wal && !options.analyze) throw new PgError('invalid_parameter_value', 'EXPLAIN option WAL requires ANALYZE');
  options.timing = timing ?? options.analyze;
  if (timing === true && !options.analyze) throw new PgError('invalid_parameter_value', 'EXPLAIN option TIMING requires ANALYZE');
  options.summary = summary ?? options.analyze;
  return options;
}

/** ExplainOnePlan; `runs` false: no row is asked for (WITH NO DATA). */
function explainOne(stmt: PlannedStmt, params: readonly Datum[], options: ExplainOptions, planningMs: number, out: string[], dest: DestReceiver = DISCARD, runs = true): void {
  if (!options.analyze) checkRights(stmt);
  if (locksReads()) lockReads(readLocks(stmt));
  const measured: Measured = { instrument: new Map(), notes: new Map(), triggers: new Map(), executionMs: 0 };
  if (options.analyze) {
    const start = performance.now();
    const compiled = compilePlan(stmt, { instrument: true });
    const counters = compiled.nodes.map(() => new Instrumentation());
    if (runs) measureTriggers(measured.triggers, () => { runPlan(compiled, params, dest, { instrument: counters, notes: measured.notes }); });
    compiled.nodes.forEach((plan, i) => measured.instrument.set(plan, counters[i]!));
    measured.executionMs = performance.now() - start;
  }
  const tree = new PlanExplainer(stmt, options, measured.instrument, measured.notes, params).explain();
  if (options.format !== 'text') {
    const top: Record<string, unknown> = { Plan: json(tree, options, null, null) };
    if (options.settings) top['Settings'] = changedSettings();
    if (options.buffers) top['Planning'] = noBlocks();
    if (options.summary) top['Planning Time'] = rounded(planningMs);
    if (options.analyze) top['Triggers'] = reportTriggers(stmt, measured).map(({ time: t }) => ({
      'Trigger Name': t.trigger.name, ...(constraintNameOf(t) === null ? {} : { 'Constraint Name': constraintNameOf(t) }),
      Relation: t.relation.name, ...(options.timing ? { Time: rounded(t.ms) } : {}), Calls: t.calls,
    }));
    if (options.summary && options.analyze) top['Execution Time'] = rounded(measured.executionMs);
    out.push(PRINT_EXPLAIN[options.format](top));
    return;
  }
  const lines: string[] = [];
  const settings = options.settings ? Object.entries(changedSettings()) : [];
  writeText(tree, options, 0, '', lines);
  if (settings.length > 0) lines.push(`Settings: ${settings.map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`).join(', ')}`);
  if (options.summary) lines.push(`Planning Time: ${planningMs.toFixed(3)} ms`);
  if (options.analyze) {
    for (const { time: t, onRelation } of reportTriggers(stmt, measured)) {
      const constraint = constraintNameOf(t);
      const name = options.verbose || constraint === null ? ` ${t.trigger.name}` : '';
      lines.push(`Trigger${name}${constraint === null ? '' : ` for constraint ${constraint}`}${onRelation ? ` on ${t.relation.name}` : ''}: ${options.timing ? `time=${t.ms.toFixed(3)} ` : ''}calls=${t.calls}`);
    }
  }
  if (options.summary && options.analyze) lines.push(`Execution Time: ${measured.executionMs.toFixed(3)} ms`);
  out.push(...lines);
}

const constraintNameOf = ({ trigger }: TriggerTime): string | null => (trigger.constraint === 0 ? null : constraintByOid(trigger.constraint)?.conname ?? null);

/** The triggers that were fired: those of the target first, then of the tables that foreign keys' actions have changed. */
function reportTriggers(stmt: PlannedStmt, { triggers }: Measured): { time: TriggerTime; onRelation: boolean }[] {
  const targets = stmt.resultRelations.map((rti) => stmt.rtable[rti - 1]!.relid);
  const order = [...targets, ...[...triggers.values()].map((t) => t.relation.oid)];
  const onRelation = new Set(order).size > 1;
  return [...triggers.values()].sort((x, y) => order.indexOf(x.relation.oid) - order.indexOf(y.relation.oid) || byName(x.trigger, y.trigger)).map((time) => ({ time, onRelation }));
}

const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;

// ------------------------------------------------------------------ text

/** What each worker has done, for VERBOSE. */
const workersOf = ({ instrument }: ExplainedNode, options: ExplainOptions): [worker: number, counters: Instrumentation][] =>
  (!options.verbose || instrument === null || instrument.workers === null ? [] : [...instrument.workers].sort(([a], [b]) => a - b));

function actual({ loops, rows, startupMs, totalMs }: Instrumentation, { timing }: ExplainOptions): string {
  const time = timing ? `time=${(startupMs / loops).toFixed(3)}..${(totalMs / loops).toFixed(3)} ` : '';
  return `${time}rows=${rint(rows / loops)} loops=${loops}`;
}

function writeText(node: ExplainedNode, options: ExplainOptions, indent: number, arrow: string, lines: string[]): void {
  const { plan, instrument } = node;
  let first = `${' '.repeat(indent * 2)}${arrow}${node.title}`;
  if (options.costs) first += `  (cost=${plan.startup_cost.toFixed(2)}..${plan.total_cost.toFixed(2)} rows=${Math.round(plan.plan_rows)} width=${Math.round(plan.plan_width)})`;
  if (options.analyze) {
    if (instrument === null || instrument.loops === 0) first += ' (never executed)';
    else {
      first += ` (actual ${actual(instrument, options)})`;
    }
  }
  lines.push(first);
  // What belongs to a node stands two columns right of its name.
  const inner = arrow === '' ? indent + 1 : indent + 3;
  for (const p of node.properties) {
    if (p.text === false) continue;
    const value = typeof p.text === 'string' ? p.text : Array.isArray(p.value) ? p.value.join(', ') : String(p.value);
    lines.push(`${' '.repeat(inner * 2 + (p.indent ?? 0))}${p.bare ? '' : `${p.label}: `}${value}`);
  }
  for (const [worker, counters] of workersOf(node, options)) lines.push(`${' '.repeat(inner * 2)}Worker ${worker}:  actual ${actual(counters, options)}`);
  for (const child of node.children) {
    if (child.name !== null) {
      lines.push(`${' '.repeat(inner * 2)}${child.name}`);
      writeText(child.node, options, inner + 1, '->  ', lines);
    } else writeText(child.node, options, inner, '->  ', lines);
  }
}

// ------------------------------------------------------------------ JSON

function actualAsJson(instrument: Instrumentation | null, { timing }: ExplainOptions): Record<string, number> {
  const { loops, rows, startupMs, totalMs } = instrument ?? { loops: 0, rows: 0, startupMs: 0, totalMs: 0 }, runs = Math.max(1, loops);
  return {
    ...(timing ? { 'Actual Startup Time': rounded(startupMs / runs), 'Actual Total Time': rounded(totalMs / runs) } : {}),
    'Actual Rows': rint(rows / runs), 'Actual Loops': loops,
  };
}

/** What says more about the type of a node stands before how it belongs to the one above. */
const FIRST = new Set(['Strategy', 'Partial Mode', 'Operation']);

function json(node: ExplainedNode, options: ExplainOptions, relationship: string | null, name: string | null): Record<string, unknown> {
  const { plan, instrument } = node;
  const result: Record<string, unknown> = {};
  const put = (p: Property): void => { result[p.label] = p.value; };
  const [type, ...rest] = node.properties.filter((p) => p.textOnly !== true);
  put(type!);
  const early = rest.findIndex((p) => !['Operation', 'Strategy', 'Partial Mode', 'Scan Direction', 'Index Name', 'Relation Name', 'Function Name', 'CTE Name', 'Schema', 'Alias', 'Join Type', 'Command'].includes(p.label));
  const head = early < 0 ? rest : rest.slice(0, early);
  for (const p of head.filter((x) => FIRST.has(x.label))) put(p);
  if (relationship !== null) result['Parent Relationship'] = relationship;
  if (name !== null) result['Subplan Name'] = name;
  result['Parallel Aware'] = plan.parallelAware === true;
  result['Async Capable'] = false;
  for (const p of head.filter((x) => !FIRST.has(x.label))) put(p);
  if (options.costs) {
    result['Startup Cost'] = rounded2(plan.startup_cost);
    result['Total Cost'] = rounded2(plan.total_cost);
    result['Plan Rows'] = Math.round(plan.plan_rows);
    result['Plan Width'] = Math.round(plan.plan_width);
  }
  if (options.analyze) {
    Object.assign(result, actualAsJson(instrument, options));
  }
  for (const p of rest.slice(head.length)) put(p);
  if (options.buffers) Object.assign(result, noBlocks());
  if (instrument !== null && instrument.workers !== null) result['Workers'] = workersOf(node, options).map(([worker, counters]) => ({ 'Worker Number': worker, ...actualAsJson(counters, options) }));
  if (node.children.length > 0) result['Plans'] = node.children.map((c) => json(c.node, options, c.relationship, c.name));
  return result;
}
const rounded2 = (x: number): number => Math.round(x * 100) / 100;

/** Blocks come out of the memory map, where nobody counts them. */
const noBlocks = (): Record<string, number> => Object.fromEntries(['Shared', 'Local', 'Temp'].flatMap((where) => (where === 'Temp' ? ['Read', 'Written'] : ['Hit', 'Read', 'Dirtied', 'Written']).map((what) => [`${where} ${what} Blocks`, 0])));

/** Settings of the planner that have other values than from the start (GUC_EXPLAIN). */
function changedSettings(): Record<string, string> {
  return Object.fromEntries(allSettings().filter((s) => s.flags.has('EXPLAIN') && s.value !== s.boot).map((s) => [s.name, showSetting(s, true)] as const).sort((a, b) => (a[0] < b[0] ? -1 : 1)));
}

export const EXPLAIN_COMMANDS: UtilityTable = {
  ExplainStmt: { run: explain, columns: columnsOf, readOnly: (stmt: RawNode) => !readOptions(stmt, '').analyze },
};
