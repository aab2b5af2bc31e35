// The postmaster's children: forking them, and knowing which pid is what. Nothing here grows with the number of
// connections that have been.
import { writeFileSync } from 'node:fs';
import { SIGCHLD, SIGKILL, port } from '../../port/port.ts';
import { freeSlotOf } from '../utils/backend_status.ts';
import { log } from '../utils/elog.ts';
import { whenSettled } from '../utils/interrupts.ts';
import { compileFor } from './memory.ts';
import { forgetNotifySocket } from './systemd.ts';

export type Child = { kind: 'backend' } | { kind: 'proof' } | { kind: 'manager'; databaseOid: number };

const managers = new Map<number, Child & { kind: 'manager' }>();
/** The backends, in places that `port.serve` fills and empties; 0 is a free one. In memory that a fork does not copy. */
let backendPids = new Int32Array(0);
/** What a new child closes first: the postmaster's own descriptors. */
const ownFds = new Set<number>();
let postmaster = 0;

/** In the postmaster, before the first fork. */
export function makeBackendPids(limit: number): Int32Array {
  postmaster = port.getpid();
  return backendPids = new Int32Array(port.sharedMemory(limit * 4));
}

export function ownFd(fd: number): void {
  ownFds.add(fd);
}
export function disownFd(fd: number): void {
  ownFds.delete(fd);
}

export function backendCount(): number {
  let count = 0;
  for (const pid of backendPids) if (pid !== 0) count++;
  return count;
}

export function childCount(): number {
  return managers.size + backendCount();
}

const { PG_OOM_ADJUST_FILE: oomFile = '', PG_OOM_ADJUST_VALUE: oomValue = '0' } = process.env;

/** When memory is short it shall be a backend that ends (PostgreSQL's PG_OOM_ADJUST_FILE). */
function offerToOomKiller(): void {
  try {
    writeFileSync(oomFile, oomValue);
  } catch {
    // Not allowed, or not there: then it is as it is.
  }
}

export function signalChildren(signal: number, kind?: Child['kind']): void {
  if (kind !== 'backend') for (const pid of managers.keys()) port.kill(pid, signal);
  if (kind !== 'manager') for (const pid of backendPids) if (pid !== 0) port.kill(pid, signal);
}

/** Forks a manager; the child runs `main` and ends with it. The pid, or a negative errno. */
export function forkManager(databaseOid: number, main: () => never): number {
  const pid = port.fork(false);
  if (pid === 0) beChild('manager', main, undefined);
  if (pid > 0) managers.set(pid, { kind: 'manager', databaseOid });
  return pid;
}

/** Forks a child that looks whether the site serves, and counts as nothing. */
export function forkProof(main: () => never): number {
  const pid = port.fork(false);
  if (pid === 0) beChild('proof', main, undefined);
  return pid;
}

/** (Parentheses, here and below: compiled with the module, where otherwise every child would.) */
const compileForSettled = (function compileForSettled(whole: boolean): void {
  compileFor(whole ? 'default' : 'session');
});

/** In a new child. */
export const beChild: <T>(kind: Child['kind'], main: (given: T) => never, given: T) => never = (function beChild<T>(kind: Child['kind'], main: (given: T) => never, given: T): never {
  // A child never outlives its postmaster: it would stand in the way of the next one.
  port.setParentDeathSignal(SIGKILL);
  if (port.getppid() !== postmaster) port._exit(1);
  port.setSignal(SIGCHLD, 'default');
  for (const fd of ownFds) port.close(fd);
  if (kind !== 'manager' && oomFile !== '') offerToOomKiller();
  forgetNotifySocket();
  if (kind === 'backend') {
    compileFor('beginning');
    whenSettled(compileForSettled);
  } else {
    compileFor('default');
  }
  try {
    main(given);
  } catch (error) {
    log('FATAL', `child process failed: ${error instanceof Error ? error.stack : String(error)}`);
  }
  port._exit(2);
});

/** A child has ended, and `port.serve` did not think it usual. */
export function childEnded(pid: number, status: number): Child {
  const child: Child = managers.get(pid) ?? { kind: 'backend' };
  managers.delete(pid);
  freeSlotOf(pid);
  report(pid, child, status);
  return child;
}

/** Only unusual ends are worth a line. */
function report(pid: number, child: Child, status: number): void {
  const name = child.kind !== 'manager' ? 'server process' : `transaction manager of database ${child.databaseOid}`;
  const signal = status & 0x7f, code = (status >> 8) & 0xff;
  if (signal !== 0) log('LOG', `${name} (PID ${pid}) was terminated by signal ${signal}`);
  else if (code > 1) log('LOG', `${name} (PID ${pid}) exited with exit code ${code}`);
}
