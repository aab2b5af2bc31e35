// Target lists of INSERT and UPDATE as the executor wants them (rewriteTargetListIU and rewriteValuesRTE): every column
// once, in order; defaults for those left out or given as DEFAULT; identity and generated columns checked.
import { getType } from '../catalog/lsyscache.ts';
import { PgError, internalError } from '../../common/errors.ts';
import type { Attribute, Relation } from '../catalog/relation.ts';
import { equal } from '../nodes/equalfuncs.ts';
import { makeNullConst, makeTargetEntry } from '../nodes/makefuncs.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { Query, RangeTblEntry } from '../nodes/parsenodes.ts';
import type { Expr, FieldStore, TargetEntry } from '../nodes/primnodes.ts';
import { coerceNullToDomain } from '../parser/parse_coerce.ts';
import { buildColumnDefault } from './defaults.ts';

interface ValuesSource { rte: RangeTblEntry; index: number; unused: Set<number>; defaultOnly: ReadonlySet<number> | null }

/** `unfilledDefaults`: the VALUES list still has DEFAULTs, to be filled in when a view gives way to its table. */
export function rewriteInsert(query: Query, relation: Relation, isUpdatableView: boolean, inheritedEntries: number): { query: Query; unfilledDefaults: boolean } {
  const index = valuesIndex(query, inheritedEntries);
  const values: ValuesSource | null = index < 0 ? null : { rte: query.rtable[index]!, index: index + 1, unused: new Set(), defaultOnly: null };
  let q: Query = { ...query, targetList: rewriteTargetList(query, query.targetList, relation, 'insert', values) };
  let unfilledDefaults = false;
  if (values !== null) {
    const rows = fillDefaults(q, values, relation, isUpdatableView);
    if (rows !== values.rte.values_lists) q = withValues(q, index, rows);
    unfilledDefaults = isUpdatableView && rows.some(hasDefault);
  }
  if (q.onConflict?.action === 'update') {
    q = { ...q, onConflict: { ...q.onConflict, onConflictSet: rewriteTargetList(q, q.onConflict.onConflictSet, relation, 'update', null) } };
  }
  return { query: q, unfilledDefaults };
}

/** The VALUES list of the INSERT itself; -1 none. A rule's action has the entries of the query it was fired by before its own. */
function valuesIndex(query: Query, inheritedEntries: number): number {
  for (const item of query.jointree.fromlist) {
    if (item.kind === 'RangeTblRef' && item.rtindex > inheritedEntries && query.rtable[item.rtindex - 1]!.rtekind === 'values') return item.rtindex - 1;
  }
  return -1;
}

/** The target lists of MERGE's actions. */
export function rewriteMerge(query: Query, relation: Relation): Query {
  return {
    ...query, mergeActionList: query.mergeActionList.map((a) => (a.command !== 'insert' && a.command !== 'update' ? a
      : { ...a, targetList: rewriteTargetList({ ...query, override: a.override }, a.targetList, relation, a.command, null) })),
  };
}

export function rewriteUpdate(query: Query, relation: Relation): Query {
  return { ...query, targetList: rewriteTargetList(query, query.targetList, relation, 'update', null) };
}

const withValues = (query: Query, index: number, rows: Expr[][]): Query => ({ ...query, rtable: query.rtable.map((r, i) => (i === index ? { ...r, values_lists: rows } : r)) });

function rewriteTargetList(query: Query, list: readonly TargetEntry[], relation: Relation, command: 'insert' | 'update', values: ValuesSource | null): TargetEntry[] {
  const byColumn: (TargetEntry | undefined)[] = new Array(relation.attributes.length);
  const junk: TargetEntry[] = [];
  for (const te of list) {
    if (te.resjunk) { junk.push(te); continue; }
    const attribute = relation.attributes[te.resno - 1];
    if (attribute === undefined) throw internalError(`bogus resno ${te.resno} in targetlist`);
    if (attribute.attisdropped) continue;
    const before = byColumn[te.resno - 1];
    byColumn[te.resno - 1] = before === undefined ? te : mergeAssignments(before, te, attribute.attname);
  }
  const result: TargetEntry[] = [];
  relation.attributes.forEach((attribute, i) => {
    if (attribute.attisdropped) return;
    const te = rewriteColumn(query, byColumn[i], attribute, relation, command, values);
    if (te !== null) result.push(te);
  });
  junk.forEach((te, i) => {
    const resno = relation.attributes.length + 1 + i;
    result.push(te.resno === resno ? te : { ...te, resno });
  });
  return result;
}

const notDefault = (attribute: Attribute, message: string, insert: boolean): PgError => new PgError('generated_always', message, attribute.attgenerated !== ''
  ? { detail: `Column "${attribute.attname}" is a generated column.` }
  : { detail: `Column "${attribute.attname}" is an identity column defined as GENERATED ALWAYS.`, ...(insert ? { hint: 'Use OVERRIDING SYSTEM VALUE to override.' } : {}) });

function rewriteColumn(query: Query, given: TargetEntry | undefined, attribute: Attribute, relation: Relation, command: 'insert' | 'update', values: ValuesSource | null): TargetEntry | null {
  let applyDefault = (given === undefined && command === 'insert') || given?.expr.kind === 'SetToDefault';
  const always = attribute.attidentity === 'a';
  const generated = attribute.attgenerated !== '';
  if (command === 'insert') {
    const column = values !== null && given?.expr.kind === 'Var' && given.expr.varno === values.index && given.expr.varlevelsup === 0 ? given.expr.varattno : 0;
    if (always && !applyDefault && query.override === 'user') applyDefault = true;
    if (attribute.attidentity === 'd' && query.override === 'user') applyDefault = true;
    if (!applyDefault && ((always && query.override !== 'system') || generated)) {
      applyDefault = column !== 0 && defaultOnlyColumns(values!).has(column);
      if (!applyDefault) throw notDefault(attribute, `cannot insert a non-DEFAULT value into column "${attribute.attname}"`, true);
    }
    if (column !== 0 && applyDefault) values!.unused.add(column);
  } else if (given !== undefined && !applyDefault && (always || generated)) {
    throw notDefault(attribute, `column "${attribute.attname}" can only be updated to DEFAULT`, false);
  }
  // Stored generated columns are computed by the executor, from the row as it will be.
  if (generated) return null;
  if (!applyDefault) return given ?? null;
  let expr = buildColumnDefault(relation, attribute);
  if (expr === null) {
    // NULL, by being left out; a domain may refuse it.
    if (command === 'insert' && (!'rp'.includes(relation.kind) || getType(attribute.atttypid).typtype !== 'd')) return null;
    expr = coerceNullToDomain(attribute.atttypid, -1, attribute.attcollation);
  }
  return makeTargetEntry(expr, attribute.attnum, attribute.attname, false);
}

// ---- several assignments to one column

/** What a partial assignment starts from: null when `e` is none (get_assignment_input). */
function assignmentInput(e: Expr): Expr | null {
  if (e.kind === 'FieldStore') return e.arg;
  return e.kind === 'SubscriptingRef' && e.refassgnexpr !== null ? e.refexpr : null;
}

/** SET a[1] = x, a[2] = y: the later assignment is applied to the result of the earlier (process_matched_tle). */
function mergeAssignments(prior: TargetEntry, later: TargetEntry, attname: string): TargetEntry {
  const fail = (): PgError => new PgError('syntax_error', `multiple assignments to same column "${attname}"`);
  let src = later.expr;
  let before = prior.expr;
  const domain = src.kind === 'CoerceToDomain' && before.kind === 'CoerceToDomain' && src.resulttype === before.resulttype ? src : null;
  if (domain !== null && before.kind === 'CoerceToDomain') { src = domain.arg; before = before.arg; }
  const input = assignmentInput(src);
  let bottom = assignmentInput(before);
  if (input === null || bottom === null || exprType(src) !== exprType(before)) throw fail();
  for (let next = assignmentInput(bottom); next !== null; next = assignmentInput(bottom)) bottom = next;
  if (!equal(bottom, input)) throw fail();
  let merged: Expr;
  if (src.kind === 'FieldStore') {
    merged = before.kind === 'FieldStore'
      ? { ...before, newvals: [...before.newvals, ...src.newvals], fieldnums: [...before.fieldnums, ...src.fieldnums] } satisfies FieldStore
      : { ...src, arg: before };
  } else if (src.kind === 'SubscriptingRef') merged = { ...src, refexpr: before };
  else throw fail();
  return { ...later, expr: domain === null ? merged : { ...domain, arg: merged } };
}

// ---- multi-row VALUES

const hasDefault = (row: readonly Expr[]): boolean => row.some((e) => e.kind === 'SetToDefault');

function defaultOnlyColumns(values: ValuesSource): ReadonlySet<number> {
  if (values.defaultOnly === null) {
    const rows = values.rte.values_lists;
    values.defaultOnly = new Set(rows[0]!.flatMap((_e, i) => (rows.every((row) => row[i]!.kind === 'SetToDefault') ? [i + 1] : [])));
  }
  return values.defaultOnly;
}

/** DEFAULT inside the rows becomes the default of the column it goes to. On a view that gives way to its table, the
 * table's default is left to be found then. */
function fillDefaults(query: Query, values: ValuesSource, relation: Relation, isUpdatableView: boolean): Expr[][] {
  const { rte } = values;
  if (!rte.values_lists.some(hasDefault)) return rte.values_lists;
  const targets: number[] = [];
  for (const te of query.targetList) if (te.expr.kind === 'Var' && te.expr.varno === values.index && te.expr.varlevelsup === 0) targets[te.expr.varattno - 1] = te.resno;
  return rte.values_lists.map((row) => (hasDefault(row) ? row.map((e, i) => {
    if (e.kind !== 'SetToDefault') return e;
    if (values.unused.has(i + 1)) return makeNullConst(e.typeId, e.typeMod, e.collation);
    const attribute = relation.attributes[(targets[i] ?? 0) - 1];
    if (attribute === undefined) throw internalError(`cannot set value in column ${i + 1} to DEFAULT`);
    const expr = attribute.attisdropped ? null : buildColumnDefault(relation, attribute);
    if (expr !== null) return expr;
    return isUpdatableView ? e : coerceNullToDomain(attribute.atttypid, -1, attribute.attcollation);
  }) : row));
}

/** What is still DEFAULT becomes NULL: for the queries that rules make of an INSERT (rewriteValuesRTEToNulls). */
export function defaultsToNulls(query: Query): Query {
  return {
    ...query, rtable: query.rtable.map((rte) => (rte.rtekind === 'values' && rte.values_lists.some(hasDefault)
      ? { ...rte, values_lists: rte.values_lists.map((row) => row.map((e) => (e.kind === 'SetToDefault' ? makeNullConst(e.typeId, e.typeMod, e.collation) : e))) } : rte)),
  };
}
