// The keyboard of people who write SQL: a statement of several lines is edited, searched for and recalled as one. The keys are
// those of readline in its Emacs mode; Up and Down go through the lines first, then through the history.
import type { ReadStream, WriteStream } from 'node:tty';
import { StringDecoder } from 'node:string_decoder';
import { Display } from './display.ts';
import { colouredPrompt, colours, wantsColour } from './highlight.ts';
import { KeyReader, type Key } from './keys.ts';
import { screenWidth } from './mbprint.ts';

/** What the reader of statements thinks of a text: the prompts of its lines but the first, that of one more, whether it may go. */
export interface Judgement { prompts: string[]; complete: boolean }
export type Judge = (text: string) => Judgement;
export type Completer = (before: string, behind: string) => Promise<[candidates: string[], word: string]>;
/** Ctrl-C; the end (Ctrl-D) behind a text. */
export interface Edited { kind: 'text' | 'interrupted' | 'end'; text: string }

const WORD = /[\p{L}\p{N}_]/u;
const MAX_UNDO = 500;
/** Candidates that are shown without a question. */
const MANY = 100;

interface Search { text: string; backward: boolean; index: number; failed: boolean; saved: { text: string; cursor: number } }

export class LineEditor {
  /** Oldest first. */
  readonly history: readonly string[];
  completer: Completer | null = null;
  private readonly input: ReadStream;
  private readonly output: WriteStream;
  private readonly display: Display;
  private readonly keys = new KeyReader();
  private readonly decoder = new StringDecoder('utf8');
  private queue: Key[] = [];
  private busy = false;
  private done: ((edited: Edited) => void) | null = null;
  private prompt = '';
  private judge: Judge | null = null;
  private judged: { text: string; judgement: Judgement } | null = null;
  private text = '';
  private cursor = 0;
  /** The column that Up and Down keep. */
  private goal: number | null = null;
  /** The place in the history; its length: the new text. What was changed on the way is kept until the text goes. */
  private place = 0;
  private edits = new Map<number, string>();
  private undo: { text: string; cursor: number }[] = [];
  private kills: string[] = [];
  private last = '';
  private yanked: { from: number; index: number } | null = null;
  private search: Search | null = null;
  private question: ((yes: boolean) => void) | null = null;
  private quoting = false;

  constructor(input: ReadStream, output: WriteStream, history: readonly string[]) {
    this.input = input;
    this.output = output;
    this.history = history;
    this.display = new Display(output);
    output.on('resize', () => { if (this.done !== null) this.display.repaint(this.picture()); });
    input.on('end', () => this.finish({ kind: 'end', text: '' }));
    process.on('SIGCONT', () => {
      if (this.done === null) return;
      this.raw(true);
      this.display.forget();
      this.draw();
    });
  }

  get editing(): boolean { return this.done !== null; }

  /** Reads one text; without a judge it is one line, which is not coloured and for which there is no history. */
  read(prompt: string, judge: Judge | null): Promise<Edited> {
    // Lines of a prompt above its last are just printed.
    const cut = prompt.lastIndexOf('\n') + 1;
    // oxlint-disable-next-line no-control-regex -- readline's marks
    if (cut > 0) this.output.write(prompt.slice(0, cut).replace(/[\x01\x02]/g, '').replaceAll('\n', '\r\n'));
    this.prompt = prompt.slice(cut);
    this.judge = judge;
    this.judged = null;
    this.text = '';
    this.cursor = 0;
    this.place = this.history.length;
    this.edits.clear();
    this.undo = [];
    this.goal = this.yanked = this.search = null;
    this.last = '';
    this.display.forget();
    return new Promise((resolve) => {
      this.done = resolve;
      this.input.on('data', this.onData);
      this.raw(true);
      this.input.resume();
      this.draw();
      void this.pump();
    });
  }

  private readonly onData = (bytes: Buffer): void => {
    this.queue.push(...this.keys.read(this.decoder.write(bytes)));
    void this.pump();
  };

  /** Raw while a text is read; while it runs the terminal is as it was, and Ctrl-C is a signal. */
  private raw(on: boolean): void {
    this.input.setRawMode(on);
    this.output.write(on ? '\x1b[?2004h' : '\x1b[?2004l');
  }

  private finish(edited: Edited): void {
    const { done } = this;
    if (done === null) return;
    this.done = null;
    this.raw(false);
    this.input.pause();
    this.input.off('data', this.onData);
    done(edited);
  }

  /** One key after the other: some wait for the server. */
  private async pump(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    while (this.done !== null && this.queue.length > 0) {
      const key = this.queue.shift()!;
      await this.press(key);
      // What was pasted without marks, or typed ahead, is drawn once.
      if (this.done !== null && this.queue.length === 0) this.draw();
    }
    this.busy = false;
  }

  // ---- the picture

  private judgement(): Judgement {
    if (this.judge === null) return { prompts: [], complete: true };
    if (this.judged?.text !== this.text) this.judged = { text: this.text, judgement: this.judge(this.text) };
    return this.judged!.judgement;
  }

  private picture(plain = false): { text: string; cursor: number; prompts: string[]; colours: Uint8Array | null } {
    const colour = this.judge !== null && wantsColour();
    let prompts = [this.prompt, ...(this.text.includes('\n') ? this.judgement().prompts : [])];
    if (colour) prompts = prompts.map((p, i) => colouredPrompt(p, i === 0));
    const { search } = this;
    if (search !== null && !plain) prompts[0] = `(${search.failed ? 'failed ' : ''}${search.backward ? 'reverse-' : ''}i-search)\`${search.text}': `;
    return { text: this.text, cursor: this.cursor, prompts, colours: colour ? colours(this.text) : null };
  }

  private draw(): void {
    if (this.question === null) this.display.draw(this.picture());
  }

  /** Something is printed above what is being edited. */
  interject(print: () => void): void {
    if (this.done === null) {
      print();
      return;
    }
    this.cursor = Math.min(this.cursor, this.text.length);
    this.display.draw({ ...this.picture(), cursor: this.text.length });
    this.display.leave();
    print();
    this.draw();
  }

  // ---- keys

  private async press(key: Key): Promise<void> {
    if (this.question !== null) {
      const answer = this.question;
      this.question = null;
      answer(/^(text|tab)$/.test(key.name) && /^[yY \t]/.test(key.text));
      return;
    }
    if (this.quoting) {
      this.quoting = false;
      if (key.text !== '') this.insert(key.text);
      return;
    }
    if (this.search !== null && this.searchKey(key)) return;
    if (key.name === 'text') {
      if (this.last !== 'text') this.keep();
      this.insert(key.text);
    } else if (key.name === 'paste') {
      this.keep();
      this.insert(key.text.replace(/\r\n?/g, '\n').replace(/\n$/, ''));
    } else {
      const command = KEYS[key.name];
      if (command === undefined) return;
      if (!/^(up|down)$/.test(key.name)) this.goal = null;
      await command(this);
    }
    if (key.name === 'text' || key.name === 'paste') this.goal = null;
    this.last = key.name;
  }

  /** For undoing. */
  keep(): void {
    const top = this.undo.at(-1);
    if (top?.text === this.text) return;
    this.undo.push({ text: this.text, cursor: this.cursor });
    if (this.undo.length > MAX_UNDO) this.undo.shift();
  }

  insert(text: string): void {
    this.text = this.text.slice(0, this.cursor) + text + this.text.slice(this.cursor);
    this.cursor += text.length;
  }

  enter(): void {
    const { complete } = this.judgement(), lastLine = this.text.lastIndexOf('\n') + 1;
    if (!complete) {
      this.keep();
      // On the last line Return ends it, wherever in it; further up it divides the line.
      if (this.cursor >= lastLine) this.cursor = this.text.length;
      this.insert('\n');
      return;
    }
    this.accept();
  }

  accept(): void {
    this.search = null;
    this.cursor = this.text.length;
    this.display.draw(this.picture());
    this.display.leave();
    this.finish({ kind: 'text', text: this.text });
  }

  interrupt(): void {
    this.search = null;
    this.cursor = this.text.length;
    this.display.draw(this.picture());
    this.output.write('^C');
    this.display.leave();
    this.finish({ kind: 'interrupted', text: '' });
  }

  endOrDelete(): void {
    // An empty line at the end, also of several, is the end.
    if (this.cursor === this.text.length && (this.text === '' || this.text.endsWith('\n'))) this.finish({ kind: 'end', text: this.text.replace(/\n$/, '') });
    else this.deleteForward();
  }

  suspend(): void {
    this.display.leave();
    this.raw(false);
    process.kill(process.pid, 'SIGTSTP');
  }

  // ---- moving

  private before(at: number): number {
    let i = at;
    while (i > 0) {
      i -= i > 1 && /[\udc00-\udfff]/.test(this.text[i - 1]!) ? 2 : 1;
      if (screenWidth(this.text.codePointAt(i)!) !== 0) break;
    }
    return i;
  }

  private behind(at: number): number {
    let i = at;
    while (i < this.text.length) {
      i += this.text.codePointAt(i)! > 0xffff ? 2 : 1;
      if (i >= this.text.length || screenWidth(this.text.codePointAt(i)!) !== 0) break;
    }
    return i;
  }

  wordBefore(): number {
    let i = this.cursor;
    while (i > 0 && !WORD.test(this.text[i - 1]!)) i--;
    while (i > 0 && WORD.test(this.text[i - 1]!)) i--;
    return i;
  }

  wordBehind(): number {
    let i = this.cursor;
    while (i < this.text.length && !WORD.test(this.text[i]!)) i++;
    while (i < this.text.length && WORD.test(this.text[i]!)) i++;
    return i;
  }

  lineStart(): number { return this.text.lastIndexOf('\n', this.cursor - 1) + 1; }
  lineEnd(): number {
    const end = this.text.indexOf('\n', this.cursor);
    return end < 0 ? this.text.length : end;
  }

  left(): void { this.cursor = this.before(this.cursor); }
  right(): void { this.cursor = this.behind(this.cursor); }
  moveTo(at: number): void { this.cursor = at; }
  get length(): number { return this.text.length; }

  vertical(step: -1 | 1): void {
    const start = this.lineStart(), column = this.goal ?? this.cursor - start;
    if (step < 0 ? start === 0 : this.lineEnd() === this.text.length) {
      this.recall(this.place + step);
      return;
    }
    const other = step < 0 ? this.text.lastIndexOf('\n', start - 2) + 1 : this.lineEnd() + 1;
    const end = this.text.indexOf('\n', other);
    this.cursor = Math.min(other + column, end < 0 ? this.text.length : end);
    this.goal = column;
  }

  recall(place: number): void {
    if (this.judge === null || place < 0 || place > this.history.length || place === this.place) return;
    this.edits.set(this.place, this.text);
    this.place = place;
    this.text = this.edits.get(place) ?? this.history[place] ?? '';
    this.cursor = this.text.length;
    this.undo = [];
    this.goal = null;
  }

  step(by: number): void { this.recall(this.place + by); }
  oldest(): void { this.recall(0); }
  newest(): void { this.recall(this.history.length); }

  // ---- changing

  private kill(from: number, to: number, backward: boolean): void {
    if (from === to) return;
    this.keep();
    const text = this.text.slice(from, to);
    // Kills in a row are one.
    if (KILLS.test(this.last) && this.kills.length > 0) this.kills[this.kills.length - 1] = backward ? text + this.kills.at(-1)! : this.kills.at(-1)! + text;
    else this.kills.push(text);
    if (this.kills.length > 60) this.kills.shift();
    this.replace(from, to, '');
  }

  private replace(from: number, to: number, by: string): void {
    this.text = this.text.slice(0, from) + by + this.text.slice(to);
    this.cursor = from + by.length;
  }

  deleteForward(): void {
    if (this.cursor === this.text.length) return;
    this.keep();
    this.replace(this.cursor, this.behind(this.cursor), '');
  }

  deleteBackward(): void {
    if (this.cursor === 0) return;
    if (this.last !== 'backspace') this.keep();
    this.replace(this.before(this.cursor), this.cursor, '');
  }

  killLine(): void { this.kill(this.cursor, this.lineEnd() === this.cursor ? Math.min(this.cursor + 1, this.text.length) : this.lineEnd(), false); }
  killLineBackward(): void { this.kill(this.lineStart() === this.cursor ? Math.max(0, this.cursor - 1) : this.lineStart(), this.cursor, true); }
  killWord(): void { this.kill(this.cursor, this.wordBehind(), false); }
  killWordBackward(): void { this.kill(this.wordBefore(), this.cursor, true); }
  killSpacedWord(): void { this.kill(this.cursor - /\S*\s*$/.exec(this.text.slice(0, this.cursor))![0].length, this.cursor, true); }

  yank(): void {
    if (this.kills.length === 0) return;
    this.keep();
    this.yanked = { from: this.cursor, index: this.kills.length - 1 };
    this.insert(this.kills.at(-1)!);
  }

  yankOther(): void {
    if (this.yanked === null || !/^(C-y|M-y)$/.test(this.last)) return;
    const index = (this.yanked.index || this.kills.length) - 1;
    this.replace(this.yanked.from, this.cursor, this.kills[index]!);
    this.yanked.index = index;
  }

  /** The last word of the statement before. */
  lastArgument(): void {
    const word = /\S+\s*$/.exec(this.history.at(-1) ?? '')?.[0].trim();
    if (word === undefined) return;
    this.keep();
    this.insert(word);
  }

  transpose(): void {
    const at = this.cursor === this.text.length ? this.before(this.cursor) : this.cursor;
    if (at === 0) return;
    this.keep();
    const from = this.before(at), to = this.behind(at);
    this.replace(from, to, this.text.slice(at, to) + this.text.slice(from, at));
  }

  changeWord(change: (word: string) => string): void {
    const to = this.wordBehind();
    if (to === this.cursor) return;
    this.keep();
    this.replace(this.cursor, to, change(this.text.slice(this.cursor, to)));
  }

  undoLast(): void {
    let state = this.undo.pop();
    while (state !== undefined && state.text === this.text) state = this.undo.pop();
    if (state === undefined) return;
    this.text = state.text;
    this.cursor = Math.min(state.cursor, state.text.length);
  }

  commentOut(): void {
    this.text = this.text.replace(/^/gm, '--');
    this.accept();
  }

  quoteNext(): void { this.quoting = true; }
  clear(): void { this.display.clearScreen(this.picture()); }

  // ---- searching

  startSearch(backward: boolean): void {
    if (this.judge === null) return;
    this.search = { text: '', backward, index: this.place, failed: false, saved: { text: this.text, cursor: this.cursor } };
  }

  /** True when the key belongs to the search; others end it and do what they always do. */
  private searchKey(key: Key): boolean {
    const search = this.search!;
    if (key.name === 'text' || key.name === 'paste') {
      search.text += key.text;
      this.find(search.index);
    } else if (key.name === 'backspace') {
      search.text = search.text.slice(0, -1);
      search.index = this.history.length;
      this.find(search.index);
    } else if (key.name === 'C-r' || key.name === 'C-s') {
      search.backward = key.name === 'C-r';
      if (search.text === '') search.text = lastSearch.text;
      this.find(search.index + (search.backward ? -1 : 1));
    } else if (key.name === 'C-g') {
      ({ text: this.text, cursor: this.cursor } = search.saved);
      this.search = null;
    } else {
      lastSearch.text = search.text;
      this.search = null;
      return false;
    }
    return true;
  }

  private find(from: number): void {
    const search = this.search!;
    if (search.text === '') return;
    for (let i = from; i >= 0 && i <= this.history.length; i += search.backward ? -1 : 1) {
      const entry = i === this.history.length ? search.saved.text : this.history[i]!, at = entry.lastIndexOf(search.text);
      if (at < 0) continue;
      search.index = this.place = i;
      search.failed = false;
      this.text = entry;
      this.cursor = at;
      this.undo = [];
      return;
    }
    search.failed = true;
  }

  // ---- completion

  async complete(): Promise<void> {
    if (this.judge === null || this.completer === null) {
      this.insert('\t');
      return;
    }
    const before = this.text.slice(0, this.cursor), [candidates, word] = await this.completer(before, this.text.slice(this.cursor));
    if (this.done === null || candidates.length === 0) return;
    const common = commonBeginning(candidates);
    if (common !== word && common.length >= word.length) {
      this.keep();
      this.replace(this.cursor - word.length, this.cursor, common);
      return;
    }
    // A second Tab tells what there is.
    if (this.last === 'tab') this.offer(candidates);
    else this.output.write('\x07');
  }

  private offer(candidates: readonly string[]): void {
    this.display.draw({ ...this.picture(), cursor: this.text.length });
    this.display.leave();
    if (candidates.length <= MANY) {
      this.list(candidates);
      return;
    }
    this.output.write(`Display all ${candidates.length} possibilities? (y or n)`);
    this.question = (yes) => {
      this.output.write('\r\n');
      if (yes) this.list(candidates);
      this.draw();
    };
  }

  private list(candidates: readonly string[]): void {
    const width = Math.max(...candidates.map((c) => c.length)) + 2, columns = Math.max(1, Math.floor((this.output.columns || 80) / width)), rows = Math.ceil(candidates.length / columns);
    for (let r = 0; r < rows; r++) {
      let line = '';
      for (let i = r; i < candidates.length; i += rows) line += i + rows < candidates.length ? candidates[i]!.padEnd(width) : candidates[i]!;
      this.output.write(`${line}\r\n`);
    }
  }
}

const lastSearch = { text: '' };

function commonBeginning(words: readonly string[]): string {
  let common = words[0]!;
  for (const word of words) while (!word.startsWith(common)) common = common.slice(0, -1);
  return common;
}

const KILLS = /^(C-k|C-u|C-w|M-d|M-backspace|M-C-h)$/;
type Action = (editor: LineEditor) => void | Promise<void>;
const upper: Action = (e) => e.changeWord((w) => w.toUpperCase()), lower: Action = (e) => e.changeWord((w) => w.toLowerCase());
const capital: Action = (e) => e.changeWord((w) => w.toLowerCase().replace(/[\p{L}\p{N}]/u, (c) => c.toUpperCase()));
const wordLeft: Action = (e) => e.moveTo(e.wordBefore()), wordRight: Action = (e) => e.moveTo(e.wordBehind());
const newline: Action = (e) => {
  e.keep();
  e.insert('\n');
};

const KEYS: Readonly<Record<string, Action>> = {
  'enter': (e) => e.enter(), 'M-enter': newline, 'tab': (e) => e.complete(),
  'C-c': (e) => e.interrupt(), 'C-d': (e) => e.endOrDelete(), 'C-z': (e) => e.suspend(), 'C-l': (e) => e.clear(),
  'left': (e) => e.left(), 'C-b': (e) => e.left(), 'right': (e) => e.right(), 'C-f': (e) => e.right(),
  'C-left': wordLeft, 'M-left': wordLeft, 'M-b': wordLeft, 'C-right': wordRight, 'M-right': wordRight, 'M-f': wordRight,
  'home': (e) => e.moveTo(e.lineStart()), 'C-a': (e) => e.moveTo(e.lineStart()), 'end': (e) => e.moveTo(e.lineEnd()), 'C-e': (e) => e.moveTo(e.lineEnd()),
  'C-home': (e) => e.moveTo(0), 'C-end': (e) => e.moveTo(e.length),
  'up': (e) => e.vertical(-1), 'down': (e) => e.vertical(1), 'C-p': (e) => e.step(-1), 'C-n': (e) => e.step(1), 'pageup': (e) => e.step(-1), 'pagedown': (e) => e.step(1),
  'M-<': (e) => e.oldest(), 'M->': (e) => e.newest(), 'C-r': (e) => e.startSearch(true), 'C-s': (e) => e.startSearch(false),
  'backspace': (e) => e.deleteBackward(), 'delete': (e) => e.deleteForward(),
  'C-k': (e) => e.killLine(), 'C-u': (e) => e.killLineBackward(), 'C-w': (e) => e.killSpacedWord(), 'M-d': (e) => e.killWord(), 'M-backspace': (e) => e.killWordBackward(),
  'C-y': (e) => e.yank(), 'M-y': (e) => e.yankOther(), 'M-.': (e) => e.lastArgument(), 'C-t': (e) => e.transpose(), 'C-_': (e) => e.undoLast(), 'C-v': (e) => e.quoteNext(),
  'M-u': upper, 'M-l': lower, 'M-c': capital, 'M-#': (e) => e.commentOut(),
};
