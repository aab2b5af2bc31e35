// Constants in stored trees, as text that means the same whatever a session's settings and search path are, and whatever is
// renamed later.
import { datetimeSettings } from '../types/datetime_settings.ts';
import type { Datum, Oid } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import { settings } from '../utils/settings.ts';

/** regproc, regprocedure, regoper, regoperator, regclass, regtype, regconfig, regdictionary, regnamespace, regrole, regcollation. */
const REG_TYPES = new Set<Oid>([24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191]);

export type StoredConstant = { text: string } | { oid: Oid };

/** Runs with the settings that texts are stored by. */
function portably<T>(run: () => T): T {
  const { dateStyle, dateOrder, intervalStyle } = datetimeSettings;
  const { extra_float_digits: digits, array_nulls: nulls } = settings;
  if (dateStyle === 'ISO' && intervalStyle === 'postgres' && digits === 1 && nulls) return run();
  Object.assign(datetimeSettings, { dateStyle: 'ISO', dateOrder: 'YMD', intervalStyle: 'postgres' });
  settings.extra_float_digits = 1;
  settings.array_nulls = true;
  try {
    return run();
  } finally {
    Object.assign(datetimeSettings, { dateStyle, dateOrder, intervalStyle });
    settings.extra_float_digits = digits;
    settings.array_nulls = nulls;
  }
}

/** Objects are kept by their OIDs, labels of enums too: names may change. */
export function storeConstant(type: Oid, value: Datum): StoredConstant {
  if (typeof value === 'number' && (REG_TYPES.has(type) || typeHooks.typeIo(type).typtype === 'e')) return { oid: value };
  return { text: portably(() => typeHooks.typeIo(type).output(value)) };
}

export function readConstant(type: Oid, stored: StoredConstant): Datum {
  return 'oid' in stored ? stored.oid : portably(() => typeHooks.typeIo(type).input(stored.text, -1));
}
