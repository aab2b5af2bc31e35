// How tables are printed: what \pset sets (printTableOpt of print.h), and what a table is.
export const FORMATS = ['aligned', 'asciidoc', 'csv', 'html', 'latex', 'latex-longtable', 'troff-ms', 'unaligned', 'wrapped'] as const;
export type Format = (typeof FORMATS)[number];
export type LineStyle = 'ascii' | 'old-ascii' | 'unicode';
export type UnicodeStyle = 'single' | 'double';

export interface TableOptions {
  format: Format;
  expanded: 'off' | 'on' | 'auto';
  border: number;
  pager: 0 | 1 | 2;
  pagerMinLines: number;
  tuplesOnly: boolean;
  defaultFooter: boolean;
  fieldSeparator: string;
  recordSeparator: string;
  fieldSeparatorZero: boolean;
  recordSeparatorZero: boolean;
  csvFieldSeparator: string;
  numericLocale: boolean;
  tableAttributes: string | null;
  columns: number;
  lineStyle: LineStyle;
  unicodeBorder: UnicodeStyle;
  unicodeColumn: UnicodeStyle;
  unicodeHeader: UnicodeStyle;
  nullText: string;
  title: string | null;
}

export const defaultOptions = (): TableOptions => ({
  format: 'aligned', expanded: 'off', border: 1, pager: 1, pagerMinLines: 0, tuplesOnly: false, defaultFooter: true, fieldSeparator: '|', recordSeparator: '\n', fieldSeparatorZero: false,
  recordSeparatorZero: false, csvFieldSeparator: ',', numericLocale: false, tableAttributes: null, columns: 0, lineStyle: 'ascii', unicodeBorder: 'single', unicodeColumn: 'single',
  unicodeHeader: 'single', nullText: '', title: null,
});

export interface Table {
  title: string | null;
  headers: readonly string[];
  /** 'l' or 'r' for each column. */
  aligns: readonly ('l' | 'r')[];
  rows: readonly (readonly string[])[];
  /** How many rows there are, where they have no columns to be seen by. */
  count?: number;
  /** Null: the default one, the number of rows. */
  footers: readonly string[] | null;
}

/** Takes a table's text piece by piece: all of it may be more than a string can hold. */
export interface TextOut { push(...pieces: readonly string[]): unknown }

export type Printer = (table: Table, context: PrintContext, out: TextOut) => void;

export interface PrintContext {
  options: TableOptions;
  /** Columns of the terminal that it goes to; 0: no terminal. */
  terminalColumns: number;
  /** Rows printed before these, when a result comes in parts. */
  startTable: boolean;
  stopTable: boolean;
  priorRecords: number;
}

/** What stands below a table that is not expanded. */
export function footersWithDefault(table: Table, { options, priorRecords }: PrintContext): readonly string[] {
  if (table.footers !== null || !options.defaultFooter) return table.footers ?? [];
  const total = priorRecords + (table.count ?? table.rows.length);
  return [total === 1 ? '(1 row)' : `(${total} rows)`];
}
