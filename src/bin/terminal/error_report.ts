// A report of the server as people read it (pqBuildErrorMessage3): the line and a caret below the place, details as VERBOSITY
// and SHOW_CONTEXT say.
import type { Report } from '../../interfaces/libpq/errors.ts';
import { charWidth, textWidth } from './mbprint.ts';

export type Verbosity = 'terse' | 'default' | 'verbose' | 'sqlstate';
export type ShowContext = 'never' | 'errors' | 'always';

const DISPLAY_SIZE = 60, MIN_RIGHT_CUT = 10;

export function reportText(report: Report, query: string | undefined, verbosity: Verbosity, showContext: ShowContext, isError: boolean): string {
  let text = `${report.severity ?? 'ERROR'}:  `;
  if (verbosity === 'sqlstate') {
    // A notice without a code says what it has.
    if (report.code !== undefined) return `${text}${report.code}\n`;
  }
  if (verbosity === 'verbose' && report.code !== undefined) text += `${report.code}: `;
  text += report.message ?? '';
  let place = '';
  const position = report.position ?? report.internalPosition;
  if (position !== undefined) {
    const source = report.position !== undefined ? query : report.internalQuery;
    if (verbosity !== 'terse' && source !== undefined) place = errorPosition(source, Number(position));
    else text += ` at character ${position}`;
  }
  text += '\n';
  if (verbosity !== 'terse') {
    text += place;
    if (report.detail !== undefined) text += `DETAIL:  ${report.detail}\n`;
    if (report.hint !== undefined) text += `HINT:  ${report.hint}\n`;
    if (report.internalQuery !== undefined) text += `QUERY:  ${report.internalQuery}\n`;
    if (report.where !== undefined && (showContext === 'always' || (showContext === 'errors' && isError))) text += `CONTEXT:  ${report.where}\n`;
  }
  if (verbosity === 'verbose') {
    for (const [name, value] of [['SCHEMA NAME', report.schema], ['TABLE NAME', report.table], ['COLUMN NAME', report.column], ['DATATYPE NAME', report.dataType], ['CONSTRAINT NAME', report.constraint]]) {
      if (value !== undefined) text += `${name}:  ${value}\n`;
    }
    if (report.file !== undefined || report.line !== undefined || report.routine !== undefined) {
      text += `LOCATION:  ${report.routine === undefined ? '' : `${report.routine}, `}${report.file !== undefined && report.line !== undefined ? `${report.file}:${report.line}` : ''}\n`;
    }
  }
  return text;
}

/** "LINE n: ..." and a caret; long lines are cut around the place (reportErrorPosition). */
function errorPosition(query: string, position: number): string {
  const chars = [...query], loc = position - 1;
  if (loc < 0) return '';
  const screen: number[] = [];
  let column = 0, line = 1, begin = 0, end = -1, i = 0;
  for (; i < chars.length; i++) {
    const c = chars[i]!;
    screen.push(column);
    if (c === '\t') chars[i] = ' ';
    else if (c === '\r' || c === '\n') {
      if (i < loc) {
        if (c === '\r' || i === 0 || chars[i - 1] !== '\r') line++;
        begin = i + 1;
      } else {
        end = i;
        break;
      }
    }
    column += Math.max(1, charWidth(chars[i]!.codePointAt(0)!));
  }
  if (end < 0) {
    end = i;
    screen.push(column);
  }
  if (loc > i) return '';
  let cutLeft = false, cutRight = false;
  if (screen[end]! - screen[begin]! > DISPLAY_SIZE) {
    if (screen[begin]! + DISPLAY_SIZE >= screen[loc]! + MIN_RIGHT_CUT) {
      while (screen[end]! - screen[begin]! > DISPLAY_SIZE) end--;
      cutRight = true;
    } else {
      while (screen[loc]! + MIN_RIGHT_CUT < screen[end]!) {
        end--;
        cutRight = true;
      }
      while (screen[end]! - screen[begin]! > DISPLAY_SIZE) {
        begin++;
        cutLeft = true;
      }
    }
  }
  const head = `LINE ${line}: ${cutLeft ? '...' : ''}`;
  return `${head}${chars.slice(begin, end).join('')}${cutRight ? '...' : ''}\n${' '.repeat(textWidth(head) + screen[loc]! - screen[begin]!)}^\n`;
}
