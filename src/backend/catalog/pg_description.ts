// COMMENT ON: pg_description and pg_shdescription; and the initial privileges that go with an object (pg_init_privs).
import type { Oid } from '../types/datum.ts';
import { catalogDelete, catalogDeleteByKey, catalogFind, catalogInsert, catalogUpdate } from './indexing.ts';
import * as ids from './oids.ts';
import type { ObjectAddress } from './pg_depend.ts';

/** Sets a comment; null or '' removes it (CreateComments). */
export function createComments(objoid: Oid, classoid: Oid, objsubid: number, comment: string | null): void {
  const [old] = catalogFind(ids.DescriptionRelationId, ids.PgDescriptionOCOIndexId, [objoid, classoid, objsubid]);
  if (!comment) {
    if (old) catalogDelete(ids.DescriptionRelationId, old);
  } else if (old) {
    catalogUpdate(ids.DescriptionRelationId, old, { description: comment });
  } else {
    catalogInsert(ids.DescriptionRelationId, { objoid, classoid, objsubid, description: comment });
  }
}

export function createSharedComments(objoid: Oid, classoid: Oid, comment: string | null): void {
  const [old] = catalogFind(ids.SharedDescriptionRelationId, ids.PgShdescriptionOCIndexId, [objoid, classoid]);
  if (!comment) {
    if (old) catalogDelete(ids.SharedDescriptionRelationId, old);
  } else if (old) {
    catalogUpdate(ids.SharedDescriptionRelationId, old, { description: comment });
  } else {
    catalogInsert(ids.SharedDescriptionRelationId, { objoid, classoid, description: comment });
  }
}

/** Removes the comments of an object (subId 0: and of its columns). */
export function deleteComments(objoid: Oid, classoid: Oid, subId: number): void {
  catalogDeleteByKey(ids.DescriptionRelationId, ids.PgDescriptionOCOIndexId, subId === 0 ? [objoid, classoid] : [objoid, classoid, subId]);
}
export function deleteSharedComments(objoid: Oid, classoid: Oid): void {
  catalogDeleteByKey(ids.SharedDescriptionRelationId, ids.PgShdescriptionOCIndexId, [objoid, classoid]);
}

export const getComment = (objoid: Oid, classoid: Oid, objsubid: number): string | null =>
  catalogFind(ids.DescriptionRelationId, ids.PgDescriptionOCOIndexId, [objoid, classoid, objsubid])[0]?.row.description ?? null;

export function deleteInitPrivs(object: ObjectAddress): void {
  catalogDeleteByKey(ids.InitPrivsRelationId, ids.PgInitPrivsOCOIndexId, object.objectSubId === 0
    ? [object.objectId, object.classId] : [object.objectId, object.classId, object.objectSubId]);
}
