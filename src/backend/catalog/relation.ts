// A relation as the backend works with it: what PostgreSQL's relcache holds. Built by catalog/relcache.ts from
// pg_class, pg_attribute, pg_index, pg_constraint, pg_attrdef, pg_rewrite, pg_trigger, ... as the current snapshot
// (and the transaction's own write set) shows them. Read-only; a changed catalog gives a new object.
import type { Datum, Oid } from '../types/datum.ts';
import type { Expr } from '../nodes/primnodes.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { RowLayout } from '../access/row.ts';
import type { Counts } from '../utils/pgstat.ts';

export interface Attribute {
  readonly attnum: number; // from 1
  readonly attname: string;
  readonly atttypid: Oid;
  readonly atttypmod: number;
  readonly attcollation: Oid;
  readonly attnotnull: boolean;
  readonly atthasdef: boolean;
  readonly attisdropped: boolean;
  readonly attidentity: '' | 'a' | 'd';
  readonly attgenerated: '' | 's';
  readonly attislocal: boolean;
  readonly attinhcount: number;
  readonly attndims: number;
  /** The value of this column in rows written before it was added; undefined: NULL. */
  readonly missing: Datum | undefined;
}

/** The access method a Relation of kind 'i' or 'I' is used with, and how it orders. */
export interface IndexInfo {
  readonly indexrelid: Oid;
  readonly indrelid: Oid;
  readonly unique: boolean;
  readonly nullsNotDistinct: boolean;
  readonly primary: boolean;
  readonly immediate: boolean; // false: DEFERRABLE
  readonly valid: boolean;
  /** Rows have entries in it; it may be not valid all the same. */
  readonly ready: boolean;
  /** The operators of an exclusion constraint, column by column: two rows for which all are true are refused. */
  readonly exclusion: readonly Oid[] | null;
  /** Key columns first, INCLUDE columns after them. 0: an expression, the next of `expressions`. */
  readonly keyAttributes: readonly number[];
  readonly keyCount: number;
  readonly columns: readonly IndexColumn[];
  readonly expressions: readonly Expr[]; // Vars have varno 1
  readonly predicate: Expr | null;
  readonly accessMethod: 'btree' | 'hash' | 'gin' | 'gist' | 'brin' | 'spgist';
  readonly index: Relation;
}
export interface IndexColumn {
  readonly typeOid: Oid;
  readonly collation: Oid;
  readonly opclass: Oid;
  readonly opfamily: Oid;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
  /** The bytes a value may take in a key before it is shortened (access/key.ts); null: it never is. */
  readonly keyLimit: number | null;
}

export interface CheckConstraint {
  readonly oid: Oid; readonly name: string; readonly expr: Expr; // Vars have varno 1
  readonly validated: boolean; readonly noInherit: boolean;
}
export interface ForeignKey {
  readonly oid: Oid; readonly name: string;
  /** Referencing and referenced relation and columns, and the = operators (pk = fk, fk = fk) column by column. */
  readonly conrelid: Oid; readonly confrelid: Oid; readonly conkey: readonly number[]; readonly confkey: readonly number[];
  readonly pfeqop: readonly Oid[]; readonly ffeqop: readonly Oid[]; readonly indexOid: Oid;
  readonly onUpdate: 'a' | 'r' | 'c' | 'n' | 'd'; readonly onDelete: 'a' | 'r' | 'c' | 'n' | 'd';
  readonly deleteSetColumns: readonly number[];
  readonly matchType: 's' | 'f'; readonly deferrable: boolean; readonly initiallyDeferred: boolean;
  readonly validated: boolean;
}

/** A row of pg_trigger. */
export interface Trigger {
  readonly oid: Oid; readonly name: string; readonly foid: Oid;
  /** Bits: TRIGGER_TYPE of pg_trigger.ts. */
  readonly type: number;
  /** When it fires by session_replication_role: O origin, A always, R replica, D never. */
  readonly enabled: 'O' | 'A' | 'R' | 'D';
  readonly isInternal: boolean; readonly parent: Oid;
  readonly constrrelid: Oid; readonly constrindid: Oid; readonly constraint: Oid;
  readonly deferrable: boolean; readonly initiallyDeferred: boolean;
  /** UPDATE OF; empty: any. */
  readonly columns: readonly number[];
  readonly args: readonly string[];
  /** WHEN: Vars of OLD have varno 1, those of NEW 2. */
  readonly qual: Expr | null;
  readonly oldTable: string | null; readonly newTable: string | null;
}

/** A row of pg_policy. `roles`: 0 is PUBLIC. Expressions are over the table (varno 1). */
export interface Policy {
  readonly oid: Oid; readonly name: string; readonly permissive: boolean;
  /** '*' all, r SELECT, a INSERT, w UPDATE, d DELETE. */
  readonly command: string;
  readonly roles: readonly Oid[]; readonly qual: Expr | null; readonly withCheck: Expr | null; readonly hasSubLinks: boolean;
}

export interface Relation {
  readonly oid: Oid;
  readonly name: string;
  readonly namespace: Oid;
  readonly owner: Oid;
  /** pg_class.relkind: r table, i index, S sequence, v view, m materialized view, c composite, p partitioned, ... */
  readonly kind: string;
  readonly persistence: 'p' | 'u' | 't';
  /** The number its blocks or entries stand under in the store; changes when a table is rewritten. */
  readonly filenode: number;
  /** Lives in global/ rather than in the database. */
  readonly shared: boolean;
  readonly accessMethod: Oid;
  readonly rowType: Oid;
  readonly tuples: number; // pg_class.reltuples, -1 unknown
  readonly pages: number;
  readonly allVisible: number; // pg_class.relallvisible
  readonly attributes: readonly Attribute[]; // [attnum - 1], dropped ones included
  readonly hasSubclass: boolean;
  readonly isPartition: boolean;
  readonly layout: RowLayout;
  /** Everything below is read when first asked for. */
  readonly indexes: readonly IndexInfo[];
  /** For kinds i and I: how this index itself is built. */
  readonly indexInfo: IndexInfo | null;
  readonly checks: readonly CheckConstraint[];
  readonly foreignKeys: readonly ForeignKey[]; // this relation references others
  readonly referencedBy: readonly ForeignKey[]; // others reference this relation
  readonly viewQuery: Query | null;
  /** Whether there may be triggers; they themselves, in the order of their names. */
  readonly hasTriggers: boolean;
  readonly triggers: readonly Trigger[];
  readonly hasRules: boolean;
  /** ENABLE, FORCE ROW LEVEL SECURITY; the policies, in the order of their names. */
  readonly rowSecurity: boolean;
  readonly forceRowSecurity: boolean;
  readonly policies: readonly Policy[];
  /** pg_attrdef, analyzed; attnum to expression. Also generation expressions of stored generated columns. */
  readonly defaults: ReadonlyMap<number, Expr>;
  readonly options: ReadonlyMap<string, string>;
  /** What this session does to it is added up here (utils/pgstat.ts). */
  readonly counts: Counts;
}
