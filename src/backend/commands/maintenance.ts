// What VACUUM, REINDEX and CLUSTER share: options, what VERBOSE tells.
import { PgError } from '../../common/errors.ts';
import type { ConditionName } from '../../common/sqlstate.ts';
import { makeParseState, parserError } from '../parser/parse_node.ts';
import type { RawNode } from '../parser/raw_nodes.ts';
import { session } from '../utils/session.ts';
import { defGetBoolean } from './def_elem.ts';

export function report(severity: 'WARNING' | 'INFO', message: string, detail?: string, condition: ConditionName = severity === 'INFO' ? 'successful_completion' : 'warning'): void {
  const notice = new PgError(condition, message, { detail });
  notice.severity = severity;
  session.notice(notice);
}

/** Whether an option with this value is on; undefined: as the value says, a Boolean. */
export type OptionReaders = Readonly<Record<string, (option: RawNode, refuse: (message: string) => PgError) => boolean | undefined>>;

/** Options that are on by name, with their nodes; those that are off stand there with null, for it is no fault to say so twice. */
export function readFlags(list: readonly RawNode[], known: readonly string[], command: string, text: string, readers: OptionReaders = {}): Options {
  const state = makeParseState(text), result = new Options();
  for (const e of list) {
    const name = e['defname'] as string;
    if (!known.includes(name)) throw parserError(state, 'syntax_error', `unrecognized ${command} option "${name}"`, e.location);
    const read = readers[name]?.(e, (message) => parserError(state, 'syntax_error', message, e.location));
    result.set(name, read ?? defGetBoolean(e) ? e : null);
  }
  return result;
}

class Options extends Map<string, RawNode | null> {
  /** Whether it is on. */
  override has(name: string): boolean { return (this.get(name) ?? null) !== null; }
}

export interface Usage { cpu: NodeJS.CpuUsage; wallMs: number }
export const rusage = (): Usage => ({ cpu: process.cpuUsage(), wallMs: performance.now() });

/** pg_rusage_show. */
export function usageSince(began: Usage): string {
  const { user, system } = process.cpuUsage(began.cpu), seconds = (micros: number): string => (micros / 1e6).toFixed(2);
  return `CPU: user: ${seconds(user)} s, system: ${seconds(system)} s, elapsed: ${seconds((performance.now() - began.wallMs) * 1000)} s`;
}
