// Broken data for COPY FROM: what Posthouse takes, and its errors with their CONTEXT, are PostgreSQL's, however the bytes are
// cut into messages. Found by it: "\\." in the middle of data, newlines of several kinds, escapes that make invalid text, lines
// shown after their escapes were resolved, CONTEXT of binary data.
import test, { type ExecutionContext } from 'ava';
import { NOT_INSTALLED, oracle } from '../support/oracle.ts';
import { fields, RawClient, show } from '../support/raw_client.ts';
import { startSite, type Site } from '../support/site.ts';

const B = 'PGCOPY\n\xff\r\n\0', HEADER = `${B}${'\0'.repeat(8)}`;
/** Table, options, the data as Latin-1 bytes. */
const CASES: readonly [table: string, options: string, data: string][] = [
  ['cb', '', '1\ta\n2\tb\tc\n'],
  ['cb', '', '1\ta\n2\n'],
  ['cb', '', '1\ta\nx\tb\n'],
  ['cb', '', '1\taaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nxyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\tb\n'],
  ['cb', '', '1\ta\\'],
  ['cb', '', '1\ta\\x4\n2\tb\\xg\n3\t\\101\\9\n'],
  ['cb', '', '1\t\\0\n'],
  ['cb', '', '1\t\\000\n'],
  ['cb', '', '1\ta\xff\n'],
  ['cb', '', '1\t\xc3\n'],
  ['cb', '', '1\t\xed\xa0\x80\n'],
  ['cb', '', '1\t\\xff\n'],
  ['cb', '', '1\ta\0b\n'],
  ['cb', '', '1\ta\r\n2\tb\n'],
  ['cb', '', '1\ta\n2\tb\r\n'],
  ['cb', '', '1\ta\r2\tb\n'],
  ['cb', '', '1\ta\\\n'],
  ['cb', '', '1\ta\n\\.\n3\tc\n'],
  ['cb', '', '1\ta\n\\.x\n'],
  ['cb', '', '1\ta\n2\tb\\.\n'],
  ['cb', '', '1\ta\\.\r\n'],
  ['cb', '', '1\tb\n1\tc\n'],
  ['cb', '', '\\N\tb\n'],
  ['cb', '', '\n'],
  ['cb', '', '99999999999\tb\n'],
  ['cb', '', '5\tb5\tb5\tb\n'],
  ['cb', '', '-1\tneg\n'],
  ['cb', '', '3\ttoolongvalue_here_really_long\n'],
  ['cb', '(format csv)', '1,"a\n2,b\n'],
  ['cb', '(format csv)', '1,"a""b"\n2,"c"d\n'],
  ['cb', '(format csv)', '1,a"b\n'],
  ['cb', '(format csv)', '1\n'],
  ['cb', '(format csv)', '1,a,b\n'],
  ['cb', "(encoding 'latin1')", '1\tcaf\xe9\n2\t\xfcber\n'],
  ['cb', "(format csv, encoding 'sjis')", '1,\x82\xa0\x83\x5c\n2,"\x82\xa0\n"\n'],
  ['cb', "(format csv, encoding 'win1252')", '1,\x80\n2,\x81\n'],
  ['cb', "(encoding 'koi8r')", '1\t\xd1\nx\t\xd2\n'],
  ['cb', "(encoding 'euc_jp')", '1\t\xc7\n'],
  ['cb', "(encoding 'nobody')", '1\ta\n'],
  ['cb', '(format csv, header match)', 'x,y\n1,a\n'],
  ['cb', '(format csv, header match)', 'i,t\n1,a\n'],
  ['cb', '(format csv, header match)', 'i\n1,a\n'],
  ['cb', '(format csv, header match)', 'i,t,z\n1,a\n'],
  ['cb', '(format csv, header match)', ''],
  ['cb', "(format csv, quote '''')", "1,'a''b'\n"],
  ['cb', "(format csv, escape '\\')", '1,"a\\"b"\n2,"c\\'],
  ['cb', '(format csv)', '1,a\r\n2,b\n'],
  ['cb', '(format csv)', '1,"a\xff"\n'],
  ['cb', '(format csv)', '1,"multi\nline\nerror"\nx,"a\nb"\n'],
  ['cb', '(format csv, force_not_null (i))', ',x\n'],
  ['cb', "(format csv, null 'NULL')", 'NULL,x\n'],
  ['cb', "(format csv, delimiter ';')", '1;2;3\n'],
  ['cb', "(delimiter '|', null '')", '1|\n|x\n'],
  ['cb', '(format csv)', '1,a\n\\.\n3,c\n'],
  ['cb', '(format binary)', ''],
  ['cb', '(format binary)', 'garbage garbage garbage'],
  ['cb', '(format binary)', B],
  ['cb', '(format binary)', B + '\0\0\0\0'],
  ['cb', '(format binary)', HEADER],
  ['cb', '(format binary)', HEADER + '\0\x02\0\0\0\x04\0\0\0\x01'],
  ['cb', '(format binary)', HEADER + '\0\x03'],
  ['cb', '(format binary)', B + '\0\x01\0\0\0\0\0\0\xff\xff'],
  ['cb', '(format binary)', B + '\0\0\0\x01\0\0\0\0\xff\xff'],
  ['cb', '(format binary)', HEADER + '\0\x02\0\0\0\x03\0\0\0\0\0\0\x01x\xff\xff'],
  ['cb', '(format binary)', HEADER + '\0\x02\0\0\0\x05\0\0\0\0\x01\0\0\0\x01x\xff\xff'],
  ['cb', '(format binary)', HEADER + '\0\x02\0\0\0\x04\0\0\0\x01\0\0\0\x01\xff\xff\xff'],
  ['cb', '(format binary)', HEADER + '\0\x02\0\0\0\x04\0\0\0\x01\xff\xff\xff\xfe'],
  ['cb', '(format binary)', HEADER + '\0\x02\0\0\0\x04\0\0\0\x01\0\0\0\x01x\xff\xffmore'],
  ['cb', '(format binary)', B + '\0\0\0\0\xff\xff\xff\xff'],
  ['cb', '(format binary)', B + '\0\0\0\0\0\0\0\x05ab'],
  ['cb', '(format binary)', HEADER + '\0\x02\xff\xff\xff\xff\0\0\0\x01x\xff\xff'],
  ['cb', '(format binary)', HEADER + '\0\x02\0\0\0\x04\0\0\0\x01\0\0\0\x01x'],
  ['cb', '(format binary)', HEADER + '\0\x02\0\0\0\x04\0\0\0\x01\x7f\xff\xff\xffx'],
  ['ca', '', '1\t{1,2\n'],
  ['ca', '', '1\t{1,x}\n'],
  ['cb', 'where i > 1', '1\ta\nx\tb\n'],
];

let site: Site;
test.before(async () => { site = await startSite({ ini: 'dress_rehearsal = off' }); });
test.after.always(async () => site?.remove());

/** What comes until ReadyForQuery; of errors all that a person sees. */
async function answer(client: RawClient): Promise<string[]> {
  return (await client.upTo('Z')).map((message) => {
    if (message.type !== 'E') return show(message);
    const { C, M, D, H, W } = fields(message.body);
    return [C, M, D, H, W].join('\n').replace(/pg_temp_\d+/, 'pg_temp');
  });
}

async function copy(client: RawClient, [table, options, data]: readonly [string, string, string], piece: number): Promise<string[]> {
  const bytes = Buffer.from(data, 'latin1');
  await client.query('begin');
  client.Query(`copy ${table} from stdin ${options}`);
  const begun = await client.next();
  if (begun.type === 'G') {
    for (let at = 0; at < bytes.length; at += piece) client.CopyData(bytes.subarray(at, at + piece));
    client.CopyDone();
  }
  const lines = [begun.type === 'G' ? '' : show(begun), ...await answer(client)];
  client.Query(`select * from ${table.replace(/ .*/, '')}`);
  lines.push(...await answer(client));
  await client.query('rollback');
  return lines;
}

const CB = ['create temp table cb (i int primary key check (i >= 0), t varchar(20))', 'create temp table ca (i int, a int[])'];
// Columns that were not given and had no default expression of their own were NULL.
const DEFAULTS = ['create domain pg_temp.tax as numeric default 0.19', `create temp table bill (id int generated always as identity, what text,
  no bigint generated by default as identity (start 100), rate pg_temp.tax, twice numeric generated always as (rate * 2) stored)`, 'create temp table plain (a int, rate pg_temp.tax)'];
const WITH_DEFAULTS: typeof CASES = [
  ['bill (what)', '', 'tea\nmilk\n'],
  ['bill (what, no)', '', 'rice\t7\n'],
  ['bill (id, what, rate)', '(format csv)', '90,salt,0.5\n'],
  ['bill (rate, what)', '(format binary)', HEADER + '\0\x02\xff\xff\xff\xff\0\0\0\x01x\xff\xff'],
  ['plain (a)', '', '1\n2\n'],
  ['plain', '', '1\t\\N\n'],
];

async function alike(t: ExecutionContext, made: readonly string[], cases: typeof CASES): Promise<void> {
  const clients = await Promise.all([RawClient.open(site.port), RawClient.open(oracle!.port)]);
  for (const client of clients) for (const statement of made) await client.query(statement);
  for (const each of cases) {
    for (const piece of [1, 7, 1000]) {
      const [mine, wanted] = await Promise.all(clients.map((client) => copy(client, each, piece)));
      t.deepEqual(mine, wanted, `${JSON.stringify(each)} in pieces of ${piece}`);
    }
  }
  for (const client of clients) client.end();
}

const compared = oracle === undefined ? test.skip : test;
compared('broken data', (t) => alike(t, CB, CASES));
compared('columns that are not given', (t) => alike(t, DEFAULTS, WITH_DEFAULTS));
if (oracle === undefined) test('data for COPY', (t) => { t.log(NOT_INSTALLED); t.pass(); });
