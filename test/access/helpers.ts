// What the tests of storage, access and transactions share: seeded random values, made-up relations, and a site of one
// database whose transaction manager lives in the process.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeLayout, storageClassOf } from '../../src/backend/access/row.ts';
import { uncounted } from '../../src/backend/utils/pgstat.ts';
import type { IndexColumn, IndexInfo, Relation } from '../../src/backend/catalog/relation.ts';
import { openStore, openWritableStore } from '../../src/backend/storage/lmdb.ts';
import { client, sharedClient } from '../../src/backend/transaction/client.ts';
import { LocalManager } from '../../src/backend/transaction/local.ts';
import { closeStores, setStores } from '../../src/backend/transaction/xact.ts';

export type Random = () => number;

/** mulberry32: the same numbers for the same seed. */
export function seeded(seed: number): Random {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
export const below = (random: Random, n: number): number => Math.floor(random() * n);
export const pick = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)]!;

export function fakeRelation(oid: number, types: readonly number[], filenode = oid): Relation {
  const layout = makeLayout(types.map((atttypid, i) => ({ attnum: i + 1, atttypid })), (t) => storageClassOf(t, -1, 'b'));
  return { oid, name: `t${oid}`, filenode, shared: false, layout, counts: uncounted } as unknown as Relation;
}

export const ascending = (typeOid: number, opclass: number): IndexColumn =>
  ({ typeOid, collation: 0, opclass, opfamily: 0, descending: false, nullsFirst: false, keyLimit: null });

export function fakeIndex(oid: number, table: Relation, columns: readonly IndexColumn[], unique: boolean): IndexInfo {
  return {
    indexrelid: oid, indrelid: table.oid, unique, nullsNotDistinct: false, columns,
    index: { oid, name: `i${oid}`, filenode: oid, shared: false, counts: uncounted },
  } as unknown as IndexInfo;
}

export interface TestSite { path: string; database: LocalManager; close(): void }

export function openTestSite(): TestSite {
  const path = mkdtempSync(join(tmpdir(), 'posthouse-'));
  for (const name of ['global', 'db']) mkdirSync(join(path, name));
  const managers = [new LocalManager(openWritableStore(join(path, 'global')), 0), new LocalManager(openWritableStore(join(path, 'db')), 5)];
  managers[0]!.serve(sharedClient);
  managers[1]!.serve(client);
  setStores(openStore(join(path, 'global')), openStore(join(path, 'db')));
  return {
    path,
    database: managers[1]!,
    close() {
      client.useLinks(null);
      sharedClient.useLinks(null);
      closeStores();
      for (const manager of managers) manager.close();
      rmSync(path, { recursive: true });
    },
  };
}
