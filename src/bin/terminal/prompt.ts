// Prompts (prompt.c): what stands for %/ %R %x and their like.
import { hostname } from 'node:os';
import type { ConditionalStack } from './conditional.ts';
import { textWidth } from './mbprint.ts';
import type { PromptStatus } from './scan.ts';
import { pset } from './settings.ts';
import { runShell } from './shell.ts';
import { getVariable } from './variables.ts';

const WAITING: Record<PromptStatus, string> = { 'ready': '', 'continue': '-', 'single quote': '\'', 'double quote': '"', 'dollar quote': '$', 'comment': '*', 'paren': '(', 'copy': '' };

/** How wide the last PROMPT1 was, for %w. */
let width = 0;

export function promptText(status: PromptStatus, conditions: ConditionalStack, line = pset.statementLine): string {
  const format = status === 'ready' ? pset.prompt1 : status === 'copy' ? pset.prompt3 : pset.prompt2, { db } = pset;
  const host = (short: boolean): string => {
    const name = db?.host ?? '';
    if (name === '' || name.startsWith('/')) return short || name === '' ? '[local]' : `[local${name === '/tmp' || name === '/var/run/postgresql' ? '' : `:${name}`}]`;
    return short ? name.split('.')[0]! : name;
  };
  const ready = status === 'ready';
  const text = format.replace(/%(?:([0-7]{1,3})|`([^`]*)`|:([^:]*):|([^]))/g, (_m, octal: string | undefined, command: string | undefined, variable: string | undefined, letter: string | undefined) => {
    if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8));
    if (command !== undefined) return runShell(command, { stdio: ['inherit', 'pipe', 'inherit'] }).stdout.replace(/\n$/, '');
    if (variable !== undefined) return getVariable(variable) ?? '';
    switch (letter) {
      case '/': return db?.database ?? '';
      case '~': return db === null ? '' : db.database === db.user ? '~' : db.database;
      case 'w': return ' '.repeat(width);
      case 'M': return db === null ? '' : host(false);
      case 'm': return db === null ? '' : host(true);
      case '>': return db === null ? '' : String(db.port);
      case 'n': return db === null ? '' : db.user;
      case 'p': return db === null ? '' : String(db.processId);
      case 'l': return String(line);
      case 'h': return hostname();
      case 'R':
        if (status === 'copy') return '';
        if (!ready) return WAITING[status];
        return !conditions.active ? '@' : db === null ? '!' : pset.singleLine ? '^' : '=';
      case 'x': return db === null ? '?' : { 'idle': '', 'active': '*', 'in transaction': '*', 'in error': '!', 'unknown': '?' }[db.transactionStatus];
      case '#': return db?.parameters.get('is_superuser') === 'on' ? '#' : '>';
      case '[': return '\x01';
      case ']': return '\x02';
      default: return letter!;
    }
  });
  // oxlint-disable-next-line no-control-regex -- what stands between the marks takes no columns
  if (ready) width = textWidth(text.slice(text.lastIndexOf('\n') + 1).replace(/\x01[^\x02]*\x02/g, ''));
  return text;
}
