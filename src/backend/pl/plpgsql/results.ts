// Values with their types, and what RETURN makes of them.
import { PgError } from '../../../common/errors.ts';
import { RecordValue, type Datum, type Oid } from '../../types/datum.ts';
import { TEXTOID, UNKNOWNOID } from '../../types/oids.ts';
import { typeIsRowtype } from '../../catalog/lsyscache.ts';
import { castValue, needsCast } from './casts.ts';
import type { Estate } from './estate.ts';
import { dynamicStatements, returnQuery, running } from './exec_sql.ts';
import { type Site, statementOf } from './expression.ts';
import { toText } from './messages.ts';
import { convertByPosition } from './records.ts';

export interface Typed { readonly value: Datum; readonly type: Oid; readonly typmod: number; /** As a parameter of SQL: unknown is text. */ readonly paramType: Oid }

export function evalTyped(rt: Estate, site: Site, values: readonly Datum[]): Typed {
  const p = rt.prepared(site, values);
  const value = rt.eval(site, values);
  return { value, type: p.type, typmod: p.typmod, paramType: p.type === UNKNOWNOID ? TEXTOID : p.type };
}

export function evalText(rt: Estate, site: Site, values: readonly Datum[]): string | null {
  const { value, type } = evalTyped(rt, site, values);
  return value === null ? null : toText(value, type);
}


/** The result of a function that returns rows, or of a trigger function, which makes of it what it needs. */
export function returnRow(_rt: Estate, value: Datum, type: Oid): Datum {
  if (value === null) return null;
  if (!typeIsRowtype(type) || !(value instanceof RecordValue)) {
    throw new PgError('datatype_mismatch', 'cannot return non-composite value from function returning composite type');
  }
  return value;
}

/** For CONTEXT: the function is over. */
export function atExit(rt: Estate): void {
  rt.s = -1;
  rt.phase = 'during function exit';
}

export function returnScalar(rt: Estate, value: Datum, type: Oid, typmod: number): Datum {
  const { rettype } = rt.fn;
  if (!needsCast(type, typmod, rettype, -1)) return value;
  const { s } = rt;
  rt.s = -1;
  rt.phase = 'while casting return value to function\'s return type';
  const result = castValue(value, type, typmod, rettype, -1);
  rt.phase = null;
  rt.s = s;
  return result;
}

/** The function's row, made of the declared type (coerce_function_result_tuple). */
export function finishRow(rt: Estate, value: RecordValue): Datum {
  const { rettype, rowType } = rt.fn;
  rt.s = -1;
  rt.phase = 'while casting return value to function\'s return type';
  if (rettype !== rowType) {
    return castValue(convertByPosition(value, rowType, rt.expected!, 'returned record type does not match expected record type'), rowType, -1, rettype, -1);
  }
  if (rt.expected === null) return value;
  return convertByPosition(value, rowType, rt.expected, 'returned record type does not match expected record type');
}

/** Rows go where their columns are known (exec_init_tuple_store): a record without OUT parameters has none in a select list. */
function requireColumns(rt: Estate): void {
  if (rt.fn.returnsRows && rt.expected === null) throw new PgError('feature_not_supported', 'materialize mode required, but it is not allowed in this context');
}

/** RETURN NEXT (exec_stmt_return_next). */
export function returnNext(rt: Estate, value: Datum, type: Oid, typmod: number, fromVariable: boolean): void {
  const { fn, expected } = rt;
  requireColumns(rt);
  if (!fn.returnsRows) {
    rt.results.push(castValue(value, type, typmod, fn.rettype, -1));
    return;
  }
  if (value === null) {
    rt.results.push(expected === null ? null : new RecordValue(fn.rowType, expected, expected.map(() => null)));
    return;
  }
  if (!(value instanceof RecordValue)) {
    if (typeIsRowtype(type)) throw new PgError('datatype_mismatch', 'wrong record type supplied in RETURN NEXT');
    if (expected !== null && expected.length === 1) {
      rt.results.push(new RecordValue(fn.rowType, expected, [castValue(value, type, typmod, expected[0]!.typeOid, expected[0]!.typmod)]));
      return;
    }
    throw new PgError('datatype_mismatch', 'cannot return non-composite value from function returning composite type');
  }
  rt.results.push(expected === null ? value : convertByPosition(value, fn.rowType, expected,
    fromVariable ? 'wrong record type supplied in RETURN NEXT' : 'returned record type does not match expected record type'));
}

export function returnStaticQuery(rt: Estate, site: Site, values: readonly Datum[]): boolean {
  requireColumns(rt);
  const statement = site.statement ?? rt.doing(site, () => statementOf(site));
  return returnQuery(rt, statement, () => statement.ready(values), site.running);
}

export function returnDynamicQuery(rt: Estate, text: string, values: readonly Datum[], types: readonly Oid[]): boolean {
  requireColumns(rt);
  rt.running = running(text);
  const statements = dynamicStatements(text, types);
  if (statements.length === 0) {
    rt.running = null;
    throw new PgError('syntax_error', 'empty query does not return tuples');
  }
  const before = rt.results.length;
  let found = false;
  for (const statement of statements) {
    found = returnQuery(rt, statement, () => {
      statement.revalidate();
      return values;
    }, running(text), before);
  }
  return found;
}
