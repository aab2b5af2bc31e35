// CREATE and ALTER PUBLICATION (PostgreSQL's publicationcmds.c and pg_publication.c). There are no subscribers: wal_level is not
// logical, as PostgreSQL says, too, when a publication is made.
import { PgError } from '../../common/errors.ts';
import { superuserArg } from '../catalog/acl.ts';
import { aclcheckDatabase, mustBeOwner, mustBeSuperuser, notOwnerOrDenied, objectOwnercheck, relkindNoun } from '../catalog/aclchk.ts';
import { getNewOid } from '../catalog/catalog.ts';
import { performDeletion } from '../catalog/dependency.ts';
import { recordDependencyOnSingleRelExpr } from '../catalog/expr_references.ts';
import { catalogInsert, catalogUpdateByKey } from '../catalog/indexing.ts';
import { fetchSearchPath, getNamespaceOid, isAnyTempNamespace, rangeVarGetRelid, splitIdentifierString, type RangeVarName } from '../catalog/namespace.ts';
import * as ids from '../catalog/oids.ts';
import { objectAddress, recordDependencyOn } from '../catalog/pg_depend.ts';
import { recordDependencyOnOwner } from '../catalog/pg_shdepend.ts';
import type { Relation } from '../catalog/relation.ts';
import { openRelation } from '../catalog/relcache.ts';
import type { PgPublication } from '../catalog/rows.ts';
import * as sys from '../catalog/syscache.ts';
import { functionInfo } from '../executor/fmgr_info.ts';
import { functionOf } from '../executor/plan_walker.ts';
import { containsNode, exprLocation, exprType } from '../nodes/nodeFuncs.ts';
import { nodeToString } from '../nodes/outfuncs.ts';
import { ACL } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { transformWhereClause } from '../parser/parse_clause.ts';
import { assignExprCollations } from '../parser/parse_collate.ts';
import { makeParseState, parserError } from '../parser/parse_node.ts';
import { addNamespaceItemToQuery, addRangeTableEntryForRelation } from '../parser/parse_relation.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import type { UtilityContext, UtilityTable } from '../tcop/utility.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';
import type { Oid } from '../types/datum.ts';
import { sendWarning, session } from '../utils/session.ts';
import { errdetailRelkindNotSupported } from '../catalog/pg_class.ts';
import { lockRelation, refuseIndex } from './object_names.ts';
import { allChildren } from './tablecmds.ts';
import { defGetBoolean, defGetString, errorConflictingDefElem } from './def_elem.ts';

const FirstNormalObjectId = 16384, FirstUnpinnedObjectId = 12000, SHARE_UPDATE_EXCLUSIVE_LOCK = 4, ACCESS_SHARE_LOCK = 1;
const ACTIONS = ['insert', 'update', 'delete', 'truncate'] as const;

type Flags = Partial<Pick<PgPublication, 'pubinsert' | 'pubupdate' | 'pubdelete' | 'pubtruncate' | 'pubviaroot'>>;
interface PublishedTable { relation: Relation; where: RawNode | undefined; columns: string[] | undefined }

const warn = (message: string, hint: string): void => {
  sendWarning('object_not_in_prerequisite_state', message, { hint });
};

function readOptions(options: readonly RawNode[], context: UtilityContext): Flags {
  const flags: Flags = {};
  const seen = new Set<string>();
  for (const o of options) {
    const name = o['defname'] as string;
    if (name !== 'publish' && name !== 'publish_via_partition_root') throw new PgError('syntax_error', `unrecognized publication parameter: "${name}"`);
    if (seen.has(name)) throw errorConflictingDefElem(o, context.text);
    seen.add(name);
    if (name === 'publish_via_partition_root') {
      flags.pubviaroot = defGetBoolean(o);
      continue;
    }
    for (const action of ACTIONS) flags[`pub${action}`] = false;
    const list = splitIdentifierString(defGetString(o));
    if (list === undefined) throw new PgError('syntax_error', 'invalid list syntax in parameter "publish"');
    for (const word of list) {
      const action = ACTIONS.find((a) => a === word);
      if (action === undefined) throw new PgError('syntax_error', `unrecognized value for publication option "publish": "${word}"`);
      flags[`pub${action}`] = true;
    }
  }
  return flags;
}

// ---- what is published

function objectsOf(list: readonly RawNode[]): { tables: RawNode[]; schemas: Oid[] } {
  const tables: RawNode[] = [], schemas: Oid[] = [];
  for (const o of list) {
    if (o['pubobjtype'] === 'PUBLICATIONOBJ_TABLE') tables.push(o['pubtable'] as RawNode);
    else {
      let oid: Oid;
      if (o['pubobjtype'] === 'PUBLICATIONOBJ_TABLES_IN_CUR_SCHEMA') {
        const first = fetchSearchPath(false)[0];
        if (first === undefined) throw new PgError('undefined_schema', 'no schema has been selected for CURRENT_SCHEMA');
        oid = first;
      } else oid = getNamespaceOid(o['name'] as string);
      if (!schemas.includes(oid)) schemas.push(oid);
    }
  }
  return { tables, schemas };
}

/** With children, each once (OpenTableList). */
function openTables(list: readonly RawNode[]): PublishedTable[] {
  const tables: PublishedTable[] = [];
  for (const t of list) {
    const rv = t['relation'] as RawNode & RangeVarName;
    const oid = rangeVarGetRelid(rv), { relkind, relname } = sys.classByOid(oid)!;
    refuseIndex(relkind, relname);
    lockRelation(oid, SHARE_UPDATE_EXCLUSIVE_LOCK);
    const relation = openRelation(oid);
    const where = t['whereClause'] as RawNode | undefined, columns = t['columns'] as string[] | undefined;
    const known = tables.find((x) => x.relation.oid === oid);
    if (known !== undefined) {
      if (where !== undefined || known.where !== undefined) throw new PgError('duplicate_object', `conflicting or redundant WHERE clauses for table "${relation.name}"`);
      if (columns !== undefined || known.columns !== undefined) throw new PgError('duplicate_object', `conflicting or redundant column lists for table "${relation.name}"`);
      continue;
    }
    tables.push({ relation, where, columns });
    if (!rv['inh'] || relation.kind === 'p') continue;
    for (const child of allChildren(oid)) if (!tables.some((x) => x.relation.oid === child)) tables.push({ relation: openRelation(child), where, columns });
  }
  return tables;
}

function refuseUnpublishable(relation: Relation): void {
  const refuse = (detail: string): PgError => new PgError('invalid_parameter_value', `cannot add relation "${relation.name}" to publication`, { detail });
  if (relation.kind !== 'r' && relation.kind !== 'p') throw refuse(errdetailRelkindNotSupported(relation.kind));
  if (relation.oid < FirstUnpinnedObjectId) throw refuse('This operation is not supported for system tables.');
  if (relation.persistence === 't') throw refuse('This operation is not supported for temporary tables.');
  if (relation.persistence === 'u') throw refuse('This operation is not supported for unlogged tables.');
}

function columnNumbers(relation: Relation, names: readonly string[] | undefined): number[] | null {
  if (names === undefined) return null;
  const numbers: number[] = [];
  for (const name of names) {
    const attribute = sys.attributeByName(relation.oid, name);
    if (attribute === undefined) throw new PgError('undefined_column', `column "${name}" of relation "${relation.name}" does not exist`);
    if (attribute.attnum < 0) throw new PgError('invalid_column_reference', `cannot use system column "${name}" in publication column list`);
    if (attribute.attgenerated !== '') throw new PgError('invalid_column_reference', `cannot use generated column "${name}" in publication column list`);
    if (numbers.includes(attribute.attnum)) throw new PgError('duplicate_object', `duplicate column "${name}" in publication column list`);
    numbers.push(attribute.attnum);
  }
  return numbers.sort((a, b) => a - b);
}

function cookWhere(relation: Relation, clause: RawNode | undefined, viaRoot: boolean, context: UtilityContext): Expr | null {
  if (clause === undefined) return null;
  if (relation.kind === 'p' && !viaRoot) {
    throw new PgError('invalid_parameter_value', `cannot use publication WHERE clause for relation "${relation.name}"`, { detail: 'WHERE clause cannot be used for a partitioned table when publish_via_partition_root is false.' });
  }
  const state = makeParseState(context.text);
  addNamespaceItemToQuery(state, addRangeTableEntryForRelation(state, relation, ACCESS_SHARE_LOCK, null, false, false), false, true, true);
  const expr = transformWhereClause(state, clause, 'where', 'PUBLICATION WHERE')!;
  assignExprCollations(state, expr);
  checkSimple(expr, state);
  return expr;
}

/** Only what any subscriber would compute alike (check_simple_rowfilter_expr). */
function checkSimple(expr: Expr, state: ReturnType<typeof makeParseState>): void {
  const refuse = (detail: string, node: Expr): PgError => {
    const error = parserError(state, 'feature_not_supported', 'invalid publication WHERE expression', exprLocation(node));
    error.fields = { ...error.fields, detail };
    return error;
  };
  const GENERAL = 'Only columns, constants, built-in operators, built-in data types, built-in collations, and immutable built-in functions are allowed.';
  const PLAIN = new Set<Expr['kind']>(['Var', 'Const', 'FuncExpr', 'OpExpr', 'DistinctExpr', 'NullIfExpr', 'ScalarArrayOpExpr', 'BoolExpr', 'RelabelType', 'CollateExpr', 'CaseExpr', 'CaseTestExpr',
    'ArrayExpr', 'RowExpr', 'CoalesceExpr', 'MinMaxExpr', 'NullTest', 'BooleanTest']);
  containsNode(expr, (n) => {
    if (n.kind === 'Var' && n.varattno < 0) throw refuse('System columns are not allowed.', n);
    if ((n.kind === 'OpExpr' || n.kind === 'DistinctExpr' || n.kind === 'NullIfExpr' || n.kind === 'ScalarArrayOpExpr') && n.opno >= FirstNormalObjectId) throw refuse('User-defined operators are not allowed.', n);
    if (!PLAIN.has(n.kind)) throw refuse(GENERAL, n);
    if (exprType(n) >= FirstNormalObjectId) throw refuse('User-defined types are not allowed.', n);
    const fn = functionOf(n);
    if (fn >= FirstNormalObjectId || (fn !== 0 && functionInfo(fn).volatility !== 'i')) throw refuse('User-defined or built-in mutable functions are not allowed.', n);
    return false;
  });
}

function addTables(publication: PgPublication, tables: readonly PublishedTable[], schemas: readonly Oid[], ifNotExists: boolean, context: UtilityContext): void {
  for (const { relation, where, columns } of tables) {
    if (!objectOwnercheck(ids.RelationRelationId, relation.oid, session.currentUser)) throw mustBeOwner(relkindNoun(relation.kind), relation.name);
    if (sys.lookup(ids.PublicationRelRelationId, ids.PgPublicationRelPrrelidPrpubidIndexId, relation.oid, publication.oid) !== undefined) {
      if (ifNotExists) continue;
      throw new PgError('duplicate_object', `relation "${relation.name}" is already member of publication "${publication.pubname}"`);
    }
    refuseUnpublishable(relation);
    const qual = cookWhere(relation, where, publication.pubviaroot, context);
    checkColumnList(publication, relation, columns, schemas.length > 0);
    const attnums = columnNumbers(relation, columns);
    const oid = getNewOid(ids.PublicationRelRelationId);
    catalogInsert(ids.PublicationRelRelationId, { oid, prpubid: publication.oid, prrelid: relation.oid, prqual: qual === null ? null : nodeToString(qual), prattrs: attnums });
    const self = objectAddress(ids.PublicationRelRelationId, oid);
    recordDependencyOn(self, objectAddress(ids.PublicationRelationId, publication.oid), 'a');
    recordDependencyOn(self, objectAddress(ids.RelationRelationId, relation.oid), 'a');
    if (qual !== null) recordDependencyOnSingleRelExpr(self, qual, relation.oid, 'n', 'n');
    for (const n of attnums ?? []) recordDependencyOn(self, objectAddress(ids.RelationRelationId, relation.oid, n), 'n');
    commandCounterIncrement();
  }
}

const schemasIn = (publication: Oid) => sys.lookupAll(ids.PublicationNamespaceRelationId, ids.PgPublicationNamespacePnnspidPnpubidIndexId).filter((n) => n.pnpubid === publication);

function checkColumnList(publication: PgPublication, relation: Relation, columns: readonly string[] | undefined, withSchemas: boolean): void {
  if (columns === undefined) return;
  const name = `${sys.namespaceByOid(relation.namespace)!.nspname}.${relation.name}`;
  if (withSchemas || schemasIn(publication.oid).length > 0) {
    throw new PgError('invalid_parameter_value', `cannot use column list for relation "${name}" in publication "${publication.pubname}"`, { detail: 'Column lists cannot be specified in publications containing FOR TABLES IN SCHEMA elements.' });
  }
  if (relation.kind === 'p' && !publication.pubviaroot) {
    throw new PgError('invalid_parameter_value', `cannot use column list for relation "${name}" in publication "${publication.pubname}"`, { detail: 'Column lists cannot be specified for partitioned tables when publish_via_partition_root is false.' });
  }
}

function addSchemas(publication: PgPublication, schemas: readonly Oid[], ifNotExists: boolean): void {
  for (const schema of schemas) {
    const name = sys.namespaceByOid(schema)!.nspname;
    if (sys.lookup(ids.PublicationNamespaceRelationId, ids.PgPublicationNamespacePnnspidPnpubidIndexId, schema, publication.oid) !== undefined) {
      if (ifNotExists) continue;
      throw new PgError('duplicate_object', `schema "${name}" is already member of publication "${publication.pubname}"`);
    }
    const refuse = (detail: string): PgError => new PgError('invalid_parameter_value', `cannot add schema "${name}" to publication`, { detail });
    if (schema === ids.PG_CATALOG_NAMESPACE || name === 'pg_toast') throw refuse('This operation is not supported for system schemas.');
    if (isAnyTempNamespace(schema)) throw refuse('Temporary schemas cannot be replicated.');
    const oid = getNewOid(ids.PublicationNamespaceRelationId);
    catalogInsert(ids.PublicationNamespaceRelationId, { oid, pnpubid: publication.oid, pnnspid: schema });
    const self = objectAddress(ids.PublicationNamespaceRelationId, oid);
    recordDependencyOn(self, objectAddress(ids.PublicationRelationId, publication.oid), 'a');
    recordDependencyOn(self, objectAddress(ids.NamespaceRelationId, schema), 'a');
    commandCounterIncrement();
  }
}

// ---- commands

function createPublication(stmt: RawNode, context: UtilityContext): void {
  const name = stmt['pubname'] as string;
  if (!aclcheckDatabase(session.databaseOid, session.currentUser, ACL.CREATE)) throw notOwnerOrDenied('database', session.databaseName);
  const all = Boolean(stmt['for_all_tables']);
  if (all) mustBeSuperuser('create FOR ALL TABLES publication');
  if (sys.lookup(ids.PublicationRelationId, ids.PgPublicationPubnameIndexId, name) !== undefined) throw new PgError('duplicate_object', `publication "${name}" already exists`);
  const flags = readOptions((stmt['options'] ?? []) as RawNode[], context);
  const oid = getNewOid(ids.PublicationRelationId);
  const row: PgPublication = {
    oid, pubname: name, pubowner: session.currentUser, puballtables: all, pubinsert: true, pubupdate: true, pubdelete: true, pubtruncate: true, pubviaroot: false, ...flags,
  };
  catalogInsert(ids.PublicationRelationId, row);
  recordDependencyOnOwner(ids.PublicationRelationId, oid, session.currentUser);
  commandCounterIncrement();
  const { tables, schemas } = objectsOf((stmt['pubobjects'] ?? []) as RawNode[]);
  if (schemas.length > 0) mustBeSuperuser('create FOR TABLES IN SCHEMA publication');
  // Column lists go with no schema, wherever it stands.
  addSchemas(row, schemas, true);
  addTables(row, openTables(tables), schemas, true, context);
  warn('wal_level is insufficient to publish logical changes', 'Set wal_level to "logical" before creating subscriptions.');
}

/** Partitioned tables have a WHERE clause or a column list only where they are published as such. */
function refuseWithoutRoot(publication: PgPublication): void {
  for (const entry of entriesOf(publication.oid)) {
    if (entry.prqual === null && entry.prattrs === null) continue;
    const table = sys.classByOid(entry.prrelid)!;
    if (table.relkind !== 'p') continue;
    throw new PgError('invalid_parameter_value', `cannot set parameter "publish_via_partition_root" to false for publication "${publication.pubname}"`, {
      detail: `The publication contains a ${entry.prqual !== null ? 'WHERE clause' : 'column list'} for partitioned table "${table.relname}", which is not allowed when "publish_via_partition_root" is false.`,
    });
  }
}

function alterPublication(stmt: RawNode, context: UtilityContext): void {
  const name = stmt['pubname'] as string;
  const publication = sys.lookup(ids.PublicationRelationId, ids.PgPublicationPubnameIndexId, name);
  if (publication === undefined) throw new PgError('undefined_object', `publication "${name}" does not exist`);
  if (!objectOwnercheck(ids.PublicationRelationId, publication.oid, session.currentUser)) throw mustBeOwner('publication', name);
  if (stmt['options'] !== undefined) {
    const flags = readOptions(stmt['options'] as RawNode[], context);
    if (flags.pubviaroot === false && !publication.puballtables) refuseWithoutRoot(publication);
    catalogUpdateByKey(ids.PublicationRelationId, ids.PgPublicationOidIndexId, [publication.oid], flags);
    return commandCounterIncrement();
  }
  const action = stmt['action'] as 'AP_AddObjects' | 'AP_DropObjects' | 'AP_SetObjects';
  const { tables, schemas } = objectsOf((stmt['pubobjects'] ?? []) as RawNode[]);
  if (action !== 'AP_DropObjects' && schemas.length > 0) mustBeSuperuser('add or set schemas');
  if (publication.puballtables) {
    const refuse = (what: string): PgError => new PgError('object_not_in_prerequisite_state', `publication "${name}" is defined as FOR ALL TABLES`, { detail: `${what} cannot be added to or dropped from FOR ALL TABLES publications.` });
    if (schemas.length > 0) throw refuse('Schemas');
    if (tables.length > 0) throw refuse('Tables');
  }
  if (schemas.length > 0 && action === 'AP_AddObjects' && entriesOf(publication.oid).some((r) => r.prattrs !== null)) {
    throw new PgError('invalid_parameter_value', `cannot add schema to publication "${name}"`, { detail: 'Schemas cannot be added if any tables that specify a column list are already part of the publication.' });
  }
  switch (action) {
    case 'AP_AddObjects':
      addTables(publication, openTables(tables), schemas, false, context);
      addSchemas(publication, schemas, false);
      break;
    case 'AP_DropObjects': dropObjects(publication, tables, schemas); break;
    case 'AP_SetObjects': {
      const wanted = openTables(tables);
      for (const entry of entriesOf(publication.oid)) performDeletion(objectAddress(ids.PublicationRelRelationId, entry.oid), 'restrict');
      for (const entry of schemasIn(publication.oid)) if (!schemas.includes(entry.pnnspid)) performDeletion(objectAddress(ids.PublicationNamespaceRelationId, entry.oid), 'restrict');
      commandCounterIncrement();
      addSchemas(publication, schemas, true);
      addTables(publication, wanted, schemas, true, context);
    }
  }
}

const entriesOf = (publication: Oid) => sys.lookupAll(ids.PublicationRelRelationId, ids.PgPublicationRelPrpubidIndexId, publication);

function dropObjects(publication: PgPublication, tables: readonly RawNode[], schemas: readonly Oid[]): void {
  for (const { relation, where, columns } of openTables(tables)) {
    if (columns !== undefined) throw new PgError('syntax_error', 'column list must not be specified in ALTER PUBLICATION ... DROP');
    const entry = sys.lookup(ids.PublicationRelRelationId, ids.PgPublicationRelPrrelidPrpubidIndexId, relation.oid, publication.oid);
    if (entry === undefined) throw new PgError('undefined_object', `relation "${relation.name}" is not part of the publication`);
    if (where !== undefined) throw new PgError('syntax_error', 'cannot use a WHERE clause when removing a table from a publication');
    performDeletion(objectAddress(ids.PublicationRelRelationId, entry.oid), 'cascade');
  }
  for (const schema of schemas) {
    const entry = sys.lookup(ids.PublicationNamespaceRelationId, ids.PgPublicationNamespacePnnspidPnpubidIndexId, schema, publication.oid);
    if (entry === undefined) throw new PgError('undefined_object', `tables from schema "${sys.namespaceByOid(schema)!.nspname}" are not part of the publication`);
    performDeletion(objectAddress(ids.PublicationNamespaceRelationId, entry.oid), 'cascade');
  }
}

/** ALTER PUBLICATION ... OWNER TO. */
export function checkPublicationOwner(oid: Oid, owner: Oid): void {
  const row = sys.lookup(ids.PublicationRelationId, ids.PgPublicationOidIndexId, oid)!;
  if (superuserArg(owner)) return;
  if (!aclcheckDatabase(session.databaseOid, owner, ACL.CREATE)) throw notOwnerOrDenied('database', session.databaseName);
  const refuse = (what: string): PgError => new PgError('insufficient_privilege', `permission denied to change owner of publication "${row.pubname}"`, { hint: `The owner of a ${what} publication must be a superuser.` });
  if (row.puballtables) throw refuse('FOR ALL TABLES');
  if (schemasIn(oid).length > 0) throw refuse('FOR TABLES IN SCHEMA');
}

export const PUBLICATION_COMMANDS: UtilityTable = {
  CreatePublicationStmt: { run: createPublication },
  AlterPublicationStmt: { run: alterPublication },
};
