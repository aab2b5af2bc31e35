// A disk that loses its power: from the notes of power.c, what may be in a site's folder at any place of them. Of a file, what
// was written before its last flush is there, and of what came later any sectors. Of a folder, the names as of its last flush,
// and of what happened to them later the first so many; a disk that is `ordered` (as ext4 and XFS are) keeps all names that were
// there when any file was flushed.
import { closeSync, lstatSync, mkdirSync, openSync, readFileSync, readSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const WRITE = 0, FLUSH_BEGINS = 1, FLUSHED = 2, MADE = 3, SIZE = 4, RENAMED = 5, REMOVED = 6, FOLDER = 7, LINKED = 8;
const HEAD_BYTES = 32, SECTOR = 512;

interface Change { offset: number; bytes: Buffer | null; grows: boolean }
class File {
  readonly inode: number;
  durable: Buffer;
  size: number;
  pending: Change[] = [];
  /** How many of them a flush that has begun takes along. */
  flushing = 0;
  constructor(inode: number, bytes: Buffer) {
    this.inode = inode;
    this.durable = bytes;
    this.size = bytes.length;
  }
  apply({ offset, bytes, grows }: Change): void {
    if (bytes === null) {
      if (!grows && offset < this.size) this.durable.fill(0, offset, this.size);
      this.size = grows ? Math.max(this.size, offset) : offset;
    } else {
      this.size = Math.max(this.size, offset + bytes.length);
    }
    if (this.size > this.durable.length) this.durable = Buffer.concat([this.durable, Buffer.alloc(Math.max(this.size, this.durable.length * 2) - this.durable.length)]);
    bytes?.copy(this.durable, offset);
  }
  copy(): File {
    const other = new File(this.inode, Buffer.from(this.durable.subarray(0, this.size)));
    other.pending = [...this.pending];
    return other;
  }
}
type Entry = File | 'folder';
interface NameChange { folder: string; path: string; entry: Entry | null }

export class Disk {
  private readonly log: number;
  private at = 0;
  private readonly now = new Map<string, Entry>();
  private readonly durable = new Map<string, Entry>();
  private names: NameChange[] = [];
  /** How many of them were there when the last flush of any file began. */
  private flushedNames = 0;
  private readonly inodes = new Map<number, File>();

  /** A folder as it is, and the notes of what is done to it from then on. */
  constructor(folder: string, log: string) {
    this.log = openSync(log, 'r');
    const walk = (path: string): void => {
      for (const name of readdirSync(join(folder, path))) {
        const below = path === '' ? name : `${path}/${name}`, stat = lstatSync(join(folder, below));
        if (stat.isDirectory()) { this.now.set(below, 'folder'); walk(below); }
        if (!stat.isFile()) continue;
        const file = new File(stat.ino, readFileSync(join(folder, below)));
        this.now.set(below, file);
        this.inodes.set(stat.ino, file);
      }
    };
    walk('');
    for (const [path, entry] of this.now) this.durable.set(path, entry);
  }

  close(): void { closeSync(this.log); }

  private read(at: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    if (readSync(this.log, bytes, 0, length, at) !== length) throw new Error('the notes end in the middle');
    return bytes;
  }

  /** Takes the notes up to a place of them. */
  advance(place: number): void {
    while (this.at < place) {
      const head = this.read(this.at, HEAD_BYTES);
      const kind = head.readUInt32LE(0), length = head.readUInt32LE(4), inode = Number(head.readBigUInt64LE(8)), offset = Number(head.readBigUInt64LE(16));
      const from = head.readUInt32LE(24), to = head.readUInt32LE(28), rest = this.read(this.at + HEAD_BYTES, from + to + length);
      if (this.at + HEAD_BYTES + rest.length > place) return;
      this.at += HEAD_BYTES + rest.length;
      this.take(kind, inode, offset, rest.toString('utf8', 0, from), rest.toString('utf8', from, from + to), rest.subarray(from + to));
    }
  }

  private take(kind: number, inode: number, offset: number, from: string, to: string, bytes: Buffer): void {
    const file = this.inodes.get(inode);
    if (kind === WRITE) file?.pending.push({ offset, bytes, grows: false });
    else if (kind === SIZE) file?.pending.push({ offset, bytes: null, grows: from === 'grows' });
    else if (kind === FLUSH_BEGINS) {
      if (file === undefined) return;
      file.flushing = file.pending.length;
      this.flushedNames = this.names.length;
    } else if (kind === FLUSHED) {
      if (inode === 0) this.keepNames((change) => change.folder === from);
      if (file === undefined) return;
      for (const change of file.pending.splice(0, file.flushing)) file.apply(change);
      file.flushing = 0;
    } else if (kind === MADE) {
      const there = this.now.get(from);
      if (there instanceof File && there.inode === inode) return;
      const made = new File(inode, Buffer.alloc(0));
      this.inodes.set(inode, made);
      this.name(from, made);
    } else if (kind === FOLDER) this.name(from, 'folder');
    else if (kind === REMOVED) this.name(from, null);
    else if (kind === RENAMED || kind === LINKED) {
      for (const [path, entry] of [...this.now]) {
        if (path !== from && !path.startsWith(`${from}/`)) continue;
        this.name(to + path.slice(from.length), entry);
        if (kind === RENAMED) this.name(path, null);
      }
    }
  }

  private name(path: string, entry: Entry | null): void {
    if (entry === null) this.now.delete(path); else this.now.set(path, entry);
    this.names.push({ folder: dirname(path), path, entry });
  }

  private keepNames(which: (change: NameChange) => boolean): void {
    this.names = this.names.filter((change) => {
      if (!which(change)) return true;
      keep(this.durable, change);
      return false;
    });
    this.flushedNames = Math.min(this.flushedNames, this.names.length);
  }

  /** What the power leaves, into a new folder. */
  cut(folder: string, random: (limit: number) => number, ordered: boolean): void {
    const tree = new Map(this.durable), share = random(5), names = random(3) === 0 ? 0 : random(3);
    const rest = ordered ? this.names.slice(this.flushedNames) : this.names, stopped = new Set<string>();
    if (ordered) for (const change of this.names.slice(0, this.flushedNames)) keep(tree, change);
    for (const change of rest) {
      // Of each folder a first part; where the disk is ordered, of all.
      const one = ordered ? '' : change.folder;
      if (names === 0 || (names === 1 && random(8) === 0)) stopped.add(one);
      if (!stopped.has(one)) keep(tree, change);
    }
    this.write(folder, tree, (file, change) => {
      if (change.bytes === null) { if (random(4) < share) file.apply(change); return; }
      for (let at = 0; at < change.bytes.length; at += SECTOR) {
        if (random(4) < share) file.apply({ offset: change.offset + at, bytes: change.bytes.subarray(at, Math.min(at + SECTOR, change.bytes.length)), grows: false });
      }
    });
  }

  /** With nothing lost: to compare with the folder itself. */
  whole(folder: string): void {
    this.write(folder, this.now, (file, change) => file.apply(change));
  }

  private write(folder: string, tree: ReadonlyMap<string, Entry>, finish: (file: File, change: Change) => void): void {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { mode: 0o700 });
    for (const [path, entry] of [...tree].sort(([a], [b]) => (a < b ? -1 : 1))) {
      // What is in a folder that is not there is not there either.
      if (path.includes('/') && tree.get(dirname(path)) !== 'folder') continue;
      if (entry === 'folder') { mkdirSync(join(folder, path), { mode: 0o700 }); continue; }
      let file = entry;
      if (entry.pending.length > 0) {
        file = entry.copy();
        for (const change of entry.pending) finish(file, change);
      }
      writeFileSync(join(folder, path), file.durable.subarray(0, file.size), { mode: 0o600 });
    }
  }
}

function keep(tree: Map<string, Entry>, { path, entry }: NameChange): void {
  if (entry === null) tree.delete(path); else tree.set(path, entry);
}
