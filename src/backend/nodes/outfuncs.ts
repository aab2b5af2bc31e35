// Node trees as text, for the catalogs that keep them (pg_attrdef, pg_rewrite, pg_constraint, pg_index, ...): JSON after
// a format number, or the same deflated and in base64 when it is long. Fields that are as usual (node_defaults.ts) are
// left out, and so are places in the source text; a Var is {"V": [fields in order, usual ones at the end left out]};
// constants have their types' text form. readfuncs.ts reads it.
import { zlib } from '../../common/builtin.ts';
import { storeConstant } from './const_text.ts';
import { NODE_DEFAULTS, nodeTag, type AnyNode } from './node_defaults.ts';
import type { Query } from './parsenodes.ts';
import type { Expr, Var } from './primnodes.ts';

export const NODE_FORMAT = 1, NODE_FORMAT_DEFLATED = 2;
/** Shorter texts are not worth it. */
const DEFLATE_FROM = 600;

/** The text of an expression, a query, or a list of either. */
export function nodeToString(node: Expr | Query | readonly (Expr | Query)[] | null): string {
  const text = JSON.stringify(plain(node));
  return text.length < DEFLATE_FROM ? `${NODE_FORMAT} ${text}` : `${NODE_FORMAT_DEFLATED} ${zlib().deflateRawSync(text, { level: 9 }).toString('base64')}`;
}

const isUsual = (value: unknown, usual: unknown): boolean => value === usual
  || (Array.isArray(value) && value.length === 0 && Array.isArray(usual) && usual.length === 0);

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  const node = value as AnyNode;
  const tag = nodeTag(node);
  const out: AnyNode = {};
  if (tag === undefined) {
    for (const key in node) out[key] = plain(node[key]);
    return out;
  }
  if (tag === 'Var') return { V: varFields(node as unknown as Var) };
  const usual = NODE_DEFAULTS.get(tag)!;
  out['kind'] = tag;
  for (const key in node) {
    if (key === 'kind' || key === 'location' || key === 'slot' || key === 'stmt_location' || key === 'stmt_len') continue;
    if (!isUsual(node[key], usual[key])) out[key] = plain(node[key]);
  }
  if (tag === 'Const' && node['constvalue'] !== null) {
    out['constvalue'] = storeConstant(node['consttype'] as number, node['constvalue'] as never);
  }
  return out;
}

/** Vars are the most of every tree. */
function varFields(v: Var): number[] {
  const fields = [v.varno, v.varattno, v.vartype];
  if (v.vartypmod !== -1 || v.varcollid !== 0 || v.varlevelsup !== 0) fields.push(v.vartypmod);
  if (v.varcollid !== 0 || v.varlevelsup !== 0) fields.push(v.varcollid);
  if (v.varlevelsup !== 0) fields.push(v.varlevelsup);
  return fields;
}
