// SQL functions that read catalogs: names, visibility, comments, sizes. Importing this module registers them, those of
// functions_privilege.ts, functions_acl.ts and sql_functions.ts, and fills in the hooks of the data types.
import { indexMethodOf } from './index_method.ts';
import { PgError } from '../../common/errors.ts';
import { makeArray, recordMaker, RecordValue, type ArrayValue, type Int8, type Oid } from '../types/datum.ts';
import { registerBuiltins, type FunctionContext } from '../types/fmgr.ts';
import { checkedVector } from '../types/oid.ts';
import { session } from '../utils/session.ts';
import './functions_acl.ts';
import './functions_privilege.ts';
import './sql_functions.ts';
import './type_hooks.ts';
import { charToEncoding, encodingMaxLength, encodingToChar } from '../../common/encoding.ts';
import { formatType, formatTypeExtended } from './format_type.ts';
import { KEYWORDS, AS_LABEL_KEYWORDS } from '../../common/keywords.ts';
import * as ns from './namespace.ts';
import { describeObject, getDatabaseOid } from './objectaddress.ts';
import { actualCollationVersion } from './pg_collation.ts';
import * as ids from './oids.ts';
import { databaseTablespace } from './pg_tablespace.ts';
import { objectAddress } from './pg_depend.ts';
import { relidOfText } from './reg_names.ts';
import { databaseSize, indexesSize, relationSize, totalRelationSize } from './relation_size.ts';
import { rlsApplies } from './rls.ts';
import * as sys from './syscache.ts';

type Visible = (oid: Oid) => boolean;

/** NULL when there is no such object, else whether its bare name leads to it. */
const visibility = (exists: (oid: Oid) => unknown, isVisible: Visible) => (oid: Oid): boolean | null => (exists(oid) ? isVisible(oid) : null);

const inPath = (namespace: Oid | undefined): boolean => namespace !== undefined && ns.fetchSearchPath(true).includes(namespace);
const tsConfig = (oid: Oid) => sys.lookup(ids.TSConfigRelationId, ids.PgTsConfigOidIndexId, oid);
const tsDict = (oid: Oid) => sys.lookup(ids.TSDictionaryRelationId, ids.PgTsDictOidIndexId, oid);
const tsParser = (oid: Oid) => sys.lookup(ids.TSParserRelationId, ids.PgTsParserOidIndexId, oid);
const tsTemplate = (oid: Oid) => sys.lookup(ids.TSTemplateRelationId, ids.PgTsTemplateOidIndexId, oid);
const statistics = (oid: Oid) => sys.lookup(ids.StatisticExtRelationId, ids.PgStatisticExtOidIndexId, oid);

const KEYWORD_TEXTS = { U: 'unreserved', C: 'unreserved (cannot be function or type name)',
  T: 'reserved (can be function or type name)', R: 'reserved' } as const;
const keywordRecord = recordMaker([['word', ids.TEXTOID], ['catcode', ids.CHAROID], ['barelabel', ids.BOOLOID], ['catdesc', ids.TEXTOID], ['baredesc', ids.TEXTOID]]);

function* keywords(): Generator<RecordValue> {
  for (const [word, category] of KEYWORDS) {
    const bare = !AS_LABEL_KEYWORDS.has(word);
    yield keywordRecord(word, category, bare, KEYWORD_TEXTS[category], bare ? 'can be bare label' : 'requires AS');
  }
}

/** The ancestors of a partition, itself first. */
function partitionAncestors(oid: Oid): Oid[] {
  const row = sys.classByOid(oid);
  if (!row || (row.relkind !== 'p' && row.relkind !== 'I' && !row.relispartition)) return [];
  const list = [oid];
  for (let at = row; at.relispartition;) {
    const parent = sys.parentsOf(at.oid)[0]?.inhparent;
    const next = parent === undefined ? undefined : sys.classByOid(parent);
    if (!next) break;
    list.push(next.oid);
    at = next;
  }
  return list;
}

const treeRecord = recordMaker([['relid', ids.REGCLASSOID], ['parentrelid', ids.REGCLASSOID], ['isleaf', ids.BOOLOID], ['level', ids.INT4OID]]);
function* partitionTree(root: Oid): Generator<RecordValue> {
  const top = partitionAncestors(root);
  if (top.length === 0) return;
  const queue = [{ oid: root, parent: top[1] ?? null, level: 0 }];
  for (const { oid, parent, level } of queue) {
    const kind = sys.classByOid(oid)?.relkind;
    yield treeRecord(oid, parent, kind !== 'p' && kind !== 'I', level);
    for (const child of sys.childrenOf(oid)) queue.push({ oid: child.inhrelid, parent: oid, level: level + 1 });
  }
}

const canOrder = (method: Oid): boolean => method === ids.BTREE_AM_OID;
/** gistproperty and spgproperty: whether rows could come by their distance, and values out of the index. */
const GIST_COMPRESS_PROC = 3, GIST_DISTANCE_PROC = 8, GIST_FETCH_PROC = 9;
export function orderedByDistance(method: Oid, opclass: Oid): boolean {
  const { opcfamily, opcintype } = sys.opclassByOid(opclass)!;
  if (method === ids.GIST_AM_OID) return hasProc(opclass, GIST_DISTANCE_PROC);
  return method === ids.SPGIST_AM_OID && sys.amopsByFamily(opcfamily).some((a) => a.amoppurpose === 'o' && a.amoplefttype === opcintype);
}
export function returnable(method: Oid, opclass: Oid): boolean {
  if (method === ids.GIST_AM_OID) return hasProc(opclass, GIST_FETCH_PROC) || !hasProc(opclass, GIST_COMPRESS_PROC);
  return method === ids.SPGIST_AM_OID && sys.opclassByOid(opclass)!.opcname !== 'poly_ops';
}
function hasProc(opclass: Oid, number: number): boolean {
  const { opcfamily, opcintype } = sys.opclassByOid(opclass)!;
  return sys.amprocsByFamily(opcfamily).some((p) => p.amprocnum === number && p.amproclefttype === opcintype);
}

function indexColumnProperty(index: Oid, attnum: number, property: string): boolean | null {
  const row = sys.indexByOid(index);
  const method = sys.classByOid(index)?.relam ?? 0;
  if (!row || attnum < 1 || attnum > row.indnatts) return null;
  const isKey = attnum <= row.indnkeyatts;
  const option = row.indoption[attnum - 1] ?? 0;
  switch (property.toLowerCase()) {
    case 'asc': return isKey ? canOrder(method) && (option & 1) === 0 : null;
    case 'desc': return isKey ? canOrder(method) && (option & 1) !== 0 : null;
    case 'nulls_first': return isKey ? canOrder(method) && (option & 2) !== 0 : null;
    case 'nulls_last': return isKey ? canOrder(method) && (option & 2) === 0 : null;
    case 'orderable': return canOrder(method) && isKey;
    // GiST and SP-GiST ask an operator class, which an included column has not; what SP-GiST includes always comes back.
    case 'distance_orderable': return isKey ? orderedByDistance(method, row.indclass[attnum - 1]!) : canOrder(method) ? false : null;
    case 'returnable': return canOrder(method) || (isKey ? returnable(method, row.indclass[attnum - 1]!) : method === ids.SPGIST_AM_OID ? true : null);
    case 'search_array': return isKey ? canOrder(method) : null;
    case 'search_nulls': return isKey ? method !== ids.HASH_AM_OID && method !== ids.GIN_AM_OID : null;
    default: return null;
  }
}
function indexProperty(index: Oid, property: string): boolean | null {
  const method = sys.classByOid(index)?.relam ?? 0;
  if (!sys.indexByOid(index)) return null;
  switch (property.toLowerCase()) {
    case 'clusterable': return method === ids.BTREE_AM_OID || method === ids.GIST_AM_OID;
    case 'index_scan': return method !== ids.GIN_AM_OID && method !== ids.BRIN_AM_OID;
    case 'bitmap_scan': return true;
    case 'backward_scan': return method === ids.BTREE_AM_OID || method === ids.HASH_AM_OID;
    default: return null;
  }
}
/** The server's own method behind one of a user's. */
function methodOf(am: Oid): Oid | undefined {
  const row = sys.amByOid(am);
  return row && indexMethodOf(row)?.oid;
}

function amProperty(am: Oid, property: string): boolean | null {
  const method = methodOf(am);
  if (method === undefined) return null;
  switch (property.toLowerCase()) {
    case 'can_order': case 'can_unique': return method === ids.BTREE_AM_OID;
    case 'can_multi_col': return method !== ids.HASH_AM_OID && method !== ids.SPGIST_AM_OID;
    case 'can_exclude': return method !== ids.GIN_AM_OID && method !== ids.BRIN_AM_OID;
    case 'can_include': return method === ids.BTREE_AM_OID || method === ids.GIST_AM_OID || method === ids.SPGIST_AM_OID;
    default: return null;
  }
}

const FORKS = ['main', 'fsm', 'vm', 'init'];
function forkSize(oid: Oid, fork: string): number | null {
  if (!FORKS.includes(fork)) {
    throw new PgError('invalid_parameter_value', 'invalid fork name', { hint: 'Valid fork names are "main", "fsm", "vm", and "init".' });
  }
  const size = relationSize(oid);
  return size === null ? null : fork === 'main' ? size : 0;
}

const BTREE_PHASES = ['initializing', 'scanning table', 'sorting live tuples', 'sorting dead tuples', 'loading tuples in tree'];

registerBuiltins({
  pure: {
    pg_table_is_visible: visibility(sys.classByOid, ns.relationIsVisible),
    pg_type_is_visible: visibility(sys.typeByOid, ns.typeIsVisible),
    pg_function_is_visible: visibility(sys.procByOid, ns.functionIsVisible),
    pg_operator_is_visible: visibility(sys.operatorByOid, ns.operatorIsVisible),
    pg_opclass_is_visible: visibility(sys.opclassByOid, ns.opclassIsVisible),
    pg_opfamily_is_visible: visibility(sys.opfamilyByOid, ns.opfamilyIsVisible),
    pg_collation_is_visible: visibility(sys.collationByOid, ns.collationIsVisible),
    pg_conversion_is_visible: visibility(sys.conversionByOid, ns.conversionIsVisible),
    pg_statistics_obj_is_visible: visibility(statistics, (oid) => inPath(statistics(oid)?.stxnamespace)),
    pg_ts_config_is_visible: visibility(tsConfig, (oid) => inPath(tsConfig(oid)?.cfgnamespace)),
    pg_ts_dict_is_visible: visibility(tsDict, (oid) => inPath(tsDict(oid)?.dictnamespace)),
    pg_ts_parser_is_visible: visibility(tsParser, (oid) => inPath(tsParser(oid)?.prsnamespace)),
    pg_ts_template_is_visible: visibility(tsTemplate, (oid) => inPath(tsTemplate(oid)?.tmplnamespace)),
    pg_my_temp_schema: ns.myTempNamespaceOid,
    pg_is_other_temp_schema: ns.isOtherTempNamespace,

    oidvectortypes: (vector: ArrayValue) => (checkedVector(vector).values as readonly Oid[]).map(formatType).join(', '),
    format_type: (oid: Oid | null, typmod: number | null) => (oid === null ? null
      : formatTypeExtended(oid, typmod ?? -1, { allowInvalid: true, typmodGiven: typmod !== null })),
    pg_get_userbyid: (oid: Oid) => sys.authIdByOid(oid)?.rolname ?? `unknown (OID=${oid})`,
    pg_describe_object: (classId: Oid, oid: Oid, subId: number) =>
      (classId === 0 && oid === 0 ? null : describeObject(objectAddress(classId, oid, subId)) ?? null),
    PG_encoding_to_char: encodingToChar,
    PG_char_to_encoding: charToEncoding,
    pg_encoding_max_length_sql: encodingMaxLength,
    getdatabaseencoding: () => encodingToChar(sys.databaseByOid(session.databaseOid)?.encoding ?? 6),
    pg_collation_actual_version: (oid: Oid) => {
      const row = sys.collationByOid(oid);
      if (row === undefined) throw new PgError('undefined_object', `collation with OID ${oid} does not exist`);
      return actualCollationVersion(row.collprovider, row.colliculocale);
    },

    current_database: () => session.databaseName,
    current_user: () => sys.authIdByOid(session.currentUser)?.rolname ?? '',
    session_user: () => sys.authIdByOid(session.sessionUser)?.rolname ?? '',
    current_schema: () => {
      const first = ns.currentSchema();
      return (first !== 0 && sys.namespaceByOid(first)?.nspname) || null;
    },
    current_schemas: (implicit: boolean) => makeArray(ids.NAMEOID, ns.fetchSearchPath(implicit)
      .map((oid) => sys.namespaceByOid(oid)?.nspname).filter((name) => name !== undefined)),

    pg_relation_size: forkSize,
    pg_table_size: relationSize,
    pg_indexes_size: indexesSize,
    pg_total_relation_size: totalRelationSize,
    pg_database_size_oid: databaseSize,
    pg_database_size_name: (name: string) => databaseSize(getDatabaseOid(name)),
    pg_relation_filenode: (oid: Oid) => sys.classByOid(oid)?.relfilenode || null,
    pg_relation_filepath: (oid: Oid) => {
      const row = sys.classByOid(oid);
      return !row || row.relfilenode === 0 ? null : `${row.relisshared ? 'global' : `base/${session.databaseOid}`}/data.mdb`;
    },
    // Rows say 0 for the database's own tablespace; temporary relations are not found.
    pg_filenode_relation: (tablespace: Oid, filenode: number) =>
      filenode === 0 ? null : sys.lookupAll(ids.RelationRelationId, ids.PgClassTblspcRelfilenodeIndexId, tablespace === databaseTablespace() ? 0 : tablespace, filenode)
        .find((row) => row.relpersistence !== 't')?.oid ?? null,

    pg_indexam_has_property: amProperty,
    pg_indexam_progress_phasename: (am: Oid, phase: Int8) => (am === ids.BTREE_AM_OID ? BTREE_PHASES[Number(phase) - 1] ?? null : null),
    pg_index_has_property: indexProperty,
    pg_index_column_has_property: indexColumnProperty,
    pg_partition_root: (oid: Oid) => partitionAncestors(oid).at(-1) ?? null,
    row_security_active: (oid: Oid) => rlsApplies(oid, 0, true),
    row_security_active_name: (name: string) => rlsApplies(relidOfText(name), 0, true),
  },
  set: {
    pg_get_keywords: () => keywords(),
    pg_partition_ancestors: (_context: FunctionContext, oid: Oid) => partitionAncestors(oid),
    pg_partition_tree: (_context: FunctionContext, oid: Oid) => partitionTree(oid),
  },
});
