// Functions that the grammar has a syntax of its own for, and that were written with it (get_func_sql_syntax).
import { procByOid } from '../../catalog/syscache.ts';
import type { Expr, FuncExpr } from '../../nodes/primnodes.ts';

type Text = (e: Expr) => string;

/** Null when the function is to be written as an ordinary call. */
export function functionSqlSyntax(e: FuncExpr, text: Text, operand: Text): string | null {
  const name = procByOid(e.funcid)?.proname;
  const [a, b, c, d] = e.args;
  switch (name) {
    case 'timezone': return `(${operand(b!)} AT TIME ZONE ${operand(a!)})`;
    case 'overlaps': return `((${text(a!)}, ${text(b!)}) OVERLAPS (${text(c!)}, ${text(d!)}))`;
    case 'extract': return `EXTRACT(${constantText(a!)} FROM ${text(b!)})`;
    case 'is_normalized': return `(${text(a!)} IS${b === undefined ? '' : ` ${constantText(b)}`} NORMALIZED)`;
    case 'normalize': return `NORMALIZE(${text(a!)}${b === undefined ? '' : `, ${constantText(b)}`})`;
    case 'overlay': return `OVERLAY(${text(a!)} PLACING ${text(b!)} FROM ${text(c!)}${d === undefined ? '' : ` FOR ${text(d)}`})`;
    case 'position': return `POSITION((${text(b!)}) IN (${text(a!)}))`;
    case 'substring': return c === undefined ? `SUBSTRING(${text(a!)} FROM ${text(b!)})`
      : `SUBSTRING(${text(a!)} FROM ${text(b!)} FOR ${text(c)})`;
    case 'btrim': return trim('BOTH', a!, b, text);
    case 'ltrim': return trim('LEADING', a!, b, text);
    case 'rtrim': return trim('TRAILING', a!, b, text);
    case 'pg_collation_for': return `COLLATION FOR (${text(a!)})`;
    case 'xmlexists': return null;
    default: return null;
  }
}

const trim = (side: string, from: Expr, chars: Expr | undefined, text: Text): string => `TRIM(${side}${chars === undefined ? '' : ` ${text(chars)}`} FROM ${text(from)})`;
const constantText = (e: Expr): string => (e.kind === 'Const' ? String(e.constvalue) : '?');
