// Interrupts of a backend: signals and timers only count (src/port); here the counts become errors, at the places that
// ask. `checkForInterrupts()` is PostgreSQL's CHECK_FOR_INTERRUPTS(): cheap enough for every loop.
import { FatalError, PgError } from '../../common/errors.ts';
import { SIGALRM, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, port } from '../../port/port.ts';
import { logDuration, openLogFile } from './elog.ts';
import { reloadConfigFile } from './guc_file.ts';
import { checkMemory } from './memory_limit.ts';
import { statisticsWhileIdle } from './pgstat.ts';
import { session } from './session.ts';
import { settings } from './settings.ts';

const { signals, timers } = port;

/** The timers of a process (Port.setTimer). */
const STATEMENT_TIMER = 0, IDLE_IN_TRANSACTION_TIMER = 2, IDLE_SESSION_TIMER = 3, AUTHENTICATION_TIMER = 5;

/** signals[0] when we last looked: as long as it stays, nothing has come. */
let seenTotal = 0;
let seenCancels = 0;
let terminatePending = false;
let cancelPending = false;
let readingCommand = false;
/** The same, and no transaction is open. */
let idleOutside = false;
let statementTimerRuns = false;
let idleTimerRuns = false;

/** What a new backend does with its signals. Before authentication, termination is simply the end. */
export function installBackendSignals(): void {
  for (const signal of [SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM]) port.setSignal(signal, 'flag');
  seenTotal = seenCancels = seenReloads = 0;
  terminatePending = cancelPending = false;
}

/** What this session hears of `signals`. */
let heard = signals;

/** The rehearsal's sessions are not meant by the signals that the postmaster gets; but they are interrupted like any other. */
export function ignoreInterrupts(ignore: boolean): void {
  heard = ignore ? new Int32Array(signals.length) : signals;
  seenCancels = heard[SIGINT]!;
}

/** Throws when the statement or the session is to end. */
export function checkForInterrupts(): void {
  if (signals[0] !== seenTotal) processInterrupts();
  if (--looksLeft <= 0) looksLeft = look();
}

/** The same for who waits, when a signal has come: memory is no matter then. A session that idled above its limit was ended by it. */
export function checkForSignals(): void {
  if (signals[0] !== seenTotal) processInterrupts();
}

/** What an interrupt wanted was put off: the next look finds it again. */
export function lookAgain(): void {
  seenTotal = -1;
}

/** The same for what comes in very small pieces, of which every statement has some: parsing, planning, calls of functions. `work` is
 * about how many nodes of a tree were visited; a thousand count as one look, or each statement would end the session's beginning.
 * Memory is looked at only in a statement that has very many: where a session's own memory is above a low limit already, it was
 * `SELECT 1` that failed. */
export function checkWhileWorking(work: number): void {
  if (signals[0] !== seenTotal) processInterrupts();
  if ((workLeft -= work) > 0) return;
  workLeft = WORK_PER_LOOK;
  if (--workLooksLeft <= 0) checkForInterrupts();
  else if (settled !== null && --looksLeft <= 0) {
    settle();
    looksLeft = LONG_STATEMENT_LOOKS;
  }
}
const WORK_PER_LOOK = 1000, LOOKS_BEFORE_MEMORY = 100;
let workLeft = WORK_PER_LOOK, workLooksLeft = LOOKS_BEFORE_MEMORY;

/** `method.call(receiver, argument)`, never undefined, for what may take long and looks for no interrupts itself (a regular
 * expression). It is stopped wherever it is, so it must not change anything. Costs a tenth of a microsecond. */
export function callInterruptibly<T>(receiver: object, method: (argument: string) => T, argument: string): T {
  for (;;) {
    checkForInterrupts();
    const result = port.interruptible(receiver, method, argument, seenTotal);
    if (result !== undefined) return result;
  }
}

/** So often may be asked before memory is looked at. */
let looksLeft = 0;

/** A session's beginning has two parts, and each is over when so many statements were run, or one asks so often. Hardly anything is
 * worth being compiled in the first. */
const FIRST_STATEMENTS = 200, NEXT_STATEMENTS = 7800, LONG_STATEMENT_LOOKS = 16;
let settled: ((whole: boolean) => void) | null = null, inFirstPart = false, statementsLeft = 0;

/** Calls this at the end of each part of the session's beginning; `whole`: of the second. */
export function whenSettled(call: (whole: boolean) => void): void {
  settled = call;
  inFirstPart = true;
  statementsLeft = FIRST_STATEMENTS;
  looksLeft = LONG_STATEMENT_LOOKS;
}

export function noteStatement(): void {
  workLooksLeft = LOOKS_BEFORE_MEMORY;
  if (settled === null) return;
  looksLeft = LONG_STATEMENT_LOOKS;
  if (--statementsLeft === 0) settle();
}

function settle(): void {
  const call = settled!;
  if (!inFirstPart) settled = null;
  call(!inFirstPart);
  inFirstPart = false;
  statementsLeft = NEXT_STATEMENTS;
}

function look(): number {
  if (settled === null) return checkMemory();
  settle();
  return Math.min(checkMemory(), LONG_STATEMENT_LOOKS);
}

/** Of a statement with parallel workers: whether one has failed. Set while there are some. */
export const workersEnded: { look: (() => void) | null } = { look: null };

function processInterrupts(): void {
  seenTotal = signals[0]!;
  if (heard[SIGQUIT]! > 0) port._exit(2); // immediate shutdown
  if (heard[SIGTERM]! > 0) terminatePending = true;
  if (heard[SIGINT]! !== seenCancels) {
    seenCancels = heard[SIGINT]!;
    cancelPending = true;
  }
  if (authenticating && timers[AUTHENTICATION_TIMER]) {
    throw new FatalError('query_canceled', 'canceling authentication due to timeout');
  }
  if (terminatePending) throw new FatalError('admin_shutdown', `terminating ${session.parallelLeader === 0 ? 'connection' : 'background worker "parallel worker"'} due to administrator command`);
  if (idleOutside) statisticsWhileIdle();
  cancelStatement();
  workersEnded.look?.();
  if (timers[IDLE_IN_TRANSACTION_TIMER]) {
    throw new FatalError('idle_in_transaction_session_timeout', 'terminating connection due to idle-in-transaction timeout');
  }
  if (timers[IDLE_SESSION_TIMER]) throw new FatalError('idle_session_timeout', 'terminating connection due to idle-session timeout');
}

function cancelStatement(): void {
  const byUser = cancelPending;
  cancelPending = false;
  if (statementTimerRuns && timers[STATEMENT_TIMER] && !readingCommand) {
    stopStatementTimer();
    throw new PgError('query_canceled', 'canceling statement due to statement timeout');
  }
  // A cancel request that comes too late is nobody's.
  if (byUser && !readingCommand) throw new PgError('query_canceled', 'canceling statement due to user request');
}

// ---- time limits

/** Afterwards the timer is the statistics' (pgstat.ts). */
let authenticating = false;

export function startAuthenticationTimeout(ms: number): void {
  authenticating = true;
  port.setTimer(AUTHENTICATION_TIMER, ms);
}
export function stopAuthenticationTimeout(): void {
  authenticating = false;
  port.setTimer(AUTHENTICATION_TIMER, 0);
}

/** Milliseconds (performance.now) at which the running statement began; -1 when nobody wants to know. */
let statementStartedMs = -1;

/** The first message of a statement has come; the extended protocol says so again with each further message. For
 * statement_timeout, log_duration and log_min_duration_statement. */
export function startStatementTimeout(): void {
  if (settings.statement_timeout > 0 && (!statementTimerRuns || timers[STATEMENT_TIMER])) {
    statementTimerRuns = true;
    port.setTimer(STATEMENT_TIMER, settings.statement_timeout);
  } else if (statementTimerRuns && settings.statement_timeout === 0) stopStatementTimer();
  if (statementStartedMs < 0 && (settings.log_min_duration_statement >= 0 || settings.log_duration)) statementStartedMs = performance.now();
}

/** The statement is over, well or badly. */
export function stopStatementTimeout(): void {
  if (statementTimerRuns) stopStatementTimer();
  if (statementStartedMs >= 0) {
    const ms = performance.now() - statementStartedMs;
    statementStartedMs = -1;
    logDuration(ms);
  }
}

function stopStatementTimer(): void {
  statementTimerRuns = false;
  port.setTimer(STATEMENT_TIMER, 0);
}

/** The backend waits for its frontend's next command; `status` as in ReadyForQuery. */
export function clientReadStarts(status: string): void {
  readingCommand = true;
  idleOutside = status === 'I';
  const timer = status === 'I' ? IDLE_SESSION_TIMER : IDLE_IN_TRANSACTION_TIMER;
  const ms = status === 'I' ? settings.idle_session_timeout : settings.idle_in_transaction_session_timeout;
  if (ms > 0) {
    idleTimerRuns = true;
    port.setTimer(timer, ms);
  }
}
export function clientReadEnds(): void {
  // A cancel request that came meanwhile, and that nobody has looked at, is not for the command that comes now.
  seenCancels = signals[SIGINT]!;
  readingCommand = idleOutside = false;
  if (!idleTimerRuns) return;
  idleTimerRuns = false;
  port.setTimer(IDLE_SESSION_TIMER, 0);
  port.setTimer(IDLE_IN_TRANSACTION_TIMER, 0);
}

// ---- reload

let seenReloads = 0;

/** Reads the configuration again when SIGHUP came since. */
export function reloadIfAsked(): void {
  if (signals[SIGHUP] === seenReloads) return;
  seenReloads = signals[SIGHUP]!;
  reloadConfigFile();
  openLogFile(); // whoever rotates it has moved the old one
}
