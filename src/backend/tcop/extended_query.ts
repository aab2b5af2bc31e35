// The extended protocol: Parse, Bind, Describe, Execute, Close, Sync (PostgreSQL 15, section 55.2.3).
import { PgError } from '../../common/errors.ts';
import { typeHooks } from '../types/hooks.ts';
import { dropPreparedStatement, fetchPreparedStatement, requireParameterTypes, storePreparedStatement } from '../commands/prepare.ts';
import type { Frontend } from '../libpq/pqcomm.ts';
import { rawParse } from '../parser/raw_parser.ts';
import {
  commandCounterIncrement, commitTransactionCommand, endImplicitTransactionBlock, renewSnapshot, startTransactionCommand, transactionBlockStatus,
} from '../transaction/xact.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { INT4OID, INT8OID } from '../types/oids.ts';
import { getInt } from '../utils/guc.ts';
import { setPsStatus } from '../utils/ps_status.ts';
import { completesOptimistically, runAutocommit } from './autocommit.ts';
import { isOfValues } from '../utils/unknown_errors.ts';
import { CachedStatement, findByText, forgetTextsOfOtherSettings, keepByText } from './plancache.ts';
import { FETCH_ALL, Portal, addPortal, dropPortal, findPortal } from './portal.ts';
import { RemoteDest } from './printtup.ts';
import {
  sendBindComplete, sendCloseComplete, sendCommandComplete, sendEmptyQueryResponse, sendNoData, sendParameterDescription, sendParseComplete,
  sendPortalSuspended, sendRowDescription, BINARY_FORMAT, TEXT_FORMAT,
} from './protocol.ts';
import { refuseInFailedTransaction } from './utility.ts';
import { logStatement, statementEnds, statementStarts } from './statement.ts';

const P = 0x50; // 'P': a portal
const S = 0x53; // 'S': a statement, in Describe and Close; also Sync
let unnamed: CachedStatement | null = null;

export function dropUnnamedStatement(): void {
  unnamed = null;
}

function statementNamed(name: string): CachedStatement {
  if (name !== '') return fetchPreparedStatement(name).statement;
  if (unnamed === null) throw new PgError('undefined_pstatement', 'unnamed prepared statement does not exist');
  return unnamed;
}

/** Parse: statement name, query, types of the first parameters (0: to be found). */
export function parse(f: Frontend): void {
  const name = f.readCString();
  const text = f.readCString();
  const count = f.readInt16() & 0xffff;
  const types: Oid[] = [];
  for (let i = 0; i < count; i++) types.push(f.readInt32() >>> 0);
  f.endOfMessage();
  setPsStatus('PARSE');
  statementStarts();
  startTransactionCommand();
  if (name === '') unnamed = null;
  const key = types.length === 0 ? `\0${text}` : `${types.join()}\0${text}`;
  forgetTextsOfOtherSettings();
  let statement = findByText(key), isNew = false;
  if (statement !== undefined && !statement.isTransactionControl && transactionBlockStatus() !== 'E') {
    renewSnapshot(statement.fixesSnapshot);
    // Parse starts afresh: what was made of the same text under other catalogs, with another result perhaps, is not its business.
    if (!statement.isCurrent()) statement = undefined;
  }
  if (statement === undefined) {
    statement = parseStatement(text, types);
    isNew = true;
  }
  if (statement.raw !== null) {
    refuseInFailedTransaction(statement.raw);
    if (statement.takesSnapshot) renewSnapshot(statement.fixesSnapshot);
    prepare(statement);
    requireParameterTypes(statement.paramTypes);
  }
  if (isNew) keepByText(key, statement);
  if (name === '') unnamed = statement;
  else storePreparedStatement(name, statement, false);
  commandCounterIncrement();
  sendParseComplete();
}

/** Planned ahead; what planning finds wrong (constants are computed then) is told when the plan is needed. */
function prepare(statement: CachedStatement): void {
  try {
    statement.revalidate();
  } catch (error) {
    if (!isOfValues(error)) throw error;
    statement.describe();
  }
}

function parseStatement(text: string, types: Oid[]): CachedStatement {
  const list = rawParse(text);
  if (list.length > 1) throw new PgError('syntax_error', 'cannot insert multiple commands into a prepared statement');
  return new CachedStatement(text, list[0] ?? null, types, true, true);
}

/** Bind: portal, statement, parameter formats, parameters, result formats. */
export function bind(f: Frontend): void {
  const portalName = f.readName();
  const statementName = f.readName();
  setPsStatus('BIND');
  statementStarts();
  const statement = statementNamed(statementName);
  startTransactionCommand();
  const formats = readFormats(f);
  const count = f.readInt16() & 0xffff;
  if (formats.length > 1 && formats.length !== count) {
    throw new PgError('protocol_violation', `bind message has ${formats.length} parameter formats but ${count} parameters`);
  }
  if (count !== statement.paramTypes.length) {
    throw new PgError('protocol_violation', `bind message supplies ${count} parameters, but prepared statement "${statementName}" requires ${statement.paramTypes.length}`);
  }
  if (statement.raw !== null) {
    refuseInFailedTransaction(statement.raw);
    if (statement.takesSnapshot) renewSnapshot(statement.fixesSnapshot);
    statement.revalidate();
  }
  const params: Datum[] = new Array(count);
  const texts: (string | null)[] | null = getInt('log_parameter_max_length_on_error') === 0 ? null : [];
  for (let i = 0; i < count; i++) {
    params[i] = readParam(f, statement.paramTypes[i]!, formats.length === 0 ? 0 : formats.length === 1 ? formats[0]! : formats[i]!, i, portalName, texts);
  }
  const resultFormats = readFormats(f);
  f.endOfMessage();
  const columns = statement.columns?.length ?? 0;
  if (resultFormats.length > 1 && statement.columns !== null && resultFormats.length !== columns) {
    throw new PgError('protocol_violation', `bind message has ${resultFormats.length} result formats but query has ${columns} columns`);
  }
  const portal = new Portal(portalName, statement, params);
  portal.formats = resultFormats;
  portal.parameterTexts = texts;
  addPortal(portal);
  sendBindComplete();
}

function readFormats(f: Frontend): readonly number[] {
  const count = f.readInt16() & 0xffff;
  if (count === 0) return TEXT_FORMAT;
  if (count === 1) return readFormat(f) === 0 ? TEXT_FORMAT : BINARY_FORMAT;
  const formats: number[] = [];
  for (let i = 0; i < count; i++) formats.push(readFormat(f));
  return formats;
}

function readFormat(f: Frontend): number {
  const format = f.readInt16();
  if (format !== 0 && format !== 1) throw new PgError('invalid_parameter_value', `unsupported format code: ${format}`);
  return format;
}

/** `texts` takes the parameters as they are shown in errors. */
function readParam(f: Frontend, type: Oid, format: number, index: number, portal: string, texts: (string | null)[] | null): Datum {
  const length = f.readInt32();
  if (length === -1) {
    texts?.push(null);
    return null;
  }
  if (format === 0 && texts === null && (type === INT4OID || type === INT8OID)) {
    const value = f.readDigits(length);
    if (value >= 0) return value;
  }
  if (format === 0) {
    const text = f.readText(length);
    texts?.push(text);
    try {
      return typeHooks.typeIo(type).input(text, -1);
    } catch (error) {
      throw inParameter(error, index, portal, ` = ${quotedParameter(text)}`);
    }
  }
  const bytes = Buffer.from(f.readBytes(length));
  const io = typeHooks.typeIo(type);
  try {
    const value = io.receive(bytes, -1);
    texts?.push(io.output(value));
    return value;
  } catch (error) {
    throw inParameter(error, index, portal, '');
  }
}

const shownPortal = (name: string): string => (name === '' ? 'unnamed portal' : `portal "${name}"`);

function inParameter(error: unknown, index: number, portal: string, value: string): unknown {
  if (error instanceof PgError && error.fields.where === undefined) error.fields.where = `${shownPortal(portal)} parameter $${index + 1}${value}`;
  return error;
}

/** A parameter in quotes, so many bytes of it as log_parameter_max_length_on_error has. */
function quotedParameter(text: string): string {
  const limit = getInt('log_parameter_max_length_on_error');
  let bytes = 0, end = 0;
  for (const c of text) {
    bytes += Buffer.byteLength(c);
    if (limit >= 0 && bytes > limit) break;
    end += c.length;
  }
  return `'${text.slice(0, end).replaceAll("'", "''")}${end < text.length ? '...' : ''}'`;
}

/** Errors of a portal tell its parameters, when that is wished for (ParamsErrorCallback). */
function tellingParameters<T>(portal: Portal, run: () => T): T {
  const { parameterTexts: texts } = portal;
  if (texts === null || texts.length === 0) return run();
  try {
    return run();
  } catch (error) {
    if (error instanceof PgError) {
      const list = texts.map((text, i) => `$${i + 1} = ${text === null ? 'NULL' : quotedParameter(text)}`).join(', ');
      error.fields.where = [error.fields.where, `${shownPortal(portal.name)} with parameters: ${list}`].filter((x) => x !== undefined).join('\n');
    }
    throw error;
  }
}

/** Describe: what a statement or portal will send. */
export function describe(f: Frontend): void {
  const kind = f.readByte();
  const name = f.readName();
  f.endOfMessage();
  if (kind !== S && kind !== P) throw new PgError('protocol_violation', `invalid DESCRIBE message subtype ${kind}`);
  startTransactionCommand();
  if (kind === S) {
    const statement = statementNamed(name);
    if (statement.raw !== null && transactionBlockStatus() === 'E' && statement.columns !== null) refuseInFailedTransaction(statement.raw);
    sendParameterDescription(statement.paramTypes);
    if (statement.columns === null) sendNoData();
    else sendRowDescription(statement.columns, TEXT_FORMAT, statement.sent);
    return;
  }
  const portal = portalNamed(name);
  if (portal.columns === null) sendNoData();
  else sendRowDescription(portal.columns, portal.formats, portal.statement.sent);
}

function portalNamed(name: string): Portal {
  const portal = findPortal(name);
  if (portal === undefined) throw new PgError('undefined_cursor', `portal "${name}" does not exist`);
  return portal;
}

/** Execute: portal, greatest number of rows (0: all). */
export function execute(f: Frontend): void {
  const name = f.readName();
  const limit = f.readInt32();
  f.endOfMessage();
  const portal = portalNamed(name);
  const { raw } = portal.statement;
  if (raw === null) {
    sendEmptyQueryResponse();
    return;
  }
  refuseInFailedTransaction(raw);
  setPsStatus(portal.statement.commandTag);
  logStatement(portal.sourceText);
  const count = limit <= 0 ? FETCH_ALL : limit;
  const dest = new RemoteDest(false, portal.formats, portal.statement.sent);
  // Followed by Sync at once, outside a block: the statement is its own transaction and may try to do without locks.
  if (transactionBlockStatus() === 'I' && f.peekType() === S && portal.status === 'ready' && completesOptimistically(raw)) {
    tellingParameters(portal, () => executeAlone(portal, dest));
    return;
  }
  startTransactionCommand();
  if (portal.statement.takesSnapshot) renewSnapshot(portal.statement.fixesSnapshot);
  const { complete, tag } = tellingParameters(portal, () => portal.run(count, dest));
  if (!complete) {
    sendPortalSuspended();
    return;
  }
  if (portal.statement.isTransactionControl) commitTransactionCommand();
  else commandCounterIncrement();
  sendCommandComplete(tag);
}

function executeAlone(portal: Portal, dest: RemoteDest): void {
  const { statement, params } = portal;
  runAutocommit(true, () => {
    renewSnapshot();
    statement.revalidate();
    const { tag } = new Portal('', statement, params).run(FETCH_ALL, dest);
    return () => sendCommandComplete(tag);
  });
}

/** Close: a statement or portal; closing what does not exist is no error. */
export function close(f: Frontend): void {
  const kind = f.readByte();
  const name = f.readName();
  f.endOfMessage();
  if (kind !== S && kind !== P) throw new PgError('protocol_violation', `invalid CLOSE message subtype ${kind}`);
  if (kind === S) {
    if (name === '') unnamed = null;
    else dropPreparedStatement(name);
  } else {
    const portal = findPortal(name);
    if (portal !== undefined) dropPortal(portal);
  }
  sendCloseComplete();
}

/** Sync: the end of an implicit transaction. */
export function sync(): void {
  endImplicitTransactionBlock();
  commitTransactionCommand();
  statementEnds();
}
