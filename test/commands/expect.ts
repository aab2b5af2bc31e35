// Writes what PostgreSQL 15 answers to sql/NAME.sql into expected/NAME.out: node test/commands/expect.ts NAME...
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadParser } from '../../src/backend/parser/raw_parser.ts';
import { runThere } from './run_script.ts';

await loadParser();
mkdirSync(new URL('expected/', import.meta.url), { recursive: true });
for (const name of process.argv.slice(2)) {
  const script = readFileSync(new URL(`sql/${name}.sql`, import.meta.url), 'utf8');
  writeFileSync(new URL(`expected/${name}.out`, import.meta.url), runThere(script, 'expect_commands'));
}
