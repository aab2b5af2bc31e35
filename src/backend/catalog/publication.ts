// Which changes of a table are published (PostgreSQL's pg_publication.c and GetRelationPublicationActions): nobody subscribes
// here, but a table whose updates could not be told apart must not be updated while it is in a publication.
import { PgError } from '../../common/errors.ts';
import { containsNode } from '../nodes/nodeFuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import type { Oid } from '../types/datum.ts';
import { catalogScanAll } from './indexing.ts';
import { refreshCatalogs, registerCatalogCache } from './inval.ts';
import * as ids from './oids.ts';
import type { Relation } from './relation.ts';
import { openRelation } from './relcache.ts';
import type { PgPublication, PgPublicationRel } from './rows.ts';
import * as sys from './syscache.ts';

const FirstNormalObjectId = 16384;
let publications: readonly PgPublication[] | null = null;
registerCatalogCache(() => { publications = null; });

export function allPublications(): readonly PgPublication[] {
  refreshCatalogs();
  return (publications ??= catalogScanAll(ids.PublicationRelationId));
}

/** The table and the partitioned tables it is a part of, nearest first. */
function withAncestors(oid: Oid): Oid[] {
  const list = [oid];
  for (let at = oid; sys.classByOid(at)?.relispartition === true;) {
    const parent = sys.parentsOf(at)[0]?.inhparent;
    if (parent === undefined) break;
    list.push((at = parent));
  }
  return list;
}

export const publicationTables = (relation: Oid): readonly PgPublicationRel[] => sys.lookupAll(ids.PublicationRelRelationId, ids.PgPublicationRelPrrelidPrpubidIndexId, relation);

/** The publications a table is in, by itself, by its schema, by a partitioned table above it, or as all are; with its entry. */
function publicationsOf(relation: Relation): { publication: PgPublication; entry: PgPublicationRel | null }[] {
  const found: { publication: PgPublication; entry: PgPublicationRel | null }[] = [];
  const lineage = withAncestors(relation.oid);
  for (const publication of allPublications()) {
    const entry = lineage.flatMap((oid) => publicationTables(oid)).find((r) => r.prpubid === publication.oid);
    if (entry !== undefined) found.push({ publication, entry });
    else if (publication.puballtables || lineage.some((oid) => sys.lookup(ids.PublicationNamespaceRelationId, ids.PgPublicationNamespacePnnspidPnpubidIndexId, sys.classByOid(oid)!.relnamespace, publication.oid) !== undefined)) {
      found.push({ publication, entry: null });
    }
  }
  return found;
}

/** The columns by which a row is told apart; null: all of them. */
function identityColumns(relation: Relation): ReadonlySet<number> | null {
  const kind = sys.classByOid(relation.oid)?.relreplident ?? 'd';
  if (kind === 'f') return null;
  const index = relation.indexes.find((i) => (kind === 'd' ? i.primary && i.immediate : kind === 'i' && sys.indexByOid(i.indexrelid)?.indisreplident === true));
  return new Set(index?.keyAttributes.slice(0, index.keyCount));
}

/** Refuses what could not be published (CheckCmdReplicaIdentity). */
export function checkReplicaIdentity(relation: Relation, op: 'UPDATE' | 'DELETE'): void {
  if (relation.kind !== 'r' || relation.oid < FirstNormalObjectId || relation.persistence !== 'p' || allPublications().length === 0) return;
  const published = publicationsOf(relation).filter(({ publication }) => (op === 'UPDATE' ? publication.pubupdate : publication.pubdelete));
  if (published.length === 0) return;
  const identity = identityColumns(relation);
  const verb = op === 'UPDATE' ? 'update' : 'delete from';
  const refuse = (detail: string): PgError => new PgError('invalid_column_reference', `cannot ${verb} table "${relation.name}"`, { detail });
  let badFilter = false, badColumns = false;
  for (const { publication, entry } of published) {
    badFilter ||= entry?.prqual !== null && entry?.prqual !== undefined && identity !== null
      && containsNode(stringToNode<Expr>(entry.prqual), (n) => n.kind === 'Var' && !identity.has(ownColumn(relation, entry.prrelid, n.varattno)));
    const columns = entry?.prattrs;
    if (columns !== null && columns !== undefined) {
      const own = new Set(columns.map((n) => ownColumn(relation, entry!.prrelid, n)));
      badColumns ||= identity === null || [...identity].some((n) => !own.has(n));
    }
    // PostgreSQL looks at no more of them once one that publishes everything is refused.
    if ((badFilter || badColumns) && publication.pubinsert && publication.pubupdate && publication.pubdelete && publication.pubtruncate) break;
  }
  if (badFilter) throw refuse('Column used in the publication WHERE expression is not part of the replica identity.');
  if (badColumns) throw refuse('Column list used by the publication does not cover the replica identity.');
  if (identity === null || identity.size > 0) return;
  const plural = op === 'UPDATE' ? 'updates' : 'deletes';
  throw new PgError('object_not_in_prerequisite_state', `cannot ${verb} table "${relation.name}" because it does not have a replica identity and publishes ${plural}`, {
    hint: `To enable ${op === 'UPDATE' ? 'updating' : 'deleting from'} the table, set REPLICA IDENTITY using ALTER TABLE.`,
  });
}

function ownColumn(relation: Relation, published: Oid, attnum: number): number {
  if (relation.oid === published) return attnum;
  const name = openRelation(published).attributes[attnum - 1]?.attname;
  return relation.attributes.find((a) => a.attname === name && !a.attisdropped)?.attnum ?? 0;
}

/** The tables of a publication, with their columns and conditions: partitions unless changes go by the root (pg_get_publication_tables). */
/** `attrs`: null where all columns are published. */
export function publishedTables(name: string): { relid: Oid; attrs: readonly number[] | null; qual: string | null }[] {
  const publication = sys.lookup(ids.PublicationRelationId, ids.PgPublicationPubnameIndexId, name);
  if (publication === undefined) throw new PgError('undefined_object', `publication "${name}" does not exist`);
  const rows = catalogScanAll(ids.RelationRelationId).filter((r) => (r.oid >= FirstNormalObjectId || publicationTables(r.oid).length > 0) && r.relpersistence === 'p' && (r.relkind === 'r' || r.relkind === 'p'));
  const schemas = new Set(rows.map((r) => r.relnamespace).filter((n) => sys.lookup(ids.PublicationNamespaceRelationId, ids.PgPublicationNamespacePnnspidPnpubidIndexId, n, publication.oid) !== undefined));
  const isIn = (oid: Oid): boolean => publicationTables(oid).some((r) => r.prpubid === publication.oid) || (oid >= FirstNormalObjectId && (publication.puballtables || schemas.has(sys.classByOid(oid)!.relnamespace)));
  const shown = rows.filter((r) => {
    const lineage = withAncestors(r.oid);
    if (publication.pubviaroot) return isIn(r.oid) && !lineage.slice(1).some(isIn);
    return r.relkind === 'r' && lineage.some(isIn);
  });
  return shown.map((r) => {
    // What is published with all tables, or those of a schema, is whole.
    const entry = publication.puballtables || schemas.has(r.relnamespace) ? undefined
      : withAncestors(r.oid).flatMap((oid) => publicationTables(oid)).find((e) => e.prpubid === publication.oid);
    const relation = openRelation(r.oid);
    const attrs = entry?.prattrs?.map((n) => ownColumn(relation, entry.prrelid, n)) ?? null;
    return { relid: r.oid, attrs, qual: entry?.prqual ?? null };
  });
}
