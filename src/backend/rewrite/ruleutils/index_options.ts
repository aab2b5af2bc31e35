// WITH (...) of an index or table, and which access methods order their columns.
import { quoteIdentifier, quoteLiteral } from '../../catalog/quote.ts';

export function withOptionsText(options: ReadonlyMap<string, string>): string {
  if (options.size === 0) return '';
  const list = [...options].map(([name, value]) => `${quoteIdentifier(name)}=${quoteIdentifier(value) === value ? value : quoteLiteral(value)}`);
  return ` WITH (${list.join(', ')})`;
}

/** btree is the one that orders. */
export const isOrdered = (accessMethod: string): boolean => accessMethod === 'btree';
