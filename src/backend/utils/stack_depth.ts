// What is nested too deeply.
import { PgError } from '../../common/errors.ts';
import { settings } from './settings.ts';

export function stackDepthExceeded(): PgError {
  return new PgError('statement_too_complex', 'stack depth limit exceeded', {
    hint: `Increase the configuration parameter "max_stack_depth" (currently ${settings.max_stack_depth}kB), after ensuring the platform's stack depth limit is adequate.`,
  });
}
