// Subscripts of jsonb: j['a'][1] in expressions, and j['a'][1] = ... in UPDATE (PostgreSQL's jsonbsubs.c).
import { PgError } from '../../common/errors.ts';
import { invalidParameter } from './errors.ts';
import { registerBuiltins } from './fmgr.ts';
import { isArray, type JsonbItem, JsonbObject, JsonbValue, makeObject } from './jsonb.ts';
import { subscriptOf } from './jsonb_ops.ts';

type Subscript = string | number | null | undefined;

function fetch({ root }: JsonbValue, subscripts: readonly Subscript[]): JsonbValue | null {
  let item: JsonbItem | undefined = root;
  for (const subscript of subscripts) {
    if (subscript === null || subscript === undefined) return null;
    if (item instanceof JsonbObject) item = item.get(String(subscript));
    else if (isArray(item)) {
      const index = subscriptOf(String(subscript));
      item = index === undefined ? undefined : item[index < 0 ? item.length + index : index];
    } else return null;
    if (item === undefined) return null;
  }
  return new JsonbValue(item);
}

const nulls = (count: number): null[] => new Array<null>(Math.max(count, 0)).fill(null);

/** What must be there for a path that leads beyond what exists: objects and arrays around the value. */
function build(path: readonly string[], level: number, value: JsonbItem): JsonbItem {
  const step = path[level];
  if (step === undefined) return value;
  const inner = build(path, level + 1, value);
  const index = subscriptOf(step);
  return index === undefined ? new JsonbObject([step], [inner]) : [...nulls(index), inner];
}

/** setPath of PostgreSQL in its kindest mode: it creates what is missing and fills gaps in arrays with null. */
function assign(item: JsonbItem, path: readonly string[], level: number, value: JsonbItem): JsonbItem {
  const step = path[level];
  if (step === undefined) return value;
  if (item instanceof JsonbObject) {
    const at = item.indexOf(step);
    if (at < 0) return makeObject([...item.keys.map((key, i) => [key, item.values[i]!] as const), [step, build(path, level + 1, value)]]);
    return new JsonbObject(item.keys, item.values.map((old, i) => (i === at ? assign(old, path, level + 1, value) : old)));
  }
  if (!isArray(item)) {
    throw invalidParameter('cannot replace existing key', 'The path assumes key is a composite object, but it is a scalar value.');
  }
  const given = subscriptOf(step);
  if (given === undefined) {
    throw new PgError('invalid_text_representation', `path element at position ${level + 1} is not an integer: "${step}"`);
  }
  if (given < 0 && -given > item.length) throw invalidParameter(`path element at position ${level + 1} is out of range: ${given}`);
  const index = given < 0 ? item.length + given : given;
  if (index >= item.length) return [...item, ...nulls(index - item.length), build(path, level + 1, value)];
  return item.map((old, i) => (i === index ? assign(old, path, level + 1, value) : old));
}

/** SQL's NULL as a container is an empty one, of the kind the first subscript asks for; as a value it is JSON's null. */
function assignTo(target: JsonbValue | null, subscripts: readonly Subscript[], value: JsonbValue | null): JsonbValue {
  if (subscripts.some((subscript) => subscript === null || subscript === undefined)) {
    throw new PgError('null_value_not_allowed', 'jsonb subscript in assignment must not be null');
  }
  const root = target === null ? (typeof subscripts[0] === 'number' ? [] : new JsonbObject([], [])) : target.root;
  return new JsonbValue(assign(root, subscripts.map(String), 0, value === null ? null : value.root));
}

/** Not in pg_proc: the executor asks for these by the name of the type. */
registerBuiltins({ pure: { subscript_jsonb: fetch, subscript_assign_jsonb: assignTo } });
