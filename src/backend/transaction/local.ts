// A transaction manager inside the process, for whoever is alone with the database: single-user mode, initdb, tests.
import { internalError } from '../../common/errors.ts';
import type { WritableStore } from '../storage/store.ts';
import type { Oid } from '../types/datum.ts';
import { ByteReader, type ByteWriter } from './bytes.ts';
import type { ManagerClient } from './client.ts';
import { ManagerCore } from './core.ts';
import { ManagerLost, type Link } from './link.ts';
import type { ServerMessage } from './messages.ts';
import { FRAME_HEADER_BYTES } from './wire.ts';

export class LocalManager {
  readonly core: ManagerCore;
  private nextSession = 1;
  private readonly inboxes = new Map<number, ServerMessage[]>();
  private dead = false;

  constructor(store: WritableStore, database: Oid) {
    this.core = new ManagerCore(store, database);
  }

  /** Has a client talk to this manager. Several clients may. */
  serve(client: ManagerClient): void {
    client.useLinks(() => this.connect());
  }

  connect(): Link {
    const id = this.nextSession++, inbox: ServerMessage[] = [];
    this.inboxes.set(id, inbox);
    this.core.machine.connect(id);
    return {
      fd: -1,
      makeSpill: null,
      isAlive: () => !this.dead,
      lockMemory: () => this.core.lockWords,
      send: (out) => {
        if (this.dead) throw new ManagerLost();
        this.receive(id, out);
      },
      receive: () => {
        if (this.dead) throw new ManagerLost();
        const message = inbox.shift();
        if (message === undefined) throw internalError('a lock is waited for that nobody is there to free');
        return message;
      },
      poll: () => {
        if (this.dead) throw new ManagerLost();
        return inbox.shift() ?? null;
      },
      close: () => {
        if (!this.inboxes.delete(id) || this.dead) return;
        this.core.machine.disconnect(id);
        this.settle();
      },
    };
  }

  private receive(id: number, out: ByteWriter): void {
    for (let at = 0; at < out.length;) {
      const length = new ByteReader(out.bytes, at, out.length).u32();
      const frame = Buffer.from(out.bytes.subarray(at + FRAME_HEADER_BYTES, at + FRAME_HEADER_BYTES + length));
      const fault = this.core.receive(id, frame, 0, length, () => { throw internalError('no files between us'); });
      if (fault !== null) throw internalError(fault);
      at += FRAME_HEADER_BYTES + length;
    }
    this.settle();
  }

  private settle(): void {
    while (this.core.work());
    if (this.core.applier.hasMaintenance) this.core.applier.maintain();
    for (const { session, message } of this.core.takeOutputs()) this.inboxes.get(session)?.push(message);
    this.core.delivered();
  }

  /** For tests: nothing more comes from it, as if the process had been killed. */
  die(): void {
    this.dead = true;
  }

  /** Writes sequences as they are and closes the store. */
  close(): void {
    this.core.close();
  }
}
