// Definitions of triggers and extended statistics, and the sequence behind a column, as text.
import { PgError } from '../../../common/errors.ts';
import { getAttname, getAttnum, getRelName } from '../../catalog/lsyscache.ts';
import * as ids from '../../catalog/oids.ts';
import { ownedSequences } from '../../catalog/pg_depend.ts';
import { quoteIdentifier, quoteQualifiedIdentifier } from '../../catalog/quote.ts';
import type { PgStatisticExt } from '../../catalog/rows.ts';
import { lookup } from '../../catalog/syscache.ts';
import type { Expr } from '../../nodes/primnodes.ts';
import { stringToNode } from '../../nodes/readfuncs.ts';
import { makeArray, type ArrayValue, type Oid } from '../../types/datum.ts';
import { TEXTOID } from '../../types/oids.ts';
import { relidOfText } from '../../catalog/reg_names.ts';
import { simpleQuoteLiteral } from './constant.ts';
import { DeparseContext, INDENT_STD, PRETTY_INDENT, PRETTY_PAREN, WRAP_COLUMN_DEFAULT, prettyFlags } from './context.ts';
import { ruleExpr } from './expression.ts';
import { expressionText } from './exprdef.ts';
import { oldNewNamespace, relationNamespace } from './names.ts';
import { functionName, namespaceNameOrTemp, qualifiedRelationName, relationName } from './object_names.ts';
import { looksLikeFunction } from './simple_node.ts';

// Bits of pg_trigger.tgtype.
const ROW = 1, BEFORE = 2, INSERT = 4, DELETE = 8, UPDATE = 16, TRUNCATE = 32, INSTEAD = 64;

export function triggerdef(oid: Oid, pretty: boolean): string | null {
  const t = lookup(ids.TriggerRelationId, ids.PgTriggerOidIndexId, oid);
  if (t === undefined) return null;
  const events: string[] = [];
  if (t.tgtype & INSERT) events.push('INSERT');
  if (t.tgtype & DELETE) events.push('DELETE');
  if (t.tgtype & UPDATE) events.push(t.tgattr.length === 0 ? 'UPDATE' : `UPDATE OF ${t.tgattr.map((n) => quoteIdentifier(getAttname(t.tgrelid, n) ?? '')).join(', ')}`);
  if (t.tgtype & TRUNCATE) events.push('TRUNCATE');
  const when = t.tgtype & BEFORE ? 'BEFORE' : t.tgtype & INSTEAD ? 'INSTEAD OF' : 'AFTER';
  let text = `CREATE ${t.tgconstraint !== 0 ? 'CONSTRAINT ' : ''}TRIGGER ${quoteIdentifier(t.tgname)} ${when} ${events.join(' OR ')} ON ${
    pretty ? relationName(t.tgrelid) : qualifiedRelationName(t.tgrelid)} `;
  if (t.tgconstraint !== 0) {
    if (t.tgconstrrelid !== 0) text += `FROM ${relationName(t.tgconstrrelid)} `;
    text += `${t.tgdeferrable ? '' : 'NOT '}DEFERRABLE INITIALLY ${t.tginitdeferred ? 'DEFERRED' : 'IMMEDIATE'} `;
  }
  if (t.tgoldtable !== null || t.tgnewtable !== null) {
    text += 'REFERENCING ';
    if (t.tgoldtable !== null) text += `OLD TABLE AS ${quoteIdentifier(t.tgoldtable)} `;
    if (t.tgnewtable !== null) text += `NEW TABLE AS ${quoteIdentifier(t.tgnewtable)} `;
  }
  text += t.tgtype & ROW ? 'FOR EACH ROW ' : 'FOR EACH STATEMENT ';
  if (t.tgqual !== null) {
    const c = new DeparseContext([oldNewNamespace(t.tgrelid)], { flags: prettyFlags(pretty), wrapColumn: WRAP_COLUMN_DEFAULT, varprefix: true, indentLevel: INDENT_STD });
    ruleExpr(stringToNode<Expr>(t.tgqual), c);
    text += `WHEN (${c.text}) `;
  }
  return `${text}EXECUTE FUNCTION ${functionName(t.tgfoid, [], [], false)}(${triggerArguments(t.tgargs).map(simpleQuoteLiteral).join(', ')})`;
}

/** pg_trigger.tgargs: each argument with a zero byte after it. */
function triggerArguments(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes).toString('utf8');
  return text === '' ? [] : text.replace(/\0$/, '').split('\0');
}

// ---- extended statistics

const statistics = (oid: Oid): PgStatisticExt | undefined => lookup(ids.StatisticExtRelationId, ids.PgStatisticExtOidIndexId, oid);

const KINDS = [['d', 'ndistinct'], ['f', 'dependencies'], ['m', 'mcv']] as const;

export function statisticsdef(oid: Oid, columnsOnly: boolean): string | null {
  const s = statistics(oid);
  if (s === undefined) return null;
  const namespaces = [relationNamespace(s.stxrelid)];
  const expressions = s.stxexprs === null ? [] : stringToNode<Expr[]>(s.stxexprs);
  const columns = [
    ...s.stxkeys.map((n) => quoteIdentifier(getAttname(s.stxrelid, n) ?? '')),
    ...expressions.map((e) => {
      const text = expressionText(e, { namespaces, flags: PRETTY_PAREN });
      return looksLikeFunction(e) ? text : `(${text})`;
    }),
  ];
  if (columnsOnly) return columns.join(', ');
  const enabled = KINDS.filter(([letter]) => s.stxkind.includes(letter));
  const kinds = enabled.length < KINDS.length && columns.length > 1 ? ` (${enabled.map(([, word]) => word).join(', ')})` : '';
  return `CREATE STATISTICS ${quoteQualifiedIdentifier(namespaceNameOrTemp(s.stxnamespace), s.stxname)}${kinds} ON ${columns.join(', ')} FROM ${relationName(s.stxrelid)}`;
}

export function statisticsExpressions(oid: Oid): ArrayValue | null {
  const s = statistics(oid);
  if (s === undefined || s.stxexprs === null) return null;
  const namespaces = [relationNamespace(s.stxrelid)];
  return makeArray(TEXTOID, stringToNode<Expr[]>(s.stxexprs).map((e) => expressionText(e, { namespaces, flags: PRETTY_INDENT })));
}

// ---- serial and identity columns

export function serialSequence(table: string, column: string): string | null {
  const relid = relidOfText(table);
  const attnum = getAttnum(relid, column);
  if (attnum === 0) throw new PgError('undefined_column', `column "${column}" of relation "${getRelName(relid)}" does not exist`);
  const [sequence] = ownedSequences(relid, attnum);
  return sequence === undefined ? null : qualifiedRelationName(sequence);
}
