// The backend's messages, one function each, named as the manual names them (PostgreSQL 15, sections 55.7 and 55.8).
import { PgError } from '../../common/errors.ts';
import type { ResultColumn } from '../executor/dest.ts';
import type { Frontend } from '../libpq/pqcomm.ts';
import { typeByOid } from '../catalog/syscache.ts';
import { client, type ClientEncoding } from '../types/client_encoding.ts';

/** The one frontend of this backend. */
export let frontend: Frontend;

export function setFrontend(f: Frontend | undefined): void {
  frontend = f!;
}

/** Whether there is a frontend at all: a single-user backend has none. */
export const hasFrontend = (): boolean => frontend !== undefined;

const code = (letter: string): number => letter.charCodeAt(0);

const TRANSACTION_STATUS = { I: code('I'), T: code('T'), E: code('E') } as const;

export function sendReadyForQuery(status: 'I' | 'T' | 'E'): void {
  frontend.begin(0x5a);
  frontend.byte(TRANSACTION_STATUS[status]);
  frontend.end();
}

export function sendCommandComplete(tag: string): void {
  frontend.begin(0x43);
  frontend.cstring(tag);
  frontend.end();
}

function sendEmpty(type: number): void {
  frontend.begin(type);
  frontend.end();
}

export const sendEmptyQueryResponse = (): void => sendEmpty(0x49);
export const sendParseComplete = (): void => sendEmpty(0x31);
export const sendBindComplete = (): void => sendEmpty(0x32);
export const sendCloseComplete = (): void => sendEmpty(0x33);
export const sendNoData = (): void => sendEmpty(0x6e);
export const sendPortalSuspended = (): void => sendEmpty(0x73);
export const sendCopyDone = (): void => sendEmpty(0x63);

export function sendBackendKeyData(pid: number, key: number): void {
  frontend.begin(0x4b);
  frontend.int32(pid);
  frontend.int32(key);
  frontend.end();
}

export function sendParameterStatus(name: string, value: string): void {
  frontend.begin(0x53);
  frontend.cstring(name);
  frontend.cstring(value);
  frontend.end();
}

export function sendNotificationResponse(pid: number, channel: string, payload: string): void {
  frontend.begin(0x41);
  frontend.int32(pid);
  frontend.cstring(channel);
  frontend.cstring(payload);
  frontend.end();
}

export function sendParameterDescription(types: readonly number[]): void {
  frontend.begin(0x74);
  frontend.int16(types.length);
  for (const type of types) frontend.int32(type);
  frontend.end();
}

/** Text for all columns; binary for all. The same objects every time, so that what was made for them is found again. */
export const TEXT_FORMAT: readonly number[] = [], BINARY_FORMAT: readonly number[] = [1];

/** What was made for sending a statement's rows and is good as long as columns and formats are the same objects. */
export interface SentShape {
  description: { readonly columns: readonly ResultColumn[]; readonly formats: readonly number[]; readonly encoding: ClientEncoding | null; readonly body: Buffer } | null;
  writers: { readonly columns: readonly ResultColumn[]; readonly formats: readonly number[]; readonly list: readonly ColumnWriter[] } | null;
}
export type ColumnWriter = (value: any) => void;
export const newShape = (): SentShape => ({ description: null, writers: null });

/** `formats`: none for text, one for all columns, or one a column. */
export function sendRowDescription(columns: readonly ResultColumn[], formats: readonly number[], sent: SentShape): void {
  const { description } = sent;
  frontend.begin(0x54);
  if (description !== null && description.columns === columns && description.formats === formats && description.encoding === client.encoding) {
    frontend.bytes(description.body);
    frontend.end();
    return;
  }
  frontend.int16(columns.length);
  for (let i = 0; i < columns.length; i++) {
    const c = columns[i]!;
    frontend.cstring(c.name);
    frontend.int32(c.tableOid);
    frontend.int16(c.tableColumn);
    // A domain is described as its base type.
    const { typeOid, typmod } = baseType(c.typeOid, c.typmod);
    frontend.int32(typeOid);
    frontend.int16(typeByOid(typeOid)?.typlen ?? -1);
    frontend.int32(typmod);
    frontend.int16(formatOf(formats, i));
  }
  sent.description = { columns, formats, encoding: client.encoding, body: frontend.messageBody() };
  frontend.end();
}

export const formatOf = (formats: readonly number[], column: number): number =>
  formats.length === 0 ? 0 : formats.length === 1 ? formats[0]! : formats[column]!;

function baseType(typeOid: number, typmod: number): { typeOid: number; typmod: number } {
  for (;;) {
    const type = typeByOid(typeOid);
    if (type === undefined || type.typtype !== 'd') return { typeOid, typmod };
    typeOid = type.typbasetype;
    if (typmod === -1) typmod = type.typtypmod;
  }
}

/** CopyInResponse (G) or CopyOutResponse (H). */
export function sendCopyResponse(type: 'G' | 'H', binary: boolean, columns: number): void {
  frontend.begin(code(type));
  frontend.byte(binary ? 1 : 0);
  frontend.int16(columns);
  for (let i = 0; i < columns; i++) frontend.int16(binary ? 1 : 0);
  frontend.end();
}

export function sendFunctionCallResponse(value: string | Uint8Array | null): void {
  frontend.begin(0x56);
  if (value === null) frontend.int32(-1);
  else if (typeof value === 'string') frontend.textField(value);
  else frontend.bytesField(value);
  frontend.end();
}

/** The fields of ErrorResponse and NoticeResponse, in PostgreSQL's order. */
function sendReport(type: number, report: PgError): void {
  const { fields } = report;
  const field = (letter: string, value: string | number | undefined): void => {
    if (value === undefined || (value === '' && !'MDH'.includes(letter))) return;
    frontend.byte(code(letter));
    frontend.cstring(String(value));
  };
  frontend.begin(type);
  field('S', report.severity);
  field('V', report.severity);
  field('C', report.code);
  field('M', report.message);
  field('D', fields.detail);
  field('H', fields.hint);
  field('W', fields.where);
  field('s', fields.schema);
  field('t', fields.table);
  field('c', fields.column);
  field('d', fields.dataType);
  field('n', fields.constraint);
  field('P', fields.position);
  field('p', fields.internalPosition);
  field('q', fields.internalQuery);
  field('R', fields.routine);
  frontend.byte(0);
  frontend.end();
}

/** An error whose words the client's encoding does not have gives way to one that says so. */
export function sendErrorResponse(error: PgError): void {
  try {
    sendReport(0x45, error);
  } catch (untranslatable) {
    if (!(untranslatable instanceof PgError) || client.encoding === null) throw untranslatable;
    sendReport(0x45, untranslatable);
  }
}

export function sendNoticeResponse(notice: PgError): void {
  sendReport(0x4e, notice);
}
