// Evaluation of jsonpath over jsonb (PostgreSQL's jsonpath_exec.c).
import { PgError, type ErrorFields } from '../../common/errors.ts';
import type { ConditionName } from '../../common/sqlstate.ts';
import { compareText } from './characters.ts';
import { invalidParameter } from './errors.ts';
import { float8In, float8Out } from './float.ts';
import { isArray, type JsonbItem, JsonbObject, JsonbValue, makeObject } from './jsonb.ts';
import { containerOffset } from './jsonb_layout.ts';
import { compareDatetimes, datetimeByTemplate, datetimeText, datetimeTypeName, guessDatetime, PathDatetime } from './jsonpath_datetime.ts';
import { type BinaryOperator, type JsonPath, LAST_LEVEL, type PathItem } from './jsonpath_parse.ts';
import {
  absNumeric, addNumeric, ceilNumeric, compareNumeric, divideNumeric, FINITE, floorNumeric, makeNumeric, moduloNumeric, multiplyNumeric, negateNumeric,
  Numeric, numericToText, parseNumeric, subtractNumeric, truncateTo,
} from './numeric.ts';

/** What a path yields: jsonb, or a date or time on its way. */
export type PathValue = JsonbItem | PathDatetime;

/** ERROR only where errors are not thrown. */
type Result = 'ok' | 'notfound' | 'error';
type Truth = boolean | 'unknown';

const isObject = (value: PathValue): value is JsonbObject => value instanceof JsonbObject;
const isList = (value: PathValue): value is readonly JsonbItem[] => isArray(value as JsonbItem);
const isNumber = (value: PathValue | undefined): value is Numeric => value instanceof Numeric;

function typeName(value: PathValue): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  if (value instanceof Numeric) return 'number';
  if (value instanceof PathDatetime) return datetimeTypeName(value);
  return isList(value) ? 'array' : 'object';
}

const ARITHMETIC: Partial<Record<BinaryOperator, (a: Numeric, b: Numeric) => Numeric>> = {
  '+': addNumeric, '-': subtractNumeric, '*': multiplyNumeric, '/': divideNumeric, '%': moduloNumeric,
};

class Evaluation {
  private readonly vars: JsonbObject | null;
  private readonly root: JsonbItem;
  private current: PathValue;
  private readonly lax: boolean;
  private ignoreStructuralErrors: boolean;
  private throwErrors: boolean;
  private readonly useTz: boolean;
  private innermostArraySize = -1;
  /** What the ids of keyvalue() count from. */
  private base: { id: number; item: PathValue };
  private lastObjectId: number;

  constructor(path: JsonPath, vars: JsonbObject | null, root: JsonbItem, throwErrors: boolean, useTz: boolean) {
    this.vars = vars;
    this.root = root;
    this.current = root;
    this.lax = path.lax;
    this.ignoreStructuralErrors = path.lax;
    this.throwErrors = throwErrors;
    this.useTz = useTz;
    this.base = { id: 0, item: root };
    this.lastObjectId = vars === null ? 1 : 2;
  }

  /** With `found` null only whether there is something is asked. */
  run(path: PathItem, found: PathValue[] | null): Result {
    if (!this.lax && found === null) {
      // Strict mode must see all errors.
      const values: PathValue[] = [];
      const result = this.item(path, this.root, values);
      return result === 'error' ? result : values.length === 0 ? 'notfound' : 'ok';
    }
    return this.item(path, this.root, found);
  }

  private error(condition: ConditionName, message: string, fields: ErrorFields = {}): Result {
    if (this.throwErrors) throw new PgError(condition, message, fields);
    return 'error';
  }

  private structural(condition: ConditionName, message: string): Result {
    return this.ignoreStructuralErrors ? 'notfound' : this.error(condition, message);
  }

  private item(path: PathItem, value: PathValue, found: PathValue[] | null): Result {
    return this.step(path, value, found, this.lax);
  }

  private next(path: PathItem, value: PathValue, found: PathValue[] | null): Result {
    if (path.next !== null) return this.item(path.next, value, found);
    found?.push(value);
    return 'ok';
  }

  /** executeItemOptUnwrapTarget. */
  private step(path: PathItem, value: PathValue, found: PathValue[] | null, unwrap: boolean): Result {
    const unwrapped = (): Result => this.elements(path, value, found, 1, 1, 1, false, false);
    switch (path.type) {
      case 'null': return this.next(path, null, found);
      case 'bool': case 'numeric': case 'string': return this.next(path, path.value, found);
      case 'variable': {
        const variable = this.vars?.get(path.value);
        if (variable === undefined) throw new PgError('undefined_object', `could not find jsonpath variable "${path.value}"`);
        return this.based(1, this.vars!, () => this.next(path, variable, found));
      }
      case 'root': return this.based(0, this.root, () => this.next(path, this.root, found));
      case 'current': return this.next(path, this.current, found);
      case 'binary': return path.op in ARITHMETIC ? this.arithmetic(path, value, found) : this.predicate(path, value, found);
      case 'plus': return this.unary(path, '+', (n) => n, value, found);
      case 'minus': return this.unary(path, '-', negateNumeric, value, found);
      case 'not': case 'isUnknown': case 'exists': case 'likeRegex': return this.predicate(path, value, found);
      case 'filter': {
        if (unwrap && isList(value)) return unwrapped();
        return this.nestedTruth(path.arg, value) === true ? this.next(path, value, found) : 'notfound';
      }
      case 'key': {
        if (isObject(value)) {
          const member = value.get(path.value);
          if (member !== undefined) return this.next(path, member, found);
          return this.structural('sql_json_member_not_found', `JSON object does not contain key "${path.value}"`);
        }
        if (unwrap && isList(value)) return unwrapped();
        return this.structural('sql_json_member_not_found', 'jsonpath member accessor can only be applied to an object');
      }
      case 'anyKey':
        if (isObject(value)) return this.elements(path.next, value, found, 1, 1, 1, false, this.lax);
        if (unwrap && isList(value)) return unwrapped();
        return this.structural('sql_json_object_not_found', 'jsonpath wildcard member accessor can only be applied to an object');
      case 'anyArray':
        if (isList(value)) return this.elements(path.next, value, found, 1, 1, 1, false, this.lax);
        if (this.lax) return this.next(path, value, found);
        return this.structural('sql_json_array_not_found', 'jsonpath wildcard array accessor can only be applied to an array');
      case 'indexArray': return this.subscripts(path, value, found);
      case 'any': return this.levels(path, value, found);
      case 'last': {
        const last = this.innermostArraySize - 1;
        return this.next(path, makeNumeric(BigInt(last), 0), found);
      }
      case 'method': {
        if (path.name === 'type') return this.next(path, typeName(value), found);
        if (path.name === 'size') {
          if (!isList(value) && !this.lax) return this.structural('sql_json_array_not_found', 'jsonpath item method .size() can only be applied to an array');
          return this.next(path, makeNumeric(isList(value) ? BigInt(value.length) : 1n, 0), found);
        }
        if (unwrap && isList(value)) return unwrapped();
        return this.method(path, path.name, value, found);
      }
      case 'datetime':
        if (unwrap && isList(value)) return unwrapped();
        return this.datetime(path, value, found);
    }
  }

  private based(id: number, item: PathValue, body: () => Result): Result {
    const saved = this.base;
    this.base = { id, item };
    const result = body();
    this.base = saved;
    return result;
  }

  /** executeAnyItem: what lies in a container, from level `first` to `last`. */
  private elements(path: PathItem | null, container: PathValue, found: PathValue[] | null, level: number, first: number, last: number,
    ignoreStructuralErrors: boolean, unwrapNext: boolean): Result {
    let result: Result = 'notfound';
    if (level > last) return result;
    for (const value of isList(container) ? container : (container as JsonbObject).values) {
      const isContainer = isList(value) || isObject(value);
      if (level >= first || (first === LAST_LEVEL && last === LAST_LEVEL && !isContainer)) {
        if (path !== null) {
          const saved = this.ignoreStructuralErrors;
          if (ignoreStructuralErrors) this.ignoreStructuralErrors = true;
          result = this.step(path, value, found, unwrapNext);
          this.ignoreStructuralErrors = saved;
          if (result === 'error' || (result === 'ok' && found === null)) return result;
        } else if (found !== null) found.push(value);
        else return 'ok';
      }
      if (level < last && isContainer) {
        result = this.elements(path, value, found, level + 1, first, last, ignoreStructuralErrors, unwrapNext);
        if (result === 'error' || (result === 'ok' && found === null)) return result;
      }
    }
    return result;
  }

  private levels(path: PathItem & { type: 'any' }, value: PathValue, found: PathValue[] | null): Result {
    let result: Result = 'notfound';
    if (path.first === 0) {
      const saved = this.ignoreStructuralErrors;
      this.ignoreStructuralErrors = true;
      result = this.next(path, value, found);
      this.ignoreStructuralErrors = saved;
      if (result === 'error' || (result === 'ok' && found === null)) return result;
    }
    if (isList(value) || isObject(value)) result = this.elements(path.next, value, found, 1, path.first, path.last, true, this.lax);
    return result;
  }

  private subscripts(path: PathItem & { type: 'indexArray' }, value: PathValue, found: PathValue[] | null): Result {
    if (!isList(value) && !this.lax) return this.structural('sql_json_array_not_found', 'jsonpath array accessor can only be applied to an array');
    const list: readonly PathValue[] = isList(value) ? value : [value];
    const saved = this.innermostArraySize;
    this.innermostArraySize = list.length;
    let result: Result = 'notfound';
    const run = (): void => {
      for (const { from, to } of path.subscripts) {
        const first = this.subscript(from, value);
        if (first === null) { result = 'error'; return; }
        const last = to === null ? first : this.subscript(to, value);
        if (last === null) { result = 'error'; return; }
        if (!this.ignoreStructuralErrors && (first < 0 || first > last || last >= list.length)) {
          result = this.error('invalid_sql_json_subscript', 'jsonpath array subscript is out of bounds');
          return;
        }
        result = 'notfound';
        for (let i = Math.max(first, 0); i <= Math.min(last, list.length - 1); i++) {
          if (path.next === null && found === null) { result = 'ok'; return; }
          result = this.next(path, list[i]!, found);
          if (result === 'error' || (result === 'ok' && found === null)) return;
        }
      }
    };
    run();
    this.innermostArraySize = saved;
    return result;
  }

  private subscript(path: PathItem, value: PathValue): number | null {
    const found: PathValue[] = [];
    if (this.item(path, value, found) === 'error') return null;
    const [number] = found;
    if (found.length !== 1 || !isNumber(number)) {
      this.error('invalid_sql_json_subscript', 'jsonpath array subscript is not a single numeric value');
      return null;
    }
    const index = number.special === FINITE ? Number(truncateTo(number, 0).coefficient) : NaN;
    if (!(index >= -2147483648 && index <= 2147483647)) {
      this.error('invalid_sql_json_subscript', 'jsonpath array subscript is out of integer range');
      return null;
    }
    return index;
  }

  // --- operands

  /** executeItemOptUnwrapResult. */
  private operand(path: PathItem, value: PathValue, unwrap: boolean, found: PathValue[] | null): Result {
    if (!unwrap || !this.lax) return this.item(path, value, found);
    const values: PathValue[] = [];
    const result = this.item(path, value, values);
    if (result === 'error') return result;
    for (const each of values) if (isList(each)) found!.push(...each); else found!.push(each);
    return 'ok';
  }

  private quietOperand(path: PathItem, value: PathValue, unwrap: boolean, found: PathValue[] | null): Result {
    const saved = this.throwErrors;
    this.throwErrors = false;
    const result = this.operand(path, value, unwrap, found);
    this.throwErrors = saved;
    return result;
  }

  private arithmetic(path: PathItem & { type: 'binary' }, value: PathValue, found: PathValue[] | null): Result {
    const lefts: PathValue[] = [], rights: PathValue[] = [];
    if (this.operand(path.left, value, true, lefts) === 'error' || this.operand(path.right, value, true, rights) === 'error') return 'error';
    const single = (values: PathValue[], side: string): Numeric | Result =>
      (values.length === 1 && isNumber(values[0]) ? values[0]
        : this.error('singleton_sql_json_item_required', `${side} operand of jsonpath operator ${path.op} is not a single numeric value`));
    const left = single(lefts, 'left');
    if (typeof left === 'string') return left;
    const right = single(rights, 'right');
    if (typeof right === 'string') return right;
    let result: Numeric;
    try {
      result = ARITHMETIC[path.op]!(left, right);
    } catch (error) {
      if (this.throwErrors || !(error instanceof PgError)) throw error;
      return 'error';
    }
    return this.next(path, result, found);
  }

  private unary(path: PathItem & { arg: PathItem }, sign: string, change: (value: Numeric) => Numeric, value: PathValue, found: PathValue[] | null): Result {
    const values: PathValue[] = [];
    if (this.operand(path.arg, value, true, values) === 'error') return 'error';
    let result: Result = 'notfound';
    for (const each of values) {
      if (isNumber(each)) {
        if (found === null && path.next === null) return 'ok';
      } else {
        if (found === null && path.next === null) continue;
        return this.error('sql_json_number_not_found', `operand of unary jsonpath operator ${sign} is not a numeric value`);
      }
      const one = this.next(path, change(each), found);
      if (one === 'error') return one;
      if (one === 'ok') {
        if (found === null) return one;
        result = one;
      }
    }
    return result;
  }

  // --- predicates

  private predicate(path: PathItem, value: PathValue, found: PathValue[] | null): Result {
    const truth = this.truth(path, value);
    return this.next(path, truth === 'unknown' ? null : truth, found);
  }

  private nestedTruth(path: PathItem, value: PathValue): Truth {
    const saved = this.current;
    this.current = value;
    const truth = this.truth(path, value);
    this.current = saved;
    return truth;
  }

  private truth(path: PathItem, value: PathValue): Truth {
    switch (path.type) {
      case 'not': {
        const truth = this.truth(path.arg, value);
        return truth === 'unknown' ? truth : !truth;
      }
      case 'isUnknown': return this.truth(path.arg, value) === 'unknown';
      case 'exists': {
        // In strict mode all values are wanted, because any of them may be an error.
        const values: PathValue[] | null = this.lax ? null : [];
        const result = this.quietOperand(path.arg, value, false, values);
        if (result === 'error') return 'unknown';
        return values === null ? result === 'ok' : values.length > 0;
      }
      case 'likeRegex': return this.some(path.arg, null, value, false, (text) => (typeof text === 'string' ? path.test(text) : 'unknown'));
      case 'binary': {
        const { op, left, right } = path;
        if (op === '&&') {
          const a = this.truth(left, value);
          if (a === false) return false;
          const b = this.truth(right, value);
          return b === true ? a : b;
        }
        if (op === '||') {
          const a = this.truth(left, value);
          if (a === true) return true;
          const b = this.truth(right, value);
          return b === false ? a : b;
        }
        if (op === 'starts with') {
          return this.some(left, right, value, false, (a, b) => (typeof a === 'string' && typeof b === 'string' ? a.startsWith(b) : 'unknown'));
        }
        return this.some(left, right, value, true, (a, b) => this.compare(op, a, b!));
      }
      default: throw new PgError('internal_error', `invalid boolean jsonpath item type: ${path.type}`);
    }
  }

  /** executePredicate: whether it holds for some pair of values; what cannot be compared makes it unknown. */
  private some(left: PathItem, right: PathItem | null, value: PathValue, unwrapRight: boolean, test: (a: PathValue, b?: PathValue) => Truth): Truth {
    const lefts: PathValue[] = [], rights: PathValue[] = [];
    if (this.quietOperand(left, value, true, lefts) === 'error') return 'unknown';
    if (right !== null && this.quietOperand(right, value, unwrapRight, rights) === 'error') return 'unknown';
    let found = false, unknown = false;
    for (const a of lefts) {
      for (const b of right === null ? [null] : rights) {
        const truth = test(a, b);
        if (truth === 'unknown') {
          if (!this.lax) return 'unknown';
          unknown = true;
        } else if (truth) {
          if (this.lax) return true;
          found = true;
        }
      }
    }
    return found ? true : unknown ? 'unknown' : false;
  }

  private compare(op: BinaryOperator, a: PathValue, b: PathValue): Truth {
    let order: number;
    if (isNumber(a) && isNumber(b)) order = compareNumeric(a, b);
    else if (typeof a === 'string' && typeof b === 'string') order = compareText(a, b);
    else if (a instanceof PathDatetime && b instanceof PathDatetime) {
      const compared = compareDatetimes(a, b, this.useTz);
      if (compared === null) return 'unknown';
      order = compared;
    } else if (a === null && b === null) order = 0;
    else if (typeof a === 'boolean' && typeof b === 'boolean') order = Number(a) - Number(b);
    else if (a === null || b === null) return op === '!=';
    else return 'unknown';
    switch (op) {
      case '==': return order === 0;
      case '!=': return order !== 0;
      case '<': return order < 0;
      case '>': return order > 0;
      case '<=': return order <= 0;
      default: return order >= 0;
    }
  }

  // --- methods

  private method(path: PathItem, name: 'abs' | 'floor' | 'ceiling' | 'double' | 'keyvalue', value: PathValue, found: PathValue[] | null): Result {
    if (name === 'keyvalue') return this.keyValue(path, value, found);
    if (name === 'double') return this.double(path, value, found);
    if (!isNumber(value)) return this.error('non_numeric_sql_json_item', `jsonpath item method .${name}() can only be applied to a numeric value`);
    return this.next(path, name === 'abs' ? absNumeric(value) : name === 'floor' ? floorNumeric(value) : ceilNumeric(value), found);
  }

  private double(path: PathItem, value: PathValue, found: PathValue[] | null): Result {
    const fail = (message: string): Result => this.error('non_numeric_sql_json_item', message);
    if (!isNumber(value) && typeof value !== 'string') return fail('jsonpath item method .double() can only be applied to a string or numeric value');
    const invalid = isNumber(value) ? 'numeric argument of jsonpath item method .double() is out of range for type double precision'
      : 'string argument of jsonpath item method .double() is not a valid representation of a double precision number';
    let number: number;
    try {
      number = float8In(isNumber(value) ? numericToText(value) : value);
    } catch (error) {
      if (!(error instanceof PgError)) throw error;
      return fail(invalid);
    }
    if (!Number.isFinite(number)) return fail(invalid);
    return this.next(path, isNumber(value) ? value : parseNumeric(float8Out(number)), found);
  }

  private keyValue(path: PathItem, value: PathValue, found: PathValue[] | null): Result {
    if (!isObject(value)) return this.error('sql_json_object_not_found', 'jsonpath item method .keyvalue() can only be applied to an object');
    if (value.keys.length === 0) return 'notfound';
    if (path.next === null && found === null) return 'ok';
    const id = makeNumeric(BigInt(containerOffset(this.base.item as JsonbItem, value)) + BigInt(this.base.id) * 10000000000n, 0);
    let result: Result = 'notfound';
    for (let i = 0; i < value.keys.length; i++) {
      const object = makeObject([['key', value.keys[i]!], ['value', value.values[i]!], ['id', id]]);
      result = this.based(this.lastObjectId++, object, () => this.next(path, object, found));
      if (result === 'error' || (result === 'ok' && found === null)) return result;
    }
    return result;
  }

  private datetime(path: PathItem & { type: 'datetime' }, value: PathValue, found: PathValue[] | null): Result {
    if (typeof value !== 'string') {
      return this.error('invalid_argument_for_sql_json_datetime_function', 'jsonpath item method .datetime() can only be applied to a string');
    }
    let datetime: PathDatetime | null;
    if (path.arg !== null) {
      try {
        datetime = datetimeByTemplate(value, (path.arg as PathItem & { type: 'string' }).value);
      } catch (error) {
        if (this.throwErrors || !(error instanceof PgError)) throw error;
        return 'error';
      }
    } else {
      datetime = guessDatetime(value);
      if (datetime === null) {
        return this.error('invalid_argument_for_sql_json_datetime_function', `datetime format is not recognized: "${value}"`,
          { hint: 'Use a datetime template argument to specify the input data format.' });
      }
    }
    return this.next(path, datetime, found);
  }
}

function variables(vars: JsonbValue | null): JsonbObject | null {
  if (vars === null) return null;
  if (vars.root instanceof JsonbObject) return vars.root;
  throw invalidParameter('"vars" argument is not an object', 'Jsonpath parameters should be encoded as key-value pairs of "vars" object.');
}

/** All values of a path; after an error that is not thrown, those before it. */
export function pathValues(path: JsonPath, target: JsonbValue, vars: JsonbValue | null, silent: boolean, useTz: boolean): JsonbItem[] {
  const found: PathValue[] = [];
  new Evaluation(path, variables(vars), target.root, !silent, useTz).run(path.root, found);
  return found.map((value) => (value instanceof PathDatetime ? datetimeText(value) : value));
}

export function pathExists(path: JsonPath, target: JsonbValue, vars: JsonbValue | null, silent: boolean, useTz: boolean): boolean | null {
  const result = new Evaluation(path, variables(vars), target.root, !silent, useTz).run(path.root, null);
  return result === 'error' ? null : result === 'ok';
}
