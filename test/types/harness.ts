// Calls built-in functions on values given as text, ours and a real PostgreSQL's, so that both can be compared.
// Without the PostgreSQL of support/oracle.ts, differential tests are skipped.
import { spawnSync } from 'node:child_process';
import '../../src/backend/types/index.ts';
import type { Datum } from '../../src/backend/types/datum.ts';
import { findBuiltin, type FunctionContext } from '../../src/backend/types/fmgr.ts';
import { typeHooks, type TypeIo } from '../../src/backend/types/hooks.ts';
import { PgError } from '../../src/common/errors.ts';
import { oracle } from '../support/oracle.ts';

interface TypeRow { name: string; oid: number; array: number; input: string; typmod?: boolean; elem?: number; category?: string }

const BASE: [string, number, number, string?][] = [
  ['boolean', 16, 1000, 'bool'], ['bytea', 17, 1001], ['"char"', 18, 1002, 'char'], ['name', 19, 1003], ['bigint', 20, 1016, 'int8'],
  ['smallint', 21, 1005, 'int2'], ['int2vector', 22, 1006], ['integer', 23, 1007, 'int4'], ['text', 25, 1009], ['oid', 26, 1028], ['tid', 27, 1010],
  ['xid', 28, 1011], ['cid', 29, 1012], ['oidvector', 30, 1013], ['real', 700, 1021, 'float4'], ['double precision', 701, 1022, 'float8'],
  ['unknown', 705, 0], ['money', 790, 791, 'cash_'], ['character', 1042, 1014, 'bpchar'], ['character varying', 1043, 1015, 'varchar'],
  ['bit', 1560, 1561, 'bit_'], ['bit varying', 1562, 1563, 'varbit_'], ['numeric', 1700, 1231, 'numeric_'], ['cstring', 2275, 1263, 'cstring_'],
  ['uuid', 2950, 2951, 'uuid_'], ['xid8', 5069, 271],
  ['json', 114, 199, 'json_'], ['jsonb', 3802, 3807, 'jsonb_'],
  ['date', 1082, 1182, 'date_'], ['time without time zone', 1083, 1183, 'time_'], ['timestamp without time zone', 1114, 1115, 'timestamp_'],
  ['inet', 869, 1041, 'inet_'], ['cidr', 650, 651, 'cidr_'], ['macaddr', 829, 1040, 'macaddr_'], ['macaddr8', 774, 775, 'macaddr8_'],
  ['pg_lsn', 3220, 3221, 'pg_lsn_'], ['pg_snapshot', 5038, 5039, 'pg_snapshot_'], ['jsonpath', 4072, 4073, 'jsonpath_'],
  ['point', 600, 1017, 'point_'], ['lseg', 601, 1018, 'lseg_'], ['path', 602, 1019, 'path_'], ['box', 603, 1020, 'box_'],
  ['polygon', 604, 1027, 'poly_'], ['line', 628, 629, 'line_'], ['circle', 718, 719, 'circle_'],
  ['tsvector', 3614, 3643, 'tsvector'], ['tsquery', 3615, 3645, 'tsquery'],
  ['int4range', 3904, 3905, 'range_'], ['numrange', 3906, 3907, 'range_'], ['daterange', 3912, 3913, 'range_'], ['int8range', 3926, 3927, 'range_'],
  ['int4multirange', 4451, 6150, 'multirange_'], ['nummultirange', 4532, 6151, 'multirange_'], ['datemultirange', 4535, 6155, 'multirange_'],
  ['int8multirange', 4536, 6157, 'multirange_'],
  ['timestamp with time zone', 1184, 1185, 'timestamptz_'], ['interval', 1186, 1187, 'interval_'], ['time with time zone', 1266, 1270, 'timetz_'],
];

export const TYPES = new Map<string, TypeRow>();
const byOid = new Map<number, TypeRow>();
for (const [name, oid, array, stem = name] of BASE) {
  const row: TypeRow = { name, oid, array, input: stem };
  TYPES.set(name, row);
  byOid.set(oid, row);
  if (array !== 0) {
    const arrayRow: TypeRow = { name: `${name}[]`, oid: array, array: 0, input: 'array_', elem: oid };
    TYPES.set(arrayRow.name, arrayRow);
    byOid.set(array, arrayRow);
  }
}

export function fn(prosrc: string): (...args: any[]) => any {
  const entry = findBuiltin(prosrc);
  if (entry === undefined) throw new Error(`no builtin ${prosrc}`);
  return entry.fn;
}

/** Range type, its subtype, its multirange type, the function that makes it canonical. */
const RANGES: [number, number, number, string?][] = [
  [3904, 23, 4451, 'int4range_canonical'], [3906, 1700, 4532], [3912, 1082, 4535, 'daterange_canonical'], [3926, 20, 4536, 'int8range_canonical'],
];
typeHooks.rangeInfo = (oid) => {
  const [typeOid, subtype, multirange, canonical] = RANGES.find((row) => row[0] === oid || row[2] === oid)!;
  return { typeOid, subtype, multirange, collation: 0, canonical: canonical === undefined ? undefined : fn(canonical) };
};

const ios = new Map<number, TypeIo>();
export function typeIo(oid: number): TypeIo {
  let io = ios.get(oid);
  if (io === undefined) {
    const row = byOid.get(oid);
    if (row === undefined) throw new Error(`the harness does not know type ${oid}`);
    const input = fn(`${row.input}in`), output = fn(`${row.input}out`), receive = fn(`${row.input}recv`), send = fn(`${row.input}send`);
    const vector = oid === 22 ? 21 : oid === 30 ? 26 : 0;
    io = {
      typeOid: oid, name: row.name, typtype: row.input === 'range_' ? 'r' : row.input === 'multirange_' ? 'm' : 'b', typcategory: row.elem ? 'A' : 'U', typlen: -1, typdelim: row.name === 'box' ? ';' : ',',
      typelem: row.elem ?? vector, typarray: row.array, basetype: oid,
      input: (text, typmod) => input(text, row.elem ?? oid, typmod), output: (value) => output(value),
      receive: (bytes, typmod) => receive(bytes, row.elem ?? oid, typmod), send: (value) => send(value),
    };
    ios.set(oid, io);
  }
  return io;
}
typeHooks.typeIo = typeIo;
typeHooks.isReservedWord = (word) => word === 'null';

export interface Call { prosrc: string; proname: string; args: string[]; values: (string | null)[]; result: string; strict?: boolean }

export function describeError(error: unknown): string {
  if (!(error instanceof PgError)) return `CRASH ${(error as Error).stack}`;
  return `ERROR ${error.code}: ${error.message}${error.fields.detail ? ` | ${error.fields.detail}` : ''}`;
}

/** What our function gives, as text. */
export function callOurs(call: Call): string {
  try {
    const entry = findBuiltin(call.prosrc)!;
    const argTypes = call.args.map((name) => TYPES.get(name)!.oid);
    const args: Datum[] = call.values.map((value, i) => (value === null ? null : typeIo(argTypes[i]!).input(value, -1)));
    if (call.strict && args.includes(null)) return '<NULL>';
    const resultType = TYPES.get(call.result)!.oid;
    const context: FunctionContext = {
      functionOid: 0, argTypes, resultType, collation: 100, variadic: false, extra: undefined, aggregate: false,
    };
    if (entry.kind === 'set') {
      return [...entry.fn(context, ...args)].map((item) => (item === null ? '<NULL>' : typeIo(resultType).output(item))).join('\n');
    }
    const value = entry.kind === 'pure' ? entry.fn(...args) : entry.fn(context, ...args);
    return value === null || value === undefined ? '<NULL>' : typeIo(resultType).output(value);
  } catch (error) {
    return describeError(error);
  }
}

const literal = (value: string): string => (value.includes('\\') ? `E'${value.replace(/['\\]/g, '\\$&')}'` : `'${value.replaceAll("'", "''")}'`);

/** The same call as SQL. */
export function callSql(call: Call): string {
  const args = call.values.map((value, i) => `${value === null ? 'null' : literal(value)}::${call.args[i] === 'character' ? 'bpchar' : call.args[i] === 'bit' ? '"bit"' : call.args[i]}`);
  return `pg_catalog."${call.proname}"(${args.join(', ')})`;
}

export const oracleAvailable = oracle !== undefined;

const TRY = `
create or replace function pg_temp.try(sql text) returns text language plpgsql as $f$
declare result text; detail text; begin
  execute sql into result; return result;
exception when others then
  get stacked diagnostics detail = pg_exception_detail;
  return 'ERROR ' || sqlstate || ': ' || sqlerrm || case when detail <> '' then ' | ' || detail else '' end;
end $f$;`;

/** The text of every expression's value (or error), by PostgreSQL, in one session. */
export function askOracle(expressions: readonly string[], settings = '', asRows = false): string[] {
  const results: string[] = [];
  const statements = expressions.map((expression) => asRows ? expression
    : `select case when v is null then '<NULL>' else format('%s', v) end from (select ${expression} as v offset 0) s`);
  let script = `set client_min_messages = error;\n${TRY}\n${settings}\n`;
  for (let i = 0; i < statements.length; i += 200) {
    script += `select pg_temp.try(q) from (values ${statements.slice(i, i + 200).map((sql, k) => `(${k}, $q$${sql}$q$)`).join(',')}) v(k, q) order by k;\n`;
  }
  const run = spawnSync('psql', ['-XAtq0', '-h', oracle!.host, '-p', String(oracle!.port), '-U', oracle!.user, '-v', 'ON_ERROR_STOP=1'], {
    input: script, encoding: 'utf8', maxBuffer: 1 << 30, env: { ...process.env, PGCLIENTENCODING: 'UTF8' },
  });
  if (run.status !== 0) throw new Error(`psql: ${run.stderr}`);
  results.push(...run.stdout.split('\0'));
  results.pop();
  if (results.length !== expressions.length) throw new Error(`asked ${expressions.length}, got ${results.length} answers`);
  return results;
}

/** Rows of a query. */
export function queryOracle(sql: string): string[][] {
  const run = spawnSync('psql', ['-XAtq', '-F', '\x01', '-h', oracle!.host, '-p', String(oracle!.port), '-U', oracle!.user, '-c', sql], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(`psql: ${run.stderr}`);
  return run.stdout.split('\n').filter((line) => line !== '').map((line) => line.split('\x01'));
}
