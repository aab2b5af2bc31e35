// How data types reach what lives on higher floors: facts about other types, names of catalog objects. The catalog fills
// `typeHooks` in when it is loaded; data types ask it at the time of the call and keep no copies.
import { internalError, notSupported } from '../../common/errors.ts';
import type { Datum, Oid, RangeValue } from './datum.ts';

/** What a container (array, record, range, ...) must know of the type of its elements. Made once per type. */
export interface TypeIo {
  readonly typeOid: Oid;
  /** format_type_be: the name for messages. */
  readonly name: string;
  readonly typtype: 'b' | 'c' | 'd' | 'e' | 'p' | 'r' | 'm';
  readonly typcategory: string;
  readonly typlen: number;
  readonly typdelim: string;
  /** The element type of an array (true arrays and vectors), else 0. */
  readonly typelem: Oid;
  /** The array type over this type, else 0. */
  readonly typarray: Oid;
  /** A domain's base type, else the type itself. */
  readonly basetype: Oid;
  /** Of a domain: gives the value back if its constraints allow it. */
  readonly checkDomain?: (value: Datum) => Datum;
  /** The type's own functions, with typioparam and typmod already known to them where they are needed. */
  readonly input: (text: string, typmod: number) => Datum;
  readonly output: (value: any) => string;
  readonly receive: (bytes: Uint8Array, typmod: number) => Datum;
  readonly send: (value: any) => Uint8Array;
}

/** What ranges must know of their type (pg_range). */
export interface RangeInfo {
  readonly typeOid: Oid;
  readonly subtype: Oid;
  readonly multirange: Oid;
  readonly collation: Oid;
  /** For discrete subtypes: the one way to write a range. */
  readonly canonical: ((range: RangeValue) => RangeValue) | undefined;
}

export type RegKind =
  | 'regproc' | 'regprocedure' | 'regoper' | 'regoperator' | 'regclass' | 'regtype' | 'regrole' | 'regnamespace'
  | 'regcollation' | 'regconfig' | 'regdictionary';

export interface TypeHooks {
  typeIo(typeOid: Oid): TypeIo;
  /** Name to OID for a reg* type: throws as PostgreSQL when there is none; `missingOk` gives 0 instead (to_regclass). */
  regLookup(kind: RegKind, name: string, missingOk: boolean): Oid;
  /** OID to name, qualified and quoted as the search path demands; undefined when there is no such object. */
  regName(kind: RegKind, oid: Oid): string | undefined;
  /** pg_enum: the sort order of a label, its text, its OID by text, and the labels of a type in order. */
  enumSortOrder(labelOid: Oid): number;
  enumLabel(labelOid: Oid): string | undefined;
  enumLookup(typeOid: Oid, label: string): Oid | undefined;
  enumLabels(typeOid: Oid): readonly Oid[];
  /** pg_range, by range type or by multirange type. */
  rangeInfo(typeOid: Oid): RangeInfo;
  /** What a collation of ICU compares by; null for those of the C library. */
  collator(collation: Oid): import('./collation.ts').Collator | null;
  /** LC_CTYPE of a collation of libc. */
  ctype(collation: Oid): string | null;
  /** Columns of a composite type. */
  rowAttributes(typeOid: Oid, typmod: number): readonly import('./datum.ts').RecordAttribute[];
  /** Whether quote_ident must quote this word: any keyword but an unreserved one. */
  isReservedWord(word: string): boolean;
}

function missing(): never {
  throw internalError('the catalog has not filled in the hooks of the data types');
}

export const typeHooks: TypeHooks = {
  typeIo: missing,
  regLookup: missing,
  regName: missing,
  enumSortOrder: missing,
  enumLabel: missing,
  enumLookup: missing,
  enumLabels: missing,
  rangeInfo: missing,
  collator: missing, ctype: missing,
  rowAttributes: missing,
  isReservedWord: () => false,
};

/** The array type over an element type; an error for a type that has none. */
export function arrayTypeOf(elementType: Oid): Oid {
  const oid = typeHooks.typeIo(elementType).typarray;
  if (oid === 0) throw notSupported(`an array of type ${typeHooks.typeIo(elementType).name}`);
  return oid;
}
