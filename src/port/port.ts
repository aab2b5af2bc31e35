// The native addon (port.c): what Node has no word for. It decides nothing. Descriptors are plain numbers; calls
// that fail return a negative errno unless said otherwise; nothing here is asynchronous.
import { createRequire } from 'node:module';

export interface SocketAddress {
  family: 'unix' | 'inet' | 'inet6';
  address: string;
  port: number;
}

/** ICU, as the runtime has it inside (icu.c). Calls that fail give ICU's name of the error, "U_..."; without ICU all do. */
export interface Icu {
  /** "78.3"; '' where there is none. */
  version(): string;
  /** The language tag and the English name, one after the other, of the root locale and all others that ICU knows. */
  locales(): string[];
  /** A number for the following calls; kept for good. */
  openCollator(locale: string): number | string;
  collatorVersion(collator: number): string;
  /** -1, 0, 1. */
  compare(collator: number, a: string, b: string): number;
  /** Bytes, one character each and none of them 0, whose order is that of the texts. */
  sortKey(collator: number, text: string): string;
  /** Writes it there: how many bytes, and one more that is 0; -1: there was no room for that. */
  putSortKey(collator: number, text: string, bytes: Uint8Array, at: number, roomBytes: number): number;
  /** To upper case, to lower case, the first letters of words to upper case. A failure: U+0000, then the name of the error. */
  changeCase(how: 0 | 1 | 2, locale: string, text: string): string;
}

export interface Port {
  readonly icu: Icu;
  /** Makes every private mapping forkable, then forks. 0 in the child, whose `signals` start from 0 again.
   * See ARCHITECTURE, chapter 1. In the child, `useEventLoop` calls uv_loop_fork first. */
  fork(useEventLoop: boolean): number;
  /** Moves the program's text into huge pages, which a fork inherits at no cost; the bytes moved, 0 where that cannot be. */
  hugeText(): number;
  /** Fills the holes in the C library's memory, for good: children then allocate in one place. The bytes filled. */
  packMemory(): number;
  /** Puts memory into huge pages, which a fork inherits at less cost; the bytes. */
  collapseMemory(): number;
  /** Lets go of memory that is not needed now: what the C library has free, and pages of files (the program) that come back
   * from the cache by themselves. */
  releaseMemory(): void;
  /** 32 random bits of the kernel's, signed: fit for keys, and cheap in a new child. */
  randomInt(): number;
  /** The C library's functions: PostgreSQL's results to the last digit, where V8's own differ in one of ten (exp, cbrt) to thousands. */
  readonly libm: Readonly<Record<'exp' | 'log' | 'log10' | 'cbrt' | 'sin' | 'cos' | 'tan' | 'asin' | 'acos' | 'atan' | 'sinh' | 'cosh' | 'tanh' | 'asinh' | 'acosh' | 'atanh', (x: number) => number>
    & Record<'pow' | 'atan2', (x: number, y: number) => number>>;
  /** Becomes another program: `line` has its arguments, each ended by a zero; it has this process's environment, the standard
   * descriptors and those in `keep`. Comes back with a negative errno; -EINTR: signals[0] was no longer `known`. Signals from
   * then on wait until the new program calls `releaseSignals`, when it can answer them. */
  exec(file: string, line: Uint8Array, keep: Int32Array, known: number): number;
  releaseSignals(): void;
  /** A command of the shell: [descriptor of a pipe, pid], to read what it writes, or to write what it reads. */
  openProgram(command: string, reading: boolean): [number, number] | number;
  /** Waits for the end of a child: the status as waitpid has it. */
  waitFor(pid: number): number;
  /** The same for a child that has ended by now; else -EAGAIN. */
  hasEnded(pid: number): number;
  /** Leaves at once: no exit handlers, no flushing. */
  _exit(code: number): never;
  getpid(): number;
  getppid(): number;
  kill(pid: number, signal: number): number;
  /** [pid, status] of one ended child; pid 0: none; negative: errno. */
  waitpid(): [number, number];
  /** Anonymous memory shared with children forked later; Atomics work on typed arrays over it. */
  sharedMemory(lengthBytes: number): ArrayBuffer;
  /** The first bytes of a file as they are at any moment, for reading only; or a negative errno. */
  mapFile(fd: number, lengthBytes: number): ArrayBuffer | number;
  /** A file of so many zeros that is memory only, or a negative errno. Others of the account open it as /proc/<pid>/fd/<fd>. */
  memoryFile(lengthBytes: number): number;
  /** The same of a memory file, to write in: what one process writes, all that have mapped the file see. Atomics work on it. */
  mapShared(fd: number, lengthBytes: number): ArrayBuffer | number;
  /** A stretch of a file on a disk (no holes), from a multiple of the page's size on, to read and change, or a negative errno. It
   * is memory the kernel can have back, but V8 counts it among the external memory. */
  mapPart(fd: number, offset: number, lengthBytes: number): ArrayBuffer | number;
  /** Ends `mapPart`, or `mapFile`: nobody may look at a view of it any more. */
  unmapPart(memory: ArrayBuffer): void;
  /** signals[n] counts deliveries of signal n since start, for those caught with 'flag'; signals[0] of all together. */
  readonly signals: Int32Array;
  /** What signal n does from now on. 'flag' counts it in `signals`, and blocking calls return -EINTR: the one that
   * runs, or the next one to start. A spurious -EINTR is possible. */
  setSignal(signal: number, action: 'flag' | 'ignore' | 'default'): number;
  /** `method.call(receiver, argument)`, unless `signals[0]` is not `seen`, or a signal comes before it is done: undefined then. It
   * ends in the midst of it, without `finally`: only for calls that change nothing. */
  interruptible<T>(receiver: object, method: (argument: string) => T, argument: string, seen: number): T | undefined;
  /** Asks for this signal when the parent dies. */
  setParentDeathSignal(signal: number): number;
  /** One-shot timer 0..7 that delivers SIGALRM (which counts in `signals[14]`) after ms; 0 stops it.
   * `timers[n]` becomes 1 when it fired. */
  setTimer(timer: number, ms: number): number;
  readonly timers: Int32Array;
  /** Bytes received; 0 at the end of the stream; negative errno (-EINTR when a signal came). `inPoll`: waits in poll(2), even
   * if the socket does not block. Who waits in recv(2) on a Unix socket is woken whenever its peer has read what it was sent. */
  recv(fd: number, buffer: Uint8Array, offset: number, length: number, inPoll: boolean): number;
  /** Sends all of it unless an error or a signal comes first: the bytes sent, or a negative errno. */
  send(fd: number, buffer: Uint8Array, offset: number, length: number): number;
  /** poll(2) over at most 1024. `fds` and `events` in step; the result events are put into `revents`.
   * The number ready, or -errno. */
  poll(fds: Int32Array, events: Int16Array, revents: Int16Array, count: number, timeoutMs: number): number;
  /** The postmaster's poll: the first `listeners` of `fds` are listening sockets, whose connections it accepts and forks for
   * itself (`pids`: who is there; 0 is a free place), and it collects them again when they end as usual. Comes back for all
   * else, with what and its details in `what` (SERVE); `tell`: also when a child came or went. */
  serve(fds: Int32Array, revents: Int16Array, count: number, listeners: number, timeoutMs: number, pids: Int32Array, tell: boolean, what: Int32Array): void;
  /** `serve` looks every so often whether the file at the path is still the one that is open. */
  watchFile(fd: number, path: string, everyMs: number): void;
  listenUnix(path: string, mode: number, backlog: number): number;
  /** One descriptor or -errno for each address of the host ('': every interface), or the resolver's complaint. */
  listenTcp(host: string, port: number, backlog: number): number[] | string;
  connectUnix(path: string): number;
  /** The new descriptor, blocking. */
  accept(fd: number): number;
  socketpair(): [number, number] | number;
  pipe(): [number, number] | number;
  close(fd: number): number;
  /** No more will be sent. */
  shutdown(fd: number): number;
  setBlocking(fd: number, blocking: boolean): number;
  setNoDelay(fd: number): number;
  setKeepAlive(fd: number, idleSeconds: number, intervalSeconds: number, count: number): number;
  /** Who is at the other end of a Unix socket. */
  peerCredentials(fd: number): { pid: number; uid: number; gid: number } | number;
  /** The other end of a socket, and its own. */
  peerAddress(fd: number): SocketAddress | number;
  socketAddress(fd: number): SocketAddress | number;
  /** The name of an account of the system. */
  userName(uid: number): string | undefined;
  /** The memory that `ps` shows as this process's command line, emptied. For utils/ps_status.ts. */
  titleArea(): Uint8Array;
  /** The short name (15 bytes) that `ps -o comm` shows. */
  setProcessName(name: string): number;
  /** One datagram to a Unix socket path or abstract name ("@..."): sd_notify, journal. */
  sendDatagram(path: string, bytes: Uint8Array): number;
  /** Advisory whole-file lock (flock LOCK_EX|LOCK_NB). */
  lockFile(fd: number): number;
  umask(mode: number): number;
}

/** The one instance. The build puts port.node beside this file and beside its compiled form. */
export const port: Port = createRequire(import.meta.url)('./port.node') as Port;

/** what[0] of `Port.serve`: look around (signals, time, `revents`); this is the child (fd); a child ended that is not known or
 * not as usual (pid, status); too many (fd); accept failed (-errno); fork failed (fd, -errno); the
 * watched file is gone.
 * what[3]: so many children were forked meanwhile. */
export const SERVE = { look: 0, child: 1, ended: 2, full: 3, noAccept: 4, noFork: 5, lost: 6 } as const;

export const SIGHUP = 1, SIGINT = 2, SIGQUIT = 3, SIGABRT = 6, SIGKILL = 9, SIGUSR1 = 10, SIGUSR2 = 12, SIGPIPE = 13,
  SIGALRM = 14, SIGTERM = 15, SIGCHLD = 17;
export const EINTR = 4, EAGAIN = 11, EPIPE = 32, EADDRINUSE = 98, ECONNRESET = 104;
export const POLLIN = 1, POLLOUT = 4, POLLERR = 8, POLLHUP = 16;

const LOCK_PAUSE_MS = 1, noFds = new Int32Array(0), noEvents = new Int16Array(0);

/** Waits until nobody else holds the lock of `lockFile`, and has it then. */
export function waitForLock(fd: number): void {
  while (port.lockFile(fd) !== 0) port.poll(noFds, noEvents, noEvents, 0, LOCK_PAUSE_MS);
}
