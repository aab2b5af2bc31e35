// Prints tables in any format, and results of queries as tables (printTable, printQuery of print.c).
import type { Field } from '../../interfaces/libpq/result.ts';
import { printAligned, printVertical } from './print_aligned.ts';
import { asciidoc, asciidocVertical, csv, csvVertical, html, htmlVertical, latex, latexLongtable, latexVertical, troff, troffVertical, unaligned, unalignedVertical } from './print_markup.ts';
import type { Format, PrintContext, Printer, Table, TableOptions, TextOut } from './print_options.ts';

/** Across, and expanded. */
const PRINTERS: Record<Format, readonly [Printer, Printer]> = {
  'aligned': [printAligned, printVertical], 'wrapped': [printAligned, printVertical], 'unaligned': [unaligned, unalignedVertical], 'csv': [csv, csvVertical], 'html': [html, htmlVertical],
  'asciidoc': [asciidoc, asciidocVertical], 'latex': [latex, latexVertical], 'latex-longtable': [latexLongtable, latexVertical], 'troff-ms': [troff, troffVertical],
};

export function printTable(table: Table, context: PrintContext, out: TextOut): void {
  const { options } = context;
  // "Auto" is for tables that a person looks at, which aligned and wrapped ones decide for themselves.
  PRINTERS[options.format][options.expanded === 'on' ? 1 : 0](table, context, out);
}

/** Types whose values stand at the right: int8 int2 int4 oid xid cid numeric float4 float8 money xid8. */
const RIGHT = new Set([20, 21, 23, 26, 28, 29, 700, 701, 790, 1700, 5069]);
export const alignOf = (typeOid: number): 'l' | 'r' => (RIGHT.has(typeOid) ? 'r' : 'l');

/** Digits in groups of three (format_numeric_locale in the C locale, where PostgreSQL takes a comma). */
function groupDigits(text: string): string {
  const m = /^([+-]?)(\d+)(.*)$/s.exec(text);
  return m === null ? text : `${m[1]}${m[2]!.replace(/\B(?=(\d{3})+$)/g, ',')}${m[3]}`;
}

export interface QueryTable { fields: readonly Pick<Field, 'name' | 'typeOid'>[]; rows: readonly (readonly (string | null)[])[] }

export function tableOfResult(result: QueryTable, options: TableOptions, title: string | null, footers: readonly string[] | null): Table {
  const aligns = result.fields.map((f) => alignOf(f.typeOid));
  const cell = (value: string | null, i: number): string => (value === null ? options.nullText : options.numericLocale && aligns[i] === 'r' ? groupDigits(value) : value);
  const headers = result.fields.map((f) => f.name);
  if (headers.length === 0) return { title, headers, aligns, rows: [], count: result.rows.length, footers };
  // Most rows are printed as they came.
  const changed = (row: readonly (string | null)[]): boolean => options.numericLocale || row.includes(null);
  return { title, headers, aligns, rows: result.rows.map((row) => (changed(row) ? row.map(cell) : row as readonly string[])), footers };
}
