// MERGE (parse_merge.c): not done yet.
import type { Query } from '../nodes/parsenodes.ts';
import { notSupportedAt, type ParseState } from './parse_node.ts';
import type { RawNode } from './raw_nodes.ts';

export function transformMergeStmt(state: ParseState, stmt: RawNode): Query {
  throw notSupportedAt(state, 'MERGE', (stmt.relation as RawNode).location);
}
