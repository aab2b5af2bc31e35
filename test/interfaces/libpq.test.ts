// LIBPQ against PostgreSQL 15 with TLS and every kind of password, and against a site of ours.
import test from 'ava';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { connect, ConnectionError, ping, PipelineAborted, Pool, ServerError, typed, Types, type Connection, type ConnectSettings } from '../../src/interfaces/libpq/libpq.ts';
import { giveToAccount } from '../support/account.ts';
import { NOT_INSTALLED, oracleInstalled } from '../support/oracle.ts';
import { runFolder } from '../support/run.ts';
import { makeSite, POSTGRESQL, startSite, type Site } from '../support/site.ts';

const tls = join(runFolder(), 'libpq-tls');
const openssl = (...args: string[]): void => { execFileSync('openssl', args, { cwd: tls, stdio: 'pipe' }); };

/** A CA, a server's certificate for localhost, a client's for the user "carla", another CA. */
function makeCertificates(): void {
  mkdirSync(tls, { mode: 0o755 });
  for (const ca of ['ca', 'other']) openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${ca}`, '-keyout', `${ca}.key`, '-out', `${ca}.crt`);
  for (const [name, subject, extension] of [['server', '/CN=ignored', 'subjectAltName=DNS:localhost,DNS:*.posthouse.test'], ['carla', '/CN=carla', 'extendedKeyUsage=clientAuth']] as const) {
    writeFileSync(join(tls, `${name}.ext`), `${extension}\n`);
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', subject, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`, '-out', `${name}.crt`);
    chmodSync(join(tls, `${name}.key`), 0o600);
  }
  openssl('rsa', '-aes256', '-passout', 'pass:horse', '-in', 'carla.key', '-out', 'carla-locked.key');
  chmodSync(join(tls, 'carla-locked.key'), 0o600);
}

const HBA = `local all postgres trust
hostssl all carla all cert
host all sam all scram-sha-256
host all max all md5
host all pat all password
hostnossl onlyssl all all reject
hostssl onlyplain all all reject
host all all all trust
`;

let server: Site | undefined;
test.before(async () => {
  if (!oracleInstalled) return;
  makeCertificates();
  const folder = await makeSite({ product: POSTGRESQL, hba: HBA, ini: 'fsync = off\nssl = on\nssl_ca_file = \'ca.crt\'\nssl_cert_file = \'server.crt\'\nssl_key_file = \'server.key\'' });
  for (const name of ['ca.crt', 'server.crt', 'server.key']) writeFileSync(join(folder, name), readFileSync(join(tls, name)), { mode: 0o600 });
  giveToAccount(folder);
  server = await startSite({ folder, product: POSTGRESQL });
  const done = await server.psql(`set password_encryption = 'scram-sha-256'; create role carla login; create role sam login password 'sécret'; create role pat login password 'plain';
    set password_encryption = 'md5'; create role max login password 'five';`);
  if (done.code !== 0) throw new Error(done.err);
  await server.psql(['create database onlyssl', 'create database onlyplain']);
});
test.after.always(async () => server?.remove());

const at = (more: ConnectSettings = {}): ConnectSettings => ({ host: '127.0.0.1', port: server!.port, user: 'postgres', dbname: 'postgres', passfile: '/nowhere', ...more });
const open = (more?: ConnectSettings): Promise<Connection> => connect(at(more));

function real(name: string, run: (t: import('ava').ExecutionContext) => Promise<void>): void {
  test(name, async (t) => {
    if (server === undefined) {
      t.log(NOT_INSTALLED);
      t.pass();
      return;
    }
    await run(t);
  });
}

/** Whether a connection can be made, and with TLS; or the message. */
async function outcome(settings: ConnectSettings): Promise<string> {
  try {
    await using db = await open(settings);
    return db.ssl === null ? 'plain' : 'TLS';
  } catch (error) {
    return (error as Error).message;
  }
}

real('sslmode: each of them, with and without a root certificate', async (t) => {
  const ca = join(tls, 'ca.crt'), other = join(tls, 'other.crt');
  for (const [sslmode, expected] of [['disable', 'plain'], ['allow', 'plain'], ['prefer', 'TLS'], ['require', 'TLS']] as const) t.is(await outcome({ sslmode, sslrootcert: '/nowhere' }), expected, sslmode);
  t.is(await outcome({ sslmode: 'allow', dbname: 'onlyssl', sslrootcert: '/nowhere' }), 'TLS', 'allow: the second attempt');
  t.is(await outcome({ sslmode: 'prefer', dbname: 'onlyplain', sslrootcert: '/nowhere' }), 'plain', 'prefer: the second attempt');
  t.regex(await outcome({ sslmode: 'require', dbname: 'onlyplain', sslrootcert: '/nowhere' }), /FATAL: {2}pg_hba\.conf rejects|no pg_hba\.conf entry/);
  t.regex(await outcome({ sslmode: 'verify-ca', sslrootcert: '/nowhere' }), /root certificate file "\/nowhere" does not exist/);
  t.is(await outcome({ sslmode: 'verify-ca', sslrootcert: ca }), 'TLS');
  t.regex(await outcome({ sslmode: 'verify-ca', sslrootcert: other }), /certificate verify failed/);
  t.regex(await outcome({ sslmode: 'require', sslrootcert: other }), /certificate verify failed/, 'a root certificate that is there is used');
  t.is(await outcome({ sslmode: 'prefer', sslrootcert: other }), 'plain');
  t.regex(await outcome({ sslmode: 'verify-full', sslrootcert: ca }), /server certificate for "localhost" \(and 1 other name\) does not match host name "127\.0\.0\.1"/);
  t.is(await outcome({ sslmode: 'verify-full', sslrootcert: ca, host: 'localhost', hostaddr: '127.0.0.1' }), 'TLS');
  t.is(await outcome({ sslmode: 'verify-full', sslrootcert: ca, host: 'a.posthouse.test', hostaddr: '127.0.0.1' }), 'TLS');
  t.regex(await outcome({ sslmode: 'verify-full', sslrootcert: ca, host: 'a.b.posthouse.test', hostaddr: '127.0.0.1' }), /does not match host name "a\.b\.posthouse\.test"/);
  t.regex(await outcome({ sslmode: 'require', ssl_max_protocol_version: 'TLSv1.1', ssl_min_protocol_version: 'TLSv1.2' }), /invalid SSL protocol version range/);
  t.is(await outcome({ sslmode: 'require', ssl_max_protocol_version: 'TLSv1.2', sslrootcert: '/nowhere' }), 'TLS');
});

real('client certificates: right, with a locked key, missing, readable by others', async (t) => {
  const carla = { user: 'carla', sslmode: 'require', sslrootcert: '/nowhere', sslcert: join(tls, 'carla.crt'), sslkey: join(tls, 'carla.key') };
  t.is(await outcome(carla), 'TLS');
  t.is(await outcome({ ...carla, sslkey: join(tls, 'carla-locked.key'), sslpassword: 'horse' }), 'TLS');
  t.regex(await outcome({ ...carla, sslkey: '/nowhere' }), /certificate present, but not private key file "\/nowhere"/);
  t.regex(await outcome({ ...carla, user: 'postgres2' }), /role "postgres2" does not exist/);
  t.regex(await outcome({ user: 'carla', sslmode: 'require', sslrootcert: '/nowhere' }), /connection requires a valid client certificate/);
  writeFileSync(join(tls, 'open.key'), readFileSync(join(tls, 'carla.key')));
  chmodSync(join(tls, 'open.key'), 0o644);
  t.regex(await outcome({ ...carla, sslkey: join(tls, 'open.key') }), /has group or world access/);
});

real('revoked certificates; the name that is said aloud', async (t) => {
  const ca = join(tls, 'ca.crt'), host = { sslmode: 'verify-ca', sslrootcert: ca };
  writeFileSync(join(tls, 'ca.conf'), `[ca]\ndefault_ca = it\n[it]\ndatabase = ${tls}/index\ncrlnumber = ${tls}/crlnumber\ndefault_md = sha256\ndefault_crl_days = 2\n`);
  writeFileSync(join(tls, 'index'), '');
  writeFileSync(join(tls, 'crlnumber'), '01\n');
  const list = (name: string): void => openssl('ca', '-config', 'ca.conf', '-gencrl', '-keyfile', 'ca.key', '-cert', 'ca.crt', '-out', name);
  list('none.crl');
  openssl('ca', '-config', 'ca.conf', '-revoke', 'server.crt', '-keyfile', 'ca.key', '-cert', 'ca.crt');
  mkdirSync(join(tls, 'crls'));
  list('crls/server.r0');
  t.is(await outcome({ ...host, sslcrl: join(tls, 'none.crl') }), 'TLS');
  t.regex(await outcome({ ...host, sslcrl: join(tls, 'crls/server.r0') }), /certificate verify failed \(certificate revoked\)/);
  t.regex(await outcome({ ...host, sslcrldir: join(tls, 'crls') }), /certificate verify failed \(certificate revoked\)/);
  t.is(await outcome({ ...host, host: 'localhost', hostaddr: '127.0.0.1', sslsni: 0 }), 'TLS');
});

real('a Unix socket; a service; the environment', async (t) => {
  const file = join(tls, 'services');
  writeFileSync(file, `[mine]\nhost=${server!.folder}\nport=${server!.port}\nuser=postgres\ndbname=template1\napplication_name=served\n`);
  const program = `import { connect } from ${JSON.stringify(new URL('../../src/interfaces/libpq/libpq.ts', import.meta.url).href)};
    await using db = await connect(process.argv[1]);
    const { rows } = await db.query("select current_database(), current_setting('application_name'), current_setting('datestyle'), current_setting('timezone'), current_setting('geqo'), current_setting('work_mem'), inet_server_addr() is null", [], { rowMode: 'array' });
    console.log([...rows[0], db.host, db.user, db.passwordUsed].join(' '));`;
  const ask = (conninfo: string, env: Record<string, string>): string =>
    execFileSync(process.execPath, ['--input-type=module', '-e', program, conninfo], { env: { HOME: tls, ...env }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  t.is(ask('service=mine', { PGSERVICEFILE: file, PGTZ: 'Asia/Tokyo', PGDATESTYLE: 'German', PGGEQO: 'off', PGOPTIONS: '-c work_mem=5MB' }),
    `template1 served German, DMY Asia/Tokyo off 5MB true ${server!.folder} postgres false`);
  t.regex(ask('', { PGHOST: 'localhost', PGHOSTADDR: '127.0.0.1', PGPORT: String(server!.port), PGUSER: 'sam', PGPASSWORD: 'sécret', PGDATABASE: 'postgres', PGAPPNAME: 'env', PGSSLMODE: 'disable', PGREQUIREAUTH: 'scram-sha-256' }),
    /^postgres env .* false localhost sam true$/);
  writeFileSync(join(tls, '.pgpass'), 'localhost:*:*:sam:sécret\n', { mode: 0o600 });
  writeFileSync(join(tls, '.pg_service.conf'), `[home]\nhost=localhost\nport=${server!.port}\nuser=sam\ndbname=postgres\nsslmode=disable\n`);
  t.regex(ask('postgresql:///?service=home', {}), / sam true$/);
  chmodSync(join(tls, '.pgpass'), 0o604);
  t.regex((t.throws(() => ask('service=home', {})) as unknown as { stderr: string }).stderr, /password file ".*\.pgpass" has group or world access[^]*fe_sendauth: no password supplied|no password supplied/);
});

real('passwords: SCRAM with and without channel binding, md5, in clear; what the frontend insists on', async (t) => {
  const sam = { user: 'sam', password: 'sécret', sslrootcert: '/nowhere' };
  t.is(await outcome({ ...sam, sslmode: 'disable' }), 'plain');
  t.is(await outcome({ ...sam, sslmode: 'require' }), 'TLS');
  t.is(await outcome({ ...sam, sslmode: 'require', channel_binding: 'require' }), 'TLS');
  t.is(await outcome({ ...sam, sslmode: 'require', channel_binding: 'disable' }), 'TLS');
  t.regex(await outcome({ ...sam, sslmode: 'disable', channel_binding: 'require' }), /channel binding required, but SSL not in use/);
  t.regex(await outcome({ ...sam, password: 'wrong', sslmode: 'require' }), /FATAL: {2}password authentication failed for user "sam"/);
  t.is(await outcome({ user: 'max', password: 'five' }), 'TLS');
  t.is(await outcome({ user: 'pat', password: 'plain' }), 'TLS');
  t.regex(await outcome({ user: 'max', password: 'five', channel_binding: 'require' }), /channel binding required but not supported by server's authentication request/);
  t.is(await outcome({ ...sam, require_auth: 'scram-sha-256' }), 'TLS');
  t.regex(await outcome({ user: 'pat', password: 'plain', require_auth: 'scram-sha-256,md5' }), /authentication method requirement "scram-sha-256,md5" failed: server requested a cleartext password/);
  t.regex(await outcome({ user: 'max', password: 'five', require_auth: '!md5' }), /server requested a hashed password/);
  t.regex(await outcome({ require_auth: '!none' }), /server did not complete authentication/);
  const error = await t.throwsAsync(open({ user: 'sam', sslmode: 'disable' }), { instanceOf: ConnectionError });
  t.true(error.needsPassword);
  const file = join(tls, 'pgpass');
  writeFileSync(file, `127.0.0.1:${server!.port}:*:sam:sécret\n127.0.0.1:*:*:max:wrong\n`);
  chmodSync(file, 0o600);
  t.is(await outcome({ user: 'sam', passfile: file, sslmode: 'disable' }), 'plain');
  t.regex(await outcome({ user: 'max', passfile: file, sslmode: 'disable' }), new RegExp(`password authentication failed for user "max"\npassword retrieved from file "${file}"$`));
});

real('values: types there and back, text and binary alike', async (t) => {
  await using db = await open();
  const sql = `select true as bool, 1::int2 as i2, -7 as i4, 9007199254740993 as i8, 1.50::numeric as num, 0.1::float4 as f4, 1e300::float8 as f8, 'é\\'::text as t, '\\x00ff'::bytea as b,
    '{"a": [1, null]}'::jsonb as j, timestamptz '2024-02-29 12:34:56.789+02' as tz, timestamp '0044-03-15 00:00:00 BC' as bc, date '2024-02-29' as d, time '01:02:03.004' as ti,
    array[[1, 2], [null, 4]] as a, array['a,b', 'c"d', null, ''] as ta, '5d3c6f2e-0000-4000-8000-000000000001'::uuid as u, null::int as n, 4294967295::oid as o, '-0.00001234'::numeric as small`;
  const expected = {
    bool: true, i2: 1, i4: -7, i8: 9007199254740993n, num: '1.50', f4: 0.1, f8: 1e300, t: 'é\\', b: Buffer.from([0, 255]), j: { a: [1, null] }, tz: new Date('2024-02-29T10:34:56.789Z'),
    bc: new Date('-000043-03-15T00:00:00Z'), d: '2024-02-29', ti: '01:02:03.004', a: [[1, 2], [null, 4]], ta: ['a,b', 'c"d', null, ''], u: '5d3c6f2e-0000-4000-8000-000000000001', n: null,
    o: 4294967295, small: '-0.00001234',
  };
  for (let i = 0; i < 3; i++) t.deepEqual((await db.query(sql)).rows[0], expected);
  t.deepEqual((await db.query(sql, [], { binary: true })).rows[0], expected);
  const there = await db.query('select $1::text a, $2::bytea b, $3::timestamptz c, $4::int[] d, $5::jsonb e, $6::int8 f, $7::bool g, $8::text[] h, $9::numeric i',
    ['x\'y', Buffer.from([1, 0, 2]), new Date(5), [1, null, 3], { k: ['v'] }, 12345678901234567890n % 10n ** 18n, false, ['a"b', '{}', null], typed(1700, '1e-3')]);
  t.deepEqual(there.rows[0], { a: 'x\'y', b: Buffer.from([1, 0, 2]), c: new Date(5), d: [1, null, 3], e: { k: ['v'] }, f: 345678901234567890n, g: false, h: ['a"b', '{}', null], i: '0.001' });
  const temporal = await connect(at(), { timestamps: 'temporal', int8: 'number', numeric: 'number', json: 'string' });
  for (const binary of [false, true]) {
    const { rows: [row] } = await temporal.query('select timestamptz \'2024-01-02 03:04:05.123456+00\' a, timestamp \'2024-01-02 03:04:05.1\' b, date \'0005-01-01 BC\' c, time \'01:02:03\' d, 5::int8 e, 1.5 f, \'[1]\'::json g, \'infinity\'::timestamp h', [], { binary });
    t.deepEqual([String(row.a), String(row.b), String(row.c), String(row.d), row.e, row.f, row.g, row.h], ['2024-01-02T03:04:05.123456Z', '2024-01-02T03:04:05.1', '-000004-01-01', '01:02:03', 5, 1.5, '[1]', Infinity]);
  }
  await temporal.finish();
  const types = new Types().set(600, { parse: (text) => text.slice(1, -1).split(',').map(Number), serialize: (v) => `(${(v as number[]).join()})` });
  t.deepEqual((await db.query('select $1 as p, array[point(1,2)] as q', [typed(600, [3, 4])], { types })).rows[0], { p: [3, 4], q: [[1, 2]] });
});

real('exec: several statements, several results; the error has all fields', async (t) => {
  await using db = await open();
  const results = await db.exec('create temp table e (a int primary key); insert into e values (1), (2); select a from e order by a; ; update e set a = 3 where a = 2');
  t.deepEqual(results.map((r) => [r.command, r.rowCount]), [['CREATE TABLE', null], ['INSERT', 2], ['SELECT', 2], ['UPDATE', 1]]);
  const error = await t.throwsAsync(db.exec('insert into e values (1)'), { instanceOf: ServerError });
  t.like(error, { code: '23505', severity: 'ERROR', constraint: 'e_pkey', table: 'e', detail: 'Key (a)=(1) already exists.', query: 'insert into e values (1)' });
  t.is((await t.throwsAsync(db.query('select é from e'), { instanceOf: ServerError })).position, 8);
  await t.throwsAsync(db.query('select \0'), { instanceOf: TypeError });
  await t.throwsAsync(db.query('select 1; select 2'), { message: /cannot insert multiple commands into a prepared statement/ });
  t.deepEqual((await db.query('select 1 as a')).rows, [{ a: 1 }]);
});

real('kept statements outlive DISCARD ALL, changed tables and failed parses', async (t) => {
  await using db = await open();
  await db.exec('create temp table k (a int)');
  for (let i = 0; i < 3; i++) await db.query('select * from k where a = $1', [i]);
  await db.exec('alter table k add b text');
  await t.throwsAsync(db.query('select * from k where a = $1', [1]), { message: 'cached plan must not change result type' });
  t.is((await db.query('select * from k where a = $1', [1])).fields.length, 2);
  await db.exec('discard all');
  const failed = await Promise.allSettled([1, 2, 3].map((i) => db.query('select * from k where a = $1', [i])));
  t.true(failed.every((f) => f.status === 'rejected' && f.reason.code === '42P01'), 'all say what the first one said');
  t.deepEqual((await Promise.all([1, 2, 3].map((i) => db.query('select $1::int as i', [i])))).map((r) => r.rows[0].i), [1, 2, 3]);
  const small = await connect(at(), { statementCache: 2 });
  for (let i = 0; i < 20; i++) await small.query(`select ${i % 5} as i`);
  t.true((await small.query('select count(*)::int as n from pg_prepared_statements')).rows[0].n <= 3);
  await small.finish();
});

real('prepare: parameter types are known, an array for json is json', async (t) => {
  await using db = await open();
  const statement = await db.prepare('select $1::json as j, $2::int[] as a');
  t.deepEqual(statement.parameterTypes, [114, 1007]);
  t.deepEqual((await statement.query([[1, 2], [3]])).rows, [{ j: [1, 2], a: [3] }]);
  t.deepEqual((await statement.query([null, [4]], { rowMode: 'array', binary: true })).rows, [[null, [4]]]);
  await db.exec('prepare mine as select 1 as one');
  t.deepEqual((await (await db.statement('mine')).query()).rows, [{ one: 1 }]);
  await statement.close();
  await t.throwsAsync(statement.query([1, []]), { message: /does not exist/ });
  t.deepEqual((await db.describe('select 1 as a, $1::text as b')).fields.map((f) => [f.name, f.typeOid]), [['a', 23], ['b', 25]]);
});

real('streams hold the server back, by the socket and by row limits; leaving early costs nothing', async (t) => {
  await using db = await open();
  for (const rowLimit of [0, 1000]) {
    let n = 0, sum = 0;
    for await (const row of db.stream<{ g: number; p: string }>('select g, repeat(\'x\', 500) as p from generate_series(1, 20000) g', [], { rowLimit })) {
      sum += row.g;
      if (++n % 5000 === 0) await new Promise((next) => { setImmediate(next); });
    }
    t.is(n, 20000);
    t.is(sum, 200010000);
  }
  for (const rowLimit of [0, 10]) {
    for await (const row of db.stream('select generate_series(1, 100000000) as g', [], { rowLimit })) if (row.g === 25) break;
    t.deepEqual((await db.query('select 5 as five')).rows, [{ five: 5 }]);
  }
  const stream = db.stream('select 1 / (3 - g) as q from generate_series(1, 5) g');
  const seen: unknown[] = [];
  await t.throwsAsync(async () => { for await (const row of stream) seen.push(row.q); }, { message: 'division by zero' });
  t.deepEqual((await stream.fields.catch(() => [])).length >= 0, true);
  t.is((await db.stream('select 1 as a').result).tag, 'SELECT 1');
  t.is(db.transactionStatus, 'idle');
});

real('begin: commit, rollback, savepoints; others on the connection wait, those inside belong to it', async (t) => {
  await using db = await open();
  await db.exec('create temp table b (a int)');
  const order: string[] = [];
  const first = db.begin(async (tx) => {
    await tx.query('insert into b values (1)');
    t.is(db.transactionStatus, 'in transaction');
    await t.throwsAsync(tx.savepoint(async (s) => { await s.query('insert into b values (2)'); await s.query('select 1/0'); }), { message: 'division by zero' });
    await db.query('insert into b values (3)');
    await db.begin(async (nested) => { await nested.query('insert into b values (4)'); });
    order.push('first');
  });
  const outside = db.query('select array_agg(a order by a) as all from b').then((r) => { order.push('outside'); return r.rows[0].all; });
  const second = db.begin({ isolation: 'serializable', readOnly: true }, async (tx) => {
    order.push('second');
    return (await tx.query('show transaction_isolation')).rows[0].transaction_isolation;
  });
  await first;
  t.deepEqual(await outside, [1, 3, 4]);
  t.is(await second, 'serializable');
  t.deepEqual(order.sort(), ['first', 'outside', 'second']);
  await t.throwsAsync(db.begin(async (tx) => { await tx.query('insert into b values (9)'); throw new Error('no'); }), { message: 'no' });
  await t.throwsAsync(db.begin(async (tx) => { await tx.query('select 1/0').catch(() => {}); }), { message: /was rolled back/ });
  t.is((await db.query('select count(*)::int as n from b')).rows[0].n, 3);
});

real('pipeline: one Sync; what stands behind an error is skipped, what stands behind a Sync is not', async (t) => {
  await using db = await open();
  await db.exec('create temp table p (a int)');
  const settled = await db.pipeline((p) => Promise.allSettled([p.query('insert into p values (1)'), p.query('select 1/0'), p.query('insert into p values (2)'), p.sync(), p.query('insert into p values (3) returning a'), p.exec('select 1')]));
  t.deepEqual(settled.map((s) => (s.status === 'fulfilled' ? 'ok' : s.reason instanceof PipelineAborted ? 'skipped' : s.reason.message)),
    ['ok', 'division by zero', 'skipped', 'ok', 'ok', 'not allowed in pipeline mode: use query() or prepare()']);
  t.deepEqual((await db.query('select array_agg(a) as a from p')).rows[0].a, [3]);
  await db.pipeline(async (p) => {
    const { rows } = await p.prepare('select $1::int as a').then((s) => s.query([6])).catch((e: Error) => ({ rows: e.message }));
    t.deepEqual(rows, [{ a: 6 }]);
    await p.sync();
  }).catch((e: Error) => t.fail(e.message));
});

real('COPY in and out, as streams; its errors; COPY elsewhere is refused without harm', async (t) => {
  await using db = await open();
  await db.exec('create temp table c (a int, b text)');
  const text = Array.from({ length: 50000 }, (_, i) => `${i}\t${'y'.repeat(i % 50)}\n`).join('');
  const into = await db.copyFrom('copy c from stdin');
  await pipeline(async function* () { for (let at = 0; at < text.length; at += 65536) yield text.slice(at, at + 65536); }, into.stream);
  t.is((await into.finished).rowCount, 50000);
  const out = await db.copyTo('copy (select * from c order by a) to stdout'), pieces: Buffer[] = [];
  for await (const piece of out.stream) pieces.push(piece as Buffer);
  t.true(Buffer.concat(pieces).toString() === text);
  t.is((await out.finished).tag, 'COPY 50000');
  const broken = await db.copyFrom('copy c from stdin');
  await t.throwsAsync(pipeline(async function* () { yield '1\tx\nnot a number\ty\n'; yield '2\tz\n'; }, broken.stream), { message: /invalid input syntax for type integer/ });
  const given = await db.copyFrom('copy c from stdin');
  given.stream.write('5\tq\n');
  given.stream.fail('changed my mind');
  await t.throwsAsync(given.finished, { message: /COPY from stdin failed: changed my mind/ });
  await t.throwsAsync(db.copyFrom('select 1'), { message: 'the statement is not COPY FROM STDIN' });
  await t.throwsAsync(db.exec('copy c from stdin'), { message: /must go through copyFrom/ });
  await t.throwsAsync(db.query('copy c from stdin'), { message: /must go through copyFrom/ });
  const early = await db.copyTo('copy (select repeat(\'z\', 1000) from generate_series(1, 10000000)) to stdout');
  for await (const piece of early.stream) if ((piece as Buffer).length > 0) break;
  t.deepEqual((await db.query('select count(*)::int as n from c')).rows, [{ n: 50000 }]);
});

real('results: steps as PQgetResult gives them', async (t) => {
  await using db = await open();
  const seen: string[] = [];
  for await (const step of db.results('select 1 as a, null as b; copy (values (1), (2)) to stdout; select 1/0; select 2')) {
    if (step.kind === 'copy out') {
      let data = '';
      for await (const piece of step.stream) data += String(piece);
      seen.push(`copy ${JSON.stringify(data)}`);
    } else seen.push(step.kind === 'result' ? `${step.result.tag} ${JSON.stringify(step.result.rows)}` : step.kind === 'error' ? step.error.message : step.kind);
  }
  t.deepEqual(seen, ['SELECT 1 [["1",null]]', 'copy "1\\n2\\n"', 'COPY 2 []', 'division by zero']);
});

real('notifications come by themselves', async (t) => {
  await using db = await open();
  await using other = await open();
  const notes = db.notifications('Post', 'other');
  await db.exec('');
  await other.exec('notify "Post", \'one\'; notify other, \'two\'; notify unheard');
  t.like((await notes.next()).value, { channel: 'Post', payload: 'one', processId: other.processId });
  t.like((await notes.next()).value, { channel: 'other', payload: 'two' });
  await notes.return!();
  t.deepEqual((await db.query('select pg_listening_channels() as c')).rows, []);
});

real('AbortSignal: before it is sent, while it runs, in the middle of a queue; cancel()', async (t) => {
  for (const sslmode of ['disable', 'require']) {
    await using db = await open({ sslmode, sslrootcert: '/nowhere' });
    await t.throwsAsync(db.query('select 1', [], { signal: AbortSignal.abort(new Error('early')) }), { message: 'early' });
    const controller = new AbortController(), running = db.query('select pg_sleep(60)', [], { signal: controller.signal }), behind = db.query('select 7 as seven');
    controller.abort(new Error('stop'));
    await t.throwsAsync(running, { message: 'stop' });
    t.deepEqual((await behind).rows, [{ seven: 7 }]);
    const sleeping = db.exec('select pg_sleep(60)');
    await new Promise((next) => { setImmediate(next); });
    await db.cancel();
    await t.throwsAsync(Promise.race([sleeping, db.cancel().then(() => sleeping)]), { message: /canceling statement due to user request/ });
  }
});

// A COPY in waited for ever: a server that waits for data hears of no cancel request. Rows that had come were still handed out.
real('AbortSignal ends streams and COPY, too', async (t) => {
  await using db = await open();
  await db.exec('create temp table ab (a int)');
  const rows = 'select generate_series(1, 100000000) as a', controller = new AbortController(), stop = new Error('enough');
  let seen = 0;
  await t.throwsAsync(async () => { for await (const _ of db.stream(rows, [], { signal: controller.signal })) if (++seen === 10) controller.abort(stop); }, { is: stop });
  const second = new AbortController(), out = await db.copyTo(`copy (${rows}) to stdout`, { signal: second.signal });
  out.finished.catch(() => {});
  await t.throwsAsync(async () => { for await (const _ of out.stream) second.abort(stop); }, { is: stop });
  const third = new AbortController(), into = await db.copyFrom('copy ab from stdin', { signal: third.signal });
  into.stream.on('error', () => {});
  into.stream.write('1\n');
  third.abort(stop);
  await t.throwsAsync(into.finished, { is: stop });
  const fourth = new AbortController(), held = db.stream(rows, [], { signal: fourth.signal }), steps: string[] = [];
  await held.fields;
  fourth.abort(stop); // while nobody takes rows, and the socket stands still
  await t.throwsAsync(held.result, { is: stop });
  const fifth = new AbortController();
  for await (const step of db.results('copy ab from stdin', null, { signal: fifth.signal })) {
    steps.push(step.kind === 'error' ? step.error.message : step.kind);
    if (step.kind === 'copy in') step.stream.on('error', () => {});
    fifth.abort(stop);
  }
  t.deepEqual(steps, ['copy in', 'COPY from stdin failed: enough']);
  for await (const step of db.results('select 1', null, { signal: AbortSignal.abort(stop) })) t.is((step as { error: Error }).error, stop);
  t.is(seen, 10);
  t.deepEqual((await db.query('select count(*)::int as n from ab')).rows, [{ n: 0 }]);
});

real('large objects; the fast path; trace; notices', async (t) => {
  await using db = await open();
  const file = join(tls, 'blob');
  writeFileSync(file, Buffer.alloc(700000, 'blob'));
  await db.begin(async (tx) => {
    const oid = await tx.largeObjects.creat();
    const object = await tx.largeObjects.open(oid, 'rw');
    t.is(await object.write(Buffer.from('hello world')), 11);
    t.is(await object.seek(-5, 'end'), 6);
    t.is((await object.read(100)).toString(), 'world');
    t.is(await object.tell(), 11);
    await object.truncate(5);
    await object.seek(0);
    t.is((await object.read(100)).toString(), 'hello');
    await object.close();
    await tx.largeObjects.unlink(oid);
    const imported = await tx.largeObjects.import(file);
    await tx.largeObjects.export(imported, `${file}.out`);
    t.deepEqual(readFileSync(`${file}.out`), readFileSync(file));
    await tx.largeObjects.unlink(imported);
  });
  t.is((await db.functionCall(1397, [Buffer.from([255, 255, 255, 251])]))!.readInt32BE(0), 5, 'abs(int4)');
  let trace = '';
  const stream = new PassThrough().on('data', (piece) => { trace += String(piece); });
  db.trace(stream, { timestamps: false });
  await db.query('select 1 as a', []);
  db.untrace();
  t.is(trace, `F\t21\tParse\t "" "select 1 as a" 0
F\t12\tBind\t "" "" 0 0 0
F\t6\tDescribe\t P ""
F\t9\tExecute\t "" 0
F\t4\tSync
B\t4\tParseComplete
B\t4\tBindComplete
B\t26\tRowDescription\t 1 "a" 0 0 23 4 -1 0
B\t11\tDataRow\t 1 1 '1'
B\t13\tCommandComplete\t "SELECT 1"
B\t5\tReadyForQuery\t I
`);
  const notices: string[] = [];
  db.on('notice', (n) => notices.push(`${n.severity} ${n.message}`));
  await db.exec('do $$ begin raise warning \'careful\'; end $$');
  t.deepEqual(notices, ['WARNING careful']);
});

real('reset, finish, a backend that is killed; ping', async (t) => {
  const db = await open();
  const before = db.processId;
  await db.reset();
  t.not(db.processId, before);
  await using other = await open();
  const running = db.query('select pg_sleep(60)'), closed = new Promise<Error | null>((done) => { db.on('close', done); });
  await other.query('select pg_terminate_backend($1)', [db.processId]);
  t.is((await t.throwsAsync(running, { instanceOf: ServerError })).code, '57P01');
  t.truthy(await closed);
  await t.throwsAsync(db.query('select 1'));
  await db.reset();
  t.deepEqual((await db.query('select 1 as a')).rows, [{ a: 1 }]);
  await db.finish();
  t.is(await ping(at()), 'ok');
  t.is(await ping(at({ port: 1 })), 'no response');
  t.is(await ping(at({ port: 'x' })), 'no response', 'as PQping: it is no fault of the settings as such');
});

real('the pool: limit, waiting, time limit, broken members, rollback of what was left open', async (t) => {
  const pool = new Pool(at(), { max: 2, healthCheckAfterMs: 0 });
  t.deepEqual((await Promise.all([1, 2, 3, 4, 5].map((i) => pool.query('select $1::int as i', [i])))).map((r) => r.rows[0].i), [1, 2, 3, 4, 5]);
  t.is(pool.size, 2);
  const one = await pool.connect(), two = await pool.connect();
  const impatient = new Pool(at(), { max: 1, waitTimeoutMs: 1 }), lent = await impatient.connect();
  await t.throwsAsync(impatient.query('select 1'), { message: 'no connection became free within 1 ms' });
  await lent.release();
  await impatient.end();
  await one.connection.exec('begin; create temp table left_open (a int)');
  const waiting = pool.query('select to_regclass(\'left_open\') is null as gone');
  await one.release();
  t.true((await waiting).rows[0].gone);
  two.connection.destroy();
  await two.release();
  t.deepEqual((await pool.query('select 1 as a')).rows, [{ a: 1 }]);
  t.is(await pool.begin(async (tx) => (await tx.query('select 3 as a')).rows[0].a), 3);
  {
    await using other = new Pool(at(), { max: 1, discard: true, onConnect: async (db) => { await db.exec('set work_mem = \'5MB\''); } });
    await using lease = await other.connect();
    t.is((await lease.connection.query('show work_mem')).rows[0].work_mem, '5MB');
  }
  // Its backend is killed while nobody looks.
  const [{ pid }] = (await pool.query('select pg_backend_pid() as pid')).rows;
  await using killer = await open();
  await killer.query('select pg_terminate_backend($1, 5000)', [pid]);
  t.not((await pool.query('select pg_backend_pid() as pid')).rows[0].pid, pid);
  await pool.end();
  await t.throwsAsync(pool.query('select 1'), { message: 'the pool is closed' });
});
