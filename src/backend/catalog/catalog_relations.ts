// The Relation objects of the system catalogs, made from schema.ts without reading anything: whoever wants to read a
// catalog needs one first. They are the same for the life of the process.
import { makeLayout, storageClassOf, type RowLayout } from '../access/row.ts';
import { internalError } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';
import { uncounted } from '../utils/pgstat.ts';
import { builtinTypes } from './builtin.ts';
import { BOOTSTRAP_SUPERUSERID, BTREE_AM_OID, HEAP_TABLE_AM_OID, PG_CATALOG_NAMESPACE } from './oids.ts';
import type { Attribute, IndexColumn, IndexInfo, Relation } from './relation.ts';
import { catalogByOid, catalogOfIndex, type CatalogDefinition, type CatalogIndex } from './schema.ts';
import { builtinOpclasses } from './builtin.ts';

const relations = new Map<Oid, Relation>();

/** The relation of a catalog or of an index of one; undefined for any other OID. */
export function catalogRelation(oid: Oid): Relation | undefined {
  const known = relations.get(oid);
  if (known) return known;
  const definition = catalogByOid(oid) ?? catalogOfIndex(oid);
  if (!definition) return undefined;
  const relation = new CatalogTable(definition);
  relations.set(definition.oid, relation);
  for (const info of relation.indexes) relations.set(info.indexrelid, info.index);
  return relations.get(oid);
}

/** How the built-in types are stored. */
function builtinStorageOf(typeOid: Oid): ReturnType<typeof storageClassOf> {
  const type = builtinTypes.byOid(typeOid);
  if (!type) throw internalError(`type ${typeOid} is not built in`);
  return storageClassOf(typeOid, type.typlen, type.typtype);
}

function attribute(attnum: number, name: string, type: Oid, collation: Oid, notnull: boolean, ndims: number): Attribute {
  return { attnum, attname: name, atttypid: type, atttypmod: -1, attcollation: collation, attnotnull: notnull, atthasdef: false,
    attisdropped: false, attidentity: '', attgenerated: '', attislocal: true, attinhcount: 0, attndims: ndims, missing: undefined };
}

/** What catalogs and their indexes have in common. */
abstract class CatalogRelationBase implements Relation {
  abstract readonly oid: Oid;
  abstract readonly name: string;
  abstract readonly kind: string;
  abstract readonly shared: boolean;
  abstract readonly accessMethod: Oid;
  abstract readonly rowType: Oid;
  abstract readonly attributes: readonly Attribute[];
  abstract readonly indexes: readonly IndexInfo[];
  abstract readonly indexInfo: IndexInfo | null;
  abstract readonly filenode: number;
  readonly namespace = PG_CATALOG_NAMESPACE;
  readonly owner = BOOTSTRAP_SUPERUSERID;
  readonly persistence = 'p';
  readonly tuples: number = -1;
  readonly pages: number = 0;
  readonly allVisible: number = 0;
  readonly hasSubclass = false;
  readonly counts = uncounted;
  readonly isPartition = false;
  readonly checks = [];
  readonly foreignKeys = [];
  readonly referencedBy = [];
  readonly viewQuery = null;
  readonly hasTriggers = false;
  readonly triggers = [];
  readonly hasRules = false;
  readonly rowSecurity = false;
  readonly forceRowSecurity = false;
  readonly policies = [];
  readonly defaults = new Map();
  readonly options = new Map();
  #layout: RowLayout | undefined;

  get layout(): RowLayout {
    return (this.#layout ??= makeLayout(this.attributes, builtinStorageOf));
  }
}

class CatalogTable extends CatalogRelationBase {
  readonly oid: Oid;
  readonly name: string;
  readonly kind = 'r';
  readonly shared: boolean;
  readonly accessMethod = HEAP_TABLE_AM_OID;
  readonly rowType: Oid;
  readonly attributes: readonly Attribute[];
  readonly indexes: readonly IndexInfo[];
  readonly indexInfo = null;
  readonly filenode: number;

  constructor(d: CatalogDefinition) {
    super();
    this.oid = this.filenode = d.oid;
    this.name = d.name;
    this.shared = d.shared;
    this.rowType = d.rowType;
    this.attributes = d.columns.map((c, i) => attribute(i + 1, c.name, c.type, c.collation, c.notnull, c.ndims));
    this.indexes = d.indexes.map((i) => new CatalogIndexRelation(i, d).indexInfo);
  }
}

/** The type of an index column: that of the operator class (text's "C" order for name), as in pg_attribute. */
function indexColumnType(index: CatalogIndex, n: number, table: CatalogDefinition): Oid {
  const opclass = builtinOpclasses.byOid(index.opclasses[n]!)!;
  return opclass.opckeytype !== 0 ? opclass.opckeytype : table.columns[index.columns[n]! - 1]!.type;
}

class CatalogIndexRelation extends CatalogRelationBase {
  readonly oid: Oid;
  readonly name: string;
  readonly kind = 'i';
  readonly shared: boolean;
  readonly accessMethod = BTREE_AM_OID;
  readonly rowType = 0;
  readonly attributes: readonly Attribute[];
  readonly indexes = [];
  readonly indexInfo: IndexInfo;
  readonly filenode: number;

  constructor(index: CatalogIndex, table: CatalogDefinition) {
    super();
    this.oid = this.filenode = index.oid;
    this.name = index.name;
    this.shared = table.shared;
    this.attributes = index.columns.map((attnum, n) => attribute(n + 1, table.columns[attnum - 1]!.name,
      indexColumnType(index, n, table), index.collations[n]!, false, 0));
    const columns: IndexColumn[] = index.columns.map((attnum, n) => ({ typeOid: table.columns[attnum - 1]!.type,
      collation: index.collations[n]!, opclass: index.opclasses[n]!, opfamily: builtinOpclasses.byOid(index.opclasses[n]!)!.opcfamily,
      descending: false, nullsFirst: false, keyLimit: null }));
    this.indexInfo = { indexrelid: index.oid, indrelid: table.oid, unique: index.unique, nullsNotDistinct: false,
      primary: index.primary, immediate: true, valid: true, ready: true, exclusion: null, keyAttributes: index.columns, keyCount: index.columns.length,
      columns, expressions: [], predicate: null, accessMethod: 'btree', index: this };
  }
}
