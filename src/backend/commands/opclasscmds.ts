// CREATE OPERATOR CLASS, CREATE and ALTER OPERATOR FAMILY (PostgreSQL's opclasscmds.c). What an access method demands of
// its members (amvalidate.c, and the amadjustmembers functions) is in METHODS.
import { PgError, internalError } from '../../common/errors.ts';
import { getNewOid } from '../catalog/catalog.ts';
import { performDeletion } from '../catalog/dependency.ts';
import { formatType } from '../catalog/format_type.ts';
import { catalogInsert } from '../catalog/indexing.ts';
import { getOpfamilyOid } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import { recordDependencyOnOwner } from '../catalog/pg_shdepend.ts';
import type { PgAm } from '../catalog/rows.ts';
import * as sys from '../catalog/syscache.ts';
import { lookupFuncWithArgs } from '../parser/parse_func.ts';
import { lookupOperName, lookupOperWithArgs } from '../parser/parse_oper.ts';
import { typeNameToString, typenameTypeId } from '../parser/parse_type.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { mustBeSuperuser } from '../catalog/aclchk.ts';
import { creationPlace } from './object_names.ts';

/** A line of a class or family (OpFamilyMember). `hard`: the class cannot do without it. */
interface Member {
  isFunction: boolean; object: Oid; number: number; left: Oid; right: Oid; sortFamily: Oid;
  hard: boolean; refersToFamily: boolean; refersTo: Oid;
}
interface Method {
  /** 0: any. */
  strategies: number; functions: number; optionsFunction: number; storage: boolean; orderingOperators: boolean;
  /** Functions that are always needed. */
  required: readonly number[];
}
const METHODS: Readonly<Record<string, Method>> = {
  btree: { strategies: 5, functions: 5, optionsFunction: 5, storage: false, orderingOperators: false, required: [1] },
  hash: { strategies: 1, functions: 3, optionsFunction: 3, storage: false, orderingOperators: false, required: [1] },
  gist: { strategies: 0, functions: 11, optionsFunction: 10, storage: true, orderingOperators: true, required: [1, 2, 5, 6, 7] },
  gin: { strategies: 0, functions: 7, optionsFunction: 7, storage: true, orderingOperators: false, required: [2, 3] },
  spgist: { strategies: 0, functions: 7, optionsFunction: 7, storage: true, orderingOperators: true, required: [1, 2, 3, 4, 5] },
  brin: { strategies: 0, functions: 15, optionsFunction: 5, storage: true, orderingOperators: false, required: [] },
};
const MAX_NUMBER = 32767;
const ITEM_OPERATOR = 1, ITEM_FUNCTION = 2, ITEM_STORAGE = 3;

const invalid = (message: string): PgError => new PgError('invalid_object_definition', message);

function methodNamed(name: string): { am: PgAm; method: Method } {
  const am = sys.amByName(name);
  const method = METHODS[name] ?? METHODS[handlerKind(am)];
  if (am === undefined || method === undefined) throw new PgError('undefined_object', `access method "${name}" does not exist`);
  return { am, method };
}
/** An access method of one's own goes by a handler of PostgreSQL's: "gisthandler". */
const handlerKind = (am: PgAm | undefined): string => (am === undefined ? '' : (sys.procByOid(am.amhandler)?.prosrc ?? '').replace(/handler$/, '').replace(/^bt$/, 'btree').replace(/^spg$/, 'spgist'));

// ---- CREATE OPERATOR FAMILY

function createFamily(am: PgAm, name: string, namespace: Oid): Oid {
  if (sys.opfamilyByName(am.oid, name, namespace) !== undefined) throw new PgError('duplicate_object', `operator family "${name}" for access method "${am.amname}" already exists`);
  const oid = getNewOid(ids.OperatorFamilyRelationId);
  catalogInsert(ids.OperatorFamilyRelationId, { oid, opfmethod: am.oid, opfname: name, opfnamespace: namespace, opfowner: session.currentUser });
  const self = objectAddress(ids.OperatorFamilyRelationId, oid);
  recordDependencyOn(self, objectAddress(ids.AccessMethodRelationId, am.oid), 'a');
  recordDependencyOn(self, objectAddress(ids.NamespaceRelationId, namespace), 'n');
  recordDependencyOnOwner(ids.OperatorFamilyRelationId, oid, session.currentUser);
  return oid;
}

function createOpFamily(stmt: RawNode): void {
  const { name, namespace } = creationPlace(stmt['opfamilyname'] as string[]);
  const { am } = methodNamed(stmt['amname'] as string);
  mustBeSuperuser('create an operator family');
  createFamily(am, name, namespace);
}

// ---- CREATE OPERATOR CLASS

function createOpClass(stmt: RawNode): void {
  const { name, namespace } = creationPlace(stmt['opclassname'] as string[]);
  const { am, method } = methodNamed(stmt['amname'] as string);
  mustBeSuperuser('create an operator class');
  const type = typenameTypeId(null, stmt['datatype'] as RawNode);
  const family = familyFor(stmt, am, name, namespace);
  const members: Member[] = [];
  let storage: Oid = 0;
  for (const item of (stmt['items'] ?? []) as RawNode[]) {
    if (item['itemtype'] === ITEM_STORAGE) {
      if (storage !== 0) throw invalid('storage type specified more than once');
      storage = typenameTypeId(null, item['storedtype'] as RawNode);
    } else addMember(members, item['itemtype'] === ITEM_OPERATOR ? operatorItem(item, am, method, type) : functionItem(item, am, method, type));
  }
  if (storage === type) storage = 0;
  if (storage !== 0 && !method.storage) throw invalid(`storage type cannot be different from data type for access method "${am.amname}"`);
  if (sys.opclassByName(am.oid, name, namespace) !== undefined) throw new PgError('duplicate_object', `operator class "${name}" for access method "${am.amname}" already exists`);
  if (stmt['isDefault']) {
    const other = sys.opclassesOf(am.oid).find((c) => c.opcdefault && c.opcintype === type);
    if (other !== undefined) {
      throw new PgError('duplicate_object', `could not make operator class "${name}" be default for type ${typeNameToString(stmt['datatype'] as RawNode)}`, { detail: `Operator class "${other.opcname}" already is the default.` });
    }
  }
  const oid = getNewOid(ids.OperatorClassRelationId);
  catalogInsert(ids.OperatorClassRelationId, {
    oid, opcmethod: am.oid, opcname: name, opcnamespace: namespace, opcowner: session.currentUser, opcfamily: family, opcintype: type, opcdefault: Boolean(stmt['isDefault']), opckeytype: storage,
  });
  for (const m of members) adjust(m, am, method, family, oid, type);
  storeMembers(members, am, family);
  const self = objectAddress(ids.OperatorClassRelationId, oid);
  recordDependencyOn(self, objectAddress(ids.NamespaceRelationId, namespace), 'n');
  recordDependencyOn(self, objectAddress(ids.OperatorFamilyRelationId, family), 'a');
  recordDependencyOn(self, objectAddress(ids.TypeRelationId, type), 'n');
  if (storage !== 0) recordDependencyOn(self, objectAddress(ids.TypeRelationId, storage), 'n');
  recordDependencyOnOwner(ids.OperatorClassRelationId, oid, session.currentUser);
  commandCounterIncrement();
}

/** The family named, else one of the class's name, made if need be. */
function familyFor(stmt: RawNode, am: PgAm, name: string, namespace: Oid): Oid {
  const named = stmt['opfamilyname'] as string[] | undefined;
  if (named !== undefined) return getOpfamilyOid(am.oid, named);
  const existing = sys.opfamilyByName(am.oid, name, namespace)?.oid;
  if (existing !== undefined) return existing;
  const made = createFamily(am, name, namespace);
  commandCounterIncrement();
  return made;
}

// ---- members

function memberNumber(item: RawNode, max: number, noun: string): number {
  const number = (item['number'] as number | undefined) ?? 0;
  if (number <= 0 || number > max) throw invalid(`invalid ${noun} number ${number}, must be between 1 and ${max}`);
  return number;
}

/** `type`: what the class is for; 0 in ALTER OPERATOR FAMILY. */
function operatorItem(item: RawNode, am: PgAm, method: Method, type: Oid): Member {
  const number = memberNumber(item, method.strategies || MAX_NUMBER, 'operator');
  const name = item['name'] as RawNode;
  const hasArgs = name['objargs'] !== undefined;
  if (!hasArgs && type === 0) throw new PgError('syntax_error', 'operator argument types must be specified in ALTER OPERATOR FAMILY');
  const object = hasArgs ? lookupOperWithArgs(name, false) : lookupOperName(null, name['objname'] as string[], type, type, false, -1);
  const sortFamily = item['order_family'] === undefined ? 0 : getOpfamilyOid(ids.BTREE_AM_OID, item['order_family'] as string[]);
  const operator = sys.operatorByOid(object)!;
  if (operator.oprkind !== 'b') throw invalid('index operators must be binary');
  if (sortFamily !== 0 && !method.orderingOperators) throw invalid(`access method "${am.amname}" does not support ordering operators`);
  if (sortFamily === 0 && operator.oprresult !== ids.BOOLOID) throw invalid('index search operators must return boolean');
  return { isFunction: false, object, number, left: operator.oprleft, right: operator.oprright, sortFamily, hard: false, refersToFamily: true, refersTo: 0 };
}

function functionItem(item: RawNode, am: PgAm, method: Method, type: Oid): Member {
  const number = memberNumber(item, method.functions, 'function');
  const object = lookupFuncWithArgs('function', item['name'] as RawNode, false);
  const [left, right] = item['class_args'] === undefined ? [0, 0] : givenTypes(item['class_args'] as RawNode[]);
  const member: Member = { isFunction: true, object, number, left, right, sortFamily: 0, hard: false, refersToFamily: true, refersTo: 0 };
  checkFunction(member, am, method);
  // GiST and its like index the class's own type.
  if (type !== 0) {
    if (member.left === 0) member.left = type;
    if (member.right === 0) member.right = type;
  }
  if (member.left === 0 || member.right === 0) throw invalid('associated data types must be specified for index support function');
  return member;
}

function givenTypes(list: readonly RawNode[]): [Oid, Oid] {
  const [left, right] = list.map((t) => typenameTypeId(null, t));
  if (left === undefined || list.length > 2) throw new PgError('syntax_error', 'one or two argument types must be specified');
  return [left, right ?? left];
}

/** What a function must look like, by access method and number (assignProcTypes); fills in the types it is for. */
function checkFunction(member: Member, am: PgAm, method: Method): void {
  const proc = sys.procByOid(member.object)!;
  const args = proc.proargtypes;
  const need = (ok: boolean, rule: string): void => { if (!ok) throw invalid(rule); };
  const types = (left: Oid, right: Oid): void => {
    if (member.left === 0) member.left = left;
    if (member.right === 0) member.right = right;
  };
  if (member.number === method.optionsFunction) {
    if (proc.prorettype !== ids.VOIDOID || args.length !== 1 || args[0] !== ids.INTERNALOID) {
      throw new PgError('invalid_object_definition', 'invalid operator class options parsing function', { hint: 'Valid signature of operator class options parsing function is (internal) RETURNS void.' });
    }
    return;
  }
  switch (`${am.amname} ${member.number}`) {
    case 'btree 1':
      need(args.length === 2, 'btree comparison functions must have two arguments');
      need(proc.prorettype === ids.INT4OID, 'btree comparison functions must return integer');
      return types(args[0]!, args[1]!);
    case 'btree 2':
      need(args.length === 1 && args[0] === ids.INTERNALOID, 'btree sort support functions must accept type "internal"');
      need(proc.prorettype === ids.VOIDOID, 'btree sort support functions must return void');
      return;
    case 'btree 3':
      need(args.length === 5, 'btree in_range functions must have five arguments');
      need(proc.prorettype === ids.BOOLOID, 'btree in_range functions must return boolean');
      return types(args[0]!, args[2]!);
    case 'btree 4':
      need(args.length === 1, 'btree equal image functions must have one argument');
      need(proc.prorettype === ids.BOOLOID, 'btree equal image functions must return boolean');
      need(member.left === member.right, 'btree equal image functions must not be cross-type');
      return;
    case 'hash 1':
      need(args.length === 1, 'hash function 1 must have one argument');
      need(proc.prorettype === ids.INT4OID, 'hash function 1 must return integer');
      return types(args[0]!, args[0]!);
    case 'hash 2':
      need(args.length === 2, 'hash function 2 must have two arguments');
      need(proc.prorettype === ids.INT8OID, 'hash function 2 must return bigint');
      return types(args[0]!, args[0]!);
    default:
  }
}

function addMember(list: Member[], member: Member): void {
  if (list.some((m) => m.isFunction === member.isFunction && m.number === member.number && m.left === member.left && m.right === member.right)) {
    throw invalid(`${member.isFunction ? 'function' : 'operator'} number ${member.number} for (${formatType(member.left)},${formatType(member.right)}) appears more than once`);
  }
  list.push(member);
}

/** What a member depends on: a class cannot lose the functions it needs; everything else belongs to the family loosely. */
function adjust(member: Member, am: PgAm, method: Method, family: Oid, opclass: Oid, type: Oid): void {
  member.refersToFamily = true;
  member.refersTo = family;
  if (am.amname === 'brin' && opclass !== 0) {
    Object.assign(member, { hard: true, refersToFamily: false, refersTo: opclass });
    return;
  }
  const ordered = am.amname === 'btree' || am.amname === 'hash';
  if (member.isFunction ? !method.required.includes(member.number) : !ordered) return;
  if (ordered && member.left !== member.right) return;
  const owner = opclass !== 0 && member.left === type ? opclass : sys.opclassesOf(am.oid).find((c) => c.opcfamily === family && c.opcintype === member.left)?.oid ?? 0;
  if (owner !== 0) Object.assign(member, { hard: true, refersToFamily: false, refersTo: owner });
}

/** `familyNames`: as ALTER OPERATOR FAMILY named it; what is there already is refused. */
function storeMembers(members: readonly Member[], am: PgAm, family: Oid, familyNames?: readonly string[]): void {
  for (const m of members) {
    const existing = m.isFunction ? functionMember(family, m.left, m.right, m.number) : operatorMember(family, m.left, m.right, m.number);
    if (familyNames !== undefined && existing !== undefined) {
      throw new PgError('duplicate_object', `${m.isFunction ? 'function' : 'operator'} ${m.number}(${formatType(m.left)},${formatType(m.right)}) already exists in operator family "${familyNames.join('.')}"`);
    }
    const classId = m.isFunction ? ids.AccessMethodProcedureRelationId : ids.AccessMethodOperatorRelationId;
    const oid = getNewOid(classId);
    if (m.isFunction) {
      catalogInsert(ids.AccessMethodProcedureRelationId, { oid, amprocfamily: family, amproclefttype: m.left, amprocrighttype: m.right, amprocnum: m.number, amproc: m.object });
    } else {
      catalogInsert(ids.AccessMethodOperatorRelationId, {
        oid, amopfamily: family, amoplefttype: m.left, amoprighttype: m.right, amopstrategy: m.number, amoppurpose: m.sortFamily === 0 ? 's' : 'o', amopopr: m.object,
        amopmethod: am.oid, amopsortfamily: m.sortFamily,
      });
    }
    const self = objectAddress(classId, oid);
    recordDependencyOn(self, objectAddress(m.isFunction ? ids.ProcedureRelationId : ids.OperatorRelationId, m.object), m.hard ? 'n' : 'a');
    recordDependencyOn(self, objectAddress(m.refersToFamily ? ids.OperatorFamilyRelationId : ids.OperatorClassRelationId, m.refersTo), m.hard ? 'i' : 'a');
    if (m.sortFamily !== 0) recordDependencyOn(self, objectAddress(ids.OperatorFamilyRelationId, m.sortFamily), m.hard ? 'n' : 'a');
  }
}

const operatorMember = (family: Oid, left: Oid, right: Oid, number: number): Oid | undefined =>
  sys.amopsByFamily(family).find((m) => m.amoplefttype === left && m.amoprighttype === right && m.amopstrategy === number)?.oid;
const functionMember = (family: Oid, left: Oid, right: Oid, number: number): Oid | undefined =>
  sys.amprocsByFamily(family).find((m) => m.amproclefttype === left && m.amprocrighttype === right && m.amprocnum === number)?.oid;

// ---- ALTER OPERATOR FAMILY

function alterOpFamily(stmt: RawNode): void {
  const { am, method } = methodNamed(stmt['amname'] as string);
  const family = getOpfamilyOid(am.oid, stmt['opfamilyname'] as string[]);
  mustBeSuperuser('alter an operator family');
  const items = (stmt['items'] ?? []) as RawNode[];
  if (stmt['isDrop']) dropMembers(items, method, family, stmt['opfamilyname'] as string[]);
  else addMembers(items, am, method, family, stmt['opfamilyname'] as string[]);
}

function addMembers(items: readonly RawNode[], am: PgAm, method: Method, family: Oid, names: readonly string[]): void {
  const members: Member[] = [];
  for (const item of items) {
    if (item['itemtype'] === ITEM_STORAGE) throw new PgError('syntax_error', 'STORAGE cannot be specified in ALTER OPERATOR FAMILY');
    addMember(members, item['itemtype'] === ITEM_OPERATOR ? operatorItem(item, am, method, 0) : functionItem(item, am, method, 0));
  }
  for (const m of members) adjust(m, am, method, family, 0, 0);
  storeMembers(members.filter((m) => !m.isFunction), am, family, names);
  storeMembers(members.filter((m) => m.isFunction), am, family, names);
}

function dropMembers(items: readonly RawNode[], method: Method, family: Oid, names: readonly string[]): void {
  const gone: { classId: Oid; oid: Oid }[] = [];
  const seen: Member[] = [];
  for (const item of items) {
    const isFunction = item['itemtype'] === ITEM_FUNCTION;
    if (!isFunction && item['itemtype'] !== ITEM_OPERATOR) throw internalError('unrecognized item type');
    const number = isFunction ? memberNumber(item, method.functions, 'function') : memberNumber(item, method.strategies || MAX_NUMBER, 'operator');
    const [left, right] = givenTypes(item['class_args'] as RawNode[]);
    addMember(seen, { isFunction, object: 0, number, left, right, sortFamily: 0, hard: false, refersToFamily: true, refersTo: 0 });
  }
  for (const m of [...seen.filter((x) => !x.isFunction), ...seen.filter((x) => x.isFunction)]) {
    const oid = m.isFunction ? functionMember(family, m.left, m.right, m.number) : operatorMember(family, m.left, m.right, m.number);
    if (oid === undefined) {
      throw new PgError('undefined_object', `${m.isFunction ? 'function' : 'operator'} ${m.number}(${formatType(m.left)},${formatType(m.right)}) does not exist in operator family "${names.join('.')}"`);
    }
    gone.push({ classId: m.isFunction ? ids.AccessMethodProcedureRelationId : ids.AccessMethodOperatorRelationId, oid });
  }
  for (const { classId, oid } of gone) performDeletion(objectAddress(classId, oid), 'restrict');
}

export const OPCLASS_COMMANDS: UtilityTable = {
  CreateOpClassStmt: { run: createOpClass },
  CreateOpFamilyStmt: { run: createOpFamily },
  AlterOpFamilyStmt: { run: alterOpFamily },
};
