// How transactions ended, for pg_xact_status and pg_current_snapshot: kept in memory since the manager began, as far back as
// there is room. Of what is older nothing is known any more (PostgreSQL cuts pg_xact off as well).

/** Answers of `status`, by number on the wire. */
export const XID_STATUSES = ['unknown', 'in progress', 'committed', 'aborted', 'future'] as const;
export type XidStatus = (typeof XID_STATUSES)[number];

/** Transactions up to here are PostgreSQL's bootstrap and the frozen one. */
const FROZEN_XID = 2;
const COMMITS = 16384;
const ABORTED = 65536;

export class XidLog {
  private oldest: number;
  /** A snapshot of an earlier commit cannot be told. */
  private horizon: number;
  private readonly aborted = new Set<number>();
  private readonly xids = new Float64Array(COMMITS);
  private readonly seqs = new Float64Array(COMMITS);
  private commits = 0;

  constructor(nextXid: number, commitSeq: number) {
    this.oldest = nextXid;
    this.horizon = commitSeq;
  }

  committed(xid: number, commitSeq: number): void {
    const slot = this.commits++ % COMMITS;
    if (this.commits > COMMITS) this.horizon = this.seqs[slot]!;
    this.xids[slot] = xid;
    this.seqs[slot] = commitSeq;
  }

  rolledBack(xid: number): void {
    this.aborted.add(xid);
    if (this.aborted.size <= ABORTED) return;
    const [first] = this.aborted;
    this.aborted.delete(first!);
    this.oldest = Math.max(this.oldest, first! + 1);
  }

  status(xid: number, running: ReadonlySet<number>, nextXid: number): XidStatus {
    if (xid >= nextXid) return 'future';
    if (running.has(xid)) return 'in progress';
    if (xid > 0 && xid <= FROZEN_XID) return 'committed';
    if (xid < this.oldest) return 'unknown';
    return this.aborted.has(xid) ? 'aborted' : 'committed';
  }

  /** Those that had not ended for a snapshot of this commit, in order; null when that is too long ago. */
  unfinished(running: ReadonlySet<number>, commitSeq: number): number[] | null {
    if (commitSeq < this.horizon) return null;
    const list = new Set(running);
    for (let i = Math.max(0, this.commits - COMMITS); i < this.commits; i++) if (this.seqs[i % COMMITS]! > commitSeq) list.add(this.xids[i % COMMITS]!);
    return [...list].sort((a, b) => a - b);
  }
}
