// Tables for programs: unaligned, CSV, HTML, AsciiDoc, LaTeX, troff (print.c).
import { footersWithDefault, type PrintContext, type Printer, type Table } from './print_options.ts';

const fieldSeparator = ({ options }: PrintContext): string => (options.fieldSeparatorZero ? '\0' : options.fieldSeparator);
const recordSeparator = ({ options }: PrintContext): string => (options.recordSeparatorZero ? '\0' : options.recordSeparator);
const blank = (text: string): boolean => /^[ \t]*$/.test(text);

// ---- unaligned

export const unaligned: Printer = (table, context, out) => {
  const { options, startTable, stopTable } = context, field = fieldSeparator(context), record = recordSeparator(context);
  let needed = !startTable;
  if (startTable && !options.tuplesOnly) {
    if (table.title !== null) out.push(table.title, record);
    out.push(table.headers.join(field));
    needed = true;
  }
  const separate = (): void => { if (needed) out.push(record); };
  for (const row of table.rows) {
    separate();
    out.push(row.join(field));
    needed = true;
  }
  if (stopTable) {
    if (!options.tuplesOnly) {
      for (const footer of footersWithDefault(table, context)) {
        separate();
        out.push(footer);
        needed = true;
      }
    }
    if (needed) out.push(options.recordSeparatorZero ? record : '\n');
  }
};

export const unalignedVertical: Printer = (table, context, out) => {
  const { options, startTable, stopTable } = context, field = fieldSeparator(context), record = recordSeparator(context);
  let needed = !startTable;
  if (startTable && !options.tuplesOnly && table.title !== null) {
    out.push(table.title);
    needed = true;
  }
  for (const row of table.rows) {
    if (needed) out.push(record, record);
    out.push(row.map((cell, i) => table.headers[i]! + field + cell).join(record));
    needed = true;
  }
  if (stopTable) {
    if (!options.tuplesOnly && table.footers !== null && table.footers.length > 0) {
      out.push(record);
      for (const footer of table.footers) out.push(record, footer);
    }
    if (needed) out.push(options.recordSeparatorZero ? record : '\n');
  }
};

// ---- CSV

function csvField(text: string, separator: string): string {
  const special = text.includes(separator) || /["\r\n]/.test(text) || text === '\\.' || separator === '\\' || separator === '.';
  return special ? `"${text.replaceAll('"', '""')}"` : text;
}

export const csv: Printer = (table, { options, startTable }, out) => {
  const separator = options.csvFieldSeparator, line = (cells: readonly string[]): string => `${cells.map((c) => csvField(c, separator)).join(separator)}\n`;
  if (startTable && !options.tuplesOnly) out.push(line(table.headers));
  for (const row of table.rows) out.push(line(row));
};

export const csvVertical: Printer = (table, { options }, out) => {
  const separator = options.csvFieldSeparator;
  for (const row of table.rows) for (const [i, cell] of row.entries()) out.push(`${csvField(table.headers[i]!, separator)}${separator}${csvField(cell, separator)}\n`);
};

// ---- HTML

export function htmlEscape(text: string): string {
  let leading = true, out = '';
  for (const c of text) {
    if (c === ' ' && leading) {
      out += '&nbsp;';
      continue;
    }
    leading = false;
    out += c === '&' ? '&amp;' : c === '<' ? '&lt;' : c === '>' ? '&gt;' : c === '\n' ? '<br />\n' : c === '"' ? '&quot;' : c;
  }
  return out;
}

const htmlCell = (text: string): string => (blank(text) ? '&nbsp; ' : htmlEscape(text));

function htmlStart(table: Table, { options }: PrintContext): string {
  const attributes = options.tableAttributes === null ? '' : ` ${options.tableAttributes}`;
  return `<table border="${options.border}"${attributes}>\n${!options.tuplesOnly && table.title !== null ? `  <caption>${htmlEscape(table.title)}</caption>\n` : ''}`;
}

const htmlEnd = (footers: readonly string[]): string => `</table>\n${footers.length > 0 ? `<p>${footers.map((f) => `${htmlEscape(f)}<br />\n`).join('')}</p>` : ''}\n`;

export const html: Printer = (table, context, out) => {
  const { options, startTable, stopTable } = context;
  if (startTable) {
    out.push(htmlStart(table, context));
    if (!options.tuplesOnly) out.push(`  <tr>\n${table.headers.map((h) => `    <th align="center">${htmlEscape(h)}</th>\n`).join('')}  </tr>\n`);
  }
  for (const row of table.rows) {
    out.push(`  <tr valign="top">\n${row.map((cell, i) => `    <td align="${table.aligns[i] === 'r' ? 'right' : 'left'}">${htmlCell(cell)}</td>\n`).join('')}  </tr>\n`);
  }
  if (stopTable) out.push(htmlEnd(options.tuplesOnly ? [] : footersWithDefault(table, context)));
};

export const htmlVertical: Printer = (table, context, out) => {
  const { options, startTable, stopTable } = context;
  let record = context.priorRecords + 1;
  if (startTable) out.push(htmlStart(table, context));
  for (const row of table.rows) {
    out.push(options.tuplesOnly ? '\n  <tr><td colspan="2">&nbsp;</td></tr>\n' : `\n  <tr><td colspan="2" align="center">Record ${record++}</td></tr>\n`);
    for (const [i, cell] of row.entries()) {
      out.push(`  <tr valign="top">\n    <th>${htmlEscape(table.headers[i]!)}</th>\n    <td align="${table.aligns[i] === 'r' ? 'right' : 'left'}">${htmlCell(cell)}</td>\n  </tr>\n`);
    }
  }
  if (stopTable) out.push(htmlEnd(options.tuplesOnly ? [] : table.footers ?? []));
};

// ---- AsciiDoc

const FRAMES = [',frame="none",grid="none"', ',frame="none"', ',frame="all",grid="all"'];
const asciidocEscape = (text: string): string => text.replaceAll('|', '\\|');
const asciidocTitle = (table: Table, { options }: PrintContext): string => `\n${!options.tuplesOnly && table.title !== null ? `.${table.title}\n` : ''}`;
const asciidocEnd = (footers: readonly string[]): string => (footers.length > 0 ? `\n....\n${footers.map((f) => `${f}\n`).join('')}....\n` : '');

export const asciidoc: Printer = (table, context, out) => {
  const { options, startTable, stopTable } = context;
  if (startTable) {
    out.push(`${asciidocTitle(table, context)}[${options.tuplesOnly ? '' : 'options="header",'}cols="${table.aligns.map((a) => (a === 'r' ? '>l' : '<l')).join(',')}"${FRAMES[options.border] ?? ''}]\n|====\n`);
    if (!options.tuplesOnly) out.push(`${table.headers.map((h) => `^l|${asciidocEscape(h)}`).join(' ')}\n`);
  }
  for (const row of table.rows) out.push(`${row.map((cell, i) => `|${blank(cell) ? (i < row.length - 1 ? ' ' : '') : asciidocEscape(cell)}`).join(' ')}\n`);
  out.push('|====\n');
  if (stopTable) out.push(asciidocEnd(options.tuplesOnly ? [] : footersWithDefault(table, context)));
};

export const asciidocVertical: Printer = (table, context, out) => {
  const { options, startTable, stopTable } = context;
  let record = context.priorRecords + 1;
  if (startTable) out.push(`${asciidocTitle(table, context)}[cols="h,l"${FRAMES[options.border] ?? ''}]\n|====\n`);
  for (const row of table.rows) {
    out.push(options.tuplesOnly ? '2+|\n' : `2+^|Record ${record++}\n`);
    for (const [i, cell] of row.entries()) out.push(`<l|${asciidocEscape(table.headers[i]!)} ${table.aligns[i] === 'r' ? '>l' : '<l'}|${blank(cell) ? ' ' : asciidocEscape(cell)}\n`);
  }
  out.push('|====\n');
  if (stopTable) out.push(asciidocEnd(options.tuplesOnly ? [] : table.footers ?? []));
};

// ---- LaTeX

const LATEX: Record<string, string> = {
  '#': '\\#', '$': '\\$', '%': '\\%', '&': '\\&', '<': '\\textless{}', '>': '\\textgreater{}', '\\': '\\textbackslash{}', '^': '\\^{}', '_': '\\_', '{': '\\{', '|': '\\textbar{}', '}': '\\}',
  '~': '\\~{}', '\n': '\\\\',
};
const latexEscape = (text: string): string => text.replace(/[#$%&<>\\^_{|}~\n]/g, (c) => LATEX[c]!);
const latexTitle = (table: Table, { options }: PrintContext): string => (!options.tuplesOnly && table.title !== null ? `\\begin{center}\n${latexEscape(table.title)}\n\\end{center}\n\n` : '');
const latexEnd = (border: number, footers: readonly string[]): string => `${border === 2 ? '\\hline\n' : ''}\\end{tabular}\n\n\\noindent ${footers.map((f) => `${latexEscape(f)} \\\\\n`).join('')}\n`;

export const latex: Printer = (table, context, out) => {
  const { options, startTable, stopTable } = context, border = Math.min(options.border, 3);
  if (startTable) {
    out.push(`${latexTitle(table, context)}\\begin{tabular}{${border >= 2 ? '| ' : ''}${table.aligns.join(border !== 0 ? ' | ' : '')}${border >= 2 ? ' |' : ''}}\n`);
    if (!options.tuplesOnly && border >= 2) out.push('\\hline\n');
    if (!options.tuplesOnly) out.push(`${table.headers.map((h) => `\\textit{${latexEscape(h)}}`).join(' & ')} \\\\\n\\hline\n`);
  }
  for (const row of table.rows) out.push(`${row.map(latexEscape).join(' & ')} \\\\\n${border === 3 ? '\\hline\n' : ''}`);
  if (stopTable) out.push(latexEnd(border, options.tuplesOnly ? [] : footersWithDefault(table, context)));
};

export const latexVertical: Printer = (table, context, out) => {
  const { options, startTable, stopTable } = context, border = Math.min(options.border, 2);
  let record = context.priorRecords + 1;
  if (startTable) out.push(`${latexTitle(table, context)}\\begin{tabular}{${['cl', 'c|l', '|c|l|'][border]}}\n`);
  for (const row of table.rows) {
    if (!options.tuplesOnly) out.push(border === 2 ? `\\hline\n\\multicolumn{2}{|c|}{\\textit{Record ${record++}}} \\\\\n` : `\\multicolumn{2}{c}{\\textit{Record ${record++}}} \\\\\n`);
    if (border >= 1) out.push('\\hline\n');
    for (const [i, cell] of row.entries()) out.push(`${latexEscape(table.headers[i]!)} & ${latexEscape(cell)} \\\\\n`);
  }
  if (stopTable) out.push(latexEnd(border, options.tuplesOnly ? [] : table.footers ?? []));
};

export const latexLongtable: Printer = (table, context, out) => {
  const { options, startTable, stopTable } = context, border = Math.min(options.border, 3);
  if (startTable) {
    // The attributes are widths for the left-aligned columns, as parts of the text's; the last one goes on.
    const widths = options.tableAttributes?.trim().split(/\s+/) ?? [];
    let width = '';
    const columns = table.aligns.map((a) => {
      if (a !== 'l' || options.tableAttributes === null) return a;
      width = widths.shift() ?? width;
      return `p{${width}\\textwidth}`;
    });
    out.push(`\\begin{longtable}{${border >= 2 ? '| ' : ''}${columns.join(border !== 0 ? ' | ' : '')}${border >= 2 ? ' |' : ''}}\n`);
    if (!options.tuplesOnly) {
      const headers = `${table.headers.map((h) => `\\small\\textbf{\\textit{${latexEscape(h)}}}`).join(' & ')} \\\\\n`, top = border >= 2 ? '\\toprule\n' : '';
      out.push(`${top}${headers}\\midrule\n\\endfirsthead\n${top}${headers}${border !== 3 ? '\\midrule\n' : ''}\\endhead\n`);
      if (table.title !== null) {
        const title = latexEscape(table.title), rule = border === 2 ? '\\bottomrule\n' : '';
        out.push(`${rule}\\caption[${title} (Continued)]{${title}}\n\\endfoot\n${rule}\\caption[${title}]{${title}}\n\\endlastfoot\n`);
      } else if (border >= 2) out.push('\\bottomrule\n\\endfoot\n\\bottomrule\n\\endlastfoot\n');
    }
  }
  for (const row of table.rows) out.push(`${row.map((cell) => `\\raggedright{${latexEscape(cell)}}`).join('\n&\n')} \\tabularnewline\n${border === 3 ? ' \\hline\n' : ''}`);
  if (stopTable) out.push('\\end{longtable}\n');
};

// ---- troff

const troffEscape = (text: string): string => text.replaceAll('\\', '\\(rs');
const troffTitle = (table: Table, { options }: PrintContext): string => (!options.tuplesOnly && table.title !== null ? `.LP\n.DS C\n${troffEscape(table.title)}\n.DE\n` : '');
const troffEnd = (footers: readonly string[]): string => `.TE\n.DS L\n${footers.map((f) => `${troffEscape(f)}\n`).join('')}.DE\n`;
const troffBox = (border: number): string => `.LP\n.TS\n${border === 2 ? 'center box;\n' : 'center;\n'}`;

export const troff: Printer = (table, context, out) => {
  const { options, startTable, stopTable } = context, border = Math.min(options.border, 2);
  if (startTable) {
    out.push(`${troffTitle(table, context)}${troffBox(border)}${table.aligns.join(border > 0 ? ' | ' : '')}.\n`);
    if (!options.tuplesOnly) out.push(`${table.headers.map((h) => `\\fI${troffEscape(h)}\\fP`).join('\t')}\n_\n`);
  }
  for (const row of table.rows) out.push(`${row.map(troffEscape).join('\t')}\n`);
  if (stopTable) out.push(troffEnd(options.tuplesOnly ? [] : footersWithDefault(table, context)));
};

export const troffVertical: Printer = (table, context, out) => {
  const { options, startTable, stopTable } = context, border = Math.min(options.border, 2);
  let record = context.priorRecords + 1;
  if (startTable) out.push(`${troffTitle(table, context)}${troffBox(border)}${options.tuplesOnly ? 'c l;\n' : ''}`);
  // Which line of format is in force: none, a record's head, fields.
  let current = startTable ? 0 : 2;
  for (const row of table.rows) {
    if (!options.tuplesOnly) {
      if (current !== 1) {
        if (border === 2 && record > 1) out.push('_\n');
        if (current !== 0) out.push('.T&\n');
        out.push('c s.\n');
        current = 1;
      }
      out.push(`\\fIRecord ${record++}\\fP\n`);
    }
    if (border >= 1) out.push('_\n');
    for (const [i, cell] of row.entries()) {
      if (!options.tuplesOnly && current !== 2) {
        out.push(`.T&\n${border !== 1 ? 'c l.\n' : 'c | l.\n'}`);
        current = 2;
      }
      out.push(`${troffEscape(table.headers[i]!)}\t${troffEscape(cell)}\n`);
    }
  }
  if (stopTable) out.push(troffEnd(options.tuplesOnly ? [] : table.footers ?? []));
};
