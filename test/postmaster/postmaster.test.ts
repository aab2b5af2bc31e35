import test from 'ava';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { port } from '../../src/port/port.ts';
import { giveToAccount, isRoot } from '../support/account.ts';
import { until } from '../support/run.ts';
import { ask, login, makeSiteFolder, RawFrontend, serviceManager, startStub } from './stub_site.ts';

const childrenOf = ({ process: { pid } }: { process: { pid?: number | undefined } }): string[] => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter((one) => one !== '');

test('serves, cancels, survives a crash of one backend, and stops fast', async (t) => {
  const site = await startStub();
  const { frontend, key } = await login(site.port);
  t.is(await ask(frontend, 'hello'), 'hello');
  const lines = readFileSync(join(site.folder, 'postmaster.pid'), 'utf8').split('\n');
  t.deepEqual([lines[0], lines[1], lines[3], lines[4], lines[5], lines[7]],
    [String(site.process.pid), site.folder, String(site.port), site.folder, '127.0.0.1', 'ready   ']);

  frontend.message('Q', 'sleep\0');
  const canceller = new RawFrontend(site.port), request = Buffer.alloc(16);
  request.writeInt32BE(16, 0);
  request.writeInt32BE(80877102, 4);
  key.copy(request, 8);
  canceller.send(request);
  t.like(await frontend.error(), { S: 'ERROR', C: '57014', M: 'canceling statement due to user request' });
  await canceller.closes();
  await frontend.upTo('Z');

  const other = await login(site.port);
  other.frontend.message('Q', 'crash\0');
  await other.frontend.closes();
  await site.logged('was terminated by signal 11');
  t.is(await ask(frontend, 'still here'), 'still here');
  t.is(await ask(frontend, 'backends'), '1');

  t.regex(await ask(frontend, 'manager'), /^ok pid \d+$/);
  t.is(await ask(frontend, 'manager'), await ask(frontend, 'manager'));

  const socket = join(site.folder, `.s.PGSQL.${site.port}`);
  t.true(existsSync(socket) && existsSync(`${socket}.lock`));
  site.process.kill('SIGINT');
  t.like(await frontend.error(), { S: 'FATAL', C: '57P01', M: 'terminating connection due to administrator command' });
  t.is(await site.ended, 0);
  t.false(existsSync(socket) || existsSync(`${socket}.lock`) || existsSync(join(site.folder, 'postmaster.pid')));
  rmSync(site.folder, { recursive: true });
});

test('garbage, silence and too much are turned away', async (t) => {
  const site = await startStub({ ini: 'max_connections = 2\nsuperuser_reserved_connections = 1\n' });
  const garbage = new RawFrontend(site.port);
  garbage.send(Buffer.from('GET / HTTP/1.0\r\n\r\n'));
  await garbage.closes();
  const old = new RawFrontend(site.port);
  old.startup({ user: 'ann' }, 131072);
  t.like(await old.error(), { C: '0A000', M: 'unsupported frontend protocol 2.0: server supports 3.0 to 3.0' });
  const nobody = new RawFrontend(site.port);
  nobody.startup({ database: 'shop' });
  t.like(await nobody.error(), { C: '28000', M: 'no PostgreSQL user name specified in startup packet' });
  const newer = new RawFrontend(site.port);
  newer.startup({ user: 'boss', '_pq_.horses': 'yes' }, 196610);
  t.is((await newer.next()).body.toString('latin1'), '\0\x03\0\0\0\0\0\x01_pq_.horses\0');
  await newer.upTo('Z');
  newer.end();
  // Its place is free again when it has gone: on a busy machine somebody else came before.
  await until('the session has gone', () => childrenOf(site).length === 0);
  const ssl = new RawFrontend(site.port);
  ssl.send(Buffer.from([0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]));
  t.is((await ssl.bytes(1)).toString(), 'N');
  ssl.end();

  const first = await login(site.port, 'ann');
  const second = new RawFrontend(site.port);
  second.startup({ user: 'ann' });
  t.like(await second.error(), { C: '53300', M: 'remaining connection slots are reserved for non-replication superuser connections' });
  await second.closes();
  const boss = await login(site.port, 'boss');
  const third = new RawFrontend(site.port);
  third.startup({ user: 'boss' });
  t.like(await third.error(), { C: '53300', M: 'sorry, too many clients already' });
  first.frontend.end();
  boss.frontend.end();
  t.is(await site.stop('SIGTERM'), 0);
});

test('the time limit for start-up', async (t) => {
  const site = await startStub({ ini: 'authentication_timeout = 1\n' });
  const silent = new RawFrontend(site.port), slow = new RawFrontend(site.port);
  slow.send(Buffer.from([0, 0, 0, 20, 0, 3]));
  await silent.closes();
  await slow.closes();
  t.is(await site.stop('SIGTERM'), 0);
});

test('many connections at once leave nothing behind', async (t) => {
  const site = await startStub();
  for (let round = 0; round < 3; round++) {
    const all = await Promise.all(Array.from({ length: 30 }, async () => login(site.port)));
    t.is(new Set(all.map((c) => c.pid)).size, 30);
    for (const { frontend } of all) frontend.end();
    await Promise.all(all.map(async ({ frontend }) => frontend.closes()));
  }
  const { frontend } = await login(site.port);
  let left = '';
  for (let i = 0; i < 1000 && (left !== '1' || childrenOf(site).length > 1); i++) left = await ask(frontend, 'backends');
  t.is(left, '1');
  t.is(childrenOf(site).length, 1);
  frontend.end();
  t.is(await site.stop(), 0);
});

test('smart shutdown waits, and turns newcomers away', async (t) => {
  const site = await startStub();
  const { frontend } = await login(site.port);
  site.process.kill('SIGTERM');
  await site.logged('received smart shutdown request');
  const late = new RawFrontend(site.port);
  late.startup({ user: 'ann' });
  t.like(await late.error(), { C: '57P03', M: 'the database system is shutting down' });
  t.is(await ask(frontend, 'still here'), 'still here');
  frontend.message('X');
  t.is(await site.ended, 0);
  rmSync(site.folder, { recursive: true });
});

test('immediate shutdown does not wait', async (t) => {
  const site = await startStub();
  const { frontend } = await login(site.port);
  site.process.kill('SIGQUIT');
  await frontend.closes();
  t.is(await site.stop(), 0);
});

test('one postmaster for a site; a stale pid file is no obstacle, a killed postmaster takes its children along', async (t) => {
  const site = await startStub();
  const second = await startStub({ folder: site.folder, waitFor: '' });
  t.is(await second.ended, 1);
  t.true(second.log().includes('lock file "postmaster.pid" already exists'));
  t.true(second.log().includes(`Is another postmaster (PID ${site.process.pid}) running in data directory`));
  const { frontend } = await login(site.port);
  site.process.kill('SIGKILL');
  await frontend.closes();
  await site.ended;
  t.true(existsSync(join(site.folder, 'postmaster.pid')));
  // What a postmaster leaves that was killed during its rehearsal: once a site did not start any more because of such a socket.
  const rehearsal = join(site.folder, 'tmp/rehearsal/tmp');
  mkdirSync(rehearsal, { recursive: true, mode: 0o700 });
  port.close(port.listenUnix(join(rehearsal, 'manager.0.sock'), 0o600, 1));
  for (const path of [join(site.folder, 'tmp/rehearsal'), rehearsal, join(rehearsal, 'manager.0.sock')]) giveToAccount(path);
  // The children of the first may take a moment to be gone.
  for (let started = false; !started;) {
    const third = await startStub({ folder: site.folder, waitFor: '' });
    started = await third.logged('ready to accept connections').then(() => true, () => false);
    if (started) t.is(await third.stop(), 0);
    else t.true(third.log().includes('processes of an earlier postmaster'));
  }
});

test('what is wrong with a site is listed whole, with the mends', async (t) => {
  const folder = makeSiteFolder();
  writeFileSync(join(folder, 'base', 'wide open'), '', { mode: 0o644 });
  symlinkSync('/etc/passwd', join(folder, 'global', 'link'));
  linkSync(join(folder, 'hba.conf'), join(folder, 'base', 'twice'));
  chmodSync(join(folder, 'tmp'), 0o755);
  rmSync(join(folder, 'ident.conf'));
  giveToAccount(join(folder, 'base'));
  if (isRoot) writeFileSync(join(folder, 'global', 'foreign'), '', { mode: 0o600 });
  const site = await startStub({ folder, waitFor: '' });
  t.is(await site.ended, 1);
  const wanted = [
    `'${folder}/base/wide open' has mode 0644, not 0600`.replaceAll("'", ''), `mend: chmod 0600 '${folder}/base/wide open'`,
    `${folder}/global/link is a symbolic link`, `mend: rm ${folder}/global/link`,
    `${folder}/base/twice has 2 hard links`, `mend: cp -p ${folder}/base/twice ${folder}/base/twice.new && mv ${folder}/base/twice.new ${folder}/base/twice`,
    `${folder}/tmp has mode 0755, not 0700`, `mend: chmod 0700 ${folder}/tmp`, `${folder}/ident.conf is missing`,
    ...(isRoot ? [`${folder}/global/foreign is owned by root, not by nobody`, `mend: chown nobody ${folder}/global/foreign`] : []),
  ];
  for (const line of wanted) t.true(site.log().includes(line), `${line}\n${site.log()}`);
  rmSync(folder, { recursive: true });
});

test('a wrong setting is named with its line', async (t) => {
  const site = await startStub({ ini: '# settings\nwork_mem = 12 horses\nno_such = 1\n', waitFor: '' });
  t.is(await site.ended, 1);
  t.true(site.log().includes('unrecognized configuration parameter "no_such" in file "site.ini" line 3'));
  const other = await startStub({ ini: '\nwork_mem = 12 horses\nmax_connections = 0\nssl = on\n', waitFor: '' });
  t.is(await other.ended, 1);
  t.true(other.log().includes('invalid value for parameter "work_mem": "12 horses"'));
  t.true(other.log().includes('0 is outside the valid range for parameter "max_connections" (1 .. 262143) in file "site.ini" line 3'));
  t.true(other.log().includes('setting "ssl" to "on" is not supported in file "site.ini" line 4'));
  for (const { folder } of [site, other]) rmSync(folder, { recursive: true });
});

test('a wrong line of hba.conf is named', async (t) => {
  const site = await startStub({ hba: 'local all all trust\nhost all all 10.0.0.0/33 md5\nhost all all 10.0.0.0/8 ldap\n', waitFor: '' });
  t.is(await site.ended, 1);
  t.true(site.log().includes('invalid CIDR mask in address "10.0.0.0/33" in file "hba.conf" line 2'));
  t.true(site.log().includes('authentication method "ldap" is not supported in file "hba.conf" line 3'));
  rmSync(site.folder, { recursive: true });
});

test('SIGHUP reads the files again', async (t) => {
  const site = await startStub();
  writeFileSync(join(site.folder, 'hba.conf'), 'host all all 127.0.0.1/32 reject\n');
  writeFileSync(join(site.folder, 'site.ini'), 'log_connections = on\nport = 1\n');
  site.process.kill('SIGHUP');
  await site.logged('unaffected changes were applied');
  const refused = new RawFrontend(site.port);
  refused.startup({ user: 'ann', database: 'shop' });
  t.like(await refused.error(), {
    C: '28000', M: 'pg_hba.conf rejects connection for host "127.0.0.1", user "ann", database "shop", no encryption',
  });
  // The client may hear of it before the log's pipe has been read.
  await site.logged('connection received: host=127.0.0.1');
  t.is(await site.stop(), 0);
});

test('passwords go through SCRAM', async (t) => {
  const site = await startStub({ hba: 'host all all 127.0.0.1/32 scram-sha-256\n' });
  let psql = '';
  try {
    psql = execFileSync('psql', ['--version'], { encoding: 'utf8' });
  } catch {
    t.log('psql is not installed: only refusals are tried');
  }
  const run = (password: string): string => execFileSync('psql', ['-h', '127.0.0.1', '-p', String(site.port), '-U', 'ann', '-w', '-Atc', 'hello', 'shop'],
    { encoding: 'utf8', env: { ...process.env, PGPASSWORD: password }, stdio: ['ignore', 'pipe', 'pipe'] });
  if (psql !== '') {
    t.is(run('secret'), 'hello\n');
    t.throws(() => run('wrong'), { message: /password authentication failed for user "ann"/ });
  }
  const wrong = new RawFrontend(site.port);
  wrong.startup({ user: 'ann', database: 'shop' });
  t.is((await wrong.upTo('R')).toString('latin1'), '\0\0\0\x0aSCRAM-SHA-256\0\0');
  wrong.message('p', 'SCRAM-SHA-1\0\0\0\0\0');
  t.like(await wrong.error(), { C: '08P01', M: 'client selected an invalid SASL authentication mechanism' });
  t.is(await site.stop(), 0);
});

test('tells the service manager, and takes sockets from it', async (t) => {
  // tmp/ is emptied at start, so the service manager's socket lies beside the site.
  const folder = makeSiteFolder(), notify = `${folder}.notify`, manager = await serviceManager(t, notify);
  const passed = (port.listenTcp('127.0.0.1', 0, 10) as number[])[0]!, address = port.socketAddress(passed) as { port: number };
  const site = await startStub({ folder, env: { NOTIFY_SOCKET: notify, LISTEN_FDS: '1', LISTEN_FDNAMES: 'tcp', WATCHDOG_USEC: '100000' }, passed });
  port.close(passed);
  t.true(site.log().includes(`listening on IPv4 address "127.0.0.1", port ${address.port} (passed as "tcp")`));
  await manager.wait('READY=1');
  await manager.wait('WATCHDOG=1');
  const { frontend } = await login(address.port);
  t.is(await ask(frontend, 'through a passed socket'), 'through a passed socket');
  site.process.kill('SIGHUP');
  await manager.wait('RELOADING=1');
  t.is(await site.stop(), 0);
  await manager.wait('STOPPING=1');
});

// The watchdog was told that all is well as long as the postmaster's loop turned.
test('the watchdog hears of it only while a query is answered and managers listen', async (t) => {
  const folder = makeSiteFolder(), notify = `${folder}.notify`, manager = await serviceManager(t, notify);
  const site = await startStub({ folder, env: { NOTIFY_SOCKET: notify, WATCHDOG_USEC: '100000' } });
  await manager.wait('WATCHDOG=1');
  writeFileSync(join(folder, 'tmp', 'deaf'), '');
  await site.logged('the query of the watchdog was not answered as it should be');
  // What was said before may still be on its way; it comes in order.
  site.process.kill('SIGHUP');
  await manager.wait('RELOADING=1');
  manager.forget();
  await site.logged('the query of the watchdog was not answered as it should be', 2);
  t.false(manager.said().includes('WATCHDOG=1'));
  rmSync(join(folder, 'tmp', 'deaf'));
  await manager.wait('WATCHDOG=1');
  const { frontend } = await login(site.port);
  const pid = Number(/pid (\d+)/.exec(await ask(frontend, 'manager'))![1]);
  process.kill(pid, 'SIGSTOP');
  await site.logged(`transaction manager of database 5 (PID ${pid}) does not respond`);
  manager.forget();
  process.kill(pid, 'SIGCONT');
  await manager.wait('WATCHDOG=1');
  t.is(await site.stop(), 0);
});

// The shutdown once began just before the server loop went to sleep, and nothing woke it: it took up to a minute. What comes
// meanwhile waits at the socket, for the next postmaster.
test('idle_exit: without sessions it ends at once; a connection that comes too late is left in the queue', async (t) => {
  const passed = (port.listenTcp('127.0.0.1', 0, 10) as number[])[0]!, address = port.socketAddress(passed) as { port: number };
  const site = await startStub({ ini: 'idle_exit = 1\n', env: { LISTEN_FDS: '1' }, passed });
  const { frontend } = await login(address.port);
  await new Promise((wake) => { setTimeout(wake, 1200); });
  t.is(await ask(frontend, 'still here'), 'still here', 'a session keeps it');
  const since = Date.now();
  frontend.end();
  t.is(await site.ended, 0);
  t.true(Date.now() - since < 10_000);
  t.regex(site.log(), /nobody is connected: shutting down until the next connection/);
  const next = await startStub({ folder: site.folder, env: { LISTEN_FDS: '1' }, passed });
  t.is(await ask((await login(address.port)).frontend, 'served'), 'served');
  port.close(passed);
  t.is(await next.stop(), 0);
});
