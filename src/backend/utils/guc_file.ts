// site.ini, and site.auto.ini that ALTER SYSTEM writes: "name = value" lines, read through the package `ini` (the only file that imports
// it). Each line is decoded by itself, so that whatever is wrong can be named with its line. Sections are refused: settings have none.
import { decode } from 'ini';
import { closeSync, constants, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { PgError } from '../../common/errors.ts';
import { AUTO_INI, openSiteFile, readSiteFile } from '../../common/site.ts';
import { allSettings, defineHooks, findSetting, getString, setConfigOption, validateForFile, type GucContext, type Setting } from './guc.ts';
import { now } from './backend_status.ts';
import { log } from './elog.ts';
import './guc_hooks.ts';
import './own_settings.ts';

export interface ConfigLine {
  name: string;
  value: string;
  line: number;
}

/** What a file says, and what is wrong with its form, as one sentence a line. */
export function parseConfigFile(text: string, file: string): { lines: ConfigLine[]; faults: string[] } {
  const lines: ConfigLine[] = [], faults: string[] = [];
  text.split(/\r?\n/).forEach((row, i) => {
    if (/^\s*([;#]|$)/.test(row)) return;
    const fault = (what: string): void => { faults.push(`${what} in file "${file}" line ${i + 1}`); };
    if (/^\s*\[/.test(row)) return fault('sections are not supported: syntax error');
    const entries = Object.entries(decode(row, { bracketedArray: false }) as Record<string, unknown>);
    const [name, value] = entries[0] ?? [];
    if (entries.length !== 1 || name === undefined || name === '' || !row.includes('=') || (typeof value === 'object' && value !== null)) {
      return fault('syntax error');
    }
    lines.push({ name, value: String(value), line: i + 1 });
  });
  return { lines, faults };
}

/** A setting as one of the files says it, and what has become of it. */
export interface FileSetting extends ConfigLine {
  file: string;
  applied: boolean;
  error: string | null;
}

/** What the files say, in order: where a name stands twice the last counts. `faults`: why nothing of it is used. */
function readConfigFiles(): { entries: FileSetting[]; last: Map<string, FileSetting>; faults: string[] } {
  const entries: FileSetting[] = [], faults: string[] = [], last = new Map<string, FileSetting>();
  const main = getString('config_file');
  for (const file of [main, AUTO_INI]) {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      if (file === AUTO_INI && (error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      return { entries, last, faults: [`could not open configuration file "${file}": ${(error as Error).message}`] };
    }
    const parsed = parseConfigFile(text, file);
    faults.push(...parsed.faults);
    const name = file === main ? main : resolve(file);
    for (const line of parsed.lines) entries.push({ ...line, file: name, applied: false, error: null });
  }
  for (const entry of entries) {
    const setting = findSetting(entry.name);
    if (!setting && !entry.name.includes('.')) {
      entry.error = 'unrecognized configuration parameter';
      faults.push(`unrecognized configuration parameter "${entry.name}" in file "${entry.file}" line ${entry.line}`);
    } else last.set(setting?.name ?? entry.name, entry);
  }
  return { entries, last, faults };
}

let loadTime = 0;
/** When the files were last read, as a timestamp. */
export const configLoadTime = (): number => loadTime;

/** Sets what the files say; what they no longer say goes back to its default. Returns what was wrong. */
export function processConfigFile(context: GucContext): string[] {
  const { last, faults } = readConfigFiles();
  loadTime = now();
  // Files with an unknown name or a broken line are not applied at all.
  if (faults.length > 0) return faults;
  for (const setting of allSettings()) {
    if (setting.resetSource !== 'configuration file' || last.has(setting.name)) continue;
    if (setting.context === 'postmaster' && context === 'sighup') {
      setting.pendingRestart = true;
      faults.push(`parameter "${setting.name}" cannot be changed without restarting the server`);
      continue;
    }
    forgetFileValue(setting.name, context);
  }
  for (const [name, { value, file, line }] of last) {
    try {
      setConfigOption(name, value, context, 'configuration file');
      const setting = findSetting(name)!;
      setting.sourceFile = file;
      setting.sourceLine = line;
    } catch (error) {
      if (!(error instanceof PgError)) throw error;
      const hint = error.fields.hint ? ` (${error.fields.hint})` : '';
      faults.push(`${error.message}${hint} in file "${file}" line ${line}`);
    }
  }
  return faults;
}

/** What the files say now and whether it could be applied (pg_file_settings); changes nothing. */
export function showFileSettings(): FileSetting[] {
  const { entries, last, faults } = readConfigFiles();
  if (faults.length === 0) for (const [name, entry] of last) {
    entry.applied = canApply(name, entry.value);
    if (!entry.applied) entry.error = 'setting could not be applied';
  }
  return entries;
}

function canApply(name: string, value: string): boolean {
  const setting = findSetting(name);
  if (setting === undefined) return true;
  try {
    const kept = validateForFile(setting, value);
    return setting.context !== 'internal' && (setting.context !== 'postmaster' || kept === setting.value);
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    return false;
  }
}

// Whoever asks is told the whole path: it may stand anywhere.
for (const name of ['config_file', 'hba_file', 'ident_file']) defineHooks(name, { show: (path) => resolve(getString('data_directory'), path as string) });

// ---- ALTER SYSTEM

/** Settings that no file of the server may set, or not the one that the server writes itself. */
const NOT_IN_FILE: ReadonlySet<string> = new Set(['config_file', 'data_directory', 'role', 'seed', 'session_authorization', 'transaction_deferrable',
  'transaction_isolation', 'transaction_read_only']);

/** What ALTER SYSTEM may set, by its own name; otherwise 42704, 55P02. */
export function settingForFile(name: string): Setting {
  const setting = findSetting(name);
  if (setting === undefined) throw new PgError('undefined_object', `unrecognized configuration parameter "${name}"`);
  if (setting.context === 'internal' || NOT_IN_FILE.has(setting.name)) throw new PgError('cant_change_runtime_param', `parameter "${name}" cannot be changed`);
  return setting;
}

const AUTO_HEAD = '# Do not edit this file manually!\n# It will be overwritten by the ALTER SYSTEM command.\n';

/** Writes the file that is read after site.ini anew: with `name` as `value`, or without it (null); without any settings when no name is
 * given. The old file stays until the new one is on disk. The caller sees to it that nobody else does the same. */
export function writeAutoFile(name: string | null, value: string | null): void {
  let lines: ConfigLine[] = [];
  if (name !== null) {
    const parsed = existsSync(AUTO_INI) ? parseConfigFile(readSiteFile(AUTO_INI), AUTO_INI) : { lines, faults: [] };
    if (parsed.faults.length > 0) throw new PgError('config_file_error', `could not parse contents of file "${AUTO_INI}"`);
    lines = parsed.lines.filter((line) => line.name.toLowerCase() !== name.toLowerCase());
    if (value !== null) lines.push({ name, value, line: 0 });
  }
  const next = `${AUTO_INI}.tmp`;
  rmSync(next, { force: true });
  const fd = openSiteFile(next, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
  try {
    writeSync(fd, AUTO_HEAD + lines.map((line) => `${line.name} = ${JSON.stringify(line.value)}\n`).join(''));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(next, AUTO_INI);
  const folder = openSync('.', constants.O_RDONLY);
  fsyncSync(folder);
  closeSync(folder);
}

function forgetFileValue(name: string, context: GucContext): void {
  const setting = findSetting(name)!;
  if (setting.resetSource === 'configuration file') setting.resetSource = 'default';
  for (const entry of setting.stack) if (entry.priorSource === 'configuration file') entry.priorSource = 'default';
  if (setting.source === 'configuration file') setting.source = 'default';
  setting.sourceFile = setting.sourceLine = null;
  setConfigOption(name, null, context, 'default');
}

/** After SIGHUP: a file with faults changes as much as it can, and says what it could not. Only the postmaster
 * reports; its children read the same file. */
export function reloadConfigFile(report = false): void {
  const faults = processConfigFile('sighup');
  if (!report) return;
  for (const fault of faults) log('LOG', fault);
  if (faults.length > 0) {
    log('LOG', `configuration file "${getString('config_file')}" contains errors; unaffected changes were applied`);
  }
}
