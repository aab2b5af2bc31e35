// Constants as SQL text that is read back as the same type.
import { formatTypeWithTypmod } from '../../catalog/format_type.ts';
import { getTypCollation } from '../../catalog/lsyscache.ts';
import type { Const } from '../../nodes/primnodes.ts';
import { typeHooks } from '../../types/hooks.ts';
import { BOOLOID, INT4OID, NUMERICOID, UNKNOWNOID } from '../../types/oids.ts';
import { settings } from '../../utils/settings.ts';
import { collationName } from './object_names.ts';

/** As the session would read it: with standard_conforming_strings a backslash is a character like any other. */
export const simpleQuoteLiteral = (text: string): string => `'${text.replace(settings.standard_conforming_strings ? /'/g : /['\\]/g, '$&$&')}'`;

/** `showtype`: -1 never with its type, 0 where it is needed, 1 always (get_const_expr). */
export function constantText(e: Const, showtype: -1 | 0 | 1): string {
  const cast = (): string => `::${formatTypeWithTypmod(e.consttype, e.consttypmod)}`;
  if (e.constvalue === null) return showtype < 0 ? 'NULL' : `NULL${cast()}${collateClause(e)}`;
  const text = typeHooks.typeIo(e.consttype).output(e.constvalue);
  let label = false;
  let literal: string;
  switch (e.consttype) {
    case INT4OID: // a minus sign in front would be an operator
      label = text.startsWith('-');
      literal = label ? `'${text}'` : text;
      break;
    case NUMERICOID: // bare when it looks like a float constant
      label = !/^\d.*[eE.]/.test(text);
      literal = label ? `'${text}'` : text;
      label ||= e.consttypmod >= 0;
      break;
    case BOOLOID: literal = e.constvalue ? 'true' : 'false'; break;
    default:
      literal = simpleQuoteLiteral(text);
      label = e.consttype !== UNKNOWNOID;
  }
  if (showtype < 0) return literal;
  return `${literal}${label || showtype > 0 ? cast() : ''}${collateClause(e)}`;
}

const collateClause = (e: Const): string => (e.constcollid !== 0 && e.constcollid !== getTypCollation(e.consttype) ? ` COLLATE ${collationName(e.constcollid)}` : '');
