// Node trees from their text (outfuncs.ts).
import { internalError } from '../../common/errors.ts';
import { typeHooks } from '../types/hooks.ts';
import { NODE_FORMAT } from './outfuncs.ts';

/** What `nodeToString` was given. The caller knows which kind of tree it stored. */
export function stringToNode<T>(text: string): T {
  const space = text.indexOf(' ');
  if (Number(text.slice(0, space)) !== NODE_FORMAT) throw internalError(`node tree of unknown format "${text.slice(0, 20)}"`);
  return JSON.parse(text.slice(space + 1), reviver) as T;
}

function reviver(this: unknown, _key: string, value: any): unknown {
  if (typeof value === 'object' && value !== null && value.kind === 'Const' && value.constvalue !== null) {
    value.constvalue = typeHooks.typeIo(value.consttype).input(value.constvalue.text, -1);
  }
  return value;
}
