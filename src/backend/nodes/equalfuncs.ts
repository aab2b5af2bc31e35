// Whether two trees say the same (PostgreSQL's equal()): everything is compared but where it stood in the text and how
// a coercion was written.
import { pinLiteral } from '../utils/session.ts';

const IGNORED = new Set([
  'location', 'funcformat', 'relabelformat', 'coerceformat', 'convertformat', 'coercionformat', 'row_format', 'slot', 'refs', 'defaulted', 'written',
]);

export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return typeof a === 'number' && typeof b === 'number' && a !== a && b !== b;
  }
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!equal(a[i], b[i])) return false;
    return true;
  }
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  // Two literals of the text that merely happen to have the same value now, or not: see Const.slot.
  if (left['slot'] !== right['slot'] && left['kind'] === right['kind']) {
    pinLiteral(left['slot'] as number | undefined);
    pinLiteral(right['slot'] as number | undefined);
  }
  for (const key in left) if (!IGNORED.has(key) && !equal(left[key], right[key])) return false;
  for (const key in right) if (!(key in left) && !IGNORED.has(key)) return false;
  return true;
}
