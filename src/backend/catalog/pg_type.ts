// New types (PostgreSQL's pg_type.c): the row, its dependencies, names of array types.
import { PgError, internalError } from '../../common/errors.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { aclMembers, parseAcl } from './acl.ts';
import { userDefaultAcl } from './aclchk.ts';
import { getNewOid } from './catalog.ts';
import { recordDependencyOnExpr } from './expr_references.ts';
import { catalogFind, catalogInsert, catalogUpdate } from './indexing.ts';
import * as ids from './oids.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import { deleteDependencyRecordsFor, objectAddress, recordDependencyOn } from './pg_depend.ts';
import { deleteSharedDependencyRecordsFor, recordDependencyOnOwner, updateAclDependencies } from './pg_shdepend.ts';
import type { PgType } from './rows.ts';
import { truncateIdentifier } from '../utils/identifier.ts';
import * as sys from './syscache.ts';

/** shell_in and shell_out. */
const F_SHELL_IN = 2398, F_SHELL_OUT = 2399;

export interface TypeSpec {
  oid?: Oid;
  name: string;
  namespace: Oid;
  owner: Oid;
  /** The relation of a composite type, and its relkind. */
  relation?: Oid;
  relationKind?: string;
  len: number;
  byval: boolean;
  type: 'b' | 'c' | 'd' | 'e' | 'p' | 'r' | 'm';
  category: string;
  preferred?: boolean;
  delim?: string;
  input: Oid; output: Oid; receive?: Oid; send?: Oid; modin?: Oid; modout?: Oid; analyze?: Oid; subscript?: Oid;
  element?: Oid;
  isImplicitArray?: boolean;
  array?: Oid;
  base?: Oid;
  /** Node tree of the default, and its SQL text. */
  defaultBin?: string | null;
  defaultText?: string | null;
  align: string;
  storage: string;
  typmod?: number;
  ndims?: number;
  notNull?: boolean;
  collation?: Oid;
}

/** A placeholder for a type whose functions are to be made first (TypeShellMake). */
export function typeShellMake(name: string, namespace: Oid, owner: Oid): Oid {
  return typeCreate({ name, namespace, owner, len: 4, byval: true, type: 'p', category: 'P', input: F_SHELL_IN, output: F_SHELL_OUT, align: 'i', storage: 'p' }, false);
}

/** Makes a type (or fills in a shell of that name); its OID (TypeCreate). */
export function typeCreate(spec: TypeSpec, isDefined = true): Oid {
  const isCompositeOfTable = spec.relation !== undefined && spec.relationKind !== 'c';
  const acl = spec.isImplicitArray || isCompositeOfTable ? null : userDefaultAcl('T', spec.owner, spec.namespace);
  const old = sys.typeByName(spec.name, spec.namespace);
  if (old?.typisdefined) throw new PgError('duplicate_object', `type "${spec.name}" already exists`);
  const oid = old?.oid ?? spec.oid ?? getNewOid(ids.TypeRelationId);
  const row: PgType = {
    oid, typname: spec.name, typnamespace: spec.namespace, typowner: spec.owner, typlen: spec.len, typbyval: spec.byval,
    typtype: spec.type, typcategory: spec.category, typispreferred: spec.preferred ?? false, typisdefined: isDefined,
    typdelim: spec.delim ?? ',', typrelid: spec.relation ?? 0, typsubscript: spec.subscript ?? 0, typelem: spec.element ?? 0,
    typarray: spec.array ?? 0, typinput: spec.input, typoutput: spec.output, typreceive: spec.receive ?? 0, typsend: spec.send ?? 0,
    typmodin: spec.modin ?? 0, typmodout: spec.modout ?? 0, typanalyze: spec.analyze ?? 0, typalign: spec.align,
    typstorage: spec.storage, typnotnull: spec.notNull ?? false, typbasetype: spec.base ?? 0, typtypmod: spec.typmod ?? -1,
    typndims: spec.ndims ?? 0, typcollation: spec.collation ?? 0, typdefaultbin: spec.defaultBin ?? null,
    typdefault: spec.defaultText ?? null, typacl: acl,
  };
  if (old) {
    const [tuple] = catalogFind(ids.TypeRelationId, ids.PgTypeOidIndexId, [oid]);
    if (tuple!.row.typowner !== spec.owner) throw new PgError('insufficient_privilege', `must be owner of type ${spec.name}`);
    catalogUpdate(ids.TypeRelationId, tuple!, row);
  } else {
    catalogInsert(ids.TypeRelationId, row);
  }
  generateTypeDependencies(row, spec.relationKind ?? '', spec.isImplicitArray ?? false, old !== undefined);
  return oid;
}

/** What a type depends on (GenerateTypeDependencies). */
export function generateTypeDependencies(t: PgType, relationKind: string, isImplicitArray: boolean, rebuild = false): void {
  const self = objectAddress(ids.TypeRelationId, t.oid);
  if (rebuild) {
    deleteDependencyRecordsFor(self, true);
    deleteSharedDependencyRecordsFor(ids.TypeRelationId, t.oid);
  }
  const isDependent = isImplicitArray || (t.typrelid !== 0 && relationKind !== 'c');
  if (!isDependent) {
    recordDependencyOn(self, objectAddress(ids.NamespaceRelationId, t.typnamespace), 'n');
    recordDependencyOnOwner(ids.TypeRelationId, t.oid, t.typowner);
    if (t.typacl) updateAclDependencies(ids.TypeRelationId, t.oid, 0, t.typowner, [], aclMembers(parseAcl(t.typacl)));
  }
  for (const proc of [t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout, t.typanalyze, t.typsubscript]) {
    if (proc !== 0) recordDependencyOn(self, objectAddress(ids.ProcedureRelationId, proc), 'n');
  }
  if (t.typrelid !== 0) {
    const relation = objectAddress(ids.RelationRelationId, t.typrelid);
    // A table's row type goes with the table; CREATE TYPE AS's relation goes with the type.
    if (relationKind !== 'c') recordDependencyOn(self, relation, 'i');
    else recordDependencyOn(relation, self, 'i');
  }
  if (t.typelem !== 0) recordDependencyOn(self, objectAddress(ids.TypeRelationId, t.typelem), isImplicitArray ? 'i' : 'n');
  if (t.typbasetype !== 0) recordDependencyOn(self, objectAddress(ids.TypeRelationId, t.typbasetype), 'n');
  if (t.typcollation !== 0 && t.typcollation !== ids.DEFAULT_COLLATION_OID) {
    recordDependencyOn(self, objectAddress(ids.CollationRelationId, t.typcollation), 'n');
  }
  if (t.typdefaultbin !== null) recordDependencyOnExpr(self, stringToNode(t.typdefaultbin), [], 'n');
}

/** A name for the array type over `name`: "_name", with more underscores when taken (makeArrayTypeName). */
export function makeArrayTypeName(name: string, namespace: Oid): string {
  for (let candidate = truncateIdentifier(`_${name}`), i = 0; i < 100; i++) {
    if (!sys.typeByName(candidate, namespace)) return candidate;
    candidate = truncateIdentifier(`_${candidate}`);
  }
  throw new PgError('duplicate_object', `could not form array type name for type "${name}"`);
}

/** If the type in the way is an automatically made array type, it is given another name (moveArrayTypeName). */
export function moveArrayTypeName(type: PgType, name: string, namespace: Oid): boolean {
  if (!type.typisdefined) return true;
  const element = sys.typeByOid(type.typelem);
  if (!element || element.typarray !== type.oid) return false;
  renameTypeRow(type.oid, makeArrayTypeName(name, namespace));
  return true;
}

function renameTypeRow(oid: Oid, name: string): void {
  const [tuple] = catalogFind(ids.TypeRelationId, ids.PgTypeOidIndexId, [oid]);
  if (!tuple) throw internalError(`cache lookup failed for type ${oid}`);
  catalogUpdate(ids.TypeRelationId, tuple, { typname: name });
  commandCounterIncrement(); // the next name that is chosen must not be this one
}

/** Renames a type, and its array type with it (RenameTypeInternal). */
export function renameType(oid: Oid, name: string, namespace: Oid): void {
  const type = sys.typeByOid(oid);
  if (!type) throw internalError(`cache lookup failed for type ${oid}`);
  const other = sys.typeByName(name, namespace);
  if (other && !moveArrayTypeName(other, name, namespace)) {
    throw new PgError('duplicate_object', `type "${name}" already exists`);
  }
  renameTypeRow(oid, name);
  if (type.typarray !== 0) renameTypeRow(type.typarray, makeArrayTypeName(name, namespace));
}

/** A new owner for a type and its array type (AlterTypeOwnerInternal, without checks). */
export function setTypeOwner(oid: Oid, owner: Oid): void {
  for (const type of [oid, sys.typeByOid(oid)?.typarray ?? 0]) {
    const [tuple] = type === 0 ? [] : catalogFind(ids.TypeRelationId, ids.PgTypeOidIndexId, [type]);
    if (tuple) catalogUpdate(ids.TypeRelationId, tuple, { typowner: owner });
  }
}
