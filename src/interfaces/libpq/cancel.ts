// Cancel requests go over a connection of their own, to the same address, encrypted when the session is (fe-cancel.c).
import type net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { isTls } from './builtin.ts';
import type { Conninfo } from './conninfo_keywords.ts';
import { ConnectionError } from './errors.ts';
import { MessageWriter } from './message_writer.ts';
import { planTls, startTls, type SslMode } from './secure.ts';
import { openSocket, type Started } from './startup.ts';

/** Resolves when the server has taken note: it closes the connection. */
export async function sendCancel(session: Started, info: Conninfo): Promise<void> {
  if (session.secretKey === 0 && session.processId === 0) throw new ConnectionError('the server gave no key to cancel with', '08006');
  const plain = openSocket(session.host, session.address, info), writer = new MessageWriter();
  try {
    await event(plain, 'connect');
    let socket: net.Socket | TLSSocket = plain;
    if (isTls(session.socket)) {
      writer.sslRequest();
      plain.write(writer.take());
      const answer = await event(plain, 'data') as Buffer;
      if (answer.length !== 1 || answer[0] !== 0x53) throw new ConnectionError('the server does not take a cancel request over TLS', '08006');
      socket = await startTls(plain, planTls(info, info.sslmode as SslMode, session.host.host));
    }
    writer.cancelRequest(session.processId, session.secretKey);
    const closed = event(socket, 'close');
    socket.write(writer.take());
    socket.resume();
    await closed.catch((error: NodeJS.ErrnoException) => { if (error.code !== 'ECONNRESET') throw error; });
  } finally {
    plain.destroy();
  }
}

function event(socket: net.Socket, name: 'connect' | 'data' | 'close'): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const done = (value: unknown): void => {
      socket.off('error', failed).off('close', closed);
      resolve(value);
    };
    const failed = (error: Error): void => reject(new ConnectionError(`could not send cancel request: ${error.message}`, '08006', { cause: error }));
    const closed = (): void => failed(new Error('server closed the connection'));
    socket.once('error', failed);
    if (name !== 'close') socket.once('close', closed);
    socket.once(name, done);
  });
}
