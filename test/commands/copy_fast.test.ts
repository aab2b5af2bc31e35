// COPY's short way against its long way: a table with a CHECK constraint always takes the long one.
import test from 'ava';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PgError } from '../../src/common/errors.ts';
import { below, pick, seeded, type Random } from '../access/helpers.ts';
import { whenSettled } from '../../src/backend/utils/interrupts.ts';
import { openSession, run } from '../executor/session.ts';

const folder = mkdtempSync(join(tmpdir(), 'copy-'));
let session: { remove: () => void };
test.before(async () => { session = await openSession(); });
test.after.always(() => { session?.remove(); rmSync(folder, { recursive: true, force: true }); });

const COLUMNS = 'a int, b smallint, c bigint, d text, e varchar(6), f char(5), g numeric, h boolean, i date, j float8, k char(300)';
const words = ['', 'x', 'hello', ' blank ', 'ünï', '日本', '𝄞', 'tab\\there', 'back\\\\slash', 'new\\nline', '\\x41\\102', 'a\\\nb', '\u00a0'];

function field(r: Random, i: number): string {
  if (r() < 0.12) return '\\N';
  switch (i) {
    case 0: return pick(r, ['0', '-0', '7', '-2147483648', '2147483647', ' 12 ', '+5', String(below(r, 1e9))]);
    case 1: return pick(r, ['0', '-32768', '32767', String(below(r, 30000))]);
    case 2: return pick(r, ['0', '-1', '999999999999999', '9223372036854775807', '-9223372036854775808', '123456789012345678']);
    case 3: return pick(r, words);
    case 4: return pick(r, ['', 'abc', 'ünïcöd', 'abcdef', 'abcdef   ', 'a\\tb']);
    case 5: return pick(r, ['', 'abc', 'abcde', 'abcde    ', 'ab   ', 'ü', '日本日本日', '     ']);
    case 6: return pick(r, ['0', '1.50', '-1e10', 'NaN', '123456789.123456789']);
    case 7: return pick(r, ['t', 'f', 'true', 'off', '1']);
    case 8: return pick(r, ['2020-02-29', 'infinity', '0001-01-01', '4713-01-01 BC']);
    case 9: return pick(r, ['0', '-0', '1.5', 'NaN', '1e300']);
    default: return pick(r, ['', 'k', 'k'.repeat(300), `k${' '.repeat(400)}`]);
  }
}

const BAD: [line: string, what: RegExp][] = [
  ['1\t2', /missing data for column "c"/], ['x\t1\t1\t\t\t\t1\tt\t2020-01-01\t0\t', /invalid input syntax for type integer: "x"/],
  [`${'\\N\t'.repeat(11)}extra`, /extra data after last expected column/], ['2147483648\t1\t1\t\t\t\t1\tt\t2020-01-01\t0\t', /out of range for type integer/],
  ['1\t32768\t1\t\t\t\t1\tt\t2020-01-01\t0\t', /out of range for type smallint/], ['1\t1\t1\t\ttoolong\t\t1\tt\t2020-01-01\t0\t', /value too long for type character varying\(6\)/],
  ['1\t1\t1\t\t\ttoolong\t1\tt\t2020-01-01\t0\t', /value too long for type character\(5\)/], ['1\t1\t1\t\t\t\t1\tt\tnever\t0\t', /invalid input syntax for type date/],
  ['1\t1\t1\t\xff\t\t\t1\tt\t2020-01-01\t0\t', /invalid byte sequence/], ['\t1\t1\t\t\t\t1\tt\t2020-01-01\t0\t', /invalid input syntax for type integer: ""/],
];

function copy(table: string, bytes: Buffer): string {
  const file = join(folder, 'data');
  writeFileSync(file, bytes);
  try {
    run(`copy ${table} from '${file}'`);
    return 'ok';
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    return `${error.condition}: ${error.message} / ${error.fields.detail ?? ''} / ${error.fields.where?.replace(/^COPY \w+/, '')}`;
  }
}

test.serial('random lines are read alike by both ways', (t) => {
  run(`create table fast (${COLUMNS}); create table slow (${COLUMNS}, check (true)); create unique index on fast (c, d, a, b, f, g) where false`);
  run('create index on fast (a); create index on fast (f, d); create index on fast (c)');
  run('drop index fast_c_d_a_b_f_g_idx');
  const random = seeded(3);
  for (let round = 0; round < 12; round++) {
    const count = pick(random, [1, 2, 50, 700]);
    const lines = Array.from({ length: count }, () => Array.from({ length: 11 }, (_, i) => field(random, i)).join('\t'));
    const text = Buffer.from(lines.join('\n') + (random() < 0.5 ? '\n' : random() < 0.5 ? '\n\\.\n' : ''));
    run('truncate fast; truncate slow');
    t.is(copy('fast', text), 'ok');
    t.is(copy('slow', text), 'ok');
    const all = run('select * from slow');
    t.is(all.length, count);
    t.deepEqual(run('select * from fast'), all, `round ${round}`);
    t.deepEqual(run('set enable_seqscan = off; select count(*) from fast where a >= -2147483648 or a is null'), [String(count)]);
    t.deepEqual(run('select a, d from fast where f = \'abcde\' order by f, d, a'), run('select a, d from slow where f = \'abcde\' order by f, d, a'));
  }
});

test.serial('errors have the same text, line and column', (t) => {
  const random = seeded(4);
  for (const [line, what] of BAD) {
    const before = Array.from({ length: below(random, 20) }, () => `${below(random, 99)}\t1\t1\tgood\tü\tx\t1\tt\t2020-01-01\t0\t`);
    const text = Buffer.concat([Buffer.from(before.map((l) => `${l}\n`).join('')), Buffer.from(line, line.includes('\xff') ? 'latin1' : 'utf8'), Buffer.from('\n1\n')]);
    run('truncate fast; truncate slow');
    const message = copy('slow', text);
    t.regex(message, what);
    t.regex(message, new RegExp(`, line ${before.length + 1}\\b`));
    t.is(copy('fast', text), message);
    t.deepEqual(run('select count(*) from fast'), ['0']);
  }
});

test.serial('NOT NULL, unique keys, some columns, other delimiters', (t) => {
  run('create table fast2 (a int primary key, b text not null, c char(3), d int); create table slow2 (a int primary key, b text not null, c char(3), d int, check (true))');
  const both = (columns: string, options: string, text: string): string => {
    const [fast, slow] = ['fast2', 'slow2'].map((table) => {
      run(`truncate ${table}`);
      writeFileSync(join(folder, 'data'), text);
      try {
        run(`copy ${table} ${columns} from '${join(folder, 'data')}' ${options}`);
      } catch (error) {
        const { message, fields } = error as PgError;
        return `${message}, ${fields.detail ?? ''}, ${fields.where}`.replaceAll(table, 'T');
      }
      return run(`select * from ${table}`).join(';');
    });
    t.is(fast, slow);
    return fast!;
  };
  t.is(both('', '', '1\tx\ty\t4\n2\tü\t\\N\t\\N\n'), '1|x|y  |4;2|ü||');
  t.is(both('(a, b)', "(delimiter ',')", '1,x\n2,y\tz\n'), '1|x||;2|y\tz||');
  t.is(both('(b, a)', '', 'x\t1\n'), '1|x||');
  t.is(both('(a, d, b)', "(delimiter '|')", '1|2|x\n3|\\N|y\n'), '1|x||2;3|y||');
  t.regex(both('', '', '1\tx\ty\t4\n2\t\\N\ty\t4\n'), /null value in column "b".*line 2/);
  t.regex(both('', '', '1\tx\ty\t4\n2\tx\ty\t4\n1\tz\ty\t4\n'), /duplicate key.*Key \(a\)=\(1\) already exists.*line 3/);
  t.regex(both('(a, b)', "(delimiter ',')", '1,x,3\n2,y\n'), /extra data.*line 1/);
  t.regex(both('(a, b)', "(delimiter ',')", '1,x\n2,y,3\n'), /extra data.*line 2/);
});

// A piece has fewer lines than it waited for, so it never asked: no cancel was heard, and all of it ran as code that had not been compiled.
test.serial('a long COPY asks for interrupts, and is more than a session\'s beginning', (t) => {
  run('create table long (a int, filler char(84))');
  const parts: boolean[] = [];
  whenSettled((whole) => parts.push(whole));
  t.is(copy('long', Buffer.from(`1\t${'x'.repeat(84)}\n`.repeat(5000))), 'ok');
  t.deepEqual(parts, [false, true]);
});
