// tsvector_update_trigger, which keeps a tsvector column up to date, and ts_stat, which counts the lexemes of one.
import { PgError } from '../../common/errors.ts';
import { regLookup, stringToQualifiedNameList } from '../catalog/reg_names.ts';
import type { Attribute } from '../catalog/relation.ts';
import type { TriggerResult } from '../commands/trigger_data.ts';
import { spi } from '../executor/spi_hook.ts';
import { compareText } from '../types/characters.ts';
import { RecordValue, tupleDesc, type Datum, type Oid } from '../types/datum.ts';
import { registerBuiltins, type FunctionContext } from '../types/fmgr.ts';
import { typeHooks } from '../types/hooks.ts';
import { BPCHAROID, INT4OID, RECORDOID, TEXTOID, TSVECTOROID, VARCHAROID } from '../types/oids.ts';
import { TsVector } from '../types/tsvector.ts';
import { parseWords, vectorOf, type Word } from './to_tsany.ts';

const REGCONFIGOID = 3734;

function updateVector({ trigger }: FunctionContext, byColumn: boolean): TriggerResult {
  const wrong = (what: string): PgError => new PgError('internal_error', `tsvector_update_trigger: ${what}`);
  if (trigger === undefined) throw wrong('not fired by trigger manager');
  if (trigger.level !== 'ROW') throw wrong('must be fired for row');
  if (trigger.when !== 'BEFORE') throw wrong('must be fired BEFORE event');
  if (trigger.op !== 'INSERT' && trigger.op !== 'UPDATE') throw wrong('must be fired for INSERT or UPDATE');
  const { relation, newRow, oldRow, argv } = trigger;
  if (argv.length < 3) throw wrong('arguments must be tsvector_field, ts_config, text_field1, ...)');
  const column = (name: string, noun: string): Attribute => {
    const found = relation.attributes.find((a) => a.attname === name && !a.attisdropped);
    if (found === undefined) throw new PgError('undefined_column', `${noun} "${name}" does not exist`);
    return found;
  };
  const mustBe = (ok: boolean, { attname }: Attribute, what: string): void => {
    if (!ok) throw new PgError('datatype_mismatch', `column "${attname}" is not of ${what} type`);
  };
  const target = column(argv[0]!, 'tsvector column');
  mustBe(target.atttypid === TSVECTOROID, target, 'tsvector');
  let config: Oid;
  if (byColumn) {
    const source = column(argv[1]!, 'configuration column');
    mustBe(source.atttypid === REGCONFIGOID, source, 'regconfig');
    const value = newRow![source.attnum - 1];
    if (value === null || value === undefined) throw new PgError('null_value_not_allowed', `configuration column "${argv[1]!}" must not be null`);
    config = value as Oid;
  } else {
    if (stringToQualifiedNameList(argv[1]!).length < 2) throw new PgError('invalid_parameter_value', `text search configuration name "${argv[1]!}" must be schema-qualified`);
    config = regLookup('regconfig', argv[1]!, false);
  }
  const words: Word[] = [];
  let position = 0, changed = trigger.op === 'INSERT';
  for (const name of argv.slice(2)) {
    const source = column(name, 'column');
    mustBe([TEXTOID, VARCHAROID, BPCHAROID].includes(source.atttypid), source, 'a character');
    const value = newRow![source.attnum - 1];
    if (oldRow !== null && oldRow[source.attnum - 1] !== value) changed = true;
    if (value !== null && value !== undefined) position = parseWords(config, typeHooks.typeIo(source.atttypid).output(value), words, position);
  }
  if (!changed) return newRow;
  const row = [...newRow!];
  row[target.attnum - 1] = vectorOf(words);
  return row;
}

const STAT_COLUMNS = tupleDesc([['word', TEXTOID], ['ndoc', INT4OID], ['nentry', INT4OID]]);

/** In how many documents each lexeme stands, and how often; only of these weights, if they are given. */
function* statistics(query: string, weights: string | null): Generator<Datum> {
  let mask = 0;
  for (const letter of weights ?? '') mask |= 'DCBA'.includes(letter.toUpperCase()) ? 1 << 'DCBA'.indexOf(letter.toUpperCase()) : 0;
  const counts = new Map<string, { documents: number; entries: number }>();
  spi.execute(query, [], [], (row) => {
    if (row.length !== 1 || (row[0] !== null && !(row[0] instanceof TsVector))) throw new PgError('invalid_parameter_value', 'ts_stat query must return one tsvector column');
    for (const { text, positions } of (row[0] as TsVector | null)?.lexemes ?? []) {
      const entries = mask === 0 ? positions.length || 1 : positions.filter((p) => (mask & (1 << p.weight)) !== 0).length;
      if (entries === 0) continue;
      let count = counts.get(text);
      if (count === undefined) counts.set(text, (count = { documents: 0, entries: 0 }));
      count.documents++;
      count.entries += entries;
    }
    return true;
  });
  // Greater words first, as PostgreSQL's tree is walked.
  for (const [text, c] of [...counts].sort((a, b) => compareText(b[0], a[0]))) yield new RecordValue(RECORDOID, STAT_COLUMNS, [text, c.documents, c.entries]);
}

registerBuiltins({
  context: {
    tsvector_update_trigger_byid: (context) => updateVector(context, false) as unknown as Datum,
    tsvector_update_trigger_bycolumn: (context) => updateVector(context, true) as unknown as Datum,
  },
  set: {
    ts_stat1: (_context, query: string) => statistics(query, null), ts_stat2: (_context, query: string, weights: string) => statistics(query, weights),
  },
});
