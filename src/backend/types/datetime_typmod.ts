// Type modifiers of date and time types: what stands in parentheses, and the field qualifiers of intervals.
import { internalError } from '../../common/errors.ts';
import { sendWarning } from '../utils/session.ts';
import { INTERVAL_FULL_PRECISION, INTERVAL_FULL_RANGE, I_DAY, I_HOUR, I_MINUTE, I_MONTH, I_SECOND, I_YEAR }
  from './datetime_tokens.ts';
import type { ArrayValue } from './datum.ts';
import { invalidParameter } from './errors.ts';
import { registerBuiltins } from './fmgr.ts';
import { typmodIntegers } from './int.ts';

const MAX_PRECISION = 6;

/** A checked precision; too large a one is cut with a warning. `name` is what the message calls the type. */
function precision(given: number, name: string): number {
  if (given < 0) throw invalidParameter(`${name} precision must not be negative`);
  if (given <= MAX_PRECISION) return given;
  sendWarning('invalid_parameter_value', `${name} precision reduced to maximum allowed, ${MAX_PRECISION}`);
  return MAX_PRECISION;
}

function typmodIn(type: string, zone: string): (typmods: ArrayValue) => number {
  return (typmods) => {
    const [given, ...more] = typmodIntegers(typmods);
    if (given === undefined || more.length > 0) throw invalidParameter('invalid type modifier');
    return precision(given, `${type}(${given})${zone}`);
  };
}

function typmodOut(zone: string): (typmod: number) => string {
  return (typmod) => (typmod >= 0 ? `(${typmod})${zone}` : zone);
}

const RANGES = new Map([
  [I_YEAR, ' year'], [I_MONTH, ' month'], [I_DAY, ' day'], [I_HOUR, ' hour'], [I_MINUTE, ' minute'], [I_SECOND, ' second'],
  [I_YEAR | I_MONTH, ' year to month'], [I_DAY | I_HOUR, ' day to hour'], [I_DAY | I_HOUR | I_MINUTE, ' day to minute'],
  [I_DAY | I_HOUR | I_MINUTE | I_SECOND, ' day to second'], [I_HOUR | I_MINUTE, ' hour to minute'],
  [I_HOUR | I_MINUTE | I_SECOND, ' hour to second'], [I_MINUTE | I_SECOND, ' minute to second'],
  [INTERVAL_FULL_RANGE, ''],
]);

registerBuiltins({
  pure: {
    timestamptypmodin: typmodIn('TIMESTAMP', ''),
    timestamptypmodout: typmodOut(' without time zone'),
    timestamptztypmodin: typmodIn('TIMESTAMP', ' WITH TIME ZONE'),
    timestamptztypmodout: typmodOut(' with time zone'),
    timetypmodin: typmodIn('TIME', ''),
    timetypmodout: typmodOut(' without time zone'),
    timetztypmodin: typmodIn('TIME', ' WITH TIME ZONE'),
    timetztypmodout: typmodOut(' with time zone'),
    intervaltypmodin: (typmods: ArrayValue) => {
      const [range, given, ...more] = typmodIntegers(typmods);
      if (range === undefined || more.length > 0 || !RANGES.has(range)) throw invalidParameter('invalid INTERVAL type modifier');
      if (given === undefined) return range === INTERVAL_FULL_RANGE ? -1 : (range << 16) | INTERVAL_FULL_PRECISION;
      return (range << 16) | precision(given, `INTERVAL(${given})`);
    },
    intervaltypmodout: (typmod: number) => {
      if (typmod < 0) return '';
      const fields = RANGES.get((typmod >> 16) & 0x7fff);
      if (fields === undefined) throw internalError(`invalid INTERVAL typmod: 0x${typmod.toString(16)}`);
      const digits = typmod & 0xffff;
      return digits === INTERVAL_FULL_PRECISION ? fields : `${fields}(${digits})`;
    },
  },
});
