// The type jsonpath and the functions over jsonb that take one.
import { PgError } from '../../common/errors.ts';
import { registerBuiltins, type PureFunction, type SetFunction } from './fmgr.ts';
import { JsonbValue } from './jsonb.ts';
import { pathExists, pathValues } from './jsonpath_exec.ts';
import { JsonPath, jsonPathOut, parseJsonPath } from './jsonpath_parse.ts';
import { receiveText, sendText, WireReader } from './wire.ts';

/** Paths come mostly as constants, or the same from many rows. */
const parsed = new Map<string, JsonPath>();
const MAX_PARSED = 64;

function jsonPathIn(text: string): JsonPath {
  let path = parsed.get(text);
  if (path === undefined) {
    path = parseJsonPath(text);
    if (parsed.size >= MAX_PARSED) parsed.clear();
    parsed.set(text, path);
  }
  return path;
}

/** Stored as its text. */
export const jsonPathCodec = {
  number: 2,
  type: JsonPath,
  encode: (path: JsonPath): Uint8Array => Buffer.from(jsonPathOut(path)),
  decode: (bytes: Uint8Array): JsonPath => jsonPathIn(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()),
};

function match(target: JsonbValue, path: JsonPath, vars: JsonbValue | null, silent: boolean, useTz: boolean): boolean | null {
  const values = pathValues(path, target, vars, silent, useTz);
  if (values.length === 1) {
    const [value] = values;
    if (typeof value === 'boolean') return value;
    if (value === null) return null;
  }
  if (!silent) throw new PgError('singleton_sql_json_item_required', 'single boolean result is expected');
  return null;
}

const pure: Record<string, PureFunction> = {
  jsonpath_in: jsonPathIn,
  jsonpath_out: jsonPathOut,
  jsonpath_recv: (bytes: Uint8Array) => {
    const reader = new WireReader(bytes);
    const version = reader.uint8();
    if (version !== 1) throw new PgError('internal_error', `unsupported jsonpath version number: ${version}`);
    return jsonPathIn(receiveText(reader.takeBytes(reader.remaining)));
  },
  jsonpath_send: (path: JsonPath) => Buffer.concat([Buffer.of(1), sendText(jsonPathOut(path))]),
  jsonb_path_exists_opr: (target: JsonbValue, path: JsonPath) => pathExists(path, target, null, true, false),
  jsonb_path_match_opr: (target: JsonbValue, path: JsonPath) => match(target, path, null, true, false),
};
const set: Record<string, SetFunction> = {};

for (const useTz of [false, true]) {
  const suffix = useTz ? '_tz' : '';
  pure[`jsonb_path_exists${suffix}`] = (target: JsonbValue, path: JsonPath, vars: JsonbValue, silent: boolean) =>
    pathExists(path, target, vars, silent, useTz);
  pure[`jsonb_path_match${suffix}`] = (target: JsonbValue, path: JsonPath, vars: JsonbValue, silent: boolean) => match(target, path, vars, silent, useTz);
  pure[`jsonb_path_query_array${suffix}`] = (target: JsonbValue, path: JsonPath, vars: JsonbValue, silent: boolean) =>
    new JsonbValue(pathValues(path, target, vars, silent, useTz));
  pure[`jsonb_path_query_first${suffix}`] = (target: JsonbValue, path: JsonPath, vars: JsonbValue, silent: boolean) => {
    const values = pathValues(path, target, vars, silent, useTz);
    return values.length === 0 ? null : new JsonbValue(values[0]!);
  };
  set[`jsonb_path_query${suffix}`] = (_context, target: JsonbValue, path: JsonPath, vars: JsonbValue, silent: boolean) =>
    pathValues(path, target, vars, silent, useTz).map((value) => new JsonbValue(value));
}

registerBuiltins({ pure, set });
