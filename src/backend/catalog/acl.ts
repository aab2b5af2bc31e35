// Access control lists (PostgreSQL's acl.c): what an aclitem says, the default ACLs, merging grants and revokes, and
// which roles a role belongs to. An aclitem is kept as a string that names roles by OID, "grantee=privileges/grantor"
// with * after a privilege that may be granted on; grantee 0 is PUBLIC.
import { PgError } from '../../common/errors.ts';
import { ACL } from '../nodes/parsenodes.ts';
import type { Oid } from '../types/datum.ts';
import { refreshCatalogs, registerCatalogCache } from './inval.ts';
import { BOOTSTRAP_SUPERUSERID, ROLE_PG_DATABASE_OWNER } from './oids.ts';
import * as sys from './syscache.ts';
import { atEOXact, newNestLevel } from '../utils/guc.ts';
import { session, type Session } from '../utils/session.ts';

export const ACL_ID_PUBLIC = 0;
/** Privileges by bit, in the order of their letters (ACL_ALL_RIGHTS_STR). */
export const ACL_LETTERS = 'arwdDxtXUCTcsA';
export const PRIVILEGE_NAMES = ['INSERT', 'SELECT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'EXECUTE',
  'USAGE', 'CREATE', 'TEMPORARY', 'CONNECT', 'SET', 'ALTER SYSTEM'] as const;

export interface AclItem {
  readonly grantee: Oid;
  readonly grantor: Oid;
  readonly privs: number;
  /** The privileges held with grant option. */
  readonly goptions: number;
}

export function parseAclItem(item: string): AclItem {
  const m = /^(\d+)=([a-zA-Z*]*)\/(\d+)$/.exec(item);
  if (!m) throw new PgError('data_corrupted', `invalid ACL item "${item}"`);
  let privs = 0, goptions = 0, last = 0;
  for (const c of m[2]!) {
    if (c === '*') goptions |= last;
    else privs |= last = 1 << ACL_LETTERS.indexOf(c);
  }
  return { grantee: Number(m[1]), grantor: Number(m[3]), privs, goptions };
}

export function privilegeLetters(privs: number, goptions: number): string {
  let text = '';
  for (let i = 0; i < ACL_LETTERS.length; i++) {
    if (privs & (1 << i)) text += ACL_LETTERS[i]! + (goptions & (1 << i) ? '*' : '');
  }
  return text;
}
export const formatAclItem = (i: AclItem): string => `${i.grantee}=${privilegeLetters(i.privs, i.goptions)}/${i.grantor}`;
export const parseAcl = (acl: readonly string[]): AclItem[] => acl.map(parseAclItem);
/** As aclitemsort() has them. */
export const aclSorted = (acl: readonly AclItem[]): AclItem[] => [...acl].sort((a, b) => a.grantee - b.grantee || a.grantor - b.grantor || a.privs - b.privs);
export const formatAcl = (acl: readonly AclItem[]): string[] => acl.map(formatAclItem);

// ---------------------------------------------------------------- kinds of objects

/** The kinds that have ACLs, as acldefault() names them. */
export type AclKind = 'c' | 'r' | 's' | 'd' | 'f' | 'l' | 'L' | 'n' | 't' | 'F' | 'S' | 'T' | 'p';

/** All privileges of a kind (ACL_ALL_RIGHTS_*). */
export const ALL_RIGHTS: Readonly<Record<AclKind, number>> = {
  c: ACL.INSERT | ACL.SELECT | ACL.UPDATE | ACL.REFERENCES,
  r: ACL.INSERT | ACL.SELECT | ACL.UPDATE | ACL.DELETE | ACL.TRUNCATE | ACL.REFERENCES | ACL.TRIGGER,
  s: ACL.USAGE | ACL.SELECT | ACL.UPDATE,
  d: ACL.CREATE | ACL.CREATE_TEMP | ACL.CONNECT,
  f: ACL.EXECUTE, l: ACL.USAGE, L: ACL.SELECT | ACL.UPDATE, n: ACL.USAGE | ACL.CREATE, t: ACL.CREATE,
  F: ACL.USAGE, S: ACL.USAGE, T: ACL.USAGE, p: ACL.SET | ACL.ALTER_SYSTEM,
};
const PUBLIC_RIGHTS: Readonly<Record<AclKind, number>> = {
  c: 0, r: 0, s: 0, d: ACL.CREATE_TEMP | ACL.CONNECT, f: ACL.EXECUTE, l: ACL.USAGE, L: 0, n: 0, t: 0, F: 0, S: 0, T: ACL.USAGE, p: 0,
};

/** What a NULL ACL means (acldefault). */
export function aclDefault(kind: AclKind, owner: Oid): AclItem[] {
  const acl: AclItem[] = [];
  if (PUBLIC_RIGHTS[kind] !== 0) acl.push({ grantee: ACL_ID_PUBLIC, grantor: owner, privs: PUBLIC_RIGHTS[kind], goptions: 0 });
  if (kind !== 'c') acl.push({ grantee: owner, grantor: owner, privs: ALL_RIGHTS[kind], goptions: 0 });
  return acl;
}

// ---------------------------------------------------------------- roles

const memberships = new Map<Oid, { all: ReadonlySet<Oid>; inherited: ReadonlySet<Oid> }>();
registerCatalogCache(() => memberships.clear());

/** The roles a role belongs to, itself included; `inherited`: only those whose privileges it has without SET ROLE. */
function rolesOf(role: Oid): { all: ReadonlySet<Oid>; inherited: ReadonlySet<Oid> } {
  refreshCatalogs();
  let entry = memberships.get(role);
  if (!entry) memberships.set(role, (entry = { all: closure(role, false), inherited: closure(role, true) }));
  return entry;
}
function closure(role: Oid, inheritOnly: boolean): Set<Oid> {
  const set = new Set([role]);
  for (const member of set) { // a Set's iterator sees what is added on the way
    if (inheritOnly && sys.authIdByOid(member)?.rolinherit === false) continue;
    for (const m of sys.membershipsOf(member)) set.add(m.roleid);
    if (member !== ROLE_PG_DATABASE_OWNER && sys.databaseByOid(session.databaseOid)?.datdba === member) set.add(ROLE_PG_DATABASE_OWNER);
  }
  return set;
}

export function superuserArg(role: Oid): boolean {
  const row = sys.authIdByOid(role);
  // Role 0 is no role, PUBLIC at most; but a process without a session (yet) acts for the site.
  return row ? row.rolsuper : role === BOOTSTRAP_SUPERUSERID || (role === 0 && session.currentUser === 0);
}

/** Runs something with another role's rights, the superuser's or not: SECURITY DEFINER, checks of constraints. */
export function withUser<T>(role: Oid, run: () => T, context: Session['securityContext'] = 'definer'): T {
  const { currentUser, isSuperuser, securityContext } = session;
  session.currentUser = role;
  session.isSuperuser = superuserArg(role);
  if (securityContext !== 'restricted') session.securityContext = context;
  try {
    return run();
  } finally {
    session.currentUser = currentUser;
    session.isSuperuser = isSuperuser;
    session.securityContext = securityContext;
  }
}

/** Runs, with the rights of a relation's owner, what its definition says (expressions of indexes, queries of materialized views):
 * nothing that outlives it may be left behind, nor a setting changed (SECURITY_RESTRICTED_OPERATION). */
export function asOwner<T>(owner: Oid, run: () => T): T {
  const level = newNestLevel();
  try {
    return withUser(owner, run, 'restricted');
  } finally {
    atEOXact(false, level);
  }
}
/** Throws within asOwner. */
export function refuseRestricted(what: string): void {
  if (session.securityContext === 'restricted') throw new PgError('insufficient_privilege', `cannot ${what} within security-restricted operation`);
}
/** Whether `member` is in `role`, directly or not (superusers are in all). */
export const isMemberOfRole = (member: Oid, role: Oid): boolean =>
  member === role || superuserArg(member) || rolesOf(member).all.has(role);
export const isMemberOfRoleNosuper = (member: Oid, role: Oid): boolean => member === role || rolesOf(member).all.has(role);
/** Whether `member` has the privileges of `role` without SET ROLE. */
export const hasPrivsOfRole = (member: Oid, role: Oid): boolean =>
  member === role || superuserArg(member) || rolesOf(member).inherited.has(role);
/** Whether `member` may grant membership in `role`: not in itself. */
export function isAdminOfRole(member: Oid, role: Oid): boolean {
  if (superuserArg(member)) return true;
  if (member === role) return false;
  return [...rolesOf(member).all].some((r) => sys.membershipsOf(r).some((m) => m.roleid === role && m.admin_option));
}

// ---------------------------------------------------------------- what an ACL allows

/** Which of `mask`'s privileges a role has. `goptions`: with grant option. `any`: stop at the first (aclmask). */
export function aclMask(acl: readonly AclItem[], role: Oid, owner: Oid, mask: number, any: boolean, goptions = false): number {
  if (mask === 0) return 0;
  let result = 0;
  const ofItem = (i: AclItem): number => (goptions ? i.goptions : i.privs) & mask;
  if (goptions && hasPrivsOfRole(role, owner)) result = mask; // the owner always holds all grant options
  const done = (): boolean => (any ? result !== 0 : result === mask);
  if (done()) return result;
  for (const item of acl) {
    if (item.grantee === ACL_ID_PUBLIC && !goptions || item.grantee === role) {
      result |= ofItem(item);
      if (done()) return result;
    }
  }
  for (const item of acl) {
    if (item.grantee === ACL_ID_PUBLIC || item.grantee === role || (ofItem(item) & ~result) === 0) continue;
    if (hasPrivsOfRole(role, item.grantee)) {
      result |= ofItem(item);
      if (done()) return result;
    }
  }
  return result;
}

/** The same without the privileges that come through other roles or ownership (aclmask_direct). */
function aclMaskDirect(acl: readonly AclItem[], role: Oid, owner: Oid, mask: number): number {
  let result = role === owner ? mask : 0;
  for (const item of acl) if (item.grantee === role) result |= item.goptions & mask;
  return result;
}

/** As whom a grant by `role` is made, and which grant options that one has (select_best_grantor). */
export function selectBestGrantor(role: Oid, privileges: number, acl: readonly AclItem[], owner: Oid): { grantor: Oid; goptions: number } {
  if (role === owner || superuserArg(role) || hasPrivsOfRole(role, owner)) return { grantor: owner, goptions: privileges };
  let best = { grantor: role, goptions: 0 };
  for (const other of rolesOf(role).inherited) {
    const held = aclMaskDirect(acl, other, owner, privileges);
    if (held === privileges) return { grantor: other, goptions: held };
    if (bitCount(held) > bitCount(best.goptions)) best = { grantor: other, goptions: held };
  }
  return best;
}
const bitCount = (n: number): number => { let c = 0; for (; n !== 0; n &= n - 1) c++; return c; };

// ---------------------------------------------------------------- changing an ACL

export type AclChange = 'add' | 'remove';

/** Adds to, or takes from, what `change.grantor` has granted `change.grantee` (aclupdate). */
export function aclUpdate(acl: readonly AclItem[], change: AclItem, mode: AclChange, owner: Oid, cascade: boolean): AclItem[] {
  if (mode === 'add' && change.goptions !== 0) checkCircularity(acl, change, owner);
  let result = [...acl];
  let i = result.findIndex((r) => r.grantee === change.grantee && r.grantor === change.grantor);
  if (i < 0) {
    result.push({ grantee: change.grantee, grantor: change.grantor, privs: 0, goptions: 0 });
    i = result.length - 1;
  }
  const old = result[i]!;
  const updated = mode === 'add'
    ? { ...old, privs: old.privs | change.privs, goptions: old.goptions | change.goptions }
    : { ...old, privs: old.privs & ~change.privs, goptions: old.goptions & ~change.goptions };
  result[i] = updated;
  if (updated.privs === 0 && updated.goptions === 0) result.splice(i, 1);
  const lost = old.goptions & ~updated.goptions;
  if (lost !== 0) result = recursiveRevoke(result, change.grantee, lost, owner, cascade);
  return result;
}

/** Grant options that would come round to the one who grants are refused. */
function checkCircularity(acl: readonly AclItem[], change: AclItem, owner: Oid): void {
  if (change.grantor === owner) return;
  let left = [...acl];
  for (let again = true; again;) { // take away all that the grantee has granted, and see what the grantor still may
    again = false;
    for (const item of left) {
      if (item.grantee !== change.grantee || item.goptions === 0) continue;
      left = aclUpdate(left, { ...item, privs: item.goptions }, 'remove', owner, true);
      again = true;
      break;
    }
  }
  const own = aclMask(left, change.grantor, owner, change.goptions, false, true);
  if ((change.goptions & ~own) !== 0) {
    throw new PgError('invalid_grant_operation', 'grant options cannot be granted back to your own grantor');
  }
}

/** `grantee` has lost grant options: what it granted by them goes too (CASCADE) or stands in the way. */
function recursiveRevoke(acl: AclItem[], grantee: Oid, lost: number, owner: Oid, cascade: boolean): AclItem[] {
  if (grantee === owner) return acl;
  const gone = lost & ~aclMask(acl, grantee, owner, lost, false, true);
  if (gone === 0) return acl;
  for (;;) {
    const item = acl.find((i) => i.grantor === grantee && (i.privs & gone) !== 0);
    if (!item) return acl;
    if (!cascade) {
      throw new PgError('dependent_objects_still_exist', 'dependent privileges exist', { hint: 'Use CASCADE to revoke them too.' });
    }
    acl = aclUpdate(acl, { grantee: item.grantee, grantor: grantee, privs: gone, goptions: gone }, 'remove', owner, cascade);
  }
}

/** The ACL after the object changed hands (aclnewowner). */
export function aclNewOwner(acl: readonly AclItem[], oldOwner: Oid, newOwner: Oid): AclItem[] {
  const merged = new Map<string, AclItem>();
  for (const item of acl) {
    const grantee = item.grantee === oldOwner ? newOwner : item.grantee;
    const grantor = item.grantor === oldOwner ? newOwner : item.grantor;
    const key = `${grantee}/${grantor}`;
    const known = merged.get(key);
    merged.set(key, { grantee, grantor, privs: item.privs | (known?.privs ?? 0), goptions: item.goptions | (known?.goptions ?? 0) });
  }
  return [...merged.values()];
}

/** The roles an ACL mentions, PUBLIC left out (aclmembers). */
export function aclMembers(acl: readonly AclItem[]): Oid[] {
  const set = new Set(acl.flatMap((i) => [i.grantee, i.grantor]));
  set.delete(ACL_ID_PUBLIC);
  return [...set].sort((a, b) => a - b);
}
