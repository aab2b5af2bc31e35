// json: kept as it was written. Input, access, and the sets made of it.
import { RecordValue, tupleDesc, type ArrayValue, type Datum } from './datum.ts';
import { invalidParameter } from './errors.ts';
import { registerBuiltins } from './fmgr.ts';
import { checkJson, type JsonMember, type JsonNode, parseJson, quoteJson } from './json_parse.ts';
import { subscriptOf } from './jsonb_ops.ts';
import { JSONOID, RECORDOID, TEXTOID } from './oids.ts';
import { receiveText, sendText } from './wire.ts';

function jsonIn(text: string): string {
  checkJson(text);
  return text;
}

/** A tree whose strings have their escapes worked out. */
const parse = (text: string): JsonNode => parseJson(text, true);

const slice = (text: string, node: JsonNode | undefined): string | null =>
  node === undefined ? null : text.slice(node.start, node.end);

/** A value as text: strings without quotes and escapes, null as NULL. */
function asText(text: string, node: JsonNode | undefined): string | null {
  if (node === undefined || node.kind === 'null') return null;
  return node.kind === 'string' ? node.value : text.slice(node.start, node.end);
}

/** The last member of that name counts. */
function member(node: JsonNode, key: string): JsonNode | undefined {
  return node.kind === 'object' ? node.members.findLast((one) => one.key === key)?.value : undefined;
}

function element(node: JsonNode, index: number): JsonNode | undefined {
  return node.kind === 'array' ? node.elements.at(index) : undefined;
}

function follow(text: string, path: ArrayValue): JsonNode | undefined {
  return path.values.includes(null) ? undefined : descend(parse(text), path.values as string[], 0);
}

/** Of members of the same name the last counts that has the rest of the path. */
function descend(node: JsonNode, path: readonly string[], at: number): JsonNode | undefined {
  if (at === path.length) return node;
  const step = path[at]!;
  if (node.kind === 'array') {
    const index = subscriptOf(step), inner = index === undefined ? undefined : element(node, index);
    return inner === undefined ? undefined : descend(inner, path, at + 1);
  }
  if (node.kind !== 'object') return undefined;
  for (let i = node.members.length - 1; i >= 0; i--) {
    const { key, value } = node.members[i]!, found = key === step ? descend(value, path, at + 1) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function members(text: string): readonly JsonMember[] {
  const node = parse(text);
  if (node.kind === 'array') throw invalidParameter('cannot deconstruct an array as an object');
  if (node.kind !== 'object') throw invalidParameter('cannot deconstruct a scalar');
  return node.members;
}

function elements(text: string, caller: string): readonly JsonNode[] {
  const node = parse(text);
  if (node.kind === 'object') throw invalidParameter(`cannot call ${caller} on a non-array`);
  if (node.kind !== 'array') throw invalidParameter(`cannot call ${caller} on a scalar`);
  return node.elements;
}

function stripNulls(node: JsonNode, text: string): string {
  switch (node.kind) {
    case 'array': return `[${node.elements.map((one) => stripNulls(one, text)).join(',')}]`;
    case 'object':
      return `{${node.members.filter(({ value }) => value.kind !== 'null')
        .map(({ key, value }) => `${quoteJson(key)}:${stripNulls(value, text)}`).join(',')}}`;
    case 'string': return quoteJson(node.value);
    default: return text.slice(node.start, node.end);
  }
}

const jsonColumns = tupleDesc([['key', TEXTOID], ['value', JSONOID]]);
const textColumns = tupleDesc([['key', TEXTOID], ['value', TEXTOID]]);

registerBuiltins({
  pure: {
    json_in: jsonIn,
    json_out: (text: string) => text,
    json_recv: (bytes: Uint8Array) => jsonIn(receiveText(bytes)),
    json_send: sendText,
    json_object_field: (text: string, key: string) => slice(text, member(parse(text), key)),
    json_object_field_text: (text: string, key: string) => asText(text, member(parse(text), key)),
    json_array_element: (text: string, index: number) => slice(text, element(parseJson(text, false), index)),
    json_array_element_text: (text: string, index: number) => asText(text, element(parse(text), index)),
    json_extract_path: (text: string, path: ArrayValue) => slice(text, follow(text, path)),
    json_extract_path_text: (text: string, path: ArrayValue) => asText(text, follow(text, path)),
    json_array_length: (text: string) => {
      const node = parseJson(text, false);
      if (node.kind === 'object') throw invalidParameter('cannot get array length of a non-array');
      if (node.kind !== 'array') throw invalidParameter('cannot get array length of a scalar');
      return node.elements.length;
    },
    json_typeof: (text: string) => {
      const { kind } = parseJson(text, false);
      return kind === 'true' || kind === 'false' ? 'boolean' : kind;
    },
    json_strip_nulls: (text: string) => stripNulls(parse(text), text),
  },
  set: {
    json_object_keys: (_context, text: string) => {
      const node = parse(text);
      if (node.kind === 'array') throw invalidParameter('cannot call json_object_keys on an array');
      if (node.kind !== 'object') throw invalidParameter('cannot call json_object_keys on a scalar');
      return node.members.map(({ key }) => key);
    },
    json_each: (_context, text: string) =>
      members(text).map(({ key, value }): Datum => new RecordValue(RECORDOID, jsonColumns, [key, slice(text, value)])),
    json_each_text: (_context, text: string) =>
      members(text).map(({ key, value }): Datum => new RecordValue(RECORDOID, textColumns, [key, asText(text, value)])),
    json_array_elements: (_context, text: string) => elements(text, 'json_array_elements').map((node) => slice(text, node)),
    json_array_elements_text: (_context, text: string) => elements(text, 'json_array_elements_text').map((node) => asText(text, node)),
  },
});
