// Rows in a temporary file below tmp/, in the byte format of table rows (access/row.ts), each after its length. The
// file has no name any more while it is used, so nothing is left of it whatever happens to the process.
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { arenaSettings, chargeTemporaryFile, onTemporaryFile } from '../access/arena.ts';
import { formRow, formRowInto, makeLayout, readRow, type RowLayout, storageClassOf } from '../access/row.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { typeInfo } from './fmgr_info.ts';
import type { RowReader } from './tuplesort.ts';

const CHUNK_BYTES = 64 * 1024;
let counter = 0;

export function rowLayoutOf(types: readonly Oid[]): RowLayout {
  return makeLayout(types.map((atttypid, i) => ({ attnum: i + 1, atttypid, missing: undefined })), (oid) => {
    const type = typeInfo(oid);
    return storageClassOf(oid, type.typlen, type.typtype);
  });
}

/** Files that are open, the newest last: at the end of a plan those it has opened are closed. */
export const openRunFiles: RunFile[] = [];

export class RunFile {
  rows = 0;
  private readonly layout: RowLayout;
  private readonly fd: number;
  private buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  private view = new DataView(this.buffer.buffer);
  private used = 0;
  private written = 0;

  constructor(types: readonly Oid[]) {
    this.layout = rowLayoutOf(types);
    const path = `${arenaSettings.spillDirectory}/sort.${process.hrtime.bigint()}.${counter++}`;
    this.fd = onTemporaryFile(() => openSync(path, 'wx+', 0o600));
    unlinkSync(path);
    openRunFiles.push(this);
  }

  /** What has been written to it. */
  get bytes(): number {
    return this.written + this.used;
  }

  write(row: readonly Datum[]): void {
    this.rows++;
    let end = formRowInto(this.layout, row, this.buffer, this.view, this.used + 4);
    if (end < 0) {
      this.flush();
      end = formRowInto(this.layout, row, this.buffer, this.view, 4);
      if (end < 0) {
        this.writeLarge(formRow(this.layout, row));
        return;
      }
    }
    this.view.setUint32(this.used, end - this.used - 4, true);
    this.used = end;
  }

  /** A row that does not fit into the buffer. */
  private writeLarge(bytes: Uint8Array): void {
    if (bytes.length + 4 > this.buffer.length) {
      this.buffer = Buffer.allocUnsafeSlow(bytes.length + 4);
      this.view = new DataView(this.buffer.buffer);
    }
    this.view.setUint32(0, bytes.length, true);
    this.buffer.set(bytes, 4);
    this.used = bytes.length + 4;
    this.flush();
  }

  private flush(): void {
    let from = 0;
    chargeTemporaryFile(this.used);
    while (from < this.used) {
      const n = onTemporaryFile(() => writeSync(this.fd, this.buffer, from, this.used - from, this.written));
      from += n;
      this.written += n;
    }
    this.used = 0;
  }

  finish(): void {
    this.flush();
    this.buffer = Buffer.alloc(0);
  }

  reader(): RowReader {
    const { layout, fd } = this;
    let chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    let at = 0;
    let end = 0;
    let position = 0;
    /** Makes `count` bytes available from `at`. */
    const need = (count: number): boolean => {
      if (end - at >= count) return true;
      const rest = chunk.subarray(at, end);
      if (count > chunk.length) {
        const larger = Buffer.allocUnsafe(count + CHUNK_BYTES);
        rest.copy(larger);
        chunk = larger;
        view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
      } else chunk.copyWithin(0, at, end);
      end -= at;
      at = 0;
      if (this.used > 0) this.flush();
      while (end < count && position < this.written) {
        const n = readSync(fd, chunk, end, chunk.length - end, position);
        if (n === 0) break;
        end += n;
        position += n;
      }
      return end >= count;
    };
    return {
      next: () => {
        if (!need(4)) return undefined;
        const length = chunk.readUInt32LE(at);
        if (!need(4 + length)) return undefined;
        const row = readRow(chunk, view, at + 4, layout);
        at += 4 + length;
        return row;
      },
    };
  }

  close(): void {
    const place = openRunFiles.lastIndexOf(this);
    if (place < 0) return;
    openRunFiles.splice(place, 1);
    chargeTemporaryFile(-this.written);
    this.written = 0;
    closeSync(this.fd);
  }
}
