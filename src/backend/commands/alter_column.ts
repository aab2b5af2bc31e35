// Subcommands of ALTER TABLE on columns: ADD, DROP, defaults, NOT NULL, identity, statistics, storage (PostgreSQL's
// tablecmds.c). Changes of type are in alter_column_type.ts.
import { PgError } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import { performDeletion, performMultipleDeletions } from '../catalog/dependency.ts';
import { addAttribute, checkAttributeType } from '../catalog/heap.ts';
import { catalogFind, catalogUpdate, catalogUpdateByKey } from '../catalog/indexing.ts';
import { domainHasConstraints, getCollationName, getType } from '../catalog/lsyscache.ts';
import * as ids from '../catalog/oids.ts';
import { removeAttrDefault, storeAttrDefault } from '../catalog/pg_attrdef.ts';
import { systemColumnByName } from '../catalog/pg_class.ts';
import { deleteDependencyRecordsFor, identitySequenceOf, objectAddress, type ObjectAddress } from '../catalog/pg_depend.ts';
import { openRelation } from '../catalog/relcache.ts';
import { quoteQualifiedIdentifier } from '../catalog/quote.ts';
import { ddlHooks } from '../catalog/ddl_hooks.ts';
import { attrdefsOf, childrenOf, indexByOid } from '../catalog/syscache.ts';
import { compileExpr } from '../executor/expression.ts';
import type { Relation } from '../catalog/relation.ts';
import type { PgAttribute } from '../catalog/rows.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { makeParseState } from '../parser/parse_node.ts';
import { coerceNullToDomain } from '../parser/parse_coerce.ts';
import { ddlNotice, identitySequence, makeTransformContext, serialDefault, transformColumnDefinition, type ColumnSpec, refuseOnForeignTables } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { partitionParent } from '../partitioning/partdesc.ts';
import { buildColumnDefault } from '../rewrite/defaults.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { PASS, REWRITE, prepareCommand, registerActions, simpleRecursion, typedTableRecursion, type Action, type Altered, type Queue } from './altertable.ts';
import { refusePartitionColumn } from './partition.ts';
import { behaviorOf, columnToAlter, setNotNull, statisticsTarget, undefinedColumn, updateAttribute } from './alter_common.ts';
import { addCheckConstraint, queueForeignKey, queueIndex } from './alter_constraint.ts';
import { containsVolatile, cookDefault } from './constraints.ts';
import { requireObjectOwnership } from './object_names.ts';
import { mergeOptions } from './reloptions.ts';
import { alterSequenceOptions, createOwnedSequence } from './sequence.ts';
import { refuseForTypedTable } from './typed_tables.ts';
import { compressionLetter, storageLetter } from './tablecmds.ts';

// ---- ADD COLUMN

function addColumn(queue: Queue, tab: Altered, cmd: RawNode, recurse: boolean): void {
  const relation = tab.current;
  if (relation.isPartition) throw new PgError('wrong_object_type', 'cannot add column to a partition');
  const def = cmd['def'] as RawNode;
  const name = def['colname'] as string;
  if (relation.attributes.some((a) => a.attname === name && !a.attisdropped)) {
    if (cmd['missing_ok']) return ddlNotice(`column "${name}" of relation "${relation.name}" already exists, skipping`, 'duplicate_column');
    throw new PgError('duplicate_column', `column "${name}" of relation "${relation.name}" already exists`);
  }
  if (relation.kind !== 'c' && systemColumnByName(name)) throw new PgError('duplicate_column', `column name "${name}" conflicts with a system column name`);
  const context = makeTransformContext(relation.name, queue.text, true);
  const spec = transformColumnDefinition(context, def);
  const children = relation.hasSubclass ? childrenOf(tab.oid).map((c) => c.inhrelid) : [];
  if (spec.identity !== '' && recurse && children.length > 0) {
    throw new PgError('invalid_table_definition', 'cannot recursively add identity column to table that has child tables');
  }
  const { checks, indexes, foreignKeys } = context.table;
  if (indexes.some((i) => i.primary)) spec.notNull = true;
  addColumnTo(queue, tab, spec);
  for (const check of checks) tab.add(PASS.ADD_OTHERCONSTR, () => addCheckConstraint(queue, tab, check, recurse, false));
  for (const index of indexes) queueIndex(queue, tab, index);
  for (const key of foreignKeys) queueForeignKey(tab, key);
  if (children.length > 0 && !recurse) throw new PgError('invalid_table_definition', 'column must be added to child tables too');
  // Children share the default, of a serial column too, but not the identity.
  const inherited: ColumnSpec = { ...spec, inhcount: 1, islocal: false, identity: '', sequence: null };
  if (spec.sequence !== null && !spec.sequence.forIdentity) inherited.cookedDefault = tab.current.defaults.get(tab.current.attributes.length) ?? null;
  for (const child of children) addColumnToChild(queue, child, inherited);
  if (def['fdwoptions'] === undefined) return;
  if (relation.kind !== 'f') throw new PgError('wrong_object_type', `"${relation.name}" is not a foreign table`);
  prepareCommand(queue, tab.current, { tag: 'AlterTableCmd', subtype: 'AT_AlterColumnGenericOptions', name, def: def['fdwoptions'] } as RawNode, false, false);
}

function addColumnToChild(queue: Queue, child: Oid, spec: ColumnSpec): void {
  const before = openRelation(child);
  lockTable(child, before.name, false, 8);
  requireObjectOwnership(objectAddress(ids.RelationRelationId, child));
  const tab = queue.get(child);
  const same = tab.current.attributes.find((a) => a.attname === spec.name && !a.attisdropped);
  if (same !== undefined) {
    if (same.atttypid !== spec.typeOid || same.atttypmod !== spec.typmod) {
      throw new PgError('datatype_mismatch', `child table "${before.name}" has different type for column "${spec.name}"`);
    }
    if (same.attcollation !== spec.collation) {
      throw new PgError('collation_mismatch', `child table "${before.name}" has different collation for column "${spec.name}"`, {
        detail: `"${getCollationName(same.attcollation)}" versus "${getCollationName(spec.collation)}"`,
      });
    }
    updateAttribute(child, same.attnum, { attinhcount: same.attinhcount + 1 });
    commandCounterIncrement();
    return ddlNotice(`merging definition of column "${spec.name}" for child "${before.name}"`);
  }
  addColumnTo(queue, tab, { ...spec });
  for (const row of childrenOf(child)) addColumnToChild(queue, row.inhrelid, spec);
}

/** The column itself, and what phase 3 must put into the rows that are there (ATExecAddColumn). */
function addColumnTo(queue: Queue, tab: Altered, spec: ColumnSpec): void {
  const relation = tab.current;
  const attnum = relation.attributes.length + 1;
  if (attnum > 1600) throw new PgError('too_many_columns', 'tables can have at most 1600 columns');
  checkAttributeType(spec.name, spec.typeOid, spec.collation, relation.rowType === 0 ? [] : [relation.rowType]);
  addAttribute(tab.oid, attnum, {
    name: spec.name, typeOid: spec.typeOid, typmod: spec.typmod, collation: spec.collation, notNull: spec.notNull, ndims: spec.ndims, identity: spec.identity,
    generated: spec.generated, isLocal: spec.islocal, inhCount: spec.inhcount, ...(spec.storage !== null ? { storage: storageLetter(spec.storage, spec) } : {}),
    ...(spec.compression !== null ? { compression: compressionLetter(spec.compression, spec.typeOid) } : {}),
  });
  catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [tab.oid], { relnatts: attnum });
  commandCounterIncrement();
  if (relation.kind === 'c' && spec.sequence === null) return;
  const value = columnDefault(tab, spec, attnum, queue.text);
  const column = tab.current.attributes[attnum - 1]!;
  if (value !== null) {
    tab.newValues.set(attnum, { expr: value, generated: spec.generated !== '' });
    tab.rewriteReasons |= REWRITE.DEFAULT;
  } else if (column.missing === undefined && spec.notNull) tab.verifyNotNull = true;
}

/** Stores the new column's default. The expression for rows that are there when they must be rewritten with it, else null. */
function columnDefault(tab: Altered, spec: ColumnSpec, attnum: number, text: string): Expr | null {
  if (spec.sequence !== null) {
    const { oid, name } = createOwnedSequence(tab.current, spec.sequence, attnum);
    commandCounterIncrement();
    if (spec.sequence.forIdentity) return { kind: 'NextValueExpr', seqid: oid, typeId: spec.typeOid };
    const expr = cookDefault(serialDefault(spec.sequence.namespace === null ? tab.current.namespace : openRelation(oid).namespace, name, quoteQualifiedIdentifier), spec, null, text);
    storeAttrDefault(tab.oid, attnum, expr);
    commandCounterIncrement();
    return expr;
  }
  let expr = spec.cookedDefault ?? (spec.rawDefault === null ? null : cookDefault(spec.rawDefault, spec, spec.generated !== '' ? tab.current : null, ''));
  const type = getType(spec.typeOid);
  if (expr !== null && expr.kind === 'Const' && expr.constvalue === null && type.typtype !== 'd') expr = null;
  if (expr !== null) {
    const constant = spec.generated === '' && !containsVolatile(expr, 'v') && !domainHasConstraints(spec.typeOid);
    const value = constant ? compileExpr(expr)() : undefined;
    // A foreign table has no rows here.
    storeAttrDefault(tab.oid, attnum, expr, tab.old.kind === 'f' ? undefined : value);
    commandCounterIncrement();
    if (!constant) return expr;
    tab.constants.set(attnum, value!);
    return null;
  }
  if (type.typtype !== 'd') return null;
  // A domain may have a default, or refuse NULL.
  return buildColumnDefault(tab.current, tab.current.attributes[attnum - 1]!) ?? (domainHasConstraints(spec.typeOid) ? coerceNullToDomain(spec.typeOid, spec.typmod, spec.collation) : null);
}

// ---- DROP COLUMN

function dropColumn(tab: Altered, cmd: RawNode, recurse: boolean): void {
  const addresses: ObjectAddress[] = [];
  const name = cmd['name'] as string;
  const column = tab.current.attributes.find((a) => a.attname === name && !a.attisdropped);
  if (column === undefined) {
    if (tab.current.kind !== 'c' && systemColumnByName(name)) throw new PgError('feature_not_supported', `cannot drop system column "${name}"`);
    if (!cmd['missing_ok']) throw undefinedColumn(tab.current, name);
    return ddlNotice(`column "${name}" of relation "${tab.current.name}" does not exist, skipping`);
  }
  collectDroppedColumns(tab.oid, name, recurse, false, addresses);
  performMultipleDeletions(addresses, behaviorOf(cmd));
}

function collectDroppedColumns(oid: Oid, name: string, recurse: boolean, recursing: boolean, addresses: ObjectAddress[]): void {
  const relation = openRelation(oid);
  const column = relation.attributes.find((a) => a.attname === name && !a.attisdropped)!;
  if (column.attinhcount > 0 && !recursing) throw new PgError('invalid_table_definition', `cannot drop inherited column "${name}"`);
  refusePartitionColumn(relation, column.attnum, 'drop');
  if (relation.kind === 'p' && !recurse && childrenOf(oid).length > 0) {
    throw new PgError('invalid_table_definition', 'cannot drop column from only the partitioned table when partitions exist', { hint: 'Do not specify the ONLY keyword.' });
  }
  for (const { inhrelid } of relation.hasSubclass ? childrenOf(oid) : []) {
    const child = openRelation(inhrelid);
    lockTable(inhrelid, child.name, false, 8);
    requireObjectOwnership(objectAddress(ids.RelationRelationId, inhrelid));
    const inherited = child.attributes.find((a) => a.attname === name && !a.attisdropped);
    if (inherited === undefined || inherited.attinhcount <= 0) throw new PgError('internal_error', `relation ${inhrelid} has non-inherited attribute "${name}"`);
    if (recurse && inherited.attinhcount === 1 && !inherited.attislocal) collectDroppedColumns(inhrelid, name, true, true, addresses);
    else {
      updateAttribute(inhrelid, inherited.attnum, { attinhcount: inherited.attinhcount - 1, ...(recurse ? {} : { attislocal: true }) });
      commandCounterIncrement();
    }
  }
  addresses.push(objectAddress(ids.RelationRelationId, oid, column.attnum));
}

// ---- DEFAULT, generated columns

function columnDefaultChange(tab: Altered, cmd: RawNode): void {
  const relation = tab.current;
  const column = columnToAlter(relation, cmd['name'] as string);
  const named = `column "${column.attname}" of relation "${relation.name}"`;
  if (column.attidentity !== '') {
    throw new PgError('syntax_error', `${named} is an identity column`, cmd['def'] === undefined ? { hint: 'Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.' } : {});
  }
  if (column.attgenerated !== '') {
    throw new PgError('syntax_error', `${named} is a generated column`, cmd['def'] === undefined ? { hint: 'Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead.' } : {});
  }
  const old = cmd['def'] === undefined && ddlHooks.dropping !== null ? attrdefsOf(tab.oid).find((d) => d.adnum === column.attnum) : undefined;
  if (old !== undefined) ddlHooks.dropping?.(objectAddress(ids.AttrDefaultRelationId, old.oid), true, false);
  removeAttrDefault(tab.oid, column.attnum);
  commandCounterIncrement();
  if (cmd['def'] === undefined) return;
  const expr = cookDefault(cmd['def'] as RawNode, { name: column.attname, typeOid: column.atttypid, typmod: column.atttypmod, generated: '' }, null, '');
  if (expr.kind === 'Const' && expr.constvalue === null && getType(column.atttypid).typtype !== 'd') return;
  storeAttrDefault(tab.oid, column.attnum, expr);
}

function dropExpression(tab: Altered, cmd: RawNode): void {
  const relation = tab.current;
  const column = columnToAlter(relation, cmd['name'] as string);
  if (column.attgenerated !== 's') {
    const message = `column "${column.attname}" of relation "${relation.name}" is not a stored generated column`;
    if (!cmd['missing_ok']) throw new PgError('object_not_in_prerequisite_state', message);
    return ddlNotice(`${message}, skipping`);
  }
  // The expression depends on the column internally while it is generated.
  updateAttribute(tab.oid, column.attnum, { attgenerated: '' });
  commandCounterIncrement();
  const row = [...catalogFind(ids.AttrDefaultRelationId, ids.PgAttrdefAdrelidAdnumIndexId, [tab.oid, column.attnum])][0];
  if (row === undefined) return;
  deleteDependencyRecordsFor(objectAddress(ids.AttrDefaultRelationId, row.row.oid));
  commandCounterIncrement();
  removeAttrDefault(tab.oid, column.attnum);
}

// ---- NOT NULL

function dropNotNull(tab: Altered, cmd: RawNode, fromParent: boolean): void {
  const relation = tab.current;
  const column = columnToAlter(relation, cmd['name'] as string);
  if (column.attidentity !== '') throw new PgError('syntax_error', `column "${column.attname}" of relation "${relation.name}" is an identity column`);
  if (relation.indexes.some((i) => i.primary && i.keyAttributes.slice(0, i.keyCount).includes(column.attnum))) {
    throw new PgError('invalid_table_definition', `column "${column.attname}" is in a primary key`);
  }
  if (relation.indexes.some((i) => indexByOid(i.indexrelid)?.indisreplident === true && i.keyAttributes.slice(0, i.keyCount).includes(column.attnum))) {
    throw new PgError('invalid_table_definition', `column "${column.attname}" is in index used as replica identity`);
  }
  // A partition is as strict as its parent.
  if (relation.isPartition && !fromParent) {
    const parent = openRelation(partitionParent(relation.oid));
    if (parent.attributes.some((a) => a.attname === column.attname && a.attnotnull)) {
      throw new PgError('invalid_table_definition', `column "${column.attname}" is marked NOT NULL in parent table`);
    }
  }
  if (column.attnotnull) updateAttribute(tab.oid, column.attnum, { attnotnull: false });
}

const onlyPartitioned = (): PgError => new PgError('invalid_table_definition', 'cannot remove constraint from only the partitioned table when partitions exist', {
  hint: 'Do not specify the ONLY keyword.',
});

// ---- identity

function addIdentity(queue: Queue, tab: Altered, cmd: RawNode): void {
  const relation = tab.current;
  const column = columnToAlter(relation, cmd['name'] as string);
  const named = `column "${column.attname}" of relation "${relation.name}"`;
  const def = cmd['def'] as RawNode;
  if (![ids.INT2OID, ids.INT4OID, ids.INT8OID].includes(column.atttypid as never)) throw new PgError('invalid_parameter_value', 'identity column type must be smallint, integer, or bigint');
  if (!column.attnotnull) throw new PgError('object_not_in_prerequisite_state', `${named} must be declared NOT NULL before identity can be added`);
  if (column.attidentity !== '') throw new PgError('object_not_in_prerequisite_state', `${named} is already an identity column`);
  if (column.atthasdef) throw new PgError('object_not_in_prerequisite_state', `${named} already has a default value`);
  updateAttribute(tab.oid, column.attnum, { attidentity: def['generated_when'] as string });
  commandCounterIncrement();
  createOwnedSequence(tab.current, identitySequence(makeParseState(queue.text), column.attname, column.atttypid, (def['options'] ?? []) as RawNode[]), column.attnum);
}

function setIdentity(queue: Queue, tab: Altered, cmd: RawNode): void {
  const relation = tab.current;
  const column = columnToAlter(relation, cmd['name'] as string);
  if (column.attidentity === '') throw new PgError('object_not_in_prerequisite_state', `column "${column.attname}" of relation "${relation.name}" is not an identity column`);
  const options = (cmd['def'] ?? []) as RawNode[];
  const generated = options.filter((o) => o['defname'] === 'generated');
  if (generated.length > 1) throw new PgError('syntax_error', 'conflicting or redundant options');
  if (generated.length === 1) updateAttribute(tab.oid, column.attnum, { attidentity: String.fromCharCode(generated[0]!['arg'] as number) });
  commandCounterIncrement();
  const others = options.filter((o) => o['defname'] !== 'generated');
  if (others.length > 0) alterSequenceOptions(identitySequenceOf(tab.oid, column.attnum), others, true, queue.text);
}

function dropIdentity(tab: Altered, cmd: RawNode): void {
  const relation = tab.current;
  const column = columnToAlter(relation, cmd['name'] as string);
  if (column.attidentity === '') {
    const message = `column "${column.attname}" of relation "${relation.name}" is not an identity column`;
    if (!cmd['missing_ok']) throw new PgError('object_not_in_prerequisite_state', message);
    return ddlNotice(`${message}, skipping`);
  }
  const sequence = objectAddress(ids.RelationRelationId, identitySequenceOf(tab.oid, column.attnum));
  updateAttribute(tab.oid, column.attnum, { attidentity: '' });
  deleteDependencyRecordsFor(sequence);
  commandCounterIncrement();
  performDeletion(sequence, 'restrict', { quietly: true });
}

// ---- statistics, options, storage

function setStatistics(tab: Altered, cmd: RawNode): void {
  const relation = tab.current;
  const target = statisticsTarget(cmd['def'] as number);
  const isIndex = relation.kind === 'i' || relation.kind === 'I';
  if (cmd['name'] === undefined && !isIndex) throw new PgError('feature_not_supported', 'cannot refer to non-index column by number');
  const column = cmd['name'] !== undefined ? columnToAlter(relation, cmd['name'] as string) : relation.attributes[(cmd['num'] as number) - 1];
  if (column === undefined) throw new PgError('undefined_column', `column number ${cmd['num'] as number} of relation "${relation.name}" does not exist`);
  if (isIndex && column.attnum > relation.indexInfo!.keyCount) throw new PgError('feature_not_supported', `cannot alter statistics on included column "${column.attname}" of index "${relation.name}"`);
  if (isIndex && relation.indexInfo!.keyAttributes[column.attnum - 1] !== 0) {
    throw new PgError('feature_not_supported', `cannot alter statistics on non-expression column "${column.attname}" of index "${relation.name}"`, { hint: 'Alter statistics on table column instead.' });
  }
  updateAttribute(tab.oid, column.attnum, { attstattarget: target });
}

function setColumnOptions(tab: Altered, cmd: RawNode, reset: boolean): void {
  const column = columnToAlter(tab.current, cmd['name'] as string);
  const [tuple] = catalogFind(ids.AttributeRelationId, ids.PgAttributeRelidAttnumIndexId, [tab.oid, column.attnum]);
  catalogUpdate(ids.AttributeRelationId, tuple!, { attoptions: mergeOptions(tuple!.row.attoptions, (cmd['def'] ?? []) as RawNode[], 'column', reset) });
}

function setStorage(tab: Altered, cmd: RawNode): void {
  const column = columnToAlter(tab.current, cmd['name'] as string);
  updateStored(tab.current, column.attnum, { attstorage: storageLetter(cmd['def'] as string, { typeOid: column.atttypid }) });
}

function setCompression(tab: Altered, cmd: RawNode): void {
  const column = columnToAlter(tab.current, cmd['name'] as string);
  updateStored(tab.current, column.attnum, { attcompression: compressionLetter(cmd['def'] as string, column.atttypid) });
}

/** How a column is kept, in the table and in its indexes (SetIndexStorageProperties). */
function updateStored(relation: Relation, attnum: number, changes: Partial<PgAttribute>): void {
  updateAttribute(relation.oid, attnum, changes);
  for (const index of relation.indexes) {
    const at = index.keyAttributes.indexOf(attnum);
    if (at >= 0) updateAttribute(index.indexrelid, at + 1, changes);
  }
}

/** Runs in a pass; descendants get the same subcommand. */
const recursive = (pass: number | ((cmd: RawNode) => number), run: (queue: Queue, tab: Altered, cmd: RawNode) => void): Action['prepare'] => (queue, tab, cmd, recurse, recursing) => {
  simpleRecursion(queue, tab, cmd, recurse, recursing);
  tab.add(typeof pass === 'number' ? pass : pass(cmd), () => run(queue, tab, cmd));
};
/** Runs in a pass, on this table only. */
const single = (pass: number, run: (queue: Queue, tab: Altered, cmd: RawNode) => void): Action['prepare'] => (queue, tab, cmd) => tab.add(pass, () => run(queue, tab, cmd));

registerActions({
  AT_AddColumn: {
    name: 'ADD COLUMN', kinds: 'rpcf', prepare: (queue, tab, cmd, recurse, recursing) => {
      if (!recursing) refuseForTypedTable(tab.old, 'cannot add column to typed table');
      typedTableRecursion(queue, tab, cmd);
      if (tab.old.kind === 'f') refuseOnForeignTables(cmd['def'] as RawNode, queue.text);
      tab.add(PASS.ADD_COL, () => addColumn(queue, tab, cmd, recurse));
    },
  },
  AT_DropColumn: {
    name: 'DROP COLUMN', kinds: 'rpcf', prepare: (queue, tab, cmd, recurse, recursing) => {
      if (!recursing) refuseForTypedTable(tab.old, 'cannot drop column from typed table');
      typedTableRecursion(queue, tab, cmd);
      tab.add(PASS.DROP, () => dropColumn(tab, cmd, recurse));
    },
  },
  AT_ColumnDefault: { name: 'ALTER COLUMN ... SET DEFAULT', kinds: 'rpvf', prepare: recursive((cmd) => (cmd['def'] === undefined ? PASS.DROP : PASS.ADD_OTHERCONSTR), (_queue, tab, cmd) => columnDefaultChange(tab, cmd)) },
  AT_DropNotNull: { name: 'ALTER COLUMN ... DROP NOT NULL', kinds: 'rpf', prepare: (queue, tab, cmd, recurse, recursing) => {
    if (tab.old.kind === 'p' && !recurse && !recursing && childrenOf(tab.oid).length > 0) throw onlyPartitioned();
    simpleRecursion(queue, tab, cmd, recurse, recursing);
    tab.add(PASS.DROP, () => dropNotNull(tab, cmd, recursing));
  } },
  AT_SetNotNull: { name: 'ALTER COLUMN ... SET NOT NULL', kinds: 'rpf', prepare: (queue, tab, cmd, recurse, recursing) => {
    if (!recurse && !recursing && tab.old.kind === 'p') {
      for (const { inhrelid } of childrenOf(tab.oid)) {
        const child = openRelation(inhrelid);
        if (child.attributes.some((a) => a.attname === cmd['name'] && !a.attnotnull)) {
          throw new PgError('invalid_table_definition', 'constraint must be added to child tables too', {
            detail: `Column "${cmd['name'] as string}" of relation "${child.name}" is not already NOT NULL.`, hint: 'Do not specify the ONLY keyword.',
          });
        }
      }
    }
    simpleRecursion(queue, tab, cmd, recurse, recursing);
    tab.add(PASS.COL_ATTRS, () => setNotNull(tab, cmd['name'] as string));
  } },
  AT_DropExpression: {
    name: 'ALTER COLUMN ... DROP EXPRESSION', kinds: 'rpf', prepare: (queue, tab, cmd, recurse, recursing) => {
      if (!recurse && !recursing && tab.old.hasSubclass) throw new PgError('feature_not_supported', 'ALTER TABLE / DROP EXPRESSION must be applied to child tables too');
      const column = tab.old.attributes.find((a) => a.attname === cmd['name'] && !a.attisdropped);
      if (!recursing && column !== undefined && column.attinhcount > 0) throw new PgError('invalid_table_definition', 'cannot drop generation expression from inherited column');
      recursive(PASS.DROP, (_q, t, c) => dropExpression(t, c))(queue, tab, cmd, recurse, recursing);
    },
  },
  AT_SetStatistics: { name: 'ALTER COLUMN ... SET STATISTICS', kinds: 'rpmifI', lock: 4, prepare: recursive(PASS.MISC, (_q, tab, cmd) => setStatistics(tab, cmd)) },
  AT_SetOptions: { name: 'ALTER COLUMN ... SET', kinds: 'rpmf', lock: 4, prepare: single(PASS.MISC, (_q, tab, cmd) => setColumnOptions(tab, cmd, false)) },
  AT_ResetOptions: { name: 'ALTER COLUMN ... RESET', kinds: 'rpmf', lock: 4, prepare: single(PASS.MISC, (_q, tab, cmd) => setColumnOptions(tab, cmd, true)) },
  AT_SetStorage: { name: 'ALTER COLUMN ... SET STORAGE', kinds: 'rpmf', prepare: recursive(PASS.MISC, (_q, tab, cmd) => setStorage(tab, cmd)) },
  AT_SetCompression: { name: 'ALTER COLUMN ... SET COMPRESSION', kinds: 'rpm', prepare: single(PASS.MISC, (_q, tab, cmd) => setCompression(tab, cmd)) },
  AT_AddIdentity: { name: 'ALTER COLUMN ... ADD IDENTITY', kinds: 'rpvf', prepare: single(PASS.ADD_OTHERCONSTR, addIdentity) },
  AT_SetIdentity: { name: 'ALTER COLUMN ... SET', kinds: 'rpvf', prepare: single(PASS.MISC, setIdentity) },
  AT_DropIdentity: { name: 'ALTER COLUMN ... DROP IDENTITY', kinds: 'rpvf', prepare: single(PASS.DROP, (_q, tab, cmd) => dropIdentity(tab, cmd)) },
});
