// SQL values as JSON: to_json, row_to_json, json_build_object, json_agg and their jsonb twins. Text for json is written
// with PostgreSQL's own spacing, which differs from function to function.
import { PgError } from '../../common/errors.ts';
import { expectBytes } from '../utils/memory_limit.ts';
import { isInfinite, j2date, POSTGRES_EPOCH_JDATE, timestampToTm, Tm } from './calendar.ts';
import { joinTexts } from './characters.ts';
import { ArrayValue, type Datum, type Oid, RecordValue } from './datum.ts';
import { dateOut, isInfiniteDate } from './date.ts';
import { encodeXsdDate, encodeXsdDateTime } from './datetime_encode.ts';
import { datetimeSettings } from './datetime_settings.ts';
import { invalidParameter } from './errors.ts';
import { type FunctionContext, registerBuiltins } from './fmgr.ts';
import { typeHooks } from './hooks.ts';
import { itemOfNode, jsonbOut, type JsonbItem, JsonbValue, makeObject } from './jsonb.ts';
import { parseJson, quoteJson } from './json_parse.ts';
import { parseNumeric } from './numeric.ts';
import * as oids from './oids.ts';
import { timestampOut, zonedTm } from './timestamp.ts';

type Category = 'null' | 'bool' | 'number' | 'date' | 'timestamp' | 'timestamptz' | 'json' | 'jsonb' | 'array' | 'composite' | 'other';

const SIMPLE = new Map<Oid, Category>([
  [oids.BOOLOID, 'bool'], [oids.INT2OID, 'number'], [oids.INT4OID, 'number'], [oids.INT8OID, 'number'],
  [oids.FLOAT4OID, 'number'], [oids.FLOAT8OID, 'number'], [oids.NUMERICOID, 'number'], [oids.DATEOID, 'date'],
  [oids.TIMESTAMPOID, 'timestamp'], [oids.TIMESTAMPTZOID, 'timestamptz'], [oids.JSONOID, 'json'], [oids.JSONBOID, 'jsonb'],
  [oids.TEXTOID, 'other'], [oids.RECORDOID, 'composite'], [oids.UNKNOWNOID, 'other'], [oids.CSTRINGOID, 'other'],
]);

/** json_categorize_type: how values of a type become JSON. */
function categoryOf(typeOid: Oid): Category {
  const known = SIMPLE.get(typeOid);
  if (known !== undefined) return known;
  const io = typeHooks.typeIo(typeOid);
  if (io.basetype !== typeOid) return categoryOf(io.basetype);
  if (io.typelem !== 0 && (io.typcategory === 'A' || typeOid === oids.RECORDARRAYOID)) return 'array';
  // A column of statistics: the array knows what it holds.
  if (typeOid === oids.ANYARRAYOID) return 'array';
  return io.typtype === 'c' ? 'composite' : 'other';
}

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const scratch = new Tm();

/** The XSD form of a date or timestamp, or infinity. */
function isoText(value: Datum, category: Category): string {
  if (category === 'date') {
    if (isInfiniteDate(value as number)) return dateOut(value as number);
    j2date((value as number) + POSTGRES_EPOCH_JDATE, scratch);
    return encodeXsdDate(scratch);
  }
  if (isInfinite(value as number)) return timestampOut(value as number);
  if (category === 'timestamp') {
    timestampToTm(value as number, scratch);
    return encodeXsdDateTime(scratch, false);
  }
  zonedTm(value as number, datetimeSettings.timeZone, scratch);
  return encodeXsdDateTime(scratch, true);
}

function keyNotScalar(): PgError {
  return invalidParameter('key value must be scalar, not array, composite, or json');
}

/** The text of a value that becomes an object's key. */
function keyText(value: Datum, typeOid: Oid): string {
  const category = categoryOf(typeOid);
  switch (category) {
    case 'array': case 'composite': case 'json': case 'jsonb': throw keyNotScalar();
    case 'bool': return value === true ? 'true' : 'false';
    case 'date': case 'timestamp': case 'timestamptz': return isoText(value, category);
    default: return outputOf(value, typeOid);
  }
}

function outputOf(value: Datum, typeOid: Oid): string {
  return typeof value === 'string' && (typeOid === oids.TEXTOID || typeOid === oids.UNKNOWNOID) ? value : typeHooks.typeIo(typeOid).output(value);
}

/** datum_to_json. `lineFeeds` is the pretty form of arrays and rows, for the outermost one only. */
function datumToJson(value: Datum, typeOid: Oid, lineFeeds = false): string {
  if (value === null) return 'null';
  const category = categoryOf(typeOid);
  switch (category) {
    case 'bool': return value === true ? 'true' : 'false';
    case 'number': {
      if (typeof value === 'number' && (typeOid === oids.INT4OID || typeOid === oids.INT8OID || typeOid === oids.INT2OID)) return String(value);
      const text = outputOf(value, typeOid);
      return JSON_NUMBER.test(text) ? text : quoteJson(text);
    }
    case 'date': case 'timestamp': case 'timestamptz': return `"${isoText(value, category)}"`;
    case 'json': return value as string;
    case 'jsonb': return jsonbOut(value as JsonbValue);
    case 'array': return arrayToJson(arrayOf(value), lineFeeds);
    case 'composite': return rowToJson(value as RecordValue, lineFeeds);
    default: return quoteJson(outputOf(value, typeOid));
  }
}

const arrayOf = (value: Datum): ArrayValue => value as ArrayValue;

function arrayToJson(array: ArrayValue, lineFeeds: boolean): string {
  if (array.values.length === 0) return '[]';
  let at = 0;
  const dimension = (level: number, feeds: boolean): string => {
    const parts: string[] = [];
    for (let i = 0; i < array.dims[level]!; i++) {
      parts.push(level + 1 < array.dims.length ? dimension(level + 1, false) : datumToJson(array.values[at++]!, array.elementType));
    }
    return `[${joinTexts(parts, feeds ? ',\n ' : ',')}]`;
  };
  return dimension(0, lineFeeds);
}

function rowToJson(record: RecordValue, lineFeeds: boolean): string {
  const parts: string[] = [];
  record.attributes.forEach((attribute, i) => {
    if (!attribute.dropped) parts.push(`${quoteJson(attribute.name)}:${datumToJson(record.values[i]!, attribute.typeOid)}`);
  });
  return `{${joinTexts(parts, lineFeeds ? ',\n ' : ',')}}`;
}

/** datum_to_jsonb. */
function datumToItem(value: Datum, typeOid: Oid): JsonbItem {
  if (value === null) return null;
  const category = categoryOf(typeOid);
  switch (category) {
    case 'bool': return value as boolean;
    case 'number': {
      const text = outputOf(value, typeOid);
      return JSON_NUMBER.test(text) ? parseNumeric(text) : text;
    }
    case 'date': case 'timestamp': case 'timestamptz': return isoText(value, category);
    case 'json': return itemOfNode(parseJson(value as string), value as string);
    case 'jsonb': return (value as JsonbValue).root;
    case 'array': {
      const array = arrayOf(value);
      let at = 0;
      const dimension = (level: number): JsonbItem => Array.from({ length: array.dims[level]! }, () =>
        level + 1 < array.dims.length ? dimension(level + 1) : datumToItem(array.values[at++]!, array.elementType));
      return array.values.length === 0 ? [] : dimension(0);
    }
    case 'composite': {
      const record = value as RecordValue;
      return makeObject(record.attributes.flatMap((attribute, i) =>
        (attribute.dropped ? [] : [[attribute.name, datumToItem(record.values[i]!, attribute.typeOid)] as const])));
    }
    default: return outputOf(value, typeOid);
  }
}

/** extract_variadic_args: values and types, also of VARIADIC array; undefined when that array is NULL. */
function variadicArguments(context: FunctionContext, args: Datum[]): { values: readonly Datum[]; types: readonly Oid[] } | undefined {
  if (!context.variadic) return { values: args, types: context.argTypes };
  const array = args[0] as ArrayValue | null;
  if (array === null) return undefined;
  return { values: array.values, types: array.values.map(() => array.elementType) };
}

function evenArguments(count: number, caller: string): void {
  if (count % 2 === 0) return;
  throw new PgError('invalid_parameter_value', 'argument list must have even number of elements',
    { hint: `The arguments of ${caller}() must consist of alternating keys and values.` });
}

function buildPairs<T>(context: FunctionContext, args: Datum[], caller: string, nullKey: (i: number) => PgError,
  convert: (value: Datum, type: Oid) => T): [key: string, value: T][] | undefined {
  const given = variadicArguments(context, args);
  if (given === undefined) return undefined;
  const { values, types } = given;
  evenArguments(values.length, caller);
  const pairs: [string, T][] = [];
  for (let i = 0; i < values.length; i += 2) {
    if (values[i] === null) throw nullKey(i);
    pairs.push([keyText(values[i]!, types[i]!), convert(values[i + 1]!, types[i + 1]!)]);
  }
  return pairs;
}

const jsonNullKey = (i: number): PgError => new PgError('invalid_parameter_value', `argument ${i + 1} cannot be null`, { hint: 'Object keys should be text.' });
const jsonbNullKey = (i: number): PgError => invalidParameter(`argument ${i + 1}: key must not be null`);

/** The pairs of json_object(text[]). */
function pairsOfArray(array: ArrayValue): [string, string | null][] {
  const { dims, values } = array;
  const wrong = (message: string): PgError => new PgError('array_subscript_error', message);
  if (dims.length > 2) throw wrong('wrong number of array subscripts');
  if (dims.length === 1 && values.length % 2 !== 0) throw wrong('array must have even number of elements');
  if (dims.length === 2 && dims[1] !== 2) throw wrong('array must have two columns');
  const pairs: [string, string | null][] = [];
  for (let i = 0; i < values.length; i += 2) pairs.push([keyOf(values[i]!), values[i + 1] as string | null]);
  return pairs;
}

function keyOf(key: Datum): string {
  if (key === null) throw new PgError('null_value_not_allowed', 'null value not allowed for object key');
  return key as string;
}

function pairsOfArrays(keys: ArrayValue, values: ArrayValue): [string, string | null][] {
  const wrong = (message: string): PgError => new PgError('array_subscript_error', message);
  if (keys.dims.length > 1 || keys.dims.length !== values.dims.length) throw wrong('wrong number of array subscripts');
  if (keys.values.length !== values.values.length) throw wrong('mismatched array dimensions');
  return keys.values.map((key, i) => [keyOf(key), values.values[i] as string | null]);
}

const objectText = (pairs: readonly (readonly [string, string | null])[]): string =>
  `{${pairs.map(([key, value]) => `${quoteJson(key)} : ${value === null ? 'null' : quoteJson(value)}`).join(', ')}}`;

/** State of json_agg and json_object_agg. */
class JsonAggregate {
  text = '';
}

/** State of jsonb_agg and jsonb_object_agg. */
class JsonbAggregate {
  readonly items: JsonbItem[] = [];
  readonly pairs: [string, JsonbItem][] = [];
}

function argumentType(context: FunctionContext, index: number): Oid {
  const type = context.argTypes[index];
  if (type === undefined || type === 0) throw invalidParameter('could not determine input data type');
  return type;
}

function fieldNameNull(): PgError {
  return invalidParameter('field name must not be null');
}

registerBuiltins({
  pure: {
    json_build_object_noargs: () => '{}',
    json_build_array_noargs: () => '[]',
    jsonb_build_object_noargs: () => new JsonbValue(makeObject([])),
    jsonb_build_array_noargs: () => new JsonbValue([]),
    json_object: (array: ArrayValue) => objectText(pairsOfArray(array)),
    json_object_two_arg: (keys: ArrayValue, values: ArrayValue) => objectText(pairsOfArrays(keys, values)),
    jsonb_object: (array: ArrayValue) => new JsonbValue(makeObject(pairsOfArray(array))),
    jsonb_object_two_arg: (keys: ArrayValue, values: ArrayValue) => new JsonbValue(makeObject(pairsOfArrays(keys, values))),
    array_to_json: (array: ArrayValue) => arrayToJson(array, false),
    array_to_json_pretty: (array: ArrayValue, feeds: boolean) => arrayToJson(array, feeds),
    row_to_json: (record: RecordValue) => rowToJson(record, false),
    row_to_json_pretty: (record: RecordValue, feeds: boolean) => rowToJson(record, feeds),
    json_agg_finalfn: (state: JsonAggregate | null) => (state === null ? null : `${state.text}]`),
    json_object_agg_finalfn: (state: JsonAggregate | null) => (state === null ? null : `${state.text} }`),
    jsonb_agg_finalfn: (state: JsonbAggregate | null) => (state === null ? null : new JsonbValue(state.items.slice())),
    jsonb_object_agg_finalfn: (state: JsonbAggregate | null) => (state === null ? null : new JsonbValue(makeObject(state.pairs))),
  },
  context: {
    to_json: (context, value: Datum) => datumToJson(value, argumentType(context, 0)),
    to_jsonb: (context, value: Datum) => new JsonbValue(datumToItem(value, argumentType(context, 0))),
    json_build_array: (context, ...args: Datum[]) => {
      const given = variadicArguments(context, args);
      return given === undefined ? null : `[${joinTexts(given.values.map((value, i) => datumToJson(value, given.types[i]!)), ', ')}]`;
    },
    json_build_object: (context, ...args: Datum[]) => {
      const pairs = buildPairs(context, args, 'json_build_object', jsonNullKey, datumToJson);
      return pairs === undefined ? null : `{${joinTexts(pairs.map(([key, value]) => `${quoteJson(key)} : ${value}`), ', ')}}`;
    },
    jsonb_build_array: (context, ...args: Datum[]) => {
      const given = variadicArguments(context, args);
      return given === undefined ? null : new JsonbValue(given.values.map((value, i) => datumToItem(value, given.types[i]!)));
    },
    jsonb_build_object: (context, ...args: Datum[]) => {
      const pairs = buildPairs(context, args, 'jsonb_build_object', jsonbNullKey, datumToItem);
      return pairs === undefined ? null : new JsonbValue(makeObject(pairs));
    },
    json_agg_transfn: (context, state: JsonAggregate | null, value: Datum) => {
      const type = argumentType(context, 1);
      const result = state ?? new JsonAggregate();
      if (state === null) {
        result.text = '[';
      } else {
        result.text += ', ';
        if (value !== null && (categoryOf(type) === 'array' || categoryOf(type) === 'composite')) result.text += '\n ';
      }
      result.text += datumToJson(value, type);
      expectBytes(result.text.length);
      return result;
    },
    json_object_agg_transfn: (context, state: JsonAggregate | null, key: Datum, value: Datum) => {
      const result = state ?? new JsonAggregate();
      result.text += state === null ? '{ ' : ', ';
      if (key === null) throw fieldNameNull();
      result.text += `${quoteJson(keyText(key, argumentType(context, 1)))} : ${datumToJson(value, argumentType(context, 2))}`;
      expectBytes(result.text.length);
      return result;
    },
    jsonb_agg_transfn: (context, state: JsonbAggregate | null, value: Datum) => {
      const result = state ?? new JsonbAggregate();
      result.items.push(datumToItem(value, argumentType(context, 1)));
      return result;
    },
    jsonb_object_agg_transfn: (context, state: JsonbAggregate | null, key: Datum, value: Datum) => {
      const result = state ?? new JsonbAggregate();
      if (key === null) throw fieldNameNull();
      result.pairs.push([keyText(key, argumentType(context, 1)), datumToItem(value, argumentType(context, 2))]);
      return result;
    },
  },
});
