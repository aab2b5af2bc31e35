// Constraints (PostgreSQL's pg_constraint.c): the row, its dependencies, names that are free.
import { PgError } from '../../common/errors.ts';
import { nodeToString } from '../nodes/outfuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import { getNewOid } from './catalog.ts';
import { recordDependencyOnExpr, recordDependencyOnSingleRelExpr } from './expr_references.ts';
import { catalogFind, catalogInsert, catalogUpdate } from './indexing.ts';
import * as ids from './oids.ts';
import { constraintRow } from './pg_class.ts';
import { objectAddress, recordDependencyOn } from './pg_depend.ts';
import type { PgConstraint } from './rows.ts';
import * as sys from './syscache.ts';

/** Makes a constraint; its OID (CreateConstraintEntry). `expr` is the check, in terms of the table (Vars have varno 1)
 * or of the domain's value. `included`: columns that its index keeps beside the key. */
export function createConstraintEntry(fields: Pick<PgConstraint, 'conname' | 'connamespace' | 'contype'> & Partial<PgConstraint>, expr: Expr | null = null, included: readonly number[] = []): Oid {
  const oid = getNewOid(ids.ConstraintRelationId);
  const row = constraintRow({ ...fields, oid, conbin: expr ? nodeToString(expr) : null });
  catalogInsert(ids.ConstraintRelationId, row);
  const self = objectAddress(ids.ConstraintRelationId, oid);
  if (row.conrelid !== 0) {
    // The constraint goes with any of its columns; without columns, with the table.
    const columns = [...row.conkey ?? [], ...included];
    for (const attnum of columns) recordDependencyOn(self, objectAddress(ids.RelationRelationId, row.conrelid, attnum), 'a');
    if (columns.length === 0) recordDependencyOn(self, objectAddress(ids.RelationRelationId, row.conrelid), 'a');
  }
  if (row.contypid !== 0) recordDependencyOn(self, objectAddress(ids.TypeRelationId, row.contypid), 'a');
  if (row.confrelid !== 0) {
    const columns = row.confkey ?? [];
    for (const attnum of columns) recordDependencyOn(self, objectAddress(ids.RelationRelationId, row.confrelid, attnum), 'n');
    if (columns.length === 0) recordDependencyOn(self, objectAddress(ids.RelationRelationId, row.confrelid), 'n');
  }
  // A foreign key needs the index of the key it refers to; a unique constraint's index depends on the constraint.
  if (row.conindid !== 0 && row.contype === 'f') recordDependencyOn(self, objectAddress(ids.RelationRelationId, row.conindid), 'n');
  for (const operators of [row.conpfeqop, row.conppeqop, row.conffeqop]) {
    for (const op of new Set(operators)) recordDependencyOn(self, objectAddress(ids.OperatorRelationId, op), 'n');
  }
  if (expr && row.conrelid !== 0) recordDependencyOnSingleRelExpr(self, expr, row.conrelid, 'n', 'n');
  else if (expr) recordDependencyOnExpr(self, expr, [], 'n');
  return oid;
}

/** pg_class.relchecks goes up or down with CHECK constraints. */
export function changeCheckCount(table: Oid, by: number): void {
  const [tuple] = catalogFind(ids.RelationRelationId, ids.PgClassOidIndexId, [table]);
  if (tuple && by !== 0) catalogUpdate(ids.RelationRelationId, tuple, { relchecks: tuple.row.relchecks + by });
}

/** Constraints that come from these, those of partitions, at any depth; parents before children. */
export function constraintsBelow(oids: readonly Oid[]): PgConstraint[] {
  const found: PgConstraint[] = [];
  const visit = (oid: Oid): void => {
    for (const { row } of catalogFind(ids.ConstraintRelationId, ids.PgConstraintConparentidIndexId, [oid])) {
      found.push(row);
      visit(row.oid);
    }
  };
  oids.forEach(visit);
  return found;
}

// ---------------------------------------------------------------- names

const NAME_BYTES = 63;

/** "name1_name2_label", with the longer of the names cut so that it fits (makeObjectName). */
export function makeObjectName(name1: string, name2: string | null, label: string | null): string {
  let bytes1 = Buffer.byteLength(name1);
  let bytes2 = name2 === null ? 0 : Buffer.byteLength(name2);
  const available = NAME_BYTES - (label === null ? 0 : Buffer.byteLength(label) + 1) - (name2 === null ? 0 : 1);
  while (bytes1 + bytes2 > available) {
    if (bytes1 > bytes2) bytes1--;
    else bytes2--;
  }
  const parts = [clip(name1, bytes1)];
  if (name2 !== null) parts.push(clip(name2, bytes2));
  if (label !== null) parts.push(label);
  return parts.join('_');
}
/** At most so many bytes, between characters. */
function clip(name: string, lengthBytes: number): string {
  let bytes = 0;
  let end = 0;
  for (const c of name) {
    bytes += Buffer.byteLength(c);
    if (bytes > lengthBytes) break;
    end += c.length;
  }
  return name.slice(0, end);
}

/** Whether a table's (or domain's) constraint has this name. */
export function constraintNameIsUsed(kind: 'relation' | 'domain', oid: Oid, name: string): boolean {
  return (kind === 'relation' ? sys.constraintsOf(oid) : sys.constraintsOfDomain(oid)).some((c) => c.conname === name);
}

/** A free name for a constraint: "t_a_check", "t_a_check1", ... free among the schema's constraints and those of
 * `others` (ChooseConstraintName). */
export function chooseConstraintName(name1: string, name2: string | null, label: string, namespace: Oid, others: readonly string[] = []): string {
  for (let pass = 0; ; pass++) {
    const name = makeObjectName(name1, name2, pass === 0 ? label : `${label}${pass}`);
    if (!others.includes(name) && catalogFind(ids.ConstraintRelationId, ids.PgConstraintConnameNspIndexId, [name, namespace]).length === 0) return name;
  }
}

/** A free name for a relation: "t_a_seq", "t_a_idx", "t_pkey" (ChooseRelationName). Constraints count when it is for
 * an index of one. */
export function chooseRelationName(name1: string, name2: string | null, label: string, namespace: Oid, isConstraint = false, others: readonly string[] = []): string {
  for (let pass = 0; ; pass++) {
    const name = makeObjectName(name1, name2, pass === 0 ? label : `${label}${pass}`);
    if (others.includes(name) || sys.relationOidByName(name, namespace) !== 0) continue;
    if (isConstraint && catalogFind(ids.ConstraintRelationId, ids.PgConstraintConnameNspIndexId, [name, namespace]).length > 0) continue;
    return name;
  }
}

/** Renames a constraint (its index, if any, is renamed by the caller). */
export function renameConstraint(oid: Oid, name: string): void {
  const [tuple] = catalogFind(ids.ConstraintRelationId, ids.PgConstraintOidIndexId, [oid]);
  const row = tuple!.row;
  if (row.conrelid !== 0 && constraintNameIsUsed('relation', row.conrelid, name)) {
    throw new PgError('duplicate_object', `constraint "${name}" for relation "${sys.classByOid(row.conrelid)?.relname}" already exists`);
  }
  if (row.contypid !== 0 && constraintNameIsUsed('domain', row.contypid, name)) {
    throw new PgError('duplicate_object', `constraint "${name}" for domain ${sys.typeByOid(row.contypid)?.typname} already exists`);
  }
  catalogUpdate(ids.ConstraintRelationId, tuple!, { conname: name });
}
