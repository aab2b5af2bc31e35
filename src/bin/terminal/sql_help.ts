// \h: help on SQL commands, from sql_help.txt, in words of our own (helpSQL of help.c: what is found).
import { readFileSync } from 'node:fs';
import { stdout } from './output.ts';
import { pageOut } from './pager.ts';
import { pset } from './settings.ts';

interface Entry { name: string; purpose: string; lines: string[] }

export function readHelp(): Entry[] {
  const entries: Entry[] = [];
  for (const line of readFileSync(new URL('sql_help.txt', import.meta.url), 'utf8').trimEnd().split('\n')) {
    const head = /^= ([^:]+): (.*)$/.exec(line);
    if (head !== null) entries.push({ name: head[1]!, purpose: head[2]!, lines: [] });
    else if (!line.startsWith('#')) entries.at(-1)!.lines.push(line);
  }
  return entries;
}

/** All names, in columns of the screen. */
function list(entries: readonly Entry[]): string {
  const width = Math.max(...entries.map((e) => e.name.length)) + 1, screen = process.stdout.columns ?? 80;
  const columns = Math.max(1, Math.floor((screen - 3) / width)), rows = Math.ceil(entries.length / columns);
  let text = 'Available help:\n';
  for (let r = 0; r < rows; r++) {
    let line = '  ';
    for (let c = 0; c < columns; c++) line += c < columns - 1 ? (entries[r + c * rows]?.name ?? '').padEnd(width) : entries[r + c * rows]?.name ?? '';
    text += `${line}\n`;
  }
  return text;
}

const shown = ({ name, purpose, lines }: Entry): string => `${name}: ${purpose}\n\n${lines.map((l) => `  ${l}\n`).join('')}\n`;

/** An exact name alone; otherwise what begins with the topic, its first two words, or its first. */
function find(entries: readonly Entry[], topic: string): Entry[] {
  if (topic === '*') return [...entries];
  const words = topic.toUpperCase().split(/ +/), exact = entries.find((e) => e.name === words.join(' '));
  if (exact !== undefined) return [exact];
  for (const beginning of new Set([words.join(' '), words.slice(0, 2).join(' '), words[0]!])) {
    const found = entries.filter((e) => e.name.startsWith(beginning));
    if (found.length > 0) return found;
  }
  return [];
}

export function sqlHelp(topic: string): void {
  const entries = readHelp();
  if (topic === '') {
    pageOut(list(entries), pset.popt, stdout);
    return;
  }
  const found = find(entries, topic);
  pageOut(found.length > 0 ? found.map(shown).join('') : `No help available for "${topic}".\nTry \\h with no arguments to see available help.\n`, pset.popt, stdout);
}
