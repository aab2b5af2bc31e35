// The remaining subcommands of ALTER TABLE: inheritance, owner, options, CLUSTER ON, and those that are refused or have
// nothing to do here (PostgreSQL's tablecmds.c).
import { PgError } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import type { TableLockMode } from '../transaction/messages.ts';
import { requireOwner } from '../catalog/aclchk.ts';
import { catalogDelete, catalogFind, catalogUpdate, catalogUpdateByKey } from '../catalog/indexing.ts';
import { isOtherTemp, rangeVarGetRelid } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { deleteDependencyRecordsForSpecific, objectAddress, ownedSequences, recordDependencyOn } from '../catalog/pg_depend.ts';
import { TRIGGER_TYPE } from '../catalog/pg_trigger.ts';
import type { IndexInfo, Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { childrenOf, classByOid, constraintsOf, parentsOf, relationOidByName, triggersOf } from '../catalog/syscache.ts';
import { publicationTables } from '../catalog/publication.ts';
import { schemaName } from '../executor/index_keys.ts';
import { equal } from '../nodes/equalfuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { PASS, REWRITE, registerActions, type Action, type Altered } from './altertable.ts';
import { updateAttribute } from './alter_common.ts';
import { changeRelationOwner } from './alter_owner.ts';
import { refuseSystemCatalog } from './object_names.ts';
import { alterForeignOptions } from './foreigncmds.ts';
import { setRowSecurity } from './policy.ts';
import { mergeOptions } from './reloptions.ts';
import { allChildren, storageParametersRefused, storeInheritance, tableAccessMethod } from './tablecmds.ts';
import { addOf, dropOf, refuseForTypedTable } from './typed_tables.ts';
import { requireAutoUpdatable } from './view.ts';
import { rolespecOid, type RoleSpec } from './user.ts';
import { columnMapByName } from './partition_index.ts';
import { mapVars } from './varmap.ts';
import { enableDisableRule } from './rulecmds.ts';
import { enableDisableTrigger } from './trigger.ts';
import { checkedTablespace } from '../catalog/pg_tablespace.ts';
import { setRelationTablespace } from './tablespace.ts';
import { getTablespaceOid } from '../catalog/objectaddress.ts';

// ---- INHERIT, NO INHERIT

function refuseForPartitions(relation: Relation): void {
  refuseForTypedTable(relation, 'cannot change inheritance of typed table');
  if (relation.isPartition) throw new PgError('wrong_object_type', 'cannot change inheritance of a partition');
  if (relation.kind === 'p') throw new PgError('wrong_object_type', 'cannot change inheritance of partitioned table');
}

function addInherit(tab: Altered, rv: RawNode): void {
  const child = tab.current;
  const parent = openRelation(rangeVarGetRelid(rv as never));
  if (parent.kind !== 'r' && parent.kind !== 'p' && parent.kind !== 'f') throw new PgError('wrong_object_type', `"${parent.name}" is not a table`);
  requireOwner(ids.RelationRelationId, parent.oid);
  refuseSystemCatalog(parent.oid);
  lockTable(parent.oid, parent.name, false, 4);
  if (parent.kind === 'p') throw new PgError('wrong_object_type', `cannot inherit from partitioned table "${parent.name}"`);
  if (parent.isPartition) throw new PgError('wrong_object_type', 'cannot inherit from a partition');
  if (parent.persistence === 't' && child.persistence !== 't') throw new PgError('wrong_object_type', `cannot inherit from temporary relation "${parent.name}"`);
  if (isOtherTemp(parent)) throw new PgError('wrong_object_type', 'cannot inherit from temporary relation of another session');
  const parents = parentsOf(child.oid);
  if (parents.some((p) => p.inhparent === parent.oid)) throw new PgError('duplicate_table', `relation "${parent.name}" would be inherited from more than once`);
  if (child.oid === parent.oid || allChildren(child.oid).includes(parent.oid)) {
    throw new PgError('duplicate_table', 'circular inheritance not allowed', { detail: `"${parent.name}" is already a child of "${child.name}".` });
  }
  createInheritance(child.oid, parent.oid, false);
}

/** A table becomes a child, or a partition, of another (CreateInheritance). */
export function createInheritance(childOid: Oid, parentOid: Oid, isPartition: boolean): void {
  const child = openRelation(childOid);
  const parent = openRelation(parentOid);
  const prevents = triggersOf(childOid).find((t) => (t.tgtype & TRIGGER_TYPE.ROW) !== 0 && (t.tgoldtable !== null || t.tgnewtable !== null));
  if (prevents !== undefined && !isPartition) {
    throw new PgError('feature_not_supported', `trigger "${prevents.tgname}" prevents table "${child.name}" from becoming an inheritance child`, {
      detail: 'ROW triggers with transition tables are not supported in inheritance hierarchies.',
    });
  }
  mergeColumns(child, parent, isPartition);
  mergeConstraints(child, parent, isPartition);
  storeInheritance(childOid, parentOid, Math.max(0, ...parentsOf(childOid).map((p) => p.inhseqno)) + 1, isPartition);
}

function mergeColumns(child: Relation, parent: Relation, isPartition: boolean): void {
  const fail = (message: string): PgError => new PgError('datatype_mismatch', message);
  for (const column of parent.attributes) {
    if (column.attisdropped) continue;
    const own = child.attributes.find((a) => a.attname === column.attname && !a.attisdropped);
    if (own === undefined) throw fail(`child table is missing column "${column.attname}"`);
    if (own.atttypid !== column.atttypid || own.atttypmod !== column.atttypmod) throw fail(`child table "${child.name}" has different type for column "${column.attname}"`);
    if (own.attcollation !== column.attcollation) throw new PgError('collation_mismatch', `child table "${child.name}" has different collation for column "${column.attname}"`);
    if (column.attnotnull && !own.attnotnull) throw fail(`column "${column.attname}" in child table must be marked NOT NULL`);
    if (column.attgenerated !== '' && own.attgenerated === '') throw fail(`column "${column.attname}" in child table must be a generated column`);
    if (column.attgenerated !== '' && !equal(child.defaults.get(own.attnum), mapVars(parent.defaults.get(column.attnum)!, columnMapByName(parent, child)))) {
      throw fail(`column "${column.attname}" in child table has a conflicting generation expression`);
    }
    updateAttribute(child.oid, own.attnum, { attinhcount: own.attinhcount + 1, ...(isPartition ? { attislocal: false } : {}) });
  }
  commandCounterIncrement();
}

function mergeConstraints(child: Relation, parent: Relation, isPartition: boolean): void {
  const map = new Map(parent.attributes.filter((a) => !a.attisdropped).map((a) => [a.attnum, child.attributes.find((c) => c.attname === a.attname && !c.attisdropped)!.attnum]));
  const own = constraintsOf(child.oid);
  for (const check of parent.checks) {
    if (check.noInherit) continue;
    const same = own.find((c) => c.contype === 'c' && c.conname === check.name);
    if (same === undefined) throw new PgError('datatype_mismatch', `child table is missing constraint "${check.name}"`);
    if (!equal(stringToNode<Expr>(same.conbin!), mapVars(check.expr, map))) {
      throw new PgError('datatype_mismatch', `child table "${child.name}" has different definition for check constraint "${check.name}"`);
    }
    if (same.connoinherit) throw new PgError('object_not_in_prerequisite_state', `constraint "${check.name}" conflicts with non-inherited constraint on child table "${child.name}"`);
    if (check.validated && !same.convalidated) throw new PgError('object_not_in_prerequisite_state', `constraint "${check.name}" conflicts with NOT VALID constraint on child table "${child.name}"`);
    catalogUpdateByKey(ids.ConstraintRelationId, ids.PgConstraintOidIndexId, [same.oid], { coninhcount: same.coninhcount + 1, ...(isPartition ? { conislocal: false } : {}) });
  }
  commandCounterIncrement();
}

function dropInherit(tab: Altered, rv: RawNode): void {
  removeInheritance(tab.oid, rangeVarGetRelid(rv as never), false);
}

/** The way back (RemoveInheritance). */
export function removeInheritance(childOid: Oid, parentOid: Oid, isPartition: boolean): void {
  const child = openRelation(childOid);
  const parent = openRelation(parentOid);
  const link = catalogFind(ids.InheritsRelationId, ids.PgInheritsRelidSeqnoIndexId, [child.oid]).find((t) => t.row.inhparent === parent.oid);
  if (link === undefined) throw new PgError('undefined_table', `relation "${parent.name}" is not a parent of relation "${child.name}"`);
  catalogDelete(ids.InheritsRelationId, link);
  for (const column of parent.attributes) {
    const own = column.attisdropped ? undefined : child.attributes.find((a) => a.attname === column.attname && !a.attisdropped);
    if (own === undefined || own.attinhcount === 0) continue;
    updateAttribute(child.oid, own.attnum, { attinhcount: own.attinhcount - 1, ...(own.attinhcount === 1 ? { attislocal: true } : {}) });
  }
  for (const check of parent.checks) {
    const own = constraintsOf(child.oid).find((c) => c.contype === 'c' && c.conname === check.name && c.coninhcount > 0);
    if (own === undefined) continue;
    catalogUpdateByKey(ids.ConstraintRelationId, ids.PgConstraintOidIndexId, [own.oid], { coninhcount: own.coninhcount - 1, ...(own.coninhcount === 1 ? { conislocal: true } : {}) });
  }
  for (const tuple of catalogFind(ids.DependRelationId, ids.PgDependDependerIndexId, [ids.RelationRelationId, child.oid, 0])) {
    if (tuple.row.refclassid === ids.RelationRelationId && tuple.row.refobjid === parent.oid && tuple.row.refobjsubid === 0 && tuple.row.deptype === (isPartition ? 'a' : 'n')) catalogDelete(ids.DependRelationId, tuple);
  }
  commandCounterIncrement();
  if (childrenOf(parent.oid).length === 0) catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [parent.oid], { relhassubclass: false });
}

// ---- options

function setRelOptions(tab: Altered, cmd: RawNode, reset: boolean): void {
  const relation = tab.current;
  if (relation.kind === 'p' && !reset) {
    const refused = ((cmd['def'] ?? []) as RawNode[]).find((o) => o['defnamespace'] !== 'toast');
    if (refused !== undefined) throw storageParametersRefused(refused['defname'] as string);
    return; // there is no TOAST table to have them
  }
  const kind = relation.kind === 'i' || relation.kind === 'I' ? relation.indexInfo?.accessMethod ?? 'btree' : relation.kind === 'v' ? 'view' : 'table';
  const [tuple] = catalogFind(ids.RelationRelationId, ids.PgClassOidIndexId, [tab.oid]);
  const reloptions = mergeOptions(tuple!.row.reloptions, (cmd['def'] ?? []) as RawNode[], kind, reset);
  if (kind === 'view' && reloptions?.some((o) => o.startsWith('check_option=')) && relation.viewQuery !== null) requireAutoUpdatable(relation.viewQuery);
  catalogUpdate(ids.RelationRelationId, tuple!, { reloptions });
}

// ---- CLUSTER ON, REPLICA IDENTITY

export function indexOfTable(relation: Relation, name: string): Oid {
  const oid = relationOidByName(name, relation.namespace);
  if (!relation.indexes.some((i) => i.indexrelid === oid)) {
    throw oid === 0 ? new PgError('undefined_object', `index "${name}" for table "${relation.name}" does not exist`) : new PgError('wrong_object_type', `"${name}" is not an index for table "${relation.name}"`);
  }
  return oid;
}

/** check_index_is_clusterable. */
export function checkClusterable({ accessMethod, index, predicate, valid }: IndexInfo): void {
  const refused = (why: string): PgError => new PgError('feature_not_supported', `cannot cluster on ${why}`);
  if (accessMethod !== 'btree' && accessMethod !== 'gist') throw refused(`index "${index.name}" because access method does not support clustering`);
  if (predicate !== null) throw refused(`partial index "${index.name}"`);
  if (!valid) throw refused(`invalid index "${index.name}"`);
}

function clusterOn(relation: Relation, index: Oid): void {
  checkClusterable(openRelation(index).indexInfo!);
  markClustered(relation, index);
}

export function markClustered(relation: Relation, index: Oid): void {
  if (relation.kind === 'p') throw new PgError('feature_not_supported', 'cannot mark index clustered in partitioned table');
  for (const info of relation.indexes) {
    const [tuple] = catalogFind(ids.IndexRelationId, ids.PgIndexIndexrelidIndexId, [info.indexrelid]);
    const clustered = info.indexrelid === index;
    if (tuple!.row.indisclustered !== clustered) catalogUpdate(ids.IndexRelationId, tuple!, { indisclustered: clustered });
  }
  commandCounterIncrement();
}

function replicaIdentity(tab: Altered, def: RawNode): void {
  const relation = tab.current;
  const type = def['identity_type'] as string;
  let chosen: Oid = 0;
  if (type === 'i') {
    chosen = relationOidByName(def['name'] as string, relation.namespace);
    const info = relation.indexes.find((i) => i.indexrelid === chosen);
    if (chosen !== 0 && !'iI'.includes(classByOid(chosen)!.relkind)) throw new PgError('wrong_object_type', `"${def['name'] as string}" is not an index`);
    if (info === undefined) throw new PgError(chosen === 0 ? 'undefined_object' : 'wrong_object_type', chosen === 0 ? `index "${def['name'] as string}" for table "${relation.name}" does not exist` : `"${def['name'] as string}" is not an index for table "${relation.name}"`);
    const cannot = (why: string): PgError => new PgError('wrong_object_type', `cannot use ${why} "${info.index.name}" as replica identity`);
    if (!info.unique) throw cannot('non-unique index');
    if (!info.immediate) throw new PgError('feature_not_supported', `cannot use non-immediate index "${info.index.name}" as replica identity`);
    if (info.expressions.length > 0) throw new PgError('feature_not_supported', `cannot use expression index "${info.index.name}" as replica identity`);
    if (info.predicate !== null) throw new PgError('feature_not_supported', `cannot use partial index "${info.index.name}" as replica identity`);
    for (const attnum of info.keyAttributes.slice(0, info.keyCount)) {
      const column = relation.attributes[attnum - 1]!;
      if (!column.attnotnull) throw new PgError('wrong_object_type', `index "${info.index.name}" cannot be used as replica identity because column "${column.attname}" is nullable`);
    }
  }
  catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [tab.oid], { relreplident: type });
  for (const info of relation.indexes) {
    const [tuple] = catalogFind(ids.IndexRelationId, ids.PgIndexIndexrelidIndexId, [info.indexrelid]);
    if (tuple!.row.indisreplident !== (info.indexrelid === chosen)) catalogUpdate(ids.IndexRelationId, tuple!, { indisreplident: info.indexrelid === chosen });
  }
}

// ---- LOGGED, UNLOGGED

/** Tables without logging are kept like the others here; the mark is for who asks. */
function setPersistence(tab: Altered, persistence: 'p' | 'u'): void {
  const relation = tab.current;
  if (tab.persistenceGiven) throw new PgError('feature_not_supported', 'cannot change persistence setting twice');
  const place = { schema: schemaName(relation), table: relation.name };
  if (relation.persistence === 't') throw new PgError('invalid_table_definition', `cannot change logged status of table "${relation.name}" because it is temporary`, place);
  if (relation.persistence === persistence) return;
  tab.persistenceGiven = true;
  if (persistence === 'u' && publicationTables(relation.oid).length > 0) {
    throw new PgError('object_not_in_prerequisite_state', `cannot change table "${relation.name}" to unlogged because it is part of a publication`, { detail: 'Unlogged relations cannot be replicated.' });
  }
  if (relation.kind === 'p') return;
  if (relation.kind === 'r') tab.rewriteReasons |= REWRITE.PERSISTENCE;
  for (const key of persistence === 'u' ? relation.referencedBy : relation.foreignKeys) {
    const other = persistence === 'u' ? key.conrelid : key.confrelid;
    const referenced = openRelation(other);
    if (other !== relation.oid && referenced.persistence !== persistence) {
      throw new PgError('invalid_table_definition', persistence === 'p'
        ? `could not change table "${relation.name}" to logged because it references unlogged table "${referenced.name}"`
        : `could not change table "${relation.name}" to unlogged because it references logged table "${referenced.name}"`,
      { ...place, constraint: key.name });
    }
  }
  for (const oid of [relation.oid, ...relation.indexes.map((i) => i.indexrelid), ...ownedSequences(relation.oid, 0, null)]) {
    catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [oid], { relpersistence: persistence });
  }
}

/** Another name for the same: every table method's handler is the heap's. */
function setAccessMethod(tab: Altered): void {
  const old = tab.current.accessMethod, now = tab.newAccessMethod;
  if (old === now) return;
  tab.rewriteReasons |= REWRITE.ACCESS_METHOD;
  catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [tab.oid], { relam: now });
  const self = objectAddress(ids.RelationRelationId, tab.oid);
  deleteDependencyRecordsForSpecific(self, objectAddress(ids.AccessMethodRelationId, old), 'n');
  recordDependencyOn(self, objectAddress(ids.AccessMethodRelationId, now), 'n');
}

/** Those that change what others do, or how they do it (AlterTableGetRelOptionsLockLevel). */
const EXCLUSIVE_OPTIONS = new Set(['security_barrier', 'security_invoker', 'check_option', 'user_catalog_table', 'buffering', 'fastupdate', 'gin_pending_list_limit', 'autosummarize', 'pages_per_range']);
const lockForOptions = (cmd: RawNode): TableLockMode => ((cmd['def'] as RawNode[]).some((o) => EXCLUSIVE_OPTIONS.has(o['defname'] as string)) ? 8 : 4);

const action = (name: string, kinds: string, run: (tab: Altered, cmd: RawNode) => void, lock: Action['lock'] = 8): Action => ({
  name, kinds, lock, prepare: (_queue, tab, cmd) => tab.add(PASS.MISC, () => run(tab, cmd)),
});
const nothing = (name: string, kinds = 'rpfm'): Action => ({ name, kinds, prepare: () => {} });

const trigger = (name: string, enabled: 'O' | 'A' | 'R' | 'D', userOnly = false): Action => ({
  name, kinds: 'rpf', lock: 6, prepare: (_queue, tab, cmd, recurse) =>
    tab.add(PASS.MISC, () => enableDisableTrigger(tab.current, (cmd['name'] as string | undefined) ?? null, enabled, userOnly, recurse)),
});

registerActions({
  AT_AddInherit: action('INHERIT', 'rpf', (tab, cmd) => { refuseForPartitions(tab.current); addInherit(tab, cmd['def'] as RawNode); }),
  AT_DropInherit: action('NO INHERIT', 'rpf', (tab, cmd) => { refuseForPartitions(tab.current); dropInherit(tab, cmd['def'] as RawNode); }),
  AT_ChangeOwner: action('OWNER TO', 'rpvmSfciI', (tab, cmd) => changeRelationOwner(tab.oid, rolespecOid(cmd['newowner'] as RoleSpec))),
  AT_SetRelOptions: action('SET', 'rpvmi', (tab, cmd) => setRelOptions(tab, cmd, false), lockForOptions),
  AT_ResetRelOptions: action('RESET', 'rpvmi', (tab, cmd) => setRelOptions(tab, cmd, true), lockForOptions),
  AT_ClusterOn: action('CLUSTER ON', 'rpm', (tab, cmd) => clusterOn(tab.current, indexOfTable(tab.current, cmd['name'] as string)), 4),
  AT_DropCluster: action('SET WITHOUT CLUSTER', 'rpm', (tab) => markClustered(tab.current, 0), 4),
  AT_ReplicaIdentity: action('REPLICA IDENTITY', 'rpm', (tab, cmd) => replicaIdentity(tab, cmd['def'] as RawNode)),
  AT_SetLogged: action('SET LOGGED', 'rpS', (tab) => setPersistence(tab, 'p')),
  AT_SetUnLogged: action('SET UNLOGGED', 'rpS', (tab) => setPersistence(tab, 'u')),
  AT_SetTableSpace: {
    name: 'SET TABLESPACE', kinds: 'rpmiI', prepare: (_queue, tab, cmd) => {
      const tablespace = checkedTablespace(getTablespaceOid(cmd['name'] as string));
      if (tab.movesTablespace) throw new PgError('syntax_error', 'cannot have multiple SET TABLESPACE subcommands');
      tab.movesTablespace = true;
      tab.add(PASS.MISC, () => setRelationTablespace(tab.oid, tablespace));
    },
  },
  AT_SetAccessMethod: {
    name: 'SET ACCESS METHOD', kinds: 'rpm', prepare: (_queue, tab, cmd) => {
      if (tab.old.kind === 'p') throw new PgError('wrong_object_type', 'cannot change access method of a partitioned table');
      if (tab.newAccessMethod !== 0) throw new PgError('feature_not_supported', 'cannot have multiple SET ACCESS METHOD subcommands');
      const method = tableAccessMethod(cmd['name'] as string);
      if (method === tab.old.accessMethod) return;
      tab.newAccessMethod = method;
      tab.add(PASS.MISC, () => setAccessMethod(tab));
    },
  },
  AT_DropOids: nothing('SET WITHOUT OIDS'),
  AT_EnableRowSecurity: action('ENABLE ROW SECURITY', 'rp', (tab) => setRowSecurity(tab.oid, { relrowsecurity: true })),
  AT_DisableRowSecurity: action('DISABLE ROW SECURITY', 'rp', (tab) => setRowSecurity(tab.oid, { relrowsecurity: false })),
  AT_ForceRowSecurity: action('FORCE ROW SECURITY', 'rp', (tab) => setRowSecurity(tab.oid, { relforcerowsecurity: true })),
  AT_NoForceRowSecurity: action('NO FORCE ROW SECURITY', 'rp', (tab) => setRowSecurity(tab.oid, { relforcerowsecurity: false })),
  AT_EnableTrig: trigger('ENABLE TRIGGER', 'O'), AT_EnableAlwaysTrig: trigger('ENABLE ALWAYS TRIGGER', 'A'), AT_EnableReplicaTrig: trigger('ENABLE REPLICA TRIGGER', 'R'),
  AT_EnableTrigAll: trigger('ENABLE TRIGGER ALL', 'O'), AT_EnableTrigUser: trigger('ENABLE TRIGGER USER', 'O', true), AT_DisableTrig: trigger('DISABLE TRIGGER', 'D'),
  AT_DisableTrigAll: trigger('DISABLE TRIGGER ALL', 'D'), AT_DisableTrigUser: trigger('DISABLE TRIGGER USER', 'D', true),
  AT_EnableRule: action('ENABLE RULE', 'rp', (tab, cmd) => enableDisableRule(tab.oid, cmd['name'] as string, 'O')),
  AT_EnableAlwaysRule: action('ENABLE ALWAYS RULE', 'rp', (tab, cmd) => enableDisableRule(tab.oid, cmd['name'] as string, 'A')),
  AT_EnableReplicaRule: action('ENABLE REPLICA RULE', 'rp', (tab, cmd) => enableDisableRule(tab.oid, cmd['name'] as string, 'R')),
  AT_DisableRule: action('DISABLE RULE', 'rp', (tab, cmd) => enableDisableRule(tab.oid, cmd['name'] as string, 'D')),
  AT_AddOf: action('OF', 'rp', (tab, cmd) => addOf(tab, cmd['def'] as RawNode)), AT_DropOf: action('NOT OF', 'rp', dropOf),
  AT_GenericOptions: action('OPTIONS', 'f', (tab, cmd) => alterForeignOptions(tab.oid, null, cmd['def'] as RawNode[])),
  AT_AlterColumnGenericOptions: action('ALTER COLUMN ... OPTIONS', 'f', (tab, cmd) => alterForeignOptions(tab.oid, cmd['name'] as string, cmd['def'] as RawNode[])),
});
