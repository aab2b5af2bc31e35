// Names that only the running function knows: the transition tables of a trigger (PostgreSQL's QueryEnvironment and its
// ephemeral named relations). A FROM item without a schema means one of these before any table.
import type { Relation } from '../catalog/relation.ts';
import type { TransitionTable } from '../commands/trigger_data.ts';

export interface EphemeralRelation {
  /** The table whose row type it has. */
  readonly relation: Relation;
  readonly table: TransitionTable;
}

export type QueryEnvironment = ReadonlyMap<string, EphemeralRelation> | null;
let current: QueryEnvironment = null;

export const ephemeralRelation = (name: string): EphemeralRelation | undefined => current?.get(name);

/** Runs a trigger function with its transition tables in sight, and no others. */
export function withTransitionTables<T>(relation: Relation, oldTable: TransitionTable | null, newTable: TransitionTable | null, run: () => T): T {
  const saved = current;
  current = oldTable === null && newTable === null ? null
    : new Map([oldTable, newTable].filter((t) => t !== null).map((t) => [t.name, { relation, table: t }]));
  try {
    return run();
  } finally {
    current = saved;
  }
}

export const seesTransitionTables = (): boolean => current !== null;

/** Runs what a trigger function calls: it does not see the trigger's transition tables. */
export function withoutTransitionTables<T>(run: () => T): T {
  const saved = hideTransitionTables();
  try {
    return run();
  } finally {
    current = saved;
  }
}

/** The same without a frame of its own: out of sight from here to `showTransitionTables`. */
export function hideTransitionTables(): QueryEnvironment {
  const saved = current;
  current = null;
  return saved;
}

export function showTransitionTables(saved: QueryEnvironment): void {
  current = saved;
}
