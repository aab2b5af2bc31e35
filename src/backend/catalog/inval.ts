// When cached catalog facts are stale (PostgreSQL's inval.c). There are no messages here: every environment counts the
// commits that touched its catalogs, and a snapshot has the number of its time. Whoever keeps facts from catalogs
// registers how to forget them; `refreshCatalogs()` before a look-up forgets all when the number is another, or when
// this transaction itself has changed a catalog since.

const forgetters: (() => void)[] = [];
let changed = false;

/** Adds a cache: `forget` empties it. */
export function registerCatalogCache(forget: () => void): void {
  forgetters.push(forget);
}

/** This transaction has changed a catalog, or rolled such a change back: everything cached is in doubt. */
export function invalidateCatalogs(): void {
  changed = true;
}

/** Forgets what is stale. Cheap when nothing is. */
export function refreshCatalogs(): void {
  if (!changed) return;
  changed = false;
  for (const forget of forgetters) forget();
}
