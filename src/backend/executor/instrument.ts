// Counters of one plan node, for EXPLAIN ANALYZE (PostgreSQL's instrument.c). Rows are pushed upwards, so while a node
// runs, the clock of everything above it runs too; that time is taken off again.
export class Instrumentation {
  loops = 0;
  rows = 0;
  /** Rows that the node's own conditions took away. */
  filtered = 0;
  /** Pairs that a join's own conditions took away. */
  joinFiltered = 0;
  /** Milliseconds in this node and those below it. */
  totalMs = 0;
  /** Milliseconds until the first row. */
  startupMs = 0;
  /** What each parallel worker has counted, where there were any: it is in the sums, too. */
  workers: Map<number, Instrumentation> | null = null;
  private entered = 0;
  private outside = 0;
  private left = 0;
  private first = false;
  /** The row is with the nodes above. */
  private away = false;

  /** Adds what a worker has counted (InstrAggNode). */
  addWorker(worker: number, counters: Instrumentation): void {
    this.loops += counters.loops;
    this.rows += counters.rows;
    this.filtered += counters.filtered;
    this.joinFiltered += counters.joinFiltered;
    this.totalMs += counters.totalMs;
    this.startupMs += counters.startupMs;
    (this.workers ??= new Map()).set(worker, counters);
  }

  enter(): void {
    this.loops++;
    this.entered = performance.now();
    this.outside = 0;
    this.first = false;
  }

  row(): void {
    this.rows++;
    this.away = true;
    this.left = performance.now();
    if (!this.first) {
      this.first = true;
      this.startupMs += this.left - this.entered;
    }
  }

  back(): void {
    this.away = false;
    this.outside += performance.now() - this.left;
  }

  leave(): void {
    // Somebody above has had enough.
    if (this.away) this.back();
    const total = performance.now() - this.entered - this.outside;
    this.totalMs += total;
    if (!this.first) this.startupMs += total;
  }
}
