#!/usr/bin/env node
// posthouse: the administrator's command. What it can do is in admin/commands.ts.
import { writeSync } from 'node:fs';
import { COMMANDS, helpOf, helpOfAll, type Command, type Given } from './admin/commands.ts';
import { Failure, say, USAGE } from './admin/terminal.ts';
import { VERSION } from './getopt.ts';

const LETTERS: Readonly<Record<string, string>> = { '-f': '--follow', '-n': '--lines', '-y': '--yes', '-?': '--help', '-V': '--version' };

function findCommand(words: readonly string[]): Command {
  const found = COMMANDS.find((c) => c.words === words.slice(0, 2).join(' '));
  if (found) return found;
  const group = COMMANDS.some((c) => c.words.startsWith(`${words[0]} `));
  throw new Failure(words.length === 0 ? 'what shall be done?' : `there is no command "${words.slice(0, group ? 2 : 1).join(' ')}"`,
    `posthouse ${group ? `${words[0]} ` : ''}--help lists them.`, USAGE);
}

function readOptions(command: Command, args: readonly string[]): Given {
  const known = new Map(command.options.map(([text]) => [text.split('=')[0]!, text.includes('=')])), options = new Map<string, string>(), rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--') {
      rest.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      rest.push(arg);
      continue;
    }
    const equals = arg.indexOf('='), name = (equals < 0 ? arg : arg.slice(0, equals)).replace(/^--/, ''), wants = known.get(name);
    if (wants === undefined) throw new Failure(`posthouse ${command.words} has no option "${arg}"`, `posthouse ${command.words} --help lists them.`, USAGE);
    const value = !wants ? '' : equals >= 0 ? arg.slice(equals + 1) : args[++i];
    if (value === undefined || (!wants && equals >= 0)) throw new Failure(`--${name} wants ${wants ? 'an argument' : 'no argument'}`, undefined, USAGE);
    options.set(name, value);
  }
  if (rest.length !== command.args.length) {
    const missing = command.args[rest.length];
    throw new Failure(missing === undefined ? `too many arguments: "${rest[command.args.length]}"` : `${missing} is missing`, `As in: ${command.example}`, USAGE);
  }
  return { args: rest, options };
}

async function main(): Promise<number> {
  const args = process.argv.slice(2).map((arg) => LETTERS[arg] ?? arg);
  const words = args.filter((arg) => !arg.startsWith('-'));
  if (args[0] === '--version') {
    say(`posthouse ${VERSION}`);
    return 0;
  }
  const wantsHelp = args.includes('--help');
  const group = words.length === 1 && COMMANDS.some((c) => c.words.startsWith(`${words[0]} `));
  if (words.length === 0 || group) {
    say(helpOfAll(group ? `${words[0]} ` : ''));
    return wantsHelp ? 0 : USAGE;
  }
  const command = findCommand(words);
  if (wantsHelp) {
    say(helpOf(command));
    return 0;
  }
  // The two words, wherever options stand between them.
  let dropped = 0;
  const rest = args.filter((arg) => arg.startsWith('-') || ++dropped > 2);
  return await command.run(readOptions(command, rest)) ?? 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  writeSync(2, `posthouse: ${error.message}\n${error.hint === undefined ? '' : `  ${error.hint}\n`}`);
  process.exitCode = error.code;
}
