// Names as SQL text: quoted when they must be (quote_identifier in PostgreSQL's ruleutils.c).
import { settings } from '../utils/settings.ts';
import { KEYWORDS } from './keywords.ts';

const SAFE = /^[a-z_][a-z0-9_]*$/;

/** Quoted unless it is all lower case and no keyword but an unreserved one. */
export function quoteIdentifier(name: string): string {
  if (SAFE.test(name) && !settings.quote_all_identifiers) {
    const category = KEYWORDS.get(name);
    if (category === undefined || category === 'U') return name;
  }
  return `"${name.replaceAll('"', '""')}"`;
}

export const quoteQualifiedIdentifier = (schema: string | null | undefined, name: string): string =>
  schema ? `${quoteIdentifier(schema)}.${quoteIdentifier(name)}` : quoteIdentifier(name);

/** A string literal: quotes doubled, E'' when there is a backslash (quote_literal). */
export function quoteLiteral(text: string): string {
  const body = text.replaceAll("'", "''");
  return body.includes('\\') ? `E'${body.replaceAll('\\', '\\\\')}'` : `'${body}'`;
}
