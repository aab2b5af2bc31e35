// A function made ready (plpgsql_compile): its arguments and result as variables, its body parsed. Kept by function and
// argument types as long as its row of pg_proc stays the same, and, where it mentions types of users, the catalogs.
import { PgError } from '../../../common/errors.ts';
import { formatProcedure } from '../../catalog/format_object.ts';
import { formatType } from '../../catalog/format_type.ts';
import { getBaseType, getType, typeIsRowtype } from '../../catalog/lsyscache.ts';
import type { PgProc } from '../../catalog/rows.ts';
import { enforceGenericTypeConsistency, isPolymorphic } from '../../parser/parse_generic.ts';
import type { Datum, Oid } from '../../types/datum.ts';
import { withErrorContext, type ErrorContext } from '../../utils/error_context.ts';
import { EVENT_TRIGGEROID, INT4ARRAYOID, INT4OID, INT4RANGEOID, INT4MULTIRANGEOID, NAMEOID, OIDOID, RECORDOID, TEXTARRAYOID, TEXTOID, TRIGGEROID, VOIDOID } from '../../types/oids.ts';
import { lookup, pushDatum, pushLabel } from './namespace.ts';
import type { BlockStmt, PlDatum, PlRec, PlRow, PlVar, Stmt, VariableConflict } from './nodes.ts';
import { boolType, type FunctionFacts, Parser, recordType } from './parser.ts';
import './statements.ts';
import { buildType } from './types.ts';
import type { Estate } from './estate.ts';

export interface PlFunction {
  readonly oid: Oid;
  /** As CONTEXT lines name it. */
  readonly signature: string;
  readonly proc: PgProc | null;
  readonly source: string;
  readonly args: readonly (PlVar | PlRec)[];
  readonly outParam: PlVar | PlRec | PlRow | null;
  readonly rettype: Oid;
  readonly retset: boolean;
  /** Its results are rows: of `rowType`, or records. */
  readonly returnsRows: boolean;
  readonly rowType: Oid;
  readonly isProcedure: boolean;
  readonly trigger: TriggerVariables | null;
  readonly eventTrigger: boolean;
  /** TG_EVENT and TG_TAG of an event trigger's function. */
  readonly eventValues: Readonly<Record<string, PlVar>>;
  readonly found: PlVar;
  readonly datums: readonly PlDatum[];
  readonly body: BlockStmt;
  readonly variableConflict: VariableConflict;
  readonly printStrictParams: boolean;
  readonly readOnly: boolean;
  readonly mayCommit: boolean;
  /** Statements by number, as the running code says where it is. */
  readonly statements: Stmt[];
  /** The generated function. */
  run: ((estate: Estate) => Datum) | null;
  calls: number;
  inUse: number;
}

export interface TriggerVariables { newRec: PlRec; oldRec: PlRec; values: Record<string, PlVar> }

export interface CompileRequest {
  proc: PgProc;
  argTypes: readonly Oid[];
  resultType: Oid;
  collation: Oid;
  kind: 'function' | 'trigger' | 'event_trigger';
  forValidator: boolean;
}

const POLYMORPHIC_STAND_INS: ReadonlyMap<Oid, Oid> = new Map([
  [2283, INT4OID], [2776, INT4OID], [5077, INT4OID], [5079, INT4OID], [3500, INT4OID], // anyelement, anynonarray, anycompatible, ...
  [2277, INT4ARRAYOID], [5078, INT4ARRAYOID], [3831, INT4RANGEOID], [5080, INT4RANGEOID], [4537, INT4MULTIRANGEOID], [4538, INT4MULTIRANGEOID],
]);

class CompileContext implements ErrorContext {
  outer: ErrorContext | null = null;
  parser: Parser | null = null;
  private readonly name: string;
  /** Errors with a place in the source will be shown in the statement it came with. */
  private readonly transposes: boolean;
  constructor(name: string, transposes: boolean) {
    this.name = name;
    this.transposes = transposes;
  }
  describe(error: PgError | null): string | undefined {
    if (this.transposes && error !== null && (error.fields.internalPosition ?? error.fields.position) !== undefined) return undefined;
    return `compilation of PL/pgSQL function "${this.name}" near line ${this.parser === null || this.parser.at === 0 ? 1 : this.parser.line(this.parser.tokens[this.parser.at - 1]!.start)}`;
  }
}

const invalid = (message: string, hint?: string): PgError => new PgError('invalid_function_definition', message, hint === undefined ? {} : { hint });

/** do_compile. */
export function compileFunction(request: CompileRequest): PlFunction {
  const { proc } = request;
  return withErrorContext(new CompileContext(proc.proname, request.forValidator), (context) => {
    const declared = proc.proargtypes;
    const all = proc.proallargtypes ?? declared;
    const modes = proc.proargmodes;
    const resolve = (type: Oid): Oid => resolvePolymorphic(type, request);
    const facts: FunctionFacts = { name: proc.proname, retset: proc.proretset, isVoid: false, isProcedure: proc.prokind === 'p', outParam: null, collation: request.collation, extraChecks: request.forValidator };
    const parser = context.parser = new Parser(proc.prosrc, facts, request.forValidator);
    parser.ns = pushLabel(null, proc.proname, 'block');
    const args: (PlVar | PlRec)[] = [];
    let trigger: TriggerVariables | null = null;
    const eventValues: Record<string, PlVar> = {};
    let rettype: Oid;
    if (request.kind !== 'function') {
      rettype = 0;
      if (declared.length > 0) {
        throw invalid(request.kind === 'trigger' ? 'trigger functions cannot have declared arguments' : 'event trigger functions cannot have declared arguments',
          request.kind === 'trigger' ? 'The arguments of the trigger can be accessed through TG_NARGS and TG_ARGV instead.' : undefined);
      }
      facts.retset = false;
      if (request.kind === 'trigger') trigger = triggerVariables(parser);
      else for (const name of ['tg_event', 'tg_tag']) eventValues[name] = parser.addVariable(name, 0, buildType(TEXTOID), true) as PlVar;
      if (request.kind === 'event_trigger') facts.isVoid = true;
    } else {
      const outs: (PlVar | PlRec)[] = [];
      all.forEach((declaredType, i) => {
        const type = buildType(resolve(declaredType), -1, request.collation);
        if (type.kind === 'pseudo') throw new PgError('feature_not_supported', `PL/pgSQL functions cannot accept type ${formatType(type.oid)}`);
        const mode = modes?.[i] ?? 'i';
        const name = proc.proargnames?.[i] ?? '';
        const variable = parser.addVariable(name === '' ? `$${i + 1}` : name, 0, type, false);
        if ('ibv'.includes(mode)) args.push(variable);
        if ('obt'.includes(mode)) outs.push(variable);
        addParameterName(parser, `$${i + 1}`, variable);
        if (name !== '') addParameterName(parser, name, variable);
      });
      if (outs.length > 1 || (outs.length === 1 && facts.isProcedure)) facts.outParam = parser.addRow('(unnamed row)', 0, outs, outs.map((o) => o.name));
      else if (outs.length === 1) facts.outParam = outs[0]!;
      rettype = isPolymorphic(proc.prorettype) ? (request.forValidator || request.resultType === 0 ? resolve(proc.prorettype) : request.resultType) : proc.prorettype;
      checkResultType(rettype);
      facts.isVoid = rettype === VOIDOID;
      if (isPolymorphic(proc.prorettype) && outs.length === 0) parser.addVariable('$0', 0, buildType(rettype, -1, request.collation), true);
    }
    return finish(parser, facts, {
      oid: proc.oid, signature: formatProcedure(proc.oid), proc, args, rettype, trigger, eventTrigger: request.kind === 'event_trigger', eventValues,
      readOnly: proc.provolatile !== 'v',
    });
  });
}


function checkResultType(rettype: Oid): void {
  if (getType(rettype).typtype !== 'p' || rettype === VOIDOID || rettype === RECORDOID) return;
  if (rettype === TRIGGEROID || rettype === EVENT_TRIGGEROID) throw new PgError('feature_not_supported', 'trigger functions can only be called as triggers');
  throw new PgError('feature_not_supported', `PL/pgSQL functions cannot return type ${formatType(rettype)}`);
}

function resolvePolymorphic(type: Oid, request: CompileRequest): Oid {
  if (!isPolymorphic(type)) return type;
  if (request.forValidator) return POLYMORPHIC_STAND_INS.get(type) ?? INT4OID;
  const declared = request.proc.proargtypes;
  const i = declared.indexOf(type);
  // A polymorphic argument is of the type it was given; for others it follows from the arguments.
  if (i >= 0 && request.argTypes[i] !== undefined && !isPolymorphic(request.argTypes[i]!) && type !== 5077 && type !== 5078 && type !== 5079 && type !== 5080 && type !== 4538) return getBaseIfArray(type, request.argTypes[i]!);
  return enforceGenericTypeConsistency(request.argTypes, declared.slice(), type, false);
}

/** A domain over an array is taken as the array where an array is declared. */
const getBaseIfArray = (declared: Oid, actual: Oid): Oid => (declared === 2277 || declared === 3831 || declared === 4537 ? getBaseType(actual) : actual);

function addParameterName(parser: Parser, name: string, variable: PlVar | PlRec): void {
  if (lookup(parser.ns, true, name) !== null) throw invalid(`parameter name "${name}" used more than once`);
  parser.ns = pushDatum(parser.ns, name, variable);
}

function triggerVariables(parser: Parser): TriggerVariables {
  const record = (name: string): PlRec => parser.addVariable(name, 0, recordType(), true) as PlRec;
  const newRec = record('new'), oldRec = record('old');
  const values: Record<string, PlVar> = {};
  const types: Record<string, Oid> = {
    tg_name: NAMEOID, tg_when: TEXTOID, tg_level: TEXTOID, tg_op: TEXTOID, tg_relid: OIDOID, tg_relname: NAMEOID, tg_table_name: NAMEOID,
    tg_table_schema: NAMEOID, tg_nargs: INT4OID, tg_argv: TEXTARRAYOID,
  };
  for (const [name, type] of Object.entries(types)) values[name] = parser.addVariable(name, 0, buildType(type), true) as PlVar;
  return { newRec, oldRec, values };
}

interface Rest { oid: Oid; signature: string; proc: PgProc | null; args: (PlVar | PlRec)[]; rettype: Oid; trigger: TriggerVariables | null; eventTrigger: boolean; eventValues: Record<string, PlVar>; readOnly: boolean }

function finish(parser: Parser, facts: FunctionFacts, rest: Rest): PlFunction {
  const found = parser.addVariable('found', 0, boolType(), true) as PlVar;
  const body = parser.parseFunction();
  return {
    ...rest, returnsRows: rest.rettype !== 0 && typeIsRowtype(rest.rettype), rowType: rest.rettype === 0 ? 0 : getBaseType(rest.rettype), source: parser.source, outParam: facts.outParam, retset: facts.retset, isProcedure: facts.isProcedure, found, datums: parser.datums, body,
    variableConflict: parser.variableConflict, printStrictParams: parser.printStrictParams, mayCommit: parser.mayCommit,
    statements: [], run: null, calls: 0, inUse: 0,
  };
}

/** DO (plpgsql_compile_inline). */
export function compileInline(source: string): PlFunction {
  return withErrorContext(new CompileContext('inline_code_block', true), (context) => {
    const facts: FunctionFacts = { name: 'inline_code_block', retset: false, isVoid: true, isProcedure: false, outParam: null, collation: 0, extraChecks: false };
    const parser = context.parser = new Parser(source, facts, true);
    parser.ns = pushLabel(null, 'inline_code_block', 'block');
    return finish(parser, facts, { oid: 0, signature: 'inline_code_block', proc: null, args: [], rettype: VOIDOID, trigger: null, eventTrigger: false, eventValues: {}, readOnly: false });
  });
}
