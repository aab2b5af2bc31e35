// Rows from a parallel worker to its leader (PostgreSQL's tqueue.c), and what else it has to say, through a pair of sockets: frames of
// u32 length of what follows the kind, u8 kind. Rows go in the byte format of table rows (access/row.ts), each after its length, many in
// one frame; everything else is JSON.
import { EINTR, port } from '../../port/port.ts';
import { formRow, formRowInto, readRow, type RowLayout } from '../access/row.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import { rowLayoutOf } from './run_file.ts';

const FRAME_HEADER_BYTES = 5, KIND_AT = 4;
const BUFFER_BYTES = 64 * 1024;
/** The first rows are sent at once, for somebody may want no more; later ones together. */
const FIRST_FRAME_BYTES = 256;

/** What a frame has. */
export const FRAME = { rows: 1, notice: 2, error: 3, done: 4 } as const;

/** The leader has gone away from its end: it wants no more. */
export class QueueDetached extends Error {}

/** The worker's end. */
export class RowSender {
  private readonly fd: number;
  private readonly layout: RowLayout;
  private buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  private view = new DataView(this.buffer.buffer);
  private used = FRAME_HEADER_BYTES;
  private sendFrom = FIRST_FRAME_BYTES;

  constructor(fd: number, types: readonly Oid[]) {
    this.fd = fd;
    this.layout = rowLayoutOf(types);
  }

  send(row: readonly Datum[]): void {
    let end = formRowInto(this.layout, row, this.buffer, this.view, this.used + 4);
    if (end < 0) {
      this.flush();
      end = formRowInto(this.layout, row, this.buffer, this.view, this.used + 4);
      if (end < 0) end = this.putLarge(formRow(this.layout, row));
    }
    this.view.setUint32(this.used, end - this.used - 4, true);
    this.used = end;
    if (end >= this.sendFrom) {
      this.flush();
      if (this.sendFrom < BUFFER_BYTES / 2) this.sendFrom *= 2;
    }
  }

  /** A row that does not fit into the buffer. */
  private putLarge(bytes: Uint8Array): number {
    const end = FRAME_HEADER_BYTES + 4 + bytes.length;
    if (end > this.buffer.length) {
      this.buffer = Buffer.allocUnsafeSlow(end);
      this.view = new DataView(this.buffer.buffer);
    }
    this.buffer.set(bytes, FRAME_HEADER_BYTES + 4);
    return end;
  }

  flush(): void {
    if (this.used === FRAME_HEADER_BYTES) return;
    this.view.setUint32(0, this.used - FRAME_HEADER_BYTES, true);
    this.buffer[KIND_AT] = FRAME.rows;
    const { used } = this;
    this.used = FRAME_HEADER_BYTES;
    this.sendAll(this.buffer, used);
  }

  /** Something else, after the rows there are. */
  say(kind: number, what: unknown): void {
    this.flush();
    const text = Buffer.from(JSON.stringify(what)), frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + text.length);
    frame.writeUInt32LE(text.length, 0);
    frame[KIND_AT] = kind;
    text.copy(frame, FRAME_HEADER_BYTES);
    this.sendAll(frame, frame.length);
  }

  private sendAll(bytes: Buffer, length: number): void {
    for (let sent = 0; sent < length;) {
      const n = port.send(this.fd, bytes, sent, length - sent);
      if (n >= 0) sent += n;
      else if (n !== -EINTR) throw new QueueDetached();
      if (sent < length) checkForInterrupts();
    }
  }
}

/** The leader's end. */
export class RowReceiver {
  readonly fd: number;
  private readonly layout: RowLayout;
  private readonly heard: (kind: number, what: unknown) => void;
  private bytes = Buffer.allocUnsafeSlow(2 * BUFFER_BYTES);
  private view = new DataView(this.bytes.buffer);
  /** What was received and not looked at; rows of the frame in hand end at rowsEnd. */
  private at = 0;
  private end = 0;
  private rowsEnd = 0;
  /** The other end is closed. */
  ended = false;

  /** `heard` takes what are no rows. */
  constructor(fd: number, layout: RowLayout, heard: (kind: number, what: unknown) => void) {
    this.fd = fd;
    this.layout = layout;
    this.heard = heard;
  }

  /** The next row of those that were received. */
  take(): Datum[] | undefined {
    while (this.at >= this.rowsEnd) if (!this.nextFrame()) return undefined;
    const length = this.view.getUint32(this.at, true), row = readRow(this.bytes, this.view, this.at + 4, this.layout);
    this.at += 4 + length;
    return row;
  }

  private nextFrame(): boolean {
    if (this.end - this.at < FRAME_HEADER_BYTES) return false;
    const length = this.view.getUint32(this.at, true), start = this.at + FRAME_HEADER_BYTES;
    if (this.end - start < length) return false;
    const kind = this.bytes[this.at + KIND_AT]!;
    this.at = start;
    this.rowsEnd = start + length;
    if (kind === FRAME.rows) return true;
    this.at = this.rowsEnd;
    this.heard(kind, JSON.parse(this.bytes.utf8Slice(start, start + length)));
    return true;
  }

  /** Receives what there is; to be called when there is something. */
  receive(): void {
    const { at } = this, rest = this.end - at;
    // Room for the whole frame that has begun, and for more behind what has not been looked at.
    const wanted = at < this.rowsEnd || rest < FRAME_HEADER_BYTES ? rest : Math.max(rest, FRAME_HEADER_BYTES + this.view.getUint32(at, true));
    if (wanted > this.bytes.length - FRAME_HEADER_BYTES) {
      const larger = Buffer.allocUnsafeSlow(wanted + BUFFER_BYTES);
      this.bytes.copy(larger, 0, at, this.end);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    } else this.bytes.copyWithin(0, at, this.end);
    this.rowsEnd = Math.max(0, this.rowsEnd - at);
    this.at = 0;
    this.end = rest;
    const n = port.recv(this.fd, this.bytes, this.end, this.bytes.length - this.end, false);
    if (n > 0) this.end += n;
    else if (n !== -EINTR) this.ended = true;
  }

  /** Nothing more will come, and the worker has not said that it was done. To be asked when `take` has given nothing. */
  get isLost(): boolean {
    return this.ended && !(this.end - this.at >= FRAME_HEADER_BYTES && this.end - this.at - FRAME_HEADER_BYTES >= this.view.getUint32(this.at, true));
  }

  /** The other end is closed: receives all that is left, and takes an error out of turn. False: nothing tells that the worker was done. */
  receiveEnd(): boolean {
    while (!this.ended) this.receive();
    for (let at = Math.max(this.at, this.rowsEnd); this.end - at >= FRAME_HEADER_BYTES;) {
      const kind = this.bytes[at + KIND_AT]!, start = at + FRAME_HEADER_BYTES;
      at = start + this.view.getUint32(at, true);
      if (kind === FRAME.done) return true;
      if (kind === FRAME.error) this.heard(kind, JSON.parse(this.bytes.utf8Slice(start, at)));
    }
    return false;
  }
}
