// What a service manager and the postmaster tell each other: sockets passed in (LISTEN_FDS, LISTEN_FDNAMES; see
// sd_listen_fds(3)), states told (NOTIFY_SOCKET; sd_notify(3)), and the watchdog.
import { port } from '../../port/port.ts';

const FIRST_PASSED_FD = 3;

export interface PassedSocket {
  fd: number;
  name: string;
}

/** Whether a service manager has passed sockets to this process (and takePassedSockets has not been called). */
export const socketsArePassed = (): boolean => Number(process.env['LISTEN_PID']) === port.getpid() && Number(process.env['LISTEN_FDS']) > 0;

/** The sockets passed to this process; the variables are gone afterwards, so that no child takes them for its own. */
export function takePassedSockets(): PassedSocket[] {
  const { LISTEN_PID: pid, LISTEN_FDS: count, LISTEN_FDNAMES: names } = process.env;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete process.env[name];
  if (count === undefined || Number(pid) !== port.getpid()) return [];
  const list = (names ?? '').split(':');
  return Array.from({ length: Number(count) || 0 }, (_, i) => ({ fd: FIRST_PASSED_FD + i, name: list[i] ?? '' }));
}

/** Names them again for the program that this process becomes. */
export function handOnSockets(sockets: readonly PassedSocket[]): void {
  Object.assign(process.env, { LISTEN_PID: String(port.getpid()), LISTEN_FDS: String(sockets.length), LISTEN_FDNAMES: sockets.map(({ name }) => name).join(':') });
}

let notifySocket = process.env['NOTIFY_SOCKET'] ?? '';

/** Nothing happens when nobody wants to know. */
export function notify(...states: readonly string[]): void {
  if (notifySocket === '') return;
  port.sendDatagram(notifySocket, Buffer.from(states.join('\n'), 'utf8'));
}

export const serviceManagerListens = (): boolean => notifySocket !== '';

/** A child does not speak for the postmaster. (Parentheses as around beChild.) */
export const forgetNotifySocket: () => void = (function forgetNotifySocket(): void {
  notifySocket = '';
});

/** How often the service manager wants to hear from us, in milliseconds (half of its patience); 0: not at all. */
export function watchdogIntervalMs(): number {
  const { WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = process.env;
  if (usec === undefined || (pid !== undefined && Number(pid) !== port.getpid())) return 0;
  return Math.max(1, Math.floor(Number(usec) / 2000)) || 0;
}

export function monotonicUsec(): string {
  return String(process.hrtime.bigint() / 1000n);
}
