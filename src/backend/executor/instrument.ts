// Counters of one plan node, for EXPLAIN ANALYZE (PostgreSQL's instrument.c). Rows are pushed upwards, so while a node
// runs, the clock of everything above it runs too; that time is taken off again.
export class Instrumentation {
  loops = 0;
  rows = 0;
  /** Milliseconds in this node and those below it. */
  totalMs = 0;
  /** Milliseconds until the first row. */
  startupMs = 0;
  private entered = 0;
  private outside = 0;
  private left = 0;
  private first = false;

  enter(): void {
    this.loops++;
    this.entered = performance.now();
    this.outside = 0;
    this.first = false;
  }

  row(): void {
    this.rows++;
    this.left = performance.now();
    if (!this.first) {
      this.first = true;
      this.startupMs += this.left - this.entered;
    }
  }

  back(): void {
    this.outside += performance.now() - this.left;
  }

  leave(): void {
    const total = performance.now() - this.entered - this.outside;
    this.totalMs += total;
    if (!this.first) this.startupMs += total;
  }
}
