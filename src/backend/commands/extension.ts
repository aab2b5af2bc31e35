// CREATE and ALTER EXTENSION (PostgreSQL's extension.c). One is there: plpgsql, which every database has from the start.
import { PgError, notSupported } from '../../common/errors.ts';
import { getNewOid } from '../catalog/catalog.ts';
import { catalogInsert, catalogFind } from '../catalog/indexing.ts';
import * as ids from '../catalog/oids.ts';
import { getObjectDescription } from '../catalog/objectaddress.ts';
import { deleteDependencyRecordsForClass, dependenciesOf, objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import { createComments } from '../catalog/pg_description.ts';
import { procedureCreate } from '../catalog/pg_proc.ts';
import { recordDependencyOnOwner } from '../catalog/pg_shdepend.ts';
import * as sys from '../catalog/syscache.ts';
import { ddlNotice } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { UtilityContext, UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { errorConflictingDefElem } from './def_elem.ts';
import { lockRelation, requireObjectOwnership, resolveObject, type RawObject } from './object_names.ts';

function createExtension(stmt: RawNode): void {
  const name = stmt['extname'] as string;
  if (catalogFind(ids.ExtensionRelationId, ids.PgExtensionNameIndexId, [name]).length > 0) {
    if (stmt['if_not_exists']) return ddlNotice(`extension "${name}" already exists, skipping`, 'duplicate_object');
    throw new PgError('duplicate_object', `extension "${name}" already exists`);
  }
  if (name !== 'plpgsql') {
    throw new PgError('feature_not_supported', `extension "${name}" is not available`, { hint: 'The extension must first be installed on the system where PostgreSQL is running.' });
  }
  for (const option of (stmt['options'] ?? []) as RawNode[]) if (option['defname'] !== 'schema' && option['defname'] !== 'cascade') throw notSupported(`CREATE EXTENSION ... ${option['defname'] as string}`);
  createPlpgsql();
}

const VERSION = '1.0';
const DESCRIPTION = 'PL/pgSQL procedural language';

/** PL/pgSQL: the language and its three functions; what they do is in pl/plpgsql. */
function createPlpgsql(): void {
  const owner = session.currentUser;
  const extension = getNewOid(ids.ExtensionRelationId);
  catalogInsert(ids.ExtensionRelationId, { oid: extension, extname: 'plpgsql', extowner: owner, extnamespace: ids.PG_CATALOG_NAMESPACE, extrelocatable: false, extversion: VERSION, extconfig: null, extcondition: null });
  recordDependencyOnOwner(ids.ExtensionRelationId, extension, owner);
  const member = (classId: Oid, oid: Oid): void => recordDependencyOn(objectAddress(classId, oid), objectAddress(ids.ExtensionRelationId, extension), 'e');
  const make = (name: string, result: Oid, args: Oid[], strict: boolean): Oid => {
    const oid = procedureCreate({
      proname: name, pronamespace: ids.PG_CATALOG_NAMESPACE, proowner: owner, prolang: ids.ClanguageId, prorettype: result, proargtypes: args, prosrc: name, probin: '$libdir/plpgsql', proisstrict: strict,
    });
    member(ids.ProcedureRelationId, oid);
    return oid;
  };
  const handler = make('plpgsql_call_handler', ids.LANGUAGE_HANDLEROID, [], false);
  const inline = make('plpgsql_inline_handler', ids.VOIDOID, [ids.INTERNALOID], true);
  const validator = make('plpgsql_validator', ids.VOIDOID, [ids.OIDOID], true);
  const language = getNewOid(ids.LanguageRelationId);
  catalogInsert(ids.LanguageRelationId, {
    oid: language, lanname: 'plpgsql', lanowner: owner, lanispl: true, lanpltrusted: true, lanplcallfoid: handler, laninline: inline, lanvalidator: validator, lanacl: null,
  });
  createComments(extension, ids.ExtensionRelationId, 0, DESCRIPTION);
  createComments(language, ids.LanguageRelationId, 0, DESCRIPTION);
  for (const fn of [handler, inline, validator]) recordDependencyOn(objectAddress(ids.LanguageRelationId, language), objectAddress(ids.ProcedureRelationId, fn), 'n');
  member(ids.LanguageRelationId, language);
  commandCounterIncrement();
}

/** ALTER EXTENSION ... UPDATE: there is one version of what is there (ExecAlterExtensionStmt). */
function alterExtension(stmt: RawNode, context: UtilityContext): void {
  const name = stmt['extname'] as string;
  requireObjectOwnership(resolveObject('OBJECT_EXTENSION', name)!);
  let version: string | undefined;
  for (const option of (stmt['options'] ?? []) as RawNode[]) {
    if (version !== undefined) throw errorConflictingDefElem(option, context.text);
    version = String(option['arg']);
  }
  if (version !== undefined && version !== VERSION) {
    throw new PgError('invalid_parameter_value', `extension "${name}" has no update path from version "${VERSION}" to version "${version}"`);
  }
  ddlNotice(`version "${VERSION}" of extension "${name}" is already installed`);
}

/** ALTER EXTENSION ... ADD and DROP: an object becomes a member of the extension, or is one no longer (ExecAlterExtensionContentsStmt). */
function alterExtensionContents(stmt: RawNode): void {
  const name = stmt['extname'] as string, type = stmt['objtype'] as string;
  if (NEVER_MEMBERS.has(type)) throw new PgError('invalid_object_definition', 'cannot add an object of this type to an extension');
  const extension = resolveObject('OBJECT_EXTENSION', name)!;
  requireObjectOwnership(extension);
  const object = resolveObject(type, stmt['object'] as RawObject)!;
  if (object.classId === ids.RelationRelationId) lockRelation(object.objectId, SHARE_UPDATE_EXCLUSIVE_LOCK);
  requireObjectOwnership(object, type, stmt['object'] as RawObject);
  const owner = dependenciesOf(object).find((d) => d.deptype === 'e' && d.refclassid === ids.ExtensionRelationId)?.refobjid;
  if ((stmt['action'] as number) > 0) {
    if (object.classId === ids.NamespaceRelationId && object.objectId === sys.lookup(ids.ExtensionRelationId, ids.PgExtensionOidIndexId, extension.objectId)!.extnamespace) {
      throw new PgError('object_not_in_prerequisite_state', `cannot add schema "${sys.namespaceByOid(object.objectId)!.nspname}" to extension "${name}" because the schema contains the extension`);
    }
    if (owner !== undefined) {
      const other = sys.lookup(ids.ExtensionRelationId, ids.PgExtensionOidIndexId, owner)!.extname;
      throw new PgError('object_not_in_prerequisite_state', `${getObjectDescription(object)} is already a member of extension "${other}"`);
    }
    recordDependencyOn(object, extension, 'e');
  } else {
    if (owner !== extension.objectId) throw new PgError('object_not_in_prerequisite_state', `${getObjectDescription(object)} is not a member of extension "${name}"`);
    deleteDependencyRecordsForClass(object, ids.ExtensionRelationId, 'e');
  }
}
const SHARE_UPDATE_EXCLUSIVE_LOCK = 4;
const NEVER_MEMBERS = new Set(['DATABASE', 'EXTENSION', 'INDEX', 'PUBLICATION', 'ROLE', 'STATISTIC_EXT', 'SUBSCRIPTION', 'TABLESPACE'].map((kind) => `OBJECT_${kind}`));

export const EXTENSION_COMMANDS: UtilityTable = {
  CreateExtensionStmt: { run: createExtension },
  AlterExtensionStmt: { run: alterExtension },
  AlterExtensionContentsStmt: { run: alterExtensionContents },
};
