// Proving who a frontend is (PostgreSQL's auth.c, auth-scram.c): the first matching line of hba.conf says how.
import { FatalError, PgError } from '../../common/errors.ts';
import { isMd5Secret, md5Proof, md5Secret } from '../../common/md5.ts';
import { SCRAM_MECHANISM, makeNonce, mockScramSecret, parseScramSecret, scramVerifyPlainPassword, serverSignature, verifyClientProof, type ScramSecret } from '../../common/scram.ts';
import { port } from '../../port/port.ts';
import { log } from '../utils/elog.ts';
import { authCatalog } from './auth_catalog.ts';
import { checkUsermap, matchHba, type HbaLine, type Peer } from './hba.ts';
import { ConnectionLost, type Frontend } from './pqcomm.ts';

const AUTH_OK = 0, AUTH_PASSWORD = 3, AUTH_MD5 = 5, AUTH_SASL = 10, AUTH_SASL_CONTINUE = 11, AUTH_SASL_FINAL = 12;
const MAX_SASL_MESSAGE_BYTES = 1024;
const R = 0x52, p = 0x70;

export interface AuthRequest {
  frontend: Frontend;
  peer: Peer;
  user: string;
  database: string;
  /** Secret of this site, so that made-up secrets are the same each time. */
  mockNonce: Uint8Array;
}

/** Returns when the frontend may go on; throws the FatalError that ends the connection. Does not flush. */
export function clientAuthentication(request: AuthRequest): void {
  const line = matchHba(request.peer, request.database, request.user, (user, group) => authCatalog.isMember(user, group));
  if (!line || line.method === 'reject') throw noEntry(request, line !== undefined);
  switch (line.method) {
    case 'trust': break;
    case 'peer': authenticatePeer(request, line); break;
    case 'scram-sha-256': authenticateScram(request, line); break;
    // A SCRAM secret is proved by SCRAM, whatever the line says.
    case 'md5':
      if (isMd5Secret(authCatalog.role(request.user)?.password ?? '')) authenticateMd5(request, line);
      else authenticateScram(request, line);
      break;
    case 'password': authenticatePassword(request, line); break;
  }
  send(request.frontend, AUTH_OK);
}

function noEntry({ peer, user, database }: AuthRequest, rejected: boolean): FatalError {
  const host = peer.family === 'unix' ? '[local]' : peer.address;
  return new FatalError('invalid_authorization_specification',
    `${rejected ? 'pg_hba.conf rejects connection' : 'no pg_hba.conf entry'} for host "${host}", user "${user}", database "${database}", no encryption`);
}

function send(frontend: Frontend, kind: number, data: string | Uint8Array | null = null): void {
  frontend.begin(R);
  frontend.int32(kind);
  if (data !== null) frontend.bytes(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  frontend.end();
}

/** The frontend is told little; the log says why. */
function failure(line: HbaLine, user: string, why: string): FatalError {
  const kind = line.method === 'peer' ? 'Peer' : 'password';
  log('LOG', `${kind} authentication of user "${user}" failed: ${why} Connection matched file "hba.conf" line ${line.line}: "${line.raw}"`);
  return new FatalError(line.method === 'peer' ? 'invalid_authorization_specification' : 'invalid_password', `${kind} authentication failed for user "${user}"`);
}

function authenticatePeer({ frontend, user }: AuthRequest, line: HbaLine): void {
  const peer = port.peerCredentials(frontend.fd);
  const account = typeof peer === 'number' ? undefined : port.userName(peer.uid);
  if (account === undefined) throw failure(line, user, 'the account at the other end has no name.');
  if (!checkUsermap(line.map, account, user)) {
    throw failure(line, user, `Provided user name (${user}) and authenticated user name (${account}) do not match.`);
  }
}

// ---- MD5 and plain passwords

/** A role's secret; why there is none that could be proved is for the log. */
function passwordOf(user: string): { secret: string | null; doomed: string } {
  const role = authCatalog.role(user);
  if (!role) return { secret: null, doomed: `Role "${user}" does not exist.` };
  if (role.password === null) return { secret: null, doomed: `User "${user}" has no password assigned.` };
  if (role.validUntilMs !== null && role.validUntilMs < Date.now()) return { secret: null, doomed: `User "${user}" has an expired password.` };
  return { secret: role.password, doomed: 'wrong password.' };
}

function authenticateMd5({ frontend, user }: AuthRequest, line: HbaLine): void {
  const salt = Buffer.alloc(4);
  salt.writeInt32BE(port.randomInt());
  send(frontend, AUTH_MD5, salt);
  const proof = readPassword(frontend);
  const { secret, doomed } = passwordOf(user);
  if (secret === null || proof !== md5Proof(secret, salt)) throw failure(line, user, doomed);
}

function authenticatePassword({ frontend, user }: AuthRequest, line: HbaLine): void {
  send(frontend, AUTH_PASSWORD);
  const password = readPassword(frontend);
  const { secret, doomed } = passwordOf(user);
  if (secret === null || !verifyPlainPassword(secret, user, password)) throw failure(line, user, doomed);
}

/** Whether the password is the one the secret was made from. */
export function verifyPlainPassword(secret: string, user: string, password: string): boolean {
  if (isMd5Secret(secret)) return md5Secret(password, user) === secret;
  const scram = parseScramSecret(secret);
  return scram !== undefined && scramVerifyPlainPassword(scram, password);
}

function readPassword(frontend: Frontend): string {
  readResponse(frontend, 'password');
  const password = frontend.readCString();
  if (frontend.at !== frontend.bodyEnd) throw protocolViolation('invalid password packet size');
  if (password === '') throw new FatalError('invalid_password', 'empty password returned by client');
  return password;
}

// ---- SCRAM-SHA-256

function authenticateScram(request: AuthRequest, line: HbaLine): void {
  const { frontend, user } = request;
  const { secret, doomed } = secretOf(user, request.mockNonce);
  send(frontend, AUTH_SASL, `${SCRAM_MECHANISM}\0\0`);

  readResponse(frontend);
  const mechanism = frontend.readCString();
  if (mechanism !== SCRAM_MECHANISM) throw protocolViolation('client selected an invalid SASL authentication mechanism');
  const length = frontend.readInt32();
  const first = parseClientFirst(length < 0 ? '' : frontend.readBytes(length).toString('utf8'));
  frontend.endOfMessage();
  const nonce = first.nonce + makeNonce();
  const serverFirst = `r=${nonce},s=${secret.salt.toString('base64')},i=${secret.iterations}`;
  send(frontend, AUTH_SASL_CONTINUE, serverFirst);

  readResponse(frontend);
  const final = parseClientFinal(frontend.readBytes(frontend.bodyEnd - frontend.at).toString('utf8'), nonce, first.header);
  const authMessage = `${first.bare},${serverFirst},${final.withoutProof}`;
  if (!verifyClientProof(secret, authMessage, final.proof) || doomed !== null) throw failure(line, user, doomed ?? 'wrong password.');
  send(frontend, AUTH_SASL_FINAL, `v=${serverSignature(secret, authMessage)}`);
}

/** The user's secret; for one who has none, a made-up one that nothing can satisfy, and why. */
function secretOf(user: string, mockNonce: Uint8Array): { secret: ScramSecret; doomed: string | null } {
  const role = authCatalog.role(user);
  const mock = (why: string): { secret: ScramSecret; doomed: string } => ({ secret: mockScramSecret(user, mockNonce), doomed: why });
  if (!role) return mock(`Role "${user}" does not exist.`);
  if (role.password === null) return mock(`User "${user}" has no password assigned.`);
  const secret = parseScramSecret(role.password);
  if (!secret) return mock(`User "${user}" does not have a valid SCRAM secret.`);
  const expired = role.validUntilMs !== null && role.validUntilMs < Date.now();
  return { secret, doomed: expired ? `User "${user}" has an expired password.` : null };
}

function readResponse(frontend: Frontend, what: 'SASL' | 'password' = 'SASL'): void {
  frontend.flush();
  const type = frontend.readMessage();
  if (type < 0) throw new ConnectionLost('the frontend left during authentication');
  if (type !== p) throw protocolViolation(`expected ${what} response, got message type ${type}`);
  if (frontend.bodyEnd - frontend.at > MAX_SASL_MESSAGE_BYTES && what === 'SASL') throw protocolViolation('malformed SCRAM message', 'The message is too long.');
}

function protocolViolation(message: string, detail?: string): PgError {
  return new FatalError('protocol_violation', message, { detail });
}

function parseClientFirst(message: string): { header: string; bare: string; nonce: string } {
  if (message === '') throw protocolViolation('malformed SCRAM message', 'The message is empty.');
  if (message.includes('\0')) throw protocolViolation('malformed SCRAM message', 'Message length does not match input length.');
  const flag = message[0]!;
  if (flag === 'p') {
    throw protocolViolation('malformed SCRAM message', 'The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.');
  }
  if (flag !== 'n' && flag !== 'y') throw protocolViolation('malformed SCRAM message', `Unexpected channel-binding flag "${flag}".`);
  if (message[1] !== ',') throw protocolViolation('malformed SCRAM message', `Comma expected, but found character "${message[1] ?? ''}".`);
  if (message[2] === 'a') throw new FatalError('feature_not_supported', 'client uses authorization identity, but it is not supported');
  if (message[2] !== ',') throw protocolViolation('malformed SCRAM message', `Unexpected attribute "${message[2] ?? ''}" in client-first-message.`);
  const bare = message.slice(3);
  if (bare.startsWith('m=')) throw new FatalError('feature_not_supported', 'client requires an unsupported SCRAM extension');
  const m = /^n=[^,]*,r=([!-+\--~]+)(?:,.*)?$/.exec(bare);
  if (!m) throw protocolViolation('malformed SCRAM message', 'Malformed client-first-message.');
  return { header: message.slice(0, 3), bare, nonce: m[1]! };
}

function parseClientFinal(message: string, nonce: string, header: string): { withoutProof: string; proof: Buffer } {
  const m = /^(c=([^,]*),r=([^,]+)(?:,.*)?),p=([A-Za-z0-9+/]+=*)$/s.exec(message);
  if (!m) throw protocolViolation('malformed SCRAM message', 'Malformed proof in client-final-message.');
  if (m[2] !== Buffer.from(header, 'latin1').toString('base64')) {
    throw protocolViolation('unexpected SCRAM channel-binding attribute in client-final-message');
  }
  if (m[3] !== nonce) throw protocolViolation('invalid SCRAM response', 'Nonce does not match.');
  return { withoutProof: m[1]!, proof: Buffer.from(m[4]!, 'base64') };
}
