// A script of SQL run statement by statement, here or on PostgreSQL, as text of one form: each statement after "> ", its
// rows as psql -At shows them, its notices and errors with SQLSTATE, detail and hint.
import { execFileSync } from 'node:child_process';
import { PgError } from '../../src/common/errors.ts';
import { outputFunction } from '../../src/backend/executor/fmgr_info.ts';
import type { DestReceiver, ResultColumn } from '../../src/backend/executor/dest.ts';
import { rawParse, statementText } from '../../src/backend/parser/raw_parser.ts';
import { executeString } from '../../src/backend/tcop/standalone.ts';
import type { Datum } from '../../src/backend/types/datum.ts';
import { session } from '../../src/backend/utils/session.ts';
import { oracle } from '../support/oracle.ts';

/** The statements of a script, each on one line. Lines that begin with -- are left out. */
export function statementsOf(script: string): string[] {
  const text = script.split('\n').filter((line) => !line.startsWith('--')).join('\n');
  return rawParse(text).map((raw) => statementText(text, raw).trim().replaceAll(/\s*\n\s*/g, ' '));
}

class Lines implements DestReceiver {
  readonly lines: string[] = [];
  private outputs: ((v: Datum) => string)[] = [];
  start(columns: readonly ResultColumn[]): void { this.outputs = columns.map((c) => outputFunction(c.typeOid)); }
  receive(row: Datum[]): boolean {
    this.lines.push(row.map((v, i) => (v === null || v === undefined ? '' : this.outputs[i]!(v))).join('|'));
    return true;
  }
  end(): void {}
}

function reportLines(report: PgError): string[] {
  const { detail, hint } = report.fields;
  return [`${report.severity}:  ${report.code}: ${report.message}`, ...(detail ? [`DETAIL:  ${detail}`] : []), ...(hint ? [`HINT:  ${hint}`] : [])].flatMap((l) => l.split('\n'));
}

/** What this server answers. */
export function runHere(script: string): string {
  const out: string[] = [];
  for (const statement of statementsOf(script)) {
    const dest = new Lines();
    const notices: string[] = [];
    let error: string[] = [];
    session.notice = (notice) => notices.push(...reportLines(notice));
    try {
      executeString(statement, dest);
    } catch (thrown) {
      if (!(thrown instanceof PgError)) throw thrown;
      error = reportLines(thrown);
    }
    out.push(`> ${statement}`, ...notices, ...dest.lines, ...error);
  }
  return `${out.join('\n')}\n`;
}

const NOT_COMPARED = /^(LOCATION|SCHEMA NAME|TABLE NAME|COLUMN NAME|CONSTRAINT NAME|DATATYPE NAME|CONTEXT|LINE \d+|QUERY): |^ *\^$|^SQL function |^PL\/pgSQL function |^SQL statement "/;

/** What PostgreSQL answers, in a database of its own. */
export function runThere(script: string, database: string): string {
  const psql = (args: string[], input = ''): string => execFileSync('sh', ['-c', 'exec psql "$@" 2>&1', 'sh', ...oracle!.psql, ...args], { input, encoding: 'utf8', maxBuffer: 1 << 26 });
  const roles = [...script.matchAll(/create role (\w+)/g)].flatMap((m) => ['-c', `drop role if exists ${m[1]}`]);
  psql(['-c', `drop database if exists ${database}`, ...roles, '-c', `create database ${database}`]);
  const text = statementsOf(script).map((s) => `\\echo '> ${s.replaceAll('\\', '\\\\').replaceAll("'", "''")}'\n${s};`).join('\n');
  const out = psql(['-d', database], `\\set VERBOSITY verbose\n${text}\n`);
  psql(['-c', `drop database if exists ${database}`, ...roles]);
  return out.split('\n').filter((line) => !NOT_COMPARED.test(line)).join('\n');
}
