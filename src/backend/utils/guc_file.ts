// site.ini: "name = value" lines, read through the package `ini` (the only file that imports it). Each line is decoded by
// itself, so that whatever is wrong can be named with its line. Sections are refused: settings have none.
import { decode } from 'ini';
import { readFileSync } from 'node:fs';
import { PgError } from '../../common/errors.ts';
import { allSettings, findSetting, getString, setConfigOption, type GucContext } from './guc.ts';
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

/** Sets what the file says; what it no longer says goes back to its default. Returns what was wrong. */
export function processConfigFile(context: GucContext): string[] {
  const file = getString('config_file');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return [`could not open configuration file "${file}": ${(error as Error).message}`];
  }
  const { lines, faults } = parseConfigFile(text, file);
  const last = new Map<string, ConfigLine>();
  for (const line of lines) {
    const setting = findSetting(line.name);
    if (!setting && !line.name.includes('.')) {
      faults.push(`unrecognized configuration parameter "${line.name}" in file "${file}" line ${line.line}`);
    } else last.set(setting?.name ?? line.name, line);
  }
  // A file with an unknown name or a broken line is not applied at all.
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
  for (const [name, { value, line }] of last) {
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
