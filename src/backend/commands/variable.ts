// SET, SHOW, RESET, SET TRANSACTION, DISCARD (PostgreSQL's guc.c and discard.c, the command side).
import { PgError, notSupported } from '../../common/errors.ts';
import type { ResultColumn } from '../executor/dest.ts';
import { typenameTypeIdAndMod } from '../parser/parse_type.ts';
import type { RawNode } from '../parser/raw_parser.ts';
import * as ids from '../catalog/oids.ts';
import { aclcheckParameter } from '../catalog/pg_parameter_acl.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { preventInTransactionBlock, type UtilityContext, type UtilityResult, type UtilityTable } from '../tcop/utility.ts';
import { managerClient } from '../transaction/client.ts';
import { importSnapshot } from '../transaction/exported_snapshots.ts';
import { inTransactionBlock, requireLocks, setTransactionDeferrable, setTransactionIsolation, setTransactionReadOnly, type IsolationLevel } from '../transaction/xact.ts';
import { typeHooks } from '../types/hooks.ts';
import { INTERVALOID } from '../types/oids.ts';
import { allSettings, findSetting, flattenSetArgs, isVisible, resetAllOptions, setConfigOption, settingColumns, show, showSetting, validateForFile } from '../utils/guc.ts';
import { settingForFile, writeAutoFile } from '../utils/guc_file.ts';
import { sendWarning, session } from '../utils/session.ts';
import { unlistenAll } from './async.ts';

interface VariableSetStmt { kind: string; name: string; args?: RawNode[]; is_local?: boolean }

/** An option of BEGIN, START TRANSACTION or SET TRANSACTION. */
export function setTransactionOption(option: { defname: string; arg?: any }): void {
  const value = constantText(option.arg);
  switch (option.defname) {
    case 'transaction_isolation': setTransactionIsolation(value as IsolationLevel); return;
    case 'transaction_read_only': setTransactionReadOnly(value !== '0' && value !== 'f' && value !== 'false'); return;
    case 'transaction_deferrable': setTransactionDeferrable(value !== '0' && value !== 'f' && value !== 'false'); return;
    default: throw notSupported(`transaction option ${option.defname}`);
  }
}

/** The text of an A_Const or a DefElem's argument (or of a cast of one: SET TIME ZONE INTERVAL '...'). */
export function constantText(node: any): string {
  if (node === undefined || node === null) return '';
  if (typeof node !== 'object') return String(node);
  if (node.tag === 'TypeCast') return intervalText(node);
  if (node.tag === 'A_Const') return node.ctype === 'null' ? '' : String(node.value);
  if (node.tag === 'TypeName') return (node.names as string[]).at(-1)!; // a word that is no reserved one
  if (node.tag === 'Boolean') return node.boolval ? 'true' : 'false';
  return String(node.value ?? node.fval ?? '');
}

/** The values of SET name = a, b, ...; whole numbers as such, for they are not quoted in a list of names. */
export const settingArguments = (args: readonly RawNode[] | undefined): (string | number)[] =>
  (args ?? []).map((arg) => (arg.tag === 'A_Const' && arg['ctype'] === 'integer' ? arg['value'] as number : constantText(arg)));

/** SET TIME ZONE INTERVAL '...': TimeZone knows it by the word from a zone's name, in which signs mean the opposite. */
function intervalText(cast: any): string {
  const { type, typmod } = typenameTypeIdAndMod(null, cast.typeName);
  const text = constantText(cast.arg);
  if (type !== INTERVALOID) return text;
  const io = typeHooks.typeIo(type);
  return `INTERVAL '${io.output(io.input(text, typmod))}'`;
}

const setContext = (): 'superuser' | 'user' => (session.isSuperuser ? 'superuser' : 'user');

function warn(message: string): void {
  sendWarning('no_active_sql_transaction', message);
}

function setVariable(stmt: VariableSetStmt, context: UtilityContext): void {
  const local = stmt.is_local === true;
  if (local && stmt.kind !== 'VAR_SET_MULTI' && !inTransactionBlock(context.topLevel)) {
    warn('SET LOCAL can only be used in transaction blocks');
  }
  switch (stmt.kind) {
    case 'VAR_SET_VALUE':
      setConfigOption(stmt.name, flattenSetArgs(stmt.name, settingArguments(stmt.args)), setContext(), 'session', local);
      return;
    case 'VAR_SET_DEFAULT':
    case 'VAR_RESET':
      setConfigOption(stmt.name, null, setContext(), 'session', local);
      return;
    case 'VAR_SET_CURRENT':
      setConfigOption(stmt.name, show(stmt.name), setContext(), 'session', local);
      return;
    case 'VAR_RESET_ALL':
      resetAllOptions();
      return;
    case 'VAR_SET_MULTI':
      setMulti(stmt, context);
      return;
    default:
      throw notSupported(`SET (${stmt.kind})`);
  }
}

function setMulti(stmt: VariableSetStmt, context: UtilityContext): void {
  const options = (stmt.args ?? []) as unknown as { defname: string; arg?: any }[];
  if (stmt.name === 'TRANSACTION') {
    if (!inTransactionBlock(context.topLevel)) {
      warn('SET TRANSACTION can only be used in transaction blocks');
    }
    for (const option of options) setTransactionOption(option);
  } else if (stmt.name === 'SESSION CHARACTERISTICS') {
    for (const option of options) setConfigOption(`default_${option.defname}`, constantText(option.arg), setContext(), 'session', false);
  } else if (stmt.name === 'TRANSACTION SNAPSHOT') {
    if (stmt.is_local === true) throw new PgError('feature_not_supported', 'SET LOCAL TRANSACTION SNAPSHOT is not implemented');
    if (!inTransactionBlock(context.topLevel)) warn('SET TRANSACTION can only be used in transaction blocks');
    importSnapshot(constantText(stmt.args![0]!));
  } else {
    throw notSupported(`SET ${stmt.name}`);
  }
}

/** ALTER SYSTEM: into the file that the postmaster reads after site.ini, at the next reload or start. */
function alterSystem({ setstmt: { kind, name, args } }: { setstmt: VariableSetStmt }, context: UtilityContext): void {
  preventInTransactionBlock(context, 'ALTER SYSTEM');
  const all = kind === 'VAR_RESET_ALL';
  if (!session.isSuperuser) {
    if (all) throw new PgError('insufficient_privilege', 'permission denied to perform ALTER SYSTEM RESET ALL');
    if (!aclcheckParameter(name, session.currentUser, ACL.ALTER_SYSTEM)) throw new PgError('insufficient_privilege', `permission denied to set parameter "${name}"`);
  }
  let own: string | null = null, value: string | null = null;
  if (!all) {
    const setting = settingForFile(name);
    own = setting.name;
    if (kind === 'VAR_SET_VALUE') {
      value = flattenSetArgs(name, settingArguments(args));
      validateForFile(setting, value);
      if (value.includes('\n')) throw new PgError('invalid_parameter_value', 'parameter value for ALTER SYSTEM must not contain a newline');
    }
  }
  // One writer at a time.
  requireLocks();
  managerClient(true).acquireLock({ kind: 'object', classid: ids.ParameterAclRelationId, objid: 0, exclusive: true });
  writeAutoFile(own, value);
}

const textColumn = (name: string): ResultColumn => ({ name, typeOid: ids.TEXTOID, typmod: -1, collation: 100, tableOid: 0, tableColumn: 0 });

function showColumns(stmt: { name: string }): ResultColumn[] {
  return stmt.name.toLowerCase() === 'all' ? ['name', 'setting', 'description'].map(textColumn) : [textColumn(findSetting(stmt.name)?.name ?? stmt.name)];
}

function showVariable(stmt: { name: string }, context: UtilityContext): UtilityResult {
  const { dest } = context;
  dest.start(showColumns(stmt));
  if (stmt.name.toLowerCase() === 'all') {
    for (const setting of allSettings()) {
      if (setting.flags.has('NO_SHOW_ALL') || !isVisible(setting)) continue;
      dest.receive([setting.name, showSetting(setting, true), settingColumns(setting, session.isSuperuser)[4] as string]);
    }
  } else {
    dest.receive([show(stmt.name)]);
  }
  dest.end();
  return {};
}

/** What DISCARD ALL does, beyond its parts; each floor adds its own. */
export const discardHooks: Record<'all' | 'plans' | 'sequences' | 'temp', (() => void)[]> = { all: [], plans: [], sequences: [], temp: [] };

function discard(stmt: { target: string }, context: UtilityContext): void {
  const run = (kind: keyof typeof discardHooks): void => { for (const hook of discardHooks[kind]) hook(); };
  switch (stmt.target) {
    case 'DISCARD_ALL':
      preventInTransactionBlock(context, 'DISCARD ALL');
      run('all');
      unlistenAll();
      setConfigOption('session_authorization', null, setContext(), 'session');
      resetAllOptions();
      run('plans'); run('temp'); run('sequences');
      return;
    case 'DISCARD_PLANS': run('plans'); return;
    case 'DISCARD_SEQUENCES': run('sequences'); return;
    case 'DISCARD_TEMP': run('temp'); return;
    default: throw notSupported(`DISCARD ${stmt.target}`);
  }
}

/** LOAD: of all libraries there is PL/pgSQL's, which is part of the server. */
function loadLibrary({ filename }: { filename: string }): void {
  if (!session.isSuperuser && !/^\$libdir\/plugins\/[^/]*$/.test(filename)) throw new PgError('insufficient_privilege', `access to library "${filename}" is not allowed`);
  if (!/^(?:\$libdir\/)?plpgsql(?:\.so)?$/.test(filename)) throw new PgError('undefined_file', `could not access file "${filename}": No such file or directory`);
}

export const VARIABLE_COMMANDS: UtilityTable = {
  VariableSetStmt: { run: setVariable, readOnly: true },
  VariableShowStmt: { run: showVariable, columns: showColumns, readOnly: true },
  AlterSystemStmt: { run: alterSystem, readOnly: true },
  DiscardStmt: { run: discard, readOnly: true },
  LoadStmt: { run: loadLibrary, readOnly: true },
};
