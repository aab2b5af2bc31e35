// Command lines in PostgreSQL's style: getopt_long's rules and complaints, --help and --version first.
import { writeSync } from 'node:fs';

export const VERSION = '(PostgreSQL) 15.18 (Posthouse)';

export interface Option {
  /** One letter, or '' for a long option only. */
  short: string;
  long: string;
  argument: 'none' | 'required' | 'optional';
}

/** "host:h=" in short: long name, letter after ':', '=' for an argument, '=?' for an optional one. */
export function option(text: string): Option {
  const m = /^([\w-]*)(?::(.))?(=\??)?$/.exec(text)!;
  return { long: m[1]!, short: m[2] ?? '', argument: m[3] === '=' ? 'required' : m[3] === '=?' ? 'optional' : 'none' };
}

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
      if (found === undefined) refuse(`unrecognized option '${arg}'`);
      else if (found === 'ambiguous') refuse(`option '--${name}' is ambiguous`);
      else if (found.argument === 'none') {
        if (equals >= 0) refuse(`option '--${found.long}' doesn't allow an argument`);
        options.push([found.long, '']);
      } else {
        const value = equals >= 0 ? arg.slice(equals + 1) : found.argument === 'required' ? args[++i] : '';
        options.push([found.long, value ?? refuse(`option '--${found.long}' requires an argument`)]);
      }
    } else if (arg.startsWith('-') && arg.length > 1) {
      for (let at = 1; at < arg.length; at++) {
        const letter = arg[at]!;
        const found = known.find((o) => o.short === letter) ?? refuse(`invalid option -- '${letter}'`);
        const name = found.long || found.short;
        if (found.argument === 'none') {
          options.push([name, '']);
          continue;
        }
        const attached = arg.slice(at + 1);
        const value = attached !== '' ? attached : found.argument === 'required' ? args[++i] : '';
        options.push([name, value ?? refuse(`option requires an argument -- '${letter}'`)]);
        break;
      }
    } else rest.push(arg);
  }
  return { options, rest };
}

/** Exactly, or by an unambiguous beginning. */
function findLong(known: readonly Option[], name: string): Option | 'ambiguous' | undefined {
  const exact = known.find((o) => o.long === name && name !== '');
  if (exact) return exact;
  const some = known.filter((o) => o.long.startsWith(name) && o.long !== '');
  return some.length > 1 ? 'ambiguous' : some[0];
}

/** "too many command-line arguments", as all programs say it. */
export function refuseRest(program: string, rest: readonly string[], allowed: number): void {
  if (rest.length > allowed) fail(program, `too many command-line arguments (first is "${rest[allowed]}")`, tryHelp(program));
}
