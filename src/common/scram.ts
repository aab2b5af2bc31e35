// SCRAM-SHA-256 (RFC 5802, 7677), what servers and clients share (PostgreSQL's scram-common.c): keys, secrets, proofs.
// A secret as pg_authid keeps it: SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>, base64.
import { saslprep } from './saslprep.ts';

/** Loaded when it is needed: programs without a password do not pay for it. */
import { crypto } from './builtin.ts';

export const SCRAM_MECHANISM = 'SCRAM-SHA-256';
const SCRAM_ITERATIONS = 4096;
const SALT_BYTES = 16, KEY_BYTES = 32, NONCE_BYTES = 18;

export interface ScramSecret {
  iterations: number;
  salt: Buffer;
  storedKey: Buffer;
  serverKey: Buffer;
}

export function hmac(key: Uint8Array, text: string): Buffer {
  return crypto().createHmac('sha256', key).update(text, 'utf8').digest();
}

function sha256(bytes: Uint8Array): Buffer {
  return crypto().createHash('sha256').update(bytes).digest();
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ b[i]!));
}

export function makeNonce(): string {
  return crypto().randomBytes(NONCE_BYTES).toString('base64');
}

function saltPassword(password: string, salt: Uint8Array, iterations: number): Buffer {
  return crypto().pbkdf2Sync(saslprep(password), salt, iterations, KEY_BYTES, 'sha256');
}

/** What CREATE ROLE ... PASSWORD stores. */
export function buildScramSecret(password: string, salt: Uint8Array = crypto().randomBytes(SALT_BYTES), iterations = SCRAM_ITERATIONS): string {
  const salted = saltPassword(password, salt, iterations);
  const storedKey = sha256(hmac(salted, 'Client Key')), serverKey = hmac(salted, 'Server Key');
  return `${SCRAM_MECHANISM}$${iterations}:${Buffer.from(salt).toString('base64')}$${storedKey.toString('base64')}:${serverKey.toString('base64')}`;
}

/** Undefined when it is no SCRAM secret. */
export function parseScramSecret(secret: string): ScramSecret | undefined {
  const m = /^SCRAM-SHA-256\$(\d{1,9}):([A-Za-z0-9+/]+=*)\$([A-Za-z0-9+/]+=*):([A-Za-z0-9+/]+=*)$/.exec(secret);
  if (!m) return undefined;
  const [salt, storedKey, serverKey] = [m[2]!, m[3]!, m[4]!].map((s) => Buffer.from(s, 'base64')) as [Buffer, Buffer, Buffer];
  const iterations = Number(m[1]);
  if (iterations < 1 || storedKey.length !== KEY_BYTES || serverKey.length !== KEY_BYTES) return undefined;
  return { iterations, salt, storedKey, serverKey };
}

/** Whether a password in clear is the one the secret was made from. */
export function scramVerifyPlainPassword(secret: ScramSecret, password: string): boolean {
  return hmac(saltPassword(password, secret.salt, secret.iterations), 'Server Key').equals(secret.serverKey);
}

/** A secret for a user who has none, always the same for a name, so that names cannot be probed. */
export function mockScramSecret(user: string, mockNonce: Uint8Array): ScramSecret {
  const salt = sha256(Buffer.concat([Buffer.from(user, 'utf8'), mockNonce])).subarray(0, SALT_BYTES);
  return { iterations: SCRAM_ITERATIONS, salt, storedKey: Buffer.alloc(KEY_BYTES), serverKey: Buffer.alloc(KEY_BYTES) };
}

/** Whether the proof shows that the client has the key. */
export function verifyClientProof(secret: ScramSecret, authMessage: string, proof: Uint8Array): boolean {
  if (proof.length !== KEY_BYTES) return false;
  return sha256(xor(proof, hmac(secret.storedKey, authMessage))).equals(secret.storedKey);
}

export function serverSignature(secret: ScramSecret, authMessage: string): string {
  return hmac(secret.serverKey, authMessage).toString('base64');
}

/** What a client says about channel binding: the header "n,,", "y,,", or "p=<type>,," with the channel's data behind it. */
export interface ChannelBinding {
  header: string;
  data: Uint8Array;
}
const NO_BINDING: ChannelBinding = { header: 'n,,', data: new Uint8Array(0) };

/** The client's side: first message, then the final one in answer to the server's first, then a check of its last. */
export class ScramClient {
  private readonly password: string;
  private readonly binding: ChannelBinding;
  private readonly nonce = makeNonce();
  private expected = '';

  constructor(password: string, binding = NO_BINDING) {
    this.password = password;
    this.binding = binding;
  }

  /** client-first-message; the user name goes in the start-up packet. */
  first(): string {
    return `${this.binding.header}n=,r=${this.nonce}`;
  }

  /** client-final-message. Throws an Error that says what was wrong with the server's. */
  final(serverFirst: string): string {
    const m = /^r=([^,]+),s=([A-Za-z0-9+/]+=*),i=(\d{1,9})$/.exec(serverFirst);
    if (!m || Number(m[3]) < 1) throw new Error('malformed SCRAM message');
    if (!m[1]!.startsWith(this.nonce) || m[1]!.length === this.nonce.length) throw new Error('invalid SCRAM response (nonce mismatch)');
    const salted = saltPassword(this.password, Buffer.from(m[2]!, 'base64'), Number(m[3]));
    const channel = Buffer.concat([Buffer.from(this.binding.header), this.binding.data]).toString('base64');
    const withoutProof = `c=${channel},r=${m[1]}`;
    const authMessage = `n=,r=${this.nonce},${serverFirst},${withoutProof}`;
    const clientKey = hmac(salted, 'Client Key');
    this.expected = hmac(hmac(salted, 'Server Key'), authMessage).toString('base64');
    return `${withoutProof},p=${xor(clientKey, hmac(sha256(clientKey), authMessage)).toString('base64')}`;
  }

  /** Whether the server knows the secret, too. */
  verify(serverFinal: string): boolean {
    return this.expected !== '' && serverFinal === `v=${this.expected}`;
  }
}

export function isScramSecret(secret: string): boolean {
  return parseScramSecret(secret) !== undefined;
}
