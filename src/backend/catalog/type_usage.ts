// USAGE of types: asked for when columns, arguments, ... of a type are made. Apart from aclchk.ts, which is below the names of types.
import { ACL } from '../nodes/parsenodes.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { notOwnerOrDenied, objectAclcheck } from './aclchk.ts';
import { formatType } from './format_type.ts';
import * as ids from './oids.ts';
import { typeByOid } from './syscache.ts';

const ARRAY_SUBSCRIPT_HANDLER = 6179;

/** 42501 unless one may use this type (an array: its elements'). */
export function requireTypeUsage(type: Oid): void {
  if (objectAclcheck(ids.TypeRelationId, type, session.currentUser, ACL.USAGE)) return;
  const row = typeByOid(type);
  throw notOwnerOrDenied('type', formatType(row !== undefined && row.typelem !== 0 && row.typsubscript === ARRAY_SUBSCRIPT_HANDLER ? row.typelem : type));
}
