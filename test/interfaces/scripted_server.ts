// A server that plays a script: whatever the frontend sends, it answers with given bytes, each message split where a test
// wants it. It can lie.
import net from 'node:net';

export const message = (type: string, ...parts: (string | Buffer)[]): Buffer => {
  const body = Buffer.concat(parts.map((p) => (typeof p === 'string' ? Buffer.from(p) : p))), head = Buffer.alloc(5);
  head.latin1Write(type, 0);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
export const int16 = (value: number): Buffer => { const b = Buffer.alloc(2); b.writeInt16BE(value); return b; };
export const int32 = (value: number): Buffer => { const b = Buffer.alloc(4); b.writeInt32BE(value); return b; };

export const AuthenticationOk = message('R', int32(0));
export const BackendKeyData = message('K', int32(77), int32(99));
export const ReadyForQuery = message('Z', 'I');
export const ParameterStatus = (name: string, value: string): Buffer => message('S', `${name}\0${value}\0`);
export const CommandComplete = (tag: string): Buffer => message('C', `${tag}\0`);
export const ErrorResponse = (code: string, text: string, severity = 'ERROR'): Buffer => message('E', `S${severity}\0V${severity}\0C${code}\0M${text}\0\0`);
export const NoticeResponse = (text: string): Buffer => message('N', `SNOTICE\0VNOTICE\0C00000\0M${text}\0\0`);
export const RowDescription = (...columns: [name: string, typeOid: number][]): Buffer =>
  message('T', int16(columns.length), ...columns.flatMap(([name, oid]) => [`${name}\0`, int32(0), int16(0), int32(oid), int16(-1), int32(-1), int16(0)]));
export const DataRow = (...values: (string | null)[]): Buffer =>
  message('D', int16(values.length), ...values.flatMap((v) => (v === null ? [int32(-1)] : [int32(Buffer.byteLength(v)), v])));

export const WELCOME = Buffer.concat([AuthenticationOk, ParameterStatus('server_version', '15.18'), ParameterStatus('client_encoding', 'UTF8'), BackendKeyData, ReadyForQuery]);

/** Types of the frontend's messages; '' is a start-up packet, 'ssl' and 'cancel' its kin. */
export type Answer = (type: string, body: Buffer, socket: net.Socket) => Buffer | Buffer[] | null;

export interface ScriptedServer { port: number; close: () => Promise<void>; seen: string[] }

export async function scriptedServer(answer: Answer): Promise<ScriptedServer> {
  const sockets = new Set<net.Socket>(), seen: string[] = [];
  const server = net.createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    let buffer = Buffer.alloc(0), started = false, sending = Promise.resolve();
    socket.on('data', (chunk: Buffer) => {
      buffer = Buffer.concat([buffer, chunk]);
      for (;;) {
        const head = started ? 1 : 0;
        if (buffer.length < head + 4) return;
        const length = buffer.readInt32BE(head);
        if (buffer.length < head + length) return;
        const body = Buffer.from(buffer.subarray(head + 4, head + length));
        let type = started ? String.fromCharCode(buffer[0]!) : '';
        if (!started) {
          const code = body.readInt32BE(0);
          if (code === 80877103) type = 'ssl';
          else if (code === 80877102) type = 'cancel';
          else started = true;
        }
        buffer = buffer.subarray(head + length);
        seen.push(type);
        const out = answer(type, body, socket);
        for (const piece of out === null ? [] : Array.isArray(out) ? out : [out]) {
          sending = sending.then(() => new Promise<void>((done) => {
            if (socket.destroyed) done();
            else socket.write(piece, () => setImmediate(done));
          }));
        }
      }
    });
  });
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  return {
    port: (server.address() as net.AddressInfo).port, seen,
    close: () => new Promise((done) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => done());
    }),
  };
}

/** One piece for each byte. */
export const byBytes = (bytes: Buffer): Buffer[] => Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
