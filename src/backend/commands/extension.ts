// CREATE EXTENSION (PostgreSQL's extension.c). One is there: plpgsql, which every database has from the start.
import { PgError, notSupported } from '../../common/errors.ts';
import { getNewOid } from '../catalog/catalog.ts';
import { catalogInsert, catalogFind } from '../catalog/indexing.ts';
import * as ids from '../catalog/oids.ts';
import { objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import { createComments } from '../catalog/pg_description.ts';
import { procedureCreate } from '../catalog/pg_proc.ts';
import { recordDependencyOnOwner } from '../catalog/pg_shdepend.ts';
import { ddlNotice } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';

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

const DESCRIPTION = 'PL/pgSQL procedural language';

/** PL/pgSQL: the language and its three functions; what they do is in pl/plpgsql. */
function createPlpgsql(): void {
  const owner = session.currentUser;
  const extension = getNewOid(ids.ExtensionRelationId);
  catalogInsert(ids.ExtensionRelationId, { oid: extension, extname: 'plpgsql', extowner: owner, extnamespace: ids.PG_CATALOG_NAMESPACE, extrelocatable: false, extversion: '1.0', extconfig: null, extcondition: null });
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

export const EXTENSION_COMMANDS: UtilityTable = {
  CreateExtensionStmt: { run: createExtension },
};
