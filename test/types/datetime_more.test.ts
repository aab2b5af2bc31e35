// What the general differential test of dates and times cannot call: binary forms, timetz and zones, sets, aggregates, views.
import test from 'ava';
import { makeArray } from '../../src/backend/types/datum.ts';
import { datetimeSettings } from '../../src/backend/types/datetime_settings.ts';
import { findBuiltin } from '../../src/backend/types/fmgr.ts';
import { currentTime } from '../../src/backend/types/timestamp.ts';
import { findTimeZone } from '../../src/backend/types/timezone.ts';
import { session } from '../../src/backend/utils/session.ts';
import { DATETIME_POOLS } from './datetime_pools.ts';
import { askOracle, describeError, fn, oracleAvailable, queryOracle } from './harness.ts';

const check = oracleAvailable ? test.serial : test.skip;

check('binary forms, zones, sets, aggregates', (t) => {
  session.transactionStart = currentTime();
  datetimeSettings.timeZone = findTimeZone('America/New_York')!;
  const S = "set timezone='America/New_York';";
  const rows: [string, () => string][] = [];
  const stems: Record<string,string> = {date:'date','time without time zone':'time','time with time zone':'timetz','timestamp without time zone':'timestamp','timestamp with time zone':'timestamptz',interval:'interval'};
  const sendName = (s:string)=> s+'_send';
  for (const [type, stem] of Object.entries(stems)) for (const v of DATETIME_POOLS[type]!) {
    rows.push([`encode(${sendName(stem)}('${v}'::${type}),'hex')`, () => Buffer.from(fn(sendName(stem))(fn(stem+'_in')(v,0,-1))).toString('hex')]);
    rows.push([`'${v}'::${type}`, () => fn(stem+'_out')(fn(stem+'_recv')(fn(sendName(stem))(fn(stem+'_in')(v,0,-1)),0,-1))]);
  }
  for (const z of ['UTC','EST','msk','Europe/Paris','nowhere','+3']) for (const v of DATETIME_POOLS['time with time zone']!) rows.push([`timezone('${z}', '${v}'::timetz)`, () => fn('timetz_out')(fn('timetz_zone')(z, fn('timetz_in')(v,0,-1)))]);
  for (const z of ['1 hour','-05:30','1 day']) for (const v of DATETIME_POOLS['time with time zone']!) rows.push([`timezone('${z}'::interval, '${v}'::timetz)`, () => fn('timetz_out')(fn('timetz_izone')(fn('interval_in')(z,0,-1), fn('timetz_in')(v,0,-1)))]);
  for (const v of DATETIME_POOLS['time without time zone']!) rows.push([`'${v}'::time::timetz`, () => fn('timetz_out')(fn('time_timetz')(fn('time_in')(v,0,-1)))]);
  const ctx: any = {};
  for (const [a,b,st] of [['2024-03-08','2024-03-12','1 day'],['2024-01-31','2024-06-30','1 month'],['2024-03-12','2024-03-08','-12 hours'],['2024-01-01','2024-01-02','0']]) for (const k of ['timestamp','timestamptz'])
    rows.push([`(select string_agg(g::text,',') from generate_series('${a}'::${k},'${b}'::${k},'${st}'::interval) g)`, () => [...(findBuiltin('generate_series_'+k) as any).fn(ctx, fn(k+'_in')(a,0,-1), fn(k+'_in')(b,0,-1), fn('interval_in')(st,0,-1))].map((x:any)=>fn(k+'_out')(x)).join(',')]);
  rows.push([`(select avg(x) from unnest('{1 day,2 mons 03:00,-5 days 00:00:00.7}'::interval[]) x)`, () => { let s: any = makeArray(1186,[fn('interval_in')('0 second',0,-1),fn('interval_in')('0 second',0,-1)]); for (const t of ['1 day','2 mons 03:00','-5 days 00:00:00.7']) s=fn('interval_accum')(s,fn('interval_in')(t,0,-1)); return fn('interval_out')(fn('interval_avg')(s)); }]);
  rows.push(['current_date', () => fn('date_out')(fn('timestamptz_date')(session.transactionStart))]);
  const theirs = askOracle(rows.map(([sql]) => sql), S);
  t.deepEqual(rows.flatMap(([sql, run], i) => {
    let mine: string;
    try {
      mine = run();
    } catch (error) {
      mine = describeError(error);
    }
    return mine === theirs[i] ? [] : [`${sql}\n   ours:   ${mine}\n   theirs: ${theirs[i]}`];
  }), []);
});

// A host may link whole folders of zones (posix/): pg_timezone_names once left them out.
for (const name of ['pg_timezone_names', 'pg_timezone_abbrevs']) {
  check(name, (t) => {
    session.transactionStart = currentTime();
    const show = (row: any): string => row.values.map((value: any) => (typeof value === 'object' ? fn('interval_out')(value) : value === true ? 't' : value === false ? 'f' : value)).join('|');
    t.deepEqual([...(findBuiltin(name) as any).fn({})].map(show).sort(), queryOracle(`select * from ${name}()`).map((row) => row.join('|')).sort());
  });
}
