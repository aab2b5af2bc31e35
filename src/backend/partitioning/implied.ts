// What a table's own constraints prove (PostgreSQL's ConstraintImpliedByRelConstraint): then its rows need not be read.
import type { Relation } from '../catalog/relation.ts';
import { makeVar } from '../nodes/makefuncs.ts';
import { makeAndsImplicit } from '../nodes/nodeFuncs.ts';
import type { Expr } from '../nodes/primnodes.ts';
import { canonicalizeQual, evalConstExpressions } from '../optimizer/clauses.ts';
import { predicateImpliedBy } from '../optimizer/predtest.ts';
import { partitionQual } from './partqual.ts';

/** Whether NOT NULL and CHECK, and with `bound` that of a partition, mean that every row meets `quals`. */
export function provenBy(table: Relation, quals: readonly Expr[], bound: boolean): boolean {
  const known: Expr[] = [];
  for (const a of table.attributes) {
    if (!a.attnotnull || a.attisdropped) continue;
    known.push({ kind: 'NullTest', arg: makeVar(1, a.attnum, a.atttypid, a.atttypmod, a.attcollation, 0), isNull: false, argisrow: false, location: -1 });
  }
  const tests = [...table.checks.filter((c) => c.validated).map((c) => c.expr), ...(bound ? partitionQual(table) : [])];
  for (const e of tests) known.push(...makeAndsImplicit(canonicalizeQual(evalConstExpressions(e), true)));
  const wanted = quals.flatMap((q) => makeAndsImplicit(canonicalizeQual(evalConstExpressions(q), true)));
  // A CHECK is met by NULL too, and so is a partition's condition: weak implication is enough.
  return predicateImpliedBy(wanted, known, true);
}
