// posthouse/libpq: what programs import. The only file that gathers names of others; nothing inside imports it.
export { connect, Connection, type ConnectOptions, type Notification, type TransactionStatus } from './connection.ts';
export { Pool, type Lease, type PoolOptions } from './pool.ts';
export { Transaction, type TransactionOptions } from './transaction.ts';
export { Pipeline } from './pipeline.ts';
export { Session, Statement, type PrepareOptions, type StreamOptions } from './session.ts';
export { LargeObject, LargeObjects, type Whence } from './large_object.ts';
export { Result, type Field, type ResultStatus, type RowMode } from './result.ts';
export { RowStream, type Step } from './streams.ts';
export type { QueryOptions } from './exchange.ts';
export { typed, Typed, Types, type CustomType, type TypeOptions } from './types.ts';
export { ConnectionError, PipelineAborted, ServerError, type Report } from './errors.ts';
export { completeConninfo, parseConninfo } from './conninfo.ts';
export { KEYWORDS, type Conninfo, type ConnectSettings } from './conninfo_keywords.ts';
export { escapeBytea, escapeIdentifier, escapeLiteral, escapeString, unescapeBytea } from './escape.ts';
export { ping, type PingStatus } from './ping.ts';
