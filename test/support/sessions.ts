// Sessions that wait for each other, step by step.
import type { Client, DatabaseError } from 'pg';
import { processInfo, until } from './run.ts';
import type { Site } from './site.ts';

export class Session {
  readonly client: Client;

  constructor(client: Client) {
    this.client = client;
  }

  static async open(site: Site, options: Record<string, unknown> = {}): Promise<Session> {
    return new Session(await site.connect(options));
  }

  /** Runs statements; rows of the last as text, "a|b" each, or "SQLSTATE message". */
  async run(text: string): Promise<string[] | string> {
    try {
      const answer = await this.client.query({ text, rowMode: 'array', types: { getTypeParser: () => (value: string) => value } });
      const last = Array.isArray(answer) ? answer.at(-1) : answer;
      return last.rows.map((row: (string | null)[]) => row.map((value) => value ?? 'NULL').join('|'));
    } catch (error) {
      const { code, message } = error as DatabaseError;
      return `${code} ${message}`;
    }
  }

  /** Starts a statement that will have to wait for another session, and returns when it does. */
  async startWaiting(text: string): Promise<{ answer: Promise<string[] | string> }> {
    let done = false;
    const answer = this.run(text).finally(() => { done = true; });
    await until(`"${text}" waits`, () => done || this.waits());
    if (done) throw new Error(`"${text}" did not wait: ${JSON.stringify(await answer)}`);
    return { answer };
  }

  /** Whether its backend says that it waits for a lock. */
  waits(): boolean {
    return processInfo(this.client.processID)?.title.endsWith('waiting') ?? false;
  }

  async end(): Promise<void> {
    await this.client.end();
  }
}
