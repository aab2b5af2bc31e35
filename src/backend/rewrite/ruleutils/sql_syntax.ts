// Functions that the grammar has a syntax of its own for, and that were written with it (get_func_sql_syntax).
import { procByOid } from '../../catalog/syscache.ts';
import type { Expr, FuncExpr } from '../../nodes/primnodes.ts';
import { TEXTOID } from '../../types/oids.ts';
import type { DeparseContext } from './context.ts';
import { recursion } from './recursion.ts';

type Write = (e: FuncExpr, c: DeparseContext) => boolean;

const word = (e: Expr): string => (e.kind === 'Const' ? String(e.constvalue) : '?');

/** Text and arguments in turn: numbers are arguments. */
const write = (e: FuncExpr, c: DeparseContext, ...parts: (string | number)[]): true => {
  for (const part of parts) {
    if (typeof part === 'string') c.put(part);
    else recursion.ruleExpr(e.args[part]!, c);
  }
  return true;
};

const trim = (side: string): Write => (e, c) => (e.args.length === 2 ? write(e, c, `TRIM(${side} `, 1, ' FROM ', 0, ')') : write(e, c, `TRIM(${side} FROM `, 0, ')'));

const SYNTAX: Record<string, Write> = {
  timezone(e, c) {
    c.put('(');
    recursion.ruleExprParen(e.args[1]!, c, false, e);
    c.put(' AT TIME ZONE ');
    recursion.ruleExprParen(e.args[0]!, c, false, e);
    c.put(')');
    return true;
  },
  overlaps: (e, c) => write(e, c, '((', 0, ', ', 1, ') OVERLAPS (', 2, ', ', 3, '))'),
  extract: (e, c) => write(e, c, `EXTRACT(${word(e.args[0]!)} FROM `, 1, ')'),
  is_normalized(e, c) {
    c.put('(');
    recursion.ruleExprParen(e.args[0]!, c, false, e);
    return write(e, c, ` IS${e.args.length === 2 ? ` ${word(e.args[1]!)}` : ''} NORMALIZED)`);
  },
  normalize: (e, c) => write(e, c, 'NORMALIZE(', 0, e.args.length === 2 ? `, ${word(e.args[1]!)})` : ')'),
  pg_collation_for: (e, c) => write(e, c, 'COLLATION FOR (', 0, ')'),
  overlay: (e, c) => write(e, c, 'OVERLAY(', 0, ' PLACING ', 1, ' FROM ', 2, ...(e.args.length === 4 ? [' FOR ', 3] : []), ')'),
  position: (e, c) => write(e, c, 'POSITION((', 1, ') IN (', 0, '))'),
  substring(e, c) {
    const types = procByOid(e.funcid)!.proargtypes;
    // SUBSTRING(text FROM pattern) has no syntax of its own to come back to.
    if (types[1] === TEXTOID) return types.length === 3 && write(e, c, 'SUBSTRING(', 0, ' SIMILAR ', 1, ' ESCAPE ', 2, ')');
    return write(e, c, 'SUBSTRING(', 0, ' FROM ', 1, ...(e.args.length === 3 ? [' FOR ', 2] : []), ')');
  },
  btrim: trim('BOTH'),
  ltrim: trim('LEADING'),
  rtrim: trim('TRAILING'),
  xmlexists: (e, c) => write(e, c, 'XMLEXISTS((', 0, ') PASSING (', 1, '))'),
};

/** Writes the call; false when it is to be written as an ordinary one. */
export function functionSqlSyntax(e: FuncExpr, c: DeparseContext): boolean {
  return SYNTAX[procByOid(e.funcid)?.proname ?? '']?.(e, c) ?? false;
}
