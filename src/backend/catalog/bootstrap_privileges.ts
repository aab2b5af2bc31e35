// The last step of initdb in template1 (its setup_privileges): what is in pg_catalog by now may be read by everybody, and
// all privileges that differ from the default are noted as the initial ones. Runs in a backend, in a transaction.
import type { Oid } from '../types/datum.ts';
import { aclDefault, formatAcl } from './acl.ts';
import { catalogFindAll, catalogInsert, catalogScanAll, catalogUpdate } from './indexing.ts';
import * as ids from './oids.ts';
import { FirstNormalObjectId } from './schema.ts';
import { commandCounterIncrement } from '../transaction/xact.ts';

export function setupPrivileges(): void {
  for (const tuple of catalogFindAll(ids.RelationRelationId)) {
    const { oid, relacl, relkind, relnamespace, relowner } = tuple.row;
    if (relacl !== null || relnamespace !== ids.PG_CATALOG_NAMESPACE || oid >= FirstNormalObjectId || !'rvmS'.includes(relkind)) continue;
    const acl = [...formatAcl(aclDefault(relkind === 'S' ? 's' : 'r', relowner)), `0=r/${relowner}`];
    catalogUpdate(ids.RelationRelationId, tuple, { relacl: acl });
  }
  commandCounterIncrement();
  const noted = new Set(catalogScanAll(ids.InitPrivsRelationId).map((p) => `${p.classoid}.${p.objoid}.${p.objsubid}`));
  const note = (classoid: Oid, objoid: Oid, objsubid: number, initprivs: readonly string[] | null): void => {
    if (initprivs === null || objoid >= FirstNormalObjectId || noted.has(`${classoid}.${objoid}.${objsubid}`)) return;
    catalogInsert(ids.InitPrivsRelationId, { objoid, classoid, objsubid, privtype: 'i', initprivs });
  };
  for (const c of catalogScanAll(ids.RelationRelationId)) note(ids.RelationRelationId, c.oid, 0, c.relacl);
  for (const a of catalogScanAll(ids.AttributeRelationId)) if (a.attacl) note(ids.RelationRelationId, a.attrelid, a.attnum, a.attacl);
  for (const p of catalogScanAll(ids.ProcedureRelationId)) note(ids.ProcedureRelationId, p.oid, 0, p.proacl);
  for (const t of catalogScanAll(ids.TypeRelationId)) note(ids.TypeRelationId, t.oid, 0, t.typacl);
  for (const l of catalogScanAll(ids.LanguageRelationId)) note(ids.LanguageRelationId, l.oid, 0, l.lanacl);
  for (const n of catalogScanAll(ids.NamespaceRelationId)) note(ids.NamespaceRelationId, n.oid, 0, n.nspacl);
}
