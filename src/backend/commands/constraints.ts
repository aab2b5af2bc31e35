// Defaults, CHECK constraints and foreign keys of tables: analyzed, checked and put into the catalogs (parts of
// PostgreSQL's heap.c, pg_attrdef.c and tablecmds.c).
import { PgError } from '../../common/errors.ts';
import { attributeAclmask, aclcheckRelation, notOwnerOrDenied } from '../catalog/aclchk.ts';
import { formatType } from '../catalog/format_type.ts';
import { funcVolatile, getBaseType, getOpfamilyMember, getType, opVolatile } from '../catalog/lsyscache.ts';
import { isOtherTemp, rangeVarGetRelid } from '../catalog/namespace.ts';
import { changeCheckCount, chooseConstraintName, constraintNameIsUsed, createConstraintEntry } from '../catalog/pg_constraint.ts';
import { F_RI_FKEY_CHECK_INS, F_RI_FKEY_CHECK_UPD, RI_ACTION_FUNCTIONS, TRIGGER_TYPE, createInternalTrigger, noteTriggers } from '../catalog/pg_trigger.ts';
import type { Attribute, IndexInfo, Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import { attributeByNumber, constraintByOid, lookupAll, opclassByOid } from '../catalog/syscache.ts';
import * as ids from '../catalog/oids.ts';
import { lockTable } from '../access/table.ts';
import { containsNode, exprType } from '../nodes/nodeFuncs.ts';
import { ACL } from '../nodes/parsenodes.ts';
import type { Expr, Var } from '../nodes/primnodes.ts';
import { evalConstExpressions } from '../optimizer/clauses.ts';
import { canCoerceType, coerceToBoolean, coerceToTargetType } from '../parser/parse_coerce.ts';
import { assignExprCollations } from '../parser/parse_collate.ts';
import { transformExpr } from '../parser/parse_expr.ts';
import { makeParseState, parserError, type ParseState } from '../parser/parse_node.ts';
import { AccessShareLock, addNamespaceItemToQuery, addRangeTableEntryForRelation } from '../parser/parse_relation.ts';
import type { CheckSpec, ForeignKeySpec } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { joinColumnNames } from './names.ts';

/** A parse state in which the columns of one relation can be named; Vars come out with varno 1. */
export function relationParseState(relation: Relation, text: string): ParseState {
  const state = makeParseState(text);
  const item = addRangeTableEntryForRelation(state, relation, AccessShareLock, null, false, true);
  addNamespaceItemToQuery(state, item, true, true, true);
  return state;
}

// ---- defaults

/** Analyzes DEFAULT or a generation expression for a column (cookDefault). */
export function cookDefault(raw: RawNode, column: { name: string; typeOid: Oid; typmod: number; generated: string }, relation: Relation | null, text: string): Expr {
  const state = relation === null ? makeParseState(text) : relationParseState(relation, text);
  const expr = transformExpr(state, raw, column.generated !== '' ? 'generated_column' : 'column_default');
  if (column.generated !== '') {
    checkGenerated(expr, relation, state);
    assignExprCollations(state, expr);
    // What it is converted to the column's type by may be as it is.
    if (isMutable(expr)) throw parserError(state, 'invalid_object_definition', 'generation expression is not immutable');
  }
  const given = exprType(expr);
  const coerced = coerceToTargetType(state, expr, given, column.typeOid, column.typmod, 'assignment', 'implicit_cast', -1);
  if (coerced === null) {
    throw new PgError('datatype_mismatch', `column "${column.name}" is of type ${formatType(column.typeOid)} but default expression is of type ${formatType(given)}`, {
      hint: 'You will need to rewrite or cast the expression.',
    });
  }
  assignExprCollations(state, coerced);
  return coerced;
}

function checkGenerated(expr: Expr, relation: Relation | null, state: ParseState): void {
  for (const v of collectVars(expr)) {
    const attribute = v.varattno > 0 ? relation?.attributes[v.varattno - 1] : undefined;
    if (attribute?.attgenerated === 's') {
      throw parserError(state, 'invalid_object_definition', `cannot use generated column "${attribute.attname}" in column generation expression`, v.location, {
        detail: 'A generated column cannot reference another generated column.',
      });
    }
    if (v.varattno === 0) {
      throw parserError(state, 'invalid_object_definition', 'cannot use whole-row variable in column generation expression', v.location, {
        detail: 'This would cause the generated column to depend on its own value.',
      });
    }
  }
}

// ---- CHECK

/** Analyzes a CHECK expression over a relation (cookConstraint). */
export function cookCheck(raw: RawNode, relation: Relation, text: string): Expr {
  const state = relationParseState(relation, text);
  const expr = coerceToBoolean(state, transformExpr(state, raw, 'check_constraint'), 'CHECK');
  assignExprCollations(state, expr);
  return expr;
}

/** Adds CHECK constraints to a table that exists; the OIDs of those that are new. */
export function addChecks(relid: Oid, specs: readonly CheckSpec[], text: string, taken: Set<string>): { oid: Oid; name: string; expr: Expr }[] {
  const added: { oid: Oid; name: string; expr: Expr }[] = [];
  for (const spec of specs) {
    const relation = openRelation(relid);
    const expr = spec.expr ?? cookCheck(spec.raw!, relation, text);
    const used = new Set(collectVars(expr).map((v) => v.varattno));
    const columns = [...used].filter((n) => n > 0).sort((a, b) => a - b);
    const name = spec.name ?? chooseConstraintName(relation.name, used.size === 1 ? attributeByNumber(relid, [...used][0]!)?.attname ?? null : null, 'check', relation.namespace, [...taken]);
    if (taken.has(name) || constraintNameIsUsed('relation', relid, name)) {
      throw new PgError('duplicate_object', taken.has(name) ? `check constraint "${name}" already exists` : `constraint "${name}" for relation "${relation.name}" already exists`);
    }
    taken.add(name);
    const oid = createConstraintEntry({
      conname: name, connamespace: relation.namespace, contype: 'c', conrelid: relid, conkey: columns.length === 0 ? null : columns,
      connoinherit: spec.noInherit, convalidated: !spec.skipValidation, conislocal: spec.islocal, coninhcount: spec.inhcount,
    }, expr);
    added.push({ oid, name, expr });
  }
  if (added.length > 0) {
    changeCheckCount(relid, added.length);
    commandCounterIncrement();
  }
  return added;
}

// ---- foreign keys

const MAX_KEY_COLUMNS = 32;

/** Adds a foreign key; the caller checks the rows that are there (ATAddForeignKeyConstraint). */
export function addForeignKey(relid: Oid, spec: ForeignKeySpec, taken: Set<string>): Oid {
  const fk = openRelation(relid);
  const pk = openRelation(rangeVarGetRelid(spec.pktable as never));
  lockTable(pk.oid, pk.name, pk.shared, 6);
  if (pk.kind !== 'r' && pk.kind !== 'p') throw new PgError('wrong_object_type', `referenced relation "${pk.name}" is not a table`);
  if (pk.oid < 16384) throw new PgError('insufficient_privilege', `permission denied: "${pk.name}" is a system catalog`);
  const persistence = (message: string): PgError => new PgError('invalid_table_definition', message);
  if (fk.persistence === 'p' && pk.persistence !== 'p') throw persistence('constraints on permanent tables may reference only permanent tables');
  if (fk.persistence === 'u' && pk.persistence === 't') throw persistence('constraints on unlogged tables may reference only permanent or unlogged tables');
  if (fk.persistence === 't' && pk.persistence !== 't') throw persistence('constraints on temporary tables may reference only temporary tables');
  if (isOtherTemp(pk)) throw persistence('constraints on temporary tables must involve temporary tables of this session');
  if (spec.matchType === 'p') throw new PgError('feature_not_supported', 'MATCH PARTIAL not yet implemented');
  const columns = spec.columns.map((name) => keyColumn(fk, name));
  const { pkColumns, index } = spec.pkColumns.length === 0 ? primaryKeyOf(pk) : uniqueKeyOf(pk, spec.pkColumns.map((name) => keyColumn(pk, name)));
  checkPermissions(pk, pkColumns);
  checkGeneratedActions(columns, spec);
  if (columns.length !== pkColumns.length) {
    throw new PgError('invalid_foreign_key', 'number of referencing and referenced columns for foreign key disagree');
  }
  const deleteSet = [...new Set(spec.deleteSetColumns)].map((name) => {
    const column = keyColumn(fk, name);
    if (!columns.includes(column)) throw new PgError('invalid_column_reference', `column "${name}" referenced in ON DELETE SET action must be part of foreign key`);
    return column.attnum;
  });
  const name = spec.name ?? chooseConstraintName(fk.name, joinColumnNames(spec.columns), 'fkey', fk.namespace, [...taken]);
  if (taken.has(name) || constraintNameIsUsed('relation', relid, name)) throw new PgError('duplicate_object', `constraint "${name}" for relation "${fk.name}" already exists`);
  const operators = columns.map((column, i) => keyOperators(name, index, column, pkColumns[i]!));
  taken.add(name);
  const oid = createConstraintEntry({
    conname: name, connamespace: fk.namespace, contype: 'f', condeferrable: spec.deferrable, condeferred: spec.initDeferred, convalidated: !spec.skipValidation,
    conrelid: relid, conindid: index.indexrelid, confrelid: pk.oid, confupdtype: spec.onUpdate, confdeltype: spec.onDelete, confmatchtype: spec.matchType,
    conkey: columns.map((c) => c.attnum), confkey: pkColumns.map((c) => c.attnum), conpfeqop: operators.map((o) => o.pf), conppeqop: operators.map((o) => o.pp),
    conffeqop: operators.map((o) => o.ff), confdelsetcols: deleteSet.length === 0 ? null : deleteSet, connoinherit: fk.kind !== 'p',
  });
  commandCounterIncrement();
  createForeignKeyTriggers(oid, relid, pk.oid, index.indexrelid, spec);
  commandCounterIncrement();
  return oid;
}

/** The triggers that a foreign key works by: two on the referenced table, two on its own. */
function createForeignKeyTriggers(constraint: Oid, relid: Oid, pkid: Oid, index: Oid, spec: KeyTriggers): void {
  createActionTriggers(constraint, relid, pkid, index, spec);
  createCheckTriggers(constraint, relid, pkid, index, spec);
}

type KeyTriggers = Pick<ForeignKeySpec, 'onUpdate' | 'onDelete' | 'deferrable' | 'initDeferred'>;
const { ROW, INSERT, DELETE, UPDATE } = TRIGGER_TYPE;

/** The function of a trigger, and the trigger it descends from: that of the constraint above. */
function parentOf(constraint: Oid, tgfoid: Oid): { tgfoid: Oid; tgparentid: Oid } {
  const above = constraintByOid(constraint)?.conparentid ?? 0;
  const triggers = above === 0 ? [] : lookupAll(ids.TriggerRelationId, ids.PgTriggerTgconstraintIndexId, above);
  return { tgfoid, tgparentid: triggers.find((t) => t.tgfoid === tgfoid)?.oid ?? 0 };
}

/** Those on the referenced table. */
export function createActionTriggers(constraint: Oid, relid: Oid, pkid: Oid, index: Oid, spec: KeyTriggers): void {
  const common = { tgconstraint: constraint, tgconstrindid: index };
  const deferral = { tgdeferrable: spec.deferrable, tginitdeferred: spec.initDeferred };
  const action = (letter: string): { del: Oid; upd: Oid } => RI_ACTION_FUNCTIONS[letter as keyof typeof RI_ACTION_FUNCTIONS];
  const onReferenced = { ...common, tgrelid: pkid, tgconstrrelid: relid };
  // Only NO ACTION can wait.
  createInternalTrigger('RI_ConstraintTrigger_a', { ...onReferenced, ...parentOf(constraint, action(spec.onDelete).del), tgtype: ROW | DELETE, ...(spec.onDelete === 'a' ? deferral : {}) });
  createInternalTrigger('RI_ConstraintTrigger_a', { ...onReferenced, ...parentOf(constraint, action(spec.onUpdate).upd), tgtype: ROW | UPDATE, ...(spec.onUpdate === 'a' ? deferral : {}) });
  noteTriggers(pkid);
}

/** Those on the referencing table. */
export function createCheckTriggers(constraint: Oid, relid: Oid, pkid: Oid, index: Oid, spec: KeyTriggers): void {
  const onReferencing = { tgconstraint: constraint, tgconstrindid: index, tgrelid: relid, tgconstrrelid: pkid, tgdeferrable: spec.deferrable, tginitdeferred: spec.initDeferred };
  createInternalTrigger('RI_ConstraintTrigger_c', { ...onReferencing, ...parentOf(constraint, F_RI_FKEY_CHECK_INS), tgtype: ROW | INSERT });
  createInternalTrigger('RI_ConstraintTrigger_c', { ...onReferencing, ...parentOf(constraint, F_RI_FKEY_CHECK_UPD), tgtype: ROW | UPDATE });
  noteTriggers(relid);
}

function keyColumn(relation: Relation, name: string): Attribute {
  const column = relation.attributes.find((a) => a.attname === name && !a.attisdropped);
  if (column === undefined) {
    if (['ctid', 'xmin', 'cmin', 'xmax', 'cmax', 'tableoid'].includes(name)) throw new PgError('feature_not_supported', 'system columns cannot be used in foreign keys');
    throw new PgError('undefined_column', `column "${name}" referenced in foreign key constraint does not exist`);
  }
  return column;
}

function primaryKeyOf(pk: Relation): { pkColumns: Attribute[]; index: IndexInfo } {
  const index = pk.indexes.find((i) => i.primary && i.valid);
  if (index === undefined) throw new PgError('undefined_object', `there is no primary key for referenced table "${pk.name}"`);
  if (!index.immediate) throw new PgError('object_not_in_prerequisite_state', `cannot use a deferrable primary key for referenced table "${pk.name}"`);
  return { pkColumns: index.keyAttributes.slice(0, index.keyCount).map((n) => pk.attributes[n - 1]!), index };
}

function uniqueKeyOf(pk: Relation, columns: Attribute[]): { pkColumns: Attribute[]; index: IndexInfo } {
  if (columns.length > MAX_KEY_COLUMNS) throw new PgError('too_many_columns', `cannot have more than ${MAX_KEY_COLUMNS} keys in a foreign key`);
  if (new Set(columns).size !== columns.length) throw new PgError('invalid_foreign_key', 'foreign key referenced-columns list must not contain duplicates');
  let deferrable = false;
  for (const index of pk.indexes) {
    if (!index.unique || !index.valid || index.keyCount !== columns.length || index.expressions.length > 0 || index.predicate !== null) continue;
    const keys = index.keyAttributes.slice(0, index.keyCount);
    if (!columns.every((c) => keys.includes(c.attnum))) continue;
    if (!index.immediate) { deferrable = true; continue; }
    return { pkColumns: columns, index };
  }
  if (deferrable) throw new PgError('object_not_in_prerequisite_state', `cannot use a deferrable unique constraint for referenced table "${pk.name}"`);
  throw new PgError('invalid_foreign_key', `there is no unique constraint matching given keys for referenced table "${pk.name}"`);
}

function checkPermissions(pk: Relation, columns: readonly Attribute[]): void {
  if (aclcheckRelation(pk.oid, session.currentUser, ACL.REFERENCES)) return;
  for (const c of columns) {
    if ((attributeAclmask(pk.oid, c.attnum, session.currentUser, ACL.REFERENCES) & ACL.REFERENCES) === 0) throw notOwnerOrDenied('table', pk.name);
  }
}

function checkGeneratedActions(columns: readonly Attribute[], spec: ForeignKeySpec): void {
  for (const c of columns) {
    if (c.attgenerated === '') continue;
    if ('cnd'.includes(spec.onUpdate)) throw new PgError('syntax_error', 'invalid ON UPDATE action for foreign key constraint containing generated column');
    if ('nd'.includes(spec.onDelete)) throw new PgError('syntax_error', 'invalid ON DELETE action for foreign key constraint containing generated column');
  }
}

/** The = operators between the key columns, from the index's operator family. */
function keyOperators(constraint: string, index: IndexInfo, fk: Attribute, pk: Attribute): { pf: Oid; pp: Oid; ff: Oid } {
  const column = index.columns[index.keyAttributes.indexOf(pk.attnum)]!;
  const family = column.opfamily;
  // A varchar key has the operator class of text.
  const opcintype = opclassByOid(column.opclass)!.opcintype;
  const fktype = getBaseType(fk.atttypid);
  const pp = getOpfamilyMember(family, opcintype, opcintype, 3);
  let pf = getOpfamilyMember(family, opcintype, fktype, 3);
  let ff = pf === 0 ? 0 : getOpfamilyMember(family, fktype, fktype, 3);
  // Through an implicit cast of the foreign key to the index's type.
  if ((pf === 0 || ff === 0) && canCoerceType([pk.atttypid, fk.atttypid], [opcintype, opcintype], 'implicit')) pf = ff = pp;
  if (pf === 0 || ff === 0 || pp === 0) {
    throw new PgError('datatype_mismatch', `foreign key constraint "${constraint}" cannot be implemented`, {
      detail: `Key columns "${fk.attname}" and "${pk.attname}" are of incompatible types: ${formatType(fk.atttypid)} and ${formatType(pk.atttypid)}.`,
    });
  }
  return { pf, pp, ff };
}

// ---- trees

export function collectVars(expr: Expr): Var[] {
  const vars: Var[] = [];
  containsNode(expr, (e) => { if (e.kind === 'Var') vars.push(e); return false; }, true);
  return vars;
}

/** As it will be planned: a function in SQL may turn out to be less than it says (contain_mutable_functions_after_planning). */
export const isMutable = (expr: Expr): boolean => containsVolatile(evalConstExpressions(expr), 's');

/** `least` 's': anything not immutable; 'v': anything volatile. */
export function containsVolatile(expr: Expr, least: 's' | 'v'): boolean {
  const bad = (v: string): boolean => v === 'v' || (least === 's' && v === 's');
  return containsNode(expr, (e) => {
    switch (e.kind) {
      case 'FuncExpr': return bad(funcVolatile(e.funcid));
      case 'OpExpr': case 'DistinctExpr': case 'NullIfExpr': case 'ScalarArrayOpExpr': return bad(opVolatile(e.opno));
      case 'RowCompareExpr': return e.opnos.some((opno) => bad(opVolatile(opno)));
      case 'CoerceViaIO': return bad(funcVolatile(getType(exprType(e.arg)).typoutput)) || bad(funcVolatile(getType(e.resulttype).typinput));
      case 'NextValueExpr': return true;
      case 'SQLValueFunction': return least === 's';
      default: return false;
    }
  }, true);
}
