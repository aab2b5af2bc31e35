// Node trees back from their stored text (see outfuncs.ts).
import { internalError } from '../../common/errors.ts';
import { typeHooks } from '../types/hooks.ts';
import { NODE_FORMAT_VERSION, type StoredNode } from './outfuncs.ts';
import type { Const } from './primnodes.ts';

export function stringToNode(text: string): StoredNode {
  const stored = JSON.parse(text) as { version: number; node: StoredNode };
  if (stored.version !== NODE_FORMAT_VERSION) throw internalError(`stored tree has format ${stored.version}, not ${NODE_FORMAT_VERSION}`);
  restoreConstants(stored.node);
  return stored.node;
}

function restoreConstants(value: unknown): void {
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object' && item !== null) restoreConstants(item);
    return;
  }
  const node = value as Record<string, unknown>;
  if (node['kind'] === 'Const') {
    const con = node as unknown as Const;
    if (con.constvalue !== null) con.constvalue = typeHooks.typeIo(con.consttype).input(con.constvalue as string, con.consttypmod);
    return;
  }
  for (const key in node) {
    const field = node[key];
    if (typeof field === 'object' && field !== null) restoreConstants(field);
  }
}
