// Transaction managers, one for each database that is written to. A backend that finds none asks over the control socket
// ("manager <database oid>\n"); the postmaster forks one and answers "ok\n" as soon as it listens. A manager ends by itself
// when it has nothing to do; one that dies is started again when somebody asks. "retire <database oid>\n" ends the manager of
// a database that has been dropped; "ok\n" comes when it is gone.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { FOLDER_MODE, POSTMASTER_SOCKET, TMP, managerSocket } from '../../common/site.ts';
import { EAGAIN, EINTR, port } from '../../port/port.ts';
import { log, startLogContext } from '../utils/elog.ts';
import { initPsStatus } from '../utils/ps_status.ts';
import { session } from '../utils/session.ts';
import { errorText } from './listen.ts';
import { disownFd, forkManager, ownFd, type Child } from './children.ts';

const BACKLOG = 512, MAX_CLIENTS = 400, MAX_REQUEST_BYTES = 64;
/** How long a new manager may take until it listens. */
const START_LIMIT_MS = 10_000;
const SIGTERM = 15, SIGUSR2 = 12;

interface Client {
  fd: number;
  request: string;
  /** The database whose manager it waits for; 0: it has not asked yet. */
  waitsFor: number;
  /** It waits for that manager's end. */
  retires: boolean;
}

export class Managers {
  private readonly main: (databaseOid: number) => never;
  private listener = -1;
  private readonly clients = new Map<number, Client>();
  /** Database -> pid of its manager. */
  readonly running = new Map<number, number>();
  /** Database -> when its manager was forked, while it does not listen yet (performance.now()). */
  private readonly starting = new Map<number, number>();
  private readonly buffer = Buffer.alloc(MAX_REQUEST_BYTES);
  private open = true;

  constructor(main: (databaseOid: number) => never) {
    this.main = main;
    const error = this.listen();
    if (error !== null) throw new Error(error);
  }

  /** What went wrong. */
  private listen(): string | null {
    const listener = port.listenUnix(POSTMASTER_SOCKET, 0o600, BACKLOG);
    if (listener < 0) return `could not bind Unix address "${POSTMASTER_SOCKET}": ${errorText(listener)}`;
    port.setBlocking(listener, false);
    ownFd(listener);
    this.listener = listener;
    return null;
  }

  /** A backend has found that tmp/ was emptied. */
  lookAtSocket(): void {
    if (existsSync(POSTMASTER_SOCKET)) return;
    if (!existsSync(TMP)) mkdirSync(TMP, { mode: FOLDER_MODE });
    const old = this.listener, error = this.listen();
    log('LOG', error ?? `"${POSTMASTER_SOCKET}" was removed; listening again`);
    if (error !== null) return;
    disownFd(old);
    port.close(old);
  }

  /** Adds what the server loop shall poll for. */
  addPollFds(add: (fd: number, ready: () => void) => void): void {
    if (this.clients.size < MAX_CLIENTS) add(this.listener, () => this.acceptClients());
    for (const client of this.clients.values()) if (client.waitsFor === 0) add(client.fd, () => this.readRequest(client));
  }

  /** Milliseconds until `tick` wants to be called, or -1. */
  get tickMs(): number {
    return this.starting.size > 0 ? 1 : -1;
  }

  /** Looks whether managers that start have begun to listen. */
  tick(): void {
    for (const [databaseOid, since] of this.starting) {
      const fd = port.connectUnix(managerSocket(databaseOid));
      if (fd >= 0) {
        port.close(fd);
        this.starting.delete(databaseOid);
        this.answer(databaseOid, 'ok\n');
      } else if (performance.now() - since > START_LIMIT_MS) {
        log('LOG', `transaction manager of database ${databaseOid} does not listen`);
        this.starting.delete(databaseOid);
        this.answer(databaseOid, 'failed\n');
      }
    }
  }

  /** No more managers are started. */
  close(): void {
    this.open = false;
  }

  private acceptClients(): void {
    while (this.clients.size < MAX_CLIENTS) {
      const fd = port.accept(this.listener);
      if (fd < 0) return;
      port.setBlocking(fd, false);
      ownFd(fd);
      this.clients.set(fd, { fd, request: '', waitsFor: 0, retires: false });
    }
  }

  private drop(client: Client): void {
    disownFd(client.fd);
    port.close(client.fd);
    this.clients.delete(client.fd);
  }

  private readRequest(client: Client): void {
    const n = port.recv(client.fd, this.buffer, 0, this.buffer.length, false);
    if (n === -EINTR || n === -EAGAIN) return;
    if (n <= 0) return this.drop(client);
    client.request += this.buffer.toString('latin1', 0, n);
    const end = client.request.indexOf('\n');
    if (end < 0 && client.request.length < MAX_REQUEST_BYTES) return;
    const m = /^(manager|retire) (\d{1,10})$/.exec(client.request.slice(0, end));
    client.request = client.request.slice(end + 1);
    if (!m || Number(m[2]) > 0xffffffff) return this.drop(client);
    client.waitsFor = Number(m[2]);
    client.retires = m[1] === 'retire';
    if (client.retires) this.retire(client.waitsFor);
    else this.ensure(client.waitsFor);
  }

  private ensure(databaseOid: number): void {
    if (this.starting.has(databaseOid)) return;
    if (!this.open) return this.answer(databaseOid, 'shutting down\n');
    const known = this.running.has(databaseOid);
    if (!known && !this.start(databaseOid)) return this.answer(databaseOid, 'failed\n');
    // It may be running and about to end: only a connection proves that it listens. Or its socket was removed: it looks.
    const pid = this.running.get(databaseOid);
    if (pid !== undefined && known && !existsSync(managerSocket(databaseOid))) port.kill(pid, SIGUSR2);
    this.starting.set(databaseOid, performance.now());
    this.tick();
  }

  private retire(databaseOid: number): void {
    const pid = this.running.get(databaseOid);
    if (pid === undefined || port.kill(pid, SIGTERM) !== 0) this.answer(databaseOid, 'ok\n', true);
  }

  private start(databaseOid: number): boolean {
    rmSync(managerSocket(databaseOid), { force: true });
    const pid = forkManager(databaseOid, () => {
      session.pid = port.getpid();
      startLogContext('transaction manager');
      initPsStatus(`transaction manager ${databaseOid}`);
      return this.main(databaseOid);
    });
    if (pid < 0) {
      log('LOG', `could not fork transaction manager: ${errorText(pid)}`);
      return false;
    }
    this.running.set(databaseOid, pid);
    return true;
  }

  /** Tells those who wait for a manager, or (`retired`) for its end. */
  private answer(databaseOid: number, text: string, retired = false): void {
    for (const client of this.clients.values()) {
      if (client.waitsFor !== databaseOid || client.retires !== retired) continue;
      client.waitsFor = 0;
      if (port.send(client.fd, Buffer.from(text, 'latin1'), 0, text.length) < 0) this.drop(client);
    }
  }

  /** A manager has ended. Whoever waits for it gets a new one. */
  ended(pid: number, child: Child & { kind: 'manager' }): void {
    const { databaseOid } = child;
    if (this.running.get(databaseOid) !== pid) return;
    this.running.delete(databaseOid);
    this.answer(databaseOid, 'ok\n', true);
    if (!this.starting.delete(databaseOid)) return;
    if (this.open && this.start(databaseOid)) this.starting.set(databaseOid, performance.now());
    else this.answer(databaseOid, 'failed\n');
  }
}
