// Parts of Node that cost much to load, a first connection does not need, and a later one should find there: they are loaded
// when they are asked for, and by a postmaster as soon as it has time (`loadBuiltins`).
type Builtins = { crypto: typeof import('node:crypto'); zlib: typeof import('node:zlib'); os: typeof import('node:os') };

const loaded: Partial<Builtins> = {};

export const crypto = (): Builtins['crypto'] => loaded.crypto ??= process.getBuiltinModule('node:crypto');
export const zlib = (): Builtins['zlib'] => loaded.zlib ??= process.getBuiltinModule('node:zlib');
export const os = (): Builtins['os'] => loaded.os ??= process.getBuiltinModule('node:os');

export function loadBuiltins(): void {
  for (const load of [crypto, zlib, os]) load();
}
