// What the watchdog of a service manager rests on: not that the postmaster's loop turns, but that the site serves. A child is
// forked as for a connection, runs a query, and looks whether the transaction managers listen to what is said to them.
import { readFileSync } from 'node:fs';
import { managerSocket } from '../../common/site.ts';
import { EINTR, POLLIN, port } from '../../port/port.ts';
import { log } from '../utils/elog.ts';
import { initPsStatus } from '../utils/ps_status.ts';
import { session } from '../utils/session.ts';
import { forkProof } from './children.ts';
import { errorText } from './listen.ts';

/** So long a manager may take to hear; beyond, it must be seen working. */
const HEARING_MS = 2000;

/** How long one that found a fault stays, that its line is known to be ours. */
const TOLD_MS = 200;

export class ProofOfLife {
  private readonly query: () => boolean;
  private readonly managers: () => ReadonlyMap<number, number>;
  /** The child that is at it, or 0. */
  private pid = 0;

  /** `query`: runs one, in the child. `managers`: pids of the managers that run, by database. */
  constructor(query: () => boolean, managers: () => ReadonlyMap<number, number>) {
    this.query = query;
    this.managers = managers;
  }

  /** False: no child can be forked, for there are as many as may be. To end those who are there would help nobody. */
  begin(): boolean {
    if (this.pid > 0) return true;
    const pid = forkProof(() => {
      if (this.attempt()) port._exit(0);
      // The journal asks the kernel of which service a line is by the process that wrote it: once one that was gone had none,
      // and `journalctl -u` did not show what the watchdog had found.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TOLD_MS);
      port._exit(1);
    });
    if (pid < 0) log('LOG', `could not fork process for the watchdog: ${errorText(pid)}`);
    else this.pid = pid;
    return pid > 0;
  }

  /** A child is at it. */
  get busy(): boolean {
    return this.pid > 0;
  }

  /** Whether the child that has ended found all well; undefined: it is not ours. */
  ended(pid: number, status: number): boolean | undefined {
    if (pid !== this.pid) return undefined;
    this.pid = 0;
    return status === 0;
  }

  private attempt(): boolean {
    session.pid = port.getpid();
    initPsStatus('watchdog');
    try {
      for (const [databaseOid, pid] of this.managers()) {
        if (hears(databaseOid) || works(pid)) continue;
        log('LOG', `transaction manager of database ${databaseOid} (PID ${pid}) does not respond`);
        return false;
      }
      if (this.query()) return true;
      log('LOG', 'the query of the watchdog was not answered as it should be');
    } catch (error) {
      log('LOG', `the query of the watchdog failed: ${error instanceof Error ? error.message : String(error)}`);
    }
    return false;
  }
}

/** A connection that says nothing and wants no more is closed by a manager as soon as it looks. */
function hears(databaseOid: number): boolean {
  const fd = port.connectUnix(managerSocket(databaseOid));
  if (fd < 0) return true; // it has just begun, or has just left
  port.shutdown(fd);
  const until = performance.now() + HEARING_MS, revents = new Int16Array(1);
  for (;;) {
    const ready = port.poll(Int32Array.of(fd), Int16Array.of(POLLIN), revents, 1, Math.max(0, until - performance.now()));
    if (ready !== -EINTR) return ready > 0;
  }
}

/** A manager that applies a large commit hears nothing meanwhile: it computes, or waits for the disk. */
function works(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return /^[RD]$/.test(stat.charAt(stat.lastIndexOf(')') + 2));
  } catch {
    return true; // it has left
  }
}
