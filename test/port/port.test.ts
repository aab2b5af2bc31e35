import test from 'ava';
import { mkdtempSync, openSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EINTR, POLLIN, SERVE, SIGTERM, SIGUSR2, port } from '../../src/port/port.ts';
import { runForking } from './forking.ts';

test('wrong arguments are refused by name', (t) => {
  const loose = port as unknown as Record<string, (...args: unknown[]) => unknown>;
  t.throws(() => loose['recv']!(0, 'text', 0, 1), { message: 'port.Recv: bad argument' });
  t.throws(() => loose['recv']!(0), { message: 'port.Recv: bad argument' });
  t.throws(() => port.recv(0, new Uint8Array(4), 2, 3, false), { message: 'port.Recv: bad argument' });
  t.throws(() => port.setTimer(8, 1), { message: 'port.setTimer: bad argument' });
  t.throws(() => port.setSignal(0, 'flag'), { message: 'port.setSignal: bad argument' });
});

test('serve comes back when the watched file is another one', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'posthouse-watch-')), path = join(folder, 'postmaster.pid');
  const fd = openSync(path, 'w'), what = new Int32Array(4);
  const serve = (): number => {
    port.serve(new Int32Array(1), new Int16Array(1), 0, 0, 20, new Int32Array(1), false, what);
    return what[0]!;
  };
  port.watchFile(fd, path, 1);
  t.is(serve(), SERVE.look);
  rmSync(path);
  t.is(serve(), SERVE.lost);
  const other = openSync(path, 'w');
  t.is(serve(), SERVE.lost);
  port.watchFile(-1, '', 1);
  port.close(fd);
  port.close(other);
  rmSync(folder, { recursive: true });
});

test('bytes go through a socket pair', (t) => {
  const [a, b] = port.socketpair() as [number, number];
  const buffer = Buffer.alloc(16);
  t.is(port.send(a, Buffer.from('horse'), 0, 5), 5);
  const revents = new Int16Array(1);
  t.is(port.poll(Int32Array.of(b), Int16Array.of(POLLIN), revents, 1, 1000), 1);
  t.is(revents[0], POLLIN);
  t.is(port.recv(b, buffer, 2, 14, false), 5);
  t.is(buffer.toString('latin1', 2, 7), 'horse');
  port.close(a);
  t.is(port.recv(b, buffer, 0, 16, false), 0);
  port.close(b);
  t.is(port.close(b), -9);
});

test('a signal that came before the call interrupts it, once', (t) => {
  const [a, b] = port.socketpair() as [number, number];
  t.is(port.setSignal(SIGUSR2, 'flag'), 0);
  const before = port.signals[SIGUSR2]!;
  port.kill(process.pid, SIGUSR2);
  t.is(port.signals[SIGUSR2]! - before, 1);
  t.is(port.recv(b, Buffer.alloc(1), 0, 1, false), -EINTR);
  port.send(a, Buffer.from('x'), 0, 1);
  t.is(port.recv(b, Buffer.alloc(1), 0, 1, false), 1);
  port.close(a);
  port.close(b);
});

test('a timer interrupts a blocking call', (t) => {
  const [a, b] = port.socketpair() as [number, number];
  port.setTimer(3, 20);
  while (port.timers[3] === 0) t.is(port.recv(b, Buffer.alloc(1), 0, 1, false), -EINTR);
  port.setTimer(3, 0);
  t.is(port.timers[3], 0);
  port.close(a);
  port.close(b);
});

test('a Unix socket: its mode, and who is at the other end', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'posthouse-'));
  const path = join(folder, 's');
  const listener = port.listenUnix(path, 0o600, 5);
  t.is(statSync(path).mode & 0o777, 0o600);
  const client = port.connectUnix(path), server = port.accept(listener);
  t.like(port.peerCredentials(server), { pid: process.pid, uid: process.getuid!() });
  t.deepEqual(port.peerAddress(server), { family: 'unix', address: '', port: 0 });
  t.deepEqual(port.socketAddress(listener), { family: 'unix', address: path, port: 0 });
  t.is(port.connectUnix('x'.repeat(300)), -36);
  for (const fd of [client, server, listener]) port.close(fd);
  rmSync(folder, { recursive: true });
});

test('TCP listeners, one for each address', (t) => {
  const fds = port.listenTcp('127.0.0.1', 0, 5) as number[];
  t.is(fds.length, 1);
  t.like(port.socketAddress(fds[0]!), { family: 'inet', address: '127.0.0.1' });
  port.close(fds[0]!);
  t.is(typeof port.listenTcp('no.such.host.invalid', 0, 5), 'string');
});

test('only one holder of a file lock', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'posthouse-')), path = join(folder, 'lock');
  const first = openSync(path, 'w'), second = openSync(path, 'r');
  t.is(port.lockFile(first), 0);
  t.is(port.lockFile(second), -11);
  port.close(first);
  t.is(port.lockFile(second), 0);
  port.close(second);
  rmSync(folder, { recursive: true });
});

test('the process title reaches into the environment, which stays readable', (t) => {
  const text = runForking(`
    const area = port.titleArea();
    Buffer.from(area.buffer, area.byteOffset, area.length).write('posthouse: ' + 'x'.repeat(400));
    print(area.length > 411);
    print(readFileSync('/proc/self/cmdline', 'latin1').replaceAll('\\0', '').length > 400);
    print(process.env['HOME'] !== undefined);`);
  t.is(text, 'true\ntrue\ntrue\n');
});

test('a child survives garbage collections, sees shared memory, and its own signals only', (t) => {
  const text = runForking(`
    const shared = new Int32Array(port.sharedMemory(64));
    port.setSignal(12, 'flag');
    port.kill(process.pid, 12);
    const [a, b] = port.socketpair();
    const pid = port.fork(false);
    if (pid === 0) {
      let keep = [];
      for (let i = 0; i < 3_000_000; i++) { keep.push({ i }); if (keep.length > 300_000) keep = []; }
      Atomics.store(shared, 1, port.signals[12] + 7);
      Atomics.store(shared, 2, port.getpid());
      port._exit(3);
    }
    port.close(b);
    while (port.recv(a, Buffer.alloc(1), 0, 1, false) !== 0);
    let ended;
    while ((ended = port.waitpid())[0] === 0);
    print(ended[0] === pid, ended[1] >> 8, shared[1], shared[2] === pid, port.signals[12]);`);
  t.is(text, 'true 3 7 true 1\n');
});

test('a child may use the event loop', (t) => {
  const text = runForking(`
    const pid = port.fork(true);
    if (pid === 0) setTimeout(() => { print('child'); port._exit(0); }, 5);
    else { while (port.waitpid()[0] === 0); print('parent'); }`);
  t.is(text, 'child\nparent\n');
});

test('SIGTERM during a sleepless loop is only a flag', (t) => {
  const text = runForking(`
    port.setSignal(${SIGTERM}, 'flag');
    port.kill(process.pid, ${SIGTERM});
    print(port.signals[${SIGTERM}]);
    print(readFileSync('/proc/self/comm', 'latin1').trim() !== '' );`);
  t.is(text, '1\ntrue\n');
});

test('ICU: texts of any length, errors by ICU\'s name', (t) => {
  const { icu } = port;
  t.regex(icu.version(), /^\d+\.\d/);
  t.true(icu.locales().includes('de-AT'));
  t.is(icu.openCollator('@colStrength=bogus'), 'U_ILLEGAL_ARGUMENT_ERROR');
  const collator = icu.openCollator('de') as number;
  t.regex(icu.collatorVersion(collator), /^\d+\.\d/);
  // About the size of the memory that is kept, and far beyond it; and short ones afterwards.
  for (const length of [0, 1, 2046, 2047, 2048, 2049, 100_000, 3]) {
    const a = `${'ä'.repeat(length)}b`, b = `${'ä'.repeat(length)}C`;
    t.is(icu.compare(collator, a, b), -1);
    t.is(icu.compare(collator, b, a), 1);
    t.true(icu.sortKey(collator, a) < icu.sortKey(collator, b));
    t.false(icu.sortKey(collator, a).includes('\0'));
    const bytes = Buffer.alloc(icu.sortKey(collator, a).length + 3, 0xff);
    const written = icu.putSortKey(collator, a, bytes, 2, bytes.length - 2);
    t.is(bytes.latin1Slice(2, 2 + written), icu.sortKey(collator, a));
    t.is(bytes[2 + written], 0);
    t.is(icu.putSortKey(collator, a, bytes, 2, bytes.length - 3), -1);
    t.is(icu.changeCase(0, 'de', 'ß'.repeat(length)), 'SS'.repeat(length));
    t.is(icu.changeCase(1, 'tr', 'I'.repeat(length)), 'ı'.repeat(length));
  }
  t.throws(() => icu.compare(99, 'a', 'b'), { message: 'port.icu.compare: bad argument' });
  t.throws(() => icu.putSortKey(collator, 'a', new Uint8Array(4), 2, 3), { message: 'port.icu.putSortKey: bad argument' });
});
