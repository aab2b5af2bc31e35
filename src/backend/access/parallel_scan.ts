// Scans that several processes do together: each takes the next part that nobody has taken. What is taken is a counter in memory that
// they share; all see the same snapshot, so a part means the same to all of them.

/** Starts with 0. */
export interface SharedCounter { readonly words: Int32Array; readonly at: number }

const MAX_STRETCH = 256, MIN_STRETCH = 4, STRETCHES_LEFT = 64;

/** Numbers from 0 to a limit, in stretches that get shorter towards the end, so that all processes end at about the same time. */
export class SharedRange {
  from = 0;
  to = 0;
  private readonly counter: SharedCounter;
  private readonly limit: number;

  constructor(counter: SharedCounter, limit: number) {
    this.counter = counter;
    this.limit = limit;
  }

  /** Takes the next stretch: from <= number < to. False: none is left. */
  next(): boolean {
    const { words, at } = this.counter, { limit } = this;
    for (let from = Atomics.load(words, at); from < limit;) {
      const stretch = Math.min(MAX_STRETCH, Math.max(MIN_STRETCH, Math.floor((limit - from) / STRETCHES_LEFT)));
      const to = Math.min(limit, from + stretch), found = Atomics.compareExchange(words, at, from, to);
      if (found === from) {
        this.from = from;
        this.to = to;
        return true;
      }
      from = found;
    }
    return false;
  }
}

/** Parts that come one after the other, and nobody knows how many. */
export class SharedSequence {
  private readonly counter: SharedCounter;
  private seen = 0;
  private mine: number;

  constructor(counter: SharedCounter) {
    this.counter = counter;
    this.mine = Atomics.add(counter.words, counter.at, 1);
  }

  /** Whether the part that comes now is this process's. */
  takes(): boolean {
    if (this.seen++ < this.mine) return false;
    this.mine = Atomics.add(this.counter.words, this.counter.at, 1);
    return true;
  }
}
