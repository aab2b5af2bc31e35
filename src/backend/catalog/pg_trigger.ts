// Rows of pg_trigger, and triggers as those who fire them know them. Foreign keys and deferrable keys have triggers of
// their own there (tgisinternal): what can be switched off, deferred and ordered by name is one and the same for all.
import { stringToNode } from '../nodes/readfuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { getNewOid } from './catalog.ts';
import { catalogInsert, catalogUpdateByKey } from './indexing.ts';
import * as ids from './oids.ts';
import { objectAddress, recordDependencyOn } from './pg_depend.ts';
import type { Trigger } from './relation.ts';
import type { PgTrigger } from './rows.ts';

/** Bits of tgtype. Neither BEFORE nor INSTEAD: AFTER. No ROW: STATEMENT. */
export const TRIGGER_TYPE = { ROW: 1, BEFORE: 2, INSERT: 4, DELETE: 8, UPDATE: 16, TRUNCATE: 32, INSTEAD: 64 } as const;

/** The functions of the triggers that constraints have. */
export const F_RI_FKEY_CHECK_INS = 1644, F_RI_FKEY_CHECK_UPD = 1645, F_UNIQUE_KEY_RECHECK = 1250;
/** Those on the referenced table, by pg_constraint's letter for the action. */
export const RI_ACTION_FUNCTIONS = {
  c: { del: 1646, upd: 1647 }, r: { del: 1648, upd: 1649 }, n: { del: 1650, upd: 1651 }, d: { del: 1652, upd: 1653 }, a: { del: 1654, upd: 1655 },
} as const;

export function toTrigger(t: PgTrigger): Trigger {
  const texts = Buffer.from(t.tgargs).toString('utf8');
  return {
    oid: t.oid, name: t.tgname, foid: t.tgfoid, type: t.tgtype, enabled: t.tgenabled as Trigger['enabled'], isInternal: t.tgisinternal, parent: t.tgparentid,
    constrrelid: t.tgconstrrelid, constrindid: t.tgconstrindid, constraint: t.tgconstraint, deferrable: t.tgdeferrable, initiallyDeferred: t.tginitdeferred,
    columns: t.tgattr, args: texts === '' ? [] : texts.replace(/\0$/, '').split('\0'), qual: t.tgqual === null ? null : stringToNode<Expr>(t.tgqual),
    oldTable: t.tgoldtable, newTable: t.tgnewtable,
  };
}

/** Triggers fire in the order of their names, byte by byte. */
export const byName = (a: { name: string }, b: { name: string }): number => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));

/** tgargs: each argument with a zero byte after it. */
export const packArguments = (args: readonly string[]): Uint8Array => Buffer.from(args.map((a) => `${a}\0`).join(''), 'utf8');

export function triggerRow(fields: Pick<PgTrigger, 'oid' | 'tgrelid' | 'tgname' | 'tgfoid' | 'tgtype'> & Partial<PgTrigger>): PgTrigger {
  return {
    tgparentid: 0, tgenabled: 'O', tgisinternal: false, tgconstrrelid: 0, tgconstrindid: 0, tgconstraint: 0, tgdeferrable: false, tginitdeferred: false,
    tgnargs: 0, tgattr: [], tgargs: new Uint8Array(0), tgqual: null, tgoldtable: null, tgnewtable: null, ...fields,
  };
}

/** pg_class.relhastriggers. Also when it is so already: whoever has the relation in a cache must look again. */
export function noteTriggers(relation: Oid): void {
  commandCounterIncrement();
  catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [relation], { relhastriggers: true });
}

/** A trigger that a constraint has for itself; it is dropped with the constraint. */
export function createInternalTrigger(name: string, fields: Pick<PgTrigger, 'tgrelid' | 'tgfoid' | 'tgtype' | 'tgconstraint'> & Partial<PgTrigger>): Oid {
  const oid = getNewOid(ids.TriggerRelationId);
  catalogInsert(ids.TriggerRelationId, triggerRow({ ...fields, oid, tgname: `${name}_${oid}`, tgisinternal: true }));
  recordDependencyOn(objectAddress(ids.TriggerRelationId, oid), objectAddress(ids.ConstraintRelationId, fields.tgconstraint), 'i');
  return oid;
}
