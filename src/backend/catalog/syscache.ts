// Cached look-ups in the system catalogs (PostgreSQL's syscache.c): by OID, by name, by the keys of their indexes.
// Built-in objects come from memory (builtin.ts) and cost a Map look-up; others are read from the tables by an index
// and kept until a catalog changes. Rows are shared: nobody may change one.
import type { Oid } from '../types/datum.ts';
import * as b from './builtin.ts';
import { refreshCatalogs, registerCatalogCache } from './inval.ts';
import { hasOverrides, isOverridden } from './override.ts';
import { catalogFind, catalogRowId, catalogScan, type KeyValue } from './indexing.ts';
import { CATALOGS } from './schema.ts';
import * as ids from './oids.ts';
import type * as rows from './rows.ts';

type Row<K extends rows.CatalogId> = rows.CatalogRows[K];

// ---------------------------------------------------------------- the machinery

const NONE: readonly never[] = [];
/** By index OID, then by key: the rows found. */
const found = new Map<Oid, Map<KeyValue, readonly object[]>>();
registerCatalogCache(() => found.clear());

/** All rows whose leading index columns have these values. */
export function lookupAll<K extends rows.CatalogId>(relation: K, index: Oid, ...keys: KeyValue[]): readonly Row<K>[] {
  refreshCatalogs();
  let cache = found.get(index);
  if (!cache) found.set(index, (cache = new Map()));
  const key = keys.length === 1 ? keys[0]! : keys.join('\0');
  let list = cache.get(key);
  if (!list) cache.set(key, (list = catalogScan(relation, index, keys)));
  return list as readonly Row<K>[];
}

/** The row with this key of a unique index. */
export function lookup<K extends rows.CatalogId>(relation: K, index: Oid, ...keys: KeyValue[]): Row<K> | undefined {
  return lookupAll(relation, index, ...keys)[0];
}

/** The built-in row, unless somebody has altered it in this database. */
function builtin<R extends object>(table: b.BuiltinTable<R>, relation: Oid, oid: Oid): R | undefined {
  const row = table.byOid(oid);
  return row !== undefined && !isOverridden(relation, oid) ? row : undefined;
}

/** Built-in rows by a key of columns, merged with those of the table. The index is made when first used. */
class NameIndex<K extends rows.CatalogId> {
  #index: Map<string, number[]> | undefined;
  readonly #rows = new Map<string, readonly Row<K>[]>();
  readonly #merged = new Map<string, readonly Row<K>[]>();
  readonly #table: b.BuiltinTable<Row<K>>;
  readonly #relation: K;
  readonly #columns: readonly number[];
  readonly #oidIndex: Oid;
  #lastBuiltin: number | undefined;

  constructor(table: b.BuiltinTable<Row<K>>, relation: K, ...columnNames: (keyof Row<K> & string)[]) {
    this.#table = table;
    this.#relation = relation;
    const definition = CATALOGS.find((c) => c.oid === relation)!;
    this.#columns = columnNames.map((name) => definition.columns.findIndex((c) => c.name === name));
    this.#oidIndex = definition.indexes.find((i) => i.unique && i.columns.length === 1 && i.columns[0] === 1)!.oid;
    registerCatalogCache(() => {
      this.#merged.clear();
      this.#lastBuiltin = undefined;
    });
  }

  /** Makes the index now: the postmaster does it before it forks. */
  warm(): Map<string, number[]> {
    return (this.#index ??= this.#table.indexBy(...this.#columns));
  }

  builtins(key: string): readonly Row<K>[] {
    let list = this.#rows.get(key);
    if (!list) {
      const numbers = this.warm().get(key);
      if (!numbers) return NONE;
      this.#rows.set(key, (list = numbers.map((i) => this.#table.row(i))));
    }
    return list;
  }

  /** Those of memory and table together. `keys` are values of the leading columns of `index`. */
  merge(key: string, index: Oid, ...keys: KeyValue[]): readonly Row<K>[] {
    refreshCatalogs();
    let merged = this.#merged.get(key);
    if (!merged) {
      // Built-in rows came into the table first, in OID order: those up to the last one need not be read again.
      this.#lastBuiltin ??= hasOverrides() ? -1 : catalogRowId(this.#relation, this.#oidIndex, [this.#table.lastOid]);
      const others = catalogFind(this.#relation, index, keys, { after: this.#lastBuiltin }).map((t) => t.row);
      this.#merged.set(key, (merged = this.#merge(this.builtins(key), others)));
    }
    return merged;
  }

  #merge(list: readonly Row<K>[], others: readonly Row<K>[]): readonly Row<K>[] {
    if (others.length === 0) return list;
    const oidOf = (row: Row<K>): Oid => (row as unknown as { oid: Oid }).oid;
    const kept = list.filter((row) => !isOverridden(this.#relation, oidOf(row)));
    const added = others.filter((row) => !this.#table.has(oidOf(row)) || isOverridden(this.#relation, oidOf(row)));
    return added.length === 0 && kept.length === list.length ? list : kept.concat(added);
  }
}

const typesByName = new NameIndex(b.builtinTypes, ids.TypeRelationId, 'typname', 'typnamespace');
const procsByNameIndex = new NameIndex(b.builtinProcs, ids.ProcedureRelationId, 'proname');
const operatorsByNameIndex = new NameIndex(b.builtinOperators, ids.OperatorRelationId, 'oprname');
const operatorsByArgs = new NameIndex(b.builtinOperators, ids.OperatorRelationId, 'oprname', 'oprleft', 'oprright');
const castsByTypes = new NameIndex(b.builtinCasts, ids.CastRelationId, 'castsource', 'casttarget');
const castsBySource = new NameIndex(b.builtinCasts, ids.CastRelationId, 'castsource');
const opclassesByMethod = new NameIndex(b.builtinOpclasses, ids.OperatorClassRelationId, 'opcmethod');
const amopsByFamilyIndex = new NameIndex(b.builtinAmops, ids.AccessMethodOperatorRelationId, 'amopfamily');
const amopsByOperatorIndex = new NameIndex(b.builtinAmops, ids.AccessMethodOperatorRelationId, 'amopopr');
const amprocsByFamilyIndex = new NameIndex(b.builtinAmprocs, ids.AccessMethodProcedureRelationId, 'amprocfamily');

/** Makes the indexes over the built-in rows now, once for all forks. */
export function warmSyscache(): void {
  for (const index of [typesByName, procsByNameIndex, operatorsByNameIndex, operatorsByArgs, castsByTypes, castsBySource,
    opclassesByMethod, amopsByFamilyIndex, amopsByOperatorIndex, amprocsByFamilyIndex]) index.warm();
}

// ---------------------------------------------------------------- types

export function typeByOid(oid: Oid): rows.PgType | undefined {
  return builtin(b.builtinTypes, ids.TypeRelationId, oid) ?? lookup(ids.TypeRelationId, ids.PgTypeOidIndexId, oid);
}
export function typeByName(name: string, namespace: Oid): rows.PgType | undefined {
  if (namespace === ids.PG_CATALOG_NAMESPACE) {
    const row = typesByName.builtins(`${name},${namespace}`)[0];
    if (row && !isOverridden(ids.TypeRelationId, row.oid)) return row;
  }
  return lookup(ids.TypeRelationId, ids.PgTypeTypnameNspIndexId, name, namespace);
}
export function rangeByType(rangeType: Oid): rows.PgRange | undefined {
  return builtin(b.builtinRanges, ids.RangeRelationId, rangeType)
    ?? lookup(ids.RangeRelationId, ids.PgRangeRngtypidIndexId, rangeType);
}
export function rangeByMultirange(multirangeType: Oid): rows.PgRange | undefined {
  for (const row of b.builtinRanges) if (row.rngmultitypid === multirangeType) return row;
  return lookup(ids.RangeRelationId, ids.PgRangeRngmultitypidIndexId, multirangeType);
}
export const enumByOid = (oid: Oid): rows.PgEnum | undefined => lookup(ids.EnumRelationId, ids.PgEnumOidIndexId, oid);
export const enumByLabel = (type: Oid, label: string): rows.PgEnum | undefined =>
  lookup(ids.EnumRelationId, ids.PgEnumTypidLabelIndexId, type, label);
/** The labels of an enum type in their order. */
export const enumsByType = (type: Oid): readonly rows.PgEnum[] =>
  lookupAll(ids.EnumRelationId, ids.PgEnumTypidSortorderIndexId, type);
export const collationByOid = (oid: Oid): rows.PgCollation | undefined =>
  builtin(b.builtinCollations, ids.CollationRelationId, oid)
  ?? lookup(ids.CollationRelationId, ids.PgCollationOidIndexId, oid);
/** All encodings' collations of a name in a schema. */
export function collationsByName(name: string, namespace: Oid): readonly rows.PgCollation[] {
  if (namespace === ids.PG_CATALOG_NAMESPACE) {
    for (const row of b.builtinCollations) if (row.collname === name && !isOverridden(ids.CollationRelationId, row.oid)) return [row];
  }
  return lookupAll(ids.CollationRelationId, ids.PgCollationNameEncNspIndexId, name).filter((c) => c.collnamespace === namespace);
}

// ---------------------------------------------------------------- functions, operators, casts

export function procByOid(oid: Oid): rows.PgProc | undefined {
  return builtin(b.builtinProcs, ids.ProcedureRelationId, oid)
    ?? lookup(ids.ProcedureRelationId, ids.PgProcOidIndexId, oid);
}
/** All functions of a name, in whatever schema. */
export function procsByName(name: string): readonly rows.PgProc[] {
  return procsByNameIndex.merge(name, ids.PgProcPronameArgsNspIndexId, name);
}
export function aggregateByOid(oid: Oid): rows.PgAggregate | undefined {
  return b.builtinAggregates.byOid(oid) ?? lookup(ids.AggregateRelationId, ids.PgAggregateFnoidIndexId, oid);
}
export function operatorByOid(oid: Oid): rows.PgOperator | undefined {
  return builtin(b.builtinOperators, ids.OperatorRelationId, oid)
    ?? lookup(ids.OperatorRelationId, ids.PgOperatorOidIndexId, oid);
}
/** All operators of a name, in whatever schema. */
export function operatorsByName(name: string): readonly rows.PgOperator[] {
  return operatorsByNameIndex.merge(name, ids.PgOperatorOprnameLRNIndexId, name);
}
/** Operators of a name with exactly these argument types, in whatever schema; left 0: a prefix operator. */
export function operatorsByNameArgs(name: string, left: Oid, right: Oid): readonly rows.PgOperator[] {
  return operatorsByArgs.merge(`${name},${left},${right}`, ids.PgOperatorOprnameLRNIndexId, name, left, right);
}
export function castBySourceTarget(source: Oid, target: Oid): rows.PgCast | undefined {
  const row = castsByTypes.builtins(`${source},${target}`)[0];
  if (row && !isOverridden(ids.CastRelationId, row.oid)) return row;
  return lookup(ids.CastRelationId, ids.PgCastSourceTargetIndexId, source, target);
}
export const languageByOid = (oid: Oid): rows.PgLanguage | undefined =>
  builtin(b.builtinLanguages, ids.LanguageRelationId, oid) ?? lookup(ids.LanguageRelationId, ids.PgLanguageOidIndexId, oid);
export function languageByName(name: string): rows.PgLanguage | undefined {
  for (const row of b.builtinLanguages) if (row.lanname === name) return languageByOid(row.oid);
  return lookup(ids.LanguageRelationId, ids.PgLanguageNameIndexId, name);
}
export const conversionByOid = (oid: Oid): rows.PgConversion | undefined =>
  builtin(b.builtinConversions, ids.ConversionRelationId, oid)
  ?? lookup(ids.ConversionRelationId, ids.PgConversionOidIndexId, oid);
export function conversionByName(name: string, namespace: Oid): rows.PgConversion | undefined {
  return lookup(ids.ConversionRelationId, ids.PgConversionNameNspIndexId, name, namespace);
}

// ---------------------------------------------------------------- access methods, operator classes and families

export const amByOid = (oid: Oid): rows.PgAm | undefined =>
  b.builtinAms.byOid(oid) ?? lookup(ids.AccessMethodRelationId, ids.PgAmOidIndexId, oid);
export function amByName(name: string): rows.PgAm | undefined {
  for (const row of b.builtinAms) if (row.amname === name) return row;
  return lookup(ids.AccessMethodRelationId, ids.PgAmNameIndexId, name);
}
export const opclassByOid = (oid: Oid): rows.PgOpclass | undefined =>
  builtin(b.builtinOpclasses, ids.OperatorClassRelationId, oid)
  ?? lookup(ids.OperatorClassRelationId, ids.PgOpclassOidIndexId, oid);
export function opclassesOf(method: Oid): readonly rows.PgOpclass[] {
  return opclassesByMethod.merge(String(method), ids.PgOpclassAmNameNspIndexId, method);
}
export const opclassByName = (method: Oid, name: string, namespace: Oid): rows.PgOpclass | undefined =>
  opclassesOf(method).find((c) => c.opcname === name && c.opcnamespace === namespace);
export const opfamilyByOid = (oid: Oid): rows.PgOpfamily | undefined =>
  builtin(b.builtinOpfamilies, ids.OperatorFamilyRelationId, oid)
  ?? lookup(ids.OperatorFamilyRelationId, ids.PgOpfamilyOidIndexId, oid);
export const opfamilyByName = (method: Oid, name: string, namespace: Oid): rows.PgOpfamily | undefined =>
  lookup(ids.OperatorFamilyRelationId, ids.PgOpfamilyAmNameNspIndexId, method, name, namespace);
/** The operators of a family. */
export function amopsByFamily(family: Oid): readonly rows.PgAmop[] {
  return amopsByFamilyIndex.merge(String(family), ids.PgAmopFamStratIndexId, family);
}
/** Where an operator is a member: its families, strategies, purposes. */
export function amopsByOperator(operator: Oid): readonly rows.PgAmop[] {
  return amopsByOperatorIndex.merge(String(operator), ids.PgAmopOprFamIndexId, operator);
}
export function amprocsByFamily(family: Oid): readonly rows.PgAmproc[] {
  return amprocsByFamilyIndex.merge(String(family), ids.PgAmprocFamProcIndexId, family);
}

// ---------------------------------------------------------------- schemas, roles, databases

export const namespaceByOid = (oid: Oid): rows.PgNamespace | undefined =>
  lookup(ids.NamespaceRelationId, ids.PgNamespaceOidIndexId, oid)
  ?? builtin(b.builtinNamespaces, ids.NamespaceRelationId, oid);
export function namespaceByName(name: string): rows.PgNamespace | undefined {
  const row = lookup(ids.NamespaceRelationId, ids.PgNamespaceNspnameIndexId, name);
  if (row) return row;
  for (const known of b.builtinNamespaces) if (known.nspname === name && known.oid < ids.PG_PUBLIC_NAMESPACE) return known;
  return undefined;
}
export const authIdByOid = (oid: Oid): rows.PgAuthid | undefined => lookup(ids.AuthIdRelationId, ids.PgAuthidOidIndexId, oid);
export const authIdByName = (name: string): rows.PgAuthid | undefined =>
  lookup(ids.AuthIdRelationId, ids.PgAuthidRolnameIndexId, name);
/** The roles that `member` is a direct member of. */
export const membershipsOf = (member: Oid): readonly rows.PgAuthMembers[] =>
  lookupAll(ids.AuthMemRelationId, ids.PgAuthMembersMemberRoleIndexId, member);
/** The direct members of `role`. */
export const membersOf = (role: Oid): readonly rows.PgAuthMembers[] =>
  lookupAll(ids.AuthMemRelationId, ids.PgAuthMembersRoleMemberIndexId, role);
export const databaseByOid = (oid: Oid): rows.PgDatabase | undefined =>
  lookup(ids.DatabaseRelationId, ids.PgDatabaseOidIndexId, oid);
export const databaseByName = (name: string): rows.PgDatabase | undefined =>
  lookup(ids.DatabaseRelationId, ids.PgDatabaseDatnameIndexId, name);
export const tablespaceByOid = (oid: Oid): rows.PgTablespace | undefined => lookup(ids.TableSpaceRelationId, ids.PgTablespaceOidIndexId, oid);
export const tablespaceByName = (name: string): rows.PgTablespace | undefined =>
  lookup(ids.TableSpaceRelationId, ids.PgTablespaceSpcnameIndexId, name);

// ---------------------------------------------------------------- relations and what hangs on them

export const classByOid = (oid: Oid): rows.PgClass | undefined => lookup(ids.RelationRelationId, ids.PgClassOidIndexId, oid);
export const classByName = (name: string, namespace: Oid): rows.PgClass | undefined =>
  lookup(ids.RelationRelationId, ids.PgClassRelnameNspIndexId, name, namespace);
export const relationOidByName = (name: string, namespace: Oid): Oid => classByName(name, namespace)?.oid ?? 0;
/** Columns of a relation in order of attnum, system columns and dropped ones included. */
export const attributesOf = (relation: Oid): readonly rows.PgAttribute[] =>
  lookupAll(ids.AttributeRelationId, ids.PgAttributeRelidAttnumIndexId, relation);
export const attributeByNumber = (relation: Oid, attnum: number): rows.PgAttribute | undefined =>
  attributesOf(relation).find((a) => a.attnum === attnum);
export const attributeByName = (relation: Oid, name: string): rows.PgAttribute | undefined =>
  attributesOf(relation).find((a) => a.attname === name && !a.attisdropped);
export const attrdefsOf = (relation: Oid): readonly rows.PgAttrdef[] =>
  lookupAll(ids.AttrDefaultRelationId, ids.PgAttrdefAdrelidAdnumIndexId, relation);
export const indexByOid = (oid: Oid): rows.PgIndex | undefined => lookup(ids.IndexRelationId, ids.PgIndexIndexrelidIndexId, oid);
export const indexesOf = (relation: Oid): readonly rows.PgIndex[] =>
  lookupAll(ids.IndexRelationId, ids.PgIndexIndrelidIndexId, relation);
export const constraintByOid = (oid: Oid): rows.PgConstraint | undefined =>
  lookup(ids.ConstraintRelationId, ids.PgConstraintOidIndexId, oid);
/** Constraints of a table, by name. */
export const constraintsOf = (relation: Oid): readonly rows.PgConstraint[] =>
  lookupAll(ids.ConstraintRelationId, ids.PgConstraintConrelidContypidConnameIndexId, relation);
/** Constraints of a domain, by name. */
export const constraintsOfDomain = (type: Oid): readonly rows.PgConstraint[] =>
  lookupAll(ids.ConstraintRelationId, ids.PgConstraintContypidIndexId, type);
export const rulesOf = (relation: Oid): readonly rows.PgRewrite[] =>
  lookupAll(ids.RewriteRelationId, ids.PgRewriteRelRulenameIndexId, relation);
export const triggersOf = (relation: Oid): readonly rows.PgTrigger[] =>
  lookupAll(ids.TriggerRelationId, ids.PgTriggerTgrelidTgnameIndexId, relation);
export const sequenceByOid = (relation: Oid): rows.PgSequence | undefined =>
  lookup(ids.SequenceRelationId, ids.PgSequenceSeqrelidIndexId, relation);
/** The parents of a relation in order. */
export const parentsOf = (relation: Oid): readonly rows.PgInherits[] =>
  lookupAll(ids.InheritsRelationId, ids.PgInheritsRelidSeqnoIndexId, relation);
export const childrenOf = (relation: Oid): readonly rows.PgInherits[] =>
  lookupAll(ids.InheritsRelationId, ids.PgInheritsParentIndexId, relation);
export const statisticOf = (relation: Oid, attnum: number, inherited = false): rows.PgStatistic | undefined =>
  lookup(ids.StatisticRelationId, ids.PgStatisticRelidAttInhIndexId, relation, attnum, inherited);
