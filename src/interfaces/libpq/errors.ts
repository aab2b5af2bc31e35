// What goes wrong, as a program sees it: a report from the server with all its fields, or a connection that failed.

/** The fields of ErrorResponse and NoticeResponse (manual, 55.8) by their letters, as names. */
const FIELD_NAMES = {
  S: 'severity', V: 'severityNonlocalized', C: 'code', M: 'message', D: 'detail', H: 'hint', P: 'position', p: 'internalPosition', q: 'internalQuery', W: 'where',
  s: 'schema', t: 'table', c: 'column', d: 'dataType', n: 'constraint', F: 'file', L: 'line', R: 'routine',
} as const;

export type ReportField = (typeof FIELD_NAMES)[keyof typeof FIELD_NAMES];
/** A report's fields; those the server left out are absent. Positions count characters from 1. */
export type Report = { readonly [name in ReportField]?: string };

/** A report as it stands in a message: fields of a letter and a text each, then a zero byte. */
export function readReport(buffer: Buffer, at: number, end: number): Report {
  const report: Record<string, string> = {};
  while (at < end && buffer[at] !== 0) {
    const name = FIELD_NAMES[String.fromCharCode(buffer[at]!) as keyof typeof FIELD_NAMES] as string | undefined;
    const stop = buffer.indexOf(0, at + 1);
    if (stop < 0 || stop >= end) break;
    if (name !== undefined) report[name] = buffer.utf8Slice(at + 1, stop);
    at = stop + 1;
  }
  return report;
}

/** ErrorResponse. `code` is the SQLSTATE; `fields` has all that the server said. */
export class ServerError extends Error {
  readonly fields: Report;
  /** The statement that failed, where one statement was asked for. */
  query: string | undefined;

  constructor(fields: Report, query?: string) {
    super(fields.message ?? 'missing error text');
    this.name = 'ServerError';
    this.fields = fields;
    this.query = query;
  }

  get severity(): string { return this.fields.severity ?? 'ERROR'; }
  get code(): string { return this.fields.code ?? ''; }
  get detail(): string | undefined { return this.fields.detail; }
  get hint(): string | undefined { return this.fields.hint; }
  get position(): number | undefined { return this.fields.position === undefined ? undefined : Number(this.fields.position); }
  get where(): string | undefined { return this.fields.where; }
  get schema(): string | undefined { return this.fields.schema; }
  get table(): string | undefined { return this.fields.table; }
  get column(): string | undefined { return this.fields.column; }
  get dataType(): string | undefined { return this.fields.dataType; }
  get constraint(): string | undefined { return this.fields.constraint; }
}

/** A connection that could not be made, or was lost; `code` is of SQLSTATE class 08. */
export class ConnectionError extends Error {
  readonly code: string;
  /** The server wanted a password and none was given (PQconnectionNeedsPassword). */
  readonly needsPassword: boolean;

  constructor(message: string, code = '08006', options: { cause?: unknown; needsPassword?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ConnectionError';
    this.code = code;
    this.needsPassword = options.needsPassword ?? false;
  }
}

/** An earlier command of the pipeline failed, so the server skipped this one (PGRES_PIPELINE_ABORTED). */
export class PipelineAborted extends Error {
  constructor() {
    super('pipeline aborted, command did not run');
    this.name = 'PipelineAborted';
  }
}

export const cannotConnect = (message: string, needsPassword = false): ConnectionError => new ConnectionError(message, '08001', { needsPassword });
