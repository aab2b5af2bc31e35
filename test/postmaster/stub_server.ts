// A postmaster whose backends know one query: what is asked comes back. Arguments: as the postmaster's.
import { existsSync } from 'node:fs';
import { postmasterMain } from '../../src/backend/postmaster/postmaster.ts';
import { setAuthCatalog } from '../../src/backend/libpq/auth_catalog.ts';
import type { Connection } from '../../src/backend/libpq/connection.ts';
import { sendFatal } from '../../src/backend/postmaster/backend_startup.ts';
import { buildScramSecret } from '../../src/common/scram.ts';
import { PgError } from '../../src/common/errors.ts';
import { EINTR, SIGTERM, POLLIN, port } from '../../src/port/port.ts';
import { checkForInterrupts, clientReadEnds, clientReadStarts } from '../../src/backend/utils/interrupts.ts';
import { setPsStatus } from '../../src/backend/utils/ps_status.ts';
import { backends, leaveSlot, reportSession } from '../../src/backend/utils/backend_status.ts';
import { managerSocket, POSTMASTER_SOCKET } from '../../src/common/site.ts';

function serve({ frontend, cancelKey, settings }: Connection): never {
  const error = (e: PgError): void => sendFatal(frontend, e);
  const ready = (): void => { frontend.begin(0x5a); frontend.byte(0x49); frontend.end(); frontend.flush(); };
  const row = (text: string): void => {
    frontend.begin(0x54); frontend.int16(1); frontend.cstring('answer'); frontend.int32(0); frontend.int16(0); frontend.int32(25);
    frontend.int16(-1); frontend.int32(-1); frontend.int16(0); frontend.end();
    frontend.begin(0x44); frontend.int16(1); frontend.textField(text); frontend.end();
    frontend.begin(0x43); frontend.cstring('SELECT 1'); frontend.end();
  };
  reportSession(5, 10, null, 0);
  frontend.begin(0x4b); frontend.int32(port.getpid()); frontend.int32(cancelKey); frontend.end();
  ready();
  try {
    for (;;) {
      setPsStatus('idle');
      clientReadStarts('I');
      const type = frontend.readMessage();
      clientReadEnds();
      if (type < 0 || type === 0x58) break;
      if (type !== 0x51) continue;
      const text = frontend.readCString();
      try {
        setPsStatus('SELECT');
        if (text === 'sleep') for (;;) { checkForInterrupts(); port.poll(new Int32Array(0), new Int16Array(0), new Int16Array(0), 0, 1000); }
        else if (text === 'crash') port.kill(port.getpid(), 11);
        else if (text === 'backends') row(String(backends().length));
        else if (text === 'settings') row([...settings].map(([k, v]) => `${k}=${v}`).join(' '));
        else if (text === 'manager') row(askManager());
        else row(text);
      } catch (e) {
        if (!(e instanceof PgError) || e.severity === 'FATAL') throw e;
        error(e);
      }
      ready();
    }
  } catch (e) {
    if (e instanceof PgError) error(e);
  }
  leaveSlot();
  port._exit(0);
}

function askManager(): string {
  const fd = port.connectUnix(POSTMASTER_SOCKET), bytes = Buffer.alloc(100);
  port.send(fd, Buffer.from('manager 5\n'), 0, 10);
  let n: number;
  while ((n = port.recv(fd, bytes, 0, 100, false)) === -EINTR);
  port.close(fd);
  const manager = port.connectUnix(managerSocket(5));
  const got = port.recv(manager, bytes, 50, 50, false);
  port.close(manager);
  return bytes.toString('latin1', 0, n).trim() + ' ' + bytes.toString('latin1', 50, 50 + got);
}

function manage(databaseOid: number): never {
  const fd = port.listenUnix(managerSocket(databaseOid), 0o600, 10);
  const revents = new Int16Array(1);
  while (port.signals[SIGTERM] === 0) {
    if (port.poll(Int32Array.of(fd), Int16Array.of(POLLIN), revents, 1, -1) <= 0) continue;
    const client = port.accept(fd);
    port.send(client, Buffer.from(`pid ${port.getpid()}`), 0, 4 + String(port.getpid()).length);
    port.close(client);
  }
  port._exit(0);
}

setAuthCatalog({
  role: (name) => (name === 'nobody_here' ? undefined : { isSuperuser: name === 'boss', password: buildScramSecret('secret'), validUntilMs: null }),
  isMember: (user, group) => user === 'ann' && group === 'staff',
});
await postmasterMain(process.argv.slice(2), async () => ({ serve, manage, answersQuery: () => !existsSync('tmp/deaf'), warmUp: () => {}, rehearsal: () => ({ next: () => false, errors: [] }) }));
