// Columns of a table's row, read straight from the bytes of its block by the format in access/row.ts. In the text,
// `b` is the block, `w` a DataView of it and `o` where the row starts.
import { type ColumnLayout, ROW_WIDE, readColumn, readVarBpchar, readVarText, type RowLayout } from '../access/row.ts';
import { notSupported } from '../../common/errors.ts';
import type { Relation } from '../catalog/relation.ts';
import { currentTransactionId } from '../transaction/xact.ts';
import { type Int8, type RecordAttribute, RecordValue } from '../types/datum.ts';
import type { Column, Generator } from './codegen.ts';

const FIRST_NORMAL_OID = 16384;
export const ownXid = (): number => currentTransactionId() % 2 ** 32;

/** The names of the variables that hold the row at hand. */
export interface RowPlace { bytes: string; view: string; offset: string; rowId: string }

/** An int8 from its bytes, as a number while that is exact. */
function readInt8(view: DataView, at: number): Int8 {
  const high = view.getInt32(at + 4, true);
  if (high >= -0x200000 && high < 0x200000) {
    const value = high * 4294967296 + view.getUint32(at, true);
    if (value !== -9007199254740992) return value;
  }
  return view.getBigInt64(at, true);
}

const FIXED_READS: Partial<Record<string, (g: Generator, p: RowPlace, at: number) => string>> = {
  bool: (_g, p, at) => `${p.bytes}[${p.offset} + ${at}] !== 0`,
  int2: (_g, p, at) => `${p.view}.getInt16(${p.offset} + ${at}, true)`,
  int4: (_g, p, at) => `${p.view}.getInt32(${p.offset} + ${at}, true)`,
  oid: (_g, p, at) => `${p.view}.getUint32(${p.offset} + ${at}, true)`,
  int8: (g, p, at) => `${g.konst(readInt8)}(${p.view}, ${p.offset} + ${at})`,
  float4: (_g, p, at) => `${p.view}.getFloat32(${p.offset} + ${at}, true)`,
  float8: (_g, p, at) => `${p.view}.getFloat64(${p.offset} + ${at}, true)`,
};

const VARIABLE_READS: Partial<Record<string, unknown>> = { text: readVarText, bpchar: readVarBpchar };

/** Makes the columns of a row at `place`, each when first asked for. */
export function tableColumns(rel: Relation, place: RowPlace): (attno: number) => Column {
  const columns = new Map<number, Column>();
  const { layout } = rel;
  const attributes = layout.attributeCount;
  // True when the row has all columns the relation has, so that every fixed column is where the layout says.
  const full: Column = {
    nullable: false, type: 16,
    read: () => `(${place.view}.getUint16(${place.offset} + 4, true) & ${ROW_WIDE - 1}) === ${attributes}`,
  };
  // The same, and its var ends are u16.
  const narrow: Column = { nullable: false, type: 16, read: () => `${place.view}.getUint16(${place.offset} + 4, true) === ${attributes}` };
  return (attno) => {
    let column = columns.get(attno);
    if (column === undefined) {
      column = attno > 0 ? tableColumn(rel, layout, attno, place, full, narrow) : attno === 0 ? wholeRow(rel, place) : systemColumn(rel, attno, place);
      columns.set(attno, column);
    }
    return column;
  };
}

function tableColumn(rel: Relation, layout: RowLayout, attno: number, place: RowPlace, full: Column, narrow: Column): Column {
  const attribute = rel.attributes[attno - 1]!;
  const columnLayout: ColumnLayout = layout.columns[attno - 1]!;
  const nullable = !attribute.attnotnull;
  return {
    nullable, type: attribute.atttypid,
    read: (g) => {
      const slow = `${g.konst(readColumn)}(${place.bytes}, ${place.view}, ${place.offset}, ${g.konst(layout)}, ${attno})`;
      const fixed = columnLayout.offset >= 0 ? FIXED_READS[columnLayout.storage] : undefined;
      const variable = VARIABLE_READS[columnLayout.storage];
      let read: string;
      if (fixed !== undefined) read = fixed(g, place, columnLayout.offset);
      else if (variable === undefined) return slow;
      else read = `${g.konst(variable)}(${place.bytes}, ${place.view}, ${place.offset} + ${layout.varEndsStart}, ${columnLayout.varIndex}, ${place.offset} + ${layout.varDataStart})`;
      const bit = attno - 1;
      const value = nullable ? `(${place.bytes}[${place.offset} + ${6 + (bit >> 3)}] & ${1 << (bit & 7)}) !== 0 ? null : ${read}` : read;
      return `${g.column(fixed === undefined ? narrow : full).code} ? (${value}) : ${slow}`;
    },
  };
}

function wholeRow(rel: Relation, place: RowPlace): Column {
  const attributes: RecordAttribute[] = rel.attributes.map((a) => ({
    name: a.attname, typeOid: a.atttypid, typmod: a.atttypmod, collation: a.attcollation, dropped: a.attisdropped,
  }));
  return {
    nullable: false, type: rel.rowType,
    read: (g) => {
      const values = rel.attributes.map((a) => (a.attisdropped ? 'null' : `${g.konst(readColumn)}(${place.bytes}, ${place.view}, ${place.offset}, ${g.konst(rel.layout)}, ${a.attnum})`));
      return `new ${g.konst(RecordValue)}(${g.konst(rel.rowType)}, ${g.konst(attributes)}, [${values.join(', ')}])`;
    },
  };
}

/** ctid, xmin, cmin, xmax, cmax, tableoid. There are no old versions, so all but the first two and the last are 0. */
function systemColumn(rel: Relation, attno: number, place: RowPlace): Column {
  switch (attno) {
    case -1: return { nullable: false, type: 27, read: () => place.rowId };
    case -2: return {
      nullable: false, type: 28,
      // What this transaction has written bears no number yet (nor does what initdb wrote).
      read: (g) => `(${place.view}.getUint32(${place.offset}, true) || ${rel.oid < FIRST_NORMAL_OID ? '1' : `${g.konst(ownXid)}()`})`,
    };
    case -3: case -5: return { nullable: false, type: 29, read: () => '0' };
    case -4: return { nullable: false, type: 28, read: () => '0' };
    case -6: return { nullable: false, type: 26, read: (g) => g.konst(rel.oid) };
    default: throw notSupported(`system column ${attno}`);
  }
}
