// Parts of Node that cost much to load, a first connection does not need, and a later one should find there: they are loaded
// when they are asked for, and by a postmaster as soon as it has time (`loadBuiltins`).
import { createRequire } from 'node:module';

type Loader = NodeJS.Process['getBuiltinModule'];

/** A part of Node, loaded now. Before version 22.3 Node has `require` alone for that, and LIBPQ runs on versions from 18. */
export const builtin: Loader = process.getBuiltinModule as Loader | undefined ?? (createRequire(import.meta.url) as Loader);

type Builtins = { crypto: typeof import('node:crypto'); zlib: typeof import('node:zlib'); os: typeof import('node:os') };

const loaded: Partial<Builtins> = {};

export const crypto = (): Builtins['crypto'] => loaded.crypto ??= builtin('node:crypto');
export const zlib = (): Builtins['zlib'] => loaded.zlib ??= builtin('node:zlib');
export const os = (): Builtins['os'] => loaded.os ??= builtin('node:os');

export function loadBuiltins(): void {
  for (const load of [crypto, zlib, os]) load();
}
