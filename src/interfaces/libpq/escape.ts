// Texts as parts of SQL (PQescapeLiteral and its kin). Parameters are the better way wherever they are possible.
import { parseBytea } from './types.ts';

function refuseZero(text: string): string {
  if (text.includes('\0')) throw new TypeError('a zero byte cannot be part of a text');
  return text;
}

/** With its quotes; right whatever standard_conforming_strings is. */
export function escapeLiteral(text: string): string {
  const quoted = refuseZero(text).replaceAll('\'', '\'\'');
  return text.includes('\\') ? ` E'${quoted.replaceAll('\\', '\\\\')}'` : `'${quoted}'`;
}

/** With its quotes, always. */
export function escapeIdentifier(name: string): string {
  return `"${refuseZero(name).replaceAll('"', '""')}"`;
}

/** Without quotes, to stand between single ones, for servers with standard_conforming_strings on (PQescapeStringConn). */
export const escapeString = (text: string): string => refuseZero(text).replaceAll('\'', '\'\'');

/** bytea's hexadecimal form, without quotes. */
export const escapeBytea = (bytes: Uint8Array): string => `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`;
/** Either form of bytea's output to bytes. */
export const unescapeBytea = (text: string): Buffer => parseBytea(text);
