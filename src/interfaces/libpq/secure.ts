// TLS (fe-secure-openssl.c): what each sslmode demands, the files it reads, the check of the server's name.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import net from 'node:net';
import { join } from 'node:path';
import type { ConnectionOptions, PeerCertificate, SecureVersion, TLSSocket } from 'node:tls';
import { strerror } from '../../common/strerror.ts';
import { tls } from './builtin.ts';
import type { Conninfo } from './conninfo_keywords.ts';
import { cannotConnect } from './errors.ts';

export const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

const userFile = (name: string): string => join(process.env['HOME'] || homedir(), '.postgresql', name);

const PROTOCOLS: readonly string[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

function protocol(info: Conninfo, name: 'ssl_min_protocol_version' | 'ssl_max_protocol_version'): SecureVersion | undefined {
  const text = info[name];
  if (text === undefined || text === '') return undefined;
  const found = PROTOCOLS.find((p) => p.toLowerCase() === text.toLowerCase());
  if (found === undefined) throw cannotConnect(`invalid ${name} value: "${text}"`);
  return found as SecureVersion;
}

/** Settings that make no sense are refused before anything is tried. */
export function checkTlsSettings(info: Conninfo): void {
  const low = protocol(info, 'ssl_min_protocol_version'), high = protocol(info, 'ssl_max_protocol_version');
  if (low !== undefined && high !== undefined && PROTOCOLS.indexOf(low) > PROTOCOLS.indexOf(high)) throw cannotConnect('invalid SSL protocol version range');
}

/** A private key that others can read is not used: 0600, or 0640 when it belongs to root. */
function checkKeyFile(file: string): void {
  const stat = statSync(file);
  if (!stat.isFile()) throw cannotConnect(`private key file "${file}" is not a regular file`);
  if ((stat.mode & (stat.uid === 0 ? 0o037 : 0o077)) !== 0) {
    throw cannotConnect(`private key file "${file}" has group or world access; file must have permissions u=rw (0600) or less if owned by the current user, or permissions u=rw,g=r (0640) or less if owned by root`);
  }
}

export interface TlsPlan {
  options: ConnectionOptions;
  sentCertificate: boolean;
}

/** What a handshake needs (initialize_SSL). `host` is the server's name, never its address alone. */
export function planTls(info: Conninfo, mode: SslMode, host: string): TlsPlan {
  const options: ConnectionOptions = { rejectUnauthorized: false, checkServerIdentity: () => undefined };
  const low = protocol(info, 'ssl_min_protocol_version'), high = protocol(info, 'ssl_max_protocol_version');
  if (low !== undefined) options.minVersion = low;
  if (high !== undefined) options.maxVersion = high;
  const rootFile = info.sslrootcert ?? userFile('root.crt');
  if (rootFile === 'system') options.rejectUnauthorized = true;
  else if (existsSync(rootFile)) {
    options.ca = readFile(rootFile, 'root certificate file');
    options.rejectUnauthorized = true;
    const lists = revocationLists(info);
    if (lists.length > 0) options.crl = lists;
  } else if (mode === 'verify-ca' || mode === 'verify-full') {
    throw cannotConnect(`root certificate file "${rootFile}" does not exist\nEither provide the file or change sslmode to disable server certificate verification.`);
  }
  if (mode === 'verify-full' || rootFile === 'system') options.checkServerIdentity = (_name, certificate) => checkServerName(host, certificate);
  // RFC 6066: names only, no addresses.
  if (info.sslsni !== '0' && net.isIP(host) === 0 && host !== '') options.servername = host;
  let sentCertificate = false;
  const certificateFile = info.sslcert ?? userFile('postgresql.crt');
  if (existsSync(certificateFile)) {
    const keyFile = info.sslkey ?? userFile('postgresql.key');
    if (!existsSync(keyFile)) throw cannotConnect(`certificate present, but not private key file "${keyFile}"`);
    checkKeyFile(keyFile);
    options.cert = readFile(certificateFile, 'certificate file');
    options.key = readFile(keyFile, 'private key file');
    if (info.sslpassword !== undefined) options.passphrase = info.sslpassword;
    sentCertificate = true;
  } else if (info.sslcert !== undefined) throw cannotConnect(`could not open certificate file "${certificateFile}": No such file or directory`);
  return { options, sentCertificate };
}

function readFile(file: string, what: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw cannotConnect(`could not read ${what} "${file}": ${strerror(error)}`);
  }
}

function revocationLists(info: Conninfo): Buffer[] {
  const lists: Buffer[] = [];
  const file = info.sslcrl ?? (info.sslcrldir === undefined ? userFile('root.crl') : '');
  if (file !== '' && existsSync(file)) lists.push(readFileSync(file));
  if (info.sslcrldir !== undefined && existsSync(info.sslcrldir)) for (const name of readdirSync(info.sslcrldir)) lists.push(readFileSync(join(info.sslcrldir, name)));
  return lists;
}

/** verify-full: alternative names count, the common name only where there are none of their kind. */
function checkServerName(host: string, certificate: PeerCertificate): Error | undefined {
  if (tls().checkServerIdentity(host, certificate) === undefined) return undefined;
  const names = (certificate.subjectaltname ?? '').split(/, ?/).filter((n) => n !== '');
  const common = String(certificate.subject.CN ?? '');
  if (net.isIP(host) !== 0 && !names.some((n) => n.startsWith('IP Address:')) && (names.includes(`DNS:${host}`) || common === host)) return undefined;
  const shown = names.find((n) => /^(DNS|IP Address):/.test(n))?.replace(/^[^:]+:/, '') ?? common;
  const others = names.filter((n) => /^(DNS|IP Address):/.test(n)).length - 1;
  return new Error(`server certificate for "${shown}"${others > 0 ? ` (and ${others} other name${others === 1 ? '' : 's'})` : ''} does not match host name "${host}"`);
}

/** Wraps an open socket. Rejects with a message in libpq's words. */
export function startTls(socket: net.Socket, plan: TlsPlan): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    let secure: TLSSocket;
    const failed = (error: NodeJS.ErrnoException): void => {
      socket.destroy();
      reject(cannotConnect(tlsMessage(error)));
    };
    try {
      secure = tls().connect({ ...plan.options, socket });
    } catch (error) {
      failed(error as Error);
      return;
    }
    const closed = (): void => failed(new Error('SSL SYSCALL error: EOF detected'));
    secure.once('error', failed);
    secure.once('close', closed);
    secure.once('secureConnect', () => {
      secure.removeListener('error', failed);
      secure.removeListener('close', closed);
      resolve(secure);
    });
  });
}

const VERIFY_CODES = /^(UNABLE_TO|CERT_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA|CRL_|HOSTNAME_MISMATCH)/;

function tlsMessage(error: NodeJS.ErrnoException & { reason?: string }): string {
  if (error.code !== undefined && VERIFY_CODES.test(error.code)) return `SSL error: certificate verify failed (${error.message})`;
  if (error.code === 'ECONNRESET') return 'SSL SYSCALL error: Connection reset by peer';
  if (/^server certificate for|^SSL/.test(error.message)) return error.message;
  return `SSL error: ${error.reason ?? error.message}`;
}
