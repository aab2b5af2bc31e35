// Functions that look at their collation. Called where none could be determined they fail when they run (check_collation_set);
// by a collation of ICU they compare, and search, in another way than they are written, or refuse to.
import { PgError } from '../../common/errors.ts';
import { trimPadding } from '../types/characters.ts';
import { type Collator, icuCollator } from '../types/collation.ts';
import { comparatorFor, equalsFor } from '../types/compare.ts';
import { int8, type Int8, type Oid } from '../types/datum.ts';
import { findBuiltin } from '../types/fmgr.ts';
import { hashBytes, hashBytesExtended } from '../types/hash_bytes.ts';

const COMPARISON = 'string comparison', HASHING = 'string hashing', REGEX = 'regular expression', SEARCH = 'substring searches';
const TEXT = 25, BPCHAR = 1042, ANYARRAY = 2277;

/** What functions that compare do, by the last part of their names; those of equality differ only where equal is not the same. */
const ORDERS = ['lt', 'le', 'gt', 'ge', 'cmp', 'larger', 'smaller'] as const, EQUALITIES = ['eq', 'ne'] as const;
type Comparing = (typeof ORDERS)[number] | (typeof EQUALITIES)[number];

/** The type that a function compares, and what it does. */
const COMPARING = new Map<string, { type: Oid; does: Comparing }>();
for (const [type, prefix, functions] of [
  [TEXT, 'text', 'texteq textne text_lt text_le text_gt text_ge bttextcmp text_larger text_smaller'],
  [BPCHAR, 'bpchar', 'bpchareq bpcharne bpcharlt bpcharle bpchargt bpcharge bpcharcmp bpchar_larger bpchar_smaller'],
  [TEXT, 'name', 'nameeq namene namelt namele namegt namege btnamecmp'],
  [TEXT, 'text', 'texteqname textnename textltname textlename textgtname textgename bttextnamecmp'],
  [TEXT, 'name', 'nameeqtext namenetext namelttext nameletext namegttext namegetext btnametextcmp'],
  [ANYARRAY, 'array', 'array_eq array_ne array_lt array_le array_gt array_ge btarraycmp array_larger array_smaller'],
] as const) {
  for (const name of functions.split(' ')) {
    const rest = name.startsWith('bt') ? 'cmp' : name.slice(prefix.length).replace(/^_/, '').replace(/(?:name|text)$/, '');
    COMPARING.set(name, { type, does: rest as Comparing });
  }
}

const REGEXES = ['textregexeq', 'textregexne', 'texticregexeq', 'texticregexne', 'nameregexeq', 'nameregexne', 'nameicregexeq', 'nameicregexne',
  'textregexsubstr', 'textregexreplace', 'textregexreplace_noopt', 'textregexreplace_extended', 'textregexreplace_extended_no_n',
  'textregexreplace_extended_no_flags', 'regexp_match', 'regexp_match_no_flags', 'regexp_split_to_array', 'regexp_split_to_array_no_flags', 'regexp_count_no_start',
  'regexp_count_no_flags', 'regexp_count', 'regexp_like_no_flags', 'regexp_like'];
const SEARCHES = ['textpos', 'replace_text', 'split_part', 'text_starts_with'];
const HASHES = ['hashtext', 'hashtextextended', 'hashbpchar', 'hashbpcharextended'];
const CASELESS = ['texticlike', 'texticnlike'];

/** Without a collation. */
const USES = new Map<string, string>([
  ...[...COMPARING].filter(([name, { type }]) => type !== ANYARRAY && !name.includes('name')).map(([name]) => [name, COMPARISON] as const),
  ...SEARCHES.map((f) => [f, COMPARISON] as const),
  ...HASHES.map((f) => [f, HASHING] as const),
  ...['lower', 'upper', 'initcap'].map((f) => [f, `${f}() function`] as const),
  ...CASELESS.map((f) => [f, 'ILIKE'] as const),
  ...REGEXES.filter((f) => !f.startsWith('name')).map((f) => [f, REGEX] as const),
]);

/** By a collation whose equal texts may differ. */
const REFUSED = new Map<string, string>([
  ...[...SEARCHES, 'text_to_array', 'text_to_array_null', 'text_to_table', 'text_to_table_null'].map((f) => [f, SEARCH] as const),
  ...[...CASELESS, 'nameiclike', 'nameicnlike'].map((f) => [f, 'ILIKE'] as const),
  ...['textlike', 'textnlike', 'namelike', 'namenlike'].map((f) => [f, 'LIKE'] as const),
  ...[...REGEXES, 'regexp_matches', 'regexp_matches_no_flags', 'regexp_split_to_table', 'regexp_split_to_table_no_flags', 'regexp_instr', 'regexp_instr_no_start', 'regexp_instr_no_n',
    'regexp_instr_no_endoption', 'regexp_instr_no_flags', 'regexp_instr_no_subexpr', 'regexp_substr', 'regexp_substr_no_start', 'regexp_substr_no_n', 'regexp_substr_no_flags',
    'regexp_substr_no_subexpr'].map((f) => [f, 'regular expressions'] as const),
]);

type Callable = (...args: any[]) => any;

const failing = (what: string): Callable => () => {
  throw new PgError('indeterminate_collation', `could not determine which collation to use for ${what}`, { hint: 'Use the COLLATE clause to set the collation explicitly.' });
};

/** There is nothing to search for, or nowhere: that is the same in all collations. */
const nothingToSearch = (prosrc: string, [text, sought]: readonly unknown[]): boolean => text === '' || text === null || sought === '' || sought === null || (prosrc === 'textpos' && (text as string).length < (sought as string).length);

const refusing = (prosrc: string, what: string): Callable => (...args) => {
  const usual = findBuiltin(prosrc);
  if (what === SEARCH && usual?.kind === 'pure' && nothingToSearch(prosrc, args)) return usual.fn(...args);
  throw new PgError('feature_not_supported', `nondeterministic collations are not supported for ${what}`);
};

function comparing(does: Comparing, type: Oid, collation: Oid): Callable {
  const compare = comparatorFor(type, collation), equals = equalsFor(type, collation);
  switch (does) {
    case 'eq': return equals;
    case 'ne': return (a, b) => !equals(a, b);
    case 'lt': return (a, b) => compare(a, b) < 0;
    case 'le': return (a, b) => compare(a, b) <= 0;
    case 'gt': return (a, b) => compare(a, b) > 0;
    case 'ge': return (a, b) => compare(a, b) >= 0;
    case 'cmp': return compare;
    case 'larger': return type === BPCHAR ? (a, b) => (compare(a, b) >= 0 ? a : b) : (a, b) => (compare(a, b) > 0 ? a : b);
    case 'smaller': return type === BPCHAR ? (a, b) => (compare(a, b) <= 0 ? a : b) : (a, b) => (compare(a, b) < 0 ? a : b);
  }
}

/** Functions that look for elements of arrays take the collation after their arguments. */
const SEEKING = new Set(['arraycontains', 'arraycontained', 'arrayoverlap', 'array_position', 'array_position_start', 'array_positions', 'array_remove', 'array_replace']);
function seeking(prosrc: string, collation: Oid): Callable {
  const { fn } = findBuiltin(prosrc) as { fn: Callable };
  return (...args) => fn(...args, collation);
}

/** Texts that are equal have the same sort key, with a zero at its end. */
function hashing(prosrc: string, { sortKey }: Collator): Callable {
  const trim = prosrc.startsWith('hashbpchar') ? trimPadding : (text: string): string => text;
  const bytes = (text: string): Buffer => Buffer.from(`${sortKey(trim(text))}\0`, 'latin1');
  return prosrc.endsWith('extended') ? (text: string, seed: Int8) => int8(BigInt.asIntN(64, hashBytesExtended(bytes(text), BigInt.asUintN(64, BigInt(seed))))) : (text: string) => hashBytes(bytes(text)) | 0;
}

/** What a built-in function does instead, as a function of its arguments, when it is called with this collation; null: what it always does. */
export function collatedFunction(prosrc: string, collation: Oid): Callable | null {
  if (collation === 0) {
    const what = USES.get(prosrc);
    return what === undefined ? null : failing(what);
  }
  const collator = icuCollator(collation);
  if (collator === null) return null;
  const known = COMPARING.get(prosrc);
  if (known !== undefined) return collator.deterministic && (known.does === 'eq' || known.does === 'ne') ? null : comparing(known.does, known.type, collation);
  if (collator.deterministic) return null;
  if (SEEKING.has(prosrc)) return seeking(prosrc, collation);
  const what = REFUSED.get(prosrc);
  return what !== undefined ? refusing(prosrc, what) : HASHES.includes(prosrc) ? hashing(prosrc, collator) : null;
}

const isString = (type: Oid): boolean => type === TEXT || type === 1043 || type === BPCHAR;

/** Without a collation, comparing values of a type, and hashing them, fails. */
export const compareWithoutCollation = (type: Oid, collation: Oid): Callable | null => (collation === 0 && isString(type) ? failing(COMPARISON) : null);
export const hashWithoutCollation = (type: Oid, collation: Oid): Callable | null => (collation === 0 && isString(type) ? failing(HASHING) : null);
