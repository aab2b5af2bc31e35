// Writes what V8 makes of the bundle beside it: node <flags> tools/code_cache.ts <folder> <site> <result>
// It is a postmaster that rehearses and then, instead of listening, keeps the code: whatever a postmaster and a backend
// run is in it. The flags must be those the programs are started with, --random-seed and --predictable apart.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import v8 from 'node:v8';
import type { Script } from 'node:vm';

const [folder, site, result] = process.argv.slice(2) as [string, string, string];
const { script, use } = createRequire(import.meta.url)(join(folder, 'start.cjs')) as { script: Script; use: (place: string) => Record<string, unknown> };
const { Server } = use('backend/postmaster/server_loop.js') as { Server: { prototype: { run: () => void } } };
Server.prototype.run = () => {
  v8.setFlagsFromString('--no-expose-gc');
  writeFileSync(result, script.createCachedData());
  process.exit(0);
};
process.argv.splice(1, Infinity, 'postmaster', '-D', site, '-c', 'listen_addresses=', '-k', site, '-c', 'log_min_messages=fatal', '-c', 'huge_pages=off');
use('bin/postmaster.js');
