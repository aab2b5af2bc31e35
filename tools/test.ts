// Runs ava on the given test files (or all) and closes with one plain line: "N passed, N failed".
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ava = fileURLToPath(new URL('../node_modules/ava/entrypoints/cli.js', import.meta.url));
const child = spawn(process.execPath, [ava, ...process.argv.slice(2)], { stdio: ['ignore', 'pipe', 'inherit'] });
let tail = '';
child.stdout.on('data', (data: Buffer) => {
  process.stdout.write(data);
  tail = (tail + data.toString('utf8')).slice(-4000);
});
child.on('close', (code) => {
  const count = (pattern: RegExp): number =>
    [...tail.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0);
  const passed = count(/^\s*(\d+) tests? passed/gm);
  let failed = count(/^\s*(\d+) (?:tests?|hooks?|known failures?) failed/gm)
    + count(/^\s*(\d+) (?:uncaught exceptions?|unhandled rejections?|tests? files? (?:were|was) not run)/gm);
  if (code !== 0 && failed === 0) failed = 1; // a crash or a time-out has no count of its own
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = code === 0 ? 0 : 1;
});
