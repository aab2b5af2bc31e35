// Loading and warming: what the postmaster does once so that its children find everything there, compiled and in
// memory that they share with it (ARCHITECTURE.md, chapter 1).
import '../types/index.ts';
import '../catalog/functions.ts';
import '../executor/domains.ts';
import '../executor/spi.ts';
import '../rewrite/ruleutils/functions.ts';
import '../commands/index.ts';
import './current_of.ts';
import '../pl/plpgsql/index.ts';
import { warmSyscache } from '../catalog/syscache.ts';
import { getBool } from '../utils/guc.ts';
import { loadParser } from '../parser/raw_parser.ts';
import { installAuthCatalog } from './init.ts';
import { Rehearsal, type Stage } from './rehearsal.ts';
import { registerSessionCallbacks } from './session_callbacks.ts';

/** Everything that must be loaded before a backend can run; once per process tree. */
export async function loadBackend(): Promise<void> {
  await loadParser();
  registerSessionCallbacks();
}

/** In the postmaster, before it listens. */
export async function warmUp(): Promise<void> {
  await loadBackend();
  installAuthCatalog();
  warmSyscache();
}

/** Null: there shall be none. */
export function rehearsal(stage: Stage): Rehearsal | null {
  return getBool('dress_rehearsal') ? new Rehearsal(stage) : null;
}
