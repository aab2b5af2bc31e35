// CREATE [OR REPLACE] VIEW (PostgreSQL's view.c) and the rule "_RETURN" in which a view's query is kept
// (rewriteDefine.c). A view's query is stored as analyzed, not yet rewritten.
import { PgError } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import { requireOwner, requirePrivilege } from '../catalog/aclchk.ts';
import { getNewOid } from '../catalog/catalog.ts';
import { recordDependencyOnExpr } from '../catalog/expr_references.ts';
import { formatTypeWithTypmod } from '../catalog/format_type.ts';
import { addAttribute, heapCreateWithCatalog, type ColumnSpec } from '../catalog/heap.ts';
import { ddlHooks } from '../catalog/ddl_hooks.ts';
import { catalogFind, catalogInsert, catalogUpdate, catalogUpdateByKey } from '../catalog/indexing.ts';
import { getCollationName, getTypCollation } from '../catalog/lsyscache.ts';
import { isTempNamespace, rangeVarGetCreationNamespace } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { requireTypeUsage } from '../catalog/type_usage.ts';
import { deleteDependencyRecordsFor, objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { relationOidByName, rulesOf } from '../catalog/syscache.ts';
import { exprCollation, exprType, exprTypmod, expressionTreeWalker, queryTreeWalker } from '../nodes/nodeFuncs.ts';
import { nodeToString } from '../nodes/outfuncs.ts';
import { ACL, type Query } from '../nodes/parsenodes.ts';
import type { Expr, TargetEntry } from '../nodes/primnodes.ts';
import { parseAnalyze } from '../parser/analyze.ts';
import { ddlNotice } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { viewNotUpdatable } from '../rewrite/updatable_views.ts';
import { asRawStmt } from '../tcop/plancache.ts';
import type { UtilityContext, UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { readOptions } from './reloptions.ts';

const ACCESS_EXCLUSIVE_LOCK = 8;
export const VIEW_SELECT_RULE = '_RETURN';

function createView(stmt: RawNode, context: UtilityContext): void {
  const rv = stmt['view'] as RawNode & { relname: string; relpersistence: 'p' | 'u' | 't' };
  const query = parseAnalyze(asRawStmt(stmt['query'] as RawNode), context.text, []);
  if (query.commandType === 'utility') throw new PgError('feature_not_supported', 'views must not contain SELECT INTO');
  if (query.hasModifyingCTE) throw new PgError('feature_not_supported', 'views must not contain data-modifying statements in WITH');
  if (rv.relpersistence === 'u') throw new PgError('syntax_error', 'views cannot be unlogged because they do not have storage');
  const given = viewOptions(stmt);
  if (given.some((o) => o['defname'] === 'check_option')) requireAutoUpdatable(query);
  const options = readOptions(given, 'view');
  nameColumns(query, (stmt['aliases'] ?? []) as string[], 'CREATE VIEW specifies more column names than columns');
  let persistence = rv.relpersistence;
  if (persistence === 'p' && usesTemporary(query)) {
    persistence = 't';
    ddlNotice(`view "${rv.relname}" will be a temporary view`);
  }
  const view = defineVirtualRelation({ ...rv, relpersistence: persistence }, query, Boolean(stmt['replace']), options);
  storeViewQuery(view, query);
}

/** WITH CHECK OPTION is kept as an option like the others. */
function viewOptions(stmt: RawNode): RawNode[] {
  const list = [...((stmt['options'] ?? []) as RawNode[])];
  const check = { LOCAL_CHECK_OPTION: 'local', CASCADED_CHECK_OPTION: 'cascaded' }[stmt['withCheckOption'] as string];
  if (check !== undefined) list.push({ tag: 'DefElem', defname: 'check_option', arg: check });
  return list;
}

/** WITH CHECK OPTION makes sense only where changes go through to one table. */
export function requireAutoUpdatable(query: Query): void {
  const hint = viewNotUpdatable(query, true);
  if (hint !== null) throw new PgError('feature_not_supported', 'WITH CHECK OPTION is supported only on automatically updatable views', { hint });
}

/** Names given after the relation's take the place of the query's own (resjunk entries are left out). */
export function nameColumns(query: Query, names: readonly string[], tooMany: string): void {
  const visible = query.targetList.filter((t) => !t.resjunk);
  if (names.length > visible.length) throw new PgError('syntax_error', tooMany);
  names.forEach((name, i) => { visible[i]!.resname = name; });
}

/** Whether the query reads a temporary table or view anywhere (isQueryUsingTempRelation). */
export function usesTemporary(query: Query): boolean {
  const walker = (node: Expr | Query): boolean => {
    if (node.kind !== 'Query') return expressionTreeWalker(node, walker);
    return node.rtable.some((r) => r.rtekind === 'relation' && openRelation(r.relid).persistence === 't') || queryTreeWalker(node, walker);
  };
  return walker(query);
}

/** The columns a query's result has, as columns of a relation. */
export function columnsOfQuery(targetList: readonly TargetEntry[], construct: string): ColumnSpec[] {
  const names = new Set<string | null>();
  return targetList.filter((t) => !t.resjunk).map((t) => {
    if (names.has(t.resname)) throw new PgError('duplicate_column', `column "${t.resname}" specified more than once`);
    names.add(t.resname);
    const typeOid = exprType(t.expr);
    requireTypeUsage(typeOid);
    const collation = exprCollation(t.expr);
    if (collation === 0 && getTypCollation(typeOid) !== 0) {
      throw new PgError('indeterminate_collation', construct === 'view'
        ? `could not determine which collation to use for view column "${t.resname}"`
        : `no collation was derived for column "${t.resname}" with collatable type ${formatTypeWithTypmod(typeOid, -1)}`,
      { hint: 'Use the COLLATE clause to set the collation explicitly.' });
    }
    return { name: t.resname ?? '?column?', typeOid, typmod: exprTypmod(t.expr), collation: getTypCollation(typeOid) === 0 ? 0 : collation };
  });
}

/** Makes the view's relation, or fits the one that is there to the new query (DefineVirtualRelation). */
function defineVirtualRelation(rv: RawNode & { relname: string; relpersistence: 'p' | 'u' | 't' }, query: Query, replace: boolean, options: string[] | null): Oid {
  const columns = columnsOfQuery(query.targetList, 'view');
  const namespace = rangeVarGetCreationNamespace(rv);
  requirePrivilege(ids.NamespaceRelationId, namespace, ACL.CREATE);
  const existing = replace ? relationOidByName(rv.relname, namespace) : 0;
  if (existing !== 0) {
    lockTable(existing, rv.relname, false, ACCESS_EXCLUSIVE_LOCK);
    // Its options are set as by ALTER TABLE, of which event triggers are told.
    for (let i = 0; i < 2; i++) ddlHooks.created?.(ids.RelationRelationId, { oid: existing, relkind: 'v' });
    return replaceView(openRelation(existing), columns, options);
  }
  const { relation } = heapCreateWithCatalog({
    name: rv.relname, namespace, owner: session.currentUser, relkind: 'v', persistence: isTempNamespace(namespace) ? 't' : rv.relpersistence, columns, options,
    useUserAcl: true, allowPseudo: namespace === ids.PG_CATALOG_NAMESPACE,
  });
  commandCounterIncrement();
  return relation;
}

function replaceView(view: Relation, columns: readonly ColumnSpec[], options: string[] | null): Oid {
  if (view.kind !== 'v') throw new PgError('wrong_object_type', `"${view.name}" is not a view`);
  requireOwner(ids.RelationRelationId, view.oid);
  checkColumnsStay(view, columns);
  for (let i = view.attributes.length; i < columns.length; i++) addAttribute(view.oid, i + 1, columns[i]!);
  catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [view.oid], { relnatts: columns.length, reloptions: options });
  commandCounterIncrement();
  return view.oid;
}

/** Others rely on the columns that are there: new ones may only follow them (checkViewTupleDesc). */
function checkColumnsStay(view: Relation, columns: readonly ColumnSpec[]): void {
  const fail = (message: string, hint?: string): PgError => new PgError('invalid_table_definition', message, { hint });
  if (columns.length < view.attributes.length) throw fail('cannot drop columns from view');
  view.attributes.forEach((old, i) => {
    const now = columns[i]!;
    if (old.attisdropped) throw fail('cannot drop columns from view');
    if (old.attname !== now.name) {
      throw fail(`cannot change name of view column "${old.attname}" to "${now.name}"`, 'Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.');
    }
    if (old.atttypid !== now.typeOid || old.atttypmod !== now.typmod) {
      throw fail(`cannot change data type of view column "${old.attname}" from ${formatTypeWithTypmod(old.atttypid, old.atttypmod)} to ${formatTypeWithTypmod(now.typeOid, now.typmod)}`);
    }
    if (old.attcollation !== now.collation) {
      throw fail(`cannot change collation of view column "${old.attname}" from "${getCollationName(old.attcollation)}" to "${getCollationName(now.collation)}"`);
    }
  });
}

/** Puts a view's (or materialized view's) query into its rule (StoreViewQuery). */
export function storeViewQuery(view: Oid, query: Query): void {
  const action = nodeToString([query]);
  const old = rulesOf(view).find((r) => r.rulename === VIEW_SELECT_RULE);
  let rule: Oid;
  if (old !== undefined) {
    rule = old.oid;
    const [tuple] = catalogFind(ids.RewriteRelationId, ids.PgRewriteOidIndexId, [rule]);
    catalogUpdate(ids.RewriteRelationId, tuple!, { ev_action: action });
    deleteDependencyRecordsFor(objectAddress(ids.RewriteRelationId, rule));
  } else {
    rule = getNewOid(ids.RewriteRelationId);
    catalogInsert(ids.RewriteRelationId, { oid: rule, rulename: VIEW_SELECT_RULE, ev_class: view, ev_type: '1', ev_enabled: 'O', is_instead: true, ev_qual: '<>', ev_action: action });
    catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [view], { relhasrules: true });
  }
  const self = objectAddress(ids.RewriteRelationId, rule);
  recordDependencyOn(self, objectAddress(ids.RelationRelationId, view), 'i');
  recordDependencyOn(self, objectAddress(ids.RelationRelationId, view), 'n'); // as OLD and NEW of any rule
  recordDependencyOnExpr(self, query, [], 'n');
  commandCounterIncrement();
}

export const VIEW_COMMANDS: UtilityTable = {
  ViewStmt: { run: createView },
};
