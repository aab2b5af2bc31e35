// COPY: what is asked for, and whether it may be done; the work is in copy_from.ts and copy_to.ts (PostgreSQL's copy.c).
import { triggersOf } from '../executor/trigger.ts';
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { FatalError, PgError } from '../../common/errors.ts';
import type { ConditionName } from '../../common/sqlstate.ts';
import { strerror } from '../../common/strerror.ts';
import { checkRelationPrivileges, hasRoleByName } from '../catalog/aclchk.ts';
import { foreignTableUnreachable } from '../catalog/foreign.ts';
import type { Attribute, Relation } from '../catalog/relation.ts';
import { rangeVarGetRelid } from '../catalog/namespace.ts';
import { openRelation } from '../catalog/relcache.ts';
import { rlsApplies } from '../catalog/rls.ts';
import { begunHere } from '../catalog/storage.ts';
import { compileExpr } from '../executor/expression.ts';
import type { Query } from '../nodes/parsenodes.ts';
import { rawParse, type RawNode } from '../parser/raw_parser.ts';
import { transformWhereForRelation } from '../parser/parse_clause.ts';
import { CachedStatement, asRawStmt } from '../tcop/plancache.ts';
import { allPortals, FETCH_ALL, Portal } from '../tcop/portal.ts';
import { frontend, sendCopyDone, sendCopyResponse } from '../tcop/protocol.ts';
import type { UtilityContext, UtilityResult, UtilityTable } from '../tcop/utility.ts';
import { isReadOnlyTransaction } from '../transaction/xact.ts';
import { decodeAs, encodeAs } from '../types/encode.ts';
import { quoteIdentifier } from '../types/quote.ts';
import { session } from '../utils/session.ts';
import { copyFrom } from './copy_from.ts';
import { openProgram, programSource, whileOpen, writeToProgram } from './copy_program.ts';
import { processCopyOptions, type CopyOptions } from './copy_options.ts';
import type { ByteSource } from './copy_parse.ts';
import { CopyDest, type LineSink } from './copy_to.ts';
import { refuseIndex } from './object_names.ts';

interface CopyStmt {
  relation?: { relname: string; schemaname?: string; catalogname?: string };
  query?: RawNode; attlist?: string[]; is_from?: boolean; is_program?: boolean; filename?: string;
  options?: { defname: string; arg?: unknown; location?: number }[]; whereClause?: RawNode;
}

function doCopy(stmt: CopyStmt, context: UtilityContext): UtilityResult {
  const isFrom = stmt.is_from === true;
  checkFileAccess(stmt, isFrom);
  if (stmt.relation !== undefined) rangeVarGetRelid(stmt.relation); // missing tables come before wrong options
  const options = processCopyOptions(isFrom, stmt.options ?? [], context.text);
  return { processed: isFrom ? runFrom(stmt, options, context) : runTo(stmt, options, context) };
}

/** Files of the server are for superusers and members of the predefined roles. */
function checkFileAccess(stmt: CopyStmt, isFrom: boolean): void {
  if (stmt.is_program) {
    if (!session.isSuperuser && !hasRoleByName(session.currentUser, 'pg_execute_server_program')) {
      throw new PgError('insufficient_privilege', 'must be superuser or have privileges of the pg_execute_server_program role to COPY to or from an external program', {
        hint: 'Anyone can COPY to stdout or from stdin. psql\'s \\copy command also works for anyone.',
      });
    }
    return;
  }
  if (stmt.filename === undefined || session.isSuperuser) return;
  const role = isFrom ? 'pg_read_server_files' : 'pg_write_server_files';
  if (!hasRoleByName(session.currentUser, role)) {
    throw new PgError('insufficient_privilege', `must be superuser or have privileges of the ${role} role to COPY ${isFrom ? 'from' : 'to'} a file`, {
      hint: 'Anyone can COPY to stdout or from stdin. psql\'s \\copy command also works for anyone.',
    });
  }
}

/** FREEZE shows rows to everybody at once: nobody may be looking. (No row here is ever frozen; what may not be asked for is the same.) */
function checkFreeze(relation: Relation): void {
  if (relation.kind === 'p') throw new PgError('feature_not_supported', 'cannot perform COPY FREEZE on a partitioned table');
  if (allPortals().some((p) => p.status === 'ready')) throw new PgError('invalid_transaction_state', 'cannot perform COPY FREEZE because of prior transaction activity');
  if (!begunHere(relation.filenode)) {
    throw new PgError('object_not_in_prerequisite_state', 'cannot perform COPY FREEZE because the table was not created or truncated in the current subtransaction');
  }
}

function columnsOf(relation: Relation, names: readonly string[] | undefined): Attribute[] {
  if (names === undefined) return relation.attributes.filter((a) => !a.attisdropped && a.attgenerated === '');
  const columns: Attribute[] = [];
  for (const name of names) {
    const found = relation.attributes.find((a) => a.attname === name && !a.attisdropped);
    if (found === undefined) throw new PgError('undefined_column', `column "${name}" of relation "${relation.name}" does not exist`);
    if (found.attgenerated !== '') {
      throw new PgError('invalid_column_reference', `column "${name}" is a generated column`, { detail: 'Generated columns cannot be used in COPY.' });
    }
    if (columns.includes(found)) throw new PgError('duplicate_column', `column "${name}" specified more than once`);
    columns.push(found);
  }
  return columns;
}

function checkOptionColumns(relation: Relation, options: CopyOptions, columns: readonly Attribute[]): void {
  const check = (names: readonly string[], option: string): void => {
    columnsOf(relation, names);
    for (const name of names) {
      if (!columns.some((c) => c.attname === name)) throw new PgError('invalid_column_reference', `${option} column "${name}" not referenced by COPY`);
    }
  };
  if (options.forceQuote !== 'all') check(options.forceQuote, 'FORCE_QUOTE');
  check(options.forceNotNull, 'FORCE_NOT_NULL');
  check(options.forceNull, 'FORCE_NULL');
}

// ---- COPY FROM

/** What is found out only when the frontend has been asked for its data. */
function checkTarget(relation: Relation, options: CopyOptions): void {
  const refuse = (what: string): never => { throw new PgError('wrong_object_type', `cannot copy to ${what} "${relation.name}"`); };
  switch (relation.kind) {
    case 'r': case 'p': break;
    case 'v':
      if ((triggersOf(relation)?.insteadRow.INSERT.length ?? 0) > 0) break;
      throw new PgError('wrong_object_type', `cannot copy to view "${relation.name}"`, { hint: 'To enable copying to a view, provide an INSTEAD OF INSERT trigger.' });
    case 'm': refuse('materialized view'); break;
    case 'S': refuse('sequence'); break;
    case 'f': throw foreignTableUnreachable(relation.oid);
    default: refuse('non-table relation');
  }
  if (options.freeze) checkFreeze(relation);
}

function runFrom(stmt: CopyStmt, options: CopyOptions, context: UtilityContext): number {
  const relation = openRelation(rangeVarGetRelid(stmt.relation!));
  refuseIndex(relation.kind, relation.name);
  if (isReadOnlyTransaction() && relation.persistence !== 't') {
    throw new PgError('read_only_sql_transaction', 'cannot execute COPY FROM in a read-only transaction');
  }
  const columns = columnsOf(relation, stmt.attlist);
  checkRelationPrivileges(relation, 'INSERT', columns.map((c) => c.attnum));
  if (rlsApplies(relation.oid)) throw new PgError('feature_not_supported', 'COPY FROM not supported with row-level security', { hint: 'Use INSERT statements instead.' });
  checkOptionColumns(relation, options, columns);
  const where = stmt.whereClause === undefined ? null : (compileExpr(transformWhereForRelation(relation, stmt.whereClause, context.text)) as never);
  if (stmt.is_program) {
    const program = openProgram(stmt.filename!, true);
    return whileOpen(program, () => {
      checkTarget(relation, options);
      return copyFrom({ relation, columns, options, source: sourceIn(options.encoding, programSource(program)), where });
    });
  }
  if (stmt.filename !== undefined) {
    const file = openForReading(stmt.filename);
    try {
      checkTarget(relation, options);
      return copyFrom({ relation, columns, options, source: sourceIn(options.encoding, fileSource(file, stmt.filename)), where });
    } finally {
      closeSync(file);
    }
  }
  sendCopyResponse('G', options.format === 'binary', columns.length);
  frontend.flush();
  const source = frontendSource();
  checkTarget(relation, options);
  const rows = copyFrom({ relation, columns, options, source: sourceIn(options.encoding, source), where });
  source.drain();
  return rows;
}

/** CopyData of the frontend, up to CopyDone. Flush and Sync in between mean nothing (section 55.2.6). */
function frontendSource(): ByteSource & { drain: () => void } {
  let ended = false;
  frontend.expectMuch();
  const next = (): Buffer | null => {
    while (!ended) {
      const type = frontend.readMessage();
      switch (type) {
        case 0x64: return frontend.readBytes(frontend.bodyEnd - frontend.at); // CopyData
        case 0x63: ended = true; break; // CopyDone
        case 0x66: // CopyFail
          ended = true;
          throw new PgError('query_canceled', `COPY from stdin failed: ${frontend.readCString()}`);
        case 0x48: case 0x53: break; // Flush, Sync
        case -1: throw new FatalError('connection_failure', 'unexpected EOF on client connection with an open transaction');
        default:
          throw new FatalError('protocol_violation', `unexpected message type 0x${type.toString(16).toUpperCase().padStart(2, '0')} during COPY from stdin`);
      }
    }
    return null;
  };
  return { next, take: (into, at) => frontend.takeCopyData(into, at), drain: () => { while (next() !== null) { /* after the end-of-data marker */ } } };
}

const NEWLINE = 0x0a;
/** Data in another encoding, by whole lines as UTF-8: in no encoding is a newline part of another character. */
function sourceIn(encoding: string | null, source: ByteSource): ByteSource {
  if (encoding === null) return source;
  let rest: Buffer = Buffer.alloc(0), ended = false, oneByOne = false;
  const convert = (end: number): Buffer => {
    const text = decodeAs(rest.subarray(0, end), encoding);
    rest = rest.subarray(end);
    return Buffer.from(text);
  };
  const next = (): Buffer | null => {
    for (;;) {
      const end = oneByOne ? rest.indexOf(NEWLINE) + 1 : rest.lastIndexOf(NEWLINE) + 1;
      if (end > 0 || (ended && rest.length > 0)) {
        try {
          return convert(end > 0 ? end : rest.length);
        } catch (error) {
          // What stands before the wrong line is read first.
          if (oneByOne) throw error;
          oneByOne = true;
          continue;
        }
      }
      if (ended) return null;
      const more = source.next();
      if (more === null) ended = true;
      else rest = Buffer.concat([rest, more]);
    }
  };
  return { next, take: (_into, at) => at };
}

const FILE_CHUNK_BYTES = 262144;

function fileSource(file: number, name: string): ByteSource {
  const chunk = Buffer.allocUnsafe(FILE_CHUNK_BYTES);
  const next = (): Buffer | null => {
    try {
      const n = readSync(file, chunk, 0, chunk.length, null);
      return n === 0 ? null : chunk.subarray(0, n);
    } catch (error) {
      throw new PgError('io_error', `could not read from COPY file "${name}": ${strerror(error)}`);
    }
  };
  return { next, take: (_into, at) => at };
}

function openForReading(name: string): number {
  try {
    const file = openSync(name, 'r');
    if (fstatSync(file).isDirectory()) {
      closeSync(file);
      throw new PgError('wrong_object_type', `"${name}" is a directory`);
    }
    return file;
  } catch (error) {
    if (error instanceof PgError) throw error;
    throw new PgError(fileCondition(error), `could not open file "${name}" for reading: ${strerror(error)}`, {
      hint: 'COPY FROM instructs the PostgreSQL server process to read a file. You may want a client-side facility such as psql\'s \\copy.',
    });
  }
}

/** PostgreSQL's errcode_for_file_access. */
const FILE_CONDITIONS: Readonly<Record<string, ConditionName>> = {
  EPERM: 'insufficient_privilege', EACCES: 'insufficient_privilege', EROFS: 'insufficient_privilege', ENOENT: 'undefined_file', EEXIST: 'duplicate_file',
  ENOTDIR: 'wrong_object_type', EISDIR: 'wrong_object_type', ENOTEMPTY: 'wrong_object_type', ENOSPC: 'disk_full', ENOMEM: 'out_of_memory',
  ENFILE: 'insufficient_resources', EMFILE: 'insufficient_resources', EIO: 'io_error',
};
export const fileCondition = (error: unknown): ConditionName => FILE_CONDITIONS[(error as { code?: string }).code ?? ''] ?? 'internal_error';

// ---- COPY TO

function runTo(stmt: CopyStmt, options: CopyOptions, context: UtilityContext): number {
  const statement = stmt.query === undefined ? tableStatement(stmt, options) : queryStatement(stmt.query, context);
  const columns = statement.columns;
  if (columns === null) {
    throw new PgError('feature_not_supported', 'COPY query must have a RETURNING clause');
  }
  if (stmt.query !== undefined && options.forceQuote !== 'all') {
    for (const name of options.forceQuote) if (!columns.some((c) => c.name === name)) throw new PgError('undefined_column', `column "${name}" does not exist`);
  }
  if (stmt.is_program) return toProgram(stmt.filename!, statement, options, context);
  if (stmt.filename !== undefined) return toFile(stmt.filename, statement, options, context);
  sendCopyResponse('H', options.format === 'binary', columns.length);
  const sink: LineSink = (line) => {
    frontend.begin(0x64);
    if (typeof line === 'string') frontend.text(line);
    else frontend.bytes(line);
    frontend.end();
  };
  return copyRows(statement, options, sink, context, sendCopyDone);
}

/** `done` is called after the last row, before AFTER triggers. */
function copyRows(statement: CachedStatement, options: CopyOptions, sink: LineSink, context: UtilityContext, done?: () => void): number {
  const { encoding } = options;
  const dest = new CopyDest(options, encoding === null ? sink : (line) => { sink(Buffer.from(encodeAs(typeof line === 'string' ? line : line.toString('utf8'), encoding))); }, done);
  new Portal('', statement, [...context.params]).run(FETCH_ALL, dest, undefined, true);
  return dest.rows;
}

function tableStatement(stmt: CopyStmt, options: CopyOptions): CachedStatement {
  const relation = openRelation(rangeVarGetRelid(stmt.relation!));
  refuseIndex(relation.kind, relation.name);
  const refuse = (what: string, hint?: string): never => {
    throw new PgError('wrong_object_type', `cannot copy from ${what} "${relation.name}"`, hint === undefined ? {} : { hint });
  };
  switch (relation.kind) {
    case 'r': break;
    case 'v': refuse('view', 'Try the COPY (SELECT ...) TO variant.'); break;
    case 'm': refuse('materialized view', 'Try the COPY (SELECT ...) TO variant.'); break;
    case 'f': refuse('foreign table', 'Try the COPY (SELECT ...) TO variant.'); break;
    case 'p': refuse('partitioned table', 'Try the COPY (SELECT ...) TO variant.'); break;
    case 'S': refuse('sequence'); break;
    default: refuse('non-table relation');
  }
  const columns = columnsOf(relation, stmt.attlist);
  checkOptionColumns(relation, options, columns);
  const { schemaname, relname } = stmt.relation!;
  const from = schemaname === undefined ? quoteIdentifier(relname) : `${quoteIdentifier(schemaname)}.${quoteIdentifier(relname)}`;
  const text = `SELECT ${columns.map((c) => quoteIdentifier(c.attname)).join(', ')} FROM ONLY ${from}`;
  const statement = new CachedStatement(text, rawParse(text)[0]!, [], false, false);
  statement.revalidate();
  return statement;
}

function queryStatement(query: RawNode, context: UtilityContext): CachedStatement {
  if (query.tag === 'MergeStmt') throw new PgError('feature_not_supported', 'MERGE not supported in COPY');
  const statement = new CachedStatement(context.text, asRawStmt(query), [...context.paramTypes], false, false);
  statement.revalidate();
  if (statement.units.length === 0) throw new PgError('feature_not_supported', 'DO INSTEAD NOTHING rules are not supported for COPY');
  if (statement.units.length > 1) {
    const has = (source: Query['querySource']): boolean => statement.units.some((u) => u.query.querySource === source);
    const kind = has('qual_instead') ? 'conditional DO INSTEAD' : has('non_instead') ? 'DO ALSO' : 'multi-statement DO INSTEAD';
    throw new PgError('feature_not_supported', `${kind} rules are not supported for COPY`);
  }
  const only = statement.units[0]!;
  if (only.query.commandType === 'utility') {
    throw new PgError('feature_not_supported', (only.query.utilityStmt as RawNode).tag === 'CreateTableAsStmt' ? 'COPY (SELECT INTO) is not supported' : 'COPY query must not be a utility command');
  }
  // Whatever a rule has made of it, its rows are what is asked for.
  statement.units = [{ ...only, canSetTag: true }];
  return statement;
}

/** Hands the data over in larger pieces; `write` says how many bytes it took. */
function copyRowsInPieces(statement: CachedStatement, options: CopyOptions, context: UtilityContext, write: (bytes: Buffer) => number): number {
  let pending: Buffer[] = [];
  let size = 0;
  const flush = (): void => {
    // A disk that fills up takes a part of it first, and says so only when asked for the rest.
    if (size > 0) for (let bytes = Buffer.concat(pending, size); bytes.length > 0;) bytes = bytes.subarray(write(bytes));
    pending = [];
    size = 0;
  };
  const rows = copyRows(statement, options, (line) => {
    const bytes = typeof line === 'string' ? Buffer.from(line) : line;
    pending.push(bytes);
    size += bytes.length;
    if (size > FILE_CHUNK_BYTES) flush();
  }, context);
  flush();
  return rows;
}

function toProgram(command: string, statement: CachedStatement, options: CopyOptions, context: UtilityContext): number {
  const program = openProgram(command, false);
  return whileOpen(program, () => copyRowsInPieces(statement, options, context, (bytes) => writeToProgram(program, bytes)));
}

function toFile(name: string, statement: CachedStatement, options: CopyOptions, context: UtilityContext): number {
  if (!isAbsolute(name)) throw new PgError('invalid_name', 'relative path not allowed for COPY to file');
  let file: number;
  try {
    file = openSync(name, 'w', 0o644);
  } catch (error) {
    throw new PgError(fileCondition(error), `could not open file "${name}" for writing: ${strerror(error)}`, {
      hint: 'COPY TO instructs the PostgreSQL server process to write a file. You may want a client-side facility such as psql\'s \\copy.',
    });
  }
  try {
    return copyRowsInPieces(statement, options, context, (bytes) => writeSync(file, bytes));
  } catch (error) {
    if (error instanceof PgError) throw error;
    throw new PgError(fileCondition(error), `could not write to COPY file: ${strerror(error)}`);
  } finally {
    closeSync(file);
  }
}

export const COPY_COMMANDS: UtilityTable = {
  CopyStmt: { run: doCopy, readOnly: true },
};
