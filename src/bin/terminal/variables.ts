// psql's variables, with hooks for those that steer it (variables.c, EstablishVariableSpace of startup.c).
import type { ShowContext, Verbosity } from './error_report.ts';
import { logError } from './output.ts';
import { DEFAULT_PROMPT, DEFAULT_PROMPT3, pset } from './settings.ts';

const NAME = /^[A-Za-z0-9_\x80-\uffff]+$/;
const values = new Map<string, string>();

interface Hook {
  /** What the value becomes when it is set to this; null: unset. */
  substitute?: (value: string | null) => string | null;
  /** False, after saying so, when it may not be set to this. */
  assign?: (value: string | null) => boolean;
}

/** "on", "tr", "0", …: undefined when it is none. */
export function parseBoolean(text: string | null): boolean | undefined {
  const value = (text ?? '').toLowerCase();
  if (value === '') return undefined;
  if ('true'.startsWith(value) || 'yes'.startsWith(value) || value === 'on' || value === '1') return true;
  if ('false'.startsWith(value) || 'no'.startsWith(value) || value === 'off' || value === 'of' || value === '0') return false;
  return undefined;
}

/** As ParseVariableBool says it when it is no truth value. */
export function booleanOf(text: string | null, name: string | null): boolean | undefined {
  const value = parseBoolean(text);
  if (value === undefined && name !== null) logError(`unrecognized value "${text ?? ''}" for "${name}": Boolean expected`);
  return value;
}

function numberOf(text: string, name: string): number | undefined {
  if (/^\s*[-+]?(0x[0-9a-f]+|\d+)\s*$/i.test(text)) return Number(text);
  logError(`invalid value "${text}" for "${name}": integer expected`);
  return undefined;
}

type Flag = 'autocommit' | 'onErrorStop' | 'quiet' | 'singleLine' | 'singleStep' | 'showAllResults' | 'hideTableAm' | 'hideCompression';
const flag = (name: string, key: Flag): Hook => ({
  substitute: (value) => (value === null ? 'off' : value === '' ? 'on' : value),
  assign: (value) => {
    const on = booleanOf(value, name);
    if (on !== undefined) pset[key] = on;
    return on !== undefined;
  },
});
const number = (name: string, initial: number, key: 'fetchCount' | 'historySize' | 'ignoreEof'): Hook => ({
  substitute: (value) => value ?? String(initial),
  assign: (value) => {
    const n = numberOf(value!, name);
    if (n !== undefined) pset[key] = n;
    return n !== undefined;
  },
});

function choice<T extends string>(name: string, initial: T, list: readonly T[], use: (value: T) => void, shown?: string): Hook {
  return {
    substitute: (value) => value ?? initial,
    assign: (value) => {
      const found = list.find((c) => c === value!.toLowerCase());
      if (found === undefined) {
        logError(`unrecognized value "${value}" for "${name}"\nAvailable values are: ${shown ?? list.join(', ')}.`);
        return false;
      }
      use(found);
      return true;
    },
  };
}

const onOffOr = (name: string, third: string, shown: string, use: (value: string) => void): Hook => ({
  substitute: (value) => (value === null ? 'off' : value === '' ? 'on' : value),
  assign: (value) => {
    if (value!.toLowerCase() === third) {
      use(third);
      return true;
    }
    const on = parseBoolean(value);
    if (on === undefined) {
      logError(`unrecognized value "${value}" for "${name}"\nAvailable values are: ${shown}.`);
      return false;
    }
    use(on ? 'on' : 'off');
    return true;
  },
});

const prompt = (key: 'prompt1' | 'prompt2' | 'prompt3'): Hook => ({
  assign: (value) => {
    pset[key] = value ?? '';
    return true;
  },
});

const HOOKS: Record<string, Hook> = {
  AUTOCOMMIT: flag('AUTOCOMMIT', 'autocommit'),
  ON_ERROR_STOP: flag('ON_ERROR_STOP', 'onErrorStop'),
  QUIET: flag('QUIET', 'quiet'),
  SINGLELINE: flag('SINGLELINE', 'singleLine'),
  SINGLESTEP: flag('SINGLESTEP', 'singleStep'),
  SHOW_ALL_RESULTS: flag('SHOW_ALL_RESULTS', 'showAllResults'),
  HIDE_TABLEAM: flag('HIDE_TABLEAM', 'hideTableAm'),
  HIDE_TOAST_COMPRESSION: flag('HIDE_TOAST_COMPRESSION', 'hideCompression'),
  FETCH_COUNT: number('FETCH_COUNT', 0, 'fetchCount'),
  HISTSIZE: number('HISTSIZE', 500, 'historySize'),
  IGNOREEOF: {
    substitute: (value) => (value === null ? '0' : /^\s*[-+]?\d+\s*$/.test(value) ? value : '10'),
    assign: (value) => {
      pset.ignoreEof = Number(value);
      return true;
    },
  },
  ECHO: choice('ECHO', 'none', ['none', 'errors', 'queries', 'all'], (v) => { pset.echo = v; }, 'none, errors, queries, all'),
  ECHO_HIDDEN: onOffOr('ECHO_HIDDEN', 'noexec', 'on, off, noexec', (v) => { pset.echoHidden = v as 'on' | 'off' | 'noexec'; }),
  ON_ERROR_ROLLBACK: onOffOr('ON_ERROR_ROLLBACK', 'interactive', 'on, off, interactive', (v) => { pset.onErrorRollback = v as 'on' | 'off' | 'interactive'; }),
  COMP_KEYWORD_CASE: choice('COMP_KEYWORD_CASE', 'preserve-upper', ['lower', 'upper', 'preserve-lower', 'preserve-upper'], (v) => { pset.compKeywordCase = v; }, 'lower, upper, preserve-lower, preserve-upper'),
  HISTCONTROL: choice('HISTCONTROL', 'none', ['none', 'ignorespace', 'ignoredups', 'ignoreboth'], (v) => { pset.historyControl = v; }, 'none, ignorespace, ignoredups, ignoreboth'),
  VERBOSITY: choice('VERBOSITY', 'default', ['default', 'verbose', 'terse', 'sqlstate'], (v: Verbosity) => { pset.verbosity = v; }, 'default, verbose, terse, sqlstate'),
  SHOW_CONTEXT: choice('SHOW_CONTEXT', 'errors', ['never', 'errors', 'always'], (v: ShowContext) => { pset.showContext = v; }, 'never, errors, always'),
  PROMPT1: prompt('prompt1'),
  PROMPT2: prompt('prompt2'),
  PROMPT3: prompt('prompt3'),
};

/** Gives the variables that steer psql their first values. */
export function establishVariables(): void {
  for (const [name, hook] of Object.entries(HOOKS)) {
    const value = hook.substitute?.(null) ?? null;
    if (value !== null) values.set(name, value);
    hook.assign?.(value);
  }
  for (const name of ['AUTOCOMMIT', 'SHOW_ALL_RESULTS']) setVariable(name, 'on');
  setVariable('PROMPT1', DEFAULT_PROMPT);
  setVariable('PROMPT2', DEFAULT_PROMPT);
  setVariable('PROMPT3', DEFAULT_PROMPT3);
}

export const variableNames = (): string[] => [...values.keys()];
export const getVariable = (name: string): string | null => values.get(name) ?? null;
const isVariableName = (name: string): boolean => NAME.test(name);

/** Sets or (null) unsets; false, after saying why, when it may not be. */
export function setVariable(name: string, value: string | null): boolean {
  if (!isVariableName(name)) {
    if (value === null) return true;
    logError(`invalid variable name: "${name}"`);
    return false;
  }
  const hook = HOOKS[name];
  const next = hook?.substitute === undefined ? value : hook.substitute(value);
  if (hook?.assign !== undefined && !hook.assign(next)) return false;
  if (next === null) values.delete(name);
  else values.set(name, next);
  return true;
}

/** `\set` without arguments. */
export function listVariables(): string {
  return [...values].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([name, value]) => `${name} = '${value}'\n`).join('');
}
