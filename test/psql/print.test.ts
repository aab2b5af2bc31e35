// Tables larger than a string can be.
import test from 'ava';
import { defaultOptions, FORMATS } from '../../src/bin/terminal/print_options.ts';
import { printTable } from '../../src/bin/terminal/print.ts';

test('a table of more than 512 MB is printed in pieces', (t) => {
  // "Invalid string length", and nothing printed.
  const long = 'x'.repeat(30_000_000), table = { title: null, headers: ['h'], aligns: ['l' as const], rows: Array.from({ length: 20 }, () => [long]), footers: null };
  for (const format of FORMATS.filter((f) => /^(aligned|unaligned|csv)$/.test(f))) {
    for (const expanded of ['off', 'on'] as const) {
      let length = 0;
      printTable(table, { options: { ...defaultOptions(), format, expanded }, terminalColumns: 0, startTable: true, stopTable: true, priorRecords: 0 }, { push(...pieces) { for (const piece of pieces) length += piece.length; } });
      t.true(length > 600_000_000, `${format} ${expanded}: ${length}`);
    }
  }
});
