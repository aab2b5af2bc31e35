// COMMENT ON (PostgreSQL's comment.c).
import { PgError } from '../../common/errors.ts';
import { createComments, createSharedComments } from '../catalog/pg_description.ts';
import * as ids from '../catalog/oids.ts';
import { getDatabaseOid } from '../catalog/objectaddress.ts';
import * as sys from '../catalog/syscache.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { UtilityTable } from '../tcop/utility.ts';
import { session } from '../utils/session.ts';
import { errdetailRelkindNotSupported } from '../catalog/pg_class.ts';
import { lockRelation, requireObjectOwnership, resolveObject, type RawObject } from './object_names.ts';

const SHARED = new Set<number>([ids.DatabaseRelationId, ids.TableSpaceRelationId, ids.AuthIdRelationId]);

function comment(stmt: RawNode): void {
  const type = stmt['objtype'] as string;
  const text = (stmt['comment'] as string | undefined) ?? null;
  // A dump restored into a database of another name shall not fail for that.
  if (type === 'OBJECT_DATABASE' && getDatabaseOid(stmt['object'] as string, true) === 0) {
    const warning = new PgError('undefined_database', `database "${stmt['object'] as string}" does not exist`);
    warning.severity = 'WARNING';
    return session.notice(warning);
  }
  const address = resolveObject(type, stmt['object'] as RawObject)!;
  requireObjectOwnership(address, type, stmt['object'] as RawObject);
  const { classId, objectId, objectSubId } = address;
  if (type === 'OBJECT_COLUMN') {
    const row = sys.classByOid(objectId)!;
    if (!'rvmcfp'.includes(row.relkind)) {
      throw new PgError('wrong_object_type', `cannot set comment on relation "${row.relname}"`, { detail: errdetailRelkindNotSupported(row.relkind) });
    }
  }
  if (classId === ids.RelationRelationId && objectId >= 16384) lockRelation(objectId, 4);
  if (SHARED.has(classId)) createSharedComments(objectId, classId, text);
  else createComments(objectId, classId, objectSubId, text);
}

/** SECURITY LABEL: there are no providers (seclabel.c). */
function securityLabel(stmt: RawNode): void {
  const provider = stmt['provider'] as string | undefined;
  throw new PgError('invalid_parameter_value', provider === undefined ? 'no security label providers have been loaded' : `security label provider "${provider}" is not loaded`);
}

export const COMMENT_COMMANDS: UtilityTable = {
  SecLabelStmt: { run: securityLabel },
  CommentStmt: { run: comment },
};
