// name: an identifier of at most 63 bytes.
import { PgError } from '../../common/errors.ts';
import { registerBuiltins } from './fmgr.ts';
import { clipUtf8, compareText, trimPadding, utf8Length } from './characters.ts';
import { receiveText, sendText } from './wire.ts';

const NAME_MAX_BYTES = 63;

function toName(text: string): string {
  return clipUtf8(text, NAME_MAX_BYTES);
}

const same = (value: string): string => value;
const eq = (a: string, b: string): boolean => a === b;
const ne = (a: string, b: string): boolean => a !== b;
const lt = (a: string, b: string): boolean => compareText(a, b) < 0;
const le = (a: string, b: string): boolean => compareText(a, b) <= 0;
const gt = (a: string, b: string): boolean => compareText(a, b) > 0;
const ge = (a: string, b: string): boolean => compareText(a, b) >= 0;

/** name[i] is a byte, counted from 0; behind the name zero bytes follow. */
function subscript(name: string, upper: readonly (number | null)[], lower: readonly unknown[] | null): string | null {
  if (lower !== null) throw new PgError('feature_not_supported', 'slices of fixed-length arrays not implemented');
  const [at] = upper;
  if (upper.length !== 1 || at === null || at === undefined || at < 0 || at > NAME_MAX_BYTES) return null;
  const byte = Buffer.from(name, 'utf8')[at] ?? 0;
  return byte === 0 ? '' : String.fromCharCode(byte);
}

registerBuiltins({
  pure: {
    subscript_name: subscript,
    namein: toName,
    nameout: same,
    namerecv: (bytes: Uint8Array) => {
      const text = receiveText(bytes);
      if (utf8Length(text) > NAME_MAX_BYTES) {
        throw new PgError('name_too_long', 'identifier too long',
          { detail: `Identifier must be less than ${NAME_MAX_BYTES + 1} characters.` });
      }
      return text;
    },
    namesend: sendText,
    text_name: toName,
    name_text: same,
    bpchar_name: (text: string) => trimPadding(toName(text)),
    name_bpchar: same,
    nameconcatoid: (name: string, oid: number) => clipUtf8(name, NAME_MAX_BYTES - String(oid).length - 1) + `_${oid}`,

    nameeq: eq, namene: ne, namelt: lt, namele: le, namegt: gt, namege: ge, btnamecmp: compareText,
    nameeqtext: eq, namenetext: ne, namelttext: lt, nameletext: le, namegttext: gt, namegetext: ge,
    btnametextcmp: compareText,
    texteqname: eq, textnename: ne, textltname: lt, textlename: le, textgtname: gt, textgename: ge,
    bttextnamecmp: compareText,
  },
});
