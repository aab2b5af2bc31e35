// One call of a function (PLpgSQL_execstate): what the generated code (codegen.ts) asks for beside its own variables. It stands
// on the stack of error contexts while the function runs.
import { PgError } from '../../../common/errors.ts';
import type { TriggerData } from '../../commands/trigger_data.ts';
import { DISCARD, type DestReceiver, type ResultColumn } from '../../executor/dest.ts';
import { notInReadOnly, refuseChanges } from '../../executor/read_only.ts';
import { activeCommand, runPlan } from '../../executor/execute.ts';
import { asPgError } from '../../utils/unknown_errors.ts';
import type { CachedStatement } from '../../tcop/plancache.ts';
import { processUtility } from '../../tcop/utility.ts';
import { withoutTransitionTables } from '../../parser/query_environment.ts';
import { createCommandTag } from '../../tcop/cmdtag.ts';
import {
  beginInternalSubTransaction, commandCounterIncrement, currentSubTransactionId, noteFirstSnapshot, popSnapshot, pushSnapshot, releaseCurrentSubTransaction, requireLocks,
  rollbackAndReleaseCurrentSubTransaction,
} from '../../transaction/xact.ts';
import type { RawNode } from '../../parser/raw_parser.ts';
import type { Datum, RecordAttribute, RecordValue } from '../../types/datum.ts';
import type { FunctionContext } from '../../types/fmgr.ts';
import { addContext, errorContext, withErrorContext, type ErrorContext } from '../../utils/error_context.ts';
import { conditionMatches } from './conditions.ts';
import { isCurrent, type Prepared, prepareExpression, type RunningText, type Site } from './expression.ts';
import type { PlFunction } from './function.ts';
import { type PlCondition, statementName } from './nodes.ts';

/** Says what was done besides a statement (err_text). */
export type Phase =
  | 'during statement block local variable initialization' | 'during statement block entry' | 'during statement block exit'
  | 'during exception cleanup' | 'during function entry' | 'during function exit' | 'while storing call arguments into local variables'
  | 'while casting return value to function\'s return type' | 'during initialization of execution state';

const NONE: readonly Datum[] = [];
const NO_VALUES: Readonly<Record<string, Datum>> = {};

export class Estate implements ErrorContext {
  outer: ErrorContext | null = null;
  readonly fn: PlFunction;
  readonly params = NONE;
  readonly slots = NONE;
  readonly exec: Datum[] = [];
  /** The statement that runs, by its number in fn.statements; -1: none. */
  s = -1;
  phase: Phase | null = null;
  /** Line of the variable that is being initialized. */
  variableLine = 0;
  running: RunningText | null = null;
  /** Rows of the last statement (ROW_COUNT). */
  processed = 0;
  /** The error that is being handled. */
  error: PgError | null = null;
  readonly atomic: boolean;
  readonly context: FunctionContext | null;
  readonly trigger: TriggerData | null;
  /** Columns of the rows it returns; null: it returns no rows, or nobody has said what they are. */
  expected: readonly RecordAttribute[] | null = null;
  args: readonly Datum[] = NONE;
  /** A trigger function's NEW, OLD and TG_*. */
  newRow: RecordValue | null = null;
  oldRow: RecordValue | null = null;
  triggerValues: Readonly<Record<string, Datum>> = NO_VALUES;
  /** What a set-returning function has returned so far. */
  readonly results: Datum[] = [];

  constructor(fn: PlFunction, context: FunctionContext | null, trigger: TriggerData | null, atomic: boolean) {
    this.fn = fn;
    this.context = context;
    this.trigger = trigger;
    this.atomic = atomic;
  }

  describe(error: PgError | null): string | undefined {
    const { running, fn } = this;
    let line = '';
    if (running !== null) {
      if (error !== null && error.fields.position !== undefined) {
        const { position, ...rest } = error.fields;
        error.fields = { ...rest, internalPosition: position + running.shift, internalQuery: running.text };
      } else {
        line = running.mode === 'statement' ? `SQL statement "${running.text}"\n` : running.mode === 'expr' ? `SQL expression "${running.text}"\n` : `PL/pgSQL assignment "${running.text}"\n`;
      }
    }
    const stmt = this.s < 0 ? undefined : fn.statements[this.s];
    const at = this.variableLine > 0 ? this.variableLine : stmt?.line ?? 0;
    if (this.phase !== null) {
      return `${line}PL/pgSQL function ${fn.signature}${at > 0 ? ` line ${at}` : ''} ${this.phase}`;
    }
    return `${line}PL/pgSQL function ${fn.signature}${stmt === undefined ? '' : ` line ${at} at ${statementName(stmt)}`}`;
  }

  /** Runs the function's code under its error context. */
  call<T>(work: () => T): T {
    return withErrorContext(this, work);
  }

  // ---- expressions

  /** The value of an expression, of the type its site wants; the values are those of site.refs. */
  eval(site: Site, values: readonly Datum[]): Datum {
    const p = this.prepared(site, values);
    if (p.run !== null) return p.run({ params: values, slots: NONE, exec: [] }) ?? null;
    return this.evalQuery(site, p, values);
  }

  prepared(site: Site, values: readonly Datum[]): Prepared {
    const p = site.prepared;
    if (p !== null && isCurrent(p, values)) return p;
    const mismatch = p !== null && p.run !== null ? p.binding.mismatch(values, this.fn) : null;
    if (mismatch !== null) throw mismatch;
    return this.doing(site, () => prepareExpression(site, values));
  }

  /** Something done to the text of a site: its errors point into it. */
  doing<T>(site: Site, work: () => T): T {
    this.running = site.running;
    const result = work();
    this.running = null;
    return result;
  }

  private evalQuery(site: Site, p: Prepared, values: readonly Datum[]): Datum {
    const rows: Datum[][] = [];
    let columns: readonly ResultColumn[] | null = null;
    this.doing(site, () => this.run(p.statement!, () => p.statement!.ready(values), {
      start(c) { columns = c; }, receive(row) { rows.push(row); return rows.length < 2; }, end() {},
    }));
    const where = { where: `query: ${site.expr.text}` };
    if (columns === null) throw new PgError('wrong_object_type', 'query did not return data', where);
    const { length } = columns as readonly ResultColumn[];
    if (length !== 1) throw new PgError('syntax_error', `query returned ${length} column${length === 1 ? '' : 's'}`, where);
    if (rows.length > 1) throw new PgError('cardinality_violation', 'query returned more than one row', where);
    const value = rows.length === 0 ? null : rows[0]![0]!;
    return p.cast === null ? value : p.cast(value);
  }

  // ---- statements

  /** Runs a statement: a volatile function sees the newest state, and what it did is seen afterwards. Rows that were processed. */
  run(statement: CachedStatement, ready: () => readonly Datum[], dest: DestReceiver): number {
    const { readOnly } = this.fn;
    if (readOnly) return this.runUnits(statement, ready(), dest);
    commandCounterIncrement();
    const saved = pushSnapshot();
    try {
      return this.runUnits(statement, ready(), dest);
    } finally {
      popSnapshot(saved);
      commandCounterIncrement();
    }
  }

  private runUnits(statement: CachedStatement, params: readonly Datum[], dest: DestReceiver): number {
    statement.lockTargets(true);
    const { units, slots } = statement; // what it calls may run the statement with others
    let processed = 0;
    for (let i = 0; i < units.length; i++) {
      const unit = units[i]!;
      if (i > 0) commandCounterIncrement();
      if (unit.plan === null) {
        if (unit.query.commandType === 'nothing') continue;
        processed += this.runUtility(statement, unit.query.utilityStmt as RawNode, params, dest);
        continue;
      }
      if (this.fn.readOnly) refuseChanges(unit.query);
      noteFirstSnapshot();
      const n = runPlan(unit.plan, params, unit.canSetTag ? dest : DISCARD, this.fn.readOnly && activeCommand.cid >= 0 ? { slots, cid: activeCommand.cid } : { slots }).processed;
      if (unit.canSetTag) processed += n;
    }
    return processed;
  }

  private runUtility(statement: CachedStatement, stmt: RawNode, params: readonly Datum[], dest: DestReceiver): number {
    if (stmt.tag === 'TransactionStmt' || (stmt.tag === 'CopyStmt' && stmt['filename'] === undefined)) this.running = null;
    if (stmt.tag === 'TransactionStmt') throw new PgError('feature_not_supported', 'unsupported transaction command in PL/pgSQL');
    if (stmt.tag === 'CopyStmt' && stmt['filename'] === undefined) {
      throw new PgError('feature_not_supported', 'cannot COPY to/from client in PL/pgSQL');
    }
    if (this.fn.readOnly && !READ_ONLY.has(stmt.tag)) throw notInReadOnly(createCommandTag(stmt));
    const context = { text: statement.text, statementText: statement.text, topLevel: false, params, paramTypes: statement.paramTypes, dest };
    const run = () => processUtility(stmt, context);
    return (OF_TABLES_ALONE.has(stmt.tag) ? withoutTransitionTables(run) : run()).processed ?? 0;
  }

  // ---- blocks with EXCEPTION

  /** Begins the block's subtransaction. */
  enter(): number {
    requireLocks();
    this.phase = 'during statement block entry';
    beginInternalSubTransaction();
    this.phase = null;
    return currentSubTransactionId();
  }

  /** The block is left without an error, in whatever way. */
  leave(subid: number): void {
    if (currentSubTransactionId() !== subid) return;
    this.phase = 'during statement block exit';
    releaseCurrentSubTransaction();
    this.phase = null;
  }

  /** An error ends the block: what it did is taken back. The error, if it may be handled. */
  caught(thrown: unknown): PgError {
    const error = thrown instanceof PgError ? thrown : isOurs(thrown) ? asPgError(thrown) : null;
    if (error !== null) addContext(error);
    rollbackAndReleaseCurrentSubTransaction();
    errorContext.top = this;
    this.running = null;
    this.phase = null;
    // The line of a variable whose default failed stays, as PostgreSQL's does.
    if (error === null || error.severity !== 'ERROR') throw thrown;
    return error;
  }

  matches(error: PgError, conditions: readonly PlCondition[]): boolean {
    return conditions.some((c) => (c.sqlstate === '' ? error.code !== '57014' && error.code !== 'P0004' : conditionMatches(c.sqlstate, error.code)));
  }
}

/** Whatever JavaScript itself throws: limits, and our own mistakes. Signals of the machinery (RetryStatement) go through. */
const isOurs = (thrown: unknown): boolean => thrown instanceof RangeError || thrown instanceof TypeError;


/** Utility statements that a non-volatile function may run. */
const READ_ONLY = new Set(['VariableShowStmt', 'ExplainStmt', 'FetchStmt', 'DeclareCursorStmt', 'ClosePortalStmt']);

/** Utility statements whose queries do not see transition tables. */
const OF_TABLES_ALONE = new Set(['ViewStmt', 'RuleStmt', 'CreateFunctionStmt', 'PrepareStmt', 'CopyStmt']);
