// The options of CREATE and ALTER SEQUENCE and of identity columns, checked (init_params of PostgreSQL's sequence.c).
import { PgError } from '../../common/errors.ts';
import { INT2OID, INT4OID, INT8OID } from '../catalog/oids.ts';
import { makeParseState, parserError } from '../parser/parse_node.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { typenameTypeId } from '../parser/parse_type.ts';
import { formatType } from '../parser/parse_type.ts';
import type { Oid } from '../types/datum.ts';
import { INT8_MAX, INT8_MIN } from '../types/datum.ts';
import { errorConflictingDefElem } from './def_elem.ts';

export interface SequenceForm {
  typeOid: Oid; start: bigint; increment: bigint; max: bigint; min: bigint; cache: bigint; cycle: boolean;
}
export interface SequenceOptionsResult {
  form: SequenceForm;
  /** The new state, or null when the old one stays. */
  restart: { lastValue: bigint; isCalled: boolean } | null;
  /** OWNED BY's names; null: not given; ['none']. */
  ownedBy: string[] | null;
  /** Something but OWNED BY was said. */
  changed: boolean;
}

const LIMITS: Record<number, { min: bigint; max: bigint }> = {
  [INT2OID]: { min: -32768n, max: 32767n }, [INT4OID]: { min: -2147483648n, max: 2147483647n }, [INT8OID]: { min: INT8_MIN, max: INT8_MAX },
};

function integer(option: RawNode): bigint {
  const arg = option['arg'];
  const text = typeof arg === 'object' && arg !== null ? String(arg.fval ?? arg.value ?? arg.ival ?? '') : String(arg ?? 0);
  if (!/^[-+]?\d+$/.test(text)) throw new PgError('syntax_error', `${option['defname']} requires a numeric value`);
  const value = BigInt(text);
  if (value < INT8_MIN || value > INT8_MAX) throw new PgError('numeric_value_out_of_range', `value "${text}" is out of range for type bigint`);
  return value;
}

const truth = (option: RawNode): boolean => (typeof option['arg'] === 'object' ? Boolean(option['arg']?.boolval) : Boolean(option['arg']));
const invalid = (message: string): PgError => new PgError('invalid_parameter_value', message);

/** `old`: ALTER SEQUENCE. `defaultType`: of an identity or serial column. */
export function sequenceOptions(list: readonly RawNode[], forIdentity: boolean, old: { form: SequenceForm; lastValue: bigint; isCalled: boolean } | null,
  defaultType: Oid = INT8OID, text = ''): SequenceOptionsResult {
  const source = makeParseState(text);
  const given = new Map<string, RawNode>();
  for (const option of list) {
    if (given.has(option['defname'] as string)) throw errorConflictingDefElem(option, text);
    given.set(option['defname'] as string, option);
  }
  const ownedBy = given.get('owned_by')?.['arg'] as string[] | undefined ?? null;
  given.delete('owned_by');
  const changed = given.size > 0;
  const form: SequenceForm = old !== null ? { ...old.form }
    : { typeOid: defaultType, start: 0n, increment: 1n, max: 0n, min: 0n, cache: 1n, cycle: false };
  const take = (name: string): RawNode | undefined => { const option = given.get(name); given.delete(name); return option; };

  let resetMax = false;
  let resetMin = false;
  const as = take('as'), type = as === undefined ? form.typeOid : typenameTypeId(source, as['arg'] as RawNode);
  if (LIMITS[type] === undefined) {
    throw invalid(forIdentity ? 'identity column type must be smallint, integer, or bigint' : 'sequence type must be smallint, integer, or bigint');
  }
  if (as !== undefined) {
    if (old !== null) {
      // Bounds that were the old type's own become the new type's.
      const limits = LIMITS[old.form.typeOid]!;
      resetMax = old.form.max === limits.max;
      resetMin = old.form.min === limits.min;
    }
    form.typeOid = type;
  }
  const limits = LIMITS[form.typeOid]!;
  const increment = take('increment');
  if (increment !== undefined) {
    form.increment = integer(increment);
    if (form.increment === 0n) throw invalid('INCREMENT must not be zero');
  }
  const cycle = take('cycle');
  if (cycle !== undefined) form.cycle = truth(cycle);
  const max = take('maxvalue');
  if (max !== undefined && max['arg'] !== undefined) form.max = integer(max);
  else if (max !== undefined || resetMax || old === null) form.max = form.increment > 0n || resetMax ? limits.max : -1n;
  if (form.max < limits.min || form.max > limits.max) throw invalid(`MAXVALUE (${form.max}) is out of range for sequence data type ${formatType(form.typeOid)}`);
  const min = take('minvalue');
  if (min !== undefined && min['arg'] !== undefined) form.min = integer(min);
  else if (min !== undefined || resetMin || old === null) form.min = form.increment < 0n || resetMin ? limits.min : 1n;
  if (form.min < limits.min || form.min > limits.max) throw invalid(`MINVALUE (${form.min}) is out of range for sequence data type ${formatType(form.typeOid)}`);
  if (form.min >= form.max) throw invalid(`MINVALUE (${form.min}) must be less than MAXVALUE (${form.max})`);
  const start = take('start');
  if (start !== undefined) form.start = integer(start);
  else if (old === null) form.start = form.increment > 0n ? form.min : form.max;
  if (form.start < form.min) throw invalid(`START value (${form.start}) cannot be less than MINVALUE (${form.min})`);
  if (form.start > form.max) throw invalid(`START value (${form.start}) cannot be greater than MAXVALUE (${form.max})`);
  const restart = take('restart');
  let state: { lastValue: bigint; isCalled: boolean } | null = old === null ? { lastValue: form.start, isCalled: false } : null;
  if (restart !== undefined) state = { lastValue: restart['arg'] !== undefined ? integer(restart) : form.start, isCalled: false };
  const current = state?.lastValue ?? old!.lastValue;
  if (current < form.min) throw invalid(`RESTART value (${current}) cannot be less than MINVALUE (${form.min})`);
  if (current > form.max) throw invalid(`RESTART value (${current}) cannot be greater than MAXVALUE (${form.max})`);
  const cache = take('cache');
  if (cache !== undefined) {
    form.cache = integer(cache);
    if (form.cache <= 0n) throw invalid(`CACHE (${form.cache}) must be greater than zero`);
  }
  take('logged'); // pg_upgrade's
  const named = given.get('sequence_name');
  if (named !== undefined) throw parserError(source, 'syntax_error', 'invalid sequence option SEQUENCE NAME', named.location);
  for (const name of given.keys()) throw new PgError('internal_error', `option "${name}" not recognized`);
  return { form, restart: state, ownedBy, changed };
}
