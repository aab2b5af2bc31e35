// What the rehearsal before listening is for: a session finds everything compiled, and throws none of it away.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { giveToAccount } from '../support/account.ts';
import { runFolder, until } from '../support/run.ts';
import { Session } from '../support/sessions.ts';
import { makeSite, product, program, startSite, type Site } from '../support/site.ts';

let site: Site, logFile: string;

// The launcher, with V8's log of what is compiled at a first call, and of what is thrown away.
test.before(async () => {
  const folder = mkdtempSync(join(runFolder(), 'rehearsal-')), bin = join(folder, 'bin'), launcher = program('postmaster');
  logFile = join(folder, 'v8.log');
  mkdirSync(bin);
  writeFileSync(join(bin, 'postmaster'), readFileSync(launcher, 'utf8')
    .replace('self=$(readlink -f "$0")', `self=${launcher}`)
    .replace('--no-flush-bytecode', `--no-flush-bytecode --log-deopt --log-function-events --no-logfile-per-isolate --logfile=${logFile}`), { mode: 0o755 });
  giveToAccount(folder);
  site = await startSite({ folder: await makeSite(), product: { ...product, bin } });
});
test.after.always(async () => site?.remove());

interface Event { line: string; at: number }

/** Deoptimizations, and functions that were parsed. A child writes what the postmaster had not yet written as well. */
function events(): Event[] {
  return readFileSync(logFile, 'latin1').split('\n').flatMap((line) => {
    const f = line.split(',');
    if (f[0] === 'code-deopt') return [{ line, at: Number(f[1]) }];
    return f[0] === 'function' && /parse|lazy/.test(f[1]!) ? [{ line, at: Number(f[6]) }] : [];
  });
}

/** What the sessions of `work` did that the rehearsal should have. */
async function news(work: (session: Session) => Promise<unknown>): Promise<string[]> {
  const ordinary = async (): Promise<void> => {
    const session = await Session.open(site);
    await work(session);
    await session.end();
  };
  await ordinary();
  const known = new Set(events().map(({ line }) => line)), from = Math.max(...events().map(({ at }) => at));
  await ordinary();
  return events().filter(({ line, at }) => !known.has(line) && at > from).map(({ line }) => line);
}

// Five functions that only a child calls were compiled by each (leaveSlot, leaveStores, ...: 50 page faults), and each threw away
// parseV4, for the address of its client, and areTablesLocked, for its database.
test.serial('a connection and one query', async (t) => {
  t.deepEqual(await news(async (session) => session.run('select 1')), []);
});

// The first signal while a session waited for a message had it throw away what reads messages, and what waits for the manager; so did
// the first fraction in a row of pg_statistic, and statistics that no longer fitted into a word.
test.serial('short transactions', async (t) => {
  const prepare = await Session.open(site);
  await prepare.run(`create table account (aid int primary key, bid int, balance int, filler char(84));
    create table branch (bid int primary key, balance int, filler char(88));
    create table history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
    insert into account select g, g % 7, 0, '' from generate_series(1, 20000) g; insert into branch select g, 0, '' from generate_series(0, 9) g;
    analyze account; analyze branch`);
  await prepare.end();
  const counts = await Session.open(site);
  let told = 0;
  t.deepEqual(await news(async (session) => {
    for (let i = 1; i < 100; i++) {
      await session.run('begin');
      await session.run(`update account set balance = balance + ${i} where aid = ${i * 131}`);
      await session.run(`select balance from account where aid = ${i * 131}`);
      await session.run(`update branch set balance = balance + ${i} where bid = ${i % 10}`);
      await session.run(`insert into history (tid, bid, aid, delta, mtime) values (1, ${i % 10}, ${i * 131}, ${i}, current_timestamp)`);
      await session.run('end');
      if (i % 40 === 0) {
        // It tells its statistics while it waits for the next message.
        const before = told;
        await until('the session has told', async () => {
          told = Number((await counts.run("select pg_stat_get_tuples_inserted('history'::regclass)"))[0]);
          return told > before;
        }, 30_000);
      }
    }
  }), []);
});
