// The sockets that frontends connect to: those a service manager passed, or our own: TCP for each of listen_addresses,
// a Unix socket .s.PGSQL.<port> in each of unix_socket_directories.
import { statSync, unlinkSync } from 'node:fs';
import { getSystemErrorMessage } from 'node:util';
import { FatalError } from '../../common/errors.ts';
import { EADDRINUSE, port } from '../../port/port.ts';
import { log } from '../utils/elog.ts';
import { getInt, getString, setInternal } from '../utils/guc.ts';
import { splitList } from '../utils/guc_parse.ts';
import { lockSocket, removeLockFile, writeLockFile, type LockFile } from './lock_file.ts';
import { takePassedSockets, type PassedSocket } from './systemd.ts';

const BACKLOG = 2048;

export interface Listeners {
  fds: number[];
  /** They were passed by a service manager, and stay open when we end. */
  passed: boolean;
  /** As they were passed. */
  passedSockets: readonly PassedSocket[];
  /** Unix sockets of our own making, with their lock files. */
  sockets: { path: string; lock: LockFile }[];
  /** For postmaster.pid. */
  socketFolder: string;
  firstAddress: string;
}

export const errorText = (negativeErrno: number): string => {
  const text = getSystemErrorMessage(negativeErrno) ?? `error ${-negativeErrno}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
};

/** `socketLines`: what the lock file of a socket says, given its folder. */
export function openListeners(socketLines: (folder: string) => string[]): Listeners {
  const listeners: Listeners = { fds: [], passed: false, passedSockets: [], sockets: [], socketFolder: '', firstAddress: '' };
  const passed = takePassedSockets();
  if (passed.length > 0) {
    listeners.passed = true;
    listeners.passedSockets = passed;
    for (const { fd, name } of passed) {
      const address = port.socketAddress(fd);
      if (typeof address === 'number') throw new FatalError('configuration_limit_exceeded', `passed descriptor ${fd} is not a socket`);
      adopt(listeners, fd, `${describe(address)}${name ? ` (passed as "${name}")` : ' (passed)'}`);
      if (address.family === 'unix') listeners.socketFolder ||= address.address.replace(/\/[^/]*$/, '');
      else listeners.firstAddress ||= address.address;
      if (address.family !== 'unix') setInternal('port', String(address.port));
    }
    return listeners;
  }
  openTcp(listeners);
  openUnix(listeners, socketLines);
  if (listeners.fds.length === 0) throw new FatalError('configuration_limit_exceeded', 'no socket created for listening');
  return listeners;
}

function describe({ family, address, port: number }: { family: string; address: string; port: number }): string {
  return family === 'unix' ? `Unix socket "${address}"` : `${family === 'inet' ? 'IPv4' : 'IPv6'} address "${address}", port ${number}`;
}

function adopt(listeners: Listeners, fd: number, shown: string): void {
  port.setBlocking(fd, false);
  listeners.fds.push(fd);
  log('LOG', `listening on ${shown}`);
}

function openTcp(listeners: Listeners): void {
  const names = splitList(getString('listen_addresses')), number = getInt('port');
  if (names === null) throw new FatalError('invalid_parameter_value', 'invalid list syntax in parameter "listen_addresses"');
  let success = 0;
  for (const name of names) {
    const fds = port.listenTcp(name === '*' ? '' : name, number, BACKLOG);
    let opened = 0;
    if (typeof fds === 'string') log('LOG', `could not translate host name "${name}", service "${number}" to address: ${fds}`);
    else for (const fd of fds) {
      if (fd < 0) {
        log('LOG', `could not bind address "${name}", port ${number}: ${errorText(fd)}`, fd === -EADDRINUSE
          ? { hint: `Is another postmaster already running on port ${number}? If not, wait a few seconds and retry.` } : {});
        continue;
      }
      const address = port.socketAddress(fd);
      if (typeof address === 'object') adopt(listeners, fd, describe(address));
      opened++;
    }
    if (opened > 0) {
      success++;
      listeners.firstAddress ||= name;
    } else log('WARNING', `could not create listen socket for "${name}"`);
  }
  if (names.length > 0 && success === 0) throw new FatalError('configuration_limit_exceeded', 'could not create any TCP/IP sockets');
}

function openUnix(listeners: Listeners, socketLines: (folder: string) => string[]): void {
  const folders = splitList(getString('unix_socket_directories')), number = getInt('port');
  if (folders === null) throw new FatalError('invalid_parameter_value', 'invalid list syntax in parameter "unix_socket_directories"');
  let success = 0;
  for (const folder of folders) {
    const path = folder.startsWith('@') ? `${folder}/.s.PGSQL.${number}` : `${folder}/.s.PGSQL.${number}`;
    let lock: LockFile | null = null;
    if (!folder.startsWith('@')) {
      lock = lockSocket(path);
      if (statSync(path, { throwIfNoEntry: false })?.isSocket()) unlinkSync(path);
    }
    const fd = port.listenUnix(path, getInt('unix_socket_permissions'), BACKLOG);
    if (fd < 0) {
      log('LOG', `could not bind Unix address "${path}": ${errorText(fd)}`, fd === -EADDRINUSE
        ? { hint: `Is another postmaster already running on port ${number}?` } : {});
      log('WARNING', `could not create Unix-domain socket in directory "${folder}"`);
      if (lock) removeLockFile(lock);
      continue;
    }
    success++;
    listeners.socketFolder ||= folder;
    if (lock) {
      writeLockFile(lock, socketLines(folder));
      listeners.sockets.push({ path, lock });
    }
    adopt(listeners, fd, `Unix socket "${path}"`);
  }
  if (folders.length > 0 && success === 0) throw new FatalError('configuration_limit_exceeded', 'could not create any Unix-domain sockets');
}

/** At the end: sockets of our own making leave the file system. */
export function closeListeners(listeners: Listeners): void {
  for (const fd of listeners.fds) port.close(fd);
  listeners.fds = [];
  for (const { path, lock } of listeners.sockets) {
    try {
      unlinkSync(path);
    } catch {
      // Somebody removed it before us.
    }
    removeLockFile(lock);
  }
  listeners.sockets = [];
}
