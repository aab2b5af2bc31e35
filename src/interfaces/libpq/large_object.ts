// Large objects (fe-lobj.c): the server's lo_* functions by the fast path. A descriptor lives until the transaction ends.
import { createReadStream, createWriteStream } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { builtin } from '../../common/builtin.ts';
import { strerror } from '../../common/strerror.ts';
import type { Session } from './session.ts';

const INV_WRITE = 0x20000, INV_READ = 0x40000;
export type Whence = 'set' | 'current' | 'end';
const WHENCE: Record<Whence, number> = { set: 0, current: 1, end: 2 };
const CHUNK_BYTES = 1 << 18;

/** OIDs in pg_proc. */
const LO = { open: 952, close: 953, read: 954, write: 955, lseek: 956, tell: 958, unlink: 964, create: 715, truncate: 1004, lseek64: 3170, tell64: 3171, truncate64: 3172 };

const int4 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
};
const int8 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
};
const MODES = { r: INV_READ, w: INV_WRITE, rw: INV_READ | INV_WRITE } as const;

async function pump(file: string, from: Readable, to: Writable): Promise<void> {
  try {
    await builtin('node:stream/promises').pipeline(from, to);
  } catch (error) {
    const { syscall } = error as NodeJS.ErrnoException;
    throw syscall === undefined ? error : new Error(`could not ${{ open: 'open', read: 'read from' }[syscall] ?? 'write to'} file "${file}": ${strerror(error)}`, { cause: error });
  }
}

export class LargeObjects {
  private readonly session: Session;

  constructor(session: Session) {
    this.session = session;
  }

  /** For LargeObject. */
  async call(name: keyof typeof LO, ...values: Buffer[]): Promise<Buffer> {
    const result = await this.session.functionCall(LO[name], values);
    if (result === null) throw new Error(`lo_${name} gave null`);
    return result;
  }

  /** lo_creat, lo_create: a new object; its OID. */
  async creat(oid = 0): Promise<number> {
    return (await this.call('create', int4(oid))).readUInt32BE(0);
  }

  async open(oid: number, mode: keyof typeof MODES = 'r'): Promise<LargeObject> {
    const descriptor = (await this.call('open', int4(oid), int4(MODES[mode]))).readInt32BE(0);
    return new LargeObject(this, oid, descriptor);
  }

  async unlink(oid: number): Promise<void> {
    await this.call('unlink', int4(oid));
  }

  /** lo_import: a file of this machine becomes an object; its OID. */
  async import(file: string, oid = 0): Promise<number> {
    const made = await this.creat(oid), object = await this.open(made, 'rw');
    await pump(file, createReadStream(file, { highWaterMark: CHUNK_BYTES }), object.writable());
    return made;
  }

  async export(oid: number, file: string): Promise<void> {
    const object = await this.open(oid, 'r');
    await pump(file, object.readable(), createWriteStream(file, { mode: 0o666 }));
  }
}

export class LargeObject {
  readonly oid: number;
  readonly descriptor: number;
  private readonly objects: LargeObjects;
  private closed = false;

  constructor(objects: LargeObjects, oid: number, descriptor: number) {
    this.objects = objects;
    this.oid = oid;
    this.descriptor = descriptor;
  }

  private get fd(): Buffer { return int4(this.descriptor); }

  /** At most `length` bytes from here on; fewer at the end. */
  read(length: number): Promise<Buffer> {
    return this.objects.call('read', this.fd, int4(length));
  }

  async write(bytes: Uint8Array): Promise<number> {
    return (await this.objects.call('write', this.fd, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))).readInt32BE(0);
  }

  async seek(offset: number, whence: Whence = 'set'): Promise<number> {
    return Number((await this.objects.call('lseek64', this.fd, int8(offset), int4(WHENCE[whence]))).readBigInt64BE(0));
  }

  async tell(): Promise<number> {
    return Number((await this.objects.call('tell64', this.fd)).readBigInt64BE(0));
  }

  async truncate(length: number): Promise<void> {
    await this.objects.call('truncate64', this.fd, int8(length));
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.objects.call('close', this.fd);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** From here to the end; closes the object. */
  readable(): Readable {
    const { objects, fd } = this;
    return new Readable({
      highWaterMark: CHUNK_BYTES,
      read() {
        objects.call('read', fd, int4(CHUNK_BYTES)).then((bytes) => this.push(bytes.length === 0 ? null : bytes), (error: Error) => this.destroy(error));
      },
      destroy: (error, callback) => { this.close().then(() => callback(error), (e: Error) => callback(error ?? e)); },
    });
  }

  /** From here on; closes the object at the end. */
  writable(): Writable {
    return new Writable({
      highWaterMark: CHUNK_BYTES,
      write: (chunk: Buffer, _encoding, callback) => { this.write(chunk).then(() => callback(), callback); },
      final: (callback) => { this.close().then(() => callback(), callback); },
    });
  }
}
