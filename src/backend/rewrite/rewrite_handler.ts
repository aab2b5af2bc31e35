// From analyzed queries to those the planner gets (PostgreSQL's rewriteHandler.c): missing and DEFAULT columns of INSERT
// and UPDATE are filled in, views give way to their queries, and INSERT, UPDATE and DELETE on a simple view become the
// same on its table (updatable_views.ts).
import { PgError, notSupported } from '../../common/errors.ts';
import type { Attribute, Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { buildColumnDefault } from './defaults.ts';
import { makeNullConst, makeTargetEntry } from '../nodes/makefuncs.ts';
import { expressionTreeMutator, queryTreeMutator } from '../nodes/nodeFuncs.ts';
import type { Query, RangeTblEntry } from '../nodes/parsenodes.ts';
import type { Expr, TargetEntry } from '../nodes/primnodes.ts';
import { expandInheritedTarget } from './inherit_target.ts';
import { rewriteViewTarget } from './updatable_views.ts';

/** Rewrites one analyzed query into those to be planned, in order. */
export function queryRewrite(query: Query): Query[] {
  if (query.commandType === 'utility') return [query];
  return expandInheritedTarget(rewriteModify(query)).map((q) => expandViews(q, []));
}

// ---- INSERT, UPDATE, DELETE

function rewriteModify(query: Query): Query {
  let q = query;
  if (q.cteList.some((c) => c.ctequery.commandType !== 'select')) {
    q = { ...q, cteList: q.cteList.map((c) => (c.ctequery.commandType === 'select' ? c : { ...c, ctequery: rewriteModify(c.ctequery) })) };
  }
  if (q.commandType !== 'insert' && q.commandType !== 'update' && q.commandType !== 'delete' && q.commandType !== 'merge') return q;
  const rte = q.rtable[q.resultRelation - 1]!;
  const relation = openRelation(rte.relid);
  if (relation.hasRules && relation.kind !== 'v') throw notSupported(`a rule on table "${relation.name}"`);
  if (relation.kind === 'v') return rewriteModify(rewriteViewTarget(q, relation));
  if (q.commandType === 'merge') return q;
  if (q.commandType === 'insert') {
    q = rewriteValuesDefaults(q, relation);
    q = { ...q, targetList: rewriteTargetList(q, q.targetList, relation, 'insert') };
    if (q.onConflict?.action === 'update') {
      q = { ...q, onConflict: { ...q.onConflict, onConflictSet: rewriteTargetList(q, q.onConflict.onConflictSet, relation, 'update') } };
    }
  } else if (q.commandType === 'update') {
    q = { ...q, targetList: rewriteTargetList(q, q.targetList, relation, 'update') };
  }
  return q;
}

const isDefault = (te: TargetEntry | undefined): boolean => te !== undefined && te.expr.kind === 'SetToDefault';

/** Every assigned column once, in column order; for INSERT with the defaults of those left out (rewriteTargetListIU). */
function rewriteTargetList(query: Query, list: readonly TargetEntry[], relation: Relation, command: 'insert' | 'update'): TargetEntry[] {
  const byColumn: (TargetEntry | undefined)[] = new Array(relation.attributes.length);
  const junk: TargetEntry[] = [];
  for (const te of list) {
    if (te.resjunk) { junk.push(te); continue; }
    const before = byColumn[te.resno - 1];
    byColumn[te.resno - 1] = before === undefined ? te : mergeAssignments(before, te, relation.attributes[te.resno - 1]!);
  }
  const result: TargetEntry[] = [];
  relation.attributes.forEach((attribute, i) => {
    if (attribute.attisdropped) return;
    const te = rewriteColumn(query, byColumn[i], attribute, relation, command);
    if (te !== null) result.push(te);
  });
  junk.forEach((te, i) => result.push({ ...te, resno: relation.attributes.length + 1 + i }));
  return result;
}

function rewriteColumn(query: Query, given: TargetEntry | undefined, attribute: Attribute, relation: Relation, command: 'insert' | 'update'): TargetEntry | null {
  let te = given;
  let applyDefault = (te === undefined && command === 'insert') || isDefault(te);
  if (command === 'insert') {
    if (attribute.attidentity === 'a' && !applyDefault) {
      if (query.override === 'user') applyDefault = true;
      else if (query.override !== 'system' && !valuesAllDefault(query, te!)) {
        throw new PgError('generated_always', `cannot insert a non-DEFAULT value into column "${attribute.attname}"`, {
          detail: `Column "${attribute.attname}" is an identity column defined as GENERATED ALWAYS.`, hint: 'Use OVERRIDING SYSTEM VALUE to override.',
        });
      }
    }
    if (attribute.attidentity === 'd' && query.override === 'user') applyDefault = true;
    if (attribute.attgenerated !== '' && !applyDefault) {
      if (valuesAllDefault(query, te!)) applyDefault = true;
      else {
        throw new PgError('generated_always', `cannot insert a non-DEFAULT value into column "${attribute.attname}"`, {
          detail: `Column "${attribute.attname}" is a generated column.`,
        });
      }
    }
  } else {
    if (attribute.attidentity === 'a' && te !== undefined && !applyDefault) {
      throw new PgError('generated_always', `column "${attribute.attname}" can only be updated to DEFAULT`, {
        detail: `Column "${attribute.attname}" is an identity column defined as GENERATED ALWAYS.`,
      });
    }
    if (attribute.attgenerated !== '' && te !== undefined && !applyDefault) {
      throw new PgError('generated_always', `column "${attribute.attname}" can only be updated to DEFAULT`, {
        detail: `Column "${attribute.attname}" is a generated column.`,
      });
    }
  }
  // Stored generated columns are computed by the executor, from the row as it will be.
  if (attribute.attgenerated !== '') return null;
  if (!applyDefault) return te ?? null;
  const expr = buildColumnDefault(relation, attribute);
  if (expr === null) {
    if (command === 'insert') return null; // NULL, by being left out
    te = makeTargetEntry(makeNullConst(attribute.atttypid, -1, attribute.attcollation), attribute.attnum, attribute.attname, false);
    return te;
  }
  return makeTargetEntry(expr, attribute.attnum, attribute.attname, false);
}

/** SET a[1] = x, a[2] = y: the later assignment is applied to the result of the earlier (process_matched_tle). */
function mergeAssignments(before: TargetEntry, after: TargetEntry, attribute: Attribute): TargetEntry {
  const merged = replaceBase(after.expr, before.expr);
  if (merged === null) {
    throw new PgError('syntax_error', `multiple assignments to same column "${attribute.attname}"`);
  }
  return { ...after, expr: merged };
}

/** Puts `base` where the nested assignment `expr` starts from; null when it is no partial assignment. */
function replaceBase(expr: Expr, base: Expr): Expr | null {
  if (expr.kind === 'SubscriptingRef' && expr.refassgnexpr !== null && (base.kind === 'SubscriptingRef' || base.kind === 'FieldStore')) {
    return { ...expr, refexpr: expr.refexpr.kind === 'Var' ? base : replaceBase(expr.refexpr, base) ?? base };
  }
  if (expr.kind === 'FieldStore' && (base.kind === 'FieldStore' || base.kind === 'SubscriptingRef')) {
    return { ...expr, arg: expr.arg.kind === 'Var' ? base : replaceBase(expr.arg, base) ?? base };
  }
  if (expr.kind === 'CoerceToDomain') {
    const arg = replaceBase(expr.arg, base.kind === 'CoerceToDomain' ? base.arg : base);
    return arg === null ? null : { ...expr, arg };
  }
  return null;
}

// ---- multi-row VALUES

/** The VALUES list a target column comes from, when it does. */
function valuesColumn(query: Query, te: TargetEntry): { rte: RangeTblEntry; column: number } | null {
  let { expr } = te;
  while (expr.kind === 'RelabelType' || expr.kind === 'CoerceToDomain') expr = expr.arg;
  if (expr.kind !== 'Var' || expr.varlevelsup !== 0) return null;
  const rte = query.rtable[expr.varno - 1];
  return rte?.rtekind === 'values' ? { rte, column: expr.varattno - 1 } : null;
}

function valuesAllDefault(query: Query, te: TargetEntry): boolean {
  if (te.expr.kind === 'SetToDefault') return true;
  const source = valuesColumn(query, te);
  return source !== null && source.rte.values_lists.every((row) => row[source.column]!.kind === 'SetToDefault');
}

/** DEFAULT inside a multi-row VALUES becomes the default of the column it goes to (rewriteValuesRTE). */
function rewriteValuesDefaults(query: Query, relation: Relation): Query {
  const index = query.rtable.findIndex((r) => r.rtekind === 'values' && r.values_lists.some((row) => row.some((e) => e.kind === 'SetToDefault')));
  if (index < 0) return query;
  const rte = query.rtable[index]!;
  const columns: (Attribute | undefined)[] = [];
  for (const te of query.targetList) {
    const source = valuesColumn(query, te);
    if (source !== null && source.rte === rte) columns[source.column] = relation.attributes[te.resno - 1];
  }
  const values_lists = rte.values_lists.map((row) => row.map((e, i) => {
    if (e.kind !== 'SetToDefault') return e;
    const attribute = columns[i];
    if (attribute === undefined) return makeNullConst(e.typeId, e.typeMod, e.collation);
    const identityOrGenerated = attribute.attgenerated !== '';
    const expr = identityOrGenerated ? null : buildColumnDefault(relation, attribute);
    return expr ?? makeNullConst(attribute.atttypid, -1, attribute.attcollation);
  }));
  const mixed = columns.findIndex((a, i) => a !== undefined && (a.attgenerated !== '' || (a.attidentity === 'a' && query.override === 'none'))
    && rte.values_lists.some((row) => row[i]!.kind !== 'SetToDefault') && rte.values_lists.some((row) => row[i]!.kind === 'SetToDefault'));
  if (mixed >= 0) {
    const attribute = columns[mixed]!;
    throw new PgError('generated_always', `cannot insert a non-DEFAULT value into column "${attribute.attname}"`, {
      detail: attribute.attgenerated !== '' ? `Column "${attribute.attname}" is a generated column.` : `Column "${attribute.attname}" is an identity column defined as GENERATED ALWAYS.`,
      ...(attribute.attgenerated === '' ? { hint: 'Use OVERRIDING SYSTEM VALUE to override.' } : {}),
    });
  }
  // A column that is DEFAULT in every row is simply left to its default.
  const allDefault = new Set(columns.flatMap((a, i) => (a !== undefined && rte.values_lists.every((row) => row[i]!.kind === 'SetToDefault') ? [a.attnum] : [])));
  return {
    ...query,
    rtable: query.rtable.map((r, i) => (i === index ? { ...r, values_lists } : r)),
    targetList: query.targetList.filter((te) => te.resjunk || !allDefault.has(te.resno)),
  };
}

// ---- views

/** A copy of the query with every query directly inside it (FROM, WITH, sublinks) replaced by what `change` makes of it. */
function mutateSubqueries(query: Query, change: (q: Query) => Query): Query {
  if (query.hasSubLinks) {
    const m = (e: Expr): Expr => expressionTreeMutator(e, m, change);
    return queryTreeMutator(query, m, { query: change });
  }
  if (query.cteList.length === 0 && !query.rtable.some((r) => r.subquery !== null)) return query;
  return {
    ...query, cteList: query.cteList.map((c) => ({ ...c, ctequery: change(c.ctequery) })),
    rtable: query.rtable.map((r) => (r.subquery === null ? r : { ...r, subquery: change(r.subquery) })),
  };
}

/** Replaces every view of the query, at any depth, by its query (fireRIRrules). */
export function expandViews(query: Query, active: readonly number[]): Query {
  const inner = mutateSubqueries(query, (q) => expandViews(q, active));
  if (!inner.rtable.some((r) => r.rtekind === 'relation' && r.relkind === 'v')) return inner;
  return { ...inner, rtable: inner.rtable.map((rte, i) => expandEntry(inner, rte, i + 1, active)) };
}

function expandEntry(query: Query, rte: RangeTblEntry, rtindex: number, active: readonly number[]): RangeTblEntry {
  if (rte.rtekind !== 'relation' || rte.relkind !== 'v' || rtindex === query.resultRelation) return rte;
  const relation = openRelation(rte.relid);
  if (active.includes(relation.oid)) {
    throw new PgError('invalid_object_definition', `infinite recursion detected in rules for relation "${relation.name}"`);
  }
  const view = relation.viewQuery;
  if (view === null) throw new PgError('internal_error', `view "${relation.name}" has no query`);
  const user = relation.options.get('security_invoker') === 'true' ? rte.checkAsUser : relation.owner;
  const subquery = expandViews(checkAs(view, user), [...active, relation.oid]);
  return { ...rte, rtekind: 'subquery', subquery, security_barrier: relation.options.get('security_barrier') === 'true' };
}

/** The view's tables are read with its owner's rights, not with those of who reads the view. */
function checkAs(query: Query, user: number): Query {
  const inner = mutateSubqueries(query, (q) => checkAs(q, user));
  return { ...inner, rtable: inner.rtable.map((rte) => (rte.rtekind === 'relation' ? { ...rte, checkAsUser: user } : rte)) };
}
