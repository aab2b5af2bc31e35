// Names of catalog objects as they must be written to mean the same object again: with a schema only where the bare name
// would find another one, or none.
import { internalError } from '../../../common/errors.ts';
import { getDefaultOpClass, getNamespaceName, getRelName, getRelNamespace } from '../../catalog/lsyscache.ts';
import { collationIsVisible, isTempNamespace, opclassIsVisible, relationIsVisible } from '../../catalog/namespace.ts';
import { quoteIdentifier, quoteQualifiedIdentifier } from '../../catalog/quote.ts';
import { collationByOid, opclassByOid, operatorByOid, procByOid } from '../../catalog/syscache.ts';
import { funcGetDetail } from '../../parser/parse_func.ts';
import { leftOper, oper } from '../../parser/parse_oper.ts';
import type { Oid } from '../../types/datum.ts';
import type { DeparseNamespace } from './names.ts';

/** get_namespace_name_or_temp. */
export const namespaceNameOrTemp = (oid: Oid): string => (isTempNamespace(oid) ? 'pg_temp' : getNamespaceName(oid) ?? '???');

/** `namespaces`: a CTE of the same name there hides the relation. */
export function relationName(relid: Oid, namespaces: readonly DeparseNamespace[] = []): string {
  const name = getRelName(relid);
  if (name === undefined) throw internalError(`cache lookup failed for relation ${relid}`);
  const hidden = namespaces.some((ns) => ns.ctes.some((cte) => cte.ctename === name)) || !relationIsVisible(relid);
  return quoteQualifiedIdentifier(hidden ? namespaceNameOrTemp(getRelNamespace(relid)) : null, name);
}

export function qualifiedRelationName(relid: Oid): string {
  const name = getRelName(relid);
  if (name === undefined) throw internalError(`cache lookup failed for relation ${relid}`);
  return quoteQualifiedIdentifier(namespaceNameOrTemp(getRelNamespace(relid)), name);
}

/** `expandVariadic`: the arguments are written one by one, without VARIADIC. */
export function functionName(funcid: Oid, argTypes: readonly Oid[], argNames: readonly string[], expandVariadic: boolean, inGroupBy = false): string {
  const proc = procByOid(funcid);
  if (proc === undefined) throw internalError(`cache lookup failed for function ${funcid}`);
  // In GROUP BY, cube and rollup are not functions unless qualified.
  const forced = inGroupBy && (proc.proname === 'cube' || proc.proname === 'rollup');
  const found = forced ? null : funcGetDetail([proc.proname], null, argNames, argTypes, expandVariadic, true, false);
  const bare = found !== null && found.funcid === funcid && (found.code === 'normal' || found.code === 'aggregate' || found.code === 'window');
  return quoteQualifiedIdentifier(bare ? null : namespaceNameOrTemp(proc.pronamespace), proc.proname);
}

/** `left` 0: a prefix operator. */
export function operatorName(opno: Oid, left: Oid, right: Oid): string {
  const op = operatorByOid(opno);
  if (op === undefined) throw internalError(`cache lookup failed for operator ${opno}`);
  const found = op.oprkind === 'l' ? leftOper(null, [op.oprname], right, true, -1) : oper(null, [op.oprname], left, right, true, -1);
  return found?.oid === opno ? op.oprname : `OPERATOR(${quoteIdentifier(namespaceNameOrTemp(op.oprnamespace))}.${op.oprname})`;
}

export function collationName(oid: Oid): string {
  const collation = collationByOid(oid);
  if (collation === undefined) throw internalError(`cache lookup failed for collation ${oid}`);
  return quoteQualifiedIdentifier(collationIsVisible(oid) ? null : namespaceNameOrTemp(collation.collnamespace), collation.collname);
}

/** " opclass" when it is not the default of `type` (0: always), else nothing. */
export function opclassSuffix(oid: Oid, type: Oid): string {
  const opclass = opclassByOid(oid);
  if (opclass === undefined) throw internalError(`cache lookup failed for opclass ${oid}`);
  if (type !== 0 && getDefaultOpClass(type, opclass.opcmethod) === oid) return '';
  return ` ${quoteQualifiedIdentifier(opclassIsVisible(oid) ? null : namespaceNameOrTemp(opclass.opcnamespace), opclass.opcname)}`;
}
