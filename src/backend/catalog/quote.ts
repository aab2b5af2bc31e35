// Names as SQL text: types/quote.ts with the keywords and qualified names.
import { quoteIdentifier, quoteLiteral } from '../types/quote.ts';
import { typeHooks } from '../types/hooks.ts';
import { KEYWORDS } from '../../common/keywords.ts';

typeHooks.isReservedWord = (word) => {
  const category = KEYWORDS.get(word);
  return category !== undefined && category !== 'U';
};

export { quoteIdentifier, quoteLiteral };
export const quoteQualifiedIdentifier = (schema: string | null | undefined, name: string): string =>
  schema ? `${quoteIdentifier(schema)}.${quoteIdentifier(name)}` : quoteIdentifier(name);
