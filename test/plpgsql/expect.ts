// Writes what PostgreSQL 15 answers into expected/: ORACLE=host:port node test/plpgsql/expect.ts [NAME...]
import { mkdirSync, writeFileSync } from 'node:fs';
import { oracle } from '../support/oracle.ts';
import { runScript, scriptOf, SCRIPTS } from './scripts.ts';

mkdirSync(new URL('expected/', import.meta.url), { recursive: true });
const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : SCRIPTS) writeFileSync(new URL(`expected/${name}.out`, import.meta.url), await runScript(oracle!, 'expect_plpgsql', scriptOf(name)));
