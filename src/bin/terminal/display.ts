// Draws what is being edited: prompts and lines, wrapped at the terminal's width, and the cursor. Only rows that changed are
// written again. A text taller than the screen shows the rows around the cursor.
import type { WriteStream } from 'node:tty';
import { PALETTE } from './highlight.ts';
import { screenWidth } from './mbprint.ts';

export interface Picture {
  text: string;
  cursor: number;
  /** The prompt of each line; \x01 and \x02 enclose what takes no columns. */
  prompts: readonly string[];
  /** For each UTF-16 unit of the text an index into PALETTE; null: no colours. */
  colours: Uint8Array | null;
}

interface Row { text: string; width: number }
interface Layout { rows: Row[]; row: number; column: number }
const TAB = 8, OFF = '\x1b[0m';

/** What a character looks like, and how wide that is. */
function shown(char: string, column: number): [text: string, width: number] {
  const code = char.codePointAt(0)!;
  if (char === '\t') {
    const width = TAB - column % TAB;
    return [' '.repeat(width), width];
  }
  if (code < 0x20 || code === 0x7f) return [`^${String.fromCharCode(code ^ 64)}`, 2];
  const width = screenWidth(code);
  return width < 0 ? ['?', 1] : [char, width];
}

function layout({ text, cursor, prompts, colours }: Picture, columns: number): Layout {
  const rows: Row[] = [];
  let out = '', column = 0, colour = 0, at: { row: number; column: number } = { row: 0, column: 0 };
  const end = (wraps: boolean): void => {
    rows.push({ text: colour === 0 ? out : out + OFF, width: column });
    out = colour === 0 || !wraps ? '' : PALETTE[colour]!;
    column = 0;
  };
  const put = (piece: string, width: number): void => {
    if (column + width > columns) end(true);
    out += piece;
    column += width;
  };
  const prompt = (line: string): void => {
    let hidden = false;
    for (const char of line) {
      if (char === '\x01') hidden = true;
      else if (char === '\x02') hidden = false;
      else if (hidden) out += char;
      else if (char === '\n') end(false);
      else put(...shown(char, column));
    }
  };
  prompt(prompts[0] ?? '');
  let i = 0, line = 0;
  for (const char of text) {
    if (i === cursor) {
      if (column >= columns) end(true);
      at = { row: rows.length, column };
    }
    if (char === '\n') {
      end(false);
      colour = 0;
      prompt(prompts[++line] ?? '');
    } else {
      const wanted = colours?.[i] ?? 0, [piece, width] = shown(char, column);
      if (column + width > columns) end(true);
      if (wanted !== colour) {
        out += (colour === 0 ? '' : OFF) + PALETTE[wanted]!;
        colour = wanted;
      }
      put(piece, width);
    }
    i += char.length;
  }
  if (i === cursor) {
    if (column >= columns) end(true);
    at = { row: rows.length, column };
  }
  end(false);
  return { rows, ...at };
}

export class Display {
  private readonly output: WriteStream;
  private drawn: Row[] = [];
  private row = 0;
  private column = 0;
  private top = 0;

  constructor(output: WriteStream) {
    this.output = output;
  }

  /** What is on the screen is somebody else's: the next picture starts where the cursor is. */
  forget(): void {
    this.drawn = [];
    this.row = this.column = this.top = 0;
  }

  draw(picture: Picture): void {
    const height = Math.max(2, this.output.rows || 24), all = layout(picture, Math.max(2, this.output.columns || 80));
    // A window of rows when there are more than the screen has.
    this.top = Math.max(0, Math.min(this.top, all.row, all.rows.length - height));
    if (all.row >= this.top + height) this.top = all.row - height + 1;
    const rows = all.rows.slice(this.top, this.top + height), { drawn } = this;
    let out = '';
    const move = (row: number): void => {
      if (row < this.row) out += `\x1b[${this.row - row}A`;
      else if (row > this.row) out += `\x1b[${row - this.row}B`;
      this.row = row;
    };
    for (const [i, row] of rows.entries()) {
      const before = drawn[i];
      if (before?.text === row.text) continue;
      if (i >= drawn.length && i > 0) {
        if (this.row !== i) {
          move(i - 1);
          out += '\r\n';
          this.row = i;
        }
        out += `\r${row.text}`;
      } else {
        // What only grew is written on. A full row must not be cleared behind its end, so it is cleared first.
        const grew = before !== undefined && this.row === i && this.column === before.width && row.text.startsWith(before.text);
        move(i);
        out += grew ? row.text.slice(before.text.length) : `\r\x1b[K${row.text}`;
      }
      this.column = -1;
    }
    if (drawn.length > rows.length) {
      move(rows.length - 1);
      out += '\r\x1b[B\x1b[J\x1b[A';
      this.column = -1;
    }
    this.drawn = rows;
    move(all.row - this.top);
    out += all.column === 0 ? '\r' : `\r\x1b[${all.column}C`;
    this.column = all.column;
    this.output.write(out);
  }

  /** Behind the text, at the beginning of a row of its own. */
  leave(): void {
    const down = this.drawn.length - 1 - this.row;
    this.output.write(`${down > 0 ? `\x1b[${down}B` : ''}\r\n`);
    this.forget();
  }

  /** The window has another width, and nobody knows how the terminal wrapped what stood there: it is drawn anew. */
  repaint(picture: Picture): void {
    const { row } = layout(picture, Math.max(2, this.output.columns || 80));
    const up = Math.max(this.row, row - this.top);
    this.output.write(`\r${up > 0 ? `\x1b[${up}A` : ''}\x1b[J`);
    this.forget();
    this.draw(picture);
  }

  clearScreen(picture: Picture): void {
    this.output.write('\x1b[H\x1b[2J');
    this.forget();
    this.draw(picture);
  }
}
