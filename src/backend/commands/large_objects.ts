// Large objects (PostgreSQL's inv_api.c and be-fsstubs.c): bytes under an OID, in pages of pg_largeobject. Descriptors are open
// until the transaction ends.
import { readFileSync, writeFileSync } from 'node:fs';
import { PgError } from '../../common/errors.ts';
import { strerror } from '../../common/strerror.ts';
import { mustBeOwner, objectAclcheck, objectOwnercheck } from '../catalog/aclchk.ts';
import { getNewOid } from '../catalog/catalog.ts';
import { performDeletion } from '../catalog/dependency.ts';
import { catalogDelete, catalogFind, catalogInsert, catalogUpdate, type CatalogTuple } from '../catalog/indexing.ts';
import * as ids from '../catalog/oids.ts';
import { objectAddress } from '../catalog/pg_depend.ts';
import { recordDependencyOnOwner } from '../catalog/pg_shdepend.ts';
import { lookup } from '../catalog/syscache.ts';
import { ACL } from '../nodes/parsenodes.ts';
import { commandCounterIncrement, registerCallback } from '../transaction/xact.ts';
import type { Int8, Oid } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { getBool } from '../utils/guc.ts';
import { session } from '../utils/session.ts';
import { fileCondition } from './copy.ts';

const PAGE_BYTES = 2048;
const MAX_BYTES = 0x7fffffff * PAGE_BYTES;
const INV_WRITE = 0x20000, INV_READ = 0x40000;
const SEEK_SET = 0, SEEK_CUR = 1, SEEK_END = 2;

interface Descriptor { readonly oid: Oid; readonly reads: boolean; readonly writes: boolean; position: number; subid: number }
let descriptors: (Descriptor | null)[] = [];
let subid = 1;

const closeAll = (): void => {
  if (descriptors.length > 0) descriptors = [];
  subid = 1;
};
registerCallback({
  onCommit: closeAll, onAbort: closeAll,
  onSubStart(id) { subid = id; },
  onSubCommit(id, parent) {
    for (const d of descriptors) if (d !== null && d.subid === id) d.subid = parent;
    subid = parent;
  },
  onSubAbort(id, parent) {
    descriptors.forEach((d, i) => { if (d !== null && d.subid === id) descriptors[i] = null; });
    subid = parent;
  },
});

// ---- pages

type Page = CatalogTuple<typeof ids.LargeObjectRelationId>;

const largeObjectExists = (oid: Oid): boolean => lookup(ids.LargeObjectMetadataRelationId, ids.PgLargeobjectMetadataOidIndexId, oid) !== undefined;
const noLargeObject = (oid: Oid): PgError => new PgError('undefined_object', `large object ${oid} does not exist`);

/** From one page to another; without them all. */
const pagesOf = (oid: Oid, from = 0, to = 0x7fffffff): Page[] => catalogFind(ids.LargeObjectRelationId, ids.PgLargeobjectLoidPnIndexId, [oid], { between: [from, to] });
const pageOf = (oid: Oid, pageno: number): Page | undefined => catalogFind(ids.LargeObjectRelationId, ids.PgLargeobjectLoidPnIndexId, [oid, pageno])[0];

function sizeOf(oid: Oid): number {
  const [last] = catalogFind(ids.LargeObjectRelationId, ids.PgLargeobjectLoidPnIndexId, [oid], { last: true });
  return last === undefined ? 0 : last.row.pageno * PAGE_BYTES + last.row.data.length;
}

/** Pages that are not there, and what a page lacks at its end, are zeros. */
function readBytes(oid: Oid, from: number, length: number): Buffer {
  const size = sizeOf(oid);
  const count = Math.max(0, Math.min(length, size - from));
  const bytes = Buffer.alloc(count);
  for (const { row } of count === 0 ? [] : pagesOf(oid, Math.floor(from / PAGE_BYTES), Math.floor((from + count - 1) / PAGE_BYTES))) {
    const start = row.pageno * PAGE_BYTES;
    if (start >= from + count || start + row.data.length <= from) continue;
    const skip = Math.max(0, from - start);
    bytes.set(row.data.subarray(skip, Math.min(row.data.length, from + count - start)), start + skip - from);
  }
  return bytes;
}

function writeBytes(oid: Oid, at: number, bytes: Uint8Array): number {
  if (at + bytes.length > MAX_BYTES) throw new PgError('invalid_parameter_value', `invalid large object write request size: ${bytes.length}`);
  for (let done = 0; done < bytes.length;) {
    const position = at + done;
    const pageno = Math.floor(position / PAGE_BYTES), offset = position % PAGE_BYTES;
    const part = bytes.subarray(done, done + PAGE_BYTES - offset);
    storePage(oid, pageno, (old) => {
      const page = Buffer.alloc(Math.max(old.length, offset + part.length));
      page.set(old);
      page.set(part, offset);
      return page;
    });
    done += part.length;
  }
  commandCounterIncrement();
  return bytes.length;
}

function storePage(oid: Oid, pageno: number, change: (old: Uint8Array) => Uint8Array): void {
  const tuple = pageOf(oid, pageno);
  if (tuple === undefined) catalogInsert(ids.LargeObjectRelationId, { loid: oid, pageno, data: change(new Uint8Array(0)) });
  else catalogUpdate(ids.LargeObjectRelationId, tuple, { data: change(tuple.row.data) });
}

function truncateTo(oid: Oid, length: number): void {
  if (length < 0 || length > MAX_BYTES) throw new PgError('invalid_parameter_value', `invalid large object truncation target: ${length}`);
  const pageno = Math.floor(length / PAGE_BYTES), offset = length % PAGE_BYTES;
  for (const page of pagesOf(oid, pageno)) if (page.row.pageno > pageno || (page.row.pageno === pageno && offset === 0)) catalogDelete(ids.LargeObjectRelationId, page);
  if (offset > 0) {
    storePage(oid, pageno, (old) => {
      const page = Buffer.alloc(offset);
      page.set(old.subarray(0, offset));
      return page;
    });
  } else if (length > 0) {
    // The end of the object must be known: PostgreSQL leaves an empty page there.
    commandCounterIncrement();
    storePage(oid, pageno, () => new Uint8Array(0));
  }
  commandCounterIncrement();
}

// ---- objects

function create(wanted: Oid): Oid {
  if (wanted !== 0 && largeObjectExists(wanted)) {
    throw new PgError('unique_violation', 'duplicate key value violates unique constraint "pg_largeobject_metadata_oid_index"', {
      detail: `Key (oid)=(${wanted}) already exists.`, schema: 'pg_catalog', table: 'pg_largeobject_metadata', constraint: 'pg_largeobject_metadata_oid_index',
    });
  }
  const oid = wanted !== 0 ? wanted : getNewOid(ids.LargeObjectMetadataRelationId);
  catalogInsert(ids.LargeObjectMetadataRelationId, { oid, lomowner: session.currentUser, lomacl: null });
  recordDependencyOnOwner(ids.LargeObjectRelationId, oid, session.currentUser);
  commandCounterIncrement();
  return oid;
}

function mayAccess(oid: Oid, mode: number): boolean {
  return getBool('lo_compat_privileges') || objectAclcheck(ids.LargeObjectMetadataRelationId, oid, session.currentUser, mode);
}

function open(oid: Oid, mode: number): Descriptor {
  const writes = (mode & INV_WRITE) !== 0, reads = writes || (mode & INV_READ) !== 0;
  if (!reads) throw new PgError('invalid_parameter_value', `invalid flags for opening a large object: ${mode}`);
  if (!largeObjectExists(oid)) throw noLargeObject(oid);
  const denied = (): PgError => new PgError('insufficient_privilege', `permission denied for large object ${oid}`);
  if ((mode & INV_READ) !== 0 && !mayAccess(oid, ACL.SELECT)) throw denied();
  if (writes && !mayAccess(oid, ACL.UPDATE)) throw denied();
  return { oid, reads, writes, position: 0, subid };
}

function openDescriptor(oid: Oid, mode: number): number {
  const descriptor = open(oid, mode);
  const free = descriptors.indexOf(null);
  const fd = free < 0 ? descriptors.length : free;
  descriptors[fd] = descriptor;
  return fd;
}

function descriptorOf(fd: number): Descriptor {
  const found = descriptors[fd];
  if (found === undefined || found === null) throw new PgError('undefined_object', `invalid large-object descriptor: ${fd}`);
  return found;
}

function close(fd: number): number {
  descriptorOf(fd);
  descriptors[fd] = null;
  return 0;
}

function read(fd: number, length: number): Buffer {
  const d = descriptorOf(fd);
  if (!d.reads) throw new PgError('object_not_in_prerequisite_state', `large object descriptor ${fd} was not opened for reading`);
  const bytes = readBytes(d.oid, d.position, Math.max(length, 0));
  d.position += bytes.length;
  return bytes;
}

function writable(fd: number): Descriptor {
  const d = descriptorOf(fd);
  if (!d.writes) throw new PgError('object_not_in_prerequisite_state', `large object descriptor ${fd} was not opened for writing`);
  return d;
}

function write(fd: number, bytes: Uint8Array): number {
  const d = writable(fd);
  writeBytes(d.oid, d.position, bytes);
  d.position += bytes.length;
  return bytes.length;
}

function seek(fd: number, offset: number, whence: number): number {
  const d = descriptorOf(fd);
  let target: number;
  switch (whence) {
    case SEEK_SET: target = offset; break;
    case SEEK_CUR: target = d.position + offset; break;
    case SEEK_END: target = sizeOf(d.oid) + offset; break;
    default: throw new PgError('invalid_parameter_value', `invalid whence setting: ${whence}`);
  }
  if (target < 0 || target > MAX_BYTES) throw new PgError('invalid_parameter_value', `invalid large object seek target: ${target}`);
  d.position = target;
  return target;
}

function inRange(position: number, what: string, fd: number): number {
  if (position > 0x7fffffff) throw new PgError('numeric_value_out_of_range', `${what} result out of range for large-object descriptor ${fd}`);
  return position;
}

function unlink(oid: Oid): number {
  if (!largeObjectExists(oid)) throw noLargeObject(oid);
  if (!getBool('lo_compat_privileges') && !objectOwnercheck(ids.LargeObjectMetadataRelationId, oid, session.currentUser)) throw mustBeOwner('large object', String(oid));
  descriptors.forEach((d, i) => { if (d?.oid === oid) descriptors[i] = null; });
  performDeletion(objectAddress(ids.LargeObjectRelationId, oid), 'cascade');
  commandCounterIncrement();
  return 1;
}

// ---- files of the server

function importFile(name: string, wanted: Oid): Oid {
  let bytes: Buffer;
  try {
    bytes = readFileSync(name);
  } catch (error) {
    throw new PgError(fileCondition(error), `could not open server file "${name}": ${strerror(error)}`);
  }
  const oid = create(wanted);
  writeBytes(oid, 0, bytes);
  return oid;
}

function exportFile(oid: Oid, name: string): number {
  const bytes = readBytes(open(oid, INV_READ).oid, 0, Infinity);
  try {
    writeFileSync(name, bytes, { mode: 0o644 });
  } catch (error) {
    throw new PgError(fileCondition(error), `could not create server file "${name}": ${strerror(error)}`);
  }
  return 1;
}

registerBuiltins({
  pure: {
    be_lo_open: openDescriptor, be_lo_close: close, be_loread: read, be_lowrite: write,
    be_lo_lseek: (fd: number, offset: number, whence: number) => inRange(seek(fd, offset, whence), 'lo_lseek', fd),
    be_lo_lseek64: (fd: number, offset: Int8, whence: number) => seek(fd, Number(offset), whence),
    be_lo_tell: (fd: number) => inRange(descriptorOf(fd).position, 'lo_tell', fd),
    be_lo_tell64: (fd: number) => descriptorOf(fd).position,
    be_lo_creat: () => { return create(0); },
    be_lo_create: (oid: Oid) => { return create(oid); },
    be_lo_truncate: (fd: number, length: number) => { truncateTo(writable(fd).oid, length); return 0; },
    be_lo_truncate64: (fd: number, length: Int8) => { truncateTo(writable(fd).oid, Number(length)); return 0; },
    be_lo_unlink: unlink,
    be_lo_import: (name: string) => importFile(name, 0), be_lo_import_with_oid: importFile, be_lo_export: exportFile,
    be_lo_get: (oid: Oid) => readBytes(open(oid, INV_READ).oid, 0, Infinity),
    be_lo_get_fragment: (oid: Oid, from: Int8, length: number) => {
      if (length < 0) throw new PgError('invalid_parameter_value', 'requested length cannot be negative');
      open(oid, INV_READ);
      if (Number(from) < 0) throw new PgError('invalid_parameter_value', `invalid large object seek target: ${from}`);
      return readBytes(oid, Number(from), length);
    },
    be_lo_put: (oid: Oid, at: Int8, bytes: Uint8Array) => {
      open(oid, INV_WRITE);
      if (Number(at) < 0) throw new PgError('invalid_parameter_value', `invalid large object seek target: ${at}`);
      writeBytes(oid, Number(at), bytes);
      return '';
    },
    be_lo_from_bytea: (wanted: Oid, bytes: Uint8Array) => {
          const oid = create(wanted);
      writeBytes(oid, 0, bytes);
      return oid;
    },
  },
});
