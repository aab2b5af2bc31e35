// Polymorphic functions: whether actual argument types fit anyelement, anyarray, anycompatible, ... and what the
// result type becomes (the polymorphic half of parse_coerce.c).
//
// Two families: "any..." arguments must have exactly the same type, "anycompatible..." ones a common type.
import { PgError, internalError } from '../../common/errors.ts';
import {
  getArrayType, getBaseType, getElementType, getMultirangeRange, getRangeMultirange, getRangeSubtype, isPreferredType, typeIsArray, typeIsEnum,
} from '../catalog/lsyscache.ts';
import type { Oid } from '../types/datum.ts';
import * as T from '../types/oids.ts';
import { formatType } from './parse_type.ts';
import { recursion } from './recursion.ts';

const FAMILY1 = new Set<Oid>([T.ANYELEMENTOID, T.ANYARRAYOID, T.ANYNONARRAYOID, T.ANYENUMOID, T.ANYRANGEOID, T.ANYMULTIRANGEOID]);
const FAMILY2 = new Set<Oid>([T.ANYCOMPATIBLEOID, T.ANYCOMPATIBLEARRAYOID, T.ANYCOMPATIBLENONARRAYOID, T.ANYCOMPATIBLERANGEOID, T.ANYCOMPATIBLEMULTIRANGEOID]);

export const isPolymorphic = (type: Oid): boolean => FAMILY1.has(type) || FAMILY2.has(type);

/** Whether the actual types of a call may be consistent with its polymorphic declared types. */
export function checkGenericTypeConsistency(actual: readonly Oid[], declared: readonly Oid[]): boolean {
  let elem = 0, array = 0, range = 0, multirange = 0;
  let compatRange = 0, compatRangeElem = 0, compatMultirange = 0;
  let haveNonarray = false, haveEnum = false, haveCompatNonarray = false;
  const compat: Oid[] = [];
  for (let i = 0; i < declared.length; i++) {
    const decl = declared[i]!;
    let type = actual[i]!;
    switch (decl) {
      case T.ANYELEMENTOID: case T.ANYNONARRAYOID: case T.ANYENUMOID:
        if (decl === T.ANYNONARRAYOID) haveNonarray = true;
        else if (decl === T.ANYENUMOID) haveEnum = true;
        if (type === T.UNKNOWNOID) continue;
        if (elem !== 0 && type !== elem) return false;
        elem = type;
        break;
      case T.ANYARRAYOID:
        if (type === T.UNKNOWNOID) continue;
        type = getBaseType(type);
        if (array !== 0 && type !== array) return false;
        array = type;
        break;
      case T.ANYRANGEOID:
        if (type === T.UNKNOWNOID) continue;
        type = getBaseType(type);
        if (range !== 0 && type !== range) return false;
        range = type;
        break;
      case T.ANYMULTIRANGEOID:
        if (type === T.UNKNOWNOID) continue;
        type = getBaseType(type);
        if (multirange !== 0 && type !== multirange) return false;
        multirange = type;
        break;
      case T.ANYCOMPATIBLEOID: case T.ANYCOMPATIBLENONARRAYOID:
        if (decl === T.ANYCOMPATIBLENONARRAYOID) haveCompatNonarray = true;
        if (type === T.UNKNOWNOID) continue;
        compat.push(type);
        break;
      case T.ANYCOMPATIBLEARRAYOID: {
        if (type === T.UNKNOWNOID) continue;
        const element = getElementType(getBaseType(type));
        if (element === 0) return false;
        compat.push(element);
        break;
      }
      case T.ANYCOMPATIBLERANGEOID:
        if (type === T.UNKNOWNOID) continue;
        type = getBaseType(type);
        if (compatRange !== 0) {
          if (compatRange !== type) return false;
        } else {
          compatRange = type;
          compatRangeElem = getRangeSubtype(type);
          if (compatRangeElem === 0) return false;
          compat.push(compatRangeElem);
        }
        break;
      case T.ANYCOMPATIBLEMULTIRANGEOID:
        if (type === T.UNKNOWNOID) continue;
        type = getBaseType(type);
        if (compatMultirange !== 0) {
          if (compatMultirange !== type) return false;
        } else {
          compatMultirange = type;
          if (getMultirangeRange(type) === 0) return false;
        }
        break;
      default:
    }
  }
  if (array !== 0) {
    if (array === T.ANYARRAYOID) {
      // Only pg_statistic has such a column: matches anything.
      if (haveNonarray || haveEnum || range !== 0 || multirange !== 0) return elem === 0 ? false : true;
    } else {
      const element = getElementType(array);
      if (element === 0) return false;
      if (elem === 0) elem = element;
      else if (element !== elem) return false;
    }
  }
  if (multirange !== 0) {
    const rangeOf = getMultirangeRange(multirange);
    if (rangeOf === 0) return false;
    if (range === 0) range = rangeOf;
    else if (range !== rangeOf) return false;
  }
  if (range !== 0) {
    const subtype = getRangeSubtype(range);
    if (subtype === 0) return false;
    if (elem === 0) elem = subtype;
    else if (subtype !== elem) return false;
  }
  if (haveNonarray && elem !== 0 && typeIsArray(getBaseType(elem))) return false;
  if (haveEnum && !typeIsEnum(elem)) return false;
  if (compatMultirange !== 0) {
    const rangeOf = getMultirangeRange(compatMultirange);
    if (compatRange !== 0) {
      if (rangeOf !== compatRange) return false;
    } else {
      compatRange = rangeOf;
      compatRangeElem = getRangeSubtype(rangeOf);
      if (compatRangeElem === 0) return false;
      compat.push(compatRangeElem);
    }
  }
  if (compat.length > 0) {
    const common = selectCommonTypeFromOids(compat, true);
    if (common === 0) return false;
    if (haveCompatNonarray && typeIsArray(getBaseType(common))) return false;
    if (compatRangeElem !== 0 && compatRangeElem !== common) return false;
  }
  return true;
}

const mismatch = (message: string, detail?: string): PgError => new PgError('datatype_mismatch', message, { detail });
const notAlike = (name: string, a: Oid, b: Oid): PgError => mismatch(`arguments declared "${name}" are not all alike`, `${formatType(a)} versus ${formatType(b)}`);

/**
 * Settles the polymorphic types of a call. `declared` is changed in place: polymorphic entries become real types.
 * Gives the result type of the call.
 */
export function enforceGenericTypeConsistency(actual: readonly Oid[], declared: Oid[], rettype: Oid, allowPoly: boolean): Oid {
  let haveGenerics = false, haveUnknowns = false, havePoly2 = false, haveNonarray = false, haveEnum = false, haveCompatNonarray = false;
  let haveMultirange = rettype === T.ANYMULTIRANGEOID, haveCompatMultirange = rettype === T.ANYCOMPATIBLEMULTIRANGEOID;
  let haveCompatRange = rettype === T.ANYCOMPATIBLERANGEOID;
  let elem = 0, array = 0, range = 0, multirange = 0;
  let compatRange = 0, compatRangeElem = 0, compatMultirange = 0, compatArray = 0;
  const compat: Oid[] = [];
  for (let i = 0; i < declared.length; i++) {
    const decl = declared[i]!;
    let type = actual[i]!;
    if (FAMILY1.has(decl)) {
      haveGenerics = true;
      if (decl === T.ANYNONARRAYOID) haveNonarray = true;
      if (decl === T.ANYENUMOID) haveEnum = true;
      if (decl === T.ANYMULTIRANGEOID) haveMultirange = true;
      if (type === T.UNKNOWNOID) {
        haveUnknowns = true;
        continue;
      }
      if (allowPoly && decl === type) continue;
      if (decl === T.ANYARRAYOID) {
        type = getBaseType(type);
        if (array !== 0 && type !== array) throw notAlike('anyarray', array, type);
        array = type;
      } else if (decl === T.ANYRANGEOID) {
        type = getBaseType(type);
        if (range !== 0 && type !== range) throw notAlike('anyrange', range, type);
        range = type;
      } else if (decl === T.ANYMULTIRANGEOID) {
        type = getBaseType(type);
        if (multirange !== 0 && type !== multirange) throw notAlike('anymultirange', multirange, type);
        multirange = type;
      } else {
        if (elem !== 0 && type !== elem) throw notAlike('anyelement', elem, type);
        elem = type;
      }
    } else if (FAMILY2.has(decl)) {
      havePoly2 = true;
      if (decl === T.ANYCOMPATIBLENONARRAYOID) haveCompatNonarray = true;
      if (decl === T.ANYCOMPATIBLERANGEOID) haveCompatRange = true;
      if (decl === T.ANYCOMPATIBLEMULTIRANGEOID) haveCompatMultirange = true;
      if (type === T.UNKNOWNOID) continue;
      if (allowPoly && decl === type) continue;
      if (decl === T.ANYCOMPATIBLEARRAYOID) {
        const element = getElementType(getBaseType(type));
        if (element === 0) throw mismatch(`argument declared anycompatiblearray is not an array but type ${formatType(getBaseType(type))}`);
        compat.push(element);
      } else if (decl === T.ANYCOMPATIBLERANGEOID) {
        type = getBaseType(type);
        if (compatRange !== 0) {
          if (type !== compatRange) throw notAlike('anycompatiblerange', compatRange, type);
        } else {
          compatRange = type;
          compatRangeElem = getRangeSubtype(type);
          if (compatRangeElem === 0) throw mismatch(`argument declared anycompatiblerange is not a range type but type ${formatType(type)}`);
          compat.push(compatRangeElem);
        }
      } else if (decl === T.ANYCOMPATIBLEMULTIRANGEOID) {
        type = getBaseType(type);
        if (compatMultirange !== 0) {
          if (type !== compatMultirange) throw notAlike('anycompatiblemultirange', compatMultirange, type);
        } else {
          compatMultirange = type;
          if (getMultirangeRange(type) === 0) throw mismatch(`argument declared anycompatiblemultirange is not a multirange type but type ${formatType(type)}`);
        }
      } else compat.push(type);
    }
  }
  if (!haveGenerics && !havePoly2) return rettype;
  if (haveGenerics) {
    if (array !== 0) {
      let element: Oid;
      if (array === T.ANYARRAYOID) {
        // Fine for a function that only hands it on.
        if (declared.filter((d) => FAMILY1.has(d)).length !== 1 || (rettype !== T.ANYARRAYOID && FAMILY1.has(rettype))) throw mismatch('cannot determine element type of "anyarray" argument');
        element = T.ANYELEMENTOID;
      } else {
        element = getElementType(array);
        if (element === 0) throw mismatch(`argument declared anyarray is not an array but type ${formatType(array)}`);
      }
      if (elem === 0) elem = element;
      else if (element !== elem) throw mismatch('argument declared anyarray is not consistent with argument declared anyelement', `${formatType(array)} versus ${formatType(elem)}`);
    }
    if (multirange !== 0) {
      const rangeOf = getMultirangeRange(multirange);
      if (rangeOf === 0) throw mismatch(`argument declared anymultirange is not a multirange type but type ${formatType(multirange)}`);
      if (range === 0) range = rangeOf;
      else if (rangeOf !== range) throw mismatch('argument declared anymultirange is not consistent with argument declared anyrange', `${formatType(multirange)} versus ${formatType(range)}`);
    } else if (haveMultirange && range !== 0) multirange = getRangeMultirange(range);
    if (range !== 0) {
      const subtype = getRangeSubtype(range);
      if (subtype === 0) throw mismatch(`argument declared anyrange is not a range type but type ${formatType(range)}`);
      if (elem === 0) elem = subtype;
      else if (subtype !== elem) throw mismatch('argument declared anyrange is not consistent with argument declared anyelement', `${formatType(range)} versus ${formatType(elem)}`);
    }
    if (elem === 0) {
      if (allowPoly) {
        elem = T.ANYELEMENTOID;
        array = T.ANYARRAYOID;
        range = T.ANYRANGEOID;
        multirange = T.ANYMULTIRANGEOID;
      } else throw mismatch('could not determine polymorphic type because input has type unknown');
    }
    if (haveNonarray && elem !== T.ANYELEMENTOID && typeIsArray(getBaseType(elem))) throw mismatch(`type matched to anynonarray is an array type: ${formatType(elem)}`);
    if (haveEnum && elem !== T.ANYELEMENTOID && !typeIsEnum(elem)) throw mismatch(`type matched to anyenum is not an enum type: ${formatType(elem)}`);
  }
  let compatType = 0;
  if (havePoly2) {
    if (compatMultirange !== 0) {
      const rangeOf = getMultirangeRange(compatMultirange);
      if (compatRange !== 0) {
        if (rangeOf !== compatRange) throw mismatch('argument declared anycompatiblemultirange is not consistent with argument declared anycompatiblerange', `${formatType(compatMultirange)} versus ${formatType(compatRange)}`);
      } else {
        compatRange = rangeOf;
        compatRangeElem = getRangeSubtype(rangeOf);
        compat.push(compatRangeElem);
      }
    } else if (haveCompatMultirange && compatRange !== 0) compatMultirange = getRangeMultirange(compatRange);
    if (compat.length > 0) {
      compatType = selectCommonTypeFromOids(compat, false);
      compatArray = getArrayType(compatType);
      if (compatRange !== 0 && compatRangeElem !== compatType) {
        throw mismatch('argument declared anycompatiblerange is not consistent with argument declared anycompatible', `${formatType(compatRange)} versus ${formatType(compatType)}`);
      }
      if (haveCompatNonarray && typeIsArray(getBaseType(compatType))) throw mismatch(`type matched to anycompatiblenonarray is an array type: ${formatType(compatType)}`);
    } else if (allowPoly) {
      compatType = T.ANYCOMPATIBLEOID;
      compatArray = T.ANYCOMPATIBLEARRAYOID;
      compatRange = T.ANYCOMPATIBLERANGEOID;
      compatMultirange = T.ANYCOMPATIBLEMULTIRANGEOID;
    } else {
      // Only unknowns: text, unless a range is wanted.
      compatType = T.TEXTOID;
      compatArray = T.TEXTARRAYOID;
      if (haveCompatRange) throw mismatch('could not determine polymorphic type anycompatiblerange because input has type unknown');
      if (haveCompatMultirange) throw mismatch('could not determine polymorphic type anycompatiblemultirange because input has type unknown');
    }
  }
  const arrayOf = (): Oid => {
    if (array === 0) {
      array = getArrayType(elem);
      if (array === 0) throw new PgError('undefined_object', `could not find array type for data type ${formatType(elem)}`);
    }
    return array;
  };
  const settle = (decl: Oid, isResult: boolean): Oid => {
    switch (decl) {
      case T.ANYELEMENTOID: case T.ANYNONARRAYOID: case T.ANYENUMOID: return elem;
      case T.ANYARRAYOID: return arrayOf();
      case T.ANYRANGEOID:
        if (range === 0) throw isResult ? internalError('could not determine polymorphic type anyrange') : mismatch('could not determine polymorphic type anyrange because input has type unknown');
        return range;
      case T.ANYMULTIRANGEOID:
        if (multirange === 0) {
          if (range !== 0) multirange = getRangeMultirange(range);
          if (multirange === 0) throw mismatch('could not determine polymorphic type anymultirange because input has type unknown');
        }
        return multirange;
      case T.ANYCOMPATIBLEOID: case T.ANYCOMPATIBLENONARRAYOID: return compatType;
      case T.ANYCOMPATIBLEARRAYOID:
        if (compatArray === 0) throw new PgError('undefined_object', `could not find array type for data type ${formatType(compatType)}`);
        return compatArray;
      case T.ANYCOMPATIBLERANGEOID:
        if (compatRange === 0) throw mismatch('could not determine polymorphic type anycompatiblerange because input has type unknown');
        return compatRange;
      case T.ANYCOMPATIBLEMULTIRANGEOID:
        if (compatMultirange === 0) throw mismatch('could not determine polymorphic type anycompatiblemultirange because input has type unknown');
        return compatMultirange;
      default: return decl;
    }
  };
  // Types of literals that are still unknown, and of the "compatible" family, must be put in place for the caller.
  if (haveUnknowns || havePoly2) {
    for (let i = 0; i < declared.length; i++) {
      const decl = declared[i]!;
      if (FAMILY2.has(decl) || (FAMILY1.has(decl) && actual[i] === T.UNKNOWNOID)) declared[i] = settle(decl, false);
    }
  }
  return settle(rettype, true);
}

/** selectCommonType over types alone; 0 (or an error) when there is none. */
function selectCommonTypeFromOids(types: readonly Oid[], noError: boolean): Oid {
  let type = types[0]!;
  if (types.every((t) => t === type) && type !== T.UNKNOWNOID) return type;
  type = getBaseType(type);
  let category = recursion.typeCategory(type);
  let preferred = isPreferredType(category, type);
  for (let i = 1; i < types.length; i++) {
    const next = getBaseType(types[i]!);
    if (next === T.UNKNOWNOID || next === type) continue;
    const nextCategory = recursion.typeCategory(next);
    if (type === T.UNKNOWNOID) {
      type = next; category = nextCategory; preferred = isPreferredType(nextCategory, next);
    } else if (nextCategory !== category) {
      if (noError) return 0;
      throw mismatch(`argument types ${formatType(type)} and ${formatType(next)} cannot be matched`);
    } else if (!preferred && recursion.canCoerceType([type], [next], 'implicit') && !recursion.canCoerceType([next], [type], 'implicit')) {
      type = next; category = nextCategory; preferred = isPreferredType(nextCategory, next);
    }
  }
  if (type === T.UNKNOWNOID) type = T.TEXTOID;
  if (noError && !types.every((t) => recursion.canCoerceType([t], [type], 'implicit'))) return 0;
  return type;
}
