// Names and numbers of character encodings, as PostgreSQL has them (pg_enc). Databases are all UTF8; the others are
// here because catalogs (pg_conversion) and clients speak of them.
const ENCODINGS = ['SQL_ASCII', 'EUC_JP', 'EUC_CN', 'EUC_KR', 'EUC_TW', 'EUC_JIS_2004', 'UTF8', 'MULE_INTERNAL', 'LATIN1',
  'LATIN2', 'LATIN3', 'LATIN4', 'LATIN5', 'LATIN6', 'LATIN7', 'LATIN8', 'LATIN9', 'LATIN10', 'WIN1256', 'WIN1258', 'WIN866', 'WIN874',
  'KOI8R', 'WIN1251', 'WIN1252', 'ISO_8859_5', 'ISO_8859_6', 'ISO_8859_7', 'ISO_8859_8', 'WIN1250', 'WIN1253', 'WIN1254', 'WIN1255',
  'WIN1257', 'KOI8U', 'SJIS', 'BIG5', 'GBK', 'UHC', 'GB18030', 'JOHAB', 'SHIFT_JIS_2004'] as const;
export const PG_UTF8 = 6;

/** Other spellings, without what is no letter or digit (pg_encname_tbl). */
const ALIASES: Readonly<Record<string, string>> = { unicode: 'UTF8', win: 'WIN1251', alt: 'WIN866', koi8: 'KOI8R', tcvn: 'WIN1258', tcvn5712: 'WIN1258', vscii: 'WIN1258', abc: 'WIN1258',
  mskanji: 'SJIS', shiftjis: 'SJIS', win932: 'SJIS', win936: 'GBK', win949: 'UHC', win950: 'BIG5', iso88591: 'LATIN1', iso88592: 'LATIN2', iso88593: 'LATIN3', iso88594: 'LATIN4', iso88599: 'LATIN5',
  iso885910: 'LATIN6', iso885913: 'LATIN7', iso885914: 'LATIN8', iso885915: 'LATIN9', iso885916: 'LATIN10' };
const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');
const byName = new Map(ENCODINGS.map((name, i) => [plain(name), i]));

/** The number of an encoding, by any spelling; -1: unknown. */
export function charToEncoding(name: string): number {
  const word = plain(name).replace(/^windows/, 'win');
  return byName.get(plain(ALIASES[word] ?? word)) ?? -1;
}
/** '' for an unknown number. */
export const encodingToChar = (encoding: number): string => ENCODINGS[encoding] ?? '';

const MAX_LENGTHS: Readonly<Record<string, number>> = { SQL_ASCII: 1, EUC_JP: 3, EUC_CN: 3, EUC_KR: 3, EUC_TW: 4, EUC_JIS_2004: 3, UTF8: 4,
  MULE_INTERNAL: 4, SJIS: 2, BIG5: 2, GBK: 2, UHC: 2, GB18030: 4, JOHAB: 3, SHIFT_JIS_2004: 2 };
export const encodingMaxLength = (encoding: number): number | null =>
  ENCODINGS[encoding] === undefined ? null : MAX_LENGTHS[ENCODINGS[encoding]!] ?? 1;
