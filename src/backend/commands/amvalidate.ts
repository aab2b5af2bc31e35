// amvalidate: whether an operator class and its family have all that their index method needs (amvalidate.c and the methods'
// own validators). Signatures are checked when members are added.
import { internalError } from '../../common/errors.ts';
import { formatOperator } from '../catalog/format_object.ts';
import { formatType } from '../catalog/format_type.ts';
import { indexMethodOf } from '../catalog/index_method.ts';
import type { PgAmop, PgAmproc, PgOpclass } from '../catalog/rows.ts';
import * as sys from '../catalog/syscache.ts';
import type { Oid } from '../types/datum.ts';
import { registerBuiltins } from '../types/fmgr.ts';
import { report } from './maintenance.ts';

interface Subject { opclass: PgOpclass; family: string; className: string; operators: readonly PgAmop[]; functions: readonly PgAmproc[] }
/** What is missing, in words. */
type Validator = (subject: Subject) => string[];

const pairOf = (left: Oid, right: Oid): string => `${left},${right}`;

/** Operators and functions by their types; those of other types than the class's are of use in all pairs only. */
function validateBtree({ opclass, family, className, operators, functions }: Subject): string[] {
  const missing: string[] = [];
  const pairs = new Map<string, { left: Oid; right: Oid; strategies: Set<number>; hasComparison: boolean }>();
  const pair = (left: Oid, right: Oid): { strategies: Set<number>; hasComparison: boolean } => {
    let found = pairs.get(pairOf(left, right));
    if (found === undefined) pairs.set(pairOf(left, right), (found = { left, right, strategies: new Set(), hasComparison: false }));
    return found;
  };
  for (const o of operators) pair(o.amoplefttype, o.amoprighttype).strategies.add(o.amopstrategy);
  for (const f of functions) {
    if (f.amprocnum === 1) pair(f.amproclefttype, f.amprocrighttype).hasComparison = true;
    else if (f.amproclefttype === f.amprocrighttype) pair(f.amproclefttype, f.amprocrighttype);
  }
  let useful = 0;
  for (const { left, right, strategies, hasComparison } of [...pairs.values()].sort((a, b) => a.left - b.left || a.right - b.right)) {
    if (strategies.size === 0 && !hasComparison) continue;
    useful++;
    if (strategies.size < 5) missing.push(`${family} is missing operator(s) for types ${formatType(left)} and ${formatType(right)}`);
    if (!hasComparison) missing.push(`${family} is missing support function for types ${formatType(left)} and ${formatType(right)}`);
  }
  const types = new Set(functions.filter((f) => f.amprocnum === 1 && f.amproclefttype === f.amprocrighttype).map((f) => f.amproclefttype));
  if (!pairs.has(pairOf(opclass.opcintype, opclass.opcintype))) missing.push(`${className} is missing operator(s)`);
  if (useful !== types.size * types.size) missing.push(`${family} is missing cross-type operator(s)`);
  return missing;
}

function validateHash({ opclass, family, className, operators, functions }: Subject): string[] {
  const missing: string[] = [];
  const hashed = new Set(functions.filter((f) => f.amprocnum === 1).map((f) => f.amproclefttype));
  for (const o of operators) {
    if (!hashed.has(o.amoplefttype) || !hashed.has(o.amoprighttype)) missing.push(`${family} lacks support function for operator ${formatOperator(o.amopopr)}`);
  }
  const pairs = new Set(operators.map((o) => pairOf(o.amoplefttype, o.amoprighttype)));
  if (!pairs.has(pairOf(opclass.opcintype, opclass.opcintype))) missing.push(`${className} is missing operator(s)`);
  if (pairs.size !== hashed.size * hashed.size) missing.push(`${family} is missing cross-type operator(s)`);
  return missing;
}

/** Functions that must be there for the class's own type. `either`: one of two will do. */
const needing = (required: readonly number[], either?: readonly [number, number]): Validator => ({ opclass, className, functions }) => {
  const has = (n: number): boolean => functions.some((f) => f.amprocnum === n && f.amproclefttype === opclass.opcintype && f.amprocrighttype === opclass.opcintype);
  const missing = required.filter((n) => !has(n)).map((n) => `${className} is missing support function ${n}`);
  if (either !== undefined && !either.some(has)) missing.push(`${className} is missing support function ${either.join(' or ')}`);
  return missing;
};

/** For each type in the family; 6 is not needed where the first one says so. */
function validateSpgist({ family, operators, functions }: Subject): string[] {
  const missing: string[] = [];
  const types = new Set([...operators.map((o) => o.amoplefttype), ...functions.map((f) => f.amproclefttype)]);
  for (const type of types) {
    const has = (n: number): boolean => functions.some((f) => f.amprocnum === n && f.amproclefttype === type);
    for (const n of [1, 2, 3, 4, 5, 6]) if (!has(n) && (n < 6 || !has(1))) missing.push(`${family} is missing support function ${n} for type ${formatType(type)}`);
  }
  return missing;
}

const VALIDATORS: Readonly<Record<string, Validator>> = {
  btree: validateBtree, hash: validateHash, gist: needing([1, 2, 5, 6, 7]), gin: needing([2, 3], [4, 6]), spgist: validateSpgist, brin: needing([1, 2, 3, 4]),
};

function amvalidate(oid: Oid): boolean {
  const opclass = sys.opclassByOid(oid);
  if (opclass === undefined) throw internalError(`cache lookup failed for operator class ${oid}`);
  const am = sys.amByOid(opclass.opcmethod)!;
  const named = (kind: string, name: string): string => `operator ${kind} "${name}" of access method ${am.amname}`;
  const missing = VALIDATORS[indexMethodOf(am)!.name]!({
    opclass, family: named('family', sys.opfamilyByOid(opclass.opcfamily)!.opfname), className: named('class', opclass.opcname),
    operators: sys.amopsByFamily(opclass.opcfamily), functions: sys.amprocsByFamily(opclass.opcfamily),
  });
  for (const message of missing) report('INFO', message, undefined, 'invalid_object_definition');
  return missing.length === 0;
}

registerBuiltins({ pure: { amvalidate } });
