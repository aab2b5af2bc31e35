// Deleting objects with all that depends on them (PostgreSQL's dependency.c). `performDeletion` first finds the whole
// set by pg_depend, so that it can be refused (RESTRICT) or told (CASCADE) before anything is done, then deletes
// dependents first.
import { lockTable } from '../access/table.ts';
import { PgError, internalError } from '../../common/errors.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import { session } from '../utils/session.ts';
import { isPinnedObject } from './catalog.ts';
import { ddlHooks } from './ddl_hooks.ts';
import { doDeletion } from './drop.ts';
import { getRelName } from './lsyscache.ts';
import { describeObject, getObjectDescription } from './objectaddress.ts';
import { myTempNamespaceOid, tempNamespaceHooks } from './namespace.ts';
import { lockObject } from './object_lock.ts';
import { ConstraintRelationId, NamespaceRelationId, PgTriggerOidIndexId, RelationRelationId, TriggerRelationId } from './oids.ts';
import { constraintByOid, lookup } from './syscache.ts';
import type { Oid } from '../types/datum.ts';
import { deleteComments, deleteInitPrivs } from './pg_description.ts';
import { addressKey, deleteDependencyRecordsFor, dependenciesOf, dependentsOf, objectAddress, sameAddress,
  type ObjectAddress } from './pg_depend.ts';
import { deleteSharedDependencyRecordsFor } from './pg_shdepend.ts';

const AccessExclusiveLock = 8;
export type DropBehavior = 'restrict' | 'cascade';

/** Why an object is deleted: bits. */
const ORIGINAL = 1, NORMAL = 2, AUTO = 4, INTERNAL = 8, PARTITION = 16, EXTENSION = 32, REVERSE = 64, IS_PART = 128, SUBOBJECT = 256;
const FLAGS_BY_TYPE: Readonly<Record<string, number>> = { n: NORMAL, a: AUTO, x: AUTO, i: INTERNAL, P: PARTITION, S: PARTITION, e: EXTENSION };

interface Target { readonly object: ObjectAddress; flags: number; readonly dependee: ObjectAddress | null }
interface Frame { readonly object: ObjectAddress; flags: number; readonly below: Frame | null }

/** The objects to delete, dependents before what they depend on. */
class Targets {
  readonly list: Target[] = [];
  /** By class and object, to find columns and tables of each other. */
  readonly #byObject = new Map<string, Target[]>();

  add(target: Target): void {
    this.list.push(target);
    const key = `${target.object.classId}.${target.object.objectId}`;
    const same = this.#byObject.get(key);
    if (same) same.push(target); else this.#byObject.set(key, [target]);
  }

  /** Whether the object, or the whole table a column belongs to, is among them; its flags are added. */
  addFlags(object: ObjectAddress, flags: number): boolean {
    let found = false;
    for (const t of this.#byObject.get(`${object.classId}.${object.objectId}`) ?? []) {
      if (t.object.objectSubId === object.objectSubId) { t.flags |= flags; found = true; }
      else if (t.object.objectSubId === 0) found = true;
      else if (object.objectSubId === 0 && flags !== 0) t.flags |= flags | SUBOBJECT; // the table goes too: not the column alone
    }
    return found;
  }
}

function stackAddFlags(object: ObjectAddress, flags: number, stack: Frame | null): boolean {
  let found = false;
  for (let f = stack; f !== null; f = f.below) {
    if (f.object.classId !== object.classId || f.object.objectId !== object.objectId) continue;
    if (f.object.objectSubId === object.objectSubId) { f.flags |= flags; found = true; }
    else if (f.object.objectSubId === 0) found = true;
    else if (object.objectSubId === 0 && flags !== 0) f.flags |= flags | SUBOBJECT;
  }
  return found;
}

const isSelf = (a: ObjectAddress, b: ObjectAddress): boolean =>
  a.classId === b.classId && a.objectId === b.objectId && a.objectSubId === 0;

/** Adds to `targets` the object and all that must go with it. `pending`: others that are to be deleted anyway. */
function findDependentObjects(object: ObjectAddress, flags: number, stack: Frame | null, targets: Targets, pending: readonly ObjectAddress[]): void {
  if (stackAddFlags(object, flags, stack) || targets.addFlags(object, flags)) return;
  if (isPinnedObject(object.classId, object.objectId)) {
    throw new PgError('dependent_objects_still_exist',
      `cannot drop ${getObjectDescription(object)} because it is required by the database system`);
  }
  let owner: ObjectAddress | null = null;
  let partitionOwner: ObjectAddress | null = null;
  for (const d of dependenciesOf(object)) {
    const other = objectAddress(d.refclassid, d.refobjid, d.refobjsubid);
    if (isSelf(object, other)) continue;
    switch (d.deptype) {
      case 'i': case 'e':
        if (stack === null) {
          if (pending.some((p) => sameAddress(p, other) || (p.objectSubId === 0 && isSelf(p, other)))) return;
          if (owner === null || d.deptype === 'e') owner = other;
        } else if (!stackAddFlags(other, 0, stack)) {
          // Not the whole has been asked for, only this part of it: delete the whole.
          findDependentObjects(other, REVERSE, stack, targets, pending);
          if (!targets.addFlags(object, flags)) throw internalError(`deletion of owning object ${describeObject(other)} failed to delete ${describeObject(object)}`);
          return;
        }
        break;
      case 'P': partitionOwner = other; flags |= IS_PART; break;
      case 'S': partitionOwner ??= other; flags |= IS_PART; break;
    }
  }
  if (owner !== null) {
    const name = getObjectDescription(owner);
    throw new PgError('dependent_objects_still_exist', `cannot drop ${getObjectDescription(object)} because ${name} requires it`,
      { hint: `You can drop ${name} instead.` });
  }
  const dependents = new Map<string, { object: ObjectAddress; flags: number }>();
  for (const d of dependentsOf(object)) {
    const other = objectAddress(d.classid, d.objid, d.objsubid);
    if (isSelf(object, other)) continue;
    const key = addressKey(other);
    const known = dependents.get(key);
    if (known) known.flags |= FLAGS_BY_TYPE[d.deptype]!;
    else dependents.set(key, { object: other, flags: FLAGS_BY_TYPE[d.deptype]! });
  }
  const frame: Frame = { object, flags, below: stack };
  // Youngest first: so that the order, and the messages, are the same every time.
  const ordered = [...dependents.values()].sort((a, b) => b.object.objectId - a.object.objectId
    || a.object.classId - b.object.classId || a.object.objectSubId - b.object.objectSubId);
  for (const d of ordered) if (lockForDeletion(d.object)) findDependentObjects(d.object, d.flags, frame, targets, pending);
  targets.add({ object, flags: frame.flags, dependee: stack ? stack.object : partitionOwner });
}

/** Locks a relation that goes along, or loses something. False: while we waited, somebody else has dropped it (AcquireDeletionLock). */
function lockForDeletion({ classId, objectId }: ObjectAddress): boolean {
  const relation = classId === RelationRelationId ? objectId
    : classId === TriggerRelationId ? lookup(TriggerRelationId, PgTriggerOidIndexId, objectId)?.tgrelid
      : classId === ConstraintRelationId ? constraintByOid(objectId)?.conrelid : undefined;
  if (relation === undefined || relation === 0) return true;
  const name = getRelName(relation);
  if (name === undefined) return false;
  lockTable(relation, name, false, AccessExclusiveLock);
  return getRelName(relation) !== undefined;
}

const MAX_REPORTED_DEPS = 100;

/** Throws when something else depends on the originals and behavior is RESTRICT; a NOTICE for CASCADE. */
function reportDependentObjects(targets: Targets, behavior: DropBehavior, quietly: boolean, original: ObjectAddress | null): void {
  for (const t of targets.list) {
    if ((t.flags & IS_PART) !== 0 && (t.flags & PARTITION) === 0) {
      const name = t.dependee ? getObjectDescription(t.dependee) : '';
      throw new PgError('dependent_objects_still_exist', `cannot drop ${getObjectDescription(t.object)} because ${name} requires it`,
        { hint: `You can drop ${name} instead.` });
    }
  }
  const lines: string[] = [];
  let refused = false;
  let count = 0;
  for (let i = targets.list.length - 1; i >= 0; i--) {
    const t = targets.list[i]!;
    if ((t.flags & (ORIGINAL | SUBOBJECT)) !== 0 || (t.flags & (AUTO | INTERNAL | PARTITION | EXTENSION)) !== 0) continue;
    const description = describeObject(t.object);
    if (description === undefined) continue;
    count++;
    if (behavior === 'restrict') {
      refused = true;
      if (lines.length < MAX_REPORTED_DEPS) lines.push(`${description} depends on ${t.dependee ? describeObject(t.dependee) ?? '' : ''}`);
    } else if (lines.length < MAX_REPORTED_DEPS) {
      lines.push(`drop cascades to ${description}`);
    }
  }
  const more = count - lines.length;
  const detail = lines.join('\n') + (more > 0 ? `\nand ${more} other object${more === 1 ? '' : 's'} (see server log for list)` : '');
  if (refused) {
    throw new PgError('dependent_objects_still_exist', original
      ? `cannot drop ${getObjectDescription(original)} because other objects depend on it`
      : 'cannot drop desired object(s) because other objects depend on them',
      { detail, hint: 'Use DROP ... CASCADE to drop the dependent objects too.' });
  }
  if (count === 0 || quietly) return;
  const notice = count === 1 ? new PgError('successful_completion', lines[0]!)
    : new PgError('successful_completion', `drop cascades to ${count} other objects`, { detail });
  notice.severity = 'NOTICE';
  session.notice(notice);
}

export interface DeletionOptions {
  /** No NOTICE of what goes along. */
  quietly?: boolean;
  /** The objects themselves stay, only what depends on them goes (temporary schemas). */
  skipOriginal?: boolean;
}

/** Drops one object. */
export function performDeletion(object: ObjectAddress, behavior: DropBehavior, options: DeletionOptions = {}): void {
  const targets = new Targets();
  if (object.classId === NamespaceRelationId && !options.skipOriginal) lockObject(false, object.classId, object.objectId);
  findDependentObjects(object, ORIGINAL, null, targets, []);
  reportDependentObjects(targets, behavior, options.quietly ?? false, object);
  deleteObjects(targets, options);
}

/** Drops several objects at once: they may depend on each other. */
export function performMultipleDeletions(objects: readonly ObjectAddress[], behavior: DropBehavior, options: DeletionOptions = {}): void {
  if (objects.length === 0) return;
  const targets = new Targets();
  for (const { classId, objectId } of objects) if (classId === NamespaceRelationId) lockObject(false, classId, objectId);
  for (const object of objects) findDependentObjects(object, ORIGINAL, null, targets, objects);
  reportDependentObjects(targets, behavior, options.quietly ?? false, objects.length === 1 ? objects[0]! : null);
  deleteObjects(targets, options);
}

function deleteObjects(targets: Targets, options: DeletionOptions): void {
  if (ddlHooks.dropping !== null && !options.quietly) {
    for (const { object, flags } of targets.list) if (!options.skipOriginal || (flags & ORIGINAL) === 0) ddlHooks.dropping(object, (flags & ORIGINAL) !== 0, (flags & (NORMAL | REVERSE)) !== 0);
  }
  for (const { object, flags } of targets.list) {
    if (options.skipOriginal && (flags & ORIGINAL) !== 0) continue;
    doDeletion(object);
    deleteDependencyRecordsFor(object);
    deleteSharedDependencyRecordsFor(object.classId, object.objectId, object.objectSubId);
    deleteComments(object.objectId, object.classId, object.objectSubId);
    deleteInitPrivs(object);
    commandCounterIncrement();
  }
}

/** Everything in this session's temporary schema goes: at its end, and for DISCARD TEMP (RemoveTempRelations). */
export function removeTempRelations(namespace: Oid = myTempNamespaceOid()): void {
  if (namespace === 0) return;
  performDeletion(objectAddress(NamespaceRelationId, namespace), 'cascade', { quietly: true, skipOriginal: true });
}
tempNamespaceHooks.removeContents = removeTempRelations;
