// to_char and to_number over numbers: templates such as '9G999D99PR'. The processor follows PostgreSQL's formatting.c step
// by step, since its results in odd corners are what they are by that order. The locale is C.
import { PgError } from '../../common/errors.ts';
import type { Int8 } from './datum.ts';
import { registerBuiltins } from './fmgr.ts';
import { exponentialForm, fixedForm, roundHalfEven } from './float.ts';
import { int8Multiply } from './int8.ts';
import {
  digitCount, divideAt, FINITE, makeNumeric, multiplyNumeric, Numeric, numericFromInt8, numericToText, parseNumeric, pow10,
  roundTo,
} from './numeric.ts';
import { powerNumeric } from './numeric_math.ts';
import { applyNumericTypmod } from './numeric_ops.ts';
import { outOfRange } from './errors.ts';

// In the order in which they are looked for: longer ones before their own beginnings. C and SP stand for nothing.
const KEYWORDS = [',', '.', '0', '9', 'B', 'C', 'D', 'EEEE', 'FM', 'G', 'L', 'MI', 'PL', 'PR', 'RN', 'SG', 'SP', 'S', 'TH', 'V',
  'b', 'c', 'd', 'eeee', 'fm', 'g', 'l', 'mi', 'pl', 'pr', 'rn', 'sg', 'sp', 's', 'th', 'v'] as const;
type Keyword = (typeof KEYWORDS)[number];
/** A piece of a template: a keyword, or a character to copy. */
type TemplateNode = { readonly keyword: Keyword } | { readonly character: string };

/** What a template says of the number: PostgreSQL's NUMDesc. */
interface Description {
  /** Digits before the point, after it, and behind V. */
  pre: number; post: number; multi: number;
  zeroStart: number; zeroEnd: number;
  lsign: 'none' | 'pre' | 'post'; preLsignNum: number;
  decimal: boolean; zero: boolean; fillMode: boolean; signS: boolean; bracket: boolean; minus: boolean; plus: boolean;
  roman: boolean; multiply: boolean; exponent: boolean;
}

function syntaxError(message: string, detail?: string): PgError {
  return new PgError('syntax_error', message, detail === undefined ? {} : { detail });
}

/** parse_format: keywords, "quoted text", backslash escapes, everything else as it is. */
function parseTemplate(template: string): TemplateNode[] {
  const nodes: TemplateNode[] = [];
  let at = 0;
  const take = (): string => {
    const char = String.fromCodePoint(template.codePointAt(at)!);
    at += char.length;
    return char;
  };
  while (at < template.length) {
    const keyword = KEYWORDS.find((candidate) => template.startsWith(candidate, at));
    if (keyword !== undefined) {
      nodes.push({ keyword });
      at += keyword.length;
    } else if (template[at] === '"') {
      at++;
      while (at < template.length) {
        if (template[at] === '"') {
          at++;
          break;
        }
        if (template[at] === '\\' && at + 1 < template.length) at++;
        nodes.push({ character: take() });
      }
    } else {
      if (template[at] === '\\' && template[at + 1] === '"') at++;
      nodes.push({ character: take() });
    }
  }
  return nodes;
}

function describe(nodes: readonly TemplateNode[]): Description {
  const num: Description = {
    pre: 0, post: 0, multi: 0, zeroStart: 0, zeroEnd: 0, lsign: 'none', preLsignNum: 0, decimal: false, zero: false,
    fillMode: false, signS: false, bracket: false, minus: false, plus: false, roman: false, multiply: false, exponent: false,
  };
  for (const node of nodes) {
    if (!('keyword' in node)) continue;
    const keyword = node.keyword.toUpperCase();
    if (num.exponent && keyword !== 'EEEE') throw syntaxError('"EEEE" must be the last pattern used');
    switch (keyword) {
      case '9':
        if (num.bracket) throw syntaxError('"9" must be ahead of "PR"');
        if (num.multiply) num.multi++;
        else if (num.decimal) num.post++;
        else num.pre++;
        break;
      case '0':
        if (num.bracket) throw syntaxError('"0" must be ahead of "PR"');
        if (!num.zero && !num.decimal) {
          num.zero = true;
          num.zeroStart = num.pre + 1;
        }
        if (num.decimal) num.post++;
        else num.pre++;
        num.zeroEnd = num.pre + num.post;
        break;
      case 'D': case '.':
        if (num.decimal) throw syntaxError('multiple decimal points');
        if (num.multiply) throw syntaxError('cannot use "V" and decimal point together');
        num.decimal = true;
        break;
      case 'FM':
        num.fillMode = true;
        break;
      case 'S':
        if (num.signS) throw syntaxError('cannot use "S" twice');
        if (num.plus || num.minus || num.bracket) throw syntaxError('cannot use "S" and "PL"/"MI"/"SG"/"PR" together');
        if (!num.decimal) {
          num.lsign = 'pre';
          num.preLsignNum = num.pre;
          num.signS = true;
        } else if (num.lsign === 'none') {
          num.lsign = 'post';
          num.signS = true;
        }
        break;
      case 'MI':
        if (num.signS) throw syntaxError('cannot use "S" and "MI" together');
        num.minus = true;
        break;
      case 'PL':
        if (num.signS) throw syntaxError('cannot use "S" and "PL" together');
        num.plus = true;
        break;
      case 'SG':
        if (num.signS) throw syntaxError('cannot use "S" and "SG" together');
        num.minus = true;
        num.plus = true;
        break;
      case 'PR':
        if (num.signS || num.plus || num.minus) throw syntaxError('cannot use "PR" and "S"/"PL"/"MI"/"SG" together');
        num.bracket = true;
        break;
      case 'RN':
        num.roman = true;
        break;
      case 'V':
        if (num.decimal) throw syntaxError('cannot use "V" and decimal point together');
        num.multiply = true;
        break;
      case 'EEEE':
        if (num.exponent) throw syntaxError('cannot use "EEEE" twice');
        if (num.fillMode || num.signS || num.bracket || num.minus || num.plus || num.roman || num.multiply) {
          throw syntaxError('"EEEE" is incompatible with other formats',
            '"EEEE" may only be used together with digit and decimal point patterns.');
        }
        num.exponent = true;
        break;
      default:
    }
  }
  return num;
}

const templates = new Map<string, { nodes: TemplateNode[]; description: Description }>();

function prepare(template: string): { nodes: readonly TemplateNode[]; num: Description } {
  let entry = templates.get(template);
  if (entry === undefined) {
    const nodes = parseTemplate(template);
    entry = { nodes, description: describe(nodes) };
    if (templates.size >= 64) templates.clear();
    templates.set(template, entry);
  }
  return { nodes: entry.nodes, num: { ...entry.description } };
}

function ordinalSuffix(digits: string, upper: boolean): string {
  const last = digits.at(-1)!;
  if (last < '0' || last > '9') throw new PgError('invalid_text_representation', `"${digits}" is not a number`);
  const teens = digits.length > 1 && digits.at(-2) === '1';
  const suffix = teens ? 'th' : last === '1' ? 'st' : last === '2' ? 'nd' : last === '3' ? 'rd' : 'th';
  return upper ? suffix.toUpperCase() : suffix;
}

/** get_last_relevant_decnum: index of the last digit after the point that is not 0, or of the point; -1: no point. */
function lastRelevantDigit(digits: string): number {
  const point = digits.indexOf('.');
  if (point < 0) return -1;
  let end = digits.length - 1;
  while (end > point && digits[end] === '0') end--;
  return end;
}

/** NUM_processor for output. `digits` is the number without its sign. */
function writeNumber(nodes: readonly TemplateNode[], num: Description, digits: string, sign: string, preSpaces: number): string {
  if (num.exponent) return digits;
  let zeroStart = num.zeroStart > 0 ? num.zeroStart - 1 : 0;
  let { zero, decimal, signS, bracket, minus, plus, lsign, pre, post } = num;
  const { fillMode, roman } = num;
  if (roman) {
    zero = decimal = signS = bracket = minus = plus = false;
    lsign = 'none';
    pre = post = zeroStart = preSpaces = 0;
    sign = '';
  }
  let signWritten: boolean;
  if (plus || minus) {
    signWritten = !(plus && !minus);
  } else {
    if (sign !== '-' && fillMode) bracket = false;
    signWritten = sign === '+' && fillMode && !signS;
    if (lsign === 'pre' && pre === num.preLsignNum) lsign = 'post';
  }
  let count = post + pre - 1;
  let lastRelevant = -1;
  if (fillMode && decimal) {
    lastRelevant = lastRelevantDigit(digits);
    if (lastRelevant >= 0 && num.zeroEnd > preSpaces) {
      lastRelevant = Math.max(lastRelevant, Math.min(digits.length - 1, num.zeroEnd - preSpaces));
    }
  }
  if (!signWritten && preSpaces === 0) count++;
  let out = '';
  let at = 0, current = 0, inNumber = false, cut = Infinity;
  const lastIsPoint = (): boolean => lastRelevant >= 0 && digits[lastRelevant] === '.';
  const predecimalSpace = (): boolean => !zero && at === 0 && digits[0] === '0' && post !== 0;

  const digit = (keyword: string): void => {
    if (roman) return;
    inNumber = false;
    if (!signWritten && (current >= preSpaces || (zero && zeroStart === current)) && (!predecimalSpace() || lastIsPoint())) {
      if (signS) {
        if (lsign === 'pre') {
          out += sign === '-' ? '-' : '+';
          signWritten = true;
        }
      } else if (bracket) {
        out += sign === '+' ? ' ' : '<';
        signWritten = true;
      } else if (sign === '+') {
        if (!fillMode) out += ' ';
        signWritten = true;
      } else if (sign === '-') {
        out += '-';
        signWritten = true;
      }
    }
    if (current < preSpaces && (zeroStart > current || !zero)) {
      if (!fillMode) out += ' ';
    } else if (zero && current < preSpaces && zeroStart <= current) {
      out += '0';
      inNumber = true;
    } else {
      if (digits[at] === '.') {
        if (!lastIsPoint() || fillMode) out += '.';
      } else if (lastRelevant >= 0 && at > lastRelevant && keyword !== '0') {
        // An irrelevant zero is left out.
      } else if (predecimalSpace()) {
        if (!fillMode) out += ' ';
        else if (lastIsPoint()) out += '0';
      } else if (at < digits.length) {
        out += digits[at];
        inNumber = true;
      } else {
        // PostgreSQL writes the byte that ends the string: what follows is never seen.
        cut = Math.min(cut, out.length);
        inNumber = true;
      }
      if (at < digits.length) at++;
    }
    let end = count + (preSpaces > 0 ? 1 : 0) + (decimal ? 1 : 0);
    if (lastRelevant >= 0 && lastRelevant === at) end = current;
    if (current + 1 === end) {
      if (signWritten && bracket) out += sign === '+' ? ' ' : '>';
      else if (signS && lsign === 'post') out += sign === '-' ? '-' : '+';
    }
    current++;
  };

  for (const node of nodes) {
    if ('character' in node) {
      out += node.character;
      continue;
    }
    switch (node.keyword) {
      case '9': case '0': case '.': case 'D': case 'd': digit(node.keyword); break;
      case ',': case 'G': case 'g':
        if (inNumber) out += ',';
        else if (!fillMode) out += ' ';
        break;
      case 'L': case 'l': out += ' '; break;
      case 'RN': out += fillMode ? digits : digits.padStart(15); break;
      case 'rn': out += (fillMode ? digits : digits.padStart(15)).toLowerCase(); break;
      case 'TH': case 'th':
        if (!roman && digits[0] !== '#' && sign !== '-' && !decimal) out += ordinalSuffix(digits, node.keyword === 'TH');
        break;
      case 'MI': case 'mi':
        if (sign === '-') out += '-';
        else if (!fillMode) out += ' ';
        break;
      case 'PL': case 'pl':
        if (sign === '+') out += '+';
        else if (!fillMode) out += ' ';
        break;
      case 'SG': case 'sg': out += sign; break;
      default:
    }
  }
  return out.slice(0, cut);
}

/** The text of a number, "-12.50", into the template; '#' for digits where it does not fit. */
function fitNumber(nodes: readonly TemplateNode[], num: Description, text: string): string {
  const negative = text.startsWith('-');
  let digits = negative ? text.slice(1) : text;
  const point = digits.indexOf('.');
  const whole = point < 0 ? digits.length : point;
  let preSpaces = 0;
  if (whole < num.pre) preSpaces = num.pre - whole;
  else if (whole > num.pre) digits = `${'#'.repeat(num.pre)}.${'#'.repeat(num.post)}`;
  return writeNumber(nodes, num, digits, negative ? '-' : '+', preSpaces);
}

const ROMAN: [number, string][] = [[1000, 'M'], [900, 'CM'], [500, 'D'], [400, 'CD'], [100, 'C'], [90, 'XC'], [50, 'L'], [40, 'XL'],
  [10, 'X'], [9, 'IX'], [5, 'V'], [4, 'IV'], [1, 'I']];

function toRoman(value: number): string {
  if (!(value >= 1 && value <= 3999)) return '#'.repeat(15);
  let result = '';
  for (const [size, letters] of ROMAN) {
    while (value >= size) {
      result += letters;
      value -= size;
    }
  }
  return result;
}

/** What stands for a number without exponent form: " #.####". */
const noExponentForm = (num: Description): string => ` ${'#'.repeat(num.pre)}.${'#'.repeat(num.post + 4)}`;

/** numeric_out_sci: "1.23e+04". */
function scientific(value: Numeric, scale: number): string {
  const exponent = value.coefficient === 0n ? 0 : digitCount(value.coefficient) - value.scale - 1;
  const significand = exponent >= 0
    ? divideAt(value, makeNumeric(pow10(exponent), 0), scale)
    : divideAt(multiplyNumeric(value, makeNumeric(pow10(-exponent), 0)), makeNumeric(1n, 0), scale);
  return `${numericToText(significand)}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** printf's %.<scale>e. */
function floatScientific(value: number, scale: number): string {
  const [mantissa, exponent] = exponentialForm(value, Math.min(scale, 75)).split('e') as [string, string];
  return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}

const spaceForPlus = (text: string): string => (text.startsWith('-') ? text : ` ${text}`);

function numericToChar(value: Numeric, template: string): string {
  if (template === '') return '';
  const { nodes, num } = prepare(template);
  if (num.roman) {
    const rounded = roundTo(value, 0);
    if (rounded.special !== FINITE) throw new PgError('feature_not_supported', `cannot convert ${rounded.special === 1 ? 'NaN' : 'infinity'} to integer`);
    if (rounded.coefficient > 2147483647n || rounded.coefficient < -2147483648n) throw outOfRange('integer');
    return writeNumber(nodes, num, toRoman(Number(rounded.coefficient)), '', 0);
  }
  if (num.exponent) {
    return writeNumber(nodes, num, value.special === FINITE ? spaceForPlus(scientific(value, num.post)) : noExponentForm(num), '', 0);
  }
  let scaled = value;
  if (num.multiply) {
    scaled = multiplyNumeric(value, makeNumeric(pow10(num.multi), 0));
    num.pre += num.multi;
  }
  return fitNumber(nodes, num, numericToText(roundTo(scaled, num.post)));
}

function integerToChar(value: Int8, template: string, wide: boolean): string {
  if (template === '') return '';
  const { nodes, num } = prepare(template);
  if (num.roman) {
    if (value > 2147483647 || value < -2147483648) throw outOfRange('integer');
    return writeNumber(nodes, num, toRoman(Number(value)), '', 0);
  }
  if (num.exponent) {
    return writeNumber(nodes, num, spaceForPlus(wide ? scientific(numericFromInt8(value), num.post) : floatScientific(Number(value), num.post)), '', 0);
  }
  let scaled = value;
  if (num.multiply) {
    // PostgreSQL lets the product of an integer wrap around.
    scaled = wide ? int8Multiply(value, 10 ** num.multi) : Math.imul(value as number, 10 ** num.multi);
    num.pre += num.multi;
  }
  return fitNumber(nodes, num, num.post > 0 ? `${scaled}.${'0'.repeat(num.post)}` : String(scaled));
}

function floatToChar(value: number, template: string, maxDigits: number): string {
  if (template === '') return '';
  const { nodes, num } = prepare(template);
  if (num.roman) return writeNumber(nodes, num, toRoman(roundHalfEven(value)), '', 0);
  if (num.exponent) {
    if (!Number.isFinite(value)) return writeNumber(nodes, num, noExponentForm(num), '', 0);
    return writeNumber(nodes, num, spaceForPlus(floatScientific(value, num.post)), '', 0);
  }
  let scaled = value;
  if (num.multiply) {
    scaled = value * 10 ** num.multi;
    num.pre += num.multi;
  }
  // No more digits than the type has.
  const whole = fixedForm(Math.abs(scaled), 0).length;
  if (whole >= maxDigits) num.post = 0;
  else if (whole + num.post > maxDigits) num.post = maxDigits - whole;
  return fitNumber(nodes, num, fixedForm(scaled, num.post));
}

/** NUM_processor for input: gathers sign and digits from the text as the template leads. */
function readNumber(nodes: readonly TemplateNode[], num: Description, text: string): string {
  if (num.exponent) throw new PgError('feature_not_supported', '"EEEE" not supported for input');
  if (num.roman) throw new PgError('feature_not_supported', '"RN" not supported for input');
  let sign = ' ', number = '';
  let at = 0, readPre = 0, readPost = 0, readPoint = false;
  const isDigit = (index: number): boolean => text[index]! >= '0' && text[index]! <= '9';
  const step = (): void => {
    at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  };
  const skipNonData = (count: number): void => {
    while (count-- > 0 && at < text.length && !'0123456789.,+-'.includes(text[at]!)) step();
  };
  const digit = (keyword: string): void => {
    let isRead = false;
    if (at >= text.length) return;
    if (text[at] === ' ') at++;
    if (at >= text.length) return;
    if (sign === ' ' && (keyword === '0' || keyword === '9') && readPre + readPost === 0) {
      if (num.signS && num.lsign === 'pre') {
        if (text[at] === '-' || text[at] === '+') sign = text[at++]!;
      } else if (text[at] === '-' || (num.bracket && text[at] === '<')) {
        sign = '-';
        at++;
      } else if (text[at] === '+') {
        sign = '+';
        at++;
      }
    }
    if (at >= text.length) return;
    if (isDigit(at)) {
      if (readPoint && readPost === num.post) return;
      number += text[at];
      if (readPoint) readPost++;
      else readPre++;
      isRead = true;
    } else if (num.decimal && !readPoint && text[at] === '.') {
      number += '.';
      readPoint = true;
      isRead = true;
    }
    if (at >= text.length) return;
    if (sign === ' ' && readPre + readPost > 0) {
      if (num.signS && isRead && at + 1 < text.length && !isDigit(at + 1)) {
        if (text[at + 1] === '-' || text[at + 1] === '+') sign = text[++at]!;
      } else if (!isRead && !num.signS && (num.plus || num.minus)) {
        if (text[at] === '-' || text[at] === '+') sign = text[at]!;
      }
    }
  };
  for (const node of nodes) {
    if (at >= text.length) break;
    if ('character' in node) {
      step();
      continue;
    }
    switch (node.keyword) {
      case '9': case '0': case '.': case 'D': case 'd': digit(node.keyword); break;
      // Not yet in the number is where a digit has been written, which input never does.
      case ',': case 'G': case 'g':
        if (num.fillMode || text[at] !== ',') continue;
        break;
      case 'L': case 'l': skipNonData(1); continue;
      case 'TH': case 'th':
        if (num.roman || sign === '-' || num.decimal) continue;
        skipNonData(2);
        continue;
      case 'MI': case 'mi':
        if (text[at] !== '-') {
          skipNonData(1);
          continue;
        }
        sign = '-';
        break;
      case 'PL': case 'pl':
        if (text[at] !== '+') {
          skipNonData(1);
          continue;
        }
        sign = '+';
        break;
      case 'SG': case 'sg':
        if (text[at] !== '-' && text[at] !== '+') {
          skipNonData(1);
          continue;
        }
        sign = text[at]!;
        break;
      default: continue;
    }
    at++;
  }
  num.post = readPost;
  return sign + (number.endsWith('.') ? number.slice(0, -1) : number);
}

function toNumber(text: string, template: string): Numeric | null {
  if (template === '') return null;
  const { nodes, num } = prepare(template);
  const number = readNumber(nodes, num, text);
  const scale = num.post, precision = num.pre + num.multi + scale;
  const value = applyNumericTypmod(parseNumeric(number), ((precision << 16) | (scale & 0x7ff)) + 4);
  return num.multiply ? multiplyNumeric(value, powerNumeric(numericFromInt8(10), numericFromInt8(-num.multi))) : value;
}

registerBuiltins({
  pure: {
    numeric_to_char: numericToChar,
    int4_to_char: (value: number, template: string) => integerToChar(value, template, false),
    int8_to_char: (value: Int8, template: string) => integerToChar(value, template, true),
    float4_to_char: (value: number, template: string) => floatToChar(value, template, 6),
    float8_to_char: (value: number, template: string) => floatToChar(value, template, 15),
    numeric_to_number: toNumber,
  },
});
