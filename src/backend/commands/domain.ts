// CREATE DOMAIN and ALTER DOMAIN (the domain half of PostgreSQL's typecmds.c).
import { PgError, internalError } from '../../common/errors.ts';
import { lockTable } from '../access/table.ts';
import { requireTypeUsage } from '../catalog/type_usage.ts';
import { getNewOid } from '../catalog/catalog.ts';
import { performDeletion } from '../catalog/dependency.ts';
import { formatType } from '../catalog/format_type.ts';
import { catalogFind, catalogUpdate, catalogUpdateByKey } from '../catalog/indexing.ts';
import { getNamespaceName, getTypCollation, getType } from '../catalog/lsyscache.ts';
import * as ids from '../catalog/oids.ts';
import { chooseConstraintName, constraintNameIsUsed, createConstraintEntry } from '../catalog/pg_constraint.ts';
import { dependentsOf, objectAddress } from '../catalog/pg_depend.ts';
import { generateTypeDependencies, typeCreate } from '../catalog/pg_type.ts';
import type { Attribute, Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { PgType } from '../catalog/rows.ts';
import * as sys from '../catalog/syscache.ts';
import { compileExpr } from '../executor/expression.ts';
import { forEachRow } from '../executor/index_keys.ts';
import { expressionTreeMutator } from '../nodes/nodeFuncs.ts';
import { makeVar } from '../nodes/makefuncs.ts';
import { nodeToString } from '../nodes/outfuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import { coerceToBoolean } from '../parser/parse_coerce.ts';
import { assignExprCollations } from '../parser/parse_collate.ts';
import { transformExpr } from '../parser/parse_expr.ts';
import { makeParseState } from '../parser/parse_node.ts';
import { getColumnDefCollation, typenameType, typeNameToString } from '../parser/parse_type.ts';
import { ddlNotice } from '../parser/parse_utilcmd.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { deparseExpression } from '../rewrite/ruleutils/functions.ts';
import type { UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { cookDefault } from './constraints.ts';
import { checkTypeUnused } from './composite_use.ts';
import { behaviorOf } from './alter_common.ts';
import { requireDomain, requireObjectOwnership, typeOidOf } from './object_names.ts';
import { createArrayType, newTypeName } from './typecmds.ts';

const F_DOMAIN_IN = 2597, F_DOMAIN_RECV = 2598;

interface DomainConstraints { rawDefault: RawNode | null; sawDefault: boolean; notNull: boolean; checks: RawNode[] }

/** `adds`: for ALTER DOMAIN, which says nothing of NO INHERIT. */
function readConstraints(list: readonly RawNode[], adds = false): DomainConstraints {
  const result: DomainConstraints = { rawDefault: null, sawDefault: false, notNull: false, checks: [] };
  let nullable: boolean | null = null;
  const syntax = (message: string): PgError => new PgError('syntax_error', message);
  for (const c of list) {
    switch (c['contype']) {
      case 'CONSTR_DEFAULT':
        if (result.sawDefault) throw syntax('multiple default expressions');
        result.sawDefault = true;
        result.rawDefault = (c['raw_expr'] as RawNode | undefined) ?? null;
        break;
      case 'CONSTR_NOTNULL':
        if (nullable === true) throw syntax('conflicting NULL/NOT NULL constraints');
        result.notNull = true;
        nullable = false;
        break;
      case 'CONSTR_NULL':
        if (nullable === false) throw syntax('conflicting NULL/NOT NULL constraints');
        nullable = true;
        break;
      case 'CONSTR_CHECK':
        if (c['is_no_inherit'] && !adds) throw new PgError('invalid_object_definition', 'check constraints for domains cannot be marked NO INHERIT');
        result.checks.push(c);
        break;
      case 'CONSTR_UNIQUE': throw syntax('unique constraints not possible for domains');
      case 'CONSTR_PRIMARY': throw syntax('primary key constraints not possible for domains');
      case 'CONSTR_EXCLUSION': throw syntax('exclusion constraints not possible for domains');
      case 'CONSTR_FOREIGN': throw syntax('foreign key constraints not possible for domains');
      case 'CONSTR_IDENTITY': throw internalError('unrecognized constraint subtype: 3');
      case 'CONSTR_GENERATED': throw internalError('unrecognized constraint subtype: 4');
      default: throw new PgError('feature_not_supported', 'specifying constraint deferrability not supported for domains');
    }
  }
  return result;
}

// ---- CREATE DOMAIN

function createDomain(stmt: RawNode): void {
  const { name, namespace } = newTypeName(stmt['domainname'] as string[]);
  const state = makeParseState('');
  const typeName = stmt['typeName'] as RawNode;
  const { type: base, typmod } = typenameType(state, typeName);
  if (!'bdecrm'.includes(base.typtype)) throw new PgError('datatype_mismatch', `"${typeNameToString(typeName)}" is not a valid base type for a domain`);
  requireTypeUsage(base.oid);
  const collation = getColumnDefCollation(state, stmt, base.oid);
  const constraints = readConstraints((stmt['constraints'] ?? []) as RawNode[]);
  // A domain over a domain has its default unless it says otherwise.
  let defaultBin = base.typdefaultbin;
  let defaultText = base.typdefault;
  if (constraints.sawDefault) ({ defaultBin, defaultText } = domainDefault(constraints.rawDefault, name, base.oid, typmod));
  const array = getNewOid(ids.TypeRelationId);
  const oid = typeCreate({
    name, namespace, owner: session.currentUser, len: base.typlen, byval: base.typbyval, type: 'd', category: base.typcategory, input: F_DOMAIN_IN, output: base.typoutput,
    receive: F_DOMAIN_RECV, send: base.typsend, analyze: base.typanalyze, base: base.oid, defaultBin, defaultText, align: base.typalign, storage: base.typstorage, typmod,
    ndims: (typeName['arrayBounds'] as unknown[] | undefined)?.length ?? 0, notNull: constraints.notNull, collation, delim: base.typdelim, array,
  });
  createArrayType(array, oid, name, namespace, base.typalign, collation);
  commandCounterIncrement();
  for (const check of constraints.checks) {
    addDomainConstraint(getType(oid), check);
    commandCounterIncrement();
  }
}

function domainDefault(raw: RawNode | null, name: string, base: Oid, typmod: number): { defaultBin: string | null; defaultText: string | null } {
  const none = { defaultBin: null, defaultText: null };
  if (raw === null) return none;
  const expr = cookDefault(raw, { name, typeOid: base, typmod, generated: '' }, null, '');
  if (expr.kind === 'Const' && expr.constvalue === null) return none;
  return { defaultBin: nodeToString(expr), defaultText: deparseExpression(expr, 0, false) };
}

/** Analyzes a CHECK over VALUE and stores it; the expression (domainAddConstraint). */
function addDomainConstraint(domain: PgType, raw: RawNode): { name: string; expr: Expr } {
  const given = raw['conname'] as string | undefined;
  if (given !== undefined && constraintNameIsUsed('domain', domain.oid, given)) {
    throw new PgError('duplicate_object', `constraint "${given}" for domain "${domain.typname}" already exists`);
  }
  const name = given ?? chooseConstraintName(domain.typname, null, 'check', domain.typnamespace);
  const state = makeParseState(''); // without places in errors, as PostgreSQL's
  state.preColumnRefHook = (_s, ref) => {
    const fields = ref['fields'] as unknown[];
    if (fields.length !== 1 || fields[0] !== 'value') return null;
    return { kind: 'CoerceToDomainValue', typeId: domain.typbasetype, typeMod: domain.typtypmod, collation: getTypCollation(domain.typbasetype), location: ref.location ?? -1 };
  };
  const expr = coerceToBoolean(state, transformExpr(state, raw['raw_expr'] as RawNode, 'domain_check'), 'CHECK');
  assignExprCollations(state, expr);
  if (state.rtable.length > 0) throw new PgError('invalid_column_reference', 'cannot use table references in domain check constraint');
  createConstraintEntry({ conname: name, connamespace: domain.typnamespace, contype: 'c', contypid: domain.oid, convalidated: !raw['skip_validation'] }, expr);
  return { name, expr };
}

// ---- ALTER DOMAIN

function alterDomain(stmt: RawNode): void {
  const oid = typeOidOf(stmt['typeName'] as string[]);
  const domain = getType(oid);
  requireDomain(oid);
  requireObjectOwnership(objectAddress(ids.TypeRelationId, oid));
  const name = stmt['name'] as string;
  switch (stmt['subtype']) {
    case 'T': return changeDefault(domain, stmt['def'] as RawNode | undefined);
    case 'N': return changeNotNull(domain, false);
    case 'O': return changeNotNull(domain, true);
    case 'C': return addConstraint(domain, stmt['def'] as RawNode);
    case 'X': return dropConstraint(domain, name, stmt);
    case 'V': return validateConstraint(domain, name);
    default: throw new PgError('internal_error', `unrecognized alter domain type: ${String(stmt['subtype'])}`);
  }
}

function changeDefault(domain: PgType, raw: RawNode | undefined): void {
  const { defaultBin, defaultText } = domainDefault(raw ?? null, domain.typname, domain.typbasetype, domain.typtypmod);
  const [tuple] = catalogFind(ids.TypeRelationId, ids.PgTypeOidIndexId, [domain.oid]);
  // DEFAULT NULL is not the same as no default where the base type is a domain with one; PostgreSQL forgets it, too.
  const row = catalogUpdate(ids.TypeRelationId, tuple!, { typdefaultbin: defaultBin, typdefault: defaultText });
  commandCounterIncrement();
  generateTypeDependencies(row, '', false, true);
}

function changeNotNull(domain: PgType, notNull: boolean): void {
  if (domain.typnotnull === notNull) return;
  if (notNull) {
    forEachDomainColumn(domain.oid, (table, column) => {
      forEachRow(table, (row) => {
        if (row[column.attnum - 1] !== null && row[column.attnum - 1] !== undefined) return;
        throw new PgError('not_null_violation', `column "${column.attname}" of table "${table.name}" contains null values`, { schema: getNamespaceName(table.namespace), table: table.name, column: column.attname });
      });
    });
  }
  catalogUpdateByKey(ids.TypeRelationId, ids.PgTypeOidIndexId, [domain.oid], { typnotnull: notNull });
}

function addConstraint(domain: PgType, raw: RawNode): void {
  const { checks } = readConstraints([raw], true);
  if (checks.length === 0) throw new PgError('syntax_error', 'unrecognized constraint subtype');
  const { expr } = addDomainConstraint(domain, raw);
  if (!raw['skip_validation']) checkStoredValues(domain.oid, expr);
}

function dropConstraint(domain: PgType, name: string, stmt: RawNode): void {
  const found = sys.constraintsOfDomain(domain.oid).find((c) => c.conname === name);
  if (found !== undefined) return performDeletion(objectAddress(ids.ConstraintRelationId, found.oid), behaviorOf(stmt));
  const message = `constraint "${name}" of domain "${domain.typname}" does not exist`;
  if (!stmt['missing_ok']) throw new PgError('undefined_object', message);
  ddlNotice(`${message}, skipping`);
}

function validateConstraint(domain: PgType, name: string): void {
  const found = sys.constraintsOfDomain(domain.oid).find((c) => c.conname === name);
  if (found === undefined) throw new PgError('undefined_object', `constraint "${name}" of domain "${domain.typname}" does not exist`);
  if (found.contype !== 'c') throw new PgError('wrong_object_type', `constraint "${name}" of domain "${domain.typname}" is not a check constraint`);
  checkStoredValues(domain.oid, stringToNode<Expr>(found.conbin!));
  catalogUpdateByKey(ids.ConstraintRelationId, ids.PgConstraintOidIndexId, [found.oid], { convalidated: true });
}

/** Every value of the domain in any table must pass the check (validateDomainConstraint). */
function checkStoredValues(domain: Oid, expr: Expr): void {
  const replace = (e: Expr): Expr => (e.kind === 'CoerceToDomainValue' ? makeVar(1, 1, e.typeId, e.typeMod, e.collation, 0) : expressionTreeMutator(e, replace));
  const check = compileExpr(replace(expr));
  forEachDomainColumn(domain, (table, column) => {
    forEachRow(table, (row) => {
      if (check(null, [row[column.attnum - 1] ?? null]) !== false) return;
      throw new PgError('check_violation', `column "${column.attname}" of table "${table.name}" contains values that violate the new constraint`, {
        schema: getNamespaceName(table.namespace), table: table.name, column: column.attname,
      });
    });
  });
}

/** Columns of tables that have this domain, or a domain over it. */
function forEachDomainColumn(domain: Oid, visit: (table: Relation, column: Attribute) => void): void {
  for (const { oid, column } of domainColumns(domain)) visit(openRelation(oid), column);
}

/** All of them before any is looked into: containers of the domain cannot be checked (get_rels_with_domain). */
function domainColumns(domain: Oid): { oid: Oid; column: Attribute }[] {
  const found: { oid: Oid; column: Attribute }[] = [];
  const noun = `type "${formatType(domain)}"`;
  for (const d of dependentsOf(objectAddress(ids.TypeRelationId, domain))) {
    if (d.classid === ids.TypeRelationId) {
      const type = sys.typeByOid(d.objid);
      if (type?.typtype === 'd') found.push(...domainColumns(d.objid));
      else checkTypeUnused(d.objid, noun, 'it');
      continue;
    }
    if (d.classid !== ids.RelationRelationId || d.objsubid <= 0) continue;
    const relation = openRelation(d.objid);
    if (relation.rowType !== 0) checkTypeUnused(relation.rowType, noun, 'it');
    if (relation.kind !== 'r' && relation.kind !== 'm') continue;
    lockTable(relation.oid, relation.name, relation.shared, 5);
    const column = relation.attributes[d.objsubid - 1]!;
    if (!column.attisdropped && column.atttypid === domain) found.push({ oid: relation.oid, column });
  }
  return found;
}

export const DOMAIN_COMMANDS: UtilityTable = {
  CreateDomainStmt: { run: createDomain },
  AlterDomainStmt: { run: alterDomain },
};
