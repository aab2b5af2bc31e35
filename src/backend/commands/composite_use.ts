// Where a composite type is stored: a type whose values lie in some table's rows cannot be changed under them
// (find_composite_type_dependencies of PostgreSQL's tablecmds.c).
import { PgError } from '../../common/errors.ts';
import * as ids from '../catalog/oids.ts';
import { dependentsOf, objectAddress } from '../catalog/pg_depend.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import * as sys from '../catalog/syscache.ts';
import type { Oid } from '../types/datum.ts';

/** Refuses when a column of some table has this relation's row type, also inside arrays, domains and other types. */
export function checkCompositeTypeUnused(relation: Relation): void {
  if (relation.rowType === 0) return;
  const what = relation.kind === 'c' ? 'type' : relation.kind === 'f' ? 'foreign table' : 'table';
  checkTypeUnused(relation.rowType, `${what} "${relation.name}"`, relation.kind === 'c' ? 'it' : 'its row type');
}

/** The same for any type; `noun` and `use` are words of the message. */
export function checkTypeUnused(type: Oid, noun: string, use: string): void {
  visit(type, { noun, use }, new Set());
}

function visit(type: Oid, origin: { noun: string; use: string }, seen: Set<Oid>): void {
  if (seen.has(type)) return;
  seen.add(type);
  for (const d of dependentsOf(objectAddress(ids.TypeRelationId, type))) {
    if (d.classid === ids.TypeRelationId) {
      visit(d.objid, origin, seen); // a domain, range or array over it
      continue;
    }
    if (d.classid !== ids.RelationRelationId || d.objsubid === 0) continue;
    const user = openRelation(d.objid);
    const column = user.attributes[d.objsubid - 1]!;
    if ('rmp'.includes(user.kind)) {
      throw new PgError('feature_not_supported', `cannot alter ${origin.noun} because column "${user.name}.${column.attname}" uses ${origin.use}`);
    }
    if (user.kind === 'c') visit(user.rowType, origin, seen); // a composite type with a column of it
  }
  const array = sys.typeByOid(type)?.typarray ?? 0;
  if (array !== 0) visit(array, origin, seen);
}
