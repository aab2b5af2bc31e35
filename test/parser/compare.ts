// Compares parse analysis with a real PostgreSQL 15 over a file of SQL: node test/parser/compare.ts file.sql...
// Every statement is described by both (types and names of columns and parameters, or error); then the oracle runs it,
// and after a utility statement the user's catalogs are copied over again.
import { readFileSync } from 'node:fs';
import { openSite, transaction } from '../catalog/site.ts';
import '../../src/backend/types/index.ts';
import '../../src/backend/catalog/type_hooks.ts';
import { getBaseTypeAndTypmod } from '../../src/backend/catalog/lsyscache.ts';
import { exprType, exprTypmod } from '../../src/backend/nodes/nodeFuncs.ts';
import { parseAnalyzeVarParams } from '../../src/backend/parser/analyze.ts';
import { loadParser, rawParse, statementText } from '../../src/backend/parser/raw_parser.ts';
import { PgError } from '../../src/common/errors.ts';
import { Oracle, type Verdict } from './oracle.ts';

const OPTIMIZABLE = new Set(['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']);

export function ours(text: string): Verdict {
  try {
    const raw = rawParse(text)[0]!;
    return transaction(() => {
      const { query, paramTypes } = parseAnalyzeVarParams(raw, text, []);
      const list = query.commandType === 'select' ? query.targetList : query.returningList;
      const columns = list.filter((t) => !t.resjunk).map((t) => ({ name: t.resname ?? '?column?', ...getBaseTypeAndTypmod(exprType(t.expr), exprTypmod(t.expr)), table: t.resorigtbl, column: t.resorigcol }));
      return { params: paramTypes, ...(columns.length > 0 ? { columns } : {}) };
    });
  } catch (e) {
    if (!(e instanceof PgError)) return { error: { code: 'CRASH', message: (e as Error).stack ?? String(e) } };
    return { error: { code: e.code, message: e.message, position: e.fields.position === undefined ? undefined : String(e.fields.position), hint: e.fields.hint, detail: e.fields.detail } };
  }
}

export function difference(a: Verdict, b: Verdict): string | null {
  const show = (v: Verdict): string => v.error ? `${v.error.code} ${v.error.message} @${v.error.position ?? ''}${v.error.detail ? ` DETAIL ${v.error.detail}` : ''}${v.error.hint ? ` HINT ${v.error.hint}` : ''}`
    : JSON.stringify([v.params ?? [], (v.columns ?? []).map((c) => [c.name, c.type, c.typmod, c.table, c.column])]);
  return show(a) === show(b) ? null : `  oracle: ${show(a)}\n  ours:   ${show(b)}`;
}

/** psql's variables and commands are beyond us: such statements are left out. */
function statements(sql: string): string[] {
  const out: string[] = [];
  let buffer = '';
  for (const line of sql.split('\n')) {
    if (/^\\/.test(line)) {
      buffer = '';
      continue;
    }
    if (/^--/.test(line) && buffer === '') continue;
    buffer += line + '\n';
    if (/;\s*(--.*)?$/.test(line)) {
      try {
        const list = rawParse(buffer);
        for (const s of list) out.push(statementText(buffer, s).trim());
        buffer = '';
      } catch {
        // Either it goes on, or it is an error that both should report.
        if (!/\$\w*\$|'/.test(buffer)) {
          out.push(buffer.trim());
          buffer = '';
        } else if (buffer.length > 6000) buffer = '';
      }
    }
  }
  return out;
}

if (process.argv[1]?.endsWith('compare.ts')) {
  await loadParser();
  const site = openSite();
  const admin = (await Oracle.connect())!;
  const name = 'parser_compare';
  await admin.run(`DROP DATABASE IF EXISTS ${name}`);
  await admin.run(`CREATE DATABASE ${name} TEMPLATE template0`);
  const oracle = (await Oracle.connect(name))!;
  await oracle.run("SET statement_timeout = '5s'");
  let count = 0;
  let bad = 0;
  for (const file of process.argv.slice(2)) {
    for (const text of statements(readFileSync(file, 'utf8').replace(/\b(create(?:\s+or\s+replace)?\s+)(temp|temporary)\b/gi, '$1'))) {
      let tag = 'error';
      try { tag = rawParse(text)[0]?.stmt.tag ?? ''; } catch { /* compared below */ }
      if (tag === 'error' || OPTIMIZABLE.has(tag)) {
        count++;
        const theirs = await oracle.describe(text);
        const mine = ours(text);
        const d = difference(theirs, mine);
        if (d !== null && theirs.error?.code !== '25P02' && mine.error?.message.startsWith('there is no unique or exclusion') !== true && !/0A000 (function|operator) \S+ is not supported/.test(d)) {
          bad++;
          console.log(`${text.slice(0, 400)}\n${d}\n`);
        }
      }
      await oracle.run(text);
      if (tag !== 'error' && (!OPTIMIZABLE.has(tag) || /\binto\b/i.test(text))) {
        try {
          transaction(await oracle.cloneInto());
        } catch { /* in a failed transaction: nothing to copy */ }
      }
    }
  }
  console.log(`${count} statements, ${bad} differ`);
  site.remove();
  await oracle.client.end();
  await admin.run(`DROP DATABASE IF EXISTS ${name}`);
  await admin.client.end();
}
