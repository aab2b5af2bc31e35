// CREATE TRIGGER, ALTER TABLE ... ENABLE | DISABLE TRIGGER, SET CONSTRAINTS (PostgreSQL's trigger.c). What triggers do is
// executor/trigger.ts's business.
import { PgError, notSupported } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import { aclcheckProc, aclcheckRelation, notOwnerOrDenied, relkindNoun } from '../catalog/aclchk.ts';
import { getNewOid, isSystemRelation } from '../catalog/catalog.ts';
import { dropHooks } from '../catalog/drop.ts';
import { recordDependencyOnExpr } from '../catalog/expr_references.ts';
import { ddlHooks } from '../catalog/ddl_hooks.ts';
import { catalogFind, catalogInsert, catalogUpdate, catalogUpdateByKey } from '../catalog/indexing.ts';
import { fetchSearchPath, lookupExplicitNamespace, nameListToString, rangeVarGetRelid, type RangeVarName } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { constraintsBelow, createConstraintEntry } from '../catalog/pg_constraint.ts';
import { deleteDependencyRecordsFor, objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import { TRIGGER_TYPE, noteTriggers, packArguments, triggerRow } from '../catalog/pg_trigger.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation, tryOpenRelation } from '../catalog/relcache.ts';
import type { PgTrigger } from '../catalog/rows.ts';
import { childrenOf, parentsOf, procByOid, triggersOf } from '../catalog/syscache.ts';
import { activePlans, plansUse } from '../executor/active_plans.ts';
import { hasPendingEvents, setConstraints } from '../executor/after_triggers.ts';
import { containsNode } from '../nodes/nodeFuncs.ts';
import { makeAlias } from '../nodes/makefuncs.ts';
import { nodeToString } from '../nodes/outfuncs.ts';
import { ACL, type RangeTblEntry } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { transformWhereClause } from '../parser/parse_clause.ts';
import { assignExprCollations } from '../parser/parse_collate.ts';
import { lookupFuncName } from '../parser/parse_func.ts';
import { makeParseState, parserError, type ParseState } from '../parser/parse_node.ts';
import { addNamespaceItemToQuery, addRangeTableEntryForRelation } from '../parser/parse_relation.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { mapToChild } from '../partitioning/partqual.ts';
import { allPortals } from '../tcop/portal.ts';
import type { UtilityContext, UtilityTable } from '../tcop/utility.ts';
import { inTransactionBlock, commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { TRIGGEROID } from '../types/oids.ts';
import { sendWarning, session } from '../utils/session.ts';
import { errdetailRelkindNotSupported } from '../catalog/pg_class.ts';

const ACCESS_SHARE_LOCK = 1, SHARE_ROW_EXCLUSIVE_LOCK = 6;
const OLD_VARNO = 1;
const { ROW, BEFORE, INSERT, DELETE, UPDATE, TRUNCATE, INSTEAD } = TRIGGER_TYPE;

interface TransitionRel { name: string; isNew?: boolean; isTable?: boolean }
interface CreateTrigStmt extends RawNode {
  replace?: boolean; isconstraint?: boolean; trigname: string; relation: RawNode & RangeVarName; funcname: string[]; args?: string[]; row?: boolean;
  timing?: number; events: number; columns?: string[]; whenClause?: RawNode; transitionRels?: TransitionRel[]; deferrable?: boolean; initdeferred?: boolean;
  constrrel?: RawNode & RangeVarName;
}

const unsupported = (message: string): PgError => new PgError('feature_not_supported', message);
const wrongType = (message: string, detail?: string): PgError => new PgError('wrong_object_type', message, { detail });
const invalid = (message: string): PgError => new PgError('invalid_object_definition', message);

function createTriggerStmt(stmt: CreateTrigStmt, context: UtilityContext): void {
  if (stmt.replace && stmt.isconstraint) throw notSupported('CREATE OR REPLACE CONSTRAINT TRIGGER');
  const relid = rangeVarGetRelid(stmt.relation);
  const before = openRelation(relid);
  lockTable(relid, before.name, before.shared, SHARE_ROW_EXCLUSIVE_LOCK);
  createTrigger(stmt, openRelation(relid), context.text, null);
}

/** What a trigger of a partitioned table hands down to those of the partitions. */
export interface Parent { readonly oid: Oid; readonly qual: Expr | null }

/** Makes a trigger on one relation, and for rows of a partitioned table on its partitions; its OID. */
function createTrigger(stmt: CreateTrigStmt, relation: Relation, text: string, parent: Parent | null): Oid {
  const type = stmt.events | (stmt.timing ?? 0) | (stmt.row ? ROW : 0);
  checkKind(relation, stmt, type);
  if (relation.shared || isSystemRelation(relation.oid, relation.namespace)) throw new PgError('insufficient_privilege', `permission denied: "${relation.name}" is a system catalog`);
  const constrrelid = stmt.isconstraint && stmt.constrrel !== undefined ? rangeVarGetRelid(stmt.constrrel) : 0;
  if (parent === null) {
    for (const oid of [relation.oid, constrrelid]) {
      if (oid !== 0 && !aclcheckRelation(oid, session.currentUser, ACL.TRIGGER)) throw notOwnerOrDenied(relkindNoun(openRelation(oid).kind), openRelation(oid).name);
    }
  }
  if ((type & (TRUNCATE | ROW)) === (TRUNCATE | ROW)) throw unsupported('TRUNCATE FOR EACH ROW triggers are not supported');
  if ((type & INSTEAD) !== 0) {
    if ((type & ROW) === 0) throw unsupported('INSTEAD OF triggers must be FOR EACH ROW');
    if (stmt.whenClause !== undefined) throw unsupported('INSTEAD OF triggers cannot have WHEN conditions');
    if (stmt.columns !== undefined) throw unsupported('INSTEAD OF triggers cannot have column lists');
  }
  const { oldTable, newTable } = transitionTables(stmt, relation, type);
  const qual = parent !== null ? parent.qual : stmt.whenClause === undefined ? null : transformWhen(stmt.whenClause, relation, type, text);
  const foid = triggerFunction(stmt.funcname);
  const existing = triggersOf(relation.oid).find((t) => t.tgname === stmt.trigname);
  if (existing !== undefined) checkReplaceable(existing, stmt, relation, parent);
  const constraint = stmt.isconstraint ? constraintOf(stmt, relation, existing, constrrelid) : 0;
  const fields = {
    tgrelid: relation.oid, tgname: stmt.trigname, tgfoid: foid, tgtype: type, tgparentid: parent?.oid ?? 0, tgconstrrelid: constrrelid, tgconstraint: constraint,
    tgdeferrable: stmt.deferrable ?? false, tginitdeferred: stmt.initdeferred ?? false, tgnargs: stmt.args?.length ?? 0, tgattr: columnNumbers(stmt.columns ?? [], relation),
    tgargs: packArguments(stmt.args ?? []), tgqual: qual === null ? null : nodeToString(qual), tgoldtable: oldTable, tgnewtable: newTable,
  };
  const oid = existing?.oid ?? getNewOid(ids.TriggerRelationId);
  if (existing === undefined) catalogInsert(ids.TriggerRelationId, triggerRow({ ...fields, oid }));
  else {
    catalogUpdateByKey(ids.TriggerRelationId, ids.PgTriggerOidIndexId, [oid], fields);
    ddlHooks.created?.(ids.TriggerRelationId, { ...fields, oid, tgisinternal: false });
    deleteDependencyRecordsFor(objectAddress(ids.TriggerRelationId, oid), true);
  }
  noteTriggers(relation.oid);
  recordTriggerDependencies(oid, fields, relation, qual, parent);
  commandCounterIncrement();
  if (relation.kind === 'p' && (type & ROW) !== 0) cloneToPartitions(stmt, relation, text, { oid, qual });
  return oid;
}

// ---- checks

function checkKind(relation: Relation, stmt: CreateTrigStmt, type: number): void {
  const { name, kind } = relation;
  switch (kind) {
    case 'r':
      if (type & INSTEAD) throw wrongType(`"${name}" is a table`, 'Tables cannot have INSTEAD OF triggers.');
      return;
    case 'p':
      if (type & INSTEAD) throw wrongType(`"${name}" is a table`, 'Tables cannot have INSTEAD OF triggers.');
      if (stmt.row && stmt.transitionRels !== undefined) throw unsupportedWith(`"${name}" is a partitioned table`, 'ROW triggers with transition tables are not supported on partitioned tables.');
      return;
    case 'v':
      if ((type & INSTEAD) === 0 && (type & ROW) !== 0) throw wrongType(`"${name}" is a view`, 'Views cannot have row-level BEFORE or AFTER triggers.');
      if (type & TRUNCATE) throw wrongType(`"${name}" is a view`, 'Views cannot have TRUNCATE triggers.');
      return;
    case 'f':
      if (type & INSTEAD) throw wrongType(`"${name}" is a foreign table`, 'Foreign tables cannot have INSTEAD OF triggers.');
      if (stmt.isconstraint) throw wrongType(`"${name}" is a foreign table`, 'Foreign tables cannot have constraint triggers.');
      return;
    case 'i': case 'I': throw wrongType(`"${name}" is an index`);
    case 'c': throw wrongType(`"${name}" is a composite type`);
    default:
      throw wrongType(`relation "${name}" cannot have triggers`, errdetailRelkindNotSupported(kind));
  }
}
const unsupportedWith = (message: string, detail: string): PgError => new PgError('feature_not_supported', message, { detail });

/** REFERENCING (the checks of CreateTriggerFiringOn, in its order). */
function transitionTables(stmt: CreateTrigStmt, relation: Relation, type: number): { oldTable: string | null; newTable: string | null } {
  let oldTable: string | null = null, newTable: string | null = null;
  for (const tt of stmt.transitionRels ?? []) {
    if (!tt.isTable) throw new PgError('feature_not_supported', 'ROW variable naming in the REFERENCING clause is not supported', { hint: 'Use OLD TABLE or NEW TABLE for naming transition tables.' });
    if (relation.kind === 'f') throw wrongType(`"${relation.name}" is a foreign table`, 'Triggers on foreign tables cannot have transition tables.');
    if (relation.kind === 'v') throw wrongType(`"${relation.name}" is a view`, 'Triggers on views cannot have transition tables.');
    if (type & ROW) {
      if (relation.isPartition) throw unsupported('ROW triggers with transition tables are not supported on partitions');
      if (parentsOf(relation.oid).length > 0) throw unsupported('ROW triggers with transition tables are not supported on inheritance children');
    }
    if ((type & (BEFORE | INSTEAD)) !== 0) throw invalid('transition table name can only be specified for an AFTER trigger');
    if (type & TRUNCATE) throw unsupported('TRUNCATE triggers with transition tables are not supported');
    const events = [INSERT, DELETE, UPDATE].filter((e) => (type & e) !== 0).length;
    if (events !== 1) throw unsupported('transition tables cannot be specified for triggers with more than one event');
    if (stmt.columns !== undefined) throw unsupported('transition tables cannot be specified for triggers with column lists');
    if (tt.isNew) {
      if ((type & (INSERT | UPDATE)) === 0) throw invalid('NEW TABLE can only be specified for an INSERT or UPDATE trigger');
      if (newTable !== null) throw invalid('NEW TABLE cannot be specified multiple times');
      newTable = tt.name;
    } else {
      if ((type & (DELETE | UPDATE)) === 0) throw invalid('OLD TABLE can only be specified for a DELETE or UPDATE trigger');
      if (oldTable !== null) throw invalid('OLD TABLE cannot be specified multiple times');
      oldTable = tt.name;
    }
  }
  if (oldTable !== null && oldTable === newTable) throw invalid('OLD TABLE name and NEW TABLE name cannot be the same');
  return { oldTable, newTable };
}

function transformWhen(raw: RawNode, relation: Relation, type: number, text: string): Expr {
  const state = makeParseState(text);
  for (const name of ['old', 'new']) {
    addNamespaceItemToQuery(state, addRangeTableEntryForRelation(state, relation, ACCESS_SHARE_LOCK, makeAlias(name, []), false, false), false, true, true);
  }
  const qual = transformWhereClause(state, raw, 'trigger_when', 'WHEN')!;
  assignExprCollations(state, qual);
  checkWhenColumns(state, qual, relation, type);
  return qual;
}

function checkWhenColumns(state: ParseState, qual: Expr, relation: Relation, type: number): void {
  containsNode(qual, (v) => {
    if (v.kind !== 'Var') return false;
    const fail = (message: string, condition: 'invalid_object_definition' | 'feature_not_supported' = 'invalid_object_definition', detail?: string): PgError =>
      parserError(state, condition, message, v.location, { detail });
    if (v.varno === OLD_VARNO) {
      if ((type & ROW) === 0) throw fail('statement trigger\'s WHEN condition cannot reference column values');
      if (type & INSERT) throw fail('INSERT trigger\'s WHEN condition cannot reference OLD values');
      return false;
    }
    if ((type & ROW) === 0) throw fail('statement trigger\'s WHEN condition cannot reference column values');
    if (type & DELETE) throw fail('DELETE trigger\'s WHEN condition cannot reference NEW values');
    if (v.varattno < 0 && (type & BEFORE) !== 0) throw fail('BEFORE trigger\'s WHEN condition cannot reference NEW system columns', 'feature_not_supported');
    const generated = relation.attributes.filter((a) => a.attgenerated !== '' && !a.attisdropped);
    if ((type & BEFORE) !== 0 && v.varattno === 0 && generated.length > 0) {
      throw fail('BEFORE trigger\'s WHEN condition cannot reference NEW generated columns', 'invalid_object_definition', 'A whole-row reference is used and the table contains generated columns.');
    }
    if ((type & BEFORE) !== 0 && generated.some((a) => a.attnum === v.varattno)) {
      throw fail('BEFORE trigger\'s WHEN condition cannot reference NEW generated columns', 'invalid_object_definition', `Column "${relation.attributes[v.varattno - 1]!.attname}" is a generated column.`);
    }
    return false;
  }, true);
}

function triggerFunction(name: string[]): Oid {
  const foid = lookupFuncName(name, [], false);
  if (!aclcheckProc(foid, session.currentUser)) throw notOwnerOrDenied('function', nameListToString(name));
  if (procByOid(foid)!.prorettype !== TRIGGEROID) throw invalid(`function ${nameListToString(name)} must return type trigger`);
  return foid;
}

function checkReplaceable(existing: PgTrigger, stmt: CreateTrigStmt, relation: Relation, parent: Parent | null): void {
  const duplicate = (message: string): PgError => new PgError('duplicate_object', message);
  if (!stmt.replace) throw duplicate(`trigger "${stmt.trigname}" for relation "${relation.name}" already exists`);
  if (existing.tgisinternal || (existing.tgparentid !== 0 && parent === null)) {
    throw duplicate(`trigger "${stmt.trigname}" for relation "${relation.name}" is an internal or a child trigger`);
  }
  if (existing.tgconstraint !== 0 && !stmt.isconstraint) throw duplicate(`trigger "${stmt.trigname}" for relation "${relation.name}" is a constraint trigger`);
  if (existing.tgconstraint === 0 && stmt.isconstraint) throw duplicate(`trigger "${stmt.trigname}" for relation "${relation.name}" is not a constraint trigger`);
  if (existing.tgconstraint !== 0 && hasPendingEvents(relation.oid)) throw pendingEvents('CREATE OR REPLACE TRIGGER', relation);
}

/** Refuses to change a table that a running statement or an open cursor uses, or that has events waiting (CheckTableNotInUse). */
export function refuseInUse(command: string, relation: Relation): void {
  if (plansUse(activePlans, relation.oid) || cursorsUse(relation.oid)) {
    throw new PgError('object_in_use', `cannot ${command} "${relation.name}" because it is being used by active queries in this session`);
  }
  if (relation.hasTriggers && hasPendingEvents(relation.oid)) throw pendingEvents(command, relation);
}
function cursorsUse(relation: Oid): boolean {
  for (const p of allPortals()) {
    if (p.name !== '' && !p.held && p.status === 'ready' && plansUse(p.units.flatMap((u) => (u.plan === null ? [] : [u.plan.stmt])), relation)) return true;
  }
  return false;
}
dropHooks.refuseInUse = (oid, command) => {
  const relation = tryOpenRelation(oid);
  if (relation !== undefined) refuseInUse(command, relation);
};
const pendingEvents = (command: string, relation: Relation): PgError =>
  new PgError('object_in_use', `cannot ${command} "${relation.name}" because it has pending trigger events`);

function columnNumbers(names: readonly string[], relation: Relation): number[] {
  const numbers: number[] = [];
  for (const name of names) {
    const column = relation.attributes.find((a) => a.attname === name && !a.attisdropped);
    if (column === undefined) throw new PgError('undefined_column', `column "${name}" of relation "${relation.name}" does not exist`);
    if (numbers.includes(column.attnum)) throw new PgError('duplicate_column', `column "${name}" specified more than once`);
    numbers.push(column.attnum);
  }
  return numbers;
}

// ---- storing

/** The pg_constraint row of a constraint trigger. */
function constraintOf(stmt: CreateTrigStmt, relation: Relation, existing: PgTrigger | undefined, constrrelid: Oid): Oid {
  void constrrelid;
  if (existing !== undefined && existing.tgconstraint !== 0) return existing.tgconstraint;
  return createConstraintEntry({
    conname: stmt.trigname, connamespace: relation.namespace, contype: 't', condeferrable: stmt.deferrable ?? false, condeferred: stmt.initdeferred ?? false,
    conrelid: relation.oid, connoinherit: true,
  });
}

export function recordTriggerDependencies(oid: Oid, fields: { tgfoid: Oid; tgconstraint: Oid; tgconstrrelid: Oid; tgattr: readonly number[] }, relation: Relation, qual: Expr | null, parent: Parent | null): void {
  const self = objectAddress(ids.TriggerRelationId, oid);
  recordDependencyOn(self, objectAddress(ids.ProcedureRelationId, fields.tgfoid), 'n');
  recordDependencyOn(self, objectAddress(ids.RelationRelationId, relation.oid), 'a');
  if (fields.tgconstrrelid !== 0) recordDependencyOn(self, objectAddress(ids.RelationRelationId, fields.tgconstrrelid), 'a');
  // The constraint is what goes with the trigger here, not the other way round.
  if (fields.tgconstraint !== 0) recordDependencyOn(objectAddress(ids.ConstraintRelationId, fields.tgconstraint), self, 'i');
  if (parent !== null) {
    recordDependencyOn(self, objectAddress(ids.TriggerRelationId, parent.oid), 'P');
    recordDependencyOn(self, objectAddress(ids.RelationRelationId, relation.oid), 'S');
  }
  for (const attnum of fields.tgattr) recordDependencyOn(self, objectAddress(ids.RelationRelationId, relation.oid, attnum), 'n');
  if (qual !== null) {
    const entry = { rtekind: 'relation', relid: relation.oid, relkind: relation.kind } as unknown as RangeTblEntry;
    recordDependencyOnExpr(self, qual, [entry, entry], 'n');
  }
}

function cloneToPartitions(stmt: CreateTrigStmt, relation: Relation, text: string, parent: Parent): void {
  for (const { inhrelid } of childrenOf(relation.oid)) {
    const child = openRelation(inhrelid);
    createTrigger(stmt, child, text, { oid: parent.oid, qual: parent.qual === null ? null : mapToChild([parent.qual], relation, child)[0]! });
  }
}

// ---- ALTER TABLE ... ENABLE, DISABLE TRIGGER

/** `name` null: all triggers; `userOnly`: those of constraints left alone. */
export function enableDisableTrigger(relation: Relation, name: string | null, enabled: 'O' | 'A' | 'R' | 'D', userOnly: boolean, recurse: boolean): void {
  let found = false, changed = false;
  for (const t of triggersOf(relation.oid)) {
    if (name !== null && t.tgname !== name) continue;
    if (t.tgisinternal) {
      if (userOnly) continue;
      if (!session.isSuperuser) throw new PgError('insufficient_privilege', `permission denied: "${t.tgname}" is a system trigger`);
    }
    found = true;
    if (t.tgenabled !== enabled) {
      const [tuple] = catalogFind(ids.TriggerRelationId, ids.PgTriggerOidIndexId, [t.oid]);
      catalogUpdate(ids.TriggerRelationId, tuple!, { tgenabled: enabled });
      changed = true;
    }
    if (recurse && relation.kind === 'p' && (t.tgtype & ROW) !== 0) {
      for (const { inhrelid } of childrenOf(relation.oid)) {
        const clone = triggersOf(inhrelid).find((c) => c.tgparentid === t.oid);
        if (clone !== undefined) enableDisableTrigger(openRelation(inhrelid), clone.tgname, enabled, userOnly, recurse);
      }
    }
  }
  if (name !== null && !found) throw new PgError('undefined_object', `trigger "${name}" for table "${relation.name}" does not exist`);
  if (changed) noteTriggers(relation.oid);
}

// ---- SET CONSTRAINTS

function setConstraintsStmt(stmt: RawNode, context: UtilityContext): void {
  if (!inTransactionBlock(context.topLevel)) {
    sendWarning('no_active_sql_transaction', 'SET CONSTRAINTS can only be used in transaction blocks');
  }
  const names = stmt['constraints'] as (RawNode & RangeVarName & { catalogname?: string })[] | undefined;
  const deferred = Boolean(stmt['deferred']);
  setConstraints(names === undefined ? null : names.flatMap(constraintsNamed), deferred);
}

/** The deferrable constraints a name means: all of that name in the first schema that has one. */
function constraintsNamed(rv: RangeVarName & { catalogname?: string }): Oid[] {
  if (rv.catalogname !== undefined && rv.catalogname !== session.databaseName) {
    throw unsupported(`cross-database references are not implemented: "${rv.catalogname}.${rv.schemaname}.${rv.relname}"`);
  }
  const schemas = rv.schemaname ? [lookupExplicitNamespace(rv.schemaname)] : fetchSearchPath(true);
  for (const namespace of schemas) {
    const found = catalogFind(ids.ConstraintRelationId, ids.PgConstraintConnameNspIndexId, [rv.relname, namespace]).map((t) => t.row);
    if (found.length === 0) continue;
    if (found.some((c) => !c.condeferrable)) throw wrongType(`constraint "${rv.relname}" is not deferrable`);
    const oids = found.map((c) => c.oid);
    return [...oids, ...constraintsBelow(oids).map((c) => c.oid)];
  }
  throw new PgError('undefined_object', `constraint "${rv.relname}" does not exist`);
}

export const TRIGGER_COMMANDS: UtilityTable = {
  CreateTrigStmt: { run: createTriggerStmt },
  ConstraintsSetStmt: { run: setConstraintsStmt, readOnly: true },
};
