// When cached catalog facts are stale (PostgreSQL's inval.c). There are no messages here: every environment counts the
// commits that touched its catalogs, a snapshot has the number of its time, and a transaction that changes catalogs
// itself has numbers of its own (xact.catalogVersion). Whoever keeps facts from catalogs registers how to forget them;
// `refreshCatalogs()` before a look-up forgets all when the number is another than last time.
import { catalogVersion } from '../transaction/xact.ts';

const forgetters: (() => void)[] = [];
let seen = 0;

/** Adds a cache: `forget` empties it. */
export function registerCatalogCache(forget: () => void): void {
  forgetters.push(forget);
}

/** Forgets everything: another database comes. */
export function forgetCatalogs(): void {
  for (const forget of forgetters) forget();
}

/** Forgets what is stale. Cheap when nothing is. */
export function refreshCatalogs(): void {
  const version = catalogVersion();
  if (version === seen) return;
  seen = version;
  for (const forget of forgetters) forget();
}
