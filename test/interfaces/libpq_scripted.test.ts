// LIBPQ against a server that plays a script: messages cut at every byte, and lies.
import test from 'ava';
import { readFileSync } from 'node:fs';
import { MessageReader } from '../../src/interfaces/libpq/message_reader.ts';
import { connect, ConnectionError, Pool, ServerError, type ConnectSettings } from '../../src/interfaces/libpq/libpq.ts';
import { AuthenticationOk, byBytes, CommandComplete, DataRow, ErrorResponse, int16, int32, message, NoticeResponse, ReadyForQuery, RowDescription, scriptedServer, WELCOME, type Answer } from './scripted_server.ts';

const at = (port: number, more: ConnectSettings = {}): ConnectSettings => ({ host: '127.0.0.1', port, user: 'u', dbname: 'd', sslmode: 'disable', passfile: '/nowhere', ...more });

const ANSWER = Buffer.concat([
  NoticeResponse('mind the gap'), RowDescription(['a', 23], ['b', 25]), DataRow('1', 'é'), DataRow('-22', null), message('A', int32(5), 'chan\0load\0'), CommandComplete('SELECT 2'),
  message('S', 'TimeZone\0UTC\0'), ReadyForQuery,
]);

test('the reader finds the same messages wherever the bytes are cut', (t) => {
  const messages = (pieces: Buffer[]): string[] => {
    const reader = new MessageReader(), found: string[] = [];
    for (const piece of pieces) reader.feed(piece, (type, buffer, from, to) => found.push(String.fromCharCode(type) + buffer.toString('latin1', from, to)));
    return found;
  };
  const whole = messages([ANSWER]);
  t.is(whole.length, 8);
  for (let i = 1; i < ANSWER.length; i++) {
    t.deepEqual(messages([ANSWER.subarray(0, i), ANSWER.subarray(i)]), whole);
    for (let j = i + 1; j < ANSWER.length; j += 7) t.deepEqual(messages([ANSWER.subarray(0, i), ANSWER.subarray(i, j), ANSWER.subarray(j)]), whole);
  }
  t.deepEqual(messages(byBytes(ANSWER)), whole);
});

test('a session byte by byte: start, rows, notice, notification, parameter, end', async (t) => {
  const server = await scriptedServer((type) => (type === '' ? byBytes(WELCOME) : type === 'Q' ? byBytes(ANSWER) : null));
  const notices: (string | undefined)[] = [], notifications: string[] = [];
  const db = await connect(at(server.port), { onNotice: (n) => notices.push(n.message) });
  db.on('notification', (n) => notifications.push(`${n.channel} ${n.payload} ${n.processId}`));
  const [result] = await db.exec('select');
  t.deepEqual(result!.rows, [{ a: 1, b: 'é' }, { a: -22, b: null }]);
  t.is(result!.tag, 'SELECT 2');
  t.deepEqual(notices, ['mind the gap']);
  t.deepEqual(notifications, ['chan load 5']);
  t.is(db.parameters.get('TimeZone'), 'UTC');
  t.is(db.serverVersion, 150018);
  t.is(db.processId, 77);
  await db.finish();
  t.is(server.seen.at(-1), 'X');
  await server.close();
});

const lies: [name: string, answer: Answer, settings: ConnectSettings, expected: RegExp][] = [
  ['bytes in clear behind the answer to SSLRequest', (type) => (type === 'ssl' ? Buffer.concat([Buffer.from('S'), ErrorResponse('08P01', 'smuggled')]) : null), { sslmode: 'require' }, /received unencrypted data after SSL response/],
  ['TLS required, server has none', (type) => (type === 'ssl' ? Buffer.from('N') : WELCOME), { sslmode: 'require' }, /server does not support SSL, but SSL was required/],
  ['a length of 2 GB', () => Buffer.from([0x52, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]), {}, /invalid response/],
  // The message was waited for, up to a gigabyte.
  ['an error of 5 MB before anybody is known', () => Buffer.concat([Buffer.from([0x45, 0, 0x4c, 0x4b, 0x40]), Buffer.alloc(9)]), {}, /invalid response/],
  ['a length below four', () => Buffer.from([0x52, 0, 0, 0, 3, 0, 0, 0, 0]), {}, /invalid response/],
  ['a key before authentication', () => Buffer.concat([message('K', int32(1), int32(2)), WELCOME]), {}, /expected authentication request/],
  ['no authentication where some is required', () => WELCOME, { require_auth: 'scram-sha-256' }, /authentication method requirement "scram-sha-256" failed: server did not complete authentication/],
  ['a password in clear where SCRAM is required', () => message('R', int32(3)), { require_auth: 'scram-sha-256', password: 'secret' }, /server requested a cleartext password/],
  ['md5 where it is forbidden', () => message('R', int32(5), 'salt'), { require_auth: '!md5,!password', password: 'secret' }, /server requested a hashed password/],
  ['SCRAM cut short by AuthenticationOk', (type) => (type === '' ? message('R', int32(10), 'SCRAM-SHA-256\0\0') : AuthenticationOk), { password: 'secret' }, /before it has proved/],
  ['a nonce that is not ours', (type) => (type === '' ? message('R', int32(10), 'SCRAM-SHA-256\0\0') : message('R', int32(11), 'r=abc,s=AAAA,i=4096')), { password: 'secret' }, /nonce mismatch/],
  ['an iteration count of zero', (type, body) => (type === '' ? message('R', int32(10), 'SCRAM-SHA-256\0\0') : message('R', int32(11), `r=${/r=([^,]*)/.exec(body.toString())![1]}x,s=AAAA,i=0`)), { password: 'secret' }, /malformed SCRAM message/],
  ['a wrong proof', (type, body) => {
    if (type === '') return message('R', int32(10), 'SCRAM-SHA-256\0\0');
    const nonce = /r=([^,]*)/.exec(body.toString())![1];
    return body.toString().includes('p=') ? Buffer.concat([message('R', int32(12), 'v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='), WELCOME]) : message('R', int32(11), `r=${nonce}x,s=AAAA,i=4096`);
  }, { password: 'secret' }, /incorrect server signature/],
  ['channel binding offered without TLS', () => message('R', int32(10), 'SCRAM-SHA-256-PLUS\0\0'), { password: 'secret' }, /SCRAM-SHA-256-PLUS authentication over a non-SSL connection/],
  ['an authentication nobody knows', () => message('R', int32(4711)), {}, /authentication method 4711 not supported/],
  ['silence and the end', (_type, _body, socket) => { socket.end(); return null; }, {}, /server closed the connection unexpectedly/],
];
for (const [name, answer, settings, expected] of lies) {
  test(`refused: ${name}`, async (t) => {
    const server = await scriptedServer(answer);
    const error = await t.throwsAsync(connect(at(server.port, settings)), { instanceOf: ConnectionError });
    t.regex(error.message, expected);
    await server.close();
  });
}

const nonsense: [name: string, bytes: Buffer, expected: RegExp][] = [
  ['rows without a description', Buffer.concat([DataRow('1'), ReadyForQuery]), /without prior row description/],
  ['a row with too many columns', Buffer.concat([RowDescription(['a', 25]), DataRow('1', '2'), CommandComplete('SELECT 1'), ReadyForQuery]), /2 columns instead of 1/],
  ['a column longer than its message', Buffer.concat([RowDescription(['a', 25]), message('D', int16(1), int32(500), 'x'), CommandComplete('SELECT 1'), ReadyForQuery]), /too long/],
  ['a short message type with a long length', Buffer.from([0x5a, 0, 1, 0, 0, 0x49]), /lost synchronization with server: got message type "Z", length 65536/],
  ['a type that does not exist', message('@'), /unexpected response from server; first received character was "@"/],
  ['the end in the middle of a row', Buffer.concat([RowDescription(['a', 25]), DataRow('1').subarray(0, 6)]), /server closed the connection unexpectedly/],
  ['FATAL, then the end', ErrorResponse('57P01', 'terminating connection due to administrator command', 'FATAL'), /terminating connection/],
];
for (const [name, bytes, expected] of nonsense) {
  test(`a query fails and nothing hangs: ${name}`, async (t) => {
    const server = await scriptedServer((type, _body, socket) => {
      if (type === '') return WELCOME;
      if (type !== 'Q') return null;
      if (/end/.test(name)) socket.end(bytes);
      return /end/.test(name) ? null : bytes;
    });
    const db = await connect(at(server.port));
    const error = await t.throwsAsync(db.exec('select'));
    t.regex(error.message, expected);
    db.destroy();
    await t.throwsAsync(db.exec('select'), { instanceOf: Error });
    await server.close();
  });
}

test('an idle session is told why it ends', async (t) => {
  const server = await scriptedServer((type, _body, socket) => {
    if (type === '') return WELCOME;
    socket.end(ErrorResponse('57P01', 'terminating connection due to administrator command', 'FATAL'));
    return null;
  });
  const db = await connect(at(server.port));
  const closed = new Promise<Error | null>((done) => { db.on('close', done); });
  const error = await t.throwsAsync(db.query('x'), { instanceOf: ServerError });
  t.is(error.code, '57P01');
  t.is(((await closed) as ServerError).code, '57P01');
  t.is(db.transactionStatus, 'unknown');
  await server.close();
});

test('hosts are tried in order; who refuses by password ends it, who is starting up does not', async (t) => {
  const starting = await scriptedServer(() => ErrorResponse('57P03', 'the database system is starting up', 'FATAL'));
  const standby = await scriptedServer((type) => (type === '' ? Buffer.concat([AuthenticationOk, message('S', 'in_hot_standby\0on\0'), message('S', 'default_transaction_read_only\0off\0'), ReadyForQuery]) : null));
  const primary = await scriptedServer((type) => (type === '' ? Buffer.concat([AuthenticationOk, message('S', 'in_hot_standby\0off\0'), message('S', 'default_transaction_read_only\0off\0'), ReadyForQuery]) : null));
  const refusing = await scriptedServer(() => ErrorResponse('28P01', 'password authentication failed', 'FATAL'));
  const to = (attrs: string, ...servers: { port: number }[]): Promise<number> => connect({
    host: servers.map(() => '127.0.0.1').join(','), port: servers.map((s) => s.port).join(','), user: 'u', sslmode: 'disable', target_session_attrs: attrs, password: 'p',
  }).then(async (db) => {
    const { port } = db;
    await db.finish();
    return port;
  });
  t.is(await to('any', { port: 1 }, starting, standby), standby.port);
  t.is(await to('read-write', standby, primary), primary.port);
  t.is(await to('primary', standby, primary), primary.port);
  t.is(await to('standby', primary, standby), standby.port);
  t.is(await to('read-only', primary, standby), standby.port);
  t.is(await to('prefer-standby', primary, standby), standby.port);
  t.is(await to('prefer-standby', primary), primary.port);
  await t.throwsAsync(to('any', refusing, primary), { message: /password authentication failed/ });
  await t.throwsAsync(to('read-only', primary), { message: /session is not read-only/ });
  for (const server of [starting, standby, primary, refusing]) await server.close();
});

test('a connection attempt ends by its time limit and by AbortSignal', async (t) => {
  const silent = await scriptedServer(() => null);
  const controller = new AbortController();
  const attempt = connect(at(silent.port), { signal: controller.signal });
  controller.abort(new Error('enough'));
  await t.throwsAsync(attempt);
  await t.throwsAsync(connect(at(silent.port, { connect_timeout: 1 })), { message: /timeout expired/ });
  await silent.close();
});

test('load_balance_hosts spreads connections; several hosts without it are taken in order', async (t) => {
  const servers = await Promise.all([1, 2].map(() => scriptedServer((type) => (type === '' ? WELCOME : null))));
  const to = async (how: string): Promise<number> => {
    await using db = await connect(at(0, { host: '127.0.0.1,127.0.0.1', port: servers.map((s) => s.port).join(), load_balance_hosts: how }));
    return db.port;
  };
  const met = new Set<number>();
  for (let i = 0; i < 64 && met.size < 2; i++) met.add(await to('random'));
  t.is(met.size, 2);
  for (let i = 0; i < 8; i++) t.is(await to('disable'), servers[0]!.port);
  await t.throwsAsync(to('sometimes'), { message: 'invalid load_balance_hosts value: "sometimes"' });
  for (const server of servers) await server.close();
});

/** The kernel's keepalive timer of a connection to this port, in seconds; null: none. */
function keepaliveTimer(port: number): number | null {
  const remote = port.toString(16).toUpperCase().padStart(4, '0');
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    const m = /^ *\d+: \w+:\w+ \w+:(\w+) 01 \w+:\w+ (\w\w):(\w+)/.exec(line);
    if (m?.[1] === remote) return m[2] === '02' ? parseInt(m[3]!, 16) / 100 : null;
  }
  throw new Error('there is no such connection');
}

test('keepalives: on, off, and when the first is sent', async (t) => {
  const server = await scriptedServer((type) => (type === '' ? WELCOME : null));
  const timer = async (settings: ConnectSettings): Promise<number | null> => {
    await using db = await connect(at(server.port, settings));
    return db.isOpen ? keepaliveTimer(server.port) : NaN;
  };
  // It was Node's: 60 seconds, and lost after ten more.
  t.true((await timer({}))! > 7100);
  t.is(await timer({ keepalives: 0 }), null);
  const idle = (await timer({ keepalives_idle: 77, keepalives_interval: 5, keepalives_count: 3 }))!;
  t.true(idle > 70 && idle <= 77.5, String(idle));
  await server.close();
});

test('a server that does not answer the goodbye is left', async (t) => {
  const server = await scriptedServer((type, _body, socket) => {
    socket.allowHalfOpen = true;
    return type === '' ? WELCOME : null;
  });
  const db = await connect(at(server.port));
  await db.finish();
  t.false(db.isOpen);
  await server.close();
});

test('a pool whose server fails lets nobody wait for ever', async (t) => {
  // Who waited behind an attempt that failed was never served, though its place was free.
  let fail = true;
  const server = await scriptedServer((type) => (type !== '' ? null : fail ? ErrorResponse('53300', 'sorry, too many clients already', 'FATAL') : WELCOME));
  await using pool = new Pool(at(server.port), { max: 1, waitTimeoutMs: 0 });
  const settled = await Promise.allSettled([pool.connect(), pool.connect(), pool.connect()]);
  t.deepEqual(settled.map((s) => s.status), ['rejected', 'rejected', 'rejected']);
  fail = false;
  await using lease = await pool.connect();
  t.true(lease.connection.isOpen);
  await server.close();
});

test('a pool does not lend what no longer answers, what is closed, what is too old', async (t) => {
  let mute = false;
  const server = await scriptedServer((type) => (type === '' ? WELCOME : type === 'Q' && !mute ? Buffer.concat([message('I'), ReadyForQuery]) : null));
  await using pool = new Pool(at(server.port), { max: 1, healthCheckAfterMs: 0, healthCheckTimeoutMs: 30 });
  const borrow = async (): Promise<object> => {
    await using lease = await pool.connect();
    return lease.connection;
  };
  const first = await borrow();
  t.is(await borrow(), first, 'it lives');
  mute = true;
  const second = await borrow();
  t.not(second, first);
  t.is(pool.size, 1);
  mute = false;
  await using aging = new Pool(at(server.port), { max: 1, maxLifetimeMs: 1 });
  const lent = await aging.connect(), waiting = aging.connect();
  await new Promise((later) => { setTimeout(later, 5); });
  await lent.release();
  await using other = await waiting;
  t.not(other.connection, lent.connection);
  await server.close();
});
