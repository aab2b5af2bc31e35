// Items that come by themselves, for one consumer that takes them with `for await`; and a promise with its ends.
export function deferred<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T | PromiseLike<T>) => void, reject!: (reason?: unknown) => void;
  const promise = new Promise<T>((kept, broken) => {
    resolve = kept;
    reject = broken;
  });
  return { promise, resolve, reject };
}

export class AsyncQueue<T> implements AsyncIterableIterator<T> {
  private readonly items: T[] = [];
  private readonly waiting: { resolve: (result: IteratorResult<T>) => void; reject: (error: Error) => void }[] = [];
  private ended = false;
  failed = false;
  private error: Error | null = null;
  private readonly onReturn: () => void;
  private readonly onTake: (left: number) => void;

  /** `onReturn` is called once when nobody will take more; `onTake` after each item that was taken. */
  constructor(onReturn: () => void = () => {}, onTake: (left: number) => void = () => {}) {
    this.onReturn = onReturn;
    this.onTake = onTake;
  }

  get length(): number {
    return this.items.length;
  }

  push(item: T): void {
    if (this.ended) return;
    const next = this.waiting.shift();
    if (next === undefined) this.items.push(item);
    else next.resolve({ value: item, done: false });
  }

  /** No more will come; with an error, the consumer gets it after what is there. */
  end(error: Error | null = null): void {
    if (this.ended) return;
    this.ended = true;
    this.error = error;
    for (const next of this.waiting.splice(0)) {
      if (this.error === null) next.resolve({ value: undefined, done: true });
      else {
        next.reject(this.error);
        this.error = null;
      }
    }
  }

  /** No more will come, and what is there is dropped. */
  fail(error: Error): void {
    if (this.ended) return;
    this.items.length = 0;
    this.failed = true;
    this.end(error);
  }

  async next(): Promise<IteratorResult<T>> {
    if (this.items.length > 0) {
      const value = this.items.shift()!;
      this.onTake(this.items.length);
      return { value, done: false };
    }
    if (this.error !== null) {
      const { error } = this;
      this.error = null;
      throw error;
    }
    if (this.ended) return { value: undefined, done: true };
    return new Promise((resolve, reject) => { this.waiting.push({ resolve, reject }); });
  }

  async return(): Promise<IteratorResult<T>> {
    const first = !this.ended;
    this.items.length = 0;
    this.error = null;
    this.end();
    if (first) this.onReturn();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
