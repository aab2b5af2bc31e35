// Rows in a temporary file below tmp/, in the byte format of table rows (access/row.ts), each after its length. The
// file has no name any more while it is used, so nothing is left of it whatever happens to the process.
import { readSync } from 'node:fs';
import { PgError } from '../../common/errors.ts';
import { onTemporaryFile, TemporaryFile } from '../access/temporary_file.ts';
import { formRow, formRowInto, makeLayout, readRow, type RowLayout, storageClassOf } from '../access/row.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { typeInfo } from './fmgr_info.ts';
import type { RowReader } from './tuplesort.ts';

const CHUNK_BYTES = 64 * 1024;
const NO_BYTES = Buffer.alloc(0);

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

  private readonly file: TemporaryFile;
  private closed = false;

  /** `lasting`: whoever makes it closes it, also when the plan that runs fails. */
  constructor(types: readonly Oid[], lasting = false) {
    this.layout = rowLayoutOf(types);
    this.file = new TemporaryFile();
    this.fd = this.file.fd;
    if (!lasting) openRunFiles.push(this);
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
    while (from < this.used) from += this.file.write(this.buffer, from, this.used - from, this.written + from);
    this.written += this.used;
    this.used = 0;
  }

  finish(): void {
    this.flush();
    this.buffer = NO_BYTES;
  }

  /** The rows from one place (`bytes` when they were written) to another. */
  readRows(from: number, to: number): Datum[][] {
    if (this.used > 0) this.flush();
    const chunk = Buffer.allocUnsafe(to - from);
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    for (let done = 0; done < chunk.length;) {
      const n = onTemporaryFile(() => readSync(this.fd, chunk, done, chunk.length - done, from + done));
      if (n === 0) throw new PgError('io_error', 'could not read from temporary file: unexpected end');
      done += n;
    }
    const rows: Datum[][] = [];
    for (let at = 0; at < chunk.length;) {
      const length = chunk.readUInt32LE(at);
      rows.push(readRow(chunk, view, at + 4, this.layout));
      at += 4 + length;
    }
    return rows;
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
        const n = onTemporaryFile(() => readSync(fd, chunk, end, chunk.length - end, position));
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
    if (this.closed) return;
    this.closed = true;
    const place = openRunFiles.lastIndexOf(this);
    if (place >= 0) openRunFiles.splice(place, 1);
    this.buffer = NO_BYTES;
    this.file.close();
  }
}
