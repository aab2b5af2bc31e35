// SQL values and names as XML (part 14 of the SQL standard).
import { PgError } from '../../../common/errors.ts';
import { settings } from '../../utils/settings.ts';
import { isInfinite, j2date, POSTGRES_EPOCH_JDATE, timestampToTm, Tm } from '../calendar.ts';
import { byPieces, joinTexts } from '../characters.ts';
import type { ArrayValue, Datum, Oid } from '../datum.ts';
import { isInfiniteDate } from '../date.ts';
import { encodeXsdDate, encodeXsdDateTime } from '../datetime_encode.ts';
import { datetimeSettings } from '../datetime_settings.ts';
import { typeHooks } from '../hooks.ts';
import { BOOLOID, BYTEAOID, DATEOID, TIMESTAMPOID, TIMESTAMPTZOID, XMLOID } from '../oids.ts';
import { zonedTm } from '../timestamp.ts';

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#x0d;' };

export const escapeXml = (text: string): string => byPieces(text, (piece) => piece.replace(/[&<>\r]/g, (c) => ESCAPES[c]!));

const scratch = new Tm();

function infinite(what: 'date' | 'timestamp'): PgError {
  return new PgError('datetime_value_out_of_range', `${what} out of range`, { detail: `XML does not support infinite ${what} values.` });
}

/** A value that is not NULL as XML; with `escaped` false text that is still to be escaped. */
export function sqlToXml(value: Datum, typeOid: Oid, escaped: boolean): string {
  const io = typeHooks.typeIo(typeOid);
  if (io.typelem !== 0 && io.typcategory === 'A') {
    return joinTexts((value as ArrayValue).values.filter((v) => v !== null).map((v) => `<element>${sqlToXml(v, io.typelem, true)}</element>`), '');
  }
  switch (io.basetype) {
    case BOOLOID: return value === true ? 'true' : 'false';
    case DATEOID:
      if (isInfiniteDate(value as number)) throw infinite('date');
      j2date((value as number) + POSTGRES_EPOCH_JDATE, scratch);
      return encodeXsdDate(scratch);
    case TIMESTAMPOID:
      if (isInfinite(value as number)) throw infinite('timestamp');
      timestampToTm(value as number, scratch);
      return encodeXsdDateTime(scratch, false);
    case TIMESTAMPTZOID:
      if (isInfinite(value as number)) throw infinite('timestamp');
      zonedTm(value as number, datetimeSettings.timeZone, scratch);
      return encodeXsdDateTime(scratch, true);
    case BYTEAOID: {
      const { buffer, byteOffset, byteLength } = value as Uint8Array;
      const bytes = Buffer.from(buffer, byteOffset, byteLength);
      return settings.xmlbinary === 'hex' ? bytes.toString('hex').toUpperCase() : bytes.toString('base64');
    }
    default: {
      const text = io.output(value);
      return io.basetype === XMLOID || !escaped ? text : escapeXml(text);
    }
  }
}

const escapeCharacter = (c: string): string => `_x${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}_`;

/** An SQL name as the name of an element; `fully` also where it would be taken for something else (colons, xml...). */
export function sqlNameToXml(name: string, fully: boolean, escapePeriod = false): string {
  let result = '';
  const characters = [...name];
  characters.forEach((c, i) => {
    if (c === ':' && (i === 0 || fully)) result += escapeCharacter(c);
    else if (c === '_' && characters[i + 1] === 'x') result += escapeCharacter(c);
    else if (fully && i === 0 && name.slice(0, 3).toLowerCase() === 'xml') result += escapeCharacter(c);
    else if (escapePeriod && c === '.') result += escapeCharacter(c);
    else result += (i === 0 ? /[\p{L}\p{Nl}_:]/u : /[\p{L}\p{N}\p{M}_:.\-·]/u).test(c) ? c : escapeCharacter(c);
  });
  return result;
}

/** And back: _x0041_ is A. */
export function xmlNameToSql(name: string): string {
  return name.replace(/_x([0-9A-Fa-f]{4,8})_/g, (_all, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));
}
