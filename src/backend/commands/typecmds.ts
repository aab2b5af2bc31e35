// CREATE TYPE (enum, composite, range) and ALTER TYPE of enums (PostgreSQL's typecmds.c); domains are in domain.ts.
import { PgError, notSupported } from '../../common/errors.ts';
import { aclcheckNamespace, notOwnerOrDenied, objectAclcheck } from '../catalog/aclchk.ts';
import { lockObject } from '../catalog/object_lock.ts';
import { requireTypeUsage } from '../catalog/type_usage.ts';
import { getNewOid } from '../catalog/catalog.ts';
import { formatType } from '../catalog/format_type.ts';
import { heapCreateWithCatalog } from '../catalog/heap.ts';
import { getDefaultOpClass, getType, isBinaryCoercible } from '../catalog/lsyscache.ts';
import { getCollationOid, getOpclassOid, qualifiedNameGetCreationNamespace, rangeVarGetCreationNamespace } from '../catalog/namespace.ts';
import { truncateIdentifier } from '../utils/identifier.ts';
import * as ids from '../catalog/oids.ts';
import { castCreate } from '../catalog/pg_cast.ts';
import { objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import { addEnumLabel, enumValuesCreate, rangeCreate, renameEnumLabel } from '../catalog/pg_enum.ts';
import { procedureCreate } from '../catalog/pg_proc.ts';
import { makeArrayTypeName, moveArrayTypeName, typeCreate } from '../catalog/pg_type.ts';
import * as sys from '../catalog/syscache.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { lookupFuncName } from '../parser/parse_func.ts';
import { getColumnDefCollation, typenameTypeId, typenameTypeIdAndMod } from '../parser/parse_type.ts';
import { ddlNotice } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { UtilityContext, UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { errorConflictingDefElem } from './def_elem.ts';
import { requireObjectOwnership, typeOidOf } from './object_names.ts';

const F_ARRAY_IN = 750, F_ARRAY_OUT = 751, F_ARRAY_RECV = 2400, F_ARRAY_SEND = 2401, F_ARRAY_TYPANALYZE = 3816, F_ARRAY_SUBSCRIPT = 6179;

/** Where a new type goes; the name must be free (an automatic array type gives way). */
export function newTypeName(names: readonly string[]): { name: string; namespace: Oid } {
  const { name, namespace } = qualifiedNameGetCreationNamespace(names);
  if (!aclcheckNamespace(namespace, session.currentUser, ACL.CREATE)) throw notOwnerOrDenied('schema', sys.namespaceByOid(namespace)!.nspname);
  const old = sys.typeByName(name, namespace);
  if (old !== undefined && !moveArrayTypeName(old, name, namespace)) throw new PgError('duplicate_object', `type "${name}" already exists`);
  return { name, namespace };
}

/** The array type over a new type, whose OID was reserved for it. */
export function createArrayType(array: Oid, element: Oid, name: string, namespace: Oid, align: string, collation = 0): void {
  typeCreate({
    oid: array, name: makeArrayTypeName(name, namespace), namespace, owner: session.currentUser, len: -1, byval: false, type: 'b', category: 'A', input: F_ARRAY_IN,
    output: F_ARRAY_OUT, receive: F_ARRAY_RECV, send: F_ARRAY_SEND, analyze: F_ARRAY_TYPANALYZE, subscript: F_ARRAY_SUBSCRIPT, element, isImplicitArray: true,
    align: align === 'd' ? 'd' : 'i', storage: 'x', collation,
  });
}

// ---- enums

function createEnum(stmt: RawNode): void {
  const { name, namespace } = newTypeName(stmt['typeName'] as string[]);
  const array = getNewOid(ids.TypeRelationId);
  const type = typeCreate({
    name, namespace, owner: session.currentUser, len: 4, byval: true, type: 'e', category: 'E', input: 3506, output: 3507, receive: 3532, send: 3533, array,
    align: 'i', storage: 'p',
  });
  enumValuesCreate(type, (stmt['vals'] ?? []) as string[]);
  createArrayType(array, type, name, namespace, 'i');
}

function alterEnum(stmt: RawNode): void {
  const oid = typeOidOf(stmt['typeName'] as string[]);
  const type = getType(oid);
  if (type.typtype !== 'e') throw new PgError('wrong_object_type', `${formatType(oid)} is not an enum`);
  requireObjectOwnership(objectAddress(ids.TypeRelationId, oid));
  // One after the other adds labels.
  lockObject(false, ids.TypeRelationId, oid);
  const label = stmt['newVal'] as string;
  if (stmt['oldVal'] !== undefined) return renameEnumLabel(oid, stmt['oldVal'] as string, label);
  const neighbor = (stmt['newValNeighbor'] as string | undefined) ?? null;
  if (!addEnumLabel(oid, label, neighbor, neighbor === null || Boolean(stmt['newValIsAfter']), Boolean(stmt['skipIfNewValExists']))) {
    ddlNotice(`enum label "${label}" already exists, skipping`, 'duplicate_object');
  }
}

// ---- composite types

function createComposite(stmt: RawNode): void {
  const rv = stmt['typevar'] as RawNode & { relname: string };
  const namespace = rangeVarGetCreationNamespace({ ...rv, relpersistence: 'p' });
  const old = sys.typeByName(rv.relname, namespace);
  if (old !== undefined && !moveArrayTypeName(old, rv.relname, namespace)) throw new PgError('duplicate_object', `type "${rv.relname}" already exists`);
  const columns = ((stmt['coldeflist'] ?? []) as RawNode[]).map((def) => {
    const typeName = def['typeName'] as RawNode;
    const { type: typeOid, typmod } = typenameTypeIdAndMod(null, typeName);
    requireTypeUsage(typeOid);
    if (typeName['setof'] === true) throw new PgError('invalid_table_definition', `column "${def['colname'] as string}" cannot be declared SETOF`);
    return { name: def['colname'] as string, typeOid, typmod, collation: getColumnDefCollation(null, def, typeOid), ndims: (typeName['arrayBounds'] as unknown[] | undefined)?.length ?? 0 };
  });
  heapCreateWithCatalog({ name: rv.relname, namespace, owner: session.currentUser, relkind: 'c', persistence: 'p', columns });
}

// ---- ranges

function createRange(stmt: RawNode, { text }: UtilityContext): void {
  const { name, namespace } = newTypeName(stmt['typeName'] as string[]);
  const p = rangeParameters((stmt['params'] ?? []) as RawNode[], text);
  const { subtype } = p;
  const sub = getType(subtype);
  if (sub.typtype === 'p') throw new PgError('datatype_mismatch', `range subtype cannot be ${formatType(subtype)}`);
  const opclass = p.opclass === null ? getDefaultOpClass(subtype, ids.BTREE_AM_OID) : getOpclassOid(ids.BTREE_AM_OID, p.opclass);
  if (opclass === 0) {
    throw new PgError('undefined_object', `data type ${formatType(subtype)} has no default operator class for access method "btree"`, {
      hint: 'You must specify an operator class for the range type or define a default operator class for the subtype.',
    });
  }
  if (!isBinaryCoercible(subtype, sys.opclassByOid(opclass)!.opcintype)) {
    throw new PgError('datatype_mismatch', `operator class "${p.opclass!.join('.')}" does not accept data type ${formatType(subtype)}`);
  }
  if (p.collation !== null && sub.typcollation === 0) throw new PgError('wrong_object_type', 'range collation specified but subtype does not support collation');
  const collation = sub.typcollation === 0 ? 0 : p.collation === null ? sub.typcollation : getCollationOid(p.collation);
  const shell = sys.typeByName(name, namespace);
  const canonical = p.canonical === null ? 0 : canonicalFunction(p.canonical, shell?.oid ?? 0);
  const diff = p.diff === null ? 0 : subtypeDiff(p.diff, subtype);
  const multiName = p.multirangeName ?? { name: multirangeTypeName(name), namespace };
  const other = sys.typeByName(multiName.name, multiName.namespace);
  if (other !== undefined && !moveArrayTypeName(other, multiName.name, multiName.namespace)) {
    throw new PgError('duplicate_object', `type "${multiName.name}" already exists`, p.multirangeName === null ? {
      detail: `Failed while creating a multirange type for type "${name}".`, hint: 'You can manually specify a multirange type name using the "multirange_type_name" attribute.',
    } : {});
  }
  const [array, multirange, multirangeArray] = [0, 0, 0].map(() => getNewOid(ids.TypeRelationId)) as [Oid, Oid, Oid];
  const align = sub.typalign === 'd' ? 'd' : 'i';
  const common = { owner: session.currentUser, len: -1, byval: false, category: 'R', align, storage: 'x' } as const;
  const range = typeCreate({ ...common, name, namespace, type: 'r', input: 3834, output: 3835, receive: 3836, send: 3837, analyze: 3916, array });
  typeCreate({ ...common, ...multiName, oid: multirange, type: 'm', input: 4231, output: 4232, receive: 4233, send: 4234, analyze: 4242, array: multirangeArray });
  rangeCreate({ rngtypid: range, rngsubtype: subtype, rngmultitypid: multirange, rngcollation: collation, rngsubopc: opclass, rngcanonical: canonical, rngsubdiff: diff });
  createArrayType(array, range, name, namespace, align);
  createArrayType(multirangeArray, multirange, multiName.name, multiName.namespace, align);
  commandCounterIncrement();
  const constructor = makeConstructors(range, name, namespace, subtype, multirange, multiName, array);
  castCreate(range, multirange, constructor, 'e', 'f', 'i');
}

interface RangeParameters {
  subtype: Oid; opclass: string[] | null; collation: string[] | null; canonical: string[] | null; diff: string[] | null; multirangeName: { name: string; namespace: Oid } | null;
}

function rangeParameters(list: readonly RawNode[], text: string): RangeParameters {
  const p: RangeParameters = { subtype: 0, opclass: null, collation: null, canonical: null, diff: null, multirangeName: null };
  const names = (arg: RawNode | string[]): string[] => (Array.isArray(arg) ? arg : arg['names'] as string[]);
  const seen = new Set<string>();
  for (const e of list) {
    const name = e['defname'] as string;
    if (seen.has(name)) throw errorConflictingDefElem(e, text);
    seen.add(name);
    const arg = e['arg'] as RawNode;
    switch (name) {
      case 'subtype': p.subtype = typenameTypeId(null, arg); break;
      case 'subtype_opclass': p.opclass = names(arg); break;
      case 'collation': p.collation = names(arg); break;
      case 'canonical': p.canonical = names(arg); break;
      case 'subtype_diff': p.diff = names(arg); break;
      case 'multirange_type_name': p.multirangeName = qualifiedNameGetCreationNamespace(names(arg)); break;
      default: throw new PgError('syntax_error', `type attribute "${name}" not recognized`);
    }
  }
  if (p.subtype === 0) throw new PgError('syntax_error', 'type attribute "subtype" is required');
  return p;
}

/** findRangeCanonicalFunction. It takes and gives the type that is only being made, which no language but C and ours within can. */
function canonicalFunction(names: readonly string[], range: Oid): Oid {
  if (range === 0) {
    throw new PgError('invalid_object_definition', 'cannot specify a canonical function without a pre-created shell type', {
      hint: 'Create the type as a shell type, then create its canonicalization function, then do a full CREATE TYPE.',
    });
  }
  const oid = lookupFuncName(names, [range], true), signature = `${names.join('.')}(${formatType(range)})`;
  if (oid === 0) throw new PgError('undefined_function', `function ${signature} does not exist`);
  const proc = sys.procByOid(oid)!;
  if (proc.prorettype !== range) throw new PgError('invalid_object_definition', `range canonical function ${signature} must return range type`);
  if (proc.provolatile !== 'i') throw new PgError('invalid_object_definition', `range canonical function ${signature} must be immutable`);
  if (!objectAclcheck(ids.ProcedureRelationId, oid, session.currentUser, ACL.EXECUTE)) throw notOwnerOrDenied('function', proc.proname);
  if (proc.prolang !== ids.INTERNALlanguageId) throw notSupported('a canonical function of a range type that is not internal');
  return oid;
}

function subtypeDiff(names: readonly string[], subtype: Oid): Oid {
  const oid = lookupFuncName(names, [subtype, subtype], true);
  if (oid === 0) throw new PgError('undefined_function', `function ${names.join('.')}(${formatType(subtype)}, ${formatType(subtype)}) does not exist`);
  const proc = sys.procByOid(oid)!;
  const called = `range subtype diff function ${names.join('.')}(${formatType(subtype)}, ${formatType(subtype)})`;
  if (proc.prorettype !== ids.FLOAT8OID) throw new PgError('invalid_object_definition', `${called} must return type double precision`);
  if (proc.provolatile !== 'i') throw new PgError('invalid_object_definition', `${called} must be immutable`);
  if (!objectAclcheck(ids.ProcedureRelationId, oid, session.currentUser, ACL.EXECUTE)) throw notOwnerOrDenied('function', proc.proname);
  return oid;
}

/** "xrange" gives "xmultirange", anything else "x_multirange" (makeMultirangeTypeName). */
const multirangeTypeName = (name: string): string => truncateIdentifier(name.includes('range') ? name.replace('range', 'multirange') : `${name}_multirange`);

/** range(a, b), range(a, b, '[]'), multirange(), multirange(range), multirange(VARIADIC range[]). Gives the one that is a cast, too. */
function makeConstructors(range: Oid, name: string, namespace: Oid, subtype: Oid, multirange: Oid, multi: { name: string; namespace: Oid }, rangeArray: Oid): Oid {
  const make = (fn: { name: string; namespace: Oid }, result: Oid, args: Oid[], source: string, variadic = false, strict = false): Oid => {
    const oid = procedureCreate({
      proname: fn.name, pronamespace: fn.namespace, proowner: ids.BOOTSTRAP_SUPERUSERID, prolang: ids.INTERNALlanguageId, prorettype: result, proargtypes: args, prosrc: source,
      provolatile: 'i', proparallel: 's', proisstrict: strict, ...(variadic ? { provariadic: range, proallargtypes: args, proargmodes: ['v'] } : {}),
    });
    recordDependencyOn(objectAddress(ids.ProcedureRelationId, oid), objectAddress(ids.TypeRelationId, result), 'i');
    commandCounterIncrement();
    return oid;
  };
  const own = { name, namespace };
  make(own, range, [subtype, subtype], 'range_constructor2');
  make(own, range, [subtype, subtype, ids.TEXTOID], 'range_constructor3');
  make(multi, multirange, [], 'multirange_constructor0', false, true);
  const one = make(multi, multirange, [range], 'multirange_constructor1', false, true);
  make(multi, multirange, [rangeArray], 'multirange_constructor2', true, true);
  return one;
}

export const TYPE_COMMANDS: UtilityTable = {
  CreateEnumStmt: { run: createEnum },
  AlterEnumStmt: { run: alterEnum },
  CompositeTypeStmt: { run: createComposite },
  CreateRangeStmt: { run: createRange },
};
