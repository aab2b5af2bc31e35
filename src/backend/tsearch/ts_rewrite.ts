// ts_rewrite and querytree (PostgreSQL's tsquery_rewrite.c, tsquery_util.c, tsquery_cleanup.c): parts of a query replaced by
// others. AND and OR are taken with any number of operands, in order, so that a part of them can be found.
import { PgError } from '../../common/errors.ts';
import { spi } from '../executor/spi_hook.ts';
import { compareText } from '../types/characters.ts';
import type { Datum } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { TSQUERYOID } from '../types/oids.ts';
import { legacyCrc, OPERATORS, type QueryNode, TsQuery, tsQueryOut } from '../types/tsquery.ts';

type Value = QueryNode & { op: 'value' };

/** A node with any number of operands, the right one first. `kept`: it has just been put in, and is not looked into. */
type Tree =
  | { op: 'value'; value: Value; crc: number; kept: boolean }
  | { op: '!' | '&' | '|' | '<>'; distance: number; children: Tree[]; kept: boolean };

function toTree(node: QueryNode): Tree {
  if (node.op === 'value') return { op: 'value', value: node, crc: legacyCrc(node.text), kept: false };
  const children = node.op === '!' ? [toTree(node.arg)] : [toTree(node.right), toTree(node.left)];
  return { op: node.op, distance: node.op === '<>' ? node.distance : 0, children, kept: false };
}

function fromTree(tree: Tree): QueryNode {
  if (tree.op === 'value') return tree.value;
  const { op, distance } = tree;
  const children = tree.children.map(fromTree);
  if (op === '!') return { op, arg: children[0]! };
  const pair = (right: QueryNode, left: QueryNode): QueryNode => (op === '<>' ? { op, distance, left, right } : { op, left, right });
  // The first two become one, the last takes the second place.
  while (children.length > 2) children.splice(0, 2, pair(children[0]!, children[1]!), children.pop()!);
  return pair(children[0]!, children[1]!);
}

/** Operands of AND in AND, of OR in OR, become those of the outer one. */
function flatten(tree: Tree): void {
  if (tree.op === 'value') return;
  tree.children.forEach(flatten);
  if (tree.op === '&' || tree.op === '|') tree.children = tree.children.flatMap((c) => (c.op === tree.op && 'children' in c ? c.children : [c]));
}

function compareTrees(a: Tree, b: Tree): number {
  if (a.op === 'value' || b.op === 'value') {
    if (a.op !== 'value') return -1;
    if (b.op !== 'value') return 1;
    return a.crc === b.crc ? compareText(a.value.text, b.value.text) : a.crc > b.crc ? -1 : 1;
  }
  if (a.op !== b.op) return OPERATORS[b.op] - OPERATORS[a.op];
  if (a.children.length !== b.children.length) return b.children.length - a.children.length;
  for (let i = 0; i < a.children.length; i++) {
    const found = compareTrees(a.children[i]!, b.children[i]!);
    if (found !== 0) return found;
  }
  return b.distance - a.distance;
}

function sort(tree: Tree): void {
  if (tree.op === 'value') return;
  tree.children.forEach(sort);
  if (tree.children.length > 1 && tree.op !== '<>') tree.children.sort(compareTrees);
}

function release(tree: Tree): void {
  tree.kept = false;
  if (tree.op !== 'value') tree.children.forEach(release);
}

function ordered(node: QueryNode): Tree {
  const tree = toTree(node);
  flatten(tree);
  sort(tree);
  return tree;
}

function replacement(substitute: QueryNode | null): Tree | null {
  return substitute === null ? null : { ...toTree(substitute), kept: true };
}

/** The node itself, or operands of it, replaced where they are what is looked for. */
function replaceHere(node: Tree, wanted: Tree, substitute: QueryNode | null): Tree | null {
  if (node.kept || node.op !== wanted.op) return node;
  if (node.op === 'value' || wanted.op === 'value') return compareTrees(node, wanted) === 0 ? replacement(substitute) : node;
  if (node.children.length === wanted.children.length) return compareTrees(node, wanted) === 0 ? replacement(substitute) : node;
  if (node.children.length < wanted.children.length) return node;
  const rest: Tree[] = [];
  let found = 0;
  for (const child of node.children) {
    if (found < wanted.children.length && compareTrees(child, wanted.children[found]!) === 0) found++;
    else rest.push(child);
  }
  if (found < wanted.children.length) return node;
  const put = replacement(substitute);
  if (put !== null) rest.push(put);
  node.children = rest;
  sort(node);
  return node;
}

function replaceAll(node: Tree, wanted: Tree, substitute: QueryNode | null): Tree | null {
  const tree = replaceHere(node, wanted, substitute);
  if (tree === null || tree.kept || tree.op === 'value') return tree;
  tree.children = tree.children.map((c) => replaceAll(c, wanted, substitute)).filter((c) => c !== null);
  if (tree.children.length === 0) return null;
  return tree.children.length === 1 && tree.op !== '!' ? tree.children[0]! : tree;
}

const result = (tree: Tree | null): TsQuery => new TsQuery(tree === null ? null : fromTree(tree));

function rewrite(query: TsQuery, target: TsQuery, substitute: TsQuery): TsQuery {
  if (query.root === null || target.root === null) return query;
  return result(replaceAll(ordered(query.root), ordered(target.root), substitute.root));
}

/** The same for each row of a query, one after the other. */
function rewriteByQuery(query: TsQuery, text: string): TsQuery {
  if (query.root === null) return query;
  let tree: Tree | null = ordered(query.root);
  const refuse = (): never => { throw new PgError('invalid_parameter_value', 'ts_rewrite query must return two tsquery columns'); };
  const columns = spi.columns(text);
  if (columns.length !== 2 || columns.some((type) => type !== TSQUERYOID)) refuse();
  spi.execute(text, [], [], (row: Datum[]) => {
    const [target, substitute] = row as unknown as [TsQuery | null, TsQuery | null];
    if (tree === null) return false;
    if (target === null || substitute === null || target.root === null) return true;
    tree = replaceAll(tree, ordered(target.root), substitute.root);
    if (tree !== null) {
      release(tree);
      flatten(tree);
      sort(tree);
    }
    return true;
  });
  return result(tree);
}

/** What an index can look for: without what is under NOT; null for everything. */
function withoutNot(node: QueryNode): QueryNode | null {
  switch (node.op) {
    case 'value': return node;
    case '!': return null;
    case '|': case '&': case '<>': {
      const [left, right] = [withoutNot(node.left), withoutNot(node.right)];
      if (node.op === '|') return left === null || right === null ? null : { ...node, left, right };
      return left === null ? right : right === null ? left : { ...node, left, right };
    }
  }
}

function queryTree({ root }: TsQuery): string {
  if (root === null) return '';
  const found = withoutNot(root);
  return found === null ? 'T' : tsQueryOut(new TsQuery(found));
}

registerBuiltins({ pure: { tsquery_rewrite: rewrite, tsquery_rewrite_query: rewriteByQuery, tsquerytree: queryTree } });
