// A transaction manager inside the process, for whoever is alone with the database: single-user mode, initdb, tests.
import { internalError } from '../../common/errors.ts';
import type { WritableStore } from '../storage/store.ts';
import type { Oid } from '../types/datum.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import type { ManagerClient } from './client.ts';
import { ManagerCore } from './core.ts';
import { ManagerLink, ManagerLost } from './link.ts';
import { FRAME_HEADER_BYTES, writeServerMessage } from './wire.ts';

export class LocalManager {
  readonly core: ManagerCore;
  private nextSession = 1;
  /** Frames that a session has not read yet. */
  private readonly inboxes = new Map<number, Buffer[]>();
  private readonly out = new ByteWriter(4096);
  private dead = false;

  constructor(store: WritableStore, database: Oid) {
    this.core = new ManagerCore(store, database);
  }

  /** Has a client talk to this manager. Several clients may. */
  serve(client: ManagerClient): void {
    client.useLinks(() => this.connect());
  }

  connect(): ManagerLink {
    const id = this.nextSession++, inbox: Buffer[] = [], lockWords = this.core.lockWords;
    const alive = (): void => { if (this.dead) throw new ManagerLost(); };
    this.inboxes.set(id, inbox);
    this.core.machine.connect(id);
    return new ManagerLink(-1, {
      lockWords,
      isAlive: () => !this.dead,
      take: (out) => {
        alive();
        this.receive(id, out);
      },
      give: () => {
        alive();
        return inbox.shift() ?? null;
      },
      close: () => {
        if (!this.inboxes.delete(id) || this.dead) return;
        this.core.machine.disconnect(id);
        this.settle();
      },
    });
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
    for (const { session, message } of this.core.takeOutputs()) {
      this.out.length = 0;
      writeServerMessage(this.out, message);
      this.inboxes.get(session)?.push(Buffer.from(this.out.bytes.subarray(0, this.out.length)));
    }
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
