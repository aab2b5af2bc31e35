// ALTER COLUMN ... TYPE (ATPrepAlterColumnType, ATExecAlterColumnType and ATPostAlterTypeCleanup of PostgreSQL's
// tablecmds.c). Constraints and indexes on the column are taken down and made again from their own definitions, in the
// passes that follow, since their operators and expressions may be others for the new type.
import { PgError } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import { performMultipleDeletions } from '../catalog/dependency.ts';
import { formatType, formatTypeWithTypmod } from '../catalog/format_type.ts';
import { checkAttributeType } from '../catalog/heap.ts';
import { catalogDelete, catalogDeleteByKey, catalogFind, catalogUpdate } from '../catalog/indexing.ts';
import { domainHasConstraints, getRelName, getType } from '../catalog/lsyscache.ts';
import { defaultTablespace } from '../catalog/pg_tablespace.ts';
import { describeObject, getObjectDescription } from '../catalog/objectaddress.ts';
import * as ids from '../catalog/oids.ts';
import { removeAttrDefault, storeAttrDefault } from '../catalog/pg_attrdef.ts';
import { createComments, getComment } from '../catalog/pg_description.ts';
import { deleteDependencyRecordsFor, dependentsOf, indexConstraint, objectAddress, ownedSequences, recordDependencyOn, type ObjectAddress } from '../catalog/pg_depend.ts';
import { quoteIdentifier } from '../catalog/quote.ts';
import type { Attribute } from '../catalog/relation.ts';
import { openRelation, storageOf } from '../catalog/relcache.ts';
import * as sys from '../catalog/syscache.ts';
import { setRelationTablespace } from './tablespace.ts';
import { exprType, exprTypmod, stripImplicitCoercions } from '../nodes/nodeFuncs.ts';
import { makeVar } from '../nodes/makefuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { coerceToTargetType } from '../parser/parse_coerce.ts';
import { assignExprCollations } from '../parser/parse_collate.ts';
import { transformExpr } from '../parser/parse_expr.ts';
import { requireTypeUsage } from '../catalog/type_usage.ts';
import { getColumnDefCollation, typenameTypeIdAndMod } from '../parser/parse_type.ts';
import { transformIndexStmt } from '../parser/parse_utilcmd.ts';
import { rawParse, type RawNode } from '../parser/raw_parser.ts';
import { ddlHooks } from '../catalog/ddl_hooks.ts';
import { statisticsdef } from '../rewrite/ruleutils/miscdef.ts';
import { constraintdef, indexdef } from '../rewrite/ruleutils/functions.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import { makeArray, type Oid } from '../types/datum.ts';
import { datetimeSettings } from '../types/datetime_settings.ts';
import { PASS, Queue, REWRITE, prepareCommand, typedTableRecursion, registerActions, type Altered } from './altertable.ts';
import { columnToAlter, updateAttribute } from './alter_common.ts';
import { refusePartitionColumn } from './partition.ts';
import { queueConstraint } from './alter_constraint.ts';
import { checkCompositeTypeUnused } from './composite_use.ts';
import { relationParseState } from './constraints.ts';
import { defineIndex } from './indexcmds.ts';
import { alterSequenceOptions } from './sequence.ts';
import { allChildren } from './tablecmds.ts';
import { refuseForTypedTable } from './typed_tables.ts';
import { createStatistics } from './statscmds.ts';

interface NewType { typeOid: Oid; typmod: number; collation: Oid; ndims: number }

// ---- phase 1

function prepareType(queue: Queue, tab: Altered, cmd: RawNode, recurse: boolean, recursing: boolean): void {
  const relation = tab.old;
  const def = cmd['def'] as RawNode;
  if (!recursing) refuseForTypedTable(relation, 'cannot alter column type of typed table');
  const column = columnToAlter(relation, cmd['name'] as string);
  if (column.attinhcount > 0 && !recursing) throw new PgError('invalid_table_definition', `cannot alter inherited column "${column.attname}"`);
  refusePartitionColumn(relation, column.attnum, 'alter');
  const { type: typeOid, typmod } = typenameTypeIdAndMod(null, def['typeName'] as RawNode);
  requireTypeUsage(typeOid);
  const collation = getColumnDefCollation(null, def, typeOid);
  checkAttributeType(column.attname, typeOid, collation, relation.rowType === 0 ? [] : [relation.rowType]);
  const now: NewType = { typeOid, typmod, collation, ndims: ((def['typeName'] as RawNode)['arrayBounds'] as unknown[] | undefined)?.length ?? 0 };
  const using = def['raw_default'] as RawNode | undefined;
  if (using !== undefined && column.attgenerated !== '') {
    throw new PgError('invalid_column_definition', 'cannot specify USING when altering type of generated column', { detail: `Column "${column.attname}" is a generated column.` });
  }
  if (relation.kind === 'r' || relation.kind === 'p') {
    const transform = conversion(queue, tab, column, using, now);
    if (requiresRewrite(transform, column, now)) {
      tab.newValues.set(column.attnum, { expr: transform, generated: false });
      tab.rewriteReasons |= REWRITE.COLUMN;
    } else checkCompositeTypeUnused(relation); // otherwise phase 3 does so
    if (tab.rewrite && column.attgenerated !== '') tab.newValues.delete(column.attnum);
  } else if (using !== undefined) throw new PgError('wrong_object_type', `"${relation.name}" is not a table`);
  else checkCompositeTypeUnused(relation);
  typedTableRecursion(queue, tab, cmd);
  tab.add(PASS.ALTER_TYPE, () => changeType(tab, column.attnum, now));
  if (!queue.afterTypes.includes(remakeDependents)) queue.afterTypes.push(remakeDependents);
  recurseType(queue, tab, cmd, recurse, recursing, column);
}

function recurseType(queue: Queue, tab: Altered, cmd: RawNode, recurse: boolean, recursing: boolean, column: Attribute): void {
  if ((recursing && !recurse) || !tab.old.hasSubclass || tab.old.kind === 'c') return;
  const children = allChildren(tab.oid);
  if (!recurse && children.length > 0) throw new PgError('invalid_table_definition', `type of inherited column "${column.attname}" must be changed in child tables too`);
  for (const child of children) {
    const relation = openRelation(child);
    lockTable(child, relation.name, false, 8);
    const own = relation.attributes.find((a) => a.attname === column.attname && !a.attisdropped);
    const parents = new Set([tab.oid, ...children]);
    if (own !== undefined && own.attinhcount > sys.parentsOf(child).filter((p) => parents.has(p.inhparent)).length) {
      throw new PgError('invalid_table_definition', `cannot alter inherited column "${column.attname}" of relation "${relation.name}"`);
    }
    prepareCommand(queue, relation, cmd, false, true);
  }
}

/** The new value over the old row: USING, or an assignment cast. */
function conversion(queue: Queue, tab: Altered, column: Attribute, using: RawNode | undefined, now: NewType): Expr {
  const state = relationParseState(tab.old, queue.text);
  const before = tab.newValues.get(column.attnum);
  if (before !== undefined) throw new PgError('feature_not_supported', `cannot alter type of column "${column.attname}" twice`);
  const expr: Expr = using !== undefined ? transformExpr(state, using, 'alter_col_transform')
    : makeVar(1, column.attnum, column.atttypid, column.atttypmod, column.attcollation, 0);
  const coerced = coerceToTargetType(state, expr, exprType(expr), now.typeOid, now.typmod, 'assignment', 'implicit_cast', -1);
  if (coerced === null) {
    const type = formatType(now.typeOid);
    if (using !== undefined) {
      throw new PgError('datatype_mismatch', `result of USING clause for column "${column.attname}" cannot be cast automatically to type ${type}`, { hint: 'You might need to add an explicit cast.' });
    }
    throw new PgError('datatype_mismatch', `column "${column.attname}" cannot be cast automatically to type ${type}`, column.attgenerated !== '' ? {} : {
      hint: `You might need to specify "USING ${quoteIdentifier(column.attname)}::${formatTypeWithTypmod(now.typeOid, now.typmod)}".`,
    });
  }
  assignExprCollations(state, coerced);
  return coerced;
}

/** Whether stored values must be computed anew (ATColumnChangeRequiresRewrite). */
function requiresRewrite(expr: Expr, column: Attribute, now: NewType): boolean {
  if (storageOf(column.atttypid) !== storageOf(now.typeOid)) return true;
  for (let e = expr; ;) {
    switch (e.kind) {
      case 'Var': return e.varattno !== column.attnum;
      case 'RelabelType': case 'CollateExpr': e = e.arg; break;
      case 'CoerceToDomain':
        if (domainHasConstraints(e.resulttype)) return true;
        e = e.arg;
        break;
      case 'FuncExpr': {
        // A longer varchar, varbit or numeric holds what a shorter one held.
        const [arg] = e.args;
        if (arg === undefined || !widens(e.funcid, exprTypmod(arg), now.typmod)) return true;
        e = arg;
        break;
      }
      default: return true;
    }
  }
}

const F_TIMESTAMPTZ_TIMESTAMP = 2027, F_TIMESTAMP_TIMESTAMPTZ = 2028;
const F_VARCHAR = 669, F_VARBIT = 1687, F_NUMERIC = 1703;
function widens(func: Oid, from: number, to: number): boolean {
  if (func === F_VARCHAR || func === F_VARBIT) return to < 0 || (from >= 0 && from <= to);
  // Scale as it was, more digits before the point.
  if (func === F_NUMERIC) return to < 0 || (from >= 4 && to >= 4 && ((from - 4) & 0x7ff) === ((to - 4) & 0x7ff) && from <= to);
  // timestamp and timestamptz are the same where the clock is UTC's.
  if (func === F_TIMESTAMPTZ_TIMESTAMP || func === F_TIMESTAMP_TIMESTAMPTZ) return datetimeSettings.timeZone.fixedOffset === 0;
  return false;
}

// ---- phase 2

function changeType(tab: Altered, attnum: number, now: NewType): void {
  const relation = tab.current;
  const column = relation.attributes[attnum - 1]!;
  // The same command may have dropped it.
  if (column.attisdropped) throw new PgError('undefined_column', `column "${tab.old.attributes[attnum - 1]!.attname}" of relation "${relation.name}" does not exist`);
  const oldDefault = relation.defaults.get(attnum);
  let newDefault: Expr | null = null;
  if (oldDefault !== undefined) {
    const bare = stripImplicitCoercions(oldDefault);
    newDefault = coerceToTargetType(null, bare, exprType(bare), now.typeOid, now.typmod, 'assignment', 'implicit_cast', -1);
    if (newDefault === null) {
      throw new PgError('datatype_mismatch', `${column.attgenerated !== '' ? 'generation expression' : 'default'} for column "${column.attname}" cannot be cast automatically to type ${formatType(now.typeOid)}`);
    }
  }
  collectDependents(tab, column);
  dropTypeDependencies(tab.oid, attnum);
  const type = getType(now.typeOid);
  updateAttribute(tab.oid, attnum, {
    atttypid: now.typeOid, atttypmod: now.typmod, attcollation: now.collation, attndims: now.ndims, attlen: type.typlen, attbyval: type.typbyval, attalign: type.typalign,
    attstorage: type.typstorage, attcompression: '',
    // A missing value is of the old type; the rewrite puts it into the rows.
    ...(column.missing !== undefined && !tab.rewrite ? convertMissing(column, now) : {}),
  });
  const self = objectAddress(ids.RelationRelationId, tab.oid, attnum);
  recordDependencyOn(self, objectAddress(ids.TypeRelationId, now.typeOid), 'n');
  if (now.collation !== 0 && now.collation !== ids.DEFAULT_COLLATION_OID) recordDependencyOn(self, objectAddress(ids.CollationRelationId, now.collation), 'n');
  catalogDeleteByKey(ids.StatisticRelationId, ids.PgStatisticRelidAttInhIndexId, [tab.oid, attnum]);
  commandCounterIncrement();
  if (newDefault !== null) {
    // A generated column would not let its expression go.
    if (column.attgenerated !== '') forgetDefaultDependencies(tab.oid, attnum);
    removeAttrDefault(tab.oid, attnum, 'cascade');
    commandCounterIncrement();
    storeAttrDefault(tab.oid, attnum, newDefault);
    commandCounterIncrement();
    if (column.attgenerated !== '') {
      tab.newValues.set(attnum, { expr: newDefault, generated: true });
      tab.rewriteReasons |= REWRITE.COLUMN;
    }
  }
  alterOwnedSequences(tab.oid, attnum, column, now);
}

/** An identity column's sequence counts in the new type. */
function alterOwnedSequences(oid: Oid, attnum: number, column: Attribute, now: NewType): void {
  if (column.attidentity === '') return;
  for (const sequence of ownedSequences(oid, attnum, 'i')) {
    ddlHooks.altered?.(objectAddress(ids.RelationRelationId, sequence), 'ALTER SEQUENCE');
    alterSequenceOptions(sequence, [{ tag: 'DefElem', defname: 'as', arg: { tag: 'TypeName', typeOid: now.typeOid, typemod: -1, location: -1 } }], true);
  }
}

function forgetDefaultDependencies(oid: Oid, attnum: number): void {
  const row = sys.attrdefsOf(oid).find((d) => d.adnum === attnum);
  if (row === undefined) return;
  deleteDependencyRecordsFor(objectAddress(ids.AttrDefaultRelationId, row.oid));
  commandCounterIncrement();
}

const convertMissing = (column: Attribute, now: NewType): object => ({ attmissingval: makeArray(now.typeOid, [column.missing!]) });

/** What rests on the column: to be made again, or in the way. */
function collectDependents(tab: Altered, column: Attribute): void {
  const refuse = (what: string, object: ObjectAddress): PgError => new PgError('feature_not_supported', `cannot alter type of a column used ${what}`, {
    detail: `${getObjectDescription(object)} depends on column "${column.attname}"`,
  });
  for (const d of dependentsOf(objectAddress(ids.RelationRelationId, tab.oid, column.attnum))) {
    const object = objectAddress(d.classid, d.objid, d.objsubid);
    switch (d.classid) {
      case ids.RelationRelationId: {
        const kind = sys.classByOid(d.objid)?.relkind;
        if (kind === 'i' || kind === 'I') rememberIndex(tab, d.objid);
        else if (kind !== 'S') throw new PgError('internal_error', `unexpected object depending on column: ${describeObject(object) ?? ''}`);
        break;
      }
      case ids.ConstraintRelationId: rememberConstraint(tab, d.objid); break;
      case ids.StatisticExtRelationId: tab.changedStatistics.set(d.objid, statisticsdef(d.objid, false)!); break;
      case ids.ProcedureRelationId: throw refuse('by a function or procedure', object);
      case ids.RewriteRelationId: throw refuse('by a view or rule', object);
      case ids.TriggerRelationId: throw refuse('in a trigger definition', object);
      case ids.PolicyRelationId: throw refuse('in a policy definition', object);
      case ids.PublicationRelRelationId: throw refuse('by a publication WHERE clause', object);
      case ids.AttrDefaultRelationId: {
        const row = sys.lookup(ids.AttrDefaultRelationId, ids.PgAttrdefOidIndexId, d.objid)!;
        if (row.adrelid === tab.oid && row.adnum === column.attnum) break;
        throw new PgError('feature_not_supported', 'cannot alter type of a column used by a generated column', {
          detail: `Column "${column.attname}" is used by generated column "${sys.attributeByNumber(row.adrelid, row.adnum)?.attname}".`,
        });
      }
      default: throw new PgError('internal_error', `unexpected object depending on column: ${describeObject(object) ?? ''}`);
    }
  }
}

/** A foreign key may be another table's. */
function rememberConstraint(tab: Altered, oid: Oid): void {
  if (!tab.changedConstraints.has(oid)) tab.changedConstraints.set(oid, constraintdef(oid, false, true)!);
}

function rememberIndex(tab: Altered, oid: Oid): void {
  const constraint = indexConstraint(oid);
  if (constraint !== 0) rememberConstraint(tab, constraint);
  else if (!tab.changedIndexes.has(oid)) tab.changedIndexes.set(oid, indexdef(oid, 0, false)!);
}

function dropTypeDependencies(oid: Oid, attnum: number): void {
  for (const tuple of catalogFind(ids.DependRelationId, ids.PgDependDependerIndexId, [ids.RelationRelationId, oid, attnum])) {
    if (tuple.row.refclassid === ids.TypeRelationId || tuple.row.refclassid === ids.CollationRelationId) catalogDelete(ids.DependRelationId, tuple);
  }
}

/** After the pass: takes down what was remembered and queues its making (ATPostAlterTypeCleanup). */
function remakeDependents(queue: Queue, tab: Altered): void {
  const addresses: ObjectAddress[] = [];
  const constraints = [...tab.changedConstraints];
  const indexes = [...tab.changedIndexes];
  keepMarks(tab);
  tab.changedConstraints.clear();
  tab.changedIndexes.clear();
  for (const [oid, text] of constraints) {
    const row = sys.constraintByOid(oid);
    if (row === undefined) continue; // gone with the parent's
    const comment = getComment(oid, ids.ConstraintRelationId, 0);
    addresses.push(objectAddress(ids.ConstraintRelationId, oid));
    if (row.coninhcount > 0 && !row.conislocal) continue; // comes again with the parent's
    lockTable(row.conrelid, getRelName(row.conrelid)!, false, 8);
    const owner = queue.get(row.conrelid);
    owner.add(row.contype === 'f' ? PASS.OLD_CONSTR : PASS.OLD_INDEX, () => remakeConstraint(owner, row.conname, text, comment));
  }
  for (const [oid, text] of indexes) {
    const comment = getComment(oid, ids.RelationRelationId, 0);
    const index = sys.classByOid(oid);
    if (index === undefined) continue;
    addresses.push(objectAddress(ids.RelationRelationId, oid));
    if (index.relispartition) continue; // comes again with the parent's
    tab.add(PASS.OLD_INDEX, () => {
      const stmt = rawParse(text)[0]!.stmt;
      defineIndex(tab.current, { ...transformIndexStmt(stmt), comment }, text, !tab.rewrite);
    });
  }
  for (const [oid, text] of tab.changedStatistics) {
    const comment = getComment(oid, ids.StatisticExtRelationId, 0);
    addresses.push(objectAddress(ids.StatisticExtRelationId, oid));
    tab.add(PASS.MISC, () => createStatistics({ ...rawParse(text)[0]!.stmt, ...(comment === null ? {} : { stxcomment: comment }) }, text));
  }
  tab.changedStatistics.clear();
  performMultipleDeletions(addresses, 'restrict', { quietly: true });
  commandCounterIncrement();
}

/** The index to cluster by and the one that tells rows apart for replication stay what they are, and all where they are; an index
 * keeps its comment, and its partitions get it as well. */
function keepMarks(tab: Altered): void {
  const remade = new Set([...tab.changedIndexes.keys(), ...[...tab.changedConstraints.keys()].map((oid) => sys.constraintByOid(oid)?.conindid ?? 0)]);
  for (const index of tab.current.indexes) {
    const row = catalogFind(ids.IndexRelationId, ids.PgIndexIndexrelidIndexId, [index.indexrelid])[0]!.row;
    if (!remade.has(index.indexrelid)) continue;
    const { reltablespace } = sys.classByOid(index.indexrelid)!;
    const comment = getComment(index.indexrelid, ids.RelationRelationId, 0), inherited = comment !== null && sys.parentsOf(index.indexrelid).length > 0;
    if (!row.indisclustered && !row.indisreplident && reltablespace === 0 && defaultTablespace(tab.old.persistence, false) === 0 && (comment === null || inherited)) continue;
    tab.add(PASS.MISC, () => {
      const made = tab.current.indexes.find((i) => i.index.name === index.index.name);
      if (made === undefined) return;
      setRelationTablespace(made.indexrelid, reltablespace);
      const [tuple] = catalogFind(ids.IndexRelationId, ids.PgIndexIndexrelidIndexId, [made.indexrelid]);
      catalogUpdate(ids.IndexRelationId, tuple!, { indisclustered: row.indisclustered, indisreplident: row.indisreplident });
      if (comment !== null && !inherited) for (const oid of [made.indexrelid, ...allChildren(made.indexrelid)]) createComments(oid, ids.RelationRelationId, 0, comment);
    });
  }
}

function remakeConstraint(tab: Altered, name: string, text: string, comment: string | null): void {
  const [raw] = rawParse(text);
  const cmd = (raw!.stmt['cmds'] as RawNode[])[0]!;
  // The definition has its own text for error positions.
  const inner = new Queue(text);
  inner.tables.set(tab.oid, tab);
  queueConstraint(inner, tab, cmd['def'] as RawNode, true);
  if (comment === null) return;
  tab.add(PASS.MISC, () => {
    const made = sys.constraintsOf(tab.oid).find((c) => c.conname === name);
    if (made !== undefined) createComments(made.oid, ids.ConstraintRelationId, 0, comment);
  });
}

registerActions({
  AT_AlterColumnType: { name: 'ALTER COLUMN ... SET DATA TYPE', kinds: 'rpcf', prepare: prepareType },
});
