// The set functions behind the views pg_timezone_names and pg_timezone_abbrevs.
import { session } from '../utils/session.ts';
import { datetimeSettings } from './datetime_settings.ts';
import { Interval, RecordValue, tupleDesc } from './datum.ts';
import { registerBuiltins } from './fmgr.ts';
import { BOOLOID, INTERVALOID, RECORDOID, TEXTOID } from './oids.ts';
import { abbreviationOffsetAt, allTimeZones, findTimeZone, unixSeconds } from './timezone.ts';

const offsetColumns = tupleDesc([['abbrev', TEXTOID], ['utc_offset', INTERVALOID], ['is_dst', BOOLOID]]);
const nameColumns = [...tupleDesc([['name', TEXTOID]]), ...offsetColumns];
const MAX_ABBREVIATION = 31; // the zone "Factory" has a sentence

const offset = (seconds: number): Interval => new Interval(0, 0, seconds * 1000000);

registerBuiltins({
  set: {
    pg_timezone_names: function* () {
      const now = unixSeconds(session.transactionStart);
      for (const zone of allTimeZones()) {
        const type = zone.at(now);
        if (type.abbreviation.length > MAX_ABBREVIATION) continue;
        yield new RecordValue(RECORDOID, nameColumns, [zone.name, type.abbreviation, offset(type.offset), type.isDst]);
      }
    },
    pg_timezone_abbrevs: function* () {
      for (const entry of datetimeSettings.abbreviations.values()) {
        let seconds = 0, isDst = false;
        if (entry.length === 3) {
          [, seconds, isDst] = entry;
        } else {
          const zone = findTimeZone(entry[1]);
          if (zone === undefined) continue;
          const type = abbreviationOffsetAt(session.transactionStart, entry[0], zone);
          seconds = type.offset;
          isDst = type.isDst;
        }
        yield new RecordValue(RECORDOID, offsetColumns, [entry[0].toUpperCase(), offset(seconds), isDst]);
      }
    },
  },
});
