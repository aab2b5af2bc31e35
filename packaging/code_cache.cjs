// Writes what V8 makes of the programs to standard output: node <flags> code_cache.cjs <site>
// It is a postmaster that rehearses and then, instead of listening, hands over the code: whatever a postmaster and a
// backend run is in it. Run when the package is installed, because what V8 writes is not the same twice (padding). The
// flags must be those of launch.sh.
'use strict';
const { writeSync } = require('node:fs');
const v8 = require('node:v8');
const { script, use } = require('./start.cjs');

const site = process.argv[2];
use('backend/postmaster/server_loop.js').Server.prototype.run = () => {
  v8.setFlagsFromString('--no-expose-gc'); // flags count as well
  const data = script.createCachedData();
  for (let at = 0; at < data.length;) at += writeSync(1, data, at);
  process.exit(0);
};
process.argv.splice(1, Infinity, 'postmaster', '-D', site, '-c', 'listen_addresses=', '-k', site, '-c', 'log_min_messages=fatal', '-c', 'huge_pages=off');
use('bin/postmaster.js');
