// Sequences: CREATE and ALTER, and the functions that use them (PostgreSQL's sequence.c). A sequence's numbers are handed
// out by the transaction manager, for they are not taken back by a rollback; one that this very transaction has made
// is known to nobody else, and counts here until it is committed.
import { PgError } from '../../common/errors.ts';
import { formRow, readColumn } from '../access/row.ts';
import { beginScan, insertRow, lockReads, updateRow } from '../access/table.ts';
import { aclcheckRelation, mustBeOwner, notOwnerOrDenied, objectOwnercheck, requireOwner, requirePrivilege } from '../catalog/aclchk.ts';
import { heapCreateWithCatalog } from '../catalog/heap.ts';
import { catalogFind, catalogInsert, catalogUpdate } from '../catalog/indexing.ts';
import { getRelName } from '../catalog/lsyscache.ts';
import { getNamespaceOid, isTempNamespace, rangeVarGetCreationNamespace, rangeVarGetRelid } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { chooseRelationName } from '../catalog/pg_constraint.ts';
import { deleteDependencyRecordsForClass, objectAddress, recordDependencyOn, sequenceOwner } from '../catalog/pg_depend.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { sequenceByOid } from '../catalog/syscache.ts';
import { setNewFilenode } from '../catalog/storage.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { ddlNotice, type SequenceSpec } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { UtilityContext, UtilityTable } from '../tcop/utility.ts';
import { client } from '../transaction/client.ts';
import { advanceSequence, liveSequence, type LiveSequence } from '../transaction/sequences.ts';
import { seenNewest } from '../transaction/snapshot.ts';
import { commandCounterIncrement, isOptimistic, isReadOnlyTransaction, registerCallback, requireLocks } from '../transaction/xact.ts';
import { int8, RecordValue, tupleDesc, type Int8, type Oid } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { session } from '../utils/session.ts';
import { errdetailRelkindNotSupported } from '../catalog/pg_class.ts';
import { lockRelation } from './object_names.ts';
import { sequenceOptions, type SequenceForm } from './sequence_options.ts';

/** Filenodes that this transaction has made, with their row's place: counted here, not by the manager. */
const ownFilenodes = new Map<number, { rowId: number }>();
const forgetOwn = (): void => { if (ownFilenodes.size > 0) ownFilenodes.clear(); };
registerCallback({ onCommit: forgetOwn, onAbort: forgetOwn });

// ---- making

function makeSequence(name: string, namespace: Oid, persistence: 'p' | 'u' | 't', form: SequenceForm, start: { lastValue: bigint; isCalled: boolean }, oid?: Oid): Oid {
  const column = (n: string, typeOid: Oid): { name: string; typeOid: Oid; typmod: number; collation: Oid; notNull: boolean } => ({ name: n, typeOid, typmod: -1, collation: 0, notNull: true });
  const { relation } = heapCreateWithCatalog({
    name, namespace, owner: session.currentUser, relkind: 'S', persistence, useUserAcl: true, ...(oid === undefined ? {} : { oid }),
    columns: [column('last_value', ids.INT8OID), column('log_cnt', ids.INT8OID), column('is_called', ids.BOOLOID)],
  });
  catalogInsert(ids.SequenceRelationId, {
    seqrelid: relation, seqtypid: form.typeOid, seqstart: int8(form.start), seqincrement: int8(form.increment), seqmax: int8(form.max), seqmin: int8(form.min),
    seqcache: int8(form.cache), seqcycle: form.cycle,
  });
  commandCounterIncrement();
  writeState(openRelation(relation), { lastValue: start.lastValue, logCount: 0, isCalled: start.isCalled });
  return relation;
}

/** Writes the only row of a storage number that this transaction has made. */
function writeState(sequence: Relation, state: LiveSequence): void {
  const row = formRow(sequence.layout, [int8(state.lastValue), state.logCount, state.isCalled]);
  const own = ownFilenodes.get(sequence.filenode);
  if (own === undefined) ownFilenodes.set(sequence.filenode, { rowId: insertRow(sequence, row) });
  else updateRow(sequence, own.rowId, row);
  commandCounterIncrement();
}

function requireOwningKind(table: Relation): void {
  if (!'rfvp'.includes(table.kind)) throw new PgError('wrong_object_type', `sequence cannot be owned by relation "${table.name}"`, { detail: errdetailRelkindNotSupported(table.kind) });
}

/** The sequence of a serial or identity column; owned by it. */
export function createOwnedSequence(table: Relation, spec: SequenceSpec, attnum: number, given?: Oid): { oid: Oid; name: string } {
  requireOwningKind(table);
  const namespace = spec.namespace === null ? table.namespace : getNamespaceOid(spec.namespace);
  const name = spec.name ?? chooseRelationName(table.name, spec.column, 'seq', namespace);
  const { form, restart } = sequenceOptions(spec.options, spec.forIdentity, null, spec.typeOid);
  const oid = makeSequence(name, namespace, table.persistence, form, restart!, given);
  recordDependencyOn(objectAddress(ids.RelationRelationId, oid), objectAddress(ids.RelationRelationId, table.oid, attnum), spec.forIdentity ? 'i' : 'a');
  return { oid, name };
}

function createSequence(stmt: RawNode, context: UtilityContext): void {
  const rv = stmt['sequence'] as RawNode & { relname: string; relpersistence: 'p' | 'u' | 't' };
  const namespace = rangeVarGetCreationNamespace(rv);
  requirePrivilege(ids.NamespaceRelationId, namespace, ACL.CREATE);
  if (stmt['if_not_exists'] && rangeVarGetRelid(rv, true) !== 0) {
    ddlNotice(`relation "${rv.relname}" already exists, skipping`, 'duplicate_table');
    return;
  }
  const { form, restart, ownedBy } = sequenceOptions((stmt['options'] ?? []) as RawNode[], false, null, undefined, context.text);
  const oid = makeSequence(rv.relname, namespace, isTempNamespace(namespace) ? 't' : rv.relpersistence, form, restart!);
  if (ownedBy !== null) setOwnedBy(openRelation(oid), ownedBy);
}

/** OWNED BY table.column or NONE (process_owned_by). */
function setOwnedBy(sequence: Relation, names: readonly string[]): void {
  const self = objectAddress(ids.RelationRelationId, sequence.oid);
  if (sequenceOwner(sequence.oid, 'i') !== undefined) {
    throw new PgError('feature_not_supported', 'cannot change ownership of identity sequence', { detail: `Sequence "${sequence.name}" is linked to table "${getRelName(sequenceOwner(sequence.oid, 'i')!.table)}".` });
  }
  if (names.length === 1) {
    if (names[0] !== 'none') throw new PgError('syntax_error', 'invalid OWNED BY option', { hint: 'Specify OWNED BY table.column or OWNED BY NONE.' });
    deleteDependencyRecordsForClass(self, ids.RelationRelationId, 'a');
    return;
  }
  const path = names.slice(0, -1);
  const table = openRelation(rangeVarGetRelid({ relname: path.at(-1)!, schemaname: path.at(-2) }));
  requireOwningKind(table);
  if (table.owner !== sequence.owner) throw new PgError('object_not_in_prerequisite_state', 'sequence must have same owner as table it is linked to');
  if (table.namespace !== sequence.namespace) throw new PgError('object_not_in_prerequisite_state', 'sequence must be in same schema as table it is linked to');
  const column = table.attributes.find((a) => a.attname === names.at(-1) && !a.attisdropped);
  if (column === undefined) throw new PgError('undefined_column', `column "${names.at(-1)}" of relation "${table.name}" does not exist`);
  deleteDependencyRecordsForClass(self, ids.RelationRelationId, 'a');
  recordDependencyOn(self, objectAddress(ids.RelationRelationId, table.oid, column.attnum), 'a');
}

// ---- ALTER SEQUENCE

function formOf(oid: Oid): SequenceForm {
  const row = sequenceByOid(oid);
  if (row === undefined) throw new PgError('internal_error', `cache lookup failed for sequence ${oid}`);
  return {
    typeOid: row.seqtypid, start: BigInt(row.seqstart), increment: BigInt(row.seqincrement), max: BigInt(row.seqmax), min: BigInt(row.seqmin),
    cache: BigInt(row.seqcache), cycle: row.seqcycle,
  };
}

/** The state as it is now: the manager's, or our own of a sequence made here. */
function currentState(sequence: Relation): LiveSequence {
  if (!ownFilenodes.has(sequence.filenode)) return liveSequence(client.sequenceState(sequence.filenode));
  const scan = beginScan(sequence);
  while (scan.next()) {
    for (let slot = 0; slot < scan.slotCount; slot++) {
      const at = scan.view.getUint16(8 + 2 * slot, true);
      if (at === 0) continue;
      const read = (n: number): any => readColumn(scan.bytes, scan.view, at, sequence.layout, n);
      return { lastValue: BigInt(read(1)), logCount: Number(read(2)), isCalled: read(3) };
    }
  }
  throw new PgError('internal_error', `sequence "${sequence.name}" has no row`);
}

export function alterSequenceOptions(oid: Oid, options: readonly RawNode[], forIdentity: boolean, text = ''): void {
  const sequence = openRelation(oid);
  const state = currentState(sequence);
  const { form, restart, ownedBy, changed } = sequenceOptions(options, forIdentity, { form: formOf(oid), lastValue: state.lastValue, isCalled: state.isCalled }, undefined, text);
  if (changed) {
    const [tuple] = catalogFind(ids.SequenceRelationId, ids.PgSequenceSeqrelidIndexId, [oid]);
    catalogUpdate(ids.SequenceRelationId, tuple!, {
      seqtypid: form.typeOid, seqstart: int8(form.start), seqincrement: int8(form.increment), seqmax: int8(form.max), seqmin: int8(form.min),
      seqcache: int8(form.cache), seqcycle: form.cycle,
    });
    client.forgetSequences();
    // A new storage number: a rollback brings the old state back.
    if (!ownFilenodes.has(sequence.filenode)) setNewFilenode(oid, true);
    commandCounterIncrement();
    writeState(openRelation(oid), restart === null ? { ...state, logCount: 0 } : { lastValue: restart.lastValue, logCount: 0, isCalled: restart.isCalled });
  }
  if (ownedBy !== null) setOwnedBy(sequence, ownedBy);
}

function alterSequence(stmt: RawNode, { text }: UtilityContext): void {
  const oid = rangeVarGetRelid(stmt['sequence'], Boolean(stmt['missing_ok']));
  if (oid === 0) {
    ddlNotice(`relation "${stmt['sequence'].relname}" does not exist, skipping`, 'undefined_table');
    return;
  }
  checkIsSequence(openRelation(oid));
  requireOwner(ids.RelationRelationId, oid);
  lockRelation(oid, SHARE_ROW_EXCLUSIVE_LOCK);
  alterSequenceOptions(oid, (stmt['options'] ?? []) as RawNode[], Boolean(stmt['for_identity']), text);
}

export function requireSequenceOwner(oid: Oid): void {
  if (!objectOwnercheck(ids.RelationRelationId, oid, session.currentUser)) throw mustBeOwner('sequence', getRelName(oid) ?? '');
}

/** TRUNCATE ... RESTART IDENTITY. */
export function resetSequence(oid: Oid): void {
  lockRelation(oid, ACCESS_EXCLUSIVE_LOCK);
  setNewFilenode(oid, true);
  commandCounterIncrement();
  writeState(openRelation(oid), { lastValue: formOf(oid).start, logCount: 0, isCalled: false });
}

/** A sequence's definition as options, for LIKE ... INCLUDING IDENTITY (sequence_options). */
export function sequenceAsOptions(oid: Oid): RawNode[] {
  const form = formOf(oid);
  const option = (defname: string, arg: unknown): RawNode => ({ tag: 'DefElem', defname, arg });
  const number = (v: bigint): RawNode => ({ tag: 'Float', fval: v.toString() });
  return [
    option('cache', number(form.cache)), option('cycle', { tag: 'Boolean', boolval: form.cycle }), option('increment', number(form.increment)),
    option('maxvalue', number(form.max)), option('minvalue', number(form.min)), option('start', number(form.start)),
  ];
}

// ---- functions

function checkIsSequence(relation: Relation): void {
  if (relation.kind !== 'S') throw new PgError('wrong_object_type', `"${relation.name}" is not a sequence`);
}

interface OpenSequence { readonly sequence: Relation; readonly form: SequenceForm }

/** Sequences that somebody has altered since the snapshot of the running plan: as they are now. */
const altered = new Map<Oid, OpenSequence>();
const forgetAltered = (): void => { if (altered.size > 0) altered.clear(); };
registerCallback({ onCommit: forgetAltered, onAbort: forgetAltered, onSubAbort: forgetAltered, onCatalogChange: forgetAltered });

/** Opens a sequence that is to be used, which ALTER and DROP SEQUENCE wait for until the end of the transaction. An optimistic try has
 * no locks: it makes way for whoever has one. */
function openSequence(oid: Oid, privileges: number): OpenSequence {
  const look = (): OpenSequence => {
    const sequence = openRelation(oid);
    checkIsSequence(sequence);
    if (privileges !== 0 && !hasAny(oid, privileges)) throw notOwnerOrDenied('sequence', sequence.name);
    return { sequence, form: formOf(oid) };
  };
  const known = altered.get(oid);
  if (known !== undefined) return known;
  const found = look();
  if (ownFilenodes.has(found.sequence.filenode)) return found;
  if (isOptimistic()) {
    if (client.isTableLocked(oid)) requireLocks();
    return found;
  }
  if (lockReads([{ oid, mode: ROW_EXCLUSIVE_LOCK }]) === 'at once') return found;
  const now = seenNewest(false, look);
  if (now.sequence.filenode !== found.sequence.filenode) altered.set(oid, now);
  return now;
}
const ROW_EXCLUSIVE_LOCK = 3, SHARE_ROW_EXCLUSIVE_LOCK = 6, ACCESS_EXCLUSIVE_LOCK = 8;

function refuseIfReadOnly(sequence: Relation, what: string): void {
  if (isReadOnlyTransaction() && sequence.persistence !== 't') throw new PgError('read_only_sql_transaction', `cannot execute ${what} in a read-only transaction`);
}

const hasAny = (oid: Oid, privileges: number): boolean => [ACL.USAGE, ACL.UPDATE, ACL.SELECT].some((p) => (privileges & p) !== 0 && aclcheckRelation(oid, session.currentUser, p));

/** currval() of this session, and which sequence lastval() means. */
const lastValues = new Map<Oid, Int8>();
let lastUsed: Oid = 0;

/** The next number. Identity columns ask for no privilege. */
function nextval(oid: Oid, checkPermission = true): Int8 {
  const { sequence, form } = openSequence(oid, checkPermission ? ACL.USAGE | ACL.UPDATE : 0);
  refuseIfReadOnly(sequence, 'nextval()');
  const parameters = { filenode: sequence.filenode, increment: int8(form.increment), min: int8(form.min), max: int8(form.max), cache: Number(form.cache), cycle: form.cycle };
  let value: Int8;
  if (ownFilenodes.has(sequence.filenode)) {
    const state = currentState(sequence);
    const advance = advanceSequence(state, parameters, 1);
    if (advance.kind === 'exhausted') {
      throw new PgError('sequence_generator_limit_exceeded', `nextval: reached ${advance.ascending ? 'maximum' : 'minimum'} value of sequence "${sequence.name}" (${advance.limit})`);
    }
    writeState(sequence, state);
    value = int8(advance.first);
  } else {
    value = client.nextval({ ...parameters, name: sequence.name });
  }
  lastValues.set(oid, value);
  lastUsed = oid;
  return value;
}

function currval(oid: Oid): Int8 {
  const { sequence } = openSequence(oid, ACL.SELECT | ACL.USAGE);
  const value = lastValues.get(oid);
  if (value === undefined) throw new PgError('object_not_in_prerequisite_state', `currval of sequence "${sequence.name}" is not yet defined in this session`);
  return value;
}

function lastval(): Int8 {
  if (lastUsed === 0 || getRelName(lastUsed) === undefined) throw new PgError('object_not_in_prerequisite_state', 'lastval is not yet defined in this session');
  if (!hasAny(lastUsed, ACL.SELECT | ACL.USAGE)) throw notOwnerOrDenied('sequence', getRelName(lastUsed)!);
  return lastValues.get(lastUsed)!;
}

function setval(oid: Oid, value: Int8, isCalled: boolean): Int8 {
  requireLocks(); // not to be done twice
  const { sequence, form } = openSequence(oid, ACL.UPDATE);
  refuseIfReadOnly(sequence, 'setval()');
  if (BigInt(value) < form.min || BigInt(value) > form.max) {
    throw new PgError('numeric_value_out_of_range', `setval: value ${value} is out of bounds for sequence "${sequence.name}" (${form.min}..${form.max})`);
  }
  if (isCalled) lastValues.set(oid, value);
  if (ownFilenodes.has(sequence.filenode)) writeState(sequence, { lastValue: BigInt(value), logCount: 0, isCalled });
  else {
    client.forgetSequences();
    client.setval(sequence.filenode, value, isCalled);
  }
  return value;
}

/** Forgets currval() and lastval() (DISCARD SEQUENCES). */
export function discardSequences(): void {
  lastValues.clear();
  lastUsed = 0;
}

const PARAMETERS = tupleDesc([['start_value', ids.INT8OID], ['minimum_value', ids.INT8OID], ['maximum_value', ids.INT8OID], ['increment', ids.INT8OID], ['cycle_option', ids.BOOLOID], ['cache_size', ids.INT8OID], ['data_type', ids.OIDOID]]);

registerBuiltins({
  pure: {
    nextval_oid: (oid: Oid) => nextval(oid),
    nextval_identity: (oid: Oid) => nextval(oid, false), // NextValueExpr
    currval_oid: currval,
    lastval,
    setval_oid: (oid: Oid, value: Int8) => setval(oid, value, true),
    setval3_oid: setval,
    pg_sequence_parameters: (oid: Oid) => {
      if (getRelName(oid) === undefined) throw new PgError('undefined_table', `relation with OID ${oid} does not exist`);
      const sequence = openRelation(oid);
      if (!hasAny(oid, ACL.UPDATE | ACL.SELECT | ACL.USAGE)) throw new PgError('insufficient_privilege', `permission denied for sequence ${sequence.name}`);
      const f = formOf(oid);
      return new RecordValue(ids.RECORDOID, PARAMETERS, [int8(f.start), int8(f.min), int8(f.max), int8(f.increment), f.cycle, int8(f.cache), f.typeOid]);
    },
    pg_sequence_last_value: (oid: Oid) => {
      const { sequence } = openSequence(oid, 0);
      const state = currentState(sequence);
      return state.isCalled ? int8(state.lastValue) : null;
    },
  },
});

export const SEQUENCE_COMMANDS: UtilityTable = {
  CreateSeqStmt: { run: createSequence },
  AlterSeqStmt: { run: alterSequence },
};
