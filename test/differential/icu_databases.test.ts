// Databases whose default collation is ICU's: made, connected to, sorted in, and of a version that ICU has no longer.
import test from 'ava';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NOT_INSTALLED, oracleInstalled, startOracle } from '../support/oracle.ts';
import { product, type Site, startSite } from '../support/site.ts';

const script = readFileSync(join(import.meta.dirname, 'icu_databases.sql'), 'utf8');

/** ICU's own version aside. */
const said = async (site: Site): Promise<string> => {
  const { out, err } = await site.psql('', { args: ['-a', '-v', 'VERBOSITY=verbose', '-v', 'SHOW_CONTEXT=never'], input: script });
  return `${out}\n${err.replace(/^LOCATION:.*\n/gm, '')}`.replace(/\b15\d\.\d+(?:\.\d+)*/g, '<version>');
};

(oracleInstalled ? test : test.skip)('databases of ICU', async (t) => {
  const [ours, theirs] = await Promise.all([startSite(), startOracle('fsync = off')]);
  try {
    const [mine, wanted] = await Promise.all([said(ours), said(theirs)]);
    t.is(mine, wanted);
  } finally {
    await Promise.all([ours.remove(), theirs.remove()]);
  }
});

// What was compiled before it forked kept the collation of the databases that initdb made.
(oracleInstalled ? test : test.skip)('a site of ICU, and a database in it that is not', async (t) => {
  const ours = await startSite({ product: { ...product, name: 'icu', initdb: [...product.initdb, '--locale-provider=icu', '--icu-locale=sv'] } });
  try {
    t.is((await ours.psql("select 'a' < 'B', 'z' < 'ä'")).out.trim(), 't|t');
    await ours.psql('create database plain locale_provider libc template template0');
    t.is((await ours.psql("select 'a' < 'B', 'z' < 'ä', max(x) from (values ('a'), ('B')) v(x)", { database: 'plain' })).out.trim(), 'f|t|a');
    await ours.psql("create database german locale_provider icu icu_locale 'de' template template0");
    t.is((await ours.psql("select 'a' < 'B', 'z' < 'ä', max(x) from (values ('a'), ('B')) v(x)", { database: 'german' })).out.trim(), 't|f|B');
  } finally {
    await ours.remove();
  }
});
if (!oracleInstalled) test('databases of ICU', (t) => { t.log(NOT_INSTALLED); t.pass(); });
