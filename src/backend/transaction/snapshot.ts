// The stores a backend reads, and its snapshots (PostgreSQL's snapmgr.c). A snapshot is an LMDB read transaction in each
// of the two environments; the one of global/ and the one of the database are not from the same instant, as they are
// not changed in one commit either.
import { internalError } from '../../common/errors.ts';
import { openStore } from '../storage/lmdb.ts';
import { META, type HeldSnapshot, type Store } from '../storage/store.ts';

let databaseStore: Store | null = null;
let globalStore: Store | null = null;
let databasePath: string | null = null;
let globalPath: string | null = null;

/** Where global/ and the database are; they are opened when first read. */
export function setStorePaths(global: string | null, database: string | null): void {
  if (database === null || database !== databasePath) {
    databaseStore?.close();
    databaseStore = null;
    databasePath = database;
  }
  if (global === null || global !== globalPath) {
    globalStore?.close();
    globalStore = null;
    globalPath = global;
  }
}

/** Stores that are open already: a process that is its own writer, and tests. */
export function setStores(global: Store | null, database: Store | null): void {
  globalStore = global;
  databaseStore = database;
}

export function closeStores(): void {
  databaseStore?.close();
  globalStore?.close();
  databaseStore = globalStore = null;
}

/** At the end of the process. (Parentheses: only children call it, and each would compile it.) */
export const leaveStores: () => void = (function leaveStores(): void {
  databaseStore?.leave();
  globalStore?.leave();
});

/** In a process forked from this one: both stores go on showing what is held here. */
export function freezeStores(): void {
  for (const shared of [false, true]) getStore(shared).freeze();
}

let opener: (path: string) => Store = openStore;

/** How the stores below the paths are opened, for a process that has them open already; null: as usual. */
export function setStoreOpener(open: ((path: string) => Store) | null): void {
  closeStores();
  opener = open ?? openStore;
}

/** The store as of the present snapshot. */
export function getStore(shared: boolean): Store {
  return (shared ? globalStore : databaseStore) ?? open(shared);
}

function open(shared: boolean): Store {
  const path = shared ? globalPath : databasePath;
  if (path === null) throw internalError(shared ? 'global/ is not open' : 'no database is open');
  const store = opener(path);
  if (shared) globalStore = store; else databaseStore = store;
  return store;
}

/** Both environments as of now. */
export function renewStores(): void {
  (databaseStore ?? (databasePath === null ? null : open(false)))?.renew();
  (globalStore ?? (globalPath === null ? null : open(true)))?.renew();
}

/** Both environments as of now, while scans that are under way go on with what they saw; nothing to do where nothing was committed. */
export function advanceStores(): void {
  if (databaseStore !== null && !databaseStore.isNewest()) databaseStore.advance();
  if (globalStore !== null && !globalStore.isNewest()) globalStore.advance();
}

/** One environment as of now, while scans that are under way go on with what they saw. */
export function advanceSnapshot(shared: boolean): void {
  getStore(shared).advance();
}

export function releaseStores(): void {
  databaseStore?.release();
  globalStore?.release();
}

// --- commitSeq and catalog version of the present snapshot, read when asked for -------------------------------------

const seqOf = [{ snapshotId: 0, seq: 0 }, { snapshotId: 0, seq: 0 }];

/** commitSeq of the present snapshot. */
export function snapshotSeq(shared: boolean): number {
  const cached = seqOf[shared ? 1 : 0]!;
  const store = getStore(shared);
  if (cached.snapshotId !== store.snapshotId) {
    cached.seq = store.meta(META.commitSeq);
    cached.snapshotId = store.snapshotId;
  }
  return cached.seq;
}

/** Whether what a lock was granted on may be newer than the present snapshot. */
export function isStale(answer: { waited: boolean; changedSeq: number }, shared: boolean): boolean {
  return answer.waited || (answer.changedSeq < 0 ? !getStore(shared).isNewest() : answer.changedSeq > snapshotSeq(shared));
}

let versionOf = { database: 0, global: 0, version: 0 };

/** A number for the state of all catalogs, in the present snapshot or in the one that they have of their own. */
export function storedCatalogVersion(): number {
  return catalogs === null ? presentCatalogVersion() : catalogs.version;
}

function presentCatalogVersion(): number {
  const database = databaseStore?.snapshotId ?? 0, global = globalStore?.nextSnapshotId ?? 0;
  if (versionOf.database !== database || versionOf.global !== global) {
    const version = (databaseStore?.meta(META.catalogVersion) ?? 0) + (globalStore?.meta(META.catalogVersion) ?? 0) * 2 ** 28;
    versionOf = { database, global, version };
  }
  return versionOf.version;
}

/** Plans that are running, and how many of them were when the present snapshot was taken: as long as more are, it is theirs. */
export const plans = { running: 0, whenTaken: 0 };

// --- Snapshots kept beside the present one ---------------------------------------------------------------------------

export interface SavedSnapshot { readonly database: HeldSnapshot | null; readonly global: HeldSnapshot | null }

/** Keeps the present snapshot. */
export function holdSnapshot(): SavedSnapshot {
  return { database: databaseStore?.hold() ?? null, global: globalStore?.hold() ?? null };
}

/** Reads see this snapshot from now on. */
export function useSnapshot(saved: SavedSnapshot): void {
  if (saved.database !== null) databaseStore!.use(saved.database);
  if (saved.global !== null) globalStore!.use(saved.global);
}

/** What `look` finds in the newest snapshot of one environment; the present one comes back after it. */
export function seenNewest<T>(shared: boolean, look: () => T): T {
  const saved = holdSnapshot();
  try {
    advanceSnapshot(shared);
    return look();
  } finally {
    useSnapshot(saved);
    dropSnapshot(saved);
  }
}

/** What another session of this database needs to read a snapshot that is held here. */
export interface DescribedSnapshot { readonly database: Buffer; readonly global: Buffer }

export function describeSnapshot(saved: SavedSnapshot): DescribedSnapshot {
  return { database: databaseStore!.describe(saved.database!), global: globalStore!.describe(saved.global!) };
}

/** Reads see another session's snapshot from now on. False, and nothing done: that one has let it go. `hear`: from the writers of
 * both environments, after which they know that somebody else reads it. */
export function takeSnapshot(described: DescribedSnapshot, hear: () => void): boolean {
  const stores = [getStore(false), getStore(true)], descriptions = [described.database, described.global];
  const taken = stores.map((store, i) => store.take(descriptions[i]!));
  if (taken.every((snapshot) => snapshot !== null)) hear();
  const held = taken.every((snapshot, i) => snapshot !== null && stores[i]!.isStillHeld(descriptions[i]!));
  stores.forEach((store, i) => {
    const snapshot = taken[i]!;
    if (snapshot === null) return;
    if (held) store.use(snapshot);
    store.unhold(snapshot);
  });
  return held;
}

export function dropSnapshot(saved: SavedSnapshot): void {
  if (saved.database !== null) databaseStore!.unhold(saved.database);
  if (saved.global !== null) globalStore!.unhold(saved.global);
}

// --- Catalogs of a transaction that keeps its snapshot ---------------------------------------------------------------

/** Such a transaction works with the catalogs as they are by now, like any other: rows must not be written to a table as it once was.
 * Null: since the snapshot nobody has changed them, and it shows them as well. */
let catalogs: { readonly snapshot: SavedSnapshot; readonly version: number } | null = null;
/** What is read now is read by the present snapshot. */
let byPresent = false;

/** Looks what has become of the catalogs. Whether they are others than before. */
export function renewCatalogSnapshot(): boolean {
  if (databaseStore?.isNewest() !== false && globalStore?.isNewest() !== false) return false;
  const before = storedCatalogVersion(), present = holdSnapshot(), atPresent = presentCatalogVersion();
  advanceStores();
  const version = presentCatalogVersion(), snapshot = version === before ? null : holdSnapshot();
  useSnapshot(present);
  dropSnapshot(present);
  if (snapshot === null) return false;
  endCatalogSnapshot();
  if (version === atPresent) dropSnapshot(snapshot);
  else catalogs = { snapshot, version };
  return true;
}

export function endCatalogSnapshot(): void {
  if (catalogs === null) return;
  dropSnapshot(catalogs.snapshot);
  catalogs = null;
}

/** Whether catalogs have a snapshot of their own. */
export const hasCatalogSnapshot = (): boolean => catalogs !== null;

/** What `look` finds in the catalogs as they are to be worked with. */
export function byCatalogSnapshot<T>(look: () => T): T {
  if (catalogs === null || byPresent) return look();
  const present = holdSnapshot();
  byPresent = true;
  try {
    useSnapshot(catalogs.snapshot);
    return look();
  } finally {
    useSnapshot(present);
    dropSnapshot(present);
    byPresent = false;
  }
}

/** What `look` finds in the catalogs as queries that name them do. */
export function byPresentSnapshot<T>(look: () => T): T {
  const outer = byPresent;
  byPresent = true;
  try {
    return look();
  } finally {
    byPresent = outer;
  }
}

/** Runs something with the newest commit for all reads, catalogs and others; after it both snapshots come back. */
export function besideSnapshot<T>(work: () => T): T {
  const present = holdSnapshot(), kept = catalogs;
  catalogs = null;
  try {
    advanceStores();
    return work();
  } finally {
    catalogs = kept;
    useSnapshot(present);
    dropSnapshot(present);
    renewCatalogSnapshot();
  }
}
