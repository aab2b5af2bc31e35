// Style that a compiler does not check, each fault with its mend: imports go to the same floor or below and never in a
// circle; relative imports end in .ts; files have at most 1,000 lines unless generated; ini, winston, lmdb and
// libpg-query are imported by one file each; what is exported is imported by somebody; every folder of src has a README.md that names
// its files.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

/** Lowest first; folders in one list share a floor. What is not listed here is on none and may not be. */
const FLOORS: readonly (readonly string[])[] = [
  ['common', 'port'],
  ['interfaces/libpq'],
  ['backend/utils', 'backend/nodes', 'backend/types'],
  ['backend/libpq', 'backend/storage'],
  ['backend/transaction', 'backend/access'],
  ['backend/catalog'],
  ['backend/parser', 'backend/rewrite', 'backend/optimizer', 'backend/executor', 'backend/partitioning', 'backend/tsearch'],
  // Commands run portals, and portals run commands; PL/pgSQL runs both.
  ['backend/commands', 'backend/tcop', 'backend/pl'],
  ['backend/postmaster'],
  ['bin'],
];
const SINGLE = ['ini', 'winston', 'lmdb', 'libpg-query'];
const MAX_LINES = 1000;

const root = resolve(import.meta.dirname, '..', 'src');
const faults: string[] = [];

const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts')).sort();
const sources = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
const floorOf = (file: string): number => FLOORS.findIndex((folders) => folders.some((f) => file.startsWith(`${f}/`)));
/** Runtime imports only: types vanish, and may look up. */
const graph = new Map<string, string[]>();
const importers = new Map<string, string[]>();

for (const [file, text] of sources) {
  const floor = floorOf(file);
  const generated = text.startsWith('// Generated');
  if (floor < 0 && file.includes('/')) faults.push(`${file}: on no floor: put it into one of the folders of tools/check_floors.ts`);
  const lines = text.split('\n').length;
  if (!generated && lines > MAX_LINES) faults.push(`${file}: ${lines} lines: split it`);
  const edges: string[] = [];
  for (const m of text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm)) {
    const target = m[2]!;
    if (!target.startsWith('.')) {
      if (SINGLE.includes(target)) importers.set(target, [...(importers.get(target) ?? []), file]);
      continue;
    }
    if (!/\.(ts|json)$/.test(target)) faults.push(`${file}: import of '${target}': relative imports end in .ts`);
    const path = relative(root, resolve(root, dirname(file), target));
    if (!existsSync(join(root, path))) continue; // the compiler says so
    const targetFloor = floorOf(path);
    // A type alone makes no dependency at run time: contracts may be named from below.
    if (m[1] !== undefined) continue;
    edges.push(path);
    if (targetFloor > floor && floor >= 0) {
      faults.push(`${file}: imports ${path}, which is a floor above: turn the call around (a hook that the upper floor fills in)`);
    }
  }
  graph.set(file, edges);
}

for (const [name, list] of importers) {
  if (list.length > 1) faults.push(`${name} is imported by ${list.join(', ')}: one file imports it`);
}

/** What a file exports beside types is imported by another, by its tests at least: else the compiler cannot say that nobody calls it. */
const readers = [...sources].map(([file, text]) => ({ folder: join(root, dirname(file)), text }));
for (const top of ['test', 'tools']) {
  const folder = resolve(root, '..', top);
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (file.endsWith('.ts')) readers.push({ folder: join(folder, dirname(file)), text: readFileSync(join(folder, file), 'utf8') });
  }
}
/** Names by path; "*" for a file that is imported as a whole. */
const imported = new Map<string, Set<string>>();
for (const { folder, text } of readers) {
  for (const m of text.matchAll(/\b(?:import|export)\s+(?:type\s+)?([^'";]*?)\s*from\s+'(\.[^']+)'|\bimport\('(\.[^']+)'\)/g)) {
    const target = relative(root, resolve(folder, (m[2] ?? m[3])!)), names = imported.get(target) ?? new Set();
    imported.set(target, names);
    for (const name of m[1]?.match(/\*|[\w$]+/g) ?? ['*']) names.add(name);
  }
}
for (const [file, text] of sources) {
  const names = imported.get(file);
  if (names?.has('*') || text.startsWith('// Generated')) continue;
  // Of constants declared together the first stands for all: they are a set of PostgreSQL's.
  for (const m of text.matchAll(/^export (?:async )?(?:function\*?|const|let|class) ([\w$]+)/gm)) {
    if (!names?.has(m[1]!)) faults.push(`${file}: ${m[1]} is exported, and nobody imports it`);
  }
}

/** Circles among files, each told once. */
const state = new Map<string, 'open' | 'done'>();
const path: string[] = [];
function visit(file: string): void {
  state.set(file, 'open');
  path.push(file);
  for (const target of graph.get(file) ?? []) {
    if (state.get(target) === 'open') faults.push(`import circle: ${[...path.slice(path.indexOf(target)), target].join(' -> ')}`);
    else if (!state.has(target)) visit(target);
  }
  path.pop();
  state.set(file, 'done');
}
for (const file of files) if (!state.has(file)) visit(file);

for (const folder of new Set(files.filter((f) => f.includes('/')).map((f) => dirname(f)))) {
  if (folder.endsWith('/data') || folder === 'backend') continue;
  const readme = join(root, folder, 'README.md');
  if (!existsSync(readme)) {
    faults.push(`${folder}: has no README.md`);
    continue;
  }
  // By its name, or with others of its kind: "copy*".
  const text = readFileSync(readme, 'utf8'), named = new Set(text.match(/\w+/g)), kinds = [...text.matchAll(/\b(\w+)\*/g)].map((m) => m[1]!);
  for (const file of files.filter((f) => dirname(f) === folder && !f.endsWith('.d.ts'))) {
    const name = basename(file, '.ts');
    if (!named.has(name) && !kinds.some((kind) => name.startsWith(kind))) faults.push(`${file}: its folder's README.md does not say what it is`);
  }
}

for (const fault of faults) console.log(fault);
if (faults.length > 0) {
  console.log(`${faults.length} faults of style`);
  process.exitCode = 1;
}
