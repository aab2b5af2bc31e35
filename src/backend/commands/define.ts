// CREATE AGGREGATE, OPERATOR, and what else is a DefineStmt (PostgreSQL's aggregatecmds.c, pg_aggregate.c, operatorcmds.c,
// pg_operator.c).
import { PgError, notSupported } from '../../common/errors.ts';
import { aclcheckProc, mustBeOwner, notOwnerOrDenied, objectOwnercheck } from '../catalog/aclchk.ts';
import { requireTypeUsage } from '../catalog/type_usage.ts';
import { getNewOid } from '../catalog/catalog.ts';
import { formatType } from '../catalog/format_type.ts';
import { operatorNameGetOprid } from '../catalog/func_candidates.ts';
import { catalogFind, catalogInsert, catalogUpdate } from '../catalog/indexing.ts';
import { funcStrict, getType, isBinaryCoercible } from '../catalog/lsyscache.ts';
import * as ids from '../catalog/oids.ts';
import { deleteDependencyRecordsFor, objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import { procedureCreate } from '../catalog/pg_proc.ts';
import { recordDependencyOnOwner } from '../catalog/pg_shdepend.ts';
import type { PgOperator } from '../catalog/rows.ts';
import * as sys from '../catalog/syscache.ts';
import { funcGetDetail, funcSignatureString } from '../parser/parse_func.ts';
import { lookupOperWithArgs } from '../parser/parse_oper.ts';
import { enforceGenericTypeConsistency, isPolymorphic } from '../parser/parse_generic.ts';
import { typenameTypeId } from '../parser/parse_type.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { UtilityContext, UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import { sendWarning, session } from '../utils/session.ts';
import { createCollation, refreshCollation } from './collationcmds.ts';
import { defGetBoolean } from './def_elem.ts';
import { defineType } from './define_type.ts';
import { interpretParameters, polymorphicProblem } from './functioncmds.ts';
import { creationPlace, namesOf } from './object_names.ts';
import { defineTextSearchConfiguration, defineTextSearchDictionary, defineTextSearchParser, defineTextSearchTemplate } from './tsearchcmds.ts';
import { constantText } from './variable.ts';

const invalid = (message: string, fields = {}): PgError => new PgError('invalid_function_definition', message, fields);

function define(stmt: RawNode, context: UtilityContext): void {
  switch (stmt['kind']) {
    case 'OBJECT_AGGREGATE': return createAggregate(stmt, context);
    case 'OBJECT_OPERATOR': return createOperator(stmt);
    case 'OBJECT_COLLATION': return createCollation(stmt, context);
    case 'OBJECT_TSPARSER': return defineTextSearchParser(stmt['defnames'] as string[], (stmt['definition'] ?? []) as RawNode[]);
    case 'OBJECT_TSDICTIONARY': return defineTextSearchDictionary(stmt['defnames'] as string[], (stmt['definition'] ?? []) as RawNode[]);
    case 'OBJECT_TSTEMPLATE': return defineTextSearchTemplate(stmt['defnames'] as string[], (stmt['definition'] ?? []) as RawNode[]);
    case 'OBJECT_TSCONFIGURATION': return defineTextSearchConfiguration(stmt['defnames'] as string[], (stmt['definition'] ?? []) as RawNode[]);
    case 'OBJECT_TYPE': return defineType(stmt, context);
    default: throw notSupported(`CREATE ${(stmt['kind'] as string).replace('OBJECT_', '')}`);
  }
}

/** Attributes by name; what is not known is told and left out. */
function attributes(list: readonly RawNode[], known: readonly string[], noun: string): Map<string, any> {
  const result = new Map<string, any>();
  for (const e of list) {
    const name = e['defname'] as string;
    if (known.includes(name)) result.set(name, e['arg']);
    else {
      sendWarning('syntax_error', `${noun} attribute "${e['defname'] as string}" not recognized`);
    }
  }
  return result;
}

const typeOf = (arg: any): Oid => (typeof arg === 'string' ? typenameTypeId(null, { tag: 'TypeName', names: [arg], typemod: -1, location: -1 }) : typenameTypeId(null, arg));
const flag = (a: ReadonlyMap<string, any>, name: string): boolean => a.has(name) && defGetBoolean({ defname: name, arg: a.get(name) });

// ---- aggregates

const AGGREGATE_ATTRIBUTES = [
  'sfunc', 'sfunc1', 'finalfunc', 'combinefunc', 'serialfunc', 'deserialfunc', 'msfunc', 'minvfunc', 'mfinalfunc', 'finalfunc_extra', 'mfinalfunc_extra',
  'finalfunc_modify', 'mfinalfunc_modify', 'sortop', 'basetype', 'hypothetical', 'stype', 'stype1', 'sspace', 'mstype', 'msspace', 'initcond', 'initcond1', 'minitcond', 'parallel',
];
const PARALLEL: Readonly<Record<string, string>> = { safe: 's', restricted: 'r', unsafe: 'u' };
const MODIFY: Readonly<Record<string, string>> = { read_only: 'r', shareable: 's', read_write: 'w' };

function createAggregate(stmt: RawNode, context: UtilityContext): void {
  const { name, namespace } = creationPlace(stmt['defnames'] as string[]);
  const a = attributes((stmt['definition'] ?? []) as RawNode[], AGGREGATE_ATTRIBUTES, 'aggregate');
  const stype = a.get('stype') ?? a.get('stype1');
  const sfunc = a.get('sfunc') ?? a.get('sfunc1');
  if (stype === undefined) throw invalid('aggregate stype must be specified');
  if (sfunc === undefined) throw invalid('aggregate sfunc must be specified');
  for (const moving of ['msfunc', 'minvfunc', 'mstype']) {
    if (a.has('mstype') && !a.has(moving)) throw invalid(`aggregate ${moving} must be specified when mstype is specified`);
    if (!a.has('mstype') && a.has(moving)) throw invalid(`aggregate ${moving} must not be specified without mstype`);
  }
  const [parameters, direct] = aggregateArguments(stmt, a);
  const kind = direct < 0 ? 'n' : flag(a, 'hypothetical') ? 'h' : 'o';
  if (kind === 'n' && flag(a, 'hypothetical')) throw invalid('only ordered-set aggregates can be hypothetical');
  const p = interpretParameters(parameters, 'aggregate', 'internal', context.text);
  const transType = typeOf(stype);
  if (getType(transType).typtype === 'p' && !isPolymorphic(transType) && !(transType === ids.INTERNALOID && session.isSuperuser)) {
    throw invalid(`aggregate transition data type cannot be ${formatType(transType)}`);
  }
  const problem = polymorphicProblem(transType, p.argTypes);
  if (problem !== null) throw invalid('cannot determine transition data type', { detail: problem });
  if (kind !== 'n') checkOrderedSetArguments(kind, p.argTypes, direct, p.variadic);
  // The last argument is both a direct and an aggregated one where it is VARIADIC "any".
  const aggregated = kind === 'n' ? p.argTypes : direct < p.argTypes.length ? p.argTypes.slice(direct) : p.argTypes.slice(-1);
  const transfn = aggregateFunction(namesOf(sfunc), [transType, ...aggregated], p.variadic);
  if (transfn.rettype !== transType) throw new PgError('datatype_mismatch', `return type of transition function ${namesOf(sfunc).join('.')} is not ${formatType(transType)}`);
  const initial = a.get('initcond') ?? a.get('initcond1');
  if (initial !== undefined && !isPolymorphic(transType)) typeHooks.typeIo(transType).input(constantText(initial), -1);
  if (funcStrict(transfn.oid) && initial === undefined && (p.argTypes.length < 1 || !isBinaryCoercible(p.argTypes[0]!, transType))) {
    throw invalid('must not omit initial value when transition function is strict and transition type is not compatible with input type');
  }
  const extra = flag(a, 'finalfunc_extra');
  const finalfn = a.has('finalfunc') ? aggregateFunction(namesOf(a.get('finalfunc')), [transType, ...(extra ? p.argTypes : kind === 'n' ? [] : p.argTypes.slice(0, direct))], extra ? p.variadic : 0) : null;
  const result = finalfn?.rettype ?? transType;
  if (isPolymorphic(result) && !p.argTypes.some(isPolymorphic)) throw new PgError('datatype_mismatch', 'cannot determine result data type');
  const combine = a.has('combinefunc') ? aggregateFunction(namesOf(a.get('combinefunc')), [transType, transType], 0) : null;
  const serial = a.has('serialfunc') ? aggregateFunction(namesOf(a.get('serialfunc')), [transType], 0) : null;
  const deserial = a.has('deserialfunc') ? aggregateFunction(namesOf(a.get('deserialfunc')), [ids.BYTEAOID, ids.INTERNALOID], 0) : null;
  if (a.has('serialfunc') !== a.has('deserialfunc')) throw invalid('must specify both or neither of serialization and deserialization functions');
  if (serial !== null && transType !== ids.INTERNALOID) throw invalid(`serialization functions may be specified only when the aggregate transition data type is ${formatType(ids.INTERNALOID)}`);
  const moving = a.has('mstype') ? movingParts(a, p.argTypes) : null;
  const sortop = a.has('sortop') ? operatorNameGetOprid(namesOf(a.get('sortop')), p.argTypes[0] ?? 0, p.argTypes[0] ?? 0) : 0;
  if (a.has('sortop') && p.argTypes.length !== 1) throw invalid('sort operator can only be specified for single-argument aggregates');
  const oneOf = (option: string, letters: Readonly<Record<string, string>>, what: string, otherwise: string): string => {
    if (!a.has(option)) return otherwise;
    const letter = letters[constantText(a.get(option)).toLowerCase()];
    if (letter === undefined) throw new PgError('syntax_error', `parameter "${option}" must be ${what}`);
    return letter;
  };
  const parallel = oneOf('parallel', PARALLEL, 'SAFE, RESTRICTED, or UNSAFE', 'u');
  const modify = (option: string): string => oneOf(option, MODIFY, 'READ_ONLY, SHAREABLE, or READ_WRITE', kind === 'n' ? 'r' : 'w');
  const [finalModify, movingModify] = [modify('finalfunc_modify'), modify('mfinalfunc_modify')];
  refuseOtherKind(name, namespace, p.argTypes, kind, direct, Boolean(stmt['replace']));
  const oid = procedureCreate({
    proname: name, pronamespace: namespace, proowner: session.currentUser, prolang: ids.INTERNALlanguageId, prorettype: result, proargtypes: p.argTypes, proallargtypes: p.allTypes,
    proargmodes: p.modes, proargnames: p.names, provariadic: p.variadic, prosrc: 'aggregate_dummy', prokind: 'a', provolatile: 'i', replace: Boolean(stmt['replace']),
    proparallel: parallel, procost: 1,
  });
  const row = {
    aggfnoid: oid, aggkind: kind, aggnumdirectargs: kind === 'n' ? 0 : direct, aggtransfn: transfn.oid, aggfinalfn: finalfn?.oid ?? 0, aggcombinefn: combine?.oid ?? 0, aggserialfn: serial?.oid ?? 0,
    aggdeserialfn: deserial?.oid ?? 0, aggmtransfn: moving?.trans ?? 0, aggminvtransfn: moving?.inverse ?? 0, aggmfinalfn: moving?.final ?? 0, aggfinalextra: extra,
    aggmfinalextra: flag(a, 'mfinalfunc_extra'), aggfinalmodify: finalModify,
    aggmfinalmodify: movingModify, aggsortop: sortop, aggtranstype: transType,
    aggtransspace: a.has('sspace') ? Number(constantText(a.get('sspace'))) : 0, aggmtranstype: moving?.type ?? 0, aggmtransspace: a.has('msspace') ? Number(constantText(a.get('msspace'))) : 0,
    agginitval: initial === undefined ? null : constantText(initial), aggminitval: a.has('minitcond') ? constantText(a.get('minitcond')) : null,
  };
  const [old] = catalogFind(ids.AggregateRelationId, ids.PgAggregateFnoidIndexId, [oid]);
  if (old !== undefined) catalogUpdate(ids.AggregateRelationId, old, row);
  else catalogInsert(ids.AggregateRelationId, row);
  const self = objectAddress(ids.ProcedureRelationId, oid);
  for (const fn of [row.aggtransfn, row.aggfinalfn, row.aggcombinefn, row.aggserialfn, row.aggdeserialfn, row.aggmtransfn, row.aggminvtransfn, row.aggmfinalfn]) {
    if (fn !== 0) recordDependencyOn(self, objectAddress(ids.ProcedureRelationId, fn), 'n');
  }
  if (sortop !== 0) recordDependencyOn(self, objectAddress(ids.OperatorRelationId, sortop), 'n');
}

/** The direct arguments of a hypothetical-set aggregate end with those that describe the row. */
function checkOrderedSetArguments(kind: 'o' | 'h', types: readonly Oid[], direct: number, variadic: Oid): void {
  if (variadic !== 0 && variadic !== ids.ANYOID) throw new PgError('feature_not_supported', 'a variadic ordered-set aggregate must use VARIADIC type ANY');
  if (kind === 'o' || direct === types.length) return;
  const aggregated = types.slice(direct);
  if (aggregated.length > direct || aggregated.some((type, i) => types[direct - aggregated.length + i] !== type)) {
    throw invalid('a hypothetical-set aggregate must have direct arguments matching its aggregated arguments');
  }
}

/** CREATE OR REPLACE may not make another kind of aggregate of one. */
function refuseOtherKind(name: string, namespace: Oid, types: readonly Oid[], kind: string, direct: number, replace: boolean): void {
  const old = replace ? sys.procsByName(name).find((f) => f.pronamespace === namespace && f.proargtypes.length === types.length && types.every((t, i) => f.proargtypes[i] === t)) : undefined;
  const row = old?.prokind === 'a' ? sys.aggregateByOid(old.oid) : undefined;
  if (row === undefined) return;
  if (row.aggkind !== kind) {
    const is = { n: 'an ordinary aggregate function', o: 'an ordered-set aggregate', h: 'a hypothetical-set aggregate' }[row.aggkind];
    throw new PgError('wrong_object_type', 'cannot change routine kind', { detail: `"${name}" is ${is}.` });
  }
  if (kind !== 'n' && row.aggnumdirectargs !== direct) throw new PgError('invalid_function_definition', 'cannot change number of direct arguments of an aggregate function');
}

/** New style: (args), with the number of direct ones; old style: BASETYPE. */
function aggregateArguments(stmt: RawNode, a: Map<string, any>): [RawNode[], number] {
  if (!stmt['oldstyle']) {
    if (a.has('basetype')) throw invalid('basetype is redundant with aggregate input type specification');
    const args = (stmt['args'] ?? []) as [RawNode[] | null, number];
    return [args[0] ?? [], args[1] ?? -1];
  }
  if (!a.has('basetype')) throw invalid('aggregate input type must be specified');
  const base = a.get('basetype');
  const text = namesOf(base).join('.').toLowerCase();
  if (text === 'any') return [[], -1];
  return [[{ tag: 'FunctionParameter', argType: typeof base === 'string' ? { tag: 'TypeName', names: [base], typemod: -1, location: -1 } : base, mode: 'FUNC_PARAM_IN' }], -1];
}

/** The function of an aggregate for these argument types (lookup_agg_function). */
function aggregateFunction(names: readonly string[], types: readonly Oid[], variadic: Oid): { oid: Oid; rettype: Oid } {
  const found = funcGetDetail(names, null, [], types, false, false, false);
  if (found.code !== 'normal' || found.funcid === 0) throw new PgError('undefined_function', `function ${funcSignatureString(names, types)} does not exist`);
  const proc = sys.procByOid(found.funcid)!;
  if (proc.proretset) throw new PgError('datatype_mismatch', `function ${funcSignatureString(names, types)} returns a set`);
  if (variadic === ids.ANYOID && found.vatype !== ids.ANYOID) {
    throw new PgError('datatype_mismatch', `function ${funcSignatureString(names, types)} must accept VARIADIC ANY to be used in this aggregate`);
  }
  const declared = [...found.trueTypes];
  const rettype = enforceGenericTypeConsistency(types, declared, found.rettype, true);
  // Of polymorphic ones it is now known what they are.
  types.forEach((type, i) => {
    if (!isBinaryCoercible(type, declared[i]!)) throw new PgError('datatype_mismatch', `function ${funcSignatureString(names, declared)} requires run-time type coercion`);
  });
  if (!aclcheckProc(found.funcid, session.currentUser)) throw notOwnerOrDenied('function', proc.proname);
  return { oid: found.funcid, rettype };
}

function movingParts(a: Map<string, any>, args: readonly Oid[]): { trans: Oid; inverse: Oid; final: Oid; type: Oid } {
  const type = typeOf(a.get('mstype'));
  const trans = aggregateFunction(namesOf(a.get('msfunc')), [type, ...args], 0);
  const inverse = aggregateFunction(namesOf(a.get('minvfunc')), [type, ...args], 0);
  if (trans.rettype !== type) throw new PgError('datatype_mismatch', `return type of transition function ${namesOf(a.get('msfunc')).join('.')} is not ${formatType(type)}`);
  if (inverse.rettype !== type) throw new PgError('datatype_mismatch', `return type of inverse transition function ${namesOf(a.get('minvfunc')).join('.')} is not ${formatType(type)}`);
  if (funcStrict(trans.oid) !== funcStrict(inverse.oid)) throw invalid('strictness of aggregate\'s forward and inverse transition functions must match');
  const final = a.has('mfinalfunc') ? aggregateFunction(namesOf(a.get('mfinalfunc')), [type], 0).oid : 0;
  return { trans: trans.oid, inverse: inverse.oid, final, type };
}

// ---- operators

const OPERATOR_ATTRIBUTES = ['leftarg', 'rightarg', 'procedure', 'function', 'commutator', 'negator', 'restrict', 'join', 'hashes', 'merges', 'sort1', 'sort2', 'ltcmp', 'gtcmp'];

function createOperator(stmt: RawNode): void {
  const { name, namespace } = creationPlace(stmt['defnames'] as string[]);
  const a = attributes((stmt['definition'] ?? []) as RawNode[], OPERATOR_ATTRIBUTES, 'operator');
  const procedure = a.get('procedure') ?? a.get('function');
  for (const side of ['leftarg', 'rightarg']) {
    if ((a.get(side) as RawNode | undefined)?.['setof']) throw invalid('SETOF type not allowed for operator argument');
  }
  if (procedure === undefined) throw invalid('operator function must be specified');
  const left = a.has('leftarg') ? typeOf(a.get('leftarg')) : 0;
  const right = a.has('rightarg') ? typeOf(a.get('rightarg')) : 0;
  for (const type of [left, right]) if (type !== 0) requireTypeUsage(type);
  if (left === 0 && right === 0) throw invalid('operator argument types must be specified');
  if (right === 0) throw new PgError('invalid_function_definition', 'operator right argument type must be specified', { detail: 'Postfix operators are not supported.' });
  const isBinary = left !== 0;
  const fn = exactFunction(namesOf(procedure), isBinary ? [left, right] : [right]);
  const result = sys.procByOid(fn)!.prorettype;
  requireTypeUsage(result);
  const estimators = {
    oprrest: a.has('restrict') ? restrictionEstimator(namesOf(a.get('restrict'))) : 0,
    oprjoin: a.has('join') ? joinEstimator(namesOf(a.get('join'))) : 0,
  };
  // Obsolete ways to say so.
  const merges = flag(a, 'merges') || ['sort1', 'sort2', 'ltcmp', 'gtcmp'].some((name) => a.has(name));
  const hashes = flag(a, 'hashes');
  const need = (what: string, ok: boolean, rule: string): void => {
    if ((what === 'merges' ? merges : what === 'hashes' ? hashes : a.has(what)) && !ok) throw invalid(rule);
  };
  need('commutator', isBinary, 'only binary operators can have commutators');
  need('join', isBinary, 'only binary operators can have join selectivity');
  need('merges', isBinary, 'only binary operators can merge join');
  need('hashes', isBinary, 'only binary operators can hash');
  need('negator', result === ids.BOOLOID, 'only boolean operators can have negators');
  need('restrict', result === ids.BOOLOID, 'only boolean operators can have restriction selectivity');
  need('join', result === ids.BOOLOID, 'only boolean operators can have join selectivity');
  need('merges', result === ids.BOOLOID, 'only boolean operators can merge join');
  need('hashes', result === ids.BOOLOID, 'only boolean operators can hash');
  const existing = sys.operatorsByNameArgs(name, left, right).find((o) => o.oprnamespace === namespace);
  if (existing !== undefined && existing.oprcode !== 0) throw new PgError('duplicate_function', `operator ${name} already exists`);
  const row: Omit<PgOperator, 'oid' | 'oprcom' | 'oprnegate'> = {
    oprname: name, oprnamespace: namespace, oprowner: session.currentUser, oprkind: isBinary ? 'b' : 'l', oprcanmerge: merges,
    oprcanhash: flag(a, 'hashes'), oprleft: left, oprright: right, oprresult: result, oprcode: fn,
    ...estimators,
  };
  let oid: Oid;
  if (existing !== undefined) {
    if (!objectOwnercheck(ids.OperatorRelationId, existing.oid, session.currentUser)) throw mustBeOwner('operator', name);
    oid = existing.oid;
    updateOperator(oid, row);
    deleteDependencyRecordsFor(objectAddress(ids.OperatorRelationId, oid));
  } else {
    oid = getNewOid(ids.OperatorRelationId);
    catalogInsert(ids.OperatorRelationId, { oid, oprcom: 0, oprnegate: 0, ...row });
    recordDependencyOnOwner(ids.OperatorRelationId, oid, session.currentUser);
  }
  operatorDependencies(oid, row);
  commandCounterIncrement();
  if (a.has('commutator')) linkOperator(oid, 'oprcom', namesOf(a.get('commutator')), right, left);
  if (a.has('negator')) linkOperator(oid, 'oprnegate', namesOf(a.get('negator')), left, right);
}

function updateOperator(oid: Oid, changes: Partial<PgOperator>): void {
  const [tuple] = catalogFind(ids.OperatorRelationId, ids.PgOperatorOidIndexId, [oid]);
  catalogUpdate(ids.OperatorRelationId, tuple!, changes);
}

function operatorDependencies(oid: Oid, row: Pick<PgOperator, 'oprnamespace' | 'oprleft' | 'oprright' | 'oprresult' | 'oprcode' | 'oprrest' | 'oprjoin'>): void {
  const self = objectAddress(ids.OperatorRelationId, oid);
  recordDependencyOn(self, objectAddress(ids.NamespaceRelationId, row.oprnamespace), 'n');
  for (const type of [row.oprleft, row.oprright, row.oprresult]) if (type !== 0) recordDependencyOn(self, objectAddress(ids.TypeRelationId, type), 'n');
  for (const fn of [row.oprcode, row.oprrest, row.oprjoin]) if (fn !== 0) recordDependencyOn(self, objectAddress(ids.ProcedureRelationId, fn), 'n');
}

/** Commutator or negator: both operators name each other; one that is not there yet is made as a shell. */
function linkOperator(oid: Oid, field: 'oprcom' | 'oprnegate', names: readonly string[], left: Oid, right: Oid): void {
  const own = sys.operatorByOid(oid)!;
  let other = operatorNameGetOprid(names, left, right);
  if (other === oid && field === 'oprnegate') throw invalid('operator cannot be its own negator or sort operator');
  if (other === 0) {
    const { name, namespace } = creationPlace(names);
    if (name === own.oprname && namespace === own.oprnamespace && left === own.oprleft && right === own.oprright) other = oid;
    else {
      other = getNewOid(ids.OperatorRelationId);
      const shell = {
        oprname: name, oprnamespace: namespace, oprowner: session.currentUser, oprkind: left === 0 ? 'l' : 'b', oprcanmerge: false, oprcanhash: false, oprleft: left, oprright: right,
        oprresult: 0, oprcom: 0, oprnegate: 0, oprcode: 0, oprrest: 0, oprjoin: 0,
      };
      catalogInsert(ids.OperatorRelationId, { oid: other, ...shell });
      recordDependencyOnOwner(ids.OperatorRelationId, other, session.currentUser);
      operatorDependencies(other, shell);
      commandCounterIncrement();
    }
  }
  updateOperator(oid, { [field]: other });
  commandCounterIncrement();
  if (other !== oid && sys.operatorByOid(other)?.[field] === 0) {
    updateOperator(other, { [field]: oid });
    commandCounterIncrement();
  }
}

function exactFunction(names: readonly string[], types: readonly Oid[]): Oid {
  const found = funcGetDetail(names, null, [], types, false, false, false);
  const proc = found.code === 'normal' ? sys.procByOid(found.funcid) : undefined;
  if (proc === undefined || proc.proargtypes.some((t, i) => t !== types[i])) throw new PgError('undefined_function', `function ${funcSignatureString(names, types)} does not exist`);
  if (!aclcheckProc(proc.oid, session.currentUser)) throw notOwnerOrDenied('function', proc.proname);
  return proc.oid;
}

const restrictionEstimator = (names: readonly string[]): Oid => estimator(names, [ids.INTERNALOID, ids.OIDOID, ids.INTERNALOID, ids.INT4OID], 'restriction');
const joinEstimator = (names: readonly string[]): Oid => estimator(names, [ids.INTERNALOID, ids.OIDOID, ids.INTERNALOID, ids.INT2OID, ids.INTERNALOID], 'join');

const FIXED_ATTRIBUTES = ['leftarg', 'rightarg', 'function', 'procedure', 'commutator', 'negator', 'hashes', 'merges'];

/** ALTER OPERATOR ... SET: the estimators only. */
function alterOperator(stmt: RawNode): void {
  const oid = lookupOperWithArgs(stmt['opername'] as RawNode, false);
  const given = new Map<string, readonly string[] | null>();
  for (const e of (stmt['options'] ?? []) as RawNode[]) {
    const name = e['defname'] as string, arg = e['arg'] as any;
    if (typeof arg === 'number') throw new PgError('syntax_error', `argument of ${name} must be a name`);
    if (FIXED_ATTRIBUTES.includes(name)) throw new PgError('syntax_error', `operator attribute "${name}" cannot be changed`);
    if (name !== 'restrict' && name !== 'join') throw new PgError('syntax_error', `operator attribute "${name}" not recognized`);
    given.set(name, arg === undefined ? null : namesOf(arg));
  }
  const operator = sys.operatorByOid(oid)!;
  if (!objectOwnercheck(ids.OperatorRelationId, oid, session.currentUser)) throw mustBeOwner('operator', operator.oprname);
  const chosen = (name: 'restrict' | 'join'): Oid => {
    const names = given.get(name) ?? null;
    return names === null ? 0 : name === 'restrict' ? restrictionEstimator(names) : joinEstimator(names);
  };
  const oprrest = given.has('restrict') ? chosen('restrict') : operator.oprrest, oprjoin = given.has('join') ? chosen('join') : operator.oprjoin;
  if (operator.oprleft === 0 && given.has('join') && oprjoin !== 0) throw invalid('only binary operators can have join selectivity');
  if (operator.oprresult !== ids.BOOLOID) {
    if (given.has('restrict') && oprrest !== 0) throw invalid('only boolean operators can have restriction selectivity');
    if (given.has('join') && oprjoin !== 0) throw invalid('only boolean operators can have join selectivity');
  }
  updateOperator(oid, { oprrest, oprjoin });
  deleteDependencyRecordsFor(objectAddress(ids.OperatorRelationId, oid), true);
  operatorDependencies(oid, { ...operator, oprrest, oprjoin });
  commandCounterIncrement();
}

function estimator(names: readonly string[], types: Oid[], what: string): Oid {
  let oid = 0;
  try {
    oid = exactFunction(names, types);
  } catch (error) {
    if (what !== 'join') throw error;
    try {
      oid = exactFunction(names, types.slice(0, 4));
    } catch {
      throw error;
    }
  }
  if (sys.procByOid(oid)!.prorettype !== ids.FLOAT8OID) throw new PgError('invalid_object_definition', `${what} estimator function ${names.join('.')} must return type double precision`);
  return oid;
}

export const DEFINE_COMMANDS: UtilityTable = {
  DefineStmt: { run: define },
  AlterOperatorStmt: { run: alterOperator },
  AlterCollationStmt: { run: refreshCollation },
};
