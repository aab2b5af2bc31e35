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
    addCounters(this, counters);
    const before = (this.workers ??= new Map<number, Instrumentation>()).get(worker);
    if (before === undefined) this.workers.set(worker, counters);
    else addCounters(before, counters);
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

function addCounters(to: Instrumentation, from: Instrumentation): void {
  to.loops += from.loops;
  to.rows += from.rows;
  to.filtered += from.filtered;
  to.joinFiltered += from.joinFiltered;
  to.totalMs += from.totalMs;
  to.startupMs += from.startupMs;
}
