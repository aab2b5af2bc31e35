// The rows of XMLTABLE: nodes of a document, and for each of them one value a column.
import { PgError } from '../../../common/errors.ts';
import { type Datum, type Oid, RecordValue } from '../datum.ts';
import { typeHooks } from '../hooks.ts';
import { RECORDOID, XMLOID } from '../oids.ts';
import { stringValue, type XmlNode } from './tree.ts';
import { escapeXml } from './values.ts';
import { nodeToXml, xmlTree } from './xml.ts';
import { evaluateXPath, toText } from './xpath.ts';
import { parseXPath, type XPathExpr } from './xpath_parse.ts';

/** What is known of a table before it is run. */
export interface XmlTableShape {
  colnames: readonly string[]; coltypes: readonly Oid[]; coltypmods: readonly number[]; notnulls: readonly boolean[]; ordinalitycol: number;
  nsNames: readonly (string | null)[];
  /** Whether a column has a PATH; else its name is one. */
  hasPath: readonly boolean[];
}

export function* xmlTableRows(
  shape: XmlTableShape, document: string | null, rowPath: string | null, uris: readonly (string | null)[], paths: readonly (string | null)[],
  defaults: readonly ((() => Datum) | null)[],
): Generator<RecordValue> {
  if (document === null) return;
  const namespaces = new Map<string, string>();
  shape.nsNames.forEach((name, i) => {
    const uri = uris[i]!;
    if (uri === null) throw new PgError('null_value_not_allowed', 'namespace URI must not be null');
    if (name === null) throw new PgError('feature_not_supported', 'DEFAULT namespace is not supported');
    namespaces.set(name, uri);
  });
  const root = xmlTree(document);
  if (rowPath === null) throw new PgError('null_value_not_allowed', 'row filter expression must not be null');
  if (rowPath === '') throw new PgError('data_exception', 'row path filter must not be empty string');
  const rowExpr = parseXPath(rowPath, 'syntax_error');
  const columns = shape.colnames.map((name, i): XPathExpr | null => {
    if (i === shape.ordinalitycol) return null;
    if (!shape.hasPath[i]) return parseXPath(name, 'data_exception');
    const path = paths[i]!;
    if (path === null) throw new PgError('null_value_not_allowed', 'column filter expression must not be null', { detail: `Filter for column "${name}" is null.` });
    if (path === '') throw new PgError('data_exception', 'column path filter must not be empty string');
    return parseXPath(path, 'data_exception');
  });
  const rows = evaluateXPath(rowExpr, root, namespaces);
  if (typeof rows !== 'object') return;
  let ordinality = 0;
  for (const row of rows) {
    ordinality++;
    const values = columns.map((column, i): Datum => {
      if (column === null) return ordinality;
      const value = columnValue(column, row, namespaces, shape.coltypes[i]!, shape.coltypmods[i]!) ?? defaults[i]?.() ?? null;
      if (value === null && shape.notnulls[i]!) throw new PgError('null_value_not_allowed', `null is not allowed in column "${shape.colnames[i]!}"`);
      return value;
    });
    yield new RecordValue(RECORDOID, [], values);
  }
}

function columnValue(column: XPathExpr, row: XmlNode, namespaces: ReadonlyMap<string, string>, type: Oid, typmod: number): Datum {
  const value = evaluateXPath(column, row, namespaces);
  let text: string;
  if (typeof value !== 'object') {
    // A number would become a boolean by way of its text otherwise.
    text = typeof value === 'number' && type === 16 ? String(value !== 0) : typeof value === 'boolean' && typeHooks.typeIo(type).typcategory === 'N' ? (value ? '1' : '0') : toText(value);
    if (typeof value === 'string' && type === XMLOID) text = escapeXml(text);
  } else {
    if (value.length === 0) return null;
    if (type === XMLOID) text = value.map(nodeToXml).join('');
    else if (value.length > 1) throw new PgError('cardinality_violation', 'more than one value returned by column XPath expression');
    else text = stringValue(value[0]!);
  }
  return typeHooks.typeIo(type).input(text, typmod);
}
