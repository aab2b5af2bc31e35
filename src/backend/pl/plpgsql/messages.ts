// RAISE, ASSERT and GET DIAGNOSTICS.
import { PgError, type ErrorFields } from '../../../common/errors.ts';
import { outputFunction } from '../../executor/fmgr_info.ts';
import { type Datum, type Oid } from '../../types/datum.ts';
import { contextLines } from '../../utils/error_context.ts';
import { shouldLog, shouldSendToClient } from '../../utils/elog.ts';
import { session } from '../../utils/session.ts';
import { conditionOf, sqlstateOf } from './conditions.ts';
import type { Estate } from './estate.ts';
import type { RaiseOption, RaiseStmt } from './nodes.ts';

/** An error with a SQLSTATE of the user's choice. */
class RaisedError extends PgError {
  private readonly sqlstate: string;
  constructor(sqlstate: string, message: string, fields: ErrorFields) {
    super(conditionOf(sqlstate) ?? 'raise_exception', message, fields);
    this.sqlstate = sqlstate;
  }
  override get code(): string { return this.sqlstate; }
}

export const toText = (value: Datum, type: Oid): string => outputFunction(type)(value);

const OPTION_NAMES: Readonly<Record<RaiseOption, string>> = {
  errcode: 'ERRCODE', message: 'MESSAGE', detail: 'DETAIL', hint: 'HINT', column: 'COLUMN', constraint: 'CONSTRAINT', datatype: 'DATATYPE', table: 'TABLE', schema: 'SCHEMA',
};
const FIELDS: Readonly<Partial<Record<RaiseOption, 'detail' | 'hint' | 'column' | 'constraint' | 'dataType' | 'table' | 'schema'>>> = {
  detail: 'detail', hint: 'hint', column: 'column', constraint: 'constraint', datatype: 'dataType', table: 'table', schema: 'schema',
};

/** RAISE; parameters and options come as text, null for NULL. */
export function raise(rt: Estate, stmt: RaiseStmt, params: readonly (string | null)[], options: readonly (string | null)[]): void {
  if (stmt.condition === null && stmt.message === null && stmt.options.length === 0) {
    if (rt.error !== null) throw rt.error;
    throw new PgError('stacked_diagnostics_accessed_without_active_handler', 'RAISE without parameters cannot be used outside an exception handler');
  }
  let code: string | null = null, conditionName: string | null = null;
  if (stmt.condition !== null) {
    code = /^[0-9A-Z]{5}$/.test(stmt.condition) && sqlstateOf(stmt.condition) === undefined ? stmt.condition : sqlstateOf(stmt.condition)!;
    conditionName = stmt.condition;
  }
  let message: string | null = stmt.message === null ? null : format(stmt.message, params);
  const fields: ErrorFields = {};
  const seen = new Set<RaiseOption>();
  if (message !== null) seen.add('message');
  stmt.options.forEach(({ option }, i) => {
    const value = options[i]!;
    if (value === null) throw new PgError('null_value_not_allowed', 'RAISE statement option cannot be null');
    const again = (): PgError => new PgError('syntax_error', `RAISE option already specified: ${OPTION_NAMES[option]}`);
    if (option === 'errcode') {
      if (code !== null) throw again();
      code = errcode(value);
      conditionName = value;
      return;
    }
    if (seen.has(option)) throw again();
    seen.add(option);
    if (option === 'message') message = value;
    else fields[FIELDS[option]!] = value;
  });
  if (stmt.level !== 'ERROR' && !shouldLog(stmt.level) && !shouldSendToClient(stmt.level)) return;
  if ((code === null || code === '00000') && stmt.level === 'ERROR') code = 'P0001';
  message ??= conditionName ?? (code === null ? null : code);
  const error = new RaisedError(code ?? (stmt.level === 'WARNING' ? '01000' : '00000'), message ?? '', fields);
  error.severity = stmt.level;
  if (stmt.level === 'ERROR') throw error;
  session.notice(error);
}

/** A SQLSTATE as such, or the name of a condition (plpgsql_recognize_err_condition). */
function errcode(text: string): string {
  if (/^[0-9A-Z]{5}$/.test(text)) return text;
  const code = sqlstateOf(text);
  if (code === undefined) throw new PgError('undefined_object', `unrecognized exception condition "${text}"`);
  return code;
}

function format(message: string, params: readonly (string | null)[]): string {
  let n = 0;
  return message.replace(/%%|%/g, (sign) => (sign === '%%' ? '%' : params[n++] ?? '<NULL>'));
}

/** GET [STACKED] DIAGNOSTICS: an item's value; numbers as numbers. */
export function diagnostic(rt: Estate, item: string): Datum {
  switch (item) {
    case 'row_count': return rt.processed;
    case 'pg_context': return contextLines(null);
    default:
  }
  const { error } = rt;
  if (error === null) throw withoutHandler();
  switch (item) {
    case 'returned_sqlstate': return error.code;
    case 'message_text': return error.message;
    case 'pg_exception_detail': return error.fields.detail ?? '';
    case 'pg_exception_hint': return error.fields.hint ?? '';
    case 'pg_exception_context': return error.fields.where ?? '';
    case 'column_name': return error.fields.column ?? '';
    case 'constraint_name': return error.fields.constraint ?? '';
    case 'pg_datatype_name': return error.fields.dataType ?? '';
    case 'table_name': return error.fields.table ?? '';
    default: return error.fields.schema ?? '';
  }
}

const withoutHandler = (): PgError =>
  new PgError('stacked_diagnostics_accessed_without_active_handler', 'GET STACKED DIAGNOSTICS cannot be used outside an exception handler');

export function needHandler(rt: Estate): void {
  if (rt.error === null) throw withoutHandler();
}

export function assertionFailed(message: string | null): never {
  throw new PgError('assert_failure', message ?? 'assertion failed');
}
