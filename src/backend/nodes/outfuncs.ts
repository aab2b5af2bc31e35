// Node trees as text, for catalogs (pg_rewrite.ev_action, pg_attrdef.adbin, ...): JSON, with the values of constants in
// their types' text form, so that what is stored does not depend on how a Datum is represented.
import { typeHooks } from '../types/hooks.ts';
import type { Query } from './parsenodes.ts';
import type { Const, Expr } from './primnodes.ts';

/** Stands first in every stored tree; readfuncs.ts refuses what it does not know. */
export const NODE_FORMAT_VERSION = 1;

/** What can be stored: an expression, a query, or a list of them. */
export type StoredNode = Expr | Query | readonly (Expr | Query)[];

export function nodeToString(node: StoredNode): string {
  return `{"version":${NODE_FORMAT_VERSION},"node":${JSON.stringify(node, constToText)}}`;
}

function constToText(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || (value as { kind?: unknown }).kind !== 'Const') return value;
  const { slot: _slot, ...con } = value as Const;
  return con.constvalue === null ? con : { ...con, constvalue: typeHooks.typeIo(con.consttype).output(con.constvalue) };
}
