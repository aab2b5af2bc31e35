// Parallel workers (PostgreSQL's parallel.c and execParallel.c). A worker is a fork of the backend that leads it, in the middle of the
// plan: so it has the plan, its parameters, the catalogs, the settings and the snapshot as they are, and runs on from there. Of what
// belongs to the leader (the client, the manager, the readers' slots of the environments) it touches nothing; its rows, notices,
// its error and what it has counted go to the leader (tqueue.ts), and then it is gone.
import { PgError, type ErrorFields, type Severity } from '../../common/errors.ts';
import type { ConditionName } from '../../common/sqlstate.ts';
import { EAGAIN, EINTR, POLLHUP, POLLIN, SIGCHLD, SIGKILL, SIGTERM, port } from '../../port/port.ts';
import type { RowLayout } from '../access/row.ts';
import type { SharedCounter } from '../access/parallel_scan.ts';
import { existingWriteSet } from '../access/writeset.ts';
import { managerClient } from '../transaction/client.ts';
import { dropSnapshot, freezeStores, getStore, holdSnapshot, type SavedSnapshot } from '../transaction/snapshot.ts';
import { isolationLevel } from '../transaction/xact.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { freeWorkerSlot, reserveWorkerSlots, setWorkerPid, showWorker } from '../utils/backend_status.ts';
import { log, startLogContext } from '../utils/elog.ts';
import { errorContext } from '../utils/error_context.ts';
import { getBool, getInt, getString } from '../utils/guc.ts';
import { checkForInterrupts, installBackendSignals, workersEnded } from '../utils/interrupts.ts';
import { addCountsOfWorker, countFromHere, countsForLeader, type WorkerCounts } from '../utils/pgstat.ts';
import { initPsStatus } from '../utils/ps_status.ts';
import { session } from '../utils/session.ts';
import { asPgError } from '../utils/unknown_errors.ts';
import type { Runtime } from './execute.ts';
import { Instrumentation } from './instrument.ts';
import { rowLayoutOf } from './run_file.ts';
import { FRAME, QueueDetached, RowReceiver, RowSender } from './tqueue.ts';

/** What a Gather is, from its plan. */
export interface GatherSpec {
  readonly workers: number;
  readonly singleCopy: boolean;
  /** Of the columns of the plan below. */
  readonly types: readonly Oid[];
  /** What its processes share out among them: so many counters. */
  counters: number;
  /** Tables and indexes of which each reads a part, by filenode: changes of the running transaction are not dealt out. */
  readonly shared: { filenode: number; shared: boolean }[];
}

interface Worker {
  readonly pid: number;
  readonly slot: number;
  readonly queue: RowReceiver;
  done: boolean;
}

interface Told { severity: Severity; condition: ConditionName; message: string; fields: ErrorFields }
interface Done { instrument: [node: number, counters: Instrumentation][]; counts: WorkerCounts }

/** Counters in memory that workers share with their leader; a session makes it with its first worker, and keeps it. */
let words: Int32Array | null = null;
let wordsUsed = 0, wordsUsers = 0;
const MEMORY_BYTES = 65536;

/** All that run in this process. */
const running = new Set<GatherState>();

/** As many as poll(2) may be asked for, and max_parallel_workers_per_gather may be. */
const MAX_WORKERS = 1024;
const manyFds = new Int32Array(MAX_WORKERS), events = new Int16Array(MAX_WORKERS).fill(POLLIN), ready = new Int16Array(MAX_WORKERS);

/** One execution of a Gather or Gather Merge. */
export class GatherState {
  isWorker = false;
  /** The leader runs the plan, too. */
  takesPart = true;
  private readonly spec: GatherSpec;
  private readonly rt: Runtime;
  private workers: Worker[] = [];
  private layout: RowLayout | null = null;
  private snapshot: SavedSnapshot | null = null;
  private firstCounter = -1;
  private turn = 0;
  private sender: RowSender | null = null;

  constructor(spec: GatherSpec, rt: Runtime) {
    this.spec = spec;
    this.rt = rt;
  }

  /** Makes workers, as many as there may be. True in each of them. */
  launch(): boolean {
    const { spec } = this;
    if (!this.mayHaveWorkers()) return false;
    const slots = reserveWorkerSlots(session.pid, spec.workers, getInt('max_parallel_workers'));
    if (slots.length === 0) return false;
    this.shareCounters();
    // Open, and with a snapshot: what a worker opened would be another one.
    for (const shared of [false, true]) getStore(shared);
    this.snapshot = holdSnapshot();
    this.layout = rowLayoutOf(spec.types);
    running.add(this);
    // Should a worker fail, the leader hears of it wherever it is.
    workersEnded.look = workerEnded;
    port.setSignal(SIGCHLD, 'flag');
    for (const slot of slots) {
      if (!this.start(slot)) freeWorkerSlot(slot);
      if (this.isWorker) return true;
    }
    this.takesPart = this.workers.length === 0 || (!spec.singleCopy && getBool('parallel_leader_participation'));
    return false;
  }

  get launched(): number {
    return this.workers.length;
  }

  private mayHaveWorkers(): boolean {
    if (session.parallelLeader !== 0 || this.rt.epq !== null || isolationLevel() === 'serializable') return false;
    return this.spec.shared.every(({ filenode, shared }) => {
      const set = existingWriteSet(shared), index = set?.indexes.get(filenode);
      return set?.tables.get(filenode) === undefined && (index === undefined || index.length === 0);
    });
  }

  private shareCounters(): void {
    words ??= new Int32Array(port.sharedMemory(MEMORY_BYTES));
    wordsUsers++;
    this.firstCounter = wordsUsed;
    wordsUsed += this.spec.counters;
    if (wordsUsed <= words.length) words.fill(0, this.firstCounter, wordsUsed);
  }

  /** Forks a worker; false: that was not possible. */
  private start(slot: number): boolean {
    const pair = words!.length < wordsUsed ? -1 : port.socketpair();
    if (typeof pair === 'number') return false;
    const [ours, theirs] = pair, leader = session.pid, pid = port.fork(false);
    if (pid === 0) {
      for (const gather of running) for (const { queue } of gather.workers) port.close(queue.fd);
      port.close(ours);
      try {
        becomeWorker(leader, slot);
        this.beWorker(theirs);
      } catch (error) {
        // It must not go on as a second leader.
        log('LOG', `parallel worker failed to initialize: ${String(error)}`);
        port._exit(2);
      }
      return true;
    }
    port.close(theirs);
    if (pid < 0) {
      port.close(ours);
      return false;
    }
    setWorkerPid(slot, pid);
    const worker: Worker = { pid, slot, done: false, queue: new RowReceiver(ours, this.layout!, (kind, what) => this.hear(worker, kind, what)) };
    this.workers.push(worker);
    return true;
  }

  /** What the processes of this Gather share out by number `n`; null: there are no others. */
  counter(n: number): SharedCounter | null {
    return this.isWorker || this.workers.length > 0 ? { words: words!, at: this.firstCounter + n } : null;
  }

  /** Whether this process is the first to ask for what has number `n`, which one alone is to do. */
  isFirst(n: number): boolean {
    const counter = this.counter(n);
    return counter === null || Atomics.add(counter.words, counter.at, 1) === 0;
  }

  // --- in a worker

  private beWorker(fd: number): void {
    this.isWorker = true;
    const sender = this.sender = new RowSender(fd, this.spec.types), { rt } = this;
    session.notice = (notice) => sender.say(FRAME.notice, toldOf(notice));
    for (let i = 0; i < rt.instrument.length; i++) rt.instrument[i] = new Instrumentation();
  }

  send(row: readonly Datum[]): void {
    this.sender!.send(row);
  }

  finish(): never {
    try {
      const instrument = this.rt.instrument.map((counters, node): Done['instrument'][number] => [node, counters]).filter(([, counters]) => counters.loops > 0);
      this.sender!.say(FRAME.done, { instrument, counts: countsForLeader() } satisfies Done);
    } catch (error) {
      this.fail(error);
    }
    return port._exit(0);
  }

  fail(error: unknown): never {
    if (error instanceof QueueDetached) return port._exit(0);
    try {
      this.sender!.say(FRAME.error, toldOf(asPgError(error)));
    } catch {
      // It is not interested.
    }
    return port._exit(1);
  }

  // --- in the leader

  private hear(worker: Worker, kind: number, what: unknown): void {
    switch (kind) {
      case FRAME.notice: session.notice(fromWorker(what as Told)); break;
      case FRAME.error: throw fromWorker(what as Told);
      case FRAME.done: {
        const { instrument, counts } = what as Done;
        worker.done = true;
        addCountsOfWorker(counts);
        for (const [node, counters] of instrument) this.rt.instrument[node]!.addWorker(this.workers.indexOf(worker), counters);
        break;
      }
      default:
    }
  }

  /** A row of any worker, as far as one has come. */
  ready(): Datum[] | undefined {
    return this.anyRow(0);
  }

  /** A row of any worker; undefined: all have given theirs. */
  next(): Datum[] | undefined {
    return this.anyRow(-1);
  }

  private anyRow(timeoutMs: number): Datum[] | undefined {
    const { workers } = this;
    for (;;) {
      // One after the other, each as long as it has rows.
      for (let n = 0; n < workers.length; n++) {
        const row = workers[this.turn]!.queue.take();
        if (row !== undefined) return row;
        this.turn = (this.turn + 1) % workers.length;
      }
      const open = workers.filter((w) => !w.done);
      if (open.length === 0 || !waitFor(open, timeoutMs)) return undefined;
    }
  }

  /** Readers of the rows of each worker, in their order. */
  readers(): { next(): Datum[] | undefined }[] {
    return this.workers.map((worker) => ({
      next: () => {
        for (;;) {
          const row = worker.queue.take();
          if (row !== undefined) return row;
          if (worker.done) return undefined;
          waitFor([worker], -1);
        }
      },
    }));
  }

  /** Whatever way it ends: nothing is left of the workers. */
  close(): void {
    if (this.firstCounter < 0) return;
    for (const { pid, done } of this.workers) if (!done) port.kill(pid, SIGTERM);
    for (const { queue } of this.workers) port.close(queue.fd);
    for (const { pid, slot, done } of this.workers) {
      // Who is done leaves by itself, which takes a while.
      if (done) leaving.add(pid);
      else noteEnd(pid, port.waitFor(pid));
      freeWorkerSlot(slot);
    }
    this.workers = [];
    if (this.snapshot !== null) dropSnapshot(this.snapshot);
    this.firstCounter = -1;
    if (--wordsUsers === 0) wordsUsed = 0;
    running.delete(this);
    collectWorkers();
  }

  /** Throws the error of a worker that has ended with one. */
  lookForFailures(): void {
    const open = this.workers.filter((w) => !w.done && !w.queue.ended);
    open.forEach(({ queue }, i) => { manyFds[i] = queue.fd; });
    if (open.length === 0 || port.poll(manyFds, events, ready, open.length, 0) <= 0) return;
    const ended = open.filter((_w, i) => (ready[i]! & POLLHUP) !== 0);
    for (const { queue } of ended) if (!queue.receiveEnd()) throw lostConnection();
  }
}

/** Waits until one of these workers has something to say. False: none has within the time. */
function waitFor(workers: readonly Worker[], timeoutMs: number): boolean {
  if (workers.some(({ queue }) => queue.isLost)) throw lostConnection();
  // All that they have sent is here already: an interrupt has looked for it meanwhile.
  if (workers.some(({ queue }) => queue.ended)) return true;
  workers.forEach(({ queue }, i) => { manyFds[i] = queue.fd; });
  const n = port.poll(manyFds, events, ready, workers.length, timeoutMs);
  if (n <= 0) {
    checkForInterrupts();
    return n === -EINTR && timeoutMs !== 0;
  }
  // Before interrupts are looked for, which looks at the workers as well.
  for (const [i, { queue }] of workers.entries()) if (ready[i] !== 0) queue.receive();
  checkForInterrupts();
  return true;
}

const lostConnection = (): PgError => new PgError('object_not_in_prerequisite_state', 'lost connection to parallel worker');

/** Workers that are done, and on their way out. */
const leaving = new Set<number>();

function hasLeft(pid: number): boolean {
  const status = port.hasEnded(pid);
  if (status === -EAGAIN) return false;
  noteEnd(pid, status);
  return true;
}

function noteEnd(pid: number, status: number): void {
  const signal = status & 0x7f, how = signal === 0 ? `exited with exit code ${status >> 8}` : `was terminated by signal ${signal}`;
  if (status > 0) log('LOG', `background worker "parallel worker" (PID ${pid}) ${how}`);
}

function collectWorkers(): void {
  for (const pid of leaving) if (hasLeft(pid)) leaving.delete(pid);
  if (running.size > 0 || leaving.size > 0) return;
  workersEnded.look = null;
  port.setSignal(SIGCHLD, 'default');
}

function workerEnded(): void {
  for (const gather of running) gather.lookForFailures();
  collectWorkers();
}

/** Right after the fork. */
function becomeWorker(leader: number, slot: number): void {
  port.setParentDeathSignal(SIGKILL);
  if (port.getppid() !== leader) port._exit(1);
  session.parallelLeader = leader;
  session.pid = port.getpid();
  freezeStores();
  for (const shared of [false, true]) managerClient(shared).abandon();
  if (session.clientFd >= 0) port.close(session.clientFd);
  session.reportParameter = () => {};
  running.clear();
  leaving.clear();
  workersEnded.look = null;
  port.setSignal(SIGCHLD, 'default');
  installBackendSignals();
  startLogContext('parallel worker');
  initPsStatus(`parallel worker for PID ${leader}`);
  showWorker(slot);
  countFromHere();
  errorContext.top = null;
}

const toldOf = ({ severity, condition, message, fields }: PgError): Told => ({ severity, condition, message, fields });

/** An error of a worker ends the statement, and no more than that. */
function fromWorker({ severity, condition, message, fields }: Told): PgError {
  const where = getString('force_parallel_mode') === 'regress' ? fields.where : [...(fields.where === undefined ? [] : [fields.where]), 'parallel worker'].join('\n');
  const error = new PgError(condition, message, { ...fields, where });
  error.severity = severity === 'FATAL' ? 'ERROR' : severity;
  return error;
}
