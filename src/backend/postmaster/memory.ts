// The postmaster's own memory. A fork copies its page tables, and a child copies every page it then writes: what is not
// there costs no connection anything.
import v8 from 'node:v8';
import vm from 'node:vm';
import { FatalError } from '../../common/errors.ts';
import { port } from '../../port/port.ts';
import { log } from '../utils/elog.ts';
import { getString } from '../utils/guc.ts';
import { countMemoryFromHere } from '../utils/memory_limit.ts';

/** huge_pages: the program's text in huge pages, which children inherit at no cost. */
export function useHugePages(): void {
  const wanted = getString('huge_pages');
  if (wanted === 'off') return;
  const bytes = port.hugeText();
  if (bytes === 0 && wanted === 'on') throw new FatalError('insufficient_resources', 'huge pages are not available on this system');
  log('DEBUG1', `program text in huge pages: ${bytes} bytes`);
}

/** When V8 compiles, as counts of calls; `default`: as V8 does, but Turbofan, which costs a session half a second, later.
 * A function that a collection has put back to its beginning waits for as many calls as the next compiler would have wanted:
 * hence few for Turbofan while it is off. A session begins without both: many functions come from the rehearsal with few calls
 * left to go, and their turn would be now. (With Maglev the first UPDATE of a session took 9.4 million instructions, not 3.5.) Its
 * count for Turbofan is that for Maglev: while there is neither, a function whose turn comes is given the former, and waits for it. */
const TURBOFAN_AFTER = '--invocation-count-for-turbofan=12000', MAGLEV_AFTER = ['--invocation-count-for-maglev=400', '--minimum-invocations-after-ic-update=500'];
const COMPILING = {
  rehearsal: ['--no-use-osr', '--no-turbofan', '--invocation-count-for-turbofan=50', '--invocation-count-for-maglev=8', '--minimum-invocations-after-ic-update=8'],
  secondAct: ['--turbofan', '--invocation-count-for-turbofan=150'],
  lastAct: ['--no-turbofan', TURBOFAN_AFTER],
  curtain: MAGLEV_AFTER,
  encore: ['--no-maglev'],
  beginning: ['--use-osr', '--no-maglev', '--no-turbofan', '--invocation-count-for-turbofan=400', ...MAGLEV_AFTER],
  session: ['--maglev', TURBOFAN_AFTER],
  default: ['--use-osr', '--maglev', '--turbofan', TURBOFAN_AFTER, ...MAGLEV_AFTER],
};

/** Machine code of the first compilers counts calls in the heap, at places all over it: each is a page that every child
 * copies. Maglev's does not when it is the last compiler, so what each session runs ends there: the rehearsal compiles
 * early, and its last act without Turbofan, which has had the hot scenes before. */
export function compileFor(next: keyof typeof COMPILING): void {
  if (next !== phase) for (const flag of COMPILING[next]) v8.setFlagsFromString(flag);
  phase = next;
}
let phase: keyof typeof COMPILING = 'default';

let gc: ((options: object) => void) | undefined;

/** How far the heap grows beyond what was left by the last major collection before the next one: not by what V8 thinks fit, which
 * depends on how fast the machine is just now. A collection that nobody expects throws out half of what the rehearsal has
 * learnt; and it writes to every page, so that a child has all of them to itself from then on. */
const growTo = (percent: number): void => v8.setFlagsFromString(`--heap-growing-percent=${percent}`);
/** The rehearsal would leave the young generation as large as it gets. A session begins with a small one, which it writes to all over
 * and again, and which is its own memory; it grows with statements of which much survives. */
const youngMayGrow = (may: boolean): void => v8.setFlagsFromString(`--semi-space-growth-factor=${may ? 2 : 1}`);
const REHEARSAL_GROWTH = 300, SESSION_GROWTH = 100;

/** Pages of which so many percent are free are emptied by a collection that reduces memory, up to so many megabytes in one; V8's
 * own: 20, 12. With 0 everything is moved, and what is left of a heap of 150 MB stands side by side: before, it lay in every
 * second huge page, and 2,000 of the 4,000 small pages that a fork copied entries for were single pages of V8's (256 kB). */
function compactFrom(percent: number, most: number): void {
  v8.setFlagsFromString(`--compaction-target-fragmentation-percent-for-reduce-memory=${percent}`);
  v8.setFlagsFromString(`--compaction-max-evacuated-bytes-mb-for-reduce-memory=${most}`);
}

/** Throws out what loading left behind. Compiled functions stay (the launcher says --no-flush-bytecode), but what they
 * have learnt about shapes of objects does not survive when no object of the shape is left. So after warming only the
 * young are collected (`minor`): otherwise every child would learn, and compile, anew. */
export function collectGarbage(type: 'major' | 'minor'): void {
  if (gc === undefined) {
    v8.setFlagsFromString('--expose-gc');
    // Without threads a collection in steps takes no shorter pause in the end, and more time; and it begins long before the limit.
    v8.setFlagsFromString('--no-incremental-marking');
    // Memory outside the heap counts as the heap's does, with the same limit. Else V8 would collect all for every 64 MB of it that
    // come: in the manager with each large commit, three times in a large statement; now the young are collected first.
    v8.setFlagsFromString('--external-memory-accounted-in-global-limit');
    v8.setFlagsFromString('--external-memory-max-growing-factor=2');
    gc = vm.runInNewContext('gc') as (options: object) => void;
  }
  if (type === 'major') {
    compactFrom(0, 1024);
    gc({ type, execution: 'sync', flavor: 'last-resort' });
    compactFrom(20, 12);
  }
  growTo(REHEARSAL_GROWTH);
  youngMayGrow(false);
  // After one that reduces memory V8 lets the heap grow by little until the next major one, which would throw out what
  // has been learnt since: a regular one sets its mind at rest.
  gc({ type, execution: 'sync' });
}

/** Nobody is there: what is not needed goes. Before the rehearsal nothing has been learnt that collecting could lose. */
export function restMemory(rehearsed: boolean): void {
  if (!rehearsed) collectGarbage('major');
  port.releaseMemory();
}

/** What fills the holes of V8's space for code; kept, that they stay filled. */
const fillers: RegExp[] = [];

/** Machine code that a child makes goes into holes between the code it has inherited, and each one breaks up a huge page of
 * it: the child then reads the hottest memory there is by pages of 4 kB, missing in the table of translations thousands of
 * times in a transaction. So the holes are filled, with regular expressions of all sizes, until new code stands in a huge
 * page of its own. */
function fillCodeSpace(): void {
  const codeSpace = (): number => v8.getHeapSpaceStatistics().find((space) => space.space_name === 'code_space')!.space_size;
  v8.setFlagsFromString('--no-regexp-tier-up');
  for (const length of [500, 50, 1]) {
    for (const before = codeSpace(); codeSpace() === before;) {
      for (let i = 0; i < 16; i++) {
        const filler = new RegExp(`${fillers.length}${'x'.repeat(length)}`, 'y');
        filler.test('');
        fillers.push(filler);
      }
    }
  }
  v8.setFlagsFromString('--regexp-tier-up');
}

/** How many bytes can be in huge pages. */
let hugeBytes = 0, mendings = 0;
/** A page that somebody looks at all the time shall not keep us busy for ever. */
const MENDINGS = 10;

/** Puts into huge pages again what the postmaster's JavaScript has written while children lived. Some milliseconds for each that was
 * broken up. False: not all could be, for a child was just looking at some. */
export function mendHugePages(): boolean {
  if (getString('huge_pages') === 'off') return true;
  const from = performance.now(), bytes = port.collapseMemory();
  log('DEBUG2', `memory in huge pages again: ${bytes} bytes, ${(performance.now() - from).toFixed(0)} ms`);
  mendings = bytes < hugeBytes && mendings < MENDINGS ? mendings + 1 : 0;
  hugeBytes = Math.max(hugeBytes, bytes);
  return mendings === 0;
}

/** Gets the memory ready for being forked; the last thing before listening. */
export function settleMemory(): void {
  // As a session begins: each flag that a child sets costs it 10,000 instructions.
  compileFor('beginning');
  collectGarbage('minor');
  growTo(SESSION_GROWTH);
  youngMayGrow(true);
  if (getString('huge_pages') !== 'off') fillCodeSpace();
  countMemoryFromHere();
  const filled = port.packMemory();
  log('DEBUG1', `holes in memory filled: ${filled} bytes`);
  mendHugePages();
}
