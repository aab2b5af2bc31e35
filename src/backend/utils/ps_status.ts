// The process title: "posthouse: user database address activity", as `ps` shows it. It is written straight into the
// memory the kernel reads; changing the activity costs one short copy.
import { port } from '../../port/port.ts';
import { settings } from './settings.ts';

const PREFIX = 'posthouse: ';

let area: Buffer | null = null;
let fixedLength = 0;
let usedLength = 0;
let current = '';

/** The part that stays for the life of the process, e.g. "alice shop 10.0.0.7(5123)" or "postmaster". */
export function initPsStatus(fixed: string, activity = ''): void {
  if (area === null) {
    const bytes = port.titleArea();
    area = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  port.setProcessName('posthouse');
  area.fill(0);
  // The last byte stays zero: the kernel takes it for the end.
  fixedLength = usedLength = area.utf8Write(PREFIX + fixed + ' ', 0, area.length - 1);
  current = '';
  setPsStatus(activity, true);
}

/** What the process is doing now: "idle", "SELECT", "INSERT waiting". ASCII. */
export function setPsStatus(activity: string, force = false): void {
  if (activity === current || area === null || (!settings.update_process_title && !force)) return;
  current = activity;
  // A few bytes: by hand that is cheaper than two calls out of JavaScript.
  const end = Math.min(fixedLength + activity.length, area.length - 1);
  for (let i = fixedLength; i < end; i++) area[i] = activity.charCodeAt(i - fixedLength);
  for (let i = end; i < usedLength; i++) area[i] = 0;
  usedLength = end;
}

/** What was set last. */
export function getPsStatus(): string {
  return current;
}
