// PostgreSQL 18's grammar reads less than PostgreSQL 15's in two places: comments between the parts of a literal,
//   'one' -- a comment
//   'literal'
// and words that were names then and are functions of the grammar's own now.
import { endOfComment } from '../utils/identifier.ts';

/** A token that may hide quotes, or begin a literal; 2: one with backslashes. */
const TOKEN = /"(?:[^"]|"")*"|--[^\n\r]*|\/\*|(?<![\w$\x80-\uffff])\$([A-Za-z_\x80-\uffff][\w\x80-\uffff]*)?\$|((?<![\w$\x80-\uffff])e)?'/gi;
const REST = /(?:[^']|'')*'/y, REST_WITH_ESCAPES = /(?:[^'\\]|''|\\[^])*'/y;
/** Between two parts of one literal; the quote of the second follows. */
export const CONTINUATION = /(?:[ \t\f\v]|--[^\n\r]*)*[\n\r](?:[ \t\f\v\n\r]|--[^\n\r]*(?=[\n\r]))*(?=')/y;

/** The text with blanks for such comments, as long as before; null: it has none. */
export function withoutContinuationComments(text: string): string | null {
  let out = '', kept = 0;
  TOKEN.lastIndex = 0;
  for (let m = TOKEN.exec(text); m !== null; m = TOKEN.exec(text)) {
    let at: number = TOKEN.lastIndex;
    if (m[0] === '/*') {
      at = endOfComment(text, at);
    } else if (m[0].startsWith('$')) {
      const end = text.indexOf(m[0], at);
      at = end < 0 ? text.length : end + m[0].length;
    } else if (m[0].endsWith("'")) {
      const rest = m[2] === undefined ? REST : REST_WITH_ESCAPES;
      for (;;) {
        rest.lastIndex = at;
        at = rest.test(text) ? rest.lastIndex : text.length;
        CONTINUATION.lastIndex = at;
        const gap = CONTINUATION.exec(text)?.[0];
        if (gap === undefined) break;
        if (gap.includes('--')) {
          out += text.slice(kept, at) + gap.replace(/--[^\n\r]*/g, (comment) => ' '.repeat(comment.length));
          kept = at + gap.length;
        }
        at += gap.length + 1;
      }
    }
    TOKEN.lastIndex = at;
  }
  return kept === 0 ? null : out + text.slice(kept);
}

const NEWER_WORD = /(?<![\w$\x80-\uffff])(?:json(?=\s*\()|json_(?:array|arrayagg|exists|object|objectagg|query|scalar|serialize|table|value)(?![\w$\x80-\uffff])|(?:merge_action|system_user)(?![\w$\x80-\uffff]))/gi;
const STAND_IN = /j[$0]on|m[$0]rge_action|s[$0]stem_user/gi;

/** The text with a $, or a 0 for a capital letter, in the words that 15 does not know, which makes them names and keeps every place;
 * null: it has none. What is in literals is changed with the rest, and comes back with the rest. */
export function withNamesForNewerWords(text: string): string | null {
  NEWER_WORD.lastIndex = 0;
  if (!NEWER_WORD.test(text) || text.search(STAND_IN) >= 0) return null;
  return text.replace(NEWER_WORD, (word) => `${word[0]}${/^.[A-Z]/.test(word) ? '0' : '$'}${word.slice(2)}`);
}

const SECOND_LETTERS: Readonly<Record<string, string>> = { j: 's', m: 'e', s: 'y' };
/** What the grammar has said of such a text, with the words as they were; a name without quotes has become lower case. */
export const withNewerWords = (said: string): string =>
  said.replace(STAND_IN, (word) => {
    const letter = SECOND_LETTERS[word[0]!.toLowerCase()]!;
    return `${word[0]}${word[1] === '0' && word !== word.toLowerCase() ? letter.toUpperCase() : letter}${word.slice(2)}`;
  });
