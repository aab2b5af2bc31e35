// Authentication as the frontend sees it (fe-auth.c): what the server may ask for, the answers, and what the frontend
// insists on (require_auth, channel_binding).
import type { X509Certificate } from 'node:crypto';
import { crypto } from './builtin.ts';
import { md5Proof, md5Secret } from '../../common/md5.ts';
import { ScramClient, type ChannelBinding } from '../../common/scram.ts';
import { cannotConnect } from './errors.ts';
import type { MessageWriter } from './message_writer.ts';

const METHODS = ['password', 'md5', 'gss', 'sspi', 'scram-sha-256', 'none'] as const;
type Method = (typeof METHODS)[number];

/** What the server asks for, and how a refusal calls it. */
const REQUESTS: Record<number, { method: Method; words: string }> = {
  3: { method: 'password', words: 'server requested a cleartext password' },
  5: { method: 'md5', words: 'server requested a hashed password' },
  7: { method: 'gss', words: 'server requested GSSAPI authentication' },
  9: { method: 'sspi', words: 'server requested SSPI authentication' },
  10: { method: 'scram-sha-256', words: 'server requested SASL authentication' },
};
const PLUS = 'SCRAM-SHA-256-PLUS', PLAIN = 'SCRAM-SHA-256';

export interface AuthSettings {
  user: string;
  password: string | undefined;
  channelBinding: 'disable' | 'prefer' | 'require';
  requireAuth: string | undefined;
  /** The server's certificate; null without TLS. */
  certificate: X509Certificate | null;
  /** A certificate of ours was asked for and sent. */
  sentCertificate: boolean;
}

/** The methods that require_auth leaves; null: any. */
export function allowedMethods(text: string | undefined): ReadonlySet<Method> | null {
  if (text === undefined || text === '') return null;
  const words = text.split(',').map((w) => w.trim());
  const negative = words[0]!.startsWith('!');
  const named = new Set<Method>();
  for (const word of words) {
    if (word.startsWith('!') !== negative) {
      throw cannotConnect(negative ? `require_auth method "${word}" cannot be mixed with negative methods` : `negative require_auth method "${word}" cannot be mixed with non-negative methods`);
    }
    const method = METHODS.find((m) => m === word.replace('!', ''));
    if (method === undefined) throw cannotConnect(`invalid require_auth value: "${word}"`);
    if (named.has(method)) throw cannotConnect(`require_auth method "${word}" is specified more than once`);
    named.add(method);
  }
  return negative ? new Set(METHODS.filter((m) => !named.has(m))) : named;
}

/** One authentication dialogue: `request` for each Authentication message until it returns true. */
export class Authentication {
  /** The password was sent or used: what the server then refuses is the password. */
  passwordUsed = false;
  private readonly settings: AuthSettings;
  private readonly allowed: ReadonlySet<Method> | null;
  private scram: ScramClient | null = null;
  private bound = false;
  private finished = false;
  private answered = false;

  constructor(settings: AuthSettings) {
    this.settings = settings;
    this.allowed = allowedMethods(settings.requireAuth);
    if (settings.channelBinding === 'require' && settings.certificate === null) throw cannotConnect('channel binding required, but SSL not in use');
  }

  /** buffer[at..end) is the body of an Authentication message. True: AuthenticationOk. */
  request(buffer: Buffer, writer: MessageWriter): boolean {
    if (buffer.length < 4) throw cannotConnect('malformed authentication request');
    const code = buffer.readInt32BE(0);
    if (code === 11) this.saslContinue(buffer.toString('utf8', 4), writer);
    else if (code === 12) this.saslFinal(buffer.toString('utf8', 4));
    else if (code === 0) {
      this.checkEnd();
      return true;
    } else this.begin(code, buffer, writer);
    return false;
  }

  private begin(code: number, buffer: Buffer, writer: MessageWriter): void {
    const known = REQUESTS[code];
    if (known === undefined) throw cannotConnect(code === 2 || code === 6 ? 'authentication method ' + code + ' not supported' : `authentication method ${code} not supported`);
    if (this.answered) throw cannotConnect('server asked for authentication twice');
    if (this.allowed !== null && !this.allowed.has(known.method)) throw cannotConnect(`authentication method requirement "${this.settings.requireAuth}" failed: ${known.words}`);
    if (this.settings.channelBinding === 'require' && code !== 10) throw cannotConnect('channel binding required but not supported by server\'s authentication request');
    if (code === 7) throw cannotConnect('GSSAPI authentication not supported');
    if (code === 9) throw cannotConnect('SSPI authentication not supported');
    this.answered = true;
    if (code === 10) {
      this.sasl(buffer.toString('utf8', 4), writer);
      return;
    }
    const password = this.password();
    if (code === 3) writer.passwordMessage(password);
    else {
      if (buffer.length < 8) throw cannotConnect('malformed authentication request');
      writer.passwordMessage(md5Proof(md5Secret(password, this.settings.user), buffer.subarray(4, 8)));
    }
  }

  private password(): string {
    const { password } = this.settings;
    if (password === undefined || password === '') throw cannotConnect('fe_sendauth: no password supplied', true);
    this.passwordUsed = true;
    return password;
  }

  private sasl(list: string, writer: MessageWriter): void {
    const offered = list.split('\0').filter((m) => m !== '');
    const { channelBinding, certificate } = this.settings;
    let mechanism = '';
    if (offered.includes(PLUS)) {
      if (certificate === null) throw cannotConnect('server offered SCRAM-SHA-256-PLUS authentication over a non-SSL connection');
      if (channelBinding !== 'disable') mechanism = PLUS;
    }
    if (mechanism === '' && offered.includes(PLAIN)) mechanism = PLAIN;
    if (mechanism === '') throw cannotConnect('none of the server\'s SASL authentication mechanisms are supported');
    if (channelBinding === 'require' && mechanism !== PLUS) throw cannotConnect('channel binding is required, but server did not offer an authentication method that supports channel binding');
    this.bound = mechanism === PLUS;
    const binding: ChannelBinding = this.bound ? { header: 'p=tls-server-end-point,,', data: certificateHash(certificate!) }
      : { header: certificate !== null && channelBinding !== 'disable' ? 'y,,' : 'n,,', data: new Uint8Array(0) };
    this.scram = new ScramClient(this.password(), binding);
    writer.saslInitialResponse(mechanism, this.scram.first());
  }

  private saslContinue(text: string, writer: MessageWriter): void {
    if (this.scram === null || this.finished) throw cannotConnect('fe_sendauth: invalid authentication request from server: AUTH_REQ_SASL_CONT without AUTH_REQ_SASL');
    try {
      writer.saslResponse(this.scram.final(text));
    } catch (error) {
      throw cannotConnect((error as Error).message);
    }
  }

  private saslFinal(text: string): void {
    if (this.scram === null || this.finished) throw cannotConnect('fe_sendauth: invalid authentication request from server: AUTH_REQ_SASL_FIN without AUTH_REQ_SASL');
    if (!this.scram.verify(text)) throw cannotConnect('incorrect server signature');
    this.finished = true;
  }

  /** The server says it is content; are we? */
  private checkEnd(): void {
    if (this.scram !== null && !this.finished) throw cannotConnect('server says the authentication is complete before it has proved that it knows the password');
    if (this.settings.channelBinding === 'require' && !this.bound) throw cannotConnect('channel binding required, but server authenticated client without channel binding');
    if (this.allowed !== null && !this.answered && !this.allowed.has('none')) {
      throw cannotConnect(`authentication method requirement "${this.settings.requireAuth}" failed: server did not complete authentication`);
    }
  }
}

/** RFC 5929, tls-server-end-point: the certificate's hash, by the hash of its signature, or SHA-256 when that is weak. */
function certificateHash(certificate: X509Certificate): Buffer {
  const algorithm = signatureHash(certificate.raw);
  return crypto().createHash(algorithm).update(certificate.raw).digest();
}

/** Hash names by the OID of a signature algorithm, in hexadecimal of DER. */
const SIGNATURE_HASHES: Record<string, string> = {
  '2a864886f70d01010b': 'sha256', '2a864886f70d01010c': 'sha384', '2a864886f70d01010d': 'sha512', '2a864886f70d01010e': 'sha224',
  '2a8648ce3d040301': 'sha224', '2a8648ce3d040302': 'sha256', '2a8648ce3d040303': 'sha384', '2a8648ce3d040304': 'sha512',
  '2a864886f70d010104': 'sha256', '2a864886f70d010105': 'sha256', '2a8648ce3d0401': 'sha256',
};
const RSA_PSS = '2a864886f70d01010a';

/** Certificate ::= SEQUENCE { tbs SEQUENCE, algorithm SEQUENCE { OID, parameters }, signature }. */
function signatureHash(der: Buffer): string {
  const header = (at: number): { from: number; to: number } => {
    let length = der[at + 1]!, from = at + 2;
    if (length & 0x80) {
      const bytes = length & 0x7f;
      length = der.readUIntBE(from, bytes);
      from += bytes;
    }
    return { from, to: from + length };
  };
  const algorithm = header(header(header(0).from).to), oid = header(algorithm.from);
  const name = der.toString('hex', oid.from, oid.to);
  if (name === RSA_PSS) {
    const parameters = der.toString('hex', oid.to, algorithm.to);
    return parameters.includes('0609608648016503040202') ? 'sha384' : parameters.includes('0609608648016503040203') ? 'sha512' : 'sha256';
  }
  const hash = SIGNATURE_HASHES[name];
  if (hash === undefined) throw cannotConnect('could not find digest for the signature algorithm of the server\'s certificate');
  return hash;
}
