// How wide texts are on a terminal, and how they are cut into lines (mbprint.c). Control characters are shown as escapes.

/** First and last code points that take two columns (East Asian Wide and Fullwidth), outside ASCII. */
const WIDE: readonly [number, number][] = [
  [0x1100, 0x115f], [0x231a, 0x231b], [0x2329, 0x232a], [0x23e9, 0x23ec], [0x23f0, 0x23f0], [0x23f3, 0x23f3], [0x25fd, 0x25fe], [0x2614, 0x2615], [0x2648, 0x2653], [0x267f, 0x267f],
  [0x2693, 0x2693], [0x26a1, 0x26a1], [0x26aa, 0x26ab], [0x26bd, 0x26be], [0x26c4, 0x26c5], [0x26ce, 0x26ce], [0x26d4, 0x26d4], [0x26ea, 0x26ea], [0x26f2, 0x26f3], [0x26f5, 0x26f5],
  [0x26fa, 0x26fa], [0x26fd, 0x26fd], [0x2705, 0x2705], [0x270a, 0x270b], [0x2728, 0x2728], [0x274c, 0x274c], [0x274e, 0x274e], [0x2753, 0x2755], [0x2757, 0x2757], [0x2795, 0x2797],
  [0x27b0, 0x27b0], [0x27bf, 0x27bf], [0x2b1b, 0x2b1c], [0x2b50, 0x2b50], [0x2b55, 0x2b55], [0x2e80, 0x2e99], [0x2e9b, 0x2ef3], [0x2f00, 0x2fd5], [0x2ff0, 0x2ffb], [0x3000, 0x303e],
  [0x3041, 0x3096], [0x3099, 0x30ff], [0x3105, 0x312f], [0x3131, 0x318e], [0x3190, 0x31e3], [0x31f0, 0x321e], [0x3220, 0x3247], [0x3250, 0x4dbf], [0x4e00, 0xa48c], [0xa490, 0xa4c6],
  [0xa960, 0xa97c], [0xac00, 0xd7a3], [0xf900, 0xfaff], [0xfe10, 0xfe19], [0xfe30, 0xfe52], [0xfe54, 0xfe66], [0xfe68, 0xfe6b], [0xff01, 0xff60], [0xffe0, 0xffe6], [0x16fe0, 0x16fe4],
  [0x16ff0, 0x16ff1], [0x17000, 0x187f7], [0x18800, 0x18cd5], [0x18d00, 0x18d08], [0x1aff0, 0x1affe], [0x1b000, 0x1b2fb], [0x1f004, 0x1f004], [0x1f0cf, 0x1f0cf], [0x1f18e, 0x1f18e],
  [0x1f191, 0x1f19a], [0x1f200, 0x1f202], [0x1f210, 0x1f23b], [0x1f240, 0x1f248], [0x1f250, 0x1f251], [0x1f260, 0x1f265], [0x1f300, 0x1f320], [0x1f32d, 0x1f335], [0x1f337, 0x1f37c],
  [0x1f37e, 0x1f393], [0x1f3a0, 0x1f3ca], [0x1f3cf, 0x1f3d3], [0x1f3e0, 0x1f3f0], [0x1f3f4, 0x1f3f4], [0x1f3f8, 0x1f43e], [0x1f440, 0x1f440], [0x1f442, 0x1f4fc], [0x1f4ff, 0x1f53d],
  [0x1f54b, 0x1f54e], [0x1f550, 0x1f567], [0x1f57a, 0x1f57a], [0x1f595, 0x1f596], [0x1f5a4, 0x1f5a4], [0x1f5fb, 0x1f64f], [0x1f680, 0x1f6c5], [0x1f6cc, 0x1f6cc], [0x1f6d0, 0x1f6d2],
  [0x1f6d5, 0x1f6d7], [0x1f6dd, 0x1f6df], [0x1f6eb, 0x1f6ec], [0x1f6f4, 0x1f6fc], [0x1f7e0, 0x1f7eb], [0x1f7f0, 0x1f7f0], [0x1f90c, 0x1f93a], [0x1f93c, 0x1f945], [0x1f947, 0x1f9ff],
  [0x1fa70, 0x1faf6], [0x20000, 0x2fffd], [0x30000, 0x3fffd],
];
/** Not those that only join or direct others (Cf): PostgreSQL counts a column for them. */
const COMBINING = /^[\p{Mn}\p{Me}]$/u;

/** Outside UTF-8 PostgreSQL knows no control characters from 0x80 on: they take a column, and are printed. */
export const controls = { high: true };

/** Columns of one code point; -1: it cannot be shown as it is. */
export function charWidth(code: number): number {
  if (code < 0x20 || code === 0x7f || (code > 0x7f && code < 0xa0 && controls.high)) return code === 0 ? 0 : -1;
  if (code < 0x300) return 1;
  if (COMBINING.test(String.fromCodePoint(code))) return 0;
  let low = 0, high = WIDE.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1, [from, to] = WIDE[middle]!;
    if (code < from) high = middle - 1;
    else if (code > to) low = middle + 1;
    else return 2;
  }
  return 1;
}

/** Columns that a terminal gives a code point: joiners and marks of direction take none there. */
export const screenWidth = (code: number): number => (code > 0x2ff && /^\p{Cf}$/u.test(String.fromCodePoint(code)) ? 0 : charWidth(code));

const PLAIN = /^[\x20-\x7e]*$/;

export interface Line { text: string; width: number }

/** Columns of a text without control characters. */
export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += Math.max(0, charWidth(char.codePointAt(0)!));
  return width;
}

/** The lines of a text as they will be printed (pg_wcsformat). */
export function formatLines(text: string): Line[] {
  if (PLAIN.test(text)) return [{ text, width: text.length }];
  const lines: Line[] = [];
  let out = '', width = 0;
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (code === 10) {
      lines.push({ text: out, width });
      out = '';
      width = 0;
    } else if (code === 13) {
      out += '\\r';
      width += 2;
    } else if (code === 9) {
      do {
        out += ' ';
        width++;
      } while (width % 8 !== 0);
    } else {
      const w = charWidth(code);
      if (w >= 0) {
        out += char;
        width += w;
      } else if (code < 0x80) {
        out += `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`;
        width += 4;
      } else {
        out += `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
        width += 6;
      }
    }
  }
  lines.push({ text: out, width });
  return lines;
}

/** Widest line and number of lines (pg_wcssize). */
export function sizeOf(text: string): { width: number; height: number } {
  if (PLAIN.test(text)) return { width: text.length, height: 1 };
  const lines = formatLines(text);
  return { width: lines.reduce((w, l) => Math.max(w, l.width), 0), height: lines.length };
}

/** The beginning of a text that is no wider than this, at least one character (strlen_max_width). */
export function cutAt(text: string, maxWidth: number): { text: string; width: number } {
  if (text.length <= maxWidth && PLAIN.test(text)) return { text, width: text.length };
  let width = 0, at = 0;
  for (const char of text) {
    const w = Math.max(0, charWidth(char.codePointAt(0)!));
    if (at !== 0 && width + w > maxWidth) break;
    width += w;
    at += char.length;
    if (width >= maxWidth && at < text.length && charWidth(text.codePointAt(at)!) > 0) break;
  }
  return { text: text.slice(0, at), width };
}
