// PL/pgSQL beside Debian's PostgreSQL 15: both servers run the same functions in turns; a figure is the median of the ratios
// of pairs (above 1: we are faster).   node test/bench/plpgsql.ts [ROUNDS]
import { POSTGRESQL, startSite } from '../support/site.ts';
import { RawClient } from '../support/raw_client.ts';

const ROUNDS = Number(process.argv[2] ?? 7);

const SETUP = [
  `create function arithmetic(n int) returns bigint language plpgsql as $$ declare s bigint := 0; x int; begin
     for i in 1..n loop x := i % 7; if x > 3 then s := s + x; else s := s - 1; end if; end loop; return s; end $$`,
  "create function texts(n int) returns int language plpgsql as $$ declare t text := ''; begin for i in 1..n loop t := 'a' || i::text; end loop; return length(t); end $$",
  'create function fib(n int) returns int language plpgsql as $$ begin if n < 2 then return n; end if; return fib(n - 1) + fib(n - 2); end $$',
  'create function plus_one(a int) returns int language plpgsql as $$ begin return a + 1; end $$',
  'create function array_fill_up(n int) returns bigint language plpgsql as $$ declare a int[]; s bigint := 0; begin for i in 1..n loop a[i] := i; end loop; for i in 1..n loop s := s + a[i]; end loop; return s; end $$',
  'create table bench_t (id int primary key, v int)', 'insert into bench_t select i, 0 from generate_series(1, 1000) i',
  'create function updates(n int) returns void language plpgsql as $$ begin for i in 1..n loop update bench_t set v = v + 1 where id = i; end loop; end $$',
  'create function selects(n int) returns bigint language plpgsql as $$ declare s bigint := 0; x int; begin for i in 1..n loop select v into x from bench_t where id = i % 1000 + 1; s := s + x; end loop; return s; end $$',
  'create function query_loop(n int) returns bigint language plpgsql as $$ declare s bigint := 0; r record; begin for r in select i as a, i * 2 as b from generate_series(1, n) i loop s := s + r.a + r.b; end loop; return s; end $$',
  'create function exceptions(n int) returns int language plpgsql as $$ declare c int := 0; begin for i in 1..n loop begin perform 1 / (i % 2); exception when division_by_zero then c := c + 1; end; end loop; return c; end $$',
  "create function dynamic(n int) returns void language plpgsql as $$ declare x int; begin for i in 1..n loop execute 'select $1 + 1' into x using i; end loop; end $$",
  'create function inserts(n int) returns void language plpgsql as $$ begin for i in 1..n loop insert into bench_t values (i + 100000, i); end loop; delete from bench_t where id > 100000; end $$',
];

const ROWS: readonly (readonly [name: string, statement: string])[] = [
  ['1,000,000 rounds of arithmetic', 'select arithmetic(1000000)'], ['500,000 texts', 'select texts(500000)'], ['recursion: fib(22)', 'select fib(22)'],
  ['100,000 calls in a query', 'select sum(plus_one(i)) from generate_series(1, 100000) i'], ['10,000 array elements, twice', 'select array_fill_up(10000)'],
  ['1,000 UPDATEs by key', 'select updates(1000)'], ['5,000 SELECT INTO by key', 'select selects(5000)'], ['a loop over 100,000 rows', 'select query_loop(100000)'],
  ['2,000 blocks with EXCEPTION, half fail', 'select exceptions(2000)'], ['5,000 EXECUTE INTO', 'select dynamic(5000)'], ['2,000 INSERTs and a DELETE', 'select inserts(2000)'],
];

const sites = [await startSite(), await startSite({ product: POSTGRESQL })] as const;
try {
  const clients = await Promise.all(sites.map(async (site) => RawClient.open(site.port)));
  for (const client of clients) for (const text of SETUP) await client.query(text);
  const time = async (client: RawClient, text: string): Promise<number> => {
    const from = performance.now();
    await client.query(text);
    return performance.now() - from;
  };
  const median = (list: number[]): number => list.sort((a, b) => a - b)[list.length >> 1]!;
  for (const [name, text] of ROWS) {
    for (let i = 0; i < 3; i++) for (const client of clients) await time(client, text);
    const ours: number[] = [], theirs: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      ours.push(await time(clients[0]!, text));
      theirs.push(await time(clients[1]!, text));
    }
    const ratio = median(ours.map((ms, i) => theirs[i]! / ms));
    console.log(`${name.padEnd(42)} ${median(ours).toFixed(1).padStart(8)} ms  PostgreSQL ${median(theirs).toFixed(1).padStart(8)} ms   ${ratio.toFixed(2).padStart(6)} x`);
  }
  for (const client of clients) {
    client.Terminate();
    await client.closes();
  }
} finally {
  for (const site of sites) await site.remove();
}
process.exit();
