// Names of types for people, with their modifiers (PostgreSQL's format_type.c).
import { internalError } from '../../common/errors.ts';
import type { Oid } from '../types/datum.ts';
import { findBuiltin } from '../types/fmgr.ts';
import * as ids from './oids.ts';
import { isTempNamespace, typeIsVisible } from './namespace.ts';
import { quoteQualifiedIdentifier } from './quote.ts';
import * as sys from './syscache.ts';

/** SQL's names for types that have another one in pg_type. */
const SQL_NAMES: Readonly<Record<Oid, string>> = {
  [ids.BOOLOID]: 'boolean', [ids.FLOAT4OID]: 'real', [ids.FLOAT8OID]: 'double precision', [ids.INT2OID]: 'smallint',
  [ids.INT4OID]: 'integer', [ids.INT8OID]: 'bigint', [ids.NUMERICOID]: 'numeric', [ids.INTERVALOID]: 'interval',
  [ids.TIMEOID]: 'time', [ids.TIMETZOID]: 'time', [ids.TIMESTAMPOID]: 'timestamp', [ids.TIMESTAMPTZOID]: 'timestamp',
  [ids.VARBITOID]: 'bit varying', [ids.VARCHAROID]: 'character varying', [ids.BITOID]: 'bit', [ids.BPCHAROID]: 'character',
};
const ZONE_SUFFIX: Readonly<Record<Oid, string>> = {
  [ids.TIMEOID]: ' without time zone', [ids.TIMETZOID]: ' with time zone', [ids.TIMESTAMPOID]: ' without time zone',
  [ids.TIMESTAMPTZOID]: ' with time zone',
};

export interface FormatTypeOptions {
  /** A typmod is known, maybe -1 (then bit and bpchar are not what BIT and CHARACTER would mean). */
  typmodGiven?: boolean;
  /** '???' and '-' instead of an error for what is no type. */
  allowInvalid?: boolean;
  /** Always with the schema, except SQL's own names. */
  forceQualify?: boolean;
}

export function formatTypeExtended(oid: Oid, typmod: number, options: FormatTypeOptions = {}): string {
  if (oid === 0 && options.allowInvalid) return '-';
  let type = sys.typeByOid(oid);
  if (!type) {
    if (options.allowInvalid) return '???';
    throw internalError(`cache lookup failed for type ${oid}`);
  }
  const isArray = type.typsubscript === 6179 && type.typstorage !== 'p'; // array_subscript_handler
  if (isArray) {
    type = sys.typeByOid(type.typelem);
    if (!type) return options.allowInvalid ? '???[]' : internalErrorFor(oid);
  }
  const given = options.typmodGiven === true && typmod >= 0 && (type.typmodout !== 0 || SQL_NAMES[type.oid] === undefined);
  let name = SQL_NAMES[type.oid];
  if (name !== undefined && options.typmodGiven === true && !given && (type.oid === ids.BITOID || type.oid === ids.BPCHAROID)) name = undefined;
  if (name !== undefined) {
    name = given ? withTypmod(name, typmod, type.typmodout) : name + (ZONE_SUFFIX[type.oid] ?? '');
  } else {
    const qualified = options.forceQualify === true || !typeIsVisible(type.oid);
    name = quoteQualifiedIdentifier(!qualified ? null : isTempNamespace(type.typnamespace) ? 'pg_temp' : sys.namespaceByOid(type.typnamespace)?.nspname, type.typname);
    if (given) name = withTypmod(name, typmod, type.typmodout);
  }
  return isArray ? name + '[]' : name;
}
const internalErrorFor = (oid: Oid): never => { throw internalError(`cache lookup failed for type ${oid}`); };

function withTypmod(name: string, typmod: number, typmodout: Oid): string {
  if (typmodout === 0) return `${name}(${typmod})`;
  return name + typmodText(typmodout, typmod);
}
/** What a type's typmodout function says: "(10,2)". */
function typmodText(typmodout: Oid, typmod: number): string {
  const prosrc = sys.procByOid(typmodout)?.prosrc ?? '';
  const builtin = findBuiltin(prosrc);
  if (!builtin || builtin.kind !== 'pure') return `(${typmod})`;
  return String(builtin.fn(typmod));
}

/** The name of a type for messages (format_type_be). */
export const formatType = (oid: Oid): string => formatTypeExtended(oid, -1, { allowInvalid: true });
/** The same with its modifier (format_type_with_typemod). */
export const formatTypeWithTypmod = (oid: Oid, typmod: number): string => formatTypeExtended(oid, typmod, { typmodGiven: true });
