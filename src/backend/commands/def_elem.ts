// What the values of a statement's options mean, name = value each (PostgreSQL's define.c).
import { PgError } from '../../common/errors.ts';
import { makeParseState, parserError } from '../parser/parse_node.ts';
import { typeNameToString } from '../parser/parse_type.ts';

/** `arg` as the grammar gives it: a number, a text, a type's name, a list of names, ...; options may stand without. */
export interface DefElem { defname: string; arg?: any; location?: number }

type Option = DefElem | { [field: string]: any };

/** The text of an option that must have one. */
export function defGetString({ defname, arg }: Option): string {
  if (arg === undefined || arg === null) throw new PgError('syntax_error', `${defname} requires a parameter`);
  if (Array.isArray(arg)) return arg.join('.');
  if (typeof arg !== 'object') return String(arg);
  switch (arg.tag) {
    case 'Float': return arg.fval;
    case 'Boolean': return arg.boolval === true ? 'true' : 'false';
    case 'TypeName': return typeNameToString(arg);
    case 'A_Star': return '*';
    default: throw new PgError('internal_error', `unrecognized node type: ${arg.tag}`);
  }
}

/** Numbers 0 and 1, and four words; no value means true. */
export function defGetBoolean(option: Option): boolean {
  const { defname, arg } = option;
  if (arg === undefined || arg === null) return true;
  switch (typeof arg === 'number' ? arg : defGetString(option).toLowerCase()) {
    case 1: case 'true': case 'on': return true;
    case 0: case 'false': case 'off': return false;
    default: throw new PgError('syntax_error', `${defname} requires a Boolean value`);
  }
}

/** An option stands there a second time. `text`: of the statement. */
export const errorConflictingDefElem = ({ location }: Option, text: string): PgError =>
  parserError(makeParseState(text), 'syntax_error', 'conflicting or redundant options', location);
