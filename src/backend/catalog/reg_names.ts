// Names to OIDs and back for the reg* types (PostgreSQL's regproc.c); types/regproc.ts calls these through its hooks.
import { PgError, internalError } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';
import type { RegKind } from '../types/hooks.ts';
import { functionCandidates, operatorCandidates, operatorNameGetOprid } from './func_candidates.ts';
import { formatNamed, formatOperator, formatProcedure, formatRelation } from './format_object.ts';
import { formatTypeExtended } from './format_type.ts';
import * as ns from './namespace.ts';
import { getRoleOid } from './objectaddress.ts';
import * as ids from './oids.ts';
import { FUNC_MAX_ARGS } from './pg_proc.ts';
import { quoteIdentifier } from './quote.ts';
import * as sys from './syscache.ts';

const invalidName = (): PgError => new PgError('invalid_name', 'invalid name syntax');

/** "a.b" as a list of names (stringToQualifiedNameList). */
export function stringToQualifiedNameList(text: string): string[] {
  const names = ns.splitIdentifierString(text, '.');
  if (!names || names.length === 0) throw invalidName();
  return names;
}

/** The relation that a text names: `"Name"`, `schema.name`. */
export const relidOfText = (text: string, missingOk = false): Oid => ns.rangeVarGetRelid(ns.makeRangeVarFromNameList(stringToQualifiedNameList(text)), missingOk);
function single(text: string): string {
  const names = stringToQualifiedNameList(text);
  if (names.length !== 1) throw invalidName();
  return names[0]!;
}

/** What stands above: types as the grammar reads them. */
export const typeNames: { parse(text: string, missingOk: boolean): { type: Oid; typmod: number } | undefined } = {
  parse() { throw internalError('the parser has not filled in how types are read'); },
};

const badText = (message: string): PgError => new PgError('invalid_text_representation', message);

/** "name(type, type)" (parseNameAndArgTypes); NONE is 0 where an operator has no such side. */
function nameAndArgTypes(text: string, allowNone: boolean): { names: string[]; types: Oid[] } {
  let quoted = false;
  let open = 0;
  for (; open < text.length && (quoted || text[open] !== '('); open++) if (text[open] === '"') quoted = !quoted;
  if (open === text.length) throw badText('expected a left parenthesis');
  const name = text.slice(0, open), names = allowNone ? operatorName(name) : stringToQualifiedNameList(name);
  const rest = text.slice(open + 1).trimEnd();
  if (!rest.endsWith(')')) throw badText('expected a right parenthesis');
  const parts = splitArguments(rest.slice(0, -1)), last = parts.pop()!;
  if (last !== '') parts.push(last);
  const types = parts.map((part) => (allowNone && /^none$/i.test(part) ? 0 : typeNames.parse(part, false)!.type));
  if (last === '' && types.length > 0) throw badText('expected a type name');
  if (types.length > FUNC_MAX_ARGS) throw new PgError('too_many_arguments', 'too many arguments');
  return { names, types };
}

/** At commas outside of parentheses and quotes: one text, perhaps empty, more than there are commas. */
function splitArguments(text: string): string[] {
  const parts: string[] = [];
  let part = '', quoted = false, depth = 0;
  const take = (): void => {
    if (quoted || depth !== 0) throw badText('improper type name');
    parts.push(part.trim());
    part = '';
  };
  for (const c of text) {
    if (c === '"') quoted = !quoted;
    if (!quoted && (c === '(' || c === '[')) depth++;
    if (!quoted && (c === ')' || c === ']')) depth--;
    if (c === ',' && !quoted && depth === 0) take();
    else part += c;
  }
  take();
  return parts;
}

/** "schema.+" or "+": the operator's own name is never quoted. */
function operatorName(text: string): string[] {
  const name = text.trim();
  const m = /^(.*\.)?([^."\w\s]+)$/s.exec(name);
  if (!m) return stringToQualifiedNameList(name);
  return [...(m[1] ? stringToQualifiedNameList(m[1].slice(0, -1)) : []), m[2]!];
}

type Lookup = (name: string, missingOk: boolean) => Oid;
/** What is not there is an error, or 0. */
const or = (oid: Oid, missingOk: boolean, error: () => PgError): Oid => {
  if (oid === 0 && !missingOk) throw error();
  return oid;
};
const noSuch = (what: string, name: string) => (): PgError => new PgError('undefined_object', `${what} "${stringToQualifiedNameList(name).join('.')}" does not exist`);

const LOOKUPS: Readonly<Record<RegKind, Lookup>> = {
  regproc(name, missingOk) {
    const found = functionCandidates(stringToQualifiedNameList(name), -1, { missingOk });
    if (found.length > 1 && !missingOk) throw new PgError('ambiguous_function', `more than one function named "${name}"`);
    return or(found.length === 1 ? found[0]!.oid : 0, missingOk, () => new PgError('undefined_function', `function "${name}" does not exist`));
  },
  regprocedure(name, missingOk) {
    const { names, types } = nameAndArgTypes(name, false);
    const found = functionCandidates(names, types.length, { missingOk }).find((c) => c.args.every((t, i) => t === types[i]));
    return or(found?.oid ?? 0, missingOk, () => new PgError('undefined_function', `function "${name}" does not exist`));
  },
  regoper(name, missingOk) {
    const names = operatorName(name);
    const found = [...operatorCandidates(names, 'b', missingOk), ...operatorCandidates(names, 'l', missingOk)];
    if (found.length > 1 && !missingOk) throw new PgError('ambiguous_function', `more than one operator named ${name}`);
    return or(found.length === 1 ? found[0]!.oid : 0, missingOk, () => new PgError('undefined_function', `operator does not exist: ${name}`));
  },
  regoperator(name, missingOk) {
    const { names, types } = nameAndArgTypes(name, true);
    if (types.length === 1) {
      throw new PgError('undefined_parameter', 'missing argument', { hint: 'Use NONE to denote the missing argument of a unary operator.' });
    }
    if (types.length !== 2) {
      throw new PgError('too_many_arguments', 'too many arguments', { hint: 'Provide two argument types for operator.' });
    }
    return or(operatorNameGetOprid(names, types[0]!, types[1]!), missingOk,
      () => new PgError('undefined_function', `operator does not exist: ${name}`));
  },
  regclass: relidOfText,
  regtype: (name, missingOk) => typeNames.parse(name, missingOk)?.type ?? 0,
  regrole: (name, missingOk) => getRoleOid(single(name), missingOk),
  regnamespace: (name, missingOk) => ns.getNamespaceOid(single(name), missingOk),
  regcollation: (name, missingOk) => ns.getCollationOid(stringToQualifiedNameList(name), missingOk),
  regconfig: (name, missingOk) => or(ns.lookupByName(stringToQualifiedNameList(name), (n, s) =>
    sys.lookup(ids.TSConfigRelationId, ids.PgTsConfigCfgnameIndexId, n, s)?.oid ?? 0, missingOk), missingOk, noSuch('text search configuration', name)),
  regdictionary: (name, missingOk) => or(ns.lookupByName(stringToQualifiedNameList(name), (n, s) =>
    sys.lookup(ids.TSDictionaryRelationId, ids.PgTsDictDictnameIndexId, n, s)?.oid ?? 0, missingOk), missingOk, noSuch('text search dictionary', name)),
};

export const regLookup = (kind: RegKind, name: string, missingOk: boolean): Oid => LOOKUPS[kind](name, missingOk);

const NAMES: Readonly<Record<RegKind, (oid: Oid) => string | undefined>> = {
  regproc(oid) {
    const p = sys.procByOid(oid);
    if (!p) return undefined;
    const found = functionCandidates([p.proname], -1);
    return formatNamed(p.pronamespace, p.proname, found.length === 1 && found[0]!.oid === oid);
  },
  regprocedure: (oid) => (sys.procByOid(oid) ? formatProcedure(oid) : undefined),
  regoper(oid) {
    const o = sys.operatorByOid(oid);
    if (!o) return undefined;
    const found = [...operatorCandidates([o.oprname], 'b'), ...operatorCandidates([o.oprname], 'l')];
    return found.length === 1 && found[0]!.oid === oid ? o.oprname
      : `${quoteIdentifier(sys.namespaceByOid(o.oprnamespace)?.nspname ?? '')}.${o.oprname}`;
  },
  regoperator: (oid) => (sys.operatorByOid(oid) ? formatOperator(oid) : undefined),
  regclass: (oid) => (sys.classByOid(oid) ? formatRelation(oid) : undefined),
  regtype: (oid) => (sys.typeByOid(oid) ? formatTypeExtended(oid, -1, { allowInvalid: true }) : undefined),
  regrole(oid) {
    const r = sys.authIdByOid(oid);
    return r && quoteIdentifier(r.rolname);
  },
  regnamespace(oid) {
    const n = sys.namespaceByOid(oid);
    return n && quoteIdentifier(n.nspname);
  },
  regcollation(oid) {
    const c = sys.collationByOid(oid);
    return c && formatNamed(c.collnamespace, c.collname, ns.collationIsVisible(oid));
  },
  regconfig(oid) {
    const c = sys.lookup(ids.TSConfigRelationId, ids.PgTsConfigOidIndexId, oid);
    return c && formatNamed(c.cfgnamespace, c.cfgname, ns.fetchSearchPath(true).includes(c.cfgnamespace));
  },
  regdictionary(oid) {
    const d = sys.lookup(ids.TSDictionaryRelationId, ids.PgTsDictOidIndexId, oid);
    return d && formatNamed(d.dictnamespace, d.dictname, ns.fetchSearchPath(true).includes(d.dictnamespace));
  },
};

export const regName = (kind: RegKind, oid: Oid): string | undefined => NAMES[kind](oid);
