// Schemas and the search path (PostgreSQL's namespace.c): which object a possibly qualified name means, and whether an
// object can be found by its bare name. Look-ups of functions and operators: func_candidates.ts.
import { PgError } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';
import { defineHooks, CheckFailure } from '../utils/guc.ts';
import { session } from '../utils/session.ts';
import { settings } from '../utils/settings.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { aclcheckNamespace, notOwnerOrDenied, objectAclcheck } from './aclchk.ts';
import { commandCounterIncrement, noteTempAccess } from '../transaction/xact.ts';
import { catalogInsert } from './indexing.ts';
import { refreshCatalogs, registerCatalogCache } from './inval.ts';
import * as ids from './oids.ts';
import * as sys from './syscache.ts';
import { truncateIdentifier } from '../utils/identifier.ts';
import { getNewOid, isPinnedObject } from './catalog.ts';
import { keepObject } from './object_lock.ts';

/** A table name as the parser gives it. */
export interface RangeVarName {
  catalogname?: string | null | undefined;
  schemaname?: string | null | undefined;
  relname: string;
  relpersistence?: string | undefined;
}

// ---------------------------------------------------------------- the search path

interface SearchPath {
  /** Schemas in the order they are searched, the implicit ones (temporary schema, pg_catalog) included. */
  readonly all: readonly Oid[];
  /** Those the setting names, as far as they exist and may be used. */
  readonly explicit: readonly Oid[];
  /** Where new objects go, 0: nowhere. */
  readonly creation: Oid;
  /** pg_temp stands first, but there is no temporary schema yet. */
  readonly tempMissing: boolean;
}

let cached: SearchPath | null = null;
/** What `cached` was computed from. */
let cachedText = '';
let cachedFor: Oid = 0;
/** The namespace of this session's temporary tables, 0: none yet. */
let myTempNamespace: Oid = 0;
const overrides: SearchPath[] = [];
registerCatalogCache(() => { cached = null; });

/** Splits a list of identifiers as SplitIdentifierString does: unquoted ones are folded to lower case. */
export function splitIdentifierString(text: string, separator = ','): string[] | undefined {
  const names: string[] = [];
  const word = new RegExp(`\\s*(?:"((?:[^"]|"")*)"|([^"\\s${separator}][^\\s${separator}]*))\\s*([${separator}]|$)`, 'y');
  if (text.trim() === '') return names;
  for (;;) {
    const m = word.exec(text);
    if (!m) return undefined;
    names.push(truncateIdentifier(m[1] !== undefined ? m[1].replaceAll('""', '"') : m[2]!.toLowerCase()));
    if (m[3] === '') return names;
  }
}

defineHooks('search_path', {
  check: (value) => (splitIdentifierString(String(value)) === undefined ? new CheckFailure({ detail: 'List syntax is invalid.' }) : value),
});

function searchPath(): SearchPath {
  if (overrides.length > 0) return overrides[overrides.length - 1]!;
  refreshCatalogs();
  if (cached === null || cachedText !== settings.search_path || cachedFor !== session.currentUser) {
    cachedText = settings.search_path;
    cachedFor = session.currentUser;
    cached = computeSearchPath(splitIdentifierString(cachedText) ?? []);
  }
  return cached;
}

function computeSearchPath(names: readonly string[]): SearchPath {
  // The transaction that made it may have been rolled back.
  if (myTempNamespace !== 0 && !sys.namespaceByOid(myTempNamespace)) myTempNamespace = 0;
  const explicit: Oid[] = [];
  let tempMissing = false;
  names.forEach((name, i) => {
    let oid = 0;
    if (name === '$user') {
      const role = sys.authIdByOid(session.currentUser);
      oid = role ? sys.namespaceByName(role.rolname)?.oid ?? 0 : 0;
    } else if (name === 'pg_temp') {
      oid = myTempNamespace;
      if (oid === 0 && i === 0) tempMissing = true;
      if (oid !== 0 && !explicit.includes(oid)) explicit.push(oid);
      return;
    } else {
      oid = sys.namespaceByName(name)?.oid ?? 0;
    }
    if (oid !== 0 && !explicit.includes(oid) && aclcheckNamespace(oid, session.currentUser, ACL.USAGE)) explicit.push(oid);
  });
  const all = [...explicit];
  if (!all.includes(ids.PG_CATALOG_NAMESPACE)) all.unshift(ids.PG_CATALOG_NAMESPACE);
  if (myTempNamespace !== 0 && !all.includes(myTempNamespace)) all.unshift(myTempNamespace);
  return { all, explicit, creation: tempMissing ? 0 : explicit[0] ?? 0, tempMissing };
}

/** The schemas that are searched, in order: with the implicit ones or as the setting has them (fetch_search_path). */
export const fetchSearchPath = (includeImplicit: boolean): readonly Oid[] =>
  includeImplicit ? searchPath().all : searchPath().explicit;

/** The schema that things are created in; 0: there is none. Of temporary objects it is made, if it is not there. */
export function currentSchema(): Oid {
  const path = searchPath();
  return path.tempMissing ? accessTempTableNamespace() : path.creation;
}

/** Runs something with another search path: these schemas, pg_catalog first unless it is among them. */
export function withSearchPath<T>(schemas: readonly Oid[], run: () => T): T {
  const all = schemas.includes(ids.PG_CATALOG_NAMESPACE) ? [...schemas] : [ids.PG_CATALOG_NAMESPACE, ...schemas];
  overrides.push({ all, explicit: schemas, creation: schemas[0] ?? 0, tempMissing: false });
  try {
    return run();
  } finally {
    overrides.pop();
  }
}

/** The position of a schema in the search path, the session's temporary one left out; -1: not in it. */
export function searchPathPosition(namespace: Oid): number {
  return namespace === myTempNamespace && namespace !== 0 ? -1 : searchPath().all.indexOf(namespace);
}

// ---------------------------------------------------------------- schemas by name

export function getNamespaceOid(name: string, missingOk = false): Oid {
  const oid = sys.namespaceByName(name)?.oid ?? 0;
  if (oid === 0 && !missingOk) throw new PgError('undefined_schema', `schema "${name}" does not exist`);
  return oid;
}

/** The schema of a qualified name; it must exist and one must be allowed to use it. */
export function lookupExplicitNamespace(name: string, missingOk = false): Oid {
  if (name === 'pg_temp' && myTempNamespace !== 0) {
    noteTempAccess();
    return myTempNamespace;
  }
  const oid = getNamespaceOid(name, missingOk);
  if (oid !== 0 && !aclcheckNamespace(oid, session.currentUser, ACL.USAGE)) throw notOwnerOrDenied('schema', name);
  return oid;
}

/** The schema in which CREATE with this explicit schema name makes its object (LookupCreationNamespace). */
export function lookupCreationNamespace(name: string): Oid {
  if (name === 'pg_temp') return accessTempTableNamespace();
  const oid = getNamespaceOid(name);
  if (!aclcheckNamespace(oid, session.currentUser, ACL.CREATE)) throw notOwnerOrDenied('schema', name);
  return oid;
}

/** "a.b" of a list of names. */
export const nameListToString = (names: readonly string[]): string => names.join('.');

/** Takes a possibly qualified name apart; the database, when given, must be this one. */
export function deconstructQualifiedName(names: readonly string[]): { schema: string | null; name: string } {
  switch (names.length) {
    case 1: return { schema: null, name: names[0]! };
    case 2: return { schema: names[0]!, name: names[1]! };
    case 3:
      if (names[0] !== session.databaseName) {
        throw new PgError('feature_not_supported', `cross-database references are not implemented: ${nameListToString(names)}`);
      }
      return { schema: names[1]!, name: names[2]! };
    default:
      throw new PgError('syntax_error', `improper qualified name (too many dotted names): ${nameListToString(names)}`);
  }
}

/** Where an object with this possibly qualified name is to be created (QualifiedNameGetCreationNamespace). */
export function qualifiedNameGetCreationNamespace(names: readonly string[]): { namespace: Oid; name: string } {
  const { schema, name } = deconstructQualifiedName(names);
  if (schema === 'pg_temp') return { namespace: accessTempTableNamespace(), name };
  if (schema !== null) return { namespace: getNamespaceOid(schema), name };
  return { namespace: creationNamespace(), name };
}

function creationNamespace(): Oid {
  const namespace = currentSchema();
  if (namespace === 0) throw new PgError('undefined_schema', 'no schema has been selected to create in');
  return namespace;
}

// ---------------------------------------------------------------- relations

function checkCatalogName(rv: RangeVarName): void {
  if (rv.catalogname && rv.catalogname !== session.databaseName) {
    throw new PgError('feature_not_supported',
      `cross-database references are not implemented: "${rv.catalogname}.${rv.schemaname}.${rv.relname}"`);
  }
}

/** The relation of a bare name, 0: none in the search path. */
export function relnameGetRelid(name: string): Oid {
  for (const namespace of searchPath().all) {
    const oid = sys.relationOidByName(name, namespace);
    if (oid !== 0) return oid;
  }
  return 0;
}

/** The OID of the relation a name means. When there is none: 0 with missingOk, else 42P01. Takes no lock. */
export function rangeVarGetRelid(rv: RangeVarName, missingOk = false): Oid {
  checkCatalogName(rv);
  let oid = 0;
  if (rv.relpersistence === 't') {
    if (myTempNamespace !== 0) {
      if (rv.schemaname && lookupExplicitNamespace(rv.schemaname, missingOk) !== myTempNamespace) {
        throw new PgError('invalid_table_definition', 'temporary tables cannot specify a schema name');
      }
      oid = sys.relationOidByName(rv.relname, myTempNamespace);
    }
  } else if (rv.schemaname) {
    const namespace = lookupExplicitNamespace(rv.schemaname, missingOk);
    if (namespace !== 0) oid = sys.relationOidByName(rv.relname, namespace);
  } else {
    oid = relnameGetRelid(rv.relname);
  }
  if (oid === 0 && !missingOk) {
    throw new PgError('undefined_table', rv.schemaname
      ? `relation "${rv.schemaname}.${rv.relname}" does not exist` : `relation "${rv.relname}" does not exist`);
  }
  return oid;
}

/** Where CREATE makes a relation of this name (RangeVarGetCreationNamespace and the check of privileges). */
export function rangeVarGetCreationNamespace(rv: RangeVarName): Oid {
  checkCatalogName(rv);
  if (rv.relpersistence === 't' && rv.schemaname && rv.schemaname !== 'pg_temp'
    && (myTempNamespace === 0 || sys.namespaceByName(rv.schemaname)?.oid !== myTempNamespace)) {
    throw new PgError('invalid_table_definition', 'cannot create temporary relation in non-temporary schema');
  }
  let namespace: Oid;
  if (rv.schemaname === 'pg_temp' || rv.relpersistence === 't') namespace = accessTempTableNamespace();
  else if (rv.schemaname) namespace = getNamespaceOid(rv.schemaname);
  else namespace = creationNamespace();
  if (rv.relpersistence === 'u' && isTempNamespace(namespace)) throw new PgError('invalid_table_definition', 'only temporary relations may be created in temporary schemas');
  if (rv.relpersistence === 'p' && isOtherTempNamespace(namespace)) {
    throw new PgError('invalid_table_definition', 'cannot create relations in temporary schemas of other sessions');
  }
  if (!aclcheckNamespace(namespace, session.currentUser, ACL.CREATE)) {
    throw notOwnerOrDenied('schema', sys.namespaceByOid(namespace)!.nspname);
  }
  keepNamespace(namespace);
  return namespace;
}

/** Nobody drops the schema before what is made in it can be seen. */
function keepNamespace(oid: Oid): void {
  if (isPinnedObject(ids.NamespaceRelationId, oid) || isAnyTempNamespace(oid)) return;
  const { nspname } = sys.namespaceByOid(oid)!;
  if (!keepObject(false, ids.NamespaceRelationId, oid, () => sys.namespaceByOid(oid) !== undefined)) {
    throw new PgError('undefined_schema', `schema "${nspname}" does not exist`);
  }
}

/** "schema.table" or "table" as a RangeVar (makeRangeVarFromNameList). */
export function makeRangeVarFromNameList(names: readonly string[]): RangeVarName {
  switch (names.length) {
    case 1: return { relname: names[0]! };
    case 2: return { schemaname: names[0]!, relname: names[1]! };
    case 3: return { catalogname: names[0]!, schemaname: names[1]!, relname: names[2]! };
    default:
      throw new PgError('syntax_error', `improper relation name (too many dotted names): ${nameListToString(names)}`);
  }
}

// ---------------------------------------------------------------- temporary schemas

export const isTempNamespace = (namespace: Oid): boolean => namespace !== 0 && namespace === myTempNamespace;
export const myTempNamespaceOid = (): Oid => myTempNamespace;
export const isAnyTempNamespace = (namespace: Oid): boolean =>
  /^pg_(toast_)?temp_/.test(sys.namespaceByOid(namespace)?.nspname ?? '');
export const isOtherTempNamespace = (namespace: Oid): boolean => !isTempNamespace(namespace) && isAnyTempNamespace(namespace);

/** Temporary tables belong to who made them: others may name, lock and drop them. */
export function isOtherTemp(relation: { readonly persistence: string; readonly namespace: Oid }): boolean {
  return relation.persistence === 't' && isOtherTempNamespace(relation.namespace);
}
export function refuseOtherTemp(action: string, relation: { readonly persistence: string; readonly namespace: Oid }): void {
  if (isOtherTemp(relation)) throw new PgError('feature_not_supported', `cannot ${action} temporary tables of other sessions`);
}

/** What dependency.ts, a module above, does for this one. */
export const tempNamespaceHooks = { removeContents: (_namespace: Oid): void => {} };

/** This session's temporary schema, made at the first need (InitTempTableNamespace). */
export function accessTempTableNamespace(): Oid {
  noteTempAccess();
  if (myTempNamespace !== 0 && sys.namespaceByOid(myTempNamespace)) return myTempNamespace;
  if (!objectAclcheck(ids.DatabaseRelationId, session.databaseOid, session.currentUser, ACL.CREATE_TEMP)) {
    throw new PgError('insufficient_privilege', `permission denied to create temporary tables in database "${session.databaseName}"`);
  }
  const name = `pg_temp_${session.pid}`;
  const old = sys.namespaceByName(name);
  if (old) {
    // An earlier session with our process id did not live to clean up.
    myTempNamespace = old.oid;
    tempNamespaceHooks.removeContents(old.oid);
  } else {
    myTempNamespace = getNewOid(ids.NamespaceRelationId);
    catalogInsert(ids.NamespaceRelationId, { oid: myTempNamespace, nspname: name, nspowner: ids.BOOTSTRAP_SUPERUSERID, nspacl: null });
    commandCounterIncrement();
  }
  cached = null;
  return myTempNamespace;
}

// ---------------------------------------------------------------- other objects by name

/** Looks for a name along the search path (the temporary schema left out) or in the schema it names. */
export function lookupByName(names: readonly string[], find: (name: string, namespace: Oid) => Oid, missingSchemaOk = false): Oid {
  const { schema, name } = deconstructQualifiedName(names);
  if (schema !== null) {
    const namespace = lookupExplicitNamespace(schema, missingSchemaOk);
    return namespace === 0 ? 0 : find(name, namespace);
  }
  for (const namespace of searchPath().all) {
    if (namespace === myTempNamespace) continue;
    const oid = find(name, namespace);
    if (oid !== 0) return oid;
  }
  return 0;
}

const findType = (name: string, namespace: Oid): Oid => sys.typeByName(name, namespace)?.oid ?? 0;

/** The type of a possibly qualified name, 0: none. The temporary schema counts for types. */
/** `tempOk`: a name without a schema may be that of a temporary type. */
export function typenameToOid(names: readonly string[], missingSchemaOk = true, tempOk = true): Oid {
  const { schema, name } = deconstructQualifiedName(names);
  if (schema !== null) {
    const namespace = lookupExplicitNamespace(schema, missingSchemaOk);
    return namespace === 0 ? 0 : findType(name, namespace);
  }
  for (const namespace of searchPath().all) {
    if (!tempOk && namespace === myTempNamespace) continue;
    const oid = findType(name, namespace);
    if (oid !== 0) return oid;
  }
  return 0;
}

const UTF8 = 6;
const findCollation = (name: string, namespace: Oid): Oid =>
  sys.collationsByName(name, namespace).find((c) => c.collencoding === UTF8 || c.collencoding === -1)?.oid ?? 0;

export function getCollationOid(names: readonly string[], missingOk = false): Oid {
  const oid = lookupByName(names, findCollation, missingOk);
  if (oid === 0 && !missingOk) {
    throw new PgError('undefined_object', `collation "${nameListToString(names)}" for encoding "UTF8" does not exist`);
  }
  return oid;
}

export function getConversionOid(names: readonly string[], missingOk = false): Oid {
  const oid = lookupByName(names, (name, namespace) => sys.conversionByName(name, namespace)?.oid ?? 0, missingOk);
  if (oid === 0 && !missingOk) throw new PgError('undefined_object', `conversion "${nameListToString(names)}" does not exist`);
  return oid;
}

export function getOpclassOid(method: Oid, names: readonly string[], missingOk = false): Oid {
  const oid = lookupByName(names, (name, namespace) => sys.opclassByName(method, name, namespace)?.oid ?? 0, missingOk);
  if (oid === 0 && !missingOk) {
    throw new PgError('undefined_object',
      `operator class "${nameListToString(names)}" does not exist for access method "${sys.amByOid(method)?.amname}"`);
  }
  return oid;
}

export function getOpfamilyOid(method: Oid, names: readonly string[], missingOk = false): Oid {
  const oid = lookupByName(names, (name, namespace) => sys.opfamilyByName(method, name, namespace)?.oid ?? 0, missingOk);
  if (oid === 0 && !missingOk) {
    throw new PgError('undefined_object',
      `operator family "${nameListToString(names)}" does not exist for access method "${sys.amByOid(method)?.amname}"`);
  }
  return oid;
}

// ---------------------------------------------------------------- visibility: found by the bare name?

/** Whether the first schema of the search path that has something of this name is `namespace`. */
export function isVisible(namespace: Oid, hides: (other: Oid) => boolean, useTemp = false): boolean {
  const all = searchPath().all;
  if (!all.includes(namespace)) return false;
  for (const other of all) {
    if (other === namespace) return true;
    if (other === myTempNamespace && !useTemp) continue;
    if (hides(other)) return false;
  }
  return false;
}

export function relationIsVisible(oid: Oid): boolean {
  const row = sys.classByOid(oid);
  return row !== undefined && isVisible(row.relnamespace, (other) => sys.relationOidByName(row.relname, other) !== 0, true);
}
export function typeIsVisible(oid: Oid): boolean {
  const row = sys.typeByOid(oid);
  return row !== undefined && isVisible(row.typnamespace, (other) => findType(row.typname, other) !== 0, true);
}
export function collationIsVisible(oid: Oid): boolean {
  const row = sys.collationByOid(oid);
  return row !== undefined && isVisible(row.collnamespace, (other) => findCollation(row.collname, other) !== 0);
}
export function conversionIsVisible(oid: Oid): boolean {
  const row = sys.conversionByOid(oid);
  return row !== undefined && isVisible(row.connamespace, (other) => sys.conversionByName(row.conname, other) !== undefined);
}
export function opclassIsVisible(oid: Oid): boolean {
  const row = sys.opclassByOid(oid);
  return row !== undefined
    && isVisible(row.opcnamespace, (other) => sys.opclassByName(row.opcmethod, row.opcname, other) !== undefined);
}
export function opfamilyIsVisible(oid: Oid): boolean {
  const row = sys.opfamilyByOid(oid);
  return row !== undefined
    && isVisible(row.opfnamespace, (other) => sys.opfamilyByName(row.opfmethod, row.opfname, other) !== undefined);
}
export function functionIsVisible(oid: Oid): boolean {
  const row = sys.procByOid(oid);
  return row !== undefined && isVisible(row.pronamespace, (other) => sys.procsByName(row.proname).some((p) =>
    p.pronamespace === other && p.proargtypes.length === row.proargtypes.length
    && p.proargtypes.every((t, i) => t === row.proargtypes[i])));
}
export function operatorIsVisible(oid: Oid): boolean {
  const row = sys.operatorByOid(oid);
  return row !== undefined && isVisible(row.oprnamespace, (other) =>
    sys.operatorsByNameArgs(row.oprname, row.oprleft, row.oprright).some((o) => o.oprnamespace === other));
}
