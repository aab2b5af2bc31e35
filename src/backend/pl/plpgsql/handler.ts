// The language: calls of functions, of triggers, DO blocks, and what CREATE FUNCTION checks (pl_handler.c).
import { PgError, internalError } from '../../../common/errors.ts';
import type { PgProc } from '../../catalog/rows.ts';
import * as sys from '../../catalog/syscache.ts';
import type { EventTriggerData, TriggerData, TriggerResult } from '../../commands/trigger_data.ts';
import { withFunctionSettings } from '../../executor/functions.ts';
import { takeNonatomic } from '../../executor/procedure_call.ts';
import { isPolymorphic } from '../../parser/parse_generic.ts';
import { formatType } from '../../catalog/format_type.ts';
import { forgetPortalNames } from '../../tcop/portal.ts';
import { catalogVersion } from '../../transaction/xact.ts';
import { ArrayValue, RecordValue, type Datum, type Oid, type RecordAttribute } from '../../types/datum.ts';
import type { BuiltinFunction, FunctionContext } from '../../types/fmgr.ts';
import { EVENT_TRIGGEROID, RECORDOID, TEXTOID, TRIGGEROID, VOIDOID } from '../../types/oids.ts';
import { checkWhileWorking } from '../../utils/interrupts.ts';
import { tracked } from '../../utils/pgstat.ts';
import { hideTransitionTables, showTransitionTables, withoutTransitionTables } from '../../parser/query_environment.ts';
import { settings } from '../../utils/settings.ts';
import { addContext, errorContext } from '../../utils/error_context.ts';
import { compileBody } from './codegen.ts';
import { Estate } from './estate.ts';
import { forgetDynamicStatements } from './exec_sql.ts';
import { compileFunction, compileInline, type PlFunction } from './function.ts';
import { convertByPosition, rowTypeAttributes } from './records.ts';
import { atExit, finishRow } from './results.ts';
import { buildType } from './types.ts';

interface Kept { fn: PlFunction; proc: PgProc; version: number }

const kept = new Map<string, Kept>();
const MAX_KEPT = 1000;
/** So many calls make it worth while to put all expressions in place. */
const MANY_CALLS = 8;

/** What a session has learnt is forgotten. */
export function forgetFunctions(): void {
  kept.clear();
  forgetDynamicStatements();
  forgetPortalNames();
}

function sameProc(a: PgProc, b: PgProc): boolean {
  return a.prosrc === b.prosrc && a.prorettype === b.prorettype && a.proname === b.proname && a.provolatile === b.provolatile && a.proretset === b.proretset
    && a.pronamespace === b.pronamespace && String(a.proargtypes) === String(b.proargtypes) && String(a.proallargtypes) === String(b.proallargtypes)
    && String(a.proargmodes) === String(b.proargmodes) && String(a.proargnames) === String(b.proargnames);
}

const FIRST_NORMAL_OID = 16384;

/** Whether the function rests on types that somebody can change. */
const usesOwnTypes = (fn: PlFunction): boolean =>
  fn.rettype >= FIRST_NORMAL_OID || fn.datums.some((d) => (d.kind === 'var' || d.kind === 'rec') && d.type.oid >= FIRST_NORMAL_OID) || /%\s*(?:row)?type/i.test(fn.source);

function functionOf(proc: PgProc, argTypes: readonly Oid[], resultType: Oid, collation: Oid, trigger: TriggerData | null, isEvent = false): PlFunction {
  const generic = proc.proargtypes.some(isPolymorphic) || isPolymorphic(proc.prorettype) || (proc.proallargtypes ?? []).some(isPolymorphic);
  const key = isEvent ? `${proc.oid}/e` : trigger !== null ? `${proc.oid}/t${trigger.relation.oid}/${trigger.oid}` : generic ? `${proc.oid}/${argTypes.join()}/${resultType}/${collation}` : `${proc.oid}/${collation}`;
  const version = catalogVersion();
  const known = kept.get(key);
  if (known !== undefined) {
    if (known.version === version) return known.fn;
    const current = sys.procByOid(proc.oid);
    if (current !== undefined && sameProc(current, known.proc) && !usesOwnTypes(known.fn) && trigger === null) {
      known.version = version;
      return known.fn;
    }
  }
  const now = sys.procByOid(proc.oid);
  if (now === undefined) throw internalError(`cache lookup failed for function ${proc.oid}`);
  const fn = compileFunction({ proc: now, argTypes, resultType, collation, kind: isEvent ? 'event_trigger' : trigger === null ? 'function' : 'trigger', forValidator: false });
  if (trigger !== null) typeTriggerRows(fn, trigger);
  if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value!);
  kept.set(key, { fn, proc: now, version: catalogVersion() });
  return fn;
}

/** NEW and OLD are rows of the trigger's table. */
function typeTriggerRows(fn: PlFunction, trigger: TriggerData): void {
  const type = sys.classByOid(trigger.relation.oid)?.reltype ?? 0;
  if (type === 0) return;
  for (const rec of [fn.trigger!.newRec, fn.trigger!.oldRec]) rec.type = buildType(type);
}

function codeOf(fn: PlFunction): NonNullable<PlFunction['run']> {
  checkWhileWorking(2); // one that calls itself has no loop
  fn.calls++;
  if (fn.run === null || fn.calls === MANY_CALLS) fn.run = compileBody(fn, fn.calls >= MANY_CALLS);
  return fn.run;
}

function run(fn: PlFunction, estate: Estate): Datum {
  return estate.call(() => codeOf(fn)(estate));
}

/** The columns of the rows a function returns; null: it returns none, or any. */
function expectedColumns(fn: PlFunction, context: FunctionContext): readonly RecordAttribute[] | null {
  if (!fn.returnsRows) return null;
  if (fn.rowType !== RECORDOID) return rowTypeAttributes(fn.rowType);
  if (context.resultAttributes !== undefined) return context.resultAttributes;
  if (fn.outParam?.kind === 'row') {
    return fn.outParam.fields.map((f, i) => {
      const { type } = f as Extract<PlFunction['args'][number], { kind: 'var' }>;
      return { name: fn.outParam!.kind === 'row' ? fn.outParam!.fieldNames[i]! : '', typeOid: type.oid, typmod: -1, collation: type.collation, dropped: false };
    });
  }
  return null;
}

type Called = Estate & { value: Datum };

function callFunction(proc: PgProc, context: FunctionContext, args: readonly Datum[]): Called {
  const atomic = !takeNonatomic();
  if (settings.track_functions !== 'none') return tracked(proc.oid, () => callSettled(proc, context, args, atomic));
  if (!proc.prosecdef && proc.proconfig === null) return callWith(proc, context, args, atomic);
  return withFunctionSettings(proc, () => callWith(proc, context, args, true));
}

const callSettled = (proc: PgProc, context: FunctionContext, args: readonly Datum[], atomic: boolean): Called =>
  withFunctionSettings(proc, () => callWith(proc, context, args, atomic || proc.prosecdef || proc.proconfig !== null));

/** Few frames of JavaScript to a call: functions call themselves, deeply. */
function callWith(proc: PgProc, context: FunctionContext, args: readonly Datum[], atomic: boolean): Called {
  const fn = functionFor(proc, context);
  const estate = new Estate(fn, context, null, atomic) as Called;
  if (fn.returnsRows) estate.expected = expectedColumns(fn, context);
  estate.outer = errorContext.top;
  errorContext.top = estate;
  const hidden = hideTransitionTables();
  try {
    estate.args = args;
    const value = codeOf(fn)(estate);
    estate.value = fn.returnsRows && value instanceof RecordValue ? finishRow(estate, value) : value;
    return estate;
  } catch (error) {
    addContext(error);
    throw error;
  } finally {
    showTransitionTables(hidden);
    errorContext.top = estate.outer;
  }
}

/** A call site remembers what it called as long as the catalogs stay the same. */
function functionFor(proc: PgProc, context: FunctionContext): PlFunction {
  const known = context.extra as { fn: PlFunction; version: number } | undefined;
  const version = catalogVersion();
  if (known !== undefined && known.version === version) return known.fn;
  const fn = functionOf(proc, context.argTypes, context.resultType, context.collation, null);
  context.extra = { fn, version: catalogVersion() };
  return fn;
}

// ---- triggers

const RETURNED_ROW = 'returned row structure does not match the structure of the triggering table';

function callTrigger(proc: PgProc, trigger: TriggerData): TriggerResult {
  takeNonatomic();
  return settings.track_functions === 'none' ? callSettledTrigger(proc, trigger) : tracked(proc.oid, () => callSettledTrigger(proc, trigger));
}

function callSettledTrigger(proc: PgProc, trigger: TriggerData): TriggerResult {
  return withFunctionSettings(proc, () => {
    const fn = functionOf(proc, [], 0, 0, trigger);
    const estate = new Estate(fn, null, trigger, true);
    const type = fn.trigger!.newRec.type.oid;
    const attributes = type === RECORDOID ? [] : rowTypeAttributes(type);
    const record = (row: readonly Datum[] | null): RecordValue | null => (row === null ? null : new RecordValue(type, attributes, row));
    const newRow = trigger.newRow !== null && trigger.when === 'BEFORE' && trigger.op === 'UPDATE' ? withoutGenerated(trigger) : trigger.newRow;
    estate.newRow = record(newRow);
    estate.oldRow = record(trigger.oldRow);
    estate.triggerValues = triggerValues(trigger);
    const value = run(fn, estate);
    if (trigger.level === 'STATEMENT' || value === null) return null;
    if (value === estate.newRow && newRow === trigger.newRow) return trigger.newRow;
    atExit(estate);
    const row = estate.call(() => convertByPosition(value as RecordValue, type, attributes, RETURNED_ROW));
    return row.values;
  });
}

function callEventTrigger(proc: PgProc, data: EventTriggerData): Datum {
  takeNonatomic();
  return withFunctionSettings(proc, () => {
    const estate = new Estate(functionOf(proc, [], 0, 0, null, true), null, null, true);
    estate.triggerValues = { tg_event: data.event, tg_tag: data.tag };
    run(estate.fn, estate);
    return null;
  });
}

/** Stored generated columns are computed later: before, they are NULL. */
function withoutGenerated(trigger: TriggerData): readonly Datum[] {
  const row = trigger.newRow!;
  const { attributes } = trigger.relation;
  if (!attributes.some((a) => a.attgenerated === 's')) return row;
  return row.map((v, i) => (attributes[i]?.attgenerated === 's' ? null : v));
}

function triggerValues(t: TriggerData): Readonly<Record<string, Datum>> {
  const relation = sys.classByOid(t.relation.oid);
  const name = relation?.relname ?? t.relation.name;
  const schema = relation === undefined ? '' : sys.namespaceByOid(relation.relnamespace)?.nspname ?? '';
  return {
    tg_name: t.name, tg_when: t.when, tg_level: t.level, tg_op: t.op, tg_relid: t.relation.oid, tg_relname: name, tg_table_name: name, tg_table_schema: schema,
    // TG_ARGV counts from 0.
    tg_nargs: t.argv.length, tg_argv: t.argv.length === 0 ? null : new ArrayValue(TEXTOID, [t.argv.length], [0], t.argv),
  };
}

// ---- the language

export function makeFunction(proc: PgProc): BuiltinFunction {
  if (proc.prorettype === TRIGGEROID) {
    return {
      kind: 'context',
      fn: (context) => {
        const trigger = (context as { trigger?: TriggerData }).trigger;
        if (trigger === undefined) {
          callFunction(proc, context, []); // says so
          return null;
        }
        return callTrigger(proc, trigger) as unknown as Datum;
      },
    };
  }
  if (proc.prorettype === EVENT_TRIGGEROID) {
    return {
      kind: 'context',
      fn: (context) => {
        const data = (context as { eventTrigger?: EventTriggerData }).eventTrigger;
        if (data === undefined) return callFunction(proc, context, []).value; // says so
        return callEventTrigger(proc, data);
      },
    };
  }
  if (proc.proretset) return { kind: 'set', fn: (context, ...args) => callFunction(proc, context, args).results };
  return { kind: 'context', fn: (context, ...args) => callFunction(proc, context, args).value };
}

/** DO (plpgsql_inline_handler). */
export function runInline(source: string, nonatomic: boolean, compiling: <T>(compile: () => T) => T): void {
  const fn = compiling(() => compileInline(source));
  const estate = new Estate(fn, null, null, !nonatomic);
  withoutTransitionTables(() => run(fn, estate));
}

/** What CREATE FUNCTION checks (plpgsql_validator). */
export function validate(proc: PgProc, checkBody: boolean): void {
  const type = sys.typeByOid(proc.prorettype);
  let kind: 'function' | 'trigger' | 'event_trigger' = 'function';
  if (type?.typtype === 'p') {
    if (proc.prorettype === TRIGGEROID) kind = 'trigger';
    else if (proc.prorettype === EVENT_TRIGGEROID) kind = 'event_trigger';
    else if (proc.prorettype !== RECORDOID && proc.prorettype !== VOIDOID && !isPolymorphic(proc.prorettype)) {
      throw new PgError('feature_not_supported', `PL/pgSQL functions cannot return type ${formatType(proc.prorettype)}`);
    }
  }
  const inputs = proc.proallargtypes ?? proc.proargtypes;
  for (const arg of inputs) {
    if (sys.typeByOid(arg)?.typtype === 'p' && arg !== RECORDOID && !isPolymorphic(arg)) throw new PgError('feature_not_supported', `PL/pgSQL functions cannot accept type ${formatType(arg)}`);
  }
  if (!checkBody) return;
  compileFunction({ proc, argTypes: proc.proargtypes, resultType: 0, collation: 0, kind, forValidator: true });
}
