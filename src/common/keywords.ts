// SQL's words and how reserved they are, as pg_get_keywords() gives them; the words themselves are generated.
import { AS_LABEL, COL_NAME, RESERVED, TYPE_FUNC_NAME, UNRESERVED } from './keyword_list.ts';

/**
 * Unreserved; unreserved, but cannot be the name of a function or type (col_name); reserved, but can be the name of a
 * function or type (type_func_name); reserved.
 */
export type KeywordCategory = 'U' | 'C' | 'T' | 'R';

const words = (text: string): string[] => text.trim().split(/\s+/);
const inCategory = (text: string, category: KeywordCategory): [string, KeywordCategory][] => words(text).map((w) => [w, category]);

export const KEYWORDS: ReadonlyMap<string, KeywordCategory> = new Map([
  ...inCategory(UNRESERVED, 'U'), ...inCategory(COL_NAME, 'C'), ...inCategory(TYPE_FUNC_NAME, 'T'), ...inCategory(RESERVED, 'R'),
].sort((a, b) => (a[0] < b[0] ? -1 : 1)));

/** Those that need AS before them to be a column label. */
export const AS_LABEL_KEYWORDS: ReadonlySet<string> = new Set(words(AS_LABEL));
