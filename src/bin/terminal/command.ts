// Backslash commands (command.c): which there are, and how one is run. The commands stand in command_*.ts and describe*.ts.
import type { ConditionalStack } from './conditional.ts';
import { logError, logHint, logWarning } from './output.ts';
import type { ArgumentKind, Scanner } from './scan.ts';
import { pset } from './settings.ts';

/** What is to be done after a command: nothing, send the statement, end, rescan what an editor gave; or it failed. */
export type CommandStatus = 'unknown' | 'send' | 'skip' | 'terminate' | 'newedit' | 'error';

export interface CommandContext {
  name: string;
  scanner: Scanner;
  conditions: ConditionalStack;
  query: { text: string };
  previous: { text: string };
  /** The next argument; null: none. */
  arg: (kind?: ArgumentKind, stripSemicolon?: boolean) => string | null;
}

export type Command = (context: CommandContext) => CommandStatus | Promise<CommandStatus>;

/** Filled by the files of commands. */
export const COMMANDS = new Map<string, Command>();
/** Commands that are families of names, like \d…; asked when the table has none. */
export const FAMILIES: ((name: string) => Command | null)[] = [];
/** \restrict: until \unrestrict is given this key, no other command works, so that a dump cannot smuggle one in. */
export const restriction: { key: string | null } = { key: null };
/** Commands that work in branches that are not taken. */
const CONDITIONAL = new Set(['if', 'elif', 'else', 'endif']);

export function defineCommands(table: Readonly<Record<string, Command>>): void {
  for (const [names, command] of Object.entries(table)) for (const name of names.split(' ')) COMMANDS.set(name, command);
}

export async function handleSlash(scanner: Scanner, conditions: ConditionalStack, query: { text: string }, previous: { text: string }): Promise<CommandStatus> {
  const name = scanner.commandName(), active = conditions.active;
  const context: CommandContext = { name, scanner, conditions, query, previous, arg: (kind = 'normal', strip = false) => scanner.argument(kind, strip) };
  let status: CommandStatus;
  if (restriction.key !== null && name !== 'unrestrict') {
    logError('backslash commands are restricted; only \\unrestrict is allowed');
    scanner.argument('whole line');
    scanner.commandEnd();
    return 'error';
  }
  const command = COMMANDS.get(name) ?? FAMILIES.map((f) => f(name)).find((c) => c !== null) ?? null;
  if (command === null) {
    logError(`invalid command \\${name}`);
    if (pset.interactive) logHint('Try \\? for help.');
    status = 'error';
  } else if (!active && !CONDITIONAL.has(name)) {
    if (pset.interactive) logWarning(`\\${name} command ignored; use \\endif or Ctrl-C to exit current \\if block`);
    // Its arguments are skipped as they would be read.
    if (/^(copy|!|\?|help|h|ef|ev|sf|sv)$/.test(name)) scanner.argument('whole line');
    status = 'skip';
  } else status = await command(context);
  if (status !== 'error') {
    // Whatever is left of its line is told and dropped; backticks in it are not run.
    const told = conditions.active;
    conditions.push('ignored');
    for (let extra = scanner.argument(); extra !== null; extra = scanner.argument()) if (told) logWarning(`\\${name}: extra argument "${extra}" ignored`);
    conditions.pop();
  } else scanner.argument('whole line');
  scanner.commandEnd();
  pset.out.flush();
  return status;
}
