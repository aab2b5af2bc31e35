// Which server: all hosts and addresses in order, with TLS or without as sslmode says, until one suits
// (the loop of PQconnectPoll, target_session_attrs, load_balance_hosts).
import net from 'node:net';
import { dns } from './builtin.ts';
import { allowedMethods } from './auth.ts';
import { SESSION_ENV, type Conninfo } from './conninfo_keywords.ts';
import { findEncoding } from '../../common/charsets.ts';
import { cannotConnect, ConnectionError, readReport, ServerError } from './errors.ts';
import { hostsOf, isSocketFolder, shuffled, socketPath, type Host } from './hosts.ts';
import { MessageReader } from './message_reader.ts';
import { MessageWriter } from './message_writer.ts';
import { checkTlsSettings, SSL_MODES, type SslMode } from './secure.ts';
import { attempt, AttemptFailed, type Started } from './startup.ts';
import type { Tracer } from './trace.ts';

export interface EstablishOptions {
  warn: (message: string) => void;
  tracer: Tracer | null;
  signal?: AbortSignal | undefined;
}

const SESSION_ATTRS = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const;
type SessionAttrs = (typeof SESSION_ATTRS)[number];

function oneOf<T extends string>(info: Conninfo, name: keyof Conninfo, values: readonly T[]): T {
  const text = info[name]!, found = values.find((v) => v === text);
  if (found === undefined) throw cannotConnect(`invalid ${name} value: "${text}"`);
  return found;
}

const TRUTH: readonly string[] = ['0', '1'];
const INTEGERS = ['connect_timeout', 'keepalives', 'keepalives_idle', 'keepalives_interval', 'keepalives_count', 'tcp_user_timeout'] as const;

/** Settings that are wrong whatever the server says, and those that nothing here can do. */
function check(info: Conninfo): void {
  oneOf(info, 'sslmode', SSL_MODES);
  oneOf(info, 'channel_binding', ['disable', 'prefer', 'require']);
  oneOf(info, 'target_session_attrs', SESSION_ATTRS);
  oneOf(info, 'load_balance_hosts', ['disable', 'random']);
  oneOf(info, 'gssencmode', ['disable', 'prefer', 'require']);
  oneOf(info, 'sslsni', TRUTH);
  if (info.gssencmode === 'require') throw cannotConnect('gssencmode value "require" invalid when GSSAPI support is not compiled in');
  for (const name of INTEGERS) {
    if (info[name] !== undefined && !/^\s*[-+]?\d+\s*$/.test(info[name])) throw cannotConnect(`invalid integer value "${info[name]}" for connection option "${name}"`);
  }
  if (info.sslcompression === '1') throw cannotConnect('sslcompression is not supported');
  if (info.requirepeer !== undefined) throw cannotConnect('requirepeer parameter is not supported on this platform');
  if (info.tcp_user_timeout !== undefined && info.tcp_user_timeout !== '0') throw cannotConnect('tcp_user_timeout is not supported');
  if (info.replication !== undefined && !/^(0|false|off|no)$/i.test(info.replication)) throw cannotConnect('replication connections are not supported');
  if (info.client_encoding !== undefined && info.client_encoding !== '' && info.client_encoding !== 'auto' && findEncoding(info.client_encoding) === null) throw cannotConnect(`client encoding "${info.client_encoding}" is not supported`);
  if (info.sslmode === 'disable' && info.channel_binding === 'require') throw cannotConnect('channel binding required, but SSL not in use');
  if (info.sslrootcert === 'system' && info.sslmode !== 'verify-full') throw cannotConnect(`weak sslmode "${info.sslmode}" may not be used with sslrootcert=system (use "verify-full")`);
  checkTlsSettings(info);
  allowedMethods(info.require_auth);
}

/** That of the locale; UTF-8 where it names none that we know. */
function localeEncoding(): string {
  const { env } = process, locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return findEncoding(/\.([^@]+)/.exec(locale)?.[1] ?? '')?.name ?? 'UTF8';
}

function startupParameters(info: Conninfo): Record<string, string> {
  const parameters: Record<string, string> = { user: info.user!, database: info.dbname! };
  if (info.options !== undefined && info.options !== '') parameters['options'] = info.options;
  const application = info.application_name ?? info.fallback_application_name;
  if (application !== undefined && application !== '') parameters['application_name'] = application;
  // "" is whatever the database has; nothing is UTF-8, which JavaScript's texts are at home in.
  if (info.client_encoding !== '') parameters['client_encoding'] = info.client_encoding === 'auto' ? localeEncoding() : info.client_encoding ?? 'UTF8';
  for (const [env, name] of Object.entries(SESSION_ENV)) {
    const value = process.env[env];
    if (value !== undefined && value.toLowerCase() !== 'default') parameters[name] = value;
  }
  return parameters;
}

/** "connection to server at ..., port 5432 failed: ". */
function where(host: Host, address: string): string {
  if (isSocketFolder(host.host) && host.hostaddr === '') return `connection to server on socket "${socketPath(host)}" failed: `;
  return `connection to server at "${host.host}"${address === '' || address === host.host ? '' : ` (${address})`}, port ${host.port} failed: `;
}

async function addressesOf(host: Host, random: boolean): Promise<string[]> {
  if (host.hostaddr !== '') {
    if (net.isIP(host.hostaddr) === 0) throw new AttemptFailed('connect', `could not parse network address "${host.hostaddr}": Name or service not known`);
    return [host.hostaddr];
  }
  if (isSocketFolder(host.host)) return [''];
  if (net.isIP(host.host) !== 0) return [host.host];
  try {
    const found = (await dns().lookup(host.host, { all: true, order: 'verbatim' })).map((a) => a.address);
    return random ? shuffled(found) : found;
  } catch {
    throw new AttemptFailed('connect', `could not translate host name "${host.host}" to address: Name or service not known`);
  }
}

export async function establish(info: Conninfo, options: EstablishOptions): Promise<Started> {
  check(info);
  const hosts = hostsOf(info, options.warn);
  const attrs = info.target_session_attrs as SessionAttrs;
  const failures: string[] = [];
  let last: AttemptFailed | null = null;
  // prefer-standby: first only a standby will do, then anything.
  for (const wanted of attrs === 'prefer-standby' ? ['standby', 'any'] as const : [attrs]) {
    for (const host of hosts) {
      let addresses: string[];
      try {
        addresses = await addressesOf(host, info.load_balance_hosts === 'random');
      } catch (error) {
        last = error as AttemptFailed;
        failures.push(last.message);
        continue;
      }
      for (const address of addresses) {
        const started = await tryAddress(host, address, info, options, wanted);
        if (!Array.isArray(started)) return started;
        failures.push(...started.map((f) => where(host, address) + f.message));
        last = started.at(-1)!;
        options.signal?.throwIfAborted();
        // A server that refuses us, other than "not now", is an answer.
        if (last.stage === 'authentication' || last.stage === 'server') {
          if (!(last.cause instanceof ServerError && last.cause.code === '57P03') && !(last instanceof Unsuitable)) throw failure(failures, last, host);
        }
      }
    }
  }
  throw failure(failures, last!, null);
}

class Unsuitable extends AttemptFailed {}

function failure(messages: readonly string[], last: AttemptFailed, host: Host | null): ConnectionError {
  let message = messages.join('\n');
  const cause = last.cause;
  const code = cause instanceof ServerError ? cause.code : '08001';
  if (host?.passfile !== undefined && last.passwordUsed && code === '28P01') message += `\npassword retrieved from file "${host.passfile}"`;
  return new ConnectionError(message, code, { cause, needsPassword: last.needsPassword });
}

/** With and without TLS, in the order that sslmode says; all failures when nothing worked. */
async function tryAddress(host: Host, address: string, info: Conninfo, options: EstablishOptions, wanted: SessionAttrs): Promise<Started | AttemptFailed[]> {
  const sslMode = info.sslmode as SslMode;
  const ways = address === '' || sslMode === 'disable' ? [false] : sslMode === 'allow' ? [false, true] : sslMode === 'prefer' ? [true, false] : [true];
  const seconds = Number(info.connect_timeout ?? 0), timeoutMs = seconds > 0 ? Math.max(2, seconds) * 1000 : 0;
  const failures: AttemptFailed[] = [];
  for (const tls of ways) {
    try {
      const started = await attempt(host, address, { info, sslMode, tls, startupParameters: startupParameters(info), tracer: options.tracer, timeoutMs, signal: options.signal });
      const unsuitable = await mismatch(started, wanted);
      if (unsuitable === null) return started;
      started.socket.destroy();
      failures.push(new Unsuitable('server', unsuitable));
      return failures;
    } catch (error) {
      if (!(error instanceof AttemptFailed)) throw error;
      failures.push(error);
      // Another way is worth a try when TLS failed, or when the server may have a rule for it (pg_hba.conf). Where it had no TLS, this was the other way.
      const other = error.stage === 'tls' || (error.stage === 'authentication' && error.cause instanceof ServerError && error.encrypted === tls);
      if (!other) break;
    }
  }
  return failures;
}

/** Why the session is not what target_session_attrs wants; null: it is. */
async function mismatch(started: Started, wanted: SessionAttrs): Promise<string | null> {
  if (wanted === 'any') return null;
  const { parameters } = started;
  if (wanted === 'read-write' || wanted === 'read-only') {
    const standby = parameters.get('in_hot_standby'), standing = parameters.get('default_transaction_read_only');
    const readOnly = standby !== undefined && standing !== undefined ? standby === 'on' || standing === 'on' : await ask(started, 'SHOW transaction_read_only') === 'on';
    if (readOnly === (wanted === 'read-only')) return null;
    return readOnly ? 'session is read-only' : 'session is not read-only';
  }
  const reported = parameters.get('in_hot_standby');
  const standby = reported !== undefined ? reported === 'on' : await ask(started, 'SELECT pg_catalog.pg_is_in_recovery()') === 't';
  if (standby === (wanted === 'standby')) return null;
  return standby ? 'server is in hot standby mode' : 'server is not in hot standby mode';
}

/** One value from a session that no Connection has yet. */
function ask(started: Started, sql: string): Promise<string> {
  const { socket } = started, writer = new MessageWriter(), reader = new MessageReader();
  writer.query(sql);
  return new Promise((resolve, reject) => {
    let value = '';
    const failed = (): void => reject(new AttemptFailed('server', 'server closed the connection unexpectedly'));
    const onData = (chunk: Buffer): void => {
      reader.feed(chunk, (type, buffer, at, end) => {
        if (type === 0x44) value = buffer.toString('utf8', at + 6, end);
        else if (type === 0x45) reject(new AttemptFailed('server', readReport(buffer, at, end).message ?? ''));
        else if (type === 0x5a) {
          socket.removeListener('data', onData);
          socket.removeListener('error', failed);
          socket.removeListener('close', failed);
          socket.pause();
          resolve(value);
        }
      });
    };
    socket.on('data', onData);
    socket.once('error', failed);
    socket.once('close', failed);
    socket.resume();
    socket.write(writer.take());
  });
}
