// Collations of ICU: collators by locale, opened at their first use. All other collations (C, POSIX, C.UTF-8) order texts by
// their bytes and have no collator. Generated code and indexes ask `icuCollator` when they are made, not for every value.
import { PgError } from '../../common/errors.ts';
import { port } from '../../port/port.ts';
import { compareText } from './characters.ts';
import type { Oid } from './datum.ts';
import { typeHooks } from './hooks.ts';

const DEFAULT_COLLATION = 100, C_COLLATION = 950, POSIX_COLLATION = 951;

/** ICU's number of the collator of a locale, which this process keeps. */
const opened = new Map<string, number>();

/** 0A000 where the runtime has no ICU. */
export function requireIcu(): void {
  if (port.icu.version() === '') throw new PgError('feature_not_supported', 'ICU is not supported in this build');
}

function openCollator(locale: string): number {
  const known = opened.get(locale);
  if (known !== undefined) return known;
  requireIcu();
  const collator = port.icu.openCollator(locale);
  if (typeof collator === 'string') throw new PgError('internal_error', `could not open collator for locale "${locale}": ${collator}`);
  opened.set(locale, collator);
  return collator;
}

/** What indexes of this locale depend on: ICU's version of its rules. XX000 for a locale that ICU cannot read. */
export const icuCollationVersion = (locale: string): string => port.icu.collatorVersion(openCollator(locale));

/** By the functions that compare. */
const collators = new WeakMap<(a: any, b: any) => number, Collator>();

/** Whose `compare` that is. Its sort keys tell the order of a text by itself, for who compares each with many; texts of one sort key may
 * differ still. */
export const collatorOf = (compare: (a: any, b: any) => number): Collator | undefined => collators.get(compare);

export class Collator {
  readonly locale: string;
  /** Texts are equal only if their bytes are; of those that ICU finds equal the bytes decide. */
  readonly deterministic: boolean;
  private readonly number: number;

  constructor(locale: string, deterministic: boolean) {
    this.locale = locale;
    this.deterministic = deterministic;
    this.number = openCollator(locale);
    collators.set(this.compare, this);
  }

  readonly compare = (a: string, b: string): number => {
    if (a === b) return 0;
    const order = port.icu.compare(this.number, a, b);
    return order === 0 && this.deterministic ? compareText(a, b) : order;
  };

  readonly equals = (a: string, b: string): boolean => a === b || (!this.deterministic && port.icu.compare(this.number, a, b) === 0);

  /** Bytes as characters, none of them 0: the order of texts, but for those that ICU finds equal. */
  readonly sortKey = (text: string): string => port.icu.sortKey(this.number, text);

  /** The same into a buffer: where it ends, at a zero that is there, too; -1: it does not fit before `end`. */
  putSortKey(text: string, bytes: Uint8Array, at: number, end: number): number {
    const length = port.icu.putSortKey(this.number, text, bytes, at, end - at);
    return length < 0 ? -1 : at + length;
  }

  upper(text: string): string { return this.changeCase(0, text); }
  lower(text: string): string { return this.changeCase(1, text); }
  initcap(text: string): string { return this.changeCase(2, text); }

  private changeCase(how: 0 | 1 | 2, text: string): string {
    const changed = port.icu.changeCase(how, this.locale, text);
    if (changed.startsWith('\0')) throw new PgError('internal_error', `case conversion failed: ${changed.slice(1)}`);
    return changed;
  }
}

/** The collator of the database's default collation; null: by bytes. */
let databaseCollator: { locale: string; collator: Collator | null } | null = null;

let databaseCtype = 'C.UTF-8';

/** The default collation from now on: its lc_ctype, and the locale of ICU by which it sorts; null: it goes by bytes. */
export function setDatabaseCollation(ctype: string, icuLocale: string | null): void {
  databaseCtype = ctype;
  databaseCollator = icuLocale === null ? null : { locale: icuLocale, collator: null };
}

/** Whether only the letters of ASCII are letters (lc_ctype_is_c). */
export function hasPlainCtype(collation: Oid): boolean {
  if (collation === 0) return false;
  return collation === C_COLLATION || collation === POSIX_COLLATION || isPlainCtype(collation === DEFAULT_COLLATION ? databaseCtype : typeHooks.ctype(collation));
}
const isPlainCtype = (ctype: string | null): boolean => ctype === 'C' || ctype === 'POSIX';

/** Null: texts are ordered by their bytes. The answer holds until the catalogs change. */
export function icuCollator(collation: Oid): Collator | null {
  if (collation === DEFAULT_COLLATION) return databaseCollator === null ? null : databaseCollator.collator ??= new Collator(databaseCollator.locale, true);
  return collation === 0 || collation === C_COLLATION || collation === POSIX_COLLATION ? null : typeHooks.collator(collation);
}

/** Values that are equal may differ in their bytes. */
export const isNondeterministic = (collation: Oid): boolean => icuCollator(collation)?.deterministic === false;
