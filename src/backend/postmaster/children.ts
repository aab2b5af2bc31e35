// The postmaster's children: forking them, and knowing which pid is what. Nothing here grows with the number of
// connections that have been.
import { writeFileSync } from 'node:fs';
import { SIGCHLD, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, port } from '../../port/port.ts';
import { freeSlotOf } from '../utils/backend_status.ts';
import { log } from '../utils/elog.ts';
import { forgetNotifySocket } from './systemd.ts';

export type Child = { kind: 'backend' } | { kind: 'manager'; databaseOid: number };

const children = new Map<number, Child>();
/** What a new child closes first: the postmaster's own descriptors. */
const ownFds = new Set<number>();

export function ownFd(fd: number): void {
  ownFds.add(fd);
}
export function disownFd(fd: number): void {
  ownFds.delete(fd);
}

export function childCount(kind?: Child['kind']): number {
  if (kind === undefined) return children.size;
  let count = 0;
  for (const child of children.values()) if (child.kind === kind) count++;
  return count;
}

export function signalChildren(signal: number, kind?: Child['kind']): void {
  for (const [pid, child] of children) if (kind === undefined || child.kind === kind) port.kill(pid, signal);
}

const { PG_OOM_ADJUST_FILE: oomFile = '', PG_OOM_ADJUST_VALUE: oomValue = '0' } = process.env;

/** When memory is short it shall be a backend that ends (PostgreSQL's PG_OOM_ADJUST_FILE). */
function offerToOomKiller(): void {
  if (oomFile === '') return;
  try {
    writeFileSync(oomFile, oomValue);
  } catch {
    // Not allowed, or not there: then it is as it is.
  }
}

/** Forks; the child runs `main` and ends with it. The pid, or a negative errno. */
export function forkChild(child: Child, main: () => never): number {
  const postmaster = port.getpid();
  const pid = port.fork(false);
  if (pid !== 0) {
    if (pid > 0) children.set(pid, child);
    return pid;
  }
  // A child never outlives its postmaster: it would stand in the way of the next one.
  port.setParentDeathSignal(SIGKILL);
  if (port.getppid() !== postmaster) port._exit(1);
  for (const signal of [SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGUSR1, SIGUSR2]) port.setSignal(signal, 'flag');
  port.setSignal(SIGCHLD, 'default');
  for (const fd of ownFds) port.close(fd);
  if (child.kind === 'backend') offerToOomKiller();
  forgetNotifySocket();
  try {
    main();
  } catch (error) {
    log('FATAL', `child process failed: ${error instanceof Error ? error.stack : String(error)}`);
  }
  port._exit(2);
}

/** Collects every child that has ended. */
export function reapChildren(ended: (pid: number, child: Child) => void): void {
  for (;;) {
    const [pid, status] = port.waitpid();
    if (pid <= 0) return;
    const child = children.get(pid);
    if (!child) continue;
    children.delete(pid);
    freeSlotOf(pid);
    report(pid, child, status);
    ended(pid, child);
  }
}

/** Only unusual ends are worth a line. */
function report(pid: number, child: Child, status: number): void {
  const name = child.kind === 'backend' ? 'server process' : `transaction manager of database ${child.databaseOid}`;
  const signal = status & 0x7f, code = (status >> 8) & 0xff;
  if (signal !== 0) log('LOG', `${name} (PID ${pid}) was terminated by signal ${signal}`);
  else if (code > 1) log('LOG', `${name} (PID ${pid}) exited with exit code ${code}`);
}
