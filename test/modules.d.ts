// Packages without types that tests and tools use.
declare module 'pg' {
  import type { EventEmitter } from 'node:events';

  export interface QueryResult {
    command: string;
    rowCount: number | null;
    // oxlint-disable-next-line no-explicit-any -- columns have any names and types
    rows: any[];
    fields: { name: string; dataTypeID: number; format: string }[];
  }
  export interface QueryConfig {
    text: string;
    values?: unknown[];
    name?: string;
    rowMode?: 'array';
    binary?: boolean;
    types?: { getTypeParser: (...args: never[]) => unknown };
  }
  export class Client extends EventEmitter {
    constructor(config?: string | Record<string, unknown>);
    processID: number;
    connect(): Promise<void>;
    query(text: string | QueryConfig, values?: unknown[]): Promise<QueryResult>;
    end(): Promise<void>;
  }
  export class DatabaseError extends Error {
    code: string;
    severity: string;
    detail?: string;
    hint?: string;
    position?: string;
    schema?: string;
    table?: string;
    column?: string;
    constraint?: string;
    where?: string;
  }
  export class PoolClient extends Client {
    release(): void;
  }
  export class Pool {
    constructor(config?: Record<string, unknown>);
    connect(): Promise<PoolClient>;
    query(text: string | QueryConfig, values?: unknown[]): Promise<QueryResult>;
    end(): Promise<void>;
  }
  const pg: { Client: typeof Client; Pool: typeof Pool; DatabaseError: typeof DatabaseError };
  export default pg;
}
