// The settings ("Grand Unified Configuration", PostgreSQL's guc.c): what there is, who may set it when, where a value
// came from, and what SET, SET LOCAL, savepoints and rollback do to it. Process-wide state: the postmaster reads
// site.ini, its children inherit what it read.
//
// Reading: `getBool`, `getInt`, `getReal`, `getString` by name, or a field of `settings` for what hot paths look at.
// Writing: `setConfigOption`. Other floors check and translate values with `defineHooks`.
// How to add a setting: PostgreSQL's are generated (guc_tables.ts); `defineSetting` adds one of our own.
import { PgError, notSupported } from '../../common/errors.ts';
import type { ConditionName } from '../../common/sqlstate.ts';
import { flattenValues, parseBool, parseInteger, parseReal, showInteger, showReal, formatG } from './guc_parse.ts';
import { UNSUPPORTED } from './guc_policy.ts';
import { CATEGORIES, SETTINGS, type GucContext, type SettingRow, type VarType } from './guc_tables.ts';
import { truncateIdentifierAloud } from './identifier.ts';
import { session } from './session.ts';
import { settings } from './settings.ts';

export type { GucContext } from './guc_tables.ts';
export { settings } from './settings.ts';

/** Where a value came from, weakest first (guc.h GucSource). */
const SOURCES = ['default', 'dynamic default', 'environment variable', 'configuration file', 'command line', 'global', 'database', 'user',
  'database user', 'client', 'override', 'interactive', 'test', 'session'] as const;
export type GucSource = (typeof SOURCES)[number];
const RANK: Readonly<Record<GucSource, number>> = Object.fromEntries(SOURCES.map((s, i) => [s, i])) as Record<GucSource, number>;
const OVERRIDE = RANK['override'];

/** Goes up with each change of a setting by which statements are analyzed and planned. */
let plansVersion = 0;
export const plansSettingsVersion = (): number => plansVersion;
const shapesPlans = ({ name, category }: Setting): boolean =>
  category.startsWith('Query Tuning') || category.endsWith('Locale and Formatting') || category.startsWith('Version and Platform')
  || name === 'bytea_output' || name === 'xmlbinary' || name === 'xmloption' || name === 'row_security';

export type GucValue = boolean | number | string;
/** 'save' is for functions with SET clauses: the value returns whatever happens. */
export type GucAction = 'set' | 'local' | 'save';

/** Why a value was refused; fields left out are PostgreSQL's usual ones. */
export class CheckFailure {
  readonly fields: { condition?: ConditionName; message?: string; detail?: string; hint?: string };
  constructor(fields: { condition?: ConditionName; message?: string; detail?: string; hint?: string } = {}) {
    this.fields = fields;
  }
}

export interface Hooks {
  /** The value as it shall be kept (canonical), or why not. */
  check?: (value: GucValue, source: GucSource) => GucValue | CheckFailure;
  /** The value has changed, also by a rollback. Must not fail. */
  assign?: (value: GucValue) => void;
  show?: (value: GucValue) => string;
}

interface StackEntry {
  level: number;
  state: 'save' | 'set' | 'local' | 'set local';
  prior: GucValue;
  priorSource: GucSource;
  masked: GucValue;
}

/** One setting and its state. */
export class Setting {
  readonly name: string;
  readonly type: VarType;
  readonly context: GucContext;
  readonly row: SettingRow;
  readonly flags: ReadonlySet<string>;
  readonly hot: boolean;
  value: GucValue;
  boot: GucValue;
  reset: GucValue;
  source: GucSource = 'default';
  resetSource: GucSource = 'default';
  stack: StackEntry[] = [];
  hooks: Hooks = {};
  sourceFile: string | null = null;
  sourceLine: number | null = null;
  pendingRestart = false;

  constructor(row: SettingRow) {
    this.row = row;
    this.name = row[0];
    this.type = row[1];
    this.context = row[2];
    this.flags = new Set(row[11] === '' ? [] : row[11].split(' '));
    this.hot = this.name in settings;
    this.boot = this.value = this.reset = fromText(row[1], row[3]);
    if (this.hot) store(this);
  }

  get category(): string {
    return CATEGORIES[this.row[8]] ?? 'Customized Options';
  }
}

function fromText(type: VarType, text: string): GucValue {
  switch (type) {
    case 'bool': return text === 'on';
    case 'integer': case 'real': return Number(text);
    default: return text;
  }
}

function store(setting: Setting): void {
  (settings as Record<string, GucValue>)[setting.name] = setting.value;
}

const byName = new Map<string, Setting>();
let sorted: Setting[] = [];

for (const row of SETTINGS) register(new Setting(row));

function register(setting: Setting): void {
  byName.set(setting.name, setting);
  byName.set(setting.name.toLowerCase(), setting);
  sorted = [];
}

function forgetSetting(setting: Setting): void {
  byName.delete(setting.name);
  byName.delete(setting.name.toLowerCase());
  sorted = [];
}

/** A setting of our own. */
export function defineSetting(row: SettingRow): void {
  register(new Setting(row));
}

export function defineHooks(name: string, hooks: Hooks): void {
  const setting = find(name);
  setting.hooks = { ...setting.hooks, ...hooks };
}

const OLD_NAMES: Readonly<Record<string, string>> = { sort_mem: 'work_mem', vacuum_mem: 'maintenance_work_mem' };

export function findSetting(name: string): Setting | undefined {
  return byName.get(name) ?? byName.get(name.toLowerCase()) ?? byName.get(OLD_NAMES[name.toLowerCase()] ?? '');
}

function find(name: string): Setting {
  const setting = findSetting(name);
  if (!setting) throw unrecognized(name);
  return setting;
}

function unrecognized(name: string): PgError {
  return new PgError('undefined_object', `unrecognized configuration parameter "${name}"`);
}

/** "a.b" may be set by anybody and means nothing to us: PostgreSQL's placeholders for extensions. */
function findOrMakePlaceholder(name: string): Setting {
  const known = findSetting(name);
  if (known) return known;
  if (!name.includes('.')) throw unrecognized(name);
  if (/^plpgsql\./i.test(name)) throw new PgError('invalid_name', `invalid configuration parameter name "${name}"`, { detail: '"plpgsql" is a reserved prefix.' });
  if (!/^[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*(\.[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)+$/.test(name)) {
    throw new PgError('invalid_name', `invalid configuration parameter name "${name}"`, {
      detail: 'Custom parameter names must be two or more simple identifiers separated by dots.',
    });
  }
  const setting = new Setting([name, 'string', 'user', '', null, 0, 0, null, -1, '', null, 'NO_SHOW_ALL NOT_IN_SAMPLE CUSTOM_PLACEHOLDER']);
  register(setting);
  return setting;
}

// ---- reading

export function getBool(name: string): boolean {
  return byName.get(name)!.value as boolean;
}
export function getInt(name: string): number {
  return byName.get(name)!.value as number;
}
export function getReal(name: string): number {
  return byName.get(name)!.value as number;
}
export function getString(name: string): string {
  return byName.get(name)!.value as string;
}

/** What SHOW says. */
/** Whether the user may see settings that are not for everybody; the roles tell. */
export const readHooks = { maySeeAll: (): boolean => true };
export const isVisible = (setting: Setting): boolean => !setting.flags.has('SUPERUSER_ONLY') || readHooks.maySeeAll();

export function show(name: string): string {
  const setting = find(name);
  if (!isVisible(setting)) throw new PgError('insufficient_privilege', `must be superuser or have privileges of pg_read_all_settings to examine "${setting.name}"`);
  return showSetting(setting, true);
}

/** With units if asked for: SHOW has them, pg_settings has not. */
export function showSetting(setting: Setting, units: boolean): string {
  if (setting.hooks.show && units) return setting.hooks.show(setting.value);
  return textOf(setting, setting.value, units);
}

function textOf(setting: Setting, value: GucValue, units: boolean): string {
  switch (setting.type) {
    case 'bool': return value ? 'on' : 'off';
    case 'integer': return showInteger(value as number, units ? setting.row[4] : null);
    case 'real': return showReal(value as number, units ? setting.row[4] : null);
    default: return value as string;
  }
}

/** Every setting, sorted by name. */
export function allSettings(): readonly Setting[] {
  if (sorted.length === 0) {
    sorted = [...new Set(byName.values())].sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
  }
  return sorted;
}

/** The columns of pg_settings, in order; `privileged`: may see file names. */
export function settingColumns(setting: Setting, privileged: boolean): (string | number | boolean | readonly string[] | null)[] {
  const { row } = setting;
  const numeric = setting.type === 'integer' || setting.type === 'real';
  const fromFile = privileged && setting.source === 'configuration file';
  const limit = (n: number): string => (setting.type === 'integer' ? String(n) : formatG(n));
  const optional = (value: GucValue): string | null =>
    (setting.type === 'string' && value === '' && row[3] === '' ? null : textOf(setting, value, false));
  return [setting.name, showSetting(setting, setting.hooks.show !== undefined), row[4], setting.category, row[9], row[10], setting.context, setting.type,
    setting.source, numeric ? limit(row[5]) : null, numeric ? limit(row[6]) : null, row[7],
    optional(setting.boot), optional(setting.reset), fromFile ? setting.sourceFile : null, fromFile ? setting.sourceLine : null, setting.pendingRestart];
}

// ---- checking a value

function invalidValue(setting: Setting, text: string, fields: CheckFailure['fields'] = {}): PgError {
  return new PgError(fields.condition ?? 'invalid_parameter_value',
    fields.message ?? `invalid value for parameter "${setting.name}": "${text}"`, { detail: fields.detail, hint: fields.hint });
}

/** The kept form of a value given as text, or an error that names what is wrong. */
function parseAndValidate(setting: Setting, text: string, source: GucSource): GucValue {
  const value = checkType(setting, text);
  if (value !== setting.boot) {
    const refused = UNSUPPORTED[setting.name];
    if (refused !== undefined && (refused === '*' || refused === String(textOf(setting, value, false)))) {
      throw notSupported(`setting "${setting.name}" to "${text}"`);
    }
  }
  return runCheckHook(setting, value, text, source);
}

/** The value as a file of the server would set it, or an error; nothing is set. */
export const validateForFile = (setting: Setting, text: string): GucValue => parseAndValidate(setting, text, 'configuration file');

function runCheckHook(setting: Setting, value: GucValue, text: string, source: GucSource): GucValue {
  const checked = setting.hooks.check ? setting.hooks.check(value, source) : value;
  if (checked instanceof CheckFailure) throw invalidValue(setting, text, checked.fields);
  return checked;
}

function checkType(setting: Setting, text: string): GucValue {
  const { row } = setting;
  switch (setting.type) {
    case 'bool': {
      const value = parseBool(text);
      if (value === undefined) throw new PgError('invalid_parameter_value', `parameter "${setting.name}" requires a Boolean value`);
      return value;
    }
    case 'integer': case 'real': {
      const integer = setting.type === 'integer';
      const { value, hint } = integer ? parseInteger(text, row[4]) : parseReal(text, row[4]);
      if (value === undefined) throw invalidValue(setting, text, hint === undefined ? {} : { hint });
      if (!(value >= row[5] && value <= row[6])) {
        const n = (x: number): string => (integer ? String(x) : formatG(x));
        throw new PgError('invalid_parameter_value',
          `${n(value)}${row[4] ? ` ${row[4]}` : ''} is outside the valid range for parameter "${setting.name}" (${n(row[5])} .. ${n(row[6])})`);
      }
      return value;
    }
    case 'enum': return checkEnum(setting, text);
    case 'string':
      return setting.flags.has('IS_NAME') ? truncateIdentifierAloud(text) : text;
  }
}

function checkEnum(setting: Setting, text: string): string {
  const values = setting.row[7]!, wanted = text.toLowerCase();
  const found = values.find((v) => v.toLowerCase() === wanted);
  if (found !== undefined) return found;
  // The spellings PostgreSQL accepts without listing them.
  if (wanted === 'debug' && values.includes('debug2')) return 'debug2';
  if (wanted === 'info' && setting.name === 'client_min_messages') return 'info';
  if (values.includes('on') && values.includes('off')) {
    if (wanted === 'true' || wanted === 'yes' || wanted === '1') return 'on';
    if (wanted === 'false' || wanted === 'no' || wanted === '0') return 'off';
  }
  throw invalidValue(setting, text, { hint: `Available values: ${values.filter((v) => v !== '').join(', ')}.` });
}

// ---- setting

let nestLevel = 0;
/** Those with a stack: what the end of the transaction has to look at. */
const stacked = new Set<Setting>();
const changedReports = new Set<Setting>();

function pushOldValue(setting: Setting, action: GucAction): void {
  if (nestLevel === 0) return;
  const top = setting.stack.at(-1);
  if (top && top.level >= nestLevel) {
    if (action === 'set') top.state = 'set';
    else if (action === 'local' && top.state === 'set') {
      top.masked = setting.value;
      top.state = 'set local';
    }
    return;
  }
  setting.stack.push({ level: nestLevel, state: action, prior: setting.value, priorSource: setting.source, masked: '' });
  stacked.add(setting);
}

function assignValue(setting: Setting, value: GucValue, source: GucSource): void {
  const changed = setting.value !== value;
  setting.value = value;
  setting.source = source;
  if (setting.hot) store(setting);
  setting.hooks.assign?.(value);
  if (changed && setting.flags.has('REPORT')) changedReports.add(setting);
  if (changed && shapesPlans(setting)) plansVersion++;
}

/** Whether the current user has been given the right to set a superusers' setting; the catalogs fill it in. */
export const parameterRights = { maySet: (_name: string): boolean => false };

/** Whether a setter of this context may set it at all; false: to be passed over silently. */
function checkContext(setting: Setting, context: GucContext, source: GucSource, reloading: boolean): boolean {
  const cannot = (when: string): PgError => new PgError('cant_change_runtime_param', `parameter "${setting.name}" cannot be ${when}`);
  const denied = (): PgError => new PgError('insufficient_privilege', `permission denied to set parameter "${setting.name}"`);
  switch (setting.context) {
    case 'internal':
      if (context !== 'internal') throw cannot('changed');
      return true;
    case 'postmaster':
      if (context !== 'postmaster' && context !== 'sighup' && context !== 'internal') throw cannot('changed without restarting the server');
      return true;
    case 'sighup':
      if (context !== 'sighup' && context !== 'postmaster' && context !== 'internal') throw cannot('changed now');
      return true;
    case 'superuser-backend': case 'backend':
      if (setting.context === 'superuser-backend' && context === 'backend') throw denied();
      if (context === 'sighup') return !reloading || session.pid === 0;
      if (context !== 'postmaster' && context !== 'internal' && context !== 'backend' && context !== 'superuser-backend' && source !== 'client') {
        throw cannot('set after connection start');
      }
      return true;
    case 'superuser':
      if ((context === 'user' || context === 'backend') && !parameterRights.maySet(setting.name)) throw denied();
      return true;
    case 'user':
      return true;
  }
}

/** Sets a setting; null resets it. `context` is what the setter may do: 'superuser' and 'user' for SET. */
export function setConfigOption(name: string, text: string | null, context: GucContext, source: GucSource,
  action: GucAction | boolean = 'set', changeVal = true): void {
  const setting = findOrMakePlaceholder(name);
  const kept = action === true ? 'local' : action === false ? 'set' : action;
  if (!checkContext(setting, context, source, context === 'sighup')) return;
  if (session.securityContext !== 'none' && setting.flags.has('NOT_WHILE_SEC_REST')) {
    const where = session.securityContext === 'definer' ? 'security-definer function' : 'security-restricted operation';
    throw new PgError('insufficient_privilege', `cannot set parameter "${setting.name}" within ${where}`);
  }
  const rank = RANK[source];
  const makeDefault = changeVal && rank <= OVERRIDE && (text !== null || source === 'default');
  let change = changeVal;
  if (RANK[setting.source] > rank) {
    if (changeVal && !makeDefault) return;
    change = false;
  }
  let value: GucValue, newSource = source;
  if (text !== null) value = parseAndValidate(setting, text, source);
  else if (source === 'default') value = runCheckHook(setting, setting.boot, textOf(setting, setting.boot, false), source);
  else {
    value = setting.reset;
    newSource = setting.resetSource;
  }
  if (setting.context === 'postmaster' && context === 'sighup') {
    setting.pendingRestart = value !== setting.value;
    if (setting.pendingRestart) {
      throw new PgError('cant_change_runtime_param', `parameter "${setting.name}" cannot be changed without restarting the server`);
    }
    return;
  }
  if (change) {
    if (!makeDefault) pushOldValue(setting, kept);
    assignValue(setting, value, newSource);
  }
  if (makeDefault) {
    if (RANK[setting.resetSource] <= rank) {
      setting.reset = value;
      setting.resetSource = source;
    }
    for (const entry of setting.stack) {
      if (RANK[entry.priorSource] <= rank) {
        entry.prior = value;
        entry.priorSource = source;
      }
    }
  }
  // SET SESSION AUTHORIZATION is SET ROLE NONE too, for as long as it holds itself.
  if (changeVal && source !== 'override' && name.toLowerCase() === 'session_authorization') setConfigOption('role', text === null ? null : 'none', context, source, kept);
}

/** As the server itself: nobody's permission is asked (server_encoding, is_superuser, ...). */
export function setInternal(name: string, text: string): void {
  setConfigOption(name, text, 'internal', 'override');
}

/** The text of SET name = a, b, ...: lists are joined, and quoted where the setting wants that. */
export function flattenSetArgs(name: string, values: readonly (string | number)[]): string {
  const flags = findSetting(name)?.flags;
  return flattenValues(name, values, flags?.has('LIST_INPUT') ?? false, flags?.has('LIST_QUOTE') ?? false);
}

/** RESET ALL. */
export function resetAllOptions(): void {
  for (const setting of allSettings()) {
    if (setting.context !== 'user' && setting.context !== 'superuser') continue;
    if (setting.flags.has('NO_RESET_ALL') || RANK[setting.source] <= OVERRIDE) continue;
    pushOldValue(setting, 'set');
    assignValue(setting, setting.reset, setting.resetSource);
  }
}

/** The state of all settings; what is returned puts it back. Outside a transaction only. */
export function saveOptions(): () => void {
  const saved = allSettings().map((setting) => ({ setting, value: setting.value, source: setting.source, reset: setting.reset, resetSource: setting.resetSource }));
  return () => {
    for (const setting of allSettings()) if (!saved.some((s) => s.setting === setting)) forgetSetting(setting);
    for (const { setting, value, source, reset, resetSource } of saved) {
      if (setting.value !== value) assignValue(setting, value, source);
      Object.assign(setting, { source, reset, resetSource });
    }
    changedReports.clear();
  };
}

/** ALTER ROLE/DATABASE ... SET: entries "name=value". What is wrong is a warning, not an error. */
export function processGucArray(entries: readonly string[], context: GucContext, source: GucSource, action: GucAction = 'set'): void {
  for (const entry of entries) {
    const equals = entry.indexOf('=');
    if (equals < 0) {
      session.notice(asWarning(new PgError('syntax_error', `could not parse setting for parameter "${entry}"`)));
      continue;
    }
    try {
      setConfigOption(entry.slice(0, equals), entry.slice(equals + 1), context, source, action);
    } catch (error) {
      if (!(error instanceof PgError) || action === 'save') throw error;
      session.notice(asWarning(error));
    }
  }
}

function asWarning(error: PgError): PgError {
  error.severity = 'WARNING';
  return error;
}

// ---- transactions

/** At the start of a transaction. */
export function atStartGuc(): void {
  nestLevel = 1;
}

/** At the start of a subtransaction, or of a function with SET clauses: the level for atEOXact. */
export function newNestLevel(): number {
  return ++nestLevel;
}

/** The end of (sub)transaction `level`: 1 is the transaction itself. */
export function atEOXact(isCommit: boolean, level: number): void {
  if (stacked.size > 0) for (const setting of stacked) unwind(setting, isCommit, level);
  nestLevel = level - 1;
}

function unwind(setting: Setting, isCommit: boolean, level: number): void {
  const { stack } = setting;
  for (let top = stack.at(-1); top && top.level >= level; top = stack.at(-1)) {
    const below = stack.at(-2);
    if (!isCommit || top.state === 'save' || (top.level === 1 && top.state === 'local')) {
      assignValue(setting, top.prior, top.priorSource);
    } else if (top.level === 1) {
      if (top.state === 'set local') assignValue(setting, top.masked, 'session');
    } else if (!below || below.level < top.level - 1) {
      top.level--;
      continue;
    } else mergeDown(top, below);
    stack.pop();
  }
  if (stack.length === 0) stacked.delete(setting);
}

/** A committed subtransaction's change becomes its parent's. */
function mergeDown(top: StackEntry, below: StackEntry): void {
  if (top.state === 'set') below.state = 'set';
  else if (top.state === 'set local') {
    below.masked = top.masked;
    below.state = 'set local';
  } else if (below.state === 'set') {
    below.masked = top.prior;
    below.state = 'set local';
  }
}

// ---- ParameterStatus

/** What the frontend knows, by name. */
const lastReported = new Map<string, string>();

/** At the start of a session: the frontend is told every reported setting. */
export function beginReporting(): void {
  changedReports.clear();
  lastReported.clear();
  for (const setting of allSettings()) if (setting.flags.has('REPORT')) report(setting);
}

/** Told unless that is what was told last. */
function report(setting: Setting): void {
  const value = showSetting(setting, true);
  if (lastReported.get(setting.name) === value) return;
  lastReported.set(setting.name, value);
  session.reportParameter(setting.name, value);
}

/** Before ReadyForQuery: those that changed since. */
export function reportChangedOptions(): void {
  if (changedReports.size === 0) return;
  for (const setting of changedReports) report(setting);
  changedReports.clear();
}
