// XMLELEMENT and the like, and XMLTABLE, as SQL text.
import { formatTypeWithTypmod } from '../../catalog/format_type.ts';
import { quoteIdentifier } from '../../catalog/quote.ts';
import type { Expr, TableFunc, XmlExpr } from '../../nodes/primnodes.ts';
import { xmlNameToSql } from '../../types/xml/values.ts';
import type { DeparseContext } from './context.ts';
import { recursion } from './recursion.ts';

const WORDS: Record<XmlExpr['op'], string> = {
  concat: 'XMLCONCAT(', element: 'XMLELEMENT(', forest: 'XMLFOREST(', parse: 'XMLPARSE(', pi: 'XMLPI(', root: 'XMLROOT(', serialize: 'XMLSERIALIZE(', document: '',
};
const STANDALONE = [', STANDALONE YES', ', STANDALONE NO', ', STANDALONE NO VALUE', ''];

const isNull = (e: Expr): boolean => e.kind === 'Const' && e.constvalue === null;
const constant = (e: Expr): unknown => (e.kind === 'Const' ? e.constvalue : null);

export function writeXmlExpr(e: XmlExpr, c: DeparseContext): void {
  const rule = (x: Expr, showImplicit = true): void => recursion.ruleExpr(x, c, showImplicit);
  c.put(WORDS[e.op]);
  if (e.op === 'document') {
    if (c.prettyParen) c.put('(');
    rule(e.args[0]!, false);
    c.put(`${c.prettyParen ? ')' : ''} IS DOCUMENT`);
    return;
  }
  if (e.op === 'parse' || e.op === 'serialize') c.put(e.xmloption === 'document' ? 'DOCUMENT ' : 'CONTENT ');
  let separator = '';
  if (e.name !== null) {
    c.put(`NAME ${quoteIdentifier(xmlNameToSql(e.name))}`);
    separator = ', ';
  }
  if (e.named_args.length > 0) {
    if (e.op !== 'forest') c.put(`${separator}XMLATTRIBUTES(`);
    e.named_args.forEach((arg, i) => {
      if (i > 0) c.put(', ');
      rule(arg);
      c.put(` AS ${quoteIdentifier(xmlNameToSql(e.arg_names[i]!))}`);
    });
    if (e.op !== 'forest') c.put(')');
    separator = ', ';
  }
  if (e.args.length > 0) c.put(separator);
  if (e.op === 'parse') {
    rule(e.args[0]!);
    c.put(constant(e.args[1]!) === true ? ' PRESERVE WHITESPACE' : ' STRIP WHITESPACE');
  } else if (e.op === 'root') {
    rule(e.args[0]!);
    c.put(', VERSION ');
    if (isNull(e.args[1]!)) c.put('NO VALUE');
    else rule(e.args[1]!, false);
    c.put(STANDALONE[constant(e.args[2]!) as number] ?? '');
  } else {
    e.args.forEach((arg, i) => {
      if (i > 0) c.put(', ');
      rule(arg);
    });
  }
  c.put(e.op === 'serialize' ? ` AS ${formatTypeWithTypmod(e.type, e.typmod)})` : ')');
}

export function writeTableFunc(tf: TableFunc, c: DeparseContext, showImplicit: boolean): void {
  const rule = (e: Expr): void => recursion.ruleExpr(e, c, showImplicit);
  const between = (before: string, e: Expr, after = ')'): void => {
    c.put(before);
    rule(e);
    c.put(after);
  };
  c.put('XMLTABLE(');
  if (tf.ns_uris.length > 0) {
    c.put('XMLNAMESPACES (');
    tf.ns_uris.forEach((uri, i) => {
      if (i > 0) c.put(', ');
      const name = tf.ns_names[i]!;
      if (name === null) between('DEFAULT ', uri, '');
      else between('', uri, ` AS ${quoteIdentifier(name)}`);
    });
    c.put('), ');
  }
  between('(', tf.rowexpr);
  between(' PASSING (', tf.docexpr);
  c.put(' COLUMNS ');
  tf.colnames.forEach((name, i) => {
    if (i > 0) c.put(', ');
    const isOrdinality = i === tf.ordinalitycol;
    c.put(`${quoteIdentifier(name)} ${isOrdinality ? 'FOR ORDINALITY' : formatTypeWithTypmod(tf.coltypes[i]!, tf.coltypmods[i]!)}`);
    if (isOrdinality) return;
    const [defaultValue, path] = [tf.coldefexprs[i]!, tf.colexprs[i]!];
    if (defaultValue !== null) between(' DEFAULT (', defaultValue);
    if (path !== null) between(' PATH (', path);
    if (tf.notnulls[i]!) c.put(' NOT NULL');
  });
  c.put(')');
}
