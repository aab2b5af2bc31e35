// Loading and warming: what the postmaster does once so that its children find everything there, compiled and in
// memory that they share with it (ARCHITECTURE.md, chapter 1).
import '../types/index.ts';
import '../catalog/functions.ts';
import '../executor/domains.ts';
import '../executor/spi.ts';
import '../rewrite/ruleutils/functions.ts';
import '../commands/index.ts';
import '../pl/plpgsql/index.ts';
import { warmSyscache } from '../catalog/syscache.ts';
import { getBool } from '../utils/guc.ts';
import { loadParser } from '../parser/raw_parser.ts';
import { log } from '../utils/elog.ts';
import { installAuthCatalog } from './init.ts';
import { rehearse } from './rehearsal.ts';
import { registerSessionCallbacks } from './session_callbacks.ts';

/** Everything that must be loaded before a backend can run; once per process tree. */
export async function loadBackend(): Promise<void> {
  await loadParser();
  registerSessionCallbacks();
}

/** In the postmaster, before it listens. */
export async function warmUp(collectGarbage: () => void): Promise<void> {
  await loadBackend();
  installAuthCatalog();
  warmSyscache();
  const errors = !getBool('dress_rehearsal') ? [] : rehearse(collectGarbage);
  for (const error of errors) log('DEBUG1', `rehearsal: ${error}`);
}
