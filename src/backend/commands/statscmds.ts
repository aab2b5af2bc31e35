// CREATE and ALTER STATISTICS (PostgreSQL's statscmds.c): kept, shown and dropped with what they are about. ANALYZE gathers what
// they ask for (extended_stats.ts), the planner uses it (optimizer/extended_stats.ts).
import { PgError } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import { mustBeOwner, objectOwnercheck, relkindNoun } from '../catalog/aclchk.ts';
import { getNewOid, isSystemRelation } from '../catalog/catalog.ts';
import { recordDependencyOnSingleRelExpr } from '../catalog/expr_references.ts';
import { formatType } from '../catalog/format_type.ts';
import { catalogInsert, catalogUpdateByKey } from '../catalog/indexing.ts';
import { typeOperators } from '../catalog/lsyscache.ts';
import { qualifiedNameGetCreationNamespace, rangeVarGetRelid, type RangeVarName } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { createComments } from '../catalog/pg_description.ts';
import { objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import { recordDependencyOnOwner } from '../catalog/pg_shdepend.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import * as sys from '../catalog/syscache.ts';
import { equal } from '../nodes/equalfuncs.ts';
import { containsNode, exprType } from '../nodes/nodeFuncs.ts';
import { nodeToString } from '../nodes/outfuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { assignExprCollations } from '../parser/parse_collate.ts';
import { transformExpr } from '../parser/parse_expr.ts';
import { makeParseState } from '../parser/parse_node.ts';
import { addNamespaceItemToQuery, addRangeTableEntryForRelation } from '../parser/parse_relation.ts';
import { ddlNotice } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { errdetailRelkindNotSupported } from '../catalog/pg_class.ts';
import { statisticsTarget } from './alter_common.ts';
import { requireObjectOwnership, resolveObject } from './object_names.ts';

const SHARE_UPDATE_EXCLUSIVE_LOCK = 4, ACCESS_SHARE_LOCK = 1;
const MAX_COLUMNS = 8;
const KINDS: Readonly<Record<string, string>> = { ndistinct: 'd', dependencies: 'f', mcv: 'm' };

const hasOrder = (type: Oid): boolean => typeOperators(type).ltOpr !== 0;

function tableFor(stmt: RawNode): Relation {
  const relations = (stmt['relations'] ?? []) as RawNode[];
  const [rv] = relations;
  if (rv !== undefined && relations.length === 1 && rv.tag !== 'RangeVar') throw new PgError('feature_not_supported', 'CREATE STATISTICS only supports relation names in the FROM clause');
  if (rv === undefined || relations.length !== 1) throw new PgError('feature_not_supported', 'only a single relation is allowed in CREATE STATISTICS');
  const relid = rangeVarGetRelid(rv as RawNode & RangeVarName);
  const before = openRelation(relid);
  lockTable(relid, before.name, before.shared, SHARE_UPDATE_EXCLUSIVE_LOCK);
  const relation = openRelation(relid);
  if (!'rmfp'.includes(relation.kind)) throw new PgError('wrong_object_type', `cannot define statistics for relation "${relation.name}"`, { detail: errdetailRelkindNotSupported(relation.kind) });
  if (!objectOwnercheck(ids.RelationRelationId, relid, session.currentUser)) throw mustBeOwner(relkindNoun(relation.kind), relation.name);
  if (isSystemRelation(relid, relation.namespace)) throw new PgError('insufficient_privilege', `permission denied: "${relation.name}" is a system catalog`);
  return relation;
}

export function createStatistics(stmt: RawNode, text: string): void {
  const relation = tableFor(stmt);
  const cooked = cookElements(relation, (stmt['exprs'] ?? []) as RawNode[], text);
  const { name, namespace } = qualifiedNameGetCreationNamespace(stmt['defnames'] as string[]);
  if (sys.lookup(ids.StatisticExtRelationId, ids.PgStatisticExtNameIndexId, name, namespace) !== undefined) {
    if (stmt['if_not_exists']) return ddlNotice(`statistics object "${name}" already exists, skipping`, 'duplicate_object');
    throw new PgError('duplicate_object', `statistics object "${name}" already exists`);
  }
  const elements = (stmt['exprs'] ?? []) as RawNode[];
  if (elements.length > MAX_COLUMNS) throw new PgError('too_many_columns', `cannot have more than ${MAX_COLUMNS} columns in statistics`);
  const { columns, expressions } = readElements(relation, elements, cooked);
  const kinds = kindsOf(stmt, elements.length, columns, expressions);
  columns.sort((a, b) => a - b);
  if (columns.some((c, i) => i > 0 && columns[i - 1] === c)) throw new PgError('duplicate_column', 'duplicate column name in statistics definition');
  expressions.forEach((e, i) => {
    if (expressions.slice(i + 1).some((other) => equal(e, other))) throw new PgError('duplicate_column', 'duplicate expression in statistics definition');
  });
  const oid = getNewOid(ids.StatisticExtRelationId);
  catalogInsert(ids.StatisticExtRelationId, {
    oid, stxrelid: relation.oid, stxname: name, stxnamespace: namespace, stxowner: session.currentUser, stxstattarget: -1, stxkeys: columns, stxkind: kinds,
    stxexprs: expressions.length === 0 ? null : nodeToString(expressions),
  });
  const self = objectAddress(ids.StatisticExtRelationId, oid);
  for (const c of columns) recordDependencyOn(self, objectAddress(ids.RelationRelationId, relation.oid, c), 'a');
  if (columns.length === 0) recordDependencyOn(self, objectAddress(ids.RelationRelationId, relation.oid), 'a');
  if (expressions.length > 0) recordDependencyOnSingleRelExpr(self, expressions, relation.oid, 'n', 'a');
  recordDependencyOn(self, objectAddress(ids.NamespaceRelationId, namespace), 'n');
  recordDependencyOnOwner(ids.StatisticExtRelationId, oid, session.currentUser);
  if (stmt['stxcomment'] !== undefined) createComments(oid, ids.StatisticExtRelationId, 0, stmt['stxcomment'] as string);
  commandCounterIncrement();
}

/** The expressions among them; null: a column. */
function cookElements(relation: Relation, elements: readonly RawNode[], text: string): (Expr | null)[] {
  const state = makeParseState(text);
  addNamespaceItemToQuery(state, addRangeTableEntryForRelation(state, relation, ACCESS_SHARE_LOCK, null, false, true), false, true, true);
  return elements.map((e) => {
    if (e['name'] !== undefined) return null;
    const expr = transformExpr(state, e['expr'] as RawNode, 'stats_expression');
    assignExprCollations(state, expr);
    return expr;
  });
}

function readElements(relation: Relation, elements: readonly RawNode[], cooked: readonly (Expr | null)[]): { columns: number[]; expressions: Expr[] } {
  const columns: number[] = [], expressions: Expr[] = [];
  const systemColumn = (): PgError => new PgError('feature_not_supported', 'statistics creation on system columns is not supported');
  const addColumn = (attnum: number, attname: string, type: Oid): void => {
    if (attnum <= 0) throw systemColumn();
    if (!hasOrder(type)) throw new PgError('feature_not_supported', `column "${attname}" cannot be used in statistics because its type ${formatType(type)} has no default btree operator class`);
    columns.push(attnum);
  };
  elements.forEach((e, i) => {
    const expr = cooked[i];
    if (expr === null || expr === undefined) {
      const attribute = sys.attributeByName(relation.oid, e['name'] as string);
      if (attribute === undefined) throw new PgError('undefined_column', `column "${e['name'] as string}" does not exist`);
      addColumn(attribute.attnum, attribute.attname, attribute.atttypid);
    } else if (expr.kind === 'Var') {
      addColumn(expr.varattno, sys.attributeByNumber(relation.oid, expr.varattno)?.attname ?? '', expr.vartype);
    } else {
      if (containsNode(expr, (n) => n.kind === 'Var' && n.varattno <= 0)) throw systemColumn();
      if (elements.length > 1 && !hasOrder(exprType(expr))) {
        throw new PgError('feature_not_supported', `expression cannot be used in multivariate statistics because its type ${formatType(exprType(expr))} has no default btree operator class`);
      }
      expressions.push(expr);
    }
  });
  return { columns, expressions };
}

function kindsOf(stmt: RawNode, count: number, columns: readonly number[], expressions: readonly Expr[]): string[] {
  const types = (stmt['stat_types'] ?? []) as string[];
  const alone = count === 1 && expressions.length === 1;
  if (alone && types.length > 0) throw new PgError('feature_not_supported', 'when building statistics on a single expression, statistics kinds may not be specified');
  const wanted = new Set<string>();
  for (const type of types) {
    if (KINDS[type] === undefined) throw new PgError('syntax_error', `unrecognized statistics kind "${type}"`);
    wanted.add(KINDS[type]);
  }
  if (types.length === 0 && count >= 2) for (const kind of Object.values(KINDS)) wanted.add(kind);
  if (count < 2 && !(columns.length === 0 && expressions.length === 1)) throw new PgError('invalid_object_definition', 'extended statistics require at least 2 columns');
  return [...Object.values(KINDS).filter((k) => wanted.has(k)), ...(expressions.length > 0 ? ['e'] : [])];
}

function alterStatistics(stmt: RawNode): void {
  const target = statisticsTarget((stmt['stxstattarget'] as number | undefined) ?? 0);
  const names = stmt['defnames'] as string[];
  const address = resolveObject('OBJECT_STATISTIC_EXT', names, Boolean(stmt['missing_ok']));
  if (address === undefined) return ddlNotice(`statistics object "${names.join('.')}" does not exist, skipping`);
  requireObjectOwnership(address, 'OBJECT_STATISTIC_EXT', names);
  catalogUpdateByKey(ids.StatisticExtRelationId, ids.PgStatisticExtOidIndexId, [address.objectId], { stxstattarget: target });
}

export const STATISTICS_COMMANDS: UtilityTable = {
  CreateStatsStmt: { run: (stmt, context) => createStatistics(stmt, context.text) },
  AlterStatsStmt: { run: alterStatistics },
};
