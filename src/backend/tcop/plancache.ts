// Statements kept after their first analysis and planning: prepared statements, portals, and whatever text a frontend
// sends again. A kept statement is good as long as the catalogs, the search path and the role it was made under are
// the same; it is made again from its raw tree when they are not (PostgreSQL's plancache.c). Plans are generic: they
// take their parameters, and the literals lifted out of the text, at run time. EXECUTE may ask for a plan for its values.
import { PgError } from '../../common/errors.ts';
import { compilePlan, type CompiledPlan } from '../executor/execute.ts';
import { lockReads, lockTable, locksReads, renewAfterWait, type ReadLock } from '../access/table.ts';
import { FirstNormalObjectId } from '../catalog/schema.ts';
import type { ResultColumn } from '../executor/dest.ts';
import { exprCollation, expressionTreeWalker, exprType, exprTypmod, queryTreeWalker, type Walker } from '../nodes/nodeFuncs.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { planner } from '../optimizer/planner.ts';
import { parseAnalyze, parseAnalyzeVarParams } from '../parser/analyze.ts';
import { stringTypeDatum } from '../parser/parse_type.ts';
import { literalsAreStandard } from '../parser/escape_strings.ts';
import type { RawNode, RawStmt } from '../parser/raw_parser.ts';
import { queryRewrite } from '../rewrite/rewrite_handler.ts';
import { mutateQueryDeep } from '../rewrite/rewrite_manip.ts';
import { catalogVersion } from '../transaction/xact.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { plansSettingsVersion } from '../utils/guc.ts';
import { session } from '../utils/session.ts';
import { mayHaveLongName } from '../utils/identifier.ts';
import { createCommandTag, isOptimizable } from './cmdtag.ts';
import { withPinned } from './literal_places.ts';
import { withSign, withSlotValues, type LiftedText, type Literal } from './literals.ts';
import { newShape } from './protocol.ts';
import { utilityColumns } from './utility.ts';
import { settings } from '../utils/settings.ts';
import { TextCache } from '../utils/text_cache.ts';

const ROW_EXCLUSIVE_LOCK = 3;

/** One planned (or utility) query of a statement; rewriting may make several, or none, of one. */
export interface PlannedUnit {
  readonly query: Query;
  /** Null for a utility statement. */
  readonly plan: CompiledPlan | null;
  readonly canSetTag: boolean;
}

export class CachedStatement {
  readonly text: string;
  /** Null for an empty query string. */
  readonly raw: RawStmt | null;
  readonly commandTag: string;
  /** Literals lifted out of the text, as of the next run (see literals.ts): as they were written, and their values. */
  private literals: readonly Literal[] = [];
  slots: readonly Datum[] = [];
  /** Where they stand, for errors. */
  private lifted: LiftedText | null = null;
  private literalTypes: typeof session.literalTypes = [];
  /** The plan may serve other literals, those that `holdsFor` says. */
  liftable = false;
  /** Literals that no analysis has found, and those it has looked at. */
  private notFound: readonly number[] = [];
  private pins: { readonly slot: number; readonly value: Literal }[] = [];
  private estimates: typeof session.literalEstimates = [];
  /** The same text would give the same plan later; not so if it says 'now'. */
  isLasting = true;
  /** Types of $1, $2, ...: given, or found by analysis. */
  paramTypes: Oid[];
  units: PlannedUnit[] = [];
  /** Workers may take part in its plans (CURSOR_OPT_PARALLEL_OK). */
  parallelOk = true;
  /** For whoever sends its rows. */
  readonly sent = newShape();
  columns: ResultColumn[] | null = null;
  /** Tables it changes. */
  private targets: Oid[] = [];
  /** Tables and views it reads. */
  private reads: readonly ReadLock[] = [];
  /** It changes or locks rows: a wait for one of them moves its snapshot on. */
  private movesOn = false;
  readonly fixedResult: boolean;
  protected catalogVersion = -1;
  private searchPath = '';
  /** Decides which rules apply. */
  private replicationRole = '';
  private rowSecurity = true;
  private role: Oid = 0;
  private readonly variableParams: boolean;
  private described = false;
  /** How often which kind of plan was chosen, and what they cost. */
  genericPlans = 0;
  customPlans = 0;
  private genericCost = -1;
  private customCost = 0;

  /** `variableParams`: undeclared parameter types are found by analysis (Parse); else only those given exist. */
  constructor(text: string, raw: RawStmt | null, paramTypes: Oid[], variableParams: boolean, fixedResult: boolean) {
    this.text = text;
    this.raw = raw;
    this.commandTag = raw === null ? '' : createCommandTag(raw.stmt);
    this.paramTypes = paramTypes;
    this.variableParams = variableParams;
    this.fixedResult = fixedResult;
  }

  /** A statement whose query tree is there already (SQL functions, EXPLAIN, CREATE TABLE AS). */
  get isTransactionControl(): boolean {
    return this.raw !== null && this.raw.stmt.tag === 'TransactionStmt';
  }

  /** What may still choose the isolation level must not take a snapshot, nor what one may say before (SHOW). */
  get takesSnapshot(): boolean {
    if (this.raw === null) return true;
    const stmt = this.raw.stmt as RawNode & { kind?: string; name?: string };
    switch (stmt.tag) {
      case 'TransactionStmt': case 'VariableShowStmt': return false;
      case 'VariableSetStmt': return stmt.kind !== 'VAR_SET_MULTI' && stmt.name?.startsWith('transaction_') !== true;
      default: return true;
    }
  }

  /** LOCK TABLE comes before the snapshot of a stricter level, which then sees what it has waited for. */
  get fixesSnapshot(): boolean {
    return this.raw?.stmt.tag !== 'LockStmt';
  }

  isCurrent(): boolean {
    return this.catalogVersion === catalogVersion() && this.searchPath === settings.search_path && this.role === session.currentUser
      && this.replicationRole === settings.session_replication_role && this.rowSecurity === settings.row_security;
  }

  /** The next run is for these literals; `negated`: the minus sign of which belongs to them; `notFound`: which are not in the raw tree. */
  bind(lifted: LiftedText, negated: readonly boolean[], notFound: readonly number[]): void {
    this.lifted = lifted;
    this.literals = lifted.values.map((v, i) => withSign(v, negated[i]));
    this.slots = this.literals;
    this.notFound = notFound;
  }

  /** Binds other literals of the same shape, if the plan is one for them. */
  bindIfAlike(lifted: LiftedText, negated: readonly boolean[]): boolean {
    for (const { slot, value } of this.pins) if (withSign(lifted.values[slot]!, negated[slot]) !== value) return false;
    const before = this.lifted!;
    this.bind(lifted, negated, this.notFound);
    if (this.estimates.length === 0 || !this.isCurrent() || this.isExpected()) return true;
    this.bind(before, negated, this.notFound);
    return false;
  }

  /** Whether about as many rows are to be expected as when the plan was made. */
  private isExpected(): boolean {
    try {
      this.readLiterals();
    } catch (error) {
      if (error instanceof PgError) return false; // the analysis tells
      throw error;
    }
    for (const { selectivity, planned, tuples } of this.estimates) {
      const now = selectivity(this.slots);
      if (Math.abs(now - planned) * tuples > FEW_ROWS && (now > planned * MUCH || now * MUCH < planned)) return false;
    }
    return true;
  }

  /** Strings are read as what the analysis has found them to be. */
  private readLiterals(): void {
    const { literals, literalTypes, lifted } = this;
    if (literalTypes.length === 0) return;
    this.slots = literals.map((literal, slot): Datum => {
      const as = literalTypes[slot];
      if (as === undefined) return literal;
      try {
        return stringTypeDatum(as.type, literal as string, as.typmod);
      } catch (error) {
        if (error instanceof PgError && error.condition !== 'query_canceled') {
          error.fields = { ...error.fields, position: [...lifted!.text.slice(0, lifted!.offsets[slot])].length + 1 };
        }
        throw error;
      }
    });
  }

  /** Analyzes, rewrites and plans unless what is kept is still good. */
  revalidate(): void {
    if (this.raw === null) return;
    if (this.catalogVersion !== -1 && this.isCurrent()) {
      if (this.lifted !== null) this.readLiterals();
      return;
    }
    // Planning may run a function, which has statements of its own.
    const { literalsLifted, literalTypes, literalsVolatile, literalsPinned, literalEstimates } = session;
    let version;
    try {
      // A wait for a lock, in analysis, moves the snapshot on.
      do {
        version = catalogVersion();
        session.literalsLifted = this.literals.length > 0;
        session.literalTypes = [];
        session.literalsVolatile = false;
        session.literalsPinned = new Set(this.notFound);
        session.literalEstimates = [];
        this.units = this.rewritten().map((q) => planned(q, q, this.parallelOk));
      } while (version !== catalogVersion());
      this.isLasting = !session.literalsVolatile;
      this.liftable = session.literalsLifted && this.isLasting;
      this.literalTypes = session.literalTypes;
      this.pins = this.liftable ? Array.from(session.literalsPinned, (slot) => ({ slot, value: this.literals[slot]! })) : [];
      this.estimates = session.literalEstimates.filter((e) => e.tuples > FEW_ROWS);
    } finally {
      session.literalsLifted = literalsLifted;
      session.literalTypes = literalTypes;
      session.literalsVolatile = literalsVolatile;
      session.literalsPinned = literalsPinned;
      session.literalEstimates = literalEstimates;
    }
    this.reads = withPlanReads(this.reads, this.units);
    if (this.lifted !== null) this.readLiterals();
    this.catalogVersion = version;
    this.searchPath = settings.search_path;
    this.replicationRole = settings.session_replication_role;
    this.rowSecurity = settings.row_security;
    this.role = session.currentUser;
  }

  /** Only analyzes: finds parameters and columns, for PREPARE. */
  describe(): void { this.rewritten(); }

  /** Units for these values of the parameters (GetCachedPlan): the generic plan when its cost, which says nothing of values, is
   * not above what plans for the values have cost so far. */
  unitsFor(params: readonly Datum[]): readonly PlannedUnit[] {
    this.lockTargets();
    if (this.prefersGeneric(params)) {
      this.revalidate();
      this.genericCost = unitsCost(this.units);
      if (this.prefersGeneric(params)) {
        this.genericPlans++;
        return this.units;
      }
    }
    const units = this.rewritten().map((q) => planned(q, withValues(q, params), this.parallelOk));
    if (locksReads()) lockReads(withPlanReads(this.reads, units));
    this.customPlans++;
    this.customCost += unitsCost(units) + units.reduce((cost, u) => cost + (u.plan === null ? 0 : PLANNING_OPERATIONS * Number(settings.cpu_operator_cost) * (u.plan.stmt.rtable.length + 1)), 0);
    return units;
  }

  /** choose_custom_plan, the other way round. */
  private prefersGeneric(params: readonly Datum[]): boolean {
    if (params.length === 0 || settings.plan_cache_mode === 'force_generic_plan') return true;
    if (settings.plan_cache_mode === 'force_custom_plan' || this.customPlans < CUSTOM_AT_FIRST) return false;
    return this.genericCost < this.customCost / this.customPlans;
  }

  private rewritten(): Query[] {
    const query = this.literals.length === 0 ? this.analyze() : withPinned(this.analyze());
    const queries = query.commandType === 'utility' ? [query] : queryRewrite(query);
    const columns = resultColumns(queries);
    this.reads = readLocks([query, ...queries]);
    if (this.described && this.fixedResult && !sameColumns(columns, this.columns)) {
      // JDBC, asyncpg and Active Record prepare again when they read this routine's name.
      throw new PgError('feature_not_supported', 'cached plan must not change result type', { routine: 'RevalidateCachedQuery' });
    }
    this.described = true;
    this.columns = columns;
    this.targets = queries.flatMap(targetTables);
    this.movesOn = this.targets.length > 0 || queries.some((q) => q.rowMarks.length > 0);
    return queries;
  }

  /** Locks the tables the statement changes, and those it reads, before a run. Catalogs may have changed since it was planned, by
   * whoever held such a lock or between Bind and Execute: then it is made again. `part`: of another statement. */
  lockTargets(part = false): void {
    for (;;) {
      for (const oid of this.targets) lockTable(oid, '', false, ROW_EXCLUSIVE_LOCK);
      if (this.reads.length > 0 && locksReads(part || this.movesOn)) {
        // Who only reads sees one snapshot, whatever is committed beside it; who changes or locks rows goes on to newer ones.
        const locked = lockReads(this.reads);
        if (locked === 'waited' || (locked === 'stale' && this.movesOn)) renewAfterWait();
      }
      if (this.catalogVersion === -1 || this.catalogVersion === catalogVersion()) return;
      this.revalidate();
    }
  }

  protected analyze(): Query {
    const raw = this.literals.length === 0 ? this.raw! : withSlotValues(this.raw!, this.literals);
    if (!this.variableParams || !(isOptimizable(raw.stmt) || takesParameters(raw))) return parseAnalyze(raw, this.text, this.paramTypes);
    const { query, paramTypes } = parseAnalyzeVarParams(raw, this.text, this.paramTypes);
    this.paramTypes = paramTypes;
    return query;
  }
}

/** A plan made for some number of rows is one for others that are not many more or less, by rows and by times. */
const FEW_ROWS = 50, MUCH = 4;
/** Plans for given values that are made before any generic one is. */
const CUSTOM_AT_FIRST = 5;
/** What planning costs for each table of a query (cached_plan_cost). */
const PLANNING_OPERATIONS = 1000;

/** The query with the values of its parameters for them. */
export const withValues = (query: Query, params: readonly Datum[]): Query => mutateQueryDeep(query, 0, (n: Expr): Expr | undefined => (n.kind === 'Param' && n.paramkind === 'extern'
  ? { kind: 'Const', consttype: n.paramtype, consttypmod: n.paramtypmod, constcollid: n.paramcollid, constvalue: params[n.paramid - 1]!, location: n.location } : undefined));
const planned = (query: Query, toPlan: Query, parallelOk: boolean): PlannedUnit =>
  ({ query, plan: query.commandType === 'utility' || query.commandType === 'nothing' ? null : compilePlan(planner(toPlan, parallelOk)), canSetTag: query.commandType === 'utility' || query.canSetTag });
const unitsCost = (units: readonly PlannedUnit[]): number => units.reduce((cost, u) => cost + (u.plan?.stmt.planTree.total_cost ?? 0), 0);

function targetTables(query: Query): Oid[] {
  const own = query.resultRelation > 0 ? [query.rtable[query.resultRelation - 1]!.relid] : [];
  return [...own.filter((oid) => oid >= FirstNormalObjectId), ...query.cteList.flatMap((cte) => targetTables(cte.ctequery))];
}

/** What PostgreSQL's parser and rewriter lock: views, too, and tables that the plan does without. */
function readLocks(queries: readonly Query[]): ReadLock[] {
  const found = new Map<number, ReadLock>();
  const walker: Walker = (node) => {
    if (node.kind === 'Const') return false;
    if (node.kind !== 'Query') return expressionTreeWalker(node, walker);
    for (const { rtekind, relid, rellockmode: mode } of node.rtable) {
      if (rtekind === 'relation' && relid >= FirstNormalObjectId && (mode === 1 || mode === 2)) found.set(relid * 4 + mode, { oid: relid, mode });
    }
    return queryTreeWalker(node, walker);
  };
  for (const query of queries) walker(query);
  return [...found.values()];
}

/** And children of tables. */
function withPlanReads(reads: readonly ReadLock[], units: readonly PlannedUnit[]): ReadLock[] {
  const found = new Map(reads.map((read) => [read.oid * 4 + read.mode, read]));
  for (const { plan } of units) for (const read of plan?.reads ?? []) found.set(read.oid * 4 + read.mode, read);
  return [...found.values()];
}

const takesParameters = (raw: RawStmt): boolean =>
  raw.stmt.tag === 'DeclareCursorStmt' || raw.stmt.tag === 'ExplainStmt' || raw.stmt.tag === 'CreateTableAsStmt' || raw.stmt.tag === 'CallStmt' || raw.stmt.tag === 'SelectStmt';

/** A statement found inside another (the query of DECLARE, PREPARE, COPY, ...) as one of its own. */
export const asRawStmt = (stmt: RawNode): RawStmt => ({ tag: 'RawStmt', stmt, stmt_location: 0, stmt_len: 0 });

/** The columns the statement sends, or null when it sends none. */
function resultColumns(queries: readonly Query[]): ResultColumn[] | null {
  const query = queries.length === 1 && queries[0]!.commandType === 'utility' ? queries[0]! : queries.find((q) => q.canSetTag);
  if (query === undefined) return null;
  if (query.commandType === 'utility') return queries.length === 1 ? utilityColumns(query.utilityStmt as never) : null;
  const list = query.commandType === 'select' ? query.targetList : query.returningList;
  if (query.commandType === 'nothing' || (query.commandType !== 'select' && list.length === 0)) return null;
  return targetColumns(list);
}

/** Result columns of a target list, resjunk entries left out. */
function targetColumns(list: Query['targetList']): ResultColumn[] {
  return list.filter((t) => !t.resjunk).map((t) => ({
    name: t.resname ?? '?column?', typeOid: exprType(t.expr), typmod: exprTypmod(t.expr), collation: exprCollation(t.expr),
    tableOid: t.resorigtbl, tableColumn: t.resorigcol,
  }));
}

function sameColumns(a: ResultColumn[] | null, b: ResultColumn[] | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((c, i) => c.name === b[i]!.name && c.typeOid === b[i]!.typeOid && c.typmod === b[i]!.typmod);
}

/** Texts seen lately, so that a frontend that sends the same text again and again pays for it once. */
const MAX_TEXTS = 512;
const MAX_TEXT_LENGTH = 8192;
const byText = new TextCache<string, CachedStatement>(MAX_TEXTS);

export function findByText(text: string): CachedStatement | undefined {
  return byText.get(text);
}

let settingsVersion = -1;
/** What is kept by its text was made under the settings of then: if they have changed since, it is forgotten. */
export function forgetTextsOfOtherSettings(): void {
  if (settingsVersion === plansSettingsVersion()) return;
  settingsVersion = plansSettingsVersion();
  forgetTexts();
}

export function keepByText(key: string, statement: CachedStatement): void {
  if (!statement.isLasting || key.length > MAX_TEXT_LENGTH || mayHaveLongName(key) || !literalsAreStandard()) return; // each parse tells of names that are cut
  byText.set(key, statement);
}

/** Whatever else is kept by text. */
export const textCaches: { clear(): void }[] = [byText];
export function forgetTexts(): void {
  for (const cache of textCaches) cache.clear();
}
