// What EXPLAIN says of each plan node (ExplainNode of PostgreSQL's explain.c): its name and properties, as data that
// the text and JSON writers print.
import { getNamespaceName, getRelName, getTypCollation, typeOperators } from '../catalog/lsyscache.ts';
import { quoteIdentifier } from '../catalog/quote.ts';
import { tryOpenRelation } from '../catalog/relcache.ts';
import { procByOid } from '../catalog/syscache.ts';
import { compileExpr } from '../executor/expression.ts';
import { liveByLevels } from '../executor/partition_pruning.ts';
import { childPlans, evaluatedByLeader, planExprs, walkExpr } from '../executor/plan_walker.ts';
import { functionInfo, operator } from '../executor/fmgr_info.ts';
import type { GroupSpill, JoinSpill } from '../executor/hash_spill.ts';
import type { Instrumentation } from '../executor/instrument.ts';
import type { MergeCounts } from '../executor/merge_run.ts';
import type { Tuplesort } from '../executor/tuplesort.ts';
import { makeAndsExplicit, makeBoolExpr, makeVar } from '../nodes/makefuncs.ts';
import { exprType, exprCollation } from '../nodes/nodeFuncs.ts';
import type { Agg, Gather, GatherMerge, Plan, PlannedStmt, SampleScan, SortKey } from '../nodes/plannodes.ts';
import type { Expr, SubPlan } from '../nodes/primnodes.ts';
import { collationName, namespaceNameOrTemp } from '../rewrite/ruleutils/object_names.ts';
import type { Datum } from '../types/datum.ts';
import { rint } from '../types/datetime_scan.ts';
import { PlanNames, type Place, placeBelow } from './explain_expr.ts';

export interface ExplainOptions {
  analyze: boolean; verbose: boolean; costs: boolean; timing: boolean; buffers: boolean; settings: boolean; summary: boolean; format: 'text' | 'json' | 'xml' | 'yaml';
}

/** A property: printed as `label: value` in text (unless `text` is false), under its label in JSON. */
const kilobytes = (bytes: number): number => Math.ceil(bytes / 1024);
/** Of a hash table, besides its rows. */
const BUCKET_BYTES = 8;

export interface Property { label: string; value: string | number | boolean | string[] | readonly Record<string, unknown>[]; text?: boolean | string; /** The line is the text alone. */ bare?: boolean; /** Not in other formats than text. */ textOnly?: boolean; /** Further to the right by so many columns. */ indent?: number }

export interface ExplainedNode {
  plan: Plan;
  /** First line in text. */
  title: string;
  properties: Property[];
  children: { relationship: string; name: string | null; node: ExplainedNode }[];
  instrument: Instrumentation | null;
}

const JOIN_NAMES: Record<string, string> = { inner: 'Inner', left: 'Left', full: 'Full', right: 'Right', semi: 'Semi', anti: 'Anti' };

export class PlanExplainer {
  private readonly stmt: PlannedStmt;
  private readonly options: ExplainOptions;
  private readonly names: PlanNames;
  private readonly instrument: ReadonlyMap<Plan, Instrumentation>;
  private readonly notes: ReadonlyMap<Plan, unknown>;
  /** Subplans shown already: a CTE is shown once. */
  private readonly shown = new Set<number>();

  /** Members of Appends that the parameters leave out. */
  private readonly pruned: ReadonlySet<Plan>;

  constructor(stmt: PlannedStmt, options: ExplainOptions, instrument: ReadonlyMap<Plan, Instrumentation>, notes: ReadonlyMap<Plan, unknown>, params: readonly Datum[] = []) {
    this.stmt = stmt;
    this.options = options;
    this.pruned = removedMembers(stmt, params);
    this.names = new PlanNames(stmt, options.verbose, this.pruned);
    this.instrument = instrument;
    this.notes = notes;
  }

  explain(): ExplainedNode {
    return this.node({ plan: this.stmt.planTree, above: null });
  }

  private node(place: Place): ExplainedNode {
    const { plan } = place;
    if (plan.kind === 'GinScan' && place.above?.plan.kind.startsWith('Bitmap') === true) return this.ginIndex(place, plan);
    const properties: Property[] = [];
    const title = (plan.parallelAware === true ? 'Parallel ' : '') + this.title(plan, properties);
    if (this.options.verbose) this.output(place, properties);
    this.details(place, properties);
    const children: ExplainedNode['children'] = [];
    for (const init of plan.initPlan) this.subplan(init, place, 'InitPlan', children);
    if (plan.kind === 'Append') for (const p of plan.appendplans.filter((m) => !this.pruned.has(m))) children.push({ relationship: 'Member', name: null, node: this.node(placeBelow(place, p)) });
    else if (plan.kind === 'GinScan') children.push({ relationship: 'Outer', name: null, node: this.ginIndex(place, plan) });
    else if (plan.kind === 'BitmapAnd' || plan.kind === 'BitmapOr') for (const p of plan.bitmapplans) children.push({ relationship: 'Member', name: null, node: this.node(placeBelow(place, p)) });
    else if (plan.kind === 'MergeAppend') for (const p of plan.mergeplans.filter((m) => !this.pruned.has(m))) children.push({ relationship: 'Member', name: null, node: this.node(placeBelow(place, p)) });
    else if (plan.kind === 'SubqueryScan') children.push({ relationship: 'Subquery', name: null, node: this.node(placeBelow(place, plan.subplan)) });
    else {
      if (plan.lefttree !== null) children.push({ relationship: 'Outer', name: null, node: this.node(placeBelow(place, plan.lefttree)) });
      if (plan.righttree !== null) children.push({ relationship: 'Inner', name: null, node: this.node(placeBelow(place, plan.righttree)) });
    }
    this.subplans(planExprs(plan), place, children);
    // A hash table's keys are computed where it is filled.
    if (plan.kind === 'Hash' && place.above?.plan.kind === 'HashJoin') this.subplans(place.above.plan.hashkeys.map((k) => k.inner), place.above.place, children);
    return { plan, title, properties, children, instrument: this.instrument.get(plan) ?? null };
  }

  /** The index of an inverted scan, which is one node here and two in PostgreSQL. */
  private ginIndex(place: Place, plan: Plan & { kind: 'GinScan' }): ExplainedNode {
    const index = getRelName(plan.indexid) ?? '';
    const properties: Property[] = [{ label: 'Node Type', value: 'Bitmap Index Scan', text: false }, { label: 'Index Name', value: index, text: false }];
    this.qual('Index Cond', plan.indexqual, place, properties, this.options.verbose);
    return { plan: { ...plan, plan_width: 0, startup_cost: 0, total_cost: plan.startup_cost }, title: `Bitmap Index Scan on ${quoteIdentifier(index)}`, properties, children: [], instrument: this.instrument.get(plan) ?? null };
  }

  private subplans(exprs: readonly Expr[], place: Place, children: ExplainedNode['children']): void {
    const found: SubPlan[] = [];
    for (const e of exprs) walkExpr(e, (n) => { if (n.kind === 'SubPlan' && !found.some((s) => s.planId === n.planId)) found.push(n); });
    for (const s of found) this.subplan(s, place, 'SubPlan', children);
  }

  private subplan(s: SubPlan, place: Place, relationship: string, children: ExplainedNode['children']): void {
    if (this.shown.has(s.planId)) return;
    this.shown.add(s.planId);
    const plan = this.stmt.subplans[s.planId - 1]!;
    children.push({ relationship, name: s.planName.replace(/^hashed /, ''), node: this.node(placeBelow(place, plan, s)) });
  }

  // ---------------------------------------------------------------- the first line

  private title(plan: Plan, p: Property[]): string {
    const type = (name: string): void => { p.push({ label: 'Node Type', value: name, text: false }); };
    const join = (name: string, jointype: string, always: boolean): string => {
      type(name);
      p.push({ label: 'Join Type', value: JOIN_NAMES[jointype]!, text: false });
      const base = name === 'Nested Loop' ? 'Nested Loop' : name.replace(/ Join$/, '');
      return jointype === 'inner' ? (always ? `${base} Join` : base) : `${base} ${JOIN_NAMES[jointype]} Join`;
    };
    switch (plan.kind) {
      case 'Result': type('Result'); return 'Result';
      case 'ProjectSet': type('ProjectSet'); return 'ProjectSet';
      case 'ModifyTable': {
        type('ModifyTable');
        const operation = { insert: 'Insert', update: 'Update', delete: 'Delete', merge: 'Merge' }[plan.operation];
        p.push({ label: 'Operation', value: operation, text: false });
        return `${operation} on ${this.target(plan.resultRelation, p)}`;
      }
      case 'Append': type('Append'); return 'Append';
      case 'MergeAppend': type('Merge Append'); return 'Merge Append';
      case 'RecursiveUnion': type('Recursive Union'); return 'Recursive Union';
      case 'SeqScan': {
        const name = plan.tidrangequals.length > 0 ? 'Tid Range Scan' : 'Seq Scan';
        type(name);
        return `${name} on ${this.target(plan.scanrelid, p)}`;
      }
      case 'SampleScan': type('Sample Scan'); return `Sample Scan on ${this.target(plan.scanrelid, p)}`;
      case 'GinScan': {
        type('Bitmap Heap Scan');
        return `Bitmap Heap Scan on ${this.target(plan.scanrelid, p)}`;
      }
      case 'IndexScan': case 'IndexOnlyScan': {
        const name = plan.kind === 'IndexScan' ? 'Index Scan' : 'Index Only Scan';
        type(name);
        p.push({ label: 'Scan Direction', value: plan.indexorderdir === 'backward' ? 'Backward' : 'Forward', text: false });
        const index = getRelName(plan.indexid) ?? '';
        p.push({ label: 'Index Name', value: index, text: false });
        return `${name}${plan.indexorderdir === 'backward' ? ' Backward' : ''} using ${quoteIdentifier(index)} on ${this.target(plan.scanrelid, p)}`;
      }
      case 'BitmapIndexScan': {
        type('Bitmap Index Scan');
        const index = getRelName(plan.indexid) ?? '';
        p.push({ label: 'Index Name', value: index, text: false });
        return `Bitmap Index Scan on ${quoteIdentifier(index)}`;
      }
      case 'BitmapAnd': case 'BitmapOr': type(plan.kind); return plan.kind;
      case 'BitmapHeapScan': type('Bitmap Heap Scan'); return `Bitmap Heap Scan on ${this.target(plan.scanrelid, p)}`;
      case 'TidScan': type('Tid Scan'); return `Tid Scan on ${this.target(plan.scanrelid, p)}`;
      case 'SubqueryScan': type('Subquery Scan'); return `Subquery Scan on ${this.target(plan.scanrelid, p)}`;
      case 'FunctionScan': {
        const name = plan.functions[0]?.funcexpr.kind === 'TableFunc' ? 'Table Function Scan' : 'Function Scan';
        type(name);
        return `${name} on ${this.target(plan.scanrelid, p)}`;
      }
      case 'ValuesScan': type('Values Scan'); return `Values Scan on ${this.target(plan.scanrelid, p)}`;
      case 'NamedTuplestoreScan': type('Named Tuplestore Scan'); return 'Named Tuplestore Scan';
      case 'CteScan': type('CTE Scan'); return `CTE Scan on ${this.target(plan.scanrelid, p)}`;
      case 'WorkTableScan': type('WorkTable Scan'); return `WorkTable Scan on ${this.target(plan.scanrelid, p)}`;
      case 'NestLoop': return join('Nested Loop', plan.jointype, false);
      case 'MergeJoin': return join('Merge Join', plan.jointype, true);
      case 'HashJoin': return join('Hash Join', plan.jointype, true);
      case 'Hash': type('Hash'); return 'Hash';
      case 'Material': type('Materialize'); return 'Materialize';
      case 'Memoize': type('Memoize'); return 'Memoize';
      case 'Sort': type('Sort'); return 'Sort';
      case 'IncrementalSort': type('Incremental Sort'); return 'Incremental Sort';
      case 'Agg': {
        const strategy = plan.aggstrategy;
        // create_group_path: groups of which nothing is computed.
        if (strategy === 'sorted' && plan.groupingSets === null && plan.withoutAggs === true) {
          type('Group');
          return 'Group';
        }
        type('Aggregate');
        p.push({ label: 'Strategy', value: { plain: 'Plain', sorted: 'Sorted', hashed: 'Hashed', mixed: 'Mixed' }[strategy], text: false });
        const step = plan.aggsplit === undefined ? 'Simple' : plan.aggsplit === 'partial' ? 'Partial' : 'Finalize';
        p.push({ label: 'Partial Mode', value: step, text: false });
        return `${step === 'Simple' ? '' : `${step} `}${{ plain: 'Aggregate', sorted: 'GroupAggregate', hashed: 'HashAggregate', mixed: 'MixedAggregate' }[strategy]}`;
      }
      case 'WindowAgg': type('WindowAgg'); return 'WindowAgg';
      case 'Unique': type('Unique'); return 'Unique';
      case 'SetOp': {
        const command = { intersect: 'Intersect', intersect_all: 'Intersect All', except: 'Except', except_all: 'Except All' }[plan.cmd];
        type('SetOp');
        const sorted = plan.lefttree?.kind === 'Sort';
        p.push({ label: 'Strategy', value: sorted ? 'Sorted' : 'Hashed', text: false }, { label: 'Command', value: command, text: false });
        return `${sorted ? 'SetOp' : 'HashSetOp'} ${command}`;
      }
      case 'LockRows': type('LockRows'); return 'LockRows';
      case 'Limit': type('Limit'); return 'Limit';
      case 'Gather': type('Gather'); return 'Gather';
      case 'GatherMerge': type('Gather Merge'); return 'Gather Merge';
    }
  }

  /** ExplainTargetRel: the relation, qualified when VERBOSE, and its alias when that is another. */
  private target(rti: number, p: Property[]): string {
    const rte = this.stmt.rtable[rti - 1]!;
    const alias = this.names.alias(rti) ?? rte.eref.aliasname;
    let object: string | null = null;
    let schema: string | null = null;
    switch (rte.rtekind) {
      case 'relation': {
        const relation = tryOpenRelation(rte.relid);
        object = relation?.name ?? getRelName(rte.relid) ?? null;
        schema = relation === undefined ? null : namespaceNameOrTemp(relation.namespace);
        p.push({ label: 'Relation Name', value: object ?? '', text: false });
        break;
      }
      case 'function': {
        const [f] = rte.functions;
        if (f!.funcexpr.kind === 'TableFunc') {
          object = 'xmltable';
          p.push({ label: 'Table Function Name', value: object, text: false });
        }
        if (rte.functions.length === 1 && f!.funcexpr.kind === 'FuncExpr') {
          const info = functionInfo(f!.funcexpr.funcid);
          object = info.name;
          schema = getNamespaceName(info.proc.pronamespace) ?? null;
          p.push({ label: 'Function Name', value: object, text: false });
        }
        break;
      }
      case 'cte':
        object = rte.ctename;
        p.push({ label: 'CTE Name', value: object, text: false });
        break;
      default:
    }
    if (this.options.verbose && schema !== null) p.push({ label: 'Schema', value: schema, text: false });
    p.push({ label: 'Alias', value: alias, text: false });
    if (object === null) return quoteIdentifier(alias);
    const qualified = this.options.verbose && schema !== null ? `${quoteIdentifier(schema)}.${quoteIdentifier(object)}` : quoteIdentifier(object);
    return alias === object ? qualified : `${qualified} ${quoteIdentifier(alias)}`;
  }

  // ---------------------------------------------------------------- properties

  private output(place: Place, p: Property[]): void {
    const { plan } = place;
    if (plan.kind === 'Append' || plan.kind === 'MergeAppend' || plan.kind === 'RecursiveUnion') return;
    const target = this.physicalTarget(place) ?? plan.targetlist.map((t) => t.expr);
    if (target.length > 0) p.push({ label: 'Output', value: target.map((e) => this.names.text(e, place, this.stmt.rtable.length > 1 || this.stmt.rtable[0]?.rtekind === 'subquery')) });
  }

  /** use_physical_tlist: PostgreSQL lets a scan right below a join or an aggregate show all columns of what it reads. Here only those
   * that are asked for are read. */
  private physicalTarget({ plan, above }: Place): Expr[] | null {
    if (!PHYSICAL_SCANS.has(plan.kind) || !('scanrelid' in plan) || above === null || above.subplan !== null) return null;
    const parent = above.plan;
    const wide = parent.kind === 'NestLoop' || parent.kind === 'MergeJoin' || (parent.kind === 'HashJoin' && parent.lefttree === plan) || parent.kind === 'Agg' || parent.kind === 'ProjectSet';
    if (!wide || plan.targetlist.some(({ expr }) => expr.kind !== 'Var' || expr.varno !== plan.scanrelid || expr.varattno <= 0)) return null;
    // A column that is grouped by twice has two places.
    if (parent.kind === 'Agg' && plan.targetlist.some(({ expr }, i) => plan.targetlist.slice(0, i).some((t) => t.expr.kind === 'Var' && expr.kind === 'Var' && t.expr.varattno === expr.varattno))) return null;
    const rte = this.stmt.rtable[plan.scanrelid - 1]!;
    if (rte.rtekind === 'function' || rte.rtekind === 'cte') return rte.eref.colnames.map((_n, i) => makeVar(plan.scanrelid, i + 1, 0, -1, 0, 0));
    const relation = rte.rtekind === 'relation' ? tryOpenRelation(rte.relid) : undefined;
    // Children of a table never do.
    if (relation === undefined || relation.attributes.some((a) => a.attisdropped) || !rte.inFromCl) return null;
    const index = plan.kind === 'IndexOnlyScan' ? relation.indexes.find((i) => i.indexrelid === plan.indexid)?.keyAttributes : undefined;
    // What an index has of expressions is shown as it is asked for.
    if (index?.some((n) => n <= 0)) return null;
    const columns = index?.map((n) => relation.attributes[n - 1]!) ?? relation.attributes;
    return columns.map((a) => makeVar(plan.scanrelid, a.attnum, a.atttypid, a.atttypmod, a.attcollation, 0));
  }

  private qual(label: string, quals: readonly Expr[], place: Place, p: Property[], prefix?: boolean): void {
    if (quals.length === 0) return;
    p.push({ label, value: this.names.text(makeAndsExplicit([...quals])!, place, prefix) });
  }

  private removed(label: string, count: number | undefined, loops: number | undefined, p: Property[]): void {
    if (!this.options.analyze || count === undefined || count === 0) return;
    p.push({ label, value: rint(count / Math.max(1, loops ?? 1)) });
  }

  private filter(place: Place, p: Property[], prefix?: boolean): void {
    const { plan } = place;
    if (plan.qual.length === 0) return;
    this.qual('Filter', plan.qual, place, p, prefix);
    const i = this.instrument.get(plan);
    this.removed('Rows Removed by Filter', i?.filtered, i?.loops, p);
  }

  private details(place: Place, p: Property[]): void {
    const { plan } = place;
    const scanPrefix = plan.kind === 'SubqueryScan' || this.options.verbose;
    switch (plan.kind) {
      case 'SeqScan':
        if (plan.tidrangequals.length > 0) this.qual('TID Cond', plan.tidrangequals, place, p, scanPrefix);
        this.filter(place, p, scanPrefix);
        break;
      case 'ValuesScan': case 'NamedTuplestoreScan': case 'CteScan': case 'WorkTableScan': case 'SubqueryScan': this.filter(place, p, scanPrefix); break;
      case 'GinScan': this.qual('Recheck Cond', plan.indexqual, place, p, scanPrefix); this.filter(place, p, scanPrefix); break;
      case 'SampleScan': this.tablesample(place, plan, p); this.filter(place, p, scanPrefix); break;
      case 'FunctionScan':
        if (this.options.verbose) p.push({ label: plan.functions[0]?.funcexpr.kind === 'TableFunc' ? 'Table Function Call' : 'Function Call', value: plan.functions.map((f) => this.names.text(f.funcexpr, place)).join(', ') });
        this.filter(place, p, scanPrefix);
        break;
      case 'IndexScan': case 'IndexOnlyScan':
        this.qual('Index Cond', plan.indexqual, place, p, scanPrefix);
        this.qual('Order By', plan.indexorderby, place, p, scanPrefix);
        this.filter(place, p, scanPrefix);
        if (plan.kind === 'IndexOnlyScan' && this.options.analyze) p.push({ label: 'Heap Fetches', value: 0 });
        break;
      case 'BitmapIndexScan': this.qual('Index Cond', plan.indexqual, place, p, scanPrefix); break;
      case 'BitmapHeapScan': {
        this.qual('Recheck Cond', plan.bitmapqualorig, place, p, scanPrefix);
        this.filter(place, p, scanPrefix);
        const blocks = this.notes.get(plan) as number | undefined;
        if (this.options.analyze && blocks !== undefined) {
          p.push({ label: 'Exact Heap Blocks', value: blocks, text: false }, { label: 'Lossy Heap Blocks', value: 0, text: false });
          if (blocks > 0) p.push({ label: 'Heap Blocks', value: blocks, text: `exact=${blocks}`, textOnly: true });
        }
        break;
      }
      case 'TidScan':
        this.qual('TID Cond', plan.tidquals.length > 1 ? [makeBoolExpr('or', plan.tidquals)] : plan.tidquals, place, p, scanPrefix);
        this.filter(place, p, scanPrefix);
        break;
      case 'NestLoop': case 'MergeJoin': case 'HashJoin':
        if (this.options.verbose) p.push({ label: 'Inner Unique', value: plan.inner_unique, text: plan.inner_unique });
        else p.push({ label: 'Inner Unique', value: plan.inner_unique, text: false });
        if (plan.kind === 'HashJoin') this.qual('Hash Cond', plan.hashclauses, place, p);
        if (plan.kind === 'MergeJoin') this.qual('Merge Cond', plan.mergeclauses, place, p);
        this.qual('Join Filter', plan.joinqual, place, p);
        this.removed('Rows Removed by Join Filter', this.instrument.get(plan)?.joinFiltered, this.instrument.get(plan)?.loops, p);
        this.filter(place, p);
        break;
      case 'Agg': this.groups(place, plan, p); this.filter(place, p); this.hashedGroups(plan, p); break;
      case 'Hash': this.hashTable(plan, p); break;
      case 'Sort': {
        this.sortKeys('Sort Key', plan.sortKeys, place, p);
        const sort = this.notes.get(plan) as Tuplesort | undefined;
        if (this.options.analyze && sort) p.push({ label: 'Sort Method', value: sort.method, text: `${sort.method}  ${sort.spaceType}: ${sort.spaceKb}kB` }, { label: 'Sort Space Used', value: sort.spaceKb, text: false }, { label: 'Sort Space Type', value: sort.spaceType, text: false });
        break;
      }
      case 'IncrementalSort':
        this.sortKeys('Sort Key', plan.sortKeys, place, p);
        this.sortKeys('Presorted Key', plan.sortKeys.slice(0, plan.presortedCount), place, p, false);
        break;
      case 'Append': this.removedMembers(plan.appendplans, p); break;
      case 'MergeAppend': this.sortKeys('Sort Key', plan.sortKeys, place, p); this.removedMembers(plan.mergeplans, p); break;
      case 'Memoize':
        p.push({ label: 'Cache Key', value: plan.param_exprs.map((e) => this.names.text(e, place)).join(', ') }, { label: 'Cache Mode', value: plan.binaryMode ? 'binary' : 'logical' });
        this.memoized(plan, p);
        break;
      case 'Result':
        this.qual('One-Time Filter', plan.resconstantqual, place, p);
        this.filter(place, p);
        break;
      case 'WindowAgg': this.filter(place, p); this.qual('Run Condition', plan.runCondition, place, p); break;
      case 'ProjectSet': this.filter(place, p); break;
      case 'ModifyTable': this.modify(place, plan, p); break;
      case 'Gather': case 'GatherMerge': this.gather(plan, p); break;
      default:
    }
  }

  private gather(plan: Gather | GatherMerge, p: Property[]): void {
    p.push({ label: 'Workers Planned', value: plan.numWorkers });
    const evaluated = evaluatedByLeader(plan, this.stmt);
    if (evaluated.length > 0) p.push({ label: 'Params Evaluated', value: evaluated.map((id) => `$${id}`) });
    if (this.options.analyze) p.push({ label: 'Workers Launched', value: (this.notes.get(plan) as number | undefined) ?? 0 });
    if (plan.kind === 'Gather') p.push({ label: 'Single Copy', value: plan.singleCopy, text: plan.singleCopy });
  }

  private removedMembers(members: readonly Plan[], p: Property[]): void {
    const n = members.filter((m) => this.pruned.has(m)).length;
    if (n > 0) p.push({ label: 'Subplans Removed', value: n });
  }

  /** show_tablesample. */
  private tablesample(place: Place, plan: SampleScan, p: Property[]): void {
    const { tsmhandler, args, repeatable } = plan.tablesample;
    const prefix = this.options.verbose;
    const method = procByOid(tsmhandler)!.proname;
    const values = args.map((e) => this.names.text(e, place, prefix));
    const seed = repeatable === null ? null : this.names.text(repeatable, place, prefix);
    p.push({ label: 'Sampling Method', value: method, text: false }, { label: 'Sampling', value: `${method} (${values.join(', ')})${seed === null ? '' : ` REPEATABLE (${seed})`}`, textOnly: true }, { label: 'Sampling Parameters', value: values, text: false });
    if (seed !== null) p.push({ label: 'Repeatable Seed', value: seed, text: false });
  }

  /** show_hash_info: the table starts as large as the rows that are expected. */
  private hashTable(plan: Plan, p: Property[]): void {
    const table = this.notes.get(plan) as JoinSpill | undefined;
    if (!this.options.analyze || table === undefined) return;
    const buckets = (rows: number): number => 2 ** Math.max(10, Math.ceil(Math.log2(Math.max(1, rows))));
    const original = buckets(plan.plan_rows), now = Math.max(original, buckets(table.rows));
    const changed = now !== original || table.batches !== 1, spaceKb = kilobytes(table.spaceBytes + BUCKET_BYTES * now);
    p.push(
      { label: 'Hash Buckets', value: now, text: false }, { label: 'Original Hash Buckets', value: original, text: false },
      { label: 'Hash Batches', value: table.batches, text: false }, { label: 'Original Hash Batches', value: 1, text: false },
      { label: 'Peak Memory Usage', value: spaceKb, text: false },
      { label: 'Buckets', value: now, text: `${now}${changed ? ` (originally ${original})` : ''}  Batches: ${table.batches}${changed ? ' (originally 1)' : ''}  Memory Usage: ${spaceKb}kB`, textOnly: true },
    );
  }

  /** show_hashagg_info. */
  private hashedGroups(plan: Plan, p: Property[]): void {
    const table = this.notes.get(plan) as GroupSpill | undefined;
    if (!this.options.analyze || table === undefined) return;
    const disk = table.batches > 1 ? `  Disk Usage: ${kilobytes(table.diskBytes)}kB` : '';
    p.push(
      { label: 'Planned Partitions', value: 0, text: false }, { label: 'HashAgg Batches', value: table.batches, text: false },
      { label: 'Peak Memory Usage', value: kilobytes(table.spaceBytes), text: false }, { label: 'Disk Usage', value: kilobytes(table.diskBytes), text: false },
      { label: 'Batches', value: table.batches, text: `${table.batches}  Memory Usage: ${kilobytes(table.spaceBytes)}kB${disk}`, textOnly: true },
    );
  }

  private memoized(plan: Plan, p: Property[]): void {
    const cache = this.notes.get(plan) as { hits: number; misses: number; evictions: number; spaceBytes: number } | undefined;
    if (!this.options.analyze || cache === undefined || cache.misses === 0) return;
    const { hits, misses, evictions } = cache, kb = kilobytes(cache.spaceBytes);
    p.push(
      { label: 'Cache Hits', value: hits, text: false }, { label: 'Cache Misses', value: misses, text: false }, { label: 'Cache Evictions', value: evictions, text: false },
      { label: 'Cache Overflows', value: 0, text: false }, { label: 'Peak Memory Usage', value: kb, text: false },
      { label: 'Hits', value: hits, text: `${hits}  Misses: ${misses}  Evictions: ${evictions}  Overflows: 0  Memory Usage: ${kb}kB`, textOnly: true },
    );
  }

  private groups(place: Place, plan: Agg, p: Property[]): void {
    const { groupKeys: keys, groupingSets } = plan;
    const child = plan.lefttree!;
    const below = placeBelow(place, child);
    // What is grouped right over a node that computes is computed there.
    const here = (PHYSICAL_TARGETS.has(child.kind) || JOINS.has(child.kind) || child.kind === 'Agg' || child.kind === 'WindowAgg' || child.kind === 'ProjectSet' || (child.kind === 'Result' && child.lefttree === null));
    const text = (column: number): string => (here ? this.names.text(child.targetlist[column - 1]!.expr, below) : this.keyText(child, column, below));
    if (groupingSets === null) {
      if (keys.length > 0) p.push({ label: 'Group Key', value: keys.map((k) => text(k.column)) });
      return;
    }
    const phases = groupingSets.map(({ hashed, sets, sortKeys }): Record<string, unknown> => {
      const label = hashed ? 'Hash Key' : 'Group Key';
      const shown = sets.map((set) => set.map((i) => text(keys[i]!.column)));
      const order = sortKeys.map((k) => this.orderText(child, k, text(k.column)));
      if (order.length > 0) p.push({ label: 'Sort Key', value: order, textOnly: true });
      for (const set of shown) p.push({ label, value: set.length === 0 ? '()' : set, textOnly: true, indent: order.length > 0 ? 2 : 0 });
      return { ...(order.length > 0 ? { 'Sort Key': order } : {}), [`${label}s`]: shown };
    });
    p.push({ label: 'Grouping Sets', value: phases, text: false });
  }

  /** A column of the node below, in parentheses when it is more than a column there. */
  private keyText(child: Plan, column: number, below: Place): string {
    const { expr: whole } = (child.kind === 'Append' || child.kind === 'MergeAppend') && child.apprelids.length > 0 && child.byMember !== true ? child.apptlist[column - 1]! : child.targetlist[column - 1]!;
    const expr = whole.kind === 'RelabelType' && whole.relabelformat === 'implicit_cast' && whole.arg.kind === 'Var' ? whole.arg : whole;
    const text = this.names.text(expr, below, undefined, true);
    return expr.kind === 'Var' ? text : `(${text})`;
  }

  private sortKeys(label: string, keys: readonly SortKey[], place: Place, p: Property[], order = true): void {
    const child = place.plan.lefttree ?? place.plan;
    // A MergeAppend's own columns are sorted by, over the table whose children it merges.
    const below = child === place.plan ? place : placeBelow(place, child);
    p.push({ label, value: keys.map((k) => {
      const own = place.plan.targetlist[k.column - 1]!.expr;
      let text = own.kind === 'Const' ? this.names.text(own, place) : this.keyText(child, k.column, below);
      if (child.kind === 'MergeAppend' && child === place.plan && child.byMember !== true) {
        const { expr } = child.apptlist[k.column - 1]!;
        text = this.names.text(expr, place);
        if (expr.kind !== 'Var') text = `(${text})`;
      }
      return order ? this.orderText(child, k, text) : text;
    }) });
  }

  /** A sort key with what is unusual about its order. */
  private orderText(child: Plan, k: SortKey, key: string): string {
    let text = key;
    const { expr } = child.targetlist[k.column - 1]!;
    const collation = exprCollation(expr);
    if (collation !== 0 && collation !== getTypCollation(exprType(expr))) text += ` COLLATE ${collationName(collation)}`;
    const usual = typeOperators(k.type);
    if (k.sortop === usual.gtOpr) text += ' DESC';
    else if (k.sortop !== usual.ltOpr) text += ` USING ${operator(k.sortop).oprname}`;
    if (k.nullsFirst && !k.reverse) text += ' NULLS FIRST';
    else if (!k.nullsFirst && k.reverse) text += ' NULLS LAST';
    return text;
  }

  /** The tables that rows are changed in, when they are others than the one that was named. */
  private targets(plan: Plan & { kind: 'ModifyTable' }, p: Property[]): void {
    const { resultRelations } = plan;
    if (plan.operation === 'insert' || (resultRelations.length === 1 && resultRelations[0] === plan.resultRelation)) return;
    const operation = { insert: 'Insert', update: 'Update', delete: 'Delete', merge: 'Merge' }[plan.operation];
    for (const rti of resultRelations) p.push({ label: 'Target Table', value: this.target(rti, []), text: `${operation} on ${this.target(rti, [])}`, bare: true });
  }

  private modify(place: Place, plan: Plan & { kind: 'ModifyTable' }, p: Property[]): void {
    this.targets(plan, p);
    const counts = this.notes.get(plan) as MergeCounts | undefined;
    if (this.options.analyze && plan.operation === 'merge' && counts !== undefined) {
      const done = (['Inserted', 'Updated', 'Deleted', 'Skipped'] as const).map((name) => ({ name, count: counts[name.toLowerCase() as keyof MergeCounts] }));
      const parts = done.filter(({ count }) => count > 0).map(({ name, count }) => `${name.toLowerCase()}=${count}`);
      if (parts.length > 0) p.push({ label: 'Tuples', value: parts.join(' '), textOnly: true });
      for (const { name, count } of done) p.push({ label: `Tuples ${name}`, value: count, text: false });
    }
    const oc = plan.onConflict;
    if (oc === null) return;
    p.push({ label: 'Conflict Resolution', value: oc.action === 'nothing' ? 'NOTHING' : 'UPDATE' });
    if (oc.arbiterIndexes.length > 0) p.push({ label: 'Conflict Arbiter Indexes', value: oc.arbiterIndexes.map((o) => quoteIdentifier(getRelName(o) ?? '')) });
    if (oc.onConflictWhere !== null) p.push({ label: 'Conflict Filter', value: this.names.text(oc.onConflictWhere, place, true) });
  }
}

/** What is known before the plan is run. */
function removedMembers(stmt: PlannedStmt, params: readonly Datum[]): Set<Plan> {
  const removed = new Set<Plan>();
  const visit = (plan: Plan): void => {
    if (plan.kind === 'Append' || plan.kind === 'MergeAppend') {
      const members = plan.kind === 'Append' ? plan.appendplans : plan.mergeplans;
      for (const { atStart, paths } of plan.pruning) {
        if (atStart.length === 0) continue;
        const live = liveByLevels(atStart, paths, atStart.map((l) => l.exprs.map((e) => compileExpr(e)(params))));
        members.forEach((m, i) => { if (!live[i]) removed.add(m); });
      }
    }
    childPlans(plan).forEach(visit);
  };
  [stmt.planTree, ...stmt.subplans].forEach(visit);
  return removed;
}

const PHYSICAL_SCANS = new Set<Plan['kind']>(['SeqScan', 'SampleScan', 'IndexScan', 'IndexOnlyScan', 'BitmapHeapScan', 'GinScan', 'TidScan', 'FunctionScan', 'CteScan']);

const JOINS = new Set<Plan['kind']>(['NestLoop', 'MergeJoin', 'HashJoin']);
/** Scans that give all their columns to a hash table above, which computes from them. */
const PHYSICAL_TARGETS = new Set<Plan['kind']>(['SeqScan', 'SampleScan', 'GinScan', 'IndexScan', 'TidScan', 'FunctionScan', 'ValuesScan', 'SubqueryScan', 'CteScan', 'WorkTableScan', 'NamedTuplestoreScan']);

