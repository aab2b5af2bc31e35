// The byte form of all messages: u32 length of what follows, u8 kind, body. The kind's number is its place in the
// lists below, which are complete by type. `commit_codec.ts` has the commit's body.
//
// A commit above LARGE_COMMIT_BYTES goes through a file below tmp/: the frame then holds its name ("commit file").
import { internalError } from '../../common/errors.ts';
import type { ConditionName } from '../../common/sqlstate.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { decodeCommit, encodeCommit, readPreparedXact, writePreparedXact, type CommitView } from './commit_codec.ts';
import { oneOf, readTarget, writeTarget } from './lock_codec.ts';
import type {
  ClientMessage, CommitAnswer, InterruptedCommit, LockAnswer, LockStatus, LockTarget, PreparedXact, ServerMessage, WaitPolicy,
} from './messages.ts';

export const FRAME_HEADER_BYTES = 4;
export const LARGE_COMMIT_BYTES = 1 << 20;
/** The longest frame a manager reads from a socket. Batches of locks are cut by the client. */
export const MAX_FRAME_BYTES = 16 << 20;
/** Targets in one request. */
export const MAX_LOCK_TARGETS = 65536;

/** A client's message as the manager sees it: commits stay bytes. */
export type Incoming = Exclude<ClientMessage, { kind: 'commit' }> | { kind: 'commit'; view: CommitView };

type Body<M extends { kind: string }, K extends M['kind']> = Extract<M, { kind: K }>;
interface Codec<M> { write(out: ByteWriter, message: M): void; read(input: ByteReader): M }
type Codecs<M extends { kind: string }> = { [K in M['kind']]: Codec<Body<M, K>> };
type PlainClientMessage = Exclude<ClientMessage, { kind: 'commit' }>;

const POLICIES: readonly WaitPolicy[] = ['block', 'skip', 'error'];

/** A message that is nothing but its kind. */
function bare<K extends PlainClientMessage['kind']>(kind: K): Codec<{ kind: K }> {
  return { write: () => {}, read: () => ({ kind }) };
}
function channelOnly<K extends 'listen' | 'unlisten'>(kind: K): Codec<{ kind: K; channel: string }> {
  return { write: (out, m) => out.text(m.channel), read: (input) => ({ kind, channel: input.text() }) };
}

const clientCodecs: Codecs<PlainClientMessage> = {
  hello: {
    write(out, m) { out.u32(m.pid); out.u48(m.session); },
    read: (input) => ({ kind: 'hello', pid: input.u32(), session: input.u48() }),
  },
  locks: {
    write(out, m) {
      out.u8(POLICIES.indexOf(m.policy));
      out.u32(m.timeoutMs);
      out.u32(m.mark);
      out.u32(m.targets.length);
      for (const target of m.targets) writeTarget(out, target);
    },
    read(input) {
      const policy = oneOf(POLICIES, input.u8()), timeoutMs = input.u32(), mark = input.u32(), count = input.count(5);
      const targets: LockTarget[] = [];
      for (let i = 0; i < count; i++) targets.push(readTarget(input));
      return { kind: 'locks', targets, policy, timeoutMs, mark };
    },
  },
  cancel: bare('cancel'),
  end: { write: (out, m) => out.bool(m.committed), read: (input) => ({ kind: 'end', committed: input.bool() }) },
  releaseAfter: { write: (out, m) => out.u32(m.mark), read: (input) => ({ kind: 'releaseAfter', mark: input.u32() }) },
  unlockAdvisory: {
    write(out, m) { out.u32(m.key1); out.u32(m.key2); out.u32(m.key3); out.bool(m.shared); },
    read: (input) => ({ kind: 'unlockAdvisory', key1: input.u32(), key2: input.u32(), key3: input.u32(), shared: input.bool() }),
  },
  unlockAllAdvisory: bare('unlockAllAdvisory'),
  nextval: {
    write(out, { sequence, count }) {
      out.u32(sequence.filenode); out.i64(sequence.increment); out.i64(sequence.min); out.i64(sequence.max);
      out.i64(sequence.cache); out.bool(sequence.cycle); out.u32(count);
    },
    read: (input) => ({
      kind: 'nextval',
      sequence: {
        filenode: input.u32(), increment: input.i64(), min: input.i64(), max: input.i64(), cache: Number(input.i64()),
        cycle: input.bool(),
      },
      count: input.u32(),
    }),
  },
  giveBack: {
    write(out, m) { out.u32(m.filenode); out.i64(m.handed); out.i64(m.used); out.u32(m.count); },
    read: (input) => ({ kind: 'giveBack', filenode: input.u32(), handed: input.i64(), used: input.i64(), count: input.u32() }),
  },
  setval: {
    write(out, m) { out.u32(m.filenode); out.i64(m.value); out.bool(m.isCalled); },
    read: (input) => ({ kind: 'setval', filenode: input.u32(), value: input.i64(), isCalled: input.bool() }),
  },
  sequenceState: {
    write: (out, m) => out.u32(m.filenode),
    read: (input) => ({ kind: 'sequenceState', filenode: input.u32() }),
  },
  allocateOids: { write: (out, m) => out.u32(m.count), read: (input) => ({ kind: 'allocateOids', count: input.u32() }) },
  allocateXid: bare('allocateXid'),
  wasMoved: { write: (out, m) => { out.u32(m.relation); out.u48(m.row); }, read: (input) => ({ kind: 'wasMoved', relation: input.u32(), row: input.u48() }) },
  xidStatus: { write: (out, m) => out.u48(m.xid), read: (input) => ({ kind: 'xidStatus', xid: input.u48() }) },
  snapshotXids: { write: (out, m) => out.u48(m.commitSeq), read: (input) => ({ kind: 'snapshotXids', commitSeq: input.u48() }) },
  listen: channelOnly('listen'),
  unlisten: channelOnly('unlisten'),
  unlistenAll: bare('unlistenAll'),
  outcome: {
    write(out, m) { out.u48(m.incarnation); out.u48(m.token.session); out.u32(m.token.number); },
    read: (input) => ({ kind: 'outcome', incarnation: input.u48(), token: { session: input.u48(), number: input.u32() } }),
  },
  preparedXacts: bare('preparedXacts'),
  lockStatus: bare('lockStatus'),
  blockingPids: { write: (out, m) => out.u32(m.pid), read: (input) => ({ kind: 'blockingPids', pid: input.u32() }) },
  readerCheck: bare('readerCheck'),
};

const COMMIT_ANSWERS = [
  'committed', 'changed', 'duplicate', 'serialization', 'deadlock', 'timeout', 'cancelled',
] as const satisfies readonly (CommitAnswer | InterruptedCommit)['kind'][];
const LOCK_ANSWERS = ['granted', 'unavailable', 'deadlock', 'timeout', 'cancelled'] as const satisfies readonly LockAnswer['kind'][];
const LOCK_TYPES = ['relation', 'tuple', 'transactionid', 'advisory', 'object'] as const satisfies readonly LockStatus['locktype'][];

const serverCodecs: Codecs<ServerMessage> = {
  welcome: {
    write(out, m) { out.u48(m.incarnation); out.u48(m.commitSeq); out.u16(m.lockSession); out.u32(m.lockNonce); out.text(m.lockPath); },
    read: (input) => ({ kind: 'welcome', incarnation: input.u48(), commitSeq: input.u48(), lockSession: input.u16(), lockNonce: input.u32(), lockPath: input.text() }),
  },
  commit: { write: (out, m) => writeCommitAnswer(out, m.answer), read: (input) => ({ kind: 'commit', answer: readCommitAnswer(input) }) },
  locks: {
    write(out, m) {
      out.u32(m.answers.length);
      for (const answer of m.answers) {
        out.u8(LOCK_ANSWERS.indexOf(answer.kind));
        if (answer.kind === 'granted') { out.bool(answer.waited); out.u48(answer.changedSeq); }
        else if (answer.kind === 'deadlock') out.text(answer.detail);
      }
    },
    read(input) {
      const answers: LockAnswer[] = [], count = input.count(1);
      for (let i = 0; i < count; i++) {
        const kind = oneOf(LOCK_ANSWERS, input.u8());
        if (kind === 'granted') answers.push({ kind, waited: input.bool(), changedSeq: input.u48() });
        else if (kind === 'deadlock') answers.push({ kind, detail: input.text() });
        else answers.push({ kind });
      }
      return { kind: 'locks', answers };
    },
  },
  number: { write: (out, m) => out.f64(m.value), read: (input) => ({ kind: 'number', value: input.f64() }) },
  sequence: {
    write(out, { state }) { out.i64(state.lastValue); out.u32(state.logCount); out.bool(state.isCalled); },
    read: (input) => ({ kind: 'sequence', state: { lastValue: input.i64(), logCount: input.u32(), isCalled: input.bool() } }),
  },
  values: {
    write(out, m) { out.i64(m.first); out.u32(m.count); },
    read: (input) => ({ kind: 'values', first: input.i64(), count: input.u32() }),
  },
  exhausted: {
    write(out, m) { out.i64(m.limit); out.bool(m.ascending); },
    read: (input) => ({ kind: 'exhausted', limit: input.i64(), ascending: input.bool() }),
  },
  outcome: {
    write(out, m) { out.bool(m.applied); out.u48(m.xid); out.u48(m.commitSeq); },
    read: (input) => ({ kind: 'outcome', applied: input.bool(), xid: input.u48(), commitSeq: input.u48() }),
  },
  preparedXacts: {
    write(out, m) { out.u32(m.list.length); for (const xact of m.list) writePreparedXact(out, xact); },
    read: (input) => ({ kind: 'preparedXacts', list: Array.from({ length: input.count(30) }, (): PreparedXact => readPreparedXact(input)) }),
  },
  lockStatus: {
    write(out, m) {
      out.u32(m.locks.length);
      for (const lock of m.locks) {
        out.u8(LOCK_TYPES.indexOf(lock.locktype));
        out.u32(lock.relation); out.u48(lock.row); out.u48(lock.xid); out.u32(lock.classid); out.u32(lock.objid);
        out.u32(lock.objsubid); out.u32(lock.pid); out.u48(lock.preparedXid); out.text(lock.mode); out.bool(lock.granted); out.f64(lock.waitStartMs);
      }
    },
    read(input) {
      const locks: LockStatus[] = [], count = input.count(52);
      for (let i = 0; i < count; i++) {
        locks.push({
          locktype: oneOf(LOCK_TYPES, input.u8()), relation: input.u32(), row: input.u48(), xid: input.u48(),
          classid: input.u32(), objid: input.u32(), objsubid: input.u32(), pid: input.u32(), preparedXid: input.u48(), mode: input.text(),
          granted: input.bool(), waitStartMs: input.f64(),
        });
      }
      return { kind: 'lockStatus', locks };
    },
  },
  pids: {
    write(out, m) { out.u32(m.pids.length); for (const pid of m.pids) out.u32(pid); },
    read: (input) => ({ kind: 'pids', pids: Array.from({ length: input.count(4) }, () => input.u32()) }),
  },
  xids: {
    write(out, m) { out.u48(m.next); out.bool(m.running !== null); out.u32(m.running?.length ?? 0); for (const xid of m.running ?? []) out.u48(xid); },
    read(input) {
      const next = input.u48(), known = input.bool(), running = Array.from({ length: input.count(6) }, () => input.u48());
      return { kind: 'xids', next, running: known ? running : null };
    },
  },
  waiting: { write() {}, read: () => ({ kind: 'waiting' }) },
  notify: {
    write(out, m) { out.u32(m.pid); out.text(m.channel); out.text(m.payload); },
    read: (input) => ({ kind: 'notify', pid: input.u32(), channel: input.text(), payload: input.text() }),
  },
  failed: {
    write(out, m) { out.text(m.condition); out.text(m.message); },
    read: (input) => ({ kind: 'failed', condition: input.text() as ConditionName, message: input.text() }),
  },
};

function writeCommitAnswer(out: ByteWriter, answer: CommitAnswer | InterruptedCommit): void {
  out.u8(COMMIT_ANSWERS.indexOf(answer.kind));
  switch (answer.kind) {
    case 'committed': out.u48(answer.xid); out.u48(answer.commitSeq); return;
    case 'changed': out.u32(answer.relation); out.u48(answer.row); return;
    case 'duplicate': out.u32(answer.index); out.u16(answer.key.length); out.binaryString(answer.key); return;
    case 'serialization': out.u32(answer.relation); return;
    case 'deadlock': out.text(answer.detail);
  }
}

function readCommitAnswer(input: ByteReader): CommitAnswer | InterruptedCommit {
  const kind = oneOf(COMMIT_ANSWERS, input.u8());
  switch (kind) {
    case 'committed': return { kind, xid: input.u48(), commitSeq: input.u48() };
    case 'changed': return { kind, relation: input.u32(), row: input.u48() };
    case 'duplicate': return { kind, index: input.u32(), key: input.binaryString(input.u16()) };
    case 'serialization': return { kind, relation: input.u32() };
    case 'deadlock': return { kind, detail: input.text() };
    default: return { kind };
  }
}

const CLIENT_KINDS = ['commit', 'commit file', ...Object.keys(clientCodecs)];
const SERVER_KINDS = Object.keys(serverCodecs) as ServerMessage['kind'][];
const COMMIT = 0, COMMIT_FILE = 1;
const clientNumbers = new Map(CLIENT_KINDS.map((kind, number) => [kind, number]));
const serverNumbers = new Map(SERVER_KINDS.map((kind, number) => [kind, number]));

function beginFrame(out: ByteWriter, kind: number): number {
  const at = out.position;
  out.u32(0);
  out.u8(kind);
  return at;
}
function endFrame(out: ByteWriter, at: number): void {
  out.fillInU32(at, out.position - at - FRAME_HEADER_BYTES);
}

/** Adds a client's message, as a frame. */
export function writeClientMessage(out: ByteWriter, message: ClientMessage): void {
  const at = beginFrame(out, clientNumbers.get(message.kind)!);
  if (message.kind === 'commit') encodeCommit(out, message.token, message.timeoutMs, message.request);
  else (clientCodecs[message.kind] as Codec<ClientMessage>).write(out, message);
  endFrame(out, at);
}

/** A commit whose body is in a file. */
export function writeCommitFile(out: ByteWriter, name: string): void {
  const at = beginFrame(out, COMMIT_FILE);
  out.text(name);
  endFrame(out, at);
}

/** Reads the frame's content (without the length). The bytes become the message's own: hand over a copy if the
 * buffer is used again. `readFile` gets the body of a large commit. */
export function readClientMessage(bytes: Buffer, from: number, end: number, readFile: (name: string) => Buffer): Incoming {
  const input = new ByteReader(bytes, from, end);
  const number = input.u8();
  if (number === COMMIT) return { kind: 'commit', view: decodeCommit(bytes, input.at, end) };
  if (number === COMMIT_FILE) {
    const file = readFile(input.text());
    return { kind: 'commit', view: decodeCommit(file, FRAME_HEADER_BYTES + 1, file.length) };
  }
  const kind = oneOf(CLIENT_KINDS, number) as PlainClientMessage['kind'];
  const message = clientCodecs[kind].read(input);
  if (input.at !== end) throw internalError('a message to the transaction manager has bytes left over');
  return message;
}

export const isCommit = (kindNumber: number): boolean => kindNumber === COMMIT;

export function writeServerMessage(out: ByteWriter, message: ServerMessage): void {
  const at = beginFrame(out, serverNumbers.get(message.kind)!);
  (serverCodecs[message.kind] as Codec<ServerMessage>).write(out, message);
  endFrame(out, at);
}

export function readServerMessage(bytes: Buffer, from: number, end: number): ServerMessage {
  const input = new ByteReader(bytes, from, end);
  const kind = oneOf(SERVER_KINDS, input.u8());
  const message = serverCodecs[kind].read(input);
  if (input.at !== end) throw internalError('an answer of the transaction manager has bytes left over');
  return message;
}

/** The frame of a message by itself. */
export function frameOf(message: ClientMessage): Buffer {
  const out = new ByteWriter(256);
  writeClientMessage(out, message);
  return out.bytes.subarray(0, out.length);
}
