// Aligned and wrapped tables, across and down, in ASCII or with lines of Unicode (print_aligned_* of print.c).
import { cutAt, formatLines, sizeOf, type Line } from './mbprint.ts';
import { footersWithDefault, type PrintContext, type Table, type TableOptions, type TextOut } from './print_options.ts';

interface Rule { h: string; left: string; middle: string; right: string }
interface TextFormat {
  top: Rule; middle: Rule; bottom: Rule; data: Rule;
  midNewline: string; midWrap: string; midBlank: string;
  headerNlLeft: string; headerNlRight: string; nlLeft: string; nlRight: string; wrapLeft: string; wrapRight: string;
  wrapRightBorder: boolean;
}

const ASCII_RULE: Rule = { h: '-', left: '+', middle: '+', right: '+' }, ASCII_DATA: Rule = { h: '', left: '|', middle: '|', right: '|' };
const ASCII: TextFormat = {
  top: ASCII_RULE, middle: ASCII_RULE, bottom: ASCII_RULE, data: ASCII_DATA, midNewline: '|', midWrap: '|', midBlank: '|', headerNlLeft: ' ', headerNlRight: '+', nlLeft: ' ', nlRight: '+',
  wrapLeft: '.', wrapRight: '.', wrapRightBorder: true,
};
const OLD_ASCII: TextFormat = {
  ...ASCII, midNewline: ':', midWrap: ';', midBlank: ' ', headerNlLeft: '+', headerNlRight: ' ', nlRight: ' ', wrapLeft: ' ', wrapRight: ' ', wrapRightBorder: false,
};

function unicodeFormat(options: TableOptions): TextFormat {
  const b = options.unicodeBorder === 'double' ? 1 : 0, h = options.unicodeHeader === 'double' ? 1 : 0, c = options.unicodeColumn === 'double' ? 1 : 0;
  const row = [{ h: '─', right: ['├', '╟'], left: ['┤', '╢'] }, { h: '═', right: ['╞', '╠'], left: ['╡', '╣'] }][h]!;
  const column = [{ v: '│', cross: ['┼', '╪'], up: ['┴', '╧'], down: ['┬', '╤'] }, { v: '║', cross: ['╫', '╬'], up: ['╨', '╩'], down: ['╥', '╦'] }][c]!;
  const border = [{ upRight: '└', v: '│', downRight: '┌', h: '─', downLeft: '┐', upLeft: '┘' }, { upRight: '╚', v: '║', downRight: '╔', h: '═', downLeft: '╗', upLeft: '╝' }][b]!;
  return {
    top: { h: border.h, left: border.downRight, middle: column.down[b]!, right: border.downLeft },
    middle: { h: row.h, left: row.right[b]!, middle: column.cross[h]!, right: row.left[b]! },
    bottom: { h: border.h, left: border.upRight, middle: column.up[b]!, right: border.upLeft },
    data: { h: '', left: border.v, middle: column.v, right: border.v },
    midNewline: column.v, midWrap: column.v, midBlank: column.v, headerNlLeft: ' ', headerNlRight: '↵', nlLeft: ' ', nlRight: '↵', wrapLeft: '…', wrapRight: '…', wrapRightBorder: true,
  };
}

const formatOf = (options: TableOptions): TextFormat => (options.lineStyle === 'unicode' ? unicodeFormat(options) : options.lineStyle === 'old-ascii' ? OLD_ASCII : ASCII);

function horizontalLine(widths: readonly number[], border: number, rule: Rule): string {
  let line = border === 1 ? rule.h : border === 2 ? rule.left + rule.h : '';
  for (const [i, width] of widths.entries()) {
    line += rule.h.repeat(width);
    if (i < widths.length - 1) line += border === 0 ? ' ' : rule.h + rule.middle + rule.h;
  }
  return `${line}${border === 2 ? rule.h + rule.right : border === 1 ? rule.h : ''}\n`;
}

type Wrap = 'none' | 'wrap' | 'newline';

export function printAligned(table: Table, context: PrintContext, out: TextOut): void {
  const { options, startTable, stopTable } = context;
  const { headers, rows, aligns } = table, columns = headers.length, format = formatOf(options);
  const border = Math.min(options.border, 2);
  const headerSizes = headers.map(sizeOf), maxWidth = headerSizes.map((s) => s.width), average = new Array<number>(columns).fill(0);
  for (const row of rows) {
    for (let i = 0; i < columns; i++) {
      const { width } = sizeOf(row[i]!);
      if (width > maxWidth[i]!) maxWidth[i] = width;
      average[i]! += width;
    }
  }
  if (rows.length > 0) for (let i = 0; i < columns; i++) average[i] = Math.trunc(average[i]! / rows.length);
  const lines = border === 0 ? columns : border === 1 ? columns * 3 - (columns > 0 ? 1 : 0) : columns * 3 + 1;
  let total = lines + maxWidth.reduce((a, b) => a + b, 0);
  const headerTotal = lines + headerSizes.reduce((a, s) => a + s.width, 0);
  const wrapWidth = [...maxWidth], available = options.columns > 0 ? options.columns : context.terminalColumns;
  if (options.format === 'wrapped' && available > 0 && available >= headerTotal) {
    // The column that is widest beside its average gives way first.
    while (total > available) {
      let worst = -1, worstRatio = 0;
      for (let i = 0; i < columns; i++) {
        if (average[i]! === 0 || wrapWidth[i]! <= headerSizes[i]!.width) continue;
        const ratio = wrapWidth[i]! / average[i]! + maxWidth[i]! * 0.01;
        if (ratio > worstRatio) {
          worstRatio = ratio;
          worst = i;
        }
      }
      if (worst < 0) break;
      wrapWidth[worst]!--;
      total--;
    }
  }
  if (options.expanded === 'auto' && available > 0 && (available < headerTotal || available < total)) return printVertical(table, context, out);
  if (startTable) {
    if (table.title !== null && !options.tuplesOnly) {
      const { width } = sizeOf(table.title);
      out.push(`${width >= total ? '' : ' '.repeat(Math.trunc((total - width) / 2))}${table.title}\n`);
    }
    if (!options.tuplesOnly) header(headers, wrapWidth, border, format, out);
  }
  const data = { aligns, widths: wrapWidth, border, format };
  for (const row of rows) dataRow(row, data, out);
  if (stopTable) {
    if (border === 2) out.push(horizontalLine(wrapWidth, border, format.bottom));
    if (!options.tuplesOnly) for (const footer of footersWithDefault(table, context)) out.push(`${footer}\n`);
    out.push('\n');
  }
}

function header(headers: readonly string[], widths: readonly number[], border: number, format: TextFormat, out: TextOut): void {
  if (border === 2) out.push(horizontalLine(widths, border, format.top));
  const cells = headers.map(formatLines), height = Math.max(0, ...cells.map((c) => c.length));
  for (let n = 0; n < height; n++) {
    let line = border === 2 ? format.data.left : '';
    for (const [i, cell] of cells.entries()) {
      if (border !== 0 || (!format.wrapRightBorder && i > 0)) line += n > 0 ? format.headerNlLeft : ' ';
      const text = cell[n];
      if (text !== undefined) {
        const space = widths[i]! - text.width;
        line += ' '.repeat(space >> 1) + text.text + ' '.repeat((space + 1) >> 1);
      } else line += ' '.repeat(widths[i]!);
      if (border !== 0 || format.wrapRightBorder) line += n + 1 < cell.length ? format.headerNlRight : ' ';
      if (border !== 0 && i < cells.length - 1) line += format.data.middle;
    }
    out.push(`${line}${border === 2 ? format.data.right : ''}\n`);
  }
  out.push(horizontalLine(widths, border, format.middle));
}

function dataRow(row: readonly string[], data: { aligns: readonly string[]; widths: readonly number[]; border: number; format: TextFormat }, out: TextOut): void {
  const { aligns, widths, border, format } = data, columns = widths.length;
  const cells: Line[][] = row.map(formatLines), at = new Array<number>(columns).fill(0), offset = new Array<number>(columns).fill(0);
  const wrap = new Array<Wrap>(columns).fill('none');
  let more: boolean;
  do {
    more = false;
    let line = border === 2 ? format.data.left : '';
    for (let j = 0; j < columns; j++) {
      const current = cells[j]![at[j]!], last = j === columns - 1, finalSpaces = border === 2 || !last;
      if (border !== 0) line += wrap[j] === 'none' ? ' ' : wrap[j] === 'wrap' ? format.wrapLeft : format.nlLeft;
      let shown = widths[j]!;
      if (current === undefined) {
        if (finalSpaces) line += ' '.repeat(widths[j]!);
      } else {
        const piece = cutAt(offset[j] === 0 ? current.text : current.text.slice(offset[j]), widths[j]!);
        shown = piece.width;
        if (aligns[j] === 'r') line += ' '.repeat(Math.max(0, widths[j]! - shown));
        line += piece.text;
        offset[j]! += piece.text.length;
        if (offset[j]! < current.text.length) more = true;
        else {
          at[j]!++;
          if (cells[j]![at[j]!] !== undefined) more = true;
          offset[j] = 0;
        }
      }
      wrap[j] = cells[j]![at[j]!] === undefined ? 'none' : offset[j] !== 0 ? 'wrap' : at[j] !== 0 ? 'newline' : 'none';
      if (aligns[j] !== 'r' && (finalSpaces || wrap[j] !== 'none')) line += ' '.repeat(Math.max(0, widths[j]! - shown));
      if (wrap[j] === 'wrap') line += format.wrapRight;
      else if (wrap[j] === 'newline') line += format.nlRight;
      else if (border === 2 || !last) line += ' ';
      if (border !== 0 && !last) {
        if (wrap[j + 1] === 'wrap') line += format.midWrap;
        else if (wrap[j + 1] === 'newline') line += format.midNewline;
        else line += cells[j + 1]![at[j + 1]!] === undefined ? format.midBlank : format.data.middle;
      }
    }
    out.push(`${line}${border === 2 ? format.data.right : ''}\n`);
  } while (more);
}

// ---- expanded

function recordLine(border: number, record: number, headerWidth: number, dataWidth: number, rule: Rule): string {
  let line = border === 2 ? rule.left + rule.h : border === 1 ? rule.h : '', length = 0;
  if (record > 0) {
    const text = border === 0 ? `* Record ${record}` : `[ RECORD ${record} ]`;
    line += text;
    length = text.length;
  }
  const fill = border > 0 ? rule.h : ' ';
  if (border !== 2) length++;
  line += fill.repeat(Math.max(0, headerWidth - length));
  length -= headerWidth;
  if (border > 0) {
    if (length-- <= 0) line += rule.h;
    if (length-- <= 0) line += rule.middle;
    if (length-- <= 0) line += rule.h;
  } else if (length-- <= 0) line += ' ';
  line += fill.repeat(Math.max(0, dataWidth - Math.max(0, length)));
  return `${line}${border === 2 ? rule.h + rule.right : ''}\n`;
}

export function printVertical(table: Table, context: PrintContext, out: TextOut): void {
  const { options, startTable, stopTable } = context;
  const { headers, rows } = table, format = formatOf(options), old = format === OLD_ASCII, border = Math.min(options.border, 2);
  if (rows.length === 0 && startTable && stopTable) {
    if (!options.tuplesOnly) for (const footer of footersWithDefault(table, context)) out.push(`${footer}\n`);
    out.push('\n');
    return;
  }
  const headerSizes = headers.map(sizeOf);
  const headerWidth = Math.max(0, ...headerSizes.map((s) => s.width)), headerMultiline = headerSizes.some((s) => s.height > 1);
  let dataWidth = 0, dataMultiline = false;
  for (const row of rows) {
    for (const cell of row) {
      const size = sizeOf(cell);
      if (size.width > dataWidth) dataWidth = size.width;
      if (size.height > 1) dataMultiline = true;
    }
  }
  if (startTable && !options.tuplesOnly && table.title !== null) out.push(`${table.title}\n`);
  if (options.format === 'wrapped') {
    const available = options.columns > 0 ? options.columns : context.terminalColumns;
    let spacers = border === 0 ? 1 : border === 1 ? 3 : 7;
    if (headerMultiline && (border === 0 || old)) spacers++;
    if (dataMultiline && border < 2 && !old) spacers++;
    const recordWidth = options.tuplesOnly ? 0 : (rows.length > 0 ? 1 + Math.floor(Math.log10(rows.length)) : 0) + (border === 0 ? 9 : border === 1 ? 12 : 15);
    for (;;) {
      const width = Math.max(headerWidth + spacers + dataWidth, recordWidth);
      let next = width - headerWidth - spacers;
      if (available > 0 && available < width) {
        const minimum = Math.max(headerWidth + spacers + 3, recordWidth);
        next = Math.max(available, minimum) - headerWidth - spacers;
      }
      if (next < dataWidth && !dataMultiline && border < 2 && !old) {
        dataMultiline = true;
        spacers++;
        continue;
      }
      dataWidth = next;
      break;
    }
  }
  let rule = startTable ? format.top : format.middle, record = context.priorRecords + 1;
  for (const [n, row] of rows.entries()) {
    const lineWidth = border < 2 && headerMultiline && old ? headerWidth + 1 : headerWidth;
    if (!options.tuplesOnly) out.push(recordLine(border, record++, lineWidth, dataWidth, rule));
    else if (n !== 0 || !startTable || border === 2) out.push(recordLine(border, 0, lineWidth, dataWidth, rule));
    rule = format.middle;
    for (const [i, cell] of row.entries()) verticalCell(formatLines(headers[i]!), formatLines(cell), { format, old, border, headerWidth, dataWidth, headerMultiline, dataMultiline }, out);
  }
  if (stopTable) {
    if (border === 2) out.push(recordLine(border, 0, headerWidth, dataWidth, format.bottom));
    if (!options.tuplesOnly && table.footers !== null && table.footers.length > 0) {
      if (border < 2) out.push('\n');
      for (const footer of table.footers) out.push(`${footer}\n`);
    }
    out.push('\n');
  }
}

interface VerticalShape { format: TextFormat; old: boolean; border: number; headerWidth: number; dataWidth: number; headerMultiline: boolean; dataMultiline: boolean }

function verticalCell(header_: readonly Line[], data: readonly Line[], shape: VerticalShape, out: TextOut): void {
  const { format, old, border, headerWidth, dataWidth, headerMultiline, dataMultiline } = shape;
  let h = 0, d = 0, offset = 0, left = data[0]!.width, headerDone = false, dataDone = false;
  while (!headerDone || !dataDone) {
    let line = border === 2 ? format.data.left : '';
    if (!headerDone) {
      const current = header_[h]!;
      if (border === 2 || (headerMultiline && old)) line += h > 0 ? format.headerNlLeft : ' ';
      line += current.text + ' '.repeat(Math.max(0, headerWidth - current.width));
      const more = h + 1 < header_.length;
      if (border > 0 || (headerMultiline && !old)) line += more ? format.headerNlRight : ' ';
      if (more) h++;
      else headerDone = true;
    } else {
      let spaces = headerWidth + border;
      if (border < 2 && headerMultiline && old) spaces++;
      if (border === 0 && !old && headerMultiline) spaces++;
      line += ' '.repeat(Math.max(1, spaces));
    }
    if (border > 0) line += offset > 0 ? format.midWrap : d === 0 ? format.data.middle : format.midNewline;
    if (!dataDone) {
      const current = data[d]!;
      line += offset === 0 ? ' ' : format.wrapLeft;
      const piece = cutAt(current.text.slice(offset), dataWidth);
      line += piece.text;
      left -= piece.width;
      offset += piece.text.length;
      const spaces = ' '.repeat(Math.max(0, dataWidth - piece.width)), marks = border > 1 || (dataMultiline && !old);
      if (left > 0) {
        if (marks) line += spaces + format.wrapRight;
      } else if (d + 1 < data.length) {
        if (marks) line += spaces + format.nlRight;
        d++;
        offset = 0;
        left = data[d]!.width;
      } else {
        if (border > 1) line += `${spaces} `;
        dataDone = true;
      }
      if (border === 2) line += format.data.right;
    } else if (border === 2) line += `${' '.repeat(dataWidth)}  ${format.data.right}`;
    out.push(`${line}\n`);
  }
}
