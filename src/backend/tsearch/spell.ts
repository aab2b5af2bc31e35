// Ispell, MySpell and Hunspell dictionaries (PostgreSQL's spell.c): words with flags, rules of affixes that the flags stand for, and
// compounds. A word is found by undoing affixes until a word of the dictionary is left that has the affix's flag.
import { PgError } from '../../common/errors.ts';
import { configFileError } from './config_files.ts';

const MAX_WORD = 256, MAX_FORMS = 1023;
const COMPOUND_ONLY = 0x01, COMPOUND_BEGIN = 0x02, COMPOUND_MIDDLE = 0x04, COMPOUND_LAST = 0x08, COMPOUND = 0x0e, COMPOUND_MASK = 0x0f,
  COMPOUND_PERMIT = 0x10, COMPOUND_FORBID = 0x20, CROSS_PRODUCT = 0x40;

interface Affix { readonly flag: string; readonly flags: number; readonly suffix: boolean; readonly find: string; readonly repl: string; readonly mask: RegExp | null }
interface Entry { affixes: string; compound: number }
interface CompoundAffix { readonly text: string; readonly suffix: boolean }
export interface Normal { readonly text: string; readonly variant: number }

const COMPOUND_COMMANDS: readonly (readonly [string, number])[] = [
  ['COMPOUNDFLAG', COMPOUND], ['COMPOUNDBEGIN', COMPOUND_BEGIN], ['COMPOUNDLAST', COMPOUND_LAST], ['COMPOUNDEND', COMPOUND_LAST], ['COMPOUNDMIDDLE', COMPOUND_MIDDLE],
  ['ONLYINCOMPOUND', COMPOUND_ONLY], ['COMPOUNDPERMITFLAG', COMPOUND_PERMIT], ['COMPOUNDFORBIDFLAG', COMPOUND_FORBID],
];

export class SpellDictionary {
  private mode: 'char' | 'long' | 'num' = 'char';
  private compounds = false;
  private readonly compoundFlags = new Map<string, number>();
  /** Sets of flags that words name by their number; the first is empty. */
  private aliases: string[] | null = null;
  private readonly affixes: Affix[] = [];
  private readonly words = new Map<string, Entry>();
  private sorted: string[] = [];
  private prefixes: Affix[] = [];
  private suffixes: Affix[] = [];
  private compoundAffixes: CompoundAffix[] = [];

  constructor(affixLines: readonly string[], wordLines: readonly string[]) {
    this.readAffixes(affixLines);
    // Aliases are looked up as words are read, numbers when they are sorted: so the first wrong one is told.
    for (const line of this.mode === 'num' && this.aliases === null ? [...wordLines].sort() : wordLines) this.addWord(line);
    this.sorted = [...this.words.keys()].sort();
    this.arrangeAffixes();
  }

  // ---- reading

  private readAffixes(lines: readonly string[]): void {
    let suffixes = false, prefixes = false, oldFormat = false, flag = '', flags = 0;
    for (const line of lines) {
      const lower = line.toLowerCase();
      if (line === '' || line.startsWith('#')) continue;
      if (lower.startsWith('compoundwords')) {
        const found = /l\S*\s+(\S)/i.exec(line);
        if (/l/i.test(line)) {
          if (found !== null) this.addCompoundFlag(found[1]!, COMPOUND);
          oldFormat = true;
          continue;
        }
      }
      if (lower.startsWith('suffixes') || lower.startsWith('prefixes')) {
        suffixes = lower.startsWith('s');
        prefixes = !suffixes;
        oldFormat = true;
        continue;
      }
      if (lower.startsWith('flag')) {
        const m = /^\s*([*~]?)\\?(\S)(?:$|[#:\s])/.exec(line.slice(4));
        if (m !== null) {
          flag = m[2]!;
          flags = m[1] === '*' ? CROSS_PRODUCT : m[1] === '~' ? COMPOUND_ONLY : 0;
          oldFormat = true;
          continue;
        }
      }
      if (lower.startsWith('flag') || /^(?:COMPOUNDFLAG|COMPOUNDMIN|PFX|SFX)/.test(line)) {
        if (oldFormat) throw configFileError('affix file contains both old-style and new-style commands');
        this.readHunspellAffixes(lines);
        return;
      }
      if (!suffixes && !prefixes) continue;
      const rule = oldRule(lower);
      if (rule !== null) this.addAffix(flag, flags, rule.mask, rule.find, rule.repl, suffixes);
    }
  }

  private readHunspellAffixes(lines: readonly string[]): void {
    const used = lines.filter((l) => l !== '' && !/^[\s#]/.test(l));
    for (const line of used) {
      const command = COMPOUND_COMMANDS.find(([word]) => line.startsWith(word));
      if (command !== undefined) this.addCompoundFlag(line.slice(command[0].length), command[1]);
      else if (line.startsWith('FLAG')) {
        const kind = line.slice(4).trim();
        if (kind.startsWith('long')) this.mode = 'long';
        else if (kind.startsWith('num')) this.mode = 'num';
        else if (kind !== '' && !kind.startsWith('default')) throw configFileError('Ispell dictionary supports only "default", "long", and "num" flag values');
      }
    }
    let flags = 0, announced = 0;
    for (const line of used) {
      const [type = '', flag = '', find = '', repl = '', mask = ''] = line.split(/\s+/).filter((x) => x !== '' && !x.startsWith('#'));
      const kind = type.toLowerCase();
      if (kind.startsWith('af')) {
        if (this.aliases === null) {
          announced = Number.parseInt(flag, 10) || 0;
          if (announced <= 0) throw configFileError('invalid number of flag vector aliases');
          this.aliases = [''];
        } else if (this.aliases.length <= announced) this.aliases.push(flag);
        else throw configFileError(`number of aliases exceeds specified number ${announced}`);
        continue;
      }
      if (repl === '' || !/^[sp]fx/.test(kind) || flag === '' || (flag.length > 1 && this.mode === 'char') || (flag.length > 2 && this.mode === 'long')) continue;
      if (mask === '') {
        flags = /^y/i.test(find) ? CROSS_PRODUCT : 0;
        continue;
      }
      const slash = repl.indexOf('/');
      const own = slash < 0 ? 0 : this.compoundValue(this.flagSet(repl.slice(slash + 1)));
      const added = (slash < 0 ? repl : repl.slice(0, slash)).toLowerCase();
      this.addAffix(flag, flags | own, mask.toLowerCase(), find.startsWith('0') ? '' : find.toLowerCase(), repl.startsWith('0') ? '' : added, kind.startsWith('s'));
    }
  }

  private addCompoundFlag(text: string, value: number): void {
    const flag = text.trim().split(/\s/)[0]!;
    if (flag === '') throw configFileError('syntax error');
    const name = this.mode === 'num' ? String(Number.parseInt(flag, 10)) : flag;
    this.compoundFlags.set(name, (this.compoundFlags.get(name) ?? 0) | value);
    this.compounds = true;
  }

  private addAffix(flag: string, flags: number, mask: string, find: string, repl: string, suffix: boolean): void {
    const compound = (flags & (COMPOUND_ONLY | COMPOUND_PERMIT)) !== 0 && (flags & COMPOUND) === 0 ? COMPOUND : 0;
    let pattern: RegExp | null = null;
    if (mask !== '.' && mask !== '') {
      try {
        pattern = new RegExp(suffix ? `(?:${mask})$` : `^(?:${mask})`, 'u');
      } catch {
        throw new PgError('invalid_regular_expression', `invalid regular expression: ${mask}`);
      }
    }
    this.affixes.push({ flag, flags: flags | compound, suffix, find, repl, mask: pattern });
  }

  private addWord(line: string): void {
    const slash = line.indexOf('/');
    const flags = slash < 0 ? '' : /^[!-~]*/.exec(line.slice(slash + 1))![0];
    const word = (slash < 0 ? line : line.slice(0, slash)).split(/\s/)[0]!.toLowerCase();
    const affixes = this.wordFlags(flags);
    const known = this.words.get(word);
    const merged = known === undefined || known.affixes === affixes ? affixes : `${known.affixes}${this.mode === 'num' && known.affixes !== '' && affixes !== '' ? ',' : ''}${affixes}`;
    let compound = this.compoundValue(merged) & COMPOUND_MASK;
    if ((compound & COMPOUND_ONLY) !== 0 && (compound & COMPOUND) === 0) compound |= COMPOUND;
    if (known !== undefined && known.affixes !== affixes && (COMPOUND_ONLY & known.compound & this.compoundValue(affixes)) === 0) compound &= ~COMPOUND_ONLY;
    this.words.set(word, { affixes: merged, compound });
  }

  private wordFlags(flags: string): string {
    if (this.aliases === null || flags === '') return flags;
    const m = /^\s*[+-]?\d+/.exec(flags), number = m === null ? -1 : Number(m[0]);
    if (m === null || number < 0 || number >= this.aliases.length || !/^(?:$|[\d\s])/.test(flags.slice(m[0].length))) throw configFileError(`invalid affix alias "${flags}"`);
    return this.aliases[number]!;
  }

  private flagSet(text: string): string {
    if (this.aliases === null || text === '') return text;
    const number = Number(text);
    if (!Number.isInteger(number) || number > this.aliases.length) throw configFileError(`invalid affix alias "${text}"`);
    return number > 0 ? this.aliases[number] ?? '' : '';
  }

  private flagsOf(text: string): string[] {
    if (this.mode === 'char') return [...text];
    if (this.mode === 'num') return text === '' ? [] : text.split(',').map((n) => {
      if (!/^\s*\d+\s*$/.test(n)) throw configFileError(`invalid affix flag "${text}"`);
      return String(Number.parseInt(n, 10));
    });
    if (text.length % 2 !== 0) throw configFileError(`invalid affix flag "${text}"`);
    return text.match(/../g) ?? [];
  }

  private compoundValue(flags: string): number {
    return this.compoundFlags.size === 0 ? 0 : this.flagsOf(flags).reduce((v, f) => v | (this.compoundFlags.get(f) ?? 0), 0);
  }

  private arrangeAffixes(): void {
    const reversed = (t: string): string => [...t].reverse().join('');
    const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
    const prefixes = this.affixes.filter((a) => !a.suffix).sort((a, b) => compare(a.repl, b.repl));
    const suffixes = this.affixes.filter((a) => a.suffix).sort((a, b) => compare(reversed(a.repl), reversed(b.repl)));
    const used = new Set<string>();
    for (const { affixes } of this.words.values()) for (const f of this.flagsOf(affixes)) used.add(f);
    for (const a of [...prefixes, ...suffixes]) {
      if ((a.flags & COMPOUND) === 0 || a.repl === '' || !used.has(a.flag)) continue;
      // Only the shortest ones.
      const last = this.compoundAffixes.at(-1);
      if (last === undefined || last.suffix !== a.suffix || !(a.suffix ? a.repl.endsWith(last.text) : a.repl.startsWith(last.text))) this.compoundAffixes.push({ text: a.repl, suffix: a.suffix });
    }
    // The shorter an affix, the earlier it is tried.
    this.prefixes = prefixes.sort((a, b) => a.repl.length - b.repl.length);
    this.suffixes = suffixes.sort((a, b) => a.repl.length - b.repl.length);
  }

  // ---- looking words up

  private has(word: string, affixFlag: string, use: number): boolean {
    const entry = this.words.get(word);
    if (entry === undefined || (use === 0 ? (entry.compound & COMPOUND_ONLY) !== 0 : (entry.compound & use) === 0)) return false;
    return affixFlag === '' || this.flagsOf(entry.affixes).includes(affixFlag);
  }

  /** A word without an affix, if it may have had it (CheckAffix). `base`: how much of the word the suffix left. */
  private without(word: string, affix: Affix, use: number, base: number | null): string | null {
    if (use === 0) {
      if ((affix.flags & COMPOUND_ONLY) !== 0) return null;
    } else {
      if ((affix.flags & COMPOUND_FORBID) !== 0) return null;
      if ((use & COMPOUND_BEGIN) !== 0) {
        if ((affix.flags & COMPOUND_BEGIN) === 0 && affix.suffix) return null;
      } else if ((use & COMPOUND_MIDDLE) !== 0) {
        if ((affix.flags & COMPOUND_MIDDLE) === 0) return null;
      } else if ((use & COMPOUND_LAST) !== 0 && (affix.flags & COMPOUND_LAST) === 0 && !affix.suffix) return null;
    }
    if (!affix.suffix && base !== null && base + affix.find.length <= affix.repl.length) return null;
    const result = affix.suffix ? word.slice(0, word.length - affix.repl.length) + affix.find : affix.find + word.slice(affix.repl.length);
    return affix.mask === null || affix.mask.test(result) ? result : null;
  }

  private formsOf(word: string, use: number): string[] {
    const forms: string[] = [];
    const add = (form: string): void => { if (forms.length < MAX_FORMS && forms.at(-1) !== form) forms.push(form); };
    if (word.length > MAX_WORD) return forms;
    if (this.has(word, '', use)) add(word);
    for (const p of this.prefixes) {
      if (!word.startsWith(p.repl)) continue;
      const rest = this.without(word, p, use, null);
      if (rest !== null && this.has(rest, p.flag, use)) add(rest);
    }
    for (const s of this.suffixes) {
      if (!word.endsWith(s.repl)) continue;
      const rest = this.without(word, s, use, null);
      if (rest === null) continue;
      if (this.has(rest, s.flag, use)) add(rest);
      const base = word.length - s.repl.length;
      for (const p of this.prefixes) {
        if (!rest.startsWith(p.repl)) continue;
        const inner = this.without(rest, p, use, base);
        if (inner !== null && this.has(inner, (p.flags & s.flags & CROSS_PRODUCT) !== 0 ? '' : p.flag, use)) add(inner);
      }
    }
    return forms;
  }

  private someWordBegins(text: string): boolean {
    let low = 0, high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sorted[middle]! < text) low = middle + 1;
      else high = middle;
    }
    return this.sorted[low]?.startsWith(text) ?? false;
  }

  /** The ways a word can be made of words (SplitToVariants). `within`: words that are longer at the same place are looked for. */
  private splits(word: string, before: readonly string[], startAt: number, least: number, within: boolean): string[][] {
    const stems = [...before], others: string[][] = [], probed = new Set<number>();
    let start = startAt, level = within ? least : start, alive = true;
    while (level < word.length) {
      if (level > start) for (const { text, suffix } of this.compoundAffixes) {
        const rest = word.slice(level);
        const at = alive ? (rest.startsWith(text) ? 0 : -1) : rest.indexOf(text);
        if (rest.length <= text.length || at < 0) continue;
        const length = level - start + (suffix ? text.length + at : 0);
        if (probed.has(start + length - 1) || level + length - 1 <= least || length >= MAX_WORD) continue;
        const forms = this.formsOf(word.slice(start, start + length), level === word.length - 1 ? COMPOUND_LAST : COMPOUND_MIDDLE);
        if (forms.length === 0) continue;
        probed.add(start + length - 1);
        others.push(...this.splits(word, [...stems, ...forms], start + length, start + length, false));
      }
      if (!alive) break;
      const piece = word.slice(start, level + 1);
      if (this.someWordBegins(piece)) {
        const use = start === 0 ? COMPOUND_BEGIN : level === word.length - 1 ? COMPOUND_LAST : COMPOUND_MIDDLE;
        const entry = this.words.get(piece);
        if (entry !== undefined && (entry.compound & use) !== 0 && !probed.has(level) && level > least) {
          if (level + 1 === word.length) return [[...stems, piece], ...others];
          others.push(...this.splits(word, stems, start, level, true));
          level++;
          stems.push(piece);
          start = level;
          continue;
        }
      } else alive = false;
      level++;
    }
    return [[...stems, word.slice(start)], ...others];
  }

  /** What a word may come from; lexemes of one variant belong together. Null: not known. */
  normalize(word: string): Normal[] | null {
    const result: Normal[] = [];
    let variant = 1;
    for (const text of this.formsOf(word, 0)) result.push({ text, variant: variant++ });
    if (this.compounds) for (const stems of this.splits(word, [], 0, -1, false)) {
      if (stems.length < 2) continue;
      for (const last of this.formsOf(stems.at(-1)!, COMPOUND_LAST)) {
        for (const text of [...stems.slice(0, -1), last]) result.push({ text, variant });
        variant++;
      }
    }
    return result.length === 0 ? null : result;
  }
}

/** mask > -find,repl */
function oldRule(line: string): { mask: string; find: string; repl: string } | null {
  const text = line.replace(/#.*/, '');
  const m = /^([^>]*)>\s*(?:-\s*([\p{L}']*)\s*,\s*)?(-|[\p{L}'-]*)\s*$/u.exec(text);
  if (m === null) {
    if (text.includes('>')) throw configFileError('syntax error');
    return null;
  }
  const mask = m[1]!.replace(/\s/g, ''), find = m[2] ?? '', repl = m[3] === '-' ? '' : m[3]!;
  return mask !== '' && (find !== '' || repl !== '') ? { mask, find, repl } : null;
}
