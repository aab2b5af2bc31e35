// Puts a client program of dist and all modules it uses into one script, dist/bin/<program>.bundle, and V8's code for it
// beside it (<program>.cache): reading and compiling some eighty files was most of what a short run cost. Each module becomes
// a function that is run when it is first wanted; an import is a call of it, so `import()` stays lazy, and constants stay
// local variables. Packages have these, too; their
// servers are put together by bundle.ts. Called by compile.sh:
// client_bundle.ts <program> [arguments of a run that ends without a server]
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const [program, ...trainingArguments] = process.argv.slice(2) as [string, ...string[]], folder = resolve('dist/bin');
const modules = new Map<string, { number: number; text: string; exported: Map<string, string> }>();

/** What is imported must be there: names that the line-wise reading of exports has missed would be undefined. */
const wanted: { by: string; from: string; name: string }[] = [];

function fail(path: string, what: string): never {
  throw new Error(`${relative('dist', path)}: ${what} cannot be bundled`);
}

/** "a, b as c" of an import, as a pattern. */
const pattern = (names: string): string => `{ ${names.replace(/\bas\b/g, ':').trim()} }`;

function add(path: string): number {
  const known = modules.get(path);
  if (known !== undefined) return known.number;
  const exported = new Map<string, string>(), module = { number: modules.size, text: '', exported }, heads: string[] = [], body: string[] = [];
  modules.set(path, module);
  const source = (specifier: string): string => {
    if (specifier.startsWith('node:')) return `process.getBuiltinModule('${specifier}')`;
    if (!specifier.startsWith('.')) fail(path, `import of ${specifier}`);
    return `$m${add(resolve(dirname(path), specifier))}()`;
  };
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    let m: RegExpExecArray | null;
    if ((m = /^import \{([^}]*)\} from '([^']+)';$/.exec(line)) !== null) {
      heads.push(`const ${pattern(m[1]!)} = ${source(m[2]!)};`);
      if (m[2]!.startsWith('.')) wanted.push(...m[1]!.split(',').map((name) => ({ by: path, from: resolve(dirname(path), m![2]!), name: name.trim().split(' as ')[0]! })));
    }
    else if ((m = /^import (?:\* as )?(\w+) from '([^']+)';$/.exec(line)) !== null) heads.push(`const ${m[1]} = ${source(m[2]!)};`);
    else if ((m = /^import (\w+), \{([^}]*)\} from '(node:[^']+)';$/.exec(line)) !== null) heads.push(`const ${m[1]} = ${source(m[3]!)}, ${pattern(m[2]!)} = ${m[1]};`);
    else if ((m = /^import '([^']+)';$/.exec(line)) !== null) heads.push(`${source(m[1]!)};`);
    else if (/^import[ {*]/.test(line)) fail(path, line);
    else if ((m = /^export (?:const (\w+)|(?:async )?function\*? ?(\w+)|class (\w+))/.exec(line)) !== null) {
      const name = (m[1] ?? m[2] ?? m[3])!;
      exported.set(name, name);
      body.push(line.slice('export '.length));
    } else if ((m = /^export \{([^}]*)\}(?: from '([^']+)')?;$/.exec(line)) !== null) {
      for (const item of m[1]!.split(',').map((i) => i.trim()).filter((i) => i !== '')) {
        const [inner, outer] = item.split(' as ') as [string, string?];
        exported.set(outer ?? inner, m[2] === undefined ? inner : `${source(m[2])}.${inner}`);
      }
    } else if (/^export\b/.test(line)) fail(path, line);
    else body.push(line);
  }
  const text = body.join('\n').replace(/\bimport\('(\.[^']+)'\)/g, (_m, specifier: string) => `Promise.resolve().then(() => ${source(specifier)})`)
    .replaceAll('import.meta.url', `new URL('${relative(folder, path)}', base)`).replace(/^#!.*\n/, '');
  // Several consts of one `export const a = 1, b = 2` are told by the compiler's layout: one a line, or names before "=".
  for (const declaration of text.matchAll(/^const (?:[A-Z_]\w* = [^;{[(\n]+, )+[A-Z_]\w* = [^;\n]+;$/gm)) {
    if (exported.has(/^const (\w+)/.exec(declaration[0])![1]!)) for (const name of declaration[0].matchAll(/(?:^const |, )([A-Z_]\w*) = /g)) exported.set(name[1]!, name[1]!);
  }
  module.text = `let $x${module.number};
${module.number === 0 ? 'async ' : ''}function $m${module.number}() {
if ($x${module.number} !== undefined) return $x${module.number};
${heads.join('\n')}
${text}
return $x${module.number} = { ${[...exported].map(([outer, inner]) => (outer === inner ? outer : `${outer}: ${inner}`)).join(', ')} };
}
`;
  return module.number;
}

const entry = add(join(folder, `${program}.js`));
for (const { by, from, name } of wanted) if (!modules.get(from)!.exported.has(name)) fail(by, `import of ${name}`);
const bundle = join(folder, `${program}.bundle`), cache = join(folder, `${program}.cache`);
writeFileSync(`${bundle}.new`, `(function (base) { 'use strict';\n${[...modules.values()].map((m) => m.text).join('')}return $m${entry}();\n})`);
rmSync(cache, { force: true });
renameSync(`${bundle}.new`, bundle);
// A run that finds no server makes V8 compile what every run needs; what it has compiled is kept.
spawnSync(process.execPath, ['tools/client_cache.cjs', folder, program, '-h', folder, ...trainingArguments], { stdio: 'ignore', env: {} });
if (!existsSync(cache)) throw new Error(`${program}: no code was kept`);
writeFileSync(join(folder, `${program}.cjs`), `// Runs ${program}.bundle with V8's code for it, if that fits.
'use strict';
const { readFileSync } = require('node:fs'), { Script } = require('node:vm');
let cachedData;
try {
  cachedData = readFileSync(\`\${__dirname}/${program}.cache\`);
} catch { /* slower, then */ }
const script = new Script(readFileSync(\`\${__dirname}/${program}.bundle\`, 'utf8'), { filename: \`\${__dirname}/${program}.bundle\`, cachedData });
script.runInThisContext()(\`file://\${__dirname.split('/').map(encodeURIComponent).join('/')}/\`);
`);
