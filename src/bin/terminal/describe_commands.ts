// Which \d command does what (exec_command_d of command.c); \l, \z, \sf, \sv.
import { FAMILIES, defineCommands, type Command, type CommandContext } from './command.ts';
import { echoHidden, psqlExec } from './common.ts';
import { ServerError } from '../../interfaces/libpq/errors.ts';
import { literal } from './describe.ts';
import { listAccessMethods, listConfiguration, listDatabases, listDefaultPrivileges, listEventTriggers, listLanguages, listLargeObjects, listPrivileges, listRoles, listRoleSettings, listSchemas, listTablespaces } from './describe_cluster.ts';
import { listDescriptions, listDictionaries, listExtendedStatistics, listFamilyFunctions, listFamilyOperators, listForeignDataWrappers, listForeignServers, listForeignTables, listOperatorClasses, listOperatorFamilies, listParsers, listPartitioned, listPublications, listSearchConfigurations, listSearchTemplates, listSubscriptions, listUserMappings } from './describe_more.ts';
import { listAggregates, listCasts, listCollations, listConversions, listDomains, listExtensionContents, listExtensions, listFunctions, listOperators, listTypes } from './describe_objects.ts';
import { describeRelations, listRelations } from './describe_relations.ts';
import { editText } from './editor.ts';
import { logError, stdout } from './output.ts';
import { pset } from './settings.ts';

interface Asked { name: string; rest: string; pattern: string | null; verbose: boolean; system: boolean; args: () => string[] }
type Lister = (asked: Asked) => Promise<boolean>;

/** By how that begins which follows "\d", longer names first; what else stands there counts for nothing, as in PostgreSQL. */
const LISTERS: [prefix: RegExp, lister: Lister][] = [
  [/^([+S]|$)/, (a) => (a.pattern !== null ? describeRelations(a.pattern, a.verbose, a.system) : listRelations('tvmsE', null, a.verbose, a.system))],
  [/^config/, (a) => listConfiguration(a.pattern, a.verbose)],
  [/^a/, (a) => listAggregates(a.pattern, a.system)],
  [/^A(\+|$)/, (a) => listAccessMethods(a.pattern, a.verbose)],
  [/^b/, (a) => listTablespaces(a.pattern, a.verbose)],
  [/^c/, (a) => listConversions(a.pattern, a.verbose, a.system)],
  [/^C/, (a) => listCasts(a.pattern, a.verbose)],
  [/^D/, (a) => listDomains(a.pattern, a.verbose, a.system)],
  [/^dp/, (a) => listDefaultPrivileges(a.pattern)],
  [/^f([anptw+S]|$)/, (a) => listFunctions(a.rest.slice(1), a.pattern, a.pattern === null ? [] : a.args(), a.verbose, a.system)],
  [/^[gu]/, (a) => listRoles(a.pattern, a.verbose, a.system)],
  [/^l/, (a) => listLargeObjects(a.verbose)],
  [/^L/, (a) => listLanguages(a.pattern, a.verbose, a.system)],
  [/^n/, (a) => listSchemas(a.pattern, a.verbose, a.system)],
  [/^o/, (a) => listOperators(a.pattern, a.pattern === null ? [] : a.args(), a.verbose, a.system)],
  [/^O/, (a) => listCollations(a.pattern, a.verbose, a.system)],
  [/^p/, (a) => listPrivileges(a.pattern)],
  [/^T/, (a) => listTypes(a.pattern, a.verbose, a.system)],
  [/^x/, (a) => (a.verbose ? listExtensionContents(a.pattern) : listExtensions(a.pattern))],
  [/^y/, (a) => listEventTriggers(a.pattern, a.verbose)],
  [/^rds/, (a) => listRoleSettings(a.pattern, a.args()[0] ?? null)],
  [/^d/, (a) => listDescriptions(a.pattern, a.system)],
  [/^P([itn+]|$)/, (a) => listPartitioned(a.rest.slice(1), a.pattern, a.verbose)],
  [/^Rp/, (a) => listPublications(a.pattern, a.verbose)],
  [/^Rs/, (a) => listSubscriptions(a.pattern, a.verbose)],
  [/^X/, (a) => listExtendedStatistics(a.pattern)],
  [/^F(\+|$)/, (a) => listSearchConfigurations(a.pattern, a.verbose)],
  [/^Fd/, (a) => listDictionaries(a.pattern, a.verbose)],
  [/^Fp/, (a) => listParsers(a.pattern, a.verbose)],
  [/^Ft/, (a) => listSearchTemplates(a.pattern, a.verbose)],
  [/^es/, (a) => listForeignServers(a.pattern, a.verbose)],
  [/^ew/, (a) => listForeignDataWrappers(a.pattern, a.verbose)],
  [/^et/, (a) => listForeignTables(a.pattern, a.verbose)],
  [/^eu/, (a) => listUserMappings(a.pattern, a.verbose)],
  [/^Ac/, (a) => listOperatorClasses(a.pattern, a.pattern === null ? null : a.args()[0] ?? null, a.verbose)],
  [/^Af/, (a) => listOperatorFamilies(a.pattern, a.pattern === null ? null : a.args()[0] ?? null, a.verbose)],
  [/^Ao/, (a) => listFamilyOperators(a.pattern, a.pattern === null ? null : a.args()[0] ?? null, a.verbose)],
  [/^Ap/, (a) => listFamilyFunctions(a.pattern, a.pattern === null ? null : a.args()[0] ?? null, a.verbose)],
  [/^[tvmisE]/, (a) => listRelations(a.rest, a.pattern, a.verbose, a.system)],
];
FAMILIES.push((name) => {
  if (!name.startsWith('d')) return null;
  const rest = name.slice(1).replace(/[S+]/g, '');
  const lister = LISTERS.find(([prefix]) => prefix.test(name.slice(1)))?.[1];
  if (lister === undefined) return null;
  return async (context) => {
    const pattern = context.arg('normal', true);
    const args = (): string[] => {
      const words: string[] = [];
      for (let word = context.arg('normal', true); word !== null; word = context.arg('normal', true)) words.push(word);
      return words;
    };
    return await lister({ name, rest, pattern, verbose: name.includes('+'), system: name.includes('S'), args }) ? 'skip' : 'error';
  };
});

/** An OID by name; what is wrong with the name is told in one line. */
async function lookup(sql: string): Promise<string | null> {
  if (pset.db === null) {
    logError('You are currently not connected to a database.');
    return null;
  }
  echoHidden(sql);
  try {
    return (await pset.db.exec(sql, { rowMode: 'text' }))[0]?.rows[0]?.[0] as string | undefined ?? null;
  } catch (error) {
    logError(error instanceof ServerError ? `${error.severity}:  ${error.message}` : (error as Error).message);
    return null;
  }
}

/** name=value, the value quoted where it must be. */
function optionText(option: string): string {
  const [name, value = ''] = option.split('=') as [string, string?];
  return `${name}=${/^[a-z_][a-z0-9_]*$/.test(value) && !RESERVED.test(value) ? value : `'${value}'`}`;
}

/** Words that cannot stand as they are. */
const RESERVED = /^(true|false|null|all|and|any|as|default|end|in|is|not|on|or|table|to|user|view|with)$/;

/** What CREATE OR REPLACE would say of a function or view; null, after saying why, when there is none. */
async function definitionOf(name: string, function_: boolean): Promise<string | null> {
  const cast = function_ ? (name.includes('(') ? 'pg_catalog.regprocedure' : 'pg_catalog.regproc') : 'pg_catalog.regclass';
  const oid = await lookup(`SELECT ${literal(name)}::${cast}::pg_catalog.oid`);
  if (oid === null) return null;
  let text: string;
  if (function_) {
    const definition = await psqlExec(`SELECT pg_catalog.pg_get_functiondef(${oid})`);
    if (definition === null) return null;
    text = definition.rows[0]![0]!;
  } else {
    const view = await psqlExec(`SELECT nspname, relname, relkind, pg_catalog.pg_get_viewdef(c.oid, true), pg_catalog.array_remove(pg_catalog.array_remove(c.reloptions,'check_option=local'),'check_option=cascaded') AS reloptions, CASE WHEN 'check_option=local' = ANY (c.reloptions) THEN 'LOCAL'::text WHEN 'check_option=cascaded' = ANY (c.reloptions) THEN 'CASCADED'::text ELSE NULL END AS checkoption FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON c.relnamespace = n.oid WHERE c.oid = ${oid}`);
    const row = view?.rows[0];
    if (row === null || row === undefined) return null;
    if (row[2] !== 'v') {
      logError(`"${row[0]}.${row[1]}" is not a view`);
      return null;
    }
    const identifier = (id: string): string => (/^[a-z_][a-z0-9_]*$/.test(id) ? id : `"${id.replaceAll('"', '""')}"`);
    const options = row[4] === null || row[4] === '{}' ? '' : `\n WITH (${row[4]!.slice(1, -1).split(',').map(optionText).join(', ')})`;
    text = `CREATE OR REPLACE VIEW ${identifier(row[0]!)}.${identifier(row[1]!)}${options} AS\n${row[3]!.replace(/;$/, '')}${row[5] === null ? '' : `\n WITH ${row[5]} CHECK OPTION`}`;
  }
  return text.endsWith('\n') ? text : `${text}\n`;
}

/** The lines of a function's text are numbered with "+", counted from its body. */
const showSource = (function_: boolean): Command => async (context: CommandContext) => {
  const name = context.arg('whole line')?.replace(/[\s;]+$/, '') ?? '';
  if (name === '') {
    logError(`${function_ ? 'function' : 'view'} name is required`);
    return 'error';
  }
  let text = await definitionOf(name, function_);
  if (text === null) return 'error';
  if (context.name.endsWith('+')) {
    let line = function_ ? 0 : 1, inBody = !function_;
    text = text.replace(/\n$/, '').split('\n').map((l) => {
      if (function_ && !inBody && /^(AS |BEGIN |RETURN )/.test(l)) inBody = true;
      if (function_ && inBody) line++;
      const shown = inBody ? `${String(function_ ? line : line++).padEnd(7)} ${l}` : `        ${l}`;
      return `${shown}\n`;
    }).join('');
  }
  pset.out.write(text);
  return 'skip';
};

const EMPTY_FUNCTION = 'CREATE FUNCTION ( )\n RETURNS \n LANGUAGE \n -- common options:  IMMUTABLE  STABLE  STRICT  SECURITY DEFINER\nAS $function$\n\n$function$\n';
const EMPTY_VIEW = 'CREATE VIEW  AS\n SELECT \n  -- something...\n';

/** \ef, \ev: the definition in the editor; what comes back is read as if typed. A line number at the end counts from the body. */
const editSource = (function_: boolean): Command => async (context: CommandContext) => {
  // A number behind a space or a closing parenthesis (strip_lineno_from_objdesc).
  const rest = context.arg('whole line')?.replace(/[\s;]+$/, '') ?? '', [, name, digits] = /^([^]*?)(?:(?<=\S[\s]|\))(\d+))?$/.exec(rest) as unknown as [string, string, string?];
  let line = digits === undefined ? null : Number(digits);
  if (line === 0) {
    logError(`invalid line number: ${digits}`);
    return 'error';
  }
  const text = name.trim() === '' ? (function_ ? EMPTY_FUNCTION : EMPTY_VIEW) : await definitionOf(name.trim(), function_);
  if (text === null) return 'error';
  if (line !== null && function_) line += Math.max(0, text.split('\n').findIndex((l) => /^(AS |BEGIN |RETURN )/.test(l)));
  const edited = editText(text, line, null);
  if (edited === null) return 'error';
  if (edited === 'unchanged') {
    stdout.write('No changes\n');
    return 'skip';
  }
  context.query.text = edited.text;
  return 'newedit';
};

const databases: Command = async (context) => (await listDatabases(context.arg('normal', true), context.name.includes('+')) ? 'skip' : 'error');
defineCommands({
  'l list l+ list+': databases,
  'z': async (context) => (await listPrivileges(context.arg('normal', true)) ? 'skip' : 'error'),
  'sf sf+': showSource(true),
  'sv sv+': showSource(false),
  'ef': editSource(true),
  'ev': editSource(false),
  // It takes arguments, as all of its family, and makes nothing of them.
  'lo_list lo_list+': async (context) => {
    context.arg('normal', true);
    context.arg('normal', true);
    return await listLargeObjects(context.name.endsWith('+')) ? 'skip' : 'error';
  },
});
