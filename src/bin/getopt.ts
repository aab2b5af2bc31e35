// Command lines in PostgreSQL's style: getopt_long's rules and complaints, --help and --version first.
import { writeSync } from 'node:fs';

export const VERSION = '(PostgreSQL) 15.18 (Posthouse)';

export interface Option {
  /** One letter, or '' for a long option only. */
  short: string;
  long: string;
  argument: 'none' | 'required' | 'optional';
  /** Looks at the value as soon as it is read, as programs do: the first fault of a command line is the one that is told. */
  check?: (value: string) => void;
}

/** "host:h=" in short: long name, letter after ':', '=' for an argument, '=?' for an optional one. */
export function option(text: string): Option {
  const m = /^([\w-]*)(?::(.))?(=\??)?$/.exec(text)!;
  return { long: m[1]!, short: m[2] ?? '', argument: m[3] === '=' ? 'required' : m[3] === '=?' ? 'optional' : 'none' };
}

/** An option whose value is a whole number within bounds; `shown` is what messages call it (option_parse_int). */
export function integerOption(program: string, text: string, shown: string, min: number, max: number): Option {
  return { ...option(text), check: (value) => {
    if (!/^\s*([-+]?\d+)?\s*$/.test(value)) fail(program, `invalid value "${value}" for option ${shown}`);
    if (Number(value) < min || Number(value) > max) fail(program, `${shown} must be in range ${min}..${max}`);
  } };
}
export const INT_MAX = 2_147_483_647;

export interface Arguments {
  /** In the order given: long name (or the letter, for options without one) and value. */
  options: [name: string, value: string][];
  rest: string[];
}

/** "program: error: message", on stderr. */
export function complain(program: string, message: string, kind: 'error' | 'warning' | 'detail' | 'hint' = 'error'): void {
  writeSync(2, `${program}: ${kind}: ${message}\n`);
}

/** The end, with exit code 1. */
export function fail(program: string, message: string, hint?: string): never {
  complain(program, message);
  if (hint !== undefined) complain(program, hint, 'hint');
  process.exit(1);
}

export const tryHelp = (program: string): string => `Try "${program} --help" for more information.`;

/** Answers --help, -?, --version and -V when they are the first argument. */
export function standardOptions(program: string, help: string): void {
  const first = process.argv[2];
  if (first === '--help' || first === '-?') writeSync(1, help);
  else if (first === '--version' || first === '-V') writeSync(1, `${program} ${VERSION}\n`);
  else return;
  process.exit(0);
}

/** Ends the process with `failCode` when the arguments make no sense. */
export function getopt(program: string, args: readonly string[], known: readonly Option[], failCode = 1): Arguments {
  const options: [string, string][] = [], rest: string[] = [];
  const refuse = (message: string): never => {
    writeSync(2, `${program}: ${message}\n`);
    complain(program, tryHelp(program), 'hint');
    process.exit(failCode);
  };
  const take = (found: Option, value: string): void => {
    found.check?.(value);
    options.push([found.long || found.short, value]);
  };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') {
      rest.push(...args.slice(i + 1));
      break;
    }
    if (arg.startsWith('--')) {
      const equals = arg.indexOf('=');
      const name = arg.slice(2, equals < 0 ? undefined : equals);
      const found = findLong(known, name);
      if (found.length === 0) refuse(`unrecognized option '${arg}'`);
      if (found.length > 1) refuse(`option '${arg}' is ambiguous; possibilities:${found.map((o) => ` '--${o.long}'`).join('')}`);
      const one = found[0]!;
      let value: string | undefined = '';
      if (one.argument === 'none') {
        if (equals >= 0) refuse(`option '--${one.long}' doesn't allow an argument`);
      } else value = (equals >= 0 ? arg.slice(equals + 1) : one.argument === 'required' ? args[++i] : '') ?? refuse(`option '--${one.long}' requires an argument`);
      take(one, value);
    } else if (arg.startsWith('-') && arg.length > 1) {
      for (let at = 1; at < arg.length; at++) {
        const letter = arg[at]!;
        const found = known.find((o) => o.short === letter) ?? refuse(`invalid option -- '${letter}'`);
        if (found.argument === 'none') {
          take(found, '');
          continue;
        }
        const attached = arg.slice(at + 1);
        take(found, (attached !== '' ? attached : found.argument === 'required' ? args[++i] : '') ?? refuse(`option requires an argument -- '${letter}'`));
        break;
      }
    } else rest.push(arg);
  }
  return { options, rest };
}

/** Exactly, or by a beginning: all that it may mean. */
function findLong(known: readonly Option[], name: string): Option[] {
  const exact = known.find((o) => o.long === name && name !== '');
  return exact ? [exact] : known.filter((o) => o.long.startsWith(name) && o.long !== '');
}

/** "too many command-line arguments", as all programs say it. */
export function refuseRest(program: string, rest: readonly string[], allowed: number): void {
  if (rest.length > allowed) fail(program, `too many command-line arguments (first is "${rest[allowed]}")`, tryHelp(program));
}
