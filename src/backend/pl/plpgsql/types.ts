// Types of variables: written names, %TYPE and %ROWTYPE (plpgsql_parse_datatype and its kind in pl_comp.c).
import { PgError } from '../../../common/errors.ts';
import { getElementType } from '../../catalog/lsyscache.ts';
import { rangeVarGetRelid, relnameGetRelid, type RangeVarName } from '../../catalog/namespace.ts';
import * as sys from '../../catalog/syscache.ts';
import { lookupTypeName, typeNameToString, typeStringToTypeName } from '../../parser/parse_type.ts';
import type { Oid } from '../../types/datum.ts';
import { RECORDOID } from '../../types/oids.ts';
import { lookup, type Namespace } from './namespace.ts';
import type { PlType } from './nodes.ts';
import { positionOf } from './scanner.ts';

/** plpgsql_build_datatype. */
export function buildType(oid: Oid, typmod = -1, collation = 0): PlType {
  const t = sys.typeByOid(oid);
  if (t === undefined) throw new PgError('internal_error', `cache lookup failed for type ${oid}`);
  if (!t.typisdefined) throw new PgError('undefined_object', `type "${t.typname}" is only a shell`);
  let kind: PlType['kind'] = 'scalar';
  if (t.typtype === 'c') kind = 'rec';
  else if (t.typtype === 'd') kind = sys.typeByOid(baseOf(oid))?.typtype === 'c' ? 'rec' : 'scalar';
  else if (t.typtype === 'p') kind = oid === RECORDOID ? 'rec' : 'pseudo';
  const own = t.typcollation;
  return { name: t.typname, oid, kind, typmod, collation: own !== 0 && collation !== 0 ? collation : own, isArray: getElementType(baseOf(oid)) !== 0 };
}

function baseOf(oid: Oid): Oid {
  let t = sys.typeByOid(oid);
  while (t !== undefined && t.typtype === 'd') t = sys.typeByOid(t.typbasetype);
  return t?.oid ?? oid;
}

/** A type by its written name, which stands at `start` of `source`: errors point there. */
export function parseDatatype(text: string, collation: Oid, source: string, start: number): PlType {
  const at = (error: unknown, within: number): never => {
    if (error instanceof PgError && error.fields.internalPosition === undefined) {
      const { position: _position, ...rest } = error.fields;
      error.fields = { ...rest, internalPosition: positionOf(source, start) + within, internalQuery: source };
    }
    throw error;
  };
  try {
    const typeName = typeStringToTypeName(text, at);
    if (typeName['setof']) throw new PgError('syntax_error', `invalid type name "${text}"`);
    const found = lookupTypeName(null, typeName);
    if (found === undefined) throw new PgError('undefined_object', `type "${typeNameToString(typeName)}" does not exist`);
    return buildType(found.type.oid, found.typmod, collation);
  } catch (error) {
    return at(error, 0);
  }
}

/** x%TYPE; null: x is nothing that has one. */
export function parseWordType(ns: Namespace, name: string, collation: Oid): PlType | null {
  const found = lookup(ns, false, name);
  if (found !== null) return found.datum.kind === 'var' ? found.datum.type : null;
  const type = lookupTypeName(null, { tag: 'TypeName', names: [name], typemod: -1, location: -1 } as never);
  if (type === undefined || !type.type.typisdefined || type.type.typrelid !== 0) return null;
  return buildType(type.type.oid, -1, collation);
}

/** a.b%TYPE, a.b.c%TYPE: a variable of a block, or a table's column. */
export function parseCompoundType(ns: Namespace, names: readonly string[]): PlType | null {
  let table: RangeVarName, column: string;
  if (names.length === 2) {
    const found = lookup(ns, false, names[0]!, names[1]!);
    if (found !== null && found.datum.kind === 'var') return found.datum.type;
    table = { relname: names[0]! } as RangeVarName;
    column = names[1]!;
  } else {
    if (names.length !== 3) return null;
    table = { schemaname: names[0]!, relname: names[1]! } as RangeVarName;
    column = names[2]!;
  }
  const relid = rangeVarGetRelid(table, true);
  if (relid === 0) return null;
  const relkind = sys.classByOid(relid)?.relkind ?? '';
  if (!'rvcfmp'.includes(relkind)) return null;
  const attribute = sys.attributeByName(relid, column);
  if (attribute === undefined || attribute.attisdropped) return null;
  return buildType(attribute.atttypid, attribute.atttypmod, attribute.attcollation);
}

/** t%ROWTYPE, s.t%ROWTYPE. */
export function parseRowType(names: readonly string[]): PlType {
  let relid: Oid;
  if (names.length === 1) {
    relid = relnameGetRelid(names[0]!);
    if (relid === 0) throw new PgError('undefined_table', `relation "${names[0]}" does not exist`);
  } else relid = rangeVarGetRelid({ ...(names.length > 2 ? { catalogname: names[0] } : {}), schemaname: names[names.length - 2], relname: names[names.length - 1] } as RangeVarName);
  const relation = sys.classByOid(relid)!;
  if (relation.reltype === 0) throw new PgError('wrong_object_type', `relation "${names[names.length - 1]}" does not have a composite type`);
  return buildType(relation.reltype);
}
