// The first moments of a backend (PostgreSQL's backend_startup.c, in 15 still part of postmaster.c): the start-up packet,
// a slot in the table of backends, authentication; then the traffic cop takes over. Runs in the child, never returns.
import { FatalError, PgError } from '../../common/errors.ts';
import { SIGINT, port, type SocketAddress } from '../../port/port.ts';
import { forgetCatalogs } from '../catalog/inval.ts';
import { clientAuthentication } from '../libpq/auth.ts';
import { authCatalog } from '../libpq/auth_catalog.ts';
import type { Connection } from '../libpq/connection.ts';
import type { Peer } from '../libpq/hba.ts';
import { ConnectionLost, Frontend } from '../libpq/pqcomm.ts';
import { setStorePaths } from '../transaction/xact.ts';
import { findForCancel, freeSlotCount, freeSlotOf, takeSlot } from '../utils/backend_status.ts';
import { log, logBackendError, logContext, muteLog, startLogContext } from '../utils/elog.ts';
import { getBool, getInt } from '../utils/guc.ts';
import { installBackendSignals, startAuthenticationTimeout, stopAuthenticationTimeout } from '../utils/interrupts.ts';
import { initPsStatus, setPsStatus } from '../utils/ps_status.ts';
import { session } from '../utils/session.ts';
import { splitStartupOptions } from './startup_options.ts';

const MAX_STARTUP_PACKET_BYTES = 10000;
const MAX_NAME_BYTES = 63;
const REHEARSALS = 60;
const CANCEL_REQUEST = 80877102, SSL_REQUEST = 80877103, GSSENC_REQUEST = 80877104;
const PROTOCOL_MAJOR = 3, PROTOCOL_MINOR = 0;

/** Why a connection cannot be served, known before it has said anything (canAcceptConnections). */
export type AcceptState = 'ok' | 'starting up' | 'shutting down' | 'too many';

export interface StartupContext {
  fd: number;
  state: AcceptState;
  mockNonce: Uint8Array;
  /** The traffic cop: tcop/postgres.ts postgresMain. */
  serve: (connection: Connection) => never;
}
interface StartupPacket {
  user: string;
  database: string;
  settings: Map<string, string>;
}

/** In the child, right after the fork. (Parentheses: compiled with the module, where otherwise every child would.) */
export const backendStartup: (context: StartupContext) => never = (function backendStartup(context: StartupContext): never {
  const frontend = new Frontend(context.fd);
  const connection = introduce(context, frontend);
  if (connection === null) port._exit(1);
  context.serve(connection);
});

/** From the fork to an authenticated connection; null when it came to none. */
function introduce(context: StartupContext, frontend: Frontend, address = port.peerAddress(frontend.fd)): Connection | null {
  session.pid = port.getpid();
  installBackendSignals();
  startLogContext('client backend');
  startAuthenticationTimeout(getInt('authentication_timeout') * 1000);
  let packetRead = false;
  try {
    const peer = identifyPeer(context.fd, address);
    frontend.local = peer.family === 'unix';
    initPsStatus(`[unknown] [unknown] ${peer.shown}`, 'initializing');
    if (getBool('log_connections')) log('LOG', `connection received: host=${peer.host}${peer.port > 0 ? ` port=${peer.port}` : ''}`);
    const packet = readPacket(frontend);
    packetRead = true;
    return packet && admit(context, frontend, packet, peer);
  } catch (error) {
    turnAway(frontend, error, packetRead);
    return null;
  }
}

/** In the postmaster before it listens: goes through the motions a few times over a socket pair, so that a child finds
 * this code compiled. What the frontends of the rehearsal are told, and whether hba.conf would let them in, is nobody's
 * concern. */
export function rehearseStartup(mockNonce: Uint8Array): void {
  const packet = Buffer.from('\0\0\0\0\0\x03\0\0user\0rehearsal\0database\0rehearsal\0application_name\0rehearsal\0\0', 'latin1');
  packet.writeInt32BE(packet.length, 0);
  const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
  const end = muteLog();
  for (let i = 0; i < REHEARSALS; i++) {
    const pair = port.socketpair();
    if (typeof pair === 'number') break;
    const [ours, theirs] = pair;
    const message = i % 4 === 1 ? sslRequest : packet;
    port.send(theirs, message, 0, message.length);
    port.shutdown(theirs);
    // Made as the port makes it: V8 compiles for objects of a kind.
    const address = {} as SocketAddress;
    address.family = Buffer.from('inet').toString() as 'inet';
    address.address = '127.0.0.1';
    address.port = i + 1;
    const frontend = new Frontend(ours);
    const admitted = introduce({ fd: ours, state: 'ok', mockNonce, serve: () => port._exit(0) }, frontend, i % 3 === 0 ? undefined : address);
    if (admitted) frontend.flush();
    freeSlotOf(session.pid);
    port.close(ours);
    port.close(theirs);
  }
  stopAuthenticationTimeout();
  // Passwords and memberships were looked up: a child must not inherit an open environment, nor what was read from it.
  setStorePaths(null, null);
  forgetCatalogs();
  end();
  startLogContext('postmaster');
  logContext.user = logContext.database = logContext.remoteHost = '';
  session.pid = 0;
}

// ---- the other end

interface PeerInfo extends Peer {
  port: number;
  /** As log and process title show it. */
  host: string;
  shown: string;
}

function identifyPeer(fd: number, found: SocketAddress | number): PeerInfo {
  if (typeof found === 'number') throw new ConnectionLost('the frontend left at once');
  if (found.family === 'unix') return { family: 'unix', address: '', port: 0, host: '[local]', shown: '[local]' };
  port.setNoDelay(fd);
  port.setKeepAlive(fd, getInt('tcp_keepalives_idle'), getInt('tcp_keepalives_interval'), getInt('tcp_keepalives_count'));
  // A socket for both families (systemd makes such) shows IPv4 addresses as mapped ones.
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(found.address);
  const address = mapped ? mapped[1]! : found.address;
  return { family: mapped || found.family === 'inet' ? 'inet' : 'inet6', address, port: found.port, host: address, shown: `${address}(${found.port})` };
}

// ---- the start-up packet

/** Null: there is nothing to serve (a cancel request, or the frontend has left). */
function readPacket(frontend: Frontend): StartupPacket | null {
  let sslAsked = false, gssAsked = false;
  for (;;) {
    if (!frontend.readStartupPacket(MAX_STARTUP_PACKET_BYTES)) return null;
    const code = frontend.readInt32();
    if (code === CANCEL_REQUEST) {
      cancel(frontend.readInt32(), frontend.readInt32());
      return null;
    }
    const ssl = code === SSL_REQUEST && !sslAsked, gss = code === GSSENC_REQUEST && !gssAsked;
    if (!ssl && !gss) return parsePacket(frontend, code);
    if (frontend.buffered > 0) {
      throw new FatalError('protocol_violation', `received unencrypted data after ${ssl ? 'SSL' : 'GSSAPI encryption'} request`, {
        detail: 'This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.',
      });
    }
    if (ssl) sslAsked = true;
    else gssAsked = true;
    if (port.send(frontend.fd, Buffer.from('N'), 0, 1) !== 1) return null;
  }
}

function cancel(pid: number, key: number): void {
  const found = findForCancel(pid, key);
  if (found === 'found') port.kill(pid, SIGINT);
  else if (found === 'wrong key') log('LOG', `wrong key in cancel request for process ${pid}`);
  else log('LOG', `PID ${pid} in cancel request did not match any process`);
}

function parsePacket(frontend: Frontend, code: number): StartupPacket {
  const major = (code >>> 16) & 0xffff, minor = code & 0xffff;
  if (major !== PROTOCOL_MAJOR) {
    throw new FatalError('feature_not_supported', `unsupported frontend protocol ${major}.${minor}: server supports ${PROTOCOL_MAJOR}.0 to ${PROTOCOL_MAJOR}.${PROTOCOL_MINOR}`);
  }
  const given = new Map<string, string>(), unknown: string[] = [];
  let user = '', database = '', options = '';
  const layout = (): FatalError => new FatalError('protocol_violation', 'invalid startup packet layout: expected terminator as last byte');
  for (;;) {
    if (frontend.at >= frontend.bodyEnd) throw layout();
    const name = frontend.readCString();
    if (name === '') break;
    const value = frontend.readCString();
    if (name === 'user') user = value;
    else if (name === 'database') database = value;
    else if (name === 'options') options = value;
    else if (name === 'replication') refuseReplication(value);
    else if (name.startsWith('_pq_.')) unknown.push(name);
    else given.set(name, value);
  }
  if (frontend.at !== frontend.bodyEnd) throw layout();
  if (minor > PROTOCOL_MINOR || unknown.length > 0) negotiateProtocolVersion(frontend, unknown);
  if (user === '') throw new FatalError('invalid_authorization_specification', 'no PostgreSQL user name specified in startup packet');
  return { user: truncate(user), database: truncate(database === '' ? user : database), settings: new Map([...splitStartupOptions(options), ...given]) };
}

function refuseReplication(value: string): void {
  const v = value.toLowerCase();
  if (v === 'false' || v === 'off' || v === 'no' || v === '0' || v === 'f' || v === 'n') return;
  if (v === 'database' || /^(t|true|y|yes|on|1)$/.test(v)) throw new FatalError('feature_not_supported', 'replication is not supported');
  throw new FatalError('invalid_parameter_value', `invalid value for parameter "replication": "${value}"`, {
    hint: 'Valid values are: "false", 0, "true", 1, "database".',
  });
}

function negotiateProtocolVersion(frontend: Frontend, unknown: readonly string[]): void {
  frontend.begin(0x76);
  frontend.int32((PROTOCOL_MAJOR << 16) | PROTOCOL_MINOR);
  frontend.int32(unknown.length);
  for (const name of unknown) frontend.cstring(name);
  frontend.end();
}

/** Names are cut to 63 bytes, at a character. */
function truncate(name: string): string {
  const bytes = Buffer.from(name, 'utf8');
  if (bytes.length <= MAX_NAME_BYTES) return name;
  let end = MAX_NAME_BYTES;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

// ---- getting in

const TURNED_AWAY: Readonly<Record<Exclude<AcceptState, 'ok' | 'too many'>, string>> = {
  'starting up': 'the database system is starting up',
  'shutting down': 'the database system is shutting down',
};
const tooMany = (): FatalError => new FatalError('too_many_connections', 'sorry, too many clients already');

function admit(context: StartupContext, frontend: Frontend, packet: StartupPacket, peer: PeerInfo): Connection {
  logContext.user = packet.user;
  logContext.database = packet.database;
  logContext.remoteHost = peer.host;
  logContext.remotePort = peer.port;
  initPsStatus(`${packet.user} ${packet.database} ${peer.shown}`, 'authentication');
  if (context.state === 'too many') throw tooMany();
  if (context.state !== 'ok') throw new FatalError('cannot_connect_now', TURNED_AWAY[context.state]);
  const cancelKey = port.randomInt();
  const slot = takeSlot(session.pid, cancelKey);
  if (slot < 0) throw tooMany();
  session.cancelKey = cancelKey;
  clientAuthentication({ frontend, peer, user: packet.user, database: packet.database, mockNonce: context.mockNonce });
  if (freeSlotCount() < getInt('superuser_reserved_connections') && !authCatalog.role(packet.user)?.isSuperuser) {
    throw new FatalError('too_many_connections', 'remaining connection slots are reserved for non-replication superuser connections');
  }
  stopAuthenticationTimeout();
  if (getBool('log_connections')) {
    const application = packet.settings.get('application_name');
    log('LOG', `connection authorized: user=${packet.user} database=${packet.database}${application ? ` application_name=${application}` : ''}`);
  }
  setPsStatus('startup');
  return {
    frontend, user: packet.user, database: packet.database, settings: packet.settings, cancelKey, slot,
    remoteAddress: peer.family === 'unix' ? null : peer.address, remotePort: peer.port,
  };
}

/** Tells the frontend why, if it has shown that it speaks the protocol; garbage gets no answer but a line in the log. */
function turnAway(frontend: Frontend, error: unknown, packetRead: boolean): void {
  const told = error instanceof PgError ? error : new FatalError('internal_error', String(error));
  told.severity = 'FATAL';
  const silent = error instanceof ConnectionLost || told.condition === 'admin_shutdown'
    || (!packetRead && (told.condition === 'query_canceled' || told.message === 'invalid length of startup packet'));
  try {
    if (silent) log(error instanceof ConnectionLost ? 'DEBUG1' : 'LOG', told.message);
    else logBackendError(told, error);
    if (!silent || told.condition === 'admin_shutdown') {
      sendFatal(frontend, told);
      port.shutdown(frontend.fd);
    }
  } catch {
    // The frontend is gone: nobody is left to tell.
  }
  freeSlotOf(session.pid);
}

/** ErrorResponse, as tcop/protocol.ts sends it later on. */
export function sendFatal(frontend: Frontend, error: PgError): void {
  const fields: [string, string | undefined][] = [['S', error.severity], ['V', error.severity], ['C', error.code], ['M', error.message],
    ['D', error.fields.detail], ['H', error.fields.hint]];
  frontend.begin(0x45);
  for (const [letter, text] of fields) {
    if (text === undefined) continue;
    frontend.byte(letter.charCodeAt(0));
    frontend.cstring(text);
  }
  frontend.byte(0);
  frontend.end();
  frontend.flush();
}
