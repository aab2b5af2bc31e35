// MERGE (PostgreSQL's parse_merge.c). The source is the only member of FROM, the join condition its WHERE; the planner
// makes a join of the target and the source of them.
import { PgError } from '../../common/errors.ts';
import { rulesOf } from '../catalog/syscache.ts';
import { makeFromExpr, makeQuery, makeTargetEntry } from '../nodes/makefuncs.ts';
import { ACL, type MergeAction, type Query } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { errdetailRelkindNotSupported } from '../catalog/pg_class.ts';
import { transformInsertRow, transformUpdateTargetList, OVERRIDES } from './analyze_modify.ts';
import { setTargetTable, transformFromClause, transformWhereClause } from './parse_clause.ts';
import { coerceToBoolean } from './parse_coerce.ts';
import { assignExprCollations, assignQueryCollations } from './parse_collate.ts';
import { transformExpr } from './parse_expr.ts';
import { parserError, type NamespaceItem, type ParseState } from './parse_node.ts';
import { addNamespaceItemToQuery } from './parse_relation.ts';
import { checkInsertTargets, transformExpressionList } from './parse_target.ts';
import type { RawNode } from './raw_nodes.ts';
import { recursion } from './recursion.ts';

const COMMANDS: Record<string, MergeAction['command']> = { CMD_INSERT: 'insert', CMD_UPDATE: 'update', CMD_DELETE: 'delete', CMD_NOTHING: 'nothing' };
const PRIVILEGES = { insert: ACL.INSERT, update: ACL.UPDATE, delete: ACL.DELETE, nothing: 0 } as const;

const isMatched = (when: RawNode): boolean => when['matchKind'] === 'MERGE_WHEN_MATCHED';

export function transformMergeStmt(state: ParseState, stmt: RawNode): Query {
  const query = makeQuery('merge');
  const withClause = stmt['withClause'] as RawNode | undefined;
  if (withClause?.['recursive']) throw new PgError('syntax_error', 'WITH RECURSIVE is not supported for MERGE statement');
  recursion.applyWithClause(state, query, withClause as never);
  const clauses = stmt['mergeWhenClauses'] as RawNode[];
  const target = setMergeTarget(state, query, stmt, privilegesOf(clauses));
  // The source does not see the target.
  transformFromClause(state, [stmt['sourceRelation'] as RawNode]);
  const source = state.namespace.at(-1)!;
  if (target.rte.eref.aliasname === source.rte.eref.aliasname) {
    throw parserError(state, 'duplicate_alias', `name "${target.rte.eref.aliasname}" specified more than once`, undefined, {
      detail: 'The name is used both as MERGE target table and data source.',
    });
  }
  const fromlist = state.joinlist;
  addNamespaceItemToQuery(state, target, false, true, true);
  const condition = coerceToBoolean(state, transformExpr(state, stmt['joinCondition'] as RawNode, 'join_on'), 'JOIN/ON');
  query.mergeActionList = clauses.map((when) => transformAction(state, when, target));
  recursion.finishQuery(state, query, null);
  query.jointree = makeFromExpr(fromlist, condition);
  assignQueryCollations(state, query);
  return query;
}

/** The rights all actions together need; an unconditional one must be the last of its kind. */
function privilegesOf(clauses: readonly RawNode[]): number {
  const terminal = { true: false, false: false };
  let privileges = 0;
  for (const when of clauses) {
    privileges |= PRIVILEGES[COMMANDS[when['commandType'] as string]!];
    const kind = isMatched(when) ? 'true' : 'false';
    if (terminal[kind]) throw new PgError('syntax_error', 'unreachable WHEN clause specified after unconditional WHEN clause');
    if (when['condition'] === undefined) terminal[kind] = true;
  }
  return privileges;
}

function setMergeTarget(state: ParseState, query: Query, stmt: RawNode, privileges: number): NamespaceItem {
  const raw = stmt['relation'] as RawNode;
  query.resultRelation = setTargetTable(state, raw, raw['inh'] === true, false, privileges);
  const relation = state.targetRelation!;
  const refuse = (detail: string): PgError => new PgError('feature_not_supported', `cannot execute MERGE on relation "${relation.name}"`, { detail });
  if (relation.kind !== 'r' && relation.kind !== 'p') throw refuse(errdetailRelkindNotSupported(relation.kind));
  if (relation.hasRules && rulesOf(relation.oid).length > 0) throw refuse('MERGE is not supported for relations with rules.');
  return state.targetItem!;
}

function transformAction(state: ParseState, when: RawNode, target: NamespaceItem): MergeAction {
  const command = COMMANDS[when['commandType'] as string]!;
  // Where nothing matched there is no row of the target to speak of.
  target.relVisible = target.colsVisible = isMatched(when);
  const qual = transformWhereClause(state, when['condition'] as RawNode | undefined, 'merge_when', 'WHEN');
  const action: MergeAction = { matched: isMatched(when), command, override: OVERRIDES[when['override'] as string] ?? 'none', qual, targetList: [] };
  if (command === 'insert') action.targetList = insertTargets(state, when);
  else if (command === 'update') {
    state.isInsert = false;
    state.nextResno = 1;
    action.targetList = transformUpdateTargetList(state, when['targetList'] as RawNode[]);
  }
  if (action.qual !== null) assignExprCollations(state, action.qual);
  for (const te of action.targetList) assignExprCollations(state, te.expr);
  return action;
}

function insertTargets(state: ParseState, when: RawNode): MergeAction['targetList'] {
  state.isInsert = true;
  const stmt = { tag: 'InsertStmt', ...(when['targetList'] === undefined ? {} : { cols: when['targetList'] }) } as unknown as RawNode;
  const { cols, attrnos } = checkInsertTargets(state, when['targetList'] as RawNode[] | undefined);
  const values = when['values'] as RawNode[] | undefined;
  let list: Expr[] = [];
  if (values !== undefined) list = transformInsertRow(state, transformExpressionList(state, values, 'values_single', true), stmt, cols, attrnos, false);
  const { rte } = state.targetItem!;
  return list.map((expr, i) => {
    const attr = attrnos[i]!;
    if (!rte.insertedCols.includes(attr)) rte.insertedCols.push(attr);
    return makeTargetEntry(expr, attr, cols[i]!.name as string, false);
  });
}
