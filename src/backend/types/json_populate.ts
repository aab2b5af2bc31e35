// JSON as rows: json_populate_record, json_to_record and their set and jsonb forms. Values of columns are converted by
// the input functions of their types; arrays and rows inside are followed.
import { PgError } from '../../common/errors.ts';
import { ArrayValue, type Datum, makeArray, type Oid, type RecordAttribute, RecordValue } from './datum.ts';
import { invalidParameter } from './errors.ts';
import { type FunctionContext, registerBuiltins } from './fmgr.ts';
import { typeHooks } from './hooks.ts';
import { isArray, itemOfNode, itemToText, type JsonbItem, JsonbObject, JsonbValue, kindOf } from './jsonb.ts';
import { itemAsText } from './jsonb_ops.ts';
import { type JsonNode, parseJson } from './json_parse.ts';
import { JSONBOID, JSONOID, RECORDOID } from './oids.ts';
import { checkSameColumns } from './record.ts';

/** A JSON value of either type. */
interface Source {
  readonly kind: 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object';
  /** As text: strings without quotes. */
  text(): string;
  /** As JSON text. */
  json(): string;
  item(): JsonbItem;
  get(key: string): Source | undefined;
  elements(): Source[];
}

function fromNode(node: JsonNode, text: string): Source {
  return {
    kind: node.kind === 'true' || node.kind === 'false' ? 'boolean' : node.kind,
    text: () => (node.kind === 'string' ? node.value : text.slice(node.start, node.end)),
    json: () => text.slice(node.start, node.end),
    item: () => itemOfNode(node, text),
    get: (key) => {
      const member = node.kind === 'object' ? node.members.findLast((one) => one.key === key) : undefined;
      return member === undefined ? undefined : fromNode(member.value, text);
    },
    elements: () => (node.kind === 'array' ? node.elements.map((element) => fromNode(element, text)) : []),
  };
}

function fromItem(item: JsonbItem): Source {
  return {
    kind: kindOf(item),
    text: () => itemAsText(item) ?? 'null',
    json: () => itemToText(item),
    item: () => item,
    get: (key) => {
      const value = item instanceof JsonbObject ? item.get(key) : undefined;
      return value === undefined ? undefined : fromItem(value);
    },
    elements: () => (isArray(item) ? item.map(fromItem) : []),
  };
}

const sourceOf = (value: string | JsonbValue): Source =>
  value instanceof JsonbValue ? fromItem(value.root) : fromNode(parseJson(value), value);

function expectedArray(column: string | undefined, indexes: readonly number[]): PgError {
  const place = indexes.map((index) => `[${index}]`).join('');
  const hint = indexes.length === 0
    ? column === undefined ? undefined : `See the value of key "${column}".`
    : column === undefined ? `See the array element ${place}.` : `See the array element ${place} of key "${column}".`;
  return new PgError('invalid_text_representation', 'expected JSON array', { hint });
}

/** populate_array. */
function toArray(source: Source, elementType: Oid, typmod: number, column: string | undefined): ArrayValue {
  const dims: number[] = [];
  const values: Datum[] = [];
  const malformed = (): PgError => new PgError('invalid_text_representation', 'malformed JSON array',
    { detail: 'Multidimensional arrays must have sub-arrays with matching dimensions.' });
  // How deep the arrays go shows at the first element that is none.
  let depth = 0;
  const visit = (list: readonly Source[], level: number, indexes: readonly number[]): void => {
    if (dims[level] === undefined) dims[level] = list.length;
    else if (dims[level] !== list.length) throw malformed();
    list.forEach((element, i) => {
      const place = [...indexes, i];
      const deeper = level + 1 < depth || (depth === 0 && element.kind === 'array');
      if (deeper) {
        if (element.kind !== 'array') throw expectedArray(column, place);
        visit(element.elements(), level + 1, place);
      } else {
        if (depth === 0) depth = level + 1;
        values.push(toValue(element, elementType, typmod, undefined));
      }
    });
  };
  visit(source.elements(), 0, []);
  return values.length === 0 ? makeArray(elementType, []) : new ArrayValue(elementType, dims, dims.map(() => 1), values);
}

/** populate_record_field: a value of the type; null for JSON's null. */
function toValue(source: Source, typeOid: Oid, typmod: number, column: string | undefined, old: Datum = null): Datum {
  const io = typeHooks.typeIo(typeOid);
  const isDomain = io.basetype !== typeOid;
  if (source.kind === 'null') return isDomain ? io.checkDomain!(null) : null;
  const base = isDomain ? typeHooks.typeIo(io.basetype) : io;
  const isArrayType = base.typelem !== 0 && base.typcategory === 'A';
  if (isDomain && (isArrayType || base.typtype === 'c') && source.kind !== 'string') return io.checkDomain!(toValue(source, io.basetype, typmod, column, old));
  if (isArrayType && source.kind !== 'string') {
    if (source.kind !== 'array') throw expectedArray(column, []);
    return toArray(source, base.typelem, typmod, column);
  }
  if (base.typtype === 'c' && source.kind !== 'string') {
    return toRecord(source, base.typeOid, typeHooks.rowAttributes(base.typeOid, -1), old as RecordValue | null);
  }
  if (typeOid === JSONOID) return source.json();
  if (typeOid === JSONBOID) return new JsonbValue(source.item());
  return io.input(source.text(), typmod);
}

function toRecord(source: Source, typeOid: Oid, attributes: readonly RecordAttribute[], base: RecordValue | null): RecordValue {
  if (source.kind === 'array') throw invalidParameter('cannot call populate_composite on an array');
  if (source.kind !== 'object') throw invalidParameter('cannot call populate_composite on a scalar');
  return new RecordValue(typeOid, attributes, attributes.map((attribute, i) => {
    if (attribute.dropped) return null;
    const value = source.get(attribute.name);
    if (value === undefined) return base === null ? nullOf(attribute) : base.values[i]!;
    return toValue(value, attribute.typeOid, attribute.typmod, attribute.name, base === null ? null : base.values[i]!);
  }));
}

/** NULL, if the column's domain allows it. */
function nullOf(attribute: RecordAttribute): Datum {
  const io = typeHooks.typeIo(attribute.typeOid);
  return io.basetype === attribute.typeOid ? null : io.checkDomain!(null);
}

/** Type and columns of the rows to make: of the first argument, or of a column definition list. */
function rowType(context: FunctionContext, base: RecordValue | null, caller: string): [Oid, readonly RecordAttribute[]] {
  if (context.resultAttributes !== undefined) {
    if (base !== null) checkSameColumns(base.attributes, context.resultAttributes);
    return [RECORDOID, base?.attributes ?? context.resultAttributes];
  }
  if (base !== null) return [base.typeOid, base.attributes];
  const typeOid = context.argTypes[0] ?? RECORDOID;
  if (typeOid !== RECORDOID && typeOid !== JSONOID && typeOid !== JSONBOID) {
    const { basetype } = typeHooks.typeIo(typeOid);
    return [basetype, typeHooks.rowAttributes(basetype, -1)];
  }
  throw new PgError('feature_not_supported', `could not determine row type for result of ${caller}`,
    { hint: 'Provide a non-null record argument, or call the function in the FROM clause using a column definition list.' });
}

function checkRowType(context: FunctionContext, caller: string): void {
  const type = context.argTypes[0] ?? RECORDOID;
  if (type === RECORDOID || typeHooks.typeIo(typeHooks.typeIo(type).basetype).typtype === 'c') return;
  throw new PgError('datatype_mismatch', `first argument of ${caller} must be a row type`);
}

/** The row type may be a domain. */
function checked(context: FunctionContext, row: RecordValue): Datum {
  const type = context.argTypes[0] ?? RECORDOID;
  if (type === RECORDOID || type === row.typeOid || type === JSONOID || type === JSONBOID) return row;
  return typeHooks.typeIo(type).checkDomain?.(row) ?? row;
}

const populateRecord = (caller: string) => (context: FunctionContext, base: RecordValue | null, value: string | JsonbValue | null): Datum => {
  checkRowType(context, caller);
  return value === null ? base : makeRecord(caller, context, base, value);
};

function makeRecord(caller: string, context: FunctionContext, base: RecordValue | null, value: string | JsonbValue): Datum {
  const [typeOid, attributes] = rowType(context, base, caller);
  return checked(context, toRecord(sourceOf(value), typeOid, attributes, base));
}

const toRecordFunction = (caller: string) => (context: FunctionContext, value: string | JsonbValue): Datum =>
  makeRecord(caller, context, null, value);

const populateSet = (caller: string) => (context: FunctionContext, base: RecordValue | null, value: string | JsonbValue | null): Generator<Datum> => {
  checkRowType(context, caller);
  return makeSet(caller, context, base, value);
};

function* makeSet(caller: string, context: FunctionContext, base: RecordValue | null, value: string | JsonbValue | null): Generator<Datum> {
  const [typeOid, attributes] = rowType(context, base, caller);
  if (value === null) return;
  const source = sourceOf(value);
  if (source.kind !== 'array') {
    const isObject = source.kind === 'object';
    throw invalidParameter(`cannot call ${caller} on ${isObject ? (value instanceof JsonbValue ? 'a non-array' : 'an object') : 'a scalar'}`);
  }
  for (const element of source.elements()) {
    if (element.kind !== 'object') throw invalidParameter(`argument of ${caller} must be an array of objects`);
    yield checked(context, toRecord(element, typeOid, attributes, base));
  }
}

const toSet = (caller: string) => (context: FunctionContext, value: string | JsonbValue | null): Generator<Datum> =>
  makeSet(caller, context, null, value);

registerBuiltins({
  context: {
    json_populate_record: populateRecord('json_populate_record'),
    jsonb_populate_record: populateRecord('jsonb_populate_record'),
    json_to_record: toRecordFunction('json_to_record'),
    jsonb_to_record: toRecordFunction('jsonb_to_record'),
  },
  set: {
    json_populate_recordset: populateSet('json_populate_recordset'),
    jsonb_populate_recordset: populateSet('jsonb_populate_recordset'),
    json_to_recordset: toSet('json_to_recordset'),
    jsonb_to_recordset: toSet('jsonb_to_recordset'),
  },
});
