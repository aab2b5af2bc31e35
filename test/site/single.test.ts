// postgres --single: one backend on the terminal. It once did not start: a class was used before the module had made it.
import test from 'ava';
import { makeSite, run } from '../support/site.ts';

test('statements from standard input, in a site without postmaster', async (t) => {
  const site = await makeSite();
  const first = await run('postgres', ['--single', '-D', site, 'postgres'],
    { input: 'create table t (a int);\ninsert into t values (1), (2);\nselect sum(a) from t;\nselect nosuch;\n' });
  t.is(first.code, 0, first.err);
  t.regex(first.out, /1: sum = "3"\t\(typeid = 20, typmod = -1\)/);
  t.is(first.err, 'ERROR:  column "nosuch" does not exist\n');
  const second = await run('postgres', ['--single', '-D', site, 'postgres'], { input: 'select count(*) from t;\n' });
  t.regex(second.out, /count = "2"/);
  const third = await run('postgres', ['--single', '-D', site, 'nosuch'], { input: '' });
  t.is(third.code, 1);
  t.regex(third.err, /database "nosuch" does not exist/);
});
