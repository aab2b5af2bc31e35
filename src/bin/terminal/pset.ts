// \pset (do_pset, printPsetInfo of command.c): what may be set, and how it is told.
import { logError, stdout } from './output.ts';
import { FORMATS, type Format, type LineStyle, type TableOptions, type UnicodeStyle } from './print_options.ts';
import { booleanOf, parseBoolean } from './variables.ts';

type Setter = (options: TableOptions, value: string | null) => boolean;

/** One style out of three by its beginning, as "old" for old-ascii. */
const unicodeStyle = (key: 'unicodeBorder' | 'unicodeColumn' | 'unicodeHeader', name: string): Setter => (options, value) => {
  if (value === null) return true;
  const found = (['single', 'double'] as UnicodeStyle[]).find((s) => s.startsWith(value.toLowerCase()));
  if (found === undefined) {
    logError(`\\pset: allowed Unicode ${name} line styles are single, double`);
    return false;
  }
  options[key] = found;
  return true;
};

const flag = (key: 'numericLocale' | 'tuplesOnly' | 'defaultFooter', name: string): Setter => (options, value) => {
  const on = value === null ? !options[key] : booleanOf(value, name);
  if (on !== undefined) options[key] = on;
  return on !== undefined;
};

const SETTERS: Record<string, Setter> = {
  format: (options, value) => {
    if (value === null) return true;
    // "latex" begins "latex-longtable" and means itself.
    const wanted = value.toLowerCase(), short = FORMATS.filter((f) => f !== 'latex-longtable' && f.startsWith(wanted)), some = short.length > 0 ? short : FORMATS.filter((f) => f.startsWith(wanted));
    if (some.length !== 1) {
      if (some.length > 1) logError(`\\pset: ambiguous abbreviation "${value}" matches both "${some[0]}" and "${some[1]}"`);
      else logError('\\pset: allowed formats are aligned, asciidoc, csv, html, latex, latex-longtable, troff-ms, unaligned, wrapped');
      return false;
    }
    options.format = some[0] as Format;
    return true;
  },
  linestyle: (options, value) => {
    if (value === null) return true;
    const found = (['ascii', 'old-ascii', 'unicode'] as LineStyle[]).find((s) => s.startsWith(value.toLowerCase()));
    if (found === undefined) {
      logError('\\pset: allowed line styles are ascii, old-ascii, unicode');
      return false;
    }
    options.lineStyle = found;
    return true;
  },
  unicode_border_linestyle: unicodeStyle('unicodeBorder', 'border'),
  unicode_column_linestyle: unicodeStyle('unicodeColumn', 'column'),
  unicode_header_linestyle: unicodeStyle('unicodeHeader', 'header'),
  border: (options, value) => {
    if (value !== null) options.border = Math.trunc(Number.parseFloat(value)) & 0xffff; // an unsigned short
    return true;
  },
  expanded: (options, value) => {
    if (value === null) options.expanded = options.expanded === 'off' ? 'on' : 'off';
    else if (value.toLowerCase() === 'auto') options.expanded = 'auto';
    else {
      const on = parseBoolean(value);
      if (on === undefined) {
        logError(`unrecognized value "${value}" for "expanded"\nAvailable values are: on, off, auto.`);
        return false;
      }
      options.expanded = on ? 'on' : 'off';
    }
    return true;
  },
  csv_fieldsep: (options, value) => {
    if (value === null) return true;
    if (Buffer.byteLength(value) !== 1) {
      logError('\\pset: csv_fieldsep must be a single one-byte character');
      return false;
    }
    if (value === '"' || value === '\n' || value === '\r') {
      logError('\\pset: csv_fieldsep cannot be a double quote, a newline, or a carriage return');
      return false;
    }
    options.csvFieldSeparator = value;
    return true;
  },
  numericlocale: flag('numericLocale', 'numericlocale'),
  null: (options, value) => {
    if (value !== null) options.nullText = value;
    return true;
  },
  fieldsep: (options, value) => {
    if (value !== null) {
      options.fieldSeparator = value;
      options.fieldSeparatorZero = false;
    }
    return true;
  },
  fieldsep_zero: (options) => {
    options.fieldSeparatorZero = true;
    return true;
  },
  recordsep: (options, value) => {
    if (value !== null) {
      options.recordSeparator = value;
      options.recordSeparatorZero = false;
    }
    return true;
  },
  recordsep_zero: (options) => {
    options.recordSeparatorZero = true;
    return true;
  },
  tuples_only: flag('tuplesOnly', 'tuples_only'),
  title: (options, value) => {
    options.title = value;
    return true;
  },
  tableattr: (options, value) => {
    options.tableAttributes = value;
    return true;
  },
  pager: (options, value) => {
    if (value?.toLowerCase() === 'always') options.pager = 2;
    else if (value !== null) {
      const on = parseBoolean(value);
      if (on === undefined) {
        logError(`unrecognized value "${value}" for "pager"\nAvailable values are: on, off, always.`);
        return false;
      }
      options.pager = on ? 1 : 0;
    } else options.pager = options.pager === 1 ? 0 : 1;
    return true;
  },
  pager_min_lines: (options, value) => {
    if (value === null) return true;
    const n = Number(value);
    if (!/^\s*[-+]?\d+\s*$/.test(value)) {
      logError(`invalid value "${value}" for "pager_min_lines": integer expected`);
      return false;
    }
    options.pagerMinLines = n;
    return true;
  },
  footer: flag('defaultFooter', 'footer'),
  columns: (options, value) => {
    if (value !== null) options.columns = Math.trunc(Number.parseFloat(value)) || 0;
    return true;
  },
};
const ALIASES: Record<string, string> = { x: 'expanded', vertical: 'expanded', t: 'tuples_only', C: 'title', T: 'tableattr' };

/** Sets one option, and says how it stands unless quiet. */
export function applyPset(name: string, value: string | null, options: TableOptions, quiet: boolean): boolean {
  const known = SETTERS[ALIASES[name] ?? name];
  if (known === undefined) {
    logError(`\\pset: unknown option: ${name}`);
    return false;
  }
  if (!known(options, value)) return false;
  // As in PostgreSQL, these three say nothing when they are given a value.
  const silent = value !== null && /^(numericlocale|tuples_only|footer)$/.test(ALIASES[name] ?? name);
  if (!quiet && !silent) stdout.write(TELL[ALIASES[name] ?? name]!(options));
  stdout.flush();
  return true;
}

const onOff = (on: boolean): string => (on ? 'on' : 'off');
const TELL: Record<string, (o: TableOptions) => string> = {
  border: (o) => `Border style is ${o.border}.\n`,
  columns: (o) => (o.columns === 0 ? 'Target width is unset.\n' : `Target width is ${o.columns}.\n`),
  csv_fieldsep: (o) => `Field separator for CSV is "${o.csvFieldSeparator}".\n`,
  expanded: (o) => (o.expanded === 'auto' ? 'Expanded display is used automatically.\n' : `Expanded display is ${o.expanded}.\n`),
  fieldsep: (o) => (o.fieldSeparatorZero ? 'Field separator is zero byte.\n' : `Field separator is "${o.fieldSeparator}".\n`),
  fieldsep_zero: () => 'Field separator is zero byte.\n',
  footer: (o) => `Default footer is ${onOff(o.defaultFooter)}.\n`,
  format: (o) => `Output format is ${o.format}.\n`,
  linestyle: (o) => `Line style is ${o.lineStyle}.\n`,
  null: (o) => `Null display is "${o.nullText}".\n`,
  numericlocale: (o) => `Locale-adjusted numeric output is ${onOff(o.numericLocale)}.\n`,
  pager: (o) => (o.pager === 1 ? 'Pager is used for long output.\n' : o.pager === 2 ? 'Pager is always used.\n' : 'Pager usage is off.\n'),
  pager_min_lines: (o) => `Pager won't be used for less than ${o.pagerMinLines} line${o.pagerMinLines === 1 ? '' : 's'}.\n`,
  recordsep: (o) => (o.recordSeparatorZero ? 'Record separator is zero byte.\n' : o.recordSeparator === '\n' ? 'Record separator is <newline>.\n' : `Record separator is "${o.recordSeparator}".\n`),
  recordsep_zero: () => 'Record separator is zero byte.\n',
  tableattr: (o) => (o.tableAttributes === null ? 'Table attributes unset.\n' : `Table attributes are "${o.tableAttributes}".\n`),
  title: (o) => (o.title === null ? 'Title is unset.\n' : `Title is "${o.title}".\n`),
  tuples_only: (o) => `Tuples only is ${onOff(o.tuplesOnly)}.\n`,
  unicode_border_linestyle: (o) => `Unicode border line style is "${o.unicodeBorder}".\n`,
  unicode_column_linestyle: (o) => `Unicode column line style is "${o.unicodeColumn}".\n`,
  unicode_header_linestyle: (o) => `Unicode header line style is "${o.unicodeHeader}".\n`,
};

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\'', '\\\'')}'`;
/** \pset without arguments: all of it, as it could be set again. */
const VALUES: [name: string, value: (o: TableOptions) => string][] = [
  ['border', (o) => String(o.border)], ['columns', (o) => String(o.columns)], ['csv_fieldsep', (o) => quoted(o.csvFieldSeparator)], ['expanded', (o) => o.expanded],
  ['fieldsep', (o) => quoted(o.fieldSeparatorZero ? '' : o.fieldSeparator)], ['fieldsep_zero', (o) => onOff(o.fieldSeparatorZero)], ['footer', (o) => onOff(o.defaultFooter)], ['format', (o) => o.format],
  ['linestyle', (o) => o.lineStyle], ['null', (o) => quoted(o.nullText)], ['numericlocale', (o) => onOff(o.numericLocale)], ['pager', (o) => String(o.pager)], ['pager_min_lines', (o) => String(o.pagerMinLines)],
  ['recordsep', (o) => quoted(o.recordSeparatorZero ? '' : o.recordSeparator)], ['recordsep_zero', (o) => onOff(o.recordSeparatorZero)], ['tableattr', (o) => (o.tableAttributes === null ? '' : quoted(o.tableAttributes))],
  ['title', (o) => (o.title === null ? '' : quoted(o.title))], ['tuples_only', (o) => onOff(o.tuplesOnly)], ['unicode_border_linestyle', (o) => o.unicodeBorder],
  ['unicode_column_linestyle', (o) => o.unicodeColumn], ['unicode_header_linestyle', (o) => o.unicodeHeader],
];

export function showPset(options: TableOptions): void {
  for (const [name, value] of VALUES) stdout.write(`${name.padEnd(24)} ${value(options)}\n`);
  stdout.flush();
}
