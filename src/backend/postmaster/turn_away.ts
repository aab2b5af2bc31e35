// Connections that get no process of their own: one message, without ever waiting for the frontend, and good-bye.
import { FatalError } from '../../common/errors.ts';
import { port } from '../../port/port.ts';
import { takePassedSockets } from './systemd.ts';

const BUFFER_BYTES = 16384;

/** One ErrorResponse. The caller closes the descriptor. */
export function turnAwayAtOnce(fd: number, error: FatalError): void {
  const body = Buffer.from(`SFATAL\0VFATAL\0C${error.code}\0M${error.message}\0\0`, 'utf8');
  const head = Buffer.from([0x45, 0, 0, 0, 0]);
  head.writeInt32BE(body.length + 4, 1);
  port.setBlocking(fd, false);
  port.send(fd, Buffer.concat([head, body]), 0, body.length + 5);
  port.shutdown(fd);
  // Unread input would turn the close into a reset, which can overtake the message.
  port.recv(fd, Buffer.allocUnsafe(BUFFER_BYTES), 0, BUFFER_BYTES, false);
}

/** A postmaster that a connection has started, and that cannot serve it, says so: otherwise the connection would wait, and the
 * service manager start us for it again and again. */
export function refusePassedConnections(why: string): void {
  const error = new FatalError('cannot_connect_now', `the database system does not start: ${why}`);
  for (const { fd: listener } of takePassedSockets()) {
    port.setBlocking(listener, false);
    for (let fd = port.accept(listener); fd >= 0; fd = port.accept(listener)) {
      turnAwayAtOnce(fd, error);
      port.close(fd);
    }
  }
}
