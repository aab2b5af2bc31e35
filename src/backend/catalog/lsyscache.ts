// Single facts from the catalogs (PostgreSQL's lsyscache.c) and the operators a type sorts, groups and hashes by
// (typcache.c). All are built on syscache.ts.
import { PgError, internalError } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';
import { registerCatalogCache, refreshCatalogs } from './inval.ts';
import * as ids from './oids.ts';
import type { PgAmop, PgType } from './rows.ts';
import * as sys from './syscache.ts';

/** Strategies of btrees and the hash one. */
export const BTEqualStrategyNumber = 3;
const BTLessStrategyNumber = 1, BTGreaterStrategyNumber = 5, HTEqualStrategyNumber = 1;
export const BTORDER_PROC = 1;
const HASHSTANDARD_PROC = 1;
const ARRAY_SUBSCRIPT_HANDLER = 6179;

/** The pg_type row of a type that must exist. */
export function getType(oid: Oid): PgType {
  const type = sys.typeByOid(oid);
  if (!type) throw internalError(`cache lookup failed for type ${oid}`);
  return type;
}

export const getFuncName = (oid: Oid): string | undefined => sys.procByOid(oid)?.proname;
/** The function of an operator. */
export const getOpcode = (oid: Oid): Oid => sys.operatorByOid(oid)?.oprcode ?? 0;
export const funcStrict = (oid: Oid): boolean => sys.procByOid(oid)?.proisstrict ?? false;
export const funcVolatile = (oid: Oid): string => sys.procByOid(oid)?.provolatile ?? 'v';
export const opVolatile = (oid: Oid): string => funcVolatile(getOpcode(oid));
export const getRelName = (oid: Oid): string | undefined => sys.classByOid(oid)?.relname;
export const getRelNamespace = (oid: Oid): Oid => sys.classByOid(oid)?.relnamespace ?? 0;
export const getRelKind = (oid: Oid): string => sys.classByOid(oid)?.relkind ?? '';
export const getNamespaceName = (oid: Oid): string | undefined => sys.namespaceByOid(oid)?.nspname;
export const getCollationName = (oid: Oid): string | undefined => sys.collationByOid(oid)?.collname;
export const getAttname = (relation: Oid, attnum: number): string | undefined => sys.attributeByNumber(relation, attnum)?.attname;
export function getAttnum(relation: Oid, name: string): number {
  return sys.attributeByName(relation, name)?.attnum ?? 0;
}
export const getTypCollation = (oid: Oid): Oid => sys.typeByOid(oid)?.typcollation ?? 0;
export const typeIsRowtype = (oid: Oid): boolean => {
  if (oid === ids.RECORDOID) return true;
  const type = sys.typeByOid(oid);
  return type?.typtype === 'c' || (type?.typtype === 'd' && sys.typeByOid(getBaseType(oid))?.typtype === 'c');
};
export const typeIsEnum = (oid: Oid): boolean => sys.typeByOid(oid)?.typtype === 'e';
const typeIsRange = (oid: Oid): boolean => sys.typeByOid(oid)?.typtype === 'r';
const typeIsMultirange = (oid: Oid): boolean => sys.typeByOid(oid)?.typtype === 'm';

/** A domain's base type (domains over domains to the bottom); any other type itself. */
export function getBaseType(oid: Oid): Oid {
  return getBaseTypeAndTypmod(oid, -1).type;
}
export function getBaseTypeAndTypmod(oid: Oid, typmod: number): { type: Oid; typmod: number } {
  for (;;) {
    const type = sys.typeByOid(oid);
    if (type?.typtype !== 'd') return { type: oid, typmod };
    oid = type.typbasetype;
    typmod = type.typtypmod;
  }
}
/** The element type of a true array type (not of a fixed-length one such as point), else 0. */
export function getElementType(oid: Oid): Oid {
  const type = sys.typeByOid(oid);
  return type?.typsubscript === ARRAY_SUBSCRIPT_HANDLER ? type.typelem : 0;
}
export const getBaseElementType = (oid: Oid): Oid => getElementType(getBaseType(oid));
export const getArrayType = (oid: Oid): Oid => sys.typeByOid(oid)?.typarray ?? 0;
export const typeIsArray = (oid: Oid): boolean => getElementType(oid) !== 0;
export const getRangeSubtype = (oid: Oid): Oid => sys.rangeByType(oid)?.rngsubtype ?? 0;
export const getMultirangeRange = (oid: Oid): Oid => sys.rangeByMultirange(oid)?.rngtypid ?? 0;
export const getRangeMultirange = (oid: Oid): Oid => sys.rangeByType(oid)?.rngmultitypid ?? 0;

/** TYPCATEGORY preference: the type is preferred, in this category when one is given. */
export const isPreferredType = (category: string, oid: Oid): boolean => {
  const type = sys.typeByOid(oid);
  return type !== undefined && type.typispreferred && (category === '' || type.typcategory === category);
};

/** Whether a value of `source` may be handed to a function of `target` as it is, by catalogs (IsBinaryCoercible). */
export function isBinaryCoercible(source: Oid, target: Oid): boolean {
  if (source === target || target === ids.ANYOID || target === ids.ANYELEMENTOID || target === ids.ANYCOMPATIBLEOID) return true;
  source = getBaseType(source);
  if (source === target) return true;
  if (target === ids.ANYARRAYOID || target === ids.ANYCOMPATIBLEARRAYOID) return typeIsArray(source);
  if (target === ids.ANYNONARRAYOID || target === ids.ANYCOMPATIBLENONARRAYOID) return !typeIsArray(source);
  if (target === ids.ANYENUMOID) return typeIsEnum(source);
  if (target === ids.ANYRANGEOID || target === ids.ANYCOMPATIBLERANGEOID) return typeIsRange(source);
  if (target === ids.ANYMULTIRANGEOID || target === ids.ANYCOMPATIBLEMULTIRANGEOID) return typeIsMultirange(source);
  if (target === ids.RECORDOID) return typeIsRowtype(source);
  if (target === ids.RECORDARRAYOID) return typeIsRowtype(getElementType(source));
  const cast = sys.castBySourceTarget(source, target);
  return cast !== undefined && cast.castmethod === 'b' && cast.castcontext === 'i';
}

/** The default operator class of an access method for a type, 0 when there is none (GetDefaultOpClass). */
export function getDefaultOpClass(type: Oid, method: Oid): Oid {
  type = getBaseType(type);
  const category = sys.typeByOid(type)?.typcategory ?? '';
  let exact = 0, preferred = 0, compatible = 0, preferredCount = 0, compatibleCount = 0;
  for (const opclass of sys.opclassesOf(method)) {
    if (!opclass.opcdefault) continue;
    if (opclass.opcintype === type) exact = opclass.oid;
    else if (isBinaryCoercible(type, opclass.opcintype)) {
      if (isPreferredType(category, opclass.opcintype)) { preferred = opclass.oid; preferredCount++; }
      else { compatible = opclass.oid; compatibleCount++; }
    }
  }
  return exact || (preferredCount === 1 ? preferred : preferredCount === 0 && compatibleCount === 1 ? compatible : 0);
}

/** The operator of a family for these types and strategy, 0: none. */
export function getOpfamilyMember(family: Oid, left: Oid, right: Oid, strategy: number): Oid {
  for (const m of sys.amopsByFamily(family)) {
    if (m.amopstrategy === strategy && m.amoplefttype === left && m.amoprighttype === right) return m.amopopr;
  }
  return 0;
}
/** The support function of a family, 0: none. */
export function getOpfamilyProc(family: Oid, left: Oid, right: Oid, number: number): Oid {
  for (const m of sys.amprocsByFamily(family)) {
    if (m.amprocnum === number && m.amproclefttype === left && m.amprocrighttype === right) return m.amproc;
  }
  return 0;
}
/** The entry of an operator in a family as search operator. */
export function opFamilyEntry(operator: Oid, family: Oid, purpose: 's' | 'o' = 's'): PgAmop | undefined {
  return sys.amopsByOperator(operator).find((m) => m.amopfamily === family && m.amoppurpose === purpose);
}
/** The strategy number of an operator within a family, 0 when it is no member. */
export const getOpOpfamilyStrategy = (operator: Oid, family: Oid): number => opFamilyEntry(operator, family)?.amopstrategy ?? 0;

/** Where a sort operator (< or > of a btree) belongs (get_ordering_op_properties). */
export function getOrderingOpProperties(operator: Oid): { opfamily: Oid; opcintype: Oid; strategy: number } | undefined {
  for (const m of sys.amopsByOperator(operator)) {
    if (m.amopmethod !== ids.BTREE_AM_OID || m.amoplefttype !== m.amoprighttype) continue;
    if (m.amopstrategy === BTLessStrategyNumber || m.amopstrategy === BTGreaterStrategyNumber) {
      return { opfamily: m.amopfamily, opcintype: m.amoplefttype, strategy: m.amopstrategy };
    }
  }
  return undefined;
}
/** The = that goes with a sort operator, and whether that sorts downwards. */
export function getEqualityOpForOrderingOp(operator: Oid): { eqop: Oid; reverse: boolean } | undefined {
  const p = getOrderingOpProperties(operator);
  if (!p) return undefined;
  return { eqop: getOpfamilyMember(p.opfamily, p.opcintype, p.opcintype, BTEqualStrategyNumber),
    reverse: p.strategy === BTGreaterStrategyNumber };
}
/** The families in which an operator is a btree =, thus what a merge join may use. */
export const getMergejoinOpfamilies = (operator: Oid): Oid[] => sys.amopsByOperator(operator)
  .filter((m) => m.amopmethod === ids.BTREE_AM_OID && m.amopstrategy === BTEqualStrategyNumber).map((m) => m.amopfamily);

/** Whether an operator is an = that can be hashed when its left input has this type. */
export function opHashjoinable(operator: Oid, inputType: Oid): boolean {
  // Of rows of no certain type nobody knows whether they can be hashed.
  if (operator === ids.ARRAY_EQ_OP || operator === ids.RECORD_EQ_OP) return inputType !== 2249 && typeOperators(inputType).hashProc !== 0;
  return sys.operatorByOid(operator)?.oprcanhash ?? false;
}
export function opMergejoinable(operator: Oid, inputType: Oid): boolean {
  if (operator === ids.ARRAY_EQ_OP || operator === ids.RECORD_EQ_OP) return typeOperators(inputType).cmpProc !== 0;
  return sys.operatorByOid(operator)?.oprcanmerge ?? false;
}

/** The operators and functions a type is compared, sorted and hashed by; 0: it has none. */
export interface TypeOperators {
  readonly eqOpr: Oid; readonly ltOpr: Oid; readonly gtOpr: Oid; readonly cmpProc: Oid; readonly hashProc: Oid;
  readonly btreeOpfamily: Oid; readonly btreeOpintype: Oid; readonly hashOpfamily: Oid; readonly hashOpintype: Oid;
}
const typeOperatorCache = new Map<Oid, TypeOperators>();
registerCatalogCache(() => typeOperatorCache.clear());

/** What PostgreSQL's lookup_type_cache gives. For containers it depends on their elements. */
export function typeOperators(type: Oid): TypeOperators {
  refreshCatalogs();
  let result = typeOperatorCache.get(type);
  if (!result) typeOperatorCache.set(type, (result = findTypeOperators(type)));
  return result;
}

function findTypeOperators(type: Oid): TypeOperators {
  const btree = sys.opclassByOid(getDefaultOpClass(type, ids.BTREE_AM_OID));
  const hash = sys.opclassByOid(getDefaultOpClass(type, ids.HASH_AM_OID));
  const member = (strategy: number): Oid =>
    btree ? getOpfamilyMember(btree.opcfamily, btree.opcintype, btree.opcintype, strategy) : 0;
  let eqOpr = member(BTEqualStrategyNumber), ltOpr = member(BTLessStrategyNumber), gtOpr = member(BTGreaterStrategyNumber);
  let cmpProc = btree ? getOpfamilyProc(btree.opcfamily, btree.opcintype, btree.opcintype, BTORDER_PROC) : 0;
  let hashProc = hash ? getOpfamilyProc(hash.opcfamily, hash.opcintype, hash.opcintype, HASHSTANDARD_PROC) : 0;
  if (eqOpr === 0 && hash) eqOpr = getOpfamilyMember(hash.opcfamily, hash.opcintype, hash.opcintype, HTEqualStrategyNumber);
  const parts = componentTypes(type).map(typeOperators);
  // Nobody knows what is in pg_statistic's arrays.
  if (type === ids.ANYARRAYOID) eqOpr = ltOpr = gtOpr = cmpProc = hashProc = 0;
  if (parts.some((p) => p.eqOpr === 0)) eqOpr = 0;
  if (parts.some((p) => p.cmpProc === 0)) ltOpr = gtOpr = cmpProc = 0;
  if (parts.some((p) => p.hashProc === 0)) hashProc = 0;
  return { eqOpr, ltOpr, gtOpr, cmpProc, hashProc, btreeOpfamily: btree?.opcfamily ?? 0, btreeOpintype: btree?.opcintype ?? 0,
    hashOpfamily: hash?.opcfamily ?? 0, hashOpintype: hash?.opcintype ?? 0 };
}

/** The types that values of a container are compared by. */
function componentTypes(type: Oid): Oid[] {
  const row = sys.typeByOid(getBaseType(type));
  if (!row) return [];
  const element = getElementType(row.oid);
  if (element) return [element];
  if (row.typtype === 'c') {
    return sys.attributesOf(row.typrelid).filter((a) => a.attnum > 0 && !a.attisdropped).map((a) => a.atttypid);
  }
  if (row.typtype === 'r') return [getRangeSubtype(row.oid)];
  if (row.typtype === 'm') return [getMultirangeRange(row.oid)];
  return [];
}

/** The < = > operators to sort or group by (get_sort_group_operators); errors for what is needed and missing. */
export function getSortGroupOperators(type: Oid, needLt: boolean, needEq: boolean, needGt: boolean,
  formatType: (oid: Oid) => string): { lt: Oid; eq: Oid; gt: Oid; hashable: boolean } {
  const o = typeOperators(type);
  if ((needLt && o.ltOpr === 0) || (needGt && o.gtOpr === 0)) {
    throw new PgError('undefined_function', `could not identify an ordering operator for type ${formatType(type)}`,
      { hint: 'Use an explicit ordering operator or modify the query.' });
  }
  if (needEq && o.eqOpr === 0) {
    throw new PgError('undefined_function', `could not identify an equality operator for type ${formatType(type)}`);
  }
  // Nobody knows what is in a record; most of it can be compared at least.
  return { lt: o.ltOpr, eq: o.eqOpr, gt: o.gtOpr, hashable: o.hashProc !== 0 && type !== ids.RECORDOID && type !== ids.RECORDARRAYOID };
}

/** Whether a domain, or one it is made from, refuses any values. */
export function domainHasConstraints(oid: Oid): boolean {
  for (let type = sys.typeByOid(oid); type?.typtype === 'd'; type = sys.typeByOid(type.typbasetype)) {
    if (type.typnotnull || sys.constraintsOfDomain(type.oid).length > 0) return true;
  }
  return false;
}
