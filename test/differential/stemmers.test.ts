// Each Snowball stemmer over made-up words, here and in PostgreSQL 15: letters and endings from the stemmer's own program, put
// together at random (SEED, COUNT words a language), and its stop words.
import test from 'ava';
import { readFileSync, readdirSync } from 'node:fs';
import { NOT_INSTALLED, oracleInstalled, startOracle } from '../support/oracle.ts';
import { startSite, type Site } from '../support/site.ts';
import { randomFrom } from '../support/random.ts';

const folder = new URL('../../src/backend/tsearch/snowball/', import.meta.url);
const seed = Number(process.env['SEED'] ?? 1), count = Number(process.env['COUNT'] ?? 400);
const files = readdirSync(folder), languages = files.filter((f) => f.endsWith('.sbl')).map((f) => f.slice(0, -4));
let ours: Site | undefined, theirs: Site | undefined;

if (!oracleInstalled) test('stemmers', (t) => { t.log(NOT_INSTALLED); t.pass(); });
const serial = oracleInstalled ? test.serial : test.skip;

test.before(async () => { if (oracleInstalled) [ours, theirs] = await Promise.all([startSite(), startOracle('fsync = off')]); });
test.after.always(async () => { await Promise.all([ours?.remove(), theirs?.remove()]); });

/** The strings of a program. */
function pieces(language: string): string[] {
  const text = readFileSync(new URL(`${language}.sbl`, folder), 'utf8').replace(/\/\*[^]*?\*\/|\/\/.*/g, ''), named = new Map<string, string>();
  const plain = (s: string): string => s.replace(/\{([^}]*)\}/g, (_, n: string) => (n.startsWith('U+') ? String.fromCodePoint(parseInt(n.slice(2), 16)) : named.get(n) ?? ''));
  const rest = text.replace(/stringdef\s+(\S+)\s+'([^']*)'/g, (_, name: string, value: string) => { named.set(name, plain(value)); return ''; });
  return Array.from(rest.matchAll(/'((?:\{[^}]*\}|[^'{])*)'/g), (m) => plain(m[1]!)).filter((s) => s !== '');
}

function words(language: string): string[] {
  const below = randomFrom(seed), parts = pieces(language);
  const letters = [...new Set(parts.join(''))], made = new Set(['', 'ΛΌΓΟΣ', 'İSTANBUL', '𝔘𝔫𝔦𝔠𝔬𝔡𝔢𝔩𝔢𝔯', 'é'.repeat(501)]);
  if (files.includes(`${language}.stop`)) for (const word of readFileSync(new URL(`${language}.stop`, folder), 'utf8').trim().split('\n')) made.add(word);
  for (let i = 0; i < count; i++) {
    let word = '';
    for (let n = below(7); n > 0; n--) word += letters[below(letters.length)]!;
    for (let n = below(4); n > 0; n--) word += parts[below(parts.length)]!;
    made.add(word);
  }
  return [...made];
}

for (const language of languages) {
  serial(language, async (t) => {
    const list = words(language), results: string[][] = [];
    for (const site of [ours!, theirs!]) {
      const client = await site.connect();
      await client.query(`CREATE TEXT SEARCH DICTIONARY stems_${language} (TEMPLATE = snowball, LANGUAGE = ${language}${files.includes(`${language}.stop`) ? `, STOPWORDS = ${language}` : ''})`);
      const { rows } = await client.query(`SELECT ts_lexize('stems_${language}', w)::text AS stems FROM unnest($1::text[]) WITH ORDINALITY AS u(w, i) ORDER BY i`, [list]);
      results.push(rows.map((r: { stems: string }) => r.stems));
      await client.end();
    }
    t.deepEqual(results[0]!.map((r, i) => `${list[i]}: ${r}`), results[1]!.map((r, i) => `${list[i]}: ${r}`));
  });
}
