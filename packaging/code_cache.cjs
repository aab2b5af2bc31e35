// Writes what V8 makes of the programs to standard output: node <flags> code_cache.cjs <site>
// It is a postmaster that rehearses and then, instead of listening, hands over the code: whatever a postmaster and a
// backend run is in it. Run when the package is installed, because what V8 writes is not the same twice (padding). The
// flags must be those of launch.sh.
'use strict';
const { writeSync } = require('node:fs');
const { Script } = require('node:vm');
const { script, use } = require('./start.cjs');

// V8 takes code only under the flags it was made under, by a hash of them in the head. A rehearsal changes some that only say
// when to optimize; what it compiled is the same. So the head has the hash of the flags that a program starts with.
const FLAG_HASH_AT = 12;
const flagHash = new Script('').createCachedData().readUInt32LE(FLAG_HASH_AT);

const site = process.argv[2];
use('backend/postmaster/server_loop.js').Server.prototype.run = () => {
  const data = script.createCachedData();
  data.writeUInt32LE(flagHash, FLAG_HASH_AT);
  for (let at = 0; at < data.length;) at += writeSync(1, data, at);
  process.exit(0);
};
process.argv.splice(1, Infinity, 'postmaster', '-D', site, '-c', 'listen_addresses=', '-k', site, '-c', 'log_min_messages=fatal', '-c', 'huge_pages=off');
use('bin/postmaster.js');
