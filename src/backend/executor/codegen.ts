// The text builder behind the executor. A plan becomes one JavaScript text, in this shape:
//
//   'use strict';
//   const k0 = k[0], k1 = k[1], ...;            what came in from outside: functions, relations, constants
//   return function run(rt) {                   one call is one execution; rt: see executor/runtime.ts
//     let s0 = ..., s1 = ...;                   state of this execution shared by the functions below
//     function f2(...) { ... }                  pipelines of breakers, outlined consumers, subplans
//     run: { ... }                              the main pipeline
//   };
//
// Rules everything here depends on:
// - Text never contains what a user wrote: names, literals and functions are constants (`konst`).
// - Names count up, so the same plan shape gives the same text, which is compiled once per process (`instantiate`).
// - A `Column` is a value that can be read where a consumer runs. It is read when first asked for and remembered
//   in a variable for the rest of the block of text it was read in.
// - `jump(label)` leaves a labelled block, also from inside an outlined function: that function then returns false
//   and its call sites go on jumping. Functions that never jump return nothing of interest.
import type { Oid } from '../types/datum.ts';

/** The text of a value: an expression without side effects. */
export interface Value {
  readonly code: string;
  readonly nullable: boolean;
}

export interface Column {
  readonly nullable: boolean;
  readonly type: Oid;
  /** The text that reads it; may emit statements first. Called once per block. */
  readonly read: (g: Generator) => string;
}

export interface OutlinedFunction {
  readonly name: string;
  /** Labels of callers it may jump to. */
  readonly escapes: Set<string>;
}

class FunctionFrame {
  lines: string[] = [];
  labels: string[] = [];
  memo: Map<Column, string>[] = [new Map()];
  escapes = new Set<string>();
}

const ATOM = /^(?:[A-Za-z_$][\w$]*|-?\d+(?:\.\d+)?|"[^"]*"|undefined)$/;

export class Generator {
  readonly constants: unknown[] = [];
  private readonly constantNames = new Map<unknown, string>();
  private readonly functions: string[] = [];
  private readonly states: string[] = [];
  private frame = new FunctionFrame();
  private counter = 0;
  private readonly hoists = new Map<string, string>();
  private readonly labelIds = new Map<string, number>();

  next(prefix: string): string {
    return prefix + this.counter++;
  }

  /** A value from outside the text. Objects and functions that come twice get one name. */
  konst(value: unknown): string {
    const shared = (typeof value === 'object' && value !== null) || typeof value === 'function';
    if (shared) {
      const known = this.constantNames.get(value);
      if (known !== undefined) return known;
    }
    const name = `k${this.constants.length}`;
    this.constants.push(value);
    if (shared) this.constantNames.set(value, name);
    return name;
  }

  emit(line: string): void {
    this.frame.lines.push(line);
  }

  /** A variable of the whole execution, visible in all its functions. */
  state(init: string, prefix = 's'): string {
    const name = this.next(prefix);
    this.states.push(`let ${name} = ${init};`);
    return name;
  }

  /** Something read once at the start of the execution (a parameter, a lifted literal). */
  hoisted(code: string): string {
    let name = this.hoists.get(code);
    if (name === undefined) this.hoists.set(code, (name = this.state(code, 'h')));
    return name;
  }

  /** A fresh local variable with this value. */
  local(init: string, mutable = false): string {
    const name = this.next('v');
    this.emit(`${mutable ? 'let' : 'const'} ${name} = ${init};`);
    return name;
  }

  /** The same value as a name or literal, so that it can be used more than once. */
  atom(code: string): string {
    return ATOM.test(code) ? code : this.local(code);
  }

  atomic(value: Value): Value {
    return ATOM.test(value.code) ? value : { code: this.local(value.code), nullable: value.nullable };
  }

  column(column: Column): Value {
    const { memo } = this.frame;
    for (let i = memo.length - 1; i >= 0; i--) {
      const known = memo[i]!.get(column);
      if (known !== undefined) return { code: known, nullable: column.nullable };
    }
    const name = this.atom(column.read(this));
    memo[memo.length - 1]!.set(column, name);
    return { code: name, nullable: column.nullable };
  }

  /** Emits `head { body }`: what is read inside is forgotten after it. */
  block(head: string, body: () => void, tail = '}'): void {
    this.emit(`${head} {`);
    this.frame.memo.push(new Map());
    body();
    this.frame.memo.pop();
    this.emit(tail);
  }

  /** A labelled block; `body` may `jump` to the label it is given. */
  labelled(body: (label: string) => void, head = ''): void {
    const label = this.next('L');
    this.frame.labels.push(label);
    this.block(`${label}: ${head}`, () => body(label));
    this.frame.labels.pop();
  }

  /** Leaves the block of that label, wherever it is. */
  jump(label: string): void {
    this.emit(this.jumpCode(label));
  }

  jumpCode(label: string): string {
    if (this.frame.labels.includes(label)) return `break ${label};`;
    this.frame.escapes.add(label);
    return `{ escape = ${this.labelId(label)}; return false; }`;
  }

  private labelId(label: string): number {
    let id = this.labelIds.get(label);
    if (id === undefined) this.labelIds.set(label, (id = this.labelIds.size));
    return id;
  }

  /** A function of its own. Columns of the caller cannot be seen inside. */
  fn(params: readonly string[], body: () => void): OutlinedFunction {
    return this.namedFn(this.next('f'), params, body);
  }

  namedFn(name: string, params: readonly string[], body: () => void): OutlinedFunction {
    const saved = this.frame;
    this.frame = new FunctionFrame();
    body();
    const { lines, escapes } = this.frame;
    this.frame = saved;
    this.functions.push(`function ${name}(${params.join(', ')}) {\n${lines.join('\n')}\n${escapes.size > 0 ? 'return true;\n' : ''}}`);
    return { name, escapes };
  }

  /** Calls an outlined function and passes on its jumps. */
  call(fn: OutlinedFunction, args: readonly string[]): void {
    this.callThrough(fn, `${fn.name}(${args.join(', ')})`);
  }

  /** The same by way of `call`, which is true unless the function has jumped. */
  callThrough(fn: OutlinedFunction, call: string): void {
    const targets = [...fn.escapes];
    if (targets.length === 0) this.emit(`${call};`);
    else if (targets.length === 1) this.emit(`if (!${call}) ${this.jumpCode(targets[0]!)}`);
    else {
      this.emit(`if (!${call}) {`);
      for (const t of targets) this.emit(`if (escape === ${this.labelId(t)}) ${this.jumpCode(t)}`);
      this.emit('}');
    }
  }

  /** What `body` emits, instead of emitting it. */
  capture<T>(body: () => T): { lines: string[]; result: T } {
    const saved = this.frame.lines;
    this.frame.lines = [];
    this.frame.memo.push(new Map());
    const result = body();
    const { lines } = this.frame;
    this.frame.lines = saved;
    this.frame.memo.pop();
    return { lines, result };
  }

  append(lines: readonly string[]): void {
    for (const line of lines) this.frame.lines.push(line);
  }

  /** Puts another line where this one stands in the current function. */
  replaceLine(line: string, by: string): void {
    const at = this.frame.lines.lastIndexOf(line);
    if (at >= 0) this.frame.lines[at] = by;
  }

  /** The whole text, `main` being what was emitted outside any function. */
  text(): string {
    const names = this.constants.map((_, i) => `k${i} = k[${i}]`);
    return [
      "'use strict';",
      names.length > 0 ? `const ${names.join(', ')};` : '',
      'return function (rt) {',
      'let escape = 0; const P = rt.params, S = rt.slots, X = rt.exec;',
      ...this.states,
      ...this.functions,
      ...this.frame.lines,
      '};',
    ].join('\n');
  }
}

const factories = new Map<string, (constants: readonly unknown[]) => unknown>();
const MAX_FACTORIES = 4000;
/** Counters for tests and benchmarks. */
export const codegenCounters = { texts: 0, reused: 0 };

/** Makes the function of a finished text; equal texts share what V8 knows about them. */
export function instantiate<T>(text: string, constants: readonly unknown[]): T {
  let factory = factories.get(text);
  if (factory === undefined) {
    codegenCounters.texts++;
    if (factories.size >= MAX_FACTORIES) factories.delete(factories.keys().next().value!);
    factory = new Function('k', text) as (constants: readonly unknown[]) => unknown;
    factories.set(text, factory);
  } else {
    codegenCounters.reused++;
  }
  return factory(constants) as T;
}
