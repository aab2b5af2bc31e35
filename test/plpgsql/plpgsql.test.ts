// PL/pgSQL through psql: what scripts print here is what PostgreSQL 15 printed.
import test from 'ava';
import { startSite, SUPERUSER } from '../support/site.ts';
import { expectedOf, runScript, scriptOf, SCRIPTS } from './scripts.ts';

const site = await startSite({ ini: 'dress_rehearsal = off\n' });

test.after.always(async () => site.remove());

for (const name of SCRIPTS) {
  test.serial(name, async (t) => {
    t.is(await runScript({ host: '127.0.0.1', port: site.port, user: SUPERUSER }, 'plpgsql_test', scriptOf(name)), expectedOf(name));
  });
}
