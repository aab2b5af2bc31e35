// Where the sorted runs of a write set's indexes are: in memory as long as maintenance_work_mem reaches, the others in a temporary
// file that is mapped, so that reading them is the same.
import { getInt } from '../utils/guc.ts';
import { SortedRun, dropScratch, runSettings } from './index_run.ts';
import { MappedFile } from './temporary_file.ts';

const padding = Buffer.alloc(4);

export class RunStore {
  private memoryBytes = 0;
  private file: MappedFile | null = null;
  /** Runs in the file. */
  private readonly spilled = new Set<SortedRun>();

  /** Takes care of a run that was just made; what it gives back is to be used from then on. */
  keep(run: SortedRun): SortedRun {
    const { memoryBytes } = run;
    if (this.memoryBytes + memoryBytes > (runSettings.memoryBytes ?? getInt('maintenance_work_mem') * 1024)) return this.spill(run);
    this.memoryBytes += memoryBytes;
    if (!run.borrowed) return run;
    const own = new SortedRun(Buffer.from(run.bytes), run.starts.slice(), run.positions.slice(), new Uint8Array(run.kinds), run.distinct);
    own.base = run.base;
    return own;
  }

  /** The run is not needed any more. */
  release(run: SortedRun): void {
    if (this.spilled.delete(run)) this.file!.unmap(run.bytes.buffer);
    else this.memoryBytes -= run.memoryBytes;
  }

  /** One behind the other: the bytes, starts and positions, each from a place on that four divides, and kinds. */
  private spill(run: SortedRun): SortedRun {
    const { bytes, starts, positions, kinds, count, distinct } = run;
    this.file ??= new MappedFile();
    const startsAt = (bytes.length + 3) & ~3, positionsAt = startsAt + 4 * (count + 1), kindsAt = positionsAt + 4 * count;
    const offset = this.file.append([
      bytes, padding.subarray(0, startsAt - bytes.length), Buffer.from(starts.buffer, starts.byteOffset, 4 * (count + 1)),
      Buffer.from(positions.buffer, positions.byteOffset, 4 * count), Buffer.from(kinds.buffer, kinds.byteOffset, count),
    ]);
    const memory = this.file.map(offset, kindsAt + count).buffer;
    const there = new SortedRun(Buffer.from(memory, 0, bytes.length), new Uint32Array(memory, startsAt, count + 1),
      new Uint32Array(memory, positionsAt, count), new Uint8Array(memory, kindsAt, count), distinct);
    there.base = run.base;
    this.spilled.add(there);
    return there;
  }

  close(): void {
    this.file?.close();
    this.file = null;
    this.spilled.clear();
    this.memoryBytes = 0;
    dropScratch();
  }
}
