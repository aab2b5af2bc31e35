// Names of conditions in EXCEPTION and RAISE (plerrcodes.h): those of errcodes.txt, classes 00 to 02 left out.
import { SQLSTATE, type ConditionName } from '../../../common/sqlstate.ts';

const byName = new Map<string, string>(Object.entries(SQLSTATE).filter(([, code]) => !/^0[012]/.test(code)));
byName.delete('plpgsql_error');
byName.set('plpgsql_error', 'P0000');

/** What a condition name stands for; undefined: no such name. */
export const sqlstateOf = (name: string): string | undefined => byName.get(name);

/** `2F` and the like: codes that end in 000 mean their whole class. */
export function conditionMatches(wanted: string, code: string): boolean {
  return wanted === code || (wanted.endsWith('000') && wanted.slice(0, 2) === code.slice(0, 2));
}

const namesByCode = new Map<string, ConditionName>();
for (const [name, code] of Object.entries(SQLSTATE)) if (!namesByCode.has(code)) namesByCode.set(code, name as ConditionName);

/** A name of a code, if it has one. */
export const conditionOf = (code: string): ConditionName | undefined => namesByCode.get(code);
