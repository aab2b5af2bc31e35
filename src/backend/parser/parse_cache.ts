// What the parser's own caches depend on: the catalogs and the search path.
import { registerCatalogCache } from '../catalog/inval.ts';
import { refreshCatalogs } from '../catalog/inval.ts';
import { fetchSearchPath } from '../catalog/namespace.ts';

let generation: object = {};
let path: readonly number[] = [];
registerCatalogCache(() => { generation = {}; });

/** An object that is another one as soon as a catalog or the search path has changed. */
export function catalogVersionKey(): object {
  refreshCatalogs();
  const now = fetchSearchPath(true);
  if (now !== path) {
    if (now.length !== path.length || now.some((oid, i) => oid !== path[i])) generation = {};
    path = now;
  }
  return generation;
}
