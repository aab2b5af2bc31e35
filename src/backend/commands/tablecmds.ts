// CREATE TABLE and TRUNCATE (part of PostgreSQL's tablecmds.c; ALTER TABLE is in altertable.ts, DROP in dropcmds.ts).
import { getString } from '../utils/guc.ts';
import { refuseRestricted } from '../catalog/acl.ts';
import { getNewRelationOid } from '../catalog/catalog.ts';
import { tableMethodHooks } from '../utils/guc_hooks.ts';
import { PgError } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import { aclcheckRelation, notOwnerOrDenied, requireOwner, requirePrivilege } from '../catalog/aclchk.ts';
import { foreignTableUnreachable } from '../catalog/foreign.ts';
import { markIndexBuilt } from '../catalog/index.ts';
import { heapCreateWithCatalog } from '../catalog/heap.ts';
import { catalogInsert, catalogUpdateByKey } from '../catalog/indexing.ts';
import { getType } from '../catalog/lsyscache.ts';
import { isOtherTemp, isTempNamespace, rangeVarGetCreationNamespace, rangeVarGetRelid, refuseOtherTemp } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { storeAttrDefault } from '../catalog/pg_attrdef.ts';
import { objectAddress, ownedSequences, recordDependencyOn } from '../catalog/pg_depend.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { amByName, attributeByNumber, childrenOf, classByOid, collationByOid, relationOidByName } from '../catalog/syscache.ts';
import { quoteQualifiedIdentifier } from '../catalog/quote.ts';
import { setNewFilenode, truncateRelation } from '../catalog/storage.ts';
import { formatTypeWithTypmod } from '../catalog/format_type.ts';
import { beforeStatementDue, enterQuery, fireQueryEvents, leaveQuery, queueStatementEvent } from '../executor/after_triggers.ts';
import { fireBeforeStatement, triggersOf } from '../executor/trigger.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { equal } from '../nodes/equalfuncs.ts';
import { makeParseState, parserError, withErrorPosition } from '../parser/parse_node.ts';
import { serialDefault, ddlNotice, transformCreateStmt, type CheckSpec, type ColumnSpec, type TransformedTable } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { UtilityContext, UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { addChecks, addForeignKey, cookDefault } from './constraints.ts';
import { defineIndex } from './indexcmds.ts';
import { expandLike, renumberForParents } from './like.ts';
import { mergeWithExistingCheck } from './merge_check.ts';
import { checkOnCommit, noteOnCommit, type OnCommitClause } from './oncommit.ts';
import { readOptions } from './reloptions.ts';
import { checkDefaultPartitionContents, checkNewPartitionBound, makePartitionKey, storePartitionBound, transformPartitionBound } from './partition.ts';
import { cloneFromParent } from './partition_clone.ts';
import { addKeysOfPartitions } from './partition_keys.ts';
import { createOwnedSequence, requireSequenceOwner, resetSequence } from './sequence.ts';
import { columnsOfType, ofType } from './typed_tables.ts';
import { refuseInUse } from './trigger.ts';
import { mapVars } from './varmap.ts';
import { chooseTablespace } from '../catalog/pg_tablespace.ts';

const SHARE_UPDATE_EXCLUSIVE_LOCK = 4, ACCESS_EXCLUSIVE_LOCK = 8;

/** USING, or default_table_access_method: they all go by the handler that there is. */
export function tableAccessMethod(name: string | undefined): Oid {
  if (name === undefined) return tableAccessMethod(getString('default_table_access_method'));
  if (name === 'heap') return ids.HEAP_TABLE_AM_OID;
  const am = amByName(name);
  if (am === undefined) throw new PgError('undefined_object', `access method "${name}" does not exist`);
  if (am.amtype !== 't') throw new PgError('object_not_in_prerequisite_state', `access method "${name}" is not of type TABLE`);
  return am.oid;
}

tableMethodHooks.exists = (name) => amByName(name) !== undefined && tableAccessMethod(name) !== 0;

/** Makes the table; its OID, 0: it was there already. `relkind`: f for a foreign table. */
export function createTable(stmt: RawNode, context: UtilityContext, relkind: 'r' | 'f' = 'r'): Oid {
  const rv = stmt['relation'] as RawNode & { relname: string; relpersistence: 'p' | 'u' | 't' };
  if (stmt['accessMethod'] !== undefined && stmt['partspec'] !== undefined) throw new PgError('feature_not_supported', 'specifying a table access method is not supported on a partitioned table');
  const accessMethod = tableAccessMethod(stmt['accessMethod'] as string | undefined);
  const state = makeParseState(context.text);
  const namespace = withErrorPosition(state, rv.location, () => {
    const found = rangeVarGetCreationNamespace(rv);
    requirePrivilege(ids.NamespaceRelationId, found, ACL.CREATE);
    return found;
  });
  const persistence = isTempNamespace(namespace) ? 't' : rv.relpersistence;
  if (persistence === 't') refuseRestricted('create temporary table');
  checkOnCommit(stmt['oncommit'] as OnCommitClause, persistence);
  const bound = stmt['partbound'] as RawNode | undefined;
  const tablespace = relkind === 'f' ? 0 : chooseTablespace(stmt['tablespacename'] as string | undefined, persistence, stmt['partspec'] !== undefined, bound === undefined ? 0 : parentTablespace(stmt));
  if (stmt['if_not_exists'] && relationOidByName(rv.relname, namespace) !== 0) {
    ddlNotice(`relation "${rv.relname}" already exists, skipping`, 'duplicate_table');
    return 0;
  }
  const type = stmt['ofTypename'] === undefined ? null : ofType(stmt['ofTypename'] as RawNode);
  const table = expandLike(transformCreateStmt(stmt, context.text), rv.relname, relkind === 'f', context.text);
  if (type !== null) table.columns = columnsOfType(type, table.columns);
  const partspec = stmt['partspec'] as RawNode | undefined;
  if (partspec !== undefined && bound === undefined && stmt['inhRelations'] !== undefined) {
    throw new PgError('invalid_object_definition', 'cannot create partitioned table as inheritance child');
  }
  const parents = ((stmt['inhRelations'] ?? []) as RawNode[]).map((p) => openParent(p, persistence, bound !== undefined));
  if (parents.length > 0 && bound === undefined) renumberForParents(table, parents);
  const inherited = mergeParents(table, parents, bound !== undefined);
  markPrimaryKeyNotNull(table, context.text);
  if (partspec !== undefined) refuseForPartitioned(table, rv.relname, (stmt['options'] ?? []) as RawNode[]);
  const oid = makeTable(rv.relname, namespace, persistence, table, readOptions((stmt['options'] ?? []) as RawNode[], 'table'), context.text, {
    checks: inherited.checks, tablespace, partspec, ofType: type?.oid ?? 0, ...(relkind === 'f' ? { relkind } : { accessMethod }), partition: bound === undefined ? undefined : { parent: parents[0]!.oid, bound },
  });
  for (const run of table.after) run(oid);
  noteOnCommit(oid, stmt['oncommit'] as OnCommitClause);
  if (bound === undefined) parents.forEach((parent, i) => storeInheritance(oid, parent.oid, i + 1));
  // They are set by an ALTER FOREIGN TABLE that follows.
  if (relkind === 'r' && ((stmt['tableElts'] ?? []) as RawNode[]).some((e) => e['fdwoptions'] !== undefined)) throw new PgError('wrong_object_type', `"${rv.relname}" is not a foreign table`);
  return oid;
}

/** That of the table it is to be a partition of. */
function parentTablespace(stmt: RawNode): Oid {
  const oid = rangeVarGetRelid((stmt['inhRelations'] as RawNode[])[0] as never, true);
  return oid === 0 ? 0 : classByOid(oid)!.reltablespace;
}

/** What a partitioned table cannot have. */
function refuseForPartitioned(table: TransformedTable, name: string, options: readonly RawNode[]): void {
  if (table.checks.some((c) => c.noInherit)) throw new PgError('invalid_table_definition', `cannot add NO INHERIT constraint to partitioned table "${name}"`);
  if (options.length > 0) throw storageParametersRefused(options[0]!['defname'] as string);
}
/** A partitioned table has no rows that parameters could be about. */
export const storageParametersRefused = (name: string): PgError => new PgError('invalid_parameter_value', `unrecognized parameter "${name}"`);

interface TableExtras {
  /** CHECK constraints of parents. */
  checks?: CheckSpec[];
  partspec?: RawNode | undefined;
  accessMethod?: Oid;
  tablespace?: Oid;
  ofType?: Oid;
  relkind?: 'f';
  partition?: { parent: Oid; bound: RawNode } | undefined;
}

/** Everything CREATE TABLE makes, from columns to foreign keys; the table's OID. */
function makeTable(name: string, namespace: Oid, persistence: 'p' | 'u' | 't', table: TransformedTable, options: string[] | null, text: string, extras: TableExtras = {}): Oid {
  // Sequences are told of before the table, as PostgreSQL makes them: by OID.
  const sequences = table.columns.map((c) => (c.sequence === null ? undefined : getNewRelationOid()));
  const { relation: oid } = heapCreateWithCatalog({
    name, namespace, owner: session.currentUser, relkind: extras.partspec === undefined ? extras.relkind ?? 'r' : 'p', persistence, options, useUserAcl: true, ofType: extras.ofType ?? 0, tablespace: extras.tablespace ?? 0, ...(extras.accessMethod === undefined ? {} : { accessMethod: extras.accessMethod }), columns: table.columns.map((c) => ({
      name: c.name, typeOid: c.typeOid, typmod: c.typmod, collation: c.collation, notNull: c.notNull, ndims: c.ndims, identity: c.identity, generated: c.generated,
      isLocal: c.islocal, inhCount: c.inhcount, ...(c.storage !== null ? { storage: storageLetter(c.storage, c) } : {}), ...(c.compression !== null ? { compression: compressionLetter(c.compression, c.typeOid) } : {}),
    })),
  });
  commandCounterIncrement();
  lockTable(oid, name, false, ACCESS_EXCLUSIVE_LOCK);
  table.columns.forEach((column, i) => makeColumnDefault(oid, namespace, i + 1, column, text, sequences[i]));
  if (extras.partition !== undefined) makePartition(oid, name, extras.partition, text);
  if (extras.partspec !== undefined) {
    makePartitionKey(oid, extras.partspec, text);
    commandCounterIncrement();
  }
  if (extras.partition !== undefined) cloneFromParent(openRelation(oid), openRelation(extras.partition.parent));
  const taken = new Set<string>();
  addChecks(oid, extras.checks ?? [], text, taken);
  // A new table has no rows that a constraint could be NOT VALID for; a foreign one may.
  if (extras.relkind !== 'f') for (const check of table.checks) check.skipValidation = false;
  addChecks(oid, table.checks.filter((own) => !taken.has(own.name ?? '') || !mergeWithExistingCheck(oid, own, true, true, text)), text, taken);
  for (const index of table.indexes) defineIndex(openRelation(oid), index, text, false);
  for (const key of table.foreignKeys) addKeysOfPartitions(addForeignKey(oid, { ...key, skipValidation: false }, taken));
  return oid;
}

/** PARTITION OF: the bound is checked against the other partitions', then the table is one of them. */
function makePartition(oid: Oid, name: string, partition: { parent: Oid; bound: RawNode }, text: string): void {
  const parent = openRelation(partition.parent);
  if (parent.kind !== 'p') throw new PgError('invalid_object_definition', `"${parent.name}" is not partitioned`);
  const state = makeParseState(text);
  const { bound, locations } = transformPartitionBound(state, parent, partition.bound);
  checkNewPartitionBound(state, parent, name, bound, locations);
  checkDefaultPartitionContents(parent, bound);
  storePartitionBound(oid, parent.oid, bound);
  commandCounterIncrement();
  storeInheritance(oid, parent.oid, 1, true);
}

/** DEFAULT, serial and identity of one new column. */
function makeColumnDefault(table: Oid, namespace: Oid, attnum: number, column: ColumnSpec, text: string, sequence?: Oid): void {
  if (column.sequence !== null) {
    const { name } = createOwnedSequence(openRelation(table), column.sequence, attnum, sequence);
    commandCounterIncrement();
    if (column.sequence.forIdentity) return;
    const raw = serialDefault(namespace, name, quoteQualifiedIdentifier);
    storeAttrDefault(table, attnum, cookDefault(raw, column, null, text));
    commandCounterIncrement();
    return;
  }
  // A NULL default is none, unless it overrides a domain's.
  const expr = column.cookedDefault ?? (column.rawDefault === null ? null : cookDefault(column.rawDefault, column, column.generated !== '' ? openRelation(table) : null, text));
  if (expr === null || (expr.kind === 'Const' && expr.constvalue === null && column.generated === '' && getType(column.typeOid).typtype !== 'd')) return;
  storeAttrDefault(table, attnum, expr);
  commandCounterIncrement();
}

export function storageLetter(word: string, column: { typeOid: Oid }): string {
  const letter = { plain: 'p', external: 'e', extended: 'x', main: 'm' }[word.toLowerCase()];
  if (letter === undefined) throw new PgError('invalid_parameter_value', `invalid storage type "${word}"`);
  if (letter !== 'p' && getType(column.typeOid).typstorage === 'p') throw new PgError('feature_not_supported', `column data type ${formatTypeWithTypmod(column.typeOid, -1)} can only have storage PLAIN`);
  return letter;
}

/** GetAttributeCompression: the letter of a method of compression, none for the default. */
export function compressionLetter(word: string, typeOid: Oid): string {
  if (word === 'default') return '';
  if (getType(typeOid).typstorage === 'p') throw new PgError('feature_not_supported', `column data type ${formatTypeWithTypmod(typeOid, -1)} does not support compression`);
  if (word === 'pglz') return 'p';
  if (word === 'lz4') return 'l';
  throw new PgError('invalid_parameter_value', `invalid compression method "${word}"`);
}

/** A primary key's columns are NOT NULL, and must be columns of the table. */
function markPrimaryKeyNotNull(table: TransformedTable, text: string): void {
  for (const index of table.indexes) {
    for (const key of [...index.keys.map((k) => k.name), ...index.including]) {
      if (key === null) continue; // an expression, of an exclusion constraint
      const column = table.columns.find((c) => c.name === key);
      if (column === undefined) {
        throw parserError(makeParseState(text), 'undefined_column', `column "${key}" named in key does not exist`, index.location);
      }
    }
    if (!index.primary) continue;
    for (const key of index.keys) table.columns.find((c) => c.name === key.name)!.notNull = true;
  }
}

// ---- inheritance

function openParent(raw: RawNode, persistence: string, isPartition: boolean): Relation {
  const parent = openRelation(rangeVarGetRelid(raw as never));
  requireOwner(ids.RelationRelationId, parent.oid);
  if (!isPartition) {
    if (parent.kind === 'p') throw new PgError('wrong_object_type', `cannot inherit from partitioned table "${parent.name}"`);
    if (parent.isPartition) throw new PgError('wrong_object_type', `cannot inherit from partition "${parent.name}"`);
  }
  if (parent.kind === 'c') throw new PgError('wrong_object_type', `"${parent.name}" is a composite type`);
  if (parent.kind !== 'r' && parent.kind !== 'f' && parent.kind !== 'p') throw new PgError('wrong_object_type', `inherited relation "${parent.name}" is not a table or foreign table`);
  if (isPartition && persistence === 't' && parent.persistence !== 't') throw new PgError('wrong_object_type', `cannot create a temporary relation as partition of permanent relation "${parent.name}"`);
  if (isPartition && persistence !== 't' && parent.persistence === 't') throw new PgError('wrong_object_type', `cannot create a permanent relation as partition of temporary relation "${parent.name}"`);
  if (persistence !== 't' && parent.persistence === 't') throw new PgError('wrong_object_type', `cannot inherit from temporary relation "${parent.name}"`);
  if (isOtherTemp(parent)) throw new PgError('wrong_object_type', isPartition ? 'cannot create as partition of temporary relation of another session' : 'cannot inherit from temporary relation of another session');
  // A new partition takes rows that would go elsewhere: nobody may be inserting any.
  const { renewed } = lockTable(parent.oid, parent.name, parent.shared, isPartition ? ACCESS_EXCLUSIVE_LOCK : SHARE_UPDATE_EXCLUSIVE_LOCK);
  return renewed ? openRelation(parent.oid) : parent;
}

/** The parents' columns come first; a column of the same name must have the same type (MergeAttributes). */
function mergeParents(table: TransformedTable, parents: readonly Relation[], isPartition: boolean): { checks: CheckSpec[] } {
  if (parents.length === 0) return { checks: [] };
  if (new Set(parents).size !== parents.length) {
    const twice = parents.find((p, i) => parents.indexOf(p) !== i)!;
    throw new PgError('duplicate_table', `relation "${twice.name}" would be inherited from more than once`);
  }
  const columns: ColumnSpec[] = [];
  /** Columns for which parents have different defaults. */
  const conflicting = new Set<ColumnSpec>();
  const checks: CheckSpec[] = [];
  for (const parent of parents) {
    const map = new Map<number, number>();
    for (const a of parent.attributes) {
      if (a.attisdropped) continue;
      const known = columns.findIndex((c) => c.name === a.attname);
      if (known >= 0) {
        const c = columns[known]!;
        map.set(a.attnum, known + 1);
        ddlNotice(`merging multiple inherited definitions of column "${a.attname}"`);
        if (c.typeOid !== a.atttypid || c.typmod !== a.atttypmod) {
          throw new PgError('datatype_mismatch', `inherited column "${a.attname}" has a type conflict`, { detail: `${formatTypeWithTypmod(c.typeOid, c.typmod)} versus ${formatTypeWithTypmod(a.atttypid, a.atttypmod)}` });
        }
        if (c.collation !== a.attcollation) {
          throw new PgError('collation_mismatch', `inherited column "${a.attname}" has a collation conflict`, { detail: `"${collationName(c.collation)}" versus "${collationName(a.attcollation)}"` });
        }
        const kept = storageOf(parent.oid, a.attnum);
        if (c.storage !== kept) throw new PgError('datatype_mismatch', `inherited column "${a.attname}" has a storage parameter conflict`, { detail: `${c.storage!.toUpperCase()} versus ${kept.toUpperCase()}` });
        c.compression = mergedCompression(a.attname, c.compression, compressionOf(parent.oid, a.attnum));
        if (c.generated !== a.attgenerated) throw new PgError('datatype_mismatch', `inherited column "${a.attname}" has a generation conflict`);
        c.inhcount++;
        c.notNull ||= a.attnotnull;
      } else {
        columns.push({
          name: a.attname, typeOid: a.atttypid, typmod: a.atttypmod, collation: a.attcollation, ndims: a.attndims, notNull: a.attnotnull, rawDefault: null,
          cookedDefault: null, identity: '', generated: a.attgenerated, inhcount: 1, islocal: false, storage: storageOf(parent.oid, a.attnum), compression: compressionOf(parent.oid, a.attnum),
          sequence: null, location: -1,
        });
        map.set(a.attnum, columns.length);
      }
    }
    for (const [attnum, expr] of parent.defaults) {
      const to = map.get(attnum);
      if (to === undefined) continue;
      const column = columns[to - 1]!;
      const own = mapVars(expr, map);
      if (column.cookedDefault !== null && !equal(column.cookedDefault, own)) conflicting.add(column);
      column.cookedDefault ??= own;
    }
    for (const check of parent.checks) {
      if (check.noInherit) continue;
      const same = checks.find((c) => c.name === check.name);
      const expr = mapVars(check.expr, map);
      if (same !== undefined) {
        if (!equal(same.expr!, expr)) throw new PgError('duplicate_object', `check constraint name "${check.name}" appears multiple times but with different expressions`);
        same.inhcount++;
      } else checks.push({ name: check.name, raw: null, expr, noInherit: false, skipValidation: false, location: -1, inhcount: 1, islocal: false });
    }
  }
  if (isPartition) {
    for (const [i, c] of table.columns.entries()) {
      if (table.columns.findIndex((o) => o.name === c.name) !== i) throw new PgError('duplicate_column', `column "${c.name}" specified more than once`);
      const inherited = columns.find((i) => i.name === c.name);
      if (inherited === undefined) throw new PgError('undefined_column', `column "${c.name}" does not exist`);
      inherited.notNull ||= c.notNull;
      overrideDefault(inherited, c);
    }
    table.columns = columns;
    return { checks };
  }
  const own: ColumnSpec[] = [];
  table.columns.forEach((c, i) => {
    const at = columns.findIndex((known) => known.name === c.name);
    if (at < 0) { own.push(c); return; }
    mergeWithInherited(c, columns[at]!, at === i);
    if (c.rawDefault !== null || c.cookedDefault !== null) conflicting.delete(columns[at]!);
  });
  for (const { name, generated } of conflicting) {
    throw new PgError('invalid_column_definition', generated !== '' ? `column "${name}" inherits conflicting generation expressions` : `column "${name}" inherits conflicting default values`, {
      ...(generated !== '' ? {} : { hint: 'To resolve the conflict, specify a default explicitly.' }),
    });
  }
  table.columns = [...columns, ...own];
  return { checks };
}

/** In words, as the grammar has them. */
function storageOf(table: Oid, attnum: number): string {
  return { p: 'plain', e: 'external', x: 'extended', m: 'main' }[attributeByNumber(table, attnum)!.attstorage] ?? 'plain';
}

const METHODS: Readonly<Record<string, string>> = { p: 'pglz', l: 'lz4' };
const compressionOf = (table: Oid, attnum: number): string | null => METHODS[attributeByNumber(table, attnum)!.attcompression] ?? null;

function mergedCompression(column: string, one: string | null, other: string | null): string | null {
  if (one === null || other === null || one === other) return one ?? other;
  throw new PgError('datatype_mismatch', `column "${column}" has a compression method conflict`, { detail: `${one} versus ${other}` });
}

const collationName = (oid: Oid): string => collationByOid(oid)?.collname ?? '';

/** A column that the table defines itself although it inherits it. `inPlace`: it stands where the inherited one does. */
function mergeWithInherited(c: ColumnSpec, inherited: ColumnSpec, inPlace: boolean): void {
  if (inPlace) ddlNotice(`merging column "${c.name}" with inherited definition`);
  else ddlNotice(`moving and merging column "${c.name}" with inherited definition`, undefined, 'User-specified column moved to the position of the inherited column.');
  if (inherited.typeOid !== c.typeOid || inherited.typmod !== c.typmod) {
    throw new PgError('datatype_mismatch', `column "${c.name}" has a type conflict`, { detail: `${formatTypeWithTypmod(inherited.typeOid, inherited.typmod)} versus ${formatTypeWithTypmod(c.typeOid, c.typmod)}` });
  }
  if (inherited.collation !== c.collation) {
    throw new PgError('collation_mismatch', `column "${c.name}" has a collation conflict`, { detail: `"${collationName(inherited.collation)}" versus "${collationName(c.collation)}"` });
  }
  if (c.storage !== null && inherited.storage !== null && c.storage.toLowerCase() !== inherited.storage) {
    throw new PgError('datatype_mismatch', `column "${c.name}" has a storage parameter conflict`, { detail: `${inherited.storage.toUpperCase()} versus ${c.storage.toUpperCase()}` });
  }
  inherited.compression = mergedCompression(c.name, inherited.compression, c.compression);
  const refuse = (message: string, hint?: string): PgError => new PgError('invalid_column_definition', message, { hint });
  if (inherited.generated !== '') {
    if (c.generated !== '') {
      throw refuse(`child column "${c.name}" specifies generation expression`, 'Omit the generation expression in the definition of the child table column to inherit the generation expression from the parent table.');
    }
    if (c.rawDefault !== null) throw refuse(`column "${c.name}" inherits from generated column but specifies default`);
    if (c.identity !== '') throw refuse(`column "${c.name}" inherits from generated column but specifies identity`);
  } else inherited.generated = c.generated;
  inherited.islocal = true;
  inherited.notNull ||= c.notNull;
  inherited.identity = c.identity;
  inherited.sequence = c.sequence;
  if (c.rawDefault !== null || c.cookedDefault !== null) { inherited.rawDefault = c.rawDefault; inherited.cookedDefault = c.cookedDefault; }
}

/** A column's own default instead of the parent's. */
function overrideDefault(inherited: ColumnSpec, own: ColumnSpec): void {
  const conflict = (message: string, hint?: string): PgError => new PgError('invalid_object_definition', message, hint === undefined ? {} : { hint });
  if (inherited.generated !== '') {
    if (own.generated !== '') {
      throw conflict(`child column "${own.name}" specifies generation expression`, 'Omit the generation expression in the definition of the child table column to inherit the generation expression from the parent table.');
    }
    // A default becomes what is generated, as in PostgreSQL 15.
    if (own.identity !== '') throw conflict(`column "${own.name}" inherits from generated column but specifies identity`);
  } else if (own.generated !== '') {
    throw conflict(`child column "${own.name}" specifies generation expression`, 'A child table column cannot be generated unless its parent column is.');
  }
  if (own.rawDefault !== null) {
    inherited.rawDefault = own.rawDefault;
    inherited.cookedDefault = null;
  }
}

/** pg_inherits and its dependency (StoreCatalogInheritance). A partition goes with its parent. */
export function storeInheritance(child: Oid, parent: Oid, seqno: number, isPartition = false): void {
  catalogInsert(ids.InheritsRelationId, { inhrelid: child, inhparent: parent, inhseqno: seqno, inhdetachpending: false });
  recordDependencyOn(objectAddress(ids.RelationRelationId, child), objectAddress(ids.RelationRelationId, parent), isPartition ? 'a' : 'n');
  if (!openRelation(parent).hasSubclass) catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [parent], { relhassubclass: true });
  commandCounterIncrement();
}

// ---- TRUNCATE

function truncate(stmt: RawNode): void {
  const cascade = stmt['behavior'] === 'DROP_CASCADE';
  const tables: Relation[] = [];
  // Those that inherit are emptied by right of their parent.
  const add = (relation: Relation, byParent = false): void => {
    if (tables.some((t) => t.oid === relation.oid)) return;
    if (relation.kind === 'f') throw foreignTableUnreachable(relation.oid);
    if (relation.kind !== 'r' && relation.kind !== 'p') throw new PgError('wrong_object_type', `"${relation.name}" is not a table`);
    if (!byParent && !aclcheckRelation(relation.oid, session.currentUser, ACL.TRUNCATE)) throw notOwnerOrDenied('table', relation.name);
    if (relation.oid < 16384) throw new PgError('insufficient_privilege', `permission denied: "${relation.name}" is a system catalog`);
    lockTable(relation.oid, relation.name, relation.shared, ACCESS_EXCLUSIVE_LOCK);
    refuseOtherTemp('truncate', relation);
    refuseInUse('TRUNCATE', relation);
    tables.push(openRelation(relation.oid));
  };
  for (const rv of stmt['relations'] as RawNode[]) {
    const relation = openRelation(rangeVarGetRelid(rv as never));
    add(relation);
    if (!rv['inh'] && relation.kind === 'p') {
      throw new PgError('wrong_object_type', 'cannot truncate only a partitioned table', {
        hint: 'Do not specify the ONLY keyword, or use TRUNCATE ONLY on the partitions directly.',
      });
    }
    if (rv['inh']) for (const child of allChildren(relation.oid)) if (!isOtherTemp(openRelation(child))) add(openRelation(child), true);
  }
  for (let i = 0; i < tables.length; i++) {
    for (const key of tables[i]!.referencedBy) {
      if (tables.some((t) => t.oid === key.conrelid)) continue;
      const referencing = openRelation(key.conrelid);
      if (!cascade) {
        throw new PgError('feature_not_supported', 'cannot truncate a table referenced in a foreign key constraint', {
          detail: `Table "${referencing.name}" references "${tables[i]!.name}".`,
          hint: `Truncate table "${referencing.name}" at the same time, or use TRUNCATE ... CASCADE.`,
        });
      }
      ddlNotice(`truncate cascades to table "${referencing.name}"`);
      add(referencing);
    }
  }
  const level = enterQuery();
  try {
    truncateTables(tables, stmt);
  } finally {
    leaveQuery(level);
  }
}

function truncateTables(tables: readonly Relation[], stmt: RawNode): void {
  const sequences = stmt['restart_seqs'] ? tables.flatMap((table) => ownedSequences(table.oid)) : [];
  for (const sequence of sequences) requireSequenceOwner(sequence);
  const sets = tables.map((table) => ({ table, set: triggersOf(table) }));
  for (const { table, set } of sets) if (set !== null && beforeStatementDue(table, 'TRUNCATE')) fireBeforeStatement(set, 'TRUNCATE', null);
  for (const table of tables) {
    if (table.kind !== 'p') {
      truncateRelation(table);
      for (const index of table.indexes) {
        setNewFilenode(index.indexrelid);
        markIndexBuilt(index);
      }
    }
  }
  for (const sequence of sequences) resetSequence(sequence);
  commandCounterIncrement();
  for (const { table, set } of sets) if (set !== null) queueStatementEvent(set, table, 'TRUNCATE', null);
  fireQueryEvents();
}

/** Every table that inherits from this one, at any depth, level by level (find_all_inheritors). */
export function allChildren(oid: Oid): Oid[] {
  const found = [oid], seen = new Set(found);
  for (const parent of found) {
    for (const { inhrelid } of childrenOf(parent)) {
      if (seen.has(inhrelid)) continue;
      seen.add(inhrelid);
      found.push(inhrelid);
    }
  }
  return found.slice(1);
}

export const TABLE_COMMANDS: UtilityTable = {
  CreateStmt: { run: (stmt, context) => { createTable(stmt, context); } },
  TruncateStmt: { run: truncate },
};
