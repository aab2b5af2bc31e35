// What the \d commands share: names given as patterns become conditions (processSQLNamePattern of string_utils.c), and a query's
// rows are printed as a list. The queries are PostgreSQL's own, for people read them with ECHO_HIDDEN.
import { psqlExec, showResult } from './common.ts';
import { logError, stdout } from './output.ts';
import type { QueryTable } from './print.ts';
import { pset } from './settings.ts';

/** A literal as psql writes one into its queries. */
export function literal(text: string): string {
  const quoted = text.replaceAll('\'', '\'\'');
  return text.includes('\\') ? `E'${quoted.replaceAll('\\', '\\\\')}'` : `'${quoted}'`;
}

/** The parts of a pattern between its dots, as regular expressions without their anchors. */
function patternParts(pattern: string, plain = false): string[] {
  const parts = [''];
  let inQuotes = false;
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === '"') {
      if (inQuotes && pattern[i + 1] === '"') {
        parts[parts.length - 1] += '"';
        i++;
      } else inQuotes = !inQuotes;
    } else if (!inQuotes && c === '*') parts[parts.length - 1] += '.*';
    else if (!inQuotes && c === '?') parts[parts.length - 1] += '.';
    else if (!inQuotes && c === '.') parts.push('');
    else if (c === '$') parts[parts.length - 1] += '\\$';
    else if ((inQuotes || plain) && '|*+?()[]{}.^\\'.includes(c)) parts[parts.length - 1] += `\\${c}`;
    else if (!inQuotes && c === '[' && pattern[i + 1] === ']') parts[parts.length - 1] += '\\[';
    else parts[parts.length - 1] += inQuotes ? c : c.toLowerCase();
  }
  return parts;
}

export interface PatternTarget {
  schema?: string;
  name: string;
  alternative?: string;
  /** Marks of regular expressions are what they look like: operators are made of them. */
  plain?: boolean;
  visible?: string;
}

const COLLATE = ' COLLATE pg_catalog.default';

/** Builds WHERE clauses; null, after saying why, when a pattern makes no sense. */
export class Where {
  text = '';
  private any: boolean;

  constructor(haveWhere = false) {
    this.any = haveWhere;
  }

  private and(): string {
    const word = this.any ? '  AND ' : 'WHERE ';
    this.any = true;
    return word;
  }

  add(condition: string): this {
    this.text += `${this.and()}${condition}\n`;
    return this;
  }

  /** False: the pattern has too many parts, or names another database. */
  pattern(pattern: string | null, { schema, name, alternative, visible, plain }: PatternTarget, maxParts = schema === undefined ? 1 : 3): boolean {
    if (pattern === null) {
      if (visible !== undefined) this.add(visible);
      return true;
    }
    const parts = patternParts(pattern, plain);
    if (parts.length > maxParts) {
      logError(`improper qualified name (too many dotted names): ${pattern}`);
      return false;
    }
    if (parts.length === 3 && pset.db !== null) {
      const database = parts[0]!.replace(/\\(.)/g, '$1');
      if (database !== pset.db.database) {
        logError(`cross-database references are not implemented: ${pattern}`);
        return false;
      }
    }
    const last = parts.at(-1)!, schemaPart = parts.length > 1 ? parts.at(-2)! : '';
    if (last !== '' && last !== '.*') {
      const value = literal(`^(${last})$`);
      if (alternative !== undefined) this.add(`(${name} OPERATOR(pg_catalog.~) ${value}${COLLATE}\n        OR ${alternative} OPERATOR(pg_catalog.~) ${value}${COLLATE})`);
      else this.add(`${name} OPERATOR(pg_catalog.~) ${value}${COLLATE}`);
    }
    if (schema !== undefined && schemaPart !== '') {
      if (schemaPart !== '.*') this.add(`${schema} OPERATOR(pg_catalog.~) ${literal(`^(${schemaPart})$`)}${COLLATE}`);
    } else if (visible !== undefined) this.add(visible);
    return true;
  }
}

/** Runs a query and prints its rows under a title. */
export async function list(sql: string, title: string, { footers = null, silentWhenEmpty = null }: { footers?: readonly string[] | (() => Promise<string[] | null>) | null; silentWhenEmpty?: string | null } = {}): Promise<boolean> {
  const result = await psqlExec(sql);
  if (result === null) return false;
  if (silentWhenEmpty !== null && result.rows.length === 0 && !pset.quiet) {
    logError(silentWhenEmpty);
    return true;
  }
  showResult(result as unknown as QueryTable, { ...pset.popt, nullText: '', title: null }, pset.out, title, typeof footers === 'function' ? await footers() : footers);
  stdout.flush();
  return true;
}

/** Schemas of the system are left out unless asked for. */
export const userOnly = (show: boolean, pattern: string | null, schema = 'n'): string =>
  (show || pattern !== null ? '' : `      AND ${schema}.nspname <> 'pg_catalog'\n      AND ${schema}.nspname <> 'information_schema'\n`);
export const acl = (column: string): string => `pg_catalog.array_to_string(${column}, E'\\n') AS "Access privileges"`;
