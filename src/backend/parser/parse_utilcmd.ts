// CREATE TABLE and ALTER TABLE ADD, taken apart into what heap, constraints, indexes and sequences are made from
// (PostgreSQL's parse_utilcmd.c). Nothing is created here; commands/tablecmds.ts acts on what comes out.
import { PgError } from '../../common/errors.ts';
import { INT2OID, INT4OID, INT8OID } from '../catalog/oids.ts';
import { getNamespaceName } from '../catalog/lsyscache.ts';

import { equal } from '../nodes/equalfuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import type { Oid } from '../types/datum.ts';
import { session } from '../utils/session.ts';
import { requireTypeUsage } from '../catalog/type_usage.ts';
import { getColumnDefCollation, typenameTypeIdAndMod } from './parse_type.ts';
import { makeParseState, parserError, type ParseState } from './parse_node.ts';
import type { RawNode } from './raw_nodes.ts';

export interface SequenceSpec {
  /** Chosen by tablecmds when null. */
  name: string | null; namespace: string | null;
  column: string; typeOid: Oid; forIdentity: boolean; options: RawNode[];
}

export interface ColumnSpec {
  name: string; typeOid: Oid; typmod: number; collation: Oid; ndims: number; notNull: boolean;
  /** DEFAULT or GENERATED ... STORED expression as written, or analyzed already (LIKE, inheritance). */
  rawDefault: RawNode | null; cookedDefault: Expr | null;
  identity: '' | 'a' | 'd'; generated: '' | 's';
  inhcount: number; islocal: boolean;
  storage: string | null; compression: string | null;
  sequence: SequenceSpec | null;
  location: number;
}

export interface CheckSpec {
  name: string | null; raw: RawNode | null; expr: Expr | null; noInherit: boolean; skipValidation: boolean; location: number;
  inhcount: number; islocal: boolean;
}

export interface IndexElemSpec {
  name: string | null; expr: RawNode | null; opclass: string[] | null; collation: string[] | null;
  ordering: string; nullsOrdering: string;
  /** Of the operator class: name = value. */
  opclassOptions?: RawNode[];
}

export interface IndexSpec {
  name: string | null; primary: boolean; unique: boolean; nullsNotDistinct: boolean; isConstraint: boolean;
  accessMethod: string; keys: IndexElemSpec[]; including: string[]; where: RawNode | null;
  deferrable: boolean; initDeferred: boolean; options: RawNode[]; tablespace: string | null;
  /** The operators of an exclusion constraint, key by key. */
  exclusion: string[][] | null;
  /** ADD CONSTRAINT ... USING INDEX. */
  existingIndex: string | null;
  /** LIKE ... INCLUDING COMMENTS. `commentOnIndex`: it is not the constraint's. */
  comment: string | null;
  commentOnIndex?: true;
  location: number;
}

export interface ForeignKeySpec {
  name: string | null; columns: string[]; pktable: RawNode; pkColumns: string[]; matchType: 's' | 'f' | 'p';
  onUpdate: string; onDelete: string; deleteSetColumns: string[]; deferrable: boolean; initDeferred: boolean; skipValidation: boolean;
  location: number;
}

export interface TransformedTable {
  columns: ColumnSpec[];
  checks: CheckSpec[];
  indexes: IndexSpec[];
  foreignKeys: ForeignKeySpec[];
  /** What LIKE has to do when the table is there: comments, statistics. */
  after: ((table: Oid) => void)[];
  /** LIKE clauses, in order, with the number of columns that stand before each. */
  likes: { clause: RawNode; before: number }[];
}

const SERIALS: Record<string, Oid> = {
  smallserial: INT2OID, serial2: INT2OID, serial: INT4OID, serial4: INT4OID, bigserial: INT8OID, serial8: INT8OID,
};

export interface TransformContext {
  state: ParseState;
  relationName: string;
  isAlter: boolean;
  isForeign: boolean;
  table: TransformedTable;
  hasPrimaryKey: boolean;
  /** CREATE TABLE PARTITION OF: columns are those of the parent, only named here. */
  isPartition: boolean;
  isPartitioned: boolean;
  /** CREATE TABLE OF. */
  isTyped: boolean;
}

export function makeTransformContext(relationName: string, text: string, isAlter: boolean): TransformContext {
  return {
    state: makeParseState(text), relationName, isAlter, isForeign: false, hasPrimaryKey: false, isPartition: false, isPartitioned: false, isTyped: false,
    table: { columns: [], checks: [], indexes: [], foreignKeys: [], after: [], likes: [] },
  };
}

/** Takes the elements of CREATE TABLE apart. */
export function transformCreateStmt(stmt: RawNode, text: string): TransformedTable {
  const context = makeTransformContext(stmt['relation'].relname as string, text, false);
  context.isPartition = stmt['partbound'] !== undefined;
  context.isPartitioned = stmt['partspec'] !== undefined;
  context.isTyped = stmt['ofTypename'] !== undefined;
  for (const element of (stmt['tableElts'] ?? []) as RawNode[]) {
    switch (element.tag) {
      case 'ColumnDef': transformColumnDefinition(context, element); break;
      case 'Constraint': transformTableConstraint(context, element); break;
      case 'TableLikeClause': context.table.likes.push({ clause: element, before: context.table.columns.length }); break;
      default: throw new PgError('internal_error', `unrecognized node type: ${element.tag}`);
    }
  }
  // The sequences of identity columns are made before the table.
  if (context.table.columns.some((c) => c.identity !== '' && ![INT2OID, INT4OID, INT8OID].includes(c.typeOid))) {
    throw new PgError('invalid_parameter_value', 'identity column type must be smallint, integer, or bigint');
  }
  return context.table;
}

// ---- columns

export function transformColumnDefinition(context: TransformContext, def: RawNode): ColumnSpec {
  const { state } = context;
  const name = def['colname'] as string;
  if (def['typeName'] === undefined) return columnOfParent(context, def);
  const typeName = def['typeName'] as RawNode;
  const names = (typeName['names'] ?? []) as string[];
  const serial = names.length === 1 && !typeName['pct_type'] ? SERIALS[names[0]!] : undefined;
  if (serial !== undefined && typeName['arrayBounds'] !== undefined) {
    throw parserError(state, 'feature_not_supported', 'array of serial is not implemented', typeName.location);
  }
  let typeOid: Oid;
  let typmod: number;
  if (serial !== undefined) [typeOid, typmod] = [serial, -1];
  else {
    ({ type: typeOid, typmod } = typenameTypeIdAndMod(state, typeName));
    requireTypeUsage(typeOid);
  }
  const column: ColumnSpec = {
    name, typeOid, typmod, collation: getColumnDefCollation(state, def, typeOid),
    ndims: (typeName['arrayBounds'] as unknown[] | undefined)?.length ?? 0, notNull: Boolean(def['is_not_null']),
    rawDefault: (def['raw_default'] as RawNode | undefined) ?? null, cookedDefault: null, identity: '', generated: '', inhcount: 0, islocal: true,
    storage: (def['storage_name'] as string | undefined) ?? null, compression: (def['compression'] as string | undefined) ?? null, sequence: null,
    location: def.location ?? -1,
  };
  context.table.columns.push(column);
  if (serial !== undefined) {
    column.notNull = true;
    column.sequence = { name: null, namespace: null, column: name, typeOid, forIdentity: false, options: [] };
  }
  transformColumnConstraints(context, column, groupConstraints(state, (def['constraints'] ?? []) as RawNode[]), serial !== undefined);
  return column;
}

/** `name WITH OPTIONS ...`: a column that the parent has, with constraints or a default of its own. */
function columnOfParent(context: TransformContext, def: RawNode): ColumnSpec {
  const column: ColumnSpec = {
    name: def['colname'] as string, typeOid: 0, typmod: -1, collation: 0, ndims: 0, notNull: Boolean(def['is_not_null']), rawDefault: (def['raw_default'] as RawNode | undefined) ?? null,
    cookedDefault: null, identity: '', generated: '', inhcount: 0, islocal: true, storage: null, compression: null, sequence: null, location: def.location ?? -1,
  };
  context.table.columns.push(column);
  transformColumnConstraints(context, column, groupConstraints(context.state, (def['constraints'] ?? []) as RawNode[]), false);
  return column;
}

/** A constraint with the attributes (DEFERRABLE, ...) that follow it in the grammar folded in. */
type GroupedConstraint = RawNode & { deferrable: boolean; initdeferred: boolean };

function groupConstraints(state: ParseState, list: readonly RawNode[]): GroupedConstraint[] {
  const grouped: GroupedConstraint[] = [];
  let sawDeferrable = false;
  let sawInitially = false;
  const supports = (c: RawNode | undefined): boolean => c !== undefined
    && ['CONSTR_PRIMARY', 'CONSTR_UNIQUE', 'CONSTR_EXCLUSION', 'CONSTR_FOREIGN'].includes(c['contype'] as string);
  for (const raw of list) {
    const last = grouped[grouped.length - 1];
    const misplaced = (what: string): PgError => parserError(state, 'syntax_error', `misplaced ${what} clause`, raw.location);
    const multiple = (what: string): PgError => parserError(state, 'syntax_error', `multiple ${what} clauses not allowed`, raw.location);
    switch (raw['contype']) {
      case 'CONSTR_ATTR_DEFERRABLE':
        if (!supports(last)) throw misplaced('DEFERRABLE');
        if (sawDeferrable) throw multiple('DEFERRABLE/NOT DEFERRABLE');
        sawDeferrable = true;
        last!.deferrable = true;
        break;
      case 'CONSTR_ATTR_NOT_DEFERRABLE':
        if (!supports(last)) throw misplaced('NOT DEFERRABLE');
        if (sawDeferrable) throw multiple('DEFERRABLE/NOT DEFERRABLE');
        sawDeferrable = true;
        last!.deferrable = false;
        if (sawInitially && last!.initdeferred) {
          throw parserError(state, 'syntax_error', 'constraint declared INITIALLY DEFERRED must be DEFERRABLE', raw.location);
        }
        break;
      case 'CONSTR_ATTR_DEFERRED':
        if (!supports(last)) throw misplaced('INITIALLY DEFERRED');
        if (sawInitially) throw multiple('INITIALLY IMMEDIATE/DEFERRED');
        sawInitially = true;
        last!.initdeferred = true;
        if (!sawDeferrable) last!.deferrable = true;
        else if (!last!.deferrable) throw parserError(state, 'syntax_error', 'constraint declared INITIALLY DEFERRED must be DEFERRABLE', raw.location);
        break;
      case 'CONSTR_ATTR_IMMEDIATE':
        if (!supports(last)) throw misplaced('INITIALLY IMMEDIATE');
        if (sawInitially) throw multiple('INITIALLY IMMEDIATE/DEFERRED');
        sawInitially = true;
        last!.initdeferred = false;
        break;
      default:
        sawDeferrable = sawInitially = false;
        grouped.push({ ...raw, deferrable: Boolean(raw['deferrable']), initdeferred: Boolean(raw['initdeferred']) });
    }
  }
  return grouped;
}

function transformColumnConstraints(context: TransformContext, column: ColumnSpec, constraints: readonly GroupedConstraint[], isSerial: boolean): void {
  const { state, relationName } = context;
  const of = `for column "${column.name}" of table "${relationName}"`;
  const fail = (message: string, c: RawNode): PgError => parserError(state, 'syntax_error', message, c.location);
  let sawNullable = isSerial;
  let sawDefault = column.rawDefault !== null || isSerial;
  let sawIdentity = false;
  let sawGenerated = false;
  for (const c of constraints) {
    switch (c['contype']) {
      case 'CONSTR_NULL':
        if (sawNullable && column.notNull) throw fail(`conflicting NULL/NOT NULL declarations ${of}`, c);
        column.notNull = false;
        sawNullable = true;
        break;
      case 'CONSTR_NOTNULL':
        if (sawNullable && !column.notNull) throw fail(`conflicting NULL/NOT NULL declarations ${of}`, c);
        column.notNull = true;
        sawNullable = true;
        break;
      case 'CONSTR_DEFAULT':
        if (sawDefault) throw fail(`multiple default values specified ${of}`, isSerial ? { ...c, location: -1 } : c);
        column.rawDefault = c['raw_expr'] as RawNode;
        sawDefault = true;
        break;
      case 'CONSTR_IDENTITY':
        if (context.isTyped) throw new PgError('feature_not_supported', 'identity columns are not supported on typed tables');
        if (context.isPartition) throw new PgError('feature_not_supported', 'identity columns are not supported on partitions');
        if (sawIdentity) throw fail(`multiple identity specifications ${of}`, c);
        column.identity = c['generated_when'] as 'a' | 'd';
        if (sawNullable && !column.notNull) throw fail(`conflicting NULL/NOT NULL declarations ${of}`, c);
        column.notNull = true;
        sawNullable = true;
        sawIdentity = true;
        column.sequence = identitySequence(state, column.name, column.typeOid, (c['options'] ?? []) as RawNode[]);
        break;
      case 'CONSTR_GENERATED':
        if (context.isTyped) throw new PgError('feature_not_supported', 'generated columns are not supported on typed tables');
        if (context.isPartition) throw new PgError('feature_not_supported', 'generated columns are not supported on partitions');
        if (sawGenerated) throw fail(`multiple generation clauses specified ${of}`, c);
        column.generated = 's';
        column.rawDefault = c['raw_expr'] as RawNode;
        sawGenerated = true;
        break;
      case 'CONSTR_CHECK':
        context.table.checks.push(checkSpec(c));
        break;
      case 'CONSTR_PRIMARY': case 'CONSTR_UNIQUE':
        addIndexConstraint(context, c, [column.name]);
        break;
      case 'CONSTR_EXCLUSION': throw new PgError('internal_error', 'column exclusion constraints are not supported');
      case 'CONSTR_FOREIGN':
        context.table.foreignKeys.push(foreignKeySpec(c, [column.name]));
        break;
      default: throw new PgError('internal_error', `unrecognized constraint type: ${String(c['contype'])}`);
    }
    if (sawDefault && sawIdentity) throw fail(`both default and identity specified ${of}`, isSerial ? { ...c, location: -1 } : c);
    if (sawDefault && sawGenerated) throw fail(`both default and generation expression specified ${of}`, isSerial ? { ...c, location: -1 } : c);
    if (sawIdentity && sawGenerated) throw fail(`both identity and generation expression specified ${of}`, c);
  }
}

/** SEQUENCE NAME may be among an identity column's options (pg_dump writes it). */
/** The type is the column's: AS may not say another. */
export function identitySequence(state: ParseState | null, column: string, typeOid: Oid, options: readonly RawNode[]): SequenceSpec {
  const seen = new Set(['as']);
  for (const o of options) {
    const name = o['defname'] as string;
    if (seen.has(name)) throw parserError(state, 'syntax_error', 'conflicting or redundant options', o.location);
    seen.add(name);
  }
  const given = options.find((o) => o['defname'] === 'sequence_name')?.['arg'] as string[] | undefined;
  return {
    name: given?.at(-1) ?? null, namespace: given !== undefined && given.length > 1 ? given[given.length - 2]! : null,
    column, typeOid, forIdentity: true, options: options.filter((o) => o['defname'] !== 'sequence_name'),
  };
}

// ---- table constraints

export function transformTableConstraint(context: TransformContext, raw: RawNode): void {
  const c = groupConstraints(context.state, [raw])[0]!;
  switch (c['contype']) {
    case 'CONSTR_CHECK': context.table.checks.push(checkSpec(c)); return;
    case 'CONSTR_PRIMARY': case 'CONSTR_UNIQUE': addIndexConstraint(context, c, (c['keys'] ?? []) as string[]); return;
    case 'CONSTR_FOREIGN': context.table.foreignKeys.push(foreignKeySpec(c, (c['fk_attrs'] ?? []) as string[])); return;
    case 'CONSTR_EXCLUSION':
      if (context.isPartitioned) throw parserError(context.state, 'feature_not_supported', 'exclusion constraints are not supported on partitioned tables', c.location);
      addIndex(context, exclusionSpec(c));
      return;
    default: throw new PgError('internal_error', `invalid context for constraint type ${String(c['contype'])}`);
  }
}

function checkSpec(c: RawNode): CheckSpec {
  return {
    name: (c['conname'] as string | undefined) ?? null, raw: c['raw_expr'] as RawNode, expr: null, noInherit: Boolean(c['is_no_inherit']),
    skipValidation: Boolean(c['skip_validation']), location: c.location ?? -1, inhcount: 0, islocal: true,
  };
}

function addIndexConstraint(context: TransformContext, c: GroupedConstraint, keys: readonly string[]): void {
  const primary = c['contype'] === 'CONSTR_PRIMARY';
  if (primary) {
    if (context.hasPrimaryKey) {
      throw parserError(context.state, 'invalid_table_definition', `multiple primary keys for table "${context.relationName}" are not allowed`, c.location);
    }
    context.hasPrimaryKey = true;
  }
  for (const [i, key] of keys.entries()) {
    if (keys.indexOf(key) !== i) {
      throw parserError(context.state, 'duplicate_column', `column "${key}" appears twice in ${primary ? 'primary key' : 'unique'} constraint`, c.location);
    }
  }
  const spec: IndexSpec = {
    name: (c['conname'] as string | undefined) ?? null, primary, unique: true, nullsNotDistinct: Boolean(c['nulls_not_distinct']), isConstraint: true,
    accessMethod: (c['access_method'] as string | undefined) ?? 'btree', keys: keys.map(plainKey), including: (c['including'] ?? []) as string[], where: null,
    deferrable: c.deferrable, initDeferred: c.initdeferred, options: (c['options'] ?? []) as RawNode[],
    tablespace: (c['indexspace'] as string | undefined) ?? null, exclusion: null, existingIndex: (c['indexname'] as string | undefined) ?? null, comment: null, location: c.location ?? -1,
  };
  addIndex(context, spec);
}

/** One like another of the statement adds nothing but a name, if that has none; the primary key goes first (transformIndexConstraints). */
function addIndex({ table: { indexes } }: TransformContext, spec: IndexSpec): void {
  const same = indexes.find((o) => o.existingIndex === null && spec.existingIndex === null && SAME.every((field) => equal(o[field], spec[field])));
  if (same === undefined) {
    if (spec.primary) indexes.unshift(spec);
    else indexes.push(spec);
    return;
  }
  same.name = spec.primary ? spec.name ?? same.name : same.name ?? spec.name;
  same.primary ||= spec.primary;
  if (same.primary) moveFirst(indexes, same);
}
const SAME = ['keys', 'including', 'where', 'exclusion', 'accessMethod', 'nullsNotDistinct', 'deferrable', 'initDeferred'] as const;

function moveFirst(list: IndexSpec[], spec: IndexSpec): void {
  list.splice(list.indexOf(spec), 1);
  list.unshift(spec);
}

const plainKey = (name: string): IndexElemSpec => ({
  name, expr: null, opclass: null, collation: null, ordering: 'SORTBY_DEFAULT', nullsOrdering: 'SORTBY_NULLS_DEFAULT',
});

function foreignKeySpec(c: GroupedConstraint, columns: readonly string[]): ForeignKeySpec {
  return {
    name: (c['conname'] as string | undefined) ?? null, columns: [...columns], pktable: c['pktable'] as RawNode, pkColumns: (c['pk_attrs'] ?? []) as string[],
    matchType: (c['fk_matchtype'] as 's' | 'f' | 'p' | undefined) ?? 's', onUpdate: (c['fk_upd_action'] as string | undefined) ?? 'a',
    onDelete: (c['fk_del_action'] as string | undefined) ?? 'a', deleteSetColumns: (c['fk_del_set_cols'] ?? []) as string[],
    deferrable: c.deferrable, initDeferred: c.initdeferred, skipValidation: Boolean(c['skip_validation']), location: c.location ?? -1,
  };
}

function exclusionSpec(c: GroupedConstraint): IndexSpec {
  const elements = c['exclusions'] as [RawNode, string[]][];
  return {
    name: (c['conname'] as string | undefined) ?? null, primary: false, unique: false, nullsNotDistinct: false, isConstraint: true,
    accessMethod: (c['access_method'] as string | undefined) ?? 'btree', keys: elements.map(([element]) => keyOf(element)), exclusion: elements.map(([, operator]) => operator),
    including: (c['including'] ?? []) as string[], where: (c['where_clause'] as RawNode | undefined) ?? null, deferrable: c.deferrable, initDeferred: c.initdeferred,
    options: (c['options'] ?? []) as RawNode[], tablespace: (c['indexspace'] as string | undefined) ?? null, existingIndex: null, comment: null, location: c.location ?? -1,
  };
}

// ---- CREATE INDEX

const keyOf = (e: RawNode): IndexElemSpec => ({
  name: (e['name'] as string | undefined) ?? null, expr: (e['expr'] as RawNode | undefined) ?? null, opclass: (e['opclass'] as string[] | undefined) ?? null,
  collation: (e['collation'] as string[] | undefined) ?? null, ordering: e['ordering'] as string, nullsOrdering: e['nulls_ordering'] as string,
  ...(e['opclassopts'] === undefined ? {} : { opclassOptions: e['opclassopts'] as RawNode[] }),
});

export function transformIndexStmt(stmt: RawNode): IndexSpec {
  return {
    name: (stmt['idxname'] as string | undefined) ?? null, primary: false, unique: Boolean(stmt['unique']), nullsNotDistinct: Boolean(stmt['nulls_not_distinct']),
    isConstraint: false, accessMethod: (stmt['accessMethod'] as string | undefined) ?? 'btree',
    keys: ((stmt['indexParams'] ?? []) as RawNode[]).map(keyOf),
    including: ((stmt['indexIncludingParams'] ?? []) as RawNode[]).map((e) => {
      if (e['name'] === undefined) throw new PgError('feature_not_supported', 'expressions are not supported in included columns');
      const refuse = (what: string): never => { throw new PgError('invalid_object_definition', `including column does not support ${what}`); };
      if (e['collation'] !== undefined) refuse('a collation');
      if (e['opclass'] !== undefined) refuse('an operator class');
      if ((e['ordering'] ?? 'SORTBY_DEFAULT') !== 'SORTBY_DEFAULT') refuse('ASC/DESC options');
      if ((e['nulls_ordering'] ?? 'SORTBY_NULLS_DEFAULT') !== 'SORTBY_NULLS_DEFAULT') refuse('NULLS FIRST/LAST options');
      return e['name'] as string;
    }),
    where: (stmt['whereClause'] as RawNode | undefined) ?? null, deferrable: false, initDeferred: false, options: (stmt['options'] ?? []) as RawNode[],
    tablespace: (stmt['tableSpace'] as string | undefined) ?? null, exclusion: null, existingIndex: null, comment: (stmt['idxcomment'] as string | undefined) ?? null, location: -1,
  };
}

/** nextval('schema.sequence'::regclass), as the DEFAULT of a serial column. */
export function serialDefault(namespace: Oid, sequenceName: string, quoteQualified: (schema: string, name: string) => string): RawNode {
  const text = quoteQualified(getNamespaceName(namespace)!, sequenceName);
  return {
    tag: 'FuncCall', funcname: ['pg_catalog', 'nextval'], funcformat: 'COERCE_EXPLICIT_CALL', location: -1,
    args: [{
      tag: 'TypeCast', location: -1, arg: { tag: 'A_Const', ctype: 'string', value: text, location: -1 },
      typeName: { tag: 'TypeName', names: ['pg_catalog', 'regclass'], typemod: -1, location: -1 },
    }],
  };
}

/** NOTICEs and the like of DDL. */
export function ddlNotice(message: string, condition: 'duplicate_table' | 'duplicate_schema' | 'duplicate_column' | 'duplicate_object' | 'undefined_table' | 'undefined_object' | 'wrong_object_type' | 'no_data_found' | 'successful_completion' = 'successful_completion', detail?: string): void {
  const report = new PgError(condition, message, { detail });
  report.severity = 'NOTICE';
  session.notice(report);
}

const NOT_FOREIGN: Readonly<Record<string, string>> = { CONSTR_PRIMARY: 'primary key', CONSTR_UNIQUE: 'unique', CONSTR_EXCLUSION: 'exclusion', CONSTR_FOREIGN: 'foreign key' };

/** A column or constraint of a foreign table: nobody could see to keys. */
export function refuseOnForeignTables(element: RawNode, text: string): void {
  for (const c of element.tag === 'Constraint' ? [element] : (element['constraints'] ?? []) as RawNode[]) {
    const word = NOT_FOREIGN[c['contype'] as string];
    if (word !== undefined) throw parserError(makeParseState(text), 'feature_not_supported', `${word} constraints are not supported on foreign tables`, c['location'] as number);
  }
}
