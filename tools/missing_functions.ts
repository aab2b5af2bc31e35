// Lists the internal functions of pg_proc that nothing in src registers yet, by family (the first word of their name), the
// larger families last. Estimators, access-method support and the like are left out: nobody calls them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import '../src/backend/types/index.ts';
import { builtinNames } from '../src/backend/types/fmgr.ts';

const backend = new URL('../src/backend/', import.meta.url).pathname;
const UNCALLED = /(sel|joinsel|_support|_sortsupport|sortsupport|handler|typanalyze|_combine|_serialize|_deserialize)$|^(g?in|gi?st|spg|brin|btequal|binary_upgrade)|_(gist|spg)_/;

// Catalogs and commands register theirs too; their names stand in the text of these files.
const named = new Set(builtinNames());
for (const file of readdirSync(backend, { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.ts') || file.startsWith('types/')) continue;
  const text = readFileSync(join(backend, file), 'utf8');
  if (!/registerBuiltins|WINDOW_FUNCTIONS|orderedSetFunctions/.test(text)) continue;
  for (const [word] of text.matchAll(/\b\w+\b/g)) named.add(word);
}

// Only the source matters: the last column of a row, where it differs from the name an "internal" function has.
const { rows } = JSON.parse(readFileSync(join(backend, 'catalog/data/pg_proc.json'), 'utf8')) as { rows: string[] };
const sources = new Set(rows.map((row) => row.split('\t').at(-1)!));
const families = new Map<string, Set<string>>();
for (const prosrc of sources) {
  if (!/^\w+$/.test(prosrc) || prosrc === 'aggregate_dummy' || named.has(prosrc) || UNCALLED.test(prosrc)) continue;
  const family = /^[a-z]+\d*/i.exec(prosrc)?.[0] ?? prosrc;
  families.set(family, (families.get(family) ?? new Set()).add(prosrc));
}
let total = 0;
for (const [family, names] of [...families].sort((a, b) => a[1].size - b[1].size)) {
  console.log(`${family}: ${[...names].join(' ')}`);
  total += names.size;
}
console.log(`${total} functions`);
