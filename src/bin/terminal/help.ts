// \?, --help (help.c).
import { userInfo } from 'node:os';
import { COPYRIGHT, commandHelp, optionHelp, VARIABLE_HELP, type OptionState } from './help_text.ts';
import { stdout } from './output.ts';
import { pageOut } from './pager.ts';
import { pset } from './settings.ts';

export const copyright = (): string => COPYRIGHT;
function optionState(): OptionState {
  const { env } = process, user = env['PGUSER'] || userInfo().username;
  return { user, database: env['PGDATABASE'] || user, host: env['PGHOST'] || 'local socket', port: env['PGPORT'] || '5432' };
}
const onOff = (on: boolean): string => (on ? 'on' : 'off');

export function slashUsage(topic: string | null): void {
  const { popt } = pset;
  const text = topic === 'options' ? optionHelp(optionState()) : topic === 'variables' ? VARIABLE_HELP : commandHelp({
    html: onOff(popt.format === 'html'), tuplesOnly: onOff(popt.tuplesOnly), expanded: popt.expanded, timing: onOff(pset.timing),
    connection: pset.db === null ? 'no connection' : `"${pset.db.database}"`,
  });
  pageOut(text, popt, stdout);
  stdout.flush();
}

export function usage(topic: string): void {
  if (topic === 'commands' || topic === 'variables') slashUsage(topic);
  else stdout.write(optionHelp(optionState()));
  stdout.flush();
}
