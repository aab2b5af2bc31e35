// One postmaster per site, and one per Unix socket (PostgreSQL's miscinit.c, CreateLockFile). postmaster.pid has
// PostgreSQL's lines: pid, site, start time, port, socket folder, first listen address, shared memory key, status. The
// postmaster holds a file lock on it, and so does every child it forks: the lock tells a stale file from a live one even
// when the number in it has been given to another process, and it is free only when the last process of the site is gone.
import { closeSync, constants, fstatSync, ftruncateSync, lstatSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { FatalError } from '../../common/errors.ts';
import { FILE_MODE, POSTMASTER_PID } from '../../common/site.ts';
import { port } from '../../port/port.ts';

export interface LockFile {
  readonly path: string;
  readonly fd: number;
}

function isAlive(pid: number): boolean {
  return pid > 0 && port.kill(pid, 0) !== -3; // ESRCH
}

/** Takes the lock or throws; `owner` words the refusal. */
function takeLock(path: string, refusal: (pid: number) => FatalError): LockFile {
  // The holder may unlink the file between our open and our lock: then the lock is on a file that nobody sees.
  for (let tries = 0; ; tries++) {
    let fd: number;
    try {
      fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, FILE_MODE);
    } catch (error) {
      throw new FatalError('lock_file_exists', `could not open lock file "${path}": ${(error as Error).message}`);
    }
    const pid = Math.abs(Number.parseInt(readFileSync(fd, 'latin1'), 10)) || 0;
    if (port.lockFile(fd) !== 0) {
      closeSync(fd);
      throw refusal(pid);
    }
    const here = lstatSync(path, { throwIfNoEntry: false });
    if (here?.ino === fstatSync(fd).ino) return { path, fd };
    closeSync(fd);
    if (tries > 100) throw refusal(pid);
  }
}

export function lockSite(site: string): LockFile {
  return takeLock(POSTMASTER_PID, (pid) => {
    if (pid > 0 && !isAlive(pid)) {
      return new FatalError('lock_file_exists', `processes of an earlier postmaster (PID ${pid}) are still running`, {
        hint: `Terminate any old server processes associated with data directory "${site}".`,
      });
    }
    return new FatalError('lock_file_exists', `lock file "${POSTMASTER_PID}" already exists`, {
      hint: `Is another postmaster (PID ${pid}) running in data directory "${site}"?`,
    });
  });
}

/** The lock that this process had as the program before (start_anew.ts); null: it has not, after all. */
export function keptSiteLock(fd: number): LockFile | null {
  const lock = { path: POSTMASTER_PID, fd };
  try {
    return port.lockFile(fd) === 0 && ownsLockFile(lock) ? lock : null;
  } catch {
    return null; // no such descriptor
  }
}

/** "<socket>.lock": also keeps other servers of PostgreSQL's family off the socket. */
export function lockSocket(socket: string): LockFile {
  const path = `${socket}.lock`;
  const refusal = (pid: number): FatalError => new FatalError('lock_file_exists', `lock file "${path}" already exists`, {
    hint: `Is another postmaster (PID ${pid}) using socket file "${socket}"?`,
  });
  const lock = takeLock(path, refusal);
  const pid = Math.abs(Number.parseInt(readFileSync(path, 'latin1'), 10)) || 0;
  if (pid !== port.getpid() && isAlive(pid)) {
    closeSync(lock.fd);
    throw refusal(pid);
  }
  return lock;
}

/** The same shape for both files; `shared` only in postmaster.pid. */
export function writeLockFile(lock: LockFile, lines: readonly string[]): void {
  const text = `${lines.join('\n')}\n`;
  ftruncateSync(lock.fd, 0);
  writeSync(lock.fd, text, 0, 'utf8');
}

/** Whether the file is still there and still ours. */
function ownsLockFile(lock: LockFile): boolean {
  const here = lstatSync(lock.path, { throwIfNoEntry: false });
  return here !== undefined && here.ino === fstatSync(lock.fd).ino;
}

export function removeLockFile(lock: LockFile): void {
  try {
    unlinkSync(lock.path);
  } catch {
    // Somebody removed it before us.
  }
}
