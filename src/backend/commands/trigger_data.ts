// What a trigger function is called with, and what it answers (PostgreSQL's TriggerData): the contract between those
// who fire triggers (executor/trigger.ts) and the languages that trigger functions are written in.
//
// A trigger function is called as any other, through what its language's handler made of its pg_proc row
// (`registerLanguageHandler`; functions of language internal are in the registry of types/fmgr.ts): a function of kind
// 'context' without arguments, whose `context.trigger` is this. Called without it, it says "trigger functions can only be
// called as triggers". While it runs, its transition tables can be named in its statements (parser/query_environment.ts):
// plans made in it may be kept for the same trigger (`oid`), not for another one.
import type { Relation } from '../catalog/relation.ts';
import type { Datum, Oid } from '../types/datum.ts';

export interface TriggerData {
  /** pg_trigger's. */
  readonly oid: Oid;
  readonly name: string;
  readonly when: 'BEFORE' | 'AFTER' | 'INSTEAD OF';
  readonly level: 'ROW' | 'STATEMENT';
  readonly op: 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE';
  readonly relation: Relation;
  /** Values by [attnum - 1], dropped columns included (null). UPDATE and DELETE of a row; else null. Not to be changed. */
  readonly oldRow: readonly Datum[] | null;
  /** INSERT and UPDATE of a row; else null. Generated columns are not computed before BEFORE triggers (languages show
   * them as null; suppress_redundant_updates_trigger compares what is there). Not to be changed: a function that wants another row returns a new array. */
  readonly newRow: readonly Datum[] | null;
  readonly argv: readonly string[];
  /** Transition tables, with the names that REFERENCING gave them; null: not asked for. */
  readonly oldTable: TransitionTable | null;
  readonly newTable: TransitionTable | null;
}

/** What the function returns. BEFORE ROW and INSTEAD OF: the row to go on with (`newRow` itself, or a new array; for
 * DELETE any row, usually `oldRow`), or null to leave this row out. In other cases nobody looks at it. */
export type TriggerResult = readonly Datum[] | null;

export interface TransitionTable {
  readonly name: string;
  readonly rowCount: number;
  /** Rows of the trigger's relation, by [attnum - 1]. */
  rows(): Iterable<readonly Datum[]>;
}

/** What the function of an event trigger is called with: `context.eventTrigger`. */
export type EventName = 'ddl_command_start' | 'ddl_command_end' | 'sql_drop' | 'table_rewrite';
export interface EventTriggerData { event: EventName; tag: string }
