// Client encodings: our psql and Debian's give the same bytes for the same bytes, also for those that mean nothing.
import test from 'ava';
import { execFile } from 'node:child_process';
import { decodeUtf8, encodeUtf8, findEncoding } from '../../src/common/charsets.ts';
import { NOT_INSTALLED, oracleInstalled, startOracle } from '../support/oracle.ts';
import type { Site } from '../support/site.ts';
import { OURS } from './compare.ts';

let server: Site | undefined;
test.before(async () => { if (oracleInstalled) server = await startOracle('fsync = off'); });
test.after.always(async () => server?.remove());

const SCRIPT = Buffer.concat([Buffer.from(`\\encoding
select 'é' as x;
\\encoding latin1
\\echo :ENCODING
select 'é' as x, chr(233) as y;
set client_encoding to win1251;
\\encoding
select chr(1078) as "ж";
set client_encoding to sjis;
select chr(12354) as a;
\\encoding nonsense
select chr(8364);
reset client_encoding;
\\echo :ENCODING
select 1 as "日本";
create temp table letters (t text);
copy letters from stdin;
é
\\.
select * from letters;
select 'none: `), Buffer.of(0xff, 0xfe), Buffer.from(`';
select 'behind it';
`)]);

function run(program: string, env: Record<string, string>): Promise<{ out: string; err: string; code: number | null }> {
  return new Promise((done) => {
    const child = execFile(program, ['-X'], { encoding: 'latin1', env: { PATH: process.env['PATH']!, HOME: '/nowhere', LC_ALL: 'C.UTF-8', ...server!.env(), ...env }, cwd: '/' }, (_error, out, err) => done({ out, err, code: child.exitCode }));
    child.stdin!.end(SCRIPT);
  });
}

for (const encoding of ['', 'LATIN1', 'WIN1252', 'EUC_JP', 'no such']) {
  test.serial(`the same bytes: ${encoding === '' ? 'the database\'s own' : encoding}`, async (t) => {
    if (server === undefined) {
      t.log(NOT_INSTALLED);
      t.pass();
      return;
    }
    const env: Record<string, string> = encoding === '' ? {} : { PGCLIENTENCODING: encoding };
    t.deepEqual(await run(OURS[0]!, env), await run('/usr/bin/psql', env));
  });
}

test('texts come back as they were', (t) => {
  const samples: Record<string, string> = {
    LATIN1: 'Grüße ÿ\x80', LATIN2: 'Łódź', LATIN5: 'İstanbul', LATIN9: '5 €', WIN1250: 'žluťoučký', WIN1251: 'жук', WIN1252: '“5 €”', WIN1253: 'Ελλάδα', WIN1258: 'đô\u0300', WIN866: 'жук',
    KOI8R: 'жук', KOI8U: 'її', ISO_8859_8: 'שלום', EUC_JP: 'あ漢字ｱ', SJIS: 'あ漢字ｱ表', EUC_CN: '汉字', EUC_KR: '한글', UHC: '한글', BIG5: '漢字', GBK: '漢字', GB18030: '漢字ñ', 'iso-8859-1': 'é', 'Windows-1252': '€', UTF8: '漢字😀',
  };
  for (const [name, text] of Object.entries(samples)) {
    const encoding = findEncoding(name)!;
    t.is(encoding.decode(encoding.encode(text)), text, name);
    const every = Buffer.from(Array.from({ length: /^(EUC|SJIS|BIG5|G|UHC)/.test(name) ? 128 : 256 }, (_, i) => i));
    t.is(encoding.encode(encoding.decode(every)).toString('hex'), every.toString('hex'), `${name}: every byte`);
  }
  t.throws(() => findEncoding('LATIN1')!.encode('€'), { message: 'character "€" has no equivalent in encoding "LATIN1"' });
  t.is(findEncoding('EUC_TW'), null);
  t.is(findEncoding('klingon'), undefined);
});

test('bytes that are no UTF-8 survive', (t) => {
  for (const hex of ['ff', 'c3a9ff', 'c0af', 'eda080', 'f0908080ff41', 'e28261', 'f4908080', 'efbfbd']) {
    const bytes = Buffer.from(hex, 'hex');
    t.is(encodeUtf8(decodeUtf8(bytes)).toString('hex'), hex);
  }
});
