// COPY FROM: lines of text or CSV, or binary tuples, into a table (PostgreSQL's copyfrom.c).
import { PgError } from '../../common/errors.ts';
import type { Attribute, Relation } from '../catalog/relation.ts';
import { beforeStatementDue, enterQuery, fireQueryEvents, leaveQuery, queueStatementEvent } from '../executor/after_triggers.ts';
import { compileExpr } from '../executor/expression.ts';
import { convertRow, PartitionRouter } from '../executor/partition_routing.ts';
import { ResultRelation } from '../executor/result_relation.ts';
import { fireBeforeStatement, fireRow, triggersOf, type TriggerSet } from '../executor/trigger.ts';
import { decodeText } from '../libpq/pqcomm.ts';
import { buildColumnDefault } from '../rewrite/defaults.ts';
import type { Datum } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import { checkForInterrupts } from '../utils/interrupts.ts';
import type { CopyOptions } from './copy_options.ts';
import { fastReader } from './copy_fast.ts';
import { CopyLineReader, type ByteSource } from './copy_parse.ts';

type FieldReader = (bytes: Buffer, from: number, to: number) => Datum;

/** Integers of few digits straight from their bytes; whatever else goes through the type's input function. */
function integerReader(slow: FieldReader, digits: number): FieldReader {
  return (bytes, from, to) => {
    let i = from;
    const negative = bytes[i] === 45;
    if (negative) i++;
    if (i >= to || to - i > digits) return slow(bytes, from, to);
    let v = 0;
    for (; i < to; i++) {
      const d = bytes[i]! - 48;
      if (d < 0 || d > 9) return slow(bytes, from, to);
      v = v * 10 + d;
    }
    return negative ? (v === 0 ? 0 : -v) : v;
  };
}

function fieldReader(attribute: Attribute): FieldReader {
  const { atttypid, atttypmod } = attribute;
  const io = typeHooks.typeIo(atttypid);
  const slow: FieldReader = (bytes, from, to) => io.input(decodeText(bytes, from, to), atttypmod);
  switch (atttypid) {
    case 21: return integerReader(slow, 4);
    case 23: return integerReader(slow, 9);
    case 20: return integerReader(slow, 15);
    case 25: return decodeText;
    case 1043: return atttypmod === -1 ? decodeText : slow;
    default: return slow;
  }
}

export interface CopyFromState {
  relation: Relation;
  /** Columns in the order of the data. */
  columns: readonly Attribute[];
  options: CopyOptions;
  source: ByteSource;
  /** WHERE clause over the relation's columns, or null. */
  where: ((params: readonly Datum[], row: Datum[]) => Datum) | null;
}

/** Copies everything in, as one query with its triggers; the number of rows. */
export function copyFrom(state: CopyFromState): number {
  const level = enterQuery();
  try {
    const target = new CopyTarget(state.relation);
    const rows = state.options.format === 'binary' ? copyFromBinary(state, target) : copyFromText(state, target);
    target.finish();
    return rows;
  } finally {
    leaveQuery(level);
  }
}

/** Where the rows go. A view takes them by its INSTEAD OF triggers. */
class CopyTarget {
  readonly table: ResultRelation | null;
  /** Rows of a partitioned table go to its partitions. */
  private readonly router: PartitionRouter | null;
  private readonly relation: Relation;
  private readonly triggers: TriggerSet | null;

  constructor(relation: Relation) {
    this.relation = relation;
    this.table = relation.kind === 'v' || relation.kind === 'p' ? null : new ResultRelation(relation);
    this.router = relation.kind === 'p' ? new PartitionRouter(relation, new Map(), ['INSERT']) : null;
    this.triggers = triggersOf(relation);
    if (this.triggers === null) return;
    if (beforeStatementDue(relation, 'INSERT')) fireBeforeStatement(this.triggers, 'INSERT', null);
    this.table?.captureFor(relation, 'INSERT');
  }

  /** No trigger has to see a row before the next one is read. */
  get inBulk(): boolean {
    return (this.table !== null || this.router !== null) && (this.triggers === null || this.triggers.beforeRow.INSERT.length === 0);
  }

  /** False: a trigger has left the row out. */
  insert(row: Datum[]): boolean {
    const { table, triggers, router } = this;
    if (router !== null) {
      const place = router.find(row);
      const own = convertRow(place.fromRoot, row);
      const routed = place.target.triggers === null ? own : place.target.beforeRoutedInsert(own);
      if (routed === null) return false;
      place.target.insert(routed);
      return true;
    }
    if (table === null) return fireRow(triggers!.insteadRow.INSERT, 'INSERT', null, row, null) !== null;
    const chosen = triggers === null ? row : table.beforeRow('INSERT', null, row, null);
    if (chosen === null) return false;
    table.insert(chosen);
    return true;
  }

  finish(): void {
    if (this.triggers !== null) queueStatementEvent(this.triggers, this.relation, 'INSERT', null);
    fireQueryEvents();
  }
}

function copyFromText(state: CopyFromState, target: CopyTarget): number {
  const { relation, columns, options } = state;
  const reader = new CopyLineReader(state.source, options);
  let column = -1;
  try {
    const fast = state.where === null && target.table !== null ? fastReader(relation, columns, options, target.table) : null;
    const readers = columns.map(fieldReader);
    // A domain may forbid NULL.
    const nullChecks = columns.map((c) => typeHooks.typeIo(c.atttypid).checkDomain);
    const targets = columns.map((c) => c.attnum - 1);
    const defaults = defaultsOf(state);
    const forceNull = columns.map((c) => options.forceNull.includes(c.attname));
    const forceNotNull = columns.map((c) => options.forceNotNull.includes(c.attname));
    const width = relation.attributes.length;
    const { fields } = reader;
    if (options.header !== false) {
      const found = reader.next();
      if (!found) fields.count = 1;
      if (options.header === 'match') checkHeader(reader, columns);
    }
    let rows = 0;
    for (;;) {
      column = -1;
      if (fast !== null) rows += fast(reader);
      if (!reader.next()) break;
      if ((++rows & 255) === 0) checkForInterrupts();
      if (fields.count > columns.length) {
        if (columns.length === 0 && fields.count === 1 && fields.from[0] === fields.to[0]) fields.count = 0;
        else throw new PgError('bad_copy_file_format', 'extra data after last expected column');
      }
      const row: Datum[] = new Array(width).fill(null);
      for (let i = 0; i < readers.length; i++) {
        column = i;
        if (i >= fields.count) {
          column = -1;
          throw new PgError('bad_copy_file_format', `missing data for column "${columns[i]!.attname}"`);
        }
        let isNull = fields.isNull[i]!;
        if (isNull && forceNotNull[i]) isNull = false;
        else if (!isNull && forceNull[i] && reader.equalsNullText(i)) isNull = true;
        if (!isNull) row[targets[i]!] = readers[i]!(fields.bytes, fields.from[i]!, fields.to[i]!);
        else nullChecks[i]?.(null);
      }
      column = -1;
      for (const [attnum, expr] of defaults) row[attnum - 1] = expr([]);
      if (state.where !== null && state.where([], row) !== true) { rows--; continue; }
      if (!target.insert(row)) rows--;
    }
    return rows;
  } catch (error) {
    throw withContext(error, state, reader, column, target);
  }
}

/** PostgreSQL puts rows into indexes many at a time, and then has no longer the line. */
const IN_INDEX = new Set(['unique_violation', 'exclusion_violation']);

function withContext(error: unknown, state: CopyFromState, reader: CopyLineReader, column: number, target: CopyTarget): unknown {
  if (!(error instanceof PgError) || error.severity === 'FATAL') return error;
  // What a trigger was doing stands before it.
  const inner = error.fields.where;
  const where = `COPY ${state.relation.name}, line ${reader.lineNumber}`;
  if (column >= 0) {
    const { fields } = reader;
    const text = limit(fields.bytes.toString('utf8', fields.from[column]!, fields.to[column]!));
    error.fields.where = fields.isNull[column] && !state.options.forceNotNull.includes(state.columns[column]!.attname)
      ? `${where}, column ${state.columns[column]!.attname}: null input`
      : `${where}, column ${state.columns[column]!.attname}: "${text}"`;
  } else if (!reader.lineIsValid || target.inBulk && IN_INDEX.has(error.condition)) {
    error.fields.where = where;
  } else {
    error.fields.where = `${where}: "${limit(reader.lineText)}"`;
  }
  if (inner !== undefined) error.fields.where = `${inner}\n${error.fields.where}`;
  return error;
}

const MAX_CONTEXT_CHARACTERS = 100;
const limit = (text: string): string => (text.length <= MAX_CONTEXT_CHARACTERS ? text : `${text.slice(0, MAX_CONTEXT_CHARACTERS)}...`);

function checkHeader(reader: CopyLineReader, columns: readonly Attribute[]): void {
  const { fields } = reader;
  if (fields.count !== columns.length) {
    throw new PgError('bad_copy_file_format', `wrong number of fields in header line: got ${fields.count}, expected ${columns.length}`);
  }
  columns.forEach((c, i) => {
    if (fields.isNull[i]) throw new PgError('bad_copy_file_format', `column name mismatch in header line field ${i + 1}: got null value ("${fields.bytes.toString('utf8', fields.from[i]!, fields.to[i]!)}"), expected "${c.attname}"`);
    const name = fields.bytes.toString('utf8', fields.from[i]!, fields.to[i]!);
    if (name !== c.attname) throw new PgError('bad_copy_file_format', `column name mismatch in header line field ${i + 1}: got "${name}", expected "${c.attname}"`);
  });
}

/** Default expressions of the columns that the data does not give. */
function defaultsOf(state: CopyFromState): [number, (params: readonly Datum[]) => Datum][] {
  const given = new Set(state.columns.map((c) => c.attnum));
  const list: [number, (params: readonly Datum[]) => Datum][] = [];
  for (const attribute of state.relation.attributes) {
    if (attribute.attisdropped || given.has(attribute.attnum) || attribute.attgenerated !== '') continue;
    const expr = buildColumnDefault(state.relation, attribute);
    if (expr !== null) list.push([attribute.attnum, compileExpr(expr) as (params: readonly Datum[]) => Datum]);
  }
  return list;
}

const BINARY_SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');

function copyFromBinary(state: CopyFromState, target: CopyTarget): number {
  let buffer: Buffer = Buffer.alloc(0);
  let at = 0;
  let row = 0;
  const need = (n: number): boolean => {
    while (buffer.length - at < n) {
      const more = state.source.next();
      if (more === null) return false;
      buffer = Buffer.concat([buffer.subarray(at), more]);
      at = 0;
    }
    return true;
  };
  const must = (n: number, what = 'unexpected EOF in COPY data'): void => { if (!need(n)) throw new PgError('bad_copy_file_format', what); };
  must(11, 'COPY file signature not recognized');
  if (buffer.compare(BINARY_SIGNATURE, 0, 11, at, at + 11) !== 0) throw new PgError('bad_copy_file_format', 'COPY file signature not recognized');
  at += 11;
  must(4, 'invalid COPY file header (missing flags)');
  const flags = buffer.readUInt32BE(at);
  if (flags & (1 << 16)) throw new PgError('bad_copy_file_format', 'invalid COPY file header (WITH OIDS)');
  if (flags >>> 16) throw new PgError('bad_copy_file_format', 'unrecognized critical flags in COPY file header');
  at += 4;
  const missing = 'invalid COPY file header (missing length)';
  must(4, missing);
  const extension = buffer.readInt32BE(at);
  if (extension < 0) throw new PgError('bad_copy_file_format', missing);
  at += 4;
  must(extension, 'invalid COPY file header (wrong length)');
  at += extension;
  let inserted = 0, column = -1;
  try {
    const defaults = defaultsOf(state);
    const io = state.columns.map((c) => typeHooks.typeIo(c.atttypid));
    for (;;) {
      if ((++row & 255) === 0) checkForInterrupts();
      // Data may also end without the marker.
      if (!need(2)) break;
      const count = buffer.readInt16BE(at);
      at += 2;
      if (count === -1) {
        if (need(1)) throw new PgError('bad_copy_file_format', 'received copy data after EOF marker');
        break;
      }
      if (count !== state.columns.length) throw new PgError('bad_copy_file_format', `row field count is ${count}, expected ${state.columns.length}`);
      const values: Datum[] = new Array(state.relation.attributes.length).fill(null);
      for (column = 0; column < count; column++) {
        must(4);
        const length = buffer.readInt32BE(at);
        at += 4;
        if (length === -1) {
          io[column]!.checkDomain?.(null);
          continue;
        }
        if (length < -1) throw new PgError('bad_copy_file_format', 'invalid field size');
        if (length >= MAX_FIELD_BYTES) {
          throw new PgError('program_limit_exceeded', 'out of memory', { detail: `Cannot enlarge string buffer containing 0 bytes by ${length} more bytes.` });
        }
        must(length);
        const { attnum, atttypmod } = state.columns[column]!;
        values[attnum - 1] = io[column]!.receive(Buffer.from(buffer.subarray(at, at + length)), atttypmod);
        at += length;
      }
      column = -1;
      for (const [attnum, expr] of defaults) values[attnum - 1] = expr([]);
      if (state.where !== null && state.where([], values) !== true) continue;
      if (target.insert(values)) inserted++;
    }
  } catch (error) {
    if (error instanceof PgError && error.severity !== 'FATAL') {
      const inner = error.fields.where, where = `COPY ${state.relation.name}, line ${row}${column < 0 ? '' : `, column ${state.columns[column]!.attname}`}`;
      error.fields.where = inner === undefined ? where : `${inner}\n${where}`;
    }
    throw error;
  }
  while (state.source.next() !== null) { /* drained */ }
  return inserted;
}

const MAX_FIELD_BYTES = 0x3fffffff;
