// Node trees from their text (outfuncs.ts).
import { zlib } from '../../common/builtin.ts';
import { internalError } from '../../common/errors.ts';
import { readConstant, type StoredConstant } from './const_text.ts';
import { makeVar } from './makefuncs.ts';
import { NODE_DEFAULTS, type AnyNode } from './node_defaults.ts';
import { NODE_FORMAT, NODE_FORMAT_DEFLATED } from './outfuncs.ts';

/** What `nodeToString` was given. The caller knows which kind of tree it stored. */
export function stringToNode<T>(text: string): T {
  const space = text.indexOf(' ');
  const body = text.slice(space + 1);
  switch (Number(text.slice(0, space))) {
    case NODE_FORMAT: return restore(JSON.parse(body)) as T;
    case NODE_FORMAT_DEFLATED: return restore(JSON.parse(zlib().inflateRawSync(Buffer.from(body, 'base64')).toString('utf8'))) as T;
    default: throw internalError(`node tree of unknown format "${text.slice(0, 20)}"`);
  }
}

/** Per tag: the usual node, and which of its fields are lists (every node gets its own). */
interface Template { readonly usual: AnyNode; readonly lists: readonly string[] }
const templates = new Map<string, Template>();
for (const [tag, node] of NODE_DEFAULTS) {
  templates.set(tag, { usual: node, lists: Object.keys(node).filter((key) => Array.isArray(node[key])) });
}

function restore(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = restore(value[i]);
    return value;
  }
  const node = value as AnyNode;
  if (node['V'] !== undefined) {
    const [varno, varattno, vartype, vartypmod = -1, varcollid = 0, varlevelsup = 0] = node['V'] as [number, number, number, number?, number?, number?];
    return makeVar(varno, varattno, vartype, vartypmod, varcollid, varlevelsup);
  }
  const template = typeof node['kind'] === 'string' ? templates.get(node['kind']) : undefined;
  if (template === undefined) {
    for (const key in node) node[key] = restore(node[key]);
    return node;
  }
  const out: AnyNode = { ...template.usual };
  for (const key of template.lists) out[key] = node[key] === undefined ? [] : restore(node[key]);
  for (const key in node) {
    if (key === 'kind' || Array.isArray(template.usual[key])) continue;
    out[key] = restore(node[key]);
  }
  if (node['kind'] === 'Const' && out['constvalue'] !== null) {
    out['constvalue'] = readConstant(out['consttype'] as number, out['constvalue'] as StoredConstant);
  }
  return out;
}
