// Node trees as text, for the catalogs that keep them (pg_attrdef, pg_rewrite, pg_constraint, pg_index, ...): JSON with
// the values of constants in their types' text form, after a format number. readfuncs.ts reads it.
import { typeHooks } from '../types/hooks.ts';
import type { Query } from './parsenodes.ts';
import type { Const, Expr } from './primnodes.ts';

export const NODE_FORMAT = 1;

/** The text of an expression, a query, or a list of either. */
export function nodeToString(node: Expr | Query | readonly (Expr | Query)[] | null): string {
  return `${NODE_FORMAT} ${JSON.stringify(node, replacer)}`;
}

function replacer(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || (value as { kind?: string }).kind !== 'Const') return value;
  const { slot: _slot, ...c } = value as Const;
  return c.constvalue === null ? c : { ...c, kind: 'Const', constvalue: { text: typeHooks.typeIo(c.consttype).output(c.constvalue) } };
}
