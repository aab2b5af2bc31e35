// State machine and applier together: what the manager process drives with sockets, and a backend without a manager
// (single-user mode, initdb) with calls.
import { port } from '../../port/port.ts';
import { META, type WritableStore } from '../storage/store.ts';
import { Applier } from './apply.ts';
import { formatLockMemory, keepLockMemory, privateLockMemory, type LockMemory } from './lock_memory.ts';
import { StateMachine, type Output } from './state_machine.ts';
import { readClientMessage, type Incoming } from './wire.ts';

export class ManagerCore {
  readonly applier: Applier;
  readonly machine: StateMachine;
  /** Shared with the backends: lock_memory.ts. */
  readonly lockWords: Int32Array;
  private readonly store: WritableStore;
  private readonly lockMemory: LockMemory;

  constructor(store: WritableStore, database: number, lockMemory: LockMemory = privateLockMemory()) {
    this.store = store;
    this.lockMemory = lockMemory;
    const { words: lockWords, path: lockPath } = lockMemory;
    this.lockWords = lockWords;
    const lockNonce = port.randomInt() & 0x7fffffff;
    formatLockMemory(lockWords, lockNonce);
    this.applier = new Applier(store);
    store.renew();
    this.machine = new StateMachine({
      database, view: this.applier, nextXid: store.meta(META.nextXid), nextOid: store.meta(META.nextOid), prepared: this.applier.preparedStates(), lockWords, lockNonce, lockPath,
    });
    store.release();
  }

  /** One frame's content from a session. The bytes become the message's own. Says what is wrong with it: the session
   * must be disconnected then. (What the machine itself throws is our own fault, and the end of the process.) */
  receive(session: number, bytes: Buffer, from: number, end: number, readFile: (name: string) => Buffer): string | null {
    let message: Incoming;
    try {
      message = readClientMessage(bytes, from, end, readFile);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    if (message.kind !== 'cancel' && this.machine.isBusy(session)) return 'a request before the answer to the last one';
    this.machine.receive(session, message);
    return null;
  }

  /** Applies the next batch, if there is anything to do; false when not. Throws when it is not known whether it became
   * durable: the process must end. */
  work(): boolean {
    const { machine, applier } = this;
    if (!machine.hasWork) return false;
    const work = machine.takeBatch();
    if (work === null) return false;
    machine.finishBatch(work, applier.apply(work));
    return true;
  }

  /** What is to be sent, once. After it has left, say so with `delivered`. */
  takeOutputs(): Output[] {
    const { outputs } = this.machine;
    if (outputs.length > 0) this.machine.outputs = [];
    return outputs;
  }

  /** The answers of all commits so far have left, but for those of these sessions (CommitToken.session). */
  delivered(except?: ReadonlySet<number>): void {
    const { applier } = this;
    if (applier.undelivered.length === 0) return;
    applier.undelivered = except === undefined || except.size === 0
      ? [] : applier.undelivered.filter(({ token }) => except.has(token.session));
  }

  /** The orderly end: sequences skip no number, and the store is closed. */
  close(): void {
    const sequences = this.machine.finalSequences();
    if (sequences.length > 0) this.applier.apply({ commits: [], sequences, ...this.machine.numbers, mustWrite: true });
    this.store.close();
    keepLockMemory(this.lockMemory);
  }
}
