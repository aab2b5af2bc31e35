// ALTER ... RENAME of everything (RenameStmt of PostgreSQL: tablecmds.c, alter.c and others).
import { PgError, notSupported } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import { aclcheckDatabase, aclcheckNamespace, mustBeSuperuser, notOwnerOrDenied, requireOwner, requirePrivilege } from '../catalog/aclchk.ts';
import { isReservedName } from '../catalog/catalog.ts';
import { formatType } from '../catalog/format_type.ts';
import { catalogFind, catalogUpdate, catalogUpdateByKey } from '../catalog/indexing.ts';
import { objectNamespace, objectProperty } from '../catalog/object_property.ts';
import { getObjectDescription } from '../catalog/objectaddress.ts';
import * as ids from '../catalog/oids.ts';
import { indexConstraint, type ObjectAddress } from '../catalog/pg_depend.ts';
import { renameConstraint } from '../catalog/pg_constraint.ts';
import { rangeVarGetRelid } from '../catalog/namespace.ts';
import { errdetailRelkindNotSupported, systemColumnByName } from '../catalog/pg_class.ts';
import { renameType } from '../catalog/pg_type.ts';
import { noteTriggers } from '../catalog/pg_trigger.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { PgTrigger } from '../catalog/rows.ts';
import * as sys from '../catalog/syscache.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { funcSignatureString } from '../parser/parse_func.ts';
import { ddlNotice } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { preventInTransactionBlock, type UtilityContext } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { getBool } from '../utils/guc.ts';
import { session } from '../utils/session.ts';
import { relationForAlter } from './altertable.ts';
import { updateAttribute } from './alter_common.ts';
import { requireDomain, requireObjectOwnership, resolveObject, type RawObject } from './object_names.ts';
import { renamePolicy } from './policy.ts';
import { allChildren } from './tablecmds.ts';
import { refuseForTypedTable, typedTablesOf } from './typed_tables.ts';
import { renameTablespace } from './tablespace.ts';
import { renameRole } from './user.ts';
import { VIEW_SELECT_RULE } from './view.ts';

const ACCESS_EXCLUSIVE_LOCK = 8, SHARE_UPDATE_EXCLUSIVE_LOCK = 4;

export function renameObject(stmt: RawNode, context: UtilityContext): void {
  const newName = stmt['newname'] as string;
  switch (stmt['renameType']) {
    case 'OBJECT_TABLE': case 'OBJECT_SEQUENCE': case 'OBJECT_VIEW': case 'OBJECT_MATVIEW': case 'OBJECT_INDEX': case 'OBJECT_FOREIGN_TABLE':
      return renameRelationStmt(stmt, newName);
    case 'OBJECT_COLUMN': case 'OBJECT_ATTRIBUTE': return renameColumn(stmt, newName);
    case 'OBJECT_TABCONSTRAINT': return renameTableConstraint(stmt, newName);
    case 'OBJECT_DOMCONSTRAINT': return renameDomainConstraint(stmt, newName);
    case 'OBJECT_TYPE': case 'OBJECT_DOMAIN': return renameTypeStmt(stmt, newName);
    case 'OBJECT_ROLE': return renameRole(stmt['subname'] as string, newName);
    case 'OBJECT_SCHEMA': return renameSchema(stmt['subname'] as string, newName);
    case 'OBJECT_DATABASE': return renameDatabase(stmt['subname'] as string, newName, context);
    case 'OBJECT_RULE': return renameRule(stmt, newName);
    case 'OBJECT_TRIGGER': return renameTrigger(stmt, newName);
    case 'OBJECT_POLICY': return renamePolicy(stmt, newName);
    case 'OBJECT_TABLESPACE': return renameTablespace(stmt['subname'] as string, newName);
    default: return renameGeneric(stmt, newName);
  }
}

// ---- relations

function renameRelationStmt(stmt: RawNode, newName: string): void {
  const objectType = stmt['renameType'] as string;
  // ALTER TABLE may rename indexes, views and sequences too, and ALTER INDEX whatever it finds.
  const kindNow = sys.classByOid(rangeVarGetRelid(stmt['relation'] as never, true))?.relkind;
  const lock = objectType === 'OBJECT_INDEX' && (kindNow === 'i' || kindNow === 'I') ? SHARE_UPDATE_EXCLUSIVE_LOCK : ACCESS_EXCLUSIVE_LOCK;
  const oid = relationForAlter(stmt['relation'] as RawNode, objectType === 'OBJECT_INDEX' ? 'OBJECT_TABLE' : objectType, Boolean(stmt['missing_ok']), lock);
  if (oid === 0) return;
  const { kind, name, shared } = openRelation(oid);
  // While we waited the name has come to mean something else.
  if (lock !== ACCESS_EXCLUSIVE_LOCK && kind !== 'i' && kind !== 'I') lockTable(oid, name, shared, ACCESS_EXCLUSIVE_LOCK);
  requirePrivilege(ids.NamespaceRelationId, openRelation(oid).namespace, ACL.CREATE);
  renameRelation(oid, newName);
}

/** A relation with its row type and, for the index of a constraint, the constraint (RenameRelationInternal). */
function renameRelation(oid: Oid, newName: string): void {
  const relation = openRelation(oid);
  if (sys.relationOidByName(newName, relation.namespace) !== 0) throw new PgError('duplicate_table', `relation "${newName}" already exists`);
  catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [oid], { relname: newName });
  commandCounterIncrement();
  if (relation.rowType !== 0) renameType(relation.rowType, newName, relation.namespace);
  if (relation.kind === 'i' || relation.kind === 'I') {
    const constraint = indexConstraint(oid);
    if (constraint !== 0) renameConstraint(constraint, newName);
  }
  commandCounterIncrement();
}

function renameColumn(stmt: RawNode, newName: string): void {
  const rv = stmt['relation'] as RawNode;
  // Whatever the statement calls it.
  const oid = relationForAlter(rv, 'OBJECT_COLUMN', Boolean(stmt['missing_ok']), ACCESS_EXCLUSIVE_LOCK);
  if (oid === 0) return;
  const relation = openRelation(oid);
  if (!'rvmcipIf'.includes(relation.kind)) {
    throw new PgError('wrong_object_type', `cannot rename columns of relation "${relation.name}"`, { detail: errdetailRelkindNotSupported(relation.kind) });
  }
  refuseForTypedTable(relation, 'cannot rename column of typed table');
  const oldName = stmt['subname'] as string;
  for (const table of typedTablesOf(relation, stmt['behavior'] === 'DROP_CASCADE')) renameWithChildren(table, oldName, newName);
  const recurse = Boolean(rv['inh']) && stmt['renameType'] !== 'OBJECT_ATTRIBUTE';
  if (recurse) renameWithChildren(oid, oldName, newName);
  else {
    if (relation.hasSubclass && sys.childrenOf(oid).length > 0) throw new PgError('invalid_table_definition', `inherited column "${oldName}" must be renamed in child tables too`);
    renameOneColumn(oid, oldName, newName, 0);
  }
}

function renameWithChildren(oid: Oid, oldName: string, newName: string): void {
  const family = new Set([oid, ...(openRelation(oid).hasSubclass ? allChildren(oid) : [])]);
  for (const member of family) {
    const parents = sys.parentsOf(member).filter((p) => member !== oid && family.has(p.inhparent)).length;
    lockTable(member, openRelation(member).name, false, ACCESS_EXCLUSIVE_LOCK);
    renameOneColumn(member, oldName, newName, parents);
  }
}

function renameOneColumn(oid: Oid, oldName: string, newName: string, expectedParents: number): void {
  const relation = openRelation(oid);
  const column = relation.attributes.find((a) => a.attname === oldName && !a.attisdropped);
  if (column === undefined) {
    if (relation.kind !== 'v' && relation.kind !== 'c' && systemColumnByName(oldName)) throw new PgError('feature_not_supported', `cannot rename system column "${oldName}"`);
    throw new PgError('undefined_column', `column "${oldName}" does not exist`);
  }
  if (column.attinhcount > expectedParents) throw new PgError('invalid_table_definition', `cannot rename inherited column "${oldName}"`);
  if (relation.kind !== 'c' && systemColumnByName(newName)) throw new PgError('duplicate_column', `column name "${newName}" conflicts with a system column name`);
  if (relation.attributes.some((a) => a.attname === newName && !a.attisdropped)) {
    throw new PgError('duplicate_column', `column "${newName}" of relation "${relation.name}" already exists`);
  }
  updateAttribute(oid, column.attnum, { attname: newName });
  commandCounterIncrement();
  // Index columns are named after it.
  for (const index of relation.indexes) {
    index.keyAttributes.forEach((attnum, i) => {
      if (attnum === column.attnum && index.index.attributes[i]!.attname === oldName && !index.index.attributes.some((a) => a.attname === newName)) updateAttribute(index.indexrelid, i + 1, { attname: newName });
    });
  }
  commandCounterIncrement();
}

// ---- constraints, rules, triggers

function renameTableConstraint(stmt: RawNode, newName: string): void {
  const rv = stmt['relation'] as RawNode;
  const oid = relationForAlter(rv, 'OBJECT_TABLE', Boolean(stmt['missing_ok']), ACCESS_EXCLUSIVE_LOCK);
  if (oid === 0) return;
  const name = stmt['subname'] as string;
  const relation = openRelation(oid);
  const family = Boolean(rv['inh']) && relation.hasSubclass ? [oid, ...allChildren(oid)] : [oid];
  const constraint = sys.constraintsOf(oid).find((c) => c.conname === name);
  if (constraint === undefined) throw new PgError('undefined_object', `constraint "${name}" for table "${relation.name}" does not exist`);
  const inherits = constraint.contype === 'c' && !constraint.connoinherit;
  if (constraint.coninhcount > 0) throw new PgError('invalid_table_definition', `cannot rename inherited constraint "${name}"`);
  if (inherits && !rv['inh'] && sys.childrenOf(oid).length > 0) throw new PgError('invalid_table_definition', `inherited constraint "${name}" must be renamed in child tables too`);
  for (const member of inherits ? family : [oid]) {
    const own = sys.constraintsOf(member).find((c) => c.conname === name);
    if (own === undefined) continue;
    if (own.conindid !== 0 && own.contype !== 'f') renameRelation(own.conindid, newName);
    else renameConstraint(own.oid, newName);
    commandCounterIncrement();
  }
}

function renameDomainConstraint(stmt: RawNode, newName: string): void {
  const address = resolveObject('OBJECT_DOMCONSTRAINT', [{ tag: 'TypeName', names: stmt['object'] as string[], typemod: -1, location: -1 }, stmt['subname'] as string])!;
  requireObjectOwnership(address);
  renameConstraint(address.objectId, newName);
}

function renameRule(stmt: RawNode, newName: string): void {
  const oid = relationForAlter(stmt['relation'] as RawNode, '', false, ACCESS_EXCLUSIVE_LOCK);
  const relation = openRelation(oid);
  const rules = sys.rulesOf(oid);
  const rule = rules.find((r) => r.rulename === stmt['subname']);
  if (rule === undefined) throw new PgError('undefined_object', `rule "${stmt['subname'] as string}" for relation "${relation.name}" does not exist`);
  if (rules.some((r) => r.rulename === newName)) throw new PgError('duplicate_object', `rule "${newName}" for relation "${relation.name}" already exists`);
  if (rule.rulename === VIEW_SELECT_RULE) throw new PgError('invalid_object_definition', 'renaming an ON SELECT rule is not allowed');
  catalogUpdateByKey(ids.RewriteRelationId, ids.PgRewriteOidIndexId, [rule.oid], { rulename: newName });
}

function renameTrigger(stmt: RawNode, newName: string): void {
  const oid = relationForAlter(stmt['relation'] as RawNode, '', false, ACCESS_EXCLUSIVE_LOCK);
  const relation = openRelation(oid);
  const name = stmt['subname'] as string;
  const trigger = sys.triggersOf(oid).find((t) => t.tgname === name);
  if (trigger === undefined) throw new PgError('undefined_object', `trigger "${name}" for table "${relation.name}" does not exist`);
  if (trigger.tgparentid !== 0) {
    const parent = sys.lookup(ids.TriggerRelationId, ids.PgTriggerOidIndexId, trigger.tgparentid);
    throw new PgError('internal_error', `cannot rename trigger "${name}" on table "${relation.name}"`, {
      hint: `Rename the trigger on the partitioned table "${parent === undefined ? '' : openRelation(parent.tgrelid).name}" instead.`,
    });
  }
  renameTriggerAndClones(trigger, newName, name);
}

/** The trigger and, on a partitioned table, those made from it for the partitions, which may have got other names. */
function renameTriggerAndClones(trigger: PgTrigger, newName: string, expectedName: string): void {
  const relation = openRelation(trigger.tgrelid);
  if (trigger.tgname !== newName) {
    if (sys.triggersOf(relation.oid).some((t) => t.tgname === newName)) {
      throw new PgError('duplicate_object', `trigger "${newName}" for relation "${relation.name}" already exists`);
    }
    if (trigger.tgname !== expectedName) ddlNotice(`renamed trigger "${trigger.tgname}" on relation "${relation.name}"`);
    catalogUpdateByKey(ids.TriggerRelationId, ids.PgTriggerOidIndexId, [trigger.oid], { tgname: newName });
    noteTriggers(relation.oid);
  }
  if (relation.kind !== 'p') return;
  for (const { inhrelid } of sys.childrenOf(relation.oid)) {
    lockTable(inhrelid, openRelation(inhrelid).name, false, ACCESS_EXCLUSIVE_LOCK);
    const clone = sys.triggersOf(inhrelid).find((t) => t.tgparentid === trigger.oid);
    if (clone !== undefined) renameTriggerAndClones(clone, newName, expectedName);
  }
}

// ---- types, schemas, databases

function renameTypeStmt(stmt: RawNode, newName: string): void {
  const address = resolveObject('OBJECT_TYPE', stmt['object'] as RawObject)!;
  const type = sys.typeByOid(address.objectId)!;
  requireObjectOwnership(address);
  if (stmt['renameType'] === 'OBJECT_DOMAIN') requireDomain(type.oid);
  if (type.typtype === 'c' && sys.classByOid(type.typrelid)!.relkind !== 'c') {
    throw new PgError('wrong_object_type', `${formatType(type.oid)} is a table's row type`, { hint: 'Use ALTER TABLE instead.' });
  }
  if (type.typelem !== 0 && sys.typeByOid(type.typelem)?.typarray === type.oid) {
    throw new PgError('wrong_object_type', `cannot alter array type ${formatType(type.oid)}`, { hint: `You can alter type ${formatType(type.typelem)}, which will alter the array type as well.` });
  }
  if (type.typtype === 'c') renameRelation(type.typrelid, newName);
  else renameType(type.oid, newName, type.typnamespace);
}

function renameSchema(oldName: string, newName: string): void {
  const schema = sys.namespaceByName(oldName);
  if (schema === undefined) throw new PgError('undefined_schema', `schema "${oldName}" does not exist`);
  if (sys.namespaceByName(newName) !== undefined) throw new PgError('duplicate_schema', `schema "${newName}" already exists`);
  requireOwner(ids.NamespaceRelationId, schema.oid);
  if (!aclcheckDatabase(session.databaseOid, session.currentUser, ACL.CREATE)) throw notOwnerOrDenied('database', session.databaseName);
  if (!getBool('allow_system_table_mods') && isReservedName(newName)) throw new PgError('reserved_name', `unacceptable schema name "${newName}"`, { detail: 'The prefix "pg_" is reserved for system schemas.' });
  catalogUpdateByKey(ids.NamespaceRelationId, ids.PgNamespaceOidIndexId, [schema.oid], { nspname: newName });
}

/** dbcommands.ts fills this in. */
export const databaseHooks: { rename: (oldName: string, newName: string) => void } = {
  rename: () => { throw notSupported('ALTER DATABASE ... RENAME'); },
};
function renameDatabase(oldName: string, newName: string, context: UtilityContext): void {
  preventInTransactionBlock(context, 'ALTER DATABASE ... RENAME');
  databaseHooks.rename(oldName, newName);
}

// ---- functions, operators, collations, ...

function renameGeneric(stmt: RawNode, newName: string): void {
  const type = stmt['renameType'] as string;
  const address = resolveObject(type, (stmt['object'] ?? stmt['subname']) as RawObject)!;
  const { classId, objectId } = address;
  const property = objectProperty(classId)!;
  if (property.owner === undefined) mustBeSuperuser(`rename ${getObjectDescription(address)}`);
  requireObjectOwnership(address);
  const namespace = objectNamespace(classId, objectId);
  if (namespace !== 0 && !session.isSuperuser && !aclcheckNamespace(namespace, session.currentUser, ACL.CREATE)) {
    throw notOwnerOrDenied('schema', sys.namespaceByOid(namespace)!.nspname);
  }
  refuseSameName(address, newName, namespace);
  const [tuple] = catalogFind(property.classId, property.oidIndex, [objectId]);
  catalogUpdate(property.classId, tuple!, { [property.name!]: newName } as never);
}

const refuse = (existing: object | undefined, message: string): void => {
  if (existing !== undefined) throw new PgError('duplicate_object', message);
};

/** Whether an object of the class, be it the same, has the name in the schema; also when one is moved there (SET SCHEMA). */
export function refuseSameName({ classId, objectId }: ObjectAddress, name: string, namespace: Oid): void {
  const schema = sys.namespaceByOid(namespace)?.nspname;
  switch (classId) {
    case ids.ProcedureRelationId: {
      const own = sys.procByOid(objectId)!;
      const same = sys.procsByName(name).find((p) => p.pronamespace === namespace && p.proargtypes.join() === own.proargtypes.join());
      if (same !== undefined) throw new PgError('duplicate_function', `function ${funcSignatureString([name], own.proargtypes)} already exists in schema "${schema}"`);
      return;
    }
    case ids.CollationRelationId: {
      const own = sys.collationByOid(objectId)!;
      const same = sys.collationsByName(name, namespace).find((c) => c.collencoding === own.collencoding || c.collencoding === -1 || own.collencoding === -1);
      if (same !== undefined) throw new PgError('duplicate_object', `collation "${name}"${same.collencoding === -1 ? '' : ' for encoding "UTF8"'} already exists in schema "${schema}"`);
      return;
    }
    case ids.LanguageRelationId:
      if (sys.languageByName(name) !== undefined) throw new PgError('duplicate_object', `language "${name}" already exists`);
      return;
    case ids.ConversionRelationId:
      if (sys.conversionByName(name, namespace) !== undefined) throw new PgError('duplicate_object', `conversion "${name}" already exists in schema "${schema}"`);
      return;
    case ids.OperatorClassRelationId: {
      const { opcmethod } = sys.opclassByOid(objectId)!;
      if (sys.opclassByName(opcmethod, name, namespace) !== undefined) throw new PgError('duplicate_object', `operator class "${name}" for access method "${sys.amByOid(opcmethod)?.amname}" already exists in schema "${schema}"`);
      return;
    }
    case ids.TSParserRelationId: return refuse(sys.lookup(ids.TSParserRelationId, ids.PgTsParserPrsnameIndexId, name, namespace), `text search parser "${name}" already exists in schema "${schema}"`);
    case ids.TSDictionaryRelationId: return refuse(sys.lookup(ids.TSDictionaryRelationId, ids.PgTsDictDictnameIndexId, name, namespace), `text search dictionary "${name}" already exists in schema "${schema}"`);
    case ids.TSTemplateRelationId: return refuse(sys.lookup(ids.TSTemplateRelationId, ids.PgTsTemplateTmplnameIndexId, name, namespace), `text search template "${name}" already exists in schema "${schema}"`);
    case ids.TSConfigRelationId: return refuse(sys.lookup(ids.TSConfigRelationId, ids.PgTsConfigCfgnameIndexId, name, namespace), `text search configuration "${name}" already exists in schema "${schema}"`);
    case ids.StatisticExtRelationId: return refuse(sys.lookup(ids.StatisticExtRelationId, ids.PgStatisticExtNameIndexId, name, namespace), `statistics object "${name}" already exists in schema "${schema}"`);
    case ids.ForeignDataWrapperRelationId: return refuse(sys.lookup(ids.ForeignDataWrapperRelationId, ids.PgForeignDataWrapperNameIndexId, name), `foreign-data wrapper "${name}" already exists`);
    case ids.ForeignServerRelationId: return refuse(sys.lookup(ids.ForeignServerRelationId, ids.PgForeignServerNameIndexId, name), `server "${name}" already exists`);
    case ids.EventTriggerRelationId: return refuse(sys.lookup(ids.EventTriggerRelationId, ids.PgEventTriggerEvtnameIndexId, name), `event trigger "${name}" already exists`);
    case ids.SubscriptionRelationId: return refuse(sys.lookup(ids.SubscriptionRelationId, ids.PgSubscriptionSubnameIndexId, session.databaseOid, name), `subscription "${name}" already exists`);
    case ids.PublicationRelationId: return refuse(sys.lookup(ids.PublicationRelationId, ids.PgPublicationPubnameIndexId, name), `publication "${name}" already exists`);
    case ids.OperatorFamilyRelationId: {
      const { opfmethod } = sys.opfamilyByOid(objectId)!;
      if (sys.opfamilyByName(opfmethod, name, namespace) !== undefined) throw new PgError('duplicate_object', `operator family "${name}" for access method "${sys.amByOid(opfmethod)?.amname}" already exists in schema "${schema}"`);
      return;
    }
    default:
  }
}

