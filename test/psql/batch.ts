// Scripts that need no psql of their own: they run one after the other in one session, with everything put back in between
// (corpus/reset.psql), and what each wrote is told apart by marks on both outputs. So the corpus costs little.
import { join } from 'node:path';
import { runPsql, type Ran, type Script } from './compare.ts';

const RESET = join(import.meta.dirname, 'corpus/reset.psql');
const mark = (n: number): string => `==== script ${n}`;

/** What each of the scripts wrote, by the psql of `command`. */
export async function runBatch(command: readonly string[], scripts: readonly Script[], env: Record<string, string>): Promise<Ran[]> {
  const text = scripts.map((s, n) => `\\i ${RESET}\n\\echo '${mark(n)}'\n\\warn '${mark(n)}'\n${s.text}\n`).join('');
  const { code, out, err } = await runPsql(command, { name: 'batch', args: [], text }, env);
  return scripts.map((_, n) => ({ code: n === scripts.length - 1 ? code : 0, out: section(out, n), err: section(err, n) }));
}

function section(text: string, n: number): string {
  const from = text.indexOf(`${mark(n)}\n`), to = text.indexOf(`${mark(n + 1)}\n`);
  return from < 0 ? '(never reached)' : text.slice(from, to < 0 ? undefined : to);
}
