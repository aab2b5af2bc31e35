// CREATE COLLATION, ALTER COLLATION ... REFRESH VERSION, and all the collations of ICU at once (PostgreSQL's collationcmds.c).
import { PG_UTF8 } from '../../common/encoding.ts';
import { PgError } from '../../common/errors.ts';
import { port } from '../../port/port.ts';
import { mustBeOwner, mustBeSuperuser, objectOwnercheck } from '../catalog/aclchk.ts';
import { catalogScanAll, catalogUpdateByKey } from '../catalog/indexing.ts';
import { getCollationOid } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { actualCollationVersion, collationCreate } from '../catalog/pg_collation.ts';
import { createComments } from '../catalog/pg_description.ts';
import * as sys from '../catalog/syscache.ts';
import { makeParseState, parserError } from '../parser/parse_node.ts';
import { ddlNotice } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { UtilityContext } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import { icuCollator, requireIcu } from '../types/collation.ts';
import type { Oid } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { session } from '../utils/session.ts';
import { creationPlace, namesOf } from './object_names.ts';
import { defGetBoolean, defGetString, errorConflictingDefElem } from './def_elem.ts';

const LOCALES = ['C', 'POSIX', 'C.UTF-8', 'C.utf8'];
const OPTIONS = ['from', 'locale', 'lc_collate', 'lc_ctype', 'provider', 'deterministic', 'version'];

/** pg_collation.collprovider, pg_database.datlocprovider by name. */
export const PROVIDERS: Readonly<Record<string, 'c' | 'i'>> = { libc: 'c', icu: 'i' };

interface Definition { provider: string; deterministic: boolean; encoding: number; collate: string | null; ctype: string | null; icuLocale: string | null }

export function createCollation(stmt: RawNode, context: UtilityContext): void {
  const { name, namespace } = creationPlace(stmt['defnames'] as string[]);
  const options = new Map<string, RawNode>();
  for (const e of (stmt['definition'] ?? []) as RawNode[]) {
    const key = e['defname'] as string;
    if (!OPTIONS.includes(key)) throw parserError(makeParseState(context.text), 'syntax_error', `collation attribute "${key}" not recognized`, e.location);
    if (options.has(key)) throw errorConflictingDefElem(e, context.text);
    options.set(key, e);
  }
  if (options.has('locale') && (options.has('lc_collate') || options.has('lc_ctype'))) {
    throw new PgError('syntax_error', 'conflicting or redundant options', { detail: 'LOCALE cannot be specified together with LC_COLLATE or LC_CTYPE.' });
  }
  if (options.has('from') && options.size > 1) throw new PgError('syntax_error', 'conflicting or redundant options', { detail: 'FROM cannot be specified together with any other options.' });
  const d = options.has('from') ? copied(options.get('from')!) : defined(options);
  const version = options.has('version') ? defGetString(options.get('version')!) : actualCollationVersion(d.provider, d.icuLocale);
  const oid = collationCreate({
    collname: name, collnamespace: namespace, collowner: session.currentUser, collprovider: d.provider, collisdeterministic: d.deterministic, collencoding: d.encoding,
    collcollate: d.collate, collctype: d.ctype, colliculocale: d.icuLocale, collversion: version,
  }, stmt['if_not_exists'] ? (message) => ddlNotice(`${message}, skipping`, 'duplicate_object') : undefined);
  if (oid === undefined) return;
  commandCounterIncrement();
  // Warns of a version that is not the present one.
  icuCollator(oid);
}

function copied(from: RawNode): Definition {
  const source = sys.collationByOid(getCollationOid(namesOf(from['arg'] as never)))!;
  if (source.collprovider === 'd') throw new PgError('invalid_object_definition', 'collation "default" cannot be copied');
  return {
    provider: source.collprovider, deterministic: source.collisdeterministic, encoding: source.collencoding, collate: source.collcollate, ctype: source.collctype,
    icuLocale: source.colliculocale,
  };
}

function defined(options: ReadonlyMap<string, RawNode>): Definition {
  const text = (name: string): string | undefined => (options.has(name) ? defGetString(options.get(name)!) : undefined);
  const deterministic = !options.has('deterministic') || defGetBoolean(options.get('deterministic')!);
  const provider = PROVIDERS[(text('provider') ?? 'libc').toLowerCase()];
  if (provider === undefined) throw new PgError('invalid_object_definition', `unrecognized collation provider: ${text('provider')}`);
  const libc = provider === 'c';
  const collate = text('lc_collate') ?? (libc ? text('locale') : undefined), ctype = text('lc_ctype') ?? (libc ? text('locale') : undefined);
  const icuLocale = libc ? undefined : text('locale');
  const missing = libc ? (collate === undefined ? 'lc_collate' : ctype === undefined ? 'lc_ctype' : undefined) : icuLocale === undefined ? 'locale' : undefined;
  if (missing !== undefined) throw new PgError('invalid_object_definition', `parameter "${missing}" must be specified`);
  if (!libc) requireIcu();
  else if (!deterministic) throw new PgError('feature_not_supported', 'nondeterministic collations not supported with this provider');
  for (const given of libc ? [collate!, ctype!] : []) {
    if (!LOCALES.includes(given)) throw new PgError('invalid_parameter_value', `could not create locale "${given}": No such file or directory`, { detail: `The operating system could not find any locale data for the locale name "${given}".` });
  }
  return { provider, deterministic, encoding: libc ? PG_UTF8 : -1, collate: collate ?? null, ctype: ctype ?? null, icuLocale: icuLocale ?? null };
}

/** What a new version is told as; null: it is the old one. That there is one at all does not change. */
export function changedVersion(recorded: string | null, actual: string | null): string | null {
  if ((recorded === null) !== (actual === null)) throw new PgError('internal_error', 'invalid collation version change');
  if (recorded === actual) {
    ddlNotice('version has not changed');
    return null;
  }
  ddlNotice(`changing version from ${recorded} to ${actual}`);
  return actual;
}

/** ALTER COLLATION ... REFRESH VERSION. */
export function refreshCollation(stmt: RawNode): void {
  const names = stmt['collname'] as string[], oid = getCollationOid(names);
  if (oid === ids.DEFAULT_COLLATION_OID) {
    throw new PgError('feature_not_supported', 'cannot refresh version of default collation', { hint: 'Use ALTER DATABASE ... REFRESH COLLATION VERSION instead.' });
  }
  if (!objectOwnercheck(ids.CollationRelationId, oid, session.currentUser)) throw mustBeOwner('collation', names.join('.'));
  const row = sys.collationByOid(oid)!;
  const version = changedVersion(row.collversion, actualCollationVersion(row.collprovider, row.colliculocale));
  if (version !== null) catalogUpdateByKey(ids.CollationRelationId, ids.PgCollationOidIndexId, [oid], { collversion: version });
}

const ASCII = /^[\x00-\x7f]*$/;

/** The locale of the C library and those of ICU that are not in a schema yet; how many there were. */
function importSystemCollations(namespace: Oid): number {
  mustBeSuperuser('import system collations');
  if (sys.namespaceByOid(namespace) === undefined) throw new PgError('undefined_schema', `schema with OID ${namespace} does not exist`);
  // One look for all names: there are some nine hundred.
  const there = new Set(catalogScanAll(ids.CollationRelationId).filter((row) => row.collnamespace === namespace).map((row) => row.collname));
  const base = { collnamespace: namespace, collowner: session.currentUser, collisdeterministic: true };
  let count = 0;
  const add = (collname: string, rest: { collprovider: string; collencoding: number; collcollate: string | null; colliculocale: string | null; collversion: string | null }, comment: string): void => {
    if (there.has(collname)) return;
    const oid = collationCreate({ ...base, collname, ...rest, collctype: rest.collcollate }, () => {});
    if (oid === undefined) return;
    count++;
    if (comment !== '') createComments(oid, ids.CollationRelationId, 0, comment);
  };
  for (const name of ['C.utf8', 'C']) add(name, { collprovider: 'c', collencoding: PG_UTF8, collcollate: 'C.utf8', colliculocale: null, collversion: null }, '');
  const known = port.icu.locales();
  for (let i = 0; i < known.length; i += 2) {
    const tag = known[i]!, shown = known[i + 1]!;
    if (!ASCII.test(tag)) continue;
    const version = actualCollationVersion('i', tag);
    add(`${tag}-x-icu`, { collprovider: 'i', collencoding: -1, collcollate: null, colliculocale: tag, collversion: version }, ASCII.test(shown) ? shown : '');
  }
  return count;
}

registerBuiltins({ pure: { pg_import_system_collations: importSystemCollations } });
