// Statements typed in this and earlier sessions (input.c). In the file a statement of several lines is one line, with \x01 for
// its line ends, as PostgreSQL's psql writes it.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { strerror } from '../../common/strerror.ts';
import { logError } from './output.ts';
import { pset } from './settings.ts';
import { getVariable } from './variables.ts';

const NEWLINE = '\x01';

/** Of $HISTFILE, $PSQL_HISTORY, or the usual one; "" when there is to be none. */
function historyFile(): string {
  const home = process.env['HOME'] || homedir(), given = getVariable('HISTFILE') ?? process.env['PSQL_HISTORY'];
  return given === undefined || given === '' ? given ?? `${home}/.psql_history` : given.replace(/^~(?=\/|$)/, home);
}

export class History {
  /** Oldest first. */
  readonly entries: string[] = [];
  private readonly file = historyFile();
  private added = 0;

  constructor() {
    if (this.file === '') return;
    try {
      this.entries.push(...readFileSync(this.file, 'utf8').split('\n').filter((l) => l !== '').map((l) => l.replaceAll(NEWLINE, '\n')));
    } catch { /* none yet */ }
  }

  add(text: string): void {
    const control = pset.historyControl;
    if (text === '' || ((control === 'ignorespace' || control === 'ignoreboth') && text.startsWith(' '))) return;
    if ((control === 'ignoredups' || control === 'ignoreboth') && this.entries.at(-1) === text) return;
    this.entries.push(text);
    this.added++;
  }

  /** Puts this session's statements behind those that others have written meanwhile, and keeps the last $HISTSIZE. */
  save(): void {
    if (this.file === '' || this.file === '/dev/null') return;
    const encoded = (list: readonly string[]): string => list.map((l) => `${l.replaceAll('\n', NEWLINE)}\n`).join('');
    try {
      appendFileSync(this.file, encoded(this.added === 0 ? [] : this.entries.slice(-this.added)), { mode: 0o600 });
      if (pset.historySize < 0) return;
      const lines = readFileSync(this.file, 'utf8').split('\n').slice(0, -1);
      if (lines.length > pset.historySize) writeFileSync(this.file, lines.slice(lines.length - pset.historySize).map((l) => `${l}\n`).join(''));
    } catch (error) {
      logError(`could not save history to file "${this.file}": ${strerror(error)}`);
    }
  }
}
