// What the support functions of length coercions say of them (varchar_support, numeric_support, TemporalSimplify, ...): a value that fits
// already is the value itself by another type modifier, and an index on it serves.
import { exprCollation, exprType, exprTypmod } from '../nodes/nodeFuncs.ts';
import type { Expr, FuncExpr } from '../nodes/primnodes.ts';
import { procByOid } from '../catalog/syscache.ts';
import { I_DAY, I_HOUR, I_MINUTE, I_MONTH, I_SECOND, INTERVAL_FULL_PRECISION, INTERVAL_FULL_RANGE } from '../types/datetime_tokens.ts';
import { pinLiteral } from '../utils/session.ts';

const VARHDRSZ = 4, MAX_PRECISION = 6;

/** Whether a value of type modifier `old` is left as it is by the function for `given`; -1: any. */
type Fits = (old: number, given: number) => boolean;

const scaleOf = (typmod: number): number => (((typmod - VARHDRSZ) & 0x7ff) ^ 1024) - 1024;
const precisionOf = (typmod: number): number => ((typmod - VARHDRSZ) >> 16) & 0xffff;
const ofTime: Fits = (old, given) => given < 0 || given === MAX_PRECISION || (old >= 0 && given >= old);

const FIELDS = [I_SECOND, I_MINUTE, I_HOUR, I_DAY, I_MONTH];
/** The smallest unit that an interval has: 0 for seconds (intervaltypmodleastfield). */
function leastField(typmod: number): number {
  const range = (typmod >> 16) & 0x7fff;
  if (typmod < 0 || range === INTERVAL_FULL_RANGE) return 0;
  const field = FIELDS.findIndex((f) => (range & f) !== 0);
  return field < 0 ? FIELDS.length : field;
}

const SUPPORT: Record<string, Fits> = {
  varchar_support: (old, given) => given < 0 || (old >= 0 && old <= given),
  varbit_support: (old, given) => given <= 0 || (old > 0 && old <= given),
  numeric_support: (old, given) => given < VARHDRSZ || (old >= VARHDRSZ && scaleOf(old) === scaleOf(given) && precisionOf(old) <= precisionOf(given)),
  timestamp_support: ofTime, time_support: ofTime,
  interval_support: (old, given) => {
    if (given < 0) return true;
    const oldField = leastField(old), digits = given & 0xffff;
    return leastField(given) <= oldField && (oldField > 0 || digits >= MAX_PRECISION || digits >= (old < 0 ? INTERVAL_FULL_PRECISION : old & 0xffff));
  },
};

/** The call's argument by another type modifier, where the call does nothing else; null: it does something, or is no length coercion. */
export function withoutLengthCoercion({ funcid, args }: FuncExpr): Expr | null {
  const typmod = args[1];
  if (typmod?.kind !== 'Const' || typmod.constvalue === null) return null;
  const support = procByOid(funcid)?.prosupport ?? 0, fits = support === 0 ? undefined : SUPPORT[procByOid(support)?.prosrc ?? ''];
  if (fits === undefined) return null;
  pinLiteral(typmod.slot);
  const [arg] = args as [Expr], given = Number(typmod.constvalue);
  if (!fits(exprTypmod(arg), given)) return null;
  return { kind: 'RelabelType', arg, resulttype: exprType(arg), resulttypmod: given, resultcollid: exprCollation(arg), relabelformat: 'explicit_cast', location: -1 };
}
