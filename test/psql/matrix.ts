// Scripts by rule: every \d command with every suffix and kind of pattern, every format with every border and way of expanding.
import type { Script } from './compare.ts';

const DESCRIBE: Readonly<Record<string, readonly string[]>> = {
  '': ['', 'child', 's.*', '*.t*', '"We ird"', 'nosuch', 'more.*', 'corpus.public.v', 'otherdb.public.v', 'a.b.c.d', 'chi?d', 'pg_am', 'more.cons', 'v|mv', '(', '"', 'public."c*"'],
  a: ['', 'ag', 'more.*'], A: ['', 'btree', 'h*'], Ac: ['', 'btree', 'btree int*', '* more.*'], Af: ['', 'btree', 'hash more*'], Ao: ['btree bool_ops', 'hash integer_ops', 'nosuch'], Ap: ['btree bool_ops', 'hash text_ops', 'brin *minmax_ops'],
  b: ['', 'pg_d*'], c: ['', 'more.*', 'koi8_r_to_mic'], C: ['', 'en', 'more.*'], d: ['', 'more.*', 'constraint'], D: ['', 'dom', 'more.*'], ddp: ['', 'more', 'r_set'], E: ['', 'ft'],
  drds: ['', 'r_set', 'r_set corpus', '* corpus', 'nosuch'], des: ['', 'srv'], det: ['', 'ft'], deu: ['', 'srv'], dew: ['', 'fdw*'], f: ['', 'more.*', 'f int', 'multi', 'f * text', 'substring text int'], fn: ['more.*'], fp: ['', 'more.*'], ft: ['', 'trf'], fw: ['more.*', 'row*'], fa: ['ag', 'more.*'], fant: ['more.*'],
  F: ['', 'more.*', 'english'], Fd: ['', 'more.*', 'simple'], Fp: ['', 'more.*', 'default'], Ft: ['', 'more.*'], g: ['', 'r_*', 'pg_read*'], u: ['', 'r_*'], i: ['', 'more.*', 'child*'], m: ['', 'more.*'], s: ['', 'more.*'], t: ['', 'more.*', 'public.child'], v: ['', 'more.*'], tvmsE: ['', 'more.*'],
  l: ['', 'more'], L: ['', 'plpgsql', 'c'], n: ['', 'more', 's|more'], o: ['', 'more.*', '=== int', '&& anyarray anyarray', '- NONE int4', '@ float8'], O: ['', 'more.*', '"C"'], p: ['', 'more.*', 'child'], P: ['', 'more.*'], Pt: [''], Pi: [''], Pn: ['', 'more.hp'], Rp: ['', 'pub_*'], Rs: ['', 'sub'], T: ['', 'more.*', 'en', 'int', 'character varying'],
  x: ['', 'plpgsql'], X: ['', 'more.*', 'st*'], y: ['', 'et'], config: ['lock_timeout', 'work_mem', '*statement*'], z: [''],
};
const NAMES: Readonly<Record<string, string>> = { l: 'l' };
/** Commands whose full list is the server's own and long: only with patterns. */
const LONG = new Set(['f', 'fn', 'fw', 'o', 'T', 'C', 'c', 'Ac', 'Af', 'Fd', 'a', 'd']);

export function describeScripts(): Script[] {
  const scripts: Script[] = [];
  for (const [letters, patterns] of Object.entries(DESCRIBE)) {
    if (letters === 'z') continue;
    const command = letters === 'ddp' || letters === 'drds' || letters.startsWith('d') && letters.length === 3 ? letters : NAMES[letters] === undefined ? `d${letters}` : letters;
    for (const suffix of ['', '+', 'S', 'S+']) {
      const lines = patterns.filter((p) => !suffix.startsWith('S') || (p !== '' && p !== 'more.*') || (!LONG.has(letters) && letters.length < 2 && letters !== '')).map((p) => `\\${command}${suffix} ${p}`.trimEnd());
      scripts.push({ name: `${command}${suffix}`, args: [], text: `${lines.join('\n')}\n` });
    }
  }
  return scripts;
}

export const FORMATS = ['aligned', 'unaligned', 'wrapped', 'csv', 'html', 'asciidoc', 'latex', 'latex-longtable', 'troff-ms'];

const TABLE = `select * from (values (1, 'text', 1234567.891, null, array['a b', 'c']), (-22, E'two\\nlines | and "more", <b>&amp;</b> \\\\ $ % # _ { } ~ ^', 0.5, true, null), (null, '', null, false, '{}')) t (id, "the text", "num ""quoted""", "b|c", arr);
select 'ä€😀' as "wïde", E'tab\\there' as tab, 'a,b;c' as sep, repeat('long words ', 12) as long;
select 1 as one where false;
select;
`;

export function formatScripts(): Script[] {
  const scripts: Script[] = [];
  for (const format of FORMATS) {
    for (const border of [0, 1, 2, 3]) {
      const settings = `\\pset format ${format}\n\\pset border ${border}\n\\pset title 'A <title> & more'\n`;
      scripts.push({ name: `${format}, border ${border}`, args: [], text: `${settings}${TABLE}\\pset null (null)\n\\pset tuples_only\n${TABLE}` });
      scripts.push({ name: `${format}, border ${border}, expanded`, args: [], text: `${settings}\\x\n${TABLE}\\pset tuples_only\n${TABLE}` });
    }
    scripts.push({ name: `${format}, odds and ends`, args: [], text: `\\pset format ${format}\n\\pset tableattr 'class="x" width=50'\n\\pset footer off\n\\pset numericlocale\n\\pset fieldsep ';'\n\\pset recordsep '@'\n\\pset csv_fieldsep '\\t'\n\\pset columns 40\n${TABLE}\\pset expanded auto\n${TABLE}\\pset fieldsep_zero\n\\pset recordsep_zero\n\\pset linestyle unicode\n${TABLE}` });
  }
  for (const style of ['ascii', 'old-ascii', 'unicode']) {
    for (const border of [0, 1, 2, 3]) {
      for (const format of ['aligned', 'wrapped']) {
        scripts.push({ name: `${format}, ${style}, border ${border}`, args: [], text: `\\pset format ${format}\n\\pset linestyle ${style}\n\\pset border ${border}\n\\pset columns 50\n${TABLE}\\x\n${TABLE}\\x auto\n${TABLE}` });
      }
    }
  }
  for (const part of ['border', 'column', 'header']) {
    scripts.push({ name: `unicode_${part}_linestyle`, args: [], text: `\\pset linestyle unicode\n\\pset border 2\n\\pset unicode_${part}_linestyle double\n${TABLE}\\x\n${TABLE}\\pset unicode_${part}_linestyle nix\n` });
  }
  return scripts;
}
