// Fills in what the data types ask of the catalogs (types/hooks.ts). Importing this module is enough.
import { internalError, notSupported } from '../../common/errors.ts';
import type { Datum, Oid, RangeValue, RecordAttribute } from '../types/datum.ts';
import { Collator, icuCollationVersion } from '../types/collation.ts';
import { findBuiltin } from '../types/fmgr.ts';
import { typeHooks, type RangeInfo, type TypeIo } from '../types/hooks.ts';
import { formatType } from './format_type.ts';
import { refreshCatalogs, registerCatalogCache } from './inval.ts';
import { getBaseType, getType } from './lsyscache.ts';
import { FirstUnpinnedObjectId } from './schema.ts';
import { quoteQualifiedIdentifier } from './quote.ts';
import { sendWarning } from '../utils/session.ts';
import { regLookup, regName } from './reg_names.ts';
import type { PgCollation, PgType } from './rows.ts';
import * as sys from './syscache.ts';

/** Checks a value against a domain's constraints, which are expressions: the executor enters itself here. */
export const domainHooks: { check(typeOid: Oid, value: Datum): Datum } = {
  check() { throw notSupported('a domain'); },
};

const builtinIo = new Map<Oid, TypeIo>();
const otherIo = new Map<Oid, TypeIo>();
const builtinRanges = new Map<Oid, RangeInfo>();
const otherRanges = new Map<Oid, RangeInfo>();
registerCatalogCache(() => { otherIo.clear(); otherRanges.clear(); });

function rangeInfo(oid: Oid): RangeInfo {
  const known = builtinRanges.get(oid);
  if (known) return known;
  refreshCatalogs();
  let info = otherRanges.get(oid);
  if (!info) {
    const row = sys.rangeByType(oid) ?? sys.rangeByMultirange(oid);
    if (!row) throw internalError(`type ${oid} is not a range type`);
    const canonical = row.rngcanonical === 0 ? undefined : findBuiltin(sys.procByOid(row.rngcanonical)?.prosrc ?? '');
    info = { typeOid: row.rngtypid, subtype: row.rngsubtype, multirange: row.rngmultitypid, collation: row.rngcollation,
      canonical: canonical?.kind === 'pure' ? canonical.fn as (range: RangeValue) => RangeValue : undefined };
    (oid < FirstUnpinnedObjectId ? builtinRanges : otherRanges).set(oid, info);
  }
  return info;
}

function typeIo(oid: Oid): TypeIo {
  const known = builtinIo.get(oid);
  if (known) return known;
  refreshCatalogs();
  let io = otherIo.get(oid);
  if (!io) {
    io = new CatalogTypeIo(getType(oid));
    // Row types of catalogs are pinned too, and as they are for ever.
    (oid < FirstUnpinnedObjectId ? builtinIo : otherIo).set(oid, io);
  }
  return io;
}

type Callable = (...args: any[]) => any;

/** The registered function of a pg_proc row, as a plain function. Found when first called: not all types are done. */
function ioFunction(proc: Oid, type: PgType): Callable {
  const name = sys.procByOid(proc)?.prosrc ?? '';
  const builtin = findBuiltin(name);
  if (!builtin) return () => { throw notSupported(proc === 0 ? `input and output of type ${formatType(type.oid)}` : `function ${name}`); };
  if (builtin.kind === 'pure') return builtin.fn;
  const fn = builtin.fn as Callable;
  const context = { functionOid: proc, argTypes: [type.oid, 26, 23], resultType: type.oid, collation: type.typcollation,
    variadic: false, extra: undefined, aggregate: false };
  return (...args) => fn(context, ...args);
}

class CatalogTypeIo implements TypeIo {
  readonly typeOid: Oid;
  readonly name: string;
  readonly typtype: TypeIo['typtype'];
  readonly typcategory: string;
  readonly typlen: number;
  readonly typdelim: string;
  readonly typelem: Oid;
  readonly typarray: Oid;
  readonly basetype: Oid;
  readonly input: (text: string, typmod: number) => Datum;
  readonly output: (value: any) => string;
  readonly receive: (bytes: Uint8Array, typmod: number) => Datum;
  readonly send: (value: any) => Uint8Array;
  declare readonly checkDomain?: (value: Datum) => Datum;

  constructor(t: PgType) {
    this.typeOid = t.oid;
    this.name = formatType(t.oid);
    this.typtype = t.typtype as TypeIo['typtype'];
    this.typcategory = t.typcategory;
    this.typlen = t.typlen;
    this.typdelim = t.typdelim;
    this.typelem = t.typelem;
    this.typarray = t.typarray;
    this.basetype = getBaseType(t.oid);
    if (t.typtype === 'd') {
      const base = typeIo(this.basetype);
      const typmod = t.typtypmod;
      this.checkDomain = (value) => domainHooks.check(t.oid, value);
      this.input = (text) => domainHooks.check(t.oid, base.input(text, typmod));
      this.output = base.output;
      this.receive = (bytes) => domainHooks.check(t.oid, base.receive(bytes, typmod));
      this.send = base.send;
      return;
    }
    const ioParam = t.typelem !== 0 ? t.typelem : t.oid;
    const input = ioFunction(t.typinput, t);
    const receive = ioFunction(t.typreceive, t);
    this.input = (text, typmod) => input(text, ioParam, typmod) as Datum;
    this.output = ioFunction(t.typoutput, t);
    this.receive = (bytes, typmod) => receive(bytes, ioParam, typmod) as Datum;
    this.send = ioFunction(t.typsend, t);
  }
}

const collators = new Map<Oid, Collator | null>();
registerCatalogCache(() => collators.clear());

function collator(oid: Oid): Collator | null {
  refreshCatalogs();
  let known = collators.get(oid);
  if (known === undefined) {
    const row = sys.collationByOid(oid);
    if (row === undefined) throw internalError(`cache lookup failed for collation ${oid}`);
    known = row.collprovider === 'i' ? new Collator(row.colliculocale!, row.collisdeterministic) : null;
    if (known !== null) checkVersion(row, known.locale);
    collators.set(oid, known);
  }
  return known;
}

/** Collations that this session has used. */
const checked = new Set<Oid>();

/** What ICU was like when the collation was made is in the catalog: indexes made since then may be in another order. Warns at the first use. */
function checkVersion(row: PgCollation, locale: string): void {
  if (row.collversion === null || checked.has(row.oid)) return;
  checked.add(row.oid);
  const actual = icuCollationVersion(locale);
  if (row.collversion === actual) return;
  const name = quoteQualifiedIdentifier(sys.namespaceByOid(row.collnamespace)?.nspname ?? null, row.collname);
  sendWarning('warning', `collation "${row.collname}" has version mismatch`, {
    detail: `The collation in the database was created using version ${row.collversion}, but the operating system provides version ${actual}.`,
    hint: `Rebuild all objects affected by this collation and run ALTER COLLATION ${name} REFRESH VERSION, or build PostgreSQL with the right library version.`,
  });
}

const rowTypes = new Map<Oid, readonly RecordAttribute[]>();
registerCatalogCache(() => rowTypes.clear());

function rowAttributes(typeOid: Oid, _typmod: number): readonly RecordAttribute[] {
  refreshCatalogs();
  let attributes = rowTypes.get(typeOid);
  if (attributes === undefined) rowTypes.set(typeOid, (attributes = readRowAttributes(typeOid)));
  return attributes;
}

function readRowAttributes(typeOid: Oid): readonly RecordAttribute[] {
  const relation = sys.typeByOid(getBaseType(typeOid))?.typrelid ?? 0;
  if (relation === 0) throw internalError(`type ${formatType(typeOid)} is not composite`);
  return sys.attributesOf(relation).filter((a) => a.attnum > 0).map((a) => ({ name: a.attname, typeOid: a.atttypid,
    typmod: a.atttypmod, collation: a.attcollation, dropped: a.attisdropped }));
}

function enumRow(oid: Oid) {
  const row = sys.enumByOid(oid);
  if (!row) throw internalError(`cache lookup failed for enum ${oid}`);
  return row;
}

Object.assign(typeHooks, {
  typeIo, regLookup, regName, rowAttributes, rangeInfo, collator, ctype: (oid: Oid) => sys.collationByOid(oid)?.collctype ?? null,
  enumSortOrder: (oid: Oid) => enumRow(oid).enumsortorder,
  enumLabel: (oid: Oid) => sys.enumByOid(oid)?.enumlabel,
  enumLookup: (type: Oid, label: string) => sys.enumByLabel(type, label)?.oid,
  enumLabels: (type: Oid) => sys.enumsByType(type).map((e) => e.oid),
});
