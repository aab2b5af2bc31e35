// Writes what V8 makes of a client program beside it, <program>.cache: client_cache.cjs <folder> <program> [arguments]
// The arguments are of a run that ends without a server: what it compiles is what every run needs.
'use strict';
const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const { join, resolve } = require('node:path');
const { pathToFileURL } = require('node:url');
const { Script } = require('node:vm');

const [folder, program] = process.argv.splice(1, 3).slice(1), path = join(resolve(folder), program);
process.argv.splice(1, 0, path);
const script = new Script(readFileSync(`${path}.bundle`, 'utf8'), { filename: `${path}.bundle` });
process.on('exit', () => {
  writeFileSync(`${path}.cache.new`, script.createCachedData());
  renameSync(`${path}.cache.new`, `${path}.cache`);
});
script.runInThisContext()(`${pathToFileURL(resolve(folder)).href}/`);
