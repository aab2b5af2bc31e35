// LISTEN, NOTIFY, UNLISTEN (PostgreSQL's async.c). Channels are heard from the commit on; notifications leave with the
// commit, through the transaction manager, which hands them to every backend of the database that listens.
import { PgError } from '../../common/errors.ts';
import type { UtilityTable } from '../tcop/utility.ts';
import { client } from '../transaction/client.ts';
import { addNotification, currentSubTransactionId, isPreparing, refusedNotifications, registerCallback } from '../transaction/xact.ts';
import { registerBuiltins } from '../types/fmgr.ts';

const MAX_CHANNEL_BYTES = 63, MAX_PAYLOAD_BYTES = 7999;

/** What this session listens to. */
const listening = new Set<string>();
interface Action { kind: 'listen' | 'unlisten' | 'unlistenAll'; channel: string; subid: number }
/** What the transaction has asked for; done at its commit. */
let pending: Action[] = [];

/** Something was listened to once: before, there is nothing to stop (unlistenExitRegistered). */
let hasListened = false;

/** Registered at the manager already, so that what this transaction itself notifies is heard. */
let early: string[] = [];

registerCallback({
  refusePrepare() {
    if (pending.length > 0) throw refusedNotifications();
  },
  preCommit() {
    if (isPreparing()) return;
    for (const { kind, channel } of pending) {
      if (kind === 'listen') hasListened = true;
      if (kind !== 'listen' || listening.has(channel)) continue;
      client.listen(channel);
      early.push(channel);
    }
  },
  onCommit() {
    if (pending.length === 0) return;
    const actions = pending;
    pending = [];
    early = [];
    for (const { kind, channel } of actions) {
      if (kind === 'listen') {
        if (!client.listeningChannels.has(channel)) client.listen(channel);
        listening.add(channel);
      } else if (kind === 'unlisten') {
        if (listening.delete(channel)) client.unlisten(channel);
      } else if (listening.size > 0) {
        listening.clear();
        client.unlistenAll();
      }
    }
  },
  onAbort() {
    pending = [];
    for (const channel of early) client.unlisten(channel);
    early = [];
  },
  onSubAbort(subid) { pending = pending.filter((a) => a.subid < subid); },
  onSubCommit(subid, parent) { for (const a of pending) if (a.subid === subid) a.subid = parent; },
});

function queue(kind: Action['kind'], channel: string): void {
  if (kind === 'listen' || hasListened || pending.length > 0) pending.push({ kind, channel, subid: currentSubTransactionId() });
}

function notify(channel: string, payload: string): void {
  if (channel === '') throw new PgError('invalid_parameter_value', 'channel name cannot be empty');
  if (Buffer.byteLength(channel) > MAX_CHANNEL_BYTES) throw new PgError('invalid_parameter_value', 'channel name too long');
  if (Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES) throw new PgError('invalid_parameter_value', 'payload string too long');
  addNotification(channel, payload);
}

/** DISCARD ALL. */
export function unlistenAll(): void {
  queue('unlistenAll', '');
}

registerBuiltins({
  pure: {
    pg_notify: (channel: string | null, payload: string | null) => {
      notify(channel ?? '', payload ?? '');
      return '';
    },
    pg_notification_queue_usage: () => 0,
  },
  set: {
    * pg_listening_channels() {
      yield* listening;
    },
  },
});

export const ASYNC_COMMANDS: UtilityTable = {
  ListenStmt: { run: (stmt: { conditionname: string }) => queue('listen', stmt.conditionname), readOnly: true },
  UnlistenStmt: { run: (stmt: { conditionname?: string }) => (stmt.conditionname === undefined ? queue('unlistenAll', '') : queue('unlisten', stmt.conditionname)), readOnly: true },
  NotifyStmt: { run: (stmt: { conditionname: string; payload?: string }) => notify(stmt.conditionname, stmt.payload ?? ''), readOnly: true },
};
