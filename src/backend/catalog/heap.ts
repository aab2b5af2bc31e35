// New tables, views, sequences and composite types in the catalogs (PostgreSQL's heap.c): pg_class, pg_attribute, the
// row type, dependencies. Nothing is put into the store: a table without rows has no blocks.
import { PgError } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';
import { getBool } from '../utils/guc.ts';
import { aclMembers, parseAcl } from './acl.ts';
import { userDefaultAcl } from './aclchk.ts';
import { getNewOid, getNewRelationOid, usesSystemOids } from './catalog.ts';
import { formatType } from './format_type.ts';
import { catalogInsert } from './indexing.ts';
import { getElementType, getRangeSubtype, getType } from './lsyscache.ts';
import * as ids from './oids.ts';
import { recordDependencyOnTablespace } from './pg_tablespace.ts';
import { attributeRow, classRow, SYSTEM_COLUMNS, systemColumnByName } from './pg_class.ts';
import { objectAddress, recordDependencyOn } from './pg_depend.ts';
import { recordDependencyOnOwner, updateAclDependencies } from './pg_shdepend.ts';
import { makeArrayTypeName, moveArrayTypeName, typeCreate } from './pg_type.ts';
import type { PgAttribute } from './rows.ts';
import { noteStatistics } from './pgstat_xact.ts';
import { noteStorage } from './storage.ts';
import * as sys from './syscache.ts';

const MaxHeapAttributeNumber = 1600;

/** A column to be made (ColumnDef with its types looked up). */
export interface ColumnSpec {
  name: string;
  typeOid: Oid;
  typmod: number;
  collation: Oid;
  notNull?: boolean;
  ndims?: number;
  hasDefault?: boolean;
  identity?: '' | 'a' | 'd';
  generated?: '' | 's';
  isLocal?: boolean;
  inhCount?: number;
  storage?: string;
  compression?: string;
  options?: readonly string[] | null;
  /** A column that is dropped already (of a table made LIKE a parent's attribute numbers). */
  isDropped?: boolean;
}

export interface HeapSpec {
  name: string;
  namespace: Oid;
  owner: Oid;
  relkind: 'r' | 'v' | 'm' | 'S' | 'c' | 'p' | 'f' | 't';
  persistence: 'p' | 'u' | 't';
  columns: readonly ColumnSpec[];
  /** 0: a new one. */
  oid?: Oid;
  accessMethod?: Oid;
  tablespace?: Oid;
  /** CREATE TABLE OF: the type. */
  ofType?: Oid;
  options?: readonly string[] | null;
  /** ALTER DEFAULT PRIVILEGES apply. */
  useUserAcl?: boolean;
  isPopulated?: boolean;
  /** System views may have columns of type anyarray (pg_stats). */
  allowPseudo?: boolean;
}

/** Makes a relation; its OID and that of its row type (0: none) (heap_create_with_catalog). */
export function heapCreateWithCatalog(spec: HeapSpec): { relation: Oid; rowType: Oid } {
  const hasRowType = spec.relkind !== 'S' && spec.relkind !== 't';
  refuseSystemNamespace(spec);
  checkAttributeNamesTypes(spec.columns, spec.relkind, spec.allowPseudo ?? false);
  if (sys.relationOidByName(spec.name, spec.namespace) !== 0) {
    throw new PgError('duplicate_table', `relation "${spec.name}" already exists`);
  }
  const sameName = sys.typeByName(spec.name, spec.namespace);
  if (hasRowType && sameName && !moveArrayTypeName(sameName, spec.name, spec.namespace)) {
    throw new PgError('duplicate_object', `type "${spec.name}" already exists`,
      { hint: 'A relation has an associated type of the same name, so you must use a name that doesn\'t conflict with any existing type.' });
  }
  const relation = spec.oid || getNewRelationOid();
  const aclKind = spec.relkind === 'S' ? 'S' : 'r';
  const acl = spec.useUserAcl && 'rvmfpS'.includes(spec.relkind) ? userDefaultAcl(aclKind, spec.owner, spec.namespace) : null;

  let rowType: Oid = 0;
  if (hasRowType) rowType = createRowType(spec, relation);

  const hasStorage = 'rmSt'.includes(spec.relkind);
  if (hasStorage) noteStorage(relation);
  if (hasStorage) noteStatistics('created', 'relation', relation);
  catalogInsert(ids.RelationRelationId, classRow({
    oid: relation, relname: spec.name, relnamespace: spec.namespace, reltype: rowType, reloftype: spec.ofType ?? 0,
    relowner: spec.owner, relam: spec.relkind === 'r' || spec.relkind === 'm' || spec.relkind === 't' ? spec.accessMethod || ids.HEAP_TABLE_AM_OID : 0,
    relfilenode: hasStorage ? relation : 0, reltablespace: spec.tablespace ?? 0, relpersistence: spec.persistence, relkind: spec.relkind,
    reltuples: spec.relkind === 'S' ? 1 : -1, relpages: spec.relkind === 'S' ? 1 : 0,
    relnatts: spec.columns.length, relispopulated: spec.isPopulated ?? true, relacl: acl,
    relreplident: spec.relkind === 'r' || spec.relkind === 'm' || spec.relkind === 'p' ? 'd' : 'n',
    reloptions: spec.options && spec.options.length > 0 ? spec.options : null,
    relfrozenxid: spec.relkind === 'r' || spec.relkind === 'm' ? 3 : 0, relminmxid: spec.relkind === 'r' || spec.relkind === 'm' ? 1 : 0,
  }));
  addAttributes(relation, spec.relkind, spec.columns);
  if (spec.tablespace) recordDependencyOnTablespace(relation, spec.tablespace, hasStorage);

  if (spec.relkind !== 'c' && spec.relkind !== 't') {
    const self = objectAddress(ids.RelationRelationId, relation);
    recordDependencyOnOwner(ids.RelationRelationId, relation, spec.owner);
    if (spec.accessMethod !== undefined && (spec.relkind === 'r' || spec.relkind === 'm')) recordDependencyOn(self, objectAddress(ids.AccessMethodRelationId, spec.accessMethod), 'n');
    recordDependencyOn(self, objectAddress(ids.NamespaceRelationId, spec.namespace), 'n');
    if (spec.ofType) recordDependencyOn(self, objectAddress(ids.TypeRelationId, spec.ofType), 'n');
    if (acl) updateAclDependencies(ids.RelationRelationId, relation, 0, spec.owner, [], aclMembers(parseAcl(acl)));
  }
  return { relation, rowType };
}

/** Only initdb makes relations in pg_catalog, and whoever allows it expressly. */
function refuseSystemNamespace({ name, namespace }: HeapSpec): void {
  if ((namespace !== ids.PG_CATALOG_NAMESPACE && namespace !== ids.PG_TOAST_NAMESPACE) || usesSystemOids() || getBool('allow_system_table_mods')) return;
  throw new PgError('insufficient_privilege', `permission denied to create "${sys.namespaceByOid(namespace)!.nspname}.${name}"`, {
    detail: 'System catalog modifications are currently disallowed.',
  });
}

/** The composite type of a relation's rows, and the array type over it. */
function createRowType(spec: HeapSpec, relation: Oid): Oid {
  const array = getNewOid(ids.TypeRelationId);
  const rowType = typeCreate({ name: spec.name, namespace: spec.namespace, owner: spec.owner, relation, relationKind: spec.relkind,
    len: -1, byval: false, type: 'c', category: 'C', input: 2290, output: 2291, receive: 2402, send: 2403, align: 'd', storage: 'x',
    array });
  const arrayName = makeArrayTypeName(spec.name, spec.namespace);
  typeCreate({ oid: array, name: arrayName, namespace: spec.namespace, owner: spec.owner, len: -1, byval: false, type: 'b', category: 'A',
    input: 750, output: 751, receive: 2400, send: 2401, analyze: 3816, subscript: 6179, element: rowType, isImplicitArray: true,
    align: 'd', storage: 'x' });
  return rowType;
}

/** Writes pg_attribute: the columns, then the system columns (AddNewAttributeTuples). */
function addAttributes(relation: Oid, relkind: string, columns: readonly ColumnSpec[], first = 1): void {
  columns.forEach((c, i) => addAttribute(relation, first + i, c));
  if (relkind === 'v' || relkind === 'c' || first !== 1) return;
  for (const c of SYSTEM_COLUMNS) {
    catalogInsert(ids.AttributeRelationId, attributeRow(getType(c.atttypid), { attrelid: relation, attname: c.attname, attnum: c.attnum, attnotnull: true }));
  }
}

/** One column: its pg_attribute row and what it depends on. */
export function addAttribute(relation: Oid, attnum: number, c: ColumnSpec, more: Partial<PgAttribute> = {}): void {
  const type = getType(c.typeOid);
  catalogInsert(ids.AttributeRelationId, attributeRow(type, { attrelid: relation, attname: c.name, attnum, atttypmod: c.typmod,
    attndims: c.ndims ?? 0, attnotnull: c.notNull ?? false, atthasdef: c.hasDefault ?? false, attidentity: c.identity ?? '',
    attgenerated: c.generated ?? '', attislocal: c.isLocal ?? true, attinhcount: c.inhCount ?? 0, attcollation: c.collation,
    attstorage: c.storage ?? type.typstorage, attcompression: c.compression ?? '', attoptions: c.options ?? null,
    attisdropped: c.isDropped ?? false, ...more }));
  const column = objectAddress(ids.RelationRelationId, relation, attnum);
  recordDependencyOn(column, objectAddress(ids.TypeRelationId, c.typeOid), 'n');
  if (c.collation !== 0 && c.collation !== ids.DEFAULT_COLLATION_OID) {
    recordDependencyOn(column, objectAddress(ids.CollationRelationId, c.collation), 'n');
  }
}

// ---------------------------------------------------------------- checks

/** Names must be different and not those of system columns; types must be such as can be stored. */
function checkAttributeNamesTypes(columns: readonly ColumnSpec[], relkind: string, allowPseudo = false): void {
  if (columns.length > MaxHeapAttributeNumber) {
    throw new PgError('too_many_columns', `tables can have at most ${MaxHeapAttributeNumber} columns`);
  }
  if (relkind !== 'v' && relkind !== 'c') {
    for (const c of columns) {
      if (systemColumnByName(c.name)) throw new PgError('duplicate_column', `column name "${c.name}" conflicts with a system column name`);
    }
  }
  const names = new Set<string>();
  for (const c of columns) {
    if (names.has(c.name)) throw new PgError('duplicate_column', `column "${c.name}" specified more than once`);
    names.add(c.name);
  }
  for (const c of columns) if (!c.isDropped) checkAttributeType(c.name, c.typeOid, c.collation, [], allowPseudo);
}

/** Whether a column may have this type. `containing`: row types it is within (CheckAttributeType). */
export function checkAttributeType(name: string, typeOid: Oid, collation: Oid, containing: readonly Oid[] = [], allowPseudo = false): void {
  const type = getType(typeOid);
  if (type.typtype === 'p') {
    if (!allowPseudo || typeOid !== ids.ANYARRAYOID) {
      throw new PgError('invalid_table_definition', `column "${name}" has pseudo-type ${formatType(typeOid)}`);
    }
  } else if (type.typtype === 'd') {
    checkAttributeType(name, type.typbasetype, collation, containing, allowPseudo);
  } else if (type.typtype === 'c') {
    if (containing.includes(typeOid)) {
      throw new PgError('invalid_table_definition', `composite type ${formatType(typeOid)} cannot be made a member of itself`);
    }
    for (const a of sys.attributesOf(type.typrelid)) {
      if (a.attnum > 0 && !a.attisdropped) checkAttributeType(a.attname, a.atttypid, a.attcollation, [...containing, typeOid], allowPseudo);
    }
  } else if (type.typtype === 'r') {
    checkAttributeType(name, getRangeSubtype(typeOid), sys.rangeByType(typeOid)?.rngcollation ?? 0, containing, allowPseudo);
  } else if (getElementType(typeOid) !== 0) {
    checkAttributeType(name, getElementType(typeOid), collation, containing, allowPseudo);
  }
  if (collation === 0 && type.typcollation !== 0) {
    throw new PgError('invalid_table_definition', `no collation was derived for column "${name}" with collatable type ${formatType(typeOid)}`,
      { hint: 'Use the COLLATE clause to set the collation explicitly.' });
  }
}
