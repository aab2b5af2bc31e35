// PostgreSQL 18's grammar reads more than PostgreSQL 15's. What 15 would not read is refused here, as a syntax
// error, so that no statement means something it does not mean on a real 15.
import { PgError } from '../../common/errors.ts';
import type { RawNode, RawStmt } from './raw_nodes.ts';

/** Nodes whose syntax came after 15. */
const NEWER_NODES: Record<string, string> = {
  JsonIsPredicate: 'JSON', ReturningOption: 'WITH', ATAlterConstraint: '',
};

/** The token after the expression in parentheses. */
const AFTER_EXPRESSION = ')';

/** Words that a subcommand of ALTER TABLE takes since 16. */
function checkAlterTableCmd(node: RawNode, text: string): void {
  const pattern = node['subtype'] === 'AT_SetAccessMethod' && node['name'] === undefined ? /\bset\s+access\s+method\s+(default)\b/di
    : node['subtype'] === 'AT_SetStorage' ? /\bset\s+storage\s+(default)\b/di : null;
  const at = pattern?.exec(text)?.indices?.[1]?.[0];
  if (at !== undefined) throw unexpectedAt(text, at);
}

/** Of the options of a membership, 15 has WITH ADMIN OPTION and ADMIN OPTION FOR. */
function checkGrantRole(node: RawNode, text: string): void {
  const [option, another] = (node['opt'] ?? []) as RawNode[];
  if (option === undefined) return;
  const at = charOffset(text, option.location ?? 0), next = at + (/^("[^"]*"|\w+)\s*/.exec(text.slice(at))?.[0].length ?? 0);
  const isAdmin = option['defname'] === 'admin';
  if (node['is_grant'] !== true) {
    if (!isAdmin) throw unexpectedAt(text, next);
    return;
  }
  if (!isAdmin) throw unexpectedAt(text, at);
  if (!/^option\b/i.test(text.slice(next))) throw unexpectedAt(text, next);
  if (another !== undefined) throw unexpectedAt(text, text.indexOf(',', next));
}

type Check = (node: RawNode) => string | undefined;
const CHECKS: Record<string, Check> = {
  Constraint: (c) => c['contype'] === 'CONSTR_ATTR_ENFORCED' || c['contype'] === 'CONSTR_ATTR_NOT_ENFORCED' ? 'ENFORCED'
    : c['contype'] === 'CONSTR_CHECK' && c['is_enforced'] === undefined && c['skip_validation'] === true && c['initially_valid'] === undefined ? 'ENFORCED'
      : c['without_overlaps'] === true ? 'OVERLAPS'
        : c['fk_with_period'] === true || c['pk_with_period'] === true ? 'PERIOD'
          : c['contype'] === 'CONSTR_GENERATED' && c['generated_kind'] === 'v' ? AFTER_EXPRESSION
            : c['contype'] === 'CONSTR_NOTNULL' && (c['keys'] !== undefined || c['is_no_inherit'] === true) ? 'NOT'
              : c['nulls_not_distinct_'] === true ? 'NULLS' : undefined,
  MergeStmt: (m) => m['returningClause'] !== undefined ? 'RETURNING' : undefined,
  MergeWhenClause: (m) => m['matchKind'] === 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE' ? 'BY' : undefined,
  VacuumRelation: (v) => (v['relation'] as RawNode)['inh'] !== true ? 'ONLY' : undefined,
  ColumnDef: (c) => c['storage_name'] !== undefined ? 'STORAGE' : undefined,
  ReindexStmt: (r) => (r['kind'] === 'REINDEX_OBJECT_DATABASE' || r['kind'] === 'REINDEX_OBJECT_SYSTEM') && r['name'] === undefined ? ';' : undefined,
  XmlSerialize: (x) => x['indent'] === true ? 'INDENT' : undefined,
  CreateStatsStmt: (s) => s['defnames'] === undefined ? 'ON' : undefined,
};

const SUSPECT_NUMBER = /(?<![\w$"'.])(?:0[xXoObB]|[0-9]+_|[0-9]*\.[0-9]+_|[0-9.]+[eE][+-]?[0-9]+_)/;

const SUSPECT_PARAM = /\$\d+[A-Za-z_\x80-\uffff]/;

/** Throws when a statement uses syntax that PostgreSQL 15 does not have. */
export function refuseNewer(text: string, statements: readonly RawStmt[]): void {
  const numbers = SUSPECT_NUMBER.test(text) || SUSPECT_PARAM.test(text) ? Buffer.from(text, 'utf8') : undefined;
  for (const statement of statements) visit(statement.stmt, text, numbers);
}

function visit(value: unknown, text: string, numbers: Buffer | undefined): void {
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object' && item !== null) visit(item, text, numbers);
    return;
  }
  const node = value as RawNode;
  const newer = NEWER_NODES[node.tag];
  if (node.tag === 'AlterOperatorStmt') checkOperatorOptions(node, text);
  if (node.tag === 'AlterTableCmd') checkAlterTableCmd(node, text);
  if (node.tag === 'GrantRoleStmt') checkGrantRole(node, text);
  if (newer !== undefined && newer !== '') throw refused(newer, node, text);
  if (node.tag === 'RangeSubselect' && node['alias'] === undefined) throw missingAlias(node, text);
  if (numbers !== undefined && node.tag === 'A_Const' && (node['ctype'] === 'integer' || node['ctype'] === 'float')) checkNumber(node, text, numbers);
  if (numbers !== undefined && node.tag === 'ParamRef') checkParam(node, text, numbers);
  const check = CHECKS[node.tag];
  if (check !== undefined) {
    const what = check(node);
    if (what === AFTER_EXPRESSION) throw unexpectedAt(text, afterParenthesis(text, charOffset(text, node.location ?? 0)));
    if (what !== undefined) throw refused(what, node, text);
  }
  for (const key in node) {
    const field = node[key] as unknown;
    if (typeof field === 'object' && field !== null) visit(field, text, numbers);
  }
}

function refused(what: string, node: RawNode, text: string): PgError {
  let at: number | undefined, word = what;
  const from = node.location ?? 0;
  if (what !== '') {
    const found = new RegExp(what === ';' ? ';' : `\\b${what}\\b`, 'i').exec(text.slice(charOffset(text, from)));
    if (found !== null) {
      at = charPosition(text, charOffset(text, from) + found.index);
      [word] = found;
    }
  }
  return new PgError('syntax_error', `syntax error at or near "${word}"`, { position: at ?? charPosition(text, charOffset(text, from)) });
}

/** Past the first parenthesis after an offset, and what it encloses. */
function afterParenthesis(text: string, from: number): number {
  let depth = 0;
  for (const { 0: token, index } of text.slice(from).matchAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]/g)) {
    depth += token === '(' ? 1 : token === ')' ? -1 : 0;
    if (token === ')' && depth === 0) return from + index + 1;
  }
  return text.length;
}

function unexpectedAt(text: string, from: number): PgError {
  const [space, word] = /^\s*([A-Za-z_]\w*|\S)?/.exec(text.slice(from))!;
  const at = from + space.length - (word?.length ?? 0);
  return new PgError('syntax_error', word === undefined ? 'syntax error at end of input' : `syntax error at or near "${word}"`, { position: charPosition(text, at) });
}

/** An option of ALTER OPERATOR has a value. */
function checkOperatorOptions(node: RawNode, text: string): void {
  for (const option of node['options'] as RawNode[]) {
    const start = charOffset(text, option.location ?? 0);
    const end = start + (/^("[^"]*"|\w+)/.exec(text.slice(start))?.[0].length ?? 0);
    if (option['arg'] === undefined && !/^\s*=/.test(text.slice(end))) throw unexpectedAt(text, end);
  }
}

function missingAlias(node: RawNode, text: string): PgError {
  const values = (node['subquery'] as RawNode)['valuesLists'] !== undefined;
  const position = subqueryPosition(node, text);
  return values
    ? new PgError('syntax_error', 'VALUES in FROM must have an alias', { hint: 'For example, FROM (VALUES ...) [AS] foo.', position })
    : new PgError('syntax_error', 'subquery in FROM must have an alias', { hint: 'For example, FROM (SELECT ...) [AS] foo.', position });
}

/** A SelectStmt has no location of its own: find the parenthesis before the first thing in it that has one. */
function subqueryPosition(node: RawNode, text: string): number | undefined {
  const inner = firstLocation(node['subquery']);
  if (inner === undefined) return undefined;
  const before = text.slice(0, charOffset(text, inner));
  const open = Math.max(before.search(/\(\s*(?:select|values|with|table)\b[^()]*$/i), -1);
  return open < 0 ? undefined : charPosition(text, open);
}

function firstLocation(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  let best: number | undefined;
  for (const [key, field] of Object.entries(value)) {
    const at = key === 'location' ? (field as number) : firstLocation(field);
    if (at !== undefined && at >= 0 && (best === undefined || at < best)) best = at;
  }
  return best;
}

function checkNumber(node: RawNode, text: string, bytes: Buffer): void {
  const at = node.location ?? 0;
  const token = /^-?\s*([0-9.][0-9A-Za-z_.]*)/.exec(bytes.toString('utf8', at, at + 64));
  if (token === null || !/_|^0[xXoObB]/.test(token[1] ?? '')) return;
  throw new PgError('syntax_error', `trailing junk after numeric literal at or near "${token[1]}"`, { position: charPosition(text, charOffset(text, at)) });
}

/** libpg-query's scanner takes $1a for $1 a, as PostgreSQL 14 did. */
function checkParam(node: RawNode, text: string, bytes: Buffer): void {
  const at = node.location ?? 0, [token] = /^\$\d+[A-Za-z_\x80-\uffff]/.exec(bytes.toString('utf8', at, at + 32)) ?? [];
  if (token !== undefined) throw new PgError('syntax_error', `trailing junk after parameter at or near "${token}"`, { position: charPosition(text, charOffset(text, at)) });
}

/** UTF-16 offset of a UTF-8 byte offset. */
export function charOffset(text: string, byteOffset: number): number {
  let bytes = 0;
  let i = 0;
  while (i < text.length && bytes < byteOffset) {
    const code = text.codePointAt(i) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    i += code < 0x10000 ? 1 : 2;
  }
  return i;
}

/** Character position, counted from 1, of a UTF-16 offset. */
export function charPosition(text: string, offset: number): number {
  let characters = 1;
  for (let i = 0; i < offset; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0xd800 && code < 0xdc00) i++;
    characters++;
  }
  return characters;
}
