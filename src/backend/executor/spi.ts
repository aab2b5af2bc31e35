// SQL from inside the server: statements of constraint checks and SQL functions, planned once and kept (PostgreSQL's
// Server Programming Interface).
import { internalError, PgError } from '../../common/errors.ts';
import { lockReads, locksReads } from '../access/table.ts';
import { registerCatalogCache } from '../catalog/inval.ts';
import { parseAnalyze } from '../parser/analyze.ts';
import { rawParse } from '../parser/raw_parser.ts';
import { planner } from '../optimizer/planner.ts';
import { queryRewrite } from '../rewrite/rewrite_handler.ts';
import { catalogVersion } from '../transaction/xact.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { spi } from './spi_hook.ts';
import { compilePlan, runPlan, type CompiledPlan } from './execute.ts';

interface KeptPlan { plans: CompiledPlan[]; version: number }
const kept = new Map<string, KeptPlan>();
const MAX_KEPT = 500;
registerCatalogCache(() => kept.clear());

function prepare(text: string, types: readonly Oid[]): CompiledPlan[] {
  const key = `${types.join()}\0${text}`;
  const known = kept.get(key);
  if (known !== undefined && known.version === catalogVersion()) return known.plans;
  const plans = atInternalPosition(text, () => {
    const list = rawParse(text);
    if (list.length !== 1) throw internalError(`one statement is expected: ${text}`);
    return queryRewrite(parseAnalyze(list[0]!, text, [...types])).map((q) => compilePlan(planner(q, false)));
  });
  if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value!);
  kept.set(key, { plans, version: catalogVersion() });
  return plans;
}

/** What is wrong with the text has its place there, and not in the statement that the client has sent. */
export function atInternalPosition<T>(text: string, prepareIt: () => T): T {
  try {
    return prepareIt();
  } catch (error) {
    if (error instanceof PgError && error.fields.position !== undefined) {
      const { position, ...rest } = error.fields;
      error.fields = { ...rest, internalPosition: position, internalQuery: text };
    }
    throw error;
  }
}

spi.execute = spiExecute;
spi.columns = (text) => prepare(text, [])[0]?.columns.map((c) => c.typeOid) ?? [];

/** Runs one statement; rows go to `visit`, which may stop by returning false. How many rows were selected or changed.
 * `sameQuery`: its trigger events are those of the query around it. */
export function spiExecute(text: string, types: readonly Oid[], params: readonly Datum[], visit: (row: Datum[]) => boolean = () => true, sameQuery = false): number {
  let processed = 0;
  for (const plan of prepare(text, types)) {
    if (locksReads(true)) lockReads(plan.reads);
    processed += runPlan(plan, params, { start() {}, receive: visit, end() {} }, { sameQuery }).processed;
  }
  return processed;
}
