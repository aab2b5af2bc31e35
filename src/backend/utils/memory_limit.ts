// How much memory a backend may take. V8 ends a process whose heap is full, so we must be there first: wherever
// interrupts are looked for, now and then the heap is looked at too, and past the limit the statement fails (53200) and
// lets go of what it held. The figure V8 gives counts garbage along, so before an error is thrown it is collected.
//
// V8 collects only while something is made: what a large statement leaves would stay as long as its session idles. So
// whoever waits for the next statement looks whether the last ones were large, and then gives memory back.
import v8 from 'node:v8';
import vm from 'node:vm';
import { PgError } from '../../common/errors.ts';
import { port } from '../../port/port.ts';
import { defineHooks, defineSetting, getInt } from './guc.ts';

const RESOURCES_MEMORY = 30;
defineSetting(['backend_memory_limit', 'integer', 'superuser', '2097152', 'kB', 65536, 2147483647, null, RESOURCES_MEMORY,
  'Sets the maximum memory of a server process.', 'A statement that needs more fails. What V8 can manage is a limit as well.', '']);

/** Of V8's own limit so much is left alone: near it collecting garbage takes all the time. */
const SHARE_OF_HEAP = 0.7;
/** Below this nothing is collected just to know better. */
const STEP_BYTES = 64 << 20;

let collect: ((options?: object) => void) | null = null;
/** So much may be in use, garbage included, before it is looked at closely again. */
let nextLookBytes = 0;
defineHooks('backend_memory_limit', { assign: () => { nextLookBytes = roomBytes = 0; } });

/** What the postmaster had, which its children share with it: not theirs. */
let inheritedBytes = 0;

/** What is in use now counts for nobody: in the postmaster, before it forks. */
export function countMemoryFromHere(): void {
  const { heap, external } = inUse();
  inheritedBytes = heap + external;
}

function limits(): { heap: number; all: number } {
  return { heap: v8.getHeapStatistics().heap_size_limit * SHARE_OF_HEAP, all: inheritedBytes + getInt('backend_memory_limit') * 1024 };
}

let mappedBytes = 0;
/** So many bytes more (less) of V8's external memory are files that are mapped: the kernel has them back when it likes. */
export function noteMapped(bytes: number): void {
  mappedBytes += bytes;
}

/** What V8 says of this process. */
function inUse(): { heap: number; external: number } {
  const { used_heap_size: heap, external_memory: external } = v8.getHeapStatistics();
  return { heap, external: Math.max(0, external - mappedBytes) };
}

/** More than this in use, and an idle session has something to give back; then so much more than what it could not. */
const LARGE_BYTES = 128 << 20, LARGER_BYTES = 64 << 20;
let largeFrom = LARGE_BYTES, wasLarge = false;

/** Whether a statement has taken much memory since `giveMemoryBack`. */
export const memoryWasLarge = (): boolean => wasLarge;

/** Collects garbage, and returns to the system what is free. It takes a tenth of a second, or several. As a last resort: else V8
 * keeps the pages for a task that gives them back later, which never comes where nothing turns the event loop. */
export function giveMemoryBack(): void {
  collectGarbage({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  port.releaseMemory();
  forgetLargeMemory();
}

/** What is in use now is nothing that a statement has left: in the postmaster, after a rehearsal. Its children would all take it for that,
 * look before each message whether the next one comes soon, and collect garbage for a tenth of a second when they idle. */
export function forgetLargeMemory(): void {
  const { heap, external } = inUse();
  largeFrom = Math.max(LARGE_BYTES, heap + external + LARGER_BYTES);
  wasLarge = false;
}

const droppable: (() => void)[] = [];
/** Calls this before garbage is collected because memory is short, or an idle session gives it back. */
export function whenMemoryIsShort(forget: () => void): void {
  droppable.push(forget);
}

function collectGarbage(options?: object): void {
  for (const forget of droppable) forget();
  if (collect === null) {
    v8.setFlagsFromString('--expose-gc');
    collect = vm.runInNewContext('gc') as (options?: object) => void;
  }
  if (options) collect(options);
  else collect(); // more thorough than with `undefined`
}

/** How often to ask before looking again, far from the limit and near it: the look itself takes 4 to 30 microseconds. */
const SELDOM = 256, OFTEN = 32;

/** Throws 53200 when the process has more than it may; else tells after how many calls to look again. */
export function checkMemory(): number {
  const { heap, external } = inUse();
  if (heap + external > largeFrom) wasLarge = true;
  const often = heap + external < nextLookBytes / 4 ? SELDOM : OFTEN;
  if (heap + external < nextLookBytes) return often;
  const { heap: heapLimit, all } = limits();
  const limit = Math.min(heapLimit, all);
  if (heap < limit && heap + external < all) {
    nextLookBytes = limit;
    return heap + external < limit / 4 ? SELDOM : OFTEN;
  }
  collectGarbage();
  const after = inUse();
  const live = after.heap + after.external;
  if (after.heap < limit && live < all) {
    // Mostly garbage: half of what is left may pile up before the next look.
    nextLookBytes = live + Math.max(STEP_BYTES, (Math.min(all, limit + after.external) - live) / 2);
    return OFTEN;
  }
  nextLookBytes = 0;
  throw outOfMemory(live, limit);
}

const megabytes = (bytes: number): number => Math.round(bytes / 1048576);

function outOfMemory(live: number, limit: number, wanted = ''): PgError {
  const [used, allowed] = [live, limit].map((bytes) => megabytes(bytes - inheritedBytes));
  return new PgError('out_of_memory', 'out of memory', { detail: `The server process uses ${used} MB of memory${wanted}, its limit is ${allowed} MB.` });
}

/** Values below this need not be announced. */
const LARGE_VALUE_BYTES = 1 << 16;
/** So much may be announced before the next look. */
let roomBytes = 0;

/** "I am about to make so many bytes": throws 53200 when the process would have more than it may. For whatever can make much
 * more than it was given, before it does: between two interrupts there is no other look, and V8 ends a process that has no room. */
export function expectBytes(bytes: number): void {
  if (bytes >= LARGE_VALUE_BYTES && (roomBytes -= bytes) < 0) lookForRoom(bytes);
}

function lookForRoom(bytes: number): void {
  const { heap, all } = limits(), limit = Math.min(heap, all);
  const used = (): number => { const now = inUse(); return now.heap + now.external; };
  let live = used();
  if (live + bytes > limit) {
    roomBytes = 0;
    if (bytes <= limit) collectGarbage();
    live = used();
    if (live + bytes > limit) throw outOfMemory(live, limit, ` and needs ${megabytes(bytes)} MB more`);
  }
  if (bytes > largeFrom) wasLarge = true;
  roomBytes = (limit - live - bytes) / 4;
}
