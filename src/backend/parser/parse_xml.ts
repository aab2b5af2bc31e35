// XMLELEMENT and the like (the XML parts of parse_expr.c), and XMLTABLE (those of parse_clause.c).
import { PgError } from '../../common/errors.ts';
import { getTypCollation } from '../catalog/lsyscache.ts';
import { makeAlias, makeRangeTblEntry } from '../nodes/makefuncs.ts';
import { containsVarsOfLevel } from '../nodes/nodeFuncs.ts';
import type { Expr, TableFunc, XmlExpr, XmlExprOp } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import * as T from '../types/oids.ts';
import { sqlNameToXml } from '../types/xml/values.ts';
import { assignExprCollations } from './parse_collate.ts';
import { coerceToSpecificType, coerceToTargetType } from './parse_coerce.ts';
import { parserError, type NamespaceItem, type ParseState } from './parse_node.ts';
import { addFunctionEntry, aliasOf } from './parse_relation.ts';
import { figureColname } from './parse_target.ts';
import { formatType, typenameTypeIdAndMod } from './parse_type.ts';
import type { RawNode } from './raw_nodes.ts';

type Transform = (raw: RawNode) => Expr;

const OPS: Record<string, XmlExprOp> = {
  IS_XMLCONCAT: 'concat', IS_XMLELEMENT: 'element', IS_XMLFOREST: 'forest', IS_XMLPARSE: 'parse', IS_XMLPI: 'pi', IS_XMLROOT: 'root', IS_DOCUMENT: 'document',
};

/** What arguments become, by their place; undefined: any type will do. */
const ARGUMENTS: Record<XmlExprOp, { construct: string; types: readonly Oid[] } | undefined> = {
  concat: { construct: 'XMLCONCAT', types: [T.XMLOID] }, parse: { construct: 'XMLPARSE', types: [T.TEXTOID, T.BOOLOID] }, pi: { construct: 'XMLPI', types: [T.TEXTOID] },
  root: { construct: 'XMLROOT', types: [T.XMLOID, T.TEXTOID, T.INT4OID] }, document: { construct: 'IS DOCUMENT', types: [T.XMLOID] },
  element: undefined, forest: undefined, serialize: undefined,
};

const optionOf = (raw: RawNode): 'document' | 'content' => (raw.xmloption === 'XMLOPTION_CONTENT' ? 'content' : 'document');

export function transformXmlExpr(state: ParseState, x: RawNode, transform: Transform): Expr {
  const op = OPS[x.op as string]!;
  const result: XmlExpr = {
    kind: 'XmlExpr', op, name: x.name === undefined ? null : sqlNameToXml(x.name as string, false), named_args: [], arg_names: [], args: [], xmloption: optionOf(x),
    type: T.XMLOID, typmod: -1, location: x.location ?? -1,
  };
  for (const r of (x.named_args as RawNode[] | undefined) ?? []) {
    const expr = transform(r.val);
    let name: string;
    if (r.name !== undefined) name = sqlNameToXml(r.name as string, false);
    else if ((r.val as RawNode).tag === 'ColumnRef') name = sqlNameToXml(figureColname(r.val), true);
    else throw parserError(state, 'syntax_error', `unnamed XML ${op === 'element' ? 'attribute' : 'element'} value must be a column reference`, r.location);
    if (op === 'element' && result.arg_names.includes(name)) throw parserError(state, 'syntax_error', `XML attribute name "${name}" appears more than once`, r.location);
    result.named_args.push(expr);
    result.arg_names.push(name);
  }
  const wanted = ARGUMENTS[op];
  for (const [i, raw] of ((x.args as RawNode[] | undefined) ?? []).entries()) {
    const arg = transform(raw);
    result.args.push(wanted === undefined ? arg : coerceToSpecificType(state, arg, wanted.types[i] ?? wanted.types.at(-1)!, wanted.construct));
  }
  return result;
}

export function transformXmlSerialize(state: ParseState, x: RawNode, transform: Transform): Expr {
  const arg = coerceToSpecificType(state, transform(x.expr), T.XMLOID, 'XMLSERIALIZE');
  const { type, typmod } = typenameTypeIdAndMod(state, x.typeName);
  const location = x.location ?? -1;
  const node: XmlExpr = { kind: 'XmlExpr', op: 'serialize', name: null, named_args: [], arg_names: [], args: [arg], xmloption: optionOf(x), type, typmod, location };
  const result = coerceToTargetType(state, node, T.TEXTOID, type, typmod, 'implicit', 'implicit_cast', -1);
  if (result === null) throw parserError(state, 'cannot_coerce', `cannot cast XMLSERIALIZE result to ${formatType(type)}`, location);
  return result;
}

/** XMLTABLE: an entry of the range table whose one function is a TableFunc. `transform` analyzes for FROM. */
export function transformRangeTableFunc(state: ParseState, r: RawNode, transform: Transform): NamespaceItem {
  const construct = 'XMLTABLE';
  const value = (raw: RawNode, type: Oid, typmod = -1): Expr => {
    const e = coerceToSpecificType(state, transform(raw), type, construct, typmod);
    assignExprCollations(state, e);
    return e;
  };
  const savedLateral = state.lateralActive;
  state.lateralActive = true;
  const rowexpr = value(r.rowexpr, T.TEXTOID);
  const docexpr = value(r.docexpr, T.XMLOID);
  const tf: TableFunc = {
    kind: 'TableFunc', ns_uris: [], ns_names: [], docexpr, rowexpr, colnames: [], coltypes: [], coltypmods: [], colcollations: [], colexprs: [], coldefexprs: [], notnulls: [],
    ordinalitycol: -1, location: r.location ?? -1,
  };
  for (const [i, column] of (r.columns as RawNode[]).entries()) addColumn(state, tf, column, i, value);
  for (const ns of (r.namespaces as RawNode[] | undefined) ?? []) {
    const name = (ns.name as string | undefined) ?? null;
    const uri = value(ns.val, T.TEXTOID);
    if (tf.ns_names.includes(name)) {
      throw parserError(state, 'syntax_error', name === null ? 'only one default namespace is allowed' : `namespace name "${name}" is not unique`, ns.location);
    }
    tf.ns_uris.push(uri);
    tf.ns_names.push(name);
  }
  state.lateralActive = savedLateral;
  const alias = aliasOf(r.alias);
  const given = alias?.colnames ?? [];
  if (given.length > tf.colnames.length) {
    throw new PgError('invalid_column_reference', `${construct} function has ${tf.colnames.length} columns available but ${given.length} columns specified`);
  }
  const rte = makeRangeTblEntry('function', alias, makeAlias(alias?.aliasname ?? 'xmltable', [...given, ...tf.colnames.slice(given.length)]));
  rte.functions.push({
    funcexpr: tf, funccolcount: tf.colnames.length, funccolnames: tf.colnames, funccoltypes: tf.coltypes, funccoltypmods: tf.coltypmods, funccolcollations: tf.colcollations,
  });
  rte.lateral = r.lateral === true || containsVarsOfLevel(tf, 0);
  rte.inFromCl = true;
  return addFunctionEntry(state, rte, tf.coltypes, tf.coltypmods, tf.colcollations);
}

function addColumn(state: ParseState, tf: TableFunc, column: RawNode, index: number, value: (raw: RawNode, type: Oid, typmod?: number) => Expr): void {
  const name = column.colname as string;
  let type = T.INT4OID;
  let typmod = -1;
  if (column.for_ordinality === true) {
    if (tf.ordinalitycol >= 0) throw parserError(state, 'syntax_error', 'only one FOR ORDINALITY column is allowed', column.location);
    tf.ordinalitycol = index;
  } else {
    if (column.typeName.setof === true) throw parserError(state, 'invalid_table_definition', `column "${name}" cannot be declared SETOF`, column.location);
    ({ type, typmod } = typenameTypeIdAndMod(state, column.typeName));
  }
  tf.coltypes.push(type);
  tf.coltypmods.push(typmod);
  tf.colcollations.push(getTypCollation(type));
  tf.colexprs.push(column.colexpr === undefined ? null : value(column.colexpr, T.TEXTOID));
  tf.coldefexprs.push(column.coldefexpr === undefined ? null : value(column.coldefexpr, type, typmod));
  tf.notnulls.push(column.is_not_null === true);
  if (tf.colnames.includes(name)) throw parserError(state, 'syntax_error', `column name "${name}" is not unique`, column.location);
  tf.colnames.push(name);
}
