// Names of functions, operators and relations for people, qualified when the search path does not lead to them
// (regprocedureout and its kin; generate_relation_name).
import type { Oid } from '../types/datum.ts';
import { formatType } from './format_type.ts';
import { functionIsVisible, operatorIsVisible, relationIsVisible } from './namespace.ts';
import { quoteIdentifier, quoteQualifiedIdentifier } from './quote.ts';
import * as sys from './syscache.ts';

const schemaOf = (namespace: Oid): string => sys.namespaceByOid(namespace)?.nspname ?? String(namespace);

/** `f(integer, text)` (format_procedure). */
export function formatProcedure(oid: Oid): string {
  const proc = sys.procByOid(oid);
  if (!proc) return String(oid);
  const name = quoteQualifiedIdentifier(functionIsVisible(oid) ? null : schemaOf(proc.pronamespace), proc.proname);
  return `${name}(${proc.proargtypes.map(formatType).join(',')})`;
}

/** `+(integer,integer)` (format_operator). */
export function formatOperator(oid: Oid): string {
  const op = sys.operatorByOid(oid);
  if (!op) return String(oid);
  const side = (type: Oid): string => (type === 0 ? 'NONE' : formatType(type));
  const schema = operatorIsVisible(oid) ? '' : `${quoteIdentifier(schemaOf(op.oprnamespace))}.`;
  return `${schema}${op.oprname}(${side(op.oprleft)},${side(op.oprright)})`;
}

/** `t`, or `s.t` when the search path does not lead there. */
export function formatRelation(oid: Oid): string {
  const row = sys.classByOid(oid);
  if (!row) return String(oid);
  return quoteQualifiedIdentifier(relationIsVisible(oid) ? null : schemaOf(row.relnamespace), row.relname);
}

/** A name quoted, with its schema when it cannot be found without. */
export const formatNamed = (namespace: Oid, name: string, visible: boolean): string =>
  quoteQualifiedIdentifier(visible ? null : schemaOf(namespace), name);
