// What can go wrong, said to a person. The fields are those of the protocol's ErrorResponse
// (PostgreSQL 15 manual, section 55.8), the style is PostgreSQL's: message in lower case without a
// period, detail and hint as sentences.
import { SQLSTATE, type ConditionName } from './sqlstate.ts';

export type Severity =
  | 'DEBUG5' | 'DEBUG4' | 'DEBUG3' | 'DEBUG2' | 'DEBUG1' | 'LOG' | 'INFO' | 'NOTICE' | 'WARNING'
  | 'ERROR' | 'FATAL' | 'PANIC';

export interface ErrorFields {
  detail?: string | undefined;
  hint?: string | undefined;
  /** Character (not byte, not UTF-16 unit) of the query text, counted from 1. */
  position?: number | undefined;
  internalPosition?: number | undefined;
  internalQuery?: string | undefined;
  /** The "CONTEXT" lines. */
  where?: string | undefined;
  schema?: string | undefined;
  table?: string | undefined;
  column?: string | undefined;
  dataType?: string | undefined;
  constraint?: string | undefined;
  /** PostgreSQL's function that says so: only for errors that drivers know by it. */
  routine?: string | undefined;
}

/** An error for users. `position` may be set late, by the stage that knows the token. */
export class PgError extends Error {
  severity: Severity = 'ERROR';
  readonly condition: ConditionName;
  fields: ErrorFields;

  constructor(condition: ConditionName, message: string, fields: ErrorFields = {}) {
    // Where a user's error was made interests nobody, and finding out costs more than all the rest.
    const { stackTraceLimit } = Error;
    if (condition !== 'internal_error') Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'PgError';
    this.condition = condition;
    this.fields = fields;
  }

  get code(): string {
    return SQLSTATE[this.condition];
  }
}

/** The session ends after this one has been told to the frontend. */
export class FatalError extends PgError {
  constructor(condition: ConditionName, message: string, fields: ErrorFields = {}) {
    super(condition, message, fields);
    this.severity = 'FATAL';
  }
}

/** `0A000`, naming the feature: what the parser accepts and we do not do (yet). */
export function notSupported(feature: string, fields: ErrorFields = {}): PgError {
  return new PgError('feature_not_supported', `${feature} is not supported`, fields);
}

/** Can't happen: our own mistake, reported as XX000 with what was seen. */
export function internalError(message: string): PgError {
  return new PgError('internal_error', message);
}

/** A broken assertion ends the process: what it guards must never be built upon. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw internalError(`assertion failed: ${what}`);
}
