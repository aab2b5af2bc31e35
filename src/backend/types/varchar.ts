// varchar(n) and char(n). A typmod is n + 4; char(n) values are kept padded to n characters.
import { PgError } from '../../common/errors.ts';
import { registerBuiltins } from './fmgr.ts';
import { typmodIntegers } from './int.ts';
import type { ArrayValue } from './datum.ts';
import { invalidParameter } from './errors.ts';
import { charLength, compareText, sliceChars, trimPadding, utf8Length } from './characters.ts';
import { charOut } from './char.ts';
import { receiveText, sendText } from './wire.ts';

const VARHDRSZ = 4;
const MAX_LENGTH = 10485760;
/** A JavaScript string cannot be longer. */
const MAX_STRING_UNITS = 0x1fffffe8;

function tooLong(typeName: string, limit: number): PgError {
  return new PgError('string_data_right_truncation', `value too long for type ${typeName}(${limit})`);
}

/** Cuts a text to so many characters: only spaces may go, unless the cast is explicit. */
function clip(text: string, limit: number, explicit: boolean, typeName: string): string {
  const kept = sliceChars(text, 0, limit);
  if (!explicit && trimPadding(text.slice(kept.length)) !== '') throw tooLong(typeName, limit);
  return kept;
}

function toVarchar(text: string, typmod: number, explicit: boolean): string {
  const limit = typmod - VARHDRSZ;
  if (typmod < VARHDRSZ || text.length <= limit || charLength(text) <= limit) return text;
  return clip(text, limit, explicit, 'character varying');
}

function toBpchar(text: string, typmod: number, explicit: boolean): string {
  if (typmod < VARHDRSZ) return text;
  const limit = typmod - VARHDRSZ;
  const length = charLength(text);
  if (length === limit) return text;
  if (limit > MAX_STRING_UNITS) throw new PgError('internal_error', `invalid memory alloc request size ${limit}`);
  return length < limit ? text + ' '.repeat(limit - length) : clip(text, limit, explicit, 'character');
}

function typmodIn(typeName: string) {
  return (parameters: ArrayValue): number => {
    const [length, ...more] = typmodIntegers(parameters);
    if (length === undefined || more.length > 0) throw invalidParameter('invalid type modifier');
    if (!(length >= 1)) throw invalidParameter(`length for type ${typeName} must be at least 1`);
    if (length > MAX_LENGTH) throw invalidParameter(`length for type ${typeName} cannot exceed ${MAX_LENGTH}`);
    return length + VARHDRSZ;
  };
}

const typmodOut = (typmod: number): string => (typmod > VARHDRSZ ? `(${typmod - VARHDRSZ})` : '');
const same = (text: string): string => text;

export function compareBpchar(a: string, b: string): number {
  return a === b ? 0 : compareText(trimPadding(a), trimPadding(b));
}

const equals = (a: string, b: string): boolean => a === b || trimPadding(a) === trimPadding(b);
const lt = (a: string, b: string): boolean => compareBpchar(a, b) < 0;
const le = (a: string, b: string): boolean => compareBpchar(a, b) <= 0;
const gt = (a: string, b: string): boolean => compareBpchar(a, b) > 0;
const ge = (a: string, b: string): boolean => compareBpchar(a, b) >= 0;

registerBuiltins({
  pure: {
    varcharin: (text: string, _typelem?: number, typmod = -1) => toVarchar(text, typmod, false),
    varcharout: same,
    varcharrecv: (bytes: Uint8Array, _typelem?: number, typmod = -1) => toVarchar(receiveText(bytes), typmod, false),
    varcharsend: sendText,
    varchartypmodin: typmodIn('varchar'),
    varchartypmodout: typmodOut,
    varchar: toVarchar,

    bpcharin: (text: string, _typelem?: number, typmod = -1) => toBpchar(text, typmod, false),
    bpcharout: same,
    bpcharrecv: (bytes: Uint8Array, _typelem?: number, typmod = -1) => toBpchar(receiveText(bytes), typmod, false),
    bpcharsend: sendText,
    bpchartypmodin: typmodIn('char'),
    bpchartypmodout: typmodOut,
    bpchar: toBpchar,
    bpcharlen: (text: string) => charLength(trimPadding(text)),
    bpcharoctetlen: utf8Length,
    bpchareq: equals,
    bpcharne: (a: string, b: string) => !equals(a, b),
    bpcharlt: lt, bpcharle: le, bpchargt: gt, bpcharge: ge, bpcharcmp: compareBpchar,
    bpchar_pattern_lt: lt, bpchar_pattern_le: le, bpchar_pattern_gt: gt, bpchar_pattern_ge: ge,
    btbpchar_pattern_cmp: compareBpchar,
    bpchar_larger: (a: string, b: string) => (compareBpchar(a, b) >= 0 ? a : b),
    bpchar_smaller: (a: string, b: string) => (compareBpchar(a, b) <= 0 ? a : b),
    char_bpchar: charOut,
  },
});
