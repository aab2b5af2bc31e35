// What psql prints for the scripts of sql/, word for word as PostgreSQL 15 answers them (expected/, written by expect.ts).
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

export const SCRIPTS = ['control', 'errors', 'records', 'variables', 'cursors', 'current_of', 'transactions', 'triggers', 'caching'] as const;

export const scriptOf = (name: string): string => readFileSync(new URL(`sql/${name}.sql`, import.meta.url), 'utf8');
export const expectedOf = (name: string): string => readFileSync(new URL(`expected/${name}.out`, import.meta.url), 'utf8');

/** Asynchronous, so that whoever started the server can take what it logs meanwhile. */
export async function runScript(server: { host: string; port: number; user: string }, database: string, script: string): Promise<string> {
  const psql = async (args: readonly string[], input: string): Promise<string> => new Promise((done) => {
    const child = execFile('sh', ['-c', 'exec psql "$@" 2>&1', 'sh', '-h', server.host, '-p', String(server.port), '-U', server.user, '-X', '-q', ...args],
      { env: { ...process.env, PGDATABASE: 'postgres', LC_ALL: 'C.UTF-8', PGOPTIONS: '' } }, (_error, out) => done(out));
    child.stdin!.end(input);
  });
  await psql([], `drop database if exists ${database};\ncreate database ${database};\n`);
  const out = await psql(['-a', '-d', database], script);
  await psql([], `drop database if exists ${database};\n`);
  return out;
}
