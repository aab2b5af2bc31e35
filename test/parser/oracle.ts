// What a real PostgreSQL 15 says of a statement without running it: the types of its parameters and result columns, or
// its error. And: the user objects of one of its databases, copied into the catalogs of a site of ours.
import pg from 'pg';
import { CATALOGS } from '../../src/backend/catalog/schema.ts';
import { catalogDelete, catalogFindAll, catalogInsert } from '../../src/backend/catalog/indexing.ts';
import type { CatalogId } from '../../src/backend/catalog/rows.ts';
import { oracle } from '../support/oracle.ts';

export interface Verdict {
  error?: { code: string; message: string; position?: string | undefined; hint?: string | undefined; detail?: string | undefined };
  params?: number[];
  columns?: { name: string; type: number; typmod: number; table: number; column: number }[];
}

export class Oracle {
  readonly client: any;
  constructor(client: unknown) {
    this.client = client;
  }

  /** Null when there is none to ask. */
  static async connect(database = 'postgres'): Promise<Oracle | null> {
    if (oracle === undefined) return null;
    const { host, port, user } = oracle;
    const client = new pg.Client({ host, port, user, database, connectionTimeoutMillis: 2000 });
    client.on('error', () => {});
    try {
      await client.connect();
      return new Oracle(client);
    } catch {
      return null;
    }
  }

  async run(sql: string): Promise<Verdict['error'] | undefined> {
    try {
      await this.client.query(sql);
      return undefined;
    } catch (e) {
      return e as never;
    }
  }

  /** Parse, Describe, Sync. */
  describe(text: string): Promise<Verdict> {
    const connection = this.client.connection;
    return new Promise((resolve) => {
      const verdict: Verdict = {};
      const query = {
        submit: (c: any) => {
          c.parse({ text, name: '' });
          c.describe({ type: 'S', name: '' });
          c.sync();
        },
        handleError: (e: any) => {
          verdict.error = e;
          done();
        },
        handleReadyForQuery: () => done(),
        handleRowDescription: (m: any) => {
          verdict.columns = m.fields.map((f: any) => ({ name: f.name, type: f.dataTypeID, typmod: f.dataTypeModifier, table: f.tableID, column: f.columnID }));
        },
        handlePortalSuspended() {}, handleEmptyQuery() {}, handleCommandComplete() {}, handleDataRow() {}, handleCopyInResponse() {}, handleCopyData() {},
        callback: null,
      };
      const params = (m: any): void => { verdict.params = m.dataTypeIDs; };
      const parameter = (m: any): void => { if (m.name === 'parameterDescription') params(m); };
      connection.on('message', parameter);
      const done = (): void => {
        connection.removeListener('message', parameter);
        resolve(verdict);
      };
      this.client.query(query as never);
    });
  }

  /** Copies what users made (OIDs from 16384) into our catalogs; built-in rows stay ours. Run in a transaction. */
  async cloneInto(): Promise<() => void> {
    const wanted = ['pg_namespace', 'pg_class', 'pg_type', 'pg_attribute', 'pg_proc', 'pg_operator', 'pg_cast', 'pg_constraint', 'pg_index', 'pg_enum', 'pg_range', 'pg_aggregate', 'pg_inherits', 'pg_collation', 'pg_opclass', 'pg_opfamily', 'pg_amop', 'pg_amproc', 'pg_sequence'];
    const sets: { id: CatalogId; rows: Record<string, unknown>[] }[] = [];
    for (const name of wanted) {
      const definition = CATALOGS.find((c) => c.name === name)!;
      const columns = definition.columns.map((c) => `${c.type === 194 ? `NULL::text` : c.type === 24 ? `${c.name}::oid` : `${c.name}`} AS "${c.name}"`);
      const key = { pg_attribute: 'attrelid', pg_index: 'indexrelid', pg_range: 'rngtypid', pg_aggregate: 'aggfnoid::oid', pg_inherits: 'inhrelid', pg_sequence: 'seqrelid' }[name] ?? 'oid';
      const sql = `SELECT ${columns.map((c) => c).join(', ')} FROM ${name} WHERE ${key} >= 16384 ${name === 'pg_namespace' ? '' : ''}`;
      const result = await this.client.query({ text: sql, rowMode: 'array', types: { getTypeParser: () => (text: string) => text } } as never);
      const rows = (result.rows as unknown as (string | null)[][]).map((row) => {
        const object: Record<string, unknown> = {};
        definition.columns.forEach((c, i) => { object[c.name] = decode(c.type, row[i] ?? null); });
        if (name === 'pg_class') Object.assign(object, { reloptions: null, relacl: null, relpartbound: null });
        if (name === 'pg_attribute') Object.assign(object, { attmissingval: null, attacl: null });
        return object;
      });
      sets.push({ id: definition.oid, rows });
    }
    return () => {
      for (const { id, rows } of sets) {
        for (const tuple of catalogFindAll(id)) {
          const row = tuple.row as unknown as Record<string, number>;
          const oid = row['oid'] ?? row['attrelid'] ?? row['indexrelid'] ?? row['rngtypid'] ?? row['aggfnoid'] ?? row['inhrelid'] ?? row['seqrelid'] ?? 0;
          if (oid >= 16384) catalogDelete(id, tuple);
        }
        for (const row of rows) catalogInsert(id, row as never);
      }
    };
  }
}

function decode(type: number, text: string | null): unknown {
  if (text === null) return null;
  const list = (separator: string, t: string): number[] => (t === '' ? [] : t.split(separator).map(Number));
  switch (type) {
    case 16: return text === 't';
    case 20: case 21: case 23: case 24: case 26: case 28: case 700: case 701: return Number(text);
    case 22: case 30: return list(' ', text);
    case 1005: case 1021: case 1028: return list(',', text.slice(1, -1));
    case 1002: case 1009: case 1034: return text === '{}' ? [] : text.slice(1, -1).split(',').map((w) => w.replace(/^"(.*)"$/, '$1'));
    default: return text;
  }
}
