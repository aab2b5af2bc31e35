// Base types over functions that there are: CREATE TYPE name, CREATE TYPE name (INPUT = ..., ...), ALTER TYPE ... SET (DefineType
// and AlterType of PostgreSQL's typecmds.c). A value of such a type is what its input function makes; rows keep it as a
// container (access/value.ts), so that any will do.
import { PgError } from '../../common/errors.ts';
import { getNewOid } from '../catalog/catalog.ts';
import { formatType } from '../catalog/format_type.ts';
import { catalogFind, catalogUpdate } from '../catalog/indexing.ts';
import { getType } from '../catalog/lsyscache.ts';
import { moveArrayTypeName, generateTypeDependencies, typeCreate, typeShellMake } from '../catalog/pg_type.ts';
import * as ids from '../catalog/oids.ts';
import { dependentsOf, objectAddress } from '../catalog/pg_depend.ts';
import type { PgType } from '../catalog/rows.ts';
import * as sys from '../catalog/syscache.ts';
import { funcSignatureString, lookupFuncName } from '../parser/parse_func.ts';
import { typenameTypeId } from '../parser/parse_type.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { makeParseState, parserError } from '../parser/parse_node.ts';
import type { UtilityContext, UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { CSTRINGARRAYOID, CSTRINGOID } from '../types/oids.ts';
import { sendWarning, session } from '../utils/session.ts';
import { mustBeSuperuser } from '../catalog/aclchk.ts';
import { defGetBoolean, defGetString, errorConflictingDefElem } from './def_elem.ts';
import { creationPlace, namesOf, requireObjectOwnership, typeOidOf } from './object_names.ts';
import { createArrayType } from './typecmds.ts';

const invalid = (message: string): PgError => new PgError('invalid_object_definition', message);

/** What the options of a type are called, and what they may be. */
const ATTRIBUTES = [
  'like', 'internallength', 'input', 'output', 'receive', 'send', 'typmod_in', 'typmod_out', 'analyze', 'subscript', 'category', 'preferred', 'delimiter',
  'element', 'default', 'passedbyvalue', 'alignment', 'storage', 'collatable',
];
const ALIGNMENTS: Readonly<Record<string, string>> = {
  double: 'd', 'double precision': 'd', float8: 'd', int4: 'i', integer: 'i', int2: 's', smallint: 's', char: 'c', '"char"': 'c', bpchar: 'c',
};
const STORAGES: Readonly<Record<string, string>> = { plain: 'p', external: 'e', extended: 'x', main: 'm' };

type Attributes = Map<string, any>;

function attributesOf(list: readonly RawNode[], text: string): Attributes {
  const result: Attributes = new Map();
  for (const e of list) {
    let name = e['defname'] as string;
    if (name === 'analyse') name = 'analyze';
    if (!ATTRIBUTES.includes(name)) {
      const at = parserError(makeParseState(text), 'syntax_error', `type attribute "${name}" not recognized`, e.location).fields.position;
      sendWarning('syntax_error', `type attribute "${name}" not recognized`, at === undefined ? {} : { position: at });
      continue;
    }
    if (result.has(name)) throw errorConflictingDefElem(e, text);
    result.set(name, e['arg']);
  }
  return result;
}

const textOf = (a: Attributes, name: string): string => defGetString({ defname: name, arg: a.get(name) });
const flag = (a: Attributes, name: string): boolean => a.has(name) && defGetBoolean({ defname: name, arg: a.get(name) });

/** A function of one of these signatures with this result; `what` says which of the type's functions it is to be. */
function typeFunction(names: readonly string[], signatures: readonly (readonly Oid[])[], result: Oid, what: string): Oid {
  const found = signatures.map((args) => lookupFuncName(names, args, true)).filter((oid) => oid !== 0);
  if (found.length > 1) throw new PgError('ambiguous_function', `type ${what} function ${names.join('.')} has multiple matches`);
  const [oid] = found;
  if (oid === undefined) throw new PgError('undefined_function', `function ${funcSignatureString(names, signatures[0]!)} does not exist`);
  const proc = sys.procByOid(oid)!;
  const noun = what.startsWith('typmod') ? `${what} function` : `type ${what} function`;
  if (proc.prorettype !== result) throw invalid(`${noun} ${names.join('.')} must return type ${formatType(result)}`);
  return oid;
}

interface TypeFunctions { receive: Oid; send: Oid; modin: Oid; modout: Oid; analyze: Oid; subscript: Oid }

function optionalFunctions(a: Attributes, type: Oid): TypeFunctions {
  const one = (key: string, signatures: (readonly Oid[])[], result: Oid, what: string): Oid => (a.has(key) && a.get(key) !== undefined ? typeFunction(namesOf(a.get(key)), signatures, result, what) : 0);
  return {
    receive: one('receive', [[ids.INTERNALOID], [ids.INTERNALOID, ids.OIDOID, ids.INT4OID]], type, 'receive'),
    send: one('send', [[type]], ids.BYTEAOID, 'send'),
    modin: one('typmod_in', [[CSTRINGARRAYOID]], ids.INT4OID, 'typmod_in'),
    modout: one('typmod_out', [[ids.INT4OID]], CSTRINGOID, 'typmod_out'),
    analyze: one('analyze', [[ids.INTERNALOID]], ids.BOOLOID, 'analyze'),
    subscript: one('subscript', [[ids.INTERNALOID]], ids.INTERNALOID, 'subscripting'),
  };
}

/** CREATE TYPE of a name alone, or with INPUT, OUTPUT and the rest. */
export function defineType(stmt: RawNode, context: UtilityContext): void {
  mustBeSuperuser('create a base type');
  const { name, namespace } = creationPlace(stmt['defnames'] as string[]);
  let old = sys.typeByName(name, namespace);
  if (old?.typisdefined) {
    if (!moveArrayTypeName(old, name, namespace)) throw new PgError('duplicate_object', `type "${name}" already exists`);
    old = undefined;
  }
  if (stmt['definition'] === undefined) {
    if (old !== undefined) throw new PgError('duplicate_object', `type "${name}" already exists`);
    typeShellMake(name, namespace, session.currentUser);
    return;
  }
  if (old === undefined) {
    throw new PgError('duplicate_object', `type "${name}" does not exist`, { hint: 'Create the type as a shell type, then create its I/O functions, then do a full CREATE TYPE.' });
  }
  const a = attributesOf(stmt['definition'] as RawNode[], context.text);
  const like = a.has('like') ? getType(typenameTypeId(null, typeName(a.get('like')))) : null;
  let len = like?.typlen ?? -1, byval = like?.typbyval ?? false, align = like?.typalign ?? 'i', storage = like?.typstorage ?? 'p';
  if (a.has('internallength')) {
    const text = textOf(a, 'internallength');
    len = text.toLowerCase() === 'variable' ? -1 : Number(text);
    if (!Number.isInteger(len)) throw new PgError('syntax_error', `invalid argument for internallength: "${text}"`);
  }
  let category = 'U';
  if (a.has('category')) {
    const text = textOf(a, 'category');
    category = text.slice(0, 1);
    if (category < ' ' || category > '~') throw new PgError('invalid_parameter_value', `invalid type category "${text}": must be simple ASCII`);
  }
  const element = a.has('element') ? typenameTypeId(null, typeName(a.get('element'))) : 0;
  if (element !== 0 && getType(element).typtype === 'p') throw new PgError('datatype_mismatch', `array element type cannot be ${formatType(element)}`);
  if (a.has('passedbyvalue')) byval = flag(a, 'passedbyvalue');
  if (a.has('alignment')) {
    const text = textOf(a, 'alignment').replace(/^pg_catalog\./, '').toLowerCase();
    align = ALIGNMENTS[text] ?? '';
    if (align === '') throw new PgError('invalid_parameter_value', `alignment "${textOf(a, 'alignment')}" not recognized`);
  }
  if (a.has('storage')) storage = storageOf(a);
  const collation = flag(a, 'collatable') ? ids.DEFAULT_COLLATION_OID : 0;
  if (!a.has('input')) throw invalid('type input function must be specified');
  if (!a.has('output')) throw invalid('type output function must be specified');
  if (!a.has('typmod_in') && a.has('typmod_out')) throw invalid('type modifier output function is useless without a type modifier input function');
  const input = typeFunction(namesOf(a.get('input')), [[CSTRINGOID], [CSTRINGOID, ids.OIDOID, ids.INT4OID]], old.oid, 'input');
  const output = typeFunction(namesOf(a.get('output')), [[old.oid]], CSTRINGOID, 'output');
  const others = optionalFunctions(a, old.oid);
  if (element !== 0 && others.subscript === 0) throw new PgError('invalid_parameter_value', 'element type cannot be specified without a subscripting function');
  for (const [key, oid] of [['input', input], ['output', output], ['receive', others.receive], ['send', others.send]] as const) {
    if (oid !== 0 && sys.procByOid(oid)!.provolatile === 'v') sendWarning('invalid_object_definition', `type ${key} function ${namesOf(a.get(key)).join('.')} should not be volatile`);
  }
  checkPhysical(len, byval, align, storage);
  const array = getNewOid(ids.TypeRelationId);
  typeCreate({
    name, namespace, owner: session.currentUser, len, byval, type: 'b', category, preferred: flag(a, 'preferred'),
    delim: a.has('delimiter') ? textOf(a, 'delimiter').slice(0, 1) : ',', input, output, ...others, element, array,
    defaultText: a.has('default') ? textOf(a, 'default') : null, align, storage, collation,
  });
  commandCounterIncrement();
  createArrayType(array, old.oid, name, namespace, align, collation);
}

const typeName = (arg: any): RawNode => (typeof arg === 'object' && arg.tag === 'TypeName' ? arg : { tag: 'TypeName', names: namesOf(arg), typemod: -1, location: -1 }) as RawNode;

function storageOf(a: Attributes): string {
  const text = textOf(a, 'storage'), storage = STORAGES[text.toLowerCase()];
  if (storage === undefined) throw new PgError('invalid_parameter_value', `storage "${text}" not recognized`);
  return storage;
}

/** What TypeCreate checks of sizes. */
function checkPhysical(len: number, byval: boolean, align: string, storage: string): void {
  if (!(len > 0 || len === -1 || len === -2)) throw invalid(`invalid type internal size ${len}`);
  if (byval) {
    const wanted = { 1: 'c', 2: 's', 4: 'i', 8: 'd' }[len];
    if (wanted === undefined) throw invalid(`internal size ${len} is invalid for passed-by-value type`);
    if (align !== wanted) throw invalid(`alignment "${align}" is invalid for passed-by-value type of size ${len}`);
  } else if ((len === -1 && align !== 'i' && align !== 'd') || (len === -2 && align !== 'c')) throw invalid(`alignment "${align}" is invalid for variable-length type`);
  if (storage !== 'p' && len !== -1) throw invalid('fixed-size types must have storage PLAIN');
}

// ---- ALTER TYPE ... SET

const CHANGEABLE = ['storage', 'receive', 'send', 'typmod_in', 'typmod_out', 'analyze', 'subscript'];

function alterType(stmt: RawNode): void {
  const oid = typeOidOf(stmt['typeName'] as string[]);
  const type = getType(oid);
  requireObjectOwnership(objectAddress(ids.TypeRelationId, oid));
  const a: Attributes = new Map();
  let superuser = false;
  for (const e of (stmt['options'] ?? []) as RawNode[]) {
    const key = (e['defname'] as string) === 'analyse' ? 'analyze' : e['defname'] as string;
    if (ATTRIBUTES.includes(key) && !CHANGEABLE.includes(key)) throw new PgError('syntax_error', `type attribute "${key}" cannot be changed`);
    if (!CHANGEABLE.includes(key)) throw new PgError('syntax_error', `type attribute "${key}" not recognized`);
    a.set(key, e['arg'] === undefined || defGetString(e).toLowerCase() === 'none' ? undefined : e['arg']);
    if (key === 'storage') {
      const storage = storageOf(a);
      if (storage !== 'p' && type.typlen !== -1) throw invalid('fixed-size types must have storage PLAIN');
      if (type.typstorage !== 'p' && storage === 'p') throw invalid("cannot change type's storage to PLAIN");
      if (type.typstorage !== storage) superuser = true;
    } else superuser = true;
  }
  if (superuser) mustBeSuperuser('alter a type');
  const isArray = type.typelem !== 0 && sys.typeByOid(type.typelem)?.typarray === oid;
  if (type.typtype !== 'b' || isArray) throw new PgError('wrong_object_type', `${formatType(oid)} is not a base type`);
  const functions = optionalFunctions(a, oid);
  const changes: Partial<PgType> = {};
  if (a.has('storage')) changes.typstorage = storageOf(a);
  if (a.has('receive')) changes.typreceive = functions.receive;
  if (a.has('send')) changes.typsend = functions.send;
  if (a.has('typmod_in')) changes.typmodin = functions.modin;
  if (a.has('typmod_out')) changes.typmodout = functions.modout;
  if (a.has('analyze')) changes.typanalyze = functions.analyze;
  if (a.has('subscript')) changes.typsubscript = functions.subscript;
  changeType(oid, changes);
}

/** Domains have these facts of the type they are made from; its array has the type modifiers (AlterTypeRecurse). */
function changeType(oid: Oid, changes: Partial<PgType>): void {
  const [tuple] = catalogFind(ids.TypeRelationId, ids.PgTypeOidIndexId, [oid]);
  catalogUpdate(ids.TypeRelationId, tuple!, changes);
  commandCounterIncrement();
  const now = getType(oid);
  generateTypeDependencies(now, '', false, true);
  if (now.typtype === 'b' && now.typarray !== 0 && (changes.typmodin !== undefined || changes.typmodout !== undefined)) {
    const { typmodin, typmodout } = changes;
    const [array] = catalogFind(ids.TypeRelationId, ids.PgTypeOidIndexId, [now.typarray]);
    catalogUpdate(ids.TypeRelationId, array!, { ...(typmodin !== undefined ? { typmodin } : {}), ...(typmodout !== undefined ? { typmodout } : {}) });
  }
  const { typreceive: _receive, typmodin: _in, typmodout: _out, typsubscript: _subscript, ...forDomains } = changes;
  if (Object.keys(forDomains).length === 0) return;
  for (const d of dependentsOf(objectAddress(ids.TypeRelationId, oid))) {
    if (d.classid === ids.TypeRelationId && sys.typeByOid(d.objid)?.typbasetype === oid) changeType(d.objid, forDomains);
  }
}

export const TYPE_DEFINITIONS: UtilityTable = { AlterTypeStmt: { run: alterType } };
