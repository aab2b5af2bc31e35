// A private PostgreSQL 15 as Debian installs it, to ask the same questions. Where it is not installed, tests that need it
// say so and are skipped.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { POSTGRESQL, startSite, type Site } from './site.ts';

export const oracleInstalled = existsSync(join(POSTGRESQL.bin, 'postgres'));
export const NOT_INSTALLED = `PostgreSQL 15 is not installed in ${POSTGRESQL.bin}: nothing to compare with`;

export async function startOracle(ini = ''): Promise<Site> {
  return startSite({ product: POSTGRESQL, ini });
}
