// The backend's own globals, as PostgreSQL's globals.c and miscinit.c: one session per process, so module state.
// Lower floors read it; tcop fills it at start-up. Settings are in utils/guc.ts.
import { PgError, type ErrorFields } from '../../common/errors.ts';
import type { Datum, Oid } from '../types/datum.ts';

export interface Session {
  pid: number;
  /** In a parallel worker: the process it works for. Else 0. */
  parallelLeader: number;
  cancelKey: number;
  databaseOid: Oid;
  databaseName: string;
  /** Who connected; SET SESSION AUTHORIZATION changes sessionUser, SET ROLE and SECURITY DEFINER currentUser. */
  authenticatedUser: Oid;
  sessionUser: Oid;
  currentUser: Oid;
  isSuperuser: boolean;
  /** currentUser is another one for the time of a function (definer), or of what a relation's definition says (restricted). */
  securityContext: 'none' | 'definer' | 'restricted';
  clientAddress: string | null; // null: Unix socket
  /** The frontend's socket. */
  clientFd: number;
  clientPort: number;
  backendStart: bigint; // microseconds since 2000-01-01 UTC
  /** Sends NOTICE, WARNING, ... to the frontend and the log as client_min_messages and log_min_messages say. */
  notice: (notice: PgError) => void;
  /** ParameterStatus to the frontend. */
  reportParameter: (name: string, value: string) => void;
  /** See Const.slot: cleared when the plan of the running statement is for its literals alone. */
  literalsLifted: boolean;
  /** Slots of those whose values were looked at: the plan is for these values. */
  literalsPinned: Set<number>;
  /** What was estimated by the values of others: the plan is for values of which about the same is to be expected. */
  literalEstimates: LiteralEstimate[];
  /** What the strings among them are read as, by slot. */
  literalTypes: ({ type: Oid; typmod: number } | undefined)[];
  /** Set when a value was read that depends on the time it is read at ('now', 'today'), or when a notice was sent: each analysis of
   * the same text must send it. */
  literalsVolatile: boolean;
  /** Microseconds since 2000-01-01 UTC, as of the start of the transaction / statement (now(), statement_timestamp()). */
  transactionStart: number;
  statementStart: number;
}

/** How many rows a condition lets through, by the values of literals (by slot). */
export interface LiteralEstimate {
  /** A share of `tuples`. */
  readonly selectivity: (values: readonly Datum[]) => number;
  readonly planned: number;
  readonly tuples: number;
}

export const session: Session = {
  pid: 0, parallelLeader: 0, cancelKey: 0, databaseOid: 0, databaseName: '', authenticatedUser: 0, sessionUser: 0, currentUser: 0,
  isSuperuser: false, securityContext: 'none', clientAddress: null, clientFd: -1, clientPort: 0, backendStart: 0n, notice: () => {},
  reportParameter: () => {}, literalsLifted: false, literalsPinned: new Set(), literalEstimates: [], literalTypes: [], literalsVolatile: false, transactionStart: 0, statementStart: 0,
};

/** Whoever looks at a literal's value says so. */
export function pinLiteral(slot: number | undefined): void {
  if (slot !== undefined) session.literalsPinned.add(slot);
}

/** A NOTICE to the frontend and the log. */
export function sendNotice(message: string): void {
  const notice = new PgError('successful_completion', message);
  notice.severity = 'NOTICE';
  session.literalsVolatile = true;
  session.notice(notice);
}

/** A WARNING to the frontend and the log; arguments as an error's. */
export function sendWarning(...of: ConstructorParameters<typeof PgError>): void {
  const warning = new PgError(...of);
  warning.severity = 'WARNING';
  session.literalsVolatile = true;
  session.notice(warning);
}

/** Runs `work`; what it tells the frontend goes through `change` first. */
export function changingNotices<T>(change: (notice: PgError) => void, work: () => T): T {
  const { notice } = session;
  session.notice = (n) => {
    change(n);
    notice(n);
  };
  try {
    return work();
  } finally {
    session.notice = notice;
  }
}

/** Runs `work`; the position of what it throws and of what it tells the frontend becomes what `move` makes of it. */
export function movingPositions<T>(move: (position: number) => ErrorFields, work: () => T): T {
  const change = (report: PgError): void => {
    const { position, ...rest } = report.fields;
    if (position !== undefined) report.fields = { ...rest, ...move(position) };
  };
  try {
    return changingNotices(change, work);
  } catch (error) {
    if (error instanceof PgError) change(error);
    throw error;
  }
}
