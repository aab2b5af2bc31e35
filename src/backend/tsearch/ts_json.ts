// Text search in JSON: to_tsvector of its strings, json_to_tsvector of what a filter names.
import { PgError } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { parseJson, quoteJson, type JsonNode } from '../types/json_parse.ts';
import { isArray, itemToText, JsonbObject, JsonbValue, type JsonbItem } from '../types/jsonb.ts';
import type { TsQuery } from '../types/tsquery.ts';
import { headlineMaker } from './headline.ts';
import { currentConfig, textsToTsVector } from './to_tsany.ts';

interface Filter { key: boolean; string: boolean; numeric: boolean; boolean: boolean }
const STRINGS: Filter = { key: false, string: true, numeric: false, boolean: false };

function* ofItem(item: JsonbItem, filter: Filter): Generator<string> {
  if (isArray(item)) {
    for (const element of item) yield* ofItem(element, filter);
  } else if (item instanceof JsonbObject) {
    for (const [i, key] of item.keys.entries()) {
      if (filter.key) yield key;
      yield* ofItem(item.values[i]!, filter);
    }
  } else if (typeof item === 'string') {
    if (filter.string) yield item;
  } else if (typeof item === 'boolean') {
    if (filter.boolean) yield String(item);
  } else if (item !== null && filter.numeric) yield itemToText(item);
}

function* ofNode(node: JsonNode, text: string, filter: Filter): Generator<string> {
  switch (node.kind) {
    case 'array': for (const element of node.elements) yield* ofNode(element, text, filter); break;
    case 'object':
      for (const member of node.members) {
        if (filter.key) yield member.key;
        yield* ofNode(member.value, text, filter);
      }
      break;
    case 'string': if (filter.string) yield node.value; break;
    case 'number': if (filter.numeric) yield text.slice(node.start, node.end); break;
    default: if (filter.boolean && text.slice(node.start, node.end) !== 'null') yield text.slice(node.start, node.end);
  }
}

const FILTER_HINT = 'Possible values are: "string", "numeric", "boolean", "key", and "all".';

function filterOf({ root }: JsonbValue): Filter {
  const invalid = (message: string, hint?: string): PgError => new PgError('invalid_parameter_value', message, { hint });
  const list = root instanceof JsonbObject ? null : isArray(root) ? root : [root];
  if (list === null) throw invalid('wrong flag type, only arrays and scalars are allowed');
  const filter: Filter = { key: false, string: false, numeric: false, boolean: false };
  for (const flag of list) {
    if (isArray(flag) || flag instanceof JsonbObject) throw new PgError('internal_error', 'unexpected end of flag array');
    if (typeof flag !== 'string') throw invalid('flag array element is not a string', FILTER_HINT);
    const name = flag.toLowerCase();
    if (name === 'all') Object.assign(filter, { key: true, string: true, numeric: true, boolean: true });
    else if (name === 'key' || name === 'string' || name === 'numeric' || name === 'boolean') filter[name] = true;
    else throw invalid(`wrong flag in flag array: "${flag}"`, FILTER_HINT);
  }
  return filter;
}

const ofJson = (config: Oid, text: string, filter: Filter) => textsToTsVector(config, ofNode(parseJson(text), text, filter));
const ofJsonb = (config: Oid, value: JsonbValue, filter: Filter) => textsToTsVector(config, ofItem(value.root, filter));

/** The JSON with every string changed (transform_json_string_values). */
function changeNode(node: JsonNode, text: string, change: (s: string) => string): string {
  switch (node.kind) {
    case 'array': return `[${node.elements.map((e) => changeNode(e, text, change)).join(',')}]`;
    case 'object': return `{${node.members.map((m) => `${quoteJson(m.key)}:${changeNode(m.value, text, change)}`).join(',')}}`;
    case 'string': return quoteJson(change(node.value));
    default: return text.slice(node.start, node.end);
  }
}
function changeItem(item: JsonbItem, change: (s: string) => string): JsonbItem {
  if (isArray(item)) return item.map((e) => changeItem(e, change));
  if (item instanceof JsonbObject) return new JsonbObject(item.keys, item.values.map((v) => changeItem(v, change)));
  return typeof item === 'string' ? change(item) : item;
}

const jsonHeadline = (config: Oid, json: string, query: TsQuery, options = ''): string => changeNode(parseJson(json), json, headlineMaker(config, query, options));
const jsonbHeadline = (config: Oid, value: JsonbValue, query: TsQuery, options = ''): JsonbValue => new JsonbValue(changeItem(value.root, headlineMaker(config, query, options)));

registerBuiltins({
  pure: {
    json_string_to_tsvector: (text: string) => ofJson(currentConfig(), text, STRINGS), json_string_to_tsvector_byid: (config: Oid, text: string) => ofJson(config, text, STRINGS),
    jsonb_string_to_tsvector: (value: JsonbValue) => ofJsonb(currentConfig(), value, STRINGS), jsonb_string_to_tsvector_byid: (config: Oid, value: JsonbValue) => ofJsonb(config, value, STRINGS),
    json_to_tsvector: (text: string, filter: JsonbValue) => ofJson(currentConfig(), text, filterOf(filter)),
    json_to_tsvector_byid: (config: Oid, text: string, filter: JsonbValue) => ofJson(config, text, filterOf(filter)),
    jsonb_to_tsvector: (value: JsonbValue, filter: JsonbValue) => ofJsonb(currentConfig(), value, filterOf(filter)),
    jsonb_to_tsvector_byid: (config: Oid, value: JsonbValue, filter: JsonbValue) => ofJsonb(config, value, filterOf(filter)),
    ts_headline_json: (json: string, query: TsQuery) => jsonHeadline(currentConfig(), json, query), ts_headline_json_byid: jsonHeadline, ts_headline_json_byid_opt: jsonHeadline,
    ts_headline_json_opt: (json: string, query: TsQuery, options: string) => jsonHeadline(currentConfig(), json, query, options),
    ts_headline_jsonb: (value: JsonbValue, query: TsQuery) => jsonbHeadline(currentConfig(), value, query), ts_headline_jsonb_byid: jsonbHeadline, ts_headline_jsonb_byid_opt: jsonbHeadline,
    ts_headline_jsonb_opt: (value: JsonbValue, query: TsQuery, options: string) => jsonbHeadline(currentConfig(), value, query, options),
  },
});
