// SQL in this very process, on a site of its own: analysis, rewriting, planning, execution, text out.
import '../../src/backend/types/index.ts';
import '../../src/backend/catalog/functions.ts';
import '../../src/backend/executor/domains.ts';
import '../../src/backend/rewrite/ruleutils/functions.ts';
import '../../src/backend/commands/index.ts';
import { openSite, transaction } from '../catalog/site.ts';
import { compilePlan, runPlan, type CompiledPlan } from '../../src/backend/executor/execute.ts';
import { outputFunction } from '../../src/backend/executor/fmgr_info.ts';
import { planner } from '../../src/backend/optimizer/planner.ts';
import { parseAnalyze } from '../../src/backend/parser/analyze.ts';
import { loadParser, rawParse } from '../../src/backend/parser/raw_parser.ts';
import { queryRewrite } from '../../src/backend/rewrite/rewrite_handler.ts';
import { processUtility } from '../../src/backend/tcop/utility.ts';
import type { ResultColumn, DestReceiver } from '../../src/backend/executor/dest.ts';
import { commandCounterIncrement } from '../../src/backend/transaction/xact.ts';
import type { Datum } from '../../src/backend/types/datum.ts';

export { transaction };

export async function openSession(): Promise<{ remove: () => void }> {
  await loadParser();
  return openSite();
}

export class TextRows implements DestReceiver {
  rows: string[][] = [];
  columns: readonly ResultColumn[] = [];
  private outputs: ((v: Datum) => string)[] = [];
  start(columns: readonly ResultColumn[]): void {
    this.columns = columns;
    this.outputs = columns.map((c) => outputFunction(c.typeOid));
  }
  receive(row: Datum[]): boolean {
    this.rows.push(row.map((v, i) => (v === null ? '' : v === undefined ? 'UNDEFINED' : this.outputs[i]!(v))));
    return true;
  }
  end(): void {}
}

export function plansOf(sql: string, paramTypes: number[] = []): CompiledPlan[] {
  return rawParse(sql).flatMap((raw) => queryRewrite(parseAnalyze(raw, sql, paramTypes)).map((q) => compilePlan(planner(q))));
}

/** Runs statements, each in a transaction of its own, and gives the rows of the last as psql -At shows them. */
export function run(sql: string): string[] {
  let last: string[] = [];
  for (const raw of rawParse(sql)) {
    last = transaction(() => runOne(raw, sql));
  }
  return last;
}

export function runOne(raw: ReturnType<typeof rawParse>[number], sql: string): string[] {
  let lines: string[] = [];
  const query = parseAnalyze(raw, sql, []);
  for (const q of queryRewrite(query)) {
    const dest = new TextRows();
    if (q.commandType === 'utility') processUtility(q.utilityStmt as never, { text: sql, statementText: sql, topLevel: true, params: [], paramTypes: [], dest });
    else if (q.commandType !== 'nothing') {
      const { processed } = runPlan(compilePlan(planner(q)), [], dest);
      if (q.commandType !== 'select' && q.returningList.length === 0) lines = [`${q.commandType} ${processed}`];
    }
    if (dest.rows.length > 0) lines = dest.rows.map((r) => r.join('|'));
    commandCounterIncrement();
  }
  return lines;
}
