// LIBPQ hears every server byte by byte: whatever a socket brings is handed on in pieces of one byte, TLS and SCRAM included, of
// PostgreSQL and of a site of ours. Sessions go as they do otherwise.
import test from 'ava';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { connect, ServerError, type Connection, type ConnectSettings } from '../../src/interfaces/libpq/libpq.ts';
import { giveToAccount } from '../support/account.ts';
import { oracleInstalled } from '../support/oracle.ts';
import { runFolder } from '../support/run.ts';
import { makeSite, POSTGRESQL, product, startSite, SUPERUSER, type Site } from '../support/site.ts';

let pieces = 0;
const push = net.Socket.prototype.push;
net.Socket.prototype.push = function byteByByte(this: net.Socket, chunk: Buffer | null): boolean {
  if (chunk === null || this.remotePort === undefined) return push.call(this, chunk);
  let more = true;
  for (let i = 0; i < chunk.length; i++, pieces++) more = push.call(this, Buffer.from(chunk.subarray(i, i + 1)));
  return more;
} as typeof push;

const servers = new Map<string, Site>();
test.before(async () => {
  const folder = join(runFolder(), 'libpq-bytes');
  mkdirSync(folder);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', 'server.key', '-out', 'server.crt'], { cwd: folder, stdio: 'pipe' });
  await Promise.all((oracleInstalled ? [product, POSTGRESQL] : [product]).map(async (of) => {
    const site = await makeSite({ product: of, hba: 'local all all trust\nhost all sam all scram-sha-256\nhost all all all trust\n', ini: of === POSTGRESQL ? 'ssl = on\nssl_cert_file = \'server.crt\'\nssl_key_file = \'server.key\'' : '' });
    for (const name of ['server.crt', 'server.key']) writeFileSync(join(site, name), readFileSync(join(folder, name)), { mode: 0o600 });
    giveToAccount(site);
    const server = await startSite({ folder: site, product: of });
    servers.set(of.name, server);
    const done = await server.psql('create role sam login superuser password \'secret\'');
    if (done.code !== 0) throw new Error(done.err);
  }));
});
test.after.always(async () => { await Promise.all([...servers.values()].map((s) => s.remove())); });

/** A session that gets every kind of message. */
async function session(db: Connection): Promise<unknown[]> {
  const seen: unknown[] = [];
  db.on('notice', (n) => seen.push(n.message));
  seen.push((await db.exec('create temp table b (a int, t text); insert into b values (1, \'é\'), (2, null); select * from b; ; do $$ begin raise notice \'so\'; end $$')).map((r) => [r.tag, r.rows]));
  for (let i = 0; i < 3; i++) seen.push((await db.query('select $1::int + a as n, t from b order by a', [i])).rows);
  await using statement = await db.prepare('select a from b where t = $1');
  seen.push(statement.parameterTypes, (await statement.query(['é'], { binary: true })).rows, (await db.prepare('delete from b where false')).fields);
  for (const rowLimit of [0, 3]) seen.push(await Array.fromAsync(db.stream('select g, repeat(\'x\', g) as x from generate_series(1, 10) g', [], { rowLimit })));
  const into = await db.copyFrom('copy b from stdin');
  into.stream.end('7\tseven\n8\teight\n');
  seen.push((await into.finished).tag);
  const out = await db.copyTo('copy (select * from b order by a) to stdout');
  seen.push(Buffer.concat(await Array.fromAsync(out.stream)).toString());
  seen.push(await db.pipeline((p) => Promise.allSettled([p.query('select 1 as one'), p.query('select 1/0'), p.query('select 2')])).then((all) => all.map((s) => s.status)));
  seen.push((await db.functionCall(1397, [Buffer.from([255, 255, 255, 251])]))!.readInt32BE(0));
  seen.push(await db.query('select nothing from nowhere').catch((error: ServerError) => [error.code, error.message, error.position]));
  const notes = db.notifications('bytes');
  await db.exec('notify bytes, \'load\'');
  const { value: note } = await notes.next();
  seen.push(note.channel, note.payload);
  await notes.return!();
  seen.push(await db.query('select pg_sleep(60)', [], { signal: AbortSignal.timeout(20) }).catch((error: Error) => error.name));
  seen.push((await db.query('set application_name = \'é\'; ').then(() => db.parameters.get('application_name'))));
  return seen;
}

const EXPECTED = [
  'so', [['CREATE TABLE', []], ['INSERT 0 2', []], ['SELECT 2', [{ a: 1, t: 'é' }, { a: 2, t: null }]], ['DO', []]],
  ...[0, 1, 2].map((i) => [{ n: i + 1, t: 'é' }, { n: i + 2, t: null }]), [25], [{ a: 1 }], [],
  ...[0, 3].map(() => Array.from({ length: 10 }, (_, i) => ({ g: i + 1, x: 'x'.repeat(i + 1) }))),
  'COPY 2', '1\té\n2\t\\N\n7\tseven\n8\teight\n', ['fulfilled', 'rejected', 'rejected'], 5, ['42P01', 'relation "nowhere" does not exist', 21], 'bytes', 'load', 'TimeoutError', '??',
];

for (const of of oracleInstalled ? [product, POSTGRESQL] : [product]) {
  for (const [name, settings] of [
    ['TCP', { sslmode: 'disable' }], ['TLS', { sslmode: 'require' }], ['SCRAM', { sslmode: 'disable', user: 'sam', password: 'secret' }],
    ['SCRAM bound to TLS', { sslmode: 'require', user: 'sam', password: 'secret', channel_binding: 'require', require_auth: 'scram-sha-256' }],
  ] as [string, ConnectSettings][]) {
    if (of !== POSTGRESQL && settings.sslmode !== 'disable') continue;
    test.serial(`byte by byte: ${of.name}, ${name}`, async (t) => {
      pieces = 0;
      const db = await connect({ host: '127.0.0.1', port: servers.get(of.name)!.port, user: SUPERUSER, dbname: 'postgres', sslrootcert: '/nowhere', passfile: '/nowhere', ...settings });
      t.is(db.ssl === null, settings.sslmode === 'disable');
      const seen = await session(db);
      t.deepEqual(seen, EXPECTED);
      await db.finish();
      t.true(pieces > 2000);
    });
  }
}
