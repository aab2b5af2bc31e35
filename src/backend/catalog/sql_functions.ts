// Built-in functions that PostgreSQL has as SQL (system_functions.sql): here they are internal, and most are another
// function with its arguments in another order or one more of them. Their prosrc is sql_<name>_<argument types>.
import { notSupported } from '../../common/errors.ts';
import { ArrayValue, type Datum, type Interval, type Oid } from '../types/datum.ts';
import { findBuiltin, registerBuiltins, type ContextFunction, type FunctionContext, type PureFunction } from '../types/fmgr.ts';
import { typeHooks } from '../types/hooks.ts';
import { quoteLiteral } from '../types/quote.ts';
import { parseNumeric } from '../types/numeric.ts';
import { concatText } from '../types/text.ts';
import { withErrorContext } from '../utils/error_context.ts';
import { session } from '../utils/session.ts';
import { getBaseType } from './lsyscache.ts';
import { getComment } from './pg_description.ts';
import { relnameGetRelid } from './namespace.ts';
import * as ids from './oids.ts';
import { relationSize } from './relation_size.ts';
import * as sys from './syscache.ts';

type Callable = (...args: any[]) => any;

/** What those of them are in SQL whose calls PostgreSQL's planner replaces by their bodies: plans show them so. By prosrc. */
export const SQL_BODIES: ReadonlyMap<string, string> = new Map(Object.entries({
  sql_textanycat_text_anynonarray: 'select $1 operator(pg_catalog.||) $2::pg_catalog.text',
  sql_anytextcat_anynonarray_text: 'select $1::pg_catalog.text operator(pg_catalog.||) $2',
  sql_quote_literal_anyelement: 'select pg_catalog.quote_literal($1::pg_catalog.text)',
  sql_quote_nullable_anyelement: 'select pg_catalog.quote_nullable($1::pg_catalog.text)',
  sql_lpad_text_int4: `select pg_catalog.lpad($1, $2, ' '::pg_catalog.text)`,
  sql_rpad_text_int4: `select pg_catalog.rpad($1, $2, ' '::pg_catalog.text)`,
  sql_substring_text_text_text: 'select pg_catalog."substring"($1, pg_catalog.similar_to_escape($2, $3))',
  sql_bit_length_bit: 'select pg_catalog.length($1)',
  sql_bit_length_bytea: 'select pg_catalog.octet_length($1) operator(pg_catalog.*) 8',
  sql_bit_length_text: 'select pg_catalog.octet_length($1) operator(pg_catalog.*) 8',
  sql_log_numeric: 'select pg_catalog.log(10::pg_catalog.numeric, $1)',
  sql_log10_numeric: 'select pg_catalog.log(10::pg_catalog.numeric, $1)',
  sql_round_numeric: 'select pg_catalog.round($1, 0)',
  sql_trunc_numeric: 'select pg_catalog.trunc($1, 0)',
  sql_numeric_pl_pg_lsn_numeric_pg_lsn: 'select $2 operator(pg_catalog.+) $1',
  sql_path_contain_pt_path_point: 'select pg_catalog.on_ppath($2, $1)',
  sql_polygon_circle: 'select pg_catalog.polygon(12, $1)',
  sql_int8pl_inet_int8_inet: 'select $2 operator(pg_catalog.+) $1',
  sql_age_timestamptz: 'select pg_catalog.age(CURRENT_DATE::pg_catalog.timestamptz, $1)',
  sql_age_timestamp: 'select pg_catalog.age(CURRENT_DATE::pg_catalog.timestamp, $1)',
  sql_date_part_text_date: 'select pg_catalog.date_part($1, $2::pg_catalog.timestamp)',
  sql_timestamptz_date_time: 'select ($1 operator(pg_catalog.+) $2)::pg_catalog.timestamptz',
  sql_timedate_pl_time_date: 'select $2 operator(pg_catalog.+) $1',
  sql_timetzdate_pl_timetz_date: 'select $2 operator(pg_catalog.+) $1',
  sql_interval_pl_time_interval_time: 'select $2 operator(pg_catalog.+) $1',
  sql_interval_pl_date_interval_date: 'select $2 operator(pg_catalog.+) $1',
  sql_interval_pl_timetz_interval_timetz: 'select $2 operator(pg_catalog.+) $1',
  sql_interval_pl_timestamp_interval_timestamp: 'select $2 operator(pg_catalog.+) $1',
  sql_interval_pl_timestamptz_interval_timestamptz: 'select $2 operator(pg_catalog.+) $1',
  sql_integer_pl_date_int4_date: 'select $2 operator(pg_catalog.+) $1',
  sql_pg_relation_size_regclass: `select pg_catalog.pg_relation_size($1, 'main'::pg_catalog.text)`,
}));

/** The function with this prosrc, found when first called. */
function fn(prosrc: string, resultType: Oid = 0): Callable {
  let callable: Callable | undefined;
  return (...args) => {
    if (!callable) {
      const builtin = findBuiltin(prosrc);
      if (!builtin) throw notSupported(`function ${prosrc}`);
      const context: FunctionContext = { functionOid: 0, argTypes: [], resultType, collation: 100, variadic: false, extra: undefined, aggregate: false };
      const target = builtin.fn as Callable;
      callable = builtin.kind === 'context' ? (...list) => target(context, ...list) : target;
    }
    return callable(...args);
  };
}

/** The same function with its two arguments the other way round. */
const swapped = (prosrc: string): PureFunction => {
  const target = fn(prosrc);
  return (a, b) => target(b, a);
};
const ten = parseNumeric('10');
const numericLog = fn('numeric_log'), numericRound = fn('numeric_round'), numericTrunc = fn('numeric_trunc');
const textLength = fn('textoctetlen'), byteaLength = fn('byteaoctetlen'), bitLength = fn('bitlength');
const lpad = fn('lpad'), rpad = fn('rpad'), regexSubstring = fn('textregexsubstr'), similar = fn('similar_to_escape_2');
const timestampAge = fn('timestamp_age'), timestamptzAge = fn('timestamptz_age');
const dateTimestamp = fn('date_timestamp'), dateTimestamptz = fn('date_timestamptz'), timestamptzDate = fn('timestamptz_date');
const timestampPart = fn('timestamp_part'), dateTime = fn('datetime_timestamp'), timestampTimestamptz = fn('timestamp_timestamptz');
const sleep = fn('pg_sleep');
const currentDate = (): number => timestamptzDate(session.transactionStart) as number;
const MICROSECONDS_A_DAY = 86_400_000_000;

/** overlaps(start, end or length, start, end or length), with lengths made ends by the type's + interval. */
function overlaps(overlapsProsrc: string, plusProsrc: string, firstIsLength: boolean, secondIsLength: boolean): PureFunction {
  const target = fn(overlapsProsrc), plus = fn(plusProsrc);
  const end = (start: Datum, length: Datum): Datum => (start === null || length === null ? null : plus(start, length) as Datum);
  return (a, b, c, d) => target(a, firstIsLength ? end(a, b) : b, c, secondIsLength ? end(c, d) : d);
}

/** A text and whatever else has a text form. */
/** value::text: by the type's own cast (true, not t), else by its output function. */
function asText(context: FunctionContext, n: number, value: Datum): string {
  const type = getBaseType(context.argTypes[n]!);
  const cast = sys.castBySourceTarget(type, ids.TEXTOID);
  const builtin = cast === undefined || cast.castfunc === 0 ? undefined : findBuiltin(sys.procByOid(cast.castfunc)!.prosrc ?? '');
  return builtin?.kind === 'pure' ? builtin.fn(value) as string : typeHooks.typeIo(type).output(value);
}

const NO_NAMESPACES = new ArrayValue(ids.TEXTOID, [], [], []);

/** XPath functions without an array of namespaces. */
function withNoNamespaces(prosrc: string): PureFunction {
  const target = fn(prosrc);
  return (path, data) => target(path, data, NO_NAMESPACES);
}

const comment = (oid: Oid, catalog: string): string | null => {
  const classId = sys.relationOidByName(catalog, ids.PG_CATALOG_NAMESPACE) || relnameGetRelid(catalog);
  return classId === 0 ? null : getComment(oid, classId, 0);
};

const pure: Record<string, PureFunction> = {
  sql_lpad_text_int4: (text, n) => lpad(text, n, ' '),
  sql_rpad_text_int4: (text, n) => rpad(text, n, ' '),
  sql_substring_text_text_text: (text, pattern, escape) => {
    const regex = similar(pattern, escape) as string | null;
    return regex === null ? null : regexSubstring(text, regex);
  },
  sql_bit_length_bit: (bits) => bitLength(bits),
  sql_bit_length_bytea: (bytes) => (byteaLength(bytes) as number) * 8,
  sql_bit_length_text: (text) => (textLength(text) as number) * 8,
  sql_xpath_text_xml: withNoNamespaces('xpath'),
  sql_xpath_exists_text_xml: withNoNamespaces('xpath_exists'),
  sql_log_numeric: (x) => numericLog(ten, x),
  sql_log10_numeric: (x) => numericLog(ten, x),
  sql_round_numeric: (x) => numericRound(x, 0),
  sql_trunc_numeric: (x) => numericTrunc(x, 0),
  sql_numeric_pl_pg_lsn_numeric_pg_lsn: swapped('pg_lsn_pli'),
  sql_path_contain_pt_path_point: swapped('on_ppath'),
  sql_polygon_circle: (circle) => fn('circle_poly')(12, circle),
  sql_int8pl_inet_int8_inet: swapped('inetpl'),
  sql_age_timestamptz: (t) => timestamptzAge(dateTimestamptz(currentDate()), t),
  sql_age_timestamp: (t) => timestampAge(dateTimestamp(currentDate()), t),
  sql_date_part_text_date: (field, date) => timestampPart(field, dateTimestamp(date)),
  sql_timestamptz_date_time: (date, time) => timestampTimestamptz(dateTime(date, time)),
  sql_timedate_pl_time_date: swapped('datetime_timestamp'),
  sql_timetzdate_pl_timetz_date: swapped('datetimetz_timestamptz'),
  sql_interval_pl_time_interval_time: swapped('time_pl_interval'),
  sql_interval_pl_date_interval_date: swapped('date_pl_interval'),
  sql_interval_pl_timetz_interval_timetz: swapped('timetz_pl_interval'),
  sql_interval_pl_timestamp_interval_timestamp: swapped('timestamp_pl_interval'),
  sql_interval_pl_timestamptz_interval_timestamptz: swapped('timestamptz_pl_interval'),
  sql_integer_pl_date_int4_date: swapped('date_pli'),
  sql_pg_sleep_for_interval: (i: Interval) => sleep((Number(i.time) + (i.days + i.months * 30) * MICROSECONDS_A_DAY) / 1e6),
  sql_pg_sleep_until_timestamptz: (t) => sleep((Number(t) - (Date.now() - Date.UTC(2000, 0, 1)) * 1000) / 1e6),
  sql_pg_relation_size_regclass: relationSize,
  sql_obj_description_oid_name: comment,
  sql_obj_description_oid: (oid: Oid) => sys.lookupAll(ids.DescriptionRelationId, ids.PgDescriptionOCOIndexId, oid)
    .find((d) => d.objsubid === 0)?.description ?? null,
  sql_shobj_description_oid_name: (oid: Oid, catalog: string) => {
    const classId = sys.relationOidByName(catalog, ids.PG_CATALOG_NAMESPACE);
    return sys.lookup(ids.SharedDescriptionRelationId, ids.PgShdescriptionOCIndexId, oid, classId)?.description ?? null;
  },
  sql_col_description_oid_int4: (oid: Oid, column: number) => getComment(oid, ids.RelationRelationId, column),
};
for (const [type, plus] of [['timestamptz', 'timestamptz_pl_interval'], ['timestamp', 'timestamp_pl_interval'], ['time', 'time_pl_interval']] as const) {
  const target = type === 'time' ? 'overlaps_time' : 'overlaps_timestamp';
  pure[`sql_overlaps_${type}_${type}_${type}_interval`] = overlaps(target, plus, false, true);
  pure[`sql_overlaps_${type}_interval_${type}_interval`] = overlaps(target, plus, true, true);
  pure[`sql_overlaps_${type}_interval_${type}_${type}`] = overlaps(target, plus, true, false);
}

/** Its errors tell of the function as if it were written in SQL. */
const asSqlFunction = (body: PureFunction): ContextFunction => (context, ...args) => withErrorContext(
  { outer: null, describe: () => `SQL function "${sys.procByOid(context.functionOid)?.proname}" statement 1` },
  () => body(...args));

registerBuiltins({
  context: {
    ...Object.fromEntries(Object.entries(pure).map(([prosrc, body]) => [prosrc, asSqlFunction(body)])),
    sql_quote_literal_anyelement: (context, value: Datum) => (value === null ? null : quoteLiteral(asText(context, 0, value))),
    sql_quote_nullable_anyelement: (context, value: Datum) => (value === null ? 'NULL' : quoteLiteral(asText(context, 0, value))),
    sql_textanycat_text_anynonarray: (context, text: string, value: Datum) => concatText(text, asText(context, 1, value)),
    sql_anytextcat_anynonarray_text: (context, value: Datum, text: string) => concatText(asText(context, 0, value), text),
  },
});
