// Operators and functions of jsonb: access, containment, change, pretty printing, casts.
import { PgError } from '../../common/errors.ts';
import type { ArrayValue, Datum } from './datum.ts';
import { RecordValue, tupleDesc } from './datum.ts';
import { invalidParameter } from './errors.ts';
import { findBuiltin, registerBuiltins } from './fmgr.ts';
import { isArray, isScalar, itemKey, itemToText, JsonbObject, JsonbValue, kindOf, makeObject, mergeObjects, type JsonbItem } from './jsonb.ts';
import { quoteJson } from './json_parse.ts';
import { compareNumeric, Numeric } from './numeric.ts';
import { JSONBOID, RECORDOID, TEXTOID } from './oids.ts';

const wrap = (item: JsonbItem | undefined): JsonbValue | null => (item === undefined ? null : new JsonbValue(item));

/** JsonbValueAsText: strings as they are, null as NULL. */
export function itemAsText(item: JsonbItem | undefined): string | null {
  if (item === undefined || item === null) return null;
  return typeof item === 'string' ? item : itemToText(item);
}

// --- access

/** The same of a value that may still be text, and mostly is what is told. */
function valueAsText(value: JsonbValue | undefined): string | null {
  if (value === undefined) return null;
  const text = value.storedText;
  return text === undefined || text === 'null' || text.charCodeAt(0) === QUOTE ? itemAsText(value.root) : text;
}
const QUOTE = 0x22;

/** A scalar counts as an array of one, as PostgreSQL stores it. */
function element({ root }: JsonbValue, index: number): JsonbItem | undefined {
  if (isArray(root)) return root[index < 0 ? root.length + index : index];
  return isScalar(root) && (index === 0 || index === -1) ? root : undefined;
}

/** An array subscript given as text: all of it an int4, else undefined. */
export function subscriptOf(text: string): number | undefined {
  if (!/^[ \t\n\v\f\r]*[+-]?\d+$/.test(text)) return undefined;
  const index = Number(text);
  return index >= -2147483648 && index <= 2147483647 ? index : undefined;
}

/** What a path leads to; undefined when it leads nowhere. */
function follow(root: JsonbItem, path: readonly Datum[]): JsonbItem | undefined {
  let item: JsonbItem | undefined = root;
  for (const step of path as readonly string[]) {
    if (item instanceof JsonbObject) {
      item = item.get(step);
    } else if (item !== undefined && isArray(item)) {
      const index = subscriptOf(step);
      item = index === undefined ? undefined : item[index < 0 ? item.length + index : index];
    } else {
      return undefined;
    }
  }
  return item;
}

function extractPath(value: JsonbValue, path: ArrayValue): JsonbItem | undefined {
  if (path.values.includes(null)) return undefined;
  if (path.values.length === 0 || !value.isObject) return follow(value.root, path.values);
  const first = value.member(path.values[0] as string);
  return first && follow(first.root, path.values.slice(1));
}

// --- containment

/** Of an object with so few, the other's members are looked up one by one. */
const FEW_KEYS = 4;

/** Of an array with so few, each is looked for in the other. */
const FEW_ELEMENTS = 4;

/** `b` is a scalar. */
const sameScalar = (a: JsonbItem, b: JsonbItem): boolean => (b instanceof Numeric ? a instanceof Numeric && compareNumeric(a, b) === 0 : a === b);

/** JsonbDeepContains. */
function contains(a: JsonbItem, b: JsonbItem): boolean {
  if (a instanceof JsonbObject && b instanceof JsonbObject) {
    if (a.keys.length < b.keys.length) return false;
    return b.keys.every((key, i) => {
      const mine = a.get(key), other = b.values[i]!;
      return mine !== undefined && (isScalar(other) ? sameScalar(mine, other) : contains(mine, other));
    });
  }
  if (isArray(a) && isArray(b)) {
    if (b.length <= FEW_ELEMENTS) return b.every((other) => (isScalar(other) ? a.some((mine) => sameScalar(mine, other)) : a.some((mine) => !isScalar(mine) && contains(mine, other))));
    const scalars = new Set(a.filter(isScalar).map(itemKey));
    return b.every((other) => (isScalar(other) ? scalars.has(itemKey(other)) : a.some((mine) => !isScalar(mine) && contains(mine, other))));
  }
  return false;
}

/** Scalars that are equal are the same text, but for numbers with decimals: 1 is 1.0. */
function equalsScalar(value: JsonbValue, scalar: JsonbItem): boolean {
  const text = value.storedText;
  if (text === undefined) return itemKey(value.root) === itemKey(scalar);
  const wanted = itemToText(scalar);
  if (text === wanted || !(scalar instanceof Numeric) || (!text.includes('.') && !wanted.includes('.'))) return text === wanted;
  return value.root instanceof Numeric && compareNumeric(value.root, scalar) === 0;
}

/** Whether a string that would have to be in it does not occur in the value's text: then it need not become a tree. */
function lacks(value: JsonbValue, item: JsonbItem): boolean {
  const text = value.storedText;
  if (text === undefined) return false;
  if (typeof item === 'string') return !text.includes(quoteJson(item));
  return isArray(item) && item.some((element) => typeof element === 'string' && !text.includes(quoteJson(element)));
}

function containsValue(a: JsonbValue, b: JsonbValue): boolean {
  const y = b.root;
  if (y instanceof JsonbObject && y.keys.length <= FEW_KEYS) {
    return a.isObject && y.keys.every((key, i) => {
      const mine = a.member(key), other = y.values[i]!;
      return mine !== undefined && (isScalar(other) ? equalsScalar(mine, other) : !lacks(mine, other) && contains(mine.root, other));
    });
  }
  if (lacks(a, y)) return false;
  const x = a.root;
  if (isScalar(y)) { // an array contains a scalar that is one of its elements
    return isArray(x) ? contains(x, [y]) : isScalar(x) && itemKey(x) === itemKey(y);
  }
  return contains(x, y);
}

function exists(value: JsonbValue, key: string): boolean {
  if (value.isObject) return value.member(key) !== undefined;
  if (lacks(value, key)) return false;
  const { root } = value;
  return isArray(root) ? root.includes(key) : root === key;
}

// --- change

const asArray = (item: JsonbItem): readonly JsonbItem[] => (isArray(item) ? item : [item]);

function concat(a: JsonbValue, b: JsonbValue): JsonbValue {
  const x = a.root, y = b.root;
  if (x instanceof JsonbObject && y instanceof JsonbObject) return new JsonbValue(mergeObjects(x, y));
  return new JsonbValue([...asArray(x), ...asArray(y)]);
}

function withoutKeys(value: JsonbValue, keys: readonly string[]): JsonbValue {
  const { root } = value;
  if (isScalar(root)) throw invalidParameter('cannot delete from scalar');
  if (isArray(root)) return new JsonbValue(root.filter((item) => typeof item !== 'string' || !keys.includes(item)));
  const object = root as JsonbObject;
  const kept = object.keys.flatMap((key, i) => (keys.includes(key) ? [] : [i]));
  return new JsonbValue(new JsonbObject(kept.map((i) => object.keys[i]!), kept.map((i) => object.values[i]!)));
}

function withoutIndex(value: JsonbValue, index: number): JsonbValue {
  const { root } = value;
  if (isScalar(root)) throw invalidParameter('cannot delete from scalar');
  if (!isArray(root)) throw invalidParameter('cannot delete from object using integer index');
  const at = index < 0 ? root.length + index : index;
  return at < 0 || at >= root.length ? value : new JsonbValue(root.filter((_, i) => i !== at));
}

type PathOperation = 'delete' | 'replace' | 'create' | 'before' | 'after';
const creates = (operation: PathOperation): boolean => operation !== 'delete' && operation !== 'replace';

function oneDimension(path: ArrayValue): readonly (string | null)[] {
  if (path.dims.length > 1) throw new PgError('array_subscript_error', 'wrong number of array subscripts');
  return path.values as readonly (string | null)[];
}

/** setPath: the item with the change made at the end of the path. */
function setPath(item: JsonbItem, path: readonly (string | null)[], level: number, value: JsonbItem, operation: PathOperation): JsonbItem {
  const step = path[level];
  if (step === null) throw new PgError('null_value_not_allowed', `path element at position ${level + 1} is null`);
  if (step === undefined || isScalar(item)) return item;
  const last = level === path.length - 1;
  if (item instanceof JsonbObject) {
    const at = item.indexOf(step);
    if (at < 0) {
      return last && creates(operation) ? makeObject([...item.keys.map((key, i) => [key, item.values[i]!] as const), [step, value]]) : item;
    }
    if (!last) return new JsonbObject(item.keys, item.values.map((old, i) => (i === at ? setPath(old, path, level + 1, value, operation) : old)));
    if (operation === 'before' || operation === 'after') {
      throw new PgError('invalid_parameter_value', 'cannot replace existing key', { hint: 'Try using the function jsonb_set to replace key value.' });
    }
    if (operation !== 'delete') return new JsonbObject(item.keys, item.values.map((old, i) => (i === at ? value : old)));
    return new JsonbObject(item.keys.filter((_, i) => i !== at), item.values.filter((_, i) => i !== at));
  }
  const array = item as readonly JsonbItem[];
  let index = subscriptOf(step);
  if (index === undefined) {
    throw new PgError('invalid_text_representation', `path element at position ${level + 1} is not an integer: "${step}"`);
  }
  if (index < 0) index = -index > array.length ? -Infinity : array.length + index;
  if (index < 0 || index >= array.length) {
    if (!last || !creates(operation)) return array;
    return index < 0 ? [value, ...array] : [...array, value];
  }
  if (!last) return array.map((old, i) => (i === index ? setPath(old, path, level + 1, value, operation) : old));
  const old = array[index]!;
  const between = { delete: [], replace: [value], create: [value], before: [value, old], after: [old, value] }[operation];
  return [...array.slice(0, index), ...between, ...array.slice(index + 1)];
}

function change(target: JsonbValue, path: ArrayValue, value: JsonbItem, operation: PathOperation): JsonbValue {
  const steps = oneDimension(path);
  if (isScalar(target.root)) {
    throw invalidParameter(operation === 'delete' ? 'cannot delete path in scalar' : 'cannot set path in scalar');
  }
  if (steps.length === 0) return target;
  const empty = isArray(target.root) ? target.root.length === 0 : (target.root as JsonbObject).keys.length === 0;
  if (empty && !creates(operation)) return target;
  return new JsonbValue(setPath(target.root, steps, 0, value, operation));
}

function setLax(target: JsonbValue | null, path: ArrayValue | null, value: JsonbValue | null, create: boolean | null, treatment: string | null): JsonbValue | null {
  if (target === null || path === null || create === null) return null;
  if (treatment === null) throw badTreatment();
  if (value !== null) return change(target, path, value.root, create ? 'create' : 'replace');
  switch (treatment) {
    case 'raise_exception':
      throw new PgError('null_value_not_allowed', 'JSON value must not be null', {
        detail: 'Exception was raised because null_value_treatment is "raise_exception".',
        hint: 'To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.',
      });
    case 'use_json_null': return change(target, path, null, create ? 'create' : 'replace');
    case 'delete_key': return change(target, path, null, 'delete');
    case 'return_target': return target;
    default: throw badTreatment();
  }
}

function badTreatment(): PgError {
  return invalidParameter('null_value_treatment must be "delete_key", "return_target", "use_json_null", or "raise_exception"');
}

function stripNulls(item: JsonbItem): JsonbItem {
  if (isArray(item)) return item.map(stripNulls);
  if (!(item instanceof JsonbObject)) return item;
  const kept = item.keys.flatMap((_, i) => (item.values[i] === null ? [] : [i]));
  return new JsonbObject(kept.map((i) => item.keys[i]!), kept.map((i) => stripNulls(item.values[i]!)));
}

function pretty(item: JsonbItem, indent: string): string {
  if (isScalar(item)) return itemToText(item);
  const inner = `${indent}    `;
  const parts = isArray(item)
    ? item.map((child) => inner + pretty(child, inner))
    : (item as JsonbObject).keys.map((key, i) => `${inner}${quoteJson(key)}: ${pretty((item as JsonbObject).values[i]!, inner)}`);
  const [open, close] = isArray(item) ? '[]' : '{}';
  return `${open}\n${parts.length === 0 ? '' : `${parts.join(',\n')}\n`}${indent}${close}`;
}

// --- sets

const jsonbColumns = tupleDesc([['key', TEXTOID], ['value', JSONBOID]]);
const textColumns = tupleDesc([['key', TEXTOID], ['value', TEXTOID]]);

function elements(value: JsonbValue): readonly JsonbItem[] {
  if (isScalar(value.root)) throw invalidParameter('cannot extract elements from a scalar');
  if (!isArray(value.root)) throw invalidParameter('cannot extract elements from an object');
  return value.root;
}

function members(value: JsonbValue, caller: string): JsonbObject {
  if (!(value.root instanceof JsonbObject)) throw invalidParameter(`cannot call ${caller} on a non-object`);
  return value.root;
}

// --- casts

function scalarOf(value: JsonbValue, kind: 'boolean' | 'number', typeName: string): JsonbItem {
  const actual = kindOf(value.root);
  if (actual !== kind) {
    throw invalidParameter(`cannot cast jsonb ${actual === 'number' ? 'numeric' : actual} to type ${typeName}`);
  }
  return value.root;
}

const castTo = (typeName: string, prosrc: string) => (value: JsonbValue): Datum =>
  findBuiltin(prosrc)!.fn(scalarOf(value, 'number', typeName) as never) as Datum;

registerBuiltins({
  pure: {
    jsonb_object_field: (value: JsonbValue, key: string) => value.member(key) ?? null,
    jsonb_object_field_text: (value: JsonbValue, key: string) => valueAsText(value.member(key)),
    jsonb_array_element: (value: JsonbValue, index: number) => wrap(element(value, index)),
    jsonb_array_element_text: (value: JsonbValue, index: number) => itemAsText(element(value, index)),
    jsonb_extract_path: (value: JsonbValue, path: ArrayValue) => wrap(extractPath(value, path)),
    jsonb_extract_path_text: (value: JsonbValue, path: ArrayValue) => itemAsText(extractPath(value, path)),
    jsonb_array_length: ({ root }: JsonbValue) => {
      if (isScalar(root)) throw invalidParameter('cannot get array length of a scalar');
      if (!isArray(root)) throw invalidParameter('cannot get array length of a non-array');
      return root.length;
    },
    jsonb_typeof: ({ root }: JsonbValue) => kindOf(root),
    jsonb_contains: containsValue,
    jsonb_contained: (a: JsonbValue, b: JsonbValue) => containsValue(b, a),
    jsonb_exists: exists,
    jsonb_exists_any: (value: JsonbValue, keys: ArrayValue) => keys.values.some((key) => key !== null && exists(value, key as string)),
    jsonb_exists_all: (value: JsonbValue, keys: ArrayValue) => keys.values.every((key) => key === null || exists(value, key as string)),
    jsonb_concat: concat,
    jsonb_delete: (value: JsonbValue, key: string) => withoutKeys(value, [key]),
    jsonb_delete_array: (value: JsonbValue, keys: ArrayValue) =>
      withoutKeys(value, oneDimension(keys).filter((key) => key !== null)),
    jsonb_delete_idx: withoutIndex,
    jsonb_delete_path: (value: JsonbValue, path: ArrayValue) => change(value, path, null, 'delete'),
    jsonb_set: (target: JsonbValue, path: ArrayValue, value: JsonbValue, create: boolean) =>
      change(target, path, value.root, create ? 'create' : 'replace'),
    jsonb_set_lax: setLax,
    jsonb_insert: (target: JsonbValue, path: ArrayValue, value: JsonbValue, after: boolean) =>
      change(target, path, value.root, after ? 'after' : 'before'),
    jsonb_strip_nulls: ({ root }: JsonbValue) => new JsonbValue(stripNulls(root)),
    jsonb_pretty: ({ root }: JsonbValue) => pretty(root, ''),
    jsonb_bool: (value: JsonbValue) => scalarOf(value, 'boolean', 'boolean') as boolean,
    jsonb_numeric: (value: JsonbValue) => scalarOf(value, 'number', 'numeric') as Numeric,
    jsonb_int2: castTo('smallint', 'numeric_int2'),
    jsonb_int4: castTo('integer', 'numeric_int4'),
    jsonb_int8: castTo('bigint', 'numeric_int8'),
    jsonb_float4: castTo('real', 'numeric_float4'),
    jsonb_float8: castTo('double precision', 'numeric_float8'),
  },
  set: {
    jsonb_object_keys: (_context, { root }: JsonbValue) => {
      if (isScalar(root)) throw invalidParameter('cannot call jsonb_object_keys on a scalar');
      if (isArray(root)) throw invalidParameter('cannot call jsonb_object_keys on an array');
      return (root as JsonbObject).keys;
    },
    jsonb_array_elements: (_context, value: JsonbValue) => elements(value).map((item) => new JsonbValue(item)),
    jsonb_array_elements_text: (_context, value: JsonbValue) => elements(value).map(itemAsText),
    jsonb_each: (_context, value: JsonbValue) => {
      const { keys, values } = members(value, 'jsonb_each');
      return keys.map((key, i) => new RecordValue(RECORDOID, jsonbColumns, [key, new JsonbValue(values[i]!)]));
    },
    jsonb_each_text: (_context, value: JsonbValue) => {
      const { keys, values } = members(value, 'jsonb_each_text');
      return keys.map((key, i) => new RecordValue(RECORDOID, textColumns, [key, itemAsText(values[i]!)]));
    },
  },
});
