// Long output goes through a pager when somebody sits there (PageOutput of print.c).
import { childProcess } from '../prompt.ts';
import { pset } from './settings.ts';
import { stdout, toBytes, type Sink } from './output.ts';
import type { TableOptions } from './print_options.ts';

export function pageOut(text: string, options: Pick<TableOptions, 'pager' | 'pagerMinLines'>, out: Sink): void {
  const screen = process.stdout.rows ?? 0;
  if (out !== stdout || pset.notTty || options.pager === 0 || !process.stdout.isTTY) {
    out.write(text);
    return;
  }
  const lines = text.split('\n').length - 1, columns = process.stdout.columns;
  const long = lines >= screen && lines >= options.pagerMinLines, wide = text.split('\n').some((l) => l.length > columns);
  const program = process.env['PSQL_PAGER'] ?? process.env['PAGER'] ?? 'more';
  if (program.trim() === '' || !(options.pager === 2 || long || wide)) {
    out.write(text);
    return;
  }
  stdout.flush();
  childProcess().spawnSync('/bin/sh', ['-c', program], { input: toBytes(text), stdio: ['pipe', 'inherit', 'inherit'] });
}
