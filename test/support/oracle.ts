// A private PostgreSQL 15 as Debian installs it, to ask the same questions. tools/test.ts starts one for all test files and
// says where in ORACLE (host:port); where PostgreSQL is not installed, tests that need it say so and are skipped.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { POSTGRESQL, startSite, SUPERUSER, type Site } from './site.ts';

export const oracleInstalled = existsSync(join(POSTGRESQL.bin, 'postgres'));
export const NOT_INSTALLED = `PostgreSQL 15 is not installed in ${POSTGRESQL.bin}: nothing to compare with`;

/** One of its own, for a test that changes more than a database. */
export async function startOracle(ini = ''): Promise<Site> {
  return startSite({ product: POSTGRESQL, ini });
}

/** The one that all test files share: each test uses a database, schema or temporary names of its own. */
export const oracle = address(process.env['ORACLE']);

function address(text: string | undefined): { host: string; port: number; user: string; psql: string[] } | undefined {
  if (!text) return undefined;
  const [host, port] = text.split(':');
  return { host: host!, port: Number(port), user: SUPERUSER, psql: ['-h', host!, '-p', port!, '-U', SUPERUSER, '-qAtX'] };
}
