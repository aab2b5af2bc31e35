// CREATE INDEX and the indexes of constraints: columns, operator classes and names are worked out here, the catalogs are
// filled by catalog/index.ts, the entries made by executor/indexing.ts (PostgreSQL's indexcmds.c).
import { asOwner } from '../catalog/acl.ts';
import { builtinOpclassLike, indexMethodOf } from '../catalog/index_method.ts';
import { PgError, notSupported } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import { requireOwner, requirePrivilege } from '../catalog/aclchk.ts';
import { formatType } from '../catalog/format_type.ts';
import { INDOPTION_DESC, INDOPTION_NULLS_FIRST, indexConstraintCreate, indexCreate, markIndexAsConstraint, type IndexColumnSpec } from '../catalog/index.ts';
import { formatOperator } from '../catalog/format_object.ts';
import { quoteIdentifier } from '../catalog/quote.ts';
import { getBaseType, getDefaultOpClass, getOpOpfamilyStrategy, getType, isBinaryCoercible } from '../catalog/lsyscache.ts';
import { getCollationOid, getOpclassOid, rangeVarGetRelid, refuseOtherTemp } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { createComments } from '../catalog/pg_description.ts';
import { chooseRelationName } from '../catalog/pg_constraint.ts';
import { errdetailRelkindNotSupported, systemColumnByName } from '../catalog/pg_class.ts';
import { indexConstraint } from '../catalog/pg_depend.ts';
import type { IndexInfo, Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { amByName, amByOid, amopsByFamily, amprocsByFamily, opclassByOid, opclassesOf, opfamilyByOid, relationOidByName } from '../catalog/syscache.ts';
import { buildIndex } from '../executor/indexing.ts';
import { exprCollation, expressionTreeWalker, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import { ACL } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { compatibleOper } from '../parser/parse_oper.ts';
import { coerceToBoolean } from '../parser/parse_coerce.ts';
import { assignExprCollations } from '../parser/parse_collate.ts';
import { transformExpr } from '../parser/parse_expr.ts';
import { figureIndexColname } from '../parser/parse_target.ts';
import { transformIndexStmt, ddlNotice, type IndexElemSpec, type IndexSpec } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { preventInTransactionBlock, type UtilityContext, type UtilityTable } from '../tcop/utility.ts';
import {
  beginInternalSubTransaction, commandCounterIncrement, commitTransactionCommand, releaseCurrentSubTransaction, rollbackAndReleaseCurrentSubTransaction, startTransactionCommand,
} from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { isMutable, relationParseState } from './constraints.ts';
import { joinColumnNames } from './names.ts';
import { lockRelation, refuseSystemCatalog } from './object_names.ts';
import { checkUniqueKey, indexPartitions } from './partition_index.ts';
import { partitionDescOf, partitionTree } from '../partitioning/partdesc.ts';
import { catalogUpdateByKey } from '../catalog/indexing.ts';
import { constantText } from './variable.ts';
import { isNumber, type IndexMethod, readOptions } from './reloptions.ts';
import { refuseInUse } from './trigger.ts';
import { storeCounts } from './relation_counts.ts';
import { chooseTablespace } from '../catalog/pg_tablespace.ts';

const ORDERED_METHODS = new Set(['btree']);
/** What access methods cannot do. */
const CANNOT: Readonly<Record<string, readonly string[]>> = {
  btree: [], hash: ['unique indexes', 'included columns', 'multicolumn indexes'], gist: ['unique indexes'],
  spgist: ['unique indexes', 'multicolumn indexes'], gin: ['unique indexes', 'included columns', 'exclusion constraints'], brin: ['unique indexes', 'included columns', 'exclusion constraints'],
};

function checkMethod(spec: IndexSpec): void {
  const wanted = { 'unique indexes': spec.unique, 'included columns': spec.including.length > 0, 'multicolumn indexes': spec.keys.length > 1, 'exclusion constraints': spec.exclusion !== null };
  for (const [what, is] of Object.entries(wanted)) {
    if (is && CANNOT[spec.accessMethod]!.includes(what)) throw new PgError('feature_not_supported', `access method "${spec.accessMethod}" does not support ${what}`);
  }
}

/** Makes one index on a table; its OID (DefineIndex). The table is locked by the caller. */
/** `recurse`: false for ON ONLY a partitioned table. */
export function defineIndex(table: Relation, given: IndexSpec, text: string, build = true, recurse = true): Oid {
  if (given.accessMethod === 'rtree' && amByName('rtree') === undefined) {
    ddlNotice('substituting access method "gist" for obsolete method "rtree"');
    return defineIndex(table, { ...given, accessMethod: 'gist' }, text, build, recurse);
  }
  const method = amByName(given.accessMethod), own = method && indexMethodOf(method);
  const spec = own === undefined || own.name === given.accessMethod ? given : { ...given, accessMethod: own.name };
  if (spec.existingIndex !== null) return adoptIndex(table, spec);
  if (spec.primary && table.indexes.some((i) => i.primary)) throw new PgError('invalid_table_definition', `multiple primary keys for table "${table.name}" are not allowed`);
  if (method === undefined) throw new PgError('undefined_object', `access method "${spec.accessMethod}" does not exist`);
  if (own === undefined) throw new PgError('object_not_in_prerequisite_state', `access method "${spec.accessMethod}" is not of type INDEX`);
  if (table.kind === 'p' && spec.exclusion !== null) throw new PgError('feature_not_supported', `cannot create exclusion constraints on partitioned table "${table.name}"`);
  checkMethod(spec);
  const tablespace = chooseTablespace(spec.tablespace, table.persistence, table.kind === 'p');
  if (spec.keys.length === 0) throw new PgError('invalid_object_definition', 'must specify at least one column');
  const predicate = spec.where === null ? null : cookPredicate(table, spec.where, text);
  const expressions: Expr[] = [];
  const columns = spec.keys.map((key) => keyColumn(table, key, spec, method.oid, expressions, text));
  for (const name of spec.including) columns.push(includedColumn(table, name));
  nameColumns(columns, spec);
  if (table.kind === 'p' && (spec.unique || spec.primary)) checkUniqueKey(table, columns, spec.primary);
  const partitioned = table.kind === 'p';
  const valid = !partitioned || recurse || partitionDescOf(table).oids.length === 0;
  const name = spec.name ?? chooseIndexName(table, columns, spec);
  const { index, constraint } = indexCreate({
    table, name, accessMethod: method.oid, columns, keyCount: spec.keys.length, expressions, predicate, unique: spec.unique, nullsNotDistinct: spec.nullsNotDistinct,
    primary: spec.primary, constraint: spec.isConstraint ? { type: spec.primary ? 'p' : spec.exclusion !== null ? 'x' : 'u', ...(spec.exclusion === null ? {} : { operators: spec.exclusion.map((names, i) => exclusionOperator(names, columns[i]!)) }), deferrable: spec.deferrable, initiallyDeferred: spec.initDeferred } : null,
    options: readOptions(spec.options, spec.accessMethod as IndexMethod), tablespace,
  });
  commandCounterIncrement();
  if (!valid) catalogUpdateByKey(ids.IndexRelationId, ids.PgIndexIndexrelidIndexId, [index], { indisvalid: false });
  commandCounterIncrement();
  if (spec.comment !== null) {
    const ofConstraint = constraint !== 0 && spec.commentOnIndex !== true;
    createComments(ofConstraint ? constraint : index, ofConstraint ? ids.ConstraintRelationId : ids.RelationRelationId, 0, spec.comment);
  }
  if (partitioned && recurse) indexPartitions(openRelation(table.oid), index, build);
  if (build && !partitioned) {
    const counts = buildIndex(openRelation(table.oid), openRelation(index).indexInfo!);
    // Who has seen all rows can tell their number; an empty table is as good as one nobody has looked at.
    if (counts.totalRows > 0) storeCounts(openRelation(table.oid), counts);
  }
  return index;
}

function keyColumn(table: Relation, key: IndexElemSpec, spec: IndexSpec, method: Oid, expressions: Expr[], text: string): IndexColumnSpec {
  let attnum = 0;
  let typeOid: Oid;
  let typmod: number;
  let collation: Oid;
  let name = '';
  if (key.name !== null) {
    const column = table.attributes.find((a) => a.attname === key.name && !a.attisdropped);
    if (column === undefined) {
      if (systemColumnByName(key.name) !== undefined) throw onSystemColumn();
      throw new PgError('undefined_column', spec.isConstraint ? `column "${key.name}" named in key does not exist` : `column "${key.name}" does not exist`);
    }
    ({ attnum, atttypid: typeOid, atttypmod: typmod, attcollation: collation, attname: name } = column);
  } else {
    const state = relationParseState(table, text);
    let expr = transformExpr(state, key.expr!, 'index_expression');
    assignExprCollations(state, expr);
    typeOid = exprType(expr);
    typmod = exprTypmod(expr);
    collation = exprCollation(expr);
    // (x COLLATE "C") is x, with that collation.
    while (expr.kind === 'CollateExpr') expr = expr.arg;
    if (expr.kind === 'Var' && expr.varattno > 0) {
      attnum = expr.varattno;
      name = table.attributes[attnum - 1]!.attname;
    } else {
      refuseSystemColumns(expr);
      mustBeImmutable(table, expr, 'expression');
      if (getType(typeOid).typtype === 'p') throw new PgError('invalid_table_definition', `column "${(key.expr && figureIndexColname(key.expr)) ?? 'expr'}" has pseudo-type ${formatType(typeOid)}`);
      expressions.push(expr);
    }
  }
  if (key.collation !== null) collation = getCollationOid(key.collation);
  if (collation === 0 && getType(typeOid).typcollation !== 0) {
    throw new PgError('indeterminate_collation', 'could not determine which collation to use for index expression', { hint: 'Use the COLLATE clause to set the collation explicitly.' });
  }
  if (collation !== 0 && getType(typeOid).typcollation === 0) {
    if (key.collation !== null) throw new PgError('datatype_mismatch', `collations are not supported by type ${formatType(typeOid)}`);
    collation = 0;
  }
  const ordered = ORDERED_METHODS.has(spec.accessMethod);
  if (!ordered && key.ordering !== 'SORTBY_DEFAULT') throw new PgError('feature_not_supported', `access method "${spec.accessMethod}" does not support ASC/DESC options`);
  if (!ordered && key.nullsOrdering !== 'SORTBY_NULLS_DEFAULT') throw new PgError('feature_not_supported', `access method "${spec.accessMethod}" does not support NULLS FIRST/LAST options`);
  const descending = key.ordering === 'SORTBY_DESC';
  const nullsFirst = key.nullsOrdering === 'SORTBY_NULLS_DEFAULT' ? descending : key.nullsOrdering === 'SORTBY_NULLS_FIRST';
  const opclass = resolveOpclass(key.opclass, typeOid, amByOid(method)!.amname, method);
  return {
    attnum, name, typeOid, typmod, collation, opclass, options: opclassOptions(key.opclassOptions, opclass, spec.accessMethod),
    option: ordered ? (descending ? INDOPTION_DESC : 0) | (nullsFirst ? INDOPTION_NULLS_FIRST : 0) : 0,
  };
}

/** An operator of an exclusion constraint: commutative, and of the index's family. */
function exclusionOperator(names: readonly string[], { typeOid, opclass }: IndexColumnSpec): Oid {
  const { oid, oprcom } = compatibleOper(null, names, typeOid, typeOid, false, -1)!;
  if (oprcom !== oid) {
    throw new PgError('wrong_object_type', `operator ${formatOperator(oid)} is not commutative`, { detail: 'Only commutative operators can be used in exclusion constraints.' });
  }
  const family = opclassByOid(opclass)!.opcfamily;
  if (getOpOpfamilyStrategy(oid, family) === 0) {
    throw new PgError('wrong_object_type', `operator ${formatOperator(oid)} is not a member of operator family "${opfamilyByOid(family)!.opfname}"`, {
      detail: 'The exclusion operator must be related to the index operator class for the constraint.',
    });
  }
  return oid;
}

const INTEGER_PARAMETERS = ['siglen', 'values_per_range'];

/** Parameters of operator classes: those that there are, and their limits. */
const OPCLASS_PARAMETERS: Readonly<Record<string, readonly [number, number]>> = {
  siglen: [1, 2024], values_per_range: [8, 256], n_distinct_per_range: [-1, 2147483647], false_positive_rate: [0.0001, 0.25],
};
const withParameters = (opcname: string): string[] => (/^(tsvector|tsquery)_ops$/.test(opcname) ? ['siglen'] : opcname.endsWith('_minmax_multi_ops') ? ['values_per_range']
  : opcname.endsWith('_bloom_ops') ? ['n_distinct_per_range', 'false_positive_rate'] : []);

function opclassOptions(list: readonly RawNode[] | undefined, opclass: Oid, method: string): string[] | null {
  if (list === undefined || list.length === 0) return null;
  const { opcname } = opclassByOid(opclass)!;
  const known = method === 'gist' || method === 'brin' ? withParameters(opcname) : [];
  if (known.length === 0) throw new PgError('invalid_parameter_value', `operator class ${quoteIdentifier(opcname)} has no options`);
  return list.map((option) => {
    const name = option['defname'] as string, value = constantText(option['arg']);
    if (!known.includes(name)) throw new PgError('invalid_parameter_value', `unrecognized parameter "${name}"`);
    if (list.some((o) => o !== option && o['defname'] === name)) throw new PgError('invalid_parameter_value', `parameter "${name}" specified more than once`);
    const type = INTEGER_PARAMETERS.includes(name) ? 'integer' : 'real';
    if (!isNumber(value, type)) throw new PgError('invalid_parameter_value', `invalid value for ${type === 'integer' ? type : 'floating point'} option "${name}": ${value}`);
    const [min, max] = OPCLASS_PARAMETERS[name]!;
    const bound = (x: number): string => (opcname.endsWith('_bloom_ops') ? x.toFixed(6) : String(x));
    if (!(Number(value) >= min && Number(value) <= max)) {
      throw new PgError('invalid_parameter_value', `value ${value} out of bounds for option "${name}"`, { detail: `Valid values are between "${bound(min)}" and "${bound(max)}".` });
    }
    return `${name}=${value}`;
  });
}

/** The operator class named, or the type's default (ResolveOpClass). */
export function resolveOpclass(names: string[] | null, typeOid: Oid, methodName: string, method: Oid, forIndex = true): Oid {
  if (names === null) {
    const found = getDefaultOpClass(typeOid, method);
    if (found === 0) {
      throw new PgError('undefined_object', `data type ${formatType(typeOid)} has no default operator class for access method "${methodName}"`, {
        hint: 'You must specify an operator class for the index or define a default operator class for the data type.',
      });
    }
    requireKnownOrder(found);
    return found;
  }
  const opclass = getOpclassOid(method, names);
  const { opcintype } = opclassByOid(opclass)!;
  if (!isBinaryCoercible(getBaseType(typeOid), opcintype) && !isBinaryCoercible(typeOid, opcintype)) {
    throw new PgError('datatype_mismatch', `operator class "${names.join('.')}" does not accept data type ${formatType(typeOid)}`);
  }
  if (forIndex) requireKnownOrder(opclass);
  return opclass;
}

/** Keys are ordered as bytes: of an operator class of one's own only when it compares as a built-in one does. */
function requireKnownOrder(opclass: Oid): void {
  if (opclass < FirstNormalObjectId) return;
  const { opcfamily, opcintype, opcmethod, opcname } = opclassByOid(opclass)!;
  const compares = (family: Oid): Oid | undefined => amprocsByFamily(family).find((p) => p.amprocnum === 1 && p.amproclefttype === opcintype && p.amprocrighttype === opcintype)?.amproc;
  const equality = (family: Oid): Oid | undefined => amopsByFamily(family).find((o) => o.amopstrategy === 1 && o.amoplefttype === opcintype && o.amoprighttype === opcintype)?.amopopr;
  const usual = opclassesOf(opcmethod).find((c) => c.opcdefault && c.opcintype === opcintype && c.oid < FirstNormalObjectId);
  // Of a hash index the equality is all that matters.
  if (opcmethod === ids.HASH_AM_OID && usual !== undefined && equality(opcfamily) !== undefined && equality(opcfamily) === equality(usual.opcfamily)) return;
  if (opcmethod !== ids.BTREE_AM_OID && opcmethod !== ids.HASH_AM_OID && builtinOpclassLike(opclass) !== 0) return;
  if (usual === undefined || compares(opcfamily) === undefined || compares(opcfamily) !== compares(usual.opcfamily)) throw notSupported(`an index of operator class "${opcname}"`);
}
const FirstNormalObjectId = 16384;

function includedColumn(table: Relation, name: string): IndexColumnSpec {
  const column = table.attributes.find((a) => a.attname === name && !a.attisdropped);
  if (column === undefined) throw new PgError('undefined_column', `column "${name}" does not exist`);
  return { attnum: column.attnum, name, typeOid: column.atttypid, typmod: column.atttypmod, collation: 0, opclass: 0, option: 0 };
}

function refuseSystemColumns(e: Expr): void {
  if (e.kind === 'Var' && e.varattno < 0) throw onSystemColumn();
  expressionTreeWalker(e, (child) => {
    if (child.kind !== 'Query') refuseSystemColumns(child);
    return false;
  });
}
const onSystemColumn = (): PgError => new PgError('feature_not_supported', 'index creation on system columns is not supported');

/** As it will be planned, which may call its functions: as the owner does. */
function mustBeImmutable(table: Relation, expr: Expr, what: 'expression' | 'predicate'): void {
  if (asOwner(table.owner, () => isMutable(expr))) throw new PgError('invalid_object_definition', `functions in index ${what} must be marked IMMUTABLE`);
}

function cookPredicate(table: Relation, raw: RawNode, text: string): Expr {
  const state = relationParseState(table, text);
  const expr = coerceToBoolean(state, transformExpr(state, raw, 'index_predicate'), 'WHERE');
  assignExprCollations(state, expr);
  refuseSystemColumns(expr);
  mustBeImmutable(table, expr, 'predicate');
  return expr;
}

/** An index's own columns are named after the table's, expressions after their function or "expr"; all differ. */
function nameColumns(columns: IndexColumnSpec[], spec: IndexSpec): void {
  const taken = new Set<string>();
  columns.forEach((c, i) => {
    const raw = spec.keys[i]?.expr;
    const base = c.attnum !== 0 ? c.name : (raw ? figureIndexColname(raw) : null) ?? 'expr';
    let name = base;
    for (let n = 1; taken.has(name); n++) name = base + n;
    taken.add(name);
    c.name = name;
  });
}

function chooseIndexName(table: Relation, columns: readonly IndexColumnSpec[], spec: IndexSpec): string {
  if (spec.primary) return chooseRelationName(table.name, null, 'pkey', table.namespace, true);
  return chooseRelationName(table.name, joinColumnNames(columns.map((c) => c.name)), spec.exclusion !== null ? 'excl' : spec.isConstraint ? 'key' : 'idx', table.namespace, spec.isConstraint);
}

export const usingIndexOnPartitioned = (): PgError => new PgError('feature_not_supported', 'ALTER TABLE / ADD CONSTRAINT USING INDEX is not supported on partitioned tables');

/** ADD CONSTRAINT ... USING INDEX. */
function adoptIndex(table: Relation, spec: IndexSpec): Oid {
  if (table.kind === 'p') throw usingIndexOnPartitioned();
  const info = checkAdoptable(table, spec);
  const oid = info.indexrelid;
  const constraintName = spec.name ?? spec.existingIndex!;
  indexConstraintCreate({
    table, name: constraintName, accessMethod: ids.BTREE_AM_OID, keyCount: info.keyCount, columns: info.keyAttributes.map((attnum) => ({
      attnum, name: '', typeOid: 0, collation: 0, opclass: 0, option: 0,
    })), constraint: { type: spec.primary ? 'p' : 'u', deferrable: spec.deferrable, initiallyDeferred: spec.initDeferred },
  }, oid);
  markIndexAsConstraint(oid, spec.primary, spec.deferrable);
  return oid;
}

/** Whether an index can stand for a constraint: unique, whole, of plain columns in their usual order. */
export function checkAdoptable(table: Relation, spec: IndexSpec): IndexInfo {
  const name = spec.existingIndex!;
  const oid = relationOidByName(name, table.namespace);
  const info = table.indexes.find((i) => i.indexrelid === oid);
  if (info === undefined) throw new PgError('undefined_object', oid === 0 ? `index "${name}" does not exist` : `index "${name}" does not belong to table "${table.name}"`);
  const wrong = (what: string): PgError => new PgError('wrong_object_type', what, { detail: 'Cannot create a primary key or unique constraint using such an index.' });
  if (!info.unique) throw wrong(`"${name}" is not a unique index`);
  if (info.expressions.length > 0) throw wrong(`index "${name}" contains expressions`);
  if (info.predicate !== null) throw wrong(`"${name}" is a partial index`);
  if (indexConstraint(oid) !== 0) throw new PgError('object_not_in_prerequisite_state', `index "${name}" is already associated with a constraint`);
  if (!info.valid) throw new PgError('object_not_in_prerequisite_state', `index "${name}" is not valid`);
  if (info.accessMethod !== 'btree') throw wrong(`index "${name}" is not a btree`);
  info.columns.forEach((c, i) => {
    const usual = getDefaultOpClass(c.typeOid, ids.BTREE_AM_OID);
    const column = table.attributes[info.keyAttributes[i]! - 1];
    if (c.opclass !== usual || c.descending || c.nullsFirst || (column !== undefined && c.collation !== column.attcollation)) throw wrong(`index "${name}" column number ${i + 1} does not have default sorting behavior`);
  });
  return info;
}

// ---- the command

function createIndex(stmt: RawNode, context: UtilityContext): void {
  if (stmt['concurrent']) preventInTransactionBlock(context, 'CREATE INDEX CONCURRENTLY');
  const table = openRelation(rangeVarGetRelid(stmt['relation']));
  if (table.kind === 'c') throw new PgError('wrong_object_type', `"${table.name}" is a composite type`);
  if (table.kind !== 'r' && table.kind !== 'm' && table.kind !== 'p') {
    throw new PgError('wrong_object_type', `cannot create index on relation "${table.name}"`, { detail: errdetailRelkindNotSupported(table.kind) });
  }
  if (table.kind === 'p' && stmt['concurrent']) throw new PgError('feature_not_supported', `cannot create index on partitioned table "${table.name}" concurrently`);
  requireOwner(ids.RelationRelationId, table.oid);
  refuseSystemCatalog(table.oid);
  requirePrivilege(ids.NamespaceRelationId, table.namespace, ACL.CREATE);
  lockTable(table.oid, table.name, table.shared, 5);
  if (table.kind === 'p' && (stmt['relation'] as RawNode)['inh']) for (const { oid } of partitionTree(table)) lockRelation(oid, 5);
  refuseOtherTemp('create indexes on', table);
  refuseInUse('CREATE INDEX', table);
  const spec = transformIndexStmt(stmt);
  if (spec.name !== null && relationOidByName(spec.name, table.namespace) !== 0 && stmt['if_not_exists']) {
    ddlNotice(`relation "${spec.name}" already exists, skipping`, 'duplicate_table');
    return;
  }
  const define = (): unknown => defineIndex(table, spec, context.text, true, Boolean((stmt['relation'] as RawNode)['inh']));
  if (stmt['concurrent'] && table.persistence !== 't') leavingInvalid(define, () => defineInvalidIndex(table, spec, context.text));
  else define();
}

/** Does what CONCURRENTLY asks for. Where that fails, what `leave` makes stays; it may say more of the error. */
export function leavingInvalid(work: () => void, leave: (error: PgError) => void): void {
  beginInternalSubTransaction();
  try {
    work();
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    rollbackAndReleaseCurrentSubTransaction();
    leave(error);
    commitTransactionCommand();
    startTransactionCommand();
    throw error;
  }
  releaseCurrentSubTransaction();
}

/** An index that is in the catalogs only: nobody looks into it or keeps it up, until REINDEX builds it. */
export function defineInvalidIndex(table: Relation, spec: IndexSpec, text: string): void {
  const index = defineIndex(table, spec, text, false);
  catalogUpdateByKey(ids.IndexRelationId, ids.PgIndexIndexrelidIndexId, [index], { indisvalid: false, indisready: false });
}

export const INDEX_COMMANDS: UtilityTable = {
  IndexStmt: { run: createIndex },
};
