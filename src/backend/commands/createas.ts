// CREATE TABLE AS, SELECT INTO and CREATE MATERIALIZED VIEW; REFRESH MATERIALIZED VIEW (PostgreSQL's createas.c and
// matview.c): a query whose rows go into a table made from its result columns.
import { PgError } from '../../common/errors.ts';
import { insertValues, lockReads, lockTable, locksReads } from '../access/table.ts';
import { asOwner } from '../catalog/acl.ts';
import { requireOwner, requirePrivilege } from '../catalog/aclchk.ts';
import { heapCreateWithCatalog } from '../catalog/heap.ts';
import { catalogUpdateByKey } from '../catalog/indexing.ts';
import { isTempNamespace, rangeVarGetCreationNamespace, rangeVarGetRelid } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import type { IndexInfo, Relation } from '../catalog/relation.ts';
import { tableAccessMethod } from './tablecmds.ts';
import { getNamespaceName } from '../catalog/lsyscache.ts';
import { quoteQualifiedIdentifier } from '../catalog/quote.ts';
import { openRelation } from '../catalog/relcache.ts';
import { setNewFilenode, truncateRelation } from '../catalog/storage.ts';
import { classByOid, relationOidByName } from '../catalog/syscache.ts';
import { compilePlan, runPlan, type CompiledPlan } from '../executor/execute.ts';
import type { DestReceiver } from '../executor/dest.ts';
import { buildIndex } from '../executor/indexing.ts';
import { spiExecute } from '../executor/spi.ts';
import { ACL, type Query } from '../nodes/parsenodes.ts';
import { planner } from '../optimizer/planner.ts';
import { parseAnalyze } from '../parser/analyze.ts';
import { ddlNotice } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { queryRewrite } from '../rewrite/rewrite_handler.ts';
import { asRawStmt } from '../tcop/plancache.ts';
import type { UtilityContext, UtilityResult, UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { checkOnCommit, noteOnCommit, type OnCommitClause } from './oncommit.ts';
import { evaluateParams, fetchPreparedStatement } from './prepare.ts';
import { readOptions } from './reloptions.ts';
import { columnsOfQuery, nameColumns, storeViewQuery, usesTemporary } from './view.ts';
import { chooseTablespace } from '../catalog/pg_tablespace.ts';

/** Puts every row it gets into a table (DR_intorel). */
class TableDest implements DestReceiver {
  private readonly table: Relation;
  rows = 0;

  constructor(table: Relation) {
    this.table = table;
  }

  start(): void {}

  receive(row: Datum[]): boolean {
    insertValues(this.table, row);
    this.rows++;
    return true;
  }

  end(): void {}
}

interface Source { query: Query; plan: () => CompiledPlan; params: readonly Datum[] }

function sourceOf(stmt: RawNode, context: UtilityContext): Source {
  const raw = stmt['query'] as RawNode;
  if (raw.tag === 'ExecuteStmt') {
    const { statement } = fetchPreparedStatement(raw['name'] as string);
    statement.revalidate();
    const only = statement.units.length === 1 ? statement.units[0]! : null;
    if (only === null || only.plan === null || only.query.commandType !== 'select') throw new PgError('wrong_object_type', 'prepared statement is not a SELECT');
    const { plan } = only;
    return { query: structuredCloneTargets(only.query), plan: () => plan, params: evaluateParams((raw['params'] ?? []) as RawNode[], statement.paramTypes, raw['name'] as string, context.text) };
  }
  const query = structuredCloneTargets((stmt['analyzed'] as Query | undefined) ?? parseAnalyze(asRawStmt(raw), context.text, [...context.paramTypes]));
  return { query, plan: () => planOf(query), params: context.params };
}

/** A prepared statement's query is not ours to rename columns in. */
const structuredCloneTargets = (query: Query): Query => ({ ...query, targetList: query.targetList.map((t) => ({ ...t })) });

function planOf(query: Query): CompiledPlan {
  const [rewritten, another] = queryRewrite(query);
  if (rewritten === undefined || another !== undefined) throw new PgError('internal_error', 'unexpected rewrite result for CREATE TABLE AS SELECT');
  const plan = compilePlan(planner(rewritten));
  if (locksReads()) lockReads(plan.reads);
  return plan;
}

/** A table to be made from a query, which EXPLAIN shows as well. */
export interface IntoTable { readonly source: Source; readonly withData: boolean; makeDest: () => TableDest }

/** Null: IF NOT EXISTS, and it does. */
export function intoTable(stmt: RawNode, context: UtilityContext): IntoTable | null {
  const into = stmt['into'] as RawNode;
  const rv = into['rel'] as RawNode & { relname: string; relpersistence: 'p' | 'u' | 't' };
  const isMatview = stmt['objtype'] === 'OBJECT_MATVIEW';
  const query = isMatview ? sourceOf(stmt, context) : null;
  if (query !== null) checkMatviewQuery(query.query, rv, context);
  const namespace = rangeVarGetCreationNamespace(rv);
  if (relationOidByName(rv.relname, namespace) !== 0) {
    if (!stmt['if_not_exists']) throw new PgError('duplicate_table', `relation "${rv.relname}" already exists`);
    ddlNotice(`relation "${rv.relname}" already exists, skipping`, 'duplicate_table');
    return null;
  }
  const source = query ?? sourceOf(stmt, context);
  const withData = !into['skipData'];
  return { source, withData, makeDest: () => new TableDest(openRelation(createIntoRelation(into, rv, namespace, source.query, isMatview, withData))) };
}

function createTableAs(stmt: RawNode, context: UtilityContext): UtilityResult {
  const into = intoTable(stmt, context);
  if (into === null) return {};
  const { source } = into, dest = into.makeDest();
  if (!into.withData) return {};
  if (stmt['objtype'] === 'OBJECT_MATVIEW') asOwner(session.currentUser, () => runPlan(source.plan(), source.params, dest));
  else runPlan(source.plan(), source.params, dest);
  return { tag: 'SELECT', processed: dest.rows };
}

function checkMatviewQuery(query: Query, rv: { relpersistence: string }, context: UtilityContext): void {
  if (rv.relpersistence === 'u') throw new PgError('feature_not_supported', 'materialized views cannot be unlogged');
  if (query.hasModifyingCTE) throw new PgError('feature_not_supported', 'materialized views must not use data-modifying statements in WITH');
  if (usesTemporary(query)) {
    throw new PgError('feature_not_supported', 'materialized views must not use temporary tables or views');
  }
  if (context.paramTypes.length > 0) throw new PgError('feature_not_supported', 'materialized views may not be defined using bound parameters');
}

function createIntoRelation(into: RawNode, rv: { relname: string; relpersistence: 'p' | 'u' | 't' }, namespace: Oid, query: Query, isMatview: boolean, withData: boolean): Oid {
  nameColumns(query, (into['colNames'] ?? []) as string[], 'too many column names were specified');
  const columns = columnsOfQuery(query.targetList, 'table');
  const accessMethod = tableAccessMethod(into['accessMethod'] as string | undefined);
  const persistence = isTempNamespace(namespace) ? 't' : rv.relpersistence;
  const onCommit = into['onCommit'] as OnCommitClause | undefined;
  checkOnCommit(onCommit, persistence);
  const tablespace = chooseTablespace(into['tableSpaceName'] as string | undefined, persistence, false);
  requirePrivilege(ids.NamespaceRelationId, namespace, ACL.CREATE);
  const { relation } = heapCreateWithCatalog({
    name: rv.relname, namespace, owner: session.currentUser, relkind: isMatview ? 'm' : 'r', persistence, columns, accessMethod, tablespace,
    options: readOptions((into['options'] ?? []) as RawNode[], 'table'), useUserAcl: true, isPopulated: withData || !isMatview,
  });
  commandCounterIncrement();
  lockTable(relation, rv.relname, false, 8);
  noteOnCommit(relation, onCommit);
  if (isMatview) storeViewQuery(relation, query);
  return relation;
}

/** Runs something with the rights of a role. */
// ---- REFRESH MATERIALIZED VIEW

/** What CONCURRENTLY says of new rows that break a unique index: whole rows twice, or a key. */
function duplicatesIn(view: Relation, index: IndexInfo, error: PgError): PgError {
  const name = quoteQualifiedIdentifier(getNamespaceName(view.namespace), view.name);
  let twice: string | null = null;
  spiExecute(`SELECT (a.*)::pg_catalog.text FROM ${name} a WHERE a.* IS NOT NULL AND EXISTS (SELECT 1 FROM ${name} b WHERE b.* IS NOT NULL AND b.* OPERATOR(pg_catalog.*=) a.* AND b.ctid OPERATOR(pg_catalog.<>) a.ctid) LIMIT 1`, [], [], (row) => {
    twice = row[0] as string;
    return false;
  });
  if (twice !== null) {
    return new PgError('cardinality_violation', `new data for materialized view "${view.name}" contains duplicate rows without any null columns`, { detail: `Row: ${String(twice)}` });
  }
  return new PgError('unique_violation', `duplicate key value violates unique constraint "${index.index.name}"`, {
    detail: error.fields.detail?.replace(/is duplicated\.$/, 'already exists.'), schema: getNamespaceName(view.namespace), table: view.name, constraint: index.index.name,
  });
}

function refreshMatview(stmt: RawNode): void {
  const oid = rangeVarGetRelid(stmt['relation']);
  const view = openRelation(oid);
  const concurrent = Boolean(stmt['concurrent']);
  requireOwner(ids.RelationRelationId, oid);
  if (!'rtmp'.includes(view.kind)) throw new PgError('wrong_object_type', `"${view.name}" is not a table or materialized view`);
  lockTable(oid, view.name, false, concurrent ? 7 : 8);
  if (view.kind !== 'm') throw new PgError('feature_not_supported', `"${view.name}" is not a materialized view`);
  if (concurrent && !classByOid(oid)!.relispopulated) throw new PgError('feature_not_supported', 'CONCURRENTLY cannot be used when the materialized view is not populated');
  if (concurrent && stmt['skipData']) throw new PgError('syntax_error', 'CONCURRENTLY and WITH NO DATA options cannot be used together');
  if (concurrent && !view.indexes.some((i) => i.unique && i.immediate && i.valid && i.predicate === null && i.expressions.length === 0)) {
    throw new PgError('object_not_in_prerequisite_state', `cannot refresh materialized view "${quoteQualifiedIdentifier(getNamespaceName(view.namespace), view.name)}" concurrently`, {
      hint: 'Create a unique index with no WHERE clause on one or more columns of the materialized view.',
    });
  }
  const query = view.viewQuery!;
  truncateRelation(view);
  for (const index of view.indexes) setNewFilenode(index.indexrelid);
  commandCounterIncrement();
  catalogUpdateByKey(ids.RelationRelationId, ids.PgClassOidIndexId, [oid], { relispopulated: !stmt['skipData'] });
  commandCounterIncrement();
  if (stmt['skipData']) return;
  asOwner(view.owner, () => runPlan(planOf(query), [], new TableDest(openRelation(oid))));
  commandCounterIncrement();
  const filled = openRelation(oid);
  for (const index of filled.indexes) {
    try {
      buildIndex(filled, index);
    } catch (error) {
      if (concurrent && error instanceof PgError && error.condition === 'unique_violation') throw duplicatesIn(filled, index, error);
      throw error;
    }
  }
}

export const CREATE_AS_COMMANDS: UtilityTable = {
  CreateTableAsStmt: { run: createTableAs },
  RefreshMatViewStmt: { run: refreshMatview },
};
