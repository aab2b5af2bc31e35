// Stems of English words: Martin Porter's second algorithm ("Porter2"), written from its description.

const VOWEL = /[aeiouy]/;
const DOUBLE = /(?:bb|dd|ff|gg|mm|nn|pp|rr|tt)$/;
const VALID_LI = /[cdeghkmnrt]li$/;

const EXCEPTIONS: Readonly<Record<string, string>> = {
  skis: 'ski', skies: 'sky', dying: 'die', lying: 'lie', tying: 'tie', idly: 'idl', gently: 'gentl', ugly: 'ugli', early: 'earli', only: 'onli', singly: 'singl',
  sky: 'sky', news: 'news', howe: 'howe', atlas: 'atlas', cosmos: 'cosmos', bias: 'bias', andes: 'andes',
};
const AFTER_PLURAL = new Set(['inning', 'outing', 'canning', 'herring', 'earring', 'proceed', 'exceed', 'succeed']);

const STEP2: readonly (readonly [string, string])[] = [
  ['ational', 'ate'], ['ization', 'ize'], ['fulness', 'ful'], ['ousness', 'ous'], ['iveness', 'ive'], ['tional', 'tion'], ['biliti', 'ble'], ['lessli', 'less'],
  ['entli', 'ent'], ['ation', 'ate'], ['alism', 'al'], ['aliti', 'al'], ['ousli', 'ous'], ['iviti', 'ive'], ['fulli', 'ful'], ['enci', 'ence'], ['anci', 'ance'], ['abli', 'able'],
  ['izer', 'ize'], ['ator', 'ate'], ['alli', 'al'], ['bli', 'ble'],
];
const STEP3: readonly (readonly [string, string])[] = [
  ['ational', 'ate'], ['tional', 'tion'], ['alize', 'al'], ['icate', 'ic'], ['iciti', 'ic'], ['ical', 'ic'], ['ness', ''], ['ful', ''],
];
const STEP4 = ['ement', 'ance', 'ence', 'able', 'ible', 'ment', 'ant', 'ent', 'ism', 'ate', 'iti', 'ous', 'ive', 'ize', 'al', 'er', 'ic'];

/** Where the region after the first non-vowel that follows a vowel begins. */
function region(word: string, from: number): number {
  for (let i = from + 1; i < word.length; i++) if (!VOWEL.test(word[i]!) && VOWEL.test(word[i - 1]!)) return i + 1;
  return word.length;
}

/** The end of a word is a short syllable: VC with no w, x or Y after a non-vowel, or a word of two such letters. */
const endsShort = (w: string): boolean => /[^aeiouy][aeiouy][^aeiouywxY]$/.test(w) || /^[aeiouy][^aeiouy]$/.test(w);

export function stemEnglish(input: string): string {
  let w = input;
  if (w.length <= 2) return w;
  const exception = EXCEPTIONS[w];
  if (exception !== undefined && Object.hasOwn(EXCEPTIONS, w)) return exception;
  w = w.replace(/^'/, '').replace(/^y/, 'Y').replace(/([aeiouy])y/g, '$1Y');
  const prefix = /^(?:gener|commun|arsen)/.exec(w);
  const r1 = prefix === null ? region(w, 0) : prefix[0].length;
  const r2 = region(w, r1);
  w = w.replace(/'s'$|'s$|'$/, '');
  w = plural(w);
  if (AFTER_PLURAL.has(w)) return w.replaceAll('Y', 'y');
  w = pastOrIng(w, r1);
  if (w.length > 2) w = w.replace(/([^aeiouy])[yY]$/, '$1i');
  w = replaceLongest(w, STEP2, r1);
  w = step3(w, r1, r2);
  w = step4(w, r2);
  if (w.endsWith('e')) {
    const stem = w.slice(0, -1);
    if (stem.length >= r2 || (stem.length >= r1 && !endsShort(stem))) w = stem;
  } else if (w.endsWith('ll') && w.length - 1 >= r2) w = w.slice(0, -1);
  return w.replaceAll('Y', 'y');
}

function plural(w: string): string {
  if (w.endsWith('sses')) return w.slice(0, -2);
  if (w.endsWith('ied') || w.endsWith('ies')) return w.slice(0, w.length > 4 ? -2 : -1);
  if (w.endsWith('us') || w.endsWith('ss')) return w;
  return w.endsWith('s') && VOWEL.test(w.slice(0, -2)) ? w.slice(0, -1) : w;
}

function pastOrIng(w: string, r1: number): string {
  const eed = /(?:eedly|eed)$/.exec(w);
  if (eed !== null) return eed.index >= r1 ? `${w.slice(0, eed.index)}ee` : w;
  const suffix = /(?:ingly|edly|ing|ed)$/.exec(w);
  if (suffix === null || !VOWEL.test(w.slice(0, suffix.index))) return w;
  const stem = w.slice(0, suffix.index);
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (DOUBLE.test(stem)) return stem.slice(0, -1);
  return stem.length <= r1 && endsShort(stem) ? `${stem}e` : stem;
}

function replaceLongest(w: string, table: readonly (readonly [string, string])[], r1: number): string {
  for (const [suffix, by] of table) if (w.endsWith(suffix)) return w.length - suffix.length >= r1 ? w.slice(0, -suffix.length) + by : w;
  if (w.endsWith('ogi')) return w.length - 3 >= r1 && w.endsWith('logi') ? w.slice(0, -1) : w;
  if (w.endsWith('li')) return w.length - 2 >= r1 && VALID_LI.test(w) ? w.slice(0, -2) : w;
  return w;
}

function step3(w: string, r1: number, r2: number): string {
  for (const [suffix, by] of STEP3) if (w.endsWith(suffix)) return w.length - suffix.length >= r1 ? w.slice(0, -suffix.length) + by : w;
  return w.endsWith('ative') && w.length - 5 >= r2 ? w.slice(0, -5) : w;
}

function step4(w: string, r2: number): string {
  for (const suffix of STEP4) if (w.endsWith(suffix)) return w.length - suffix.length >= r2 ? w.slice(0, -suffix.length) : w;
  return /[st]ion$/.test(w) && w.length - 3 >= r2 ? w.slice(0, -3) : w;
}
