// What a deparser must know of where it is: which names its range tables go by, and how pretty the text shall be.
import type { Attribute } from '../../catalog/relation.ts';
import { tryOpenRelation } from '../../catalog/relcache.ts';
import { relnameGetRelid } from '../../catalog/namespace.ts';
import { quoteIdentifier, quoteQualifiedIdentifier } from '../../catalog/quote.ts';
import { getNamespaceName, getRelName, getRelNamespace } from '../../catalog/lsyscache.ts';
import type { Query, RangeTblEntry } from '../../nodes/parsenodes.ts';
import type { Oid } from '../../types/datum.ts';

export const PRETTY_PAREN = 2, PRETTY_INDENT = 4, PRETTY_SCHEMA = 8;

/** Names of one query level: per range table entry its alias and its columns' names. */
export interface DeparseNamespace {
  rtable: readonly RangeTblEntry[];
  rtableNames: (string | null)[];
  columnNames: string[][];
  query: Query | null;
}

export interface DeparseContext {
  /** Innermost level first. */
  namespaces: DeparseNamespace[];
  pretty: number;
  /** Write alias.column even where the column alone would do. */
  varprefix: boolean;
  indent: number;
  wrapColumn: number;
  /** Names of an INSERT's or subquery's columns as the outside wants them. */
  resultNames: readonly string[] | null;
  /** Domain constraints say VALUE, triggers OLD and NEW. */
  inGroupBy: boolean;
}

export function makeContext(namespaces: DeparseNamespace[], pretty: number, varprefix: boolean): DeparseContext {
  return { namespaces, pretty, varprefix, indent: 0, wrapColumn: 0, resultNames: null, inGroupBy: false };
}

/** The namespace of an expression over one relation (defaults, checks, index expressions): varno 1 is the relation. */
export function relationNamespace(name: string, relid: Oid): DeparseNamespace {
  const relation = tryOpenRelation(relid);
  return { rtable: [], rtableNames: [name], columnNames: [columnNamesOf(relation?.attributes ?? [])], query: null };
}

const columnNamesOf = (attributes: readonly Attribute[]): string[] => attributes.map((a) => (a.attisdropped ? '' : a.attname));

/** The namespace of a query: every entry gets a name of its own (set_rtable_names, set_using_names). */
export function queryNamespace(query: Query, outer: readonly DeparseNamespace[]): DeparseNamespace {
  const taken = new Set<string>();
  for (const ns of outer) for (const name of ns.rtableNames) if (name !== null) taken.add(name);
  const rtableNames = query.rtable.map((rte) => uniqueName(entryName(rte), taken));
  const ns: DeparseNamespace = { rtable: query.rtable, rtableNames, columnNames: [], query };
  ns.columnNames = query.rtable.map(entryColumns);
  return ns;
}

function entryName(rte: RangeTblEntry): string | null {
  if (rte.alias !== null) return rte.alias.aliasname;
  if (rte.rtekind === 'relation' || rte.relid !== 0) return getRelName(rte.relid) ?? rte.eref.aliasname;
  if (rte.rtekind === 'join') return null;
  return rte.eref.aliasname;
}

function uniqueName(name: string | null, taken: Set<string>): string | null {
  if (name === null) return null;
  let unique = name;
  for (let i = 1; taken.has(unique); i++) {
    const suffix = `_${i}`;
    let base = name;
    while (Buffer.byteLength(base + suffix) > 63) base = base.slice(0, -1);
    unique = base + suffix;
  }
  taken.add(unique);
  return unique;
}

/** Columns of relations go by their present names, unless an alias list says otherwise. */
function entryColumns(rte: RangeTblEntry): string[] {
  if (rte.rtekind === 'relation' && rte.relid !== 0) {
    const relation = tryOpenRelation(rte.relid);
    if (relation !== undefined) {
      const aliases = rte.alias?.colnames ?? [];
      return relation.attributes.map((a, i) => (a.attisdropped ? '' : aliases[i] || a.attname));
    }
  }
  return [...rte.eref.colnames];
}

/** A relation's name, with its schema where the search path would not find it. */
export function relationName(relid: Oid, forceQualify = false): string {
  const name = getRelName(relid);
  if (name === undefined) return `"relation ${relid}"`;
  const visible = !forceQualify && relnameGetRelid(name) === relid;
  return visible ? quoteIdentifier(name) : quoteQualifiedIdentifier(getNamespaceName(getRelNamespace(relid)), name);
}
