// The byte form of what a lock is on: in messages, and in what is kept of a prepared transaction.
import { internalError } from '../../common/errors.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { ROW_MODE_NAMES, ROW_MODES } from './locks.ts';
import type { LockTarget, TableLockMode } from './messages.ts';

const TARGET_KINDS: readonly LockTarget['kind'][] = ['row', 'key', 'table', 'advisory', 'object'];

export function writeTarget(out: ByteWriter, target: LockTarget): void {
  out.u8(TARGET_KINDS.indexOf(target.kind));
  switch (target.kind) {
    case 'row':
      out.u32(target.relation); out.u48(target.row); out.u8(ROW_MODES[target.mode]);
      return;
    case 'key':
      out.u32(target.index); out.u16(target.key.length); out.binaryString(target.key);
      return;
    case 'table':
      out.u32(target.oid); out.u8(target.mode);
      return;
    case 'advisory':
      out.u32(target.key1); out.u32(target.key2); out.u32(target.key3); out.bool(target.shared); out.bool(target.session);
      return;
    case 'object':
      out.u32(target.classid); out.u32(target.objid); out.bool(target.exclusive);
  }
}

export function readTarget(input: ByteReader): LockTarget {
  const kind = oneOf(TARGET_KINDS, input.u8());
  switch (kind) {
    case 'row': return { kind, relation: input.u32(), row: input.u48(), mode: oneOf(ROW_MODE_NAMES, input.u8() - 1) };
    case 'key': return { kind, index: input.u32(), key: input.binaryString(input.u16()) };
    case 'table': {
      const oid = input.u32(), mode = input.u8();
      if (mode < 1 || mode > 8) throw internalError('no such table lock mode');
      return { kind, oid, mode: mode as TableLockMode };
    }
    case 'advisory': return {
      kind, key1: input.u32(), key2: input.u32(), key3: input.u32(), shared: input.bool(), session: input.bool(),
    };
    case 'object': return { kind, classid: input.u32(), objid: input.u32(), exclusive: input.bool() };
  }
}

export function oneOf<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw internalError('a message to the transaction manager holds an unknown number');
  return item;
}
