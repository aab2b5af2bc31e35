// Functions that need a collation, called where none could be determined: they fail when they run (check_collation_set).
import { PgError } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';

const COMPARISON = 'string comparison', HASHING = 'string hashing', REGEX = 'regular expression';

const USES = new Map<string, string>([
  ...['texteq', 'textne', 'text_lt', 'text_le', 'text_gt', 'text_ge', 'bttextcmp', 'text_larger', 'text_smaller', 'textpos', 'replace_text', 'split_part', 'text_starts_with',
    'bpchareq', 'bpcharne', 'bpcharlt', 'bpcharle', 'bpchargt', 'bpcharge', 'bpcharcmp', 'bpchar_larger', 'bpchar_smaller'].map((f) => [f, COMPARISON] as const),
  ...['hashtext', 'hashtextextended', 'hashbpchar', 'hashbpcharextended'].map((f) => [f, HASHING] as const),
  ...['lower', 'upper', 'initcap'].map((f) => [f, `${f}() function`] as const),
  ...['texticlike', 'texticnlike', 'bpchariclike', 'bpcharicnlike'].map((f) => [f, 'ILIKE'] as const),
  ...['textregexeq', 'textregexne', 'texticregexeq', 'texticregexne', 'bpcharregexeq', 'bpcharregexne', 'bpcharicregexeq', 'bpcharicregexne', 'textregexsubstr', 'textregexreplace',
    'textregexreplace_noopt', 'textregexreplace_extended', 'textregexreplace_extended_no_n', 'textregexreplace_extended_no_flags', 'regexp_match', 'regexp_match_no_flags',
    'regexp_split_to_array', 'regexp_split_to_array_no_flags', 'regexp_count_no_start', 'regexp_count_no_flags', 'regexp_count', 'regexp_like_no_flags', 'regexp_like'].map((f) => [f, REGEX] as const),
]);

type Fails = (...args: unknown[]) => never;

const failing = (what: string): Fails => () => {
  throw new PgError('indeterminate_collation', `could not determine which collation to use for ${what}`, { hint: 'Use the COLLATE clause to set the collation explicitly.' });
};

/** What a built-in function does instead when it is called without a collation; null: it needs none. */
export function withoutCollation(prosrc: string, collation: Oid): Fails | null {
  if (collation !== 0) return null;
  const what = USES.get(prosrc);
  return what === undefined ? null : failing(what);
}

const isString = (type: Oid): boolean => type === 25 || type === 1043 || type === 1042;

/** The same for comparing values of a type, and for hashing them. */
export const compareWithoutCollation = (type: Oid, collation: Oid): Fails | null => (collation === 0 && isString(type) ? failing(COMPARISON) : null);
export const hashWithoutCollation = (type: Oid, collation: Oid): Fails | null => (collation === 0 && isString(type) ? failing(HASHING) : null);
