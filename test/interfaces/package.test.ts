// posthouse/libpq as a program elsewhere gets it: from the packed tarball, with its types. (The tarball had nothing of dist.)
import test from 'ava';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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

test('it is imported from a packed tarball, types and all', (t) => {
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], { cwd: checkout, stdio: 'pipe' });
  const to = join(folder, 'node_modules/posthouse');
  mkdirSync(to, { recursive: true });
  execFileSync('tar', ['xzf', join(folder, readdirSync(folder).find((f) => f.endsWith('.tgz'))!), '-C', to, '--strip-components=1']);
  for (const name of ['@types', 'undici-types']) symlinkSync(join(modules, name), join(folder, 'node_modules', name));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'program.ts'), PROGRAM);
  execFileSync(process.execPath, [join(modules, 'typescript/bin/tsc'), '--strict', '--module', 'nodenext', '--target', 'esnext', '--noEmit', '--types', 'node', 'program.ts'], { cwd: folder, stdio: 'pipe' });
  t.is(execFileSync(process.execPath, ['program.ts'], { cwd: folder, encoding: 'utf8' }), 'function no response\n');
});
