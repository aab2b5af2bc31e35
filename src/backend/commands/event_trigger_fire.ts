// When event triggers fire, and what their functions are told (PostgreSQL's event_trigger.c). Without any event trigger all of
// this is one look at a list that the catalogs' cache keeps.
import { PgError } from '../../common/errors.ts';
import { ddlHooks } from '../catalog/ddl_hooks.ts';
import { catalogScan } from '../catalog/indexing.ts';
import { refreshCatalogs, registerCatalogCache } from '../catalog/inval.ts';
import { isTempNamespace } from '../catalog/namespace.ts';
import { type Identity, identityOf, placeOf, typeOfObject } from '../catalog/object_identity.ts';
import { objectNamespace } from '../catalog/object_property.ts';
import * as ids from '../catalog/oids.ts';
import { objectAddress, type ObjectAddress } from '../catalog/pg_depend.ts';
import type { PgEventTrigger } from '../catalog/rows.ts';
import * as sys from '../catalog/syscache.ts';
import { functionInfo, makeContext } from '../executor/fmgr_info.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { createCommandTag } from '../tcop/cmdtag.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { EVENT_TRIGGEROID } from '../types/oids.ts';
import { getString } from '../utils/guc.ts';
import { session } from '../utils/session.ts';
import type { EventName, EventTriggerData } from './trigger_data.ts';
import { asNames, resolveObject, type RawObject } from './object_names.ts';

export interface DroppedObject {
  address: ObjectAddress; original: boolean; normal: boolean; temporary: boolean; type: string; schema: string | null; name: string | null; identity: Identity;
}
/** `kind`: all that is told of what GRANT and its like are about. */
export interface CollectedCommand { address: ObjectAddress | null; tag: string; kind?: string }

/** Of one command of the frontend or of a function, with the commands inside it. */
interface CommandState {
  readonly commands: CollectedCommand[];
  readonly dropped: DroppedObject[];
  inSqlDrop: boolean;
  rewrite: { table: Oid; reason: number } | null;
}
let state: CommandState | null = null;
export const commandState = (): CommandState | null => state;

let triggers: readonly PgEventTrigger[] | null = null;
registerCatalogCache(() => { triggers = null; });

function eventTriggers(): readonly PgEventTrigger[] {
  refreshCatalogs();
  return (triggers ??= catalogScan(ids.EventTriggerRelationId, ids.PgEventTriggerEvtnameIndexId, []));
}

// ---- which commands

const NOT_SUPPORTED = /^(CREATE|ALTER|DROP) (DATABASE|ROLE|TABLESPACE|EVENT TRIGGER|SYSTEM)$/;
const OTHER_TAGS = new Set(['COMMENT', 'GRANT', 'REVOKE', 'SECURITY LABEL', 'IMPORT FOREIGN SCHEMA', 'REFRESH MATERIALIZED VIEW', 'SELECT INTO']);
/** Whether event triggers can be for a command (event_trigger_ok of cmdtaglist.h). */
export const supportsEventTriggers = (tag: string): boolean => OTHER_TAGS.has(tag) || (/^(CREATE|ALTER|DROP) /.test(tag) && !NOT_SUPPORTED.test(tag));
export const supportsTableRewrite = (tag: string): boolean => tag === 'ALTER TABLE' || tag === 'ALTER TYPE' || tag === 'ALTER MATERIALIZED VIEW';

const SHARED_OBJECTS = new Set(['OBJECT_DATABASE', 'OBJECT_ROLE', 'OBJECT_TABLESPACE', 'OBJECT_EVENT_TRIGGER', 'OBJECT_PARAMETER_ACL']);
/** Commands on what belongs to no database fire none (EventTriggerSupportsObjectType). */
const isShared = (stmt: RawNode): boolean => ['objtype', 'objectType', 'renameType', 'removeType'].some((field) => SHARED_OBJECTS.has(stmt[field] as string));

function firing(event: EventName, tag: string): PgEventTrigger[] {
  const replica = getString('session_replication_role') === 'replica';
  return eventTriggers().filter((t) => t.evtevent === event && t.evtenabled !== 'D' && t.evtenabled !== (replica ? 'O' : 'R') && (t.evttags === null || t.evttags.includes(tag)));
}

function fire(list: readonly PgEventTrigger[], event: EventName, tag: string): void {
  for (const t of list) {
    commandCounterIncrement();
    const info = functionInfo(t.evtfoid);
    const context = { ...makeContext(t.evtfoid, [], EVENT_TRIGGEROID, 0), eventTrigger: { event, tag } satisfies EventTriggerData };
    (info.builtin!.fn as (c: unknown) => unknown)(context);
  }
  commandCounterIncrement();
}

/** Runs a utility command with the event triggers around it. */
export function withEventTriggers<T>(stmt: RawNode, isSubcommand: boolean, run: () => T): T {
  if (eventTriggers().length === 0) return run();
  const tag = createCommandTag(stmt);
  if (!supportsEventTriggers(tag) || isShared(stmt)) return run();
  if (isSubcommand) return collecting(stmt, tag, run);
  fire(firing('ddl_command_start', tag), 'ddl_command_start', tag);
  if (!(['ddl_command_end', 'sql_drop', 'table_rewrite'] as const).some((event) => eventTriggers().some((t) => t.evtevent === event))) return run();
  const outer = state;
  const hooks = { ...ddlHooks };
  state = { commands: [], dropped: [], inSqlDrop: false, rewrite: null };
  try {
    const result = collecting(stmt, tag, run);
    Object.assign(ddlHooks, { created: null, dropping: null, rewriting: null, altered: null });
    if (state.dropped.length > 0) {
      const list = firing('sql_drop', tag);
      state.inSqlDrop = true;
      if (list.length > 0) fire(list, 'sql_drop', tag);
      state.inSqlDrop = false;
    }
    fire(firing('ddl_command_end', tag), 'ddl_command_end', tag);
    return result;
  } finally {
    state = outer;
    Object.assign(ddlHooks, hooks);
  }
}

// ---- what a command does

const CLASS_TAGS: Readonly<Record<Oid, (row: Record<string, unknown>, tag: string) => string | null>> = {
  [ids.RelationRelationId]: (row) => {
    switch (row['relkind']) {
      case 'r': case 'p': return 'CREATE TABLE';
      case 'i': case 'I': return 'CREATE INDEX';
      case 'S': return 'CREATE SEQUENCE';
      case 'v': return 'CREATE VIEW';
      case 'm': return 'CREATE MATERIALIZED VIEW';
      case 'f': return 'CREATE FOREIGN TABLE';
      default: return null;
    }
  },
  [ids.TypeRelationId]: (row, tag) => (row['typtype'] === 'd' ? 'CREATE DOMAIN' : row['typtype'] === 'e' || row['typtype'] === 'r' || (row['typtype'] === 'b' && row['typelem'] === 0) || row['typtype'] === 'p' || (row['typtype'] === 'c' && tag === 'CREATE TYPE') ? 'CREATE TYPE' : null),
  [ids.NamespaceRelationId]: (row) => ((row['nspname'] as string).startsWith('pg_temp_') ? null : 'CREATE SCHEMA'), [ids.ProcedureRelationId]: (row) => (row['prokind'] === 'a' ? 'CREATE AGGREGATE' : row['prokind'] === 'p' ? 'CREATE PROCEDURE' : 'CREATE FUNCTION'),
  [ids.OperatorRelationId]: () => 'CREATE OPERATOR', [ids.CastRelationId]: () => 'CREATE CAST', [ids.CollationRelationId]: () => 'CREATE COLLATION', [ids.ConversionRelationId]: () => 'CREATE CONVERSION',
  [ids.PolicyRelationId]: () => 'CREATE POLICY', [ids.TriggerRelationId]: (row) => (row['tgisinternal'] ? null : 'CREATE TRIGGER'), [ids.RewriteRelationId]: (row) => (row['rulename'] === '_RETURN' ? null : 'CREATE RULE'),
  [ids.OperatorClassRelationId]: () => 'CREATE OPERATOR CLASS', [ids.OperatorFamilyRelationId]: () => 'CREATE OPERATOR FAMILY', [ids.StatisticExtRelationId]: () => 'CREATE STATISTICS', [ids.PublicationRelationId]: () => 'CREATE PUBLICATION', [ids.LanguageRelationId]: () => 'CREATE LANGUAGE',
  [ids.ForeignDataWrapperRelationId]: () => 'CREATE FOREIGN DATA WRAPPER', [ids.ForeignServerRelationId]: () => 'CREATE SERVER', [ids.UserMappingRelationId]: () => 'CREATE USER MAPPING', [ids.ExtensionRelationId]: () => 'CREATE EXTENSION',
  [ids.TSConfigRelationId]: () => 'CREATE TEXT SEARCH CONFIGURATION', [ids.TSDictionaryRelationId]: () => 'CREATE TEXT SEARCH DICTIONARY', [ids.TSParserRelationId]: () => 'CREATE TEXT SEARCH PARSER',
  [ids.TSTemplateRelationId]: () => 'CREATE TEXT SEARCH TEMPLATE', [ids.TransformRelationId]: () => 'CREATE TRANSFORM', [ids.AccessMethodRelationId]: () => 'CREATE ACCESS METHOD', [ids.SubscriptionRelationId]: () => 'CREATE SUBSCRIPTION',
};
const DROPPED_NOT_TOLD = new Set<Oid>([ids.DatabaseRelationId, ids.TableSpaceRelationId, ids.AuthIdRelationId, ids.EventTriggerRelationId]);

/** The command itself is one command; what it makes on the side (sequences, indexes) are others. */
function collecting<T>(stmt: RawNode, tag: string, run: () => T): T {
  const mine = state;
  if (mine === null) return run();
  const target = targetOf(stmt);
  const kind = kindOfGrant(stmt);
  const made: { address: ObjectAddress; tag: string }[] = [];
  const saved = { ...ddlHooks };
  ddlHooks.created = (classId, row) => {
    // A foreign key of a new table, other than those it has from its parent, is added to it.
    if (classId === ids.ConstraintRelationId && row['contype'] === 'f' && row['conparentid'] === 0 && tag === 'CREATE TABLE') made.push({ address: objectAddress(ids.RelationRelationId, row['conrelid'] as Oid), tag: 'ALTER TABLE' });
    // A publication's members are told of when they are added to it later.
    if ((classId === ids.PublicationRelRelationId || classId === ids.PublicationNamespaceRelationId) && tag === 'ALTER PUBLICATION') made.push({ address: objectAddress(classId, row['oid'] as Oid), tag });
    const what = CLASS_TAGS[classId]?.(row, tag) ?? null;
    // Indexes of constraints that are added, and those of partitions, are not told of.
    // A range type's constructors and multirange type are part of it.
    if (tag === 'CREATE TYPE' && made.length > 0) return;
    if (what === 'CREATE INDEX' && (tag === 'ALTER TABLE' || (tag === 'CREATE INDEX' && made.length > 0))) return;
    if (what !== null) made.push({ address: objectAddress(classId, row['oid'] as Oid), tag: what });
  };
  ddlHooks.dropping = (object, original, normal) => noteDropped(mine, object, original, normal);
  ddlHooks.altered = (address, what, object) => { mine.commands.push({ address, tag: what, ...(object !== undefined ? { kind: object } : {}) }); };
  ddlHooks.rewriting = (table, reason) => fireTableRewrite(mine, tag, table, reason);
  let result: T;
  try {
    result = run();
  } finally {
    Object.assign(ddlHooks, saved);
  }
  // CREATE SCHEMA's elements have told of themselves.
  const known = new Set(mine.commands.map((c) => c.address?.objectId));
  const own = made.filter((m) => !known.has(m.address.objectId));
  if (tag === 'CREATE TABLE') {
    const sequences = own.filter((m) => m.tag === 'CREATE SEQUENCE');
    const others = own.filter((m) => m.tag !== 'CREATE SEQUENCE' && m.tag !== 'ALTER TABLE' && (m.tag !== 'CREATE INDEX' || stmt['partbound'] === undefined));
    mine.commands.push(...sequences, ...others, ...own.filter((m) => m.tag === 'ALTER TABLE').slice(0, 1), ...sequences.map((s) => ({ address: s.address, tag: 'ALTER SEQUENCE' })));
  } else if (tag === 'CREATE SCHEMA') mine.commands.unshift(...own);
  else {
    if (kind !== null) mine.commands.push({ address: null, tag, kind });
    if (target !== null && (stmt.tag !== 'AlterPublicationStmt' || stmt['options'] !== undefined)) mine.commands.push({ address: target, tag });
    mine.commands.push(...own.map((m) => (tag === 'CREATE TABLE AS' || tag === 'SELECT INTO' ? { ...m, tag } : m)));
    // Options of columns are given to the new table.
    if (tag === 'CREATE FOREIGN TABLE' && own.length > 0 && columnsHaveOptions(stmt)) mine.commands.push({ address: own.at(-1)!.address, tag: 'ALTER FOREIGN TABLE' });
  }
  return result;
}

const columnsHaveOptions = (stmt: RawNode): boolean => (((stmt['base'] as RawNode | undefined)?.['tableElts'] ?? []) as RawNode[]).some((e) => e['fdwoptions'] !== undefined);

/** The object that an ALTER or COMMENT names; null: none, or the command itself will say what is wrong with it. */
function targetOf(stmt: RawNode): ObjectAddress | null {
  if (!/^(Alter|Rename|Comment|RefreshMatView)/.test(stmt.tag)) return null;
  const find = (kind: string, object: RawObject): ObjectAddress | null => {
    try {
      return resolveObject(kind, object, true) ?? null;
    } catch {
      return null;
    }
  };
  switch (stmt.tag) {
    case 'AlterFunctionStmt': return find(stmt['objtype'] as string, stmt['func'] as RawObject);
    case 'AlterEnumStmt': case 'AlterDomainStmt': case 'AlterTypeStmt': return find('OBJECT_TYPE', stmt['typeName'] as RawObject);
    case 'AlterOperatorStmt': return find('OBJECT_OPERATOR', stmt['opername'] as RawObject);
    case 'AlterOpFamilyStmt': return find('OBJECT_OPFAMILY', [stmt['amname'] as string, ...stmt['opfamilyname'] as string[]]);
    case 'AlterPublicationStmt': return find('OBJECT_PUBLICATION', stmt['pubname'] as string);
    case 'AlterFdwStmt': return find('OBJECT_FDW', stmt['fdwname'] as string);
    case 'AlterForeignServerStmt': return find('OBJECT_FOREIGN_SERVER', stmt['servername'] as string);
    case 'AlterTSDictionaryStmt': return find('OBJECT_TSDICTIONARY', stmt['dictname'] as string[]);
    case 'AlterTSConfigurationStmt': return find('OBJECT_TSCONFIGURATION', stmt['cfgname'] as string[]);
    case 'AlterStatsStmt': return find('OBJECT_STATISTIC_EXT', stmt['defnames'] as string[]);
    case 'AlterCollationStmt': return find('OBJECT_COLLATION', stmt['collname'] as string[]);
    case 'AlterSubscriptionStmt': return find('OBJECT_SUBSCRIPTION', stmt['subname'] as string);
    case 'AlterUserMappingStmt': return userMappingOf(stmt);
    case 'AlterExtensionStmt': case 'AlterExtensionContentsStmt': return find('OBJECT_EXTENSION', stmt['extname'] as string);
  }
  const rv = (stmt['relation'] ?? stmt['table'] ?? stmt['sequence']) as RawNode | undefined, kind = (stmt['objtype'] ?? stmt['objectType'] ?? stmt['renameType']) as string | undefined;
  if (rv !== undefined) {
    const names = relationNames(rv);
    if (stmt.tag === 'AlterPolicyStmt') return find('OBJECT_POLICY', [...names, stmt['policy_name'] as string]);
    if (kind !== undefined && ON_A_TABLE.has(kind)) return find(kind, [...names, ...asNames((stmt['subname'] ?? stmt['object']) as RawObject)]);
    for (const relation of ['TABLE', 'VIEW', 'SEQUENCE', 'INDEX', 'MATVIEW', 'FOREIGN_TABLE']) {
      const found = find(`OBJECT_${relation}`, names);
      if (found !== null) return kind === 'OBJECT_COLUMN' ? columnOf(found, stmt['subname'] as string) : found;
    }
    const type = find('OBJECT_TYPE', names), row = type === null ? 0 : sys.typeByOid(type.objectId)?.typrelid ?? 0;
    if (stmt.tag === 'AlterTableStmt' && row !== 0) return objectAddress(ids.RelationRelationId, row);
    return kind === 'OBJECT_ATTRIBUTE' && row !== 0 ? columnOf(objectAddress(ids.RelationRelationId, row), stmt['subname'] as string) : type;
  }
  if (kind === 'OBJECT_DOMCONSTRAINT' && stmt.tag === 'RenameStmt') return find(kind, [{ tag: 'TypeName', names: stmt['object'] as string[], typemod: -1, location: -1 }, stmt['subname'] as string]);
  const object = (stmt['object'] ?? (kind === 'OBJECT_SCHEMA' ? stmt['subname'] : undefined)) as RawObject | undefined;
  return object === undefined || kind === undefined ? null : find(kind, object);
}
const columnOf = (table: ObjectAddress, name: string): ObjectAddress => objectAddress(table.classId, table.objectId, sys.attributeByName(table.objectId, name)?.attnum ?? 0);

const ON_A_TABLE = new Set(['OBJECT_POLICY', 'OBJECT_TRIGGER', 'OBJECT_RULE', 'OBJECT_TABCONSTRAINT']);

function userMappingOf(stmt: RawNode): ObjectAddress | null {
  const server = sys.lookup(ids.ForeignServerRelationId, ids.PgForeignServerNameIndexId, stmt['servername'] as string), user = stmt['user'] as RawNode;
  const role = user['roletype'] === 'ROLESPEC_PUBLIC' ? 0 : user['roletype'] === 'ROLESPEC_SESSION_USER' ? session.sessionUser
    : user['roletype'] === 'ROLESPEC_CSTRING' ? sys.authIdByName(user['rolename'] as string)?.oid ?? 0 : session.currentUser;
  const row = server === undefined ? undefined : sys.lookup(ids.UserMappingRelationId, ids.PgUserMappingUserServerIndexId, role, server.oid);
  return row === undefined ? null : objectAddress(ids.UserMappingRelationId, row.oid);
}

/** stringify_grant_objtype and stringify_adefprivs_objtype. */
function kindOfGrant(stmt: RawNode): string | null {
  const grant = stmt.tag === 'AlterDefaultPrivilegesStmt' ? stmt['action'] as RawNode : stmt;
  if (grant.tag !== 'GrantStmt') return null;
  const kind = (grant['objtype'] as string).replace('OBJECT_', '').replace('_', ' ').replace('LARGEOBJECT', 'LARGE OBJECT').replace('FDW', 'FOREIGN DATA WRAPPER');
  return grant === stmt ? kind : `${kind}S`;
}

const relationNames = (rv: RawNode): string[] => (rv['schemaname'] === undefined ? [rv['relname'] as string] : [rv['schemaname'] as string, rv['relname'] as string]);

/** EventTriggerSQLDropAddObject: told while the object is still there. */
function noteDropped(mine: CommandState, address: ObjectAddress, original: boolean, normal: boolean): void {
  if (DROPPED_NOT_TOLD.has(address.classId)) return;
  const namespace = address.classId === ids.NamespaceRelationId ? address.objectId : objectNamespace(address.classId, address.objectId) || namespaceOfPart(address);
  const identity = identityOf(address);
  if (identity === undefined) return;
  const temporary = namespace !== 0 && isTempNamespace(namespace);
  const { schema, name } = placeOf(address);
  const within = namespace !== 0 && PARTS.has(address.classId) ? (temporary ? 'pg_temp' : sys.namespaceByOid(namespace)?.nspname ?? null) : schema;
  mine.dropped.push({ address, original, normal, temporary, type: typeOfObject(address), schema: within, name: address.objectSubId === 0 ? name : null, identity });
}
/** They are in their table's schema. */
const PARTS = new Set<Oid>([ids.AttrDefaultRelationId, ids.TriggerRelationId, ids.PolicyRelationId]);
function namespaceOfPart({ classId, objectId }: ObjectAddress): Oid {
  const relation = classId === ids.AttrDefaultRelationId ? sys.lookup(ids.AttrDefaultRelationId, ids.PgAttrdefOidIndexId, objectId)?.adrelid
    : classId === ids.TriggerRelationId ? sys.lookup(ids.TriggerRelationId, ids.PgTriggerOidIndexId, objectId)?.tgrelid
      : classId === ids.PolicyRelationId ? sys.lookup(ids.PolicyRelationId, ids.PgPolicyOidIndexId, objectId)?.polrelid : undefined;
  return relation === undefined ? 0 : sys.classByOid(relation)?.relnamespace ?? 0;
}

function fireTableRewrite(mine: CommandState, tag: string, table: Oid, reason: number): void {
  const list = firing('table_rewrite', tag);
  if (list.length === 0) return;
  const saved = { ...ddlHooks };
  Object.assign(ddlHooks, { created: null, dropping: null, rewriting: null, altered: null });
  mine.rewrite = { table, reason };
  try {
    fire(list, 'table_rewrite', tag);
  } finally {
    mine.rewrite = null;
    Object.assign(ddlHooks, saved);
  }
}

/** Called outside of the event it is for. */
export function protocolViolated(name: string, event: string): PgError {
  return new PgError('event_trigger_protocol_violated', `${name} can only be called in ${event} event trigger function`);
}
