// \crosstabview: rows and columns from two columns of a result, cells from a third (crosstabview.c).
import { logError } from './output.ts';
import { alignOf, type QueryTable } from './print.ts';
import type { Table } from './print_options.ts';
import { pset } from './settings.ts';
import { sqlIdentifier } from './scan.ts';

const MAX_COLUMNS = 1600;

/** A column by its number or name. */
function columnOf(arg: string, result: QueryTable): number {
  if (/^\d+$/.test(arg)) {
    const n = Number(arg) - 1;
    if (n >= 0 && n < result.fields.length) return n;
    logError(`\\crosstabview: column number ${Number(arg)} is out of range 1..${result.fields.length}`);
    return -1;
  }
  const name = sqlIdentifier(arg, true), found = result.fields.map((f, i) => [f.name, i] as const).filter(([n]) => n === name);
  if (found.length === 1) return found[0]![1];
  logError(found.length > 1 ? `\\crosstabview: ambiguous column name: "${name}"` : `\\crosstabview: column name not found: "${name}"`);
  return -1;
}

export function printCrosstab(result: QueryTable, args: readonly string[], show: (table: Table) => void): boolean {
  const refuse = (message: string): false => {
    logError(message);
    return false;
  };
  if (result.fields.length < 3) return refuse('\\crosstabview: query must return at least three columns');
  const vertical = args[0] === undefined ? 0 : columnOf(args[0], result);
  if (vertical < 0) return false;
  const horizontal = args[1] === undefined ? 1 : columnOf(args[1], result);
  if (horizontal < 0) return false;
  if (vertical === horizontal) return refuse('\\crosstabview: vertical and horizontal headers must be different columns');
  let data: number;
  if (args[2] === undefined) {
    if (result.fields.length !== 3) return refuse('\\crosstabview: data column must be specified when query returns more than three columns');
    data = [0, 1, 2].find((i) => i !== vertical && i !== horizontal)!;
  } else data = columnOf(args[2], result);
  if (data < 0) return false;
  const sort = args[3] === undefined ? -1 : columnOf(args[3], result);
  if (args[3] !== undefined && sort < 0) return false;
  // Headers in the order they come, or by the sort column.
  const rowHeads = new Map<string | null, number>(), columnHeads = new Map<string | null, string | null>();
  for (const row of result.rows) {
    if (!rowHeads.has(row[vertical]!)) rowHeads.set(row[vertical]!, rowHeads.size);
    if (!columnHeads.has(row[horizontal]!)) {
      if (columnHeads.size >= MAX_COLUMNS) return refuse(`\\crosstabview: maximum number of columns (${MAX_COLUMNS}) exceeded`);
      columnHeads.set(row[horizontal]!, sort < 0 ? null : row[sort]!);
    }
  }
  let columns = [...columnHeads];
  if (sort >= 0) {
    // What is no number counts as 0; those that tie go by name, NULL at the end.
    const rank = (text: string | null): number => (text !== null && /^-?\d+$/.test(text) ? Number(text) : 0);
    const byName = (a: string | null, b: string | null): number => (b === null ? (a === null ? 0 : -1) : a === null ? 1 : Buffer.compare(Buffer.from(a), Buffer.from(b)));
    columns = columns.toSorted(([nameA, a], [nameB, b]) => rank(a) - rank(b) || byName(nameA, nameB));
  }
  const place = new Map(columns.map(([name], i) => [name, i])), nullText = pset.popt.nullText;
  const cells = [...rowHeads.keys()].map((name) => [name ?? nullText, ...new Array<string | null>(columns.length).fill(null)]);
  for (const row of result.rows) {
    const line = cells[rowHeads.get(row[vertical]!)!]!, at = place.get(row[horizontal]!)! + 1;
    if (line[at] !== null) {
      return refuse(`\\crosstabview: query result contains multiple data values for row "${row[vertical] ?? '(null)'}", column "${row[horizontal] ?? '(null)'}"`);
    }
    line[at] = row[data] ?? nullText;
  }
  const align = alignOf(result.fields[data]!.typeOid);
  show({
    title: pset.popt.title, headers: [result.fields[vertical]!.name, ...columns.map(([name]) => name ?? nullText)], aligns: [alignOf(result.fields[vertical]!.typeOid), ...columns.map(() => align)],
    rows: cells.map((line) => line.map((c) => c ?? '')), footers: null,
  });
  return true;
}
