// What psql knows of itself while it runs (PsqlSettings of settings.h).
import type { Connection } from '../../interfaces/libpq/connection.ts';
import { UTF8, type Encoding } from '../../common/charsets.ts';
import type { ServerError } from '../../interfaces/libpq/errors.ts';
import type { ShowContext, Verbosity } from './error_report.ts';
import type { Sink } from './output.ts';
import { defaultOptions, type TableOptions } from './print_options.ts';

export const DEFAULT_PROMPT = '%/%R%x%# ', DEFAULT_PROMPT3 = '>> ';
export const EXIT_SUCCESS = 0, EXIT_FAILURE = 1, EXIT_BADCONN = 2, EXIT_USER = 3;

export interface Settings {
  db: Connection | null;
  /** Of what is read and written: the connection's client_encoding. */
  encoding: Encoding;
  popt: TableOptions;
  /** Where results go: standard output, or what \o says. */
  out: Sink;
  /** For one query: \g's options, target, \gx. */
  gOptions: TableOptions | null;
  gTarget: string | null;
  gset: string | null;
  gdesc: boolean;
  gexec: boolean;
  /** \bind: values of $1, $2, …; the extended protocol takes them. */
  bind: string[] | null;
  crosstab: string[] | null;
  /** The script that is read, for messages; null: typed or by -c. */
  inputFile: string | null;
  /** That errors are in its words alone, without "psql: error: ". */
  terse: boolean;
  lineNumber: number;
  statementLine: number;
  notTty: boolean;
  /** --no-color. */
  noColour: boolean;
  interactive: boolean;
  timing: boolean;
  logFile: number | null;
  /** Where \copy wants COPY's data. */
  copyTarget: Sink | null;
  lastError: { error: ServerError; query: string | undefined } | null;
  startedAt: number;
  getPassword: 'default' | 'yes' | 'no';
  singleTransaction: boolean;
  autocommit: boolean;
  onErrorStop: boolean;
  quiet: boolean;
  singleLine: boolean;
  singleStep: boolean;
  showAllResults: boolean;
  hideTableAm: boolean;
  hideCompression: boolean;
  fetchCount: number;
  historySize: number;
  ignoreEof: number;
  echo: 'none' | 'errors' | 'queries' | 'all';
  echoHidden: 'off' | 'on' | 'noexec';
  onErrorRollback: 'off' | 'interactive' | 'on';
  compKeywordCase: string;
  historyControl: 'none' | 'ignorespace' | 'ignoredups' | 'ignoreboth';
  verbosity: Verbosity;
  showContext: ShowContext;
  prompt1: string;
  prompt2: string;
  prompt3: string;
}

export const pset: Settings = {
  db: null, encoding: UTF8, popt: defaultOptions(), out: null as unknown as Sink, gOptions: null, gTarget: null, gset: null, gdesc: false, gexec: false, bind: null, crosstab: null, inputFile: null, terse: false,
  lineNumber: 0, statementLine: 0, notTty: true, noColour: false, interactive: false, timing: false, logFile: null, copyTarget: null, lastError: null, startedAt: 0, getPassword: 'default',
  singleTransaction: false, autocommit: true, onErrorStop: false, quiet: false, singleLine: false, singleStep: false, showAllResults: true, hideTableAm: false, hideCompression: false,
  fetchCount: 0, historySize: 500, ignoreEof: 0, echo: 'none', echoHidden: 'off', onErrorRollback: 'off', compKeywordCase: 'preserve-upper', historyControl: 'none', verbosity: 'default',
  showContext: 'errors', prompt1: DEFAULT_PROMPT, prompt2: DEFAULT_PROMPT, prompt3: DEFAULT_PROMPT3,
};
