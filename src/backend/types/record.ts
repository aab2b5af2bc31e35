// Composite types and record: text and binary form, comparison.
import { PgError } from '../../common/errors.ts';
import { byPieces } from './characters.ts';
import { RecordValue, type Datum, type Oid, type RecordAttribute } from './datum.ts';
import { registerBuiltins } from './fmgr.ts';
import { compareColumns, compareRecords, recordsEqual } from './compare.ts';
import { typeHooks } from './hooks.ts';
import { RECORDOID } from './oids.ts';
import { sendInt32, WireReader } from './wire.ts';

function attributesOf(typeOid: Oid, typmod: number): readonly RecordAttribute[] {
  if (typeOid === RECORDOID && typmod < 0) {
    throw new PgError('feature_not_supported', 'input of anonymous composite types is not implemented');
  }
  return typeHooks.rowAttributes(typeOid, typmod);
}

const SPACE = /\s/;

/** "(a,"b c",)": one field after the other, null where nothing stands. */
function splitRecord(text: string, columns: number): (string | null)[] {
  const malformed = (detail: string): PgError =>
    new PgError('invalid_text_representation', `malformed record literal: "${text}"`, { detail });
  let at = 0;
  while (at < text.length && SPACE.test(text[at]!)) at++;
  if (text[at++] !== '(') throw malformed('Missing left parenthesis.');
  const fields: (string | null)[] = [];
  for (let column = 0; column < columns; column++) {
    if (column > 0) {
      if (text[at] !== ',') throw malformed('Too few columns.');
      at++;
    }
    if (text[at] === ',' || text[at] === ')') {
      fields.push(null);
      continue;
    }
    let value = '', quoted = false;
    while (quoted || (text[at] !== ',' && text[at] !== ')')) {
      const char = text[at++];
      if (char === undefined) throw malformed('Unexpected end of input.');
      if (char === '\\') {
        if (at >= text.length) throw malformed('Unexpected end of input.');
        value += text[at++];
      } else if (char === '"') {
        if (!quoted) quoted = true;
        else if (text[at] === '"') value += text[at++];
        else quoted = false;
      } else {
        value += char;
      }
    }
    fields.push(value);
  }
  if (text[at] === ',') throw malformed('Too many columns.');
  if (text[at++] !== ')') throw malformed('Too many columns.');
  while (at < text.length && SPACE.test(text[at]!)) at++;
  if (at < text.length) throw malformed('Junk after right parenthesis.');
  return fields;
}

function recordIn(text: string, typeOid: Oid, typmod: number): RecordValue {
  const attributes = attributesOf(typeOid, typmod);
  const fields = splitRecord(text, attributes.filter((attribute) => !attribute.dropped).length);
  let next = 0;
  const values = attributes.map((attribute): Datum => {
    if (attribute.dropped) return null;
    const field = fields[next++]!;
    return field === null ? null : typeHooks.typeIo(attribute.typeOid).input(field, attribute.typmod);
  });
  return new RecordValue(typeOid, attributes, values);
}

function quoteField(text: string): string {
  return text === '' || /["\\(),\s]/.test(text) ? `"${byPieces(text, (piece) => piece.replace(/["\\]/g, '$&$&'))}"` : text;
}

function liveColumns(record: RecordValue): { type: Oid; value: Datum }[] {
  return record.attributes.flatMap((attribute, i) => (attribute.dropped ? [] : [{ type: attribute.typeOid, value: record.values[i]! }]));
}

function recordOut(record: RecordValue): string {
  const fields = liveColumns(record).map(({ type, value }) => (value === null ? '' : quoteField(typeHooks.typeIo(type).output(value))));
  return `(${fields.join(',')})`;
}

function recordReceive(bytes: Uint8Array, typeOid: Oid, typmod: number): RecordValue {
  const attributes = attributesOf(typeOid, typmod);
  const reader = new WireReader(bytes);
  const count = reader.int32();
  const expected = attributes.filter((attribute) => !attribute.dropped).length;
  if (count !== expected) {
    throw new PgError('datatype_mismatch', `wrong number of columns: ${count}, expected ${expected}`);
  }
  const values = attributes.map((attribute, i): Datum => {
    if (attribute.dropped) return null;
    const sent = reader.uint32();
    if (sent !== attribute.typeOid) {
      throw new PgError('datatype_mismatch', `binary data has type ${sent} (${typeHooks.typeIo(sent).name}) instead of expected ` +
        `${attribute.typeOid} (${typeHooks.typeIo(attribute.typeOid).name}) in record column ${i + 1}`);
    }
    const length = reader.int32();
    if (length < -1 || length > reader.remaining) {
      throw new PgError('invalid_binary_representation', 'insufficient data left in message');
    }
    return length === -1 ? null : typeHooks.typeIo(attribute.typeOid).receive(reader.takeBytes(length), attribute.typmod);
  });
  reader.end();
  return new RecordValue(typeOid, attributes, values);
}

function recordSend(record: RecordValue): Uint8Array {
  const columns = liveColumns(record);
  const parts: Uint8Array[] = [sendInt32(columns.length)];
  for (const { type, value } of columns) {
    parts.push(sendInt32(type));
    if (value === null) {
      parts.push(sendInt32(-1));
    } else {
      const bytes = typeHooks.typeIo(type).send(value);
      parts.push(sendInt32(bytes.length), bytes);
    }
  }
  return Buffer.concat(parts);
}

/** Order by representation (*=, *<, ...): ours is the binary form. */
const compareImages = (a: RecordValue, b: RecordValue): number => compareColumns(a, b, (x, y, type) => {
  if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
  const { send } = typeHooks.typeIo(type);
  return Buffer.compare(send(x), send(y));
});

registerBuiltins({
  pure: {
    record_in: recordIn,
    record_out: recordOut,
    record_recv: recordReceive,
    record_send: recordSend,
    record_eq: recordsEqual,
    record_ne: (a: RecordValue, b: RecordValue) => !recordsEqual(a, b),
    record_lt: (a: RecordValue, b: RecordValue) => compareRecords(a, b) < 0,
    record_le: (a: RecordValue, b: RecordValue) => compareRecords(a, b) <= 0,
    record_gt: (a: RecordValue, b: RecordValue) => compareRecords(a, b) > 0,
    record_ge: (a: RecordValue, b: RecordValue) => compareRecords(a, b) >= 0,
    btrecordcmp: compareRecords,
    record_image_eq: (a: RecordValue, b: RecordValue) => compareImages(a, b) === 0,
    record_image_ne: (a: RecordValue, b: RecordValue) => compareImages(a, b) !== 0,
    record_image_lt: (a: RecordValue, b: RecordValue) => compareImages(a, b) < 0,
    record_image_le: (a: RecordValue, b: RecordValue) => compareImages(a, b) <= 0,
    record_image_gt: (a: RecordValue, b: RecordValue) => compareImages(a, b) > 0,
    record_image_ge: (a: RecordValue, b: RecordValue) => compareImages(a, b) >= 0,
    btrecordimagecmp: compareImages,
  },
});

/** The columns of a row that a function returns must be those of its column definition list (tupledesc_match). */
export function checkSameColumns(given: readonly RecordAttribute[], wanted: readonly RecordAttribute[]): void {
  const mismatch = (detail: string): PgError =>
    new PgError('datatype_mismatch', 'function return row and query-specified return row do not match', { detail });
  if (given.length !== wanted.length) {
    throw mismatch(`Returned row contains ${given.length} attribute${given.length === 1 ? '' : 's'}, but query expects ${wanted.length}.`);
  }
  given.forEach(({ typeOid }, i) => {
    const other = wanted[i]!.typeOid;
    if (typeOid === other) return;
    throw mismatch(`Returned type ${typeHooks.typeIo(typeOid).name} at ordinal position ${i + 1}, but query expects ${typeHooks.typeIo(other).name}.`);
  });
}
