// Statements of SQL that a function runs, with what becomes of their rows: INTO, loops, RETURN QUERY, EXECUTE.
import { PgError } from '../../../common/errors.ts';
import type { DestReceiver, ResultColumn } from '../../executor/dest.ts';
import { outputFunction } from '../../executor/fmgr_info.ts';
import { literalsAreStandard } from '../../parser/escape_strings.ts';
import { rawParse } from '../../parser/raw_parser.ts';
import type { RawNode } from '../../parser/raw_nodes.ts';
import { newPortalName } from '../../tcop/portal.ts';
import { CachedStatement, forgetTextsOfOtherSettings } from '../../tcop/plancache.ts';
import { seesTransitionTables } from '../../parser/query_environment.ts';
import { withShape } from '../../tcop/shapes.ts';
import { TextCache } from '../../utils/text_cache.ts';
import { RecordValue, type Datum, type Oid } from '../../types/datum.ts';
import { TEXTOID, UNKNOWNOID } from '../../types/oids.ts';
import { session } from '../../utils/session.ts';
import { DISCARD } from '../../executor/dest.ts';
import { castFunction, type Cast } from './casts.ts';
import type { Estate } from './estate.ts';
import { type PlStatement, type Site, statementOf } from './expression.ts';
import type { PlDatum, PlRec, PlVariable } from './nodes.ts';
import { checks } from './parser.ts';
import { attributesOf, checkCounts, convertByPosition, findField, moveRow, type MultiAssignment, nullNotAllowed } from './records.ts';

/** What plpgsql.extra_errors and extra_warnings say of a check, now. */
export function extraCheck(name: string): 'ERROR' | 'WARNING' | null {
  return checks('plpgsql.extra_errors').has(name) ? 'ERROR' : checks('plpgsql.extra_warnings').has(name) ? 'WARNING' : null;
}

function multiAssignment(): MultiAssignment | null {
  const level = extraCheck('strict_multi_assignment');
  return level === null ? null : { level, notice: session.notice };
}

/** Where rows go: a record, or several scalars. The values of fields of records are taken from what the records are now. */
export type RowTarget = PlVariable;

/** What the generated code gets for a row: a record's value, or the fields' values in order. */
export type Moved = RecordValue | Datum[];
export type Mover = (row: readonly Datum[] | null) => Moved;

interface FieldType { oid: Oid; typmod: number; notNull: boolean; name: string }

/** Makes rows of these columns fit a target. `records`: the values of the records whose fields are targets, by field. */
export function mover(target: RowTarget, columns: readonly ResultColumn[], records: readonly (RecordValue | null)[]): Mover {
  const strict = multiAssignment();
  if (target.kind === 'rec') {
    const own = attributesOf(columns);
    return (row) => moveRow(target, row, own, strict);
  }
  const fields = (target.kind === 'row' ? target.fields : [target]).map((f, i) => fieldType(f, records[i] ?? null));
  const casts: (Cast | null)[] = fields.map((f, i) => {
    const c = columns[i];
    return castFunction(c?.typeOid ?? UNKNOWNOID, c?.typmod ?? -1, f.oid, f.typmod);
  });
  return (row) => {
    if (row !== null) checkCounts(columns.length, fields.length, strict);
    return fields.map((f, i) => {
      const value = row === null ? null : row[i] ?? null;
      const cast = casts[i]!;
      const result = cast === null ? value : cast(value);
      if (result === null && f.notNull) throw nullNotAllowed(f.name);
      return result;
    });
  };
}

export function fieldType(datum: PlDatum, record: RecordValue | null): FieldType {
  if (datum.kind === 'recfield') {
    const { attribute } = findField(datum.rec, record, datum.field);
    return { oid: attribute.typeOid, typmod: attribute.typmod, notNull: false, name: datum.field };
  }
  const { type, notNull, name } = datum as PlRec;
  return { oid: type.oid, typmod: type.typmod, notNull, name };
}

/** Takes the columns and up to `limit` rows. */
class Collector implements DestReceiver {
  columns: readonly ResultColumn[] | null = null;
  readonly rows: Datum[][] = [];
  private readonly limit: number;
  constructor(limit: number) { this.limit = limit; }
  start(columns: readonly ResultColumn[]): void { this.columns = columns; }
  receive(row: Datum[]): boolean {
    this.rows.push(row);
    return this.rows.length < this.limit;
  }
  end(): void {}
}

const isChange = (s: CachedStatement): boolean =>
  s.units.some((u) => u.canSetTag && 'insert update delete merge'.includes(u.query.commandType) && u.query.commandType !== 'select');

const isSelect = (s: CachedStatement): boolean => s.units.some((u) => u.canSetTag && u.query.commandType === 'select');

/** The strict INTO, or an exec without: what a site of exec_stmt_execsql needs to know. */
export interface IntoSpec { target: RowTarget | null; strict: boolean }

export const execResult = { found: null as boolean | null };

/**
 * A statement of SQL, INTO or not (exec_stmt_execsql). Gives what goes into the target; `found.value` says what FOUND becomes,
 * null: it stays.
 */
export function execSql(rt: Estate, site: Site, values: readonly Datum[], into: IntoSpec, records: readonly (RecordValue | null)[]): Moved | null {
  const statement = site.statement ?? rt.doing(site, () => statementOf(site));
  return rt.doing(site, () => {
    const params = { values: null as readonly Datum[] | null };
    const ready = (): readonly Datum[] => (params.values = statement.ready(values));
    return run(rt, statement, ready, into, records, () => parametersText(statement, params.values!, site));
  });
}

function run(rt: Estate, statement: CachedStatement, ready: () => readonly Datum[], into: IntoSpec, records: readonly (RecordValue | null)[], detail: () => string | undefined): Moved | null {
  const many = into.target === null ? null : extraCheck('too_many_rows');
  // Whether it changes something is known when it is ready: the limit is asked for with each row.
  const collector = new Collector(into.target === null ? 1 : 2);
  const dest: DestReceiver = {
    start: (c) => collector.start(c),
    receive: (row) => {
      const more = collector.receive(row);
      if (isChange(statement)) return true;
      return into.target !== null && (into.strict || many !== null) ? more : false;
    },
    end() {},
  };
  rt.processed = rt.run(statement, ready, dest);
  rt.running = null;
  const { columns, rows } = collector;
  const change = isChange(statement);
  execResult.found = change || isSelect(statement) ? rt.processed !== 0 : statement.units.length === 0 ? false : null;
  if (into.target === null) {
    if (columns !== null) {
      throw new PgError('syntax_error', 'query has no destination for result data',
        isSelect(statement) ? { hint: 'If you want to discard the results of a SELECT, use PERFORM instead.' } : {});
    }
    return null;
  }
  if (columns === null) throw new PgError('syntax_error', 'INTO used with a command that cannot return data');
  if (rows.length === 0 && into.strict) throw new PgError('no_data_found', 'query returned no rows', fields(rt, detail));
  if (rows.length > 1 && (into.strict || change || many !== null)) {
    const error = new PgError('too_many_rows', 'query returned more than one row', {
      ...fields(rt, detail), hint: 'Make sure the query returns a single row, or use LIMIT 1.',
    });
    if (into.strict || change || many === 'ERROR') throw error;
    error.severity = 'WARNING';
    session.notice(error);
  }
  rt.running = null;
  return mover(into.target, columns, records)(rows[0] ?? null);
}

const fields = (rt: Estate, detail: () => string | undefined): { detail?: string | undefined } => (rt.fn.printStrictParams ? { detail: detail() } : {});

/** `parameters: a = '1', b = NULL` (format_expr_params). */
function parametersText(statement: PlStatement, values: readonly Datum[], site: Site): string | undefined {
  const { slots, refs } = statement.binding;
  if (slots.length === 0) return undefined;
  return `parameters: ${slots.map(({ ref, field }, i) => {
    const variable = refs[ref]!;
    const name = field < 0 ? variable.name : attributeName(variable as PlRec, site, field);
    return `${name} = ${textOf(values[i]!, field < 0 ? variable.type.oid : TEXTOID)}`;
  }).join(', ')}`;
}

const attributeName = (rec: PlRec, _site: Site, field: number): string => `${rec.name}.${field + 1}`;

/** A value as a detail shows it (convert_value_to_string, quoted). */
function textOf(value: Datum, type: Oid): string {
  if (value === null) return 'NULL';
  return `'${outputFunction(type)(value).replaceAll("'", "''")}'`;
}

export function perform(rt: Estate, site: Site, values: readonly Datum[]): boolean {
  const statement = site.statement ?? rt.doing(site, () => statementOf(site));
  let columns = false;
  rt.processed = rt.doing(site, () => rt.run(statement, () => statement.ready(values), { start() { columns = true; }, receive: () => true, end() {} }));
  if (!columns) throw new PgError('wrong_object_type', 'query did not return data', { where: `query: ${site.expr.text}` });
  return rt.processed !== 0;
}

// ---- loops

/** A body gets each row; false ends the loop. */
export type Body = (row: Moved) => boolean | undefined;

export interface LoopResult { /** What the target is when there was no row. */ empty: Moved | null; /** False: the body has jumped. */ finished: boolean }

/** Loops over what a statement that changes rows returns: no transaction may end in them. */
export const changingLoops = { running: 0 };

/**
 * Runs a query and the body for each row, as the rows come, or, when the body may end the transaction, when all are there.
 * PostgreSQL's loop has an unnamed portal: its name is taken, the next cursor's is the next one.
 */
export function loopOver(rt: Estate, statement: CachedStatement, ready: () => readonly Datum[], target: RowTarget, body: Body, records: readonly (RecordValue | null)[], context: Estate['running']): LoopResult {
  let move: Mover | null = null;
  let count = 0, finished = true;
  const own = rt.s;
  const store: Datum[][] | null = rt.fn.mayCommit && !rt.atomic ? [] : null;
  const receive = (row: readonly Datum[]): boolean => {
    count++;
    const more = body(move!(row));
    rt.s = own;
    if (more === false) finished = false;
    return finished;
  };
  rt.running = context;
  rt.run(statement, () => {
    const params = ready();
    rt.running = null;
    return params;
  }, {
    start(columns) { move ??= mover(target, columns, records); },
    receive: store === null ? receive : (row) => { store.push(row); return true; },
    end() {},
  });
  if (store !== null) {
    const { query } = statement.units[0]!;
    const changes = query.commandType !== 'select' || query.hasModifyingCTE;
    if (changes) changingLoops.running++;
    try {
      for (const row of store) if (!receive(row)) break;
    } finally {
      if (changes) changingLoops.running--;
    }
  }
  rt.running = null;
  return { empty: count === 0 && move !== null ? (move as Mover)(null) : null, finished };
}

export function loopQuery(rt: Estate, site: Site, values: readonly Datum[], target: RowTarget, body: Body, records: readonly (RecordValue | null)[]): LoopResult {
  const statement = site.statement ?? rt.doing(site, () => statementOf(site));
  return loopOver(rt, statement, () => {
    const params = statement.ready(values);
    refuseNoRows(rt, statement);
    newPortalName();
    return params;
  }, target, body, records, site.running);
}

/** A loop needs a query (SPI_cursor_open). */
export function refuseNoRows(rt: Estate, statement: CachedStatement): void {
  if (statement.columns !== null && statement.units.length === 1) return;
  rt.running = null;
  if (statement.units.length > 1) throw new PgError('invalid_cursor_definition', 'cannot open multi-query plan as cursor');
  throw new PgError('invalid_cursor_definition', `cannot open ${statement.commandTag} query as cursor`);
}

// ---- EXECUTE

const MAX_KEPT = 200;
const kept = new TextCache<string, CachedStatement>(MAX_KEPT);

/** The statements of a text made while running. One is kept: loops run the same text again and again. */
export function dynamicStatements(text: string, types: readonly Oid[]): CachedStatement[] {
  const key = `${types.join()}\0${text}`;
  const keeps = literalsAreStandard() && !seesTransitionTables(); // the same name is another table in another trigger
  const known = keeps ? kept.get(key) : undefined;
  if (known !== undefined) return [known];
  const statements = rawParse(text).map((raw) => new CachedStatement(text, raw, [...types], false, false));
  if (keeps && statements.length === 1 && text.length < 2000) kept.set(key, statements[0]!);
  return statements;
}

/** The query of a text, for a cursor or a loop (SPI_cursor_parse_open). */
export function dynamicQuery(rt: Estate, text: string, types: readonly Oid[]): CachedStatement {
  const statements = dynamicStatements(text, types);
  if (statements.length === 1) return statements[0]!;
  for (const statement of statements) statement.revalidate();
  rt.running = null;
  throw new PgError('invalid_cursor_definition', 'cannot open multi-query plan as cursor');
}

export function forgetDynamicStatements(): void {
  kept.clear();
}

export const running = (text: string): Estate['running'] => ({ text, mode: 'statement', shift: 0 });

export function dynamicText(value: Datum): string {
  if (value === null) throw new PgError('null_value_not_allowed', 'query string argument of EXECUTE is null');
  return value as string;
}

function refuseInDynamic(rt: Estate, stmt: RawNode): void {
  if (stmt.tag === 'TransactionStmt') throw withoutText(rt, new PgError('feature_not_supported', 'EXECUTE of transaction commands is not implemented'));
  if (stmt.tag === 'SelectStmt' && stmt['intoClause'] !== undefined) {
    throw withoutText(rt, new PgError('feature_not_supported', 'EXECUTE of SELECT ... INTO is not implemented', {
      hint: 'You might want to use EXECUTE ... INTO or EXECUTE CREATE TABLE ... AS instead.',
    }));
  }
}

/** EXECUTE text INTO target USING values (exec_stmt_dynexecute). */
export function execDynamic(rt: Estate, text: string, values: readonly Datum[], types: readonly Oid[], into: IntoSpec, records: readonly (RecordValue | null)[]): Moved | null {
  rt.running = running(text);
  let collector = new Collector(into.strict ? 2 : Infinity);
  rt.processed = 0;
  let processed = 0;
  const execute = (statement: CachedStatement): void => {
    refuseInDynamic(rt, statement.raw!.stmt);
    collector = new Collector(Infinity);
    const needed = into.target !== null;
    const dest: DestReceiver = needed
      ? { start: (c) => collector.start(c), receive: (row) => { if (collector.rows.length < 2) collector.rows.push(row); return true; }, end() {} }
      : DISCARD;
    processed = rt.run(statement, () => {
      statement.revalidate();
      return values;
    }, dest);
  };
  forgetTextsOfOtherSettings();
  // Loops make texts that differ in a number only.
  if (types.length > 0 || seesTransitionTables() || !withShape(text, rawParse, execute)) {
    const list = rawParse(text, false);
    for (const { stmt } of list) refuseInDynamic(rt, stmt);
    for (const statement of dynamicStatements(text, types)) execute(statement);
  }
  rt.running = null;
  rt.processed = processed;
  if (into.target === null) return null;
  const { columns, rows } = collector;
  if (columns === null) throw new PgError('syntax_error', 'INTO used with a command that cannot return data');
  const detail = (): string | undefined => (values.length === 0 ? undefined : `parameters: ${values.map((v, i) => `$${i + 1} = ${textOf(v, types[i]!)}`).join(', ')}`);
  if (rows.length === 0 && into.strict) throw new PgError('no_data_found', 'query returned no rows', fields(rt, detail));
  if (rows.length > 1 && into.strict) throw new PgError('too_many_rows', 'query returned more than one row', fields(rt, detail));
  return mover(into.target, columns, records)(rows[0] ?? null);
}

function withoutText(rt: Estate, error: PgError): PgError {
  rt.running = null;
  return error;
}

export function loopDynamic(rt: Estate, text: string, values: readonly Datum[], types: readonly Oid[], target: RowTarget, body: Body, records: readonly (RecordValue | null)[]): LoopResult {
  const context = running(text);
  rt.running = context;
  const statement = dynamicQuery(rt, text, types);
  return loopOver(rt, statement, () => {
    statement.revalidate();
    refuseNoRows(rt, statement);
    newPortalName();
    return values;
  }, target, body, records, context);
}

// ---- RETURN NEXT and RETURN QUERY

/** A row or value more in the result. */
export function returnNext(rt: Estate, value: Datum): void {
  rt.results.push(value);
}

/** Rows of a query as results (exec_stmt_return_query). */
export function returnQuery(rt: Estate, statement: CachedStatement, ready: () => readonly Datum[], context: Estate['running'], before = rt.results.length): boolean {
  const { results, expected } = rt;
  const message = 'structure of query does not match function result type';
  let type = 0;
  let columns: readonly ResultColumn[] = [];
  rt.running = context;
  rt.run(statement, () => {
    const params = ready();
    if (statement.columns === null) throw new PgError('syntax_error', `${statement.commandTag} query does not return tuples`);
    return params;
  }, {
    start: (c) => {
      columns = c;
      type = rt.fn.rettype;
      const own = attributesOf(c);
      if (expected === null && !rt.fn.returnsRows) convertByPosition(new RecordValue(0, own, own.map(() => null)), 1, [{ name: '', typeOid: type, typmod: -1, collation: 0, dropped: false }], message);
      else if (expected !== null) convertByPosition(new RecordValue(0, own, own.map(() => null)), 1, expected, message);
    },
    receive: (row) => {
      if (!rt.fn.returnsRows) results.push(row[0]!);
      else if (expected === null) results.push(new RecordValue(2249, attributesOf(columns), row));
      else results.push(convertByPosition(new RecordValue(0, attributesOf(columns), row), rt.fn.rowType, expected, message));
      return true;
    },
    end() {},
  });
  rt.running = null;
  rt.processed = results.length - before;
  return rt.processed !== 0;
}
