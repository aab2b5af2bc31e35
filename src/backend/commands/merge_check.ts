// A CHECK constraint that a table has already: by inheritance, or because a child had it before its parent
// (MergeWithExistingConstraint of PostgreSQL's heap.c).
import { PgError } from '../../common/errors.ts';
import { catalogFind, catalogUpdate } from '../catalog/indexing.ts';
import * as ids from '../catalog/oids.ts';
import { openRelation } from '../catalog/relcache.ts';
import { constraintsOf } from '../catalog/syscache.ts';
import { equal } from '../nodes/equalfuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import { ddlNotice, type CheckSpec } from '../parser/parse_utilcmd.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { cookCheck } from './constraints.ts';

/** True: the constraint was there and is now this one as well. `isLocal`: the table's own definition, not a parent's. */
export function mergeWithExistingCheck(relid: Oid, spec: CheckSpec, isLocal: boolean, allowMerge: boolean, text: string): boolean {
  if (spec.name === null) return false;
  const relation = openRelation(relid);
  const existing = constraintsOf(relid).find((c) => c.conname === spec.name);
  if (existing === undefined) return false;
  const expr = spec.expr ?? cookCheck(spec.raw!, relation, text);
  const same = existing.contype === 'c' && existing.conbin !== null && equal(stringToNode<Expr>(existing.conbin), expr);
  // A constraint that is only inherited may be defined again, so that parent and child can be given theirs in any order.
  const mayMerge = allowMerge || (isLocal && !existing.conislocal && !relation.isPartition);
  if (!same || !mayMerge) throw new PgError('duplicate_object', `constraint "${spec.name}" for relation "${relation.name}" already exists`);
  const conflict = (how: string): PgError => new PgError('invalid_object_definition', `constraint "${spec.name}" conflicts with ${how} constraint on relation "${relation.name}"`);
  if (existing.connoinherit) throw conflict('non-inherited');
  if (existing.coninhcount > 0 && spec.noInherit) throw conflict('inherited');
  if (!spec.skipValidation && !existing.convalidated) throw conflict('NOT VALID');
  ddlNotice(`merging constraint "${spec.name}" with inherited definition`);
  const [tuple] = catalogFind(ids.ConstraintRelationId, ids.PgConstraintOidIndexId, [existing.oid]);
  if (relation.isPartition) catalogUpdate(ids.ConstraintRelationId, tuple!, { conislocal: false, ...(isLocal ? {} : { coninhcount: 1 }) });
  else catalogUpdate(ids.ConstraintRelationId, tuple!, isLocal ? { conislocal: true } : { coninhcount: existing.coninhcount + 1 });
  commandCounterIncrement();
  return true;
}
