// The token types of the default text search parser, by number (PostgreSQL's wparser_def.c).
export const TOKEN_TYPES: readonly (readonly [alias: string, description: string])[] = [
  ['asciiword', 'Word, all ASCII'], ['word', 'Word, all letters'], ['numword', 'Word, letters and digits'], ['email', 'Email address'], ['url', 'URL'], ['host', 'Host'],
  ['sfloat', 'Scientific notation'], ['version', 'Version number'], ['hword_numpart', 'Hyphenated word part, letters and digits'],
  ['hword_part', 'Hyphenated word part, all letters'], ['hword_asciipart', 'Hyphenated word part, all ASCII'], ['blank', 'Space symbols'], ['tag', 'XML tag'],
  ['protocol', 'Protocol head'], ['numhword', 'Hyphenated word, letters and digits'], ['asciihword', 'Hyphenated word, all ASCII'], ['hword', 'Hyphenated word, all letters'],
  ['url_path', 'URL path'], ['file', 'File or path name'], ['float', 'Decimal notation'], ['int', 'Signed integer'], ['uint', 'Unsigned integer'], ['entity', 'XML entity'],
];
export const ASCIIWORD = 1, WORD = 2, NUMWORD = 3, EMAIL = 4, URL_T = 5, HOST = 6, SCIENTIFIC = 7, VERSION = 8, NUMPARTHWORD = 9, PARTHWORD = 10, ASCIIPARTHWORD = 11,
  SPACE = 12, TAG = 13, PROTOCOL = 14, NUMHWORD = 15, ASCIIHWORD = 16, HWORD = 17, URLPATH = 18, FILEPATH = 19, DECIMAL = 20, SIGNEDINT = 21, UNSIGNEDINT = 22, ENTITY = 23;
