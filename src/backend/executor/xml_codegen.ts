// XMLELEMENT and the like as text, and the rows of XMLTABLE.
import { exprType } from '../nodes/nodeFuncs.ts';
import type { Expr, TableFunc, XmlExpr } from '../nodes/primnodes.ts';
import type { Datum } from '../types/datum.ts';
import { checkXml, isDocument, type XmlOption, xmlConcat, xmlElement, xmlForest, xmlPi, xmlRoot, xmlSerialize, xmlValueOf } from '../types/xml/xml.ts';
import { xmlTableRows, type XmlTableShape } from '../types/xml/xmltable.ts';
import type { Generator, Value } from './codegen.ts';

/** The value of each argument as text, for a call at run time. */
type GenAtom = (e: Expr) => Value;

/** What an expression comes to, from the values of its arguments. */
function evaluateXml(e: XmlExpr): (named: readonly Datum[], args: readonly Datum[]) => Datum {
  const types = e.args.map(exprType);
  const namedTypes = e.named_args.map(exprType);
  const pairs = (named: readonly Datum[], escaped: boolean): { name: string; value: string | null }[] =>
    named.map((v, i) => ({ name: e.arg_names[i]!, value: xmlValueOf(v, namedTypes[i]!, escaped) }));
  const option: XmlOption = e.xmloption;
  switch (e.op) {
    case 'concat': return (_named, args) => xmlConcat(args as (string | null)[]);
    // Attributes are escaped when they are written.
    case 'element': return (named, args) => xmlElement(e.name!, pairs(named, false), args.map((v, i) => xmlValueOf(v, types[i]!)));
    case 'forest': return (named) => xmlForest(pairs(named, true));
    case 'parse': return (_named, [text]) => (text === null ? null : checkXml(text as string, option));
    case 'pi': return (_named, args) => (args.length > 0 && args[0] === null ? null : xmlPi(e.name!, (args[0] as string | undefined) ?? null));
    case 'root': return (_named, [value, version, standalone]) => (value === null ? null : xmlRoot(value as string, version as string | null, standalone as number));
    case 'serialize': return (_named, [value]) => (value === null ? null : xmlSerialize(value as string, option));
    case 'document': return (_named, [value]) => (value === null ? null : isDocument(value as string));
  }
}

export function genXmlExpr(g: Generator, e: XmlExpr, gen: GenAtom): Value {
  const list = (exprs: readonly Expr[]): string => `[${exprs.map((x) => gen(x).code).join(', ')}]`;
  return { code: g.local(`${g.konst(evaluateXml(e))}(${list(e.named_args)}, ${list(e.args)})`), nullable: e.op !== 'element' };
}

/** An iterable of the rows of XMLTABLE. `gen` gives the text of a value, which may stand in a function for defaults. */
export function genTableFunc(g: Generator, tf: TableFunc, gen: GenAtom): string {
  const shape: XmlTableShape = {
    colnames: tf.colnames, coltypes: tf.coltypes, coltypmods: tf.coltypmods, notnulls: tf.notnulls, ordinalitycol: tf.ordinalitycol, nsNames: tf.ns_names,
    hasPath: tf.colexprs.map((e) => e !== null),
  };
  const code = (e: Expr | null): string => (e === null ? 'null' : gen(e).code);
  const defaults = tf.coldefexprs.map((e) => {
    if (e === null) return 'null';
    return g.fn([], () => g.emit(`return ${gen(e).code};`)).name;
  });
  const document = gen(tf.docexpr).code;
  const rowPath = gen(tf.rowexpr).code;
  return `${g.konst(xmlTableRows)}(${g.konst(shape)}, ${document}, ${rowPath}, [${tf.ns_uris.map(code).join(', ')}], [${tf.colexprs.map(code).join(', ')}], [${defaults.join(', ')}])`;
}
