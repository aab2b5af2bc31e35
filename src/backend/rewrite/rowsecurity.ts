// What policies add to a query (PostgreSQL's rowsecurity.c): conditions on the rows of a table that it sees (security
// quals), and on those it writes (check options). Permissive policies are joined by OR, restrictive ones each by AND; where
// there is no permissive one, nothing passes.
import { ACL_ID_PUBLIC, hasPrivsOfRole } from '../catalog/acl.ts';
import type { Policy, Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { rlsApplies } from '../catalog/rls.ts';
import { equal } from '../nodes/equalfuncs.ts';
import { makeBoolExpr, makeConst } from '../nodes/makefuncs.ts';
import { ACL, type Query, type RangeTblEntry, type WithCheckOption } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { changeVarNodes } from './rewrite_manip.ts';

const BOOLOID = 16;
const nothing = (): Expr => makeConst(BOOLOID, -1, 0, false);

export interface RowSecurity { securityQuals: Expr[]; withCheckOptions: WithCheckOption[]; hasSubLinks: boolean }

interface Policies { readonly permissive: readonly Policy[]; readonly restrictive: readonly Policy[] }

const COMMANDS = { select: 'r', insert: 'a', update: 'w', delete: 'd' } as const;

function policiesFor(relation: Relation, command: keyof typeof COMMANDS, user: Oid): Policies {
  const wanted = relation.policies.filter((p) => (p.command === '*' || p.command === COMMANDS[command])
    && p.roles.some((role) => role === ACL_ID_PUBLIC || hasPrivsOfRole(user, role)));
  // Those that let through stand the last by name first, as PostgreSQL keeps them.
  return { permissive: wanted.filter((p) => p.permissive).reverse(), restrictive: wanted.filter((p) => !p.permissive) };
}

/** What the policies of the entry's table add; null: nothing, row level security does not apply. */
export function rowSecurityOf(query: Query, rte: RangeTblEntry, rtindex: number): RowSecurity | null {
  if (rte.rtekind !== 'relation' || (rte.relkind !== 'r' && rte.relkind !== 'p')) return null;
  const relation = openRelation(rte.relid);
  if (!relation.rowSecurity || !rlsApplies(rte.relid, rte.checkAsUser)) return null;
  const user = rte.checkAsUser !== 0 ? rte.checkAsUser : session.currentUser;
  const result: RowSecurity = { securityQuals: [], withCheckOptions: [], hasSubLinks: false };
  const policies = (command: keyof typeof COMMANDS): Policies => policiesFor(relation, command, user);
  const see = (p: Policies): void => addSecurityQuals(result, rtindex, p);
  const check = (kind: WithCheckOption['kind'], p: Policies, forceUsing: boolean): void => addCheckOptions(result, relation, rtindex, kind, p, forceUsing);
  const command = rtindex === query.resultRelation ? query.commandType : 'select';
  const reads = (rte.requiredPerms & ACL.SELECT) !== 0;
  // Rows to be locked must be such as one may update.
  if (command === 'select' && (rte.requiredPerms & ACL.UPDATE) !== 0) see(policies('update'));
  if (command === 'select' || command === 'update' || command === 'delete') see(policies(command));
  if ((command === 'update' || command === 'delete' || command === 'merge') && reads) see(policies('select'));
  if (command === 'insert' || command === 'update') {
    check(command, policies(command), false);
    if (reads) check(command, policies('select'), true);
  }
  if (command === 'insert' && query.onConflict?.action === 'update') {
    const update = policies('update');
    check('conflict', update, true);
    if (reads) check('conflict', policies('select'), true);
    check('update', update, false);
    if (reads) check('update', policies('select'), true);
  }
  if (command === 'merge') {
    const update = policies('update');
    check('merge_update', update, true);
    check('update', update, false);
    if (reads) check('update', policies('select'), true);
    check('merge_delete', policies('delete'), true);
    check('insert', policies('insert'), false);
  }
  return result;
}

const either = (list: Expr[]): Expr => (list.length === 1 ? list[0]! : makeBoolExpr('or', list));

function addSecurityQuals(result: RowSecurity, rtindex: number, { permissive, restrictive }: Policies): void {
  const add = (qual: Expr): void => {
    const here = changeVarNodes(qual, 1, rtindex);
    if (!result.securityQuals.some((q) => equal(q, here))) result.securityQuals.push(here);
  };
  const passing = permissive.filter((p) => p.qual !== null);
  if (passing.length === 0) {
    result.securityQuals.push(nothing());
    return;
  }
  const limiting = restrictive.filter((p) => p.qual !== null);
  for (const p of limiting) add(p.qual!);
  add(either(passing.map((p) => p.qual!)));
  if ([...limiting, ...passing].some((p) => p.hasSubLinks)) result.hasSubLinks = true;
}

function addCheckOptions(result: RowSecurity, relation: Relation, rtindex: number, kind: WithCheckOption['kind'], { permissive, restrictive }: Policies, forceUsing: boolean): void {
  const qualOf = (p: Policy): Expr | null => (!forceUsing && p.withCheck !== null ? p.withCheck : p.qual);
  const add = (qual: Expr, polname: string | null): void => {
    const option: WithCheckOption = { kind, relname: relation.name, polname, qual: changeVarNodes(qual, 1, rtindex), cascaded: false };
    if (!result.withCheckOptions.some((o) => equal(o, option))) result.withCheckOptions.push(option);
  };
  const passing = permissive.filter((p) => qualOf(p) !== null);
  if (passing.length === 0) {
    result.withCheckOptions.push({ kind, relname: relation.name, polname: null, qual: nothing(), cascaded: false });
    return;
  }
  const limiting = restrictive.filter((p) => qualOf(p) !== null);
  add(either(passing.map((p) => qualOf(p)!)), null);
  for (const p of limiting) add(qualOf(p)!, p.name);
  if ([...limiting, ...passing].some((p) => p.hasSubLinks)) result.hasSubLinks = true;
}
