// pg_get_indexdef, and what it shares with constraints: CREATE INDEX as text.
import { quoteIdentifier } from '../../catalog/quote.ts';
import { openRelation, tryOpenRelation } from '../../catalog/relcache.ts';
import { amByOid, attributeByNumber, indexByOid } from '../../catalog/syscache.ts';
import { exprCollation, exprType } from '../../nodes/nodeFuncs.ts';
import type { Expr } from '../../nodes/primnodes.ts';
import { stringToNode } from '../../nodes/readfuncs.ts';
import type { Oid } from '../../types/datum.ts';
import { simpleQuoteLiteral } from './constant.ts';
import { PRETTY_SCHEMA } from './context.ts';
import { expressionText } from './exprdef.ts';
import { relationNamespace } from './names.ts';
import { collationName, opclassSuffix, operatorName, qualifiedRelationName, relationName } from './object_names.ts';
import { looksLikeFunction } from './simple_node.ts';

/** name=value, ... of a relation's options; null when it has none (flatten_reloptions). */
export function reloptionsText(relid: Oid): string | null {
  const options = openRelation(relid).options;
  if (options.size === 0) return null;
  return [...options].map(([name, value]) => parameterText(`${name}=${value}`)).join(', ');
}

function parameterText(option: string): string {
  const at = option.indexOf('='), value = option.slice(at + 1);
  return `${quoteIdentifier(option.slice(0, at))}=${quoteIdentifier(value) === value ? value : simpleQuoteLiteral(value)}`;
}

export interface IndexdefOptions {
  /** Only this key column (from 1); 0: the whole. */
  column?: number;
  /** The key columns without collation, operator class and order. */
  attributesOnly?: boolean;
  /** Of an exclusion constraint: the text after CONSTRAINT name, with these operators. */
  excludeOperators?: readonly Oid[] | null;
}

const INDOPTION_DESC = 1, INDOPTION_NULLS_FIRST = 2;

/** Null when there is no such index (pg_get_indexdef_worker). */
export function indexdef(oid: Oid, flags: number, options: IndexdefOptions = {}): string | null {
  const row = indexByOid(oid);
  const index = row === undefined ? undefined : tryOpenRelation(oid);
  if (row === undefined || index === undefined) return null;
  const { column = 0, attributesOnly = false, excludeOperators = null } = options;
  const am = amByOid(index.accessMethod)?.amname ?? '';
  const table = openRelation(row.indrelid);
  const namespaces = [relationNamespace(table.oid)];
  const expressions = row.indexprs === null ? [] : stringToNode<Expr[]>(row.indexprs);
  let nextExpression = 0;
  let text = '';
  let sep = '';
  if (!attributesOnly) {
    const name = (flags & PRETTY_SCHEMA) !== 0 ? relationName(table.oid) : qualifiedRelationName(table.oid);
    text = excludeOperators === null
      ? `CREATE ${row.indisunique ? 'UNIQUE ' : ''}INDEX ${quoteIdentifier(index.name)} ON ${index.kind === 'I' ? 'ONLY ' : ''}${name} USING ${quoteIdentifier(am)} (`
      : `EXCLUDE USING ${quoteIdentifier(am)} (`;
  }
  row.indkey.forEach((attnum, i) => {
    const isKey = i < row.indnkeyatts;
    const wanted = column === 0 || column === i + 1;
    if (column === 0 && i === row.indnkeyatts) { text += ') INCLUDE ('; sep = ''; }
    if (column === 0) text += sep;
    sep = ', ';
    let type: Oid;
    let collation: Oid;
    if (attnum !== 0) {
      const attribute = table.attributes[attnum - 1];
      if (wanted) text += quoteIdentifier(attribute?.attname ?? '');
      type = attribute?.atttypid ?? 0;
      collation = attribute?.attcollation ?? 0;
    } else {
      const e = expressions[nextExpression++]!;
      const shown = expressionText(e, { namespaces, flags });
      if (wanted) text += looksLikeFunction(e) ? shown : `(${shown})`;
      type = exprType(e);
      collation = exprCollation(e);
    }
    if (attributesOnly || !isKey || !wanted) return;
    const keyCollation = row.indcollation[i] ?? 0;
    if (keyCollation !== 0 && keyCollation !== collation) text += ` COLLATE ${collationName(keyCollation)}`;
    const parameters = attributeByNumber(oid, i + 1)?.attoptions ?? null;
    text += opclassSuffix(row.indclass[i]!, parameters === null ? type : 0);
    if (parameters !== null) text += ` (${parameters.map(parameterText).join(', ')})`;
    const option = row.indoption[i] ?? 0;
    const nullsFirst = (option & INDOPTION_NULLS_FIRST) !== 0;
    if (am === 'btree') {
      if (option & INDOPTION_DESC) text += nullsFirst ? ' DESC' : ' DESC NULLS LAST';
      else if (nullsFirst) text += ' NULLS FIRST';
    }
    if (excludeOperators !== null) text += ` WITH ${operatorName(excludeOperators[i]!, type, type)}`;
  });
  if (attributesOnly) return text;
  text += ')';
  if (row.indnullsnotdistinct) text += ' NULLS NOT DISTINCT';
  const reloptions = reloptionsText(oid);
  if (reloptions !== null) text += ` WITH (${reloptions})`;
  if (row.indpred !== null) {
    const where = expressionText(stringToNode<Expr>(row.indpred), { namespaces, flags });
    text += excludeOperators === null ? ` WHERE ${where}` : ` WHERE (${where})`;
  }
  return text;
}
