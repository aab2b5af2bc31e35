// Interleavings: statements of several sessions, one after the other, sent to two servers. A step that has to wait is seen to
// wait by asking the server, and answers when a later step lets it. Compared are all answers, and who waits after each step.
//
// The text of a scenario: "-- title", then a line for each step, "a: statement" by session a. What names no session is done by
// one that nobody else uses: set-up, and looks at what became of it. "a! statement" is one that ends by itself while it waits.
import { fields, RawClient, show, type Message } from '../support/raw_client.ts';

/** `ends`: it ends by itself, however long it waits (lock_timeout). */
export interface Step { readonly session: string; readonly sql: string; readonly ends: boolean }
export interface Scenario { readonly title: string; readonly steps: readonly Step[] }

export function parseScenarios(text: string): Scenario[] {
  return text.split(/^-- /m).slice(1).map((part) => {
    const [title, ...lines] = part.split('\n');
    const steps = lines.filter((line) => line.trim() !== '' && !line.startsWith('#')).map((line): Step => {
      const [, session = '', mark, sql = ''] = /^(?:([a-z])([:!]) )?(.*)$/.exec(line)!;
      return { session, sql, ends: mark === '!' };
    });
    return { title: title!, steps };
  });
}

export const showStep = ({ session, sql, ends }: Step): string => (session === '' ? sql : `${session}${ends ? '!' : ':'} ${sql}`);

/** A connection, and the step it has not answered yet. */
interface Seat { readonly name: string; readonly client: RawClient; busy: boolean; answer: string[] | null }

const PATIENCE_MS = 30_000;
/** Between two questions whether a step waits. */
const PACE_MS = 3;
const SCHEMA = 'interleaving';

/** One of the two servers, with its sessions. */
export class Stage {
  private readonly port: number;
  private readonly database: string;
  private readonly control: RawClient;
  private readonly seats = new Map<string, Seat>();

  private constructor(port: number, database: string, control: RawClient) {
    this.port = port;
    this.database = database;
    this.control = control;
  }

  static async open(port: number, database = 'postgres'): Promise<Stage> {
    return new Stage(port, database, await RawClient.open(port, { database }));
  }

  /** Everything as at the beginning. */
  async clear(): Promise<void> {
    // What still waits goes, together with its session.
    const waiting = [...this.seats.values()].filter((s) => s.busy);
    for (const { name, client } of waiting) {
      this.seats.delete(name);
      await this.control.query(`select pg_terminate_backend(${client.processId})`);
    }
    for (const { client } of waiting) await client.closes();
    for (const { client } of this.seats.values()) for (const sql of ['rollback', 'discard all']) await client.query(sql);
    await this.control.query(`drop schema if exists ${SCHEMA} cascade; create schema ${SCHEMA}`);
  }

  end(): void {
    for (const { client } of [...this.seats.values(), { client: this.control }]) client.end();
  }

  waits(session: string): boolean {
    return this.seats.get(session)?.busy ?? false;
  }

  /** Does a step, and returns when every session has answered or waits for one that has: what was answered, by session. */
  async step(step: Step): Promise<Map<string, string[]>> {
    const { session, sql, ends } = step;
    let seat = this.seats.get(session);
    if (seat === undefined) {
      const client = await RawClient.open(this.port, { database: this.database, search_path: SCHEMA, deadlock_timeout: '10ms', application_name: session });
      this.seats.set(session, (seat = { name: session, client, busy: false, answer: null }));
    }
    const { client } = seat, taken = seat;
    if (taken.busy) throw new Error(`"${showStep(step)}": it still waits`);
    taken.busy = true;
    client.patienceMs = PATIENCE_MS;
    client.Query(sql);
    const answered = client.upTo('Z').then((messages) => { taken.answer = said(messages); taken.busy = false; },
      (error: unknown) => { taken.answer = [String(error)]; taken.busy = false; });
    await Promise.race(ends ? [answered] : [answered, pause(PACE_MS)]);
    await this.settle(showStep(step));
    const answers = new Map<string, string[]>();
    for (const one of this.seats.values()) {
      if (one.answer !== null) answers.set(one.name, one.answer);
      one.answer = null;
    }
    return answers;
  }

  private async settle(what: string): Promise<void> {
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      const busy = [...this.seats.values()].filter((s) => s.busy);
      if (busy.length === 0) return;
      const pids = busy.map((s) => s.client.processId);
      const blockers = new Map((await this.control.query(`select pid, array_to_string(pg_blocking_pids(pid), ' ') from unnest(array[${pids}]) pid`))
        .map(([pid, by]): [number, number[]] => [Number(pid), by!.split(' ').filter((p) => p !== '').map(Number)]));
      if (busy.every((s) => s.busy && this.standsStill(s.client.processId, blockers, []))) return;
      if (Date.now() > until) throw new Error(`"${what}": ${busy.map((s) => s.name).join()} neither answer nor wait`);
      await pause(PACE_MS);
    }
  }

  /** Waits, directly or not, for nobody but idle sessions of ours. Who waits in a circle will be told. */
  private standsStill(pid: number, blockers: ReadonlyMap<number, readonly number[]>, path: readonly number[]): boolean {
    const by = blockers.get(pid);
    if (by === undefined) return [...this.seats.values()].some((s) => s.client.processId === pid);
    return by.length > 0 && !path.includes(pid) && by.every((p) => this.standsStill(p, blockers, [...path, pid]));
  }
}

const pause = async (ms: number): Promise<void> => new Promise((done) => { setTimeout(done, ms); });

/** An answer in lines: notifications first, for they may come at any time; of an error all but where in the source it was raised. */
function said(messages: readonly Message[]): string[] {
  const lines = messages.map((message) => {
    if (message.type !== 'E' && message.type !== 'N') return numbers(show(message));
    const { C: code, M: text, D: detail, H: hint } = fields(message.body);
    return [message.type === 'E' ? 'ERROR' : 'NOTICE', code, ...[text, detail, hint].filter((f) => f !== undefined).map(numbers)].join(' | ');
  }).filter((line) => !line.startsWith('ParameterStatus'));
  const told = lines.filter((line) => line.startsWith('Notification'));
  const others = lines.filter((line) => !line.startsWith('Notification'));
  const error = others.find((line) => line.startsWith('ERROR'));
  // Rows before an error are no difference.
  return [...told, ...(error === undefined ? others.filter((line) => !line.startsWith('RowDescription')) : [error, others.at(-1)!])];
}

/** Numbers of processes, transactions and objects are each server's own. */
function numbers(text: string): string {
  return text.replace(/Reason code: .*/, 'Reason code').replace(/\b([Pp]rocess|transaction|relation|database|object|class|tuple|PID|OID) (\(\d+,\d+\)|\d+)/g, '$1 N').replace(/\b\d{5,}\b/g, 'N');
}

export interface Difference { readonly steps: readonly Step[]; readonly text: string }

/** Two servers, the same steps. `next` gives a step, told who waits; null ends it. */
export async function interleave(ours: Stage, theirs: Stage, next: (waits: (session: string) => boolean) => Step | null, sorted = false): Promise<Difference | null> {
  await Promise.all([ours.clear(), theirs.clear()]);
  const steps: Step[] = [];
  for (let step = next((s) => theirs.waits(s)); step !== null; step = next((s) => theirs.waits(s))) {
    steps.push(step);
    const [mine, wanted] = (await Promise.all([ours.step(step), theirs.step(step)]));
    const a = answersOf(mine, sorted), b = answersOf(wanted, sorted);
    if (a === b) continue;
    if (bothDeadlocked(a, b)) return null;
    return { steps, text: `${steps.map(showStep).join('\n')}\n  PostgreSQL:\n${b}\n  Posthouse:\n${a}` };
  }
  return null;
}

/** Which of those in a circle is told depends on when they began to wait. */
const bothDeadlocked = (a: string, b: string): boolean => a.includes('40P01') && b.includes('40P01');

function answersOf(answers: Map<string, string[]>, sorted: boolean): string {
  return [...answers].sort(([a], [b]) => (a < b ? -1 : 1)).map(([session, lines]) => {
    const shown = sorted ? [...lines].sort() : lines;
    return shown.map((line) => `    ${session}: ${line}`).join('\n');
  }).join('\n');
}

/** Steps one after the other; with `lenient`, those of a session that waits are left out. */
export function inOrder(steps: readonly Step[], lenient = false): (waits: (session: string) => boolean) => Step | null {
  let at = 0;
  return (waits) => {
    while (lenient && at < steps.length && waits(steps[at]!.session)) at++;
    return steps[at++] ?? null;
  };
}

/** The same difference (or another) with fewer steps. */
export async function reduce(ours: Stage, theirs: Stage, found: Difference, sorted: boolean): Promise<Difference> {
  let best = found;
  for (let size = Math.max(1, best.steps.length >> 2); size >= 1; size = size === 1 ? 0 : size >> 1) {
    for (let at = best.steps.length - size; at >= 0; at -= size) {
      const fewer = best.steps.filter((_s, i) => i < at || i >= at + size);
      const difference = await interleave(ours, theirs, inOrder(fewer, true), sorted).catch(() => null);
      if (difference !== null) best = difference;
      at = Math.min(at, best.steps.length);
    }
  }
  return best;
}
