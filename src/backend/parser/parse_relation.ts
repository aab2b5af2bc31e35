// Range tables and namespaces: entries for tables, subqueries, functions, VALUES, joins and WITH queries; which
// column a name means; expansion of "*" (parse_relation.c).
import { PgError, internalError } from '../../common/errors.ts';
import { lockReads, locksReads, renewAfterWait } from '../access/table.ts';
import { getRelName, getType } from '../catalog/lsyscache.ts';
import { rangeVarGetRelid } from '../catalog/namespace.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { Relation } from '../catalog/relation.ts';
import { FirstNormalObjectId } from '../catalog/schema.ts';
import * as sys from '../catalog/syscache.ts';
import { makeAlias, makeRangeTblEntry, makeVar } from '../nodes/makefuncs.ts';
import { exprCollation, exprLocation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import { ACL, type CommonTableExpr, type Query, type RangeTblEntry, type RangeTblFunction } from '../nodes/parsenodes.ts';
import type { Alias, Expr, JoinType, TargetEntry, Var } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import * as T from '../types/oids.ts';
import { SYSTEM_COLUMNS, systemColumnByName } from '../catalog/pg_class.ts';
import { getExprResultType, type ResultDescription } from './func_result.ts';
import { parserError, withErrorPosition, type NamespaceColumn, type NamespaceItem, type ParseState } from './parse_node.ts';
import { formatType, getColumnDefCollation, typenameTypeIdAndMod } from './parse_type.ts';
import type { EphemeralRelation } from './query_environment.ts';
import type { RawNode } from './raw_parser.ts';

export const AccessShareLock = 1, RowShareLock = 2, RowExclusiveLock = 3;
const MAX_TUPLE_ATTRIBUTES = 1664;

// ---- namespaces ----------------------------------------------------------------------------------------------

/** The namespace item an unqualified or qualified table name means, with the number of levels up; null: none. */
export function refnameNamespaceItem(state: ParseState, schema: string | null, refname: string, location: number): { item: NamespaceItem; levelsup: number } | null {
  let relid = 0;
  if (schema !== null) {
    const namespace = sys.namespaceByName(schema)?.oid ?? 0;
    if (namespace === 0) return null;
    relid = sys.relationOidByName(refname, namespace);
    if (relid === 0) return null;
  }
  let levelsup = 0;
  for (let level: ParseState | null = state; level !== null; level = level.parent) {
    const item = relid !== 0 ? scanByRelid(level, relid, location) : scanByRefname(level, refname, location);
    if (item !== null) return { item, levelsup };
    levelsup++;
  }
  return null;
}

function scanByRefname(state: ParseState, refname: string, location: number): NamespaceItem | null {
  let result: NamespaceItem | null = null;
  for (const item of state.namespace) {
    if (!item.relVisible || item.names.aliasname !== refname) continue;
    if (item.lateralOnly && !state.lateralActive) continue;
    if (result !== null) throw parserError(state, 'ambiguous_alias', `table reference "${refname}" is ambiguous`, location);
    checkLateralRefOk(state, item, location);
    result = item;
  }
  return result;
}

function scanByRelid(state: ParseState, relid: Oid, location: number): NamespaceItem | null {
  let result: NamespaceItem | null = null;
  for (const item of state.namespace) {
    if (!item.relVisible) continue;
    if (item.lateralOnly && !state.lateralActive) continue;
    if (item.rte.rtekind !== 'relation' || item.rte.relid !== relid || item.rte.alias !== null) continue;
    if (result !== null) throw parserError(state, 'ambiguous_alias', `table reference ${relid} is ambiguous`, location);
    checkLateralRefOk(state, item, location);
    result = item;
  }
  return result;
}

function checkLateralRefOk(state: ParseState, item: NamespaceItem, location: number): void {
  if (!item.lateralOnly || item.lateralOk) return;
  const name = item.names.aliasname;
  throw parserError(state, 'invalid_column_reference', `invalid reference to FROM-clause entry for table "${name}"`, location,
    item.rte === state.targetItem?.rte
      ? { hint: `There is an entry for table "${name}", but it cannot be referenced from this part of the query.` }
      : { detail: 'The combining JOIN type must be INNER or LEFT for a LATERAL reference.' });
}

export function scanNamespaceForCte(state: ParseState, name: string): { cte: CommonTableExpr; levelsup: number } | null {
  let levelsup = 0;
  for (let level: ParseState | null = state; level !== null; level = level.parent) {
    const cte = level.cteNamespace.find((c) => c.ctename === name);
    if (cte !== undefined) return { cte, levelsup };
    levelsup++;
  }
  return null;
}

/** Whether a WITH query of that name comes later, so that a hint can say so. */
function isFutureCte(state: ParseState, name: string): boolean {
  for (let level: ParseState | null = state; level !== null; level = level.parent) {
    if (level.futureCtes.some((c) => c.ctename === name)) return true;
  }
  return false;
}

/** Two tables of one name in one FROM are an error. */
export function checkNameSpaceConflicts(state: ParseState, list1: readonly NamespaceItem[], list2: readonly NamespaceItem[]): void {
  for (const a of list1) {
    if (!a.relVisible) continue;
    for (const b of list2) {
      if (!b.relVisible || b.names.aliasname !== a.names.aliasname) continue;
      if (a.rte.rtekind === 'relation' && a.rte.alias === null && b.rte.rtekind === 'relation' && b.rte.alias === null && a.rte.relid !== b.rte.relid) continue;
      throw parserError(state, 'duplicate_alias', `table name "${a.names.aliasname}" specified more than once`);
    }
  }
}

export function getRteByRangeTablePosn(state: ParseState, varno: number, levelsup: number): RangeTblEntry {
  let level: ParseState = state;
  for (let i = 0; i < levelsup; i++) level = level.parent!;
  return level.rtable[varno - 1]!;
}

export function getNamespaceItemByRangeTablePosn(state: ParseState, varno: number, levelsup: number): NamespaceItem {
  let level: ParseState = state;
  for (let i = 0; i < levelsup; i++) level = level.parent!;
  const item = level.namespace.find((n) => n.rtindex === varno);
  if (item === undefined) throw internalError('nsitem not found (internal error)');
  return item;
}

// ---- columns -------------------------------------------------------------------------------------------------

/** The Var for a column of one namespace item, null when it has no such column. */
export function scanNamespaceItemForColumn(state: ParseState, item: NamespaceItem, levelsup: number, column: string, location: number): Var | null {
  const attnum = scanForColumn(state, item.rte, item.names, column, location);
  if (attnum === 0) return null;
  if (state.exprKind === 'check_constraint' && attnum < 0 && attnum !== -6) {
    throw parserError(state, 'invalid_column_reference', `system column "${column}" reference in check constraint is invalid`, location);
  }
  if (state.exprKind === 'generated_column' && attnum < 0 && attnum !== -6) {
    throw parserError(state, 'invalid_column_reference', `cannot use system column "${column}" in column generation expression`, location);
  }
  if (state.exprKind === 'merge_when' && attnum < 0 && attnum !== -6) {
    throw parserError(state, 'invalid_column_reference', `cannot use system column "${column}" in MERGE WHEN condition`, location);
  }
  let result: Var;
  if (attnum > 0) {
    const c = item.columns[attnum - 1]!;
    if (c.varno === 0) throw parserError(state, 'undefined_column', `column "${column}" of relation "${item.names.aliasname}" does not exist`, location);
    result = makeVar(c.varno, c.varattno, c.vartype, c.vartypmod, c.varcollid, levelsup, location);
  } else {
    result = makeVar(item.rtindex, attnum, systemColumnByName(column)!.atttypid, -1, 0, levelsup, location);
  }
  markVarForSelectPriv(state, result);
  return result;
}

/** Number of a column in an entry: from 1, negative for system columns, 0 when missing. */
function scanForColumn(state: ParseState, rte: RangeTblEntry, eref: Alias, column: string, location: number): number {
  let result = 0;
  for (let i = 0; i < eref.colnames.length; i++) {
    if (eref.colnames[i] === column && column !== '') {
      if (result !== 0) throw parserError(state, 'ambiguous_column', `column reference "${column}" is ambiguous`, location);
      result = i + 1;
    }
  }
  if (result !== 0) return result;
  if (rte.rtekind === 'relation' && rte.relkind !== 'c') {
    const attribute = systemColumnByName(column);
    if (attribute !== undefined && hasSystemColumns(rte)) return attribute.attnum;
  }
  return 0;
}

const hasSystemColumns = (rte: RangeTblEntry): boolean => rte.relkind !== 'v';

/** An unqualified column name: the Var, or null when no table in reach has such a column. */
export function colNameToVar(state: ParseState, column: string, localOnly: boolean, location: number): Var | null {
  let levelsup = 0;
  for (let level: ParseState | null = state; level !== null; level = level.parent) {
    let result: Var | null = null;
    for (const item of level.namespace) {
      if (!item.colsVisible) continue;
      if (item.lateralOnly && !level.lateralActive) continue;
      const found = scanNamespaceItemForColumn(level === state ? state : { ...level, exprKind: state.exprKind, sourceText: state.sourceText }, item, levelsup, column, location);
      if (found !== null) {
        if (result !== null) throw parserError(state, 'ambiguous_column', `column reference "${column}" is ambiguous`, location);
        checkLateralRefOk(level, item, location);
        result = found;
      }
    }
    if (result !== null || localOnly) return result;
    levelsup++;
  }
  return null;
}

function addUnique(list: number[], value: number): void {
  if (!list.includes(value)) list.push(value);
}

/** Notes that the user needs SELECT on what this Var reads. */
export function markVarForSelectPriv(state: ParseState, v: Var): void {
  let level: ParseState = state;
  for (let i = 0; i < v.varlevelsup && level.parent !== null; i++) level = level.parent;
  const rte = level.rtable[v.varno - 1];
  if (rte !== undefined) markRteForSelectPriv(level, rte, v.varno, v.varattno);
}

function markRteForSelectPriv(state: ParseState, rte: RangeTblEntry, rtindex: number, column: number): void {
  if (rte.rtekind === 'relation') {
    rte.requiredPerms |= ACL.SELECT;
    addUnique(rte.selectedCols, column);
  } else if (rte.rtekind === 'join' && column === 0) {
    // A whole-row reference to a join reads all of both sides.
    const join = state.joinExprs[rtindex];
    if (join === undefined) return;
    for (const side of [join.larg, join.rarg]) {
      const index = side.kind === 'FromExpr' ? 0 : side.rtindex;
      const sideRte = state.rtable[index - 1];
      if (sideRte !== undefined) markRteForSelectPriv(state, sideRte, index, 0);
    }
  } else if (rte.rtekind === 'join') {
    // A column of a join with an alias is one of its sides'; what USING has merged is in the join's condition.
    const below = rte.joinaliasvars[column - 1];
    if (below?.kind === 'Var') markRteForSelectPriv(state, state.rtable[below.varno - 1]!, below.varno, below.varattno);
  }
}

// ---- making entries ------------------------------------------------------------------------------------------

function item(rte: RangeTblEntry, rtindex: number, columns: NamespaceColumn[]): NamespaceItem {
  return { names: rte.eref, rte, rtindex, columns, relVisible: true, colsVisible: true, lateralOnly: false, lateralOk: true };
}

function columnsOf(rtindex: number, types: readonly Oid[], typmods: readonly number[], collations: readonly Oid[]): NamespaceColumn[] {
  return types.map((type, i) => type === 0
    ? { varno: 0, varattno: 0, vartype: 0, vartypmod: -1, varcollid: 0, dontexpand: false }
    : { varno: rtindex, varattno: i + 1, vartype: type, vartypmod: typmods[i] ?? -1, varcollid: collations[i] ?? 0, dontexpand: false });
}

function addEntry(state: ParseState, rte: RangeTblEntry): number {
  state.rtable.push(rte);
  return state.rtable.length;
}

export function aliasOf(raw: RawNode | undefined): Alias | null {
  return raw === undefined ? null : makeAlias(raw.aliasname as string, (raw.colnames as string[] | undefined) ?? []);
}

/** The alias names first, then the relation's own; dropped columns get ''. */
function buildRelationAliases(relation: Relation, alias: Alias | null, eref: Alias): void {
  const given = alias?.colnames ?? [];
  if (given.length === 0) {
    eref.colnames = shapeOf(relation).names;
    return;
  }
  let next = 0;
  let dropped = 0;
  for (const attribute of relation.attributes) {
    if (attribute.attisdropped) {
      dropped++;
      eref.colnames.push('');
    } else if (next < given.length) {
      eref.colnames.push(given[next]!);
      next++;
    } else eref.colnames.push(attribute.attname);
  }
  if (next < given.length) {
    throw new PgError('invalid_column_reference', `table "${eref.aliasname}" has ${relation.attributes.length - dropped} columns available but ${given.length} columns specified`);
  }
}

/** The relation of a RangeVar, opened and locked; 42P01 with a hint where a WITH query was meant. */
export function parserOpenTable(state: ParseState, rangeVar: RawNode, lockmode: 1 | 2 | 3): Relation {
  const find = (): Oid => withErrorPosition(state, rangeVar.location, () => rangeVarGetRelid(rangeVar as never, true));
  let relid = find();
  // Who had it locked may have dropped or renamed it.
  for (let locked = 0; relid >= FirstNormalObjectId && relid !== locked && locksReads(); relid = find()) {
    locked = relid;
    if (lockReads([{ oid: relid, mode: lockmode }]) === 'at once' || !renewAfterWait()) break;
  }
  if (relid === 0) {
    if (rangeVar.schemaname !== undefined) {
      throw parserError(state, 'undefined_table', `relation "${rangeVar.schemaname}.${rangeVar.relname}" does not exist`, rangeVar.location);
    }
    const name = rangeVar.relname as string;
    throw parserError(state, 'undefined_table', `relation "${name}" does not exist`, rangeVar.location, isFutureCte(state, name) ? {
      detail: `There is a WITH item named "${name}", but it cannot be referenced from this part of the query.`,
      hint: 'Use WITH RECURSIVE, or re-order the WITH items to remove forward references.',
    } : {});
  }
  const relation = openRelation(relid);
  if (relation.kind === 'i' || relation.kind === 'I' || relation.kind === 'c') {
    throw parserError(state, 'wrong_object_type', `"${relation.name}" is ${relation.kind === 'c' ? 'a composite type' : 'an index'}`, rangeVar.location);
  }
  return relation;
}

interface RelationShape { names: string[]; columns: Map<number, NamespaceColumn[]> }
/** Names and columns of a relation as entries without column aliases have them; shared, so not to be changed. */
const shapes = new WeakMap<Relation, RelationShape>();

function shapeOf(relation: Relation): RelationShape {
  let shape = shapes.get(relation);
  if (shape === undefined) shapes.set(relation, (shape = { names: relation.attributes.map((a) => a.attisdropped ? '' : a.attname), columns: new Map() }));
  return shape;
}

function relationColumns(relation: Relation, rtindex: number): NamespaceColumn[] {
  const { columns } = shapeOf(relation);
  let list = columns.get(rtindex);
  if (list === undefined) {
    list = columnsOf(rtindex, relation.attributes.map((a) => a.attisdropped ? 0 : a.atttypid), relation.attributes.map((a) => a.atttypmod), relation.attributes.map((a) => a.attcollation));
    columns.set(rtindex, list);
  }
  return list;
}

/** An entry for a table named in the text. */
export function addRangeTableEntry(state: ParseState, rangeVar: RawNode, alias: Alias | null, inh: boolean, inFromCl: boolean): NamespaceItem {
  const lockmode = isLockedRefname(state, alias?.aliasname ?? (rangeVar.relname as string)) ? RowShareLock : AccessShareLock;
  const relation = parserOpenTable(state, rangeVar, lockmode);
  return addRangeTableEntryForRelation(state, relation, lockmode, alias, inh, inFromCl);
}

export function addRangeTableEntryForRelation(
  state: ParseState, relation: Relation, lockmode: number, alias: Alias | null, inh: boolean, inFromCl: boolean,
): NamespaceItem {
  const eref = makeAlias(alias?.aliasname ?? relation.name, []);
  const rte = makeRangeTblEntry('relation', alias, eref);
  rte.relid = relation.oid;
  rte.relkind = relation.kind;
  rte.rellockmode = lockmode;
  buildRelationAliases(relation, alias, eref);
  rte.inh = inh;
  rte.inFromCl = inFromCl;
  rte.requiredPerms = ACL.SELECT;
  const rtindex = addEntry(state, rte);
  return item(rte, rtindex, relationColumns(relation, rtindex));
}

/** Fills in the column names of a subquery-like entry from its alias; `count` columns are there. */
function mergeAliasColumns(eref: Alias, names: readonly string[], noun: string): void {
  const given = eref.colnames.length;
  if (names.length < given) {
    throw new PgError('invalid_column_reference', `${noun} "${eref.aliasname}" has ${names.length} columns available but ${given} columns specified`);
  }
  for (let i = given; i < names.length; i++) eref.colnames.push(names[i]!);
}

export function addRangeTableEntryForSubquery(state: ParseState, subquery: Query, alias: Alias, lateral: boolean, inFromCl: boolean): NamespaceItem {
  const eref = makeAlias(alias.aliasname, alias.colnames.slice());
  const rte = makeRangeTblEntry('subquery', alias, eref);
  rte.subquery = subquery;
  rte.lateral = lateral;
  rte.inFromCl = inFromCl;
  const columns = subquery.targetList.filter((te) => !te.resjunk);
  mergeAliasColumns(eref, columns.map((te) => te.resname ?? '?column?'), 'table');
  const rtindex = addEntry(state, rte);
  return item(rte, rtindex, columnsOf(rtindex, columns.map((te) => exprType(te.expr)), columns.map((te) => exprTypmod(te.expr)), columns.map((te) => exprCollation(te.expr))));
}

export function addRangeTableEntryForValues(
  state: ParseState, rows: Expr[][], coltypes: Oid[], coltypmods: number[], colcollations: Oid[], alias: Alias | null, lateral: boolean, inFromCl: boolean,
): NamespaceItem {
  const eref = makeAlias(alias?.aliasname ?? '*VALUES*', alias?.colnames.slice() ?? []);
  const rte = makeRangeTblEntry('values', alias, eref);
  rte.values_lists = rows;
  rte.coltypes = coltypes;
  rte.coltypmods = coltypmods;
  rte.colcollations = colcollations;
  rte.lateral = lateral;
  rte.inFromCl = inFromCl;
  mergeAliasColumns(eref, coltypes.map((_t, i) => `column${i + 1}`), 'VALUES lists');
  const rtindex = addEntry(state, rte);
  return item(rte, rtindex, columnsOf(rtindex, coltypes, coltypmods, colcollations));
}

export function addRangeTableEntryForJoin(
  state: ParseState, colnames: string[], columns: NamespaceColumn[], jointype: JoinType, mergedCols: number, aliasvars: (Expr | null)[],
  leftcols: number[], rightcols: number[], usingAlias: Alias | null, alias: Alias | null, inFromCl: boolean,
): NamespaceItem {
  if (aliasvars.length > 0x7fff) throw new PgError('program_limit_exceeded', 'joins can have at most 32767 columns');
  const eref = makeAlias(alias?.aliasname ?? 'unnamed_join', alias?.colnames.slice() ?? []);
  const rte = makeRangeTblEntry('join', alias, eref);
  rte.jointype = jointype;
  rte.joinmergedcols = mergedCols;
  rte.joinaliasvars = aliasvars;
  rte.joinleftcols = leftcols;
  rte.joinrightcols = rightcols;
  rte.join_using_alias = usingAlias;
  rte.inFromCl = inFromCl;
  mergeAliasColumns(eref, colnames, 'join expression');
  const rtindex = addEntry(state, rte);
  return item(rte, rtindex, columns);
}

/** A transition table: its columns are those of the trigger's table. */
export function addRangeTableEntryForEnr(state: ParseState, { relation }: EphemeralRelation, rangeVar: RawNode, inFromCl: boolean): NamespaceItem {
  const alias = aliasOf(rangeVar.alias);
  const name = rangeVar.relname as string;
  const eref = makeAlias(alias?.aliasname ?? name, alias?.colnames.slice() ?? []);
  const rte = makeRangeTblEntry('namedtuplestore', alias, eref);
  rte.ctename = name;
  rte.coltypes = relation.attributes.map((a) => (a.attisdropped ? 0 : a.atttypid));
  rte.coltypmods = relation.attributes.map((a) => a.atttypmod);
  rte.colcollations = relation.attributes.map((a) => a.attcollation);
  rte.inFromCl = inFromCl;
  mergeAliasColumns(eref, relation.attributes.map((a) => (a.attisdropped ? '' : a.attname)), 'table');
  const rtindex = addEntry(state, rte);
  return item(rte, rtindex, columnsOf(rtindex, rte.coltypes, rte.coltypmods, rte.colcollations));
}

export function addRangeTableEntryForCte(state: ParseState, cte: CommonTableExpr, levelsup: number, rangeVar: RawNode, inFromCl: boolean): NamespaceItem {
  const alias = aliasOf(rangeVar.alias);
  const eref = makeAlias(alias?.aliasname ?? cte.ctename, alias?.colnames.slice() ?? []);
  const rte = makeRangeTblEntry('cte', alias, eref);
  rte.ctename = cte.ctename;
  rte.ctelevelsup = levelsup;
  rte.self_reference = (cte as { analyzed?: boolean }).analyzed === false;
  if (!rte.self_reference) cte.cterefcount++;
  if (!rte.self_reference) {
    const query = cte.ctequery;
    if (query.commandType !== 'select' && query.returningList.length === 0) {
      throw parserError(state, 'feature_not_supported', `WITH query "${cte.ctename}" does not have a RETURNING clause`, rangeVar.location);
    }
  }
  rte.coltypes = cte.ctecoltypes.slice();
  rte.coltypmods = cte.ctecoltypmods.slice();
  rte.colcollations = cte.ctecolcollations.slice();
  rte.inFromCl = inFromCl;
  const names = cte.ctecolnames.slice();
  const extra = (name: string, type: Oid, typmod: number, collation: Oid): void => {
    names.push(name);
    rte.coltypes.push(type);
    rte.coltypmods.push(typmod);
    rte.colcollations.push(collation);
  };
  const own = names.length;
  if (cte.search_clause !== null) {
    extra(cte.search_clause.search_seq_column, cte.search_clause.search_breadth_first ? T.RECORDOID : T.RECORDARRAYOID, -1, 0);
  }
  if (cte.cycle_clause !== null) {
    const c = cte.cycle_clause;
    extra(c.cycle_mark_column, c.cycle_mark_type, c.cycle_mark_typmod, c.cycle_mark_collation);
    extra(c.cycle_path_column, T.RECORDARRAYOID, -1, 0);
  }
  mergeAliasColumns(eref, names, 'table');
  const rtindex = addEntry(state, rte);
  const columns = columnsOf(rtindex, rte.coltypes, rte.coltypmods, rte.colcollations);
  // Within the recursion the columns of SEARCH and CYCLE may be named, but "*" leaves them out.
  if (rte.self_reference) columns.forEach((c, i) => { if (i >= own) c.dontexpand = true; });
  return item(rte, rtindex, columns);
}

const TOO_LONG = 'a column definition list is only allowed for functions returning "record"';

/** An entry for functions in FROM: their result columns side by side, and the ordinality. */
export function addRangeTableEntryForFunction(
  state: ParseState, names: string[], funcexprs: Expr[], coldeflists: (RawNode[] | undefined)[], rangefunc: RawNode, lateral: boolean, inFromCl: boolean,
): NamespaceItem {
  const alias = aliasOf(rangefunc.alias);
  const eref = makeAlias(alias?.aliasname ?? names[0]!, []);
  const rte = makeRangeTblEntry('function', alias, eref);
  const colnames: string[] = [];
  const types: Oid[] = [];
  const typmods: number[] = [];
  const collations: Oid[] = [];
  funcexprs.forEach((funcexpr, i) => {
    const coldeflist = coldeflists[i];
    const rtfunc: RangeTblFunction = { funcexpr, funccolcount: 0, funccolnames: [], funccoltypes: [], funccoltypmods: [], funccolcollations: [] };
    const result: ResultDescription = getExprResultType(funcexpr);
    if (coldeflist !== undefined) {
      if (result.class === 'composite' || result.class === 'composite_domain') {
        throw parserError(state, 'syntax_error', hasOutArguments(funcexpr)
          ? 'a column definition list is redundant for a function with OUT parameters'
          : 'a column definition list is redundant for a function returning a named composite type', coldeflist[0]!.location);
      }
      if (result.class !== 'record') throw parserError(state, 'syntax_error', TOO_LONG, coldeflist[0]!.location);
    } else if (result.class === 'record') {
      throw parserError(state, 'syntax_error', 'a column definition list is required for functions returning "record"', exprLocation(funcexpr));
    }
    if (result.class === 'composite' || result.class === 'composite_domain') {
      for (const c of result.columns) {
        colnames.push(c.dropped ? '' : c.name);
        types.push(c.dropped ? 0 : c.type);
        typmods.push(c.typmod);
        collations.push(c.collation);
      }
      rtfunc.funccolcount = result.columns.length;
    } else if (result.class === 'scalar') {
      colnames.push(chooseScalarFunctionAlias(funcexpr, names[i]!, alias, funcexprs.length));
      types.push(result.type);
      typmods.push(exprTypmod(funcexpr));
      collations.push(exprCollation(funcexpr));
      rtfunc.funccolcount = 1;
    } else if (result.class === 'record') {
      if (coldeflist!.length > MAX_TUPLE_ATTRIBUTES) throw parserError(state, 'too_many_columns', `column definition lists can have at most ${MAX_TUPLE_ATTRIBUTES} entries`, coldeflist![0]!.location);
      const seen = new Set<string>();
      for (const column of coldeflist!) {
        const name = column.colname as string;
        if (column.typeName.setof === true) throw parserError(state, 'invalid_table_definition', `column "${name}" cannot be declared SETOF`, column.location);
        const { type, typmod } = typenameTypeIdAndMod(state, column.typeName);
        const collation = getColumnDefCollation(state, column, type);
        if (seen.has(name)) throw new PgError('duplicate_column', `column name "${name}" specified more than once`);
        seen.add(name);
        if (getType(type).typtype === 'p' && type !== T.RECORDOID) {
          throw new PgError('invalid_table_definition', `column "${name}" has pseudo-type ${formatType(type)}`);
        }
        rtfunc.funccolnames.push(name);
        rtfunc.funccoltypes.push(type);
        rtfunc.funccoltypmods.push(typmod);
        rtfunc.funccolcollations.push(collation);
        colnames.push(name);
        types.push(type);
        typmods.push(typmod);
        collations.push(collation);
      }
      rtfunc.funccolcount = coldeflist!.length;
    } else {
      throw parserError(state, 'datatype_mismatch', `function "${names[i]}" in FROM has unsupported return type ${formatType(result.type)}`, exprLocation(funcexpr));
    }
    rte.functions.push(rtfunc);
  });
  if (rangefunc.ordinality === true) {
    colnames.push('ordinality');
    types.push(T.INT8OID);
    typmods.push(-1);
    collations.push(0);
  }
  const given = alias?.colnames ?? [];
  eref.colnames = given.slice();
  const live = colnames.filter((name) => name !== '').length;
  if (given.length > live) {
    throw new PgError('invalid_column_reference', `table "${eref.aliasname}" has ${live} columns available but ${given.length} columns specified`);
  }
  eref.colnames = [];
  let next = 0;
  for (const name of colnames) eref.colnames.push(name === '' ? '' : next < given.length ? given[next++]! : name);
  rte.lateral = lateral;
  rte.funcordinality = rangefunc.ordinality === true;
  rte.inFromCl = inFromCl;
  return addFunctionEntry(state, rte, types, typmods, collations);
}

/** Adds an entry made of functions, whose columns have these types. */
export function addFunctionEntry(state: ParseState, rte: RangeTblEntry, types: readonly Oid[], typmods: readonly number[], collations: readonly Oid[]): NamespaceItem {
  const rtindex = addEntry(state, rte);
  return item(rte, rtindex, columnsOf(rtindex, types, typmods, collations));
}

function hasOutArguments(e: Expr): boolean {
  return e.kind === 'FuncExpr' && sys.procByOid(e.funcid)?.proargmodes !== null && sys.procByOid(e.funcid)?.proargmodes !== undefined;
}

/** Name of the one column of a scalar function: its OUT argument's, the alias, or the function's. */
function chooseScalarFunctionAlias(e: Expr, funcname: string, alias: Alias | null, nfuncs: number): string {
  if (e.kind === 'FuncExpr') {
    const proc = sys.procByOid(e.funcid);
    if (proc?.proargmodes && proc.proargnames) {
      const outs = proc.proargmodes.flatMap((mode, i) => mode === 'o' || mode === 'b' || mode === 't' ? [proc.proargnames![i] ?? ''] : []);
      if (outs.length === 1 && outs[0] !== '') return outs[0]!;
    }
  }
  return nfuncs === 1 && alias !== null ? alias.aliasname : funcname;
}

/** Adds the item to the query's FROM list and/or namespace. */
export function addNamespaceItemToQuery(state: ParseState, nsitem: NamespaceItem, toJoinList: boolean, toRelNamespace: boolean, toVarNamespace: boolean): void {
  if (toJoinList) state.joinlist.push({ kind: 'RangeTblRef', rtindex: nsitem.rtindex });
  if (toRelNamespace || toVarNamespace) {
    nsitem.relVisible = toRelNamespace;
    nsitem.colsVisible = toVarNamespace;
    nsitem.lateralOnly = false;
    nsitem.lateralOk = true;
    state.namespace.push(nsitem);
  }
}

/** Whether FOR UPDATE/SHARE will lock the entry of this name. */
export function isLockedRefname(state: ParseState, refname: string): boolean {
  if (state.lockedFromParent) return true;
  return state.lockingClause.some((c) => c.lockedRels.length === 0 || c.lockedRels.some((r) => r.relname === refname));
}

// ---- expansion -----------------------------------------------------------------------------------------------

/** Vars of all live columns, and their names. */
export function expandNamespaceItemVars(nsitem: NamespaceItem, levelsup: number, location: number): { vars: Var[]; names: string[] } {
  const vars: Var[] = [];
  const names: string[] = [];
  nsitem.columns.forEach((c, i) => {
    if (c.dontexpand) return;
    const name = nsitem.names.colnames[i]!;
    if (name !== '' && c.varno !== 0) {
      vars.push(makeVar(c.varno, c.varattno, c.vartype, c.vartypmod, c.varcollid, levelsup, location));
      names.push(name);
    }
  });
  return { vars, names };
}

/** Target entries for "tab.*", with SELECT noted on every column. */
export function expandNamespaceItemAttrs(state: ParseState, nsitem: NamespaceItem, levelsup: number, requireColPrivs: boolean, location: number): TargetEntry[] {
  const { vars, names } = expandNamespaceItemVars(nsitem, levelsup, location);
  if (nsitem.rte.rtekind === 'relation') nsitem.rte.requiredPerms |= ACL.SELECT;
  return vars.map((v, i) => {
    if (requireColPrivs) markVarForSelectPriv(state, v);
    return { expr: v, resno: state.nextResno++, resname: names[i]!, ressortgroupref: 0, resorigtbl: 0, resorigcol: 0, resjunk: false };
  });
}

/** The name of a column of an entry (get_rte_attribute_name). */
export function getRteAttributeName(rte: RangeTblEntry, attnum: number): string {
  if (attnum === 0) return '*';
  const aliased = rte.alias?.colnames[attnum - 1];
  if (attnum > 0 && aliased !== undefined) return aliased;
  if (rte.rtekind === 'relation') {
    const system = SYSTEM_COLUMNS.find((c) => c.attnum === attnum);
    if (system !== undefined) return system.attname;
    const name = sys.attributeByNumber(rte.relid, attnum)?.attname;
    if (name !== undefined) return name;
  }
  const name = rte.eref.colnames[attnum - 1];
  if (name === undefined) throw internalError(`invalid attnum ${attnum} for rangetable entry ${rte.eref.aliasname}`);
  return name;
}

/** The number of a column of an opened relation: 0 when missing, negative for system columns when those count. */
export function attnameAttNum(relation: Relation, name: string, systemOk: boolean): number {
  for (const a of relation.attributes) if (a.attname === name && !a.attisdropped) return a.attnum;
  return systemOk ? systemColumnByName(name)?.attnum ?? 0 : 0;
}

// ---- errors for names that mean nothing ----------------------------------------------------------------------

export function errorMissingRte(state: ParseState, schema: string | null, relname: string, location: number): PgError {
  // An entry of that name that cannot be seen from here?
  let bad: RangeTblEntry | undefined;
  for (let level: ParseState | null = state; level !== null && bad === undefined; level = level.parent) {
    bad = level.rtable.find((rte) => rte.rtekind === 'relation' && rte.alias !== null && getRelName(rte.relid) === relname)
      ?? level.rtable.find((rte) => rte.eref.aliasname === relname && (rte.rtekind !== 'join' || rte.alias !== null));
  }
  if (bad === undefined) return parserError(state, 'undefined_table', `missing FROM-clause entry for table "${relname}"`, location);
  void schema;
  const visible = isVisibleItem(state, bad);
  const fields = bad.eref.aliasname !== relname && visible
    ? { hint: `Perhaps you meant to reference the table alias "${bad.eref.aliasname}".` }
    : { hint: `There is an entry for table "${bad.eref.aliasname}", but it cannot be referenced from this part of the query.` };
  return parserError(state, 'undefined_table', `invalid reference to FROM-clause entry for table "${relname}"`, location, fields);
}

function isVisibleItem(state: ParseState, rte: RangeTblEntry): boolean {
  for (let level: ParseState | null = state; level !== null; level = level.parent) {
    if (level.namespace.some((n) => n.rte === rte && n.relVisible && !(n.lateralOnly && !level!.lateralActive))) return true;
  }
  return false;
}

const MAX_FUZZY_DISTANCE = 3;

/** Edit distance, given up past `max` (varstr_levenshtein_less_equal with costs 1). */
function levenshtein(a: string, b: string, max: number): number {
  if (Math.abs(a.length - b.length) > max) return max + 1;
  let previous = Array.from({ length: b.length + 1 }, (_x, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let best = i;
    for (let j = 1; j <= b.length; j++) {
      const d = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
      row.push(d);
      if (d < best) best = d;
    }
    if (best > max) return max + 1;
    previous = row;
  }
  return previous[b.length]!;
}

export function errorMissingColumn(state: ParseState, relname: string | null, colname: string, location: number): PgError {
  let distance = MAX_FUZZY_DISTANCE + 1;
  let first: { rte: RangeTblEntry; column: string } | undefined;
  let second: { rte: RangeTblEntry; column: string } | undefined;
  let exact: { rte: RangeTblEntry; column: string } | undefined;
  for (let level: ParseState | null = state; level !== null; level = level.parent) {
    for (const rte of level.rtable) {
      if (rte.rtekind === 'join') continue;
      const penalty = relname === null ? 0 : levenshtein(relname, rte.eref.aliasname, MAX_FUZZY_DISTANCE);
      if (relname === null && rte.rtekind === 'relation' && hasSystemColumns(rte) && systemColumnByName(colname) !== undefined) exact ??= { rte, column: colname };
      for (const name of rte.eref.colnames) {
        if (name === '') continue;
        if (name === colname && penalty === 0 && relname === null) exact ??= { rte, column: name };
        const d = levenshtein(colname, name, MAX_FUZZY_DISTANCE) + penalty;
        if (d > colname.length / 2 && d > 0 && d - penalty > colname.length / 2) continue;
        if (d > MAX_FUZZY_DISTANCE) continue;
        if (d < distance) {
          distance = d;
          first = { rte, column: name };
          second = undefined;
        } else if (d === distance) {
          if (second !== undefined) {
            first = undefined;
            second = undefined;
            distance = -1;
          } else if (first !== undefined) second = { rte, column: name };
        }
      }
    }
  }
  const message = relname === null ? `column "${colname}" does not exist` : `column ${relname}.${colname} does not exist`;
  if (exact !== undefined && relname === null) {
    return parserError(state, 'undefined_column', message, location, {
      hint: `There is a column named "${colname}" in table "${exact.rte.eref.aliasname}", but it cannot be referenced from this part of the query.`,
    });
  }
  if (first === undefined) return parserError(state, 'undefined_column', message, location);
  const q = (c: { rte: RangeTblEntry; column: string }): string => `"${c.rte.eref.aliasname}.${c.column}"`;
  return parserError(state, 'undefined_column', message, location, {
    hint: second === undefined ? `Perhaps you meant to reference the column ${q(first)}.` : `Perhaps you meant to reference the column ${q(first)} or the column ${q(second)}.`,
  });
}

