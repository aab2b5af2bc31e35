// The reg* types: OIDs that read and show as names. The names are the catalog's business (typeHooks).
import { registerBuiltins, type PureFunction } from './fmgr.ts';
import type { Oid } from './datum.ts';
import { typeHooks, type RegKind } from './hooks.ts';
import { oidIn } from './oid.ts';
import { receiveAll, sendInt32 } from './wire.ts';

const KINDS: readonly RegKind[] = ['regproc', 'regprocedure', 'regoper', 'regoperator', 'regclass', 'regtype', 'regrole',
  'regnamespace', 'regcollation', 'regconfig', 'regdictionary'];

/** "-" is 0 where it is not the name of an operator, digits are the OID itself (whether or not it exists), anything else is looked up. */
function regIn(kind: RegKind, text: string): Oid {
  if (text === '-' && kind !== 'regoper' && kind !== 'regoperator') return 0;
  return /^[0-9]+$/.test(text) ? oidIn(text) : typeHooks.regLookup(kind, text, false);
}

function regOut(kind: RegKind, oid: Oid): string {
  if (oid === 0) return kind === 'regoper' || kind === 'regoperator' ? '0' : '-';
  return typeHooks.regName(kind, oid) ?? String(oid);
}

const functions: Record<string, PureFunction> = {
  text_regclass: (text: string) => typeHooks.regLookup('regclass', text, false),
};
for (const kind of KINDS) {
  functions[`${kind}in`] = (text: string) => regIn(kind, text);
  functions[`${kind}out`] = (oid: Oid) => regOut(kind, oid);
  functions[`${kind}recv`] = (bytes: Uint8Array) => receiveAll(bytes, (reader) => reader.uint32());
  functions[`${kind}send`] = sendInt32;
  if (kind !== 'regconfig' && kind !== 'regdictionary') {
    functions[`to_${kind}`] = (text: string) => typeHooks.regLookup(kind, text, true) || null;
  }
}

registerBuiltins({ pure: functions });
