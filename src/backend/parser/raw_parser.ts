// Text to raw parse trees: the only importer of libpg-query, PostgreSQL 18's own grammar compiled to WebAssembly.
//
// What comes out is PostgreSQL's raw parse tree, straightened: every node carries its C type name in `tag`
// (libpg-query wraps nodes of generic type in an object of one key and leaves fixed types bare), a String node is
// a JavaScript string, an Integer a number, `{}` in a list is null. Fields that are zero, false or empty are left
// out, as in libpg-query's JSON. Locations in the tree are UTF-8 byte offsets from 0 (parser/parse_node.ts makes a
// PgError's character position of them); error positions of the grammar itself come out right from here.
//
// The grammar is 18's, the dialect is 15's: refuseNewer() (newer_syntax.ts) turns away what 15 does not have, older_syntax.ts
// brings back what 18 has no longer.
import PgQueryModule from 'libpg-query/wasm/libpg-query.js';
import { PgError } from '../../common/errors.ts';
import type { ConditionName } from '../../common/sqlstate.ts';
import { reportLongNames } from '../utils/identifier.ts';
import { checkWhileWorking } from '../utils/interrupts.ts';
import { session } from '../utils/session.ts';
import { TextCache } from '../utils/text_cache.ts';
import { literalsAreStandard, readEscapes, withStandardLiterals } from './escape_strings.ts';
import { MIN_TEXT, leaveOutRuns, putBackRuns } from './constant_runs.ts';
import type { RawNode, RawStmt } from './raw_nodes.ts';
import { refuseNewer } from './newer_syntax.ts';
import { withNamesForNewerWords, withNewerWords, withoutContinuationComments } from './older_syntax.ts';
import { stackDepthExceeded } from '../utils/stack_depth.ts';
export type { RawNode, RawStmt } from './raw_nodes.ts';

interface Wasm {
  HEAPU8: Uint8Array;
  _malloc(size: number): number;
  _free(pointer: number): void;
  _wasm_parse_query_raw(text: number): number;
  _wasm_free_parse_result(result: number): void;
  _wasm_parse_plpgsql(text: number): number;
  _wasm_free_string(text: number): void;
}

/** Longest text we hand to the grammar; PostgreSQL's limit for a message is 1 GB, WebAssembly's memory is less. */
const MAX_QUERY_BYTES = 256 * 1024 * 1024;
const CACHE_ENTRIES = 512;
const CACHE_MAX_LENGTH = 8192;

let wasm: Wasm | undefined;
/** The WebAssembly memory as it was after start-up, by chunk, those that are zero left out: put back after a stack
 * overflow inside it, which leaves PostgreSQL's memory contexts in disorder (a second parse would loop for ever). */
let pristine: Map<number, Uint8Array> | undefined;
const CHUNK_BYTES = 65536;
/** The memory's two ends in use: data from 0 on; the end of the stack and the heap behind it. */
const USED_BYTES = 4 << 20;
const ZEROS = Buffer.alloc(CHUNK_BYTES);
const cache = new TextCache<string, readonly RawStmt[]>(CACHE_ENTRIES);

/** Loads the grammar; once per process tree (a forked child has it already). */
export async function loadParser(): Promise<void> {
  if (wasm !== undefined) return;
  const module = (await PgQueryModule()) as Wasm;
  wasm = module;
  runParse('select 1');
  pristine = usedChunks(module);
}

/** Looks only where something can be: even reading a page of the 128 MB enters it into the page tables, which every
 * fork copies. */
function usedChunks(module: Wasm): Map<number, Uint8Array> {
  const chunks = new Map<number, Uint8Array>();
  // A large block comes from behind everything that was ever in use.
  const large = module._malloc(1 << 20);
  module._free(large);
  const end = Math.ceil((large + (1 << 20)) / CHUNK_BYTES) + 1, used = USED_BYTES / CHUNK_BYTES;
  for (let i = 0; i < end; i++) {
    if (i >= used && i < end - used) continue;
    const chunk = chunkOf(module, i);
    if (!chunk.equals(ZEROS.subarray(0, chunk.length))) chunks.set(i, Buffer.from(chunk));
  }
  return chunks;
}

const chunkOf = (module: Wasm, i: number): Buffer =>
  Buffer.from(module.HEAPU8.buffer, i * CHUNK_BYTES, Math.min(CHUNK_BYTES, module.HEAPU8.length - i * CHUNK_BYTES));

export function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.startsWith('Maximum call stack');
}

/**
 * Parses `text` into its statements; empty ones are left out. Kept by text, so the trees must not be changed.
 * Throws PgError syntax_error (and the few others of PostgreSQL's scanner and grammar) with `position` set.
 * `warns`: of escapes in literals that have no E before them.
 */
export function rawParse(text: string, warns = true): readonly RawStmt[] {
  if (!literalsAreStandard()) return parseEscaped(text, warns);
  reportLongNames(text);
  const known = cache.get(text);
  if (known !== undefined) return known;
  const result = parseFresh(text);
  if (text.length <= CACHE_MAX_LENGTH) cache.set(text, result);
  return result;
}

/** The same where literals have to be made standard ones first; kept by nobody, as each parse warns of them. */
function parseEscaped(text: string, warns: boolean): readonly RawStmt[] {
  const standard = withStandardLiterals(text, (warning) => { if (warns) session.notice(warning); });
  reportLongNames(standard);
  try {
    return parseFresh(standard);
  } catch (error) {
    // The same byte may be another character.
    if (error instanceof PgError && error.fields.position !== undefined) {
      const before = Buffer.byteLength(Array.from(standard).slice(0, error.fields.position - 1).join(''));
      const start = Buffer.from(text).toString('utf8', 0, before);
      error.fields = { ...error.fields, position: Array.from(start).length + 1 };
      if (text[start.length] === "'" && /at or near "'/.test(error.message)) {
        const { end } = readEscapes(text, start.length, start.length, true, () => {});
        error.message = error.message.replace(/"'[^]*"$/, () => `"${text.slice(start.length, end)}"`);
      }
    }
    throw error;
  }
}

/** The text that was cut last, and its bytes; null: they are its characters. A text of thousands of statements was made bytes for
 * each of them, which took a minute. */
let cutText = '', cutBytes: Buffer | null = null;

/** The part of `text` that belongs to one of its statements, without the semicolon. */
export function statementText(text: string, stmt: RawStmt): string {
  const { stmt_location: from, stmt_len: length } = stmt;
  if (from === 0 && length === 0) return text;
  if (text !== cutText) {
    cutText = text;
    cutBytes = Buffer.byteLength(text) === text.length ? null : Buffer.from(text, 'utf8');
  }
  const to = length === 0 ? Infinity : from + length;
  return cutBytes === null ? text.slice(from, to) : cutBytes.toString('utf8', from, Math.min(to, cutBytes.length));
}

function parseFresh(text: string): readonly RawStmt[] {
  const zero = text.indexOf('\0');
  if (zero >= 0) throw new PgError('character_not_in_repertoire', 'invalid byte sequence for encoding "UTF8": 0x00');
  try {
    return (text.length < MIN_TEXT ? null : parseWithoutRuns(text)) ?? parseWhole(text);
  } catch (error) {
    if (isStackOverflow(error)) throw stackDepthExceeded();
    const older = error instanceof PgError && error.fields.position !== undefined ? withoutContinuationComments(text) : null;
    if (older === null) throw error;
    return parseWhole(older);
  }
}

/** See constant_runs.ts. Null: the text has to be parsed as it is, if only to tell what is wrong with it, and where. */
function parseWithoutRuns(text: string): readonly RawStmt[] | null {
  const shortened = leaveOutRuns(text, parseWhole);
  if (shortened === null) return null;
  let result: readonly RawStmt[];
  try {
    result = parseWhole(shortened.text);
  } catch (error) {
    if (error instanceof PgError && error.fields.position !== undefined) return null;
    throw error;
  }
  return putBackRuns(result, shortened) ? result : null;
}

/** What the grammar makes of it, all of it; not kept. */
export function parseWhole(text: string): readonly RawStmt[] {
  const json = parseToJson(text);
  const stmts = json === '' ? [] : ((JSON.parse(json) as { stmts?: unknown[] }).stmts ?? []);
  const result = stmts.map((raw) => {
    const stmt = raw as { stmt: unknown; stmt_location?: number; stmt_len?: number };
    return {
      tag: 'RawStmt', stmt: straighten(stmt.stmt, 'stmt') as RawNode,
      stmt_location: stmt.stmt_location ?? 0, stmt_len: stmt.stmt_len ?? 0,
    } as const;
  });
  refuseNewer(text, result);
  return result;
}

/** PostgreSQL's raw_parser, its tree as JSON text, with 15's keywords. */
function parseToJson(text: string): string {
  const named = withNamesForNewerWords(text);
  if (named === null) return runParse(text);
  try {
    return withNewerWords(runParse(named));
  } catch (error) {
    if (error instanceof PgError) error.message = withNewerWords(error.message);
    throw error;
  }
}

/** Runs PostgreSQL's raw_parser and gives its tree as JSON text. */
function runParse(text: string): string {
  const module = wasm;
  if (module === undefined) throw new Error('loadParser() has not been called');
  if (text === '') return '';
  const bytes = Buffer.byteLength(text, 'utf8');
  if (bytes > MAX_QUERY_BYTES) throw new PgError('program_limit_exceeded', `statement is too long (${bytes} bytes)`);
  let healthy = false;
  const input = copyIn(module, text, bytes);
  let result = 0;
  try {
    result = module._wasm_parse_query_raw(input);
    if (result === 0) throw new PgError('out_of_memory', 'out of memory');
    const view = new DataView(module.HEAPU8.buffer);
    const errorAt = view.getUint32(result + 8, true);
    if (errorAt !== 0) {
      const message = cString(module, view.getUint32(errorAt, true));
      const routine = cString(module, view.getUint32(errorAt + 4, true));
      const cursor = view.getInt32(errorAt + 16, true);
      healthy = true;
      throw grammarError(message, cursor, routine);
    }
    const json = cString(module, view.getUint32(result, true));
    healthy = true;
    return json;
  } finally {
    if (healthy) {
      module._free(input);
      module._wasm_free_parse_result(result);
    } else restore(module);
  }
}

function copyIn(module: Wasm, text: string, bytes: number): number {
  const pointer = module._malloc(bytes + 1);
  if (pointer === 0) throw new PgError('out_of_memory', 'out of memory');
  const heap = module.HEAPU8;
  if (bytes === text.length && bytes < 1000) {
    for (let i = 0; i < bytes; i++) heap[pointer + i] = text.charCodeAt(i);
  } else Buffer.from(heap.buffer, heap.byteOffset, heap.length).write(text, pointer, bytes, 'utf8');
  heap[pointer + bytes] = 0;
  return pointer;
}

function cString(module: Wasm, pointer: number): string {
  if (pointer === 0) return '';
  const heap = module.HEAPU8;
  const end = heap.indexOf(0, pointer);
  return Buffer.from(heap.buffer, heap.byteOffset + pointer, end - pointer).toString('utf8');
}

function restore(module: Wasm): void {
  if (pristine === undefined) return;
  for (let i = 0; i * CHUNK_BYTES < module.HEAPU8.length; i++) {
    const chunk = chunkOf(module, i), before = pristine.get(i);
    if (before !== undefined) chunk.set(before);
    else if (!chunk.equals(ZEROS.subarray(0, chunk.length))) chunk.fill(0);
  }
}

// ---- errors of scanner and grammar -------------------------------------------------------------------------------

/** libpg-query gives no SQLSTATE; those that are not syntax_error, by message. */
const CONDITIONS: readonly (readonly [RegExp, ConditionName, string?])[] = [
  [/^invalid Unicode escape value/, 'syntax_error'],
  [/^unsafe use of \\' in a string literal/, 'nonstandard_use_of_escape_character', "Use '' to write quotes in strings. \\' is insecure in client-only encodings."],
  [/^unsafe use of string constant with Unicode escapes/, 'feature_not_supported', 'String constants with Unicode escapes cannot be used when standard_conforming_strings is off.'],
  [/^unrecognized row security option/, 'syntax_error', 'Only PERMISSIVE or RESTRICTIVE policies are supported currently.'],
  [/^invalid byte sequence/, 'character_not_in_repertoire'],
  [/^LIMIT #,# syntax is not supported/, 'syntax_error', 'Use separate LIMIT and OFFSET clauses.'],
  [/^UNENCRYPTED PASSWORD is no longer supported/, 'feature_not_supported', 'Remove UNENCRYPTED to store the password in encrypted form instead.'],
  [/(not (yet )?(supported|implemented)|is not supported anymore|no longer supported)/, 'feature_not_supported'],
  [/^role name ".*" is reserved$|cannot be used as a role name here$/, 'reserved_name'],
  [/^CREATE SCHEMA IF NOT EXISTS cannot include schema elements$|^aggregates cannot have output arguments$/, 'feature_not_supported'],
  [/^frame (start|end|starting) /, 'windowing_error'],
  [/^missing argument$/, 'syntax_error', 'Use NONE to denote the missing argument of a unary operator.'],
  [/^type modifier cannot have parameter name/, 'syntax_error'],
  [/^(column|table) .* (specified more than once|appears more than once)/, 'duplicate_column'],
  [/^a column list with/, 'feature_not_supported'],
  [/^precision for type|must be (in range|between)|out of range/, 'invalid_parameter_value'],
  [/^stack depth limit exceeded/, 'statement_too_complex'],
  [/^out of memory/, 'out_of_memory'],
  [/^too many grouping sets|^too many/, 'program_limit_exceeded'],
];

/** `cursor` counts characters from 1 (0: no place); `routine` is the C function that told it. */
function grammarError(message: string, cursor: number, routine: string): PgError {
  // E'\u…' (the scanner) and U&'\…' (the parser) say the same of different escapes.
  if (message === 'invalid Unicode escape') {
    return routine === 'str_udeescape' ? new PgError('syntax_error', message, { position: cursor, hint: 'Unicode escapes must be \\XXXX or \\+XXXXXX.' })
      : new PgError('invalid_escape_sequence', message, { position: cursor, hint: 'Unicode escapes must be \\uXXXX or \\UXXXXXXXX.' });
  }
  if (message === 'SKIP LOCKED and WITH TIES options cannot be used together' || message.startsWith('WITH TIES cannot be specified without')
    || /^(modulus|remainder) for hash partition must be specified$/.test(message)) return new PgError('syntax_error', message);
  if (/constraints cannot be marked (DEFERRABLE|NOT VALID|NO INHERIT)$/.test(message)) return new PgError('feature_not_supported', message);
  // PostgreSQL 18's words.
  if (message === 'constraints cannot be altered to be NOT VALID') return new PgError('feature_not_supported', 'FOREIGN KEY constraints cannot be marked NOT VALID');
  if (message.startsWith('OUT and INOUT arguments aren\'t allowed')) return new PgError('syntax_error', message);
  if (message === 'CREATE ASSERTION is not yet implemented') return new PgError('feature_not_supported', message);
  if (message.startsWith('unrecognized partitioning strategy')) return new PgError('invalid_parameter_value', message);
  if (message === 'invalid publication object list') {
    return new PgError('syntax_error', message, { position: cursor, detail: 'One of TABLE or TABLES IN SCHEMA must be specified before a standalone table or schema name.' });
  }
  for (const [pattern, condition, hint] of CONDITIONS) {
    if (pattern.test(message)) return new PgError(condition, message, { position: cursor > 0 ? cursor : undefined, hint });
  }
  return new PgError('syntax_error', message, { position: cursor > 0 ? cursor : undefined });
}

// ---- straightening -----------------------------------------------------------------------------------------------

/** Type of a node in a field of fixed type, by the field's name. */
const BARE: Record<string, string> = {
  relation: 'RangeVar', rel: 'RangeVar', view: 'RangeVar', sequence: 'RangeVar', pktable: 'RangeVar', constrrel: 'RangeVar',
  typevar: 'RangeVar', typeName: 'TypeName', ofTypename: 'TypeName', argType: 'TypeName', returnType: 'TypeName', sourcetype: 'TypeName',
  targettype: 'TypeName', type_name: 'TypeName', collClause: 'CollateClause', alias: 'Alias', join_using_alias: 'Alias',
  withClause: 'WithClause', onConflictClause: 'OnConflictClause', infer: 'InferClause', intoClause: 'IntoClause', into: 'IntoClause',
  larg: 'SelectStmt', rarg: 'SelectStmt', over: 'WindowDef', partbound: 'PartitionBoundSpec', bound: 'PartitionBoundSpec',
  partspec: 'PartitionSpec', newowner: 'RoleSpec', owner: 'RoleSpec', role: 'RoleSpec', authrole: 'RoleSpec', grantor: 'RoleSpec',
  func: 'ObjectWithArgs', opername: 'ObjectWithArgs', search_clause: 'CTESearchClause', cycle_clause: 'CTECycleClause',
  setstmt: 'VariableSetStmt', action: 'GrantStmt', base: 'CreateStmt', returningClause: 'ReturningClause', pubtable: 'PublicationTable',
  output: 'JsonOutput', returning: 'JsonReturning', format: 'JsonFormat', val: 'A_Const', transformType: 'TypeName',
  vacuum_relation: 'VacuumRelation', name: 'PartitionCmd', selectStmt: 'SelectStmt', retrieveStmt: 'SelectStmt', ival: 'Integer',
};

/** Turns one value of libpg-query's JSON into ours, in place. */
function straighten(value: unknown, field: string): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item = value[i] as unknown;
      if (typeof item === 'object') value[i] = straighten(item, field);
    }
    return value;
  }
  const object = value as Record<string, unknown>;
  let first: string | undefined;
  for (const key in object) {
    first = key;
    break;
  }
  if (first === undefined) return BARE[field] === undefined || field === 'val' ? null : { tag: BARE[field] };
  const code = first.charCodeAt(0);
  if (code >= 65 && code <= 90) return node(first, object[first] as Record<string, unknown>);
  return node(BARE[field] ?? field, object);
}

function node(tag: string, fields: Record<string, unknown>): unknown {
  checkWhileWorking(1);
  switch (tag) {
    case 'String': return (fields['sval'] as string | undefined) ?? '';
    case 'Integer': return (fields['ival'] as number | undefined) ?? 0;
    case 'Float': return { tag: 'Float', fval: fields['fval'] };
    case 'Boolean': return { tag: 'Boolean', boolval: fields['boolval'] ?? false };
    case 'BitString': return { tag: 'BitString', bsval: fields['bsval'] };
    case 'A_Const': return constant(fields);
    case 'List': return straighten(fields['items'] ?? [], 'items');
    default:
  }
  for (const key in fields) {
    const item = fields[key];
    if (typeof item === 'object') fields[key] = straighten(item, key);
  }
  fields['tag'] = tag;
  const returning = fields['returningClause'] as { exprs?: unknown } | undefined;
  if (returning !== undefined && returning.exprs !== undefined) fields['returningList'] = returning.exprs;
  return fields;
}

/** A_Const: `ctype` tells which of the values it has. */
function constant(fields: Record<string, unknown>): unknown {
  const location = (fields['location'] as number | undefined) ?? 0;
  const ival = fields['ival'] as { ival?: number } | undefined;
  if (ival !== undefined) return { tag: 'A_Const', ctype: 'integer', value: ival.ival ?? 0, location };
  const sval = fields['sval'] as { sval?: string } | undefined;
  if (sval !== undefined) return { tag: 'A_Const', ctype: 'string', value: sval.sval ?? '', location };
  const fval = fields['fval'] as { fval: string } | undefined;
  if (fval !== undefined) return { tag: 'A_Const', ctype: 'float', value: fval.fval, location };
  const boolval = fields['boolval'] as { boolval?: boolean } | undefined;
  if (boolval !== undefined) return { tag: 'A_Const', ctype: 'boolean', value: boolval.boolval ?? false, location };
  const bsval = fields['bsval'] as { bsval: string } | undefined;
  if (bsval !== undefined) return { tag: 'A_Const', ctype: 'bit', value: bsval.bsval, location };
  return { tag: 'A_Const', ctype: 'null', value: null, location };
}
