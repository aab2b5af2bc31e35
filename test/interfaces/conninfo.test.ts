// Connection strings, URIs, the environment, service and password files.
import test from 'ava';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { completeConninfo, parseConninfo } from '../../src/interfaces/libpq/conninfo.ts';
import { hostsOf, passwordFromFile } from '../../src/interfaces/libpq/hosts.ts';

const folder = mkdtempSync(join(tmpdir(), 'posthouse-conninfo-'));
test.after.always(() => rmSync(folder, { recursive: true }));

test('keywords', (t) => {
  t.deepEqual(parseConninfo("host = a  port=1\tdbname='my \\'db\\'' user=x\\ y password=''"), { host: 'a', port: '1', dbname: "my 'db'", user: 'x y', password: '' });
  t.deepEqual(parseConninfo('  '), {});
  for (const [text, message] of [
    ['host', 'missing "=" after "host" in connection info string'], ["host='a", 'unterminated quoted string in connection info string'], ['nix=1', 'invalid connection option "nix"'],
  ] as const) t.throws(() => parseConninfo(text), { message });
});

test('URIs (the cases of libpq\'s own uri test)', (t) => {
  const good: [string, object][] = [
    ['postgresql://uri-user:secret@host:12345/db', { user: 'uri-user', password: 'secret', host: 'host', port: '12345', dbname: 'db' }],
    ['postgresql://uri-user@host/', { user: 'uri-user', host: 'host' }],
    ['postgresql://host:123/db?user=uri-user', { host: 'host', port: '123', dbname: 'db', user: 'uri-user' }],
    ['postgresql://%68ost/db', { host: 'host', dbname: 'db' }],
    ['postgresql://[2001:db8::1234]/db', { host: '2001:db8::1234', dbname: 'db' }],
    ['postgresql://[::1]:12345/db', { host: '::1', port: '12345', dbname: 'db' }],
    ['postgres://', {}],
    ['postgres:///db', { dbname: 'db' }],
    ['postgres://%2Fvar%2Flib%2Fpostgresql/dbname', { host: '/var/lib/postgresql', dbname: 'dbname' }],
    ['postgresql://host?sslmode=disable&application_name=a%20b', { host: 'host', sslmode: 'disable', application_name: 'a b' }],
    ['postgresql://host1:1,host2,[::1]:3/db', { host: 'host1,host2,::1', port: '1,,3', dbname: 'db' }],
    ['postgresql:///?host=/tmp&port=5', { host: '/tmp', port: '5' }],
    ['postgresql://h/?ssl=true', { host: 'h', sslmode: 'require' }],
    ['postgresql://ü:é@h/d', { user: 'ü', password: 'é', host: 'h', dbname: 'd' }],
  ];
  for (const [uri, expected] of good) t.deepEqual({ ...parseConninfo(uri) }, expected, uri);
  const bad: [string, RegExp][] = [
    ['postgresql://host/db?u%7aer=someotheruser', /^invalid URI query parameter: "uzer"$/],
    ['postgres://host?uzer', /^missing key\/value separator "=" in URI query parameter: "uzer"$/],
    ['postgres://host?user=a=b', /^extra key\/value separator "=" in URI query parameter: "user"$/],
    ['postgres://[::1', /^end of string reached when looking for matching "\]" in IPv6 host address in URI: "postgres:\/\/\[::1"$/],
    ['postgres://[]', /^IPv6 host address may not be empty in URI: "postgres:\/\/\[\]"$/],
    ['postgres://[::1]z', /^unexpected character "z" at position 17 in URI/],
    ['postgresql://host?%00=x', /^forbidden value %00/],
    ['postgresql://h%6/', /^invalid percent-encoded token/],
  ];
  for (const [uri, message] of bad) t.throws(() => parseConninfo(uri), { message }, uri);
});

const complete = (given: Parameters<typeof completeConninfo>[0], env: Record<string, string> = {}): ReturnType<typeof completeConninfo> => completeConninfo(given, { env, home: folder });

test('what is given comes before the service, the service before the environment, that before defaults', (t) => {
  writeFileSync(join(folder, 'services'), '# mine\n[a]\nhost=from-service\nport=7\n[b]\nhost=other\n');
  const env = { PGSERVICEFILE: join(folder, 'services'), PGHOST: 'from-env', PGUSER: 'env-user', PGPORT: '9', PGSSLMODE: 'disable', PGAPPNAME: 'app' };
  t.like(complete('service=a port=5', env), { host: 'from-service', port: '5', user: 'env-user', dbname: 'env-user', sslmode: 'disable', application_name: 'app' });
  t.like(complete('', env), { host: 'from-env', port: '9' });
  t.like(complete('', { ...env, PGSERVICE: 'b' }), { host: 'other', port: '9' });
  t.like(complete({ dbname: 'postgresql://u@h/d', user: 'mine' }), { dbname: 'd', host: 'h', user: 'mine', port: '5432', sslmode: 'prefer', channel_binding: 'prefer' });
  // What stood beside it counted more wherever it stood, so psql -h a 'host=b' went to a.
  t.like(complete({ user: 'mine', host: 'x', dbname: 'postgresql://u@h/d' }), { dbname: 'd', host: 'h', user: 'u' });
  t.like(complete({ dbname: 'plain', port: 77, keepalives: true }), { dbname: 'plain', port: '77', keepalives: '1' });
  t.throws(() => complete('service=nix', env), { message: 'definition of service "nix" not found' });
  t.throws(() => complete('service=a', { PGSERVICEFILE: '/nowhere' }), { message: 'service file "/nowhere" not found' });
  t.throws(() => complete({ hots: 'x' } as object), { message: 'invalid connection option "hots"' });
});

test('hosts, ports and addresses belong together', (t) => {
  const hosts = (text: string): string[] => hostsOf(complete(text), () => {}).map((h) => `${h.host} ${h.hostaddr} ${h.port}`);
  t.deepEqual(hosts('host=a,b port=1'), ['a  1', 'b  1']);
  t.deepEqual(hosts('host=a,b port=1,'), ['a  1', 'b  5432']);
  t.deepEqual(hosts('hostaddr=1.2.3.4 host=a'), ['a 1.2.3.4 5432']);
  t.deepEqual(hosts('hostaddr=1.2.3.4,5.6.7.8 port=1,2'), ['1.2.3.4 1.2.3.4 1', '5.6.7.8 5.6.7.8 2']);
  t.throws(() => hosts('host=a,b port=1,2,3'), { message: 'could not match 3 port numbers to 2 hosts' });
  t.throws(() => hosts('host=a,b hostaddr=1.2.3.4'), { message: 'could not match 2 host names to 1 hostaddr values' });
  t.throws(() => hosts('port=x'), { message: 'invalid integer value "x" for connection option "port"' });
  t.throws(() => hosts('port=99999'), { message: 'invalid port number: "99999"' });
  t.is(hosts('host=a,b,c load_balance_hosts=random').length, 3);
});

test('the password file: wildcards, escapes, its permissions', (t) => {
  const file = join(folder, 'pass');
  writeFileSync(file, '# comment\nh:5432:*:u:wrong\\:host\nlocalhost:*:d:u:sock\n*:*:*:u\\:x:p\\\\w\n*:*:*:*:any\n');
  chmodSync(file, 0o600);
  const warnings: string[] = [];
  const look = (host: string, port: number, database: string, user: string): string | undefined => passwordFromFile(file, host, port, database, user, (w) => warnings.push(w));
  t.is(look('h', 5432, 'x', 'u'), 'wrong:host');
  t.is(look('/tmp', 1, 'd', 'u'), 'sock');
  t.is(look('z', 1, 'd', 'u:x'), 'p\\w');
  t.is(look('z', 1, 'd', 'y'), 'any');
  t.deepEqual(warnings, []);
  chmodSync(file, 0o640);
  t.is(look('z', 1, 'd', 'y'), undefined);
  t.regex(warnings[0]!, /has group or world access; permissions should be u=rw \(0600\) or less$/);
});

test('every PG* variable has its keyword', (t) => {
  const variables = {
    PGHOST: 'host', PGHOSTADDR: 'hostaddr', PGPORT: 'port', PGDATABASE: 'dbname', PGUSER: 'user', PGPASSWORD: 'password', PGPASSFILE: 'passfile', PGREQUIREAUTH: 'require_auth',
    PGCHANNELBINDING: 'channel_binding', PGSERVICE: '', PGSERVICEFILE: '', PGOPTIONS: 'options', PGAPPNAME: 'application_name', PGSSLMODE: 'sslmode', PGSSLCOMPRESSION: 'sslcompression', PGSSLCERT: 'sslcert',
    PGSSLKEY: 'sslkey', PGSSLROOTCERT: 'sslrootcert', PGSSLCRL: 'sslcrl', PGSSLCRLDIR: 'sslcrldir', PGSSLSNI: 'sslsni', PGREQUIREPEER: 'requirepeer', PGSSLMINPROTOCOLVERSION: 'ssl_min_protocol_version',
    PGSSLMAXPROTOCOLVERSION: 'ssl_max_protocol_version', PGGSSENCMODE: 'gssencmode', PGCONNECT_TIMEOUT: 'connect_timeout', PGCLIENTENCODING: 'client_encoding', PGTARGETSESSIONATTRS: 'target_session_attrs',
    PGLOADBALANCEHOSTS: 'load_balance_hosts',
  };
  for (const [variable, keyword] of Object.entries(variables)) if (keyword !== '') t.is(complete('', { [variable]: 'some value' })[keyword as 'host'], 'some value', variable);
  t.is(complete('', { PGREQUIRESSL: '1' }).sslmode, 'require');
  writeFileSync(join(folder, 'pg_service.conf'), '[system]\nhost=of-system\n');
  t.is(complete('service=system', { PGSYSCONFDIR: folder }).host, 'of-system');
});
