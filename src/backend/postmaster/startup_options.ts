// The "options" of a start-up packet (PGOPTIONS): command-line switches of a backend, as settings (PostgreSQL's
// pg_split_opts and process_postgres_switches). The same letters serve `postmaster` and `postgres --single`.
import { FatalError } from '../../common/errors.ts';

/** Words, a backslash keeping white space or itself. */
export function splitOptions(text: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  for (let i = 0; i < text.length; i++) {
    if (/\s/.test(text[i]!)) {
      if (word !== null) words.push(word);
      word = null;
      continue;
    }
    if (text[i] === '\\' && i + 1 < text.length) i++;
    word = (word ?? '') + text[i]!;
  }
  if (word !== null) words.push(word);
  return words;
}

/** A letter that stands for a setting: its name and, when the letter takes no argument, the value. */
const LETTERS: Readonly<Record<string, readonly [name: string, value?: string]>> = {
  B: ['shared_buffers'], e: ['datestyle', 'euro'], F: ['fsync', 'off'], h: ['listen_addresses'], i: ['listen_addresses', '*'],
  k: ['unix_socket_directories'], l: ['ssl', 'on'], N: ['max_connections'], O: ['allow_system_table_mods', 'on'],
  P: ['ignore_system_indexes', 'on'], p: ['port'], S: ['work_mem'], s: ['log_statement_stats', 'on'], W: ['post_auth_delay'],
};
const PLAN_LETTERS: Readonly<Record<string, string>> = {
  s: 'enable_seqscan', i: 'enable_indexscan', o: 'enable_indexonlyscan', b: 'enable_bitmapscan', t: 'enable_tidscan', n: 'enable_nestloop',
  m: 'enable_mergejoin', h: 'enable_hashjoin',
};

/** Takes the settings out of a list of arguments. What is no setting is handed to `other`, which says whether it knew it
 * (and may take the argument through `next`); what nobody knows is refused. */
export function takeSettings(args: readonly string[], program: string,
  other: (letter: string, next: () => string) => boolean = () => false): Map<string, string> {
  const settings = new Map<string, string>();
  const refuse = (arg: string): FatalError => new FatalError('syntax_error', `invalid command-line argument for server process: ${arg}`, {
    hint: `Try "${program} --help" for more information.`,
  });
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg.startsWith('--') && arg.length > 2) {
      setNamed(settings, arg.slice(2), `--${arg.slice(2)}`);
      continue;
    }
    if (!arg.startsWith('-') || arg.length < 2) throw refuse(arg);
    for (let at = 1; at < arg.length; at++) {
      const letter = arg[at]!;
      const next = (): string => {
        const value = at + 1 < arg.length ? arg.slice(at + 1) : args[++i];
        at = arg.length;
        if (value === undefined) throw new FatalError('syntax_error', `option requires an argument -- '${letter}'`);
        return value;
      };
      const known = LETTERS[letter];
      if (letter === 'c') {
        const pair = next();
        setNamed(settings, pair, `-c ${pair}`);
      } else if (letter === 'd') {
        const level = Number.parseInt(next(), 10) || 0;
        settings.set('log_min_messages', level > 0 ? `debug${Math.min(level, 5)}` : 'notice');
      } else if (letter === 'f') {
        const name = PLAN_LETTERS[next()];
        if (name === undefined) throw refuse(arg);
        settings.set(name, 'off');
      } else if (known) settings.set(known[0], known[1] ?? next());
      else if (!other(letter, next)) throw refuse(arg);
    }
  }
  return settings;
}

function setNamed(settings: Map<string, string>, pair: string, shown: string): void {
  const equals = pair.indexOf('=');
  if (equals <= 0) throw new FatalError('syntax_error', `${shown} requires a value`);
  settings.set(pair.slice(0, equals).replaceAll('-', '_'), pair.slice(equals + 1));
}

export function splitStartupOptions(options: string): Map<string, string> {
  return options === '' ? new Map() : takeSettings(splitOptions(options), 'postgres');
}
