// Whether row level security applies to a table and a user (PostgreSQL's rls.c).
import { PgError } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { settings } from '../utils/settings.ts';
import { objectOwnercheck } from './aclchk.ts';
import { superuserArg } from './acl.ts';
import { RelationRelationId } from './oids.ts';
import { authIdByOid, classByOid } from './syscache.ts';

const FirstNormalObjectId = 16384;

/** While foreign keys act on tables, FORCE ROW LEVEL SECURITY does not bind their owners. */
let ownersAreFree = 0;
export function withoutForcedRls<T>(run: () => T): T {
  ownersAreFree++;
  try {
    return run();
  } finally {
    ownersAreFree--;
  }
}

const hasBypassRls = (role: Oid): boolean => superuserArg(role) || authIdByOid(role)?.rolbypassrls === true;

/** Whether the user sees and changes only what policies let through. With row_security off that is an error, unless
 * one only asks (`noError`). */
export function rlsApplies(relation: Oid, asUser: Oid = 0, noError = false): boolean {
  if (relation < FirstNormalObjectId) return false;
  const row = classByOid(relation);
  if (row === undefined || !row.relrowsecurity) return false;
  const user = asUser === 0 ? session.currentUser : asUser;
  if (hasBypassRls(user)) return false;
  const owner = objectOwnercheck(RelationRelationId, relation, user);
  if (owner && (!row.relforcerowsecurity || ownersAreFree > 0)) return false;
  if (!settings.row_security && !noError) {
    throw new PgError('insufficient_privilege', `query would be affected by row-level security policy for table "${row.relname}"`, {
      hint: owner ? 'To disable the policy for the table\'s owner, use ALTER TABLE NO FORCE ROW LEVEL SECURITY.' : undefined,
    });
  }
  return true;
}
