// The postmaster's own memory. A fork copies its page tables, and a child copies every page it then writes: what is not
// there costs no connection anything.
import v8 from 'node:v8';
import vm from 'node:vm';
import { FatalError } from '../../common/errors.ts';
import { port } from '../../port/port.ts';
import { log } from '../utils/elog.ts';
import { getString } from '../utils/guc.ts';

/** huge_pages: the program's text in huge pages, which children inherit at no cost. */
export function useHugePages(): void {
  const wanted = getString('huge_pages');
  if (wanted === 'off') return;
  const bytes = port.hugeText();
  if (bytes === 0 && wanted === 'on') throw new FatalError('insufficient_resources', 'huge pages are not available on this system');
  log('DEBUG1', `program text in huge pages: ${bytes} bytes`);
}

/** Throws out what loading left behind. Compiled functions stay (the launcher says --no-flush-bytecode), but what they
 * have learnt about shapes of objects does not survive when no object of the shape is left. So after warming only the
 * young are collected (`minor`): otherwise every child would learn, and compile, anew. */
export function collectGarbage(type: 'major' | 'minor'): void {
  v8.setFlagsFromString('--expose-gc');
  const gc = vm.runInNewContext('gc') as (options: object) => void;
  gc(type === 'major' ? { type, execution: 'sync', flavor: 'last-resort' } : { type, execution: 'sync' });
}

/** Nobody is there: what is not needed goes. Before the rehearsal nothing has been learnt that collecting could lose. */
export function restMemory(rehearsed: boolean): void {
  if (!rehearsed) collectGarbage('major');
  port.releaseMemory();
}

/** Gets the memory ready for being forked; the last thing before listening. */
export function settleMemory(): void {
  collectGarbage('minor');
  const filled = port.packMemory(), huge = getString('huge_pages') === 'off' ? 0 : port.collapseMemory();
  log('DEBUG1', `holes in memory filled: ${filled} bytes; memory in huge pages: ${huge} bytes`);
}
