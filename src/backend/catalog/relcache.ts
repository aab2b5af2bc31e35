// Relations as the backend works with them (PostgreSQL's relcache.c): openRelation puts together what pg_class,
// pg_attribute, pg_index, pg_constraint, pg_attrdef and pg_rewrite say of one. The system catalogs themselves come
// from catalog_relations.ts, so that nothing must be read to read them. What is not always needed is read when first
// asked for; a Relation must therefore not be kept beyond the statement, unless it is looked at whole.
import { builtinOpclassLike, indexMethodOf } from './index_method.ts';
import { MAX_INDEX_KEY_BYTES } from '../access/key.ts';
import { makeLayout, storageClassOf, type RowLayout, type StorageClass } from '../access/row.ts';
import { PgError, internalError } from '../../common/errors.ts';
import type { Query } from '../nodes/parsenodes.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { containsNode, exprType } from '../nodes/nodeFuncs.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import type { ArrayValue, Datum, Oid } from '../types/datum.ts';
import { countsOf, type Counts } from '../utils/pgstat.ts';
import { byPresentSnapshot, hasCatalogSnapshot } from '../transaction/snapshot.ts';
import { noteTempAccess, setFilenodeLookup } from '../transaction/xact.ts';
import { catalogRelation } from './catalog_relations.ts';
import { catalogScan } from './indexing.ts';
import { refreshCatalogs, registerCatalogCache } from './inval.ts';
import { getBaseType, getType } from './lsyscache.ts';
import { ConstraintRelationId, DependRelationId, PgClassOidIndexId, PgDependReferenceIndexId, PgPolicyPolrelidPolnameIndexId, PolicyRelationId, RelationRelationId } from './oids.ts';
import { byName, toTrigger } from './pg_trigger.ts';
import type { Attribute, CheckConstraint, ForeignKey, IndexColumn, IndexInfo, Policy, Relation, Trigger } from './relation.ts';
import type { PgAttribute, PgClass, PgConstraint, PgIndex, PgPolicy } from './rows.ts';
import { isSharedRelation } from './schema.ts';
import * as sys from './syscache.ts';

const cache = new Map<Oid, Relation>();
registerCatalogCache(() => cache.clear());
setFilenodeLookup((oid) => tryOpenRelation(oid)?.filenode ?? oid);

/** The relation with this OID; an internal error when there is none. */
export function openRelation(oid: Oid): Relation {
  const relation = tryOpenRelation(oid);
  if (!relation) throw internalError(`could not open relation with OID ${oid}`);
  return relation;
}

/** The relation with this OID, or undefined. */
export function tryOpenRelation(oid: Oid): Relation | undefined {
  const catalog = catalogRelation(oid);
  if (catalog) return catalog;
  refreshCatalogs();
  const known = cache.get(oid);
  if (known) {
    if (known.persistence === 't') noteTempAccess();
    return known;
  }
  const row = sys.classByOid(oid);
  if (!row) return undefined;
  if (row.relpersistence === 't') noteTempAccess();
  const relation = new UserRelation(row);
  cache.set(oid, relation);
  return relation;
}

/** A transaction that keeps its snapshot sees nothing of a table that was emptied or rewritten since, as in PostgreSQL, and refuses one
 * that CLUSTER may have rewritten. Of a materialized view it sees what there was. */
function filenodeSeen(row: PgClass): number {
  if (!hasCatalogSnapshot() || (row.relkind !== 'r' && row.relkind !== 'm')) return row.relfilenode;
  const before = byPresentSnapshot(() => catalogScan(RelationRelationId, PgClassOidIndexId, [row.oid]))[0]?.relfilenode ?? row.relfilenode;
  if (before === row.relfilenode || row.relkind === 'm') return before;
  if (sys.indexesOf(row.oid).some((i) => i.indisclustered)) throw new PgError('serialization_failure', 'could not serialize access due to concurrent update');
  return row.relfilenode;
}

/** How values of a type are stored; a domain as its base type. */
export function storageOf(typeOid: Oid): StorageClass {
  const type = getType(getBaseType(typeOid));
  return storageClassOf(type.oid, type.typlen, type.typtype);
}

function toAttribute(a: PgAttribute): Attribute {
  return {
    attnum: a.attnum, attname: a.attname, atttypid: a.atttypid, atttypmod: a.atttypmod, attcollation: a.attcollation,
    attnotnull: a.attnotnull, atthasdef: a.atthasdef, attisdropped: a.attisdropped,
    attidentity: a.attidentity as Attribute['attidentity'], attgenerated: a.attgenerated as Attribute['attgenerated'],
    attislocal: a.attislocal, attinhcount: a.attinhcount, attndims: a.attndims,
    missing: a.atthasmissing && a.attmissingval !== null ? (a.attmissingval as ArrayValue).values[0] as Datum : undefined,
  };
}

class UserRelation implements Relation {
  readonly oid: Oid;
  readonly name: string;
  readonly namespace: Oid;
  readonly owner: Oid;
  readonly kind: string;
  readonly persistence: 'p' | 'u' | 't';
  readonly filenode: number;
  readonly shared: boolean;
  readonly accessMethod: Oid;
  readonly rowType: Oid;
  readonly tuples: number;
  readonly pages: number;
  readonly allVisible: number;
  readonly attributes: readonly Attribute[];
  readonly hasSubclass: boolean;
  readonly isPartition: boolean;
  readonly hasTriggers: boolean;
  readonly hasRules: boolean;
  readonly rowSecurity: boolean;
  readonly forceRowSecurity: boolean;
  readonly counts: Counts;
  readonly #rows: readonly PgAttribute[];
  readonly #reloptions: readonly string[] | null;
  #layout: RowLayout | undefined;
  #indexes: readonly IndexInfo[] | undefined;
  #indexInfo: IndexInfo | null | undefined;
  #constraints: { checks: CheckConstraint[]; foreignKeys: ForeignKey[] } | undefined;
  #referencedBy: readonly ForeignKey[] | undefined;
  #triggers: readonly Trigger[] | undefined;
  #policies: readonly Policy[] | undefined;
  #viewQuery: Query | null | undefined;
  #defaults: ReadonlyMap<number, Expr> | undefined;
  #options: ReadonlyMap<string, string> | undefined;

  constructor(row: PgClass) {
    this.oid = row.oid;
    this.name = row.relname;
    this.namespace = row.relnamespace;
    this.owner = row.relowner;
    this.kind = row.relkind;
    this.persistence = row.relpersistence as 'p' | 'u' | 't';
    this.filenode = filenodeSeen(row);
    this.shared = isSharedRelation(row.oid);
    this.accessMethod = row.relam;
    this.rowType = row.reltype;
    this.tuples = row.reltuples;
    this.pages = row.relpages;
    this.allVisible = row.relallvisible;
    this.#rows = sys.attributesOf(row.oid).filter((a) => a.attnum > 0);
    this.attributes = this.#rows.map(toAttribute);
    this.hasSubclass = row.relhassubclass;
    this.isPartition = row.relispartition;
    this.hasTriggers = row.relhastriggers;
    this.hasRules = row.relhasrules;
    this.rowSecurity = row.relrowsecurity;
    this.forceRowSecurity = row.relforcerowsecurity;
    this.counts = countsOf(row.oid);
    this.#reloptions = row.reloptions;
  }

  get layout(): RowLayout {
    return (this.#layout ??= makeLayout(this.attributes.map((a, i) => ({ attnum: a.attnum,
      atttypid: a.attisdropped ? 0 : a.atttypid, attlen: this.#rows[i]!.attlen, attalign: this.#rows[i]!.attalign, missing: a.missing })), storageOf));
  }

  get indexes(): readonly IndexInfo[] {
    return (this.#indexes ??= sys.indexesOf(this.oid).filter((i) => i.indislive).map((i) => i.indexrelid)
      .sort((a, b) => a - b).map((oid) => openRelation(oid).indexInfo!));
  }

  get indexInfo(): IndexInfo | null {
    if (this.#indexInfo === undefined) {
      const row = this.kind === 'i' || this.kind === 'I' ? sys.indexByOid(this.oid) : undefined;
      this.#indexInfo = row ? buildIndexInfo(this, row) : null;
    }
    return this.#indexInfo;
  }

  get checks(): readonly CheckConstraint[] {
    return this.#readConstraints().checks;
  }

  get foreignKeys(): readonly ForeignKey[] {
    return this.#readConstraints().foreignKeys;
  }

  #readConstraints(): { checks: CheckConstraint[]; foreignKeys: ForeignKey[] } {
    if (!this.#constraints) {
      const rows = sys.constraintsOf(this.oid);
      this.#constraints = { checks: rows.filter((c) => c.contype === 'c').map(toCheck),
        foreignKeys: rows.filter((c) => c.contype === 'f').map(toForeignKey) };
    }
    return this.#constraints;
  }

  get referencedBy(): readonly ForeignKey[] {
    if (!this.#referencedBy) {
      // pg_constraint has no index by confrelid; but a foreign key depends on the columns it refers to.
      const oids = new Set(sys.lookupAll(DependRelationId, PgDependReferenceIndexId, RelationRelationId, this.oid)
        .filter((d) => d.classid === ConstraintRelationId).map((d) => d.objid));
      this.#referencedBy = [...oids].map((oid) => sys.constraintByOid(oid))
        .filter((c): c is PgConstraint => c?.contype === 'f' && c.confrelid === this.oid).map(toForeignKey);
    }
    return this.#referencedBy;
  }

  get triggers(): readonly Trigger[] {
    return (this.#triggers ??= this.hasTriggers ? sys.triggersOf(this.oid).map(toTrigger).sort(byName) : []);
  }

  get policies(): readonly Policy[] {
    return (this.#policies ??= sys.lookupAll(PolicyRelationId, PgPolicyPolrelidPolnameIndexId, this.oid).map(toPolicy)
      .sort((a, b) => (a.name < b.name ? -1 : 1)));
  }

  get viewQuery(): Query | null {
    if (this.#viewQuery === undefined) {
      const rule = this.kind === 'v' || this.kind === 'm' ? sys.rulesOf(this.oid).find((r) => r.ev_type === '1') : undefined;
      const action = rule ? stringToNode(rule.ev_action!) as unknown : null;
      this.#viewQuery = (Array.isArray(action) ? action[0] : action) as Query | null;
    }
    return this.#viewQuery;
  }

  get defaults(): ReadonlyMap<number, Expr> {
    return (this.#defaults ??= new Map(this.attributes.some((a) => a.atthasdef)
      ? sys.attrdefsOf(this.oid).map((d) => [d.adnum, stringToNode(d.adbin!) as unknown as Expr] as const) : []));
  }

  get options(): ReadonlyMap<string, string> {
    return (this.#options ??= new Map((this.#reloptions ?? []).map((o) => {
      const at = o.indexOf('=');
      return at < 0 ? [o, 'true'] as const : [o.slice(0, at), o.slice(at + 1)] as const;
    })));
  }
}

function toPolicy(p: PgPolicy): Policy {
  const expr = (text: string | null): Expr | null => (text === null ? null : stringToNode<Expr>(text));
  const qual = expr(p.polqual), withCheck = expr(p.polwithcheck);
  return {
    oid: p.oid, name: p.polname, permissive: p.polpermissive, command: p.polcmd, roles: p.polroles, qual, withCheck,
    hasSubLinks: [qual, withCheck].some((e) => e !== null && containsNode(e, (n) => n.kind === 'SubLink')),
  };
}

function toCheck(c: PgConstraint): CheckConstraint {
  return { oid: c.oid, name: c.conname, expr: stringToNode(c.conbin!) as unknown as Expr, validated: c.convalidated, noInherit: c.connoinherit };
}

export function toForeignKey(c: PgConstraint): ForeignKey {
  return {
    oid: c.oid, name: c.conname, conrelid: c.conrelid, confrelid: c.confrelid, conkey: c.conkey ?? [], confkey: c.confkey ?? [],
    pfeqop: c.conpfeqop ?? [], ffeqop: c.conffeqop ?? [], indexOid: c.conindid, onUpdate: c.confupdtype as ForeignKey['onUpdate'],
    onDelete: c.confdeltype as ForeignKey['onDelete'], deleteSetColumns: c.confdelsetcols ?? [],
    matchType: c.confmatchtype as 's' | 'f', deferrable: c.condeferrable, initiallyDeferred: c.condeferred, validated: c.convalidated,
  };
}

const INDOPTION_DESC = 1, INDOPTION_NULLS_FIRST = 2;

/** What pg_index says, with the operator classes looked up. */
function buildIndexInfo(index: Relation, row: PgIndex): IndexInfo {
  const am = sys.amByOid(index.accessMethod), accessMethod = am && indexMethodOf(am)?.name;
  if (!accessMethod) throw internalError(`cache lookup failed for access method ${index.accessMethod}`);
  const columns: IndexColumn[] = row.indclass.map((opclass, n) => {
    const family = sys.opclassByOid(opclass)?.opcfamily ?? 0;
    const option = row.indoption[n] ?? 0;
    const typeOid = keyType(index.attributes[n]!.atttypid, accessMethod, row, n);
    return { typeOid, keyLimit: accessMethod !== 'btree' && (sys.typeByOid(typeOid)?.typlen ?? -1) < 0 ? Math.floor(MAX_INDEX_KEY_BYTES / row.indclass.length) : null, collation: row.indcollation[n] ?? 0, opclass: builtinOpclassLike(opclass) || opclass, opfamily: family,
      descending: (option & INDOPTION_DESC) !== 0, nullsFirst: (option & INDOPTION_NULLS_FIRST) !== 0 };
  });
  return new LazyIndexInfo(index, row, columns, accessMethod);
}

/** The type that keys are made of. What an index of these methods keeps is of another type than the column, by its pg_attribute. */
function keyType(kept: Oid, method: string, row: PgIndex, n: number): Oid {
  if (method === 'btree') return kept;
  const attnum = row.indkey[n]!;
  if (attnum !== 0) return sys.attributeByNumber(row.indrelid, attnum)?.atttypid ?? kept;
  const before = row.indkey.slice(0, n).filter((k) => k === 0).length;
  return exprType((stringToNode(row.indexprs!) as unknown as Expr[])[before]!);
}

/** Expressions and predicate are read when asked for. */
class LazyIndexInfo implements IndexInfo {
  readonly indexrelid: Oid;
  readonly indrelid: Oid;
  readonly unique: boolean;
  readonly nullsNotDistinct: boolean;
  readonly primary: boolean;
  readonly immediate: boolean;
  readonly valid: boolean;
  readonly ready: boolean;
  readonly keyAttributes: readonly number[];
  readonly keyCount: number;
  readonly columns: readonly IndexColumn[];
  readonly accessMethod: IndexInfo['accessMethod'];
  readonly index: Relation;
  readonly #indexprs: string | null;
  readonly #indpred: string | null;
  readonly #isExclusion: boolean;
  #exclusion: readonly Oid[] | null | undefined;
  #expressions: readonly Expr[] | undefined;
  #predicate: Expr | null | undefined;

  constructor(index: Relation, row: PgIndex, columns: readonly IndexColumn[], accessMethod: IndexInfo['accessMethod']) {
    this.indexrelid = row.indexrelid;
    this.indrelid = row.indrelid;
    this.unique = row.indisunique;
    this.nullsNotDistinct = row.indnullsnotdistinct;
    this.primary = row.indisprimary;
    this.immediate = row.indimmediate;
    this.valid = row.indisvalid;
    this.ready = row.indisready;
    this.keyAttributes = row.indkey;
    this.keyCount = row.indnkeyatts;
    this.columns = columns;
    this.accessMethod = accessMethod;
    this.index = index;
    this.#indexprs = row.indexprs;
    this.#indpred = row.indpred;
    this.#isExclusion = row.indisexclusion;
  }

  get exclusion(): readonly Oid[] | null {
    return (this.#exclusion ??= this.#isExclusion ? sys.constraintsOf(this.indrelid).find((c) => c.conindid === this.indexrelid && c.contype === 'x')?.conexclop ?? null : null);
  }

  get expressions(): readonly Expr[] {
    return (this.#expressions ??= this.#indexprs === null ? [] : stringToNode(this.#indexprs) as unknown as Expr[]);
  }

  get predicate(): Expr | null {
    if (this.#predicate === undefined) this.#predicate = this.#indpred === null ? null : stringToNode(this.#indpred) as unknown as Expr;
    return this.#predicate;
  }
}
