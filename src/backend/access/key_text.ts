// Texts in index keys, and what is made of texts: tsvector and tsquery, in the order of tsvector_cmp and tsquery_cmp.
import { legacyCrc, nodeCount, OPERATORS, valueBytes, type QueryNode, type TsQuery } from '../types/tsquery.ts';
import { sizeBytes, type TsVector } from '../types/tsvector.ts';
import { integerKey } from './key_integer.ts';

/** UTF-8 as a binary string; ASCII is that already. */
function utf8(text: string): string {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return Buffer.from(text, 'utf8').latin1Slice();
  return text;
}

/** A trailing zero: no text is the beginning of another. */
export const textKey = (v: string): string => `\x02${utf8(v)}\x00`;

/** Size and number of lexemes first; then, lexeme by lexeme, those with more or greater positions before the others. */
export function tsVectorKey(v: TsVector): string {
  let key = integerKey(sizeBytes(v)) + integerKey(v.lexemes.length);
  for (const { text, positions } of v.lexemes) {
    key += (positions.length > 0 ? '\x01' : '\x02') + textKey(text) + integerKey(-positions.length);
    for (const { at, weight } of positions) key += integerKey(-at) + integerKey(-weight);
  }
  return key;
}

export function tsQueryKey({ root }: TsQuery): string {
  const key = integerKey(nodeCount(root));
  return root === null ? key : key + integerKey(valueBytes(root)) + nodeKey(root);
}

/** Operands come after operators, and what is greater in any other way comes first. */
function nodeKey(node: QueryNode): string {
  if (node.op === 'value') return `\x09${integerKey(-legacyCrc(node.text))}${textKey(node.text)}`;
  const operator = String.fromCharCode(8 - OPERATORS[node.op]);
  if (node.op === '!') return operator + nodeKey(node.arg);
  return operator + nodeKey(node.right) + nodeKey(node.left) + (node.op === '<>' ? integerKey(-node.distance) : '');
}
