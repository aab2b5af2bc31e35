// A postmaster that has rehearsed is three times as large as one that has not, and nothing smaller keeps what it has learnt
// (tcop/README.md). So when nobody has been there for a while (idle_restart) it becomes a new one: the same program and process,
// with the sockets it was passed and its lock, by execve(2). Who connects meanwhile waits in the queue of the socket.
import { readFileSync } from 'node:fs';
import { port } from '../../port/port.ts';
import { initPsStatus } from '../utils/ps_status.ts';
import { log } from '../utils/elog.ts';
import { forkProof } from './children.ts';
import { errorText, type Listeners } from './listen.ts';
import type { LockFile } from './lock_file.ts';
import { handOnSockets, notify } from './systemd.ts';

/** What the program before left word of: "<pid> <descriptor of the lock> <when the last session ended, in ms of the monotonic clock>". */
const VARIABLE = 'POSTHOUSE_ANEW';

export interface Continued {
  lockFd: number;
  /** When the last session ended (performance.now(); negative). */
  idleSince: number;
}

let commandLine = Buffer.alloc(0), startFolder = '';

const monotonicMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);

/** First of all: how this program was started (the title that `ps` shows goes over it), and whether it continues another. */
export function rememberStart(): Continued | null {
  commandLine = readFileSync('/proc/self/cmdline');
  try {
    startFolder = process.cwd();
  } catch {
    startFolder = '/'; // it has been removed
  }
  const [pid, lockFd, idleSince] = (process.env[VARIABLE] ?? '').split(' ').map(Number);
  delete process.env[VARIABLE];
  if (pid !== port.getpid() || lockFd === undefined || idleSince === undefined) return null;
  return { lockFd, idleSince: performance.now() - (monotonicMs() - idleSince) };
}

/** Becomes a new postmaster. Comes back with false when a signal has to be answered first (signals[0] is not `known`), and with
 * true when it cannot be: then it is over, and who passed the sockets starts the next one. */
export function becomeAnew(listeners: Listeners, siteLock: LockFile, idleSince: number, known: number): boolean {
  handOnSockets(listeners.passedSockets);
  process.env[VARIABLE] = `${port.getpid()} ${siteLock.fd} ${Math.round(monotonicMs() - (performance.now() - idleSince))}`;
  const siteFolder = process.cwd();
  notify('WATCHDOG=1');
  try {
    process.chdir(startFolder);
  } catch {
    // No longer there; it matters only to a relative path.
  }
  const error = port.exec(process.execPath, commandLine, Int32Array.from([...listeners.fds, siteLock.fd]), known);
  process.chdir(siteFolder);
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', VARIABLE]) delete process.env[name];
  if (port.signals[0] !== known) return false;
  log('LOG', `could not execute "${process.execPath}": ${errorText(error)}`);
  return true;
}

/** A site whose configuration or files would not let a postmaster start keeps the one it has. A child looks, which may read the
 * settings anew without harm, once for each time without sessions. */
export class StartCheck {
  private readonly wouldStart: () => boolean;
  private pid = 0;
  private done = false;

  constructor(wouldStart: () => boolean) {
    this.wouldStart = wouldStart;
  }

  begin(): void {
    this.done = true;
    this.pid = Math.max(0, forkProof(() => {
      initPsStatus('start check');
      port._exit(this.wouldStart() ? 0 : 1);
    }));
  }

  /** There is nothing to be found out, now. */
  get rests(): boolean {
    return this.done || this.pid !== 0;
  }

  /** What was found, or is being, does not hold any longer: a session was there, or the configuration is another. */
  forget(): void {
    this.done = false;
  }

  /** Whether the child that has ended found all well; undefined: it is not ours. */
  ended(pid: number, status: number): boolean | undefined {
    if (pid !== this.pid) return undefined;
    this.pid = 0;
    return status === 0;
  }
}
