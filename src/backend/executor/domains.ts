// Values of domains that come in from outside (text or binary input): the base type's value, then the domain's constraints
// (domain_in of PostgreSQL).
import { registerCatalogCache, refreshCatalogs } from '../catalog/inval.ts';
import { getBaseTypeAndTypmod } from '../catalog/lsyscache.ts';
import { domainHooks } from '../catalog/type_hooks.ts';
import type { Datum, Oid } from '../types/datum.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { stringToNode } from '../nodes/readfuncs.ts';
import { compileExpr, type CompiledExpr } from './expression.ts';
import { domainHooks as constraintHooks } from './expr_runtime.ts';

constraintHooks.constraintExpr = (conbin) => stringToNode<Expr>(conbin);

const checks = new Map<Oid, CompiledExpr>();
registerCatalogCache(() => checks.clear());

domainHooks.check = (typeOid: Oid, value: Datum): Datum => {
  refreshCatalogs();
  let check = checks.get(typeOid);
  if (check === undefined) {
    const { type, typmod } = getBaseTypeAndTypmod(typeOid, -1);
    check = compileExpr({
      kind: 'CoerceToDomain', resulttype: typeOid, resulttypmod: -1, resultcollid: 0, coercionformat: 'implicit_cast', location: -1,
      arg: { kind: 'Param', paramkind: 'extern', paramid: 1, paramtype: type, paramtypmod: typmod, paramcollid: 0, location: -1 },
    });
    checks.set(typeOid, check);
  }
  return check([value]);
};
