// Runs a program of the package: start.cjs <program> <arguments>. The programs are one script (tools/bundle.ts); what V8
// made of it when the package was built lies beside it and saves compiling it again. A V8 of another version, or with
// other flags, refuses that and compiles.
'use strict';
const { existsSync, readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');

const file = join(__dirname, 'posthouse.js'), cache = join(__dirname, 'posthouse.cache');
const script = new Script(readFileSync(file, 'latin1'), { filename: file, ...(existsSync(cache) ? { cachedData: readFileSync(cache) } : {}) });
const use = script.runInThisContext()(require, __dirname, createRequire);
if (require.main === module) {
  const [program] = process.argv.splice(2, 1);
  process.argv[1] = join(__dirname, '../bin', program);
  use(`bin/${program}.js`);
} else module.exports = { script, use };
