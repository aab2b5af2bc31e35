// Whether a bare name, resolved anew with the same argument types, would find the same function or operator again.
import { functionIsVisible, operatorIsVisible } from '../../catalog/namespace.ts';
import { operatorNameGetOprid } from '../../catalog/func_candidates.ts';
import type { PgOperator, PgProc } from '../../catalog/rows.ts';
import type { Oid } from '../../types/datum.ts';

const PG_CATALOG_NAMESPACE = 11;

export function procIsBareVisible(proc: PgProc, _argTypes: readonly Oid[], _variadic: boolean): boolean {
  return proc.pronamespace === PG_CATALOG_NAMESPACE || functionIsVisible(proc.oid);
}

export function operatorIsBareVisible(op: PgOperator, left: Oid, right: Oid): boolean {
  if (op.oprnamespace === PG_CATALOG_NAMESPACE) return true;
  return operatorIsVisible(op.oid) || operatorNameGetOprid([op.oprname], left, right) === op.oid;
}
