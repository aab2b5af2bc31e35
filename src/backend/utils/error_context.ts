// What is being done, for the CONTEXT of errors and notices (PostgreSQL's error_context_stack): functions put themselves on
// the stack while they run. An error gets its lines once, where it is first caught by one of them.
import { PgError } from '../../common/errors.ts';

export interface ErrorContext {
  outer: ErrorContext | null;
  /** The line (or lines) that say what was done here; may move the error's position into a text of its own. */
  describe(error: PgError | null): string | undefined;
}

/** The innermost that is running. */
export const errorContext: { top: ErrorContext | null } = { top: null };

const told = new WeakSet<PgError>();

/** The lines of the whole stack, the innermost first. */
export function contextLines(error: PgError | null): string {
  const lines: string[] = [];
  for (let c = errorContext.top; c !== null; c = c.outer) {
    const line = c.describe(error);
    if (line !== undefined) lines.push(line);
  }
  return lines.join('\n');
}

/** Gives an error its CONTEXT, unless it has got it further inside. */
export function addContext(error: unknown): void {
  if (!(error instanceof PgError) || told.has(error)) return;
  told.add(error);
  const lines = contextLines(error);
  if (lines !== '') error.fields = { ...error.fields, where: error.fields.where === undefined ? lines : `${error.fields.where}\n${lines}` };
}

/** Runs with this on top of the stack. */
export function withErrorContext<C extends ErrorContext, T>(context: C, run: (context: C) => T): T {
  context.outer = errorContext.top;
  errorContext.top = context;
  try {
    return run(context);
  } catch (error) {
    addContext(error);
    throw error;
  } finally {
    errorContext.top = context.outer;
  }
}
