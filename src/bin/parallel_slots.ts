// Several connections that work at once (PostgreSQL's parallel_slot.c): a command goes to one that is idle; connections are made
// when they are first needed. Ctrl-C asks the server to stop what runs, and nothing more is begun.
import type { Connection } from '../interfaces/libpq/connection.ts';
import { ServerError } from '../interfaces/libpq/errors.ts';
import { echo, errorText, executeQuery, requestCancel, type ClientProgram } from './client_program.ts';
import { complain } from './getopt.ts';

interface Slot { connection: Connection; running: Promise<void> | null }

export class ParallelSlots {
  /** A command failed, or the user has had enough. */
  failed = false;
  private readonly program: ClientProgram;
  private readonly slots: Slot[];
  private readonly limit: number;
  private readonly makeConnection: () => Promise<Connection>;
  private readonly initCommand: string | undefined;
  private readonly onInterrupt = (): void => {
    this.failed = true;
    const busy = this.slots.find((s) => s.running !== null);
    if (busy !== undefined) requestCancel(busy.connection);
  };

  private constructor(program: ClientProgram, first: Connection, limit: number, makeConnection: () => Promise<Connection>, initCommand: string | undefined) {
    this.program = program;
    this.slots = [{ connection: first, running: null }];
    this.limit = limit;
    this.makeConnection = makeConnection;
    this.initCommand = initCommand;
    process.on('SIGINT', this.onInterrupt);
  }

  /** `first` is taken over; each connection runs `initCommand` before anything else. */
  static async open(program: ClientProgram, first: Connection, limit: number, makeConnection: () => Promise<Connection>, initCommand?: string): Promise<ParallelSlots> {
    const slots = new ParallelSlots(program, first, limit, makeConnection, initCommand);
    if (initCommand !== undefined) await executeQuery(program, first, initCommand);
    return slots;
  }

  /** A connection with nothing to do, as soon as there is one; null when there is no sense in going on. */
  private async idle(): Promise<Connection | null> {
    for (;;) {
      if (this.failed) return null;
      const idle = this.slots.find((s) => s.running === null);
      if (idle !== undefined) return idle.connection;
      if (this.slots.length < this.limit) {
        const connection = await this.makeConnection();
        this.slots.push({ connection, running: null });
        if (this.initCommand !== undefined) await executeQuery(this.program, connection, this.initCommand);
        return connection;
      }
      await Promise.race(this.slots.map((s) => s.running));
    }
  }

  /** Begins a command on a connection of `idle()`. A table that has gone meanwhile is told and harms nobody; any other error is the end. */
  private run(connection: Connection, sql: string): void {
    const slot = this.slots.find((s) => s.connection === connection)!;
    echo(this.program, sql);
    slot.running = connection.exec(sql).then(() => {}, (error: unknown) => {
      complain(this.program.name, `processing of database "${connection.database}" failed: ${errorText(error, sql)}`);
      if (!(error instanceof ServerError && error.code === '42P01')) this.failed = true;
    }).then(() => { slot.running = null; });
  }

  /** Waits for what runs, unless something failed; closes the connections. */
  private async finish(): Promise<void> {
    for (const { running } of this.slots) if (!this.failed) await running;
    process.off('SIGINT', this.onInterrupt);
    for (const { connection, running } of this.slots) {
      if (running !== null) await connection.cancel().catch(() => {});
      await (running === null ? connection.finish() : connection.destroy());
    }
  }

  /** Runs a command for each of the items, made by `command` when its connection is known. Ends the program when one fails. */
  async forEach(items: readonly string[], command: (connection: Connection, item: string) => string | Promise<string>): Promise<void> {
    for (const item of items) {
      const connection = await this.idle();
      if (connection === null) break;
      this.run(connection, await command(connection, item));
    }
    await this.finish();
    if (this.failed) process.exit(1);
  }
}
