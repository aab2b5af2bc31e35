// Names for the range table entries of a query and their columns, so that every reference is unambiguous when the text
// is parsed again (set_deparse_for_query of PostgreSQL's ruleutils.c). Columns that were added, dropped or renamed since
// the query was stored are taken account of; those merged by JOIN USING keep one name through all levels.
import { internalError } from '../../../common/errors.ts';
import { getRelName } from '../../catalog/lsyscache.ts';
import { openRelation, tryOpenRelation } from '../../catalog/relcache.ts';
import { makeAlias, makeRangeTblEntry } from '../../nodes/makefuncs.ts';
import type { CommonTableExpr, Query, RangeTblEntry } from '../../nodes/parsenodes.ts';
import type { FromItem, JoinExpr } from '../../nodes/primnodes.ts';
import { getExprResultType } from '../../parser/func_result.ts';
import type { Oid } from '../../types/datum.ts';

/** One query level. */
export interface DeparseNamespace {
  rtable: readonly RangeTblEntry[];
  /** null: cannot be referred to by name (an unnamed join). */
  rtableNames: readonly (string | null)[];
  columns: DeparseColumns[];
  ctes: readonly CommonTableExpr[];
  uniqueUsing: boolean;
  usingNames: string[];
  /** Of the function whose body is written: its name and those of its input arguments. */
  funcname?: string;
  argnames?: readonly string[];
}

/** The columns of one range table entry (deparse_columns). */
export interface DeparseColumns {
  /** By attnum - 1, as of when the query was stored: the name to use, null for a dropped column. */
  colnames: (string | null)[];
  /** As they would be if the entry were parsed now, without dropped ones; whether they are new. */
  newColnames: string[];
  isNewCol: boolean[];
  printAliases: boolean;
  /** USING names of enclosing joins: not to be used for other columns. */
  parentUsing: readonly string[];
  // Joins only:
  leftrti: number;
  rightrti: number;
  /** Per join column: the column of the left and right input it comes from, 0 for none. */
  leftattnos: readonly number[];
  rightattnos: readonly number[];
  usingNames: string[];
}

const emptyColumns = (): DeparseColumns => ({
  colnames: [], newColnames: [], isNewCol: [], printAliases: false, parentUsing: [], leftrti: 0, rightrti: 0, leftattnos: [], rightattnos: [], usingNames: [],
});

export function emptyNamespace(): DeparseNamespace {
  return { rtable: [], rtableNames: [], columns: [], ctes: [], uniqueUsing: false, usingNames: [] };
}

/** The namespace of an expression over one relation: varno 1 is the relation (deparse_context_for). */
export function relationNamespace(relid: Oid): DeparseNamespace {
  return simpleNamespace([relationEntry(relid, null)]);
}

/** The namespace of a trigger's WHEN: varno 1 is OLD, 2 is NEW. */
export function oldNewNamespace(relid: Oid): DeparseNamespace {
  return simpleNamespace([relationEntry(relid, 'old'), relationEntry(relid, 'new')]);
}

function relationEntry(relid: Oid, alias: string | null): RangeTblEntry {
  const name = alias ?? getRelName(relid) ?? '';
  return { ...makeRangeTblEntry('relation', alias === null ? null : makeAlias(alias, []), makeAlias(name, [])), relid, inh: true };
}

/** Without joins: columns get names of their own only (set_simple_column_names). */
function simpleNamespace(rtable: readonly RangeTblEntry[]): DeparseNamespace {
  const ns = { ...emptyNamespace(), rtable, rtableNames: rtableNames(rtable, []), columns: rtable.map(emptyColumns) };
  rtable.forEach((rte, i) => setRelationColumnNames(ns, rte, ns.columns[i]!));
  return ns;
}

/** The namespace of a query. `reserved`: names that no entry may get (OLD and NEW of a view's rule). */
export function queryNamespace(query: Query, outer: readonly DeparseNamespace[], reserved: readonly string[] = []): DeparseNamespace {
  const ns: DeparseNamespace = {
    ...emptyNamespace(), rtable: query.rtable, rtableNames: rtableNames(query.rtable, outer, reserved), columns: query.rtable.map(emptyColumns), ctes: query.cteList,
  };
  ns.uniqueUsing = hasDangerousJoinUsing(ns, query.jointree);
  setUsingNames(ns, query.jointree, []);
  query.rtable.forEach((rte, i) => {
    if (rte.rtekind === 'join') setJoinColumnNames(ns, rte, ns.columns[i]!);
    else setRelationColumnNames(ns, rte, ns.columns[i]!);
  });
  return ns;
}

/** A name for each entry that no other of this or an outer level has (set_rtable_names). */
function rtableNames(rtable: readonly RangeTblEntry[], outer: readonly DeparseNamespace[], reserved: readonly string[] = []): (string | null)[] {
  const counters = new Map<string, number>(reserved.map((name) => [name, 0]));
  for (const ns of outer) for (const name of ns.rtableNames) if (name !== null) counters.set(name, 0);
  return rtable.map((rte) => {
    const name = rte.alias !== null ? rte.alias.aliasname : rte.rtekind === 'relation' ? getRelName(rte.relid) ?? rte.eref.aliasname
      : rte.rtekind === 'join' ? null : rte.eref.aliasname;
    if (name === null) return null;
    if (!counters.has(name)) { counters.set(name, 0); return name; }
    let unique: string;
    do {
      const n = counters.get(name)! + 1;
      counters.set(name, n);
      unique = suffixed(name, n);
    } while (counters.has(unique));
    counters.set(unique, 0);
    return unique;
  });
}

/** `name_n`, cut so that it is a valid identifier. */
function suffixed(name: string, n: number): string {
  const suffix = `_${n}`;
  let base = name;
  while (Buffer.byteLength(base + suffix) > 63) base = [...base].slice(0, -1).join('');
  return base + suffix;
}

/** Whether some merged column is no plain Var: then its name must be unique in the whole query. */
function hasDangerousJoinUsing(ns: DeparseNamespace, item: FromItem): boolean {
  switch (item.kind) {
    case 'RangeTblRef': return false;
    case 'FromExpr': return item.fromlist.some((f) => hasDangerousJoinUsing(ns, f));
    case 'JoinExpr': {
      if (item.alias === null && item.usingClause.length > 0) {
        const rte = ns.rtable[item.rtindex - 1]!;
        if (rte.joinaliasvars.slice(0, rte.joinmergedcols).some((v) => v?.kind !== 'Var')) return true;
      }
      return hasDangerousJoinUsing(ns, item.larg) || hasDangerousJoinUsing(ns, item.rarg);
    }
  }
}

const setColname = (columns: DeparseColumns, attnum: number, name: string): void => {
  expand(columns.colnames, attnum);
  columns.colnames[attnum - 1] = name;
};
const expand = (names: (string | null)[], length: number): void => { while (names.length < length) names.push(null); };

/** Chooses the names of merged columns, from the top down (set_using_names). */
function setUsingNames(ns: DeparseNamespace, item: FromItem, parentUsing: readonly string[]): void {
  if (item.kind === 'RangeTblRef') return;
  if (item.kind === 'FromExpr') { for (const f of item.fromlist) setUsingNames(ns, f, parentUsing); return; }
  const rte = ns.rtable[item.rtindex - 1]!;
  const columns = ns.columns[item.rtindex - 1]!;
  identifyJoinColumns(item, rte, columns);
  const left = ns.columns[columns.leftrti - 1]!;
  const right = ns.columns[columns.rightrti - 1]!;
  const pushDown = (i: number, name: string): void => {
    if (columns.leftattnos[i]! > 0) setColname(left, columns.leftattnos[i]!, name);
    if (columns.rightattnos[i]! > 0) setColname(right, columns.rightattnos[i]!, name);
  };
  // An unnamed join cannot rename columns, so what was asked of it is asked of its inputs.
  if (rte.alias === null) columns.colnames.forEach((name, i) => { if (name !== null) pushDown(i, name); });
  let using = parentUsing;
  if (item.usingClause.length > 0) {
    const names = [...parentUsing];
    using = names;
    expand(columns.colnames, item.usingClause.length);
    item.usingClause.forEach((written, i) => {
      let name = columns.colnames[i]!;
      if (name === null) {
        name = makeUnique(rte.alias?.colnames[i] ?? written, ns, columns);
        if (ns.uniqueUsing) ns.usingNames.push(name);
        columns.colnames[i] = name;
      }
      columns.usingNames.push(name);
      names.push(name);
      pushDown(i, name);
    });
  }
  left.parentUsing = using;
  right.parentUsing = using;
  setUsingNames(ns, item.larg, using);
  setUsingNames(ns, item.rarg, using);
}

function identifyJoinColumns(j: JoinExpr, rte: RangeTblEntry, columns: DeparseColumns): void {
  const rtindexOf = (item: FromItem): number => {
    if (item.kind === 'FromExpr') throw internalError('unrecognized node type in jointree: FromExpr');
    return item.rtindex;
  };
  columns.leftrti = rtindexOf(j.larg);
  columns.rightrti = rtindexOf(j.rarg);
  columns.leftattnos = rte.joinleftcols;
  columns.rightattnos = rte.joinrightcols;
}

/** What the columns are really called now; null for dropped ones. */
function realColumnNames(rte: RangeTblEntry): (string | null)[] {
  if (rte.rtekind === 'relation') {
    const relation = tryOpenRelation(rte.relid) ?? openRelation(rte.relid);
    return relation.attributes.map((a) => (a.attisdropped ? null : a.attname));
  }
  if (rte.rtekind === 'function' && rte.functions.length > 0) return functionColumnNames(rte);
  return rte.eref.colnames.map((name) => (name === '' ? null : name));
}

/** Functions that return a composite type may have got or lost columns since (expandRTE). */
function functionColumnNames(rte: RangeTblEntry): (string | null)[] {
  const names: (string | null)[] = [];
  for (const f of rte.functions) {
    const from = names.length;
    const dropped = f.funccolnames.length > 0 ? [] : getExprResultType(f.funcexpr).columns.map((c) => c.dropped);
    for (let i = 0; i < f.funccolcount; i++) names.push(dropped[i] === true ? null : rte.eref.colnames[from + i] ?? null);
  }
  if (rte.funcordinality) names.push(rte.eref.colnames[rte.eref.colnames.length - 1]!);
  return names;
}

function setRelationColumnNames(ns: DeparseNamespace, rte: RangeTblEntry, columns: DeparseColumns): void {
  const real = realColumnNames(rte);
  expand(columns.colnames, real.length);
  const oldCount = rte.eref.colnames.length;
  let changedAny = false;
  real.forEach((realName, i) => {
    if (realName === null) return;
    const name = columns.colnames[i] ??= makeUnique(rte.alias?.colnames[i] ?? realName, ns, columns);
    columns.newColnames.push(name);
    columns.isNewCol.push(i >= oldCount);
    changedAny ||= name !== realName;
  });
  if (rte.rtekind === 'relation') columns.printAliases = changedAny;
  else if (rte.rtekind === 'function') columns.printAliases = rte.functions[0]?.funcexpr.kind !== 'TableFunc';
  else columns.printAliases = (rte.alias?.colnames.length ?? 0) > 0 || changedAny;
}

function setJoinColumnNames(ns: DeparseNamespace, rte: RangeTblEntry, columns: DeparseColumns): void {
  const left = ns.columns[columns.leftrti - 1];
  const right = ns.columns[columns.rightrti - 1];
  // A join that is not in the jointree (any more) is not referred to.
  if (left === undefined || right === undefined) return;
  const oldCount = rte.eref.colnames.length;
  expand(columns.colnames, oldCount);
  let changedAny = false;
  for (let i = columns.usingNames.length; i < oldCount; i++) {
    const l = columns.leftattnos[i]!;
    const r = columns.rightattnos[i]!;
    const realName = l > 0 ? left.colnames[l - 1]! : r > 0 ? right.colnames[r - 1]! : rte.eref.colnames[i]!;
    if (realName === null || rte.alias === null) { columns.colnames[i] = realName; continue; }
    const name = columns.colnames[i] ??= makeUnique(rte.alias.colnames[i] ?? realName, ns, columns);
    changedAny ||= name !== realName;
  }
  // The columns as they would be now: merged ones, those of the left input, those of the right one.
  let i = 0;
  const leftMerged = new Set<number>();
  const rightMerged = new Set<number>();
  while (i < oldCount && columns.leftattnos[i] !== 0 && columns.rightattnos[i] !== 0) {
    columns.newColnames.push(columns.colnames[i]!);
    columns.isNewCol.push(false);
    leftMerged.add(columns.leftattnos[i]!);
    rightMerged.add(columns.rightattnos[i]!);
    i++;
  }
  const rest = (child: DeparseColumns, merged: ReadonlySet<number>): void => {
    let at = 0;
    child.newColnames.forEach((childName, n) => {
      if (!child.isNewCol[n]) {
        while (at < child.colnames.length && child.colnames[at] === null) at++;
        at++;
        if (merged.has(at)) return;
        while (i < columns.colnames.length && columns.colnames[i] === null) i++;
        columns.newColnames.push(columns.colnames[i]!);
        i++;
      } else if (rte.alias !== null) {
        const name = makeUnique(childName, ns, columns);
        columns.newColnames.push(name);
        changedAny ||= name !== childName;
      } else columns.newColnames.push(childName);
      columns.isNewCol.push(child.isNewCol[n]!);
    });
  };
  rest(left, leftMerged);
  rest(right, rightMerged);
  columns.printAliases = rte.alias !== null && changedAny;
}

const isUnique = (name: string, ns: DeparseNamespace, columns: DeparseColumns): boolean => !columns.colnames.includes(name) && !columns.newColnames.includes(name)
  && !ns.usingNames.includes(name) && !columns.parentUsing.includes(name);

function makeUnique(name: string, ns: DeparseNamespace, columns: DeparseColumns): string {
  let unique = name;
  for (let n = 1; !isUnique(unique, ns, columns); n++) unique = suffixed(name, n);
  return unique;
}
