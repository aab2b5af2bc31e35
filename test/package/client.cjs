// A client for the package's test, on the Node that the package brings: client.cjs <command> ...
//   query SOCKET SQL          one connection; "<ms> <first value>"
//   hold SOCKET N             N sessions, "held"; at their end "<ms since the first end> <how many were told 57P01>"
//   storm SOCKET N MS...      rounds of N clients that connect, ask and leave all at once, with pauses of so many
//                             milliseconds before; "<answered> <failed> <worst ms>"
//   write SOCKET              inserts 1, 2, 3, ... in sessions of 20 each, until standard input ends; then "<acknowledged>
//                             <of them missing> <sessions ended> <connections refused> <longest wait in ms>"
'use strict';
const net = require('node:net');

function session(socket, events) {
  const s = net.connect(socket), packet = Buffer.from('\0\0\0\0\0\x03\0\0user\0posthouse\0database\0postgres\0\0', 'latin1');
  packet.writeInt32BE(packet.length, 0);
  let bytes = Buffer.alloc(0), last = '';
  s.on('connect', () => s.write(packet));
  s.on('error', (error) => { events.lost?.(error.message); events.lost = undefined; });
  s.on('close', () => { events.lost?.(last || 'closed'); events.lost = undefined; });
  s.on('data', (data) => {
    bytes = Buffer.concat([bytes, data]);
    while (bytes.length >= 5 && bytes.length > bytes.readInt32BE(1)) {
      const end = 1 + bytes.readInt32BE(1), type = String.fromCharCode(bytes[0]), body = bytes.subarray(5, end);
      bytes = bytes.subarray(end);
      if (type === 'E') last = /C(\w{5})\0/.exec(body.toString('latin1'))[1];
      if (type === 'D') events.row?.(body.toString('utf8', 6, 6 + Math.max(0, body.readInt32BE(2))));
      if (type === 'Z') events.ready?.(s);
    }
  });
  return s;
}
const ask = (s, sql) => {
  const message = Buffer.from(`Q\0\0\0\0${sql}\0`, 'utf8');
  message.writeInt32BE(message.length - 1, 1);
  s.write(message);
};

function once(socket, sql, done) {
  const since = performance.now();
  let asked = false, value = '';
  const events = {
    row: (text) => { value = text; },
    ready: (s) => {
      if (!asked) {
        asked = true;
        ask(s, sql);
        return;
      }
      events.lost = undefined;
      s.end(Buffer.from([0x58, 0, 0, 0, 4]));
      done(null, performance.now() - since, value);
    },
    lost: (why) => done(why, performance.now() - since, ''),
  };
  session(socket, events);
}

const [command, socket, ...rest] = process.argv.slice(2);
if (command === 'query') {
  once(socket, rest[0], (failure, ms, value) => {
    console.log(failure === null ? `${ms.toFixed(0)} ${value}` : `failed ${failure}`);
    process.exitCode = failure === null ? 0 : 1;
  });
} else if (command === 'hold') {
  const wanted = Number(rest[0]), told = [];
  let ready = 0, first = 0;
  for (let i = 0; i < wanted; i++) {
    session(socket, {
      ready: () => { if (++ready === wanted) console.log('held'); },
      lost: (why) => {
        first ||= performance.now();
        told.push(why);
        if (told.length === wanted) console.log(`${(performance.now() - first).toFixed(0)} ${told.filter((w) => w === '57P01').length}`);
      },
    });
  }
} else if (command === 'storm') {
  const [clients, ...pauses] = rest.map(Number), reasons = new Map();
  let answered = 0, failed = 0, worst = 0;
  const round = () => {
    let running = clients;
    const client = () => once(socket, 'select 1', (failure, ms) => {
      if (failure === null) answered++;
      else {
        failed++;
        reasons.set(failure, (reasons.get(failure) ?? 0) + 1);
      }
      worst = Math.max(worst, ms);
      if (--running === 0) next();
    });
    for (let i = 0; i < clients; i++) client();
  };
  const next = () => {
    if (pauses.length > 0) setTimeout(round, pauses.shift());
    else console.log(`${answered} ${failed} ${worst.toFixed(0)} ${[...reasons].map(([why, n]) => `${why} x${n}`).join(', ')}`);
  };
  next();
} else if (command === 'write') {
  const acknowledged = [];
  let number = 0, over = false, ended = 0, refused = 0, longest = 0, last = performance.now();
  process.stdin.on('end', () => { over = true; }).resume();
  const report = (failure, ms, stored) => {
    const there = new Set(stored.split(','));
    console.log(`${acknowledged.length} ${failure ?? acknowledged.filter((n) => !there.has(String(n))).length} ${ended} ${refused} ${longest.toFixed(0)}`);
  };
  const open = () => {
    if (over) {
      once(socket, "select string_agg(a::text, ',') from writes", report);
      return;
    }
    let count = 0, asked = false;
    const events = {
      ready: (s) => {
        if (asked) {
          acknowledged.push(number);
          longest = Math.max(longest, performance.now() - last);
          last = performance.now();
          count++;
        }
        if (over || count === 20) {
          events.lost = undefined;
          s.end(Buffer.from([0x58, 0, 0, 0, 4]));
          open();
          return;
        }
        asked = true;
        ask(s, `insert into writes values (${++number})`);
      },
      lost: (why) => {
        if (/REFUSED|NOENT/.test(why)) refused++;
        else ended++;
        setTimeout(open, 10);
      },
    };
    session(socket, events);
  };
  open();
}
