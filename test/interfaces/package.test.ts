// posthouse/libpq as a program elsewhere gets it: from the packed tarball, with its types. (The tarball had nothing of dist.)
import test from 'ava';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const checkout = resolve(import.meta.dirname, '../..'), modules = join(checkout, 'node_modules');
const folder = mkdtempSync(join(tmpdir(), 'posthouse-pack-'));
test.after.always(() => rmSync(folder, { recursive: true }));

const PROGRAM = `import { connect, ping, Pool, type Connection, type Result } from 'posthouse/libpq';
export async function ask(db: Connection): Promise<number> {
  const result: Result<{ a: number }> = await db.query<{ a: number }>('select 1 as a');
  return result.rows[0]!.a;
}
const pool = new Pool({ host: '/nowhere' }, { max: 2 });
await pool.end();
console.log(typeof connect, await ping({ host: '/nowhere', user: 'x', dbname: 'y' }));
`;

const PLAIN = `import { Pool, ping } from 'posthouse/libpq';
const pool = new Pool({ host: '/nowhere' });
await pool.query('select 1').catch(() => {});
await pool.end();
console.log(await ping({ host: '/nowhere', user: 'x', dbname: 'y' }), typeof Pool);
`;

/** What the machine has for other programs, often an older one. */
const otherNodes = (): string[] => (process.env['PATH'] ?? '').split(':').map((place) => join(place, 'node')).filter((node) => existsSync(node) && !execFileSync(node, ['--version'], { encoding: 'utf8' }).startsWith(process.version)).slice(0, 1);

test('it is imported from a packed tarball, types and all', (t) => {
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], { cwd: checkout, stdio: 'pipe' });
  const to = join(folder, 'node_modules/posthouse');
  mkdirSync(to, { recursive: true });
  execFileSync('tar', ['xzf', join(folder, readdirSync(folder).find((f) => f.endsWith('.tgz'))!), '-C', to, '--strip-components=1']);
  for (const name of ['@types', 'undici-types']) symlinkSync(join(modules, name), join(folder, 'node_modules', name));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'program.ts'), PROGRAM);
  execFileSync(process.execPath, [join(modules, 'typescript/bin/tsc'), '--strict', '--module', 'nodenext', '--target', 'esnext', '--noEmit', '--types', 'node', 'program.ts'], { cwd: folder, stdio: 'pipe' });
  // "await using" and newer functions made it a library for the newest Node alone.
  writeFileSync(join(folder, 'plain.mjs'), PLAIN);
  for (const node of [process.execPath, ...otherNodes()]) t.is(execFileSync(node, ['plain.mjs'], { cwd: folder, encoding: 'utf8' }), 'no response function\n');
  t.is(execFileSync(process.execPath, ['program.ts'], { cwd: folder, encoding: 'utf8' }), 'function no response\n');
});
