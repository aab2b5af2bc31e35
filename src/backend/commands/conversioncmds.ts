// CREATE CONVERSION, ACCESS METHOD, LANGUAGE and TRANSFORM: rows that make functions known to the server (PostgreSQL's
// conversioncmds.c, amcmds.c, proclang.c, functioncmds.c).
import { PgError } from '../../common/errors.ts';
import { charToEncoding, encodingToChar } from '../../common/encoding.ts';
import { aclcheckProc, mustBeOwner, mustBeSuperuser, notOwnerOrDenied, objectAclcheck, objectOwnercheck } from '../catalog/aclchk.ts';
import { getNewOid } from '../catalog/catalog.ts';
import { formatType } from '../catalog/format_type.ts';
import { catalogInsert, catalogScanAll, catalogUpdateByKey } from '../catalog/indexing.ts';
import { getType } from '../catalog/lsyscache.ts';
import { getLanguageOid } from '../catalog/objectaddress.ts';
import * as ids from '../catalog/oids.ts';
import { deleteDependencyRecordsFor, objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import { recordDependencyOnOwner } from '../catalog/pg_shdepend.ts';
import * as sys from '../catalog/syscache.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { lookupFuncName, lookupFuncWithArgs } from '../parser/parse_func.ts';
import { typeNameToString, typenameTypeId } from '../parser/parse_type.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { creationPlace } from './object_names.ts';

const INDEX_AM_HANDLEROID = 325, TABLE_AM_HANDLEROID = 269;
const normal = (classId: Oid, oid: Oid, otherClass: Oid, other: Oid): void => {
  if (other !== 0) recordDependencyOn(objectAddress(classId, oid), objectAddress(otherClass, other), 'n');
};

// ---- conversions

function createConversion(stmt: RawNode): void {
  const { name, namespace } = creationPlace(stmt['conversion_name'] as string[]);
  const encoding = (field: string, word: string): number => {
    const found = charToEncoding(stmt[field] as string);
    if (found < 0) throw new PgError('undefined_object', `${word} encoding "${stmt[field] as string}" does not exist`);
    return found;
  };
  const source = encoding('for_encoding_name', 'source');
  const target = encoding('to_encoding_name', 'destination');
  if (source === 0 || target === 0) throw new PgError('invalid_object_definition', 'encoding conversion to or from "SQL_ASCII" is not supported');
  const names = stmt['func_name'] as string[];
  const fn = lookupFuncName(names, [ids.INT4OID, ids.INT4OID, ids.CSTRINGOID, ids.INTERNALOID, ids.INT4OID, ids.BOOLOID], false);
  if (sys.procByOid(fn)!.prorettype !== ids.INT4OID) throw new PgError('invalid_object_definition', `encoding conversion function ${names.join('.')} must return type integer`);
  if (!aclcheckProc(fn, session.currentUser)) throw notOwnerOrDenied('function', names.join('.'));
  checkEncodings(sys.procByOid(fn)!.prosrc, source, target);
  if (sys.lookup(ids.ConversionRelationId, ids.PgConversionNameNspIndexId, name, namespace) !== undefined) throw new PgError('duplicate_object', `conversion "${name}" already exists`);
  const isDefault = Boolean(stmt['def']);
  if (isDefault && catalogScanAll(ids.ConversionRelationId).some((c) => c.condefault && c.connamespace === namespace && c.conforencoding === source && c.contoencoding === target)) {
    throw new PgError('duplicate_object', `default conversion for ${encodingToChar(source)} to ${encodingToChar(target)} already exists`);
  }
  const oid = getNewOid(ids.ConversionRelationId);
  catalogInsert(ids.ConversionRelationId, { oid, conname: name, connamespace: namespace, conowner: session.currentUser, conforencoding: source, contoencoding: target, conproc: fn, condefault: isDefault });
  normal(ids.ConversionRelationId, oid, ids.ProcedureRelationId, fn);
  normal(ids.ConversionRelationId, oid, ids.NamespaceRelationId, namespace);
  recordDependencyOnOwner(ids.ConversionRelationId, oid, session.currentUser);
  commandCounterIncrement();
}

/** The server's own functions, by names such as iso8859_1_to_utf8, serve one direction; PostgreSQL asks them with an empty string. */
function checkEncodings(prosrc: string, source: number, target: number): void {
  const [, from, to] = /^(\w+)_to_(\w+)$/.exec(prosrc) ?? [];
  if (from === undefined || to === undefined) return;
  const word = (name: string): number => charToEncoding(name.replace(/^iso8859_1$/, 'latin1').replace(/^iso8859$/, 'latin1'));
  const wrong = (what: string, wanted: number, got: number): PgError => new PgError('internal_error', `expected ${what} encoding "${encodingToChar(wanted)}", but got "${encodingToChar(got)}"`);
  const first = word(from), second = word(to);
  if (first >= 0 && first !== source) throw wrong('source', first, source);
  if (second >= 0 && second !== target) throw wrong('destination', second, target);
}

// ---- access methods

function createAccessMethod(stmt: RawNode): void {
  const name = stmt['amname'] as string;
  if (!session.isSuperuser) throw new PgError('insufficient_privilege', `permission denied to create access method "${name}"`, { hint: 'Must be superuser to create an access method.' });
  if (sys.amByName(name) !== undefined) throw new PgError('duplicate_object', `access method "${name}" already exists`);
  const names = stmt['handler_name'] as string[];
  const fn = lookupFuncName(names, [ids.INTERNALOID], false);
  const wanted = stmt['amtype'] === 'i' ? INDEX_AM_HANDLEROID : TABLE_AM_HANDLEROID;
  if (sys.procByOid(fn)!.prorettype !== wanted) throw new PgError('wrong_object_type', `function ${names.join('.')} must return type ${formatType(wanted)}`);
  const oid = getNewOid(ids.AccessMethodRelationId);
  catalogInsert(ids.AccessMethodRelationId, { oid, amname: name, amhandler: fn, amtype: stmt['amtype'] as string });
  normal(ids.AccessMethodRelationId, oid, ids.ProcedureRelationId, fn);
  commandCounterIncrement();
}

// ---- languages

function createLanguage(stmt: RawNode): void {
  const name = stmt['plname'] as string;
  mustBeSuperuser('create custom procedural language');
  const handlerNames = stmt['plhandler'] as string[];
  const handler = lookupFuncName(handlerNames, [], false);
  if (sys.procByOid(handler)!.prorettype !== ids.LANGUAGE_HANDLEROID) throw new PgError('wrong_object_type', `function ${handlerNames.join('.')} must return type language_handler`);
  const inline = stmt['plinline'] === undefined ? 0 : lookupFuncName(stmt['plinline'] as string[], [ids.INTERNALOID], false);
  const validator = stmt['plvalidator'] === undefined ? 0 : lookupFuncName(stmt['plvalidator'] as string[], [ids.OIDOID], false);
  const fields = { lanispl: true, lanpltrusted: Boolean(stmt['pltrusted']), lanplcallfoid: handler, laninline: inline, lanvalidator: validator };
  const existing = getLanguageOid(name, true);
  let oid = existing;
  if (existing !== 0) {
    if (!stmt['replace']) throw new PgError('duplicate_object', `language "${name}" already exists`);
    if (!objectOwnercheck(ids.LanguageRelationId, existing, session.currentUser)) throw mustBeOwner('language', name);
    catalogUpdateByKey(ids.LanguageRelationId, ids.PgLanguageOidIndexId, [existing], fields);
    deleteDependencyRecordsFor(objectAddress(ids.LanguageRelationId, existing));
  } else {
    oid = getNewOid(ids.LanguageRelationId);
    catalogInsert(ids.LanguageRelationId, { oid, lanname: name, lanowner: session.currentUser, lanacl: null, ...fields });
    recordDependencyOnOwner(ids.LanguageRelationId, oid, session.currentUser);
  }
  for (const fn of [handler, inline, validator]) normal(ids.LanguageRelationId, oid, ids.ProcedureRelationId, fn);
  commandCounterIncrement();
}

// ---- transforms

function createTransform(stmt: RawNode): void {
  const typeName = stmt['type_name'] as RawNode;
  const type = typenameTypeId(null, typeName);
  const kind = getType(type).typtype;
  if (kind === 'p') throw new PgError('wrong_object_type', `data type ${typeNameToString(typeName)} is a pseudo-type`);
  if (kind === 'd') throw new PgError('wrong_object_type', `data type ${typeNameToString(typeName)} is a domain`);
  if (!objectOwnercheck(ids.TypeRelationId, type, session.currentUser)) throw mustBeOwner('type', formatType(type));
  if (!objectAclcheck(ids.TypeRelationId, type, session.currentUser, ACL.USAGE)) throw notOwnerOrDenied('type', formatType(type));
  const lang = stmt['lang'] as string;
  const language = getLanguageOid(lang);
  if (!objectAclcheck(ids.LanguageRelationId, language, session.currentUser, ACL.USAGE)) throw notOwnerOrDenied('language', lang);
  const fromSql = transformFunction(stmt['fromsql'] as RawNode | undefined, 'FROM SQL', ids.INTERNALOID, `return data type of FROM SQL function must be ${formatType(ids.INTERNALOID)}`);
  const toSql = transformFunction(stmt['tosql'] as RawNode | undefined, 'TO SQL', type, 'return data type of TO SQL function must be the transform data type');
  const existing = sys.lookup(ids.TransformRelationId, ids.PgTransformTypeLangIndexId, type, language);
  let oid: Oid;
  if (existing !== undefined) {
    if (!stmt['replace']) throw new PgError('duplicate_object', `transform for type ${formatType(type)} language "${lang}" already exists`);
    ({ oid } = existing);
    catalogUpdateByKey(ids.TransformRelationId, ids.PgTransformOidIndexId, [oid], { trffromsql: fromSql, trftosql: toSql });
    deleteDependencyRecordsFor(objectAddress(ids.TransformRelationId, oid));
  } else {
    oid = getNewOid(ids.TransformRelationId);
    catalogInsert(ids.TransformRelationId, { oid, trftype: type, trflang: language, trffromsql: fromSql, trftosql: toSql });
  }
  normal(ids.TransformRelationId, oid, ids.LanguageRelationId, language);
  normal(ids.TransformRelationId, oid, ids.TypeRelationId, type);
  for (const fn of [fromSql, toSql]) normal(ids.TransformRelationId, oid, ids.ProcedureRelationId, fn);
  commandCounterIncrement();
}

function transformFunction(object: RawNode | undefined, _word: string, result: Oid, wrongResult: string): Oid {
  if (object === undefined) return 0;
  const oid = lookupFuncWithArgs('function', object, false);
  const proc = sys.procByOid(oid)!;
  if (!objectOwnercheck(ids.ProcedureRelationId, oid, session.currentUser)) throw mustBeOwner('function', proc.proname);
  if (!aclcheckProc(oid, session.currentUser)) throw notOwnerOrDenied('function', proc.proname);
  const wrong = (message: string): PgError => new PgError('invalid_object_definition', message);
  if (proc.prorettype !== result) throw wrong(wrongResult);
  if (proc.provolatile === 'v') throw wrong('transform function must not be volatile');
  if (proc.prokind !== 'f') throw wrong('transform function must be a normal function');
  if (proc.proretset) throw wrong('transform function must not return a set');
  if (proc.pronargs !== 1) throw wrong('transform function must take one argument');
  if (proc.proargtypes[0] !== ids.INTERNALOID) throw wrong(`first argument of transform function must be type ${formatType(ids.INTERNALOID)}`);
  return oid;
}

export const CONVERSION_COMMANDS: UtilityTable = {
  CreateConversionStmt: { run: createConversion },
  CreateAmStmt: { run: createAccessMethod },
  CreatePLangStmt: { run: createLanguage },
  CreateTransformStmt: { run: createTransform },
};
