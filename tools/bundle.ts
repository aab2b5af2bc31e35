// Makes one script of the programs: dist's modules, and what they use of npm's packages, each in a function of its own.
//   node tools/bundle.ts <folder> <licences> <plain>
// writes <folder>/posthouse.js and, at their places below it, the files that are read at run time. A package starts from
// this and a code cache (packaging/code_cache.cjs) in a tenth of the time that 500 modules take. What tsc and npm's packages
// write is regular enough for this to need no parser: import and export stand at the beginning of a line.
import { chmodSync, cpSync, mkdirSync, readFileSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const top = resolve(import.meta.dirname, '..'), dist = join(top, 'dist'), modules = realpathSync(join(top, 'node_modules'));
const to = resolve(process.argv[2]!), licences = resolve(process.argv[3]!);
/** dist once more, without comments: what is compiled at each start is shorter. */
const plain = resolve(process.argv[4]!);

/** Path in the package -> text of its function. */
const parts = new Map<string, string>();
const assets = new Set<string>();
const programs: string[] = [];

/** Exported variables: importers take what is exported when they are loaded, so these are read through their module. */
const lives = new Map<string, string[]>();
const names = new Map<string, string[]>();
for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  const path = join(dist, file);
  if (extname(path) !== '.js' || readFileSync(path, 'utf8').startsWith('#!')) continue;
  names.set(path, Object.keys(await import(pathToFileURL(path).href) as object));
}

const placeOf = (file: string): string => (file.startsWith(modules) ? join('node_modules', relative(modules, file)) : relative(dist, file));

function add(file: string): string {
  const place = placeOf(file);
  if (parts.has(place)) return place;
  parts.set(place, '');
  const text = readFileSync(file.startsWith(dist) && extname(file) === '.js' ? join(plain, relative(dist, file)) : file, 'utf8');
  parts.set(place, extname(file) === '.json' ? `module.exports = JSON.parse(${JSON.stringify(text)});` : file.startsWith(modules) ? commonJs(file, text) : ecmaScript(file, text));
  return place;
}

/** What an import of `spec` gives. */
function reference(file: string, spec: string): string {
  if (isBuiltin(spec)) return `need(${JSON.stringify(spec)})`;
  const found = spec.startsWith('.') ? resolve(dirname(file), spec) : createRequire(file).resolve(spec);
  return `use(${JSON.stringify(add(found))})`;
}

const list = (names: string): string => names.replace(/\s+as\s+/g, ': ').replace(/\s+/g, ' ').trim();

function ecmaScript(file: string, source: string): string {
  const exported: [name: string, local: string][] = [], live: string[] = [], passedOn = new Set<string>();
  const program = source.startsWith('#!');
  if (program) programs.push(placeOf(file));
  let text = source.replace(/^#!.*\n/, '\n');
  const throughModule = new Map<string, string>();
  text = text.replace(/^import ((?:[^'";]|\n)*?) from '([^']+)'(?: with \{[^}]*\})?;/gm, (_, what: string, spec: string) => {
    const from = reference(file, spec), m = /^([\w$]+)?\s*,?\s*(?:\{([^]*)\}|\* as ([\w$]+))?$/.exec(what);
    if (!m) throw new Error(`${file}: import ${what}`);
    const [, single, names, all] = m, lines: string[] = [];
    if (single) lines.push(`${single} = onlyOf(${from})`);
    if (names !== undefined) {
      const place = from.slice(5, -2), apart = names.split(',').map((n) => n.trim()).filter((n) => lives.get(place)?.includes(n));
      for (const name of apart) {
        throughModule.set(name, `of_${name}.${name}`);
        lines.push(`of_${name} = ${from}`);
      }
      lines.push(`{ ${list(names.split(',').filter((n) => !apart.includes(n.trim())).join(','))} } = ${from}`);
    }
    if (all) lines.push(`${all} = ${from}`);
    return `const ${lines.join(', ')};`;
  });
  text = text.replace(/^import '([^']+)';/gm, (_, spec: string) => `${reference(file, spec)};`);
  text = text.replace(/\brequire\('([^'.][^']*)'\)/g, (_, spec: string) => reference(file, spec));
  text = text.replace(/\bimport\('([^']+)'\)/g, (_, spec: string) => `Promise.resolve(${reference(file, spec)})`);
  text = text.replace(/^export \* from '([^']+)';/gm, (_, spec: string) => {
    for (const name of names.get(resolve(dirname(file), spec))!) passedOn.add(name);
    return `Object.assign(exports, ${reference(file, spec)});`;
  });
  text = text.replace(/^export \{([^}]*)\} from '([^']+)';/gm, (_, names: string, spec: string) => {
    const from = reference(file, spec);
    return names.split(',').map((n) => n.trim()).filter(Boolean).map((n) => {
      const [theirs, ours = theirs] = n.split(/\s+as\s+/);
      passedOn.add(ours!);
      return `exports.${ours} = ${from}.${theirs};`;
    }).join(' ');
  });
  text = text.replace(/^export \{([^}]*)\};/gm, (_, names: string) => {
    for (const n of names.split(',').map((name) => name.trim()).filter(Boolean)) {
      const [local, name = local] = n.split(/\s+as\s+/);
      exported.push([name!, local!]);
    }
    return '';
  });
  text = text.replace(/^export let (\w+)/gm, (_, name: string) => {
    live.push(name);
    return `let ${name}`;
  });
  text = text.replace(/^export ((?:async )?function\*? (\w+)|class (\w+))/gm, (_, all: string, f?: string, c?: string) => {
    exported.push([(f ?? c)!, (f ?? c)!]);
    return all;
  });
  // What remains declares constants, several at a time perhaps: Node knows their names.
  text = text.replace(/^export const /gm, 'const ');
  const known = new Set([...exported.map(([name]) => name), ...live, ...passedOn]);
  if (!program && !names.has(file)) throw new Error(`${file} is not among the modules`);
  if (!program) for (const name of names.get(file)!) if (!known.has(name)) exported.push([name, name]);
  for (const [name, path] of throughModule) text = text.replace(new RegExp(`(?<![\\w.$'"\`])${name}(?=[.)])`, 'g'), path);
  const left = /^(?:export|import)\b.*/m.exec(text);
  if (left && !left[0].startsWith('import.meta')) throw new Error(`${file}: ${left[0]}`);
  text = text.replaceAll('import.meta.url', `urlOf(${JSON.stringify(placeOf(file))})`).replaceAll('import.meta.dirname', `folderOf(${JSON.stringify(placeOf(file))})`);
  for (const m of text.matchAll(/new URL\('([^']+)', urlOf/g)) assets.add(resolve(dirname(file), m[1]!));
  for (const m of text.matchAll(/new URL\(`([^`$]+)\$\{/g)) assets.add(resolve(dirname(file), m[1]!));
  const tail = [...exported.map(([name, local]) => `exports.${name} = ${local};`),
    ...live.map((name) => `Object.defineProperty(exports, '${name}', { get: () => ${name}, enumerable: true });`)].join(' ');
  if (live.length > 0) lives.set(placeOf(file), live);
  return `${text}\n${tail}\n`;
}

/** Packages: every require of a literal that can be found comes along; the rest is left to Node. */
function commonJs(file: string, text: string): string {
  const require = createRequire(file), inside: string[] = [];
  for (const m of text.matchAll(/\brequire\(\s*['"]([^'"]+)['"]\s*\)/g)) {
    const spec = m[1]!;
    if (isBuiltin(spec)) continue;
    let found: string;
    try {
      found = require.resolve(spec);
    } catch {
      continue;
    }
    if (!/\.c?js(on)?$/.test(found)) continue;
    inside.push(`${JSON.stringify(spec)}: ${JSON.stringify(add(found))}`);
  }
  for (const m of text.matchAll(/"([\w.-]+\.wasm)"/g)) assets.add(join(dirname(file), m[1]!));
  return `require = among({ ${inside.join(', ')} }, require);\n${text.replace(/^#!.*/, '')}`;
}

const HEAD = `// Made by tools/bundle.ts: every module of Posthouse in a function of its own.
(function (need, folder, programNeed) { 'use strict';
const made = new Map(), { join, dirname } = need('node:path'), { pathToFileURL } = need('node:url');
const urlOf = (place) => pathToFileURL(join(folder, place)).href, folderOf = (place) => dirname(join(folder, place));
const onlyOf = (m) => (m !== null && typeof m === 'object' && m[Symbol.toStringTag] === 'Module' ? m.default : m);
const among = (inside, require) => Object.assign((spec) => (Object.hasOwn(inside, spec) ? use(inside[spec]) : require(spec)), { resolve: require.resolve });
function use(place) {
  const old = made.get(place);
  if (old !== undefined) return old.exports;
  const module = { exports: {} };
  made.set(place, module);
  const result = parts[place](module.exports, module, programNeed, join(folder, place), folderOf(place));
  if (programs.includes(place)) module.exports = result;
  return module.exports;
}
`;

for (const name of readdirSync(join(dist, 'bin')).filter((n) => n.endsWith('.js')).sort()) {
  if (readFileSync(join(dist, 'bin', name), 'utf8').startsWith('#!')) add(join(dist, 'bin', name));
}
const body = [...parts].map(([place, text]) => {
  const kind = programs.includes(place) ? 'async ' : '';
  const own = place.startsWith('node_modules') ? '(exports, module, programNeed, __filename, __dirname) { let require = programNeed(__filename);' : '(exports, module) {';
  return `${JSON.stringify(place)}: ${kind}function ${own} ${text}},\n`;
}).join('');
let script = `${HEAD}const programs = ${JSON.stringify(programs)};\nconst parts = {\n${body}};\nuse.programs = programs;\nreturn use;\n})`;
script = script.replace(/[^\x00-\xff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

mkdirSync(to, { recursive: true });
writeFileSync(join(to, 'posthouse.js'), script, 'latin1');
const copy = (from: string, place: string): void => {
  mkdirSync(dirname(join(to, place)), { recursive: true });
  cpSync(from, join(to, place), { recursive: true, dereference: true });
};
for (const file of assets) copy(file, placeOf(file).replace(/\/$/, ''));
// The addon of lmdb, where the package looks for it first; package.json says whose it is.
for (const name of ['package.json', 'build/Release/lmdb.node']) copy(join(modules, 'lmdb', name), join('node_modules/lmdb', name));
for (const name of ['port.node', 'heap.so']) {
  copy(join(dist, 'port', name), join('port', name));
  chmodSync(join(to, 'port', name), 0o644);
}
// What the licences of others ask for: that they come along.
mkdirSync(licences, { recursive: true });
const packages = new Set([...parts.keys()].filter((p) => p.startsWith('node_modules/')).map((p) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(p)![1]!));
for (const name of [...packages, `node-linux-${process.arch}`].sort()) {
  const file = readdirSync(join(modules, name)).find((n) => /^licen[cs]e/i.test(n));
  if (file) cpSync(join(modules, name, file), join(licences, name.replace('/', '_')));
}
console.log(`${parts.size} modules, ${(script.length / 1048576).toFixed(1)} MB; ${[...assets].map((f) => placeOf(f)).join(' ')}`);
