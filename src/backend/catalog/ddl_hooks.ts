// What event triggers want to know while a command runs (commands/event_trigger_fire.ts fills this in): objects that come and
// go, tables whose rows are about to be written anew.
import type { ObjectAddress } from './pg_depend.ts';
import type { Oid } from '../types/datum.ts';

export interface DdlHooks {
  created: ((classId: Oid, row: Record<string, unknown>) => void) | null;
  /** `original`: it was named itself; `normal`: it depended on it as objects do of their own. */
  dropping: ((object: ObjectAddress, original: boolean, normal: boolean) => void) | null;
  /** Bits: 2 a default, 4 a column's type, ... */
  rewriting: ((table: Oid, reason: number) => void) | null;
  /** An object that is altered on the side, by a command of its own as it were; of rights that are taken back only the kind of
   * object is told. */
  altered: ((object: ObjectAddress | null, tag: string, kind?: string) => void) | null;
}
export const ddlHooks: DdlHooks = { created: null, dropping: null, rewriting: null, altered: null };
