// Enum types: a value is the OID of its label's row in pg_enum; the labels' order is the catalog's to know.
import { PgError } from '../../common/errors.ts';
import { makeArray, type ArrayValue, type Oid } from './datum.ts';
import { registerBuiltins, type FunctionContext } from './fmgr.ts';
import { typeHooks } from './hooks.ts';
import { receiveText, sendText } from './wire.ts';

/** Labels that this transaction has added to a type. Were one used and the transaction rolled back, an index could keep it. */
export const uncommittedLabels = new Set<Oid>();

function safe(label: Oid, typeOid: Oid): Oid {
  if (uncommittedLabels.size === 0 || !uncommittedLabels.has(label)) return label;
  throw new PgError('unsafe_new_enum_value_usage', `unsafe use of new value "${typeHooks.enumLabel(label)}" of enum type ${typeHooks.typeIo(typeOid).name}`,
    { hint: 'New enum values must be committed before they can be used.' });
}

function enumIn(text: string, typeOid: Oid): Oid {
  const label = typeHooks.enumLookup(typeOid, text);
  if (label === undefined) {
    throw new PgError('invalid_text_representation', `invalid input value for enum ${typeHooks.typeIo(typeOid).name}: "${text}"`);
  }
  return safe(label, typeOid);
}

function enumOut(label: Oid): string {
  const text = typeHooks.enumLabel(label);
  if (text === undefined) throw new PgError('invalid_binary_representation', `invalid internal value for enum: ${label}`);
  return text;
}

const compare = (a: Oid, b: Oid): number => (a === b ? 0 : typeHooks.enumSortOrder(a) - typeHooks.enumSortOrder(b));

function typeOfArgument(context: FunctionContext): Oid {
  const type = context.argTypes[0] ?? 0;
  if (type === 0) throw new PgError('feature_not_supported', 'could not determine actual enum type');
  return type;
}

function range(context: FunctionContext, from: Oid | null, to: Oid | null): ArrayValue {
  const type = typeOfArgument(context);
  const labels = typeHooks.enumLabels(type);
  const start = from === null ? 0 : labels.indexOf(from);
  const end = to === null ? labels.length - 1 : labels.indexOf(to);
  return makeArray(type, labels.slice(start, end + 1).map((label) => safe(label, type)));
}

function end(context: FunctionContext, index: 0 | -1): Oid {
  const type = typeOfArgument(context);
  const label = typeHooks.enumLabels(type).at(index);
  if (label === undefined) {
    throw new PgError('object_not_in_prerequisite_state', `enum ${typeHooks.typeIo(type).name} contains no values`);
  }
  return safe(label, type);
}

registerBuiltins({
  pure: {
    enum_in: enumIn,
    enum_out: enumOut,
    anyenum_out: enumOut,
    enum_recv: (bytes: Uint8Array, typeOid: Oid) => enumIn(receiveText(bytes), typeOid),
    enum_send: (label: Oid) => sendText(enumOut(label)),
    enum_eq: (a: Oid, b: Oid) => a === b,
    enum_ne: (a: Oid, b: Oid) => a !== b,
    enum_lt: (a: Oid, b: Oid) => compare(a, b) < 0,
    enum_le: (a: Oid, b: Oid) => compare(a, b) <= 0,
    enum_gt: (a: Oid, b: Oid) => compare(a, b) > 0,
    enum_ge: (a: Oid, b: Oid) => compare(a, b) >= 0,
    enum_cmp: compare,
    enum_larger: (a: Oid, b: Oid) => (compare(a, b) > 0 ? a : b),
    enum_smaller: (a: Oid, b: Oid) => (compare(a, b) < 0 ? a : b),
  },
  context: {
    enum_first: (context: FunctionContext) => end(context, 0),
    enum_last: (context: FunctionContext) => end(context, -1),
    enum_range_all: (context: FunctionContext) => range(context, null, null),
    enum_range_bounds: range,
  },
});
