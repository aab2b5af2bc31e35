// The shapes of raw parse trees. Fields are those of PostgreSQL's parsenodes.h as libpg-query prints them (enum
// values are their C names: 'AEXPR_OP', 'JOIN_LEFT', 'OBJECT_TABLE', ...), with four differences made by
// raw_parser.ts: `tag` names the C type, String nodes are strings, Integer nodes are numbers, Lists are arrays.
// A field that is zero, false, NULL or empty is absent (enums never are).

/** Any raw node. The type is loose on purpose: there are 250 kinds, and each handler knows the one it serves. */
export interface RawNode {
  tag: string;
  location?: number;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  [field: string]: any;
}

export interface RawStmt {
  readonly tag: 'RawStmt';
  readonly stmt: RawNode;
  /** Byte offset of the statement in the text, and its length without the semicolon; 0: up to the end. */
  readonly stmt_location: number;
  readonly stmt_len: number;
}

/** What may stand where the grammar has a name or a node in a list. */
export type RawValue = RawNode | string | number | null;

export interface RawConst extends RawNode {
  tag: 'A_Const';
  ctype: 'integer' | 'float' | 'string' | 'boolean' | 'bit' | 'null';
  /** float and bit as written; integer fits int4. */
  value: number | string | boolean | null;
  location: number;
  /** See Const.slot. */
  slot?: number;
}

export interface RawResTarget extends RawNode {
  tag: 'ResTarget'; name?: string; indirection?: (string | RawNode)[]; val?: RawNode; location: number;
}
