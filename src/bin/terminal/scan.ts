// Where SQL statements end, and variables inside them (psqlscan.l). A scanner goes through one line at a time and remembers
// between lines what it is inside of.
import { escapeIdentifier, escapeLiteral } from '../../interfaces/libpq/escape.ts';
import { strerror } from '../../common/strerror.ts';
import { logError, stdout } from './output.ts';
import { runShell } from './shell.ts';
import { getVariable } from './variables.ts';

export type ScanResult = 'semicolon' | 'backslash' | 'incomplete' | 'end of line';
export type PromptStatus = 'ready' | 'continue' | 'single quote' | 'double quote' | 'dollar quote' | 'comment' | 'paren' | 'copy';
type State = 'initial' | 'comment' | 'double quote' | 'quote' | 'escape quote' | 'dollar quote';

const STATE_PROMPT: Record<Exclude<State, 'initial'>, PromptStatus> = {
  'comment': 'comment', 'double quote': 'double quote', 'quote': 'single quote', 'escape quote': 'single quote', 'dollar quote': 'dollar quote',
};
const WHITESPACE = /(?:[ \t\n\r\f\v]+|--[^\n\r]*)+/y;
const DOLLAR = /\$(?:[A-Za-z\x80-\uffff_][A-Za-z\x80-\uffff_0-9]*)?\$/y;
const IDENTIFIER = /[A-Za-z\x80-\uffff_][A-Za-z\x80-\uffff_0-9$]*/y;
const NUMBER = /(?:\$\d+|\d+)/y;
const VARIABLE = /:(?:([A-Za-z\x80-\uffff_0-9]+)|'([A-Za-z\x80-\uffff_0-9]+)'|"([A-Za-z\x80-\uffff_0-9]+)"|\{\?([A-Za-z\x80-\uffff_0-9]+)\})/y;
const COUNTED = new Set(['create', 'function', 'procedure', 'or', 'replace']);

function at(pattern: RegExp, text: string, position: number): RegExpExecArray | null {
  pattern.lastIndex = position;
  return pattern.exec(text);
}

/** How arguments of a backslash command are read: an ordinary word, an SQL identifier, a file or "|command", the rest of the line. */
export type ArgumentKind = 'normal' | 'sqlid' | 'sqlidhack' | 'filepipe' | 'whole line';

export class Scanner {
  /** Whether the \if branch we are in is taken: variables and backticks count only there. */
  active: () => boolean = () => true;
  prompt: PromptStatus = 'ready';
  /** Something in the last argument was quoted, or came from a variable or command. */
  quoted = false;
  private text = '';
  private position = 0;
  private state: State = 'initial';
  private depth = 0;
  private commentDepth = 0;
  private beginDepth = 0;
  private tag = '';
  private words = 0;
  private silent = false;
  private firsts: string[] = [];
  /** Variables that are being read instead of their names, and how much text stands behind each. */
  private expansions: { name: string; behind: number }[] = [];

  setup(line: string): void {
    this.text = line;
    this.position = 0;
    this.expansions = [];
  }

  get inQuote(): boolean { return this.state !== 'initial'; }
  get parenDepth(): number { return this.depth; }
  set parenDepth(depth: number) { this.depth = depth; }

  /** Forgets what it was inside of, for a new statement. */
  reset(): void {
    this.state = 'initial';
    this.depth = this.commentDepth = this.beginDepth = this.words = 0;
    this.tag = '';
  }

  /** Another one in the same state, to see what a text would do; it says nothing. */
  fork(): Scanner {
    const other = Object.assign(new Scanner(), this);
    other.firsts = [...this.firsts];
    other.silent = true;
    return other;
  }

  /** Goes on in the line; what belongs to the statement is added to `query`. */
  scan(query: { text: string }): ScanResult {
    for (;;) {
      const { text } = this;
      if (this.position >= text.length) return this.lineEnd(query);
      switch (this.state) {
        case 'initial': {
          const result = this.initial(query);
          if (result !== null) return result;
          break;
        }
        case 'comment': this.comment(query); break;
        case 'double quote': this.until(query, '"'); break;
        case 'quote': this.until(query, '\''); break;
        case 'escape quote': this.escapeQuote(query); break;
        case 'dollar quote': this.until(query, this.tag); break;
      }
    }
  }

  private lineEnd(query: { text: string }): ScanResult {
    if (this.state !== 'initial') {
      this.prompt = STATE_PROMPT[this.state];
      return 'incomplete';
    }
    if (this.depth > 0) {
      this.prompt = 'paren';
      return 'incomplete';
    }
    if (this.beginDepth > 0) {
      this.prompt = 'continue';
      return 'incomplete';
    }
    this.prompt = query.text !== '' ? 'continue' : 'ready';
    return query.text !== '' ? 'end of line' : 'incomplete';
  }

  private take(query: { text: string }, length: number): void {
    query.text += this.text.slice(this.position, this.position + length);
    this.position += length;
  }

  private initial(query: { text: string }): ScanResult | null {
    const { text, position } = this, c = text[position]!;
    const space = at(WHITESPACE, text, position);
    if (space !== null) {
      if (query.text !== '') query.text += space[0];
      this.position += space[0].length;
      return null;
    }
    const two = text.slice(position, position + 2);
    if (two === '/*') {
      this.state = 'comment';
      this.commentDepth = 0;
      this.take(query, 2);
      return null;
    }
    const word = at(IDENTIFIER, text, position);
    if (word !== null) {
      const next = text[position + word[0].length];
      if (next === '\'' && /^[bxne]$/i.test(word[0])) {
        this.state = /^e$/i.test(word[0]) ? 'escape quote' : 'quote';
        this.take(query, 2);
      } else if (/^u$/i.test(word[0]) && next === '&' && /['"]/.test(text[position + 2] ?? '')) {
        this.state = text[position + 2] === '"' ? 'double quote' : 'quote';
        this.take(query, 3);
      } else {
        this.countWord(word[0].toLowerCase());
        this.take(query, word[0].length);
      }
      return null;
    }
    switch (c) {
      case '\'': this.state = 'quote'; this.take(query, 1); return null;
      case '"': this.state = 'double quote'; this.take(query, 1); return null;
      case '$': {
        const dollar = at(DOLLAR, text, position) ?? at(NUMBER, text, position);
        if (dollar !== null && dollar[0].endsWith('$')) {
          this.state = 'dollar quote';
          this.tag = dollar[0];
        }
        this.take(query, dollar?.[0].length ?? 1);
        return null;
      }
      case '(': this.depth++; this.take(query, 1); return null;
      case ')': if (this.depth > 0) this.depth--; this.take(query, 1); return null;
      case ';':
        this.take(query, 1);
        if (this.depth !== 0 || this.beginDepth !== 0) return null;
        this.words = 0;
        return 'semicolon';
      case '\\':
        if (text[position + 1] === ';' || text[position + 1] === ':') {
          query.text += text[position + 1]!;
          if (text[position + 1] === ';') this.words = 0;
          this.position += 2;
          return null;
        }
        this.position++;
        return 'backslash';
      case ':': this.colon(query); return null;
      default: this.take(query, at(NUMBER, text, position)?.[0].length ?? 1); return null;
    }
  }

  /** BEGIN … END in the body of a new function: semicolons in there do not end the statement. */
  private countWord(word: string): void {
    if (this.words === 0) this.firsts = [];
    if (COUNTED.has(word) && this.words < 4) this.firsts[this.words] = word[0]!;
    this.words++;
    const [a, b, c, d] = this.firsts;
    if (a !== 'c' || !(b === 'f' || b === 'p' || (b === 'o' && c === 'r' && (d === 'f' || d === 'p'))) || this.depth !== 0) return;
    if (word === 'begin' || (word === 'case' && this.beginDepth >= 1)) this.beginDepth++;
    else if (word === 'end' && this.beginDepth > 0) this.beginDepth--;
  }

  private until(query: { text: string }, end: string): void {
    const found = this.text.indexOf(end, this.position);
    if (found < 0) this.take(query, this.text.length - this.position);
    else {
      this.take(query, found + end.length - this.position);
      this.state = 'initial';
    }
  }

  private escapeQuote(query: { text: string }): void {
    const c = this.text[this.position]!;
    if (c === '\\') this.take(query, 2);
    else {
      if (c === '\'') this.state = 'initial';
      this.take(query, 1);
    }
  }

  private comment(query: { text: string }): void {
    const found = /\/\*|\*\//.exec(this.text.slice(this.position));
    if (found === null) {
      this.take(query, this.text.length - this.position);
      return;
    }
    this.take(query, found.index + 2);
    if (found[0] === '/*') this.commentDepth++;
    else if (this.commentDepth-- === 0) this.state = 'initial';
  }

  private colon(query: { text: string }): void {
    const { text, position } = this;
    if (/^:[:=]/.test(text.slice(position, position + 2))) {
      this.take(query, 2);
      return;
    }
    const m = at(VARIABLE, text, position);
    if (m === null) {
      this.take(query, 1);
      return;
    }
    const value = this.expand(m);
    if (value === null) this.take(query, m[0].length);
    else if (m[1] !== undefined) this.replace(query, m[1], m[0].length, value);
    else {
      query.text += value;
      this.position += m[0].length;
    }
  }

  /** The value's text is read instead of the name, as if it stood there. */
  private replace(query: { text: string }, name: string, length: number, value: string): void {
    const rest = this.text.slice(this.position + length);
    this.expansions = this.expansions.filter((e) => e.behind < this.text.length - this.position);
    if (this.expansions.some((e) => e.name === name)) {
      if (!this.silent) logError(`skipping recursive expansion of variable "${name}"`);
      this.take(query, length);
      return;
    }
    this.expansions.push({ name, behind: rest.length });
    this.text = value + rest;
    this.position = 0;
  }

  private expand(m: RegExpExecArray): string | null {
    if (!this.active()) return null;
    const name = (m[1] ?? m[2] ?? m[3] ?? m[4])!, value = getVariable(name);
    if (m[4] !== undefined) return value === null ? 'FALSE' : 'TRUE';
    if (value === null) return null;
    return m[2] !== undefined ? escapeLiteral(value) : m[3] !== undefined ? escapeIdentifier(value) : value;
  }

  // ---- backslash commands (psqlscanslash.l)

  commandName(): string {
    const m = /^[^ \t\n\r\f\v\\]*/.exec(this.text.slice(this.position))!;
    this.position += m[0].length;
    return m[0];
  }

  /** The next argument; null: there is none. */
  argument(kind: ArgumentKind = 'normal', stripSemicolon = false): string | null {
    const space = /^[ \t\n\r\f\v]*/.exec(this.text.slice(this.position))!;
    this.position += space[0].length;
    if (this.position >= this.text.length) return null;
    if (kind === 'whole line') return this.restOfLine();
    if (kind === 'filepipe' && this.text[this.position] === '|') return this.restOfLine();
    let value = '', quoted = 0, any = false;
    for (;;) {
      const c = this.text[this.position];
      if (c === undefined || /[ \t\n\r\f\v\\]/.test(c)) break;
      any = true;
      if (c === '\'') {
        const text = this.quotedArgument();
        if (text === null) return null;
        value += text;
        quoted = value.length;
      } else if (c === '`') {
        const text = this.backtick();
        if (text === null) return null;
        value += text;
        quoted = value.length;
      } else if (c === '"') {
        const end = this.text.indexOf('"', this.position + 1);
        if (end < 0) {
          logError('unterminated quoted string');
          this.position = this.text.length;
          return null;
        }
        value += this.text.slice(this.position, end + 1);
        quoted = value.length;
        this.position = end + 1;
      } else if (c === ':') {
        const m = at(VARIABLE, this.text, this.position);
        if (m === null) {
          value += c;
          this.position++;
          continue;
        }
        value += this.expand(m) ?? m[0];
        quoted = value.length;
        this.position += m[0].length;
      } else {
        value += c;
        this.position++;
      }
    }
    if (!any) return null;
    this.quoted = quoted > 0;
    if (stripSemicolon) while (value.length > quoted && value.endsWith(';')) value = value.slice(0, -1);
    return kind === 'sqlid' || kind === 'sqlidhack' ? sqlIdentifier(value, kind === 'sqlid') : value;
  }

  private restOfLine(): string {
    const rest = this.text.slice(this.position);
    this.position = this.text.length;
    return rest;
  }

  private quotedArgument(): string | null {
    let value = '';
    for (this.position++; ; this.position++) {
      const c = this.text[this.position];
      if (c === undefined) {
        logError('unterminated quoted string');
        return null;
      }
      if (c === '\'') {
        this.position++;
        if (this.text[this.position] !== '\'') return value;
        value += '\'';
      } else if (c === '\\') {
        const m = /^\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|([^]))/.exec(this.text.slice(this.position));
        if (m === null) continue;
        if (m[1] !== undefined) value += String.fromCharCode(parseInt(m[1], 8) & 255);
        else if (m[2] !== undefined) value += String.fromCharCode(parseInt(m[2], 16));
        else value += { n: '\n', t: '\t', b: '\b', r: '\r', f: '\f' }[m[3]!] ?? m[3]!;
        this.position += m[0].length - 1;
      } else value += c;
    }
  }

  /** What a shell command prints, less one line end. */
  private backtick(): string | null {
    const end = this.text.indexOf('`', this.position + 1);
    if (end < 0) {
      logError('unterminated quoted string');
      this.position = this.text.length;
      return null;
    }
    // Variables count in there; ':'name'' is quoted for the shell.
    const command = this.text.slice(this.position + 1, end).replace(new RegExp(VARIABLE.source, 'g'), (...m) => {
      const name = (m[1] ?? m[2] ?? m[3] ?? m[4]) as string, value = getVariable(name);
      if (m[4] !== undefined) return value === null ? 'FALSE' : 'TRUE';
      if (value === null) return m[0] as string;
      return m[2] !== undefined ? `'${value.replaceAll('\'', '\'"\'"\'')}'` : value;
    });
    this.position = end + 1;
    if (!this.active()) return '';
    stdout.flush();
    const { stdout: out, error } = runShell(command, { stdio: ['inherit', 'pipe', 'inherit'] });
    if (error !== undefined) {
      logError(`${command}: ${strerror(error)}`);
      return '';
    }
    return out.replace(/\r?\n$/, '');
  }

  /** A "\\" between two commands is swallowed. */
  commandEnd(): void {
    const m = /^[ \t\n\r\f\v]*\\\\/.exec(this.text.slice(this.position));
    if (m !== null) this.position += m[0].length;
  }

  /** The position, to read an argument again in another way. */
  mark(): number { return this.position; }
  rewind(mark: number): void { this.position = mark; }
}

/** Quotes away, and everything outside them in lower case (dequote_downcase_identifier). */
export function sqlIdentifier(text: string, downcase: boolean): string {
  let value = '', inQuotes = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '"') {
      if (inQuotes && text[i + 1] === '"') {
        value += '"';
        i++;
      } else inQuotes = !inQuotes;
    } else value += inQuotes || !downcase ? c : c.toLowerCase();
  }
  return value;
}
