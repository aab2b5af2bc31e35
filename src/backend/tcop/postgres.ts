// The backend's message loop (PostgreSQL's postgres.c). One frontend, one straight line: read a message, do what it
// says, answer. An error ends the statement and its transaction, a FatalError the session; anything else thrown is our
// own mistake, told as XX000 with its stack in the log.
import { FatalError } from '../../common/errors.ts';
import type { Connection } from '../libpq/connection.ts';
import { port } from '../../port/port.ts';
import { leaveStores } from '../transaction/snapshot.ts';
import { abortCurrentTransaction, transactionBlockStatus } from '../transaction/xact.ts';
import { leaveSlot } from '../utils/backend_status.ts';
import { logBackendError } from '../utils/elog.ts';
import { clientReadStarts, clientReadEnds, reloadIfAsked, stopStatementTimeout } from '../utils/interrupts.ts';
import { setPsStatus } from '../utils/ps_status.ts';
import { statisticsAtEnd, statisticsAtIdle } from '../utils/pgstat.ts';
import { session } from '../utils/session.ts';
import { bind, close, describe, execute, parse, sync } from './extended_query.ts';
import { functionCall } from './fastpath.ts';
import { initPostgres } from './init.ts';
import { reportIdle } from './statement.ts';
import { reportChangedOptions } from '../utils/guc.ts';
import { setFrontend, sendBackendKeyData, sendErrorResponse, sendReadyForQuery, frontend } from './protocol.ts';
import { execSimpleQuery } from './simple_query.ts';
import { sendNotifications, waitForMessage } from './wait.ts';
import { asPgError } from '../utils/unknown_errors.ts';
import { dropTemporaryTables } from '../commands/oncommit.ts';

const Q = 0x51, P = 0x50, B = 0x42, D = 0x44, E = 0x45, C = 0x43, S = 0x53, H = 0x48, X = 0x58, F = 0x46, d = 0x64, c = 0x63, f = 0x66;

/** The frontend has said that it leaves. */
let left = false;

interface LoopState {
  /** After an error in the extended protocol: everything up to Sync is skipped. */
  ignoreTillSync: boolean;
  /** The message in hand belongs to the extended protocol. */
  doingExtended: boolean;
  readyForQuery: boolean;
}

/** Serves one authenticated connection to its end. Never returns. (Parentheses: compiled with the
 * module, where otherwise every child would.) */
export const postgresMain: (connection: Connection) => never = (function postgresMain(connection: Connection): never {
  const code = serveSession(connection);
  leaveStores();
  leaveSlot();
  port._exit(code);
});

/** A whole session; the exit code. */
export function serveSession(connection: Connection): number {
  setFrontend(connection.frontend);
  try {
    initPostgres(connection);
    sendBackendKeyData(session.pid, session.cancelKey);
    mainLoop();
    dropTemporaryTables();
    statisticsAtEnd(left ? 'normal' : 'abandoned');
    return 0;
  } catch (error) {
    return endOfSession(error);
  }
}

function mainLoop(): void {
  const state: LoopState = { ignoreTillSync: false, doingExtended: false, readyForQuery: true };
  for (;;) {
    try {
      for (;;) if (!step(state)) return;
    } catch (error) {
      recover(error, state);
    }
  }
}

/** One message. False: the frontend has left. */
function step(state: LoopState): boolean {
  if (state.readyForQuery) {
    state.readyForQuery = false;
    state.doingExtended = false;
    stopStatementTimeout();
    reportIdle(transactionBlockStatus());
    if (transactionBlockStatus() === 'I') statisticsAtIdle();
    reportChangedOptions();
    setPsStatus(IDLE_STATUS[transactionBlockStatus()]);
    // What came during the transaction is there before the client goes on.
    if (transactionBlockStatus() === 'I') sendNotifications();
    sendReadyForQuery(transactionBlockStatus());
    // Also when the next message is here already: it may take long, and this answer is due.
    if (frontend.buffered > 0 && !frontend.patient) frontend.flush();
  }
  clientReadStarts(transactionBlockStatus());
  const type = waitForMessage();
  clientReadEnds();
  left = type === X;
  if (type < 0) return false;
  reloadIfAsked();
  if (state.ignoreTillSync && type !== S && type !== X) return true;
  switch (type) {
    case Q:
      state.doingExtended = false;
      execSimpleQuery(frontend.readCString());
      state.readyForQuery = true;
      return true;
    case P: state.doingExtended = true; parse(frontend); return true;
    case B: state.doingExtended = true; bind(frontend); return true;
    case D: state.doingExtended = true; describe(frontend); return true;
    case E: state.doingExtended = true; execute(frontend); return true;
    case C: state.doingExtended = true; close(frontend); return true;
    case S:
      state.ignoreTillSync = false;
      sync();
      state.readyForQuery = true;
      return true;
    case H: state.doingExtended = true; frontend.flush(); return true;
    case F:
      state.doingExtended = false;
      functionCall(frontend);
      state.readyForQuery = true;
      return true;
    case X: return false;
    // COPY data that comes after the COPY has failed: the frontend could not know yet.
    case d: case c: case f: return true;
    default:
      throw new FatalError('protocol_violation', `invalid frontend message type ${type}`);
  }
}

const IDLE_STATUS = { I: 'idle', T: 'idle in transaction', E: 'idle in transaction (aborted)' } as const;

/** After an error: tell it, roll back, and see to it that the frontend and we agree where to go on. */
function recover(error: unknown, state: LoopState): void {
  clientReadEnds();
  const told = asPgError(error);
  if (told.severity === 'FATAL' || told.severity === 'PANIC') throw told;
  logBackendError(told, error);
  sendErrorResponse(told);
  abortCurrentTransaction();
  if (state.doingExtended) state.ignoreTillSync = true;
  else state.readyForQuery = true;
}

function endOfSession(error: unknown): number {
  const told = asPgError(error);
  if (told.severity === 'ERROR') told.severity = 'FATAL'; // in the beginning of a session any error is its end
  try {
    logBackendError(told, error);
    sendErrorResponse(told);
    frontend.flush();
  } catch {
    // The frontend is gone: nobody is left to tell.
  }
  try {
    abortCurrentTransaction();
  } catch {
    // The end of the process lets go of everything.
  }
  statisticsAtEnd(told.condition === 'admin_shutdown' ? 'killed' : 'fatal');
  return told.severity === 'FATAL' ? 1 : 2;
}

