// Colours of a statement while it is typed, and of the prompt. Only on a terminal that wants them.
import { pset } from './settings.ts';
import { KEYWORDS } from './sql_words.ts';

const OFF = '\x1b[0m';
const COLOURS = { keyword: '\x1b[1;34m', string: '\x1b[32m', number: '\x1b[36m', comment: '\x1b[90m', command: '\x1b[35m', variable: '\x1b[33m' };
type Kind = keyof typeof COLOURS;

const TOKEN = /(--[^\n]*|\/\*(?:[^*]|\*(?!\/))*(?:\*\/)?)|([eE]'(?:[^'\\]|\\[^]|'')*'?|(?:[uU]&|[bBxXnN])?'(?:[^']|'')*'?|(\$(?:[A-Za-z_\x80-\uffff][\w\x80-\uffff]*)?\$)[^]*?(?:\3|$))|("(?:[^"]|"")*"?)|([A-Za-z_\x80-\uffff][\w$\x80-\uffff]*)|(\$\d+|\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+)|(::|:=)|(:\{\?\w+\}|:'\w+'|:"\w+"|:[A-Za-z_]\w*)|(\\[^\s\\;:]+)|[^]/gy;

/** Not on a dumb terminal, not when NO_COLOR (of any value) or --no-color says so. */
export const wantsColour = (): boolean => !pset.noColour && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb' && process.stdout.isTTY && process.stdout.getColorDepth() > 1;

/** For each UTF-16 unit of the text the index of its colour in PALETTE; 0 is none. */
export const PALETTE: readonly string[] = ['', ...Object.values(COLOURS)];
const INDEX = Object.fromEntries(Object.keys(COLOURS).map((k, i) => [k, i + 1])) as Record<Kind, number>;

export function colours(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  TOKEN.lastIndex = 0;
  for (let m = TOKEN.exec(text); m !== null; m = TOKEN.exec(text)) {
    const [all, comment, string, , quoted, word, number, , variable, command] = m;
    const kind: Kind | null = comment !== undefined ? 'comment' : string !== undefined ? 'string' : number !== undefined ? 'number' : variable !== undefined ? 'variable'
      : command !== undefined ? 'command' : word !== undefined && quoted === undefined && KEYWORDS.has(word.toLowerCase()) ? 'keyword' : null;
    if (kind !== null) out.fill(INDEX[kind], m.index, m.index + all.length);
    if (TOKEN.lastIndex >= text.length) break;
  }
  return out;
}

/** A prompt that has no colours of its own gets some; what moves no cursor stands between \x01 and \x02. */
export function colouredPrompt(prompt: string, first: boolean): string {
  if (prompt === '' || prompt.includes('\x1b')) return prompt;
  const m = /^([^]*?)(\s*)$/.exec(prompt)!;
  return `\x01${first ? '\x1b[1;32m' : '\x1b[32m'}\x02${m[1]}\x01${OFF}\x02${m[2]}`;
}
