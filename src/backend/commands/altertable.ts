// ALTER TABLE (and VIEW, INDEX, SEQUENCE, TYPE with the same grammar): PostgreSQL's three phases. Phase 1 checks each
// subcommand, sends it on to child tables and puts it into a pass; phase 2 runs the passes over all tables, so that
// drops come before type changes and these before additions, in whatever order they were written; phase 3 goes through the
// rows once: rewrites them, or only checks them. The subcommands are in alter_*.ts; here are the phases.
import { PgError } from '../../common/errors.ts';
import { countAsRewrite, insertValues, lockTable } from '../access/table.ts';
import { requireOwner } from '../catalog/aclchk.ts';
import { getNamespaceName } from '../catalog/lsyscache.ts';
import { rangeVarGetRelid, refuseOtherTemp } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { clearMissing } from '../catalog/pg_attrdef.ts';
import { ddlHooks } from '../catalog/ddl_hooks.ts';
import { toForeignKey, openRelation } from '../catalog/relcache.ts';
import type { Relation } from '../catalog/relation.ts';
import { setNewFilenode } from '../catalog/storage.ts';
import { constraintByOid } from '../catalog/syscache.ts';
import { compileExpr } from '../executor/expression.ts';
import { forEachRow } from '../executor/index_keys.ts';
import { buildIndex } from '../executor/indexing.ts';
import { checkExistingRows } from '../executor/ri_triggers.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { ddlNotice } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { preventInTransactionBlock, type UtilityContext } from '../tcop/utility.ts';
import { markIndexBuilt } from '../catalog/index.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { TableLockMode } from '../transaction/messages.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { errdetailRelkindNotSupported } from '../catalog/pg_class.ts';
import { refuseSystemCatalog } from './object_names.ts';
import { checkCompositeTypeUnused } from './composite_use.ts';
import { allChildren } from './tablecmds.ts';
import { typedTablesOf } from './typed_tables.ts';
import { refuseInUse } from './trigger.ts';

/** Subcommands run in this order (AT_PASS_*). */
export const PASS = {
  DROP: 0, ALTER_TYPE: 1, OLD_INDEX: 2, OLD_CONSTR: 3, ADD_COL: 4, ADD_CONSTR: 5, COL_ATTRS: 6, ADD_INDEXCONSTR: 7, ADD_INDEX: 8, ADD_OTHERCONSTR: 9, MISC: 10,
} as const;
const PASSES = 11;

/** Why a table is written anew, as bits (AT_REWRITE_*). */
export const REWRITE = { PERSISTENCE: 1, DEFAULT: 2, COLUMN: 4, ACCESS_METHOD: 8 } as const;

/** One table of the queue: what is to be done to it, and what phase 3 must look at (AlteredTableInfo). */
export class Altered {
  readonly oid: Oid;
  /** As it was before: its rows are read by this in phase 3. */
  readonly old: Relation;
  readonly passes: (() => void)[][] = Array.from({ length: PASSES }, () => []);
  /** Values of new or changed columns, over the old row, or (generated columns) over the new one. */
  readonly newValues = new Map<number, { expr: Expr; generated: boolean }>();
  /** Constant defaults of new columns, which rows that are not rewritten have as their missing values. */
  readonly constants = new Map<number, Datum>();
  readonly newChecks: { name: string; expr: Expr }[] = [];
  readonly newForeignKeys: Oid[] = [];
  verifyNotNull = false;
  /** SET ACCESS METHOD; 0: none. */
  newAccessMethod: Oid = 0;
  /** Why the table is written anew (REWRITE): what event triggers are told. */
  rewriteReasons = 0;
  /** LOGGED or UNLOGGED has been said. */
  persistenceGiven = false;
  /** Whether phase 3 writes every row. (Logging and access method are marks only here.) */
  get rewrite(): boolean { return (this.rewriteReasons & (REWRITE.DEFAULT | REWRITE.COLUMN)) !== 0; }
  /** SET TABLESPACE is among the subcommands. */
  movesTablespace = false;
  /** Constraints and indexes to be made again after a change of type: OID to definition. */
  readonly changedConstraints = new Map<Oid, string>();
  readonly changedIndexes = new Map<Oid, string>();
  readonly changedStatistics = new Map<Oid, string>();

  constructor(oid: Oid) {
    this.oid = oid;
    this.old = openRelation(oid);
    if ('rmc'.includes(this.old.kind)) void this.old.layout; // looked at now: it is of the catalogs of now
  }

  add(pass: number, run: () => void): void {
    this.passes[pass]!.push(run);
  }

  /** The table as the catalogs have it by now. */
  get current(): Relation {
    return openRelation(this.oid);
  }
}

/** All tables of one ALTER TABLE. */
export class Queue {
  readonly tables = new Map<Oid, Altered>();
  readonly text: string;
  readonly afterTypes: ((queue: Queue, tab: Altered) => void)[] = [];

  constructor(text: string) {
    this.text = text;
  }

  get(oid: Oid): Altered {
    let tab = this.tables.get(oid);
    if (tab !== undefined) return tab;
    refuseOtherTemp('alter', openRelation(oid));
    this.tables.set(oid, (tab = new Altered(oid)));
    return tab;
  }
}

export interface Action {
  /** Words for messages, and the relkinds it is for. */
  name: string;
  kinds: string;
  /** AccessExclusiveLock if not given. */
  lock?: TableLockMode | ((cmd: RawNode) => TableLockMode);
  prepare(queue: Queue, tab: Altered, cmd: RawNode, recurse: boolean, recursing: boolean): void;
}

const actions = new Map<string, Action>();
export function registerActions(table: Record<string, Action>): void {
  for (const [subtype, action] of Object.entries(table)) actions.set(subtype, action);
}

/** Phase 1 for one subcommand on one table (ATPrepCmd). */
export function prepareCommand(queue: Queue, relation: Relation, cmd: RawNode, recurse: boolean, recursing: boolean): void {
  const action = actions.get(cmd['subtype'] as string);
  if (action === undefined) throw new PgError('feature_not_supported', `ALTER TABLE ${(cmd['subtype'] as string).replace(/^AT_/, '')} is not supported`);
  if (!action.kinds.includes(relation.kind)) {
    throw new PgError('wrong_object_type', `ALTER action ${action.name} cannot be performed on relation "${relation.name}"`, { detail: errdetailRelkindNotSupported(relation.kind) });
  }
  if (recursing) {
    requireOwner(ids.RelationRelationId, relation.oid);
    refuseSystemCatalog(relation.oid);
    refuseInUse('ALTER TABLE', relation);
  }
  action.prepare(queue, queue.get(relation.oid), cmd, recurse, recursing);
}

/** The same subcommand for every descendant (ATSimpleRecursion). */
export function simpleRecursion(queue: Queue, tab: Altered, cmd: RawNode, recurse: boolean, recursing: boolean): void {
  if (!recurse || recursing || !tab.old.hasSubclass) return;
  for (const child of allChildren(tab.oid)) {
    const relation = openRelation(child);
    lockTable(child, relation.name, false, 8);
    prepareCommand(queue, openRelation(child), cmd, false, true);
  }
}

/** A subcommand on a type is one on its tables, too (ATTypedTableRecursion). */
export function typedTableRecursion(queue: Queue, tab: Altered, cmd: RawNode): void {
  for (const oid of typedTablesOf(tab.old, cmd['behavior'] === 'DROP_CASCADE')) prepareCommand(queue, openRelation(oid), cmd, true, true);
}

const OBJECT_KINDS: Readonly<Record<string, { kinds: string; text: string }>> = {
  OBJECT_VIEW: { kinds: 'v', text: 'is not a view' }, OBJECT_MATVIEW: { kinds: 'm', text: 'is not a materialized view' },
  OBJECT_INDEX: { kinds: 'iI', text: 'is not an index' }, OBJECT_SEQUENCE: { kinds: 'S', text: 'is not a sequence' },
  OBJECT_FOREIGN_TABLE: { kinds: 'f', text: 'is not a foreign table' }, OBJECT_TYPE: { kinds: 'c', text: 'is not a composite type' },
};

/** The relation an ALTER names, checked as RangeVarCallbackForAlterRelation does; 0: not there, and that is all right. */
export function relationForAlter(rv: RawNode, objectType: string, missingOk: boolean, lock: TableLockMode): Oid {
  for (;;) {
    const oid = rangeVarGetRelid(rv as never, missingOk);
    if (oid === 0) {
      ddlNotice(`relation "${rv['relname'] as string}" does not exist, skipping`);
      return 0;
    }
    const relation = openRelation(oid);
    requireOwner(ids.RelationRelationId, oid);
    refuseSystemCatalog(oid);
    const wanted = OBJECT_KINDS[objectType];
    if (wanted !== undefined && !wanted.kinds.includes(relation.kind)) throw new PgError('wrong_object_type', `"${relation.name}" ${wanted.text}`);
    if (objectType !== 'OBJECT_TYPE' && objectType !== 'OBJECT_COLUMN' && relation.kind === 'c') {
      throw new PgError('wrong_object_type', `"${relation.name}" is a composite type`, { hint: 'Use ALTER TYPE instead.' });
    }
    lockTable(oid, relation.name, relation.shared, lock);
    // While we waited the name may have come to mean another relation.
    if (rangeVarGetRelid(rv as never, true) === oid) return oid;
  }
}

const ROW_SHARE_LOCK = 2;

function lockFor(cmd: RawNode): TableLockMode {
  const { lock = 8 } = actions.get(cmd['subtype'] as string) ?? {};
  return typeof lock === 'number' ? lock : lock(cmd);
}

export function alterTable(stmt: RawNode, context: UtilityContext): void {
  const cmds = stmt['cmds'] as RawNode[];
  if (cmds.some((c) => c['subtype'] === 'AT_DetachPartition' && (c['def'] as RawNode)['concurrent'])) preventInTransactionBlock(context, 'ALTER TABLE ... DETACH CONCURRENTLY');
  const rv = stmt['relation'] as RawNode;
  const lock = Math.max(...cmds.map((c) => lockFor(c))) as TableLockMode;
  const oid = relationForAlter(rv, stmt['objtype'] as string, Boolean(stmt['missing_ok']), lock);
  if (oid === 0) return;
  refuseInUse('ALTER TABLE', openRelation(oid));
  runAlterTable(oid, cmds, Boolean(rv['inh']) || stmt['objtype'] === 'OBJECT_TYPE', context.text);
}

/** All phases for subcommands on a relation that is checked and locked (AlterTableInternal). */
function runAlterTable(oid: Oid, cmds: readonly RawNode[], recurse: boolean, text: string): void {
  const queue = new Queue(text);
  const relation = openRelation(oid);
  for (const cmd of cmds) prepareCommand(queue, relation, cmd, recurse, false);
  runPasses(queue);
  for (const tab of queue.tables.values()) rewriteOrCheck(tab);
  for (const tab of queue.tables.values()) checkForeignKeys(tab);
}

/** Phase 2 (ATRewriteCatalogs). What runs may add to later passes, and tables. */
function runPasses(queue: Queue): void {
  for (let pass = 0; pass < PASSES; pass++) {
    const done = new Map<Altered, number>();
    for (let again = true; again;) {
      again = false;
      for (const tab of [...queue.tables.values()]) {
        const list = tab.passes[pass]!;
        for (let i = done.get(tab) ?? 0; i < list.length; i++) {
          list[i]!();
          commandCounterIncrement();
          done.set(tab, i + 1);
          again = true;
        }
      }
    }
    if (pass === PASS.ALTER_TYPE) for (const tab of [...queue.tables.values()]) for (const run of queue.afterTypes) run(queue, tab);
  }
}

// ---- phase 3

/** Goes through the rows once, if anything asks for it (ATRewriteTable). */
function rewriteOrCheck(tab: Altered): void {
  const relation = tab.current;
  if (tab.newValues.size > 0 || tab.constants.size > 0 || tab.rewrite) checkCompositeTypeUnused(relation);
  if (relation.kind !== 'r' && relation.kind !== 'm') return;
  if (tab.rewriteReasons !== 0) ddlHooks.rewriting?.(tab.oid, tab.rewriteReasons);
  if (!tab.rewrite && tab.newChecks.length === 0 && !tab.verifyNotNull) return;
  let target = relation;
  if (tab.rewrite) {
    if (relation.oid < 16384) throw new PgError('feature_not_supported', `cannot rewrite system relation "${relation.name}"`);
    setNewFilenode(tab.oid);
    commandCounterIncrement();
    clearMissing(tab.oid);
    commandCounterIncrement();
    target = tab.current;
  }
  scanRows(tab, target);
  if (!tab.rewrite) return;
  commandCounterIncrement();
  rebuildIndexes(tab.current);
}

function scanRows(tab: Altered, target: Relation): void {
  const place = { schema: getNamespaceName(target.namespace) ?? '', table: target.name };
  const direct = [...tab.newValues].filter(([, v]) => !v.generated).map(([attnum, v]) => ({ attnum, value: compileExpr(v.expr, tab.oid) }));
  const generated = [...tab.newValues].filter(([, v]) => v.generated).map(([attnum, v]) => ({ attnum, value: compileExpr(v.expr, tab.oid) }));
  const checks = tab.newChecks.map((c) => ({ name: c.name, value: compileExpr(c.expr, tab.oid) }));
  const notNull = tab.verifyNotNull || tab.rewrite ? target.attributes.filter((a) => a.attnotnull && !a.attisdropped) : [];
  const dropped = target.attributes.filter((a) => a.attisdropped).map((a) => a.attnum);
  const width = target.attributes.length;
  // Without a rewrite rows are read as they are now, new columns with their missing value.
  forEachRow(tab.rewrite ? tab.old : target, (old) => {
    let row: Datum[] = old;
    if (tab.rewrite) {
      row = old.slice();
      while (row.length < width) row.push(null);
      for (const attnum of dropped) row[attnum - 1] = null;
      for (const v of direct) row[v.attnum - 1] = v.value(null, old);
      for (const [attnum, value] of tab.constants) row[attnum - 1] = value;
      for (const v of generated) row[v.attnum - 1] = v.value(null, row);
    }
    for (const a of notNull) {
      if (row[a.attnum - 1] === null || row[a.attnum - 1] === undefined) {
        throw new PgError('not_null_violation', `column "${a.attname}" of relation "${target.name}" contains null values`, { ...place, column: a.attname });
      }
    }
    for (const check of checks) {
      if (check.value(null, row) === false) {
        throw new PgError('check_violation', `check constraint "${check.name}" of relation "${target.name}" is violated by some row`, { ...place, constraint: check.name });
      }
    }
    if (tab.rewrite) insertValues(target, row);
  });
  if (tab.rewrite) countAsRewrite(target);
}

/** New storage and new entries for every index of a table whose rows have moved. */
export function rebuildIndexes(table: Relation): void {
  for (const index of table.indexes) setNewFilenode(index.indexrelid);
  commandCounterIncrement();
  const now = openRelation(table.oid);
  for (const index of now.indexes) {
    buildIndex(now, index);
    markIndexBuilt(index);
  }
}

function checkForeignKeys(tab: Altered): void {
  for (const oid of tab.newForeignKeys) {
    const row = constraintByOid(oid)!;
    // A new one has locked the referenced table as it is made; VALIDATE lets others write to it.
    lockTable(row.confrelid, openRelation(row.confrelid).name, false, ROW_SHARE_LOCK);
    checkExistingRows(openRelation(row.conrelid), toForeignKey(row));
  }
}
