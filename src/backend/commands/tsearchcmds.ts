// Text search objects: parsers, dictionaries, templates, configurations (PostgreSQL's tsearchcmds.c).
import { PgError } from '../../common/errors.ts';
import { aclcheckNamespace, mustBeSuperuser, notOwnerOrDenied } from '../catalog/aclchk.ts';
import { getNewOid } from '../catalog/catalog.ts';
import { formatType } from '../catalog/format_type.ts';
import { catalogDelete, catalogFind, catalogInsert, catalogUpdate, catalogUpdateByKey } from '../catalog/indexing.ts';
import { qualifiedNameGetCreationNamespace } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { deleteDependencyRecordsFor, objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import { recordDependencyOnOwner } from '../catalog/pg_shdepend.ts';
import * as sys from '../catalog/syscache.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { funcSignatureString, lookupFuncName } from '../parser/parse_func.ts';
import { ddlNotice } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import { checkDictionaryOptions, deserializeOptions, tokenTypesOf, type DictionaryOption } from '../tsearch/ts_cache.ts';
import { makeDictionary } from '../tsearch/dictionaries.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { creationPlace, namesOf, requireObjectOwnership, resolveObject } from './object_names.ts';
import { constantText } from './variable.ts';

const TSQUERYOID = 3615;
const invalid = (message: string): PgError => new PgError('invalid_object_definition', message);
const syntaxError = (message: string): PgError => new PgError('syntax_error', message);

/** A method of a parser or template, which must have these arguments and this result. */
function method(option: RawNode, args: readonly Oid[], result: Oid): Oid {
  const names = namesOf(option['arg']);
  const oid = lookupFuncName(names, args, false);
  if (sys.procByOid(oid)!.prorettype !== result) throw new PgError('invalid_object_definition', `function ${funcSignatureString(names, args)} should return type ${formatType(result)}`);
  return oid;
}

function refuseDuplicate(exists: boolean, index: string, columns: string, name: string, namespace: Oid): void {
  if (exists) throw new PgError('unique_violation', `duplicate key value violates unique constraint "${index}"`, { detail: `Key (${columns})=(${name}, ${namespace}) already exists.` });
}

function dependOn(classId: Oid, oid: Oid, namespace: Oid, others: readonly [Oid, Oid][], owned: boolean): void {
  const self = objectAddress(classId, oid);
  recordDependencyOn(self, objectAddress(ids.NamespaceRelationId, namespace), 'n');
  if (owned) recordDependencyOnOwner(classId, oid, session.currentUser);
  for (const [otherClass, other] of others) if (other !== 0) recordDependencyOn(self, objectAddress(otherClass, other), 'n');
  commandCounterIncrement();
}

// ---- parsers, templates

export function defineTextSearchParser(names: readonly string[], options: readonly RawNode[]): void {
  mustBeSuperuser('create text search parsers');
  const { name, namespace } = qualifiedNameGetCreationNamespace(names);
  const row = { prsstart: 0, prstoken: 0, prsend: 0, prsheadline: 0, prslextype: 0 };
  const I = ids.INTERNALOID;
  for (const o of options) {
    switch (o['defname']) {
      case 'start': row.prsstart = method(o, [I, ids.INT4OID], I); break;
      case 'gettoken': row.prstoken = method(o, [I, I, I], I); break;
      case 'end': row.prsend = method(o, [I], ids.VOIDOID); break;
      case 'headline': row.prsheadline = method(o, [I, I, TSQUERYOID], I); break;
      case 'lextypes': row.prslextype = method(o, [I], I); break;
      default: throw syntaxError(`text search parser parameter "${o['defname'] as string}" not recognized`);
    }
  }
  for (const [field, word] of [['prsstart', 'start'], ['prstoken', 'gettoken'], ['prsend', 'end'], ['prslextype', 'lextypes']] as const) {
    if (row[field] === 0) throw invalid(`text search parser ${word} method is required`);
  }
  refuseDuplicate(sys.lookup(ids.TSParserRelationId, ids.PgTsParserPrsnameIndexId, name, namespace) !== undefined, 'pg_ts_parser_prsname_index', 'prsname, prsnamespace', name, namespace);
  const oid = getNewOid(ids.TSParserRelationId);
  catalogInsert(ids.TSParserRelationId, { oid, prsname: name, prsnamespace: namespace, ...row });
  dependOn(ids.TSParserRelationId, oid, namespace, Object.values(row).map((fn) => [ids.ProcedureRelationId, fn]), false);
}

export function defineTextSearchTemplate(names: readonly string[], options: readonly RawNode[]): void {
  mustBeSuperuser('create text search templates');
  const { name, namespace } = qualifiedNameGetCreationNamespace(names);
  const row = { tmplinit: 0, tmpllexize: 0 };
  const I = ids.INTERNALOID;
  for (const o of options) {
    switch (o['defname']) {
      case 'init': row.tmplinit = method(o, [I], I); break;
      case 'lexize': row.tmpllexize = method(o, [I, I, I, I], I); break;
      default: throw syntaxError(`text search template parameter "${o['defname'] as string}" not recognized`);
    }
  }
  if (row.tmpllexize === 0) throw invalid('text search template lexize method is required');
  refuseDuplicate(sys.lookup(ids.TSTemplateRelationId, ids.PgTsTemplateTmplnameIndexId, name, namespace) !== undefined, 'pg_ts_template_tmplname_index', 'tmplname, tmplnamespace', name, namespace);
  const oid = getNewOid(ids.TSTemplateRelationId);
  catalogInsert(ids.TSTemplateRelationId, { oid, tmplname: name, tmplnamespace: namespace, ...row });
  dependOn(ids.TSTemplateRelationId, oid, namespace, [[ids.ProcedureRelationId, row.tmplinit], [ids.ProcedureRelationId, row.tmpllexize]], false);
}

// ---- dictionaries

/** As pg_ts_dict keeps them (serialize_deflist). */
function serializeOptions(options: readonly DictionaryOption[]): string | null {
  if (options.length === 0) return null;
  return options.map(({ name, value, quoted }) => `${/^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`} = ${
    quoted ? `${value.includes('\\') ? 'E' : ''}'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'` : value}`).join(', ');
}

const optionOf = (o: RawNode): DictionaryOption => {
  const arg = o['arg'] as unknown;
  return { name: o['defname'] as string, value: arg === undefined ? '' : typeof arg === 'object' && (arg as RawNode).tag === 'TypeName' ? namesOf(arg).join('.') : constantText(arg as never), quoted: typeof arg !== 'number' };
};

export function defineTextSearchDictionary(names: readonly string[], options: readonly RawNode[]): void {
  const { name, namespace } = creationPlace(names);
  let template = 0;
  const given: DictionaryOption[] = [];
  for (const o of options) {
    if (o['defname'] === 'template') template = resolveObject('OBJECT_TSTEMPLATE', namesOf(o['arg']))!.objectId;
    else given.push(optionOf(o));
  }
  if (template === 0) throw invalid('text search template is required');
  // Its files must be such as it can read.
  checkDictionaryOptions(template, given);
  makeDictionary(template, given);
  refuseDuplicate(sys.lookup(ids.TSDictionaryRelationId, ids.PgTsDictDictnameIndexId, name, namespace) !== undefined, 'pg_ts_dict_dictname_index', 'dictname, dictnamespace', name, namespace);
  const oid = getNewOid(ids.TSDictionaryRelationId);
  catalogInsert(ids.TSDictionaryRelationId, { oid, dictname: name, dictnamespace: namespace, dictowner: session.currentUser, dicttemplate: template, dictinitoption: serializeOptions(given) });
  dependOn(ids.TSDictionaryRelationId, oid, namespace, [[ids.TSTemplateRelationId, template]], true);
}

function alterDictionary(stmt: RawNode): void {
  const address = resolveObject('OBJECT_TSDICTIONARY', stmt['dictname'] as string[])!;
  const row = sys.lookup(ids.TSDictionaryRelationId, ids.PgTsDictOidIndexId, address.objectId)!;
  requireObjectOwnership(address, 'OBJECT_TSDICTIONARY', stmt['dictname'] as string[]);
  let list = deserializeOptions(row.dictinitoption ?? '');
  for (const o of (stmt['options'] ?? []) as RawNode[]) {
    list = list.filter((known) => known.name !== o['defname']);
    if (o['arg'] !== undefined) list.push(optionOf(o));
  }
  checkDictionaryOptions(row.dicttemplate, list);
  makeDictionary(row.dicttemplate, list);
  catalogUpdateByKey(ids.TSDictionaryRelationId, ids.PgTsDictOidIndexId, [row.oid], { dictinitoption: serializeOptions(list) });
  commandCounterIncrement();
}

// ---- configurations

export function defineTextSearchConfiguration(names: readonly string[], options: readonly RawNode[]): void {
  const { name, namespace } = qualifiedNameGetCreationNamespace(names);
  if (!aclcheckNamespace(namespace, session.currentUser, ACL.CREATE)) throw notOwnerOrDenied('schema', sys.namespaceByOid(namespace)!.nspname);
  let parser = 0, source = 0;
  for (const o of options) {
    if (o['defname'] === 'parser') parser = resolveObject('OBJECT_TSPARSER', namesOf(o['arg']))!.objectId;
    else if (o['defname'] === 'copy') source = resolveObject('OBJECT_TSCONFIGURATION', namesOf(o['arg']))!.objectId;
    else throw syntaxError(`text search configuration parameter "${o['defname'] as string}" not recognized`);
  }
  if (source !== 0 && parser !== 0) throw syntaxError('cannot specify both PARSER and COPY options');
  if (source !== 0) parser = sys.lookup(ids.TSConfigRelationId, ids.PgTsConfigOidIndexId, source)!.cfgparser;
  if (parser === 0) throw invalid('text search parser is required');
  refuseDuplicate(sys.lookup(ids.TSConfigRelationId, ids.PgTsConfigCfgnameIndexId, name, namespace) !== undefined, 'pg_ts_config_cfgname_index', 'cfgname, cfgnamespace', name, namespace);
  const oid = getNewOid(ids.TSConfigRelationId);
  catalogInsert(ids.TSConfigRelationId, { oid, cfgname: name, cfgnamespace: namespace, cfgowner: session.currentUser, cfgparser: parser });
  if (source !== 0) for (const m of sys.lookupAll(ids.TSConfigMapRelationId, ids.PgTsConfigMapIndexId, source)) catalogInsert(ids.TSConfigMapRelationId, { ...m, mapcfg: oid });
  recordDependencyOnOwner(ids.TSConfigRelationId, oid, session.currentUser);
  commandCounterIncrement();
  configurationDependencies(oid);
}

/** On its parser, and the dictionaries of its mappings (makeConfigurationDependencies). */
function configurationDependencies(oid: Oid): void {
  const row = sys.lookup(ids.TSConfigRelationId, ids.PgTsConfigOidIndexId, oid)!;
  const dictionaries = new Set(sys.lookupAll(ids.TSConfigMapRelationId, ids.PgTsConfigMapIndexId, oid).map((m) => m.mapdict));
  deleteDependencyRecordsFor(objectAddress(ids.TSConfigRelationId, oid));
  dependOn(ids.TSConfigRelationId, oid, row.cfgnamespace, [[ids.TSParserRelationId, row.cfgparser], ...[...dictionaries].map((d): [Oid, Oid] => [ids.TSDictionaryRelationId, d])], false);
}

function alterConfiguration(stmt: RawNode): void {
  const address = resolveObject('OBJECT_TSCONFIGURATION', stmt['cfgname'] as string[])!;
  requireObjectOwnership(address, 'OBJECT_TSCONFIGURATION', stmt['cfgname'] as string[]);
  const config = sys.lookup(ids.TSConfigRelationId, ids.PgTsConfigOidIndexId, address.objectId)!;
  const tokens = tokenNumbers(config.cfgparser, (stmt['tokentype'] ?? []) as string[]);
  if (stmt['dicts'] !== undefined) makeMapping(stmt, config.oid, tokens);
  else if (stmt['tokentype'] !== undefined) dropMapping(stmt, config.oid, tokens);
  commandCounterIncrement();
  configurationDependencies(config.oid);
}

interface Token { number: number; name: string }

function tokenNumbers(parser: Oid, names: readonly string[]): Token[] {
  if (names.length === 0) return [];
  const known = tokenTypesOf(parser);
  const result: Token[] = [];
  for (const name of names) {
    const found = known.find((t) => t.alias === name);
    if (found === undefined) throw new PgError('invalid_parameter_value', `token type "${name}" does not exist`);
    if (!result.some((t) => t.number === found.tokid)) result.push({ number: found.tokid, name });
  }
  return result;
}

const mappings = (config: Oid) => catalogFind(ids.TSConfigMapRelationId, ids.PgTsConfigMapIndexId, [config]);

function makeMapping(stmt: RawNode, config: Oid, tokens: readonly Token[]): void {
  const dictionaries = (stmt['dicts'] as string[][]).map((names) => resolveObject('OBJECT_TSDICTIONARY', names)!.objectId);
  if (stmt['replace']) {
    const [old, now] = dictionaries;
    for (const t of mappings(config)) {
      if (t.row.mapdict !== old || (tokens.length > 0 && !tokens.some((k) => k.number === t.row.maptokentype))) continue;
      catalogUpdate(ids.TSConfigMapRelationId, t, { mapdict: now! });
    }
    return;
  }
  if (stmt['override']) {
    for (const t of mappings(config)) if (tokens.some((k) => k.number === t.row.maptokentype)) catalogDelete(ids.TSConfigMapRelationId, t);
    commandCounterIncrement();
  }
  for (const { number } of tokens) {
    refuseMappingDuplicate(config, number);
    dictionaries.forEach((mapdict, i) => catalogInsert(ids.TSConfigMapRelationId, { mapcfg: config, maptokentype: number, mapseqno: i + 1, mapdict }));
  }
}

function refuseMappingDuplicate(config: Oid, token: number): void {
  if (!mappings(config).some((t) => t.row.maptokentype === token && t.row.mapseqno === 1)) return;
  throw new PgError('unique_violation', 'duplicate key value violates unique constraint "pg_ts_config_map_index"', { detail: `Key (mapcfg, maptokentype, mapseqno)=(${config}, ${token}, 1) already exists.` });
}

function dropMapping(stmt: RawNode, config: Oid, tokens: readonly Token[]): void {
  for (const { number, name } of tokens) {
    const gone = mappings(config).filter((t) => t.row.maptokentype === number);
    for (const t of gone) catalogDelete(ids.TSConfigMapRelationId, t);
    if (gone.length > 0) continue;
    if (!stmt['missing_ok']) throw new PgError('undefined_object', `mapping for token type "${name}" does not exist`);
    ddlNotice(`mapping for token type "${name}" does not exist, skipping`);
  }
}

export const TSEARCH_COMMANDS: UtilityTable = {
  AlterTSDictionaryStmt: { run: alterDictionary },
  AlterTSConfigurationStmt: { run: alterConfiguration },
};
