// Whatever was thrown, as something a frontend can be told.
import { PgError, internalError } from '../../common/errors.ts';
import { stackDepthExceeded } from './stack_depth.ts';

/** V8's own limits come as RangeErrors; they have SQLSTATEs of their own. Everything else unknown is XX000. */
export function asPgError(error: unknown): PgError {
  if (error instanceof PgError) return error;
  if (error instanceof RangeError) {
    // The stack may be too short for more than a comparison.
    if (error.message === 'Maximum call stack size exceeded') return stackDepthExceeded();
    if (/string length/i.test(error.message)) {
      return new PgError('program_limit_exceeded', 'out of memory', { detail: 'A value cannot be longer than 536870888 characters.' });
    }
    if (/array length|array buffer|allocation|maximum size|BigInt/i.test(error.message)) {
      return new PgError('out_of_memory', 'out of memory', { detail: `${error.message}.` });
    }
  }
  return internalError(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}


/** Something that was computed went wrong (a division by zero, a value that is no number): nothing else is the worse for it. */
export const isOfValues = (error: unknown): error is PgError => error instanceof PgError && error.severity === 'ERROR' && /^(?:2[12]|P0)/.test(error.code);
