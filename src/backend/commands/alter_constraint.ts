// Subcommands of ALTER TABLE on constraints: ADD, DROP, VALIDATE, ALTER (PostgreSQL's tablecmds.c).
import { usingIndexOnPartitioned } from './indexcmds.ts';
import { PgError } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import { performDeletion } from '../catalog/dependency.ts';
import { catalogUpdateByKey } from '../catalog/indexing.ts';
import * as ids from '../catalog/oids.ts';
import { objectAddress } from '../catalog/pg_depend.ts';
import { F_RI_FKEY_CHECK_INS, F_RI_FKEY_CHECK_UPD, RI_ACTION_FUNCTIONS, noteTriggers } from '../catalog/pg_trigger.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { Relation } from '../catalog/relation.ts';
import type { PgConstraint } from '../catalog/rows.ts';
import { constraintsBelow } from '../catalog/pg_constraint.ts';
import { childrenOf, constraintByOid, constraintsOf, relationOidByName, triggersOf } from '../catalog/syscache.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import { ddlNotice, makeTransformContext, transformTableConstraint, type CheckSpec, type ForeignKeySpec, type IndexSpec, refuseOnForeignTables } from '../parser/parse_utilcmd.ts';
import { makeParseState, withErrorPosition } from '../parser/parse_node.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { PASS, registerActions, type Altered, type Queue } from './altertable.ts';
import { behaviorOf, setNotNull } from './alter_common.ts';
import { addChecks, addForeignKey } from './constraints.ts';
import { checkAdoptable, defineIndex } from './indexcmds.ts';
import { requireObjectOwnership } from './object_names.ts';
import { addKeysOfPartitions } from './partition_keys.ts';
import { mergeWithExistingCheck } from './merge_check.ts';
import { allChildren } from './tablecmds.ts';
import { refuseInUse } from './trigger.ts';

// ---- ADD

/** Takes ADD CONSTRAINT apart and queues what comes out. `comment`, `old`: of a constraint that is made again. */
export function queueConstraint(queue: Queue, tab: Altered, raw: RawNode, recurse: boolean): void {
  const context = makeTransformContext(tab.current.name, queue.text, true);
  context.isPartitioned = tab.current.kind === 'p';
  transformTableConstraint(context, raw);
  const { checks, indexes, foreignKeys } = context.table;
  for (const check of checks) tab.add(PASS.ADD_OTHERCONSTR, () => addCheckConstraint(queue, tab, check, recurse, false));
  for (const index of indexes) queueIndex(queue, tab, index, recurse);
  for (const key of foreignKeys) queueForeignKey(tab, key, recurse);
}

/** CHECK for a table and its children, where one of the same name and expression is merged (ATAddCheckConstraint). Errors
 * of the expression have no place in the text: a later phase has made the definition its own. */
export function addCheckConstraint(queue: Queue, tab: Altered, spec: CheckSpec, recurse: boolean, recursing: boolean): void {
  const relation = tab.current;
  if (relation.kind === 'p' && spec.noInherit) throw new PgError('invalid_table_definition', `cannot add NO INHERIT constraint to partitioned table "${relation.name}"`);
  const inherited = recursing ? { inhcount: 1, islocal: false } : {};
  let name = spec.name;
  if (!mergeWithExistingCheck(tab.oid, { ...spec, ...inherited }, !recursing, recursing, '')) {
    const [added] = addChecks(tab.oid, [{ ...spec, ...inherited }], '', new Set());
    name = added!.name;
    if (!spec.skipValidation) tab.newChecks.push({ name: added!.name, expr: added!.expr });
  }
  if (spec.noInherit || !relation.hasSubclass) return;
  const children = childrenOf(tab.oid);
  if (children.length > 0 && !recurse) throw new PgError('invalid_table_definition', 'constraint must be added to child tables too');
  for (const { inhrelid } of children) {
    const child = openRelation(inhrelid);
    lockTable(inhrelid, child.name, false, 8);
    requireObjectOwnership(objectAddress(ids.RelationRelationId, inhrelid));
    addCheckConstraint(queue, queue.get(inhrelid), { ...spec, name, location: -1 }, recurse, true);
  }
}

/** An index or index constraint; a primary key's columns become NOT NULL first. */
export function queueIndex(queue: Queue, tab: Altered, spec: IndexSpec, recurse = true): void {
  const checkExisting = (): void => {
    if (spec.existingIndex === null) return;
    if (tab.current.kind === 'p') throw usingIndexOnPartitioned();
    withErrorPosition(makeParseState(queue.text), spec.location, () => checkAdoptable(tab.current, spec));
  };
  if (spec.primary) {
    tab.add(PASS.COL_ATTRS, () => {
      checkExisting();
      const relation = tab.current;
      const index = spec.existingIndex === null ? undefined : relation.indexes.find((i) => i.indexrelid === relationOidByName(spec.existingIndex!, relation.namespace));
      const names = index === undefined ? spec.keys.map((k) => k.name!) : index.keyAttributes.slice(0, index.keyCount).filter((n) => n > 0).map((n) => relation.attributes[n - 1]!.attname);
      for (const name of names) {
        if (!relation.attributes.some((a) => a.attname === name && !a.attisdropped)) {
          throw new PgError('undefined_column', `column "${name}" of relation "${relation.name}" does not exist`);
        }
        for (const oid of [tab.oid, ...(relation.hasSubclass ? allChildren(tab.oid) : [])]) {
          setNotNull(queue.get(oid), name);
          commandCounterIncrement();
        }
      }
    });
  }
  tab.add(spec.existingIndex !== null ? PASS.ADD_INDEXCONSTR : PASS.ADD_INDEX, () => {
    checkExisting();
    if (spec.primary && tab.current.indexes.some((i) => i.primary)) {
      throw new PgError('invalid_table_definition', `multiple primary keys for table "${tab.current.name}" are not allowed`);
    }
    if (spec.existingIndex !== null) renameAdopted(tab, spec);
    defineIndex(tab.current, spec, queue.text, !tab.rewrite, recurse);
  });
}

/** ADD CONSTRAINT name USING INDEX: the index takes the constraint's name. */
function renameAdopted(tab: Altered, spec: IndexSpec): void {
  if (spec.name === null || spec.name === spec.existingIndex) return;
  const oid = relationOidByName(spec.existingIndex!, tab.current.namespace);
  if (oid === 0) return;
  ddlNotice(`ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index "${spec.existingIndex}" to "${spec.name}"`);
  if (relationOidByName(spec.name, tab.current.namespace) !== 0) throw new PgError('duplicate_table', `relation "${spec.name}" already exists`);
  catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [oid], { relname: spec.name });
  commandCounterIncrement();
  spec.existingIndex = spec.name;
}

function refuseOnPartitioned(table: Relation, spec: ForeignKeySpec, recurse: boolean): void {
  const referenced = (spec.pktable as { relname?: string }).relname ?? '';
  if (!recurse) throw new PgError('wrong_object_type', `cannot use ONLY for foreign key on partitioned table "${table.name}" referencing relation "${referenced}"`);
  if (spec.skipValidation) {
    throw new PgError('wrong_object_type', `cannot add NOT VALID foreign key on partitioned table "${table.name}" referencing relation "${referenced}"`, {
      detail: 'This feature is not yet supported on partitioned tables.',
    });
  }
}

export function queueForeignKey(tab: Altered, spec: ForeignKeySpec, recurse = true): void {
  tab.add(PASS.ADD_OTHERCONSTR, () => {
    if (tab.current.kind === 'p') refuseOnPartitioned(tab.current, spec, recurse);
    const oid = addForeignKey(tab.oid, spec, new Set());
    addKeysOfPartitions(oid);
    if (!spec.skipValidation) tab.newForeignKeys.push(oid);
  });
}

// ---- VALIDATE, ALTER

function constraintNamed(tab: Altered, name: string): PgConstraint {
  const found = constraintsOf(tab.oid).find((c) => c.conname === name);
  if (found === undefined) throw new PgError('undefined_object', `constraint "${name}" of relation "${tab.current.name}" does not exist`);
  return found;
}

function updateConstraint(oid: Oid, changes: Partial<PgConstraint>): void {
  catalogUpdateByKey(ids.ConstraintRelationId, ids.PgConstraintOidIndexId, [oid], changes);
}

function validateConstraint(queue: Queue, tab: Altered, name: string, recurse: boolean, recursing: boolean): void {
  const constraint = constraintNamed(tab, name);
  if (constraint.contype !== 'f' && constraint.contype !== 'c') {
    throw new PgError('wrong_object_type', `constraint "${name}" of relation "${tab.current.name}" is not a foreign key or check constraint`);
  }
  if (constraint.convalidated) return;
  if (constraint.contype === 'f') tab.newForeignKeys.push(constraint.oid);
  else {
    const children = !recursing && !constraint.connoinherit && tab.current.hasSubclass ? allChildren(tab.oid) : [];
    for (const child of children) {
      if (!recurse) throw new PgError('invalid_table_definition', 'constraint must be validated on child tables too');
      validateConstraint(queue, queue.get(child), name, false, true);
    }
    tab.newChecks.push({ name, expr: stringToNode<Expr>(constraint.conbin!) });
  }
  updateConstraint(constraint.oid, { convalidated: true });
  commandCounterIncrement();
}

function alterConstraint(tab: Altered, def: RawNode): void {
  if (def['noinherit']) throw new PgError('feature_not_supported', 'FOREIGN KEY constraints cannot be marked NO INHERIT');
  const constraint = constraintNamed(tab, def['conname'] as string);
  if (constraint.contype !== 'f') {
    throw new PgError('wrong_object_type', `constraint "${constraint.conname}" of relation "${tab.current.name}" is not a foreign key constraint`);
  }
  const deferral = { deferrable: Boolean(def['deferrable']), deferred: Boolean(def['initdeferred']) };
  if (constraint.conparentid !== 0) throw derivedConstraint(tab, constraint);
  for (const c of [constraint, ...constraintsBelow([constraint.oid])]) setDeferral(c, deferral);
}

function derivedConstraint(tab: Altered, constraint: PgConstraint): PgError {
  const { conname } = constraint;
  let top = constraint;
  for (let above = constraintByOid(top.conparentid); above !== undefined; above = constraintByOid(top.conparentid)) top = above;
  return new PgError('internal_error', `cannot alter constraint "${conname}" on relation "${tab.current.name}"`, {
    detail: `Constraint "${conname}" is derived from constraint "${top.conname}" of relation "${openRelation(top.conrelid).name}".`,
    hint: 'You may alter the constraint it derives from, instead.',
  });
}

function setDeferral(constraint: PgConstraint, deferral: { deferrable: boolean; deferred: boolean }): void {
  updateConstraint(constraint.oid, { condeferrable: deferral.deferrable, condeferred: deferral.deferred });
  // Its triggers that can wait: those of NO ACTION and of the checks.
  for (const relation of new Set([constraint.conrelid, constraint.confrelid])) {
    for (const t of triggersOf(relation)) {
      if (t.tgconstraint !== constraint.oid || !DEFERRABLE_FUNCTIONS.includes(t.tgfoid)) continue;
      catalogUpdateByKey(ids.TriggerRelationId, ids.PgTriggerOidIndexId, [t.oid], { tgdeferrable: deferral.deferrable, tginitdeferred: deferral.deferred });
    }
    noteTriggers(relation);
  }
}
const DEFERRABLE_FUNCTIONS: readonly number[] = [F_RI_FKEY_CHECK_INS, F_RI_FKEY_CHECK_UPD, RI_ACTION_FUNCTIONS.a.del, RI_ACTION_FUNCTIONS.a.upd];

// ---- DROP

function dropConstraint(queue: Queue, tab: Altered, cmd: RawNode, recurse: boolean, recursing: boolean): void {
  const name = cmd['name'] as string;
  const relation = tab.current;
  const constraint = constraintsOf(tab.oid).find((c) => c.conname === name);
  if (constraint === undefined) {
    const message = `constraint "${name}" of relation "${relation.name}" does not exist`;
    if (!cmd['missing_ok']) throw new PgError('undefined_object', message);
    return ddlNotice(`${message}, skipping`);
  }
  if (constraint.coninhcount > 0 && !recursing) {
    throw new PgError('invalid_table_definition', `cannot drop inherited constraint "${name}" of relation "${relation.name}"`);
  }
  if (constraint.contype === 'f' && constraint.confrelid !== tab.oid) {
    const referenced = openRelation(constraint.confrelid);
    lockTable(referenced.oid, referenced.name, false, 8);
    refuseInUse('ALTER TABLE', referenced);
  }
  const children = constraint.contype === 'c' && !constraint.connoinherit && relation.hasSubclass ? childrenOf(tab.oid) : [];
  if (relation.kind === 'p' && !recurse && !recursing && children.length > 0) {
    throw new PgError('invalid_table_definition', 'cannot remove constraint from only the partitioned table when partitions exist', { hint: 'Do not specify the ONLY keyword.' });
  }
  performDeletion(objectAddress(ids.ConstraintRelationId, constraint.oid), behaviorOf(cmd));
  for (const { inhrelid } of children) {
    const child = openRelation(inhrelid);
    lockTable(inhrelid, child.name, false, 8);
    const inherited = constraintsOf(inhrelid).find((c) => c.conname === name);
    if (inherited === undefined) throw new PgError('undefined_object', `constraint "${name}" of relation "${child.name}" does not exist`);
    if (inherited.coninhcount <= 0) throw new PgError('internal_error', `relation ${inhrelid} has non-inherited constraint "${name}"`);
    if (recurse && inherited.coninhcount === 1 && !inherited.conislocal) dropConstraint(queue, queue.get(inhrelid), cmd, true, true);
    else updateConstraint(inherited.oid, { coninhcount: inherited.coninhcount - 1, ...(recurse ? {} : { conislocal: true }) });
    commandCounterIncrement();
  }
}

registerActions({
  AT_AddConstraint: {
    name: 'ADD CONSTRAINT', kinds: 'rpf', lock: (cmd) => ((cmd['def'] as RawNode)['contype'] === 'CONSTR_FOREIGN' ? 6 : 8), prepare: (queue, tab, cmd, recurse) => {
      if (tab.old.kind === 'f') refuseOnForeignTables(cmd['def'] as RawNode, queue.text);
      tab.add(PASS.ADD_CONSTR, () => queueConstraint(queue, tab, cmd['def'] as RawNode, recurse));
    },
  },
  AT_AlterConstraint: { name: 'ALTER CONSTRAINT', kinds: 'rp', prepare: (_queue, tab, cmd) => tab.add(PASS.MISC, () => alterConstraint(tab, cmd['def'] as RawNode)) },
  AT_ValidateConstraint: {
    name: 'VALIDATE CONSTRAINT', kinds: 'rpf', lock: 4,
    prepare: (queue, tab, cmd, recurse) => tab.add(PASS.MISC, () => validateConstraint(queue, tab, cmd['name'] as string, recurse, false)),
  },
  AT_DropConstraint: {
    name: 'DROP CONSTRAINT', kinds: 'rpf', prepare: (queue, tab, cmd, recurse) => tab.add(PASS.DROP, () => dropConstraint(queue, tab, cmd, recurse, false)),
  },
});
