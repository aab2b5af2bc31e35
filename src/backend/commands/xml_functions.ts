// Tables, queries, cursors, schemas and the whole database as XML, and the XML Schema documents that describe them (the mapping
// of part 14 of the SQL standard; the second half of PostgreSQL's xml.c).
import { PgError } from '../../common/errors.ts';
import { getBaseType, getBaseTypeAndTypmod, getNamespaceName, getRelName, getRelNamespace } from '../catalog/lsyscache.ts';
import { openRelation } from '../catalog/relcache.ts';
import { namespaceByName, typeByOid } from '../catalog/syscache.ts';
import { parseAnalyze } from '../parser/analyze.ts';
import { rawParse } from '../parser/raw_parser.ts';
import { exprType } from '../nodes/nodeFuncs.ts';
import type { Query } from '../nodes/parsenodes.ts';
import { notInReadOnly, refuseChanges } from '../executor/read_only.ts';
import { atInternalPosition, spiExecute } from '../executor/spi.ts';
import type { ResultColumn } from '../executor/dest.ts';
import { relationName } from '../rewrite/ruleutils/object_names.ts';
import { createCommandTag } from '../tcop/cmdtag.ts';
import { findPortal } from '../tcop/portal.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import * as T from '../types/oids.ts';
import { sqlNameToXml, sqlToXml } from '../types/xml/values.ts';
import { withErrorContext } from '../utils/error_context.ts';
import { session } from '../utils/session.ts';
import { settings } from '../utils/settings.ts';

/** How rows are written: `nulls` as empty elements or not at all; one element a row or a `forest` of them; the namespace of all. */
interface Style { nulls: boolean; forest: boolean; targetns: string }

interface Column { name: string; type: Oid }
interface Table { oid: Oid; columns: readonly Column[] }

const elementName = (name: string): string => sqlNameToXml(name, true);

/** A name of several parts, such as that of a table's type. */
const typeName = (...parts: (string | null)[]): string => parts.filter((p) => p !== null).map((p) => sqlNameToXml(p, true, true)).join('.');

// ---- rows ----------------------------------------------------------------------------------------------------

function rootStart(name: string, schema: string | null, targetns: string, topLevel: boolean): string {
  let text = `<${name}`;
  if (!topLevel) return `${text}>\n`;
  text += ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';
  if (targetns !== '') text += ` xmlns="${targetns}"`;
  if (schema !== null) text += targetns === '' ? ' xsi:noNamespaceSchemaLocation="#"' : ` xsi:schemaLocation="${targetns} #"`;
  return `${text}>\n`;
}

const rootEnd = (name: string): string => `</${name}>\n`;

function rowText(columns: readonly Column[], row: readonly Datum[], tableName: string | null, style: Style, topLevel: boolean): string {
  const element = tableName !== null ? elementName(tableName) : style.forest ? 'row' : 'table';
  let text = style.forest ? rootStart(element, null, style.targetns, topLevel) : '<row>\n';
  columns.forEach(({ name, type }, i) => {
    const value = row[i]!;
    const column = elementName(name);
    if (value !== null) text += `  <${column}>${sqlToXml(value, type, true)}</${column}>\n`;
    else if (style.nulls) text += `  <${column} xsi:nil="true"/>\n`;
  });
  return `${text}${style.forest ? rootEnd(element) : '</row>\n'}\n`;
}

const columnsOfResult = (columns: readonly ResultColumn[]): Column[] => columns.map((c) => ({ name: c.name, type: c.typeOid }));

function queryToXml(query: string, tableName: string | null, schema: string | null, style: Style, topLevel: boolean): string {
  const name = tableName === null ? 'table' : elementName(tableName);
  let text = style.forest ? '' : `${rootStart(name, schema, style.targetns, topLevel)}\n`;
  if (schema !== null) text += `${schema}\n\n`;
  const { first, last } = statements(query);
  withErrorContext({ outer: null, describe: (error) => (error?.fields.internalQuery === undefined ? `SQL statement "${query}"` : undefined) }, () => {
    for (const statement of first) {
      selectColumns(statement);
      spiExecute(statement, [], []);
    }
    const columns = selectColumns(last);
    spiExecute(last, [], [], (row) => {
      text += rowText(columns, row, tableName, style, topLevel);
      return true;
    });
  });
  return style.forest ? text : text + rootEnd(name);
}

/** Several statements are all run, as SPI does; what is shown is the last one. */
function statements(query: string): { first: string[]; last: string } {
  const bytes = Buffer.from(query, 'utf8');
  const list = atInternalPosition(query, () => rawParse(query));
  if (list.length === 0 || list.some(({ stmt }) => stmt.tag === 'TransactionStmt')) throw new PgError('data_exception', 'invalid query');
  const texts = list.map(({ stmt_location: at, stmt_len: length }) => bytes.toString('utf8', at, length === 0 ? undefined : at + length));
  return { first: texts.slice(0, -1), last: list.length === 1 ? query : texts.at(-1)! };
}

/** The functions are stable: only what reads may be run. */
function selectColumns(query: string): Column[] {
  const { raw, analyzed } = atInternalPosition(query, () => {
    const [first] = rawParse(query);
    return { raw: first!, analyzed: parseAnalyze(first!, query, []) };
  });
  if (raw.stmt.tag === 'VariableShowStmt') throw new PgError('data_exception', 'invalid query');
  if (analyzed.commandType === 'utility') throw notInReadOnly(createCommandTag(raw.stmt));
  refuseChanges(analyzed);
  return columnsOf(analyzed);
}

/** Of what a cursor would show. */
function queryColumns(query: string): Column[] {
  return atInternalPosition(query, () => {
    const list = rawParse(query), [raw] = list;
    if (raw === undefined || list.length > 1) throw new PgError('invalid_cursor_definition', 'cannot open multi-query plan as cursor');
    const analyzed = parseAnalyze(raw, query, []);
    if (analyzed.commandType !== 'select') throw new PgError('invalid_cursor_definition', `cannot open ${createCommandTag(raw.stmt)} query as cursor`);
    return columnsOf(analyzed);
  });
}

const columnsOf = (query: Query): Column[] => query.targetList.filter((t) => !t.resjunk).map((t) => ({ name: t.resname ?? '', type: exprType(t.expr) }));

const tableToXml = (relid: Oid, schema: string | null, style: Style, topLevel: boolean): string =>
  queryToXml(`SELECT * FROM ${relationName(relid)}`, getRelName(relid) ?? '', schema, style, topLevel);

function schemaToXml(nspid: Oid, schema: string | null, style: Style, topLevel: boolean): string {
  const name = elementName(getNamespaceName(nspid) ?? '');
  let text = `${rootStart(name, schema, style.targetns, topLevel)}\n`;
  if (schema !== null) text += `${schema}\n\n`;
  for (const relid of tablesOf(nspid)) text += `${tableToXml(relid, null, style, false)}\n`;
  return text + rootEnd(name);
}

function databaseToXml(schema: string | null, style: Style): string {
  const name = elementName(session.databaseName);
  let text = `${rootStart(name, schema, style.targetns, true)}\n`;
  if (schema !== null) text += `${schema}\n\n`;
  for (const nspid of visibleSchemas()) text += `${schemaToXml(nspid, null, style, false)}\n`;
  return text + rootEnd(name);
}

// ---- what is there -------------------------------------------------------------------------------------------

function oidsOf(query: string): Oid[] {
  const list: Oid[] = [];
  spiExecute(query, [], [], (row) => {
    list.push(row[0] as Oid);
    return true;
  });
  return list;
}

const SCHEMAS = "SELECT oid FROM pg_catalog.pg_namespace WHERE pg_catalog.has_schema_privilege(oid, 'USAGE') AND NOT (nspname ~ '^pg_' OR nspname = 'information_schema')";
const TABLES = "SELECT oid FROM pg_catalog.pg_class WHERE relkind IN ('r', 'm', 'v') AND pg_catalog.has_table_privilege(oid, 'SELECT')";

const tablesOf = (nspid: Oid): Oid[] => oidsOf(`${TABLES} AND relnamespace = ${nspid} ORDER BY relname`);
const visibleSchemas = (): Oid[] => oidsOf(`${SCHEMAS} ORDER BY nspname`);
const visibleTables = (): Oid[] => oidsOf(`${TABLES} AND relnamespace IN (${SCHEMAS})`);

function tableOf(oid: Oid): Table {
  const columns = openRelation(oid).attributes.filter((a) => !a.attisdropped).map((a) => ({ name: a.attname, type: a.atttypid }));
  return { oid, columns };
}

// ---- schema documents ----------------------------------------------------------------------------------------

const TYPE_NAMES: Record<Oid, string> = {
  [T.BPCHAROID]: 'CHAR', [T.VARCHAROID]: 'VARCHAR', [T.NUMERICOID]: 'NUMERIC', [T.INT4OID]: 'INTEGER', [T.INT2OID]: 'SMALLINT', [T.INT8OID]: 'BIGINT', [T.FLOAT4OID]: 'REAL',
  [T.FLOAT8OID]: 'DOUBLE', [T.BOOLOID]: 'BOOLEAN', [T.TIMEOID]: 'TIME', [T.TIMETZOID]: 'TIME_WTZ', [T.TIMESTAMPOID]: 'TIMESTAMP', [T.TIMESTAMPTZOID]: 'TIMESTAMP_WTZ',
  [T.DATEOID]: 'DATE', [T.XMLOID]: 'XML',
};

function xmlTypeName(oid: Oid, typmod = -1): string {
  const known = TYPE_NAMES[oid];
  if (known !== undefined) return known + typmodSuffix(oid, typmod);
  const type = typeByOid(oid)!;
  return typeName(type.typtype === 'd' ? 'Domain' : 'UDT', session.databaseName, getNamespaceName(type.typnamespace) ?? '', type.typname);
}

function typmodSuffix(oid: Oid, typmod: number): string {
  if (typmod < 0) return '';
  switch (oid) {
    case T.BPCHAROID: case T.VARCHAROID: return `_${typmod - 4}`;
    case T.NUMERICOID: return `_${(typmod - 4) >> 16}_${(typmod - 4) & 0xffff}`;
    case T.TIMEOID: case T.TIMETZOID: case T.TIMESTAMPOID: case T.TIMESTAMPTZOID: return `_${typmod}`;
    default: return '';
  }
}

const integer = (base: string, most: string, least: string): string =>
  `  <xsd:restriction base="xsd:${base}">\n    <xsd:maxInclusive value="${most}"/>\n    <xsd:minInclusive value="${least}"/>\n  </xsd:restriction>\n`;
const plain = (base: string): string => `  <xsd:restriction base="xsd:${base}"></xsd:restriction>\n`;
const string = '  <xsd:restriction base="xsd:string">\n  </xsd:restriction>\n';
const pattern = (base: string, value: string): string => `  <xsd:restriction base="xsd:${base}">\n    <xsd:pattern value="${value}"/>\n  </xsd:restriction>\n`;
const DAY = String.raw`\p{Nd}{4}-\p{Nd}{2}-\p{Nd}{2}`;
const TIME = String.raw`\p{Nd}{2}:\p{Nd}{2}:\p{Nd}{2}(.\p{Nd}+)?`;
const ZONE = String.raw`(\+|-)\p{Nd}{2}:\p{Nd}{2}`;

const RESTRICTIONS: Record<Oid, string> = {
  [T.BPCHAROID]: string, [T.VARCHAROID]: string, [T.TEXTOID]: string, [T.NUMERICOID]: '',
  [T.INT2OID]: integer('short', '32767', '-32768'), [T.INT4OID]: integer('int', '2147483647', '-2147483648'),
  [T.INT8OID]: integer('long', '9223372036854775807', '-9223372036854775808'), [T.FLOAT4OID]: plain('float'), [T.FLOAT8OID]: plain('double'), [T.BOOLOID]: plain('boolean'),
  [T.TIMEOID]: pattern('time', TIME), [T.TIMETZOID]: pattern('time', TIME + ZONE), [T.TIMESTAMPOID]: pattern('dateTime', `${DAY}T${TIME}`),
  [T.TIMESTAMPTZOID]: pattern('dateTime', `${DAY}T${TIME}${ZONE}`), [T.DATEOID]: pattern('date', DAY),
};

function typeSchema(oid: Oid): string {
  if (oid === T.XMLOID) {
    return '<xsd:complexType mixed="true">\n  <xsd:sequence>\n    <xsd:any name="element" minOccurs="0" maxOccurs="unbounded" processContents="skip"/>\n  </xsd:sequence>\n</xsd:complexType>\n';
  }
  let body = RESTRICTIONS[oid] ?? '';
  if (oid === T.BYTEAOID) body = `  <xsd:restriction base="xsd:${settings.xmlbinary === 'hex' ? 'hexBinary' : 'base64Binary'}">\n  </xsd:restriction>\n`;
  else if (typeByOid(oid)!.typtype === 'd') {
    const { type, typmod } = getBaseTypeAndTypmod(oid, -1);
    body = `  <xsd:restriction base="${xmlTypeName(type, typmod)}"/>\n`;
  }
  return `<xsd:simpleType name="${xmlTypeName(oid)}">\n${body}</xsd:simpleType>\n`;
}

/** The types of all columns, each once; those below domains last. */
function typesSchema(tables: readonly (readonly Column[])[]): string {
  const types = new Set(tables.flatMap((columns) => columns.map((c) => c.type)));
  for (const type of [...types]) types.add(getBaseType(type));
  return [...types].map((type) => `${typeSchema(type)}\n`).join('');
}

function schemaStart(targetns: string): string {
  const target = targetns === '' ? '' : `\n    targetNamespace="${targetns}"\n    elementFormDefault="qualified"`;
  return `<xsd:schema\n    xmlns:xsd="http://www.w3.org/2001/XMLSchema"${target}>\n\n`;
}
const SCHEMA_END = '</xsd:schema>';

function tableSchema(columns: readonly Column[], relid: Oid | null, { nulls, forest, targetns }: Style): string {
  const parts = relid === null ? [] : [session.databaseName, getNamespaceName(getRelNamespace(relid)) ?? '', getRelName(relid) ?? ''];
  const element = relid === null ? (forest ? 'row' : 'table') : elementName(parts[2]!);
  const tableType = typeName('TableType', ...parts);
  const rowType = typeName('RowType', ...parts);
  let text = `${schemaStart(targetns)}${typesSchema([columns])}<xsd:complexType name="${rowType}">\n  <xsd:sequence>\n`;
  for (const { name, type } of columns) {
    text += `    <xsd:element name="${elementName(name)}" type="${xmlTypeName(type)}"${nulls ? ' nillable="true"' : ' minOccurs="0"'}></xsd:element>\n`;
  }
  text += '  </xsd:sequence>\n</xsd:complexType>\n\n';
  if (!forest) {
    text += `<xsd:complexType name="${tableType}">\n  <xsd:sequence>\n    <xsd:element name="row" type="${rowType}" minOccurs="0" maxOccurs="unbounded"/>\n`
      + '  </xsd:sequence>\n</xsd:complexType>\n\n';
  }
  return `${text}<xsd:element name="${element}" type="${forest ? rowType : tableType}"/>\n\n${SCHEMA_END}`;
}

/** The element of a schema, which holds its tables. */
function schemaTypes(nspid: Oid, tables: readonly Oid[], forest: boolean): string {
  const schema = getNamespaceName(nspid) ?? '';
  const type = typeName('SchemaType', session.databaseName, schema);
  const group = forest ? 'sequence' : 'all';
  let text = `<xsd:complexType name="${type}">\n  <xsd:${group}>\n`;
  for (const oid of tables) {
    const table = getRelName(oid) ?? '';
    const tableType = typeName(forest ? 'RowType' : 'TableType', session.databaseName, schema, table);
    text += `    <xsd:element name="${elementName(table)}" type="${tableType}"${forest ? ' minOccurs="0" maxOccurs="unbounded"' : ''}/>\n`;
  }
  return `${text}  </xsd:${group}>\n</xsd:complexType>\n\n<xsd:element name="${elementName(schema)}" type="${type}"/>\n\n`;
}

function schemaSchema(nspid: Oid, style: Style): string {
  const tables = tablesOf(nspid);
  return schemaStart(style.targetns) + typesSchema(tables.map((oid) => tableOf(oid).columns)) + schemaTypes(nspid, tables, style.forest) + SCHEMA_END;
}

function databaseSchema(style: Style): string {
  const database = session.databaseName;
  const type = typeName('CatalogType', database);
  let text = `${schemaStart(style.targetns)}${typesSchema(visibleTables().map((oid) => tableOf(oid).columns))}<xsd:complexType name="${type}">\n  <xsd:all>\n`;
  for (const nspid of visibleSchemas()) {
    const schema = getNamespaceName(nspid) ?? '';
    text += `    <xsd:element name="${elementName(schema)}" type="${typeName('SchemaType', database, schema)}"/>\n`;
  }
  return `${text}  </xsd:all>\n</xsd:complexType>\n\n<xsd:element name="${elementName(database)}" type="${type}"/>\n\n${SCHEMA_END}`;
}

// ---- what SQL calls ------------------------------------------------------------------------------------------

const style = (nulls: boolean, forest: boolean, targetns: string): Style => ({ nulls, forest, targetns });

function schemaOid(name: string): Oid {
  const found = namespaceByName(name);
  if (found === undefined) throw new PgError('invalid_schema_name', `schema "${name}" does not exist`);
  return found.oid;
}

function cursorToXml(name: string, count: number, s: Style): string {
  const portal = findPortal(name);
  if (portal === undefined) throw new PgError('undefined_cursor', `cursor "${name}" does not exist`);
  let text = s.forest ? '' : `${rootStart('table', null, s.targetns, true)}\n`;
  let columns: Column[] = [];
  portal.fetch('forward', count, {
    start: (list) => { columns = columnsOfResult(list); },
    receive: (row) => {
      text += rowText(columns, row, null, s, true);
      return true;
    },
    end() {},
  });
  return s.forest ? text : text + rootEnd('table');
}

function cursorSchema(name: string, s: Style): string {
  const portal = findPortal(name);
  if (portal === undefined) throw new PgError('undefined_cursor', `cursor "${name}" does not exist`);
  if (portal.columns === null) throw new PgError('invalid_cursor_state', `portal "${name}" does not return tuples`);
  return tableSchema(columnsOfResult(portal.columns), null, s);
}

registerBuiltins({
  pure: {
    table_to_xml: (oid: Oid, nulls, forest, ns) => tableToXml(oid, null, style(nulls, forest, ns), true),
    table_to_xmlschema: (oid: Oid, nulls, forest, ns) => tableSchema(tableOf(oid).columns, oid, style(nulls, forest, ns)),
    table_to_xml_and_xmlschema: (oid: Oid, nulls, forest, ns) => {
      const s = style(nulls, forest, ns);
      return tableToXml(oid, tableSchema(tableOf(oid).columns, oid, s), s, true);
    },
    query_to_xml: (query: string, nulls, forest, ns) => queryToXml(query, null, null, style(nulls, forest, ns), true),
    query_to_xmlschema: (query: string, nulls, forest, ns) => tableSchema(queryColumns(query), null, style(nulls, forest, ns)),
    query_to_xml_and_xmlschema: (query: string, nulls, forest, ns) => {
      const s = style(nulls, forest, ns);
      return queryToXml(query, null, tableSchema(queryColumns(query), null, s), s, true);
    },
    cursor_to_xml: (name: string, count: number, nulls, forest, ns) => cursorToXml(name, count, style(nulls, forest, ns)),
    cursor_to_xmlschema: (name: string, nulls, forest, ns) => cursorSchema(name, style(nulls, forest, ns)),
    schema_to_xml: (name: string, nulls, forest, ns) => schemaToXml(schemaOid(name), null, style(nulls, forest, ns), true),
    schema_to_xmlschema: (name: string, nulls, forest, ns) => schemaSchema(schemaOid(name), style(nulls, forest, ns)),
    schema_to_xml_and_xmlschema: (name: string, nulls, forest, ns) => {
      const s = style(nulls, forest, ns);
      const oid = schemaOid(name);
      return schemaToXml(oid, schemaSchema(oid, s), s, true);
    },
    database_to_xml: (nulls: boolean, forest: boolean, ns: string) => databaseToXml(null, style(nulls, forest, ns)),
    database_to_xmlschema: (nulls: boolean, forest: boolean, ns: string) => databaseSchema(style(nulls, forest, ns)),
    database_to_xml_and_xmlschema: (nulls: boolean, forest: boolean, ns: string) => {
      const s = style(nulls, forest, ns);
      return databaseToXml(databaseSchema(s), s);
    },
  },
});
