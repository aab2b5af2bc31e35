// From a TypeName of the grammar to a type's OID and type modifier.
import { PgError, internalError } from '../../common/errors.ts';
import { callBuiltin } from './fold.ts';
import { formatType } from '../catalog/format_type.ts';
import { typeNames } from '../catalog/reg_names.ts';
import { getType } from '../catalog/lsyscache.ts';
import { deconstructQualifiedName, lookupExplicitNamespace, nameListToString, typenameToOid, getCollationOid, makeRangeVarFromNameList, rangeVarGetRelid } from '../catalog/namespace.ts';
import type { PgType } from '../catalog/rows.ts';
import * as sys from '../catalog/syscache.ts';
import { makeArray, type Oid } from '../types/datum.ts';
import { typeHooks } from '../types/hooks.ts';
import { CSTRINGOID } from '../types/oids.ts';
import { pinLiteral, session } from '../utils/session.ts';
import { parserError, withErrorPosition, withNoticePosition, type ParseState } from './parse_node.ts';
import { rawParse, type RawNode } from './raw_parser.ts';

export { formatType };

/** The name as written, for messages (TypeNameToString). */
export function typeNameToString(typeName: RawNode): string {
  let text: string;
  if (typeName.names !== undefined) text = (typeName.names as string[]).join('.');
  else text = formatType(typeName.typeOid as Oid);
  if (typeName.pct_type === true) text += '%TYPE';
  if (typeName.arrayBounds !== undefined) text += '[]';
  return text;
}

/** The pg_type row and typmod a TypeName means; undefined when there is no such type (a schema that is not there is an error, unless
 * `missingOk`). `tempOk`: a name without a schema may be that of a temporary type. */
export function lookupTypeName(state: ParseState | null, typeName: RawNode, missingOk = false, tempOk = true): { type: PgType; typmod: number } | undefined {
  let oid: Oid;
  const names = typeName.names as string[] | undefined;
  if (names === undefined) oid = typeName.typeOid as Oid;
  else if (typeName.pct_type === true) oid = columnType(state, typeName, names);
  else {
    const { schema } = deconstructQualifiedName(names);
    if (schema !== null) withErrorPosition(state, typeName.location, () => lookupExplicitNamespace(schema, missingOk));
    oid = typenameToOid(names, true, tempOk);
  }
  if (typeName.arrayBounds !== undefined && oid !== 0) oid = sys.typeByOid(oid)?.typarray ?? 0;
  const type = oid === 0 ? undefined : sys.typeByOid(oid);
  if (type === undefined) return undefined;
  if (typeName.pct_type === true) {
    const notice = new PgError('successful_completion', `type reference ${typeNameToString(typeName)} converted to ${formatType(type.oid)}`);
    notice.severity = 'NOTICE';
    session.notice(notice);
  }
  return { type, typmod: typenameTypeMod(state, typeName, type) };
}

function columnType(state: ParseState | null, typeName: RawNode, names: string[]): Oid {
  if (names.length < 2) throw parserError(state, 'syntax_error', `improper %TYPE reference (too few dotted names): ${nameListToString(names)}`, typeName.location);
  if (names.length > 4) throw parserError(state, 'syntax_error', `improper %TYPE reference (too many dotted names): ${nameListToString(names)}`, typeName.location);
  const rangeVar = makeRangeVarFromNameList(names.slice(0, -1));
  const relid = withErrorPosition(state, typeName.location, () => rangeVarGetRelid(rangeVar));
  const column = names[names.length - 1]!;
  const attribute = sys.attributeByName(relid, column);
  if (attribute === undefined) {
    throw parserError(state, 'undefined_column', `column "${column}" of relation "${rangeVar.relname}" does not exist`, typeName.location);
  }
  return attribute.atttypid;
}

/** Like lookupTypeName, and the type must exist and not be a shell. */
export function typenameType(state: ParseState | null, typeName: RawNode): { type: PgType; typmod: number } {
  const found = lookupTypeName(state, typeName);
  if (found === undefined) throw parserError(state, 'undefined_object', `type "${typeNameToString(typeName)}" does not exist`, typeName.location);
  if (!found.type.typisdefined) {
    throw parserError(state, 'undefined_object', `type "${typeNameToString(typeName)}" is only a shell`, typeName.location);
  }
  return found;
}

export function typenameTypeId(state: ParseState | null, typeName: RawNode): Oid {
  return typenameType(state, typeName).type.oid;
}

export function typenameTypeIdAndMod(state: ParseState | null, typeName: RawNode): { type: Oid; typmod: number } {
  const found = typenameType(state, typeName);
  return { type: found.type.oid, typmod: found.typmod };
}

/** Lets the type's own typmodin function make a typmod of what stands in parentheses. */
function typenameTypeMod(state: ParseState | null, typeName: RawNode, type: PgType): number {
  const typmods = typeName.typmods as RawNode[] | undefined;
  if (typmods === undefined) return typeName.typemod as number;
  if (!type.typisdefined) {
    throw parserError(state, 'syntax_error', `type modifier cannot be specified for shell type "${typeNameToString(typeName)}"`, typeName.location);
  }
  const row = type.typelem !== 0 && type.typmodin === 0 ? getType(type.typelem) : type;
  if (row.typmodin === 0) {
    throw parserError(state, 'syntax_error', `type modifier is not allowed for type "${typeNameToString(typeName)}"`, typeName.location);
  }
  const texts = typmods.map((node) => {
    pinLiteral(node.slot);
    if (node.tag === 'A_Const' && (node.ctype === 'integer' || node.ctype === 'float' || node.ctype === 'string')) return String(node.value);
    if (node.tag === 'ColumnRef' && node.fields.length === 1 && typeof node.fields[0] === 'string') return node.fields[0] as string;
    throw parserError(state, 'syntax_error', 'type modifiers must be simple constants or identifiers', typeName.location);
  });
  const typmodin = row.typmodin;
  return withNoticePosition(state, typeName.location, () => callBuiltin(typmodin, makeArray(CSTRINGOID, texts)) as number);
}

/** The collation of a CollateClause. */
export function lookupCollation(state: ParseState | null, names: string[], location: number | undefined): Oid {
  return withErrorPosition(state, location, () => getCollationOid(names));
}

/** The collation of a column definition: given, or the type's own. */
export function getColumnDefCollation(state: ParseState | null, column: RawNode, typeOid: Oid): Oid {
  const typcollation = getType(typeOid).typcollation;
  let result: Oid;
  let location = column.location;
  const clause = column.collClause as RawNode | undefined;
  if (clause !== undefined) {
    location = clause.location;
    result = lookupCollation(state, clause.collname as string[], location);
  } else if (typeof column.collOid === 'number' && column.collOid !== 0) result = column.collOid;
  else result = typcollation;
  if (result !== 0 && typcollation === 0) {
    throw parserError(state, 'datatype_mismatch', `collations are not supported by type ${formatType(typeOid)}`, location);
  }
  return result;
}

const CAST = 'SELECT CAST(NULL AS ';

/** The TypeName in a text such as 'numeric(10,2)' or 'int[]' (typeStringToTypeName). A syntax error's position is the one in the
 * text, as PostgreSQL's; `placed` is told it, counted in characters from 0, and says what it is instead. */
export function typeStringToTypeName(text: string, placed?: (error: PgError, within: number) => void): RawNode {
  let stmts;
  try {
    stmts = text.trim() === '' ? [] : rawParse(`${CAST}${text}\n)`);
  } catch (error) {
    if (!(error instanceof PgError) || error.fields.position === undefined) throw error;
    const within = error.fields.position - 1 - CAST.length, length = [...text].length;
    const told = within > length ? new PgError('syntax_error', 'syntax error at end of input') : error;
    told.fields = { ...error.fields, position: Math.min(within, length) + 1, where: `invalid type name "${text}"` };
    placed?.(told, Math.min(within, length));
    throw told;
  }
  const cast = stmts.length === 1 ? (stmts[0]!.stmt.targetList?.[0]?.val as RawNode | undefined) : undefined;
  const stmt = stmts[0]?.stmt;
  if (cast?.tag !== 'TypeCast' || stmt?.targetList.length !== 1 || stmt.fromClause !== undefined || stmt.targetList[0].name !== undefined || cast.typeName.setof === true) {
    throw new PgError('syntax_error', `invalid type name "${text}"`);
  }
  return cast.typeName as RawNode;
}

/** Type and typmod of a type written as text; undefined when there is none and `missingOk` (parseTypeString). */
function parseTypeString(text: string, missingOk = false): { type: Oid; typmod: number } | undefined {
  const typeName = typeStringToTypeName(text);
  const found = lookupTypeName(null, typeName, missingOk);
  if (found === undefined || !found.type.typisdefined) {
    if (missingOk) return undefined;
    throw new PgError('undefined_object', found === undefined ? `type "${typeNameToString(typeName)}" does not exist` : `type "${typeNameToString(typeName)}" is only a shell`);
  }
  return { type: found.type.oid, typmod: found.typmod };
}

typeNames.parse = parseTypeString;

/** The relation of a composite type (also below a domain), 0 when it is none. */
export function typeOrDomainTypeRelid(typeOid: Oid): Oid {
  let type = getType(typeOid);
  while (type.typtype === 'd') type = getType(type.typbasetype);
  return type.typrelid;
}

/** Makes the value of a literal of this type (stringTypeDatum). */
export function stringTypeDatum(typeOid: Oid, text: string, typmod: number): import('../types/datum.ts').Datum {
  const io = typeHooks.typeIo(typeOid);
  if (io === undefined) throw internalError(`cache lookup failed for type ${typeOid}`);
  return io.input(text, typmod);
}
