// Statements that need more than they may fail alone, and their session goes on.
import test from 'ava';
import { Session } from '../support/sessions.ts';
import { startSite, type Site } from '../support/site.ts';

let site: Site;
test.before(async () => { site = await startSite({ ini: 'dress_rehearsal = off' }); });
test.after.always(async () => site?.remove());

// A limit that was lowered in the session was not looked at until the old one was near.
test('backend_memory_limit and temp_file_limit', async (t) => {
  const session = await Session.open(site);
  await session.run("set backend_memory_limit = '100MB'");
  for (const text of [
    "select length(string_agg(repeat('x', 1000), ',')) from generate_series(1, 300000) i",
    "select cardinality(array_agg(i::text || repeat('y', 100))) from generate_series(1, 3000000) i",
  ]) {
    t.is(await session.run(text), '53200 out of memory');
    t.deepEqual(await session.run('select 1'), ['1']);
  }
  await session.run("set temp_file_limit = '1MB'; set work_mem = '64kB'");
  const sort = "select count(*) from (select i, repeat('w', 200) from generate_series(1, 20000) i order by 2, 1 offset 1) s";
  t.is(await session.run(sort), '53400 temporary file size exceeds temp_file_limit (1024kB)');
  await session.run('reset temp_file_limit');
  t.deepEqual(await session.run(sort), ['19999']);
  await session.end();
});
