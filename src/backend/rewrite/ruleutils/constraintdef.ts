// pg_get_constraintdef: what stands after CONSTRAINT name, or the whole ALTER TABLE.
import { internalError } from '../../../common/errors.ts';
import { getAttname } from '../../catalog/lsyscache.ts';
import { quoteIdentifier, quoteQualifiedIdentifier } from '../../catalog/quote.ts';
import type { PgConstraint } from '../../catalog/rows.ts';
import { constraintByOid, indexByOid, typeByOid } from '../../catalog/syscache.ts';
import type { Expr } from '../../nodes/primnodes.ts';
import { stringToNode } from '../../nodes/readfuncs.ts';
import type { Oid } from '../../types/datum.ts';
import { PRETTY_INDENT } from './context.ts';
import { expressionText } from './exprdef.ts';
import { indexdef, reloptionsText } from './indexdef.ts';
import { relationNamespace } from './names.ts';
import { namespaceNameOrTemp, qualifiedRelationName, relationName } from './object_names.ts';

const ACTIONS: Record<string, string> = { r: 'RESTRICT', c: 'CASCADE', n: 'SET NULL', d: 'SET DEFAULT' };

const columnList = (relid: Oid, numbers: readonly number[]): string => numbers.map((n) => quoteIdentifier(getAttname(relid, n) ?? '')).join(', ');

/** Null when there is no such constraint. `full`: as a command that makes it. */
export function constraintdef(oid: Oid, flags = PRETTY_INDENT, full = false): string | null {
  const con = constraintByOid(oid);
  if (con === undefined) return null;
  let text = full ? `${alterCommand(con)} ADD CONSTRAINT ${quoteIdentifier(con.conname)} ` : '';
  text += body(con, flags, full);
  if (con.condeferrable) text += ' DEFERRABLE';
  if (con.condeferred) text += ' INITIALLY DEFERRED';
  if (!con.convalidated) text += ' NOT VALID';
  return text;
}

function alterCommand(con: PgConstraint): string {
  if (con.conrelid !== 0) return `ALTER TABLE ${qualifiedRelationName(con.conrelid)}`;
  const type = typeByOid(con.contypid)!;
  return `ALTER DOMAIN ${quoteQualifiedIdentifier(namespaceNameOrTemp(type.typnamespace), type.typname)}`;
}

function body(con: PgConstraint, flags: number, full: boolean): string {
  switch (con.contype) {
    case 'f': return foreignKey(con);
    case 'p': case 'u': {
      const index = indexByOid(con.conindid);
      let text = con.contype === 'p' ? 'PRIMARY KEY ' : `UNIQUE ${index?.indnullsnotdistinct ? 'NULLS NOT DISTINCT ' : ''}`;
      text += `(${columnList(con.conrelid, con.conkey!)})`;
      const included = index?.indkey.slice(con.conkey!.length) ?? [];
      if (included.length > 0) text += ` INCLUDE (${columnList(con.conrelid, included)})`;
      const options = full && con.conindid !== 0 ? reloptionsText(con.conindid) : null;
      return options === null ? text : `${text} WITH (${options})`;
    }
    case 'c': {
      const namespaces = con.conrelid === 0 ? [] : [relationNamespace(con.conrelid)];
      return `CHECK (${expressionText(stringToNode<Expr>(con.conbin!), { namespaces, flags })})${con.connoinherit ? ' NO INHERIT' : ''}`;
    }
    case 't': return 'TRIGGER';
    case 'x': return indexdef(con.conindid, flags, { excludeOperators: con.conexclop ?? [] }) ?? '';
    default: throw internalError(`invalid constraint type "${con.contype}"`);
  }
}

function foreignKey(con: PgConstraint): string {
  let text = `FOREIGN KEY (${columnList(con.conrelid, con.conkey!)}) REFERENCES ${relationName(con.confrelid)}(${columnList(con.confrelid, con.confkey!)})`;
  if (con.confmatchtype === 'f') text += ' MATCH FULL';
  const onUpdate = ACTIONS[con.confupdtype];
  const onDelete = ACTIONS[con.confdeltype];
  if (onUpdate !== undefined) text += ` ON UPDATE ${onUpdate}`;
  if (onDelete !== undefined) text += ` ON DELETE ${onDelete}`;
  if (con.confdelsetcols !== null && con.confdelsetcols.length > 0) text += ` (${columnList(con.conrelid, con.confdelsetcols)})`;
  return text;
}
