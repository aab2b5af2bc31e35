// to_ascii: text of one of four encodings with its letters' nearest in ASCII. The bytes are read in that encoding whatever the
// database's is, as PostgreSQL does: of a UTF8 database little that is useful comes out.
import { charToEncoding, encodingToChar } from '../../common/encoding.ts';
import { PgError } from '../../common/errors.ts';
import { registerBuiltins } from './fmgr.ts';

/** For bytes from `first` on; those before it, and those that no text has, become spaces. */
const TABLES: Readonly<Record<string, { readonly first: number; readonly letters: string }>> = {
  LATIN1: { first: 0xa0, letters: '  cL Y  "Ca  -R     \'u .,      ?  AAAAACEEEEIIII NOOOOOxOUUUUYTBaaaaaaaceeeeiiii nooo' },
  LATIN2: { first: 0xa0, letters: ' A L LS "SSTZ-ZZ a,l\'ls ,sstz"zz  AAALCCCEEEEIIDDNNOOOOxRUUUUYTBraaaalccceeeeiiddnnoo' },
  LATIN9: { first: 0xa0, letters: '  cL YS sCa  -R     Zu .z   EeY?  AAAAACEEEEIIII NOOOOOxOUUUUYTBaaaaaaaceeeeiiii nooo' },
  WIN1250: { first: 0x80, letters: '  \' "    %S<STZZ `\'"".--  s>stzz   L A  "CS  -RZ  ,l\'u .,as L"lz  AAALCCCEEEEIIDDNNOOOOxRUUUUYTBraaaalccceeeeiiddnnoo' },
};

function toAscii(text: string, encoding: string): string {
  const table = TABLES[encoding];
  if (table === undefined) throw new PgError('feature_not_supported', `encoding conversion from ${encoding} to ASCII not supported`);
  let result = '';
  for (const byte of Buffer.from(text)) result += byte < 128 ? String.fromCharCode(byte) : table.letters[byte - table.first] ?? ' ';
  return result;
}

registerBuiltins({
  pure: {
    to_ascii_default: (text: string) => toAscii(text, 'UTF8'),
    to_ascii_enc: (text: string, code: number) => {
      const encoding = encodingToChar(code);
      if (encoding === '') throw new PgError('undefined_object', `${code} is not a valid encoding code`);
      return toAscii(text, encoding);
    },
    to_ascii_encname: (text: string, name: string) => {
      const code = charToEncoding(name);
      if (code < 0) throw new PgError('undefined_object', `${name} is not a valid encoding name`);
      return toAscii(text, encodingToChar(code));
    },
  },
});
